/** cp and mv. */
import { EEXIST, EINVAL, EXDEV } from '../../assembly/abi/errno.ts';
import { AT_FDCWD, AT_REMOVEDIR, RENAME_NOREPLACE } from '../../assembly/abi/flags.ts';
import { confirm } from './lib/ask.ts';
import { NOTHING, type Preserve } from './lib/attributes.ts';
import { command, type Tool } from './lib/command.ts';
import { Copier, type CopyOptions } from './lib/copy.ts';
import { errnoOf, strerror } from './lib/errors.ts';
import { type Arguments, choice } from './lib/options.ts';
import { quoted } from './lib/quote.ts';
import {
  compareTimes,
  type Info,
  isDirectory,
  isLink,
  join,
  lstat,
  modeText,
  sameFile,
  tryStat,
} from './lib/stat.ts';
import { pairsOf, slashless } from './lib/targets.ts';

const options = {
  archive: { short: 'a', about: 'same as -dR --preserve=all' },
  d: { short: 'd', shortOnly: true, about: 'same as --no-dereference --preserve=links' },
  force: { short: 'f', about: 'if an existing destination file cannot be opened, remove it and try again' },
  H: { short: 'H', shortOnly: true, about: 'follow command-line symbolic links in SOURCE' },
  interactive: { short: 'i', about: 'prompt before overwrite (overrides a previous -n option)' },
  link: { short: 'l', about: 'hard link files instead of copying' },
  dereference: { short: 'L', about: 'always follow symbolic links in SOURCE' },
  'no-clobber': { short: 'n', about: 'do not overwrite an existing file (overrides a previous -i option)' },
  'no-dereference': { short: 'P', about: 'never follow symbolic links in SOURCE' },
  p: { short: 'p', shortOnly: true, about: 'same as --preserve=mode,ownership,timestamps' },
  preserve: {
    value: 'ATTR_LIST',
    optional: true,
    about: 'preserve the specified attributes: mode, ownership, timestamps, links, xattr, all',
  },
  'no-preserve': { value: 'ATTR_LIST', about: "don't preserve the specified attributes" },
  recursive: { short: 'R', also: ['r'], about: 'copy directories recursively' },
  'copy-contents': { about: 'copy contents of special files when recursive' },
  'remove-destination': { about: 'remove each existing destination file before attempting to open it' },
  'strip-trailing-slashes': { about: 'remove any trailing slashes from each SOURCE argument' },
  'symbolic-link': { short: 's', about: 'make symbolic links instead of copying' },
  'target-directory': { short: 't', value: 'DIRECTORY', about: 'copy all SOURCE arguments into DIRECTORY' },
  'no-target-directory': { short: 'T', about: 'treat DEST as a normal file' },
  update: {
    short: 'u',
    about:
      'copy only when the SOURCE file is newer than the destination file or when the destination file is missing',
  },
  verbose: { short: 'v', about: 'explain what is being done' },
  'one-file-system': { short: 'x', about: 'stay on this file system' },
} as const;

const ATTRIBUTE_WORDS = [
  ['mode'],
  ['timestamps'],
  ['ownership'],
  ['links'],
  ['context'],
  ['xattr'],
  ['all'],
] as const;
const ATTRIBUTES = ['mode', 'ownership', 'timestamps', 'links', 'xattr'] as const;

function setAttributes(keep: Preserve, list: string, value: boolean, option: string): void {
  for (const word of list.split(',')) {
    const attribute = choice(ATTRIBUTE_WORDS, word, option);
    // There are no security contexts here.
    if (attribute === 'context') continue;
    for (const name of attribute === 'all' ? ATTRIBUTES : [attribute]) keep[name] = value;
  }
}

function preserved({ options: given, given: order }: Arguments<typeof options>): Preserve {
  const keep = { ...NOTHING };
  for (const name of order) {
    if (name === 'archive') setAttributes(keep, 'all', true, '');
    else if (name === 'd') keep.links = true;
    else if (name === 'p') setAttributes(keep, 'mode,ownership,timestamps', true, '');
    else if (name === 'preserve')
      setAttributes(keep, given.preserve || 'mode,ownership,timestamps', true, '--preserve');
    else if (name === 'no-preserve') setAttributes(keep, given['no-preserve'] ?? '', false, '--no-preserve');
  }
  return keep;
}

function copyOptions(args: Arguments<typeof options>): CopyOptions {
  const { options: given, last } = args;
  const recursive = given.recursive || given.archive;
  const links = last('H', 'dereference', 'no-dereference', 'd', 'archive');
  const dereference =
    links === undefined
      ? recursive && !given.link
        ? 'never'
        : 'always'
      : links === 'H'
        ? 'command-line'
        : links === 'dereference'
          ? 'always'
          : 'never';
  const existing = last('interactive', 'no-clobber');
  return {
    recursive,
    dereference,
    preserve: preserved(args),
    requireXattrs: /xattr/.test(given.preserve ?? ''),
    plainModes: /mode|all/.test(given['no-preserve'] ?? ''),
    force: given.force,
    existing:
      existing === 'interactive'
        ? 'ask'
        : existing === 'no-clobber'
          ? 'skip'
          : given.update
            ? 'update'
            : 'overwrite',
    removeDestination: given['remove-destination'],
    oneFileSystem: given['one-file-system'],
    link: given.link,
    symbolic: given['symbolic-link'],
    verbose: given.verbose ? '' : undefined,
    contents: !recursive || given['copy-contents'],
  };
}

export const cp = command(
  {
    summary: 'copy files and directories',
    usage: [
      '[OPTION]... [-T] SOURCE DEST',
      '[OPTION]... SOURCE... DIRECTORY',
      '[OPTION]... -t DIRECTORY SOURCE...',
    ],
    options,
  },
  async (tool, args) => {
    const { options: given } = args;
    const operands = given['strip-trailing-slashes'] ? args.operands.map(slashless) : args.operands;
    const pairs = pairsOf(tool, operands, {
      directory: given['target-directory'],
      plain: given['no-target-directory'],
    });
    const copier = new Copier(tool, copyOptions(args));
    for (const { source, target } of pairs) await copier.copy(source, target);
    return undefined;
  },
);

const moveOptions = {
  force: { short: 'f', about: 'do not prompt before overwriting' },
  interactive: { short: 'i', about: 'prompt before overwrite' },
  'no-clobber': { short: 'n', about: 'do not overwrite an existing file' },
  'strip-trailing-slashes': { about: 'remove any trailing slashes from each SOURCE argument' },
  'target-directory': { short: 't', value: 'DIRECTORY', about: 'move all SOURCE arguments into DIRECTORY' },
  'no-target-directory': { short: 'T', about: 'treat DEST as a normal file' },
  update: {
    short: 'u',
    about:
      'move only when the SOURCE file is newer than the destination file or when the destination file is missing',
  },
  verbose: { short: 'v', about: 'explain what is being done' },
} as const;

const ACROSS: Omit<CopyOptions, 'verbose'> = {
  recursive: true,
  dereference: 'never',
  preserve: { mode: true, ownership: true, timestamps: true, links: true, xattr: true },
  requireXattrs: false,
  plainModes: false,
  force: true,
  existing: 'overwrite',
  removeDestination: true,
  oneFileSystem: false,
  link: false,
  symbolic: false,
  contents: false,
};

class Mover {
  readonly tool: Tool;
  readonly args: Arguments<typeof moveOptions>;
  readonly #copier: Copier;

  constructor(tool: Tool, args: Arguments<typeof moveOptions>) {
    this.tool = tool;
    this.args = args;
    this.#copier = new Copier(tool, { ...ACROSS, verbose: args.options.verbose ? 'copied ' : undefined });
  }

  async move(source: string, target: string): Promise<void> {
    const { tool } = this;
    let info: Info;
    try {
      info = lstat(tool.process, source);
    } catch (error) {
      await tool.failed(`cannot stat ${quoted(source)}`, error);
      return;
    }
    const there = tryStat(tool.process, target, false);
    if (there !== undefined && !(await this.#mayReplace(source, info, target, there))) return;
    try {
      const keep = this.args.last('interactive', 'no-clobber', 'force') === 'no-clobber';
      tool.process.rename2(source, target, keep ? RENAME_NOREPLACE : 0);
    } catch (error) {
      await this.#notRenamed(source, info, target, error);
      return;
    }
    if (this.args.options.verbose) await tool.out(`renamed ${quoted(source)} -> ${quoted(target)}\n`);
  }

  async #mayReplace(source: string, info: Info, target: string, there: Info): Promise<boolean> {
    const { tool, args } = this;
    const which = args.last('interactive', 'no-clobber', 'force');
    if (sameFile(info, there) && (!isLink(info) || source === target)) {
      await tool.warn(`${quoted(source)} and ${quoted(target)} are the same file`);
      return false;
    }
    if (which === 'no-clobber') return false;
    if (args.options.update && compareTimes(there.mtime, info.mtime) >= 0) return false;
    if (isDirectory(info) && !isDirectory(there)) {
      await tool.warn(`cannot overwrite non-directory ${quoted(target)} with directory ${quoted(source)}`);
      return false;
    }
    if (!isDirectory(info) && isDirectory(there)) {
      await tool.warn(`cannot overwrite directory ${quoted(target)} with non-directory`);
      return false;
    }
    return which !== 'interactive' || this.#asked(target, there);
  }

  #asked(target: string, there: Info): Promise<boolean> {
    try {
      this.tool.fs.accessSync(target, this.tool.fs.constants.W_OK);
    } catch (error) {
      strerror(error);
      const mode = `${(there.mode & 0o7777).toString(8).padStart(4, '0')} (${modeText(there.mode).slice(1)})`;
      return confirm(this.tool, `replace ${quoted(target)}, overriding mode ${mode}? `);
    }
    return confirm(this.tool, `overwrite ${quoted(target)}? `);
  }

  async #notRenamed(source: string, info: Info, target: string, error: unknown): Promise<void> {
    const { tool } = this;
    const errno = errnoOf(error);
    if (errno === EXDEV) await this.#across(source, info, target);
    else if (errno === EINVAL && isDirectory(info))
      await tool.warn(`cannot move ${quoted(source)} to a subdirectory of itself, ${quoted(target)}`);
    else if (errno === EEXIST && this.args.options['no-clobber']) return;
    else await tool.failed(`cannot move ${quoted(source)} to ${quoted(target)}`, error);
  }

  /** To another file system: by a copy, and the original goes when all of it is there. */
  async #across(source: string, info: Info, target: string): Promise<void> {
    const there = tryStat(this.tool.process, target, false);
    if (there !== undefined && isDirectory(there)) {
      try {
        this.tool.process.unlinkat(AT_FDCWD, target, AT_REMOVEDIR);
      } catch (error) {
        await this.tool.failed(
          `inter-device move failed: ${quoted(source)} to ${quoted(target)}; unable to remove target`,
          error,
        );
        return;
      }
    }
    if (await this.#copier.copy(source, target)) await this.#remove(source, info);
  }

  async #remove(path: string, info: Info): Promise<void> {
    const { tool } = this;
    try {
      if (isDirectory(info)) {
        for (const name of tool.fs.readdirSync(path)) {
          await this.#remove(join(path, name), lstat(tool.process, join(path, name)));
        }
      }
      tool.process.unlinkat(AT_FDCWD, path, isDirectory(info) ? AT_REMOVEDIR : 0);
      if (this.args.options.verbose)
        await tool.out(`removed ${isDirectory(info) ? 'directory ' : ''}${quoted(path)}\n`);
    } catch (error) {
      await tool.failed(`cannot remove ${quoted(path)}`, error);
    }
  }
}

export const mv = command(
  {
    summary: 'move (rename) files',
    usage: [
      '[OPTION]... [-T] SOURCE DEST',
      '[OPTION]... SOURCE... DIRECTORY',
      '[OPTION]... -t DIRECTORY SOURCE...',
    ],
    options: moveOptions,
  },
  async (tool, args) => {
    const { options: given } = args;
    const operands = given['strip-trailing-slashes'] ? args.operands.map(slashless) : args.operands;
    const pairs = pairsOf(tool, operands, {
      directory: given['target-directory'],
      plain: given['no-target-directory'],
    });
    const mover = new Mover(tool, args);
    for (const { source, target } of pairs) await mover.move(source, target);
    return undefined;
  },
);
