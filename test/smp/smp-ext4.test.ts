/**
 * ext4 under several CPUs: threads that create, write, rename and remove in one mount on a disk in shared memory, each
 * with an instance of the kernel. What each does alone is right whatever the others do; afterwards nothing leaked, and
 * the file system is sound.
 *
 * Calls take turns, in whatever order the threads come. Calls at the same time are not there yet: see docs/architecture.md.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import { check } from '../../host/ext4/check.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { bootSync } from '../../host/machine/boot.ts';
import { repositoryRoot } from '../oracle/root.ts';
import { checkClean } from '../ext4/image.ts';
import { BytesDisk, skipTools } from '../ext4/tools.ts';
import { kernelFile } from '../unit/kernel/kit.ts';

const SIZE_BYTES = 32 << 20;
const OPERATIONS = 1500;
const M = '/mnt';
const HOST = join(repositoryRoot, 'build', 'dist', 'host');

/** The thread's text, since a thread runs no TypeScript: the host's own modules, as `make build` made them. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const { module, memory, disk, turn, seed, operations, urls } = workerData;
const token = new Int32Array(turn);
const HARMLESS = new Set(['ENOENT', 'EEXIST', 'ENOTEMPTY', 'EISDIR', 'ENOTDIR', 'EINVAL', 'ENOSPC']);

function inTurn(run) {
  while (Atomics.compareExchange(token, 0, 0, 1) !== 0) Atomics.wait(token, 0, 1);
  try {
    return run();
  } finally {
    Atomics.store(token, 0, 0);
    Atomics.notify(token, 0, 1);
  }
}

function port() {
  const bytes = new Uint8Array(disk);
  const device = {
    sizeBytes: bytes.length, sectorBytes: 512, readOnly: false, writeCache: false, discards: true,
    read: (off, into, at, len) => into.set(bytes.subarray(off, off + len), at),
    write: (off, from, at, len) => bytes.set(from.subarray(at, at + len), off),
    flush() {},
    discard: (off, len) => void bytes.fill(0, off, off + len),
    writeZeroes: (off, len) => void bytes.fill(0, off, off + len),
    close() {},
  };
  const stats = { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0, flushes: 0, discards: 0, errors: 0 };
  return { device, remote: undefined, readOnly: false, close: false, stats, lastError: undefined };
}

async function main() {
  const { Cpu } = await import(urls.cpu);
  const { Process } = await import(urls.process);
  const cpu = new Cpu(memory);
  cpu.disks[0] = port();
  cpu.connect(new WebAssembly.Instance(module, { env: { memory }, host: cpu.imports }).exports);
  const number = cpu.attach();
  if (number < 0) throw new Error('cpu_attach: ' + number);
  const process = inTurn(() => Process.create(cpu));
  let state = seed;
  const draw = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const own = '${M}/w' + seed;
  const done = {};
  // what this thread has in its own directory, which no other touches
  const mine = new Map();
  const attempt = (name, run) => {
    try {
      run();
      done[name] = (done[name] ?? 0) + 1;
    } catch (error) {
      if (!HARMLESS.has(error.code)) throw error;
    }
  };
  const { fs } = process;
  inTurn(() => fs.mkdirSync(own));
  const shared = () => '${M}/shared/' + draw(3) + '/n' + draw(40);
  const operate = () => {
    const what = draw(12);
    const name = own + '/f' + draw(30);
    if (what < 3) {
      const bytes = Buffer.alloc(1 + draw(20000), 1 + draw(255));
      fs.writeFileSync(name, bytes);
      mine.set(name, bytes);
      done.write = (done.write ?? 0) + 1;
    } else if (what === 3) {
      const bytes = mine.get(name);
      if (bytes !== undefined && !bytes.equals(fs.readFileSync(name))) throw new Error(name + ' changed');
    } else if (what === 4) {
      const to = own + '/g' + draw(30);
      if (mine.has(name)) {
        fs.renameSync(name, to);
        mine.set(to, mine.get(name));
        mine.delete(name);
      }
    } else if (what === 5) {
      if (mine.delete(name)) fs.unlinkSync(name);
    } else if (what === 6) attempt('create', () => fs.writeFileSync(shared(), Buffer.alloc(draw(9000), 7)));
    else if (what === 7) attempt('rename', () => fs.renameSync(shared(), shared()));
    else if (what === 8) attempt('unlink', () => fs.unlinkSync(shared()));
    else if (what === 9) attempt('append', () => fs.appendFileSync(shared(), 'more'));
    else if (what === 10) attempt('link', () => fs.linkSync(shared(), shared()));
    else if (draw(10) === 0) {
      const fd = fs.openSync(own, 'r');
      fs.fsyncSync(fd);
      fs.closeSync(fd);
    } else attempt('list', () => fs.readdirSync('${M}/shared/' + draw(3)));
  };
  for (let i = 0; i < operations; i++) inTurn(operate);
  for (const [name, bytes] of mine) if (!bytes.equals(inTurn(() => fs.readFileSync(name)))) throw new Error(name + ' changed');
  inTurn(() => process.exit());
  inTurn(() => cpu.exports.cpu_detach());
  parentPort.postMessage(done);
}
main().catch((error) => { setImmediate(() => { throw error; }); });
`;

const threads: Worker[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate();
});

function run(workerData: object): Promise<Record<string, number>> {
  const worker = new Worker(THREAD, { eval: true, workerData });
  threads.push(worker);
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

const isBuilt = existsSync(join(HOST, 'machine', 'cpu.js'));
const reason =
  skipTools || (!isBuilt && process.env.CI === undefined)
    ? ': not run without e2fsprogs and what `make build` makes'
    : '';

test.skipIf(reason !== '').each([1, 2])(
  `%i threads in one mount${reason}`,
  { timeout: 120_000 },
  async (count) => {
    const memory = new SharedArrayBuffer(SIZE_BYTES);
    const disk = new BytesDisk(new Uint8Array(memory));
    mkfs(disk, { blockSize: 1024, seed: 1, isZeroed: true, inodes: 4096 });
    const module = new WebAssembly.Module(readFileSync(kernelFile('smp-debug')));
    const machine = bootSync({
      flavour: 'smp-debug',
      module,
      ram: 32 << 20,
      clock: 'virtual',
      disks: [disk],
    });
    const root = machine.process();
    root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME);
    for (let i = 0; i < 3; i++) machine.fs.mkdirSync(`${M}/shared/${i}`, { recursive: true });
    const urls = {
      cpu: pathToFileURL(join(HOST, 'machine', 'cpu.js')).href,
      process: pathToFileURL(join(HOST, 'syscalls', 'process.js')).href,
    };
    const turn = new SharedArrayBuffer(4);
    const common = { module, memory: machine.cpu.memory, disk: memory, turn, operations: OPERATIONS, urls };
    const done = await Promise.all(Array.from({ length: count }, (_, i) => run({ ...common, seed: i + 1 })));
    for (const calls of done) expect(Math.min(...Object.values(calls))).toBeGreaterThan(5);
    root.umount(M);
    machine.shutdown();
    expect(
      check(disk)
        .findings.filter(({ note }) => !note)
        .map(({ message }) => message),
    ).toEqual([]);
    checkClean(new Uint8Array(memory).slice());
  },
);
