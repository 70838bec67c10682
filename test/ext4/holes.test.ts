/**
 * Files with holes, beside Linux: the same seeded calls fill a file system through a loop mount or here; either reads what the
 * other left, and finds the same in every file: where its data is, its blocks, its times, its bytes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as F from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { Draw } from '../../host/devices/random.ts';
import { byPath } from '../model/compare.ts';
import { BareMachine } from '../oracle/bare.ts';
import { LinuxTarget } from '../oracle/linux.ts';
import { MachineTarget } from '../oracle/machine-target.ts';
import type { PosixProcess, PosixTarget, TreeEntry } from '../oracle/target.ts';
import { bytesOf, checkClean } from './image.ts';
import { canMount, mke2fs, newPath, skipTools } from './tools.ts';

const MIB = 2 ** 20;
const FILES = 12;
const CALLS = 40;
const REACH = 300_000;
const EOPNOTSUPP = -95;
const MODES = [
  0,
  F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_PUNCH_HOLE | F.FALLOC_FL_KEEP_SIZE,
  F.FALLOC_FL_ZERO_RANGE,
  F.FALLOC_FL_ZERO_RANGE | F.FALLOC_FL_KEEP_SIZE,
];

const SHAPES: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['ext2, 1 KiB', ['-t', 'ext2', '-b', '1024']],
  ['ext3, 4 KiB', ['-t', 'ext3', '-b', '4096']],
  ['ext4, 1 KiB', ['-t', 'ext4', '-b', '1024']],
  ['ext4, 4 KiB', ['-t', 'ext4', '-b', '4096']],
  ['ext4, inline_data', ['-t', 'ext4', '-b', '4096', '-O', 'inline_data']],
  ['ext4, inodes of 128', ['-t', 'ext4', '-b', '2048', '-I', '128']],
];

function must(result: number): number {
  if (result < 0) throw new Error(`errno ${-result}`);
  return result;
}

/** Writes, holes, ranges allocated and zeroed, sizes, times: by the seed alone. */
function fill(p: PosixProcess, seed: number): void {
  const draw = new Draw(seed);
  for (let file = 0; file < FILES; file++) {
    const fd = must(p.open(`/f${file}`, F.O_CREAT | F.O_RDWR, 0o644));
    // the first are small enough to lie in an inode
    const reach = file < 3 ? 60 : REACH;
    const calls = file < 3 ? 2 : CALLS;
    for (let call = 0; call < calls; call++) {
      const at = draw.below(reach);
      const len = 1 + draw.below(reach / 8);
      const what = draw.below(10);
      if (what < 5) must(p.pwrite(fd, new Uint8Array(len).fill(1 + draw.below(255)), at));
      else if (what < 8) {
        const result = p.fallocate(fd, MODES[draw.below(MODES.length)], at, len);
        if (result !== EOPNOTSUPP) must(result);
      } else if (what === 8) must(p.ftruncate(fd, at));
      else must(p.fsync(fd));
    }
    const time = { sec: draw.below(2 ** 31), nsec: draw.below(1_000_000_000) };
    if (file % 2 === 0) must(p.futimens(fd, time, { sec: 2 ** 32 + 5 - time.sec, nsec: 999_999_999 }));
    must(p.close(fd));
  }
  must(p.sync());
}

/** Where a file's data is. */
function extentsOf(p: PosixProcess, path: string): string {
  const fd = must(p.open(path, F.O_RDONLY | F.O_NOATIME));
  const extents: string[] = [];
  for (let from = p.lseek(fd, 0, F.SEEK_DATA); from >= 0; ) {
    const to = must(p.lseek(fd, from, F.SEEK_HOLE));
    extents.push(`${from}-${to}`);
    from = p.lseek(fd, to, F.SEEK_DATA);
  }
  must(p.close(fd));
  return extents.join();
}

/** The files, by their names. Linux takes room that was allocated for data once it was read: so that is asked first. */
function look(target: PosixTarget): TreeEntry[] {
  const extents = new Map<string, string>();
  for (let file = 0; file < FILES; file++) extents.set(`/f${file}`, extentsOf(target.root, `/f${file}`));
  return target
    .tree('/')
    .filter(({ path }) => extents.has(path))
    .map((entry) => ({ ...entry, extents: extents.get(entry.path) as string }))
    .sort(byPath);
}

function linux(image: string): LinuxTarget {
  return new LinuxTarget({
    type: 'ext4',
    fresh: (_size, mount) => {
      const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
      const device = execFileSync('losetup', ['-f', '--show', image], { env, encoding: 'utf8' }).trim();
      try {
        mount(device, '');
      } finally {
        // it goes with the mount
        spawnSync('losetup', ['-d', device], { env });
      }
    },
  });
}

function here(disk: MemoryDisk): MachineTarget {
  const flavour = 'up-debug';
  const mount = (init: PosixProcess, path: string) => init.mount('/dev/vbd0', path, 'ext4', F.MS_NOATIME, '');
  return new MachineTarget({ flavour, mount }, () => new BareMachine({ flavour, disks: () => [disk] }));
}

const runs = !skipTools && (canMount || process.env.CI !== undefined);

describe.skipIf(!runs)(`beside Linux${runs ? '' : ': not run without e2fsprogs and loop mounts'}`, () => {
  test.each(SHAPES)('%s: filled by Linux, found here', { timeout: 60_000 }, (_name, args) => {
    const path = mke2fs(16 * MIB, ...args);
    const copy = newPath();
    const target = linux(path);
    let again: LinuxTarget | undefined;
    try {
      target.reset({ atime: 'never' });
      fill(target.root, 1);
      // taken while it is mounted, so that there is a journal to be replayed; and read with nothing in a cache
      copyFileSync(path, copy);
      const disk = MemoryDisk.of(readFileSync(copy));
      again = linux(copy);
      again.reset({ atime: 'never' });
      const ours = here(disk);
      expect(look(ours)).toEqual(look(again));
      ours.dispose();
      checkClean(bytesOf(disk));
    } finally {
      again?.dispose();
      target.dispose();
      rmSync(path);
    }
  });

  test.each(SHAPES)('%s: filled here, found by Linux', { timeout: 60_000 }, (_name, args) => {
    const path = mke2fs(16 * MIB, ...args);
    const disk = MemoryDisk.of(readFileSync(path));
    const ours = here(disk);
    fill(ours.root, 2);
    const found = look(ours);
    ours.dispose();
    checkClean(bytesOf(disk));
    writeFileSync(path, bytesOf(disk));
    const target = linux(path);
    try {
      target.reset({ atime: 'never' });
      expect(look(target)).toEqual(found);
    } finally {
      target.dispose();
      rmSync(path);
    }
  });
});
