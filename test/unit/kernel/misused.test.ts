/** What a careless host or a hostile program makes of blocked calls, revoked files and the clock. */
import { describe, expect, test } from 'vitest';
import * as E from '../../../assembly/abi/errno.ts';
import * as F from '../../../assembly/abi/flags.ts';
import { SA_DATA } from '../../../assembly/abi/layout.ts';
import type { DamselflyProcess } from '../../oracle/damselfly-process.ts';
import type { Machine } from '../../oracle/machine.ts';
import { eachWithKernel, fork, ok, pattern } from './kernel.ts';

const kernel = eachWithKernel();

/** A path in the syscall area; its length. */
function path(machine: Machine, text: string, at = 0): number {
  machine.u8.set(new TextEncoder().encode(text), machine.area + at);
  return text.length;
}

/** A process that waits in a read of a pipe: its Lwp, which may go on, and the call. */
function woken(process: DamselflyProcess): { lwp: number; issue: () => number; write: number } {
  const { machine } = kernel.target;
  const [read, write] = ok(process.pipe2(0));
  const issue = (): number => {
    machine.spaces = [new Uint8Array(8)];
    return machine.kernel.sys_read(read, 0, 0, 8);
  };
  expect(machine.attempt(process.pid, issue)).toBe(-E.ERESTART);
  const lwp = machine.kernel.lwp_current();
  ok(process.write(write, pattern(3)));
  expect(machine.kernel.lwp_next()).toBe(lwp);
  return { lwp, issue, write };
}

describe('a call that is resumed and not gone on with', () => {
  test('ends with its process', () => {
    const { machine } = kernel.target;
    const other = fork(kernel.target, kernel.me);
    const { lwp } = woken(other);
    expect(machine.kernel.sys_resume(lwp)).toBe(0);
    other.exit();
    expect(kernel.me.umask(0o22)).toBe(0o22);
    expect(machine.kernel.sys_resume(lwp)).toBe(-E.ESRCH);
  });

  test('ends when it is given up', () => {
    const { machine } = kernel.target;
    const { lwp } = woken(kernel.me);
    expect(machine.kernel.sys_resume(lwp)).toBe(0);
    expect(machine.kernel.sys_cancel(lwp)).toBe(-E.EINTR);
    expect(kernel.me.umask(0o22)).toBe(0o22);
    expect(machine.kernel.sys_cancel(lwp)).toBe(-E.ESRCH);
  });

  test('can be resumed again when the CPU has turned to another process, or to another call', () => {
    const { machine } = kernel.target;
    const first = woken(kernel.me);
    const second = woken(kernel.friend);
    expect(machine.kernel.sys_resume(first.lwp)).toBe(0);
    expect(machine.kernel.sys_resume(second.lwp)).toBe(0);
    expect(second.issue()).toBe(3);
    expect(machine.kernel.sys_resume(first.lwp)).toBe(0);
    expect(machine.kernel.proc_switch(kernel.friend.pid)).toBe(0);
    // not the other's read
    expect(machine.kernel.sys_umask(0o22)).toBe(0o22);
    expect(machine.kernel.sys_resume(first.lwp)).toBe(0);
    expect(first.issue()).toBe(3);
    expect(machine.kernel.proc_switch(kernel.me.pid)).toBe(0);
  });
});

describe('a revoked file that is open', () => {
  function revoked(): number {
    const { machine } = kernel.target;
    const fd = ok(kernel.me.open('/f', F.O_CREAT | F.O_RDWR, 0o644));
    const revoke = () => machine.kernel.sys_revoke(path(machine, '/f'));
    expect(machine.attempt(kernel.me.pid, revoke)).toBe(0);
    return fd;
  }

  test('gets no new name', () => {
    const fd = revoked();
    expect(kernel.me.linkat(fd, '', F.AT_FDCWD, '/g', F.AT_EMPTY_PATH)).toBe(-E.EIO);
    expect(kernel.me.stat('/g')).toBe(-E.ENOENT);
    expect(kernel.me.stat('/f')).toHaveProperty('nlink', 1);
  });

  test('cannot be watched, neither can a queue of events', () => {
    const { machine } = kernel.target;
    const { me } = kernel;
    ok(me.mkdir('/proc', 0o755));
    ok(me.mount('none', '/proc', 'proc', 0, ''));
    const queue = ok(me.inotifyInit(F.IN_NONBLOCK));
    const fd = revoked();
    expect(me.inotifyAddWatch(queue, `/proc/self/fd/${fd}`, F.IN_ALL_EVENTS)).toBe(-E.EIO);
    expect(me.inotifyAddWatch(queue, `/proc/self/fd/${queue}`, F.IN_ALL_EVENTS)).toBe(-E.EINVAL);
    me.close(fd);
    me.close(queue);
    expect(machine.kernel.machine_reclaim()).toBe(0);
  });
});

test('a handle on a file system that gives none is stale', () => {
  const { machine } = kernel.target;
  const { me } = kernel;
  ok(me.mkdir('/proc', 0o755));
  ok(me.mount('none', '/proc', 'proc', 0, ''));
  const fd = ok(me.open('/proc', F.O_RDONLY));
  expect(me.openByHandleAt(fd, new Uint8Array(16).fill(1), F.O_RDONLY)).toBe(-E.ESTALE);
  expect(machine.kernel.machine_reclaim()).toBe(0);
});

test('a virtual clock never goes back, however far it is moved', () => {
  const { machine } = kernel.target;
  const { clock_advance, clock_ms } = machine.kernel;
  const now = (): number => {
    clock_ms();
    return machine.f64[(machine.area + SA_DATA) / 8];
  };
  for (const ms of [1e15, 1e13, Number.NaN, Infinity, -1]) expect(clock_advance(ms)).toBe(-E.EINVAL);
  let before = now();
  for (let i = 0; i < 20; i++) {
    const result = clock_advance(1e12);
    expect([0, -E.EINVAL]).toContain(result);
    expect(now()).toBeGreaterThan(before);
    before = now();
  }
  expect(clock_advance(1e12)).toBe(-E.EINVAL);
  expect(clock_advance(1)).toBe(0);
});
