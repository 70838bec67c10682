/** Copying files and trees, as cp does, and mv across file systems. */
import { EEXIST, EISDIR } from '../../../assembly/abi/errno.ts';
import {
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
  S_IFMT,
} from '../../../assembly/abi/flags.ts';
import { confirm } from './ask.ts';
import { type Preserve, preserveAttributes } from './attributes.ts';
import type { Tool } from './command.ts';
import { copyContent } from './data.ts';
import { errnoOf, strerror } from './errors.ts';
import { quoted } from './quote.ts';
import {
  compareTimes,
  directoryOf,
  type Info,
  isDevice,
  isDirectory,
  isLink,
  isRegular,
  join,
  lstat,
  modeText,
  sameFile,
  stat,
  tryStat,
} from './stat.ts';

export interface CopyOptions {
  recursive: boolean;
  /** Which links are followed. */
  dereference: 'always' | 'command-line' | 'never';
  preserve: Preserve;
  requireXattrs: boolean;
  /** Copies get the modes that new files have, and not their originals'. */
  plainModes: boolean;
  force: boolean;
  /** What happens to a file that is there. */
  existing: 'overwrite' | 'ask' | 'skip' | 'update';
  removeDestination: boolean;
  oneFileSystem: boolean;
  link: boolean;
  symbolic: boolean;
  /** What is copied is said with this in front; undefined: nothing is said. */
  verbose: string | undefined;
  /** Special files are read as if they were regular ones. */
  contents: boolean;
}

export class Copier {
  readonly tool: Tool;
  readonly options: CopyOptions;
  /** Where files with several names have been copied to: "dev:ino" → path. */
  readonly #links = new Map<string, string>();
  /** What this command made: it is not overwritten by a second source. */
  readonly #made = new Set<string>();

  /** Operand and its copy. */
  #top: [source: string, target: string] = ['', ''];

  constructor(tool: Tool, options: CopyOptions) {
    this.tool = tool;
    this.options = options;
  }

  /** @returns whether all went well */
  async copy(source: string, target: string): Promise<boolean> {
    const before = this.tool.status;
    this.tool.status = 0;
    this.#top = [source, target];
    await this.#copy(source, target, true, undefined);
    const isGood = this.tool.status === 0;
    this.tool.status = Math.max(this.tool.status, before);
    return isGood;
  }

  async #copy(source: string, target: string, isOperand: boolean, dev: number | undefined): Promise<void> {
    const { tool, options } = this;
    const { dereference } = options;
    const follow = dereference === 'always' || (dereference === 'command-line' && isOperand);
    let info: Info;
    try {
      info = follow ? stat(tool.process, source) : lstat(tool.process, source);
    } catch (error) {
      await tool.failed(`cannot stat ${quoted(source)}`, error);
      return;
    }
    if (isDirectory(info) && !options.recursive) {
      await tool.warn(`-r not specified; omitting directory ${quoted(source)}`);
      return;
    }
    const lookAtLink = !(isRegular(info) || options.contents) || options.link || options.symbolic;
    const there = tryStat(tool.process, target, !lookAtLink);
    if (there !== undefined && !(await this.#mayReplace(source, info, target, there))) return;
    const isNew = there === undefined || !this.#exists(target);
    if (await this.#linked(source, info, target)) return;
    if (isDirectory(info)) {
      await this.#directory(source, info, target, isNew, dev);
      return;
    }
    try {
      await this.#make(source, info, target, isNew, follow);
    } catch (error) {
      // What was said already is told by an empty message.
      if (error instanceof Said) return;
      const isSlashed = errnoOf(error) === EISDIR && target.endsWith('/');
      await tool.warn(
        `${this.#cannotCreate(info, source, target)}: ${isSlashed ? 'Not a directory' : strerror(error)}`,
      );
      return;
    }
    if (options.link || options.symbolic) return;
    const { mode, ownership } = options.preserve;
    if (isRegular(info) && isNew && ownership && !mode)
      tool.fs.chmodSync(target, this.#modeOf(info) & ~tool.umask());
    await preserveAttributes(tool, source, info, target, options.preserve, options.requireXattrs);
  }

  /** Of a copy, before the mask. */
  #modeOf(info: Info): number {
    if (this.options.plainModes) return isDirectory(info) ? 0o777 : 0o666;
    return info.mode & 0o777;
  }

  #exists(path: string): boolean {
    return tryStat(this.tool.process, path, false) !== undefined;
  }

  #cannotCreate(info: Info, source: string, target: string): string {
    const { options } = this;
    if (options.symbolic) return `cannot create symbolic link ${quoted(target)} to ${quoted(source)}`;
    if (isLink(info) && !options.link) return `cannot create symbolic link ${quoted(target)}`;
    if (options.link) return `cannot create hard link ${quoted(target)}`;
    if (options.contents || isRegular(info)) return `cannot create regular file ${quoted(target)}`;
    return isDevice(info)
      ? `cannot create special file ${quoted(target)}`
      : `cannot create fifo ${quoted(target)}`;
  }

  /** Something is at the target. May it go, or be written to? Removes what has to go. */
  async #mayReplace(source: string, info: Info, target: string, there: Info): Promise<boolean> {
    const { tool, options } = this;
    if (isDirectory(info)) {
      if (isDirectory(there)) return true;
      await tool.warn(`cannot overwrite non-directory ${quoted(target)} with directory ${quoted(source)}`);
      return false;
    }
    if (options.existing === 'skip') return false;
    if (options.existing === 'update' && compareTimes(there.mtime, info.mtime) >= 0) return false;
    if (isDirectory(there)) {
      await tool.warn(`cannot overwrite directory ${quoted(target)} with non-directory`);
      return false;
    }
    if (this.#isSame(source, info, target, there)) {
      if (options.link) return false;
      await tool.warn(`${quoted(source)} and ${quoted(target)} are the same file`);
      return false;
    }
    if (this.#made.has(`${there.dev}:${there.ino}`)) {
      await tool.warn(`will not overwrite just-created ${quoted(target)} with ${quoted(source)}`);
      return false;
    }
    if (options.existing === 'ask' && !(await this.#asked(target, there))) return false;
    const goes =
      options.removeDestination ||
      options.link ||
      options.symbolic ||
      (options.preserve.links && there.nlink > 1) ||
      (!options.contents && !isRegular(info));
    if (goes && (options.force || !(options.link || options.symbolic))) {
      try {
        tool.process.unlinkat(AT_FDCWD, target);
      } catch (error) {
        await tool.failed(`cannot remove ${quoted(target)}`, error);
        return false;
      }
    }
    return true;
  }

  #isSame(source: string, info: Info, target: string, there: Info): boolean {
    if (!sameFile(info, there)) return false;
    const { options, tool } = this;
    if (options.removeDestination || options.symbolic) {
      // Two names of one file are two files to who removes one first.
      return source === target || (directoryOf(source) === directoryOf(target) && !options.removeDestination);
    }
    return !(options.dereference === 'never' && isLink(lstat(tool.process, source)) !== isLink(there));
  }

  async #asked(target: string, there: Info): Promise<boolean> {
    const { tool } = this;
    let isWritable = true;
    try {
      tool.fs.accessSync(target, tool.fs.constants.W_OK);
    } catch (error) {
      strerror(error);
      isWritable = isLink(there);
    }
    if (isWritable) return confirm(tool, `overwrite ${quoted(target)}? `);
    const mode = `${(there.mode & 0o7777).toString(8).padStart(4, '0')} (${modeText(there.mode).slice(1)})`;
    return confirm(tool, `unwritable ${quoted(target)} (mode ${mode}); try anyway? `);
  }

  /** A further name of a file that has been copied already. */
  async #linked(source: string, info: Info, target: string): Promise<boolean> {
    if (!this.options.preserve.links || isDirectory(info) || info.nlink < 2) return false;
    const key = `${info.dev}:${info.ino}`;
    const first = this.#links.get(key);
    if (first === undefined) {
      this.#links.set(key, target);
      return false;
    }
    try {
      if (this.#exists(target)) this.tool.process.unlinkat(AT_FDCWD, target);
      this.tool.fs.linkSync(first, target);
      await this.#say(source, target);
    } catch (error) {
      await this.tool.failed(`cannot create hard link ${quoted(target)} to ${quoted(first)}`, error);
    }
    return true;
  }

  async #say(source: string, target: string): Promise<void> {
    const { verbose } = this.options;
    if (verbose !== undefined) await this.tool.out(`${verbose}${quoted(source)} -> ${quoted(target)}\n`);
  }

  async #make(source: string, info: Info, target: string, isNew: boolean, follow: boolean): Promise<void> {
    const { tool, options } = this;
    if (options.link) tool.process.linkat(AT_FDCWD, source, AT_FDCWD, target, follow ? AT_SYMLINK_FOLLOW : 0);
    else if (options.symbolic) tool.fs.symlinkSync(source, target);
    else if (isRegular(info) || (options.contents && !isLink(info))) {
      await this.#regular(source, info, target, isNew);
      return;
    } else if (isLink(info)) tool.fs.symlinkSync(tool.fs.readlinkSync(source), target);
    else {
      const mode = (info.mode & S_IFMT) | (info.mode & 0o777 & ~tool.umask());
      tool.process.mknod(target, mode, info.rdev);
    }
    await this.#say(source, target);
    this.#remember(target);
  }

  #remember(target: string): void {
    const made = tryStat(this.tool.process, target, false);
    if (made !== undefined) this.#made.add(`${made.dev}:${made.ino}`);
  }

  async #openTarget(info: Info, target: string, isNew: boolean): Promise<number> {
    const { tool, options } = this;
    // What will belong to somebody else is nobody's to read until then.
    const mode = this.#modeOf(info) & (options.preserve.ownership ? 0o700 : 0o777);
    if (isNew) {
      try {
        return await tool.open(target, O_WRONLY | O_CREAT | O_EXCL, mode);
      } catch (error) {
        const link = errnoOf(error) === EEXIST ? tryStat(tool.process, target, false) : undefined;
        if (link === undefined || !isLink(link)) throw error;
        await tool.warn(`not writing through dangling symlink ${quoted(target)}`);
        throw new Said();
      }
    }
    try {
      return await tool.open(target, O_WRONLY | O_TRUNC);
    } catch (error) {
      strerror(error);
      if (!options.force) throw error;
      tool.process.unlinkat(AT_FDCWD, target);
      return tool.open(target, O_WRONLY | O_CREAT | O_EXCL, mode);
    }
  }

  async #regular(source: string, info: Info, target: string, isNew: boolean): Promise<void> {
    const { tool } = this;
    let from: number;
    try {
      from = await tool.open(source, O_RDONLY);
    } catch (error) {
      await tool.failed(`cannot open ${quoted(source)} for reading`, error);
      throw new Said();
    }
    try {
      const to = await this.#openTarget(info, target, isNew);
      await this.#say(source, target);
      try {
        await copyContent(tool, from, info, to);
      } catch (error) {
        await tool.failed(`error copying ${quoted(source)} to ${quoted(target)}`, error);
        throw new Said();
      } finally {
        tool.process.close(to);
      }
    } finally {
      tool.process.close(from);
    }
    this.#remember(target);
  }

  async #directory(
    source: string,
    info: Info,
    target: string,
    isNew: boolean,
    dev: number | undefined,
  ): Promise<void> {
    const { tool, options } = this;
    if (this.#made.has(`${info.dev}:${info.ino}`)) {
      const [from, to] = this.#top.map(quoted);
      await tool.warn(`cannot copy a directory, ${from}, into itself, ${to}`);
      return;
    }
    const mode = this.#modeOf(info) & ~tool.umask();
    try {
      if (isNew) tool.process.mkdirat(AT_FDCWD, target, mode | 0o700);
      if (isNew) await this.#say(source, target);
      if (isNew) this.#remember(target);
      for (const name of tool.fs.readdirSync(source)) {
        const below = join(source, name);
        if (options.oneFileSystem && lstat(tool.process, below).dev !== (dev ?? info.dev)) continue;
        await this.#copy(below, join(target, name), false, dev ?? info.dev);
      }
      if (isNew && !options.preserve.mode) tool.fs.chmodSync(target, mode);
    } catch (error) {
      const what = this.#exists(target)
        ? `cannot access ${quoted(source)}`
        : `cannot create directory ${quoted(target)}`;
      await tool.failed(what, error);
      return;
    }
    await preserveAttributes(tool, source, info, target, options.preserve, options.requireXattrs);
  }
}

/** The failure has been told already. */
class Said extends Error {}
