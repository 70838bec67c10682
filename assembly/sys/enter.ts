/**
 * Entering and leaving: what every exported call does first and last.
 *
 *     const e = sysEnter();
 *     if (e != 0) return e;
 *     return sysLeave(inner(…));
 *
 * The export checks nothing else: its inner function returns early as it likes.
 */
import { ERESTART, ESRCH } from '../abi/errno';
import { CPU_RUNNABLE } from '../abi/layout';
import { bb, Roots, roots } from '../kern/boot';
import { anythingLeft, cpuEnter, cpuLeave, curcpu, curprocp } from '../kern/cpu';
import { ld32 } from '../kern/lock';
import { waitWord } from '../kern/words';
import { File } from '../proc/file';
import { CALL_FCNTL, Lwp, lwpFree, lwpResume, lwpUnlink } from '../proc/sleep';
import { lockWaitEnd } from '../vfs/advlock';
import { fileDrop } from '../vfs/vfile';
import { writebackDue, writebackShortage } from '../vfs/writeback';
import { pageShortage } from '../vm/page';
import { leaveSlow } from './exit';

/** How often clean pages are looked for again while other CPUs leave the kernel, a tenth of a millisecond apart. */
const RECLAIM_TURNS: u32 = 20;

/** Pages go once every CPU has left the kernel (vfs/dirty.ts, D6). This one has nothing of theirs yet, and waits a little. */
function reclaimTurns(): void {
  const r = roots();
  for (let turn: u32 = 0; turn < RECLAIM_TURNS; turn++) {
    if (bb().bb_frames_free >= r.r_lowwater || r.r_nclean < r.r_lowwater) return;
    curcpu.c_epoch = ld32(changetype<usize>(r) + offsetof<Roots>('r_epoch'));
    if (turn != 0 && curcpu.c_nowait == 0) waitWord(changetype<usize>(curcpu) + CPU_RUNNABLE, ld32(changetype<usize>(curcpu) + CPU_RUNNABLE), 100_000);
    pageShortage();
  }
}

/** sysEnter where there is something to do first. */
export function enterSlow(): i32 {
  const r = roots();
  if (r.r_entermark != r.r_lowwater) {
    r.r_entermark = r.r_lowwater;
    writebackDue();
  }
  if (bb().bb_frames_free < r.r_lowwater) {
    pageShortage();
    if (SMP) reclaimTurns();
    if (bb().bb_frames_free < r.r_lowwater && writebackShortage()) pageShortage();
  }
  if (curprocp != 0) return 0;
  cpuLeave(0);
  return -ESRCH;
}

/** 0, or the error to return at once. Reclaims first if frames are short: nothing is held here. */
// @ts-ignore: decorator
@inline
export function sysEnter(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  if (curprocp == 0 || bb().bb_frames_free < roots().r_entermark) return enterSlow();
  return 0;
}

/** The call ends with this result, or has blocked (-ERESTART). Whom it sent a deadly signal ends now. */
// @ts-ignore: decorator
@inline
export function sysLeave(result: i32): i32 {
  if (curcpu.c_lwp != 0) leaveLwp(result);
  if (anythingLeft()) leaveSlow();
  return cpuLeave(result);
}


/** A call that has an Lwp: it waits on, or it is done with it. */
export function leaveLwp(result: i32): void {
  const c = curcpu;
  const l = lwpResume();
  c.c_lwp = 0;
  if (result == -ERESTART) {
    c.c_lwplast = l.lwp_id;
    return;
  }
  lwpRelease(l);
}

/** Off its queues, its file dropped, freed. */
export function lwpRelease(l: Lwp): void {
  // resumed, but the host gave it up, or its process, instead of going on
  if (curcpu.c_lwp == <u32>changetype<usize>(l)) curcpu.c_lwp = 0;
  lwpUnlink(l);
  if (l.lwp_call == CALL_FCNTL) lockWaitEnd(l);
  const fp = changetype<File>(<usize>l.lwp_file);
  lwpFree(l);
  if (changetype<usize>(fp) != 0) fileDrop(fp);
}
