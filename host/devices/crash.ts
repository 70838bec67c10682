/**
 * Crash states: the disks that a loss of power could have left behind, from a recording.
 *
 * The model. What a flush followed is there. Of the writes since the last flush, any subset may be
 * there, each applied in the order it was made; one with FUA that was completed is there. The write in
 * progress may have reached the disk in part, any of its sectors, each of them whole or not at all. A
 * disk without a volatile cache keeps every completed write.
 *
 * A state's `hash` is a function of the disk's content alone, and costs by what the epoch changed: each
 * sector's content that differs from the recording's base has 128 bits, mixed with its number, and the
 * hash is their sum. So states that are the same are known before a disk is made for them, and
 * their disks share all but what the writes kept have changed.
 *
 * S1. A version is one sector's content as one request wrote it. They are numbered through the recording;
 *     a request's are consecutive.
 * S2. `Stage` holds the content that is durable when an epoch starts; within it nothing is durable but
 *     what a subset must keep.
 */
import { OverlayDisk } from './overlay.ts';
import { Draw } from './random.ts';
import type { RecordedRequest, Recording } from './recorder.ts';
import { Versions } from './versions.ts';

/** Which state: enough to make it again from the same recording. */
export interface CrashSpec {
  /** Requests completed when the power went. */
  readonly cut: number;
  /** Those of the unflushed writes before the cut that are there, by their numbers. */
  readonly kept: readonly number[];
  /** Sectors of request `cut`, the one in progress, that are there, counted from its first. */
  readonly torn?: readonly number[];
}

export interface CrashState extends CrashSpec {
  /** The same for two states of a recording exactly when the content of their disks is. */
  readonly hash: string;
  /** A disk of one's own in that state. */
  disk(): OverlayDisk;
}

export interface CrashOptions {
  /** Every subset of an epoch's unflushed writes when there are at most this many. Default 10. */
  exhaustive?: number;
  /** Else so many of the subsets, drawn by the seed, beside each prefix. Default 50. */
  samples?: number;
  /** Ways in which each write of several sectors is torn. Default 2. */
  torn?: number;
  seed?: number;
  /** Only cuts from this number of completed requests on. Default 0. */
  from?: number;
}

/** What is durable, and which writes are not yet. */
interface Stage {
  readonly durable: OverlayDisk;
  /** Sector → version. */
  readonly table: Map<number, number>;
  readonly sum: Uint32Array;
}

/** The requests between two flushes. */
interface Epoch {
  readonly first: number;
  readonly end: number;
  /** Numbers of those that change something. */
  readonly writes: readonly number[];
}

/**
 * @example
 * const crashes = new CrashStates(recorder.recording);
 * for (const state of crashes.distinct()) check(state.disk(), state.cut);
 */
export class CrashStates {
  readonly #recording: Recording;
  readonly #versions: Versions;
  readonly #epochs: Epoch[];

  constructor(recording: Recording) {
    this.#recording = recording;
    this.#versions = new Versions(recording);
    this.#epochs = epochsOf(recording.requests);
  }

  /** States whose content is different from all before. */
  *distinct(options: CrashOptions = {}): Generator<CrashState> {
    const seen = new Set<string>();
    for (const state of this.states(options)) {
      if (seen.has(state.hash)) continue;
      seen.add(state.hash);
      yield state;
    }
  }

  /** All states that are asked for; many may have the same content. */
  *states(options: CrashOptions = {}): Generator<CrashState> {
    const { from = 0, seed = 0 } = options;
    const draw = new Draw(seed);
    const stage = this.#start();
    for (const epoch of this.#epochs) {
      if (epoch.end >= from) {
        const now = freeze(stage);
        for (const spec of this.#specs(epoch, options, draw)) {
          if (spec.cut >= from) yield this.#make(now, spec);
        }
      }
      this.#advance(stage, epoch);
    }
  }

  /** One state again. @throws RangeError for one that cannot be */
  state(spec: CrashSpec): CrashState {
    const stage = this.#start();
    for (const epoch of this.#epochs) {
      if (spec.cut <= epoch.end) {
        if (spec.kept.every((number) => epoch.writes.includes(number) && number < spec.cut)) {
          return this.#make(stage, spec);
        }
        break;
      }
      this.#advance(stage, epoch);
    }
    throw new RangeError(`there is no such state: ${JSON.stringify(spec)}`);
  }

  #start(): Stage {
    const durable = new OverlayDisk(this.#recording.base);
    return { durable, table: new Map(), sum: new Uint32Array(4) };
  }

  /** The flush that ends an epoch: all its writes are there. */
  #advance({ durable, table, sum }: Stage, { writes }: Epoch): void {
    for (const number of writes) {
      this.#versions.apply(number, durable);
      this.#versions.each(number, (sector, version) => {
        this.#versions.replace(sum, table.get(sector), version);
        table.set(sector, version);
      });
    }
  }

  #make(stage: Stage, spec: CrashSpec): CrashState {
    const versions = this.#versions;
    const { cut, torn } = spec;
    const changed = new Map<number, number>();
    for (const number of spec.kept) {
      versions.each(number, (sector, version) => void changed.set(sector, version));
    }
    if (torn !== undefined) {
      versions.each(cut, (sector, version, index) => {
        if (torn.includes(index)) changed.set(sector, version);
      });
    }
    const sum = stage.sum.slice();
    for (const [sector, version] of changed) versions.replace(sum, stage.table.get(sector), version);
    const disk = () => {
      const made = stage.durable.fork();
      for (const number of spec.kept) versions.apply(number, made);
      if (torn !== undefined) versions.apply(cut, made, torn);
      return made;
    };
    return { ...spec, hash: hex(sum), disk };
  }

  *#specs(epoch: Epoch, options: CrashOptions, draw: Draw): Generator<CrashSpec> {
    const { exhaustive = 10, samples = 50, torn = 2 } = options;
    const { writes } = epoch;
    yield { cut: epoch.first, kept: [] };
    for (const [count, number] of writes.entries()) {
      const before = writes.slice(0, count);
      for (let i = 0; i < torn; i++) {
        const some = i % 2 === 0 ? before : this.#subset(before, draw);
        const sectors = this.#tear(number, draw);
        if (sectors.length > 0) yield { cut: number, kept: some, torn: sectors };
      }
      yield { cut: number + 1, kept: writes.slice(0, count + 1) };
    }
    if (!this.#recording.writeCache) return;
    const free = writes.filter((number) => !this.#mustKeep(number)).length;
    if (free <= exhaustive) {
      for (let count = 1; count <= writes.length; count++) yield* this.#subsets(writes.slice(0, count));
    } else {
      const drawn = new Set<string>();
      for (let tries = 0; drawn.size < samples && tries < 4 * samples; tries++) {
        const count = 1 + draw.below(writes.length);
        const kept = this.#subset(writes.slice(0, count), draw);
        const key = kept.join();
        if (drawn.has(key)) continue;
        drawn.add(key);
        yield { cut: writes[count - 1] + 1, kept };
      }
    }
  }

  /** Is it durable once it is completed, flush or not? */
  #mustKeep(number: number): boolean {
    return !this.#recording.writeCache || this.#recording.requests[number].fua;
  }

  /** All subsets of writes in which the last of them is. (Those without it were there a write earlier.) */
  *#subsets(writes: readonly number[]): Generator<CrashSpec> {
    const last = writes[writes.length - 1];
    const free = writes.filter((number) => number !== last && !this.#mustKeep(number));
    for (let bits = 0; bits < 2 ** free.length; bits++) {
      const dropped = new Set(free.filter((_, i) => ((bits >> i) & 1) === 0));
      yield { cut: last + 1, kept: writes.filter((number) => !dropped.has(number)) };
    }
  }

  #subset(writes: readonly number[], draw: Draw): number[] {
    return writes.filter((number) => this.#mustKeep(number) || draw.below(2) === 1);
  }

  /** Some of a write's sectors, neither none nor all: the first few, or any. */
  #tear(number: number, draw: Draw): number[] {
    const { kind, lenBytes } = this.#recording.requests[number];
    const sectors = lenBytes / this.#recording.base.sectorBytes;
    // A discard or zeroing of a large range is made of many; what tears there is the same.
    if (sectors < 2 || kind !== 'write') return [];
    if (draw.below(2) === 0) return Array.from({ length: 1 + draw.below(sectors - 1) }, (_, i) => i);
    const missing = draw.below(sectors);
    const kept = Array.from({ length: sectors }, (_, i) => i).filter(
      (i) => i !== missing && draw.below(2) === 1,
    );
    return kept.length > 0 ? kept : [missing];
  }
}

/** A stage that nothing changes any more, for states that are made of it later. */
function freeze({ durable, table, sum }: Stage): Stage {
  return { durable: durable.fork(), table, sum: sum.slice() };
}

function epochsOf(requests: readonly RecordedRequest[]): Epoch[] {
  const epochs: Epoch[] = [];
  let first = 0;
  let writes: number[] = [];
  for (const [number, { kind }] of requests.entries()) {
    if (kind === 'flush') {
      epochs.push({ first, end: number, writes });
      first = number + 1;
      writes = [];
    } else if (kind !== 'read') writes.push(number);
  }
  epochs.push({ first, end: requests.length, writes });
  return epochs;
}

const hex = (words: Uint32Array) => Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
