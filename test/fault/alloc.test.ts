/**
 * Fault loops: every allocation that a workload makes is made to fail, one after the other. A call
 * that fails says ENOMEM, ENOSPC or ENFILE, has done nothing, and succeeds when made again; at the
 * end the tree is what it is without faults, and nothing is left over.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { ENFILE, ENOMEM, ENOSPC, ENOSYS } from '../../assembly/abi/errno.ts';
import { dump } from '../helpers/dump.ts';
import { Kernel } from '../helpers/kernel.ts';
import { checkRam } from '../helpers/ram.ts';
import { errnoName } from '../oracle/errno.ts';
import { type Store, type Workload, workloads } from './workloads.ts';

const RAM_BYTES = 4 << 20;
/** More allocations than any workload makes: a loop that gets here does not end. */
const LIMIT = 2000;
const OUT_OF_ROOM: ReadonlySet<number> = new Set([-ENOMEM, -ENOSPC, -ENFILE]);

interface Reference {
  results: number[];
  /** The tree before each step, and after the last. */
  trees: string[][];
  /** Frames that the kernel keeps when the machine is down. */
  kernelFrames: number;
}

function start(workload: Workload, flavour: string): { k: Kernel; store: Store } {
  const k = new Kernel({ flavour, ramBytes: RAM_BYTES });
  const store: Store = {};
  workload.setup?.(k, store);
  return { k, store };
}

/** Shut down without leaks. Returns how many frames the kernel keeps. */
function finish(k: Kernel): number {
  checkRam(k);
  k.shutdown();
  return checkRam(k).kernel;
}

/** The workload without faults. Dumps make caches warm, so each tree has a machine of its own. */
function reference(workload: Workload, flavour: string): Reference {
  const trees: string[][] = [];
  let results: number[] = [];
  let kernelFrames = 0;
  for (let n = 0; n <= workload.steps.length; n++) {
    const { k, store } = start(workload, flavour);
    results = workload.steps.slice(0, n).map((step) => step(k, store));
    trees.push(dump(k, '/', true));
    kernelFrames = finish(k);
  }
  const bad = results.findIndex((result) => result < 0);
  if (bad >= 0) throw new Error(`${workload.name}: step ${bad} fails by itself: ${errnoName(results[bad])}`);
  return { results, trees, kernelFrames };
}

/** One run with the n-th allocation failing. False when there were fewer. */
function run(workload: Workload, flavour: string, n: number, wanted: Reference): boolean {
  const { k, store } = start(workload, flavour);
  k.ok(k.kernel.fault_arm(n), 'fault_arm');
  let fired = false;
  for (const [i, step] of workload.steps.entries()) {
    const result = step(k, store);
    if (result === wanted.results[i]) continue;
    fired = true;
    const seen = k.kernel.fault_arm(0);
    expect(seen, `step ${i} gave ${errnoName(result)} without a fault`).toBeGreaterThanOrEqual(n);
    // a transfer that moved something is short, not failed
    if (result < 0) {
      expect(OUT_OF_ROOM, `step ${i}: ${errnoName(result)}`).toContain(result);
      expect(dump(k, '/', true), `step ${i} failed and left something behind`).toEqual(wanted.trees[i]);
    } else dump(k, '/', true);
    expect(step(k, store), `step ${i}, made again`).toBe(wanted.results[i]);
  }
  const seen = k.kernel.fault_arm(0);
  expect(dump(k, '/', true)).toEqual(wanted.trees.at(-1));
  expect(finish(k)).toBe(wanted.kernelFrames);
  return fired || seen >= n;
}

let failed = 0;

afterAll(() => {
  // the loops have something to bite on
  expect(failed).toBeGreaterThan(1000);
});

describe.each(['up-debug', 'smp-debug'])('%s: every allocation fails once', (flavour) => {
  it.each(workloads.map((workload) => [workload.name, workload] as const))('%s', (_name, workload) => {
    const wanted = reference(workload, flavour);
    let n = 1;
    while (n < LIMIT && run(workload, flavour, n, wanted)) n++;
    expect(n).toBeLessThan(LIMIT);
    failed += n - 1;
  });
});

it('a release build has no faults to arm', () => {
  const k = new Kernel({ flavour: 'up', ramBytes: RAM_BYTES });
  expect(k.kernel.fault_arm(1)).toBe(-ENOSYS);
  k.shutdown();
});
