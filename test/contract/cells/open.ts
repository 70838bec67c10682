import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import { OTHER, type Scene } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';

/** open, openat and creat: what they add to resolving a path. */

type Opener = (p: PosixProcess, path: string, flags: number, mode?: number) => number;

const openers: readonly ['open' | 'openat', Opener][] = [
  ['open', (p, path, flags, mode) => p.open(path, flags, mode)],
  ['openat', (p, path, flags, mode) => p.openat(F.AT_FDCWD, path, flags, mode)],
];

/** No driver serves this device number. */
const NO_DEVICE = (200 << 8) | 250;

function permissionCells(call: 'open' | 'openat', open: Opener): Cell[] {
  const modes: [string, number, number][] = [
    ['reading without r', F.O_RDONLY, 0o773],
    ['writing without w', F.O_WRONLY, 0o775],
    ['both without w', F.O_RDWR, 0o775],
    ['both without r', F.O_RDWR, 0o773],
    ['truncating without w', F.O_RDONLY | F.O_TRUNC, 0o775],
  ];
  return [
    ...modes.map(([title, flags, mode]) =>
      refused(call, 'EACCES', `${title} as anybody`, (s) => open(s.me, s.foreignFile('f', 'x', mode), flags)),
    ),
    ...modes.map(([title, flags, mode]) =>
      refused(call, 'EACCES', `${title} as the owner`, (s) =>
        open(s.me, s.file('f', 'x', ((mode & 7) << 6) | 0o77), flags),
      ),
    ),
    refused(call, 'EACCES', 'the group is refused what anybody may', (s) => {
      const path = s.foreignFile('f', 'x', 0o604);
      s.ok(s.root.chown(path, OTHER.uid, 2000), 'chown');
      return open(s.me, path, F.O_RDONLY);
    }),
    refused(call, 'EACCES', 'making a file without w on the directory', (s) =>
      open(s.me, `${s.foreignDir('d', 0o755)}/new`, F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    refused(call, 'EACCES', 'making a file without x on the directory', (s) =>
      open(s.me, `${s.foreignDir('d', 0o776)}/new`, F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    refused(call, 'EACCES', 'listing without r on the directory', (s) =>
      open(s.me, s.foreignDir('d', 0o773), F.O_RDONLY | F.O_DIRECTORY),
    ),
    refused(call, 'EACCES', 'an unnamed file without w on the directory', (s) =>
      open(s.me, s.foreignDir('d', 0o755), F.O_TMPFILE | F.O_RDWR, 0o600),
    ),
    refused(call, 'EPERM', 'O_NOATIME on somebody else’s file', (s) =>
      open(s.me, s.foreignFile('f', 'x', 0o666), F.O_RDONLY | F.O_NOATIME),
    ),
  ];
}

function kindCells(call: 'open' | 'openat', open: Opener): Cell[] {
  return [
    cell(call, 'EEXIST', 'O_EXCL on a file', (s) =>
      open(s.me, s.file('f'), F.O_CREAT | F.O_EXCL | F.O_WRONLY),
    ),
    cell(call, 'EEXIST', 'O_EXCL on a directory', (s) => open(s.me, s.mkdir('d'), F.O_CREAT | F.O_EXCL)),
    cell(call, 'EEXIST', 'O_EXCL on a symlink that leads nowhere', (s) =>
      open(s.me, s.symlink('missing', 'l'), F.O_CREAT | F.O_EXCL | F.O_WRONLY),
    ),
    cell(call, 'EEXIST', 'O_EXCL on a symlink to a file', (s) =>
      open(s.me, s.symlink(s.file('f'), 'l'), F.O_CREAT | F.O_EXCL | F.O_WRONLY),
    ),
    cell(call, 'EISDIR', 'writing a directory', (s) => open(s.me, s.mkdir('d'), F.O_WRONLY)),
    cell(call, 'EISDIR', 'reading and writing a directory', (s) => open(s.me, s.mkdir('d'), F.O_RDWR)),
    cell(call, 'EISDIR', 'O_CREAT on a directory', (s) => open(s.me, s.mkdir('d'), F.O_CREAT | F.O_RDONLY)),
    cell(call, 'EISDIR', 'O_TRUNC on a directory', (s) => open(s.me, s.mkdir('d'), F.O_TRUNC | F.O_RDONLY)),
    cell(call, 'EISDIR', 'making a file with a slash behind it', (s) =>
      open(s.me, s.at('new/'), F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    cell(call, 'EISDIR', 'making a file where one stands, with a slash behind it', (s) =>
      open(s.me, `${s.file('f')}/`, F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    cell(call, 'EISDIR', 'a slash behind a name in a directory that was removed', (s) => {
      s.ok(s.me.chdir(s.mkdir('d')), 'chdir');
      s.ok(s.me.rmdir(s.at('d')), 'rmdir');
      return open(s.me, 'new/', F.O_CREAT | F.O_WRONLY, 0o644);
    }),
    cell(call, 'EISDIR', 'making through a symlink with a slash behind it', (s) =>
      open(s.me, `${s.symlink('missing/x', 'l')}/`, F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    cell(call, 'EISDIR', 'O_EXCL on a directory with a slash behind it', (s) =>
      open(s.me, `${s.mkdir('d')}/`, F.O_CREAT | F.O_EXCL, 0o644),
    ),
    cell(call, 'EEXIST', 'O_EXCL on dot-dot', (s) => open(s.me, s.at('..'), F.O_CREAT | F.O_EXCL, 0o644)),
    cell(call, 'EISDIR', 'making dot', (s) => open(s.me, s.at('.'), F.O_CREAT | F.O_WRONLY, 0o644)),
    cell(call, 'ENOENT', 'making dot in a missing directory', (s) =>
      open(s.me, s.at('missing/.'), F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    cell(call, 'ENOENT', 'a directory that was removed', (s) => {
      const path = s.mkdir('d');
      s.ok(s.me.chdir(path), 'chdir');
      s.ok(s.me.rmdir(path), 'rmdir');
      return open(s.me, 'new', F.O_CREAT | F.O_WRONLY, 0o644);
    }),
    cell(call, 'ENOENT', 'making through a symlink whose directory is missing', (s) =>
      open(s.me, s.symlink('missing/new', 'l'), F.O_CREAT | F.O_WRONLY, 0o644),
    ),
    cell(call, 'ENOTDIR', 'O_DIRECTORY on a file', (s) => open(s.me, s.file('f'), F.O_DIRECTORY)),
    cell(call, 'ENOTDIR', 'O_DIRECTORY on a fifo', (s) => open(s.me, s.fifo('p'), F.O_DIRECTORY)),
    cell(call, 'ENOTDIR', 'O_TMPFILE in a file', (s) =>
      open(s.me, s.file('f'), F.O_TMPFILE | F.O_RDWR, 0o600),
    ),
    cell(call, 'EINVAL', 'O_TMPFILE for reading only', (s) =>
      open(s.me, s.dir, F.O_TMPFILE | F.O_RDONLY, 0o600),
    ),
    cell(call, 'EINVAL', 'O_CREAT with O_DIRECTORY', (s) =>
      open(s.me, s.at('new'), F.O_CREAT | F.O_DIRECTORY, 0o600),
    ),
    cell(call, 'ELOOP', 'O_NOFOLLOW on a symlink', (s) =>
      open(s.me, s.symlink(s.file('f'), 'l'), F.O_NOFOLLOW | F.O_RDONLY),
    ),
    cell(call, 'ENOTDIR', 'O_NOFOLLOW and O_DIRECTORY on a symlink', (s) =>
      open(s.me, s.symlink(s.mkdir('d'), 'l'), F.O_NOFOLLOW | F.O_DIRECTORY),
    ),
    cell(call, 'ENXIO', 'a fifo without a reader, not waiting', (s) =>
      open(s.me, s.fifo('p'), F.O_WRONLY | F.O_NONBLOCK),
    ),
    cell(call, 'ENXIO', 'a socket’s name', (s) => {
      s.ok(s.me.mknod(s.at('sock'), F.S_IFSOCK | 0o666, 0), 'mknod');
      return open(s.me, s.at('sock'), F.O_RDONLY);
    }),
    ...deviceCells(call, open),
  ];
}

function deviceCells(call: 'open' | 'openat', open: Opener): Cell[] {
  const device = (s: Scene, type: number): string => {
    const path = s.at('dev');
    s.ok(s.root.mknod(path, type | 0o666, NO_DEVICE), 'mknod');
    s.ok(s.root.chmod(path, 0o666), 'chmod');
    return path;
  };
  return [
    cell(
      call,
      'ENXIO',
      'a character device that is not there',
      (s) => open(s.me, device(s, F.S_IFCHR), F.O_RDONLY),
      {
        needs: ['privilege'],
      },
    ),
    cell(
      call,
      'ENXIO',
      'a block device that is not there',
      (s) => open(s.me, device(s, F.S_IFBLK), F.O_RDONLY),
      {
        needs: ['privilege'],
      },
    ),
    cell(
      call,
      'EACCES',
      'a device on a mount without devices',
      (s) => {
        const fs = s.elsewhere(F.MS_NODEV);
        s.ok(s.root.mknod(`${fs}/null`, F.S_IFCHR | 0o666, (1 << 8) | 3), 'mknod');
        s.ok(s.root.chmod(`${fs}/null`, 0o666), 'chmod');
        return open(s.me, `${fs}/null`, F.O_RDONLY);
      },
      { needs: ['privilege'] },
    ),
  ];
}

function mountCells(call: 'open' | 'openat', open: Opener): Cell[] {
  const onView = (title: string, flags: number): Cell =>
    cell(call, 'EROFS', `a read-only mount, ${title}`, (s) => {
      s.file('f', 'x');
      return open(s.me, `${s.readOnly()}/f`, flags);
    });
  return [
    onView('writing', F.O_WRONLY),
    onView('reading and writing', F.O_RDWR),
    onView('truncating', F.O_RDONLY | F.O_TRUNC),
    cell(call, 'EROFS', 'a read-only mount, making', (s) =>
      open(s.me, `${s.readOnly()}/new`, F.O_CREAT | F.O_RDONLY, 0o644),
    ),
    cell(call, 'EROFS', 'a read-only mount, an unnamed file', (s) =>
      open(s.me, s.readOnly(), F.O_TMPFILE | F.O_RDWR, 0o600),
    ),
    cell(call, 'ENOSPC', 'no inode is left', (s) =>
      open(s.me, `${s.full()}/new`, F.O_CREAT | F.O_WRONLY, 0o644),
    ),
  ];
}

function interruptCell(call: 'open' | 'openat'): Cell {
  return cell(
    call,
    'EINTR',
    'waiting for a fifo’s other end',
    (s) => {
      const pending = s.me.startOpen(s.fifo('p'), F.O_RDONLY);
      return pending.poll() === undefined ? pending.cancel() : 'it did not wait';
    },
    { needs: ['pending'] },
  );
}

const creatCells: readonly Cell[] = [
  refused('creat', 'EACCES', 'no w on the file', (s) => s.me.creat(s.foreignFile('f', 'x', 0o755), 0o644)),
  refused('creat', 'EACCES', 'no w on the directory', (s) =>
    s.me.creat(`${s.foreignDir('d', 0o755)}/new`, 0o644),
  ),
  cell('creat', 'EISDIR', 'a directory', (s) => s.me.creat(s.mkdir('d'), 0o644)),
  cell('creat', 'EISDIR', 'a slash at the end', (s) => s.me.creat(s.at('new/'), 0o644)),
  cell('creat', 'EROFS', 'a file on a read-only mount', (s) => {
    s.file('f', 'x');
    return s.me.creat(`${s.readOnly()}/f`, 0o644);
  }),
  cell('creat', 'ENOSPC', 'no inode is left', (s) => s.me.creat(`${s.full()}/new`, 0o644)),
  cell(
    'creat',
    'EINTR',
    'waiting for a fifo’s reader',
    (s) => {
      const pending = s.me.startOpen(s.fifo('p'), F.O_CREAT | F.O_WRONLY | F.O_TRUNC, 0o644);
      return pending.poll() === undefined ? pending.cancel() : 'it did not wait';
    },
    { needs: ['pending'] },
  ),
];

const limitCells: readonly Cell[] = openers.map(([call, open]) =>
  cell(call, 'EMFILE', 'the number is given back when a file is closed', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_RDONLY);
    s.ok(s.me.setrlimit(F.RLIMIT_NOFILE, fd + 1), 'setrlimit');
    const result = open(s.me, s.at('f'), F.O_RDONLY);
    s.ok(s.me.close(fd), 'close');
    const again = open(s.me, s.at('f'), F.O_RDONLY);
    return again === fd ? result : 'the number was lost';
  }),
);

export const openCells: readonly Cell[] = [
  ...openers.flatMap(([call, open]) => [
    ...permissionCells(call, open),
    ...kindCells(call, open),
    ...mountCells(call, open),
    interruptCell(call),
  ]),
  ...creatCells,
  ...limitCells,
];
