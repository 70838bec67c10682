/**
 * fifofs: named pipes, and the operations of anonymous ones. A mount's second vector: attribute
 * and name operations stay the file system's own, data operations go to the Pipe.
 *
 * An open waits for the other end, having counted itself first so that the other end finds it;
 * what it waits for is a change of the count of opens, so that a partner which came and went in
 * the meantime is not missed. An anonymous pipe (VN_NOCACHE) has both ends from the start and
 * never waits, not even when it is opened again through /proc.
 */
import { EAGAIN, EIO, ENOMEM, ENOTTY, ENXIO, EPIPE, ERESTART } from '../../abi/errno';
import {
  FIONREAD,
  O_ACCMODE,
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  PIPE_BUF,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDNORM,
  POLLWRNORM,
} from '../../abi/flags';
import { SIGPIPE } from '../../abi/signals';
import { copyout } from '../../kern/copy';
import { Ucred } from '../../proc/cred';
import { FF_OPENING, File } from '../../proc/file';
import { curproc } from '../../proc/proc';
import { signalPost } from '../../proc/signal';
import {
  CALL_OPEN,
  CALL_READ,
  CALL_WRITE,
  Chan,
  lwpBlock,
  lwpResume,
  selWakeup,
  wakeup,
} from '../../proc/sleep';
import { IO_NONBLOCK } from '../../vfs/defaults';
import { Fscache, fscacheAddPage, fscacheTouch, GP_HOLE, GP_WRITE } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { scratchWord } from '../../vfs/scratch';
import { Vnode, vnodeLock, vnodeUnlock, VN_NOCACHE } from '../../vfs/vnode';
import {
  setVopClose,
  setVopGetpages,
  setVopIoctl,
  setVopOpen,
  setVopPoll,
  setVopRead,
  setVopReclaim,
  setVopWrite,
  vop_reclaim,
} from '../../vfs/vop';
import { Uio } from '../../vm/uio';
import { packetsPut, packetsTake } from './packet';
import { Pipe, pipeFree, pipeMake, pipeOf, pipePut, pipePutAtomic, pipeTake } from './pipe';

// ── open and close ───────────────────────────────────────────────────────────────────────────

function fileOf(uio: Uio): File {
  return changetype<File>(<usize>uio.uio_file);
}

function fifoOpen(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  vnodeLock(vp);
  const e = fp.f_flag & FF_OPENING ? openAgain(vp, fp, flags) : openFirst(vp, fp, flags);
  vnodeUnlock(vp);
  return e;
}

function openFirst(vp: Vnode, fp: File, flags: u32): i32 {
  let pi = pipeOf(vp);
  const acc = flags & O_ACCMODE;
  const anonymous = (vp.v_flag & VN_NOCACHE) != 0;
  if (acc == O_WRONLY && flags & O_NONBLOCK && !anonymous) {
    if (changetype<usize>(pi) == 0 || pi.pi_readers == 0) return -ENXIO;
  }
  if (changetype<usize>(pi) == 0) pi = pipeMake(vp);
  if (changetype<usize>(pi) == 0) return -ENOMEM;
  if (acc != O_WRONLY) {
    pi.pi_readers++;
    pi.pi_rcount++;
    wakeup(pi.pi_wchan);
  }
  if (acc != O_RDONLY) {
    pi.pi_writers++;
    pi.pi_wcount++;
    wakeup(pi.pi_rchan);
  }
  selWakeup();
  if (anonymous) return 0;
  let e: i32 = 0;
  if (acc == O_RDONLY && pi.pi_writers == 0) {
    // POLLHUP is for those whose writers went, not for those who never had one
    if (flags & O_NONBLOCK) fp.f_data = pi.pi_wcount;
    else e = waitOpen(pi.pi_rchan, fp, pi.pi_wcount);
  } else if (acc == O_WRONLY && pi.pi_readers == 0) e = waitOpen(pi.pi_wchan, fp, pi.pi_rcount);
  if (e != 0 && e != -ERESTART) leave(vp, pi, acc);
  return e;
}

function waitOpen(ch: Chan, fp: File, count: u32): i32 {
  const e = lwpBlock(ch, CALL_OPEN, fp, 0);
  if (e == -ERESTART) lwpResume().lwp_arg = count;
  return e;
}

function openAgain(vp: Vnode, fp: File, flags: u32): i32 {
  const pi = pipeOf(vp);
  if (changetype<usize>(pi) == 0) return -EIO;
  const was = lwpResume().lwp_arg;
  if ((flags & O_ACCMODE) == O_RDONLY) return pi.pi_wcount != was ? 0 : waitOpen(pi.pi_rchan, fp, was);
  return pi.pi_rcount != was ? 0 : waitOpen(pi.pi_wchan, fp, was);
}

/** One File less. */
function leave(vp: Vnode, pi: Pipe, acc: u32): void {
  if (acc != O_WRONLY) pi.pi_readers--;
  if (acc != O_RDONLY) pi.pi_writers--;
  if ((pi.pi_readers | pi.pi_writers) == 0) {
    pipeFree(vp);
    return;
  }
  if (pi.pi_readers != 0 && pi.pi_writers != 0) return;
  wakeup(pi.pi_rchan);
  wakeup(pi.pi_wchan);
  selWakeup();
}

function fifoClose(fm: Fsmanage, vp: Vnode, fp: File): i32 {
  if (vp.v_un == 0) return 0;
  vnodeLock(vp);
  leave(vp, pipeOf(vp), fp.f_flag & O_ACCMODE);
  vnodeUnlock(vp);
  return 0;
}

/** The vnode goes (or dies under its Files). The vector began as a copy of the file system's own. */
function fifoReclaim(fm: Fsmanage, vp: Vnode): i32 {
  if (vp.v_un != 0) pipeFree(vp);
  return vop_reclaim(fm.fm_mount.mnt_norm, vp);
}

// ── data ─────────────────────────────────────────────────────────────────────────────────────

function fifoRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  if (uio.uio_resid == 0) return 0;
  if (vp.v_un == 0) return -EIO;
  vnodeLock(vp);
  const e = readLocked(pipeOf(vp), uio, ioflag);
  vnodeUnlock(vp);
  return e;
}

function readLocked(pi: Pipe, uio: Uio, ioflag: u32): i32 {
  const used = pi.pi_used;
  if (used == 0) {
    if (pi.pi_writers == 0) return 0;
    return ioflag & IO_NONBLOCK ? -EAGAIN : lwpBlock(pi.pi_rchan, CALL_READ, fileOf(uio), 0);
  }
  const e = pi.pi_marked != 0 ? packetsTake(pi, uio) : pipeTake(pi, uio, used < uio.uio_resid ? used : uio.uio_resid);
  wakeup(pi.pi_wchan);
  selWakeup();
  return e;
}

function fifoWrite(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  if (uio.uio_resid == 0) return 0;
  if (vp.v_un == 0) return -EIO;
  vnodeLock(vp);
  const e = writeLocked(vp, pipeOf(vp), uio, ioflag);
  vnodeUnlock(vp);
  return e;
}

function writeLocked(vp: Vnode, pi: Pipe, uio: Uio, ioflag: u32): i32 {
  if (pi.pi_readers == 0) {
    signalPost(curproc(), SIGPIPE);
    return -EPIPE;
  }
  const want = uio.uio_resid;
  const e = fileOf(uio).f_flag & O_DIRECT ? packetsPut(pi, uio) : bytesPut(pi, uio);
  const moved = uio.uio_resid != want;
  if (moved) {
    fscacheTouch(vp.v_fc);
    wakeup(pi.pi_rchan);
    selWakeup();
  }
  if (e != 0 || uio.uio_resid == 0) return e;
  if (ioflag & IO_NONBLOCK) return moved ? 0 : -EAGAIN;
  return lwpBlock(pi.pi_wchan, CALL_WRITE, fileOf(uio), 0);
}

/** As much as there is room for, or, of what POSIX wants in one piece, all or nothing. */
function bytesPut(pi: Pipe, uio: Uio): i32 {
  const l = lwpResume();
  // the whole call decides: what is left of a long write may still be split
  const atomic = uio.uio_resid + (changetype<usize>(l) != 0 ? l.lwp_done : 0) <= PIPE_BUF;
  const room = pi.pi_size - pi.pi_used;
  const want = uio.uio_resid;
  const n = want <= room ? want : atomic ? 0 : room;
  return atomic ? pipePutAtomic(pi, uio, n) : pipePut(pi, uio, n);
}

/** A page that bytes are about to fill: what is around them is never read. */
function fifoGetpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  return flags & GP_WRITE ? fscacheAddPage(fc, index, flags) : GP_HOLE;
}

function fifoPoll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  const pi = pipeOf(vp);
  if (changetype<usize>(pi) == 0) return POLLERR;
  const acc = fp.f_flag & O_ACCMODE;
  let ready: u32 = 0;
  if (acc != O_WRONLY) {
    if (pi.pi_used != 0) ready |= POLLIN | POLLRDNORM;
    if (pi.pi_writers == 0 && pi.pi_wcount != fp.f_data) ready |= POLLHUP;
  }
  if (acc != O_RDONLY) {
    if (pi.pi_size - pi.pi_used >= PIPE_BUF) ready |= POLLOUT | POLLWRNORM;
    if (pi.pi_readers == 0) ready |= POLLERR;
  }
  return ready & (events | POLLERR | POLLHUP);
}

function fifoIoctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  if (cmd != FIONREAD || vp.v_un == 0) return -ENOTTY;
  const pi = pipeOf(vp);
  store<u32>(scratchWord(4), pi.pi_used - pi.pi_gap);
  return -copyout(space, addr, scratchWord(4), 4);
}

/** Lay the fifo operations over a vector that is a copy of the file system's. */
export function fifofsVector(fm: Fsmanage): void {
  setVopOpen(fm, fifoOpen);
  setVopClose(fm, fifoClose);
  setVopRead(fm, fifoRead);
  setVopWrite(fm, fifoWrite);
  setVopPoll(fm, fifoPoll);
  setVopIoctl(fm, fifoIoctl);
  setVopGetpages(fm, fifoGetpages);
  setVopReclaim(fm, fifoReclaim);
}
