import { ENOSYS, EOPNOTSUPP } from '../../assembly/abi/errno.ts';
import * as F from '../../assembly/abi/flags.ts';
import * as E from './linux-encode.ts';
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
import { parseReply, pause, type Reply, type Wire, waitsInCall } from './wire.ts';

/** The driver's own descriptors begin here (driver.h). */
const OWN_FDS = 1000;
/** How often a signal is sent again: it may have come before the call began to wait. */
const SIGNAL_EVERY_MS = 2;
/** No process has anything mapped there. */
const BAD_ADDRESS = 8;
const DIRENT_BUFFER = 32768;
const PATH_BUFFER = 4097;
/** struct file_handle: u32 size, i32 type, then the handle. */
const HANDLE_HEADER = 8;
const MAX_HANDLE_SIZE = 128;

type Argument = number | string;

/** A process on the host's own kernel: each method is one raw system call in a driver process. */
export class LinuxProcess extends NamedProcess implements PosixProcess {
  #wire: Wire;

  constructor(wire: Wire, pid: number, credentials: Credentials) {
    super(pid, credentials);
    this.#wire = wire;
  }

  protected ended(): void {
    this.#wire.close();
  }

  /** An operation of the driver that is no system call. */
  operation(line: string): Reply {
    return this.#wire.call(line);
  }

  #call(name: string, ...args: Argument[]): number {
    return this.#wire.call(`${name} ${args.join(' ')}`).result;
  }

  #take<T>(decode: (hex: string, result: number) => T, name: string, ...args: Argument[]): Result<T> {
    const reply = this.#wire.call(`${name} ${args.join(' ')}`);
    return reply.result < 0 ? reply.result : decode(reply.out[0], reply.result);
  }

  #start<T>(decode: (reply: Reply) => Result<T>, name: string, ...args: Argument[]): Pending<T> {
    const request = `${name} ${args.join(' ')}`;
    const [wire, pid] = [this.#wire, this.pid];
    let result: Result<T> | undefined;
    wire.send(`&${request}`);
    const poll = (): Result<T> | undefined => {
      while (result === undefined) {
        const line = wire.tryReceive();
        if (line !== undefined) result = decode(parseReply(line, request));
        else if (waitsInCall(pid, OWN_FDS)) return undefined;
      }
      return result;
    };
    const cancel = (): Result<T> => {
      while (poll() === undefined) {
        process.kill(pid, 'SIGUSR1');
        pause(SIGNAL_EVERY_MS);
      }
      return result as Result<T>;
    };
    return { poll, cancel };
  }

  // ── names ───────────────────────────────────────────────────────────────────────────────────
  openat(dirfd: number, path: Path, flags: number, mode = 0): number {
    return this.#call('openat', dirfd, E.text(path), flags, mode);
  }
  stat(path: Path): Result<Stat> {
    return this.fstatat(F.AT_FDCWD, path, 0);
  }
  lstat(path: Path): Result<Stat> {
    return this.fstatat(F.AT_FDCWD, path, F.AT_SYMLINK_NOFOLLOW);
  }
  fstatat(dirfd: number, path: Path, flags: number): Result<Stat> {
    const out = E.whole(E.STATX_SIZE);
    return this.#take(E.decodeStatx, 'statx', dirfd, E.text(path), flags, E.STATX_BASIC_STATS, out);
  }
  faccessat(dirfd: number, path: Path, mode: number, flags: number): number {
    return this.#call('faccessat2', dirfd, E.text(path), mode, flags);
  }
  fchmodat(dirfd: number, path: Path, mode: number, flags: number): number {
    if (flags === 0) return this.#call('fchmodat', dirfd, E.text(path), mode);
    const result = this.#call('fchmodat2', dirfd, E.text(path), mode, flags);
    return result === -ENOSYS ? -EOPNOTSUPP : result;
  }
  fchownat(dirfd: number, path: Path, uid: number, gid: number, flags: number): number {
    return this.#call('fchownat', dirfd, E.text(path), uid, gid, flags);
  }
  utimensat(dirfd: number, path: Path, atime: Timespec, mtime: Timespec, flags: number): number {
    return this.#call('utimensat', dirfd, E.text(path), E.bytes(E.encodeTimes([atime, mtime])), flags);
  }
  truncate(path: Path, length: number): number {
    return this.#call('truncate', E.text(path), length);
  }
  linkat(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): number {
    return this.#call('linkat', oldDirfd, E.text(oldPath), newDirfd, E.text(newPath), flags);
  }
  symlinkat(target: Path, dirfd: number, path: Path): number {
    return this.#call('symlinkat', E.text(target), dirfd, E.text(path));
  }
  readlinkat(dirfd: number, path: Path): Result<string> {
    return this.#take(E.decodeText, 'readlinkat', dirfd, E.text(path), E.used(PATH_BUFFER), PATH_BUFFER);
  }
  unlinkat(dirfd: number, path: Path, flags: number): number {
    return this.#call('unlinkat', dirfd, E.text(path), flags);
  }
  renameat2(oldDirfd: number, oldPath: Path, newDirfd: number, newPath: Path, flags: number): number {
    return this.#call('renameat2', oldDirfd, E.text(oldPath), newDirfd, E.text(newPath), flags);
  }
  mkdirat(dirfd: number, path: Path, mode: number): number {
    return this.#call('mkdirat', dirfd, E.text(path), mode);
  }
  mknodat(dirfd: number, path: Path, mode: number, rdev: number): number {
    return this.#call('mknodat', dirfd, E.text(path), mode, rdev);
  }
  statfs(path: Path): Result<StatFs> {
    return this.#take(E.decodeStatfs, 'statfs', E.text(path), E.whole(E.STATFS_SIZE));
  }

  // ── data ────────────────────────────────────────────────────────────────────────────────────
  close(fd: number): number {
    return this.#call('close', fd);
  }
  read(fd: number, len: number): Result<Uint8Array> {
    return this.#take(E.decodeBytes, 'read', fd, E.used(len), len);
  }
  pread(fd: number, len: number, offset: number): Result<Uint8Array> {
    return this.#take(E.decodeBytes, 'pread64', fd, E.used(len), len, offset);
  }
  readv(fd: number, lens: readonly number[]): Result<Uint8Array> {
    return this.#take(E.decodeBytes, 'readv', fd, E.emptyVector(lens), lens.length);
  }
  preadv(fd: number, lens: readonly number[], offset: number): Result<Uint8Array> {
    return this.#take(E.decodeBytes, 'preadv', fd, E.emptyVector(lens), lens.length, offset, 0);
  }
  write(fd: number, data: Uint8Array): number {
    return this.#call('write', fd, E.bytes(data), data.length);
  }
  pwrite(fd: number, data: Uint8Array, offset: number): number {
    return this.#call('pwrite64', fd, E.bytes(data), data.length, offset);
  }
  writev(fd: number, data: readonly Uint8Array[]): number {
    return this.#call('writev', fd, E.filledVector(data), data.length);
  }
  pwritev(fd: number, data: readonly Uint8Array[], offset: number): number {
    return this.#call('pwritev', fd, E.filledVector(data), data.length, offset, 0);
  }
  readFault(fd: number, len: number): number {
    return this.#call('read', fd, BAD_ADDRESS, len);
  }
  writeFault(fd: number, len: number): number {
    return this.#call('write', fd, BAD_ADDRESS, len);
  }
  lseek(fd: number, offset: number, whence: number): number {
    return this.#call('lseek', fd, offset, whence);
  }
  ftruncate(fd: number, length: number): number {
    return this.#call('ftruncate', fd, length);
  }
  fallocate(fd: number, mode: number, offset: number, len: number): number {
    return this.#call('fallocate', fd, mode, offset, len);
  }
  copyFileRange(
    fdIn: number,
    offIn: number | null,
    fdOut: number,
    offOut: number | null,
    len: number,
    flags: number,
  ): number {
    const pointer = (off: number | null): Argument =>
      off === null ? 0 : E.bytes(new Uint8Array(new BigInt64Array([BigInt(off)]).buffer));
    return this.#call('copy_file_range', fdIn, pointer(offIn), fdOut, pointer(offOut), len, flags);
  }
  fsync(fd: number): number {
    return this.#call('fsync', fd);
  }
  fdatasync(fd: number): number {
    return this.#call('fdatasync', fd);
  }
  sync(): number {
    return this.#call('sync');
  }
  syncfs(fd: number): number {
    return this.#call('syncfs', fd);
  }

  // ── descriptors ─────────────────────────────────────────────────────────────────────────────
  fstat(fd: number): Result<Stat> {
    return this.fstatat(fd, '', F.AT_EMPTY_PATH);
  }
  fchmod(fd: number, mode: number): number {
    return this.#call('fchmod', fd, mode);
  }
  fchown(fd: number, uid: number, gid: number): number {
    return this.#call('fchown', fd, uid, gid);
  }
  futimens(fd: number, atime: Timespec, mtime: Timespec): number {
    return this.#call('utimensat', fd, 0, E.bytes(E.encodeTimes([atime, mtime])), 0);
  }
  fstatfs(fd: number): Result<StatFs> {
    return this.#take(E.decodeStatfs, 'fstatfs', fd, E.whole(E.STATFS_SIZE));
  }
  getdents(fd: number, maxEntries = Number.POSITIVE_INFINITY): Result<Dirent[]> {
    const list = this.#take(E.decodeDirents, 'getdents64', fd, E.used(DIRENT_BUFFER), DIRENT_BUFFER);
    if (typeof list === 'number' || list.length <= maxEntries) return list;
    // The call counts bytes, not entries: go back to where the last entry wanted ends.
    const kept = list.slice(0, maxEntries);
    const back = this.lseek(fd, kept[kept.length - 1].cookie, F.SEEK_SET);
    return back < 0 ? back : kept;
  }
  dup(fd: number): number {
    return this.#call('dup', fd);
  }
  dup2(oldFd: number, newFd: number): number {
    if (oldFd !== newFd) return this.#call('dup3', oldFd, newFd, 0);
    const flags = this.fcntl(oldFd, F.F_GETFD, 0);
    return flags < 0 ? flags : newFd;
  }
  dup3(oldFd: number, newFd: number, flags: number): number {
    return this.#call('dup3', oldFd, newFd, flags);
  }
  pipe2(flags: number): Result<[number, number]> {
    const decode = (hex: string): [number, number] => {
      const b = Buffer.from(hex, 'hex');
      return [b.readInt32LE(0), b.readInt32LE(4)];
    };
    return this.#take(decode, 'pipe2', E.whole(8), flags);
  }
  fcntl(fd: number, cmd: number, arg: number): number {
    return this.#call('fcntl', fd, cmd, arg);
  }
  fcntlLock(fd: number, cmd: number, lock: FileLock): Result<FileLock> {
    return this.#decodeLock(cmd, this.#wire.call(this.#lockRequest(fd, cmd, lock)));
  }
  #lockRequest(fd: number, cmd: number, lock: FileLock): string {
    return `fcntl ${fd} ${cmd} ${E.inout(E.encodeFlock(lock))}`;
  }
  #decodeLock(cmd: number, reply: Reply): Result<FileLock> {
    const asks = cmd === F.F_GETLK || cmd === F.F_OFD_GETLK;
    return asks && reply.result === 0 ? E.decodeFlock(reply.out[0]) : reply.result;
  }
  flock(fd: number, op: number): number {
    return this.#call('flock', fd, op);
  }
  poll(fds: readonly PollFd[], timeoutMs: number): Result<number[]> {
    const reply = this.#wire.call(`ppoll ${this.#pollArguments(fds, timeoutMs)}`);
    return this.#decodePoll(fds.length, reply);
  }
  #pollArguments(fds: readonly PollFd[], timeoutMs: number): string {
    const b = Buffer.alloc(8 * fds.length);
    fds.forEach((item, i) => {
      b.writeInt32LE(item.fd, 8 * i);
      b.writeUInt16LE(item.events, 8 * i + 4);
    });
    const timeout = { sec: Math.floor(timeoutMs / 1000), nsec: (timeoutMs % 1000) * 1e6 };
    const pointer = timeoutMs < 0 ? 0 : E.bytes(E.encodeTimes([timeout]));
    return `${E.inout(b)} ${fds.length} ${pointer} 0 0`;
  }
  #decodePoll(count: number, reply: Reply): Result<number[]> {
    if (reply.result < 0) return reply.result;
    const b = Buffer.from(reply.out[0], 'hex');
    return Array.from({ length: count }, (_, i) => b.readUInt16LE(8 * i + 6));
  }
  ioctl(fd: number, cmd: number): number {
    return this.#call('ioctl', fd, cmd, E.whole(256));
  }
  inotifyInit(flags: number): number {
    return this.#call('inotify_init1', flags);
  }
  inotifyAddWatch(fd: number, path: Path, mask: number): number {
    return this.#call('inotify_add_watch', fd, E.text(path), mask >>> 0);
  }
  inotifyRmWatch(fd: number, wd: number): number {
    return this.#call('inotify_rm_watch', fd, wd);
  }

  // ── extended attributes, handles ────────────────────────────────────────────────────────────
  #getxattr(call: string, file: Argument, name: string, size: number): Result<Uint8Array> {
    if (size === 0) return this.#call(call, file, E.text(name), 0, 0);
    return this.#take(E.decodeBytes, call, file, E.text(name), E.used(size), size);
  }
  getxattr(path: Path, name: string, size: number): Result<Uint8Array> {
    return this.#getxattr('getxattr', E.text(path), name, size);
  }
  lgetxattr(path: Path, name: string, size: number): Result<Uint8Array> {
    return this.#getxattr('lgetxattr', E.text(path), name, size);
  }
  fgetxattr(fd: number, name: string, size: number): Result<Uint8Array> {
    return this.#getxattr('fgetxattr', fd, name, size);
  }
  setxattr(path: Path, name: string, value: Uint8Array, flags: number): number {
    return this.#call('setxattr', E.text(path), E.text(name), E.bytes(value), value.length, flags);
  }
  lsetxattr(path: Path, name: string, value: Uint8Array, flags: number): number {
    return this.#call('lsetxattr', E.text(path), E.text(name), E.bytes(value), value.length, flags);
  }
  fsetxattr(fd: number, name: string, value: Uint8Array, flags: number): number {
    return this.#call('fsetxattr', fd, E.text(name), E.bytes(value), value.length, flags);
  }
  #listxattr(call: string, file: Argument, size: number): Result<string[]> {
    if (size === 0) return this.#call(call, file, 0, 0);
    const decode = (hex: string): string[] => E.decodeText(hex).split('\0').slice(0, -1);
    return this.#take(decode, call, file, E.used(size), size);
  }
  listxattr(path: Path, size: number): Result<string[]> {
    return this.#listxattr('listxattr', E.text(path), size);
  }
  llistxattr(path: Path, size: number): Result<string[]> {
    return this.#listxattr('llistxattr', E.text(path), size);
  }
  flistxattr(fd: number, size: number): Result<string[]> {
    return this.#listxattr('flistxattr', fd, size);
  }
  removexattr(path: Path, name: string): number {
    return this.#call('removexattr', E.text(path), E.text(name));
  }
  lremovexattr(path: Path, name: string): number {
    return this.#call('lremovexattr', E.text(path), E.text(name));
  }
  fremovexattr(fd: number, name: string): number {
    return this.#call('fremovexattr', fd, E.text(name));
  }
  nameToHandleAt(dirfd: number, path: Path, flags: number): Result<Uint8Array> {
    const handle = Buffer.alloc(HANDLE_HEADER + MAX_HANDLE_SIZE);
    handle.writeUInt32LE(MAX_HANDLE_SIZE, 0);
    const decode = (hex: string): Uint8Array => {
      const bytes = E.decodeBytes(hex);
      return bytes.subarray(0, HANDLE_HEADER + new DataView(bytes.buffer).getUint32(0, true));
    };
    const mountId = E.whole(4);
    return this.#take(decode, 'name_to_handle_at', dirfd, E.text(path), E.inout(handle), mountId, flags);
  }
  openByHandleAt(mountFd: number, handle: Uint8Array, flags: number): number {
    return this.#call('open_by_handle_at', mountFd, E.bytes(handle), flags);
  }

  // ── the process ─────────────────────────────────────────────────────────────────────────────
  chdir(path: Path): number {
    return this.#call('chdir', E.text(path));
  }
  fchdir(fd: number): number {
    return this.#call('fchdir', fd);
  }
  chroot(path: Path): number {
    return this.#call('chroot', E.text(path));
  }
  getcwd(): Result<string> {
    const decode = (hex: string): string => E.decodeText(hex).replace(/\0$/, '');
    return this.#take(decode, 'getcwd', E.used(PATH_BUFFER), PATH_BUFFER);
  }
  umask(mask: number): number {
    return this.#call('umask', mask);
  }
  setrlimit(resource: number, soft: number): number {
    const now = this.#wire.call(`prlimit64 0 ${resource} 0 ${E.whole(16)}`);
    if (now.result < 0) return now.result;
    const limits = Buffer.from(now.out[0], 'hex');
    limits.writeBigUInt64LE(BigInt(soft), 0);
    return this.#call('prlimit64', 0, resource, E.bytes(limits), 0);
  }
  mount(source: Path, target: Path, type: string, flags: number, options: string): number {
    return this.#call('mount', E.text(source), E.text(target), E.text(type), flags, E.text(options));
  }
  umount2(path: Path, flags: number): number {
    return this.#call('umount2', E.text(path), flags);
  }

  // ── calls that block ────────────────────────────────────────────────────────────────────────
  startOpen(path: Path, flags: number, mode = 0): Pending<number> {
    return this.#start((r) => r.result, 'openat', F.AT_FDCWD, E.text(path), flags, mode);
  }
  startRead(fd: number, len: number): Pending<Uint8Array> {
    const decode = (r: Reply): Result<Uint8Array> => (r.result < 0 ? r.result : E.decodeBytes(r.out[0]));
    return this.#start(decode, 'read', fd, E.used(len), len);
  }
  startWrite(fd: number, data: Uint8Array): Pending<number> {
    return this.#start((r) => r.result, 'write', fd, E.bytes(data), data.length);
  }
  startLock(fd: number, cmd: number, lock: FileLock): Pending<FileLock> {
    const [name, ...args] = this.#lockRequest(fd, cmd, lock).split(' ');
    return this.#start((r) => this.#decodeLock(cmd, r), name, ...args);
  }
  startFlock(fd: number, op: number): Pending<number> {
    return this.#start((r) => r.result, 'flock', fd, op);
  }
  startPoll(fds: readonly PollFd[], timeoutMs: number): Pending<number[]> {
    const decode = (r: Reply): Result<number[]> => this.#decodePoll(fds.length, r);
    return this.#start(decode, 'ppoll', this.#pollArguments(fds, timeoutMs));
  }
}
