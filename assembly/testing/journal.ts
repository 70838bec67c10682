/**
 * The kernel with its journal exported, for tests that drive it without a file system: handles, blocks,
 * commits, recovery, on the disk in slot 0.
 *
 * Calls are made inside the kernel, between jt_enter and jt_leave. A block's bytes cross through RAM at
 * `at`. Block numbers cross as f64.
 */
import { EAGAIN, EIO } from '../abi/errno';
import { cpuEnter, cpuLeave } from '../kern/cpu';
import { diskDropCache, diskFind, diskSync } from '../dev/disk';
import { bget, bread, brelse, bufError } from '../vfs/buf';
import { Fscache } from '../vfs/fscache';
import { vop_putpages } from '../vfs/vop';
import {
  Journal,
  journalAbort,
  journalBegin,
  journalCheckpoint,
  journalCommit,
  journalCommitted,
  journalDirty,
  journalEnd,
  journalExtend,
  journalForget,
  journalPressure,
  journalRevoke,
  journalRoom,
  journalTid,
} from '../fs/jbd2/journal';
import { journalAlloc, journalClose, journalFree, journalLoad, journalStart } from '../fs/jbd2/open';
import { journalAddRun } from '../fs/jbd2/log';
import { journalNeedsRecovery, journalRecover } from '../fs/jbd2/recover';

export * from '../index';

// @ts-ignore: decorator
@inline
function jnAt(jn: usize): Journal {
  return changetype<Journal>(jn);
}

function cache(): Fscache {
  return diskFind(0, 0).dk_fc;
}

export function jt_enter(): i32 {
  return cpuEnter();
}
export function jt_leave(): i32 {
  return cpuLeave(0);
}

// ── from superblock to end ───────────────────────────────────────────────────────────────────
export function jt_alloc(shift: u32, fsblocks: f64): usize {
  return changetype<usize>(journalAlloc(cache(), shift, <u64>fsblocks));
}
export function jt_run(jn: usize, pblk: f64, len: u32): i32 {
  return journalAddRun(jnAt(jn), <u64>pblk, len);
}
export function jt_load(jn: usize): i32 {
  return journalLoad(jnAt(jn));
}
export function jt_needs(jn: usize): i32 {
  return journalNeedsRecovery(jnAt(jn)) ? 1 : 0;
}
export function jt_recover(jn: usize): i32 {
  return journalRecover(jnAt(jn));
}
export function jt_start(jn: usize, want: u32): i32 {
  return journalStart(jnAt(jn), want);
}
export function jt_close(jn: usize): i32 {
  return journalClose(jnAt(jn));
}
export function jt_free(jn: usize): void {
  journalFree(jnAt(jn));
}
export function jt_abort(jn: usize, error: i32): void {
  journalAbort(jnAt(jn), error);
}

// ── handles and commits ──────────────────────────────────────────────────────────────────────
export function jt_begin(jn: usize, credits: u32): i32 {
  let e = journalBegin(jnAt(jn), credits);
  while (e == -EAGAIN) {
    e = journalRoom(jnAt(jn), credits);
    if (e == 0) e = journalBegin(jnAt(jn), credits);
  }
  return e;
}
export function jt_extend(jn: usize, credits: u32): i32 {
  return journalExtend(jnAt(jn), credits);
}
export function jt_end(jn: usize): void {
  journalEnd(jnAt(jn));
}
export function jt_forget(jn: usize, block: f64): void {
  journalForget(jnAt(jn), <u64>block);
}
export function jt_revoke(jn: usize, block: f64, count: u32): void {
  journalRevoke(jnAt(jn), <u64>block, count);
}
export function jt_commit(jn: usize): i32 {
  return journalCommit(jnAt(jn));
}
export function jt_checkpoint(jn: usize): i32 {
  return journalCheckpoint(jnAt(jn));
}
export function jt_tid(jn: usize): u32 {
  return journalTid(jnAt(jn));
}
export function jt_committed(jn: usize, tid: u32): i32 {
  return journalCommitted(jnAt(jn), tid) ? 1 : 0;
}
export function jt_pressure(jn: usize, now: u32, seconds: u32): i32 {
  return journalPressure(jnAt(jn), now, seconds) ? 1 : 0;
}
/** 0: blocks of the running transaction; 1: of the log, in use; 2: of the log; 3: revoke records; 4: the most of a
 *  transaction; 5: where the next goes; 6: credits that open handles have not used; 7: second in which the
 *  running transaction began. */
export function jt_count(jn: usize, what: u32): u32 {
  const j = jnAt(jn);
  if (what == 0) return j.jn_running;
  if (what == 1) return j.jn_used;
  if (what == 2) return j.jn_last - j.jn_first;
  if (what == 3) return j.jn_nrevoke;
  if (what == 4) return j.jn_max;
  if (what == 5) return j.jn_head;
  return what == 6 ? j.jn_reserved : j.jn_time;
}

// ── blocks ───────────────────────────────────────────────────────────────────────────────────
/** Make a block of the bytes at `at`, in the open handle. */
export function jt_put(jn: usize, block: f64, at: usize): i32 {
  const j = jnAt(jn);
  const b = bget(j.jn_fc, <u64>block, j.jn_shift);
  if (b == 0) return bufError();
  memory.copy(b, at, j.jn_bsize);
  const e = journalDirty(j, b, <u64>block);
  brelse(b);
  return e;
}
/** What a block is in the cache. */
export function jt_get(block: f64, shift: u32, at: usize): i32 {
  const b = bread(cache(), <u64>block, shift);
  if (b == 0) return bufError();
  memory.copy(at, b, (<usize>1) << shift);
  brelse(b);
  return 0;
}
/** Write-back of what may go home. */
export function jt_writeback(): i32 {
  return vop_putpages(cache().fc_fm, cache(), 0, u32.MAX_VALUE, 0);
}
/** Write what may be written, and forget what is cached: as when the last user of the disk goes. */
export function jt_drop(): i32 {
  const dk = diskFind(0, 0);
  if (changetype<usize>(dk) == 0) return -EIO;
  const e = diskSync(dk);
  diskDropCache(dk);
  return e;
}
/** Forget what is cached, written or not: as when the power goes. */
export function jt_powercut(): void {
  diskDropCache(diskFind(0, 0));
}
