/** The overlay: what it hides, what it commits, what it throws away. */
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { OverlayDisk } from '../../host/devices/overlay.ts';
import { needsBase, restoreDisk } from '../../host/devices/restore.ts';
import { deviceContract, pattern, readAll, refusal, same } from './contract.ts';

deviceContract('overlay', { make: (shape) => new OverlayDisk(new MemoryDisk({ ...shape, readOnly: true })) });
deviceContract('overlay of an overlay, in large chunks', {
  make: (shape) => new OverlayDisk(new OverlayDisk(new MemoryDisk(shape)), { chunkBytes: 16384 }),
});

const SIZE = 1 << 20;

function base(): MemoryDisk {
  return MemoryDisk.of(pattern(SIZE, 1));
}

describe('overlay', () => {
  it('shows its base until it is written over, and leaves it alone', () => {
    const below = base();
    const before = readAll(below);
    const disk = new OverlayDisk(below);
    expect(same(readAll(disk), before)).toBe(true);
    disk.write(512, pattern(512, 2), 0, 512);
    disk.writeZeroes(8192, 9000 - (9000 % 512));
    disk.discard(65536, 65536);
    const expected = before.slice();
    expected.set(pattern(512, 2), 512);
    expected.fill(0, 8192, 8192 + 9000 - (9000 % 512));
    expected.fill(0, 65536, 131072);
    expect(same(readAll(disk), expected)).toBe(true);
    expect(same(readAll(below), before)).toBe(true);
    // one chunk for the write, two and a part for the zeros, sixteen for what was discarded
    expect(disk.changedBytes).toBe((1 + 3 + 16) * 4096);
  });

  it('commits to its base, or to a copy of it', () => {
    const below = base();
    const copy = below.fork();
    const disk = new OverlayDisk(below);
    disk.write(4096, pattern(8192, 3), 0, 8192);
    disk.writeZeroes(SIZE - 4096, 4096);
    const changed = readAll(disk);
    disk.commit(copy);
    expect(same(readAll(copy), changed)).toBe(true);
    expect(disk.changedBytes).toBeGreaterThan(0);
    disk.commit();
    expect(disk.changedBytes).toBe(0);
    expect(same(readAll(below), changed)).toBe(true);
    expect(same(readAll(disk), changed)).toBe(true);
  });

  it('keeps its changes when they cannot be committed', () => {
    const disk = new OverlayDisk(new MemoryDisk({ sizeBytes: SIZE, readOnly: true }));
    disk.write(0, pattern(512, 4), 0, 512);
    expect(refusal(() => disk.commit()).code).toBe('EROFS');
    expect(readAll(disk).subarray(0, 512)).toEqual(pattern(512, 4));
  });

  it('throws its changes away, also by being closed, and leaves the base open', () => {
    const below = base();
    const disk = new OverlayDisk(below);
    disk.write(0, pattern(512, 5), 0, 512);
    disk.revert();
    expect(same(readAll(disk), readAll(below))).toBe(true);
    disk.close();
    expect(readAll(below).length).toBe(SIZE);
  });

  it('a fork goes its own way', () => {
    const disk = new OverlayDisk(base());
    disk.write(0, pattern(512, 6), 0, 512);
    const fork = disk.fork();
    fork.write(0, pattern(512, 7), 0, 512);
    disk.write(4096, pattern(512, 8), 0, 512);
    expect(readAll(disk).subarray(0, 512)).toEqual(pattern(512, 6));
    expect(readAll(fork).subarray(0, 512)).toEqual(pattern(512, 7));
    expect(readAll(fork).subarray(4096, 4608)).toEqual(pattern(SIZE, 1).subarray(4096, 4608));
  });

  it('is put aside with its base, if that can be, and else needs it again', () => {
    const below = base();
    const disk = new OverlayDisk(below);
    disk.write(0, pattern(512, 9), 0, 512);
    const whole = readAll(disk);
    const snapshot = structuredClone(disk.snapshot());
    expect(needsBase(snapshot)).toBe(false);
    disk.write(0, pattern(512, 10), 0, 512);
    expect(same(readAll(restoreDisk(snapshot)), whole)).toBe(true);

    const { base: _, ...changes } = snapshot;
    expect(needsBase(changes)).toBe(true);
    expect(() => restoreDisk(changes)).toThrow(/needs that disk/);
    expect(() => restoreDisk(changes, new MemoryDisk({ sizeBytes: SIZE * 2 }))).toThrow(/shape/);
    expect(same(readAll(restoreDisk(changes, below)), whole)).toBe(true);
  });

  it('a read of the base that fails hides nothing', () => {
    const below = base();
    const disk = new OverlayDisk(below);
    below.close();
    expect(refusal(() => disk.write(512, new Uint8Array(512), 0, 512)).code).toBe('EIO');
    expect(disk.changedBytes).toBe(0);
  });
});
