/** A disk in another thread: the CPU sleeps until that thread has done the request. */
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { RemoteDisk, serveDisk, shapeOf } from '../../host/devices/remote.ts';
import { AsyncDisk } from '../../host/devices/async.ts';
import { bootSync } from '../../host/machine/boot.ts';
import {
  BIO_DONE,
  BIO_ERROR,
  BIO_NSEG,
  BIO_OP,
  BIO_OP_READ,
  BIO_SEGS,
  BIO_SIZE,
} from '../../assembly/abi/disk.ts';
import { pattern } from './contract.ts';

const SIZE = 1 << 20;

/** The other thread: a disk of this size behind promises, each request a turn of the event loop late. */
const SERVER = `
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const load = (name) => import(new URL(name, workerData.base).href);
    const { MemoryDisk } = await load('memory.js');
    const { AsyncDisk } = await load('async.js');
    const { FaultDisk } = await load('fault.js');
    const { serveDisk } = await load('remote.js');
    const disk = new FaultDisk(new MemoryDisk({ sizeBytes: workerData.size, writeCache: true }));
    disk.add({ kind: 'error', range: { offBytes: 65536, lenBytes: 512 }, times: Infinity });
    const later = new AsyncDisk(disk, () => new Promise((resolve) => setImmediate(resolve)));
    const port = { addEventListener: (type, listener) => parentPort.on(type, (data) => listener({ data })), removeEventListener() {} };
    serveDisk(later, workerData.memory, port);
    parentPort.postMessage('ready');
  })();
`;

it('serves a machine with shared memory', async () => {
  const machine = bootSync({ flavour: 'smp-debug', ram: 8 << 20 });
  const base = new URL('../../build/dist/host/devices/', import.meta.url).href;
  const worker = new Worker(SERVER, {
    eval: true,
    workerData: { base, size: SIZE, memory: machine.cpu.memory },
  });
  try {
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    const shape = shapeOf(new MemoryDisk({ sizeBytes: SIZE, writeCache: true }));
    const slot = machine.attachDisk(new RemoteDisk(worker, shape));
    const { fs } = machine;
    const fd = fs.openSync('/dev/vbd0', 'r+');
    const bytes = pattern(30_000, 1);
    fs.writeSync(fd, bytes, 0, bytes.length, 100);
    fs.fsyncSync(fd);
    const into = new Uint8Array(bytes.length);
    fs.readSync(fd, into, 0, into.length, 100);
    expect(into).toEqual(bytes);
    expect(() => fs.readSync(fd, into, 0, 512, 65536)).toThrow(/EIO/);
    fs.closeSync(fd);
    expect(machine.disks[0].stats.flushes).toBeGreaterThan(0);
    expect(() => machine.snapshot()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    machine.detachDisk(slot);
  } finally {
    machine.shutdown();
    await worker.terminate();
  }
});

it('is refused by a machine whose memory is its own', () => {
  const machine = bootSync({ flavour: 'up-debug', ram: 8 << 20 });
  const shape = shapeOf(new MemoryDisk({ sizeBytes: SIZE }));
  expect(() => machine.attachDisk(new RemoteDisk({ postMessage() {} }, shape))).toThrow(/EINVAL/);
  machine.shutdown();
});

it('answers requests that make no sense, and those of a device that fails', async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const listeners: ((event: { data: unknown }) => void)[] = [];
  const port = {
    addEventListener: (_: 'message', listener: (event: { data: unknown }) => void) =>
      void listeners.push(listener),
    removeEventListener: () => void listeners.pop(),
  };
  const stop = serveDisk(new AsyncDisk(new MemoryDisk({ sizeBytes: 4096 })), memory, port);
  const ask = async (op: number, segment: number) => {
    words.fill(0, 0, BIO_SIZE >>> 2);
    words[BIO_OP >>> 2] = op;
    words[BIO_NSEG >>> 2] = 1;
    words.set([1024, segment], BIO_SEGS >>> 2);
    listeners[0]({ data: 0 });
    while (Atomics.load(words, BIO_DONE >>> 2) === 0) await new Promise((resolve) => setImmediate(resolve));
    return words[BIO_ERROR >>> 2];
  };
  expect(await ask(99, 512)).toBe(-22);
  expect(await ask(BIO_OP_READ, 100)).toBe(-22);
  expect(await ask(BIO_OP_READ, 4096)).toBe(0);
  stop();
  expect(listeners).toEqual([]);
});
