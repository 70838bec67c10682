/**
 * A command's arguments. Its options are declared in one table, from which they are parsed, their
 * values typed, and --help written. The words are cut up by parseArgs, Node's parser as a package,
 * which knows bundles (-la, -n5), "--" and long options with values; what an option means, which
 * errors there are and how they are worded is decided here, as GNU's getopt_long does it.
 */
import { parseArgs } from '../../vendor/args.ts';
import { Failure } from './errors.ts';
import { quote } from './quote.ts';

export interface OptionSpec {
  /** One letter. */
  short?: string;
  /** More letters and words for the same. */
  also?: readonly string[];
  /** There is no long form: the table's key is only the name of the value. */
  shortOnly?: boolean;
  /** Name of its value in --help; without one the option is a flag. */
  value?: string;
  /** The value may be left out (long form only); it is '' then. */
  optional?: boolean;
  /** May be given more than once, and all values count. */
  many?: boolean;
  /** What it does, for --help. */
  about: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

export type OptionValues<O extends OptionTable> = {
  readonly [K in keyof O]: O[K] extends { value: string }
    ? O[K] extends { many: true }
      ? readonly string[]
      : string | undefined
    : boolean;
};

export interface Arguments<O extends OptionTable> {
  readonly options: OptionValues<O>;
  readonly operands: readonly string[];
  /** Which options were given, by their keys, in order. */
  readonly given: readonly (keyof O & string)[];
  /** Of these options, the one that was given last. */
  last<K extends keyof O & string>(...keys: K[]): K | undefined;
}

export interface ParseOptions {
  /** Options end at the first operand: what follows is another command's. */
  stopAtOperand?: boolean;
  /** Words such as -5 and -.5 are operands. */
  negativeNumbers?: boolean;
  /** Exit status of a wrong option; 1 unless told. */
  usageStatus?: number;
}

interface Token {
  kind: string;
  name?: string;
  rawName?: string;
  index: number;
  value?: string;
  inlineValue?: boolean;
}

interface Names {
  /** Letter or word → key. */
  readonly keys: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

function namesOf(table: OptionTable): Names {
  const keys = new Map<string, string>();
  for (const [key, { short, also = [], shortOnly }] of Object.entries(table)) {
    if (!shortOnly) keys.set(key, key);
    if (short !== undefined) keys.set(short, key);
    for (const name of also) keys.set(name, key);
  }
  return { keys, words: [...keys.keys()].filter((name) => name.length > 1) };
}

function tokensOf(args: readonly string[], table: OptionTable, { keys }: Names): Token[] {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, key] of keys) {
    const { value, optional } = table[key];
    const type = value !== undefined && !optional ? 'string' : 'boolean';
    // A long name of one letter cannot be told from the letter, and does no harm.
    options[name.length === 1 ? `letter ${name}` : name] =
      name.length === 1 ? { type, short: name } : { type };
  }
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return tokens as Token[];
}

/** The key of an option's token, its word completed if it is an unambiguous beginning. */
function keyOf(token: Token, names: Names): { key: string; word: string } {
  const raw = token.rawName ?? '';
  if (!raw.startsWith('--')) {
    const letter = raw.slice(1);
    const key = names.keys.get(letter);
    if (key === undefined) throw new Failure(`invalid option -- '${letter}'`, 1, true);
    return { key, word: letter };
  }
  const word = raw.slice(2);
  const exact = names.keys.get(word);
  if (exact !== undefined && word.length > 1) return { key: exact, word };
  const shown = token.inlineValue ? `--${word}=${token.value}` : `--${word}`;
  const fitting = names.words.filter((name) => name.startsWith(word));
  if (fitting.length === 0) throw new Failure(`unrecognized option '${shown}'`, 1, true);
  const keys = new Set(fitting.map((name) => names.keys.get(name)));
  if (keys.size > 1) {
    const list = fitting.map((name) => ` '--${name}'`).join('');
    throw new Failure(`option '${shown}' is ambiguous; possibilities:${list}`, 1, true);
  }
  return { key: names.keys.get(fitting[0]) as string, word: fitting[0] };
}

/** Beginnings of long options completed, so that those with a value find it. */
function completed(args: readonly string[], table: OptionTable, names: Names): string[] {
  const words = [...args];
  for (const token of tokensOf(args, table, names)) {
    if (token.kind === 'option-terminator') break;
    const { rawName = '' } = token;
    if (token.kind !== 'option' || !rawName.startsWith('--') || names.keys.has(rawName.slice(2))) continue;
    const { word } = keyOf(token, names);
    words[token.index] = token.inlineValue ? `--${word}=${token.value}` : `--${word}`;
    // Its value is no operand any more: what follows is cut up anew.
    return completed(words, table, names);
  }
  return words;
}

function valueOfToken(token: Token, spec: OptionSpec, word: string): string | boolean {
  const isLong = (token.rawName ?? '').startsWith('--');
  if (spec.value === undefined) {
    if (token.value !== undefined) throw new Failure(`option '--${word}' doesn't allow an argument`, 1, true);
    return true;
  }
  if (token.value !== undefined) return token.value;
  if (spec.optional) return '';
  throw isLong
    ? new Failure(`option '--${word}' requires an argument`, 1, true)
    : new Failure(`option requires an argument -- '${word}'`, 1, true);
}

function emptyValues(table: OptionTable): Record<string, boolean | string | string[] | undefined> {
  return Object.fromEntries(
    Object.entries(table).map(([key, { value, many }]) => [
      key,
      value === undefined ? false : many ? [] : undefined,
    ]),
  );
}

function guardNumbers(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => /^-\.?\d/.test(arg));
  const end = args.indexOf('--');
  return at < 0 || (end >= 0 && end < at) ? args : [...args.slice(0, at), '--', ...args.slice(at)];
}

/** Parse arguments by a table. @throws Failure about a wrong option */
export function parse<O extends OptionTable>(
  table: O,
  args: readonly string[],
  { stopAtOperand = false, negativeNumbers = false, usageStatus = 1 }: ParseOptions = {},
): Arguments<O> {
  try {
    return parsed(table, negativeNumbers ? guardNumbers(args) : args, stopAtOperand);
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.message, usageStatus, true) : error;
  }
}

function parsed<O extends OptionTable>(
  table: O,
  args: readonly string[],
  stopAtOperand: boolean,
): Arguments<O> {
  const names = namesOf(table);
  let words: readonly string[] = stopAtOperand ? args : completed(args, table, names);
  const values = emptyValues(table);
  const given: string[] = [];
  const operands: string[] = [];
  let ended = false;
  for (const token of tokensOf(words, table, names)) {
    if (token.kind === 'option-terminator') ended = true;
    if (stopAtOperand && (token.kind === 'positional' || ended)) {
      operands.push(...words.slice(token.index + (token.kind === 'positional' ? 0 : 1)));
      words = [];
      break;
    }
    if (token.kind === 'positional') operands.push(token.value as string);
    if (token.kind !== 'option') continue;
    const { key, word } = keyOf(token, names);
    const value = valueOfToken(token, table[key], word);
    given.push(key);
    if (table[key].many && typeof value === 'string') (values[key] as string[]).push(value);
    else values[key] = value;
  }
  return {
    options: values as OptionValues<O>,
    operands,
    given,
    last: (...keys) => given.findLast((key) => keys.includes(key as never)) as never,
  };
}

/**
 * The word that an option's value is, by its name or an unambiguous beginning of one. Each list is
 * words for the same; the first one is returned. @throws Failure with a list of the words
 */
export function choice<T extends string>(
  words: readonly (readonly [T, ...string[]])[],
  given: string,
  option: string,
  status = 1,
): T {
  const exact = words.find((same) => (same as readonly string[]).includes(given));
  const fitting = words.filter((same) => same.some((word) => word.startsWith(given)));
  if (exact !== undefined) return exact[0];
  if (fitting.length === 1 && given !== '') return fitting[0][0];
  const kind = fitting.length > 1 ? 'ambiguous' : 'invalid';
  const list = words.map((same) => `  - ${same.map((word) => `'${word}'`).join(', ')}`);
  throw new Failure(
    [`${kind} argument ${quote(given)} for '${option}'`, 'Valid arguments are:', ...list].join('\n'),
    status,
    true,
  );
}
