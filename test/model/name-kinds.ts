import fc from 'fast-check';
import * as F from '../../assembly/abi/flags.ts';
import {
  AT,
  anything,
  emptyDir,
  fresh,
  type Kind,
  kind,
  mode,
  onFd,
  openFlags,
  place,
  small,
  someDir,
  someFile,
  to,
} from './kinds.ts';
import { resolve } from './state.ts';

/** Operations on names. */

const nodeType = fc.constantFrom(F.S_IFREG, F.S_IFIFO, F.S_IFIFO, F.S_IFSOCK, F.S_IFCHR, F.S_IFBLK);

/** /dev/full's number for a character device; for a block device one that nobody has. */
function deviceOf(type: number): number {
  return type === F.S_IFCHR ? 0x0107 : type === F.S_IFBLK ? 0xfefe : 0;
}

export const nameKinds: Kind[] = [
  kind('open', 12, { path: someFile, flags: openFlags, mode }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), p.flags, p.mode),
  ),
  kind('create', 12, { path: fresh, flags: openFlags, mode }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), p.flags | F.O_CREAT, p.mode),
  ),
  kind('opendir', 3, { path: someDir }, (s, p, actor) =>
    to('open', resolve(s, p.path, actor), F.O_RDONLY | F.O_DIRECTORY, 0),
  ),
  kind(
    'tmpfile',
    2,
    { path: someDir, more: fc.constantFrom(0, 0, 0, F.O_EXCL, F.O_APPEND), mode },
    (s, p, actor) => to('open', resolve(s, p.path, actor), F.O_TMPFILE | F.O_RDWR | p.more, p.mode),
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
  kind('mknod', 3, { path: fresh, type: nodeType, mode }, (s, p, actor) =>
    to('mknod', resolve(s, p.path, actor), p.type | p.mode, deviceOf(p.type)),
  ),
  kind('chdir', 2, { path: someDir }, (s, p, actor) => to('chdir', resolve(s, p.path, actor))),
  // root itself stays outside, to reach everything
  kind('chroot', 1, { path: someDir }, (s, p, actor) => to('chroot', resolve(s, p.path, actor)), 'jail'),
  kind('getcwd', 1, {}, () => to('getcwd')),
  kind('umask', 1, { mask: fc.constantFrom(0, 0o22, 0o77, 0o27) }, (_s, p) => to('umask', p.mask)),
];
