/** What commands ask of a terminal. */
import { TIOCGWINSZ } from '../../../assembly/abi/termios.ts';
import { isTerminal as isTerminalFd } from '../../programs/streams.ts';
import type { Tool } from './command.ts';
import { errnoOf } from './errors.ts';

/** Columns to fill: the terminal's, or COLUMNS, or 80. */
export function columnsOf(tool: Tool, fd: number): number {
  const set = Number(tool.env.COLUMNS);
  if (Number.isInteger(set) && set > 0) return set;
  return windowSize(tool, fd)?.columns || 80;
}

/** A terminal's size in characters; undefined for what is none. */
export function windowSize(tool: Tool, fd: number): { rows: number; columns: number } | undefined {
  const size = new Uint8Array(8);
  try {
    tool.process.ioctl(fd, TIOCGWINSZ, size);
  } catch (error) {
    if (errnoOf(error) === 0) throw error;
    return undefined;
  }
  return { rows: size[0] | (size[1] << 8), columns: size[2] | (size[3] << 8) };
}

export function isTerminal(tool: Tool, fd: number): boolean {
  return isTerminalFd(tool.process, fd);
}
