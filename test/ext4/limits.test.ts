/** Where numbers end: times, block numbers, links. What Linux says is asked where it can be. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { codeOf } from '../unit/kernel/kit.ts';
import {
  ask,
  bytesOf,
  diskMachine,
  inTemporary,
  logOf,
  mkfs,
  MOUNTPOINT as M,
  NODE,
  onImage,
} from './image.ts';
import { canMount, e2fsck, mke2fs, must, newPath } from './tools.ts';

const TIMES = [
  -1,
  0.5,
  2 ** 31 - 1,
  2 ** 31,
  4_102_444_800.25,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 33,
  2 ** 34,
  2 ** 35,
];

/** A number below 0 would be now. */
const dateOf = (seconds: number) => new Date(seconds * 1000);

/** What files that got these times have, at once and when they are read again. */
function ours(args: readonly string[]): number[] {
  const seen: number[] = [];
  const after = onImage(mkfs(args), ({ fs }) => {
    for (const time of TIMES) {
      fs.writeFileSync(`${M}/${time}`, '');
      fs.utimesSync(`${M}/${time}`, dateOf(time), dateOf(time));
      seen.push(fs.statSync(`${M}/${time}`).mtimeMs);
    }
  });
  onImage(after, ({ fs }) => {
    expect(TIMES.map((time) => fs.statSync(`${M}/${time}`).mtimeMs)).toEqual(seen);
  });
  return seen;
}

function linux(args: readonly string[]): number[] {
  return inTemporary((directory) => {
    const [image, at] = [`${directory}/image`, `${directory}/at`];
    mkdirSync(at);
    writeFileSync(image, mkfs(args));
    must('mount', '-o', 'loop', image, at);
    try {
      return TIMES.map((time) => {
        writeFileSync(`${at}/${time}`, '');
        utimesSync(`${at}/${time}`, dateOf(time), dateOf(time));
        return statSync(`${at}/${time}`).mtimeMs;
      });
    } finally {
      execFileSync('umount', [at]);
    }
  });
}

describe.each([
  ['128', ['-t', 'ext3', '-I', '128']],
  ['256', ['-t', 'ext4', '-I', '256']],
])('times in inodes of %s bytes', (_, args) => {
  test('are in RAM what they are on the disk', () => void ours(args));
  test.skipIf(!canMount && process.env.CI === undefined)('are what Linux makes of them', () =>
    expect(ours(args)).toEqual(linux(args)),
  );
});

test.each([1024, 4096])('a hole behind all block numbers takes nothing from the front: %d', (blockSize) => {
  onImage(mkfs(['-t', 'ext4', '-b', `${blockSize}`]), (machine) => {
    const root = machine.process();
    const fd = root.fs.openSync(`${M}/f`, 'w+');
    root.fs.writeSync(fd, 'x'.repeat(100_000));
    root.fs.fsyncSync(fd);
    const mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    expect(codeOf(() => root.fallocate(fd, mode, 2 ** 32 * blockSize, 8192))).toBe('EFBIG');
    expect(codeOf(() => root.fallocate(fd, mode, 2 ** 31 * blockSize, 8192))).toBe('none');
    root.close(fd);
    machine.reclaim();
    expect(root.fs.readFileSync(`${M}/f`, 'utf8')).toBe('x'.repeat(100_000));
  });
});

test('a block of attributes that is none is not freed with its file', () => {
  const made = onImage(mkfs(['-t', 'ext4', '-b', '1024']), (machine) => {
    machine.fs.writeFileSync(`${M}/f`, 'f');
    machine.process().setxattr(`${M}/f`, 'user.large', Buffer.alloc(500, 'v'));
  });
  const block = Number(/File ACL: (\d+)/.exec(ask('debugfs', ['-R', 'stat f'], made).output)?.[1]);
  made.fill(0, block * 1024, block * 1024 + 1024);
  const disk = MemoryDisk.of(made);
  const machine = diskMachine({ disks: [disk] });
  const root = machine.process();
  root.mount(NODE, M, 'ext4');
  root.fs.unlinkSync(`${M}/f`);
  root.umount(M);
  expect(logOf(machine).join()).toContain(`error: attributes: block inode 12 block ${block}`);
  machine.shutdown();
  expect(ask('debugfs', ['-R', `testb ${block}`], bytesOf(disk)).output).toContain('marked in use');
});

test('an extent over more groups than a small log has room for is cut and freed', () => {
  const small = ['-t', 'ext4', '-b', '1024', '-g', '256', '-O', '^resize_inode', '-J', 'size=1'];
  onImage(mkfs(small, { sizeBytes: 8 << 20 }), (machine) => {
    const { fs } = machine;
    fs.writeFileSync(`${M}/f`, 'x'.repeat(1_000_000));
    machine.process().sync();
    fs.truncateSync(`${M}/f`, 900_100);
    expect(fs.readFileSync(`${M}/f`, 'utf8')).toBe('x'.repeat(900_100));
    fs.unlinkSync(`${M}/f`);
    expect(logOf(machine)).toEqual([]);
  });
});

/** A file whose indirect block names a block of each of `groups` groups. */
function scattered(groups: number): Uint8Array {
  const content = newPath();
  writeFileSync(content, 'x'.repeat(1024 * (12 + groups)));
  const path = mke2fs((groups + 4) << 20, '-t', 'ext3', '-b', '1024', '-g', '1024', '-O', '^resize_inode');
  must('debugfs', '-w', '-R', `write ${content} f`, path);
  const node = Number(/\(IND\):(\d+)/.exec(must('debugfs', '-R', 'stat /f', path))?.[1]);
  const blocks = Uint32Array.from({ length: groups }, (_, i) => (i + 1) * 1024 + 1001);
  const fd = openSync(path, 'r+');
  writeSync(fd, new Uint8Array(blocks.buffer), 0, blocks.byteLength, node * 1024);
  closeSync(fd);
  // the bitmaps follow the map
  try {
    must('e2fsck', '-fy', path);
  } catch {}
  expect(e2fsck(path).status).toBe(0);
  return new Uint8Array(readFileSync(path));
}

test('a block map that names blocks of very many groups', () => {
  onImage(scattered(60), ({ fs }) => fs.unlinkSync(`${M}/f`), { type: 'ext3' });
});
