/** Cases: reading, writing, positions, sizes, times, flags, rights. */
import assert from 'node:assert/strict';
import * as w from '../../../assembly/abi/wasi.ts';
import { DIRECTORY, type Fdstat, FILE, type Filestat } from '../handle.ts';
import type { Case } from './case.ts';

const right = (...bits: number[]): bigint => bits.reduce((sum, bit) => sum | BigInt(bit), 0n);

export const files: readonly Case[] = [
  {
    name: 'fd_read: one piece, several, none, at the end',
    act({ wasi, dir }) {
      const fd = wasi.open(dir, 'a');
      assert.equal(wasi.read(fd, 2, 0, 1), 'hel');
      assert.equal(wasi.read(fd), '');
      assert.equal(wasi.read(fd, 100), 'lo');
      assert.equal(wasi.read(fd, 100), '');
      assert.equal(wasi.call('fd_close', fd), 0);
    },
  },
  {
    name: 'fd_read: EBADF, ENOTCAPABLE, EFAULT, EINVAL',
    act({ wasi, dir }) {
      assert.equal(wasi.read(77, 1), -w.WASI_EBADF);
      assert.equal(wasi.read(0xffffffff, 1), -w.WASI_EBADF);
      assert.equal(wasi.read(dir, 1), -w.WASI_ENOTCAPABLE);
      const fd = wasi.open(dir, 'a');
      const blind = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_TELL) });
      assert.equal(wasi.read(blind, 1), -w.WASI_ENOTCAPABLE);
      const end = wasi.u8.length;
      // iovecs beyond the memory, across its end, and wrapping around
      for (const at of [end, end - 4, 0xfffffff8, 0xffffffff]) {
        assert.equal(wasi.call('fd_read', fd, at, 1, 0), w.WASI_EFAULT);
        assert.equal(wasi.call('fd_read', fd, at, 2, 0), w.WASI_EFAULT);
      }
      // a result that cannot be told: nothing is read
      for (const at of [end, end - 3, 0xfffffffe]) {
        assert.equal(wasi.call('fd_read', fd, ...wasi.iovecs([1]), at), w.WASI_EFAULT);
      }
      assert.equal(wasi.tell(fd), 0n);
      assert.equal(wasi.call('fd_read', fd, ...wasi.iovecs([1]).slice(0, 1), 1025, 0), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_read', fd, 0x8000, 0xffffffff, 0), w.WASI_EINVAL);
      wasi.view.setUint32(0x8000, end - 2, true);
      wasi.view.setUint32(0x8004, 4, true);
      assert.equal(wasi.call('fd_read', fd, 0x8000, 1, 0x100), w.WASI_EFAULT);
      wasi.view.setUint32(0x8004, 0xffffffff, true);
      assert.equal(wasi.call('fd_read', fd, 0x8000, 1, 0x100), w.WASI_EINVAL);
      wasi.view.setUint32(0x8000, 0xffff0000, true);
      wasi.view.setUint32(0x8004, 0x7fffffff, true);
      assert.equal(wasi.call('fd_read', fd, 0x8000, 1, 0x100), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_close', fd), 0);
      assert.equal(wasi.call('fd_close', blind), 0);
    },
  },
  {
    name: 'fd_write: pieces, append, EBADF, ENOTCAPABLE, EFAULT',
    act({ wasi, dir, machine }) {
      const fd = wasi.open(dir, 'new', { oflags: w.WASI_OFLAG_CREAT });
      assert.equal(wasi.write(fd, 'ab', '', 'c'), 3);
      assert.equal(wasi.write(fd, 'd'), 1);
      const more = wasi.open(dir, 'new', { fdflags: w.WASI_FDFLAG_APPEND });
      assert.equal(wasi.write(more, 'e'), 1);
      assert.equal(wasi.seek(more, 0n, w.WASI_WHENCE_SET), 0n);
      assert.equal(wasi.write(more, 'f'), 1);
      assert.equal(machine.fs.readFileSync('/d/new', 'utf8'), 'abcdef');
      const blind = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      assert.equal(wasi.write(blind, 'x'), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.write(77, 'x'), -w.WASI_EBADF);
      const end = wasi.u8.length;
      wasi.view.setUint32(0x8000, end - 1, true);
      wasi.view.setUint32(0x8004, 2, true);
      assert.equal(wasi.call('fd_write', fd, 0x8000, 1, 0x100), w.WASI_EFAULT);
      assert.equal(machine.fs.readFileSync('/d/new', 'utf8'), 'abcdef');
      for (const each of [fd, more, blind]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_pread, fd_pwrite: at an offset, ESPIPE, EINVAL, ENOTCAPABLE',
    act({ wasi, dir, machine }) {
      const fd = wasi.open(dir, 'a');
      assert.equal(wasi.pread(fd, 1n, 2, 1), 'ell');
      assert.equal(wasi.pread(fd, 100n, 1), '');
      assert.equal(wasi.pwrite(fd, 4n, 'O', '!'), 2);
      assert.equal(wasi.tell(fd), 0n);
      assert.equal(machine.fs.readFileSync('/d/a', 'utf8'), 'hellO!');
      assert.equal(wasi.pread(fd, -1n, 1), -w.WASI_EINVAL);
      assert.equal(wasi.pwrite(fd, -1n, 'x'), -w.WASI_EINVAL);
      assert.equal(wasi.pread(0, 0n, 1), -w.WASI_ESPIPE);
      assert.equal(wasi.pwrite(1, 0n, 'x'), -w.WASI_ESPIPE);
      assert.equal(wasi.pread(77, 0n, 1), -w.WASI_EBADF);
      const still = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ, w.RIGHT_FD_WRITE) });
      assert.equal(wasi.pread(still, 0n, 1), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.pwrite(still, 0n, 'x'), -w.WASI_ENOTCAPABLE);
      for (const each of [fd, still]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'a page across the guest’s pages, and after its memory grew',
    act({ wasi, dir, machine }) {
      const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7) & 0xff);
      machine.fs.writeFileSync('/d/big', bytes);
      const fd = wasi.open(dir, 'big');
      const old = wasi.u8.length;
      const grow = (pages: number) => (wasi.exports.grow as (pages: number) => number)(pages);
      assert.equal(wasi.call('fd_read', fd, ...wasi.iovecs([1]), 0x100), 0);
      assert.equal(grow(2), old / 65536);
      wasi.view.setUint32(0x8000, old - 5000, true);
      wasi.view.setUint32(0x8004, 19_999, true);
      assert.equal(wasi.call('fd_read', fd, 0x8000, 1, 0x100), 0);
      assert.equal(wasi.view.getUint32(0x100, true), 19_999);
      assert.deepEqual([...wasi.u8.slice(old - 5000, old - 5000 + 19_999)], [...bytes.slice(1)]);
      const out = wasi.open(dir, 'out', { oflags: w.WASI_OFLAG_CREAT });
      assert.equal(wasi.call('fd_write', out, 0x8000, 1, 0x100), 0);
      assert.deepEqual([...machine.fs.readFileSync('/d/out')], [...bytes.slice(1)]);
      for (const each of [fd, out]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_seek, fd_tell: whence, EINVAL, ESPIPE, rights',
    act({ wasi, dir }) {
      const fd = wasi.open(dir, 'a');
      assert.equal(wasi.seek(fd, 2n, w.WASI_WHENCE_SET), 2n);
      assert.equal(wasi.seek(fd, 1n, w.WASI_WHENCE_CUR), 3n);
      assert.equal(wasi.seek(fd, -1n, w.WASI_WHENCE_END), 4n);
      assert.equal(wasi.tell(fd), 4n);
      assert.equal(wasi.seek(fd, -5n, w.WASI_WHENCE_CUR), -w.WASI_EINVAL);
      assert.equal(wasi.seek(fd, 0n, 3), -w.WASI_EINVAL);
      assert.equal(wasi.seek(fd, -1n, w.WASI_WHENCE_SET), -w.WASI_EINVAL);
      assert.equal(wasi.seek(fd, 0x7fffffffffffffffn, w.WASI_WHENCE_SET), -w.WASI_EINVAL);
      assert.equal(wasi.seek(0, 0n, w.WASI_WHENCE_CUR), -w.WASI_ESPIPE);
      assert.equal(wasi.tell(1), -w.WASI_ESPIPE);
      assert.equal(wasi.seek(77, 0n, w.WASI_WHENCE_CUR), -w.WASI_EBADF);
      assert.equal(wasi.tell(77), -w.WASI_EBADF);
      assert.equal(wasi.seek(dir, 0n, w.WASI_WHENCE_SET), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.call('fd_seek', fd, 0n, 0, wasi.u8.length - 7), w.WASI_EFAULT);
      const tells = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_TELL) });
      assert.equal(wasi.tell(tells), 0n);
      assert.equal(wasi.seek(tells, 0n, w.WASI_WHENCE_CUR), 0n);
      assert.equal(wasi.seek(tells, 1n, w.WASI_WHENCE_CUR), -w.WASI_ENOTCAPABLE);
      const none = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      assert.equal(wasi.tell(none), -w.WASI_ENOTCAPABLE);
      for (const each of [fd, tells, none]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_fdstat_get, fd_fdstat_set_flags: types and flags',
    act({ wasi, dir, process }) {
      const stat = wasi.fdstat(dir) as Fdstat;
      assert.deepEqual(stat, {
        type: w.WASI_FILETYPE_DIRECTORY,
        flags: 0,
        base: DIRECTORY,
        inheriting: BigInt(w.RIGHTS_DIRECTORY | w.RIGHTS_FILE | w.RIGHTS_SOCKET),
      });
      assert.equal((wasi.fdstat(0) as Fdstat).type, w.WASI_FILETYPE_UNKNOWN);
      assert.equal((wasi.fdstat(2) as Fdstat).type, w.WASI_FILETYPE_CHARACTER_DEVICE);
      assert.equal((wasi.fdstat(0) as Fdstat).base, BigInt(w.RIGHTS_STREAM & ~w.RIGHT_FD_WRITE));
      assert.equal(wasi.fdstat(77), -w.WASI_EBADF);
      assert.equal(wasi.call('fd_fdstat_get', dir, wasi.u8.length - 23), w.WASI_EFAULT);
      const fd = wasi.open(dir, 'a', { fdflags: w.WASI_FDFLAG_ALL });
      assert.equal((wasi.fdstat(fd) as Fdstat).flags, w.WASI_FDFLAG_ALL);
      assert.equal((wasi.fdstat(fd) as Fdstat).base, FILE);
      for (let flags = 0; flags <= w.WASI_FDFLAG_ALL; flags++) {
        assert.equal(wasi.call('fd_fdstat_set_flags', fd, flags), 0);
        assert.equal((wasi.fdstat(fd) as Fdstat).flags, flags);
      }
      assert.equal(wasi.call('fd_fdstat_set_flags', fd, 32), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_fdstat_set_flags', 77, 0), w.WASI_EBADF);
      const stiff = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      assert.equal(wasi.call('fd_fdstat_set_flags', stiff, 0), w.WASI_ENOTCAPABLE);
      for (const each of [fd, stiff]) assert.equal(wasi.call('fd_close', each), 0);
      assert.equal(process.fs.fstatSync(2).isCharacterDevice(), true);
    },
  },
  {
    name: 'fd_fdstat_set_rights: rights shrink, for good, and bound what is opened',
    act({ wasi, dir }) {
      const fd = wasi.open(dir, 'a');
      const less = right(w.RIGHT_FD_READ, w.RIGHT_FD_SEEK);
      assert.equal(wasi.call('fd_fdstat_set_rights', fd, FILE | DIRECTORY, 0n), w.WASI_ENOTCAPABLE);
      assert.equal(wasi.call('fd_fdstat_set_rights', fd, 1n << 40n, 0n), w.WASI_ENOTCAPABLE);
      assert.equal(wasi.call('fd_fdstat_set_rights', fd, less, 0n), 0);
      assert.equal((wasi.fdstat(fd) as Fdstat).base, less);
      assert.equal(wasi.call('fd_fdstat_set_rights', fd, FILE, 0n), w.WASI_ENOTCAPABLE);
      assert.equal(wasi.call('fd_fdstat_set_rights', fd, less, 1n), w.WASI_ENOTCAPABLE);
      assert.equal(wasi.write(fd, 'x'), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.read(fd, 1), 'h');
      assert.equal(wasi.call('fd_fdstat_set_rights', 77, 0n, 0n), w.WASI_EBADF);
      assert.equal(wasi.call('fd_close', fd), 0);
      // what a directory hands on, and what it may itself
      assert.equal(wasi.call('fd_fdstat_set_rights', dir, DIRECTORY, less | DIRECTORY), 0);
      assert.equal(wasi.open(dir, 'a', { base: FILE }), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.open(dir, 'a', { base: less, inheriting: FILE }), -w.WASI_ENOTCAPABLE);
      const sub = wasi.open(dir, 'sub', {
        oflags: w.WASI_OFLAG_DIRECTORY,
        base: DIRECTORY,
        inheriting: less,
      });
      assert.deepEqual(
        [(wasi.fdstat(sub) as Fdstat).base, (wasi.fdstat(sub) as Fdstat).inheriting],
        [DIRECTORY, less],
      );
      const b = wasi.open(sub, 'b', { base: less });
      assert.equal((wasi.fdstat(b) as Fdstat).base, less);
      assert.equal(wasi.open(sub, '.', { base: DIRECTORY }), -w.WASI_ENOTCAPABLE);
      const shut = DIRECTORY & ~right(w.RIGHT_PATH_OPEN, w.RIGHT_PATH_FILESTAT_GET);
      assert.equal(wasi.call('fd_fdstat_set_rights', dir, shut, 0n), 0);
      assert.equal(wasi.open(dir, 'a', { base: 0n }), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.stat(dir, 'a'), -w.WASI_ENOTCAPABLE);
      for (const each of [sub, b]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_filestat_get, path_filestat_get',
    act({ wasi, dir, machine }) {
      const fd = wasi.open(dir, 'a');
      const { ino, nlink } = machine.fs.statSync('/d/a', { bigint: true });
      const stat = wasi.fstat(fd) as Filestat;
      assert.equal(stat.ino, ino);
      assert.equal(stat.nlink, nlink);
      assert.equal(stat.size, 5n);
      assert.equal(stat.type, w.WASI_FILETYPE_REGULAR_FILE);
      assert.equal(stat.mtim, machine.fs.statSync('/d/a', { bigint: true }).mtimeNs);
      assert.deepEqual(wasi.stat(dir, 'a'), stat);
      assert.deepEqual(wasi.stat(dir, 'link'), stat);
      assert.deepEqual(wasi.stat(dir, 'sub/.././/a'), stat);
      const link = wasi.stat(dir, 'link', 0) as Filestat;
      assert.deepEqual([link.type, link.size], [w.WASI_FILETYPE_SYMBOLIC_LINK, 1n]);
      assert.equal(wasi.stat(dir, 'a', 2), -w.WASI_EINVAL);
      assert.equal(wasi.stat(77, 'a'), -w.WASI_EBADF);
      assert.equal(wasi.stat(fd, 'a'), -w.WASI_ENOTCAPABLE);
      assert.equal(wasi.fstat(77), -w.WASI_EBADF);
      assert.equal(
        wasi.call('path_filestat_get', dir, 1, ...wasi.path('a'), wasi.u8.length - 63),
        w.WASI_EFAULT,
      );
      const blind = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      assert.equal(wasi.fstat(blind), -w.WASI_ENOTCAPABLE);
      machine.fs.utimesSync('/d/a', new Date(-5000), new Date(-5000));
      assert.equal((wasi.fstat(fd) as Filestat).mtim, 0n);
      for (const each of [fd, blind]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_filestat_set_size, fd_allocate',
    act({ wasi, dir, machine }) {
      const fd = wasi.open(dir, 'a');
      assert.equal(wasi.call('fd_filestat_set_size', fd, 2n), 0);
      assert.equal(wasi.call('fd_filestat_set_size', fd, 4n), 0);
      assert.equal(machine.fs.readFileSync('/d/a', 'utf8'), 'he\0\0');
      assert.equal(wasi.call('fd_filestat_set_size', fd, -1n), w.WASI_EFBIG);
      assert.equal(wasi.call('fd_filestat_set_size', 77, 1n), w.WASI_EBADF);
      assert.equal(wasi.call('fd_filestat_set_size', dir, 1n), w.WASI_ENOTCAPABLE);
      assert.equal(wasi.call('fd_allocate', fd, 2n, 8n), 0);
      assert.equal((wasi.fstat(fd) as Filestat).size, 10n);
      assert.equal(wasi.call('fd_allocate', fd, 0n, 1n), 0);
      assert.equal((wasi.fstat(fd) as Filestat).size, 10n);
      assert.equal(wasi.call('fd_allocate', fd, 0n, 0n), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_allocate', fd, -1n, 1n), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_allocate', fd, 0n, -1n), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_allocate', fd, 0x7fffffffffffff00n, 0xffn), w.WASI_EFBIG);
      assert.equal(wasi.call('fd_allocate', 77, 0n, 1n), w.WASI_EBADF);
      const reads = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      assert.equal(wasi.call('fd_allocate', reads, 0n, 1n), w.WASI_ENOTCAPABLE);
      for (const each of [fd, reads]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_filestat_set_times, path_filestat_set_times: fst_flags',
    act({ wasi, dir, machine }) {
      const fd = wasi.open(dir, 'a');
      const times = () => {
        const { atimeNs, mtimeNs } = machine.fs.lstatSync('/d/a', { bigint: true });
        return [atimeNs, mtimeNs];
      };
      const [atim, mtim] = [1_000_000_001n, 2_000_000_002n];
      assert.equal(wasi.call('fd_filestat_set_times', fd, atim, mtim, w.WASI_FST_ATIM | w.WASI_FST_MTIM), 0);
      assert.deepEqual(times(), [atim, mtim]);
      assert.equal(wasi.call('fd_filestat_set_times', fd, 7n, 7n, 0), 0);
      assert.deepEqual(times(), [atim, mtim]);
      assert.equal(
        wasi.call('path_filestat_set_times', dir, 1, ...wasi.path('link'), 5n, 6n, w.WASI_FST_ATIM),
        0,
      );
      assert.deepEqual(times(), [5n, mtim]);
      assert.equal(wasi.call('fd_filestat_set_times', fd, 0n, 0n, w.WASI_FST_MTIM_NOW), 0);
      assert.equal(times()[0], 5n);
      assert.ok(times()[1] > 10n ** 15n);
      assert.equal(
        wasi.call('path_filestat_set_times', dir, 0, ...wasi.path('link'), 8n, 9n, w.WASI_FST_MTIM),
        0,
      );
      assert.equal(machine.fs.lstatSync('/d/link', { bigint: true }).mtimeNs, 9n);
      for (const flags of [3, 12, 16, 0xffff]) {
        assert.equal(wasi.call('fd_filestat_set_times', fd, 0n, 0n, flags), w.WASI_EINVAL);
        assert.equal(
          wasi.call('path_filestat_set_times', dir, 0, ...wasi.path('a'), 0n, 0n, flags),
          w.WASI_EINVAL,
        );
      }
      assert.equal(wasi.call('path_filestat_set_times', dir, 2, ...wasi.path('a'), 0n, 0n, 1), w.WASI_EINVAL);
      assert.equal(
        wasi.call('path_filestat_set_times', dir, 1, ...wasi.path('no'), 0n, 0n, 1),
        w.WASI_ENOENT,
      );
      assert.equal(wasi.call('fd_filestat_set_times', 77, 0n, 0n, 1), w.WASI_EBADF);
      assert.equal(wasi.call('path_filestat_set_times', 77, 0, ...wasi.path('a'), 0n, 0n, 1), w.WASI_EBADF);
      const reads = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      assert.equal(wasi.call('fd_filestat_set_times', reads, 0n, 0n, 1), w.WASI_ENOTCAPABLE);
      for (const each of [fd, reads]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'fd_advise, fd_sync, fd_datasync',
    act({ wasi, dir }) {
      const fd = wasi.open(dir, 'a');
      for (let advice = 0; advice <= w.WASI_ADVICE_MAX; advice++) {
        assert.equal(wasi.call('fd_advise', fd, 0n, 0n, advice), 0);
      }
      assert.equal(wasi.call('fd_advise', fd, 0n, 0n, 6), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_advise', fd, -1n, 0n, 0), w.WASI_EINVAL);
      assert.equal(wasi.call('fd_advise', dir, 0n, 0n, 0), w.WASI_EBADF);
      assert.equal(wasi.call('fd_advise', 0, 0n, 0n, 0), w.WASI_ESPIPE);
      assert.equal(wasi.call('fd_advise', 77, 0n, 0n, 0), w.WASI_EBADF);
      for (const name of ['fd_sync', 'fd_datasync']) {
        assert.equal(wasi.call(name, fd), 0);
        assert.equal(wasi.call(name, 77), w.WASI_EBADF);
        assert.equal(wasi.call(name, 0), w.WASI_ENOTCAPABLE);
      }
      assert.equal(wasi.call('fd_sync', dir), 0);
      assert.equal(wasi.call('fd_close', fd), 0);
    },
  },
  {
    name: 'fd_close, fd_renumber: rights and preopens go with the number',
    act({ wasi, dir }) {
      const a = wasi.open(dir, 'a', { base: right(w.RIGHT_FD_READ) });
      const b = wasi.open(dir, 'sub/b');
      assert.equal(wasi.call('fd_renumber', a, b), 0);
      assert.equal(wasi.fdstat(a), -w.WASI_EBADF);
      assert.equal((wasi.fdstat(b) as Fdstat).base, right(w.RIGHT_FD_READ));
      assert.equal(wasi.read(b, 9), 'hello');
      assert.equal(wasi.call('fd_renumber', b, b), 0);
      assert.equal(wasi.call('fd_renumber', b, a), w.WASI_EBADF);
      assert.equal(wasi.call('fd_renumber', a, b), w.WASI_EBADF);
      assert.equal(wasi.call('fd_renumber', b, 0xffffffff), w.WASI_EBADF);
      assert.equal(wasi.call('fd_prestat_get', dir, 0x100), 0);
      assert.equal(wasi.call('fd_renumber', dir, b), 0);
      assert.equal(wasi.call('fd_prestat_get', dir, 0x100), w.WASI_EBADF);
      assert.equal(wasi.call('fd_prestat_get', b, 0x100), 0);
      assert.equal((wasi.stat(b, 'a') as Filestat).size, 5n);
      assert.equal(wasi.call('fd_close', b), 0);
      assert.equal(wasi.call('fd_close', b), w.WASI_EBADF);
      assert.equal(wasi.call('fd_prestat_get', b, 0x100), w.WASI_EBADF);
    },
  },
];
