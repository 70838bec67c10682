/** WASI: clocks, randomness, signals to oneself, giving way. */
import { EINVAL } from '../../abi/errno';
import {
  WASI_CLOCK_PROCESS_CPUTIME,
  WASI_CLOCK_REALTIME,
  WASI_CLOCK_THREAD_CPUTIME,
  WASI_SIGSYS,
  WASI_SIGTERM,
} from '../../abi/wasi';
import { CLOCK_MONOTONIC } from '../../abi/flags';
import { PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { clockNow, randomFill } from '../../kern/clock';
import { Cpu, curcpu } from '../../kern/cpu';
import { hostClockRead } from '../../kern/imports';
import { curproc } from '../../proc/proc';
import { signalPost } from '../../proc/signal';
import { scratchPath } from '../../vfs/scratch';
import { guestOut, guestOut64, wasiEnter, wasiLeave } from './enter';

const NS_PER_S: i64 = 1_000_000_000;
/** A host's clock is read in microseconds; a virtual one moves by as much. */
const RESOLUTION_NS: u64 = 1000;

/** A clock's time in ns; its id has been checked. */
export function wasiClock(id: u32): u64 {
  clockNow();
  const c = curcpu;
  if (id == WASI_CLOCK_REALTIME) return <u64>(c.c_nowsec * NS_PER_S + c.c_nownsec);
  if (id >= WASI_CLOCK_PROCESS_CPUTIME) {
    const ms = <f64>c.c_nowsec * 1000.0 + <f64>c.c_nownsec / 1e6 - curproc().p_startms;
    return ms > 0 ? <u64>(ms * 1e6) : 0;
  }
  if (roots().r_vclock != 0) return <u64>roots().r_vclock_ns;
  const at = changetype<usize>(c) + offsetof<Cpu>('c_clock0');
  hostClockRead(CLOCK_MONOTONIC, at);
  return <u64>(<i64>load<f64>(at) * NS_PER_S + load<u32>(at, 8));
}

export function wasi_clock_res_get(wg: u32, id: u32, resolution: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(id > WASI_CLOCK_THREAD_CPUTIME ? -EINVAL : guestOut64(resolution, RESOLUTION_NS));
}

/** The precision asked for is never finer than what there is. */
export function wasi_clock_time_get(wg: u32, id: u32, precision: u64, time: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(id > WASI_CLOCK_THREAD_CPUTIME ? -EINVAL : guestOut64(time, wasiClock(id)));
}

function randomGet(buf: u32, len: u32): i32 {
  const bytes = scratchPath(0);
  while (len != 0) {
    const n = len < PAGE_SIZE ? len : PAGE_SIZE;
    randomFill(bytes, n);
    const e = guestOut(buf, bytes, n);
    if (e != 0) return e;
    buf += n;
    len -= n;
  }
  return 0;
}

export function wasi_random_get(wg: u32, buf: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(randomGet(buf, len));
}

/** The guest's process gets the signal; a guest catches none, so it ends or nothing happens. */
function procRaise(signal: u32): i32 {
  if (signal == 0 || signal > WASI_SIGSYS) return -EINVAL;
  signalPost(curproc(), signal > WASI_SIGTERM ? signal + 1 : signal);
  return 0;
}

export function wasi_proc_raise(wg: u32, signal: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(procRaise(signal & 0xff));
}

/** Who goes on next is the host's to say: the gate asks it. */
export function wasi_sched_yield(wg: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(0);
}
