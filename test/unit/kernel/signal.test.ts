import { describe, expect, it } from 'vitest';
import { POLLIN, RLIMIT_FSIZE } from '../../../assembly/abi/flags.ts';
import { PE_EXIT, PE_SIGNAL } from '../../../assembly/abi/layout.ts';
import * as S from '../../../assembly/abi/signals.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import type { Process } from '../../../host/syscalls/process.ts';
import { cat, codeOf, onMachine } from './kit.ts';

const FLAVOURS: Flavour[] = ['up-debug', 'smp-debug'];
const { SIG_CATCH, SIG_DFL, SIG_IGN } = S;

/** What the host hears of processes, as [pid, kind]. */
function events(machine: Machine): [number, number][] {
  const heard: [number, number][] = [];
  machine.cpu.scheduler.onEvent((pid, kind) => heard.push([pid, kind]));
  return heard;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const chunk = () => Buffer.alloc(100);

/** Read, waiting; resolves to the number of bytes or rejects. */
async function readLater(p: Process, fd: number): Promise<number> {
  const buffer = chunk();
  const result = p.later(() => {
    p.enter();
    p.cpu.spaces[0] = buffer;
    return p.exports.sys_read(fd, 0, 0, buffer.length);
  });
  const n = await result;
  if (n < 0) throw p.failure(n, 'read');
  return n;
}

describe.each(FLAVOURS)('%s', (flavour) => {
  const on = (run: (machine: Machine) => void | Promise<void>) => onMachine(run, { flavour });

  it(
    'by default a signal ends a process: its parent, its host and what waits in it learn it',
    on(async (machine) => {
      const heard = events(machine);
      const sh = machine.process({});
      const child = sh.fork();
      const { read } = child.pipe();
      const reading = readLater(child, read);
      const polling = child.pollLater([{ fd: read, events: POLLIN }], -1);
      const waiting = sh.waitLater(child.pid);
      sh.kill(child.pid, S.SIGTERM);
      expect(codeOf(() => child.cwd())).toBe('ESRCH');
      await expect(reading).rejects.toMatchObject({ code: 'ESRCH' });
      await expect(polling).rejects.toMatchObject({ code: 'ESRCH' });
      expect(await waiting).toEqual({ pid: child.pid, status: S.SIGTERM });
      await turn();
      expect(heard).toEqual([[child.pid, PE_EXIT]]);
      expect(machine.cpu.runnable).toBe(false);
    }),
  );

  it(
    'some signals do nothing by default, those that stop among them; any can end by real-time number',
    on((machine) => {
      const sh = machine.process({});
      const child = sh.fork();
      const quiet = [S.SIGCHLD, S.SIGCONT, S.SIGSTOP, S.SIGTSTP, S.SIGTTIN, S.SIGTTOU, S.SIGURG, S.SIGWINCH];
      for (const signal of quiet) sh.kill(child.pid, signal);
      expect(child.cwd()).toBe('/');
      for (let signal = 1; signal <= S.NSIG; signal++) {
        if (quiet.includes(signal)) continue;
        const victim = sh.fork();
        // what the library ignores was inherited
        if (signal === S.SIGPIPE || signal === S.SIGXFSZ) victim.sigaction(signal, SIG_DFL);
        sh.kill(victim.pid, signal);
        expect(sh.wait(victim.pid)).toEqual({ pid: victim.pid, status: signal });
      }
      expect(codeOf(() => sh.kill(child.pid, 65))).toBe('EINVAL');
      expect(codeOf(() => sh.kill(child.pid, -1))).toBe('EINVAL');
      sh.kill(child.pid, 0);
    }),
  );

  it(
    'a caught signal is reported, taken in order of its number, and interrupts what waits',
    on(async (machine) => {
      const heard = events(machine);
      const sh = machine.process({});
      const child = sh.fork();
      expect(child.sigaction(S.SIGUSR1, SIG_CATCH)).toBe(SIG_DFL);
      expect(child.sigaction(S.SIGHUP, SIG_CATCH)).toBe(SIG_DFL);
      const { read, write } = child.pipe();
      const reading = readLater(child, read);
      const polling = child.pollLater([{ fd: read, events: POLLIN }], 1e9);
      const waiting = sh.waitLater();
      sh.kill(child.pid, S.SIGUSR1);
      sh.kill(child.pid, S.SIGHUP);
      sh.kill(child.pid, S.SIGUSR1);
      await expect(reading).rejects.toMatchObject({ code: 'EINTR' });
      await expect(polling).rejects.toMatchObject({ code: 'EINTR' });
      expect(heard).toEqual([[child.pid, PE_SIGNAL]]);
      expect(cat(sh, `/proc/${child.pid}/status`)).toContain('SigPnd:\t0000000000000201\n');
      // while one is pending nothing waits
      await expect(readLater(child, read)).rejects.toMatchObject({ code: 'EINTR' });
      expect([child.sigtake(), child.sigtake(), child.sigtake()]).toEqual([S.SIGHUP, S.SIGUSR1, 0]);
      // and what can be done is done
      const again = readLater(child, read);
      child.fs.writeSync(write, 'abc');
      expect(await again).toBe(3);
      child.exitWith(0);
      expect(await waiting).toMatchObject({ pid: child.pid });
    }),
  );

  it(
    'an interrupted transfer tells what it did',
    on(async (machine) => {
      const sh = machine.process({});
      const child = sh.fork();
      child.sigaction(S.SIGUSR1, SIG_CATCH);
      const { read, write } = child.pipe();
      const data = Buffer.alloc(100_000);
      const writing = child.later(() => {
        child.enter();
        child.cpu.spaces[0] = data;
        return child.exports.sys_write(write, 0, 0, data.length);
      });
      sh.kill(child.pid, S.SIGUSR1);
      expect(await writing).toBe(65_536);
      child.sigtake();
      child.close(read);
    }),
  );

  it(
    'waits for locks, fifos and children end with EINTR and leave nothing behind',
    on(async (machine) => {
      machine.fs.writeFileSync('/f', '');
      machine.init.mkfifo('/fifo');
      const sh = machine.process({});
      const other = sh.fork();
      const p = sh.fork();
      p.sigaction(S.SIGUSR1, SIG_CATCH);
      const mine = other.openat(-100, '/f', 2);
      const fd = p.openat(-100, '/f', 2);
      const lock = { type: 1, start: 0, length: 0 };
      other.setLock(mine, 6, lock);
      other.flock(mine, 2);
      const waits = [p.setLockLater(fd, 7, lock), p.flockLater(fd, 2), p.fs.promises.open('/fifo', 'r')];
      const grandchild = p.fork();
      const waiting = p.waitLater(grandchild.pid);
      await turn();
      sh.kill(p.pid, S.SIGUSR1);
      for (const wait of [...waits, waiting]) await expect(wait).rejects.toMatchObject({ code: 'EINTR' });
      p.sigtake();
      // no reader is left in the fifo
      expect(codeOf(() => sh.openat(-100, '/fifo', 1 | 0o4000))).toBe('ENXIO');
      other.exitWith(0);
      p.setLock(fd, 6, lock);
      p.flock(fd, 2);
    }),
  );

  it(
    'pending signals meet a new action: ignored they are gone, by default they end',
    on((machine) => {
      const sh = machine.process({});
      const p = sh.fork();
      p.sigaction(S.SIGUSR1, SIG_CATCH);
      sh.kill(p.pid, S.SIGUSR1);
      expect(p.sigaction(S.SIGUSR1, SIG_IGN)).toBe(SIG_CATCH);
      expect(p.sigtake()).toBe(0);
      p.sigaction(S.SIGUSR1, SIG_CATCH);
      sh.kill(p.pid, S.SIGUSR1);
      p.sigaction(S.SIGUSR1, SIG_DFL);
      expect(sh.wait(p.pid)).toEqual({ pid: p.pid, status: S.SIGUSR1 });
      const q = sh.fork();
      for (const signal of [S.SIGKILL, S.SIGSTOP]) {
        expect(codeOf(() => q.sigaction(signal, SIG_IGN))).toBe('EINVAL');
        expect(codeOf(() => q.sigaction(signal, SIG_CATCH))).toBe('EINVAL');
        expect(q.sigaction(signal, SIG_DFL)).toBe(SIG_DFL);
      }
      expect(codeOf(() => q.sigaction(0, SIG_DFL))).toBe('EINVAL');
      expect(codeOf(() => q.sigaction(S.SIGINT, 3))).toBe('EINVAL');
    }),
  );

  it(
    'kill reaches groups, all programs, and asks for permission',
    on((machine) => {
      const sh = machine.process({ uid: 1000, gid: 1000 });
      const [a, b, c] = [sh.fork(), sh.fork(), sh.fork()];
      sh.setpgid(a.pid, 0);
      sh.setpgid(b.pid, a.pid);
      sh.kill(-a.pid, S.SIGINT);
      expect([sh.wait(a.pid)?.status, sh.wait(b.pid)?.status]).toEqual([S.SIGINT, S.SIGINT]);
      expect(c.cwd()).toBe('/');
      expect(codeOf(() => sh.kill(-a.pid, S.SIGINT))).toBe('ESRCH');
      expect(codeOf(() => sh.kill(99999, 0))).toBe('ESRCH');
      const stranger = machine.process({ uid: 1001, gid: 1000 });
      expect(codeOf(() => stranger.kill(c.pid, S.SIGINT))).toBe('EPERM');
      expect(codeOf(() => stranger.kill(-sh.pid, 0))).toBe('EPERM');
      expect(codeOf(() => sh.kill(1, 0))).toBe('EPERM');
      // a zombie can be sent signals
      c.exitWith(0);
      sh.kill(c.pid, S.SIGKILL);
      expect(sh.wait(c.pid)).toEqual({ pid: c.pid, status: 0 });
      // the caller's own group
      const leader = sh.fork();
      leader.setpgid(0, 0);
      const member = leader.fork();
      leader.kill(0, S.SIGTERM);
      expect(sh.wait(leader.pid)).toEqual({ pid: leader.pid, status: S.SIGTERM });
      expect(machine.fs.existsSync(`/proc/${member.pid}`)).toBe(false);
      // everybody: programs, but not the caller, nor what the host drives
      const [d, e] = [sh.fork(), sh.fork()];
      d.kill(-1, S.SIGKILL);
      expect(sh.wait(e.pid)).toEqual({ pid: e.pid, status: S.SIGKILL });
      expect([d.cwd(), sh.cwd(), stranger.cwd()]).toEqual(['/', '/', '/']);
      expect(codeOf(() => d.kill(-1, S.SIGKILL))).toBe('ESRCH');
      machine.init.kill(1, S.SIGKILL);
      expect(machine.init.cwd()).toBe('/');
    }),
  );

  it(
    'a saved or real id is enough, and a session’s members may be continued',
    on((machine) => {
      const root = machine.process({});
      const p = root.fork();
      p.setresuid(1000, 0, 1001);
      const [byReal, bySaved, neither] = [1000, 1001, 1002].map((uid) => machine.process({ uid, gid: 0 }));
      byReal.kill(p.pid, 0);
      bySaved.kill(p.pid, 0);
      expect(codeOf(() => neither.kill(p.pid, 0))).toBe('EPERM');
      const child = neither.fork();
      const member = root.fork();
      member.setresuid(1002, 1002, 1002);
      member.kill(root.pid, S.SIGCONT);
      expect(codeOf(() => member.kill(root.pid, S.SIGTERM))).toBe('EPERM');
      expect(codeOf(() => child.kill(root.pid, S.SIGCONT))).toBe('EPERM');
    }),
  );

  it(
    'SIGPIPE and SIGXFSZ end programs, and are errors for everybody else',
    on((machine) => {
      const sh = machine.process({});
      const broken = (p: Process): number => {
        const { read, write } = p.pipe();
        p.close(read);
        return write;
      };
      const write = (p: Process, fd: number) => codeOf(() => p.fs.writeSync(fd, 'x'));
      expect(write(sh, broken(sh))).toBe('EPIPE');
      const limit = (p: Process): number => {
        p.setrlimit(RLIMIT_FSIZE, 0, 0);
        return p.openat(-100, '/limited', 0o102);
      };
      expect(write(sh, limit(sh))).toBe('EFBIG');
      const a = sh.fork();
      a.sigaction(S.SIGPIPE, SIG_DFL);
      expect(write(a, broken(a))).toBe('EPIPE');
      expect(sh.wait(a.pid)).toEqual({ pid: a.pid, status: S.SIGPIPE });
      for (const act of ['write', 'truncate', 'fallocate']) {
        const b = sh.fork();
        b.sigaction(S.SIGXFSZ, SIG_DFL);
        const fd = limit(b);
        if (act === 'write') write(b, fd);
        else
          expect(
            codeOf(() => (act === 'truncate' ? b.fs.ftruncateSync(fd, 9) : b.fallocate(fd, 0, 0, 9))),
          ).toBe('EFBIG');
        expect(sh.wait(b.pid)).toEqual({ pid: b.pid, status: S.SIGXFSZ });
      }
    }),
  );

  it(
    'SIGCHLD is caught like any other, by who waits too',
    on(async (machine) => {
      const sh = machine.process({}).fork();
      sh.sigaction(S.SIGCHLD, SIG_CATCH);
      const child = sh.fork();
      const { read } = sh.pipe();
      const reading = readLater(sh, read);
      const waiting = sh.waitLater();
      child.exitWith(0);
      await expect(reading).rejects.toMatchObject({ code: 'EINTR' });
      // there is a child to tell of: that is done
      expect(await waiting).toEqual({ pid: child.pid, status: 0 });
      expect(sh.sigtake()).toBe(S.SIGCHLD);
    }),
  );

  it(
    'a process ends itself, in the middle of a call for others',
    on(async (machine) => {
      const sh = machine.process({});
      const p = sh.fork();
      const child = p.fork();
      p.kill(p.pid, S.SIGABRT);
      expect(codeOf(() => p.cwd())).toBe('ESRCH');
      expect(child.ids().ppid).toBe(1);
      expect(sh.wait()).toEqual({ pid: p.pid, status: S.SIGABRT });
      await turn();
      const heard = events(machine);
      // ended and waited for before the host has listened: it is told all the same
      const q = sh.fork();
      sh.kill(q.pid, S.SIGKILL);
      expect(sh.wait()).toEqual({ pid: q.pid, status: S.SIGKILL });
      await turn();
      expect(heard).toEqual([[q.pid, PE_EXIT]]);
    }),
  );
});
