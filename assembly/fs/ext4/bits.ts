/**
 * Bitmaps of blocks, as they lie on the disk: bit n is bit n & 7 of byte n >> 3. A search may look through a
 * second bitmap too, the mask: what is set there is taken, whatever the disk says.
 *
 * Bitmaps begin at a multiple of 8 bytes and are read in words of 8.
 */

// @ts-ignore: decorator
@inline
function word(map: usize, mask: usize, i: u32): u64 {
  const at = (<usize>i >> 6) << 3;
  return mask == 0 ? load<u64>(map + at) : load<u64>(map + at) | load<u64>(mask + at);
}

/** The first bit from `from` on, below `end`, that is clear in both; `end`: none. */
export function bitsNextClear(map: usize, mask: usize, from: u32, end: u32): u32 {
  let i = from;
  while (i < end) {
    const w = ~word(map, mask, i) >> (i & 63);
    if (w != 0) {
      const r = i + <u32>ctz(w);
      return r < end ? r : end;
    }
    i = (i | 63) + 1;
  }
  return end;
}

/** The first bit from `from` on, below `end`, that is set in either; `end`: none. */
export function bitsNextSet(map: usize, mask: usize, from: u32, end: u32): u32 {
  let i = from;
  while (i < end) {
    const w = word(map, mask, i) >> (i & 63);
    if (w != 0) {
      const r = i + <u32>ctz(w);
      return r < end ? r : end;
    }
    i = (i | 63) + 1;
  }
  return end;
}

export function bitsSet(map: usize, from: u32, n: u32): void {
  let i = from;
  const end = from + n;
  while (i < end && (i & 7) != 0) {
    setBit(map, i);
    i++;
  }
  if (end - i >= 8) {
    memory.fill(map + (i >> 3), 0xff, (end - i) >> 3);
    i += (end - i) & ~7;
  }
  while (i < end) {
    setBit(map, i);
    i++;
  }
}

export function bitsClear(map: usize, from: u32, n: u32): void {
  let i = from;
  const end = from + n;
  while (i < end && (i & 7) != 0) {
    clearBit(map, i);
    i++;
  }
  if (end - i >= 8) {
    memory.fill(map + (i >> 3), 0, (end - i) >> 3);
    i += (end - i) & ~7;
  }
  while (i < end) {
    clearBit(map, i);
    i++;
  }
}

// @ts-ignore: decorator
@inline
function setBit(map: usize, i: u32): void {
  const p = map + (i >> 3);
  store<u8>(p, load<u8>(p) | (<u8>1 << <u8>(i & 7)));
}

// @ts-ignore: decorator
@inline
function clearBit(map: usize, i: u32): void {
  const p = map + (i >> 3);
  store<u8>(p, load<u8>(p) & ~(<u8>1 << <u8>(i & 7)));
}

/** How many of the first `end` bits are clear. */
export function bitsCountClear(map: usize, end: u32): u32 {
  let set: u32 = 0;
  let i: u32 = 0;
  for (; i + 64 <= end; i += 64) set += <u32>popcnt(load<u64>(map + (i >> 3)));
  for (; i < end; i++) set += (<u32>load<u8>(map + (i >> 3)) >> (i & 7)) & 1;
  return end - set;
}
