/** The disk in memory: what it costs, what snapshots and forks share. */
import { describe, expect, it } from 'vitest';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { deviceContract, pattern, readAll, same } from './contract.ts';

deviceContract('memory', {
  make: (shape) => new MemoryDisk({ ...shape, chunkBytes: 8192 }),
});

describe('memory', () => {
  it('takes memory for what is written, and none for zeros', () => {
    const disk = new MemoryDisk({ sizeBytes: 2 ** 42 });
    const last = disk.sizeBytes - 4096;
    disk.write(last, new Uint8Array(4096), 0, 4096);
    disk.writeZeroes(0, disk.sizeBytes);
    expect(disk.usedBytes).toBe(0);
    disk.write(last, pattern(4096, 1), 0, 4096);
    expect(disk.usedBytes).toBe(65536);
    disk.discard(last - 4096, 4096);
    expect(disk.usedBytes).toBe(65536);
    disk.discard(disk.sizeBytes - 65536 * 2, 65536 * 2);
    expect(disk.usedBytes).toBe(0);
  });

  it('keeps what is discarded when it is told not to discard', () => {
    const disk = new MemoryDisk({ sizeBytes: 1 << 20, discards: false });
    disk.write(0, pattern(4096, 1), 0, 4096);
    disk.discard(0, 1 << 20);
    expect(readAll(disk).subarray(0, 4096)).toEqual(pattern(4096, 1));
  });

  it('a snapshot stays as it was, and so do the disks made from it', () => {
    const disk = new MemoryDisk({ sizeBytes: 1 << 20, chunkBytes: 4096 });
    disk.write(0, pattern(65536, 1), 0, 65536);
    const before = readAll(disk);
    const snapshot = disk.snapshot();
    const fork = MemoryDisk.from(snapshot);
    disk.write(512, pattern(8192, 2), 0, 8192);
    fork.writeZeroes(0, 4096);
    fork.write(1 << 19, pattern(512, 3), 0, 512);
    expect(same(readAll(MemoryDisk.from(snapshot)), before)).toBe(true);
    expect(same(readAll(disk).subarray(8704), before.subarray(8704))).toBe(true);
    expect(same(readAll(fork).subarray(4096, 1 << 19), before.subarray(4096, 1 << 19))).toBe(true);
    expect(MemoryDisk.from(snapshot, { readOnly: true }).readOnly).toBe(true);
    expect(same(readAll(disk.fork()), readAll(disk))).toBe(true);
  });

  it('a snapshot can be posted', () => {
    const disk = MemoryDisk.of(pattern(100_000, 1));
    const snapshot = structuredClone(disk.snapshot());
    expect(same(readAll(MemoryDisk.from(snapshot)), readAll(disk))).toBe(true);
  });

  it('a thousand snapshots of a large disk cost what was changed between them', () => {
    const disk = new MemoryDisk({ sizeBytes: 4 * 2 ** 30, chunkBytes: 4096 });
    for (let off = 0; off < 64 << 20; off += 1 << 20) disk.write(off, pattern(1 << 20, 1), 0, 1 << 20);
    const started = performance.now();
    const snapshots = [];
    for (let i = 0; i < 1000; i++) {
      disk.write(i * 4096, pattern(512, i), 0, 512);
      snapshots.push(disk.snapshot());
    }
    // a copy of 64 MiB takes some 10 ms
    expect(performance.now() - started).toBeLessThan(2000);
    const into = new Uint8Array(512);
    MemoryDisk.from(snapshots[10]).read(10 * 4096, into, 0, 512);
    expect(into).toEqual(pattern(512, 10));
    MemoryDisk.from(snapshots[9]).read(10 * 4096, into, 0, 512);
    expect(into).not.toEqual(pattern(512, 10));
  });

  it.each([
    { sizeBytes: 0 },
    { sizeBytes: 513 },
    { sizeBytes: 512, sectorBytes: 4096 as const },
    { sizeBytes: 4096, sectorBytes: 1024 as 512 },
    { sizeBytes: 4096, chunkBytes: 3000 },
    { sizeBytes: 4096, sectorBytes: 4096 as const, chunkBytes: 512 },
  ])('is not made of %o', (options) => {
    expect(() => new MemoryDisk(options)).toThrow(RangeError);
  });

  it('refuses a snapshot that is damaged', () => {
    const snapshot = new MemoryDisk({ sizeBytes: 1 << 20 }).snapshot();
    for (const damage of [
      { format: 2 as 1 },
      { sizeBytes: 100 },
      { sizeBytes: 2 ** 40 },
      { tree: undefined as never },
      { kind: 'floppy' as never },
      { kind: 'overlay' as const },
      { base: snapshot },
    ])
      expect(() => MemoryDisk.from({ ...snapshot, ...damage })).toThrow(/snapshot/);
  });
});
