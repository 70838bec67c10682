/**
 * Locks, and the one order they are taken in.
 *
 *     RANK_MOUNTS   the mount list
 *     RANK_RENAME   a directory rename (two directories' names change place in the tree)
 *     RANK_NAME     a namecache entry; parent before child
 *     RANK_VNODE    a vnode's attributes
 *     RANK_RANGE    a byte range of an fscache
 *     RANK_JOURNAL  a journal handle
 *     RANK_PAGE     a busy page
 *     RANK_FS       a file system's private lock
 *     RANK_SPIN     zones, queues, lists: never held across a call that may sleep or reach the host
 *
 * Rules, each checked in debug builds by the CPU's stack of held locks:
 *  L1. A lock is taken only while every lock held has a lower rank. A second one of the same rank
 *      needs lockExclusiveSame, called only by helpers that fix the order between the two.
 *  L2. A try-lock may break the order: it never waits.
 *  L3. A CPU that leaves the kernel holds nothing.
 *
 * A lock is two words: 0 free, LK_EXCL | cpu + 1, or the number of shared holders; and a count of
 * waiters. In `up` nothing that holds a lock ever waits, so a lock found taken is a broken
 * invariant; the word is kept all the same, because reclaim must see what the call in progress
 * has locked. In `smp` a waiter sleeps on the word, in slices, to notice a dead machine.
 *
 * Alone. An atomic read-modify-write costs ten times a plain one, and a rename makes some fifty. So in
 * `smp` too a call changes lock words, counts and what readers without locks look at by plain loads
 * and stores, and takes no spin or range lock at all, while it is *alone* (curalone): no other CPU is in the
 * kernel, or enters it, before that call has left. How both sides know:
 *
 *     cpuEnter                                  cpuJoin, before an attaching CPU touches anything shared
 *       c_state := KERNEL   (cmpxchg)             r_attached += 1             (atomic)
 *       alone := r_attached == 1  (atomic)        for every slot that has a CPU:
 *       … the call …                                wait until c_state != KERNEL  (atomic)
 *     cpuLeave
 *       c_state := USER     (atomic)
 *
 *  A1. Wasm's atomics have one total order, so of a call that enters and a CPU that joins one sees the
 *      other: either the call reads the new r_attached, and is not alone, or its KERNEL is older than
 *      the joiner's look at c_state, and the joiner waits for its end. A joiner that sees USER, or another
 *      call's KERNEL, has seen a moment after which every call enters with the new count.
 *  A2. A CPU that joins the table later than the joiner looked at its slot counted itself before, and
 *      reads r_attached after it is in the table, so after the joiner's addition too: never alone.
 *  A3. What an alone call stored plainly happens before its c_state := USER, which the joiner has read
 *      (or a later value); what a CPU did happens before its r_attached -= 1, its last access
 *      (cpuDetach), which a call that finds itself alone again has read.
 *  A4. A call is alone from beginning to end or not at all: curalone changes in cpuEnter and cpuLeave
 *      only. So a lock that was not taken is not released; and as no lock outlives its call (L3), none
 *      changes hands between the two ways.
 *  A5. A CPU that is killed or forgotten never leaves r_attached: the others pay for atomics, no more.
 */
import { MACHINE_DEAD } from '../abi/layout';
import { bb, BootBlock } from './boot';
import { curalone, curcpu } from './cpu';
import { panicAt } from './panic';
import { waitWord } from './words';

export const RANK_MOUNTS: u32 = 1;
export const RANK_RENAME: u32 = 2;
export const RANK_NAME: u32 = 3;
export const RANK_VNODE: u32 = 4;
export const RANK_RANGE: u32 = 5;
export const RANK_JOURNAL: u32 = 6;
export const RANK_PAGE: u32 = 7;
export const RANK_FS: u32 = 8;
export const RANK_SPIN: u32 = 9;

const LK_EXCL: u32 = 0x80000000;
/** A wait is sliced so that a dead machine is noticed. */
const SLICE_NS: i64 = 100_000_000;
export const HELD_MAX: u32 = 32;

/** Debug: push onto this CPU's stack of held locks, checking L1. */
export function heldPush(lk: usize, rank: u32, same: bool, tried: bool): void {
  const c = curcpu;
  const n = c.c_nheld;
  if (n >= HELD_MAX) panicAt('too many locks held', lk);
  if (!tried) {
    for (let i: u32 = 0; i < n; i++) {
      const r = load<u32>(c.heldAt(i) + 4);
      if (r > rank || (r == rank && !same)) panicAt('lock order', lk);
    }
  }
  store<u32>(c.heldAt(n), <u32>lk);
  store<u32>(c.heldAt(n) + 4, rank);
  c.c_nheld = n + 1;
}

export function heldPop(lk: usize): void {
  const c = curcpu;
  let i = c.c_nheld;
  while (i > 0) {
    i--;
    if (load<u32>(c.heldAt(i)) == <u32>lk) {
      for (let j = i + 1; j < c.c_nheld; j++) store<u64>(c.heldAt(j - 1), load<u64>(c.heldAt(j)));
      c.c_nheld--;
      return;
    }
  }
  panicAt('releasing a lock that is not held', lk);
}

function lockWait(lk: usize, seen: u32): void {
  if (SMP) {
    atomic.add<u32>(lk + 4, 1);
    // a thread that may not block looks again and again
    if (curcpu.c_nowait == 0) waitWord(lk, seen, SLICE_NS);
    atomic.sub<u32>(lk + 4, 1);
    if (atomic.load<u32>(changetype<usize>(bb()) + offsetof<BootBlock>('bb_state')) == MACHINE_DEAD) unreachable();
  } else panicAt('lock taken in up', lk);
}

function lockExclusiveSlow(lk: usize): void {
  const mine = LK_EXCL | (curcpu.c_id + 1);
  while (true) {
    const w = atomic.load<u32>(lk);
    if (w == 0) {
      if (atomic.cmpxchg<u32>(lk, 0, mine) == 0) return;
    } else {
      if (w == mine) panicAt('lock taken twice', lk);
      lockWait(lk, w);
    }
  }
}

// @ts-ignore: decorator
@inline
function takeExclusive(lk: usize): void {
  if (SMP) {
    if (curalone != 0 && load<u32>(lk) == 0) store<u32>(lk, LK_EXCL | (curcpu.c_id + 1));
    else if (atomic.cmpxchg<u32>(lk, 0, LK_EXCL | (curcpu.c_id + 1)) != 0) lockExclusiveSlow(lk);
  } else {
    if (DEBUG) if (load<u32>(lk) != 0) lockWait(lk, 0);
    store<u32>(lk, LK_EXCL | 1);
  }
}

// @ts-ignore: decorator
@inline
export function lockExclusive(lk: usize, rank: u32): void {
  if (DEBUG) heldPush(lk, rank, false, false);
  takeExclusive(lk);
}

/** A second lock of one rank; the caller fixes the order between the two. */
// @ts-ignore: decorator
@inline
export function lockExclusiveSame(lk: usize, rank: u32): void {
  if (DEBUG) heldPush(lk, rank, true, false);
  takeExclusive(lk);
}

/** True if it was free and is now held. */
export function lockTryExclusive(lk: usize, rank: u32): bool {
  if (SMP && curalone == 0) {
    if (atomic.cmpxchg<u32>(lk, 0, LK_EXCL | (curcpu.c_id + 1)) != 0) return false;
  } else {
    if (load<u32>(lk) != 0) return false;
    store<u32>(lk, LK_EXCL | (curcpu.c_id + 1));
  }
  if (DEBUG) heldPush(lk, rank, true, true);
  return true;
}

export function lockShared(lk: usize, rank: u32): void {
  if (DEBUG) heldPush(lk, rank, false, false);
  if (SMP && (curalone == 0 || (load<u32>(lk) & LK_EXCL) != 0)) {
    while (true) {
      const w = atomic.load<u32>(lk);
      if ((w & LK_EXCL) == 0) {
        if (atomic.cmpxchg<u32>(lk, w, w + 1) == w) return;
      } else lockWait(lk, w);
    }
  } else {
    if (DEBUG) if (load<u32>(lk) & LK_EXCL) lockWait(lk, 0);
    store<u32>(lk, load<u32>(lk) + 1);
  }
}

/** Release either kind. */
// @ts-ignore: decorator
@inline
export function lockRelease(lk: usize): void {
  if (DEBUG) heldPop(lk);
  if (SMP && curalone == 0) {
    const w = atomic.load<u32>(lk);
    if (w & LK_EXCL) atomic.store<u32>(lk, 0);
    else atomic.sub<u32>(lk, 1);
    if (atomic.load<u32>(lk + 4) != 0) atomic.notify(lk, -1);
  } else {
    const w = load<u32>(lk);
    store<u32>(lk, w & LK_EXCL ? 0 : w - 1);
  }
}

/** Is it held exclusively (by whoever)? For assertions and for reclaim. */
// @ts-ignore: decorator
@inline
export function lockIsExclusive(lk: usize): bool {
  return (load<u32>(lk) & LK_EXCL) != 0;
}

// @ts-ignore: decorator
@inline
export function lockIsHeld(lk: usize): bool {
  return load<u32>(lk) != 0;
}

// ── spin locks: one word ─────────────────────────────────────────────────────────────────────

function spinSlow(lk: usize): void {
  let spins: u32 = 0;
  while (atomic.cmpxchg<u32>(lk, 0, 1) != 0) {
    if (++spins > 1000) {
      if (curcpu.c_nowait == 0) waitWord(lk, 1, 1_000_000);
      if (bb().bb_state == MACHINE_DEAD) unreachable();
    }
  }
}

// @ts-ignore: decorator
@inline
export function spinLock(lk: usize): void {
  if (DEBUG) heldPush(lk, RANK_SPIN, true, false);
  if (SMP && curalone == 0) {
    if (atomic.cmpxchg<u32>(lk, 0, 1) != 0) spinSlow(lk);
  } else if (DEBUG) {
    if (load<u32>(lk) != 0) panicAt('spin lock taken twice', lk);
    store<u32>(lk, 1);
  }
}

/** True if it was free and is now held. */
export function spinTry(lk: usize): bool {
  if (SMP && curalone == 0) {
    if (atomic.cmpxchg<u32>(lk, 0, 1) != 0) return false;
  } else if (DEBUG) {
    if (load<u32>(lk) != 0) return false;
    store<u32>(lk, 1);
  }
  if (DEBUG) heldPush(lk, RANK_SPIN, true, true);
  return true;
}

// @ts-ignore: decorator
@inline
export function spinUnlock(lk: usize): void {
  if (DEBUG) heldPop(lk);
  if (SMP && curalone == 0) atomic.store<u32>(lk, 0);
  else if (DEBUG) store<u32>(lk, 0);
}

// ── words read without locks ─────────────────────────────────────────────────────────────────

/** A word that another CPU may be writing. */
// @ts-ignore: decorator
@inline
export function ld32(p: usize): u32 {
  if (SMP) return atomic.load<u32>(p);
  return load<u32>(p);
}

// @ts-ignore: decorator
@inline
export function st32(p: usize, v: u32): void {
  if (SMP && curalone == 0) atomic.store<u32>(p, v);
  else store<u32>(p, v);
}

/** Set bits of a word that other CPUs change too. */
// @ts-ignore: decorator
@inline
export function or32(p: usize, bits: u32): u32 {
  if (SMP && curalone == 0) return atomic.or<u32>(p, bits);
  const old = load<u32>(p);
  store<u32>(p, old | bits);
  return old;
}

/** Keep these bits of one, and clear the others. Returns what it was. */
// @ts-ignore: decorator
@inline
export function and32(p: usize, bits: u32): u32 {
  if (SMP && curalone == 0) return atomic.and<u32>(p, bits);
  const old = load<u32>(p);
  store<u32>(p, old & bits);
  return old;
}

/** Add, returning the old value. */
// @ts-ignore: decorator
@inline
export function add32(p: usize, v: u32): u32 {
  if (SMP && curalone == 0) return atomic.add<u32>(p, v);
  const old = load<u32>(p);
  store<u32>(p, old + v);
  return old;
}
