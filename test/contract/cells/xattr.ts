import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import type { CallName } from '../documented.ts';
import { block, type Scene } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';

/** Extended attributes, by path, by path without following, by descriptor. */

interface Ways {
  get: CallName;
  set: CallName;
  list: CallName;
  remove: CallName;
  getxattr(p: PosixProcess, path: string, name: string, size: number): unknown;
  setxattr(p: PosixProcess, path: string, name: string, value: Uint8Array, flags: number): unknown;
  listxattr(p: PosixProcess, path: string, size: number): unknown;
  removexattr(p: PosixProcess, path: string, name: string): unknown;
}

/** The descriptor's calls need no more than reading, whatever they do. */
function through<T>(p: PosixProcess, path: string, call: (fd: number) => T): T | string {
  const fd = p.open(path, F.O_RDONLY | F.O_NONBLOCK);
  return fd < 0 ? `open: ${fd}` : call(fd);
}

const ways: readonly Ways[] = [
  {
    get: 'getxattr',
    set: 'setxattr',
    list: 'listxattr',
    remove: 'removexattr',
    getxattr: (p, path, name, size) => p.getxattr(path, name, size),
    setxattr: (p, path, name, value, flags) => p.setxattr(path, name, value, flags),
    listxattr: (p, path, size) => p.listxattr(path, size),
    removexattr: (p, path, name) => p.removexattr(path, name),
  },
  {
    get: 'lgetxattr',
    set: 'lsetxattr',
    list: 'llistxattr',
    remove: 'lremovexattr',
    getxattr: (p, path, name, size) => p.lgetxattr(path, name, size),
    setxattr: (p, path, name, value, flags) => p.lsetxattr(path, name, value, flags),
    listxattr: (p, path, size) => p.llistxattr(path, size),
    removexattr: (p, path, name) => p.lremovexattr(path, name),
  },
  {
    get: 'fgetxattr',
    set: 'fsetxattr',
    list: 'flistxattr',
    remove: 'fremovexattr',
    getxattr: (p, path, name, size) => through(p, path, (fd) => p.fgetxattr(fd, name, size)),
    setxattr: (p, path, name, value, flags) => through(p, path, (fd) => p.fsetxattr(fd, name, value, flags)),
    listxattr: (p, path, size) => through(p, path, (fd) => p.flistxattr(fd, size)),
    removexattr: (p, path, name) => through(p, path, (fd) => p.fremovexattr(fd, name)),
  },
];

const NAME = 'user.a';
const LONG_NAME = `user.${'n'.repeat(F.XATTR_NAME_MAX)}`;

function attributed(s: Scene): string {
  const path = s.file('f');
  s.ok(s.me.setxattr(path, NAME, block(20), 0), 'setxattr');
  return path;
}

const user = { needs: ['userXattr'] } as const;
const privileged = { who: ['root'], needs: ['privilege'] } as const;

function readCells(w: Ways): Cell[] {
  return [
    cell(w.get, 'ENODATA', 'no such attribute', (s) => w.getxattr(s.me, attributed(s), 'user.b', 100), user),
    cell(
      w.get,
      'ENODATA',
      'asking for the size of none',
      (s) => w.getxattr(s.me, s.file('f'), NAME, 0),
      user,
    ),
    cell(w.get, 'ERANGE', 'a buffer too small', (s) => w.getxattr(s.me, attributed(s), NAME, 19), user),
    cell(w.get, 'ERANGE', 'a name of 260 bytes', (s) => w.getxattr(s.me, s.file('f'), LONG_NAME, 10), user),
    cell(w.get, 'ERANGE', 'an empty name', (s) => w.getxattr(s.me, s.file('f'), '', 10), user),
    cell(w.get, 'EOPNOTSUPP', 'an unknown namespace', (s) => w.getxattr(s.me, s.file('f'), 'nobody.a', 10)),
    cell(w.get, 'EOPNOTSUPP', 'a name without a namespace', (s) =>
      w.getxattr(s.me, s.file('f'), 'plain', 10),
    ),
    refused(
      w.get,
      'EACCES',
      w.get === 'fgetxattr' ? 'a descriptor that cannot be opened for reading, O_WRONLY' : 'no r on the file',
      (s) => {
        const path = s.foreignFile('f', '', 0o772);
        s.ok(s.root.setxattr(path, NAME, block(3), 0), 'setxattr');
        if (w.get !== 'fgetxattr') return w.getxattr(s.me, path, NAME, 100);
        return s.me.fgetxattr(s.open(path, F.O_WRONLY), NAME, 100);
      },
      ['userXattr'],
    ),
    cell(w.list, 'ERANGE', 'a buffer too small', (s) => w.listxattr(s.me, attributed(s), 6), user),
  ];
}

function writeCells(w: Ways): Cell[] {
  return [
    cell(
      w.set,
      'EEXIST',
      'XATTR_CREATE of one that is there',
      (s) => w.setxattr(s.me, attributed(s), NAME, block(1), F.XATTR_CREATE),
      user,
    ),
    cell(
      w.set,
      'ENODATA',
      'XATTR_REPLACE of one that is not',
      (s) => w.setxattr(s.me, s.file('f'), NAME, block(1), F.XATTR_REPLACE),
      user,
    ),
    cell(w.set, 'EINVAL', 'an unknown flag', (s) => w.setxattr(s.me, s.file('f'), NAME, block(1), 8)),
    cell(w.set, 'E2BIG', 'a value of 65537 bytes', (s) =>
      w.setxattr(s.me, s.file('f'), NAME, block(65537), 0),
    ),
    cell(w.set, 'ERANGE', 'a name of 260 bytes', (s) =>
      w.setxattr(s.me, s.file('f'), LONG_NAME, block(1), 0),
    ),
    cell(w.set, 'ERANGE', 'an empty name', (s) => w.setxattr(s.me, s.file('f'), '', block(1), 0)),
    cell(w.set, 'EOPNOTSUPP', 'an unknown namespace', (s) =>
      w.setxattr(s.me, s.file('f'), 'nobody.a', block(1), 0),
    ),
    cell(w.remove, 'EOPNOTSUPP', 'an unknown namespace', (s) => w.removexattr(s.me, s.file('f'), 'nobody.a')),
    cell(w.remove, 'ENODATA', 'no such attribute', (s) => w.removexattr(s.me, s.file('f'), NAME), user),
    cell(w.remove, 'ERANGE', 'a name of 260 bytes', (s) => w.removexattr(s.me, s.file('f'), LONG_NAME)),
    cell(w.remove, 'ERANGE', 'an empty name', (s) => w.removexattr(s.me, s.file('f'), '')),
    ...refusedCells(w),
    cell(
      w.set,
      'EROFS',
      'a file on a read-only mount',
      (s) => {
        s.file('f');
        return w.setxattr(s.me, `${s.readOnly()}/f`, NAME, block(1), 0);
      },
      user,
    ),
    cell(
      w.remove,
      'EROFS',
      'a file on a read-only mount',
      (s) => {
        attributed(s);
        return w.removexattr(s.me, `${s.readOnly()}/f`, NAME);
      },
      user,
    ),
  ];
}

function refusedCells(w: Ways): Cell[] {
  const others = (s: Scene, mode: number): string => {
    const path = s.foreignFile('f', '', mode);
    s.ok(s.root.setxattr(path, NAME, block(3), 0), 'setxattr');
    return path;
  };
  return [
    refused(
      w.set,
      'EACCES',
      'no w on the file',
      (s) => w.setxattr(s.me, s.foreignFile('f', '', 0o755), NAME, block(1), 0),
      ['userXattr'],
    ),
    refused(w.remove, 'EACCES', 'no w on the file', (s) => w.removexattr(s.me, others(s, 0o755), NAME), [
      'userXattr',
    ]),
    refused(
      w.set,
      'EPERM',
      'the trusted namespace',
      (s) => w.setxattr(s.me, s.file('f'), 'trusted.a', block(1), 0),
      ['privilege'],
    ),
    refused(
      w.set,
      'EPERM',
      'the security namespace',
      (s) => w.setxattr(s.me, s.file('f'), 'security.a', block(1), 0),
      ['privilege'],
    ),
    refused(
      w.set,
      'EPERM',
      'a user attribute on somebody else’s sticky directory',
      (s) => w.setxattr(s.me, s.foreignDir('d', 0o1777), NAME, block(1), 0),
      ['userXattr'],
    ),
    refused(
      w.remove,
      'EPERM',
      'the trusted namespace',
      (s) => {
        const path = s.file('f');
        s.ok(s.root.setxattr(path, 'trusted.a', block(1), 0), 'setxattr');
        return w.removexattr(s.me, path, 'trusted.a');
      },
      ['privilege'],
    ),
    cell(
      w.get,
      'ENODATA',
      'the trusted namespace as a user',
      (s) => {
        const path = s.file('f');
        s.ok(s.root.setxattr(path, 'trusted.a', block(1), 0), 'setxattr');
        return w.getxattr(s.me, path, 'trusted.a', 10);
      },
      { who: ['user'], needs: ['privilege'] },
    ),
    cell(
      w.set,
      'EPERM',
      'a user attribute on a fifo',
      (s) => w.setxattr(s.me, s.fifo('p'), NAME, block(1), 0),
      user,
    ),
    cell(
      w.remove,
      'EPERM',
      'a user attribute of a fifo',
      (s) => w.removexattr(s.me, s.fifo('p'), NAME),
      user,
    ),
    cell(
      w.get,
      'ENODATA',
      'a user attribute of a fifo',
      (s) => w.getxattr(s.me, s.fifo('p'), NAME, 10),
      user,
    ),
    cell(
      w.set,
      'ENOSPC',
      'no room is left',
      (s) => w.setxattr(s.root, `${s.full()}/fill`, 'user.big', block(60000), 0),
      user,
    ),
  ];
}

const linkCells: readonly Cell[] = [
  cell(
    'lsetxattr',
    'EPERM',
    'a user attribute on a symlink',
    (s) => s.me.lsetxattr(s.symlink('t', 'l'), NAME, block(1), 0),
    user,
  ),
  cell(
    'lgetxattr',
    'ENODATA',
    'a user attribute of a symlink',
    (s) => s.me.lgetxattr(s.symlink(attributed(s), 'l'), NAME, 10),
    user,
  ),
  cell(
    'lgetxattr',
    'ENODATA',
    'a trusted attribute is the symlink’s or its target’s',
    (s) => {
      const path = s.file('f');
      s.ok(s.root.setxattr(path, 'trusted.a', block(1), 0), 'setxattr');
      return s.root.lgetxattr(s.symlink(path, 'l'), 'trusted.a', 10);
    },
    privileged,
  ),
];

export const xattrCells: readonly Cell[] = [
  ...ways.flatMap((w) => [...readCells(w), ...writeCells(w)]),
  ...linkCells,
];
