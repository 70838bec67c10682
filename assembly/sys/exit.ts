/**
 * How processes end: by sys_exit, by a signal, by the host's hand (proc_exit), or with the machine.
 *
 * What a process holds is given back at once, when no lock is held; the Proc stays as a zombie
 * until its parent has waited for it, or goes too if nobody will. What a process gives back may end
 * others (a terminal's master hangs up its session), so the doomed are a list that is worked off,
 * not a recursion.
 */
import { PE_EXIT } from '../abi/layout';
import { SIGCHLD } from '../abi/signals';
import { ttySessionEnd } from '../dev/tty';
import { anythingLeft, roots } from '../kern/boot';
import { cpuLeave, cpuSetProc, curprocp } from '../kern/cpu';
import { credDrop } from '../proc/cred';
import { Proc, procDropArgs, procFind, procFree, PS_LIVE, PS_ZOMBIE } from '../proc/proc';
import { procTell, procUntell, sigBit, signalPost } from '../proc/signal';
import { Lwp, wakeup } from '../proc/sleep';
import { procClose } from '../vfs/procdirs';
import { mountSweep } from '../vfs/vfsmount';
import { deferredRun } from '../vfs/vnode';
import { lwpRelease } from './enter';

/** Whose status nobody will ask for goes altogether. */
function reapable(p: Proc): bool {
  const parent = procFind(p.p_ppid);
  if (changetype<usize>(parent) == 0 || parent.p_state != PS_LIVE) return true;
  return (parent.p_sigignore & sigBit(SIGCHLD)) != 0;
}

/** A zombie goes: its number is free again. */
export function procReap(p: Proc): void {
  credDrop(p.p_cred);
  procFree(p);
}

/** Its children become process 1's (nobody's, if it is that itself). */
function orphan(p: Proc): void {
  const init = procFind(1);
  const heir = changetype<usize>(init) == 0 || changetype<usize>(init) == changetype<usize>(p) ? 0 : 1;
  let inherited = false;
  let q = roots().r_procs;
  while (q != 0) {
    const child = changetype<Proc>(<usize>q);
    q = child.p_next;
    if (child.p_ppid != p.p_pid || changetype<usize>(child) == changetype<usize>(p)) continue;
    child.p_ppid = heir;
    if (child.p_state != PS_ZOMBIE) continue;
    if (reapable(child)) procReap(child);
    else inherited = true;
  }
  if (inherited) {
    signalPost(init, SIGCHLD);
    wakeup(init.p_chan);
  }
}

/** Give back all that a process holds; it is a zombie with this status. No lock is held. */
function procEnd(p: Proc, status: u32): void {
  if (curprocp == changetype<usize>(p)) cpuSetProc(0, 0);
  // what it left waiting is given up
  let l = roots().r_lwps;
  while (l != 0) {
    const lwp = changetype<Lwp>(<usize>l);
    l = lwp.lwp_next;
    if (lwp.lwp_proc == <u32>changetype<usize>(p)) lwpRelease(lwp);
  }
  p.p_state = PS_ZOMBIE;
  p.p_xstat = status;
  p.p_sigpend = 0;
  ttySessionEnd(p);
  procClose(p);
  procDropArgs(p);
  orphan(p);
}

/** Tell the parent, who may be waiting; without one that asks, the zombie goes. */
function procNotify(p: Proc): void {
  const parent = procFind(p.p_ppid);
  if (reapable(p)) procReap(p);
  else signalPost(parent, SIGCHLD);
  if (changetype<usize>(parent) != 0) wakeup(parent.p_chan);
}

/** A process ends with a wait status. No lock is held. */
export function procExit(p: Proc, status: u32): void {
  procUntell(p);
  procEnd(p, status);
  procNotify(p);
}

/** A process ends, or has ended, and goes without a trace. No lock is held. */
export function procDestroy(p: Proc): void {
  procUntell(p);
  if (p.p_state == PS_LIVE) procEnd(p, 0);
  const parent = procFind(p.p_ppid);
  procReap(p);
  if (changetype<usize>(parent) != 0) wakeup(parent.p_chan);
}

/** End those that signals have doomed. No lock is held. */
function endDoomed(): void {
  const r = roots();
  while (r.r_doomed != 0) {
    const p = changetype<Proc>(<usize>r.r_doomed);
    r.r_doomed = p.p_doomnext;
    procTell(p, PE_EXIT);
    procEnd(p, p.p_xstat);
    procNotify(p);
  }
  mountSweep();
}

/** Files end, processes end, and the one may lead to the other. No lock is held. */
export function leaveSlow(): void {
  while (anythingLeft()) {
    if (roots().r_deferred != 0) deferredRun();
    if (roots().r_doomed != 0) endDoomed();
  }
}

/** cpuLeave for a call that is no process's own, but may have doomed some. */
export function leaveDooming(result: i32): i32 {
  if (anythingLeft()) leaveSlow();
  return cpuLeave(result);
}
