import { ENOENT } from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { FH_LEN, SA_DATA, SA_PATH2 } from '../../../assembly/abi/layout.ts';
import type { Step } from '../call.ts';
import { LOCK_FILES } from '../names.ts';
import type { Random } from '../random.ts';
import type { Draft, Makers, Place } from './draft.ts';

/** Calls on names. */

const NOFOLLOW = [F.AT_SYMLINK_NOFOLLOW, F.AT_EMPTY_PATH];
const MODES = [0o777, 0o755, 0o700, 0o644, 0o600, 0o666, 0o1777, 0o2755, 0o4755, 0o6777, 0o111, 0o000];
const OPEN_FLAGS = [
  F.O_EXCL,
  F.O_TRUNC,
  F.O_APPEND,
  F.O_NONBLOCK,
  F.O_DSYNC,
  F.O_DIRECT,
  F.O_DIRECTORY,
  F.O_NOFOLLOW,
  F.O_NOATIME,
  F.O_CLOEXEC,
  F.O_SYNC,
  F.O_PATH,
  F.O_TMPFILE,
  F.O_BENEATH,
];

export function mode(random: Random): number {
  return random.chance(0.6) ? random.pick([0o777, 0o755, 0o666]) : random.pick(MODES);
}

function owner(random: Random): number {
  return random.pick([0, 1000, 1001, 5, 0xffffffff, 0xffffffff, -1]);
}

function time(draft: Draft): [number, number] {
  const { random, world } = draft;
  const seconds = world.hostile() ? world.hostileNumber() : random.between(-1000, 2_000_000_000);
  const ns = world.hostile() ? world.hostileInteger() : random.below(1_000_000_000);
  return random.chance(0.4) ? [seconds, random.pick([F.UTIME_NOW, F.UTIME_OMIT])] : [seconds, ns];
}

function openLockFile(draft: Draft): Step {
  const path = draft.random.pick(LOCK_FILES);
  const flags = F.O_RDWR | F.O_CREAT;
  return draft.step([F.AT_FDCWD, draft.path(path), flags, 0o666], (fd) => {
    if (fd < 0) return;
    draft.world.names.add(path, 'file');
    draft.world.opened(fd, { kind: 'file', access: F.O_RDWR, path });
  });
}

/** What is opened, and how. */
function open(draft: Draft): Step {
  const { random, world } = draft;
  const p = random.below(100);
  let flags: number = random.pick([F.O_RDONLY, F.O_RDONLY, F.O_WRONLY, F.O_RDWR, F.O_RDWR]);
  let kind: Parameters<Draft['place']>[0] = 'file';
  if (p < 35) flags |= F.O_CREAT;
  if (p < 25) kind = 'new';
  if (p >= 60 && p < 78) {
    kind = 'dir';
    flags = random.chance(0.7) ? F.O_RDONLY | F.O_DIRECTORY : F.O_TMPFILE | F.O_RDWR;
  } else if (p >= 78 && p < 88) {
    kind = 'fifo';
    // a fifo opened for one side only waits for the other
    if (random.chance(0.6)) flags |= F.O_NONBLOCK;
  } else if (p >= 88) kind = random.pick(['link', 'socket', 'device', undefined] as const);
  flags |= random.some(OPEN_FLAGS, 0.03);
  if (world.hostile()) flags = random.chance(0.5) ? random.bits() : flags ^ (1 << random.below(31));
  if (random.chance(0.04)) return openLockFile(draft);
  const { dirfd, length, path } = draft.place(kind);
  return draft.step([dirfd, length, flags, mode(random)], (fd, args) => {
    if (fd < 0) return;
    if (args[2] & F.O_CREAT && path !== undefined && world.names.kind(path) === undefined)
      world.names.add(path, 'file');
    world.opened(fd, world.openedAs(path, args[2]));
  });
}

/** A call that makes a name of this kind at a place. */
function made(draft: Draft, { path }: Place, kind: Parameters<Draft['world']['names']['add']>[1]) {
  return (result: number): void => {
    if (result >= 0 && path !== undefined) draft.world.names.add(path, kind);
  };
}

function mknod(draft: Draft): Step {
  const { random, world } = draft;
  const place = draft.place('new');
  const [type, kind] = random.pick([
    [F.S_IFREG, 'file'],
    [0, 'file'],
    [F.S_IFIFO, 'fifo'],
    [F.S_IFIFO, 'fifo'],
    [F.S_IFSOCK, 'socket'],
    [F.S_IFCHR, 'device'],
    [F.S_IFBLK, 'device'],
  ] as const);
  const wrong = world.hostile() ? random.pick([F.S_IFDIR, F.S_IFLNK, F.S_IFMT, 0o30000]) : type;
  // null, zero, tty, and what has no driver
  const device = random.pick([0x103, 0x105, 0x500, 0x7777, 0xffffffff]);
  return draft.step([place.dirfd, place.length, wrong | mode(random), device], made(draft, place, kind));
}

function unlink(draft: Draft): Step {
  const { random, world } = draft;
  const directory = random.chance(0.35);
  const { dirfd, length, path } = draft.place(
    directory ? 'dir' : random.pick(['file', 'link', 'fifo', undefined]),
  );
  const flags = world.hostile() ? world.hostileInteger() : directory ? F.AT_REMOVEDIR : 0;
  return draft.step([dirfd, length, flags], (result) => {
    if ((result === 0 || result === -ENOENT) && path !== undefined) world.names.delete(path);
  });
}

function rename(draft: Draft): Step {
  const { random, world } = draft;
  const from = draft.place(random.pick(['file', 'dir', undefined] as const));
  const to = draft.place(random.chance(0.5) ? 'new' : random.pick(['file', 'dir'] as const), SA_PATH2);
  let flags = random.chance(0.7) ? 0 : random.pick([F.RENAME_NOREPLACE, F.RENAME_EXCHANGE]);
  if (world.hostile()) flags = world.hostileInteger();
  return draft.step([from.dirfd, from.length, to.dirfd, to.length, flags], (result, args) => {
    if (result !== 0 || from.path === undefined || to.path === undefined) return;
    const swapped = args[4] & F.RENAME_EXCHANGE ? world.names.kind(to.path) : undefined;
    world.names.rename(from.path, to.path);
    if (swapped) world.names.add(from.path, swapped);
  });
}

function link(draft: Draft): Step {
  const { random, world } = draft;
  const from = draft.place(random.pick(['file', 'file', 'link', 'fifo', undefined] as const));
  const to = draft.place('new', SA_PATH2);
  // a file without a name gets one by its descriptor
  const byFd = random.chance(0.1);
  const file = world.deadFd() ?? world.fd(['file']);
  const flags = world.hostile()
    ? world.hostileInteger()
    : random.some([F.AT_SYMLINK_FOLLOW, F.AT_EMPTY_PATH], 0.3);
  const args = byFd
    ? [file, 0, to.dirfd, to.length, flags | F.AT_EMPTY_PATH]
    : [from.dirfd, from.length, to.dirfd, to.length, flags];
  return draft.step(args, (result) => {
    if (result !== 0 || to.path === undefined) return;
    world.names.add(to.path, (from.path !== undefined && world.names.kind(from.path)) || 'file');
  });
}

function symlink(draft: Draft): Step {
  const { random, world } = draft;
  const target = random.chance(0.8) ? world.path() : world.text(random.chance(0.1) ? 4200 : 60);
  const length = draft.path(target);
  const place = draft.place('new', SA_PATH2);
  return draft.step([length, place.dirfd, place.length], made(draft, place, 'link'));
}

/** A call on a place with flags; `more` are the arguments between length and flags. */
function onPlace(draft: Draft, more: number[], flags: readonly number[]): Step {
  const { random, world } = draft;
  // the descriptor itself
  if (random.chance(0.05)) return draft.step([world.deadFd() ?? world.fd(), 0, ...more, F.AT_EMPTY_PATH]);
  const { dirfd, length } = draft.place(random.chance(0.15) ? 'link' : undefined);
  const bits = world.hostile() ? world.hostileInteger() : random.some(flags, 0.15);
  return draft.step([dirfd, length, ...more, bits]);
}

/** `handle` reads what the call wrote. */
export function nameToHandle(draft: Draft, handle: () => readonly number[]): Step {
  const { random, world } = draft;
  const { dirfd, length } = draft.place(undefined);
  const flags = world.hostile() ? world.hostileInteger() : random.some([F.AT_SYMLINK_FOLLOW], 0.5);
  return draft.step([dirfd, length, flags], (result) => {
    if (result === 0) world.remember(world.handles, handle(), 32);
  });
}

/** A handle that was given, or one that never was, where calls look for it. */
function handle(draft: Draft): void {
  const { random, world } = draft;
  if (world.handles.length > 0 && !world.hostile()) {
    draft.words(random.pick(world.handles), SA_DATA);
  } else {
    draft.words(
      Array.from({ length: FH_LEN / 4 }, () => random.bits() >>> 0),
      SA_DATA,
    );
    if (random.chance(0.5)) draft.double(world.hostileNumber(), SA_DATA + 8);
  }
}

/** How to open what has no name. */
function nameless(draft: Draft): number {
  const { random } = draft;
  const flags = random.pick([F.O_RDONLY, F.O_RDWR, F.O_WRONLY, F.O_PATH]) | random.some(OPEN_FLAGS, 0.03);
  return flags | (random.chance(0.8) ? F.O_NONBLOCK : 0);
}

function openByHandle(draft: Draft): Step {
  const { random, world } = draft;
  const flags = nameless(draft);
  handle(draft);
  const mount = random.chance(0.7) ? F.AT_FDCWD : world.fd();
  return draft.step([mount, flags], (fd, args) => world.opened(fd, world.openedAs(undefined, args[1])));
}

function openForHost(draft: Draft): Step {
  const { random, world } = draft;
  handle(draft);
  return draft.step([random.chance(0.7) ? F.AT_FDCWD : world.fd()], (fd) =>
    world.opened(fd, { kind: 'path', access: 0 }),
  );
}

function reopen(draft: Draft): Step {
  const { world } = draft;
  return draft.step([world.fd(), nameless(draft)], (fd, args) =>
    world.opened(fd, world.openedAs(undefined, args[1])),
  );
}

/** Calls with a path alone. */
function byPath(draft: Draft, kind?: Parameters<World['path']>[0]): Step {
  return draft.step([draft.path(draft.world.path(kind))]);
}
type World = Draft['world'];

export const nameMakers = {
  sys_openat: open,
  sys_stat: (d) => byPath(d),
  sys_lstat: (d) => byPath(d),
  sys_statfs: (d) => byPath(d),
  sys_realpath: (d) => byPath(d),
  // the working directory may be anything, the root must not wander off
  sys_chdir: (d) => byPath(d, 'dir'),
  sys_chroot: (d) => d.step([d.path(d.random.chance(0.75) ? '/' : d.world.path('dir'))]),
  sys_revoke: (d) => {
    const path = d.world.path(d.random.pick(['file', 'file', 'fifo', 'device', undefined] as const));
    return d.step([d.path(path)], (result) => {
      if (result === 0) d.world.revoked(path);
    });
  },
  sys_fstatat: (d) => onPlace(d, [], NOFOLLOW),
  sys_faccessat: (d) => onPlace(d, [d.random.below(8)], [...NOFOLLOW, F.AT_EACCESS]),
  sys_fchmodat: (d) => onPlace(d, [mode(d.random)], NOFOLLOW),
  sys_fchownat: (d) => onPlace(d, [owner(d.random), owner(d.random)], NOFOLLOW),
  sys_utimensat: (d) => {
    const { dirfd, length } = d.place(undefined);
    const flags = d.world.hostile() ? d.world.hostileInteger() : d.random.some(NOFOLLOW, 0.15);
    return d.step([dirfd, length, flags, ...time(d), ...time(d)]);
  },
  sys_futimens: (d) => d.step([d.world.fd(), ...time(d), ...time(d)]),
  sys_fchown: (d) => d.step([d.world.fd(), owner(d.random), owner(d.random)]),
  sys_fchmod: (d) => d.step([d.world.fd(), mode(d.random)]),
  sys_truncate: (d) => {
    const length = d.path(d.random.chance(0.1) ? d.world.linkToFd() : d.world.path('file'));
    return d.step([length, d.world.hostile() ? d.world.hostileNumber() : d.world.offset()]);
  },
  sys_linkat: link,
  sys_symlinkat: symlink,
  sys_readlinkat: (d) => {
    const { dirfd, length } = d.place('link');
    return d.step([dirfd, d.random.chance(0.03) ? 0 : length]);
  },
  sys_unlinkat: unlink,
  sys_renameat2: rename,
  sys_mkdirat: (d) => {
    const place = d.place('new');
    return d.step([place.dirfd, place.length, mode(d.random)], made(d, place, 'dir'));
  },
  sys_mknodat: mknod,
  sys_open_by_handle_at: openByHandle,
  sys_reopen: reopen,
  proc_fhopen: openForHost,
} satisfies Makers;
