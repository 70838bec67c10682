/** procfs: its tree, its texts, its links, and processes that come and go. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  F_RDLCK,
  F_SETLK,
  F_WRLCK,
  LOCK_EX,
  MNT_FORCE,
  O_BENEATH,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
} from '../../../assembly/abi/flags.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { cat, codeOf, onMachine, readAll, readlink } from './kit.ts';

const FILES = [
  'cpuinfo',
  'diskstats',
  'filesystems',
  'kmsg',
  'locks',
  'meminfo',
  'namecache',
  'partitions',
  'stat',
  'trace',
  'trace_stats',
  'uptime',
  'version',
  'vmstat',
  'vnodes',
  'vops',
  'zones',
];

/** "key value" or "key: value kB" lines as numbers. */
function numbers(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^([\w.-]+):?\s+(\d+)/gm)].map(([, key, value]) => [key, Number(value)] as const),
  );
}

function walk({ fs }: Machine, dir: string): string[] {
  return fs
    .readdirSync(dir, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? walk({ fs } as Machine, `${dir}/${e.name}`) : [`${dir}/${e.name}`]));
}

describe('the tree', () => {
  test(
    'has the files it should, with Linux’s modes and sizes, and inode numbers that stay',
    onMachine((machine) => {
      const { fs } = machine;
      const names = fs.readdirSync('/proc');
      expect(names).toEqual([...FILES, '1', 'mounts', 'self', 'sys'].sort());
      const inodes = names.map((name) => fs.lstatSync(`/proc/${name}`).ino);
      expect(new Set(inodes).size).toBe(inodes.length);
      expect(names.map((name) => fs.lstatSync(`/proc/${name}`).ino)).toEqual(inodes);
      for (const name of FILES) {
        const st = fs.statSync(`/proc/${name}`);
        expect([name, st.mode, st.size]).toEqual([
          name,
          name === 'kmsg' ? 0o100400 : name === 'trace' ? 0o100600 : 0o100444,
          0,
        ]);
        cat(machine.init, `/proc/${name}`);
      }
      expect(fs.statSync('/proc').mode).toBe(0o40555);
      expect(readlink(machine.init, '/proc/self')).toBe('1');
      expect(readlink(machine.init, '/proc/mounts')).toBe('self/mounts');
      expect(fs.readdirSync('/proc/self').sort()).toEqual(
        [
          'cmdline',
          'comm',
          'cwd',
          'fd',
          'fdinfo',
          'limits',
          'mountinfo',
          'mounts',
          'root',
          'stat',
          'status',
        ].sort(),
      );
      expect(fs.statSync('/proc/1/fd').mode).toBe(0o40500);
    }),
  );

  test(
    'listing says of each name what lstat says',
    onMachine((machine) => {
      const { fs } = machine;
      const held = fs.openSync('/tmp/x', 'w');
      for (const dir of [
        '/proc',
        '/proc/self',
        '/proc/self/fd',
        '/proc/self/fdinfo',
        '/proc/sys',
        '/proc/sys/kernel',
      ]) {
        for (const e of fs.readdirSync(dir, { withFileTypes: true })) {
          // the descriptor that lists /proc/self/fd is gone by now
          const st = fs.lstatSync(`${dir}/${e.name}`, { throwIfNoEntry: false });
          if (st === undefined) continue;
          expect([dir, e.name, e.isDirectory(), e.isSymbolicLink(), e.isFile()]).toEqual([
            dir,
            e.name,
            st.isDirectory(),
            st.isSymbolicLink(),
            st.isFile(),
          ]);
        }
      }
      fs.closeSync(held);
    }),
  );

  test(
    'cannot be changed',
    onMachine((machine) => {
      const { fs, init } = machine;
      expect(codeOf(() => fs.mkdirSync('/proc/x'))).toBe('EPERM');
      expect(codeOf(() => fs.writeFileSync('/proc/x', ''))).toBe('EPERM');
      expect(codeOf(() => fs.unlinkSync('/proc/version'))).toBe('EPERM');
      expect(codeOf(() => fs.renameSync('/proc/version', '/proc/v'))).toBe('EPERM');
      expect(codeOf(() => fs.chmodSync('/proc/version', 0o777))).toBe('EPERM');
      expect(codeOf(() => fs.linkSync('/proc/version', '/proc/v'))).toBe('EPERM');
      expect(codeOf(() => fs.writeFileSync('/proc/version', 'x'))).toBe('EIO');
      expect(codeOf(() => fs.statSync('/proc/0'))).toBe('ENOENT');
      expect(codeOf(() => fs.statSync('/proc/01'))).toBe('ENOENT');
      expect(codeOf(() => fs.statSync('/proc/99999999999'))).toBe('ENOENT');
      expect(codeOf(() => fs.statSync('/proc/version/x'))).toBe('ENOTDIR');
      expect(codeOf(() => init.openat(AT_FDCWD, '/proc/1/fd/9', O_RDONLY))).toBe('ENOENT');
    }),
  );

  test(
    'mounts and unmounts like any file system; open files of it die by force',
    onMachine((machine) => {
      const { fs, init } = machine;
      fs.mkdirSync('/mnt/proc');
      init.mount('x', '/mnt/proc', 'procfs');
      expect(cat(init, '/mnt/proc/version')).toBe(cat(init, '/proc/version'));
      expect(codeOf(() => init.mount('x', '/mnt', 'proc', 0, 'hidepid=1'))).toBe('EINVAL');
      const fd = fs.openSync('/mnt/proc/1/status', 'r');
      expect(codeOf(() => init.umount('/mnt/proc'))).toBe('EBUSY');
      expect(readAll(init, fd)).toContain('Pid:\t1\n');
      init.umount('/mnt/proc', MNT_FORCE);
      expect(codeOf(() => fs.readSync(fd, Buffer.alloc(10), 0, 10, 0))).toBe('EIO');
      fs.closeSync(fd);
    }),
  );
});

describe('texts about the machine', () => {
  test(
    'give true numbers',
    onMachine((machine) => {
      const { fs, init } = machine;
      const info = numbers(cat(init, '/proc/meminfo'));
      expect(info.get('MemTotal')).toBe(16384);
      expect(Math.abs(info.get('MemFree')! - machine.ramFreeBytes / 1024)).toBeLessThan(64);
      fs.writeFileSync('/tmp/big', Buffer.alloc(1 << 20));
      const after = numbers(cat(init, '/proc/meminfo'));
      expect(after.get('Cached')! - info.get('Cached')!).toBe(1024);
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      expect(cat(init, '/proc/version')).toBe(`Damselfly version ${version} up debug\n`);
      expect(cat(init, '/proc/sys/kernel/osrelease')).toBe(`${version}\n`);
      expect(numbers(cat(init, '/proc/vmstat')).get('frames_total')).toBe(4096);
      expect(cat(init, '/proc/cpuinfo').match(/^processor/gm)).toHaveLength(1);
      expect(cat(init, '/proc/filesystems')).toContain('nodev\ttmpfs\n');
      expect(Math.abs(numbers(cat(init, '/proc/stat')).get('btime')! - Date.now() / 1000)).toBeLessThan(10);
      const rows = cat(init, '/proc/zones')
        .trim()
        .split('\n')
        .map((row) => row.split(/\s+/));
      const proc = rows.find(([name]) => name === 'proc');
      expect(proc?.[2]).toBe('1');
    }),
  );

  test(
    'count operations',
    onMachine((machine) => {
      const { fs, init } = machine;
      const count = (op: string) => numbers(cat(init, '/proc/vops')).get(op)!;
      const before = count('nmkdir');
      for (let i = 0; i < 7; i++) fs.mkdirSync(`/tmp/d${i}`);
      expect(count('nmkdir') - before).toBe(7);
    }),
  );

  test(
    'uptime follows the virtual clock',
    onMachine(
      (machine) => {
        const uptime = () => Number(cat(machine.init, '/proc/uptime').split(' ')[0]);
        const before = uptime();
        machine.advanceClock(12_340);
        expect(uptime() - before).toBeCloseTo(12.34, 1);
      },
      { seed: 1 },
    ),
  );

  test(
    'mounts are listed in proc(5)’s format, with odd characters escaped and others’ roots heeded',
    onMachine((machine) => {
      const { fs, init } = machine;
      expect(cat(init, '/proc/mounts')).toBe(
        'tmpfs / tmpfs rw,relatime,mode=755 0 0\n' +
          'devfs /dev devfs rw,nosuid,noexec,relatime 0 0\n' +
          'devpts /dev/pts devpts rw,nosuid,noexec,relatime 0 0\n' +
          'proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n',
      );
      fs.mkdirSync('/mnt/a b\\c');
      init.mount('so me', '/mnt/a b\\c', 'tmpfs', 1 | 1024, 'size=1m');
      expect(cat(init, '/proc/self/mounts').split('\n')[4]).toBe(
        'so\\040me /mnt/a\\040b\\134c tmpfs ro,noatime,size=1m 0 0',
      );
      const lines = cat(init, '/proc/self/mountinfo').trim().split('\n');
      expect(lines[4]).toMatch(
        /^\d+ (\d+) 0:\d+ \/ \/mnt\/a\\040b\\134c ro,noatime - tmpfs so\\040me ro,size=1m$/,
      );
      expect(lines[0].split(' ').slice(0, 2)).toEqual([lines[4].split(' ')[1], lines[4].split(' ')[1]]);
      const jailed = machine.process();
      jailed.chroot('/mnt');
      expect(cat(init, `/proc/${jailed.pid}/mounts`)).toBe(
        'so\\040me /a\\040b\\134c tmpfs ro,noatime,size=1m 0 0\n',
      );
      jailed.exit();
      init.umount('/mnt/a b\\c');
    }),
  );

  test(
    'locks are listed in proc(5)’s format',
    onMachine((machine) => {
      const { fs, init } = machine;
      const fd = fs.openSync('/tmp/locked', 'w+');
      const { ino } = fs.statSync('/tmp/locked');
      expect(cat(init, '/proc/locks')).toBe('');
      init.setLock(fd, F_SETLK, { type: F_WRLCK, start: 10, length: 5 });
      init.setLock(fd, F_SETLK, { type: F_RDLCK, start: 100, length: 0 });
      init.flock(fd, LOCK_EX);
      const lines = cat(init, '/proc/locks')
        .trim()
        .split('\n')
        .map((line) => line.replace(/^\d+: /, ''));
      expect(lines.map((line) => line.replace(/00:[0-9a-f]+:/, 'DEV:')).sort()).toEqual(
        [
          `POSIX  ADVISORY  WRITE 1 DEV:${ino} 10 14`,
          `POSIX  ADVISORY  READ 1 DEV:${ino} 100 EOF`,
          `FLOCK  ADVISORY  WRITE 1 DEV:${ino} 0 EOF`,
        ].sort(),
      );
      fs.closeSync(fd);
      expect(cat(init, '/proc/locks')).toBe('');
    }),
  );
});

describe('a process', () => {
  test(
    'shows its credentials, limits and descriptors',
    onMachine((machine) => {
      const p = machine.process({ uid: 1000, gid: 100, groups: [4, 27] });
      p.umask(0o027);
      const fd = p.fs.openSync('/tmp/f', 'w+');
      p.fs.writeSync(fd, 'hello');
      const status = cat(p, '/proc/self/status');
      expect(status).toContain(
        `Name:\thost\nUmask:\t0027\nState:\tR (running)\nTgid:\t${p.pid}\nPid:\t${p.pid}\nPPid:\t1\n`,
      );
      expect(status).toContain(
        'Uid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nFDSize:\t64\nGroups:\t4 27 \n',
      );
      p.setrlimit(1, 4096, Infinity);
      expect(cat(p, '/proc/self/limits').split('\n').slice(1)).toEqual([
        `${'Max file size'.padEnd(26)}${'4096'.padEnd(21)}${'unlimited'.padEnd(21)}${'bytes'.padEnd(10)}`,
        `${'Max open files'.padEnd(26)}${'4096'.padEnd(21)}${'16384'.padEnd(21)}${'files'.padEnd(10)}`,
        '',
      ]);
      const info = cat(p, `/proc/self/fdinfo/${fd}`);
      const { ino } = p.fs.fstatSync(fd);
      expect(info).toMatch(new RegExp(`^pos:\\t5\\nflags:\\t0\\d*2\\nmnt_id:\\t\\d+\\nino:\\t${ino}\\n$`));
      expect(machine.fs.statSync(`/proc/${p.pid}/status`)).toMatchObject({ uid: 1000, gid: 100 });
      p.fs.closeSync(fd);
      p.exit();
    }),
  );

  test(
    'comes and goes, and nothing of it stays in the namecache',
    onMachine((machine) => {
      const { fs, init } = machine;
      machine.reclaim();
      const names = () => numbers(cat(init, '/proc/namecache')).get('names');
      const before = names();
      for (let i = 0; i < 100; i++) {
        const p = machine.process();
        expect(fs.existsSync(`/proc/${p.pid + 1}`)).toBe(false);
        expect(fs.readdirSync('/proc')).toContain(String(p.pid));
        expect(cat(p, '/proc/self/status')).toContain(`Pid:\t${p.pid}\n`);
        expect(cat(init, `/proc/${p.pid}/status`)).toContain(`Pid:\t${p.pid}\n`);
        p.exit();
        expect(fs.existsSync(`/proc/${p.pid}`)).toBe(false);
        const next = machine.process();
        expect(fs.statSync(`/proc/${next.pid}`).isDirectory()).toBe(true);
        next.exit();
      }
      expect(names()).toBe(before);
    }),
  );

  test(
    'ends under those who look at it',
    onMachine((machine) => {
      const { fs, init } = machine;
      const p = machine.process();
      const dir = init.openat(AT_FDCWD, `/proc/${p.pid}`, O_DIRECTORY);
      const status = init.openat(dir, 'status', O_RDONLY);
      const watcher = machine.process();
      watcher.chdir(`/proc/${p.pid}/fd`);
      p.exit();
      expect(codeOf(() => readAll(init, status))).toBe('ESRCH');
      expect(codeOf(() => init.openat(dir, 'status', O_RDONLY))).toBe('ENOENT');
      expect(codeOf(() => watcher.fs.readdirSync('.'))).toBe('ENOENT');
      expect(codeOf(() => fs.readdirSync(`/proc/${p.pid}`))).toBe('ENOENT');
      watcher.exit();
      fs.closeSync(status);
      fs.closeSync(dir);
    }),
  );

  test(
    'is closed to other users where Linux closes it',
    onMachine((machine) => {
      const p = machine.process({ uid: 1000, gid: 1000 });
      const other = machine.process({ uid: 1001, gid: 1000 });
      const at = `/proc/${p.pid}`;
      const fd = p.fs.openSync('/tmp/mine', 'w');
      expect(cat(other, `${at}/status`)).toContain('Uid:\t1000');
      expect(codeOf(() => other.fs.readdirSync(`${at}/fd`))).toBe('EACCES');
      expect(codeOf(() => other.fs.readlinkSync(`${at}/fd/${fd}`))).toBe('EACCES');
      expect(codeOf(() => other.fs.readlinkSync(`${at}/cwd`))).toBe('EACCES');
      expect(codeOf(() => other.fs.readdirSync(`${at}/root`))).toBe('EACCES');
      expect(codeOf(() => other.fs.readdirSync(`${at}/fdinfo`))).toBe('EACCES');
      expect(codeOf(() => cat(other, `${at}/fdinfo/${fd}`))).toBe('EACCES');
      expect(p.fs.readlinkSync(`${at}/fd/${fd}`)).toBe('/tmp/mine');
      expect(machine.fs.readlinkSync(`${at}/fd/${fd}`)).toBe('/tmp/mine');
      p.exit();
      other.exit();
    }),
  );
});

describe('reading', () => {
  test(
    'in pieces is consistent, and from the start again is fresh',
    onMachine((machine) => {
      const { fs, init } = machine;
      const fd = fs.openSync('/proc/self/status', 'r');
      const whole = cat(init, '/proc/self/status');
      const first = Buffer.alloc(7);
      fs.readSync(fd, first);
      init.umask(0o777);
      expect(first.toString() + readAll(init, fd, 3)).toBe(whole);
      const again = Buffer.alloc(100);
      const n = fs.readSync(fd, again, 0, 100, 0);
      expect(again.toString('utf8', 0, n)).toContain('Umask:\t0777');
      init.umask(0o022);
      fs.closeSync(fd);
    }),
  );

  test(
    'long texts, longer than a frame, arrive whole',
    onMachine((machine) => {
      const { fs, init } = machine;
      for (let i = 0; i < 150; i++) {
        fs.mkdirSync(`/mnt/${'m'.repeat(40)}${i}`);
        init.mount('none', `/mnt/${'m'.repeat(40)}${i}`, 'tmpfs');
      }
      const text = cat(init, '/proc/mounts');
      expect(text.length).toBeGreaterThan(10_000);
      expect(text.trim().split('\n').slice(4)).toEqual(
        Array.from({ length: 150 }, (_, i) => `none /mnt/${'m'.repeat(40)}${i} tmpfs rw,relatime 0 0`),
      );
      for (let i = 0; i < 150; i++) init.umount(`/mnt/${'m'.repeat(40)}${i}`);
    }),
  );
});

describe('magic links', () => {
  test(
    'open the same file, unlinked or not, at an offset of its own',
    onMachine((machine) => {
      const { fs, init } = machine;
      const fd = fs.openSync('/tmp/f', 'w+');
      fs.writeSync(fd, 'contents');
      const link = `/proc/self/fd/${fd}`;
      expect(fs.lstatSync(link)).toMatchObject({ mode: 0o120700, size: 64 });
      expect(cat(init, link)).toBe('contents');
      fs.unlinkSync('/tmp/f');
      expect(readlink(init, link)).toBe('/tmp/f (deleted)');
      expect(cat(init, link)).toBe('contents');
      fs.appendFileSync(link, '!');
      expect(fs.statSync(link)).toMatchObject({ size: 9, nlink: 0, ino: fs.fstatSync(fd).ino });
      fs.truncateSync(link, 2);
      expect(cat(init, `/dev/fd/${fd}`)).toBe('co');
      fs.writeFileSync(link, 'other');
      expect(fs.fstatSync(fd).size).toBe(5);
      expect(codeOf(() => fs.openSync(link, 'wx'))).toBe('EEXIST');
      expect(codeOf(() => init.openat(AT_FDCWD, link, O_BENEATH))).toBe('EXDEV');
      expect(codeOf(() => fs.statSync(`${link}/`))).toBe('ENOTDIR');
      expect(codeOf(() => fs.statSync(`${link}/x`))).toBe('ENOTDIR');
      fs.closeSync(fd);
      expect(codeOf(() => fs.statSync(link))).toBe('ENOENT');
    }),
  );

  test(
    'a file that was renamed over shows the name it had',
    onMachine(({ fs, init }) => {
      const long = `/tmp/${'n'.repeat(100)}`;
      for (const [from, to] of [
        ['/tmp/new', '/tmp/old'],
        [`${long}1`, `${long}2`],
        ['/tmp/new', `${long}2`],
        [`${long}1`, '/tmp/old'],
      ]) {
        fs.writeFileSync(to, 'old');
        const fd = fs.openSync(to, 'r');
        fs.writeFileSync(from, 'new');
        fs.renameSync(from, to);
        expect(readlink(init, `/proc/self/fd/${fd}`)).toBe(`${to} (deleted)`);
        expect(cat(init, `/proc/self/fd/${fd}`)).toBe('old');
        fs.closeSync(fd);
        fs.unlinkSync(to);
      }
    }),
  );

  test(
    'lead from directories as from their paths',
    onMachine((machine) => {
      const { fs, init } = machine;
      fs.mkdirSync('/tmp/a/b', { recursive: true });
      fs.writeFileSync('/tmp/a/b/f', 'x');
      const fd = init.openat(AT_FDCWD, '/tmp/a', O_DIRECTORY | O_PATH);
      expect(cat(init, `/proc/self/fd/${fd}/b/f`)).toBe('x');
      expect(fs.readdirSync(`/proc/self/fd/${fd}/`)).toEqual(['b']);
      expect(fs.realpathSync.native(`/proc/self/fd/${fd}/..`)).toBe('/tmp');
      expect(fs.lstatSync(`/proc/self/fd/${fd}`).mode).toBe(0o120000);
      init.chdir('/tmp/a/b');
      expect(readlink(init, '/proc/self/cwd')).toBe('/tmp/a/b');
      expect(fs.readdirSync('/proc/self/cwd/..')).toEqual(['b']);
      fs.writeFileSync('/proc/self/cwd/new', 'y');
      expect(fs.readFileSync('/tmp/a/b/new', 'utf8')).toBe('y');
      init.chdir('/proc/self/root');
      expect(init.cwd()).toBe('/');
      const jailed = machine.process();
      jailed.chroot('/tmp/a');
      expect(cat(init, `/proc/${jailed.pid}/root/b/f`)).toBe('x');
      expect(readlink(init, `/proc/${jailed.pid}/root`)).toBe('/tmp/a');
      jailed.exit();
      fs.closeSync(fd);
    }),
  );

  test(
    'show and open what has no name',
    onMachine((machine) => {
      const { fs, init } = machine;
      const pipe = init.pipe();
      expect(readlink(init, `/proc/self/fd/${pipe.read}`)).toMatch(/^pipe:\[\d+\]$/);
      const writer = init.openat(AT_FDCWD, `/proc/self/fd/${pipe.read}`, O_WRONLY);
      fs.writeSync(writer, 'through');
      const bytes = Buffer.alloc(20);
      expect(bytes.toString('utf8', 0, fs.readSync(pipe.read, bytes))).toBe('through');
      for (const fd of [pipe.read, pipe.write, writer]) fs.closeSync(fd);

      const fd = init.openat(AT_FDCWD, '/tmp', O_TMPFILE | O_RDWR, 0o600);
      fs.writeSync(fd, 'named at last');
      expect(readlink(init, `/proc/self/fd/${fd}`)).toMatch(/^\/#\d+ \(deleted\)$/);
      expect(cat(init, `/proc/self/fd/${fd}`)).toBe('named at last');
      init.linkat(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, '/tmp/named', AT_SYMLINK_FOLLOW);
      expect(fs.readFileSync('/tmp/named', 'utf8')).toBe('named at last');
      fs.closeSync(fd);

      const never = init.openat(AT_FDCWD, '/tmp', O_TMPFILE | O_RDWR | O_EXCL, 0o600);
      expect(
        codeOf(() => init.linkat(AT_FDCWD, `/proc/self/fd/${never}`, AT_FDCWD, '/tmp/no', AT_SYMLINK_FOLLOW)),
      ).toBe('ENOENT');
      expect(codeOf(() => init.mount(`/proc/self/fd/${never}`, `/proc/self/fd/${never}`, '', 4096))).toBe(
        'EINVAL',
      );
      expect(codeOf(() => init.umount(`/proc/self/fd/${never}`))).toBe('EINVAL');
      fs.closeSync(never);
    }),
  );

  test(
    'permissions of the file are asked again',
    onMachine((machine) => {
      const p = machine.process({ uid: 1000, gid: 1000 });
      const fd = p.fs.openSync('/tmp/f', 'w', 0o200);
      expect(codeOf(() => p.fs.readFileSync(`/proc/self/fd/${fd}`))).toBe('EACCES');
      p.fs.writeFileSync('/dev/fd/'.concat(String(fd)), 'ok');
      expect(codeOf(() => p.openat(AT_FDCWD, `/proc/self/fd/${fd}`, O_CREAT | O_RDWR))).toBe('EACCES');
      p.fs.chmodSync(`/proc/self/fd/${fd}`, 0o640);
      expect(p.fs.statSync('/tmp/f').mode & 0o777).toBe(0o640);
      p.exit();
    }),
  );
});

describe('sysctl', () => {
  test(
    'values are shown and set, and bad ones refused',
    onMachine(
      (machine) => {
        const { fs, init } = machine;
        expect(cat(init, '/proc/sys/kernel/hostname')).toBe('wing\n');
        fs.writeFileSync('/proc/sys/kernel/hostname', 'pond\nignored');
        expect(cat(init, '/proc/sys/kernel/hostname')).toBe('pond\n');
        expect(codeOf(() => fs.writeFileSync('/proc/sys/kernel/hostname', 'x'.repeat(65)))).toBe('EINVAL');
        fs.writeFileSync('/proc/sys/kernel/hostname', '');
        expect(cat(init, '/proc/sys/kernel/hostname')).toBe('pond\n');
        expect(codeOf(() => fs.writeFileSync('/proc/sys/kernel/ostype', 'x'))).toBe('EPERM');
        for (const bad of ['', ' ', '12x', '-1', '1', '99999999999', '5 5']) {
          if (bad !== '')
            expect(codeOf(() => fs.writeFileSync('/proc/sys/vfs/maxvnodes', bad))).toBe('EINVAL');
          if (bad !== '') expect(codeOf(() => fs.writeFileSync('/proc/sys/vm/lowwater', bad))).toBe('EINVAL');
        }
        fs.writeFileSync('/proc/sys/vm/lowwater', ' 300\n');
        expect(cat(init, '/proc/sys/vm/lowwater')).toBe('300\n');
        const user = machine.process({ uid: 1 });
        expect(codeOf(() => user.fs.writeFileSync('/proc/sys/kernel/hostname', 'x'))).toBe('EACCES');
        user.exit();
        expect(walk(machine, '/proc/sys').length).toBeGreaterThan(9);
        const open = Number(cat(init, '/proc/sys/fs/file-nr').split('\t')[0]);
        const fd = fs.openSync('/tmp', 'r');
        expect(Number(cat(init, '/proc/sys/fs/file-nr').split('\t')[0])).toBe(open + 1);
        fs.closeSync(fd);
      },
      { hostname: 'wing' },
    ),
  );

  test(
    'a lower maxvnodes takes effect at once, and holds',
    onMachine((machine) => {
      const { fs, init } = machine;
      for (let i = 0; i < 500; i++) fs.writeFileSync(`/tmp/f${i}`, '');
      const vnodes = () => numbers(cat(init, '/proc/vnodes')).get('vnodes')!;
      expect(vnodes()).toBeGreaterThan(500);
      fs.writeFileSync('/proc/sys/vfs/maxvnodes', '100');
      expect(vnodes()).toBeLessThanOrEqual(101);
      for (let i = 0; i < 500; i++) fs.statSync(`/tmp/f${i}`);
      expect(vnodes()).toBeLessThanOrEqual(120);
      fs.writeFileSync('/proc/sys/vfs/maxnames', '100');
      expect(numbers(cat(init, '/proc/namecache')).get('names')).toBeLessThanOrEqual(120);
      for (let i = 0; i < 500; i++) expect(fs.statSync(`/tmp/f${i}`).size).toBe(0);
    }),
  );
});
