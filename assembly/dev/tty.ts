/**
 * Terminals.
 *
 * A Tty is what programs have open: a line discipline (dev/ldisc.ts) between them and another end,
 * which is a pseudo-terminal's master (dev/pty.ts) or, for the console, the host (dev/console.ts).
 *
 *     other end ─ ttyReceive ─→ t_in ── ttyRead ──→ program
 *     other end ←─ ttyFlush ─── t_out ←─ ttyWrite ── program
 *                                 ↑ echo
 *
 * Both queues are one frame each; positions count bytes modulo 2^32, byte i lies at i % its size.
 *
 *     t_tail … t_canon   whole lines (canonical mode), each end marked in t_ends
 *     t_canon … t_head   the line that is being typed; in raw mode t_canon is not looked at
 *     t_outhead … t_outtail  output that the other end has not taken; up to t_outstop while stopped
 *
 * The last OUT_RESERVE bytes of t_out are for echo alone, which never waits: what does not fit is lost.
 *
 * A session has a controlling terminal (t_sid, and p_tty of its processes), and the terminal a
 * foreground group (t_pgrp), which gets the signals that keys make. There is no stopping (proc/signal.ts): a
 * background group that reads gets EIO, and may write and change the terminal.
 *
 * Guard: t_lock (RANK_FS); t_sid and t_pgrp with it.
 */
import { EAGAIN, EINTR, EIO, ENOMEM, ENXIO, EPERM, ERETRY } from '../abi/errno';
import { O_ACCMODE, O_NOCTTY, O_WRONLY, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/flags';
import { PAGE_SIZE } from '../abi/layout';
import { SIGCONT, SIGHUP, SIGTTIN, SIG_CATCH } from '../abi/signals';
import {
  B38400,
  CREAD,
  CS8,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ICANON,
  ICRNL,
  IEXTEN,
  ISIG,
  IUTF8,
  IXON,
  ONLCR,
  OPOST,
  TABDLY,
  TERMIOS_CC,
  TERMIOS_SIZE,
  VERASE,
  VEOF,
  VDISCARD,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VTIME,
  VWERASE,
  XTABS,
} from '../abi/termios';
import { roots } from '../kern/boot';
import { clockMs } from '../kern/clock';
import { lockExclusive, lockRelease, RANK_FS } from '../kern/lock';
import { bitClear, bitTest } from '../kern/words';
import { credIsRoot, curcred } from '../proc/cred';
import { File, fileSetFree } from '../proc/file';
import { curproc, PF_PROGRAM, Proc, procFind } from '../proc/proc';
import { signalAction, signalGroup, signalPost } from '../proc/signal';
import { CALL_READ, CALL_WRITE, Chan, lwpBlock, lwpGet, lwpResume, selWakeup, wakeup } from '../proc/sleep';
import { IO_NONBLOCK } from '../vfs/defaults';
import { scratchPath } from '../vfs/scratch';
import { ALLOC_NOIO, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, pageFree, pageOf } from '../vm/page';
import { Uio, uiomove } from '../vm/uio';
import { kfree, kmalloc } from '../vm/zone';
import { outputByte, outputPut, ttyMapKeys } from './ldisc';

@unmanaged
export class Tty {
  t_iflag: u32; //    struct termios: TERMIOS_SIZE bytes
  t_oflag: u32;
  t_cflag: u32;
  t_lflag: u32;
  t_line0: u32;
  t_cc3: u64;
  t_cc11: u64;
  t_rows: u16; //     struct winsize
  t_cols: u16;
  t_xpixel: u16;
  t_ypixel: u16;
  t_flags: u32; //    TF_*
  t_head: u32;
  t_canon: u32;
  t_tail: u32;
  t_eofat: u32; //    with TF_EOF: where a raw read finds the end of file, once
  t_outhead: u32;
  t_outtail: u32;
  t_outstop: u32;
  t_column: u32; //   of the next byte of output, as far as can be known
  t_canoncol: u32; // where the line that is being typed begins
  t_in: u32; //       a frame each
  t_out: u32;
  t_pgrp: i32; //     foreground group; 0 = none
  t_sid: i32; //      session whose controlling terminal it is; 0 = none
  t_opens: u32; //    Files of programs
  t_rdev: u32; //     major << 8 | minor
  t_next: u32; //     r_ttys (pseudo-terminals)
  t_uid: u32; //      of its name in devpts
  t_gid: u32;
  t_mode: u32;
  t_lock: u32; //     Lock
  t_lockwait: u32;
  t_rchan0: u32; //   Chans: programs that read,
  t_rchan1: u32;
  t_wchan0: u32; //   that write;
  t_wchan1: u32;
  t_mrchan0: u32; //  the master's readers
  t_mrchan1: u32;
  t_mwchan0: u32; //  and writers
  t_mwchan1: u32;
  t_drain: u32; //    function index: hand t_out to the other end; 0: it takes it itself
  // then TTY_MAP bytes: which bytes are keys; then TTY_ENDS bytes: bits of t_in, ends of lines

  // @ts-ignore: decorator
  @inline
  get t_rchan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Tty>('t_rchan0'));
  }
  // @ts-ignore: decorator
  @inline
  get t_wchan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Tty>('t_wchan0'));
  }
  // @ts-ignore: decorator
  @inline
  get t_mrchan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Tty>('t_mrchan0'));
  }
  // @ts-ignore: decorator
  @inline
  get t_mwchan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Tty>('t_mwchan0'));
  }
  // @ts-ignore: decorator
  @inline
  get t_map(): usize {
    return changetype<usize>(this) + TTY_MAP_AT;
  }
  // @ts-ignore: decorator
  @inline
  get t_ends(): usize {
    return changetype<usize>(this) + TTY_MAP_AT + TTY_MAP;
  }
  /** Bytes that were received and not read. */
  // @ts-ignore: decorator
  @inline
  get t_used(): u32 {
    return this.t_head - this.t_tail;
  }
}

/** Bytes of either queue. */
export const TTY_QUEUE: u32 = PAGE_SIZE;
const OUT_RESERVE: u32 = 512;
/** The most bytes of output that one byte written can make: a tab's spaces, a line's end. */
const OUT_PER_TAB: u32 = 8;
const OUT_PER_BYTE: u32 = 2;
const TTY_MAP: u32 = 32;
const TTY_ENDS: u32 = TTY_QUEUE / 8;
const TTY_MAP_AT: usize = offsetof<Tty>();

if (offsetof<Tty>('t_line0') != 16) ERROR('Tty: struct termios');
if (offsetof<Tty>('t_cc11') + 8 < TERMIOS_SIZE) ERROR('Tty: struct termios');

export const TF_STOPPED: u32 = 1; //  output is stopped (^S)
export const TF_LNEXT: u32 = 2; //    the next byte is no key (^V)
export const TF_ERASING: u32 = 4; //  in the middle of \erased/
export const TF_RAW: u32 = 8; //      no byte needs to be looked at
export const TF_HUP: u32 = 16; //     the other end is gone for good
export const TF_EOF: u32 = 32;
export const TF_INEND: u32 = 64; //   the other end sends no more, but takes output (the console)
export const TF_LOCKED: u32 = 128; // a pseudo-terminal that is not unlocked yet
export const TF_OPENED: u32 = 256; // a program had it open
export const TF_PTY: u32 = 512;

// @ts-ignore: decorator
@inline
export function ttyLock(t: Tty): void {
  lockExclusive(changetype<usize>(t) + offsetof<Tty>('t_lock'), RANK_FS);
}

// @ts-ignore: decorator
@inline
export function ttyUnlock(t: Tty): void {
  lockRelease(changetype<usize>(t) + offsetof<Tty>('t_lock'));
}

// @ts-ignore: decorator
@inline
export function ttyCc(t: Tty, i: u32): u32 {
  return load<u8>(changetype<usize>(t) + TERMIOS_CC + i);
}

function setCc(t: Tty, i: u32, c: u32): void {
  store<u8>(changetype<usize>(t) + TERMIOS_CC + i, <u8>c);
}

/** What a fresh terminal does: Linux's defaults, and erasing whole characters of UTF-8. */
function sane(t: Tty): void {
  t.t_iflag = ICRNL | IXON | IUTF8;
  t.t_oflag = OPOST | ONLCR;
  t.t_cflag = B38400 | CS8 | CREAD;
  t.t_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  setCc(t, VINTR, 3);
  setCc(t, VQUIT, 28);
  setCc(t, VERASE, 127);
  setCc(t, VKILL, 21);
  setCc(t, VEOF, 4);
  setCc(t, VTIME, 0);
  setCc(t, VMIN, 1);
  setCc(t, VSTART, 17);
  setCc(t, VSTOP, 19);
  setCc(t, VSUSP, 26);
  setCc(t, VREPRINT, 18);
  setCc(t, VDISCARD, 15);
  setCc(t, VWERASE, 23);
  setCc(t, VLNEXT, 22);
}

function frame(): u32 {
  const pg = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
  return changetype<usize>(pg) == 0 ? 0 : <u32>pageAddr(pg);
}

/** A terminal with nobody at either end; null: no memory. */
export function ttyAlloc(rdev: u32): Tty {
  const size = <u32>TTY_MAP_AT + TTY_MAP + TTY_ENDS;
  const t = changetype<Tty>(kmalloc(size, ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(t) == 0) return t;
  t.t_in = frame();
  t.t_out = t.t_in == 0 ? 0 : frame();
  if (t.t_out == 0) {
    ttyFree(t);
    return changetype<Tty>(<usize>0);
  }
  t.t_rdev = rdev;
  sane(t);
  ttyMapKeys(t);
  return t;
}

export function ttyFree(t: Tty): void {
  if (t.t_in != 0) pageFree(pageOf(t.t_in));
  if (t.t_out != 0) pageFree(pageOf(t.t_out));
  kfree(changetype<usize>(t));
}

// ── sessions ─────────────────────────────────────────────────────────────────────────────────

/** The session that has it has no terminal any more. */
function sessionClear(t: Tty): void {
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_tty == <u32>changetype<usize>(t)) p.p_tty = 0;
  }
  t.t_sid = 0;
  t.t_pgrp = 0;
}

function sessionTake(t: Tty, p: Proc): void {
  t.t_sid = p.p_sid;
  t.t_pgrp = p.p_pgid;
  p.p_tty = <u32>changetype<usize>(t);
}

/** TIOCSCTTY: 0 or -EPERM. */
export function ttyControl(t: Tty, fp: File, steal: bool): i32 {
  const p = curproc();
  const leader = p.p_pid == p.p_sid;
  if (leader && t.t_sid == p.p_sid) return 0;
  if (!leader || p.p_tty != 0) return -EPERM;
  const root = credIsRoot(curcred());
  if (t.t_sid != 0 && !(steal && root)) return -EPERM;
  if ((fp.f_flag & O_ACCMODE) == O_WRONLY && !root) return -EPERM;
  if (t.t_sid != 0) sessionClear(t);
  sessionTake(t, p);
  return 0;
}

/** A terminal was opened: a session leader that has none takes it for its own, if it is a program (a
 *  process of the library's must not be ended by somebody's ^C because it looked at a file). */
export function ttyOpened(t: Tty, fp: File, flags: u32): void {
  const p = curproc();
  if (flags & O_NOCTTY || (flags & O_ACCMODE) == O_WRONLY || (p.p_flag & PF_PROGRAM) == 0) return;
  if (p.p_pid == p.p_sid && p.p_tty == 0 && t.t_sid == 0) sessionTake(t, p);
}

/** The leader of a session ends, or gives its terminal up (TIOCNOTTY). */
export function ttySessionEnd(p: Proc): void {
  const t = changetype<Tty>(<usize>p.p_tty);
  p.p_tty = 0;
  if (changetype<usize>(t) == 0 || p.p_pid != p.p_sid || t.t_sid != p.p_sid) return;
  const pgrp = t.t_pgrp;
  sessionClear(t);
  signalGroup(pgrp, SIGHUP);
  signalGroup(pgrp, SIGCONT);
}

/** The other end is gone: the session is told, and nothing works any more. t_lock is not held. */
export function ttyHangup(t: Tty): void {
  const leader = procFind(t.t_sid);
  const pgrp = t.t_pgrp;
  ttyLock(t);
  t.t_flags = (t.t_flags | TF_HUP) & ~TF_STOPPED;
  ttyUnlock(t);
  sessionClear(t);
  if (changetype<usize>(leader) != 0) {
    signalPost(leader, SIGHUP);
    signalPost(leader, SIGCONT);
  }
  signalGroup(pgrp, SIGHUP);
  signalGroup(pgrp, SIGCONT);
  ttyWakeAll(t);
}

export function ttyWakeAll(t: Tty): void {
  wakeup(t.t_rchan);
  wakeup(t.t_wchan);
  wakeup(t.t_mrchan);
  wakeup(t.t_mwchan);
  selWakeup();
}

// ── files ────────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function ttyOf(fp: File): Tty {
  return changetype<Tty>(<usize>(changetype<usize>(fp) == 0 ? 0 : fp.f_data));
}

/** A program has it open by this File, until ttyFileFree. */
export function ttyFileOpen(t: Tty, fp: File, free: (fp: File) => void): void {
  fp.f_data = <u32>changetype<usize>(t);
  fileSetFree(fp, free);
  t.t_opens++;
  t.t_flags |= TF_OPENED;
}

/** May the current process read? A background group may not: 0, -EIO, or -EINTR with SIGTTIN caught. */
function readAllowed(t: Tty): i32 {
  const p = curproc();
  if (p.p_tty != <u32>changetype<usize>(t) || t.t_pgrp == 0 || p.p_pgid == t.t_pgrp) return 0;
  if (signalAction(p, SIGTTIN) != SIG_CATCH) return -EIO;
  signalGroup(p.p_pgid, SIGTTIN);
  return -EINTR;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

function endAt(t: Tty, at: u32): bool {
  return bitTest(t.t_ends, at & (TTY_QUEUE - 1));
}

function endClear(t: Tty, at: u32): void {
  bitClear(t.t_ends, at & (TTY_QUEUE - 1));
}

/** Is this the mark of an end of file, which no read returns? */
export function eofAt(t: Tty, at: u32): bool {
  return endAt(t, at) && load<u8>(<usize>t.t_in + (at & (TTY_QUEUE - 1))) == 0;
}

/** Move `n` bytes, which are there, to the reader: 0 or -EFAULT. */
function take(t: Tty, uio: Uio, n: u32): i32 {
  while (n != 0) {
    const at = t.t_tail & (TTY_QUEUE - 1);
    const run = n < TTY_QUEUE - at ? n : TTY_QUEUE - at;
    const before = uio.uio_resid;
    const e = uiomove(<usize>t.t_in + at, run, uio);
    t.t_tail += before - uio.uio_resid;
    if (e != 0) return e;
    n -= run;
  }
  return 0;
}

/** At most one line, canonical mode. There is one. */
function takeLine(t: Tty, uio: Uio): i32 {
  const most = t.t_canon - t.t_tail < uio.uio_resid ? t.t_canon - t.t_tail : uio.uio_resid;
  let n: u32 = 0;
  while (n < most && !endAt(t, t.t_tail + n)) n++;
  const end = t.t_tail + n;
  const found = n < most;
  const eof = found && eofAt(t, end);
  const e = take(t, uio, found && !eof ? n + 1 : n);
  if (e != 0) return e;
  if (found) endClear(t, end);
  if (eof) t.t_tail++;
  // an end of file right behind what filled the buffer ends that, and is not read by itself
  else if (!found && uio.uio_resid == 0 && t.t_tail != t.t_canon && eofAt(t, t.t_tail)) {
    endClear(t, t.t_tail);
    t.t_tail++;
  }
  return 0;
}

/** Bytes that a raw read may take now. */
function rawAvailable(t: Tty): u32 {
  if ((t.t_flags & TF_EOF) == 0) return t.t_used;
  // the bytes before it may have been flushed, or read in canonical mode: then it is here
  if (t.t_eofat - t.t_tail > t.t_used) t.t_eofat = t.t_tail;
  return t.t_eofat - t.t_tail;
}

/** Is there something to read? `asked`: as poll(2) asks. */
function available(t: Tty, asked: bool): bool {
  if (t.t_lflag & ICANON) return t.t_canon != t.t_tail;
  if (t.t_flags & TF_EOF) return true;
  const least = asked && ttyCc(t, VTIME) == 0 && ttyCc(t, VMIN) > 1 ? ttyCc(t, VMIN) : 1;
  return t.t_used >= least;
}

/**
 * Wait on a channel of the terminal, which is locked: -ERESTART or -EINTR; or -ERETRY, to unlock it
 * and come back after waitPrepare, since nothing is allocated under the lock.
 */
export function waitOn(ch: Chan, call: u32, uio: Uio, deadline: f64): i32 {
  if (changetype<usize>(lwpResume()) == 0) return -ERETRY;
  return lwpBlock(ch, call, changetype<File>(<usize>uio.uio_file), deadline);
}

/** Have what a wait needs: 0 or -ENOMEM. */
export function waitPrepare(call: u32, uio: Uio): i32 {
  return changetype<usize>(lwpGet(call, changetype<File>(<usize>uio.uio_file))) == 0 ? -ENOMEM : 0;
}

/** Raw mode: VMIN bytes at least, or as many as come before VTIME is over. `before`: bytes that this
 *  call read before it waited. */
function readRaw(t: Tty, uio: Uio, ioflag: u32, before: u32): i32 {
  const want = uio.uio_resid;
  const there = rawAvailable(t);
  const e = take(t, uio, there < want ? there : want);
  if (e != 0) return e;
  const moved = want - uio.uio_resid;
  const min = ttyCc(t, VMIN);
  const timeMs = <f64>ttyCc(t, VTIME) * 100;
  const got = before + moved;
  if (uio.uio_resid == 0 || (got != 0 && got >= min)) return 0;
  if (t.t_flags & TF_EOF && t.t_tail == t.t_eofat) {
    // behind bytes it is the next read's
    if (got == 0) t.t_flags &= ~TF_EOF;
    return 0;
  }
  if (t.t_flags & TF_INEND || (min == 0 && timeMs == 0)) return 0;
  const l = lwpResume();
  const late = changetype<usize>(l) != 0 && l.lwp_timedout != 0;
  if (late && moved == 0) return 0;
  if (ioflag & IO_NONBLOCK) return -EAGAIN;
  const timed = timeMs != 0 && (min == 0 || got != 0);
  if (changetype<usize>(l) != 0 && moved != 0) {
    // the time is that between two bytes
    l.lwp_deadline = 0;
    l.lwp_timedout = 0;
  }
  return waitOn(t.t_rchan, CALL_READ, uio, timed ? clockMs() + timeMs : 0);
}

function readLocked(t: Tty, uio: Uio, ioflag: u32, before: u32): i32 {
  if (t.t_flags & TF_HUP) return 0;
  if ((t.t_lflag & ICANON) == 0) return readRaw(t, uio, ioflag, before);
  if (t.t_canon != t.t_tail) return takeLine(t, uio);
  if (t.t_flags & TF_INEND || before != 0) return 0;
  return ioflag & IO_NONBLOCK ? -EAGAIN : waitOn(t.t_rchan, CALL_READ, uio, 0);
}

export function ttyRead(t: Tty, uio: Uio, ioflag: u32): i32 {
  if (changetype<usize>(t) == 0) return -ENXIO;
  if (uio.uio_resid == 0) return 0;
  const allowed = readAllowed(t);
  if (allowed != 0) return allowed;
  const l = lwpResume();
  const want = uio.uio_resid;
  const before: u32 = changetype<usize>(l) == 0 ? 0 : l.lwp_done;
  let e: i32;
  do {
    ttyLock(t);
    const tail = t.t_tail;
    e = readLocked(t, uio, ioflag, before + want - uio.uio_resid);
    if (t.t_tail != tail) {
      wakeup(t.t_mwchan);
      selWakeup();
    }
    ttyUnlock(t);
  } while (e == -ERETRY && (e = waitPrepare(CALL_READ, uio)) == 0);
  return e;
}

// ── writing ──────────────────────────────────────────────────────────────────────────────────

/** Bytes that the other end may take. */
export function outAvailable(t: Tty): u32 {
  return (t.t_flags & TF_STOPPED ? t.t_outstop : t.t_outtail) - t.t_outhead;
}

/** Bytes a program may write now. */
function outRoom(t: Tty): u32 {
  const used = t.t_outtail - t.t_outhead;
  if (t.t_flags & TF_STOPPED || used >= TTY_QUEUE - OUT_RESERVE) return 0;
  const room = TTY_QUEUE - OUT_RESERVE - used;
  if ((t.t_oflag & OPOST) == 0) return room;
  return room / ((t.t_oflag & TABDLY) == XTABS ? OUT_PER_TAB : OUT_PER_BYTE);
}

/** The console's way out. */
export function setTtyDrain(t: Tty, fn: (t: Tty) => i32): void {
  t.t_drain = fn.index;
}

/** There is output: hand it to the other end, or tell whoever reads there. 0, or what the host said. */
export function ttyFlush(t: Tty): i32 {
  if (outAvailable(t) == 0) return 0;
  if (t.t_drain != 0) return call_indirect<i32>(t.t_drain, t);
  wakeup(t.t_mrchan);
  selWakeup();
  return 0;
}

function writeLocked(t: Tty, uio: Uio, ioflag: u32): i32 {
  const buf = scratchPath(1);
  while (uio.uio_resid != 0) {
    if (t.t_flags & TF_HUP) return -EIO;
    const room = outRoom(t);
    if (room == 0) {
      if (ioflag & IO_NONBLOCK) return -EAGAIN;
      return waitOn(t.t_wchan, CALL_WRITE, uio, 0);
    }
    const n = room < uio.uio_resid ? room : uio.uio_resid;
    const before = uio.uio_resid;
    const e = uiomove(buf, n, uio);
    const moved = before - uio.uio_resid;
    const cooked = (t.t_oflag & OPOST) != 0;
    for (let i: u32 = 0; i < moved; i++) {
      const c: u32 = load<u8>(buf + i);
      if (cooked) outputByte(t, c);
      else outputPut(t, c);
    }
    if (e != 0) return e;
    const sent = ttyFlush(t);
    if (sent < 0) {
      // what the host did not take was not written
      uio.uio_resid += moved;
      uio.uio_off -= moved;
      return sent;
    }
  }
  return 0;
}

export function ttyWrite(t: Tty, uio: Uio, ioflag: u32): i32 {
  if (changetype<usize>(t) == 0) return -ENXIO;
  if (uio.uio_resid == 0) return 0;
  let e: i32;
  do {
    ttyLock(t);
    e = writeLocked(t, uio, ioflag);
    ttyUnlock(t);
  } while (e == -ERETRY && (e = waitPrepare(CALL_WRITE, uio)) == 0);
  return e;
}

export function ttyPoll(t: Tty, events: u32): i32 {
  if (changetype<usize>(t) == 0) return POLLERR;
  const all = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  if (t.t_flags & TF_HUP) return (all & events) | POLLERR | POLLHUP;
  let ready: u32 = 0;
  if (available(t, true) || t.t_flags & TF_INEND) ready |= POLLIN | POLLRDNORM;
  if (outRoom(t) != 0) ready |= POLLOUT | POLLWRNORM;
  ready &= events;
  return t.t_flags & TF_INEND ? ready | POLLHUP : ready;
}
