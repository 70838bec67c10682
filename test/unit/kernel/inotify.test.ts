import { afterAll, describe, expect, it, test } from 'vitest';
import * as E from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { DamselflyTarget } from '../../oracle/damselfly.ts';
import { LinuxTarget, linuxUnavailable } from '../../oracle/linux.ts';
import { decodeInotify } from '../../oracle/linux-encode.ts';
import type { InotifyEvent, PosixProcess } from '../../oracle/target.ts';
import { eachWithKernel, fork, ok, pattern } from './kernel.ts';
import { seeded } from '../../helpers/random.ts';

const NAMES = Object.entries({
  ACCESS: F.IN_ACCESS,
  MODIFY: F.IN_MODIFY,
  ATTRIB: F.IN_ATTRIB,
  CLOSE_WRITE: F.IN_CLOSE_WRITE,
  CLOSE_NOWRITE: F.IN_CLOSE_NOWRITE,
  OPEN: F.IN_OPEN,
  MOVED_FROM: F.IN_MOVED_FROM,
  MOVED_TO: F.IN_MOVED_TO,
  CREATE: F.IN_CREATE,
  DELETE: F.IN_DELETE,
  DELETE_SELF: F.IN_DELETE_SELF,
  MOVE_SELF: F.IN_MOVE_SELF,
  UNMOUNT: F.IN_UNMOUNT,
  Q_OVERFLOW: F.IN_Q_OVERFLOW,
  IGNORED: F.IN_IGNORED,
  ISDIR: F.IN_ISDIR,
});

function show({ wd, mask, name }: InotifyEvent): string {
  const set = NAMES.filter(([, bit]) => mask & bit).map(([text]) => text);
  return `${wd} ${set.join('|')}${name && ` ${name}`}`;
}

/** All events of a descriptor that does not wait. */
function drain(process: PosixProcess, fd: number): InotifyEvent[] {
  const list: InotifyEvent[] = [];
  for (;;) {
    const got = process.read(fd, 65_536);
    if (got === -E.EAGAIN) return list;
    list.push(...decodeInotify(ok(got)));
  }
}

/** As text, cookies numbered from 1 in the order they come. */
function story(process: PosixProcess, fd: number): string[] {
  const cookies = new Map<number, number>();
  return drain(process, fd).map((event) => {
    const { cookie } = event;
    if (cookie === 0) return show(event);
    if (!cookies.has(cookie)) cookies.set(cookie, cookies.size + 1);
    return `${show(event)} #${cookies.get(cookie)}`;
  });
}

const ALL = F.IN_ALL_EVENTS;
const k = eachWithKernel();

function file(path: string, text = 'x'): string {
  const fd = ok(k.me.open(path, F.O_CREAT | F.O_WRONLY, 0o644));
  ok(k.me.write(fd, new TextEncoder().encode(text)));
  k.me.close(fd);
  return path;
}

function watcher(...paths: [string, number?][]): number {
  const fd = ok(k.me.inotifyInit(F.IN_NONBLOCK));
  for (const [path, mask = ALL] of paths) ok(k.me.inotifyAddWatch(fd, path, mask));
  return fd;
}

describe('what is told', () => {
  test('of a file with its directory watched too', () => {
    file('/f');
    const fd = watcher(['/'], ['/f']);
    const f = ok(k.me.open('/f', F.O_RDWR | F.O_TRUNC));
    ok(k.me.write(f, pattern(3)));
    ok(k.me.pread(f, 3, 0));
    ok(k.me.pread(f, 3, 3));
    ok(k.me.fchmod(f, 0o600));
    k.me.close(f);
    const both = ['OPEN', 'MODIFY', 'ACCESS', 'ATTRIB', 'CLOSE_WRITE'];
    // truncated, then written: equal, but the other watch's event lies between
    both.splice(2, 0, 'MODIFY');
    expect(story(k.me, fd)).toEqual(both.flatMap((what) => [`1 ${what} f`, `2 ${what}`]));
  });

  test('of what changes a file without writing to it', () => {
    file('/f', 'hello');
    file('/g');
    const [from, to] = [ok(k.me.open('/f', F.O_RDONLY)), ok(k.me.open('/g', F.O_RDWR))];
    const fd = watcher(['/f'], ['/g']);
    const told = (): string[] => story(k.me, fd);
    const omit = { sec: 0, nsec: F.UTIME_OMIT };
    const now = { sec: 1, nsec: 0 };
    ok(k.me.truncate('/f', 2));
    expect(told()).toEqual(['1 MODIFY']);
    ok(k.me.fallocate(to, 0, 0, 10));
    expect(told()).toEqual(['2 MODIFY']);
    ok(k.me.copyFileRange(from, 0, to, 0, 2, 0));
    expect(told()).toEqual(['1 ACCESS', '2 MODIFY']);
    ok(k.me.utimensat(F.AT_FDCWD, '/f', now, omit, 0));
    expect(told()).toEqual(['1 ACCESS']);
    ok(k.me.utimensat(F.AT_FDCWD, '/f', omit, now, 0));
    expect(told()).toEqual(['1 MODIFY']);
    ok(k.me.utimensat(F.AT_FDCWD, '/f', now, now, 0));
    expect(told()).toEqual(['1 ATTRIB']);
    ok(k.me.setxattr('/f', 'user.a', pattern(3), 0));
    expect(told()).toEqual(['1 ATTRIB']);
    ok(k.me.fremovexattr(from, 'user.a'));
    expect(told()).toEqual(['1 ATTRIB']);
    ok(k.me.chown('/g', 1000, 1000));
    ok(k.me.chmod('/g', 0o6777));
    expect(told()).toEqual(['2 ATTRIB']);
    const theirs = ok(k.user.open('/g', F.O_WRONLY));
    ok(k.user.write(theirs, pattern(1)));
    expect(told()).toEqual(['2 OPEN', '2 ATTRIB', '2 MODIFY']);
  });

  test('of a directory that is read', () => {
    ok(k.me.mkdir('/d', 0o755));
    const fd = watcher(['/'], ['/d']);
    const d = ok(k.me.open('/d', F.O_RDONLY));
    ok(k.me.getdents(d));
    k.me.close(d);
    const events = ['OPEN|ISDIR', 'ACCESS|ISDIR', 'CLOSE_NOWRITE|ISDIR'];
    expect(story(k.me, fd)).toEqual(events.flatMap((what) => [`1 ${what} d`, `2 ${what}`]));
  });

  test('of a fifo: its own watchers of its data, its directory of no more than opening and closing', () => {
    ok(k.me.mkfifo('/p', 0o600));
    const fd = watcher(['/'], ['/p']);
    const p = ok(k.me.open('/p', F.O_RDWR));
    ok(k.me.write(p, pattern(2)));
    ok(k.me.read(p, 2));
    k.me.close(p);
    expect(story(k.me, fd)).toEqual([
      '1 OPEN p',
      '2 OPEN',
      '2 MODIFY',
      '2 ACCESS',
      '1 CLOSE_WRITE p',
      '2 CLOSE_WRITE',
    ]);
  });

  test('an open that was given up is neither opened nor closed', () => {
    ok(k.me.mkfifo('/p', 0o600));
    const fd = watcher(['/p']);
    k.me.startOpen('/p', F.O_RDONLY).cancel();
    expect(story(k.me, fd)).toEqual([]);
    const opening = k.me.startOpen('/p', F.O_RDONLY);
    ok(k.friend.open('/p', F.O_WRONLY));
    ok(opening.poll() as number);
    expect(story(k.me, fd)).toEqual(['1 OPEN']);
  });

  test('of moves, exchanges and names that are lost', () => {
    file('/a');
    file('/b');
    ok(k.me.mkdir('/d', 0o755));
    const fd = watcher(['/'], ['/a'], ['/b'], ['/d']);
    ok(k.me.rename('/a', '/d/c'));
    expect(story(k.me, fd)).toEqual(['1 MOVED_FROM a #1', '4 MOVED_TO c #1', '2 MOVE_SELF']);
    ok(k.me.renameat2(F.AT_FDCWD, '/d/c', F.AT_FDCWD, '/b', F.RENAME_EXCHANGE));
    expect(story(k.me, fd)).toEqual([
      '4 MOVED_FROM c #1',
      '1 MOVED_TO b #1',
      '2 MOVE_SELF',
      '1 MOVED_FROM b #2',
      '4 MOVED_TO c #2',
      '3 MOVE_SELF',
    ]);
    ok(k.me.rename('/b', '/d/c'));
    expect(story(k.me, fd)).toEqual([
      '1 MOVED_FROM b #1',
      '4 MOVED_TO c #1',
      '3 ATTRIB',
      '2 MOVE_SELF',
      '3 DELETE_SELF',
      '3 IGNORED',
    ]);
  });

  test('IN_DELETE_SELF waits for the last link and the last use', () => {
    file('/f');
    ok(k.me.link('/f', '/g'));
    const fd = watcher(['/f'], ['/']);
    ok(k.me.unlink('/f'));
    expect(story(k.me, fd)).toEqual(['1 ATTRIB', '2 DELETE f']);
    const open = ok(k.me.open('/g', F.O_RDWR));
    const held = ok(k.me.open('/g', F.O_PATH));
    ok(k.me.unlink('/g'));
    expect(story(k.me, fd)).toEqual(['2 OPEN g', '1 OPEN', '1 ATTRIB', '2 DELETE g']);
    ok(k.me.write(open, pattern(1)));
    k.me.close(open);
    expect(story(k.me, fd)).toEqual(['2 MODIFY g', '1 MODIFY', '2 CLOSE_WRITE g', '1 CLOSE_WRITE']);
    k.me.close(held);
    expect(story(k.me, fd)).toEqual(['1 DELETE_SELF', '1 IGNORED']);
    expect(k.me.inotifyRmWatch(fd, 1)).toBe(-E.EINVAL);
  });

  test('a removed directory somebody works in', () => {
    ok(k.me.mkdir('/d', 0o755));
    ok(k.friend.chdir('/d'));
    const fd = watcher(['/d']);
    ok(k.me.rmdir('/d'));
    expect(story(k.me, fd)).toEqual([]);
    ok(k.friend.chdir('/'));
    expect(story(k.me, fd)).toEqual(['1 DELETE_SELF', '1 IGNORED']);
  });

  test('an unmount ends the watches on it, watches keep nothing mounted', () => {
    ok(k.me.mkdir('/m', 0o755));
    ok(k.me.mount('none', '/m', 'tmpfs', 0, ''));
    file('/m/f');
    const fd = watcher(['/m'], ['/m/f'], ['/']);
    ok(k.me.umount2('/m', 0));
    expect(story(k.me, fd).sort()).toEqual(['1 IGNORED', '1 UNMOUNT|ISDIR', '2 IGNORED', '2 UNMOUNT']);
    file('/m/f');
    expect(story(k.me, fd)).toEqual([]);
  });

  test('a watched file stays watched when memory is reclaimed', () => {
    file('/f');
    ok(k.me.mkdir('/d', 0o755));
    const fd = watcher(['/f'], ['/d']);
    const { machine } = k.target;
    machine.kernel.machine_reclaim();
    file('/f', 'y');
    file('/d/x');
    expect(story(k.me, fd)).toContain('1 MODIFY');
    ok(k.me.inotifyRmWatch(fd, 1));
    ok(k.me.inotifyRmWatch(fd, 2));
    machine.kernel.machine_reclaim();
  });
});

describe('masks and flags', () => {
  test('IN_EXCL_UNLINK: silence after the name is gone', () => {
    file('/f');
    const fd = watcher(['/', ALL | F.IN_EXCL_UNLINK]);
    const f = ok(k.me.open('/f', F.O_RDWR));
    ok(k.me.unlink('/f'));
    ok(k.me.write(f, pattern(1)));
    k.me.close(f);
    expect(story(k.me, fd)).toEqual(['1 OPEN f', '1 DELETE f']);
  });

  test('IN_ONESHOT, also on the directory of a name', () => {
    file('/f');
    const fd = watcher(['/', F.IN_ATTRIB | F.IN_ONESHOT], ['/f', ALL | F.IN_ONESHOT]);
    ok(k.me.chmod('/f', 0o600));
    ok(k.me.chmod('/f', 0o644));
    expect(story(k.me, fd)).toEqual(['1 ATTRIB f', '1 IGNORED', '2 ATTRIB', '2 IGNORED']);
    // numbers are never used again
    expect(k.me.inotifyAddWatch(fd, '/f', F.IN_OPEN)).toBe(3);
  });

  test('changing a mask, adding to it, refusing to', () => {
    file('/f');
    const fd = watcher(['/f', F.IN_ATTRIB]);
    expect(k.me.inotifyAddWatch(fd, '/f', F.IN_OPEN | F.IN_MASK_ADD)).toBe(1);
    ok(k.me.chmod('/f', 0o600));
    k.me.close(ok(k.me.open('/f', F.O_RDONLY)));
    expect(story(k.me, fd)).toEqual(['1 ATTRIB', '1 OPEN']);
    expect(k.me.inotifyAddWatch(fd, '/f', F.IN_CLOSE_NOWRITE)).toBe(1);
    k.me.close(ok(k.me.open('/f', F.O_RDONLY)));
    expect(story(k.me, fd)).toEqual(['1 CLOSE_NOWRITE']);
    expect(k.me.inotifyAddWatch(fd, '/f', F.IN_OPEN | F.IN_MASK_CREATE)).toBe(-E.EEXIST);
    expect(k.me.inotifyAddWatch(fd, '/f', 0x1000)).toBe(-E.EINVAL);
    // by another name it is the same watch; by another descriptor it is not
    ok(k.me.link('/f', '/g'));
    expect(k.me.inotifyAddWatch(fd, '/g', F.IN_OPEN)).toBe(1);
    expect(k.me.inotifyAddWatch(watcher(), '/f', F.IN_OPEN | F.IN_MASK_CREATE)).toBe(1);
  });

  test('links are followed unless told otherwise', () => {
    ok(k.me.mkdir('/d', 0o755));
    ok(k.me.symlink('/d', '/l'));
    const fd = watcher(['/l'], ['/l', ALL | F.IN_DONT_FOLLOW]);
    file('/d/x');
    expect(story(k.me, fd)).toContain('1 CREATE x');
    ok(k.me.unlink('/l'));
    expect(story(k.me, fd)).toEqual(['2 ATTRIB', '2 DELETE_SELF', '2 IGNORED']);
    expect(k.me.inotifyAddWatch(fd, '/nothing', ALL)).toBe(-E.ENOENT);
  });
});

describe('the descriptor', () => {
  test('gives whole events, as many as fit', () => {
    const long = 'n'.repeat(255);
    const fd = watcher(['/', F.IN_CREATE]);
    for (const name of ['a', 'b'.repeat(15), 'c'.repeat(16), long]) ok(k.me.mkdir(`/${name}`, 0o755));
    expect(k.me.read(fd, 31)).toBe(-E.EINVAL);
    const size = new Uint8Array(4);
    expect(k.me.ioctlInto(fd, F.FIONREAD, size)).toBe(0);
    expect(new DataView(size.buffer).getInt32(0, true)).toBe(32 + 32 + 48 + 272);
    expect(ok(k.me.read(fd, 64 + 47)).length).toBe(64);
    expect(ok(k.me.readv(fd, [10, 50])).length).toBe(48);
    const last = decodeInotify(ok(k.me.read(fd, 272)));
    expect(last.map(({ name }) => name)).toEqual([long]);
    expect(k.me.read(fd, 1000)).toBe(-E.EAGAIN);
  });

  test('an event that could not be copied out is read next time', () => {
    const fd = watcher(['/', F.IN_CREATE]);
    ok(k.me.mkdir('/a', 0o755));
    ok(k.me.mkdir('/b', 0o755));
    expect(k.me.readFault(fd, 100)).toBe(-E.EFAULT);
    expect(story(k.me, fd)).toEqual(['1 CREATE|ISDIR a', '1 CREATE|ISDIR b']);
  });

  test('waits, is polled, is woken', () => {
    const fd = ok(k.me.inotifyInit(0));
    ok(k.me.inotifyAddWatch(fd, '/', F.IN_CREATE));
    const reading = k.me.startRead(fd, 1000);
    const polling = k.me.startPoll([{ fd, events: F.POLLIN | F.POLLOUT }], -1);
    expect([reading.poll(), polling.poll()]).toEqual([undefined, undefined]);
    ok(k.friend.mkdir('/d', 0o755));
    expect(polling.poll()).toEqual([F.POLLIN]);
    expect(decodeInotify(reading.poll() as Uint8Array).map(show)).toEqual(['1 CREATE|ISDIR d']);
    const again = k.me.startRead(fd, 10);
    expect(again.poll()).toBe(undefined);
    ok(k.friend.mkdir('/e', 0o755));
    expect(again.poll()).toBe(-E.EINVAL);
    const last = k.me.startRead(fd, 100);
    expect(last.poll()).toBeInstanceOf(Uint8Array);
    expect(k.me.startRead(fd, 100).cancel()).toBe(-E.EINTR);
  });

  test('is shared by a child, and its watches end with the last close', () => {
    file('/f');
    const fd = watcher(['/f', F.IN_ATTRIB]);
    const child = fork(k.target, k.me);
    k.me.close(fd);
    ok(k.me.chmod('/f', 0o600));
    expect(story(child, fd)).toEqual(['1 ATTRIB']);
    ok(k.me.unlink('/f'));
    child.exit();
  });

  test('is no file', () => {
    const fd = ok(k.me.inotifyInit(F.IN_NONBLOCK | F.IN_CLOEXEC));
    const st = ok(k.me.fstat(fd));
    expect([st.mode, st.size, st.nlink]).toEqual([0o600, 0, 1]);
    expect(k.me.fcntl(fd, F.F_GETFL, 0)).toBe(F.O_NONBLOCK);
    expect(k.me.fcntl(fd, F.F_GETFD, 0)).toBe(F.FD_CLOEXEC);
    expect(k.me.pread(fd, 16, 0)).toBe(-E.ESPIPE);
    expect(k.me.write(fd, pattern(1))).toBe(-E.EBADF);
    expect(k.me.fsync(fd)).toBe(-E.EINVAL);
    expect(k.me.ftruncate(fd, 0)).toBe(-E.EINVAL);
    expect(k.me.fchmod(fd, 0o644)).toBe(-E.EOPNOTSUPP);
    expect(k.me.inotifyAddWatch(ok(k.me.open('/', F.O_RDONLY)), '/', ALL)).toBe(-E.EINVAL);
    expect(k.me.inotifyRmWatch(ok(k.me.pipe2(0))[0], 1)).toBe(-E.EINVAL);
  });

  test('says once that it lost events, and goes on', () => {
    const fd = watcher(['/', F.IN_CREATE | F.IN_DELETE]);
    for (let i = 0; i < 8200; i++) {
      ok(k.me.mkdir('/z', 0o755));
      ok(k.me.rmdir('/z'));
    }
    const events = drain(k.me, fd);
    expect(events).toHaveLength(16_385);
    expect(events.at(-1)).toEqual({ wd: -1, mask: F.IN_Q_OVERFLOW, cookie: 0, name: '' });
    ok(k.me.mkdir('/z', 0o755));
    expect(story(k.me, fd)).toEqual(['1 CREATE|ISDIR z']);
  });
});

describe('a small machine', () => {
  const small = eachWithKernel('up-debug', 4 << 20);

  test('a queue that memory does not suffice for overflows, and the machine works on', () => {
    const { me } = small;
    const queues = Array.from({ length: 12 }, () => {
      const fd = ok(me.inotifyInit(F.IN_NONBLOCK));
      ok(me.inotifyAddWatch(fd, '/', F.IN_CREATE | F.IN_DELETE));
      return fd;
    });
    const name = `/${'n'.repeat(200)}`;
    for (let i = 0; i < 3000; i++) {
      ok(me.mkdir(name, 0o755));
      ok(me.rmdir(name));
    }
    for (const fd of queues) {
      const events = drain(me, fd);
      expect(events.length).toBeGreaterThan(0);
      expect(events.length).toBeLessThan(6000);
      expect(events.filter(({ mask }) => mask === F.IN_Q_OVERFLOW)).toHaveLength(1);
    }
  });
});

// ── the same calls on the machine and on the host's kernel ──────────────────────────────────────

type Step = (process: PosixProcess, fds: number[]) => void;

// An open file without a name keeps the directory it was in alive on Linux, even a removed one,
// which therefore tells of its own end later; here the directory goes with its last use.
function closeAll(process: PosixProcess, fds: number[]): void {
  for (const fd of fds.splice(0)) process.close(fd);
}

function isDirectory(process: PosixProcess, path: string): boolean {
  const st = process.lstat(path);
  return typeof st !== 'number' && (st.mode & F.S_IFMT) === F.S_IFDIR;
}

/** A random call on a small tree; its result does not matter, what it tells does. */
function randomStep(random: (n: number) => number): Step {
  const path = ['/a', '/b', '/d', '/e', '/d/a', '/d/b', '/e/a', '/e/d'];
  const any = (): string => path[random(path.length)];
  const [one, two] = [any(), any()];
  const which = random(4);
  const steps: Step[] = [
    (p, fds) => {
      const flags = [F.O_RDONLY, F.O_WRONLY, F.O_RDWR | F.O_TRUNC, F.O_PATH][which];
      const fd = p.open(one, flags | F.O_CREAT, 0o644);
      if (fd >= 0) fds.push(fd);
    },
    (p, fds) => {
      const fd = fds.shift();
      if (fd !== undefined) p.close(fd);
    },
    (p, fds) => void (fds.length && p.write(fds[which % fds.length], new Uint8Array(which))),
    (p, fds) => void (fds.length && p.pread(fds[which % fds.length], 2, 0)),
    (p, fds) => void (fds.length && p.ftruncate(fds[which % fds.length], which)),
    (p, fds) => void (fds.length && p.fchmod(fds[which % fds.length], 0o640 + which)),
    (p) => void p.mkdir(one, 0o755),
    (p, fds) => {
      closeAll(p, fds);
      p.rmdir(one);
    },
    (p) => void p.unlink(one),
    (p, fds) => {
      if (isDirectory(p, two)) closeAll(p, fds);
      p.rename(one, two);
    },
    (p) => void p.renameat2(F.AT_FDCWD, one, F.AT_FDCWD, two, 1 + (which & 1)),
    (p) => void p.link(one, two),
    (p) => void p.symlink('nowhere', one),
    (p) => void p.chmod(one, 0o700 + which),
    (p) => void p.truncate(one, which),
    (p) => void p.stat(one),
    (p, fds) => void (fds.length && p.fallocate(fds[which % fds.length], 0, 0, 1 + which)),
    (p, fds) => void (fds.length && p.copyFileRange(fds[0], 0, fds[which % fds.length], 9, 2, 0)),
    (p) => {
      const [sec, nsec] = [5, F.UTIME_OMIT];
      const times = [0, nsec].map((ns) => ({ sec, nsec: ns }));
      p.utimensat(F.AT_FDCWD, one, times[which & 1], times[which >> 1], F.AT_SYMLINK_NOFOLLOW);
    },
    (p) => void p.mkfifo(one, 0o600),
    (p, fds) => {
      const fd = p.open(one, F.O_RDWR | F.O_NONBLOCK);
      if (fd >= 0) fds.push(fd);
    },
    (p, fds) => void (fds.length && p.read(fds[0], which)),
    (p) => void p.setxattr(one, 'trusted.t', new Uint8Array(which), 0),
  ];
  return steps[random(steps.length)];
}

describe('as on Linux', () => {
  const unavailable = linuxUnavailable();
  if (unavailable) {
    it.skip(`not compared: ${unavailable}`);
    return;
  }
  const linux = new LinuxTarget();
  const machine = new DamselflyTarget({ flavour: 'up-debug' });
  afterAll(() => {
    linux.dispose();
    machine.dispose();
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('random calls tell the same, seed %i', (seed) => {
    const told = [linux, machine].map((target) => {
      target.reset();
      const p = target.as({ uid: 0, gid: 0 });
      const random = seeded(seed * 7919);
      const queue = ok(p.inotifyInit(F.IN_NONBLOCK));
      const fds: number[] = [];
      const lines: string[] = [];
      const watched = ['/', '/d', '/e', '/a', '/b', '/d/a', '/e/d'];
      let count = 0;
      for (let i = 0; i < 1500; i++) {
        if (random(10) === 0) {
          const mask = random(3) ? ALL : ALL & ~F.IN_OPEN;
          const flags = [0, F.IN_EXCL_UNLINK, F.IN_ONESHOT, F.IN_DONT_FOLLOW][random(4)];
          const result = p.inotifyAddWatch(queue, watched[random(watched.length)], mask | flags);
          lines.push(`${i}: watch ${result}`);
        } else randomStep(random)(p, fds);
        for (const line of story(p, queue)) {
          lines.push(`${i}: ${line}`);
          count++;
        }
      }
      expect(count).toBeGreaterThan(150);
      p.exit();
      return lines;
    });
    expect(told[1]).toEqual(told[0]);
  });
});
