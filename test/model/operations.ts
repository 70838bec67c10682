import fc, { type Arbitrary } from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import type { FileLock, PosixProcess, Timespec } from '../oracle/target.ts';
import { ACTORS, type Call, type FdKind, pattern, type Place, resolve, type State } from './state.ts';

/** The operations of the model test: what fast-check generates and shrinks. */

/** One step: an actor and a call that takes shape when the state is known. */
export class Operation {
  readonly kind: string;
  /** What it becomes when its turn comes: whose call, and which. */
  readonly turn: (state: State) => { actor: number; call: Call };
  #text: string;

  constructor(
    kind: string,
    actor: number,
    params: unknown,
    turn: (state: State) => { actor: number; call: Call },
  ) {
    this.kind = kind;
    this.turn = turn;
    this.#text = `${kind} by ${ACTORS[actor].uid} ${JSON.stringify(params)}`;
  }

  toString(): string {
    return this.#text;
  }
}

interface Kind {
  name: string;
  weight: number;
  arbitrary: Arbitrary<Operation>;
}

const small = fc.nat({ max: 30 });
const actors: Arbitrary<number> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(2) },
);

type Shape<P> = { [K in keyof P]: Arbitrary<P[K]> };

function kind<P extends object>(
  name: string,
  weight: number,
  shape: Shape<P>,
  call: (state: State, params: P, actor: number) => Call,
  needs?: FdKind | 'any',
): Kind {
  const arbitrary = fc.record({ actor: actors, luck: small, params: fc.record(shape) }).map((op) => {
    const params = op.params as P;
    return new Operation(name, op.actor, params, (state) => {
      const actor = needs ? state.actorWith(op.actor, needs, op.luck) : op.actor;
      return { actor, call: call(state, params, actor) };
    });
  });
  return { name, weight, arbitrary };
}

/** An operation on an open descriptor, of that kind if it matters. */
function onFd<P extends object>(
  name: string,
  weight: number,
  needs: FdKind | 'any',
  shape: Shape<P>,
  call: (state: State, params: P, actor: number) => Call,
): Kind {
  return kind(name, weight, shape, call, needs);
}

function to<K extends keyof PosixProcess & string>(
  name: K,
  ...args: PosixProcess[K] extends (...args: infer A) => unknown ? A : never
): Call {
  return { name, args };
}

// ── what operations are made of ───────────────────────────────────────────────────────────────

function place(...hows: [Place['how'], number][]): Arbitrary<Place> {
  return fc.record({
    how: fc.oneof(...hows.map(([how, weight]) => ({ weight, arbitrary: fc.constant(how) }))),
    n: small,
    name: small,
    tail: fc.oneof(
      { weight: 40, arbitrary: fc.constant('' as const) },
      { weight: 1, arbitrary: fc.constantFrom('/' as const, '/.' as const, '/..' as const) },
    ),
    relative: fc.oneof(
      { weight: 12, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  });
}

const fresh = place(['new', 20], ['wild', 1], ['any', 1]);
/** Mostly there, now and then to be made. */
const someFile = place(['file', 12], ['any', 3], ['new', 1], ['wild', 1]);
const someDir = place(['dir', 14], ['any', 1], ['wild', 1]);
const emptyDir = place(['empty', 12], ['dir', 2], ['any', 1], ['wild', 1]);
const anything = place(['any', 14], ['file', 4], ['link', 3], ['wild', 1], ['new', 1]);

const offset = fc.constantFrom(0, 0, 1, 100, 4095, 4096, 4097, 5000, 8191, 8192, 12288, 20000);
const length = fc.constantFrom(0, 1, 7, 100, 1000, 4095, 4096, 4097, 8192, 10000);
const mode = fc.constantFrom(
  0o644,
  0o600,
  0o666,
  0o755,
  0o777,
  0o700,
  0o444,
  0o2775,
  0o1777,
  0o4755,
  0o6777,
  0,
);
const sets = fc.constantFrom(-1, -1, 0, 1000, 1001, 2000);
const time: Arbitrary<Timespec> = fc.oneof(
  fc.record({ sec: fc.constantFrom(0, 1, 1000, 123456), nsec: fc.constantFrom(0, 1, 999_999_999) }),
  fc.constantFrom({ sec: 0, nsec: F.UTIME_NOW }, { sec: 0, nsec: F.UTIME_OMIT }),
);

/** Access mode and what may be added; O_NONBLOCK always, so that fifos do not wait. */
const openFlags = fc
  .record({
    access: fc.constantFrom(F.O_RDONLY, F.O_RDWR, F.O_RDWR, F.O_WRONLY),
    more: fc.constantFrom(
      F.O_CREAT,
      F.O_CREAT,
      F.O_CREAT | F.O_TRUNC,
      F.O_CREAT | F.O_EXCL,
      F.O_CREAT | F.O_APPEND,
      F.O_APPEND,
      F.O_TRUNC,
      0,
      F.O_NOFOLLOW,
      F.O_PATH,
    ),
  })
  .map(({ access, more }) => access | more | F.O_NONBLOCK);

const AT = F.AT_FDCWD;

// ── names ─────────────────────────────────────────────────────────────────────────────────────
const nameKinds: Kind[] = [
  kind('open', 12, { path: someFile, flags: openFlags, mode }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), p.flags, p.mode),
  ),
  kind('create', 12, { path: fresh, flags: openFlags, mode }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), p.flags | F.O_CREAT, p.mode),
  ),
  kind('opendir', 3, { path: someDir }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), F.O_RDONLY | F.O_DIRECTORY, 0),
  ),
  kind('tmpfile', 2, { path: someDir, mode }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), F.O_TMPFILE | F.O_RDWR, p.mode),
  ),
  onFd('openat', 3, 'dir', { fd: small, name: small, flags: openFlags, mode }, (s, p, actor) =>
    to('openat', s.fd(actor, p.fd, 'dir'), nameOf(p.name), p.flags | (p.name < 24 ? F.O_CREAT : 0), p.mode),
  ),
  kind('mkdir', 8, { path: fresh, mode }, (s, p, actor) => to('mkdir', resolve(s, p.path, actor), p.mode)),
  kind('rmdir', 4, { path: emptyDir }, (s, p, actor) => to('rmdir', resolve(s, p.path, actor))),
  kind('unlink', 6, { path: someFile }, (s, p, actor) => to('unlink', resolve(s, p.path, actor))),
  kind('rename', 8, { from: anything, to: fresh }, (s, p, actor) =>
    to('rename', resolve(s, p.from, actor), resolve(s, p.to, actor)),
  ),
  kind('rename over', 5, { from: anything, to: anything }, (s, p, actor) =>
    to('rename', resolve(s, p.from, actor), resolve(s, p.to, actor)),
  ),
  kind('rename dirs', 3, { from: someDir, to: emptyDir }, (s, p, actor) =>
    to('rename', resolve(s, p.from, actor), resolve(s, p.to, actor)),
  ),
  kind('renameat2', 4, { from: anything, to: anything, flags: fc.constantFrom(2, 2, 1) }, (s, p, actor) =>
    to('renameat2', AT, resolve(s, p.from, actor), AT, resolve(s, p.to, actor), p.flags),
  ),
  kind(
    'link',
    5,
    { from: someFile, to: fresh, flags: fc.constantFrom(0, 0, F.AT_SYMLINK_FOLLOW) },
    (s, p, actor) => to('linkat', AT, resolve(s, p.from, actor), AT, resolve(s, p.to, actor), p.flags),
  ),
  onFd('link descriptor', 1, 'file', { fd: small, to: fresh }, (s, p, actor) =>
    to('linkat', s.fd(actor, p.fd, 'file'), '', AT, resolve(s, p.to, actor), F.AT_EMPTY_PATH),
  ),
  kind('symlink', 5, { target: anything, up: fc.boolean(), to: fresh }, (s, p, actor) =>
    to(
      'symlink',
      p.up ? `..${resolve(s, p.target, actor)}` : resolve(s, p.target, actor) || 'x',
      resolve(s, p.to, actor),
    ),
  ),
  kind('readlink', 3, { path: place(['link', 12], ['any', 1]) }, (s, p, actor) =>
    to('readlink', resolve(s, p.path, actor)),
  ),
  kind(
    'mknod',
    3,
    { path: fresh, type: fc.constantFrom(F.S_IFREG, F.S_IFIFO, F.S_IFSOCK, F.S_IFCHR), mode },
    (s, p, actor) =>
      to('mknod', resolve(s, p.path, actor), p.type | p.mode, p.type === F.S_IFCHR ? 0x0107 : 0),
  ),
  kind('chdir', 2, { path: someDir }, (s, p, actor) => to('chdir', resolve(s, p.path, actor))),
  kind('getcwd', 1, {}, () => to('getcwd')),
  kind('umask', 1, { mask: fc.constantFrom(0, 0o22, 0o77, 0o27) }, (_s, p) => to('umask', p.mask)),
];

function nameOf(n: number): string {
  return ['a', 'b', 'c', 'd', 'e', '.', '..', 'd/e'][n % 8];
}

// ── attributes ────────────────────────────────────────────────────────────────────────────────
const value = fc.constantFrom(0, 3, 100, 5000);
const attribute = fc.constantFrom('user.a', 'user.a', 'user.b', 'trusted.a', 'security.a', 'nobody.a');

const attributeKinds: Kind[] = [
  kind('stat', 4, { path: anything }, (s, p, actor) => to('stat', resolve(s, p.path, actor))),
  kind('lstat', 2, { path: anything }, (s, p, actor) => to('lstat', resolve(s, p.path, actor))),
  kind('access', 3, { path: anything, mode: fc.nat({ max: 7 }) }, (s, p, actor) =>
    to('access', resolve(s, p.path, actor), p.mode),
  ),
  kind('chmod', 6, { path: anything, mode }, (s, p, actor) => to('chmod', resolve(s, p.path, actor), p.mode)),
  onFd('fchmod', 2, 'any', { fd: small, mode }, (s, p, actor) => to('fchmod', s.fd(actor, p.fd), p.mode)),
  kind('chown', 4, { path: anything, uid: sets, gid: sets }, (s, p, actor) =>
    to('chown', resolve(s, p.path, actor), p.uid, p.gid),
  ),
  kind('lchown', 2, { path: anything, uid: sets, gid: sets }, (s, p, actor) =>
    to('lchown', resolve(s, p.path, actor), p.uid, p.gid),
  ),
  onFd('fchown', 1, 'any', { fd: small, uid: sets, gid: sets }, (s, p, actor) =>
    to('fchown', s.fd(actor, p.fd), p.uid, p.gid),
  ),
  kind(
    'utimensat',
    4,
    { path: anything, a: time, m: time, flags: fc.constantFrom(0, F.AT_SYMLINK_NOFOLLOW) },
    (s, p, actor) => to('utimensat', AT, resolve(s, p.path, actor), p.a, p.m, p.flags),
  ),
  onFd('futimens', 1, 'any', { fd: small, a: time, m: time }, (s, p, actor) =>
    to('futimens', s.fd(actor, p.fd), p.a, p.m),
  ),
  kind(
    'setxattr',
    4,
    { path: anything, name: attribute, size: value, flags: fc.constantFrom(0, 0, 0, 0, 0, 1, 2) },
    (s, p, actor) => to('lsetxattr', resolve(s, p.path, actor), p.name, pattern(p.size, p.size), p.flags),
  ),
  kind(
    'getxattr by chance',
    2,
    { path: anything, name: attribute, size: fc.constantFrom(0, 50, 6000) },
    (s, p, actor) => to('getxattr', resolve(s, p.path, actor), p.name, p.size),
  ),
  kind('getxattr found', 4, { n: small, size: fc.constantFrom(0, 50, 6000) }, (s, p) =>
    to('lgetxattr', s.attributed(p.n).path, s.attributed(p.n).name, p.size),
  ),
  kind('removexattr by chance', 1, { path: anything, name: attribute }, (s, p, actor) =>
    to('lremovexattr', resolve(s, p.path, actor), p.name),
  ),
  kind('removexattr found', 3, { n: small }, (s, p) =>
    to('lremovexattr', s.attributed(p.n).path, s.attributed(p.n).name),
  ),
];

// ── data ──────────────────────────────────────────────────────────────────────────────────────
const onFile = (s: State, actor: number, n: number): number => s.fd(actor, n, 'file');

const FALLOCATE_MODES = [
  0,
  F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE,
];

const dataKinds: Kind[] = [
  onFd('close', 9, 'any', { fd: small }, (s, p, actor) => to('close', s.fd(actor, p.fd))),
  onFd('read', 4, 'file', { fd: small, len: length }, (s, p, actor) =>
    to('read', onFile(s, actor, p.fd), p.len),
  ),
  onFd('pread', 4, 'file', { fd: small, len: length, at: offset }, (s, p, actor) =>
    to('pread', onFile(s, actor, p.fd), p.len, p.at),
  ),
  onFd('write', 12, 'file', { fd: small, len: length }, (s, p, actor) =>
    to('write', onFile(s, actor, p.fd), pattern(p.len, p.fd)),
  ),
  onFd('pwrite', 10, 'file', { fd: small, len: length, at: offset }, (s, p, actor) =>
    to('pwrite', onFile(s, actor, p.fd), pattern(p.len, p.fd), p.at),
  ),
  onFd('writev', 3, 'file', { fd: small, a: length, b: length }, (s, p, actor) =>
    to('writev', onFile(s, actor, p.fd), [pattern(p.a, 1), pattern(p.b, 2)]),
  ),
  onFd('preadv', 2, 'file', { fd: small, a: length, b: length, at: offset }, (s, p, actor) =>
    to('preadv', onFile(s, actor, p.fd), [p.a, p.b], p.at),
  ),
  onFd('lseek', 4, 'file', { fd: small, at: offset, whence: fc.nat({ max: 4 }) }, (s, p, actor) =>
    to('lseek', onFile(s, actor, p.fd), p.whence === F.SEEK_END ? -p.at : p.at, p.whence),
  ),
  kind('truncate', 4, { path: someFile, len: offset }, (s, p, actor) =>
    to('truncate', resolve(s, p.path, actor), p.len),
  ),
  onFd('ftruncate', 5, 'file', { fd: small, len: offset }, (s, p, actor) =>
    to('ftruncate', onFile(s, actor, p.fd), p.len),
  ),
  onFd(
    'fallocate',
    5,
    'file',
    { fd: small, mode: fc.constantFrom(...FALLOCATE_MODES), at: offset, len: length },
    (s, p, actor) => to('fallocate', onFile(s, actor, p.fd), p.mode, p.at, p.len),
  ),
  onFd(
    'copy_file_range',
    4,
    'file',
    { from: small, to: small, a: offset, b: offset, own: fc.boolean(), len: length },
    (s, p, actor) =>
      to(
        'copyFileRange',
        onFile(s, actor, p.from),
        p.own ? null : p.a,
        onFile(s, actor, p.to),
        p.own ? null : p.b,
        p.len,
        0,
      ),
  ),
  onFd('fsync', 1, 'file', { fd: small }, (s, p, actor) => to('fsync', onFile(s, actor, p.fd))),
];

// ── descriptors, locks, pipes, notification ───────────────────────────────────────────────────
const anyFd = (s: State, actor: number, n: number, want?: FdKind): number => s.fd(actor, n, want);
const setfl = fc.constantFrom(0, F.O_APPEND, F.O_APPEND).map((flags) => flags | F.O_NONBLOCK);
const lockRange: Arbitrary<FileLock> = fc.record({
  type: fc.constantFrom(F.F_RDLCK, F.F_WRLCK, F.F_WRLCK, F.F_UNLCK),
  whence: fc.constantFrom(F.SEEK_SET, F.SEEK_SET, F.SEEK_CUR, F.SEEK_END),
  start: fc.nat({ max: 12 }),
  len: fc.integer({ min: -3, max: 10 }),
});
/** What F_GETLK may be asked about; F_UNLCK means something on newer Linux kernels only. */
const asked = lockRange.map((lock) => (lock.type === F.F_UNLCK ? { ...lock, type: F.F_RDLCK } : lock));
const WATCHED =
  F.IN_MODIFY |
  F.IN_ATTRIB |
  F.IN_MOVED_FROM |
  F.IN_MOVED_TO |
  F.IN_CREATE |
  F.IN_DELETE |
  F.IN_DELETE_SELF |
  F.IN_MOVE_SELF;

const descriptorKinds: Kind[] = [
  onFd('fstat', 3, 'any', { fd: small }, (s, p, actor) => to('fstat', anyFd(s, actor, p.fd))),
  onFd('list', 4, 'dir', { fd: small }, (s, p, actor) => to('getdents', anyFd(s, actor, p.fd, 'dir'))),
  onFd('rewind', 3, 'dir', { fd: small }, (s, p, actor) =>
    to('lseek', anyFd(s, actor, p.fd, 'dir'), 0, F.SEEK_SET),
  ),
  onFd('dup', 4, 'any', { fd: small }, (s, p, actor) => to('dup', anyFd(s, actor, p.fd))),
  onFd('dup2', 2, 'any', { from: small, to: small }, (s, p, actor) =>
    to('dup2', anyFd(s, actor, p.from), anyFd(s, actor, p.to)),
  ),
  onFd('fcntl getfl', 1, 'any', { fd: small }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_GETFL, 0),
  ),
  onFd('fcntl setfl', 2, 'any', { fd: small, flags: setfl }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_SETFL, p.flags),
  ),
  onFd('fcntl dupfd', 1, 'any', { fd: small, from: fc.nat({ max: 8 }) }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_DUPFD, p.from),
  ),
  onFd('fchdir', 1, 'dir', { fd: small }, (s, p, actor) => to('fchdir', anyFd(s, actor, p.fd, 'dir'))),
  onFd(
    'setlk',
    5,
    'file',
    { fd: small, command: fc.constantFrom(F.F_SETLK, F.F_SETLK, F.F_OFD_SETLK), lock: lockRange },
    (s, p, actor) => to('fcntlLock', onFile(s, actor, p.fd), p.command, p.lock),
  ),
  onFd(
    'getlk',
    2,
    'file',
    { fd: small, command: fc.constantFrom(F.F_GETLK, F.F_OFD_GETLK), lock: asked },
    (s, p, actor) => to('fcntlLock', onFile(s, actor, p.fd), p.command, p.lock),
  ),
  onFd(
    'flock',
    2,
    'file',
    { fd: small, op: fc.constantFrom(F.LOCK_SH, F.LOCK_EX, F.LOCK_UN) },
    (s, p, actor) => to('flock', onFile(s, actor, p.fd), p.op | F.LOCK_NB),
  ),
  kind('pipe', 2, {}, () => to('pipe2', F.O_NONBLOCK)),
  onFd('read pipe', 4, 'pipe', { fd: small, len: length }, (s, p, actor) =>
    to('read', anyFd(s, actor, p.fd, 'pipe'), p.len),
  ),
  onFd('write pipe', 4, 'pipe', { fd: small, len: length }, (s, p, actor) =>
    to('write', anyFd(s, actor, p.fd, 'pipe'), pattern(p.len, p.fd)),
  ),
  onFd(
    'poll',
    2,
    'any',
    { a: small, b: small, events: fc.constantFrom(F.POLLIN, F.POLLOUT, F.POLLIN | F.POLLOUT) },
    (s, p, actor) =>
      to(
        'poll',
        [p.a, p.b].map((n) => ({ fd: anyFd(s, actor, n), events: p.events })),
        0,
      ),
  ),
  kind('inotify', 3, {}, () => to('inotifyInit', F.IN_NONBLOCK)),
  onFd('watch', 4, 'inotify', { fd: small, path: anything }, (s, p, actor) =>
    to('inotifyAddWatch', anyFd(s, actor, p.fd, 'inotify'), resolve(s, p.path, actor), WATCHED),
  ),
  onFd('unwatch', 1, 'inotify', { n: small }, (s, p, actor) => {
    const { fd, wd } = s.watch(actor, p.n);
    return to('inotifyRmWatch', fd, wd);
  }),
  onFd('events', 3, 'inotify', { fd: small }, (s, p, actor) =>
    to('read', anyFd(s, actor, p.fd, 'inotify'), 65536),
  ),
];

const kinds: readonly Kind[] = [...nameKinds, ...attributeKinds, ...dataKinds, ...descriptorKinds];

/** Names of all kinds of operations. */
export const kindNames: readonly string[] = kinds.map((item) => item.name);

/** Lists of up to `most` operations. */
export function operations(most: number, without: ReadonlySet<string> = new Set()): Arbitrary<Operation[]> {
  const wanted = kinds.filter((item) => !without.has(item.name));
  const one = fc.oneof(...wanted.map(({ weight, arbitrary }) => ({ weight, arbitrary })));
  // Without bias: fast-check would begin with short lists of small values.
  return fc.noBias(fc.array(one, { minLength: 1, maxLength: most, size: 'max' }));
}
