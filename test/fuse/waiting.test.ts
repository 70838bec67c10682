/** Programs that wait for one another on a mounted tree: flock for a lock, inotifywait for what happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect } from 'vitest';
import { itWith, KINDS, Mounts, sh, skipMounts } from './mounted.ts';

const mounts = new Mounts();
const started: Running[] = [];
// before the mount ends, which they would keep busy
afterEach(async () => {
  for (const program of started.splice(0)) await program.kill('SIGKILL');
});

/** A program in the background. */
class Running {
  readonly child: ChildProcess;
  output = '';
  ended = false;
  readonly end: Promise<number | null>;

  constructor(cwd: string, command: string, ...args: string[]) {
    this.child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (text) => {
        this.output += text;
      });
    this.end = new Promise((resolve) =>
      this.child.once('close', (code) => {
        this.ended = true;
        resolve(code);
      }),
    );
    started.push(this);
  }

  /** Until it has said this. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.ended) throw new Error(`ended with ${this.child.exitCode}, having said ${this.output}`);
      await sleep(10);
    }
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.end;
  }

  /** Until it sleeps with this file open: it asked for the lock that it is to wait for. */
  async sleepsWith(file: string): Promise<void> {
    const proc = `/proc/${this.child.pid}`;
    const isOpen = () =>
      fs.readdirSync(`${proc}/fd`).some((fd) => {
        try {
          return fs.readlinkSync(`${proc}/fd/${fd}`) === file;
        } catch {
          return false; // it was closed meanwhile
        }
      });
    const sleeps = () => /\) [SD] /.test(fs.readFileSync(`${proc}/stat`, 'latin1'));
    for (let times = 0; times < 3; ) {
      if (this.ended) throw new Error(`ended with ${this.child.exitCode}: ${this.output}`);
      times = isOpen() && sleeps() ? times + 1 : 0;
      await sleep(10);
    }
  }
}

/** A shell that has the lock from when it has said so, until its input ends. */
const holder = (at: string, how: string) =>
  new Running(at, 'bash', '-c', `exec 3> lock; flock ${how} 3; echo held; read -r; echo released`);
const waiter = (at: string, ...how: string[]) => new Running(at, 'flock', ...how, 'lock', 'echo', 'had it');

const status = (at: string, line: string) => sh(at, `${line} && echo 0 || echo $?`).trim();

describe.skipIf(skipMounts).each(KINDS)('%s: flock', (kind) => {
  itWith(['flock'], 'waits for whoever has the lock, and has it when it is released', async () => {
    const at = await mounts.mount(kind);
    const has = holder(at, '-x');
    await has.says('held');
    expect(status(at, 'flock -n lock true')).toBe('1');
    expect(status(at, 'flock -n -s lock true')).toBe('1');
    expect(status(at, 'flock -n -E 7 lock true')).toBe('7');
    expect(status(at, 'flock -w 0.2 lock true')).toBe('1');
    const waiters = [waiter(at), waiter(at, '-s'), waiter(at, '-w', '60')];
    for (const one of waiters) await one.sleepsWith(path.join(at, 'lock'));
    expect(waiters.map(({ output }) => output)).toEqual(['', '', '']);
    has.child.stdin?.end('\n');
    expect(await Promise.all(waiters.map(({ end }) => end))).toEqual([0, 0, 0]);
    expect(waiters.map(({ output }) => output)).toEqual(['had it\n', 'had it\n', 'had it\n']);
    expect(has.output).toBe('held\nreleased\n');
  });

  itWith(['flock'], 'has the lock of one that was killed, and one that waits can be', async () => {
    const at = await mounts.mount(kind);
    const has = holder(at, '-x');
    await has.says('held');
    const [given, stays] = [waiter(at), waiter(at)];
    for (const one of [given, stays]) await one.sleepsWith(path.join(at, 'lock'));
    await given.kill('SIGTERM');
    expect([given.child.signalCode, given.output, stays.ended]).toEqual(['SIGTERM', '', false]);
    await has.kill('SIGKILL');
    expect([await stays.end, stays.output]).toEqual([0, 'had it\n']);
    expect(status(at, 'flock -n lock true')).toBe('0');
  });

  itWith(['flock'], 'shares', async () => {
    const at = await mounts.mount(kind);
    const [a, b] = [holder(at, '-s'), holder(at, '-s')];
    await Promise.all([a.says('held'), b.says('held')]);
    expect(status(at, 'flock -n -x lock true')).toBe('1');
    const waits = waiter(at, '-x');
    await waits.sleepsWith(path.join(at, 'lock'));
    a.child.stdin?.end('\n');
    expect(await a.end).toBe(0);
    await waits.sleepsWith(path.join(at, 'lock'));
    b.child.stdin?.end('\n');
    expect([await waits.end, waits.output]).toEqual([0, 'had it\n']);
  });
});

/** No step makes an event twice in a row, which the host joins or not as it is read. */
const STEPS = [
  'echo x > a/new; cat a/new; echo y >> a/new',
  'mv a/new a/other; mv a/other b/',
  'chmod 600 b/other; touch -d 2001-01-01 b/other; truncate -s 1 b/other',
  'ln b/other b/link; ln -s other b/symlink; mkfifo b/fifo',
  'mkdir a/dir; rmdir a/dir; mkdir a/dir; mv a/dir b/dir',
  'cp b/other a/copy; mv a/copy b/other; rm b/link; rm b/symlink b/fifo b/other; rmdir b/dir',
  'setfattr -n user.k -v v a; rmdir b',
];
const END = 'the-end';

/** What inotifywait tells of the steps, one after the other. */
async function watch(at: string): Promise<string[]> {
  sh(at, 'mkdir a b');
  const watcher = new Running(at, 'inotifywait', '-m', '--format', '%w %e %f', '.', 'a', 'b');
  await watcher.says('Watches established');
  const told: string[] = [];
  for (const [i, step] of STEPS.entries()) {
    const before = watcher.output.length;
    sh(at, `${step}; mkdir ${END}-${i}`);
    await watcher.says(`${END}-${i}\n`);
    told.push(watcher.output.slice(before));
  }
  await watcher.kill('SIGTERM');
  return told;
}

describe.skipIf(skipMounts).each(KINDS)('%s: inotifywait', (kind) => {
  itWith(['inotifywait'], 'is told what it is told on the host', async () => {
    const at = await mounts.mount(kind);
    const [ours, hosts] = [await watch(at), await watch(mounts.beside())];
    expect(hosts.join('')).toContain('MOVED_TO');
    expect(ours.map((told, i) => [STEPS[i], told])).toEqual(hosts.map((told, i) => [STEPS[i], told]));
  });
});
