/** Bytes from one descriptor to another, in bounded memory. */
import { SEEK_DATA, SEEK_HOLE, SEEK_SET } from '../../../assembly/abi/flags.ts';
import { ENXIO } from '../../../assembly/abi/errno.ts';
import type { Input, Output } from '../../programs/program.ts';
import type { Tool } from './command.ts';
import { errnoOf } from './errors.ts';
import { type Info, isRegular } from './stat.ts';

const STEP_BYTES = 4 * 1024 * 1024;

/** Everything there is to read. @returns bytes */
export async function copyStream(tool: Tool, input: Input, output: Output): Promise<number> {
  let total = 0;
  for (;;) {
    const chunk = await input.read();
    if (chunk.length === 0) return total;
    total += chunk.length;
    await output.write(chunk);
    await tool.moved(chunk.length);
  }
}

/** Start of the next data at or behind an offset; undefined if only a hole is left. */
function nextData(tool: Tool, fd: number, offset: number): number | undefined {
  try {
    return tool.process.lseek(fd, offset, SEEK_DATA);
  } catch (error) {
    if (errnoOf(error) === ENXIO) return undefined;
    throw error;
  }
}

/** A regular file's bytes inside the kernel, its holes left out. */
function copyRegular(tool: Tool, from: number, to: number): void {
  const { process } = tool;
  let end = 0;
  for (let start = nextData(tool, from, 0); start !== undefined; start = nextData(tool, from, end)) {
    end = process.lseek(from, start, SEEK_HOLE);
    for (let at = start; at < end; ) {
      const count = process.copyFileRange(from, at, to, at, Math.min(STEP_BYTES, end - at));
      if (count === 0) break;
      at += count;
    }
  }
  const { size } = tool.fs.fstatSync(from);
  tool.fs.ftruncateSync(to, size);
  process.lseek(to, 0, SEEK_SET);
}

/** One open file's content to another that is empty. */
export async function copyContent(tool: Tool, from: number, info: Info, to: number): Promise<void> {
  const { context, fs } = tool;
  // Files of procfs say that they are empty.
  if (isRegular(info) && info.size > 0 && fs.fstatSync(to).isFile()) {
    copyRegular(tool, from, to);
    return;
  }
  const output = context.output(to);
  await copyStream(tool, context.input(from), output);
  await output.flush();
}
