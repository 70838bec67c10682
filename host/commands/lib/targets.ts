/** The operands of cp, mv and ln: what goes where. */
import { Failure } from './errors.ts';
import type { Tool } from './command.ts';
import { quoted } from './quote.ts';
import { base, isDirectory, join, tryStat } from './stat.ts';

export interface Pair {
  readonly source: string;
  readonly target: string;
}

export interface TargetOptions {
  /** -t */
  readonly directory: string | undefined;
  /** -T */
  readonly plain: boolean;
  /** A link to a directory is a file (ln -n). */
  readonly noDereference?: boolean;
}

const slashless = (path: string) => path.replace(/(?<=.)\/+$/, '');

function isDirectoryAt(tool: Tool, path: string, follow = true): boolean {
  const info = tryStat(tool.process, path, follow);
  return info !== undefined && isDirectory(info);
}

function into(directory: string, sources: readonly string[]): Pair[] {
  return sources.map((source) => ({ source, target: join(directory, base(source)) }));
}

/** @throws Failure as GNU words it */
export function pairsOf(tool: Tool, operands: readonly string[], options: TargetOptions): Pair[] {
  const { directory, plain, noDereference = false } = options;
  if (directory !== undefined && plain)
    throw new Failure('cannot combine --target-directory (-t) and --no-target-directory (-T)');
  if (operands.length === 0) throw new Failure('missing file operand', 1, true);
  if (directory !== undefined) {
    if (isDirectoryAt(tool, directory)) return into(directory, operands);
    const there = tryStat(tool.process, directory);
    throw new Failure(
      `target directory ${quoted(directory)}: ${there ? 'Not a directory' : 'No such file or directory'}`,
    );
  }
  const target = operands.at(-1) as string;
  if (operands.length === 1)
    throw new Failure(`missing destination file operand after ${quoted(target)}`, 1, true);
  if (plain) {
    if (operands.length > 2) throw new Failure(`extra operand ${quoted(operands[2])}`, 1, true);
    return [{ source: operands[0], target }];
  }
  const sources = operands.slice(0, -1);
  if (isDirectoryAt(tool, target, !noDereference)) return into(target, sources);
  if (sources.length === 1) return [{ source: sources[0], target }];
  const there = tryStat(tool.process, target);
  throw new Failure(`target ${quoted(target)}: ${there ? 'Not a directory' : 'No such file or directory'}`);
}

export { slashless };
