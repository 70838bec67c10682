/**
 * Open flags: the host's numbers and Node's letters, translated to the machine's.
 */
import * as flag from '../../../assembly/abi/flags.ts';
import { invalidArgValue } from './errors.ts';
import { checkInteger } from './validate.ts';

/** Each flag that a host may know, by its name in `fs.constants`. */
const MACHINE_FLAGS: Record<string, number> = {
  // Flags of several bits first: O_SYNC holds O_DSYNC's bit.
  O_SYNC: flag.O_SYNC,
  O_CREAT: flag.O_CREAT,
  O_EXCL: flag.O_EXCL,
  O_NOCTTY: flag.O_NOCTTY,
  O_TRUNC: flag.O_TRUNC,
  O_APPEND: flag.O_APPEND,
  O_DIRECTORY: flag.O_DIRECTORY,
  O_NOATIME: flag.O_NOATIME,
  O_NOFOLLOW: flag.O_NOFOLLOW,
  O_DSYNC: flag.O_DSYNC,
  O_DIRECT: flag.O_DIRECT,
  O_NONBLOCK: flag.O_NONBLOCK,
  // macOS: open the link itself.
  O_SYMLINK: flag.O_PATH | flag.O_NOFOLLOW,
};

/**
 * A translator of the open flags of a host with these `fs.constants`. The access mode is the same
 * everywhere; a bit that the host does not name is dropped, except on a host whose names all have
 * the machine's numbers, where it is the machine's too.
 */
export function flagTranslator(hostConstants: Readonly<Record<string, number>>): (flags: number) => number {
  const pairs: Array<{ host: number; machine: number }> = [];
  for (const [name, machine] of Object.entries(MACHINE_FLAGS)) {
    const host = hostConstants[name];
    if (host !== undefined && host !== 0) pairs.push({ host, machine });
  }
  if (pairs.every(({ host, machine }) => host === machine)) return (flags) => flags;
  return (flags) => {
    let result = flags & flag.O_ACCMODE;
    for (const { host, machine } of pairs) if ((flags & host) === host) result |= machine;
    return result;
  };
}

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = flag;
const LETTERS: Record<string, number> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  sr: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  'sr+': O_RDWR | O_SYNC,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  xw: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  'wx+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  'xw+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  xa: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  sa: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  'a+': O_APPEND | O_CREAT | O_RDWR,
  'ax+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'xa+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'as+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
  'sa+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
};
const BY_LETTERS = new Map(Object.entries(LETTERS));

/** A reader of the `flags` argument of `open`, for a host with these `fs.constants`. */
export function flagReader(
  hostConstants: Readonly<Record<string, number>>,
): (flags: unknown, name?: string) => number {
  const translate = flagTranslator(hostConstants);
  return (flags, name = 'flags') => {
    if (flags === 'r' || flags === undefined || flags === null) return O_RDONLY;
    if (typeof flags === 'number') {
      checkInteger(flags, name, -(2 ** 31), 2 ** 31 - 1);
      return translate(flags);
    }
    const known = typeof flags === 'string' ? BY_LETTERS.get(flags) : undefined;
    if (known === undefined) throw invalidArgValue(name, flags);
    return known;
  };
}
