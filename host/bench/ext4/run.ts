/**
 * The ext4 rows: each contestant in a process of its own; in each round every one takes every step, one
 * at a time, in an order that rotates from round to round.
 */
import { type ChildProcess, fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { askChild } from '../ask.ts';
import { median } from '../median.ts';
import {
  DISK_CONTESTANTS,
  DISK_OPS,
  type DiskColumns,
  type DiskContestant,
  type DiskOp,
  type DiskPlan,
  type DiskReply,
  type DiskRequest,
  type DiskResult,
  type DiskRow,
  type TreeFacts,
} from './types.ts';

const MIB = 2 ** 20;

export function diskPlan(quick: boolean, tmpfs: string): DiskPlan {
  return {
    source: findNodeModules(),
    maxFiles: quick ? 4000 : Number.MAX_SAFE_INTEGER,
    maxBytes: quick ? 64 * MIB : Number.MAX_SAFE_INTEGER,
    rounds: quick ? 3 : 7,
    tmpfs,
    diskBytes: (quick ? 512 : 2048) * MIB,
    ramBytes: (quick ? 768 : 2048) * MIB,
    seqBytes: 256 * MIB,
  };
}

/** The packages that this one lies among, or has. @throws Error when there are none */
function findNodeModules(): string {
  for (
    let dir = path.dirname(fileURLToPath(import.meta.url));
    dir !== path.dirname(dir);
    dir = path.dirname(dir)
  ) {
    if (path.basename(dir) === 'node_modules') return fs.realpathSync(dir);
    const inside = path.join(dir, 'node_modules');
    if (fs.existsSync(inside)) return fs.realpathSync(inside);
  }
  throw new Error('there is no node_modules to copy');
}

class DiskProcess {
  readonly name: DiskContestant;
  tree: TreeFacts | undefined;
  readonly #child: ChildProcess;

  constructor(name: DiskContestant) {
    this.name = name;
    const worker = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    this.#child = fork(fileURLToPath(new URL(worker, import.meta.url)), {
      execArgv: [...process.execArgv, '--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  async open(plan: DiskPlan): Promise<void> {
    this.tree = (await this.#ask({ type: 'open', contestant: this.name, plan })).tree;
  }

  async step(op: DiskOp): Promise<number> {
    return (await this.#ask({ type: 'step', op })).ms ?? Number.NaN;
  }

  async close(): Promise<void> {
    if (this.#child.connected) await this.#ask({ type: 'close' }).catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
  }

  #ask(request: DiskRequest): Promise<Extract<DiskReply, { type: 'done' }>> {
    return askChild(this.#child, request);
  }
}

/** @throws Error when Damselfly itself cannot take part */
export async function runDiskRows(plan: DiskPlan, progress: (line: string) => void): Promise<DiskResult> {
  const missing: DiskResult['missing'] = {};
  const all = DISK_CONTESTANTS.map((name) => new DiskProcess(name));
  const running: DiskProcess[] = [];
  try {
    for (const contestant of all) {
      try {
        await contestant.open(plan);
        running.push(contestant);
      } catch (error) {
        missing[contestant.name] = (error as Error).message;
        progress(`${contestant.name} is left out: ${(error as Error).message}`);
      }
    }
    const tree = running.find(({ name }) => name === 'damselflyUp')?.tree;
    if (tree === undefined) throw new Error(`damselflyUp did not start: ${missing.damselflyUp}`);
    const times = await race(running, plan, progress);
    const { rounds, seqBytes } = plan;
    return { tree, seqBytes, rounds, rows: DISK_OPS.map((op) => summarise(op, times)), missing };
  } finally {
    await Promise.all(all.map((contestant) => contestant.close()));
  }
}

type Times = Map<string, number[]>;

async function race(
  running: DiskProcess[],
  plan: DiskPlan,
  progress: (line: string) => void,
): Promise<Times> {
  const times: Times = new Map();
  // The first round warms everybody up, and does not count.
  for (let round = -1; round < plan.rounds; round++) {
    const first = (round + 1) % running.length;
    for (const contestant of [...running.slice(first), ...running.slice(0, first)]) {
      const line: string[] = [];
      for (const op of DISK_OPS) {
        const ms = await contestant.step(op);
        const key = `${contestant.name} ${op}`;
        if (round >= 0) times.set(key, [...(times.get(key) ?? []), ms]);
        line.push(`${op.replace('ext4_', '')} ${ms.toFixed(0)}`);
      }
      progress(`round ${round + 1} of ${plan.rounds}, ${contestant.name}, ms: ${line.join(', ')}`);
    }
  }
  return times;
}

function columns<T>(value: (name: DiskContestant) => T | null): DiskColumns<T> {
  return Object.fromEntries(DISK_CONTESTANTS.map((name) => [name, value(name)])) as DiskColumns<T>;
}

function summarise(op: DiskOp, times: Times): DiskRow {
  const of = (name: string) => times.get(`${name} ${op}`);
  const ours = of('damselflyUp') ?? [];
  return {
    op,
    unit: 'ms',
    ...columns((name) => {
      const values = of(name);
      return values === undefined ? null : median(values);
    }),
    spread: columns((name) => {
      const values = of(name);
      return values === undefined ? null : ([Math.min(...values), Math.max(...values)] as const);
    }),
    ratio: columns((name) => {
      const values = of(name);
      return values === undefined ? null : median(values.map((value, i) => value / ours[i]));
    }),
  };
}
