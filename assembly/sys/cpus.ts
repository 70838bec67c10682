/**
 * CPUs that wait, and CPUs that end: by their own hand, killed, or with their thread.
 *
 *     USER ─ cpu_kill ─→ KILLED ─ its thread has ended: cpu_lost ─→ the slot is free
 *     USER ─ the thread ended without a word: cpu_lost ───────────→ the slot is free
 *     KERNEL ─ the thread ended in the middle of a call: cpu_lost ─→ panic: what it held nobody can release
 *
 * G1. Who changed c_state from USER to KILLED may do for that CPU what it would do itself: it is not in the
 *     kernel, and will not be again. So what it acted for is let go of, and its waiting calls are given up.
 * G2. A killed CPU's area is not given to another before its thread has ended: it would enter by it.
 */
import { EBUSY, EINVAL, ENOSYS, ESRCH } from '../abi/errno';
import { CPU_KERNEL, CPU_KILLED, CPU_RUNNABLE, CPU_USER, MACHINE_DEAD, NCPU_MAX } from '../abi/layout';
import { bb, BootBlock } from '../kern/boot';
import { clockMs } from '../kern/clock';
import { Cpu, cpuAt, cpuDetach, cpuEnter, cpuLeave, curcpu, EPANIC } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { panicFor } from '../kern/panic';
import { waitWord } from '../kern/words';
import { Proc, procFindLocked, procLetGo, procLock } from '../proc/proc';
import { procFindHeardBy, procHeardBy, procsUnheard } from '../proc/signal';
import { lwpFind, lwpOf } from '../proc/sleep';
import { zoneLeave } from '../vm/zone';
import { lwpRelease } from './enter';
import { leaveDooming } from './exit';

/** A wait is sliced, so that a dead machine and a kill are noticed. */
const SLICE_MS: f64 = 100;

function dead(): bool {
  return atomic.load<u32>(changetype<usize>(bb()) + offsetof<BootBlock>('bb_state')) == MACHINE_DEAD;
}

/**
 * Wait, outside the kernel, until this CPU has something to look at (lwp_next, proc_event), for at most
 * `timeoutMs` (negative: for ever). 1, 0: the time is over, -EPANIC, -ESRCH: it was killed; -ENOSYS in `up`.
 */
export function lwp_wait(timeoutMs: f64): i32 {
  if (!SMP) return -ENOSYS;
  const c = curcpu;
  if (changetype<usize>(c) == 0) return -EPANIC;
  const at = changetype<usize>(c) + CPU_RUNNABLE;
  let left = timeoutMs;
  while (true) {
    if (dead()) return -EPANIC;
    if (atomic.load<u32>(changetype<usize>(c)) == CPU_KILLED) return -ESRCH;
    if (atomic.load<u32>(at) != 0) return 1;
    c.c_nowvalid = 0;
    const deadline = bb().bb_deadline;
    const now = deadline != 0 || timeoutMs >= 0 ? clockMs() : 0;
    if (deadline != 0 && deadline <= now) return 1;
    let slice = SLICE_MS;
    if (deadline != 0 && deadline - now < slice) slice = deadline - now;
    if (timeoutMs >= 0) {
      if (left <= 0) return 0;
      if (left < slice) slice = left;
      left -= slice;
    }
    waitWord(at, 0, <i64>(slice * 1e6) + 1);
  }
}

/** Is this CPU's Lwp of that number still there? */
export function lwp_alive(id: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(changetype<usize>(lwpFind(id)) != 0 ? 1 : 0);
}

// ── ending ───────────────────────────────────────────────────────────────────────────────────

/** What a CPU holds between its calls is given up (G1): its waiting calls, its current process. */
export function cpusLetGo(c: Cpu): void {
  for (let l = lwpOf(0, <u32>changetype<usize>(c)); changetype<usize>(l) != 0; l = lwpOf(0, <u32>changetype<usize>(c))) {
    lwpRelease(l);
  }
  spinLock(procLock());
  procLetGo(c);
  const heir = heirOf(c);
  if (changetype<usize>(heir) != 0) {
    for (let p = procFindHeardBy(c); changetype<usize>(p) != 0; p = procFindHeardBy(c)) procHeardBy(p, heir);
  } else procsUnheard(c);
  spinUnlock(procLock());
}

/** Who gets a CPU's news when it goes: the first of the others; null: there is none. */
function heirOf(c: Cpu): Cpu {
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const other = cpuAt(i);
    if (changetype<usize>(other) == 0 || changetype<usize>(other) == changetype<usize>(c)) continue;
    if (other.c_state != CPU_KILLED) return other;
  }
  return changetype<Cpu>(<usize>0);
}

/** USER → KILLED: 0, or -EBUSY while it is in the kernel. */
function kill(c: Cpu): i32 {
  const was = atomic.cmpxchg<u32>(changetype<usize>(c), CPU_USER, CPU_KILLED);
  if (was == CPU_KERNEL) return -EBUSY;
  if (was != CPU_USER) return 0;
  cpusLetGo(c);
  // its thread may be waiting
  atomic.notify(changetype<usize>(c) + CPU_RUNNABLE, -1);
  return 0;
}

/**
 * Let a CPU never enter the kernel again: 0, and its thread may be terminated; -EBUSY while it is in the
 * kernel; -ESRCH: there is none of that number; -EINVAL: it is the caller's own.
 */
export function cpu_kill(number: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const c = number < NCPU_MAX ? cpuAt(number) : changetype<Cpu>(<usize>0);
  if (changetype<usize>(c) == 0) return cpuLeave(-ESRCH);
  if (changetype<usize>(c) == changetype<usize>(curcpu)) return cpuLeave(-EINVAL);
  return leaveDooming(kill(c));
}

/**
 * The thread of a CPU has ended, killed or not, without detaching: 0, and its number is free. If it was in
 * the kernel then, the machine panics. -ESRCH: there is none (it had detached).
 */
export function cpu_lost(number: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const c = number < NCPU_MAX ? cpuAt(number) : changetype<Cpu>(<usize>0);
  if (changetype<usize>(c) == 0) return cpuLeave(-ESRCH);
  if (changetype<usize>(c) == changetype<usize>(curcpu)) return cpuLeave(-EINVAL);
  if (kill(c) != 0) panicFor('a CPU ended inside the kernel', c);
  zoneLeave(c);
  cpuDetach(c);
  return leaveDooming(0);
}

/** In a copy of a machine the threads of other CPUs are not there. */
export function cpusForget(): void {
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) == 0 || changetype<usize>(c) == changetype<usize>(curcpu)) continue;
    kill(c);
    zoneLeave(c);
    cpuDetach(c);
  }
}

/** Is there another CPU? */
export function cpusOthers(): bool {
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) != 0 && changetype<usize>(c) != changetype<usize>(curcpu)) return true;
  }
  return false;
}

/** How often a CPU that is inside is looked at again, by the millisecond, before a shutdown gives up. */
const STOP_TURNS: u32 = 2000;

/** No other CPU enters any more, and what they held is given up: 0, or -EBUSY: one stays inside. */
export function cpusStop(): i32 {
  if (!SMP) return 0;
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) == 0 || changetype<usize>(c) == changetype<usize>(curcpu)) continue;
    for (let turn: u32 = 0; kill(c) != 0; turn++) {
      if (turn == STOP_TURNS) return -EBUSY;
      waitWord(changetype<usize>(c), CPU_KERNEL, 1_000_000);
    }
  }
  return 0;
}

/** This CPU's host hears of a process from now on: 0 or -ESRCH. */
export function proc_hear(pid: i32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  spinLock(procLock());
  const p: Proc = procFindLocked(pid);
  if (changetype<usize>(p) != 0) procHeardBy(p, curcpu);
  spinUnlock(procLock());
  return cpuLeave(changetype<usize>(p) == 0 ? -ESRCH : 0);
}
