/**
 * How processes end: by sys_exit, by a signal, by the host's hand (proc_exit), or with the machine.
 *
 * What a process holds is given back at once, when no lock is held; the Proc stays as a zombie
 * until its parent has waited for it, or goes too if nobody will. What a process gives back may end
 * others (a terminal's master hangs up its session), so the doomed are a list that is worked off,
 * not a recursion.
 */
import { EBUSY } from '../abi/errno';
import { PE_EXIT } from '../abi/layout';
import { SIGCHLD } from '../abi/signals';
import { ttySessionEnd } from '../dev/tty';
import { roots } from '../kern/boot';
import { anythingLeft, CD_CURRENT, cpuLeave, cpuSetProc, curcpu, curprocp } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { credDrop } from '../proc/cred';
import {
  PF_DOOMED,
  PF_ENDING,
  Proc,
  procDropArgs,
  procFindLocked,
  procFree,
  procLetGo,
  procLock,
  procSeize,
  procUnlink,
  PS_LIVE,
  PS_ZOMBIE,
} from '../proc/proc';
import { doomLocked, procTell, procUntell, sigBit, signalPostLocked } from '../proc/signal';
import { lwpOf, wakeup } from '../proc/sleep';
import { procClose } from '../vfs/procdirs';
import { mountSweep } from '../vfs/vfsmount';
import { deferredRun } from '../vfs/vnode';
import { lwpRelease } from './enter';
import { guestEndLocked } from './wasi/guest';

/** Whose status nobody will ask for goes altogether. r_proclock held. */
function reapable(p: Proc): bool {
  const parent = procFindLocked(p.p_ppid);
  if (changetype<usize>(parent) == 0 || parent.p_state != PS_LIVE) return true;
  return (parent.p_sigignore & sigBit(SIGCHLD)) != 0;
}

/** A zombie goes: its number is free again. It is the caller's: off the list already (procUnlink). */
export function procReap(p: Proc): void {
  credDrop(p.p_cred);
  procFree(p);
}

/** A child of p's that has not been given to `heir` yet, and is not p itself: now it is. r_proclock held. */
function orphanNext(p: Proc, heir: i32): Proc {
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const child = changetype<Proc>(<usize>q);
    if (child.p_ppid != p.p_pid || changetype<usize>(child) == changetype<usize>(p)) continue;
    child.p_ppid = heir;
    return child;
  }
  return changetype<Proc>(<usize>0);
}

/** Its children become process 1's (nobody's, if it is that itself). */
function orphan(p: Proc): void {
  let inherited = false;
  while (true) {
    spinLock(procLock());
    const init = procFindLocked(1);
    const heir = changetype<usize>(init) == 0 || changetype<usize>(init) == changetype<usize>(p) ? 0 : 1;
    const child = orphanNext(p, heir);
    let reap = false;
    // one that is still ending looks at its new parent itself
    if (changetype<usize>(child) != 0 && child.p_state == PS_ZOMBIE && (child.p_flag & PF_ENDING) == 0) {
      reap = reapable(child);
      if (reap) procUnlink(child);
      else inherited = true;
    }
    if (changetype<usize>(child) == 0 && inherited) {
      signalPostLocked(init, SIGCHLD);
      wakeup(init.p_chan);
    }
    spinUnlock(procLock());
    if (reap) procReap(child);
    if (changetype<usize>(child) == 0) return;
  }
}

/** Give back all that a process holds; it is a zombie with this status. No lock is held. */
function procEnd(p: Proc, status: u32): void {
  if (curprocp == changetype<usize>(p)) cpuSetProc(0, 0);
  // what it left waiting is given up
  for (let l = lwpOf(<u32>changetype<usize>(p), 0); changetype<usize>(l) != 0; l = lwpOf(<u32>changetype<usize>(p), 0)) {
    lwpRelease(l);
  }
  spinLock(procLock());
  p.p_state = PS_ZOMBIE;
  p.p_flag |= PF_ENDING;
  p.p_xstat = status;
  p.p_sigpend = 0;
  guestEndLocked(p);
  spinUnlock(procLock());
  ttySessionEnd(p);
  procClose(p);
  procDropArgs(p);
  orphan(p);
}

/** Tell the parent, who may be waiting; without one that asks, or if it is to leave no trace, the zombie goes. */
function procNotify(p: Proc, trace: bool): void {
  spinLock(procLock());
  p.p_flag &= ~PF_ENDING;
  const parent = procFindLocked(p.p_ppid);
  const reap = !trace || reapable(p);
  if (reap) procUnlink(p);
  else signalPostLocked(parent, SIGCHLD);
  if (changetype<usize>(parent) != 0) wakeup(parent.p_chan);
  spinUnlock(procLock());
  if (reap) procReap(p);
}

/** The current process ends with a wait status, or, while other CPUs act for it as well, when they have let go. No lock is held. */
export function procExit(p: Proc, status: u32): void {
  if (!procSeize(p)) {
    spinLock(procLock());
    if ((p.p_flag & PF_DOOMED) == 0) doomLocked(p, status);
    spinUnlock(procLock());
    return;
  }
  procUntell(p);
  procEnd(p, status);
  procNotify(p, true);
}

/** A process ends, or has ended, and goes without a trace: 0, or -EBUSY while another CPU acts for it, or it is ending. No lock is held. */
export function procDestroy(p: Proc): i32 {
  if (!procSeize(p)) return -EBUSY;
  procUntell(p);
  if (p.p_state == PS_LIVE) procEnd(p, 0);
  procNotify(p, false);
  return 0;
}

/** The next that this CPU ends, off its list; null: there is none. */
function doomedTake(): Proc {
  const c = curcpu;
  spinLock(procLock());
  if (SMP) {
    if (c.c_doomed & CD_CURRENT) {
      procLetGo(c);
      cpuSetProc(0, 0);
    }
  }
  const p = changetype<Proc>(<usize>c.c_doomed);
  if (changetype<usize>(p) != 0) c.c_doomed = p.p_doomnext;
  spinUnlock(procLock());
  return p;
}

/** End those that signals have doomed. No lock is held. */
function endDoomed(): void {
  for (let p = doomedTake(); changetype<usize>(p) != 0; p = doomedTake()) {
    procTell(p, PE_EXIT);
    procEnd(p, p.p_xstat);
    procNotify(p, true);
  }
  mountSweep();
}

/** Files end, processes end, and the one may lead to the other. No lock is held. */
export function leaveSlow(): void {
  const c = curcpu;
  while (anythingLeft()) {
    if (c.c_deferred != 0) deferredRun();
    if (c.c_doomed != 0) endDoomed();
  }
}

/** cpuLeave for a call that is no process's own, but may have doomed some. */
export function leaveDooming(result: i32): i32 {
  if (anythingLeft()) leaveSlow();
  return cpuLeave(result);
}
