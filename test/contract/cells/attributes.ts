import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess, Timespec } from '../../oracle/target.ts';
import { SOME_TIME } from '../calls.ts';
import type { CallName } from '../documented.ts';
import { OTHER, type Scene, SHARED_GROUP, USER } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';

/** access, modes, owners, times. */

const NOW: Timespec = { sec: 0, nsec: F.UTIME_NOW };
const OMIT: Timespec = { sec: 0, nsec: F.UTIME_OMIT };
const UNKNOWN_FLAG = 0x4000;

const checkers: readonly ['access' | 'faccessat', (p: PosixProcess, path: string, mode: number) => number][] =
  [
    ['access', (p, path, mode) => p.access(path, mode)],
    ['faccessat', (p, path, mode) => p.faccessat(F.AT_FDCWD, path, mode, F.AT_EACCESS)],
  ];

function accessCells(): Cell[] {
  return checkers.flatMap(([call, access]) => [
    refused(call, 'EACCES', 'R_OK without r', (s) => access(s.me, s.foreignFile('f', '', 0o773), F.R_OK)),
    refused(call, 'EACCES', 'W_OK without w', (s) => access(s.me, s.foreignFile('f', '', 0o775), F.W_OK)),
    refused(call, 'EACCES', 'X_OK without x', (s) => access(s.me, s.foreignFile('f', '', 0o776), F.X_OK)),
    refused(call, 'EACCES', 'one of three is missing', (s) =>
      access(s.me, s.foreignFile('f', '', 0o775), F.R_OK | F.W_OK | F.X_OK),
    ),
    cell(call, 'EACCES', 'X_OK on a file nobody may execute', (s) =>
      access(s.me, s.foreignFile('f', '', 0o666), F.X_OK),
    ),
    cell(call, 'EACCES', 'X_OK on a mount without execution', (s) => {
      const fs = s.elsewhere(F.MS_NOEXEC);
      s.ok(s.me.close(s.open(`${fs}/f`, F.O_CREAT | F.O_WRONLY, 0o777)), 'close');
      return access(s.me, `${fs}/f`, F.X_OK);
    }),
    cell(call, 'EINVAL', 'an unknown mode', (s) => access(s.me, s.file('f'), 0o20)),
    cell(call, 'EROFS', 'W_OK on a read-only mount', (s) => {
      s.file('f');
      return access(s.me, `${s.readOnly()}/f`, F.W_OK);
    }),
  ]);
}

type FileCall = (p: PosixProcess, path: string, s: Scene) => unknown;

const onDescriptor =
  (call: (p: PosixProcess, fd: number) => unknown): FileCall =>
  (p, path, s) =>
    call(p, s.ok(p.open(path, F.O_RDONLY), 'open'));

const chmods: readonly [CallName, (mode: number) => FileCall][] = [
  ['chmod', (mode) => (p, path) => p.chmod(path, mode)],
  ['fchmod', (mode) => onDescriptor((p, fd) => p.fchmod(fd, mode))],
  ['fchmodat', (mode) => (p, path) => p.fchmodat(F.AT_FDCWD, path, mode, 0)],
];

const chowns: readonly [CallName, (uid: number, gid: number) => FileCall][] = [
  ['chown', (uid, gid) => (p, path) => p.chown(path, uid, gid)],
  ['lchown', (uid, gid) => (p, path) => p.lchown(path, uid, gid)],
  ['fchown', (uid, gid) => onDescriptor((p, fd) => p.fchown(fd, uid, gid))],
  ['fchownat', (uid, gid) => (p, path) => p.fchownat(F.AT_FDCWD, path, uid, gid, 0)],
];

function ownerCells(): Cell[] {
  return [
    ...chmods.flatMap(([call, chmod]) => [
      refused(call, 'EPERM', 'somebody else’s file', (s) =>
        chmod(0o600)(s.me, s.foreignFile('f', '', 0o666), s),
      ),
      refused(call, 'EPERM', 'somebody else’s directory', (s) =>
        chmod(0o700)(s.me, s.foreignDir('d', 0o777), s),
      ),
    ]),
    ...chowns.flatMap(([call, chown]) => [
      refused(call, 'EPERM', 'nothing, where it would clear the set-ID bits of somebody else’s file', (s) =>
        chown(-1, -1)(s.me, s.foreignFile('f', '', 0o6755), s),
      ),
      refused(call, 'EPERM', 'giving a file away', (s) => chown(OTHER.uid, -1)(s.me, s.file('f'), s)),
      refused(call, 'EPERM', 'to a group one is not in', (s) => chown(-1, OTHER.gid)(s.me, s.file('f'), s)),
      refused(call, 'EPERM', 'taking somebody else’s file', (s) =>
        chown(USER.uid, -1)(s.me, s.foreignFile('f', '', 0o666), s),
      ),
      refused(call, 'EPERM', 'somebody else’s file to a group of one’s own', (s) =>
        chown(-1, SHARED_GROUP)(s.me, s.foreignFile('f', '', 0o666), s),
      ),
    ]),
  ];
}

function readOnlyCells(): Cell[] {
  const onView = (call: CallName, run: FileCall): Cell =>
    cell(call, 'EROFS', 'a descriptor on a read-only mount', (s) => {
      s.file('f');
      return run(s.me, `${s.readOnly()}/f`, s);
    });
  return [
    onView('fchmod', chmods[1][1](0o600)),
    onView('fchown', chowns[2][1](-1, -1)),
    onView(
      'futimens',
      onDescriptor((p, fd) => p.futimens(fd, SOME_TIME, SOME_TIME)),
    ),
  ];
}

const flagCells: readonly Cell[] = [
  cell('fstatat', 'EINVAL', 'an unknown flag', (s) => s.me.fstatat(F.AT_FDCWD, s.file('f'), 0x80000)),
  cell('faccessat', 'EINVAL', 'an unknown flag', (s) =>
    s.me.faccessat(F.AT_FDCWD, s.file('f'), 0, UNKNOWN_FLAG),
  ),
  cell('fchmodat', 'EINVAL', 'an unknown flag', (s) =>
    s.me.fchmodat(F.AT_FDCWD, s.file('f'), 0o600, UNKNOWN_FLAG),
  ),
  cell('fchmodat', 'EOPNOTSUPP', 'a symlink itself', (s) =>
    s.me.fchmodat(F.AT_FDCWD, s.symlink('target', 'l'), 0o600, F.AT_SYMLINK_NOFOLLOW),
  ),
  cell('fchownat', 'EINVAL', 'an unknown flag', (s) =>
    s.me.fchownat(F.AT_FDCWD, s.file('f'), -1, -1, UNKNOWN_FLAG),
  ),
  cell('utimensat', 'EINVAL', 'an unknown flag', (s) =>
    s.me.utimensat(F.AT_FDCWD, s.file('f'), SOME_TIME, SOME_TIME, UNKNOWN_FLAG),
  ),
];

const setters: readonly ['utimensat' | 'futimens', (a: Timespec, m: Timespec) => FileCall][] = [
  ['utimensat', (a, m) => (p, path) => p.utimensat(F.AT_FDCWD, path, a, m, 0)],
  ['futimens', (a, m) => onDescriptor((p, fd) => p.futimens(fd, a, m))],
];

function timeCells(): Cell[] {
  return setters.flatMap(([call, set]) => [
    cell(call, 'EINVAL', 'a billion nanoseconds', (s) =>
      set({ sec: 1, nsec: 1_000_000_000 }, SOME_TIME)(s.me, s.file('f'), s),
    ),
    cell(call, 'EINVAL', 'negative nanoseconds', (s) =>
      set(SOME_TIME, { sec: 1, nsec: -1 })(s.me, s.file('f'), s),
    ),
    refused(call, 'EPERM', 'times of one’s own choice on a file one may only write', (s) =>
      set(SOME_TIME, SOME_TIME)(s.me, s.foreignFile('f', '', 0o666), s),
    ),
    refused(call, 'EPERM', 'only one of the two now', (s) =>
      set(NOW, OMIT)(s.me, s.foreignFile('f', '', 0o666), s),
    ),
    refused(call, 'EACCES', 'now on a file one may not write', (s) =>
      set(NOW, NOW)(s.me, s.foreignFile('f', '', 0o755), s),
    ),
  ]);
}

export const attributeCells: readonly Cell[] = [
  ...accessCells(),
  ...ownerCells(),
  ...readOnlyCells(),
  ...flagCells,
  ...timeCells(),
];
