import fc from 'fast-check';
import { type DamselflyOptions, DamselflyTarget } from '../oracle/damselfly.ts';
import { Ext4Target } from '../oracle/damselfly-ext4.ts';
import { LinuxTarget, linuxUnavailable } from '../oracle/linux.ts';
import { LinuxExt4, linuxExt4Unavailable } from '../oracle/linux-ext4.ts';

import { Difference } from './compare.ts';
import type { Operation } from './kinds.ts';
import { operations } from './operations.ts';
import { RULES, type RuleName, Tally } from './rules.ts';
import { type Pair, Run } from './runner.ts';

/** The model test: seeded lists of operations, run on both systems, shrunk when they differ. */

/** Operations of one run, which begins with a fresh system: at most. */
const RUN_LENGTH = 400;

/** Every so many runs wait for the oracle’s clock where two changes could get one stamp. */
const EXACT_EVERY = 4;

export interface ModelOptions {
  seed: number;
  /** At least so many operations in all. */
  operations: number;
  /** Kinds of operations to leave out. */
  without?: ReadonlySet<string>;
  /** Begin with this run of the seed, and make no other. */
  onlyRun?: number;
  /** Look so long for a smaller case, ms. */
  shrinkMs?: number;
}

export interface ModelFailure {
  seed: number;
  run: number;
  /** Operations of this seed until it showed. */
  after: number;
  /** What differed, after the smallest list of operations found. */
  message: string;
  operations: string[];
}

export interface ModelOutcome {
  tally: Tally;
  failure?: ModelFailure;
}

/** A seed of its own for each run of a seed. */
function runSeed(seed: number, run: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(run + 1, 0x85ebca6b)) | 0;
}

/** Which file system both have. */
export type FileSystemName = 'tmpfs' | 'ext4';

/** Why this host cannot be asked about it; undefined when it can. */
export function unavailable(fileSystem: FileSystemName): string | undefined {
  return fileSystem === 'ext4' ? linuxExt4Unavailable() : linuxUnavailable();
}

/** Both systems, made once: a reset costs less than a start. */
export function withSystems<T>(
  kernel: DamselflyOptions,
  use: (pair: Pair) => T,
  fileSystem: FileSystemName = 'tmpfs',
): T {
  const disks = fileSystem === 'ext4' ? new LinuxExt4('-b', '4096') : undefined;
  const linux = new LinuxTarget(disks);
  const damselfly = disks ? new Ext4Target(kernel) : new DamselflyTarget(kernel);
  try {
    return use({ damselfly, linux, fileSystem });
  } finally {
    linux.dispose();
    damselfly.abandon();
    disks?.dispose();
  }
}

export function runModel(pair: Pair, options: ModelOptions): ModelOutcome {
  const tally = new Tally();
  for (let run = options.onlyRun ?? 0; tally.made < options.operations; run++) {
    const failure = oneRun(pair, options, run, tally);
    if (failure) return { tally, failure };
    if (options.onlyRun !== undefined) break;
  }
  return { tally };
}

function oneRun(pair: Pair, options: ModelOptions, run: number, tally: Tally): ModelFailure | undefined {
  const shrinkMs = options.shrinkMs ?? 60_000;
  const exact = run % EXACT_EVERY === 0;
  let first: Tally | undefined;
  const property = fc.property(operations(RUN_LENGTH, options.without), (list) => {
    const attempt = new Run(pair, exact);
    // those after it are attempts at a smaller case
    first ??= attempt.tally;
    attempt.perform(list);
  });
  const details = fc.check(property, {
    seed: runSeed(options.seed, run),
    numRuns: 1,
    // small values are soon found; the rest of the time is for fewer operations
    interruptAfterTimeLimit: shrinkMs / 4,
    markInterruptAsFailure: false,
  });
  if (first) tally.add(first);
  if (!details.failed) return undefined;
  const found = details.errorInstance instanceof Error ? details.errorInstance.message : 'no message';
  const smallest = reduce(
    pair,
    exact,
    details.counterexample?.[0] ?? [],
    found,
    Date.now() + (3 * shrinkMs) / 4,
  );
  return { seed: options.seed, run, after: tally.made, ...smallest };
}

/** The difference these operations lead to, if they do. */
function attempt(pair: Pair, exact: boolean, list: readonly Operation[]): Difference | undefined {
  try {
    new Run(pair, exact).perform(list);
    return undefined;
  } catch (error) {
    if (error instanceof Difference) return error;
    throw error;
  }
}

/**
 * Leave out operations, half the list at first and single ones in the end, as long as something
 * still differs. fast-check made the values small; it is slow at thinning a long list out.
 */
function reduce(
  pair: Pair,
  exact: boolean,
  first: readonly Operation[],
  message: string,
  deadline: number,
): { message: string; operations: string[] } {
  let list = [...first];
  let difference = attempt(pair, exact, list);
  if (!difference)
    return { message: `${message}\n(only once: not when made again)`, operations: list.map(String) };
  list = list.slice(0, difference.operations);
  // what was needed at first may not be when others are gone: again until nothing changes
  for (let before = 0; before !== list.length && Date.now() < deadline; ) {
    before = list.length;
    for (let size = before >> 1; size > 0; size >>= 1) {
      for (let at = list.length - size; at >= 0 && Date.now() < deadline; at -= size) {
        const shorter = [...list.slice(0, at), ...list.slice(at + size)];
        const still = attempt(pair, exact, shorter);
        if (!still) continue;
        difference = still;
        list = shorter.slice(0, still.operations);
      }
    }
  }
  return { message: difference.message, operations: list.map(String) };
}

/** What makes the same difference show again. */
export function replayCommand(
  { seed, run }: ModelFailure,
  flavour: string,
  fileSystem: FileSystemName = 'tmpfs',
): string {
  return `again: make model REPLAY=${seed}:${run} FLAVOUR=${flavour} FS=${fileSystem}`;
}

export function describeFailure(failure: ModelFailure): string {
  return [
    `seed ${failure.seed}, run ${failure.run}: ${failure.message}`,
    `the ${failure.operations.length} operations of the smallest case:`,
    ...failure.operations.map((line) => `  ${line}`),
  ].join('\n');
}

export function describeTally(tally: Tally): string {
  const share = ((100 * tally.succeeded) / Math.max(1, tally.made)).toFixed(1);
  const calls = [...tally.calls].sort(([a], [b]) => (a < b ? -1 : 1));
  const rules = [...tally.rules].sort();
  return [
    `${tally.made} operations, ${tally.succeeded} succeeded (${share} %)`,
    ...calls.map(
      ([kind, { made, succeeded }]) => `  ${kind.padEnd(16)} ${made} made, ${succeeded} succeeded`,
    ),
    'differences that are right:',
    ...(rules.length === 0 ? ['  none'] : rules.map(([rule, n]) => `  ${n} × ${rule}: ${reason(rule)}`)),
  ].join('\n');
}

function reason(rule: RuleName): string {
  return RULES[rule];
}
