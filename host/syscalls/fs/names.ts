/**
 * The synchronous functions of node:fs that work on names and attributes. None of their calls can
 * wait. Each is a straight line: check, write the path, call, look at the sign.
 */
import { Buffer } from '#platform';
import { ENOENT } from '../../../assembly/abi/errno.ts';
import {
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  F_OK,
  S_IFLNK,
  S_IFMT,
} from '../../../assembly/abi/flags.ts';
import { SA_DATA, ST_MODE } from '../../../assembly/abi/layout.ts';
import type { Trap } from '../trap.ts';
import { plainError } from './errors.ts';
import {
  type BigIntStats,
  readBigIntStats,
  readStatFs,
  readStats,
  type StatFs,
  type Stats,
} from './stats.ts';
import {
  checkedPath,
  checkObject,
  encodeName,
  type KernelPath,
  toBits,
  toFd,
  toId,
  toMode,
  toNameEncoding,
  toPath,
  toTime,
} from './validate.ts';

export interface StatOptions {
  bigint?: boolean;
  throwIfNoEntry?: boolean;
}

const SYMLINK_TYPES = new Set(['dir', 'file', 'junction']);

export function nameCalls(trap: Trap) {
  const {
    sys_stat,
    sys_lstat,
    sys_fstat,
    sys_faccessat,
    sys_fchmodat,
    sys_fchmod,
    sys_fchownat,
    sys_fchown,
    sys_utimensat,
    sys_futimens,
    sys_linkat,
    sys_symlinkat,
    sys_readlinkat,
    sys_unlinkat,
    sys_renameat2,
    sys_realpath,
    sys_statfs,
  } = trap.exports;

  // The error of a stat, unless the caller would rather have undefined.
  function noStat(
    result: number,
    syscall: string,
    path: KernelPath,
    options: StatOptions | undefined,
  ): undefined {
    if (options?.throwIfNoEntry === false && result === -ENOENT) return undefined;
    throw trap.failure(result, syscall, path);
  }

  function statSync(path: KernelPath, options?: StatOptions): Stats | BigIntStats | undefined {
    const name = typeof path === 'string' ? path : toPath(path);
    const result = sys_stat(trap.path1(name));
    if (result < 0) return noStat(result, 'stat', name, options);
    return options?.bigint ? readBigIntStats(trap) : readStats(trap);
  }

  function lstatSync(path: KernelPath, options?: StatOptions): Stats | BigIntStats | undefined {
    const name = typeof path === 'string' ? path : toPath(path);
    const result = sys_lstat(trap.path1(name));
    if (result < 0) return noStat(result, 'lstat', name, options);
    return options?.bigint ? readBigIntStats(trap) : readStats(trap);
  }

  function fstatSync(fd: number, options?: StatOptions): Stats | BigIntStats {
    const file = toFd(fd);
    trap.enter();
    const result = sys_fstat(file);
    if (result < 0) throw trap.failure(result, 'fstat');
    return options?.bigint ? readBigIntStats(trap) : readStats(trap);
  }

  /** st_mode, or a negated errno: for callers to whom a missing file is an answer. */
  function modeOf(path: KernelPath, follow: boolean): number {
    const length = trap.path1(path);
    const result = follow ? sys_stat(length) : sys_lstat(length);
    return result < 0 ? result : trap.dataU32[ST_MODE >> 2];
  }

  function accessSync(path: KernelPath, mode?: number): void {
    const name = typeof path === 'string' ? path : toPath(path);
    const bits = mode === undefined ? F_OK : toBits(mode, F_OK);
    const result = sys_faccessat(AT_FDCWD, trap.path1(name), bits, 0);
    if (result < 0) throw trap.failure(result, 'access', name);
  }

  function existsSync(path: KernelPath): boolean {
    try {
      const name = typeof path === 'string' ? path : toPath(path);
      return sys_faccessat(AT_FDCWD, trap.path1(name), F_OK, 0) >= 0;
    } catch (error) {
      if (trap.cpu.panic !== undefined) throw error;
      return false; // An argument that cannot be a path names nothing.
    }
  }

  function chmodAt(path: unknown, mode: unknown, flags: number, syscall: string): void {
    const name = toPath(path);
    const bits = toMode(mode, 'mode');
    const result = sys_fchmodat(AT_FDCWD, trap.path1(name), bits & 0o7777, flags);
    if (result < 0) throw trap.failure(result, syscall, name);
    trap.changed();
  }
  const chmodSync = (path: KernelPath, mode: number | string) => chmodAt(path, mode, 0, 'chmod');
  const lchmodSync = (path: KernelPath, mode: number | string) =>
    chmodAt(path, mode, AT_SYMLINK_NOFOLLOW, 'lchmod');

  function fchmodSync(fd: number, mode: number | string): void {
    const file = toFd(fd);
    const bits = toMode(mode, 'mode');
    trap.enter();
    const result = sys_fchmod(file, bits & 0o7777);
    if (result < 0) throw trap.failure(result, 'fchmod');
    trap.changed();
  }

  function chownAt(path: unknown, uid: unknown, gid: unknown, flags: number, syscall: string): void {
    const name = toPath(path);
    const user = toId(uid, 'uid');
    const group = toId(gid, 'gid');
    const result = sys_fchownat(AT_FDCWD, trap.path1(name), user, group, flags);
    if (result < 0) throw trap.failure(result, syscall, name);
    trap.changed();
  }
  const chownSync = (path: KernelPath, uid: number, gid: number) => chownAt(path, uid, gid, 0, 'chown');
  const lchownSync = (path: KernelPath, uid: number, gid: number) =>
    chownAt(path, uid, gid, AT_SYMLINK_NOFOLLOW, 'lchown');

  function fchownSync(fd: number, uid: number, gid: number): void {
    const file = toFd(fd);
    const user = toId(uid, 'uid');
    const group = toId(gid, 'gid');
    trap.enter();
    const result = sys_fchown(file, user, group);
    if (result < 0) throw trap.failure(result, 'fchown');
    trap.changed();
  }

  function utimesAt(path: unknown, atime: unknown, mtime: unknown, flags: number, syscall: string): void {
    const name = toPath(path);
    const a = toTime(atime);
    const m = toTime(mtime);
    const length = trap.path1(name);
    const result = sys_utimensat(AT_FDCWD, length, flags, a.seconds, a.nanoseconds, m.seconds, m.nanoseconds);
    if (result < 0) throw trap.failure(result, syscall, name);
    trap.changed();
  }
  type Time = string | number | Date;
  const utimesSync = (path: KernelPath, atime: Time, mtime: Time) => utimesAt(path, atime, mtime, 0, 'utime');
  const lutimesSync = (path: KernelPath, atime: Time, mtime: Time) =>
    utimesAt(path, atime, mtime, AT_SYMLINK_NOFOLLOW, 'lutime');

  function futimesSync(fd: number, atime: Time, mtime: Time): void {
    const file = toFd(fd);
    const a = toTime(atime);
    const m = toTime(mtime);
    trap.enter();
    const result = sys_futimens(file, a.seconds, a.nanoseconds, m.seconds, m.nanoseconds);
    if (result < 0) throw trap.failure(result, 'futime');
    trap.changed();
  }

  function linkSync(existingPath: KernelPath, newPath: KernelPath): void {
    const from = toPath(existingPath, 'existingPath');
    const to = toPath(newPath, 'newPath');
    const result = sys_linkat(
      AT_FDCWD,
      trap.path1(from, 'existingPath'),
      AT_FDCWD,
      trap.path2(to, 'newPath'),
      0,
    );
    if (result < 0) throw trap.failure(result, 'link', from, to);
    trap.changed();
  }

  function symlinkSync(target: KernelPath, path: KernelPath, type?: string | null): void {
    if (type !== undefined && type !== null && !SYMLINK_TYPES.has(type)) throw badSymlinkType(type);
    const text = toPath(target, 'target');
    const name = toPath(path);
    const result = sys_symlinkat(trap.path1(text, 'target'), AT_FDCWD, trap.path2(name));
    if (result < 0) throw trap.failure(result, 'symlink', text, name);
    trap.changed();
  }

  /** The bytes that the last call left at SA_DATA, as a name. */
  function takeName(length: number, options: unknown): string | Buffer {
    const encoding = toNameEncoding(options);
    if (encoding === 'utf8') return trap.text(SA_DATA, SA_DATA + length);
    return encodeName(trap.data.slice(0, length), encoding);
  }

  function readlinkSync(path: KernelPath, options?: unknown): string | Buffer {
    toNameEncoding(options);
    const name = toPath(path);
    const length = sys_readlinkat(AT_FDCWD, trap.path1(name));
    if (length < 0) throw trap.failure(length, 'readlink', name);
    return takeName(length, options);
  }

  function realpathNativeSync(path: KernelPath, options?: unknown): string | Buffer {
    toNameEncoding(options);
    const name = toPath(path);
    const length = sys_realpath(trap.path1(name));
    if (length < 0) throw trap.failure(length, 'realpath', name);
    return takeName(length, options);
  }

  function realpathSync(path: KernelPath, options?: unknown): string | Buffer {
    toNameEncoding(options);
    const name = checkedPath(path);
    // Node makes the path absolute first, so that '' is the working directory.
    const length = sys_realpath(trap.path1(name.length === 0 ? '.' : name));
    if (length < 0) throw realpathFailure(length, name);
    return takeName(length, options);
  }

  // Node walks the path itself and reports the component at which it stopped, below where the
  // symbolic links before it led.
  function realpathFailure(result: number, path: KernelPath): Error {
    const text = typeof path === 'string' ? path : Buffer.from(path).toString();
    const parts = text.split('/');
    let walked = '';
    for (const [i, part] of parts.entries()) {
      if (part === '') continue;
      walked = i === 0 ? part : `${walked === '/' ? '' : walked}/${part}`;
      const lstat = modeOf(walked, false);
      if (lstat < 0) return trap.failure(lstat, 'lstat', walked);
      if ((lstat & S_IFMT) !== S_IFLNK) continue;
      const stat = modeOf(walked, true);
      if (stat < 0) return trap.failure(stat, 'stat', walked);
      walked = realpathNativeSync(walked) as string;
    }
    return trap.failure(result, 'realpath', path);
  }

  function unlinkSync(path: KernelPath): void {
    const name = typeof path === 'string' ? path : toPath(path);
    const result = sys_unlinkat(AT_FDCWD, trap.path1(name), 0);
    if (result < 0) throw trap.failure(result, 'unlink', name);
    trap.changed();
  }

  function removeDir(path: KernelPath): void {
    const name = typeof path === 'string' ? path : toPath(path);
    const result = sys_unlinkat(AT_FDCWD, trap.path1(name), AT_REMOVEDIR);
    if (result < 0) throw trap.failure(result, 'rmdir', name);
    trap.changed();
  }

  function renameSync(oldPath: KernelPath, newPath: KernelPath): void {
    const from = typeof oldPath === 'string' ? oldPath : toPath(oldPath, 'oldPath');
    const to = typeof newPath === 'string' ? newPath : toPath(newPath, 'newPath');
    const result = sys_renameat2(
      AT_FDCWD,
      trap.path1(from, 'oldPath'),
      AT_FDCWD,
      trap.path2(to, 'newPath'),
      0,
    );
    if (result < 0) throw trap.failure(result, 'rename', from, to);
    trap.changed();
  }

  function statfsSync(path: KernelPath, options?: { bigint?: boolean }): StatFs | StatFs<bigint> {
    const name = toPath(path);
    if (options !== undefined) checkObject(options, 'options');
    const result = sys_statfs(trap.path1(name));
    if (result < 0) throw trap.failure(result, 'statfs', name);
    return readStatFs(trap, options?.bigint === true);
  }

  return {
    statSync,
    lstatSync,
    fstatSync,
    modeOf,
    accessSync,
    existsSync,
    chmodSync,
    lchmodSync,
    fchmodSync,
    chownSync,
    lchownSync,
    fchownSync,
    utimesSync,
    lutimesSync,
    futimesSync,
    linkSync,
    symlinkSync,
    readlinkSync,
    realpathSync: Object.assign(realpathSync, { native: realpathNativeSync }),
    unlinkSync,
    removeDir,
    renameSync,
    statfsSync,
  };
}

export type NameCalls = ReturnType<typeof nameCalls>;

function badSymlinkType(type: unknown): Error {
  return plainError(
    'ERR_FS_INVALID_SYMLINK_TYPE',
    `Symlink type must be one of "dir", "file", or "junction". Received "${String(type)}"`,
  );
}
