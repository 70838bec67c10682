/**
 * What block maps of both kinds need: blocks for their own nodes, the count of a file's blocks, and the extent
 * found last.
 *
 * The count (va_blocks, in units of 512 bytes) is right at any time: blocks that delayed data has been promised
 * are in it from the write on, and taken out of it when i_blocks is stored (inode.ts).
 */
import { EXT4_JOURNAL_DATA_FL } from '../../abi/ext4';
import { S_IFREG } from '../../abi/flags';
import { add32 } from '../../kern/lock';
import { ballocFree, ballocTake } from './balloc';
import { ext4Error } from './error';
import { ext4Forget } from './txn';
import {
  blockInRange,
  EI_MAPDIRTY,
  eiMark,
  Ext4Inode,
  Ext4Mount,
  MapResult,
  MO_JOURNAL,
  MR_HOLE,
  MR_UNWRITTEN,
} from './types';
import { Fscache } from '../../vfs/fscache';
import { scratchMap, scratchWord } from '../../vfs/scratch';

/** i_block or i_blocks changed: to be stored before the handle ends (mapStore). */
// @ts-ignore: decorator
@inline
export function mapDirty(ei: Ext4Inode): void {
  eiMark(ei, EI_MAPDIRTY);
}

/** The file has n blocks more (less, if negative). */
// @ts-ignore: decorator
@inline
export function blocksAdd(em: Ext4Mount, ei: Ext4Inode, n: i64): void {
  sectorsAdd(ei, n << (em.em_bshift - 9));
}

/** The same for units of 512 bytes. */
export function sectorsAdd(ei: Ext4Inode, n: i64): void {
  const fc = ei.ei_vnode.v_fc;
  const seq = changetype<usize>(fc) + offsetof<Fscache>('fc_attrseq');
  if (SMP) add32(seq, 1);
  const had = <i64>fc.fc_attr.va_blocks;
  const now = had + n;
  fc.fc_attr.va_blocks = now < 0 ? 0 : <u64>now;
  if (SMP) add32(seq, 1);
}

/** The group that an inode's blocks begin in. */
// @ts-ignore: decorator
@inline
export function homeGroup(em: Ext4Mount, ei: Ext4Inode): u32 {
  return (ei.ei_ino - 1) / em.em_ipg;
}

/** A block for a node of the map, near `goal`: 0 and its number at out, or an errno. */
export function nodeTake(em: Ext4Mount, ei: Ext4Inode, goal: u64, out: usize): i32 {
  const r = ballocTake(em, goal, homeGroup(em, ei), 1, out);
  if (r < 0) return r;
  blocksAdd(em, ei, 1);
  mapDirty(ei);
  return 0;
}

/** A node's block is free again; what is in RAM of it means nothing. The caller has let its buffer go. */
export function nodeFree(em: Ext4Mount, ei: Ext4Inode, block: u64): void {
  ext4Forget(em, block);
  // an error has been said: the block is lost, the file goes on without it
  ballocFree(em, block, 1);
  blocksAdd(em, ei, -1);
  mapDirty(ei);
}

/** Do the inode's blocks go through the journal, as a directory's do? */
// @ts-ignore: decorator
@inline
export function dataIsMeta(em: Ext4Mount, ei: Ext4Inode): bool {
  return ei.ei_vnode.v_type != S_IFREG || (em.em_opts & MO_JOURNAL) != 0 || (ei.ei_flags & EXT4_JOURNAL_DATA_FL) != 0;
}

/** Blocks that were taken out of the map are free. What is wrong with them has been said when this returns. */
export function dataFree(em: Ext4Mount, ei: Ext4Inode, pblk: u64, n: u32): void {
  if (dataIsMeta(em, ei) && blockInRange(em, pblk, n)) for (let i: u32 = 0; i < n; i++) ext4Forget(em, pblk + i);
  ballocFree(em, pblk, n);
  blocksAdd(em, ei, -(<i64>n));
  mapDirty(ei);
}

/** The map of this inode is wrong. */
export function mapBad(em: Ext4Mount, ei: Ext4Inode, block: u64): i32 {
  return ext4Error(em, 'block map', ei.ei_ino, block);
}

// ── the extent found last: ei_un0 block, ei_un1 length, ei_un2 and ei_un3 place and state ────
// A length of 0 is none. It may be a hole. Under ei_lock.

const FOUND_HOLE: u32 = 1 << 31;
const FOUND_UNWRITTEN: u32 = 1 << 30;

// @ts-ignore: decorator
@inline
export function foundForget(ei: Ext4Inode): void {
  ei.ei_un1 = 0;
}

export function foundSet(ei: Ext4Inode, lblk: u32, m: MapResult): void {
  ei.ei_un0 = lblk;
  ei.ei_un1 = m.m_len;
  ei.ei_un2 = <u32>m.m_pblk;
  ei.ei_un3 =
    (<u32>(m.m_pblk >> 32) & 0xffff) |
    (m.m_flags & MR_HOLE ? FOUND_HOLE : 0) |
    (m.m_flags & MR_UNWRITTEN ? FOUND_UNWRITTEN : 0);
}

export function foundGet(ei: Ext4Inode, lblk: u32, m: MapResult): bool {
  const into = lblk - ei.ei_un0;
  if (lblk < ei.ei_un0 || into >= ei.ei_un1) return false;
  const state = ei.ei_un3;
  m.m_len = ei.ei_un1 - into;
  m.m_pblk = 0;
  if (state & FOUND_HOLE) m.m_flags = MR_HOLE;
  else {
    m.m_pblk = (<u64>ei.ei_un2 | (<u64>(state & 0xffff) << 32)) + into;
    m.m_flags = state & FOUND_UNWRITTEN ? MR_UNWRITTEN : 0;
  }
  return true;
}

/** Words for out-parameters of block numbers, of a file system's four. */
// @ts-ignore: decorator
@inline
export function nodeWord(): usize {
  return scratchWord(4);
}
// @ts-ignore: decorator
@inline
export function dataWord(): usize {
  return scratchWord(5);
}

/** Is it a block that a node of a map may be in? */
// @ts-ignore: decorator
@inline
export function nodeInRange(em: Ext4Mount, block: u64): bool {
  return blockInRange(em, block, 1);
}

// What the CPU's map scratch holds behind the path: results of lookups, then a request (fileio.ts).
export const PATH_BYTES: usize = 112;
/** For goals. */
// @ts-ignore: decorator
@inline
export function goalResult(): MapResult {
  return changetype<MapResult>(scratchMap() + PATH_BYTES);
}
/** For the file's code: getpages, putpages and what they call. */
// @ts-ignore: decorator
@inline
export function fileResult(): MapResult {
  return changetype<MapResult>(scratchMap() + PATH_BYTES + offsetof<MapResult>());
}
export const SCRATCH_IO: usize = PATH_BYTES + 2 * offsetof<MapResult>();
