/**
 * The process a contestant runs in: one each, so that no one's heap, compiled code or inline
 * caches are another's burden. It does what the coordinator (run.ts) asks, one request at a time.
 */
import { openSubject } from './contestants.ts';
import { type FixtureName, Stage } from './fixture.ts';
import { Meter } from './measure.ts';
import { NativeProgram } from './native.ts';
import { consumed, OPERATIONS } from './ops.ts';
import { scale } from './scale.ts';
import type { ContestantName, Plan, Reply, Request, ScalingPoint, Slice } from './types.ts';

interface Runner {
  readonly version: string;
  prepare(fixture: string): void | Promise<void>;
  measure(op: string, sliceMs: number, warmupMs: number): Promise<Slice | null>;
  scale(names: number): ScalingPoint | Promise<ScalingPoint>;
  close(): void;
}

class FsRunner implements Runner {
  readonly version: string;
  readonly #stage: Stage;
  readonly #plan: Plan;
  readonly #meters = new Map<string, Meter | null>();

  constructor(stage: Stage, plan: Plan) {
    this.version = stage.subject.version;
    this.#stage = stage;
    this.#plan = plan;
  }

  prepare(fixture: string): void {
    this.#stage.build(fixture as FixtureName, this.#plan.buildLimitMs);
  }

  async measure(name: string, sliceMs: number, warmupMs: number): Promise<Slice | null> {
    let meter = this.#meters.get(name);
    if (meter === undefined) {
      const operation = OPERATIONS.find(({ op }) => op === name);
      if (!operation) throw new Error(`no operation ${name}`);
      const sampler = operation.bind(this.#stage);
      meter = sampler && new Meter(sampler);
      this.#meters.set(name, meter);
    }
    if (!meter) return null;
    if (warmupMs > 0) await meter.warmUp(warmupMs);
    return meter.slice(name, sliceMs);
  }

  scale(names: number): ScalingPoint {
    return scale(this.#stage, names, this.#plan.buildLimitMs);
  }

  close(): void {
    this.#stage.close();
  }
}

let runner: Runner | null = null;
let plan: Plan | null = null;

async function open(contestant: ContestantName, given: Plan): Promise<Runner> {
  if (contestant === 'native') return NativeProgram.open(given);
  return new FsRunner(new Stage(await openSubject(contestant, given), given.bigNames, given.seed), given);
}

async function serve(request: Request): Promise<Reply> {
  if (request.type === 'open') {
    plan = request.plan;
    runner = await open(request.contestant, plan);
    return { type: 'done', version: runner.version };
  }
  if (!runner || !plan) throw new Error('not open');
  switch (request.type) {
    case 'prepare':
      await runner.prepare(request.fixture);
      return { type: 'done' };
    case 'measure':
      return {
        type: 'done',
        slice: await runner.measure(request.op, request.sliceMs, request.warmup ? plan.warmupMs : 0),
      };
    case 'scale':
      return { type: 'done', point: await runner.scale(request.names) };
    case 'close':
      runner.close();
      return { type: 'done' };
  }
}

process.on('message', (request: Request) => {
  serve(request)
    .catch(
      (error: unknown): Reply => ({
        type: 'failed',
        reason: error instanceof Error ? error.message : String(error),
      }),
    )
    .then((reply) => {
      process.send?.(reply);
      if (request.type === 'close') process.disconnect();
    });
});

// The coordinator is gone: so is the reason to be here, and the files on the host's tmpfs.
process.on('disconnect', () => {
  process.exitCode = Number.isNaN(consumed()) ? 1 : 0;
});
