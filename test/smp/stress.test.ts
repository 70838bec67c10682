/**
 * The stress: threads on one small tree, all operations, and what must hold all the while and at the end. Short here;
 * `make stress` runs it for MINUTES (10) with WORKERS (8) from SEED on.
 */
import { describe, expect, test } from 'vitest';
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import { SharedDisk } from '../../host/devices/shared.ts';
import { check } from '../../host/ext4/check.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import type { Machine } from '../../host/machine/machine.ts';
import type { NodeFs } from '../../host/syscalls/fs/types.ts';
import { checkClean } from '../ext4/image.ts';
import { skipTools } from '../ext4/tools.ts';
import { debugMachine } from '../unit/kernel/kit.ts';
import { AFILES, RECORD, SHARED_WORDS, type StressResult, stressBody, XNAMES } from './stress-body.ts';
import { notBuilt, thread } from './threads.ts';

const MINUTES = Number(process.env.MINUTES ?? 0);
const SEED = Number(process.env.SEED ?? 2004);
const WORKERS = process.env.WORKERS === undefined ? [2, 4, 8] : [Number(process.env.WORKERS)];
/** How long one run lasts, when it is not by operations. */
const RUN_MS = MINUTES === 0 ? 4500 : Math.min(MINUTES * 60_000, 60_000);
const OPERATIONS = MINUTES === 0 ? 4000 : 1e9;

function prepare(fs: NodeFs, base: string): void {
  for (const name of ['x', 'r', 'a', 'p', 'l', 'g', 'own'])
    fs.mkdirSync(`${base}/${name}`, { recursive: true });
  const first = new Uint8Array(8);
  new DataView(first.buffer).setUint32(0, 8);
  fs.writeFileSync(`${base}/r/file`, first);
  for (let i = 0; i < AFILES; i++) fs.writeFileSync(`${base}/a/${i}`, '');
  fs.writeFileSync(`${base}/p/blocks`, new Uint8Array(9 * 4096));
  fs.writeFileSync(`${base}/l/counter`, new Uint8Array(4));
}

/** Every record whole, each thread's in order, and as many as were written. */
function checkAppends(fs: NodeFs, base: string, results: readonly StressResult[]): void {
  for (let file = 0; file < AFILES; file++) {
    const bytes = fs.readFileSync(`${base}/a/${file}`);
    const next = results.map(() => 0);
    expect(bytes.length % RECORD).toBe(0);
    for (let at = 0; at < bytes.length; at += RECORD) {
      const record = bytes.subarray(at, at + RECORD);
      const who = record[8];
      expect([record[0], record[RECORD - 1], new Set(record.subarray(8, RECORD - 1)).size]).toEqual([
        0xa5, 0x5a, 1,
      ]);
      expect(record.readUInt32BE(4)).toBe(next[who]++);
    }
    expect(next).toEqual(results.map(({ appended }) => appended[file]));
  }
}

/** Names, links and directories agree with one another. */
function checkTree(fs: NodeFs, base: string): void {
  const names = new Map<number, number>();
  const walk = (dir: string): void => {
    let directories = 0;
    const listed = fs.readdirSync(dir);
    expect(new Set(listed).size).toBe(listed.length);
    for (const name of listed) {
      const stats = fs.lstatSync(`${dir}/${name}`);
      if (stats.isDirectory()) {
        directories++;
        expect(fs.statSync(`${dir}/${name}/..`).ino).toBe(fs.statSync(dir).ino);
        walk(`${dir}/${name}`);
      } else names.set(stats.ino, (names.get(stats.ino) ?? 0) + 1);
    }
    expect([dir, fs.statSync(dir).nlink]).toEqual([dir, directories + 2]);
  };
  walk(base);
  const links = (dir: string): void => {
    for (const name of fs.readdirSync(dir)) {
      const stats = fs.lstatSync(`${dir}/${name}`);
      if (stats.isDirectory()) links(`${dir}/${name}`);
      else expect([`${dir}/${name}`, stats.nlink]).toEqual([`${dir}/${name}`, names.get(stats.ino)]);
    }
  };
  links(base);
}

async function stress(machine: Machine, base: string, workers: number, seed: number): Promise<number> {
  const { fs } = machine;
  prepare(fs, base);
  const shared = new Int32Array(new SharedArrayBuffer(4 * SHARED_WORDS));
  const until = Date.now() + RUN_MS;
  const threads = Array.from({ length: workers }, (_, index) =>
    thread(machine, stressBody, {
      base,
      seed: seed * 1000 + index,
      index,
      operations: OPERATIONS,
      until,
      shared,
    }),
  );
  const results = await Promise.all(threads.map(({ done }) => done));
  for (let n = 0; n < XNAMES; n++)
    expect([n, fs.existsSync(`${base}/x/n${n}`) ? 1 : 0]).toEqual([n, shared[n]]);
  checkAppends(fs, base, results);
  const counter = new Uint32Array(new Uint8Array(fs.readFileSync(`${base}/l/counter`)).buffer)[0];
  expect(counter).toBe(results.reduce((sum, { added }) => sum + added, 0));
  checkTree(fs, base);
  return results.reduce((sum, { done }) => sum + Object.values(done).reduce((a, b) => a + b, 0), 0);
}

/** The seeds of a test: one, or as many as fit the minutes. */
function* seeds(): Generator<number> {
  const end = Date.now() + MINUTES * 60_000;
  let seed = SEED;
  do yield seed++;
  while (Date.now() < end);
}

const replay = (seed: number, workers: number) => `make stress SEED=${seed} WORKERS=${workers} MINUTES=1`;

async function run(workers: number, one: (seed: number) => Promise<number>): Promise<void> {
  let total = 0;
  for (const seed of seeds()) {
    try {
      total += await one(seed);
    } catch (error) {
      throw new Error(`again: ${replay(seed, workers)}`, { cause: error });
    }
  }
  if (MINUTES > 0) console.log(`${workers} threads: ${total} operations`);
}

const timeout = 120_000 + 2 * MINUTES * 60_000;

describe.skipIf(notBuilt !== '')(`stress${notBuilt}`, () => {
  test.each(WORKERS)('%i threads on tmpfs', { timeout }, async (workers) => {
    await run(workers, async (seed) => {
      const machine = debugMachine({ flavour: 'smp-debug', ram: 48 << 20 });
      const operations = await stress(machine, '/s', workers, seed);
      machine.shutdown();
      return operations;
    });
  });

  test.skipIf(skipTools).each(WORKERS)('%i threads on ext4', { timeout }, async (workers) => {
    await run(workers, async (seed) => {
      const disk = new SharedDisk(32 << 20);
      mkfs(disk, { blockSize: 1024, seed: 1, isZeroed: true, inodes: 4096 });
      const machine = debugMachine({ flavour: 'smp-debug', ram: 12 << 20, disks: [disk] });
      machine.init.mount('/dev/vbd0', '/mnt', 'ext4', MS_NOATIME);
      const operations = await stress(machine, '/mnt/s', workers, seed);
      machine.init.umount('/mnt');
      machine.shutdown();
      const findings = check(disk).findings.filter(({ note }) => !note);
      expect(findings.map(({ message }) => message)).toEqual([]);
      checkClean(new Uint8Array(disk.share().bytes).slice());
      return operations;
    });
  });
});
