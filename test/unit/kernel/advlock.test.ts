import { beforeEach, describe, expect, test } from 'vitest';
import * as E from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import type { DamselflyProcess } from '../../oracle/damselfly-process.ts';
import type { FileLock, Pending } from '../../oracle/target.ts';
import { eachWithKernel, fork, ok, pattern } from './kernel.ts';
import { seeded } from '../../helpers/random.ts';

const k = eachWithKernel();
beforeEach(() => {
  k.me.umask(0);
  k.me.close(open(k.me));
});

const range = (type: number, start: number, len: number): FileLock => ({
  type,
  whence: F.SEEK_SET,
  start,
  len,
});
const write = (start: number, len: number): FileLock => range(F.F_WRLCK, start, len);
const read = (start: number, len: number): FileLock => range(F.F_RDLCK, start, len);
const none = (start: number, len: number): FileLock => range(F.F_UNLCK, start, len);

function open(process: DamselflyProcess, flags = F.O_RDWR): number {
  return ok(process.open('/f', flags | F.O_CREAT, 0o666));
}

/** What stands in the way of an exclusive lock, as [type, start, len]. */
function inTheWay(process: DamselflyProcess, fd: number, start: number, len: number): number[] | undefined {
  const lock = ok(process.fcntlLock(fd, F.F_GETLK, write(start, len)));
  return lock.type === F.F_UNLCK ? undefined : [lock.type, lock.start, lock.len];
}

/** Every range another process has, in order. */
function ranges(process: DamselflyProcess, fd: number): number[][] {
  const list: number[][] = [];
  for (let at = 0; ; ) {
    let found = inTheWay(process, fd, at, 0);
    if (!found) return list;
    // the first in the list need not be the lowest
    for (let lower = found; lower; lower = inTheWay(process, fd, at, found[1] - at) as number[]) {
      found = lower;
      if (found[1] <= at) break;
    }
    list.push(found);
    if (found[2] === 0) return list;
    at = found[1] + found[2];
  }
}

describe('record locks', () => {
  test('conflict between processes, never within one', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    expect(k.me.fcntlLock(mine, F.F_SETLK, write(10, 10))).toBe(0);
    expect(k.me.fcntlLock(open(k.me), F.F_SETLK, write(10, 10))).toBe(0);
    expect(k.friend.fcntlLock(theirs, F.F_SETLK, read(19, 1))).toBe(-E.EAGAIN);
    expect(k.friend.fcntlLock(theirs, F.F_SETLK, read(20, 5))).toBe(0);
    expect(k.friend.fcntlLock(theirs, F.F_SETLK, read(0, 10))).toBe(0);
    expect(k.me.fcntlLock(mine, F.F_SETLK, read(0, 30))).toBe(0);
    expect(k.me.fcntlLock(mine, F.F_SETLK, write(5, 1))).toBe(-E.EAGAIN);
  });

  test('F_GETLK names the holder', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.fcntlLock(mine, F.F_SETLK, write(100, 0)));
    expect(k.friend.fcntlLock(theirs, F.F_GETLK, read(0, 0))).toEqual({
      type: F.F_WRLCK,
      whence: F.SEEK_SET,
      start: 100,
      len: 0,
      pid: k.me.pid,
    });
    expect(inTheWay(k.friend, theirs, 0, 100)).toBe(undefined);
    expect(inTheWay(k.me, mine, 0, 0)).toBe(undefined);
    const other = open(k.me);
    ok(k.friend.fcntlLock(theirs, F.F_OFD_SETLK, read(0, 5)));
    expect(ok(k.me.fcntlLock(other, F.F_GETLK, write(0, 1))).pid).toBe(-1);
    expect(ok(k.me.fcntlLock(other, F.F_OFD_GETLK, write(200, 1))).pid).toBe(k.me.pid);
  });

  test('ranges split, shrink, merge, change type', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    const set = (lock: FileLock): number[][] => {
      ok(k.me.fcntlLock(mine, F.F_SETLK, lock));
      return ranges(k.friend, theirs);
    };
    expect(set(write(0, 100))).toEqual([[1, 0, 100]]);
    expect(set(none(40, 20))).toEqual([
      [1, 0, 40],
      [1, 60, 40],
    ]);
    expect(set(write(40, 20))).toEqual([[1, 0, 100]]);
    expect(set(read(20, 10))).toEqual([
      [1, 0, 20],
      [0, 20, 10],
      [1, 30, 70],
    ]);
    expect(set(read(10, 10))).toEqual([
      [1, 0, 10],
      [0, 10, 20],
      [1, 30, 70],
    ]);
    expect(set(none(25, 10))).toEqual([
      [1, 0, 10],
      [0, 10, 15],
      [1, 35, 65],
    ]);
    expect(set(write(100, 0))).toEqual([
      [1, 0, 10],
      [0, 10, 15],
      [1, 35, 0],
    ]);
    expect(set(read(0, 0))).toEqual([[0, 0, 0]]);
    expect(set(none(2 ** 40, 1))).toEqual([
      [0, 0, 2 ** 40],
      [0, 2 ** 40 + 1, 0],
    ]);
    expect(set(none(0, 0))).toEqual([]);
  });

  test('random locks of three processes and two descriptions agree with a model by bytes', () => {
    const SIZE = 24;
    const random = seeded(99);
    const owners = [k.me, k.friend, k.user].map((process) => ({ process, fd: open(process), ofd: false }));
    for (const process of [k.me, k.friend]) owners.push({ process, fd: open(process), ofd: true });
    // the last cell is all that lies behind
    const held = owners.map(() => new Array<number>(SIZE + 1).fill(F.F_UNLCK));
    const clash = (a: number, b: number): boolean =>
      a !== F.F_UNLCK && b !== F.F_UNLCK && (a === F.F_WRLCK || b === F.F_WRLCK);
    let granted = 0;
    for (let i = 0; i < 4000; i++) {
      const who = random(owners.length);
      const { process, fd, ofd } = owners[who];
      const type = random(3);
      const start = random(SIZE);
      const len = random(4) ? 1 + random(SIZE - start) : 0;
      const end = len === 0 ? SIZE + 1 : start + len;
      const blocked = held.some(
        (other, o) => o !== who && other.slice(start, end).some((theirs) => clash(theirs, type)),
      );
      const result = process.fcntlLock(fd, ofd ? F.F_OFD_SETLK : F.F_SETLK, range(type, start, len));
      expect(result, `step ${i}`).toBe(blocked ? -E.EAGAIN : 0);
      if (blocked) continue;
      granted++;
      held[who].fill(type, start, end);
    }
    expect(granted).toBeGreaterThan(1500);
  });

  test('positions: from the offset, from the end, backwards, too far', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.write(mine, pattern(50)));
    ok(k.me.lseek(mine, 20, F.SEEK_SET));
    const set = (whence: number, start: number, len: number): number =>
      k.me.fcntlLock(mine, F.F_SETLK, { type: F.F_WRLCK, whence, start, len }) as number;
    expect(set(F.SEEK_CUR, 2, 5)).toBe(0);
    expect(ranges(k.friend, theirs)).toEqual([[1, 22, 5]]);
    expect(set(F.SEEK_END, 0, -10)).toBe(0);
    expect(ranges(k.friend, theirs)).toEqual([
      [1, 22, 5],
      [1, 40, 10],
    ]);
    expect(set(F.SEEK_CUR, -21, 1)).toBe(-E.EINVAL);
    expect(set(F.SEEK_SET, 5, -6)).toBe(-E.EINVAL);
    expect(set(F.SEEK_SET, 2 ** 62, 2 ** 62)).toBe(0);
    expect(set(F.SEEK_SET, 2 ** 62, 2 ** 62 + 2 ** 10)).toBe(-E.EOVERFLOW);
    expect(set(F.SEEK_SET, 2 ** 63, 1)).toBe(-E.EOVERFLOW);
    expect(set(F.SEEK_CUR, 2 ** 63 - 1024, 0)).toBe(0);
    expect(set(F.SEEK_SET, Number.NaN, 1)).toBe(-E.EINVAL);
    expect(k.me.fcntlLock(mine, 12345, write(0, 1))).toBe(-E.EINVAL);
  });

  test('closing any descriptor of the file drops the process’s locks; the description’s stay', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.fcntlLock(mine, F.F_SETLK, write(0, 10)));
    ok(k.me.fcntlLock(mine, F.F_OFD_SETLK, read(20, 10)));
    const dup = ok(k.me.dup(mine));
    expect(ranges(k.friend, theirs)).toHaveLength(2);
    k.me.close(open(k.me, F.O_RDONLY));
    expect(ranges(k.friend, theirs)).toEqual([[0, 20, 10]]);
    k.me.close(mine);
    expect(ranges(k.friend, theirs)).toEqual([[0, 20, 10]]);
    k.me.close(dup);
    expect(ranges(k.friend, theirs)).toEqual([]);
  });

  test('a child has none of its parent’s record locks, and shares those of descriptions', () => {
    const fd = open(k.me);
    ok(k.me.fcntlLock(fd, F.F_SETLK, write(0, 10)));
    ok(k.me.fcntlLock(fd, F.F_OFD_SETLK, write(10, 10)));
    const child = fork(k.target, k.me);
    expect(child.fcntlLock(fd, F.F_SETLK, write(0, 1))).toBe(-E.EAGAIN);
    expect(child.fcntlLock(fd, F.F_OFD_SETLK, read(10, 5))).toBe(0);
    child.exit();
    expect(inTheWay(k.friend, open(k.friend), 0, 1)).toEqual([F.F_WRLCK, 0, 10]);
  });

  test('the end of a process frees its locks and wakes who waits', () => {
    const theirs = open(k.friend);
    ok(k.friend.fcntlLock(theirs, F.F_SETLK, write(0, 0)));
    const waiting = k.me.startLock(open(k.me), F.F_SETLKW, write(5, 5));
    expect(waiting.poll()).toBe(undefined);
    k.friend.exit();
    expect(waiting.poll()).toBe(0);
  });

  test('an unlinked file keeps its locks; its name’s next file has none', () => {
    const fd = open(k.me);
    ok(k.me.fcntlLock(fd, F.F_SETLK, write(0, 0)));
    ok(k.me.unlink('/f'));
    expect(ranges(k.friend, open(k.friend))).toEqual([]);
  });
});

describe('waiting for a lock', () => {
  test('ends when the last thing in the way goes, in part or whole', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    const third = open(k.user);
    ok(k.me.fcntlLock(mine, F.F_SETLK, read(0, 10)));
    ok(k.user.fcntlLock(third, F.F_SETLK, read(5, 10)));
    const waiting = k.friend.startLock(theirs, F.F_SETLKW, write(8, 4));
    expect(waiting.poll()).toBe(undefined);
    ok(k.me.fcntlLock(mine, F.F_SETLK, none(8, 100)));
    expect(waiting.poll()).toBe(undefined);
    ok(k.user.fcntlLock(third, F.F_SETLK, none(0, 12)));
    expect(waiting.poll()).toBe(0);
    expect(ranges(k.me, mine)).toEqual([
      [1, 8, 4],
      [0, 12, 3],
    ]);
  });

  test('a downgrade lets readers in', () => {
    const mine = open(k.me);
    ok(k.me.fcntlLock(mine, F.F_SETLK, write(0, 10)));
    const waiting = k.friend.startLock(open(k.friend), F.F_SETLKW, read(0, 1));
    expect(waiting.poll()).toBe(undefined);
    ok(k.me.fcntlLock(mine, F.F_SETLK, read(0, 10)));
    expect(waiting.poll()).toBe(0);
  });

  test('given up, it leaves nothing', () => {
    ok(k.me.fcntlLock(open(k.me), F.F_SETLK, write(0, 0)));
    const fd = open(k.friend);
    const waiting = k.friend.startLock(fd, F.F_SETLKW, write(0, 1));
    expect(waiting.cancel()).toBe(-E.EINTR);
    const again = k.friend.startLock(fd, F.F_OFD_SETLKW, write(0, 1));
    expect(again.poll()).toBe(undefined);
    k.friend.exit();
    k.me.exit();
    expect(ranges(k.user, open(k.user))).toEqual([]);
  });

  test('a process that closed the file meanwhile gets no lock', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.fcntlLock(mine, F.F_SETLK, write(0, 0)));
    const waiting = k.friend.startLock(theirs, F.F_SETLKW, write(0, 1));
    k.friend.close(theirs);
    ok(k.me.fcntlLock(mine, F.F_SETLK, none(0, 0)));
    expect(waiting.poll()).toBe(-E.EBADF);
    expect(ranges(k.me, mine)).toEqual([]);
  });

  test('an open file description waits like a process, and is found dead by nobody', () => {
    const a = open(k.me);
    const b = open(k.me);
    ok(k.me.fcntlLock(a, F.F_OFD_SETLK, write(0, 1)));
    const waiting = k.me.startLock(b, F.F_OFD_SETLKW, read(0, 1));
    expect(waiting.poll()).toBe(undefined);
    ok(k.me.fcntlLock(a, F.F_OFD_SETLK, none(0, 1)));
    expect(waiting.poll()).toBe(0);
  });
});

describe('deadlocks', () => {
  function ring(size: number): { processes: DamselflyProcess[]; waits: Pending<FileLock>[]; last: unknown } {
    const processes = Array.from({ length: size }, () => k.target.as({ uid: 0, gid: 0 }));
    const fds = processes.map((process) => open(process));
    processes.forEach((process, i) => {
      ok(process.fcntlLock(fds[i], F.F_SETLK, write(i, 1)));
    });
    const waits = processes
      .slice(0, -1)
      .map((process, i) => process.startLock(fds[i], F.F_SETLKW, write(i + 1, 1)));
    const last = processes[size - 1].startLock(fds[size - 1], F.F_SETLKW, write(0, 1)).poll();
    return { processes, waits, last };
  }

  test('a ring of any length is found by who would close it', () => {
    for (const size of [2, 3, 7, 40]) {
      const { processes, waits, last } = ring(size);
      expect(last).toBe(-E.EDEADLK);
      expect(waits.every((wait) => wait.poll() === undefined)).toBe(true);
      processes[size - 1].exit();
      expect(waits[size - 2].poll()).toBe(0);
      for (const process of processes.slice(0, -1)) process.exit();
    }
  });

  test('a ring through the second of two who are in the way', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.user.fcntlLock(open(k.user), F.F_SETLK, read(0, 1)));
    ok(k.friend.fcntlLock(theirs, F.F_SETLK, read(0, 1)));
    ok(k.me.fcntlLock(mine, F.F_SETLK, write(5, 1)));
    expect(k.friend.startLock(theirs, F.F_SETLKW, write(5, 1)).poll()).toBe(undefined);
    expect(k.me.fcntlLock(mine, F.F_SETLKW, write(0, 1))).toBe(-E.EDEADLK);
  });

  test('waiting in a line is none, nor is a lock over two files taken in order', () => {
    const fds = [k.me, k.friend, k.user].map((process) => open(process));
    ok(k.me.fcntlLock(fds[0], F.F_SETLK, write(0, 1)));
    const second = k.friend.startLock(fds[1], F.F_SETLKW, write(0, 1));
    const third = k.user.startLock(fds[2], F.F_SETLKW, write(0, 1));
    expect([second.poll(), third.poll()]).toEqual([undefined, undefined]);
    const other = ok(k.me.open('/g', F.O_RDWR | F.O_CREAT, 0o666));
    expect(k.me.fcntlLock(other, F.F_SETLKW, write(0, 1))).toBe(0);
    ok(k.me.fcntlLock(fds[0], F.F_SETLK, none(0, 1)));
    const got = [second.poll(), third.poll()];
    expect(got).toEqual([0, undefined]);
    ok(k.friend.fcntlLock(fds[1], F.F_SETLK, none(0, 1)));
    expect(third.poll()).toBe(0);
  });

  test('one who was woken and has not gone on yet is no longer in a ring', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.fcntlLock(mine, F.F_SETLK, write(0, 1)));
    const waiting = k.friend.startLock(theirs, F.F_SETLKW, write(0, 1));
    ok(k.friend.fcntlLock(theirs, F.F_SETLK, write(1, 1)));
    ok(k.me.fcntlLock(mine, F.F_SETLK, none(0, 1)));
    const second = k.me.startLock(mine, F.F_SETLKW, write(1, 1));
    expect(second.poll()).toBe(undefined);
    expect(waiting.poll()).toBe(0);
    k.friend.exit();
    expect(second.poll()).toBe(0);
  });
});

describe('flock', () => {
  test('belongs to the description: dup and child share it, the last close frees it', () => {
    const fd = open(k.me, F.O_RDONLY);
    const dup = ok(k.me.dup(fd));
    const child = fork(k.target, k.me);
    expect(k.me.flock(fd, F.LOCK_EX)).toBe(0);
    expect(k.me.flock(dup, F.LOCK_EX | F.LOCK_NB)).toBe(0);
    const other = open(k.me);
    expect(k.me.flock(other, F.LOCK_SH | F.LOCK_NB)).toBe(-E.EAGAIN);
    k.me.close(fd);
    k.me.close(dup);
    expect(k.me.flock(other, F.LOCK_SH | F.LOCK_NB)).toBe(-E.EAGAIN);
    child.exit();
    expect(k.me.flock(other, F.LOCK_SH | F.LOCK_NB)).toBe(0);
  });

  test('has nothing to do with record locks', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.flock(mine, F.LOCK_EX));
    expect(k.friend.fcntlLock(theirs, F.F_SETLK, write(0, 0))).toBe(0);
    expect(k.friend.flock(theirs, F.LOCK_EX | F.LOCK_NB)).toBe(-E.EAGAIN);
    expect(k.me.fcntlLock(mine, F.F_SETLK, read(0, 1))).toBe(-E.EAGAIN);
  });

  test('waits, is woken, can be given up', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.flock(mine, F.LOCK_EX));
    const waiting = k.friend.startFlock(theirs, F.LOCK_SH);
    const other = k.user.startFlock(open(k.user), F.LOCK_EX);
    expect([waiting.poll(), other.poll()]).toEqual([undefined, undefined]);
    ok(k.me.flock(mine, F.LOCK_UN));
    expect([waiting.poll(), other.poll()]).toEqual([0, undefined]);
    expect(other.cancel()).toBe(-E.EINTR);
    expect(k.me.flock(mine, F.LOCK_SH)).toBe(0);
  });

  test('one that waits, or may not, wakes none of the others', () => {
    const { kernel } = k.target.machine;
    ok(k.me.flock(open(k.me), F.LOCK_EX));
    const [a, b] = [k.friend, k.user].map((one) => one.startFlock(open(one), F.LOCK_EX));
    expect(k.me.flock(open(k.me), F.LOCK_EX | F.LOCK_NB)).toBe(-E.EAGAIN);
    expect(kernel.lwp_next()).toBe(0);
    expect([a.cancel(), b.cancel()]).toEqual([-E.EINTR, -E.EINTR]);
  });

  test('changing its type lets the old one go first', () => {
    const a = open(k.me);
    const b = open(k.friend);
    ok(k.me.flock(a, F.LOCK_SH));
    ok(k.friend.flock(b, F.LOCK_SH));
    expect(k.me.flock(a, F.LOCK_EX | F.LOCK_NB)).toBe(-E.EAGAIN);
    // a has nothing now
    expect(k.friend.flock(b, F.LOCK_EX | F.LOCK_NB)).toBe(0);
    ok(k.friend.flock(b, F.LOCK_SH));
    expect(k.me.flock(a, F.LOCK_SH | F.LOCK_NB)).toBe(0);
  });

  test('works on directories, pipes and fifos; needs a real descriptor and operation', () => {
    const dir = ok(k.me.open('/', F.O_RDONLY));
    const [r, w] = ok(k.me.pipe2(0));
    expect(k.me.flock(dir, F.LOCK_EX)).toBe(0);
    expect(k.me.flock(r, F.LOCK_EX)).toBe(0);
    expect(k.me.flock(w, F.LOCK_EX | F.LOCK_NB)).toBe(-E.EAGAIN);
    expect(k.me.flock(w, F.LOCK_EX | F.LOCK_SH)).toBe(-E.EINVAL);
    expect(k.me.flock(99, F.LOCK_EX)).toBe(-E.EBADF);
    expect(k.me.flock(ok(k.me.open('/', F.O_PATH)), F.LOCK_SH)).toBe(-E.EBADF);
  });

  test('a lock taken after the descriptor was closed goes with the call', () => {
    const mine = open(k.me);
    const theirs = open(k.friend);
    ok(k.me.flock(mine, F.LOCK_EX));
    const waiting = k.friend.startFlock(theirs, F.LOCK_EX);
    k.friend.close(theirs);
    ok(k.me.flock(mine, F.LOCK_UN));
    expect(waiting.poll()).toBe(0);
    expect(k.me.flock(mine, F.LOCK_EX | F.LOCK_NB)).toBe(0);
  });
});

describe('many locks', () => {
  const small = eachWithKernel('up-debug', 4 << 20);

  test('run out with ENOLCK and change nothing then; unlocking everything needs no memory', () => {
    const { me, friend } = small;
    const fd = open(me);
    const theirs = open(friend);
    const ballast = ok(me.open('/ballast', F.O_RDWR | F.O_CREAT, 0o600));
    while (me.write(ballast, pattern(4096)) === 4096);
    ok(me.ftruncate(ballast, ok(me.fstat(ballast)).size - (256 << 10)));
    let n = 0;
    let result = 0;
    while (n < 200_000) {
      result = me.fcntlLock(fd, F.F_SETLK, write(2 * n, 1)) as number;
      if (result !== 0) break;
      n++;
    }
    expect(result).toBe(-E.ENOLCK);
    expect(n).toBeGreaterThan(1000);
    expect(inTheWay(friend, theirs, 2 * n - 2, 0)).toEqual([F.F_WRLCK, 2 * n - 2, 1]);
    expect(me.fcntlLock(fd, F.F_SETLK, none(0, 0))).toBe(0);
    expect(inTheWay(friend, theirs, 0, 0)).toBe(undefined);
  }, 60_000);
});
