/** Faults happen where and when they were told to, and the same way again from the same seed. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Fault, FaultDisk } from '../../host/devices/fault.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { deviceContract, pattern, readAll, refusal, same } from './contract.ts';

deviceContract('fault, with none', { make: (shape) => new FaultDisk(new MemoryDisk(shape)) });

const SIZE = 1 << 16;
const bytes = pattern(4096, 1);

let lower: MemoryDisk;
let disk: FaultDisk;
beforeEach(() => {
  lower = new MemoryDisk({ sizeBytes: SIZE });
  disk = new FaultDisk(lower, { seed: 7 });
});

const write = (off = 0, len = 512) => disk.write(off, bytes, 0, len);
const read = (off = 0, len = 512) => {
  const into = new Uint8Array(len);
  disk.read(off, into, 0, len);
  return into;
};

describe('errors', () => {
  it('on the n-th request of a kind, once', () => {
    disk.add({ kind: 'error', on: 'write', nth: 2 });
    write();
    read();
    expect(refusal(() => write(1024))).toMatchObject({ code: 'EIO', offBytes: 1024 });
    write(1024);
    expect(disk.requests).toBe(4);
    expect(disk.happened).toBe(1);
    expect(lower.usedBytes).toBeGreaterThan(0);
  });

  it('for good, of another code, until it is taken away', () => {
    const remove = disk.add({
      kind: 'error',
      on: ['write', 'zero'],
      times: Number.POSITIVE_INFINITY,
      code: 'ENOSPC',
    });
    for (let i = 0; i < 5; i++) expect(refusal(() => write()).code).toBe('ENOSPC');
    expect(refusal(() => disk.writeZeroes(0, 512)).code).toBe('ENOSPC');
    read();
    disk.flush();
    remove();
    write();
  });

  it('on a range, and say where', () => {
    disk.add({ kind: 'error', range: { offBytes: 2048, lenBytes: 512 }, times: Number.POSITIVE_INFINITY });
    write(0, 2048);
    write(2560, 1024);
    disk.flush();
    expect(refusal(() => write(0, 4096)).offBytes).toBe(2048);
    expect(refusal(() => read(2048)).code).toBe('EIO');
  });

  it('by chance, the same for a seed', () => {
    const run = (seed: number) => {
      const chancy = new FaultDisk(lower, { seed, faults: [{ kind: 'error', chance: 0.3, times: 1000 }] });
      return Array.from({ length: 200 }, () => {
        try {
          chancy.read(0, new Uint8Array(512), 0, 512);
          return 1;
        } catch {
          return 0;
        }
      }).join('');
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
    const failed = run(1).split('0').length - 1;
    expect(failed).toBeGreaterThan(30);
    expect(failed).toBeLessThan(90);
  });

  it('a loop that lets each request fail once ends', () => {
    let n = 1;
    for (; ; n++) {
      const fresh = new FaultDisk(new MemoryDisk({ sizeBytes: SIZE }), {
        faults: [{ kind: 'error', nth: n }],
      });
      try {
        fresh.write(0, bytes, 0, 512);
        fresh.flush();
        fresh.read(0, new Uint8Array(512), 0, 512);
      } catch {
        expect(fresh.requests).toBe(n);
      }
      if (fresh.happened === 0) break;
    }
    expect(n).toBe(4);
  });
});

describe('sectors that cannot be read', () => {
  it('cannot until they are written', () => {
    write(0, 4096);
    disk.add({ kind: 'latent', range: { offBytes: 1024, lenBytes: 1024 } });
    expect(refusal(() => read(0, 4096))).toMatchObject({ code: 'EIO', offBytes: 1024 });
    expect(read(2048)).toEqual(bytes.subarray(2048, 2560));
    write(1024);
    expect(refusal(() => read(1024, 1024)).offBytes).toBe(1536);
    disk.writeZeroes(1536, 512);
    read(0, 4096);
  });
});

describe('writes', () => {
  it('are torn at a sector, and fail', () => {
    for (const keep of ['first', 'any'] as const) {
      for (let i = 0; i < 20; i++) {
        lower.writeZeroes(0, SIZE);
        disk.add({ kind: 'torn', keep });
        expect(refusal(() => write(0, 4096)).code).toBe('EIO');
        const after = readAll(lower);
        const kept = Array.from({ length: 8 }, (_, s) => after[s * 512] !== 0);
        for (let s = 0; s < 8; s++) {
          const sector = after.slice(s * 512, s * 512 + 512);
          expect(same(sector, kept[s] ? bytes.subarray(s * 512, s * 512 + 512) : new Uint8Array(512))).toBe(
            true,
          );
        }
        expect(kept).toContain(false);
        if (keep === 'first') expect(kept.join()).not.toMatch(/false,true/);
      }
    }
  });

  it('are torn in silence, vectors too', () => {
    disk.add({ kind: 'torn', silent: true });
    disk.writev(0, bytes, Uint32Array.of(0, 1024, 2048, 1024), 2);
    expect(same(readAll(disk).subarray(0, 2048), bytes.subarray(0, 2048))).toBe(false);
  });

  it('are lost, and so are flushes', () => {
    disk.add({ kind: 'lost', times: 2 });
    write();
    disk.flush();
    expect(readAll(lower).every((byte) => byte === 0)).toBe(true);
    write();
    expect(read()).toEqual(bytes.subarray(0, 512));
  });

  it('go elsewhere', () => {
    disk.add({ kind: 'misdirected', toBytes: 8192 });
    write();
    expect(readAll(lower).subarray(8192, 8704)).toEqual(bytes.subarray(0, 512));
    lower.writeZeroes(0, SIZE);
    disk.add({ kind: 'misdirected', times: 50 });
    for (let i = 0; i < 50; i++) write(1024);
    expect(
      readAll(lower)
        .subarray(1024, 1536)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(lower.usedBytes).toBeGreaterThan(0);
  });

  it('have bits flipped, and so have reads; the buffer written from is left alone', () => {
    const differing = (a: Uint8Array, b: Uint8Array) => a.filter((byte, i) => byte !== b[i]).length;
    disk.add({ kind: 'flip', on: 'write' });
    const before = bytes.slice();
    write();
    expect(bytes).toEqual(before);
    expect(differing(read(), bytes.subarray(0, 512))).toBe(1);
    write();
    disk.add({ kind: 'flip', on: 'read', bits: 3 });
    expect(differing(read(), bytes.subarray(0, 512))).toBeGreaterThan(0);
    expect(read()).toEqual(bytes.subarray(0, 512));
  });
});

it.each<[string, Fault]>([
  ['a torn read', { kind: 'torn', on: 'read' }],
  ['a latent error without a range', { kind: 'latent' }],
  ['the 0th request', { kind: 'error', nth: 0 }],
])('refuses %s', (_, fault) => {
  expect(() => disk.add(fault)).toThrow(RangeError);
});
