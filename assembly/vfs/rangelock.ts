/**
 * Range locks of an fscache: reads take [off, off + len) shared, writes take it exclusive, and
 * whatever changes the size takes it exclusive to infinity. So a read never sees half of a write,
 * as POSIX asks, while calls on apart ranges go on together.
 *
 * The records are in the CPU's scratch (a call holds at most RANGE_MAX of them). In `up`, and for a
 * call that is alone (kern/lock.ts), nobody else can hold one: what remains is the debug check of
 * rank and balance.
 */
import { MACHINE_DEAD } from '../abi/layout';
import { bb } from '../kern/boot';
import { curalone, curcpu, CPU_SCRATCH } from '../kern/cpu';
import { heldPop, heldPush, RANK_RANGE, spinLock, spinUnlock } from '../kern/lock';
import { panicAt } from '../kern/panic';
import { waitWord } from '../kern/words';
import { Fscache } from './fscache';

@unmanaged
export class RangeLock {
  rl_start: u64;
  rl_end: u64; //    exclusive
  rl_next: u32; //   fc_rl
  rl_fc: u32; //     0: this record is free
  rl_excl: u32; //   RL_*
  rl_word: u32; //   bumped and notified on release, if RL_WAITED
}

const RL_EXCL: u32 = 1;
/** Somebody waits for it: set, as all of a record, under fc_rllock. */
const RL_WAITED: u32 = 2;
export const RANGE_MAX: u32 = 2;
export const RANGE_END: u64 = u64.MAX_VALUE;

if (offsetof<RangeLock>() != 32) ERROR('RangeLock');

function lockAddr(fc: Fscache): usize {
  return changetype<usize>(fc) + offsetof<Fscache>('fc_rllock');
}

function conflict(fc: Fscache, start: u64, end: u64, excl: u32): RangeLock {
  for (let p = fc.fc_rl; p != 0; ) {
    const rl = changetype<RangeLock>(<usize>p);
    if (rl.rl_start < end && start < rl.rl_end && ((excl | rl.rl_excl) & RL_EXCL) != 0) return rl;
    p = rl.rl_next;
  }
  return changetype<RangeLock>(<usize>0);
}

function take(fc: Fscache, start: u64, end: u64, excl: u32, same: bool): void {
  if (DEBUG) heldPush(lockAddr(fc) ^ 1, RANK_RANGE, same, false);
  if (!SMP || curalone != 0) return;
  const base = changetype<usize>(curcpu) + CPU_SCRATCH;
  let rl = changetype<RangeLock>(base);
  if (rl.rl_fc != 0) rl = changetype<RangeLock>(base + offsetof<RangeLock>());
  if (rl.rl_fc != 0) panicAt('too many range locks', changetype<usize>(fc));
  rl.rl_start = start;
  rl.rl_end = end;
  rl.rl_excl = excl;
  rl.rl_fc = <u32>changetype<usize>(fc);
  while (true) {
    spinLock(lockAddr(fc));
    const other = conflict(fc, start, end, excl);
    if (changetype<usize>(other) == 0) {
      rl.rl_next = fc.fc_rl;
      fc.fc_rl = <u32>changetype<usize>(rl);
      spinUnlock(lockAddr(fc));
      return;
    }
    const word = changetype<usize>(other) + offsetof<RangeLock>('rl_word');
    const seen = atomic.load<u32>(word);
    other.rl_excl |= RL_WAITED;
    spinUnlock(lockAddr(fc));
    waitWord(word, seen, 100_000_000);
    if (bb().bb_state == MACHINE_DEAD) unreachable();
  }
}

export function rangeShared(fc: Fscache, start: u64, end: u64): void {
  take(fc, start, end, 0, false);
}

export function rangeExclusive(fc: Fscache, start: u64, end: u64): void {
  take(fc, start, end, RL_EXCL, false);
}

/** The second range of a call that copies; the caller takes the lower-addressed fscache first. */
export function rangeExclusiveSecond(fc: Fscache, start: u64, end: u64): void {
  take(fc, start, end, RL_EXCL, true);
}

/** Release this call's lock on the fscache (the one taken last, if it holds two there). */
export function rangeRelease(fc: Fscache): void {
  if (DEBUG) heldPop(lockAddr(fc) ^ 1);
  if (!SMP || curalone != 0) return;
  const base = changetype<usize>(curcpu) + CPU_SCRATCH;
  let rl = changetype<RangeLock>(base + offsetof<RangeLock>());
  if (rl.rl_fc != <u32>changetype<usize>(fc)) rl = changetype<RangeLock>(base);
  if (rl.rl_fc != <u32>changetype<usize>(fc)) panicAt('range lock is not held', changetype<usize>(fc));
  spinLock(lockAddr(fc));
  let link = changetype<usize>(fc) + offsetof<Fscache>('fc_rl');
  while (load<u32>(link) != <u32>changetype<usize>(rl)) {
    link = <usize>load<u32>(link) + offsetof<RangeLock>('rl_next');
  }
  store<u32>(link, rl.rl_next);
  rl.rl_fc = 0;
  const word = changetype<usize>(rl) + offsetof<RangeLock>('rl_word');
  const waited = (rl.rl_excl & RL_WAITED) != 0;
  if (waited) atomic.add<u32>(word, 1);
  spinUnlock(lockAddr(fc));
  if (waited) atomic.notify(word, -1);
}
