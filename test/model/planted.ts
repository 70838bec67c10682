import { parseArgs } from 'node:util';
import { linuxUnavailable } from '../oracle/linux.ts';
import { BUGS, type Bug } from './bugs.ts';
import { describeFailure, type ModelFailure, runModel, withSystems } from './model.ts';
import { buildVariant } from './variant.ts';

/**
 * Does the model test find bugs? `make planted` plants them one by one and looks. Exit code 0: all
 * were found; 1: one was not; 2: it could not be run.
 */

const HELP = `usage: planted [options]
  --bugs A,B      which bugs (all): ${BUGS.map((bug) => bug.name).join(', ')}
  --first N       the first seed (1)
  --seeds N       seeds at most (20)
  --ops N         operations in all at most (200000), as of the model test
`;

interface Found extends ModelFailure {
  /** Operations of all seeds until it showed. */
  total: number;
}

interface Effort {
  first: number;
  seeds: number;
  operations: number;
}

function find(bug: Bug, { first, seeds, operations }: Effort): Found | undefined {
  const file = buildVariant(bug, 'up-debug');
  return withSystems({ flavour: 'up-debug', file }, (pair) => {
    let before = 0;
    for (let seed = first; seed < first + seeds; seed++) {
      const { failure, tally } = runModel(pair, {
        seed,
        operations: Math.ceil(operations / seeds),
        shrinkMs: 30_000,
      });
      if (failure) return { ...failure, total: before + failure.after };
      before += tally.made;
    }
    return undefined;
  });
}

/** Without the bug nothing differs: it was the bug that was found. */
function isSound({ seed, run }: Found): boolean {
  return withSystems(
    { flavour: 'up-debug' },
    (pair) => !runModel(pair, { seed, onlyRun: run, operations: 1 }).failure,
  );
}

function report(bug: Bug, found: Found | undefined): string {
  const head = `${bug.name}: ${bug.effect}`;
  if (!found) return `${head}\nNOT FOUND\n\n`;
  return `${head}\nfound after ${found.total} operations\n${describeFailure(found)}\n\n`;
}

function main(): number {
  const { values } = parseArgs({
    options: {
      bugs: { type: 'string', default: '' },
      first: { type: 'string', default: '1' },
      seeds: { type: 'string', default: '20' },
      ops: { type: 'string', default: '200000' },
      help: { type: 'boolean', default: false },
    },
  });
  const [first, seeds, operations] = [values.first, values.seeds, values.ops].map(Number);
  const names = values.bugs.split(',').filter(Boolean);
  const unknown = names.some((name) => !BUGS.some((bug) => bug.name === name));
  const bad = ![first, seeds, operations].every(Number.isInteger) || seeds < 1 || operations < 1;
  const reason = linuxUnavailable();
  if (values.help || unknown || bad || reason) {
    process.stderr.write(reason ? `not run: ${reason}\n` : HELP);
    return values.help ? 0 : 2;
  }
  const bugs = BUGS.filter((bug) => names.length === 0 || names.includes(bug.name));
  const results = bugs.map((bug) => {
    const found = find(bug, { first, seeds, operations });
    if (found && !isSound(found))
      throw new Error(`${found.message}\nthe kernel has a bug without planting any`);
    process.stdout.write(report(bug, found));
    return { bug, found };
  });
  for (const { bug, found } of results) {
    const result = found ? `${found.total} operations, shrunk to ${found.operations.length}` : 'not found';
    process.stdout.write(`${bug.name.padEnd(24)} ${result}\n`);
  }
  return results.every(({ found }) => found) ? 0 : 1;
}

process.exitCode = main();
