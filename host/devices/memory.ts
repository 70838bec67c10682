/**
 * A disk in the host's memory: sparse, quick, and put aside or forked at no cost.
 */
import { allZeros, Chunks, type ChunkTree, copyBytes } from './chunks.ts';
import { checkDiskSnapshot, type DiskSnapshot, isChunkSize } from './snapshot.ts';
import { Device, type DiskShape, type SectorBytes } from './types.ts';

export interface MemoryDiskOptions {
  sizeBytes: number;
  /** Default 512. */
  sectorBytes?: SectorBytes;
  readOnly?: boolean;
  /** Say that writes need a flush. The disk itself loses nothing: see `Recorder`. Default false. */
  writeCache?: boolean;
  /** Default true: what is discarded reads as zeros and takes no memory. */
  discards?: boolean;
  /** What is kept, copied and shared at a time: a power of two. Default 64 KiB. */
  chunkBytes?: number;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * @example
 * const disk = new MemoryDisk({ sizeBytes: 64 << 20 });
 * disk.write(4096, new Uint8Array(512).fill(7), 0, 512);
 * const before = disk.snapshot();
 * disk.discard(0, disk.sizeBytes);
 * MemoryDisk.from(before).usedBytes; // 65536
 */
export class MemoryDisk extends Device {
  readonly #chunks: Chunks;

  /**
   * @param tree  what it starts with; none: zeros
   * @throws RangeError for sizes that no disk has
   */
  constructor(options: MemoryDiskOptions, tree?: ChunkTree) {
    super(shapeOf(options));
    const { chunkBytes = CHUNK_BYTES } = options;
    if (!isChunkSize(chunkBytes, this.sectorBytes)) {
      throw new RangeError(`chunkBytes must be a power of two, at least a sector, and is ${chunkBytes}`);
    }
    const { sizeBytes } = this;
    this.#chunks = tree === undefined ? new Chunks(sizeBytes, chunkBytes) : Chunks.of(sizeBytes, tree);
  }

  /** The disk that was put aside. @throws Error for a snapshot that is damaged, or an overlay's */
  static from(snapshot: DiskSnapshot, { readOnly = false } = {}): MemoryDisk {
    checkDiskSnapshot(snapshot);
    if (snapshot.kind !== 'memory')
      throw new Error('this is the snapshot of an overlay: see OverlayDisk.from');
    const { sizeBytes, sectorBytes, writeCache, discards, tree } = snapshot;
    const { chunkBytes } = tree;
    return new MemoryDisk({ sizeBytes, sectorBytes, readOnly, writeCache, discards, chunkBytes }, tree);
  }

  /** A disk of these bytes, which are copied; the size is theirs, up to the next whole sector. */
  static of(bytes: Uint8Array, options: Omit<MemoryDiskOptions, 'sizeBytes'> = {}): MemoryDisk {
    const { sectorBytes = 512 } = options;
    const sizeBytes = Math.ceil(bytes.length / sectorBytes) * sectorBytes;
    const disk = new MemoryDisk({ ...options, sizeBytes });
    disk.writeSectors(0, bytes, 0, bytes.length);
    return disk;
  }

  /** Bytes of memory that its chunks take, shared ones included. */
  get usedBytes(): number {
    return this.#chunks.count * this.#chunks.chunkBytes;
  }

  snapshot(): DiskSnapshot {
    const { sizeBytes, sectorBytes, writeCache, discards } = this;
    const tree = this.#chunks.share();
    return { format: 1, kind: 'memory', sizeBytes, sectorBytes, writeCache, discards, tree };
  }

  /** Another disk with the same content. */
  fork(options: { readOnly?: boolean } = {}): MemoryDisk {
    return MemoryDisk.from(this.snapshot(), options);
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    const chunks = this.#chunks;
    const { chunkBytes } = chunks;
    for (let done = 0; done < lenBytes; ) {
      const index = Math.floor((offBytes + done) / chunkBytes);
      const start = offBytes + done - index * chunkBytes;
      const len = Math.min(chunkBytes - start, lenBytes - done);
      const chunk = chunks.get(index);
      if (chunk === undefined) into.fill(0, at + done, at + done + len);
      else copyBytes(chunk, start, into, at + done, len);
      done += len;
    }
  }

  protected override writeSectors(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    const chunks = this.#chunks;
    const { chunkBytes } = chunks;
    for (let done = 0; done < lenBytes; ) {
      const index = Math.floor((offBytes + done) / chunkBytes);
      const start = offBytes + done - index * chunkBytes;
      const len = Math.min(chunkBytes - start, lenBytes - done);
      if (chunks.get(index) !== undefined || !allZeros(from, at + done, len)) {
        const chunk = len === chunkBytes ? chunks.fresh(index) : chunks.own(index);
        copyBytes(from, at + done, chunk, start, len);
      }
      done += len;
    }
  }

  protected override flushSectors(): void {}

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    if (this.discards) this.zeroSectors(offBytes, lenBytes);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    const chunks = this.#chunks;
    const { chunkBytes } = chunks;
    const end = offBytes + lenBytes;
    const first = Math.ceil(offBytes / chunkBytes);
    const last = Math.floor(end / chunkBytes);
    if (first > last) {
      this.#zeroPart(last, offBytes, end);
      return;
    }
    this.#zeroPart(first - 1, offBytes, first * chunkBytes);
    chunks.dropRange(first, last);
    this.#zeroPart(last, last * chunkBytes, end);
  }

  /** Zero bytes inside one chunk. */
  #zeroPart(index: number, offBytes: number, endBytes: number): void {
    const chunks = this.#chunks;
    if (offBytes === endBytes || chunks.get(index) === undefined) return;
    const start = index * chunks.chunkBytes;
    chunks.own(index).fill(0, offBytes - start, endBytes - start);
  }

  protected override release(): void {
    this.#chunks.clear();
  }
}

function shapeOf(options: MemoryDiskOptions): DiskShape {
  const { sizeBytes, sectorBytes = 512, readOnly = false, writeCache = false, discards = true } = options;
  return { sizeBytes, sectorBytes, readOnly, writeCache, discards };
}
