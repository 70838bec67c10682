/** Transfers over lists of pieces, moved and skipped in steps, beside one long array of bytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EFAULT } from '../../../assembly/abi/errno.ts';
import { IOV_SIZE, PAGE_SIZE } from '../../../assembly/abi/layout.ts';
import { pattern } from './kernel.ts';
import { Parts } from './parts.ts';

const UIO_BYTES = 56;

interface Plan {
  readonly pieces: readonly number[];
  readonly steps: readonly (readonly ['move' | 'skip', number])[];
  readonly write: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  pieces: fc.array(fc.oneof(fc.nat(40), fc.nat(2000)), { minLength: 1, maxLength: 12 }),
  steps: fc.array(
    fc.tuple(fc.constantFrom('move' as const, 'move' as const, 'skip' as const), fc.nat(1500)),
    {
      maxLength: 20,
    },
  ),
  write: fc.boolean(),
});

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  test('the bytes of all pieces, one after the other', () => {
    const parts = new Parts(flavour);
    const { call, cpu } = parts;
    const uio = parts.struct(UIO_BYTES);
    const page = call.page_alloc(0, 2) >>> 0;
    fc.assert(
      fc.property(plan, ({ pieces, steps, write }) => {
        const total = pieces.reduce((sum, n) => sum + n, 0);
        // each piece in a space of its own, a few bytes into it
        pieces.forEach((bytes, i) => {
          cpu.spaces[i] = pattern(bytes + i, i);
          cpu.u32.set([i, i, bytes], (parts.scratch + i * IOV_SIZE) >>> 2);
        });
        const user = () => Buffer.concat(pieces.map((_, i) => cpu.spaces[i].subarray(i)));
        const expected = user();
        call.uio_begin(uio, parts.scratch, pieces.length, total, write ? 1 : 0);
        let at = 0;
        for (const [what, wanted] of steps) {
          const n = Math.min(wanted, total - at);
          const ram = cpu.u8.subarray(page, page + PAGE_SIZE);
          ram.set(pattern(PAGE_SIZE, at + 99));
          if (what === 'skip') call.uio_skip(uio, wanted);
          else {
            expect(call.uio_move(uio, page, wanted)).toBe(0);
            if (write) expect(Buffer.compare(ram.slice(0, n), expected.subarray(at, at + n))).toBe(0);
            else expected.set(pattern(n, at + 99), at);
          }
          at += n;
          expect([call.uio_resid(uio), call.uio_off(uio)]).toEqual([total - at, at]);
        }
        expect(Buffer.compare(user(), expected)).toBe(0);
      }),
      { seed: 2004, numRuns: 300 },
    );
    call.page_free(page);
    call.part_free(uio);
    parts.close();
  });

  test('a piece that the caller does not have is EFAULT, and what was before it has been moved', () => {
    const parts = new Parts(flavour);
    const { call, cpu } = parts;
    const uio = parts.struct(UIO_BYTES);
    const page = call.page_alloc(0, 2) >>> 0;
    cpu.spaces[0] = pattern(100);
    cpu.spaces[1] = pattern(10);
    cpu.u32.set([0, 0, 100, 1, 5, 50], parts.scratch >>> 2);
    call.uio_begin(uio, parts.scratch, 2, 150, 1);
    expect(call.uio_move(uio, page, 150)).toBe(-EFAULT);
    expect([call.uio_resid(uio), call.uio_off(uio)]).toEqual([50, 100]);
    expect(Buffer.compare(cpu.u8.slice(page, page + 100), pattern(100))).toBe(0);
    call.page_free(page);
    call.part_free(uio);
    parts.close();
  });
});
