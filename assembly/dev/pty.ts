/**
 * Pseudo-terminals. Opening /dev/ptmx makes one: the File is its master, and /dev/pts/N (fs/devpts)
 * the terminal at its other end.
 *
 *     ptmx opened ─→ locked ─ TIOCSPTLCK ─→ open to programs ─ master closed ─→ hung up ─ last File ─→ freed
 *
 * A terminal lives while its master or any program has it open; its number is free, and its name
 * gone, once the master is. Reading the master waits for output, and is EIO once programs had the
 * terminal open and none has; writing it types, and waits while the queue of input is full.
 */
import { EAGAIN, EFAULT, EIO, ENOSPC, ENOTTY, ENXIO, ERETRY } from '../abi/errno';
import { FIONREAD, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, S_IFCHR } from '../abi/flags';
import { PAGE_SIZE } from '../abi/layout';
import {
  PTS_MAJOR,
  PTYS_MAX,
  TIOCGPTLCK,
  TIOCGPTN,
  TIOCSPTLCK,
  TTYAUX_MAJOR,
} from '../abi/termios';
import { Roots, roots } from '../kern/boot';
import { copyin, copyout } from '../kern/copy';
import { spinLock, spinUnlock } from '../kern/lock';
import { curcred } from '../proc/cred';
import { File, fileSetFree } from '../proc/file';
import { curproc } from '../proc/proc';
import { CALL_READ, CALL_WRITE, selWakeup, wakeup } from '../proc/sleep';
import { IO_NONBLOCK } from '../vfs/defaults';
import { scratchPath, scratchWord } from '../vfs/scratch';
import { Vnode } from '../vfs/vnode';
import { Uio, uiomove } from '../vm/uio';
import { D_HIDDEN, D_NOSEEK, devRegister, setDevIoctl, setDevOpen, setDevPoll, setDevRead, setDevRevoke, setDevWrite } from './dev';
import { ttyReceive, ttyRoom } from './ldisc';
import {
  outAvailable,
  TF_HUP,
  TF_LOCKED,
  TF_OPENED,
  TF_PTY,
  Tty,
  TTY_QUEUE,
  ttyAlloc,
  ttyFileOpen,
  ttyFree,
  ttyHangup,
  ttyLock,
  ttyOf,
  ttyOpened,
  ttyPoll,
  ttyRead,
  ttyUnlock,
  ttyWakeAll,
  ttyWrite,
  waitOn,
  waitPrepare,
} from './tty';
import { ttyCommonIoctl, ttyIoctl } from './ttyioctl';

/** Group and mode of a terminal's name, as Linux's distributions mount devpts. */
const TTY_GID: u32 = 5;
const TTY_MODE: u32 = 0o620;

function listLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_ttylock');
}

/** The terminal of that number, its master open, or null. */
export function ptyFind(n: u32): Tty {
  let p = roots().r_ttys;
  while (p != 0 && (changetype<Tty>(<usize>p).t_rdev & 255) != n) p = changetype<Tty>(<usize>p).t_next;
  return changetype<Tty>(<usize>p);
}

/** Put it on the list under the lowest free number: false if there are too many. */
function enlist(t: Tty): bool {
  spinLock(listLock());
  let n: u32 = 0;
  while (n < PTYS_MAX && changetype<usize>(ptyFind(n)) != 0) n++;
  if (n < PTYS_MAX) {
    t.t_rdev = (PTS_MAJOR << 8) | n;
    t.t_next = roots().r_ttys;
    roots().r_ttys = <u32>changetype<usize>(t);
  }
  spinUnlock(listLock());
  return n < PTYS_MAX;
}

function delist(t: Tty): void {
  spinLock(listLock());
  let link = changetype<usize>(roots()) + offsetof<Roots>('r_ttys');
  while (load<u32>(link) != <u32>changetype<usize>(t)) {
    link = <usize>load<u32>(link) + offsetof<Tty>('t_next');
  }
  store<u32>(link, t.t_next);
  spinUnlock(listLock());
}

// ── the master ───────────────────────────────────────────────────────────────────────────────

function masterOpen(vp: Vnode, fp: File, flags: u32): i32 {
  const t = ttyAlloc(0);
  if (changetype<usize>(t) == 0) return -ENOSPC;
  if (!enlist(t)) {
    ttyFree(t);
    return -ENOSPC;
  }
  t.t_flags |= TF_LOCKED | TF_PTY;
  t.t_uid = curcred().cr_uid;
  t.t_gid = TTY_GID;
  t.t_mode = TTY_MODE;
  fp.f_data = <u32>changetype<usize>(t);
  fileSetFree(fp, masterFree);
  return 0;
}

function masterFree(fp: File): void {
  const t = ttyOf(fp);
  delist(t);
  ttyHangup(t);
  if (t.t_opens == 0) ttyFree(t);
}

function masterRead(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const fp = changetype<File>(<usize>uio.uio_file);
  const t = ttyOf(fp);
  if (changetype<usize>(t) == 0) return -ENXIO;
  if (uio.uio_resid == 0) return 0;
  let e: i32;
  do {
    ttyLock(t);
    e = takeOutput(t, uio, ioflag);
    ttyUnlock(t);
  } while (e == -ERETRY && (e = waitPrepare(CALL_READ, uio)) == 0);
  return e;
}

function takeOutput(t: Tty, uio: Uio, ioflag: u32): i32 {
  let left = outAvailable(t);
  if (left == 0) {
    if (t.t_opens == 0 && t.t_flags & TF_OPENED) return -EIO;
    if (ioflag & IO_NONBLOCK) return -EAGAIN;
    return waitOn(t.t_mrchan, CALL_READ, uio, 0);
  }
  let e: i32 = 0;
  while (left != 0 && uio.uio_resid != 0 && e == 0) {
    const at = t.t_outhead & (TTY_QUEUE - 1);
    const run = left < TTY_QUEUE - at ? left : TTY_QUEUE - at;
    const before = uio.uio_resid;
    e = uiomove(<usize>t.t_out + at, run, uio);
    const moved = before - uio.uio_resid;
    t.t_outhead += moved;
    left -= moved;
  }
  wakeup(t.t_wchan);
  selWakeup();
  return e;
}

function masterWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const t = ttyOf(changetype<File>(<usize>uio.uio_file));
  if (changetype<usize>(t) == 0) return -ENXIO;
  let e: i32;
  do {
    ttyLock(t);
    e = giveInput(t, uio, ioflag);
    ttyUnlock(t);
  } while (e == -ERETRY && (e = waitPrepare(CALL_WRITE, uio)) == 0);
  return e;
}

function giveInput(t: Tty, uio: Uio, ioflag: u32): i32 {
  const buf = scratchPath(1);
  while (uio.uio_resid != 0) {
    const room = ttyRoom(t);
    if (room == 0) {
      if (ioflag & IO_NONBLOCK) return -EAGAIN;
      return waitOn(t.t_mwchan, CALL_WRITE, uio, 0);
    }
    const before = uio.uio_resid;
    const e = uiomove(buf, room < PAGE_SIZE ? room : PAGE_SIZE, uio);
    ttyReceive(t, buf, before - uio.uio_resid);
    if (e != 0) return e;
  }
  return 0;
}

function masterPoll(vp: Vnode, fp: File, events: u32): i32 {
  const t = ttyOf(fp);
  if (changetype<usize>(t) == 0) return 0;
  let ready: u32 = 0;
  if (outAvailable(t) != 0) ready |= POLLIN | POLLRDNORM;
  if (ttyRoom(t) != 0) ready |= POLLOUT | POLLWRNORM;
  ready &= events;
  return t.t_opens == 0 && t.t_flags & TF_OPENED ? ready | POLLHUP : ready;
}

function out32(v: u32, space: u32, addr: u32): i32 {
  store<u32>(scratchWord(8), v);
  return copyout(space, addr, scratchWord(8), 4) != 0 ? -EFAULT : 0;
}

function masterIoctl(vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  const t = ttyOf(fp);
  if (changetype<usize>(t) == 0) return -ENOTTY;
  if (cmd == TIOCGPTN) return out32(t.t_rdev & 255, space, addr);
  if (cmd == TIOCGPTLCK) return out32(t.t_flags & TF_LOCKED ? 1 : 0, space, addr);
  if (cmd == FIONREAD) return out32(outAvailable(t), space, addr);
  if (cmd != TIOCSPTLCK) return ttyCommonIoctl(t, fp, cmd, space, addr, true);
  if (copyin(space, addr, scratchWord(8), 4) != 0) return -EFAULT;
  if (load<u32>(scratchWord(8)) != 0) t.t_flags |= TF_LOCKED;
  else t.t_flags &= ~TF_LOCKED;
  return 0;
}

// ── the terminal ─────────────────────────────────────────────────────────────────────────────

/** A program closed it. The master hears of the last one. */
export function slaveFree(fp: File): void {
  const t = ttyOf(fp);
  t.t_opens--;
  if (t.t_opens != 0 || (t.t_flags & TF_PTY) == 0) return;
  if (t.t_flags & TF_HUP) {
    ttyFree(t);
    return;
  }
  wakeup(t.t_mrchan);
  selWakeup();
}

/** Open a terminal, by its own name or by /dev/tty. */
export function slaveOpen(t: Tty, fp: File, flags: u32): i32 {
  if (t.t_flags & (TF_HUP | TF_LOCKED)) return -EIO;
  ttyFileOpen(t, fp, slaveFree);
  ttyOpened(t, fp, flags);
  return 0;
}

function ptsOpen(vp: Vnode, fp: File, flags: u32): i32 {
  const t = ptyFind(vp.v_fc.fc_attr.va_rdev & 255);
  return changetype<usize>(t) == 0 ? -EIO : slaveOpen(t, fp, flags);
}

/** /dev/tty: the terminal that controls the process. */
function ctlOpen(vp: Vnode, fp: File, flags: u32): i32 {
  const t = changetype<Tty>(<usize>curproc().p_tty);
  return changetype<usize>(t) == 0 ? -ENXIO : slaveOpen(t, fp, flags);
}

export function slaveRead(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  return ttyRead(ttyOf(changetype<File>(<usize>uio.uio_file)), uio, ioflag);
}

export function slaveWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  return ttyWrite(ttyOf(changetype<File>(<usize>uio.uio_file)), uio, ioflag);
}

export function slavePoll(vp: Vnode, fp: File, events: u32): i32 {
  return ttyPoll(ttyOf(fp), events);
}

export function slaveIoctl(vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  return ttyIoctl(fp, cmd, space, addr);
}

/** The name is revoked: whoever waits finds its File dead. */
function ptsRevoke(vp: Vnode): void {
  const t = ptyFind(vp.v_fc.fc_attr.va_rdev & 255);
  if (changetype<usize>(t) != 0) ttyWakeAll(t);
}

/** Nobody knows whose terminals were opened by this name. */
function ctlRevoke(vp: Vnode): void {
  for (let p = roots().r_ttys; p != 0; p = changetype<Tty>(<usize>p).t_next) ttyWakeAll(changetype<Tty>(<usize>p));
  ttyWakeAll(changetype<Tty>(<usize>roots().r_console));
}

export function ptyInit(): void {
  const master = devRegister('ptmx', S_IFCHR, TTYAUX_MAJOR, 2, 1, 0o666, D_NOSEEK);
  setDevOpen(master, masterOpen);
  setDevRead(master, masterRead);
  setDevWrite(master, masterWrite);
  setDevPoll(master, masterPoll);
  setDevIoctl(master, masterIoctl);
  // their names are devpts's
  const pts = devRegister('pts', S_IFCHR, PTS_MAJOR, 0, PTYS_MAX, 0, D_NOSEEK | D_HIDDEN);
  setDevOpen(pts, ptsOpen);
  setDevRevoke(pts, ptsRevoke);
  const ctl = devRegister('tty', S_IFCHR, TTYAUX_MAJOR, 0, 1, 0o666, D_NOSEEK);
  setDevOpen(ctl, ctlOpen);
  setDevRevoke(ctl, ctlRevoke);
  setDevRead(pts, slaveRead);
  setDevRead(ctl, slaveRead);
  setDevWrite(pts, slaveWrite);
  setDevWrite(ctl, slaveWrite);
  setDevPoll(pts, slavePoll);
  setDevPoll(ctl, slavePoll);
  setDevIoctl(pts, slaveIoctl);
  setDevIoctl(ctl, slaveIoctl);
}
