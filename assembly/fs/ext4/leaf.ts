/**
 * ext4: one block of directory entries (directory.rst, "Linear (Classic) Directories").
 *
 *     ├ entry ┼ entry ┼ …                         ┼ tail (metadata_csum) ┤
 *
 * Entries fill the block by their rec_len; one with inode 0 is room. A removed entry becomes room of
 * the one before it. Every step over an entry checks it (entryEnd): a block that came from the disk
 * is never trusted, however often it was read.
 *
 * Caller holds em_names, exclusive to change a block, and the block's buffer.
 */
import {
  DE_FILE_TYPE,
  DE_INODE,
  DE_NAME,
  DE_NAME_LEN,
  DE_REC_LEN,
  DE_TAIL_CSUM,
  DE_TAIL_FT,
  DE_TAIL_SIZE,
  INCOMPAT_FILETYPE,
} from '../../abi/ext4';
import { nameCopy } from '../../kern/words';
import { crc32c, crc32cZeros } from './crc';
import { Dirop } from './dirop';
import { Ext4Inode, Ext4Mount, hasCsum, hasIncompat } from './types';

/** The shortest entry: a name of one to four bytes. */
export const DE_MIN: u32 = 12;

/** Bytes that an entry with such a name takes. */
// @ts-ignore: decorator
@inline
export function entryBytes(namelen: u32): u32 {
  return (DE_NAME + namelen + 3) & ~3;
}

/** Where the entries of a block end: its end, or its tail. */
// @ts-ignore: decorator
@inline
export function leafEnd(em: Ext4Mount, b: usize): usize {
  const tail: u32 = hasCsum(em) ? DE_TAIL_SIZE : 0;
  return b + em.em_bsize - tail;
}

/** The end of the entry at `at`, or 0: it is malformed. */
// @ts-ignore: decorator
@inline
export function entryEnd(at: usize, end: usize): usize {
  if (at + DE_MIN > end) return 0;
  const rec = <u32>load<u16>(at + DE_REC_LEN);
  if (rec < DE_MIN || (rec & 3) != 0 || at + rec > end) return 0;
  return entryBytes(load<u8>(at + DE_NAME_LEN)) > rec ? 0 : at + rec;
}

/** Is it "." or ".."? */
// @ts-ignore: decorator
@inline
export function entryIsDots(at: usize): bool {
  const n = load<u8>(at + DE_NAME_LEN);
  return (n == 1 && load<u8>(at + DE_NAME) == 46) || (n == 2 && load<u16>(at + DE_NAME) == 0x2e2e);
}

/** Find a name among the entries of [at, end): 1 with dp_at and dp_prev set, 0, or -1: malformed. */
export function entriesFind(at: usize, end: usize, name: usize, len: u32, dp: Dirop): i32 {
  let prev: usize = 0;
  while (at < end) {
    const next = entryEnd(at, end);
    if (next == 0) return -1;
    if (
      <u32>load<u8>(at + DE_NAME_LEN) == len &&
      load<u32>(at + DE_INODE) != 0 &&
      memory.compare(at + DE_NAME, name, len) == 0
    ) {
      dp.dp_at = <u32>at;
      dp.dp_prev = <u32>prev;
      return 1;
    }
    prev = at;
    at = next;
  }
  return 0;
}

/** Fill an entry's fields; its rec_len stays. */
export function entrySet(em: Ext4Mount, at: usize, ino: u32, ft: u32, name: usize, len: u32): void {
  store<u32>(at + DE_INODE, ino);
  store<u8>(at + DE_NAME_LEN, <u8>len);
  store<u8>(at + DE_FILE_TYPE, hasIncompat(em, INCOMPAT_FILETYPE) ? <u8>ft : 0);
  nameCopy(at + DE_NAME, name, len);
}

/** Add an entry where there is room: 1, 0 (none), or -1: malformed. The checksum follows. */
export function leafInsert(em: Ext4Mount, b: usize, ino: u32, ft: u32, name: usize, len: u32): i32 {
  const end = leafEnd(em, b);
  const need = entryBytes(len);
  let at = b;
  while (at < end) {
    const next = entryEnd(at, end);
    if (next == 0) return -1;
    const used: u32 = load<u32>(at + DE_INODE) != 0 ? entryBytes(load<u8>(at + DE_NAME_LEN)) : 0;
    if (<u32>(next - at) - used >= need) {
      const from = at;
      const to = at + used + need;
      const before = partSum(em, from, to);
      if (used != 0) {
        store<u16>(at + DE_REC_LEN, <u16>used);
        at += used;
        store<u16>(at + DE_REC_LEN, <u16>(next - at));
      }
      entrySet(em, at, ino, ft, name, len);
      partSummed(em, b, from, to, before);
      return 1;
    }
    at = next;
  }
  return 0;
}

/** Remove the entry at `at`; `prev` is the one before it in the block, 0: it is the first. The block's
 *  checksum is the caller's. */
export function entryRemove(at: usize, prev: usize): void {
  store<u32>(at + DE_INODE, 0);
  if (prev == 0) return;
  store<u16>(prev + DE_REC_LEN, <u16>(<u32>load<u16>(prev + DE_REC_LEN) + <u32>load<u16>(at + DE_REC_LEN)));
}

/** A block without entries: one piece of room, and the tail. */
export function leafInit(em: Ext4Mount, b: usize): void {
  memory.fill(b, 0, em.em_bsize);
  store<u16>(b + DE_REC_LEN, <u16>(leafEnd(em, b) - b));
  tailInit(em, b);
}

function tailInit(em: Ext4Mount, b: usize): void {
  if (!hasCsum(em)) return;
  const t = leafEnd(em, b);
  memory.fill(t, 0, DE_TAIL_SIZE);
  store<u16>(t + DE_REC_LEN, <u16>DE_TAIL_SIZE);
  store<u8>(t + DE_FILE_TYPE, <u8>DE_TAIL_FT);
}

/** A new directory's block: "." and "..". */
export function leafInitDots(em: Ext4Mount, b: usize, ino: u32, parent: u32, ft: u32): void {
  leafInit(em, b);
  store<u16>(b + DE_REC_LEN, <u16>DE_MIN);
  dotSet(em, b, ino, 1, ft);
  const second = b + DE_MIN;
  store<u16>(second + DE_REC_LEN, <u16>(leafEnd(em, b) - second));
  dotSet(em, second, parent, 2, ft);
}

function dotSet(em: Ext4Mount, at: usize, ino: u32, dots: u32, ft: u32): void {
  store<u32>(at + DE_INODE, ino);
  store<u8>(at + DE_NAME_LEN, <u8>dots);
  store<u8>(at + DE_FILE_TYPE, hasIncompat(em, INCOMPAT_FILETYPE) ? <u8>ft : 0);
  store<u8>(at + DE_NAME, 46);
  if (dots == 2) store<u8>(at + DE_NAME + 1, 46);
}

/** Push a block's entries together to its front; the last one has all the room. */
export function leafPack(em: Ext4Mount, b: usize): void {
  const end = leafEnd(em, b);
  let at = b;
  let to = b;
  let last: usize = 0;
  while (at < end) {
    const next = entryEnd(at, end);
    if (next == 0) break;
    if (load<u32>(at + DE_INODE) != 0) {
      const n = entryBytes(load<u8>(at + DE_NAME_LEN));
      memory.copy(to, at, n);
      store<u16>(to + DE_REC_LEN, <u16>n);
      last = to;
      to += n;
    }
    at = next;
  }
  if (last == 0) leafInit(em, b);
  else store<u16>(last + DE_REC_LEN, <u16>(end - last));
}

/** The same in the leaf at b, whose checksum follows. */
export function leafRemove(em: Ext4Mount, b: usize, at: usize, prev: usize): void {
  const from = prev == 0 ? at : prev;
  const to = at + DE_MIN;
  const before = partSum(em, from, to);
  entryRemove(at, prev);
  partSummed(em, b, from, to, before);
}

// ── checksums (checksums.rst: over the block without its tail) ───────────────────────────────

function isTail(t: usize): bool {
  return (
    load<u32>(t + DE_INODE) == 0 &&
    <u32>load<u16>(t + DE_REC_LEN) == DE_TAIL_SIZE &&
    load<u8>(t + DE_NAME_LEN) == 0 &&
    <u32>load<u8>(t + DE_FILE_TYPE) == DE_TAIL_FT
  );
}

export function leafSumOk(em: Ext4Mount, ei: Ext4Inode, b: usize): bool {
  if (!hasCsum(em)) return true;
  const t = leafEnd(em, b);
  return isTail(t) && load<u32>(t + DE_TAIL_CSUM) == crc32c(ei.ei_csumseed, b, em.em_bsize - DE_TAIL_SIZE);
}

export function leafSum(em: Ext4Mount, ei: Ext4Inode, b: usize): void {
  if (!hasCsum(em)) return;
  store<u32>(leafEnd(em, b) + DE_TAIL_CSUM, crc32c(ei.ei_csumseed, b, em.em_bsize - DE_TAIL_SIZE));
}

/** The same for a leaf of which only the first `used` bytes are not zeros. */
export function leafSumNew(em: Ext4Mount, ei: Ext4Inode, b: usize, used: u32): void {
  if (!hasCsum(em)) return;
  const c = crc32c(ei.ei_csumseed, b, used);
  store<u32>(leafEnd(em, b) + DE_TAIL_CSUM, crc32cZeros(c, em.em_bsize - DE_TAIL_SIZE - used));
}

// A checksum is linear: by how much it changes is the checksum of the bytes that change, before and after,
// moved over what is behind them. Most changes are of one entry, and a block is a hundred times that.

/** Before [from, to) of a leaf changes: what partSummed is to be given. */
export function partSum(em: Ext4Mount, from: usize, to: usize): u32 {
  return hasCsum(em) ? crc32c(0, from, <u32>(to - from)) : 0;
}

/** [from, to) of the leaf at b has changed: its checksum, which was right before. */
export function partSummed(em: Ext4Mount, b: usize, from: usize, to: usize, before: u32): void {
  if (!hasCsum(em)) return;
  const t = leafEnd(em, b);
  const change = crc32cZeros(before ^ crc32c(0, from, <u32>(to - from)), <u32>(t - to));
  store<u32>(t + DE_TAIL_CSUM, load<u32>(t + DE_TAIL_CSUM) ^ change);
}
