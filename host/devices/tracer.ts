/** A tracer: counts, bytes and times of a disk's requests, and a line of text for each. */
import { Layer } from './layer.ts';
import type { BlockDevice } from './types.ts';

export type TracedKind = 'read' | 'write' | 'flush' | 'discard' | 'zero';

/** Times are counted in buckets: the i-th holds those from 2^i to before 2^(i+1) ns, the first all below. */
export const BUCKETS = 40;

export interface Traced {
  count: number;
  errors: number;
  bytes: number;
  totalMs: number;
  maxMs: number;
  readonly histogram: Uint32Array;
}

export interface TracerOptions {
  /** Gets a line for each request: number, kind, first byte + bytes, FUA, time, what went wrong. */
  line?: (text: string) => void;
  /** In ms. Default: the host's, `performance.now`. */
  clock?: () => number;
}

/**
 * @example
 * const disk = new TracerDisk(memory, { line: console.log });
 * disk.write(4096, bytes, 0, 8192, true); // 1 write 4096+8192 fua 3.1 us
 * disk.totals.write.bytes; // 8192
 */
export class TracerDisk extends Layer {
  readonly totals: Readonly<Record<TracedKind, Traced>>;
  readonly #line: ((text: string) => void) | undefined;
  readonly #clock: () => number;
  #number = 0;

  constructor(lower: BlockDevice, { line, clock = () => performance.now() }: TracerOptions = {}) {
    super(lower);
    this.#line = line;
    this.#clock = clock;
    this.totals = { read: none(), write: none(), flush: none(), discard: none(), zero: none() };
  }

  /** The time in ms below which this part (0 to 1) of the requests of a kind stayed; a bucket's upper end. */
  percentile(kind: TracedKind, part: number): number {
    const { count, histogram } = this.totals[kind];
    let left = Math.ceil(count * part);
    for (let i = 0; i < BUCKETS; i++) {
      left -= histogram[i];
      if (left <= 0) return 2 ** (i + 1) / 1e6;
    }
    return 0;
  }

  #trace(kind: TracedKind, offBytes: number, lenBytes: number, fua: boolean, request: () => void): void {
    const started = this.#clock();
    let failed: unknown;
    try {
      request();
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      this.#count(kind, lenBytes, this.#clock() - started, failed);
      if (this.#line !== undefined) {
        const range = kind === 'flush' ? '' : ` ${offBytes}+${lenBytes}`;
        const outcome = failed === undefined ? '' : ` ${(failed as { code?: string }).code ?? 'EIO'}`;
        const time = time3(this.#clock() - started);
        this.#line(`${this.#number} ${kind}${range}${fua ? ' fua' : ''} ${time}${outcome}`);
      }
    }
  }

  #count(kind: TracedKind, lenBytes: number, ms: number, failed: unknown): void {
    this.#number++;
    const traced = this.totals[kind];
    traced.count++;
    if (failed === undefined) traced.bytes += lenBytes;
    else traced.errors++;
    traced.totalMs += ms;
    traced.maxMs = Math.max(traced.maxMs, ms);
    const bucket = ms > 0 ? Math.floor(Math.log2(ms * 1e6)) : 0;
    traced.histogram[Math.max(0, Math.min(BUCKETS - 1, bucket))]++;
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    this.#trace('read', offBytes, lenBytes, false, () => super.readSectors(offBytes, into, at, lenBytes));
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    this.#trace('write', offBytes, lenBytes, fua, () =>
      super.writeSectors(offBytes, from, at, lenBytes, fua),
    );
  }

  protected override readParts(
    offBytes: number,
    into: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
  ): void {
    this.#trace('read', offBytes, lenBytes, false, () => this.lowerReadv(offBytes, into, parts, count));
  }

  protected override writeParts(
    offBytes: number,
    from: Uint8Array,
    parts: Uint32Array,
    count: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    this.#trace('write', offBytes, lenBytes, fua, () => this.lowerWritev(offBytes, from, parts, count, fua));
  }

  protected override flushSectors(): void {
    this.#trace('flush', 0, 0, false, () => super.flushSectors());
  }

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    this.#trace('discard', offBytes, lenBytes, false, () => super.discardSectors(offBytes, lenBytes));
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    this.#trace('zero', offBytes, lenBytes, false, () => super.zeroSectors(offBytes, lenBytes));
  }
}

function none(): Traced {
  return { count: 0, errors: 0, bytes: 0, totalMs: 0, maxMs: 0, histogram: new Uint32Array(BUCKETS) };
}

function time3(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(1)} us` : `${ms.toFixed(1)} ms`;
}
