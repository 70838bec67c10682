/** rm. */
import { AT_FDCWD, AT_REMOVEDIR } from '../../assembly/abi/flags.ts';
import { ENOENT, ENOTDIR } from '../../assembly/abi/errno.ts';
import { confirm } from './lib/ask.ts';
import { command, missingOperand, type Tool } from './lib/command.ts';
import { errnoOf, strerror } from './lib/errors.ts';
import { type Arguments, choice } from './lib/options.ts';
import { quoted } from './lib/quote.ts';
import { base, type Info, isDirectory, isLink, join, lstat, stat, typeName } from './lib/stat.ts';
import { isTerminal } from './lib/terminal.ts';

const options = {
  dir: { short: 'd', about: 'remove empty directories' },
  force: { short: 'f', about: 'ignore nonexistent files and arguments, never prompt' },
  i: { short: 'i', shortOnly: true, about: 'prompt before every removal' },
  I: {
    short: 'I',
    shortOnly: true,
    about: 'prompt once before removing more than three files, or when removing recursively',
  },
  interactive: {
    value: 'WHEN',
    optional: true,
    about: 'prompt according to WHEN: never, once (-I), or always (-i)',
  },
  'no-preserve-root': { about: "do not treat '/' specially" },
  'one-file-system': {
    about: 'when removing a hierarchy recursively, skip any directory that is on another file system',
  },
  'preserve-root': { about: "do not remove '/' (default)" },
  recursive: { short: 'r', also: ['R'], about: 'remove directories and their contents recursively' },
  verbose: { short: 'v', about: 'explain what is being done' },
} as const;

type Args = Arguments<typeof options>;
type Prompt = 'never' | 'once' | 'always' | 'protected';

const WHEN = [['never', 'no', 'none'], ['once'], ['always', 'yes']] as const;

function promptOf({ options: given, last }: Args): Prompt {
  const which = last('force', 'i', 'I', 'interactive');
  if (which === 'force') return 'never';
  if (which === 'i') return 'always';
  if (which === 'I') return 'once';
  if (which === undefined) return 'protected';
  return choice(WHEN, given.interactive || 'always', '--interactive');
}

class Remover {
  readonly tool: Tool;
  readonly args: Args;
  readonly prompt: Prompt;

  constructor(tool: Tool, args: Args) {
    this.tool = tool;
    this.args = args;
    this.prompt = promptOf(args);
  }

  #isProtected(path: string, info: Info): boolean {
    if (isLink(info)) return false;
    try {
      this.tool.fs.accessSync(path, this.tool.fs.constants.W_OK);
      return false;
    } catch (error) {
      strerror(error);
      return true;
    }
  }

  async #mayRemove(path: string, info: Info, verb = 'remove'): Promise<boolean> {
    if (this.prompt === 'never' || this.prompt === 'once') return true;
    const isGuarded =
      this.prompt === 'protected' && isTerminal(this.tool, 0) && this.#isProtected(path, info);
    if (this.prompt === 'protected' && !isGuarded) return true;
    const guard = this.#isProtected(path, info) ? 'write-protected ' : '';
    return confirm(this.tool, `${verb} ${guard}${typeName(info)} ${quoted(path)}? `);
  }

  async #removed(path: string, what: string): Promise<void> {
    if (this.args.options.verbose) await this.tool.out(`removed ${what}${quoted(path)}\n`);
  }

  /** @returns whether it is gone */
  async remove(path: string, dev?: number): Promise<boolean> {
    const { options: given } = this.args;
    try {
      const info = lstat(this.tool.process, path);
      if (dev !== undefined && given['one-file-system'] && info.dev !== dev) {
        await this.tool.warn(`skipping ${quoted(path)}, since it's on a different device`);
        return false;
      }
      if (isDirectory(info)) return await this.#directory(path, info);
      if (path.endsWith('/')) {
        await this.tool.warn(`cannot remove ${quoted(path)}: Not a directory`);
        return false;
      }
      if (!(await this.#mayRemove(path, info))) return false;
      this.tool.process.unlinkat(AT_FDCWD, path);
      await this.#removed(path, '');
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      if (given.force && (errno === ENOENT || errno === ENOTDIR)) return true;
      await this.tool.failed(`cannot remove ${quoted(path)}`, error);
      return false;
    }
  }

  async #directory(path: string, info: Info): Promise<boolean> {
    const { options: given } = this.args;
    if (!given.recursive && !given.dir) {
      await this.tool.warn(`cannot remove ${quoted(path)}: Is a directory`);
      return false;
    }
    if (given.recursive) {
      const names = this.tool.fs.readdirSync(path);
      if (names.length > 0 && !(await this.#mayRemove(path, info, 'descend into'))) return false;
      let isEmpty = true;
      for (const name of names) isEmpty = (await this.remove(join(path, name), info.dev)) && isEmpty;
      // What was kept keeps its directory, and that has been said.
      if (!isEmpty) return false;
    }
    if (!(await this.#mayRemove(path, info))) return false;
    this.tool.process.unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
    await this.#removed(path, 'directory ');
    return true;
  }
}

/** "/", "." and ".." are not for removing. */
async function refused(tool: Tool, path: string, { options: given }: Args): Promise<boolean> {
  const name = base(path);
  if (given.recursive && (name === '.' || name === '..')) {
    await tool.warn(`refusing to remove '.' or '..' directory: skipping ${quoted(path)}`);
    return true;
  }
  if (!given.recursive || given['no-preserve-root']) return false;
  try {
    const info = stat(tool.process, path);
    const root = stat(tool.process, '/');
    if (info.dev !== root.dev || info.ino !== root.ino || isLink(lstat(tool.process, path))) return false;
  } catch (error) {
    strerror(error);
    return false;
  }
  const same = path === '/' ? '' : ` (same as '/')`;
  await tool.warn(`it is dangerous to operate recursively on ${quoted(path)}${same}`);
  await tool.say('use --no-preserve-root to override this failsafe');
  return true;
}

export const rm = command(
  { summary: 'remove files or directories', usage: ['[OPTION]... [FILE]...'], options },
  async (tool, args) => {
    const { options: given, operands } = args;
    if (operands.length === 0 && !given.force) throw missingOperand();
    const remover = new Remover(tool, args);
    if (remover.prompt === 'once' && (given.recursive || operands.length > 3)) {
      const count = `${operands.length} argument${operands.length === 1 ? '' : 's'}`;
      if (!(await confirm(tool, `remove ${count}${given.recursive ? ' recursively' : ''}? `)))
        return undefined;
    }
    for (const path of operands) if (!(await refused(tool, path, args))) await remover.remove(path);
    return undefined;
  },
);
