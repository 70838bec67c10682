/** The cases of the quick and of the full pass, and what they add up to. */
import type { CrashOptions, CrashSpec } from '../../host/devices/crash.ts';
import type { Explorer, Violation } from './explore.ts';
import { OPERATIONS, SYNCS } from './operations.ts';
import type { Workload } from './record.ts';
import { FORMATS } from './volume.ts';

/** As the two kinds of workloads are drawn from; see docs/crashes.md. */
export const SINGLE: CrashOptions = { exhaustive: 10, samples: 1000, torn: 2 };
export const PAIR: CrashOptions = { exhaustive: 10, samples: 50, torn: 2 };

const names = OPERATIONS.map(({ name }) => name);

/** Each operation alone, each way to sync it, on each format. */
export function singles(): Workload[] {
  return FORMATS.flatMap(({ name: format }) =>
    names.flatMap((name) => SYNCS.map((sync): Workload => ({ format, operations: [name], sync }))),
  );
}

/** Each operation before each, the format and the way to sync taken in turn. */
export function pairs(): Workload[] {
  let turn = 0;
  return names.flatMap((first) =>
    names.map((second): Workload => {
      const { name: format } = FORMATS[turn % FORMATS.length];
      const sync = SYNCS[Math.floor(turn++ / FORMATS.length) % SYNCS.length];
      return { format, operations: [first, second], sync };
    }),
  );
}

export interface Totals {
  workloads: number;
  states: number;
  /** States by operation. */
  readonly byOperation: Map<string, number>;
}

export const newTotals = (): Totals => ({ workloads: 0, states: 0, byOperation: new Map() });

/** Explore workloads in order, until `enough` says so or one is wrong. */
export function runCampaign(
  explorer: Explorer,
  workloads: readonly Workload[],
  options: (workload: Workload) => CrashOptions,
  totals: Totals,
  step: (workload: Workload) => boolean = () => true,
): Violation | undefined {
  for (const workload of workloads) {
    if (!step(workload)) return undefined;
    const { states, violation } = explorer.explore(workload, options(workload));
    totals.workloads++;
    totals.states += states;
    for (const name of workload.operations)
      totals.byOperation.set(name, (totals.byOperation.get(name) ?? 0) + states);
    if (violation) return violation;
  }
  return undefined;
}

export interface Case {
  readonly workload: Workload;
  readonly spec: CrashSpec;
}

export function describe({ workload, spec, message }: Violation): string {
  const { format, operations, sync, options = '' } = workload;
  const replay = JSON.stringify({ workload, spec } satisfies Case);
  return [
    `${operations.join(' + ')}, sync: ${sync}, on ${format} ${options}: after a crash with ${spec.cut} requests done:`,
    message,
    `again: make crash REPLAY='${replay}'`,
  ].join('\n');
}
