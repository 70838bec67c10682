/** test and [: conditions, as POSIX decides them by the number of words, with and, or, not, brackets. */
import {
  AT_EACCESS,
  AT_FDCWD,
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  W_OK,
  X_OK,
} from '../../assembly/abi/flags.ts';
import type { Program } from '../programs/program.ts';
import { atWork, type Tool } from './lib/command.ts';
import { errnoOf, Failure } from './lib/errors.ts';
import { quote } from './lib/quote.ts';
import { compareTimes, type Info, lstat, sameFile, stat } from './lib/stat.ts';
import { isTerminal } from './lib/terminal.ts';

const SYNTAX = 2;

function infoOf(tool: Tool, path: string, follow = true): Info | undefined {
  try {
    return follow ? stat(tool.process, path) : lstat(tool.process, path);
  } catch (error) {
    if (errnoOf(error) === 0) throw error;
    return undefined;
  }
}

function may(tool: Tool, path: string, mode: number): boolean {
  try {
    tool.process.faccessat(AT_FDCWD, path, mode, AT_EACCESS);
    return true;
  } catch (error) {
    if (errnoOf(error) === 0) throw error;
    return false;
  }
}

const hasType = (type: number) => (tool: Tool, path: string) =>
  ((infoOf(tool, path)?.mode ?? 0) & S_IFMT) === type;
const hasBit = (bit: number) => (tool: Tool, path: string) => ((infoOf(tool, path)?.mode ?? 0) & bit) !== 0;
const isLinkAt = (tool: Tool, path: string) => ((infoOf(tool, path, false)?.mode ?? 0) & S_IFMT) === S_IFLNK;

const UNARY: Readonly<Record<string, (tool: Tool, word: string) => boolean>> = {
  '-b': hasType(S_IFBLK),
  '-c': hasType(S_IFCHR),
  '-d': hasType(S_IFDIR),
  '-e': (tool, path) => infoOf(tool, path) !== undefined,
  '-f': hasType(S_IFREG),
  '-g': hasBit(S_ISGID),
  '-G': (tool, path) => infoOf(tool, path)?.gid === tool.process.ids().egid,
  '-h': isLinkAt,
  '-k': hasBit(S_ISVTX),
  '-L': isLinkAt,
  '-n': (_, word) => word !== '',
  '-N': (tool, path) => {
    const info = infoOf(tool, path);
    return info !== undefined && compareTimes(info.mtime, info.atime) > 0;
  },
  '-O': (tool, path) => infoOf(tool, path)?.uid === tool.process.ids().euid,
  '-p': hasType(S_IFIFO),
  '-r': (tool, path) => may(tool, path, R_OK),
  '-s': (tool, path) => (infoOf(tool, path)?.size ?? 0) > 0,
  '-S': hasType(S_IFSOCK),
  '-t': (tool, word) => isTerminal(tool, integer(word)),
  '-u': hasBit(S_ISUID),
  '-w': (tool, path) => may(tool, path, W_OK),
  '-x': (tool, path) => may(tool, path, X_OK),
  '-z': (_, word) => word === '',
};

function integer(text: string): number {
  const trimmed = text.trim();
  if (!/^[-+]?\d+$/.test(trimmed)) throw new Failure(`invalid integer ${quote(text)}`, SYNTAX);
  return Number(trimmed);
}

const numbers = (compare: (a: bigint, b: bigint) => boolean) => (_: Tool, a: string, b: string) => {
  integer(a);
  integer(b);
  return compare(BigInt(a.trim().replace(/^\+/, '')), BigInt(b.trim().replace(/^\+/, '')));
};

/** A missing file is older than any. */
function isNewer(tool: Tool, a: string, b: string): boolean {
  const [left, right] = [infoOf(tool, a), infoOf(tool, b)];
  if (left === undefined) return false;
  return right === undefined || compareTimes(left.mtime, right.mtime) > 0;
}

const BINARY: Readonly<Record<string, (tool: Tool, a: string, b: string) => boolean>> = {
  '=': (_, a, b) => a === b,
  '==': (_, a, b) => a === b,
  '!=': (_, a, b) => a !== b,
  '<': (_, a, b) => a < b,
  '>': (_, a, b) => a > b,
  '-eq': numbers((a, b) => a === b),
  '-ne': numbers((a, b) => a !== b),
  '-lt': numbers((a, b) => a < b),
  '-le': numbers((a, b) => a <= b),
  '-gt': numbers((a, b) => a > b),
  '-ge': numbers((a, b) => a >= b),
  '-nt': isNewer,
  '-ot': (tool, a, b) => isNewer(tool, b, a),
  '-ef': (tool, a, b) => {
    const [left, right] = [infoOf(tool, a), infoOf(tool, b)];
    return left !== undefined && right !== undefined && sameFile(left, right);
  },
};

const isUnary = (word: string | undefined) => word !== undefined && Object.hasOwn(UNARY, word);
const isBinary = (word: string | undefined) => word !== undefined && Object.hasOwn(BINARY, word);

/** A condition's value. @throws Failure with status 2 for one that cannot be read */
export function evaluateTest(tool: Tool, words: readonly string[]): boolean {
  const [a, b, c, d] = words;
  switch (words.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 2:
      if (a === '!') return b === '';
      if (isUnary(a)) return UNARY[a](tool, b);
      if (/^-./.test(a)) throw new Failure(`${quote(a)}: unary operator expected`, SYNTAX);
      throw new Failure(`missing argument after ${quote(b)}`, SYNTAX);
    case 3:
      if (isBinary(b)) return BINARY[b](tool, a, c);
      if (b === '-a') return a !== '' && c !== '';
      if (b === '-o') return a !== '' || c !== '';
      if (a === '!') return !evaluateTest(tool, words.slice(1));
      if (a === '(' && c === ')') return b !== '';
      throw new Failure(`${quote(b)}: binary operator expected`, SYNTAX);
    case 4:
      if (a === '!') return !evaluateTest(tool, words.slice(1));
      if (a === '(' && d === ')') return evaluateTest(tool, words.slice(1, 3));
      break;
  }
  return new Expression(tool, words).value();
}

/** More than four words: -o binds least, then -a, then !. */
class Expression {
  readonly #tool: Tool;
  readonly #words: readonly string[];
  #at = 0;

  constructor(tool: Tool, words: readonly string[]) {
    this.#tool = tool;
    this.#words = words;
  }

  value(): boolean {
    const value = this.#or();
    if (this.#at < this.#words.length)
      throw new Failure(`extra argument ${quote(this.#words[this.#at])}`, SYNTAX);
    return value;
  }

  #next(): string {
    const word = this.#words[this.#at++];
    if (word === undefined)
      throw new Failure(`missing argument after ${quote(this.#words.at(-1) ?? '')}`, SYNTAX);
    return word;
  }

  // Both sides are always read, for what stands behind them has to be found.
  #or(): boolean {
    let value = this.#and();
    while (this.#words[this.#at] === '-o') {
      this.#at++;
      value = this.#and() || value;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#not();
    while (this.#words[this.#at] === '-a') {
      this.#at++;
      value = this.#not() && value;
    }
    return value;
  }

  #not(): boolean {
    if (this.#words[this.#at] === '!' && !isBinary(this.#words[this.#at + 1])) {
      this.#at++;
      return !this.#not();
    }
    return this.#primary();
  }

  #primary(): boolean {
    const words = this.#words;
    if (isBinary(words[this.#at + 1]) && this.#at + 2 < words.length) {
      const [a, operator, b] = [this.#next(), this.#next(), this.#next()];
      return BINARY[operator](this.#tool, a, b);
    }
    const word = this.#next();
    if (word === '(') {
      const value = this.#or();
      if (this.#next() !== ')')
        throw new Failure(`')' expected, found ${quote(words[this.#at - 1])}`, SYNTAX);
      return value;
    }
    if (isUnary(word)) return UNARY[word](this.#tool, this.#next());
    return word !== '';
  }
}

const HELP = `Usage: test EXPRESSION
  or:  [ EXPRESSION ]
Exit with the status determined by EXPRESSION.

Files:    -b -c -d -e -f -g -G -h -k -L -N -O -p -r -s -S -u -w -x FILE
          FILE1 -nt FILE2, FILE1 -ot FILE2, FILE1 -ef FILE2
Strings:  STRING, -n STRING, -z STRING, S1 = S2, S1 != S2, S1 < S2, S1 > S2
Numbers:  N1 -eq N2, -ne, -lt, -le, -gt, -ge
Others:   -t FD, ( EXPRESSION ), ! EXPRESSION, E1 -a E2, E1 -o E2

Exit status:
  0    if EXPRESSION is true
  1    if it is false
  2    if it cannot be evaluated
`;

export const test: Program = (context) =>
  atWork(context, async (tool) => {
    let words = context.argv.slice(1);
    if (tool.name === '[') {
      if (words.length === 1 && words[0] === '--help') {
        await tool.out(HELP);
        return 0;
      }
      if (words.at(-1) !== ']') throw new Failure("missing ']'", SYNTAX);
      words = words.slice(0, -1);
    }
    return evaluateTest(tool, words) ? 0 : 1;
  });
