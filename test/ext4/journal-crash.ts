/**
 * Crashes of the journal alone: random handles, commits and checkpoints on a recorded disk, and in every
 * state that a loss of power could have left, after recovery, what was committed is there and nothing
 * in between.
 *
 * A block is metadata, a file's data or free. Data is written past the journal, to blocks that a
 * committed transaction has freed.
 */
import { type CrashOptions, type CrashSpec, CrashStates } from '../../host/devices/crash.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { OverlayDisk } from '../../host/devices/overlay.ts';
import { Draw } from '../../host/devices/random.ts';
import { Recorder, type Recording } from '../../host/devices/recorder.ts';
import type { BlockDevice } from '../../host/devices/types.ts';
import { content, readBlock, Rig, type RigOptions, type Shape } from './journal-rig.ts';

const JOURNAL_AT = 8;
/** Blocks that the workload plays with. */
const HOMES = 24;
/** They are as they were made here. */
const NEW = -1;
/** And this is what they were made of, with their numbers. */
const FIRST = 1e6;

export interface Log {
  readonly shift: number;
  /** Blocks of the journal. */
  readonly blocks: number;
  /** Of the journal's superblock. */
  readonly incompat?: number;
}

/** A disk with an empty journal and nothing else. */
export function bareDisk({ shift, blocks, incompat = 0 }: Log): { disk: MemoryDisk; shape: Shape } {
  const bytes = 1 << shift;
  const fsBlocks = JOURNAL_AT + blocks + 64;
  const disk = new MemoryDisk({ sizeBytes: fsBlocks * bytes, writeCache: true });
  const sb = new Uint8Array(bytes);
  const view = new DataView(sb.buffer);
  view.setUint32(0, 0xc03b3998);
  view.setUint32(4, 4); // version 2
  view.setUint32(0xc, bytes);
  view.setUint32(0x10, blocks);
  view.setUint32(0x14, 1);
  view.setUint32(0x18, 7);
  view.setUint32(0x28, incompat);
  view.setUint32(0x40, 1);
  disk.write(JOURNAL_AT * bytes, sb, 0, bytes);
  const free = Array.from({ length: 60 }, (_, i) => JOURNAL_AT + blocks + i);
  // in two pieces
  const half = blocks >> 1;
  return {
    disk,
    shape: {
      shift,
      fsBlocks,
      runs: [
        [JOURNAL_AT, half],
        [JOURNAL_AT + half, blocks - half],
      ],
      free,
    },
  };
}

interface Home {
  role: 'meta' | 'data' | 'free';
  /** Which content; NEW: the disk's own. */
  n: number;
  /** Data: the request that wrote it. */
  request: number;
}

interface Commit {
  /** Requests done when it began and when it was done. */
  readonly began: number;
  readonly done: number;
  readonly homes: readonly Home[];
}

export interface Recorded {
  readonly shape: Shape;
  readonly recorder: Recorder;
  /** The first is what the disk was before. */
  readonly commits: readonly Commit[];
  /** What ended it early. */
  readonly error: number;
  /** Of data, past the journal. */
  readonly writes: readonly { readonly home: number; readonly request: number }[];
}

const bytesOf = (shape: Shape, n: number) => content(shape.shift, n, n % 7 === 3);

export interface RecordOptions extends RigOptions {
  /** Something between the kernel and the recorded disk, which makes requests fail. */
  over?: (disk: BlockDevice) => BlockDevice;
  /** After an error, go as unmounting goes, instead of as a power cut. */
  close?: boolean;
}

class Workload implements Recorded {
  readonly shape: Shape;
  readonly recorder: Recorder;
  readonly commits: Commit[];
  readonly writes: { home: number; request: number }[] = [];
  error = 0;
  readonly #rig: Rig;
  readonly #draw: Draw;
  readonly #blocks: readonly number[];
  readonly #homes: Home[];
  /** Freed by the running transaction: no data goes there yet. */
  readonly #busy = new Set<number>();
  #n = 0;

  constructor(log: Log, seed: number, options: RigOptions) {
    const { disk, shape } = bareDisk(log);
    this.shape = shape;
    this.#blocks = shape.free.slice(0, HOMES);
    // what stands there from the beginning is known too
    for (const block of this.#blocks) {
      disk.write(block << shape.shift, bytesOf(shape, FIRST + block), 0, 1 << shape.shift);
    }
    this.recorder = new Recorder(disk);
    this.#draw = new Draw(seed);
    this.#rig = new Rig(shape, options);
    this.#homes = this.#blocks.map(() => ({ role: 'meta', n: NEW, request: 0 }));
    this.commits = [{ began: 0, done: 0, homes: this.#copy() }];
  }

  run(want: number, steps: number, { over, close = false }: RecordOptions): this {
    const rig = this.#rig;
    this.error = rig.open(over === undefined ? this.recorder : over(this.recorder));
    if (this.error === 0) {
      this.error = rig.call.recover(rig.jn) || rig.call.start(rig.jn, want);
      for (let i = 0; i < steps && this.error === 0; i++) this.#step();
      if (close) rig.close();
      else rig.abandon();
    }
    rig.shutdown();
    return this;
  }

  #copy(): Home[] {
    return this.#homes.map((home) => ({ ...home }));
  }

  /** Do what may commit, and notice if it did. */
  #watched(call: () => number): void {
    const rig = this.#rig;
    const tid = rig.call.tid(rig.jn);
    const began = this.recorder.length;
    this.error = call();
    const homes = this.#copy();
    // one that failed may be on the disk all the same
    if (this.error < 0) this.commits.push({ began, done: Infinity, homes });
    if (rig.call.tid(rig.jn) === tid) return;
    this.commits.push({ began, done: this.recorder.length, homes });
    this.#busy.clear();
  }

  #some(count: number): Set<number> {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(this.#draw.below(HOMES));
    return chosen;
  }

  #step(): void {
    const { call, jn } = this.#rig;
    const luck = this.#draw.below(20);
    if (luck < 3) this.#watched(() => call.commit(jn));
    else if (luck === 3) this.#watched(() => call.checkpoint(jn));
    else if (luck < 6) call.writeback();
    else if (luck < 10) this.#data();
    else this.#handle();
  }

  /** Data goes to its place past the journal. */
  #data(): void {
    for (const home of this.#some(4)) {
      if (this.#homes[home].role === 'meta' || this.#busy.has(home)) continue;
      const n = ++this.#n;
      const request = this.recorder.length;
      this.#homes[home] = { role: 'data', n, request };
      this.writes.push({ home, request });
      const { shift } = this.shape;
      this.recorder.write(this.#blocks[home] << shift, bytesOf(this.shape, n), 0, 1 << shift);
    }
  }

  #handle(): void {
    const rig = this.#rig;
    const { cpu } = rig.machine;
    this.#watched(() => rig.call.begin(rig.jn, 6));
    if (this.error < 0) return;
    for (const home of this.#some(1 + this.#draw.below(5))) {
      if (this.#homes[home].role === 'meta' && this.#draw.below(4) === 0) {
        rig.call.forget(rig.jn, this.#blocks[home]);
        this.#homes[home] = { role: 'free', n: NEW, request: 0 };
        this.#busy.add(home);
        if (this.#draw.below(3) > 0) continue;
      }
      const n = ++this.#n;
      cpu.u8.set(bytesOf(this.shape, n), cpu.area);
      this.error = rig.call.put(rig.jn, this.#blocks[home], cpu.area);
      // a file system gives its journal up here
      if (this.error < 0) {
        rig.call.abort(rig.jn, this.error);
        break;
      }
      this.#homes[home] = { role: 'meta', n, request: 0 };
    }
    rig.call.end(rig.jn);
  }
}

/** Run random steps of a seed, until `steps` or an error. */
export function record(
  log: Log,
  want: number,
  seed: number,
  steps: number,
  options: RecordOptions = {},
): Recorded {
  return new Workload(log, seed, options).run(want, steps, options);
}

export interface Campaign {
  states: number;
  /** The first few, in words. */
  violations: string[];
}

/** Recovers disks of a recording, and says what is wrong with what comes out; '' is nothing. */
export class Judge {
  readonly #recorded: Recorded;
  readonly #flushes: readonly number[];
  readonly #rig: Rig;
  readonly #blocks: readonly number[];

  constructor(recorded: Recorded, options: RigOptions = {}) {
    const { recorder, shape } = recorded;
    this.#recorded = recorded;
    this.#flushes = recorder.recording.requests.flatMap(({ kind }, i) => (kind === 'flush' ? [i] : []));
    this.#rig = new Rig(shape, options);
    this.#blocks = shape.free.slice(0, HOMES);
  }

  /** `cut`: requests that were completed. */
  verdict(disk: BlockDevice, cut: number): string {
    const { commits, shape } = this.#recorded;
    const rig = this.#rig;
    const opened = rig.open(disk);
    const error = opened < 0 ? opened : rig.call.recover(rig.jn);
    if (opened >= 0) rig.abandon();
    if (error < 0) return `recovery gives errno ${-error}`;
    const found = this.#blocks.map((block) => readBlock(disk, shape.shift, block));
    const newest = commits.findLastIndex(({ done }) => done <= cut);
    const possible = commits.filter(({ began }, i) => i >= newest && began <= cut);
    const fits = possible.some(({ homes }) => homes.every((home, i) => this.#fits(home, i, found[i], cut)));
    return fits ? '' : `in between, not one of ${possible.length} possible`;
  }

  #fits({ role, n, request }: Home, i: number, found: Uint8Array, cut: number): boolean {
    const { shape, writes } = this.#recorded;
    if (role === 'free') return true;
    if (role === 'data') {
      // what no flush followed may be missing; data is overwritten in place
      if (!this.#flushes.some((flush) => flush > request && flush < cut)) return true;
      if (writes.some((w) => w.home === i && w.request > request && w.request <= cut)) return true;
    }
    const wanted = bytesOf(shape, n === NEW ? FIRST + this.#blocks[i] : n);
    return Buffer.compare(found, wanted) === 0;
  }

  end(): void {
    this.#rig.shutdown();
  }
}

/** Recover every state, and look. */
export function crash(
  recorded: Recorded,
  crashes: CrashOptions,
  options: RigOptions = {},
  stopAt = 5,
): Campaign {
  const judge = new Judge(recorded, options);
  const campaign: Campaign = { states: 0, violations: [] };
  for (const state of new CrashStates(recorded.recorder.recording).distinct(crashes)) {
    campaign.states++;
    const said = judge.verdict(state.disk(), state.cut);
    if (said !== '') campaign.violations.push(`${said}: ${describe(state)}`);
    if (campaign.violations.length >= stopAt) break;
  }
  judge.end();
  return campaign;
}

/** The disk as it was left, nothing lost of what was written. */
export function left({ recorder: { recording } }: Recorded): OverlayDisk {
  return new CrashStates(recording).state(everything(recording)).disk();
}

/** Recover that one. */
export function recovered(recorded: Recorded): string {
  const judge = new Judge(recorded);
  const said = judge.verdict(left(recorded), Number.MAX_SAFE_INTEGER);
  judge.end();
  return said;
}

/** All writes, flushed or not. */
function everything({ requests }: Recording): CrashSpec {
  const flush = requests.findLastIndex(({ kind }) => kind === 'flush');
  const kept = requests.flatMap(({ kind }, i) => (i > flush && kind !== 'flush' ? [i] : []));
  return { cut: requests.length, kept };
}

const describe = ({ cut, kept, torn }: { cut: number; kept: readonly number[]; torn?: readonly number[] }) =>
  JSON.stringify({ cut, kept, torn });
