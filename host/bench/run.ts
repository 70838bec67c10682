/**
 * The coordinator: an operation's rounds one after another, in each round every contestant once,
 * in an order that rotates from round to round, one at a time. A noisy neighbour so meets all
 * alike, and ratios are taken within a round before their median is.
 */
import fs from 'node:fs';
import os from 'node:os';
import { OPERATIONS, type Operation } from './ops.ts';
import { diskPlan, runDiskRows } from './ext4/run.ts';
import { median } from './median.ts';
import { runSmpRows, type SmpPlan } from './smp/run.ts';
import { ContestantProcess } from './process.ts';
import { runWasiRows } from './wasi/run.ts';
import {
  type BenchOptions,
  type BenchResult,
  type BenchRow,
  type Columns,
  CONTESTANTS,
  GROUPS,
  type Plan,
  type ScalingPoint,
  type Slice,
} from './types.ts';

const DEFAULT_SEED = 20040813;
const TMPFS_MAGIC = 0x01021994;

/**
 * Runs the benchmark.
 * @throws RangeError on a bad seed or group, Error when Damselfly itself cannot run
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchResult> {
  const only = options.only ?? GROUPS;
  for (const group of only) {
    if (!GROUPS.includes(group))
      throw new RangeError(`no group of rows ${group}; there are: ${GROUPS.join(', ')}`);
  }
  const progress = options.progress ?? (() => {});
  const plan = makePlan(options);
  const core = only.includes('core') ? await runCore(plan, progress) : { rows: [], scaling: null };
  const { quick, seed, tmpfs } = plan;
  const disk =
    only.includes('ext4') && tmpfs !== null ? await runDiskRows(diskPlan(quick, tmpfs), progress) : null;
  const wasi = only.includes('wasi') && tmpfs !== null ? await runWasiRows({ quick, tmpfs }, progress) : null;
  const smp = only.includes('smp') ? await runSmpRows(smpPlan(quick), progress) : [];
  return { node: process.version, quick, seed, machine: machineFacts(), ...core, disk, wasi, smp };
}

function smpPlan(quick: boolean): SmpPlan {
  return quick ? { rounds: 5, sliceMs: 150, warmupMs: 300 } : { rounds: 15, sliceMs: 300, warmupMs: 500 };
}

/** The rows of files in memory. */
async function runCore(
  plan: Plan,
  progress: (line: string) => void,
): Promise<Pick<BenchResult, 'rows' | 'scaling'>> {
  const race = new Race(plan, progress);
  await race.open();
  try {
    const operations = OPERATIONS.filter(({ full }) => !(full && plan.quick));
    const rows: BenchRow[] = [];
    for (const [i, operation] of operations.entries()) {
      rows.push(await race.run(operation, operations.length - i));
    }
    return { rows, scaling: plan.scaling.length > 0 ? await race.scale() : null };
  } finally {
    await race.close();
  }
}

function makePlan(options: BenchOptions): Plan {
  const seed = options.seed ?? DEFAULT_SEED;
  if (!Number.isInteger(seed) || seed < 1 || seed > 0xffffffff)
    throw new RangeError(`seed ${seed} is not in 1 … 2^32 - 1`);
  const common = { seed, tmpfs: findTmpfs(options.tmpfs) };
  if (options.quick) {
    return {
      ...common,
      quick: true,
      rounds: 5,
      sliceMs: 20,
      warmupMs: 60,
      bigNames: 100_000,
      buildLimitMs: 6000,
      totalMs: 30_000,
      scaling: [],
    };
  }
  return {
    ...common,
    quick: false,
    rounds: 15,
    sliceMs: 60,
    warmupMs: 300,
    bigNames: 1_000_000,
    buildLimitMs: 120_000,
    totalMs: Number.POSITIVE_INFINITY,
    scaling: [1000, 10_000, 100_000, 1_000_000],
  };
}

/** @throws Error when a directory was named that is not on a tmpfs */
function findTmpfs(named: string | undefined): string | null {
  const isTmpfs = (dir: string): boolean => fs.existsSync(dir) && fs.statfsSync(dir).type === TMPFS_MAGIC;
  if (named !== undefined) {
    if (!isTmpfs(named)) throw new Error(`${named} is not on a tmpfs`);
    return named;
  }
  return ['/dev/shm', os.tmpdir()].find(isTmpfs) ?? null;
}

export function machineFacts(): BenchResult['machine'] {
  const cpus = os.cpus();
  return {
    platform: `${os.type()} ${os.release().split('-')[0]} ${process.arch}`,
    cpu: cpus[0]?.model ?? 'unknown',
    cpus: cpus.length,
    memoryBytes: os.totalmem(),
  };
}

function columns<T>(value: (name: (typeof CONTESTANTS)[number]) => T | null): Columns<T> {
  return Object.fromEntries(CONTESTANTS.map((name) => [name, value(name)])) as Columns<T>;
}

class Race {
  readonly #plan: Plan;
  readonly #progress: (line: string) => void;
  readonly #start = performance.now();
  #running: ContestantProcess[] = [];
  /** Who lacks which fixture, as "name fixture". */
  readonly #without = new Set<string>();
  readonly #prepared = new Set<string>();

  constructor(plan: Plan, progress: (line: string) => void) {
    this.#plan = plan;
    this.#progress = progress;
  }

  async open(): Promise<void> {
    const started = await Promise.all(CONTESTANTS.map((name) => ContestantProcess.start(name, this.#plan)));
    this.#running = started.filter(({ lost }) => lost === null);
    for (const { name, lost, version } of started) {
      this.#progress(lost === null ? `${name}: ${version}` : `${name} is left out: ${lost}`);
    }
    for (const { name, lost } of started) {
      if (!name.startsWith('damselfly') || lost === null) continue;
      await this.close();
      throw new Error(`${name} did not start: ${lost}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map((contestant) => contestant.close()));
  }

  /** One row. `rowsLeft`, this one included, share the time that is left. */
  async run(operation: Operation, rowsLeft: number): Promise<BenchRow> {
    for (const fixture of operation.needs) await this.#prepare(fixture);
    let entrants = this.#running.filter(
      ({ name }) => !operation.needs.some((f) => this.#without.has(`${name} ${f}`)),
    );
    const slices = new Map<string, Slice[]>();
    const elapsed = performance.now() - this.#start;
    const shareEnd = performance.now() + (this.#plan.totalMs - elapsed) / rowsLeft;
    const { rounds, sliceMs } = this.#plan;
    for (let round = 0; round < rounds && (round === 0 || performance.now() < shareEnd); round++) {
      const first = round % Math.max(1, entrants.length);
      for (const contestant of [...entrants.slice(first), ...entrants.slice(0, first)]) {
        const slice = await this.#slice(contestant, operation.op, sliceMs, round === 0);
        if (slice) slices.set(contestant.name, [...(slices.get(contestant.name) ?? []), slice]);
        else entrants = entrants.filter((other) => other !== contestant);
      }
    }
    const row = summarise(operation, slices);
    this.#progress(
      `${row.op}: ${CONTESTANTS.map((name) => `${name} ${row[name]?.toPrecision(4) ?? '-'}`).join(', ')} ${row.unit}`,
    );
    return row;
  }

  async scale(): Promise<Columns<ScalingPoint[]>> {
    const points = new Map<string, ScalingPoint[]>();
    for (const contestant of this.#running) {
      const list: ScalingPoint[] = [];
      points.set(contestant.name, list);
      for (const names of this.#plan.scaling) {
        try {
          const point = await contestant.scale(names);
          if (point) list.push(point);
        } catch (error) {
          this.#progress(`${contestant.name}: no more than ${names / 10} names: ${messageOf(error)}`);
          break;
        }
      }
      this.#progress(`scaling of ${contestant.name}: done to ${list.at(-1)?.names ?? 0} names`);
    }
    return columns((name) => points.get(name) ?? null);
  }

  /** Nothing is timed here, so all contestants build at once. */
  async #prepare(fixture: string): Promise<void> {
    if (this.#prepared.has(fixture)) return;
    this.#prepared.add(fixture);
    const build = async (contestant: ContestantProcess): Promise<void> => {
      try {
        await contestant.prepare(fixture);
      } catch (error) {
        this.#without.add(`${contestant.name} ${fixture}`);
        this.#progress(`${contestant.name} goes without ${fixture}: ${messageOf(error)}`);
      }
    };
    await Promise.all(this.#running.map(build));
  }

  async #slice(
    contestant: ContestantProcess,
    op: string,
    ms: number,
    warmup: boolean,
  ): Promise<Slice | null> {
    try {
      return await contestant.measure(op, ms, warmup);
    } catch (error) {
      this.#progress(`${contestant.name} fails at ${op}: ${messageOf(error)}`);
      this.#running = this.#running.filter(({ lost }) => lost === null);
      return null;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function summarise({ op, unit }: Operation, slices: ReadonlyMap<string, readonly Slice[]>): BenchRow {
  const medians = (name: string): number[] | null => slices.get(name)?.map((slice) => slice.median) ?? null;
  const ours = medians('damselflyUp');
  return {
    op,
    unit,
    ...columns((name) => {
      const values = medians(name);
      return values && median(values);
    }),
    spread: columns((name) => {
      const values = medians(name);
      return values && ([Math.min(...values), Math.max(...values)] as const);
    }),
    ratio: columns((name) => {
      const values = medians(name);
      if (!ours || !values) return null;
      const both = values.slice(0, ours.length).map((value, i) => value / ours[i]);
      return both.every(Number.isFinite) ? median(both) : null;
    }),
  };
}
