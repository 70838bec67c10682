/** find's tests, and its options. */
import {
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  W_OK,
  X_OK,
  AT_FDCWD,
  AT_EACCESS,
} from '../../../assembly/abi/flags.ts';
import { Failure, strerror } from './errors.ts';
import type { Parsing, Predicate, Visit } from './findexpr.ts';
import { globExpression } from './glob.ts';
import { applyMode, parseMode } from './mode.ts';
import { quoted } from './quote.ts';
import { base, compareTimes, type Info, isDirectory, isRegular, lstat, stat, type Time } from './stat.ts';
import { parseDate } from './time.ts';
import { Users } from './users.ts';

const TYPES: Readonly<Record<string, number>> = {
  b: S_IFBLK,
  c: S_IFCHR,
  d: S_IFDIR,
  p: S_IFIFO,
  f: S_IFREG,
  l: S_IFLNK,
  s: S_IFSOCK,
};

/** N, +N or -N. */
function comparison(text: string, name: string): (value: number) => boolean {
  const match = /^([-+]?)(\d+(?:\.\d+)?)$/.exec(text);
  if (match === null) throw new Failure(`invalid argument \`${text}' to \`${name}'`);
  const wanted = Number(match[2]);
  if (match[1] === '+') return (value) => value > wanted;
  if (match[1] === '-') return (value) => value < wanted;
  return (value) => value === wanted;
}

function typeTest(text: string, name: string, infoOf: (visit: Visit) => Info): Predicate {
  const wanted = text.split(',').map((letter) => {
    const type = letter.length === 1 ? TYPES[letter] : undefined;
    if (type !== undefined) return type;
    throw new Failure(
      letter.length > 1
        ? `Must separate multiple arguments to ${name} using: ','`
        : `Unknown argument to ${name}: ${letter}`,
    );
  });
  return (visit) => wanted.includes(infoOf(visit).mode & S_IFMT);
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 512,
  c: 1,
  w: 2,
  k: 1024,
  M: 1048576,
  G: 1073741824,
  '': 512,
};

function sizeTest(text: string): Predicate {
  const match = /^([-+]?\d+)([bcwkMG]?)$/.exec(text);
  if (match === null && !/[\dbcwkMG]$/.test(text)) throw new Failure(`invalid -size type \`${text.at(-1)}'`);
  if (match === null) throw new Failure(`Invalid argument \`${text}' to -size`);
  const matches = comparison(match[1], '-size');
  const unit = SIZE_UNITS[match[2]];
  return ({ info }) => matches(Math.ceil(info.size / unit));
}

function permTest(text: string): Predicate {
  const kind = /^[-/]/.test(text) ? text[0] : '';
  const changes = parseMode(text.slice(kind.length));
  if (changes === undefined) throw new Failure(`invalid mode ${quoted(text)}`);
  const mode = applyMode(changes, 0, false, 0);
  if (kind === '-') return ({ info }) => (info.mode & mode) === mode;
  if (kind === '/') return ({ info }) => mode === 0 || (info.mode & mode) !== 0;
  return ({ info }) => (info.mode & 0o7777) === mode;
}

function regexTest(pattern: string, ignoreCase: boolean): Predicate {
  // Emacs' syntax, find's default: groups, alternation and counts are written with backslashes.
  const source = pattern.replace(/\\([(){}|])|([(){}|])/g, (_, escaped, plain) => escaped ?? `\\${plain}`);
  const expression = new RegExp(`^(?:${source})$`, ignoreCase ? 'iu' : 'u');
  return ({ path }) => expression.test(path);
}

function reference({ tool, links }: Parsing, path: string): Info {
  try {
    return links === 'P' ? lstat(tool.process, path) : stat(tool.process, path);
  } catch (error) {
    throw new Failure(`${quoted(path)}: ${strerror(error)}`);
  }
}

function isEmpty({ tool }: Parsing): Predicate {
  return async ({ path, info }) => {
    if (isRegular(info)) return info.size === 0;
    if (!isDirectory(info)) return false;
    try {
      return tool.fs.readdirSync(path).length === 0;
    } catch (error) {
      await tool.failed(quoted(path), error);
      return false;
    }
  };
}

function userTest({ tool, argument }: Parsing, kind: 'user' | 'group'): Predicate {
  const name = argument();
  const users = new Users(tool.fs);
  const id = kind === 'user' ? users.uid(name) : users.gid(name);
  if (id === undefined) {
    throw new Failure(
      kind === 'user'
        ? `${quoted(name)} is not the name of a known user`
        : `${quoted(name)} is not the name of an existing group`,
    );
  }
  return ({ info }) => (kind === 'user' ? info.uid : info.gid) === id;
}

function access({ tool }: Parsing, mode: number): Predicate {
  return ({ path }) => {
    try {
      tool.process.faccessat(AT_FDCWD, path, mode, AT_EACCESS);
      return true;
    } catch (error) {
      strerror(error);
      return false;
    }
  };
}

type Which = 'atime' | 'mtime' | 'ctime';
const TIMES: Readonly<Record<string, Which>> = { a: 'atime', m: 'mtime', c: 'ctime' };

/** Whole days or minutes since a time. */
function ageTest({ tool, argument }: Parsing, name: string): Predicate {
  const which = TIMES[name[1]];
  const unit = name.endsWith('min') ? 60 : 86400;
  const text = argument();
  const matches = comparison(text, name);
  const now = tool.now();
  return ({ info }) => {
    const age = now.seconds - info[which].seconds + (now.nanoseconds - info[which].nanoseconds) / 1e9;
    // Minutes are compared as they are, days rounded down.
    if (unit === 86400) return matches(Math.floor(age / unit));
    const minutes = age / unit;
    return /^[-+]/.test(text) ? matches(minutes) : matches(Math.ceil(minutes));
  };
}

function newerTest(parsing: Parsing, name: string): Predicate | undefined {
  const match = /^-(?:newer([acm])([acmt])|(a|c)?newer)$/.exec(name);
  if (match === null) return undefined;
  const which = TIMES[match[1] ?? match[3] ?? 'm'];
  const text = parsing.argument();
  const time: Time =
    match[2] === 't' ? dateOf(parsing, text) : reference(parsing, text)[TIMES[match[2] ?? 'm']];
  return ({ info }) => compareTimes(info[which], time) > 0;
}

function dateOf({ tool }: Parsing, text: string): Time {
  try {
    return parseDate(text, tool.now(), tool.env);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`I cannot figure out how to interpret ${quoted(text)} as a date or time`);
  }
}

function depthOf(parsing: Parsing, name: string): number {
  const text = parsing.argument();
  if (!/^\d+$/.test(text))
    throw new Failure(`Expected a positive decimal integer argument to ${name}, but got ${quoted(text)}`);
  return Number(text);
}

function setOption(parsing: Parsing, name: string): Predicate | undefined {
  const { options } = parsing;
  if (name === '-depth' || name === '-d') options.depthFirst = true;
  else if (name === '-xdev' || name === '-mount') options.oneFileSystem = true;
  else if (name === '-maxdepth') options.maxDepth = depthOf(parsing, name);
  else if (name === '-mindepth') options.minDepth = depthOf(parsing, name);
  else if (name !== '-noleaf' && name !== '-warn' && name !== '-nowarn' && name !== '-true') return undefined;
  return () => true;
}

/** The name that -name looks at: the last component, and "/" for the root. */
const nameOf = (path: string) => base(path);

function patternTest(parsing: Parsing, name: string): Predicate | undefined {
  const match = /^-(i?)(name|path|wholename|lname|regex)$/.exec(name);
  if (match === null) return undefined;
  const ignoreCase = match[1] === 'i';
  const pattern = parsing.argument();
  if (match[2] === 'regex') return regexTest(pattern, ignoreCase);
  const expression = globExpression(pattern, ignoreCase);
  if (match[2] === 'name') return ({ path }) => expression.test(nameOf(path));
  if (match[2] === 'lname')
    return ({ path, info }) =>
      (info.mode & S_IFMT) === S_IFLNK && expression.test(parsing.tool.fs.readlinkSync(path));
  return ({ path }) => expression.test(path);
}

/** The other way about links than the walk's. */
function otherInfo({ tool, links }: Parsing): (visit: Visit) => Info {
  return ({ path, info }) => {
    try {
      return links === 'P' ? stat(tool.process, path) : lstat(tool.process, path);
    } catch (error) {
      strerror(error);
      return info;
    }
  };
}

/** A test or option by its name; undefined if there is no such. @throws Failure about its argument */
export function testOf(name: string, parsing: Parsing): Predicate | undefined {
  const { tool, argument } = parsing;
  const number = (value: (info: Info) => number): Predicate => {
    const matches = comparison(argument(), name);
    return ({ info }) => matches(value(info));
  };
  switch (name) {
    case '-type':
      return typeTest(argument(), name, ({ info }) => info);
    case '-xtype':
      return typeTest(argument(), name, otherInfo(parsing));
    case '-size':
      return sizeTest(argument());
    case '-perm':
      return permTest(argument());
    case '-empty':
      return isEmpty(parsing);
    case '-user':
    case '-group':
      return userTest(parsing, name === '-user' ? 'user' : 'group');
    case '-nouser':
    case '-nogroup': {
      const users = new Users(tool.fs);
      if (name === '-nouser') return ({ info }) => users.byUid(info.uid) === undefined;
      return ({ info }) => users.groupByGid(info.gid) === undefined;
    }
    case '-uid':
      return number((info) => info.uid);
    case '-gid':
      return number((info) => info.gid);
    case '-links':
      return number((info) => info.nlink);
    case '-inum':
      return number((info) => info.ino);
    case '-samefile': {
      const { dev, ino } = reference(parsing, argument());
      return ({ info }) => info.dev === dev && info.ino === ino;
    }
    case '-readable':
      return access(parsing, R_OK);
    case '-writable':
      return access(parsing, W_OK);
    case '-executable':
      return access(parsing, X_OK);
    case '-false':
      return () => false;
  }
  if (/^-[acm](time|min)$/.test(name)) return ageTest(parsing, name);
  return newerTest(parsing, name) ?? patternTest(parsing, name) ?? setOption(parsing, name);
}
