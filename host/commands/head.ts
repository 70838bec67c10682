/** head: the beginning of files, or all but their end. */
import type { Input } from '../programs/program.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { ByteTail, countLines, LineTail } from './lib/lines.ts';
import { parseSize } from './lib/numbers.ts';
import { quoted } from './lib/quote.ts';

const options = {
  bytes: {
    short: 'c',
    value: '[-]NUM',
    about:
      "print the first NUM bytes of each file; with the leading '-', print all but the last NUM bytes of each file",
  },
  lines: {
    short: 'n',
    value: '[-]NUM',
    about:
      "print the first NUM lines instead of the first 10; with the leading '-', print all but the last NUM lines of each file",
  },
  quiet: { short: 'q', also: ['silent'], about: 'never print headers giving file names' },
  verbose: { short: 'v', about: 'always print headers giving file names' },
  'zero-terminated': { short: 'z', about: 'line delimiter is NUL, not newline' },
} as const;

interface Wanted {
  readonly count: number;
  readonly unit: 'lines' | 'bytes';
  readonly allBut: boolean;
  readonly delimiter: number;
}

/** Bytes of the chunk up to its count-th line's end, and how many lines that was. */
async function firstLines(tool: Tool, input: Input, fd: number, { count, delimiter }: Wanted): Promise<void> {
  let left = count;
  while (left > 0) {
    const chunk = await input.read();
    if (chunk.length === 0) return;
    const { lines, end } = countLines(chunk, left, delimiter);
    left -= lines;
    await tool.out(left === 0 ? chunk.subarray(0, end) : chunk);
    // What was read too much is there for the next who reads, where that can be.
    if (left === 0 && end < chunk.length) giveBack(tool, fd, chunk.length - end);
  }
}

function giveBack(tool: Tool, fd: number, bytes: number): void {
  if (tool.fs.fstatSync(fd).isFile()) tool.process.lseek(fd, -bytes, 1);
}

async function firstBytes(tool: Tool, input: Input, { count }: Wanted): Promise<void> {
  for (let left = count; left > 0; ) {
    const chunk = await input.read(Math.min(left, 65536));
    if (chunk.length === 0) return;
    left -= chunk.length;
    await tool.out(chunk);
  }
}

async function allButLast(tool: Tool, input: Input, { unit, count, delimiter }: Wanted): Promise<void> {
  const held = unit === 'bytes' ? new ByteTail(count) : new LineTail(count, delimiter);
  for (;;) {
    const chunk = await input.read();
    if (chunk.length === 0) return;
    for (const piece of held.push(chunk)) await tool.out(piece);
  }
}

function numberOf(text: string, unit: Wanted['unit']): { count: number; allBut: boolean } {
  const allBut = text.startsWith('-');
  const count = parseSize(text.replace(/^[-+]/, ''));
  if (count === undefined) throw new Failure(`invalid number of ${unit}: ${quoted(text)}`);
  return { count, allBut };
}

/** -5 and -5c as they once were written. */
function prepare(args: readonly string[]): readonly string[] {
  const match = /^-(\d+)([bkmc]?)([lqvz]*)$/.exec(args[0] ?? '');
  if (match === null) return args;
  const [, count, unit, flags] = match;
  const size = unit === '' ? ['-n', count] : ['-c', unit === 'c' ? count : count + unit.replace('m', 'M')];
  return [...size, ...(flags === '' ? [] : [`-${flags.replaceAll('l', '')}`]), ...args.slice(1)];
}

export const head = command(
  { summary: 'output the first part of files', usage: ['[OPTION]... [FILE]...'], options, prepare },
  async (tool, { options: given, operands, last }) => {
    const unit = last('bytes', 'lines') ?? 'lines';
    const delimiter = given['zero-terminated'] ? 0 : 10;
    const wanted: Wanted = { ...numberOf(given[unit] ?? '10', unit), unit, delimiter };
    const files = operands.length === 0 ? ['-'] : operands;
    const titled = last('quiet', 'verbose') ?? (files.length > 1 ? 'verbose' : 'quiet');
    let first = true;
    for (const file of files) {
      try {
        await tool.reading(file, async (input, fd) => {
          if (titled === 'verbose') {
            await tool.out(`${first ? '' : '\n'}==> ${file === '-' ? 'standard input' : file} <==\n`);
            first = false;
          }
          try {
            if (wanted.allBut) await allButLast(tool, input, wanted);
            else if (unit === 'bytes') await firstBytes(tool, input, wanted);
            else await firstLines(tool, input, fd, wanted);
          } catch (error) {
            await tool.failed(`error reading ${quoted(file)}`, error);
          }
        });
      } catch (error) {
        await tool.failed(`cannot open ${quoted(file)} for reading`, error);
      }
    }
    return undefined;
  },
);
