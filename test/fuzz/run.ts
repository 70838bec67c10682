import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describeFailure, type Failure, replayCommand, runCampaign, runSession } from './campaign.ts';
import { shortcomings } from './expected.ts';
import { planOf } from './plan.ts';
import { describeTally, Tally } from './tally.ts';
import { PROGRESS_WORDS } from './watchdog.ts';

/**
 * The fuzzer as a command: `make fuzz`. Exit code 0: nothing was found and everything was seen; 1:
 * not so; 2: bad arguments. A call that does not end kills the command, with a word to which it was.
 */

const HELP = `usage: run [options]
  --calls N       calls in all (5000000)
  --first N       the first seed (1)
  --replay S[:N]  only the first N calls (all) of seed S, and the fewest that fail
  --shrink MS     look so long for a smaller case (60000)
`;

/** So many calls on are enough for every call to succeed so often, and to give each error. */
const FULL_PASS = 5_000_000;
const LEAST_SUCCESSES = 1000;
const REPORT_MS = 10_000;

function options() {
  return parseArgs({
    options: {
      calls: { type: 'string', default: String(FULL_PASS) },
      first: { type: 'string', default: '1' },
      replay: { type: 'string' },
      shrink: { type: 'string', default: '60000' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

type Options = ReturnType<typeof options>;

/** Counts for the thread that ends the command when they stand still. */
function watched(): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(4 * PROGRESS_WORDS));
  new Worker(new URL('./watchdog.js', import.meta.url), { workerData: words.buffer }).unref();
  return words;
}

function report(failure: Failure, shrinkMs: number): number {
  // the command to go on with comes first: shrinking may not end, if what fails is that
  writeSync(1, `FAILED: ${failure.message}\n${replayCommand(failure)}\n`);
  writeSync(1, `${describeFailure(failure, shrinkMs)}\n`);
  return 1;
}

function replay({ replay: what = '', shrink }: Options): number {
  const [seed, calls = Number.NaN] = what.split(':').map(Number);
  if (!Number.isInteger(seed)) return usage();
  const plan = planOf(seed);
  const words = watched();
  const progress = (at: number, made: number): void => note(words, at, made);
  const failure = runSession(plan, Number.isInteger(calls) ? calls : plan.calls, new Tally(), progress);
  if (failure) return report(failure, Number(shrink));
  process.stdout.write(`seed ${seed} (${plan.flavour}, ${plan.ramBytes >> 20} MiB): nothing found\n`);
  return 0;
}

function note(words: Int32Array, seed: number, made: number): void {
  words[0]++;
  words[1] = seed;
  words[2] = made;
}

function usage(): number {
  process.stderr.write(HELP);
  return 2;
}

function campaign({ calls, first, shrink }: Options): number {
  const [wanted, firstSeed] = [Number(calls), Number(first)];
  if (!(wanted > 0) || !Number.isInteger(firstSeed)) return usage();
  const words = watched();
  const tally = new Tally();
  const started = Date.now();
  let reported = started;
  const failure = runCampaign({ firstSeed, calls: wanted }, tally, (seed, made) => {
    note(words, seed, made);
    if (Date.now() - reported < REPORT_MS) return;
    reported = Date.now();
    const seconds = ((reported - started) / 1000).toFixed(0);
    process.stderr.write(`${tally.made} calls, seed ${seed}, ${seconds} s\n`);
  });
  process.stdout.write(`${describeTally(tally)}\n`);
  if (failure) return report(failure, Number(shrink));
  if (wanted < FULL_PASS) return 0;
  const problems = shortcomings(tally, LEAST_SUCCESSES);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(
    `${((Date.now() - started) / 1000).toFixed(0)} s; ${problems.length === 0 ? 'nothing found' : 'not all was seen'}\n`,
  );
  return problems.length === 0 ? 0 : 1;
}

const values = options();
process.exitCode = values.help ? usage() : values.replay === undefined ? campaign(values) : replay(values);
