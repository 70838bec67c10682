/**
 * Crashes of the journal alone: random handles, commits and checkpoints on a recorded disk, and in every
 * state that a loss of power could have left, after recovery, what was committed is there and nothing
 * in between.
 *
 * A block is metadata, a file's data or free. Data is written past the journal, to blocks that a
 * committed transaction has freed.
 */
import { type CrashOptions, CrashStates } from '../../host/devices/crash.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { Draw } from '../../host/devices/random.ts';
import { Recorder } from '../../host/devices/recorder.ts';
import { content, readBlock, Rig, type RigOptions, type Shape } from './journal-rig.ts';

const JOURNAL_AT = 8;
/** Blocks that the workload plays with. */
const HOMES = 24;
/** They are as they were made here. */
const NEW = -1;

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
  /** Of data, past the journal. */
  readonly writes: readonly { readonly home: number; readonly request: number }[];
}

const bytesOf = (shape: Shape, n: number) => content(shape.shift, n, n % 7 === 3);

/** Run `steps` random steps of a seed. */
export function record(
  log: Log,
  want: number,
  seed: number,
  steps: number,
  options: RigOptions = {},
): Recorded {
  const { disk, shape } = bareDisk(log);
  const blocks = shape.free.slice(0, HOMES);
  const draw = new Draw(seed);
  const rig = new Rig(shape, options);
  // what stands there from the beginning is known too
  for (const block of blocks)
    disk.write(block << shape.shift, bytesOf(shape, 1e6 + block), 0, 1 << shape.shift);
  const recorder = new Recorder(disk);
  rig.start(recorder, want);
  const homes: Home[] = blocks.map(() => ({ role: 'meta', n: NEW, request: 0 }));
  const copy = () => homes.map((home) => ({ ...home }));
  const commits: Commit[] = [{ began: 0, done: 0, homes: copy() }];
  const writes: { home: number; request: number }[] = [];
  /** Freed by the running transaction: no data goes there yet. */
  const busy = new Set<number>();
  let n = 0;
  /** Notice that a commit was made. */
  const watched = (call: () => number) => {
    const tid = rig.call.tid(rig.jn);
    const began = recorder.length;
    const result = call();
    if (result < 0) throw new Error(`errno ${-result}`);
    if (rig.call.tid(rig.jn) === tid) return;
    commits.push({ began, done: recorder.length, homes: copy() });
    busy.clear();
  };
  const some = (count: number) => {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(draw.below(HOMES));
    return chosen;
  };
  const { cpu } = rig.machine;
  for (let i = 0; i < steps; i++) {
    const luck = draw.below(20);
    if (luck < 3) watched(() => rig.call.commit(rig.jn));
    else if (luck === 3) watched(() => rig.call.checkpoint(rig.jn));
    else if (luck < 6) rig.call.writeback();
    else if (luck < 10) {
      for (const home of some(4)) {
        if (homes[home].role === 'meta' || busy.has(home)) continue;
        n++;
        homes[home] = { role: 'data', n, request: recorder.length };
        writes.push({ home, request: recorder.length });
        recorder.write(blocks[home] << shape.shift, bytesOf(shape, n), 0, 1 << shape.shift);
      }
    } else {
      watched(() => rig.call.begin(rig.jn, 6));
      for (const home of some(1 + draw.below(5))) {
        // data becomes metadata only when it was freed; what is written to it may be in no log
        if (homes[home].role === 'meta' && draw.below(4) === 0) {
          rig.call.forget(rig.jn, blocks[home]);
          homes[home] = { role: 'free', n: NEW, request: 0 };
          busy.add(home);
          if (draw.below(3) > 0) continue;
        }
        n++;
        homes[home] = { role: 'meta', n, request: 0 };
        cpu.u8.set(bytesOf(shape, n), cpu.area);
        const error = rig.call.put(rig.jn, blocks[home], cpu.area);
        if (error < 0) throw new Error(`put: errno ${-error}`);
      }
      rig.call.end(rig.jn);
    }
  }
  rig.abandon();
  rig.shutdown();
  return { shape, recorder, commits, writes };
}

export interface Campaign {
  states: number;
  /** The first few, in words. */
  violations: string[];
}

/** Recover every state, and look. */
export function crash(
  { shape, recorder, commits, writes }: Recorded,
  crashes: CrashOptions,
  options: RigOptions = {},
  stopAt = 5,
): Campaign {
  const { recording } = recorder;
  const flushes = recording.requests.flatMap(({ kind }, i) => (kind === 'flush' ? [i] : []));
  const isDurable = (request: number, cut: number) => flushes.some((flush) => flush > request && flush < cut);
  const rig = new Rig(shape, options);
  const campaign: Campaign = { states: 0, violations: [] };
  const blocks = shape.free.slice(0, HOMES);
  for (const state of new CrashStates(recording).distinct(crashes)) {
    campaign.states++;
    const disk = state.disk();
    const { cut } = state;
    const opened = rig.open(disk);
    const error = opened < 0 ? opened : rig.call.recover(rig.jn);
    const found = blocks.map((block) => readBlock(disk, shape.shift, block));
    if (opened >= 0) rig.abandon();
    const matches = ({ homes }: Commit) =>
      homes.every(({ role, n, request }, i) => {
        if (role === 'free') return true;
        // data is overwritten in place
        const last =
          role !== 'data' || !writes.some((w) => w.home === i && w.request > request && w.request <= cut);
        if (!last || (role === 'data' && !isDurable(request, cut))) return true;
        const wanted = bytesOf(shape, n === NEW ? 1e6 + blocks[i] : n);
        return Buffer.compare(found[i], wanted) === 0;
      });
    const possible = commits.filter(
      ({ began }, i) => began < cut + 1 && !(commits[i + 1] !== undefined && commits[i + 1].done <= cut),
    );
    if (error < 0) campaign.violations.push(`recovery gives errno ${-error}: ${describe(state)}`);
    else if (!possible.some(matches)) {
      campaign.violations.push(`in between, not one of ${possible.length} possible: ${describe(state)}`);
    }
    if (campaign.violations.length >= stopAt) break;
  }
  rig.shutdown();
  return campaign;
}

const describe = ({ cut, kept, torn }: { cut: number; kept: readonly number[]; torn?: readonly number[] }) =>
  JSON.stringify({ cut, kept, torn });
