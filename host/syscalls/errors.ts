/**
 * The errors of system calls as Node words them: `code`, negative `errno`, `syscall`, `path`, `dest`.
 */
import * as errnos from '../../assembly/abi/errno.ts';

/** libuv's texts, and the C library's for numbers that libuv does not know. */
const TEXTS: Record<string, string> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ESRCH: 'no such process',
  EINTR: 'interrupted system call',
  EIO: 'i/o error',
  ENXIO: 'no such device or address',
  E2BIG: 'argument list too long',
  ENOEXEC: 'exec format error',
  EBADF: 'bad file descriptor',
  ECHILD: 'no child processes',
  EAGAIN: 'resource temporarily unavailable',
  ENOMEM: 'not enough memory',
  EACCES: 'permission denied',
  EFAULT: 'bad address in system call argument',
  ENOTBLK: 'block device required',
  EBUSY: 'resource busy or locked',
  EEXIST: 'file already exists',
  EXDEV: 'cross-device link not permitted',
  ENODEV: 'no such device',
  ENOTDIR: 'not a directory',
  EISDIR: 'illegal operation on a directory',
  EINVAL: 'invalid argument',
  ENFILE: 'file table overflow',
  EMFILE: 'too many open files',
  ENOTTY: 'inappropriate ioctl for device',
  ETXTBSY: 'text file is busy',
  EFBIG: 'file too large',
  ENOSPC: 'no space left on device',
  ESPIPE: 'invalid seek',
  EROFS: 'read-only file system',
  EMLINK: 'too many links',
  EPIPE: 'broken pipe',
  EDOM: 'numerical argument out of domain',
  ERANGE: 'result too large',
  EDEADLK: 'resource deadlock would occur',
  ENAMETOOLONG: 'name too long',
  ENOLCK: 'no locks available',
  ENOSYS: 'function not implemented',
  ENOTEMPTY: 'directory not empty',
  ELOOP: 'too many symbolic links encountered',
  ENODATA: 'no data available',
  EOVERFLOW: 'value too large for defined data type',
  EUSERS: 'too many users',
  ENOTSOCK: 'socket operation on non-socket',
  // Linux has one number for both, and libuv's name for it is ENOTSUP.
  EOPNOTSUPP: 'operation not supported on socket',
  ENOTCONN: 'socket is not connected',
  ETIMEDOUT: 'connection timed out',
  ESTALE: 'stale file handle',
  EUCLEAN: 'structure needs cleaning',
  EDQUOT: 'disk quota exceeded',
  ECANCELED: 'operation canceled',
};

const BY_NUMBER = new Map<number, { code: string; text: string }>();
for (const [name, number] of Object.entries(errnos)) {
  const text = TEXTS[name];
  if (text !== undefined) BY_NUMBER.set(number, { code: name === 'EOPNOTSUPP' ? 'ENOTSUP' : name, text });
}

/** Name and text of a positive errno. */
export function describeErrno(errno: number): { code: string; text: string } {
  return BY_NUMBER.get(errno) ?? { code: `UNKNOWN`, text: `Unknown system error ${-errno}` };
}

/** The error of a failed system call, with the fields that Node's have. */
export interface SyscallError extends Error {
  /** Linux's number, negated. */
  errno: number;
  code: string;
  syscall: string;
  path?: string;
  dest?: string;
}

/** Did a system call fail, rather than something else? */
export function isSyscallError(error: unknown): error is SyscallError {
  return error instanceof Error && typeof (error as SyscallError).syscall === 'string';
}

/**
 * Make the error of a failed call.
 *
 * @param errno  positive
 */
export function syscallError(errno: number, syscall: string, path?: string, dest?: string): SyscallError {
  const { code, text } = describeErrno(errno);
  let message = `${code}: ${text}, ${syscall}`;
  if (path !== undefined) message += ` '${path}'`;
  if (dest !== undefined) message += ` -> '${dest}'`;
  const error = new Error(message) as SyscallError;
  error.errno = -errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
}
