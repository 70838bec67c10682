/** du and df: what takes how much room. */
import type { Tool } from './lib/command.ts';
import { command } from './lib/command.ts';
import { Failure } from './lib/errors.ts';
import { mountOf, mounts, type MountEntry } from './lib/mounts.ts';
import { humanSize, parseSize } from './lib/numbers.ts';
import type { Arguments } from './lib/options.ts';
import { quoted, quotedIfNeeded } from './lib/quote.ts';
import { globExpression } from './lib/glob.ts';
import { base, type Info, isDirectory, join, lstat, stat } from './lib/stat.ts';

const duOptions = {
  null: { short: '0', about: 'end each output line with NUL, not newline' },
  all: { short: 'a', about: 'write counts for all files, not just directories' },
  'apparent-size': { about: 'print apparent sizes rather than device usage' },
  'block-size': { short: 'B', value: 'SIZE', about: 'scale sizes by SIZE before printing them' },
  bytes: { short: 'b', about: "equivalent to '--apparent-size --block-size=1'" },
  total: { short: 'c', about: 'produce a grand total' },
  'dereference-args': {
    short: 'D',
    also: ['H'],
    about: 'dereference only symlinks that are listed on the command line',
  },
  'max-depth': {
    short: 'd',
    value: 'N',
    about: 'print the total for a directory only if it is N or fewer levels below the command line argument',
  },
  exclude: { value: 'PATTERN', many: true, about: 'exclude files that match PATTERN' },
  'human-readable': { short: 'h', about: 'print sizes in human readable format (e.g., 1K 234M 2G)' },
  inodes: { about: 'list inode usage information instead of block usage' },
  k: { short: 'k', shortOnly: true, about: 'like --block-size=1K' },
  dereference: { short: 'L', about: 'dereference all symbolic links' },
  'count-links': { short: 'l', about: 'count sizes many times if hard linked' },
  m: { short: 'm', shortOnly: true, about: 'like --block-size=1M' },
  'no-dereference': { short: 'P', about: "don't follow any symbolic links (this is the default)" },
  'separate-dirs': { short: 'S', about: 'for directories do not include size of subdirectories' },
  si: { about: 'like -h, but use powers of 1000 not 1024' },
  summarize: { short: 's', about: 'display only a total for each argument' },
  'one-file-system': { short: 'x', about: 'skip directories on different file systems' },
} as const;

/** How amounts of bytes are shown. */
type Scale = (bytes: number) => string;

function scaleOf(
  {
    options: given,
    last,
  }: { options: { [name: string]: unknown }; last: (...keys: never[]) => string | undefined },
  order: readonly string[],
): Scale {
  const which = (last as (...keys: string[]) => string | undefined)(...order);
  if (which === 'human-readable') return (bytes) => humanSize(bytes);
  if (which === 'si') return (bytes) => humanSize(bytes, 1000);
  const unit =
    which === 'bytes'
      ? 1
      : which === 'm'
        ? 1048576
        : which === 'block-size'
          ? blockSize(String(given['block-size']))
          : 1024;
  return (bytes) => String(Math.ceil(bytes / unit));
}

function blockSize(text: string): number {
  const size = parseSize(/^\d/.test(text) ? text : `1${text}`);
  if (size === undefined || size === 0) throw new Failure(`invalid --block-size argument ${quoted(text)}`);
  return size;
}

class Usage {
  readonly tool: Tool;
  readonly args: Arguments<typeof duOptions>;
  readonly scale: Scale;
  readonly #seen = new Set<string>();
  readonly #exclude: RegExp[];
  readonly maxDepth: number;
  total = 0;

  constructor(tool: Tool, args: Arguments<typeof duOptions>) {
    this.tool = tool;
    this.args = args;
    this.scale = args.options.inodes
      ? String
      : scaleOf(args as never, ['human-readable', 'si', 'bytes', 'k', 'm', 'block-size']);
    this.#exclude = args.options.exclude.map((pattern) => globExpression(pattern));
    const { summarize, 'max-depth': depth } = args.options;
    if (depth !== undefined && !/^\d+$/.test(depth))
      throw new Failure(`invalid maximum depth ${quoted(depth)}`, 1, true);
    if (summarize && depth !== undefined && depth !== '0')
      throw new Failure(`warning: summarizing conflicts with --max-depth=${depth}`, 1, true);
    if (summarize && args.options.all)
      throw new Failure('cannot both summarize and show all entries', 1, true);
    this.maxDepth = summarize ? 0 : depth === undefined ? Number.POSITIVE_INFINITY : Number(depth);
  }

  #sizeOf(info: Info): number {
    const { options: given } = this.args;
    if (given.inodes) return 1;
    if (given['apparent-size'] || given.bytes) return isDirectory(info) || info.size > 0 ? info.size : 0;
    return info.blocks * 512;
  }

  #excluded(path: string): boolean {
    return this.#exclude.some((pattern) => pattern.test(path) || pattern.test(base(path)));
  }

  /** @returns bytes, or undefined for what does not count */
  async measure(path: string, depth: number, dev: number | undefined): Promise<number | undefined> {
    const { options: given } = this.args;
    if (this.#excluded(path)) return undefined;
    let info: Info;
    try {
      const follow = given.dereference || (given['dereference-args'] && depth === 0);
      info = follow ? stat(this.tool.process, path) : lstat(this.tool.process, path);
    } catch (error) {
      await this.tool.failed(`cannot access ${quoted(path)}`, error);
      return undefined;
    }
    if (dev !== undefined && given['one-file-system'] && info.dev !== dev) return undefined;
    const key = `${info.dev}:${info.ino}`;
    const isCounted = !given['count-links'] && (info.nlink > 1 || given.dereference || depth === 0);
    if (isCounted) {
      if (this.#seen.has(key)) return undefined;
      this.#seen.add(key);
    }
    let size = this.#sizeOf(info);
    let shown = size;
    if (isDirectory(info)) {
      const below = await this.#children(path, depth, info.dev);
      size += below.all;
      shown += given['separate-dirs'] ? below.files : below.all;
    }
    const isListed = isDirectory(info) || given.all || depth === 0;
    if (isListed && depth <= this.maxDepth) await this.show(shown, path);
    return size;
  }

  async #children(path: string, depth: number, dev: number): Promise<{ all: number; files: number }> {
    const sum = { all: 0, files: 0 };
    let entries: { name: string; isDirectory(): boolean }[];
    try {
      entries = this.tool.fs.readdirSync(path, { withFileTypes: true });
    } catch (error) {
      await this.tool.failed(`cannot read directory ${quoted(path)}`, error);
      return sum;
    }
    for (const entry of entries) {
      const size = (await this.measure(join(path, entry.name), depth + 1, dev)) ?? 0;
      sum.all += size;
      if (!entry.isDirectory()) sum.files += size;
    }
    return sum;
  }

  async show(size: number, name: string): Promise<void> {
    await this.tool.out(`${this.scale(size)}\t${name}${this.args.options.null ? '\0' : '\n'}`);
  }
}

export const du = command(
  {
    summary: 'summarize device usage of the set of FILEs, recursively for directories',
    usage: ['[OPTION]... [FILE]...'],
    options: duOptions,
  },
  async (tool, args) => {
    const usage = new Usage(tool, args);
    for (const path of args.operands.length === 0 ? ['.'] : args.operands) {
      usage.total += (await usage.measure(path, 0, undefined)) ?? 0;
    }
    if (args.options.total) await usage.show(usage.total, 'total');
    return undefined;
  },
);

const dfOptions = {
  all: { short: 'a', about: 'include pseudo, duplicate, inaccessible file systems' },
  'block-size': { short: 'B', value: 'SIZE', about: 'scale sizes by SIZE before printing them' },
  'human-readable': { short: 'h', about: 'print sizes in powers of 1024 (e.g., 1023M)' },
  si: { short: 'H', about: 'print sizes in powers of 1000 (e.g., 1.1G)' },
  inodes: { short: 'i', about: 'list inode information instead of block usage' },
  k: { short: 'k', shortOnly: true, about: 'like --block-size=1K' },
  m: { short: 'm', shortOnly: true, about: 'like --block-size=1M' },
  portability: { short: 'P', about: 'use the POSIX output format' },
  total: { about: 'elide all entries insignificant to available space, and produce a grand total' },
  type: { short: 't', value: 'TYPE', many: true, about: 'limit listing to file systems of type TYPE' },
  'print-type': { short: 'T', about: 'print file system type' },
  'exclude-type': {
    short: 'x',
    value: 'TYPE',
    many: true,
    about: 'limit listing to file systems not of type TYPE',
  },
} as const;

interface Space {
  readonly entry: MountEntry;
  /** Bytes, or inodes. */
  readonly size: number;
  readonly free: number;
  readonly available: number;
}

function spaceOf(tool: Tool, entry: MountEntry, inodes: boolean): Space {
  const { bsize, blocks, bfree, bavail, files, ffree } = tool.fs.statfsSync(entry.target);
  if (inodes) return { entry, size: Number(files), free: Number(ffree), available: Number(ffree) };
  const unit = Number(bsize);
  return { entry, size: Number(blocks) * unit, free: Number(bfree) * unit, available: Number(bavail) * unit };
}

function rowOf({ entry, size, free, available }: Space, scale: Scale, typed: boolean): string[] {
  const used = size - free;
  const percent = used + available === 0 ? '-' : `${Math.ceil((used * 100) / (used + available))}%`;
  const row = [entry.source, scale(size), scale(used), scale(available), percent, entry.target];
  if (typed) row.splice(1, 0, entry.type);
  return row;
}

export const df = command(
  {
    summary: 'show information about the file system on which each FILE resides, or all file systems',
    usage: ['[OPTION]... [FILE]...'],
    options: dfOptions,
  },
  async (tool, args) => {
    const { options: given, operands } = args;
    const inodes = given.inodes;
    let scale: Scale = scaleOf(args as never, ['human-readable', 'si', 'k', 'm', 'block-size']);
    if (inodes) scale = given['human-readable'] ? (count) => humanSize(count) : String;
    let entries: MountEntry[] = [];
    if (operands.length === 0) entries = listed(mounts(tool), given.all);
    for (const path of operands) {
      try {
        entries.push(mountOf(tool, path));
      } catch (error) {
        await tool.failed(quotedIfNeeded(path), error);
      }
    }
    if (given.type.length > 0) entries = entries.filter(({ type }) => given.type.includes(type));
    entries = entries.filter(({ type }) => !given['exclude-type'].includes(type));
    const spaces: Space[] = [];
    for (const entry of entries) {
      try {
        const space = spaceOf(tool, entry, inodes);
        // What has no room to give is listed only when it is asked for.
        if (given.all || operands.length > 0 || inodes || space.size > 0) spaces.push(space);
      } catch (error) {
        await tool.failed(quotedIfNeeded(entry.target), error);
      }
    }
    if (spaces.length === 0) {
      if (tool.status === 0) throw new Failure('no file systems processed');
      return undefined;
    }
    if (given.total) spaces.push(sum(spaces));
    await tool.out(
      tableOf(
        spaces.map((space) => rowOf(space, scale, given['print-type'])),
        titles(args),
      ),
    );
    return undefined;
  },
);

const sum = (spaces: readonly Space[]): Space => ({
  entry: { source: 'total', target: '-', type: '-', options: '' },
  size: spaces.reduce((total, { size }) => total + size, 0),
  free: spaces.reduce((total, { free }) => total + free, 0),
  available: spaces.reduce((total, { available }) => total + available, 0),
});

/** One line for each place; what is mounted over hides what was there. */
function listed(entries: readonly MountEntry[], all: boolean): MountEntry[] {
  if (all) return [...entries];
  return entries.filter(({ target }, i) => !entries.slice(i + 1).some((later) => later.target === target));
}

function titles({ options: given, last }: Arguments<typeof dfOptions>): string[] {
  const unit = last('human-readable', 'si', 'k', 'm', 'block-size');
  const isHuman = unit === 'human-readable' || unit === 'si';
  const size = given.inodes
    ? ['Inodes', 'IUsed', 'IFree', 'IUse%']
    : [
        isHuman
          ? 'Size'
          : given.portability
            ? '1024-blocks'
            : unit === 'm'
              ? '1M-blocks'
              : unit === 'block-size'
                ? `${given['block-size']}-blocks`
                : '1K-blocks',
        'Used',
        isHuman ? 'Avail' : 'Available',
        given.portability ? 'Capacity' : 'Use%',
      ];
  return ['Filesystem', ...(given['print-type'] ? ['Type'] : []), ...size, 'Mounted on'];
}

const NAME_WIDTH = 14;
const NUMBER_WIDTH = 5;

function tableOf(rows: readonly string[][], heading: readonly string[]): string {
  const lines = [heading, ...rows];
  const last = heading.length - 1;
  const isName = (i: number) => i === 0 || i === last || heading[i] === 'Type';
  const widths = heading.map((title, i) => {
    const least =
      i === 0 ? NAME_WIDTH : isName(i) || title.endsWith('%') || title === 'Capacity' ? 0 : NUMBER_WIDTH;
    return Math.max(least, ...lines.map((line) => line[i].length));
  });
  return lines
    .map(
      (line) =>
        `${line.map((text, i) => (i === last ? text : isName(i) ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join(' ')}\n`,
    )
    .join('');
}
