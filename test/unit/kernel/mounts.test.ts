/** Mounts: the tree they make, bind mounts, read-only ones, and file systems that go while in use. */
import { describe, expect, test } from 'vitest';
import {
  AT_FDCWD,
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_NOEXEC,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  O_DIRECTORY,
  O_PATH,
  O_RDWR,
  POLLERR,
  POLLHUP,
  POLLIN,
  S_IFCHR,
  UMOUNT_NOFOLLOW,
} from '../../../assembly/abi/flags.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import type { Process } from '../../../host/syscalls/process.ts';
import { cat, codeOf, onMachine, readlink } from './kit.ts';

/** A machine with a tmpfs on /a that holds d/f, and an empty directory /b. */
function scene({ fs, init }: Machine): void {
  fs.mkdirSync('/a');
  fs.mkdirSync('/b');
  init.mount('src', '/a', 'tmpfs', 0, 'size=1m');
  fs.mkdirSync('/a/d');
  fs.writeFileSync('/a/d/f', 'contents');
}

const mountPoints = (p: Process) =>
  cat(p, '/proc/self/mounts')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[1])
    .slice(4);

const lineOf = (p: Process, point: string) =>
  cat(p, '/proc/self/mounts')
    .split('\n')
    .find((line) => line.split(' ')[1] === point);

describe('the tree of mounts', () => {
  test(
    'mounts stack, hide, and come off in order',
    onMachine(({ fs, init }) => {
      fs.mkdirSync('/m');
      fs.writeFileSync('/m/under', '');
      for (const name of ['one', 'two', 'three']) {
        init.mount(name, '/m', 'tmpfs');
        expect(fs.readdirSync('/m')).toEqual([]);
        fs.writeFileSync(`/m/${name}`, name);
        expect(fs.statSync(`/m/${name}`).size).toBe(name.length);
      }
      expect(fs.statSync('/m/..').ino).toBe(fs.statSync('/').ino);
      expect(codeOf(() => fs.rmdirSync('/m'))).toBe('EBUSY');
      expect(codeOf(() => fs.renameSync('/m', '/n'))).toBe('EBUSY');
      for (const name of ['three', 'two', 'one']) {
        expect(fs.readdirSync('/m')).toEqual([name]);
        init.umount('/m');
      }
      expect(fs.readdirSync('/m')).toEqual(['under']);
      expect(codeOf(() => init.umount('/m'))).toBe('EINVAL');
      expect(codeOf(() => init.umount('/'))).toBe('EINVAL');
      expect(codeOf(() => init.umount('/m/none'))).toBe('ENOENT');
    }),
  );

  test(
    'a file, a directory or a mount in it makes a mount busy',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      const busy = () => codeOf(() => init.umount('/a'));
      const fd = fs.openSync('/a/d/f', 'r');
      expect(busy()).toBe('EBUSY');
      fs.closeSync(fd);
      const path = init.openat(AT_FDCWD, '/a', O_PATH);
      expect(busy()).toBe('EBUSY');
      fs.closeSync(path);
      const p = machine.process();
      p.chdir('/a/d');
      expect(busy()).toBe('EBUSY');
      p.chdir('/');
      p.chroot('/a');
      expect(busy()).toBe('EBUSY');
      p.exit();
      init.mount('x', '/a/d', 'tmpfs');
      expect(busy()).toBe('EBUSY');
      init.umount('/a/d');
      const pipe = init.pipe();
      init.umount('/a');
      fs.closeSync(pipe.read);
      fs.closeSync(pipe.write);
    }),
  );

  test(
    'bad arguments are refused',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      fs.writeFileSync('/file', '');
      fs.symlinkSync('/a', '/link');
      expect(codeOf(() => init.mount('x', '/b', 'nofs'))).toBe('ENODEV');
      expect(codeOf(() => init.mount('x', '/file', 'tmpfs'))).toBe('ENOTDIR');
      expect(codeOf(() => init.mount('x', '/none', 'tmpfs'))).toBe('ENOENT');
      expect(codeOf(() => init.mount('x', '/b', 'tmpfs', 0, 'colour=red'))).toBe('EINVAL');
      expect(codeOf(() => init.mount('x', '/b', 'tmpfs', 8192))).toBe('EINVAL');
      expect(codeOf(() => init.mount('x', '/a/d', '', MS_REMOUNT | MS_RDONLY))).toBe('EINVAL');
      expect(codeOf(() => init.mount('/file', '/b', '', MS_BIND))).toBe('ENOTDIR');
      expect(codeOf(() => init.mount('/b', '/file', '', MS_BIND))).toBe('ENOTDIR');
      expect(codeOf(() => init.mount('/none', '/b', '', MS_BIND))).toBe('ENOENT');
      expect(codeOf(() => init.mount('/a', '/b', 'nullfs', 0, 'x=1'))).toBe('EINVAL');
      expect(codeOf(() => init.umount('/a', 64))).toBe('EINVAL');
      expect(codeOf(() => init.umount('/link', UMOUNT_NOFOLLOW))).toBe('EINVAL');
      const gone = machine.process();
      fs.mkdirSync('/gone');
      gone.chdir('/gone');
      fs.rmdirSync('/gone');
      expect(codeOf(() => gone.mount('x', '.', 'tmpfs'))).toBe('ENOENT');
      expect(codeOf(() => gone.mount('/b', '.', '', MS_BIND))).toBe('ENOENT');
      gone.exit();
      const user = machine.process({ uid: 1 });
      expect(codeOf(() => user.mount('x', '/b', 'tmpfs'))).toBe('EPERM');
      expect(codeOf(() => user.umount('/a'))).toBe('EPERM');
      user.exit();
      init.umount('/link');
      expect(fs.readdirSync('/a')).toEqual([]);
    }),
  );
});

describe('bind mounts', () => {
  test.each(['MS_BIND', 'nullfs'])('show the same files elsewhere (%s)', async (how) =>
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      if (how === 'nullfs') init.mount('/a/d', '/b', 'nullfs');
      else init.mount('/a/d', '/b', '', MS_BIND);
      expect(fs.readFileSync('/b/f', 'utf8')).toBe('contents');
      expect(fs.statSync('/b/f')).toMatchObject({
        ino: fs.statSync('/a/d/f').ino,
        dev: fs.statSync('/a/d/f').dev,
      });
      fs.writeFileSync('/b/new', 'x');
      expect(fs.readdirSync('/a/d').sort()).toEqual(['f', 'new']);
      fs.renameSync('/b/new', '/b/newer');
      fs.unlinkSync('/a/d/newer');
      expect(fs.existsSync('/b/newer')).toBe(false);
      expect(fs.realpathSync.native('/b/f')).toBe('/b/f');
      expect(fs.realpathSync.native('/b/..')).toBe('/');
      expect(fs.statSync('/b/../b/f').size).toBe(8);
      expect(codeOf(() => fs.renameSync('/b/f', '/a/d/g'))).toBe('EXDEV');
      expect(codeOf(() => fs.linkSync('/b/f', '/a/d/g'))).toBe('EXDEV');
      expect(lineOf(init, '/b')).toBe('src /b tmpfs rw,relatime,size=1m 0 0');
      expect(cat(init, '/proc/self/mountinfo')).toMatch(/ \/d \/b rw,relatime - tmpfs src rw,size=1m\n/);
      expect(fs.statfsSync('/b').blocks).toBe(256);
      init.umount('/b');
      expect(fs.readdirSync('/b')).toEqual([]);
      expect(fs.readFileSync('/a/d/f', 'utf8')).toBe('contents');
    })(),
  );

  test(
    'a read-only one stops writers, its source does not',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      init.mount('/a', '/b', '', MS_BIND | MS_RDONLY);
      const attempts = {
        write: () => fs.writeFileSync('/b/d/f', ''),
        create: () => fs.writeFileSync('/b/new', ''),
        mkdir: () => fs.mkdirSync('/b/new'),
        unlink: () => fs.unlinkSync('/b/d/f'),
        rmdir: () => fs.rmdirSync('/b/d'),
        rename: () => fs.renameSync('/b/d', '/b/e'),
        link: () => fs.linkSync('/b/d/f', '/b/d/g'),
        symlink: () => fs.symlinkSync('x', '/b/s'),
        chmod: () => fs.chmodSync('/b/d/f', 0o600),
        chown: () => fs.chownSync('/b/d/f', 1, 1),
        utimes: () => fs.utimesSync('/b/d/f', 1, 1),
        truncate: () => fs.truncateSync('/b/d/f', 1),
        mknod: () => init.mknod('/b/n', S_IFCHR, 0x103),
        setxattr: () => init.setxattr('/b/d/f', 'user.x', new Uint8Array(1)),
      };
      for (const [name, attempt] of Object.entries(attempts))
        expect([name, codeOf(attempt)]).toEqual([name, 'EROFS']);
      expect(codeOf(() => fs.accessSync('/b/d/f', fs.constants.W_OK))).toBe('EROFS');
      fs.writeFileSync('/a/d/f', 'changed');
      expect(fs.readFileSync('/b/d/f', 'utf8')).toBe('changed');
      expect(lineOf(init, '/b')).toContain(' ro,');
      expect(lineOf(init, '/a')).toContain(' rw,');
      init.umount('/b');
    }),
  );

  test(
    'are remounted by themselves, or with their file system',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      init.mount('/a', '/b', '', MS_BIND | MS_NOEXEC);
      const fd = fs.openSync('/b/d/f', 'r+');
      const ro = (path: string) => codeOf(() => fs.writeFileSync(path, 'x'));
      expect(codeOf(() => init.mount('', '/b', '', MS_REMOUNT | MS_BIND | MS_RDONLY))).toBe('EBUSY');
      expect(codeOf(() => init.mount('', '/a', '', MS_REMOUNT | MS_RDONLY))).toBe('EBUSY');
      // its own mount has no writer: through it alone nobody may write then
      init.mount('', '/a', '', MS_REMOUNT | MS_BIND | MS_RDONLY);
      expect([ro('/a/d/f'), ro('/b/d/f')]).toEqual(['EROFS', 'none']);
      fs.closeSync(fd);
      init.mount('', '/a', '', MS_REMOUNT | MS_BIND);
      expect(ro('/a/d/f')).toBe('none');

      init.mount('', '/b', '', MS_REMOUNT | MS_BIND | MS_RDONLY);
      expect([ro('/a/d/f'), ro('/b/d/f')]).toEqual(['none', 'EROFS']);
      init.mount('', '/b', '', MS_REMOUNT | MS_BIND);
      expect(ro('/b/d/f')).toBe('none');

      // the file system itself, by the name of either
      init.mount('', '/b', '', MS_REMOUNT | MS_RDONLY);
      expect([ro('/a/d/f'), ro('/b/d/f')]).toEqual(['EROFS', 'EROFS']);
      expect([lineOf(init, '/a'), lineOf(init, '/b')]).toEqual([
        'src /a tmpfs ro,relatime,size=1m 0 0',
        'src /b tmpfs ro,relatime,size=1m 0 0',
      ]);
      init.mount('', '/b', '', MS_REMOUNT | MS_BIND);
      expect(ro('/b/d/f')).toBe('EROFS');
      init.mount('/a', '/b', '', MS_BIND);
      expect(ro('/b/d/f')).toBe('EROFS');
      init.umount('/b');
      init.mount('', '/a', '', MS_REMOUNT, 'size=2m');
      expect([ro('/a/d/f'), ro('/b/d/f')]).toEqual(['none', 'none']);
      expect(lineOf(init, '/a')).toBe('src /a tmpfs rw,relatime,size=2m 0 0');
      init.umount('/b');

      init.umount('/a');
      init.mount('ro', '/a', 'tmpfs', MS_RDONLY);
      init.mount('/a', '/b', '', MS_BIND);
      init.mount('', '/b', '', MS_REMOUNT | MS_BIND);
      expect(codeOf(() => fs.mkdirSync('/b/x'))).toBe('EROFS');
      init.umount('/b');
    }),
  );

  test(
    'of files hide files',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      fs.writeFileSync('/over', 'hidden');
      init.mount('/a/d/f', '/over', '', MS_BIND);
      expect(fs.readFileSync('/over', 'utf8')).toBe('contents');
      fs.writeFileSync('/over', 'through');
      expect(fs.readFileSync('/a/d/f', 'utf8')).toBe('through');
      expect(codeOf(() => fs.writeFileSync('/over', 'x', { flag: 'wx' }))).toBe('EEXIST');
      expect(codeOf(() => fs.unlinkSync('/over'))).toBe('EBUSY');
      expect(codeOf(() => fs.renameSync('/over', '/x'))).toBe('EBUSY');
      expect(codeOf(() => fs.statSync('/over/x'))).toBe('ENOTDIR');
      expect(codeOf(() => fs.statSync('/over/'))).toBe('ENOTDIR');
      fs.writeFileSync('/a/d/g', 'replaced');
      fs.renameSync('/a/d/g', '/a/d/f');
      expect(fs.readFileSync('/over', 'utf8')).toBe('through');
      fs.unlinkSync('/a/d/f');
      expect(fs.readFileSync('/over', 'utf8')).toBe('through');
      const fd = fs.openSync('/over', 'r');
      expect(codeOf(() => init.umount('/over'))).toBe('EBUSY');
      fs.closeSync(fd);
      init.umount('/over');
      expect(fs.readFileSync('/over', 'utf8')).toBe('hidden');
    }),
  );

  test(
    'of a tree into itself end, with and without what is mounted below',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      init.mount('deep', '/a/d', 'tmpfs');
      fs.mkdirSync('/a/d/deeper');
      init.mount('deepest', '/a/d/deeper', 'tmpfs');
      fs.writeFileSync('/a/d/deeper/f', 'bottom');
      fs.mkdirSync('/a/self');

      init.mount('/a', '/a/self', '', MS_BIND);
      expect(fs.readdirSync('/a/self').sort()).toEqual(['d', 'self']);
      expect(fs.readdirSync('/a/self/self')).toEqual([]);
      expect(fs.readdirSync('/a/self/d')).toEqual(['f']);
      expect(codeOf(() => fs.rmdirSync('/a/self/self'))).toBe('EBUSY');
      init.umount('/a/self');

      init.mount('/a', '/a/self', '', MS_BIND | MS_REC);
      expect(fs.readFileSync('/a/self/d/deeper/f', 'utf8')).toBe('bottom');
      expect(mountPoints(init)).toEqual([
        '/a',
        '/a/d',
        '/a/d/deeper',
        '/a/self',
        '/a/self/d',
        '/a/self/d/deeper',
      ]);
      expect(codeOf(() => init.umount('/a/self'))).toBe('EBUSY');
      init.umount('/a/self', MNT_DETACH);
      expect(mountPoints(init)).toEqual(['/a', '/a/d', '/a/d/deeper']);

      // only what lies in the part that is shown
      init.mount('/a/d', '/b', '', MS_BIND | MS_REC);
      expect(mountPoints(init).slice(3)).toEqual(['/b', '/b/deeper']);
      init.umount('/b', MNT_DETACH);
      init.umount('/a', MNT_DETACH);
      expect(mountPoints(init)).toEqual([]);
    }),
  );

  test(
    'of bind mounts, and of other mounts’ parts',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      fs.mkdirSync('/c');
      init.mount('/a', '/b', '', MS_BIND | MS_RDONLY);
      init.mount('/b/d', '/c', '', MS_BIND);
      expect(fs.readFileSync('/c/f', 'utf8')).toBe('contents');
      // what was read-only there does not become writable by another name
      expect(codeOf(() => fs.writeFileSync('/c/f', 'x'))).toBe('EROFS');
      init.umount('/b');
      expect(fs.readFileSync('/c/f', 'utf8')).toBe('contents');
      init.umount('/a');
      expect(fs.readFileSync('/c/f', 'utf8')).toBe('contents');
      expect(fs.statfsSync('/c').bsize).toBe(4096);
      init.sync();
      init.mount('/c', '/b', '', MS_BIND);
      init.umount('/c');
      expect(fs.readFileSync('/b/f', 'utf8')).toBe('contents');
      const before = machine.ramFreeBytes;
      fs.mkdirSync('/x');
      init.umount('/b');
      expect(machine.ramFreeBytes).toBeGreaterThanOrEqual(before);
    }),
  );

  test(
    'keep ".." inside, whatever is renamed',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      fs.mkdirSync('/a/d/in/deep', { recursive: true });
      init.mount('/a/d', '/b', '', MS_BIND);
      const p = machine.process();
      p.chdir('/b/in/deep');
      expect(p.fs.readdirSync('..')).toEqual(['deep']);
      fs.renameSync('/a/d/in', '/a/out');
      expect(p.fs.readdirSync('.')).toEqual([]);
      expect(codeOf(() => p.fs.readdirSync('../..'))).toBe('ENOENT');
      expect(codeOf(() => p.cwd())).toBe('ENOENT');
      expect(codeOf(() => p.fs.statSync('../../../../etc'))).toBe('ENOENT');
      p.exit();
      init.umount('/b');
    }),
  );
});

describe('lazy unmounting', () => {
  test(
    'takes a mount out of the tree at once, and frees it when its last holder lets go',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      const live = () => Number(/^mount +\d+ +(\d+)/m.exec(cat(init, '/proc/zones'))?.[1]);
      const mounts = live();
      const fd = fs.openSync('/a/d/f', 'r+');
      const p = machine.process();
      p.chdir('/a/d');
      init.umount('/a', MNT_DETACH);
      expect(fs.readdirSync('/a')).toEqual([]);
      expect(mountPoints(init)).toEqual([]);
      fs.writeSync(fd, 'still');
      expect(p.fs.readFileSync('f', 'utf8')).toBe('stillnts');
      p.fs.writeFileSync('g', 'new');
      expect(p.fs.readdirSync('..')).toEqual(['d']);
      expect(p.fs.readdirSync('../../..')).toEqual(['d']);
      expect(codeOf(() => p.cwd())).toBe('ENOENT');
      expect(readlink(init, `/proc/${p.pid}/cwd`)).toBe('(unreachable)/d');
      expect(readlink(init, `/proc/self/fd/${fd}`)).toBe('(unreachable)/d/f');
      p.chdir('/');
      expect(live()).toBe(mounts);
      fs.closeSync(fd);
      expect(live()).toBe(mounts - 1);
      p.exit();
    }),
  );

  test(
    'by dup2, fchdir and chroot, too',
    onMachine((machine) => {
      const { fs, init } = machine;
      const live = () => Number(/^mount +\d+ +(\d+)/m.exec(cat(init, '/proc/zones'))?.[1]);
      const holders: [string, (p: Process) => void, (p: Process) => void][] = [
        [
          'dup2',
          (p) => p.dup2(p.fs.openSync('/a/d/f', 'r'), 9),
          (p) => {
            p.dup2(p.fs.openSync('/tmp', 'r'), 9);
            p.dup2(9, 0);
          },
        ],
        ['fchdir', (p) => p.chdir('/a'), (p) => p.fchdir(p.openat(AT_FDCWD, '/tmp', O_DIRECTORY))],
        [
          'chroot',
          (p) => p.chroot('/a'),
          (p) => {
            p.fchdir(5);
            p.chroot('.');
          },
        ],
        ['exit', (p) => p.chdir('/a'), () => {}],
      ];
      fs.mkdirSync('/a');
      fs.mkdirSync('/b');
      for (const [name, hold, release] of holders) {
        const before = live();
        init.mount('src', '/a', 'tmpfs');
        fs.mkdirSync('/a/d');
        fs.writeFileSync('/a/d/f', '');
        const p = machine.process();
        if (name === 'chroot') p.dup2(p.openat(AT_FDCWD, '/', O_DIRECTORY), 5);
        hold(p);
        init.umount('/a', MNT_DETACH);
        expect([name, live()]).toEqual([name, before + 1]);
        release(p);
        if (name !== 'exit') expect([name, live()]).toEqual([name, before]);
        p.exit();
        expect([name, live()]).toEqual([name, before]);
      }
    }),
  );
});

describe('forced unmounting', () => {
  test(
    'kills open files, directories and all that shows them',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      init.mknod('/a/null', S_IFCHR | 0o666, 0x103);
      init.mount('/a/d', '/b', '', MS_BIND);
      const fd = fs.openSync('/a/d/f', 'r+');
      const bound = fs.openSync('/b/f', 'r');
      const device = fs.openSync('/a/null', 'w');
      const dir = init.openat(AT_FDCWD, '/a/d', O_DIRECTORY);
      const unlinked = fs.openSync('/a/u', 'w+');
      fs.unlinkSync('/a/u');
      const p = machine.process();
      p.chdir('/a');
      init.umount('/a', MNT_FORCE);
      expect(mountPoints(init)).toEqual([]);
      expect(fs.readdirSync('/b')).toEqual([]);
      for (const file of [fd, unlinked]) {
        expect(codeOf(() => fs.readSync(file, Buffer.alloc(8), 0, 8, 0))).toBe('EIO');
        expect(codeOf(() => fs.writeSync(file, 'x', 0))).toBe('EIO');
        expect(codeOf(() => fs.fstatSync(file))).toBe('EIO');
        expect(codeOf(() => fs.fsyncSync(file))).toBe('EIO');
        expect(codeOf(() => fs.ftruncateSync(file, 0))).toBe('EIO');
        expect(codeOf(() => fs.openSync(`/proc/self/fd/${file}`, 'r'))).toBe('EIO');
        expect(init.poll([{ fd: file, events: POLLIN }], 0)).toEqual([POLLIN | POLLERR | POLLHUP]);
      }
      expect(codeOf(() => fs.readSync(bound, Buffer.alloc(8)))).toBe('EIO');
      expect(codeOf(() => fs.writeSync(device, 'x'))).toBe('EIO');
      expect(init.exports.sys_getdents(dir, 0)).toBe(-5);
      expect(codeOf(() => init.openat(dir, 'f', O_RDWR))).toBe('ENOENT');
      expect(codeOf(() => p.fs.statSync('.'))).toBe('ENOENT');
      expect(codeOf(() => p.fs.mkdirSync('x'))).toBe('ENOENT');
      for (const each of [fd, bound, device, dir, unlinked]) fs.closeSync(each);
      p.exit();
      init.mount('again', '/a', 'tmpfs');
      expect(fs.readdirSync('/a')).toEqual([]);
    }),
  );

  test(
    'of a bind mount only detaches it; mounts below stop it',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      init.mount('/a/d', '/b', '', MS_BIND);
      const fd = fs.openSync('/b/f', 'r');
      init.umount('/b', MNT_FORCE);
      expect(fs.readSync(fd, Buffer.alloc(8))).toBe(8);
      fs.closeSync(fd);
      init.mount('x', '/a/d', 'tmpfs');
      expect(codeOf(() => init.umount('/a', MNT_FORCE))).toBe('EBUSY');
      init.umount('/a/d');
      init.mount('/a', '/b', '', MS_BIND);
      init.mount('x', '/b/d', 'tmpfs');
      const held = fs.openSync('/a', 'r');
      expect(codeOf(() => init.umount('/a', MNT_FORCE))).toBe('EBUSY');
      init.umount('/b/d');
      init.umount('/a', MNT_FORCE);
      expect(mountPoints(init)).toEqual([]);
      fs.closeSync(held);
    }),
  );

  test(
    'a machine that shuts down with mounts of every kind in use leaves nothing',
    onMachine((machine) => {
      const { fs, init } = machine;
      scene(machine);
      init.mount('/a', '/b', '', MS_BIND);
      init.mount('/', '/mnt', '', MS_BIND | MS_REC);
      fs.openSync('/b/d/f', 'r+');
      fs.openSync('/mnt/a/d/f', 'r+');
      const p = machine.process();
      p.chdir('/mnt/b/d');
      init.umount('/mnt', MNT_DETACH);
      init.umount('/a');
      p.chroot('.');
    }),
  );
});

describe('revoke', () => {
  test(
    'kills what is open, and the file opens again',
    onMachine((machine) => {
      const { fs, init } = machine;
      fs.writeFileSync('/tmp/f', 'contents');
      const fd = fs.openSync('/tmp/f', 'r+');
      const zero = fs.openSync('/dev/zero', 'r');
      const user = machine.process({ uid: 1000, gid: 1000 });
      expect(codeOf(() => user.revoke('/tmp/f'))).toBe('EPERM');
      init.revoke('/tmp/f');
      init.revoke('/dev/zero');
      expect(codeOf(() => fs.readSync(fd, Buffer.alloc(8)))).toBe('EIO');
      expect(codeOf(() => fs.readSync(zero, Buffer.alloc(8)))).toBe('EIO');
      expect(fs.readFileSync('/tmp/f', 'utf8')).toBe('contents');
      const again = fs.openSync('/dev/zero', 'r');
      expect(fs.readSync(again, Buffer.alloc(8))).toBe(8);
      for (const each of [fd, zero, again]) fs.closeSync(each);
      expect(codeOf(() => init.revoke('/tmp'))).toBe('EINVAL');
      expect(codeOf(() => init.revoke('/proc/version'))).toBe('EINVAL');
      expect(codeOf(() => init.revoke('/none'))).toBe('ENOENT');
      user.fs.writeFileSync('/tmp/mine', 'x');
      const mine = user.fs.openSync('/tmp/mine', 'w');
      user.fs.unlinkSync('/tmp/mine');
      expect(codeOf(() => user.revoke(`/proc/self/fd/${mine}`))).toBe('none');
      expect(codeOf(() => user.fs.writeSync(mine, 'x'))).toBe('EIO');
      user.exit();
    }),
  );
});
