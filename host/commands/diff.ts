/** diff: files and trees compared line by line. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK } from '../../assembly/abi/flags.ts';
import { compareBytes, encodeBytes } from '../syscalls/bytes.ts';
import { command, type Tool } from './lib/command.ts';
import { changesOf, linesOf, type Sameness } from './lib/difflines.ts';
import { differences, type Style } from './lib/diffstyles.ts';
import { Failure, strerror } from './lib/errors.ts';
import { globExpression } from './lib/glob.ts';
import type { Arguments } from './lib/options.ts';
import { quotedIfNeeded } from './lib/quote.ts';
import { base, type Info, isDirectory, isRegular, join, sameFile, stat, type Time } from './lib/stat.ts';
import { encodeText } from './lib/text.ts';
import { strftime, zoneOf } from './lib/time.ts';

const options = {
  'ignore-blank-lines': { short: 'B', about: 'ignore changes where lines are all blank' },
  'ignore-space-change': { short: 'b', about: 'ignore changes in the amount of white space' },
  c: { short: 'c', shortOnly: true, about: 'output 3 lines of copied context' },
  C: { short: 'C', shortOnly: true, value: 'NUM', about: 'output NUM lines of copied context' },
  context: { value: 'NUM', optional: true, about: 'output NUM (default 3) lines of copied context' },
  minimal: { short: 'd', about: 'find a small set of changes (always so)' },
  'ignore-tab-expansion': { short: 'E', about: 'ignore changes due to tab expansion' },
  'show-function-line': { short: 'F', value: 'RE', about: 'show the most recent line matching RE' },
  'ignore-case': { short: 'i', about: 'ignore case differences in file contents' },
  'ignore-matching-lines': {
    short: 'I',
    value: 'RE',
    many: true,
    about: 'ignore changes where all lines match RE',
  },
  label: { short: 'L', value: 'LABEL', many: true, about: 'use LABEL instead of file name and timestamp' },
  normal: { about: 'output a normal diff (the default)' },
  'new-file': { short: 'N', about: 'treat absent files as empty' },
  'show-c-function': { short: 'p', about: 'show which C function each change is in' },
  brief: { short: 'q', about: 'report only when files differ' },
  recursive: { short: 'r', about: 'recursively compare any subdirectories found' },
  'report-identical-files': { short: 's', about: 'report when two files are the same' },
  'strip-trailing-cr': { about: 'strip trailing carriage return on input' },
  text: { short: 'a', about: 'treat all files as text' },
  'initial-tab': { short: 'T', about: 'make tabs line up by prepending a tab' },
  u: { short: 'u', shortOnly: true, about: 'output 3 lines of unified context' },
  U: { short: 'U', shortOnly: true, value: 'NUM', about: 'output NUM lines of unified context' },
  unified: { value: 'NUM', optional: true, about: 'output NUM (default 3) lines of unified context' },
  'unidirectional-new-file': { short: 'P', about: 'treat absent first files as empty' },
  'ignore-all-space': { short: 'w', about: 'ignore all white space' },
  exclude: { short: 'x', value: 'PAT', many: true, about: 'exclude files that match PAT' },
  'ignore-trailing-space': { short: 'Z', about: 'ignore white space at line end' },
} as const;

type Args = Arguments<typeof options>;

const TROUBLE = 2;
const CONTEXT = 3;
const UNIFIED_TIME = '%Y-%m-%d %H:%M:%S.%N %z';
const CONTEXT_TIME = '%a %b %e %H:%M:%S %Y';
/** How much of a file is looked at to see whether it is text. */
const LOOK_BYTES = 4096;
/** The line of a C function's beginning. */
const FUNCTION = /^[A-Za-z_$]/;

/** One of two files that are compared. */
interface Side {
  /** As it is called. */
  readonly name: string;
  /** Undefined: it is absent, and counts as empty. */
  readonly info: Info | undefined;
}

function expression(source: string): RegExp {
  // Basic expressions: what is special without a backslash there is so with one here.
  const translated = source.replace(/\\?[(){}|+?]/g, (each) => (each.length === 2 ? each[1] : `\\${each}`));
  try {
    return new RegExp(translated);
  } catch {
    throw new Failure(`${source}: Invalid regular expression`, TROUBLE);
  }
}

function lengthOf(text: string | undefined, fallback = CONTEXT): number {
  if (text === undefined || text === '') return fallback;
  if (!/^\d+$/.test(text)) throw new Failure(`invalid context length '${text}'`, TROUBLE, true);
  return Number(text);
}

function styleOf(args: Args): Style {
  const { options: given, last } = args;
  const chosen = last('u', 'U', 'unified', 'c', 'C', 'context', 'normal');
  const kinds = new Set(
    args.given
      .filter((key) => /^([uUcC]|unified|context|normal)$/.test(key))
      .map((key) => key[0].toLowerCase()),
  );
  if (kinds.size > 1) throw new Failure('conflicting output style options', TROUBLE, true);
  const function_ = given['show-function-line'];
  const heading =
    function_ !== undefined ? expression(function_) : given['show-c-function'] ? FUNCTION : undefined;
  const format =
    chosen === undefined
      ? given['show-c-function']
        ? 'context'
        : 'normal'
      : chosen === 'normal'
        ? 'normal'
        : /^u/i.test(chosen)
          ? 'unified'
          : 'context';
  const lengths = [given.U, given.C, given.unified, given.context].map((text) => lengthOf(text, -1));
  const widest = Math.max(...lengths);
  return { format, context: widest < 0 ? CONTEXT : widest, heading, initialTab: given['initial-tab'] };
}

function samenessOf({ options: given }: Args): Sameness {
  const matching = given['ignore-matching-lines'].map(expression);
  return {
    ignoreCase: given['ignore-case'],
    space: given['ignore-all-space']
      ? 'all'
      : given['ignore-space-change']
        ? 'amount'
        : given['ignore-trailing-space']
          ? 'trailing'
          : given['ignore-tab-expansion']
            ? 'tabs'
            : 'none',
    stripCarriageReturn: given['strip-trailing-cr'],
    ignorable: (line) =>
      (given['ignore-blank-lines'] &&
        (line === '' || (given['ignore-space-change'] && /^\s*$/.test(line)))) ||
      matching.some((each) => each.test(line)),
  };
}

const KINDS = new Map([
  [S_IFIFO, 'fifo'],
  [S_IFCHR, 'character special file'],
  [S_IFDIR, 'directory'],
  [S_IFBLK, 'block special file'],
  [S_IFSOCK, 'socket'],
]);

function kindOf({ mode, size }: Info): string {
  return KINDS.get(mode & S_IFMT) ?? (size === 0 ? 'regular empty file' : 'regular file');
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

class Comparison {
  readonly #tool: Tool;
  readonly #args: Args;
  readonly #style: Style;
  readonly #sameness: Sameness;
  readonly #excluded: readonly RegExp[];
  /** The options, as they are repeated before each pair of a tree. */
  readonly #switches: string;

  constructor(tool: Tool, args: Args) {
    this.#tool = tool;
    this.#args = args;
    this.#style = styleOf(args);
    this.#sameness = samenessOf(args);
    this.#excluded = args.options.exclude.map((pattern) => globExpression(pattern));
    this.#switches = switchesOf(tool.context.argv.slice(1), args.operands);
  }

  /** What is at a path; absent where absent files count as empty. @throws SyscallError */
  #side(name: string, mayLack: boolean): Side {
    if (name === '-') return { name, info: undefined };
    try {
      return { name, info: stat(this.#tool.process, name) };
    } catch (error) {
      if (!mayLack || strerror(error) !== 'No such file or directory') throw error;
      return { name, info: undefined };
    }
  }

  /** The two that the command line names: the status. */
  async operands(first: string, second: string): Promise<number> {
    const { options: given } = this.#args;
    const sides: Side[] = [];
    let lacking = 0;
    for (const [i, name] of [first, second].entries()) {
      try {
        const mayLack = given['new-file'] || (given['unidirectional-new-file'] && i === 0);
        sides.push(this.#side(name, mayLack));
        if (name !== '-' && sides[i].info === undefined) lacking++;
      } catch (error) {
        await this.#tool.failed(name, error, TROUBLE);
      }
    }
    if (lacking === 2) {
      for (const { name } of sides) await this.#tool.warn(`${name}: No such file or directory`, TROUBLE);
      return TROUBLE;
    }
    if (sides.length < 2) return TROUBLE;
    const [a, b] = sides;
    const directories = [a, b].map(({ info }) => info !== undefined && isDirectory(info));
    if (directories[0] !== directories[1] && (a.name === '-' || b.name === '-')) {
      await this.#tool.warn("cannot compare '-' to a directory", TROUBLE);
      return TROUBLE;
    }
    // A file and a directory: the file of that name in it.
    if (directories[0] && b.info !== undefined && !directories[1])
      return this.operands(join(first, base(second)), second);
    if (directories[1] && a.info !== undefined && !directories[0])
      return this.operands(first, join(second, base(first)));
    return this.#pair(a, b, 0);
  }

  async #pair(a: Side, b: Side, depth: number): Promise<number> {
    const { options: given } = this.#args;
    const [left, right] = [a.info, b.info];
    if (left !== undefined && right !== undefined && sameFile(left, right)) return this.#same(a, b);
    const directories = [left, right].filter((info) => info !== undefined && isDirectory(info)).length;
    const absent = (side: Side) => side.info === undefined && side.name !== '-';
    if (directories === 2 || (directories === 1 && (absent(a) || absent(b)))) {
      if (depth === 0 || given.recursive) return this.#trees(a, b, depth);
      await this.#tool.out(`Common subdirectories: ${a.name} and ${b.name}\n`);
      return 0;
    }
    if (directories === 1) return this.#unlike(a, b);
    const special = [left, right].some((info) => info !== undefined && !isRegular(info));
    if (depth > 0 && special && left !== undefined && right !== undefined) return this.#unlike(a, b);
    return this.#files(a, b, depth);
  }

  /** Files of different kinds. */
  async #unlike(a: Side, b: Side): Promise<number> {
    const kind = ({ info }: Side) => (info === undefined ? 'regular empty file' : kindOf(info));
    await this.#tool.out(`File ${a.name} is a ${kind(a)} while file ${b.name} is a ${kind(b)}\n`);
    return 1;
  }

  #names({ name, info }: Side): string[] {
    if (info === undefined) return [];
    const names = this.#tool.fs.readdirSync(name);
    return names.filter((each) => !this.#excluded.some((pattern) => pattern.test(each)));
  }

  async #trees(a: Side, b: Side, depth: number): Promise<number> {
    const { options: given } = this.#args;
    let lists: string[][];
    try {
      lists = [this.#names(a), this.#names(b)];
    } catch (error) {
      await this.#tool.failed((error as { path?: string }).path ?? a.name, error, TROUBLE);
      return TROUBLE;
    }
    const [left, right] = lists.map((names) => new Set(names));
    let status = 0;
    for (const name of [...new Set([...left, ...right])].sort(compareBytes)) {
      const counts = given['new-file'] || (given['unidirectional-new-file'] && !left.has(name));
      if (!counts && (!left.has(name) || !right.has(name))) {
        await this.#tool.out(`Only in ${left.has(name) ? a.name : b.name}: ${name}\n`);
        status = Math.max(status, 1);
        continue;
      }
      status = Math.max(
        status,
        await this.#below(join(a.name, name), join(b.name, name), depth, left.has(name), right.has(name)),
      );
    }
    return status;
  }

  async #below(
    first: string,
    second: string,
    depth: number,
    inFirst: boolean,
    inSecond: boolean,
  ): Promise<number> {
    try {
      const a = this.#side(first, !inFirst);
      const b = this.#side(second, !inSecond);
      return await this.#pair(a, b, depth + 1);
    } catch (error) {
      await this.#tool.failed((error as { path?: string }).path ?? first, error, TROUBLE);
      return TROUBLE;
    }
  }

  async #bytes({ name, info }: Side): Promise<Uint8Array> {
    if (info === undefined && name !== '-') return new Uint8Array(0);
    return this.#tool.reading(name, (input) => input.bytes());
  }

  async #files(a: Side, b: Side, depth: number): Promise<number> {
    const { options: given } = this.#args;
    let contents: Uint8Array[];
    try {
      const first = await this.#bytes(a);
      // Standard input compared with itself is what it is.
      contents = [first, a.name === '-' && b.name === '-' ? first : await this.#bytes(b)];
    } catch (error) {
      await this.#tool.failed((error as { path?: string }).path ?? a.name, error, TROUBLE);
      return TROUBLE;
    }
    const [left, right] = contents;
    if (sameBytes(left, right)) return this.#same(a, b);
    const isBinary = !given.text && contents.some((bytes) => bytes.subarray(0, LOOK_BYTES).includes(0));
    if (isBinary) {
      const text = given.brief ? 'Files' : 'Binary files';
      await this.#tool.out(`${text} ${a.name} and ${b.name} differ\n`);
      return 1;
    }
    const pair = { first: linesOf(left), second: linesOf(right) };
    const changes = changesOf(
      pair.first,
      pair.second,
      this.#sameness,
      this.#style.format === 'normal' ? 0 : this.#style.context,
    );
    const text = differences(changes, pair, this.#style);
    if (text === '') return this.#same(a, b);
    if (given.brief) {
      await this.#tool.out(`Files ${a.name} and ${b.name} differ\n`);
      return 1;
    }
    if (depth > 0) {
      await this.#tool.out(`diff${this.#switches} ${a.name} ${b.name}\n`);
    }
    await this.#tool.out(encodeBytes(this.#heading(a, b)));
    await this.#tool.out(encodeText(text));
    return 1;
  }

  async #same(a: Side, b: Side): Promise<number> {
    if (this.#args.options['report-identical-files'])
      await this.#tool.out(`Files ${a.name} and ${b.name} are identical\n`);
    return 0;
  }

  #heading(a: Side, b: Side): string {
    const { format } = this.#style;
    if (format === 'normal') return '';
    const [old, fresh] = format === 'unified' ? ['---', '+++'] : ['***', '---'];
    const line = (side: Side, label: string | undefined) =>
      label ?? `${headingName(side.name)}\t${this.#time(side)}`;
    const [first, second] = this.#args.options.label;
    return `${old} ${line(a, first)}\n${fresh} ${line(b, second)}\n`;
  }

  #time({ name, info }: Side): string {
    const never: Time = { seconds: 0, nanoseconds: 0 };
    const time = info?.mtime ?? (name === '-' ? this.#tool.now() : never);
    const format = this.#style.format === 'unified' ? UNIFIED_TIME : CONTEXT_TIME;
    return strftime(format, time, zoneOf(this.#tool.env));
  }
}

/** A name that could be taken for more than a name stands in quotes, as in C. */
function headingName(name: string): string {
  if (!/[\n\t"\\ ]/.test(name) || !/[\n\t"\\]/.test(name)) return /[ ]/.test(name) ? `"${name}"` : name;
  const escaped = name.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${escaped}"`;
}

/** The words of a command line that are no operands, each after a blank. */
function switchesOf(words: readonly string[], operands: readonly string[]): string {
  const rest = [...operands];
  const switches: string[] = [];
  for (const word of [...words].reverse()) {
    if (word === rest.at(-1)) rest.pop();
    else if (word !== '--') switches.unshift(` ${quotedIfNeeded(word)}`);
  }
  return switches.join('');
}

export const diff = command(
  {
    summary: 'compare files line by line',
    usage: ['[OPTION]... FILES'],
    options,
    usageStatus: TROUBLE,
    triesNamed: true,
    details: ['FILES are two files, two directories, or a file and a directory; - is standard input.'],
    exits: { 0: 'if inputs are the same', 1: 'if different', 2: 'if trouble' },
  },
  async (tool, args) => {
    const { operands } = args;
    if (operands.length < 2) {
      const last = operands.at(-1) ?? tool.name;
      throw new Failure(`missing operand after '${last}'`, TROUBLE, true);
    }
    if (operands.length > 2) throw new Failure(`extra operand '${operands[2]}'`, TROUBLE, true);
    return new Comparison(tool, args).operands(operands[0], operands[1]);
  },
);
