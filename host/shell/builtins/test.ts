/** test and [ */
import {
  AT_EACCESS,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
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
} from '../../../assembly/abi/flags.ts';
import type { BigIntStats } from '../../syscalls/fs/stats.ts';
import { compareBytes } from '../../syscalls/bytes.ts';
import { isEnded, isSyscallError } from '../errors.ts';
import type { Shell } from '../shell.ts';
import { isTerminal } from '../terminal.ts';

type Unary = (shell: Shell, operand: string) => boolean;
type Binary = (shell: Shell, left: string, right: string) => boolean;

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    return undefined;
  }
}

function stat(shell: Shell, path: string, flags = 0): BigIntStats | undefined {
  return path === '' ? undefined : attempt(() => shell.process.fstatat(AT_FDCWD, path, flags));
}

const ofType =
  (type: number): Unary =>
  (shell, path) =>
    (Number(stat(shell, path)?.mode ?? 0) & S_IFMT) === type;
const withBit =
  (bit: number): Unary =>
  (shell, path) =>
    (Number(stat(shell, path)?.mode ?? 0) & bit) !== 0;
const allowed =
  (mode: number): Unary =>
  (shell, path) =>
    path !== '' &&
    attempt(() => {
      shell.process.faccessat(AT_FDCWD, path, mode, AT_EACCESS);
      return true;
    }) === true;
const isLink: Unary = (shell, path) =>
  (Number(stat(shell, path, AT_SYMLINK_NOFOLLOW)?.mode ?? 0) & S_IFMT) === S_IFLNK;

const UNARY: Readonly<Record<string, Unary>> = {
  '-b': ofType(S_IFBLK),
  '-c': ofType(S_IFCHR),
  '-d': ofType(S_IFDIR),
  '-e': (shell, path) => stat(shell, path) !== undefined,
  '-f': ofType(S_IFREG),
  '-g': withBit(S_ISGID),
  '-G': (shell, path) => Number(stat(shell, path)?.gid ?? -1) === shell.process.ids().egid,
  '-h': isLink,
  '-k': withBit(S_ISVTX),
  '-L': isLink,
  '-n': (_, text) => text !== '',
  '-O': (shell, path) => Number(stat(shell, path)?.uid ?? -1) === shell.process.ids().euid,
  '-p': ofType(S_IFIFO),
  '-r': allowed(R_OK),
  '-s': (shell, path) => (stat(shell, path)?.size ?? 0n) > 0n,
  '-S': ofType(S_IFSOCK),
  '-t': (shell, text) => isTerminal(shell.process, number(shell, text)),
  '-u': withBit(S_ISUID),
  '-w': allowed(W_OK),
  '-x': allowed(X_OK),
  '-z': (_, text) => text === '',
};

function number(shell: Shell, text: string): number {
  const trimmed = text.trim();
  if (!/^[-+]?\d+$/.test(trimmed)) shell.fail(`Illegal number: ${text}`);
  return Number(trimmed);
}

const numeric =
  (compare: (a: number, b: number) => boolean): Binary =>
  (shell, a, b) =>
    compare(number(shell, a), number(shell, b));

/** A file's modification time; nothing is older than what is not there. */
const modified = (shell: Shell, path: string) => stat(shell, path)?.mtimeNs;

const BINARY: Readonly<Record<string, Binary>> = {
  '=': (_, a, b) => a === b,
  '!=': (_, a, b) => a !== b,
  '<': (_, a, b) => compareBytes(a, b) < 0,
  '>': (_, a, b) => compareBytes(a, b) > 0,
  '-eq': numeric((a, b) => a === b),
  '-ne': numeric((a, b) => a !== b),
  '-lt': numeric((a, b) => a < b),
  '-le': numeric((a, b) => a <= b),
  '-gt': numeric((a, b) => a > b),
  '-ge': numeric((a, b) => a >= b),
  '-nt': (shell, a, b) => {
    const left = modified(shell, a);
    const right = modified(shell, b);
    return left !== undefined && right !== undefined && left > right;
  },
  '-ot': (shell, a, b) => {
    const left = modified(shell, a);
    const right = modified(shell, b);
    return left !== undefined && right !== undefined && left < right;
  },
  '-ef': (shell, a, b) => {
    const left = stat(shell, a);
    const right = stat(shell, b);
    return left !== undefined && right !== undefined && left.dev === right.dev && left.ino === right.ino;
  },
};

export function test(shell: Shell, argv: readonly string[]): number {
  let args = argv.slice(1);
  if (argv[0] === '[') {
    if (args.at(-1) !== ']') shell.fail('missing ]');
    args = args.slice(0, -1);
  }
  return evaluate(shell, args) ? 0 : 1;
}

/** POSIX says what one to four arguments mean; more are read as an expression. */
function evaluate(shell: Shell, args: readonly string[]): boolean {
  const [a, b, c] = args;
  switch (args.length) {
    case 0:
      return false;
    case 1:
      return a !== '';
    case 3: {
      const binary = BINARY[b];
      if (binary !== undefined) return binary(shell, a, c);
      break;
    }
    case 4:
      if (a === '!' && args[1] !== '(') return !evaluate(shell, args.slice(1));
      break;
  }
  const expression = new Expression(shell, args);
  return expression.whole();
}

class Expression {
  readonly #shell: Shell;
  readonly #args: readonly string[];
  #at = 0;

  constructor(shell: Shell, args: readonly string[]) {
    this.#shell = shell;
    this.#args = args;
  }

  whole(): boolean {
    const value = this.#or();
    // Named is the word before the one that does not belong there.
    if (this.#at < this.#args.length) this.#unexpected(this.#args[this.#at - 1]);
    return value;
  }

  #unexpected(what: string): never {
    return this.#shell.fail(`${what}: unexpected operator`);
  }

  #or(): boolean {
    let value = this.#and();
    while (this.#args[this.#at] === '-o') {
      this.#at++;
      const right = this.#and();
      value = value || right;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#not();
    while (this.#args[this.#at] === '-a') {
      this.#at++;
      const right = this.#not();
      value = value && right;
    }
    return value;
  }

  #not(): boolean {
    const next = this.#args[this.#at + 1];
    if (this.#args[this.#at] === '!' && next !== undefined && !this.#isBinaryAt(this.#at)) {
      this.#at++;
      return !this.#not();
    }
    return this.#primary();
  }

  #isBinaryAt(at: number): boolean {
    return (
      this.#args[at + 1] !== undefined &&
      BINARY[this.#args[at + 1]] !== undefined &&
      at + 2 < this.#args.length
    );
  }

  #primary(): boolean {
    const at = this.#at;
    const first = this.#args[at];
    if (first === undefined) return this.#shell.fail('argument expected');
    if (this.#isBinaryAt(at)) {
      this.#at += 3;
      return BINARY[this.#args[at + 1]](this.#shell, first, this.#args[at + 2]);
    }
    if (first === '(' && at + 1 < this.#args.length) {
      this.#at++;
      const value = this.#or();
      if (this.#args[this.#at] !== ')') this.#shell.fail('closing paren expected');
      this.#at++;
      return value;
    }
    const unary = UNARY[first];
    const operand = this.#args[at + 1];
    if (unary !== undefined && operand !== undefined && operand !== '-a' && operand !== '-o') {
      this.#at += 2;
      return unary(this.#shell, operand);
    }
    if (operand !== undefined && BINARY[operand] !== undefined) {
      this.#shell.fail(`${operand}: argument expected`);
    }
    this.#at++;
    return first !== '';
  }
}
