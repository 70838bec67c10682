/** sort and uniq: by the order of bytes, as in the C locale. */
import { O_CREAT, O_TRUNC, O_WRONLY } from '../../assembly/abi/flags.ts';
import { decodeBytes } from '../syscalls/bytes.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { decodeText, encodeText } from './lib/text.ts';
import { quoted } from './lib/quote.ts';

const LETTERS = 'bdfghiMnrV';

interface Key {
  readonly startField: number;
  readonly startChar: number;
  readonly endField: number | undefined;
  readonly endChar: number;
  readonly startBlanks: boolean;
  readonly endBlanks: boolean;
  readonly kinds: string;
}

function position(text: string): { field: number; char: number; kinds: string } | undefined {
  const match = /^(\d+)(?:\.(\d+))?([bdfghiMnrV]*)$/.exec(text);
  return match === null
    ? undefined
    : { field: Number(match[1]), char: match[2] === undefined ? -1 : Number(match[2]), kinds: match[3] };
}

/** @param kinds  what goes for keys that say nothing of their own */
function parseKey(text: string, kinds: string): Key {
  const [first, second] = text.split(',');
  const start = position(first);
  const end = second === undefined ? undefined : position(second);
  if (start === undefined || (second !== undefined && end === undefined))
    throw new Failure(`invalid number at field start: invalid count at start of ${quoted(text)}`, 2);
  if (start.field === 0 || end?.field === 0)
    throw new Failure(`-: invalid field specification ${quoted(text)}`, 2);
  const own = start.kinds + (end?.kinds ?? '');
  const all = own === '' ? kinds : own;
  return {
    startField: start.field - 1,
    startChar: Math.max(start.char - 1, 0),
    endField: end === undefined ? undefined : end.field - 1,
    endChar: end === undefined || end.char <= 0 ? 0 : end.char,
    startBlanks: own === '' ? kinds.includes('b') : start.kinds.includes('b'),
    endBlanks: own === '' ? kinds.includes('b') : (end?.kinds.includes('b') ?? false),
    kinds: all,
  };
}

const isBlank = (c: string) => c === ' ' || c === '\t';

/** Where each field begins, and the end of the line. With blanks as separators they lead a field. */
function fieldStarts(line: string, separator: string | undefined): number[] {
  const starts = [0];
  if (separator !== undefined) {
    for (let at = line.indexOf(separator); at >= 0; at = line.indexOf(separator, at + 1)) starts.push(at + 1);
  } else {
    for (let at = 0; at < line.length; ) {
      while (at < line.length && isBlank(line[at])) at++;
      while (at < line.length && !isBlank(line[at])) at++;
      if (at < line.length) starts.push(at);
    }
  }
  return starts;
}

function skipBlanks(line: string, at: number): number {
  let i = at;
  while (i < line.length && isBlank(line[i])) i++;
  return i;
}

function extract(line: string, key: Key, separator: string | undefined): string {
  const starts = fieldStarts(line, separator);
  let start = starts[key.startField] ?? line.length;
  if (key.startBlanks) start = skipBlanks(line, start);
  start = Math.min(start + key.startChar, line.length);
  if (key.endField === undefined) return line.slice(start);
  let end: number;
  if (key.endChar === 0) {
    const next = starts[key.endField + 1];
    end = next === undefined ? line.length : separator === undefined ? next : next - 1;
  } else {
    end = starts[key.endField] ?? line.length;
    if (key.endBlanks) end = skipBlanks(line, end);
    end = Math.min(end + key.endChar, line.length);
  }
  return line.slice(start, Math.max(start, end));
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function numberIn(text: string): number {
  return Number(/^\s*(-?(?:\d+\.?\d*|\.\d+))/.exec(text)?.[1] ?? 0);
}

function generalIn(text: string): number {
  const match = /^\s*([-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?))/i.exec(text);
  if (match === null) return Number.NEGATIVE_INFINITY;
  return /inf/i.test(match[1])
    ? match[1].startsWith('-')
      ? -Number.MAX_VALUE
      : Number.POSITIVE_INFINITY
    : Number(match[1]);
}

function humanIn(text: string): [power: number, value: number] {
  const match = /^\s*(-?\d*\.?\d*)([kKMGTPEZY]?)/.exec(text);
  const value = Number(match?.[1] || 0);
  const power = value === 0 ? 0 : ' KMGTPEZY'.indexOf((match?.[2] || ' ').toUpperCase());
  return [value < 0 ? -power : power, value];
}

function versions(a: string, b: string): number {
  const parts = (text: string) => text.match(/\d+|\D+/g) ?? [];
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const both = /^\d/.test(left[i]) && /^\d/.test(right[i]);
    const difference = both ? Number(left[i]) - Number(right[i]) : byCode(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function compareBy(kinds: string): (a: string, b: string) => number {
  if (kinds.includes('n')) return (a, b) => numberIn(a) - numberIn(b);
  if (kinds.includes('g')) return (a, b) => Math.sign(generalIn(a) - generalIn(b)) || 0;
  if (kinds.includes('h')) {
    return (a, b) => {
      const [left, right] = [humanIn(a), humanIn(b)];
      return left[0] - right[0] || left[1] - right[1];
    };
  }
  if (kinds.includes('M')) {
    const month = (text: string) => MONTHS.indexOf(text.trimStart().slice(0, 3).toUpperCase());
    return (a, b) => month(a) - month(b);
  }
  if (kinds.includes('V')) return versions;
  const folded = (text: string) => {
    let result = text;
    if (kinds.includes('d')) result = result.replace(/[^\w \t]|_/g, '');
    if (kinds.includes('i')) result = result.replace(/\p{Cc}/gu, '');
    return kinds.includes('f') ? result.toUpperCase() : result;
  };
  return /[dif]/.test(kinds) ? (a, b) => byCode(folded(a), folded(b)) : byCode;
}

const sortOptions = {
  'ignore-leading-blanks': { short: 'b', about: 'ignore leading blanks' },
  'dictionary-order': { short: 'd', about: 'consider only blanks and alphanumeric characters' },
  'ignore-case': { short: 'f', about: 'fold lower case to upper case characters' },
  'general-numeric-sort': { short: 'g', about: 'compare according to general numerical value' },
  'human-numeric-sort': { short: 'h', about: 'compare human readable numbers (e.g., 2K 1G)' },
  'ignore-nonprinting': { short: 'i', about: 'consider only printable characters' },
  'month-sort': { short: 'M', about: "compare (unknown) < 'JAN' < ... < 'DEC'" },
  'numeric-sort': { short: 'n', about: 'compare according to string numerical value' },
  reverse: { short: 'r', about: 'reverse the result of comparisons' },
  'version-sort': { short: 'V', about: 'natural sort of (version) numbers within text' },
  check: { short: 'c', about: 'check for sorted input; do not sort' },
  C: { short: 'C', shortOnly: true, about: 'like -c, but do not report first bad line' },
  key: { short: 'k', value: 'KEYDEF', many: true, about: 'sort via a key; KEYDEF gives location and type' },
  merge: { short: 'm', about: 'merge already sorted files' },
  output: { short: 'o', value: 'FILE', about: 'write result to FILE instead of standard output' },
  stable: { short: 's', about: 'stabilize sort by disabling last-resort comparison' },
  'field-separator': { short: 't', value: 'SEP', about: 'use SEP instead of non-blank to blank transition' },
  unique: {
    short: 'u',
    about: 'with -c, check for strict ordering; without -c, output only the first of an equal run',
  },
  'zero-terminated': { short: 'z', about: 'line delimiter is NUL, not newline' },
} as const;

const LETTER_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(sortOptions).map(([name, spec]) => [name, spec.short]),
);

async function linesOf(tool: Tool, file: string, end: string): Promise<string[]> {
  try {
    const lines = decodeText(await tool.reading(file, (input) => input.bytes())).split(end);
    if (lines.at(-1) === '') lines.pop();
    return lines;
  } catch (error) {
    throw new Failure(`cannot read: ${file}: ${strerror(error)}`, 2);
  }
}

export const sort = command(
  {
    summary: 'sort lines of text files',
    usage: ['[OPTION]... [FILE]...'],
    options: sortOptions,
    usageStatus: 2,
    details: ['KEYDEF is F[.C][OPTS][,F[.C][OPTS]]: fields and characters from 1, OPTS of bdfghiMnrV.'],
    exits: { 0: 'sorted', 1: 'with -c: not sorted', 2: 'trouble' },
  },
  async (tool, { options, operands, given }) => {
    const kinds = given
      .map((name) => LETTER_OF[name])
      .filter((letter) => LETTERS.includes(letter))
      .join('');
    const separator = options['field-separator'] === '\\0' ? '\0' : options['field-separator'];
    if (separator !== undefined && [...separator].length !== 1)
      throw new Failure(separator === '' ? 'empty tab' : `multi-character tab ${quoted(separator)}`, 2);
    const keys = options.key.map((text) => parseKey(text, kinds));
    const whole: Key = {
      startField: 0,
      startChar: 0,
      endField: undefined,
      endChar: 0,
      startBlanks: kinds.includes('b'),
      endBlanks: false,
      kinds,
    };
    const compare = orderBy(keys.length > 0 ? keys : [whole], separator);
    const plain = keys.length === 0 && !/[bdfghiMnV]/.test(kinds);
    const lastResort =
      options.stable || options.unique || plain
        ? undefined
        : kinds.includes('r')
          ? (a: string, b: string) => byCode(b, a)
          : byCode;
    const end = options['zero-terminated'] ? '\0' : '\n';
    const files = operands.length === 0 ? ['-'] : operands;
    if (options.check || options.C)
      return check(
        tool,
        files[0],
        await linesOf(tool, files[0], end),
        compare,
        lastResort,
        options.unique,
        options.C,
      );
    const lines: string[] = [];
    for (const file of files) for (const line of await linesOf(tool, file, end)) lines.push(line);
    lines.sort((a, b) => compare(a, b) || (lastResort?.(a, b) ?? 0));
    const kept = options.unique
      ? lines.filter((line, i) => i === 0 || compare(lines[i - 1], line) !== 0)
      : lines;
    const bytes = encodeText(kept.map((line) => line + end).join(''));
    if (options.output === undefined) await tool.out(bytes);
    else {
      const output = tool.context.output(await tool.open(options.output, O_WRONLY | O_CREAT | O_TRUNC));
      await output.write(bytes);
      await output.flush();
    }
    return undefined;
  },
);

function orderBy(keys: readonly Key[], separator: string | undefined): (a: string, b: string) => number {
  const parts = keys.map((key) => ({
    key,
    compare: compareBy(key.kinds),
    sign: key.kinds.includes('r') ? -1 : 1,
  }));
  return (a, b) => {
    for (const { key, compare, sign } of parts) {
      const difference = compare(extract(a, key, separator), extract(b, key, separator));
      if (difference !== 0) return sign * difference;
    }
    return 0;
  };
}

async function check(
  tool: Tool,
  file: string,
  lines: readonly string[],
  compare: (a: string, b: string) => number,
  lastResort: ((a: string, b: string) => number) | undefined,
  unique: boolean,
  quiet: boolean,
): Promise<number> {
  for (let i = 1; i < lines.length; i++) {
    const order = compare(lines[i - 1], lines[i]) || (lastResort?.(lines[i - 1], lines[i]) ?? 0);
    if (order < 0 || (order === 0 && !unique)) continue;
    if (!quiet) await tool.say(`${file}:${i + 1}: disorder: ${decodeBytes(encodeText(lines[i]))}`);
    return 1;
  }
  return 0;
}

export const uniq = command(
  {
    summary: 'report or omit repeated lines',
    usage: ['[OPTION]... [INPUT [OUTPUT]]'],
    options: {
      count: { short: 'c', about: 'prefix lines by the number of occurrences' },
      repeated: { short: 'd', about: 'only print duplicate lines, one for each group' },
      D: { short: 'D', shortOnly: true, about: 'print all duplicate lines' },
      'skip-fields': { short: 'f', value: 'N', about: 'avoid comparing the first N fields' },
      'ignore-case': { short: 'i', about: 'ignore differences in case when comparing' },
      'skip-chars': { short: 's', value: 'N', about: 'avoid comparing the first N characters' },
      unique: { short: 'u', about: 'only print unique lines' },
      'zero-terminated': { short: 'z', about: 'line delimiter is NUL, not newline' },
      'check-chars': { short: 'w', value: 'N', about: 'compare no more than N characters in lines' },
    },
  },
  async (tool, { options, operands }) => {
    const [input = '-', target] = operands;
    if (operands.length > 2) throw new Failure(`extra operand ${quoted(operands[2])}`, 1, true);
    const number = (text: string | undefined, what: string) => {
      if (text !== undefined && !/^\d+$/.test(text)) throw new Failure(`${text}: invalid number of ${what}`);
      return text === undefined ? undefined : Number(text);
    };
    const fields = number(options['skip-fields'], 'fields to skip') ?? 0;
    const chars = number(options['skip-chars'], 'bytes to skip') ?? 0;
    const width = number(options['check-chars'], 'bytes to compare');
    const keyOf = (line: string) => {
      let rest = line;
      for (let i = 0; i < fields; i++) rest = rest.replace(/^\s*\S*/, '');
      rest = rest.slice(chars, width === undefined ? undefined : chars + width);
      return options['ignore-case'] ? rest.toLowerCase() : rest;
    };
    const end = options['zero-terminated'] ? '\0' : '\n';
    const output =
      target === undefined || target === '-'
        ? tool.context.stdout
        : tool.context.output(await tool.open(target, O_WRONLY | O_CREAT | O_TRUNC));
    let group: string[] = [];
    const flush = async () => {
      if (group.length === 0) return;
      const isPicked =
        options.D || options.repeated ? group.length > 1 : options.unique ? group.length === 1 : true;
      if (!isPicked || (options.unique && group.length > 1)) return;
      const count = options.count ? `${String(group.length).padStart(7)} ` : '';
      const lines = options.D ? group : group.slice(0, 1);
      await output.write(encodeText(lines.map((line) => count + line + end).join('')));
    };
    try {
      await tool.reading(input, async (source) => {
        for await (const line of byLine(source, end)) {
          if (group.length > 0 && keyOf(group[0]) === keyOf(line)) {
            // Only their number counts, unless all of them are printed.
            if (options.D) group.push(line);
            else group.length++;
            continue;
          }
          await flush();
          group = [line];
        }
      });
      await flush();
      await output.flush();
    } catch (error) {
      throw new Failure(`${input}: ${strerror(error)}`);
    }
    return undefined;
  },
);

/** Lines as they come, each without its end. */
async function* byLine(chunks: AsyncIterable<Uint8Array>, end: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decodeText(chunk)).split(end);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
