/** printf: words by a format. */
import type { Program } from '../programs/program.ts';
import { atWork, type Tool } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { unescapeText } from './lib/escapes.ts';
import { quote } from './lib/quote.ts';

/** A number as C reads it, or a character's code behind a quote. */
function parseNumber(text: string): { value: number; rest: string } {
  if (/^['"]/.test(text)) return { value: text.codePointAt(1) ?? 0, rest: [...text].slice(2).join('') };
  const match = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*(?![.\deE])|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)/.exec(
    text,
  );
  if (match === null) return { value: 0, rest: text };
  const [whole, sign, digits] = match;
  const magnitude = /^0x/i.test(digits)
    ? Number(digits)
    : /^0[0-7]+$/.test(digits)
      ? Number.parseInt(digits, 8)
      : Number(digits);
  return { value: sign === '-' ? -magnitude : magnitude, rest: text.slice(whole.length) };
}

class Printer {
  readonly #tool: Tool;
  readonly #words: readonly string[];
  #at = 0;
  readonly #out: (string | Uint8Array)[] = [];

  constructor(tool: Tool, words: readonly string[]) {
    this.#tool = tool;
    this.#words = words;
  }

  async #number(text: string | undefined): Promise<number> {
    if (text === undefined || text === '') return 0;
    const { value, rest } = parseNumber(text);
    if (rest === text) await this.#tool.warn(`${quote(text)}: expected a numeric value`);
    else if (rest !== '' && /^['"]/.test(text))
      await this.#tool.say(`warning: ${rest}: character(s) following character constant have been ignored`);
    else if (rest !== '') await this.#tool.warn(`${quote(text)}: value not completely converted`);
    return value;
  }

  #next(): string | undefined {
    return this.#words[this.#at++];
  }

  /** @returns whether output ends here (\c) */
  async #conversion(spec: string): Promise<boolean> {
    const match =
      /^%([-+ 0#']*)(\*|\d*)(?:\.(\*|-?\d*))?(?:hh|h|ll|l|L|q|j|z|t)?([diouxXfFeEgGaAcsb%q])$/.exec(spec);
    if (match === null) throw new Failure(`${spec}: invalid conversion specification`);
    let [, flags, width, precision] = match;
    const letter = match[4];
    if (letter === '%') {
      this.#out.push('%');
      return false;
    }
    if (width === '*') {
      const value = await this.#number(this.#next());
      if (value < 0) flags += '-';
      width = String(Math.abs(value));
    }
    if (precision === '*') precision = String(await this.#number(this.#next()));
    const digits = precision === undefined || precision.startsWith('-') ? undefined : Number(precision || 0);
    const word = this.#next();
    let stopped = false;
    let text: string | Uint8Array;
    if (letter === 's') text = digits === undefined ? (word ?? '') : (word ?? '').slice(0, digits);
    else if (letter === 'c') text = (word ?? '').slice(0, 1);
    else if (letter === 'q')
      text = /^[\w./:@%+,-]+$/.test(word ?? '')
        ? (word as string)
        : `'${(word ?? '').replaceAll("'", "'\\''")}'`;
    else if (letter === 'b') ({ bytes: text, stopped } = unescapeText(word ?? '', true));
    else text = formatNumber(await this.#number(word), letter, flags, digits);
    this.#out.push(...padded(text, flags, Number(width || 0), letter, digits));
    return stopped;
  }

  async run(format: string): Promise<void> {
    const pieces = format.split(
      /(%[-+ 0#']*(?:\*|\d*)(?:\.(?:\*|-?\d*))?(?:hh|h|ll|l|L|j|z|t)?(?:[\s\S]|$))/,
    );
    for (;;) {
      const before = this.#at;
      for (const [i, piece] of pieces.entries()) {
        if (i % 2 === 1) {
          if (await this.#conversion(piece)) return this.#flush();
          continue;
        }
        const { bytes, stopped } = unescapeText(piece, false);
        this.#out.push(bytes);
        if (stopped) return this.#flush();
      }
      if (this.#at >= this.#words.length) break;
      if (this.#at === before) {
        await this.#tool.say(
          `warning: ignoring excess arguments, starting with ${quote(this.#words[this.#at])}`,
        );
        break;
      }
    }
    return this.#flush();
  }

  async #flush(): Promise<void> {
    for (const piece of this.#out) await this.#tool.out(piece);
  }
}

function padded(
  text: string | Uint8Array,
  flags: string,
  width: number,
  letter: string,
  digits: number | undefined,
): (string | Uint8Array)[] {
  const length = typeof text === 'string' ? [...text].length : text.length;
  if (length >= width) return [text];
  if (flags.includes('-')) return [text, ' '.repeat(width - length)];
  const zeros =
    flags.includes('0') && !'scbq'.includes(letter) && (digits === undefined || !'diouxX'.includes(letter));
  if (!zeros || typeof text !== 'string') return [' '.repeat(width - length), text];
  const [, sign, rest] = /^([-+ ]?(?:0[xX])?)([\s\S]*)$/.exec(text) as RegExpExecArray;
  return [sign + rest.padStart(width - sign.length, '0')];
}

const WORD = 2n ** 64n;

function formatInteger(value: number, letter: string, flags: string, digits: number | undefined): string {
  const whole = BigInt(Math.trunc(value));
  const isSigned = letter === 'd' || letter === 'i';
  const magnitude = isSigned ? (whole < 0n ? -whole : whole) : whole < 0n ? whole + WORD : whole;
  let text = magnitude.toString(letter === 'o' ? 8 : letter.toLowerCase() === 'x' ? 16 : 10);
  if (digits !== undefined) text = text.padStart(digits, '0');
  if (flags.includes('#') && magnitude !== 0n) {
    if (letter === 'o' && !text.startsWith('0')) text = `0${text}`;
    if (letter.toLowerCase() === 'x') text = `0x${text}`;
  }
  if (letter === 'X') text = text.toUpperCase();
  if (!isSigned) return text;
  return (whole < 0n ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + text;
}

function general(value: number, digits: number, keepsZeros: boolean): string {
  const precision = digits || 1;
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toPrecision(precision)))));
  const text =
    exponent < -4 || exponent >= precision
      ? value.toExponential(precision - 1)
      : value.toFixed(Math.max(0, precision - 1 - exponent));
  const short = keepsZeros ? text : text.replace(/(\.\d*?)0+(?=e|$)/, '$1').replace(/\.(?=e|$)/, '');
  return short.replace(/e([-+])(\d)$/, 'e$10$2');
}

function formatNumber(value: number, letter: string, flags: string, digits: number | undefined): string {
  if ('diouxX'.includes(letter)) return formatInteger(value, letter, flags, digits);
  const places = digits ?? 6;
  const kind = letter.toLowerCase();
  let text =
    kind === 'f'
      ? value.toFixed(places)
      : kind === 'e'
        ? value.toExponential(places).replace(/e([-+])(\d)$/, 'e$10$2')
        : general(value, places, flags.includes('#'));
  if (letter !== kind) text = text.toUpperCase();
  if (value >= 0 && flags.includes('+')) text = `+${text}`;
  else if (value >= 0 && flags.includes(' ')) text = ` ${text}`;
  return text;
}

const HELP = `Usage: printf FORMAT [ARGUMENT]...
  or:  printf OPTION
Print ARGUMENT(s) according to FORMAT.

      --help                 display this help and exit

FORMAT controls the output as in C printf: %d %i %o %u %x %X %f %e %g %c %s
and %%; %b interprets backslash escapes of its argument, %q quotes it for a
shell. FORMAT is used again as long as there are arguments.
`;

export const printf: Program = (context) =>
  atWork(context, async (tool) => {
    let words = context.argv.slice(1);
    if (words.length === 1 && words[0] === '--help') {
      await tool.out(HELP);
      return 0;
    }
    if (words[0] === '--') words = words.slice(1);
    if (words.length === 0) throw new Failure('missing operand', 1, true);
    await new Printer(tool, words.slice(1)).run(words[0]);
    return tool.status;
  });
