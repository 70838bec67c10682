/** cat: files to standard output, with lines numbered or marked if asked for. */
import { S_IFDIR, S_IFMT, S_IFREG } from '../../assembly/abi/flags.ts';
import type { Input } from '../programs/program.ts';
import { command, type Tool } from './lib/command.ts';
import { strerror } from './lib/errors.ts';
import { quotedIfNeeded } from './lib/quote.ts';

const options = {
  'show-all': { short: 'A', about: 'equivalent to -vET' },
  'number-nonblank': { short: 'b', about: 'number nonempty output lines, overrides -n' },
  e: { short: 'e', shortOnly: true, about: 'equivalent to -vE' },
  'show-ends': { short: 'E', about: 'display $ at end of each line' },
  number: { short: 'n', about: 'number all output lines' },
  'squeeze-blank': { short: 's', about: 'suppress repeated empty output lines' },
  t: { short: 't', shortOnly: true, about: 'equivalent to -vT' },
  'show-tabs': { short: 'T', about: 'display TAB characters as ^I' },
  u: { short: 'u', shortOnly: true, about: '(ignored)' },
  'show-nonprinting': { short: 'v', about: 'use ^ and M- notation, except for LFD and TAB' },
} as const;

interface Style {
  number: boolean;
  numberNonblank: boolean;
  squeeze: boolean;
  ends: boolean;
  tabs: boolean;
  nonprinting: boolean;
}

const NEWLINE = 10;
const TAB = 9;

/** A byte in ^ and M- notation. */
function visible(byte: number): string {
  const low = byte & 0x7f;
  const text = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low);
  return byte >= 128 ? `M-${text}` : text;
}

/** What carries over from one chunk, and one file, to the next. */
class Decorator {
  readonly #style: Style;
  readonly #shown: Uint8Array[];
  #line = 0;
  #atStart = true;
  #blank = 0;
  #out = new Uint8Array(0);
  #used = 0;

  constructor(style: Style) {
    this.#style = style;
    const encoder = new TextEncoder();
    this.#shown = Array.from({ length: 256 }, (_, byte) => {
      if (byte === NEWLINE) return encoder.encode(style.ends ? '$\n' : '\n');
      if (byte === TAB) return encoder.encode(style.tabs ? '^I' : '\t');
      return style.nonprinting ? encoder.encode(visible(byte)) : Uint8Array.of(byte);
    });
  }

  #put(bytes: Uint8Array): void {
    if (this.#used + bytes.length > this.#out.length) {
      const larger = new Uint8Array(Math.max(this.#out.length * 2, 4096));
      larger.set(this.#out.subarray(0, this.#used));
      this.#out = larger;
    }
    this.#out.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #startLine(isBlank: boolean): void {
    const { number, numberNonblank } = this.#style;
    if (numberNonblank ? !isBlank : number) {
      this.#put(new TextEncoder().encode(`${String(++this.#line).padStart(6)}\t`));
    }
    this.#atStart = false;
  }

  /** The chunk as it is to be shown. */
  decorate(chunk: Uint8Array): Uint8Array {
    this.#out = new Uint8Array(chunk.length * 2 + 64);
    this.#used = 0;
    for (const byte of chunk) {
      const isBlank = this.#atStart && byte === NEWLINE;
      if (isBlank) this.#blank++;
      else if (this.#atStart) this.#blank = 0;
      if (isBlank && this.#style.squeeze && this.#blank > 1) continue;
      if (this.#atStart) this.#startLine(isBlank);
      this.#put(this.#shown[byte]);
      if (byte === NEWLINE) this.#atStart = true;
    }
    return this.#out.subarray(0, this.#used);
  }
}

/** Would writing add to what is read, for ever? */
function isOutput(tool: Tool, fd: number): boolean {
  const input = tool.fs.fstatSync(fd);
  const output = tool.fs.fstatSync(1);
  if (input.dev !== output.dev || input.ino !== output.ino || (input.mode & S_IFMT) !== S_IFREG) return false;
  return tool.process.lseek(fd, 0, 1) < output.size;
}

async function show(tool: Tool, input: Input, fd: number, decorator: Decorator | undefined): Promise<void> {
  const { mode } = tool.fs.fstatSync(fd);
  if ((mode & S_IFMT) !== S_IFDIR && isOutput(tool, fd)) throw new SameFile();
  for (;;) {
    const chunk = await input.read();
    if (chunk.length === 0) return;
    await tool.out(decorator === undefined ? chunk : decorator.decorate(chunk));
    // What was read is seen before more is waited for.
    await tool.context.stdout.flush();
  }
}

class SameFile extends Error {}

export const cat = command(
  {
    summary: 'concatenate files to standard output',
    usage: ['[OPTION]... [FILE]...'],
    options,
    details: ['With no FILE, or when FILE is -, read standard input.'],
  },
  async (tool, { options: given, operands }) => {
    const style: Style = {
      number: given.number || given['number-nonblank'],
      numberNonblank: given['number-nonblank'],
      squeeze: given['squeeze-blank'],
      ends: given['show-ends'] || given['show-all'] || given.e,
      tabs: given['show-tabs'] || given['show-all'] || given.t,
      nonprinting: given['show-nonprinting'] || given['show-all'] || given.e || given.t,
    };
    const decorator = Object.values(style).includes(true) ? new Decorator(style) : undefined;
    for (const file of operands.length === 0 ? ['-'] : operands) {
      try {
        await tool.reading(file, (input, fd) => show(tool, input, fd, decorator));
      } catch (error) {
        await tool.warn(
          `${quotedIfNeeded(file)}: ${error instanceof SameFile ? 'input file is output file' : strerror(error)}`,
        );
      }
    }
    return undefined;
  },
);
