/**
 * The text filters: grep, sed, awk, sort and others, which are just-bash's behind the interface of
 * our programs. They work on whole texts: what they read is read to its end first. Those whose
 * lines do not depend on each other are given their input piece by piece, so that they stand in
 * pipelines that never end.
 */
import type { Input, Program } from '../programs/program.ts';
import { Gathered } from '../programs/streams.ts';
import type { NodeFs } from '../syscalls/fs/types.ts';
import { wholeCharacters } from './lib/characters.ts';
import { needsOwnPrintf, withOwnPrintf } from './lib/awkprintf.ts';
import { atWork, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import type { Filter, FilterFiles, FilterStat } from '../vendor/filters.ts';

interface Shape {
  /** Options with a value: letters, and words. */
  values?: string;
  valueWords?: readonly string[];
  /** Operands that are no files: a pattern, a program. */
  before?: number;
  /** Options that stand for those operands. */
  instead?: readonly string[];
  /** It reads standard input whatever its operands are, or never, or only for "-". */
  stdin?: 'always' | 'never' | 'dash';
  /** Options with which each line is for itself; undefined: lines depend on each other. */
  stateless?: RegExp;
  /** Not only between lines. */
  anywhere?: boolean;
  /** Exit status of a wrong option. */
  usageStatus?: number;
}

const GREP: Shape = {
  values: 'efmABCdD',
  valueWords: [
    'regexp',
    'file',
    'max-count',
    'after-context',
    'before-context',
    'context',
    'include',
    'exclude',
    'exclude-dir',
    'color',
    'label',
  ],
  before: 1,
  instead: ['e', 'f', 'regexp', 'file'],
  stateless:
    /^[EFGPivwxosqhae]$|^(extended-regexp|fixed-strings|perl-regexp|ignore-case|invert-match|word-regexp|line-regexp|only-matching|no-filename|line-buffered|regexp)$/,
  usageStatus: 2,
};

const SHAPES: Readonly<Record<string, Shape>> = {
  grep: GREP,
  egrep: GREP,
  fgrep: GREP,
  sed: {
    values: 'efl',
    valueWords: ['expression', 'file', 'line-length'],
    before: 1,
    instead: ['e', 'f', 'expression', 'file'],
  },
  awk: { values: 'Fvf', before: 1, instead: ['f'], usageStatus: 2 },
  comm: { stdin: 'dash' },
  cut: {
    values: 'bcdf',
    valueWords: ['bytes', 'characters', 'delimiter', 'fields', 'output-delimiter'],
    stateless: /^[bcdfsn]$/,
  },
  paste: { values: 'd', valueWords: ['delimiters'] },
  tr: { stdin: 'always', stateless: /^([cCdt]|complement|delete)$/, anywhere: true },
  rev: { stateless: /^$/ },
  nl: { values: 'bdfhilnsvw' },
  fold: { values: 'w', valueWords: ['width'], stateless: /^[bsw]$|^(bytes|spaces|width)$/ },
  expand: { values: 't', valueWords: ['tabs'], stateless: /^[it]$|^(initial|tabs)$/ },
  unexpand: { values: 't', valueWords: ['tabs'], stateless: /^[at]$|^(all|tabs)$/ },
  strings: { values: 'nt' },
  split: { values: 'abCln', valueWords: ['suffix-length', 'bytes', 'lines', 'number', 'additional-suffix'] },
  column: { values: 'sco', valueWords: ['separator', 'output-separator'] },
  join: { values: 'aveojt12', stdin: 'dash' },
  jq: {
    values: '',
    valueWords: ['arg', 'argjson', 'slurpfile', 'rawfile', 'indent', 'tab', 'from-file'],
    before: 1,
    usageStatus: 2,
  },
  base64: { values: 'w', valueWords: ['wrap'] },
  tac: { values: 's', valueWords: ['separator'] },
  expr: { stdin: 'never' },
};

interface Words {
  readonly operands: readonly string[];
  /** Letters and words of the options, without their values. */
  readonly options: readonly string[];
}

/** Only to know whether standard input is read: the filter parses its words itself. */
function sortWords(args: readonly string[], { values = '', valueWords = [] }: Shape): Words {
  const operands: string[] = [];
  const options: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i];
    if (word === '--') {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (word.startsWith('--')) {
      const [name] = word.slice(2).split('=');
      options.push(name);
      if (valueWords.includes(name) && !word.includes('=')) i++;
      continue;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      options.push(word[at]);
      if (!values.includes(word[at])) continue;
      if (at === word.length - 1) i++;
      break;
    }
  }
  return { operands, options };
}

function filesAmong({ operands, options }: Words, { before = 0, instead = [] }: Shape): readonly string[] {
  return instead.some((option) => options.includes(option)) ? operands : operands.slice(before);
}

function readsInput(name: string, words: Words, shape: Shape): boolean {
  const { options } = words;
  if (options.includes('help') || options.includes('version') || shape.stdin === 'never') return false;
  if (shape.stdin === 'always') return true;
  const files = filesAmong(words, shape).filter((word) => name !== 'awk' || !/^[A-Za-z_]\w*=/.test(word));
  if (files.includes('-')) return true;
  if (shape.stdin === 'dash') return false;
  if (name === 'jq' && (options.includes('n') || options.includes('null-input'))) return false;
  const isRecursive = /^e?f?grep$/.test(name) && options.some((option) => /^(r|R|recursive)$/.test(option));
  return files.length === 0 && !isRecursive;
}

function statOf(fs: NodeFs, path: string, follow: boolean): FilterStat {
  const stats = follow ? fs.statSync(path) : fs.lstatSync(path);
  return {
    // A fifo or device is read like a file.
    isFile: !stats.isDirectory() && !stats.isSymbolicLink(),
    isDirectory: stats.isDirectory(),
    isSymbolicLink: stats.isSymbolicLink(),
    mode: stats.mode & 0o7777,
    size: stats.size,
    mtime: stats.mtime,
    dev: stats.dev,
    ino: stats.ino,
  };
}

function filesOf({ fs }: Tool): FilterFiles {
  return {
    read: (path) => fs.promises.readFile(path),
    write: (path, data, append) =>
      append ? fs.promises.appendFile(path, data) : fs.promises.writeFile(path, data),
    stat: (path, follow) => statOf(fs, path, follow),
    list: (path) => fs.readdirSync(path),
    mkdir: (path, recursive) => void fs.mkdirSync(path, { recursive }),
    remove: (path, options) => fs.rmSync(path, options),
    rename: (from, to) => fs.renameSync(from, to),
    chmod: (path, mode) => fs.chmodSync(path, mode),
    symlink: (target, path) => fs.symlinkSync(target, path),
    link: (target, path) => fs.linkSync(target, path),
    readlink: (path) => fs.readlinkSync(path),
    realpath: (path) => fs.realpathSync(path),
    utimes: (path, atime, mtime) => fs.utimesSync(path, atime, mtime),
  };
}

const NEWLINE = 10;

/** Whole lines of a stream, as many as come at a time; the last one may have no end. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held = new Uint8Array(0);
  for await (const chunk of chunks) {
    const all = new Uint8Array(held.length + chunk.length);
    all.set(held);
    all.set(chunk, held.length);
    const end = all.lastIndexOf(NEWLINE) + 1;
    held = all.slice(end);
    if (end > 0) yield all.subarray(0, end);
  }
  if (held.length > 0) yield held;
}

/** A directory that is gone, or detached, has no name: only absolute paths lead anywhere then. */
function cwdOf(tool: Tool): string {
  try {
    return tool.process.cwd();
  } catch (error) {
    strerror(error);
    return '/';
  }
}

async function runByPieces(
  tool: Tool,
  anywhere: boolean,
  filter: Filter,
  args: readonly string[],
  quits: boolean,
): Promise<number> {
  let code: number | undefined;
  const pieces = anywhere ? wholeCharacters(tool.context.stdin) : wholeLines(tool.context.stdin);
  for await (const piece of pieces) {
    const result = await filter.run(args, piece);
    await tool.moved(piece.length);
    await tool.out(result.stdout);
    await tool.context.stdout.flush();
    await tool.context.stderr.write(result.stderr);
    // One piece with a match is a match; an error is one for all.
    code = result.code > 1 ? result.code : Math.min(code ?? result.code, result.code);
    if (result.code > 1 || (quits && result.code === 0)) return code;
  }
  if (code !== undefined) return code;
  const empty = await filter.run(args, new Uint8Array(0));
  await tool.out(empty.stdout);
  await tool.context.stderr.write(empty.stderr);
  return empty.code;
}

/**
 * grep's words as the library takes them: several patterns are one with newlines between, and names
 * are shown with one file too when there is another.
 */
function grepWords(args: readonly string[]): string[] {
  const patterns: string[] = [];
  const words: string[] = [];
  let named = false;
  for (let i = 0; i < args.length; i++) {
    const word = args[i];
    if (word === '--') {
      words.push(...args.slice(i));
      break;
    }
    const long = /^--regexp(?:=([\s\S]*))?$/.exec(word);
    const short = /^-([A-Za-z]*)e([\s\S]*)$/.exec(word);
    if (long !== null) patterns.push(long[1] ?? args[++i] ?? '');
    else if (short !== null && ![...short[1]].some((letter) => GREP.values?.includes(letter))) {
      if (short[1] !== '') words.push(`-${short[1]}`);
      patterns.push(short[2] === '' ? (args[++i] ?? '') : short[2]);
    } else if (word === '-H' || word === '--with-filename') named = true;
    else if (/^-[A-Za-z]*H/.test(word) && !/^-[A-Za-z]*[mABC]/.test(word)) {
      named = true;
      words.push(word.replace('H', ''));
    } else if (word !== '--line-buffered' && word !== '-s' && !word.startsWith('--color')) words.push(word);
  }
  const all = patterns.length > 0 ? ['-e', patterns.join('\n'), ...words] : words;
  return named ? [...all, '/dev/null'] : all;
}

/** It wants to be told of standard input. */
function pasteWords(args: readonly string[]): readonly string[] {
  return sortWords(args, SHAPES.paste).operands.length === 0 && !args.includes('--help')
    ? [...args, '-']
    : args;
}

/** Octal escapes as the characters they are. */
const trWords = (args: readonly string[]) =>
  args.map((word) =>
    word.replace(/\\([0-7]{1,3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
  );

const ADAPT: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  grep: grepWords,
  egrep: grepWords,
  fgrep: grepWords,
  paste: pasteWords,
  tr: trWords,
};

/** awk's words with the program as one of them, read from files (-f) if that is where it is. */
async function awkWords(tool: Tool, args: readonly string[]): Promise<readonly string[]> {
  const words: string[] = [];
  const programs: string[] = [];
  let at = 0;
  for (; at < args.length && args[at].startsWith('-') && args[at] !== '-' && args[at] !== '--'; at++) {
    const word = args[at];
    if (word.startsWith('-f')) programs.push(await textOf(tool, word.slice(2) || (args[++at] ?? '')));
    else words.push(word);
    if (word === '-F' || word === '-v') words.push(args[++at] ?? '');
  }
  if (args[at] === '--') at++;
  if (programs.length === 0 && at < args.length) programs.push(args[at++]);
  if (programs.length === 0) return args;
  const program = programs.join('\n');
  const needs = needsOwnPrintf([...args, program].join('\n'));
  return [...words, needs ? withOwnPrintf(program) : program, ...args.slice(at)];
}

async function textOf(tool: Tool, path: string): Promise<string> {
  try {
    return await tool.reading(path, (input) => input.text());
  } catch (error) {
    throw new Failure(`cannot open "${path}" (${strerror(error)})`, 2);
  }
}

const EMPTY = new Uint8Array(0);
const TEXT_MAX_BYTES = 128 << 20;

function filterProgram(name: string): Program {
  const shape = SHAPES[name];
  return (context) =>
    atWork(context, async (tool) => {
      const { createFilter } = await import('../vendor/filters.ts');
      const own = context.argv.slice(1);
      if (own.length === 1 && own[0] === '--help' && HELP[name] !== undefined) {
        await tool.out(HELP[name]);
        return 0;
      }
      const args = name === 'awk' ? await awkWords(tool, own) : (ADAPT[name] ?? ((words) => words))(own);
      const words = sortWords(args, shape);
      const filter = createFilter({
        name,
        files: filesOf(tool),
        cwd: cwdOf(tool),
        env: tool.env,
      });
      const reads = readsInput(name, words, shape);
      const isAlone = shape.stdin === 'always' || filesAmong(words, shape).every((file) => file === '-');
      const { stateless } = shape;
      const byPieces =
        reads &&
        isAlone &&
        stateless !== undefined &&
        words.options.every((option) => stateless.test(option));
      if (byPieces)
        return runByPieces(tool, shape.anywhere ?? false, filter, args, words.options.includes('q'));
      const result = await filter.run(args, reads ? await wholeInput(context.stdin) : EMPTY);
      await tool.out(result.stdout);
      await context.stdout.flush();
      await context.stderr.write(result.stderr);
      const isUsage = /(invalid|unrecognized) option/.test(result.stderr);
      return isUsage ? (shape.usageStatus ?? result.code) : result.code;
    });
}

/** What comes in to its end, as far as a text may be long: an endless one must not fill the host. */
async function wholeInput(input: Input): Promise<Uint8Array> {
  const all = new Gathered();
  for await (const chunk of input) {
    all.take(chunk);
    if (all.length > TEXT_MAX_BYTES) {
      throw new Failure(`standard input is longer than ${TEXT_MAX_BYTES >> 20} MiB`, 2);
    }
  }
  return all.bytes();
}

/** Of those that the library has none for. */
const HELP: Readonly<Record<string, string>> = {
  tac: 'Usage: tac [FILE]...\nPrint files with their lines reversed, the last line first.\n\nWith no FILE, or when FILE is -, read standard input.\n',
  expr: 'Usage: expr EXPRESSION\nPrint the value of EXPRESSION.\n\nOperators: | & < <= = == != >= > + - * / % : and match, substr, index, length.\nExit status is 1 if the value is null or 0.\n',
};

/** By their names. */
export const filters: Readonly<Record<string, Program>> = Object.fromEntries(
  Object.keys(SHAPES).map((name) => [name, filterProgram(name)]),
);
