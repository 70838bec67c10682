import fc, { type Arbitrary } from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import type { FileLock } from '../oracle/target.ts';
import { anything, type Kind, kind, length, onFd, small, to } from './kinds.ts';
import { type FdKind, pattern, resolve, type State } from './state.ts';

/** Operations on descriptors, locks, pipes and notification. */

const onFile = (s: State, actor: number, n: number): number => s.fd(actor, n, 'file');
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

export const descriptorKinds: Kind[] = [
  onFd('fstat', 3, 'any', { fd: small }, (s, p, actor) => to('fstat', anyFd(s, actor, p.fd))),
  onFd('list', 4, 'dir', { fd: small }, (s, p, actor) => to('getdents', anyFd(s, actor, p.fd, 'dir'))),
  onFd('rewind', 3, 'dir', { fd: small }, (s, p, actor) =>
    to('lseek', anyFd(s, actor, p.fd, 'dir'), 0, F.SEEK_SET),
  ),
  onFd('dup', 4, 'any', { fd: small }, (s, p, actor) => to('dup', anyFd(s, actor, p.fd))),
  onFd('dup2', 2, 'any', { from: small, to: small }, (s, p, actor) =>
    to('dup2', anyFd(s, actor, p.from), anyFd(s, actor, p.to)),
  ),
  onFd('dup3', 1, 'any', { from: small, to: small, flags: fc.constantFrom(0, F.O_CLOEXEC) }, (s, p, actor) =>
    to('dup3', anyFd(s, actor, p.from), anyFd(s, actor, p.to), p.flags),
  ),
  onFd('fcntl getfd', 1, 'any', { fd: small }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_GETFD, 0),
  ),
  onFd('fcntl setfd', 1, 'any', { fd: small, flags: fc.nat({ max: 1 }) }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_SETFD, p.flags),
  ),
  onFd('fcntl getfl', 1, 'any', { fd: small }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_GETFL, 0),
  ),
  onFd('fcntl setfl', 2, 'any', { fd: small, flags: setfl }, (s, p, actor) =>
    to('fcntl', anyFd(s, actor, p.fd), F.F_SETFL, p.flags),
  ),
  onFd(
    'fcntl dupfd',
    1,
    'any',
    { fd: small, from: fc.nat({ max: 8 }), command: fc.constantFrom(F.F_DUPFD, F.F_DUPFD_CLOEXEC) },
    (s, p, actor) => to('fcntl', anyFd(s, actor, p.fd), p.command, p.from),
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
  kind('pipe', 2, { packets: fc.boolean() }, (_, p) =>
    to('pipe2', F.O_NONBLOCK | (p.packets ? F.O_DIRECT : 0)),
  ),
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
