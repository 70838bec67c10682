/** Cases: opening, directories, links, names; and that nothing leads out of the directory. */
import assert from 'node:assert/strict';
import { RLIMIT_NOFILE } from '../../../assembly/abi/flags.ts';
import * as w from '../../../assembly/abi/wasi.ts';
import { DIRECTORY, type Fdstat, FILE, type Filestat } from '../handle.ts';
import type { Case } from './case.ts';

const {
  WASI_OFLAG_CREAT: CREAT,
  WASI_OFLAG_DIRECTORY: DIR,
  WASI_OFLAG_EXCL: EXCL,
  WASI_OFLAG_TRUNC: TRUNC,
} = w;

/** Rights less one. */
const without = (rights: bigint, bit: number) => rights & ~BigInt(bit);

export const names: readonly Case[] = [
  {
    name: 'path_open: what is there, what is made',
    act({ wasi, dir, machine }) {
      const close = (fd: number) => assert.equal(wasi.call('fd_close', fd), 0);
      close(wasi.open(dir, 'a'));
      close(wasi.open(dir, 'link'));
      assert.equal(wasi.open(dir, 'link', { dirflags: 0 }), -w.WASI_ELOOP);
      assert.equal(wasi.open(dir, 'dangling'), -w.WASI_ENOENT);
      assert.equal(wasi.open(dir, 'loop'), -w.WASI_ELOOP);
      assert.equal(wasi.open(dir, 'none'), -w.WASI_ENOENT);
      assert.equal(wasi.open(dir, ''), -w.WASI_ENOENT);
      assert.equal(wasi.open(dir, 'a/x'), -w.WASI_ENOTDIR);
      assert.equal(wasi.open(dir, 'a/'), -w.WASI_ENOTDIR);
      assert.equal(wasi.open(dir, 'a', { oflags: CREAT | EXCL }), -w.WASI_EEXIST);
      assert.equal(wasi.open(dir, 'dangling', { oflags: CREAT | EXCL }), -w.WASI_EEXIST);
      assert.equal(wasi.open(dir, 'new/', { oflags: CREAT }), -w.WASI_EISDIR);
      assert.equal(wasi.open(dir, 'no/new', { oflags: CREAT }), -w.WASI_ENOENT);
      close(wasi.open(dir, 'new', { oflags: CREAT | EXCL }));
      assert.equal(machine.fs.statSync('/d/new').mode & 0o777, 0o644);
      close(wasi.open(dir, 'dangling', { oflags: CREAT }));
      assert.equal(machine.fs.existsSync('/d/nowhere'), true);
      close(wasi.open(dir, 'a', { oflags: TRUNC }));
      assert.equal(machine.fs.statSync('/d/a').size, 0);
    },
  },
  {
    name: 'path_open: directories, and how rights decide the way',
    act({ wasi, dir }) {
      assert.equal(wasi.open(dir, 'sub'), -w.WASI_EISDIR);
      assert.equal(wasi.open(dir, 'a', { oflags: DIR }), -w.WASI_ENOTDIR);
      assert.equal(wasi.open(dir, 'sub', { oflags: DIR | CREAT }), -w.WASI_EINVAL);
      const sub = wasi.open(dir, 'sub/', { oflags: DIR, base: FILE | DIRECTORY, inheriting: FILE });
      assert.equal((wasi.fdstat(sub) as Fdstat).base, DIRECTORY);
      const reads = wasi.open(dir, 'sub', { base: BigInt(w.RIGHT_FD_READDIR) });
      assert.equal((wasi.fdstat(reads) as Fdstat).base, BigInt(w.RIGHT_FD_READDIR));
      const b = wasi.open(sub, 'b', { base: FILE });
      assert.equal(wasi.write(b, 'x'), 1);
      for (const fd of [sub, reads, b]) assert.equal(wasi.call('fd_close', fd), 0);
    },
  },
  {
    name: 'path_open: EBADF, ENOTCAPABLE, EINVAL, EFAULT, ENAMETOOLONG, EMFILE',
    act({ wasi, dir, process }) {
      const fd = wasi.open(dir, 'a');
      assert.equal(wasi.open(77, 'a'), -w.WASI_EBADF);
      assert.equal(wasi.open(-100, 'a'), -w.WASI_EBADF);
      assert.equal(wasi.open(fd, 'a'), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.open(dir, 'a', { dirflags: 2 }), -w.WASI_EINVAL);
      assert.equal(wasi.open(dir, 'a', { oflags: 16 }), -w.WASI_EINVAL);
      assert.equal(wasi.open(dir, 'a', { fdflags: 32 }), -w.WASI_EINVAL);
      assert.equal(wasi.open(dir, 'a', { base: 1n << 30n }), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.open(dir, 'a', { inheriting: 1n << 63n }), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.open(dir, 'x'.repeat(256)), -w.WASI_ENAMETOOLONG);
      assert.equal(wasi.open(dir, 'x/'.repeat(2048)), -w.WASI_ENAMETOOLONG);
      assert.equal(wasi.open(dir, 'a\0b'), -w.WASI_EINVAL);
      const end = wasi.u8.length;
      const open = (path: number, length: number, out: number) =>
        wasi.call('path_open', dir, 1, path, length, 0, FILE, 0n, 0, out);
      assert.equal(open(end - 2, 3, 0), w.WASI_EFAULT);
      assert.equal(open(0xffffffff, 2, 0), w.WASI_EFAULT);
      assert.equal(open(0, 0xffffffff, 0), w.WASI_ENAMETOOLONG);
      wasi.path('made');
      assert.equal(
        wasi.call('path_open', dir, 1, ...wasi.path('made'), CREAT, FILE, 0n, 0, end - 3),
        w.WASI_EFAULT,
      );
      assert.equal(wasi.stat(dir, 'made'), -w.WASI_ENOENT);
      process.setrlimit(RLIMIT_NOFILE, 6, 6);
      const last = wasi.open(dir, 'a');
      assert.equal(wasi.open(dir, 'a'), -w.WASI_EMFILE);
      for (const each of [fd, last]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'nothing leads out: dot-dot, absolute paths, links',
    act({ wasi, dir, machine }) {
      const sub = wasi.open(dir, 'sub', { oflags: DIR, base: DIRECTORY, inheriting: FILE });
      const out = [
        '..',
        '../d/a',
        'sub/../../secret',
        '/',
        '/d/a',
        '/secret',
        'up',
        'abs',
        'sub/../up',
        './/..',
      ];
      for (const path of out) {
        assert.equal(wasi.stat(dir, path), -w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.open(dir, path, { base: 0n }), -w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.open(dir, path, { base: 0n, oflags: CREAT }), -w.WASI_ENOTCAPABLE, path);
      }
      for (const path of ['../a', '..', '/b']) assert.equal(wasi.stat(sub, path), -w.WASI_ENOTCAPABLE, path);
      for (const path of ['../x', '/x', 'up/x', 'abs/x']) {
        const down = path.startsWith('up') || path.startsWith('abs');
        assert.equal(wasi.call('path_create_directory', dir, ...wasi.path(path)), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.call('path_unlink_file', dir, ...wasi.path(path)), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.call('path_remove_directory', dir, ...wasi.path(path)), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.readlink(dir, path), -w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.rename(dir, 'a', dir, path), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.rename(dir, path, dir, 'b'), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.link(dir, 0, 'a', dir, path), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.link(dir, 0, path, dir, 'b'), w.WASI_ENOTCAPABLE, path);
        assert.equal(wasi.symlink('a', dir, path), w.WASI_ENOTCAPABLE, path);
        assert.equal(
          wasi.call(
            'path_filestat_set_times',
            dir,
            1,
            ...wasi.path(down ? path.slice(0, -2) : path),
            0n,
            0n,
            1,
          ),
          w.WASI_ENOTCAPABLE,
          path,
        );
      }
      // the link itself is inside
      assert.equal((wasi.stat(dir, 'up', 0) as Filestat).type, w.WASI_FILETYPE_SYMBOLIC_LINK);
      assert.equal(machine.fs.readFileSync('/secret', 'utf8'), 'secret');
      // a directory moved out while it is open confines still
      machine.fs.renameSync('/d/sub', '/moved');
      assert.equal(wasi.stat(sub, '../secret'), -w.WASI_ENOTCAPABLE);
      assert.equal((wasi.stat(sub, 'b') as Filestat).size, 1n);
      assert.equal(wasi.call('fd_close', sub), 0);
    },
  },
  {
    name: 'path_create_directory, path_remove_directory, path_unlink_file',
    act({ wasi, dir, machine }) {
      const mkdir = (path: string, at = dir) => wasi.call('path_create_directory', at, ...wasi.path(path));
      const rmdir = (path: string, at = dir) => wasi.call('path_remove_directory', at, ...wasi.path(path));
      const unlink = (path: string, at = dir) => wasi.call('path_unlink_file', at, ...wasi.path(path));
      assert.equal(mkdir('new/'), 0);
      assert.equal(machine.fs.statSync('/d/new').mode & 0o777, 0o755);
      assert.equal(mkdir('new'), w.WASI_EEXIST);
      assert.equal(mkdir('a'), w.WASI_EEXIST);
      assert.equal(mkdir('a/x'), w.WASI_ENOTDIR);
      assert.equal(mkdir('no/x'), w.WASI_ENOENT);
      assert.equal(mkdir(''), w.WASI_ENOENT);
      assert.equal(mkdir('x', 77), w.WASI_EBADF);
      assert.equal(mkdir('n\0'), w.WASI_EINVAL);
      assert.equal(rmdir('sub'), w.WASI_ENOTEMPTY);
      assert.equal(rmdir('a'), w.WASI_ENOTDIR);
      assert.equal(rmdir('none'), w.WASI_ENOENT);
      assert.equal(rmdir('.'), w.WASI_EINVAL);
      assert.equal(rmdir('dir'), w.WASI_ENOTDIR);
      assert.equal(rmdir('new', 77), w.WASI_EBADF);
      assert.equal(rmdir('new/'), 0);
      assert.equal(unlink('sub'), w.WASI_EISDIR);
      assert.equal(unlink('a/'), w.WASI_ENOTDIR);
      assert.equal(unlink('none'), w.WASI_ENOENT);
      assert.equal(unlink('a', 77), w.WASI_EBADF);
      assert.equal(unlink('dangling'), 0);
      assert.equal(unlink('a'), 0);
      assert.equal(machine.fs.existsSync('/d/a'), false);
      for (const [name, bit] of [
        ['path_create_directory', w.RIGHT_PATH_CREATE_DIRECTORY],
        ['path_remove_directory', w.RIGHT_PATH_REMOVE_DIRECTORY],
        ['path_unlink_file', w.RIGHT_PATH_UNLINK_FILE],
      ] as const) {
        const less = wasi.open(dir, '.', { oflags: DIR, base: without(DIRECTORY, bit) });
        assert.equal(wasi.call(name, less, ...wasi.path('sub')), w.WASI_ENOTCAPABLE);
        assert.equal(wasi.call(name, dir, wasi.u8.length, 1), w.WASI_EFAULT);
        assert.equal(wasi.call('fd_close', less), 0);
      }
    },
  },
  {
    name: 'path_link, path_rename',
    act({ wasi, dir, machine }) {
      const sub = wasi.open(dir, 'sub', { oflags: DIR, base: DIRECTORY });
      assert.equal(wasi.link(dir, 0, 'a', sub, 'a2'), 0);
      assert.equal(machine.fs.statSync('/d/a').nlink, 2);
      assert.equal(wasi.link(dir, 0, 'a', sub, 'a2'), w.WASI_EEXIST);
      assert.equal(wasi.link(dir, 0, 'sub', dir, 'sub2'), w.WASI_EPERM);
      assert.equal(wasi.link(dir, 0, 'none', dir, 'n'), w.WASI_ENOENT);
      assert.equal(wasi.link(dir, 0, 'a', dir, 'x/'), w.WASI_ENOENT);
      assert.equal(wasi.link(dir, 2, 'a', dir, 'x'), w.WASI_EINVAL);
      assert.equal(wasi.link(dir, 0, 'link', dir, 'link2'), 0);
      assert.equal(machine.fs.lstatSync('/d/link2').isSymbolicLink(), true);
      assert.equal(wasi.link(dir, w.WASI_LOOKUP_FOLLOW, 'link', dir, 'a3'), 0);
      assert.equal(machine.fs.statSync('/d/a').nlink, 3);
      assert.equal(wasi.link(77, 0, 'a', dir, 'x'), w.WASI_EBADF);
      assert.equal(wasi.link(dir, 0, 'a', 77, 'x'), w.WASI_EBADF);
      assert.equal(wasi.rename(dir, 'a3', sub, 'c'), 0);
      assert.equal(wasi.rename(dir, 'none', dir, 'n'), w.WASI_ENOENT);
      assert.equal(wasi.rename(dir, 'a', dir, 'sub'), w.WASI_EISDIR);
      assert.equal(wasi.rename(dir, 'sub', dir, 'a'), w.WASI_ENOTDIR);
      assert.equal(wasi.rename(dir, 'sub', dir, 'sub/x'), w.WASI_EINVAL);
      assert.equal(wasi.rename(dir, 'a/', dir, 'x'), w.WASI_ENOTDIR);
      assert.equal(wasi.rename(dir, 'link2', dir, 'a'), 0);
      assert.equal(wasi.rename(77, 'a', dir, 'x'), w.WASI_EBADF);
      assert.equal(wasi.rename(dir, 'a', 77, 'x'), w.WASI_EBADF);
      for (const [source, target] of [
        [w.RIGHT_PATH_LINK_SOURCE, w.RIGHT_PATH_LINK_TARGET],
        [w.RIGHT_PATH_RENAME_SOURCE, w.RIGHT_PATH_RENAME_TARGET],
      ]) {
        const call = (from: number, to: number) =>
          source === w.RIGHT_PATH_LINK_SOURCE
            ? wasi.link(from, 0, 'a', to, 'y')
            : wasi.rename(from, 'a', to, 'y');
        for (const bit of [source, target]) {
          const less = wasi.open(dir, '.', { oflags: DIR, base: without(DIRECTORY, bit) });
          assert.equal(bit === source ? call(less, dir) : call(dir, less), w.WASI_ENOTCAPABLE);
          assert.equal(wasi.call('fd_close', less), 0);
        }
      }
      const end = wasi.u8.length;
      assert.equal(wasi.call('path_rename', dir, ...wasi.path('a'), dir, end, 1), w.WASI_EFAULT);
      assert.equal(wasi.call('path_link', dir, 0, end, 1, dir, ...wasi.path('a')), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_close', sub), 0);
    },
  },
  {
    name: 'path_symlink, path_readlink: cut off, never behind the buffer',
    act({ wasi, dir, machine }) {
      assert.equal(wasi.symlink('a/./b', dir, 'new'), 0);
      assert.equal(machine.fs.readlinkSync('/d/new'), 'a/./b');
      assert.equal(wasi.readlink(dir, 'new'), 'a/./b');
      wasi.u8.fill(0x2a, 0x10000, 0x10008);
      assert.equal(wasi.readlink(dir, 'new', 3), 'a/.');
      assert.equal(wasi.u8[0x10003], 0x2a);
      assert.equal(wasi.readlink(dir, 'new', 0), '');
      assert.equal(wasi.readlink(dir, 'a'), -w.WASI_EINVAL);
      assert.equal(wasi.readlink(dir, 'none'), -w.WASI_ENOENT);
      assert.equal(wasi.readlink(dir, ''), -w.WASI_ENOENT);
      assert.equal(wasi.readlink(77, 'new'), -w.WASI_EBADF);
      assert.equal(wasi.symlink('x', dir, 'new'), w.WASI_EEXIST);
      assert.equal(wasi.symlink('x', dir, 'y/'), w.WASI_ENOENT);
      assert.equal(wasi.symlink('', dir, 'y'), w.WASI_ENOENT);
      assert.equal(wasi.symlink('/secret', dir, 'y'), w.WASI_ENOTCAPABLE);
      assert.equal(wasi.symlink('x\0y', dir, 'y'), w.WASI_EINVAL);
      assert.equal(wasi.symlink('x', 77, 'y'), w.WASI_EBADF);
      // a link that leads out can be made, and leads nowhere
      assert.equal(wasi.symlink('../secret', dir, 'y'), 0);
      assert.equal(wasi.open(dir, 'y'), -w.WASI_ENOTCAPABLE);
      const less = wasi.open(dir, '.', {
        oflags: DIR,
        base: without(without(DIRECTORY, w.RIGHT_PATH_READLINK), w.RIGHT_PATH_SYMLINK),
      });
      assert.equal(wasi.readlink(less, 'new'), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.symlink('x', less, 'z'), w.WASI_ENOTCAPABLE);
      const end = wasi.u8.length;
      assert.equal(wasi.call('path_readlink', dir, ...wasi.path('new'), end - 1, 4, 0x100), w.WASI_EFAULT);
      assert.equal(wasi.call('path_symlink', end, 1, dir, ...wasi.path('q')), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_close', less), 0);
    },
  },
  {
    name: 'fd_readdir: cookies, entries that are cut off, many names',
    act({ wasi, dir, machine }) {
      const wanted = ['.', '..', ...machine.fs.readdirSync('/d')].sort();
      const whole = wasi.readdir(dir);
      assert.ok(typeof whole === 'object');
      assert.deepEqual(whole.entries.map(({ name }) => name).sort(), wanted);
      assert.ok(whole.used < 4096);
      const a = whole.entries.find(({ name }) => name === 'a');
      assert.deepEqual(
        [a?.ino, a?.type],
        [machine.fs.statSync('/d/a', { bigint: true }).ino, w.WASI_FILETYPE_REGULAR_FILE],
      );
      // from every cookie on, the rest
      for (const [i, { next }] of whole.entries.entries()) {
        const rest = wasi.readdir(dir, 4096, next);
        assert.ok(typeof rest === 'object');
        assert.deepEqual(rest.entries, whole.entries.slice(i + 1));
      }
      // a buffer that ends anywhere is full, and holds what the whole one does there
      assert.deepEqual(wasi.readdir(dir), whole);
      const bytes = wasi.u8.slice(0x10000, 0x10000 + whole.used);
      for (let length = 0; length <= whole.used + 8; length += 5) {
        wasi.u8.fill(0, 0x10000, 0x20000);
        const part = wasi.readdir(dir, length);
        assert.ok(typeof part === 'object');
        assert.equal(part.used, Math.min(length, whole.used));
        assert.deepEqual(wasi.u8.slice(0x10000, 0x10000 + part.used), bytes.slice(0, part.used));
        assert.equal(wasi.u8[0x10000 + part.used], 0);
      }
      const many = Array.from({ length: 700 }, (_, i) => `name-${i}`.padEnd(40, 'x'));
      for (const name of many) machine.fs.writeFileSync(`/d/sub/${name}`, '');
      const sub = wasi.open(dir, 'sub', { oflags: DIR, base: DIRECTORY });
      const found: string[] = [];
      for (let cookie = 0n; ; ) {
        const part = wasi.readdir(sub, 1000, cookie);
        assert.ok(typeof part === 'object');
        found.push(...part.entries.map(({ name }) => name));
        if (part.used < 1000) break;
        cookie = part.entries.at(-1)?.next ?? cookie;
      }
      assert.deepEqual(found.sort(), ['.', '..', 'b', ...many].sort());
      const all = wasi.readdir(sub, 0x20000);
      assert.ok(typeof all === 'object');
      assert.equal(all.entries.length, 703);
      assert.equal(wasi.call('fd_close', sub), 0);
    },
  },
  {
    name: 'fd_readdir: EBADF, ENOTCAPABLE, EINVAL, EFAULT; past the end there is nothing',
    act({ wasi, dir }) {
      const fd = wasi.open(dir, 'a');
      assert.equal(wasi.readdir(77), -w.WASI_EBADF);
      assert.equal(wasi.readdir(fd), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.readdir(dir, 100, -1n), -w.WASI_EINVAL);
      assert.deepEqual(wasi.readdir(dir, 100, 1n << 40n), { used: 0, entries: [] });
      assert.equal(wasi.call('fd_readdir', dir, wasi.u8.length - 8, 100, 0n, 0x100), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_readdir', dir, 0xfffffff0, 0xffffffff, 0n, 0x100), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_readdir', dir, 0x10000, 100, 0n, wasi.u8.length), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_close', fd), 0);
    },
  },
];
