/**
 * A disk in shared memory: every thread that joins a machine (machine/join.ts) reads and writes the same bytes, with
 * nobody in between.
 *
 * The kernel orders requests to the same sectors: it has a page busy while it is read or written. So there are no
 * locks here.
 */
import { Device, type SectorBytes } from './types.ts';

/** What another thread needs to have the same disk: plain data and shared memory. */
export interface SharedDiskSpec {
  readonly kind: 'memory';
  readonly bytes: SharedArrayBuffer;
  readonly sectorBytes: SectorBytes;
  readonly readOnly: boolean;
}

export interface SharedDiskOptions {
  /** Default 512. */
  sectorBytes?: SectorBytes;
  readOnly?: boolean;
}

/**
 * @example
 * const disk = new SharedDisk(64 << 20);
 * const machine = await boot({ flavour: 'smp', disks: [disk] });
 */
export class SharedDisk extends Device {
  readonly #shared: SharedArrayBuffer;
  #bytes: Uint8Array;

  /** @param size  bytes, or the memory that is the disk. @throws RangeError when it is no whole number of sectors */
  constructor(
    size: number | SharedArrayBuffer,
    { sectorBytes = 512, readOnly = false }: SharedDiskOptions = {},
  ) {
    const sizeBytes = typeof size === 'number' ? size : size.byteLength;
    super({ sizeBytes, sectorBytes, readOnly, writeCache: false, discards: true });
    this.#shared = typeof size === 'number' ? new SharedArrayBuffer(size) : size;
    this.#bytes = new Uint8Array(this.#shared);
  }

  /** What another thread makes the same disk of. */
  share(): SharedDiskSpec {
    const { sectorBytes, readOnly } = this;
    return { kind: 'memory', bytes: this.#shared, sectorBytes, readOnly };
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    into.set(this.#bytes.subarray(offBytes, offBytes + lenBytes), at);
  }

  protected override writeSectors(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    this.#bytes.set(from.subarray(at, at + lenBytes), offBytes);
  }

  protected override flushSectors(): void {}

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    this.zeroSectors(offBytes, lenBytes);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    this.#bytes.fill(0, offBytes, offBytes + lenBytes);
  }

  protected override release(): void {
    this.#bytes = new Uint8Array(0);
  }
}

/** The same disk on another thread. @throws Error for what no disk has said of itself */
export function restoreShared(spec: SharedDiskSpec): SharedDisk {
  if (spec.kind !== 'memory') throw new Error(`a disk of kind ${String(spec.kind)} cannot be shared`);
  return new SharedDisk(spec.bytes, spec);
}
