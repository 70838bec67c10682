/** The machine itself: boot, CPUs, shutdown, blocked calls. */
import { EBUSY, EEXIST, EINVAL, EINTR, ENOMEM, ENOSYS, ESRCH } from '../abi/errno';
import {
  ABI_VERSION,
  BOOT_MAGIC,
  BOOTBLOCK,
  CPU_KERNEL,
  CPU_KILLED,
  FLAVOUR_DEBUG,
  FLAVOUR_SMP,
  MACHINE_STOPPED,
  MACHINE_UP,
  NCPU_MAX,
  PAGE_SIZE,
  RAM_MIN_BYTES,
  SA_DATA,
} from '../abi/layout';
import { SIGKILL } from '../abi/signals';
import { bb, Roots, roots } from '../kern/boot';
import { clockMs, clockNow, randomSeed } from '../kern/clock';
import {
  anythingLeft,
  CPU_FRAMES,
  cpuAt,
  cpuAttach,
  cpuDetach,
  cpuJoin,
  cpuPart,
  cpuEnter,
  cpuLeave,
  cpuSpareGive,
  cpuSpareTake,
  curcpu,
} from '../kern/cpu';
import { add32 } from '../kern/lock';
import { klog } from '../kern/panic';
import { credCreate, credDrop, credInit } from '../proc/cred';
import { fileInit } from '../proc/file';
import { PF_PROGRAM, Proc, procBecome, procInit, procLeave } from '../proc/proc';
import { procTold, signalPost } from '../proc/signal';
import {
  deadlineUpdate,
  Lwp,
  LWP_RUNNING,
  LWP_TAKEN,
  lwpFind,
  lwpGiveUp,
  lwpSetCurrent,
  lwpTake,
  sleepInit,
} from '../proc/sleep';
import { diskShutdown } from '../dev/disk';
import { diskPagerShutdown } from '../dev/diskpager';
import { pipefsStart } from '../fs/pipefs/vfsops';
import { lockInit } from '../vfs/advlock';
import { bioInit } from '../vfs/bio';
import { inotifyInit } from '../vfs/inotify';
import { layerInit } from '../vfs/layer';
import { Mount, mountInit } from '../vfs/mount';
import { cacheInit, cacheTableBytes } from '../vfs/namecache';
import { reclaimAll, reclaimInit } from '../vfs/reclaim';
import { scratchWord } from '../vfs/scratch';
import { traceShutdown } from '../vfs/trace';
import { mountDestroy, mountRemove, mountSweep } from '../vfs/vfsmount';
import { deferredRun, vnodeInit } from '../vfs/vnode';
import { writebackInit, writebackTick } from '../vfs/writeback';
import {
  cpuAreaAlloc,
  PG_FILE,
  PG_KERNEL,
  pageAddr,
  pageAlloc,
  pageCount,
  pageInit,
  ALLOC_RESERVE,
  ALLOC_ZERO,
} from '../vm/page';
import { radixInit } from '../vm/radix';
import { genericInit, Zone, zoneInit, zoneLeave, zoneLive } from '../vm/zone';
import { fsInit } from './register';
import { lwpRelease } from './enter';
import { cpusForget, cpusLetGo, cpusOthers, cpusStop } from './cpus';
import { leaveDooming, leaveSlow, procDestroy } from './exit';
import { procCreate } from './process';
import { startMounts } from './start';
import { wasiInit, wasiShutdown } from './wasi/guest';

/** RAM in bytes: the whole memory. A memory of 65536 wasm pages would wrap; 65535 is the most. */
function ramBytes(): u64 {
  return (<u64>(<u32>memory.size())) << 16;
}

/** Lay out RAM. The kernel's own structures only; machine_start mounts and makes process 1. */
export function machine_boot(seed: f64, seeded: i32, virtualClock: i32, epochSeconds: f64): i32 {
  const b = bb();
  const ram = ramBytes();
  if (ram < RAM_MIN_BYTES || ram > 4294901760) return -EINVAL;
  if (virtualClock && !(epochSeconds >= -VCLOCK_MAX_S && epochSeconds <= VCLOCK_MAX_S)) return -EINVAL;
  if (b.bb_magic == BOOT_MAGIC) return -EEXIST;
  memory.fill(BOOTBLOCK, 0, 2 * PAGE_SIZE);
  const r = roots();
  const nframes = <u32>(ram >> 12);
  const table = cacheTableBytes(nframes);
  const at = pageInit(ram, table);
  r.r_zeropage = <u32>pageAddr(pageAlloc(ALLOC_RESERVE | ALLOC_ZERO, PG_KERNEL));
  zoneInit(pageAddr(pageAlloc(ALLOC_RESERVE | ALLOC_ZERO, PG_KERNEL)));
  b.bb_magic = BOOT_MAGIC;
  b.bb_version = ABI_VERSION;
  b.bb_flavour = (SMP ? FLAVOUR_SMP : 0) | (DEBUG ? FLAVOUR_DEBUG : 0);
  cacheInit(at, table);
  // half of RAM at most in names and vnodes that nobody uses
  r.r_maxnames = nframes * 8;
  vnodeInit(nframes * 4);
  radixInit();
  credInit();
  fileInit();
  procInit();
  sleepInit();
  lockInit();
  inotifyInit();
  wasiInit();
  bioInit();
  writebackInit();
  mountInit();
  layerInit();
  reclaimInit();
  genericInit();
  if (seeded) randomSeed(<u64>seed);
  if (virtualClock) {
    r.r_vclock = 1;
    r.r_vclock_ns = <i64>epochSeconds * 1_000_000_000;
  }
  b.bb_state = MACHINE_UP;
  return 0;
}

export function cpu_attach(): i32 {
  if (bb().bb_magic != BOOT_MAGIC) return -EINVAL;
  if (changetype<usize>(curcpu) != 0) return -EBUSY;
  const e = cpuJoin();
  if (e != 0) return e;
  const area = areaTake();
  const id = area == 0 ? -ENOMEM : cpuAttach(area);
  if (id < 0) {
    if (area != 0) cpuSpareGive(area);
    cpuPart();
  }
  return id;
}

/** Zeroed frames for a CPU's area: those of one that has detached, or new ones; 0: there are none. */
function areaTake(): usize {
  const spare = cpuSpareTake();
  if (spare != 0) {
    memory.fill(spare, 0, <usize>CPU_FRAMES * PAGE_SIZE);
    return spare;
  }
  const area = cpuAreaAlloc();
  if (area != 0) add32(changetype<usize>(roots()) + offsetof<Roots>('r_cpuareas'), 1);
  return area;
}

/** Take over a CPU of a machine that was copied from a snapshot: its area is in RAM already, and it is counted. */
export function cpu_adopt(id: u32): i32 {
  if (bb().bb_magic != BOOT_MAGIC || id >= NCPU_MAX) return -EINVAL;
  const c = cpuAt(id);
  if (changetype<usize>(c) == 0 || changetype<usize>(curcpu) != 0) return -EINVAL;
  const area = changetype<usize>(c);
  cpuDetachSlot(id);
  return cpuAttach(area);
}

function cpuDetachSlot(id: u32): void {
  store<u32>(BOOTBLOCK + PAGE_SIZE - 4 * NCPU_MAX + (id << 2), 0);
}

export function cpu_detach(): i32 {
  const c = curcpu;
  if (changetype<usize>(c) == 0 || c.c_state == CPU_KERNEL) return -EBUSY;
  // killed: who killed it gives its area on, when its thread has ended
  if (SMP && c.c_state == CPU_KILLED) return -ESRCH;
  // a machine that is stopped or dead counts nothing any more
  if (cpuEnter() == 0) {
    cpusLetGo(c);
    if (anythingLeft()) leaveSlow();
    zoneLeave(c);
    cpuLeave(0);
  }
  cpuDetach(c);
  return 0;
}

export function cpu_area(): u32 {
  return changetype<usize>(curcpu) == 0 ? 0 : curcpu.c_area;
}

// ── starting and stopping ────────────────────────────────────────────────────────────────────

/** Mount the root tmpfs and what belongs in it, and make process 1. */
export function machine_start(): i32 {
  let e = cpuEnter();
  if (e != 0) return e;
  if (roots().r_rootmount != 0) return cpuLeave(-EEXIST);
  fsInit();
  leakBaseline();
  clockNow();
  roots().r_bootsec = <f64>curcpu.c_nowsec;
  const cred = credCreate(0, 0, 0, 0);
  e = startMounts(cred);
  if (e == 0) e = pipefsStart(cred);
  credDrop(cred);
  if (e != 0) return cpuLeave(e);
  return cpuLeave(procCreate(0, 0, 0, 0, 0));
}

/** Processes, mounts, caches: everything goes. Returns the number of objects (and, in debug builds, of frames)
 *  that did not. */
export function machine_shutdown(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const r = roots();
  const others = cpusStop();
  if (others != 0) return cpuLeave(others);
  procLeave();
  while (r.r_lwps != 0) lwpRelease(changetype<Lwp>(<usize>r.r_lwps));
  if (SMP) leaveSlow();
  while (r.r_procs != 0) if (procDestroy(changetype<Proc>(<usize>r.r_procs)) != 0) leaveSlow();
  // they ended one another as well
  curcpu.c_doomed = 0;
  while (procTold(scratchWord(8)) != 0) {}
  deferredRun();
  mountSweep();
  // mounts on mounts first
  while (r.r_mounts != 0) {
    let last = changetype<Mount>(<usize>r.r_mounts);
    while (last.mnt_next != 0) last = changetype<Mount>(<usize>last.mnt_next);
    if (changetype<usize>(last) == <usize>r.r_rootmount) break;
    mountRemove(last, 1);
  }
  mountSweep();
  if (r.r_rootmount != 0) {
    const root = changetype<Mount>(<usize>r.r_rootmount);
    r.r_mounts = 0;
    r.r_rootmount = 0;
    mountDestroy(root);
    mountDestroy(changetype<Mount>(<usize>r.r_pipemount));
    r.r_pipemount = 0;
  }
  diskShutdown();
  diskPagerShutdown();
  traceShutdown();
  wasiShutdown();
  reclaimAll();
  return cpuLeave(leakReport());
}

/** The kernel's own frames, but for the areas of CPUs. */
function kernelFrames(): u32 {
  return pageCount(PG_KERNEL) - roots().r_cpuareas * CPU_FRAMES;
}

/** Frames that nobody will give back any more (debug builds look for them). Empty zone frames are gone by now. */
function lostFrames(): i32 {
  if (!DEBUG) return 0;
  const lost = <i32>kernelFrames() - <i32>roots().r_bootframes;
  const files = <i32>pageCount(PG_FILE);
  if (lost != 0) klog('leak: frames of the kernel', <u64>lost);
  if (files != 0) klog('leak: frames of files', <u64>files);
  return (lost < 0 ? -lost : lost) + files;
}

/** Zones whose objects outlive a shutdown by design: what boot made for good. */
function leakReport(): i32 {
  const r = roots();
  let leaks = lostFrames();
  for (let p = r.r_zones; p != 0; p = changetype<Zone>(<usize>p).z_next) {
    const z = changetype<Zone>(<usize>p);
    const extra = zoneLive(z) - <i32>z.z_boot;
    if (extra != 0) {
      klogZone(z, extra);
      leaks += extra < 0 ? -extra : extra;
    }
  }
  return leaks;
}

function klogZone(z: Zone, n: i32): void {
  klog('leak: objects', <u64>n);
  klog(changetype<string>(<usize>z.z_name), z.z_size);
}

export function machine_reclaim(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  mountSweep();
  reclaimAll();
  return leaveDooming(0);
}

/** Refuse entry to every CPU, for a snapshot: 0, or -EBUSY while one is inside. */
export function machine_stop(): i32 {
  const b = bb();
  if (b.bb_state != MACHINE_UP) return -EINVAL;
  b.bb_state = MACHINE_STOPPED;
  for (let i: u32 = 0; i < roots().r_ncpu; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) != 0 && c.c_state == CPU_KERNEL) {
      b.bb_state = MACHINE_UP;
      return -EBUSY;
    }
  }
  return 0;
}

function anyProgram(): bool {
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    if (changetype<Proc>(<usize>q).p_flag & PF_PROGRAM) return true;
  }
  return false;
}

/**
 * Go on after machine_stop. `copy` 1: this is another machine, made of the stopped one's RAM. The
 * functions that ran as programs stayed with the other, so these end.
 */
export function machine_resume(copy: i32): i32 {
  const b = bb();
  if (b.bb_state != MACHINE_STOPPED) return -EINVAL;
  b.bb_state = MACHINE_UP;
  // a copy without programs and guests is the same to the byte: entering would be a trace
  const others = SMP && copy != 0 && cpusOthers();
  if (copy == 0 || !(others || anyProgram() || roots().r_wasi != 0)) return 0;
  const e = cpuEnter();
  if (e != 0) return e;
  if (others) cpusForget();
  // their gates, and what ran behind them, are not in RAM
  wasiShutdown();
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_flag & PF_PROGRAM) signalPost(p, SIGKILL);
  }
  return leaveDooming(0);
}

/** Let the n-th allocation from now on fail, once. Returns how many there were since the last time. */
export function fault_arm(n: i32): i32 {
  if (!DEBUG) return -ENOSYS;
  const r = roots();
  const seen = r.r_allocs;
  r.r_failcount = n;
  r.r_failarmed = n > 0 ? 1 : 0;
  r.r_allocs = 0;
  return <i32>seen;
}

// ── clock and blocked calls ──────────────────────────────────────────────────────────────────

/** How far from 1970 a virtual clock may be: nanoseconds are counted in an i64, until the year 2262. */
const VCLOCK_MAX_S: f64 = 9_200_000_000;

export function clock_advance(ms: f64): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const r = roots();
  if (r.r_vclock == 0 || !(ms >= 0 && <f64>r.r_vclock_ns + ms * 1e6 <= VCLOCK_MAX_S * 1e9)) return cpuLeave(-EINVAL);
  r.r_vclock_ns += <i64>(ms * 1e6);
  curcpu.c_nowvalid = 0;
  if (r.r_wbnext != 0 && r.r_vclock_ns >= r.r_wbnext) writebackTick();
  deadlineUpdate();
  return leaveDooming(0);
}

/** Dirty pages that have become old are written, journals commit. */
export function machine_tick(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  writebackTick();
  return leaveDooming(0);
}

export function clock_tick(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  deadlineUpdate();
  return cpuLeave(0);
}

/** This machine's time in ms since 1970 at SA_DATA, as f64. */
export function clock_ms(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  store<f64>(<usize>curcpu.c_area + SA_DATA, clockMs());
  return cpuLeave(0);
}

export function lwp_current(): i32 {
  return changetype<usize>(curcpu) == 0 ? 0 : <i32>curcpu.c_lwplast;
}

export function lwp_next(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  if (bb().bb_deadline != 0) deadlineUpdate();
  return leaveDooming(<i32>lwpTake());
}

export function sys_resume(id: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const l = lwpFind(id);
  if (changetype<usize>(l) == 0) return cpuLeave(-ESRCH);
  if (l.lwp_state != LWP_TAKEN) return cpuLeave(-EINVAL);
  const became = procBecome(changetype<Proc>(<usize>l.lwp_proc));
  return leaveDooming(became != 0 ? became : lwpSetCurrent(id));
}

export function sys_cancel(id: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const l = lwpFind(id);
  if (changetype<usize>(l) == 0) return cpuLeave(-ESRCH);
  // another CPU is in the call, or about to be
  if (l.lwp_state == LWP_RUNNING && curcpu.c_lwp != <u32>changetype<usize>(l)) return cpuLeave(-EBUSY);
  const done = l.lwp_done;
  lwpRelease(l);
  return leaveDooming(done != 0 ? <i32>done : -EINTR);
}

/** Nobody can wake a waiting call: it becomes current, as by sys_resume, and ends with what it has done, or -EDEADLK. */
export function sys_giveup(id: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const l = lwpFind(id);
  if (changetype<usize>(l) == 0) return cpuLeave(-ESRCH);
  if (l.lwp_state == LWP_RUNNING) return cpuLeave(-EINVAL);
  const became = procBecome(changetype<Proc>(<usize>l.lwp_proc));
  if (became == 0) lwpGiveUp(l);
  return leaveDooming(became);
}

/** Note what every zone and the kernel hold now as what boot made for good. Called once, by machine_start. */
export function leakBaseline(): void {
  if (DEBUG) roots().r_bootframes = kernelFrames();
  for (let p = roots().r_zones; p != 0; p = changetype<Zone>(<usize>p).z_next) {
    changetype<Zone>(<usize>p).z_boot = <u32>zoneLive(changetype<Zone>(<usize>p));
  }
}
