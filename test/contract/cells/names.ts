import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import type { CallName } from '../documented.ts';
import type { Scene } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';

/** Making and removing names: link, symlink, unlink, rmdir, mkdir, mknod, mkfifo. */

const AT = F.AT_FDCWD;
const UNKNOWN_FLAG = 0x4000;

type Maker = (p: PosixProcess, path: string, s: Scene) => number;

/** A file of the caller's own to link, in a directory of its own. */
function source(s: Scene): string {
  const path = s.at('source');
  if (typeof s.me.lstat(path) === 'number') s.file('source', 'text');
  return path;
}

const makers: readonly [CallName, Maker][] = [
  ['link', (p, path, s) => p.link(source(s), path)],
  ['linkat', (p, path, s) => p.linkat(AT, source(s), AT, path, 0)],
  ['symlink', (p, path) => p.symlink('target', path)],
  ['symlinkat', (p, path) => p.symlinkat('target', AT, path)],
  ['mkdir', (p, path) => p.mkdir(path, 0o755)],
  ['mkdirat', (p, path) => p.mkdirat(AT, path, 0o755)],
  ['mknod', (p, path) => p.mknod(path, F.S_IFREG | 0o644, 0)],
  ['mknodat', (p, path) => p.mknodat(AT, path, F.S_IFREG | 0o644, 0)],
  ['mkfifo', (p, path) => p.mkfifo(path, 0o644)],
];

const links = (call: CallName): boolean => call === 'link' || call === 'linkat';

function makerCells(): Cell[] {
  return makers.flatMap(([call, make]) => [
    cell(call, 'EEXIST', 'a file stands there', (s) => make(s.me, s.file('f'), s)),
    cell(call, 'EEXIST', 'a directory stands there', (s) => make(s.me, s.mkdir('d'), s)),
    cell(call, 'EEXIST', 'a symlink that leads nowhere stands there', (s) =>
      make(s.me, s.symlink('missing', 'l'), s),
    ),
    cell(call, 'EEXIST', 'a symlink to itself stands there', (s) => make(s.me, s.symlink('l', 'l'), s)),
    cell(call, 'EEXIST', 'dot', (s) => make(s.me, s.at('.'), s)),
    cell(call, 'EEXIST', 'dot-dot', (s) => make(s.me, s.at('..'), s)),
    cell(call, 'EEXIST', 'the root', (s) => make(s.me, '/', s)),
    refused(call, 'EACCES', 'no w on the directory', (s) => make(s.me, `${s.foreignDir('d', 0o755)}/new`, s)),
    refused(call, 'EACCES', 'no x on the directory', (s) => make(s.me, `${s.foreignDir('d', 0o776)}/new`, s)),
    cell(call, 'ENOENT', 'the directory was removed', (s) => {
      const path = s.mkdir('d');
      if (links(call)) source(s);
      s.ok(s.me.chdir(path), 'chdir');
      s.ok(s.me.rmdir(path), 'rmdir');
      return make(s.me, 'new', s);
    }),
    ...(call === 'mkdir' || call === 'mkdirat'
      ? []
      : [cell(call, 'ENOENT', 'a slash after the new name', (s) => make(s.me, s.at('new/'), s))]),
    ...(links(call)
      ? []
      : [cell(call, 'ENOSPC', 'no inode is left', (s) => make(s.me, `${s.full()}/new`, s))]),
  ]);
}

const linkers: readonly ['link' | 'linkat', (p: PosixProcess, from: string, to: string) => number][] = [
  ['link', (p, from, to) => p.link(from, to)],
  ['linkat', (p, from, to) => p.linkat(AT, from, AT, to, 0)],
];

function linkCells(): Cell[] {
  return [
    ...linkers.flatMap(([call, link]) => [
      cell(call, 'EPERM', 'a directory', (s) => link(s.me, s.mkdir('d'), s.at('new'))),
      cell(call, 'EPERM', 'dot', (s) => link(s.me, s.at('.'), s.at('new'))),
      cell(call, 'EXDEV', 'to another file system', (s) => link(s.me, s.file('f'), `${s.elsewhere()}/new`)),
      cell(call, 'EXDEV', 'through a bind mount of the same file system', (s) => {
        const file = s.file('f');
        const view = s.elsewhere();
        s.ok(s.root.mkdir(`${view}/in`, 0o777), 'mkdir');
        s.ok(s.target.root.mount(s.dir, `${view}/in`, '', F.MS_BIND, ''), 'bind mount');
        s.willUnmount(`${view}/in`);
        return link(s.me, file, `${view}/in/new`);
      }),
      cell(call, 'EEXIST', 'onto itself', (s) => link(s.me, s.file('f'), s.at('f'))),
      cell(call, 'ENOSPC', 'no inode is left', (s) => {
        const fs = s.full();
        return link(s.me, `${fs}/fill`, `${fs}/new`);
      }),
    ]),
    cell('linkat', 'EINVAL', 'an unknown flag', (s) =>
      s.me.linkat(AT, s.file('f'), AT, s.at('new'), UNKNOWN_FLAG),
    ),
    cell(
      'linkat',
      'ENOENT',
      'a file whose last name is gone',
      (s) => {
        const fd = s.open(s.file('f'), F.O_RDWR);
        s.ok(s.me.unlink(s.at('f')), 'unlink');
        return s.root.linkat(fd, '', AT, s.at('new'), F.AT_EMPTY_PATH) === -9
          ? s.me.linkat(fd, '', AT, s.at('new'), F.AT_EMPTY_PATH)
          : 'root had the descriptor too';
      },
      { who: ['root'] },
    ),
    cell('linkat', 'ENOENT', 'an empty path without the flag', (s) =>
      s.me.linkat(s.open(s.file('f'), F.O_RDWR), '', AT, s.at('new'), 0),
    ),
    cell(
      'linkat',
      'ENOENT',
      'an unnamed file that O_EXCL keeps so',
      (s) => {
        const fd = s.open(s.dir, F.O_TMPFILE | F.O_EXCL | F.O_RDWR, 0o600);
        return s.me.linkat(fd, '', AT, s.at('new'), F.AT_EMPTY_PATH);
      },
      { who: ['root'] },
    ),
    cell('symlink', 'ENOENT', 'an empty target', (s) => s.me.symlink('', s.at('new'))),
    cell('symlinkat', 'ENOENT', 'an empty target', (s) => s.me.symlinkat('', AT, s.at('new'))),
    cell('symlink', 'ENAMETOOLONG', 'a target of 4096 bytes', (s) =>
      s.me.symlink('t'.repeat(4096), s.at('new')),
    ),
    cell('symlinkat', 'ENAMETOOLONG', 'a target of 4096 bytes', (s) =>
      s.me.symlinkat('t'.repeat(4096), AT, s.at('new')),
    ),
    ...['file', 'dir', 'fifo'].flatMap((kind) => {
      const make = (s: Scene): string =>
        kind === 'file' ? s.file('x') : kind === 'dir' ? s.mkdir('x') : s.fifo('x');
      return [
        cell('readlink', 'EINVAL', `a ${kind}`, (s) => s.me.readlink(make(s))),
        cell('readlinkat', 'EINVAL', `a ${kind}`, (s) => s.me.readlinkat(AT, make(s))),
      ];
    }),
    cell('readlink', 'EINVAL', 'a symlink to a directory with a slash behind it', (s) =>
      s.me.readlink(`${s.symlink(s.mkdir('d'), 'l')}/`),
    ),
    cell('readlinkat', 'ENOENT', 'the empty path at a directory', (s) =>
      s.me.readlinkat(s.open(s.dir, F.O_RDONLY), ''),
    ),
  ];
}

const unlinkers: readonly ['unlink' | 'unlinkat', (p: PosixProcess, path: string) => number][] = [
  ['unlink', (p, path) => p.unlink(path)],
  ['unlinkat', (p, path) => p.unlinkat(AT, path, 0)],
];

const removers: readonly ['rmdir' | 'unlinkat', (p: PosixProcess, path: string) => number][] = [
  ['rmdir', (p, path) => p.rmdir(path)],
  ['unlinkat', (p, path) => p.unlinkat(AT, path, F.AT_REMOVEDIR)],
];

/** Somebody else's sticky directory, as /tmp is. */
function sticky(s: Scene): string {
  return s.foreignDir('sticky', 0o1777);
}

/** Made by root in somebody's sticky directory, then given to somebody. */
export function inSticky(s: Scene, kind: 'file' | 'dir'): string {
  sticky(s);
  return kind === 'file' ? s.foreignFile('sticky/x', '', 0o777) : s.foreignDir('sticky/x', 0o777);
}

function unlinkCells(): Cell[] {
  return [
    ...unlinkers.flatMap(([call, unlink]) => [
      cell(call, 'EISDIR', 'a directory', (s) => unlink(s.me, s.mkdir('d'))),
      cell(call, 'EISDIR', 'a directory that is not empty', (s) => {
        s.mkdir('d');
        s.file('d/f');
        return unlink(s.me, s.at('d'));
      }),
      cell(call, 'EISDIR', 'a directory with a slash behind it', (s) => unlink(s.me, `${s.mkdir('d')}/`)),
      cell(call, 'EISDIR', 'dot', (s) => unlink(s.me, s.at('.'))),
      cell(call, 'EISDIR', 'dot-dot', (s) => unlink(s.me, s.at('..'))),
      cell(call, 'ENOTDIR', 'a symlink to a directory with a slash behind it', (s) =>
        unlink(s.me, `${s.symlink(s.mkdir('d'), 'l')}/`),
      ),
      refused(call, 'EACCES', 'no w on the directory', (s) => {
        s.foreignDir('d', 0o755);
        return unlink(s.me, s.foreignFile('d/f', '', 0o777));
      }),
      refused(call, 'EPERM', 'a sticky directory, somebody else’s file', (s) =>
        unlink(s.me, inSticky(s, 'file')),
      ),
    ]),
    ...removers.flatMap(([call, remove]) => [
      cell(call, 'ENOTEMPTY', 'a file is in it', (s) => {
        s.mkdir('d');
        s.file('d/f');
        return remove(s.me, s.at('d'));
      }),
      cell(call, 'ENOTEMPTY', 'a directory is in it', (s) => {
        s.mkdir('d');
        s.mkdir('d/e');
        return remove(s.me, s.at('d'));
      }),
      cell(call, 'ENOTEMPTY', 'dot-dot at the end', (s) => remove(s.me, `${s.mkdir('d')}/..`)),
      cell(call, 'EINVAL', 'dot at the end', (s) => remove(s.me, `${s.mkdir('d')}/.`)),
      cell(call, 'ENOTDIR', 'a file', (s) => remove(s.me, s.file('f'))),
      cell(call, 'ENOTDIR', 'a fifo', (s) => remove(s.me, s.fifo('p'))),
      cell(call, 'ENOTDIR', 'a symlink to a directory', (s) => remove(s.me, s.symlink(s.mkdir('d'), 'l'))),
      cell(call, 'ENOTDIR', 'a symlink to a directory with a slash behind it, as a directory', (s) =>
        remove(s.me, `${s.symlink(s.mkdir('d'), 'l')}/`),
      ),
      cell(call, 'EBUSY', 'a mount point', (s) => remove(s.root, s.elsewhere())),
      cell(call, 'EBUSY', 'the root', (s) => remove(s.me, '/')),
      refused(call, 'EACCES', 'no w on the directory above', (s) => {
        s.foreignDir('d', 0o755);
        return remove(s.me, s.foreignDir('d/e', 0o777));
      }),
      refused(call, 'EPERM', 'a sticky directory, somebody else’s directory', (s) =>
        remove(s.me, inSticky(s, 'dir')),
      ),
    ]),
    cell('unlinkat', 'EINVAL', 'an unknown flag', (s) => s.me.unlinkat(AT, s.file('f'), UNKNOWN_FLAG)),
  ];
}

const nodes: readonly [
  'mknod' | 'mknodat',
  (p: PosixProcess, path: string, mode: number, dev: number) => number,
][] = [
  ['mknod', (p, path, mode, dev) => p.mknod(path, mode, dev)],
  ['mknodat', (p, path, mode, dev) => p.mknodat(AT, path, mode, dev)],
];

function nodeCells(): Cell[] {
  return nodes.flatMap(([call, mknod]) => [
    refused(call, 'EPERM', 'a character device', (s) => mknod(s.me, s.at('n'), F.S_IFCHR | 0o600, 0x103), [
      'privilege',
    ]),
    refused(call, 'EPERM', 'a block device', (s) => mknod(s.me, s.at('n'), F.S_IFBLK | 0o600, 0x700), [
      'privilege',
    ]),
    cell(call, 'EPERM', 'a directory', (s) => mknod(s.me, s.at('n'), F.S_IFDIR | 0o755, 0)),
    cell(call, 'EINVAL', 'a symlink', (s) => mknod(s.me, s.at('n'), F.S_IFLNK | 0o777, 0)),
    cell(call, 'EINVAL', 'an unknown type', (s) => mknod(s.me, s.at('n'), 0o150000 | 0o644, 0)),
  ]);
}

export const nameCells: readonly Cell[] = [...makerCells(), ...linkCells(), ...unlinkCells(), ...nodeCells()];
