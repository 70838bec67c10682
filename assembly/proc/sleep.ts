/**
 * Sleeping: channels, and the Lwp of a blocked call.
 *
 * A call that must wait holds nothing, notes in its Lwp what it has done so far and what it waits
 * for, and returns -ERESTART. When the channel is woken the Lwp goes to the run queue of the CPU
 * whose call it is, and that CPU's c_runnable tells its host. The host then takes it (lwp_next),
 * makes it current (sys_resume) and issues the same call again, which finds its Lwp by lwpResume and
 * goes on. A thread that may block does that in lwp_wait (sys/cpus.ts), on c_runnable; one that has an
 * event loop hears of it by Atomics.waitAsync.
 *
 *     lwpBlock ─→ LWP_WAITING ─ wakeup, deadline ─→ LWP_RUNNABLE ─ lwp_next ─→ LWP_TAKEN
 *         ↑                                                                       │ sys_resume
 *         └──────────────── still nothing to do ──────────── LWP_RUNNING ←────────┘
 *                                                               │ the call ends, or sys_cancel
 *                                                             freed
 *
 * S1. A waiting Lwp is on exactly one channel, or on none if it only has a deadline.
 * S2. What was done before blocking is in lwp_done, and is neither lost nor done twice.
 * S3. The call of a process that catches a signal does not wait: it ends with what it has done, or
 *     with -EINTR. So a caller of lwpBlock must leave everything as a failed call would.
 * S4. The File of a blocked call is referenced by its Lwp: closing the descriptor does not end it.
 * S5. An Lwp is resumed by the CPU that blocked (lwp_cpu), and by no other: what that CPU holds of the
 *     caller (buffers, a stack) is not in RAM. With a CPU go its Lwps.
 */
import { EDEADLK, EINTR, EINVAL, ERESTART, ENOMEM, ESRCH } from '../abi/errno';
import { bb, Roots, roots } from '../kern/boot';
import { clockMs } from '../kern/clock';
import { Cpu, cpuNotRunnable, cpuRunnable, curcpu, curprocp } from '../kern/cpu';
import { ld32, spinLock, spinUnlock } from '../kern/lock';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Zone, ZONE_STABLE, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { File, fileRef } from './file';
import { curproc } from './proc';

/** A queue of waiting Lwps: embedded in what can be waited for. */
@unmanaged
export class Chan {
  ch_head: u32;
  ch_tail: u32;
}

@unmanaged
export class Lwp {
  lwp_deadline: f64; // ms by clockMs; 0 = none
  lwp_id: u32;
  lwp_next: u32; //     r_lwps
  lwp_state: u32; //    LWP_*
  lwp_proc: u32;
  lwp_file: u32; //     referenced; 0 = the call has none
  lwp_call: u32; //     CALL_*: which call it is, so that a resume by another is refused
  lwp_chan: u32; //     Chan it waits on
  lwp_qnext: u32; //    on its channel or on the run queue
  lwp_qprev: u32;
  lwp_done: u32; //     bytes moved so far
  lwp_timedout: u32; // 1: the deadline ended the wait
  lwp_arg: u32; //      the call's own
  lwp_stage: u32; //    the call's own
  lwp_cpu: u32; //      Cpu whose call it is
  lwp_intr: u32; //     EINTR: a signal ended the wait; EDEADLK: nobody can; the call must not wait again
  lwp_pad: u32;
}

export const LWP_WAITING: u32 = 1;
export const LWP_RUNNABLE: u32 = 2;
export const LWP_TAKEN: u32 = 3;
export const LWP_RUNNING: u32 = 4;

if (offsetof<Lwp>() % 8 != 0) ERROR('Lwp');

export function sleepInit(): void {
  roots().r_zlwp = <u32>changetype<usize>(zoneCreate('lwp', offsetof<Lwp>(), ZONE_STABLE));
}

function sleepLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_sleeplock');
}

/** The Lwp that the current call goes on with, or null if it is a fresh call. */
// @ts-ignore: decorator
@inline
export function lwpResume(): Lwp {
  return changetype<Lwp>(<usize>curcpu.c_lwp);
}

/** The Lwp of the call in progress, made if need be; null: no memory. */
export function lwpGet(call: u32, fp: File): Lwp {
  const c = curcpu;
  if (c.c_lwp != 0) return changetype<Lwp>(<usize>c.c_lwp);
  const r = roots();
  const l = changetype<Lwp>(zoneAlloc(changetype<Zone>(<usize>r.r_zlwp), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(l) == 0) return l;
  l.lwp_call = call;
  l.lwp_proc = <u32>curprocp;
  l.lwp_state = LWP_RUNNING;
  l.lwp_cpu = <u32>changetype<usize>(c);
  if (changetype<usize>(fp) != 0) {
    fileRef(fp);
    l.lwp_file = <u32>changetype<usize>(fp);
  }
  spinLock(sleepLock());
  l.lwp_id = ++r.r_lwpseq & 0x7fffffff;
  l.lwp_next = r.r_lwps;
  r.r_lwps = <u32>changetype<usize>(l);
  spinUnlock(sleepLock());
  c.c_lwp = <u32>changetype<usize>(l);
  return l;
}

function enqueue(ch: Chan, l: Lwp): void {
  l.lwp_qnext = 0;
  l.lwp_qprev = ch.ch_tail;
  if (ch.ch_tail != 0) changetype<Lwp>(<usize>ch.ch_tail).lwp_qnext = <u32>changetype<usize>(l);
  else ch.ch_head = <u32>changetype<usize>(l);
  ch.ch_tail = <u32>changetype<usize>(l);
}

function dequeue(ch: Chan, l: Lwp): void {
  if (l.lwp_qprev != 0) changetype<Lwp>(<usize>l.lwp_qprev).lwp_qnext = l.lwp_qnext;
  else ch.ch_head = l.lwp_qnext;
  if (l.lwp_qnext != 0) changetype<Lwp>(<usize>l.lwp_qnext).lwp_qprev = l.lwp_qprev;
  else ch.ch_tail = l.lwp_qprev;
  l.lwp_qnext = 0;
  l.lwp_qprev = 0;
}

function runQueue(c: Cpu): Chan {
  return changetype<Chan>(changetype<usize>(c) + offsetof<Cpu>('c_runqhead'));
}

/**
 * Wait on a channel (null: only for the deadline). Returns -ERESTART for the call to return, -EINTR
 * or -ENOMEM. `call` names the call; deadlines are absolute and set once, on the first block.
 */
export function lwpBlock(ch: Chan, call: u32, fp: File, deadline: f64): i32 {
  const why = interrupted();
  if (why != 0) return -why;
  const l = lwpGet(call, fp);
  if (changetype<usize>(l) == 0) return -ENOMEM;
  spinLock(sleepLock());
  l.lwp_state = LWP_WAITING;
  l.lwp_chan = <u32>changetype<usize>(ch);
  if (l.lwp_deadline == 0) l.lwp_deadline = deadline;
  if (changetype<usize>(ch) != 0) enqueue(ch, l);
  const b = bb();
  if (l.lwp_deadline != 0 && (b.bb_deadline == 0 || l.lwp_deadline < b.bb_deadline)) b.bb_deadline = l.lwp_deadline;
  spinUnlock(sleepLock());
  return -ERESTART;
}

/** Why the call may not wait: EINTR, the current process has caught a signal, or had when this call
 *  was waiting; EDEADLK; 0: it may. */
function interrupted(): i32 {
  const l = lwpResume();
  if (changetype<usize>(l) != 0 && l.lwp_intr != 0) return <i32>l.lwp_intr;
  return curproc().p_sigpend != 0 ? EINTR : 0;
}

/** Every wait of a process ends: it has caught a signal. */
export function lwpInterrupt(proc: u32): void {
  if (roots().r_lwps == 0) return;
  spinLock(sleepLock());
  for (let p = roots().r_lwps; p != 0; p = changetype<Lwp>(<usize>p).lwp_next) {
    const l = changetype<Lwp>(<usize>p);
    if (l.lwp_proc != proc) continue;
    l.lwp_intr = EINTR;
    if (l.lwp_state != LWP_WAITING) continue;
    if (l.lwp_chan != 0) dequeue(changetype<Chan>(<usize>l.lwp_chan), l);
    makeRunnable(l);
  }
  spinUnlock(sleepLock());
}

function makeRunnable(l: Lwp): void {
  l.lwp_state = LWP_RUNNABLE;
  l.lwp_chan = 0;
  const c = changetype<Cpu>(<usize>l.lwp_cpu);
  enqueue(runQueue(c), l);
  cpuRunnable(c);
}

/** Wake every Lwp on the channel. */
export function wakeup(ch: Chan): void {
  if (ld32(changetype<usize>(ch)) == 0) return;
  spinLock(sleepLock());
  while (ch.ch_head != 0) {
    const l = changetype<Lwp>(<usize>ch.ch_head);
    dequeue(ch, l);
    makeRunnable(l);
  }
  spinUnlock(sleepLock());
}

/** The channel of poll(2): whoever polls waits here, and looks again when anything wakes it. */
// @ts-ignore: decorator
@inline
export function selChan(): Chan {
  return changetype<Chan>(changetype<usize>(roots()) + offsetof<Roots>('r_selhead'));
}

/** Something that can be polled may have become ready. */
// @ts-ignore: decorator
@inline
export function selWakeup(): void {
  wakeup(selChan());
}

/** Wake those whose deadline has passed, and set bb_deadline to the next one. */
export function deadlineUpdate(): void {
  const r = roots();
  if (bb().bb_deadline == 0) return;
  const now = clockMs();
  let next: f64 = 0;
  spinLock(sleepLock());
  for (let p = r.r_lwps; p != 0; p = changetype<Lwp>(<usize>p).lwp_next) {
    const l = changetype<Lwp>(<usize>p);
    if (l.lwp_state != LWP_WAITING || l.lwp_deadline == 0) continue;
    if (l.lwp_deadline <= now) {
      if (l.lwp_chan != 0) dequeue(changetype<Chan>(<usize>l.lwp_chan), l);
      l.lwp_timedout = 1;
      makeRunnable(l);
    } else if (next == 0 || l.lwp_deadline < next) next = l.lwp_deadline;
  }
  bb().bb_deadline = next;
  spinUnlock(sleepLock());
}

/** Take this CPU's next runnable Lwp: its number, or 0. */
export function lwpTake(): u32 {
  const q = runQueue(curcpu);
  if (ld32(changetype<usize>(q)) == 0) return 0;
  spinLock(sleepLock());
  const l = changetype<Lwp>(<usize>q.ch_head);
  // a process that ended meanwhile took its Lwps with it
  const id = changetype<usize>(l) == 0 ? 0 : l.lwp_id;
  if (id != 0) {
    dequeue(q, l);
    l.lwp_state = LWP_TAKEN;
    cpuNotRunnable(curcpu);
  }
  spinUnlock(sleepLock());
  return id;
}

/** This CPU's Lwp of that number, or null. */
export function lwpFind(id: u32): Lwp {
  spinLock(sleepLock());
  let p = roots().r_lwps;
  while (p != 0 && changetype<Lwp>(<usize>p).lwp_id != id) p = changetype<Lwp>(<usize>p).lwp_next;
  spinUnlock(sleepLock());
  const l = changetype<Lwp>(<usize>p);
  if (SMP) if (p != 0 && l.lwp_cpu != <u32>changetype<usize>(curcpu)) return changetype<Lwp>(<usize>0);
  return l;
}

/** Some Lwp of a process or of a CPU (the other 0), or null. */
export function lwpOf(proc: u32, cpu: u32): Lwp {
  spinLock(sleepLock());
  let p = roots().r_lwps;
  while (p != 0) {
    const l = changetype<Lwp>(<usize>p);
    if ((proc != 0 && l.lwp_proc == proc) || (cpu != 0 && l.lwp_cpu == cpu)) break;
    p = l.lwp_next;
  }
  spinUnlock(sleepLock());
  return changetype<Lwp>(<usize>p);
}

/** Make a taken Lwp current for the call that the host issues next: its Proc, or an errno. */
export function lwpSetCurrent(id: u32): i32 {
  const l = lwpFind(id);
  if (changetype<usize>(l) == 0) return -ESRCH;
  if (l.lwp_state != LWP_TAKEN) return -EINVAL;
  lwpPutBack();
  l.lwp_state = LWP_RUNNING;
  curcpu.c_lwp = <u32>changetype<usize>(l);
  return 0;
}

/** Make an Lwp of this CPU's that nobody will wake current, for its call to end with what it has done or -EDEADLK. */
export function lwpGiveUp(l: Lwp): void {
  lwpPutBack();
  spinLock(sleepLock());
  if (l.lwp_state == LWP_WAITING && l.lwp_chan != 0) dequeue(changetype<Chan>(<usize>l.lwp_chan), l);
  if (l.lwp_state == LWP_RUNNABLE) {
    dequeue(runQueue(curcpu), l);
    cpuNotRunnable(curcpu);
  }
  l.lwp_chan = 0;
  l.lwp_state = LWP_RUNNING;
  l.lwp_intr = EDEADLK;
  spinUnlock(sleepLock());
  curcpu.c_lwp = <u32>changetype<usize>(l);
}

/** The CPU turns to something else: an Lwp that was made current and not gone on with may be again. */
export function lwpPutBack(): void {
  if (curcpu.c_lwp == 0) return;
  lwpResume().lwp_state = LWP_TAKEN;
  curcpu.c_lwp = 0;
}

/** Take it off whatever queue it is on and off the list; the caller drops lwp_file and frees. */
export function lwpUnlink(l: Lwp): void {
  const r = roots();
  spinLock(sleepLock());
  if (l.lwp_state == LWP_WAITING && l.lwp_chan != 0) dequeue(changetype<Chan>(<usize>l.lwp_chan), l);
  if (l.lwp_state == LWP_RUNNABLE) {
    const c = changetype<Cpu>(<usize>l.lwp_cpu);
    dequeue(runQueue(c), l);
    cpuNotRunnable(c);
  }
  let link = changetype<usize>(r) + offsetof<Roots>('r_lwps');
  while (load<u32>(link) != <u32>changetype<usize>(l)) link = <usize>load<u32>(link) + offsetof<Lwp>('lwp_next');
  store<u32>(link, l.lwp_next);
  spinUnlock(sleepLock());
  if (l.lwp_deadline != 0) deadlineUpdate();
}

export function lwpFree(l: Lwp): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zlwp), changetype<usize>(l));
}

// which call an Lwp belongs to
export const CALL_READ: u32 = 1;
export const CALL_WRITE: u32 = 2;
export const CALL_OPEN: u32 = 3;
export const CALL_POLL: u32 = 4;
export const CALL_FLOCK: u32 = 5;
export const CALL_FCNTL: u32 = 6;
export const CALL_WAIT: u32 = 7;
