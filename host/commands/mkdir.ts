/** mkdir and rmdir. */
import { EEXIST, ENOTEMPTY } from '../../assembly/abi/errno.ts';
import { AT_FDCWD, AT_REMOVEDIR } from '../../assembly/abi/flags.ts';
import { command, missingOperand, type Tool } from './lib/command.ts';
import { errnoOf, Failure, strerror } from './lib/errors.ts';
import { applyMode, parseMode } from './lib/mode.ts';
import { quoted } from './lib/quote.ts';
import { directoryOf, isDirectory, tryStat } from './lib/stat.ts';

async function make(tool: Tool, path: string, mode: number, verbose: boolean): Promise<void> {
  tool.process.mkdirat(AT_FDCWD, path, mode);
  if (verbose) await tool.out(`${tool.name}: created directory ${quoted(path)}\n`);
}

/** The directories above, from the top. They get u+wx, so that more can be made in them. */
async function makeAbove(tool: Tool, path: string, umask: number, verbose: boolean): Promise<void> {
  const above = directoryOf(path);
  if (above === '.' || above === '/' || above === path) return;
  const found = tryStat(tool.process, above);
  if (found !== undefined && isDirectory(found)) return;
  if (found !== undefined) throw new Failure(`cannot create directory ${quoted(above)}: Not a directory`);
  await makeAbove(tool, above, umask, verbose);
  try {
    await make(tool, above, 0o777, verbose);
  } catch (error) {
    const there = tryStat(tool.process, above);
    if (errnoOf(error) === EEXIST && there !== undefined && isDirectory(there)) return;
    throw new Failure(`cannot create directory ${quoted(above)}: ${strerror(error)}`);
  }
  if (umask & 0o300) tool.fs.chmodSync(above, (0o777 & ~umask) | 0o300);
}

export const mkdir = command(
  {
    summary: 'create directories',
    usage: ['[OPTION]... DIRECTORY...'],
    options: {
      mode: { short: 'm', value: 'MODE', about: 'set file mode (as in chmod), not a=rwx - umask' },
      parents: { short: 'p', about: 'no error if existing, make parent directories as needed' },
      verbose: { short: 'v', about: 'print a message for each created directory' },
    },
  },
  async (tool, { options, operands }) => {
    if (operands.length === 0) throw missingOperand();
    const umask = tool.umask();
    const changes = options.mode === undefined ? undefined : parseMode(options.mode);
    if (options.mode !== undefined && changes === undefined)
      throw new Failure(`invalid mode ${quoted(options.mode)}`);
    const mode = changes === undefined ? 0o777 : applyMode(changes, 0o777, true, umask);
    for (const path of operands) {
      try {
        if (options.parents) await makeAbove(tool, path, umask, options.verbose);
        await make(tool, path, mode, options.verbose);
        // The mask does not count for a mode that was asked for.
        if (changes !== undefined) tool.fs.chmodSync(path, mode);
      } catch (error) {
        const there = errnoOf(error) === EEXIST && options.parents ? tryStat(tool.process, path) : undefined;
        if (there !== undefined && isDirectory(there)) continue;
        if (error instanceof Failure) await tool.warn(error.message);
        else await tool.failed(`cannot create directory ${quoted(path)}`, error);
      }
    }
    return undefined;
  },
);

function above(path: string): string | undefined {
  const parent = directoryOf(path);
  return parent === '.' || parent === '/' || parent === path ? undefined : parent;
}

export const rmdir = command(
  {
    summary: 'remove empty directories',
    usage: ['[OPTION]... DIRECTORY...'],
    options: {
      'ignore-fail-on-non-empty': { about: 'ignore each failure to remove a non-empty directory' },
      parents: {
        short: 'p',
        about: "remove DIRECTORY and its ancestors; e.g., 'rmdir -p a/b' is similar to 'rmdir a/b a'",
      },
      verbose: { short: 'v', about: 'output a diagnostic for every directory processed' },
    },
  },
  async (tool, { options, operands }) => {
    if (operands.length === 0) throw missingOperand();
    for (const operand of operands) {
      for (
        let path: string | undefined = operand;
        path !== undefined;
        path = options.parents ? above(path) : undefined
      ) {
        if (options.verbose) await tool.out(`${tool.name}: removing directory, ${quoted(path)}\n`);
        try {
          tool.process.unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
        } catch (error) {
          const isFull = errnoOf(error) === ENOTEMPTY;
          const what = path === operand ? '' : 'directory ';
          if (!isFull || !options['ignore-fail-on-non-empty'])
            await tool.failed(`failed to remove ${what}${quoted(path)}`, error);
          break;
        }
      }
    }
    return undefined;
  },
);
