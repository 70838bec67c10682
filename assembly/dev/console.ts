/**
 * The console (5:1), which is every process's terminal too (tty, 5:0).
 *
 * Output goes to the host as it comes. Input comes from the host by console_input and waits in a
 * queue; a read takes what is there, at most to the end of a line, and waits while there is
 * nothing. Echo and editing of the line are the host's terminal's business: there is no line
 * discipline here, and no ioctl of one.
 *
 *     co_head … co_tail   bytes that wait, counted since boot; the place of byte i is i % CO_SIZE
 *     co_eofat            with co_eof: where a read finds the end of file, once
 *
 * Guards: one console; co_lock (RANK_FS) guards head, tail and the end marks.
 */
import { EAGAIN, EFAULT, EINVAL, ENOTTY } from '../abi/errno';
import { FIONREAD, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, S_IFCHR } from '../abi/flags';
import { CONSOLE_EOF, CONSOLE_HANGUP, PAGE_SIZE, SA_SIZE } from '../abi/layout';
import { roots } from '../kern/boot';
import { cpuEnter, cpuLeave, curcpu } from '../kern/cpu';
import { copyout, hostConsoleWrite } from '../kern/imports';
import { lockExclusive, lockRelease, RANK_FS } from '../kern/lock';
import { File } from '../proc/file';
import { CALL_READ, Chan, lwpBlock, selWakeup, wakeup } from '../proc/sleep';
import { IO_NONBLOCK } from '../vfs/defaults';
import { scratchPath, scratchWord } from '../vfs/scratch';
import { Vnode } from '../vfs/vnode';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Uio, uiomove } from '../vm/uio';
import { kmalloc } from '../vm/zone';
import {
  D_NOSEEK,
  devRegister,
  Devsw,
  setDevIoctl,
  setDevPoll,
  setDevRead,
  setDevWrite,
} from './dev';

@unmanaged
class Console {
  co_head: u32;
  co_tail: u32;
  co_eof: u32; //   1: an end of file waits at co_eofat
  co_eofat: u32;
  co_hup: u32; //   1: no input will ever come again
  co_lock: u32; //  Lock
  co_lockwait: u32;
  co_buf: u32; //   CO_SIZE bytes
  // then a Chan: readers that wait
}

/** A power of two; small, because the host can always hand the rest over later. */
const CO_SIZE: u32 = 1024;
const NEWLINE: u32 = 10;

// @ts-ignore: decorator
@inline
function theConsole(): Console {
  return changetype<Console>(<usize>roots().r_console);
}

// @ts-ignore: decorator
@inline
function chanOf(co: Console): Chan {
  return changetype<Chan>(changetype<usize>(co) + offsetof<Console>());
}

// @ts-ignore: decorator
@inline
function lockOf(co: Console): usize {
  return changetype<usize>(co) + offsetof<Console>('co_lock');
}

/** How many bytes a read may take now, ends of file heeded, ends of line not. */
function waiting(co: Console): u32 {
  return (co.co_eof != 0 ? co.co_eofat : co.co_tail) - co.co_head;
}

/** Move at most one line to the reader. co_lock held. */
function takeLine(co: Console, uio: Uio): i32 {
  let left = waiting(co);
  while (left != 0 && uio.uio_resid != 0) {
    const at = co.co_head & (CO_SIZE - 1);
    let n: u32 = 0;
    let line = false;
    while (n < left && n < uio.uio_resid && at + n < CO_SIZE && !line) {
      line = <u32>load<u8>(<usize>co.co_buf + at + n) == NEWLINE;
      n++;
    }
    const before = uio.uio_resid;
    const e = uiomove(<usize>co.co_buf + at, n, uio);
    co.co_head += before - uio.uio_resid;
    if (e != 0) return e;
    if (line) return 0;
    left -= n;
  }
  return 0;
}

function consoleRead(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  if (uio.uio_resid == 0) return 0;
  const co = theConsole();
  lockExclusive(lockOf(co), RANK_FS);
  let e: i32 = 0;
  let block = false;
  if (waiting(co) != 0) e = takeLine(co, uio);
  else if (co.co_eof != 0) co.co_eof = 0;
  else if (co.co_hup == 0) block = true;
  lockRelease(lockOf(co));
  if (!block) return e;
  if (ioflag & IO_NONBLOCK) return -EAGAIN;
  return lwpBlock(chanOf(co), CALL_READ, changetype<File>(<usize>uio.uio_file), 0);
}

function consoleWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const buf = scratchPath(1);
  while (uio.uio_resid != 0) {
    const n = uio.uio_resid < PAGE_SIZE ? uio.uio_resid : PAGE_SIZE;
    const e = uiomove(buf, n, uio);
    if (e != 0) return e;
    const r = hostConsoleWrite(buf, n);
    if (r == <i32>n) continue;
    // what the host did not take was not written
    const lost = r > 0 ? n - <u32>r : n;
    uio.uio_resid += lost;
    uio.uio_off -= lost;
    return r < 0 ? r : 0;
  }
  return 0;
}

function consolePoll(vp: Vnode, fp: File, events: u32): i32 {
  const co = theConsole();
  let ready = POLLOUT | POLLWRNORM;
  if (waiting(co) != 0 || co.co_eof != 0 || co.co_hup != 0) ready |= POLLIN | POLLRDNORM;
  ready &= events;
  if (co.co_hup != 0) ready |= POLLHUP;
  return ready;
}

/** FIONREAD: how many bytes wait. Whatever a terminal would do besides is -ENOTTY. */
function consoleIoctl(vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  if (cmd != FIONREAD) return -ENOTTY;
  const out = scratchWord(8);
  store<u32>(out, waiting(theConsole()));
  return copyout(space, addr, out, 4) != 0 ? -EFAULT : 0;
}

/**
 * Input for the console: `len` bytes at the start of the syscall area, then what the flags say.
 * Returns how many bytes there was room for (an end of file or hang-up counts only when all were
 * taken: give the rest, and the flags, again), -EINVAL, or -EAGAIN while an earlier end of file is
 * still unread.
 */
export function console_input(len: u32, flags: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(input(len, flags));
}

function input(len: u32, flags: u32): i32 {
  const co = theConsole();
  if (changetype<usize>(co) == 0 || len > SA_SIZE || flags & ~(CONSOLE_EOF | CONSOLE_HANGUP)) return -EINVAL;
  if (co.co_hup != 0) return -EINVAL;
  if (co.co_eof != 0 && flags & CONSOLE_EOF) return -EAGAIN;
  lockExclusive(lockOf(co), RANK_FS);
  const room = CO_SIZE - (co.co_tail - co.co_head);
  const n = len < room ? len : room;
  for (let i: u32 = 0; i < n; i++) {
    store<u8>(<usize>co.co_buf + ((co.co_tail + i) & (CO_SIZE - 1)), load<u8>(<usize>curcpu.c_area + i));
  }
  co.co_tail += n;
  if (n == len) {
    if (flags & CONSOLE_EOF) {
      co.co_eof = 1;
      co.co_eofat = co.co_tail;
    }
    if (flags & CONSOLE_HANGUP) co.co_hup = 1;
  }
  lockRelease(lockOf(co));
  if (n != 0 || flags != 0) {
    wakeup(chanOf(co));
    selWakeup();
  }
  return <i32>n;
}

function setup(d: Devsw): void {
  d.d_flags = D_NOSEEK;
  setDevRead(d, consoleRead);
  setDevWrite(d, consoleWrite);
  setDevPoll(d, consolePoll);
  setDevIoctl(d, consoleIoctl);
}

export function consoleInit(): void {
  const co = changetype<Console>(kmalloc(<u32>(offsetof<Console>() + offsetof<Chan>()), ALLOC_NOIO | ALLOC_ZERO));
  co.co_buf = <u32>kmalloc(CO_SIZE, ALLOC_NOIO);
  roots().r_console = <u32>changetype<usize>(co);
  setup(devRegister('tty', S_IFCHR, 5, 0, 1, 0o666));
  setup(devRegister('console', S_IFCHR, 5, 1, 1, 0o600));
}
