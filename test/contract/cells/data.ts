import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import { block, type Scene } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';

/** Reading, writing, seeking, sizes. */

type ReadName = 'read' | 'pread' | 'readv' | 'preadv';
type WriteName = 'write' | 'pwrite' | 'writev' | 'pwritev';

const readers: readonly [ReadName, (p: PosixProcess, fd: number, offset: number) => unknown][] = [
  ['read', (p, fd) => p.read(fd, 10)],
  ['pread', (p, fd, offset) => p.pread(fd, 10, offset)],
  ['readv', (p, fd) => p.readv(fd, [4, 6])],
  ['preadv', (p, fd, offset) => p.preadv(fd, [4, 6], offset)],
];

const writers: readonly [
  WriteName,
  (p: PosixProcess, fd: number, data: Uint8Array, offset: number) => number,
][] = [
  ['write', (p, fd, data) => p.write(fd, data)],
  ['pwrite', (p, fd, data, offset) => p.pwrite(fd, data, offset)],
  ['writev', (p, fd, data) => p.writev(fd, [data.subarray(0, 1), data.subarray(1)])],
  ['pwritev', (p, fd, data, offset) => p.pwritev(fd, [data.subarray(0, 1), data.subarray(1)], offset)],
];

const positioned = (call: string): boolean => call.startsWith('p');
const vectored = (call: string): boolean => call.endsWith('v');

const readable = (s: Scene): number => s.open(s.file('f', 'some text'), F.O_RDONLY);
const writable = (s: Scene): number => s.open(s.file('f', 'some text'), F.O_RDWR);

function readCells(): Cell[] {
  return readers.flatMap(([call, read]) => [
    cell(call, 'EISDIR', 'a directory', (s) => read(s.me, s.open(s.mkdir('d'), F.O_RDONLY), 0)),
    ...(positioned(call)
      ? [
          cell(call, 'ESPIPE', 'a pipe', (s) => read(s.me, s.pipe()[0], 0)),
          cell(call, 'EINVAL', 'a negative offset', (s) => read(s.me, readable(s), -1)),
        ]
      : [
          cell(call, 'EAGAIN', 'an empty pipe, not waiting', (s) => read(s.me, s.pipe(F.O_NONBLOCK)[0], 0)),
          cell(call, 'EAGAIN', 'an empty fifo with a writer, not waiting', (s) => {
            const path = s.fifo('p');
            const fd = s.open(path, F.O_RDONLY | F.O_NONBLOCK);
            s.open(path, F.O_WRONLY | F.O_NONBLOCK);
            return read(s.me, fd, 0);
          }),
          cell(call, 'EBADF', 'the writing end of a pipe', (s) => read(s.me, s.pipe()[1], 0)),
        ]),
  ]);
}

function vectorCells(): Cell[] {
  const many = Array.from({ length: F.IOV_MAX + 1 }, () => 1);
  const data = many.map(() => block(1));
  return [
    cell('readv', 'EINVAL', 'more than IOV_MAX parts', (s) => s.me.readv(readable(s), many)),
    cell('preadv', 'EINVAL', 'more than IOV_MAX parts', (s) => s.me.preadv(readable(s), many, 0)),
    cell('writev', 'EINVAL', 'more than IOV_MAX parts', (s) => s.me.writev(writable(s), data)),
    cell('pwritev', 'EINVAL', 'more than IOV_MAX parts', (s) => s.me.pwritev(writable(s), data, 0)),
  ];
}

const FSIZE = 8192;

function limited(s: Scene): number {
  const fd = writable(s);
  s.ok(s.me.setrlimit(F.RLIMIT_FSIZE, FSIZE), 'setrlimit');
  return fd;
}

function writeCells(): Cell[] {
  return writers.flatMap(([call, write]) => [
    cell(call, 'EFBIG', 'at the limit on file sizes', (s) => {
      const fd = limited(s);
      s.ok(s.me.ftruncate(fd, FSIZE), 'ftruncate');
      s.ok(s.me.lseek(fd, FSIZE, F.SEEK_SET), 'lseek');
      return write(s.me, fd, block(10), FSIZE);
    }),
    cell(call, 'EFBIG', 'beyond the limit on file sizes', (s) => {
      const fd = limited(s);
      s.ok(s.me.lseek(fd, 3 * FSIZE, F.SEEK_SET), 'lseek');
      return write(s.me, fd, block(10), 3 * FSIZE);
    }),
    cell(call, 'ENOSPC', 'no block is left', (s) => {
      const fd = s.open(`${s.full()}/fill`, F.O_WRONLY);
      const end = s.ok(s.me.lseek(fd, 0, F.SEEK_END), 'lseek');
      return write(s.me, fd, block(5000), end);
    }),
    ...(positioned(call)
      ? [
          cell(call, 'ESPIPE', 'a pipe', (s) => write(s.me, s.pipe()[1], block(2), 0)),
          cell(call, 'EINVAL', 'a negative offset', (s) => write(s.me, writable(s), block(2), -1)),
        ]
      : pipeWriteCells(call, write)),
    cell(call, 'EBADF', vectored(call) ? 'a directory, by a vector' : 'a directory', (s) =>
      write(s.me, s.open(s.mkdir('d'), F.O_RDONLY), block(2), 0),
    ),
  ]);
}

function pipeWriteCells(call: WriteName, write: (typeof writers)[number][1]): Cell[] {
  return [
    cell(call, 'EAGAIN', 'a full pipe, not waiting', (s) => {
      const [, w] = s.pipe(F.O_NONBLOCK);
      while (s.me.write(w, block(4096)) > 0);
      return write(s.me, w, block(10), 0);
    }),
    cell(call, 'EAGAIN', 'a pipe without room for all of PIPE_BUF', (s) => {
      const [, w] = s.pipe(F.O_NONBLOCK);
      while (s.me.write(w, block(4096)) > 0);
      return write(s.me, w, block(F.PIPE_BUF), 0);
    }),
    cell(call, 'EPIPE', 'a pipe without a reader', (s) => {
      const [r, w] = s.pipe();
      s.ok(s.me.close(r), 'close');
      return write(s.me, w, block(10), 0);
    }),
    cell(call, 'EPIPE', 'a fifo whose reader left', (s) => {
      const path = s.fifo('p');
      const r = s.open(path, F.O_RDONLY | F.O_NONBLOCK);
      const w = s.open(path, F.O_WRONLY);
      s.ok(s.me.close(r), 'close');
      return write(s.me, w, block(10), 0);
    }),
    cell(call, 'EBADF', 'the reading end of a pipe', (s) => write(s.me, s.pipe()[0], block(10), 0)),
  ];
}

const faultCells: readonly Cell[] = [
  cell('read', 'EFAULT', 'into memory that is not there', (s) => s.me.readFault(readable(s), 9)),
  cell('read', 'EFAULT', 'from a pipe into memory that is not there', (s) => {
    const [r, w] = s.pipe();
    s.ok(s.me.write(w, block(4)), 'write');
    return s.me.readFault(r, 4);
  }),
  cell('write', 'EFAULT', 'from memory that is not there', (s) => s.me.writeFault(writable(s), 9)),
  cell('write', 'EFAULT', 'to a pipe, from memory that is not there', (s) => s.me.writeFault(s.pipe()[1], 9)),
];

const interruptCells: readonly Cell[] = [
  cell(
    'read',
    'EINTR',
    'waiting for a pipe',
    (s) => {
      const pending = s.me.startRead(s.pipe()[0], 10);
      return pending.poll() === undefined ? pending.cancel() : 'it did not wait';
    },
    { needs: ['pending'] },
  ),
  cell(
    'write',
    'EINTR',
    'waiting for a pipe',
    (s) => {
      const [, w] = s.pipe();
      s.ok(s.me.fcntl(w, F.F_SETPIPE_SZ, 4096), 'F_SETPIPE_SZ');
      s.ok(s.me.write(w, block(4096)), 'write');
      const pending = s.me.startWrite(w, block(10));
      return pending.poll() === undefined ? pending.cancel() : 'it did not wait';
    },
    { needs: ['pending'] },
  ),
];

const inotifyReadCells: readonly Cell[] = [
  cell('read', 'EINVAL', 'a buffer too small for a notification', (s) => {
    const fd = s.ok(s.me.inotifyInit(F.IN_NONBLOCK), 'inotify_init');
    s.ok(s.me.inotifyAddWatch(fd, s.dir, F.IN_CREATE), 'inotify_add_watch');
    s.file('new');
    return s.me.read(fd, 8);
  }),
  cell('read', 'EAGAIN', 'no notification, not waiting', (s) =>
    s.me.read(s.ok(s.me.inotifyInit(F.IN_NONBLOCK), 'inotify_init'), 1000),
  ),
  cell('write', 'EBADF', 'an inotify descriptor', (s) =>
    s.me.write(s.ok(s.me.inotifyInit(0), 'inotify_init'), block(4)),
  ),
];

const seekCells: readonly Cell[] = [
  cell('lseek', 'EINVAL', 'before the start', (s) => s.me.lseek(readable(s), -1, F.SEEK_SET)),
  cell('lseek', 'EINVAL', 'before the start, from here', (s) => s.me.lseek(readable(s), -1, F.SEEK_CUR)),
  cell('lseek', 'EINVAL', 'before the start, from the end', (s) => s.me.lseek(readable(s), -100, F.SEEK_END)),
  cell('lseek', 'EINVAL', 'an unknown whence', (s) => s.me.lseek(readable(s), 0, 9)),
  cell('lseek', 'ESPIPE', 'a pipe', (s) => s.me.lseek(s.pipe()[0], 0, F.SEEK_CUR)),
  cell('lseek', 'ESPIPE', 'a fifo', (s) =>
    s.me.lseek(s.open(s.fifo('p'), F.O_RDONLY | F.O_NONBLOCK), 0, F.SEEK_SET),
  ),
  cell('lseek', 'ENXIO', 'SEEK_DATA at the end', (s) => s.me.lseek(readable(s), 9, F.SEEK_DATA)),
  cell('lseek', 'ENXIO', 'SEEK_DATA beyond the end', (s) => s.me.lseek(readable(s), 100, F.SEEK_DATA)),
  cell('lseek', 'ENXIO', 'SEEK_HOLE at the end', (s) => s.me.lseek(readable(s), 9, F.SEEK_HOLE)),
  cell('lseek', 'ENXIO', 'SEEK_DATA at a negative offset', (s) => s.me.lseek(readable(s), -1, F.SEEK_DATA)),
  cell('lseek', 'ENXIO', 'SEEK_DATA where only a hole follows', (s) => {
    const fd = writable(s);
    s.ok(s.me.ftruncate(fd, 65536), 'ftruncate');
    return s.me.lseek(fd, 8192, F.SEEK_DATA);
  }),
  cell('lseek', 'ENXIO', 'SEEK_DATA in an empty file', (s) =>
    s.me.lseek(s.open(s.file('e'), F.O_RDONLY), 0, F.SEEK_DATA),
  ),
];

const sizeCells: readonly Cell[] = [
  cell('truncate', 'EINVAL', 'a negative length', (s) => s.me.truncate(s.file('f'), -1)),
  cell('truncate', 'EINVAL', 'a fifo', (s) => s.me.truncate(s.fifo('p'), 0)),
  cell('truncate', 'EISDIR', 'a directory', (s) => s.me.truncate(s.mkdir('d'), 0)),
  cell('truncate', 'EFBIG', 'beyond the limit on file sizes', (s) => {
    s.ok(s.me.setrlimit(F.RLIMIT_FSIZE, FSIZE), 'setrlimit');
    return s.me.truncate(s.file('f'), FSIZE + 1);
  }),
  refused('truncate', 'EACCES', 'no w on the file', (s) => s.me.truncate(s.foreignFile('f', 'x', 0o755), 0)),
  cell('ftruncate', 'EINVAL', 'a negative length', (s) => s.me.ftruncate(writable(s), -1)),
  cell('ftruncate', 'EINVAL', 'open for reading only', (s) => s.me.ftruncate(readable(s), 0)),
  cell('ftruncate', 'EINVAL', 'a directory', (s) => s.me.ftruncate(s.open(s.mkdir('d'), F.O_RDONLY), 0)),
  cell('ftruncate', 'EINVAL', 'a pipe', (s) => s.me.ftruncate(s.pipe()[1], 0)),
  cell('ftruncate', 'EFBIG', 'beyond the limit on file sizes', (s) => s.me.ftruncate(limited(s), FSIZE + 1)),
  cell('fallocate', 'EINVAL', 'a length of zero', (s) => s.me.fallocate(writable(s), 0, 0, 0)),
  cell('fallocate', 'EINVAL', 'a negative length', (s) => s.me.fallocate(writable(s), 0, 0, -1)),
  cell('fallocate', 'EINVAL', 'a negative offset', (s) => s.me.fallocate(writable(s), 0, -1, 10)),
  cell('fallocate', 'EOPNOTSUPP', 'an unknown mode', (s) => s.me.fallocate(writable(s), 0x4000, 0, 10)),
  cell('fallocate', 'EOPNOTSUPP', 'a punched hole that may grow the file', (s) =>
    s.me.fallocate(writable(s), F.FALLOC_FL_PUNCH_HOLE, 0, 10),
  ),
  cell('fallocate', 'ESPIPE', 'a pipe', (s) => s.me.fallocate(s.pipe()[1], 0, 0, 10)),
  cell('fallocate', 'EBADF', 'a directory, which is never open for writing', (s) =>
    s.me.fallocate(s.open(s.mkdir('d'), F.O_RDONLY), 0, 0, 10),
  ),
  cell('fallocate', 'EFBIG', 'beyond the limit on file sizes', (s) =>
    s.me.fallocate(limited(s), 0, 0, FSIZE + 1),
  ),
  cell('fallocate', 'ENOSPC', 'more than the file system has', (s) =>
    s.me.fallocate(s.open(`${s.full()}/fill`, F.O_WRONLY), 0, 0, 64 << 20),
  ),
  cell(
    'fallocate',
    'ENODEV',
    'a character device',
    (s) => {
      s.ok(s.root.mknod(s.at('null'), F.S_IFCHR | 0o666, (1 << 8) | 3), 'mknod');
      s.ok(s.root.chmod(s.at('null'), 0o666), 'chmod');
      return s.me.fallocate(s.open(s.at('null'), F.O_WRONLY), 0, 0, 10);
    },
    { needs: ['privilege'] },
  ),
];

const copyCells: readonly Cell[] = [
  cell('copyFileRange', 'EINVAL', 'an unknown flag', (s) => {
    const from = s.open(s.file('a', 'text'), F.O_RDONLY);
    return s.me.copyFileRange(from, 0, s.open(s.file('b'), F.O_WRONLY), 0, 1, 1);
  }),
  cell('copyFileRange', 'EINVAL', 'overlapping ranges of one file', (s) => {
    const fd = s.open(s.file('a', 'some text'), F.O_RDWR);
    return s.me.copyFileRange(fd, 0, fd, 2, 4, 0);
  }),
  cell('copyFileRange', 'EINVAL', 'from a pipe', (s) =>
    s.me.copyFileRange(s.pipe()[0], null, s.open(s.file('b'), F.O_WRONLY), 0, 1, 0),
  ),
  cell('copyFileRange', 'EINVAL', 'into a pipe', (s) =>
    s.me.copyFileRange(s.open(s.file('a', 'text'), F.O_RDONLY), 0, s.pipe()[1], null, 1, 0),
  ),
  cell('copyFileRange', 'EISDIR', 'from a directory', (s) =>
    s.me.copyFileRange(s.open(s.mkdir('d'), F.O_RDONLY), 0, s.open(s.file('b'), F.O_WRONLY), 0, 1, 0),
  ),
  cell('copyFileRange', 'EBADF', 'into a file open for appending', (s) => {
    const from = s.open(s.file('a', 'text'), F.O_RDONLY);
    return s.me.copyFileRange(from, 0, s.open(s.file('b'), F.O_WRONLY | F.O_APPEND), 0, 1, 0);
  }),
  cell('copyFileRange', 'EFBIG', 'beyond the limit on file sizes', (s) => {
    const from = s.open(s.file('a', 'text'), F.O_RDONLY);
    return s.me.copyFileRange(from, 0, limited(s), FSIZE, 4, 0);
  }),
  cell('copyFileRange', 'ENOSPC', 'no block is left', (s) => {
    const fd = s.open(`${s.full()}/fill`, F.O_RDWR);
    const end = s.ok(s.me.lseek(fd, 0, F.SEEK_END), 'lseek');
    return s.me.copyFileRange(fd, 0, fd, end, 4096, 0);
  }),
  cell('copyFileRange', 'EXDEV', 'to another file system', (s) => {
    const from = s.open(s.file('a', 'text'), F.O_RDONLY);
    return s.me.copyFileRange(from, 0, s.open(`${s.elsewhere()}/b`, F.O_CREAT | F.O_WRONLY), 0, 4, 0);
  }),
];

export const dataCells: readonly Cell[] = [
  ...readCells(),
  ...vectorCells(),
  ...writeCells(),
  ...faultCells,
  ...interruptCells,
  ...inotifyReadCells,
  ...seekCells,
  ...sizeCells,
  ...copyCells,
];
