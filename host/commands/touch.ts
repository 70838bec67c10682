/** touch: times of files. */
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_WRONLY,
  UTIME_NOW,
  UTIME_OMIT,
} from '../../assembly/abi/flags.ts';
import { EISDIR, ENOENT } from '../../assembly/abi/errno.ts';
import { command, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { type Arguments, choice } from './lib/options.ts';
import { quoted } from './lib/quote.ts';
import { lstat, stat, type Time } from './lib/stat.ts';
import { parseDate, parseStamp } from './lib/time.ts';

const options = {
  a: { short: 'a', shortOnly: true, about: 'change only the access time' },
  'no-create': { short: 'c', about: 'do not create any files' },
  date: { short: 'd', value: 'STRING', about: 'parse STRING and use it instead of current time' },
  f: { short: 'f', shortOnly: true, about: '(ignored)' },
  'no-dereference': { short: 'h', about: 'affect each symbolic link instead of any referenced file' },
  m: { short: 'm', shortOnly: true, about: 'change only the modification time' },
  reference: { short: 'r', value: 'FILE', about: "use this file's times instead of current time" },
  t: {
    short: 't',
    shortOnly: true,
    value: 'STAMP',
    about: 'use [[CC]YY]MMDDhhmm[.ss] instead of current time',
  },
  time: { value: 'WORD', about: 'change the specified time: access, atime, use (-a); modify, mtime (-m)' },
} as const;

interface Times {
  readonly atime: Time;
  readonly mtime: Time;
}

const NOW: Time = { seconds: 0, nanoseconds: UTIME_NOW };
const OMIT: Time = { seconds: 0, nanoseconds: UTIME_OMIT };

function timesOf(tool: Tool, { options: given }: Arguments<typeof options>): Times {
  if (given.t !== undefined && (given.date !== undefined || given.reference !== undefined))
    throw new Failure('cannot specify times from more than one source', 1, true);
  const now = tool.now();
  if (given.reference !== undefined) {
    let info: Times;
    try {
      info = given['no-dereference']
        ? lstat(tool.process, given.reference)
        : stat(tool.process, given.reference);
    } catch (error) {
      throw new Failure(`failed to get attributes of ${quoted(given.reference)}: ${strerror(error)}`);
    }
    const { date } = given;
    if (date === undefined) return info;
    return { atime: parseDate(date, info.atime, tool.env), mtime: parseDate(date, info.mtime, tool.env) };
  }
  if (given.t !== undefined) {
    const time = parseStamp(given.t, now, tool.env);
    return { atime: time, mtime: time };
  }
  if (given.date === undefined) return { atime: NOW, mtime: NOW };
  let time: Time;
  try {
    time = parseDate(given.date, now, tool.env);
  } catch (error) {
    if (error instanceof Failure) throw new Failure(`invalid date format ${quoted(given.date)}`);
    throw error;
  }
  return { atime: time, mtime: time };
}

function which({ options: given }: Arguments<typeof options>): { atime: boolean; mtime: boolean } {
  const word =
    given.time &&
    choice(
      [
        ['atime', 'access', 'use'],
        ['mtime', 'modify'],
      ],
      given.time,
      '--time',
    );
  const atime = given.a || word === 'atime';
  const mtime = given.m || word === 'mtime';
  return atime || mtime ? { atime, mtime } : { atime: true, mtime: true };
}

async function touchOne(
  tool: Tool,
  path: string,
  times: Times,
  given: { 'no-create': boolean; 'no-dereference': boolean },
): Promise<void> {
  let created: unknown;
  if (!given['no-create'] && !given['no-dereference']) {
    try {
      tool.process.close(await tool.open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY));
    } catch (error) {
      created = error;
    }
  }
  try {
    const flags = given['no-dereference'] ? AT_SYMLINK_NOFOLLOW : 0;
    tool.process.utimensat(AT_FDCWD, path, times.atime, times.mtime, flags);
  } catch (error) {
    if (errnoOf(error) === ENOENT && given['no-create']) return;
    if (created !== undefined && errnoOf(created) !== EISDIR)
      await tool.failed(`cannot touch ${quoted(path)}`, created);
    else await tool.failed(`setting times of ${quoted(path)}`, error);
  }
}

export const touch = command(
  { summary: 'change file timestamps', usage: ['[OPTION]... FILE...'], options },
  async (tool, args) => {
    if (args.operands.length === 0) throw new Failure('missing file operand', 1, true);
    const times = timesOf(tool, args);
    const changed = which(args);
    const given = { atime: changed.atime ? times.atime : OMIT, mtime: changed.mtime ? times.mtime : OMIT };
    for (const path of args.operands) await touchOne(tool, path, given, args.options);
    return undefined;
  },
);
