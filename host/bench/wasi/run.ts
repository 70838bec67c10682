/**
 * The WASI rows: each contestant in a process of its own, all in the same current Node; in each round
 * every one does every operation, one at a time, in an order that rotates from round to round.
 */
import { type ChildProcess, fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { askChild } from '../ask.ts';
import { median } from '../median.ts';
import { GUEST_TEXT } from './guest.ts';
import {
  WASI_CONTESTANTS,
  WASI_OPS,
  type WasiColumns,
  type WasiContestant,
  type WasiOp,
  type WasiPlan,
  type WasiReply,
  type WasiRequest,
  type WasiResult,
  type WasiRow,
} from './types.ts';

/** Where the tests keep a current Node, from the repository's root. */
const NODE = 'test/node-current/node_modules/node/bin/node';

/** The current Node that the tests use, or undefined where it is not installed (`make node-current`). */
export function findCurrentNode(): string | undefined {
  let dir = path.dirname(fileURLToPath(import.meta.url));
  for (; dir !== path.dirname(dir); dir = path.dirname(dir)) {
    const node = path.join(dir, NODE);
    if (fs.existsSync(node)) return node;
  }
  return undefined;
}

// Held in a variable so that neither compiler nor bundler follows the name of an optional package.
const WABT: string = 'wabt';

interface Wabt {
  parseWat(name: string, text: string): { toBinary(options: object): { buffer: Uint8Array } };
}

async function assemble(file: string): Promise<void> {
  const { default: wabt } = (await import(WABT)) as { default: () => Promise<Wabt> };
  fs.writeFileSync(file, (await wabt()).parseWat('guest.wat', GUEST_TEXT).toBinary({}).buffer);
}

class WasiProcess {
  readonly name: WasiContestant;
  readonly #child: ChildProcess;

  constructor(name: WasiContestant, node: string) {
    this.name = name;
    const worker = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    this.#child = fork(fileURLToPath(new URL(worker, import.meta.url)), {
      execPath: node,
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  async open(plan: WasiPlan): Promise<void> {
    await this.#ask({ type: 'open', contestant: this.name, plan });
  }

  async measure(op: WasiOp, ms: number): Promise<number> {
    return (await this.#ask({ type: 'measure', op, ms })).median ?? Number.NaN;
  }

  async close(): Promise<void> {
    if (this.#child.connected) await this.#ask({ type: 'close' }).catch(() => {});
    this.#child.kill();
  }

  #ask(request: WasiRequest): Promise<Extract<WasiReply, { type: 'done' }>> {
    return askChild(this.#child, request);
  }
}

/** @returns null where there is no current Node. @throws Error when Damselfly itself cannot take part */
export async function runWasiRows(
  options: { quick: boolean; tmpfs: string },
  progress: (line: string) => void,
): Promise<WasiResult | null> {
  const node = findCurrentNode();
  if (node === undefined) {
    progress(`the WASI rows are left out: ${NODE} is not there (make node-current)`);
    return null;
  }
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-bench-guest-'));
  const guest = path.join(directory, 'guest.wasm');
  const { quick, tmpfs } = options;
  const plan: WasiPlan = {
    rounds: quick ? 5 : 15,
    sliceMs: quick ? 60 : 100,
    warmupMs: 300,
    tmpfs,
    node,
    guest,
  };
  try {
    await assemble(guest);
    return await race(plan, progress);
  } finally {
    fs.rmSync(directory, { recursive: true });
  }
}

async function race(plan: WasiPlan, progress: (line: string) => void): Promise<WasiResult> {
  const missing: WasiResult['missing'] = {};
  const all = WASI_CONTESTANTS.map((name) => new WasiProcess(name, plan.node));
  const running: WasiProcess[] = [];
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
    for (const name of ['damselflyGate', 'damselflyJs'] as const) {
      if (missing[name] !== undefined) throw new Error(`${name} did not start: ${missing[name]}`);
    }
    const rows: WasiRow[] = [];
    for (const op of WASI_OPS) {
      const row = summarise(op, await measure(op, running, plan));
      rows.push(row);
      const cells = WASI_CONTESTANTS.map((name) => `${name} ${row[name]?.toPrecision(4) ?? '-'}`);
      progress(`${op}: ${cells.join(', ')} ns`);
    }
    return { node: versionOf(plan.node), rounds: plan.rounds, rows, missing };
  } finally {
    await Promise.all(all.map((contestant) => contestant.close()));
  }
}

/** The package that holds the Node says its version. */
function versionOf(node: string): string {
  const manifest = path.join(path.dirname(path.dirname(node)), 'package.json');
  return `v${(JSON.parse(fs.readFileSync(manifest, 'utf8')) as { version: string }).version}`;
}

async function measure(op: WasiOp, running: WasiProcess[], plan: WasiPlan): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < plan.rounds; round++) {
    const first = round % running.length;
    for (const contestant of [...running.slice(first), ...running.slice(0, first)]) {
      const ns = await contestant.measure(op, plan.sliceMs);
      times.set(contestant.name, [...(times.get(contestant.name) ?? []), ns]);
    }
  }
  return times;
}

function columns<T>(value: (name: WasiContestant) => T | null): WasiColumns<T> {
  return Object.fromEntries(WASI_CONTESTANTS.map((name) => [name, value(name)])) as WasiColumns<T>;
}

function summarise(op: WasiOp, times: ReadonlyMap<string, readonly number[]>): WasiRow {
  const ours = times.get('damselflyGate') ?? [];
  return {
    op,
    unit: 'ns',
    ...columns((name) => {
      const values = times.get(name);
      return values === undefined ? null : median(values);
    }),
    spread: columns((name) => {
      const values = times.get(name);
      return values === undefined ? null : ([Math.min(...values), Math.max(...values)] as const);
    }),
    ratio: columns((name) => {
      const values = times.get(name);
      return values === undefined ? null : median(values.map((value, i) => value / ours[i]));
    }),
  };
}
