/**
 * A machine of 4 MiB, filled until it says so, emptied a little, filled again: it keeps working,
 * and gives everything back.
 */
import { describe, expect, it } from 'vitest';
import { ENFILE, ENOMEM, ENOSPC } from '../../assembly/abi/errno.ts';
import { O_CREAT, O_RDWR } from '../../assembly/abi/flags.ts';
import { dump } from '../helpers/dump.ts';
import { Kernel } from '../helpers/kernel.ts';
import { checkRam } from '../helpers/ram.ts';
import { errnoName } from '../oracle/errno.ts';

const RAM_BYTES = 4 << 20;
const FULL: readonly number[] = [-ENOMEM, -ENOSPC, -ENFILE];
const ROUNDS = 3;

interface Filler {
  name: string;
  /** Make the i-th thing: its result, or an errno. */
  add(k: Kernel, i: number): number;
  /** Remove it again. */
  remove(k: Kernel, i: number): number;
  /** So many at least fit in 4 MiB. */
  atLeast: number;
}

const MIB = new Uint8Array(1 << 20).fill(0x5a);

/** A chain of directories, each inside the one before, in hundreds so that paths stay short enough. */
function chain(i: number): string {
  return `/c${Math.floor(i / 100)}${'/d'.repeat(i % 100)}`;
}

const pids: number[] = [];

const fillers: Filler[] = [
  {
    name: 'big files',
    add(k, i) {
      const fd = k.open(`/f${i}`, O_CREAT | O_RDWR);
      if (fd < 0) return fd;
      let at = 0;
      let n = 0;
      while (at < 1 << 18) {
        n = k.pwrite(fd, MIB.subarray(0, (1 << 18) - at), at);
        if (n < 0) break;
        at += n;
      }
      k.ok(k.close(fd), 'close');
      if (n >= 0) return 0;
      k.ok(k.unlink(`/f${i}`), 'unlink of a file that could not be filled');
      return n;
    },
    remove: (k, i) => k.unlink(`/f${i}`),
    atLeast: 10,
  },
  {
    name: 'empty files',
    add: (k, i) => k.touch(`/f${i}`),
    remove: (k, i) => k.unlink(`/f${i}`),
    atLeast: 5000,
  },
  {
    name: 'empty files with long names',
    add: (k, i) => k.touch(`/${'x'.repeat(240)}${i}`),
    remove: (k, i) => k.unlink(`/${'x'.repeat(240)}${i}`),
    atLeast: 2500,
  },
  {
    name: 'deep directories',
    add: (k, i) => k.mkdir(chain(i)),
    remove: (k, i) => k.rmdir(chain(i)),
    atLeast: 4000,
  },
  {
    name: 'short symlinks',
    add: (k, i) => k.symlink('to', `/l${i}`),
    remove: (k, i) => k.unlink(`/l${i}`),
    atLeast: 4000,
  },
  {
    name: 'long symlinks',
    add: (k, i) => k.symlink('t'.repeat(4095), `/l${i}`),
    remove: (k, i) => k.unlink(`/l${i}`),
    atLeast: 500,
  },
  {
    name: 'extended attributes',
    add(k, i) {
      const e = k.touch(`/x${i}`);
      if (e < 0) return e;
      const r = k.setxattr(`/x${i}`, 'user.value', MIB.subarray(0, 30000));
      if (r < 0) k.ok(k.unlink(`/x${i}`), 'unlink');
      return r;
    },
    remove: (k, i) => k.unlink(`/x${i}`),
    atLeast: 70,
  },
  {
    name: 'names of one file',
    add: (k, i) => (i === 0 ? k.touch('/h0') : k.link('/h0', `/h${i}`)),
    remove: (k, i) => k.unlink(`/h${i}`),
    atLeast: 8000,
  },
  {
    name: 'open files',
    add: (k, i) => (i === 0 ? k.mkdir('/o') : Math.min(0, k.open('/o'))),
    remove: (k, i) => (i === 0 ? k.rmdir('/o') : k.close(i - 1)),
    atLeast: 3000,
  },
  {
    name: 'mounts',
    add(k, i) {
      const e = k.mkdir(`/m${i}`);
      if (e < 0) return e;
      const r = k.mount('tmpfs', `/m${i}`);
      if (r < 0) k.ok(k.rmdir(`/m${i}`), 'rmdir');
      return r;
    },
    remove(k, i) {
      const e = k.umount(`/m${i}`);
      return e < 0 ? e : k.rmdir(`/m${i}`);
    },
    atLeast: 100,
  },
  {
    name: 'processes',
    add(k) {
      const pid = k.kernel.proc_create(k.pid, 1, 1, 500, 1);
      if (pid > 0) pids.push(pid);
      return Math.min(0, pid);
    },
    remove: (k) => k.kernel.proc_exit(pids.pop() ?? 0),
    atLeast: 500,
  },
];

/** A little of everything works. */
function works(k: Kernel, round: number): void {
  const name = `/probe${round}`;
  const say = (what: string) => `${what}, round ${round}`;
  k.ok(k.mkdir(name), say('mkdir'));
  const fd = k.ok(k.open(`${name}/f`, O_CREAT | O_RDWR), say('open'));
  expect(k.pwrite(fd, MIB.subarray(0, 5000), 0), say('write')).toBe(5000);
  const back = new Uint8Array(5000);
  expect(k.pread(fd, back, 0), say('read')).toBe(5000);
  expect(back.every((byte) => byte === 0x5a)).toBe(true);
  k.ok(k.close(fd), say('close'));
  k.ok(k.rename(`${name}/f`, `${name}/g`), say('rename'));
  k.ok(k.unlink(`${name}/g`), say('unlink'));
  k.ok(k.rmdir(name), say('rmdir'));
}

describe.each(['up-debug', 'up', 'smp-debug'])('4 MiB, %s', (flavour) => {
  it.each(fillers.map((filler) => [filler.name, filler] as const))('full of %s', (_name, filler) => {
    const k = new Kernel({ flavour, ramBytes: RAM_BYTES });
    // a root of its own, so that removing everything leaves the directory empty
    k.ok(k.mkdir('/full'), 'mkdir');
    k.ok(k.kernel.sys_chroot(k.path('/full')), 'chroot');
    works(k, 0);
    k.kernel.machine_reclaim();
    const before = k.framesFree;
    let made = 0;
    for (let round = 1; round <= ROUNDS; round++) {
      let result = filler.add(k, made);
      for (; result >= 0; result = filler.add(k, made)) made++;
      // open files also end at the process's limit
      if (filler.name !== 'open files' || made < 4000) expect(FULL, errnoName(result)).toContain(result);
      expect(made).toBeGreaterThanOrEqual(filler.atLeast);
      const count = checkRam(k);
      expect(count.kernel + count.zone + count.file + count.free).toBe(count.total);
      // while it is full, what is there can be seen and removed
      expect(k.lstat('/')).toBe(0);
      const keep = Math.floor(made * 0.8);
      while (made > keep) k.ok(filler.remove(k, --made), `remove ${made} from the full machine`);
      works(k, round);
    }
    if (flavour === 'up-debug' && made < 2000) dump(k, '/', true);
    while (made > 0) k.ok(filler.remove(k, --made), `remove ${made}`);
    k.kernel.machine_reclaim();

    expect(before - k.framesFree).toBeLessThan(16);
    if (flavour === 'up') expect(k.kernel.machine_shutdown()).toBe(0);
    else k.shutdown();
    checkRam(k);
  });
});
