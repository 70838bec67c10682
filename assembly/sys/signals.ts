/** Signals as processes send and receive them, and what the host hears of processes. */
import { EINVAL, EPERM, ESRCH } from '../abi/errno';
import { SA_DATA } from '../abi/layout';
import { NSIG, SIGCONT, SIG_CATCH, SIG_DFL } from '../abi/signals';
import { roots } from '../kern/boot';
import { cpuEnter, cpuLeave, curcpu } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { credIsRoot, curcred, Ucred } from '../proc/cred';
import { curproc, PF_PROGRAM, Proc, procFindLocked, procLock } from '../proc/proc';
import { procTold, signalAction, signalFixed, signalPostLocked, signalSetAction, signalTake } from '../proc/signal';
import { sysEnter, sysLeave } from './enter';

/** May the current process send this signal to p? */
function maySignal(p: Proc, signal: u32): bool {
  const cr = curcred();
  if (credIsRoot(cr)) return true;
  const to: Ucred = p.p_cred;
  if (cr.cr_ruid == to.cr_ruid || cr.cr_ruid == to.cr_suid) return true;
  if (cr.cr_uid == to.cr_ruid || cr.cr_uid == to.cr_suid) return true;
  return signal == SIGCONT && p.p_sid == curproc().p_sid;
}

/** r_proclock held. */
function send(p: Proc, signal: u32): i32 {
  if (!maySignal(p, signal)) return -EPERM;
  if (signal != 0) signalPostLocked(p, signal);
  return 0;
}

/**
 * Everybody that kill(2)'s -1 means: not process 1, not the caller, and not what the host drives by
 * itself, which is part of the machine as a kernel's threads are.
 */
function everybody(p: Proc): bool {
  return p.p_pid != 1 && (p.p_flag & PF_PROGRAM) != 0 && changetype<usize>(p) != changetype<usize>(curproc());
}

/** To a group, or with 0 to everybody: 0 if it was sent to any, else -EPERM or -ESRCH. r_proclock held. */
function sendMany(pgid: i32, signal: u32): i32 {
  let result: i32 = -ESRCH;
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (pgid != 0 ? p.p_pgid != pgid : !everybody(p)) continue;
    const e = send(p, signal);
    if (e == 0 || result == -ESRCH) result = e;
  }
  return result;
}

function kill(pid: i32, signal: u32): i32 {
  if (signal > NSIG) return -EINVAL;
  spinLock(procLock());
  const e = killLocked(pid, signal);
  spinUnlock(procLock());
  return e;
}

function killLocked(pid: i32, signal: u32): i32 {
  if (pid > 0) {
    const p = procFindLocked(pid);
    return changetype<usize>(p) == 0 ? -ESRCH : send(p, signal);
  }
  if (pid == -1) return sendMany(0, signal);
  return pid == i32.MIN_VALUE ? -ESRCH : sendMany(pid == 0 ? curproc().p_pgid : -pid, signal);
}

export function sys_kill(pid: i32, signal: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(kill(pid, signal));
}

function sigaction(signal: u32, action: u32): i32 {
  if (signal == 0 || signal > NSIG || action > SIG_CATCH) return -EINVAL;
  const p = curproc();
  const was = signalAction(p, signal);
  if (signalFixed(signal)) return action == SIG_DFL ? <i32>was : -EINVAL;
  signalSetAction(p, signal, action);
  return <i32>was;
}

export function sys_sigaction(signal: u32, action: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(sigaction(signal, action));
}

export function sys_sigtake(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(<i32>signalTake(curproc()));
}

export function proc_event(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(procTold(<usize>curcpu.c_area + SA_DATA));
}
