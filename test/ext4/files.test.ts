/**
 * Files through the whole machine: what is written is there, on the disk and after another mount, and e2fsck and
 * debugfs see the same. Delayed allocation, fsync, a full disk, files that grow side by side.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { bytesOf, checkClean, debugfs, inTemporary, mkfs, onDisk, onImage } from './image.ts';

const pattern = (len: number, seed: number): Buffer => {
  const bytes = Buffer.alloc(len);
  for (let i = 0; i < len; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 255;
  return bytes;
};

/** A file's bytes as debugfs finds them in an image. */
function dump(image: Uint8Array, name: string): Buffer {
  return inTemporary((directory) => {
    const file = join(directory, 'image');
    writeFileSync(file, image);
    execFileSync('debugfs', ['-R', `dump ${name} ${join(directory, 'out')}`, file], { stdio: 'pipe' });
    return readFileSync(join(directory, 'out'));
  });
}

/** How many extents (or runs of blocks) a file has. */
function pieces(image: Uint8Array, name: string): number {
  const text = debugfs(image, `dump_extents ${name}`);
  return text.split('\n').filter((line) => /^\s*(\d+)\/\s*\1\s/.test(line)).length;
}

describe.each([
  ['ext4', ['-t', 'ext4']],
  ['ext4 of 1 KiB', ['-t', 'ext4', '-b', '1024']],
  ['ext3', ['-t', 'ext3', '-b', '1024']],
  ['ext2', ['-t', 'ext2', '-b', '4096']],
])('%s', (_name, args) => {
  test('what is written is on the disk', () => {
    const sizes = [0, 1, 1000, 4096, 5000, 65_536, 1_000_000, 5_000_000];
    const image = onImage(mkfs(args, { sizeBytes: 32 << 20 }), ({ fs }) => {
      for (const size of sizes) fs.writeFileSync(`/mnt/f${size}`, pattern(size, size));
      for (const size of sizes)
        expect(Buffer.compare(fs.readFileSync(`/mnt/f${size}`), pattern(size, size))).toBe(0);
    });
    for (const size of sizes)
      expect(Buffer.compare(dump(image, `f${size}`), pattern(size, size)), `f${size}`).toBe(0);
    onImage(image, ({ fs }) => {
      for (const size of sizes)
        expect(Buffer.compare(fs.readFileSync(`/mnt/f${size}`), pattern(size, size))).toBe(0);
      for (const size of sizes) fs.unlinkSync(`/mnt/f${size}`);
    });
  });

  test('st_blocks counts what is delayed, and the same when it is on the disk', () => {
    onImage(mkfs(args, { sizeBytes: 16 << 20 }), ({ fs }) => {
      const fd = fs.openSync('/mnt/f', 'w+');
      fs.writeSync(fd, pattern(40_000, 1));
      const before = fs.fstatSync(fd).blocks;
      expect(before).toBeGreaterThanOrEqual(79);
      fs.fsyncSync(fd);
      expect(fs.fstatSync(fd).blocks).toBeGreaterThanOrEqual(before);
      expect(fs.fstatSync(fd).blocks).toBeLessThanOrEqual(before + 8);
      fs.ftruncateSync(fd, 0);
      expect(fs.fstatSync(fd).blocks).toBe(0);
      fs.closeSync(fd);
    });
  });

  test('a full disk says so at write, loses nothing, and takes more when there is room again', () => {
    onImage(mkfs(args, { sizeBytes: 8 << 20 }), ({ fs }) => {
      const piece = pattern(100_000, 3);
      let n = 0;
      try {
        for (;;) {
          fs.writeFileSync(`/mnt/f${n}`, piece);
          n++;
        }
      } catch (error) {
        expect((error as { code: string }).code).toBe('ENOSPC');
      }
      expect(n).toBeGreaterThan(20);
      for (let i = 0; i < n; i++)
        expect(Buffer.compare(fs.readFileSync(`/mnt/f${i}`), piece), `f${i}`).toBe(0);
      for (let i = 0; i < n; i += 2) fs.unlinkSync(`/mnt/f${i}`);
      fs.unlinkSync(`/mnt/f${n}`);
      for (let i = 0; i < n; i += 2) fs.writeFileSync(`/mnt/f${i}`, piece);
      for (let i = 0; i < n; i++)
        expect(Buffer.compare(fs.readFileSync(`/mnt/f${i}`), piece), `f${i}`).toBe(0);
    });
  });

  test('holes: sparse files, and lseek that sees them', () => {
    const image = onImage(mkfs(args, { sizeBytes: 16 << 20 }), ({ fs }) => {
      const fd = fs.openSync('/mnt/sparse', 'w');
      for (const at of [0, 100_000, 5_000_000, 60_000_000]) fs.writeSync(fd, pattern(3000, at), 0, 3000, at);
      fs.ftruncateSync(fd, 70_000_000);
      fs.closeSync(fd);
      expect(fs.statSync('/mnt/sparse').blocks).toBeLessThan(200);
    });
    const got = dump(image, 'sparse');
    expect(got.length).toBe(70_000_000);
    for (const at of [0, 100_000, 5_000_000, 60_000_000]) {
      expect(Buffer.compare(got.subarray(at, at + 3000), pattern(3000, at))).toBe(0);
    }
    expect(got.subarray(3000, 100_000).some((b) => b !== 0)).toBe(false);
  });
});

test('files that grow side by side, with fsync, stay in few pieces', () => {
  const image = onImage(mkfs(['-t', 'ext4'], { sizeBytes: 64 << 20 }), ({ fs }) => {
    const fds = ['a', 'b', 'c', 'd'].map((name) => fs.openSync(`/mnt/${name}`, 'w'));
    const piece = pattern(40_000, 9);
    for (let i = 0; i < 60; i++) {
      for (const fd of fds) {
        fs.writeSync(fd, piece);
        fs.fsyncSync(fd);
      }
    }
    for (const fd of fds) fs.closeSync(fd);
  });
  for (const name of ['a', 'b', 'c', 'd']) {
    const n = pieces(image, name);
    expect(n).toBeGreaterThan(0);
    expect(n).toBeLessThan(20);
  }
});

test('a write that the disk refuses is told by fsync, and the page stays', () => {
  const disk = MemoryDisk.of(mkfs(['-t', 'ext4'], { sizeBytes: 16 << 20 }));
  const write = disk.write.bind(disk);
  let broken = false;
  disk.write = (off, from, at, len, fua) => {
    if (broken && len >= 8 * 4096) throw Object.assign(new Error('broken'), { code: 'EIO', offBytes: off });
    write(off, from, at, len, fua);
  };
  onDisk(disk, ({ fs }) => {
    const fd = fs.openSync('/mnt/f', 'w+');
    fs.writeSync(fd, pattern(50_000, 1));
    broken = true;
    expect(() => fs.fsyncSync(fd)).toThrow(/EIO/);
    broken = false;
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  });
  const image = bytesOf(disk);
  checkClean(image);
  expect(Buffer.compare(dump(image, 'f'), pattern(50_000, 1))).toBe(0);
});

test('i_blocks counts delayed blocks once they are there, also where an extent in a leaf only became longer', () => {
  onImage(mkfs(['-t', 'ext4', '-b', '4096']), (machine) => {
    const { fs } = machine;
    const process = machine.process();
    const fd = fs.openSync('/mnt/f', 'w+');
    // more extents than the inode has room for
    for (let i = 0; i < 6; i++) {
      fs.writeSync(fd, Buffer.alloc(4096, 'x'), 0, 4096, i * 40_960);
      fs.fsyncSync(fd);
    }
    fs.writeSync(fd, Buffer.alloc(20_480, 'y'), 0, 20_480, 4096);
    // the inode is stored while they are promised
    fs.chmodSync('/mnt/f', 0o600);
    process.sync();
    expect(fs.fstatSync(fd).blocks).toBe(8 * (6 + 5 + 1));
    fs.closeSync(fd);
  });
});

test('a hole past the end takes the last block whole', () => {
  onImage(mkfs(['-t', 'ext4', '-b', '4096']), (machine) => {
    const { fs } = machine;
    fs.writeFileSync('/mnt/f', 'seven b');
    const process = machine.process();
    const fd = process.fs.openSync('/mnt/f', 'r+');
    process.fs.fsyncSync(fd);
    expect(fs.statSync('/mnt/f').blocks).toBe(8);
    process.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100);
    expect(fs.statSync('/mnt/f')).toMatchObject({ blocks: 0, size: 7 });
    process.close(fd);
  });
});
