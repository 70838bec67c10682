/**
 * VOP_PUTPAGES of regular files: dirty pages go to the disk, and promised blocks are taken for them.
 *
 * Neighbouring dirty pages are a run. It is written in pieces, each of them blocks in a row on the disk:
 *
 *     blocks that are there        written
 *     unwritten ones               written, then converted
 *     holes (delayed)              taken from the bitmaps, written, then entered into the map
 *
 * P1. Data is on its way before the map or i_size says that it is there, and all of that is one handle: a
 *     transaction commits only when no handle is open, and the FLUSH before its commit block takes the data
 *     along. So no crash shows what was in the blocks before, whatever data= says.
 * P2. A page is made clean, and its sectors noted as being written, before the write is issued; what was not
 *     written is dirty again afterwards. It is held meanwhile.
 * P3. A run that changes no map and no size starts no handle.
 *
 * Locks: a handle, then ei_lock, for the time of a run. Truncation drops pages under ei_lock too.
 */
import { BIO_OP_WRITE } from '../../abi/disk';
import { EAGAIN, ENOSPC } from '../../abi/errno';
import { PAGE_SHIFT } from '../../abi/layout';
import { curcpu } from '../../kern/cpu';
import { dirtyRotate, dirtyRunStart, fscacheClean, fscacheDirty, fscacheError } from '../../vfs/dirty';
import { Fscache, fscachePage, GP_FREE } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { PG_BUSY, PG_DIRTY, PG_WIRED, pageAddr, pageHold, pageRelease, privateAnd, privateOr, VmPage } from '../../vm/page';
import { ballocWaits, baOf } from './balloc';
import { ext4FlushForget } from './da';
import { blockSectors, delayDone, delayDropRange, delayedOf, PP_DELAY_SHIFT, PP_DIRTY, PP_WRITE_SHIFT } from './delay';
import { ioAdd, ioBegin, ioEnd } from './fileio';
import { blockOf, inodeOfFc } from './getpages';
import { ext4Commit } from './journal';
import { convertLocked, giveBack, insertLocked, mapLocked, mapStore, takeLocked } from './map';
import { dataIsMeta, dataWord, fileResult } from './mapmeta';
import { CREDITS_INODE, CREDITS_MAP, ext4Begin, ext4End, ext4Extend } from './txn';
import { eiLock, Ext4Inode, Ext4Mount, eiUnlock, emOf, MAP_RESERVED, MR_HOLE, MR_UNWRITTEN } from './types';

/** The longest run, in pages; and one whose data the journal takes. */
const RUN_PAGES: u32 = 2048;
const RUN_PAGES_META: u32 = 32;

export function ext4Putpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  const em = emOf(fm.fm_mount);
  const ei = inodeOfFc(fc);
  const end = count > u32.MAX_VALUE - index ? u32.MAX_VALUE : index + count;
  if (flags & GP_FREE) {
    eiLock(ei);
    delayDropRange(em, ei, index, end);
    eiUnlock(ei);
    return 0;
  }
  let error: i32 = 0;
  let retried = false;
  // each turn writes the oldest dirty page or sends it to the end, so this many turns see them all
  let left = fc.fc_ndirty;
  while (left != 0 && fc.fc_dirty != 0) {
    const pg = changetype<VmPage>(<usize>fc.fc_dirty);
    left--;
    if (pg.pg_index < index || pg.pg_index >= end || !isWritable(pg)) {
      dirtyRotate(fc, pg);
      continue;
    }
    const before = fc.fc_ndirty;
    const back = pg.pg_index - index < RUN_PAGES ? pg.pg_index - index : RUN_PAGES - 1;
    const first = dirtyRunStart(fc, pg, back).pg_index;
    let e = writeRun(em, ei, fc, first, end, needsHandle(em, ei, fc, first));
    if (e == -EAGAIN) e = writeRun(em, ei, fc, first, end, true);
    if (e == -ENOSPC && !retried && em.em_jn != 0 && ballocWaits(em) && baOf(em).ba_incommit != curcpu.c_id + 1) {
      // blocks that were freed are free for all once their transaction has committed
      retried = true;
      left++;
      if (ext4Commit(em) == 0) continue;
    }
    if (e != 0) {
      fscacheError(fc, e);
      if (error == 0) error = e;
      if (fc.fc_dirty == <u32>changetype<usize>(pg)) dirtyRotate(fc, pg);
    }
    const done = before > fc.fc_ndirty ? before - fc.fc_ndirty : 0;
    if (done > 1) left = left > done - 1 ? left - (done - 1) : 0;
  }
  // what another CPU has made clean is on its way under that lock: then it has arrived
  if (SMP) {
    eiLock(ei);
    eiUnlock(ei);
  }
  // what a commit was to wait for is done
  if (fc.fc_ndirty == 0) ext4FlushForget(em, ei);
  return error;
}

// @ts-ignore: decorator
@inline
function isWritable(pg: VmPage): bool {
  return (pg.pg_flags & (PG_DIRTY | PG_WIRED | PG_BUSY)) == PG_DIRTY;
}

// ── a run of pages ───────────────────────────────────────────────────────────────────────────

/** Write the run of dirty pages that begins at `first`, as far as `end`: 0 or an errno. -EAGAIN: it needs a handle. */
function writeRun(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, first: u32, end: u32, handle: bool): i32 {
  const most = dataIsMeta(em, ei) ? RUN_PAGES_META : RUN_PAGES;
  if (handle) {
    const e = ext4Begin(em, credits(em, ei));
    if (e != 0) return e;
  }
  eiLock(ei);
  const n = collect(fc, first, end - first < most ? end - first : most);
  let e: i32 = 0;
  let at = blockOf(em, first);
  const stop = blockOf(em, first + n);
  let pieces: u32 = 0;
  while (at < stop && e == 0) {
    if (handle && pieces++ != 0) e = ext4Extend(em, credits(em, ei));
    if (e == 0) e = writePiece(em, ei, fc, at, stop, handle);
    if (e > 0) {
      at += e;
      e = 0;
    }
  }
  if (handle) {
    // a map that got a node and then no blocks is stored too
    const grown = at != blockOf(em, first) && sizeGrows(em, ei, fc, at);
    const s = mapStore(em, ei.ei_vnode, grown);
    if (e == 0) e = s;
  }
  letGo(fc, first, n);
  eiUnlock(ei);
  if (handle) ext4End(em);
  // the journal has no room for the rest in this handle: it is dirty still
  return e == -EAGAIN && handle ? 0 : e;
}

function credits(em: Ext4Mount, ei: Ext4Inode): u32 {
  return CREDITS_MAP + CREDITS_INODE + (dataIsMeta(em, ei) ? RUN_PAGES_META << (PAGE_SHIFT - em.em_bshift) : 0);
}

/** Does the run at `first` change the map or the size? As far as its first blocks tell: writePiece sees the rest. */
function needsHandle(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, first: u32): bool {
  if (dataIsMeta(em, ei)) return true;
  const end = <u64>fc.fc_size;
  if (ei.ei_disksize < end && ei.ei_disksize < (<u64>first + RUN_PAGES) << PAGE_SHIFT) return true;
  if (ei.ei_reserved != 0) return true;
  const m = fileResult();
  eiLock(ei);
  const e = mapLocked(em, ei, <u32>blockOf(em, first), 1, m);
  eiUnlock(ei);
  return e != 0 || (m.m_flags & (MR_HOLE | MR_UNWRITTEN)) != 0;
}

/** Make the dirty pages from `first` on clean and hold them: how many. What was dirty of them is being written now (P2). */
function collect(fc: Fscache, first: u32, most: u32): u32 {
  let n: u32 = 0;
  while (n < most) {
    const pg = fscachePage(fc, first + n);
    if (changetype<usize>(pg) == 0 || !isWritable(pg)) break;
    pageHold(pg);
    privateOr(pg, fscacheClean(fc, pg) << PP_WRITE_SHIFT);
    n++;
  }
  return n;
}

/** Let the pages go. What was not written is dirty again. */
function letGo(fc: Fscache, first: u32, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const pg = fscachePage(fc, first + i);
    const left = (privateAnd(pg, ~(PP_DIRTY << PP_WRITE_SHIFT)) >> PP_WRITE_SHIFT) & PP_DIRTY;
    pageRelease(pg);
    if (left != 0) fscacheDirty(fc, pg, left);
  }
}

/** i_size follows the data that is on the disk, up to block `at`. True if it moved. */
function sizeGrows(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, at: u64): bool {
  const byte = at << em.em_bshift;
  const size = byte < fc.fc_size ? byte : fc.fc_size;
  if (size <= ei.ei_disksize) return false;
  ei.ei_disksize = size;
  return true;
}

// ── a piece ──────────────────────────────────────────────────────────────────────────────────

/** Is the block being written? */
// @ts-ignore: decorator
@inline
function wanted(em: Ext4Mount, fc: Fscache, at: u64): bool {
  const shift = PAGE_SHIFT - em.em_bshift;
  const pg = fscachePage(fc, <u32>(at >> shift));
  const sectors = blockSectors(em, <u32>at & ((1 << shift) - 1));
  return ((pg.pg_private >> PP_WRITE_SHIFT) & sectors) != 0;
}

/**
 * Write the blocks from `at` on that have one fate: how many are done (those that need not be written count too), or
 * an errno. -EAGAIN: it needs a handle.
 */
function writePiece(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, at: u64, stop: u64, handle: bool): i32 {
  if (at >= <u64>u32.MAX_VALUE) return -ENOSPC;
  if (!wanted(em, fc, at)) {
    let skip: u32 = 1;
    while (at + skip < stop && !wanted(em, fc, at + skip)) skip++;
    return skip;
  }
  const m = fileResult();
  const most = stop - at;
  let e = mapLocked(em, ei, <u32>at, <u32>most, m);
  if (e != 0) return e;
  let n: u32 = 1;
  if (em.em_bshift == PAGE_SHIFT) n = m.m_len;
  else while (n < m.m_len && wanted(em, fc, at + n)) n++;
  const state = m.m_flags;
  const hole = (state & MR_HOLE) != 0;
  if (state != 0 && !handle) return -EAGAIN;
  let pblk = m.m_pblk;
  if (hole) {
    const got = takeLocked(em, ei, <u32>at, n, MAP_RESERVED);
    if (got < 0) return got;
    n = got;
    pblk = load<u64>(dataWord());
  }
  e = writeBlocks(em, ei, fc, at, n, pblk);
  if (hole) {
    const r = e != 0 ? e : insertLocked(em, ei, <u32>at, n, pblk, false);
    const used: u32 = r < 0 ? 0 : <u32>r;
    if (used < n) giveBack(em, pblk + used, n - used);
    if (r < 0) return r;
    n = used;
  } else if (e == 0 && state & MR_UNWRITTEN) e = convertLocked(em, ei, <u32>at, n);
  if (e != 0) return e;
  written(em, ei, fc, at, n);
  return n;
}

/** Issue the write of n blocks from pblk on, out of their pages, and wait. */
function writeBlocks(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, at: u64, n: u32, pblk: u64): i32 {
  const shift = PAGE_SHIFT - em.em_bshift;
  ioBegin(em, ei, BIO_OP_WRITE);
  let i: u32 = 0;
  while (i < n) {
    const b = <u32>(at + i) & ((1 << shift) - 1);
    const room: u32 = (1 << shift) - b;
    const now = n - i < room ? n - i : room;
    const pg = fscachePage(fc, <u32>((at + i) >> shift));
    ioAdd(em, pblk + i, pageAddr(pg) + (<usize>b << em.em_bshift), now);
    i += now;
  }
  return ioEnd(em);
}

/** n blocks from `at` on are where the map says. Promises for them are kept. */
function written(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, at: u64, n: u32): void {
  const shift = PAGE_SHIFT - em.em_bshift;
  let kept: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const pg = fscachePage(fc, <u32>((at + i) >> shift));
    const sectors = blockSectors(em, <u32>(at + i) & ((1 << shift) - 1));
    if (delayedOf(pg) & sectors) kept++;
    privateAnd(pg, ~((sectors << PP_DELAY_SHIFT) | (sectors << PP_WRITE_SHIFT)));
  }
  if (kept != 0) delayDone(em, ei, kept, true);
}

