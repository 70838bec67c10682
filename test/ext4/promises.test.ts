/** What is promised of what was written, seen on the disk at that moment, as a crash would leave it. */
import { expect, test } from 'vitest';
import { FALLOC_FL_KEEP_SIZE } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { bytesOf, checkClean, diskMachine, mkfs, MOUNTPOINT as M, NODE, onImage } from './image.ts';

/** Run with the image mounted; what is on the disk when `run` returns, and the machine's own end is nobody's matter. */
function crashed(image: Uint8Array, run: (root: Process) => void): Uint8Array {
  const disk = MemoryDisk.of(image);
  const machine = diskMachine({ disks: [disk] });
  const root = machine.process();
  root.mount(NODE, M, 'ext4');
  run(root);
  const then = bytesOf(disk);
  root.umount(M);
  machine.shutdown();
  checkClean(bytesOf(disk));
  return then;
}

const HOLES = 12;
/** Extents enough that the inode's map has a node of its own. */
function holed({ fs }: Process): number {
  const fd = fs.openSync(`${M}/f`, 'w+');
  for (let i = 0; i < HOLES; i++) fs.writeSync(fd, 'old', i * 16384);
  fs.fsyncSync(fd);
  return fd;
}

test('fdatasync of a hole that was filled, when only a node of the map changed', () => {
  const then = crashed(mkfs(['-t', 'ext4']), (root) => {
    const fd = holed(root);
    root.fs.writeSync(fd, 'new', 5 * 16384 + 8192);
    root.fs.fdatasyncSync(fd);
    root.fs.closeSync(fd);
  });
  onImage(then, ({ fs }) => {
    expect(
      fs
        .readFileSync(`${M}/f`)
        .subarray(5 * 16384 + 8192, 5 * 16384 + 8195)
        .toString(),
    ).toBe('new');
  });
});

test('fdatasync of blocks that were unwritten, when only a node of the map changed', () => {
  const then = crashed(mkfs(['-t', 'ext4']), (root) => {
    const fd = holed(root);
    root.fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 * 16384, 16384);
    root.fs.fsyncSync(fd);
    root.fs.writeSync(fd, 'new', 3 * 16384 + 8192);
    root.fs.fdatasyncSync(fd);
    root.fs.closeSync(fd);
  });
  onImage(then, ({ fs }) => {
    expect(
      fs
        .readFileSync(`${M}/f`)
        .subarray(3 * 16384 + 8192, 3 * 16384 + 8195)
        .toString(),
    ).toBe('new');
  });
});

test('a file that was cut and written anew is not empty after a commit for want of room in the log', () => {
  const image = mkfs(['-t', 'ext4', '-b', '1024', '-N', '8192', '-J', 'size=1'], { sizeBytes: 32 << 20 });
  const then = crashed(image, ({ fs }) => {
    fs.writeFileSync(`${M}/f`, 'old'.repeat(1000));
    const fd = fs.openSync(`${M}/f`, 'r');
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    fs.writeFileSync(`${M}/f`, 'new'.repeat(1000));
    // nobody asks for a commit; the log is full again and again
    for (let i = 0; i < 1500; i++) fs.mkdirSync(`${M}/${i}`);
  });
  onImage(then, ({ fs }) => {
    expect(fs.existsSync(`${M}/0`)).toBe(true);
    expect(fs.readFileSync(`${M}/f`, 'utf8')).toBe('new'.repeat(1000));
  });
});
