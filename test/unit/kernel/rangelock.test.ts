/** Range locks, as far as one CPU can tell: what may be held together, and what the debug kernel catches. */
import { describe, expect, test } from 'vitest';
import type { Flavour } from '../../../host/machine/kernels.ts';
import { Parts } from './parts.ts';

const END = Number.MAX_SAFE_INTEGER;

function setup(flavour: Flavour) {
  const parts = new Parts(flavour);
  const fscaches = [0, 1].map(() => parts.struct(parts.call.fscache_size()));
  return { parts, call: parts.call, fscaches };
}

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  test('one at a time, and two of a call that copies, in any order of release', () => {
    const { parts, call, fscaches } = setup(flavour);
    const [a, b] = fscaches;
    call.range_shared(a, 0, 100);
    call.range_release(a);
    call.range_exclusive(a, 4096, END);
    call.range_release(a);
    for (const order of [
      [a, b],
      [b, a],
    ]) {
      call.range_shared(a, 10, 20);
      call.range_second(b, 10, 20);
      for (const fc of order) call.range_release(fc);
    }
    // two that do not overlap, of one file
    call.range_shared(a, 0, 10);
    call.range_second(a, 10, 20);
    call.range_release(a);
    call.range_release(a);
    expect([call.range_held(a), call.range_held(b)]).toEqual([0, 0]);
    for (const fc of fscaches) call.part_free(fc);
    parts.close();
  });
});

describe.each(['up-debug'] as const)('%s catches', (flavour) => {
  test('a second one by a call that does not copy, and one that is not held', () => {
    const taken = setup(flavour);
    taken.call.range_shared(taken.fscaches[0], 0, 1);
    expect(() => taken.call.range_shared(taken.fscaches[1], 0, 1)).toThrow(/lock order/);
    const free = setup(flavour);
    expect(() => free.call.range_release(free.fscaches[0])).toThrow(/not held/);
  });

  test('a vnode’s lock that is taken under one', () => {
    const { parts, call, fscaches } = setup(flavour);
    call.range_exclusive(fscaches[0], 0, END);
    expect(() => call.lock_exclusive(parts.struct(8), 4)).toThrow(/lock order/);
  });
});
