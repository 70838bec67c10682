/**
 * A POSIX system as the tests see it: the calls of a file system in POSIX terms, made by
 * processes with credentials of their own. One implementation asks the host's Linux kernel, the
 * other a Damselfly machine; suites written against this interface run on both.
 *
 * Every call returns a value, or a negative Linux errno where the value would be. Sizes, offsets
 * and inode numbers are plain numbers (exact to 2^53). Nothing throws but a broken target.
 */

/** Bytes where a name need not be UTF-8. */
export type Path = string | Uint8Array;
/** 0, or a negated errno. */
export type Status = number;
/** A value, or a negated errno. */
export type Result<T> = T | number;

export interface Credentials {
  uid: number;
  gid: number;
  /** Supplementary groups. */
  groups?: readonly number[];
}

/** nsec may be UTIME_NOW or UTIME_OMIT where a call says so. */
export interface Timespec {
  sec: number;
  nsec: number;
}

export interface Stat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  /** major << 8 | minor */
  rdev: number;
  size: number;
  blksize: number;
  /** Units of 512 bytes. */
  blocks: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
}

export interface StatFs {
  type: number;
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  namelen: number;
}

export interface Dirent {
  name: string;
  ino: number;
  /** DT_* */
  type: number;
  /** Where lseek(SEEK_SET) goes on after this entry. */
  cookie: number;
}

export interface FileLock {
  /** F_RDLCK, F_WRLCK, F_UNLCK */
  type: number;
  whence: number;
  start: number;
  /** 0: to the end of the file, wherever that moves. */
  len: number;
  /** Who holds it, in F_GETLK's answer; -1 for an open file description. */
  pid?: number;
}

export interface PollFd {
  fd: number;
  events: number;
}

export interface InotifyEvent {
  wd: number;
  mask: number;
  cookie: number;
  name: string;
}

/** A call that may block, begun and not waited for. */
export interface Pending<T> {
  /** Its result, or undefined while it is blocked. */
  poll(): Result<T> | undefined;
  /** A signal's effect: what was done so far, or -EINTR; the result if it had ended. */
  cancel(): Result<T>;
}

export interface NameCalls {
  open(path: Path, flags: number, mode?: number): number;
  openat(dirfd: number, path: Path, flags: number, mode?: number): number;
  creat(path: Path, mode: number): number;
  stat(path: Path): Result<Stat>;
  lstat(path: Path): Result<Stat>;
  fstatat(dirfd: number, path: Path, flags: number): Result<Stat>;
  access(path: Path, mode: number): Status;
  faccessat(dirfd: number, path: Path, mode: number, flags: number): Status;
  chmod(path: Path, mode: number): Status;
  fchmodat(dirfd: number, path: Path, mode: number, flags: number): Status;
  /** uid, gid -1: leave as it is. */
  chown(path: Path, uid: number, gid: number): Status;
  lchown(path: Path, uid: number, gid: number): Status;
  fchownat(dirfd: number, path: Path, uid: number, gid: number, flags: number): Status;
  utimensat(dirfd: number, path: Path, atime: Timespec, mtime: Timespec, flags: number): Status;
  truncate(path: Path, length: number): Status;
  link(oldPath: Path, newPath: Path): Status;
  linkat(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): Status;
  symlink(target: Path, path: Path): Status;
  symlinkat(target: Path, dirfd: number, path: Path): Status;
  readlink(path: Path): Result<string>;
  readlinkat(dirfd: number, path: Path): Result<string>;
  unlink(path: Path): Status;
  /** flags: AT_REMOVEDIR */
  unlinkat(dirfd: number, path: Path, flags: number): Status;
  rmdir(path: Path): Status;
  rename(oldPath: Path, newPath: Path): Status;
  renameat2(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): Status;
  mkdir(path: Path, mode: number): Status;
  mkdirat(dirfd: number, path: Path, mode: number): Status;
  /** rdev: major << 8 | minor */
  mknod(path: Path, mode: number, rdev: number): Status;
  mknodat(dirfd: number, path: Path, mode: number, rdev: number): Status;
  mkfifo(path: Path, mode: number): Status;
  statfs(path: Path): Result<StatFs>;
}

export interface DataCalls {
  close(fd: number): Status;
  read(fd: number, len: number): Result<Uint8Array>;
  pread(fd: number, len: number, offset: number): Result<Uint8Array>;
  readv(fd: number, lens: readonly number[]): Result<Uint8Array>;
  preadv(fd: number, lens: readonly number[], offset: number): Result<Uint8Array>;
  write(fd: number, data: Uint8Array): number;
  pwrite(fd: number, data: Uint8Array, offset: number): number;
  writev(fd: number, data: readonly Uint8Array[]): number;
  pwritev(fd: number, data: readonly Uint8Array[], offset: number): number;
  /** Into, or out of, memory the caller does not have. */
  readFault(fd: number, len: number): number;
  writeFault(fd: number, len: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  ftruncate(fd: number, length: number): Status;
  fallocate(fd: number, mode: number, offset: number, len: number): Status;
  /** offset null: the file's own. */
  copyFileRange(
    fdIn: number,
    offIn: number | null,
    fdOut: number,
    offOut: number | null,
    len: number,
    flags: number,
  ): number;
  fsync(fd: number): Status;
  fdatasync(fd: number): Status;
  sync(): Status;
  syncfs(fd: number): Status;
}

export interface DescriptorCalls {
  fstat(fd: number): Result<Stat>;
  fchmod(fd: number, mode: number): Status;
  fchown(fd: number, uid: number, gid: number): Status;
  futimens(fd: number, atime: Timespec, mtime: Timespec): Status;
  fstatfs(fd: number): Result<StatFs>;
  /** The next entries, '.' and '..' included; at most maxEntries, an empty list at the end. */
  getdents(fd: number, maxEntries?: number): Result<Dirent[]>;
  dup(fd: number): number;
  dup2(oldFd: number, newFd: number): number;
  dup3(oldFd: number, newFd: number, flags: number): number;
  pipe2(flags: number): Result<[number, number]>;
  fcntl(fd: number, cmd: number, arg: number): number;
  /** The lock that stands in the way for F_GETLK and F_OFD_GETLK, else 0. */
  fcntlLock(fd: number, cmd: number, lock: FileLock): Result<FileLock>;
  flock(fd: number, op: number): Status;
  /** revents of each; [] is never returned for a list that is not empty. */
  poll(fds: readonly PollFd[], timeoutMs: number): Result<number[]>;
  ioctl(fd: number, cmd: number): number;
  inotifyInit(flags: number): number;
  inotifyAddWatch(fd: number, path: Path, mask: number): number;
  inotifyRmWatch(fd: number, wd: number): Status;
}

export interface AttributeCalls {
  /** size 0 asks for the value's size. */
  getxattr(path: Path, name: string, size: number): Result<Uint8Array>;
  lgetxattr(path: Path, name: string, size: number): Result<Uint8Array>;
  fgetxattr(fd: number, name: string, size: number): Result<Uint8Array>;
  setxattr(path: Path, name: string, value: Uint8Array, flags: number): Status;
  lsetxattr(path: Path, name: string, value: Uint8Array, flags: number): Status;
  fsetxattr(fd: number, name: string, value: Uint8Array, flags: number): Status;
  /** size 0 asks for the size of the whole list, its NULs counted. */
  listxattr(path: Path, size: number): Result<string[]>;
  llistxattr(path: Path, size: number): Result<string[]>;
  flistxattr(fd: number, size: number): Result<string[]>;
  removexattr(path: Path, name: string): Status;
  lremovexattr(path: Path, name: string): Status;
  fremovexattr(fd: number, name: string): Status;
  /** An opaque handle. */
  nameToHandleAt(dirfd: number, path: Path, flags: number): Result<Uint8Array>;
  openByHandleAt(mountFd: number, handle: Uint8Array, flags: number): number;
}

export interface ProcessCalls {
  chdir(path: Path): Status;
  fchdir(fd: number): Status;
  chroot(path: Path): Status;
  getcwd(): Result<string>;
  umask(mask: number): number;
  /** Soft limit; the hard one stays. resource: RLIMIT_* */
  setrlimit(resource: number, soft: number): Status;
  mount(source: Path, target: Path, type: string, flags: number, options: string): Status;
  umount2(path: Path, flags: number): Status;
}

export interface BlockingCalls {
  startOpen(path: Path, flags: number, mode?: number): Pending<number>;
  startRead(fd: number, len: number): Pending<Uint8Array>;
  startWrite(fd: number, data: Uint8Array): Pending<number>;
  startLock(fd: number, cmd: number, lock: FileLock): Pending<FileLock>;
  startFlock(fd: number, op: number): Pending<number>;
  startPoll(fds: readonly PollFd[], timeoutMs: number): Pending<number[]>;
}

/** One process: its own credentials, descriptors, cwd, umask. Its first descriptor is 0. */
export interface PosixProcess
  extends NameCalls,
    DataCalls,
    DescriptorCalls,
    AttributeCalls,
    ProcessCalls,
    BlockingCalls {
  readonly pid: number;
  readonly credentials: Credentials;
  /** End it: every descriptor is closed, every lock released. */
  exit(): void;
}

/** What a host may not be able to offer; suites skip what needs it, with the reason. */
export type Feature =
  /** Processes of several users. */
  | 'credentials'
  /** Block and character devices, trusted. and security. attributes. */
  | 'privilege'
  /** Calls that block, begun without waiting. */
  | 'pending'
  /** user. attributes on the file system under test. */
  | 'userXattr'
  /** File handles. */
  | 'handles'
  /** Every change of a file whose times were looked at gives it a new ctime. */
  | 'fineTimestamps';

/** One entry of a tree, all of its state. */
export interface TreeEntry {
  /** '' for the start, else '/a/b'. */
  path: string;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blocks: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** FNV-1a (32 bits) of a regular file's bytes, else 0. */
  sum: number;
  /** 'FROM-TO,FROM-TO': where SEEK_DATA finds data. */
  extents: string;
  /** A symlink's target, else ''. */
  target: string;
  /** 'name=hex' sorted; system. attributes left out. */
  xattrs: readonly string[];
}

/** How the file system under test is mounted by {@link PosixTarget.reset}. */
export interface FreshOptions {
  atime?: 'strict' | 'relative' | 'never';
  sizeBytes?: number;
}

/** About how large a second file system is to be. */
export interface OtherOptions {
  sizeBytes?: number;
  inodes?: number;
}

export interface PosixTarget {
  readonly name: string;
  /** Reasons of the features that are missing. */
  readonly missing: ReadonlyMap<Feature, string>;
  /** A process of root; the same until the next reset. */
  readonly root: PosixProcess;
  /** A new process. */
  as(credentials: Credentials): PosixProcess;
  /** All processes end, the tree is empty again, mode 755, of root. */
  reset(options?: FreshOptions): void;
  /**
   * Mount an empty file system of the kind that is under test, mode 777, at a directory; the one that it mounted before
   * must be unmounted by then. Where a target cannot, a tmpfs is as good.
   */
  mountOther?(path: string, flags: number, options: OtherOptions): number;
  /** Let time pass, so that a change from now on is later than all before. */
  tick(): void;
  /** Everything under an absolute path, parents first; leaves no trace. */
  tree(path: string): TreeEntry[];
  /** Ends all processes and the target. @throws Error when it found its own state broken */
  dispose(): void;
}
