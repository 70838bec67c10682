import * as F from '../../../assembly/abi/flags.ts';
import type { PosixProcess } from '../../oracle/target.ts';
import type { Scene } from '../scene.ts';
import { type Cell, cell, refused } from '../types.ts';

/** Directories, the process, locks, handles, polling, devices, mounts. */

const AT = F.AT_FDCWD;
const TCGETS = 0x5401;
const SOME_COMMAND = 0xdead;

const directoryCells: readonly Cell[] = [
  cell('getdents', 'ENOTDIR', 'a file', (s) => s.me.getdents(s.open(s.file('f'), F.O_RDONLY))),
  cell('getdents', 'ENOTDIR', 'a pipe', (s) => s.me.getdents(s.pipe()[0])),
  cell('getdents', 'ENOENT', 'a directory that was removed', (s) => {
    const fd = s.open(s.mkdir('d'), F.O_RDONLY);
    s.ok(s.me.rmdir(s.at('d')), 'rmdir');
    return s.me.getdents(fd);
  }),
  cell('fchdir', 'ENOTDIR', 'a file', (s) => s.me.fchdir(s.open(s.file('f'), F.O_RDONLY))),
  cell('chdir', 'ENOTDIR', 'a file', (s) => s.me.chdir(s.file('f'))),
  cell('chdir', 'ENOTDIR', 'a fifo', (s) => s.me.chdir(s.fifo('p'))),
  refused('chdir', 'EACCES', 'no x on the directory', (s) => s.me.chdir(s.foreignDir('d', 0o776))),
  refused('fchdir', 'EACCES', 'no x on the directory', (s) =>
    s.me.fchdir(s.open(s.foreignDir('d', 0o776), F.O_RDONLY)),
  ),
  cell('getcwd', 'ENOENT', 'the directory was removed', (s) => {
    const path = s.mkdir('d');
    s.ok(s.me.chdir(path), 'chdir');
    s.ok(s.me.rmdir(path), 'rmdir');
    return s.me.getcwd();
  }),
  cell('getcwd', 'ENOENT', 'a directory above was removed too', (s) => {
    s.mkdir('d');
    const path = s.mkdir('d/e');
    s.ok(s.me.chdir(path), 'chdir');
    s.ok(s.me.rmdir(path), 'rmdir');
    s.ok(s.me.rmdir(s.at('d')), 'rmdir');
    return s.me.getcwd();
  }),
  cell('getcwd', 'ENAMETOOLONG', 'a directory more than 4096 bytes deep', (s) => {
    const name = 'n'.repeat(250);
    s.ok(s.me.chdir(s.dir), 'chdir');
    for (let i = 0; i < 17; i++) {
      s.ok(s.me.mkdir(name, 0o755), 'mkdir');
      s.ok(s.me.chdir(name), 'chdir');
    }
    return s.me.getcwd();
  }),
  refused('chroot', 'EPERM', 'a user', (s) => s.me.chroot(s.dir)),
  cell('setrlimit', 'EINVAL', 'an unknown resource', (s) => s.me.setrlimit(99, 1)),
];

const whole = { whence: F.SEEK_SET, start: 0, len: 0 };
const shared = { ...whole, type: F.F_RDLCK };
const exclusive = { ...whole, type: F.F_WRLCK };

function conflict(s: Scene, command: number): unknown {
  const path = s.file('f', 'some text');
  s.ok(s.friend.fcntlLock(s.ok(s.friend.open(path, F.O_RDWR), 'open'), command, exclusive), 'lock');
  return s.me.fcntlLock(s.open(path, F.O_RDWR), command, shared);
}

/** me and friend each hold a byte and want the other's. */
function deadlock(s: Scene): unknown {
  const path = s.file('f', 'some text');
  const mine = s.open(path, F.O_RDWR);
  const theirs = s.ok(s.friend.open(path, F.O_RDWR), 'open');
  const byte = (start: number) => ({ type: F.F_WRLCK, whence: F.SEEK_SET, start, len: 1 });
  s.ok(s.me.fcntlLock(mine, F.F_SETLK, byte(0)), 'lock');
  s.ok(s.friend.fcntlLock(theirs, F.F_SETLK, byte(1)), 'lock');
  const pending = s.friend.startLock(theirs, F.F_SETLKW, byte(0));
  if (pending.poll() !== undefined) return 'the other did not wait';
  const result = s.me.startLock(mine, F.F_SETLKW, byte(1)).poll();
  pending.cancel();
  return result;
}

const pending = { needs: ['pending'] } as const;

const lockCells: readonly Cell[] = [
  cell('fcntlLock', 'EAGAIN', 'a shared lock where another process has an exclusive one', (s) =>
    conflict(s, F.F_SETLK),
  ),
  cell('fcntlLock', 'EAGAIN', 'the same between open file descriptions', (s) => conflict(s, F.F_OFD_SETLK)),
  cell('fcntlLock', 'EAGAIN', 'two open file descriptions of one process', (s) => {
    const path = s.file('f');
    s.ok(s.me.fcntlLock(s.open(path, F.O_RDWR), F.F_OFD_SETLK, exclusive), 'lock');
    return s.me.fcntlLock(s.open(path, F.O_RDWR), F.F_OFD_SETLK, exclusive);
  }),
  cell('fcntlLock', 'EAGAIN', 'a process’s lock against an open file description’s', (s) => {
    const path = s.file('f');
    s.ok(s.me.fcntlLock(s.open(path, F.O_RDWR), F.F_OFD_SETLK, exclusive), 'lock');
    return s.me.fcntlLock(s.open(path, F.O_RDWR), F.F_SETLK, exclusive);
  }),
  cell('fcntlLock', 'EDEADLK', 'each waits for the other', deadlock, pending),
  cell(
    'fcntlLock',
    'EINTR',
    'waiting for a lock',
    (s) => {
      const path = s.file('f');
      s.ok(s.friend.fcntlLock(s.ok(s.friend.open(path, F.O_RDWR), 'open'), F.F_SETLK, exclusive), 'lock');
      const wait = s.me.startLock(s.open(path, F.O_RDWR), F.F_SETLKW, exclusive);
      return wait.poll() === undefined ? wait.cancel() : 'it did not wait';
    },
    pending,
  ),
  cell('fcntlLock', 'EBADF', 'a shared lock on a descriptor for writing only', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_WRONLY), F.F_SETLK, shared),
  ),
  cell('fcntlLock', 'EBADF', 'an exclusive lock on a descriptor for reading only', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_RDONLY), F.F_SETLK, exclusive),
  ),
  cell('fcntlLock', 'EINVAL', 'an unknown type', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_RDWR), F.F_SETLK, { ...whole, type: 77 }),
  ),
  cell('fcntlLock', 'EINVAL', 'asking about F_UNLCK', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_RDWR), F.F_GETLK, { ...whole, type: F.F_UNLCK }),
  ),
  cell('fcntlLock', 'EINVAL', 'an unknown whence', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_RDWR), F.F_SETLK, { ...exclusive, whence: 9 }),
  ),
  cell('fcntlLock', 'EINVAL', 'a range before the start', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_RDWR), F.F_SETLK, { ...exclusive, start: -1, len: 1 }),
  ),
  cell('fcntlLock', 'EINVAL', 'a negative length beyond the start', (s) =>
    s.me.fcntlLock(s.open(s.file('f'), F.O_RDWR), F.F_SETLK, { ...exclusive, start: 5, len: -6 }),
  ),
  cell('flock', 'EAGAIN', 'exclusive against shared', (s) => {
    const path = s.file('f');
    s.ok(s.me.flock(s.open(path, F.O_RDONLY), F.LOCK_SH), 'flock');
    return s.me.flock(s.open(path, F.O_RDONLY), F.LOCK_EX | F.LOCK_NB);
  }),
  cell('flock', 'EAGAIN', 'shared against another process’s exclusive', (s) => {
    const path = s.file('f');
    s.ok(s.friend.flock(s.ok(s.friend.open(path, F.O_RDONLY), 'open'), F.LOCK_EX), 'flock');
    return s.me.flock(s.open(path, F.O_RDONLY), F.LOCK_SH | F.LOCK_NB);
  }),
  cell('flock', 'EINVAL', 'no operation', (s) => s.me.flock(s.open(s.file('f'), F.O_RDONLY), 0)),
  cell('flock', 'EINVAL', 'an unknown operation', (s) => s.me.flock(s.open(s.file('f'), F.O_RDONLY), 64)),
  cell(
    'flock',
    'EINTR',
    'waiting for a lock',
    (s) => {
      const path = s.file('f');
      s.ok(s.me.flock(s.open(path, F.O_RDONLY), F.LOCK_EX), 'flock');
      const wait = s.me.startFlock(s.open(path, F.O_RDONLY), F.LOCK_EX);
      return wait.poll() === undefined ? wait.cancel() : 'it did not wait';
    },
    pending,
  ),
];

const syncCells: readonly Cell[] = (['fsync', 'fdatasync'] as const).flatMap((call) => [
  cell(call, 'EINVAL', 'a pipe', (s) => s.me[call](s.pipe()[1])),
  cell(call, 'EINVAL', 'a fifo', (s) => s.me[call](s.open(s.fifo('p'), F.O_RDONLY | F.O_NONBLOCK))),
  cell(
    call,
    'EINVAL',
    'a character device',
    (s) => {
      s.ok(s.root.mknod(s.at('full'), F.S_IFCHR | 0o666, 0x0107), 'mknod');
      return s.me[call](s.open(s.at('full'), F.O_RDONLY));
    },
    { needs: ['privilege'] },
  ),
]);

function handle(s: Scene, path: string): Uint8Array {
  const result = s.ok(s.root.nameToHandleAt(AT, path, 0), 'name_to_handle_at');
  if (typeof result === 'number') throw new Error('setup: no handle');
  return result;
}

const rootHandles = { who: ['root'], needs: ['handles'] } as const;

const handleCells: readonly Cell[] = [
  cell('nameToHandleAt', 'EINVAL', 'an unknown flag', (s) => s.me.nameToHandleAt(AT, s.file('f'), 0x40000), {
    needs: ['handles'],
  }),
  refused(
    'openByHandleAt',
    'EPERM',
    'a user',
    (s) => s.me.openByHandleAt(s.open(s.dir, F.O_RDONLY), handle(s, s.file('f')), F.O_RDONLY),
    ['handles'],
  ),
  cell(
    'openByHandleAt',
    'EBADF',
    'no mount descriptor',
    (s) => s.me.openByHandleAt(97, handle(s, s.file('f')), F.O_RDONLY),
    rootHandles,
  ),
  cell(
    'openByHandleAt',
    'ESTALE',
    'the file is gone',
    (s) => {
      const mount = s.open(s.dir, F.O_RDONLY);
      const h = handle(s, s.file('f'));
      s.ok(s.me.unlink(s.at('f')), 'unlink');
      return s.me.openByHandleAt(mount, h, F.O_RDONLY);
    },
    rootHandles,
  ),
  cell(
    'openByHandleAt',
    'ESTALE',
    'the directory is gone',
    (s) => {
      const mount = s.open(s.dir, F.O_RDONLY);
      const h = handle(s, s.mkdir('d'));
      s.ok(s.me.rmdir(s.at('d')), 'rmdir');
      return s.me.openByHandleAt(mount, h, F.O_RDONLY);
    },
    rootHandles,
  ),
  cell(
    'openByHandleAt',
    'ELOOP',
    'a symlink',
    (s) => s.me.openByHandleAt(s.open(s.dir, F.O_RDONLY), handle(s, s.symlink('t', 'l')), F.O_RDONLY),
    rootHandles,
  ),
];

const pollCells: readonly Cell[] = [
  cell('poll', 'EINVAL', 'more descriptors than the limit', (s) => {
    const fd = s.pipe()[0];
    s.ok(s.me.setrlimit(F.RLIMIT_NOFILE, 8), 'setrlimit');
    return s.me.poll(
      Array.from({ length: 9 }, () => ({ fd, events: F.POLLIN })),
      0,
    );
  }),
  cell(
    'poll',
    'EINTR',
    'waiting for a pipe',
    (s) => {
      const wait = s.me.startPoll([{ fd: s.pipe()[0], events: F.POLLIN }], -1);
      return wait.poll() === undefined ? wait.cancel() : 'it did not wait';
    },
    pending,
  ),
  cell('ioctl', 'ENOTTY', 'a terminal’s command on a file', (s) =>
    s.me.ioctl(s.open(s.file('f'), F.O_RDWR), TCGETS),
  ),
  cell('ioctl', 'ENOTTY', 'a terminal’s command on a directory', (s) =>
    s.me.ioctl(s.open(s.dir, F.O_RDONLY), TCGETS),
  ),
  cell('ioctl', 'ENOTTY', 'a terminal’s command on a pipe', (s) => s.me.ioctl(s.pipe()[0], TCGETS)),
  cell('ioctl', 'ENOTTY', 'an unknown command on a file', (s) =>
    s.me.ioctl(s.open(s.file('f'), F.O_RDWR), SOME_COMMAND),
  ),
  ...inotifyCells(),
];

function inotifyCells(): Cell[] {
  const fresh = (s: Scene): number => s.ok(s.me.inotifyInit(0), 'inotify_init');
  return [
    cell('inotifyAddWatch', 'EINVAL', 'no event asked for', (s) => s.me.inotifyAddWatch(fresh(s), s.dir, 0)),
    cell('inotifyAddWatch', 'ENOTDIR', 'IN_ONLYDIR on a file', (s) =>
      s.me.inotifyAddWatch(fresh(s), s.file('f'), F.IN_MODIFY | F.IN_ONLYDIR),
    ),
    cell('inotifyAddWatch', 'EEXIST', 'IN_MASK_CREATE on a directory watched already', (s) => {
      const fd = fresh(s);
      s.ok(s.me.inotifyAddWatch(fd, s.dir, F.IN_CREATE), 'inotify_add_watch');
      return s.me.inotifyAddWatch(fd, s.dir, F.IN_CREATE | F.IN_MASK_CREATE);
    }),
    cell('inotifyAddWatch', 'EINVAL', 'IN_MASK_CREATE with IN_MASK_ADD', (s) =>
      s.me.inotifyAddWatch(fresh(s), s.dir, F.IN_CREATE | F.IN_MASK_CREATE | F.IN_MASK_ADD),
    ),
    refused('inotifyAddWatch', 'EACCES', 'no r on the file', (s) =>
      s.me.inotifyAddWatch(fresh(s), s.foreignFile('f', '', 0o773), F.IN_MODIFY),
    ),
    cell('inotifyRmWatch', 'EINVAL', 'no such watch', (s) => s.me.inotifyRmWatch(fresh(s), 5)),
    cell('inotifyRmWatch', 'EINVAL', 'a watch removed already', (s) => {
      const fd = fresh(s);
      const wd = s.ok(s.me.inotifyAddWatch(fd, s.dir, F.IN_CREATE), 'inotify_add_watch');
      s.ok(s.me.inotifyRmWatch(fd, wd), 'inotify_rm_watch');
      return s.me.inotifyRmWatch(fd, wd);
    }),
  ];
}

const mounting = (p: PosixProcess, path: string, type = 'tmpfs', flags = 0, options = ''): number =>
  p.mount('none', path, type, flags, options);

const mountCells: readonly Cell[] = [
  refused('mount', 'EPERM', 'a user', (s) => {
    s.willUnmount(s.at('d'));
    return mounting(s.me, s.mkdir('d'));
  }),
  cell('mount', 'ENODEV', 'an unknown file system', (s) => mounting(s.root, s.mkdir('d'), 'nosuchfs'), {
    who: ['root'],
  }),
  cell('mount', 'ENOTDIR', 'on a file', (s) => mounting(s.root, s.file('f')), { who: ['root'] }),
  cell(
    'mount',
    'EINVAL',
    'an option that means nothing',
    (s) => mounting(s.root, s.mkdir('d'), 'tmpfs', 0, 'size=lots'),
    {
      who: ['root'],
    },
  ),
  cell(
    'mount',
    'ENOENT',
    'a bind mount of what is missing',
    (s) => s.root.mount(s.at('missing'), s.mkdir('d'), '', F.MS_BIND, ''),
    { who: ['root'] },
  ),
  cell(
    'mount',
    'EINVAL',
    'remounting what is no mount point',
    (s) => mounting(s.root, s.mkdir('d'), 'tmpfs', F.MS_REMOUNT),
    { who: ['root'] },
  ),
  cell(
    'mount',
    'EBUSY',
    'read-only while a file is open for writing',
    (s) => {
      const fs = s.elsewhere();
      s.open(`${fs}/f`, F.O_CREAT | F.O_WRONLY);
      return mounting(s.root, fs, 'tmpfs', F.MS_REMOUNT | F.MS_RDONLY);
    },
    { who: ['root'] },
  ),
  refused('umount2', 'EPERM', 'a user', (s) => s.me.umount2(s.elsewhere(), 0)),
  cell('umount2', 'EINVAL', 'no mount point', (s) => s.root.umount2(s.mkdir('d'), 0), { who: ['root'] }),
  cell('umount2', 'EINVAL', 'an unknown flag', (s) => s.root.umount2(s.elsewhere(), 0x100), {
    who: ['root'],
  }),
  cell(
    'umount2',
    'EBUSY',
    'a file is open',
    (s) => {
      const fs = s.elsewhere();
      s.open(`${fs}/f`, F.O_CREAT | F.O_WRONLY);
      return s.root.umount2(fs, 0);
    },
    { who: ['root'] },
  ),
  cell(
    'umount2',
    'EBUSY',
    'a process works in it',
    (s) => {
      const fs = s.elsewhere();
      s.ok(s.me.chdir(fs), 'chdir');
      return s.root.umount2(fs, 0);
    },
    { who: ['root'] },
  ),
  cell(
    'umount2',
    'EBUSY',
    'something is mounted inside',
    (s) => {
      const fs = s.elsewhere();
      s.ok(s.root.mkdir(`${fs}/in`, 0o755), 'mkdir');
      s.ok(mounting(s.root, `${fs}/in`), 'mount');
      s.willUnmount(`${fs}/in`);
      return s.root.umount2(fs, 0);
    },
    { who: ['root'] },
  ),
];

const fcntlCells: readonly Cell[] = [
  refused('fcntl', 'EPERM', 'O_NOATIME on somebody else’s file', (s) =>
    s.me.fcntl(s.open(s.foreignFile('f', '', 0o666), F.O_RDONLY), F.F_SETFL, F.O_NOATIME),
  ),
  cell(
    'fcntl',
    'EPERM',
    'a pipe larger than a user may have',
    (s) => s.me.fcntl(s.pipe()[0], F.F_SETPIPE_SZ, 1 << 22),
    { who: ['user'] },
  ),
  cell('fcntl', 'EINVAL', 'a pipe of more than 2 GiB', (s) =>
    s.me.fcntl(s.pipe()[0], F.F_SETPIPE_SZ, 0x80000001),
  ),
];

export const systemCells: readonly Cell[] = [
  ...directoryCells,
  ...lockCells,
  ...syncCells,
  ...handleCells,
  ...pollCells,
  ...mountCells,
  ...fcntlCells,
];
