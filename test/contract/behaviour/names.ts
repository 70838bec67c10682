import { expect } from 'vitest';
import { ENOENT } from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { chain, lengthened } from '../cells/paths.ts';
import { bytesOf, type Scene } from '../scene.ts';
import { type Behaviour, behaviour } from '../types.ts';
import { content } from './data.ts';
import { statOf } from './modes.ts';

/** Names: links and their counts, removal, renaming, symlinks, path resolution. */

const AT = F.AT_FDCWD;
const on = (title: string, run: (s: Scene) => void): Behaviour => behaviour('names', title, run);
const gone = (s: Scene, path: string): boolean => s.root.lstat(path) === -2;
const ino = (s: Scene, path: string): number => statOf(s, path).ino;
const links = (s: Scene, path: string): number => statOf(s, path).nlink;

const linking: readonly Behaviour[] = [
  on('two names of one file share everything', (s) => {
    const a = s.file('a', 'abc');
    expect(s.me.link(a, s.at('b'))).toBe(0);
    expect(statOf(s, s.at('b'))).toEqual(statOf(s, a));
    expect(links(s, a)).toBe(2);
    s.ok(s.me.write(s.open(s.at('b'), F.O_WRONLY), bytesOf('X')), 'write');
    expect(content(s, a)).toBe('Xbc');
    expect(s.me.unlink(a)).toBe(0);
    expect(links(s, s.at('b'))).toBe(1);
  }),
  on('a new directory has two links and gives one to the one above', (s) => {
    const before = links(s, s.dir);
    const d = s.mkdir('d');
    expect([links(s, d), links(s, s.dir)]).toEqual([2, before + 1]);
    s.mkdir('d/e');
    s.file('d/f');
    expect([links(s, d), links(s, s.dir)]).toEqual([3, before + 1]);
    expect(s.me.rmdir(s.at('d/e'))).toBe(0);
    expect(links(s, d)).toBe(2);
  }),
  on('a directory renamed away takes its link along', (s) => {
    const [a, b] = [s.mkdir('a'), s.mkdir('b')];
    s.mkdir('a/d');
    expect(s.me.rename(s.at('a/d'), s.at('b/d'))).toBe(0);
    expect([links(s, a), links(s, b)]).toEqual([2, 3]);
  }),
  on('link does not follow a symlink, linkat does when told', (s) => {
    const f = s.file('f');
    const l = s.symlink('f', 'l');
    expect(s.me.link(l, s.at('m'))).toBe(0);
    expect(ino(s, s.at('m'))).toBe(ino(s, l));
    expect(s.me.linkat(AT, l, AT, s.at('n'), F.AT_SYMLINK_FOLLOW)).toBe(0);
    expect(ino(s, s.at('n'))).toBe(ino(s, f));
  }),
  on('fifos and symlinks can be linked', (s) => {
    expect(s.me.link(s.fifo('p'), s.at('q'))).toBe(0);
    expect(s.me.link(s.symlink('x', 'l'), s.at('m'))).toBe(0);
    expect([links(s, s.at('q')), links(s, s.at('m'))]).toEqual([2, 2]);
  }),
  behaviour(
    'names',
    'an unnamed file gets a name from its descriptor',
    (s) => {
      const fd = s.open(s.dir, F.O_TMPFILE | F.O_RDWR, 0o640);
      s.ok(s.me.write(fd, bytesOf('abc')), 'write');
      const st = s.me.fstat(fd);
      expect(typeof st === 'number' ? st : [st.nlink, st.mode & 0o7777]).toEqual([0, 0o640]);
      expect(s.me.linkat(fd, '', AT, s.at('new'), F.AT_EMPTY_PATH)).toBe(0);
      expect([content(s, s.at('new')), links(s, s.at('new'))]).toEqual(['abc', 1]);
      expect(s.me.unlink(s.at('new'))).toBe(0);
      expect(s.me.linkat(fd, '', AT, s.at('again'), F.AT_EMPTY_PATH)).toBe(-2);
    },
    { who: ['root'] },
  ),
  on('an unnamed file leaves no trace', (s) => {
    const fd = s.open(s.dir, F.O_TMPFILE | F.O_RDWR, 0o600);
    s.ok(s.me.write(fd, bytesOf('abc')), 'write');
    expect((s.me.getdents(s.open(s.dir, F.O_RDONLY)) as unknown[]).length).toBe(2);
    expect(s.me.close(fd)).toBe(0);
  }),
];

const removing: readonly Behaviour[] = [
  on('a removed file lives on while it is open', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    expect(s.me.unlink(s.at('f'))).toBe(0);
    expect(gone(s, s.at('f'))).toBe(true);
    const st = s.me.fstat(fd);
    expect(typeof st === 'number' ? st : [st.nlink, st.size]).toEqual([0, 3]);
    expect(s.me.write(fd, bytesOf('Xy'))).toBe(2);
    expect(s.me.pread(fd, 9, 0)).toEqual(bytesOf('Xyc'));
    expect(s.me.fchmod(fd, 0o600)).toBe(0);
    expect(s.me.ftruncate(fd, 1)).toBe(0);
  }),
  on('a name can be taken again while the old file is open', (s) => {
    const fd = s.open(s.file('f', 'old'), F.O_RDWR);
    expect(s.me.unlink(s.at('f'))).toBe(0);
    s.file('f', 'new');
    expect(s.me.pread(fd, 9, 0)).toEqual(bytesOf('old'));
    expect(content(s, s.at('f'))).toBe('new');
    const st = s.me.fstat(fd);
    expect(typeof st === 'number' ? st : st.ino).not.toBe(ino(s, s.at('f')));
  }),
  on('unlink removes a symlink, not what it names', (s) => {
    const f = s.file('f');
    expect(s.me.unlink(s.symlink('f', 'l'))).toBe(0);
    expect([gone(s, s.at('l')), gone(s, f)]).toEqual([true, false]);
  }),
  on('a removed working directory takes no more names', (s) => {
    s.ok(s.me.chdir(s.mkdir('d')), 'chdir');
    expect(s.me.rmdir(s.at('d'))).toBe(0);
    expect(s.me.mkdir('e', 0o755)).toBe(-2);
    expect(s.me.stat('.')).toMatchObject({ nlink: 0 });
  }),
  on('a removed working directory still has a dot-dot', (s) => {
    s.ok(s.me.chdir(s.mkdir('d')), 'chdir');
    const above = ino(s, s.dir);
    expect(s.me.rmdir(s.at('d'))).toBe(0);
    expect(s.me.stat('..')).toMatchObject({ ino: above });
  }),
  on('a slash may stand after the directory to remove', (s) => {
    expect(s.me.rmdir(`${s.mkdir('d')}/`)).toBe(0);
    expect(s.me.rmdir(`${s.mkdir('d')}//`)).toBe(0);
  }),
  on('a name is found again after being looked for in vain', (s) => {
    for (let i = 0; i < 3; i++) {
      expect(s.me.stat(s.at('f'))).toBe(-2);
      s.file('f');
      expect(s.me.unlink(s.at('f'))).toBe(0);
      expect(s.me.stat(s.at('f'))).toBe(-2);
      s.mkdir('f');
      expect(s.me.rmdir(s.at('f'))).toBe(0);
    }
  }),
];

const renaming: readonly Behaviour[] = [
  on('rename keeps the file and its attributes', (s) => {
    const was = statOf(s, s.file('a', 'abc', 0o640));
    expect(s.me.rename(s.at('a'), s.at('b'))).toBe(0);
    const is = statOf(s, s.at('b'));
    expect({ ...is, ctime: 0 }).toEqual({ ...was, ctime: 0 });
    expect(gone(s, s.at('a'))).toBe(true);
  }),
  on('rename replaces a file; the old one lives on while it is open', (s) => {
    const fd = s.open(s.file('b', 'old'), F.O_RDONLY);
    const inode = ino(s, s.file('a', 'new'));
    expect(s.me.rename(s.at('a'), s.at('b'))).toBe(0);
    expect([ino(s, s.at('b')), content(s, s.at('b'))]).toEqual([inode, 'new']);
    expect(s.me.read(fd, 9)).toEqual(bytesOf('old'));
    expect(s.me.fstat(fd)).toMatchObject({ nlink: 0 });
  }),
  on('rename replaces an empty directory', (s) => {
    const inode = ino(s, s.mkdir('a'));
    s.file('a/f');
    s.mkdir('b');
    const before = links(s, s.dir);
    expect(s.me.rename(s.at('a'), s.at('b'))).toBe(0);
    expect([ino(s, s.at('b')), links(s, s.dir)]).toEqual([inode, before - 1]);
    expect(gone(s, s.at('b/f'))).toBe(false);
  }),
  on('a replaced directory that is still open is empty and dead', (s) => {
    s.mkdir('a');
    const fd = s.open(s.mkdir('b'), F.O_RDONLY);
    expect(s.me.rename(s.at('a'), s.at('b'))).toBe(0);
    expect(s.me.fstat(fd)).toMatchObject({ nlink: 0 });
    expect(s.me.openat(fd, 'x', F.O_CREAT | F.O_WRONLY, 0o600)).toBe(-2);
  }),
  on('rename onto itself does nothing', (s) => {
    s.file('f', 'abc');
    expect(s.me.rename(s.at('f'), s.at('f'))).toBe(0);
    expect(content(s, s.at('f'))).toBe('abc');
  }),
  on('rename onto another name of the same file keeps both', (s) => {
    s.ok(s.me.link(s.file('a'), s.at('b')), 'link');
    expect(s.me.rename(s.at('a'), s.at('b'))).toBe(0);
    expect([links(s, s.at('a')), links(s, s.at('b'))]).toEqual([2, 2]);
  }),
  on('rename moves a symlink, not what it names', (s) => {
    s.file('f', 'abc');
    s.symlink('f', 'l');
    expect(s.me.rename(s.at('l'), s.at('m'))).toBe(0);
    expect([s.me.readlink(s.at('m')), content(s, s.at('f'))]).toEqual(['f', 'abc']);
  }),
  on('rename replaces a symlink, not what it names', (s) => {
    s.file('f', 'abc');
    s.symlink('f', 'l');
    s.file('g', 'new');
    expect(s.me.rename(s.at('g'), s.at('l'))).toBe(0);
    expect([content(s, s.at('l')), content(s, s.at('f'))]).toEqual(['new', 'abc']);
  }),
  on('a renamed directory’s dot-dot is its new parent', (s) => {
    const b = s.mkdir('b');
    s.mkdir('a');
    s.mkdir('a/d');
    s.ok(s.me.chdir(s.at('a/d')), 'chdir');
    expect(s.me.rename(s.at('a/d'), s.at('b/d'))).toBe(0);
    expect(s.me.stat('..')).toMatchObject({ ino: ino(s, b) });
    expect(s.me.getcwd()).toBe(s.at('b/d'));
  }),
  on('a slash may stand after a directory’s old and new name', (s) => {
    expect(s.me.rename(`${s.mkdir('a')}/`, s.at('b/'))).toBe(0);
    expect(gone(s, s.at('b'))).toBe(false);
  }),
  on('what is below a renamed directory is found under its new name only', (s) => {
    s.mkdir('a');
    s.mkdir('a/b');
    s.file('a/b/f', 'abc');
    expect(s.me.stat(s.at('a/b/f'))).toMatchObject({ size: 3 });
    expect(s.me.stat(s.at('c/b/f'))).toBe(-2);
    expect(s.me.rename(s.at('a'), s.at('c'))).toBe(0);
    expect(s.me.stat(s.at('c/b/f'))).toMatchObject({ size: 3 });
    expect(s.me.stat(s.at('a/b/f'))).toBe(-2);
  }),
  on('NOREPLACE moves to a free name', (s) => {
    expect(s.me.renameat2(AT, s.file('a', 'abc'), AT, s.at('b'), F.RENAME_NOREPLACE)).toBe(0);
    expect(content(s, s.at('b'))).toBe('abc');
  }),
  on('EXCHANGE swaps two files', (s) => {
    const [a, b] = [ino(s, s.file('a')), ino(s, s.file('b'))];
    expect(s.me.renameat2(AT, s.at('a'), AT, s.at('b'), F.RENAME_EXCHANGE)).toBe(0);
    expect([ino(s, s.at('a')), ino(s, s.at('b'))]).toEqual([b, a]);
  }),
  on('EXCHANGE swaps a file and a directory, links and all', (s) => {
    s.mkdir('x');
    s.mkdir('y');
    s.mkdir('x/d');
    s.file('y/f');
    expect(s.me.renameat2(AT, s.at('x/d'), AT, s.at('y/f'), F.RENAME_EXCHANGE)).toBe(0);
    expect([links(s, s.at('x')), links(s, s.at('y'))]).toEqual([2, 3]);
    expect(s.me.stat(s.at('y/f/..'))).toMatchObject({ ino: ino(s, s.at('y')) });
  }),
];

const symlinks: readonly Behaviour[] = [
  on('a symlink’s size is its target’s length, its text is kept as it is', (s) => {
    for (const target of ['x', '../..//a/./b/', 't'.repeat(4095), '\u20ac']) {
      s.symlink(target, 'l');
      expect([s.me.readlink(s.at('l')), statOf(s, s.at('l')).size]).toEqual([target, bytesOf(target).length]);
      s.ok(s.me.unlink(s.at('l')), 'unlink');
    }
  }),
  on('40 symlinks are followed', (s) => {
    s.file('f', 'abc');
    expect(content(s, chain(s, F.SYMLOOP_MAX, 'f'))).toBe('abc');
  }),
  on('relative targets start where the symlink is', (s) => {
    s.mkdir('a');
    s.mkdir('a/b');
    s.file('a/f', 'abc');
    s.symlink('../f', 'a/b/l');
    expect(content(s, s.at('a/b/l'))).toBe('abc');
    s.symlink('a/b/l', 'm');
    expect(content(s, s.at('m'))).toBe('abc');
  }),
  on('an absolute target starts at the root', (s) => {
    s.file('f', 'abc');
    s.symlink(s.at('f'), 'l');
    expect(content(s, s.at('l'))).toBe('abc');
  }),
  on('dot-dot after a symlink leads above its target', (s) => {
    s.mkdir('a');
    s.mkdir('a/b');
    s.symlink('a/b', 'l');
    expect(s.me.stat(s.at('l/..'))).toMatchObject({ ino: ino(s, s.at('a')) });
  }),
  on('open with O_CREAT makes the file a symlink names', (s) => {
    s.symlink('new', 'l');
    s.ok(s.me.open(s.at('l'), F.O_CREAT | F.O_WRONLY, 0o600), 'open');
    expect(statOf(s, s.at('new')).mode & F.S_IFMT).toBe(F.S_IFREG);
  }),
  on('O_PATH with O_NOFOLLOW opens a symlink itself', (s) => {
    const l = s.symlink('target', 'l');
    const fd = s.open(l, F.O_PATH | F.O_NOFOLLOW);
    expect(s.me.fstat(fd)).toMatchObject({ ino: ino(s, l) });
    expect(s.me.readlinkat(fd, '')).toBe('target');
  }),
  on('a slash after a symlink follows it', (s) => {
    const d = s.mkdir('d');
    s.symlink('d', 'l');
    expect(s.me.lstat(s.at('l/'))).toMatchObject({ ino: ino(s, d) });
    expect(s.me.lstat(s.at('l'))).not.toMatchObject({ ino: ino(s, d) });
  }),
];

const resolution: readonly Behaviour[] = [
  on('a name of 255 bytes and a path of 4095', (s) => {
    s.file('n'.repeat(255), 'abc');
    expect(content(s, s.at('n'.repeat(255)))).toBe('abc');
    s.file('x', 'abc');
    expect(s.me.stat(lengthened(s.at('x'), 4095))).toMatchObject({ size: 3 });
  }),
  on('slashes, dots and dot-dots change nothing', (s) => {
    s.mkdir('d');
    s.file('d/f', 'abc');
    for (const path of ['//d///f', '/./d/./f', '/d/../d/f', '/d/./../d//f'])
      expect(s.me.stat(s.dir + path)).toMatchObject({ size: 3 });
  }),
  on('dot-dot of the root is the root', (s) => {
    expect(s.me.stat('/../../..')).toMatchObject({ ino: ino(s, '/') });
    expect(s.me.stat(`/../..${s.dir}`)).toMatchObject({ ino: ino(s, s.dir) });
  }),
  on('names are bytes', (s) => {
    for (const name of ['\u20ac uro', 'a\nb', '-', '...', ' ', '\u00e9', 'e\u0301', 'A', 'a'])
      s.file(name, name);
    for (const name of ['\u00e9', 'e\u0301', 'A', 'a']) expect(content(s, s.at(name))).toBe(name);
  }),
  behaviour('names', 'names need not be UTF-8', (s) => {
    const path = new Uint8Array([...bytesOf(`${s.dir}/`), 0xff, 0xfe, 0x80]);
    const fd = s.ok(s.me.open(path, F.O_CREAT | F.O_WRONLY, 0o600), 'open');
    expect(s.me.write(fd, bytesOf('abc'))).toBe(3);
    expect(s.me.stat(path)).toMatchObject({ size: 3 });
    expect(s.me.unlink(path)).toBe(0);
  }),
  on('relative paths start at the working directory, at-calls at theirs', (s) => {
    s.mkdir('d');
    s.file('d/f', 'abc');
    s.ok(s.me.chdir(s.at('d')), 'chdir');
    expect(s.me.stat('f')).toMatchObject({ size: 3 });
    const fd = s.open(s.dir, F.O_RDONLY);
    expect(s.me.fstatat(fd, 'd/f', 0)).toMatchObject({ size: 3 });
    expect(s.me.fstatat(fd, s.at('d/f'), 0)).toMatchObject({ size: 3 });
    expect(s.me.fstatat(97, s.at('d/f'), 0)).toMatchObject({ size: 3 });
  }),
  on('mkdir accepts a slash at the end', (s) => {
    expect(s.me.mkdir(s.at('d/'), 0o755)).toBe(0);
    expect(s.me.mkdir(s.at('d/'), 0o755)).toBe(-17);
  }),
  behaviour(
    'names',
    'chroot: dot-dot and absolute paths stay inside',
    (s) => {
      s.mkdir('d');
      s.mkdir('d/in');
      s.symlink('/in', 'd/l');
      expect(s.me.chroot(s.at('d'))).toBe(0);
      expect(s.me.chdir('/')).toBe(0);
      expect(s.me.stat('../..')).toMatchObject({ ino: ino(s, s.at('d')) });
      expect(s.me.stat('/l')).toMatchObject({ ino: ino(s, s.at('d/in')) });
      expect(s.me.getcwd()).toBe('/');
    },
    { who: ['root'] },
  ),
  behaviour(
    'names',
    'chroot: a root directory that was removed is not found any more',
    (s) => {
      expect(s.me.chroot(s.mkdir('d'))).toBe(0);
      expect(s.me.chdir('/')).toBe(0);
      s.ok(s.friend.rmdir(s.at('d')), 'rmdir');
      expect(s.me.getcwd()).toBe(-ENOENT);
      expect(s.me.mkdir('/d', 0o755)).toBe(-ENOENT);
      expect(s.me.stat('/')).toMatchObject({ nlink: 0 });
    },
    { who: ['root'] },
  ),
];

export const nameBehaviours: readonly Behaviour[] = [
  ...linking,
  ...removing,
  ...renaming,
  ...symlinks,
  ...resolution,
];
