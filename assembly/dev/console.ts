/**
 * The console (5:1): the terminal whose other end is the host.
 *
 * Output goes to the host as it comes; input comes from it by console_input. It begins raw, without
 * echo, keys or processing: a log, and a source of bytes. Who wants a terminal there (a getty) sets
 * it as a terminal is set, and makes it the session's with TIOCSCTTY; opening it never does.
 */
import { EAGAIN, EINVAL, EIO } from '../abi/errno';
import { S_IFCHR } from '../abi/flags';
import { CONSOLE_EOF, CONSOLE_HANGUP, SA_SIZE } from '../abi/layout';
import { ICANON, TTYAUX_MAJOR } from '../abi/termios';
import { roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { hostConsoleWrite } from '../kern/imports';
import { File } from '../proc/file';
import { selWakeup, wakeup } from '../proc/sleep';
import { Vnode } from '../vfs/vnode';
import { D_NOSEEK, devRegister, setDevIoctl, setDevOpen, setDevPoll, setDevRead, setDevRevoke, setDevWrite } from './dev';
import { endLine, ttyMapKeys, ttyReceive, ttyRoom } from './ldisc';
import { slaveFree, slaveIoctl, slavePoll, slaveRead, slaveWrite } from './pty';
import {
  outAvailable,
  setTtyDrain,
  TF_EOF,
  TF_INEND,
  Tty,
  TTY_QUEUE,
  ttyAlloc,
  ttyFileOpen,
  ttyLock,
  ttyUnlock,
  ttyWakeAll,
} from './tty';

// @ts-ignore: decorator
@inline
function theConsole(): Tty {
  return changetype<Tty>(<usize>roots().r_console);
}

/** Hand output to the host. What it does not take is lost, and the writer told: -EIO or its errno. */
function drain(t: Tty): i32 {
  while (outAvailable(t) != 0) {
    const at = t.t_outhead & (TTY_QUEUE - 1);
    const left = outAvailable(t);
    const run = left < TTY_QUEUE - at ? left : TTY_QUEUE - at;
    const r = hostConsoleWrite(<usize>t.t_out + at, run);
    t.t_outhead += run;
    if (r != <i32>run) return r < 0 ? r : -EIO;
  }
  wakeup(t.t_wchan);
  return 0;
}

/**
 * console_input: `len` bytes at the start of the syscall area, then what the flags say.
 * Returns how many bytes there was room for (an end of file or hang-up counts only when all were
 * taken: give the rest, and the flags, again), -EINVAL, or -EAGAIN while an earlier end of file is
 * still unread.
 */
export function consoleInput(len: u32, flags: u32): i32 {
  const t = theConsole();
  if (changetype<usize>(t) == 0 || len > SA_SIZE || flags & ~(CONSOLE_EOF | CONSOLE_HANGUP)) return -EINVAL;
  if (t.t_flags & TF_INEND) return -EINVAL;
  if (t.t_flags & TF_EOF && flags & CONSOLE_EOF) return -EAGAIN;
  ttyLock(t);
  let done: u32 = 0;
  while (done < len) {
    const room = ttyRoom(t);
    if (room == 0) break;
    const n = room < len - done ? room : len - done;
    ttyReceive(t, <usize>curcpu.c_area + done, n);
    done += n;
  }
  if (done == len && flags & CONSOLE_EOF) endOfFile(t);
  if (done == len && flags & CONSOLE_HANGUP) t.t_flags |= TF_INEND;
  if (flags != 0) {
    wakeup(t.t_rchan);
    selWakeup();
  }
  ttyUnlock(t);
  return <i32>done;
}

/** A read finds the end of file here: in canonical mode behind what was typed of a line. */
function endOfFile(t: Tty): void {
  if (t.t_lflag & ICANON) {
    if (t.t_head != t.t_canon) endLine(t, 0);
    endLine(t, 0);
    return;
  }
  t.t_flags |= TF_EOF;
  t.t_eofat = t.t_head;
}

function consoleOpen(vp: Vnode, fp: File, flags: u32): i32 {
  ttyFileOpen(theConsole(), fp, slaveFree);
  return 0;
}

function consoleRevoke(vp: Vnode): void {
  ttyWakeAll(theConsole());
}

export function consoleInit(): void {
  const t = ttyAlloc((TTYAUX_MAJOR << 8) | 1);
  t.t_iflag = 0;
  t.t_oflag = 0;
  t.t_lflag = 0;
  ttyMapKeys(t);
  setTtyDrain(t, drain);
  roots().r_console = <u32>changetype<usize>(t);
  const d = devRegister('console', S_IFCHR, TTYAUX_MAJOR, 1, 1, 0o600, D_NOSEEK);
  setDevOpen(d, consoleOpen);
  setDevRead(d, slaveRead);
  setDevWrite(d, slaveWrite);
  setDevPoll(d, slavePoll);
  setDevIoctl(d, slaveIoctl);
  setDevRevoke(d, consoleRevoke);
}
