/** The process of one contestant of the WASI rows, in the current Node: it does what run.ts asks. */
import { Meter } from '../measure.ts';
import { openSubject, type Subject } from './contestants.ts';
import { LOOPS } from './guest.ts';
import type { WasiOp, WasiPlan, WasiReply, WasiRequest } from './types.ts';

let subject: Subject | undefined;
let plan: WasiPlan | undefined;
const meters = new Map<WasiOp, Meter>();

function meterOf({ exports }: Subject, op: WasiOp): Meter {
  const loop = exports[LOOPS[op]] as (n: number) => void;
  return new Meter((count) => {
    const start = performance.now();
    loop(count);
    const costMs = performance.now() - start;
    return { perOp: (costMs * 1e6) / count, costMs };
  });
}

async function serve(request: WasiRequest): Promise<WasiReply> {
  if (request.type === 'open') {
    plan = request.plan;
    subject = await openSubject(request.contestant, plan);
    return { type: 'done', version: subject.version };
  }
  if (subject === undefined || plan === undefined) throw new Error('not open');
  if (request.type === 'close') {
    subject.close();
    return { type: 'done' };
  }
  const { op } = request;
  let meter = meters.get(op);
  if (meter === undefined) {
    meter = meterOf(subject, op);
    meters.set(op, meter);
    await meter.warmUp(plan.warmupMs);
  }
  return { type: 'done', median: (await meter.slice(op, request.ms)).median };
}

process.on('message', (request: WasiRequest) => {
  serve(request)
    .catch((error: unknown): WasiReply => ({ type: 'failed', reason: String(error) }))
    .then((reply) => {
      process.send?.(reply);
      if (request.type === 'close') process.disconnect();
    });
});
