import { expect } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import { block, bytesOf, type Scene } from '../scene.ts';
import { type Behaviour, behaviour } from '../types.ts';

/** Pipes and fifos, of bytes and of packets. */

const on = (title: string, run: (s: Scene) => void): Behaviour => behaviour('descriptors', title, run);

export const pipeBehaviours: readonly Behaviour[] = [
  on('a pipe is read in the order it was written', (s) => {
    const [r, w] = s.pipe();
    expect([s.me.write(w, bytesOf('ab')), s.me.write(w, bytesOf('cde'))]).toEqual([2, 3]);
    expect(s.me.read(r, 3)).toEqual(bytesOf('abc'));
    expect(s.me.read(r, 100)).toEqual(bytesOf('de'));
  }),
  on('a pipe without writers ends', (s) => {
    const [r, w] = s.pipe();
    s.ok(s.me.write(w, bytesOf('ab')), 'write');
    s.ok(s.me.close(w), 'close');
    expect(s.me.read(r, 100)).toEqual(bytesOf('ab'));
    expect(s.me.read(r, 100)).toEqual(bytesOf(''));
  }),
  on('up to PIPE_BUF is all or nothing, more may be part', (s) => {
    const [r, w] = s.pipe(F.O_NONBLOCK);
    const capacity = s.me.fcntl(w, F.F_GETPIPE_SZ, 0);
    expect(capacity).toBeGreaterThanOrEqual(F.PIPE_BUF);
    let written = 0;
    for (let n = s.me.write(w, block(F.PIPE_BUF)); n > 0; n = s.me.write(w, block(F.PIPE_BUF))) {
      expect(n).toBe(F.PIPE_BUF);
      written += n;
    }
    expect(written).toBe(capacity);
    s.ok(s.me.read(r, F.PIPE_BUF), 'read');
    expect(s.me.write(w, block(3 * F.PIPE_BUF))).toBe(F.PIPE_BUF);
  }),
  on('a pipe can be made larger and smaller', (s) => {
    const [, w] = s.pipe(F.O_NONBLOCK);
    expect(s.me.fcntl(w, F.F_SETPIPE_SZ, 5000)).toBe(8192);
    expect(s.me.fcntl(w, F.F_GETPIPE_SZ, 0)).toBe(8192);
    expect(s.me.write(w, block(20000))).toBe(8192);
  }),
  on('O_DIRECT: each write is a packet, a read gets one and discards what it has no room for', (s) => {
    const [r, w] = s.pipe(F.O_DIRECT | F.O_NONBLOCK);
    for (const text of ['abc', 'defg', 'h']) s.ok(s.me.write(w, bytesOf(text)), 'write');
    expect(s.me.write(w, bytesOf(''))).toBe(0);
    expect(s.me.read(r, 100)).toEqual(bytesOf('abc'));
    expect(s.me.read(r, 2)).toEqual(bytesOf('de'));
    expect(s.me.readv(r, [1, 1, 1])).toEqual(bytesOf('h'));
    expect(s.me.read(r, 100)).toBe(-11);
    s.ok(s.me.writev(w, [bytesOf('ab'), bytesOf('c')]), 'writev');
    s.ok(s.me.close(w), 'close');
    expect(s.me.read(r, 100)).toEqual(bytesOf('abc'));
    expect(s.me.read(r, 100)).toEqual(bytesOf(''));
  }),
  on('O_DIRECT: a long write is packets of PIPE_BUF, each with a page of the capacity', (s) => {
    const [r, w] = s.pipe(F.O_DIRECT | F.O_NONBLOCK);
    s.ok(s.me.fcntl(w, F.F_SETPIPE_SZ, 4 * F.PIPE_BUF), 'fcntl');
    const data = block(2 * F.PIPE_BUF + 10);
    expect(s.me.write(w, data)).toBe(data.length);
    expect(s.me.write(w, bytesOf('a'))).toBe(1);
    expect(s.me.write(w, bytesOf('b'))).toBe(-11);
    expect(s.me.poll([{ fd: w, events: F.POLLOUT }], 0)).toEqual([0]);
    expect(s.me.read(r, 100000)).toEqual(data.subarray(0, F.PIPE_BUF));
    expect(s.me.poll([{ fd: w, events: F.POLLOUT }], 0)).toEqual([F.POLLOUT]);
    expect(s.me.write(w, data)).toBe(F.PIPE_BUF);
    expect(s.me.read(r, 1)).toEqual(data.subarray(F.PIPE_BUF, F.PIPE_BUF + 1));
    expect(s.me.read(r, 100000)).toEqual(data.subarray(2 * F.PIPE_BUF));
    expect(s.me.read(r, 100000)).toEqual(bytesOf('a'));
    expect(s.me.read(r, 100000)).toEqual(data.subarray(0, F.PIPE_BUF));
    expect(s.me.read(r, 100000)).toBe(-11);
  }),
  on('O_DIRECT is the writing end’s, and F_SETFL turns it on and off between writes', (s) => {
    const [r, w] = s.pipe(F.O_DIRECT);
    expect(s.me.fcntl(r, F.F_GETFL, 0)).toBe(F.O_RDONLY);
    expect(s.me.fcntl(w, F.F_GETFL, 0)).toBe(F.O_WRONLY | F.O_DIRECT);
    const packets = (yes: boolean) => s.ok(s.me.fcntl(w, F.F_SETFL, yes ? F.O_DIRECT : 0), 'fcntl');
    const write = (text: string) => s.ok(s.me.write(w, bytesOf(text)), 'write');
    write('ab');
    packets(false);
    s.ok(s.me.write(w, block(F.PIPE_BUF)), 'write');
    packets(true);
    write('cd');
    packets(false);
    write('ef');
    write('gh');
    expect(s.me.read(r, 10)).toEqual(bytesOf('ab'));
    expect(s.me.read(r, F.PIPE_BUF)).toEqual(block(F.PIPE_BUF));
    expect(s.me.read(r, 10)).toEqual(bytesOf('cd'));
    expect(s.me.read(r, 10)).toEqual(bytesOf('efgh'));
  }),
  on('plain bytes before a packet are read with it, or with what there is room for', (s) => {
    const [r, w] = s.pipe();
    for (let round = 0; round < 2; round++) {
      s.ok(s.me.fcntl(w, F.F_SETFL, 0), 'fcntl');
      s.ok(s.me.write(w, block(F.PIPE_BUF)), 'write');
      s.ok(s.me.fcntl(w, F.F_SETFL, F.O_DIRECT), 'fcntl');
      s.ok(s.me.write(w, bytesOf('abcd')), 'write');
    }
    const plain = block(F.PIPE_BUF);
    expect(s.me.read(r, 2 * F.PIPE_BUF)).toEqual(Uint8Array.from([...plain, ...bytesOf('abcd')]));
    expect(s.me.read(r, F.PIPE_BUF + 2)).toEqual(Uint8Array.from([...plain, ...bytesOf('ab')]));
    s.ok(s.me.write(w, bytesOf('e')), 'write');
    expect(s.me.read(r, 10)).toEqual(bytesOf('e'));
  }),
  on('a fifo has packets too, by F_SETFL', (s) => {
    const fd = s.open(s.fifo('p'), F.O_RDWR);
    s.ok(s.me.fcntl(fd, F.F_SETFL, F.O_DIRECT), 'fcntl');
    for (const text of ['abc', 'de']) s.ok(s.me.write(fd, bytesOf(text)), 'write');
    expect(s.me.read(fd, 1)).toEqual(bytesOf('a'));
    expect(s.me.read(fd, 10)).toEqual(bytesOf('de'));
  }),
  on('a fifo opens for reading without waiting, and for both', (s) => {
    const path = s.fifo('p');
    const r = s.open(path, F.O_RDONLY | F.O_NONBLOCK);
    expect(s.me.read(r, 10)).toEqual(bytesOf(''));
    const w = s.open(path, F.O_WRONLY | F.O_NONBLOCK);
    s.ok(s.me.write(w, bytesOf('ab')), 'write');
    expect(s.me.read(r, 10)).toEqual(bytesOf('ab'));
    expect(s.me.open(path, F.O_RDWR)).toBeGreaterThanOrEqual(0);
  }),
  on('a fifo forgets its content when nobody holds it', (s) => {
    const path = s.fifo('p');
    const fd = s.open(path, F.O_RDWR);
    s.ok(s.me.write(fd, bytesOf('ab')), 'write');
    s.ok(s.me.close(fd), 'close');
    expect(s.me.read(s.open(path, F.O_RDONLY | F.O_NONBLOCK), 10)).toEqual(bytesOf(''));
  }),
  on('O_TRUNC leaves a fifo alone', (s) => {
    const path = s.fifo('p');
    const r = s.open(path, F.O_RDONLY | F.O_NONBLOCK);
    const w = s.open(path, F.O_WRONLY | F.O_TRUNC);
    expect(s.me.write(w, bytesOf('a'))).toBe(1);
    expect(s.me.read(r, 10)).toEqual(bytesOf('a'));
  }),
  behaviour(
    'descriptors',
    'O_DIRECT: who waits gets one packet, or the room for one',
    (s) => {
      const path = s.fifo('p');
      const r = s.ok(s.friend.open(path, F.O_RDONLY | F.O_NONBLOCK), 'open');
      const w = s.open(path, F.O_WRONLY);
      s.ok(s.friend.fcntl(r, F.F_SETFL, 0), 'fcntl');
      s.ok(s.me.fcntl(w, F.F_SETFL, F.O_DIRECT), 'fcntl');
      s.ok(s.me.fcntl(w, F.F_SETPIPE_SZ, F.PIPE_BUF), 'fcntl');
      const reading = s.friend.startRead(r, 100);
      expect(reading.poll()).toBe(undefined);
      s.ok(s.me.write(w, bytesOf('abc')), 'write');
      expect(reading.poll()).toEqual(bytesOf('abc'));
      const data = block(F.PIPE_BUF + 7);
      const writing = s.me.startWrite(w, data);
      expect(writing.poll()).toBe(undefined);
      expect(s.friend.read(r, 5)).toEqual(data.subarray(0, 5));
      expect(writing.poll()).toBe(data.length);
      expect(s.friend.read(r, 100)).toEqual(data.subarray(F.PIPE_BUF));
    },
    { needs: ['pending'] },
  ),
  behaviour(
    'descriptors',
    'a waiting reader gets what is written, a waiting writer the room',
    (s) => {
      const [r, w] = s.pipe();
      const path = s.fifo('p');
      const opening = s.friend.startOpen(path, F.O_RDONLY);
      expect(opening.poll()).toBe(undefined);
      const fd = s.open(path, F.O_WRONLY);
      const other = opening.poll() as number;
      expect(other).toBeGreaterThanOrEqual(0);
      const reading = s.friend.startRead(other, 10);
      expect(reading.poll()).toBe(undefined);
      expect(s.me.write(fd, bytesOf('abc'))).toBe(3);
      expect(reading.poll()).toEqual(bytesOf('abc'));
      expect(s.me.close(r) + s.me.close(w)).toBe(0);
    },
    { needs: ['pending'] },
  ),
  behaviour(
    'descriptors',
    'a long write goes on as room is made, and tells what it did when interrupted',
    (s) => {
      const path = s.fifo('p');
      const r = s.open(path, F.O_RDONLY | F.O_NONBLOCK);
      const w = s.ok(s.friend.open(path, F.O_WRONLY), 'open');
      const capacity = s.ok(s.me.fcntl(r, F.F_SETPIPE_SZ, 8192), 'F_SETPIPE_SZ');
      const writing = s.friend.startWrite(w, block(3 * capacity));
      expect(writing.poll()).toBe(undefined);
      expect((s.me.read(r, capacity) as Uint8Array).length).toBe(capacity);
      expect(writing.poll()).toBe(undefined);
      expect(writing.cancel()).toBe(2 * capacity);
    },
    { needs: ['pending'] },
  ),
];
