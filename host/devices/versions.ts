/**
 * The sectors that a recording wrote, as versions: which sector, and what each adds to the hash of a
 * disk that has it (crash.ts).
 */
import { allZeros } from './chunks.ts';
import type { RecordedRequest, Recording } from './recorder.ts';
import type { BlockDevice } from './types.ts';

const LANES = 4;
/** Odd constants, one for each lane. */
const FACTORS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f];

export class Versions {
  readonly #requests: readonly RecordedRequest[];
  readonly #sectorBytes: number;
  readonly #discards: boolean;
  /** The first version of each request; one more at the end. */
  readonly #first: Uint32Array;
  readonly #sectors: number[] = [];
  /** LANES words of each version; all 0 for what is as the base has it. */
  readonly #words: Uint32Array;

  constructor({ base, requests }: Recording) {
    this.#requests = requests;
    this.#sectorBytes = base.sectorBytes;
    this.#discards = base.discards;
    this.#first = new Uint32Array(requests.length + 1);
    const written = new Set<number>();
    for (const [number, request] of requests.entries()) {
      this.#first[number] = this.#sectors.length;
      for (const sector of this.#sectorsOf(request, base, written)) {
        this.#sectors.push(sector);
        written.add(sector);
      }
    }
    this.#first[requests.length] = this.#sectors.length;
    this.#words = new Uint32Array(this.#sectors.length * LANES);
    this.#hashAll(base);
  }

  /** Each sector that a request changes, its version, and which of the request's it is. */
  each(number: number, visit: (sector: number, version: number, index: number) => void): void {
    const start = this.#requests[number].offBytes / this.#sectorBytes;
    const end = this.#first[number + 1];
    for (let version = this.#first[number]; version < end; version++) {
      const sector = this.#sectors[version];
      visit(sector, version, sector - start);
    }
  }

  /** In a disk's hash, put a version in the place of another, or of the base's content. */
  replace(sum: Uint32Array, before: number | undefined, after: number): void {
    for (let lane = 0; lane < LANES; lane++) {
      if (before !== undefined) sum[lane] -= this.#words[before * LANES + lane];
      sum[lane] += this.#words[after * LANES + lane];
    }
  }

  /** Do a request again on a disk; only some of its sectors, if they are given. */
  apply(number: number, disk: BlockDevice, sectors?: readonly number[]): void {
    const { kind, offBytes, lenBytes, data } = this.#requests[number];
    if (data === undefined) {
      if (kind === 'zero') disk.writeZeroes(offBytes, lenBytes);
      else if (kind === 'discard' && this.#discards) disk.writeZeroes(offBytes, lenBytes);
      return;
    }
    if (sectors === undefined) disk.write(offBytes, data, 0, lenBytes);
    for (const sector of sectors ?? []) {
      const at = sector * this.#sectorBytes;
      disk.write(offBytes + at, data, at, this.#sectorBytes);
    }
  }

  /** The sectors that a request may change: of zeroed ranges those that ever were anything else. */
  #sectorsOf(request: RecordedRequest, base: BlockDevice, written: ReadonlySet<number>): number[] {
    const { kind, offBytes, lenBytes } = request;
    const size = this.#sectorBytes;
    const start = offBytes / size;
    const sectors: number[] = [];
    if (kind === 'write') for (let i = 0; i < lenBytes / size; i++) sectors.push(start + i);
    if (kind !== 'zero' && !(kind === 'discard' && this.#discards)) return sectors;
    const piece = new Uint8Array(Math.min(lenBytes, 65536));
    for (let done = 0; done < lenBytes; done += piece.length) {
      const len = Math.min(piece.length, lenBytes - done);
      base.read(offBytes + done, piece, 0, len);
      const empty = allZeros(piece, 0, len);
      for (let at = 0; at < len; at += size) {
        const sector = start + (done + at) / size;
        if (written.has(sector) || !(empty || allZeros(piece, at, size))) sectors.push(sector);
      }
    }
    return sectors;
  }

  #hashAll(base: BlockDevice): void {
    const size = this.#sectorBytes;
    const zeros = new Uint8Array(size);
    const below = new Uint8Array(size);
    for (const [number, { data }] of this.#requests.entries()) {
      this.each(number, (sector, version, index) => {
        base.read(sector * size, below, 0, size);
        const content = data?.subarray(index * size, (index + 1) * size) ?? zeros;
        if (!alike(content, below)) this.#hash(version, sector, content);
      });
    }
  }

  /** Four lanes over the words of a sector, each finished with the sector's number. */
  #hash(version: number, sector: number, content: Uint8Array): void {
    for (let lane = 0; lane < LANES; lane++) {
      const factor = FACTORS[lane];
      let h = Math.imul(sector + 1, FACTORS[(lane + 1) % LANES]) ^ Math.floor(sector / 2 ** 32);
      for (let i = 0; i < content.length; i += 4) {
        const word = content[i] | (content[i + 1] << 8) | (content[i + 2] << 16) | (content[i + 3] << 24);
        h = Math.imul(h ^ word, factor);
        h ^= h >>> 15;
      }
      h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
      h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
      this.#words[version * LANES + lane] = h ^ (h >>> 16);
    }
  }
}

function alike(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
