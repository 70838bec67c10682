/**
 * Flags and modes as Linux numbers them (x86-64 and the asm-generic headers agree on all that
 * stand here). Compiled by asc and by tsc alike.
 */

// open(2)
export const O_RDONLY: u32 = 0;
export const O_WRONLY: u32 = 1;
export const O_RDWR: u32 = 2;
export const O_ACCMODE: u32 = 3;
export const O_CREAT: u32 = 0o100;
export const O_EXCL: u32 = 0o200;
export const O_NOCTTY: u32 = 0o400;
export const O_TRUNC: u32 = 0o1000;
export const O_APPEND: u32 = 0o2000;
export const O_NONBLOCK: u32 = 0o4000;
export const O_DSYNC: u32 = 0o10000;
export const O_DIRECT: u32 = 0o40000;
export const O_LARGEFILE: u32 = 0o100000;
export const O_DIRECTORY: u32 = 0o200000;
export const O_NOFOLLOW: u32 = 0o400000;
export const O_NOATIME: u32 = 0o1000000;
export const O_CLOEXEC: u32 = 0o2000000;
export const O_SYNC: u32 = 0o4010000;
export const O_PATH: u32 = 0o10000000;
export const O_TMPFILE: u32 = 0o20200000;
/** Ours (FreeBSD's O_RESOLVE_BENEATH): nothing resolves outside the starting directory. */
export const O_BENEATH: u32 = 0o100000000;

// st_mode
export const S_IFMT: u32 = 0o170000;
export const S_IFSOCK: u32 = 0o140000;
export const S_IFLNK: u32 = 0o120000;
export const S_IFREG: u32 = 0o100000;
export const S_IFBLK: u32 = 0o060000;
export const S_IFDIR: u32 = 0o040000;
export const S_IFCHR: u32 = 0o020000;
export const S_IFIFO: u32 = 0o010000;
export const S_ISUID: u32 = 0o4000;
export const S_ISGID: u32 = 0o2000;
export const S_ISVTX: u32 = 0o1000;

// d_type of a directory entry: st_mode's type bits shifted right
export const DT_SHIFT: u32 = 12;
export const DT_UNKNOWN: u32 = 0;
export const DT_FIFO: u32 = 1;
export const DT_CHR: u32 = 2;
export const DT_DIR: u32 = 4;
export const DT_BLK: u32 = 6;
export const DT_REG: u32 = 8;
export const DT_LNK: u32 = 10;
export const DT_SOCK: u32 = 12;

// access(2)
export const F_OK: u32 = 0;
export const X_OK: u32 = 1;
export const W_OK: u32 = 2;
export const R_OK: u32 = 4;

// the *at calls
export const AT_FDCWD: i32 = -100;
export const AT_SYMLINK_NOFOLLOW: u32 = 0x100;
export const AT_REMOVEDIR: u32 = 0x200;
export const AT_EACCESS: u32 = 0x200;
export const AT_SYMLINK_FOLLOW: u32 = 0x400;
export const AT_EMPTY_PATH: u32 = 0x1000;

// lseek(2)
export const SEEK_SET: u32 = 0;
export const SEEK_CUR: u32 = 1;
export const SEEK_END: u32 = 2;
export const SEEK_DATA: u32 = 3;
export const SEEK_HOLE: u32 = 4;

// utimensat(2), in the nanosecond argument
export const UTIME_NOW: u32 = 0x3fffffff;
export const UTIME_OMIT: u32 = 0x3ffffffe;

// fallocate(2)
export const FALLOC_FL_KEEP_SIZE: u32 = 1;
export const FALLOC_FL_PUNCH_HOLE: u32 = 2;
export const FALLOC_FL_ZERO_RANGE: u32 = 0x10;

// renameat2(2)
export const RENAME_NOREPLACE: u32 = 1;
export const RENAME_EXCHANGE: u32 = 2;
export const RENAME_WHITEOUT: u32 = 4;

// fcntl(2)
export const F_DUPFD: u32 = 0;
export const F_GETFD: u32 = 1;
export const F_SETFD: u32 = 2;
export const F_GETFL: u32 = 3;
export const F_SETFL: u32 = 4;
export const F_GETLK: u32 = 5;
export const F_SETLK: u32 = 6;
export const F_SETLKW: u32 = 7;
export const F_OFD_GETLK: u32 = 36;
export const F_OFD_SETLK: u32 = 37;
export const F_OFD_SETLKW: u32 = 38;
export const F_DUPFD_CLOEXEC: u32 = 1030;
export const F_SETPIPE_SZ: u32 = 1031;
export const F_GETPIPE_SZ: u32 = 1032;
/** Ours: confine every later lookup that starts at this directory descriptor (argument 1). */
export const F_SETBENEATH: u32 = 2048;
export const FD_CLOEXEC: u32 = 1;
export const F_RDLCK: u32 = 0;
export const F_WRLCK: u32 = 1;
export const F_UNLCK: u32 = 2;

// flock(2)
export const LOCK_SH: u32 = 1;
export const LOCK_EX: u32 = 2;
export const LOCK_NB: u32 = 4;
export const LOCK_UN: u32 = 8;

// poll(2)
export const POLLIN: u32 = 1;
export const POLLPRI: u32 = 2;
export const POLLOUT: u32 = 4;
export const POLLERR: u32 = 8;
export const POLLHUP: u32 = 0x10;
export const POLLNVAL: u32 = 0x20;
export const POLLRDNORM: u32 = 0x40;
export const POLLWRNORM: u32 = 0x100;
export const POLLRDHUP: u32 = 0x2000;

// mount(2)
export const MS_RDONLY: u32 = 1;
export const MS_NOSUID: u32 = 2;
export const MS_NODEV: u32 = 4;
export const MS_NOEXEC: u32 = 8;
export const MS_SYNCHRONOUS: u32 = 16;
export const MS_REMOUNT: u32 = 32;
export const MS_NOATIME: u32 = 1024;
export const MS_BIND: u32 = 4096;
export const MS_REC: u32 = 16384;
export const MS_SILENT: u32 = 32768;
export const MS_RELATIME: u32 = 1 << 21;
export const MS_STRICTATIME: u32 = 1 << 24;

// umount2(2)
export const MNT_FORCE: u32 = 1;
export const MNT_DETACH: u32 = 2;
export const UMOUNT_NOFOLLOW: u32 = 8;

// setxattr(2)
export const XATTR_CREATE: u32 = 1;
export const XATTR_REPLACE: u32 = 2;
export const XATTR_NAME_MAX: u32 = 255;
export const XATTR_SIZE_MAX: u32 = 65536;
export const XATTR_LIST_MAX: u32 = 65536;

// inotify(7)
export const IN_ACCESS: u32 = 1;
export const IN_MODIFY: u32 = 2;
export const IN_ATTRIB: u32 = 4;
export const IN_CLOSE_WRITE: u32 = 8;
export const IN_CLOSE_NOWRITE: u32 = 0x10;
export const IN_OPEN: u32 = 0x20;
export const IN_MOVED_FROM: u32 = 0x40;
export const IN_MOVED_TO: u32 = 0x80;
export const IN_CREATE: u32 = 0x100;
export const IN_DELETE: u32 = 0x200;
export const IN_DELETE_SELF: u32 = 0x400;
export const IN_MOVE_SELF: u32 = 0x800;
export const IN_ALL_EVENTS: u32 = 0xfff;
export const IN_UNMOUNT: u32 = 0x2000;
export const IN_Q_OVERFLOW: u32 = 0x4000;
export const IN_IGNORED: u32 = 0x8000;
export const IN_ONLYDIR: u32 = 0x1000000;
export const IN_DONT_FOLLOW: u32 = 0x2000000;
export const IN_EXCL_UNLINK: u32 = 0x4000000;
export const IN_MASK_CREATE: u32 = 0x10000000;
export const IN_MASK_ADD: u32 = 0x20000000;
export const IN_ISDIR: u32 = 0x40000000;
export const IN_ONESHOT: u32 = 0x80000000;
export const IN_NONBLOCK: u32 = O_NONBLOCK;
export const IN_CLOEXEC: u32 = O_CLOEXEC;

// clocks, as clock_gettime(2) numbers them
export const CLOCK_REALTIME: u32 = 0;
export const CLOCK_MONOTONIC: u32 = 1;

// setrlimit(2): the resources this kernel keeps
export const RLIMIT_FSIZE: u32 = 1;
export const RLIMIT_NOFILE: u32 = 7;

// ioctl(2)
export const FIONREAD: u32 = 0x541b;

// limits
export const NAME_MAX: u32 = 255;
export const PATH_MAX: u32 = 4096;
export const PIPE_BUF: u32 = 4096;
export const IOV_MAX: u32 = 1024;
export const SYMLOOP_MAX: u32 = 40;
export const LINK_MAX: u32 = 0x7fffffff;
/** The longest transfer of one read or write: INT_MAX rounded down to a page, as on Linux. */
export const RW_MAX: u32 = 0x7ffff000;
