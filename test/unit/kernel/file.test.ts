/** Files and the descriptors of a process: which number is free, what a slot holds, where a table ends. */
import { expect, test } from 'vitest';
import { EBADF, EMFILE, ENOMEM } from '../../../assembly/abi/errno.ts';
import { FD_CLOEXEC } from '../../../assembly/abi/flags.ts';
import { Parts } from './parts.ts';

// as in proc/file.ts
const FD_LIMIT = 256 * 64;

test('a File is counted, and its references are', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const before = call.files_open();
  const fp = call.file_alloc() >>> 0;
  expect(call.files_open()).toBe(before + 1);
  expect([call.file_ref(fp), call.file_ref(fp)]).toEqual([2, 3]);
  call.file_free(fp);
  expect(call.files_open()).toBe(before);
  parts.close();
});

test('the lowest free number, over holes and the chunks of a table, as a set has it', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const fp = call.file_alloc() >>> 0;
  const taken = new Set<number>();
  let x = 7;
  const random = (n: number): number => {
    x = (x * 1103515245 + 12345) & 0x7fffffff;
    return (x >>> 8) % n;
  };
  const lowest = (min: number): number => {
    let fd = min;
    while (taken.has(fd)) fd++;
    return fd;
  };
  for (let turn = 0; turn < 4000; turn++) {
    if (random(5) < 3) {
      const min = random(3) === 0 ? random(200) : 0;
      const fd = call.fd_free(min);
      expect(fd).toBe(lowest(min));
      call.fd_install(fd, fp, 0);
      taken.add(fd);
    } else {
      const fd = random(300);
      expect(call.fd_take(fd) >>> 0).toBe(taken.has(fd) ? fp : 0);
      taken.delete(fd);
    }
  }
  expect(Math.max(...taken)).toBeGreaterThan(128);
  for (const fd of taken) call.fd_take(fd);
  call.file_free(fp);
  parts.close();
});

test('a slot has its File and its flags; a number without one is EBADF', () => {
  const parts = new Parts('up-debug');
  const { call } = parts;
  const fp = call.file_alloc() >>> 0;
  const fd = call.fd_free(70);
  call.fd_install(fd, fp, FD_CLOEXEC);
  expect(call.fd_file(fd) >>> 0).toBe(fp);
  expect([call.fd_flags(fd), call.fd_cloexec(fd)]).toEqual([FD_CLOEXEC, 1]);
  expect([call.fd_set_flags(fd, 0), call.fd_flags(fd), call.fd_cloexec(fd)]).toEqual([0, 0, 0]);
  for (const none of [fd + 1, 5000, FD_LIMIT, 0x7fffffff, -1]) {
    expect([call.fd_file(none), call.fd_flags(none), call.fd_set_flags(none, 1)]).toEqual([
      0,
      -EBADF,
      -EBADF,
    ]);
    expect([call.fd_take(none), call.fd_cloexec(none)]).toEqual([0, 0]);
  }
  expect(call.fd_take(fd) >>> 0).toBe(fp);
  expect([call.fd_file(fd), call.fd_flags(fd), call.fd_take(fd)]).toEqual([0, -EBADF, 0]);
  call.file_free(fp);
  parts.close();
});

test('the limit of the process ends the numbers; without memory for a chunk there is no slot', () => {
  const parts = new Parts('up-debug');
  const { call, kernel } = parts;
  expect(call.fd_free(FD_LIMIT)).toBe(-EMFILE);
  expect([call.fd_prepare(-1), call.fd_prepare(FD_LIMIT)]).toEqual([-EBADF, -EBADF]);
  // a first descriptor, so that what is missing is the chunk of the second
  expect(call.fd_prepare(0)).toBe(0);
  kernel.fault_arm(1);
  expect(call.fd_prepare(640)).toBe(-ENOMEM);
  kernel.fault_arm(1);
  expect(call.fd_free(640)).toBe(-ENOMEM);
  kernel.fault_arm(0);
  expect([call.fd_prepare(640), call.fd_free(640)]).toEqual([0, 640]);
  parts.close();
});
