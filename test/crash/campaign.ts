/** The cases of the quick and of the full pass, and what they add up to. */
import type { CrashOptions, CrashSpec } from '../../host/devices/crash.ts';
import { type Explored, type Explorer, nothing, type Violation } from './explore.ts';
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

export interface Totals extends Explored {
  workloads: number;
  /** States by operation. */
  readonly byOperation: Map<string, number>;
}

export const newTotals = (): Totals => ({ ...nothing(), workloads: 0, byOperation: new Map() });

export function add(totals: Totals, { operations }: Workload, explored: Explored): void {
  totals.workloads++;
  for (const key of ['states', 'mounts', 'sampled', 'torn', 'refused', 'mended'] as const) {
    totals[key] += explored[key];
  }
  for (const content of explored.contents) totals.contents.add(content);
  for (const name of operations) {
    totals.byOperation.set(name, (totals.byOperation.get(name) ?? 0) + explored.states);
  }
  totals.violation ??= explored.violation;
}

export function describeTotals({ torn, refused, mended, ...totals }: Totals): string {
  return [
    `${totals.workloads} workloads, ${totals.states} crash states, ${totals.contents.size} distinct disk contents;`,
    `${totals.mounts} mounts, all checked, ${totals.sampled} by e2fsck too;`,
    `superblocks of two halves: ${torn}, of which ${refused} are refused and ${mended} mended by e2fsck, then judged`,
  ].join(' ');
}

/** Explore workloads in order, until one is wrong. */
export function runCampaign(
  explorer: Explorer,
  workloads: readonly Workload[],
  options: CrashOptions,
  totals: Totals,
): Violation | undefined {
  for (const workload of workloads) {
    add(totals, workload, explorer.explore(workload, options));
    if (totals.violation) return totals.violation;
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
