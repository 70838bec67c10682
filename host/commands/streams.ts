/** tee, wc, cmp, yes: bytes going by. */
import { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } from '../../assembly/abi/flags.ts';
import { SIGINT } from '../../assembly/abi/signals.ts';
import type { Input, Output } from '../programs/program.ts';
import { encodeBytes } from '../syscalls/bytes.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { countLines } from './lib/lines.ts';
import { parseSize } from './lib/numbers.ts';
import { quotedIfNeeded } from './lib/quote.ts';

export const tee = command(
  {
    summary: 'copy standard input to each FILE, and also to standard output',
    usage: ['[OPTION]... [FILE]...'],
    options: {
      append: { short: 'a', about: 'append to the given FILEs, do not overwrite' },
      'ignore-interrupts': { short: 'i', about: 'ignore interrupt signals' },
    },
  },
  async (tool, { options, operands }) => {
    if (options['ignore-interrupts']) tool.context.onSignal(SIGINT, 'ignore');
    const outputs: { name: string; output: Output }[] = [
      { name: 'standard output', output: tool.context.stdout },
    ];
    for (const name of operands) {
      try {
        const fd = await tool.open(name, O_WRONLY | O_CREAT | (options.append ? O_APPEND : O_TRUNC));
        outputs.push({ name, output: tool.context.output(fd) });
      } catch (error) {
        await tool.failed(quotedIfNeeded(name), error);
      }
    }
    for await (const chunk of tool.context.stdin) {
      await tool.moved(chunk.length);
      for (const entry of [...outputs]) {
        try {
          await entry.output.write(chunk);
          await entry.output.flush();
        } catch (error) {
          await tool.failed(quotedIfNeeded(entry.name), error);
          outputs.splice(outputs.indexOf(entry), 1);
        }
      }
      if (outputs.length === 0) break;
    }
    return undefined;
  },
);

interface Counts {
  lines: number;
  words: number;
  chars: number;
  bytes: number;
  longest: number;
}

const isSpace = (byte: number) => byte === 32 || (byte >= 9 && byte <= 13);
const TAB_STOP = 8;

/** Counts one stream, chunk by chunk. */
class Counter {
  readonly counts: Counts = { lines: 0, words: 0, chars: 0, bytes: 0, longest: 0 };
  #inWord = false;
  #column = 0;

  /** @param details  words and widths too, which look at every byte */
  add(chunk: Uint8Array, details: boolean): void {
    const { counts } = this;
    counts.bytes += chunk.length;
    if (!details) {
      counts.lines += countLines(chunk, Number.POSITIVE_INFINITY).lines;
      return;
    }
    for (const byte of chunk) {
      if (byte === 10) counts.lines++;
      // Not the later bytes of a character.
      if ((byte & 0xc0) !== 0x80) counts.chars++;
      if (isSpace(byte)) this.#inWord = false;
      else if (byte > 32 && byte !== 127 && !this.#inWord) {
        this.#inWord = true;
        counts.words++;
      }
      this.#measure(byte);
    }
  }

  #measure(byte: number): void {
    const { counts } = this;
    if (byte === 10 || byte === 13 || byte === 12) this.#column = 0;
    else if (byte === 9) this.#column += TAB_STOP - (this.#column % TAB_STOP);
    else if (byte >= 32 && byte !== 127 && (byte & 0xc0) !== 0x80) this.#column++;
    counts.longest = Math.max(counts.longest, this.#column);
  }
}

const WC = {
  bytes: { short: 'c', about: 'print the byte counts' },
  chars: { short: 'm', about: 'print the character counts' },
  lines: { short: 'l', about: 'print the newline counts' },
  'files0-from': {
    value: 'F',
    about: 'read input from the files specified by NUL-terminated names in file F',
  },
  'max-line-length': { short: 'L', about: 'print the maximum display width' },
  words: { short: 'w', about: 'print the word counts' },
} as const;

export const wc = command(
  {
    summary: 'print newline, word, and byte counts for each file',
    usage: ['[OPTION]... [FILE]...'],
    options: WC,
  },
  async (tool, { options: given, operands }) => {
    const any = given.bytes || given.chars || given.lines || given.words || given['max-line-length'];
    const columns: (keyof Counts)[] = [];
    if (given.lines || !any) columns.push('lines');
    if (given.words || !any) columns.push('words');
    if (given.chars) columns.push('chars');
    if (given.bytes || !any) columns.push('bytes');
    if (given['max-line-length']) columns.push('longest');
    const details = columns.some(
      (column) => column === 'words' || column === 'chars' || column === 'longest',
    );
    let files = operands;
    if (given['files0-from'] !== undefined) {
      const text = await tool.reading(given['files0-from'], (input) => input.text());
      files = text.split('\0').filter((name) => name !== '');
    }
    const width = widthOf(tool, files, columns.length);
    const total: Counts = { lines: 0, words: 0, chars: 0, bytes: 0, longest: 0 };
    const show = (counts: Counts, name: string | undefined) =>
      tool.out(
        `${columns.map((column) => String(counts[column]).padStart(width)).join(' ')}${name === undefined ? '' : ` ${name}`}\n`,
      );
    for (const file of files.length === 0 ? [undefined] : files) {
      const counter = new Counter();
      try {
        await tool.reading(file ?? '-', (input) => count(tool, input, file ?? '-', counter, details));
      } catch (error) {
        await tool.failed(quotedIfNeeded(file ?? '-'), error);
        continue;
      }
      await show(counter.counts, file === undefined ? undefined : quotedIfNeeded(file));
      for (const key of ['lines', 'words', 'chars', 'bytes'] as const) total[key] += counter.counts[key];
      total.longest = Math.max(total.longest, counter.counts.longest);
    }
    if (files.length > 1) await show(total, 'total');
    return undefined;
  },
);

async function count(
  tool: Tool,
  input: Input,
  file: string,
  counter: Counter,
  details: boolean,
): Promise<void> {
  try {
    for await (const chunk of input) counter.add(chunk, details);
  } catch (error) {
    await tool.failed(quotedIfNeeded(file), error);
  }
}

/** Of a column: what the sizes of the files can come to; 7 when one of them says no size. */
function widthOf(tool: Tool, files: readonly string[], columns: number): number {
  if (files.length <= 1 && columns === 1) return 1;
  let bytes = 0;
  for (const file of files.length === 0 ? ['-'] : files) {
    try {
      const stats = file === '-' ? tool.fs.fstatSync(0) : tool.fs.statSync(file);
      if (!stats.isFile()) return 7;
      bytes += stats.size;
    } catch {
      // It will be said when it is opened.
    }
  }
  return String(bytes).length;
}

/** Reads as many bytes as are asked for, unless the end comes. */
class Exactly {
  readonly #input: Input;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(input: Input) {
    this.#input = input;
  }

  /** The next bytes, not taken yet; empty at the end. */
  async peek(): Promise<Uint8Array> {
    if (this.#rest.length === 0) this.#rest = await this.#input.read();
    return this.#rest;
  }

  take(count: number): void {
    this.#rest = this.#rest.subarray(count);
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const { length } = await this.peek();
      if (length === 0) return;
      this.take(Math.min(left, length));
      left -= Math.min(left, length);
    }
  }
}

interface Difference {
  readonly kind: 'none' | 'differ' | 'eof';
  /** Which file ended first. */
  readonly short?: 0 | 1;
  readonly byte: number;
  readonly line: number;
  /** The last line compared had an end. */
  readonly atLineStart: boolean;
  /** The bytes that differ. */
  readonly bytes?: readonly [left: number, right: number];
}

async function compare(
  a: Exactly,
  b: Exactly,
  limit: number,
  each: ((byte: number, left: number, right: number) => Promise<void>) | undefined,
): Promise<Difference> {
  let byte = 0;
  let line = 1;
  let differs = false;
  let atLineStart = true;
  for (;;) {
    if (byte >= limit) return { kind: differs ? 'differ' : 'none', byte, line, atLineStart };
    const [left, right] = [await a.peek(), await b.peek()];
    if (left.length === 0 && right.length === 0)
      return { kind: differs ? 'differ' : 'none', byte, line, atLineStart };
    if (left.length === 0 || right.length === 0)
      return { kind: 'eof', short: left.length === 0 ? 0 : 1, byte, line, atLineStart };
    const length = Math.min(left.length, right.length, limit - byte);
    for (let i = 0; i < length; i++) {
      byte++;
      if (left[i] !== right[i]) {
        if (each === undefined)
          return { kind: 'differ', byte, line, atLineStart, bytes: [left[i], right[i]] };
        differs = true;
        await each(byte, left[i], right[i]);
      }
      atLineStart = left[i] === 10;
      if (atLineStart) line++;
    }
    a.take(length);
    b.take(length);
  }
}

function visibleByte(byte: number): string {
  const low = byte & 0x7f;
  const text = low < 32 ? `^${String.fromCharCode(low + 64)}` : low === 127 ? '^?' : String.fromCharCode(low);
  return byte >= 128 ? `M-${text}` : text;
}

function skipOf(text: string): number {
  const count = parseSize(text);
  if (count === undefined) throw new Failure(`invalid --ignore-initial value '${text}'`, 2, true);
  return count;
}

export const cmp = command(
  {
    summary: 'compare two files byte by byte',
    usage: ['[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]'],
    options: {
      'print-bytes': { short: 'b', about: 'print differing bytes' },
      'ignore-initial': {
        short: 'i',
        value: 'SKIP',
        about: 'skip first SKIP bytes of both inputs, or SKIP1:SKIP2',
      },
      verbose: { short: 'l', about: 'output byte numbers and differing byte values' },
      bytes: { short: 'n', value: 'LIMIT', about: 'compare at most LIMIT bytes' },
      quiet: { short: 's', also: ['silent'], about: 'suppress all normal output' },
    },
    usageStatus: 2,
    triesNamed: true,
    exits: { 0: 'if inputs are the same', 1: 'if different', 2: 'if trouble' },
  },
  async (tool, { options, operands }) => {
    const [first, second = '-', skip1 = '0', skip2 = '0'] = operands;
    if (first === undefined) throw new Failure(`missing operand after '${tool.name}'`, 2, true);
    if (operands.length > 4) throw new Failure(`extra operand '${operands[4]}'`, 2, true);
    const [a = skip1, b = options['ignore-initial'] === undefined ? skip2 : a] = (
      options['ignore-initial'] ?? ''
    )
      .split(':')
      .filter((part) => part !== '');
    const skips = options['ignore-initial'] === undefined ? [skip1, skip2] : [a, b];
    const limit = options.bytes === undefined ? Number.POSITIVE_INFINITY : skipOf(options.bytes);
    const names = [first, second];
    const opened: Exactly[] = [];
    for (const [i, name] of names.entries()) {
      try {
        const fd = name === '-' ? 0 : await tool.open(name, 0);
        const input = new Exactly(tool.context.input(fd));
        await input.skip(skipOf(skips[i]));
        await input.peek();
        opened.push(input);
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (!options.quiet) await tool.failed(name, error, 2);
        return 2;
      }
    }
    const each =
      options.verbose && !options.quiet
        ? (byte: number, left: number, right: number) => {
            const octal = (value: number) => value.toString(8).padStart(3);
            const text = options['print-bytes']
              ? `${octal(left)} ${visibleByte(left).padEnd(4)} ${octal(right)} ${visibleByte(right)}`
              : `${octal(left)} ${octal(right)}`;
            return tool.out(`${String(byte).padStart(widthOfOffsets(tool, names, limit))} ${text}\n`);
          }
        : undefined;
    const difference = await compare(opened[0], opened[1], limit, each);
    if (difference.kind === 'none') return 0;
    if (options.quiet) return 1;
    if (difference.kind === 'eof') {
      const name = names[difference.short ?? 0];
      const { byte, line, atLineStart } = difference;
      const where =
        byte === 0
          ? `EOF on ${name} which is empty`
          : each !== undefined
            ? `EOF on ${name} after byte ${byte}`
            : `EOF on ${name} after byte ${byte}, ${atLineStart ? `line ${line - 1}` : `in line ${line}`}`;
      await tool.say(where);
      return 1;
    }
    if (each === undefined) {
      const { byte, line } = difference;
      let text = `${first} ${second} differ: ${options['print-bytes'] ? 'byte' : 'char'} ${byte}, line ${line}`;
      if (options['print-bytes'] && difference.bytes !== undefined) {
        const [left, right] = difference.bytes;
        text += ` is ${left.toString(8).padStart(3)} ${visibleByte(left)} ${right.toString(8).padStart(3)} ${visibleByte(right)}`;
      }
      await tool.out(`${text}\n`);
    }
    return 1;
  },
);

/** Of the widest byte number that can come. */
function widthOfOffsets(tool: Tool, names: readonly string[], limit: number): number {
  const sizes = names.map((name) => {
    const stats = name === '-' ? tool.fs.fstatSync(0) : tool.fs.statSync(name);
    return stats.isFile() ? stats.size : Number.MAX_SAFE_INTEGER;
  });
  return String(Math.min(...sizes, limit)).length;
}

const YES_BYTES = 8192;

export const yes = command(
  {
    summary: 'output a string repeatedly until killed',
    usage: ['[STRING]...'],
    options: {},
  },
  async (tool, { operands }) => {
    const line = encodeBytes(`${operands.length === 0 ? 'y' : operands.join(' ')}\n`);
    const times = Math.max(1, Math.floor(YES_BYTES / line.length));
    const block = new Uint8Array(line.length * times);
    for (let i = 0; i < times; i++) block.set(line, i * line.length);
    for (;;) {
      await tool.out(block);
    }
  },
);
