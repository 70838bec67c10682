/** What the trees of interop.test.ts do not reach: file systems that are only read here, and directories three levels deep. */
import * as nodeFs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MS_RDONLY } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { bytesOf, checkClean, debugfs, diskMachine, MOUNTPOINT, NODE } from './image.ts';
import { canMount, mke2fs, must, newPath, skipTools } from './tools.ts';

const MIB = 2 ** 20;
/** More leaves of 1 KiB than two levels of an index have room for, each with two or three names. */
const NAMES = 27_000;
const LARGE_DIR = ['-t', 'ext4', '-b', '1024', '-O', 'large_dir,^has_journal', '-N', '64'];

const nameOf = (i: number) => `${i} `.padEnd(250, 'n');

type NamesFs = Pick<
  typeof nodeFs,
  'writeFileSync' | 'mkdirSync' | 'linkSync' | 'unlinkSync' | 'readdirSync' | 'lstatSync'
>;

/** A file with very many names. */
function fillNames(fs: NamesFs, top: string): void {
  fs.mkdirSync(`${top}/d`);
  fs.writeFileSync(`${top}/file`, 'one');
  for (let i = 0; i < NAMES; i++) fs.linkSync(`${top}/file`, `${top}/d/${nameOf(i)}`);
}

/** Are the names from `from` on there, each that is asked for, and no other? */
function expectNames(fs: NamesFs, top: string, from: number): void {
  const found = new Set(fs.readdirSync(`${top}/d`) as string[]);
  expect(found.size).toBe(NAMES - from);
  for (let i = from; i < NAMES; i++) if (!found.has(nameOf(i))) expect.fail(`${i} is not listed`);
  const { ino } = fs.lstatSync(`${top}/file`);
  for (let i = from; i < NAMES; i += 97) expect(fs.lstatSync(`${top}/d/${nameOf(i)}`).ino).toBe(ino);
}

function levelsOf(image: Uint8Array): number {
  return Number(/Indirect levels: (\d+)/.exec(debugfs(image, 'htree_dump /d'))?.[1]);
}

/** With the image mounted by Linux. */
function mounted<T>(path: string, options: string, run: (top: string) => T): T {
  const at = newPath();
  nodeFs.mkdirSync(at);
  must('mount', '-o', `loop,${options}`, path, at);
  try {
    return run(at);
  } finally {
    must('umount', at);
  }
}

function here<T>(disk: MemoryDisk, flags: number, run: (machine: Machine) => T): T {
  const machine = diskMachine({ disks: [disk], ram: 64 << 20 });
  const root = machine.process();
  root.mount(NODE, MOUNTPOINT, 'ext4', flags);
  const result = run(machine);
  root.umount(MOUNTPOINT);
  machine.shutdown();
  return result;
}

function saved(disk: MemoryDisk): string {
  const path = newPath();
  nodeFs.writeFileSync(path, bytesOf(disk));
  return path;
}

const runs = !skipTools && (canMount || process.env.CI !== undefined);

describe.skipIf(!runs)(`beside Linux${runs ? '' : ': not run without e2fsprogs and loop mounts'}`, () => {
  test('a directory three levels deep, filled by Linux, changed here', { timeout: 120_000 }, () => {
    const path = mke2fs(48 * MIB, ...LARGE_DIR);
    mounted(path, 'noatime', (top) => fillNames(nodeFs, top));
    const disk = MemoryDisk.of(nodeFs.readFileSync(path));
    expect(levelsOf(bytesOf(disk))).toBe(2);
    here(disk, 0, ({ fs }) => {
      expectNames(fs as unknown as NamesFs, MOUNTPOINT, 0);
      for (let i = 0; i < 1000; i++) fs.unlinkSync(`${MOUNTPOINT}/d/${nameOf(i)}`);
    });
    checkClean(bytesOf(disk));
    mounted(saved(disk), 'ro', (top) => expectNames(nodeFs, top, 1000));
  });

  test('a directory three levels deep, filled here, changed by Linux', { timeout: 120_000 }, () => {
    const disk = MemoryDisk.of(nodeFs.readFileSync(mke2fs(48 * MIB, ...LARGE_DIR)));
    here(disk, 0, ({ fs }) => fillNames(fs as unknown as NamesFs, MOUNTPOINT));
    expect(levelsOf(bytesOf(disk))).toBe(2);
    checkClean(bytesOf(disk));
    const path = saved(disk);
    mounted(path, 'noatime', (top) => {
      expectNames(nodeFs, top, 0);
      for (let i = 0; i < 1000; i++) nodeFs.unlinkSync(`${top}/d/${nameOf(i)}`);
    });
    const again = MemoryDisk.of(nodeFs.readFileSync(path));
    here(again, MS_RDONLY, ({ fs }) => expectNames(fs as unknown as NamesFs, MOUNTPOINT, 1000));
  });

  test('bigalloc: read, and never written', () => {
    const path = mke2fs(32 * MIB, '-t', 'ext4', '-O', 'bigalloc', '-C', '16384');
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) >> 3));
    mounted(path, 'noatime', (top) => {
      nodeFs.mkdirSync(`${top}/d`);
      for (let i = 0; i < 20; i++) nodeFs.writeFileSync(`${top}/d/f${i}`, bytes.subarray(0, 5000 * i));
      const fd = nodeFs.openSync(`${top}/holes`, 'w');
      for (let i = 0; i < 9; i++) nodeFs.writeSync(fd, bytes, 0, 3000, i * 50_000);
      nodeFs.closeSync(fd);
    });
    const image = nodeFs.readFileSync(path);
    const holes = mounted(path, 'ro', (top) => nodeFs.readFileSync(`${top}/holes`));
    const disk = MemoryDisk.of(image);
    here(disk, 0, ({ fs }) => {
      for (let i = 0; i < 20; i++) {
        expect(bytes.subarray(0, 5000 * i).equals(fs.readFileSync(`${MOUNTPOINT}/d/f${i}`))).toBe(true);
      }
      expect(holes.equals(fs.readFileSync(`${MOUNTPOINT}/holes`))).toBe(true);
      expect(() => fs.writeFileSync(`${MOUNTPOINT}/new`, 'x')).toThrow('EROFS');
    });
    expect(image.equals(bytesOf(disk))).toBe(true);
  });
});
