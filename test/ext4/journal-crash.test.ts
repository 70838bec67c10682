/** The journal under cuts of the power; and with a bug planted, which must show. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Bug } from '../model/bugs.ts';
import { plant, sourceOf } from '../model/variant.ts';
import { repositoryRoot } from '../oracle/root.ts';
import { JOURNAL_BUGS } from './journal-bugs.ts';
import { crash, type Log, record } from './journal-crash.ts';
import { B64, BARRIER, CSUM3 } from './journal-rig.ts';

const SMALL: Log = { shift: 10, blocks: 70 };
const PAGES: Log = { shift: 12, blocks: 66 };
const CRASHES = { exhaustive: 5, samples: 12, torn: 2 };

describe.each([
  ['1 KiB', SMALL, BARRIER],
  ['1 KiB, checksums', SMALL, BARRIER | CSUM3 | B64],
  ['4 KiB', PAGES, BARRIER | B64],
] as const)('%s', (_, log, want) => {
  test.each([1, 2])('what was committed is there, and nothing in between: seed %i', (seed) => {
    const recorded = record(log, want, seed, 160);
    expect(recorded.commits.length).toBeGreaterThan(10);
    const { states, violations } = crash(recorded, { ...CRASHES, seed });
    expect(violations).toEqual([]);
    expect(states).toBeGreaterThan(200);
  });
});

/** The test kernel with a bug. */
function buggy(bug: Bug): URL {
  const directory = join(repositoryRoot, 'build', 'planted', `journal-${bug.name}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const name of ['assembly', 'asconfig.json']) {
    cpSync(join(repositoryRoot, name), join(directory, name), { recursive: true });
  }
  writeFileSync(join(directory, bug.file), plant(sourceOf(bug), bug));
  const asc = join(
    dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')),
    'bin/asc.js',
  );
  const file = join(directory, 'journal.wasm');
  const options = ['--target', 'up-debug', '--optimizeLevel', '0', '--outFile', file, '--disableWarning'];
  execFileSync(process.execPath, [asc, 'assembly/testing/journal.ts', ...options], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return pathToFileURL(file);
}

/** Seeds until a violation shows. */
function bites(want: number, module?: URL): boolean {
  for (let seed = 1; seed <= 8; seed++) {
    const recorded = record(SMALL, want, seed, 160, { module });
    if (crash(recorded, { ...CRASHES, seed }, {}, 1).violations.length > 0) return true;
  }
  return false;
}

describe('it bites', () => {
  test('without barriers, on a disk with a write cache', () => {
    expect(bites(0)).toBe(true);
  });

  test.each(JOURNAL_BUGS)('$name: $effect', (bug) => {
    expect(bites(BARRIER, buggy(bug))).toBe(true);
  });
});
