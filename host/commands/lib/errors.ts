/** Errors as commands word them: the C library's texts, and what ends a command early. */
import * as errnos from '../../../assembly/abi/errno.ts';

const TEXTS: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  ENXIO: 'No such device or address',
  E2BIG: 'Argument list too long',
  ENOEXEC: 'Exec format error',
  EBADF: 'Bad file descriptor',
  ECHILD: 'No child processes',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EFAULT: 'Bad address',
  ENOTBLK: 'Block device required',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EXDEV: 'Invalid cross-device link',
  ENODEV: 'No such device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  ENOTTY: 'Inappropriate ioctl for device',
  ETXTBSY: 'Text file busy',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  ESPIPE: 'Illegal seek',
  EROFS: 'Read-only file system',
  EMLINK: 'Too many links',
  EPIPE: 'Broken pipe',
  EDOM: 'Numerical argument out of domain',
  ERANGE: 'Numerical result out of range',
  EDEADLK: 'Resource deadlock avoided',
  ENAMETOOLONG: 'File name too long',
  ENOLCK: 'No locks available',
  ENOSYS: 'Function not implemented',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Too many levels of symbolic links',
  ENODATA: 'No data available',
  EOVERFLOW: 'Value too large for defined data type',
  EUSERS: 'Too many users',
  ENOTSOCK: 'Socket operation on non-socket',
  EOPNOTSUPP: 'Operation not supported',
  ENOTCONN: 'Transport endpoint is not connected',
  ETIMEDOUT: 'Connection timed out',
  ESTALE: 'Stale file handle',
  EUCLEAN: 'Structure needs cleaning',
  EDQUOT: 'Disk quota exceeded',
  ECANCELED: 'Operation canceled',
};

const BY_NUMBER = new Map(
  Object.entries(errnos).flatMap(([name, number]) => (name in TEXTS ? [[number, TEXTS[name]]] : [])) as [
    number,
    string,
  ][],
);

/** The positive errno of a failed system call; 0 of any other error. */
export function errnoOf(error: unknown): number {
  const { errno } = (error ?? {}) as { errno?: unknown };
  return typeof errno === 'number' && errno < 0 ? -errno : 0;
}

/** What the C library's strerror says. Errors that are not system calls' are thrown again. */
export function strerror(error: unknown): string {
  const errno = errnoOf(error);
  if (errno === 0) throw error;
  return BY_NUMBER.get(errno) ?? `Unknown error ${errno}`;
}

/** A message that ends the command with an exit status. */
export class Failure extends Error {
  readonly status: number;
  /** "Try 'NAME --help'" follows. */
  readonly usage: boolean;

  constructor(message: string, status = 1, usage = false) {
    super(message);
    this.name = 'Failure';
    this.status = status;
    this.usage = usage;
  }
}
