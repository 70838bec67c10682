/**
 * One directory with very many files: made, looked up, listed, removed, and every frame given back.
 * NAMES says how many; `make million` runs it with a million.
 */
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../assembly/abi/layout.ts';
import { bootSync } from '../../host/machine/boot.ts';
import type { Flavour } from '../../host/machine/kernels.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { seeded } from '../helpers/random.ts';
import { kernelFile } from '../unit/kernel/kit.ts';

const NAMES = Number(process.env.NAMES ?? 100_000);
/** A file's inode, name and place in its directory, its vnode and cached name being gone. */
const BYTES_PER_FILE = 512;
/**
 * Frames that the empty file system keeps: its hash table has two leaves and the frame above them to grow
 * into again, its index of inodes is as high as the last number needs.
 */
const KEPT = 6;
const LOOKUPS = Math.min(NAMES, 200_000);

const name = (i: number) => `file-${i.toString(36).padStart(5, '0')}`;

/** Runs a step; prints what it took for each file. */
type Measure = <T>(what: string, count: number, step: () => T) => T;

function measure(flavour: Flavour): Measure {
  return (what, count, step) => {
    const started = performance.now();
    const result = step();
    const ns = ((performance.now() - started) * 1e6) / count;
    console.log(
      `  ${flavour} ${what.padEnd(22)} ${count.toLocaleString('en').padStart(9)} × ${Math.round(ns)} ns`,
    );
    return result;
  };
}

/** Frames in use once every cache has been given back. */
function framesHeld(machine: Machine): number {
  machine.reclaim();
  return machine.framesInUse;
}

function lookUp({ fs }: Machine, random: (n: number) => number): void {
  let sum = 0;
  let wanted = 0;
  for (let i = 0; i < LOOKUPS; i++) {
    const file = random(NAMES);
    sum += fs.statSync(`/mnt/d/${name(file)}`).mode & 0o777;
    wanted += file % 512;
    if (i % 16 === 0 && fs.existsSync(`/mnt/d/${name(file)}-`))
      throw new Error('a name that is not there was found');
  }
  expect(sum).toBe(wanted);
}

/** Every name once, while every tenth is removed as the listing goes. */
function listWhileRemoving({ fs }: Machine): number {
  const seen = new Uint8Array(NAMES);
  let removed = 0;
  const dir = fs.opendirSync('/mnt/d');
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
    const i = Number.parseInt(entry.name.slice(5), 36);
    if (seen[i]++ !== 0) throw new Error(`${entry.name} is listed twice`);
    if (i % 10 !== 0) continue;
    fs.unlinkSync(`/mnt/d/${entry.name}`);
    removed++;
  }
  dir.closeSync();
  expect(seen.every((times) => times === 1)).toBe(true);
  return removed;
}

describe.each(['up', 'smp'] as const)('%s', (flavour) => {
  test(`a directory of ${NAMES.toLocaleString('en')} files`, { timeout: 600_000 }, () => {
    const machine = bootSync({
      ram: Math.max(128 * 2 ** 20, NAMES * 1024),
      flavour,
      module: kernelFile(flavour),
    });
    const { fs } = machine;
    const step = measure(flavour);
    machine.init.umask(0);
    const mount = () => machine.init.mount('none', '/mnt', 'tmpfs', 0, 'size=100%');
    mount();
    machine.init.umount('/mnt');
    const unmounted = framesHeld(machine);
    mount();
    const before = framesHeld(machine);
    fs.mkdirSync('/mnt/d');
    step('create', NAMES, () => {
      for (let i = 0; i < NAMES; i++) fs.closeSync(fs.openSync(`/mnt/d/${name(i)}`, 'wx', i % 512));
    });
    const bytes = ((framesHeld(machine) - before) * PAGE_SIZE) / NAMES;
    console.log(`  ${flavour} RAM per file           ${bytes.toFixed(0).padStart(9)} bytes`);
    expect(bytes).toBeLessThanOrEqual(BYTES_PER_FILE);
    // less than an inode and a name can be would be a mistake of the count
    expect(bytes).toBeGreaterThan(64);
    const random = seeded(NAMES);
    step('look up, caches cold', LOOKUPS, () => lookUp(machine, random));
    step('look up, again', LOOKUPS, () => lookUp(machine, seeded(NAMES)));
    const names = step('list', NAMES, () => fs.readdirSync('/mnt/d'));
    expect(new Set(names).size).toBe(NAMES);
    const removed = step('list while removing', NAMES, () => listWhileRemoving(machine));
    expect(removed).toBe(Math.ceil(NAMES / 10));
    step('remove', NAMES - removed, () => {
      for (let i = 0; i < NAMES; i++) if (i % 10 !== 0) fs.unlinkSync(`/mnt/d/${name(i)}`);
    });
    expect(fs.readdirSync('/mnt/d')).toEqual([]);
    fs.rmdirSync('/mnt/d');
    const kept = framesHeld(machine) - before;
    console.log(`  ${flavour} frames kept            ${`${kept}`.padStart(9)}`);
    expect(kept).toBeLessThanOrEqual(KEPT);
    machine.init.umount('/mnt');
    expect(framesHeld(machine)).toBe(unmounted);
    machine.shutdown();
  });
});
