/** find's actions. */
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  O_CREAT,
  O_TRUNC,
  O_WRONLY,
  S_IFLNK,
  S_IFMT,
} from '../../../assembly/abi/flags.ts';
import type { Output } from '../../programs/program.ts';
import { ask } from './ask.ts';
import type { Tool } from './command.ts';
import { Failure, strerror } from './errors.ts';
import { unescapeText } from './escapes.ts';
import { type Parsing, type Predicate, Quit, type Visit } from './findexpr.ts';
import { mountOf } from './mounts.ts';
import { escapeControls, quoted } from './quote.ts';
import { runChild } from './run.ts';
import { major, minor } from '../../syscalls/devices.ts';
import { base, directoryOf, isDevice, isDirectory, isLink, modeText } from './stat.ts';
import { strftime, zoneOf } from './time.ts';
import { Users } from './users.ts';

const ARGS_MAX = 128 * 1024;

function deleteAction({ tool, options, acts }: Parsing): Predicate {
  acts();
  options.depthFirst = true;
  return async ({ path, info }) => {
    // The starting point "." cannot be removed, and is not tried.
    if (path === '.') return true;
    try {
      tool.process.unlinkat(AT_FDCWD, path, isDirectory(info) ? AT_REMOVEDIR : 0);
      return true;
    } catch (error) {
      await tool.failed(`cannot delete ${quoted(path)}`, error);
      return false;
    }
  };
}

/** Commands run with many names at once. */
class Batch {
  readonly #tool: Tool;
  readonly #argv: readonly string[];
  #names: string[] = [];
  #size = 0;

  constructor(tool: Tool, argv: readonly string[]) {
    this.#tool = tool;
    this.#argv = argv;
  }

  async add(path: string): Promise<void> {
    if (this.#size + path.length + 1 > ARGS_MAX) await this.run();
    this.#names.push(path);
    this.#size += path.length + 1;
  }

  async run(): Promise<void> {
    if (this.#names.length === 0) return;
    const names = this.#names;
    this.#names = [];
    this.#size = 0;
    await this.#tool.context.stdout.flush();
    const { code } = await runChild(this.#tool, [...this.#argv, ...names]);
    if (code !== 0) this.#tool.status = 1;
  }
}

function execAction(name: string, { tool, until, atEnd, acts }: Parsing): Predicate {
  acts();
  const words = until((word, before) => word === ';' || (word === '+' && before === '{}'));
  const end = words.pop();
  const asks = name.startsWith('-ok');
  const inDirectory = name.endsWith('dir');
  const shown = (path: string) => (inDirectory ? `./${base(path)}` : path);
  if (words.length === 0) throw new Failure(`missing argument to \`${name}'`);
  if (end === '+' && !inDirectory) {
    const batch = new Batch(tool, words.slice(0, -1));
    atEnd(() => batch.run());
    return async ({ path }) => {
      await batch.add(path);
      return true;
    };
  }
  return async ({ path }) => {
    const argv = words.map((word) => word.replaceAll('{}', shown(path)));
    await tool.context.stdout.flush();
    if (asks && !(await asked(tool, argv, path))) return false;
    const setup = inDirectory
      ? (child: { chdir(path: string): void }) => child.chdir(directoryOf(path))
      : undefined;
    const { code } = await runChild(tool, argv, { setup });
    return code === 0;
  };
}

function asked(tool: Tool, argv: readonly string[], path: string): Promise<boolean> {
  return ask(tool, `< ${argv[0]} ... ${path} > ? `);
}

function lsAction({ tool, acts }: Parsing): Predicate {
  acts();
  const users = new Users(tool.fs);
  const zone = zoneOf(tool.env);
  const now = tool.now();
  return async ({ path, info }) => {
    const size = isDevice(info)
      ? `${String(major(info.rdev)).padStart(3)}, ${String(minor(info.rdev)).padStart(3)}`
      : String(info.size).padStart(8);
    const isRecent = now.seconds - info.mtime.seconds < 15778476 && info.mtime.seconds <= now.seconds;
    const time = strftime(isRecent ? '%b %e %H:%M' : '%b %e  %Y', info.mtime, zone);
    const target = isLink(info) ? ` -> ${escaped(tool.fs.readlinkSync(path))}` : '';
    const fields = [
      String(info.ino).padStart(9),
      String(Math.ceil(info.blocks / 2)).padStart(6),
      modeText(info.mode),
      String(info.nlink).padStart(3),
      users.userName(info.uid).padEnd(8),
      users.groupName(info.gid).padEnd(8),
      size,
      time,
    ];
    await tool.out(`${fields.join(' ')} ${escaped(path)}${target}\n`);
    return true;
  };
}

const escaped = (name: string) => escapeControls(name.replace(/[\\ "]/g, '\\$&'));

const TYPE_LETTERS: Readonly<Record<string, string>> = { '-': 'f' };

/** %A%, %C and %T with the letter that follows, and the others. */
function directive(tool: Tool, users: Users, visit: Visit, letter: string, sub: string): string | undefined {
  const { path, start, depth, info } = visit;
  const zone = zoneOf(tool.env);
  const time = { a: info.atime, c: info.ctime, t: info.mtime }[letter.toLowerCase()];
  if (time !== undefined) {
    const seconds = `${time.seconds}.${String(time.nanoseconds).padStart(9, '0')}0`;
    const fraction = (format: string) =>
      strftime(format, time, zone).replace('@', `.${String(time.nanoseconds).padStart(9, '0')}0`);
    if (letter === letter.toLowerCase()) return fraction('%a %b %e %H:%M:%S@ %Y');
    if (sub === '@') return seconds;
    if (sub === '+') return fraction('%Y-%m-%d+%H:%M:%S@');
    if (sub === 'S') return fraction('%S@');
    if (sub === 'T' || sub === 'X') return fraction('%H:%M:%S@');
    return strftime(`%${sub}`, time, zone);
  }
  const type = modeText(info.mode)[0];
  const below = path === start ? '' : path.slice(start.length + (start.endsWith('/') ? 0 : 1));
  const known: Record<string, () => string | number> = {
    '%': () => '%',
    b: () => info.blocks,
    d: () => depth,
    D: () => info.dev,
    f: () => base(path),
    F: () => mountOf(tool, path).type,
    g: () => users.groupName(info.gid),
    G: () => info.gid,
    h: () => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.'),
    H: () => start,
    i: () => info.ino,
    k: () => Math.ceil(info.blocks / 2),
    l: () => ((info.mode & S_IFMT) === S_IFLNK ? tool.fs.readlinkSync(path) : ''),
    m: () => (info.mode & 0o7777).toString(8),
    M: () => modeText(info.mode),
    n: () => info.nlink,
    p: () => path,
    P: () => below,
    s: () => info.size,
    S: () =>
      info.size === 0
        ? info.blocks === 0
          ? '1'
          : '0'
        : Number(((info.blocks * 512) / info.size).toPrecision(6)),
    u: () => users.userName(info.uid),
    U: () => info.uid,
    y: () => TYPE_LETTERS[type] ?? type,
    Y: () => targetType(tool, path, TYPE_LETTERS[type] ?? type),
  };
  return Object.hasOwn(known, letter) ? String(known[letter]()) : undefined;
}

/** Type of what a link leads to: N if that is not there, L for a loop. */
function targetType(tool: Tool, path: string, type: string): string {
  if (type !== 'l') return type;
  try {
    const letter = modeText(tool.fs.statSync(path).mode)[0];
    return TYPE_LETTERS[letter] ?? letter;
  } catch (error) {
    return strerror(error) === 'Too many levels of symbolic links' ? 'L' : 'N';
  }
}

function printfAction({ tool, argument, acts }: Parsing): Predicate {
  acts();
  const format = argument();
  const users = new Users(tool.fs);
  // Escapes are the format's alone, so it is cut up before names are put into it.
  const pieces = format.split(/(%[-+ 0#]*\d*(?:\.\d+)?(?:[ACT].|[a-zA-Z%]))/);
  return async (visit) => {
    for (const [i, piece] of pieces.entries()) {
      if (i % 2 === 0) {
        const { bytes, stopped } = unescapeText(piece, false);
        await tool.out(bytes);
        if (stopped) return true;
        continue;
      }
      const [, flags, width, precision, letter, sub = ''] = /^%([-+ 0#]*)(\d*)(?:\.(\d+))?(.)(.?)$/.exec(
        piece,
      ) as RegExpExecArray;
      let text = directive(tool, users, visit, letter, sub) ?? piece;
      if (precision !== undefined) text = text.slice(0, Number(precision));
      if (letter === 'm' && flags.includes('#') && text !== '0') text = `0${text}`;
      const columns = Number(width || 0);
      await tool.out(
        flags.includes('-') ? text.padEnd(columns) : text.padStart(columns, flags.includes('0') ? '0' : ' '),
      );
    }
    return true;
  };
}

function fileAction(name: string, { tool, argument, atEnd, acts }: Parsing): Predicate {
  acts();
  const path = argument();
  const end = name === '-fprint0' ? '\0' : '\n';
  const fd = tool.process.openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
  const output: Output = tool.context.output(fd);
  atEnd(async () => {
    await output.flush();
    tool.process.close(fd);
  });
  return async (visit) => {
    await output.write(visit.path + end);
    return true;
  };
}

/** An action by its name; undefined if there is no such. @throws Failure about its arguments */
export function actionOf(name: string, parsing: Parsing): Predicate | undefined {
  const { tool, acts } = parsing;
  const print = (end: string): Predicate => {
    acts();
    return async ({ path }) => {
      await tool.out(path + end);
      return true;
    };
  };
  switch (name) {
    case '-print':
      return print('\n');
    case '-print0':
      return print('\0');
    case '-printf':
      return printfAction(parsing);
    case '-fprint':
    case '-fprint0':
      return fileAction(name, parsing);
    case '-ls':
      return lsAction(parsing);
    case '-delete':
      return deleteAction(parsing);
    case '-exec':
    case '-execdir':
    case '-ok':
    case '-okdir':
      return execAction(name, parsing);
    case '-prune':
      return (visit) => {
        visit.pruned = true;
        return true;
      };
    case '-quit':
      acts();
      return () => {
        throw new Quit();
      };
  }
  return undefined;
}
