import { ERESTART } from '../../assembly/abi/errno.ts';
import * as F from '../../assembly/abi/flags.ts';
import * as L from '../../assembly/abi/layout.ts';
import type { Machine } from './machine.ts';
import { NamedProcess } from './process.ts';
import type {
  Credentials,
  Dirent,
  FileLock,
  Path,
  Pending,
  PollFd,
  PosixProcess,
  Result,
  Stat,
  StatFs,
  Timespec,
} from './target.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** No buffer of a call has this number. */
const BAD_SPACE = 77;
const LINK_BUFFER = 4096;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A process of the machine, by the kernel's exports alone. */
export class DamselflyProcess extends NamedProcess implements PosixProcess {
  #m: Machine;

  constructor(machine: Machine, pid: number, credentials: Credentials) {
    super(pid, credentials);
    this.#m = machine;
  }

  protected ended(): void {
    this.#m.kernel.proc_exit(this.pid);
    this.#m.ended(this.pid);
  }

  // ── the syscall area ────────────────────────────────────────────────────────────────────────
  #put(at: number, text: Path, room = F.PATH_MAX): number {
    const bytes = typeof text === 'string' ? encoder.encode(text) : text;
    // The length is the call's to refuse; as much as fits lies where the kernel would look.
    this.#m.u8.set(bytes.subarray(0, room), this.#m.area + at);
    return bytes.length;
  }
  #path(path: Path): number {
    return this.#put(L.SA_PATH1, path);
  }
  #path2(path: Path): number {
    return this.#put(L.SA_PATH2, path);
  }
  #dataU32(offset: number): number {
    return this.#m.u32[(this.#m.area + L.SA_DATA + offset) / 4];
  }
  #dataF64(offset: number): number {
    return this.#m.f64[(this.#m.area + L.SA_DATA + offset) / 8];
  }
  #dataText(length: number): string {
    const start = this.#m.area + L.SA_DATA;
    return decoder.decode(this.#m.u8.slice(start, start + length));
  }

  // ── making calls ────────────────────────────────────────────────────────────────────────────
  #call(issue: () => number): number {
    return this.#m.callNow(this.pid, issue);
  }
  #take<T>(issue: () => number, decode: (result: number) => T): Result<T> {
    const result = this.#call(issue);
    return result < 0 ? result : decode(result);
  }
  /** A call with these host buffers as spaces 0, 1, … */
  #with(buffers: Uint8Array[], issue: () => number): () => number {
    return () => {
      this.#m.spaces = buffers;
      return issue();
    };
  }
  #start<T>(issue: () => number, decode: (result: number) => Result<T>): Pending<T> {
    const m = this.#m;
    let result: Result<T> | undefined;
    let lwp = 0;
    const finish = (value: number): void => {
      if (value === -ERESTART) lwp = m.kernel.lwp_current();
      else result = value < 0 ? value : decode(value);
    };
    finish(m.attempt(this.pid, issue));
    const poll = (): Result<T> | undefined => {
      if (result === undefined && m.takes(lwp)) finish(m.resume(this.pid, lwp, issue));
      return result;
    };
    const cancel = (): Result<T> => {
      if (poll() === undefined) finish(m.kernel.sys_cancel(lwp));
      return result as Result<T>;
    };
    return { poll, cancel };
  }

  // ── names ───────────────────────────────────────────────────────────────────────────────────
  openat(dirfd: number, path: Path, flags: number, mode = 0): number {
    return this.#call(() => this.#m.kernel.sys_openat(dirfd, this.#path(path), flags, mode));
  }
  #stat(): Stat {
    const time = (sec: number, nsec: number): Timespec => ({
      sec: this.#dataF64(sec),
      nsec: this.#dataU32(nsec),
    });
    return {
      dev: this.#dataF64(L.ST_DEV),
      ino: this.#dataF64(L.ST_INO),
      mode: this.#dataU32(L.ST_MODE),
      nlink: this.#dataF64(L.ST_NLINK),
      uid: this.#dataU32(L.ST_UID),
      gid: this.#dataU32(L.ST_GID),
      rdev: this.#dataF64(L.ST_RDEV),
      size: this.#dataF64(L.ST_SIZE),
      blksize: this.#dataU32(L.ST_BLKSIZE),
      blocks: this.#dataF64(L.ST_BLOCKS),
      atime: time(L.ST_ATIME, L.ST_ATIME_NS),
      mtime: time(L.ST_MTIME, L.ST_MTIME_NS),
      ctime: time(L.ST_CTIME, L.ST_CTIME_NS),
    };
  }
  stat(path: Path): Result<Stat> {
    return this.#take(
      () => this.#m.kernel.sys_stat(this.#path(path)),
      () => this.#stat(),
    );
  }
  lstat(path: Path): Result<Stat> {
    return this.#take(
      () => this.#m.kernel.sys_lstat(this.#path(path)),
      () => this.#stat(),
    );
  }
  fstatat(dirfd: number, path: Path, flags: number): Result<Stat> {
    const issue = (): number => this.#m.kernel.sys_fstatat(dirfd, this.#path(path), flags);
    return this.#take(issue, () => this.#stat());
  }
  faccessat(dirfd: number, path: Path, mode: number, flags: number): number {
    return this.#call(() => this.#m.kernel.sys_faccessat(dirfd, this.#path(path), mode, flags));
  }
  fchmodat(dirfd: number, path: Path, mode: number, flags: number): number {
    return this.#call(() => this.#m.kernel.sys_fchmodat(dirfd, this.#path(path), mode, flags));
  }
  fchownat(dirfd: number, path: Path, uid: number, gid: number, flags: number): number {
    return this.#call(() => this.#m.kernel.sys_fchownat(dirfd, this.#path(path), uid, gid, flags));
  }
  utimensat(dirfd: number, path: Path, atime: Timespec, mtime: Timespec, flags: number): number {
    return this.#call(() => {
      const length = this.#path(path);
      const { sec, nsec } = atime;
      return this.#m.kernel.sys_utimensat(dirfd, length, flags, sec, nsec, mtime.sec, mtime.nsec);
    });
  }
  truncate(path: Path, length: number): number {
    return this.#call(() => this.#m.kernel.sys_truncate(this.#path(path), length));
  }
  linkat(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): number {
    return this.#call(() =>
      this.#m.kernel.sys_linkat(oldDirfd, this.#path(oldPath), newDirfd, this.#path2(newPath), flags),
    );
  }
  symlinkat(target: Path, dirfd: number, path: Path): number {
    return this.#call(() => this.#m.kernel.sys_symlinkat(this.#path(target), dirfd, this.#path2(path)));
  }
  readlinkat(dirfd: number, path: Path): Result<string> {
    const issue = (): number => this.#m.kernel.sys_readlinkat(dirfd, this.#path(path));
    return this.#take(issue, (length) => this.#dataText(Math.min(length, LINK_BUFFER)));
  }
  unlinkat(dirfd: number, path: Path, flags: number): number {
    return this.#call(() => this.#m.kernel.sys_unlinkat(dirfd, this.#path(path), flags));
  }
  renameat2(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): number {
    return this.#call(() =>
      this.#m.kernel.sys_renameat2(oldDirfd, this.#path(oldPath), newDirfd, this.#path2(newPath), flags),
    );
  }
  mkdirat(dirfd: number, path: Path, mode: number): number {
    return this.#call(() => this.#m.kernel.sys_mkdirat(dirfd, this.#path(path), mode));
  }
  mknodat(dirfd: number, path: Path, mode: number, rdev: number): number {
    return this.#call(() => this.#m.kernel.sys_mknodat(dirfd, this.#path(path), mode, rdev));
  }
  #statfs(): StatFs {
    return {
      type: this.#dataF64(L.SF_TYPE),
      bsize: this.#dataF64(L.SF_BSIZE),
      blocks: this.#dataF64(L.SF_BLOCKS),
      bfree: this.#dataF64(L.SF_BFREE),
      bavail: this.#dataF64(L.SF_BAVAIL),
      files: this.#dataF64(L.SF_FILES),
      ffree: this.#dataF64(L.SF_FFREE),
      namelen: this.#dataF64(L.SF_NAMELEN),
    };
  }
  statfs(path: Path): Result<StatFs> {
    return this.#take(
      () => this.#m.kernel.sys_statfs(this.#path(path)),
      () => this.#statfs(),
    );
  }

  // ── data ────────────────────────────────────────────────────────────────────────────────────
  close(fd: number): number {
    return this.#call(() => this.#m.kernel.sys_close(fd));
  }
  read(fd: number, len: number): Result<Uint8Array> {
    const buffer = new Uint8Array(len);
    const issue = this.#with([buffer], () => this.#m.kernel.sys_read(fd, 0, 0, len));
    return this.#take(issue, (n) => buffer.slice(0, n));
  }
  pread(fd: number, len: number, offset: number): Result<Uint8Array> {
    const buffer = new Uint8Array(len);
    const issue = this.#with([buffer], () => this.#m.kernel.sys_pread(fd, 0, 0, len, offset));
    return this.#take(issue, (n) => buffer.slice(0, n));
  }
  write(fd: number, data: Uint8Array): number {
    return this.#call(this.#with([data], () => this.#m.kernel.sys_write(fd, 0, 0, data.length)));
  }
  pwrite(fd: number, data: Uint8Array, offset: number): number {
    return this.#call(this.#with([data], () => this.#m.kernel.sys_pwrite(fd, 0, 0, data.length, offset)));
  }
  /** An iovec list over the buffers, in the syscall area; returns their number. */
  #vector(buffers: readonly Uint8Array[]): number {
    buffers.slice(0, F.IOV_MAX).forEach((buffer, i) => {
      const at = (this.#m.area + L.SA_IOV + L.IOV_SIZE * i) / 4;
      this.#m.u32.set([i, 0, buffer.length], at);
    });
    return buffers.length;
  }
  #scatter(lens: readonly number[], call: (count: number) => number): Result<Uint8Array> {
    const buffers = lens.map((len) => new Uint8Array(len));
    const issue = this.#with(buffers, () => call(this.#vector(buffers)));
    return this.#take(issue, (n) => joined(buffers).slice(0, n));
  }
  #gather(data: readonly Uint8Array[], call: (count: number) => number): number {
    return this.#call(this.#with([...data], () => call(this.#vector(data))));
  }
  readv(fd: number, lens: readonly number[]): Result<Uint8Array> {
    return this.#scatter(lens, (count) => this.#m.kernel.sys_readv(fd, count));
  }
  preadv(fd: number, lens: readonly number[], offset: number): Result<Uint8Array> {
    return this.#scatter(lens, (count) => this.#m.kernel.sys_preadv(fd, count, offset));
  }
  writev(fd: number, data: readonly Uint8Array[]): number {
    return this.#gather(data, (count) => this.#m.kernel.sys_writev(fd, count));
  }
  pwritev(fd: number, data: readonly Uint8Array[], offset: number): number {
    return this.#gather(data, (count) => this.#m.kernel.sys_pwritev(fd, count, offset));
  }
  readFault(fd: number, len: number): number {
    return this.#call(this.#with([], () => this.#m.kernel.sys_read(fd, BAD_SPACE, 0, len)));
  }
  writeFault(fd: number, len: number): number {
    return this.#call(this.#with([], () => this.#m.kernel.sys_write(fd, BAD_SPACE, 0, len)));
  }
  lseek(fd: number, offset: number, whence: number): number {
    const result = this.#take(
      () => this.#m.kernel.sys_lseek(fd, offset, whence),
      () => this.#dataF64(0),
    );
    return result;
  }
  ftruncate(fd: number, length: number): number {
    return this.#call(() => this.#m.kernel.sys_ftruncate(fd, length));
  }
  fallocate(fd: number, mode: number, offset: number, len: number): number {
    return this.#call(() => this.#m.kernel.sys_fallocate(fd, mode, offset, len));
  }
  copyFileRange(
    fdIn: number,
    offIn: number | null,
    fdOut: number,
    offOut: number | null,
    len: number,
    flags: number,
  ): number {
    return this.#call(() =>
      this.#m.kernel.sys_copy_file_range(fdIn, offIn ?? -1, fdOut, offOut ?? -1, len, flags),
    );
  }
  fsync(fd: number): number {
    return this.#call(() => this.#m.kernel.sys_fsync(fd));
  }
  fdatasync(fd: number): number {
    return this.#call(() => this.#m.kernel.sys_fdatasync(fd));
  }
  sync(): number {
    return this.#call(() => this.#m.kernel.sys_sync());
  }
  syncfs(fd: number): number {
    return this.#call(() => this.#m.kernel.sys_syncfs(fd));
  }

  // ── descriptors ─────────────────────────────────────────────────────────────────────────────
  fstat(fd: number): Result<Stat> {
    return this.#take(
      () => this.#m.kernel.sys_fstat(fd),
      () => this.#stat(),
    );
  }
  fchmod(fd: number, mode: number): number {
    return this.#call(() => this.#m.kernel.sys_fchmod(fd, mode));
  }
  fchown(fd: number, uid: number, gid: number): number {
    return this.#call(() => this.#m.kernel.sys_fchown(fd, uid, gid));
  }
  futimens(fd: number, atime: Timespec, mtime: Timespec): number {
    return this.#call(() => this.#m.kernel.sys_futimens(fd, atime.sec, atime.nsec, mtime.sec, mtime.nsec));
  }
  fstatfs(fd: number): Result<StatFs> {
    return this.#take(
      () => this.#m.kernel.sys_fstatfs(fd),
      () => this.#statfs(),
    );
  }
  getdents(fd: number, maxEntries = 0): Result<Dirent[]> {
    return this.#take(
      () => this.#m.kernel.sys_getdents(fd, maxEntries),
      (count) => this.#dirents(count),
    );
  }
  #dirents(count: number): Dirent[] {
    const list: Dirent[] = [];
    let name = this.#m.area + L.SA_PATH1;
    for (let i = 0; i < count; i++) {
      const at = L.GD_HEADER + L.GD_REC_SIZE * i;
      const length = this.#dataU32(at + L.GD_REC_NAMELEN);
      list.push({
        name: decoder.decode(this.#m.u8.slice(name, name + length)),
        ino: this.#dataF64(at + L.GD_REC_INO),
        type: this.#m.u8[this.#m.area + L.SA_DATA + at + L.GD_REC_TYPE],
        cookie: this.#dataF64(at + L.GD_REC_COOKIE),
      });
      name += length + 1;
    }
    return list;
  }
  dup(fd: number): number {
    return this.#call(() => this.#m.kernel.sys_dup(fd));
  }
  dup2(oldFd: number, newFd: number): number {
    return this.#call(() => this.#m.kernel.sys_dup2(oldFd, newFd));
  }
  dup3(oldFd: number, newFd: number, flags: number): number {
    return this.#call(() => this.#m.kernel.sys_dup3(oldFd, newFd, flags));
  }
  pipe2(flags: number): Result<[number, number]> {
    const issue = (): number => this.#m.kernel.sys_pipe2(flags);
    return this.#take(issue, (): [number, number] => [this.#dataU32(0), this.#dataU32(4)]);
  }
  fcntl(fd: number, cmd: number, arg: number): number {
    return this.#call(() => this.#m.kernel.sys_fcntl(fd, cmd, arg));
  }
  #lock(fd: number, cmd: number, lock: FileLock): () => number {
    const { type, whence, start, len } = lock;
    return () => this.#m.kernel.sys_fcntl_lock(fd, cmd, type, whence, start, len);
  }
  #foundLock(cmd: number): Result<FileLock> {
    if (cmd !== F.F_GETLK && cmd !== F.F_OFD_GETLK) return 0;
    return {
      type: this.#dataU32(L.FL_TYPE),
      whence: F.SEEK_SET,
      start: this.#dataF64(L.FL_START),
      len: this.#dataF64(L.FL_LEN),
      pid: this.#dataU32(L.FL_PID) | 0,
    };
  }
  fcntlLock(fd: number, cmd: number, lock: FileLock): Result<FileLock> {
    const result = this.#call(this.#lock(fd, cmd, lock));
    return result < 0 ? result : this.#foundLock(cmd);
  }
  flock(fd: number, op: number): number {
    return this.#call(() => this.#m.kernel.sys_flock(fd, op));
  }
  #pollIssue(fds: readonly PollFd[], timeoutMs: number): () => number {
    return () => {
      fds.slice(0, L.POLLFD_MAX).forEach((item, i) => {
        const at = (this.#m.area + L.SA_IOV + L.POLLFD_SIZE * i) / 4;
        this.#m.u32.set([item.fd, item.events], at);
      });
      return this.#m.kernel.sys_poll(fds.length, timeoutMs);
    };
  }
  #revents(count: number): number[] {
    const at = (this.#m.area + L.SA_IOV) / 4;
    return Array.from({ length: count }, (_, i) => this.#m.u32[at + 2 * i + 1] >>> 16);
  }
  poll(fds: readonly PollFd[], timeoutMs: number): Result<number[]> {
    return this.#take(this.#pollIssue(fds, timeoutMs), () => this.#revents(fds.length));
  }
  ioctl(fd: number, cmd: number): number {
    const buffer = new Uint8Array(256);
    return this.#call(this.#with([buffer], () => this.#m.kernel.sys_ioctl(fd, cmd, 0, 0)));
  }
  /** ioctl with a buffer that the command reads or fills. */
  ioctlInto(fd: number, cmd: number, buffer: Uint8Array): number {
    return this.#call(this.#with([buffer], () => this.#m.kernel.sys_ioctl(fd, cmd, 0, 0)));
  }
  inotifyInit(flags: number): number {
    return this.#call(() => this.#m.kernel.sys_inotify_init(flags));
  }
  inotifyAddWatch(fd: number, path: Path, mask: number): number {
    return this.#call(() => this.#m.kernel.sys_inotify_add_watch(fd, this.#path(path), mask));
  }
  inotifyRmWatch(fd: number, wd: number): number {
    return this.#call(() => this.#m.kernel.sys_inotify_rm_watch(fd, wd));
  }

  // ── extended attributes, handles ────────────────────────────────────────────────────────────
  /** The name at SA_PATH2; its length in bytes. */
  #name(name: string): number {
    return this.#path2(name);
  }
  #value(size: number, issue: (buffer: Uint8Array) => number): Result<Uint8Array> {
    const buffer = new Uint8Array(size);
    const call = this.#with([buffer], () => issue(buffer));
    const result = this.#call(call);
    return size === 0 || result < 0 ? result : buffer.slice(0, result);
  }
  #getxattr(path: Path, flags: number, name: string, size: number): Result<Uint8Array> {
    const { kernel } = this.#m;
    const { AT_FDCWD } = F;
    return this.#value(size, () =>
      kernel.sys_getxattr(AT_FDCWD, this.#path(path), flags, this.#name(name), 0, 0, size),
    );
  }
  getxattr(path: Path, name: string, size: number): Result<Uint8Array> {
    return this.#getxattr(path, 0, name, size);
  }
  lgetxattr(path: Path, name: string, size: number): Result<Uint8Array> {
    return this.#getxattr(path, F.AT_SYMLINK_NOFOLLOW, name, size);
  }
  fgetxattr(fd: number, name: string, size: number): Result<Uint8Array> {
    return this.#value(size, () => this.#m.kernel.sys_fgetxattr(fd, this.#name(name), 0, 0, size));
  }
  #setxattr(path: Path, flags: number, name: string, value: Uint8Array, xflags: number): number {
    const { kernel } = this.#m;
    const issue = (): number =>
      kernel.sys_setxattr(F.AT_FDCWD, this.#path(path), flags, this.#name(name), 0, 0, value.length, xflags);
    return this.#call(this.#with([value], issue));
  }
  setxattr(path: Path, name: string, value: Uint8Array, flags: number): number {
    return this.#setxattr(path, 0, name, value, flags);
  }
  lsetxattr(path: Path, name: string, value: Uint8Array, flags: number): number {
    return this.#setxattr(path, F.AT_SYMLINK_NOFOLLOW, name, value, flags);
  }
  fsetxattr(fd: number, name: string, value: Uint8Array, flags: number): number {
    const issue = (): number => this.#m.kernel.sys_fsetxattr(fd, this.#name(name), 0, 0, value.length, flags);
    return this.#call(this.#with([value], issue));
  }
  #names(size: number, issue: () => number): Result<string[]> {
    const list = this.#value(size, issue);
    return typeof list === 'number' ? list : decoder.decode(list).split('\0').slice(0, -1);
  }
  listxattr(path: Path, size: number): Result<string[]> {
    const { kernel } = this.#m;
    return this.#names(size, () => kernel.sys_listxattr(F.AT_FDCWD, this.#path(path), 0, 0, 0, size));
  }
  llistxattr(path: Path, size: number): Result<string[]> {
    const { kernel } = this.#m;
    const flags = F.AT_SYMLINK_NOFOLLOW;
    return this.#names(size, () => kernel.sys_listxattr(F.AT_FDCWD, this.#path(path), flags, 0, 0, size));
  }
  flistxattr(fd: number, size: number): Result<string[]> {
    return this.#names(size, () => this.#m.kernel.sys_flistxattr(fd, 0, 0, size));
  }
  #removexattr(path: Path, flags: number, name: string): number {
    const { kernel } = this.#m;
    return this.#call(() => kernel.sys_removexattr(F.AT_FDCWD, this.#path(path), flags, this.#name(name)));
  }
  removexattr(path: Path, name: string): number {
    return this.#removexattr(path, 0, name);
  }
  lremovexattr(path: Path, name: string): number {
    return this.#removexattr(path, F.AT_SYMLINK_NOFOLLOW, name);
  }
  fremovexattr(fd: number, name: string): number {
    return this.#call(() => this.#m.kernel.sys_fremovexattr(fd, this.#name(name)));
  }
  nameToHandleAt(dirfd: number, path: Path, flags: number): Result<Uint8Array> {
    const issue = (): number => this.#m.kernel.sys_name_to_handle_at(dirfd, this.#path(path), flags);
    const start = this.#m.area + L.SA_DATA;
    return this.#take(issue, () => this.#m.u8.slice(start, start + L.FH_LEN));
  }
  openByHandleAt(mountFd: number, handle: Uint8Array, flags: number): number {
    return this.#call(() => {
      this.#m.u8.set(handle, this.#m.area + L.SA_DATA);
      return this.#m.kernel.sys_open_by_handle_at(mountFd, flags);
    });
  }

  // ── the process ─────────────────────────────────────────────────────────────────────────────
  chdir(path: Path): number {
    return this.#call(() => this.#m.kernel.sys_chdir(this.#path(path)));
  }
  fchdir(fd: number): number {
    return this.#call(() => this.#m.kernel.sys_fchdir(fd));
  }
  chroot(path: Path): number {
    return this.#call(() => this.#m.kernel.sys_chroot(this.#path(path)));
  }
  getcwd(): Result<string> {
    return this.#take(
      () => this.#m.kernel.sys_getcwd(),
      (length) => this.#dataText(length),
    );
  }
  umask(mask: number): number {
    return this.#call(() => this.#m.kernel.sys_umask(mask));
  }
  setrlimit(resource: number, soft: number): number {
    const hard = this.#take(
      () => this.#m.kernel.sys_getrlimit(resource),
      () => this.#dataF64(0),
    );
    return hard < 0 ? hard : this.#call(() => this.#m.kernel.sys_setrlimit(resource, soft, hard));
  }
  mount(source: Path, target: Path, type: string, flags: number, options: string): number {
    return this.#call(() => {
      const [from, to] = [this.#path(source), this.#path2(target)];
      const typeLength = this.#put(L.SA_DATA, type, L.SA_DATA_SIZE);
      const optionsLength = this.#put(L.SA_DATA + typeLength, options, L.SA_DATA_SIZE - typeLength);
      return this.#m.kernel.sys_mount(from, to, typeLength, optionsLength, flags);
    });
  }
  umount2(path: Path, flags: number): number {
    return this.#call(() => this.#m.kernel.sys_umount2(this.#path(path), flags));
  }

  // ── calls that block ────────────────────────────────────────────────────────────────────────
  startOpen(path: Path, flags: number, mode = 0): Pending<number> {
    const issue = (): number => this.#m.kernel.sys_openat(F.AT_FDCWD, this.#path(path), flags, mode);
    return this.#start(issue, (fd) => fd);
  }
  startRead(fd: number, len: number): Pending<Uint8Array> {
    const buffer = new Uint8Array(len);
    const issue = this.#with([buffer], () => this.#m.kernel.sys_read(fd, 0, 0, len));
    return this.#start(issue, (n) => buffer.slice(0, n));
  }
  startWrite(fd: number, data: Uint8Array): Pending<number> {
    return this.#start(
      this.#with([data], () => this.#m.kernel.sys_write(fd, 0, 0, data.length)),
      (n) => n,
    );
  }
  startWritev(fd: number, data: readonly Uint8Array[]): Pending<number> {
    const issue = (): number => this.#m.kernel.sys_writev(fd, this.#vector(data));
    return this.#start(this.#with([...data], issue), (n) => n);
  }
  startLock(fd: number, cmd: number, lock: FileLock): Pending<FileLock> {
    return this.#start(this.#lock(fd, cmd, lock), () => this.#foundLock(cmd));
  }
  startFlock(fd: number, op: number): Pending<number> {
    return this.#start(
      () => this.#m.kernel.sys_flock(fd, op),
      (n) => n,
    );
  }
  startPoll(fds: readonly PollFd[], timeoutMs: number): Pending<number[]> {
    return this.#start(this.#pollIssue(fds, timeoutMs), () => this.#revents(fds.length));
  }
}
