/**
 * A disk in a file of the host: read and written where it is, nothing of it kept in memory.
 *
 * Sparse. A new image is a hole, and blocks of zeros are not written where zeros are read, so holes stay
 * holes. Node has no call that makes one of what is written already (no fallocate), so a discard does
 * nothing, and `discards` says so; zeroing up to the end of the image gives its space back, by
 * cutting the file off and making it longer again.
 *
 * The host's page cache is its volatile cache: a flush, and a write with FUA, is fdatasync.
 */
import fs from 'node:fs';
import { Device, DiskError, type SectorBytes } from '../types.ts';
import { ImageBusyError, lockImage } from './lock.ts';

export { ImageBusyError };

export interface FileDiskOptions {
  readOnly?: boolean;
  /** Default 512. */
  sectorBytes?: SectorBytes;
  /** Make the image, all zeros, of this size. The file must not be there. */
  createBytes?: number;
}

const PIECE_BYTES = 1 << 20;
const ZEROS = Buffer.alloc(PIECE_BYTES);
/** A look at so many bytes tells most data from zeros. */
const GLANCE_BYTES = 64;

/**
 * @example
 * const disk = FileDisk.open('disk.img', { createBytes: 1 << 30 });
 * const machine = await boot({ disks: [disk] });
 */
export class FileDisk extends Device {
  readonly path: string;
  readonly #fd: number;
  readonly #unlock: () => void;
  /** Reused for looking at what is there. */
  readonly #scratch = Buffer.allocUnsafeSlow(PIECE_BYTES);

  private constructor(
    path: string,
    fd: number,
    sizeBytes: number,
    unlock: () => void,
    options: FileDiskOptions,
  ) {
    const { readOnly = false, sectorBytes = 512 } = options;
    super({ sizeBytes, sectorBytes, readOnly, writeCache: true, discards: false });
    this.path = path;
    this.#fd = fd;
    this.#unlock = unlock;
  }

  /**
   * Open an image, or make one. Its size is the file's, down to a whole sector.
   * @throws ImageBusyError (EBUSY) when it is open already, here or in another process; the host's
   *   errors; RangeError when the file is less than a sector
   */
  static open(path: string, options: FileDiskOptions = {}): FileDisk {
    const { readOnly = false, sectorBytes = 512, createBytes } = options;
    const made = createBytes !== undefined;
    const fd = fs.openSync(path, made ? 'wx+' : readOnly ? 'r' : 'r+');
    let unlock: (() => void) | undefined;
    try {
      if (made) fs.ftruncateSync(fd, createBytes);
      const stats = fs.fstatSync(fd);
      if (!stats.isFile()) throw new RangeError(`${path} is no regular file, and no image`);
      unlock = lockImage(path, readOnly);
      const sizeBytes = Math.floor(stats.size / sectorBytes) * sectorBytes;
      return new FileDisk(path, fd, sizeBytes, unlock, options);
    } catch (error) {
      unlock?.();
      fs.closeSync(fd);
      if (made) fs.rmSync(path, { force: true });
      throw error;
    }
  }

  /** Bytes that the host's file system has allocated for it. */
  get allocatedBytes(): number {
    return fs.fstatSync(this.#fd).blocks * 512;
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    for (let done = 0; done < lenBytes; ) {
      done += this.#do('read', offBytes, () =>
        fs.readSync(this.#fd, into, at + done, lenBytes - done, offBytes + done),
      );
    }
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    if (isZero(from, at, lenBytes)) this.zeroSectors(offBytes, lenBytes);
    else this.#writeAll(offBytes, from, at, lenBytes);
    if (fua) this.flushSectors();
  }

  #writeAll(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    for (let done = 0; done < lenBytes; ) {
      done += this.#do('write', offBytes, () =>
        fs.writeSync(this.#fd, from, at + done, lenBytes - done, offBytes + done),
      );
    }
  }

  protected override readParts(
    offBytes: number,
    into: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
  ): void {
    const views = viewsOf(into, parts, count);
    const done = this.#do('read', offBytes, () => fs.readvSync(this.#fd, views, offBytes));
    // A vector that was cut short is rare, and done again in pieces.
    if (done < lenBytes) super.readParts(offBytes, into, parts, count, lenBytes);
  }

  protected override writeParts(
    offBytes: number,
    from: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    const views = viewsOf(from, parts, count);
    if (views.some((view) => isZero(view, 0, view.length))) {
      super.writeParts(offBytes, from, parts, count, lenBytes, false);
    } else {
      const done = this.#do('write', offBytes, () => fs.writevSync(this.#fd, views, offBytes));
      if (done < lenBytes) super.writeParts(offBytes, from, parts, count, lenBytes, false);
    }
    if (fua) this.flushSectors();
  }

  protected override flushSectors(): void {
    if (this.readOnly) return;
    this.#do('flush', 0, () => {
      fs.fdatasyncSync(this.#fd);
      return 1;
    });
  }

  protected override discardSectors(): void {}

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    if (offBytes + lenBytes === this.sizeBytes) {
      this.#cut(offBytes);
      return;
    }
    const scratch = this.#scratch;
    for (let done = 0; done < lenBytes; done += PIECE_BYTES) {
      const len = Math.min(PIECE_BYTES, lenBytes - done);
      this.readSectors(offBytes + done, scratch, 0, len);
      if (!isZero(scratch, 0, len)) this.#writeAll(offBytes + done, ZEROS, 0, len);
    }
  }

  /** Zeros from here to the end, with nothing allocated for them. Bytes past the last sector go too. */
  #cut(offBytes: number): void {
    this.#do('zeroing', offBytes, () => {
      fs.ftruncateSync(this.#fd, offBytes);
      fs.ftruncateSync(this.#fd, this.sizeBytes);
      return 1;
    });
  }

  protected override release(): void {
    try {
      fs.closeSync(this.#fd);
    } finally {
      this.#unlock();
    }
  }

  /** A call of the host's: how many bytes it moved, at least one. */
  #do(verb: string, offBytes: number, call: () => number): number {
    let moved: number;
    try {
      moved = call();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT') {
        const full = `the host has no room for ${this.path} to grow`;
        throw new DiskError('ENOSPC', offBytes, `${verb} at ${offBytes}: ${full}`, { cause: error });
      }
      throw new DiskError('EIO', offBytes, `${verb} of ${this.path}: ${message}`, { cause: error });
    }
    if (moved > 0) return moved;
    const cut = `${this.path} has become shorter since it was opened`;
    throw new DiskError('EIO', offBytes, `${verb} at ${offBytes}: ${cut}`);
  }
}

function viewsOf(bytes: Uint8Array, parts: Uint32Array, count: number): Uint8Array[] {
  const views: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const [at, len] = [parts[2 * i], parts[2 * i + 1]];
    if (len > 0) views.push(bytes.subarray(at, at + len));
  }
  return views;
}

function isZero(bytes: Uint8Array, at: number, lenBytes: number): boolean {
  for (let i = at; i < at + GLANCE_BYTES; i++) if (bytes[i] !== 0) return false;
  for (let done = 0; done < lenBytes; done += PIECE_BYTES) {
    const len = Math.min(PIECE_BYTES, lenBytes - done);
    if (Buffer.compare(bytes.subarray(at + done, at + done + len), ZEROS.subarray(0, len)) !== 0)
      return false;
  }
  return true;
}
