/** Edges: what is left when a mount becomes read-only, memory is short, names are long, or an error stops the journal. */
import { expect, test } from 'vitest';
import { MS_RDONLY, MS_REMOUNT } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { codeOf } from '../unit/kernel/kit.ts';
import {
  ask,
  bytesOf,
  checkClean,
  debugfs,
  diskMachine,
  logOf,
  mkfs,
  MOUNTPOINT as M,
  NODE,
  onImage,
} from './image.ts';

/** A machine with the image mounted; the disk stays, to be looked at while it runs. */
function mounted(
  image: Uint8Array,
  { type = 'ext4', options = '', ram = 64 << 20 } = {},
): { disk: MemoryDisk; machine: Machine } {
  const disk = MemoryDisk.of(image);
  const machine = diskMachine({ disks: [disk], ram });
  machine.process().mount(NODE, M, type, 0, options);
  return { disk, machine };
}

function unmounted({ disk, machine }: { disk: MemoryDisk; machine: Machine }): void {
  machine.process().umount(M);
  machine.shutdown();
  checkClean(bytesOf(disk));
}

test('what was written is on the disk when the mount becomes read-only', () => {
  const { disk, machine } = mounted(mkfs(['-t', 'ext4']));
  machine.fs.writeFileSync(`${M}/f`, 'x'.repeat(10000));
  machine.process().mount('', M, '', MS_REMOUNT | MS_RDONLY);
  const then = bytesOf(disk);
  unmounted({ disk, machine });
  onImage(then, ({ fs }) => expect(fs.readFileSync(`${M}/f`, 'utf8')).toBe('x'.repeat(10000)));
});

test.each(['ext4', 'ext2'])('read-only after files that had blocks kept and were cut: %s', (type) => {
  const it = mounted(mkfs(['-t', type, '-b', '1024'], { sizeBytes: 64 << 20 }), { type });
  const root = it.machine.process();
  const { fs } = it.machine;
  fs.writeFileSync(`${M}/kept`, 'x'.repeat(200_000));
  fs.writeFileSync(`${M}/cut`, 'x'.repeat(50_000));
  fs.writeFileSync(`${M}/cut`, 'y'.repeat(5000));
  root.sync();
  root.mount('', M, '', MS_REMOUNT | MS_RDONLY);
  root.mount('', M, '', MS_REMOUNT);
  // what was kept is anybody's by now
  fs.writeFileSync(`${M}/other`, 'o'.repeat(8 << 20));
  root.sync();
  const fd = fs.openSync(`${M}/kept`, 'a');
  fs.writeSync(fd, 'z'.repeat(200_000));
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.unlinkSync(`${M}/cut`);
  unmounted(it);
});

test('the first file above 2 GiB', () => {
  const after = onImage(mkfs(['-t', 'ext3', '-O', '^large_file'], { sizeBytes: 16 << 20 }), (machine) => {
    machine.fs.writeFileSync(`${M}/f`, '');
    machine.process().sync();
    machine.fs.truncateSync(`${M}/f`, 3 * 2 ** 30);
  });
  expect(debugfs(after, 'features')).toContain('large_file');
});

test('long names in blocks of 1 KiB: half of a leaf has room for any', () => {
  const lengths = [236, 238, 240, 244, 254, 255];
  onImage(mkfs(['-t', 'ext4', '-b', '1024', '-N', '4096'], { sizeBytes: 32 << 20 }), (machine) => {
    for (let i = 0, seed = 1; i < 2000; i++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      machine.fs.writeFileSync(`${M}/${`${i}`.padEnd(lengths[(seed >>> 16) % lengths.length], 'n')}`, '');
    }
    expect(logOf(machine)).toEqual([]);
    expect(machine.fs.readdirSync(M).length).toBe(2001);
  });
});

test('inodes are given back for memory in the middle of a write', () => {
  const it = mounted(mkfs(['-t', 'ext4', '-N', '8192'], { sizeBytes: 64 << 20 }), { ram: 16 << 20 });
  const { fs } = it.machine;
  for (let i = 0; i < 1500; i++) fs.writeFileSync(`${M}/${i}`, '');
  it.machine.process().sync();
  const chunk = new Uint8Array(64 << 10).fill(1);
  const big = new Uint8Array(3 << 20).fill(2);
  const fill = fs.openSync('/fill', 'w');
  for (let n = 0; n < 240; n++) {
    fs.writeSync(fill, chunk);
    if (n % 4 !== 0 || n < 60) continue;
    // at the end there may be too little memory even to look
    for (let i = 0; i < 100; i++) codeOf(() => fs.statSync(`${M}/${(n * 37 + i) % 1500}`));
    codeOf(() => fs.writeFileSync(`${M}/big`, big));
  }
  fs.closeSync(fill);
  fs.unlinkSync('/fill');
  unmounted(it);
});

test('a file that was cut and grows again has zeros between, after a crash too', () => {
  const { disk, machine } = mounted(mkfs(['-t', 'ext4', '-b', '4096'], { sizeBytes: 16 << 20 }));
  const { fs } = machine;
  fs.writeFileSync(`${M}/f`, 'a'.repeat(4096));
  machine.process().sync();
  fs.truncateSync(`${M}/f`, 100);
  fs.truncateSync(`${M}/f`, 9000);
  // what commits is another file's fsync
  const fd = fs.openSync(`${M}/other`, 'w');
  fs.fsyncSync(fd);
  onImage(bytesOf(disk), (again) => {
    expect(again.fs.readFileSync(`${M}/f`, 'latin1')).toBe('a'.repeat(100) + '\0'.repeat(8900));
  });
  fs.closeSync(fd);
  unmounted({ disk, machine });
});

/** The number of a directory's first block, and an image in which it is bad. */
function broken(image: Uint8Array, directory: string): Uint8Array {
  const block = Number(/\d+/.exec(debugfs(image, `blocks ${directory}`))?.[0]);
  const bad = image.slice();
  bad.fill(0xff, block * 1024, block * 1024 + 64);
  return bad;
}

test('an error stops the journal: fsync says so, and what was freed but not committed is not discarded', () => {
  const content = 'keep'.repeat(20_000);
  const made = onImage(mkfs(['-t', 'ext4', '-b', '1024'], { debugfs: ['mkdir d'] }), ({ fs }) => {
    fs.writeFileSync(`${M}/f`, content);
  });
  const { disk, machine } = mounted(broken(made, '/d'), { options: 'discard,errors=remount-ro' });
  const { fs } = machine;
  const fd = fs.openSync(`${M}/new`, 'w');
  fs.writeSync(fd, 'x');
  fs.unlinkSync(`${M}/f`);
  expect(codeOf(() => fs.readdirSync(`${M}/d`))).toBe('EUCLEAN');
  expect(codeOf(() => fs.fsyncSync(fd))).toBe('EROFS');
  codeOf(() => fs.closeSync(fd));
  machine.process().umount(M);
  machine.shutdown();
  const again = mounted(bytesOf(disk));
  expect(again.machine.fs.readFileSync(`${M}/f`, 'utf8')).toBe(content);
  expect(again.machine.fs.existsSync(`${M}/new`)).toBe(false);
  again.machine.process().umount(M);
  again.machine.shutdown();
});

test('an error stops the journal: what the superblock had of uncommitted steps does not reach the disk', () => {
  const image = broken(mkfs(['-t', 'ext4', '-b', '1024'], { debugfs: ['mkdir d'] }), '/d');
  const { disk, machine } = mounted(image, { options: 'errors=remount-ro' });
  const { fs } = machine;
  const fd = fs.openSync(`${M}/f`, 'w');
  fs.writeSync(fd, 'x'.repeat(5000));
  fs.unlinkSync(`${M}/f`);
  fs.fsyncSync(fd);
  // the log fills, and is emptied: the superblock with the orphan is at home
  for (let i = 0; i < 400; i++) {
    const other = fs.openSync(`${M}/${i % 10}`, 'w');
    fs.writeSync(other, 'x');
    fs.fsyncSync(other);
    fs.closeSync(other);
  }
  // it is freed, and that is never committed
  fs.closeSync(fd);
  expect(codeOf(() => fs.readdirSync(`${M}/d`))).toBe('EUCLEAN');
  machine.process().umount(M);
  machine.shutdown();
  expect(ask('dumpe2fs', ['-h'], bytesOf(disk)).output).toContain('FS Error count:           1');
  const again = mounted(bytesOf(disk));
  expect(logOf(again.machine)).toContain('ext4: vbd0: orphans ended: 1');
  again.machine.process().umount(M);
  again.machine.shutdown();
});

test('a superblock with an error noted in it is whole whenever it reaches the disk', () => {
  const image = broken(mkfs(['-t', 'ext4', '-b', '1024'], { debugfs: ['mkdir d', 'ssv errors 1'] }), '/d');
  const { disk, machine } = mounted(image);
  const { fs } = machine;
  // an orphan: the superblock is committed, and waits in the cache
  const fd = fs.openSync(`${M}/f`, 'w');
  fs.unlinkSync(`${M}/f`);
  fs.fsyncSync(fd);
  expect(codeOf(() => fs.readdirSync(`${M}/d`))).toBe('EUCLEAN');
  // the cache of the disk is written when a raw user of it goes
  fs.closeSync(fs.openSync(NODE, 'r'));
  const again = mounted(bytesOf(disk));
  again.machine.process().umount(M);
  again.machine.shutdown();
  fs.closeSync(fd);
  machine.process().umount(M);
  machine.shutdown();
});

test('blocks that are smaller than the sectors of the disk are refused', () => {
  const disk = MemoryDisk.of(mkfs(['-t', 'ext2', '-b', '1024']), { sectorBytes: 4096 });
  const machine = diskMachine({ disks: [disk] });
  expect(codeOf(() => machine.process().mount(NODE, M, 'ext2'))).toBe('EINVAL');
  expect(logOf(machine)).toEqual(['ext4: vbd0: its blocks are smaller than the sectors of the disk']);
  machine.shutdown();
});

test('a directory that says to be larger than the disk is none', () => {
  const image = mkfs(['-t', 'ext2', '-b', '1024'], { debugfs: ['mkdir d', 'sif d size 0x40000000'] });
  const { machine } = mounted(image, { type: 'ext2' });
  expect(codeOf(() => machine.fs.statSync(`${M}/d`))).toBe('EUCLEAN');
  machine.process().umount(M);
  machine.shutdown();
});

/** The image with the bitmap of its only group damaged, as dumpe2fs names it. */
function badBitmap(image: Uint8Array, which: 'Block' | 'Inode'): Uint8Array {
  const block = Number(new RegExp(`${which} bitmap at (\\d+)`).exec(ask('dumpe2fs', [], image).output)?.[1]);
  const bad = image.slice();
  bad[block * 1024 + 100] ^= 0x10;
  return bad;
}

test.each([
  ['Block', 'mkdir'],
  ['Block', 'symlink'],
  ['Block', 'fsync'],
  ['Inode', 'mkdir'],
  ['Inode', 'symlink'],
  ['Inode', 'open'],
] as const)('%s bitmap with a bad checksum: %s says so, and not that the disk is full', (which, call) => {
  const { machine } = mounted(
    badBitmap(
      mkfs(['-t', 'ext4', '-b', '1024'], { sizeBytes: 4 << 20, debugfs: ['write /dev/null f'] }),
      which,
    ),
  );
  const { fs } = machine;
  const calls = {
    mkdir: () => fs.mkdirSync(`${M}/d`),
    symlink: () => fs.symlinkSync('x'.repeat(300), `${M}/s`),
    open: () => fs.writeFileSync(`${M}/new`, ''),
    fsync: () => {
      const fd = fs.openSync(`${M}/f`, 'r+');
      try {
        fs.writeSync(fd, 'x');
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    },
  };
  expect(codeOf(calls[call])).toBe('EUCLEAN');
  machine.process().umount(M);
  machine.shutdown();
});
