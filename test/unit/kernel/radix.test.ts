/** Radix trees beside a Map, under random insertions, removals and searches. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENOMEM } from '../../../assembly/abi/errno.ts';
import { Parts } from './parts.ts';

const RADIX_BYTES = 12;
const ROOT = 0;
const HEIGHT = 4;
const COUNT = 8;
/** ALLOC_NOWAIT */
const NOWAIT = 2;

// Neighbours, the edges of each height (64^h), and anything.
const index = fc.oneof(
  fc.nat(200),
  fc
    .tuple(fc.nat(5), fc.integer({ min: -2, max: 2 }))
    .map(([height, by]) => Math.min(0xffffffff, Math.max(0, 64 ** height + by))),
  fc.constantFrom(0, 0xffffffff, 0xfffffffe, 0x80000000, 0x7fffffff),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const step = fc.tuple(fc.constantFrom('insert', 'insert', 'remove', 'next'), index);

function check(parts: Parts, ra: number, model: Map<number, number>): void {
  const { call } = parts;
  for (const [at, value] of model) expect([at, call.radix_get(ra, at) >>> 0]).toEqual([at, value]);
  expect(parts.word(ra + COUNT)).toBe(model.size);
  // radix_next tells the value alone, so each value names its index
  const found: number[] = [];
  for (let value = call.radix_next(ra, 0) >>> 0; value !== 0; ) {
    const at = [...model].find(([, other]) => other === value)?.[0];
    if (at === undefined) throw new Error(`radix_next gave ${value}, which is not in it`);
    found.push(at);
    if (at === 0xffffffff) break;
    value = call.radix_next(ra, at + 1) >>> 0;
  }
  expect(found).toEqual([...model.keys()].sort((a, b) => a - b));
}

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  test('does what a map does', () => {
    const parts = new Parts(flavour);
    const { call } = parts;
    const ra = parts.struct(RADIX_BYTES);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const model = new Map<number, number>();
        let value = 0x1000;
        for (const [what, at] of steps) {
          if (what === 'insert' && !model.has(at)) {
            value += 8;
            expect(call.radix_insert(ra, at, value, 0)).toBe(0);
            model.set(at, value);
          } else if (what === 'remove' && model.size > 0) {
            const keys = [...model.keys()];
            const key = keys[at % keys.length];
            call.radix_remove(ra, key);
            model.delete(key);
          } else {
            const least = Math.min(...[...model.keys()].filter((key) => key >= at));
            expect(call.radix_next(ra, at) >>> 0).toBe(model.get(least) ?? 0);
            if (!model.has(at)) expect(call.radix_get(ra, at)).toBe(0);
          }
        }
        check(parts, ra, model);
        for (const key of model.keys()) call.radix_remove(ra, key);
        expect([ROOT, HEIGHT, COUNT].map((field) => parts.word(ra + field))).toEqual([0, 0, 0]);
      }),
      { seed: 2004, numRuns: 300 },
    );
    call.part_free(ra);
    parts.close();
  });

  test('an insertion that finds no memory changes nothing', () => {
    const parts = new Parts(flavour, 4 << 20);
    const { call, kernel } = parts;
    const ra = parts.struct(RADIX_BYTES);
    expect(call.radix_insert(ra, 5, 0x1000, 0)).toBe(0);
    if (flavour === 'up-debug') {
      // two nodes are on the way to the largest index that share nothing with the one that is there
      for (let failing = 1; failing <= 10; failing++) {
        kernel.fault_arm(failing);
        const result = call.radix_insert(ra, 0xffffffff, 0x2000, NOWAIT);
        kernel.fault_arm(0);
        expect(call.radix_get(ra, 5)).toBe(0x1000);
        if (result === 0) {
          expect(failing).toBeGreaterThan(5);
          call.radix_remove(ra, 0xffffffff);
          break;
        }
        expect(result).toBe(-ENOMEM);
        expect(call.radix_get(ra, 0xffffffff)).toBe(0);
        expect(parts.word(ra + COUNT)).toBe(1);
        expect(failing).toBeLessThan(10);
      }
    }
    call.radix_remove(ra, 5);
    expect([ROOT, HEIGHT, COUNT].map((field) => parts.word(ra + field))).toEqual([0, 0, 0]);
    call.part_free(ra);
    parts.close();
  });
});
