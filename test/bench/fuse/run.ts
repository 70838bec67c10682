/**
 * The rows measured through mounts:
 *
 *     node run.js [--quick] [--rounds N] [--rows A,B] [--prof DIRECTORY] > RESULT.json
 *
 * All contestants are mounted at once. In each round every one takes every step, one at a time, in an order that
 * rotates from round to round; the first round warms everybody up, and does not count. --prof has each server write a
 * profile of its processor time there. Where it cannot run, it says why, and the result says so too.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { median } from '../../../host/bench/median.ts';
import { machineFacts } from '../../../host/bench/run.ts';
import { mountContestant, type Mounted } from './contestants.ts';
import {
  MOUNT_CONTESTANTS,
  MOUNT_OP_NAMES,
  MOUNT_OPS,
  type MountColumns,
  type MountOp,
  type MountPlan,
  type MountResult,
  type MountRow,
} from './types.ts';
import { type Fixture, makeArchive, prepare, STEPS } from './workloads.ts';

const TMPFS_MAGIC = 0x01021994;
const MIB = 2 ** 20;
const progress = (line: string) => void process.stderr.write(`${line}\n`);

/** Why nothing can be measured here. */
function obstacle(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has FUSE as it is spoken here';
  if (process.getuid?.() !== 0) return 'mounting all contestants takes root';
  try {
    fs.closeSync(fs.openSync('/dev/fuse', 'r+'));
  } catch (error) {
    return `/dev/fuse cannot be opened (${(error as Error).message})`;
  }
  if (!fs.existsSync('/dev/shm') || fs.statfsSync('/dev/shm').type !== TMPFS_MAGIC)
    return '/dev/shm is no tmpfs';
  const missing = ['dbench', 'fio', 'tar', 'find', 'mount'].filter(
    (tool) => spawnSync('which', [tool]).status !== 0,
  );
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')} (make system-bench)`;
}

function planOf(quick: boolean, rounds: number | undefined, ops: readonly MountOp[]): MountPlan {
  const common = { quick, tmpfs: '/dev/shm', ops, fioBytes: 64 * MIB };
  return quick
    ? { ...common, rounds: rounds ?? 1, files: 2000, fioMs: 300, dbenchSeconds: 2 }
    : { ...common, rounds: rounds ?? 5, files: 10_000, fioMs: 2000, dbenchSeconds: 4 };
}

type Values = Map<string, number[]>;

async function race(running: readonly Mounted[], plan: MountPlan, fixture: Fixture): Promise<Values> {
  const values: Values = new Map();
  for (let round = plan.quick ? 0 : -1; round < plan.rounds; round++) {
    for (const op of plan.ops) {
      const first = (round + 1) % running.length;
      const line: string[] = [];
      for (const { name, at } of [...running.slice(first), ...running.slice(0, first)]) {
        const value = STEPS[op](at, plan, fixture);
        const key = `${name} ${op}`;
        if (round >= 0) values.set(key, [...(values.get(key) ?? []), value]);
        line.push(`${name} ${value.toPrecision(4)}`);
        // whoever ended or gave an answer that is late is heard
        await new Promise((resolve) => setImmediate(resolve));
      }
      progress(`round ${round + 1} of ${plan.rounds}, ${op}, ${MOUNT_OPS[op].unit}: ${line.join(', ')}`);
    }
  }
  return values;
}

function columns<T>(value: (name: (typeof MOUNT_CONTESTANTS)[number]) => T | null): MountColumns<T> {
  return Object.fromEntries(MOUNT_CONTESTANTS.map((name) => [name, value(name)])) as MountColumns<T>;
}

function summarise(op: MountOp, values: Values): MountRow {
  const { unit } = MOUNT_OPS[op];
  const of = (name: string) => values.get(`${name} ${op}`);
  const peer = of('passthrough');
  return {
    op,
    unit,
    ...columns((name) => {
      const list = of(name);
      return list === undefined ? null : median(list);
    }),
    spread: columns((name) => {
      const list = of(name);
      return list === undefined ? null : ([Math.min(...list), Math.max(...list)] as const);
    }),
    speed: columns((name) => {
      const list = of(name);
      if (list === undefined || peer === undefined) return null;
      return median(list.map((value, i) => (unit === 'ms' ? peer[i] / value : value / peer[i])));
    }),
  };
}

async function measure(plan: MountPlan, prof: string | undefined): Promise<MountResult> {
  const { quick, rounds, fioBytes, ops } = plan;
  const missing: MountResult['missing'] = {};
  const running: Mounted[] = [];
  const flags = prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${prof}`];
  const fixture = makeArchive(plan);
  try {
    for (const name of MOUNT_CONTESTANTS) {
      try {
        const mounted = await mountContestant(name, plan, flags);
        running.push(mounted);
        prepare(mounted.at, plan);
      } catch (error) {
        missing[name] = (error as Error).message.trim();
        progress(`${name} is left out: ${missing[name]}`);
      }
    }
    const values = await race(running, plan, fixture);
    const rows = ops.map((op) => summarise(op, values));
    return {
      node: process.version,
      machine: machineFacts(),
      quick,
      rounds,
      tree: fixture.tree,
      fioBytes,
      rows,
      missing,
    };
  } finally {
    fs.rmSync(fixture.archive);
    for (const mounted of running) await mounted.end();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      rows: { type: 'string' },
      prof: { type: 'string' },
    },
  });
  const rows = values.rows?.split(',') as MountOp[] | undefined;
  const unknown = rows?.find((op) => !MOUNT_OP_NAMES.includes(op));
  if (unknown !== undefined)
    throw new RangeError(`there is no row '${unknown}'; there are: ${MOUNT_OP_NAMES.join(', ')}`);
  const plan = planOf(
    values.quick,
    values.rounds === undefined ? undefined : Number(values.rounds),
    MOUNT_OP_NAMES.filter((op) => rows?.includes(op) ?? true),
  );
  const skipped = obstacle();
  if (skipped !== undefined) progress(`rows through mounts are left out: ${skipped}`);
  const result =
    skipped === undefined
      ? await measure(plan, values.prof)
      : { node: process.version, machine: machineFacts(), quick: values.quick, skipped };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await main();
