import type { ErrnoName } from '../oracle/errno.ts';
import { type CallName, callNames, documentedErrors } from './documented.ts';
import { BOTH, type Inapplicable, type Who } from './types.ts';

/** Slots of the frame that no scenario of this contract can fill, each with its reason. */

/** Every call that documents the error, but for some. */
function everywhere(errno: ErrnoName, reason: string, except: readonly CallName[] = []): Inapplicable {
  const calls = callNames.filter((call) => documentedErrors(call).includes(errno) && !except.includes(call));
  return { calls, errno, who: BOTH, reason };
}

function none(calls: string, errno: ErrnoName, reason: string, who: readonly Who[] = BOTH): Inapplicable {
  return { calls: calls.split(' ') as CallName[], errno, who, reason };
}

const OVERRIDES = 'root overrides file permissions';

export const inapplicable: readonly Inapplicable[] = [
  everywhere('EFAULT', 'paths and results go through the syscall area: there is no pointer to be bad', [
    'read',
    'readv',
    'write',
    'writev',
  ]),
  none('readv writev', 'EFAULT', 'the vector is built by the driver; read and write have the cell'),
  everywhere(
    'ENOMEM',
    'no scenario makes kernel memory run out alike everywhere: the fault loops fail each allocation',
  ),
  everywhere('EIO', 'needs a failing device: the fault suite of each file system with a disk'),
  everywhere('EDQUOT', 'no quotas'),
  everywhere('ENFILE', 'the system-wide table is bounded by memory: the fault loops'),
  everywhere('ETXTBSY', 'nothing executes files, and the driver executes none of the tests’'),
  everywhere('ENOLCK', 'lock records are bounded by memory: the fault loops'),
  everywhere('ENOSYS', 'every file system offers the call'),
  everywhere('EMLINK', 'the limit on links is beyond what a test can make; the ext4 suite has 65000', []),
  everywhere('EOVERFLOW', 'sizes and offsets are 64 bits wide, and none beyond 2^53 can be asked for', [
    'nameToHandleAt',
  ]),
  none('nameToHandleAt', 'EOVERFLOW', 'the buffer for the handle is always large enough'),

  none('open openat', 'EAGAIN', 'only a conflicting lease gives it; there are none'),
  none('open openat', 'EBUSY', 'only an exclusively held block device gives it'),
  none('open openat', 'EFBIG', 'only a 32-bit caller without O_LARGEFILE gets it'),
  none('creat', 'ENXIO', 'creat of a fifo waits for a reader; open has the cell with O_NONBLOCK'),
  none('close', 'EINTR', 'no file system here waits in close'),
  none('close', 'ENOSPC', 'space is reserved when data is written'),
  none('pread', 'ENXIO', 'only a device whose medium is gone'),
  none('pread pwrite preadv pwritev', 'EINTR', 'they work on files only, which do not wait'),
  none('readv writev', 'EINTR', 'read and write have the cell; the vector makes no difference'),
  none('truncate ftruncate fallocate', 'EINTR', 'no file system here waits interruptibly'),
  none('write pwrite writev pwritev', 'EPERM', 'only sealed memory files refuse'),
  none('ftruncate fallocate', 'EPERM', 'only sealed, append-only or immutable files refuse'),
  none('truncate', 'EPERM', 'only append-only or immutable files refuse'),
  none('access faccessat', 'EPERM', 'only immutable files refuse'),

  none('open openat', 'ENODEV', 'Linux gives ENXIO for a device without a driver'),
  none('open openat', 'EOPNOTSUPP', 'every file system here has O_TMPFILE'),
  none('mkdir mkdirat symlink symlinkat', 'EPERM', 'every file system here can make them'),
  none('mkdir mkdirat', 'EINVAL', 'every name that is not too long is good'),
  none('write', 'EINVAL', 'only O_DIRECT with a bad alignment, or an event descriptor'),
  none('fallocate', 'EISDIR', 'a directory is never open for writing: EBADF comes first'),
  none(
    'rename renameat2',
    'ENOSPC',
    'only a directory that must grow; the suite of each file system with a disk',
  ),
  none('fsync fdatasync syncfs', 'ENOSPC', 'space is reserved when data is written'),
  none('fsync fdatasync', 'EROFS', 'Linux syncs a descriptor on a read-only mount'),
  none('fsync fdatasync', 'EINTR', 'no file system here waits interruptibly'),
  none('fchdir dup2 dup3 statfs fstatfs', 'EINTR', 'no file system here waits there'),
  none('unlink', 'EBUSY', 'a mount point is a directory: EISDIR comes first'),
  none('dup2 dup3', 'EBUSY', 'only a race between two threads of a process'),
  none('dup2 dup3', 'EMFILE', 'Linux gives EBADF for a number beyond the limit'),
  none('fcntl', 'EAGAIN', 'Linux has no F_SETFL that must wait; locks are a call of their own here'),
  none('fcntlLock', 'EACCES', 'Linux gives EAGAIN for a lock that stands in the way'),
  none('utimensat', 'ESRCH', 'only a null path with AT_FDCWD, and there is no null path'),
  none('getcwd', 'EACCES', 'the kernel keeps the path: no directory is read'),
  none('getcwd', 'EINVAL', 'the buffer is the syscall area, never empty'),
  none('getcwd', 'ERANGE', 'the buffer is the syscall area, always large enough'),
  none('getdents', 'EINVAL', 'the buffer is the syscall area, always large enough'),
  none('ioctl', 'EINVAL', 'each device’s suite has its commands'),
  none('openByHandleAt', 'EINVAL', 'a handle is opaque, and of one size', ['root']),
  none('setrlimit', 'EPERM', 'only the soft limit is set here'),
  none('inotifyAddWatch', 'ENOSPC', 'the limit on watches is a setting of the whole system'),
  none('copyFileRange', 'EOPNOTSUPP', 'every file system here can copy'),
  none('copyFileRange', 'EPERM', 'only immutable files refuse'),
  none('nameToHandleAt', 'EOPNOTSUPP', 'every file system here has handles'),

  none('getxattr lgetxattr fgetxattr', 'E2BIG', 'no file can have a value that large'),
  none('listxattr llistxattr flistxattr', 'E2BIG', 'no file here can have so many names'),
  none('listxattr llistxattr flistxattr', 'EOPNOTSUPP', 'a file system without attributes lists none'),

  none('chroot', 'EACCES', OVERRIDES, ['root']),
  none('chroot', 'EACCES', 'a user with search permission is refused EPERM', ['user']),
  none('mount umount2', 'EACCES', OVERRIDES, ['root']),
  none('mount', 'EMFILE', 'unnamed devices are bounded by memory'),
  none('mount', 'ENOTBLK', 'the suite of each file system on a disk'),
  none('mount', 'ENXIO', 'the suite of each file system on a disk'),
  none('mount', 'EROFS', 'the suite of each file system on a disk'),
  none('umount2', 'EAGAIN', 'only MNT_EXPIRE gives it'),
  ...forRootOnly('mount', 'EBUSY EINVAL ELOOP ENAMETOOLONG ENODEV ENOENT ENOTDIR EACCES'),
  ...forRootOnly('umount2', 'EBUSY EINVAL ELOOP ENAMETOOLONG ENOENT ENOTDIR EACCES'),
  ...forRootOnly('chroot', 'ELOOP ENAMETOOLONG ENOENT ENOTDIR'),
  ...forRootOnly('openByHandleAt', 'EBADF EINVAL ELOOP EMFILE ESTALE'),
];

/** What only root may do ends with EPERM for a user before anything else is looked at. */
function forRootOnly(call: CallName, errnos: string): Inapplicable[] {
  return errnos
    .split(' ')
    .map((errno) => none(call, errno as ErrnoName, 'a user is refused with EPERM', ['user']));
}
