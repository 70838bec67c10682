/** The command that publishes what was measured through mounts: `node splice.js RESULT.json DOCS_DIRECTORY`. */
import fs from 'node:fs';
import path from 'node:path';
import { mountSection, withSection } from './publish.ts';
import type { MountResult } from './types.ts';

const [source, docs] = process.argv.slice(2);
const file = path.join(docs, 'benchmarks.md');
const result = JSON.parse(fs.readFileSync(source, 'utf8')) as MountResult;
fs.writeFileSync(file, withSection(fs.readFileSync(file, 'utf8'), mountSection(result)));
