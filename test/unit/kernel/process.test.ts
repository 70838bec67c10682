import { describe, expect, it } from 'vitest';
import { AT_EACCESS, MS_NOSUID, O_CLOEXEC, O_RDWR, R_OK, RLIMIT_FSIZE } from '../../../assembly/abi/flags.ts';
import {
  SIG_DFL,
  SIG_IGN,
  SIGCHLD,
  SIGKILL,
  SIGTERM,
  SIGUSR1,
  WNOHANG,
} from '../../../assembly/abi/signals.ts';
import { boot } from '../../../host/machine/boot.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import type { Process } from '../../../host/syscalls/process.ts';
import { cat, codeOf, kernelFile, onMachine, readlink } from './kit.ts';

const FLAVOURS: Flavour[] = ['up-debug', 'smp-debug'];
const exited = (code: number) => code << 8;

/** A process that may have children that are waited for: process 1's own leave no zombies. */
const shell = (machine: Machine): Process => machine.process({});

/** A file that may be executed. */
function program(machine: Machine, path: string, mode = 0o755): void {
  machine.fs.writeFileSync(path, `#!host ${path}\n`);
  machine.fs.chmodSync(path, mode);
}

describe.each(FLAVOURS)('%s', (flavour) => {
  const on = (run: (machine: Machine) => void | Promise<void>) => onMachine(run, { flavour });

  describe('fork', () => {
    it(
      'copies what a process is, and shares its open files',
      on((machine) => {
        const me = machine.process({ uid: 7, gid: 8, groups: [9, 10] });
        machine.fs.writeFileSync('/tmp/f', 'abcdef');
        machine.fs.chmodSync('/tmp/f', 0o666);
        me.chdir('/tmp');
        me.umask(0o27);
        me.setrlimit(RLIMIT_FSIZE, 1000, 2000);
        me.sigaction(SIGUSR1, SIG_IGN);
        me.sigaction(SIGTERM, 2);
        const fd = me.openat(-100, 'f', O_RDWR | O_CLOEXEC);
        const child = me.fork();
        expect(child.ids()).toEqual({ ...me.ids(), pid: child.pid, ppid: me.pid });
        expect(child.ids()).toMatchObject({ uid: 7, euid: 7, groups: [9, 10], pgid: me.pid, sid: me.pid });
        expect(child.cwd()).toBe('/tmp');
        expect(child.umask(0o77)).toBe(0o27);
        expect(me.umask(0)).toBe(0o27);
        expect(child.getrlimit(RLIMIT_FSIZE)).toEqual([1000, 2000]);
        expect(child.sigaction(SIGUSR1, SIG_DFL)).toBe(SIG_IGN);
        expect(child.sigaction(SIGTERM, SIG_DFL)).toBe(SIG_DFL);
        expect(child.lseek(fd, 3, 0)).toBe(3);
        expect(me.lseek(fd, 0, 1)).toBe(3);
        child.close(fd);
        expect(me.lseek(fd, 0, 1)).toBe(3);
        expect(codeOf(() => child.close(fd))).toBe('EBADF');
      }),
    );

    it(
      'gives a number that no process, group or session has',
      on((machine) => {
        const sh = shell(machine);
        const leader = sh.fork();
        leader.setpgid(0, 0);
        const member = sh.fork();
        sh.setpgid(member.pid, leader.pid);
        leader.exitWith(0);
        expect(sh.wait(leader.pid)).toEqual({ pid: leader.pid, status: 0 });
        const fresh = sh.fork();
        expect(fresh.pid).toBeGreaterThan(member.pid);
        expect(member.getpgid()).toBe(leader.pid);
      }),
    );
  });

  describe('exit and wait', () => {
    it(
      'the status is kept until the parent asks, once',
      on((machine) => {
        const sh = shell(machine);
        expect(codeOf(() => sh.wait())).toBe('ECHILD');
        const child = sh.fork();
        expect(sh.wait()).toBeUndefined();
        child.exitWith(exited(3));
        expect(codeOf(() => child.cwd())).toBe('ESRCH');
        expect(cat(sh, `/proc/${child.pid}/status`)).toContain('State:\tZ (zombie)');
        expect(sh.wait()).toEqual({ pid: child.pid, status: exited(3) });
        expect(codeOf(() => sh.wait())).toBe('ECHILD');
        expect(machine.fs.existsSync(`/proc/${child.pid}`)).toBe(false);
      }),
    );

    it(
      'chooses by number and by group',
      on((machine) => {
        const sh = shell(machine);
        const [a, b, c] = [sh.fork(), sh.fork(), sh.fork()];
        sh.setpgid(b.pid, 0);
        sh.setpgid(c.pid, b.pid);
        for (const child of [a, b, c]) child.exitWith(0);
        expect(codeOf(() => sh.wait(sh.pid))).toBe('ECHILD');
        expect(codeOf(() => sh.wait(-a.pid))).toBe('ECHILD');
        expect(sh.wait(c.pid)).toMatchObject({ pid: c.pid });
        expect(sh.wait(-b.pid)).toMatchObject({ pid: b.pid });
        expect(codeOf(() => sh.wait(-b.pid))).toBe('ECHILD');
        expect(sh.wait(0)).toMatchObject({ pid: a.pid });
        expect(codeOf(() => sh.wait(-1, 77))).toBe('EINVAL');
      }),
    );

    it(
      'waits for a child without stopping others, and not for ever',
      on(async (machine) => {
        const sh = shell(machine);
        const child = sh.fork();
        const waiting = sh.waitLater();
        const second = sh.waitLater();
        await Promise.resolve();
        child.exitWith(exited(9));
        expect(await waiting).toEqual({ pid: child.pid, status: exited(9) });
        // the other one is left without a child
        await expect(second).rejects.toMatchObject({ code: 'ECHILD' });
        const late = sh.fork();
        expect(codeOf(() => sh.wait(late.pid, 0))).toBe('EDEADLK');
        const abort = new AbortController();
        const given = sh.waitLater(late.pid, 0, abort.signal);
        abort.abort();
        await expect(given).rejects.toMatchObject({ name: 'AbortError' });
      }),
    );

    it(
      'a parent that ignores SIGCHLD leaves no zombies, and its wait ends without any',
      on(async (machine) => {
        const sh = shell(machine);
        sh.sigaction(SIGCHLD, SIG_IGN);
        const [a, b] = [sh.fork(), sh.fork()];
        const waiting = sh.waitLater();
        a.exitWith(0);
        expect(machine.fs.existsSync(`/proc/${a.pid}`)).toBe(false);
        b.exitWith(0);
        await expect(waiting).rejects.toMatchObject({ code: 'ECHILD' });
      }),
    );

    it(
      'orphans become the children of process 1, which leaves no zombies unless it says so',
      on((machine) => {
        const sh = shell(machine);
        const middle = sh.fork();
        const [running, dead] = [middle.fork(), middle.fork()];
        dead.exitWith(0);
        middle.exitWith(0);
        expect(running.ids().ppid).toBe(1);
        expect(machine.fs.existsSync(`/proc/${dead.pid}`)).toBe(false);
        running.exitWith(0);
        expect(machine.fs.existsSync(`/proc/${running.pid}`)).toBe(false);
        expect(sh.wait()).toMatchObject({ pid: middle.pid });
        machine.init.sigaction(SIGCHLD, SIG_DFL);
        const own = machine.init.fork();
        own.exitWith(exited(4));
        expect(machine.init.wait()).toEqual({ pid: own.pid, status: exited(4) });
      }),
    );

    it(
      'exit closes what was open, and rejects what waits',
      on(async (machine) => {
        const sh = shell(machine);
        const { read, write } = sh.pipe(0);
        const child = sh.fork();
        sh.close(write);
        const fs = child.fs;
        child.close(write);
        // nobody writes: the child waits no more
        expect(fs.readSync(read, Buffer.alloc(1))).toBe(0);
        const more = child.pipe();
        const waiting = fs.promises.readFile(`/proc/self/fd/${more.read}`);
        await Promise.resolve();
        child.exitWith(0);
        await expect(waiting).rejects.toMatchObject({ code: 'ESRCH' });
        expect(codeOf(() => readlink(sh, `/proc/${child.pid}/cwd`))).toBe('ENOENT');
        expect(sh.fs.readdirSync(`/proc/${child.pid}/fd`)).toEqual([]);
      }),
    );

    it(
      'the host may take a process away, and its zombie',
      on((machine) => {
        const sh = shell(machine);
        const [a, b] = [sh.fork(), sh.fork()];
        a.exitWith(0);
        a.exit();
        b.exit();
        expect(codeOf(() => sh.wait(-1, WNOHANG))).toBe('ECHILD');
        expect(codeOf(() => b.exit())).toBe('ESRCH');
      }),
    );
  });

  describe('exec', () => {
    it(
      'looks at a file that may be executed',
      on((machine) => {
        program(machine, '/bin/p');
        machine.fs.writeFileSync('/bin/plain', 'x');
        machine.fs.writeFileSync('/bin/long', 'y'.repeat(1000));
        machine.fs.chmodSync('/bin/long', 0o755);
        program(machine, '/dev/shm/p');
        program(machine, '/bin/mine', 0o700);
        const me = machine.process({ uid: 1000, gid: 1000 });
        expect(Buffer.from(me.exechead('/bin/p')).toString()).toBe('#!host /bin/p\n');
        expect(me.exechead('/bin/long').length).toBe(256);
        expect(codeOf(() => me.exechead('/bin/plain'))).toBe('EACCES');
        expect(codeOf(() => machine.init.exechead('/bin/plain'))).toBe('EACCES');
        expect(codeOf(() => me.exechead('/bin'))).toBe('EACCES');
        expect(codeOf(() => me.exechead('/dev/shm/p'))).toBe('EACCES');
        expect(codeOf(() => me.exechead('/bin/mine'))).toBe('EACCES');
        expect(codeOf(() => me.exechead('/bin/none'))).toBe('ENOENT');
        expect(codeOf(() => me.execve('/bin/plain', ['plain']))).toBe('EACCES');
      }),
    );

    it(
      'closes what is marked, names the process, and lets signals be caught no more',
      on((machine) => {
        program(machine, '/bin/a-rather-long-name');
        const me = shell(machine).fork();
        const kept = me.openat(-100, '/bin', 0);
        const closed = me.openat(-100, '/bin', O_CLOEXEC);
        me.sigaction(SIGTERM, 2);
        me.sigaction(SIGUSR1, SIG_IGN);
        me.execve('/bin/a-rather-long-name', ['name', 'ä', '']);
        expect(codeOf(() => me.close(closed))).toBe('EBADF');
        me.close(kept);
        expect(me.sigaction(SIGTERM, SIG_DFL)).toBe(SIG_DFL);
        expect(me.sigaction(SIGUSR1, SIG_DFL)).toBe(SIG_IGN);
        expect(cat(me, '/proc/self/comm')).toBe('a-rather-long-n\n');
        expect(cat(me, '/proc/self/cmdline')).toBe('name\0ä\0\0');
        expect(cat(me.fork(), '/proc/self/cmdline')).toBe('name\0ä\0\0');
        me.execve('/bin/a-rather-long-name', ['x'.repeat(20_000), 'y']);
        expect(cat(me, '/proc/self/cmdline')).toBe('x'.repeat(4064));
        me.execve('/bin/a-rather-long-name', []);
        expect(cat(me, '/proc/self/cmdline')).toBe('');
      }),
    );

    it(
      'set-id bits give rights, real ids stay',
      on((machine) => {
        program(machine, '/bin/suid', 0o4755);
        program(machine, '/bin/sgid', 0o2755);
        program(machine, '/bin/locking', 0o2745);
        program(machine, '/bin/plain');
        const { init, fs } = machine;
        fs.mkdirSync('/mnt/nosuid');
        init.mount('none', '/mnt/nosuid', 'tmpfs', MS_NOSUID);
        program(machine, '/mnt/nosuid/suid', 0o4755);
        fs.writeFileSync('/root/secret', '', { mode: 0o600 });
        const user = machine.process({ uid: 1000, gid: 1000 });
        const p = user.fork();
        p.execve('/mnt/nosuid/suid', []);
        expect(p.ids()).toMatchObject({ uid: 1000, euid: 1000, suid: 1000 });
        p.execve('/bin/suid', []);
        expect(p.ids()).toMatchObject({ uid: 1000, euid: 0, suid: 0, gid: 1000, egid: 1000 });
        // what it may do, and what its user may
        p.faccessat(-100, '/root/secret', R_OK, AT_EACCESS);
        expect(codeOf(() => p.faccessat(-100, '/root/secret', R_OK))).toBe('EACCES');
        expect(codeOf(() => user.fs.readdirSync(`/proc/${p.pid}/fd`))).toBe('EACCES');
        p.setresuid(undefined, 1000);
        expect(codeOf(() => p.fs.readFileSync('/root/secret'))).toBe('EACCES');
        p.setresuid(undefined, 0);
        p.fs.readFileSync('/root/secret');
        // exec saves what is effective
        p.setresuid(undefined, 1000);
        p.execve('/bin/plain', []);
        expect(p.ids()).toMatchObject({ uid: 1000, euid: 1000, suid: 1000 });
        const q = user.fork();
        q.execve('/bin/sgid', []);
        expect(q.ids()).toMatchObject({ gid: 1000, egid: 0, sgid: 0, euid: 1000 });
        const r = user.fork();
        r.execve('/bin/locking', []);
        expect(r.ids()).toMatchObject({ gid: 1000, egid: 1000 });
      }),
    );
  });

  describe('groups and sessions', () => {
    it(
      'every process of the host leads its own; programs share their parent’s',
      on((machine) => {
        const sh = shell(machine);
        expect([sh.getpgid(), sh.getsid()]).toEqual([sh.pid, sh.pid]);
        expect(codeOf(() => sh.setsid())).toBe('EPERM');
        const child = sh.fork();
        expect(child.getsid()).toBe(sh.pid);
        expect(child.setsid()).toBe(child.pid);
        expect(child.getpgid()).toBe(child.pid);
        expect(sh.getsid(child.pid)).toBe(child.pid);
        expect(codeOf(() => sh.getpgid(99999))).toBe('ESRCH');
        expect(codeOf(() => sh.getsid(99999))).toBe('ESRCH');
      }),
    );

    it(
      'setpgid moves children that have not exec’ed, within the session',
      on((machine) => {
        program(machine, '/bin/p');
        const sh = shell(machine);
        const [a, b, c] = [sh.fork(), sh.fork(), sh.fork()];
        sh.setpgid(a.pid, 0);
        sh.setpgid(b.pid, a.pid);
        expect([a.getpgid(), b.getpgid()]).toEqual([a.pid, a.pid]);
        expect(codeOf(() => b.setpgid(0, 99999))).toBe('EPERM');
        expect(codeOf(() => sh.setpgid(b.pid, -1))).toBe('EINVAL');
        expect(codeOf(() => a.setpgid(b.pid, 0))).toBe('ESRCH');
        expect(codeOf(() => sh.setpgid(0, 0))).toBe('EPERM');
        b.execve('/bin/p', []);
        expect(codeOf(() => sh.setpgid(b.pid, 0))).toBe('EACCES');
        b.setpgid(0, 0);
        c.setsid();
        expect(codeOf(() => sh.setpgid(c.pid, a.pid))).toBe('EPERM');
        expect(codeOf(() => a.setpgid(0, c.pid))).toBe('EPERM');
      }),
    );

    it(
      'credentials change as their user may change them',
      on((machine) => {
        const p = machine.process({}).fork();
        p.setgroups([1, 2, 3]);
        p.setresgid(5, 6, 7);
        p.setresuid(10, 11, 12);
        expect(p.ids()).toMatchObject({
          uid: 10,
          euid: 11,
          suid: 12,
          gid: 5,
          egid: 6,
          sgid: 7,
          groups: [1, 2, 3],
        });
        expect(cat(p, '/proc/self/status')).toContain('Uid:\t10\t11\t12\t11\nGid:\t5\t6\t7\t6\n');
        p.setresuid(12, 10, undefined);
        expect(p.ids()).toMatchObject({ uid: 12, euid: 10, suid: 12 });
        expect(codeOf(() => p.setresuid(13))).toBe('EPERM');
        expect(codeOf(() => p.setresgid(undefined, 8))).toBe('EPERM');
        expect(codeOf(() => p.setgroups([]))).toBe('EPERM');
        const root = machine.process({});
        expect(codeOf(() => root.setgroups(new Array(1017).fill(0)))).toBe('EINVAL');
        root.setgroups(new Array(1016).fill(4));
        expect(root.ids().groups.length).toBe(1016);
      }),
    );
  });

  it(
    '/proc shows a process as ps reads it',
    on((machine) => {
      program(machine, '/bin/p) 1 (q');
      const sh = shell(machine);
      const p = sh.fork();
      p.setsid();
      p.execve('/bin/p) 1 (q', ['p']);
      const stat = cat(machine.init, `/proc/${p.pid}/stat`);
      const [, name, rest] = /^\d+ \((.*)\) (.*)\n$/.exec(stat) ?? [];
      expect(name).toBe('p) 1 (q');
      const fields = rest.split(' ');
      expect(fields.slice(0, 6)).toEqual(['S', String(sh.pid), String(p.pid), String(p.pid), '0', '-1']);
      expect(fields.length).toBe(50);
      expect(cat(machine.init, '/proc/1/comm')).toBe('init\n');
      expect(cat(sh, '/proc/self/comm')).toBe('host\n');
      expect(cat(sh, '/proc/self/stat')).toMatch(/^\d+ \(host\) R 1 /);
      p.exitWith(exited(2));
      expect(cat(machine.init, `/proc/${p.pid}/stat`)).toMatch(/\) Z .* 512\n$/);
      expect(cat(machine.init, `/proc/${p.pid}/cmdline`)).toBe('');
    }),
  );
});

describe('a machine booted from a snapshot', () => {
  it('has no programs: they end as if killed, and the others go on', async () => {
    const options = { ram: 16 << 20, flavour: 'up-debug', module: kernelFile('up-debug') } as const;
    const machine = await boot(options);
    const sh = machine.process({});
    const program = sh.fork();
    const { read } = sh.pipe(0);
    const waiting = program.fs.promises.readFile('/dev/null');
    const copy = await boot({ ...options, from: machine.snapshot() });
    // here it goes on
    await waiting;
    expect(program.cwd()).toBe('/');
    const again = copy.attach(sh.pid);
    expect(codeOf(() => copy.attach(program.pid))).toBe('ESRCH');
    expect(again.wait()).toEqual({ pid: program.pid, status: SIGKILL });
    again.close(read);
    copy.shutdown();
    machine.shutdown();
  });
});
