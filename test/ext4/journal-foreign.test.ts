/** Logs that Linux and debugfs leave are replayed by us as debugfs replays them. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EOPNOTSUPP } from '../../assembly/abi/errno.ts';
import { MS_RDONLY, MS_REMOUNT } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { codeOf } from '../unit/kernel/kit.ts';
import { bytesOf, diskMachine, logOf, MOUNTPOINT, NODE } from './image.ts';
import { content, readBlock, Rig, type Shape, shapeOf } from './journal-rig.ts';
import { canMount, mke2fs, must, newPath, skipTools } from './tools.ts';

const MIB = 1 << 20;
const ROUND = `
  mkdir a a/b a/c
  for i in $(seq 1 60); do echo $i > a/b/a-name-that-takes-room-$i; done
  printf '\\300\\073\\071\\230begins with the magic' > a/c/escaped; ln -s $(printf '%0200d' 7) a/c/slow
  sync a/c/escaped
  rm -r a/b; mkdir e; for i in $(seq 1 30); do mkdir e/$i; done
  sync a/c/escaped; sync e
  mv e/1 a/moved; echo more >> a/c/escaped; sync a/c/escaped`;

/** What Linux leaves when the power goes after these commands. */
function linuxLeaves(mkfs: readonly string[], options: string, commands = ROUND): string {
  const path = mke2fs(24 * MIB, ...mkfs);
  const at = newPath();
  const cut = newPath();
  mkdirSync(at);
  must('mount', '-o', `loop,${options}`, path, at);
  try {
    must('sh', '-ec', `cd ${at}; ${commands}; cd /; cp --sparse=always ${path} ${cut}`);
  } finally {
    must('umount', at);
  }
  return cut;
}

/** Blocks that differ, but the journal's and the superblock's. */
function differences(a: MemoryDisk, b: MemoryDisk, { shift, fsBlocks, runs }: Shape): number[] {
  const isJournal = (block: number) => runs.some(([first, n]) => block >= first && block < first + n);
  const blocks = Array.from({ length: fsBlocks }, (_, block) => block);
  return blocks.filter(
    (block) =>
      block !== 1024 >> shift &&
      !isJournal(block) &&
      Buffer.compare(readBlock(a, shift, block), readBlock(b, shift, block)) !== 0,
  );
}

const diskOf = (path: string) => MemoryDisk.of(readFileSync(path));

/** Both replay it; ours has replayed something, and the same. */
function sameReplay(image: string): void {
  const shape = shapeOf(image);
  const ours = diskOf(image);
  const rig = new Rig(shape);
  expect(rig.open(ours)).toBe(0);
  expect(rig.call.needs(rig.jn)).toBe(1);
  expect(rig.call.recover(rig.jn)).toBe(0);
  rig.abandon();
  rig.shutdown();
  expect(differences(ours, diskOf(image), shape).length).toBeGreaterThan(0);
  const theirs = newPath();
  copyFileSync(image, theirs);
  must('debugfs', '-w', '-R', 'jr', theirs);
  expect(differences(ours, diskOf(theirs), shape)).toEqual([]);
}

describe.skipIf(skipTools || !canMount)('left by Linux', () => {
  const ext4 = ['-t', 'ext4', '-J', 'size=4'];
  test.each([
    ['1 KiB, v3', [...ext4, '-b', '1024'], 'data=ordered'],
    ['4 KiB, v3', [...ext4, '-b', '4096'], 'data=ordered'],
    ['1 KiB, no checksums', [...ext4, '-b', '1024', '-O', '^metadata_csum,^64bit'], 'data=ordered'],
    ['4 KiB, data in the journal', [...ext4, '-b', '4096'], 'data=journal'],
    ['4 KiB, commits that do not wait', [...ext4, '-b', '4096'], 'journal_async_commit,data=writeback'],
    ['1 KiB, ext3', ['-t', 'ext3', '-J', 'size=4', '-b', '1024'], 'data=ordered'],
  ])('%s', (_, mkfs, options) => sameReplay(linuxLeaves(mkfs, options)));

  test('pending fast commits are refused', () => {
    const commands = 'echo 1 > f; mkdir d; sync f; echo 2 >> f; sync f; echo 3 > g; sync g';
    const image = linuxLeaves([...ext4, '-b', '1024', '-O', 'fast_commit'], 'data=ordered', commands);
    const rig = new Rig(shapeOf(image));
    const disk = diskOf(image);
    expect(rig.open(disk)).toBe(0);
    expect(rig.call.recover(rig.jn)).toBe(-EOPNOTSUPP);
    expect(differences(disk, diskOf(image), rig.shape)).toEqual([]);
    rig.abandon();
    expect(rig.machine.fs.readFileSync('/proc/kmsg', 'utf8')).toMatch(/fast commits/);
    rig.shutdown();
  });

  test('with pending fast commits nothing is mounted read-write, and the log says what to do; read-only it is read', () => {
    const commands = 'echo 1 > f; mkdir d; sync f; echo 2 >> f; sync f; echo 3 > g; sync g';
    const image = linuxLeaves([...ext4, '-b', '1024', '-O', 'fast_commit'], 'data=ordered', commands);
    const disk = diskOf(image);
    const machine = diskMachine({ disks: [disk] });
    const root = machine.process();
    expect(codeOf(() => root.mount(NODE, MOUNTPOINT, 'ext4'))).toBe('EUCLEAN');
    expect(logOf(machine).join()).toMatch(/fast commits .* mount it on Linux once, or run e2fsck -fy/);
    root.mount(NODE, MOUNTPOINT, 'ext4', MS_RDONLY);
    expect(root.fs.readdirSync(MOUNTPOINT)).toContain('lost+found');
    expect(codeOf(() => root.mount('', MOUNTPOINT, '', MS_REMOUNT))).toBe('EROFS');
    root.umount(MOUNTPOINT);
    machine.shutdown();
    // all of it is there still
    expect(Buffer.compare(bytesOf(disk), readFileSync(image))).toBe(0);
  });
});

describe.skipIf(skipTools)('left by debugfs', () => {
  test.each([
    ['no checksums', '', ['-b', '1024']],
    ['v2', '-c -v 2', ['-b', '1024']],
    ['v3', '-c -v 3', ['-b', '1024']],
    ['v3, 4 KiB', '-c -v 3', ['-b', '4096']],
  ])('%s', (_, open, mkfs) => {
    const image = mke2fs(24 * MIB, '-t', 'ext4', '-J', 'size=4', ...mkfs);
    const { shift, free } = shapeOf(image);
    const file = newPath();
    const blocks = Array.from({ length: 40 }, (_, i) => content(shift, i, i % 4 === 1));
    writeFileSync(file, Buffer.concat(blocks));
    const script = newPath();
    const first = free[10];
    writeFileSync(
      script,
      `jo ${open}\njw -b ${first}-${first + 39} ${file}\njw -r ${first + 3},${first + 9}\njw -b ${first + 20} ${file}\njc\n`,
    );
    must('debugfs', '-w', '-f', script, image);
    sameReplay(image);
  });
});
