/**
 * Making and removing whole trees: mkdir (recursive), rm, rmdir (recursive).
 */
import {
  EACCES,
  EBUSY,
  EEXIST,
  EISDIR,
  EMFILE,
  ENFILE,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
} from '../../../assembly/abi/errno.ts';
import { AT_FDCWD, DT_DIR, S_IFDIR, S_IFMT } from '../../../assembly/abi/flags.ts';
import { Buffer, startTimeout } from '#platform';
import type { Trap } from '../trap.ts';
import { fsError } from './errors.ts';
import type { NameCalls } from './names.ts';
import { type DirectoryCalls, joinPath } from './readdir.ts';
import { runLater, runSync, type Steps } from './steps.ts';
import { checkBoolean, checkedPath, checkInteger, checkObject, type KernelPath, toMode } from './validate.ts';

export interface RmOptions {
  force: boolean;
  recursive: boolean;
  maxRetries: number;
  retryDelay: number;
}

/** Errors of mkdir that need no look at what is there. */
const FINAL = new Set([EACCES, ENOSPC, ENOTDIR, EPERM]);
const RETRIED = new Set([EBUSY, EMFILE, ENFILE, ENOTEMPTY, EPERM]);

export function treeCalls(trap: Trap, names: NameCalls, directories: DirectoryCalls) {
  const { sys_mkdirat } = trap.exports;

  function mkdirSync(path: KernelPath, options?: unknown): string | undefined {
    const name = checkedPath(path);
    let mode = 0o777;
    let recursive = false;
    if (typeof options === 'number' || typeof options === 'string') mode = toMode(options, 'mode');
    else if (options !== undefined && options !== null) {
      const given = options as { mode?: unknown; recursive?: unknown };
      if (given.recursive !== undefined) {
        checkBoolean(given.recursive, 'options.recursive');
        recursive = given.recursive;
      }
      if (given.mode !== undefined && given.mode !== null) mode = toMode(given.mode, 'options.mode');
    }
    if (recursive) return makeAll(name, mode);
    const result = sys_mkdirat(AT_FDCWD, trap.path1(name), mode);
    if (result < 0) throw trap.failure(result, 'mkdir', name);
    trap.changed();
    return undefined;
  }

  /** Make a directory and those above it. Returns the first that was made. */
  function makeAll(path: KernelPath, mode: number): string | undefined {
    let first: KernelPath | undefined;
    const pending = [path];
    for (;;) {
      const next = pending.at(-1);
      if (next === undefined) break;
      const result = sys_mkdirat(AT_FDCWD, trap.path1(next), mode);
      if (result >= 0) {
        trap.changed();
        first ??= next;
        pending.pop();
      } else if (result === -ENOENT && parentOf(next).length < next.length && first === undefined) {
        pending.push(parentOf(next));
      } else {
        const there = FINAL.has(-result) ? result : names.modeOf(next, true);
        // such as a symbolic link that leads nowhere
        if (there < 0) throw trap.failure(there, 'mkdir', path);
        if ((there & S_IFMT) !== S_IFDIR) {
          const above = result === -EEXIST && pending.length > 1;
          throw trap.failure(above ? -ENOTDIR : -EEXIST, 'mkdir', path);
        }
        pending.pop();
      }
    }
    if (first === undefined) return undefined;
    return typeof first === 'string' ? first : Buffer.from(first).toString();
  }

  function* remove(path: KernelPath, options: RmOptions): Steps<void> {
    const mode = names.modeOf(path, false);
    if (mode < 0) {
      if (options.force && mode === -ENOENT) return;
      throw trap.failure(mode, 'lstat', path);
    }
    if ((mode & S_IFMT) !== S_IFDIR) {
      yield* retried(() => names.unlinkSync(path), options);
    } else if (options.recursive) yield* removeTree(path, options);
    else throw isDirectory(path);
  }

  // A stack of its own: a tree may be deeper than the engine's stack.
  function* removeTree(root: KernelPath, options: RmOptions): Steps<void> {
    const stack: Array<{ path: KernelPath; listed: boolean }> = [{ path: root, listed: false }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { path } = top;
      if (top.listed) {
        stack.pop();
        yield* retried(() => names.removeDir(path), options);
        continue;
      }
      top.listed = true;
      for (const { name, type } of directories.listEntries(path, 'buffer')) {
        const child = joinPath(path, childName(path, name as Buffer));
        if (type === DT_DIR) stack.push({ path: child, listed: false });
        else yield* retried(() => names.unlinkSync(child), options);
      }
    }
  }

  /** Do it, again after a while when something is in the way, and be content when it is done already. */
  function* retried(work: () => void, options: RmOptions): Steps<void> {
    for (let tries = 0; ; tries++) {
      try {
        work();
        yield;
        return;
      } catch (error) {
        const errno = -((error as { errno?: number }).errno ?? 0);
        if (errno === ENOENT) return;
        if (!RETRIED.has(errno) || tries >= options.maxRetries) throw error;
      }
      yield pause((tries + 1) * options.retryDelay);
    }
  }

  function toRmOptions(options: unknown): RmOptions {
    const checked: RmOptions = { force: false, recursive: false, maxRetries: 0, retryDelay: 100 };
    if (options === undefined) return checked;
    checkObject(options, 'options');
    Object.assign(checked, options);
    checkBoolean(checked.force, 'options.force');
    checkBoolean(checked.recursive, 'options.recursive');
    checkInteger(checked.retryDelay, 'options.retryDelay', 0, 2 ** 31 - 1);
    checkInteger(checked.maxRetries, 'options.maxRetries', 0, 2 ** 32 - 1);
    return checked;
  }

  function rmSteps(path: unknown, options: unknown): Steps<void> {
    const name = checkedPath(path);
    return remove(name, toRmOptions(options));
  }

  // A synchronous wait would only put off the error: nobody else can run meanwhile.
  function rmSync(path: KernelPath, options?: unknown): void {
    const name = checkedPath(path);
    runSync(remove(name, { ...toRmOptions(options), maxRetries: 0 }));
  }

  function rmdirSteps(path: unknown, options: unknown): Steps<void> {
    const name = checkedPath(path);
    const checked = toRmOptions(options ?? undefined);
    return removeDirectory(name, checked);
  }

  function* removeDirectory(path: KernelPath, options: RmOptions): Steps<void> {
    if (!options.recursive) {
      names.removeDir(path);
      return;
    }
    const mode = names.modeOf(path, false);
    if (mode < 0) throw trap.failure(mode, 'lstat', path);
    if ((mode & S_IFMT) !== S_IFDIR) throw trap.failure(-ENOTDIR, 'rmdir', path);
    yield* removeTree(path, options);
  }

  function rmdirSync(path: KernelPath, options?: unknown): void {
    if (options === undefined) names.removeDir(typeof path === 'string' ? path : checkedPath(path));
    else runSync(rmdirSteps(path, { ...(options as object), maxRetries: 0 }));
  }

  return {
    mkdirSync,
    rmSync,
    rm: (path: unknown, options?: unknown) => runLater(rmSteps(path, options)),
    rmdirSync,
    rmdir: (path: unknown, options?: unknown) => runLater(rmdirSteps(path, options)),
  };
}

export type TreeCalls = ReturnType<typeof treeCalls>;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void startTimeout(resolve, ms));
}

/** Names stay text while they are: joining text is cheaper, and errors show it. */
function childName(directory: KernelPath, name: Buffer): string | Buffer {
  if (typeof directory !== 'string') return name;
  const text = name.toString();
  return text.includes('\ufffd') ? name : text;
}

function isDirectory(path: KernelPath): Error {
  const text = typeof path === 'string' ? path : Buffer.from(path).toString();
  return fsError('ERR_FS_EISDIR', { message: 'is a directory', path: text, syscall: 'rm', errno: EISDIR });
}

/** The path without its last component; itself when it has but one. */
export function parentOf(path: KernelPath): KernelPath {
  if (typeof path !== 'string') {
    let end = path.length;
    while (end > 1 && path[end - 1] === 47) end--;
    const slash = path.lastIndexOf(47, end - 1);
    return slash < 0 ? path : path.subarray(0, Math.max(slash, 1));
  }
  const trimmed = path.replace(/(?!^)\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  return slash < 0 ? path : trimmed.slice(0, Math.max(slash, 1));
}
