/** Disks in the kernel: attaching, nodes, and raw reads and writes through their cache. */
import { expect, test } from 'vitest';
import { DISK_ASYNC, DISK_RDONLY } from '../../../assembly/abi/disk.ts';
import { EBUSY, EINVAL, ENXIO } from '../../../assembly/abi/errno.ts';
import { codeOf, onMachine } from './kit.ts';
import { pattern } from './kernel.ts';
import { attach, RamDisk } from './ramdisk.ts';

test(
  'a disk has a node while it is attached',
  onMachine((machine) => {
    const { fs } = machine;
    const { exports } = machine.cpu;
    expect(fs.existsSync('/dev/vbd0')).toBe(false);
    attach(machine, 0, new RamDisk(1 << 20));
    attach(machine, 3, new RamDisk(8192));
    const stat = fs.statSync('/dev/vbd3');
    expect(stat.isBlockDevice()).toBe(true);
    expect(stat.size).toBe(0);
    expect(stat.mode & 0o777).toBe(0o660);
    expect(stat.rdev).not.toBe(fs.statSync('/dev/vbd0').rdev);
    expect(exports.disk_detach(3)).toBe(0);
    expect(fs.existsSync('/dev/vbd3')).toBe(false);
    expect(exports.disk_detach(3)).toBe(-ENXIO);
    const fd = fs.openSync('/dev/vbd0', 'r');
    expect(exports.disk_detach(0)).toBe(-EBUSY);
    fs.closeSync(fd);
    expect(exports.disk_detach(0)).toBe(0);
    expect(codeOf(() => fs.openSync('/dev/vbd0', 'r'))).toBe('ENOENT');
  }),
);

test(
  'arguments of disk_attach are looked at',
  onMachine((machine) => {
    const { disk_attach } = machine.cpu.exports;
    for (const size of [-512, 100, 0.5, NaN, Infinity, 2 ** 44])
      expect(disk_attach(0, size, 512, 0)).toBe(-EINVAL);
    expect(disk_attach(8, 512, 512, 0)).toBe(-EINVAL);
    expect(disk_attach(0, 4096, 1024, 0)).toBe(-EINVAL);
    expect(disk_attach(0, 4096, 512, 16)).toBe(-EINVAL);
    expect(disk_attach(0, 4096, 512, DISK_ASYNC)).toBe(-EINVAL);
    expect(disk_attach(0, 4096, 512, 0)).toBe(0);
    expect(disk_attach(0, 4096, 512, 0)).toBe(-EBUSY);
  }),
);

test.each([
  [1 << 20, 512],
  [(1 << 20) + 512 * 3, 512],
  [1 << 20, 4096],
] as const)(
  'what is written is read, and is on the disk after fsync: %i bytes, sectors of %i',
  (size, sector) =>
    onMachine((machine) => {
      const { fs } = machine;
      const disk = new RamDisk(size, sector);
      attach(machine, 0, disk);
      const bytes = pattern(size);
      const fd = fs.openSync('/dev/vbd0', 'r+');
      for (let off = 0; off < size; off += 100_000) {
        const n = Math.min(100_000, size - off);
        expect(fs.writeSync(fd, bytes, off, n, off)).toBe(n);
      }
      const back = new Uint8Array(size + 10);
      expect(fs.readSync(fd, back, 0, size + 10, 0)).toBe(size);
      expect(Buffer.compare(back.subarray(0, size), bytes)).toBe(0);
      fs.fsyncSync(fd);
      expect(disk.flushes).toBe(1);
      expect(Buffer.compare(disk.bytes, bytes)).toBe(0);
      // small ones that lie across sectors and pages
      for (const [off, len] of [
        [511, 2],
        [4090, 20],
        [size - 3, 3],
        [8192, 4096],
      ]) {
        const part = pattern(len, off * 3 + 1);
        fs.writeSync(fd, part, 0, len, off);
        bytes.set(part, off);
      }
      fs.closeSync(fd);
      expect(Buffer.compare(disk.bytes, bytes)).toBe(0);
      expect(Buffer.compare(fs.readFileSync('/dev/vbd0'), bytes)).toBe(0);
    })(),
);

test(
  'a disk has an end',
  onMachine((machine) => {
    const { fs } = machine;
    attach(machine, 0, new RamDisk(8192));
    const fd = fs.openSync('/dev/vbd0', 'r+');
    expect(fs.writeSync(fd, new Uint8Array(100), 0, 100, 8150)).toBe(42);
    expect(codeOf(() => fs.writeSync(fd, new Uint8Array(1), 0, 1, 8192))).toBe('ENOSPC');
    expect(fs.readSync(fd, new Uint8Array(10), 0, 10, 8192)).toBe(0);
    expect(fs.readSync(fd, new Uint8Array(10), 0, 10, 100_000)).toBe(0);
    fs.closeSync(fd);
  }),
);

test(
  'a write of many pages past the end writes all that there is room for',
  onMachine((machine) => {
    const { fs } = machine;
    const disk = new RamDisk(10 * 4096 + 1536);
    attach(machine, 0, disk);
    const bytes = pattern(80_000);
    const fd = fs.openSync('/dev/vbd0', 'r+');
    expect(fs.writeSync(fd, bytes)).toBe(disk.bytes.length);
    fs.closeSync(fd);
    expect(Buffer.compare(disk.bytes, bytes.subarray(0, disk.bytes.length))).toBe(0);
  }),
);

test(
  'a read-only disk is not written',
  onMachine((machine) => {
    const { fs } = machine;
    attach(machine, 0, new RamDisk(8192), DISK_RDONLY);
    expect(codeOf(() => fs.openSync('/dev/vbd0', 'r+'))).toBe('EROFS');
    expect(fs.readFileSync('/dev/vbd0').length).toBe(8192);
  }),
);

test(
  'reading in order reads ahead, in ever longer requests',
  onMachine((machine) => {
    const { fs } = machine;
    const disk = new RamDisk(1 << 20);
    attach(machine, 0, disk);
    const fd = fs.openSync('/dev/vbd0', 'r');
    const piece = new Uint8Array(4096);
    for (let off = 0; off < 1 << 20; off += 4096) fs.readSync(fd, piece, 0, 4096, off);
    expect(disk.reads).toBeLessThan(20);
    fs.closeSync(fd);
  }),
);
