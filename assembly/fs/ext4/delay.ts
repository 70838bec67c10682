/**
 * Delayed allocation: a write into a hole is promised blocks, and gets them when its pages are written back,
 * whole runs at a time. What was promised is counted, so that the disk is full at write(2) and not later.
 *
 *     pg_private of a file's page     bits 0 … 7    sectors that are dirty (vfs/dirty.ts)
 *                                          8 … 15   sectors whose block is promised
 *                                         16 … 23   sectors being written (putpages.ts)
 *
 * D1. A promised block is a hole in the map, and its page is dirty, or about to be by the call that asked.
 * D2. ei_reserved counts promised blocks; they are in va_blocks. ei_metares are for the nodes of the map that
 *     they may need. Both are in em_reserved.
 *
 * Locks: ei_lock.
 */
import { Fscache, fscacheNextPage } from '../../vfs/fscache';
import { fscacheClean } from '../../vfs/dirty';
import { privateAnd, VmPage } from '../../vm/page';
import { ext4Reserve, ext4Unreserve } from './balloc';
import { nodeRoom } from './extents';
import { hasExtents } from './map';
import { blocksAdd, mapDirty } from './mapmeta';
import { Ext4Inode, Ext4Mount } from './types';

export const PP_DIRTY: u32 = 0xff;
export const PP_DELAY_SHIFT: u32 = 8;
export const PP_WRITE_SHIFT: u32 = 16;

/** The sectors of block b of a page. */
// @ts-ignore: decorator
@inline
export function blockSectors(em: Ext4Mount, b: u32): u32 {
  const n: u32 = em.em_bsize >> 9;
  return ((<u32>1 << n) - 1) << (b * n);
}

// @ts-ignore: decorator
@inline
export function delayedOf(pg: VmPage): u32 {
  return (pg.pg_private >> PP_DELAY_SHIFT) & PP_DIRTY;
}

/** A node of a block map for another part of the file: up to three. */
const MAP_NODES: u32 = 3;

/** Promise n blocks from lblk on: 0 or -ENOSPC. */
export function delayPromise(em: Ext4Mount, ei: Ext4Inode, lblk: u32, n: u32): i32 {
  let meta: u32 = 0;
  let leaf = ei.ei_fresh;
  if (hasExtents(ei)) {
    const target: u32 = 1 + (ei.ei_reserved + n) / nodeRoom(em);
    meta = target > ei.ei_metares ? target - ei.ei_metares : 0;
  } else {
    leaf = (lblk >> (em.em_bshift - 2)) + 1;
    if (leaf != ei.ei_fresh) meta = MAP_NODES;
  }
  const e = ext4Reserve(em, n + meta);
  if (e != 0) return e;
  ei.ei_fresh = leaf;
  ei.ei_reserved += n;
  ei.ei_metares += meta;
  blocksAdd(em, ei, n);
  return 0;
}

/** n promised blocks were taken (`used`), or are not wanted any more. */
export function delayDone(em: Ext4Mount, ei: Ext4Inode, n: u32, used: bool): void {
  if (n > ei.ei_reserved) n = ei.ei_reserved;
  ei.ei_reserved -= n;
  let all = n;
  if (ei.ei_reserved == 0) {
    all += ei.ei_metares;
    ei.ei_metares = 0;
    ei.ei_fresh = 0;
  }
  if (all != 0) ext4Unreserve(em, all);
  if (!used) blocksAdd(em, ei, -(<i64>n));
  // i_blocks counts them from now on, also where they only made an extent of a leaf longer
  else mapDirty(ei);
}

/** What a page was promised is taken back. */
export function delayDrop(em: Ext4Mount, ei: Ext4Inode, pg: VmPage): void {
  const n = <u32>popcnt<u32>(delayedOf(pg)) / (em.em_bsize >> 9);
  if (n == 0) return;
  privateAnd(pg, ~(PP_DIRTY << PP_DELAY_SHIFT));
  delayDone(em, ei, n, false);
}

/** The same for some sectors of it (whole blocks). They need not be written. */
export function delayDropSectors(em: Ext4Mount, ei: Ext4Inode, pg: VmPage, sectors: u32): void {
  const n = <u32>popcnt<u32>(delayedOf(pg) & sectors) / (em.em_bsize >> 9);
  privateAnd(pg, ~((sectors << PP_DELAY_SHIFT) | sectors));
  if (n != 0) delayDone(em, ei, n, false);
  if ((pg.pg_private & PP_DIRTY) == 0) fscacheClean(ei.ei_vnode.v_fc, pg);
}

/** The same for all pages from `from` on, below `to`; they need not be written. */
export function delayDropRange(em: Ext4Mount, ei: Ext4Inode, from: u32, to: u32): void {
  const fc: Fscache = ei.ei_vnode.v_fc;
  while (true) {
    const pg = fscacheNextPage(fc, from);
    if (changetype<usize>(pg) == 0 || pg.pg_index >= to) return;
    delayDrop(em, ei, pg);
    fscacheClean(fc, pg);
    from = pg.pg_index + 1;
    if (from == 0) return;
  }
}
