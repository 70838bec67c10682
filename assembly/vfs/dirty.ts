/**
 * Dirty and clean pages of Fscaches with a disk behind them (FC_BACKED), and which Fscaches have
 * something to write.
 *
 *     getpages ─→ clean queue ─ fscacheDirty ─→ fc_dirty ─ fscacheClean ─→ clean queue ─→ …
 *                     │ reclaim (vfs/reclaim.ts), truncation            │ truncation
 *                     └────────────────────────→ freed ←────────────────┘
 *
 * D1. A page in the index of a backed Fscache is on exactly one list: fc_dirty (PG_DIRTY), or the
 *     clean queue of the machine (PG_CLEAN). Pages of other Fscaches are on neither.
 * D2. A page on the clean queue that nobody holds (pg_hold), that is not PG_BUSY and not PG_WIRED can
 *     go at any moment memory is asked for: who keeps a page's address over an allocation holds it.
 * D3. r_ndirty is the sum of all fc_ndirty.
 * D4. A backed Fscache with dirty pages, or with attributes that its file system has not stored
 *     (FC_ATTRDIRTY, of those embedded in vnodes), is on the list r_dirty (FC_LISTED), oldest first.
 *     It stays where it is until it is clean: its vnode is not reclaimed (vfs/vnode.ts).
 * D6. In `smp` a page may go only if nobody looked it up since before every CPU last left the kernel: whoever looks up
 *     sets PG_REFERENCED, and needs no hold till he leaves (vfs/fscache.ts).
 * D5. A page is made clean before its write is issued, and dirty again if that fails. So what is
 *     stored into it in between is not forgotten.
 *
 * Which sectors are dirty: of a file's page its pager knows (low 8 bits of pg_private, one for each
 * 512 bytes); of a device's page, whose pg_private is a journal's, pg_epoch does.
 *
 * Locks: r_dirtylock (spin) guards all lists here and what counts them.
 */
import { PAGE_SIZE } from '../abi/layout';
import { Roots, roots } from '../kern/boot';
import { clockNow } from '../kern/clock';
import { curalone, curcpu } from '../kern/cpu';
import { add32, and32, or32, spinLock, spinUnlock } from '../kern/lock';
import { kassert } from '../kern/panic';
import {
  PG_BUSY,
  PG_CLEAN,
  PG_DIRTY,
  PG_OLD,
  PG_REFERENCED,
  PG_WIRED,
  pageFlag,
  pageFree,
  pageReferenced,
  pageUnflag,
  privateAnd,
  privateOr,
  VmPage,
} from '../vm/page';
import { epochNext, epochPassed } from '../vm/zone';
import { FC_ATTRDIRTY, FC_DEVICE, FC_LISTED, FC_VNODE, Fscache, fscacheDropPage, fscachePage, fscacheTryRemove } from './fscache';

const NS_PER_CENTISEC: i64 = 10_000_000;
/** All eight sectors of a page. */
export const SECTORS_ALL: u32 = 255;

// @ts-ignore: decorator
@inline
export function dirtyLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_dirtylock');
}

// @ts-ignore: decorator
@inline
function flagsAddr(fc: Fscache): usize {
  return changetype<usize>(fc) + offsetof<Fscache>('fc_flags');
}

/** The sectors that bytes [at, at + len) of a page touch, as bits. */
// @ts-ignore: decorator
@inline
export function sectorsOf(at: u32, len: u32): u32 {
  return (SECTORS_ALL << (at >> 9)) & (SECTORS_ALL >> (7 - ((at + len - 1) >> 9)));
}

// ── the lists; r_dirtylock held ──────────────────────────────────────────────────────────────

function cleanAppend(pg: VmPage): void {
  const r = roots();
  pageFlag(pg, PG_CLEAN);
  pg.pg_next = 0;
  pg.pg_prev = r.r_cleantail;
  if (r.r_cleantail != 0) changetype<VmPage>(<usize>r.r_cleantail).pg_next = <u32>changetype<usize>(pg);
  else r.r_cleanhead = <u32>changetype<usize>(pg);
  r.r_cleantail = <u32>changetype<usize>(pg);
  r.r_nclean++;
}

function cleanRemove(pg: VmPage): void {
  const r = roots();
  if (pg.pg_prev != 0) changetype<VmPage>(<usize>pg.pg_prev).pg_next = pg.pg_next;
  else r.r_cleanhead = pg.pg_next;
  if (pg.pg_next != 0) changetype<VmPage>(<usize>pg.pg_next).pg_prev = pg.pg_prev;
  else r.r_cleantail = pg.pg_prev;
  pageUnflag(pg, PG_CLEAN | PG_OLD);
  pg.pg_next = 0;
  pg.pg_prev = 0;
  r.r_nclean--;
}

function dirtyAppend(fc: Fscache, pg: VmPage): void {
  pageFlag(pg, PG_DIRTY);
  pg.pg_next = 0;
  pg.pg_prev = fc.fc_dirtytail;
  if (fc.fc_dirtytail != 0) changetype<VmPage>(<usize>fc.fc_dirtytail).pg_next = <u32>changetype<usize>(pg);
  else fc.fc_dirty = <u32>changetype<usize>(pg);
  fc.fc_dirtytail = <u32>changetype<usize>(pg);
  fc.fc_ndirty++;
  const r = roots();
  if (++r.r_ndirty >= r.r_dirtynext) r.r_entermark = u32.MAX_VALUE;
}

function dirtyRemove(fc: Fscache, pg: VmPage): void {
  if (pg.pg_prev != 0) changetype<VmPage>(<usize>pg.pg_prev).pg_next = pg.pg_next;
  else fc.fc_dirty = pg.pg_next;
  if (pg.pg_next != 0) changetype<VmPage>(<usize>pg.pg_next).pg_prev = pg.pg_prev;
  else fc.fc_dirtytail = pg.pg_prev;
  pageUnflag(pg, PG_DIRTY);
  pg.pg_next = 0;
  pg.pg_prev = 0;
  fc.fc_ndirty--;
  roots().r_ndirty--;
}

function listAppend(fc: Fscache): void {
  const r = roots();
  or32(flagsAddr(fc), FC_LISTED);
  fc.fc_dnext = 0;
  fc.fc_dprev = r.r_dirtytail;
  if (r.r_dirtytail != 0) changetype<Fscache>(<usize>r.r_dirtytail).fc_dnext = <u32>changetype<usize>(fc);
  else r.r_dirtyhead = <u32>changetype<usize>(fc);
  r.r_dirtytail = <u32>changetype<usize>(fc);
  r.r_ndirtyfc++;
}

function listRemove(fc: Fscache): void {
  const r = roots();
  if (fc.fc_dprev != 0) changetype<Fscache>(<usize>fc.fc_dprev).fc_dnext = fc.fc_dnext;
  else r.r_dirtyhead = fc.fc_dnext;
  if (fc.fc_dnext != 0) changetype<Fscache>(<usize>fc.fc_dnext).fc_dprev = fc.fc_dprev;
  else r.r_dirtytail = fc.fc_dprev;
  and32(flagsAddr(fc), ~FC_LISTED);
  fc.fc_dnext = 0;
  fc.fc_dprev = 0;
  r.r_ndirtyfc--;
}

/** Nothing left to write: off the list. */
function unlistIfClean(fc: Fscache): void {
  if ((fc.fc_flags & FC_LISTED) == 0 || fc.fc_ndirty != 0) return;
  if ((fc.fc_flags & (FC_VNODE | FC_ATTRDIRTY)) == (FC_VNODE | FC_ATTRDIRTY)) return;
  listRemove(fc);
}

// ── what pagers and fscache.ts call ──────────────────────────────────────────────────────────

/** A page has joined the index of a backed Fscache: it is clean. */
export function pageQueue(pg: VmPage): void {
  spinLock(dirtyLock());
  cleanAppend(pg);
  spinUnlock(dirtyLock());
}

/** A page of a backed Fscache leaves the index. */
export function pageUnqueue(fc: Fscache, pg: VmPage): void {
  spinLock(dirtyLock());
  if (pg.pg_flags & PG_DIRTY) {
    dirtyRemove(fc, pg);
    unlistIfClean(fc);
  } else cleanRemove(pg);
  spinUnlock(dirtyLock());
}

/** Something to write: on the list, if it is not there. Attributes alone are enough. */
export function fscacheList(fc: Fscache): void {
  clockNow();
  spinLock(dirtyLock());
  if ((fc.fc_flags & FC_LISTED) == 0) {
    fc.fc_dirtied = <u32>curcpu.c_nowsec;
    listAppend(fc);
    const r = roots();
    if (r.r_ndirtyfc >= r.r_dirtyfcnext) r.r_entermark = u32.MAX_VALUE;
    if (r.r_vclock != 0 && r.r_wbnext == 0) r.r_wbnext = r.r_vclock_ns + <i64>r.r_intervalcs * NS_PER_CENTISEC;
  }
  spinUnlock(dirtyLock());
}

/** These sectors of a page (SECTORS_*, sectorsOf) are not on the disk. The page is in fc's index. */
export function fscacheDirty(fc: Fscache, pg: VmPage, sectors: u32): void {
  if (DEBUG) kassert(pg.pg_owner == <u32>changetype<usize>(fc), 'dirty page of another');
  pageReferenced(pg);
  if (!SMP) {
    sectorsSet(fc, pg, sectors);
    if (pg.pg_flags & PG_DIRTY) return;
  }
  // in one step, in `smp`: who makes the page clean takes the sectors so too
  spinLock(dirtyLock());
  if (SMP) sectorsSet(fc, pg, sectors);
  if ((pg.pg_flags & PG_DIRTY) == 0) {
    cleanRemove(pg);
    dirtyAppend(fc, pg);
  }
  spinUnlock(dirtyLock());
  if ((fc.fc_flags & FC_LISTED) == 0) fscacheList(fc);
}

// @ts-ignore: decorator
@inline
function sectorsSet(fc: Fscache, pg: VmPage, sectors: u32): void {
  if (fc.fc_flags & FC_DEVICE) pg.pg_epoch |= sectors;
  else privateOr(pg, sectors);
}

/** It is about to be written, or what it holds need not be (D5): the sectors that were dirty. */
export function fscacheClean(fc: Fscache, pg: VmPage): u32 {
  if (!SMP && (pg.pg_flags & PG_DIRTY) == 0) return sectorsTake(fc, pg);
  spinLock(dirtyLock());
  const sectors = sectorsTake(fc, pg);
  if (pg.pg_flags & PG_DIRTY) {
    dirtyRemove(fc, pg);
    cleanAppend(pg);
    unlistIfClean(fc);
  }
  spinUnlock(dirtyLock());
  return sectors;
}

function sectorsTake(fc: Fscache, pg: VmPage): u32 {
  if ((fc.fc_flags & FC_DEVICE) == 0) return privateAnd(pg, ~SECTORS_ALL) & SECTORS_ALL;
  const sectors = pg.pg_epoch & SECTORS_ALL;
  pg.pg_epoch = 0;
  return sectors;
}

/** The attributes are stored (for VOP_WRITEATTR). */
export function fscacheAttrClean(fc: Fscache): void {
  spinLock(dirtyLock());
  and32(flagsAddr(fc), ~FC_ATTRDIRTY);
  unlistIfClean(fc);
  spinUnlock(dirtyLock());
}

/** The Fscache goes: it has nothing to write any more. Its pages are gone already. */
export function fscacheUnlist(fc: Fscache): void {
  if (DEBUG) kassert(fc.fc_ndirty == 0, 'an Fscache goes with dirty pages');
  spinLock(dirtyLock());
  if (fc.fc_flags & FC_LISTED) listRemove(fc);
  spinUnlock(dirtyLock());
}

/** A write-back failed: everybody who has it open hears of that once, by fsync (vfs/vfile.ts). */
export function fscacheError(fc: Fscache, errno: i32): void {
  fc.fc_errno = errno;
  fc.fc_error++;
}

/** To the end of the list of those with something to write, if it is on it. r_dirtylock held. */
export function dirtyListRotateLocked(fc: Fscache): void {
  if (fc.fc_flags & FC_LISTED) {
    listRemove(fc);
    listAppend(fc);
  }
}

/** The page goes to the end of its Fscache's dirty list: it cannot be written now. */
export function dirtyRotate(fc: Fscache, pg: VmPage): void {
  spinLock(dirtyLock());
  if (pg.pg_flags & PG_DIRTY) {
    dirtyRemove(fc, pg);
    dirtyAppend(fc, pg);
  }
  spinUnlock(dirtyLock());
}

/** The first of the dirty neighbours of a dirty page, at most `max` before it: where a cluster begins. */
export function dirtyRunStart(fc: Fscache, pg: VmPage, max: u32): VmPage {
  for (; max != 0 && pg.pg_index != 0; max--) {
    const before = fscachePage(fc, pg.pg_index - 1);
    if (changetype<usize>(before) == 0 || (before.pg_flags & (PG_DIRTY | PG_WIRED | PG_BUSY)) != PG_DIRTY) break;
    pg = before;
  }
  return pg;
}

// ── giving clean pages back ──────────────────────────────────────────────────────────────────

/** The next page that may go, off the queue's old end; null: after `look` pages there was none. */
function cleanVictim(look: u32): VmPage {
  const r = roots();
  for (; look != 0; look--) {
    const pg = changetype<VmPage>(<usize>r.r_cleanhead);
    if (changetype<usize>(pg) == 0) return pg;
    if (pg.pg_hold == 0 && (pg.pg_flags & (PG_BUSY | PG_WIRED | PG_REFERENCED)) == 0) return pg;
    pageUnflag(pg, PG_REFERENCED);
    cleanRemove(pg);
    cleanAppend(pg);
  }
  return changetype<VmPage>(<usize>0);
}

/**
 * In `smp` with other CPUs about, two steps (D6). A batch is chosen: pages not looked up since the last time are PG_OLD.
 * When every CPU has left the kernel since, those of them that still were not looked up go: nobody has their address.
 */
const BATCH_MIN: u32 = 256;

/** Choose the next batch from the queue's old end. r_dirtylock held. */
function batchChoose(n: u32): void {
  const r = roots();
  if (n < BATCH_MIN) n = BATCH_MIN;
  let look = r.r_nclean;
  while (n != 0 && look != 0) {
    look--;
    const pg = changetype<VmPage>(<usize>r.r_cleanhead);
    cleanRemove(pg);
    cleanAppend(pg);
    if (pg.pg_flags & PG_REFERENCED) pageUnflag(pg, PG_REFERENCED);
    // what is chosen goes to the end, and is looked for from there: the queue's order is that of the last looks
    pageFlag(pg, PG_OLD);
    n--;
  }
  r.r_oldepoch = epochNext();
}

/** Take a page of the batch that may go out of its index; null: there is none among `look` pages. r_dirtylock held. */
function batchTake(look: u32): VmPage {
  const r = roots();
  for (let p = r.r_cleantail; p != 0 && look != 0; look--) {
    const pg = changetype<VmPage>(<usize>p);
    p = pg.pg_prev;
    if ((pg.pg_flags & (PG_OLD | PG_REFERENCED)) != PG_OLD) continue;
    if (!fscacheTryRemove(changetype<Fscache>(<usize>pg.pg_owner), pg)) continue;
    cleanRemove(pg);
    return pg;
  }
  return changetype<VmPage>(<usize>0);
}

function reclaimShared(n: u32): u32 {
  const r = roots();
  let done: u32 = 0;
  while (done < n && epochPassed(r.r_oldepoch)) {
    spinLock(dirtyLock());
    const pg = batchTake(r.r_nclean);
    if (changetype<usize>(pg) == 0) {
      batchChoose(n - done);
      spinUnlock(dirtyLock());
      // a CPU that is in a call, this one too, may have looked at any of them
      break;
    }
    spinUnlock(dirtyLock());
    pageFreed(pg);
    done++;
  }
  return done;
}

function pageFreed(pg: VmPage): void {
  const r = roots();
  add32(changetype<usize>(r) + offsetof<Roots>('r_filepages'), -1);
  add32(changetype<usize>(r) + offsetof<Roots>('r_reclaimed'), 1);
  pageFree(pg);
}

/** Free up to `n` clean pages; how many it were. Pages used since the last look get a second chance. */
export function cleanReclaim(n: u32): u32 {
  if (SMP) if (curalone == 0) return reclaimShared(n);
  let done: u32 = 0;
  // twice round, so that those with a second chance come again
  let look = roots().r_nclean * 2;
  while (done < n && look != 0) {
    spinLock(dirtyLock());
    const pg = cleanVictim(look);
    spinUnlock(dirtyLock());
    if (changetype<usize>(pg) == 0) break;
    fscacheDropPage(changetype<Fscache>(<usize>pg.pg_owner), pg);
    done++;
    look = roots().r_nclean * 2;
  }
  roots().r_reclaimed += done;
  return done;
}

/** Bytes of the last page behind a size are zero (X2); so many sectors of that page count. */
// @ts-ignore: decorator
@inline
export function sectorsBelow(bytes: u32): u32 {
  return bytes >= PAGE_SIZE ? SECTORS_ALL : bytes == 0 ? 0 : SECTORS_ALL >> (7 - ((bytes - 1) >> 9));
}
