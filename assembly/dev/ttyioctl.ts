/** What ioctl(2) does to a terminal, from either end. */
import { EFAULT, EINVAL, EIO, ENOTTY, EPERM, ESRCH } from '../abi/errno';
import { FIONREAD } from '../abi/flags';
import { SIGWINCH } from '../abi/signals';
import {
  CREAD,
  CS8,
  CSIZE,
  ICANON,
  IXON,
  PARENB,
  TCFLSH,
  TCGETS,
  TCIFLUSH,
  TCIOFF,
  TCIOFLUSH,
  TCION,
  TCOFLUSH,
  TCOOFF,
  TCOON,
  TCSBRK,
  TCSETS,
  TCSETSF,
  TCSETSW,
  TCXONC,
  TERMIOS_CFLAG,
  TERMIOS_IFLAG,
  TERMIOS_LFLAG,
  TERMIOS_SIZE,
  TIOCGPGRP,
  TIOCGSID,
  TIOCGWINSZ,
  TIOCNOTTY,
  TIOCSCTTY,
  TIOCSPGRP,
  TIOCSWINSZ,
  VSTART,
  VSTOP,
  WINSIZE_SIZE,
} from '../abi/termios';
import { roots } from '../kern/boot';
import { copyin, copyout } from '../kern/copy';
import { File } from '../proc/file';
import { curproc, Proc } from '../proc/proc';
import { signalGroup } from '../proc/signal';
import { selWakeup, wakeup } from '../proc/sleep';
import { scratchWord } from '../vfs/scratch';
import { outputPut, ttyFlushInput, ttyFlushOutput, ttyMapKeys, ttyModeChanged, ttyStart, ttyStop } from './ldisc';
import { eofAt, TF_HUP, Tty, ttyCc, ttyControl, ttyFlush, ttyLock, ttyOf, ttySessionEnd, ttyUnlock } from './tty';

const WINSIZE_AT: usize = offsetof<Tty>('t_rows');

// ── settings ─────────────────────────────────────────────────────────────────────────────────

/** TCSETS and its kin: what is written is handed over at once, so only the flush differs. */
function setTermios(t: Tty, space: u32, addr: u32, flush: bool): i32 {
  const buf = scratchWord(8);
  if (copyin(space, addr, buf, TERMIOS_SIZE) != 0) return -EFAULT;
  ttyLock(t);
  if (flush) ttyFlushInput(t);
  const iflag = t.t_iflag;
  const lflag = t.t_lflag;
  // eight bits, always: there is no wire
  store<u32>(buf, (load<u32>(buf, TERMIOS_CFLAG) & ~(CSIZE | PARENB)) | CS8 | CREAD, TERMIOS_CFLAG);
  memory.copy(changetype<usize>(t), buf, TERMIOS_SIZE);
  if ((lflag ^ load<u32>(buf, TERMIOS_LFLAG)) & ICANON) ttyModeChanged(t);
  ttyMapKeys(t);
  if (iflag & ~load<u32>(buf, TERMIOS_IFLAG) & IXON) ttyStart(t);
  // what was there may be ready now
  wakeup(t.t_rchan);
  wakeup(t.t_wchan);
  selWakeup();
  ttyUnlock(t);
  return 0;
}

function setWinsize(t: Tty, space: u32, addr: u32): i32 {
  const at = changetype<usize>(t) + WINSIZE_AT;
  const was = load<u64>(at);
  if (copyin(space, addr, scratchWord(8), WINSIZE_SIZE) != 0) return -EFAULT;
  const now = load<u64>(scratchWord(8));
  store<u64>(at, now);
  if (now != was) signalGroup(t.t_pgrp, SIGWINCH);
  return 0;
}

function out32(v: u32, space: u32, addr: u32): i32 {
  store<u32>(scratchWord(8), v);
  return copyout(space, addr, scratchWord(8), 4) != 0 ? -EFAULT : 0;
}

// ── sessions ─────────────────────────────────────────────────────────────────────────────────

/** Is it the current process's controlling terminal? */
function controlling(t: Tty): bool {
  return curproc().p_tty == <u32>changetype<usize>(t);
}

function setForeground(t: Tty, space: u32, addr: u32): i32 {
  if (copyin(space, addr, scratchWord(8), 4) != 0) return -EFAULT;
  const pgid = load<i32>(scratchWord(8));
  if (pgid < 0) return -EINVAL;
  const sid = curproc().p_sid;
  if (!controlling(t) || t.t_sid != sid) return -ENOTTY;
  let found = false;
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_pgid != pgid) continue;
    if (p.p_sid != sid) return -EPERM;
    found = true;
  }
  if (!found) return -ESRCH;
  t.t_pgrp = pgid;
  return 0;
}

function giveUp(t: Tty): i32 {
  if (!controlling(t)) return -ENOTTY;
  ttySessionEnd(curproc());
  return 0;
}

// ── flow ─────────────────────────────────────────────────────────────────────────────────────

/** TCXONC. */
function flow(t: Tty, action: u32): i32 {
  if (action > TCION) return -EINVAL;
  ttyLock(t);
  if (action == TCOOFF) ttyStop(t);
  else if (action == TCOON) ttyStart(t);
  else {
    const c = ttyCc(t, action == TCIOFF ? VSTOP : VSTART);
    if (c != 0) outputPut(t, c);
    ttyFlush(t);
  }
  ttyUnlock(t);
  return 0;
}

/** TCFLSH. The master's input is the terminal's output; what it writes is received at once. */
function flush(t: Tty, which: u32, master: bool): i32 {
  if (which > TCIOFLUSH) return -EINVAL;
  ttyLock(t);
  if (which != TCOFLUSH) {
    if (master) ttyFlushOutput(t);
    else ttyFlushInput(t);
  }
  if (which != TCIFLUSH && !master) ttyFlushOutput(t);
  ttyUnlock(t);
  return 0;
}

/** FIONREAD: in canonical mode whole lines, without the marks of ends of file. */
function waiting(t: Tty): u32 {
  if ((t.t_lflag & ICANON) == 0) return t.t_used;
  let n: u32 = 0;
  for (let at = t.t_tail; at != t.t_canon; at++) if (!eofAt(t, at)) n++;
  return n;
}

/** What either end may ask; -ENOTTY for anything else. */
export function ttyCommonIoctl(t: Tty, fp: File, cmd: u32, space: u32, addr: u32, master: bool): i32 {
  switch (cmd) {
    case TCGETS:
      return copyout(space, addr, changetype<usize>(t), TERMIOS_SIZE) != 0 ? -EFAULT : 0;
    case TCSETS:
    case TCSETSW:
      return setTermios(t, space, addr, false);
    case TCSETSF:
      return setTermios(t, space, addr, true);
    case TIOCGWINSZ:
      return copyout(space, addr, changetype<usize>(t) + WINSIZE_AT, WINSIZE_SIZE) != 0 ? -EFAULT : 0;
    case TIOCSWINSZ:
      return setWinsize(t, space, addr);
    case TIOCGPGRP:
      return !master && !controlling(t) ? -ENOTTY : out32(t.t_pgrp, space, addr);
    case TIOCSPGRP:
      return setForeground(t, space, addr);
    case TIOCGSID:
      if ((!master && !controlling(t)) || t.t_sid == 0) return -ENOTTY;
      return out32(t.t_sid, space, addr);
    case TCFLSH:
      return flush(t, addr, master);
    case TCSBRK:
      // a break needs a wire, and output does not linger
      return 0;
    default:
      return -ENOTTY;
  }
}

/** ioctl of a program's end. TIOCSCTTY, TCXONC, TCFLSH and TCSBRK take their number in `addr`. */
export function ttyIoctl(fp: File, cmd: u32, space: u32, addr: u32): i32 {
  const t = ttyOf(fp);
  if (changetype<usize>(t) == 0) return -ENOTTY;
  if (t.t_flags & TF_HUP) return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
  switch (cmd) {
    case FIONREAD:
      return out32(waiting(t), space, addr);
    case TIOCSCTTY:
      return ttyControl(t, fp, addr == 1);
    case TIOCNOTTY:
      return giveUp(t);
    case TCXONC:
      return flow(t, addr);
    default:
      return ttyCommonIoctl(t, fp, cmd, space, addr, false);
  }
}
