import { type Call, showCall } from './call.ts';
import { Violation } from './machine.ts';
import { type Plan, planOf } from './plan.ts';
import { Session } from './session.ts';
import { shrink, shutDown } from './shrink.ts';
import { Tally } from './tally.ts';

/** Sessions of consecutive seeds, until enough calls were made or one failed. */

export interface Failure {
  seed: number;
  /** The call after which it was found. */
  call: number;
  message: string;
  stack?: string;
}

/** Told how far the session of a seed is. */
export type Progress = (seed: number, made: number) => void;

const PROGRESS_EVERY = 250;

/** One session: its first `calls` calls. A kernel's mistake is returned, any other error thrown. */
export function runSession(
  plan: Plan,
  calls: number,
  tally: Tally,
  progress?: Progress,
  record?: Call[],
): Failure | undefined {
  const session = new Session(plan, tally, record);
  try {
    while (session.made < calls) {
      session.step();
      if (session.made % PROGRESS_EVERY === 0) progress?.(plan.seed, session.made);
    }
    session.check();
    shutDown(session.machine, plan);
    return undefined;
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const stack = error.cause instanceof Error ? error.cause.stack : undefined;
    return { seed: plan.seed, call: session.made, message: error.message, stack };
  }
}

export interface Campaign {
  firstSeed: number;
  calls: number;
}

/** Adds to the tally; ends with the first failure. */
export function runCampaign(
  { firstSeed, calls }: Campaign,
  tally: Tally,
  progress?: Progress,
): Failure | undefined {
  for (let seed = firstSeed; tally.made < calls; seed++) {
    const plan = planOf(seed);
    const failure = runSession(plan, Math.min(plan.calls, calls - tally.made), tally, progress);
    if (failure) return failure;
  }
  return undefined;
}

export function replayCommand({ seed, call }: Failure): string {
  return `make fuzz REPLAY=${seed}:${call}`;
}

const SHOWN = 60;

/** All there is to say, with the fewest calls that can be found in so many milliseconds. */
export function describeFailure(failure: Failure, shrinkMs: number): string {
  const plan = planOf(failure.seed);
  const recorded: Call[] = [];
  const again = runSession(plan, failure.call, new Tally(), undefined, recorded);
  const smallest = again && shrink(plan, recorded, shrinkMs);
  const list = smallest ?? recorded.slice(-20);
  const lines = list.map((call) => `  ${showCall(call)}`);
  if (lines.length > SHOWN) lines.splice(0, lines.length - SHOWN, '  …');
  return [
    `seed ${failure.seed}, call ${failure.call} (${plan.flavour}, ${plan.ramBytes >> 20} MiB): ${failure.message}`,
    ...(failure.stack ? [failure.stack] : []),
    ...(again ? [] : ['(only once: not when made again)']),
    smallest ? `the ${list.length} calls of the smallest case:` : 'the last calls:',
    ...lines,
    `again: ${replayCommand(failure)}`,
  ].join('\n');
}
