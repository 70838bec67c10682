/** od: bytes in octal and other formats. */
import { command } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { parseSize } from './lib/numbers.ts';
import { quoted, quotedIfNeeded } from './lib/quote.ts';

interface Format {
  readonly size: number;
  /** Columns of one value, its gap included. */
  readonly width: number;
  show(view: DataView, at: number): string;
}

const CONTROL: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};
const NAMES =
  'nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp'.split(
    ' ',
  );

const DIGITS: Readonly<Record<string, readonly [radix: number, widths: Readonly<Record<number, number>>]>> = {
  o: [8, { 1: 3, 2: 6, 4: 11, 8: 22 }],
  x: [16, { 1: 2, 2: 4, 4: 8, 8: 16 }],
  u: [10, { 1: 3, 2: 5, 4: 10, 8: 20 }],
  d: [10, { 1: 4, 2: 6, 4: 11, 8: 20 }],
};

function valueAt(view: DataView, at: number, size: number, signed: boolean): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
  return signed ? BigInt.asIntN(size * 8, value) : value;
}

function formatOf(text: string): Format {
  const match = /^([acdfoux])([1248CSILFD]?)z?$/.exec(text);
  if (match === null) throw new Failure(`invalid character '${text}' in type string ${quoted(text)}`);
  const [, kind, sizeText] = match;
  if (kind === 'c') {
    return {
      size: 1,
      width: 4,
      show: (view, at) => {
        const byte = view.getUint8(at);
        return (
          CONTROL[byte] ??
          (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0'))
        );
      },
    };
  }
  if (kind === 'a') {
    return {
      size: 1,
      width: 4,
      show: (view, at) =>
        NAMES[view.getUint8(at) & 127] ??
        ((view.getUint8(at) & 127) === 127 ? 'del' : String.fromCharCode(view.getUint8(at) & 127)),
    };
  }
  const sizes: Readonly<Record<string, number>> = {
    C: 1,
    S: 2,
    I: 4,
    L: 8,
    F: 4,
    D: 8,
    '': kind === 'f' ? 8 : 4,
  };
  const size = sizes[sizeText] ?? Number(sizeText);
  if (kind === 'f') {
    if (size < 4) throw new Failure(`invalid type string ${quoted(text)}`);
    const digits = size === 4 ? 8 : 17;
    return {
      size,
      width: size === 4 ? 16 : 25,
      show: (view, at) =>
        String(
          Number((size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)).toPrecision(digits)),
        ),
    };
  }
  const [radix, widths] = DIGITS[kind];
  const pad = kind === 'o' || kind === 'x' ? widths[size] : 0;
  return {
    size,
    width: widths[size] + 1,
    show: (view, at) =>
      valueAt(view, at, size, kind === 'd')
        .toString(radix)
        .padStart(pad, '0'),
  };
}

const SHORT: Readonly<Record<string, string>> = {
  a: 'a',
  b: 'o1',
  c: 'c',
  d: 'u2',
  o: 'o2',
  s: 'd2',
  x: 'x2',
  i: 'd4',
  l: 'd8',
};
const shorthand = (letter: string, about: string) => ({ short: letter, shortOnly: true, about }) as const;

export const od = command(
  {
    summary: 'dump files in octal and other formats',
    usage: ['[OPTION]... [FILE]...'],
    options: {
      'address-radix': {
        short: 'A',
        value: 'RADIX',
        about: 'output format for file offsets; RADIX is one of [doxn]',
      },
      'skip-bytes': { short: 'j', value: 'BYTES', about: 'skip BYTES input bytes first' },
      'read-bytes': { short: 'N', value: 'BYTES', about: 'limit dump to BYTES input bytes' },
      format: {
        short: 't',
        value: 'TYPE',
        many: true,
        about: 'select output format or formats: a, c, d[SIZE], f[SIZE], o[SIZE], u[SIZE], x[SIZE]',
      },
      'output-duplicates': { short: 'v', about: 'do not use * to mark line suppression' },
      width: { short: 'w', value: 'BYTES', about: 'output BYTES bytes per output line' },
      a: shorthand('a', 'same as -t a'),
      b: shorthand('b', 'same as -t o1'),
      c: shorthand('c', 'same as -t c'),
      d: shorthand('d', 'same as -t u2'),
      o: shorthand('o', 'same as -t o2'),
      s: shorthand('s', 'same as -t d2'),
      x: shorthand('x', 'same as -t x2'),
      i: shorthand('i', 'same as -t d4'),
      l: shorthand('l', 'same as -t d8'),
    },
  },
  async (tool, { options, operands, given }) => {
    const listed = [...options.format];
    const types = given.flatMap((name) =>
      name === 'format'
        ? (listed.shift()?.match(/[acdfoux][1248CSILFD]?z?|[\s\S]/g) ?? [])
        : (SHORT[name] ?? []),
    );
    const formats = (types.length === 0 ? ['o2'] : types).map(formatOf);
    const bytesOf = (text: string | undefined, otherwise: number) => {
      const size = text === undefined ? otherwise : parseSize(text);
      if (size === undefined) throw new Failure(`invalid argument ${quoted(text ?? '')}`);
      return size;
    };
    const width = bytesOf(options.width, 16);
    const radix = options['address-radix'] ?? 'o';
    if (!/^[doxn]$/.test(radix))
      throw new Failure(`invalid output address radix '${radix}'; it must be one character from [doxn]`);
    const skip = bytesOf(options['skip-bytes'], 0);
    const dump = new Dump(formats, width, radix, options['output-duplicates'], skip);
    let opened = 0;
    let skipped = 0;
    let left = bytesOf(options['read-bytes'], Number.POSITIVE_INFINITY);
    for (const file of operands.length === 0 ? ['-'] : operands) {
      if (left === 0) break;
      try {
        await tool.reading(file, async (input) => {
          opened++;
          for await (const chunk of input) {
            const from = Math.min(chunk.length, skip - skipped);
            skipped += from;
            const bytes = chunk.subarray(from, from + left);
            left -= bytes.length;
            await tool.out(dump.push(bytes));
            if (left === 0) break;
          }
        });
      } catch (error) {
        await tool.failed(quotedIfNeeded(file), error);
      }
    }
    if (opened > 0) await tool.out(dump.end());
    return undefined;
  },
);

class Dump {
  readonly #formats: readonly Format[];
  readonly #width: number;
  readonly #radix: string;
  readonly #all: boolean;
  /** Columns of a byte, so that formats under each other line up. */
  readonly #perByte: number;
  #offset: number;
  #held: number[] = [];
  #last: string | undefined;
  #starred = false;

  constructor(formats: readonly Format[], width: number, radix: string, all: boolean, offset: number) {
    this.#formats = formats;
    this.#width = width;
    this.#radix = radix;
    this.#all = all;
    this.#offset = offset;
    this.#perByte = Math.max(...formats.map((format) => format.width / format.size));
  }

  #address(): string {
    if (this.#radix === 'n') return '';
    return this.#offset
      .toString({ d: 10, o: 8, x: 16 }[this.#radix as 'd' | 'o' | 'x'])
      .padStart(this.#radix === 'x' ? 6 : 7, '0');
  }

  #line(bytes: readonly number[]): string {
    const padded = new Uint8Array(this.#width + 8);
    padded.set(bytes);
    const view = new DataView(padded.buffer);
    return this.#formats
      .map((format, i) => {
        let text = '';
        for (let at = 0; at < bytes.length; at += format.size) {
          const end = Math.round((at + format.size) * this.#perByte);
          const start = Math.round(at * this.#perByte);
          text += format.show(view, at).padStart(end - start);
        }
        const lead = i === 0 ? this.#address() : ' '.repeat(this.#address().length);
        return `${lead}${text}\n`;
      })
      .join('');
  }

  #put(bytes: readonly number[]): string {
    const key = bytes.join();
    const isRepeated = !this.#all && key === this.#last && bytes.length === this.#width;
    let text = '';
    if (!isRepeated) text = this.#line(bytes);
    else if (!this.#starred) text = '*\n';
    this.#starred = isRepeated;
    this.#last = key;
    this.#offset += bytes.length;
    return text;
  }

  push(chunk: Uint8Array): string {
    let out = '';
    for (const byte of chunk) {
      this.#held.push(byte);
      if (this.#held.length < this.#width) continue;
      out += this.#put(this.#held);
      this.#held = [];
    }
    return out;
  }

  end(): string {
    const rest = this.#held.length > 0 ? this.#put(this.#held) : '';
    return rest + (this.#radix === 'n' ? '' : `${this.#address()}\n`);
  }
}
