/** Mounting: what is refused and why, options, read-only and back, the state that is left, what a crash leaves. */
import { expect, test } from 'vitest';
import { MS_RDONLY, MS_REMOUNT, O_RDWR, O_TMPFILE } from '../../assembly/abi/flags.ts';
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
  onDisk,
  onImage,
} from './image.ts';

const EXT4 = ['-t', 'ext4', '-b', '1024'];

/** The errno of mounting, and what the log says. */
function refused(
  image: Uint8Array,
  { flags = 0, options = '', readOnly = false } = {},
): { code: string; log: string[] } {
  const machine = diskMachine({ disks: [MemoryDisk.of(image, { readOnly })] });
  const code = codeOf(() => machine.process().mount(NODE, M, 'ext4', flags, options));
  const log = logOf(machine);
  if (code === 'none') machine.process().umount(M);
  machine.shutdown();
  return { code, log };
}

test.each([
  ['encrypt', ['-O', 'encrypt'], 'encrypt'],
  ['casefold', ['-O', 'casefold'], 'casefold'],
  ['mmp', ['-O', 'mmp'], 'mmp'],
  ['ea_inode', ['-O', 'ea_inode'], 'ea_inode'],
])('%s is refused by name', (_name, args, feature) => {
  const { code, log } = refused(mkfs([...EXT4, ...args]));
  expect(code).toBe('EINVAL');
  expect(log).toEqual([`ext4: vbd0: cannot mount: ${feature}`]);
});

test.each([
  ['quota', ['-O', 'quota']],
  ['bigalloc', ['-O', 'bigalloc']],
])('%s is mounted read-only', (feature, args) => {
  const image = mkfs([...EXT4, ...args]);
  const after = onImage(image, (machine) => {
    expect(machine.fs.readdirSync(M)).toEqual(['lost+found']);
    expect(codeOf(() => machine.fs.writeFileSync(`${M}/f`, ''))).toBe('EROFS');
    expect(logOf(machine)).toEqual([`ext4: vbd0: read-only, for it has ${feature}`]);
  });
  expect(Buffer.compare(after, image)).toBe(0);
});

test('what is no ext4, or says what cannot be, is refused', () => {
  expect(refused(new Uint8Array(1 << 20)).code).toBe('EINVAL');
  const image = mkfs([...EXT4, '-O', '^metadata_csum']);
  const view = (at: number, value: number) => {
    const copy = image.slice();
    new DataView(copy.buffer).setUint32(1024 + at, value, true);
    return copy;
  };
  for (const [at, value] of [
    [0x4, 0xffffffff],
    [0x18, 9],
    [0x20, 0],
    [0x20, 0xffffffff],
    [0x28, 0],
    [0x28, 7],
    [0x14, 5],
    [0x0, 0],
    [0x54, 1],
    [0x58, 3],
  ])
    expect(['EINVAL', 'EUCLEAN', 'EFBIG']).toContain(refused(view(at, value)).code);
  const summed = mkfs(EXT4);
  summed[1024 + 0x78] ^= 1;
  expect(refused(summed)).toEqual({ code: 'EUCLEAN', log: ['ext4: vbd0: superblock: checksum wrong'] });
});

test('options: those that are known, and no others', () => {
  const image = mkfs(EXT4);
  expect(refused(image, { options: 'nonsense' })).toEqual({
    code: 'EINVAL',
    log: ['ext4: vbd0: option not known: nonsense'],
  });
  expect(refused(image, { options: 'errors=maybe' }).code).toBe('EINVAL');
  for (const options of [
    'errors=continue',
    'commit=30,data=writeback',
    'nobarrier,discard',
    'noload',
    'data=journal',
  ])
    onImage(image, (machine) => machine.fs.writeFileSync(`${M}/f`, 'x'), { options });
});

test('read-only and back', () => {
  onImage(
    mkfs(EXT4),
    (machine) => {
      const { fs } = machine;
      const root = machine.process();
      expect(codeOf(() => fs.writeFileSync(`${M}/f`, 'x'))).toBe('EROFS');
      root.mount('', M, '', MS_REMOUNT);
      fs.writeFileSync(`${M}/f`, 'x');
      const fd = fs.openSync(`${M}/f`, 'r+');
      expect(codeOf(() => root.mount('', M, '', MS_REMOUNT | MS_RDONLY))).toBe('EBUSY');
      fs.closeSync(fd);
      root.mount('', M, '', MS_REMOUNT | MS_RDONLY);
      expect(codeOf(() => fs.writeFileSync(`${M}/f`, 'y'))).toBe('EROFS');
      root.mount('', M, '', MS_REMOUNT);
      fs.writeFileSync(`${M}/f`, 'z');
    },
    { flags: MS_RDONLY },
  );
});

test('the superblock says where and how often it was mounted, and that it was left clean', () => {
  const after = onImage(
    onImage(mkfs(EXT4), () => {}),
    (machine) => machine.fs.mkdirSync(`${M}/d`),
  );
  const { output } = ask('dumpe2fs', ['-h'], after);
  expect(output).toMatch(/Last mounted on: +\/mnt\n/);
  expect(output).toMatch(/Mount count: +2\n/);
  expect(output).toMatch(/Filesystem state: +clean\n/);
  expect(output).not.toContain('needs_recovery');
});

test('statfs', () => {
  const image = mkfs(['-t', 'ext4', '-b', '4096'], { sizeBytes: 32 << 20 });
  onImage(image, (machine) => {
    const { blocks, bfree, bavail, files, ffree, bsize, type } = machine.fs.statfsSync(M);
    const { output } = ask('dumpe2fs', ['-h'], image);
    const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(output)?.[1]);
    expect([bsize, type, files, ffree]).toEqual([4096, 0xef53, field('Inode count'), field('Free inodes')]);
    expect(bfree).toBe(field('Free blocks'));
    expect(bavail).toBe(field('Free blocks') - field('Reserved block count'));
    expect(blocks).toBe(field('Block count') - field('Overhead clusters'));
  });
});

/** A disk as it is when the machine is gone in the middle of things, synced at `run`'s end or not. */
function crashed(image: Uint8Array, run: (machine: Machine) => void): Uint8Array {
  const disk = MemoryDisk.of(image);
  const machine = diskMachine({ disks: [disk] });
  machine.process().mount(NODE, M, 'ext4');
  run(machine);
  return bytesOf(disk);
}

test.each([
  ['the list', EXT4],
  ['an orphan file', [...EXT4, '-O', 'orphan_file']],
  ['ext3', ['-t', 'ext3', '-b', '1024']],
])('a crash: the journal is replayed, orphans end (%s)', (_name, args) => {
  const left = crashed(mkfs(args), (machine) => {
    const { fs } = machine;
    fs.mkdirSync(`${M}/d`);
    for (let i = 0; i < 50; i++) fs.writeFileSync(`${M}/d/${i}`, `${i}`.repeat(500));
    fs.openSync(`${M}/d/7`, 'r');
    fs.unlinkSync(`${M}/d/7`);
    fs.writeSync(fs.openSync(M, O_TMPFILE | O_RDWR), 'x'.repeat(5000));
    fs.symlinkSync('to', `${M}/link`);
    machine.process().sync();
    fs.writeFileSync(`${M}/after`, 'not synced');
  });
  expect(ask('dumpe2fs', ['-h'], left).output).toContain('needs_recovery');
  // by us
  const ours = onImage(left, (machine) => {
    const { fs } = machine;
    expect(fs.readdirSync(`${M}/d`).length).toBe(49);
    expect(fs.readFileSync(`${M}/d/49`, 'utf8')).toBe('49'.repeat(500));
    expect(fs.readlinkSync(`${M}/link`)).toBe('to');
    expect(logOf(machine)).toEqual(['ext4: vbd0: orphans ended: 2']);
  });
  expect(debugfs(ours, 'ls -l /')).toContain('link');
  // read-only on a disk that cannot be written: only without the journal
  expect(refused(left, { readOnly: true, flags: MS_RDONLY }).code).toBe('EROFS');
  expect(refused(left, { readOnly: true, flags: MS_RDONLY, options: 'noload' }).code).toBe('none');
  checkClean(onDisk(MemoryDisk.of(left), () => {}, { flags: MS_RDONLY }));
});

test('errors: read-only, or going on, and it is noted', () => {
  const image = mkfs([...EXT4, '-O', '^has_journal'], { debugfs: ['mkdir d', 'mkdir d/e', 'ssv errors 1'] });
  // the first block of d
  const block = Number(/\d+/.exec(debugfs(image, 'blocks /d'))?.[0]);
  const broken = image.slice();
  broken.fill(0xff, block * 1024, block * 1024 + 64);
  for (const [options, code] of [
    ['errors=remount-ro', 'EROFS'],
    ['errors=continue', 'none'],
  ]) {
    const after = onDisk(
      MemoryDisk.of(broken),
      (machine) => {
        expect(codeOf(() => machine.fs.readdirSync(`${M}/d`))).toBe('EUCLEAN');
        expect(codeOf(() => machine.fs.mkdirSync(`${M}/new`))).toBe(code);
        expect(logOf(machine)[0]).toMatch(/^ext4: vbd0: error: directory: checksum inode \d+/);
      },
      { options },
    );
    expect(ask('dumpe2fs', ['-h'], after).output).toMatch(
      /Filesystem state: +(not clean|clean) with errors\n/,
    );
  }
});

test.each(['ext4', 'ext2'])('not read-only while a file without a name is open: %s', (type) => {
  onImage(
    mkfs(['-t', type, '-b', '1024']),
    (machine) => {
      const { fs } = machine;
      const root = machine.process();
      fs.writeFileSync(`${M}/f`, 'x'.repeat(5000));
      const fd = fs.openSync(`${M}/f`, 'r');
      fs.unlinkSync(`${M}/f`);
      const readOnly = (): string => codeOf(() => root.mount('', M, '', MS_REMOUNT | MS_RDONLY));
      expect(readOnly()).toBe('EBUSY');
      fs.writeFileSync(`${M}/g`, '');
      expect(fs.readSync(fd, Buffer.alloc(5000), 0, 5000, 0)).toBe(5000);
      fs.closeSync(fd);
      expect(readOnly()).toBe('none');
      root.mount('', M, '', MS_REMOUNT);
      expect(logOf(machine)).toEqual([]);
    },
    { type },
  );
});
