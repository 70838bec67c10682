/** Crash states beside a naive model: which there are, what is on their disks, what their hashes tell. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CrashSpec, CrashStates } from '../../host/devices/crash.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { OverlayDisk } from '../../host/devices/overlay.ts';
import { Recorder, type Recording } from '../../host/devices/recorder.ts';
import { deviceContract, pattern, readAll, same } from './contract.ts';

deviceContract('recorder', { make: (shape) => new Recorder(new MemoryDisk(shape), { reads: true }) });

const SIZE = 1 << 16;

function recorder(options = {}): Recorder {
  return new Recorder(new MemoryDisk({ sizeBytes: SIZE, chunkBytes: 4096 }), options);
}

const put = (disk: Recorder, off: number, sectors: number, seed: number, fua = false) =>
  disk.write(off, pattern(sectors * 512, seed), 0, sectors * 512, fua);

/** The disk that a spec means, made the slow way. */
function naive({ base, requests, writeCache }: Recording, { cut, kept, torn }: CrashSpec): Uint8Array {
  const bytes = readAll(base);
  let durable = -1;
  for (let i = 0; i < cut; i++) if (requests[i].kind === 'flush') durable = i;
  for (const [i, { kind, offBytes, lenBytes, data, fua }] of requests.entries()) {
    if (i > cut || kind === 'flush' || kind === 'read') continue;
    if (i < cut && i > durable && !kept.includes(i)) {
      expect(fua || !writeCache).toBe(false);
      continue;
    }
    const content = data ?? new Uint8Array(lenBytes);
    for (let s = 0; s < lenBytes / 512; s++) {
      if (i === cut && !torn?.includes(s)) continue;
      bytes.set(content.subarray(s * 512, s * 512 + 512), offBytes + s * 512);
    }
  }
  return bytes;
}

describe('recorder', () => {
  it('notes what succeeded, in order, with epochs and FUA', () => {
    const disk = recorder({ reads: true });
    put(disk, 0, 2, 1);
    disk.read(0, new Uint8Array(512), 0, 512);
    disk.flush();
    put(disk, 1024, 1, 2, true);
    disk.writeZeroes(4096, 4096);
    disk.discard(8192, 512);
    expect(() => put(disk, SIZE, 1, 1)).toThrow();
    disk.writev(0, pattern(1024, 3), Uint32Array.of(512, 512, 0, 512), 2);
    const { requests } = disk.recording;
    expect(
      requests.map(({ kind, offBytes, lenBytes, epoch, fua }) => [kind, offBytes, lenBytes, epoch, fua]),
    ).toEqual([
      ['write', 0, 1024, 0, false],
      ['read', 0, 512, 0, false],
      ['flush', 0, 0, 0, false],
      ['write', 1024, 512, 1, true],
      ['zero', 4096, 4096, 1, false],
      ['discard', 8192, 512, 1, false],
      ['write', 0, 1024, 1, false],
    ]);
    expect(disk.length).toBe(7);
    expect(requests[6].data?.subarray(0, 512)).toEqual(pattern(1024, 3).subarray(512));
  });

  it('starts from the disk as it was, and says whether it has a cache', () => {
    const lower = MemoryDisk.of(pattern(SIZE, 1));
    const disk = new Recorder(new OverlayDisk(lower), { writeCache: false });
    put(disk, 0, 1, 2);
    expect(same(readAll(disk.recording.base), pattern(SIZE, 1))).toBe(true);
    expect(disk.writeCache).toBe(false);
    expect(disk.snapshot?.().kind).toBe('overlay');
  });
});

describe('crash states', () => {
  it('every subset of the writes that no flush followed, once', () => {
    const disk = recorder();
    for (let i = 0; i < 4; i++) put(disk, i * 4096, 1, i);
    const states = [...new CrashStates(disk.recording).states()];
    expect(new Set(states.map(({ kept }) => kept.join())).size).toBe(16);
    const distinct = [...new CrashStates(disk.recording).distinct()];
    expect(distinct.length).toBe(16);
    expect(new Set(distinct.map((state) => Buffer.from(readAll(state.disk())).toString('latin1'))).size).toBe(
      16,
    );
  });

  it('what a flush followed is always there, and what was written through', () => {
    const disk = recorder();
    put(disk, 0, 1, 1);
    disk.flush();
    put(disk, 4096, 1, 2);
    put(disk, 8192, 1, 3, true);
    put(disk, 12288, 1, 4);
    const after = [...new CrashStates(disk.recording).states({ from: 4 })];
    for (const state of after) {
      const bytes = readAll(state.disk());
      expect(bytes[0]).not.toBe(0);
      expect(bytes[8192]).not.toBe(0);
    }
    expect(new Set(after.map(({ hash }) => hash)).size).toBe(4);
  });

  it('a disk without a cache loses only what was in progress', () => {
    const disk = recorder({ writeCache: false });
    for (let i = 0; i < 5; i++) put(disk, i * 4096, 4, i);
    const states = [...new CrashStates(disk.recording).distinct({ torn: 3 })];
    for (const { cut, kept } of states) expect(kept).toEqual(Array.from({ length: cut }, (_, i) => i));
    expect(states.filter(({ torn }) => torn === undefined).length).toBe(6);
    expect(states.some(({ torn }) => torn !== undefined)).toBe(true);
  });

  it('draws subsets where there are too many, the same for a seed', () => {
    const disk = recorder();
    for (let i = 0; i < 14; i++) put(disk, i * 4096, 1, i);
    const specs = (seed: number) =>
      [...new CrashStates(disk.recording).distinct({ samples: 100, seed })].map(({ hash }) => hash);
    expect(specs(1)).toEqual(specs(1));
    expect(specs(1)).not.toEqual(specs(2));
    expect(specs(1).length).toBeGreaterThan(80);
    expect(specs(1).length).toBeLessThanOrEqual(115);
  });

  it('one can be made again from what it says of itself', () => {
    const disk = recorder();
    put(disk, 0, 4, 1);
    disk.flush();
    for (let i = 0; i < 3; i++) put(disk, i * 4096, 3, i + 2);
    const crashes = new CrashStates(disk.recording);
    for (const { hash, disk: make, ...spec } of crashes.states()) {
      const again = crashes.state(JSON.parse(JSON.stringify(spec)));
      expect(again.hash).toBe(hash);
      expect(same(readAll(again.disk()), readAll(make()))).toBe(true);
    }
    expect(() => crashes.state({ cut: 3, kept: [0] })).toThrow(RangeError);
    expect(() => crashes.state({ cut: 99, kept: [] })).toThrow(RangeError);
  });

  it('are what the model says, and their hashes tell them apart exactly', () => {
    const step = fc.record({
      kind: fc.constantFrom('write', 'write', 'write', 'fua', 'zero', 'discard', 'flush'),
      sector: fc.nat(20),
      sectors: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), fc.boolean(), (steps, writeCache) => {
        const lower = MemoryDisk.of(pattern(16384, 9).fill(0, 2048, 6144), { chunkBytes: 1024 });
        const disk = new Recorder(lower, { writeCache });
        for (const { kind, sector, sectors, seed } of steps) {
          if (kind === 'flush') disk.flush();
          else if (kind === 'zero') disk.writeZeroes(sector * 512, sectors * 512);
          else if (kind === 'discard') disk.discard(sector * 512, sectors * 512);
          else put(disk, sector * 512, sectors, seed, kind === 'fua');
        }
        const { recording } = disk;
        const byHash = new Map<string, string>();
        const byContent = new Map<string, string>();
        for (const state of new CrashStates(recording).states({ exhaustive: 4, samples: 10 })) {
          const bytes = readAll(state.disk());
          expect(same(bytes, naive(recording, state))).toBe(true);
          const content = Buffer.from(bytes).toString('latin1');
          expect(byHash.get(state.hash) ?? content).toBe(content);
          expect(byContent.get(content) ?? state.hash).toBe(state.hash);
          byHash.set(state.hash, content);
          byContent.set(content, state.hash);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('100,000 of a large disk take a short time and little memory', () => {
    const lower = new MemoryDisk({ sizeBytes: 1 << 30 });
    const disk = new Recorder(lower);
    for (let epoch = 0; epoch < 100; epoch++) {
      for (let i = 0; i < 10; i++) put(disk, (epoch * 10 + i) * 8192, 8, epoch * 10 + i);
      disk.flush();
    }
    let count = 0;
    const started = performance.now();
    for (const state of new CrashStates(disk.recording).distinct()) {
      count++;
      if (count % 1000 === 0)
        expect(state.disk().changedBytes).toBeLessThanOrEqual(count * 4096 + 1000 * 4096);
    }
    expect(count).toBeGreaterThan(100_000);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
