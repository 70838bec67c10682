/** Numbers as text, beside JavaScript's own, into buffers that are too short as well. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Parts } from './parts.ts';

const [UNSIGNED, SIGNED, HEX, OCTAL, PADDED] = [0, 1, 2, 3, 4];
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 9n, 10n, 99n, 100n, 2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n, 10n ** 19n),
  fc.nat(100_000).map(BigInt),
);

function expectedText(kind: number, n: bigint): string {
  if (kind === UNSIGNED) return `${n}`;
  if (kind === SIGNED) return `${BigInt.asIntN(64, n)}`;
  if (kind === HEX) return (n & 0xffffffffn).toString(16);
  if (kind === OCTAL) return (n & 0xffffffffn).toString(8);
  return `${n}`.padStart(kind - PADDED);
}

test('every number, in every form and room', () => {
  const parts = new Parts('up-debug');
  const { call, cpu } = parts;
  const room = parts.struct(64);
  fc.assert(
    fc.property(value, fc.nat(PADDED + 25), fc.nat(30), (n, kind, capacity) => {
      const text = expectedText(kind, n);
      cpu.u8.fill(0x7e, room, room + 64);
      const result =
        call.text_number(kind, Number(n >> 32n) | 0, Number(n & 0xffffffffn) | 0, room, capacity) >>> 0;
      const written = result & 0xffff;
      expect(Buffer.from(cpu.u8.slice(room, room + written)).toString()).toBe(text.slice(0, capacity));
      expect(result >>> 16).toBe(Math.max(0, text.length - capacity));
      expect(cpu.u8[room + written]).toBe(0x7e);
    }),
    { seed: 2004, numRuns: 2000 },
  );
  call.part_free(room);
  parts.close();
});
