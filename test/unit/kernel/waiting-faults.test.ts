import { afterAll, describe, expect, test } from 'vitest';
import * as E from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import type { KernelExports } from '../../../host/machine/exports.ts';
import { DamselflyTarget } from '../../oracle/damselfly.ts';
import type { Pending, Result } from '../../oracle/target.ts';
import { pattern } from './kernel.ts';

/** What a call may say when an allocation fails. */
const NO_ROOM = new Set([-E.ENOMEM, -E.ENFILE, -E.ENOLCK, -E.ENOSPC]);

/** Makes every call again that failed for want of memory. */
class Tries {
  failures = 0;
  readonly #kernel: KernelExports;

  constructor(target: DamselflyTarget, n: number) {
    this.#kernel = target.machine.kernel;
    this.#kernel.fault_arm(n);
  }

  call<T>(what: string, issue: () => Result<T>): T {
    let result = issue();
    if (typeof result === 'number' && result < 0) {
      expect(NO_ROOM, what).toContain(result);
      this.failures++;
      this.#kernel.fault_arm(0);
      result = issue();
    }
    if (typeof result === 'number') expect(result, `${what}, made again`).toBeGreaterThanOrEqual(0);
    return result as T;
  }

  /** Begin a call that has to wait. */
  wait<T>(what: string, begin: () => Pending<T>): Pending<T> {
    let pending = begin();
    const result = pending.poll();
    if (result !== undefined) {
      // what a short transfer moved counts; a failure moved nothing
      if (!(typeof result === 'number' && result > 0)) expect(NO_ROOM, what).toContain(result);
      this.failures++;
      this.#kernel.fault_arm(0);
      pending = begin();
      expect(pending.poll(), `${what}, made again`).toBe(undefined);
    }
    return pending;
  }

  /** What was in the way is gone: the call ends, at worst for want of memory. */
  ends(what: string, pending: Pending<unknown>): void {
    const result = pending.poll();
    expect(result, what).not.toBe(undefined);
    if (typeof result !== 'number' || result >= 0) return;
    expect(NO_ROOM, what).toContain(result);
    this.failures++;
    this.#kernel.fault_arm(0);
  }

  /** Were there as many allocations as the one that was to fail? */
  end(n: number): boolean {
    return this.failures > 0 || this.#kernel.fault_arm(0) >= n;
  }
}

const range = (type: number, start: number, len: number) => ({ type, whence: F.SEEK_SET, start, len });

/** Calls that wait for one another, each in the middle of something when memory fails. */
function scenario(target: DamselflyTarget, n: number): { reached: boolean; failures: number } {
  const me = target.root;
  const friend = target.as({ uid: 0, gid: 0 });
  const t = new Tries(target, n);
  const [r, w] = t.call('pipe', () => me.pipe2(0));
  const writing = t.wait('write', () => me.startWrite(w, pattern(200_000)));
  const polling = t.wait('poll', () => me.startPoll([{ fd: w, events: F.POLLOUT }], 1000));
  t.call('mkfifo', () => me.mkfifo('/p', 0o600));
  const opening = t.wait('open', () => friend.startOpen('/p', F.O_RDONLY));
  t.call('open', () => me.open('/p', F.O_WRONLY | F.O_NONBLOCK));
  t.ends('opened', opening);
  const mine = t.call('open', () => me.open('/f', F.O_RDWR | F.O_CREAT, 0o600));
  const theirs = t.call('open', () => friend.open('/f', F.O_RDWR));
  t.call('lock', () => me.fcntlLock(mine, F.F_SETLK, range(F.F_WRLCK, 0, 100)));
  t.call('split', () => me.fcntlLock(mine, F.F_SETLK, range(F.F_RDLCK, 20, 10)));
  t.call('unlock', () => me.fcntlLock(mine, F.F_SETLK, range(F.F_UNLCK, 50, 10)));
  const locking = t.wait('lock', () => friend.startLock(theirs, F.F_SETLKW, range(F.F_WRLCK, 0, 10)));
  t.call('flock', () => me.flock(mine, F.LOCK_EX));
  const flocking = t.wait('flock', () => friend.startFlock(theirs, F.LOCK_SH));
  const queue = t.call('inotify', () => me.inotifyInit(0));
  t.call('watch', () => me.inotifyAddWatch(queue, '/', F.IN_ALL_EVENTS));
  const reading = t.wait('read', () => me.startRead(queue, 4096));
  t.call('mkdir', () => friend.mkdir('/d', 0o755));
  t.ends('event', reading);
  t.call('unlock', () => me.fcntlLock(mine, F.F_SETLK, range(F.F_UNLCK, 0, 0)));
  t.ends('locked', locking);
  t.call('unflock', () => me.flock(mine, F.LOCK_UN));
  t.ends('flocked', flocking);
  t.call('read', () => me.read(r, 65_536));
  t.ends('polled', polling);
  writing.cancel();
  return { reached: t.end(n), failures: t.failures };
}

describe.each(['up-debug', 'smp-debug'])('%s', (flavour) => {
  const target = new DamselflyTarget({ flavour, ramBytes: 8 << 20 });
  afterAll(() => target.dispose());

  test('whichever allocation fails, waiting calls say so once, and leave nothing', () => {
    let failures = 0;
    for (let n = 1; ; n++) {
      expect(n).toBeLessThan(1000);
      // shuts the machine of the run before down, which finds what was left over
      target.reset();
      const run = scenario(target, n);
      failures += run.failures;
      if (!run.reached) break;
    }
    expect(failures).toBeGreaterThan(30);
  });
});
