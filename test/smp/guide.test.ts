/** docs/threads.md: its two files run as they stand there, on the built package, and print what they say. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-threads-'));
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

test('the guide', () => {
  const guide = fs.readFileSync(path.join(repositoryRoot, 'docs/threads.md'), 'utf8');
  const entry = pathToFileURL(path.join(repositoryRoot, 'build/dist/host/index.js')).href;
  const expected: string[] = [];
  for (const [, name, code] of guide.matchAll(/^```js\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)) {
    fs.writeFileSync(path.join(directory, name), code.replace("from 'damselfly'", `from '${entry}'`));
    for (const [, text] of code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)) expected.push(text);
  }
  expect(expected.length).toBeGreaterThan(0);
  const printed = execFileSync(process.execPath, [path.join(directory, 'main.mjs')], { encoding: 'utf8' });
  expect(printed.trim().split('\n')).toEqual(expected);
});
