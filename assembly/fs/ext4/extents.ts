/**
 * Extent trees (ifork.rst, "Extent Tree"): a file's map from its blocks to the disk's. This file reads them:
 * nodes are checked, the way down to a block is found. extmod.ts changes them.
 *
 *     i_block (60 bytes)        a node block
 *     ┌ header ┬ 4 entries ┐    ┌ header ┬ entries …                ┬ checksum ┐
 *     └────────┴───────────┘    └────────┴──────────────────────────┴──────────┘
 *
 * A header's depth is 0 where the entries are extents, else they are indices of nodes one less deep. The root
 * is in the in-core inode (ei_block) and reaches the disk with it; the other nodes are metadata blocks.
 *
 * T1. Entries of a node are in order and do not overlap; what is below an index begins at its ei_block or
 *     behind, and ends before the next index.
 * T2. No node but the root is empty. A root without entries has depth 0.
 * T3. What is read is not believed: the header of each node on the way is checked each time, its checksum and
 *     the order of its entries when its page has come from the disk since (PG_EXTOK), the entry used each time.
 *
 * The way down is an ExtPath in the CPU's scratch: one at a time, between extFind and extRelease, under the
 * inode's lock.
 */
import { EUCLEAN } from '../../abi/errno';
import {
  EE_BLOCK,
  EE_LEN,
  EE_SIZE,
  EE_START_HI,
  EE_START_LO,
  EH_DEPTH,
  EH_ENTRIES,
  EH_MAGIC,
  EH_MAX,
  EH_SIZE,
  EI_BLOCK,
  EI_LEAF_HI,
  EI_LEAF_LO,
  EXT4_EXT_MAGIC,
  EXT4_EXT_MAX_DEPTH,
  EXT_INIT_MAX_LEN,
  I_BLOCK_SIZE,
} from '../../abi/ext4';
import { kassert } from '../../kern/panic';
import { pageFlag, pageOf, pageUnflag } from '../../vm/page';
import { scratchMap } from '../../vfs/scratch';
import { crc32c } from './crc';
import { PATH_BYTES } from './mapmeta';
import { ext4Bread, ext4Brelse, ext4BufError } from './txn';
import {
  blockInRange,
  EI_ROOTOK,
  eiMark,
  Ext4Inode,
  Ext4Mount,
  hasCsum,
  MapResult,
  MR_HOLE,
  MR_UNWRITTEN,
} from './types';

/** A node on the way down. */
@unmanaged
export class ExtLevel {
  lv_block: u64; // where it is on the disk; 0: the root, in the inode
  lv_node: u32; //  its bytes
  lv_pos: i32; //   the last entry that begins at or before the block sought; -1: none
}

@unmanaged
export class ExtPath {
  ep_depth: u32; // of the root: the leaf is level ep_depth
  ep_held: u32; //  levels that are held: 0 when the path is in no use
  // then ExtLevel[EXT4_EXT_MAX_DEPTH + 1]
}

const PATH_LEVELS: usize = offsetof<ExtPath>();
const LEVEL_SIZE: usize = offsetof<ExtLevel>();
const EXTPATH_SIZE: usize = PATH_LEVELS + <usize>(EXT4_EXT_MAX_DEPTH + 1) * LEVEL_SIZE;
if (LEVEL_SIZE != 16 || EXTPATH_SIZE > PATH_BYTES) ERROR('ExtLevel');

/** An extent cannot be longer; an unwritten one is one block shorter (ee_len says so by its size). */
export const UNWRITTEN_MAX: u32 = EXT_INIT_MAX_LEN - 1;

// ── fields of nodes ──────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function ehEntries(n: usize): u32 {
  return <u32>load<u16>(n + EH_ENTRIES);
}
// @ts-ignore: decorator
@inline
export function ehSetEntries(n: usize, count: u32): void {
  store<u16>(n + EH_ENTRIES, <u16>count);
}
// @ts-ignore: decorator
@inline
export function ehMax(n: usize): u32 {
  return <u32>load<u16>(n + EH_MAX);
}
// @ts-ignore: decorator
@inline
export function ehDepth(n: usize): u32 {
  return <u32>load<u16>(n + EH_DEPTH);
}
/** The entry's address. */
// @ts-ignore: decorator
@inline
export function ehAt(n: usize, i: u32): usize {
  return n + EH_SIZE + <usize>i * EE_SIZE;
}
// @ts-ignore: decorator
@inline
export function eeBlock(e: usize): u32 {
  return load<u32>(e + EE_BLOCK);
}
// @ts-ignore: decorator
@inline
export function eeUnwritten(e: usize): bool {
  return <u32>load<u16>(e + EE_LEN) > EXT_INIT_MAX_LEN;
}
/** Blocks, without the mark of unwritten ones. */
// @ts-ignore: decorator
@inline
export function eeLen(e: usize): u32 {
  const l = <u32>load<u16>(e + EE_LEN);
  return l > EXT_INIT_MAX_LEN ? l - EXT_INIT_MAX_LEN : l;
}
/** The block behind it in the file: one more than 32 bits hold. */
// @ts-ignore: decorator
@inline
export function eeEnd(e: usize): u64 {
  return <u64>eeBlock(e) + eeLen(e);
}
// @ts-ignore: decorator
@inline
export function eeStart(e: usize): u64 {
  return <u64>load<u32>(e + EE_START_LO) | (<u64>load<u16>(e + EE_START_HI) << 32);
}
// @ts-ignore: decorator
@inline
export function eiLeaf(e: usize): u64 {
  return <u64>load<u32>(e + EI_LEAF_LO) | (<u64>load<u16>(e + EI_LEAF_HI) << 32);
}

// @ts-ignore: decorator
@inline
export function eeSetLen(e: usize, len: u32, unwritten: bool): void {
  store<u16>(e + EE_LEN, <u16>(unwritten ? len + EXT_INIT_MAX_LEN : len));
}
// @ts-ignore: decorator
@inline
export function eeSetStart(e: usize, pblk: u64): void {
  store<u32>(e + EE_START_LO, <u32>pblk);
  store<u16>(e + EE_START_HI, <u16>(pblk >> 32));
}
export function eeSet(e: usize, lblk: u32, len: u32, pblk: u64, unwritten: bool): void {
  store<u32>(e + EE_BLOCK, lblk);
  eeSetLen(e, len, unwritten);
  eeSetStart(e, pblk);
}
export function eiSet(e: usize, lblk: u32, pblk: u64): void {
  store<u32>(e + EI_BLOCK, lblk);
  store<u32>(e + EI_LEAF_LO, <u32>pblk);
  store<u32>(e + EI_LEAF_HI, <u32>(pblk >> 32) & 0xffff);
}

/** Entries that a node block has room for. */
// @ts-ignore: decorator
@inline
export function nodeRoom(em: Ext4Mount): u32 {
  return (em.em_bsize - EH_SIZE) / EE_SIZE;
}
export const ROOT_ROOM: u32 = (I_BLOCK_SIZE - EH_SIZE) / EE_SIZE;

/** A header for a node without entries. */
export function ehInit(n: usize, max: u32, depth: u32): void {
  store<u16>(n + EH_MAGIC, <u16>EXT4_EXT_MAGIC);
  store<u16>(n + EH_ENTRIES, 0);
  store<u16>(n + EH_MAX, <u16>max);
  store<u16>(n + EH_DEPTH, <u16>depth);
  store<u32>(n, 0, 8);
}

/** The checksum of a node block: over the header and all entries there is room for. */
export function nodeChecksum(ei: Ext4Inode, n: usize): u32 {
  return crc32c(ei.ei_csumseed, n, EH_SIZE + ehMax(n) * EE_SIZE);
}
// @ts-ignore: decorator
@inline
export function nodeChecksumAt(n: usize): usize {
  return ehAt(n, ehMax(n));
}

// ── the path ─────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function extPath(): ExtPath {
  return changetype<ExtPath>(scratchMap());
}
// @ts-ignore: decorator
@inline
export function extLevel(p: ExtPath, i: u32): ExtLevel {
  return changetype<ExtLevel>(changetype<usize>(p) + PATH_LEVELS + <usize>i * LEVEL_SIZE);
}

/** Let go of what the path holds. */
export function extRelease(p: ExtPath): void {
  for (let i: u32 = 1; i < p.ep_held; i++) ext4Brelse(<usize>extLevel(p, i).lv_node);
  p.ep_held = 0;
}

/** T3: what must hold for any of a node's bytes to be used. */
function headerOk(n: usize, depth: u32, room: u32): bool {
  return (
    <u32>load<u16>(n + EH_MAGIC) == EXT4_EXT_MAGIC &&
    ehDepth(n) == depth &&
    ehMax(n) != 0 &&
    ehMax(n) <= room &&
    ehEntries(n) <= ehMax(n) &&
    (depth == 0 || ehEntries(n) != 0)
  );
}

/** T1 for a whole node whose entries lie in [lo, hi). */
function entriesOk(em: Ext4Mount, n: usize, lo: u64, hi: u64): bool {
  const count = ehEntries(n);
  const leaf = ehDepth(n) == 0;
  for (let i: u32 = 0; i < count; i++) {
    const e = ehAt(n, i);
    if (<u64>eeBlock(e) < lo) return false;
    if (leaf) {
      if (!extentOk(em, e)) return false;
      lo = eeEnd(e);
    } else {
      if (!blockInRange(em, eiLeaf(e), 1)) return false;
      lo = <u64>eeBlock(e) + 1;
    }
    if (lo > hi) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
function extentOk(em: Ext4Mount, e: usize): bool {
  return eeLen(e) != 0 && eeEnd(e) <= <u64>1 << 32 && blockInRange(em, eeStart(e), eeLen(e));
}

/** PG_EXTOK: this block of the page was found to be a good node since it came from the disk. One bit for each KiB. */
const PG_EXTOK_SHIFT: u32 = 16;
// @ts-ignore: decorator
@inline
function okBit(n: usize): u32 {
  return (<u32>1 << PG_EXTOK_SHIFT) << ((<u32>n >> 10) & 3);
}
/** A node made here needs no check. */
export function nodeMarkGood(n: usize): void {
  const pg = pageOf(n);
  pageFlag(pg, okBit(n));
}
/** The block is a node no more. */
export function nodeForget(n: usize): void {
  const pg = pageOf(n);
  pageUnflag(pg, okBit(n));
}

function nodeOk(em: Ext4Mount, ei: Ext4Inode, n: usize, depth: u32, lo: u64, hi: u64): bool {
  if (!headerOk(n, depth, nodeRoom(em))) return false;
  if (pageOf(n).pg_flags & okBit(n)) return true;
  if (hasCsum(em) && load<u32>(nodeChecksumAt(n)) != nodeChecksum(ei, n)) return false;
  if (!entriesOk(em, n, lo, hi)) return false;
  nodeMarkGood(n);
  return true;
}

/** The last entry that begins at or before lblk, or -1. */
function search(n: usize, lblk: u32): i32 {
  let lo: i32 = 0;
  let hi = <i32>ehEntries(n);
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (eeBlock(ehAt(n, mid)) <= lblk) lo = mid + 1;
    else hi = mid;
  }
  return lo - 1;
}

/**
 * The way down to lblk, held until extRelease: 0, or an error with nothing held. Inode's lock held. In the leaf
 * lv_pos is the extent that holds lblk or the last one before it there.
 */
export function extFind(em: Ext4Mount, ei: Ext4Inode, lblk: u32): i32 {
  const p = extPath();
  if (DEBUG) kassert(p.ep_held == 0, 'extent path in use');
  let n = ei.ei_block;
  const depth = ehDepth(n);
  if (depth > EXT4_EXT_MAX_DEPTH || !headerOk(n, depth, ROOT_ROOM)) return -EUCLEAN;
  if ((ei.ei_state & EI_ROOTOK) == 0) {
    if (!entriesOk(em, n, 0, <u64>1 << 32)) return -EUCLEAN;
    eiMark(ei, EI_ROOTOK);
  }
  p.ep_depth = depth;
  let hi: u64 = <u64>1 << 32;
  let block: u64 = 0;
  for (let i: u32 = 0; ; i++) {
    const lv = extLevel(p, i);
    lv.lv_node = <u32>n;
    lv.lv_block = block;
    lv.lv_pos = search(n, lblk);
    p.ep_held = i + 1;
    if (i == depth) return leafOk(em, p, lv);
    if (lv.lv_pos < 0) lv.lv_pos = 0;
    const e = ehAt(n, lv.lv_pos);
    if (<u32>lv.lv_pos + 1 < ehEntries(n)) hi = eeBlock(ehAt(n, lv.lv_pos + 1));
    const lo = <u64>eeBlock(e);
    block = eiLeaf(e);
    let error = -EUCLEAN;
    n = 0;
    if (blockInRange(em, block, 1)) {
      n = ext4Bread(em, block);
      if (n == 0) error = ext4BufError();
      else if (!nodeOk(em, ei, n, depth - i - 1, lo, hi)) {
        ext4Brelse(n);
        n = 0;
      }
    }
    if (n != 0) continue;
    extRelease(p);
    return error;
  }
}

/** The entries next to the place are what callers use. */
function leafOk(em: Ext4Mount, p: ExtPath, lv: ExtLevel): i32 {
  const n = <usize>lv.lv_node;
  const here = lv.lv_pos < 0 || extentOk(em, ehAt(n, lv.lv_pos));
  const next = <u32>(lv.lv_pos + 1);
  if (here && (next >= ehEntries(n) || extentOk(em, ehAt(n, next)))) return 0;
  extRelease(p);
  return -EUCLEAN;
}

/** Where what is behind the path's place begins: the next extent's block, or the next index's. */
export function extNext(p: ExtPath): u64 {
  for (let i = <i32>p.ep_depth; i >= 0; i--) {
    const lv = extLevel(p, i);
    const next = <u32>(lv.lv_pos + 1);
    if (next < ehEntries(lv.lv_node)) return eeBlock(ehAt(lv.lv_node, next));
  }
  return <u64>1 << 32;
}

/** Map lblk: what it is and how far that goes on, in the whole tree. Inode's lock held. */
export function extLookup(em: Ext4Mount, ei: Ext4Inode, lblk: u32, out: MapResult): i32 {
  const e = extFind(em, ei, lblk);
  if (e != 0) return e;
  const p = extPath();
  const lv = extLevel(p, p.ep_depth);
  const x: usize = lv.lv_pos < 0 ? <usize>0 : ehAt(lv.lv_node, lv.lv_pos);
  if (x != 0 && <u64>lblk < eeEnd(x)) {
    const into = lblk - eeBlock(x);
    out.m_pblk = eeStart(x) + into;
    out.m_len = eeLen(x) - into;
    out.m_flags = eeUnwritten(x) ? MR_UNWRITTEN : 0;
  } else {
    const len = extNext(p) - lblk;
    out.m_pblk = 0;
    out.m_len = len > u32.MAX_VALUE ? u32.MAX_VALUE : <u32>len;
    out.m_flags = MR_HOLE;
  }
  extRelease(p);
  return 0;
}
