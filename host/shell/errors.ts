/** What leaves the shell's commands other than by a status. */
import type { SyscallError } from '../syscalls/errors.ts';
import { EINTR, ESRCH } from '../../assembly/abi/errno.ts';

/** A command failed in a way that ends it, and a shell that is not interactive where POSIX says so. */
export class ShellError extends Error {
  readonly status: number;
  /** It has been said on standard error. */
  reported = false;

  constructor(message: string, status = 2) {
    super(message);
    this.name = 'ShellError';
    this.status = status;
  }
}

/** `exit`: leave the shell's process with a status. */
export class ExitShell {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

/** The process has run another program to its end: nothing of the shell is left in it. */
export class Replaced {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

/** ^C: back to the prompt. */
export class Interrupted {
  readonly status = 130;
}

export function isSyscallError(error: unknown): error is SyscallError {
  return error instanceof Error && typeof (error as SyscallError).syscall === 'string';
}

/** Did this process end? Every call of its fails then, and nothing is to be done about it. */
export function isEnded(error: unknown): boolean {
  return isSyscallError(error) && error.errno === -ESRCH && error.syscall !== 'kill';
}

export function isInterrupted(error: unknown): boolean {
  return isSyscallError(error) && error.errno === -EINTR;
}

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EBADF: 'Bad file descriptor',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EIO: 'I/O error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENXIO: 'No such device or address',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system',
  ESRCH: 'No such process',
};

/** A failed call as the C library words it. */
export function describe(error: unknown): string {
  if (!isSyscallError(error)) return error instanceof Error ? error.message : String(error);
  if ('reason' in error) return String(error.reason);
  const text = TEXTS[error.code];
  if (text !== undefined) return text;
  const own = error.message.replace(/^[A-Z0-9]+: /, '').replace(/, [a-z_0-9]+( '.*)?$/s, '');
  return own.charAt(0).toUpperCase() + own.slice(1);
}
