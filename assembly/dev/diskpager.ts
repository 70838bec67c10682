/**
 * The pager of Disks: the internal mount whose Fsmanage brings pages of a Disk's Fscache in and
 * writes them back.
 *
 * Pages join the index when their bytes are there, so nobody meets one that is being read. Reads go
 * ahead of a sequential reader, by more pages each time, with frames that are free or clean; writes
 * take all dirty neighbours in one request. The last page of a Disk may be short: behind its end are
 * zeros, which are never written.
 *
 * No lock is held over a request (vfs/bio.ts): a page that is being written is held, so that it stays,
 * and clean, so that what is stored into it meanwhile makes it dirty again (vfs/dirty.ts, D5).
 */
import { BIO_FL_FUA, BIO_OP_READ, BIO_OP_WRITE, BIO_SEG_MAX } from '../abi/disk';
import { EINVAL, EIO, ENOMEM } from '../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/layout';
import { bb, roots } from '../kern/boot';
import { Ucred } from '../proc/cred';
import { Bio, bioAdd, bioFree } from '../vfs/bio';
import { dirtyRotate, dirtyRunStart, fscacheClean, fscacheDirty, fscacheError, SECTORS_ALL, sectorsBelow } from '../vfs/dirty';
import {
  Fscache,
  fscacheAddFrame,
  fscacheAddPage,
  fscacheDropRange,
  fscachePage,
  GP_FREE,
  GP_FUA,
  GP_SECTORS,
  GP_WHOLE,
  GP_WRITE,
  gpMask,
} from '../vfs/fscache';
import { Fsmanage } from '../vfs/fsmanage';
import { Mount, mountAlloc, mountFree, MNTF_INTERNAL, Vfsconf, VFCF_NODEV, vfsFind, vfsRegister } from '../vfs/mount';
import { scratchWord } from '../vfs/scratch';
import { setVopGetpages, setVopPutpages } from '../vfs/vop';
import { litCopy } from '../kern/text';
import {
  ALLOC_NOIO,
  PG_BUSY,
  PG_DIRTY,
  PG_FILE,
  PG_VALID,
  PG_WIRED,
  pageAddr,
  pageAlloc,
  pageFree,
  pageHold,
  pageRelease,
  VmPage,
} from '../vm/page';
import { Disk, diskBio, diskDo, diskIo, diskOf } from './disk';

const BDEVFS_MAGIC: u32 = 0x62646576; // Linux's number for its own internal mount of block devices
/** The longest read and write, in pages. */
const CLUSTER_PAGES: u32 = BIO_SEG_MAX;
const WINDOW_MIN: u32 = 4;

function bdevMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  return -EINVAL;
}

export function diskPagerInit(): void {
  vfsRegister('bdev', bdevMount, VFCF_NODEV, BDEVFS_MAGIC);
}

/** The internal mount, made when it is first asked for; null: no memory. */
export function diskPager(): Mount {
  const r = roots();
  if (r.r_diskmount != 0) return changetype<Mount>(<usize>r.r_diskmount);
  const name = scratchWord(9);
  const conf: Vfsconf = vfsFind(name, litCopy('bdev', name));
  const mp = mountAlloc(conf, MNTF_INTERNAL);
  if (changetype<usize>(mp) == 0) return mp;
  setVopGetpages(mp.mnt_norm, diskGetpages);
  setVopPutpages(mp.mnt_norm, diskPutpages);
  r.r_diskmount = <u32>changetype<usize>(mp);
  return mp;
}

/** Shutdown, when there are no Disks any more. */
export function diskPagerShutdown(): void {
  if (roots().r_diskmount == 0) return;
  mountFree(changetype<Mount>(<usize>roots().r_diskmount));
  roots().r_diskmount = 0;
}

/** Bytes of the Disk in this page: PAGE_SIZE, less in the last one, 0 behind it. */
// @ts-ignore: decorator
@inline
function bytesIn(dk: Disk, index: u32): u32 {
  const at = <u64>index << PAGE_SHIFT;
  if (at >= dk.dk_size) return 0;
  const left = dk.dk_size - at;
  return left < PAGE_SIZE ? <u32>left : PAGE_SIZE;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

function diskGetpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  const dk = diskOf(fc);
  if (changetype<usize>(fscachePage(fc, index)) != 0) return 0;
  if (bytesIn(dk, index) == 0) return -EIO;
  if ((flags & (GP_WRITE | GP_WHOLE)) == (GP_WRITE | GP_WHOLE)) return fscacheAddPage(fc, index, flags);
  const want = flags & GP_WRITE ? 1 : readahead(fc, index, count);
  const e = readRun(dk, index, want);
  // what was read ahead may be what cannot be read
  return e == -EIO && want > 1 ? readRun(dk, index, 1) : e;
}

/** How many pages to read at a miss; notes where a sequential reader will miss next. */
function readahead(fc: Fscache, index: u32, count: u32): u32 {
  let window: u32 = 1;
  if (index == fc.fc_raindex && index != 0) {
    window = fc.fc_rawindow * 2;
    if (window < WINDOW_MIN) window = WINDOW_MIN;
    if (window > CLUSTER_PAGES) window = CLUSTER_PAGES;
  }
  fc.fc_rawindow = window;
  if (window < count) window = count < CLUSTER_PAGES ? count : CLUSTER_PAGES;
  fc.fc_raindex = index + window;
  return window;
}

/** A frame for the i-th page of a read: the first must be had, the others are made of what is free or clean. */
function frameFor(i: u32): VmPage {
  const r = roots();
  if (i != 0 && bb().bb_frames_free + r.r_nclean < r.r_lowwater + 2 * CLUSTER_PAGES) return changetype<VmPage>(<usize>0);
  return pageAlloc(ALLOC_NOIO, PG_FILE | PG_VALID);
}

/** Read up to `want` pages that are not cached, from `index` on: 0 or an errno, if not even the first came. */
function readRun(dk: Disk, index: u32, want: u32): i32 {
  const fc = dk.dk_fc;
  const bio = diskBio(dk, BIO_OP_READ, <u64>index << PAGE_SHIFT);
  if (changetype<usize>(bio) == 0) return -ENOMEM;
  // the frames, linked by pg_next in order
  let head: usize = 0;
  let last: usize = 0;
  for (let i: u32 = 0; i < want; i++) {
    const n = bytesIn(dk, index + i);
    if (n == 0 || changetype<usize>(fscachePage(fc, index + i)) != 0) break;
    const pg = frameFor(i);
    if (changetype<usize>(pg) == 0) break;
    if (n < PAGE_SIZE) memory.fill(pageAddr(pg) + n, 0, PAGE_SIZE - n);
    bioAdd(bio, pageAddr(pg), n);
    pg.pg_next = 0;
    if (last == 0) head = changetype<usize>(pg);
    else changetype<VmPage>(last).pg_next = <u32>changetype<usize>(pg);
    last = changetype<usize>(pg);
  }
  let e = diskDoOr(dk, bio, head);
  for (let i = index; head != 0; i++) {
    const pg = changetype<VmPage>(head);
    head = <usize>pg.pg_next;
    pg.pg_next = 0;
    const f = e != 0 ? e : changetype<usize>(fscachePage(fc, i)) != 0 ? -EIO : fscacheAddFrame(fc, i, pg);
    if (f != 0) pageFree(pg);
    if (i == index && f != 0 && changetype<usize>(fscachePage(fc, i)) == 0) e = f;
  }
  return e;
}

/** Do the request, if there are frames for it. */
function diskDoOr(dk: Disk, bio: Bio, head: usize): i32 {
  if (head != 0) return diskDo(dk, bio);
  bioFree(bio);
  return -ENOMEM;
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────

function diskPutpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  const dk = diskOf(fc);
  const end = count > u32.MAX_VALUE - index ? u32.MAX_VALUE : index + count;
  if (flags & GP_SECTORS) return writeSectors(dk, index, gpMask(flags), flags & GP_FUA ? BIO_FL_FUA : 0);
  if (flags & GP_FREE) {
    fscacheDropRange(fc, index, end);
    return 0;
  }
  let error: i32 = 0;
  // each turn writes the oldest dirty page or sends it to the end, so this many turns see them all
  let left = fc.fc_ndirty;
  while (left != 0 && fc.fc_dirty != 0) {
    const pg = changetype<VmPage>(<usize>fc.fc_dirty);
    left--;
    if (pg.pg_index < index || pg.pg_index >= end || (pg.pg_flags & (PG_WIRED | PG_BUSY)) != 0) {
      dirtyRotate(fc, pg);
      continue;
    }
    const room = pg.pg_index - index < CLUSTER_PAGES ? pg.pg_index - index : CLUSTER_PAGES - 1;
    const before = fc.fc_ndirty;
    const e = writeFrom(dk, dirtyRunStart(fc, pg, room), end);
    if (e != 0) {
      // for want of memory nothing is lost yet: it is tried again
      if (e != -ENOMEM) fscacheError(fc, e);
      if (error == 0) error = e;
    }
    const done = before - fc.fc_ndirty;
    if (done > 1) left = left > done - 1 ? left - (done - 1) : 0;
  }
  return error;
}

/** Which sectors of a page a write of all of it has. */
// @ts-ignore: decorator
@inline
function allOf(dk: Disk, index: u32): u32 {
  return sectorsBelow(bytesIn(dk, index));
}

/** What is dirty of a page, widened to the disk's own sectors. */
function dirtyOf(dk: Disk, pg: VmPage): u32 {
  const mask = pg.pg_epoch & SECTORS_ALL;
  return dk.dk_sector == PAGE_SIZE && mask != 0 ? allOf(dk, pg.pg_index) : mask;
}

// @ts-ignore: decorator
@inline
function isWritable(pg: VmPage): bool {
  return (pg.pg_flags & (PG_DIRTY | PG_WIRED | PG_BUSY)) == PG_DIRTY;
}

/** Write a dirty page and its dirty neighbours behind it, as far as they are dirty whole. */
function writeFrom(dk: Disk, first: VmPage, end: u32): i32 {
  const fc = dk.dk_fc;
  const index = first.pg_index;
  const mask = dirtyOf(dk, first);
  if (mask != allOf(dk, index)) {
    fscacheClean(fc, first);
    const e = writeSectors(dk, index, mask, 0);
    if (e != 0) fscacheDirty(fc, first, mask);
    return e;
  }
  const bio = diskBio(dk, BIO_OP_WRITE, <u64>index << PAGE_SHIFT);
  if (changetype<usize>(bio) == 0) {
    dirtyRotate(fc, first);
    return -ENOMEM;
  }
  let n: u32 = 0;
  for (let pg = first; n < CLUSTER_PAGES; pg = fscachePage(fc, index + n)) {
    if (changetype<usize>(pg) == 0 || pg.pg_index >= end || !isWritable(pg)) break;
    if (dirtyOf(dk, pg) != allOf(dk, pg.pg_index) || !bioAdd(bio, pageAddr(pg), bytesIn(dk, pg.pg_index))) break;
    fscacheClean(fc, pg);
    pageHold(pg);
    n++;
  }
  const e = diskDo(dk, bio);
  for (let i: u32 = 0; i < n; i++) {
    const pg = fscachePage(fc, index + i);
    pageRelease(pg);
    if (e != 0) fscacheDirty(fc, pg, allOf(dk, index + i));
  }
  return e;
}

/** Write these sectors of a cached page, a request for each run of them: 0 or the first errno. */
function writeSectors(dk: Disk, index: u32, mask: u32, flags: u32): i32 {
  const pg = fscachePage(dk.dk_fc, index);
  if (changetype<usize>(pg) == 0) return -EIO;
  if (dk.dk_sector == PAGE_SIZE) mask = SECTORS_ALL;
  mask &= allOf(dk, index);
  pageHold(pg);
  let e: i32 = 0;
  for (let from: u32 = 0; e == 0 && mask >> from != 0; ) {
    from += <u32>ctz<u32>(mask >> from);
    let to = from;
    while ((mask >> to) & 1) to++;
    const at = from << 9;
    e = diskIo(dk, BIO_OP_WRITE, (<u64>index << PAGE_SHIFT) + at, pageAddr(pg) + at, (to - from) << 9, flags);
    from = to;
  }
  pageRelease(pg);
  return e;
}
