/**
 * What every block device and layer does, whatever it is made of. A device's own test says what is
 * its own.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BlockDevice, DiskError, type SectorBytes } from '../../host/devices/types.ts';

export interface Subject {
  /** A device of this shape, all zeros, that can be written. */
  make(shape: { sizeBytes: number; sectorBytes: SectorBytes }): BlockDevice;
  /** The same device opened again, after it was closed, read-only; undefined where it is gone then. */
  reopen?(device: BlockDevice): BlockDevice;
}

const SECTORS = 96;

const PATTERN = new Uint8Array(1 << 21).map((_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16)) & 255 || 1);

/** Bytes that tell where they were meant to be, none of them 0; at most 1 MiB. */
export function pattern(lenBytes: number, seed: number): Uint8Array {
  const start = (seed * 7919) % (1 << 20);
  return PATTERN.slice(start, start + lenBytes);
}

export function readAll(device: BlockDevice): Uint8Array {
  const bytes = new Uint8Array(device.sizeBytes);
  device.read(0, bytes, 0, bytes.length);
  return bytes;
}

/** Are they alike? (A matcher compares large arrays very slowly.) */
export const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** The DiskError that a call throws. */
export function refusal(call: () => void): DiskError {
  try {
    call();
  } catch (error) {
    if (error instanceof DiskError) return error;
    throw error;
  }
  throw new Error('the call was not refused');
}

export function deviceContract(name: string, subject: Subject): void {
  describe.each([512, 4096] as const)(`${name}, sectors of %i bytes`, (sector) => {
    const sizeBytes = SECTORS * sector;
    let disk: BlockDevice;
    beforeEach(() => {
      disk = subject.make({ sizeBytes, sectorBytes: sector });
    });
    afterEach(() => disk.close());

    describe('holds what was written', () => writing(() => disk, sector));
    describe('refuses', () => refusing(() => disk, sector));
    it('does what an array of bytes does', () => likeAnArray(subject, sector));
    it('is gone after close, which may be called again', () => {
      disk.close();
      disk.close();
      const bytes = new Uint8Array(sector);
      for (const call of [
        () => disk.read(0, bytes, 0, sector),
        () => disk.write(0, bytes, 0, sector),
        () => disk.flush(),
        () => disk.discard(0, sector),
        () => disk.writeZeroes(0, sector),
      ])
        expect(refusal(call).code).toBe('EIO');
    });
    if (subject.reopen) reopening(subject as Required<Subject>, () => disk, sector);
  });
}

function writing(disk: () => BlockDevice, sector: number): void {
  it('starts as zeros', () => {
    expect(readAll(disk()).every((byte) => byte === 0)).toBe(true);
  });

  it('is whole sectors of the size asked for', () => {
    expect(disk()).toMatchObject({ sizeBytes: SECTORS * sector, sectorBytes: sector, readOnly: false });
  });

  it('the part of the buffer that was named, where it was named, and no other', () => {
    const from = pattern(sector * 5, 1);
    disk().write(sector * 7, from, sector, sector * 3);
    const into = new Uint8Array(sector * 8).fill(255);
    disk().read(sector * 6, into, sector, sector * 5);
    const expected = new Uint8Array(sector * 8).fill(255);
    expected.fill(0, sector, sector * 6);
    expected.set(from.subarray(sector, sector * 4), sector * 2);
    expect(into).toEqual(expected);
  });

  it('a buffer need not be aligned, and is not kept', () => {
    const from = pattern(sector + 3, 2);
    const copy = from.slice(3);
    disk().write(0, from, 3, sector, true);
    from.fill(0);
    const into = new Uint8Array(sector + 7);
    disk().read(0, into, 5, sector);
    expect(into.subarray(5, 5 + sector)).toEqual(copy);
    into.fill(9);
    expect(readAll(disk()).subarray(0, sector)).toEqual(copy);
  });

  it('shared memory, which is what RAM may be', () => {
    const ram = new Uint8Array(new SharedArrayBuffer(sector * 4));
    ram.set(pattern(sector * 2, 3), sector);
    disk().write(sector, ram, sector, sector * 2);
    disk().read(sector * 2, ram, 0, sector);
    expect(ram.slice(0, sector)).toEqual(ram.slice(sector * 2, sector * 3));
  });

  it('the last sector, and a flush after it', () => {
    const from = pattern(sector, 4);
    disk().write(disk().sizeBytes - sector, from, 0, sector);
    disk().flush();
    expect(readAll(disk()).subarray(-sector)).toEqual(from);
  });

  it('zeros where it was zeroed', () => {
    const from = pattern(sector * 8, 5);
    disk().write(0, from, 0, from.length);
    disk().writeZeroes(sector * 2, sector * 3);
    from.fill(0, sector * 2, sector * 5);
    expect(readAll(disk()).subarray(0, from.length)).toEqual(from);
  });

  it('around what was discarded, and there zeros, or what was there before', () => {
    const from = pattern(sector * 8, 6);
    disk().write(0, from, 0, from.length);
    disk().discard(sector * 2, sector * 3);
    if (disk().discards) from.fill(0, sector * 2, sector * 5);
    expect(readAll(disk()).subarray(0, from.length)).toEqual(from);
  });

  it('nothing for a length of 0', () => {
    const none = new Uint8Array(0);
    disk().write(0, none, 0, 0);
    disk().read(disk().sizeBytes, none, 0, 0);
    disk().discard(0, 0);
    disk().writeZeroes(0, 0);
    expect(readAll(disk()).every((byte) => byte === 0)).toBe(true);
  });

  it('vectors, part by part', () => {
    const device = disk();
    if (device.readv === undefined || device.writev === undefined) return;
    const ram = pattern(sector * 8, 7);
    device.writev(sector, ram, Uint32Array.of(sector * 4, sector, 0, sector * 2, 7, sector, 99, 99), 3, true);
    const expected = new Uint8Array(sector * 4);
    expected.set(ram.subarray(sector * 4, sector * 5));
    expected.set(ram.subarray(0, sector * 2), sector);
    expected.set(ram.subarray(7, 7 + sector), sector * 3);
    expect(readAll(device).subarray(sector, sector * 5)).toEqual(expected);
    const into = new Uint8Array(sector * 5);
    device.readv(sector * 2, into, Uint32Array.of(sector * 3, sector, 0, sector * 2), 2);
    expect(into.subarray(sector * 3, sector * 4)).toEqual(expected.subarray(sector, sector * 2));
    expect(into.subarray(0, sector * 2)).toEqual(expected.subarray(sector * 2));
    expect(refusal(() => device.readv?.(0, into, Uint32Array.of(0, 7), 1)).code).toBe('EINVAL');
    expect(refusal(() => device.readv?.(0, into, Uint32Array.of(sector * 5, sector), 1)).code).toBe('EINVAL');
  });
}

function refusing(disk: () => BlockDevice, sector: number): void {
  const end = SECTORS * sector;
  it.each([
    ['a start inside a sector', 1, sector],
    ['half a sector', 0, sector / 2],
    ['what is past the end', end, sector],
    ['what goes past the end', end - sector, sector * 2],
    ['a start before the beginning', -sector, sector],
    ['a negative length', sector, -sector],
    ['no number', Number.NaN, sector],
    ['a number without end', 0, Number.POSITIVE_INFINITY],
  ])('%s', (_, offBytes, lenBytes) => {
    const bytes = new Uint8Array(sector * 4);
    for (const call of [
      () => disk().read(offBytes, bytes, 0, lenBytes),
      () => disk().write(offBytes, bytes, 0, lenBytes),
      () => disk().discard(offBytes, lenBytes),
      () => disk().writeZeroes(offBytes, lenBytes),
    ])
      expect(refusal(call)).toMatchObject({ code: 'EINVAL', errno: -22 });
  });

  it.each([
    ['a buffer that is too short', 0, 2],
    ['a part that ends behind the buffer', 1, 1],
    ['a part before the buffer', -1, 1],
    ['a part that starts nowhere', Number.NaN, 1],
  ])('%s', (_, at, sectors) => {
    const bytes = new Uint8Array(sector);
    expect(refusal(() => disk().read(0, bytes, at, sectors * sector)).code).toBe('EINVAL');
    expect(refusal(() => disk().write(0, bytes, at, sectors * sector)).code).toBe('EINVAL');
  });
}

function reopening(subject: Required<Subject>, disk: () => BlockDevice, sector: number): void {
  it('still has it when it is opened again, and can be read-only', () => {
    const from = pattern(sector * 3, 8);
    disk().write(sector, from, 0, from.length);
    disk().flush();
    disk().close();
    const again = subject.reopen(disk());
    try {
      expect(readAll(again).subarray(sector, sector * 4)).toEqual(from);
      expect(again.readOnly).toBe(true);
      for (const call of [
        () => again.write(0, from, 0, sector),
        () => again.discard(0, sector),
        () => again.writeZeroes(0, sector),
      ])
        expect(refusal(call)).toMatchObject({ code: 'EROFS', errno: -30 });
      again.flush();
    } finally {
      again.close();
    }
  });
}

const RUNS = 40;

/** Random requests, and the same on a plain array. */
function likeAnArray(subject: Subject, sector: number): void {
  const range = fc
    .tuple(fc.nat(SECTORS - 1), fc.integer({ min: 1, max: 24 }))
    .map(([first, count]) => ({ first, count: Math.min(count, SECTORS - first) }));
  const request = fc.record({
    kind: fc.constantFrom('write', 'write', 'fua', 'vector', 'zero', 'discard', 'read', 'flush'),
    range,
    seed: fc.nat(255),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 30 }), (requests) => {
      const disk = subject.make({ sizeBytes: SECTORS * sector, sectorBytes: sector as SectorBytes });
      try {
        const model = new Uint8Array(SECTORS * sector);
        for (const step of requests) oneRequest(disk, model, step, sector);
        expect(same(readAll(disk), model)).toBe(true);
      } finally {
        disk.close();
      }
    }),
    { numRuns: RUNS },
  );
}

interface Request {
  kind: string;
  range: { first: number; count: number };
  seed: number;
}

function oneRequest(disk: BlockDevice, model: Uint8Array, request: Request, sector: number): void {
  const { kind, range, seed } = request;
  const off = range.first * sector;
  const len = range.count * sector;
  const bytes = pattern(len, seed);
  if (kind === 'write' || kind === 'fua') {
    disk.write(off, bytes, 0, len, kind === 'fua');
    model.set(bytes, off);
  } else if (kind === 'vector' && disk.writev !== undefined) {
    const half = Math.floor(range.count / 2) * sector;
    disk.writev(off, bytes, Uint32Array.of(half, len - half, 0, half), 2);
    model.set(bytes.subarray(half), off);
    model.set(bytes.subarray(0, half), off + len - half);
  } else if (kind === 'zero') {
    disk.writeZeroes(off, len);
    model.fill(0, off, off + len);
  } else if (kind === 'discard') {
    disk.discard(off, len);
    if (disk.discards) model.fill(0, off, off + len);
  } else if (kind === 'read') {
    const into = new Uint8Array(len);
    disk.read(off, into, 0, len);
    expect(same(into, model.subarray(off, off + len))).toBe(true);
  } else disk.flush();
}
