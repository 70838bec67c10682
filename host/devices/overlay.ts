/**
 * An overlay: the changes to a base, which stays as it is until they are committed.
 *
 * A chunk of the overlay that is there hides the base's; one that is not shows it. The base is not
 * the overlay's own: many may lie over it, as long as nothing changes it; closing an overlay throws
 * its changes away and leaves the base open.
 */
import { Chunks, type ChunkTree, copyBytes, zeroChunk } from './chunks.ts';
import { checkDiskSnapshot, type DiskSnapshot, isChunkSize } from './snapshot.ts';
import { type BlockDevice, Device } from './types.ts';

export interface OverlayOptions {
  /** As for a memory disk. Default: the base's. */
  writeCache?: boolean;
  /** Default true: what is discarded reads as zeros. */
  discards?: boolean;
  /** What is copied at a time: a power of two. Default 4096, the size of the machine's pages. */
  chunkBytes?: number;
}

const CHUNK_BYTES = 4096;

/**
 * @example
 * const disk = new OverlayDisk(base);
 * disk.write(0, new Uint8Array(512).fill(1), 0, 512); // the base does not change
 * disk.commit(); // now it does
 */
export class OverlayDisk extends Device {
  readonly base: BlockDevice;
  readonly #chunks: Chunks;

  /**
   * @param tree  the changes it starts with; none: the base as it is
   * @throws RangeError for a size of chunks that cannot be
   */
  constructor(base: BlockDevice, options: OverlayOptions = {}, tree?: ChunkTree) {
    const { sizeBytes, sectorBytes } = base;
    const { writeCache = base.writeCache, discards = true, chunkBytes = CHUNK_BYTES } = options;
    super({ sizeBytes, sectorBytes, readOnly: false, writeCache, discards });
    if (!isChunkSize(chunkBytes, sectorBytes)) {
      throw new RangeError(`chunkBytes must be a power of two, at least a sector, and is ${chunkBytes}`);
    }
    this.base = base;
    this.#chunks = tree === undefined ? new Chunks(sizeBytes, chunkBytes) : Chunks.of(sizeBytes, tree);
  }

  /** The overlay that was put aside, over its base or one with the same content. */
  static from(snapshot: DiskSnapshot, base: BlockDevice): OverlayDisk {
    checkDiskSnapshot(snapshot);
    const { kind, sizeBytes, sectorBytes, writeCache, discards, tree } = snapshot;
    if (kind !== 'overlay' || base.sizeBytes !== sizeBytes || base.sectorBytes !== sectorBytes) {
      throw new Error('this is not the snapshot of an overlay over a disk of that shape');
    }
    return new OverlayDisk(base, { writeCache, discards, chunkBytes: tree.chunkBytes }, tree);
  }

  /** Bytes that differ from the base, or may: whole chunks. */
  get changedBytes(): number {
    return this.#chunks.count * this.#chunks.chunkBytes;
  }

  /** The changes, and with them the base if it can be put aside. */
  snapshot(): DiskSnapshot {
    const { sizeBytes, sectorBytes, writeCache, discards, base } = this;
    const tree = this.#chunks.share();
    const below = base.snapshot?.();
    return {
      format: 1,
      kind: 'overlay',
      sizeBytes,
      sectorBytes,
      writeCache,
      discards,
      tree,
      ...(below !== undefined && { base: below }),
    };
  }

  /** Another overlay over the same base, that starts with the same changes. */
  fork(): OverlayDisk {
    const { writeCache, discards } = this;
    const tree = this.#chunks.share();
    return new OverlayDisk(this.base, { writeCache, discards, chunkBytes: tree.chunkBytes }, tree);
  }

  /**
   * Write the changes to the base, or to another disk with the base's content, and flush it. Done to
   * the base, they are the overlay's no more. Failing half way, they stay, and it can be called again.
   * @throws DiskError as the base does: EROFS when it is read-only
   */
  commit(into: BlockDevice = this.base): void {
    const { chunkBytes } = this.#chunks;
    const zeros = zeroChunk(chunkBytes);
    for (const [index, bytes] of this.#chunks.entries()) {
      const offBytes = index * chunkBytes;
      const lenBytes = Math.min(chunkBytes, this.sizeBytes - offBytes);
      if (bytes === zeros) into.writeZeroes(offBytes, lenBytes);
      else into.write(offBytes, bytes, 0, lenBytes);
    }
    into.flush();
    if (into === this.base) this.revert();
  }

  /** Throw the changes away. */
  revert(): void {
    this.#chunks.clear();
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    const chunks = this.#chunks;
    const { chunkBytes } = chunks;
    for (let done = 0; done < lenBytes; ) {
      const index = Math.floor((offBytes + done) / chunkBytes);
      const start = offBytes + done - index * chunkBytes;
      const chunk = chunks.get(index);
      let len = Math.min(chunkBytes - start, lenBytes - done);
      if (chunk !== undefined) copyBytes(chunk, start, into, at + done, len);
      else {
        for (let next = index + 1; done + len < lenBytes && chunks.get(next) === undefined; next++) {
          len = Math.min(len + chunkBytes, lenBytes - done);
        }
        this.base.read(offBytes + done, into, at + done, len);
      }
      done += len;
    }
  }

  protected override writeSectors(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    const { chunkBytes } = this.#chunks;
    for (let done = 0; done < lenBytes; ) {
      const index = Math.floor((offBytes + done) / chunkBytes);
      const start = offBytes + done - index * chunkBytes;
      const len = Math.min(chunkBytes - start, lenBytes - done);
      copyBytes(from, at + done, this.#own(index, len), start, len);
      done += len;
    }
  }

  /** A chunk to change `lenBytes` of: with the base's bytes if that is not all of it. */
  #own(index: number, lenBytes: number): Uint8Array {
    const chunks = this.#chunks;
    const { chunkBytes } = chunks;
    if (lenBytes === chunkBytes) return chunks.fresh(index);
    if (chunks.get(index) !== undefined) return chunks.own(index);
    const offBytes = index * chunkBytes;
    const below = new Uint8Array(chunkBytes);
    // A failure leaves no chunk behind that would hide the base.
    this.base.read(offBytes, below, 0, Math.min(chunkBytes, this.sizeBytes - offBytes));
    const chunk = chunks.fresh(index);
    chunk.set(below);
    return chunk;
  }

  protected override flushSectors(): void {}

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    if (this.discards) this.zeroSectors(offBytes, lenBytes);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    const chunks = this.#chunks;
    const { chunkBytes } = chunks;
    const zeros = zeroChunk(chunkBytes);
    for (let done = 0; done < lenBytes; ) {
      const index = Math.floor((offBytes + done) / chunkBytes);
      const start = offBytes + done - index * chunkBytes;
      const len = Math.min(chunkBytes - start, lenBytes - done);
      if (len === chunkBytes) chunks.put(index, zeros);
      else this.#own(index, len).fill(0, start, start + len);
      done += len;
    }
  }

  protected override release(): void {
    this.#chunks.clear();
  }
}
