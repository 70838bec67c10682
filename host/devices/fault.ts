/**
 * A disk that fails as it is told: each fault says on which requests, and what goes wrong.
 *
 * Everything drawn comes from the seed, so the same requests fail the same way again.
 */
import { GatheringLayer } from './layer.ts';
import { Draw } from './random.ts';
import { type BlockDevice, DiskError, type DiskErrorCode } from './types.ts';

export type RequestKind = 'read' | 'write' | 'flush' | 'discard' | 'zero';

/** Which requests a fault meets. All that is said must hold. */
export interface FaultTrigger {
  /** Default: any that the fault can happen to. */
  on?: RequestKind | readonly RequestKind[];
  /** Only requests that touch this range; a flush touches none. */
  range?: { offBytes: number; lenBytes: number };
  /** The n-th of them since the fault was added, from 1. Default 1. */
  nth?: number;
  /** How often it happens from then on; Infinity: for good. Default 1. */
  times?: number;
  /** Let each of them fail only with this probability, by the seed. Default 1. */
  chance?: number;
}

export type FaultKind =
  /** The request does nothing and fails; with EIO unless told. */
  | { kind: 'error'; code?: DiskErrorCode }
  /** The sectors of the range cannot be read, from now until each is written. */
  | { kind: 'latent' }
  /** Only some sectors of a write arrive: the first few, or any; then it fails, or says nothing. */
  | { kind: 'torn'; keep?: 'first' | 'any'; silent?: boolean }
  /** A bit of what is read, or of what is written, is another. */
  | { kind: 'flip'; bits?: number }
  /** A write goes to another place of the disk: `toBytes`, or one drawn. */
  | { kind: 'misdirected'; toBytes?: number }
  /** A write, or a flush, says it is done and is not. */
  | { kind: 'lost' };

export type Fault = FaultKind & FaultTrigger;

/** What a kind of fault can happen to. */
const HAPPENS: Readonly<Record<FaultKind['kind'], readonly RequestKind[]>> = {
  error: ['read', 'write', 'flush', 'discard', 'zero'],
  latent: [],
  torn: ['write'],
  flip: ['read', 'write'],
  misdirected: ['write'],
  lost: ['write', 'flush', 'discard', 'zero'],
};

interface Armed {
  readonly fault: Fault;
  readonly kinds: readonly RequestKind[];
  readonly from: number;
  readonly until: number;
  met: number;
}

/**
 * @example
 * const disk = new FaultDisk(new MemoryDisk({ sizeBytes: 1 << 20 }));
 * disk.add({ kind: 'error', on: 'write', nth: 3 }); // the third write fails, once
 * disk.add({ kind: 'latent', range: { offBytes: 8192, lenBytes: 512 } });
 */
export class FaultDisk extends GatheringLayer {
  readonly #draw: Draw;
  readonly #faults = new Set<Armed>();
  /** Numbers of the sectors that cannot be read. */
  readonly #latent = new Set<number>();
  #requests = 0;
  #happened = 0;

  constructor(
    lower: BlockDevice,
    { seed = 0, faults = [] }: { seed?: number; faults?: readonly Fault[] } = {},
  ) {
    super(lower);
    this.#draw = new Draw(seed);
    for (const fault of faults) this.add(fault);
  }

  /** Requests so far, failed ones included. */
  get requests(): number {
    return this.#requests;
  }

  /** Faults that have happened. */
  get happened(): number {
    return this.#happened;
  }

  /** Add a fault. The function returned takes it away. @throws RangeError for what cannot happen */
  add(fault: Fault): () => void {
    if (fault.kind === 'latent') return this.#addLatent(fault);
    const { nth = 1, times = 1, on = HAPPENS[fault.kind] } = fault;
    if (!(nth >= 1 && times >= 1))
      throw new RangeError('a fault happens from the first request on, or later');
    const kinds = typeof on === 'string' ? [on] : on;
    const never = kinds.find((kind) => !HAPPENS[fault.kind].includes(kind));
    if (never !== undefined) throw new RangeError(`the fault '${fault.kind}' does not happen to a ${never}`);
    const armed: Armed = { fault, kinds, from: nth, until: nth + times, met: 0 };
    this.#faults.add(armed);
    return () => void this.#faults.delete(armed);
  }

  /** Take all faults away; sectors that cannot be read stay so. */
  clear(): void {
    this.#faults.clear();
  }

  #addLatent({ range }: FaultTrigger): () => void {
    if (range === undefined) throw new RangeError("the fault 'latent' needs a range");
    const sectors: number[] = [];
    for (let off = range.offBytes; off < range.offBytes + range.lenBytes; off += this.sectorBytes) {
      sectors.push(Math.floor(off / this.sectorBytes));
    }
    for (const sector of sectors) this.#latent.add(sector);
    return () => this.#heal(sectors[0] * this.sectorBytes, sectors.length * this.sectorBytes);
  }

  /** What is written can be read again: the drive puts another sector in its place. */
  #heal(offBytes: number, lenBytes: number): void {
    if (this.#latent.size === 0) return;
    const first = offBytes / this.sectorBytes;
    for (let i = 0; i < lenBytes / this.sectorBytes; i++) this.#latent.delete(first + i);
  }

  /** The fault that happens to this request, if one does. An 'error' has been thrown. */
  #meet(kind: RequestKind, offBytes: number, lenBytes: number): Fault | undefined {
    this.#requests++;
    let met: Fault | undefined;
    for (const armed of this.#faults) {
      const { fault, kinds, from, until } = armed;
      const { range, chance = 1 } = fault;
      if (!kinds.includes(kind)) continue;
      if (range !== undefined) {
        if (offBytes >= range.offBytes + range.lenBytes || offBytes + lenBytes <= range.offBytes) continue;
      }
      const count = ++armed.met;
      if (met !== undefined || count < from || count >= until) continue;
      if (chance < 1 && this.#draw.next() >= chance * 2 ** 32) continue;
      if (count + 1 === until) this.#faults.delete(armed);
      met = fault;
    }
    if (met !== undefined) this.#happened++;
    if (met?.kind === 'error') {
      const where = met.range === undefined ? offBytes : Math.max(offBytes, met.range.offBytes);
      throw new DiskError(met.code ?? 'EIO', where, `${kind} at ${where}, as told`);
    }
    return met;
  }

  protected override readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    const fault = this.#meet('read', offBytes, lenBytes);
    this.#readable(offBytes, lenBytes);
    this.lower.read(offBytes, into, at, lenBytes);
    if (fault?.kind === 'flip') this.#flip(fault.bits, into, at, lenBytes);
  }

  #readable(offBytes: number, lenBytes: number): void {
    if (this.#latent.size === 0) return;
    const first = offBytes / this.sectorBytes;
    for (let i = 0; i < lenBytes / this.sectorBytes; i++) {
      if (!this.#latent.has(first + i)) continue;
      this.#happened++;
      const where = (first + i) * this.sectorBytes;
      throw new DiskError('EIO', where, `read: the sector at ${where} is bad`);
    }
  }

  #flip(bits = 1, bytes: Uint8Array, at: number, lenBytes: number): void {
    for (let i = 0; i < bits; i++) bytes[at + this.#draw.below(lenBytes)] ^= 1 << this.#draw.below(8);
  }

  protected override writeSectors(
    offBytes: number,
    from: Uint8Array,
    at: number,
    lenBytes: number,
    fua: boolean,
  ): void {
    const fault = this.#meet('write', offBytes, lenBytes);
    if (fault === undefined) {
      this.lower.write(offBytes, from, at, lenBytes, fua);
      this.#heal(offBytes, lenBytes);
    } else this.#writeBadly(fault, offBytes, from.slice(at, at + lenBytes), fua);
  }

  #writeBadly(fault: Fault, offBytes: number, bytes: Uint8Array, fua: boolean): void {
    const { length } = bytes;
    if (fault.kind === 'lost') return;
    if (fault.kind === 'torn') {
      this.#tear(fault.keep, offBytes, bytes);
      if (fault.silent) return;
      throw new DiskError('EIO', offBytes, `write of ${length} bytes at ${offBytes}: torn, as told`);
    }
    let to = offBytes;
    if (fault.kind === 'flip') this.#flip(fault.bits, bytes, 0, length);
    if (fault.kind === 'misdirected') to = fault.toBytes ?? this.#elsewhere(offBytes, length);
    this.lower.write(to, bytes, 0, length, fua);
    this.#heal(to, length);
  }

  #elsewhere(offBytes: number, lenBytes: number): number {
    const places = (this.sizeBytes - lenBytes) / this.sectorBytes + 1;
    if (places < 2) return offBytes;
    const drawn = this.#draw.below(places - 1);
    return (drawn < offBytes / this.sectorBytes ? drawn : drawn + 1) * this.sectorBytes;
  }

  /** Write some of the sectors, never all. */
  #tear(keep: 'first' | 'any' = 'first', offBytes: number, bytes: Uint8Array): void {
    const sector = this.sectorBytes;
    const sectors = bytes.length / sector;
    const first = keep === 'first' ? this.#draw.below(sectors) : 0;
    const missing = this.#draw.below(sectors);
    for (let i = 0; i < sectors; i++) {
      const kept = keep === 'first' ? i < first : i !== missing && this.#draw.below(2) === 1;
      if (!kept) continue;
      this.lower.write(offBytes + i * sector, bytes, i * sector, sector);
      this.#heal(offBytes + i * sector, sector);
    }
  }

  protected override flushSectors(): void {
    if (this.#meet('flush', 0, 0) === undefined) this.lower.flush();
  }

  protected override discardSectors(offBytes: number, lenBytes: number): void {
    if (this.#meet('discard', offBytes, lenBytes) !== undefined) return;
    this.lower.discard(offBytes, lenBytes);
  }

  protected override zeroSectors(offBytes: number, lenBytes: number): void {
    if (this.#meet('zero', offBytes, lenBytes) !== undefined) return;
    this.lower.writeZeroes(offBytes, lenBytes);
    this.#heal(offBytes, lenBytes);
  }
}
