import { describe, expect, test } from 'vitest';
import * as E from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { BB_DEADLINE, BOOTBLOCK, POLLFD_MAX } from '../../../assembly/abi/layout.ts';
import { eachWithKernel, ok, pattern } from './kernel.ts';

const k = eachWithKernel();
const ALL = F.POLLIN | F.POLLPRI | F.POLLOUT | F.POLLRDNORM | F.POLLWRNORM | F.POLLRDHUP;
const READ = F.POLLIN | F.POLLRDNORM;
const WRITE = F.POLLOUT | F.POLLWRNORM;

/** What one descriptor is ready for, asked for everything. */
function state(fd: number, events = ALL): number {
  return ok(k.me.poll([{ fd, events }], 0))[0];
}

/** When the next sleeper wakes by itself, in ms from now; undefined if none does. */
function nextDeadline(): number | undefined {
  const { machine } = k.target;
  const at = machine.f64[(BOOTBLOCK + BB_DEADLINE) / 8];
  return at === 0 ? undefined : at - machine.now();
}

describe('what poll tells', () => {
  test('of the two ends of a pipe', () => {
    const [r, w] = ok(k.me.pipe2(0));
    expect([state(r), state(w)]).toEqual([0, WRITE]);
    ok(k.me.write(w, pattern(1)));
    expect(state(r)).toBe(READ);
    k.me.close(w);
    expect(state(r)).toBe(READ | F.POLLHUP);
    ok(k.me.read(r, 1));
    expect(state(r)).toBe(F.POLLHUP);
    expect(state(r, 0)).toBe(F.POLLHUP);
    const [r2, w2] = ok(k.me.pipe2(0));
    k.me.close(r2);
    expect(state(w2)).toBe(WRITE | F.POLLERR);
    expect(state(w2, 0)).toBe(F.POLLERR);
  });

  test('writable means room for PIPE_BUF', () => {
    const [, w] = ok(k.me.pipe2(0));
    ok(k.me.write(w, pattern(65_536 - 4096)));
    expect(state(w)).toBe(WRITE);
    ok(k.me.write(w, pattern(1)));
    expect(state(w)).toBe(0);
  });

  test('of a fifo that never had a writer, has one, had one', () => {
    ok(k.me.mkfifo('/p', 0o600));
    const r = ok(k.me.open('/p', F.O_RDONLY | F.O_NONBLOCK));
    expect(state(r)).toBe(0);
    const w = ok(k.me.open('/p', F.O_WRONLY));
    expect(state(r)).toBe(0);
    k.me.close(w);
    expect(state(r)).toBe(F.POLLHUP);
    const late = ok(k.me.open('/p', F.O_RDONLY | F.O_NONBLOCK));
    expect(state(late)).toBe(0);
    expect(state(ok(k.me.open('/p', F.O_RDWR)))).toBe(WRITE);
    expect(state(r)).toBe(0);
  });

  test('of files, directories, descriptors that are none', () => {
    const file = ok(k.me.open('/f', F.O_CREAT | F.O_RDONLY, 0o600));
    expect(state(file)).toBe(READ | WRITE);
    expect(state(ok(k.me.open('/', F.O_RDONLY)))).toBe(READ | WRITE);
    expect(state(ok(k.me.open('/f', F.O_PATH)))).toBe(F.POLLNVAL);
    expect(state(99)).toBe(F.POLLNVAL);
    expect(k.me.poll([{ fd: -1, events: ALL }], 0)).toEqual([0]);
  });

  test('of many at once, the number of ready ones', () => {
    const [r, w] = ok(k.me.pipe2(0));
    const fds = [r, w, -5, 77, w].map((fd) => ({ fd, events: ALL }));
    expect(k.me.poll(fds, -1)).toEqual([0, WRITE, 0, F.POLLNVAL, WRITE]);
    const many = Array.from({ length: POLLFD_MAX }, () => ({ fd: r, events: ALL }));
    expect(ok(k.me.poll(many, 0)).every((n) => n === 0)).toBe(true);
    expect(k.me.poll([...many, { fd: r, events: ALL }], 0)).toBe(-E.EINVAL);
    expect(k.me.poll([{ fd: r, events: ALL }], Number.NaN)).toBe(-E.EINVAL);
  });
});

describe('waiting', () => {
  test('ends when something is ready, and not for what is not asked for', () => {
    const [r] = ok(k.me.pipe2(0));
    const [r2, w2] = ok(k.me.pipe2(0));
    const fds = [r, r2].map((fd) => ({ fd, events: F.POLLIN }));
    const waiting = k.me.startPoll(fds, -1);
    const deaf = k.friend.startPoll([], -1);
    expect(waiting.poll()).toBe(undefined);
    expect(nextDeadline()).toBe(undefined);
    // wakes it, for nothing it waits for
    const [r3, w3] = ok(k.me.pipe2(0));
    ok(k.me.write(w3, pattern(1)));
    k.me.close(r3);
    expect(waiting.poll()).toBe(undefined);
    ok(k.me.write(w2, pattern(1)));
    expect(waiting.poll()).toEqual([0, F.POLLIN]);
    expect(deaf.poll()).toBe(undefined);
    expect(deaf.cancel()).toBe(-E.EINTR);
  });

  test('a closed end ends it', () => {
    const [r, w] = ok(k.me.pipe2(0));
    const reader = k.me.startPoll([{ fd: r, events: F.POLLIN }], -1);
    ok(k.me.write(w, pattern(65_536)));
    expect(reader.poll()).toEqual([F.POLLIN]);
    const writer = k.me.startPoll([{ fd: w, events: F.POLLOUT }], -1);
    expect(writer.poll()).toBe(undefined);
    ok(k.me.read(r, 4095));
    expect(writer.poll()).toBe(undefined);
    k.me.close(r);
    expect(writer.poll()).toEqual([F.POLLERR]);
  });

  test('a timeout is counted once, from the first call, however often it wakes', () => {
    const [r, w] = ok(k.me.pipe2(0));
    const waiting = k.me.startPoll([{ fd: r, events: F.POLLIN }], 100);
    expect(nextDeadline()).toBeGreaterThan(99);
    for (let i = 0; i < 9; i++) {
      k.target.tick();
      // wakes every poller, and leaves nothing
      ok(k.me.write(w, pattern(1)));
      ok(k.me.read(r, 1));
      expect(waiting.poll()).toBe(undefined);
    }
    expect(nextDeadline()).toBeLessThanOrEqual(10);
    k.target.tick();
    k.target.tick();
    expect(waiting.poll()).toEqual([0]);
    expect(nextDeadline()).toBe(undefined);
  });

  test('several timeouts end in their order', () => {
    const sleepers = [30, 10, 20].map((ms) => k.me.startPoll([], ms));
    const ended = (): boolean[] => sleepers.map((sleeper) => sleeper.poll() !== undefined);
    expect(nextDeadline()).toBeLessThanOrEqual(10);
    k.target.tick();
    k.target.tick();
    expect(ended()).toEqual([false, true, true]);
    k.target.tick();
    expect(ended()).toEqual([true, true, true]);
  });

  test('a cancelled wait leaves no deadline behind', () => {
    const waiting = k.me.startPoll([], 1000);
    expect(waiting.cancel()).toBe(-E.EINTR);
    expect(nextDeadline()).toBe(undefined);
    expect(k.user.startPoll([], 1000).poll()).toBe(undefined);
    k.user.exit();
    expect(nextDeadline()).toBe(undefined);
  });

  test('ready at the deadline counts as ready', () => {
    const [r, w] = ok(k.me.pipe2(0));
    const waiting = k.me.startPoll([{ fd: r, events: F.POLLIN }], 5);
    k.target.tick();
    ok(k.me.write(w, pattern(1)));
    expect(waiting.poll()).toEqual([F.POLLIN]);
  });
});
