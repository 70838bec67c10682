/**
 * A machine of 3 GiB: half of its addresses are negative to whoever takes them for signed. A file of
 * more than 2 GiB pushes everything that is made after it above that line.
 */
import { freemem } from 'node:os';
import { describe, expect, test } from 'vitest';
import * as F from '../../../assembly/abi/flags.ts';
import { BB_PAGES, BOOTBLOCK, PAGE_SHIFT, PG_FLAGS, VMPAGE_SIZE } from '../../../assembly/abi/layout.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { checkRam } from '../../helpers/ram.ts';
import { debugMachine } from './kit.ts';

const GIB = 2 ** 30;
const LINE = 2 * GIB;
const BLOCK = 256 * 1024;
/** Every other block of the file is a hole, so that its end lies beyond 4 GiB. */
const STRIDE = 2 * BLOCK;
const BLOCKS = Math.ceil((2.02 * GIB) / BLOCK);
/** What the test makes the host commit, and some room. */
const NEEDED = 2.6 * GIB;

const short = freemem() < NEEDED;

/** Frames at or above 2 GiB that are in use, by kind (PG_KERNEL, PG_ZONE, PG_FILE). */
function framesAbove({ cpu: { u32 } }: Machine): Map<number, number> {
  const table = u32[(BOOTBLOCK + BB_PAGES) >>> 2];
  const kinds = new Map<number, number>();
  for (let frame = LINE >>> PAGE_SHIFT; frame < (3 * GIB) / 4096; frame++) {
    const kind = u32[(table + frame * VMPAGE_SIZE + PG_FLAGS) >>> 2] & 15;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return kinds;
}

const mark = (block: number) => new Uint8Array(new Float64Array([block * STRIDE + 0.5]).buffer);

function fill({ init }: Machine, fd: number): void {
  const bytes = new Uint8Array(BLOCK);
  for (let block = 0; block < BLOCKS; block++) {
    bytes.set(mark(block), 0);
    bytes.set(mark(block), BLOCK - 8);
    if (init.fs.writeSync(fd, bytes, 0, BLOCK, block * STRIDE) !== BLOCK) throw new Error('a short write');
  }
}

/** Each block begins and ends as it was written, and a hole is behind it. */
function verify({ init }: Machine, fd: number): void {
  const bytes = new Uint8Array(8);
  for (let block = 0; block < BLOCKS; block++) {
    for (const at of [0, BLOCK - 8]) {
      init.fs.readSync(fd, bytes, 0, 8, block * STRIDE + at);
      if (Buffer.compare(bytes, mark(block)) !== 0) throw new Error(`block ${block} differs at ${at}`);
    }
  }
  for (const block of [0, 1, BLOCKS >> 1, BLOCKS - 1]) {
    expect(init.lseek(fd, block * STRIDE, F.SEEK_HOLE)).toBe(block * STRIDE + BLOCK);
    if (block > 0) expect(init.lseek(fd, (block - 1) * STRIDE + BLOCK, F.SEEK_DATA)).toBe(block * STRIDE);
  }
}

/** Something of every kind, made of frames and objects above the line. */
function workAbove(machine: Machine): void {
  const { fs } = machine;
  const process = machine.process({ uid: 1000, gid: 1000 });
  fs.mkdirSync('/many');
  for (let i = 0; i < 20_000; i++)
    fs.writeFileSync(`/many/${i}-${'n'.repeat(i % 60)}`, i % 100 === 0 ? `${i}` : '');
  expect(fs.readdirSync('/many').length).toBe(20_000);
  expect(fs.readFileSync(`/many/19900-${'n'.repeat(19900 % 60)}`, 'utf8')).toBe('19900');
  fs.renameSync('/many', '/more');
  fs.symlinkSync('x'.repeat(4000), '/link');
  expect(fs.readlinkSync('/link').length).toBe(4000);
  machine.init.setxattr('/more', 'user.big', new Uint8Array(3000).fill(7));
  expect(machine.init.getxattr('/more', 'user.big')).toEqual(new Uint8Array(3000).fill(7));
  const pipe = process.pipe();
  const text = Buffer.alloc(40_000, 'pipe');
  expect(process.fs.writeSync(pipe.write, text)).toBe(40_000);
  const back = Buffer.alloc(40_000);
  expect(process.fs.readSync(pipe.read, back)).toBe(40_000);
  expect(back.equals(text)).toBe(true);
  machine.init.mount('none', '/mnt', 'tmpfs');
  fs.writeFileSync('/mnt/copy', Buffer.alloc(300_000, 'copy'));
  fs.copyFileSync('/mnt/copy', '/copy');
  expect(fs.readFileSync('/copy').equals(Buffer.alloc(300_000, 'copy'))).toBe(true);
  const queue = process.inotifyInit();
  process.inotifyAddWatch(queue, '/tmp', F.IN_CREATE);
  process.setLock(process.fs.openSync('/tmp/locked', 'w'), F.F_SETLK, {
    type: F.F_WRLCK,
    start: 0,
    length: 1,
  });
  expect(process.fs.readSync(queue, Buffer.alloc(100))).toBe(32);
  fs.writeFileSync('/proc/trace', 'on all');
  fs.statSync('/mnt/copy');
  expect(fs.readFileSync('/proc/trace', 'utf8')).toMatch(/getattr|nresolve|open/);
  fs.writeFileSync('/proc/trace', 'off all');
  machine.init.umount('/mnt');
  process.exit();
}

describe.each(['up', 'smp'] as const)('%s', (flavour) => {
  test('a machine of 3 GiB uses all of it', { timeout: 120_000 }, (context) => {
    if (short)
      context.skip(
        `the host has ${Math.round(freemem() / 2 ** 20)} MiB free, this needs ${NEEDED / 2 ** 20}`,
      );
    const machine = debugMachine({ flavour, ram: 3 * GIB });
    const { fs } = machine;
    const baseline = machine.framesInUse;
    const fd = machine.init.fs.openSync('/large', 'w+');
    fill(machine, fd);
    expect(fs.statSync('/large').size).toBe((BLOCKS - 1) * STRIDE + BLOCK);
    expect(fs.statSync('/large').size).toBeGreaterThan(4 * GIB);
    workAbove(machine);
    verify(machine, fd);
    const above = framesAbove(machine);
    for (const kind of [2, 4, 8]) expect([kind, above.get(kind) ?? 0]).not.toEqual([kind, 0]);
    expect(above.get(8)).toBeGreaterThan(10_000);
    if (flavour !== 'smp') checkRam(machine.cpu);
    fs.closeSync(fd);
    for (const path of ['/large', '/more', '/link', '/copy']) fs.rmSync(path, { recursive: true });
    machine.reclaim();
    // the tracer's ring stays
    expect(machine.framesInUse - baseline).toBeLessThan(100);
    machine.shutdown();
  });
});
