/**
 * System calls about terminals, as the C library names them. Flags and commands are Linux's
 * (assembly/abi/tty.ts).
 */
import { AT_FDCWD, O_CLOEXEC, O_NOCTTY, O_RDWR } from '../../assembly/abi/flags.ts';
import * as tty from '../../assembly/abi/termios.ts';
import { ProcessCalls } from './processcalls.ts';

/** A terminal's settings. */
export interface Termios {
  /** c_iflag: ICRNL, IXON, … */
  iflag: number;
  /** c_oflag: OPOST, ONLCR, … */
  oflag: number;
  /** c_cflag: always 8 bits. */
  cflag: number;
  /** c_lflag: ICANON, ECHO, ISIG, … */
  lflag: number;
  /** Control characters by V*: 19 of them, 0 for none. */
  cc: Uint8Array;
}

export interface WindowSize {
  rows: number;
  columns: number;
  /** In pixels; 0 if not known. */
  width?: number;
  height?: number;
}

/** A pseudo-terminal's two ends. */
export interface Pty {
  readonly master: number;
  /** Path of the terminal at the other end. */
  readonly path: string;
}

const word = (value = 0) => Uint8Array.from({ length: 4 }, (_, i) => value >>> (8 * i));
const read32 = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);

/** Settings with which nothing is done to bytes in either direction (cfmakeraw). */
export function makeRaw({ iflag, oflag, cflag, lflag, cc }: Termios): Termios {
  const { IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON } = tty;
  const raw = cc.slice();
  raw[tty.VMIN] = 1;
  raw[tty.VTIME] = 0;
  return {
    iflag: iflag & ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON),
    oflag: oflag & ~tty.OPOST,
    cflag,
    lflag: lflag & ~(tty.ECHO | tty.ECHONL | tty.ICANON | tty.ISIG | tty.IEXTEN),
    cc: raw,
  };
}

/** Settings for someone who types: what a fresh pseudo-terminal has, and what `stty sane` means. */
export function makeSane(): Termios {
  const cc = new Uint8Array(tty.NCCS);
  const keys: [number, number][] = [
    [tty.VINTR, 3],
    [tty.VQUIT, 28],
    [tty.VERASE, 127],
    [tty.VKILL, 21],
    [tty.VEOF, 4],
    [tty.VMIN, 1],
    [tty.VSTART, 17],
    [tty.VSTOP, 19],
    [tty.VSUSP, 26],
    [tty.VREPRINT, 18],
    [tty.VDISCARD, 15],
    [tty.VWERASE, 23],
    [tty.VLNEXT, 22],
  ];
  for (const [key, byte] of keys) cc[key] = byte;
  const { ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN } = tty;
  return {
    iflag: tty.ICRNL | tty.IXON | tty.IUTF8,
    oflag: tty.OPOST | tty.ONLCR,
    cflag: tty.B38400 | tty.CS8 | tty.CREAD,
    lflag: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    cc,
  };
}

export class TerminalCalls extends ProcessCalls {
  /** Is it a terminal? */
  isatty(fd: number): boolean {
    this.enter();
    this.cpu.spaces[0] = new Uint8Array(tty.TERMIOS_SIZE);
    return this.exports.sys_ioctl(fd, tty.TCGETS, 0, 0) === 0;
  }

  /** @throws SyscallError ENOTTY, EBADF */
  tcgetattr(fd: number): Termios {
    const bytes = new Uint8Array(tty.TERMIOS_SIZE);
    this.ioctl(fd, tty.TCGETS, bytes);
    const view = new DataView(bytes.buffer);
    return {
      iflag: view.getUint32(tty.TERMIOS_IFLAG, true),
      oflag: view.getUint32(tty.TERMIOS_OFLAG, true),
      cflag: view.getUint32(tty.TERMIOS_CFLAG, true),
      lflag: view.getUint32(tty.TERMIOS_LFLAG, true),
      cc: bytes.slice(tty.TERMIOS_CC, tty.TERMIOS_CC + tty.NCCS),
    };
  }

  /** @param command  TCSETS, TCSETSW, or TCSETSF, which forgets what was typed and not read */
  tcsetattr(fd: number, { iflag, oflag, cflag, lflag, cc }: Termios, command: number = tty.TCSETS): void {
    const bytes = new Uint8Array(tty.TERMIOS_SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint32(tty.TERMIOS_IFLAG, iflag, true);
    view.setUint32(tty.TERMIOS_OFLAG, oflag, true);
    view.setUint32(tty.TERMIOS_CFLAG, cflag, true);
    view.setUint32(tty.TERMIOS_LFLAG, lflag, true);
    bytes.set(cc.subarray(0, tty.NCCS), tty.TERMIOS_CC);
    this.ioctl(fd, command, bytes);
  }

  /** The window's size; 0 × 0 if nobody has told. */
  windowSize(fd: number): Required<WindowSize> {
    const bytes = new Uint8Array(tty.WINSIZE_SIZE);
    this.ioctl(fd, tty.TIOCGWINSZ, bytes);
    const [rows, columns, width, height] = new Uint16Array(bytes.buffer);
    return { rows, columns, width, height };
  }

  /** Tell the window's size; the foreground group gets SIGWINCH if it is another. */
  setWindowSize(fd: number, { rows, columns, width = 0, height = 0 }: WindowSize): void {
    const bytes = new Uint8Array(Uint16Array.of(rows, columns, width, height).buffer);
    this.ioctl(fd, tty.TIOCSWINSZ, bytes);
  }

  /** The foreground group, 0 if there is none. @throws SyscallError ENOTTY: not the controlling terminal */
  tcgetpgrp(fd: number): number {
    const bytes = word();
    this.ioctl(fd, tty.TIOCGPGRP, bytes);
    return read32(bytes);
  }

  /** @throws SyscallError ENOTTY, EPERM (a group of another session), ESRCH */
  tcsetpgrp(fd: number, pgid: number): void {
    this.ioctl(fd, tty.TIOCSPGRP, word(pgid));
  }

  /** The session whose terminal it is. */
  tcgetsid(fd: number): number {
    const bytes = word();
    this.ioctl(fd, tty.TIOCGSID, bytes);
    return read32(bytes);
  }

  /** Forget bytes that wait. @param queue  TCIFLUSH, TCOFLUSH, TCIOFLUSH */
  tcflush(fd: number, queue: number): void {
    this.ioctl(fd, tty.TCFLSH, queue);
  }

  /** Stop and start. @param action  TCOOFF, TCOON, TCIOFF, TCION */
  tcflow(fd: number, action: number): void {
    this.ioctl(fd, tty.TCXONC, action);
  }

  /**
   * Make it the session's controlling terminal; this process must lead the session.
   * @param steal  root may take it from another session @throws SyscallError EPERM
   */
  setControllingTerminal(fd: number, steal = false): void {
    this.ioctl(fd, tty.TIOCSCTTY, steal ? 1 : 0);
  }

  /** Give the controlling terminal up; of a session's leader, for the whole session. */
  dropControllingTerminal(fd: number): void {
    this.ioctl(fd, tty.TIOCNOTTY, 0);
  }

  /** A new pseudo-terminal, unlocked. @throws SyscallError ENOSPC: 256 there are, or no memory */
  openpty(flags: number = O_CLOEXEC): Pty {
    const master = this.openat(AT_FDCWD, '/dev/ptmx', O_RDWR | O_NOCTTY | flags);
    const number = word();
    this.ioctl(master, tty.TIOCGPTN, number);
    this.ioctl(master, tty.TIOCSPTLCK, word(0));
    return { master, path: `/dev/pts/${read32(number)}` };
  }
}
