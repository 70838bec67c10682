/**
 * The WASI suite on a current Node, which has several memories in a module: the gates that copy from
 * one to the other, and JavaScript's beside them. (`make node-current` installs it.)
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';
import { ALL_CASES, GATES, titleOf, variantsOf } from './suite.ts';

const node = join(repositoryRoot, 'test/node-current/node_modules/node/bin/node');

interface Result {
  variant: string;
  name: string;
  error: string | null;
}

const results = new Map<string, Result>();

describe.skipIf(!existsSync(node))(
  'on a current Node [skipped where it is not installed: make node-current]',
  () => {
    beforeAll(async () => {
      const { stdout } = await promisify(execFile)(node, [join(repositoryRoot, 'test/wasi/run.ts')], {
        maxBuffer: 64 << 20,
      });
      for (const line of stdout.trim().split('\n')) {
        const result = JSON.parse(line) as Result;
        results.set(`${result.variant}: ${result.name}`, result);
      }
    }, 300_000);

    describe.each(GATES.flatMap(variantsOf).map(titleOf))('%s', (variant) => {
      it.each(ALL_CASES.map(({ name }) => name))('%s', (name) => {
        const result = results.get(`${variant}: ${name}`);
        expect(result, 'the case ran').toBeDefined();
        expect(result?.error).toBeNull();
      });
    });
  },
);
