/** ln: hard and symbolic links. */
import { AT_FDCWD, AT_SYMLINK_FOLLOW } from '../../assembly/abi/flags.ts';
import { confirm } from './lib/ask.ts';
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import type { Arguments } from './lib/options.ts';
import { relativePath } from './lib/paths.ts';
import { quoted } from './lib/quote.ts';
import { directoryOf, isDirectory, join, lstat, sameFile, stat, tryStat } from './lib/stat.ts';
import { pairsOf, type Pair } from './lib/targets.ts';

const options = {
  force: { short: 'f', about: 'remove existing destination files' },
  interactive: { short: 'i', about: 'prompt whether to remove destinations' },
  logical: { short: 'L', about: 'dereference TARGETs that are symbolic links' },
  'no-dereference': {
    short: 'n',
    about: 'treat LINK_NAME as a normal file if it is a symbolic link to a directory',
  },
  physical: { short: 'P', about: 'make hard links directly to symbolic links' },
  relative: { short: 'r', about: 'with -s, create links relative to link location' },
  symbolic: { short: 's', about: 'make symbolic links instead of hard links' },
  'target-directory': {
    short: 't',
    value: 'DIRECTORY',
    about: 'specify the DIRECTORY in which to create the links',
  },
  'no-target-directory': { short: 'T', about: 'treat LINK_NAME as a normal file always' },
  verbose: { short: 'v', about: 'print name of each linked file' },
} as const;

async function link(tool: Tool, { source, target }: Pair, args: Arguments<typeof options>): Promise<void> {
  const { options: given } = args;
  const { process } = tool;
  if (!given.symbolic) {
    try {
      const info = given.logical ? stat(process, source) : lstat(process, source);
      if (isDirectory(info)) {
        await tool.warn(`${source}: hard link not allowed for directory`);
        return;
      }
    } catch (error) {
      await tool.failed(`failed to access ${quoted(source)}`, error);
      return;
    }
  }
  const there = tryStat(process, target, false);
  if (there !== undefined && (given.force || given.interactive)) {
    if (isDirectory(there)) {
      await tool.warn(`${target}: cannot overwrite directory`);
      return;
    }
    const original = tryStat(process, source, false);
    if (original !== undefined && sameFile(original, there) && isSameName(tool, source, target)) {
      await tool.warn(`${quoted(source)} and ${quoted(target)} are the same file`);
      return;
    }
    if (
      args.last('force', 'interactive') === 'interactive' &&
      !(await confirm(tool, `replace ${quoted(target)}? `))
    )
      return;
    process.unlinkat(AT_FDCWD, target);
  }
  await make(tool, source, target, args);
}

function isSameName(tool: Tool, a: string, b: string): boolean {
  const place = (path: string) =>
    join(tool.fs.realpathSync(directoryOf(path)), path.slice(path.lastIndexOf('/') + 1));
  return place(a) === place(b);
}

async function make(
  tool: Tool,
  source: string,
  target: string,
  args: Arguments<typeof options>,
): Promise<void> {
  const { options: given } = args;
  const kind = given.symbolic ? 'symbolic' : 'hard';
  try {
    if (given.symbolic) {
      const text = given.relative ? relativePath(tool, source, directoryOf(target)) : source;
      tool.fs.symlinkSync(text, target);
      if (given.verbose) await tool.out(`${quoted(target)} -> ${quoted(text)}\n`);
      return;
    }
    const flags = args.last('logical', 'physical') === 'logical' ? AT_SYMLINK_FOLLOW : 0;
    tool.process.linkat(AT_FDCWD, source, AT_FDCWD, target, flags);
    if (given.verbose) await tool.out(`${quoted(target)} => ${quoted(source)}\n`);
  } catch (error) {
    const to = given.symbolic || strerror(error) === 'File exists' ? '' : ` => ${quoted(source)}`;
    const from = given.symbolic && strerror(error) !== 'File exists' && source === '' ? ` -> ''` : '';
    await tool.failed(`failed to create ${kind} link ${quoted(target)}${to}${from}`, error);
  }
}

export const ln = command(
  {
    summary: 'make links between files',
    usage: [
      '[OPTION]... [-T] TARGET LINK_NAME',
      '[OPTION]... TARGET',
      '[OPTION]... TARGET... DIRECTORY',
      '[OPTION]... -t DIRECTORY TARGET...',
    ],
    options,
    details: ['Create hard links by default, symbolic links with --symbolic.'],
  },
  async (tool, args) => {
    const { options: given, operands } = args;
    if (given.relative && !given.symbolic) throw new Failure('cannot do --relative without --symbolic');
    const single =
      operands.length === 1 && given['target-directory'] === undefined && !given['no-target-directory'];
    const pairs = pairsOf(tool, single ? [...operands, '.'] : operands, {
      directory: given['target-directory'],
      plain: given['no-target-directory'],
      noDereference: given['no-dereference'],
    });
    for (const pair of pairs) await link(tool, pair, args);
    return undefined;
  },
);
