/** printf: C's conversions of text, on integers of 64 bits. */
import type { Shell } from '../shell.ts';
import { readEscapes } from './escapes.ts';

const DIRECTIVE = /%([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d*))?([\s\S]?)/y;
const BITS = 64;
const MAX = (1n << 63n) - 1n;

interface Directive {
  flags: string;
  width: number;
  precision: number | undefined;
}

/** The arguments, taken one by one; what went wrong with them. */
class Arguments {
  readonly #shell: Shell;
  readonly #all: readonly string[];
  #at = 0;
  status = 0;

  constructor(shell: Shell, all: readonly string[]) {
    this.#shell = shell;
    this.#all = all;
  }

  get taken(): number {
    return this.#at;
  }

  get more(): boolean {
    return this.#at < this.#all.length;
  }

  next(): string | undefined {
    return this.#all[this.#at++];
  }

  #warn(message: string): void {
    this.#shell.warn(message);
    this.status = 1;
  }

  integer(): bigint {
    const text = this.next();
    if (text === undefined || text === '') return 0n;
    if (/^["']/.test(text)) return BigInt(text.codePointAt(1) ?? 0);
    const match = /^[ \t\n]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(text);
    if (match === null) {
      this.#warn(`${text}: expected numeric value`);
      return 0n;
    }
    if (match[0].length < text.length) this.#warn(`${text}: not completely converted`);
    const digits = /^0[0-7]/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
    const value = match[1] === '-' ? -BigInt(digits) : BigInt(digits);
    if (value > MAX || value < -MAX - 1n) {
      this.#warn(`${text}: Numerical result out of range`);
      return value > 0n ? MAX : -MAX - 1n;
    }
    return value;
  }

  float(): number {
    const text = this.next();
    if (text === undefined || text === '') return 0;
    if (/^["']/.test(text)) return text.codePointAt(1) ?? 0;
    const match =
      /^[ \t\n]*[-+]?(?:inf(?:inity)?|nan|0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)/i.exec(
        text,
      );
    if (match === null) {
      this.#warn(`${text}: expected numeric value`);
      return 0;
    }
    if (match[0].length < text.length) this.#warn(`${text}: not completely converted`);
    const number = match[0].trim();
    if (/inf/i.test(number))
      return number.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return Number(number.replace(/^\+/, ''));
  }
}

export function printf(shell: Shell, argv: readonly string[]): number {
  const rest = argv[1] === '--' ? argv.slice(2) : argv.slice(1);
  if (rest.length === 0) shell.fail('usage: printf format [arg ...]');
  const [format, ...values] = rest;
  const args = new Arguments(shell, values);
  for (;;) {
    const before = args.taken;
    if (!once(shell, format, args)) break;
    if (!args.more || args.taken === before) break;
  }
  return args.status;
}

/** Put out the format once. False: a `\c` has ended it all. */
function once(shell: Shell, format: string, args: Arguments): boolean {
  for (let at = 0; at < format.length; ) {
    const percent = format.indexOf('%', at);
    const end = percent < 0 ? format.length : percent;
    if (end > at) shell.write(readEscapes(format.slice(at, end), 'format').text);
    if (percent < 0) break;
    if (format[percent + 1] === '%') {
      shell.write('%');
      at = percent + 2;
      continue;
    }
    DIRECTIVE.lastIndex = percent;
    const match = DIRECTIVE.exec(format) as RegExpExecArray;
    at = DIRECTIVE.lastIndex;
    if (!convert(shell, match, args)) return false;
  }
  return true;
}

function convert(shell: Shell, match: RegExpExecArray, args: Arguments): boolean {
  const [written, flagText, widthText, precisionText, conversion] = match;
  if (conversion === '' || !'sbcdiouxXeEfFgG'.includes(conversion))
    shell.fail(`${written}: invalid directive`);
  let flags = flagText;
  let width = widthText === '*' ? Number(args.integer()) : Number(widthText ?? 0);
  if (width < 0) {
    flags += '-';
    width = -width;
  }
  let precision: number | undefined;
  if (precisionText === '*') {
    const given = Number(args.integer());
    precision = given < 0 ? undefined : given;
  } else if (precisionText !== undefined) precision = Number(precisionText);
  const directive = { flags, width, precision };
  switch (conversion) {
    case 's':
      shell.write(padText(cut(args.next() ?? '', precision), directive));
      return true;
    case 'b': {
      const { text, stop } = readEscapes(args.next() ?? '', 'argument');
      shell.write(padText(cut(text, precision), directive));
      return !stop;
    }
    case 'c':
      shell.write(padText([...(args.next() ?? '')][0] ?? '', directive));
      return true;
    case 'd':
    case 'i':
      shell.write(signed(args.integer(), directive));
      return true;
    case 'o':
    case 'u':
    case 'x':
    case 'X':
      shell.write(unsigned(BigInt.asUintN(BITS, args.integer()), conversion, directive));
      return true;
    default:
      shell.write(floating(args.float(), conversion, directive));
      return true;
  }
}

function cut(text: string, precision: number | undefined): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function padText(text: string, { flags, width }: Directive): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  return flags.includes('-') ? text + ' '.repeat(missing) : ' '.repeat(missing) + text;
}

/** A number's sign or prefix and digits in a field. */
function padNumber(sign: string, digits: string, { flags, width }: Directive, zeros: boolean): string {
  const missing = Math.max(0, width - sign.length - digits.length);
  if (flags.includes('-')) return sign + digits + ' '.repeat(missing);
  if (flags.includes('0') && zeros) return sign + '0'.repeat(missing) + digits;
  return ' '.repeat(missing) + sign + digits;
}

function plus(flags: string): string {
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

function signed(value: bigint, directive: Directive): string {
  const { flags, precision } = directive;
  const digits = (value < 0n ? -value : value).toString().padStart(precision ?? 1, '0');
  const shown = precision === 0 && value === 0n ? '' : digits;
  return padNumber(value < 0n ? '-' : plus(flags), shown, directive, precision === undefined);
}

function unsigned(value: bigint, conversion: string, directive: Directive): string {
  const { flags, precision } = directive;
  const base = conversion === 'o' ? 8 : conversion === 'u' ? 10 : 16;
  let digits = value.toString(base);
  if (conversion === 'X') digits = digits.toUpperCase();
  digits = precision === 0 && value === 0n ? '' : digits.padStart(precision ?? 1, '0');
  const alternate = flags.includes('#');
  if (alternate && conversion === 'o' && !digits.startsWith('0')) digits = `0${digits}`;
  const prefix = alternate && base === 16 && value !== 0n ? `0${conversion}` : '';
  return padNumber(prefix, digits, directive, precision === undefined);
}

function floating(value: number, conversion: string, directive: Directive): string {
  const { flags } = directive;
  const negative = value < 0 || Object.is(value, -0);
  const sign = negative ? '-' : plus(flags);
  const upper = /[EFG]/.test(conversion);
  const shaped = Number.isFinite(value)
    ? shape(Math.abs(value), conversion.toLowerCase(), directive)
    : Number.isNaN(value)
      ? 'nan'
      : 'inf';
  return padNumber(sign, upper ? shaped.toUpperCase() : shaped, directive, Number.isFinite(value));
}

const DEFAULT_PRECISION = 6;
/** What toFixed and its kin take. */
const PRECISION_MAX = 100;

function shape(value: number, conversion: string, { flags, precision }: Directive): string {
  const digits = Math.min(precision ?? DEFAULT_PRECISION, PRECISION_MAX);
  if (conversion === 'f') return fixed(value, digits);
  if (conversion === 'e') return exponential(value, digits);
  const significant = Math.max(1, digits);
  const exponent = value === 0 ? 0 : Number(value.toExponential(significant - 1).split('e')[1]);
  const text =
    exponent < -4 || exponent >= significant
      ? exponential(value, significant - 1)
      : fixed(value, significant - 1 - exponent);
  return flags.includes('#') ? text : text.replace(/(\.\d*?)0+(e|$)/, '$1$2').replace(/\.(e|$)/, '$1');
}

function fixed(value: number, digits: number): string {
  // toFixed gives up where every double is a whole number.
  if (value >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  return halfToEven(value.toFixed(digits), value.toFixed(Math.min(digits + EXTRA_DIGITS, PRECISION_MAX)));
}

/** Digits beyond which no double is a tie. */
const EXTRA_DIGITS = 30;

/** C rounds a tie to the even digit, JavaScript up. @param exact  the same number with more digits */
function halfToEven(rounded: string, exact: string): string {
  const point = exact.indexOf('.');
  const places = rounded.includes('.') ? rounded.length - rounded.indexOf('.') - 1 : 0;
  if (point < 0 || !/^50*$/.test(exact.slice(point + 1 + places))) return rounded;
  const down = exact.slice(0, places === 0 ? point : point + 1 + places);
  return Number(down.at(-1)) % 2 === 0 ? down : rounded;
}

function exponential(value: number, digits: number): string {
  const [rounded, exponent] = value.toExponential(digits).split('e');
  const [exact, same] = value.toExponential(Math.min(digits + EXTRA_DIGITS, PRECISION_MAX)).split('e');
  const mantissa = same === exponent ? halfToEven(rounded, exact) : rounded;
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
