/**
 * A model of a slow disk: each request takes a time, which is told and not waited for.
 *
 * On a machine with a virtual clock `Machine.elapse` takes what is told, so that its time goes on as if
 * the disk were that slow, and a run is as quick as ever and the same each time.
 */
import { Layer } from './layer.ts';
import type { BlockDevice } from './types.ts';

export interface LatencyModel {
  /** What each request takes before its first byte moves. Default 0. */
  readMs?: number;
  writeMs?: number;
  discardMs?: number;
  flushMs?: number;
  /** Added where a request does not start at the end of the one before. Default 0. */
  seekMs?: number;
  /** Default: no limit. */
  readBytesPerSecond?: number;
  writeBytesPerSecond?: number;
}

/** Two disks to start from. */
export const HARD_DISK: LatencyModel = {
  seekMs: 8,
  flushMs: 8,
  readBytesPerSecond: 200e6,
  writeBytesPerSecond: 200e6,
};
export const FLASH_DISK: LatencyModel = {
  readMs: 0.08,
  writeMs: 0.02,
  flushMs: 0.5,
  readBytesPerSecond: 2e9,
  writeBytesPerSecond: 1e9,
};

/**
 * @example
 * let machine: Machine | undefined;
 * const disk = new LatencyDisk(memory, HARD_DISK, (ms) => machine?.elapse(ms));
 * machine = await boot({ clock: 'virtual', disks: [disk] });
 */
export class LatencyDisk extends Layer {
  readonly #model: LatencyModel;
  readonly #elapse: ((ms: number) => void) | undefined;
  #busyMs = 0;
  /** Where the last request ended. */
  #head = 0;

  constructor(lower: BlockDevice, model: LatencyModel, elapse?: (ms: number) => void) {
    super(lower);
    this.#model = model;
    this.#elapse = elapse;
  }

  /** The time that all requests so far took together. */
  get busyMs(): number {
    return this.#busyMs;
  }

  #take(ms: number): void {
    if (ms === 0) return;
    this.#busyMs += ms;
    this.#elapse?.(ms);
  }

  #move(offBytes: number, lenBytes: number, startMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY): void {
    const { seekMs = 0 } = this.#model;
    const seek = offBytes === this.#head ? 0 : seekMs;
    this.#head = offBytes + lenBytes;
    this.#take(startMs + seek + (lenBytes / bytesPerSecond) * 1000);
  }

  #reading(offBytes: number, lenBytes: number): void {
    this.#move(offBytes, lenBytes, this.#model.readMs, this.#model.readBytesPerSecond);
  }

  #writing(offBytes: number, lenBytes: number, fua: boolean): void {
    this.#move(offBytes, lenBytes, this.#model.writeMs, this.#model.writeBytesPerSecond);
    if (fua && this.writeCache) this.#take(this.#model.flushMs ?? 0);
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    super.readSectors(offBytes, into, at, lenBytes);
    this.#reading(offBytes, lenBytes);
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    super.writeSectors(offBytes, from, at, lenBytes, fua);
    this.#writing(offBytes, lenBytes, fua);
  }

  protected override readParts(
    offBytes: number,
    into: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
  ): void {
    this.lowerReadv(offBytes, into, parts, count);
    this.#reading(offBytes, lenBytes);
  }

  protected override writeParts(
    offBytes: number,
    from: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    this.lowerWritev(offBytes, from, parts, count, fua);
    this.#writing(offBytes, lenBytes, fua);
  }

  protected override flushSectors(): void {
    super.flushSectors();
    this.#take(this.#model.flushMs ?? 0);
  }

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    super.discardSectors(offBytes, lenBytes);
    this.#take(this.#model.discardMs ?? 0);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    super.zeroSectors(offBytes, lenBytes);
    this.#take(this.#model.discardMs ?? 0);
  }
}
