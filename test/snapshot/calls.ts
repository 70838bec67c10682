/** Random calls of every kind that keeps state in the kernel, as fast-check makes and shrinks them. */
import fc, { type Arbitrary } from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import type { Call } from './player.ts';

type Args = Arbitrary<(number | string)[]>;

const LONG = 'n'.repeat(200);
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e') },
  { weight: 2, arbitrary: fc.constantFrom('..', '.', LONG, 'm', 'fifo', 'link') },
);
const below = fc
  .tuple(fc.array(name, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([names, absolute]) => `${absolute ? '/' : ''}${names.join('/')}`);
const SPECIAL = [
  '/dev/null',
  '/dev/zero',
  '/dev/random',
  '/dev/urandom',
  '/dev/full',
  '/dev/console',
  '/dev/fd/3',
  '/proc/mounts',
  '/proc/locks',
  '/proc/vmstat',
  '/proc/vnodes',
  '/proc/self/fd/4',
  '/proc/trace_stats',
];
const path = fc.oneof(
  { weight: 12, arbitrary: below },
  { weight: 1, arbitrary: fc.constantFrom(...SPECIAL) },
);
/** A descriptor: mostly one of the kind wanted, where {@link PRELUDE} puts it or where later ones land. */
const anyFd = fc.oneof({ weight: 8, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.nat(40) });
const like = (...fds: number[]): Arbitrary<number> =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...fds) }, { weight: 1, arbitrary: anyFd });
const fd = like(0, 1, 7, 8);
const directoryFd = like(2);
const readEnd = like(3, 3, 0, 5);
const writeEnd = like(4, 4, 0, 1);
const queueFd = like(5);
const dirfd = fc.oneof(
  { weight: 8, arbitrary: fc.constant(F.AT_FDCWD) },
  { weight: 1, arbitrary: directoryFd },
);
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o1777, 0o2775, 0o4711, 0);
const offset = fc.oneof(fc.nat(20_000), fc.constantFrom(0, 4096, 65_536, 1 << 20, 5_000_000_000));
const length = fc.oneof(fc.nat(9000), fc.constantFrom(0, 4096, 70_000));
const openFlags = fc
  .tuple(
    fc.constantFrom(F.O_RDONLY, F.O_WRONLY, F.O_RDWR, F.O_RDWR),
    fc.constantFrom(0, F.O_CREAT, F.O_CREAT, F.O_CREAT | F.O_EXCL, F.O_TRUNC | F.O_CREAT, F.O_DIRECTORY),
    fc.constantFrom(0, 0, 0, F.O_NONBLOCK, F.O_APPEND, F.O_CLOEXEC, F.O_NOFOLLOW, F.O_PATH),
  )
  .map(([access, create, more]) => access | create | more);

function all(...parts: Arbitrary<number | string>[]): Args {
  return fc.tuple(...parts);
}
const c = fc.constant;

const actor = fc.nat(5);

function call(name: Call['name'], args: Args = c([]), more: Partial<Call> = {}): Arbitrary<Call> {
  return fc.record({ actor, args }).map((made) => ({ name, ...made, ...more }));
}

/** A call with a buffer behind its first argument: (fd, space, addr, len, …). */
function moving(name: Call['name'], fd: Arbitrary<number>, ...rest: Arbitrary<number>[]): Arbitrary<Call> {
  return fc.record({ actor, fd, bytes: length, from: fc.nat(255), rest: fc.tuple(...rest) }).map((made) => ({
    name,
    actor: made.actor,
    args: [made.fd, 0, 0, made.bytes, ...made.rest],
    buffer: { bytes: made.bytes, from: made.from },
  }));
}

/** The same with a list of pieces of one buffer. */
function vectored(name: Call['name'], fd: Arbitrary<number>, ...rest: Arbitrary<number>[]): Arbitrary<Call> {
  const lengths = fc.array(fc.nat(3000), { minLength: 1, maxLength: 5 });
  return fc.record({ actor, fd, lengths, from: fc.nat(255), rest: fc.tuple(...rest) }).map((made) => {
    const words: number[] = [];
    let at = 0;
    for (const bytes of made.lengths) {
      words.push(0, at, bytes);
      at += bytes;
    }
    const args = [made.fd, made.lengths.length, ...made.rest];
    return { name, actor: made.actor, args, words, buffer: { bytes: at, from: made.from } };
  });
}

const polls = fc
  .record({
    actor,
    fds: fc.array(fc.oneof(readEnd, queueFd), { maxLength: 4 }),
    timeout: fc.constantFrom(0, 5, 1000, -1),
  })
  .map(
    (made): Call => ({
      name: 'sys_poll',
      actor: made.actor,
      words: made.fds.flatMap((number) => [number, F.POLLIN]),
      args: [made.fds.length, made.timeout],
    }),
  );

const mounts = fc
  .record({
    actor,
    target: fc.constantFrom('/m', '/m', '/a', '/m/a'),
    type: fc.constantFrom('tmpfs', 'tmpfs', 'nullfs', 'procfs', 'devfs'),
    flags: fc.constantFrom(0, 0, F.MS_RDONLY, F.MS_BIND, F.MS_BIND, F.MS_REMOUNT | F.MS_RDONLY, F.MS_REMOUNT),
  })
  .map(({ actor, target, type, flags }): Call => {
    const options = type === 'tmpfs' ? 'size=64k' : '';
    return {
      name: 'sys_mount',
      actor,
      text: type + options,
      args: ['/a', target, type.length, options.length, flags],
    };
  });

const attributes = fc
  .record({ actor, path, name: fc.constantFrom('user.a', 'user.b', 'trusted.c'), bytes: fc.nat(600) })
  .map(
    (made): Call => ({
      name: 'sys_setxattr',
      actor: made.actor,
      args: [F.AT_FDCWD, made.path, 0, made.name, 0, 0, made.bytes, 0],
      buffer: { bytes: made.bytes, from: made.bytes },
    }),
  );
const listed = fc.record({ actor, path }).map(
  (made): Call => ({
    name: 'sys_listxattr',
    actor: made.actor,
    args: [F.AT_FDCWD, made.path, 0, 0, 0, 500],
    buffer: { bytes: 500, from: 0 },
  }),
);
const got = fc.record({ actor, path }).map(
  (made): Call => ({
    name: 'sys_getxattr',
    actor: made.actor,
    args: [F.AT_FDCWD, made.path, 0, 'user.a', 0, 0, 600],
    buffer: { bytes: 600, from: 0 },
  }),
);

/** What is typed at the console, and what is written to /proc/trace (root's descriptor 6). */
const typed = fc
  .constantFrom('a line\n', 'half')
  .map((text): Call => ({ name: 'console_input', actor: 0, args: [text, 0] }));
const traced = fc
  .constantFrom('on all', 'off all', 'on /m')
  .map((text): Call => ({ name: 'sys_write', actor: 0, args: [6, 0, 0, text.length], buffer: { text } }));

const lockCommand = fc.constantFrom(F.F_SETLK, F.F_SETLKW, F.F_OFD_SETLK, F.F_OFD_SETLKW, F.F_GETLK);
const lockType = fc.constantFrom(F.F_RDLCK, F.F_WRLCK, F.F_UNLCK);
const flock = fc.constantFrom(F.LOCK_SH, F.LOCK_EX, F.LOCK_UN, F.LOCK_EX | F.LOCK_NB);
const specials = fc.constantFrom(F.S_IFIFO | 0o666, F.S_IFCHR | 0o666, F.S_IFREG | 0o644, F.S_IFSOCK | 0o600);
const seconds = fc.integer({ min: -5, max: 2_000_000_000 });
const nanoseconds = fc.constantFrom(0, 1, 999_999_999, F.UTIME_NOW, F.UTIME_OMIT);

const KINDS: [number, Arbitrary<Call>][] = [
  [10, call('sys_openat', all(dirfd, path, openFlags, mode))],
  [3, call('sys_close', all(fd))],
  [3, call('sys_stat', all(path))],
  [2, call('sys_fstat', all(fd))],
  [1, call('sys_faccessat', all(dirfd, path, fc.nat(7), c(0)))],
  [2, call('sys_fchmodat', all(dirfd, path, mode, c(0)))],
  [1, call('sys_fchownat', all(dirfd, path, fc.constantFrom(0, 500, 1000), c(500), c(0)))],
  [1, call('sys_utimensat', all(dirfd, path, c(0), seconds, nanoseconds, seconds, nanoseconds))],
  [2, call('sys_truncate', all(path, offset))],
  [2, call('sys_ftruncate', all(fd, offset))],
  [3, call('sys_linkat', all(dirfd, path, dirfd, path, c(0)))],
  [3, call('sys_symlinkat', all(path, dirfd, path))],
  [1, call('sys_readlinkat', all(dirfd, path))],
  [3, call('sys_unlinkat', all(dirfd, path, fc.constantFrom(0, 0, F.AT_REMOVEDIR)))],
  [4, call('sys_renameat2', all(dirfd, path, dirfd, path, fc.constantFrom(0, 0, 1, 2)))],
  [6, call('sys_mkdirat', all(dirfd, path, mode))],
  [2, call('sys_mknodat', all(dirfd, path, specials, c((1 << 8) | 5)))],
  [3, call('sys_getdents', all(directoryFd, fc.nat(4)))],
  [2, call('sys_chdir', all(path))],
  [1, call('sys_fchdir', all(directoryFd))],
  [1, call('sys_chroot', all(fc.constantFrom('/', '/', 'a')))],
  [1, call('sys_getcwd')],
  [1, call('sys_realpath', all(path))],
  [1, call('sys_umask', all(mode))],
  [8, moving('sys_write', writeEnd)],
  [6, moving('sys_read', readEnd)],
  [6, moving('sys_pwrite', fd, offset)],
  [4, moving('sys_pread', fd, offset)],
  [2, vectored('sys_writev', writeEnd)],
  [2, vectored('sys_readv', readEnd)],
  [1, vectored('sys_pwritev', fd, offset)],
  [1, vectored('sys_preadv', fd, offset)],
  [2, call('sys_lseek', all(fd, offset, fc.nat(4)))],
  [2, call('sys_fallocate', all(fd, fc.constantFrom(0, 1, 3, 16), offset, length))],
  [1, call('sys_copy_file_range', all(fd, offset, fd, offset, length, c(0)))],
  [1, call('sys_fsync', all(fd))],
  [2, call('sys_dup', all(fd))],
  [1, call('sys_dup2', all(fd, fd))],
  [3, call('sys_pipe2', all(fc.constantFrom(0, 0, F.O_NONBLOCK, F.O_DIRECT)))],
  [
    1,
    call(
      'sys_fcntl',
      all(fd, fc.constantFrom(F.F_SETFL, F.F_SETFD, F.F_SETPIPE_SZ), fc.constantFrom(0, 1, 4096)),
    ),
  ],
  [5, call('sys_fcntl_lock', all(fd, lockCommand, lockType, c(0), fc.nat(100), fc.nat(50)))],
  [3, call('sys_flock', all(fd, flock))],
  [2, polls],
  [3, mounts],
  [2, call('sys_umount2', all(fc.constantFrom('/m', '/m', '/a', '/m/a'), fc.constantFrom(0, 1, 2)))],
  [2, attributes],
  [1, listed],
  [1, got],
  [1, call('sys_removexattr', all(dirfd, path, c(0), c('user.a')))],
  [1, call('sys_revoke', all(path))],
  [2, call('sys_inotify_init', all(fc.constantFrom(0, 0, F.IN_NONBLOCK)))],
  [
    4,
    call(
      'sys_inotify_add_watch',
      all(queueFd, path, fc.constantFrom(F.IN_ALL_EVENTS, F.IN_MODIFY, F.IN_CREATE)),
    ),
  ],
  [1, call('sys_inotify_rm_watch', all(queueFd, fc.nat(4)))],
  [1, typed],
  [1, traced],
  [1, call('clock_advance', all(fc.constantFrom(1, 10, 2000)))],
  // Signals that end a process, and programs, are left out: a copy's programs end when it is booted.
  [1, call('sys_sigaction', all(fc.constantFrom(10, 15, 17), fc.nat(2)))],
  [1, call('sys_kill', all(fc.nat(8), c(0)))],
  [1, call('sys_sigtake')],
  [1, call('sys_getids')],
  [1, call('sys_setpgid', all(c(0), fc.nat(4)))],
  [1, call('sys_setsid')],
  [1, call('sys_setresgid', all(fc.nat(3), fc.constantFrom(0, 500), c(500)))],
  [1, call('proc_event')],
  [1, call('clock_tick')],
  [1, call('machine_reclaim')],
  [4, call('let go on')],
  [1, call('give up')],
  [1, call('fork')],
  [1, call('end')],
];

/** Lists of at least `least` calls. */
export function randomCalls(least: number, most: number): Arbitrary<Call[]> {
  const one = fc.oneof(...KINDS.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  return fc.array(one, { minLength: least, maxLength: most, size: 'max' });
}

const by = (actor: number, name: Call['name'], ...args: (number | string)[]): Call => ({ name, actor, args });
const RW = F.O_RDWR | F.O_CREAT;

/** What every run begins with: something of each kind, so that the random calls find it. */
export const PRELUDE: readonly Call[] = [
  by(0, 'sys_umask', 0),
  by(1, 'sys_umask', 0),
  ...['/a', '/b', '/a/b', '/m'].map((path) => by(0, 'sys_mkdirat', F.AT_FDCWD, path, 0o777)),
  ...[0, 1].flatMap((actor) => [
    by(actor, 'sys_openat', F.AT_FDCWD, '/c', RW, 0o666),
    by(actor, 'sys_openat', F.AT_FDCWD, '/a/c', RW, 0o666),
    by(actor, 'sys_openat', F.AT_FDCWD, '/a', F.O_RDONLY, 0),
    by(actor, 'sys_pipe2', 0),
    by(actor, 'sys_inotify_init', 0),
    by(actor, 'sys_inotify_add_watch', 5, '/a', F.IN_ALL_EVENTS),
    by(actor, 'sys_inotify_add_watch', 5, '/', F.IN_ALL_EVENTS),
  ]),
  by(0, 'sys_openat', F.AT_FDCWD, '/proc/trace', F.O_WRONLY, 0),
  by(0, 'fork'),
  by(0, 'sys_mknodat', F.AT_FDCWD, '/fifo', F.S_IFIFO | 0o666, 0),
  by(0, 'sys_symlinkat', '/a/b', F.AT_FDCWD, '/link'),
  by(0, 'sys_fcntl_lock', 0, F.F_SETLK, F.F_WRLCK, 0, 10, 20),
  by(1, 'sys_flock', 1, F.LOCK_SH),
  { ...by(0, 'sys_mount', 'x', '/m', 5, 8, 0), text: 'tmpfssize=64k' },
];
