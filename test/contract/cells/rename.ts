import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import type { Scene } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';
import { inSticky } from './names.ts';

/** rename and renameat2. */

const AT = F.AT_FDCWD;

type Rename = (p: PosixProcess, from: string, to: string) => number;

const renamers: readonly ['rename' | 'renameat2', Rename][] = [
  ['rename', (p, from, to) => p.rename(from, to)],
  ['renameat2', (p, from, to) => p.renameat2(AT, from, AT, to, 0)],
];

function shapeCells(call: 'rename' | 'renameat2', rename: Rename): Cell[] {
  return [
    cell(call, 'EISDIR', 'a file onto a directory', (s) => rename(s.me, s.file('f'), s.mkdir('d'))),
    cell(call, 'EISDIR', 'a symlink onto a directory', (s) =>
      rename(s.me, s.symlink('x', 'l'), s.mkdir('d')),
    ),
    cell(call, 'ENOTDIR', 'a directory onto a file', (s) => rename(s.me, s.mkdir('d'), s.file('f'))),
    cell(call, 'ENOTDIR', 'a directory onto a symlink to a directory', (s) =>
      rename(s.me, s.mkdir('d'), s.symlink(s.mkdir('e'), 'l')),
    ),
    cell(call, 'ENOTDIR', 'a file to a new name with a slash behind it', (s) =>
      rename(s.me, s.file('f'), s.at('new/')),
    ),
    cell(call, 'ENOTEMPTY', 'a directory onto one with a file in it', (s) => {
      s.mkdir('e');
      s.file('e/f');
      return rename(s.me, s.mkdir('d'), s.at('e'));
    }),
    cell(call, 'ENOTEMPTY', 'a directory onto the one that holds it', (s) => {
      s.mkdir('e');
      return rename(s.me, s.mkdir('e/d'), s.at('e'));
    }),
    cell(call, 'ENOTEMPTY', 'a file onto the directory that holds it', (s) => {
      s.mkdir('e');
      return rename(s.me, s.file('e/f'), s.at('e'));
    }),
    cell(call, 'EINVAL', 'a directory into itself', (s) => rename(s.me, s.mkdir('d'), s.at('d/new'))),
    cell(call, 'EINVAL', 'a directory into one below it', (s) => {
      s.mkdir('d');
      s.mkdir('d/e');
      return rename(s.me, s.at('d'), s.at('d/e/new'));
    }),
    cell(call, 'EINVAL', 'a directory onto one below it', (s) => {
      s.mkdir('d');
      return rename(s.me, s.at('d'), s.mkdir('d/e'));
    }),
    cell(call, 'EBUSY', 'dot', (s) => rename(s.me, s.at('.'), s.at('new'))),
    cell(call, 'EBUSY', 'onto dot-dot', (s) => rename(s.me, s.mkdir('d'), s.at('..'))),
    cell(call, 'EBUSY', 'the root', (s) => rename(s.me, '/', s.at('new'))),
    cell(call, 'EBUSY', 'a mount point', (s) => rename(s.root, s.elsewhere(), s.at('new'))),
    cell(call, 'EBUSY', 'onto a mount point', (s) => rename(s.root, s.mkdir('d'), s.elsewhere())),
    cell(call, 'EXDEV', 'a file to another file system', (s) =>
      rename(s.me, s.file('f'), `${s.elsewhere()}/f`),
    ),
    cell(call, 'EXDEV', 'a directory to another file system', (s) =>
      rename(s.me, s.mkdir('d'), `${s.elsewhere()}/d`),
    ),
    cell(call, 'ENOENT', 'into a directory that was removed', (s) => {
      const path = s.mkdir('d');
      const file = s.file('f');
      s.ok(s.me.chdir(path), 'chdir');
      s.ok(s.me.rmdir(path), 'rmdir');
      return rename(s.me, file, 'new');
    }),
  ];
}

function permissionCells(call: 'rename' | 'renameat2', rename: Rename): Cell[] {
  return [
    refused(call, 'EACCES', 'no w on the old directory', (s) => {
      s.foreignDir('d', 0o755);
      return rename(s.me, s.foreignFile('d/f', '', 0o777), s.at('new'));
    }),
    refused(call, 'EACCES', 'no w on the new directory', (s) =>
      rename(s.me, s.file('f'), `${s.foreignDir('d', 0o755)}/new`),
    ),
    refused(call, 'EACCES', 'no w on a directory that gets another parent', (s) => {
      const path = s.mkdir('d', 0o755);
      s.mkdir('e');
      s.ok(s.me.chmod(path, 0o555), 'chmod');
      return rename(s.me, path, s.at('e/d'));
    }),
    refused(call, 'EPERM', 'out of a sticky directory', (s) =>
      rename(s.me, inSticky(s, 'file'), s.at('new')),
    ),
    refused(call, 'EPERM', 'within a sticky directory', (s) =>
      rename(s.me, inSticky(s, 'dir'), s.at('sticky/new')),
    ),
    refused(call, 'EPERM', 'over somebody else’s file in a sticky directory', (s) => {
      inSticky(s, 'file');
      return rename(s.me, s.file('f'), s.at('sticky/x'));
    }),
  ];
}

const exchange = (s: Scene, from: string, to: string): number =>
  s.me.renameat2(AT, from, AT, to, F.RENAME_EXCHANGE);

const flagCells: readonly Cell[] = [
  cell('renameat2', 'EEXIST', 'NOREPLACE onto a file', (s) =>
    s.me.renameat2(AT, s.file('f'), AT, s.file('g'), F.RENAME_NOREPLACE),
  ),
  cell('renameat2', 'EEXIST', 'NOREPLACE onto an empty directory', (s) =>
    s.me.renameat2(AT, s.mkdir('d'), AT, s.mkdir('e'), F.RENAME_NOREPLACE),
  ),
  cell('renameat2', 'EEXIST', 'NOREPLACE onto a symlink that leads nowhere', (s) =>
    s.me.renameat2(AT, s.file('f'), AT, s.symlink('missing', 'l'), F.RENAME_NOREPLACE),
  ),
  cell('renameat2', 'EEXIST', 'NOREPLACE onto itself', (s) =>
    s.me.renameat2(AT, s.file('f'), AT, s.at('f'), F.RENAME_NOREPLACE),
  ),
  cell('renameat2', 'EEXIST', 'NOREPLACE onto dot', (s) =>
    s.me.renameat2(AT, s.mkdir('d'), AT, s.at('.'), F.RENAME_NOREPLACE),
  ),
  cell('renameat2', 'EINVAL', 'NOREPLACE with EXCHANGE', (s) =>
    s.me.renameat2(AT, s.file('f'), AT, s.file('g'), F.RENAME_NOREPLACE | F.RENAME_EXCHANGE),
  ),
  cell('renameat2', 'EINVAL', 'an unknown flag', (s) =>
    s.me.renameat2(AT, s.file('f'), AT, s.at('g'), 0x100),
  ),
  cell('renameat2', 'ENOENT', 'EXCHANGE with nothing', (s) => exchange(s, s.file('f'), s.at('missing'))),
  cell('renameat2', 'EINVAL', 'EXCHANGE of a directory and one below it', (s) => {
    s.mkdir('d');
    return exchange(s, s.at('d'), s.mkdir('d/e'));
  }),
  cell('renameat2', 'EINVAL', 'EXCHANGE of a directory and the one above it', (s) => {
    s.mkdir('d');
    return exchange(s, s.mkdir('d/e'), s.at('d'));
  }),
  cell('renameat2', 'EXDEV', 'EXCHANGE across file systems', (s) => {
    const fs = s.elsewhere();
    s.ok(s.me.close(s.open(`${fs}/g`, F.O_CREAT | F.O_WRONLY)), 'close');
    return exchange(s, s.file('f'), `${fs}/g`);
  }),
  refused('renameat2', 'EPERM', 'EXCHANGE with somebody else’s file in a sticky directory', (s) => {
    inSticky(s, 'file');
    return exchange(s, s.file('f'), s.at('sticky/x'));
  }),
];

export const renameCells: readonly Cell[] = [
  ...renamers.flatMap(([call, rename]) => [...shapeCells(call, rename), ...permissionCells(call, rename)]),
  ...flagCells,
];
