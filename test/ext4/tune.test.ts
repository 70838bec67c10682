/** tune and info against tune2fs, dumpe2fs and e2fsck. */
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { check } from '../../host/ext4/check.ts';
import { info } from '../../host/ext4/info.ts';
import { NoFileSystemError } from '../../host/ext4/readsuper.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { TuneError, tune } from '../../host/ext4/tune.ts';
import { filled } from './filled.ts';
import { BytesDisk, e2fsck, load, missing, mke2fs, must, save, skipTools } from './tools.ts';

const MIB = 2 ** 20;
const UUID = '12345678-9abc-4def-8123-456789abcdef';

describe.skipIf(skipTools)(`tune and info (without ${missing.join(', ') || 'no tool'})`, () => {
  it.each(
    [
      ['-t', 'ext4'],
      ['-t', 'ext4', '-b', '4096', '-O', 'orphan_file,metadata_csum_seed,^resize_inode,meta_bg'],
      ['-t', 'ext4', '-b', '4096', '-O', 'orphan_file,^resize_inode,meta_bg'],
      ['-t', 'ext4', '-O', '^metadata_csum,uninit_bg,^has_journal', '-I', '128'],
      ['-t', 'ext2'],
      ['-t', 'ext4', '-O', 'inline_data'],
    ].map((args) => [args] as const),
  )('a label and a UUID, %j', (args) => {
    const disk = new BytesDisk(filled(...args));
    tune(disk, { label: 'größer', uuid: UUID });
    expect(check(disk).findings).toEqual([]);
    const path = save(disk);
    const checked = e2fsck(path);
    expect([checked.status, checked.output]).toEqual([0, expect.not.stringContaining('Fix?')]);
    expect(must('dumpe2fs', '-h', path)).toContain(`UUID:          ${UUID}`);
    expect(must('blkid', '-p', '-s', 'UUID', '-o', 'value', path).trim()).toBe(UUID);
    expect(info(disk)).toMatchObject({ label: 'größer', uuid: UUID });
    // the copies are right too: the file system is found by one of them
    if (info(disk).blockSize === 1024)
      expect(must('dumpe2fs', '-h', '-o', 'superblock=8193', '-o', 'blocksize=1024', path)).toContain(UUID);
  });

  it.each(
    [
      ['-t', 'ext4'],
      ['-t', 'ext4', '-L', 'name', '-M', '/there', '-O', 'metadata_csum_seed,orphan_file'],
      ['-t', 'ext4', '-O', 'fast_commit,sparse_super2', '-E', 'stride=4,stripe_width=8'],
      ['-t', 'ext4', '-O', 'mmp,quota'],
      ['-t', 'ext3', '-m', '0'],
      ['-t', 'ext2', '-I', '128'],
    ].map((args) => [args] as const),
  )('info says what dumpe2fs -h says, %j', (args) => {
    const path = mke2fs(32 * MIB, ...args);
    const wanted = must('dumpe2fs', '-h', path).replace(/^MMP_block:[\s\S]*/m, '');
    expect(info(load(path)).text.trimEnd()).toBe(wanted.trimEnd());
  });

  it('says what tune2fs changed', () => {
    const path = mke2fs(32 * MIB, '-t', 'ext4');
    must(
      'tune2fs',
      '-c',
      '10',
      '-e',
      'remount-ro',
      '-o',
      'journal_data_writeback,^acl',
      '-E',
      'mount_opts=data',
      path,
    );
    expect(info(load(path)).text.trimEnd()).toBe(must('dumpe2fs', '-h', path).trimEnd());
  });
});

describe('what cannot be', () => {
  const fresh = (features = '') => {
    const disk = new MemoryDisk({ sizeBytes: 16 * MIB });
    mkfs(disk, { seed: 1, features });
    return disk;
  };

  it('is refused, and nothing changes', () => {
    const disk = fresh();
    expect(() => tune(disk, { label: 'more than sixteen' })).toThrow(TuneError);
    expect(() => tune(disk, { uuid: 'nonsense' })).toThrow('Invalid UUID format');
    expect(() => tune(new MemoryDisk({ sizeBytes: MIB }), { label: 'x' })).toThrow(NoFileSystemError);
    expect(() => info(new MemoryDisk({ sizeBytes: 512 }))).toThrow(NoFileSystemError);
    const damaged = fresh();
    // the descriptors
    damaged.write(2048, new Uint8Array(512).fill(1), 0, 512);
    expect(() => tune(damaged, { uuid: 'random' })).toThrow('check it first');
    expect(check(disk).clean).toBe(true);
  });

  it('random and clear', () => {
    const disk = fresh();
    tune(disk, { uuid: 'random', seed: 5 });
    const { uuid } = info(disk);
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    tune(disk, { uuid: 'random', seed: 5, label: 'x' });
    expect(info(disk)).toMatchObject({ uuid, label: 'x', type: 'ext4', needsRecovery: false });
    expect(check(disk).findings).toEqual([]);
  });
});
