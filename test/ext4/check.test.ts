/** check against e2fsck -fn: clean says clean, damaged says damaged, and nothing throws. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { check } from '../../host/ext4/check.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { type Damage, damage, Random, targetsOf } from './corrupt.ts';
import { filled } from './filled.ts';
import { BytesDisk, e2fsck, load, missing, mke2fs, must, newPath, skipTools } from './tools.ts';

const MIB = 2 ** 20;

const SHAPES: readonly (readonly string[])[] = [
  ['-t', 'ext4'],
  ['-t', 'ext4', '-O', '^metadata_csum,^64bit'],
  ['-t', 'ext4', '-b', '4096', '-O', 'orphan_file,metadata_csum_seed,^resize_inode,meta_bg'],
  ['-t', 'ext4', '-O', '^metadata_csum,uninit_bg,^has_journal', '-I', '128'],
  ['-t', 'ext3'],
  ['-t', 'ext2', '-b', '1024'],
  ['-t', 'ext4', '-O', 'inline_data,^has_journal'],
];

/**
 * Where the two may differ: of the resize inode e2fsck looks at a part of its blocks, and check
 * at all of them; feature bits and journal numbers of the superblock are asked about in its own order
 * of trust, so that one of them wrong alone may pass.
 */
const STRICTER: ReadonlySet<string> = new Set(['resize.inode']);

/** Of a hundred images, how many may be judged otherwise, each with its reason in the report. */
const DIFFERENT_PERCENT = 3;
const ROUNDS = 40;

interface Judged {
  readonly seed: number;
  readonly done: readonly Damage[];
  readonly ours: string;
  readonly theirs: string;
}

function judge(
  image: Uint8Array<ArrayBuffer>,
  path: string,
  seed: number,
  done: readonly Damage[],
): Judged | undefined {
  const result = check(new BytesDisk(image));
  const theirs = e2fsck(path);
  // with some questions that it answers no to, it exits with 0 all the same
  const isClean = theirs.status === 0 && !/\? no$/m.test(theirs.output);
  const real = result.findings.filter(({ note, rule }) => !note && !STRICTER.has(rule));
  if (result.clean === isClean) return undefined;
  if (isClean && real.length === 0) return undefined;
  return { seed, done, ours: real.map(({ rule }) => rule).join(), theirs: theirs.output };
}

describe.skipIf(skipTools)(`check (without ${missing.join(', ') || 'no tool'})`, () => {
  it.each(SHAPES.map((args) => [args] as const))('agrees with e2fsck on %j', { timeout: 180_000 }, (args) => {
    const image = filled(...args);
    expect(check(new BytesDisk(image)).findings).toEqual([]);
    const targets = targetsOf(image);
    const path = newPath();
    writeFileSync(path, image);
    const fd = openSync(path, 'r+');
    const copy = image.slice();
    const different: Judged[] = [];
    for (let seed = 0; seed < ROUNDS; seed++) {
      const done = damage(copy, targets, seed, seed % 2 === 0);
      const places = [...done.map(({ target }) => target), { at: 1024, length: 1024 }];
      for (const { at, length } of places) writeSync(fd, copy, at, length, at);
      const judged = judge(copy, path, seed, done);
      if (judged) different.push(judged);
      for (const { at, length } of places) {
        writeSync(fd, image, at, length, at);
        copy.set(image.subarray(at, at + length), at);
      }
    }
    closeSync(fd);
    if (different.length > 0) console.log(JSON.stringify(different, null, 1));
    expect(different.length).toBeLessThanOrEqual((ROUNDS * DIFFERENT_PERCENT) / 100);
  });

  it.each(
    [
      ['-t', 'ext4'],
      ['-t', 'ext4', '-T', 'largefile4'],
      ['-t', 'ext3'],
      ['-t', 'ext2', '-O', '^sparse_super,^resize_inode'],
      ['-O', 'quota', '-t', 'ext4'],
    ].map((args) => [args] as const),
  )('has nothing to say of an empty one: %j', (args) => {
    expect(check(load(mke2fs(40 * MIB, ...args))).findings).toEqual([]);
  });

  it('tells of a journal to be replayed, and of what it cannot know', () => {
    const path = mke2fs(16 * MIB, '-t', 'ext4');
    must('debugfs', '-w', '-R', 'feature +needs_recovery', path);
    const result = check(load(path));
    expect(result.needsRecovery).toBe(true);
    expect(result.findings).toMatchObject([{ rule: 'journal.recovery', note: true }]);
    const foreign = check(load(mke2fs(16 * MIB, '-t', 'ext4', '-O', 'bigalloc')));
    expect(foreign.clean).toBe(false);
    expect(foreign.findings[0]).toMatchObject({
      rule: 'super.features',
      message: expect.stringContaining('bigalloc'),
    });
  });
});

describe('whatever it is given', () => {
  const fresh = () => {
    const disk = new MemoryDisk({ sizeBytes: 8 * MIB });
    mkfs(disk, { seed: 3, features: 'orphan_file' });
    const image = new Uint8Array(disk.sizeBytes);
    disk.read(0, image, 0, image.length);
    return image;
  };

  it('noise, nothing, and a device that fails are findings', () => {
    const noise = new Uint8Array(MIB);
    const random = new Random(1);
    for (let i = 0; i < noise.length; i++) noise[i] = random.below(256);
    for (const image of [noise, new Uint8Array(512), new Uint8Array(MIB)])
      expect(check(new BytesDisk(image)).findings).toMatchObject([{ rule: 'super.magic' }]);
    const disk = new BytesDisk(fresh());
    const failing = new Proxy(disk, {
      get(target, key) {
        if (key === 'read')
          return (off: number, into: Uint8Array, at: number, length: number) => {
            if (off > 300 * 1024) throw new Error('EIO');
            target.read(off, into, at, length);
          };
        return Reflect.get(target, key, target);
      },
    });
    expect(check(failing).findings.some(({ rule }) => rule === 'device.read')).toBe(true);
  });

  it('noise in the metadata of a sound superblock ends soon', () => {
    const image = fresh();
    const targets = targetsOf(image).filter(({ kind }) => kind !== 'super');
    for (let seed = 0; seed < 60; seed++) {
      const copy = image.slice();
      const random = new Random(seed);
      for (let i = 0; i < 20; i++) {
        const { at, length } = random.pick(targets);
        for (let byte = 0; byte < length; byte++) copy[at + byte] = random.below(256);
      }
      const start = performance.now();
      expect(check(new BytesDisk(copy)).clean).toBe(false);
      expect(performance.now() - start).toBeLessThan(10_000);
    }
  });

  it('a superblock of any bytes', () => {
    const image = fresh();
    for (let seed = 0; seed < 200; seed++) {
      const copy = image.slice();
      const random = new Random(seed);
      for (let n = 0; n < 4; n++) copy[1024 + random.below(0x180)] = random.below(256);
      // the magic number stays, so that the rest is looked at
      copy[1024 + 0x38] = 0x53;
      copy[1024 + 0x39] = 0xef;
      expect(() => check(new BytesDisk(copy))).not.toThrow();
    }
  });
});
