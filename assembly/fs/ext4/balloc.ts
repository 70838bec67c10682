/**
 * Which blocks are free (blockgroup.rst, "Block bitmaps"): finding runs near a goal, taking them, freeing them.
 *
 * A group's bitmap is read when it is needed, and checked then. Beside it a group may have a mask in RAM:
 * blocks that the bitmap says are free, and that still are nobody's to take:
 *  - freed by a transaction that has not committed: after a crash they would be the old file's again (Freed);
 *  - kept behind a growing file, so that files written together do not interleave (window.ts).
 *
 * A1. em_freeblocks is the sum of the descriptors' counts; what masks hide is counted as free.
 * A2. em_reserved of them are promised to delayed data and its maps: nobody else takes those.
 * A3. A set bit of a mask is clear in the bitmap, or about to be.
 * A4. gi_maxrun is an upper bound of the group's longest run; RUN_UNKNOWN until somebody looked.
 *
 * Locks: em_lock, taken here inside an ei_lock.
 */
import { ENOMEM, ENOSPC, EUCLEAN } from '../../abi/errno';
import { BG_BLOCK_UNINIT } from '../../abi/ext4';
import { curcred } from '../../proc/cred';
import { frameArrayAt, frameArrayFree, frameArrayGrow, FrameArray } from '../../vm/array';
import { ALLOC_NOIO, ALLOC_RESERVE, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, pageFree, pageOf } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { bitsClear, bitsCountClear, bitsNextClear, bitsNextSet, bitsSet } from './bits';
import { ext4Error, ext4Half } from './error';
import { ext4FlushNone } from './da';
import { freedAdd, freedRelease } from './freed';
import {
  blockBitmapFlip,
  blockBitmapOk,
  blockBitmapSum,
  FLIP_MAX,
  gdBlockBitmap,
  gdFlags,
  gdFreeBlocks,
  gdSetFlags,
  gdSetFreeBlocks,
  groupDesc,
  groupInfo,
  groupSum,
  groupWill,
} from './group';
import { metaMark, metaOverlaps } from './layout';
import { ext4Bget, ext4Bread, ext4Brelse, ext4BufError, ext4Dirty } from './txn';
import {
  blockInRange,
  EM_SBDIRTY,
  Ext4Mount,
  ext4LockInside,
  emUnlock,
  GI_BBITMAP_BAD,
  GI_BBITMAP_OK,
  groupBlocks,
  groupFirst,
  groupOf,
} from './types';
import { windowsDrop } from './window';

/** em_balloc. All under em_lock. */
@unmanaged
export class Balloc {
  ba_pending: u64; //  blocks of all Freed
  ba_keep: u64; //     blocks kept from delayed data for the maps that write-back makes
  ba_freed: u32; //    Freed, in order of their transactions
  ba_freedtail: u32;
  ba_windows: u32; //  inodes with blocks kept for them
  ba_frozen: u32; //   groups that are frozen
  ba_frozentid: u32; // the last transaction that froze one
  ba_fgroup: u32; //   what a search found: group, bit, length
  ba_fbit: u32;
  ba_flen: u32;
  ba_da: u32; //       inodes to be written before the next commit (EI_DADIRTY)
  ba_incommit: u32; // those are being written because of a commit
  ba_error: i32; //    why the last bitmap that could not be had could not
  ba_pad: u32;
  // a GroupFree for each group
  ba_g0: u32;
  ba_g1: u32;
  ba_g2: u32;
  ba_g3: u32;

  // @ts-ignore: decorator
  @inline
  get ba_groups(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<Balloc>('ba_g0'));
  }
}
if (offsetof<Balloc>() % 8 != 0) ERROR('Balloc');

@unmanaged
export class GroupFree {
  gf_mask: u32; //   frame with the mask; 0: nothing is hidden
  gf_hidden: u32; // bits set in it
  gf_maxrun: u32; // A4
  gf_next: u32; //   bit behind the last allocation
}
const GROUPFREE_WORDS: u32 = 4;
if (offsetof<GroupFree>() != 4 * GROUPFREE_WORDS) ERROR('GroupFree');

export const RUN_UNKNOWN: u32 = u32.MAX_VALUE;
/** In GI_*: there was no memory to hide what was freed: nothing is taken until ba_frozentid has committed. */
export const GI_FROZEN: u32 = 1 << 8;
/** Blocks kept for maps: one in this many, at most KEEP_MAX. */
const KEEP_SHARE: u64 = 50;
const KEEP_MAX: u64 = 4096;

// @ts-ignore: decorator
@inline
export function baOf(em: Ext4Mount): Balloc {
  return changetype<Balloc>(<usize>em.em_balloc);
}

// @ts-ignore: decorator
@inline
export function groupFree(em: Ext4Mount, g: u32): GroupFree {
  return changetype<GroupFree>(frameArrayAt(baOf(em).ba_groups, g * GROUPFREE_WORDS));
}

/** Mount: 0 or -ENOMEM. em_groups and em_ginfo are set. */
export function ballocInit(em: Ext4Mount): i32 {
  const at = kmalloc(offsetof<Balloc>(), ALLOC_NOIO | ALLOC_ZERO);
  if (at == 0) return -ENOMEM;
  em.em_balloc = <u32>at;
  const ba = baOf(em);
  const fa = ba.ba_groups;
  while (fa.fa_cap < em.em_groups * GROUPFREE_WORDS) if (frameArrayGrow(fa) != 0) return -ENOMEM;
  for (let g: u32 = 0; g < em.em_groups; g++) groupFree(em, g).gf_maxrun = RUN_UNKNOWN;
  const share = em.em_blocks / KEEP_SHARE;
  ba.ba_keep = share < KEEP_MAX ? share : KEEP_MAX;
  return 0;
}

/** Unmount, after the last commit and before its journal goes; also after ballocInit failed. */
export function ballocDone(em: Ext4Mount): void {
  if (em.em_balloc == 0) return;
  const ba = baOf(em);
  // inodes that stay in use have nothing kept for them, and are on no list of what goes
  windowsDrop(em);
  ext4FlushNone(em);
  freedRelease(em, true);
  const have = ba.ba_groups.fa_cap / GROUPFREE_WORDS;
  for (let g: u32 = 0; g < em.em_groups && g < have; g++) maskFree(groupFree(em, g));
  frameArrayFree(ba.ba_groups);
  kfree(em.em_balloc);
  em.em_balloc = 0;
}

// ── masks ────────────────────────────────────────────────────────────────────────────────────

/** Hide bits of a group: 0 or -ENOMEM. */
export function maskSet(em: Ext4Mount, g: u32, bit: u32, n: u32, mode: u32): i32 {
  const gf = groupFree(em, g);
  if (gf.gf_mask == 0) {
    const pg = pageAlloc(mode | ALLOC_ZERO, PG_KERNEL);
    if (changetype<usize>(pg) == 0) return -ENOMEM;
    gf.gf_mask = <u32>pageAddr(pg);
  }
  bitsSet(gf.gf_mask, bit, n);
  gf.gf_hidden += n;
  return 0;
}

/** They are free for all again, or taken by whom they were kept for. */
export function maskClear(em: Ext4Mount, g: u32, bit: u32, n: u32): void {
  const gf = groupFree(em, g);
  if (gf.gf_mask == 0) return;
  bitsClear(gf.gf_mask, bit, n);
  gf.gf_hidden -= n;
  gf.gf_maxrun = RUN_UNKNOWN;
  if (gf.gf_hidden == 0) maskFree(gf);
}

function maskFree(gf: GroupFree): void {
  if (gf.gf_mask != 0) pageFree(pageOf(gf.gf_mask));
  gf.gf_mask = 0;
  gf.gf_hidden = 0;
}

// ── bitmaps ──────────────────────────────────────────────────────────────────────────────────

function giSet(em: Ext4Mount, g: u32, flag: u32): void {
  const at = groupInfo(em, g);
  store<u32>(at, load<u32>(at) | flag);
}

// @ts-ignore: decorator
@inline
export function giFlags(em: Ext4Mount, g: u32): u32 {
  return load<u32>(groupInfo(em, g));
}

/** A group's bitmap, held; 0: it cannot be had or is not to be believed, and ba_error says why. em_lock held. */
export function bitmapGet(em: Ext4Mount, g: u32): usize {
  const gi = giFlags(em, g);
  const ba = baOf(em);
  if (gi & GI_BBITMAP_BAD) {
    ba.ba_error = -EUCLEAN;
    return 0;
  }
  const gd = groupDesc(em, g);
  const uninit = (gdFlags(em, gd) & BG_BLOCK_UNINIT) != 0;
  const block = gdBlockBitmap(em, gd);
  const b = uninit ? ext4Bget(em, block) : ext4Bread(em, block);
  if (b == 0) {
    ba.ba_error = ext4BufError();
    return 0;
  }
  if (uninit) bitmapMake(em, g, b);
  if (gi & GI_BBITMAP_OK) return b;
  if ((uninit || blockBitmapOk(em, gd, b)) && bitmapSane(em, g, b)) {
    giSet(em, g, GI_BBITMAP_OK);
    return b;
  }
  ext4Brelse(b);
  giSet(em, g, GI_BBITMAP_BAD);
  // nobody gets them any more, so nobody may be promised them
  const lost = <u64>gdFreeBlocks(em, gd);
  em.em_freeblocks -= lost < em.em_freeblocks ? lost : em.em_freeblocks;
  ba.ba_error = ext4Error(em, 'block bitmap', 0, block);
  return 0;
}

/** BG_BLOCK_UNINIT: nothing but the group's own metadata is used. */
function bitmapMake(em: Ext4Mount, g: u32, b: usize): void {
  memory.fill(b, 0, em.em_bsize);
  metaMark(em, g, b);
  const n = groupBlocks(em, g);
  bitsSet(b, n, em.em_bsize * 8 - n);
}

/** Does it count what the descriptor does, and has it the group's own metadata as used? */
function bitmapSane(em: Ext4Mount, g: u32, b: usize): bool {
  const n = groupBlocks(em, g);
  if (bitsCountClear(b, n) != gdFreeBlocks(em, groupDesc(em, g))) return false;
  const at = gdBlockBitmap(em, groupDesc(em, g)) - groupFirst(em, g);
  return at >= <u64>n || bitsNextSet(b, 0, <u32>at, <u32>at + 1) == <u32>at;
}

/** Take or free bits that are all the other way now: bitmap, descriptor, counts. em_lock held. */
function bitsChange(em: Ext4Mount, g: u32, b: usize, bit: u32, n: u32, take: bool): i32 {
  const gd = groupDesc(em, g);
  let e = ext4Dirty(em, b, gdBlockBitmap(em, gd));
  if (e == 0) e = groupWill(em, g);
  if (e != 0) return e;
  const had = gdFreeBlocks(em, gd);
  if (take) {
    bitsSet(b, bit, n);
    gdSetFreeBlocks(em, gd, had - n);
    em.em_freeblocks -= n;
  } else {
    bitsClear(b, bit, n);
    gdSetFreeBlocks(em, gd, had + n);
    em.em_freeblocks += n;
  }
  const flags = gdFlags(em, gd);
  if (flags & BG_BLOCK_UNINIT) gdSetFlags(gd, flags & ~BG_BLOCK_UNINIT);
  if (flags & BG_BLOCK_UNINIT || n > FLIP_MAX) blockBitmapSum(em, gd, b);
  else blockBitmapFlip(em, gd, bit, n);
  em.em_flags |= EM_SBDIRTY;
  groupSum(em, g);
  return 0;
}

// ── searching ────────────────────────────────────────────────────────────────────────────────

/**
 * Look in a group for a run of `least` blocks, from `from` on and then from its beginning; ba_f* is the first
 * such run, cut at `want`. False: none, and gf_maxrun is the longest.
 */
function findInGroup(em: Ext4Mount, g: u32, from: u32, least: u32, want: u32): bool {
  const b = bitmapGet(em, g);
  if (b == 0) return false;
  const ba = baOf(em);
  const gf = groupFree(em, g);
  const end = groupBlocks(em, g);
  let best: u32 = 0;
  let i = from < end ? from : 0;
  let stop = end;
  for (let pass = 0; pass < 2; pass++) {
    while (i < stop) {
      const s = bitsNextClear(b, gf.gf_mask, i, stop);
      if (s >= stop) break;
      const e = bitsNextSet(b, gf.gf_mask, s, end - s > want ? s + want : end);
      if (e - s >= least) {
        ba.ba_fgroup = g;
        ba.ba_fbit = s;
        ba.ba_flen = e - s;
        ext4Brelse(b);
        return true;
      }
      if (e - s > best) best = e - s;
      i = e + 1;
    }
    i = 0;
    stop = from < end ? from : 0;
  }
  ext4Brelse(b);
  gf.gf_maxrun = best;
  return false;
}

/** The run that begins at the goal itself, if it is free. */
function findAtGoal(em: Ext4Mount, goal: u64, want: u32): bool {
  const g = groupOf(em, goal);
  if (giFlags(em, g) & GI_FROZEN) return false;
  const b = bitmapGet(em, g);
  if (b == 0) return false;
  const bit = <u32>(goal - groupFirst(em, g));
  const end = groupBlocks(em, g);
  const e = bitsNextSet(b, groupFree(em, g).gf_mask, bit, end - bit > want ? bit + want : end);
  ext4Brelse(b);
  const ba = baOf(em);
  ba.ba_fgroup = g;
  ba.ba_fbit = bit;
  ba.ba_flen = e - bit;
  return e != bit;
}

/** Groups from g0 on: one with a run of all that is wanted; if none has, of half, of a quarter … */
function findFrom(em: Ext4Mount, g0: u32, want: u32): bool {
  for (let least = want; least != 0; least >>= 1) {
    let g = g0;
    for (let k: u32 = 0; k < em.em_groups; k++) {
      const gf = groupFree(em, g);
      if (
        gf.gf_maxrun >= least &&
        gdFreeBlocks(em, groupDesc(em, g)) >= least &&
        (giFlags(em, g) & (GI_FROZEN | GI_BBITMAP_BAD)) == 0 &&
        findInGroup(em, g, gf.gf_next, least, want)
      ) {
        return true;
      }
      if (++g == em.em_groups) g = 0;
    }
  }
  return false;
}

// ── taking and freeing ───────────────────────────────────────────────────────────────────────

/**
 * Take a run of up to `want` blocks, at `goal` if that is not 0 and free, else in group g0 or behind. Returns how
 * many, the first at `out`; or -ENOSPC: no group has room; or why one that might have could not be searched. Within
 * a handle (CREDITS_GROUP). Whether the caller may have blocks at all is ext4MayTake's to say.
 */
export function ballocTake(em: Ext4Mount, goal: u64, g0: u32, want: u32, out: usize): i32 {
  ext4LockInside(em);
  baOf(em).ba_error = 0;
  freedRelease(em, false);
  let found = goal != 0 && blockInRange(em, goal, 1) && findAtGoal(em, goal, want);
  if (!found) found = findFrom(em, goal != 0 && blockInRange(em, goal, 1) ? groupOf(em, goal) : g0, want);
  if (!found && windowsDrop(em)) found = findFrom(em, g0, want);
  const why = baOf(em).ba_error;
  const r = found ? takeFound(em, out) : why != 0 ? why : -ENOSPC;
  emUnlock(em);
  return r;
}

/** Take what a search found. em_lock held. */
function takeFound(em: Ext4Mount, out: usize): i32 {
  const ba = baOf(em);
  const g = ba.ba_fgroup;
  const bit = ba.ba_fbit;
  const n = ba.ba_flen;
  const b = bitmapGet(em, g);
  if (b == 0) return ba.ba_error;
  const e = bitsChange(em, g, b, bit, n, true);
  ext4Brelse(b);
  if (e != 0) return e;
  groupFree(em, g).gf_next = bit + n;
  store<u64>(out, groupFirst(em, g) + bit);
  return <i32>n;
}

/** Take these blocks, which are free and were kept for the caller (window.ts). em_lock held. */
export function ballocTakeKept(em: Ext4Mount, pblk: u64, n: u32, out: usize): i32 {
  const ba = baOf(em);
  ba.ba_fgroup = groupOf(em, pblk);
  ba.ba_fbit = <u32>(pblk - groupFirst(em, ba.ba_fgroup));
  ba.ba_flen = n;
  return takeFound(em, out);
}

/** How many of the `n` blocks from pblk on are free for all, in its group. em_lock held. */
export function ballocFreeAt(em: Ext4Mount, pblk: u64, n: u32): u32 {
  if (!blockInRange(em, pblk, 1)) return 0;
  return findAtGoal(em, pblk, n) ? baOf(em).ba_flen : 0;
}

/**
 * A run will be freed in this handle: its groups' bitmaps and descriptors are in RAM then, and dirty. 0, or an errno,
 * and what holds the run is to be left as it is. (What makes no sense is ballocFree's to say.)
 */
export function ballocReady(em: Ext4Mount, pblk: u64, n: u32): i32 {
  if (!blockInRange(em, pblk, n)) return 0;
  const last = groupOf(em, pblk + n - 1);
  let e: i32 = 0;
  ext4LockInside(em);
  for (let g = groupOf(em, pblk); g <= last && e == 0; g++) {
    const b = bitmapGet(em, g);
    if (b != 0) {
      e = ext4Dirty(em, b, gdBlockBitmap(em, groupDesc(em, g)));
      if (e == 0) e = groupWill(em, g);
      ext4Brelse(b);
    } else if ((giFlags(em, g) & GI_BBITMAP_BAD) == 0) e = baOf(em).ba_error;
  }
  emUnlock(em);
  return e;
}

/**
 * Free a run: 0, or -EUCLEAN if it is none of a file's or not in use (the disk is wrong, and that has been said).
 * Within a handle: CREDITS_GROUP for each group that it touches. What fails for another reason ends the journal: the
 * run is in no map any more (ballocReady before that is what keeps this from happening).
 */
export function ballocFree(em: Ext4Mount, pblk: u64, n: u32): i32 {
  if (!blockInRange(em, pblk, n) || metaOverlaps(em, pblk, n)) return ext4Error(em, 'freeing', 0, pblk);
  let error: i32 = 0;
  ext4LockInside(em);
  while (n != 0 && error == 0) {
    const g = groupOf(em, pblk);
    const bit = <u32>(pblk - groupFirst(em, g));
    const left = groupBlocks(em, g) - bit;
    const now = n < left ? n : left;
    error = freeInGroup(em, g, bit, now);
    pblk += now;
    n -= now;
  }
  emUnlock(em);
  return error;
}

function freeInGroup(em: Ext4Mount, g: u32, bit: u32, n: u32): i32 {
  const b = bitmapGet(em, g);
  if (b == 0) {
    const why = baOf(em).ba_error;
    ext4Error(em, 'freeing', 0, groupFirst(em, g) + bit);
    return why == -EUCLEAN ? why : ext4Half(em, why);
  }
  let e: i32 = 0;
  if (bitsNextClear(b, 0, bit, bit + n) != bit + n) e = ext4Error(em, 'freed twice', 0, groupFirst(em, g) + bit);
  else e = bitsChange(em, g, b, bit, n, false);
  ext4Brelse(b);
  if (e != 0) return e;
  groupFree(em, g).gf_maxrun = RUN_UNKNOWN;
  if (freedAdd(em, g, bit, n) != 0) giSet(em, g, GI_FROZEN);
  return 0;
}

// ── who may have blocks ──────────────────────────────────────────────────────────────────────

/** Free blocks that are promised to nobody, for a caller who may or may not have root's. em_lock held. */
function available(em: Ext4Mount): u64 {
  let kept = em.em_reserved;
  const cred = curcred();
  const privileged =
    cred.cr_uid == 0 || cred.cr_uid == em.em_resuid || (em.em_resgid != 0 && cred.cr_gid == em.em_resgid);
  if (!privileged) kept += em.em_rblocks;
  return em.em_freeblocks > kept ? em.em_freeblocks - kept : 0;
}

/** May this call's process take n blocks now? */
export function ext4MayTake(em: Ext4Mount, n: u64): bool {
  ext4LockInside(em);
  const ok = available(em) >= n;
  emUnlock(em);
  return ok;
}

/** Promise n blocks to delayed data and its map: 0 or -ENOSPC. */
export function ext4Reserve(em: Ext4Mount, n: u64): i32 {
  ext4LockInside(em);
  const ok = available(em) >= n + baOf(em).ba_keep;
  if (ok) em.em_reserved += n;
  emUnlock(em);
  return ok ? 0 : -ENOSPC;
}

export function ext4Unreserve(em: Ext4Mount, n: u64): void {
  ext4LockInside(em);
  em.em_reserved -= n < em.em_reserved ? n : em.em_reserved;
  emUnlock(em);
}

/** Would a commit make blocks free for all? Then -ENOSPC is not the last word. */
export function ballocWaits(em: Ext4Mount): bool {
  return baOf(em).ba_pending != 0 || baOf(em).ba_frozen != 0;
}

/** Mode of allocations that a free may not fail for. */
export const FREED_ALLOC: u32 = ALLOC_RESERVE;
