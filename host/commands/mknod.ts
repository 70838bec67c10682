/** mknod and mkfifo. */
import { S_IFBLK, S_IFCHR, S_IFIFO } from '../../assembly/abi/flags.ts';
import { checkOperands, command, missingOperand, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { applyMode, parseMode } from './lib/mode.ts';
import { quoted, quotedIfNeeded } from './lib/quote.ts';
import { MAJOR_MAX, MINOR_MAX, makedev } from '../syscalls/devices.ts';

const MODE = {
  short: 'm',
  value: 'MODE',
  about: 'set file permission bits to MODE, not a=rw - umask',
} as const;

function modeOf(tool: Tool, text: string | undefined): number {
  if (text === undefined) return 0o666;
  const changes = parseMode(text);
  if (changes === undefined) throw new Failure('invalid mode');
  const mode = applyMode(changes, 0o666, false, tool.umask());
  if (mode & ~0o777) throw new Failure('mode must specify only file permission bits');
  return mode;
}

function make(tool: Tool, path: string, type: number, rdev: number, mode: string | undefined): void {
  const permissions = modeOf(tool, mode);
  tool.process.mknod(path, type | permissions, rdev);
  if (mode !== undefined) tool.fs.chmodSync(path, permissions);
}

export const mkfifo = command(
  { summary: 'make FIFOs (named pipes)', usage: ['[OPTION]... NAME...'], options: { mode: MODE } },
  async (tool, { options, operands }) => {
    if (operands.length === 0) throw missingOperand();
    modeOf(tool, options.mode);
    for (const path of operands) {
      try {
        make(tool, path, S_IFIFO, 0, options.mode);
      } catch (error) {
        await tool.failed(`cannot create fifo ${quoted(path)}`, error);
      }
    }
    return undefined;
  },
);

function deviceNumber(text: string, what: string): number {
  const number = /^0x[0-9a-f]+$/i.test(text)
    ? Number(text)
    : /^0[0-7]+$/.test(text)
      ? Number.parseInt(text, 8)
      : /^\d+$/.test(text)
        ? Number(text)
        : -1;
  if (number < 0 || number > (what === 'major' ? MAJOR_MAX : MINOR_MAX))
    throw new Failure(`invalid ${what} device number ${quoted(text)}`);
  return number;
}

const TYPES: Readonly<Record<string, number>> = { b: S_IFBLK, c: S_IFCHR, u: S_IFCHR, p: S_IFIFO };

export const mknod = command(
  {
    summary: 'make block or character special files, or FIFOs',
    usage: ['[OPTION]... NAME TYPE [MAJOR MINOR]'],
    options: { mode: MODE },
    details: ['TYPE is b (block), c or u (character) or p (FIFO), which has no MAJOR and MINOR.'],
  },
  async (tool, { options, operands }) => {
    const [path, type = '', major, minor] = operands;
    const isFifo = type.startsWith('p');
    const expected = isFifo ? 2 : 4;
    if (operands.length < expected) {
      const last = operands.at(-1);
      const note = operands.length === 2 ? '\nSpecial files require major and minor device numbers.' : '';
      throw new Failure(
        (last === undefined ? 'missing operand' : `missing operand after ${quoted(last)}`) + note,
        1,
        true,
      );
    }
    if (isFifo && operands.length === 4) {
      throw new Failure(
        `extra operand ${quoted(major)}\nFifos do not have major and minor device numbers.`,
        1,
        true,
      );
    }
    checkOperands(operands, expected, expected);
    const format = TYPES[type[0]];
    if (format === undefined) throw new Failure(`invalid device type ${quoted(type)}`, 1, true);
    const rdev = isFifo ? 0 : makedev(deviceNumber(major, 'major'), deviceNumber(minor, 'minor'));
    try {
      make(tool, path, format, rdev, options.mode);
    } catch (error) {
      if (error instanceof Failure) throw error;
      await tool.failed(quotedIfNeeded(path), error);
    }
    return undefined;
  },
);
