/**
 * cp: copying files and trees. Written in steps, since the filter of the later form may promise.
 */
import { EEXIST, EINVAL, EISDIR, ENOENT, ENOTDIR } from '../../../assembly/abi/errno.ts';
import { SA_DATA } from '../../../assembly/abi/layout.ts';
import type { Trap } from '../trap.ts';
import { fsError, typeError } from './errors.ts';
import type { FileCalls } from './files.ts';
import type { NameCalls } from './names.ts';
import { dirname, isAbsolute, join, resolve } from './paths.ts';
import type { DirectoryCalls } from './readdir.ts';
import type { BigIntStats } from './stats.ts';
import { runLater, runSync, type Steps } from './steps.ts';
import type { TreeCalls } from './tree.ts';
import { checkBoolean, checkFunction, checkObject, pathText, toBits } from './validate.ts';

interface CpOptions {
  dereference: boolean;
  errorOnExist: boolean;
  force: boolean;
  preserveTimestamps: boolean;
  recursive: boolean;
  verbatimSymlinks: boolean;
  filter?: (src: string, dest: string) => unknown;
  mode: number;
}

const DEFAULTS: CpOptions = {
  dereference: false,
  errorOnExist: false,
  force: true,
  preserveTimestamps: false,
  recursive: false,
  verbatimSymlinks: false,
  mode: 0,
};
const SWITCHES = [
  'dereference',
  'errorOnExist',
  'force',
  'preserveTimestamps',
  'recursive',
  'verbatimSymlinks',
] as const;

export function cpCalls(
  trap: Trap,
  names: NameCalls,
  files: FileCalls,
  directories: DirectoryCalls,
  trees: TreeCalls,
) {
  const refuse = (code: string, message: string, path: string, errno: number) =>
    fsError(code, { message, path, syscall: 'cp', errno });

  function absolute(path: string): string {
    if (isAbsolute(path)) return resolve('/', path);
    trap.enter();
    const length = trap.exports.sys_getcwd();
    if (length < 0) throw trap.failure(length, 'getcwd');
    return resolve(trap.text(SA_DATA, SA_DATA + length), path);
  }

  /** Is `path` the directory `root`, or below it, by its text? */
  function isBelow(root: string, path: string): boolean {
    const parent = absolute(root);
    return `${absolute(path)}/`.startsWith(parent === '/' ? '/' : `${parent}/`);
  }

  function statOf(path: string, options: CpOptions): BigIntStats {
    const stat = options.dereference ? names.statSync : names.lstatSync;
    return stat(path, { bigint: true }) as BigIntStats;
  }

  function statIfThere(path: string, options: CpOptions): BigIntStats | undefined {
    const stat = options.dereference ? names.statSync : names.lstatSync;
    try {
      return stat(path, { bigint: true }) as BigIntStats;
    } catch (error) {
      if ((error as { errno?: number }).errno === -ENOENT) return undefined;
      throw error;
    }
  }

  /** Can `src` go where `dest` is? Returns what is at `dest`. */
  function checkPair(src: string, dest: string, options: CpOptions): BigIntStats | undefined {
    const from = statOf(src, options);
    const to = statIfThere(dest, options);
    if (to !== undefined) {
      if (same(from, to)) throw refuse('ERR_FS_CP_EINVAL', 'src and dest cannot be the same', dest, EINVAL);
      if (from.isDirectory() && !to.isDirectory()) {
        const message = `cannot overwrite non-directory ${dest} with directory ${src}`;
        throw refuse('ERR_FS_CP_DIR_TO_NON_DIR', message, dest, EISDIR);
      }
      if (!from.isDirectory() && to.isDirectory()) {
        const message = `cannot overwrite directory ${dest} with non-directory ${src}`;
        throw refuse('ERR_FS_CP_NON_DIR_TO_DIR', message, dest, ENOTDIR);
      }
    }
    if (from.isDirectory() && isBelow(src, dest)) throw intoItself(src, dest);
    return to;
  }

  const intoItself = (src: string, dest: string) =>
    refuse('ERR_FS_CP_EINVAL', `cannot copy ${src} to a subdirectory of self ${dest}`, dest, EINVAL);

  /** Reached by another name, a directory above `dest` may be `src`. */
  function checkParents(src: string, dest: string, options: CpOptions): void {
    const from = statOf(src, options);
    if (!from.isDirectory()) return;
    const stop = dirname(absolute(src));
    for (let parent = dirname(absolute(dest)); parent !== '/' && parent !== stop; parent = dirname(parent)) {
      const stat = names.statSync(parent, { bigint: true, throwIfNoEntry: false }) as BigIntStats | undefined;
      if (stat !== undefined && same(stat, from)) throw intoItself(src, dest);
    }
  }

  function* copy(src: string, dest: string, options: CpOptions): Steps<void> {
    const there = checkPair(src, dest, options);
    checkParents(src, dest, options);
    if (options.filter !== undefined && !(yield options.filter(src, dest))) return;
    const parent = dirname(dest);
    if (!names.existsSync(parent)) trees.mkdirSync(parent, { recursive: true });
    yield* copyEntry(src, dest, there, options);
  }

  /** Copy `src`; directories below it wait on a stack of ours, however deep they are. */
  function* copyEntry(
    src: string,
    dest: string,
    there: BigIntStats | undefined,
    options: CpOptions,
  ): Steps<void> {
    const stack: Directory[] = [];
    start(src, dest, there, options, stack);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const name = top.names.pop();
      if (name === undefined) {
        stack.pop();
        if (top.mode !== undefined) names.chmodSync(top.dest, top.mode);
        continue;
      }
      const from = join(top.src, name);
      const to = join(top.dest, name);
      if (options.filter !== undefined && !(yield options.filter(from, to))) continue;
      start(from, to, checkPair(from, to, options), options, stack);
      yield;
    }
  }

  function start(
    src: string,
    dest: string,
    there: BigIntStats | undefined,
    options: CpOptions,
    stack: Directory[],
  ): void {
    const from = statOf(src, options);
    if (from.isDirectory()) {
      if (!options.recursive) {
        throw refuse('ERR_FS_EISDIR', `${src} is a directory (not copied)`, src, EISDIR);
      }
      if (there === undefined) trees.mkdirSync(dest);
      const mode = there === undefined ? Number(from.mode) & 0o7777 : undefined;
      stack.push({ src, dest, mode, names: directories.listNames(src).reverse() });
    } else if (from.isFile() || from.isCharacterDevice() || from.isBlockDevice()) {
      copyFile(src, dest, from, there, options);
    } else if (from.isSymbolicLink()) copyLink(src, dest, there, options);
    else if (from.isSocket())
      throw refuse('ERR_FS_CP_SOCKET', `cannot copy a socket file: ${dest}`, dest, EINVAL);
    else if (from.isFIFO())
      throw refuse('ERR_FS_CP_FIFO_PIPE', `cannot copy a FIFO pipe: ${dest}`, dest, EINVAL);
    else throw refuse('ERR_FS_CP_UNKNOWN', `cannot copy an unknown file type: ${dest}`, dest, EINVAL);
  }

  function copyFile(
    src: string,
    dest: string,
    from: BigIntStats,
    there: BigIntStats | undefined,
    options: CpOptions,
  ): void {
    if (there !== undefined) {
      if (!options.force) {
        if (options.errorOnExist) throw refuse('ERR_FS_CP_EEXIST', `${dest} already exists`, dest, EEXIST);
        return;
      }
      names.unlinkSync(dest);
    }
    files.copyFileSync(src, dest, options.mode);
    if (!options.preserveTimestamps) return;
    // Reading it has moved its access time, so that is read again, as Node does.
    const mode = Number(from.mode) & 0o7777;
    if ((mode & 0o200) === 0) names.chmodSync(dest, mode | 0o200);
    const now = statOf(src, options);
    names.utimesSync(dest, now.atime, now.mtime);
    names.chmodSync(dest, mode);
  }

  function copyLink(src: string, dest: string, there: BigIntStats | undefined, options: CpOptions): void {
    let target = names.readlinkSync(src) as string;
    if (!options.verbatimSymlinks && !isAbsolute(target)) target = resolve(absolute(dirname(src)), target);
    if (there === undefined || !there.isSymbolicLink()) {
      names.symlinkSync(target, dest);
      return;
    }
    let old = names.readlinkSync(dest) as string;
    if (!isAbsolute(old)) old = resolve(absolute(dirname(dest)), old);
    if (isBelow(target, old)) throw intoItself(target, old);
    const into = names.statSync(src, { throwIfNoEntry: false });
    if (into?.isDirectory() && isBelow(old, target)) {
      throw refuse(
        'ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY',
        `cannot overwrite ${old} with ${target}`,
        dest,
        EINVAL,
      );
    }
    names.unlinkSync(dest);
    names.symlinkSync(target, dest);
  }

  function steps(src: unknown, dest: unknown, options: unknown): Steps<void> {
    const checked = toCpOptions(options);
    return copy(pathText(src, 'src'), pathText(dest, 'dest'), checked);
  }

  return {
    cpSync: (src: string | URL, dest: string | URL, options?: unknown) => runSync(steps(src, dest, options)),
    cp: (src: unknown, dest: unknown, options?: unknown) => runLater(steps(src, dest, options)),
  };
}

/** A directory being copied: what is left of it, and the mode to give at its end if it is new. */
interface Directory {
  src: string;
  dest: string;
  mode: number | undefined;
  names: string[];
}

function same(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

function toCpOptions(options: unknown): CpOptions {
  if (options === undefined) return DEFAULTS;
  checkObject(options, 'options');
  const checked: CpOptions = { ...DEFAULTS, ...options };
  for (const name of SWITCHES) checkBoolean(checked[name], `options.${name}`);
  checked.mode = toBits(checked.mode, 0);
  if (checked.dereference && checked.verbatimSymlinks) {
    throw typeError(
      'ERR_INCOMPATIBLE_OPTION_PAIR',
      'Option "dereference" cannot be used in combination with option "verbatimSymlinks"',
    );
  }
  if (checked.filter !== undefined) checkFunction(checked.filter, 'options.filter');
  return checked;
}
