/**
 * Error numbers: Linux's (asm-generic/errno-base.h and errno.h), which Node and FUSE use too.
 * A kernel call returns a value >= 0 or the negated number. Compiled by asc and by tsc alike.
 */
export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const E2BIG = 7;
export const ENOEXEC = 8;
export const EBADF = 9;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const ENOTBLK = 15;
export const EBUSY = 16;
export const EEXIST = 17;
export const EXDEV = 18;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOTTY = 25;
export const ETXTBSY = 26;
export const EFBIG = 27;
export const ENOSPC = 28;
export const ESPIPE = 29;
export const EROFS = 30;
export const EMLINK = 31;
export const EPIPE = 32;
export const EDOM = 33;
export const ERANGE = 34;
export const EDEADLK = 35;
export const ENAMETOOLONG = 36;
export const ENOLCK = 37;
export const ENOSYS = 38;
export const ENOTEMPTY = 39;
export const ELOOP = 40;
export const ENODATA = 61;
export const EOVERFLOW = 75;
export const EUSERS = 87;
export const ENOTSOCK = 88;
export const EOPNOTSUPP = 95;
export const ENOTCONN = 107;
export const ETIMEDOUT = 110;
export const ESTALE = 116;
export const EUCLEAN = 117;
export const EDQUOT = 122;
export const ECANCELED = 125;

/** Never reaches a program: the call blocked, its Lwp waits, and the host resumes it. */
export const ERESTART = 512;
/** Never reaches a program: a walk without locks met what it cannot decide; take the locks. */
export const ERETRY = 513;
/** Reaches a WASI guest alone: a right is missing, or a path leads out of what was opened to it. */
export const ENOTCAPABLE = 516;
