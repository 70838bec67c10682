/**
 * System calls that node:fs has no name for. Flags and numbers are the machine's own, which are
 * Linux's (assembly/abi/flags.ts); a failure throws a SyscallError. Calls that may wait throw
 * EDEADLK when nobody could end the wait, and have a `…Later` form that waits.
 */
import { ERESTART, ERANGE } from '../../assembly/abi/errno.ts';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_NONBLOCK,
  S_IFIFO,
  XATTR_LIST_MAX,
  XATTR_SIZE_MAX,
} from '../../assembly/abi/flags.ts';
import * as at from '../../assembly/abi/layout.ts';
import { Trap } from './trap.ts';
import { after } from './fs/data.ts';
import { type BigIntStats, readBigIntStats } from './fs/stats.ts';

/** A file, by a path or by an open descriptor. */
export type Target = string | Uint8Array | number;

export interface FileLock {
  /** F_RDLCK, F_WRLCK or F_UNLCK. */
  type: number;
  /** SEEK_SET (the default), SEEK_CUR or SEEK_END. */
  whence?: number;
  start: number;
  /** 0: to the end of the file, wherever that comes to be. */
  length: number;
  /** In an answer: who holds it; -1 for an open-file-description lock. */
  pid?: number;
}

export interface PollRequest {
  fd: number;
  /** POLL* bits asked for. */
  events: number;
}

/** A file by identity: it can be opened again after a rename, until the inode is gone. */
export interface FileHandleId {
  mount: number;
  inode: number;
  generation: number;
}

const encoder = new TextEncoder();

/** Attributes and their names are asked for with so much room first. */
const XATTR_FIRST = 512;

export class SystemCalls extends Trap {
  /** A result, or the error of its call. */
  protected check(result: number, syscall: string, path?: Target, dest?: Target): number {
    if (result < 0) {
      throw this.failure(
        result,
        syscall,
        typeof path === 'number' ? undefined : path,
        typeof dest === 'number' ? undefined : dest,
      );
    }
    this.changed();
    return result;
  }

  /** Issue a call that may wait. */
  protected now(issue: () => number, syscall: string, path?: Target): number {
    let result = issue();
    if (result === -ERESTART) result = this.block(issue);
    return this.check(result, syscall, path);
  }

  protected async soon(issue: () => number, syscall: string, signal?: AbortSignal): Promise<number> {
    return after(this.later(issue, signal), (result) => this.check(result, syscall));
  }

  // ── names ────────────────────────────────────────────────────────────────────────────────

  openat(dirfd: number, path: string | Uint8Array, flags: number, mode = 0o666): number {
    return this.now(() => this.exports.sys_openat(dirfd, this.path1(path), flags, mode), 'openat', path);
  }

  async openatLater(
    dirfd: number,
    path: string | Uint8Array,
    flags: number,
    mode = 0o666,
    signal?: AbortSignal,
  ): Promise<number> {
    const issue = () => this.exports.sys_openat(dirfd, this.path1(path), flags, mode);
    return after(this.later(issue, signal), (result) => this.check(result, 'openat', path));
  }

  fstatat(dirfd: number, path: string | Uint8Array, flags = 0): BigIntStats {
    this.check(this.exports.sys_fstatat(dirfd, this.path1(path), flags), 'fstatat', path);
    return readBigIntStats(this);
  }

  faccessat(dirfd: number, path: string | Uint8Array, mode: number, flags = 0): void {
    this.check(this.exports.sys_faccessat(dirfd, this.path1(path), mode, flags), 'faccessat', path);
  }

  mkdirat(dirfd: number, path: string | Uint8Array, mode = 0o777): void {
    this.check(this.exports.sys_mkdirat(dirfd, this.path1(path), mode), 'mkdirat', path);
  }

  unlinkat(dirfd: number, path: string | Uint8Array, flags = 0): void {
    this.check(this.exports.sys_unlinkat(dirfd, this.path1(path), flags), 'unlinkat', path);
  }

  linkat(
    olddirfd: number,
    oldPath: string | Uint8Array,
    newdirfd: number,
    newPath: string | Uint8Array,
    flags = 0,
  ): void {
    const length = this.path1(oldPath);
    const result = this.exports.sys_linkat(olddirfd, length, newdirfd, this.path2(newPath), flags);
    this.check(result, 'linkat', oldPath, newPath);
  }

  renameat2(
    olddirfd: number,
    oldPath: string | Uint8Array,
    newdirfd: number,
    newPath: string | Uint8Array,
    flags: number,
  ): void {
    const length = this.path1(oldPath);
    const result = this.exports.sys_renameat2(olddirfd, length, newdirfd, this.path2(newPath), flags);
    this.check(result, 'renameat2', oldPath, newPath);
  }

  /** renameat2 from the working directory: RENAME_NOREPLACE, RENAME_EXCHANGE. */
  rename2(oldPath: string | Uint8Array, newPath: string | Uint8Array, flags = 0): void {
    this.renameat2(AT_FDCWD, oldPath, AT_FDCWD, newPath, flags);
  }

  /** @param mode  with S_IF*  @param rdev  major << 8 | minor, for devices */
  mknod(path: string | Uint8Array, mode: number, rdev = 0): void {
    this.check(this.exports.sys_mknodat(AT_FDCWD, this.path1(path), mode, rdev), 'mknod', path);
  }

  mkfifo(path: string | Uint8Array, mode = 0o666): void {
    this.check(
      this.exports.sys_mknodat(AT_FDCWD, this.path1(path), S_IFIFO | (mode & 0o7777), 0),
      'mkfifo',
      path,
    );
  }

  utimensat(
    dirfd: number,
    path: string | Uint8Array,
    atime: { seconds: number; nanoseconds: number },
    mtime: { seconds: number; nanoseconds: number },
    flags = 0,
  ): void {
    const length = this.path1(path);
    const { sys_utimensat } = this.exports;
    const result = sys_utimensat(
      dirfd,
      length,
      flags,
      atime.seconds,
      atime.nanoseconds,
      mtime.seconds,
      mtime.nanoseconds,
    );
    this.check(result, 'utimensat', path);
  }

  // ── working directory and root ─────────────────────────────────────────────────────────────

  chdir(path: string | Uint8Array): void {
    this.check(this.exports.sys_chdir(this.path1(path)), 'chdir', path);
  }

  fchdir(fd: number): void {
    this.enter();
    this.check(this.exports.sys_fchdir(fd), 'fchdir');
  }

  chroot(path: string | Uint8Array): void {
    this.check(this.exports.sys_chroot(this.path1(path)), 'chroot', path);
  }

  cwd(): string {
    this.enter();
    const length = this.check(this.exports.sys_getcwd(), 'getcwd');
    return this.text(at.SA_DATA, at.SA_DATA + length);
  }

  /** Set the mask of new files' permissions. Returns the old one. */
  umask(mask: number): number {
    this.enter();
    return this.check(this.exports.sys_umask(mask), 'umask');
  }

  /** RLIMIT_* as [soft, hard]; Infinity for none. */
  getrlimit(resource: number): [soft: number, hard: number] {
    this.enter();
    this.check(this.exports.sys_getrlimit(resource), 'getrlimit');
    return [this.dataF64[0], this.dataF64[1]];
  }

  setrlimit(resource: number, soft: number, hard: number): void {
    this.enter();
    this.check(this.exports.sys_setrlimit(resource, soft, hard), 'setrlimit');
  }

  // ── data ─────────────────────────────────────────────────────────────────────────────────

  /** The new offset. `whence` is SEEK_*. */
  lseek(fd: number, offset: number, whence: number): number {
    this.enter();
    this.check(this.exports.sys_lseek(fd, offset, whence), 'lseek');
    return this.dataF64[0];
  }

  /** @param mode  0, or FALLOC_FL_* */
  fallocate(fd: number, mode: number, offset: number, length: number): void {
    this.enter();
    this.check(this.exports.sys_fallocate(fd, mode, offset, length), 'fallocate');
  }

  /** Bytes copied. An offset of null is the descriptor's own. */
  copyFileRange(
    fdIn: number,
    offsetIn: number | null,
    fdOut: number,
    offsetOut: number | null,
    length: number,
  ): number {
    this.enter();
    const { sys_copy_file_range } = this.exports;
    const result = sys_copy_file_range(fdIn, offsetIn ?? -1, fdOut, offsetOut ?? -1, length, 0);
    return this.check(result, 'copy_file_range');
  }

  sync(): void {
    this.enter();
    this.check(this.exports.sys_sync(), 'sync');
  }

  syncfs(fd: number): void {
    this.enter();
    this.check(this.exports.sys_syncfs(fd), 'syncfs');
  }

  // ── descriptors ──────────────────────────────────────────────────────────────────────────

  close(fd: number): void {
    this.enter();
    this.check(this.exports.sys_close(fd), 'close');
  }

  dup(fd: number): number {
    this.enter();
    return this.check(this.exports.sys_dup(fd), 'dup');
  }

  dup2(fd: number, newFd: number): number {
    this.enter();
    return this.check(this.exports.sys_dup2(fd, newFd), 'dup2');
  }

  dup3(fd: number, newFd: number, flags = O_CLOEXEC): number {
    this.enter();
    return this.check(this.exports.sys_dup3(fd, newFd, flags), 'dup3');
  }

  /** A pipe's two ends. flags: O_NONBLOCK, O_CLOEXEC. */
  pipe(flags = O_CLOEXEC): { read: number; write: number } {
    this.enter();
    this.check(this.exports.sys_pipe2(flags), 'pipe');
    return { read: this.dataU32[0], write: this.dataU32[1] };
  }

  /** F_* commands with a number as argument. */
  fcntl(fd: number, command: number, argument = 0): number {
    this.enter();
    return this.check(this.exports.sys_fcntl(fd, command, argument), 'fcntl');
  }

  #lock(fd: number, command: number, { type, whence = 0, start, length }: FileLock): number {
    this.enter();
    return this.exports.sys_fcntl_lock(fd, command, type, whence, start, length);
  }

  /** F_SETLK, F_SETLKW and their F_OFD_ kin. */
  setLock(fd: number, command: number, lock: FileLock): void {
    this.now(() => this.#lock(fd, command, lock), 'fcntl');
  }

  async setLockLater(fd: number, command: number, lock: FileLock, signal?: AbortSignal): Promise<void> {
    await this.soon(() => this.#lock(fd, command, lock), 'fcntl', signal);
  }

  /** What stands in the way of a lock (F_GETLK, F_OFD_GETLK); undefined if nothing does. */
  getLock(fd: number, command: number, lock: FileLock): FileLock | undefined {
    this.check(this.#lock(fd, command, lock), 'fcntl');
    const type = this.dataU32[at.FL_TYPE >> 2];
    if (type === 2) return undefined;
    const pid = this.dataU32[at.FL_PID >> 2] | 0;
    return { type, start: this.dataF64[at.FL_START >> 3], length: this.dataF64[at.FL_LEN >> 3], pid };
  }

  #flock(fd: number, operation: number): number {
    this.enter();
    return this.exports.sys_flock(fd, operation);
  }

  /** LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB not to wait. */
  flock(fd: number, operation: number): void {
    this.now(() => this.#flock(fd, operation), 'flock');
  }

  async flockLater(fd: number, operation: number, signal?: AbortSignal): Promise<void> {
    await this.soon(() => this.#flock(fd, operation), 'flock', signal);
  }

  #poll(requests: readonly PollRequest[], timeoutMs: number): number {
    this.enter();
    const view = new DataView(
      this.area.buffer,
      this.area.byteOffset + at.SA_IOV,
      requests.length * at.POLLFD_SIZE,
    );
    for (const [i, { fd, events }] of requests.entries()) {
      view.setInt32(i * at.POLLFD_SIZE, fd, true);
      view.setUint16(i * at.POLLFD_SIZE + 4, events, true);
      view.setUint16(i * at.POLLFD_SIZE + 6, 0, true);
    }
    return this.exports.sys_poll(requests.length, timeoutMs);
  }

  #polled(count: number): number[] {
    const view = new DataView(this.area.buffer, this.area.byteOffset + at.SA_IOV, count * at.POLLFD_SIZE);
    return Array.from({ length: count }, (_, i) => view.getUint16(i * at.POLLFD_SIZE + 6, true));
  }

  #checkPoll(requests: readonly PollRequest[]): void {
    if (requests.length > at.POLLFD_MAX)
      throw new RangeError(`poll takes at most ${at.POLLFD_MAX} descriptors`);
  }

  /** The POLL* bits that hold for each request. @param timeoutMs  < 0: for ever */
  poll(requests: readonly PollRequest[], timeoutMs: number): number[] {
    this.#checkPoll(requests);
    this.now(() => this.#poll(requests, timeoutMs), 'poll');
    return this.#polled(requests.length);
  }

  async pollLater(
    requests: readonly PollRequest[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<number[]> {
    this.#checkPoll(requests);
    // The answer lies in the syscall area, so it is taken in the turn in which it comes.
    const issue = () => this.#poll(requests, timeoutMs);
    let answer: number[] = [];
    const taken = () => {
      const result = issue();
      if (result >= 0) answer = this.#polled(requests.length);
      return result;
    };
    await this.soon(taken, 'poll', signal);
    return answer;
  }

  /** `argument` is read or written by the device, as the command says; some commands take a number. */
  ioctl(fd: number, command: number, argument: Uint8Array | number = new Uint8Array(0)): number {
    this.enter();
    const value = typeof argument === 'number';
    if (!value) this.cpu.spaces[0] = argument;
    return this.check(this.exports.sys_ioctl(fd, command, 0, value ? argument : 0), 'ioctl');
  }

  // ── file systems ─────────────────────────────────────────────────────────────────────────

  /** Mount a file system. options: "size=1m,mode=755"; flags: MS_*. */
  mount(source: string, target: string, type: string, flags = 0, options = ''): void {
    const typeBytes = encoder.encode(type);
    const optionBytes = encoder.encode(options);
    if (typeBytes.length + optionBytes.length > at.SA_DATA_SIZE)
      throw this.failure(-ERANGE, 'mount', source, target);
    const sourceLength = this.path1(source);
    const targetLength = this.path2(target);
    this.data.set(typeBytes);
    this.data.set(optionBytes, typeBytes.length);
    const { sys_mount } = this.exports;
    this.check(
      sys_mount(sourceLength, targetLength, typeBytes.length, optionBytes.length, flags),
      'mount',
      source,
      target,
    );
  }

  /** flags: MNT_FORCE, MNT_DETACH. */
  umount(target: string, flags = 0): void {
    this.check(this.exports.sys_umount2(this.path1(target), flags), 'umount', target);
  }

  /** Take a device or file away from whoever has it open: their descriptors give EIO from now on. */
  revoke(path: string | Uint8Array): void {
    this.check(this.exports.sys_revoke(this.path1(path)), 'revoke', path);
  }

  /** Names of a file's extended attributes. */
  listxattr(file: Target, follow = true): string[] {
    return this.listxattrBytes(file, follow).map((name) => this.decode(name));
  }

  /** The same as bytes: names need not be UTF-8. */
  listxattrBytes(file: Target, follow = true): Uint8Array[] {
    const { sys_flistxattr, sys_listxattr } = this.exports;
    const list = this.#filled(XATTR_LIST_MAX, 'listxattr', file, (size) => {
      if (typeof file !== 'number') {
        return sys_listxattr(AT_FDCWD, this.path1(file), nofollow(follow), 0, 0, size);
      }
      this.enter();
      return sys_flistxattr(file, 0, 0, size);
    });
    const names: Uint8Array[] = [];
    for (let from = 0, end = list.indexOf(0); end >= 0; from = end + 1, end = list.indexOf(0, from))
      names.push(list.subarray(from, end));
    return names;
  }

  getxattr(file: Target, name: string | Uint8Array, follow = true): Uint8Array {
    const { sys_fgetxattr, sys_getxattr } = this.exports;
    return this.#filled(XATTR_SIZE_MAX, 'getxattr', file, (size) => {
      if (typeof file !== 'number') {
        const path = this.path1(file);
        return sys_getxattr(AT_FDCWD, path, nofollow(follow), this.path2(name), 0, 0, size);
      }
      this.enter();
      return sys_fgetxattr(file, this.path2(name), 0, 0, size);
    });
  }

  /** What a call fills a buffer of `size` bytes with: a small one first, for one of `most` costs more than the call. */
  #filled(most: number, syscall: string, file: Target, call: (size: number) => number): Uint8Array {
    let buffer = new Uint8Array(XATTR_FIRST);
    this.cpu.spaces[0] = buffer;
    let length = call(buffer.length);
    if (length === -ERANGE) {
      buffer = new Uint8Array(most);
      this.cpu.spaces[0] = buffer;
      length = call(most);
    }
    this.check(length, syscall, file);
    return buffer.slice(0, length);
  }

  /** @param flags  XATTR_CREATE, XATTR_REPLACE */
  setxattr(file: Target, name: string | Uint8Array, value: Uint8Array, flags = 0, follow = true): void {
    const { sys_fsetxattr, sys_setxattr } = this.exports;
    this.cpu.spaces[0] = value;
    let result: number;
    if (typeof file === 'number') {
      this.enter();
      result = sys_fsetxattr(file, this.path2(name), 0, 0, value.length, flags);
    } else {
      const path = this.path1(file);
      result = sys_setxattr(AT_FDCWD, path, nofollow(follow), this.path2(name), 0, 0, value.length, flags);
    }
    this.check(result, 'setxattr', file);
  }

  removexattr(file: Target, name: string | Uint8Array, follow = true): void {
    const { sys_fremovexattr, sys_removexattr } = this.exports;
    let result: number;
    if (typeof file === 'number') {
      this.enter();
      result = sys_fremovexattr(file, this.path2(name));
    } else {
      const path = this.path1(file);
      result = sys_removexattr(AT_FDCWD, path, nofollow(follow), this.path2(name));
    }
    this.check(result, 'removexattr', file);
  }

  nameToHandle(path: string | Uint8Array, flags = 0): FileHandleId {
    this.check(
      this.exports.sys_name_to_handle_at(AT_FDCWD, this.path1(path), flags),
      'name_to_handle_at',
      path,
    );
    return {
      mount: this.dataU32[at.FH_MOUNT >> 2],
      generation: this.dataU32[at.FH_GEN >> 2],
      inode: this.dataF64[at.FH_INO >> 3],
    };
  }

  /** @param mountFd  a descriptor of anything on the mount */
  openByHandle(mountFd: number, handle: FileHandleId, flags: number): number {
    this.enter();
    this.dataU32[at.FH_MOUNT >> 2] = handle.mount;
    this.dataU32[at.FH_GEN >> 2] = handle.generation;
    this.dataF64[at.FH_INO >> 3] = handle.inode;
    return this.check(this.exports.sys_open_by_handle_at(mountFd, flags), 'open_by_handle_at');
  }

  // ── change notification ──────────────────────────────────────────────────────────────────

  /** A descriptor whose reads give inotify(7)'s records. */
  inotifyInit(flags = O_CLOEXEC | O_NONBLOCK): number {
    this.enter();
    return this.check(this.exports.sys_inotify_init(flags), 'inotify_init');
  }

  inotifyAddWatch(fd: number, path: string | Uint8Array, mask: number): number {
    return this.check(
      this.exports.sys_inotify_add_watch(fd, this.path1(path), mask),
      'inotify_add_watch',
      path,
    );
  }

  inotifyRemoveWatch(fd: number, watch: number): void {
    this.enter();
    this.check(this.exports.sys_inotify_rm_watch(fd, watch), 'inotify_rm_watch');
  }
}

function nofollow(follow: boolean): number {
  return follow ? 0 : AT_SYMLINK_NOFOLLOW;
}
