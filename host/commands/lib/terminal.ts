/** What commands ask of a terminal. */
import type { Tool } from './command.ts';

/** Columns to fill: the terminal's, or COLUMNS, or 80. */
export function columnsOf(tool: Tool, fd: number): number {
  const set = Number(tool.env.COLUMNS);
  if (Number.isInteger(set) && set > 0) return set;
  return windowSize(tool, fd)?.columns || 80;
}

/** A terminal's size in characters; undefined for what is none. */
export function windowSize(tool: Tool, fd: number): { rows: number; columns: number } | undefined {
  return isTerminal(tool, fd) ? tool.process.windowSize(fd) : undefined;
}

export function isTerminal(tool: Tool, fd: number): boolean {
  return tool.process.isatty(fd);
}
