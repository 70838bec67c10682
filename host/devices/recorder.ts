/**
 * A recorder: what is written to a disk, in order, so that every state in which a loss of power could
 * have left it can be made (crash.ts).
 *
 * The recording starts from the disk as it is when the recorder is made. A request is recorded when
 * it has succeeded.
 */
import { allZeros } from './chunks.ts';
import { GatheringLayer } from './layer.ts';
import type { BlockDevice } from './types.ts';

/** A disk that can be copied at no cost: a memory disk, an overlay. */
export interface ForkableDisk extends BlockDevice {
  fork(): ForkableDisk;
}

export interface RecordedRequest {
  readonly kind: 'read' | 'write' | 'zero' | 'discard' | 'flush';
  readonly offBytes: number;
  readonly lenBytes: number;
  readonly fua: boolean;
  /** Flushes before it. */
  readonly epoch: number;
  /** What was written. */
  readonly data?: Uint8Array;
}

export interface Recording {
  /** The disk as it was at the start; nobody changes it. */
  readonly base: ForkableDisk;
  /** Could writes be lost that no flush followed? */
  readonly writeCache: boolean;
  readonly requests: readonly RecordedRequest[];
}

export interface RecorderOptions {
  /** Say that there is a volatile cache, so that the kernel flushes it. Default true. */
  writeCache?: boolean;
  /** Record reads too, without their data. Default false. */
  reads?: boolean;
}

/**
 * @example
 * const recorder = new Recorder(new MemoryDisk({ sizeBytes: 1 << 20 }));
 * recorder.write(0, new Uint8Array(1024).fill(1), 0, 1024);
 * recorder.flush();
 * recorder.recording.requests.map(({ kind, epoch }) => `${kind} ${epoch}`); // ['write 0', 'flush 0']
 */
export class Recorder extends GatheringLayer {
  readonly #base: ForkableDisk;
  readonly #reads: boolean;
  #requests: RecordedRequest[] = [];
  #epoch = 0;

  constructor(lower: ForkableDisk, { writeCache = true, reads = false }: RecorderOptions = {}) {
    super(lower, { writeCache });
    this.#base = lower.fork();
    this.#reads = reads;
  }

  /** Requests so far: what a test notes to say "from here on it must be there". */
  get length(): number {
    return this.#requests.length;
  }

  /** What has been recorded so far. */
  get recording(): Recording {
    return { base: this.#base, writeCache: this.writeCache, requests: this.#requests.slice() };
  }

  #note(
    kind: RecordedRequest['kind'],
    offBytes: number,
    lenBytes: number,
    fua = false,
    data?: Uint8Array,
  ): void {
    const epoch = this.#epoch;
    this.#requests.push({ kind, offBytes, lenBytes, fua, epoch, ...(data !== undefined && { data }) });
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    super.readSectors(offBytes, into, at, lenBytes);
    if (this.#reads) this.#note('read', offBytes, lenBytes);
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    super.writeSectors(offBytes, from, at, lenBytes, fua);
    if (allZeros(from, at, lenBytes)) this.#note('zero', offBytes, lenBytes, fua);
    else this.#note('write', offBytes, lenBytes, fua, from.slice(at, at + lenBytes));
  }

  protected override flushSectors(): void {
    super.flushSectors();
    this.#note('flush', 0, 0);
    this.#epoch++;
  }

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    super.discardSectors(offBytes, lenBytes);
    this.#note('discard', offBytes, lenBytes);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    super.zeroSectors(offBytes, lenBytes);
    this.#note('zero', offBytes, lenBytes);
  }
}
