/**
 * CPUs: one instance of this module on the machine's memory is one CPU.
 *
 * Its registers are the module's only mutable globals, all of them here: `curcpu` (its Cpu
 * struct), `curproc` (the process it acts for), `curcred` (the credentials of the call),
 * `curalone` (no other CPU is attached during the call).
 *
 * States of c_state, changed by compare-and-swap:
 *     CPU_USER → CPU_KERNEL   cpuEnter
 *     CPU_KERNEL → CPU_USER   cpuLeave
 *     CPU_USER → CPU_STOPPED / CPU_KILLED   machine_stop, kill: the next cpuEnter is refused
 *
 * C1. Every export goes through cpuEnter and cpuLeave; a stack probe comes before any lock, so
 *     that a stack overflow is met where nothing is held.
 * C2. Between two calls a CPU holds no lock and no pointer into type-stable memory; c_epoch says
 *     since when the current call has run (zone.ts returns frames by it).
 * C3. While a call has curalone set, no other CPU is in the kernel, or enters it, before that call
 *     has left. Why that holds is said at the head of lock.ts, which is who uses it.
 */
import { BOOT_MAGIC, CPU_AREA_OFFSET, CPU_KERNEL, CPU_KILLED, CPU_RUNNABLE, CPU_USER, MACHINE_DEAD, MACHINE_UP, NCPU_MAX, PAGE_SIZE, SA_SIZE } from '../abi/layout';
import { EDEADLK, ESRCH, EUSERS } from '../abi/errno';
import { bb, BootBlock, CPUTABLE, Roots, roots } from './boot';
import { HELD_MAX, ld32 } from './lock';
import { panicAt } from './panic';
import { stackProbe } from './stackprobe';
import { waitWord } from './words';

/** Returned by every call on a dead machine; the host throws KernelPanic. */
export const EPANIC: i32 = 514;
/** Returned while the machine is stopped for a snapshot. */
export const ESTOPPED: i32 = 515;

export const NZONES_MAX: u32 = 64;
export const NVOPS_MAX: u32 = 64;
const NCOUNTERS: u32 = 16;

/** A CPU's area: its struct and scratch (one frame), two path buffers, the 16 KiB syscall area. */
@unmanaged
export class Cpu {
  c_state: u32; //     CPU_*; also written by others, by compare-and-swap only
  c_id: u32;
  c_epoch: u32; //     r_epoch as it was on entry
  c_area: u32; //      address of the syscall area
  c_nheld: u32; //     debug: locks held
  c_nowvalid: u32; //  1: c_nowsec and c_nownsec hold this call's time
  c_nowsec: i64;
  c_nownsec: u32;
  c_lwp: u32; //       Lwp being resumed by the call in progress; 0 = none
  c_lwplast: u32; //   Lwp that the last call left waiting
  c_reclaiming: u32; // >0: inside reclaim, which must not start again
  c_clock0: f64; //    where the host writes clock readings
  c_clock1: u32;
  c_removing: u32; //  1: the call removes something, and may take the reserve of frames (vm/page.ts)
  c_fastncp: u32; //   where the last lock-free walk ended: entry, its sequence count, mount
  c_fastseq: u32;
  c_fastmount: u32;
  c_findseq: u32; //   smp: cacheFoundSeq
  c_writing: u32; //   >0: writing dirty pages, and may take the reserve of frames
  c_buferror: i32; //  errno of the last bread or bget that failed (vfs/buf.ts)
  c_journal: u32; //   fs/jbd2: the handle of the call in progress: its journal,
  c_jdepth: u32; //    how many journalBegin are open,
  c_jcredits: u32; //  and the blocks that it may still change
  c_runnable: u32; //  Lwps on c_runq and processes on its event queue; in smp changed atomically, and waited on
  c_lookups: u64; //   namecache lookups and hash-chain probes (bench)
  c_probes: u64;
  // these two are looked at as one word when a call ends
  c_doomed: u32; //    r_proclock; processes that this CPU ends when the call in progress is over (p_doomnext),
  //                   and CD_CURRENT: its own current process is to end
  c_deferred: u32; //  vnodes whose end waits until nothing is locked (v_defer)
  c_runqhead: u32; //  r_sleeplock; its Lwps that may go on, in order: a Chan
  c_runqtail: u32;
  c_evhead: u32; //    r_proclock; processes with news for its host, in order
  c_evtail: u32;
  c_proc: u32; //      r_proclock; its current process, as others see it (smp)
  c_nowait: u32; //    1: its thread may not block (a page's): it spins for locks
  c_wasi: u32; //      the WASI guest that was here last (sys/wasi/guest.ts)
  c_guest: u32; //     a WASI call is in progress: its guest's space; 0: none is. Lookups are confined then
  c_restore: u32; //   1: when the WASI call is over, the CPU acts for c_hostpid (or none) again
  c_hostpid: i32;
  // then, at fixed offsets: held locks, counts, scratch
  // @ts-ignore: decorator
  @inline
  heldAt(i: u32): usize {
    return changetype<usize>(this) + CPU_HELD + ((<usize>i) << 3);
  }
}

const CPU_HELD: usize = 192;
/** Per-op VOP counts, u32 each. */
export const CPU_VOPS: usize = CPU_HELD + 8 * HELD_MAX;
/** Objects allocated less objects freed on this CPU, i32 for each zone. */
export const CPU_ZLIVE: usize = CPU_VOPS + 4 * NVOPS_MAX;
/** Free objects cached on this CPU: { head u32, count u32 } for each zone (smp). */
export const CPU_ZCACHE: usize = CPU_ZLIVE + 4 * NZONES_MAX;
export const CPU_COUNTERS: usize = CPU_ZCACHE + 8 * NZONES_MAX;
/** Records that a call needs for its duration (no stack in RAM, so they live here). */
export const CPU_SCRATCH: usize = CPU_COUNTERS + 8 * NCOUNTERS;
export const CPU_SCRATCH_SIZE: usize = <usize>PAGE_SIZE - CPU_SCRATCH;
/** Two buffers of PATH_MAX bytes: where a walk composes the path behind a symbolic link. */
export const CPU_PATHBUF: usize = PAGE_SIZE;
if (CPU_AREA_OFFSET != 3 * PAGE_SIZE) ERROR('CPU_AREA_OFFSET');
export const CPU_FRAMES: u32 = 3 + SA_SIZE / PAGE_SIZE;

if (offsetof<Cpu>() > CPU_HELD) ERROR('Cpu grew over its held locks');
if (offsetof<Cpu>('c_runnable') != CPU_RUNNABLE) ERROR('CPU_RUNNABLE');
if (offsetof<Cpu>('c_doomed') % 8 != 0 || offsetof<Cpu>('c_deferred') != offsetof<Cpu>('c_doomed') + 4) ERROR('c_doomed');

/** In c_doomed, beside the list's head. */
export const CD_CURRENT: u32 = 1;

/** This CPU. A register. */
export let curcpu: Cpu = changetype<Cpu>(<usize>0);
/** Address of the Proc this CPU acts for (kern/proc.ts types it). A register. */
export let curprocp: usize = 0;
/** Address of the Ucred of the call. A register. */
export let curcredp: usize = 0;
/** 1: the call in progress is the only CPU's (C3). 0 in `up`, which never asks. A register. */
export let curalone: u32 = 0;

export function cpuSetProc(p: usize, cred: usize): void {
  curprocp = p;
  curcredp = cred;
}

/** Is there something to do before the CPU may leave (c_doomed, c_deferred)? */
// @ts-ignore: decorator
@inline
export function anythingLeft(): bool {
  return load<u64>(changetype<usize>(curcpu) + offsetof<Cpu>('c_doomed')) != 0;
}

/** A CPU has one thing more to look at; its thread may be waiting for that. */
export function cpuRunnable(c: Cpu): void {
  const at = changetype<usize>(c) + CPU_RUNNABLE;
  if (!SMP) {
    store<u32>(at, load<u32>(at) + 1);
    return;
  }
  atomic.add<u32>(at, 1);
  if (changetype<usize>(c) != changetype<usize>(curcpu)) atomic.notify(at, -1);
}

/** It has one thing less. */
export function cpuNotRunnable(c: Cpu): void {
  const at = changetype<usize>(c) + CPU_RUNNABLE;
  if (SMP) atomic.sub<u32>(at, 1);
  else store<u32>(at, load<u32>(at) - 1);
}

/** Turns of the wait for one CPU that are made at once, and those of a millisecond that follow. */
const JOIN_SPINS: u32 = 1000;
const JOIN_TURNS: u32 = JOIN_SPINS + 2000;

/** CPUs attached or about to be. */
function attachedAddr(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_attached');
}

/** Wait until the CPU in slot i has been seen outside the kernel: 0, -EDEADLK or -EPANIC. */
function seenOutside(i: u32): i32 {
  const slot = CPUTABLE + ((<usize>i) << 2);
  for (let turn: u32 = 0; turn < JOIN_TURNS; turn++) {
    const c = <usize>atomic.load<u32>(slot);
    if (c == 0 || atomic.load<u32>(c) != CPU_KERNEL) return 0;
    if (atomic.load<u32>(changetype<usize>(bb()) + offsetof<BootBlock>('bb_state')) == MACHINE_DEAD) return -EPANIC;
    if (turn >= JOIN_SPINS) waitWord(c, CPU_KERNEL, 1_000_000);
  }
  // in the middle of a call on this very thread, it would never come out
  return -EDEADLK;
}

/**
 * Be counted among the CPUs, and wait until no call that takes itself for the only one is left
 * (C3). Before anything shared is touched. 0, -EDEADLK (one stayed inside for two seconds) or
 * -EPANIC, and then not counted.
 */
export function cpuJoin(): i32 {
  if (!SMP) return 0;
  atomic.add<u32>(attachedAddr(), 1);
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const e = seenOutside(i);
    if (e != 0) {
      cpuPart();
      return e;
    }
  }
  return 0;
}

/** Undo cpuJoin: the last that a CPU does to the machine. */
export function cpuPart(): void {
  if (SMP) atomic.sub<u32>(attachedAddr(), 1);
}

/** Take the next free slot; `area` is CPU_FRAMES frames from the page allocator, zeroed. The caller has joined. */
export function cpuAttach(area: usize): i32 {
  const c = changetype<Cpu>(area);
  c.c_area = <u32>(area + CPU_AREA_OFFSET);
  c.c_state = CPU_USER;
  for (let i: u32 = 0; i < NCPU_MAX; i++) {
    const slot = CPUTABLE + ((<usize>i) << 2);
    if (load<u32>(slot) != 0) continue;
    c.c_id = i;
    if (!SMP) store<u32>(slot, <u32>area);
    else if (atomic.cmpxchg<u32>(slot, 0, <u32>area) != 0) continue;
    curcpu = c;
    slotUsed(i);
    return <i32>i;
  }
  return -EUSERS;
}

/** Slot i counts among those ever used. */
function slotUsed(i: u32): void {
  const r = roots();
  if (!SMP) {
    if (i >= r.r_ncpu) r.r_ncpu = i + 1;
    return;
  }
  const at = changetype<usize>(r) + offsetof<Roots>('r_ncpu');
  let n = atomic.load<u32>(at);
  while (i >= n) {
    const was = atomic.cmpxchg<u32>(at, n, i + 1);
    if (was == n) return;
    n = was;
  }
}

// Areas are type-stable: another CPU may be looking at c_state while this one leaves. So they are never freed, and serve
// the next CPU that attaches.

function spareAddr(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_cpuspare');
}

/** An area that nobody has, as it was left; 0: there is none. */
export function cpuSpareTake(): usize {
  const all = SMP ? atomic.xchg<u32>(spareAddr(), 0) : load<u32>(spareAddr());
  if (!SMP) store<u32>(spareAddr(), 0);
  let rest = all == 0 ? 0 : changetype<Cpu>(<usize>all).c_area;
  while (rest != 0) {
    const next = changetype<Cpu>(<usize>rest).c_area;
    cpuSpareGive(<usize>rest);
    rest = next;
  }
  return <usize>all;
}

export function cpuSpareGive(area: usize): void {
  while (true) {
    const head = ld32(spareAddr());
    changetype<Cpu>(area).c_area = head;
    if (!SMP) {
      store<u32>(spareAddr(), <u32>area);
      return;
    }
    if (atomic.cmpxchg<u32>(spareAddr(), head, <u32>area) == head) return;
  }
}

/** A CPU goes: this one, or one whose thread has ended. The caller has left nothing in its area. */
export function cpuDetach(c: Cpu): void {
  const area = changetype<usize>(c);
  const slot = CPUTABLE + ((<usize>c.c_id) << 2);
  if (SMP) atomic.store<u32>(slot, 0);
  else store<u32>(slot, 0);
  if (area == changetype<usize>(curcpu)) {
    curcpu = changetype<Cpu>(<usize>0);
    curprocp = 0;
    curcredp = 0;
  }
  cpuSpareGive(area);
  cpuPart();
}

/** The Cpu in slot i, or null. */
// @ts-ignore: decorator
@inline
export function cpuAt(i: u32): Cpu {
  return changetype<Cpu>(<usize>load<u32>(CPUTABLE + ((<usize>i) << 2)));
}

function cpuRefused(): i32 {
  const b = bb();
  const c = curcpu;
  if (b.bb_magic != BOOT_MAGIC || changetype<usize>(c) == 0) return -EPANIC;
  if (b.bb_state != MACHINE_UP) {
    if (c.c_state == CPU_KERNEL) c.c_state = CPU_USER;
    return b.bb_state == MACHINE_DEAD ? -EPANIC : -ESTOPPED;
  }
  if (c.c_state == CPU_KERNEL) return -EDEADLK;
  // whatever it acted for is gone
  return c.c_state == CPU_KILLED ? -ESRCH : -ESTOPPED;
}

/** Enter the kernel: 0, or the negated error that the export returns at once. */
// @ts-ignore: decorator
@inline
export function cpuEnter(): i32 {
  stackProbe(0);
  const c = curcpu;
  if (SMP) {
    if (changetype<usize>(c) == 0) return -EPANIC;
    if (atomic.cmpxchg<u32>(changetype<usize>(c), CPU_USER, CPU_KERNEL) != CPU_USER) return cpuRefused();
    if (atomic.load<u32>(changetype<usize>(bb()) + offsetof<BootBlock>('bb_state')) != MACHINE_UP) return cpuRefused();
    c.c_epoch = atomic.load<u32>(changetype<usize>(roots()) + offsetof<Roots>('r_epoch'));
    // after c_state has changed: who attaches looks at them the other way round
    curalone = atomic.load<u32>(changetype<usize>(roots()) + offsetof<Roots>('r_attached')) == 1 ? 1 : 0;
  } else {
    // An instance that is no CPU has no area: what lies at address 0 must not be taken for one.
    if (bb().bb_state != MACHINE_UP || changetype<usize>(c) == 0 || c.c_state != CPU_USER) return cpuRefused();
    c.c_state = CPU_KERNEL;
  }
  c.c_nowvalid = 0;
  return 0;
}

/** Leave the kernel, passing the call's result through. */
// @ts-ignore: decorator
@inline
export function cpuLeave(result: i32): i32 {
  const c = curcpu;
  if (DEBUG) if (c.c_nheld != 0) panicAt('left the kernel holding a lock', load<u32>(c.heldAt(0)));
  if (SMP) {
    curalone = 0;
    atomic.store<u32>(changetype<usize>(c), CPU_USER);
  } else c.c_state = CPU_USER;
  return result;
}
