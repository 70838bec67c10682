import { parseArgs } from 'node:util';
import {
  describeFailure,
  describeTally,
  type ModelOptions,
  replayCommand,
  runModel,
  unavailable,
  withSystems,
} from './model.ts';
import { kindNames } from './operations.ts';
import type { Pair } from './runner.ts';
import { Tally } from './rules.ts';

/**
 * The model test as a command: `make model`. Exit code 0: no difference without a reason;
 * 1: there is one; 2: it could not be run.
 */

const HELP = `usage: run [options]
  --seeds N       how many seeds (20)
  --first N       the first of them (1)
  --ops N         operations in all (200000)
  --flavour NAME  kernel artefact (up-debug)
  --fs NAME       tmpfs or ext4 (tmpfs)
  --replay S:R    only run R of seed S
  --without A,B   leave kinds of operations out; kinds are:
                  ${kindNames.join(', ')}
`;

function parse() {
  return parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      first: { type: 'string', default: '1' },
      ops: { type: 'string', default: '200000' },
      flavour: { type: 'string', default: 'up-debug' },
      fs: { type: 'string', default: 'tmpfs' },
      replay: { type: 'string' },
      without: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  }).values;
}

/** The jobs asked for: one for each seed, or the one run to be replayed. */
function jobs(values: ReturnType<typeof parse>): ModelOptions[] {
  const common = { without: new Set(values.without.split(',').filter(Boolean)) };
  if (values.replay !== undefined) {
    const [seed, run = 0] = values.replay.split(':').map(Number);
    return [{ ...common, seed, onlyRun: run, operations: 1 }];
  }
  const [seeds, first, ops] = [values.seeds, values.first, values.ops].map(Number);
  return Array.from({ length: seeds }, (_, i) => ({
    ...common,
    seed: first + i,
    operations: Math.ceil(ops / seeds),
  }));
}

function main(): number {
  const values = parse();
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const fileSystem = values.fs;
  if (fileSystem !== 'tmpfs' && fileSystem !== 'ext4') {
    process.stderr.write(HELP);
    return 2;
  }
  const reason = unavailable(fileSystem);
  if (reason) {
    process.stderr.write(`not run: ${reason}\n`);
    return 2;
  }
  const list = jobs(values);
  if (list.some((job) => !Number.isInteger(job.seed) || !(job.operations > 0))) {
    process.stderr.write(HELP);
    return 2;
  }
  const judge = (pair: Pair): number => {
    const tally = new Tally();
    const started = Date.now();
    for (const job of list) {
      const outcome = runModel(pair, job);
      tally.add(outcome.tally);
      const seconds = ((Date.now() - started) / 1000).toFixed(0);
      process.stderr.write(`seed ${job.seed}: ${tally.made} operations in all, ${seconds} s\n`);
      if (!outcome.failure) continue;
      const { failure } = outcome;
      process.stdout.write(
        `${describeFailure(failure)}\n${replayCommand(failure, values.flavour, fileSystem)}\n`,
      );
      return 1;
    }
    process.stdout.write(`${describeTally(tally)}\n`);
    const enough = values.replay !== undefined || tally.succeeded * 2 >= tally.made;
    if (!enough) process.stdout.write('fewer than half of the operations succeeded\n');
    return enough ? 0 : 1;
  };
  return withSystems({ flavour: values.flavour }, judge, fileSystem);
}

process.exitCode = main();
