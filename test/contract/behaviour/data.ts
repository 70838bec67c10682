import { expect } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import { block, bytesOf, type Scene } from '../scene.ts';
import { type Behaviour, behaviour } from '../types.ts';

/** What reading, writing, seeking and resizing do to a file's bytes. */

const text = (data: Uint8Array | number): string =>
  typeof data === 'number' ? `error ${data}` : new TextDecoder().decode(data);

/** The whole of a file. */
export function content(s: Scene, path: string): string {
  const fd = s.open(path, F.O_RDONLY);
  const data = s.me.read(fd, 1 << 20);
  s.me.close(fd);
  return text(data);
}

const offset = (s: Scene, fd: number): number => s.me.lseek(fd, 0, F.SEEK_CUR);
const on = (title: string, run: (s: Scene) => void): Behaviour => behaviour('data', title, run);

function size(s: Scene, fd: number): number {
  const st = s.ok(s.me.fstat(fd), 'fstat');
  return typeof st === 'number' ? st : st.size;
}

const readWrite: readonly Behaviour[] = [
  on('what was written is read, and the offset moves', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    expect(s.me.write(fd, bytesOf('hello world'))).toBe(11);
    expect(offset(s, fd)).toBe(11);
    expect(text(s.me.read(fd, 10))).toBe('');
    expect(s.me.lseek(fd, 6, F.SEEK_SET)).toBe(6);
    expect(text(s.me.read(fd, 100))).toBe('world');
    expect(offset(s, fd)).toBe(11);
  }),
  on('pread and pwrite leave the offset alone', (s) => {
    const fd = s.open(s.file('f', 'hello'), F.O_RDWR);
    expect(text(s.me.pread(fd, 3, 2))).toBe('llo');
    expect(s.me.pwrite(fd, bytesOf('XX'), 1)).toBe(2);
    expect(offset(s, fd)).toBe(0);
    expect(text(s.me.read(fd, 10))).toBe('hXXlo');
  }),
  on('a vector is gathered and scattered in order', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    expect(s.me.writev(fd, [bytesOf('ab'), bytesOf(''), bytesOf('cde')])).toBe(5);
    expect(text(s.me.preadv(fd, [1, 0, 3, 9], 0))).toBe('abcde');
    expect(s.me.pwritev(fd, [bytesOf('X'), bytesOf('YZ')], 1)).toBe(3);
    s.ok(s.me.lseek(fd, 0, F.SEEK_SET), 'lseek');
    expect(text(s.me.readv(fd, [2, 2]))).toBe('aXYZ');
    expect(offset(s, fd)).toBe(4);
  }),
  on('an empty vector is nothing done', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    expect(s.me.writev(fd, [])).toBe(0);
    expect(text(s.me.readv(fd, []))).toBe('');
  }),
  on('IOV_MAX parts are allowed', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    const parts = Array.from({ length: F.IOV_MAX }, () => block(1));
    expect(s.me.writev(fd, parts)).toBe(F.IOV_MAX);
    expect(
      text(
        s.me.preadv(
          fd,
          parts.map(() => 1),
          0,
        ),
      ),
    ).toBe('a'.repeat(F.IOV_MAX));
  }),
  on('reading at and beyond the end gives nothing', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDONLY);
    expect(text(s.me.pread(fd, 10, 3))).toBe('');
    expect(text(s.me.pread(fd, 10, 1 << 30))).toBe('');
    expect(s.me.lseek(fd, 100, F.SEEK_SET)).toBe(100);
    expect(text(s.me.read(fd, 10))).toBe('');
    expect(offset(s, fd)).toBe(100);
  }),
  on('a write of nothing changes nothing', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    expect(s.me.pwrite(fd, bytesOf(''), 100)).toBe(0);
    expect(size(s, fd)).toBe(3);
  }),
  on('writes across page ends keep every byte', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    const data = Uint8Array.from({ length: 20000 }, (_, i) => (i * 7) & 255);
    expect(s.me.pwrite(fd, data, 4090)).toBe(20000);
    const back = s.me.pread(fd, 30000, 0) as Uint8Array;
    expect(back.length).toBe(24090);
    expect(back.subarray(0, 4090).every((b) => b === 0)).toBe(true);
    expect(back.subarray(4090).every((b, i) => b === data[i])).toBe(true);
  }),
  on('a write stops at the limit on file sizes', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    s.ok(s.me.setrlimit(F.RLIMIT_FSIZE, 10), 'setrlimit');
    expect(s.me.pwrite(fd, block(20), 4)).toBe(6);
    expect(size(s, fd)).toBe(10);
  }),
  on('a write of many pages that the limit stops within one keeps every byte before it', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    const data = Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7) & 255 || 1);
    s.ok(s.me.setrlimit(F.RLIMIT_FSIZE, 14_000), 'setrlimit');
    expect(s.me.pwrite(fd, data, 0)).toBe(14_000);
    expect(size(s, fd)).toBe(14_000);
    const back = s.me.pread(fd, 20_000, 0) as Uint8Array;
    expect(back.every((b, i) => b === data[i])).toBe(true);
  }),
];

const appending: readonly Behaviour[] = [
  on('O_APPEND writes at the end, wherever the offset is', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR | F.O_APPEND);
    expect(s.me.lseek(fd, 1, F.SEEK_SET)).toBe(1);
    expect(s.me.write(fd, bytesOf('X'))).toBe(1);
    expect(offset(s, fd)).toBe(4);
    expect(content(s, s.at('f'))).toBe('abcX');
  }),
  on('O_APPEND sees the end that others moved', (s) => {
    const path = s.file('f', 'abc');
    const a = s.open(path, F.O_WRONLY | F.O_APPEND);
    const b = s.open(path, F.O_WRONLY | F.O_APPEND);
    for (let i = 0; i < 3; i++) {
      expect(s.me.write(a, bytesOf('A'))).toBe(1);
      expect(s.me.write(b, bytesOf('BB'))).toBe(2);
    }
    expect(content(s, path)).toBe('abcABBABBABB');
  }),
  on('pwrite with O_APPEND writes at the end too, as Linux does', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR | F.O_APPEND);
    expect(s.me.pwrite(fd, bytesOf('X'), 0)).toBe(1);
    expect(offset(s, fd)).toBe(0);
    expect(content(s, s.at('f'))).toBe('abcX');
  }),
  on('F_SETFL turns appending on and off', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    expect(s.me.fcntl(fd, F.F_SETFL, F.O_APPEND)).toBe(0);
    expect(s.me.fcntl(fd, F.F_GETFL, 0) & F.O_APPEND).toBe(F.O_APPEND);
    expect(s.me.write(fd, bytesOf('X'))).toBe(1);
    expect(s.me.fcntl(fd, F.F_SETFL, 0)).toBe(0);
    expect(s.me.pwrite(fd, bytesOf('Y'), 0)).toBe(1);
    expect(content(s, s.at('f'))).toBe('YbcX');
  }),
  on('F_SETFL does not change the access mode or creation flags', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDONLY);
    expect(s.me.fcntl(fd, F.F_SETFL, F.O_RDWR | F.O_CREAT | F.O_TRUNC)).toBe(0);
    expect(s.me.fcntl(fd, F.F_GETFL, 0) & F.O_ACCMODE).toBe(F.O_RDONLY);
    expect(size(s, fd)).toBe(3);
  }),
];

const resizing: readonly Behaviour[] = [
  on('O_TRUNC empties the file', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_WRONLY | F.O_TRUNC);
    expect(size(s, fd)).toBe(0);
  }),
  on('truncate to less forgets the rest for good', (s) => {
    const path = s.at('f');
    const fd = s.open(path, F.O_CREAT | F.O_RDWR);
    s.ok(s.me.write(fd, block(10000)), 'write');
    expect(s.me.truncate(path, 100)).toBe(0);
    expect(s.me.ftruncate(fd, 10000)).toBe(0);
    const back = s.me.pread(fd, 20000, 0) as Uint8Array;
    expect(back.length).toBe(10000);
    expect(back.findIndex((b) => b !== 0x61)).toBe(100);
    expect(back.subarray(100).every((b) => b === 0)).toBe(true);
  }),
  on('the tail of the last page is zero after growing again', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    s.ok(s.me.write(fd, block(4096)), 'write');
    for (const cut of [4095, 1000, 1]) {
      expect(s.me.ftruncate(fd, cut)).toBe(0);
      expect(s.me.pwrite(fd, bytesOf('z'), 4095)).toBe(1);
      const back = s.me.pread(fd, 4096, 0) as Uint8Array;
      expect(back.subarray(cut, 4095).every((b) => b === 0)).toBe(true);
      expect(back[cut - 1]).not.toBe(0);
    }
  }),
  on('truncating leaves the offset where it is', (s) => {
    const fd = s.open(s.file('f', 'abcdef'), F.O_RDWR);
    s.ok(s.me.lseek(fd, 5, F.SEEK_SET), 'lseek');
    expect(s.me.ftruncate(fd, 2)).toBe(0);
    expect(offset(s, fd)).toBe(5);
    expect(s.me.write(fd, bytesOf('X'))).toBe(1);
    expect(content(s, s.at('f'))).toBe('ab\0\0\0X');
  }),
  on('truncate follows a symlink', (s) => {
    const path = s.file('f', 'abcdef');
    expect(s.me.truncate(s.symlink('f', 'l'), 2)).toBe(0);
    expect(content(s, path)).toBe('ab');
  }),
];

const holes: readonly Behaviour[] = [
  on('what was jumped over is zero and takes no blocks', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    expect(s.me.pwrite(fd, bytesOf('end'), 1 << 20)).toBe(3);
    const st = s.me.fstat(fd);
    if (typeof st === 'number') throw new Error('fstat');
    expect(st.size).toBe((1 << 20) + 3);
    expect(st.blocks * 512).toBeLessThanOrEqual(65536);
    const back = s.me.pread(fd, 4096, 500000) as Uint8Array;
    expect(back.length === 4096 && back.every((b) => b === 0)).toBe(true);
  }),
  on('SEEK_DATA and SEEK_HOLE find what is there', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    s.ok(s.me.pwrite(fd, block(4096), 65536), 'pwrite');
    s.ok(s.me.ftruncate(fd, 262144), 'ftruncate');
    expect(s.me.lseek(fd, 0, F.SEEK_DATA)).toBe(65536);
    expect(s.me.lseek(fd, 65536, F.SEEK_HOLE)).toBe(69632);
    expect(s.me.lseek(fd, 0, F.SEEK_HOLE)).toBe(0);
    expect(s.me.lseek(fd, 66000, F.SEEK_DATA)).toBe(66000);
    expect(s.me.lseek(fd, 100000, F.SEEK_HOLE)).toBe(100000);
    expect(offset(s, fd)).toBe(100000);
  }),
  on('the end of a file is a hole', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDONLY);
    expect(s.me.lseek(fd, 0, F.SEEK_HOLE)).toBe(3);
    expect(s.me.lseek(fd, 0, F.SEEK_DATA)).toBe(0);
  }),
  on('a punched hole is zero, keeps the size, and gives its blocks back', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_RDWR);
    s.ok(s.me.write(fd, block(20000)), 'write');
    const before = s.me.fstat(fd);
    expect(s.me.fallocate(fd, F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE, 1000, 10000)).toBe(0);
    const after = s.me.fstat(fd);
    if (typeof before === 'number' || typeof after === 'number') throw new Error('fstat');
    expect(after.size).toBe(20000);
    expect(after.blocks).toBeLessThan(before.blocks);
    const back = s.me.pread(fd, 20000, 0) as Uint8Array;
    expect([...back].map((b, i) => (b === (i >= 1000 && i < 11000 ? 0 : 0x61) ? 0 : i)).find((i) => i)).toBe(
      undefined,
    );
  }),
  on('fallocate grows the file, keep-size does not', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    expect(s.me.fallocate(fd, F.FALLOC_FL_KEEP_SIZE, 0, 10000)).toBe(0);
    expect(size(s, fd)).toBe(3);
    expect(s.me.fallocate(fd, 0, 100, 1000)).toBe(0);
    expect(size(s, fd)).toBe(1100);
    expect(s.me.fallocate(fd, 0, 0, 10)).toBe(0);
    expect(size(s, fd)).toBe(1100);
    expect(text(s.me.pread(fd, 5, 0))).toBe('abc\0\0');
  }),
];

const copying: readonly Behaviour[] = [
  on('copy_file_range copies between offsets and moves none of them', (s) => {
    const from = s.open(s.file('a', 'hello world'), F.O_RDONLY);
    const to = s.open(s.file('b', '..........'), F.O_RDWR);
    expect(s.me.copyFileRange(from, 6, to, 2, 5, 0)).toBe(5);
    expect(content(s, s.at('b'))).toBe('..world...');
    expect([offset(s, from), offset(s, to)]).toEqual([0, 0]);
  }),
  on('copy_file_range uses and moves the files’ own offsets', (s) => {
    const from = s.open(s.file('a', 'hello world'), F.O_RDONLY);
    const to = s.open(s.file('b'), F.O_RDWR);
    s.ok(s.me.lseek(from, 6, F.SEEK_SET), 'lseek');
    expect(s.me.copyFileRange(from, null, to, null, 100, 0)).toBe(5);
    expect([offset(s, from), offset(s, to)]).toEqual([11, 5]);
    expect(s.me.copyFileRange(from, null, to, null, 100, 0)).toBe(0);
    expect(content(s, s.at('b'))).toBe('world');
  }),
  on('copy_file_range within one file', (s) => {
    const fd = s.open(s.file('a', 'abcdef'), F.O_RDWR);
    expect(s.me.copyFileRange(fd, 0, fd, 3, 3, 0)).toBe(3);
    expect(content(s, s.at('a'))).toBe('abcabc');
  }),
];

export const dataBehaviours: readonly Behaviour[] = [
  ...readWrite,
  ...appending,
  ...resizing,
  ...holes,
  ...copying,
];
