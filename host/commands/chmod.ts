/** chmod. */
import { command, type Tool } from './lib/command.ts';
import { Failure, strerror } from './lib/errors.ts';
import { applyMode, type ModeChanges, parseMode } from './lib/mode.ts';
import { quoted } from './lib/quote.ts';
import type { Arguments } from './lib/options.ts';
import { type Info, isDirectory, isLink, join, lstat, modeText, stat } from './lib/stat.ts';

const options = {
  changes: { short: 'c', about: 'like verbose but report only when a change is made' },
  silent: { short: 'f', also: ['quiet'], about: 'suppress most error messages' },
  verbose: { short: 'v', about: 'output a diagnostic for every file processed' },
  'no-preserve-root': { about: "do not treat '/' specially (the default)" },
  'preserve-root': { about: "fail to operate recursively on '/'" },
  reference: { value: 'RFILE', about: "use RFILE's mode instead of MODE values" },
  recursive: { short: 'R', about: 'change files and directories recursively' },
} as const;

/** A word that looks like options but is a mode, as in chmod -w. */
const MODE_WORD = /^-[rwxXstugoa,+=-]*[rwxXst][rwxXstugoa,+=-]*$/;

/** Such a mode goes behind "--", the options before it. */
function prepare(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  const at = args.findIndex((arg, i) => (end < 0 || i < end) && MODE_WORD.test(arg));
  if (at < 0) return args;
  const rest = [...args.slice(0, at), ...args.slice(at + 1)].filter((arg) => arg !== '--');
  const flags = rest.filter((arg) => arg.startsWith('-') && arg !== '-');
  return [...flags, '--', args[at], ...rest.filter((arg) => !flags.includes(arg))];
}

const text = (mode: number) => `${(mode & 0o7777).toString(8).padStart(4, '0')} (${modeText(mode).slice(1)})`;

interface Job {
  readonly tool: Tool;
  readonly changes: ModeChanges;
  readonly umask: number;
  /** The mode came as -w and the like: bits that the mask kept are told about. */
  readonly optionLike: boolean;
  readonly given: Arguments<typeof options>['options'];
}

async function warn({ tool, given }: Job, message: string): Promise<void> {
  tool.status = 1;
  if (!given.silent) await tool.say(message);
}

async function change(job: Job, path: string, info: Info): Promise<boolean> {
  const { tool, given } = job;
  const mode = applyMode(job.changes, info.mode, isDirectory(info), job.umask);
  try {
    tool.fs.chmodSync(path, mode);
  } catch (error) {
    await warn(job, `changing permissions of ${quoted(path)}: ${strerror(error)}`);
    if (given.verbose)
      await tool.out(`failed to change mode of ${quoted(path)} from ${text(info.mode)} to ${text(mode)}\n`);
    return false;
  }
  const now = stat(tool.process, path).mode & 0o7777;
  const isChanged = now !== (info.mode & 0o7777);
  if (isChanged && (given.verbose || given.changes))
    await tool.out(`mode of ${quoted(path)} changed from ${text(info.mode)} to ${text(mode)}\n`);
  else if (given.verbose) await tool.out(`mode of ${quoted(path)} retained as ${text(mode)}\n`);
  if (job.optionLike) {
    const naive = applyMode(job.changes, info.mode, isDirectory(info), 0);
    if (now & ~naive) {
      tool.status = 1;
      await tool.say(
        `${path}: new permissions are ${modeText(now).slice(1)}, not ${modeText(naive).slice(1)}`,
      );
    }
  }
  return true;
}

async function visit(job: Job, path: string, isOperand: boolean): Promise<void> {
  const { tool, given } = job;
  let info: Info;
  try {
    info = lstat(tool.process, path);
    if (isLink(info)) {
      // Links met on the way are not followed, and have no mode of their own.
      if (!isOperand) {
        if (given.verbose)
          await tool.out(`neither symbolic link ${quoted(path)} nor referent has been changed\n`);
        return;
      }
      try {
        info = stat(tool.process, path);
      } catch (error) {
        strerror(error);
        await warn(job, `cannot operate on dangling symlink ${quoted(path)}`);
        return;
      }
    }
  } catch (error) {
    await warn(job, `cannot access ${quoted(path)}: ${strerror(error)}`);
    if (given.verbose)
      await tool.out(`failed to change mode of ${quoted(path)} from 0000 (---------) to 0000 (---------)\n`);
    return;
  }
  const isChanged = await change(job, path, info);
  if (!given.recursive || !isDirectory(info) || !isChanged) return;
  try {
    for (const name of tool.fs.readdirSync(path)) await visit(job, join(path, name), false);
  } catch (error) {
    await warn(job, `cannot read directory ${quoted(path)}: ${strerror(error)}`);
  }
}

function changesOf(
  tool: Tool,
  given: Job['given'],
  operands: readonly string[],
): [ModeChanges, readonly string[]] {
  if (given.reference !== undefined) {
    if (operands.length === 0) throw new Failure('missing operand', 1, true);
    try {
      return [{ octal: stat(tool.process, given.reference).mode & 0o7777, digits: 5 }, operands];
    } catch (error) {
      throw new Failure(`failed to get attributes of ${quoted(given.reference)}: ${strerror(error)}`);
    }
  }
  const [mode, ...files] = operands;
  if (mode === undefined) throw new Failure('missing operand', 1, true);
  if (files.length === 0) throw new Failure(`missing operand after ${quoted(mode)}`, 1, true);
  const changes = parseMode(mode);
  if (changes === undefined) throw new Failure(`invalid mode: ${quoted(mode)}`, 1, true);
  return [changes, files];
}

export const chmod = command(
  {
    summary: 'change file mode bits',
    usage: [
      '[OPTION]... MODE[,MODE]... FILE...',
      '[OPTION]... OCTAL-MODE FILE...',
      '[OPTION]... --reference=RFILE FILE...',
    ],
    options,
    prepare,
    details: ["Each MODE is of the form '[ugoa]*([-+=]([rwxXst]*|[ugo]))+|[-+=][0-7]+'."],
  },
  async (tool, { options: given, operands }) => {
    const [changes, files] = changesOf(tool, given, operands);
    const optionLike = given.reference === undefined && operands[0].startsWith('-');
    const job: Job = { tool, changes, umask: tool.umask(), optionLike, given };
    for (const path of files) {
      if (given['preserve-root'] && given.recursive && tool.fs.realpathSync(path) === '/') {
        await tool.warn("it is dangerous to operate recursively on '/'");
        await tool.say('use --no-preserve-root to override this failsafe');
      } else await visit(job, path, true);
    }
    return undefined;
  },
);
