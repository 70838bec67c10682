/**
 * VOP_GETPAGES of regular files: reading pages in, and making room for what is about to be written.
 *
 * Reads go ahead of a sequential reader, by more pages each time. Blocks that lie behind each other on the disk
 * come in one request, whatever pages they belong to. A page joins the file's index when it is filled, so nobody
 * meets one that is being read.
 *
 * R1. Bytes behind the end of the file are zero in RAM, whatever is on the disk (X2 of vfs/fscache.ts).
 * R2. ei_lock is held from the lookup to the joining: what the map says meanwhile stays true.
 */
import { BIO_OP_READ } from '../../abi/disk';
import { EIO, ENOMEM } from '../../abi/errno';
import { EXT4_INLINE_DATA_FL } from '../../abi/ext4';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { bb, roots } from '../../kern/boot';
import {
  Fscache,
  fscacheAddFrame,
  fscacheAddPage,
  fscacheDropPage,
  fscachePage,
  GP_HOLE,
  GP_WHOLE,
  GP_WRITE,
  gpMask,
} from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { ALLOC_NOIO, ALLOC_NOWAIT, PG_FILE, PG_VALID, pageAddr, pageAlloc, pageFree, pageHold, pageRelease, privateOr, VmPage } from '../../vm/page';
import { blockSectors, delayDone, delayPromise, PP_DELAY_SHIFT } from './delay';
import { ioAdd, ioBegin, ioEnd } from './fileio';
import { inlineRead } from './inline';
import { mapLocked } from './map';
import { fileResult } from './mapmeta';
import { eiLock, Ext4Inode, Ext4Mount, eiUnlock, emOf, MR_HOLE, MR_UNWRITTEN } from './types';

/** The longest read-ahead, in pages, and the first one. */
const WINDOW_MAX: u32 = 128;
const WINDOW_MIN: u32 = 8;
/** A file of no more pages is read whole at once. */
const SMALL_PAGES: u32 = 16;
/** Frames that read-ahead leaves to others. */
const SPARE_FRAMES: u32 = 64;

/** fc_data of a file's Fscache is its Ext4Inode. */
// @ts-ignore: decorator
@inline
export function inodeOfFc(fc: Fscache): Ext4Inode {
  return changetype<Ext4Inode>(<usize>fc.fc_data);
}

export function ext4Getpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  const em = emOf(fm.fm_mount);
  const ei = inodeOfFc(fc);
  eiLock(ei);
  const e = flags & GP_WRITE ? forWrite(em, ei, fc, index, flags) : forRead(em, ei, fc, index, count);
  eiUnlock(ei);
  return e;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

function forRead(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, index: u32, count: u32): i32 {
  if (changetype<usize>(fscachePage(fc, index)) != 0) return 0;
  const want = readahead(fc, index, count);
  const e = readRun(em, ei, fc, index, want);
  // what was read ahead may be what cannot be read
  return e < 0 && e != -ENOMEM && want > 1 ? readRun(em, ei, fc, index, 1) : e;
}

/** How many pages to read at a miss; notes where a sequential reader misses next. */
function readahead(fc: Fscache, index: u32, count: u32): u32 {
  let window: u32 = 1;
  const pages = pagesOf(fc);
  if (pages <= SMALL_PAGES) window = SMALL_PAGES;
  else if (index == fc.fc_raindex) {
    window = fc.fc_rawindow * 2;
    if (window < WINDOW_MIN) window = WINDOW_MIN;
    if (window > WINDOW_MAX) window = WINDOW_MAX;
  }
  fc.fc_rawindow = window;
  if (window < count) window = count < WINDOW_MAX ? count : WINDOW_MAX;
  fc.fc_raindex = index + window;
  return window;
}

/** Pages that have bytes of the file. */
// @ts-ignore: decorator
@inline
function pagesOf(fc: Fscache): u32 {
  return <u32>((fc.fc_size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

/** A frame for the i-th page of a read: the first must be had, the others only if nobody misses them. */
function frameFor(i: u32): VmPage {
  if (i != 0 && bb().bb_frames_free < roots().r_lowwater + SPARE_FRAMES) return changetype<VmPage>(<usize>0);
  return pageAlloc(i == 0 ? ALLOC_NOIO : ALLOC_NOWAIT, PG_FILE | PG_VALID);
}

/**
 * Read up to `want` pages from `index` on, until one is cached or has no data: 0; GP_HOLE: the first has none; or an
 * errno, and none was read.
 */
function readRun(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, index: u32, want: u32): i32 {
  const pages = pagesOf(fc);
  if (index >= pages) return GP_HOLE;
  if (ei.ei_flags & EXT4_INLINE_DATA_FL) return readInline(em, ei, fc, index);
  if (want > pages - index) want = pages - index;
  // the frames, linked by pg_next in order
  let head: usize = 0;
  let last: usize = 0;
  let error: i32 = 0;
  ioBegin(em, ei, BIO_OP_READ);
  for (let i: u32 = 0; i < want && error == 0; i++) {
    if (changetype<usize>(fscachePage(fc, index + i)) != 0) break;
    const state = pageState(em, ei, index + i);
    if (state != 0) {
      if (i == 0) error = state;
      break;
    }
    const pg = frameFor(i);
    if (changetype<usize>(pg) == 0) {
      if (i == 0) error = -ENOMEM;
      break;
    }
    pg.pg_next = 0;
    if (last == 0) head = changetype<usize>(pg);
    else changetype<VmPage>(last).pg_next = <u32>changetype<usize>(pg);
    last = changetype<usize>(pg);
    error = readPage(em, ei, index + i, pageAddr(pg));
  }
  const e = ioEnd(em);
  return joinAll(fc, index, head, error != 0 ? error : e);
}

/** Has a page any data on the disk? 0: it has; GP_HOLE; or an errno. */
function pageState(em: Ext4Mount, ei: Ext4Inode, index: u32): i32 {
  const bpp: u32 = PAGE_SIZE >> em.em_bshift;
  const m = fileResult();
  let b: u32 = 0;
  while (b < bpp) {
    const lblk = blockOf(em, index) + b;
    if (lblk >= <u64>u32.MAX_VALUE) break;
    const e = mapLocked(em, ei, <u32>lblk, bpp - b, m);
    if (e != 0) return e;
    if ((m.m_flags & (MR_HOLE | MR_UNWRITTEN)) == 0) return 0;
    b += m.m_len;
  }
  return GP_HOLE;
}

// @ts-ignore: decorator
@inline
export function blockOf(em: Ext4Mount, index: u32): u64 {
  return <u64>index << (PAGE_SHIFT - em.em_bshift);
}

/** Ask for a page's blocks; what has none is zeros. */
function readPage(em: Ext4Mount, ei: Ext4Inode, index: u32, addr: usize): i32 {
  const bpp: u32 = PAGE_SIZE >> em.em_bshift;
  const m = fileResult();
  let b: u32 = 0;
  while (b < bpp) {
    const lblk = blockOf(em, index) + b;
    const at = addr + (<usize>b << em.em_bshift);
    let e: i32 = 0;
    if (lblk < <u64>u32.MAX_VALUE) e = mapLocked(em, ei, <u32>lblk, bpp - b, m);
    else {
      m.m_flags = MR_HOLE;
      m.m_len = bpp - b;
    }
    if (e != 0) return e;
    if (m.m_flags & (MR_HOLE | MR_UNWRITTEN)) memory.fill(at, 0, m.m_len << em.em_bshift);
    else ioAdd(em, m.m_pblk, at, m.m_len);
    b += m.m_len;
  }
  return 0;
}

/** The frames join the index, or are freed: 0 or an errno. */
function joinAll(fc: Fscache, index: u32, head: usize, e: i32): i32 {
  const size = fc.fc_size;
  for (let i = index; head != 0; i++) {
    const pg = changetype<VmPage>(head);
    head = <usize>pg.pg_next;
    pg.pg_next = 0;
    // one that was cached meanwhile is the better
    let f = e;
    if (f == 0) {
      const begin = <u64>i << PAGE_SHIFT;
      if (begin + PAGE_SIZE > size) {
        const keep = size > begin ? <u32>(size - begin) : 0;
        memory.fill(pageAddr(pg) + keep, 0, PAGE_SIZE - keep);
      }
      f = fscacheAddFrame(fc, i, pg);
    }
    if (f != 0) pageFree(pg);
    if (i == index && e == 0) e = f;
    // of what was read ahead nothing must be had
    else if (f == -ENOMEM && i != index && e == f) e = 0;
  }
  return e;
}

function readInline(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, index: u32): i32 {
  if (index != 0) return GP_HOLE;
  const e = fscacheAddPage(fc, index, 0);
  if (e != 0) return e;
  const pg = fscachePage(fc, index);
  pageHold(pg);
  const r = inlineRead(em, ei, pageAddr(pg), fc.fc_size < PAGE_SIZE ? <u32>fc.fc_size : PAGE_SIZE);
  pageRelease(pg);
  if (r >= 0) return 0;
  // a page in the cache is what the file says: this one is not
  fscacheDropPage(fc, pg);
  return r;
}

// ── before a write ───────────────────────────────────────────────────────────────────────────

/** The sectors of gpMask(flags) will be written: blocks for them, and the page with what stays of it. */
function forWrite(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, index: u32, flags: u32): i32 {
  if (ei.ei_flags & EXT4_INLINE_DATA_FL) return -EIO;
  const mask = gpMask(flags);
  let pg = fscachePage(fc, index);
  const had = changetype<usize>(pg) != 0;
  if (had) pageHold(pg);
  let fresh = freshSectors(em, ei, index, mask, had ? pg.pg_private : 0);
  if (had) pageRelease(pg);
  if (fresh < 0) return fresh;
  const n = <u32>popcnt<u32>(<u32>fresh) / (em.em_bsize >> 9);
  if (n != 0) {
    const e = delayPromise(em, ei, <u32>blockOf(em, index), n);
    if (e != 0) return e;
  }
  if (!had) {
    let e: i32 = flags & GP_WHOLE ? GP_HOLE : readRun(em, ei, fc, index, 1);
    if (e == GP_HOLE) e = fscacheAddPage(fc, index, flags & GP_WHOLE);
    if (e != 0) {
      if (n != 0) delayDone(em, ei, n, false);
      return e;
    }
    pg = fscachePage(fc, index);
  }
  privateOr(pg, <u32>fresh << PP_DELAY_SHIFT);
  return 0;
}

/** Of the sectors to be written those whose block is a hole that nothing was promised for; or an errno. */
function freshSectors(em: Ext4Mount, ei: Ext4Inode, index: u32, mask: u32, have: u32): i32 {
  const bpp: u32 = PAGE_SIZE >> em.em_bshift;
  const m = fileResult();
  let fresh: u32 = 0;
  for (let b: u32 = 0; b < bpp; b++) {
    const sectors = blockSectors(em, b);
    if ((mask & sectors) == 0 || ((have | (have >> PP_DELAY_SHIFT)) & sectors) != 0) continue;
    const e = mapLocked(em, ei, <u32>blockOf(em, index) + b, 1, m);
    if (e != 0) return e;
    if (m.m_flags & MR_HOLE) fresh |= sectors;
  }
  return fresh;
}
