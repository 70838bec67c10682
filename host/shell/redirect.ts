/** Redirections: open, dup2, and back again. */
import {
  F_DUPFD_CLOEXEC,
  O_APPEND,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  S_IFMT,
  S_IFREG,
} from '../../assembly/abi/flags.ts';
import { encodeBytes } from '../syscalls/bytes.ts';
import { describe, isEnded, isSyscallError } from './errors.ts';
import type { Shell } from './shell.ts';
import type { FileRedirect, HereDocument, Redirect } from './syntax/ast.ts';

const FILE_MODE = 0o666;
/** Redirected descriptors are kept at or above this. */
const SAVED_MIN = 10;
/** What a pipe certainly takes without a reader. */
const PIPE_BYTES = 4096;

/** What a descriptor was: where it is kept, or that it was closed. */
interface Saved {
  readonly fd: number;
  readonly at: number | undefined;
}

/** Redirections that can be taken back. */
export class Redirections {
  readonly #shell: Shell;
  readonly #saved: Saved[] = [];
  readonly #traceFd: number;
  readonly #simple: boolean;

  /** @param simple  of a simple command, whose redirections `set -x` does not follow */
  constructor(shell: Shell, simple: boolean) {
    this.#shell = shell;
    this.#traceFd = shell.traceFd;
    this.#simple = simple;
  }

  /** Do them in order. @throws ShellError, with those before taken back */
  async apply(redirects: readonly Redirect[]): Promise<void> {
    try {
      for (const redirect of redirects) {
        await perform(this.#shell, redirect, () => this.#save(redirect.fd));
      }
    } catch (error) {
      if (!isEnded(error)) this.restore();
      throw error;
    }
  }

  #save(fd: number): void {
    const shell = this.#shell;
    if (this.#saved.some((each) => each.fd === fd)) return;
    const at = keep(shell, fd);
    this.#saved.push({ fd, at });
    if (fd === 2 && this.#simple) shell.traceFd = at ?? -1;
  }

  /** As it was before. */
  restore(): void {
    const { process, saved } = this.#shell;
    for (const { fd, at } of this.#saved.splice(0).reverse()) {
      if (at === undefined) closeQuietly(this.#shell, fd);
      else {
        process.dup2(at, fd);
        process.close(at);
        saved.delete(at);
      }
    }
    this.#shell.traceFd = this.#traceFd;
  }
}

/** Redirections that stay: `exec`'s, and those of a process that ends with its command. */
export async function redirectForGood(shell: Shell, redirects: readonly Redirect[]): Promise<void> {
  for (const redirect of redirects) await perform(shell, redirect, () => {});
}

/** A copy of a descriptor out of the way; undefined if it is not open. */
function keep(shell: Shell, fd: number): number | undefined {
  try {
    const at = shell.process.fcntl(fd, F_DUPFD_CLOEXEC, SAVED_MIN);
    shell.saved.add(at);
    return at;
  } catch (error) {
    if (isSyscallError(error) && error.code === 'EBADF') return undefined;
    throw error;
  }
}

async function perform(shell: Shell, redirect: Redirect, save: () => void): Promise<void> {
  const { process } = shell;
  const { fd } = redirect;
  if (shell.saved.has(fd)) throw shell.error(`${fd}: Bad file descriptor`);
  if (redirect.kind === 'here') {
    const from = await hereDocument(shell, redirect);
    save();
    move(shell, from, fd);
    return;
  }
  const target = await shell.expander.text(redirect.target);
  if (redirect.operator !== '>&' && redirect.operator !== '<&') {
    const from = await open(shell, redirect, target);
    save();
    move(shell, from, fd);
    return;
  }
  if (target === '-') {
    save();
    closeQuietly(shell, fd);
    return;
  }
  const source = /^\d+$/.test(target) ? Number(target) : Number.NaN;
  if (Number.isNaN(source)) throw shell.error('Bad fd number');
  save();
  try {
    if (shell.saved.has(source)) throw shell.error(`${source}: Bad file descriptor`);
    if (source !== fd) process.dup2(source, fd);
    else process.fcntl(fd, 1);
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    throw shell.error(`${source}: ${describe(error)}`);
  }
}

/** A new descriptor in the place of another. */
function move(shell: Shell, from: number, fd: number): void {
  const { process } = shell;
  if (from === fd) process.fcntl(fd, 2, 0);
  else {
    process.dup2(from, fd);
    process.close(from);
  }
}

function closeQuietly(shell: Shell, fd: number): void {
  try {
    shell.process.close(fd);
  } catch (error) {
    if (!isSyscallError(error) || error.code !== 'EBADF') throw error;
  }
}

async function open(shell: Shell, { operator }: FileRedirect, path: string): Promise<number> {
  const attempt = (flags: number) => shell.retry(() => shell.data.openLater(path, flags, FILE_MODE));
  try {
    switch (operator) {
      case '<':
        return await attempt(O_RDONLY);
      case '<>':
        return await attempt(O_RDWR | O_CREAT);
      case '>>':
        return await attempt(O_WRONLY | O_CREAT | O_APPEND);
      case '>':
        if (shell.state.options.has('noclobber')) return await openNew(shell, path, attempt);
        return await attempt(O_WRONLY | O_CREAT | O_TRUNC);
      default:
        return await attempt(O_WRONLY | O_CREAT | O_TRUNC);
    }
  } catch (error) {
    if (isEnded(error) || !isSyscallError(error)) throw error;
    const creates = operator !== '<';
    const missing = error.code === 'ENOENT';
    const why = !missing ? describe(error) : creates ? 'Directory nonexistent' : 'No such file';
    throw shell.error(`cannot ${creates ? 'create' : 'open'} ${path}: ${why}`);
  }
}

/** noclobber: a file that is there is written only if it is no regular file. */
async function openNew(
  shell: Shell,
  path: string | Uint8Array,
  attempt: (flags: number) => Promise<number>,
): Promise<number> {
  try {
    return await attempt(O_WRONLY | O_CREAT | O_EXCL);
  } catch (error) {
    if (!isSyscallError(error) || error.code !== 'EEXIST') throw error;
    let isRegular = true;
    try {
      isRegular = (Number(shell.process.fstatat(-100, path).mode) & S_IFMT) === S_IFREG;
    } catch (failure) {
      if (isEnded(failure) || !isSyscallError(failure)) throw failure;
    }
    if (isRegular) throw error;
    return attempt(O_WRONLY);
  }
}

/** A descriptor to read a here-document from: a pipe, filled by a process of its own if it is long. */
async function hereDocument(shell: Shell, { body }: HereDocument): Promise<number> {
  const bytes = encodeBytes(await shell.expander.text(body));
  const { process } = shell;
  const pipe = process.pipe();
  if (bytes.length <= PIPE_BYTES) {
    for (let done = 0; done < bytes.length; ) {
      done += shell.data.write(pipe.write, bytes, done, bytes.length - done, -1);
    }
  } else {
    const pid = shell.fork(async (child) => {
      child.process.close(pipe.read);
      child.process.dup2(pipe.write, 1);
      child.process.close(pipe.write);
      child.write(bytes);
      await child.flush();
      return 0;
    });
    shell.jobs.addStray(pid);
  }
  process.close(pipe.write);
  return pipe.read;
}
