import * as F from '../../assembly/abi/flags.ts';
import type { PosixProcess } from '../oracle/target.ts';
import type { CallName } from './documented.ts';
import type { Scene } from './scene.ts';

/**
 * The calls in groups that fail alike: those that resolve a path, and those that take a
 * descriptor. Cells for a whole group are generated from these lists.
 */

/** What must stand at the path for the call to succeed. */
export type Subject = 'file' | 'dir' | 'symlink' | 'attribute' | 'nothing';

export interface PathCall {
  call: CallName;
  /** Which of two paths; '' when there is one. */
  slot: string;
  subject: Subject;
  /** A symlink at the end is followed. */
  follows: boolean;
  /** It changes the file system, so that a read-only one refuses. */
  writes: boolean;
  /** Only root may make it at all. */
  privileged?: boolean;
  invoke(p: PosixProcess, path: string, s: Scene): unknown;
}

export const SOME_TIME = { sec: 1_000_000_000, nsec: 5 };
const ATTRIBUTE = 'user.contract';
const VALUE = new Uint8Array([1, 2, 3]);

type Invoke = PathCall['invoke'];

function looks(call: CallName, subject: Subject, invoke: Invoke, follows = true, slot = ''): PathCall {
  return { call, slot, subject, follows, writes: false, invoke };
}

function changes(call: CallName, subject: Subject, invoke: Invoke, follows = false, slot = ''): PathCall {
  return { call, slot, subject, follows, writes: true, invoke };
}

const AT = F.AT_FDCWD;

/** A name beside the path under test, for calls that take two. */
const beside = (path: string): string => `${path.slice(0, path.lastIndexOf('/'))}/beside`;

/** The other path of a two-path call when the one under test cannot be resolved. */
const spare = (s: Scene): string => s.at('spare');

function spareFile(s: Scene): string {
  const path = spare(s);
  s.me.close(s.open(path, F.O_CREAT | F.O_WRONLY));
  return path;
}

export const pathCalls: readonly PathCall[] = [
  looks('open', 'file', (p, path) => p.open(path, F.O_RDONLY)),
  looks('openat', 'file', (p, path) => p.openat(AT, path, F.O_RDONLY)),
  changes('creat', 'nothing', (p, path) => p.creat(path, 0o644), true),
  changes('truncate', 'file', (p, path) => p.truncate(path, 10), true),
  looks('stat', 'file', (p, path) => p.stat(path)),
  looks('lstat', 'file', (p, path) => p.lstat(path), false),
  looks('fstatat', 'file', (p, path) => p.fstatat(AT, path, F.AT_SYMLINK_NOFOLLOW), false),
  looks('access', 'file', (p, path) => p.access(path, F.F_OK)),
  looks('faccessat', 'file', (p, path) => p.faccessat(AT, path, F.F_OK, 0)),
  changes('chmod', 'file', (p, path) => p.chmod(path, 0o600), true),
  changes('fchmodat', 'file', (p, path) => p.fchmodat(AT, path, 0o600, 0), true),
  changes('chown', 'file', (p, path) => p.chown(path, -1, -1), true),
  changes('lchown', 'file', (p, path) => p.lchown(path, -1, -1)),
  changes('fchownat', 'file', (p, path) => p.fchownat(AT, path, -1, -1, 0), true),
  changes('utimensat', 'file', (p, path) => p.utimensat(AT, path, SOME_TIME, SOME_TIME, 0), true),
  changes('link', 'file', (p, path) => p.link(path, beside(path)), false, 'old'),
  changes('link', 'nothing', (p, path, s) => p.link(spareFile(s), path), false, 'new'),
  changes('linkat', 'file', (p, path) => p.linkat(AT, path, AT, beside(path), 0), false, 'old'),
  changes('linkat', 'nothing', (p, path, s) => p.linkat(AT, spareFile(s), AT, path, 0), false, 'new'),
  changes('symlink', 'nothing', (p, path) => p.symlink('target', path)),
  changes('symlinkat', 'nothing', (p, path) => p.symlinkat('target', AT, path)),
  looks('readlink', 'symlink', (p, path) => p.readlink(path), false),
  looks('readlinkat', 'symlink', (p, path) => p.readlinkat(AT, path), false),
  changes('unlink', 'file', (p, path) => p.unlink(path)),
  changes('unlinkat', 'file', (p, path) => p.unlinkat(AT, path, 0)),
  changes('rmdir', 'dir', (p, path) => p.rmdir(path)),
  changes('rename', 'file', (p, path) => p.rename(path, beside(path)), false, 'old'),
  changes('rename', 'nothing', (p, path, s) => p.rename(spareFile(s), path), false, 'new'),
  changes('renameat2', 'file', (p, path) => p.renameat2(AT, path, AT, beside(path), 0), false, 'old'),
  changes('renameat2', 'nothing', (p, path, s) => p.renameat2(AT, spareFile(s), AT, path, 0), false, 'new'),
  changes('mkdir', 'nothing', (p, path) => p.mkdir(path, 0o755)),
  changes('mkdirat', 'nothing', (p, path) => p.mkdirat(AT, path, 0o755)),
  changes('mknod', 'nothing', (p, path) => p.mknod(path, F.S_IFREG | 0o644, 0)),
  changes('mknodat', 'nothing', (p, path) => p.mknodat(AT, path, F.S_IFREG | 0o644, 0)),
  changes('mkfifo', 'nothing', (p, path) => p.mkfifo(path, 0o644)),
  looks('chdir', 'dir', (p, path) => p.chdir(path)),
  { ...looks('chroot', 'dir', (p, path) => p.chroot(path)), privileged: true },
  looks('statfs', 'file', (p, path) => p.statfs(path)),
  looks('getxattr', 'attribute', (p, path) => p.getxattr(path, ATTRIBUTE, 100)),
  looks('lgetxattr', 'attribute', (p, path) => p.lgetxattr(path, ATTRIBUTE, 100), false),
  changes('setxattr', 'file', (p, path) => p.setxattr(path, ATTRIBUTE, VALUE, 0), true),
  changes('lsetxattr', 'file', (p, path) => p.lsetxattr(path, ATTRIBUTE, VALUE, 0)),
  looks('listxattr', 'file', (p, path) => p.listxattr(path, 100)),
  looks('llistxattr', 'file', (p, path) => p.llistxattr(path, 100), false),
  changes('removexattr', 'attribute', (p, path) => p.removexattr(path, ATTRIBUTE), true),
  changes('lremovexattr', 'attribute', (p, path) => p.lremovexattr(path, ATTRIBUTE)),
  looks('nameToHandleAt', 'file', (p, path) => p.nameToHandleAt(AT, path, 0), false),
  looks('inotifyAddWatch', 'file', (p, path, s) => {
    const fd = s.ok(p.inotifyInit(0), 'inotify_init');
    return p.inotifyAddWatch(fd, path, F.IN_MODIFY);
  }),
  { ...looks('mount', 'dir', mountHere), privileged: true },
  { ...looks('umount2', 'dir', (p, path) => p.umount2(path, 0)), privileged: true },
];

function mountHere(p: PosixProcess, path: string, s: Scene): number {
  const result = p.mount('none', path, 'tmpfs', 0, '');
  if (result >= 0) s.ok(p.umount2(path, 0), 'umount2');
  return result;
}

/** Make what the call needs at a path; by whoever makes the calls. */
export function makeSubject(s: Scene, subject: Subject, path: string): void {
  if (subject === 'nothing') return;
  if (subject === 'dir') s.ok(s.me.mkdir(path, 0o755), `mkdir ${path}`);
  else if (subject === 'symlink') s.ok(s.me.symlink('target', path), `symlink ${path}`);
  else s.ok(s.me.close(s.open(path, F.O_CREAT | F.O_WRONLY)), 'close');
  if (subject === 'attribute') s.ok(s.me.setxattr(path, ATTRIBUTE, VALUE, 0), 'setxattr');
}

/** Calls with a directory descriptor to start from. */
export interface AtCall {
  call: CallName;
  slot: string;
  invoke(p: PosixProcess, dirfd: number, name: string, s: Scene): unknown;
}

export const atCalls: readonly AtCall[] = [
  { call: 'openat', slot: '', invoke: (p, d, name) => p.openat(d, name, F.O_RDONLY) },
  { call: 'fstatat', slot: '', invoke: (p, d, name) => p.fstatat(d, name, 0) },
  { call: 'faccessat', slot: '', invoke: (p, d, name) => p.faccessat(d, name, F.F_OK, 0) },
  { call: 'fchmodat', slot: '', invoke: (p, d, name) => p.fchmodat(d, name, 0o600, 0) },
  { call: 'fchownat', slot: '', invoke: (p, d, name) => p.fchownat(d, name, -1, -1, 0) },
  { call: 'utimensat', slot: '', invoke: (p, d, name) => p.utimensat(d, name, SOME_TIME, SOME_TIME, 0) },
  { call: 'linkat', slot: 'old', invoke: (p, d, name, s) => p.linkat(d, name, AT, s.at('made'), 0) },
  { call: 'linkat', slot: 'new', invoke: (p, d, name, s) => p.linkat(AT, spareFile(s), d, name, 0) },
  { call: 'symlinkat', slot: '', invoke: (p, d, name) => p.symlinkat('target', d, name) },
  { call: 'readlinkat', slot: '', invoke: (p, d, name) => p.readlinkat(d, name) },
  { call: 'unlinkat', slot: '', invoke: (p, d, name) => p.unlinkat(d, name, 0) },
  { call: 'renameat2', slot: 'old', invoke: (p, d, name, s) => p.renameat2(d, name, AT, s.at('made'), 0) },
  { call: 'renameat2', slot: 'new', invoke: (p, d, name, s) => p.renameat2(AT, spareFile(s), d, name, 0) },
  { call: 'mkdirat', slot: '', invoke: (p, d, name) => p.mkdirat(d, name, 0o755) },
  { call: 'mknodat', slot: '', invoke: (p, d, name) => p.mknodat(d, name, F.S_IFREG | 0o644, 0) },
  { call: 'nameToHandleAt', slot: '', invoke: (p, d, name) => p.nameToHandleAt(d, name, 0) },
];

/** Calls on a descriptor. */
export interface FdCall {
  call: CallName;
  slot: string;
  /** What an O_PATH descriptor may still do. */
  onPath: boolean;
  invoke(p: PosixProcess, fd: number, s: Scene): unknown;
}

function onFd(call: CallName, invoke: FdCall['invoke'], onPath = false, slot = ''): FdCall {
  return { call, slot, onPath, invoke };
}

const WHOLE_FILE = { type: F.F_RDLCK, whence: F.SEEK_SET, start: 0, len: 0 };
const TCGETS = 0x5401;

export const fdCalls: readonly FdCall[] = [
  onFd('close', (p, fd) => p.close(fd), true),
  onFd('read', (p, fd) => p.read(fd, 1)),
  onFd('pread', (p, fd) => p.pread(fd, 1, 0)),
  onFd('readv', (p, fd) => p.readv(fd, [1])),
  onFd('preadv', (p, fd) => p.preadv(fd, [1], 0)),
  onFd('write', (p, fd) => p.write(fd, VALUE)),
  onFd('pwrite', (p, fd) => p.pwrite(fd, VALUE, 0)),
  onFd('writev', (p, fd) => p.writev(fd, [VALUE])),
  onFd('pwritev', (p, fd) => p.pwritev(fd, [VALUE], 0)),
  onFd('lseek', (p, fd) => p.lseek(fd, 0, F.SEEK_SET)),
  onFd('ftruncate', (p, fd) => p.ftruncate(fd, 1)),
  onFd('fallocate', (p, fd) => p.fallocate(fd, 0, 0, 1)),
  onFd('fstat', (p, fd) => p.fstat(fd), true),
  onFd('fchmod', (p, fd) => p.fchmod(fd, 0o600)),
  onFd('fchown', (p, fd) => p.fchown(fd, -1, -1)),
  onFd('futimens', (p, fd) => p.futimens(fd, SOME_TIME, SOME_TIME)),
  onFd('fstatfs', (p, fd) => p.fstatfs(fd), true),
  onFd('getdents', (p, fd) => p.getdents(fd)),
  onFd('fchdir', (p, fd) => p.fchdir(fd), true),
  onFd('dup', (p, fd) => p.dup(fd), true),
  onFd('dup2', (p, fd) => p.dup2(fd, 20), true),
  onFd('dup2', (p, fd) => p.dup2(fd, fd), true, 'itself'),
  onFd('dup3', (p, fd) => p.dup3(fd, 20, 0), true),
  onFd('fcntl', (p, fd) => p.fcntl(fd, F.F_GETFD, 0), true),
  onFd('fcntlLock', (p, fd) => p.fcntlLock(fd, F.F_SETLK, WHOLE_FILE)),
  onFd('flock', (p, fd) => p.flock(fd, F.LOCK_SH | F.LOCK_NB)),
  onFd('fsync', (p, fd) => p.fsync(fd)),
  onFd('fdatasync', (p, fd) => p.fdatasync(fd)),
  onFd('syncfs', (p, fd) => p.syncfs(fd)),
  onFd('fgetxattr', (p, fd) => p.fgetxattr(fd, ATTRIBUTE, 10)),
  onFd('fsetxattr', (p, fd) => p.fsetxattr(fd, ATTRIBUTE, VALUE, 0)),
  onFd('flistxattr', (p, fd) => p.flistxattr(fd, 10)),
  onFd('fremovexattr', (p, fd) => p.fremovexattr(fd, ATTRIBUTE)),
  onFd('ioctl', (p, fd) => p.ioctl(fd, TCGETS)),
  onFd('copyFileRange', (p, fd, s) => copy(p, fd, spareFd(s)), false, 'in'),
  onFd('copyFileRange', (p, fd, s) => copy(p, spareFd(s), fd), false, 'out'),
  onFd('inotifyAddWatch', (p, fd, s) => p.inotifyAddWatch(fd, s.dir, F.IN_MODIFY)),
  onFd('inotifyRmWatch', (p, fd) => p.inotifyRmWatch(fd, 1)),
];

function spareFd(s: Scene): number {
  return s.open(spare(s), F.O_CREAT | F.O_RDWR);
}

function copy(p: PosixProcess, from: number, to: number): number {
  return p.copyFileRange(from, 0, to, 0, 1, 0);
}
