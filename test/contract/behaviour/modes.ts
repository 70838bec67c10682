import { expect } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess, Stat } from '../../oracle/target.ts';
import { block, bytesOf, OTHER, type Scene, SHARED_GROUP, USER } from '../scene.ts';
import { BOTH, type Behaviour, behaviour, type Who } from '../types.ts';

/** Modes, owners, set-ID bits, umask, permission classes. */

const AT = F.AT_FDCWD;

export function statOf(s: Scene, path: string, p: PosixProcess = s.root): Stat {
  const st = s.ok(p.lstat(path), `lstat ${path}`);
  if (typeof st === 'number') throw new Error('lstat');
  return st;
}

const mode = (s: Scene, path: string): string => (statOf(s, path).mode & 0o7777).toString(8);
const on = (title: string, run: (s: Scene) => void, who: readonly Who[] = BOTH): Behaviour =>
  behaviour('modes', title, run, { who });

const makers: readonly [string, (s: Scene, path: string, mode: number) => number][] = [
  ['open', (s, path, m) => s.me.open(path, F.O_CREAT | F.O_WRONLY, m)],
  ['creat', (s, path, m) => s.me.creat(path, m)],
  ['mkdir', (s, path, m) => s.me.mkdir(path, m)],
  ['mknod', (s, path, m) => s.me.mknod(path, F.S_IFREG | m, 0)],
  ['mkfifo', (s, path, m) => s.me.mkfifo(path, m)],
];

const creation: readonly Behaviour[] = [
  ...makers.flatMap(([name, make]) => [
    on(`${name} takes the umask off the mode`, (s) => {
      expect(s.me.umask(0o027)).toBe(0o022);
      s.ok(make(s, s.at('new'), 0o777), name);
      expect(mode(s, s.at('new'))).toBe('750');
      expect(s.me.umask(0)).toBe(0o027);
    }),
    on(`${name} keeps a mode of nothing`, (s) => {
      s.ok(make(s, s.at('new'), 0), name);
      expect(mode(s, s.at('new'))).toBe('0');
    }),
    on(`${name} makes it the caller’s own`, (s) => {
      s.ok(make(s, s.at('new'), 0o644), name);
      const { uid, gid } = statOf(s, s.at('new'));
      expect([uid, gid]).toEqual([s.mine.uid, s.mine.gid]);
    }),
    on(`${name} in a set-group-ID directory takes its group`, (s) => {
      const d = s.mkdir('d');
      s.ok(s.root.chown(d, -1, SHARED_GROUP), 'chown');
      s.ok(s.root.chmod(d, 0o2777), 'chmod');
      s.ok(make(s, `${d}/new`, 0o755), name);
      expect(statOf(s, `${d}/new`).gid).toBe(SHARED_GROUP);
      expect(mode(s, `${d}/new`)).toBe(name === 'mkdir' ? '2755' : '755');
    }),
  ]),
  on(
    'set-group-ID in a directory of another group is for its members',
    (s) => {
      const d = s.foreignDir('d', 0o2777);
      s.me.umask(0o077);
      s.ok(s.me.open(`${d}/f`, F.O_CREAT | F.O_WRONLY, 0o2771), 'open');
      s.ok(s.me.open(`${d}/g`, F.O_CREAT | F.O_WRONLY, 0o2761), 'open');
      expect([mode(s, `${d}/f`), mode(s, `${d}/g`)]).toEqual(['700', '2700']);
    },
    ['user'],
  ),
  on('umask masks nothing but permissions, and returns the old one', (s) => {
    expect(s.me.umask(0o7777)).toBe(0o022);
    expect(s.me.umask(0o022)).toBe(0o777);
  }),
  on('an open file keeps the access it was opened with, whatever its mode', (s) => {
    const fd = s.open(s.at('new'), F.O_CREAT | F.O_RDWR, 0);
    expect(s.me.write(fd, bytesOf('abc'))).toBe(3);
    expect(s.me.pread(fd, 3, 0)).toEqual(bytesOf('abc'));
  }),
  on('a symlink’s mode is 777 whatever the umask', (s) => {
    s.me.umask(0o777);
    s.symlink('target', 'l');
    expect(mode(s, s.at('l'))).toBe('777');
  }),
  on('mkdir keeps the sticky bit and ignores set-user-ID', (s) => {
    s.me.umask(0);
    s.ok(s.me.mkdir(s.at('d'), 0o7777), 'mkdir');
    expect(mode(s, s.at('d'))).toBe('1777');
  }),
  on('open keeps the special bits asked for', (s) => {
    s.me.umask(0);
    s.ok(s.me.open(s.at('f'), F.O_CREAT | F.O_WRONLY, 0o7755), 'open');
    expect(mode(s, s.at('f'))).toBe('7755');
  }),
];

const clearing: readonly Behaviour[] = [
  on(
    'a user’s write clears set-user-ID and set-group-ID',
    (s) => {
      const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
      s.ok(s.me.chmod(s.at('f'), 0o6775), 'chmod');
      s.ok(s.me.write(fd, bytesOf('y')), 'write');
      expect(mode(s, s.at('f'))).toBe('775');
    },
    ['user'],
  ),
  on(
    'root’s write keeps them',
    (s) => {
      const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
      s.ok(s.me.chmod(s.at('f'), 0o6775), 'chmod');
      s.ok(s.me.write(fd, bytesOf('y')), 'write');
      expect(mode(s, s.at('f'))).toBe('6775');
    },
    ['root'],
  ),
  on('set-group-ID without group execution survives the owner’s write', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
    s.ok(s.me.chmod(s.at('f'), 0o2644), 'chmod');
    s.ok(s.me.write(fd, bytesOf('y')), 'write');
    expect(mode(s, s.at('f'))).toBe('2644');
  }),
  on(
    'a user’s truncate clears them',
    (s) => {
      s.file('f', 'xyz');
      s.ok(s.me.chmod(s.at('f'), 0o6775), 'chmod');
      s.ok(s.me.truncate(s.at('f'), 1), 'truncate');
      expect(mode(s, s.at('f'))).toBe('775');
    },
    ['user'],
  ),
  on(
    'a user’s fallocate clears them',
    (s) => {
      const fd = s.open(s.file('f', 'xyz'), F.O_RDWR);
      s.ok(s.me.chmod(s.at('f'), 0o6775), 'chmod');
      s.ok(s.me.fallocate(fd, 0, 0, 100), 'fallocate');
      expect(mode(s, s.at('f'))).toBe('775');
    },
    ['user'],
  ),
  on('a write of nothing keeps them', (s) => {
    const fd = s.open(s.file('f', 'x'), F.O_WRONLY);
    s.ok(s.me.chmod(s.at('f'), 0o6775), 'chmod');
    s.ok(s.me.write(fd, bytesOf('')), 'write');
    expect(mode(s, s.at('f'))).toBe('6775');
  }),
  on('chown clears them on a file, whoever does it', (s) => {
    const path = s.file('f');
    s.ok(s.me.chmod(path, 0o6775), 'chmod');
    s.ok(s.me.chown(path, s.mine.uid, s.mine.gid), 'chown');
    expect(mode(s, path)).toBe('775');
  }),
  on('chown keeps set-group-ID without group execution', (s) => {
    const path = s.file('f');
    s.ok(s.me.chmod(path, 0o6745), 'chmod');
    s.ok(s.me.chown(path, s.mine.uid, s.mine.gid), 'chown');
    expect(mode(s, path)).toBe('2745');
  }),
  on('chown of nothing clears them too, as Linux does', (s) => {
    const path = s.file('f');
    s.ok(s.me.chmod(path, 0o6775), 'chmod');
    s.ok(s.me.chown(path, -1, -1), 'chown');
    expect(mode(s, path)).toBe('775');
  }),
  on('chown keeps the bits of a directory', (s) => {
    const path = s.mkdir('d');
    s.ok(s.me.chmod(path, 0o7775), 'chmod');
    s.ok(s.me.chown(path, s.mine.uid, s.mine.gid), 'chown');
    expect(mode(s, path)).toBe('7775');
  }),
  on(
    'chmod by one outside the file’s group loses set-group-ID',
    (s) => {
      const path = s.file('f');
      s.ok(s.root.chown(path, -1, OTHER.gid), 'chown');
      s.ok(s.me.chmod(path, 0o2775), 'chmod');
      expect(mode(s, path)).toBe('775');
    },
    ['user'],
  ),
  on('chmod by root or by a member keeps set-group-ID', (s) => {
    const path = s.file('f');
    s.ok(s.root.chown(path, -1, SHARED_GROUP), 'chown');
    s.ok(s.me.chmod(path, 0o2775), 'chmod');
    expect(mode(s, path)).toBe('2775');
  }),
  on('the sticky bit of a file is kept', (s) => {
    const path = s.file('f');
    s.ok(s.me.chmod(path, 0o1644), 'chmod');
    expect(mode(s, path)).toBe('1644');
  }),
];

const owners: readonly Behaviour[] = [
  on('the owner may change the group to one of the owner’s', (s) => {
    const path = s.file('f');
    s.ok(s.me.chown(path, -1, SHARED_GROUP), 'chown');
    expect(statOf(s, path).gid).toBe(SHARED_GROUP);
  }),
  on(
    'root may give a file away',
    (s) => {
      const path = s.file('f');
      s.ok(s.me.chown(path, OTHER.uid, OTHER.gid), 'chown');
      const { uid, gid } = statOf(s, path);
      expect([uid, gid]).toEqual([OTHER.uid, OTHER.gid]);
    },
    ['root'],
  ),
  on('-1 leaves an id as it is', (s) => {
    const path = s.file('f');
    s.ok(s.root.chown(path, OTHER.uid, OTHER.gid), 'chown');
    s.ok(s.root.chown(path, -1, 7), 'chown');
    s.ok(s.root.chown(path, 8, -1), 'chown');
    const { uid, gid } = statOf(s, path);
    expect([uid, gid]).toEqual([8, 7]);
  }),
  on('chown follows a symlink, lchown does not', (s) => {
    const path = s.file('f');
    const l = s.symlink('f', 'l');
    s.ok(s.me.chown(l, -1, SHARED_GROUP), 'chown');
    expect([statOf(s, path).gid, statOf(s, l).gid]).toEqual([SHARED_GROUP, s.mine.gid]);
    s.ok(s.me.lchown(l, -1, SHARED_GROUP), 'lchown');
    expect(statOf(s, l).gid).toBe(SHARED_GROUP);
  }),
  on('large ids', (s) => {
    const path = s.file('f');
    s.ok(s.root.chown(path, 0xfffffffe, 0x80000000), 'chown');
    const { uid, gid } = statOf(s, path);
    expect([uid, gid]).toEqual([0xfffffffe, 0x80000000]);
  }),
];

/** The permission bits that count are those of the first class one belongs to. */
function classRule(title: string, uid: number, gid: number, fileMode: number, allowed: boolean): Behaviour {
  return behaviour(
    'modes',
    title,
    (s) => {
      const path = s.foreignFile('f', 'x', fileMode);
      s.ok(s.root.chown(path, uid, gid), 'chown');
      expect(s.me.access(path, F.R_OK) === 0).toBe(allowed);
      expect(s.me.open(path, F.O_RDONLY) >= 0).toBe(allowed);
    },
    { who: ['user'] },
  );
}

const classes: readonly Behaviour[] = [
  classRule('the owner’s bits count for the owner', USER.uid, OTHER.gid, 0o400, true),
  classRule('the owner is refused what the group may', USER.uid, USER.gid, 0o044, false),
  classRule('the group’s bits count for a member', OTHER.uid, USER.gid, 0o040, true),
  classRule('they count for a supplementary group', OTHER.uid, SHARED_GROUP, 0o040, true),
  classRule('a member is refused what anybody may', OTHER.uid, USER.gid, 0o404, false),
  classRule('anybody’s bits count for the rest', OTHER.uid, OTHER.gid, 0o004, true),
  classRule('the rest is refused what owner and group may', OTHER.uid, OTHER.gid, 0o440, false),
  on(
    'root reads and writes a file of mode 000, and searches such a directory',
    (s) => {
      s.foreignDir('d', 0);
      s.foreignFile('d/f', 'x', 0);
      expect(s.me.open(s.at('d/f'), F.O_RDWR)).toBeGreaterThanOrEqual(0);
      expect(s.me.access(s.at('d'), F.X_OK)).toBe(0);
      expect(s.me.access(s.at('d/f'), F.R_OK | F.W_OK)).toBe(0);
    },
    ['root'],
  ),
  on(
    'root may execute what anybody may',
    (s) => {
      expect(s.me.access(s.foreignFile('f', '', 0o001), F.X_OK)).toBe(0);
    },
    ['root'],
  ),
];

const stickiness: readonly Behaviour[] = [
  on('in a sticky directory one removes one’s own', (s) => {
    s.foreignDir('d', 0o1777);
    s.ok(s.me.close(s.open(s.at('d/f'), F.O_CREAT | F.O_WRONLY)), 'close');
    expect(s.me.rename(s.at('d/f'), s.at('d/g'))).toBe(0);
    expect(s.me.unlink(s.at('d/g'))).toBe(0);
  }),
  on('the directory’s owner removes what others made', (s) => {
    s.mkdir('d', 0o1777);
    s.foreignFile('d/f', '', 0o600);
    expect(s.me.unlink(s.at('d/f'))).toBe(0);
  }),
  on('without the sticky bit, w on the directory is enough', (s) => {
    s.foreignDir('d', 0o777);
    s.foreignFile('d/f', '', 0o600);
    expect(s.me.unlink(s.at('d/f'))).toBe(0);
  }),
];

const linkPermissions: readonly Behaviour[] = [
  on('fchmodat and fchownat start at a directory', (s) => {
    const d = s.mkdir('d');
    s.file('d/f', '', 0o600);
    const fd = s.open(d, F.O_RDONLY);
    expect(s.me.fchmodat(fd, 'f', 0o640, 0)).toBe(0);
    expect(s.me.fchownat(fd, 'f', -1, SHARED_GROUP, 0)).toBe(0);
    expect([mode(s, s.at('d/f')), statOf(s, s.at('d/f')).gid]).toEqual(['640', SHARED_GROUP]);
  }),
  on('AT_EMPTY_PATH works on the descriptor itself', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDONLY);
    expect(s.me.fchownat(fd, '', -1, SHARED_GROUP, F.AT_EMPTY_PATH)).toBe(0);
    const st = s.me.fstatat(fd, '', F.AT_EMPTY_PATH);
    expect(typeof st === 'number' ? st : [st.size, st.gid]).toEqual([3, SHARED_GROUP]);
    expect(s.me.fstatat(AT, '', F.AT_EMPTY_PATH)).toMatchObject({ ino: statOf(s, '/').ino });
  }),
  on('writing to a file of mode 000 that one opened before', (s) => {
    const fd = s.open(s.file('f', 'abc'), F.O_RDWR);
    s.ok(s.me.chmod(s.at('f'), 0), 'chmod');
    expect(s.me.write(fd, block(2))).toBe(2);
    expect(s.me.ftruncate(fd, 1)).toBe(0);
    expect(s.me.fchmod(fd, 0o600)).toBe(0);
  }),
];

export const modeBehaviours: readonly Behaviour[] = [
  ...creation,
  ...clearing,
  ...owners,
  ...classes,
  ...stickiness,
  ...linkPermissions,
];
