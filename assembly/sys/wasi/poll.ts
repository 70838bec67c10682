/**
 * WASI: poll_oneoff: clocks, and descriptors of whatever kind, together.
 *
 * The subscriptions stay in the guest's memory and are looked at one after another, each time
 * anew; an event is written for each that has come. Nothing of them is kept while the call waits
 * but when it began, in its Lwp: relative timeouts count from there.
 */
import { EINVAL, ERESTART } from '../../abi/errno';
import { FIONREAD, POLLERR, POLLHUP, POLLIN, POLLOUT, S_IFREG } from '../../abi/flags';
import {
  RIGHT_FD_READ,
  RIGHT_FD_WRITE,
  RIGHT_POLL_FD_READWRITE,
  WASI_CLOCK_THREAD_CPUTIME,
  WASI_EVENT_CLOCK,
  WASI_EVENT_ERROR,
  WASI_EVENT_FD_READ,
  WASI_EVENT_FD_WRITE,
  WASI_EVENT_FLAGS,
  WASI_EVENT_HANGUP,
  WASI_EVENT_NBYTES,
  WASI_EVENT_SIZE,
  WASI_EVENT_TYPE,
  WASI_EVENT_USERDATA,
  WASI_POLL_MAX,
  WASI_SUB_FD,
  WASI_SUB_FLAGS,
  WASI_SUB_SIZE,
  WASI_SUB_TAG,
  WASI_SUB_TIMEOUT,
  WASI_SUB_USERDATA,
  WASI_SUBCLOCK_ABSTIME,
} from '../../abi/wasi';
import { clockMs } from '../../kern/clock';
import { curcpu } from '../../kern/cpu';
import { File } from '../../proc/file';
import { CALL_POLL, Lwp, lwpBlock, lwpResume, selChan } from '../../proc/sleep';
import { scratchPath } from '../../vfs/scratch';
import { fileVnode } from '../../vfs/vfile';
import { vop_ioctl, vop_poll } from '../../vfs/vop';
import { wasiClock } from './clock';
import { guestIn, guestOut, guestOut32, wasiEnter, wasiErrno, wasiFd, wasiFdError, wasiLeave } from './enter';

/** The current subscription, the event being made, and what the look at all of them found. */
@unmanaged
class Look {
  lk_start: f64; //    ms of clockMs when the call began
  lk_deadline: f64; // ms of clockMs: the earliest clock; 0: there is none
  lk_events: u32; //   how many have come
  lk_out: u32; //      where the guest wants the next
}

const AT_EVENT: usize = 64;
const AT_LOOK: usize = 128;
/** Later deadlines are never reached: ms. */
const FOREVER_MS: f64 = 1e15;

// @ts-ignore: decorator
@inline
function sub(): usize {
  return scratchPath(0);
}

// @ts-ignore: decorator
@inline
function event(): usize {
  return scratchPath(0) + AT_EVENT;
}

// @ts-ignore: decorator
@inline
function look(): Look {
  return changetype<Look>(scratchPath(0) + AT_LOOK);
}

/** The current subscription's event, with an errno of the kernel's, to the guest: 0 or -EFAULT. */
function emit(error: i32, flags: u32): i32 {
  const ev = event();
  memory.fill(ev, 0, WASI_EVENT_SIZE);
  store<u64>(ev, load<u64>(sub(), WASI_SUB_USERDATA), WASI_EVENT_USERDATA);
  store<u16>(ev, error == 0 ? 0 : <u16>wasiErrno(error), WASI_EVENT_ERROR);
  store<u8>(ev, load<u8>(sub(), WASI_SUB_TAG), WASI_EVENT_TYPE);
  store<u16>(ev, <u16>flags, WASI_EVENT_FLAGS);
  const e = guestOut(look().lk_out, ev, WASI_EVENT_SIZE);
  look().lk_out += WASI_EVENT_SIZE;
  look().lk_events++;
  return e;
}

/** When a clock's subscription is due, ms of clockMs. */
function dueMs(): f64 {
  const ms = <f64>load<u64>(sub(), WASI_SUB_TIMEOUT) / 1e6;
  if ((load<u16>(sub(), WASI_SUB_FLAGS) & WASI_SUBCLOCK_ABSTIME) == 0) return look().lk_start + ms;
  const id = load<u32>(sub(), WASI_SUB_FD);
  // the difference of the clocks, so that a deadline has one scale
  return clockMs() + ms - <f64>wasiClock(id) / 1e6;
}

/** The look at a clock: past `now`, it has come. */
function lookClock(now: f64): i32 {
  const id = load<u32>(sub(), WASI_SUB_FD);
  if (id > WASI_CLOCK_THREAD_CPUTIME || load<u16>(sub(), WASI_SUB_FLAGS) & ~WASI_SUBCLOCK_ABSTIME) return emit(EINVAL, 0);
  const due = dueMs();
  if (due <= now) return emit(0, 0);
  if (look().lk_deadline == 0 || due < look().lk_deadline) look().lk_deadline = due;
  return 0;
}

/** The event of a descriptor that is ready; how much can be read goes straight to the guest. */
function emitReady(fp: File, reading: bool, ready: u32): i32 {
  const vp = fileVnode(fp);
  const at = look().lk_out;
  const e = emit(0, ready & POLLHUP ? WASI_EVENT_HANGUP : 0);
  if (e != 0 || !reading) return e;
  if (vp.v_type == S_IFREG) {
    const left = <i64>vp.v_fc.fc_size - fp.f_offset;
    store<u64>(event(), left > 0 ? left : 0);
    return guestOut(at + WASI_EVENT_NBYTES, event(), 8);
  }
  // what cannot tell leaves zero
  vop_ioctl(vp.v_fm, vp, fp, FIONREAD, curcpu.c_guest, at + WASI_EVENT_NBYTES);
  return 0;
}

function lookFd(reading: bool): i32 {
  const fd = load<u32>(sub(), WASI_SUB_FD);
  const right = reading ? RIGHT_FD_READ : RIGHT_FD_WRITE;
  const fp = wasiFd(fd, RIGHT_POLL_FD_READWRITE | right);
  if (changetype<usize>(fp) == 0) return emit(-wasiFdError(fd), 0);
  const vp = fileVnode(fp);
  const want = reading ? POLLIN : POLLOUT;
  const ready = vop_poll(vp.v_fm, vp, fp, want);
  if (ready < 0) return emit(-ready, 0);
  return <u32>ready & (want | POLLERR | POLLHUP) ? emitReady(fp, reading, <u32>ready) : 0;
}

/** Look at every subscription and tell what has come: 0, -EINVAL or -EFAULT; look() has the rest. */
function lookAll(subs: u32, out: u32, n: u32, now: f64): i32 {
  const lk = look();
  lk.lk_deadline = 0;
  lk.lk_events = 0;
  lk.lk_out = out;
  for (let i: u32 = 0; i < n; i++) {
    let e = guestIn(subs + i * WASI_SUB_SIZE, sub(), WASI_SUB_SIZE);
    if (e != 0) return e;
    const tag: u32 = load<u8>(sub(), WASI_SUB_TAG);
    if (tag == WASI_EVENT_CLOCK) e = lookClock(now);
    else if (tag == WASI_EVENT_FD_READ || tag == WASI_EVENT_FD_WRITE) e = lookFd(tag == WASI_EVENT_FD_READ);
    else e = -EINVAL;
    if (e != 0) return e;
  }
  return 0;
}

/** When the call began, which its Lwp remembers. */
function begin(l: Lwp): f64 {
  if (changetype<usize>(l) == 0) return clockMs();
  return reinterpret<f64>(((<u64>l.lwp_stage) << 32) | l.lwp_arg);
}

function pollOneoff(subs: u32, out: u32, n: u32, nevents: u32): i32 {
  if (n == 0 || n > WASI_POLL_MAX) return -EINVAL;
  const l = lwpResume();
  if (changetype<usize>(l) != 0 && l.lwp_call != CALL_POLL) return -EINVAL;
  const lk = look();
  lk.lk_start = begin(l);
  // the wait ended at its deadline, whatever the clock says to the nanosecond
  const overslept = changetype<usize>(l) != 0 && l.lwp_timedout != 0;
  let now = clockMs();
  if (overslept && now < l.lwp_deadline) now = l.lwp_deadline;
  let e = lookAll(subs, out, n, now);
  if (e != 0) return e;
  if (lk.lk_events != 0) return guestOut32(nevents, lk.lk_events);
  const start = lk.lk_start;
  if (changetype<usize>(l) != 0) l.lwp_deadline = 0;
  const deadline = lk.lk_deadline >= FOREVER_MS ? 0 : lk.lk_deadline;
  const r = lwpBlock(selChan(), CALL_POLL, changetype<File>(<usize>0), deadline);
  if (r != -ERESTART) return r;
  const waits = lwpResume();
  const bits = reinterpret<u64>(start);
  waits.lwp_arg = <u32>bits;
  waits.lwp_stage = <u32>(bits >> 32);
  if (!SMP) return r;
  // what became ready between the look and the wait woke nobody
  e = lookAll(subs, out, n, now);
  if (e != 0) return e;
  return lk.lk_events != 0 ? guestOut32(nevents, lk.lk_events) : r;
}

export function wasi_poll_oneoff(wg: u32, subs: u32, out: u32, n: u32, nevents: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pollOneoff(subs, out, n, nevents));
}
