import { expect } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import type { Stat, Timespec } from '../../oracle/target.ts';
import { SOME_TIME } from '../calls.ts';
import { block, bytesOf, type Scene } from '../scene.ts';
import { type Behaviour, behaviour } from '../types.ts';

/** Which of a file's times each call marks. */

const OMIT: Timespec = { sec: 0, nsec: F.UTIME_OMIT };
const NOW: Timespec = { sec: 0, nsec: F.UTIME_NOW };
const AT = F.AT_FDCWD;

type Mark = 'a' | 'm' | 'c';

function look(s: Scene, path: string): Stat {
  const st = s.ok(s.root.lstat(path), `lstat ${path}`);
  if (typeof st === 'number') throw new Error('lstat');
  return st;
}

const later = (x: Timespec, y: Timespec): boolean => x.sec > y.sec || (x.sec === y.sec && x.nsec > y.nsec);
const same = (x: Timespec, y: Timespec): boolean => x.sec === y.sec && x.nsec === y.nsec;

/** The times of a path that a call made later; those it left must be the same. */
function marked(s: Scene, path: string, before: Stat): string {
  const after = look(s, path);
  const marks: [Mark, Timespec, Timespec][] = [
    ['a', before.atime, after.atime],
    ['m', before.mtime, after.mtime],
    ['c', before.ctime, after.ctime],
  ];
  return marks
    .map(([name, was, is]) => (same(was, is) ? '' : later(is, was) ? name : `${name} went back`))
    .join('');
}

interface Rule {
  title: string;
  /** Sets the scene; the paths watched, and the call. */
  run(s: Scene): { expected: Record<string, string>; call: () => unknown };
}

function rule(title: string, run: Rule['run']): Behaviour {
  return behaviour('times', title, (s) => {
    const { expected, call } = run(s);
    const before = Object.keys(expected).map((path): [string, Stat] => [path, look(s, path)]);
    s.target.tick();
    const result = call();
    expect(typeof result === 'number' ? result : 0).toBeGreaterThanOrEqual(0);
    const found = Object.fromEntries(before.map(([path, st]) => [path, marked(s, path, st)]));
    expect(found).toEqual(expected);
  });
}

const onFiles: readonly Behaviour[] = [
  rule('write marks modification and change', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
    return { expected: { [s.at('f')]: 'mc', [s.dir]: '' }, call: () => s.me.write(fd, bytesOf('y')) };
  }),
  rule('a write of nothing marks nothing', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
    return { expected: { [s.at('f')]: '' }, call: () => s.me.write(fd, bytesOf('')) };
  }),
  rule('truncate to another size marks modification and change', (s) => {
    const path = s.file('f', 'x');
    return { expected: { [path]: 'mc' }, call: () => s.me.truncate(path, 100) };
  }),
  rule('truncate to the same size marks them too', (s) => {
    const path = s.file('f', 'x');
    return { expected: { [path]: 'mc' }, call: () => s.me.truncate(path, 1) };
  }),
  rule('ftruncate to the same size marks them too', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
    return { expected: { [s.at('f')]: 'mc' }, call: () => s.me.ftruncate(fd, 1) };
  }),
  rule('O_TRUNC marks modification and change', (s) => {
    const path = s.file('f', 'x');
    return { expected: { [path]: 'mc', [s.dir]: '' }, call: () => s.me.open(path, F.O_WRONLY | F.O_TRUNC) };
  }),
  rule('opening and closing marks nothing', (s) => {
    const path = s.file('f', 'x');
    return { expected: { [path]: '' }, call: () => s.me.close(s.me.open(path, F.O_RDWR)) };
  }),
  rule('O_CREAT of an existing file marks nothing', (s) => {
    const path = s.file('f', 'x');
    return {
      expected: { [path]: '', [s.dir]: '' },
      call: () => s.me.open(path, F.O_RDWR | F.O_CREAT, 0o600),
    };
  }),
  rule('chmod marks the change', (s) => {
    const path = s.file('f');
    return { expected: { [path]: 'c', [s.dir]: '' }, call: () => s.me.chmod(path, 0o600) };
  }),
  rule('chmod to the same mode marks it too', (s) => {
    const path = s.file('f', '', 0o600);
    return { expected: { [path]: 'c' }, call: () => s.me.chmod(path, 0o600) };
  }),
  rule('chown marks the change', (s) => {
    const path = s.file('f');
    return { expected: { [path]: 'c' }, call: () => s.me.chown(path, s.mine.uid, s.mine.gid) };
  }),
  rule('chown of nothing, -1 and -1, marks the change as Linux does', (s) => {
    const path = s.file('f');
    return { expected: { [path]: 'c' }, call: () => s.me.chown(path, -1, -1) };
  }),
  rule('lchown marks the symlink alone', (s) => {
    const path = s.file('f');
    const l = s.symlink('f', 'l');
    return { expected: { [path]: '', [l]: 'c' }, call: () => s.me.lchown(l, s.mine.uid, s.mine.gid) };
  }),
  rule('reading metadata marks nothing', (s) => {
    const path = s.file('f', 'x');
    return {
      expected: { [path]: '', [s.dir]: '' },
      call: () => [s.me.stat(path), s.me.access(path, F.R_OK), s.me.statfs(path)],
    };
  }),
  rule('fallocate marks the change, and the modification when it grows', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_RDWR);
    return { expected: { [s.at('f')]: 'mc' }, call: () => s.me.fallocate(fd, 0, 0, 8192) };
  }),
  rule('copy_file_range marks the file written', (s) => {
    const from = s.open(s.file('a', 'text'), F.O_RDONLY | F.O_NOATIME);
    const to = s.open(s.file('b'), F.O_WRONLY);
    return { expected: { [s.at('b')]: 'mc' }, call: () => s.me.copyFileRange(from, 0, to, 0, 4, 0) };
  }),
];

const onNames: readonly Behaviour[] = [
  rule('making a file marks its directory', (s) => ({
    expected: { [s.dir]: 'mc' },
    call: () => s.me.close(s.me.open(s.at('new'), F.O_CREAT | F.O_WRONLY, 0o600)),
  })),
  rule('making a directory marks the one above', (s) => ({
    expected: { [s.dir]: 'mc' },
    call: () => s.me.mkdir(s.at('new'), 0o700),
  })),
  rule('making a symlink marks its directory', (s) => ({
    expected: { [s.dir]: 'mc' },
    call: () => s.me.symlink('target', s.at('new')),
  })),
  rule('making a fifo marks its directory', (s) => ({
    expected: { [s.dir]: 'mc' },
    call: () => s.me.mkfifo(s.at('new'), 0o600),
  })),
  rule('a refused mkdir marks nothing', (s) => {
    s.mkdir('d');
    return {
      expected: { [s.dir]: '', [s.at('d')]: '' },
      call: () => (s.me.mkdir(s.at('d'), 0o755) < 0 ? 0 : -1),
    };
  }),
  rule('link marks the file’s change and the directory', (s) => {
    const path = s.file('f');
    const d = s.mkdir('d');
    return { expected: { [path]: 'c', [d]: 'mc', [s.dir]: '' }, call: () => s.me.link(path, `${d}/new`) };
  }),
  rule('unlink marks the directory, and the file’s change when it lives on', (s) => {
    const path = s.file('f');
    s.ok(s.me.link(path, s.at('g')), 'link');
    return { expected: { [path]: 'c', [s.dir]: 'mc' }, call: () => s.me.unlink(s.at('g')) };
  }),
  rule('rmdir marks the directory above', (s) => {
    s.mkdir('d');
    return { expected: { [s.dir]: 'mc' }, call: () => s.me.rmdir(s.at('d')) };
  }),
  rule('rename marks both directories and the file’s change', (s) => {
    const a = s.mkdir('a');
    const b = s.mkdir('b');
    s.file('a/f');
    return {
      expected: { [a]: 'mc', [b]: 'mc', [s.dir]: '' },
      call: () => s.me.rename(`${a}/f`, `${b}/f`),
    };
  }),
  rule('rename onto another name of the same file marks nothing', (s) => {
    const path = s.file('f');
    s.ok(s.me.link(path, s.at('g')), 'link');
    return { expected: { [path]: '', [s.dir]: '' }, call: () => s.me.rename(path, s.at('g')) };
  }),
  behaviour('times', 'rename marks the change of what was renamed', (s) => {
    const was = look(s, s.file('f'));
    s.target.tick();
    s.ok(s.me.rename(s.at('f'), s.at('g')), 'rename');
    const is = look(s, s.at('g'));
    expect([same(was.mtime, is.mtime), later(is.ctime, was.ctime)]).toEqual([true, true]);
  }),
  behaviour('times', 'rename over a linked file marks the change of the one that lost a name', (s) => {
    s.file('f');
    s.ok(s.me.link(s.file('g'), s.at('h')), 'link');
    const was = look(s, s.at('h'));
    s.target.tick();
    s.ok(s.me.rename(s.at('f'), s.at('g')), 'rename');
    const is = look(s, s.at('h'));
    expect([is.nlink, later(is.ctime, was.ctime), same(is.mtime, was.mtime)]).toEqual([1, true, true]);
  }),
  behaviour('times', 'a new file’s times are all now, and equal', (s) => {
    const before = look(s, s.dir);
    s.target.tick();
    const st = look(s, s.file('f'));
    expect(later(st.mtime, before.mtime)).toBe(true);
    expect(st.atime.sec - st.mtime.sec).toBeLessThanOrEqual(1);
    expect(same(st.mtime, st.ctime) || later(st.ctime, st.mtime)).toBe(true);
  }),
];

const setting: readonly Behaviour[] = [
  rule('utimensat sets both times to the nanosecond', (s) => {
    const path = s.file('f');
    const times = [
      { sec: 1_000_000_001, nsec: 123_456_789 },
      { sec: 2_000_000_002, nsec: 987_654_321 },
    ] as const;
    return {
      expected: { [s.dir]: '' },
      call: () => {
        const result = s.me.utimensat(AT, path, times[0], times[1], 0);
        const st = look(s, path);
        expect([st.atime, st.mtime]).toEqual(times);
        return result;
      },
    };
  }),
  rule('UTIME_OMIT leaves one, UTIME_NOW sets the other', (s) => {
    const path = s.file('f');
    s.ok(s.me.utimensat(AT, path, SOME_TIME, SOME_TIME, 0), 'utimensat');
    return { expected: { [path]: 'mc' }, call: () => s.me.utimensat(AT, path, OMIT, NOW, 0) };
  }),
  rule('UTIME_OMIT for both marks nothing', (s) => {
    const path = s.file('f');
    return { expected: { [path]: '' }, call: () => s.me.utimensat(AT, path, OMIT, OMIT, 0) };
  }),
  rule('UTIME_OMIT for both succeeds on somebody else’s file', (s) => {
    const path = s.foreignFile('f', '', 0o600);
    return { expected: { [path]: '' }, call: () => s.me.utimensat(AT, path, OMIT, OMIT, 0) };
  }),
  rule('futimens marks all three', (s) => {
    const fd = s.open(s.file('f'), F.O_RDONLY);
    s.ok(s.me.futimens(fd, SOME_TIME, SOME_TIME), 'futimens');
    return { expected: { [s.at('f')]: 'amc' }, call: () => s.me.futimens(fd, NOW, NOW) };
  }),
  rule('now may be set by whoever may write', (s) => {
    const path = s.foreignFile('f', '', 0o666);
    return { expected: { [path]: 'amc' }, call: () => s.me.utimensat(AT, path, NOW, NOW, 0) };
  }),
  behaviour('times', 'without following, a symlink’s own times are set', (s) => {
    const path = s.file('f');
    const l = s.symlink('f', 'l');
    const before = look(s, path);
    s.ok(s.me.utimensat(AT, l, SOME_TIME, SOME_TIME, F.AT_SYMLINK_NOFOLLOW), 'utimensat');
    expect(look(s, l).mtime).toEqual(SOME_TIME);
    expect(look(s, path).mtime).toEqual(before.mtime);
  }),
  behaviour('times', 'times before 1970', (s) => {
    const path = s.file('f');
    const old = { sec: -5, nsec: 250 };
    s.ok(s.me.utimensat(AT, path, old, old, 0), 'utimensat');
    expect(look(s, path).mtime).toEqual(old);
  }),
];

/** A file of 4 KiB on a mount of its own, with the atime rule given, read at once or later. */
function access(
  title: string,
  flags: number,
  age: 'fresh' | 'modified' | 'old',
  marks: string,
  openFlags = 0,
): Behaviour {
  return behaviour('times', title, (s) => {
    const path = `${s.elsewhere(flags)}/f`;
    const fd = s.open(path, F.O_CREAT | F.O_RDWR | openFlags);
    s.ok(s.me.write(fd, block(4096)), 'write');
    const { mtime } = look(s, path);
    const ahead = { sec: mtime.sec + 5, nsec: 0 };
    // relatime compares with the modification and with the change, which nothing can set back.
    if (age === 'fresh') s.ok(s.me.futimens(fd, ahead, OMIT), 'futimens');
    if (age === 'old') s.ok(s.me.futimens(fd, { sec: mtime.sec - 90_000, nsec: 0 }, SOME_TIME), 'futimens');
    const before = look(s, path);
    s.target.tick();
    s.ok(s.me.pread(fd, 10, 0), 'pread');
    const after = look(s, path);
    expect(same(before.atime, after.atime) ? '' : 'a').toBe(marks);
    expect([after.mtime, after.ctime]).toEqual([before.mtime, before.ctime]);
  });
}

const accesses: readonly Behaviour[] = [
  access('strictatime: every read marks the access', F.MS_STRICTATIME, 'modified', 'a'),
  access('strictatime: even when the access was later', F.MS_STRICTATIME, 'fresh', 'a'),
  access('noatime: no read does', F.MS_NOATIME, 'modified', ''),
  access('relatime: the first read after a modification does', F.MS_RELATIME, 'modified', 'a'),
  access('relatime: a second one does not', F.MS_RELATIME, 'fresh', ''),
  access('relatime: one does after a day', F.MS_RELATIME, 'old', 'a'),
  access('O_NOATIME: no read does', F.MS_STRICTATIME, 'modified', '', F.O_NOATIME),
  behaviour('times', 'reading a directory and a symlink marks their access', (s) => {
    const fs = s.elsewhere(F.MS_STRICTATIME);
    s.ok(s.root.chmod(fs, 0o777), 'chmod');
    s.ok(s.me.symlink('target', `${fs}/l`), 'symlink');
    const before = [look(s, fs), look(s, `${fs}/l`)];
    s.target.tick();
    s.ok(s.me.getdents(s.open(fs, F.O_RDONLY)), 'getdents');
    s.ok(s.me.readlink(`${fs}/l`), 'readlink');
    expect([marked(s, fs, before[0]), marked(s, `${fs}/l`, before[1])]).toEqual(['a', 'a']);
  }),
  behaviour('times', 'a read-only mount keeps the access', (s) => {
    s.file('f', 'x');
    const view = s.readOnly();
    const before = look(s, s.at('f'));
    s.target.tick();
    s.ok(s.me.read(s.open(`${view}/f`, F.O_RDONLY), 1), 'read');
    expect(marked(s, s.at('f'), before)).toBe('');
  }),
];

const attributes: readonly Behaviour[] = [
  behaviour(
    'times',
    'setting and removing an attribute marks the change',
    (s) => {
      const path = s.file('f');
      for (const call of [
        () => s.me.setxattr(path, 'user.a', block(3), 0),
        () => s.me.removexattr(path, 'user.a'),
      ]) {
        const before = look(s, path);
        s.target.tick();
        s.ok(call(), 'attribute');
        expect(marked(s, path, before)).toBe('c');
      }
    },
    { needs: ['userXattr'] },
  ),
];

export const timeBehaviours: readonly Behaviour[] = [
  ...onFiles,
  ...onNames,
  ...setting,
  ...accesses,
  ...attributes,
];
