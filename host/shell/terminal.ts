/** The terminal's side of an interactive shell: who is in the foreground, raw mode, its width. */
import * as tty from '../../assembly/abi/termios.ts';
import type { Process } from '../syscalls/process.ts';
import { isEnded, isSyscallError } from './errors.ts';

/** Input that is not handed over as it is: translation of line ends, ^S and ^Q. */
const COOKED_INPUT = tty.ICRNL | tty.INLCR | tty.IGNCR | tty.IXON;
const COOKED_LOCAL = tty.ICANON | tty.ECHO | tty.ISIG | tty.IEXTEN;
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
  control(process, fd, tty.TIOCSPGRP, new Uint8Array(Uint32Array.of(group).buffer));
}

/** The process group that has the terminal; undefined if it is not this session's terminal. */
export function foreground(process: Process, fd: number): number | undefined {
  const answer = new Uint8Array(4);
  if (!control(process, fd, tty.TIOCGPGRP, answer)) return undefined;
  return new DataView(answer.buffer).getUint32(0, true);
}

export function isTerminal(process: Process, fd: number): boolean {
  return getAttributes(process, fd) !== undefined;
}

/** A terminal's termios; undefined if it is none. */
export function getAttributes(process: Process, fd: number): Uint8Array | undefined {
  const attributes = new Uint8Array(tty.TERMIOS_SIZE);
  return control(process, fd, tty.TCGETS, attributes) ? attributes : undefined;
}

export function setAttributes(process: Process, fd: number, attributes: Uint8Array): void {
  control(process, fd, tty.TCSETS, attributes);
}

/** The same with every key handed over as it is. Output is still translated. */
export function rawAttributes(attributes: Uint8Array): Uint8Array {
  const raw = attributes.slice();
  const view = new DataView(raw.buffer);
  const clear = (at: number, bits: number) => view.setUint32(at, view.getUint32(at, true) & ~bits, true);
  clear(tty.TERMIOS_IFLAG, COOKED_INPUT);
  clear(tty.TERMIOS_LFLAG, COOKED_LOCAL);
  raw[tty.TERMIOS_CC + tty.VMIN] = 1;
  raw[tty.TERMIOS_CC + tty.VTIME] = 0;
  return raw;
}

export function windowColumns(process: Process, fd: number): number {
  const size = new Uint8Array(tty.WINSIZE_SIZE);
  if (!control(process, fd, tty.TIOCGWINSZ, size)) return DEFAULT_COLUMNS;
  return new DataView(size.buffer).getUint16(2, true) || DEFAULT_COLUMNS;
}
