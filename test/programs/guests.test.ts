/**
 * WASI programs as programs of the machine, in its shell: on this Node and on a current one, where they can wait
 * without stopping their thread.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';
import { GUEST_CASES, play } from './guestcases.ts';

const node = join(repositoryRoot, 'test/node-current/node_modules/node/bin/node');

describe('on this Node', () => {
  it.each(GUEST_CASES)('$name', async (each) => {
    await play(each);
  });
});

describe.skipIf(!existsSync(node))(
  'on a current Node [skipped where it is not installed: make node-current]',
  () => {
    it('all cases, suspended', async () => {
      const { stdout } = await promisify(execFile)(node, [
        join(repositoryRoot, 'test/programs/guests-run.ts'),
      ]);
      const results = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(results.filter(({ error }) => error !== null)).toEqual([]);
      expect(results.map(({ canSuspend }) => canSuspend)).toEqual(GUEST_CASES.map(() => true));
    });
  },
);
