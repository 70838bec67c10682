/**
 * Frames of RAM and their VmPages.
 *
 * Life of a frame: FREE (on the free list) → taken by pageAlloc → one of
 *     PG_KERNEL  wired for the kernel itself
 *     PG_ZONE    cut into objects by a zone; pg_owner is the Zone
 *     PG_FILE    a page of an fscache; pg_owner is the Fscache, pg_index its place
 * and back by pageFree.
 *
 * P1. r_pages has a VmPage for every frame of RAM, those of the boot block and of r_pages included.
 * P2. bb_frames_free counts the free list and the frames from bb_frames_fresh on. Those have never
 *     been in use and are on no list: RAM comes from the host as zeros, which is what the VmPage
 *     of a free frame is made of, so that booting does not touch what it does not need.
 * P3. The last r_reserve frames go only to ALLOC_RESERVE callers and to calls that remove things
 *     (c_removing) or write dirty pages (c_writing), so that a full machine can always be emptied.
 */
import { ENOMEM } from '../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE, PG_FLAGS, PG_FREE, VMPAGE_SIZE } from '../abi/layout';
import { bb, RAM_START, Roots, roots } from '../kern/boot';
import { CPU_FRAMES, curcpu } from '../kern/cpu';
import { add32, and32, or32, spinLock, spinUnlock } from '../kern/lock';
import { kassert } from '../kern/panic';

@unmanaged
export class VmPage {
  pg_owner: u32; //   Fscache or Zone
  pg_index: u32; //   PG_FILE: page number in the file; PG_ZONE: free objects
  pg_flags: u32; //   PG_*
  pg_next: u32; //    free list, zone list, or the lists of vfs/dirty.ts
  pg_prev: u32;
  pg_private: u32; // what the pager hangs on it; PG_ZONE: first free object
  pg_hold: u32; //    users that need it to stay
  pg_epoch: u32; //   PG_ZONE in limbo: r_epoch when it went there; page of a device: its dirty sectors
}

export const PG_KERNEL: u32 = 2;
export const PG_ZONE: u32 = 4;
export const PG_FILE: u32 = 8;
export const PG_VALID: u32 = 0x100;
export const PG_DIRTY: u32 = 0x200;
export const PG_BUSY: u32 = 0x400;
export const PG_REFERENCED: u32 = 0x800;
export const PG_WIRED: u32 = 0x1000; // not to be written or given back now
export const PG_CLEAN: u32 = 0x2000; // on the queue of clean pages (vfs/dirty.ts)
export const PG_OLD: u32 = 0x4000; // smp: clean, and not looked up when its batch was chosen (vfs/dirty.ts)

/** How far an allocation may go when frames are short. */
export const ALLOC_NOIO: u32 = 0; //    may free caches (try-locks), not write; then fails
export const ALLOC_RESERVE: u32 = 1; // may take the reserve
export const ALLOC_NOWAIT: u32 = 2; //  takes what is free, touches nothing else (spin locks held)
export const ALLOC_ZERO: u32 = 16; //   flag: the frame or object comes zeroed

if (offsetof<VmPage>() != VMPAGE_SIZE || offsetof<VmPage>('pg_flags') != PG_FLAGS) ERROR('VmPage');

// @ts-ignore: decorator
@inline
export function pageOf(addr: usize): VmPage {
  return changetype<VmPage>(<usize>roots().r_pages + ((addr >> PAGE_SHIFT) << 5));
}

// @ts-ignore: decorator
@inline
export function pageAddr(pg: VmPage): usize {
  return ((changetype<usize>(pg) - <usize>roots().r_pages) >> 5) << PAGE_SHIFT;
}

/** Set or clear flags: other CPUs change others of them. */
// @ts-ignore: decorator
@inline
export function pageFlag(pg: VmPage, bits: u32): void {
  or32(changetype<usize>(pg) + offsetof<VmPage>('pg_flags'), bits);
}

// @ts-ignore: decorator
@inline
export function pageUnflag(pg: VmPage, bits: u32): void {
  and32(changetype<usize>(pg) + offsetof<VmPage>('pg_flags'), ~bits);
}

/** It was looked up: reclaim passes it over this time. */
// @ts-ignore: decorator
@inline
export function pageReferenced(pg: VmPage): void {
  if ((pg.pg_flags & PG_REFERENCED) == 0) pageFlag(pg, PG_REFERENCED);
}

/** One user more, or one less, that needs the page to stay. */
// @ts-ignore: decorator
@inline
export function pageHold(pg: VmPage): void {
  add32(changetype<usize>(pg) + offsetof<VmPage>('pg_hold'), 1);
}

// @ts-ignore: decorator
@inline
export function pageRelease(pg: VmPage): void {
  add32(changetype<usize>(pg) + offsetof<VmPage>('pg_hold'), -1);
}

/** Set or clear bits of what the pager hangs on the page. */
// @ts-ignore: decorator
@inline
export function privateOr(pg: VmPage, bits: u32): void {
  or32(changetype<usize>(pg) + offsetof<VmPage>('pg_private'), bits);
}

// @ts-ignore: decorator
@inline
export function privateAnd(pg: VmPage, bits: u32): u32 {
  return and32(changetype<usize>(pg) + offsetof<VmPage>('pg_private'), bits);
}

// @ts-ignore: decorator
@inline
function pageLockAddr(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_pagelock');
}

/**
 * Lay out RAM: VmPages from RAM_START, then `tableBytes` for the namecache's hash, then frames.
 * Returns the table's address.
 */
export function pageInit(ramBytes: u64, tableBytes: u32): usize {
  const r = roots();
  const nframes = <u32>(ramBytes >> PAGE_SHIFT);
  r.r_pages = <u32>RAM_START;
  r.r_nframes = nframes;
  const table = (RAM_START + (<usize>nframes << 5) + PAGE_SIZE - 1) & ~(<usize>PAGE_SIZE - 1);
  const first = <u32>((table + tableBytes + PAGE_SIZE - 1) >> PAGE_SHIFT);
  for (let i: u32 = 0; i < first; i++) pageOf((<usize>i) << PAGE_SHIFT).pg_flags = PG_KERNEL | PG_WIRED;
  const b = bb();
  b.bb_frames_fresh = first;
  b.bb_frames_total = nframes;
  b.bb_frames_free = nframes - first;
  b.bb_pages = <u32>RAM_START;
  r.r_reserve = nframes / 128 < 16 ? 16 : nframes / 128 > 1024 ? 1024 : nframes / 128;
  r.r_lowwater = r.r_reserve * 2;
  r.r_entermark = r.r_lowwater;
  return table;
}

function pageToFree(pg: VmPage): void {
  const r = roots();
  pg.pg_flags = PG_FREE;
  pg.pg_owner = 0;
  pg.pg_prev = 0;
  pg.pg_next = r.r_freehead;
  if (r.r_freehead != 0) changetype<VmPage>(<usize>r.r_freehead).pg_prev = <u32>changetype<usize>(pg);
  r.r_freehead = <u32>changetype<usize>(pg);
  bb().bb_frames_free++;
}

function pageUnfree(pg: VmPage): void {
  const r = roots();
  if (pg.pg_prev != 0) changetype<VmPage>(<usize>pg.pg_prev).pg_next = pg.pg_next;
  else r.r_freehead = pg.pg_next;
  if (pg.pg_next != 0) changetype<VmPage>(<usize>pg.pg_next).pg_prev = pg.pg_prev;
  pg.pg_next = 0;
  pg.pg_prev = 0;
  bb().bb_frames_free--;
}

/** A free frame: one that was in use before, if there is one. r_pagelock held; null: none. */
function pageTake(): VmPage {
  const r = roots();
  const pg = changetype<VmPage>(<usize>r.r_freehead);
  if (changetype<usize>(pg) != 0) {
    pageUnfree(pg);
    return pg;
  }
  const fresh = bb().bb_frames_fresh;
  if (fresh == r.r_nframes) return pg;
  bb().bb_frames_fresh = fresh + 1;
  bb().bb_frames_free--;
  return pageOf((<usize>fresh) << PAGE_SHIFT);
}

/** Fault loops: does this allocation fail? Counts while armed. */
export function failNow(): bool {
  const r = roots();
  r.r_allocs++;
  if (r.r_failcount <= 0) return false;
  r.r_failcount--;
  return r.r_failcount == 0;
}

/**
 * A frame, or null. mode: ALLOC_*. The page comes with flags `kind`, no owner, no hold.
 * Holds nothing itself; with ALLOC_NOIO it may reclaim (see vfs/reclaim.ts), so the caller holds
 * no spin lock and has a reference on whatever it is using.
 */
export function pageAlloc(mode: u32, kind: u32): VmPage {
  const r = roots();
  if (DEBUG) if (r.r_failarmed != 0) if (failNow()) return changetype<VmPage>(<usize>0);
  const how = mode & 15;
  if (how == ALLOC_NOIO && bb().bb_frames_free <= r.r_reserve) pageShortage();
  spinLock(pageLockAddr());
  const pg = bb().bb_frames_free <= r.r_reserve && !mayTakeReserve(how) ? changetype<VmPage>(<usize>0) : pageTake();
  if (changetype<usize>(pg) == 0) {
    spinUnlock(pageLockAddr());
    return pg;
  }
  if (DEBUG) kassert(pg.pg_flags == PG_FREE, 'a free frame is in use');
  pg.pg_flags = kind;
  spinUnlock(pageLockAddr());
  pg.pg_owner = 0;
  pg.pg_index = 0;
  pg.pg_private = 0;
  pg.pg_hold = 0;
  pg.pg_epoch = 0;
  if (mode & ALLOC_ZERO) memory.fill(pageAddr(pg), 0, PAGE_SIZE);
  return pg;
}

/** P3. What a removal needs are names and vnodes of its path, which caches give back; what write-back needs
 *  makes dirty pages clean, which can go. */
function mayTakeReserve(how: u32): bool {
  return how == ALLOC_RESERVE || (how == ALLOC_NOIO && (curcpu.c_removing | curcpu.c_writing) != 0);
}

/** Ask the caches above to give memory back, unless this CPU is doing that already. */
export function pageShortage(): void {
  const r = roots();
  const c = curcpu;
  if (r.r_shrink == 0 || changetype<usize>(c) == 0 || c.c_reclaiming != 0) return;
  c.c_reclaiming = 1;
  call_indirect<void>(r.r_shrink, r.r_lowwater);
  c.c_reclaiming = 0;
}

/** Free frames in a chain (pg_next; the last has 0), which are handed out again in that order: a file's pages are
 *  neighbours in RAM again, and what moves them moves several at once. */
export function pageFreeChain(first: VmPage): void {
  const r = roots();
  spinLock(pageLockAddr());
  let prev: u32 = 0;
  let n: u32 = 0;
  let last = first;
  for (let pg = first; changetype<usize>(pg) != 0; pg = changetype<VmPage>(<usize>pg.pg_next)) {
    if (DEBUG) {
      kassert(pg.pg_hold == 0, 'frame freed while held');
      memory.fill(pageAddr(pg), 0xdf, PAGE_SIZE);
    }
    pg.pg_flags = PG_FREE;
    pg.pg_owner = 0;
    pg.pg_prev = prev;
    prev = <u32>changetype<usize>(pg);
    last = pg;
    n++;
  }
  last.pg_next = r.r_freehead;
  if (r.r_freehead != 0) changetype<VmPage>(<usize>r.r_freehead).pg_prev = prev;
  r.r_freehead = <u32>changetype<usize>(first);
  bb().bb_frames_free += n;
  spinUnlock(pageLockAddr());
}

export function pageFree(pg: VmPage): void {
  if (DEBUG) {
    kassert(pg.pg_flags != PG_FREE, 'frame freed twice');
    kassert(pg.pg_hold == 0, 'frame freed while held');
    memory.fill(pageAddr(pg), 0xdf, PAGE_SIZE);
  }
  spinLock(pageLockAddr());
  pageToFree(pg);
  spinUnlock(pageLockAddr());
}

/** `n` frames in a row that were never in use, or 0: only while RAM is plentiful. */
export function pageAllocFresh(n: u32, kind: u32): usize {
  const r = roots();
  if (DEBUG) if (r.r_failarmed != 0) return 0; // fault loops fail single frames
  spinLock(pageLockAddr());
  const first = bb().bb_frames_fresh;
  // Plenty: a quarter of RAM is untouched, so a run is nobody's last resort.
  if (r.r_nframes - first < r.r_nframes / 4 || r.r_nframes - first < n) {
    spinUnlock(pageLockAddr());
    return 0;
  }
  bb().bb_frames_fresh = first + n;
  bb().bb_frames_free -= n;
  for (let i = first; i < first + n; i++) pageOf((<usize>i) << PAGE_SHIFT).pg_flags = kind;
  spinUnlock(pageLockAddr());
  return (<usize>first) << PAGE_SHIFT;
}

/** `n` frames in a row for a CPU or a device, zeroed and wired; the address, or 0. */
export function pageAllocRun(n: u32): usize {
  spinLock(pageLockAddr());
  const first = pageTakeRun(n);
  if (first != 0) for (let i = first; i < first + n; i++) pageOf((<usize>i) << PAGE_SHIFT).pg_flags = PG_KERNEL | PG_WIRED;
  spinUnlock(pageLockAddr());
  const at = (<usize>first) << PAGE_SHIFT;
  if (first != 0) memory.fill(at, 0, (<usize>n) << PAGE_SHIFT);
  return at;
}

/** The first of `n` free frames in a row, taken; 0: there is no such run. r_pagelock held. */
function pageTakeRun(n: u32): u32 {
  const r = roots();
  const fresh = bb().bb_frames_fresh;
  if (r.r_nframes - fresh >= n) {
    bb().bb_frames_fresh = fresh + n;
    bb().bb_frames_free -= n;
    return fresh;
  }
  let run: u32 = 0;
  for (let i: u32 = 0; i < fresh; i++) {
    run = pageOf((<usize>i) << PAGE_SHIFT).pg_flags == PG_FREE ? run + 1 : 0;
    if (run < n) continue;
    for (let j = i + 1 - n; j <= i; j++) pageUnfree(pageOf((<usize>j) << PAGE_SHIFT));
    return i + 1 - n;
  }
  return 0;
}

export function pageFreeRun(at: usize, n: u32): void {
  for (let j: u32 = 0; j < n; j++) pageFree(pageOf(at + ((<usize>j) << PAGE_SHIFT)));
}

/** Frames in use for this: PG_KERNEL, PG_ZONE or PG_FILE. Looks at every frame: for the leak report. */
export function pageCount(kind: u32): u32 {
  let n: u32 = 0;
  const end = bb().bb_frames_fresh;
  for (let i: u32 = 0; i < end; i++) if (pageOf((<usize>i) << PAGE_SHIFT).pg_flags & kind) n++;
  return n;
}

/** Frames for this CPU's area: 0 or -ENOMEM, the address in r_text0's place of the caller. */
export function cpuAreaAlloc(): usize {
  return pageAllocRun(CPU_FRAMES);
}

/** 0 if `n` more frames can be had without the reserve, else -ENOMEM; reclaims first. */
export function pageReserve(n: u32): i32 {
  const r = roots();
  if (bb().bb_frames_free >= n + r.r_reserve) return 0;
  pageShortage();
  return bb().bb_frames_free >= n + r.r_reserve ? 0 : -ENOMEM;
}
