import { expect } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import { block, bytesOf, type Scene } from '../scene.ts';
import { type Behaviour, behaviour } from '../types.ts';

/** Advisory locks and extended attributes. */

const on = (title: string, run: (s: Scene) => void): Behaviour => behaviour('locks', title, run);

function lock(
  p: PosixProcess,
  fd: number,
  type: number,
  start: number,
  len: number,
  command = F.F_SETLK,
): unknown {
  return p.fcntlLock(fd, command, { type, whence: F.SEEK_SET, start, len });
}

/** What would stand in the way of an exclusive lock on one byte: 'TYPE START LEN', or 'free'. */
function at(p: PosixProcess, fd: number, start: number, len = 1): string {
  const found = p.fcntlLock(fd, F.F_GETLK, { type: F.F_WRLCK, whence: F.SEEK_SET, start, len });
  if (typeof found === 'number') return `error ${found}`;
  if (found.type === F.F_UNLCK) return 'free';
  return `${found.type === F.F_RDLCK ? 'read' : 'write'} ${found.start} ${found.len}`;
}

function both(s: Scene, content = 'some text'): { path: string; mine: number; theirs: number } {
  const path = s.file('f', content);
  return { path, mine: s.open(path, F.O_RDWR), theirs: s.ok(s.friend.open(path, F.O_RDWR), 'open') };
}

const records: readonly Behaviour[] = [
  on('shared locks agree, F_GETLK names the one in the way', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_RDLCK, 0, 5)).toBe(0);
    expect(lock(s.friend, theirs, F.F_RDLCK, 3, 5)).toBe(0);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 3)).toBe(0);
    const found = s.friend.fcntlLock(theirs, F.F_GETLK, { type: F.F_WRLCK, whence: 0, start: 0, len: 1 });
    expect(found).toMatchObject({ type: F.F_WRLCK, start: 0, len: 3, pid: s.me.pid });
  }),
  on('one’s own locks never stand in the way', (s) => {
    const { mine } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 0)).toBe(0);
    expect(at(s.me, mine, 0)).toBe('free');
    expect(lock(s.me, mine, F.F_RDLCK, 2, 2)).toBe(0);
  }),
  on('unlocking the middle splits, locking it joins again', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 10)).toBe(0);
    expect(lock(s.me, mine, F.F_UNLCK, 4, 2)).toBe(0);
    expect([0, 4, 6].map((i) => at(s.friend, theirs, i))).toEqual(['write 0 4', 'free', 'write 6 4']);
    expect(lock(s.me, mine, F.F_WRLCK, 4, 2)).toBe(0);
    expect(at(s.friend, theirs, 5)).toBe('write 0 10');
  }),
  on('a change of kind splits too', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 10)).toBe(0);
    expect(lock(s.me, mine, F.F_RDLCK, 3, 3)).toBe(0);
    expect([0, 3, 6].map((i) => at(s.friend, theirs, i))).toEqual(['write 0 3', 'read 3 3', 'write 6 4']);
  }),
  on('a length of zero reaches to the end, wherever that moves', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 5, 0)).toBe(0);
    expect([at(s.friend, theirs, 4), at(s.friend, theirs, 1 << 30)]).toEqual(['free', 'write 5 0']);
  }),
  on('a negative length reaches back, whence counts', (s) => {
    const { mine, theirs } = both(s);
    expect(s.me.fcntlLock(mine, F.F_SETLK, { type: F.F_WRLCK, whence: F.SEEK_SET, start: 5, len: -2 })).toBe(
      0,
    );
    expect(at(s.friend, theirs, 4)).toBe('write 3 2');
    expect(s.me.fcntlLock(mine, F.F_SETLK, { type: F.F_WRLCK, whence: F.SEEK_END, start: 0, len: 1 })).toBe(
      0,
    );
    expect(at(s.friend, theirs, 9)).toBe('write 9 1');
    s.ok(s.me.lseek(mine, 7, F.SEEK_SET), 'lseek');
    expect(s.me.fcntlLock(mine, F.F_SETLK, { type: F.F_WRLCK, whence: F.SEEK_CUR, start: 0, len: 1 })).toBe(
      0,
    );
    expect(at(s.friend, theirs, 7)).toBe('write 7 1');
  }),
  on('closing any descriptor of the file drops the process’s locks', (s) => {
    const { path, mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 0)).toBe(0);
    const again = s.open(path, F.O_RDONLY);
    expect(at(s.friend, theirs, 0)).toBe('write 0 0');
    s.ok(s.me.close(again), 'close');
    expect(at(s.friend, theirs, 0)).toBe('free');
  }),
  on('a process that ends drops its locks', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.friend, theirs, F.F_WRLCK, 0, 0)).toBe(0);
    expect(at(s.me, mine, 0)).toBe('write 0 0');
    s.friend.exit();
    // The host ends a process in its own time.
    for (let i = 0; i < 200 && at(s.me, mine, 0) !== 'free'; i++) s.target.tick();
    expect(at(s.me, mine, 0)).toBe('free');
  }),
  on('locks do not keep others from reading and writing', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 0)).toBe(0);
    expect(s.friend.write(theirs, bytesOf('X'))).toBe(1);
  }),
  behaviour(
    'locks',
    'a waiting lock is granted when the other goes',
    (s) => {
      const { mine, theirs } = both(s);
      expect(lock(s.me, mine, F.F_WRLCK, 0, 10)).toBe(0);
      const waiting = s.friend.startLock(theirs, F.F_SETLKW, {
        type: F.F_WRLCK,
        whence: 0,
        start: 5,
        len: 1,
      });
      expect(waiting.poll()).toBe(undefined);
      expect(lock(s.me, mine, F.F_UNLCK, 0, 5)).toBe(0);
      expect(waiting.poll()).toBe(undefined);
      expect(lock(s.me, mine, F.F_UNLCK, 5, 5)).toBe(0);
      expect(waiting.poll()).toBe(0);
      expect(at(s.me, mine, 5)).toBe('write 5 1');
    },
    { needs: ['pending'] },
  ),
];

const descriptions: readonly Behaviour[] = [
  on('an open file description’s locks stay until its last descriptor goes', (s) => {
    const { path, mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 0, F.F_OFD_SETLK)).toBe(0);
    const copy = s.ok(s.me.dup(mine), 'dup');
    s.ok(s.me.close(s.open(path, F.O_RDONLY)), 'close');
    s.ok(s.me.close(mine), 'close');
    expect(at(s.friend, theirs, 0)).toBe('write 0 0');
    s.ok(s.me.close(copy), 'close');
    expect(at(s.friend, theirs, 0)).toBe('free');
  }),
  on('F_GETLK calls an open file description’s lock pid -1', (s) => {
    const { mine, theirs } = both(s);
    expect(lock(s.me, mine, F.F_WRLCK, 0, 0, F.F_OFD_SETLK)).toBe(0);
    const ask = { type: F.F_WRLCK, whence: 0, start: 0, len: 1 };
    expect(s.friend.fcntlLock(theirs, F.F_GETLK, ask)).toMatchObject({ pid: -1 });
    expect(s.friend.fcntlLock(theirs, F.F_OFD_GETLK, ask)).toMatchObject({ pid: -1, type: F.F_WRLCK });
  }),
  on('flock is shared by duplicates, apart between opens', (s) => {
    const { path, mine } = both(s);
    const copy = s.ok(s.me.dup(mine), 'dup');
    const apart = s.open(path, F.O_RDONLY);
    expect(s.me.flock(mine, F.LOCK_EX)).toBe(0);
    expect(s.me.flock(copy, F.LOCK_EX | F.LOCK_NB)).toBe(0);
    expect(s.me.flock(apart, F.LOCK_SH | F.LOCK_NB)).toBe(-11);
    s.ok(s.me.close(mine), 'close');
    expect(s.me.flock(apart, F.LOCK_SH | F.LOCK_NB)).toBe(-11);
    expect(s.me.flock(copy, F.LOCK_UN)).toBe(0);
    expect(s.me.flock(apart, F.LOCK_SH | F.LOCK_NB)).toBe(0);
  }),
  on('flock changes between shared and exclusive', (s) => {
    const { mine, theirs } = both(s);
    expect(s.me.flock(mine, F.LOCK_SH)).toBe(0);
    expect(s.friend.flock(theirs, F.LOCK_SH)).toBe(0);
    expect(s.me.flock(mine, F.LOCK_EX | F.LOCK_NB)).toBe(-11);
    expect(s.friend.flock(theirs, F.LOCK_UN)).toBe(0);
    expect(s.me.flock(mine, F.LOCK_EX | F.LOCK_NB)).toBe(0);
    expect(s.me.flock(mine, F.LOCK_SH)).toBe(0);
    expect(s.friend.flock(theirs, F.LOCK_SH | F.LOCK_NB)).toBe(0);
  }),
  on('flock and fcntl locks do not see each other', (s) => {
    const { mine, theirs } = both(s);
    expect(s.me.flock(mine, F.LOCK_EX)).toBe(0);
    expect(lock(s.friend, theirs, F.F_WRLCK, 0, 0)).toBe(0);
  }),
];

const trusted = behaviour(
  'attributes',
  'names of the trusted namespace are listed to root alone',
  trustedNames,
  { needs: ['userXattr', 'privilege'] },
);

const attributes: readonly Behaviour[] = [
  ['set, read, replaced, listed and removed', roundTrip] as const,
  ['an empty value is a value', emptyValue] as const,
  ['the names are those of the file, whatever its name', sameFile] as const,
  ['a value of 64 KiB', largeValue] as const,
].map(([title, run]) => behaviour('attributes', title, run, { needs: ['userXattr'] }));

function roundTrip(s: Scene): void {
  const path = s.file('f');
  expect(s.me.setxattr(path, 'user.a', bytesOf('one'), F.XATTR_CREATE)).toBe(0);
  expect(s.me.setxattr(path, 'user.b', bytesOf('two'), 0)).toBe(0);
  expect(s.me.getxattr(path, 'user.a', 100)).toEqual(bytesOf('one'));
  expect(s.me.getxattr(path, 'user.a', 0)).toBe(3);
  expect(s.me.setxattr(path, 'user.a', bytesOf('three'), F.XATTR_REPLACE)).toBe(0);
  expect(s.me.getxattr(path, 'user.a', 5)).toEqual(bytesOf('three'));
  const names = s.me.listxattr(path, 1000) as string[];
  expect(names.filter((name) => name.startsWith('user.')).sort()).toEqual(['user.a', 'user.b']);
  expect(s.me.removexattr(path, 'user.a')).toBe(0);
  expect(s.me.getxattr(path, 'user.a', 100)).toBe(-61);
  expect(s.me.getxattr(path, 'user.b', 100)).toEqual(bytesOf('two'));
}

function trustedNames(s: Scene): void {
  const path = s.file('f');
  s.ok(s.root.setxattr(path, 'trusted.a', bytesOf('one'), 0), 'setxattr');
  s.ok(s.me.setxattr(path, 'user.b', bytesOf('two'), 0), 'setxattr');
  const isRoot = s.me.credentials.uid === 0;
  const shown = isRoot ? ['trusted.a', 'user.b'] : ['user.b'];
  const size = shown.join().length + 1;
  expect(s.me.listxattr(path, 0)).toBe(size);
  expect((s.me.listxattr(path, size) as string[]).sort()).toEqual(shown);
  expect(s.me.getxattr(path, 'trusted.a', 100)).toEqual(isRoot ? bytesOf('one') : -61);
}

function emptyValue(s: Scene): void {
  const path = s.file('f');
  expect(s.me.setxattr(path, 'user.a', bytesOf(''), 0)).toBe(0);
  expect(s.me.getxattr(path, 'user.a', 100)).toEqual(bytesOf(''));
  expect(s.me.setxattr(path, 'user.a', bytesOf(''), F.XATTR_CREATE)).toBe(-17);
}

function sameFile(s: Scene): void {
  const path = s.file('f');
  s.ok(s.me.link(path, s.at('g')), 'link');
  s.symlink('f', 'l');
  expect(s.me.setxattr(s.at('l'), 'user.a', bytesOf('one'), 0)).toBe(0);
  s.ok(s.me.rename(path, s.at('h')), 'rename');
  const fd = s.open(s.at('g'), F.O_RDONLY);
  expect(s.me.fgetxattr(fd, 'user.a', 10)).toEqual(bytesOf('one'));
  expect(s.me.lgetxattr(s.at('h'), 'user.a', 10)).toEqual(bytesOf('one'));
}

function largeValue(s: Scene): void {
  const path = s.file('f');
  expect(s.me.setxattr(path, 'user.a', block(F.XATTR_SIZE_MAX), 0)).toBe(0);
  expect((s.me.getxattr(path, 'user.a', F.XATTR_SIZE_MAX) as Uint8Array).length).toBe(F.XATTR_SIZE_MAX);
}

export const lockBehaviours: readonly Behaviour[] = [...records, ...descriptions, ...attributes, trusted];
