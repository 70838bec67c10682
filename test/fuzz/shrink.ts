import { checkRam } from '../helpers/ram.ts';
import type { Call } from './call.ts';
import { FuzzMachine, Violation } from './machine.ts';
import type { Plan } from './plan.ts';

/** Recorded calls made again on a fresh machine, and thinned out while they still fail. */

/** What a machine without a fuzzer's knowledge can show: traps, panics, torn RAM, leaks. */
interface Finding {
  message: string;
  /** Calls made until then. */
  made: number;
}

const CHECK_EVERY = 500;

/** Frames that a machine which nobody used has left after its shutdown. */
const idle = new Map<string, number>();

function idleFrames(plan: Plan): number {
  const key = `${plan.flavour}:${plan.ramBytes}`;
  let frames = idle.get(key);
  if (frames === undefined) {
    const machine = new FuzzMachine(plan);
    machine.kernel.machine_shutdown();
    frames = machine.framesFree;
    idle.set(key, frames);
  }
  return frames;
}

/**
 * End a machine: all its objects must go, and every frame come back.
 * @throws Violation
 */
export function shutDown(machine: FuzzMachine, plan: Plan): void {
  const wanted = idleFrames(plan);
  // nothing is to fail any more
  machine.kernel.fault_arm(0);
  machine.kernel.machine_resume(0);
  const leaks = machine.perform({ name: 'machine_shutdown', args: [], patches: [] });
  if (leaks !== 0)
    throw new Violation(`shutdown left ${leaks} objects: ${machine.log().split('\n').slice(-6).join('; ')}`);
  if (machine.framesFree !== wanted)
    throw new Violation(`shutdown left ${wanted - machine.framesFree} frames in use`);
  try {
    checkRam(machine);
  } catch (error) {
    throw new Violation(`after shutdown: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function attempt(plan: Plan, calls: readonly Call[], checkEach: number): Finding | undefined {
  let made = 0;
  try {
    const machine = new FuzzMachine(plan);
    for (const call of calls) {
      made++;
      machine.perform(call);
      if (made % checkEach === 0) checkRam(machine);
    }
    checkRam(machine);
    shutDown(machine, plan);
    return undefined;
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error), made };
  }
}

/** What tells two findings apart: the message without its numbers. */
function kind(message: string): string {
  return message.replace(/0x[0-9a-f]+|\d+/g, 'N').slice(0, 60);
}

/**
 * The fewest of these calls found that still fail in the same way, or undefined if they do not fail by
 * themselves (what the fuzzer knows of its calls was needed to see it).
 */
export function shrink(plan: Plan, recorded: readonly Call[], milliseconds: number): Call[] | undefined {
  const first = attempt(plan, recorded, CHECK_EVERY);
  if (!first) return undefined;
  const wanted = kind(first.message);
  const until = Date.now() + milliseconds;
  const fails = (list: readonly Call[]): Finding | undefined => {
    const found = attempt(plan, list, list.length < 300 ? 1 : CHECK_EVERY);
    return found && kind(found.message) === wanted ? found : undefined;
  };
  let list = recorded.slice(0, first.made);
  for (let size = list.length >> 1; size > 0; size >>= 1) {
    for (let at = list.length - size; at >= 0 && Date.now() < until; at -= size) {
      const shorter = [...list.slice(0, at), ...list.slice(at + size)];
      const found = fails(shorter);
      if (found) list = shorter.slice(0, found.made);
    }
    // what was needed by calls that have gone may go too
    if (size === 1 && list.length > 0 && Date.now() < until) {
      const before = list.length;
      for (let at = list.length - 1; at >= 0 && Date.now() < until; at--) {
        const shorter = list.filter((_, i) => i !== at);
        if (fails(shorter)) list = shorter;
      }
      if (list.length < before) size = 2;
    }
  }
  return list;
}
