/**
 * Fault loops on a disk with ext4: each request that a workload makes fails, once or from then on. What fails
 * says EIO (or EROFS, EUCLEAN when the file system gave up), fsync and sync tell of what was lost, and what
 * nobody was told about is there. Nothing is left over, and what is on the disk is sound when it works again.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  MS_NOATIME,
  O_CREAT,
  O_RDWR,
} from '../../assembly/abi/flags.ts';
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

const ANSWERS = new Set(['EIO', 'EROFS', 'EUCLEAN']);
/** What an operation gives without faults too, or behind a step that failed. */
const HARMLESS = new Set(['ENOENT', 'EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'ENOTSUP', 'ENODATA']);
const EVERY: readonly ('read' | 'write' | 'flush' | 'discard' | 'zero')[] = [
  'read',
  'write',
  'flush',
  'zero',
];
/** Past so many, one request of so many fails, if it fails for good: what follows is the same again. */
const ALL_UP_TO = 14;
const THEN_EVERY = 5;
/** More requests than any workload makes. */
const LIMIT = 2000;

const HOLED = 40;
const longName = (i: number) => `${'n'.repeat(150)}${i}`;

/** Files whose maps have nodes of their own, and a directory with an index. */
function prepare(lower: MemoryDisk): MemoryDisk {
  const machine = newMachine(kernel);
  machine.attachDisk(lower);
  const root = machine.process();
  root.mount('/dev/vbd0', M, 'ext4');
  for (const name of ['deep', 'deep2']) {
    const fd = root.fs.openSync(`${M}/${name}`, O_RDWR | O_CREAT);
    for (let i = 0; i < HOLED; i++) root.fs.writeSync(fd, text(i, 600), 0, 600, i * 8192);
    root.close(fd);
  }
  root.fs.mkdirSync(`${M}/many`);
  for (let i = 0; i < 22; i++) root.fs.writeFileSync(`${M}/many/${longName(i)}`, '');
  root.setxattr(`${M}/deep`, 'user.large', Buffer.alloc(400, 'v'));
  root.umount(M);
  machine.shutdown();
  return lower;
}

/** Workloads on what prepare() makes: more blocks are read in the middle of each. */
const DEEP: readonly Operation[] = [
  {
    name: 'deep-cut',
    run: (it) => it.call('', (fs, path) => fs.truncateSync(path('/deep'), 9 * 8192 + 100)),
  },
  { name: 'deep-empty', run: (it) => it.call('', (fs, path) => fs.truncateSync(path('/deep'), 0)) },
  { name: 'deep-unlink', run: (it) => it.call('', (fs, path) => fs.unlinkSync(path('/deep'))) },
  {
    name: 'deep-unlink-both',
    run: (it) => {
      const fd = it.open('/deep2', O_RDWR);
      it.call('', (fs, path) => fs.unlinkSync(path('/deep2')));
      it.call('', (fs, path) => fs.unlinkSync(path('/deep')));
      it.write(fd, 100, 100);
    },
  },
  {
    name: 'deep-punch',
    run: (it) =>
      it.allocate(
        it.open('/deep', O_RDWR),
        FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
        8192 * 5 + 100,
        8192 * 9,
      ),
  },
  { name: 'deep-fill', run: (it) => it.write(it.open('/deep', O_RDWR), 8192 * 7 + 4096, 300) },
  { name: 'deep-allocate', run: (it) => it.allocate(it.open('/deep', O_RDWR), 0, 8192 * 3, 8192 * 4) },
  { name: 'many-add', run: (it) => void it.open(`/many/${longName(100)}`, O_RDWR | O_CREAT) },
  {
    name: 'many-add-more',
    run: (it) => {
      for (let i = 0; i < 12; i++) it.open(`/many/${longName(200 + i)}`, O_RDWR | O_CREAT);
    },
  },
  {
    name: 'many-remove',
    run: (it) => it.call('', (fs, path) => fs.unlinkSync(path(`/many/${longName(7)}`))),
  },
  {
    name: 'many-rename',
    run: (it) =>
      it.call('', (fs, path) => fs.renameSync(path(`/many/${longName(3)}`), path(`/many/${longName(300)}`))),
  },
  {
    name: 'many-rename-in',
    run: (it) => it.call('', (fs, path) => fs.renameSync(path('/deep'), path(`/many/${longName(9)}`))),
  },
  {
    name: 'many-mkdir',
    run: (it) => it.call('', (fs, path) => fs.mkdirSync(path(`/many/${longName(400)}`))),
  },
];

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

/** Every request of an operation fails in turn: how many did, of how many somebody was told, and what was wrong. */
class Tally {
  failed = 0;
  told = 0;
  readonly wrong: string[] = [];

  each(base: MemoryDisk, operation: Operation, times: number): void {
    const good = base.fork();
    run(good, operation, LIMIT, 1);
    const wanted = flat(seenOn(good));
    for (let nth = 1; nth < LIMIT; nth += nth < ALL_UP_TO || times === 1 ? 1 : THEN_EVERY) {
      const lower = base.fork();
      try {
        const { happened, errors } = run(lower, operation, nth, times);
        if (!happened) return;
        this.failed++;
        if (errors.length > 0) this.told++;
        // nobody was told of anything: then all is there
        const state = flat(seenOn(lower));
        if (errors.length === 0 && state !== wanted) throw new Error('nobody was told of what is lost');
      } catch (error) {
        this.wrong.push(`${operation.name}, request ${nth}: ${(error as Error).message}`);
      }
    }
  }

  expectGood(): void {
    expect(this.wrong).toEqual([]);
    expect(this.failed).toBeGreaterThan(60);
    expect(this.told).toBeGreaterThan(this.failed / 3);
  }
}

describe.each([
  ['once', 1, 2],
  ['for good', Number.POSITIVE_INFINITY, 4],
])('requests fail %s', (_, times, share) => {
  test.each(FORMATS.slice(0, 4).map((format) => [format.name, format] as const))(
    '%s',
    { timeout: 240_000 },
    (_name, format) => {
      const base = makeBase(kernel, format);
      const at = FORMATS.indexOf(format) % share;
      const tally = new Tally();
      for (const operation of OPERATIONS.filter((_one, i) => i % share === at))
        tally.each(base, operation, times);
      tally.expectGood();
    },
  );
});

test.each([0, 2, 3].map((i) => [FORMATS[i].name, FORMATS[i]] as const))(
  'deep maps and indexed directories: %s',
  { timeout: 240_000 },
  (_name, format) => {
    const base = prepare(makeBase(kernel, format));
    const tally = new Tally();
    for (const operation of DEEP) tally.each(base, operation, 1);
    tally.expectGood();
  },
);

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
