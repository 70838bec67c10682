/**
 * Regular files: writing and sizes. The bytes go through the page cache (vfs/fscache.ts, getpages.ts, putpages.ts);
 * fallocate, fsync and lseek are in falloc.ts and sync.ts.
 *
 * S1. fc_size is what programs see; ei_disksize what the disk says. The second follows the first when the data
 *     is on the disk (putpages.ts), or at once where there is no data to wait for.
 * S2. Bytes of the last block behind the size are zero in RAM; on the disk they may be anything, so a file that
 *     grows over them has its page in RAM, and dirty, first (tailZero).
 */
import { EFBIG, EINVAL, EISDIR, ENOSPC } from '../../abi/errno';
import { S_IFDIR, S_IFREG } from '../../abi/flags';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { Ucred } from '../../proc/cred';
import { curproc } from '../../proc/proc';
import { IO_APPEND } from '../../vfs/defaults';
import { fscacheDirty, sectorsOf } from '../../vfs/dirty';
import {
  attrBegin,
  attrEnd,
  Fscache,
  fscachePage,
  fscacheSetSize,
  fscacheTouch,
  fscacheWrite,
  GP_WRITE,
  gpSectors,
} from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { uioLimitFsize } from '../../vfs/limits';
import { vfs_sync } from '../../vfs/mount';
import { RANGE_END, rangeExclusive, rangeRelease } from '../../vfs/rangelock';
import { Vnode } from '../../vfs/vnode';
import { vop_getpages, vop_putpages } from '../../vfs/vop';
import { VmPage } from '../../vm/page';
import { Uio } from '../../vm/uio';
import { ballocWaits } from './balloc';
import { ext4FlushForget, ext4FlushSoon } from './da';
import { delayDropRange, delayDropSectors, delayedOf } from './delay';
import { inlineToBlocks, isInline } from './inline';
import { hasExtents, mapLocked, mapStore } from './map';
import { fileResult, mapDirty } from './mapmeta';
import { ext4Truncate, ext4TruncateReady } from './truncate';
import { CREDITS_INODE, ext4Begin, ext4End } from './txn';
import {
  EI_CUT,
  eiUnmark,
  eiLock,
  eiOf,
  eiMark,
  eiUnlock,
  emOf,
  Ext4Inode,
  Ext4Mount,
  MR_HOLE,
  MR_UNWRITTEN,
} from './types';
import { windowClose } from './window';

/** Bytes that a file may have. */
// @ts-ignore: decorator
@inline
export function sizeLimit(em: Ext4Mount, ei: Ext4Inode): u64 {
  return hasExtents(ei) || isInline(ei) ? em.em_maxext : em.em_maxmap;
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────

export function ext4Write(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  if (vp.v_type == S_IFDIR) return -EISDIR;
  const em = emOf(fm.fm_mount);
  const want = uio.uio_resid;
  let e = writeOnce(em, vp, uio, ioflag);
  if (e != -ENOSPC || (em.em_reserved == 0 && !ballocWaits(em))) return e;
  // what was promised too generously, or freed and not committed, comes back by this
  vfs_sync(fm.fm_mount);
  e = writeOnce(em, vp, uio, ioflag);
  // a caller reports a short write if anything was moved
  return e == -ENOSPC && uio.uio_resid != want ? 0 : e;
}

function writeOnce(em: Ext4Mount, vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const fc = vp.v_fc;
  const ei = eiOf(vp);
  // a write that may grow the file excludes everybody behind its start
  const grows = (ioflag & IO_APPEND) != 0 || <u64>uio.uio_off + uio.uio_resid > fc.fc_size || isInline(ei);
  const start = ioflag & IO_APPEND || isInline(ei) ? 0 : <u64>uio.uio_off;
  rangeExclusive(fc, start, grows ? RANGE_END : start + uio.uio_resid);
  if (ioflag & IO_APPEND) uio.uio_off = <i64>fc.fc_size;
  const want = uio.uio_resid;
  let e: i32 = want == 0 ? 0 : inlineToBlocks(em, vp);
  if (e == 0 && want != 0) e = writeCut(em, vp, uio);
  if (uio.uio_resid != want) fscacheTouch(fc);
  rangeRelease(fc);
  return e;
}

/** As far as limits let it. */
function writeCut(em: Ext4Mount, vp: Vnode, uio: Uio): i32 {
  const fc = vp.v_fc;
  const cut = uioLimitFsize(uio, curproc());
  if (cut < 0) return cut;
  const limit = sizeLimit(em, eiOf(vp));
  const off = <u64>uio.uio_off;
  let over: u32 = 0;
  let e: i32 = 0;
  if (off >= limit) e = -EFBIG;
  else {
    if (off + uio.uio_resid > limit) over = <u32>(off + uio.uio_resid - limit);
    uio.uio_resid -= over;
    if (off > fc.fc_size) e = tailZero(em, vp);
    if (e == 0) e = fscacheWrite(fc, uio);
    uio.uio_resid += over;
  }
  uio.uio_resid += <u32>cut;
  return e;
}

/** S2: the file is about to grow. */
function tailZero(em: Ext4Mount, vp: Vnode): i32 {
  const fc = vp.v_fc;
  const at = <u32>fc.fc_size & (em.em_bsize - 1);
  if (at == 0) return 0;
  return pageTouch(em, vp, fc.fc_size, em.em_bsize - at);
}

/** The size is about to be on the disk before any data is: what is zeroed behind the old one must be there first. A
 *  block that is only promised is a hole there, and so zeros. */
export function tailWrite(em: Ext4Mount, vp: Vnode): i32 {
  const fc = vp.v_fc;
  const at = <u32>fc.fc_size & (em.em_bsize - 1);
  if (at == 0) return 0;
  const index = <u32>(fc.fc_size >> PAGE_SHIFT);
  const pg = fscachePage(fc, index);
  if (changetype<usize>(pg) == 0) return 0;
  const mask = sectorsOf(<u32>fc.fc_size & (PAGE_SIZE - 1), em.em_bsize - at);
  if ((pg.pg_private & mask) == 0 || (delayedOf(pg) & mask) != 0) return 0;
  return vop_putpages(fc.fc_fm, fc, index, 1, 0);
}

/** The page at `off` is in RAM, and dirty there if the block has data: [off, off + len) lies in one block. */
export function pageTouch(em: Ext4Mount, vp: Vnode, off: u64, len: u32): i32 {
  const fc = vp.v_fc;
  const ei = eiOf(vp);
  const index = <u32>(off >> PAGE_SHIFT);
  const mask = sectorsOf(<u32>off & (PAGE_SIZE - 1), len);
  let pg = fscachePage(fc, index);
  if (changetype<usize>(pg) == 0 || (pg.pg_private & mask) != mask) {
    const m = fileResult();
    eiLock(ei);
    let e = mapLocked(em, ei, <u32>(off >> em.em_bshift), 1, m);
    eiUnlock(ei);
    if (e != 0) return e;
    if (m.m_flags & (MR_HOLE | MR_UNWRITTEN)) return 0;
    e = vop_getpages(fc.fc_fm, fc, index, 1, GP_WRITE | gpSectors(mask));
    if (e != 0) return e;
    pg = fscachePage(fc, index);
    fscacheDirty(fc, pg, mask);
  }
  return 0;
}

// ── size ─────────────────────────────────────────────────────────────────────────────────────

/** truncate(2): 0 or an errno. No lock of RANK_RANGE or above held, no handle. */
export function ext4SetSize(em: Ext4Mount, vp: Vnode, size: u64): i32 {
  const fc = vp.v_fc;
  if (vp.v_type == S_IFDIR) return -EISDIR;
  if (vp.v_type != S_IFREG) return -EINVAL;
  if (size > sizeLimit(em, eiOf(vp))) return -EFBIG;
  rangeExclusive(fc, 0, RANGE_END);
  let e = inlineToBlocks(em, vp);
  if (e == 0) e = size > fc.fc_size ? growTo(em, vp, size) : cutTo(em, vp, size);
  if (e == 0) fscacheTouch(fc);
  rangeRelease(fc);
  return e;
}

export function sizeSet(fc: Fscache, size: u64): void {
  attrBegin(fc);
  fc.fc_attr.va_size = size;
  attrEnd(fc);
}

function growTo(em: Ext4Mount, vp: Vnode, size: u64): i32 {
  let e = tailZero(em, vp);
  if (e == 0) e = tailWrite(em, vp);
  if (e == 0) e = ext4Begin(em, CREDITS_INODE);
  if (e != 0) return e;
  const ei = eiOf(vp);
  sizeSet(vp.v_fc, size);
  ei.ei_disksize = size;
  mapDirty(ei);
  e = mapStore(em, vp, true);
  ext4End(em);
  return e;
}

function cutTo(em: Ext4Mount, vp: Vnode, size: u64): i32 {
  const fc = vp.v_fc;
  const ei = eiOf(vp);
  const at = <u32>size & (em.em_bsize - 1);
  // the last block's rest becomes zeros, on the disk too
  if (at != 0 && size < fc.fc_size) {
    const e = pageTouch(em, vp, size, em.em_bsize - at);
    if (e != 0) return e;
  }
  const e = ext4TruncateReady(em, vp, size);
  if (e != 0) return e;
  const nothing = size == 0 && fc.fc_size != 0;
  eiLock(ei);
  dropBehind(em, vp, size);
  eiUnlock(ei);
  if (fc.fc_ndirty == 0) ext4FlushForget(em, ei);
  if (nothing) eiMark(ei, EI_CUT);
  return ext4Truncate(em, vp, size);
}

/** Pages behind the size go, and what they were promised. ei_lock held. */
function dropBehind(em: Ext4Mount, vp: Vnode, size: u64): void {
  const fc = vp.v_fc;
  const keep = <u32>((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
  delayDropRange(em, eiOf(vp), keep, u32.MAX_VALUE);
  const pg = keep != 0 ? fscachePage(fc, keep - 1) : changetype<VmPage>(<usize>0);
  if (changetype<usize>(pg) != 0 && (<u32>size & (PAGE_SIZE - 1)) != 0) tailDrop(em, eiOf(vp), pg, <u32>size & (PAGE_SIZE - 1));
  fscacheSetSize(fc, size);
}

/** Blocks of the last page that lie wholly behind the size. */
function tailDrop(em: Ext4Mount, ei: Ext4Inode, pg: VmPage, at: u32): void {
  const from = (at + em.em_bsize - 1) & ~(em.em_bsize - 1);
  if (from < PAGE_SIZE) delayDropSectors(em, ei, pg, sectorsOf(from, PAGE_SIZE - from));
}

/** VOP_CLOSE: what a file was kept ready for is not to come. */
export function ext4FileClosed(em: Ext4Mount, vp: Vnode): void {
  if (vp.v_type != S_IFREG) return;
  const ei = eiOf(vp);
  windowClose(em, ei);
  if ((ei.ei_state & EI_CUT) == 0) return;
  eiUnmark(ei, EI_CUT);
  ext4FlushSoon(em, vp);
}

/** VOP_RECLAIM: nothing of the file is promised, kept or to be flushed any more. */
export function ext4FileGone(em: Ext4Mount, vp: Vnode): void {
  const ei = eiOf(vp);
  if (vp.v_type != S_IFREG) return;
  windowClose(em, ei);
  ext4FlushForget(em, ei);
  // Nobody else has it. What memory is taken from has no dirty pages, and no lock may be taken then.
  if (vp.v_fc.fc_ndirty == 0 && ei.ei_reserved == 0) return;
  eiLock(ei);
  delayDropRange(em, ei, 0, u32.MAX_VALUE);
  eiUnlock(ei);
}
