/**
 * One slice of measuring: batches of about a millisecond, each a sample, and tinybench's
 * statistics over them. tinybench takes samples that were timed elsewhere (`overriddenDuration`),
 * so an operation of 10 ns is measured by batches of 100,000, and the C program's own clock
 * readings go through the same statistics. A sample may be in any unit: it is never mixed with a
 * time that tinybench itself took.
 */
import { Bench } from 'tinybench';
import type { Sample } from './ops.ts';
import type { Slice } from './types.ts';

const BATCH_MS = 1;
const COUNT_MAX = 1 << 20;
const SAMPLES_MIN = 3;

export type Sampler = (count: number) => Sample | Promise<Sample>;

/** A sampler with the batch size found for it so far. */
export class Meter {
  readonly #sampler: Sampler;
  #count = 1;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  /** Runs for `ms`, so that the engine has compiled what it will compile. */
  async warmUp(ms: number): Promise<void> {
    for (let spent = 0; spent < ms; ) spent += await this.#adjust();
  }

  /** Batches for about `sliceMs`, at least three. */
  async slice(op: string, sliceMs: number): Promise<Slice> {
    await this.#adjust();
    const count = this.#count;
    return statistics(op, sliceMs, SAMPLES_MIN, () => this.#sampler(count));
  }

  /** One batch that counts for nothing but the next one's size. Returns its cost, ms. */
  async #adjust(): Promise<number> {
    const { costMs } = await this.#sampler(this.#count);
    const wanted = Math.round((this.#count * BATCH_MS) / Math.max(costMs, 1e-3));
    this.#count = Math.max(1, Math.min(wanted, this.#count * 8, COUNT_MAX));
    return Math.max(costMs, 1e-3);
  }
}

/** Statistics of samples that were taken already. */
export function statisticsOf(op: string, samples: readonly number[]): Promise<Slice> {
  let at = 0;
  return statistics(op, 0, samples.length, () => ({ perOp: samples[at++ % samples.length], costMs: 0 }));
}

async function statistics(
  op: string,
  timeMs: number,
  iterations: number,
  sample: () => Sample | Promise<Sample>,
): Promise<Slice> {
  const bench = new Bench({ name: op, time: timeMs, iterations, warmup: false, throws: true });
  bench.add(
    op,
    async () => {
      const { perOp, costMs } = await sample();
      return { overriddenDuration: perOp, overriddenIterationCost: costMs };
    },
    { async: true },
  );
  const [task] = await bench.run();
  const { result } = task;
  if (result.state !== 'completed') throw new Error(`${op}: ${result.state}`);
  return { median: result.latency.p50, mad: result.latency.mad, samples: result.latency.samplesCount };
}
