import { expect } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import { decodeInotify } from '../../oracle/linux-encode.ts';
import type { Dirent } from '../../oracle/target.ts';
import { block, bytesOf, type Scene } from '../scene.ts';
import { type Behaviour, behaviour } from '../types.ts';
import { statOf } from './modes.ts';
import { pipeBehaviours } from './pipes.ts';

/** Descriptors, directories, polling, notification, handles, file systems. */

const on = (title: string, run: (s: Scene) => void): Behaviour => behaviour('descriptors', title, run);
const offset = (s: Scene, fd: number): number => s.me.lseek(fd, 0, F.SEEK_CUR);

const tables: readonly Behaviour[] = [
  on('the lowest free number is taken', (s) => {
    const path = s.file('f');
    const fds = [0, 1, 2, 3].map(() => s.open(path, F.O_RDONLY));
    expect(fds).toEqual([0, 1, 2, 3]);
    expect([s.me.close(1), s.me.close(2)]).toEqual([0, 0]);
    expect(s.open(path, F.O_RDONLY)).toBe(1);
    expect(s.me.dup(3)).toBe(2);
    expect(s.me.fcntl(0, F.F_DUPFD, 2)).toBe(4);
    expect(s.me.fcntl(0, F.F_DUPFD, 20)).toBe(20);
  }),
  on('dup shares the offset and the flags, not close-on-exec', (s) => {
    const fd = s.open(s.file('f', 'abcdef'), F.O_RDWR | F.O_CLOEXEC);
    const copy = s.ok(s.me.dup(fd), 'dup');
    s.ok(s.me.read(fd, 2), 'read');
    expect(offset(s, copy)).toBe(2);
    expect(s.me.fcntl(copy, F.F_SETFL, F.O_APPEND)).toBe(0);
    expect(s.me.fcntl(fd, F.F_GETFL, 0) & F.O_APPEND).toBe(F.O_APPEND);
    expect([s.me.fcntl(fd, F.F_GETFD, 0), s.me.fcntl(copy, F.F_GETFD, 0)]).toEqual([1, 0]);
    expect(s.me.close(fd)).toBe(0);
    expect(s.me.read(copy, 2)).toEqual(bytesOf('cd'));
  }),
  on('two opens of one file have offsets of their own', (s) => {
    const path = s.file('f', 'abcdef');
    const [a, b] = [s.open(path, F.O_RDONLY), s.open(path, F.O_RDONLY)];
    s.ok(s.me.read(a, 3), 'read');
    expect([offset(s, a), offset(s, b)]).toEqual([3, 0]);
  }),
  on('dup2 closes what was there, and does nothing onto itself', (s) => {
    const a = s.open(s.file('a', 'aaa'), F.O_RDONLY);
    const b = s.open(s.file('b', 'bbb'), F.O_RDONLY);
    expect(s.me.dup2(a, b)).toBe(b);
    expect(s.me.read(b, 3)).toEqual(bytesOf('aaa'));
    expect(s.me.dup2(a, a)).toBe(a);
    expect(s.me.dup2(a, 30)).toBe(30);
  }),
  on('dup3 and F_DUPFD_CLOEXEC set close-on-exec, F_SETFD changes it', (s) => {
    const fd = s.open(s.file('f'), F.O_RDONLY);
    expect(s.me.dup3(fd, 9, F.O_CLOEXEC)).toBe(9);
    expect(s.me.fcntl(9, F.F_GETFD, 0)).toBe(F.FD_CLOEXEC);
    expect(s.me.fcntl(s.me.fcntl(fd, F.F_DUPFD_CLOEXEC, 5), F.F_GETFD, 0)).toBe(F.FD_CLOEXEC);
    expect(s.me.fcntl(9, F.F_SETFD, 0)).toBe(0);
    expect(s.me.fcntl(9, F.F_GETFD, 0)).toBe(0);
  }),
  on('F_GETFL tells access mode and status, not how it was made', (s) => {
    const fd = s.open(s.at('f'), F.O_CREAT | F.O_EXCL | F.O_RDWR | F.O_APPEND | F.O_NONBLOCK);
    const flags = (n: number): number => s.me.fcntl(n, F.F_GETFL, 0) & ~F.O_LARGEFILE;
    expect(flags(fd)).toBe(F.O_RDWR | F.O_APPEND | F.O_NONBLOCK);
    const kept = F.O_NOFOLLOW | F.O_DIRECTORY;
    expect(flags(s.open(s.dir, kept | F.O_CLOEXEC))).toBe(kept);
    expect(flags(s.open(s.dir, F.O_TMPFILE | F.O_EXCL | F.O_RDWR, 0o600))).toBe(F.O_TMPFILE | F.O_RDWR);
  }),
  on('O_PATH descriptors can be looked at and started from', (s) => {
    s.mkdir('d');
    s.file('d/f', 'abc');
    const fd = s.open(s.at('d'), F.O_PATH);
    expect(s.me.fstat(fd)).toMatchObject({ ino: statOf(s, s.at('d')).ino });
    expect(s.me.fstatat(fd, 'f', 0)).toMatchObject({ size: 3 });
    expect(s.me.fchdir(fd)).toBe(0);
    expect(s.me.getcwd()).toBe(s.at('d'));
  }),
  on('a directory opens for reading without O_DIRECTORY', (s) => {
    expect(s.me.open(s.mkdir('d'), F.O_RDONLY)).toBeGreaterThanOrEqual(0);
    expect(s.me.open(s.at('d'), F.O_RDONLY | F.O_DIRECTORY)).toBeGreaterThanOrEqual(0);
  }),
  on('umask, working directory and descriptors are each process’s own', (s) => {
    s.open(s.file('f'), F.O_RDONLY);
    s.ok(s.me.chdir(s.dir), 'chdir');
    expect(s.friend.getcwd()).toBe('/');
    expect(s.friend.fstat(0)).toBe(-9);
  }),
];

function list(s: Scene, fd: number, max?: number): Dirent[] {
  const entries = s.ok(s.me.getdents(fd, max), 'getdents');
  return typeof entries === 'number' ? [] : entries;
}

function listAll(s: Scene, fd: number, max: number): string[] {
  const names: string[] = [];
  for (;;) {
    const part = list(s, fd, max);
    if (part.length === 0) return names;
    names.push(...part.map((entry) => entry.name));
  }
}

const numbered = (n: number): string[] => Array.from({ length: n }, (_, i) => `f${i}`);

const directories: readonly Behaviour[] = [
  on('a listing has every name once, with type and inode', (s) => {
    s.file('f');
    s.mkdir('d');
    s.symlink('x', 'l');
    s.fifo('p');
    const entries = list(s, s.open(s.dir, F.O_RDONLY)).sort((x, y) => (x.name < y.name ? -1 : 1));
    expect(entries.map((e) => [e.name, e.type])).toEqual([
      ['.', F.DT_DIR],
      ['..', F.DT_DIR],
      ['d', F.DT_DIR],
      ['f', F.DT_REG],
      ['l', F.DT_LNK],
      ['p', F.DT_FIFO],
    ]);
    for (const name of ['.', 'f', 'd', 'l', 'p'])
      expect(entries.find((e) => e.name === name)?.ino).toBe(statOf(s, s.at(name)).ino);
  }),
  on('a listing in parts has every name once', (s) => {
    for (const name of numbered(50)) s.file(name);
    for (const max of [1, 2, 7, 100]) {
      const names = listAll(s, s.open(s.dir, F.O_RDONLY), max);
      expect(names.sort()).toEqual(['.', '..', ...numbered(50)].sort());
    }
  }),
  on('a cookie goes on right behind its entry', (s) => {
    for (const name of numbered(20)) s.file(name);
    const fd = s.open(s.dir, F.O_RDONLY);
    const entries = list(s, fd);
    for (const i of [3, 0, 15, 21]) {
      expect(s.me.lseek(fd, entries[i].cookie, F.SEEK_SET)).toBe(entries[i].cookie);
      expect(list(s, fd).map((e) => e.name)).toEqual(entries.slice(i + 1).map((e) => e.name));
    }
    expect(s.me.lseek(fd, 0, F.SEEK_SET)).toBe(0);
    expect(list(s, fd).length).toBe(22);
  }),
  on('what stays is listed once while others come and go', (s) => {
    for (const name of numbered(40)) s.file(name);
    const fd = s.open(s.dir, F.O_RDONLY);
    const seen: string[] = [];
    for (let round = 0; ; round++) {
      const part = list(s, fd, 5);
      if (part.length === 0) break;
      seen.push(...part.map((e) => e.name));
      s.me.unlink(s.at(`f${round * 3 + 1}`));
      s.file(`new${round}`);
      expect(round).toBeLessThan(100);
    }
    expect(new Set(seen).size).toBe(seen.length);
    const stayed = numbered(40).filter((name) => typeof s.me.stat(s.at(name)) !== 'number');
    expect(stayed.filter((name) => !seen.includes(name))).toEqual([]);
  }),
  on('cookies stay good after everything before them is removed', (s) => {
    for (const name of numbered(20)) s.file(name);
    const fd = s.open(s.dir, F.O_RDONLY);
    const entries = list(s, fd);
    for (const e of entries.slice(2, 12)) s.ok(s.me.unlink(s.at(e.name)), 'unlink');
    s.ok(s.me.lseek(fd, entries[11].cookie, F.SEEK_SET), 'lseek');
    expect(list(s, fd).map((e) => e.name)).toEqual(entries.slice(12).map((e) => e.name));
  }),
  on('a listing from the start shows what was made since', (s) => {
    const fd = s.open(s.dir, F.O_RDONLY);
    list(s, fd);
    s.file('new');
    s.ok(s.me.lseek(fd, 0, F.SEEK_SET), 'lseek');
    expect(list(s, fd).some((e) => e.name === 'new')).toBe(true);
  }),
  on('emptying a directory while listing it removes everything', (s) => {
    for (const name of numbered(60)) s.file(name);
    const fd = s.open(s.dir, F.O_RDONLY);
    for (;;) {
      const part = list(s, fd, 9);
      if (part.length === 0) break;
      for (const e of part) if (!e.name.startsWith('.')) s.ok(s.me.unlink(s.at(e.name)), 'unlink');
    }
    expect(list(s, s.open(s.dir, F.O_RDONLY)).length).toBe(2);
  }),
  on('getcwd follows chdir and fchdir', (s) => {
    s.mkdir('d');
    const fd = s.open(s.dir, F.O_RDONLY);
    s.ok(s.me.chdir(s.at('d/./../d')), 'chdir');
    expect(s.me.getcwd()).toBe(s.at('d'));
    s.ok(s.me.fchdir(fd), 'fchdir');
    expect(s.me.getcwd()).toBe(s.dir);
    s.symlink('d', 'l');
    s.ok(s.me.chdir('l'), 'chdir');
    expect(s.me.getcwd()).toBe(s.at('d'));
  }),
];

const polling: readonly Behaviour[] = [
  on('poll tells what is ready', (s) => {
    const [r, w] = s.pipe();
    const ask = (): unknown =>
      s.me.poll(
        [
          { fd: r, events: F.POLLIN },
          { fd: w, events: F.POLLOUT },
          { fd: -1, events: F.POLLIN },
          { fd: 90, events: F.POLLIN },
        ],
        0,
      );
    expect(ask()).toEqual([0, F.POLLOUT, 0, F.POLLNVAL]);
    s.ok(s.me.write(w, bytesOf('a')), 'write');
    expect(ask()).toEqual([F.POLLIN, F.POLLOUT, 0, F.POLLNVAL]);
  }),
  on('poll tells of a pipe’s other end', (s) => {
    const [r, w] = s.pipe();
    s.ok(s.me.write(w, bytesOf('a')), 'write');
    s.ok(s.me.close(w), 'close');
    expect(s.me.poll([{ fd: r, events: F.POLLIN }], 0)).toEqual([F.POLLIN | F.POLLHUP]);
    const [r2, w2] = s.pipe();
    s.ok(s.me.close(r2), 'close');
    expect(s.me.poll([{ fd: w2, events: F.POLLOUT }], 0)).toEqual([F.POLLOUT | F.POLLERR]);
  }),
  on('files are always ready', (s) => {
    const fd = s.open(s.file('f'), F.O_RDWR);
    expect(s.me.poll([{ fd, events: F.POLLIN | F.POLLOUT }], 0)).toEqual([F.POLLIN | F.POLLOUT]);
  }),
  on('poll waits no longer than told', (s) => {
    expect(s.me.poll([{ fd: s.pipe()[0], events: F.POLLIN }], 20)).toEqual([0]);
    expect(s.me.poll([], 1)).toEqual([]);
  }),
  behaviour(
    'descriptors',
    'poll wakes when something is written',
    (s) => {
      const path = s.fifo('p');
      const r = s.open(path, F.O_RDONLY | F.O_NONBLOCK);
      const w = s.ok(s.friend.open(path, F.O_WRONLY), 'open');
      const waiting = s.me.startPoll([{ fd: r, events: F.POLLIN }], -1);
      expect(waiting.poll()).toBe(undefined);
      expect(s.friend.write(w, bytesOf('a'))).toBe(1);
      expect(waiting.poll()).toEqual([F.POLLIN]);
    },
    { needs: ['pending'] },
  ),
];

/** Events since the last call, as 'NAME:FLAG|FLAG' with the watch's own name empty. */
function events(s: Scene, fd: number): string[] {
  const data = s.me.read(fd, 8192);
  if (typeof data === 'number') return data === -11 ? [] : [`error ${data}`];
  const flags = Object.entries(F).filter(([name]) =>
    /^IN_(ACCESS|MODIFY|ATTRIB|CLOSE_WRITE|CLOSE_NOWRITE|OPEN|MOVED_FROM|MOVED_TO|CREATE|DELETE|DELETE_SELF|MOVE_SELF|UNMOUNT|IGNORED|ISDIR)$/.test(
      name,
    ),
  );
  flags.sort(([, a], [, b]) => a - b);
  return decodeInotify(data).map((event) => {
    const set = flags.filter(([, bit]) => ((event.mask >>> 0) & bit) !== 0).map(([name]) => name.slice(3));
    return `${event.name}:${set.join('|')}`;
  });
}

function watch(s: Scene, path: string, mask: number): number {
  const fd = s.ok(s.me.inotifyInit(F.IN_NONBLOCK), 'inotify_init');
  s.ok(s.me.inotifyAddWatch(fd, path, mask), 'inotify_add_watch');
  return fd;
}

const notification: readonly Behaviour[] = [
  on('a directory tells what happens to its names', (s) => {
    const fd = watch(s, s.dir, F.IN_CREATE | F.IN_DELETE | F.IN_MODIFY | F.IN_ATTRIB | F.IN_CLOSE_WRITE);
    const f = s.open(s.at('f'), F.O_CREAT | F.O_WRONLY);
    s.ok(s.me.write(f, bytesOf('a')), 'write');
    s.ok(s.me.close(f), 'close');
    s.ok(s.me.chmod(s.at('f'), 0o600), 'chmod');
    s.ok(s.me.mkdir(s.at('d'), 0o755), 'mkdir');
    s.ok(s.me.unlink(s.at('f')), 'unlink');
    s.ok(s.me.rmdir(s.at('d')), 'rmdir');
    expect(events(s, fd)).toEqual([
      'f:CREATE',
      'f:MODIFY',
      'f:CLOSE_WRITE',
      'f:ATTRIB',
      'd:CREATE|ISDIR',
      'f:DELETE',
      'd:DELETE|ISDIR',
    ]);
  }),
  on('a rename is two events with one cookie', (s) => {
    s.file('a');
    s.mkdir('d');
    const fd = watch(s, s.dir, F.IN_MOVED_FROM | F.IN_MOVED_TO);
    const wd = s.ok(s.me.inotifyAddWatch(fd, s.at('d'), F.IN_MOVED_TO), 'inotify_add_watch');
    s.ok(s.me.rename(s.at('a'), s.at('b')), 'rename');
    s.ok(s.me.rename(s.at('b'), s.at('d/c')), 'rename');
    const list = decodeInotify(s.me.read(fd, 4096) as Uint8Array);
    expect(list.map((e) => [e.name, e.mask])).toEqual([
      ['a', F.IN_MOVED_FROM],
      ['b', F.IN_MOVED_TO],
      ['b', F.IN_MOVED_FROM],
      ['c', F.IN_MOVED_TO],
    ]);
    expect([list[0].cookie === list[1].cookie, list[2].cookie === list[3].cookie]).toEqual([true, true]);
    expect(list[0].cookie).not.toBe(list[2].cookie);
    expect([list[0].cookie !== 0, list[3].wd === wd]).toEqual([true, true]);
  }),
  on('a watched file tells of itself, and ends with it', (s) => {
    const fd = watch(s, s.file('f'), F.IN_MODIFY | F.IN_ATTRIB | F.IN_MOVE_SELF | F.IN_DELETE_SELF);
    s.ok(s.me.truncate(s.at('f'), 5), 'truncate');
    s.ok(s.me.rename(s.at('f'), s.at('g')), 'rename');
    s.ok(s.me.unlink(s.at('g')), 'unlink');
    expect(events(s, fd)).toEqual([':MODIFY', ':MOVE_SELF', ':ATTRIB', ':DELETE_SELF', ':IGNORED']);
  }),
  on('a watched file ends with the last name that is not held, though it is open by another', (s) => {
    const fd = watch(s, s.file('f', 'abc'), F.IN_DELETE_SELF | F.IN_MODIFY);
    const f = s.open(s.at('f'), F.O_RDWR);
    s.ok(s.me.link(s.at('f'), s.at('g')), 'link');
    s.ok(s.me.unlink(s.at('f')), 'unlink');
    s.ok(s.me.write(f, bytesOf('x')), 'write');
    expect(events(s, fd)).toEqual([':MODIFY']);
    s.ok(s.me.unlink(s.at('g')), 'unlink');
    s.ok(s.me.write(f, bytesOf('y')), 'write');
    expect(events(s, fd)).toEqual([':DELETE_SELF', ':IGNORED']);
    expect(s.me.pread(f, 3, 0)).toEqual(bytesOf('xyc'));
  }),
  on('a removed directory ends with the last removed file of it that is open', (s) => {
    const fd = watch(s, s.mkdir('d'), F.IN_DELETE_SELF);
    const f = s.open(s.at('d/f'), F.O_CREAT | F.O_RDWR);
    s.ok(s.me.unlink(s.at('d/f')), 'unlink');
    s.ok(s.me.rmdir(s.at('d')), 'rmdir');
    expect(events(s, fd)).toEqual([]);
    s.ok(s.me.close(f), 'close');
    expect(events(s, fd)).toEqual([':DELETE_SELF', ':IGNORED']);
  }),
  on('a chown is told of when it changes something', (s) => {
    const fd = watch(s, s.file('f'), F.IN_ATTRIB);
    s.ok(s.me.chown(s.at('f'), -1, -1), 'chown');
    expect(events(s, fd)).toEqual([]);
    s.ok(s.me.chmod(s.at('f'), 0o4755), 'chmod');
    s.ok(s.me.chown(s.at('f'), -1, -1), 'chown');
    expect(statOf(s, s.at('f')).mode & 0o7777).toBe(0o755);
    // two equal events side by side are told once
    expect(events(s, fd)).toEqual([':ATTRIB']);
  }),
  on('a truncation that takes set-ID bits away is one event', (s) => {
    const fd = watch(s, s.file('f', 'abc'), F.IN_ATTRIB | F.IN_MODIFY);
    s.ok(s.me.chmod(s.at('f'), 0o4755), 'chmod');
    s.ok(s.me.truncate(s.at('f'), 1), 'truncate');
    const taken = (statOf(s, s.at('f')).mode & F.S_ISUID) === 0;
    expect(events(s, fd)).toEqual([':ATTRIB', taken ? ':MODIFY|ATTRIB' : ':MODIFY']);
  }),
  on('reading, opening and closing are told when asked for', (s) => {
    s.file('f', 'abc');
    const fd = watch(s, s.dir, F.IN_OPEN | F.IN_ACCESS | F.IN_CLOSE_NOWRITE);
    const f = s.open(s.at('f'), F.O_RDONLY);
    s.ok(s.me.read(f, 2), 'read');
    s.ok(s.me.close(f), 'close');
    expect(events(s, fd)).toEqual(['f:OPEN', 'f:ACCESS', 'f:CLOSE_NOWRITE']);
  }),
  on('the same watch is changed, added to, removed', (s) => {
    const fd = watch(s, s.dir, F.IN_CREATE);
    expect(s.me.inotifyAddWatch(fd, s.dir, F.IN_DELETE | F.IN_MASK_ADD)).toBe(1);
    s.file('a');
    s.ok(s.me.unlink(s.at('a')), 'unlink');
    expect(events(s, fd)).toEqual(['a:CREATE', 'a:DELETE']);
    expect(s.me.inotifyAddWatch(fd, s.dir, F.IN_DELETE)).toBe(1);
    s.file('b');
    expect(events(s, fd)).toEqual([]);
    expect(s.me.inotifyRmWatch(fd, 1)).toBe(0);
    expect(events(s, fd)).toEqual([':IGNORED']);
  }),
  on('IN_ONESHOT tells once', (s) => {
    const fd = watch(s, s.dir, F.IN_CREATE | F.IN_ONESHOT);
    s.file('a');
    s.file('b');
    expect(events(s, fd)).toEqual(['a:CREATE', ':IGNORED']);
  }),
  on('equal events in a row are told once', (s) => {
    const f = s.open(s.file('f'), F.O_WRONLY);
    const fd = watch(s, s.dir, F.IN_MODIFY);
    for (let i = 0; i < 5; i++) s.ok(s.me.write(f, bytesOf('a')), 'write');
    expect(events(s, fd)).toEqual(['f:MODIFY']);
  }),
];

const handles: readonly Behaviour[] = [
  behaviour(
    'descriptors',
    'a handle opens its file under whatever name, and the same file has the same handle',
    (s) => {
      const h = s.ok(
        s.me.nameToHandleAt(F.AT_FDCWD, s.file('f', 'abc'), 0),
        'name_to_handle_at',
      ) as Uint8Array;
      s.ok(s.me.rename(s.at('f'), s.at('g')), 'rename');
      expect(s.me.nameToHandleAt(F.AT_FDCWD, s.at('g'), 0)).toEqual(h);
      const fd = s.me.openByHandleAt(s.open(s.dir, F.O_RDONLY), h, F.O_RDONLY);
      expect(s.me.read(fd, 9)).toEqual(bytesOf('abc'));
      const d = s.ok(s.me.nameToHandleAt(F.AT_FDCWD, s.mkdir('d'), 0), 'name_to_handle_at') as Uint8Array;
      expect(s.me.openByHandleAt(fd, d, F.O_RDONLY | F.O_DIRECTORY)).toBeGreaterThanOrEqual(0);
    },
    { who: ['root'], needs: ['handles'] },
  ),
];

const systems: readonly Behaviour[] = [
  on('statfs counts what is used', (s) => {
    const fs = s.elsewhere(0, { sizeBytes: 1 << 20, inodes: 100 });
    const before = s.me.statfs(fs);
    const fd = s.open(`${fs}/f`, F.O_CREAT | F.O_WRONLY);
    s.ok(s.me.write(fd, block(100_000)), 'write');
    const during = s.me.fstatfs(fd);
    s.ok(s.me.close(fd), 'close');
    s.ok(s.me.unlink(`${fs}/f`), 'unlink');
    const after = s.me.statfs(fs);
    if (typeof before === 'number' || typeof during === 'number') throw new Error('statfs');
    expect(before.namelen).toBe(255);
    expect((before.bfree - during.bfree) * before.bsize).toBeGreaterThanOrEqual(100_000);
    expect(before.ffree - during.ffree).toBe(1);
    expect(after).toEqual(before);
  }),
  on('statfs tells the size that was asked for', (s) => {
    const { blocks, bsize, files } = s.ok(
      s.me.statfs(s.elsewhere(0, { sizeBytes: 1 << 20, inodes: 100 })),
      'statfs',
    );
    expect([blocks * bsize, files]).toEqual([1 << 20, 100]);
  }),
  on('a full file system works again once something is removed', (s) => {
    const fs = s.full();
    expect(s.me.mkdir(`${fs}/d`, 0o755)).toBe(-28);
    for (const name of ['fill', 'n0']) s.ok(s.root.unlink(`${fs}/${name}`), 'unlink');
    expect(s.me.mkdir(`${fs}/d`, 0o755)).toBe(0);
    const fd = s.ok(s.me.open(`${fs}/d/f`, F.O_WRONLY | F.O_CREAT, 0o666), 'open');
    expect(s.me.write(fd, block(4096))).toBe(4096);
  }),
  on('a write that half fits is cut', (s) => {
    const fd = s.open(`${s.full()}/fill`, F.O_WRONLY);
    const kept = s.ok(s.me.lseek(fd, 0, F.SEEK_END), 'lseek') - 16384;
    s.ok(s.me.ftruncate(fd, kept), 'ftruncate');
    const n = s.me.pwrite(fd, block(20480), kept);
    expect(n > 0 && n <= 16384).toBe(true);
    expect(s.me.fstat(fd)).toMatchObject({ size: kept + n });
  }),
  on('what is mounted hides what was there', (s) => {
    const fs = s.elsewhere();
    s.ok(s.me.mkdir(`${fs}/d`, 0o755), 'mkdir');
    expect(s.me.stat(`${fs}/d/../..`)).toMatchObject({ ino: statOf(s, '/').ino });
    expect(statOf(s, fs).dev).not.toBe(statOf(s, s.dir).dev);
    expect(s.root.umount2(fs, 0)).toBe(0);
    expect(s.me.stat(`${fs}/d`)).toBe(-2);
  }),
  on('a bind mount shows the same files', (s) => {
    s.file('f', 'abc');
    const view = s.readOnly();
    expect(s.me.stat(`${view}/f`)).toEqual(s.me.stat(s.at('f')));
    s.ok(s.me.write(s.open(s.at('f'), F.O_WRONLY), bytesOf('X')), 'write');
    expect(s.me.read(s.open(`${view}/f`, F.O_RDONLY), 9)).toEqual(bytesOf('Xbc'));
  }),
  on('an open file survives a lazy unmount', (s) => {
    const fs = s.elsewhere();
    const fd = s.open(`${fs}/f`, F.O_CREAT | F.O_RDWR);
    expect(s.root.umount2(fs, F.MNT_DETACH)).toBe(0);
    expect(s.me.write(fd, bytesOf('abc'))).toBe(3);
    expect(s.me.stat(`${fs}/f`)).toBe(-2);
  }),
  on('fsync, fdatasync, syncfs and sync succeed', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    expect([s.me.fsync(fd), s.me.fdatasync(fd), s.me.syncfs(fd), s.me.sync()]).toEqual([0, 0, 0, 0]);
    expect(s.me.fsync(s.open(s.dir, F.O_RDONLY))).toBe(0);
  }),
];

export const descriptorBehaviours: readonly Behaviour[] = [
  ...tables,
  ...directories,
  ...pipeBehaviours,
  ...polling,
  ...notification,
  ...handles,
  ...systems,
];
