/**
 * ext4: group descriptors (group_descr.rst) and the checksums of them and of the bitmaps they name.
 *
 * G1. em_gdt holds the buffer of every descriptor block while the file system is mounted, so that a
 *     descriptor is found by two loads and changes without reading.
 * G2. Every descriptor's bitmaps and inode table lie inside the file system: super.ts has checked it.
 *
 * Who changes a descriptor holds em_lock, begins with groupWill and ends with groupSum.
 */
import {
  BG_BLOCK_BITMAP_CSUM_HI,
  BG_BLOCK_BITMAP_CSUM_LO,
  BG_BLOCK_BITMAP_HI,
  BG_BLOCK_BITMAP_LO,
  BG_CHECKSUM,
  BG_FLAGS,
  BG_FREE_BLOCKS_COUNT_HI,
  BG_FREE_BLOCKS_COUNT_LO,
  BG_FREE_INODES_COUNT_HI,
  BG_FREE_INODES_COUNT_LO,
  BG_INODE_BITMAP_CSUM_HI,
  BG_INODE_BITMAP_CSUM_LO,
  BG_INODE_BITMAP_HI,
  BG_INODE_BITMAP_LO,
  BG_INODE_TABLE_HI,
  BG_INODE_TABLE_LO,
  BG_ITABLE_UNUSED_HI,
  BG_ITABLE_UNUSED_LO,
  BG_SIZE_64,
  BG_USED_DIRS_COUNT_HI,
  BG_USED_DIRS_COUNT_LO,
  COMPAT_SPARSE_SUPER2,
  INCOMPAT_META_BG,
  RO_COMPAT_SPARSE_SUPER,
  SB_BACKUP_BGS,
  SB_FIRST_META_BG,
  SB_UUID,
} from '../../abi/ext4';
import { Cpu, curcpu } from '../../kern/cpu';
import { frameArrayAt } from '../../vm/array';
import { crc16, crc32c, crc32cFlip, crc32cU32 } from './crc';
import { ext4Dirty } from './txn';
import { Ext4Mount, groupFirst, hasCompat, hasCsum, hasGroupCsum, hasIncompat, hasRoCompat } from './types';

const UUID_BYTES: u32 = 16;

/** A group's descriptor. */
// @ts-ignore: decorator
@inline
export function groupDesc(em: Ext4Mount, g: u32): usize {
  return <usize>load<u32>(frameArrayAt(em.em_gdt, g >> em.em_dpbshift)) + (g & (em.em_dpb - 1)) * em.em_descsize;
}

/** The word of GI_* of a group: its address. */
// @ts-ignore: decorator
@inline
export function groupInfo(em: Ext4Mount, g: u32): usize {
  return frameArrayAt(em.em_ginfo, g);
}

function wide64(em: Ext4Mount, gd: usize, lo: u32, hi: u32): u64 {
  const low: u64 = load<u32>(gd + lo);
  return em.em_descsize >= BG_SIZE_64 ? low | ((<u64>load<u32>(gd + hi)) << 32) : low;
}

function wide32(em: Ext4Mount, gd: usize, lo: u32, hi: u32): u32 {
  const low: u32 = load<u16>(gd + lo);
  return em.em_descsize >= BG_SIZE_64 ? low | ((<u32>load<u16>(gd + hi)) << 16) : low;
}

function setWide32(em: Ext4Mount, gd: usize, lo: u32, hi: u32, v: u32): void {
  store<u16>(gd + lo, <u16>v);
  if (em.em_descsize >= BG_SIZE_64) store<u16>(gd + hi, <u16>(v >> 16));
}

export function gdBlockBitmap(em: Ext4Mount, gd: usize): u64 {
  return wide64(em, gd, BG_BLOCK_BITMAP_LO, BG_BLOCK_BITMAP_HI);
}
export function gdInodeBitmap(em: Ext4Mount, gd: usize): u64 {
  return wide64(em, gd, BG_INODE_BITMAP_LO, BG_INODE_BITMAP_HI);
}
export function gdInodeTable(em: Ext4Mount, gd: usize): u64 {
  return wide64(em, gd, BG_INODE_TABLE_LO, BG_INODE_TABLE_HI);
}
export function gdFreeBlocks(em: Ext4Mount, gd: usize): u32 {
  return wide32(em, gd, BG_FREE_BLOCKS_COUNT_LO, BG_FREE_BLOCKS_COUNT_HI);
}
export function gdSetFreeBlocks(em: Ext4Mount, gd: usize, v: u32): void {
  setWide32(em, gd, BG_FREE_BLOCKS_COUNT_LO, BG_FREE_BLOCKS_COUNT_HI, v);
}
export function gdFreeInodes(em: Ext4Mount, gd: usize): u32 {
  return wide32(em, gd, BG_FREE_INODES_COUNT_LO, BG_FREE_INODES_COUNT_HI);
}
export function gdSetFreeInodes(em: Ext4Mount, gd: usize, v: u32): void {
  setWide32(em, gd, BG_FREE_INODES_COUNT_LO, BG_FREE_INODES_COUNT_HI, v);
}
export function gdUsedDirs(em: Ext4Mount, gd: usize): u32 {
  return wide32(em, gd, BG_USED_DIRS_COUNT_LO, BG_USED_DIRS_COUNT_HI);
}
export function gdSetUsedDirs(em: Ext4Mount, gd: usize, v: u32): void {
  setWide32(em, gd, BG_USED_DIRS_COUNT_LO, BG_USED_DIRS_COUNT_HI, v);
}
/** Inodes at the table's end that were never used. */
export function gdItableUnused(em: Ext4Mount, gd: usize): u32 {
  return wide32(em, gd, BG_ITABLE_UNUSED_LO, BG_ITABLE_UNUSED_HI);
}
export function gdSetItableUnused(em: Ext4Mount, gd: usize, v: u32): void {
  setWide32(em, gd, BG_ITABLE_UNUSED_LO, BG_ITABLE_UNUSED_HI, v);
}
/** BG_* flags; without descriptor checksums they mean nothing. */
export function gdFlags(em: Ext4Mount, gd: usize): u32 {
  return hasGroupCsum(em) ? <u32>load<u16>(gd + BG_FLAGS) : 0;
}
export function gdSetFlags(gd: usize, flags: u32): void {
  store<u16>(gd + BG_FLAGS, <u16>flags);
}

// ── checksums ────────────────────────────────────────────────────────────────────────────────

/** checksums.rst: of the descriptor, its own checksum taken as 0 (crc32c) or left out (crc16). */
export function groupCsum(em: Ext4Mount, g: u32, gd: usize): u32 {
  if (hasCsum(em)) {
    const stored = load<u16>(gd + BG_CHECKSUM);
    store<u16>(gd + BG_CHECKSUM, 0);
    const c = crc32c(crc32cU32(em.em_csumseed, g), gd, em.em_descsize);
    store<u16>(gd + BG_CHECKSUM, stored);
    return c & 0xffff;
  }
  let c = crc16(0xffff, <usize>em.em_sb + SB_UUID, UUID_BYTES);
  c = crc16U32(c, g);
  c = crc16(c, gd, BG_CHECKSUM);
  const behind = BG_CHECKSUM + 2;
  return em.em_descsize > behind ? crc16(c, gd + behind, em.em_descsize - behind) : c;
}

function crc16U32(crc: u32, v: u32): u32 {
  const at = changetype<usize>(curcpu) + offsetof<Cpu>('c_clock0');
  store<u32>(at, v);
  return crc16(crc, at, 4);
}

/** Is a descriptor what its checksum says? True without checksums. */
export function groupCsumOk(em: Ext4Mount, g: u32, gd: usize): bool {
  return !hasGroupCsum(em) || groupCsum(em, g, gd) == <u32>load<u16>(gd + BG_CHECKSUM);
}

/** A descriptor changed: its checksum. em_lock held. */
export function groupSum(em: Ext4Mount, g: u32): void {
  const gd = groupDesc(em, g);
  if (hasGroupCsum(em)) store<u16>(gd + BG_CHECKSUM, <u16>groupCsum(em, g, gd));
}

/** A descriptor is about to change: its block into the handle. em_lock held. 0 or an errno. */
export function groupWill(em: Ext4Mount, g: u32): i32 {
  const b = <usize>load<u32>(frameArrayAt(em.em_gdt, g >> em.em_dpbshift));
  return ext4Dirty(em, b, groupDescBlock(em, g >> em.em_dpbshift));
}

function bitmapCsum(em: Ext4Mount, b: usize, bits: u32): u32 {
  return crc32c(em.em_csumseed, b, bits >> 3);
}

function csumStored(em: Ext4Mount, gd: usize, c: u32, lo: u32, hi: u32): bool {
  if (<u32>load<u16>(gd + lo) != (c & 0xffff)) return false;
  return em.em_descsize < BG_SIZE_64 || <u32>load<u16>(gd + hi) == c >> 16;
}

function csumStore(em: Ext4Mount, gd: usize, c: u32, lo: u32, hi: u32): void {
  store<u16>(gd + lo, <u16>c);
  if (em.em_descsize >= BG_SIZE_64) store<u16>(gd + hi, <u16>(c >> 16));
}

/** Is the block bitmap at b what the descriptor says? True without metadata_csum. */
export function blockBitmapOk(em: Ext4Mount, gd: usize, b: usize): bool {
  if (!hasCsum(em)) return true;
  return csumStored(em, gd, bitmapCsum(em, b, em.em_bpg), BG_BLOCK_BITMAP_CSUM_LO, BG_BLOCK_BITMAP_CSUM_HI);
}

/** The block bitmap at b changed: its checksum into the descriptor (groupSum follows). */
export function blockBitmapSum(em: Ext4Mount, gd: usize, b: usize): void {
  if (hasCsum(em)) csumStore(em, gd, bitmapCsum(em, b, em.em_bpg), BG_BLOCK_BITMAP_CSUM_LO, BG_BLOCK_BITMAP_CSUM_HI);
}

/** Bits of a bitmap flipped that a checksum was right for: cheaper than to sum it all up, if they are few. */
export const FLIP_MAX: u32 = 512;

function csumFlip(gd: usize, c: u32, lo: u32, hi: u32, wide: bool): void {
  store<u16>(gd + lo, load<u16>(gd + lo) ^ <u16>c);
  if (wide) store<u16>(gd + hi, load<u16>(gd + hi) ^ <u16>(c >> 16));
}

/** As blockBitmapSum, when no more than bits [bit, bit + n) changed, each of them. */
export function blockBitmapFlip(em: Ext4Mount, gd: usize, bit: u32, n: u32): void {
  if (!hasCsum(em)) return;
  const c = crc32cFlip(bit, n, em.em_bpg >> 3);
  csumFlip(gd, c, BG_BLOCK_BITMAP_CSUM_LO, BG_BLOCK_BITMAP_CSUM_HI, em.em_descsize >= BG_SIZE_64);
}

/** The same for one inode's bit. */
export function inodeBitmapFlip(em: Ext4Mount, gd: usize, bit: u32): void {
  if (!hasCsum(em)) return;
  const c = crc32cFlip(bit, 1, em.em_ipg >> 3);
  csumFlip(gd, c, BG_INODE_BITMAP_CSUM_LO, BG_INODE_BITMAP_CSUM_HI, em.em_descsize >= BG_SIZE_64);
}

export function inodeBitmapOk(em: Ext4Mount, gd: usize, b: usize): bool {
  if (!hasCsum(em)) return true;
  return csumStored(em, gd, bitmapCsum(em, b, em.em_ipg), BG_INODE_BITMAP_CSUM_LO, BG_INODE_BITMAP_CSUM_HI);
}

export function inodeBitmapSum(em: Ext4Mount, gd: usize, b: usize): void {
  if (hasCsum(em)) csumStore(em, gd, bitmapCsum(em, b, em.em_ipg), BG_INODE_BITMAP_CSUM_LO, BG_INODE_BITMAP_CSUM_HI);
}

// ── where superblocks and descriptors are ────────────────────────────────────────────────────

function isPower(n: u32, base: u32): bool {
  while (n > base && n % base == 0) n /= base;
  return n == base;
}

/** Does the group begin with a copy of the superblock? (sparse_super, sparse_super2) */
export function groupHasSuper(em: Ext4Mount, g: u32): bool {
  if (g == 0) return true;
  if (hasCompat(em, COMPAT_SPARSE_SUPER2)) {
    const at = <usize>em.em_sb + SB_BACKUP_BGS;
    return g == load<u32>(at) || g == load<u32>(at, 4);
  }
  if (!hasRoCompat(em, RO_COMPAT_SPARSE_SUPER) || g == 1) return true;
  return isPower(g, 3) || isPower(g, 5) || isPower(g, 7);
}

/** The block that holds descriptors [i * em_dpb, …): behind the superblock, or with meta_bg at its
 *  own group's beginning. */
export function groupDescBlock(em: Ext4Mount, i: u32): u64 {
  if (!hasIncompat(em, INCOMPAT_META_BG) || i < load<u32>(<usize>em.em_sb + SB_FIRST_META_BG)) {
    return em.em_sbblock + 1 + i;
  }
  const g = i << em.em_dpbshift;
  return groupFirst(em, g) + (groupHasSuper(em, g) ? 1 : 0);
}
