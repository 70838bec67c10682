/**
 * Everything at once, for long: 100,000 promises of a hundred kinds of work, a hundred at a time,
 * among them streams, watchers and open files, on names that collide. What each does is drawn from
 * a seed. Nothing may be left at the end: no descriptor, no waiting call, no frame of RAM.
 */
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootChecked, usage } from './machine.ts';

const OPERATIONS = 100_000;
const BATCH = 100;
const SEED = Number(process.env.SOAK_SEED ?? 20260801);
const ROOT = '/mnt/soak';

/** Errors that the names' collisions explain; anything else fails the test. */
const EXPECTED = ['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'ELOOP', 'EPERM'];

const machine = bootChecked({ ram: 64 << 20 });
const { init } = machine;

/** Numbers below `n`, the same for the same seed (Marsaglia's xorshift). */
function randomOf(seed: number): (n: number) => number {
  let x = seed | 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

const random = randomOf(SEED);
machine.fs.mkdirSync(ROOT);
const before = usage(machine);
const worker = machine.process();
const { fs } = worker;
const { promises: p } = fs;

/** A few directories and a few names in each, so that operations meet. */
const directory = () => `${ROOT}/${random(8)}`;
const name = () => `${directory()}/${'abcdefghijklmnopqrst'[random(20)]}`;
const text = () => 'soak '.repeat(random(3000));

async function withHandle(flags: string, work: (handle: FileHandle) => Promise<unknown>): Promise<void> {
  const handle = await p.open(name(), flags);
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}

/** An abort is what the caller wanted. */
function heed(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ABORT_ERR') throw error;
}

let events = 0;

/** What may be done, with its weight. */
const work: Record<string, [weight: number, run: () => Promise<unknown>]> = {
  writeFile: [10, () => p.writeFile(name(), text())],
  appendFile: [4, () => p.appendFile(name(), 'more')],
  readFile: [8, () => p.readFile(name())],
  stat: [6, () => p.stat(name())],
  lstat: [3, () => p.lstat(name())],
  readdir: [4, () => p.readdir(directory(), { withFileTypes: true })],
  mkdir: [5, () => p.mkdir(directory(), { recursive: true })],
  subdirectory: [2, () => p.mkdir(name())],
  rmdir: [2, () => p.rmdir(name())],
  unlink: [3, () => p.unlink(name())],
  rename: [4, () => p.rename(name(), name())],
  link: [2, () => p.link(name(), name())],
  symlink: [2, () => p.symlink(name(), name())],
  readlink: [1, () => p.readlink(name())],
  realpath: [1, () => p.realpath(name())],
  copyFile: [3, () => p.copyFile(name(), name())],
  truncate: [2, () => p.truncate(name(), random(20_000))],
  chmod: [1, () => p.chmod(name(), 0o600 + random(64))],
  utimes: [1, () => p.utimes(name(), random(1e9), random(1e9))],
  access: [2, () => p.access(name())],
  rm: [1, () => p.rm(directory(), { recursive: true, force: true })],
  statfs: [1, () => p.statfs(ROOT)],
  temporary: [
    1,
    async () => {
      const made = await p.mkdtemp(`${ROOT}/tmp-`);
      await p.writeFile(`${made}/file`, text());
      await p.cp(made, `${made}-copy`, { recursive: true });
      await Promise.all([p.rm(made, { recursive: true }), p.rm(`${made}-copy`, { recursive: true })]);
    },
  ],
  opendir: [
    2,
    async () => {
      let seen = 0;
      for await (const _ of await p.opendir(directory())) if (++seen > 5) break;
    },
  ],
  glob: [
    1,
    async () => {
      for await (const _ of p.glob(`*/[a-${'bcdef'[random(5)]}]`, { cwd: ROOT })) if (random(20) === 0) break;
    },
  ],
  'handle: read and write': [
    3,
    () =>
      withHandle('a+', async (handle) => {
        const buffer = Buffer.alloc(100);
        await Promise.all([
          handle.write('appended'),
          handle.read(buffer, 0, 100, 0),
          handle.stat(),
          handle.sync(),
        ]);
      }),
  ],
  'handle: vectors': [
    1,
    () =>
      withHandle('w+', async (handle) => {
        await handle.writev([Buffer.from('one'), Buffer.from('two')]);
        await handle.readv([Buffer.alloc(2), Buffer.alloc(2)], 0);
        await handle.truncate(1);
      }),
  ],
  'handle: lines': [
    1,
    () =>
      withHandle('r', async (handle) => {
        let lines = 0;
        for await (const _ of handle.readLines()) if (++lines > 3) break;
      }),
  ],
  'handle: web stream': [
    1,
    () =>
      withHandle('r', async (handle) => {
        for await (const _ of handle.readableWebStream()) if (random(2) === 0) break;
      }),
  ],
  'streams: a pipeline': [2, () => pipeline(fs.createReadStream(name()), fs.createWriteStream(name()))],
  'streams: one left early': [
    1,
    async () => {
      for await (const _ of fs.createReadStream(name(), { highWaterMark: 64 })) break;
    },
  ],
  'streams: aborted': [
    1,
    async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const source = fs.createReadStream(name(), { highWaterMark: 512 });
      const copying = pipeline(source, fs.createWriteStream(name()), { signal }).catch(heed);
      // Before it has opened its files, between two chunks, or too late.
      const abort = async () => {
        for (let turns = random(12); turns > 0; turns--)
          await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
      };
      await Promise.all([copying, abort()]);
    },
  ],
  'readFile, aborted': [
    1,
    () => {
      const controller = new AbortController();
      const reading = p.readFile(name(), { signal: controller.signal });
      controller.abort();
      return reading.then(() => {
        throw new Error('an aborted readFile went on to its end');
      }, heed);
    },
  ],
  'a watcher, until it sees something': [
    1,
    async () => {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), 20);
      try {
        for await (const _ of p.watch(directory(), { signal: controller.signal })) break;
      } catch (error) {
        heed(error as Error);
      } finally {
        clearTimeout(timer);
      }
    },
  ],
  'a watcher with a listener': [
    1,
    async () => {
      const watcher = fs.watch(ROOT, { recursive: random(4) === 0 }, () => events++);
      await new Promise<void>((resolve, reject) => {
        watcher.on('error', reject);
        watcher.on('close', () => resolve());
        setImmediate(() => watcher.close());
      });
    },
  ],
  'a fifo’s two ends': [
    1,
    async () => {
      const fifo = `${ROOT}/fifo-${random(2 ** 31)}`;
      worker.mkfifo(fifo);
      const sent = text();
      const [received] = await Promise.all([p.readFile(fifo, 'utf8'), p.writeFile(fifo, sent)]);
      await p.unlink(fifo);
      if (received !== sent) throw new Error(`a fifo carried ${received.length} of ${sent.length} bytes`);
    },
  ],
};

const drawn = Object.keys(work).flatMap((kind) => Array<string>(work[kind][0]).fill(kind));
const done: Record<string, { succeeded: number; failed: Record<string, number> }> = Object.fromEntries(
  Object.keys(work).map((kind) => [kind, { succeeded: 0, failed: {} }]),
);

async function one(): Promise<void> {
  const kind = drawn[random(drawn.length)];
  try {
    await work[kind][1]();
    done[kind].succeeded++;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!EXPECTED.includes(code)) throw new Error(`${kind} (SOAK_SEED=${SEED})`, { cause: error });
    done[kind].failed[code] = (done[kind].failed[code] ?? 0) + 1;
  }
}

const unhandled: unknown[] = [];
const note = (reason: unknown) => unhandled.push(reason);
beforeAll(() => process.on('unhandledRejection', note));
afterAll(() => process.off('unhandledRejection', note));

test('100,000 operations, a hundred at a time', async () => {
  init.mount('tmpfs', ROOT, 'tmpfs', 0, 'size=32m');
  const watcher = fs.watch(ROOT, { recursive: true }, () => events++);

  for (let i = 0; i < OPERATIONS; i += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, one));
  }

  watcher.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const counts = Object.values(done);
  const succeeded = counts.reduce((sum, kind) => sum + kind.succeeded, 0);
  expect(succeeded).toBeGreaterThan(OPERATIONS / 2);
  for (const [kind, count] of Object.entries(done)) expect.soft(count.succeeded, kind).toBeGreaterThan(0);
  expect(events).toBeGreaterThan(1000);
  expect(unhandled.slice(0, 3)).toEqual([]);
  expect(machine.cpu.scheduler.waiting).toBe(0);
  expect(machine.fs.readdirSync(`/proc/${worker.pid}/fd`)).toEqual([]);
  // Nothing but the mount itself needs it any more.
  init.umount(ROOT);
  worker.exit();
  expect(usage(machine)).toEqual(before);
  machine.shutdown();
});
