/** Disks in a machine: attached, read and written through their nodes, put aside, forked, let go. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FaultDisk } from '../../host/devices/fault.ts';
import { LatencyDisk } from '../../host/devices/latency.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { OverlayDisk } from '../../host/devices/overlay.ts';
import { TracerDisk } from '../../host/devices/tracer.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import { type BootOptions, bootSync } from '../../host/machine/boot.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { loadSnapshot, saveSnapshot } from '../../host/hostfiles/snapshotfile.ts';
import { testMachine } from '../../host/testing/machine.ts';
import { pattern, readAll, same } from './contract.ts';

const SIZE = 1 << 20;
const RAM = 8 << 20;

const machines: Machine[] = [];
afterEach(() => {
  for (const machine of machines.splice(0)) machine.shutdown();
});

function boot(options: BootOptions = {}): Machine {
  const machine = bootSync({
    flavour: 'up-debug',
    ...(options.from === undefined && { ram: RAM }),
    ...options,
  });
  machines.push(machine);
  return machine;
}

const memory = (options = {}) => new MemoryDisk({ sizeBytes: SIZE, chunkBytes: 4096, ...options });

/** Write through a node, and have it on the disk. */
function store(machine: Machine, node: string, bytes: Uint8Array, at: number): void {
  const fd = machine.fs.openSync(node, 'r+');
  machine.fs.writeSync(fd, bytes, 0, bytes.length, at);
  machine.fs.fsyncSync(fd);
  machine.fs.closeSync(fd);
}

function load(machine: Machine, node: string, at: number, length: number): Uint8Array {
  const fd = machine.fs.openSync(node, 'r');
  const bytes = new Uint8Array(length);
  machine.fs.readSync(fd, bytes, 0, length, at);
  machine.fs.closeSync(fd);
  return bytes;
}

describe('attached', () => {
  it('at boot, in their places, and later', () => {
    const first = memory();
    const third = memory({ readOnly: true });
    const machine = boot({ disks: [first, undefined, { device: third }] });
    const added = memory();
    expect(machine.attachDisk(added)).toBe(1);
    expect(machine.attachDisk(memory(), { slot: 7, readOnly: true })).toBe(7);
    expect(machine.disks.map(({ slot, name, readOnly }) => [slot, name, readOnly])).toEqual([
      [0, 'vbd0', false],
      [1, 'vbd1', false],
      [2, 'vbd2', true],
      [7, 'vbd7', true],
    ]);
    expect(machine.disks[0].device).toBe(first);
    expect(machine.fs.statSync('/dev/vbd1').isBlockDevice()).toBe(true);
    expect(() => machine.attachDisk(memory(), { slot: 2 })).toThrow(/EBUSY/);
    expect(() => machine.attachDisk(memory(), { slot: 8 })).toThrow(/EINVAL/);
    expect(() => machine.detachDisk(5)).toThrow(/ENXIO/);
  });

  it('as many as there are slots', () => {
    const machine = boot({ disks: Array.from({ length: 8 }, () => memory()) });
    expect(() => machine.attachDisk(memory())).toThrow(/EBUSY/);
    machine.detachDisk(3);
    expect(machine.fs.existsSync('/dev/vbd3')).toBe(false);
    expect(machine.attachDisk(memory())).toBe(3);
  });

  it('what is written to the node is on the disk after fsync, and counted', () => {
    const disk = new TracerDisk(memory({ writeCache: true }));
    const machine = boot({ disks: [disk] });
    const bytes = pattern(40_000, 1);
    store(machine, '/dev/vbd0', bytes, 1000);
    expect(same(readAll(disk).subarray(1000, 41_000), bytes)).toBe(true);
    expect(same(load(machine, '/dev/vbd0', 1000, 40_000), bytes)).toBe(true);
    const { stats } = machine.disks[0];
    expect(stats.writes).toBeGreaterThan(0);
    expect(stats.writtenBytes).toBe(disk.totals.write.bytes);
    expect(stats.flushes).toBe(disk.totals.flush.count);
    expect(stats.flushes).toBeGreaterThan(0);
    expect(stats.errors).toBe(0);
  });

  it('a disk that fails is an error of the call, and the last one is kept', () => {
    const disk = new FaultDisk(memory());
    const machine = boot({ disks: [disk] });
    const remove = disk.add({ kind: 'error', on: 'read', times: Number.POSITIVE_INFINITY });
    expect(() => load(machine, '/dev/vbd0', 0, 512)).toThrow(/EIO/);
    expect(machine.disks[0].lastError).toMatchObject({ code: 'EIO' });
    expect(machine.disks[0].stats.errors).toBeGreaterThan(0);
    remove();
    expect(load(machine, '/dev/vbd0', 0, 512)).toEqual(new Uint8Array(512));
  });

  it('a device that throws anything at all is EIO', () => {
    const disk = memory();
    const machine = boot({ disks: [disk] });
    (disk as { read: unknown }).read = () => {
      throw 'a string';
    };
    (disk as { readv: unknown }).readv = undefined;
    expect(() => load(machine, '/dev/vbd0', 0, 8192)).toThrow(/EIO/);
  });

  it('not while it is open; and then it is flushed, and closed only if it was said', () => {
    const [kept, closed] = [memory({ writeCache: true }), memory({ writeCache: true })];
    const machine = boot({ disks: [kept, { device: closed, close: true }] });
    const fd = machine.fs.openSync('/dev/vbd0', 'r+');
    machine.fs.writeSync(fd, pattern(512, 1), 0, 512, 0);
    expect(() => machine.detachDisk(0)).toThrow(/EBUSY/);
    machine.fs.closeSync(fd);
    machine.detachDisk(0);
    machine.detachDisk(1);
    expect(readAll(kept).subarray(0, 512)).toEqual(pattern(512, 1));
    expect(kept.closed).toBe(false);
    expect(closed.closed).toBe(true);
    expect(machine.disks).toEqual([]);
  });

  it('till shutdown, which writes back, flushes, and closes what it was told to', () => {
    const disk = new TracerDisk(memory({ writeCache: true }));
    const closed = memory();
    const machine = boot({ disks: [disk, { device: closed, close: true }] });
    const fd = machine.fs.openSync('/dev/vbd0', 'r+');
    machine.fs.writeSync(fd, pattern(4096, 1), 0, 4096, 8192);
    machine.fs.closeSync(fd);
    machine.shutdown();
    expect(readAll(disk).subarray(8192, 12288)).toEqual(pattern(4096, 1));
    expect(disk.totals.flush.count).toBeGreaterThan(0);
    expect(closed.closed).toBe(true);
    expect(() => machine.attachDisk(memory())).toThrow(/ESRCH/);
  });

  it('and once a second the kernel may write back what is old, while there are disks and the clock is real', async () => {
    const real = boot();
    const virtual = boot({ clock: 'virtual', disks: [memory()] });
    const [ticks, none] = [real, virtual].map(({ cpu }) => vi.spyOn(cpu.exports, 'machine_tick'));
    const slot = real.attachDisk(memory());
    await vi.waitFor(() => expect(ticks).toHaveBeenCalled(), { timeout: 10_000 });
    real.detachDisk(slot);
    expect(none).not.toHaveBeenCalled();
  });

  it('a machine that cannot have the disks asked for is not booted', () => {
    const closed = memory();
    const nine = Array.from({ length: 8 }, (): BlockDevice => memory());
    expect(() => boot({ disks: [{ device: closed, close: true }, ...nine] })).toThrow(/EINVAL/);
    expect(closed.closed).toBe(true);
  });
});

describe('a snapshot', () => {
  it('has the disks that can be written, as they were', () => {
    const [disk, base] = [memory(), memory()];
    base.write(0, pattern(4096, 1), 0, 4096);
    const overlay = new TracerDisk(new OverlayDisk(base));
    const machine = boot({ disks: [disk, overlay] });
    store(machine, '/dev/vbd0', pattern(4096, 2), 0);
    store(machine, '/dev/vbd1', pattern(4096, 3), 4096);
    // in RAM only, so far
    machine.fs.writeFileSync('/dev/vbd0', pattern(512, 4));
    const snapshot = machine.snapshot();
    store(machine, '/dev/vbd0', pattern(4096, 5), 0);
    const other = boot({ from: snapshot });
    expect(load(other, '/dev/vbd0', 0, 512)).toEqual(pattern(512, 4));
    expect(load(other, '/dev/vbd0', 512, 512)).toEqual(pattern(4096, 2).subarray(512, 1024));
    expect(load(other, '/dev/vbd1', 0, 4096)).toEqual(pattern(4096, 1));
    expect(load(other, '/dev/vbd1', 4096, 4096)).toEqual(pattern(4096, 3));
    store(other, '/dev/vbd1', pattern(512, 6), 0);
    expect(load(machine, '/dev/vbd1', 0, 512)).toEqual(pattern(4096, 1).subarray(0, 512));
    expect(load(boot({ from: snapshot }), '/dev/vbd1', 0, 512)).toEqual(pattern(4096, 1).subarray(0, 512));
    expect(() => boot({ from: snapshot, disks: [memory()] })).toThrow(/no disk can be given/);
    const more = boot({ from: snapshot, disks: [undefined, undefined, memory()] });
    expect(more.disks.map(({ slot }) => slot)).toEqual([0, 1, 2]);
  });

  it('names those that are read-only, which must be given again', () => {
    const disk = MemoryDisk.of(pattern(SIZE, 1), { readOnly: true });
    const machine = boot({ disks: [undefined, disk] });
    const snapshot = machine.snapshot();
    expect(snapshot.disks).toMatchObject([{ slot: 1, readOnly: true, sizeBytes: SIZE }]);
    expect(() => boot({ from: snapshot })).toThrow(/disks\[1\]/);
    expect(() => boot({ from: snapshot, disks: [undefined, new MemoryDisk({ sizeBytes: 512 })] })).toThrow(
      /bytes/,
    );
    expect(() => boot({ from: snapshot, disks: [undefined, memory()] })).toThrow(/other bytes/);
    const other = boot({ from: snapshot, disks: [undefined, disk] });
    expect(load(other, '/dev/vbd1', 4096, 512)).toEqual(pattern(SIZE, 1).subarray(4096, 4608));
    expect(other.disks[0].readOnly).toBe(true);
  });

  it('has the changes to a base that cannot be put aside, which must be given again', () => {
    const image = MemoryDisk.of(pattern(SIZE, 1), { readOnly: true });
    Object.defineProperty(image, 'snapshot', { value: undefined });
    const machine = boot({ disks: [new OverlayDisk(image)] });
    store(machine, '/dev/vbd0', pattern(512, 2), 0);
    const snapshot = machine.snapshot();
    expect(() => boot({ from: snapshot })).toThrow(/base of \/dev\/vbd0/);
    const other = boot({ from: snapshot, disks: [image] });
    expect(load(other, '/dev/vbd0', 0, 512)).toEqual(pattern(512, 2));
    expect(load(other, '/dev/vbd0', 512, 512)).toEqual(pattern(SIZE, 1).subarray(512, 1024));
  });

  it('is refused where a disk can be written and not be put aside', () => {
    const disk = memory();
    Object.defineProperty(disk, 'snapshot', { value: undefined });
    const machine = boot({ disks: [disk] });
    expect(() => machine.snapshot()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    machine.detachDisk(0);
    machine.attachDisk(disk, { readOnly: true });
    expect(machine.snapshot().disks?.length).toBe(1);
  });

  it('goes through a file', async () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-disks-'));
    try {
      const file = path.join(dir, 'snapshot');
      const overlay = new OverlayDisk(MemoryDisk.of(pattern(SIZE, 1)));
      const large = new MemoryDisk({ sizeBytes: 2 ** 40 });
      const given = MemoryDisk.of(pattern(4096, 2), { readOnly: true });
      const machine = boot({ disks: [overlay, large, given] });
      store(machine, '/dev/vbd0', pattern(4096, 3), 8192);
      store(machine, '/dev/vbd1', pattern(4096, 4), 2 ** 39);
      await saveSnapshot(file, machine.snapshot());
      expect(fs.statSync(file).size).toBeLessThan(16 << 20);
      const other = boot({ from: await loadSnapshot(file), disks: [undefined, undefined, given] });
      expect(load(other, '/dev/vbd0', 8192, 4096)).toEqual(pattern(4096, 3));
      expect(load(other, '/dev/vbd0', 0, 4096)).toEqual(pattern(4096, 1));
      expect(load(other, '/dev/vbd1', 2 ** 39, 4096)).toEqual(pattern(4096, 4));
      expect(same(readAll(other.disks[0].device as BlockDevice), readAll(overlay))).toBe(true);
      const bytes = fs.readFileSync(file);
      bytes[bytes.length - 100] ^= 1;
      fs.writeFileSync(file, bytes);
      await expect(loadSnapshot(file)).rejects.toThrow(/checksum/);
      fs.truncateSync(file, bytes.length - 1);
      await expect(loadSnapshot(file)).rejects.toThrow(/cut short/);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
  });

  it('that is damaged is refused', () => {
    const snapshot = boot({ disks: [memory()] }).snapshot();
    const [disk] = snapshot.disks ?? [];
    for (const disks of [
      [{ ...disk, slot: 9 }],
      [disk, disk],
      [{ ...disk, sizeBytes: 512 }],
      [{ ...disk, disk: { ...disk.disk!, format: 7 as 1 } }],
    ])
      expect(() => boot({ from: { ...snapshot, disks } })).toThrow(/snapshot/);
  });
});

describe('test machines', () => {
  it('each have disks of their own, that start as those given', () => {
    const disk = memory();
    disk.write(0, pattern(4096, 1), 0, 4096);
    const shared = MemoryDisk.of(pattern(8192, 2), { readOnly: true });
    const options = { disks: [disk, shared], flavour: 'up-debug' as const };
    for (let i = 0; i < 3; i++) {
      const machine = testMachine(options);
      expect(load(machine, '/dev/vbd0', 0, 4096)).toEqual(pattern(4096, 1));
      expect(load(machine, '/dev/vbd1', 0, 512)).toEqual(pattern(8192, 2).subarray(0, 512));
      store(machine, '/dev/vbd0', pattern(4096, 3), 0);
      machine.shutdown();
    }
    expect(readAll(disk).subarray(0, 4096)).toEqual(pattern(4096, 1));
  });
});

describe('time', () => {
  it('of a virtual clock goes on by what the disk takes', () => {
    let machine: Machine | undefined;
    const disk = new LatencyDisk(memory(), { readMs: 250 }, (ms) => machine?.elapse(ms));
    machine = boot({ clock: 'virtual', disks: [disk] });
    const time = () => {
      machine?.fs.writeFileSync('/now', '');
      return machine?.fs.statSync('/now').mtimeMs ?? 0;
    };
    const before = time();
    const taken = disk.busyMs;
    load(machine, '/dev/vbd0', 65536, 512);
    expect(disk.busyMs).toBeGreaterThan(taken);
    expect(time() - before).toBeCloseTo(disk.busyMs - taken, 0);
  });
});
