/** `damselfly bench`. */
import {
  type BenchOptions,
  type BenchResult,
  GROUPS,
  type GroupName,
  runBench,
  toJson,
  toText,
} from '../bench/index.ts';
import { CommandError, EXIT_OK, EXIT_USAGE } from './errors.ts';

interface BenchCommandOptions extends Pick<BenchOptions, 'quick' | 'tmpfs' | 'seed'> {
  json?: boolean;
  only?: string;
}

/** @returns the exit code */
export async function benchCommand({ json, only, ...options }: BenchCommandOptions): Promise<number> {
  const progress = (line: string) => void process.stderr.write(`${line}\n`);
  const result = await run({ ...options, only: only?.split(',').map(groupOf), progress });
  process.stdout.write(`${json ? toJson(result) : toText(result)}\n`);
  return EXIT_OK;
}

function groupOf(name: string): GroupName {
  const group = GROUPS.find((each) => each === name);
  if (group === undefined)
    throw new CommandError(
      `there is no group of rows '${name}'; there are: ${GROUPS.join(', ')}`,
      EXIT_USAGE,
    );
  return group;
}

async function run(options: BenchOptions): Promise<BenchResult> {
  try {
    return await runBench(options);
  } catch (error) {
    // A seed that it does not take.
    if (error instanceof RangeError) throw new CommandError(error.message, EXIT_USAGE);
    throw error;
  }
}
