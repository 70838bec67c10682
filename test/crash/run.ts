import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildVariant } from '../model/variant.ts';
import { repositoryRoot } from '../oracle/root.ts';
import {
  add,
  type Case,
  describe,
  describeTotals,
  newTotals,
  PAIR,
  pairs,
  SINGLE,
  singles,
} from './campaign.ts';
import { Explorer } from './explore.ts';
import { OPERATIONS } from './operations.ts';
import { PLANTS } from './plants.ts';
import { explore, type Task } from './parallel.ts';
import type { Workload } from './record.ts';
import type { Kernel } from './volume.ts';

/**
 * The campaign of crashes as a command: `make crash`. Exit code 0: nothing is wrong (with --plant: something
 * is); 1: not so; 2: bad arguments.
 */

const HELP = `usage: run [options]
  --states N      distinct disk contents at least (100000)
  --seed N        what subsets are drawn by (1)
  --flavour F     up (default) or up-debug
  --jobs N        workloads at a time (as many as there are processors)
  --replay JSON   one state again, as a failure prints it
  --plant NAME    with a bug planted, which must show: ${PLANTS.map(({ name }) => name).join(', ')}
`;

const REPORT_MS = 10_000;

function options() {
  return parseArgs({
    options: {
      states: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      flavour: { type: 'string', default: 'up' },
      replay: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      plant: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

function kernelOf(file: string, flavour: string): Kernel {
  return { module: new WebAssembly.Module(readFileSync(file)), flavour: flavour as Kernel['flavour'] };
}

const say = (text: string) => process.stdout.write(`${text}\n`);

/** The workloads in an order in which any part of it has all operations and formats. */
function spread(workloads: readonly Workload[], seed: number): Workload[] {
  const keyed = workloads.map((workload, i) => ({ workload, key: Math.imul(i + seed, 0x9e3779b1) >>> 0 }));
  return keyed.sort((a, b) => a.key - b.key).map(({ workload }) => workload);
}

/** Every workload in turn, and again with other seeds. */
function* tasks(seed: number, more: string): Generator<Task> {
  const all = spread([...singles(), ...pairs()], seed).map((one) => ({ ...one, options: more || undefined }));
  for (let round = seed; ; round++) {
    for (const workload of all) {
      const options = workload.operations.length === 1 ? SINGLE : PAIR;
      yield { workload, options: { ...options, seed: round }, round };
    }
  }
}

async function campaign(
  kernel: Kernel,
  wanted: number,
  seed: number,
  jobs: number,
  more = '',
): Promise<number> {
  const totals = newTotals();
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  let reported = started;
  await explore(kernel, tasks(seed, more), jobs, (task, explored) => {
    add(totals, task.workload, explored);
    if (Date.now() - reported > REPORT_MS) {
      reported = Date.now();
      process.stderr.write(`${seconds()}: ${describeTotals(totals)}\n`);
    }
    // every workload is run, however soon there are contents enough
    return totals.violation === undefined && (task.round === seed || totals.contents.size < wanted);
  });
  say(`${describeTotals(totals)}; ${seconds()}, ${jobs} at a time`);
  for (const { name } of OPERATIONS) say(`  ${name.padEnd(24)} ${totals.byOperation.get(name) ?? 0} states`);
  const { violation } = totals;
  if (violation) say(`VIOLATION, seed ${seed}\n${describe(violation)}`);
  else say('nothing is wrong');
  return violation ? 1 : 0;
}

async function planted(name: string, wanted: number, seed: number, jobs: number): Promise<number> {
  const plant = PLANTS.find((one) => one.name === name);
  if (!plant) return usage();
  const file = plant.bug ? buildVariant(plant.bug, 'up') : join(repositoryRoot, 'build', 'kernel', 'up.wasm');
  const found = await campaign(kernelOf(file, 'up'), wanted, seed, jobs, plant.options);
  say(`${name}: ${plant.effect}: ${found === 1 ? 'found' : 'NOT FOUND'}`);
  return found === 1 ? 0 : 1;
}

function usage(): number {
  process.stderr.write(HELP);
  return 2;
}

async function main(): Promise<number> {
  const { states, seed, flavour, jobs, replay, plant, help } = options();
  const file = join(repositoryRoot, 'build', 'kernel', `${flavour}.wasm`);
  const bad =
    !(Number(states) > 0 && Number(jobs) > 0) || !Number.isInteger(Number(seed)) || !existsSync(file);
  if (help) say(HELP);
  if (help || bad) return help ? 0 : usage();
  if (plant !== undefined) return planted(plant, Number(states), Number(seed), Number(jobs));
  const kernel = kernelOf(file, flavour);
  if (replay === undefined) return campaign(kernel, Number(states), Number(seed), Number(jobs));
  const { workload, spec } = JSON.parse(replay) as Case;
  const message = new Explorer(kernel, 1).replay(workload, spec);
  say(message || 'nothing is wrong');
  return message === '' ? 0 : 1;
}

process.exitCode = await main();
