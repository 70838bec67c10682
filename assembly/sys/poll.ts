/**
 * poll(2) and ioctl(2).
 *
 * Whoever polls waits on one channel for the whole machine (selChan), and looks at its own
 * descriptors again whenever anything that can be polled changes: a wait on many objects at once
 * needs no place in a queue of each.
 */
import { EBADF, EINVAL } from '../abi/errno';
import { FIONREAD, POLLERR, POLLHUP, POLLNVAL, S_IFREG } from '../abi/flags';
import { POLLFD_MAX, POLLFD_SIZE, SA_IOV } from '../abi/layout';
import { clockMs } from '../kern/clock';
import { curcpu } from '../kern/cpu';
import { copyout } from '../kern/copy';
import { File } from '../proc/file';
import { curproc } from '../proc/proc';
import { CALL_POLL, lwpBlock, lwpResume, selChan } from '../proc/sleep';
import { scratchWord } from '../vfs/scratch';
import { fileVnode } from '../vfs/vfile';
import { vop_ioctl, vop_poll } from '../vfs/vop';
import { sysEnter, sysLeave } from './enter';
import { fdGet } from './path';

/** What holds for one descriptor of those asked for, and what is told unasked. */
function ready(fd: i32, events: u32): u32 {
  if (fd < 0) return 0;
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return POLLNVAL;
  const vp = fileVnode(fp);
  const r = vop_poll(vp.v_fm, vp, fp, events);
  return r < 0 ? POLLERR : <u32>r & (events | POLLERR | POLLHUP);
}

/** Fill revents in; how many of them are not zero. */
function scan(nfds: u32): i32 {
  let n: i32 = 0;
  let p = <usize>curcpu.c_area + SA_IOV;
  for (let i: u32 = 0; i < nfds; i++) {
    const r = ready(load<i32>(p), load<u16>(p, 4));
    store<u16>(p, <u16>r, 6);
    if (r != 0) n++;
    p += POLLFD_SIZE;
  }
  return n;
}

/** Longer waits have no end. */
const FOREVER_MS: f64 = 1e15;

function poll(nfds: u32, timeoutMs: f64): i32 {
  if (nfds > POLLFD_MAX || nfds > curproc().p_nofile || timeoutMs != timeoutMs) return -EINVAL;
  const l = lwpResume();
  if (changetype<usize>(l) != 0 && l.lwp_call != CALL_POLL) return -EINVAL;
  const n = scan(nfds);
  if (n != 0 || timeoutMs == 0) return n;
  let deadline: f64 = 0;
  if (changetype<usize>(l) != 0) {
    if (l.lwp_timedout != 0) return 0;
  } else if (timeoutMs > 0 && timeoutMs < FOREVER_MS) deadline = clockMs() + timeoutMs;
  const e = lwpBlock(selChan(), CALL_POLL, changetype<File>(<usize>0), deadline);
  if (!SMP) return e;
  // what became ready between the look and the wait woke nobody
  const late = scan(nfds);
  return late != 0 ? late : e;
}

export function sys_poll(nfds: u32, timeoutMs: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(poll(nfds, timeoutMs));
}

/** FIONREAD of a regular file: bytes between its offset and its end. */
function bytesLeft(fp: File, space: u32, addr: u32): i32 {
  const left = <i64>fileVnode(fp).v_fc.fc_size - fp.f_offset;
  const clamped = left > i32.MAX_VALUE ? i32.MAX_VALUE : left < i32.MIN_VALUE ? i32.MIN_VALUE : <i32>left;
  store<i32>(scratchWord(8), clamped);
  return -copyout(space, addr, scratchWord(8), 4);
}

function ioctl(fd: i32, cmd: u32, space: u32, addr: u32): i32 {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const vp = fileVnode(fp);
  if (cmd == FIONREAD && vp.v_type == S_IFREG) return bytesLeft(fp, space, addr);
  return vop_ioctl(vp.v_fm, vp, fp, cmd, space, addr);
}

export function sys_ioctl(fd: i32, cmd: u32, space: u32, addr: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(ioctl(fd, cmd, space, addr));
}
