import * as F from '../../assembly/abi/flags.ts';
import type { Credentials, NameCalls, Path, Result } from './target.ts';

type AtCalls = Pick<
  NameCalls,
  | 'openat'
  | 'faccessat'
  | 'fchmodat'
  | 'fchownat'
  | 'linkat'
  | 'symlinkat'
  | 'readlinkat'
  | 'unlinkat'
  | 'renameat2'
  | 'mkdirat'
  | 'mknodat'
>;

/**
 * What processes of both kinds have in common: who they are, and the calls that are others with
 * AT_FDCWD for a directory, as they are in any C library.
 */
export abstract class NamedProcess implements AtCalls {
  readonly pid: number;
  readonly credentials: Credentials;
  #exited = false;

  constructor(pid: number, credentials: Credentials) {
    this.pid = pid;
    this.credentials = credentials;
  }

  /** End it, once. */
  exit(): void {
    if (this.#exited) return;
    this.#exited = true;
    this.ended();
  }

  protected abstract ended(): void;

  abstract openat(dirfd: number, path: Path, flags: number, mode?: number): number;
  abstract faccessat(dirfd: number, path: Path, mode: number, flags: number): number;
  abstract fchmodat(dirfd: number, path: Path, mode: number, flags: number): number;
  abstract fchownat(dirfd: number, path: Path, uid: number, gid: number, flags: number): number;
  abstract linkat(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): number;
  abstract symlinkat(target: Path, dirfd: number, path: Path): number;
  abstract readlinkat(dirfd: number, path: Path): Result<string>;
  abstract unlinkat(dirfd: number, path: Path, flags: number): number;
  abstract renameat2(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): number;
  abstract mkdirat(dirfd: number, path: Path, mode: number): number;
  abstract mknodat(dirfd: number, path: Path, mode: number, rdev: number): number;

  open(path: Path, flags: number, mode = 0): number {
    return this.openat(F.AT_FDCWD, path, flags, mode);
  }
  creat(path: Path, mode: number): number {
    return this.open(path, F.O_CREAT | F.O_WRONLY | F.O_TRUNC, mode);
  }
  access(path: Path, mode: number): number {
    return this.faccessat(F.AT_FDCWD, path, mode, 0);
  }
  chmod(path: Path, mode: number): number {
    return this.fchmodat(F.AT_FDCWD, path, mode, 0);
  }
  chown(path: Path, uid: number, gid: number): number {
    return this.fchownat(F.AT_FDCWD, path, uid, gid, 0);
  }
  lchown(path: Path, uid: number, gid: number): number {
    return this.fchownat(F.AT_FDCWD, path, uid, gid, F.AT_SYMLINK_NOFOLLOW);
  }
  link(oldPath: Path, newPath: Path): number {
    return this.linkat(F.AT_FDCWD, oldPath, F.AT_FDCWD, newPath, 0);
  }
  symlink(target: Path, path: Path): number {
    return this.symlinkat(target, F.AT_FDCWD, path);
  }
  readlink(path: Path): Result<string> {
    return this.readlinkat(F.AT_FDCWD, path);
  }
  unlink(path: Path): number {
    return this.unlinkat(F.AT_FDCWD, path, 0);
  }
  rmdir(path: Path): number {
    return this.unlinkat(F.AT_FDCWD, path, F.AT_REMOVEDIR);
  }
  rename(oldPath: Path, newPath: Path): number {
    return this.renameat2(F.AT_FDCWD, oldPath, F.AT_FDCWD, newPath, 0);
  }
  mkdir(path: Path, mode: number): number {
    return this.mkdirat(F.AT_FDCWD, path, mode);
  }
  mknod(path: Path, mode: number, rdev: number): number {
    return this.mknodat(F.AT_FDCWD, path, mode, rdev);
  }
  mkfifo(path: Path, mode: number): number {
    return this.mknod(path, F.S_IFIFO | (mode & 0o7777), 0);
  }
}
