import fc from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import { AT, anything, type Kind, kind, mode, onFd, sets, small, time, to } from './kinds.ts';
import { pattern, resolve } from './state.ts';

/** Operations on attributes. */

const value = fc.constantFrom(0, 3, 100, 5000);
const attribute = fc.constantFrom('user.a', 'user.a', 'user.b', 'trusted.a', 'security.a', 'nobody.a');

const xattrFlags = fc.constantFrom(0, 0, 0, 0, 0, F.XATTR_CREATE, F.XATTR_REPLACE);
/** For a value, or a list of names; 0 asks how much is needed. */
const room = fc.constantFrom(0, 10, 50, 6000);

export const attributeKinds: Kind[] = [
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
  kind('setxattr', 4, { path: anything, name: attribute, size: value, flags: xattrFlags }, (s, p, actor) =>
    to('lsetxattr', resolve(s, p.path, actor), p.name, pattern(p.size, p.size), p.flags),
  ),
  kind(
    'setxattr followed',
    1,
    { path: anything, name: attribute, size: value, flags: xattrFlags },
    (s, p, actor) => to('setxattr', resolve(s, p.path, actor), p.name, pattern(p.size, p.size), p.flags),
  ),
  onFd('fsetxattr', 2, 'any', { fd: small, name: attribute, size: value, flags: xattrFlags }, (s, p, actor) =>
    to('fsetxattr', s.fd(actor, p.fd), p.name, pattern(p.size, p.size + 1), p.flags),
  ),
  onFd('fgetxattr', 3, 'any', { n: small, size: room }, (s, p, actor) => {
    const { fd, name } = s.attributedFd(actor, p.n);
    return to('fgetxattr', fd, name, p.size);
  }),
  onFd('fremovexattr', 1, 'any', { n: small }, (s, p, actor) => {
    const { fd, name } = s.attributedFd(actor, p.n);
    return to('fremovexattr', fd, name);
  }),
  kind('listxattr', 2, { path: anything, size: room }, (s, p, actor) =>
    to('listxattr', resolve(s, p.path, actor), p.size),
  ),
  kind('llistxattr', 1, { path: anything, size: room }, (s, p, actor) =>
    to('llistxattr', resolve(s, p.path, actor), p.size),
  ),
  onFd('flistxattr', 1, 'any', { fd: small, size: room }, (s, p, actor) =>
    to('flistxattr', s.fd(actor, p.fd), p.size),
  ),
  kind('getxattr by chance', 1, { path: anything, name: attribute, size: room }, (s, p, actor) =>
    to('getxattr', resolve(s, p.path, actor), p.name, p.size),
  ),
  kind('getxattr found', 4, { n: small, size: room }, (s, p, actor) => {
    const { path, name } = s.attributed(actor, p.n);
    return to('lgetxattr', path, name, p.size);
  }),
  // there already: refused with XATTR_CREATE
  kind('setxattr found', 2, { n: small, size: value, flags: xattrFlags }, (s, p, actor) => {
    const { path, name } = s.attributed(actor, p.n);
    return to('lsetxattr', path, name, pattern(p.size, p.size + 2), p.flags);
  }),
  kind('removexattr by chance', 1, { path: anything, name: attribute }, (s, p, actor) =>
    to('lremovexattr', resolve(s, p.path, actor), p.name),
  ),
  kind('removexattr found', 3, { n: small }, (s, p, actor) => {
    const { path, name } = s.attributed(actor, p.n);
    return to('lremovexattr', path, name);
  }),
];
