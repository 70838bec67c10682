/** Bitmaps as ext4 lays them out: bit n is bit n & 7 of byte n >> 3. */

export function testBit(bitmap: Uint8Array, bit: number): boolean {
  return (bitmap[Math.floor(bit / 8)] & (1 << (bit & 7))) !== 0;
}

export function putBit(bitmap: Uint8Array, bit: number): void {
  bitmap[Math.floor(bit / 8)] |= 1 << (bit & 7);
}

export function clearBit(bitmap: Uint8Array, bit: number): void {
  bitmap[Math.floor(bit / 8)] &= ~(1 << (bit & 7));
}

/** Bits in each byte. */
const COUNTS = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest !== 0; rest >>= 1) count += rest & 1;
  return count;
});

/** Bits set in [from, to). */
export function countBits(bitmap: Uint8Array, from: number, to: number): number {
  let count = 0;
  let bit = from;
  for (; bit < to && (bit & 7) !== 0; bit++) if (testBit(bitmap, bit)) count++;
  for (; bit + 8 <= to; bit += 8) count += COUNTS[bitmap[bit / 8]];
  for (; bit < to; bit++) if (testBit(bitmap, bit)) count++;
  return count;
}

/** Set bits [from, to); says how many were set before. */
export function putBits(bitmap: Uint8Array, from: number, to: number): number {
  const before = countBits(bitmap, from, to);
  let bit = from;
  for (; bit < to && (bit & 7) !== 0; bit++) putBit(bitmap, bit);
  const whole = Math.floor(to / 8);
  if (bit < to && bit / 8 < whole) {
    bitmap.fill(0xff, bit / 8, whole);
    bit = whole * 8;
  }
  for (; bit < to; bit++) putBit(bitmap, bit);
  return before;
}
