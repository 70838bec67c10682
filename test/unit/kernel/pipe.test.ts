import { describe, expect, test } from 'vitest';
import * as E from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { eachWithKernel, fork, ok, pattern } from './kernel.ts';
import { seeded } from '../../helpers/random.ts';

const k = eachWithKernel();
const KIB = 1024;

function pipe(flags = 0): [number, number] {
  return ok(k.me.pipe2(flags));
}

describe('pipes', () => {
  test('a long write survives a slow reader: nothing lost, nothing twice', () => {
    const [r, w] = pipe();
    const data = pattern(1 << 20);
    const writing = k.me.startWrite(w, data);
    const random = seeded(7);
    let at = 0;
    let resumed = 0;
    while (at < data.length) {
      const got = ok(k.me.read(r, 1 + random(9000)));
      expect(Buffer.compare(got, data.subarray(at, at + got.length))).toBe(0);
      at += got.length;
      if (at < data.length - 64 * KIB) expect(writing.poll()).toBe(undefined);
      else writing.poll();
      resumed++;
    }
    expect(writing.poll()).toBe(data.length);
    expect(resumed).toBeGreaterThan(100);
  });

  test('a long vectored write goes on in the middle of a segment', () => {
    const [r, w] = pipe();
    const data = pattern(200_000);
    const parts = [data.subarray(0, 65_000), data.subarray(65_000, 65_001), data.subarray(65_001)];
    const total: Uint8Array[] = [];
    const writing = k.me.startWritev(w, parts);
    while (writing.poll() === undefined) total.push(ok(k.me.read(r, 10_007)));
    expect(writing.poll()).toBe(data.length);
    k.me.close(w);
    for (let got = ok(k.me.read(r, 65_536)); got.length > 0; got = ok(k.me.read(r, 65_536))) total.push(got);
    expect(Buffer.compare(Buffer.concat(total), data)).toBe(0);
  });

  test('cancelling a blocked write tells how much was written', () => {
    const [r, w] = pipe();
    const writing = k.me.startWrite(w, pattern(100_000));
    expect(writing.poll()).toBe(undefined);
    expect(ok(k.me.read(r, 10_000)).length).toBe(10_000);
    expect(writing.poll()).toBe(undefined);
    expect(writing.cancel()).toBe(75_536);
    k.me.close(w);
    let total = 10_000;
    for (let got = ok(k.me.read(r, 65_536)); got.length > 0; got = ok(k.me.read(r, 65_536))) {
      expect(got).toEqual(pattern(got.length, total));
      total += got.length;
    }
    expect(total).toBe(75_536);
  });

  test('the reader goes away under a blocked write: what it took counts, then EPIPE', () => {
    const [r, w] = pipe();
    const writing = k.me.startWrite(w, pattern(100_000));
    expect(writing.poll()).toBe(undefined);
    k.me.close(r);
    expect(writing.poll()).toBe(65_536);
    expect(k.me.write(w, pattern(1))).toBe(-E.EPIPE);
    expect(k.me.write(w, pattern(0))).toBe(0);
  });

  test('a write of PIPE_BUF bytes waits for room for all of them', () => {
    const [r, w] = pipe();
    ok(k.me.write(w, pattern(65_536 - 4095)));
    const writing = k.me.startWrite(w, pattern(4096));
    expect(writing.poll()).toBe(undefined);
    k.me.fcntl(w, F.F_SETFL, F.O_NONBLOCK);
    expect(k.me.write(w, pattern(4096))).toBe(-E.EAGAIN);
    expect(k.me.write(w, pattern(4097))).toBe(4095);
    expect(k.me.write(w, pattern(4097))).toBe(-E.EAGAIN);
    k.me.fcntl(w, F.F_SETFL, 0);
    ok(k.me.read(r, 4095));
    expect(writing.poll()).toBe(undefined);
    ok(k.me.read(r, 1));
    expect(writing.poll()).toBe(4096);
  });

  test('many writers keep their messages whole', () => {
    const [r, w] = pipe();
    const random = seeded(3);
    const writers = Array.from({ length: 40 }, (_, i) => {
      const message = new Uint8Array(1 + random(4096)).fill(i);
      return { message, pending: k.me.startWrite(w, message) };
    });
    const expected = writers.map(({ message }) => message.length);
    const seen = new Map<number, number>();
    let last = -1;
    let bytes = 0;
    const total = expected.reduce((a, b) => a + b);
    while (bytes < total) {
      const got = ok(k.me.read(r, 1000));
      bytes += got.length;
      for (const id of got) {
        if (id !== last) expect(seen.get(id) ?? 0).toBe(0);
        seen.set(id, (seen.get(id) ?? 0) + 1);
        last = id;
      }
      for (const { pending } of writers) pending.poll();
    }
    writers.forEach(({ pending }, i) => {
      expect(pending.poll()).toBe(expected[i]);
    });
    expect(Array.from(expected, (_, i) => seen.get(i))).toEqual(expected);
  });

  test('a random interleaving of writes and reads is a queue of bytes', () => {
    const [r, w] = pipe(F.O_NONBLOCK);
    const random = seeded(11);
    let written = 0;
    let read = 0;
    for (let i = 0; i < 3000; i++) {
      if (random(2)) {
        const size = 1 + random(random(4) ? 5000 : 70_000);
        const n = k.me.write(w, pattern(size, written));
        const room = 65_536 - (written - read);
        expect(n).toBe(size <= room ? size : size <= 4096 || room === 0 ? -E.EAGAIN : room);
        if (n > 0) written += n;
      } else {
        const got = k.me.read(r, 1 + random(20_000));
        if (written === read) expect(got).toBe(-E.EAGAIN);
        else {
          const bytes = ok(got);
          expect(Buffer.compare(bytes, pattern(bytes.length, read))).toBe(0);
          read += bytes.length;
        }
      }
      if (i % 500 === 0) k.me.fcntl(w, F.F_SETPIPE_SZ, 65_536);
    }
    expect(written).toBeGreaterThan(1_000_000);
  });

  test('memory comes back as it is read', () => {
    const { machine } = k.target;
    const [r, w] = pipe();
    ok(k.me.write(w, pattern(10)));
    ok(k.me.read(r, 10));
    const before = machine.u32[(0x10000 + 40) >> 2];
    for (let i = 0; i < 3; i++) {
      ok(k.me.write(w, pattern(65_536)));
      expect(ok(k.me.read(r, 65_536)).length).toBe(65_536);
    }
    expect(machine.u32[(0x10000 + 40) >> 2]).toBeGreaterThanOrEqual(before - 2);
  });

  test('size, times and blocks of a pipe', () => {
    const [r, w] = pipe();
    const before = ok(k.me.fstat(r));
    expect(before.mode).toBe(F.S_IFIFO | 0o600);
    expect([before.size, before.blocks, before.nlink]).toEqual([0, 0, 1]);
    k.target.tick();
    ok(k.me.write(w, pattern(100)));
    const written = ok(k.me.fstat(w));
    expect([written.size, written.blocks]).toEqual([0, 0]);
    expect(written.mtime).not.toEqual(before.mtime);
    expect(written.ctime).toEqual(written.mtime);
    expect(written.atime).toEqual(before.atime);
    k.target.tick();
    ok(k.me.read(r, 0));
    expect(ok(k.me.fstat(r)).atime).toEqual(before.atime);
    ok(k.me.read(r, 10));
    expect(ok(k.me.fstat(r)).atime).not.toEqual(before.atime);
    expect(k.me.fchmod(r, 0o644)).toBe(0);
    expect(ok(k.me.fstat(w)).mode).toBe(F.S_IFIFO | 0o644);
  });

  test('bytes from and to memory that is not there are neither lost nor made up', () => {
    const [r, w] = pipe();
    ok(k.me.write(w, pattern(3)));
    expect(k.me.writeFault(w, 4)).toBe(-E.EFAULT);
    expect(k.me.readFault(r, 2)).toBe(-E.EFAULT);
    expect(ok(k.me.read(r, 10))).toEqual(pattern(3));
  });

  test('capacity: powers of two of pages, what is in it stays', () => {
    const [r, w] = pipe(F.O_NONBLOCK);
    expect(k.me.fcntl(r, F.F_GETPIPE_SZ, 0)).toBe(65_536);
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, 0)).toBe(4096);
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, 4097)).toBe(8192);
    ok(k.me.write(w, pattern(8192)));
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, 4096)).toBe(-E.EBUSY);
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, 20_000)).toBe(32_768);
    ok(k.me.write(w, pattern(10_000, 8192)));
    expect(ok(k.me.read(r, 20_000))).toEqual(pattern(18_192));
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, 1 << 20)).toBe(1 << 20);
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, (1 << 20) + 1)).toBe(1 << 21);
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, -1)).toBe(-E.EINVAL);
    expect(k.me.fcntl(w, F.F_SETPIPE_SZ, 2 ** 33)).toBe(-E.EINVAL);
    const [, theirs] = ok(k.user.pipe2(0));
    expect(k.user.fcntl(theirs, F.F_SETPIPE_SZ, (1 << 20) + 1)).toBe(-E.EPERM);
    expect(k.user.fcntl(theirs, F.F_SETPIPE_SZ, 1 << 20)).toBe(1 << 20);
    const file = ok(k.me.open('/f', F.O_CREAT | F.O_RDWR, 0o644));
    expect(k.me.fcntl(file, F.F_SETPIPE_SZ, 4096)).toBe(-E.EBADF);
  });

  test('growing a full pipe lets its writer go on', () => {
    const [, w] = pipe();
    const writing = k.me.startWrite(w, pattern(100_000));
    expect(writing.poll()).toBe(undefined);
    ok(k.me.fcntl(w, F.F_SETPIPE_SZ, 1 << 17));
    expect(writing.poll()).toBe(100_000);
  });

  test('what has no sense on a pipe', () => {
    const [r, w] = pipe();
    expect(k.me.pipe2(F.O_APPEND)).toBe(-E.EINVAL);
    expect(k.me.lseek(r, 0, F.SEEK_SET)).toBe(-E.ESPIPE);
    expect(k.me.pread(r, 1, 0)).toBe(-E.ESPIPE);
    expect(k.me.pwrite(w, pattern(1), 0)).toBe(-E.ESPIPE);
    expect(k.me.fsync(w)).toBe(-E.EINVAL);
    expect(k.me.read(w, 1)).toBe(-E.EBADF);
    expect(k.me.write(r, pattern(1))).toBe(-E.EBADF);
  });

  test('a child that inherits the writing end keeps the pipe open', () => {
    const [r, w] = pipe();
    const child = fork(k.target, k.me);
    k.me.close(w);
    const reading = k.me.startRead(r, 10);
    expect(reading.poll()).toBe(undefined);
    ok(child.write(w, pattern(3)));
    expect(reading.poll()).toEqual(pattern(3));
    const again = k.me.startRead(r, 10);
    expect(again.poll()).toBe(undefined);
    child.exit();
    expect(again.poll()).toEqual(new Uint8Array(0));
  });

  test('a process that ends in the middle of a blocked call leaves nothing', () => {
    const [r, w] = ok(k.user.pipe2(0));
    expect(k.user.startRead(r, 10).poll()).toBe(undefined);
    expect(k.user.startWrite(w, pattern(70_000)).poll()).toBe(undefined);
    k.user.exit();
  });

  test('closing the descriptor does not end a read that waits on it', () => {
    const [r, w] = pipe();
    const reading = k.me.startRead(r, 10);
    k.me.close(r);
    expect(reading.poll()).toBe(undefined);
    ok(k.me.write(w, pattern(5)));
    expect(reading.poll()).toEqual(pattern(5));
    expect(k.me.write(w, pattern(5))).toBe(-E.EPIPE);
  });

  test('a full table takes neither end', () => {
    ok(k.me.setrlimit(F.RLIMIT_NOFILE, 1));
    expect(k.me.pipe2(0)).toBe(-E.EMFILE);
    const fd = ok(k.me.open('/', F.O_RDONLY));
    expect(fd).toBe(0);
    k.me.close(fd);
  });
});

describe('fifos', () => {
  function fifo(name = '/p'): string {
    ok(k.me.mkfifo(name, 0o666));
    return name;
  }

  test('open waits for the other end, whichever comes first', () => {
    const path = fifo();
    const reader = k.me.startOpen(path, F.O_RDONLY);
    expect(reader.poll()).toBe(undefined);
    const writer = k.friend.startOpen(path, F.O_WRONLY);
    const w = writer.poll() as number;
    expect(w).toBeGreaterThanOrEqual(0);
    const r = reader.poll() as number;
    expect(r).toBeGreaterThanOrEqual(0);
    ok(k.friend.write(w, pattern(4)));
    expect(ok(k.me.read(r, 10))).toEqual(pattern(4));
    k.me.close(r);
    k.friend.close(w);
    const second = k.me.startOpen(path, F.O_WRONLY);
    expect(second.poll()).toBe(undefined);
    const other = ok(k.friend.open(path, F.O_RDONLY | F.O_NONBLOCK));
    expect(second.poll()).toBe(r);
    k.friend.close(other);
  });

  test('a partner that came and went is not missed', () => {
    const path = fifo();
    const reader = k.me.startOpen(path, F.O_RDONLY);
    const writer = k.friend.startOpen(path, F.O_WRONLY);
    const w = writer.poll() as number;
    ok(k.friend.write(w, pattern(9)));
    k.friend.close(w);
    const r = ok(reader.poll() as number);
    expect(ok(k.me.read(r, 20))).toEqual(pattern(9));
    expect(ok(k.me.read(r, 20)).length).toBe(0);
  });

  test('O_NONBLOCK: a reader does not wait, a writer without reader fails', () => {
    const path = fifo();
    expect(k.me.open(path, F.O_WRONLY | F.O_NONBLOCK)).toBe(-E.ENXIO);
    const r = ok(k.me.open(path, F.O_RDONLY | F.O_NONBLOCK));
    expect(ok(k.me.read(r, 10)).length).toBe(0);
    const w = ok(k.me.open(path, F.O_WRONLY | F.O_NONBLOCK));
    expect(k.me.read(r, 10)).toBe(-E.EAGAIN);
    k.me.close(w);
    expect(ok(k.me.read(r, 10)).length).toBe(0);
  });

  test('O_RDWR never waits', () => {
    const path = fifo();
    const fd = ok(k.me.open(path, F.O_RDWR));
    ok(k.me.write(fd, pattern(5)));
    expect(ok(k.me.read(fd, 5))).toEqual(pattern(5));
    const reading = k.me.startRead(fd, 5);
    expect(reading.poll()).toBe(undefined);
    expect(reading.cancel()).toBe(-E.EINTR);
  });

  test('an open that is given up leaves no reader behind', () => {
    const path = fifo();
    const reader = k.me.startOpen(path, F.O_RDONLY);
    expect(reader.cancel()).toBe(-E.EINTR);
    expect(k.me.open(path, F.O_WRONLY | F.O_NONBLOCK)).toBe(-E.ENXIO);
    const writer = k.me.startOpen(path, F.O_CREAT | F.O_WRONLY | F.O_TRUNC, 0o600);
    expect(writer.poll()).toBe(undefined);
    k.me.exit();
    const r = ok(k.friend.open(path, F.O_RDONLY | F.O_NONBLOCK));
    expect(ok(k.friend.read(r, 1)).length).toBe(0);
  });

  test('a resumed open finds no free descriptor', () => {
    const path = fifo();
    ok(k.me.setrlimit(F.RLIMIT_NOFILE, 1));
    const reader = k.me.startOpen(path, F.O_RDONLY);
    const fd = ok(k.me.open('/', F.O_RDONLY));
    const writer = k.friend.startOpen(path, F.O_WRONLY);
    expect(reader.poll()).toBe(-E.EMFILE);
    const w = writer.poll() as number;
    expect(k.friend.write(w, pattern(1))).toBe(-E.EPIPE);
    k.me.close(fd);
  });

  test('what nobody read is gone with the last close; until then it stays', () => {
    const path = fifo();
    const both = ok(k.me.open(path, F.O_RDWR));
    ok(k.me.write(both, pattern(8)));
    const r = ok(k.me.open(path, F.O_RDONLY));
    k.me.close(both);
    expect(ok(k.me.read(r, 3))).toEqual(pattern(3));
    k.me.close(r);
    const again = ok(k.me.open(path, F.O_RDWR | F.O_NONBLOCK));
    expect(k.me.read(again, 3)).toBe(-E.EAGAIN);
    expect(ok(k.me.stat(path)).size).toBe(0);
  });

  test('an unlinked fifo works on; a new one of the name is another', () => {
    const path = fifo();
    const fd = ok(k.me.open(path, F.O_RDWR));
    ok(k.me.unlink(path));
    fifo(path);
    const other = ok(k.me.open(path, F.O_RDWR | F.O_NONBLOCK));
    ok(k.me.write(fd, pattern(3)));
    expect(k.me.read(other, 3)).toBe(-E.EAGAIN);
    expect(ok(k.me.read(fd, 3))).toEqual(pattern(3));
  });

  test('a fifo’s bytes are not the file system’s', () => {
    ok(k.me.mkdir('/m', 0o755));
    ok(k.me.mount('none', '/m', 'tmpfs', 0, 'size=8k'));
    const fd = ok(k.me.open(fifo('/m/p'), F.O_RDWR));
    expect(k.me.write(fd, pattern(60_000))).toBe(60_000);
    expect(ok(k.me.statfs('/m')).bfree).toBe(2);
    expect(ok(k.me.stat('/m/p')).blocks).toBe(0);
    k.me.close(fd);
  });

  test('a forced unmount wakes who waits, with EIO', () => {
    ok(k.me.mkdir('/m', 0o755));
    ok(k.me.mount('none', '/m', 'tmpfs', 0, ''));
    const path = fifo('/m/p');
    const opening = k.friend.startOpen(path, F.O_RDONLY);
    const fd = ok(k.me.open(path, F.O_RDWR));
    expect(opening.poll()).toBeGreaterThanOrEqual(0);
    const reading = k.me.startRead(fd, 10);
    const late = k.me.startOpen(fifo('/m/q'), F.O_WRONLY);
    expect([reading.poll(), late.poll()]).toEqual([undefined, undefined]);
    ok(k.me.umount2('/m', F.MNT_FORCE));
    expect(reading.poll()).toBe(-E.EIO);
    expect(late.poll()).toBe(-E.EIO);
    expect(k.me.write(fd, pattern(1))).toBe(-E.EIO);
    expect(k.me.close(fd)).toBe(0);
  });
});

describe('a small machine', () => {
  const small = eachWithKernel('up-debug', 4 << 20);

  test('pipes fill RAM, fail with ENOMEM or a short count, and give it all back', () => {
    const { me } = small;
    const ends = Array.from({ length: 20 }, () => ok(me.pipe2(F.O_NONBLOCK)));
    let short = 0;
    const held = ends.map(([, w]) => {
      me.fcntl(w, F.F_SETPIPE_SZ, 1 << 20);
      const n = me.write(w, pattern(1 << 20));
      if (n !== 1 << 20) short++;
      return n;
    });
    expect(short).toBeGreaterThan(0);
    ends.forEach(([r], i) => {
      const n = held[i];
      if (n <= 0) expect([-E.ENOMEM, -E.EAGAIN]).toContain(n);
      let got = 0;
      for (let part = me.read(r, 1 << 18); typeof part !== 'number'; part = me.read(r, 1 << 18)) {
        expect(Buffer.compare(part, pattern(part.length, got))).toBe(0);
        got += part.length;
      }
      expect(got).toBe(Math.max(n, 0));
    });
    expect(me.write(ends[0][1], pattern(100_000))).toBe(100_000);
  });
});

describe('packets', () => {
  interface Piece {
    data: Uint8Array;
    packet: boolean;
  }

  /** What a read of `len` bytes takes off the front of a list of plain bytes and packets. */
  function take(pieces: Piece[], len: number): Uint8Array {
    const got: Uint8Array[] = [];
    let left = len;
    while (left > 0 && pieces.length > 0) {
      const [{ data, packet }] = pieces;
      const part = data.subarray(0, left);
      got.push(part);
      left -= part.length;
      if (packet || part.length === data.length) pieces.shift();
      else pieces[0] = { data: data.subarray(part.length), packet };
      if (packet) break;
    }
    return Buffer.concat(got);
  }

  test.each([1, 2, 3, 4])(
    'random writes, with and without O_DIRECT, as a list of pieces has them: seed %i',
    (seed) => {
      const random = seeded(seed);
      const [r, w] = pipe(F.O_NONBLOCK);
      const pieces: Piece[] = [];
      let sent = 0;
      let packets = 0;
      for (let turn = 0; turn < 3000; turn++) {
        if (random(2) === 0) {
          const packet = random(2) === 0;
          ok(k.me.fcntl(w, F.F_SETFL, F.O_NONBLOCK | (packet ? F.O_DIRECT : 0)));
          const data = pattern(1 + random([10, 5000, 20_000][random(3)]), sent);
          const n = k.me.write(w, data);
          if (n === -E.EAGAIN) continue;
          sent += ok(n);
          for (let at = 0; at < n; at += packet ? F.PIPE_BUF : n) {
            const end = packet ? Math.min(n, at + F.PIPE_BUF) : n;
            pieces.push({ data: data.subarray(at, end), packet });
            if (packet) packets++;
          }
        } else {
          const len = 1 + random([10, 5000, 40_000][random(3)]);
          if (pieces.length === 0) expect(k.me.read(r, len)).toBe(-E.EAGAIN);
          else expect(Buffer.compare(ok(k.me.read(r, len)), take(pieces, len))).toBe(0);
        }
      }
      expect(packets).toBeGreaterThan(300);
      while (pieces.length > 0)
        expect(Buffer.compare(ok(k.me.read(r, 70_000)), take(pieces, 70_000))).toBe(0);
      expect(k.me.read(r, 1)).toBe(-E.EAGAIN);
    },
  );

  test('a short packet takes a page of the capacity; what is discarded gives it back', () => {
    const [r, w] = pipe(F.O_DIRECT | F.O_NONBLOCK);
    for (let round = 0; round < 3; round++) {
      let n = 0;
      while (k.me.write(w, pattern(100)) > 0) n++;
      expect(n).toBe(16);
      for (let i = 0; i < n; i++) expect(ok(k.me.read(r, 1)).length).toBe(1);
    }
  });
});
