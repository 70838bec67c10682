import fc from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import {
  anything,
  emptyDir,
  fresh,
  type Kind,
  mode,
  onFd,
  openFlags,
  place,
  sets,
  small,
  someDir,
  someFile,
  time,
  to,
} from './kinds.ts';
import { resolve } from './state.ts';

/** Operations on names from a directory that is open: the way there may lead up and down. */

const nofollow = fc.constantFrom(0, F.AT_SYMLINK_NOFOLLOW);

export const atKinds: Kind[] = [
  onFd('openat', 4, 'dir', { fd: small, path: someFile, flags: openFlags, mode }, (s, p, actor) =>
    to('openat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.flags, p.mode),
  ),
  onFd('openat new', 3, 'dir', { fd: small, path: fresh, flags: openFlags, mode }, (s, p, actor) =>
    to('openat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.flags | F.O_CREAT, p.mode),
  ),
  onFd('mkdirat', 2, 'dir', { fd: small, path: fresh, mode }, (s, p, actor) =>
    to('mkdirat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.mode),
  ),
  onFd('mknodat', 1, 'dir', { fd: small, path: fresh, mode }, (s, p, actor) =>
    to('mknodat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), F.S_IFIFO | p.mode, 0),
  ),
  onFd('unlinkat', 2, 'dir', { fd: small, path: someFile }, (s, p, actor) =>
    to('unlinkat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), 0),
  ),
  onFd('unlinkat dir', 1, 'dir', { fd: small, path: emptyDir }, (s, p, actor) =>
    to('unlinkat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), F.AT_REMOVEDIR),
  ),
  onFd(
    'renameat',
    3,
    'dir',
    {
      a: small,
      from: anything,
      b: small,
      to: place(['new', 3], ['any', 1]),
      flags: fc.constantFrom(0, 0, 1, 2),
    },
    (s, p, actor) =>
      to(
        'renameat2',
        ...s.from(actor, p.a, resolve(s, p.from, actor)),
        ...s.from(actor, p.b, resolve(s, p.to, actor)),
        p.flags,
      ),
  ),
  onFd('linkat', 2, 'dir', { fd: small, from: someFile, to: fresh }, (s, p, actor) =>
    to('linkat', F.AT_FDCWD, resolve(s, p.from, actor), ...s.from(actor, p.fd, resolve(s, p.to, actor)), 0),
  ),
  onFd('symlinkat', 1, 'dir', { target: anything, fd: small, to: fresh }, (s, p, actor) =>
    to('symlinkat', resolve(s, p.target, actor) || 'x', ...s.from(actor, p.fd, resolve(s, p.to, actor))),
  ),
  onFd('readlinkat', 1, 'dir', { fd: small, path: place(['link', 12], ['any', 1]) }, (s, p, actor) =>
    to('readlinkat', ...s.from(actor, p.fd, resolve(s, p.path, actor))),
  ),
  onFd('fstatat', 2, 'dir', { fd: small, path: anything, flags: nofollow }, (s, p, actor) =>
    to('fstatat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.flags),
  ),
  onFd(
    'faccessat',
    2,
    'dir',
    {
      fd: small,
      path: anything,
      mode: fc.nat({ max: 7 }),
      flags: fc.constantFrom(0, F.AT_EACCESS, F.AT_SYMLINK_NOFOLLOW),
    },
    (s, p, actor) => to('faccessat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.mode, p.flags),
  ),
  onFd('fchmodat', 2, 'dir', { fd: small, path: anything, mode, flags: nofollow }, (s, p, actor) =>
    to('fchmodat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.mode, p.flags),
  ),
  onFd(
    'fchownat',
    2,
    'dir',
    { fd: small, path: anything, uid: sets, gid: sets, flags: nofollow },
    (s, p, actor) => to('fchownat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.uid, p.gid, p.flags),
  ),
  onFd(
    'utimensat at',
    2,
    'dir',
    { fd: small, path: anything, a: time, m: time, flags: nofollow },
    (s, p, actor) => to('utimensat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), p.a, p.m, p.flags),
  ),
  onFd('opendir at', 1, 'dir', { fd: small, path: someDir }, (s, p, actor) =>
    to('openat', ...s.from(actor, p.fd, resolve(s, p.path, actor)), F.O_RDONLY | F.O_DIRECTORY, 0),
  ),
];
