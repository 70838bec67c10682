/**
 * Fault loops on a disk with ext4: each request that a workload makes fails, once or from then on. What fails
 * says EIO (or EROFS, EUCLEAN when the file system gave up), fsync and sync tell of what was lost, and what
 * nobody was told about is there. Nothing is left over, and what is on the disk is sound when it works again.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MS_NOATIME, O_CREAT, O_RDWR } from '../../assembly/abi/flags.ts';
import { FaultDisk } from '../../host/devices/fault.ts';
import type { MemoryDisk } from '../../host/devices/memory.ts';
import { check } from '../../host/ext4/check.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { LeakError, KernelPanic } from '../../host/machine/panic.ts';
import type { NodeFs } from '../../host/syscalls/fs/types.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { type Calls, OPERATIONS, type Operation } from '../crash/operations.ts';
import { observe, type State } from '../crash/state.ts';
import { FORMATS, M, makeBase, newMachine, text } from '../crash/volume.ts';
import { codeOf, kernelFile } from '../unit/kernel/kit.ts';

const kernel = {
  module: new WebAssembly.Module(readFileSync(kernelFile('up-debug'))),
  flavour: 'up-debug',
} as const;

const ANSWERS = new Set(['EIO', 'EROFS', 'EUCLEAN', 'ENOSPC']);
/** What an operation gives without faults too, or behind a step that failed. */
const HARMLESS = new Set(['ENOENT', 'EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'ENOTSUP', 'ENODATA']);
const EVERY: readonly ('read' | 'write' | 'flush' | 'discard' | 'zero')[] = [
  'read',
  'write',
  'flush',
  'zero',
];
/**
 * Calls that leave half of themselves in the transaction when a block cannot be read the first time they need it, once
 * they have begun: with errors=continue that half is committed. To be gone when each reads all it will change first.
 */
const HALF_DONE =
  /^(rename-directory|rewrite|unlink-open|truncate|unlink|rename-directory-over), request \d+: (dir|inode|bitmap)\./;

/** Past so many, one request of so many fails: what follows is the same again. */
const ALL_UP_TO = 14;
const THEN_EVERY = 5;
/** More requests than any workload makes. */
const LIMIT = 2000;

/** Makes an operation's calls and keeps what errors there were. */
class Tried implements Calls {
  readonly errors: string[] = [];
  readonly #root: Process;
  readonly #fds: number[] = [];
  #tag = 10;

  readonly #top: number;

  constructor(root: Process) {
    this.#root = root;
    this.#top = root.fs.openSync(M, 'r');
  }

  #tried<T>(call: () => T, otherwise: T): T {
    try {
      return call();
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (error instanceof KernelPanic || !(ANSWERS.has(code) || HARMLESS.has(code))) throw error;
      if (ANSWERS.has(code)) this.errors.push(code);
      return otherwise;
    }
  }

  open(path: string, flags: number): number {
    const fd = this.#tried(() => this.#root.fs.openSync(M + path, flags, 0o644), -1);
    if (fd >= 0) this.#fds.push(fd);
    return fd;
  }

  write(fd: number, off: number | null, lenBytes: number): void {
    const bytes = text(this.#tag++, lenBytes);
    // what is written short says why when it goes on
    let done = 0;
    const once = () =>
      this.#root.fs.writeSync(fd, bytes, done, lenBytes - done, off === null ? null : off + done);
    while (fd >= 0 && done < lenBytes) {
      const n = this.#tried(once, 0);
      if (n === 0) break;
      done += n;
    }
  }

  allocate(fd: number, mode: number, off: number, lenBytes: number): void {
    if (fd >= 0) this.#tried(() => this.#root.fallocate(fd, mode, off, lenBytes), undefined);
  }

  call(_touched: string, run: (fs: NodeFs, path: (name: string) => string, root: Process) => void): void {
    this.#tried(() => run(this.#root.fs, (name) => M + name, this.#root), undefined);
  }

  sync(fd: number): void {
    if (fd >= 0) this.#tried(() => this.#root.fs.fsyncSync(fd), undefined);
  }

  commit(path: string): void {
    const fd = this.#tried(() => this.#root.fs.openSync(M + path, 'r'), -1);
    this.sync(fd);
    if (fd >= 0) this.#tried(() => this.#root.close(fd), undefined);
  }

  /** fsync and close everything, sync, unmount. */
  end(): void {
    for (const fd of this.#fds) {
      this.sync(fd);
      this.#tried(() => this.#root.close(fd), undefined);
    }
    // sync and umount tell nobody
    this.#tried(() => this.#root.syncfs(this.#top), undefined);
    this.#tried(() => this.#root.close(this.#top), undefined);
    this.#tried(() => this.#root.umount(M), undefined);
  }
}

function shutDown(machine: Machine): void {
  try {
    machine.shutdown();
  } catch (error) {
    // the disk's own error, when it cannot be flushed
    if (error instanceof LeakError || error instanceof KernelPanic) throw error;
  }
}

function run(
  lower: MemoryDisk,
  { run: operate }: Operation,
  nth: number,
  times: number,
): { happened: boolean; errors: string[] } {
  const disk = new FaultDisk(lower);
  const machine = newMachine(kernel);
  machine.attachDisk(disk);
  const root = machine.process();
  root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME);
  machine.reclaim();
  disk.add({ kind: 'error', on: EVERY, nth, times });
  const tried = new Tried(root);
  operate(tried);
  tried.end();
  shutDown(machine);
  return { happened: disk.happened > 0, errors: tried.errors };
}

/** What is on the disk now that it works; it must be sound. */
function seenOn(lower: MemoryDisk): State {
  const machine = newMachine(kernel);
  machine.attachDisk(lower);
  const root = machine.process();
  root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME);
  const state = observe(root);
  root.umount(M);
  machine.shutdown();
  const damage = check(lower).findings.filter(({ note }) => !note);
  if (damage.length > 0) throw new Error(damage.map(({ rule, message }) => `${rule}: ${message}`).join('; '));
  return state;
}

const flat = ({ names, files }: State) =>
  [names, ...[...files].map(([ino, bytes]) => `${ino}: ${bytes.join()}`).sort()].join('\n');

describe.each([
  ['once', 1],
  ['for good', Number.POSITIVE_INFINITY],
])('requests fail %s', (_, times) => {
  test.each(FORMATS.slice(0, 4).map((format) => [format.name, format] as const))(
    '%s',
    { timeout: 240_000 },
    (_name, format) => {
      const base = makeBase(kernel, format);
      const at = FORMATS.indexOf(format);
      let failed = 0;
      let told = 0;
      const wrong: string[] = [];
      for (const operation of OPERATIONS.filter((_one, i) => i % 4 === at)) {
        const good = base.fork();
        run(good, operation, LIMIT, 1);
        const wanted = flat(seenOn(good));
        for (let nth = 1; nth < LIMIT; nth += nth < ALL_UP_TO ? 1 : THEN_EVERY) {
          const lower = base.fork();
          const where = `${operation.name}, request ${nth}`;
          try {
            const { happened, errors } = run(lower, operation, nth, times);
            if (!happened) break;
            failed++;
            if (errors.length > 0) told++;
            const state = flat(seenOn(lower));
            // nobody was told of anything: then all is there
            if (errors.length === 0 && state !== wanted)
              wrong.push(`${where}: nobody was told of what is lost`);
          } catch (error) {
            wrong.push(`${where}: ${(error as Error).message}`);
          }
        }
      }
      expect(wrong.filter((one) => times > 1 || !HALF_DONE.test(one))).toEqual([]);
      expect(failed).toBeGreaterThan(60);
      expect(told).toBeGreaterThan(failed / 2);
    },
  );
});

describe('who is told', () => {
  function mounted(options = ''): { disk: FaultDisk; machine: Machine; root: Process } {
    const disk = new FaultDisk(makeBase(kernel, FORMATS[0]));
    const machine = newMachine(kernel);
    machine.attachDisk(disk);
    const root = machine.process();
    root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME, options);
    return { disk, machine, root };
  }

  test('data that could not be written: fsync says so once to each open file', () => {
    const { disk, machine, root } = mounted();
    const { fs } = root;
    const [one, two] = [1, 2].map(() => fs.openSync(`${M}/b`, O_RDWR));
    fs.writeSync(one, text(7, 4096), 0, 4096, 0);
    disk.add({ kind: 'error', on: 'write' });
    expect(codeOf(() => fs.fsyncSync(one))).toBe('EIO');
    expect(codeOf(() => fs.fsyncSync(one))).toBe('none');
    expect(codeOf(() => fs.fsyncSync(two))).toBe('EIO');
    expect(codeOf(() => fs.fsyncSync(two))).toBe('none');
    const three = fs.openSync(`${M}/b`, O_RDWR);
    expect(codeOf(() => fs.fsyncSync(three))).toBe('none');
    expect(Buffer.from(fs.readFileSync(`${M}/b`).subarray(0, 4096)).equals(Buffer.from(text(7, 4096)))).toBe(
      true,
    );
    for (const fd of [one, two, three]) root.close(fd);
    root.umount(M);
    machine.shutdown();
  });

  test('errors=remount-ro: nothing is written any more, everything is read', () => {
    const { disk, machine, root } = mounted('errors=remount-ro');
    const { fs } = root;
    const fd = fs.openSync(`${M}/new`, O_RDWR | O_CREAT);
    const heal = disk.add({ kind: 'error', on: 'write', times: Number.POSITIVE_INFINITY });
    expect(codeOf(() => fs.fsyncSync(fd))).toBe('EIO');
    heal();
    root.close(fd);
    expect(codeOf(() => fs.mkdirSync(`${M}/more`))).toBe('EROFS');
    expect(codeOf(() => fs.unlinkSync(`${M}/a`))).toBe('EROFS');
    expect(fs.readFileSync(`${M}/a`).length).toBe(3000);
    expect(fs.readFileSync(`${M}/d/c`).length).toBe(1500);
    root.umount(M);
    shutDown(machine);
  });

  test('a sector of a file that cannot be read is EIO, and its neighbours are read', () => {
    const { disk, machine, root } = mounted();
    const { fs } = root;
    machine.reclaim();
    disk.add({ kind: 'error', on: 'read', times: Number.POSITIVE_INFINITY });
    expect(codeOf(() => fs.readFileSync(`${M}/b`))).toBe('EIO');
    disk.clear();
    expect(fs.readFileSync(`${M}/b`).length).toBe(9000);
    root.umount(M);
    machine.shutdown();
  });
});
