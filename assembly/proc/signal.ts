/**
 * Signals, and what the host is told of processes.
 *
 * What a signal does is decided when it is posted: ignored, it is gone; caught, it is pending until
 * the process takes it (sys_sigtake), its waiting calls end with what they have done or -EINTR, and
 * the host is told (PE_SIGNAL), since the function that catches it is the host's; otherwise the
 * process ends. It may hold locks, or be in the middle of the call in progress, so it is only noted
 * as doomed: it ends (sys/exit.ts) when that call is over and nothing is held. One that other CPUs act for
 * ends when they have let go of it (proc.ts, P4).
 *
 * There is no job control: nothing stops a process, so the default of the signals that would is to
 * be ignored, SIGSTOP's included. Signals cannot be blocked.
 *
 * Process 1 is ended by no signal. Processes that are not programs (those of the library's users)
 * begin with SIGPIPE and SIGXFSZ ignored, as Node's do.
 */
import { NCPU_MAX, PE_DOOMED, PE_SIGNAL } from '../abi/layout';
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
import { roots } from '../kern/boot';
import { Cpu, cpuAt, cpuNotRunnable, cpuRunnable, curcpu } from '../kern/cpu';
import { ld32, spinLock, spinUnlock } from '../kern/lock';
import { PF_DOOMED, Proc, procDoomHere, procForget, procLock, procTellCpu, PS_DEAD, PS_LIVE } from './proc';
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
  spinLock(procLock());
  tellLocked(p, event);
  spinUnlock(procLock());
}

/** The same; r_proclock held. */
function tellLocked(p: Proc, event: u32): void {
  if (p.p_event == 0) {
    const c = changetype<Cpu>(<usize>p.p_evcpu);
    p.p_evnext = 0;
    if (c.c_evtail != 0) changetype<Proc>(<usize>c.c_evtail).p_evnext = <u32>changetype<usize>(p);
    else c.c_evhead = <u32>changetype<usize>(p);
    c.c_evtail = <u32>changetype<usize>(p);
    cpuRunnable(c);
  }
  // that it ended is all there is to say of it
  if (event > p.p_event) p.p_event = event;
}

/** Take `p` off its event queue, if it is on it. */
export function procUntell(p: Proc): void {
  spinLock(procLock());
  if (p.p_event != 0) untellLocked(p);
  spinUnlock(procLock());
}

function untellLocked(p: Proc): void {
  const c = changetype<Cpu>(<usize>p.p_evcpu);
  let before: u32 = 0;
  let q = c.c_evhead;
  while (q != <u32>changetype<usize>(p)) {
    before = q;
    q = changetype<Proc>(<usize>q).p_evnext;
  }
  if (before != 0) changetype<Proc>(<usize>before).p_evnext = p.p_evnext;
  else c.c_evhead = p.p_evnext;
  if (c.c_evtail == q) c.c_evtail = before;
  p.p_event = 0;
  p.p_evnext = 0;
  cpuNotRunnable(c);
}

/** The next process on this CPU's event queue: its pid, PE_* at `kindp`; 0 if there is none. */
export function procTold(kindp: usize): i32 {
  if (ld32(changetype<usize>(curcpu) + offsetof<Cpu>('c_evhead')) == 0) return 0;
  spinLock(procLock());
  const q = curcpu.c_evhead;
  if (q == 0) {
    spinUnlock(procLock());
    return 0;
  }
  const p = changetype<Proc>(<usize>q);
  store<u32>(kindp, p.p_event);
  const pid = p.p_pid;
  const gone = p.p_state == PS_DEAD;
  untellLocked(p);
  spinUnlock(procLock());
  if (gone) procForget(p);
  return pid;
}

/** Who hears of this process from now on; news that nobody has taken goes along. r_proclock held. */
export function procHeardBy(p: Proc, c: Cpu): void {
  const event = p.p_event;
  if (event != 0) untellLocked(p);
  p.p_evcpu = <u32>changetype<usize>(c);
  if (event != 0) tellLocked(p, event);
}

/** A process that `c` hears of, among those that are gone and have news as well; null: there is none. r_proclock held. */
export function procFindHeardBy(c: Cpu): Proc {
  if (c.c_evhead != 0) return changetype<Proc>(<usize>c.c_evhead);
  let q = roots().r_procs;
  while (q != 0 && changetype<Proc>(<usize>q).p_evcpu != <u32>changetype<usize>(c)) q = changetype<Proc>(<usize>q).p_next;
  return changetype<Proc>(<usize>q);
}

/** The last CPU goes: nobody hears of them. r_proclock held. */
export function procsUnheard(c: Cpu): void {
  while (c.c_evhead != 0) {
    const p = changetype<Proc>(<usize>c.c_evhead);
    untellLocked(p);
    // gone already: it was only kept for this
    if (p.p_state == PS_DEAD) procForget(p);
  }
}

// ── signals ──────────────────────────────────────────────────────────────────────────────────

/** It is to end with this status. r_proclock held. */
export function doomLocked(p: Proc, status: u32): void {
  p.p_flag |= PF_DOOMED;
  p.p_xstat = status;
  if (!SMP || p.p_ncpu == 0) {
    procDoomHere(p);
    return;
  }
  let others = false;
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) == 0 || c.c_proc != <u32>changetype<usize>(p)) continue;
    procTellCpu(c);
    if (changetype<usize>(c) != changetype<usize>(curcpu)) others = true;
  }
  if (others) tellLocked(p, PE_DOOMED);
}

/** Send a signal. Any lock may be held. */
export function signalPost(p: Proc, signal: u32): void {
  spinLock(procLock());
  signalPostLocked(p, signal);
  spinUnlock(procLock());
}

export function signalPostLocked(p: Proc, signal: u32): void {
  if (p.p_state != PS_LIVE || p.p_flag & PF_DOOMED) return;
  const bit = sigBit(signal);
  if (p.p_sigcatch & bit) {
    p.p_sigpend |= bit;
    lwpInterrupt(<u32>changetype<usize>(p));
    tellLocked(p, PE_SIGNAL);
    return;
  }
  if ((p.p_sigignore | QUIET) & bit || p.p_pid == 1) return;
  doomLocked(p, signal);
}

/** Send a signal to every process of a group, if there is one. Any lock may be held. */
export function signalGroup(pgid: i32, signal: u32): void {
  if (pgid <= 0) return;
  spinLock(procLock());
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_pgid == pgid) signalPostLocked(p, signal);
  }
  spinUnlock(procLock());
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
