import * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { NodeFs } from '../../host/syscalls/fs/types.ts';
import { testMachine } from '../unit/host/machine.ts';
import { plain, plainError, tree } from '../unit/host/oracle.ts';
import {
  corrected,
  FS_OPERATIONS,
  FS_RULES,
  type Params,
  prepare,
  type Side,
  weighted,
} from './fs-operations.ts';

/** The model test through `fs`: results, errors with their texts, and whole trees, as node:fs has them. */

const RUNS = 60;
const RUN_LENGTH = 250;
const made = new Map<string, { made: number; succeeded: number }>();
const applied = new Map<keyof typeof FS_RULES, number>();

const host = nodeFs as unknown as NodeFs;
const machine = testMachine();
// tmpfs where there is one: other file systems have other sizes and limits
const base = nodeFs.mkdtempSync(
  join(nodeFs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'damselfly-model-'),
);
machine.fs.mkdirSync(base, { recursive: true });
machine.process().mount('none', base, 'tmpfs');
let runs = 0;

afterAll(() => nodeFs.rmSync(base, { recursive: true, force: true }));

type Step = [name: string, params: Params];

const steps = fc.array(
  fc.tuple(
    fc.constantFrom(...weighted()),
    fc.record({
      a: fc.nat({ max: 63 }),
      b: fc.nat({ max: 63 }),
      n: fc.nat({ max: 63 }),
      size: fc.constantFrom(0, 1, 10, 100, 4095, 4096, 4097, 9000),
    }),
  ) as fc.Arbitrary<Step>,
  { maxLength: RUN_LENGTH, size: 'max' },
);

function outcome(side: Side, [name, params]: Step): unknown {
  try {
    return { value: plain(FS_OPERATIONS[name](side, params)) };
  } catch (error) {
    return { error: plainError(error) };
  }
}

function count(name: string, result: unknown): void {
  const entry = made.get(name) ?? { made: 0, succeeded: 0 };
  entry.made++;
  if (typeof result === 'object' && result !== null && 'value' in result) entry.succeeded++;
  made.set(name, entry);
}

function perform(list: readonly Step[]): void {
  const root = join(base, `${++runs}`);
  const [theirs, ours] = [host, machine.fs].map((fs): Side => ({ fs, root, fds: [] }));
  for (const { fs } of [theirs, ours]) fs.mkdirSync(root, { recursive: true });
  for (const side of [theirs, ours]) prepare(side);
  try {
    for (const step of list) {
      const expected = outcome(theirs, step);
      const actual = outcome(ours, step);
      count(step[0], expected);
      const right = corrected(step[0], expected, actual);
      if (right.rule) applied.set(right.rule, (applied.get(right.rule) ?? 0) + 1);
      expect(actual, JSON.stringify(step)).toEqual(right.outcome);
    }
    expect(tree(ours.fs, root)).toEqual(tree(theirs.fs, root));
  } finally {
    for (const { fs, fds } of [theirs, ours]) {
      for (const fd of fds) fs.closeSync(fd);
      fs.rmSync(root, { recursive: true });
    }
  }
}

// Its errors and trees are Linux's.
describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('the model test through fs', () => {
  it(`${RUNS} lists of random operations end as on node:fs`, { timeout: 120_000 }, () => {
    fc.assert(fc.property(fc.noBias(steps), perform), { seed: 2004, numRuns: RUNS });
    const total = [...made.values()].reduce((sum, entry) => sum + entry.made, 0);
    const good = [...made.values()].reduce((sum, entry) => sum + entry.succeeded, 0);
    console.log(`${total} operations, ${((100 * good) / total).toFixed(1)} % succeeded`);
    for (const [rule, times] of applied) console.log(`${times} × ${rule}: ${FS_RULES[rule]}`);
    expect(good * 2).toBeGreaterThanOrEqual(total);
    const never = Object.keys(FS_OPERATIONS).filter((name) => !made.get(name)?.succeeded);
    expect(never).toEqual([]);
  });
});
