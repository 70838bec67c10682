/** Terminals: pseudo-terminals, sessions, waiting. Keys and echo: tty-oracle.test.ts. */
import { describe, expect, it } from 'vitest';
import {
  FIONREAD,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  S_IFCHR,
} from '../../../assembly/abi/flags.ts';
import * as S from '../../../assembly/abi/signals.ts';
import * as tty from '../../../assembly/abi/termios.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import type { Process } from '../../../host/syscalls/process.ts';
import { makeRaw, makeSane } from '../../../host/syscalls/ttycalls.ts';
import { cat, codeOf, onMachine, readlink } from './kit.ts';

const FLAVOURS: Flavour[] = ['up-debug', 'smp-debug'];
const AT_FDCWD = -100;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Read once, waiting: the text. */
async function readLater(p: Process, fd: number, size = 1000): Promise<string> {
  const buffer = Buffer.alloc(size);
  const result = await p.later(() => {
    p.enter();
    p.cpu.spaces[0] = buffer;
    return p.exports.sys_read(fd, 0, 0, size);
  });
  if (result < 0) throw p.failure(result, 'read');
  return buffer.toString('latin1', 0, result);
}

async function writeLater(p: Process, fd: number, bytes: Uint8Array): Promise<number> {
  const result = await p.later(() => {
    p.enter();
    p.cpu.spaces[0] = bytes;
    return p.exports.sys_write(fd, 0, 0, bytes.length);
  });
  if (result < 0) throw p.failure(result, 'write');
  return result;
}

/** What can be read at once from a descriptor that does not block. */
function read(p: Process, fd: number, size = 1000): string {
  const buffer = Buffer.alloc(size);
  return buffer.toString('latin1', 0, p.fs.readSync(fd, buffer, 0, size, null));
}

interface Terminal {
  /** Who has the master open. */
  me: Process;
  master: number;
  path: string;
  /** The other end, opened by `me`. */
  fd: number;
}

/** A pseudo-terminal, both ends open and not blocking. */
function terminal(machine: Machine, me = machine.process()): Terminal {
  const { master, path } = me.openpty(O_NONBLOCK);
  return { me, master, path, fd: me.openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_NOCTTY) };
}

/** A program that leads a session on the terminal. */
function login({ me, master, path, fd: own }: Terminal): { sh: Process; fd: number } {
  const sh = me.fork();
  for (const inherited of [master, own]) sh.close(inherited);
  sh.setsid();
  return { sh, fd: sh.openat(AT_FDCWD, path, O_RDWR) };
}

describe.each(FLAVOURS)('%s', (flavour) => {
  const on = (run: (machine: Machine) => void | Promise<void>) => onMachine(run, { flavour });

  describe('pseudo-terminals', () => {
    it(
      'are locked at first, have a name while the master is open, and the lowest number',
      on((machine) => {
        const me = machine.process({ uid: 1000, gid: 1000 });
        const first = me.openat(AT_FDCWD, '/dev/ptmx', O_RDWR);
        const lock = Buffer.alloc(4);
        me.ioctl(first, tty.TIOCGPTLCK, lock);
        expect(lock.readInt32LE()).toBe(1);
        expect(codeOf(() => me.openat(AT_FDCWD, '/dev/pts/0', O_RDWR))).toBe('EIO');
        me.ioctl(first, tty.TIOCSPTLCK, Buffer.alloc(4));
        me.close(me.openat(AT_FDCWD, '/dev/pts/0', O_RDWR));
        const second = me.openpty();
        expect(second.path).toBe('/dev/pts/1');
        expect(me.fs.readdirSync('/dev/pts')).toEqual(['0', '1']);
        expect(me.fs.statSync('/dev/pts/1')).toMatchObject({
          mode: S_IFCHR | 0o620,
          uid: 1000,
          gid: 5,
          rdev: 0x8801,
          ino: 4,
        });
        me.fs.chmodSync('/dev/pts/1', 0o600);
        machine.fs.chownSync('/dev/pts/1', 7, 8);
        expect(machine.fs.statSync('/dev/pts/1')).toMatchObject({ mode: S_IFCHR | 0o600, uid: 7, gid: 8 });
        expect(codeOf(() => me.openat(AT_FDCWD, '/dev/pts/1', O_RDONLY))).toBe('EACCES');
        me.close(first);
        expect(me.fs.readdirSync('/dev/pts')).toEqual(['1']);
        for (const name of ['0', '01', '1x', '256', '999']) {
          expect(me.fs.existsSync(`/dev/pts/${name}`), name).toBe(false);
        }
        expect(me.openpty().path).toBe('/dev/pts/0');
        expect(me.isatty(second.master)).toBe(true);
        expect(me.isatty(me.openat(AT_FDCWD, '/dev/null', O_RDONLY))).toBe(false);
        expect(codeOf(() => machine.fs.unlinkSync('/dev/pts/0'))).toBe('EPERM');
        expect(codeOf(() => machine.init.openat(AT_FDCWD, '/dev/pts/new', 0o101))).toBe('EPERM');
      }),
    );

    it(
      'carry text both ways, and wake who waits for it',
      on(async (machine) => {
        const { me, master, path } = terminal(machine);
        const fd = me.openat(AT_FDCWD, path, O_RDWR | O_NOCTTY);
        const reading = readLater(me, fd);
        const polling = me.pollLater([{ fd, events: POLLIN }], -1);
        me.fs.writeSync(master, 'one\rtwo');
        expect(await reading).toBe('one\n');
        expect(read(me, master)).toBe('one\r\ntwo');
        expect(codeOf(() => read(me, master))).toBe('EAGAIN');
        me.fs.writeSync(master, '\n');
        expect(await polling).toEqual([POLLIN]);
        expect(await readLater(me, fd, 2)).toBe('tw');
        const count = Buffer.alloc(4);
        me.ioctl(fd, FIONREAD, count);
        expect(count.readInt32LE()).toBe(2);
        expect(await readLater(me, fd)).toBe('o\n');
        read(me, master);
        me.fs.writeSync(fd, 'out\n');
        expect(me.poll([{ fd: master, events: POLLIN | POLLOUT }], 0)).toEqual([POLLIN | POLLOUT]);
        expect(read(me, master)).toBe('out\r\n');
        expect(codeOf(() => me.lseek(fd, 0, 0))).toBe('ESPIPE');
      }),
    );

    it(
      'make the writer wait at either end, and lose nothing',
      on(async (machine) => {
        const me = machine.process();
        const { master, path } = me.openpty(0);
        const fd = me.openat(AT_FDCWD, path, O_RDWR);
        me.tcsetattr(fd, makeRaw(me.tcgetattr(fd)));
        const data = Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
        for (const [from, to] of [
          [fd, master],
          [master, fd],
        ]) {
          const writing = writeLater(me, from, data);
          let got = '';
          while (got.length < data.length) got += await readLater(me, to, 1 + (got.length % 777));
          expect(await writing).toBe(data.length);
          expect(Buffer.from(got, 'latin1').equals(data)).toBe(true);
        }
        // full: nothing more fits, and poll says so
        me.fcntl(fd, 4, O_NONBLOCK);
        me.fcntl(master, 4, O_NONBLOCK);
        const filled = [fd, master].map((end) => me.fs.writeSync(end, data));
        expect(filled.map((n) => n > 3000 && n < 4096)).toEqual([true, true]);
        const ends = [fd, master].map((end) => ({ fd: end, events: POLLIN | POLLOUT }));
        expect(me.poll(ends, 0)).toEqual([POLLIN, POLLIN]);
        expect(codeOf(() => me.fs.writeSync(fd, 'x'))).toBe('EAGAIN');
        expect(codeOf(() => me.fs.writeSync(master, 'x'))).toBe('EAGAIN');
      }),
    );

    it(
      'tell the master when the last program is gone',
      on(async (machine) => {
        const { me, master, path, fd } = terminal(machine);
        me.fcntl(master, 4, 0);
        const again = me.dup(fd);
        const reading = readLater(me, master);
        me.close(fd);
        await turn();
        me.close(again);
        await expect(reading).rejects.toMatchObject({ code: 'EIO' });
        expect(me.poll([{ fd: master, events: POLLIN }], 0)).toEqual([POLLHUP]);
        const other = me.openat(AT_FDCWD, path, O_RDWR);
        me.fs.writeSync(other, 'back');
        me.close(other);
        expect(await readLater(me, master)).toBe('back');
        expect(codeOf(() => read(me, master))).toBe('EIO');
      }),
    );

    it(
      'hang up when the master is closed: programs find the end, and their session is told',
      on(async (machine) => {
        const t = terminal(machine);
        const { me, master, path, fd } = t;
        const { sh, fd: stdin } = login(t);
        const job = sh.fork();
        job.setpgid(0, 0);
        sh.tcsetpgrp(stdin, job.pid);
        const bystander = sh.fork();
        bystander.setpgid(0, 0);
        const waiting = bystander.pollLater([{ fd: stdin, events: POLLIN }], -1);
        me.fs.writeSync(master, 'unread\n');
        const held = await readLater(job, stdin, 3);
        expect(held).toBe('unr');
        me.close(master);
        expect(me.wait(sh.pid)).toEqual({ pid: sh.pid, status: S.SIGHUP });
        expect(machine.fs.existsSync(`/proc/${job.pid}`)).toBe(false);
        await waiting;
        expect(read(bystander, stdin)).toBe('');
        expect(read(me, fd)).toBe('');
        expect(codeOf(() => me.fs.writeSync(fd, 'x'))).toBe('EIO');
        expect(codeOf(() => me.tcgetattr(fd))).toBe('EIO');
        expect(me.poll([{ fd, events: POLLIN | POLLOUT }], 0)).toEqual([
          POLLIN | POLLOUT | POLLERR | POLLHUP,
        ]);
        expect(codeOf(() => me.openat(AT_FDCWD, path, O_RDWR))).toBe('ENOENT');
        expect(codeOf(() => bystander.openat(AT_FDCWD, '/dev/tty', O_RDWR))).toBe('ENXIO');
        expect(readlink(me, `/proc/self/fd/${fd}`)).toMatch(/^\/dev\/pts\/0/);
      }),
    );

    it(
      'are 256 at most',
      on((machine) => {
        const me = machine.process();
        for (let i = 0; i < 256; i++) me.openat(AT_FDCWD, '/dev/ptmx', O_RDWR);
        expect(codeOf(() => me.openat(AT_FDCWD, '/dev/ptmx', O_RDWR))).toBe('ENOSPC');
        expect(me.fs.readdirSync('/dev/pts').length).toBe(256);
        me.exit();
        expect(machine.fs.readdirSync('/dev/pts')).toEqual([]);
      }),
    );

    it(
      'can be revoked: who waits finds the terminal dead',
      on(async (machine) => {
        const { me, master, path } = terminal(machine);
        const fd = me.openat(AT_FDCWD, path, O_RDWR);
        const reading = readLater(me, fd);
        await turn();
        machine.init.revoke(path);
        await expect(reading).rejects.toMatchObject({ code: 'EIO' });
        const fresh = me.openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK);
        me.fs.writeSync(master, 'hi\n');
        expect(read(me, fresh)).toBe('hi\n');
      }),
    );
  });

  describe('raw reads', () => {
    const raw = (me: Process, fd: number, min: number, time: number) => {
      const settings = makeRaw(makeSane());
      settings.cc[tty.VMIN] = min;
      settings.cc[tty.VTIME] = time;
      me.tcsetattr(fd, settings);
    };
    /** How long a promise takes by the machine's clock, ms, in tens. */
    const timed = async <T>(machine: Machine, promise: Promise<T>): Promise<[T, number]> => {
      const now = () => {
        machine.cpu.exports.clock_ms();
        return machine.cpu.f64[(machine.cpu.area + 8192) >> 3];
      };
      const start = now();
      const value = await promise;
      return [value, Math.round((now() - start) / 10) * 10];
    };
    const withClock = (run: (machine: Machine) => Promise<void>) => onMachine(run, { flavour, seed: 1 });

    it(
      'wait for VMIN bytes, or for what was asked if that is less',
      withClock(async (machine) => {
        const { me, master, path } = terminal(machine);
        const fd = me.openat(AT_FDCWD, path, O_RDWR);
        raw(me, fd, 4, 0);
        const reading = readLater(me, fd, 10);
        me.fs.writeSync(master, 'ab');
        await turn();
        expect(me.poll([{ fd, events: POLLIN }], 0)).toEqual([0]);
        me.fs.writeSync(master, 'cde');
        expect(await reading).toBe('abcde');
        me.fs.writeSync(master, 'xy');
        expect(await readLater(me, fd, 2)).toBe('xy');
        me.fs.writeSync(master, '1234');
        expect(me.poll([{ fd, events: POLLIN }], 0)).toEqual([POLLIN]);
        // without waiting: what there is
        me.fcntl(fd, 4, O_NONBLOCK);
        expect(read(me, fd)).toBe('1234');
        me.fs.writeSync(master, '5');
        expect(read(me, fd)).toBe('5');
        expect(codeOf(() => read(me, fd))).toBe('EAGAIN');
      }),
    );

    it(
      'wait VTIME for a first byte if VMIN is 0, and not at all if both are',
      withClock(async (machine) => {
        const { me, master, path } = terminal(machine);
        const fd = me.openat(AT_FDCWD, path, O_RDWR);
        raw(me, fd, 0, 0);
        expect(await readLater(me, fd)).toBe('');
        raw(me, fd, 0, 3);
        expect(await timed(machine, readLater(me, fd))).toEqual(['', 300]);
        const reading = readLater(me, fd);
        me.fs.writeSync(master, 'a');
        expect(await reading).toBe('a');
      }),
    );

    it(
      'with both, the time is that between two bytes',
      withClock(async (machine) => {
        const { me, master, path } = terminal(machine);
        const fd = me.openat(AT_FDCWD, path, O_RDWR);
        raw(me, fd, 10, 2);
        const reading = timed(machine, readLater(me, fd));
        me.fs.writeSync(master, 'a');
        await Promise.resolve();
        machine.advanceClock(150);
        me.fs.writeSync(master, 'b');
        expect(await reading).toEqual(['ab', 350]);
        // a byte that is there already starts the clock
        me.fs.writeSync(master, 'c');
        expect(await timed(machine, readLater(me, fd))).toEqual(['c', 200]);
      }),
    );
  });

  describe('sessions', () => {
    it(
      'a leader takes the terminal it opens, a library’s process and O_NOCTTY do not',
      on((machine) => {
        const t = terminal(machine);
        const { me, path, fd } = t;
        me.close(me.openat(AT_FDCWD, path, O_RDWR));
        expect(codeOf(() => me.tcgetpgrp(fd))).toBe('ENOTTY');
        expect(codeOf(() => me.openat(AT_FDCWD, '/dev/tty', O_RDWR))).toBe('ENXIO');
        const child = me.fork();
        child.openat(AT_FDCWD, path, O_RDWR);
        child.setsid();
        child.openat(AT_FDCWD, path, O_RDWR | O_NOCTTY);
        child.openat(AT_FDCWD, path, O_WRONLY);
        expect(codeOf(() => child.openat(AT_FDCWD, '/dev/tty', O_RDWR))).toBe('ENXIO');
        const own = child.openat(AT_FDCWD, path, O_RDWR);
        expect([child.tcgetpgrp(own), child.tcgetsid(own)]).toEqual([child.pid, child.pid]);
        const byTty = child.openat(AT_FDCWD, '/dev/tty', O_RDWR);
        expect(child.tcgetpgrp(byTty)).toBe(child.pid);
        expect(cat(child, '/proc/self/stat')).toMatch(
          new RegExp(`\\) R \\d+ ${child.pid} ${child.pid} ${0x8800} ${child.pid} `),
        );
        // it is taken: another session cannot have it, unless root steals it
        const rival = machine.process({ uid: 0, gid: 0 }).fork();
        rival.setsid();
        const rivals = rival.openat(AT_FDCWD, path, O_RDWR);
        expect(codeOf(() => rival.tcgetpgrp(rivals))).toBe('ENOTTY');
        expect(codeOf(() => rival.setControllingTerminal(rivals))).toBe('EPERM');
        rival.setControllingTerminal(rivals, true);
        expect(rival.tcgetsid(rivals)).toBe(rival.pid);
        expect(codeOf(() => child.tcgetsid(own))).toBe('ENOTTY');
        // who gives it up hangs up the group in front, which is its own
        rival.sigaction(S.SIGHUP, S.SIG_IGN);
        rival.dropControllingTerminal(rivals);
        expect(codeOf(() => rival.tcgetsid(rivals))).toBe('ENOTTY');
        expect(codeOf(() => rival.dropControllingTerminal(rivals))).toBe('ENOTTY');
        child.setControllingTerminal(own);
        const grandchild = child.fork();
        expect(grandchild.tcgetsid(own)).toBe(child.pid);
        expect(codeOf(() => grandchild.setControllingTerminal(own))).toBe('EPERM');
      }),
    );

    it(
      'the foreground group is one of the session’s',
      on((machine) => {
        const t = terminal(machine);
        const { sh, fd } = login(t);
        const job = sh.fork();
        expect(codeOf(() => sh.tcsetpgrp(fd, job.pid))).toBe('ESRCH');
        sh.setpgid(job.pid, 0);
        sh.tcsetpgrp(fd, job.pid);
        expect(job.tcgetpgrp(fd)).toBe(job.pid);
        expect(codeOf(() => sh.tcsetpgrp(fd, 99999))).toBe('ESRCH');
        expect(codeOf(() => sh.tcsetpgrp(fd, t.me.pid))).toBe('EPERM');
        expect(codeOf(() => sh.tcsetpgrp(fd, -1))).toBe('EINVAL');
        expect(codeOf(() => t.me.tcsetpgrp(t.fd, sh.pid))).toBe('ENOTTY');
        // whoever is in the background may still say so
        sh.tcsetpgrp(fd, sh.pid);
        expect(t.me.tcgetpgrp(t.master)).toBe(sh.pid);
      }),
    );

    it(
      'keys send signals to the foreground group, and forget what was typed',
      on(async (machine) => {
        const t = terminal(machine);
        const { me, master } = t;
        const { sh, fd } = login(t);
        const job = sh.fork();
        job.setpgid(0, 0);
        const partner = job.fork();
        sh.tcsetpgrp(fd, job.pid);
        const reading = readLater(job, fd);
        await turn();
        me.fs.writeSync(master, 'half a line\x1a\x03');
        await expect(reading).rejects.toMatchObject({ code: 'ESRCH' });
        expect(sh.wait(job.pid)).toEqual({ pid: job.pid, status: S.SIGINT });
        expect(machine.fs.existsSync(`/proc/${partner.pid}`)).toBe(false);
        expect(read(me, master)).toBe('^C');
        sh.tcsetpgrp(fd, sh.pid);
        sh.sigaction(S.SIGQUIT, S.SIG_CATCH);
        const waiting = readLater(sh, fd);
        await turn();
        me.fs.writeSync(master, 'more\x1c');
        await expect(waiting).rejects.toMatchObject({ code: 'EINTR' });
        expect(sh.sigtake()).toBe(S.SIGQUIT);
        read(me, master);
        // NOFLSH: the line stays
        const settings = sh.tcgetattr(fd);
        sh.tcsetattr(fd, { ...settings, lflag: settings.lflag | tty.NOFLSH });
        me.fs.writeSync(master, 'kept\x1c\n');
        expect(sh.sigtake()).toBe(S.SIGQUIT);
        expect(await readLater(sh, fd)).toBe('kept\n');
      }),
    );

    it(
      'a background group may write, and reads EIO, or EINTR if it catches SIGTTIN',
      on(async (machine) => {
        const t = terminal(machine);
        const { sh, fd } = login(t);
        const job = sh.fork();
        job.setpgid(0, 0);
        t.me.fs.writeSync(t.master, 'line\n');
        read(t.me, t.master);
        await expect(readLater(job, fd)).rejects.toMatchObject({ code: 'EIO' });
        job.fs.writeSync(fd, 'x');
        expect(read(t.me, t.master)).toBe('x');
        job.sigaction(S.SIGTTIN, S.SIG_CATCH);
        await expect(readLater(job, fd)).rejects.toMatchObject({ code: 'EINTR' });
        expect(job.sigtake()).toBe(S.SIGTTIN);
        expect(await readLater(sh, fd)).toBe('line\n');
      }),
    );

    it(
      'the window’s size is told to the foreground group when it changes',
      on((machine) => {
        const t = terminal(machine);
        const { sh, fd } = login(t);
        sh.sigaction(S.SIGWINCH, S.SIG_CATCH);
        expect(sh.windowSize(fd)).toEqual({ rows: 0, columns: 0, width: 0, height: 0 });
        t.me.setWindowSize(t.master, { rows: 24, columns: 80 });
        expect(sh.sigtake()).toBe(S.SIGWINCH);
        expect(sh.windowSize(fd)).toEqual({ rows: 24, columns: 80, width: 0, height: 0 });
        t.me.setWindowSize(t.master, { rows: 24, columns: 80 });
        expect(sh.sigtake()).toBe(0);
        sh.setWindowSize(fd, { rows: 50, columns: 132, width: 1, height: 2 });
        expect(t.me.windowSize(t.master)).toEqual({ rows: 50, columns: 132, width: 1, height: 2 });
      }),
    );

    it(
      'when the leader ends, the group in front is hung up and the terminal is free',
      on((machine) => {
        const t = terminal(machine);
        const { sh, fd } = login(t);
        const job = sh.fork();
        job.setpgid(0, 0);
        sh.tcsetpgrp(fd, job.pid);
        const background = sh.fork();
        background.setpgid(0, 0);
        sh.exitWith(0);
        expect(machine.fs.existsSync(`/proc/${job.pid}`)).toBe(false);
        expect(background.cwd()).toBe('/');
        expect(codeOf(() => background.tcgetpgrp(fd))).toBe('ENOTTY');
        const next = login(t);
        expect(next.sh.tcgetsid(next.fd)).toBe(next.sh.pid);
      }),
    );
  });

  describe('settings and flow', () => {
    it(
      'are those of a sane terminal at first, and the same from both ends',
      on((machine) => {
        const { me, master, fd } = terminal(machine);
        expect(me.tcgetattr(fd)).toEqual(makeSane());
        const settings = { ...makeRaw(makeSane()), cflag: 0 };
        me.tcsetattr(master, settings);
        expect(me.tcgetattr(fd)).toEqual({ ...settings, cflag: tty.CS8 | tty.CREAD });
        const none = me.openat(AT_FDCWD, '/dev/null', O_RDWR);
        expect(codeOf(() => me.tcgetattr(none))).toBe('ENOTTY');
        expect(codeOf(() => me.ioctl(fd, tty.TCGETS, Buffer.alloc(3)))).toBe('EFAULT');
        expect(codeOf(() => me.ioctl(fd, 0x5499))).toBe('ENOTTY');
        expect(codeOf(() => me.ioctl(fd, tty.TIOCGPTN, Buffer.alloc(4)))).toBe('ENOTTY');
      }),
    );

    it(
      'TCSETSF and TCFLSH forget what waits',
      on((machine) => {
        const { me, master, fd } = terminal(machine);
        me.fs.writeSync(master, 'typed\n');
        me.tcsetattr(fd, makeSane(), tty.TCSETSW);
        expect(read(me, fd)).toBe('typed\n');
        for (const forget of [
          () => me.tcsetattr(fd, makeSane(), tty.TCSETSF),
          () => me.tcflush(fd, tty.TCIFLUSH),
          () => me.tcflush(fd, tty.TCIOFLUSH),
        ]) {
          me.fs.writeSync(master, 'typed\nhalf');
          forget();
          expect(codeOf(() => read(me, fd))).toBe('EAGAIN');
          me.fs.writeSync(master, 'line\n');
          expect(read(me, fd)).toBe('line\n');
        }
        for (const end of [fd, master]) {
          me.fs.writeSync(fd, 'output');
          me.tcflush(end, end === fd ? tty.TCOFLUSH : tty.TCIFLUSH);
          expect(codeOf(() => read(me, master))).toBe('EAGAIN');
        }
        expect(codeOf(() => me.tcflush(fd, 3))).toBe('EINVAL');
        expect(codeOf(() => me.tcflow(fd, 4))).toBe('EINVAL');
      }),
    );

    it(
      'output stops and starts, by keys and by the program, and its writer waits',
      on(async (machine) => {
        const { me, master, path, fd } = terminal(machine);
        const slow = me.openat(AT_FDCWD, path, O_RDWR);
        me.fs.writeSync(master, '\x13');
        expect(me.poll([{ fd, events: POLLOUT }], 0)).toEqual([0]);
        expect(codeOf(() => me.fs.writeSync(fd, 'x'))).toBe('EAGAIN');
        const writing = writeLater(me, slow, Buffer.from('held'));
        me.fs.writeSync(master, 'echo');
        expect(codeOf(() => read(me, master))).toBe('EAGAIN');
        me.fs.writeSync(master, '\x11');
        expect(await writing).toBe(4);
        expect(read(me, master)).toBe('echoheld');
        me.tcflow(fd, tty.TCOOFF);
        expect(codeOf(() => me.fs.writeSync(fd, 'x'))).toBe('EAGAIN');
        me.tcflow(fd, tty.TCOON);
        me.fs.writeSync(fd, 'x');
        me.tcflow(fd, tty.TCIOFF);
        me.tcflow(fd, tty.TCION);
        expect(read(me, master)).toBe('x\x13\x11');
      }),
    );
  });
});
