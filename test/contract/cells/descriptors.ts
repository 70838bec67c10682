import * as F from '../../../assembly/abi/flags.ts';
import { fdCalls } from '../calls.ts';
import { block, CLOSED_FD, type Scene } from '../scene.ts';
import { type Cell, cell } from '../types.ts';

/** Errors of descriptors: closed ones, ones without the right access, and tables that are full. */

const name = (call: { slot: string }, title: string): string =>
  call.slot ? `${call.slot}: ${title}` : title;

function closedCells(): Cell[] {
  return fdCalls.flatMap((call) => [
    cell(call.call, 'EBADF', name(call, 'never opened'), (s) => call.invoke(s.me, CLOSED_FD, s)),
    cell(call.call, 'EBADF', name(call, 'negative'), (s) => call.invoke(s.me, -1, s)),
    cell(call.call, 'EBADF', name(call, 'far beyond the table'), (s) => call.invoke(s.me, 0x7ffffff0, s)),
    cell(call.call, 'EBADF', name(call, 'closed already'), (s) => {
      const fd = s.open(s.file('f'), F.O_RDWR);
      s.ok(s.me.close(fd), 'close');
      // spareFd of the copy calls would take the number again.
      return call.call === 'copyFileRange'
        ? s.me.copyFileRange(fd, 0, fd, 0, 1, 0)
        : call.invoke(s.me, fd, s);
    }),
  ]);
}

function pathOnlyCells(): Cell[] {
  return fdCalls
    .filter((call) => !call.onPath && !call.call.startsWith('inotify'))
    .map((call) =>
      cell(call.call, 'EBADF', name(call, 'an O_PATH descriptor'), (s) => {
        const path = call.call === 'getdents' ? s.dir : s.file('f');
        return call.invoke(s.me, s.open(path, F.O_PATH), s);
      }),
    );
}

const READERS = ['read', 'pread', 'readv', 'preadv'];
const WRITERS = ['write', 'pwrite', 'writev', 'pwritev', 'fallocate'];

function accessCells(): Cell[] {
  return fdCalls.flatMap((call) => {
    if (READERS.includes(call.call) || (call.call === 'copyFileRange' && call.slot === 'in'))
      return [
        cell(call.call, 'EBADF', name(call, 'open for writing only'), (s) =>
          call.invoke(s.me, s.open(s.file('f', 'text'), F.O_WRONLY), s),
        ),
      ];
    if (WRITERS.includes(call.call) || (call.call === 'copyFileRange' && call.slot === 'out'))
      return [
        cell(call.call, 'EBADF', name(call, 'open for reading only'), (s) => {
          if (call.call === 'copyFileRange') s.file('spare', 'text');
          return call.invoke(s.me, s.open(s.file('f', 'text'), F.O_RDONLY), s);
        }),
      ];
    return [];
  });
}

const LIMIT = 12;

/** Descriptors 0 to LIMIT - 1 open, and no more allowed. */
function fillTable(s: Scene): number {
  const first = s.open(s.file('table'), F.O_RDWR);
  s.ok(s.me.setrlimit(F.RLIMIT_NOFILE, LIMIT), 'setrlimit');
  while (s.me.dup(first) >= 0);
  return first;
}

function atLimit(s: Scene, call: (fd: number) => unknown): unknown {
  return call(fillTable(s));
}

const tableCells: readonly Cell[] = [
  cell('open', 'EMFILE', 'the table is full', (s) => atLimit(s, () => s.me.open(s.at('table'), F.O_RDONLY))),
  cell('open', 'EMFILE', 'the file is not made', (s) => {
    const result = atLimit(s, () => s.me.open(s.at('new'), F.O_CREAT | F.O_WRONLY, 0o600));
    return typeof s.me.stat(s.at('new')) === 'number' ? result : 'it was made';
  }),
  cell('openat', 'EMFILE', 'the table is full', (s) =>
    atLimit(s, () => s.me.openat(F.AT_FDCWD, s.at('table'), F.O_RDONLY)),
  ),
  cell('creat', 'EMFILE', 'the table is full', (s) => atLimit(s, () => s.me.creat(s.at('new'), 0o600))),
  cell('dup', 'EMFILE', 'the table is full', (s) => atLimit(s, (fd) => s.me.dup(fd))),
  cell('dup2', 'EBADF', 'a number beyond the limit', (s) => atLimit(s, (fd) => s.me.dup2(fd, LIMIT))),
  cell('dup3', 'EBADF', 'a number beyond the limit', (s) => atLimit(s, (fd) => s.me.dup3(fd, LIMIT, 0))),
  cell('dup2', 'EBADF', 'a negative number', (s) => s.me.dup2(s.open(s.file('f'), F.O_RDONLY), -1)),
  cell('dup3', 'EBADF', 'a negative number', (s) => s.me.dup3(s.open(s.file('f'), F.O_RDONLY), -1, 0)),
  cell('dup3', 'EINVAL', 'onto itself', (s) => {
    const fd = s.open(s.file('f'), F.O_RDONLY);
    return s.me.dup3(fd, fd, 0);
  }),
  cell('dup3', 'EINVAL', 'an unknown flag', (s) => {
    const fd = s.open(s.file('f'), F.O_RDONLY);
    return s.me.dup3(fd, fd + 1, F.O_APPEND);
  }),
  cell('pipe2', 'EMFILE', 'the table is full', (s) => atLimit(s, () => s.me.pipe2(0))),
  cell('pipe2', 'EMFILE', 'one place is left', (s) => {
    const fd = fillTable(s);
    s.ok(s.me.close(fd + 1), 'close');
    const result = s.me.pipe2(0);
    return s.me.dup(fd) === fd + 1 ? result : 'the place was lost';
  }),
  cell('pipe2', 'EINVAL', 'an unknown flag', (s) => s.me.pipe2(F.O_APPEND)),
  cell('fcntl', 'EMFILE', 'F_DUPFD with a full table', (s) =>
    atLimit(s, (fd) => s.me.fcntl(fd, F.F_DUPFD, 0)),
  ),
  cell('fcntl', 'EINVAL', 'F_DUPFD from the limit on', (s) =>
    atLimit(s, (fd) => s.me.fcntl(fd, F.F_DUPFD, LIMIT)),
  ),
  cell('fcntl', 'EINVAL', 'F_DUPFD from a negative number', (s) =>
    s.me.fcntl(s.open(s.file('f'), F.O_RDONLY), F.F_DUPFD, -1),
  ),
  cell('fcntl', 'EINVAL', 'an unknown command', (s) => s.me.fcntl(s.open(s.file('f'), F.O_RDONLY), 9999, 0)),
  cell('fcntl', 'EBADF', 'F_SETFL through an O_PATH descriptor', (s) =>
    s.me.fcntl(s.open(s.file('f'), F.O_PATH), F.F_SETFL, F.O_APPEND),
  ),
  cell('fcntl', 'EBUSY', 'a pipe made smaller than what it holds', (s) => {
    const [, w] = s.pipe(F.O_NONBLOCK);
    s.ok(s.me.fcntl(w, F.F_SETPIPE_SZ, 16384), 'F_SETPIPE_SZ');
    while (s.me.write(w, block(4096)) > 0);
    return s.me.fcntl(w, F.F_SETPIPE_SZ, 4096);
  }),
  cell('fcntl', 'EBADF', 'F_GETPIPE_SZ of a file', (s) =>
    s.me.fcntl(s.open(s.file('f'), F.O_RDONLY), F.F_GETPIPE_SZ, 0),
  ),
  cell('inotifyInit', 'EMFILE', 'the table is full', (s) => atLimit(s, () => s.me.inotifyInit(0))),
  cell('inotifyInit', 'EINVAL', 'an unknown flag', (s) => s.me.inotifyInit(F.O_APPEND)),
  cell('inotifyAddWatch', 'EINVAL', 'the descriptor is a file', (s) =>
    s.me.inotifyAddWatch(s.open(s.file('f'), F.O_RDONLY), s.dir, F.IN_MODIFY),
  ),
  cell('inotifyRmWatch', 'EINVAL', 'the descriptor is a file', (s) =>
    s.me.inotifyRmWatch(s.open(s.file('f'), F.O_RDONLY), 1),
  ),
  cell('openByHandleAt', 'EMFILE', 'the table is full', (s) => openHandleAtLimit(s), {
    who: ['root'],
    needs: ['handles'],
  }),
];

function openHandleAtLimit(s: Scene): unknown {
  return atLimit(s, (fd) => {
    const handle = s.ok(s.me.nameToHandleAt(F.AT_FDCWD, s.at('table'), 0), 'name_to_handle_at');
    return typeof handle === 'number' ? handle : s.me.openByHandleAt(fd, handle, F.O_RDONLY);
  });
}

export const descriptorCells: readonly Cell[] = [
  ...closedCells(),
  ...pathOnlyCells(),
  ...accessCells(),
  ...tableCells,
];
