/**
 * Does a second CPU help? Two threads on one machine; in each round one of them works alone, then both
 * at once, so that a noisy neighbour meets both alike.
 */
import { Worker } from 'node:worker_threads';
import { bootSync } from '../../machine/boot.ts';
import type { Machine } from '../../machine/machine.ts';
import { median } from '../median.ts';
import {
  GO,
  READY,
  SHARED_WORDS,
  SMP_OPERATIONS,
  type SmpDone,
  type SmpJob,
  type SmpOperation,
  type SmpRow,
} from './types.ts';

const FILE_BYTES = 1 << 20;
const THREADS = 2;

export interface SmpPlan {
  rounds: number;
  sliceMs: number;
  warmupMs: number;
}

/** @throws Error when a thread cannot join */
export async function runSmpRows(plan: SmpPlan, progress: (line: string) => void): Promise<SmpRow[]> {
  const machine = bootSync({ flavour: 'smp', ram: 64 << 20 });
  fill(machine);
  const pair = new Pair(machine);
  try {
    const rows: SmpRow[] = [];
    for (const op of SMP_OPERATIONS) {
      rows.push(await measure(pair, op, plan));
      const { one, two, ratio } = rows[rows.length - 1];
      progress(`${op}: one ${Math.round(one)}, two ${Math.round(two)} op/s, ${ratio.toFixed(2)} ×`);
    }
    return rows;
  } finally {
    await pair.end();
    machine.shutdown();
  }
}

function fill({ fs }: Machine): void {
  for (const name of ['same', 'w0', 'w1']) {
    fs.mkdirSync(`/bench/${name}/dir`, { recursive: true });
    fs.writeFileSync(`/bench/${name}/dir/file`, new Uint8Array(FILE_BYTES).fill(7));
  }
}

async function measure(
  pair: Pair,
  op: SmpOperation,
  { rounds, sliceMs, warmupMs }: SmpPlan,
): Promise<SmpRow> {
  await pair.run({ op, ms: warmupMs }, THREADS);
  const one: number[] = [];
  const two: number[] = [];
  for (let round = 0; round < rounds; round++) {
    one.push(await pair.run({ op, ms: sliceMs }, 1));
    two.push(await pair.run({ op, ms: sliceMs }, THREADS));
  }
  const ratio = median(two.map((value, i) => value / one[i]));
  return { op, unit: 'op/s', one: median(one), two: median(two), ratio };
}

/** Two threads that start at the same moment. */
class Pair {
  readonly #workers: Worker[];
  readonly #shared = new Int32Array(new SharedArrayBuffer(4 * SHARED_WORDS));

  constructor(machine: Machine) {
    this.#workers = Array.from({ length: THREADS }, (_, index) => {
      const ticket = machine.ticket();
      const workerData = { ticket, index, shared: this.#shared };
      const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData });
      machine.attend(worker, ticket);
      return worker;
    });
  }

  /** Operations per second of the first `threads`, together. */
  async run(job: SmpJob, threads: number): Promise<number> {
    const shared = this.#shared;
    Atomics.store(shared, READY, 0);
    const results = this.#workers.slice(0, threads).map(
      (worker) =>
        new Promise<SmpDone>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
          worker.postMessage(job);
        }),
    );
    while (Atomics.load(shared, READY) < threads) await new Promise((resolve) => setTimeout(resolve, 1));
    Atomics.add(shared, GO, 1);
    Atomics.notify(shared, GO);
    const done = await Promise.all(results);
    return done.reduce((sum, { operations, ms }) => sum + (operations / ms) * 1000, 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
