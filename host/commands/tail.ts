/** tail: the end of files, and what is added to them. */
import {
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE_SELF,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_TO,
  POLLERR,
  POLLIN,
  SEEK_CUR,
  SEEK_SET,
} from '../../assembly/abi/flags.ts';
import type { Input } from '../programs/program.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { ByteTail, countLines, LineTail } from './lib/lines.ts';
import { parseDuration, parseSize } from './lib/numbers.ts';
import { type Arguments, choice } from './lib/options.ts';
import { procInfo } from './lib/procs.ts';
import { quoted } from './lib/quote.ts';
import { directoryOf, type Info, sameFile, tryStat } from './lib/stat.ts';

const options = {
  bytes: {
    short: 'c',
    value: '[+]NUM',
    about: 'output the last NUM bytes; or use -c +NUM to output starting with byte NUM of each file',
  },
  follow: {
    short: 'f',
    value: 'HOW',
    optional: true,
    about: "output appended data as the file grows; HOW is 'descriptor' (default) or 'name'",
  },
  F: { short: 'F', shortOnly: true, about: 'same as --follow=name --retry' },
  lines: {
    short: 'n',
    value: '[+]NUM',
    about:
      'output the last NUM lines, instead of the last 10; or use -n +NUM to output starting with line NUM',
  },
  pid: { value: 'PID', about: 'with -f, terminate after process ID, PID dies' },
  quiet: { short: 'q', also: ['silent'], about: 'never output headers giving file names' },
  retry: { about: 'keep trying to open a file if it is inaccessible' },
  'sleep-interval': {
    short: 's',
    value: 'N',
    about: 'with -f, check for the end of --pid every N seconds (default 1)',
  },
  verbose: { short: 'v', about: 'always output headers giving file names' },
  'zero-terminated': { short: 'z', about: 'line delimiter is NUL, not newline' },
} as const;

interface Wanted {
  readonly count: number;
  readonly unit: 'lines' | 'bytes';
  readonly fromStart: boolean;
  readonly delimiter: number;
}

const BLOCK_BYTES = 65536;

async function copyRest(tool: Tool, input: Input): Promise<number> {
  let total = 0;
  for (;;) {
    const chunk = await input.read();
    if (chunk.length === 0) return total;
    total += chunk.length;
    await tool.out(chunk);
  }
}

/** Everything from the count-th line or byte on. */
async function fromStart(tool: Tool, input: Input, { count, unit, delimiter }: Wanted): Promise<void> {
  let left = Math.max(count - 1, 0);
  while (left > 0) {
    const chunk = await input.read();
    if (chunk.length === 0) return;
    const { lines, end } =
      unit === 'bytes'
        ? { lines: Math.min(left, chunk.length), end: Math.min(left, chunk.length) }
        : countLines(chunk, left, delimiter);
    left -= lines;
    if (left === 0) await tool.out(chunk.subarray(end));
  }
  await copyRest(tool, input);
}

/** Where the last lines of a file begin, found from its end. */
function startOfLast(tool: Tool, fd: number, { count, delimiter }: Wanted): number {
  const { fs } = tool;
  const { size } = fs.fstatSync(fd);
  const block = new Uint8Array(BLOCK_BYTES);
  let left = count;
  if (left === 0) return size;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const length = fs.readSync(fd, block, 0, end - start, start);
    // The last line's own end does not begin another.
    let at = end === size && block[length - 1] === delimiter ? length - 2 : length - 1;
    for (; at >= 0; at--) {
      if (block[at] !== delimiter) continue;
      if (--left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

async function last(tool: Tool, input: Input, fd: number, wanted: Wanted): Promise<void> {
  if (tool.fs.fstatSync(fd).isFile() && tool.process.lseek(fd, 0, SEEK_CUR) === 0) {
    const { size } = tool.fs.fstatSync(fd);
    if (size > 0) {
      const start =
        wanted.unit === 'bytes' ? Math.max(0, size - wanted.count) : startOfLast(tool, fd, wanted);
      tool.process.lseek(fd, start, SEEK_SET);
      await copyRest(tool, input);
      return;
    }
  }
  const held =
    wanted.unit === 'bytes' ? new ByteTail(wanted.count) : new LineTail(wanted.count, wanted.delimiter);
  for await (const chunk of input) held.push(chunk);
  for (const piece of held.rest()) await tool.out(piece);
}

function wantedOf({ options: given, last: lastOf }: Arguments<typeof options>): Wanted {
  const unit = lastOf('bytes', 'lines') ?? 'lines';
  const text = given[unit] ?? '10';
  const count = parseSize(text.replace(/^[-+]/, ''));
  if (count === undefined) throw new Failure(`invalid number of ${unit}: ${quoted(text)}`);
  return { count, unit, fromStart: text.startsWith('+'), delimiter: given['zero-terminated'] ? 0 : 10 };
}

interface Followed {
  readonly name: string;
  fd: number | undefined;
  info: Info | undefined;
}

/** Files that are watched for more. */
class Follower {
  readonly tool: Tool;
  readonly byName: boolean;
  readonly titled: boolean;
  readonly files: Followed[] = [];
  #lastShown: Followed | undefined;

  constructor(tool: Tool, byName: boolean, titled: boolean) {
    this.tool = tool;
    this.byName = byName;
    this.titled = titled;
  }

  add(name: string, fd: number | undefined): void {
    const info = name === '-' ? undefined : tryStat(this.tool.process, name);
    this.files.push({ name, fd, info });
    this.#lastShown = this.files.at(-1);
  }

  /** Watch until nothing is left to be watched; `isOver` is asked now and then. */
  async follow(isOver: () => boolean, intervalMs: number): Promise<void> {
    const { process, context } = this.tool;
    const watch = process.inotifyInit();
    try {
      for (const { name, fd } of this.files) this.#watch(watch, name, fd);
      for (;;) {
        for (const file of this.files) await this.#check(watch, file);
        await context.stdout.flush();
        if (isOver()) return;
        if (!this.byName && this.files.every(({ fd }) => fd === undefined)) return;
        // What cannot be watched (pipes) is looked at now and then.
        const mustPoll =
          intervalMs !== Number.POSITIVE_INFINITY || this.files.some(({ name }) => name === '-');
        const requests = [
          { fd: watch, events: POLLIN },
          { fd: 1, events: 0 },
        ];
        const [, output] = await process.pollLater(requests, mustPoll ? Math.min(intervalMs, 1000) : -1);
        // Nobody reads any more.
        if (output & POLLERR) return;
        await drain(this.tool, watch);
      }
    } finally {
      process.close(watch);
    }
  }

  #watch(watch: number, name: string, fd: number | undefined): void {
    const { process } = this.tool;
    if (name === '-') return;
    if (fd !== undefined) {
      try {
        process.inotifyAddWatch(watch, name, IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
      } catch (error) {
        strerror(error);
      }
    }
    if (this.byName) process.inotifyAddWatch(watch, directoryOf(name), IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
  }

  async #check(watch: number, file: Followed): Promise<void> {
    if (this.byName && file.name !== '-') await this.#reopen(watch, file);
    if (file.fd === undefined) return;
    const { tool } = this;
    if (file.name !== '-') {
      const { size } = tool.fs.fstatSync(file.fd);
      if (size < tool.process.lseek(file.fd, 0, SEEK_CUR)) {
        await tool.say(`${file.name}: file truncated`);
        tool.process.lseek(file.fd, 0, SEEK_SET);
      }
    }
    const input = file.name === '-' ? tool.context.stdin : tool.context.input(file.fd);
    for (;;) {
      const chunk = await input.read();
      if (chunk.length === 0) return;
      if (this.titled && this.#lastShown !== file) await tool.out(`\n==> ${title(file.name)} <==\n`);
      this.#lastShown = file;
      await tool.out(chunk);
    }
  }

  /** Another file may have the name by now. */
  async #reopen(watch: number, file: Followed): Promise<void> {
    const { tool } = this;
    const there = tryStat(tool.process, file.name);
    if (there === undefined) {
      if (file.fd !== undefined) {
        await tool.say(`${quoted(file.name)} has become inaccessible: No such file or directory`);
        tool.process.close(file.fd);
      }
      file.fd = undefined;
      file.info = undefined;
      return;
    }
    if (file.info !== undefined && file.fd !== undefined && sameFile(there, file.info)) return;
    const isNew = file.fd === undefined;
    if (file.fd !== undefined) tool.process.close(file.fd);
    file.fd = await tool.open(file.name, 0);
    file.info = there;
    await tool.say(
      isNew
        ? `${quoted(file.name)} has appeared;  following new file`
        : `${quoted(file.name)} has been replaced;  following new file`,
    );
    this.#watch(watch, file.name, file.fd);
  }
}

/** Events only say that something may have happened. */
async function drain(tool: Tool, fd: number): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (;;) {
    try {
      if (tool.fs.readSync(fd, buffer, 0, buffer.length, null) === 0) return;
    } catch (error) {
      strerror(error);
      return;
    }
  }
}

const title = (file: string) => (file === '-' ? 'standard input' : file);

/** -5, +5 and -5f as they once were written. */
function prepare(args: readonly string[]): readonly string[] {
  const match = /^([-+])(\d+)([bcl]?)(f?)$/.exec(args[0] ?? '');
  if (match === null) return args;
  const [, sign, count, unit, follow] = match;
  const number = (sign === '+' ? '+' : '') + count + (unit === 'b' ? 'b' : '');
  return [unit === 'b' || unit === 'c' ? '-c' : '-n', number, ...(follow ? ['-f'] : []), ...args.slice(1)];
}

/** A zombie is not. */
function isAlive(tool: Tool, pid: number): boolean {
  return (procInfo(tool, pid)?.state ?? 'Z') !== 'Z';
}

export const tail = command(
  { summary: 'output the last part of files', usage: ['[OPTION]... [FILE]...'], options, prepare },
  async (tool, args) => {
    const { options: given, operands } = args;
    const wanted = wantedOf(args);
    const files = operands.length === 0 ? ['-'] : operands;
    const titled = args.last('quiet', 'verbose') ?? (files.length > 1 ? 'verbose' : 'quiet');
    const follows = args.last('follow', 'F');
    const how = choice([['descriptor'], ['name']], given.follow || 'descriptor', '--follow');
    const byName = follows === 'F' || (follows === 'follow' && how === 'name');
    const follower = new Follower(tool, byName, titled === 'verbose');
    let first = true;
    for (const file of files) {
      let fd: number;
      try {
        fd = file === '-' ? 0 : await tool.open(file, 0);
      } catch (error) {
        await tool.failed(`cannot open ${quoted(file)} for reading`, error);
        if (byName) follower.add(file, undefined);
        continue;
      }
      if (titled === 'verbose') await tool.out(`${first ? '' : '\n'}==> ${title(file)} <==\n`);
      first = false;
      const input = tool.context.input(fd);
      try {
        if (wanted.fromStart) await fromStart(tool, input, wanted);
        else await last(tool, input, fd, wanted);
      } catch (error) {
        await tool.failed(`error reading ${quoted(file)}`, error);
        continue;
      }
      if (follows !== undefined && !(file === '-' && !tool.fs.fstatSync(0).isFile())) follower.add(file, fd);
      else if (fd !== 0) tool.process.close(fd);
    }
    if (follows === undefined) return undefined;
    if (follower.files.length === 0) {
      if (tool.status !== 0) await tool.say('no files remaining');
      return undefined;
    }
    const pid = given.pid === undefined ? undefined : Number(given.pid);
    const interval =
      pid === undefined ? Number.POSITIVE_INFINITY : parseDuration(given['sleep-interval'] ?? '1') * 1000;
    await follower.follow(() => pid !== undefined && !isAlive(tool, pid), interval);
    return undefined;
  },
);
