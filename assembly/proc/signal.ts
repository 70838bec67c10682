/**
 * Signals, and what the host is told of processes.
 *
 * What a signal does is decided when it is posted: ignored, it is gone; caught, it is pending until
 * the process takes it (sys_sigtake), its waiting calls end with what they have done or -EINTR, and
 * the host is told (PE_SIGNAL), since the function that catches it is the host's; otherwise the
 * process ends. It may hold locks, or be in the middle of the call in progress, so it is only noted
 * as doomed: it ends (sys/exit.ts) when that call is over and nothing is held.
 *
 * There is no job control: nothing stops a process, so the default of the signals that would is to
 * be ignored, SIGSTOP's included. Signals cannot be blocked.
 *
 * Process 1 is ended by no signal. Processes that are not programs (those of the library's users)
 * begin with SIGPIPE and SIGXFSZ ignored, as Node's do.
 */
import { PE_SIGNAL } from '../abi/layout';
import {
  NSIG,
  SIGCHLD,
  SIGCONT,
  SIGKILL,
  SIGPIPE,
  SIGSTOP,
  SIGTSTP,
  SIGTTIN,
  SIGTTOU,
  SIGURG,
  SIGWINCH,
  SIGXFSZ,
  SIG_CATCH,
  SIG_DFL,
  SIG_IGN,
} from '../abi/signals';
import { bb, roots } from '../kern/boot';
import { spinLock, spinUnlock } from '../kern/lock';
import { PF_DOOMED, Proc, procForget, procLock, PS_DEAD, PS_LIVE } from './proc';
import { lwpInterrupt } from './sleep';

// @ts-ignore: decorator
@inline
export function sigBit(signal: u32): u64 {
  return (<u64>1) << (signal - 1);
}

/** Their default is to do nothing. */
const QUIET: u64 =
  ((<u64>1) << (SIGCHLD - 1)) |
  ((<u64>1) << (SIGCONT - 1)) |
  ((<u64>1) << (SIGSTOP - 1)) |
  ((<u64>1) << (SIGTSTP - 1)) |
  ((<u64>1) << (SIGTTIN - 1)) |
  ((<u64>1) << (SIGTTOU - 1)) |
  ((<u64>1) << (SIGURG - 1)) |
  ((<u64>1) << (SIGWINCH - 1));

/** What a process that is not a program ignores. */
export const LIBRARY_IGNORES: u64 = ((<u64>1) << (SIGPIPE - 1)) | ((<u64>1) << (SIGXFSZ - 1));

// ── what the host is told ────────────────────────────────────────────────────────────────────

/** The host should hear of this process. */
export function procTell(p: Proc, event: u32): void {
  const r = roots();
  spinLock(procLock());
  if (p.p_event == 0) {
    p.p_evnext = 0;
    if (r.r_evtail != 0) changetype<Proc>(<usize>r.r_evtail).p_evnext = <u32>changetype<usize>(p);
    else r.r_evhead = <u32>changetype<usize>(p);
    r.r_evtail = <u32>changetype<usize>(p);
    bb().bb_runnable++;
  }
  // that it ended is all there is to say of it
  if (event > p.p_event) p.p_event = event;
  spinUnlock(procLock());
}

/** Take `p` off the event queue, if it is on it. */
export function procUntell(p: Proc): void {
  const r = roots();
  if (p.p_event == 0) return;
  spinLock(procLock());
  let before: u32 = 0;
  let q = r.r_evhead;
  while (q != <u32>changetype<usize>(p)) {
    before = q;
    q = changetype<Proc>(<usize>q).p_evnext;
  }
  if (before != 0) changetype<Proc>(<usize>before).p_evnext = p.p_evnext;
  else r.r_evhead = p.p_evnext;
  if (r.r_evtail == q) r.r_evtail = before;
  p.p_event = 0;
  p.p_evnext = 0;
  bb().bb_runnable--;
  spinUnlock(procLock());
}

/** The next process on the event queue: its pid, PE_* at `kindp`; 0 if there is none. */
export function procTold(kindp: usize): i32 {
  const q = roots().r_evhead;
  if (q == 0) return 0;
  const p = changetype<Proc>(<usize>q);
  store<u32>(kindp, p.p_event);
  const pid = p.p_pid;
  const gone = p.p_state == PS_DEAD;
  procUntell(p);
  if (gone) procForget(p);
  return pid;
}

// ── signals ──────────────────────────────────────────────────────────────────────────────────

function doom(p: Proc, signal: u32): void {
  spinLock(procLock());
  p.p_flag |= PF_DOOMED;
  p.p_xstat = signal;
  p.p_doomnext = roots().r_doomed;
  roots().r_doomed = <u32>changetype<usize>(p);
  spinUnlock(procLock());
}

/** Send a signal. Any lock may be held. */
export function signalPost(p: Proc, signal: u32): void {
  if (p.p_state != PS_LIVE || p.p_flag & PF_DOOMED) return;
  const bit = sigBit(signal);
  if (p.p_sigcatch & bit) {
    p.p_sigpend |= bit;
    lwpInterrupt(<u32>changetype<usize>(p));
    procTell(p, PE_SIGNAL);
    return;
  }
  if ((p.p_sigignore | QUIET) & bit || p.p_pid == 1) return;
  doom(p, signal);
}

/** Send a signal to every process of a group, if there is one. Any lock may be held. */
export function signalGroup(pgid: i32, signal: u32): void {
  if (pgid <= 0) return;
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_pgid == pgid) signalPost(p, signal);
  }
}

/** May its action be changed at all? */
export function signalFixed(signal: u32): bool {
  return signal == SIGKILL || signal == SIGSTOP;
}

export function signalAction(p: Proc, signal: u32): u32 {
  const bit = sigBit(signal);
  return p.p_sigcatch & bit ? SIG_CATCH : p.p_sigignore & bit ? SIG_IGN : SIG_DFL;
}

/** Set what a signal does from now on; one that is pending meets its new action. */
export function signalSetAction(p: Proc, signal: u32, action: u32): void {
  const bit = sigBit(signal);
  p.p_sigignore &= ~bit;
  p.p_sigcatch &= ~bit;
  if (action == SIG_IGN) p.p_sigignore |= bit;
  else if (action == SIG_CATCH) p.p_sigcatch |= bit;
  if ((p.p_sigpend & bit) == 0 || action == SIG_CATCH) return;
  p.p_sigpend &= ~bit;
  signalPost(p, signal);
}

/** Nothing is caught any more (fork, exec): a signal that was pending meets its default. */
export function signalUncatch(p: Proc): void {
  const pending = p.p_sigpend;
  p.p_sigcatch = 0;
  p.p_sigpend = 0;
  for (let signal: u32 = 1; signal <= NSIG && pending != 0; signal++) {
    if (pending & sigBit(signal)) signalPost(p, signal);
  }
}

/** The pending signal with the lowest number, taken; 0 if there is none. */
export function signalTake(p: Proc): u32 {
  if (p.p_sigpend == 0) return 0;
  const signal = <u32>ctz(p.p_sigpend) + 1;
  p.p_sigpend &= ~sigBit(signal);
  return signal;
}
