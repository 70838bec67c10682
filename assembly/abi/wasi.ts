/**
 * WASI preview 1 (wasi_snapshot_preview1.witx): its errno, rights, flags and the layout of its
 * records in a guest's memory. Compiled by asc and by tsc alike.
 */

// ── errno ───────────────────────────────────────────────────────────────────────────────────
export const WASI_ESUCCESS: i32 = 0;
export const WASI_E2BIG: i32 = 1;
export const WASI_EACCES: i32 = 2;
export const WASI_EAGAIN: i32 = 6;
export const WASI_EBADF: i32 = 8;
export const WASI_EBUSY: i32 = 10;
export const WASI_ECANCELED: i32 = 11;
export const WASI_ECHILD: i32 = 12;
export const WASI_EDEADLK: i32 = 16;
export const WASI_EDOM: i32 = 18;
export const WASI_EDQUOT: i32 = 19;
export const WASI_EEXIST: i32 = 20;
export const WASI_EFAULT: i32 = 21;
export const WASI_EFBIG: i32 = 22;
export const WASI_EINTR: i32 = 27;
export const WASI_EINVAL: i32 = 28;
export const WASI_EIO: i32 = 29;
export const WASI_EISDIR: i32 = 31;
export const WASI_ELOOP: i32 = 32;
export const WASI_EMFILE: i32 = 33;
export const WASI_EMLINK: i32 = 34;
export const WASI_ENAMETOOLONG: i32 = 37;
export const WASI_ENFILE: i32 = 41;
export const WASI_ENODEV: i32 = 43;
export const WASI_ENOENT: i32 = 44;
export const WASI_ENOEXEC: i32 = 45;
export const WASI_ENOLCK: i32 = 46;
export const WASI_ENOMEM: i32 = 48;
export const WASI_ENOSPC: i32 = 51;
export const WASI_ENOSYS: i32 = 52;
export const WASI_ENOTDIR: i32 = 54;
export const WASI_ENOTEMPTY: i32 = 55;
export const WASI_ENOTSOCK: i32 = 57;
export const WASI_ENOTSUP: i32 = 58;
export const WASI_ENOTTY: i32 = 59;
export const WASI_ENXIO: i32 = 60;
export const WASI_EOVERFLOW: i32 = 61;
export const WASI_EPERM: i32 = 63;
export const WASI_EPIPE: i32 = 64;
export const WASI_ERANGE: i32 = 68;
export const WASI_EROFS: i32 = 69;
export const WASI_ESPIPE: i32 = 70;
export const WASI_ESRCH: i32 = 71;
export const WASI_ESTALE: i32 = 72;
export const WASI_ETIMEDOUT: i32 = 73;
export const WASI_ETXTBSY: i32 = 74;
export const WASI_EXDEV: i32 = 75;
export const WASI_ENOTCAPABLE: i32 = 76;

// ── rights: 30 bits, the rest of the 64 mean nothing ─────────────────────────────────────────
export const RIGHT_FD_DATASYNC: u32 = 1 << 0;
export const RIGHT_FD_READ: u32 = 1 << 1;
export const RIGHT_FD_SEEK: u32 = 1 << 2;
export const RIGHT_FD_FDSTAT_SET_FLAGS: u32 = 1 << 3;
export const RIGHT_FD_SYNC: u32 = 1 << 4;
export const RIGHT_FD_TELL: u32 = 1 << 5;
export const RIGHT_FD_WRITE: u32 = 1 << 6;
export const RIGHT_FD_ADVISE: u32 = 1 << 7;
export const RIGHT_FD_ALLOCATE: u32 = 1 << 8;
export const RIGHT_PATH_CREATE_DIRECTORY: u32 = 1 << 9;
export const RIGHT_PATH_CREATE_FILE: u32 = 1 << 10;
export const RIGHT_PATH_LINK_SOURCE: u32 = 1 << 11;
export const RIGHT_PATH_LINK_TARGET: u32 = 1 << 12;
export const RIGHT_PATH_OPEN: u32 = 1 << 13;
export const RIGHT_FD_READDIR: u32 = 1 << 14;
export const RIGHT_PATH_READLINK: u32 = 1 << 15;
export const RIGHT_PATH_RENAME_SOURCE: u32 = 1 << 16;
export const RIGHT_PATH_RENAME_TARGET: u32 = 1 << 17;
export const RIGHT_PATH_FILESTAT_GET: u32 = 1 << 18;
export const RIGHT_PATH_FILESTAT_SET_SIZE: u32 = 1 << 19;
export const RIGHT_PATH_FILESTAT_SET_TIMES: u32 = 1 << 20;
export const RIGHT_FD_FILESTAT_GET: u32 = 1 << 21;
export const RIGHT_FD_FILESTAT_SET_SIZE: u32 = 1 << 22;
export const RIGHT_FD_FILESTAT_SET_TIMES: u32 = 1 << 23;
export const RIGHT_PATH_SYMLINK: u32 = 1 << 24;
export const RIGHT_PATH_REMOVE_DIRECTORY: u32 = 1 << 25;
export const RIGHT_PATH_UNLINK_FILE: u32 = 1 << 26;
export const RIGHT_POLL_FD_READWRITE: u32 = 1 << 27;
export const RIGHT_SOCK_SHUTDOWN: u32 = 1 << 28;
export const RIGHT_SOCK_ACCEPT: u32 = 1 << 29;
export const RIGHTS_ALL: u32 = 0x3fffffff;

/** What can be done with each kind of file at all: nothing beyond is ever granted for one. */
export const RIGHTS_FILE: u32 =
  RIGHT_FD_DATASYNC |
  RIGHT_FD_READ |
  RIGHT_FD_SEEK |
  RIGHT_FD_FDSTAT_SET_FLAGS |
  RIGHT_FD_SYNC |
  RIGHT_FD_TELL |
  RIGHT_FD_WRITE |
  RIGHT_FD_ADVISE |
  RIGHT_FD_ALLOCATE |
  RIGHT_FD_FILESTAT_GET |
  RIGHT_FD_FILESTAT_SET_SIZE |
  RIGHT_FD_FILESTAT_SET_TIMES |
  RIGHT_POLL_FD_READWRITE;
export const RIGHTS_DIRECTORY: u32 =
  RIGHT_FD_FDSTAT_SET_FLAGS |
  RIGHT_FD_SYNC |
  RIGHT_FD_ADVISE |
  RIGHT_PATH_CREATE_DIRECTORY |
  RIGHT_PATH_CREATE_FILE |
  RIGHT_PATH_LINK_SOURCE |
  RIGHT_PATH_LINK_TARGET |
  RIGHT_PATH_OPEN |
  RIGHT_FD_READDIR |
  RIGHT_PATH_READLINK |
  RIGHT_PATH_RENAME_SOURCE |
  RIGHT_PATH_RENAME_TARGET |
  RIGHT_PATH_FILESTAT_GET |
  RIGHT_PATH_FILESTAT_SET_SIZE |
  RIGHT_PATH_FILESTAT_SET_TIMES |
  RIGHT_FD_FILESTAT_GET |
  RIGHT_FD_FILESTAT_SET_TIMES |
  RIGHT_PATH_SYMLINK |
  RIGHT_PATH_REMOVE_DIRECTORY |
  RIGHT_PATH_UNLINK_FILE |
  RIGHT_POLL_FD_READWRITE;
export const RIGHTS_STREAM: u32 =
  RIGHT_FD_READ |
  RIGHT_FD_FDSTAT_SET_FLAGS |
  RIGHT_FD_WRITE |
  RIGHT_FD_FILESTAT_GET |
  RIGHT_FD_FILESTAT_SET_TIMES |
  RIGHT_POLL_FD_READWRITE;
export const RIGHTS_SOCKET: u32 = RIGHTS_STREAM | RIGHT_SOCK_SHUTDOWN | RIGHT_SOCK_ACCEPT;

// ── flags ───────────────────────────────────────────────────────────────────────────────────
export const WASI_LOOKUP_FOLLOW: u32 = 1;
export const WASI_OFLAG_CREAT: u32 = 1;
export const WASI_OFLAG_DIRECTORY: u32 = 2;
export const WASI_OFLAG_EXCL: u32 = 4;
export const WASI_OFLAG_TRUNC: u32 = 8;
export const WASI_OFLAG_ALL: u32 = 15;
export const WASI_FDFLAG_APPEND: u32 = 1;
export const WASI_FDFLAG_DSYNC: u32 = 2;
export const WASI_FDFLAG_NONBLOCK: u32 = 4;
export const WASI_FDFLAG_RSYNC: u32 = 8;
export const WASI_FDFLAG_SYNC: u32 = 16;
export const WASI_FDFLAG_ALL: u32 = 31;
export const WASI_FST_ATIM: u32 = 1;
export const WASI_FST_ATIM_NOW: u32 = 2;
export const WASI_FST_MTIM: u32 = 4;
export const WASI_FST_MTIM_NOW: u32 = 8;
export const WASI_FST_ALL: u32 = 15;
export const WASI_WHENCE_SET: u32 = 0;
export const WASI_WHENCE_CUR: u32 = 1;
export const WASI_WHENCE_END: u32 = 2;
export const WASI_ADVICE_MAX: u32 = 5;
export const WASI_RI_PEEK: u32 = 1;
export const WASI_RI_WAITALL: u32 = 2;
export const WASI_SD_ALL: u32 = 3;

export const WASI_FILETYPE_UNKNOWN: u32 = 0;
export const WASI_FILETYPE_BLOCK_DEVICE: u32 = 1;
export const WASI_FILETYPE_CHARACTER_DEVICE: u32 = 2;
export const WASI_FILETYPE_DIRECTORY: u32 = 3;
export const WASI_FILETYPE_REGULAR_FILE: u32 = 4;
export const WASI_FILETYPE_SOCKET_DGRAM: u32 = 5;
export const WASI_FILETYPE_SOCKET_STREAM: u32 = 6;
export const WASI_FILETYPE_SYMBOLIC_LINK: u32 = 7;

export const WASI_CLOCK_REALTIME: u32 = 0;
export const WASI_CLOCK_MONOTONIC: u32 = 1;
export const WASI_CLOCK_PROCESS_CPUTIME: u32 = 2;
export const WASI_CLOCK_THREAD_CPUTIME: u32 = 3;
export const WASI_SUBCLOCK_ABSTIME: u32 = 1;
export const WASI_EVENT_CLOCK: u32 = 0;
export const WASI_EVENT_FD_READ: u32 = 1;
export const WASI_EVENT_FD_WRITE: u32 = 2;
export const WASI_EVENT_HANGUP: u32 = 1;
/** WASI's signals are Linux's up to SIGTERM; behind it Linux has one more (SIGSTKFLT). */
export const WASI_SIGTERM: u32 = 15;
export const WASI_SIGSYS: u32 = 30;

// ── records ─────────────────────────────────────────────────────────────────────────────────
/** iovec and ciovec: { buf u32, len u32 } */
export const WASI_IOVEC_SIZE: u32 = 8;

export const WASI_FDSTAT_SIZE: u32 = 24;
export const WASI_FDSTAT_FILETYPE: u32 = 0; //   u8
export const WASI_FDSTAT_FLAGS: u32 = 2; //      u16
export const WASI_FDSTAT_BASE: u32 = 8; //       u64
export const WASI_FDSTAT_INHERITING: u32 = 16; // u64

export const WASI_FILESTAT_SIZE: u32 = 64;
export const WASI_FILESTAT_DEV: u32 = 0; //      u64
export const WASI_FILESTAT_INO: u32 = 8; //      u64
export const WASI_FILESTAT_FILETYPE: u32 = 16; // u8
export const WASI_FILESTAT_NLINK: u32 = 24; //   u64
export const WASI_FILESTAT_LENGTH: u32 = 32; //  u64
export const WASI_FILESTAT_ATIM: u32 = 40; //    u64, ns since 1970
export const WASI_FILESTAT_MTIM: u32 = 48;
export const WASI_FILESTAT_CTIM: u32 = 56;

export const WASI_DIRENT_SIZE: u32 = 24;
export const WASI_DIRENT_NEXT: u32 = 0; //   u64
export const WASI_DIRENT_INO: u32 = 8; //    u64
export const WASI_DIRENT_NAMLEN: u32 = 16; // u32
export const WASI_DIRENT_TYPE: u32 = 20; //  u8

export const WASI_PRESTAT_SIZE: u32 = 8; // tag u8 (0: a directory), length of its name u32 at 4
export const WASI_PRESTAT_NAMELEN: u32 = 4;

export const WASI_SUB_SIZE: u32 = 48;
export const WASI_SUB_USERDATA: u32 = 0; // u64
export const WASI_SUB_TAG: u32 = 8; //      u8 WASI_EVENT_*
export const WASI_SUB_FD: u32 = 16; //      u32, or the clock's id
export const WASI_SUB_TIMEOUT: u32 = 24; // u64 ns
export const WASI_SUB_PRECISION: u32 = 32; // u64 ns
export const WASI_SUB_FLAGS: u32 = 40; //   u16

export const WASI_EVENT_SIZE: u32 = 32;
export const WASI_EVENT_USERDATA: u32 = 0; // u64
export const WASI_EVENT_ERROR: u32 = 8; //   u16
export const WASI_EVENT_TYPE: u32 = 10; //   u8
export const WASI_EVENT_NBYTES: u32 = 16; // u64
export const WASI_EVENT_FLAGS: u32 = 24; //  u16

/** More subscriptions in one poll_oneoff are EINVAL. */
export const WASI_POLL_MAX: u32 = 4096;

// ── between the host and the kernel ─────────────────────────────────────────────────────────
/**
 * A space with this bit is a guest's memory; the rest is the index, in the kernel's function table,
 * of the gate's copyin, its copyout behind it.
 */
export const GUEST_SPACE: u32 = 0x80000000;
/** Table slots of one guest: copyin, copyout. */
export const GUEST_SLOTS: u32 = 2;
/** guest_create's answer at SA_DATA: the guest's address, and its first slot's index in the table. */
export const WC_GUEST: u32 = 0; // u32
export const WC_SLOT: u32 = 4; //  u32
/** guest_strings: which of a guest's lists. */
export const WASI_ARGS: u32 = 0;
export const WASI_ENVIRON: u32 = 1;
