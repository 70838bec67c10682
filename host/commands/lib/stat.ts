/** Attributes of files in plain numbers, with times to the nanosecond. */
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
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
} from '../../../assembly/abi/flags.ts';
import { ENOENT, ENOTDIR } from '../../../assembly/abi/errno.ts';
import type { BigIntStats } from '../../syscalls/fs/stats.ts';
import type { Process } from '../../syscalls/process.ts';
import { errnoOf } from './errors.ts';

/** A moment: whole seconds since 1970 (rounded down), and nanoseconds. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface Info {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blksize: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly atime: Time;
  readonly mtime: Time;
  readonly ctime: Time;
  readonly birthtime: Time;
}

const NS = 1000000000n;

export function timeOf(ns: bigint): Time {
  const rest = ((ns % NS) + NS) % NS;
  return { seconds: Number((ns - rest) / NS), nanoseconds: Number(rest) };
}

/** < 0, 0 or > 0 as a is before, at or after b. */
export function compareTimes(a: Time, b: Time): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds;
}

function infoOf(stats: BigIntStats): Info {
  return {
    dev: Number(stats.dev),
    ino: Number(stats.ino),
    mode: Number(stats.mode),
    nlink: Number(stats.nlink),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    rdev: Number(stats.rdev),
    size: Number(stats.size),
    blksize: Number(stats.blksize),
    blocks: Number(stats.blocks),
    atime: timeOf(stats.atimeNs),
    mtime: timeOf(stats.mtimeNs),
    ctime: timeOf(stats.ctimeNs),
    birthtime: timeOf(stats.birthtimeNs),
  };
}

/** stat(2). @throws SyscallError */
export function stat(process: Process, path: string): Info {
  return infoOf(process.fstatat(AT_FDCWD, path, 0));
}

/** lstat(2). @throws SyscallError */
export function lstat(process: Process, path: string): Info {
  return infoOf(process.fstatat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW));
}

/** stat or lstat; undefined if nothing is there. @throws SyscallError of any other kind */
export function tryStat(process: Process, path: string, follow = true): Info | undefined {
  try {
    return follow ? stat(process, path) : lstat(process, path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === ENOENT || errno === ENOTDIR) return undefined;
    throw error;
  }
}

export const isDirectory = ({ mode }: Info): boolean => (mode & S_IFMT) === S_IFDIR;
export const isRegular = ({ mode }: Info): boolean => (mode & S_IFMT) === S_IFREG;
export const isLink = ({ mode }: Info): boolean => (mode & S_IFMT) === S_IFLNK;
export const isDevice = ({ mode }: Info): boolean =>
  (mode & S_IFMT) === S_IFCHR || (mode & S_IFMT) === S_IFBLK;
export const sameFile = (a: Info, b: Info): boolean => a.dev === b.dev && a.ino === b.ino;

const TYPE_LETTERS = new Map([
  [S_IFREG, '-'],
  [S_IFDIR, 'd'],
  [S_IFLNK, 'l'],
  [S_IFCHR, 'c'],
  [S_IFBLK, 'b'],
  [S_IFIFO, 'p'],
  [S_IFSOCK, 's'],
]);

/** Ten characters, as ls -l shows a mode. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const set = (mode & special) !== 0;
    const x = bits & 1;
    return (
      (bits & 4 ? 'r' : '-') +
      (bits & 2 ? 'w' : '-') +
      (set ? (x ? letter : letter.toUpperCase()) : x ? 'x' : '-')
    );
  };
  const type = TYPE_LETTERS.get(mode & S_IFMT) ?? '?';
  return type + triple(6, S_ISUID, 's') + triple(3, S_ISGID, 's') + triple(0, S_ISVTX, 't');
}

const TYPE_NAMES = new Map([
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symbolic link'],
  [S_IFCHR, 'character special file'],
  [S_IFBLK, 'block special file'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
]);

/** What a file is, in words. */
export function typeName({ mode, size }: Info): string {
  if ((mode & S_IFMT) === S_IFREG) return size === 0 ? 'regular empty file' : 'regular file';
  return TYPE_NAMES.get(mode & S_IFMT) ?? 'weird file';
}

/** A path below a directory. */
export function join(directory: string, name: string): string {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/** The last component, without slashes behind it. */
export function base(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path === '' ? '' : '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** What is before the last component; "." if there is nothing. */
export function directoryOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path === '' ? '.' : '/';
  const slash = trimmed.lastIndexOf('/');
  if (slash < 0) return '.';
  return trimmed.slice(0, slash).replace(/\/+$/, '') || '/';
}
