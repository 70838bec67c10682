/**
 * Workloads for the fault loops. Each is a list of steps, one system call or a few that belong
 * together; a step that fails must have done nothing, and must succeed when it is done again.
 */
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  F_DUPFD,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_RDONLY,
  MS_REMOUNT,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
} from '../../assembly/abi/flags.ts';
import { SA_PATH1, SA_PATH2 } from '../../assembly/abi/layout.ts';
import { SIGKILL } from '../../assembly/abi/signals.ts';
import { TIOCSPTLCK } from '../../assembly/abi/termios.ts';
import type { Kernel } from '../helpers/kernel.ts';

/** Descriptors and pids that steps leave for later ones. */
export type Store = Record<string, number>;
export type Step = (k: Kernel, s: Store) => number;

export interface Workload {
  name: string;
  /** Makes what the steps need; runs without faults. */
  setup?: (k: Kernel, s: Store) => void;
  steps: Step[];
}

const LONG = 'n'.repeat(200);
const bytes = (n: number) => new Uint8Array(n).map((_, i) => i % 251);
const K4 = bytes(4096);
const K64 = bytes(65536);

/** Keep a step's result under a name; the result is 0 or the errno. */
const keep =
  (name: string, issue: Step): Step =>
  (k, s) => {
    const result = issue(k, s);
    if (result >= 0) s[name] = result;
    return Math.min(result, 0);
  };

const openAs = (name: string, path: string, flags: number): Step =>
  keep(name, (k) => k.open(path, flags, 0o644));
const closeIt =
  (name: string): Step =>
  (k, s) =>
    k.close(s[name]);

function many(n: number, step: (i: number) => Step): Step[] {
  return Array.from({ length: n }, (_, i) => step(i));
}

/** Give caches back, so that the steps have names and vnodes to make anew. */
const cold = (k: Kernel): void => void k.kernel.machine_reclaim();

const process = (name: string, inherit: number): Step =>
  keep(name, (k) => k.kernel.proc_create(k.pid, 1000, 1000, 0, inherit));

/** A set-user-ID program of root's. */
function executable(k: Kernel): void {
  k.touch('/program');
  k.ok(k.kernel.sys_fchmodat(AT_FDCWD, k.path('/program'), 0o4755, 0), 'chmod');
}

export const workloads: Workload[] = [
  { name: 'create files', steps: many(40, (i) => (k) => k.touch(`/f${i}`)) },
  { name: 'create files with long names', steps: many(12, (i) => (k) => k.touch(`/${LONG}${i}`)) },
  {
    name: 'create exclusively',
    steps: many(4, (i) => keep(`x${i}`, (k) => k.open(`/x${i}`, O_CREAT | O_EXCL | O_WRONLY))),
  },
  {
    name: 'lookups of names not cached',
    setup: (k) => {
      k.mkdir('/d');
      for (let i = 0; i < 10; i++) k.touch(`/d/${LONG}${i}`);
      cold(k);
    },
    steps: many(10, (i) => (k) => k.lstat(`/d/${LONG}${i}`)),
  },
  {
    name: 'lookups deep down',
    setup: (k) => {
      let path = '';
      for (let i = 0; i < 30; i++) {
        path += `/d${i}`;
        k.mkdir(path);
      }
      k.touch(`${path}/f`);
      cold(k);
    },
    steps: [(k) => k.lstat(`${Array.from({ length: 30 }, (_, i) => `/d${i}`).join('')}/f`)],
  },
  {
    name: 'a directory past its first frames of slots',
    setup: (k) => {
      for (let i = 0; i < 1020; i++) k.symlink('to', `/f${i}`);
    },
    steps: many(10, (i) => (k) => k.symlink('to', `/g${i}`)),
  },
  { name: 'mkdir', steps: many(20, (i) => (k) => k.mkdir(`/d${i}`)) },
  {
    name: 'mkdir nested',
    steps: many(10, (i) => (k) => k.mkdir(Array.from({ length: i + 1 }, (_, j) => `/d${j}`).join(''))),
  },
  { name: 'symlink', steps: many(8, (i) => (k) => k.symlink('t'.repeat(10 + 500 * i), `/l${i}`)) },
  {
    name: 'follow symlinks',
    setup: (k) => {
      k.mkdir('/d');
      k.touch('/d/file');
      k.symlink('d', '/l0');
      for (let i = 1; i < 10; i++) k.symlink(`/l${i - 1}`, `/l${i}`);
      cold(k);
    },
    steps: [
      (k) => k.kernel.sys_stat(k.path('/l9/file')),
      (k) => k.kernel.sys_realpath(k.path('/l5/file')) && 0,
    ],
  },
  {
    name: 'mknod',
    steps: [S_IFIFO, S_IFSOCK, S_IFCHR].map(
      (type, i) => (k: Kernel) => k.kernel.sys_mknodat(AT_FDCWD, k.path(`/n${i}`), type | 0o600, 0x103),
    ),
  },
  {
    name: 'link',
    setup: (k) => void k.touch('/f'),
    steps: many(20, (i) => (k) => k.link('/f', `/${LONG}${i}`)),
  },
  {
    name: 'unlink',
    setup: (k) => {
      for (let i = 0; i < 10; i++) k.touch(`/f${i}`);
      cold(k);
    },
    steps: many(10, (i) => (k) => k.unlink(`/f${i}`)),
  },
  {
    name: 'unlink what is open',
    setup: (k, s) => {
      s.fd = k.open('/f', O_CREAT | O_RDWR);
      k.pwrite(s.fd, K64, 0);
    },
    steps: [(k) => k.unlink('/f'), (k, s) => k.pwrite(s.fd, K64, 65536), closeIt('fd')],
  },
  {
    name: 'rmdir',
    setup: (k) => {
      k.mkdir('/a');
      k.mkdir('/a/b');
      k.mkdir('/a/b/c');
      cold(k);
    },
    steps: [(k) => k.rmdir('/a/b/c'), (k) => k.rmdir('/a/b'), (k) => k.rmdir('/a')],
  },
  {
    name: 'rename to a new name',
    setup: (k) => {
      k.touch('/f');
      k.mkdir('/d');
      k.mkdir('/e');
      k.touch('/d/g');
      cold(k);
    },
    steps: [
      (k) => k.rename('/f', `/${LONG}`),
      (k) => k.rename(`/${LONG}`, '/e/f'),
      (k) => k.rename('/d', '/e/d'),
      (k) => k.rename('/e/d/g', '/g'),
    ],
  },
  {
    name: 'rename over',
    setup: (k) => {
      for (const f of ['/a', '/b', '/c']) k.touch(f);
      k.mkdir('/d');
      k.mkdir('/e');
      cold(k);
    },
    steps: [(k) => k.rename('/a', '/b'), (k) => k.rename('/b', '/c'), (k) => k.rename('/d', '/e')],
  },
  {
    name: 'rename, exchanging',
    setup: (k) => {
      k.touch('/a');
      k.mkdir('/d');
      k.mkdir('/d/e');
      cold(k);
    },
    steps: [(k) => k.rename('/a', '/d/e', RENAME_EXCHANGE), (k) => k.rename('/d/e', `/a`, RENAME_EXCHANGE)],
  },
  {
    name: 'write',
    steps: [
      openAs('fd', '/f', O_CREAT | O_RDWR),
      ...many(6, (i) => (k, s) => k.pwrite(s.fd, K4, i * 4096)),
      closeIt('fd'),
    ],
  },
  {
    name: 'write many pages at once',
    steps: [
      openAs('fd', '/f', O_CREAT | O_RDWR),
      (k, s) => k.pwrite(s.fd, K64, 0),
      (k, s) => k.pwrite(s.fd, K64, 1 << 20),
      closeIt('fd'),
    ],
  },
  {
    name: 'write sparsely',
    steps: [
      openAs('fd', '/f', O_CREAT | O_RDWR),
      ...many(6, (i) => (k, s) => k.pwrite(s.fd, K4.subarray(0, 10), 4096 * 60 ** i)),
      closeIt('fd'),
    ],
  },
  {
    name: 'append',
    setup: (k, s) => {
      s.fd = k.open('/f', O_CREAT | O_WRONLY | O_APPEND);
    },
    steps: many(10, () => (k, s) => {
      // what a short write left over is written by another: doing all of it again would append twice
      k.spaces[0] = K4;
      let done = 0;
      while (done < 3000) {
        const n = k.kernel.sys_write(s.fd, 0, done, 3000 - done);
        if (n < 0) return done === 0 ? n : done;
        done += n;
      }
      return done;
    }),
  },
  {
    name: 'read back from a file whose vnode went',
    setup: (k, s) => {
      s.fd = k.open('/f', O_CREAT | O_RDWR);
      k.pwrite(s.fd, K64, 0);
      k.close(s.fd);
      cold(k);
    },
    steps: [openAs('fd', '/f', O_RDONLY), (k, s) => k.pread(s.fd, new Uint8Array(65536), 0), closeIt('fd')],
  },
  {
    name: 'truncate',
    setup: (k, s) => {
      s.fd = k.open('/f', O_CREAT | O_RDWR);
      k.pwrite(s.fd, K64, 0);
      cold(k);
    },
    steps: [
      (k) => k.kernel.sys_truncate(k.path('/f'), 5000),
      (k, s) => k.kernel.sys_ftruncate(s.fd, 1e6),
      openAs('t', '/f', O_WRONLY | O_TRUNC),
    ],
  },
  {
    name: 'fallocate',
    setup: (k, s) => {
      s.fd = k.open('/f', O_CREAT | O_RDWR);
      k.pwrite(s.fd, K4, 3 * 4096);
    },
    steps: [
      (k, s) => k.kernel.sys_fallocate(s.fd, 0, 0, 40000),
      (k, s) => k.kernel.sys_fallocate(s.fd, FALLOC_FL_KEEP_SIZE, 300000, 20000),
      (k, s) => k.kernel.sys_fallocate(s.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5000, 20000),
      (k, s) => k.kernel.sys_fallocate(s.fd, FALLOC_FL_ZERO_RANGE, 6000, 9000),
    ],
  },
  {
    name: 'copy_file_range',
    setup: (k, s) => {
      s.a = k.open('/a', O_CREAT | O_RDWR);
      s.b = k.open('/b', O_CREAT | O_RDWR);
      k.pwrite(s.a, K64, 0);
    },
    steps: [(k, s) => k.kernel.sys_copy_file_range(s.a, 0, s.b, 0, 30000, 0)],
  },
  {
    name: 'set extended attributes',
    setup: (k) => void k.touch('/f'),
    steps: [10, 0, 3000, 20000].map((n, i) => (k: Kernel) => k.setxattr('/f', `user.a${i}`, bytes(n))),
  },
  {
    name: 'replace and remove extended attributes',
    setup: (k) => {
      k.touch('/f');
      k.setxattr('/f', 'user.a', bytes(5000));
      k.setxattr('/f', 'trusted.b', bytes(50));
      cold(k);
    },
    steps: [
      (k) => k.setxattr('/f', 'user.a', bytes(9000)),
      (k) => {
        const length = k.path('/f');
        return k.kernel.sys_removexattr(AT_FDCWD, length, 0, k.path('trusted.b', SA_PATH2));
      },
    ],
  },
  {
    name: 'O_TMPFILE and linkat',
    setup: (k) => void k.mkdir('/d'),
    steps: [
      openAs('fd', '/d', O_TMPFILE | O_RDWR),
      (k, s) => k.pwrite(s.fd, K4, 0),
      (k, s) =>
        k.kernel.sys_linkat(
          s.fd,
          0,
          AT_FDCWD,
          k.path('/d/linked', SA_PATH2),
          AT_EMPTY_PATH | AT_SYMLINK_FOLLOW,
        ),
      closeIt('fd'),
    ],
  },
  {
    name: 'O_TMPFILE forgotten',
    steps: [openAs('fd', '/', O_TMPFILE | O_RDWR), (k, s) => k.pwrite(s.fd, K64, 0), closeIt('fd')],
  },
  {
    name: 'descriptors',
    setup: (k, s) => {
      s.fd = k.open('/', O_RDONLY);
    },
    steps: [
      (k, s) => Math.min(0, k.kernel.sys_dup(s.fd)),
      (k, s) => Math.min(0, k.kernel.sys_dup2(s.fd, 200)),
      (k, s) => Math.min(0, k.kernel.sys_dup3(s.fd, 3000, 0)),
      (k, s) => Math.min(0, k.kernel.sys_fcntl(s.fd, F_DUPFD, 1000)),
    ],
  },
  {
    name: 'processes',
    steps: [
      process('a', 0),
      process('b', 0),
      (k, s) => k.kernel.proc_exit(s.a),
      (k, s) => k.kernel.proc_exit(s.b),
    ],
  },
  {
    name: 'processes that inherit',
    setup: (k) => {
      for (let i = 0; i < 200; i++) k.open('/');
    },
    steps: [process('a', 1), (k, s) => k.kernel.proc_exit(s.a)],
  },
  {
    name: 'forks',
    setup: (k) => {
      for (let i = 0; i < 200; i++) k.open('/');
      executable(k);
      k.ok(k.kernel.sys_execve(k.path('/program'), k.path('with\0arguments\0', SA_PATH2)), 'execve');
    },
    steps: [
      keep('a', (k) => k.kernel.sys_fork()),
      keep('b', (k) => k.kernel.sys_fork()),
      (k, s) => k.kernel.sys_kill(s.a, SIGKILL),
      (k, s) => (k.kernel.sys_wait4(s.a, 0) === s.a ? 0 : 1),
      (k, s) => k.kernel.proc_exit(s.b),
    ],
  },
  {
    name: 'exec',
    setup: (k) => {
      executable(k);
      k.ok(k.kernel.proc_setcred(1000, 1000, 0), 'setcred');
    },
    steps: [
      (k) => Math.min(0, k.kernel.sys_exechead(k.path('/program'))),
      (k) => k.kernel.sys_execve(k.path('/program'), k.path('some\0arguments\0', SA_PATH2)),
      (k) => k.kernel.sys_setresuid(0, 0, 0),
      (k) => k.kernel.sys_execve(k.path('/program'), 0),
    ],
  },
  {
    name: 'pseudo-terminals',
    steps: [
      openAs('master', '/dev/ptmx', O_RDWR),
      (k, s) => {
        k.spaces[0] = new Uint8Array(4);
        return k.kernel.sys_ioctl(s.master, TIOCSPTLCK, 0, 0);
      },
      openAs('fd', '/dev/pts/0', O_RDWR),
      (k, s) => {
        k.spaces[0] = new Uint8Array([104, 105, 10]);
        return k.kernel.sys_write(s.master, 0, 0, 3);
      },
      (k, s) => k.kernel.sys_read(s.fd, 0, 0, 3),
      (k) => {
        const entries = k.readdir('/dev/pts');
        return typeof entries === 'number' ? entries : 0;
      },
      closeIt('master'),
      closeIt('fd'),
    ],
  },
  {
    name: 'changing credentials',
    steps: [
      (k) => k.kernel.sys_setgroups(1000),
      (k) => k.kernel.sys_setresgid(1, 2, 3),
      (k) => k.kernel.sys_setresuid(1, 0, 2),
      (k) => k.kernel.sys_faccessat(AT_FDCWD, k.path('/proc'), 4, 0),
      (k) => k.kernel.sys_setresuid(0, 0, 0),
    ],
  },
  {
    name: 'credentials',
    steps: [
      (k) => k.kernel.proc_setcred(0, 0, 0),
      (k) => k.kernel.proc_setcred(0, 0, 1000),
      (k) => k.kernel.proc_setcred(0, 0, 2),
    ],
  },
  {
    name: 'working and root directory',
    setup: (k) => {
      k.mkdir('/a');
      k.mkdir('/a/b');
      cold(k);
    },
    steps: [
      (k) => k.kernel.sys_chdir(k.path('/a/b')),
      (k) => k.kernel.sys_chdir(k.path('..')),
      (k) => Math.min(0, k.kernel.sys_getcwd()),
      (k) => k.kernel.sys_chdir(k.path('/')),
    ],
  },
  {
    name: 'mount tmpfs',
    setup: (k) => void k.mkdir('/m'),
    steps: [
      (k) => k.mount('tmpfs', '/m', 'size=1m,nr_inodes=50,mode=700'),
      (k) => k.mkdir('/m/d'),
      (k) => k.rmdir('/m/d'),
      (k) => k.umount('/m'),
    ],
  },
  {
    name: 'umount with files',
    setup: (k) => {
      k.mkdir('/m');
      k.mount('tmpfs', '/m');
      for (let i = 0; i < 5; i++) k.touch(`/m/${LONG}${i}`);
      const fd = k.open('/m/data', O_CREAT | O_RDWR);
      k.pwrite(fd, K64, 0);
      k.close(fd);
      k.setxattr('/m/data', 'user.x', bytes(5000));
      cold(k);
    },
    steps: [(k) => k.umount('/m')],
  },
  {
    name: 'forced umount',
    setup: (k, s) => {
      k.mkdir('/m');
      k.mount('tmpfs', '/m');
      s.fd = k.open('/m/data', O_CREAT | O_RDWR);
      k.pwrite(s.fd, K64, 0);
    },
    steps: [(k) => k.umount('/m', MNT_FORCE), (k, s) => k.close(s.fd)],
  },
  {
    name: 'lazy umount of a tree of mounts',
    setup: (k, s) => {
      k.mkdir('/m');
      k.mount('tmpfs', '/m');
      k.mkdir('/m/n');
      k.mount('tmpfs', '/m/n');
      s.fd = k.open('/m/n/data', O_CREAT | O_RDWR);
    },
    steps: [(k) => k.umount('/m', MNT_DETACH), (k, s) => k.pwrite(s.fd, K64, 0), (k, s) => k.close(s.fd)],
  },
  {
    name: 'bind mounts',
    setup: (k) => {
      k.mkdir('/a');
      k.touch('/a/f');
      k.mkdir('/b');
      k.touch('/g');
    },
    steps: [
      (k) => k.mount('', '/b', '', MS_BIND, '/a'),
      (k) => k.touch('/b/made'),
      (k) => k.mount('', '/b', '', MS_REMOUNT | MS_BIND | MS_RDONLY),
      (k) => k.mount('', '/g', '', MS_BIND, '/a/f'),
      (k) => k.umount('/g'),
      (k) => k.umount('/b'),
    ],
  },
  {
    name: 'remount with options',
    setup: (k) => {
      k.mkdir('/m');
      k.mount('tmpfs', '/m');
    },
    steps: [(k) => k.mount('', '/m', 'size=2m', MS_REMOUNT), (k) => k.umount('/m')],
  },
  {
    name: 'file handles',
    setup: (k, s) => {
      k.touch('/f');
      s.root = k.open('/', O_RDONLY | O_DIRECTORY);
      cold(k);
    },
    steps: [
      (k) => k.kernel.sys_name_to_handle_at(AT_FDCWD, k.path('/f'), 0),
      keep('fd', (k, s) => {
        k.ok(k.kernel.sys_name_to_handle_at(s.root, 0, AT_EMPTY_PATH), 'name_to_handle_at');
        return k.kernel.sys_open_by_handle_at(s.root, O_RDONLY);
      }),
      closeIt('fd'),
    ],
  },
  {
    name: 'readdir of many',
    setup: (k, s) => {
      k.mkdir('/d');
      for (let i = 0; i < 400; i++) k.touch(`/d/f${i}`);
      s.fd = k.open('/d');
      cold(k);
    },
    steps: many(3, () => (k, s) => Math.min(0, k.kernel.sys_getdents(s.fd, 0))),
  },
  {
    name: 'the files of /proc',
    steps: ['mounts', 'meminfo', 'self/status', 'sys/kernel/hostname'].map((file) => (k: Kernel) => {
      // what they say changes with every fault; that they can be read does not
      const fd = k.open(`/proc/${file}`);
      if (fd < 0) return fd;
      const n = k.pread(fd, new Uint8Array(8192), 0);
      k.ok(k.close(fd), 'close');
      return Math.min(0, n);
    }),
  },
  {
    name: 'listing /proc and /dev',
    steps: ['/proc', '/proc/self/fd', '/proc/sys', '/dev'].map((path) => (k: Kernel) => {
      const entries = k.readdir(path);
      return typeof entries === 'number' ? entries : 0;
    }),
  },
  {
    name: 'attributes',
    setup: (k) => {
      k.touch('/f');
      cold(k);
    },
    steps: [
      (k) => k.kernel.sys_fchmodat(AT_FDCWD, k.path('/f'), 0o4711, 0),
      (k) => k.kernel.sys_fchownat(AT_FDCWD, k.path('/f'), 5, 6, 0),
      (k) => k.kernel.sys_utimensat(AT_FDCWD, k.path('/f', SA_PATH1), 0, 1, 2, 3, 4),
      (k) => k.kernel.sys_statfs(k.path('/f')),
    ],
  },
];
