/**
 * Block devices: what a disk is to the machine, and to the image tools.
 *
 * A device is a row of sectors. Life: made, used, closed; after `close` every call is EIO. What is
 * synchronous is so all the way: when `write` returns the device has the bytes, and when `flush`
 * returns they are as durable as the device can make them.
 *
 * B1. Transfers are whole sectors inside the device. {@link Device} checks that, once, for every
 *     device and layer: what they implement is called with good arguments only.
 * B2. A failed call throws a {@link DiskError}, and says nothing of how much of it was done.
 * B3. A device with a volatile cache (`writeCache`) may lose what no `flush` followed, and nothing
 *     else; a write with `fua` is durable when it returns. A device without one is durable at once.
 * B4. A device keeps no view of a buffer it was given: that is RAM, and another's when it returns.
 * B5. Sectors zeroed read as zeros. So do those discarded where `discards` is true; elsewhere a
 *     discard changes nothing.
 */
import { EINVAL, EIO, ENOSPC, EROFS } from '../../assembly/abi/errno.ts';
import type { SharedDiskSpec } from './shared.ts';
import type { DiskSnapshot } from './snapshot.ts';

export type SectorBytes = 512 | 4096;

/** What can be known of a device without asking it anything. */
export interface DiskShape {
  /** A multiple of the sector. */
  readonly sizeBytes: number;
  readonly sectorBytes: SectorBytes;
  readonly readOnly: boolean;
  /** It has a volatile write cache: what no flush followed may be lost with the power. */
  readonly writeCache: boolean;
  /** A discard gives the space back, and the sectors read as zeros. Where not, it is no error either. */
  readonly discards: boolean;
}

export interface BlockDevice extends DiskShape {
  /** Bytes of the device into `into`, from its byte `at` on. @throws DiskError EIO, EINVAL */
  read(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void;
  /** @throws DiskError EIO, EROFS, ENOSPC (the device is thin, and its host is full), EINVAL */
  write(offBytes: number, from: Uint8Array, at: number, lenBytes: number, fua?: boolean): void;
  /** Everything written before is durable afterwards. @throws DiskError EIO, ENOSPC */
  flush(): void;
  /** Nobody needs what is there any more. @throws DiskError EIO, EROFS, EINVAL */
  discard(offBytes: number, lenBytes: number): void;
  /** @throws as {@link write} */
  writeZeroes(offBytes: number, lenBytes: number): void;
  /** Let go of what the device holds; does not flush. Calling it again does nothing. */
  close(): void;
  /**
   * One request whose bytes lie in `count` parts of `into`: pairs of (at, len) in `parts`, whole
   * sectors each. Where a device has none, the parts are read one by one.
   */
  readv?(offBytes: number, into: Uint8Array, parts: Uint32Array, count: number): void;
  writev?(offBytes: number, from: Uint8Array, parts: Uint32Array, count: number, fua?: boolean): void;
  /** The device as it is now, at the cost of what changes later. Where there is none, it cannot. */
  readonly snapshot?: () => DiskSnapshot;
  /** What another thread of the machine makes the same device of. Where there is none, it cannot. */
  readonly share?: () => SharedDiskSpec;
}

/** The same, for devices that complete later. `into` is whole when the promise is fulfilled. */
export interface AsyncBlockDevice extends DiskShape {
  read(offBytes: number, into: Uint8Array, at: number, lenBytes: number): Promise<void>;
  write(offBytes: number, from: Uint8Array, at: number, lenBytes: number, fua?: boolean): Promise<void>;
  flush(): Promise<void>;
  discard(offBytes: number, lenBytes: number): Promise<void>;
  writeZeroes(offBytes: number, lenBytes: number): Promise<void>;
  close(): Promise<void>;
}

export type DiskErrorCode = 'EIO' | 'EROFS' | 'ENOSPC' | 'EINVAL';

const ERRNOS: Readonly<Record<string, number>> = { EIO, EROFS, ENOSPC, EINVAL };

const TEXTS: Readonly<Record<DiskErrorCode, string>> = {
  EIO: 'i/o error',
  EROFS: 'read-only disk',
  ENOSPC: 'no space left for the disk',
  EINVAL: 'invalid argument',
};

/** A request that a device did not fulfil. */
export class DiskError extends Error {
  readonly code: DiskErrorCode;
  /** Linux's number, negated. */
  readonly errno: number;
  /** Where on the disk: the first byte of the request, or the one that is bad. */
  readonly offBytes: number;

  constructor(code: DiskErrorCode, offBytes: number, what: string, options?: ErrorOptions) {
    super(`${code}: ${TEXTS[code]}, ${what}`, options);
    this.name = 'DiskError';
    this.code = code;
    this.errno = -ERRNOS[code];
    this.offBytes = offBytes;
  }
}

/** The positive errno of whatever a device threw: EIO for what is no DiskError. */
export function diskErrno(error: unknown): number {
  const code = (error as Partial<DiskError> | null | undefined)?.code;
  return (typeof code === 'string' ? ERRNOS[code] : undefined) ?? EIO;
}

/** @throws RangeError when no device is like that */
export function checkShape({ sizeBytes, sectorBytes }: Pick<DiskShape, 'sizeBytes' | 'sectorBytes'>): void {
  if (sectorBytes !== 512 && sectorBytes !== 4096) {
    throw new RangeError(`a sector is 512 or 4096 bytes, not ${sectorBytes}`);
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || sizeBytes % sectorBytes !== 0) {
    throw new RangeError(
      `a disk is a whole number of sectors of ${sectorBytes} bytes; ${sizeBytes} bytes are not`,
    );
  }
}

/** @throws DiskError EINVAL when a range is not whole sectors inside the device */
export function checkRange(shape: DiskShape, offBytes: number, lenBytes: number, verb: string): void {
  const { sizeBytes, sectorBytes } = shape;
  if (offBytes % sectorBytes === 0 && lenBytes % sectorBytes === 0 && offBytes >= 0 && lenBytes >= 0) {
    if (offBytes + lenBytes <= sizeBytes) return;
    const past = `past the end at ${sizeBytes}`;
    throw new DiskError('EINVAL', offBytes, `${verb} of ${lenBytes} bytes at ${offBytes}: ${past}`);
  }
  const apart = `not whole sectors of ${sectorBytes} bytes`;
  throw new DiskError('EINVAL', offBytes, `${verb} of ${lenBytes} bytes at ${offBytes}: ${apart}`);
}

/** @throws DiskError EINVAL when a part is not inside its buffer */
export function checkPart(buffer: Uint8Array, at: number, lenBytes: number, offBytes: number): void {
  if (Number.isInteger(at) && at >= 0 && at + lenBytes <= buffer.length) return;
  const part = `bytes ${at} to ${at + lenBytes} of a buffer of ${buffer.length}`;
  throw new DiskError('EINVAL', offBytes, `a transfer to or from ${part}`);
}

/**
 * What devices are made from: the public calls check, and the ones that end in `Sectors` do the
 * work, at least one sector of it each time.
 */
export abstract class Device implements BlockDevice {
  readonly sizeBytes: number;
  readonly sectorBytes: SectorBytes;
  readonly readOnly: boolean;
  readonly writeCache: boolean;
  readonly discards: boolean;
  #closed = false;

  /** @throws RangeError for a size that is not whole sectors */
  constructor({ sizeBytes, sectorBytes, readOnly, writeCache, discards }: DiskShape) {
    checkShape({ sizeBytes, sectorBytes });
    this.sizeBytes = sizeBytes;
    this.sectorBytes = sectorBytes;
    this.readOnly = readOnly;
    this.writeCache = writeCache;
    this.discards = discards;
  }

  get closed(): boolean {
    return this.#closed;
  }

  read(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    checkRange(this, offBytes, lenBytes, 'read');
    checkPart(into, at, lenBytes, offBytes);
    this.#open(offBytes, 'read');
    if (lenBytes > 0) this.readSectors(offBytes, into, at, lenBytes);
  }

  write(offBytes: number, from: Uint8Array, at: number, lenBytes: number, fua = false): void {
    checkRange(this, offBytes, lenBytes, 'write');
    checkPart(from, at, lenBytes, offBytes);
    this.#writable(offBytes, 'write');
    if (lenBytes > 0) this.writeSectors(offBytes, from, at, lenBytes, fua);
  }

  readv(offBytes: number, into: Uint8Array, parts: Uint32Array, count: number): void {
    const lenBytes = this.#checkParts(offBytes, into, parts, count, 'read');
    this.#open(offBytes, 'read');
    if (lenBytes > 0) this.readParts(offBytes, into, parts, count, lenBytes);
  }

  writev(offBytes: number, from: Uint8Array, parts: Uint32Array, count: number, fua = false): void {
    const lenBytes = this.#checkParts(offBytes, from, parts, count, 'write');
    this.#writable(offBytes, 'write');
    if (lenBytes > 0) this.writeParts(offBytes, from, parts, count, lenBytes, fua);
  }

  flush(): void {
    this.#open(0, 'flush');
    this.flushSectors();
  }

  discard(offBytes: number, lenBytes: number): void {
    checkRange(this, offBytes, lenBytes, 'discard');
    this.#writable(offBytes, 'discard');
    if (lenBytes > 0) this.discardSectors(offBytes, lenBytes);
  }

  writeZeroes(offBytes: number, lenBytes: number): void {
    checkRange(this, offBytes, lenBytes, 'zeroing');
    this.#writable(offBytes, 'zeroing');
    if (lenBytes > 0) this.zeroSectors(offBytes, lenBytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(offBytes: number, verb: string): void {
    if (this.#closed) throw new DiskError('EIO', offBytes, `${verb} of a disk that is closed`);
  }

  #writable(offBytes: number, verb: string): void {
    this.#open(offBytes, verb);
    if (this.readOnly) throw new DiskError('EROFS', offBytes, `${verb} at ${offBytes}`);
  }

  /** Check the parts of a vector, and say how long they are together. */
  #checkParts(offBytes: number, buffer: Uint8Array, parts: Uint32Array, count: number, verb: string): number {
    let lenBytes = 0;
    for (let i = 0; i < count; i++) {
      const len = parts[2 * i + 1];
      if (len % this.sectorBytes !== 0) checkRange(this, offBytes, len, verb);
      checkPart(buffer, parts[2 * i], len, offBytes);
      lenBytes += len;
    }
    checkRange(this, offBytes, lenBytes, verb);
    return lenBytes;
  }

  protected abstract readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void;
  protected abstract writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void;
  protected abstract flushSectors(): void;
  protected abstract discardSectors(offBytes: number, lenBytes: number): void;
  protected abstract zeroSectors(offBytes: number, lenBytes: number): void;
  /** The last call of all. */
  protected release(): void {}

  /** Where one request is better than several, a device overrides these two. */
  protected readParts(
    offBytes: number,
    into: Uint8Array,
    parts: Uint32Array,
    count: number,
    _lenBytes: number,
  ): void {
    let off = offBytes;
    for (let i = 0; i < count; i++) {
      const len = parts[2 * i + 1];
      if (len > 0) this.readSectors(off, into, parts[2 * i], len);
      off += len;
    }
  }

  protected writeParts(
    offBytes: number,
    from: Uint8Array,
    parts: Uint32Array,
    count: number,
    _lenBytes: number,
    fua: boolean,
  ): void {
    let off = offBytes;
    for (let i = 0; i < count; i++) {
      const len = parts[2 * i + 1];
      if (len > 0) this.writeSectors(off, from, parts[2 * i], len, fua);
      off += len;
    }
  }
}
