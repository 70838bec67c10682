/**
 * Write-back: dirty pages and attributes of backed Fscaches (vfs/dirty.ts) go to their disks. There
 * is no process for it: whoever enters the kernel does it, where nothing is locked.
 *
 *     background   more than vm.dirty_background_ratio of RAM is dirty: the next call that enters
 *                  writes the oldest first, until half of that is left; so it does with more files
 *                  than a quarter of the number of frames
 *     writers      at vm.dirty_ratio a write goes on when pages have been written, its own first
 *     age          machine_tick, once a second where disks are attached, or a virtual clock that has
 *                  moved on: what is older than vm.dirty_expire_centisecs; mounts tick (VFS_TICK:
 *                  journals commit)
 *     shortage     entry with too few frames free, after clean pages have been given back
 *     on demand    sync, syncfs, fsync, umount, shutdown, the last close of a disk
 *
 * W1. Pages are written by VOP_PUTPAGES, which takes no range lock: a writer may write pages that it
 *     made dirty itself while it holds its range. It starts its own journal handle; so whoever is in a
 *     handle, or holds a page busy, must not wait for write-back: memory is asked for with ALLOC_NOIO.
 * W2. Attributes are stored by VOP_WRITEATTR, only where nothing at all is locked.
 * W3. Every pass is bounded by what was dirty when it began; a disk that fails everything ends it too.
 * W4. What write-back needs it may take from the reserve (c_writing, vm/page.ts P3).
 * W5. A write that fails leaves its page dirty, and is noted (fscacheError); fsync tells. With too much
 *     dirty that cannot be written, writers get that errno, and nothing else stops.
 */
import { ENOMEM } from '../abi/errno';
import { bb, roots } from '../kern/boot';
import { clockNow } from '../kern/clock';
import { curcpu } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { dirtyListRotateLocked, dirtyLock } from './dirty';
import { FC_ATTRDIRTY, FC_VNODE, Fscache } from './fscache';
import { Mount, mountReal, vfs_tick } from './mount';
import { VNODE_FC, Vnode, vnodePut, vnodeTryRef } from './vnode';
import { vop_putpages, vop_writeattr } from './vop';

const DIRTY_RATIO: u32 = 25;
const BACKGROUND_RATIO: u32 = 10;
const EXPIRE_CENTISECS: u32 = 3000;
const INTERVAL_CENTISECS: u32 = 500;
const NS_PER_CENTISEC: i64 = 10_000_000;

export function writebackInit(): void {
  const r = roots();
  r.r_dirtyratio = DIRTY_RATIO;
  r.r_bgratio = BACKGROUND_RATIO;
  r.r_expirecs = EXPIRE_CENTISECS;
  r.r_intervalcs = INTERVAL_CENTISECS;
  writebackLimits();
}

/** The limits in pages follow from the ratios. */
export function writebackLimits(): void {
  const r = roots();
  r.r_dirtymax = r.r_nframes / 100 * r.r_dirtyratio + 1;
  r.r_dirtybg = r.r_nframes / 100 * r.r_bgratio + 1;
  r.r_dirtynext = r.r_dirtybg;
  r.r_dirtyfcnext = dirtyFilesMax();
}

// ── one Fscache ──────────────────────────────────────────────────────────────────────────────

/** Write all dirty pages of an Fscache: 0, or the errno of a write that failed. */
export function writebackPages(fc: Fscache): i32 {
  if (fc.fc_ndirty == 0) return 0;
  curcpu.c_writing++;
  const e = vop_putpages(fc.fc_fm, fc, 0, u32.MAX_VALUE, 0);
  curcpu.c_writing--;
  return e;
}

/** Its vnode; only if FC_VNODE. */
// @ts-ignore: decorator
@inline
function vnodeOf(fc: Fscache): Vnode {
  return changetype<Vnode>(changetype<usize>(fc) - VNODE_FC);
}

/** Pages and attributes. Nothing is locked; the caller holds the vnode, if it has one. 0 or the first errno. */
export function writebackOne(fc: Fscache): i32 {
  if ((fc.fc_flags & FC_VNODE) == 0) return writebackPages(fc);
  const vp = vnodeOf(fc);
  let e = writebackPages(fc);
  if (fc.fc_flags & FC_ATTRDIRTY) {
    curcpu.c_writing++;
    const f = vop_writeattr(vp.v_fm, vp);
    curcpu.c_writing--;
    if (e == 0) e = f;
  }
  return e;
}

/**
 * The oldest Fscache with something to write, at the end of the list from now on; its vnode, if it has one, referenced: to
 * be let go by oldestDone. null: there is none, or one that is being reclaimed.
 */
function oldest(): Fscache {
  spinLock(dirtyLock());
  let fc = changetype<Fscache>(<usize>roots().r_dirtyhead);
  if (changetype<usize>(fc) != 0) {
    // it is another's turn if something of it stays
    dirtyListRotateLocked(fc);
    if (fc.fc_flags & FC_VNODE && !vnodeTryRef(vnodeOf(fc))) fc = changetype<Fscache>(<usize>0);
  }
  spinUnlock(dirtyLock());
  return fc;
}

function oldestDone(fc: Fscache): void {
  if (fc.fc_flags & FC_VNODE) vnodePut(vnodeOf(fc));
}

// ── passes over all of them ──────────────────────────────────────────────────────────────────

/** Write the oldest until at most `pages` are dirty, and `files` have something to write. Nothing is locked. */
function writebackTo(pages: u32, files: u32): void {
  const r = roots();
  for (let n = r.r_ndirtyfc; n != 0 && r.r_dirtyhead != 0; n--) {
    if (r.r_ndirty <= pages && r.r_ndirtyfc <= files) return;
    const fc = oldest();
    if (changetype<usize>(fc) == 0) continue;
    if (fc.fc_ndirty != 0 || r.r_ndirtyfc > files) writebackOne(fc);
    oldestDone(fc);
  }
}

/** Write what has been dirty for as many seconds. Nothing is locked. */
function writebackAged(age: u32): void {
  const r = roots();
  for (let n = r.r_ndirtyfc; n != 0 && r.r_dirtyhead != 0; n--) {
    const fc = oldest();
    if (changetype<usize>(fc) == 0) continue;
    if (<i64>fc.fc_dirtied + age <= curcpu.c_nowsec) writebackOne(fc);
    oldestDone(fc);
  }
}

/** Write everything of a mount's file system: 0 or the first errno. Nothing is locked. */
export function writebackMount(mp: Mount): i32 {
  const r = roots();
  const real = mountReal(mp);
  let error: i32 = 0;
  for (let n = r.r_ndirtyfc; n != 0 && r.r_dirtyhead != 0; n--) {
    const fc = oldest();
    if (changetype<usize>(fc) == 0) continue;
    if (changetype<usize>(fc.fc_fm.fm_mount) == changetype<usize>(real)) {
      const e = writebackOne(fc);
      if (error == 0) error = e;
    }
    oldestDone(fc);
  }
  return error;
}

// ── who asks ─────────────────────────────────────────────────────────────────────────────────

/** Entry found r_entermark raised: too much is dirty, or a virtual clock says that it is time. */
export function writebackDue(): void {
  const r = roots();
  const most = dirtyFilesMax();
  if (r.r_ndirty >= r.r_dirtynext || r.r_ndirtyfc >= r.r_dirtyfcnext) {
    writebackTo(
      r.r_ndirty >= r.r_dirtynext ? r.r_dirtybg / 2 : u32.MAX_VALUE,
      r.r_ndirtyfc >= r.r_dirtyfcnext ? most / 2 : u32.MAX_VALUE,
    );
    // what could not be written is not tried again at every call
    r.r_dirtynext = larger(r.r_ndirty + r.r_dirtybg / 4, r.r_dirtybg);
    r.r_dirtyfcnext = larger(r.r_ndirtyfc + most / 4, most);
  }
  if (r.r_vclock != 0 && r.r_wbnext != 0 && r.r_vclock_ns >= r.r_wbnext) writebackTick();
}

function larger(a: u32, b: u32): u32 {
  return a > b ? a : b;
}

/** Files with something to write keep their vnodes: so many, a sixteenth of RAM or less. */
function dirtyFilesMax(): u32 {
  return roots().r_nframes / 4 + 1;
}

/** Time has passed: what is old is written, mounts commit. Nothing is locked. */
export function writebackTick(): void {
  const r = roots();
  clockNow();
  if (r.r_dirtyhead != 0) writebackAged(r.r_expirecs / 100);
  for (let p = r.r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) vfs_tick(changetype<Mount>(<usize>p));
  for (let p = r.r_lingering; p != 0; p = changetype<Mount>(<usize>p).mnt_next) vfs_tick(changetype<Mount>(<usize>p));
  r.r_wbnext = r.r_dirtyhead != 0 ? r.r_vclock_ns + <i64>r.r_intervalcs * NS_PER_CENTISEC : 0;
}

/** Entry with too few frames, and clean pages were not enough. True: something was written. */
export function writebackShortage(): bool {
  const r = roots();
  const before = r.r_ndirty;
  if (before == 0) return false;
  writebackTo(before > r.r_lowwater * 2 ? before - r.r_lowwater * 2 : 0, u32.MAX_VALUE);
  return r.r_ndirty < before;
}

/**
 * A writer found r_dirtymax pages dirty. It holds its range, so only pages are written (W1): its own,
 * then others'. 0, or the errno for it: nothing could be written, and there is no room.
 */
export function writebackThrottle(fc: Fscache): i32 {
  const r = roots();
  const before = r.r_ndirty;
  let e = writebackPages(fc);
  const target = r.r_dirtymax - r.r_dirtymax / 4;
  if (r.r_ndirty > target) {
    const f = pagesTo(target);
    if (e == 0) e = f;
  }
  if (r.r_ndirty < r.r_dirtymax || r.r_ndirty < before) return 0;
  if (e != 0) return e;
  // pinned by a journal, then: as long as there is memory, that is no reason to stop
  return bb().bb_frames_free + r.r_nclean > r.r_lowwater ? 0 : -ENOMEM;
}

/** Somebody with a range locked needs frames: pages of whomever become clean. */
export function writebackMore(): void {
  pagesTo(roots().r_ndirty / 2);
}

/** Pages only, oldest Fscaches first, until `target` are dirty: 0 or the first errno. */
function pagesTo(target: u32): i32 {
  const r = roots();
  let error: i32 = 0;
  for (let n = r.r_ndirtyfc; n != 0 && r.r_dirtyhead != 0 && r.r_ndirty > target; n--) {
    const fc = oldest();
    if (changetype<usize>(fc) == 0) continue;
    const e = writebackPages(fc);
    oldestDone(fc);
    if (error == 0) error = e;
  }
  return error;
}
