/**
 * Layers: devices made of another, that do something more or something wrong on the way.
 *
 * A layer owns what is below it: closing the layer closes that. Only an overlay does not, whose
 * base may be many overlays' (overlay.ts).
 */
import type { DiskSnapshot } from './snapshot.ts';
import { type BlockDevice, Device, type DiskShape } from './types.ts';

/** Passes everything on. What it is made of overrides some of that. */
export abstract class Layer extends Device {
  readonly lower: BlockDevice;

  /** @param changes  where the layer is of another shape than what is below */
  constructor(lower: BlockDevice, changes: Partial<DiskShape> = {}) {
    const { sizeBytes, sectorBytes, readOnly, writeCache, discards } = lower;
    super({ sizeBytes, sectorBytes, readOnly, writeCache, discards, ...changes });
    this.lower = lower;
  }

  /** What is below put aside, if it can be. What a layer itself remembers is not in it. */
  get snapshot(): (() => DiskSnapshot) | undefined {
    const { lower } = this;
    return lower.snapshot === undefined ? undefined : () => lower.snapshot!();
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    this.lower.read(offBytes, into, at, lenBytes);
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    this.lower.write(offBytes, from, at, lenBytes, fua);
  }

  /** A vector passed on as one request, where what is below takes vectors. */
  protected lowerReadv(offBytes: number, into: Uint8Array, parts: Uint32Array, count: number): void {
    if (this.lower.readv !== undefined) {
      this.lower.readv(offBytes, into, parts, count);
      return;
    }
    for (let i = 0, done = 0; i < count; done += parts[2 * i++ + 1]) {
      this.lower.read(offBytes + done, into, parts[2 * i], parts[2 * i + 1]);
    }
  }

  protected lowerWritev(
    offBytes: number,
    from: Uint8Array,
    parts: Uint32Array,
    count: number,
    fua: boolean,
  ): void {
    if (this.lower.writev !== undefined) {
      this.lower.writev(offBytes, from, parts, count, fua);
      return;
    }
    for (let i = 0, done = 0; i < count; done += parts[2 * i++ + 1]) {
      this.lower.write(offBytes + done, from, parts[2 * i], parts[2 * i + 1], fua);
    }
  }

  protected override flushSectors(): void {
    this.lower.flush();
  }

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    this.lower.discard(offBytes, lenBytes);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    this.lower.writeZeroes(offBytes, lenBytes);
  }

  protected override release(): void {
    this.lower.close();
  }
}

/** A layer that must see each write in one piece. */
export abstract class GatheringLayer extends Layer {
  protected override writeParts(
    offBytes: number,
    from: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    const whole = new Uint8Array(lenBytes);
    for (let i = 0, done = 0; i < count; i++) {
      const [at, len] = [parts[2 * i], parts[2 * i + 1]];
      whole.set(from.subarray(at, at + len), done);
      done += len;
    }
    this.writeSectors(offBytes, whole, 0, lenBytes, fua);
  }

  protected override readParts(
    offBytes: number,
    into: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
  ): void {
    const whole = new Uint8Array(lenBytes);
    this.readSectors(offBytes, whole, 0, lenBytes);
    for (let i = 0, done = 0; i < count; i++) {
      const [at, len] = [parts[2 * i], parts[2 * i + 1]];
      into.set(whole.subarray(done, done + len), at);
      done += len;
    }
  }
}
