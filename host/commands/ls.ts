/** ls: what is in directories, and what files are. */
import { S_IFDIR, S_IFMT } from '../../assembly/abi/flags.ts';
import { Colors } from './lib/colors.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { globExpression } from './lib/glob.ts';
import { type Entry, type Layout, layout, type Listing, orderOf } from './lib/listing.ts';
import { type Arguments, choice } from './lib/options.ts';
import { quoted } from './lib/quote.ts';
import { compareTimes, type Info, isDirectory, isLink, join, lstat, stat } from './lib/stat.ts';
import { columnsOf } from './lib/terminal.ts';
import { strftime, zoneOf } from './lib/time.ts';
import { Users } from './lib/users.ts';

const options = {
  all: { short: 'a', about: 'do not ignore entries starting with .' },
  'almost-all': { short: 'A', about: 'do not list implied . and ..' },
  escape: { short: 'b', about: 'print C-style escapes for nongraphic characters' },
  'ignore-backups': { short: 'B', about: 'do not list implied entries ending with ~' },
  c: {
    short: 'c',
    shortOnly: true,
    about: 'with -lt: sort by, and show, ctime; with -l: show ctime; otherwise: sort by ctime',
  },
  C: { short: 'C', shortOnly: true, about: 'list entries by columns' },
  color: {
    value: 'WHEN',
    optional: true,
    about: 'color the output: always (default if omitted), auto, never',
  },
  directory: { short: 'd', about: 'list directories themselves, not their contents' },
  f: { short: 'f', shortOnly: true, about: 'do not sort, enable -aU, disable -ls --color' },
  classify: {
    short: 'F',
    value: 'WHEN',
    optional: true,
    about: 'append indicator (one of */=>@|) to entries',
  },
  'file-type': { about: "likewise, except do not append '*'" },
  'full-time': { about: 'like -l --time-style=full-iso' },
  g: { short: 'g', shortOnly: true, about: 'like -l, but do not list owner' },
  'group-directories-first': { about: 'group directories before files' },
  'no-group': { short: 'G', about: "in a long listing, don't print group names" },
  'human-readable': { short: 'h', about: 'with -l and -s, print sizes like 1K 234M 2G etc.' },
  si: { about: 'likewise, but use powers of 1000 not 1024' },
  'dereference-command-line': { short: 'H', about: 'follow symbolic links listed on the command line' },
  inode: { short: 'i', about: 'print the index number of each file' },
  ignore: {
    short: 'I',
    value: 'PATTERN',
    many: true,
    about: 'do not list implied entries matching shell PATTERN',
  },
  kibibytes: { short: 'k', about: 'use 1024-byte blocks (the default)' },
  l: { short: 'l', shortOnly: true, about: 'use a long listing format' },
  dereference: {
    short: 'L',
    about: 'show information for the file a link references rather than for the link itself',
  },
  m: { short: 'm', shortOnly: true, about: 'fill width with a comma separated list of entries' },
  'numeric-uid-gid': { short: 'n', about: 'like -l, but list numeric user and group IDs' },
  literal: { short: 'N', about: 'print entry names without quoting' },
  o: { short: 'o', shortOnly: true, about: 'like -l, but do not list group information' },
  p: { short: 'p', shortOnly: true, about: 'append / indicator to directories' },
  'hide-control-chars': { short: 'q', about: 'print ? instead of nongraphic characters' },
  'quote-name': { short: 'Q', about: 'enclose entry names in double quotes' },
  reverse: { short: 'r', about: 'reverse order while sorting' },
  recursive: { short: 'R', about: 'list subdirectories recursively' },
  size: { short: 's', about: 'print the allocated size of each file, in blocks' },
  S: { short: 'S', shortOnly: true, about: 'sort by file size, largest first' },
  sort: {
    value: 'WORD',
    about: 'sort by WORD: none (-U), size (-S), time (-t), version (-v), extension (-X)',
  },
  time: {
    value: 'WORD',
    about: 'show and sort by another time: atime, access, use; ctime, status; birth, creation',
  },
  'time-style': { value: 'STYLE', about: 'full-iso, long-iso, iso, locale or +FORMAT' },
  t: { short: 't', shortOnly: true, about: 'sort by time, newest first' },
  u: {
    short: 'u',
    shortOnly: true,
    about:
      'with -lt: sort by, and show, access time; with -l: show access time; otherwise: sort by access time',
  },
  U: { short: 'U', shortOnly: true, about: 'do not sort; list entries in directory order' },
  v: { short: 'v', shortOnly: true, about: 'natural sort of (version) numbers within text' },
  width: { short: 'w', value: 'COLS', about: 'set output width; 0 means no limit' },
  x: { short: 'x', shortOnly: true, about: 'list entries by lines instead of by columns' },
  X: { short: 'X', shortOnly: true, about: 'sort alphabetically by entry extension' },
  zero: { about: 'end each output line with NUL, not newline' },
  one: { short: '1', shortOnly: true, about: 'list one file per line' },
} as const;

type Args = Arguments<typeof options>;

/** Six months, as GNU counts them: older times show the year. */
const RECENT_SECONDS = 31556952 / 2;

const STYLES: Readonly<Record<string, [recent: string, old: string]>> = {
  'full-iso': ['%Y-%m-%d %H:%M:%S.%N %z', '%Y-%m-%d %H:%M:%S.%N %z'],
  'long-iso': ['%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M'],
  iso: ['%m-%d %H:%M', '%Y-%m-%d '],
  locale: ['%b %e %H:%M', '%b %e  %Y'],
};

function timeStyle({ options: given, last }: Args): [string, string] {
  const name =
    (last('full-time', 'time-style') === 'full-time' ? 'full-iso' : given['time-style']) ?? 'locale';
  if (name.startsWith('+')) {
    const [recent, old = recent] = name.slice(1).split('\n').reverse();
    return [recent, old];
  }
  const style = STYLES[name.replace(/^posix-/, '')];
  if (style === undefined) throw new Failure(`invalid argument '${name}' for 'time style'`, 2, true);
  return style;
}

const TIME_WORDS = [
  ['atime', 'access', 'use'],
  ['ctime', 'status'],
  ['mtime', 'modification'],
  ['birth', 'creation'],
] as const;
const TIMES = { atime: 'atime', ctime: 'ctime', mtime: 'mtime', birth: 'birthtime' } as const;
const SORT_WORDS = [['none'], ['time'], ['size'], ['extension'], ['version'], ['width']] as const;

function timeShown({ options: given, last }: Args): 'mtime' | 'ctime' | 'atime' | 'birthtime' {
  const which = last('c', 'u', 'time');
  if (which === 'c') return 'ctime';
  if (which === 'u') return 'atime';
  if (which === undefined) return 'mtime';
  return TIMES[choice(TIME_WORDS, given.time ?? '', '--time')];
}

const WHEN = [
  ['always', 'yes', 'force'],
  ['never', 'no', 'none'],
  ['auto', 'tty', 'if-tty'],
] as const;

function wanted(when: string | undefined, isTerminal: boolean, name: string): boolean {
  if (when === undefined) return false;
  const chosen = choice(WHEN, when || 'always', `--${name}`);
  return chosen === 'always' || (chosen === 'auto' && isTerminal);
}

function formatOf(args: Args, isTerminal: boolean): Layout['format'] {
  const last = args.last('l', 'g', 'o', 'numeric-uid-gid', 'full-time', 'C', 'x', 'm', 'one', 'f');
  const isLong = args.last('l', 'g', 'o', 'numeric-uid-gid', 'full-time') !== undefined;
  if (last === 'C') return 'columns';
  if (last === 'x') return 'across';
  if (last === 'm') return 'commas';
  // -1 does not undo -l
  if (isLong && last !== 'f') return 'long';
  if (args.options.zero || last === 'one') return 'single';
  return isTerminal ? 'columns' : 'single';
}

function quoting({ options: given, last }: Args, isTerminal: boolean): Layout['quoting'] {
  const chosen = last('literal', 'escape', 'quote-name');
  if (chosen === 'literal' || given.zero) return 'literal';
  if (chosen === 'escape') return 'escape';
  if (chosen === 'quote-name') return 'c';
  return isTerminal ? 'shell' : 'literal';
}

/** Terminals that are known to have no colours get none. */
function isColorful({ env }: Tool): boolean {
  return (env.LS_COLORS || env.COLORTERM || (env.TERM ?? 'dumb')) !== 'dumb';
}

function layoutOf(tool: Tool, args: Args): Layout {
  const { options: given } = args;
  const { isTTY } = tool.context.stdout;
  const format = formatOf(args, isTTY);
  const color =
    wanted(args.last('color', 'f') === 'f' ? undefined : given.color, isTTY, 'color') && isColorful(tool);
  const width = given.width === undefined ? columnsOf(tool, 1) : Number(given.width);
  if (!Number.isInteger(width) || width < 0)
    throw new Failure(`invalid line width: ${quoted(given.width ?? '')}`, 2);
  const [recent, old] = timeStyle(args);
  const zone = zoneOf(tool.env);
  const now = tool.now();
  const users = given['numeric-uid-gid'] ? undefined : new Users(tool.fs);
  return {
    format,
    width,
    quoting: quoting(args, isTTY),
    hideControl: given['hide-control-chars'] || (isTTY && !args.given.includes('literal')),
    colors: color ? new Colors(tool.env.LS_COLORS) : undefined,
    indicators: wanted(given.classify, isTTY, 'classify')
      ? 'classify'
      : given['file-type']
        ? 'type'
        : given.p
          ? 'slash'
          : 'none',
    inode: given.inode,
    blocks: given.size,
    owner: !given.g,
    group: !given.o && !given['no-group'],
    human: given.si ? 1000 : given['human-readable'] ? 1024 : undefined,
    end: given.zero ? '\0' : '\n',
    userName: (uid) => users?.byUid(uid)?.name,
    groupName: (gid) => users?.groupByGid(gid)?.name,
    time(info) {
      const time = info[timeShown(args)];
      const age = now.seconds - time.seconds;
      const isRecent = age < RECENT_SECONDS && compareTimes(time, now) <= 0;
      return strftime(isRecent ? recent : old, time, zone);
    },
  };
}

function sortKey({ options: given, last }: Args): Parameters<typeof orderOf>[0] {
  const chosen = last('S', 't', 'U', 'v', 'X', 'f', 'sort');
  if (chosen === 'sort') return choice(SORT_WORDS, given.sort ?? '', '--sort');
  const letters = { S: 'size', t: 'time', U: 'none', f: 'none', v: 'version', X: 'extension' } as const;
  if (chosen !== undefined) return letters[chosen];
  // -c and -u sort unless -l shows them
  const long = last('l', 'g', 'o', 'numeric-uid-gid', 'full-time') !== undefined;
  return last('c', 'u', 'time') !== undefined && !long ? 'time' : 'name';
}

class Lister {
  readonly tool: Tool;
  readonly args: Args;
  readonly layout: Layout;
  readonly order: (a: Entry, b: Entry) => number;
  readonly ignore: RegExp[];
  #printed = false;

  constructor(tool: Tool, args: Args) {
    this.tool = tool;
    this.args = args;
    this.layout = layoutOf(tool, args);
    this.order = orderOf(
      sortKey(args),
      timeShown(args),
      args.options.reverse,
      args.options['group-directories-first'],
    );
    this.ignore = args.options.ignore.map((pattern) => globExpression(pattern));
  }

  #entry(path: string, name: string, follow: boolean): Entry {
    const { process } = this.tool;
    const info = follow ? stat(process, path) : lstat(process, path);
    const entry: { -readonly [K in keyof Entry]: Entry[K] } = { name, path, info };
    if (!isLink(info)) return entry;
    if (this.layout.format === 'long') entry.target = this.tool.fs.readlinkSync(path);
    const { format, colors, indicators } = this.layout;
    const sorted = this.args.options['group-directories-first'];
    if (format === 'long' || colors || indicators !== 'none' || sorted) {
      try {
        entry.targetMode = stat(process, path).mode;
      } catch (error) {
        strerror(error);
      }
    }
    return entry;
  }

  /** What an operand is. Links to directories are followed where their contents are listed. */
  #operand(path: string): Entry {
    const { options: given } = this.args;
    if (given.dereference || given['dereference-command-line']) return this.#entry(path, path, true);
    const entry = this.#entry(path, path, false);
    const asItself =
      given.directory || this.layout.format === 'long' || this.layout.indicators === 'classify';
    if (!isLink(entry.info) || asItself) return entry;
    let target: Info;
    try {
      target = stat(this.tool.process, path);
    } catch (error) {
      strerror(error);
      return entry;
    }
    return isDirectory(target) ? { name: path, path, info: target } : entry;
  }

  async list(operands: readonly string[]): Promise<void> {
    const entries: Entry[] = [];
    for (const path of operands.length === 0 ? ['.'] : operands) {
      try {
        entries.push(this.#operand(path));
      } catch (error) {
        await this.tool.warn(`cannot access ${quoted(path)}: ${strerror(error)}`, 2);
      }
    }
    entries.sort(this.order);
    const inside = ({ info }: Entry) => isDirectory(info) && !this.args.options.directory;
    const files = entries.filter((entry) => !inside(entry));
    const directories = entries.filter(inside);
    if (files.length > 0) await this.#print({ entries: files });
    const named = operands.length > 1 || this.args.options.recursive;
    for (const { path } of directories) await this.#directory(path, named, 2);
  }

  async #print(listing: Listing): Promise<void> {
    this.#printed = true;
    await this.tool.out(layout(listing, this.layout));
  }

  #isHidden(name: string): boolean {
    const { options: given } = this.args;
    if (name.startsWith('.') && !given.all && !given['almost-all'] && !given.f) return true;
    if (given['ignore-backups'] && name.endsWith('~')) return true;
    return this.ignore.some((pattern) => pattern.test(name));
  }

  async #directory(path: string, named: boolean, severity: number): Promise<void> {
    const { options: given } = this.args;
    let names: string[];
    try {
      names = this.tool.fs.readdirSync(path);
    } catch (error) {
      await this.tool.warn(`cannot open directory ${quoted(path)}: ${strerror(error)}`, severity);
      return;
    }
    if ((given.all && !this.#almostAll()) || given.f) names = ['.', '..', ...names];
    const entries: Entry[] = [];
    for (const name of names) {
      if (this.#isHidden(name)) continue;
      const below = join(path, name);
      try {
        entries.push(this.#entry(below, name, given.dereference));
      } catch (error) {
        await this.tool.warn(`cannot access ${quoted(below)}: ${strerror(error)}`);
      }
    }
    entries.sort(this.order);
    const title = named ? path : undefined;
    const separated = this.#printed && named;
    const total = entries.reduce((sum, { info }) => sum + info.blocks, 0);
    const hasTotal = this.layout.format === 'long' || this.layout.blocks;
    await this.#print({ entries, title, separated, totalBlocks: hasTotal ? total : undefined });
    if (given.recursive) {
      for (const { info, name } of entries) {
        if ((info.mode & S_IFMT) !== S_IFDIR || name === '.' || name === '..') continue;
        await this.#directory(join(path, name), true, 1);
      }
    }
  }

  #almostAll(): boolean {
    return this.args.last('all', 'almost-all') === 'almost-all';
  }
}

export const ls = command(
  {
    summary: 'list directory contents',
    usage: ['[OPTION]... [FILE]...'],
    options,
    usageStatus: 2,
    exits: {
      0: 'if OK',
      1: 'if minor problems (e.g., cannot access subdirectory)',
      2: 'if serious trouble (e.g., cannot access command-line argument)',
    },
  },
  async (tool, args) => {
    await new Lister(tool, args).list(args.operands);
    return undefined;
  },
);
