/**
 * Zeroing and copying of records and names. The engine makes a call out of memory.fill and
 * memory.copy, which costs more than the whole work on the hundred bytes of an inode; these are
 * for sizes up to a few hundred bytes, those for pages.
 */

/** Zero `size` bytes, a multiple of 8, at an address that is one. */
// @ts-ignore: decorator
@inline
export function wordsZero(p: usize, size: usize): void {
  const end = p + size;
  for (; p < end; p += 8) store<u64>(p, 0);
}

/** Copy `size` bytes, a multiple of 8, between addresses that are multiples of 8 and do not overlap. */
// @ts-ignore: decorator
@inline
export function wordsCopy(to: usize, from: usize, size: usize): void {
  const end = from + size;
  for (; from < end; from += 8, to += 8) store<u64>(to, load<u64>(from));
}

/** Copy a name: `len` bytes, anywhere, not overlapping. Touches no byte beyond. */
export function nameCopy(to: usize, from: usize, len: u32): void {
  let i: u32 = 0;
  for (; i + 8 <= len; i += 8) store<u64>(to + i, load<u64>(from + i));
  for (; i < len; i++) store<u8>(to + i, load<u8>(from + i));
}

/** Is bit i of a bitmap set? */
export function bitTest(map: usize, i: u32): bool {
  const byte: u32 = load<u8>(map + (i >> 3));
  return ((byte >> (i & 7)) & 1) != 0;
}

export function bitSet(map: usize, i: u32): void {
  const byte: u32 = load<u8>(map + (i >> 3));
  const bit: u32 = 1 << (i & 7);
  store<u8>(map + (i >> 3), <u8>(byte | bit));
}

export function bitClear(map: usize, i: u32): void {
  const byte: u32 = load<u8>(map + (i >> 3));
  const bit: u32 = 1 << (i & 7);
  store<u8>(map + (i >> 3), <u8>(byte & ~bit));
}

/**
 * Sleep until the word at p is told of (atomic.notify), for at most `ns`, and not at all if it is not `seen`.
 *
 * The only place that waits. V8's baseline compiler, of Node 20 among others, forgets over this instruction
 * what the locals of its function are, so nothing may be used after it here. And so that it is not inlined into
 * functions that go on, there is a loop, which never turns: there is no answer above 2.
 */
export function waitWord(p: usize, seen: u32, ns: i64): void {
  if (SMP) while (memory.atomic.wait32(p, <i32>seen, ns) > 2) {}
}
