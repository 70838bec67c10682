/**
 * fallocate(2): blocks for what will be written, holes, ranges of zeros. Blocks are unwritten, so that they read as
 * zeros without being so; a file with a block map knows no such thing, and has holes only.
 *
 * What is delayed in the range is written first: then the map says all there is to know.
 */
import { EFBIG, EISDIR, ENODEV, ENOSPC, EOPNOTSUPP } from '../../abi/errno';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  S_IFDIR,
  S_IFREG,
} from '../../abi/flags';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { Fscache, fscachePunch, fscacheTouch } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { vfs_sync } from '../../vfs/mount';
import { RANGE_END, rangeExclusive, rangeRelease } from '../../vfs/rangelock';
import { Vnode } from '../../vfs/vnode';
import { vop_putpages } from '../../vfs/vop';
import { ballocWaits } from './balloc';
import { pageTouch, sizeLimit, sizeSet, tailWrite } from './file';
import { inlineToBlocks } from './inline';
import { ext4Map, hasExtents, mapStore } from './map';
import { fileResult, mapDirty } from './mapmeta';
import { blocksOf, ext4PunchRange } from './truncate';
import { CREDITS_INODE, CREDITS_MAP, ext4Begin, ext4End, ext4Extend } from './txn';
import { eiLock, Ext4Mount, eiOf, eiUnlock, emOf, MAP_CREATE, MAP_UNWRITTEN } from './types';

export function ext4Allocate(fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64): i32 {
  if (vp.v_type != S_IFREG) return vp.v_type == S_IFDIR ? -EISDIR : -ENODEV;
  const em = emOf(fm.fm_mount);
  const ei = eiOf(vp);
  const begin = <u64>off;
  const end = begin + <u64>len;
  // a hole may be behind all that a block map can name, but its blocks are to have numbers
  if (end > (mode & FALLOC_FL_PUNCH_HOLE ? em.em_maxext : sizeLimit(em, ei))) return -EFBIG;
  const fc = vp.v_fc;
  rangeExclusive(fc, 0, RANGE_END);
  let e = inlineToBlocks(em, vp);
  if (e == 0 && (mode & FALLOC_FL_PUNCH_HOLE) == 0 && !hasExtents(ei)) e = -EOPNOTSUPP;
  if (e == 0) e = writeRange(fc, begin, end);
  if (e == 0 && mode & FALLOC_FL_PUNCH_HOLE) e = punch(em, vp, begin, holeEnd(em, fc, end));
  if (e == 0 && mode & FALLOC_FL_ZERO_RANGE) e = punch(em, vp, begin, end);
  if (e == 0 && (mode & FALLOC_FL_PUNCH_HOLE) == 0) {
    e = preallocate(em, vp, begin, end);
    if (e == -ENOSPC && ballocWaits(em)) {
      vfs_sync(fm.fm_mount);
      e = preallocate(em, vp, begin, end);
    }
    if (e == 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0 && end > fc.fc_size) e = sizeTo(em, vp, end);
  }
  if (e == 0) fscacheTouch(fc);
  rangeRelease(fc);
  return e;
}

function writeRange(fc: Fscache, begin: u64, end: u64): i32 {
  if (fc.fc_ndirty == 0) return 0;
  const first = <u32>(begin >> PAGE_SHIFT);
  return vop_putpages(fc.fc_fm, fc, first, <u32>((end + PAGE_SIZE - 1) >> PAGE_SHIFT) - first, 0);
}

/** A hole that reaches past the file's end takes the block that it ends in whole: there is nothing behind it. */
function holeEnd(em: Ext4Mount, fc: Fscache, end: u64): u64 {
  const low = <u64>em.em_bsize - 1;
  const last = (fc.fc_size + low) & ~low;
  return end > fc.fc_size && end < last ? last : end;
}

/** Zeros in [begin, end): blocks that lie in it whole are freed, the rest of others is overwritten. */
function punch(em: Ext4Mount, vp: Vnode, begin: u64, end: u64): i32 {
  const fc = vp.v_fc;
  const ei = eiOf(vp);
  const low = <u64>em.em_bsize - 1;
  let e = edge(em, vp, begin, end);
  if (e == 0 && (end & low) != 0 && end >> em.em_bshift != begin >> em.em_bshift) e = edge(em, vp, end & ~low, end);
  if (e != 0) return e;
  const from = (begin + low) >> em.em_bshift;
  const to = end >> em.em_bshift;
  eiLock(ei);
  fscachePunch(fc, begin, end - begin);
  eiUnlock(ei);
  return from < to ? ext4PunchRange(em, vp, <u32>from, to) : 0;
}

/** The block that `begin` is in the middle of, or that ends behind `end`: its page is in RAM and dirty. */
function edge(em: Ext4Mount, vp: Vnode, begin: u64, end: u64): i32 {
  const low = <u64>em.em_bsize - 1;
  const block = begin & ~low;
  if (begin == block && end >= block + em.em_bsize) return 0;
  if (block >= vp.v_fc.fc_size) return 0;
  const stop = end < block + em.em_bsize ? end : block + em.em_bsize;
  return pageTouch(em, vp, begin, <u32>(stop - begin));
}

/** Unwritten blocks for the holes of [begin, end), in as many handles as it takes. */
function preallocate(em: Ext4Mount, vp: Vnode, begin: u64, end: u64): i32 {
  let lblk = <u32>(begin >> em.em_bshift);
  const stop = blocksOf(em, end);
  const m = fileResult();
  while (lblk < stop) {
    let e = ext4Begin(em, CREDITS_MAP + CREDITS_INODE);
    if (e != 0) return e;
    do {
      e = ext4Map(em, vp, lblk, stop - lblk, MAP_CREATE | MAP_UNWRITTEN, m);
      if (e == 0) lblk += m.m_len;
    } while (e == 0 && lblk < stop && ext4Extend(em, CREDITS_MAP) == 0);
    const s = mapStore(em, vp, false);
    ext4End(em);
    if (e != 0 || s != 0) return e != 0 ? e : s;
  }
  return 0;
}

function sizeTo(em: Ext4Mount, vp: Vnode, size: u64): i32 {
  const at = <u32>vp.v_fc.fc_size & (em.em_bsize - 1);
  let e = at != 0 ? pageTouch(em, vp, vp.v_fc.fc_size, em.em_bsize - at) : 0;
  if (e == 0) e = tailWrite(em, vp);
  if (e == 0) e = ext4Begin(em, CREDITS_INODE);
  if (e != 0) return e;
  sizeSet(vp.v_fc, size);
  eiOf(vp).ei_disksize = size;
  mapDirty(eiOf(vp));
  e = mapStore(em, vp, true);
  ext4End(em);
  return e;
}
