/** Cases: arguments, clocks, polling, waiting, signals, sockets, ending. */
import assert from 'node:assert/strict';
import { O_RDWR } from '../../../assembly/abi/flags.ts';
import * as w from '../../../assembly/abi/wasi.ts';
import { ProcessGone } from '../../../host/wasi/guest.ts';
import { type Event, type Fdstat, FILE } from '../handle.ts';
import type { Case } from './case.ts';

const MS = 1_000_000n;

export const world: readonly Case[] = [
  {
    name: 'args_get, environ_get and their sizes',
    act({ wasi }) {
      const strings = (which: string): string[] => {
        assert.equal(wasi.call(`${which}_sizes_get`, 0x100, 0x104), 0);
        const [count, size] = [wasi.view.getUint32(0x100, true), wasi.view.getUint32(0x104, true)];
        assert.equal(wasi.call(`${which}_get`, 0x200, 0x1000), 0);
        assert.equal(wasi.u8[0x1000 + size - 1], 0);
        return Array.from({ length: count }, (_, i) => {
          const at = wasi.view.getUint32(0x200 + 4 * i, true);
          return wasi.text(at, wasi.u8.indexOf(0, at) - at);
        });
      };
      assert.deepEqual(strings('args'), ['probe', 'one', '']);
      assert.deepEqual(strings('environ'), ['A=1', 'B=']);
      const end = wasi.u8.length;
      for (const which of ['args', 'environ']) {
        assert.equal(wasi.call(`${which}_sizes_get`, end - 3, 0), w.WASI_EFAULT);
        assert.equal(wasi.call(`${which}_sizes_get`, 0, end), w.WASI_EFAULT);
        assert.equal(wasi.call(`${which}_get`, end - 4, 0), w.WASI_EFAULT);
        assert.equal(wasi.call(`${which}_get`, 0, end - 4), w.WASI_EFAULT);
      }
    },
  },
  {
    name: 'long arguments, and none',
    act({ another }) {
      const long = ['x'.repeat(5000), '', 'y'.repeat(3)];
      const { wasi } = another({ args: long });
      assert.equal(wasi.call('args_sizes_get', 0x100, 0x104), 0);
      assert.deepEqual([wasi.view.getUint32(0x100, true), wasi.view.getUint32(0x104, true)], [3, 5006]);
      assert.equal(wasi.call('args_get', 0x200, 0x1000), 0);
      assert.equal(wasi.text(0x1000, 5006), `${long.join('\0')}\0`);
      assert.deepEqual(
        [0, 4, 8].map((at) => wasi.view.getUint32(0x200 + at, true)),
        [0x1000, 0x1000 + 5001, 0x1000 + 5002],
      );
      assert.equal(wasi.call('environ_sizes_get', 0x100, 0x104), 0);
      assert.deepEqual([wasi.view.getUint32(0x100, true), wasi.view.getUint32(0x104, true)], [0, 0]);
      assert.equal(wasi.call('environ_get', 0x200, 0x1000), 0);
    },
  },
  {
    name: 'fd_prestat_get, fd_prestat_dir_name',
    act({ wasi, dir, another }) {
      assert.equal(wasi.call('fd_prestat_get', dir, 0x100), 0);
      assert.deepEqual([wasi.u8[0x100], wasi.view.getUint32(0x104, true)], [0, 1]);
      assert.equal(wasi.call('fd_prestat_dir_name', dir, 0x200, 1), 0);
      assert.equal(wasi.text(0x200, 1), '/');
      assert.equal(wasi.call('fd_prestat_dir_name', dir, 0x200, 0), w.WASI_ENAMETOOLONG);
      for (const fd of [0, 77, 0xffffffff]) {
        assert.equal(wasi.call('fd_prestat_get', fd, 0x100), w.WASI_EBADF);
        assert.equal(wasi.call('fd_prestat_dir_name', fd, 0x100, 9), w.WASI_EBADF);
      }
      assert.equal(wasi.call('fd_prestat_get', dir, wasi.u8.length - 7), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_prestat_dir_name', dir, wasi.u8.length, 1), w.WASI_EFAULT);
      const two = another({ preopens: { here: '/d/sub', '/tmp': '/tmp' } }).wasi;
      assert.equal(two.call('fd_prestat_dir_name', 4, 0x200, 9), 0);
      assert.equal(two.text(0x200, 4), 'here');
      assert.equal(two.call('fd_prestat_dir_name', 5, 0x200, 9), 0);
      assert.equal(two.text(0x200, 4), '/tmp');
    },
  },
  {
    name: 'clock_time_get, clock_res_get',
    act({ wasi }) {
      for (let id = 0; id < 4; id++) {
        assert.equal(wasi.call('clock_res_get', id, 0x100), 0);
        assert.ok(wasi.view.getBigUint64(0x100, true) > 0n);
        assert.equal(wasi.call('clock_time_get', id, 0n, 0x100), 0);
        const first = wasi.view.getBigUint64(0x100, true);
        assert.equal(wasi.call('clock_time_get', id, 0n, 0x100), 0);
        assert.ok(wasi.view.getBigUint64(0x100, true) >= first);
        if (id === w.WASI_CLOCK_REALTIME) {
          assert.ok(Math.abs(Number(first / MS) - Date.now()) < 60_000);
        }
      }
      for (const id of [4, 0xffffffff]) {
        assert.equal(wasi.call('clock_res_get', id, 0x100), w.WASI_EINVAL);
        assert.equal(wasi.call('clock_time_get', id, 0n, 0x100), w.WASI_EINVAL);
      }
      assert.equal(wasi.call('clock_time_get', 0, 0n, wasi.u8.length - 7), w.WASI_EFAULT);
      assert.equal(wasi.call('clock_res_get', 0, wasi.u8.length - 7), w.WASI_EFAULT);
    },
  },
  {
    name: 'random_get, sched_yield',
    act({ wasi }) {
      wasi.u8.fill(0, 0x10000, 0x14000);
      assert.equal(wasi.call('random_get', 0x10000, 10_000), 0);
      const bytes = wasi.u8.slice(0x10000, 0x10000 + 10_000);
      assert.ok(new Set(bytes).size > 200);
      assert.notDeepEqual(bytes.slice(0, 4096), bytes.slice(4096, 8192));
      assert.equal(wasi.u8[0x10000 + 10_000], 0);
      assert.equal(wasi.call('random_get', 0, 0), 0);
      assert.equal(wasi.call('random_get', wasi.u8.length - 1, 2), w.WASI_EFAULT);
      assert.equal(wasi.call('random_get', 0xffffffff, 2), w.WASI_EFAULT);
      assert.equal(wasi.call('sched_yield'), 0);
    },
  },
  {
    name: 'poll_oneoff: clocks',
    act({ wasi }) {
      const start = performance.now();
      const events = wasi.poll([
        { clock: w.WASI_CLOCK_MONOTONIC, timeout: 10_000n * MS },
        { clock: w.WASI_CLOCK_REALTIME, timeout: 20n * MS, userdata: 0xfedcba9876543210n },
      ]) as Event[];
      assert.deepEqual(events, [
        { userdata: 0xfedcba9876543210n, error: 0, type: w.WASI_EVENT_CLOCK, nbytes: 0n, flags: 0 },
      ]);
      // it waits for as long as it was told; how much longer is the host's affair
      assert.ok(performance.now() - start >= 19);
      assert.equal((wasi.poll([{ clock: 0, timeout: 0n }]) as Event[]).length, 1);
      assert.equal(
        (wasi.poll([{ clock: 0, timeout: 1n, flags: w.WASI_SUBCLOCK_ABSTIME }]) as Event[]).length,
        1,
      );
      assert.equal(wasi.call('clock_time_get', w.WASI_CLOCK_MONOTONIC, 0n, 0x100), 0);
      const now = wasi.view.getBigUint64(0x100, true);
      const due = wasi.poll([
        { clock: w.WASI_CLOCK_MONOTONIC, timeout: now + 15n * MS, flags: w.WASI_SUBCLOCK_ABSTIME },
      ]) as Event[];
      assert.equal(due[0].error, 0);
      assert.equal(wasi.call('clock_time_get', w.WASI_CLOCK_MONOTONIC, 0n, 0x100), 0);
      assert.ok(wasi.view.getBigUint64(0x100, true) >= now + 14n * MS);
      assert.equal((wasi.poll([{ clock: 9, timeout: 0n }]) as Event[])[0].error, w.WASI_EINVAL);
      assert.equal((wasi.poll([{ clock: 0, timeout: 0n, flags: 2 }]) as Event[])[0].error, w.WASI_EINVAL);
    },
  },
  {
    name: 'poll_oneoff: pipes, files, terminals and clocks together',
    act({ wasi, dir, machine, process }) {
      const { master, path } = process.openpty();
      const tty = process.fs.openSync(path, O_RDWR);
      const { wasi: other } = { wasi };
      const file = other.open(dir, 'a');
      // nothing to read in the pipe; room to write; a file is always ready
      const first = other.poll([
        { fd: 0 },
        { fd: 1, write: true },
        { fd: file },
        { clock: 0, timeout: 3_600_000n * MS },
      ]) as Event[];
      assert.deepEqual(
        first.map(({ userdata, error, nbytes }) => [userdata, error, nbytes]),
        [
          [1n, 0, 0n],
          [2n, 0, 5n],
        ],
      );
      assert.equal(other.write(1, 'seven b'), 7);
      const second = other.poll([{ fd: 0 }, { clock: 0, timeout: 3_600_000n * MS }]) as Event[];
      assert.deepEqual(
        second.map(({ userdata, type, nbytes, flags }) => [userdata, type, nbytes, flags]),
        [[0n, w.WASI_EVENT_FD_READ, 7n, 0]],
      );
      assert.equal(other.read(0, 100), 'seven b');
      assert.equal(other.call('fd_close', 1), 0);
      assert.deepEqual(
        (other.poll([{ fd: 0 }]) as Event[]).map(({ flags, nbytes }) => [flags, nbytes]),
        [[w.WASI_EVENT_HANGUP, 0n]],
      );
      // descriptors that are not, or may not
      const odd = other.poll([{ fd: 77 }, { fd: dir }, { fd: 0, write: true }]) as Event[];
      assert.deepEqual(
        odd.map(({ error }) => error),
        [w.WASI_EBADF, w.WASI_ENOTCAPABLE, w.WASI_ENOTCAPABLE],
      );
      process.fs.closeSync(tty);
      process.fs.closeSync(master);
      assert.equal(other.call('fd_close', file), 0);
      assert.equal(machine.cpu.scheduler.waiting, 0);
    },
  },
  {
    name: 'poll_oneoff and fd_read of a terminal',
    act({ machine, another, process }) {
      const { master, path } = process.openpty();
      const child = machine.process({ parent: process });
      const tty = child.fs.openSync(path, O_RDWR);
      assert.equal(tty, 0);
      child.exit();
      process.fs.openSync(path, O_RDWR);
      const { wasi } = another();
      const fd = [4, 5, 6].find((each) => {
        const stat = wasi.fdstat(each);
        return (
          typeof stat === 'object' &&
          (stat as Fdstat).type === w.WASI_FILETYPE_CHARACTER_DEVICE &&
          each !== master
        );
      }) as number;
      assert.equal((wasi.poll([{ fd }, { clock: 0, timeout: 0n }]) as Event[])[0].type, w.WASI_EVENT_CLOCK);
      process.fs.writeSync(master, 'line\n');
      assert.deepEqual(
        (wasi.poll([{ fd }, { fd, write: true }]) as Event[]).map(({ type, nbytes }) => [type, nbytes]),
        [
          [w.WASI_EVENT_FD_READ, 5n],
          [w.WASI_EVENT_FD_WRITE, 0n],
        ],
      );
      assert.equal(wasi.read(fd, 100), 'line\n');
    },
  },
  {
    name: 'poll_oneoff: EINVAL, EFAULT, EDEADLK',
    act({ wasi }) {
      const end = wasi.u8.length;
      assert.equal(wasi.call('poll_oneoff', 0x10000, 0x11000, 0, 0x100), w.WASI_EINVAL);
      assert.equal(wasi.call('poll_oneoff', 0x10000, 0x11000, 0xffffffff, 0x100), w.WASI_EINVAL);
      wasi.u8[0x10008] = 3;
      assert.equal(wasi.call('poll_oneoff', 0x10000, 0x11000, 1, 0x100), w.WASI_EINVAL);
      assert.equal(wasi.call('poll_oneoff', end - 40, 0x11000, 1, 0x100), w.WASI_EFAULT);
      wasi.u8.fill(0, 0x10000, 0x10040);
      assert.equal(wasi.call('poll_oneoff', 0x10000, end - 31, 1, 0x100), w.WASI_EFAULT);
      assert.equal(wasi.call('poll_oneoff', 0x10000, 0x11000, 1, end - 3), w.WASI_EFAULT);
      assert.equal(wasi.poll([{ fd: 0 }]), -w.WASI_EDEADLK);
    },
  },
  {
    name: 'waiting: EDEADLK when nobody can wake it, EAGAIN when it is not to wait',
    act({ wasi, dir, machine }) {
      assert.equal(wasi.read(0, 10), -w.WASI_EDEADLK);
      assert.equal(wasi.call('fd_fdstat_set_flags', 0, w.WASI_FDFLAG_NONBLOCK), 0);
      assert.equal(wasi.read(0, 10), -w.WASI_EAGAIN);
      assert.equal(wasi.call('fd_fdstat_set_flags', 0, 0), 0);
      machine.init.mknod('/d/fifo', 0o010644, 0);
      assert.equal(wasi.open(dir, 'fifo', { base: BigInt(w.RIGHT_FD_READ) }), -w.WASI_EDEADLK);
      const fd = wasi.open(dir, 'fifo', { base: BigInt(w.RIGHT_FD_READ), fdflags: w.WASI_FDFLAG_NONBLOCK });
      assert.equal(wasi.read(fd, 1), '');
      assert.equal(wasi.open(dir, 'fifo', { base: BigInt(w.RIGHT_FD_WRITE), fdflags: 4 }) > 0, true);
      assert.equal(wasi.read(fd, 1), -w.WASI_EAGAIN);
      // a write that fits in part ends with that part
      const big = 'x'.repeat(0x8000);
      let written = 0;
      for (let n = wasi.write(1, big); n > 0; n = wasi.write(1, big)) written += n;
      assert.equal(wasi.write(1, big), -w.WASI_EDEADLK);
      assert.equal(written, 65536);
      for (const each of [fd, fd + 1]) assert.equal(wasi.call('fd_close', each), 0);
    },
  },
  {
    name: 'waiting: another process of the machine wakes it',
    async act({ wasi, machine, process }) {
      // a reader that waits as promises do takes a piece each turn; the guest, whose pipe is full, goes on with it
      const reader = machine.process({ parent: process, inheritFds: true });
      let got = 0;
      const step = (): void => {
        const buffer = new Uint8Array(30_000);
        reader.fs.read(0, buffer, 0, buffer.length, null, (error, n) => {
          if (error !== null || n === 0) return;
          got += n;
          step();
        });
      };
      step();
      let sent = 0;
      for (let turn = 0; turn < 20; turn++) {
        const n = wasi.write(1, 'y'.repeat(0x8000));
        assert.ok(n > 0 || n === -w.WASI_EDEADLK);
        sent += Math.max(n, 0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (let turn = 0; turn < 50 && got < sent; turn++)
        await new Promise((resolve) => setImmediate(resolve));
      assert.ok(sent > 3 * 65536);
      assert.equal(got, sent);
      reader.exit();
    },
  },
  {
    name: 'proc_raise: what is ignored passes, what is not ends the process, EINVAL',
    act({ wasi, another, process: parent }) {
      for (const signal of [0, 31, 255]) assert.equal(wasi.call('proc_raise', signal), w.WASI_EINVAL);
      // SIGCHLD, SIGCONT, SIGURG, SIGWINCH do nothing to who does not ask for them
      for (const signal of [16, 17, 22, 27]) assert.equal(wasi.call('proc_raise', signal), 0);
      const { guest, process } = another();
      assert.throws(() => guest.call('proc_raise', w.WASI_SIGTERM), ProcessGone);
      assert.throws(() => guest.call('sched_yield'), ProcessGone);
      assert.deepEqual(parent.wait(process.pid), { pid: process.pid, status: 15 });
      assert.equal(wasi.call('sched_yield'), 0);
    },
  },
  {
    name: 'EPIPE: ignored, the signal leaves the errno',
    act({ wasi, dir }) {
      assert.equal(wasi.call('fd_close', 0), 0);
      assert.equal(wasi.write(1, 'x'), -w.WASI_EPIPE);
      assert.equal(typeof wasi.stat(dir, 'a'), 'object');
    },
  },
  {
    name: 'SIGPIPE: not ignored, it ends the process',
    act({ another, wasi }) {
      const { guest, process } = another();
      process.sigaction(13, 0);
      assert.equal(wasi.call('fd_close', 0), 0);
      assert.equal(guest.call('fd_close', 0), 0);
      const write = () => guest.call('fd_write', 1, ...wasiIovec(guest.memory), 0x100);
      assert.throws(write, ProcessGone);
    },
  },
  {
    name: 'a process that is ended from outside has no calls any more',
    act({ another }) {
      const { guest, process } = another();
      process.exit();
      assert.throws(() => guest.call('sched_yield'));
      guest.close();
      assert.throws(() => guest.call('fd_close', 0));
    },
  },
  {
    name: 'sock_*: ENOTSOCK of what is none, EBADF of nothing',
    act({ wasi, dir }) {
      const calls = (fd: number) => [
        wasi.call('sock_accept', fd, 0, 0x100),
        wasi.call('sock_recv', fd, ...wasi.iovecs([1]), 0, 0x100, 0x104),
        wasi.call('sock_send', fd, ...wasi.iovecs([1]), 0, 0x100),
        wasi.call('sock_shutdown', fd, 3),
      ];
      const file = wasi.open(dir, 'a', { base: FILE });
      for (const fd of [0, dir, file]) assert.deepEqual(calls(fd), Array(4).fill(w.WASI_ENOTSOCK));
      assert.deepEqual(calls(77), Array(4).fill(w.WASI_EBADF));
      assert.equal(wasi.call('sock_accept', 0, 0, wasi.u8.length - 3), w.WASI_EFAULT);
      assert.equal(wasi.call('sock_recv', 0, 0, 0, 0, 0x100, wasi.u8.length - 1), w.WASI_EFAULT);
      assert.equal(wasi.call('sock_send', 0, 0, 0, 0, 0xffffffff), w.WASI_EFAULT);
      assert.equal(wasi.call('fd_close', file), 0);
    },
  },
  {
    name: 'two guests: their descriptors, memories and rights are their own',
    act({ wasi, dir, another }) {
      const other = another().wasi;
      assert.equal(wasi.call('fd_fdstat_set_rights', dir, 0n, 0n), 0);
      assert.equal(wasi.stat(dir, 'a'), -w.WASI_ENOTCAPABLE);
      assert.equal(typeof other.stat(dir, 'a'), 'object');
      const fd = other.open(dir, 'a');
      for (let i = 0; i < 100; i++) {
        assert.equal(other.pread(fd, 0n, 5), 'hello');
        assert.equal(wasi.read(fd, 5), -w.WASI_EBADF);
      }
    },
  },
  {
    name: 'proc_exit: the program is left, whatever it was doing',
    act({ guest, wasi }) {
      assert.throws(() => guest.call('proc_exit', 0xfffffffe), { name: 'GuestExit', code: 0xfffffffe });
      assert.equal(wasi.call('sched_yield'), 0);
    },
  },
  {
    name: 'a guest is one per process, and small',
    act({ machine, process, guest, another }) {
      assert.throws(
        () => new (guest.constructor as new (...args: unknown[]) => unknown)(process, undefined),
        {
          code: 'EEXIST',
        },
      );
      machine.reclaim();
      const before = machine.framesInUse;
      for (let i = 0; i < 16; i++) another({ args: ['program', 'argument'], env: { PATH: '/bin' } });
      machine.reclaim();
      assert.ok((machine.framesInUse - before) * 4096 <= 16 * 65536);
    },
  },
];

/** One byte at 0x10000. */
function wasiIovec(memory: WebAssembly.Memory): [number, number] {
  const view = new DataView(memory.buffer);
  view.setUint32(0x8000, 0x10000, true);
  view.setUint32(0x8004, 1, true);
  return [0x8000, 1];
}
