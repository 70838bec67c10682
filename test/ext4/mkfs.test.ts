/** mkfs against mke2fs: the same layout, clean by e2fsck, mounted and grown by Linux. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { MkfsError, type MkfsOptions, mkfs } from '../../host/ext4/mkfs.ts';
import { canMount, e2fsck, missing, mke2fs, must, NewFileDisk, newPath, save, skipTools } from './tools.ts';

const MIB = 2 ** 20;

interface Case {
  readonly mib: number;
  readonly options: MkfsOptions;
  readonly args: readonly string[];
  /** Lines of dumpe2fs that may differ, with the reason where the case is. */
  readonly but?: RegExp;
}

const byType = (
  type: 'ext2' | 'ext3' | 'ext4',
  mib: number,
  options: MkfsOptions = {},
  ...args: string[]
) => ({
  mib,
  options: { type, ...options },
  args: ['-t', type, ...args],
});
const withFeatures = (mib: number, features: string): Case =>
  byType('ext4', mib, { features }, '-O', features);

const CASES: readonly Case[] = [
  byType('ext2', 9),
  byType('ext2', 64),
  byType('ext3', 64),
  byType('ext3', 2048),
  byType('ext4', 0.25),
  byType('ext4', 5),
  byType('ext4', 8.0078125),
  byType('ext4', 16),
  byType('ext4', 64),
  byType('ext4', 300),
  byType('ext4', 700),
  byType('ext4', 8192),
  byType('ext4', 200, { blockSize: 2048 }, '-b', '2048'),
  byType('ext4', 64, { blockSize: 4096 }, '-b', '4096'),
  byType('ext4', 3072, { blockSize: 1024 }, '-b', '1024'),
  byType('ext3', 700, { inodeSize: 128 }, '-I', '128'),
  byType('ext4', 700, { inodeSize: 1024 }, '-I', '1024'),
  byType('ext4', 700, { usage: 'small' }, '-T', 'small'),
  byType('ext4', 2048, { usage: 'largefile4' }, '-T', 'largefile4'),
  byType('ext2', 200, { usage: 'largefile4' }, '-T', 'largefile4'),
  byType('ext4', 700, { inodes: 100, reservedPercent: 0 }, '-N', '100', '-m', '0'),
  // mke2fs reserves by a count of blocks it had in between
  { ...byType('ext4', 700, { bytesPerInode: 1024 }, '-i', '1024'), but: /^Reserved block count/ },
  byType(
    'ext4',
    700,
    { journalMiB: 8, label: 'hello', lastMounted: '/x' },
    '-J',
    'size=8',
    '-L',
    'hello',
    '-M',
    '/x',
  ),
  byType('ext4', 130, { resizeBlocks: 1e6 }, '-E', 'resize=1000000'),
  withFeatures(200, '^64bit'),
  withFeatures(200, 'meta_bg,^resize_inode'),
  withFeatures(2048, 'meta_bg,^resize_inode'),
  withFeatures(200, 'sparse_super2'),
  withFeatures(16, 'sparse_super2'),
  withFeatures(7, 'sparse_super2'),
  withFeatures(200, '^metadata_csum,uninit_bg'),
  withFeatures(200, '^metadata_csum'),
  withFeatures(200, '^sparse_super,^resize_inode'),
  withFeatures(200, '^flex_bg'),
  withFeatures(200, '^64bit,^extent,^flex_bg'),
  withFeatures(200, '^has_journal,large_dir,ea_inode'),
  withFeatures(64, 'orphan_file,fast_commit'),
  { ...withFeatures(700, 'orphan_file,metadata_csum_seed'), but: /^Checksum seed/ },
  // mke2fs makes inline directories, and we blocks, which Linux makes of them sooner or later
  { ...withFeatures(64, 'inline_data'), but: /free blocks/i },
];

/** What is by chance or by the clock. */
const VARIES = /UUID|created:|checked:|write time|Lifetime|Hash Seed|^Checksum:/;

function dump(path: string, but: RegExp | undefined): string[] {
  return must('dumpe2fs', path)
    .split('\n')
    .filter((line) => !VARIES.test(line) && !but?.test(line.trimEnd()) && !but?.test(` ${line.trim()}`))
    .map((line) => line.replace(/csum 0x[0-9a-f]+/g, '').replace(/checksum 0x.*/, ''));
}

function made(mib: number, options: MkfsOptions): { path: string } {
  const disk = new NewFileDisk(mib * MIB);
  mkfs(disk, { seed: 1, ...options });
  disk.close();
  return { path: disk.path };
}

describe.skipIf(skipTools)(`mkfs (without ${missing.join(', ') || 'no tool'})`, () => {
  it.each(CASES)('$mib MiB as mke2fs $args', ({ mib, options, args, but }) => {
    const { path } = made(mib, options);
    const checked = e2fsck(path);
    expect(checked.output).not.toContain('Fix?');
    expect(checked.status).toBe(0);
    expect(dump(path, but)).toEqual(dump(mke2fs(mib * MIB, ...args), but));
  });

  it('grows under resize2fs, by reserved descriptors and by meta_bg', () => {
    for (const features of [
      '',
      'meta_bg,^resize_inode',
      '^flex_bg',
      '^64bit',
      'sparse_super2,^metadata_csum',
    ]) {
      const { path } = made(100, { features });
      truncateSync(path, 2048 * MIB);
      must('e2fsck', '-fp', path);
      must('resize2fs', path);
      const checked = e2fsck(path);
      expect([features, checked.status, checked.output]).toEqual([features, 0, expect.anything()]);
      expect(must('dumpe2fs', '-h', path)).toMatch(/Block count: +2097152\n/);
    }
  });
});

describe.skipIf(skipTools || !(canMount || process.env.CI))('mounted by Linux (needs root)', () => {
  it.each([
    ['ext2', ''],
    ['ext3', ''],
    ['ext4', ''],
    ['ext4', 'metadata_csum_seed,orphan_file,large_dir'],
    ['ext4', 'sparse_super2,inline_data,^resize_inode,meta_bg'],
  ] as const)('%s %s', (type, features) => {
    const { path } = made(64, { type, features, label: 'linux', rootOwner: { uid: 1000, gid: 70_000 } });
    const target = newPath();
    mkdirSync(target);
    must('mount', '-o', 'loop', '-t', type, path, target);
    try {
      writeFileSync(`${target}/file`, new Uint8Array(3 * MIB).fill(7));
      for (let i = 0; i < 200; i++) writeFileSync(`${target}/lost+found/${i}`, `${i}`);
      expect(must('stat', '-c', '%u:%g', target).trim()).toBe('1000:70000');
    } finally {
      must('umount', target);
    }
    expect(e2fsck(path).status).toBe(0);
    expect(must('blkid', '-p', '-s', 'LABEL', '-o', 'value', path).trim()).toBe('linux');
  });
});

describe('what it promises by itself', () => {
  it('the same seed makes the same bytes', () => {
    const [a, b, c] = [7, 7, 8].map((seed) => {
      const disk = new MemoryDisk({ sizeBytes: 16 * MIB });
      mkfs(disk, { seed });
      const bytes = new Uint8Array(disk.sizeBytes);
      disk.read(0, bytes, 0, bytes.length);
      return Buffer.from(bytes).toString('latin1');
    });
    expect(a === b).toBe(true);
    expect(a === c).toBe(false);
  });

  it('writes little, and does not mind what was there', () => {
    const disk = new MemoryDisk({ sizeBytes: 64 * MIB, discards: false });
    const dirt = new Uint8Array(MIB).fill(0xa5);
    for (let at = 0; at < disk.sizeBytes; at += MIB) disk.write(at, dirt, 0, MIB);
    mkfs(disk, { seed: 1 });
    if (!skipTools) expect(e2fsck(save(disk)).status).toBe(0);
    const large = new MemoryDisk({ sizeBytes: 64 * 1024 * MIB });
    mkfs(large, { seed: 1 });
    expect(large.usedBytes).toBeLessThan(48 * MIB);
  });

  it('works on sectors of 4096 bytes', () => {
    const disk = new MemoryDisk({ sizeBytes: 64 * MIB, sectorBytes: 4096 });
    expect(mkfs(disk, { seed: 1 }).blockSize).toBe(4096);
    expect(() => mkfs(disk, { blockSize: 1024 })).toThrow(MkfsError);
  });

  it.each<[MkfsOptions, number]>([
    [{ features: 'nosuch' }, MIB],
    [{ features: 'bigalloc' }, MIB],
    [{ features: 'encrypt' }, MIB],
    [{ features: 'meta_bg' }, MIB],
    [{ features: '^sparse_super' }, MIB],
    [{ features: '^metadata_csum,metadata_csum_seed' }, MIB],
    [{ blockSize: 512 }, MIB],
    [{ blockSize: 3000 }, MIB],
    [{ inodeSize: 64 }, MIB],
    [{ inodeSize: 8192 }, MIB],
    [{ label: 'seventeen letters' }, MIB],
    [{ uuid: 'no' }, MIB],
    [{ reservedPercent: 51 }, MIB],
    [{ bytesPerInode: 1 }, MIB],
    [{ blocks: 1025 }, MIB],
    [{ journalMiB: 64 }, 64 * MIB],
    [{ inodes: 2 ** 32 }, 64 * MIB],
    [{}, 8192],
  ])('refuses %j', (options, sizeBytes) => {
    const disk = new MemoryDisk({ sizeBytes });
    expect(() => mkfs(disk, options)).toThrow(MkfsError);
    if (options.features !== undefined) expect(disk.usedBytes).toBe(0);
  });
});
