/** The terminal's side of an interactive shell: who is in the foreground, raw mode, its width. */
import { TCGETS, TIOCGWINSZ } from '../../assembly/abi/termios.ts';
import type { Process } from '../syscalls/process.ts';
import { isEnded, isSyscallError } from './errors.ts';

const REQUEST = { setAttributes: 0x5402, foreground: 0x540f, setForeground: 0x5410 };
/** Input flags: translation of line ends, ^S and ^Q. */
const INPUT = 0o100 | 0o200 | 0o400 | 0o2000;
/** Local flags: signals, lines, echo, extensions. */
const LOCAL = 0o1 | 0o2 | 0o10 | 0o100000;
/** Places among the control characters. */
const TIME = 5;
const MINIMUM = 6;

/** A termios as TCGETS gives it: four words of flags, the line discipline, control characters. */
const ATTRIBUTES_BYTES = 36;
const LFLAG = 12;
const CONTROL_CHARACTERS = 17;
const WINSIZE_BYTES = 8;
const DEFAULT_COLUMNS = 80;

/** An ioctl on what may be no terminal: did it work? */
function control(process: Process, fd: number, command: number, argument: Uint8Array): boolean {
  try {
    process.ioctl(fd, command, argument);
    return true;
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    return false;
  }
}

/** Give the terminal to a process group, if it is there. */
export function setForeground(process: Process, fd: number, group: number): void {
  control(process, fd, REQUEST.setForeground, new Uint8Array(Uint32Array.of(group).buffer));
}

/** The process group that has the terminal; undefined if it is not this session's terminal. */
export function foreground(process: Process, fd: number): number | undefined {
  const answer = new Uint8Array(4);
  if (!control(process, fd, REQUEST.foreground, answer)) return undefined;
  return new DataView(answer.buffer).getUint32(0, true);
}

export function isTerminal(process: Process, fd: number): boolean {
  return getAttributes(process, fd) !== undefined;
}

/** A terminal's termios; undefined if it is none. */
export function getAttributes(process: Process, fd: number): Uint8Array | undefined {
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  return control(process, fd, TCGETS, attributes) ? attributes : undefined;
}

export function setAttributes(process: Process, fd: number, attributes: Uint8Array): void {
  control(process, fd, REQUEST.setAttributes, attributes);
}

/** The same with every key handed over as it is. Output is still translated. */
export function rawAttributes(attributes: Uint8Array): Uint8Array {
  const raw = attributes.slice();
  const view = new DataView(raw.buffer);
  view.setUint32(0, view.getUint32(0, true) & ~INPUT, true);
  view.setUint32(LFLAG, view.getUint32(LFLAG, true) & ~LOCAL, true);
  raw[CONTROL_CHARACTERS + MINIMUM] = 1;
  raw[CONTROL_CHARACTERS + TIME] = 0;
  return raw;
}

export function windowColumns(process: Process, fd: number): number {
  const size = new Uint8Array(WINSIZE_BYTES);
  if (!control(process, fd, TIOCGWINSZ, size)) return DEFAULT_COLUMNS;
  return new DataView(size.buffer).getUint16(2, true) || DEFAULT_COLUMNS;
}
