/**
 * The FUSE protocol's numbers and layouts, each typed once: /dev/fuse as fuse(4) describes it, of
 * version 7.31 up to 7.38.
 *
 * A request is a header (FUSE_IN_HEADER bytes) and a body: a struct, names that each end with a NUL, data.
 * An answer is a header (FUSE_OUT_HEADER bytes) and a body. All of it is in the host's byte order, which is
 * little-endian wherever Node runs; every struct is a multiple of 8 bytes. Offsets of a body's fields count
 * from the body's beginning.
 */

export const FUSE_MAJOR = 7;
/** The newest minor version that is spoken, and the oldest. */
export const FUSE_MINOR = 39;
export const FUSE_MINOR_LEAST = 31;
export const FUSE_ROOT_ID = 1;

// ── headers ──────────────────────────────────────────────────────────────────────────────────
export const FUSE_IN_HEADER = 40;
export const IN_LEN = 0; //     u32  header included
export const IN_OPCODE = 4; //  u32
export const IN_UNIQUE = 8; //  u64
export const IN_NODEID = 16; // u64
export const IN_UID = 24; //    u32
export const IN_GID = 28; //    u32
export const IN_PID = 32; //    u32  0: a process that the server cannot see
export const FUSE_OUT_HEADER = 16;
export const OUT_LEN = 0; //    u32
export const OUT_ERROR = 4; //  i32  0 or a negated errno; of a notification its code
export const OUT_UNIQUE = 8; // u64  the request's; 0: a notification

// ── operations ───────────────────────────────────────────────────────────────────────────────
export const FUSE_LOOKUP = 1;
export const FUSE_FORGET = 2;
export const FUSE_GETATTR = 3;
export const FUSE_SETATTR = 4;
export const FUSE_READLINK = 5;
export const FUSE_SYMLINK = 6;
export const FUSE_MKNOD = 8;
export const FUSE_MKDIR = 9;
export const FUSE_UNLINK = 10;
export const FUSE_RMDIR = 11;
export const FUSE_RENAME = 12;
export const FUSE_LINK = 13;
export const FUSE_OPEN = 14;
export const FUSE_READ = 15;
export const FUSE_WRITE = 16;
export const FUSE_STATFS = 17;
export const FUSE_RELEASE = 18;
export const FUSE_FSYNC = 20;
export const FUSE_SETXATTR = 21;
export const FUSE_GETXATTR = 22;
export const FUSE_LISTXATTR = 23;
export const FUSE_REMOVEXATTR = 24;
export const FUSE_FLUSH = 25;
export const FUSE_INIT = 26;
export const FUSE_OPENDIR = 27;
export const FUSE_READDIR = 28;
export const FUSE_RELEASEDIR = 29;
export const FUSE_FSYNCDIR = 30;
export const FUSE_GETLK = 31;
export const FUSE_SETLK = 32;
export const FUSE_SETLKW = 33;
export const FUSE_ACCESS = 34;
export const FUSE_CREATE = 35;
export const FUSE_INTERRUPT = 36;
export const FUSE_DESTROY = 38;
export const FUSE_POLL = 40;
export const FUSE_BATCH_FORGET = 42;
export const FUSE_FALLOCATE = 43;
export const FUSE_READDIRPLUS = 44;
export const FUSE_RENAME2 = 45;
export const FUSE_LSEEK = 46;
export const FUSE_COPY_FILE_RANGE = 47;
export const FUSE_SYNCFS = 50;
export const FUSE_TMPFILE = 51;
/** One more than the largest opcode that is known. */
export const FUSE_OPCODES = 53;

// ── INIT ─────────────────────────────────────────────────────────────────────────────────────
export const INIT_IN_LEAST = 16;
export const INIT_IN_MAJOR = 0; //         u32
export const INIT_IN_MINOR = 4; //         u32
export const INIT_IN_MAX_READAHEAD = 8; // u32
export const INIT_IN_FLAGS = 12; //        u32
export const INIT_OUT = 64;
export const INIT_OUT_MAJOR = 0; //          u32
export const INIT_OUT_MINOR = 4; //          u32
export const INIT_OUT_MAX_READAHEAD = 8; //  u32
export const INIT_OUT_FLAGS = 12; //         u32
export const INIT_OUT_MAX_BACKGROUND = 16; // u16
export const INIT_OUT_CONGESTION = 18; //    u16
export const INIT_OUT_MAX_WRITE = 20; //     u32
export const INIT_OUT_TIME_GRAN = 24; //     u32  ns
export const INIT_OUT_MAX_PAGES = 28; //     u16

export const FUSE_ASYNC_READ = 1 << 0;
export const FUSE_POSIX_LOCKS = 1 << 1;
export const FUSE_ATOMIC_O_TRUNC = 1 << 3;
export const FUSE_EXPORT_SUPPORT = 1 << 4;
export const FUSE_BIG_WRITES = 1 << 5;
export const FUSE_FLOCK_LOCKS = 1 << 10;
export const FUSE_DO_READDIRPLUS = 1 << 13;
export const FUSE_READDIRPLUS_AUTO = 1 << 14;
export const FUSE_ASYNC_DIO = 1 << 15;
export const FUSE_WRITEBACK_CACHE = 1 << 16;
export const FUSE_PARALLEL_DIROPS = 1 << 18;
export const FUSE_MAX_PAGES = 1 << 22;
export const FUSE_CACHE_SYMLINKS = 1 << 23;
export const FUSE_HANDLE_KILLPRIV_V2 = 1 << 28;

// ── attributes ───────────────────────────────────────────────────────────────────────────────
export const ATTR_SIZE = 88;
export const ATTR_INO = 0; //       u64
export const ATTR_LENGTH = 8; //    u64
export const ATTR_BLOCKS = 16; //   u64  of 512 bytes
export const ATTR_ATIME = 24; //    u64  seconds, two's complement
export const ATTR_MTIME = 32; //    u64
export const ATTR_CTIME = 40; //    u64
export const ATTR_ATIME_NS = 48; // u32
export const ATTR_MTIME_NS = 52; // u32
export const ATTR_CTIME_NS = 56; // u32
export const ATTR_MODE = 60; //     u32
export const ATTR_NLINK = 64; //    u32
export const ATTR_UID = 68; //      u32
export const ATTR_GID = 72; //      u32
export const ATTR_RDEV = 76; //     u32
export const ATTR_BLKSIZE = 80; //  u32

export const ATTR_OUT = 16 + ATTR_SIZE;
export const ATTR_OUT_VALID = 0; //    u64  seconds
export const ATTR_OUT_VALID_NS = 8; // u32
export const ATTR_OUT_ATTR = 16;

export const ENTRY_OUT = 40 + ATTR_SIZE;
export const ENTRY_NODEID = 0; //         u64  0: there is no such name (and that may be remembered)
export const ENTRY_GENERATION = 8; //     u64
export const ENTRY_VALID = 16; //         u64  seconds for which the name is believed
export const ENTRY_ATTR_VALID = 24; //    u64
export const ENTRY_VALID_NS = 32; //      u32
export const ENTRY_ATTR_VALID_NS = 36; // u32
export const ENTRY_ATTR = 40;

export const GETATTR_IN = 16;
export const GETATTR_IN_FLAGS = 0; // u32
export const GETATTR_IN_FH = 8; //    u64
export const FUSE_GETATTR_FH = 1;

export const SETATTR_IN = 88;
export const SETATTR_IN_VALID = 0; //     u32  FATTR_*
export const SETATTR_IN_FH = 8; //        u64
export const SETATTR_IN_SIZE = 16; //     u64
export const SETATTR_IN_ATIME = 32; //    u64
export const SETATTR_IN_MTIME = 40; //    u64
export const SETATTR_IN_ATIME_NS = 56; // u32
export const SETATTR_IN_MTIME_NS = 60; // u32
export const SETATTR_IN_MODE = 68; //     u32
export const SETATTR_IN_UID = 76; //      u32
export const SETATTR_IN_GID = 80; //      u32
export const FATTR_MODE = 1 << 0;
export const FATTR_UID = 1 << 1;
export const FATTR_GID = 1 << 2;
export const FATTR_SIZE = 1 << 3;
export const FATTR_ATIME = 1 << 4;
export const FATTR_MTIME = 1 << 5;
export const FATTR_FH = 1 << 6;
export const FATTR_ATIME_NOW = 1 << 7;
export const FATTR_MTIME_NOW = 1 << 8;
export const FATTR_CTIME = 1 << 10;
/** The change takes set-id bits away: the caller may not keep them. */
export const FATTR_KILL_SUIDGID = 1 << 11;

// ── names ────────────────────────────────────────────────────────────────────────────────────
export const FORGET_IN = 8;
export const FORGET_IN_NLOOKUP = 0; // u64
export const BATCH_FORGET_IN = 8;
export const BATCH_FORGET_IN_COUNT = 0; // u32
export const FORGET_ONE = 16;
export const FORGET_ONE_NODEID = 0; //  u64
export const FORGET_ONE_NLOOKUP = 8; // u64

export const MKNOD_IN = 16;
export const MKNOD_IN_MODE = 0; // u32
export const MKNOD_IN_RDEV = 4; // u32
export const MKDIR_IN = 8;
export const MKDIR_IN_MODE = 0; // u32
export const RENAME_IN = 8;
export const RENAME_IN_NEWDIR = 0; // u64
export const RENAME2_IN = 16;
export const RENAME2_IN_FLAGS = 8; // u32
export const LINK_IN = 8;
export const LINK_IN_OLDNODEID = 0; // u64
export const ACCESS_IN = 8;
export const ACCESS_IN_MASK = 0; // u32

// ── open files ───────────────────────────────────────────────────────────────────────────────
export const OPEN_IN = 8;
export const OPEN_IN_FLAGS = 0; // u32  O_*
export const CREATE_IN = 16;
export const CREATE_IN_FLAGS = 0; // u32
export const CREATE_IN_MODE = 4; //  u32
export const OPEN_OUT = 16;
export const OPEN_OUT_FH = 0; //    u64
export const OPEN_OUT_FLAGS = 8; // u32
export const FOPEN_DIRECT_IO = 1 << 0;
export const FOPEN_KEEP_CACHE = 1 << 1;
export const FOPEN_CACHE_DIR = 1 << 3;
/** close(2) need not write cached pages back first. */
export const FOPEN_NOFLUSH = 1 << 5;
export const FOPEN_PARALLEL_DIRECT_WRITES = 1 << 6;

export const RELEASE_IN = 24;
export const RELEASE_IN_FH = 0; //         u64
export const RELEASE_IN_FLAGS = 12; //     u32
export const RELEASE_IN_LOCK_OWNER = 16; // u64
export const FUSE_RELEASE_FLOCK_UNLOCK = 1 << 1;
export const FLUSH_IN = 24;
export const FLUSH_IN_FH = 0; //          u64
export const FLUSH_IN_LOCK_OWNER = 16; // u64
export const FSYNC_IN = 16;
export const FSYNC_IN_FH = 0; //    u64
export const FSYNC_IN_FLAGS = 8; // u32
export const FUSE_FSYNC_FDATASYNC = 1;

export const READ_IN = 40;
export const READ_IN_FH = 0; //      u64
export const READ_IN_OFFSET = 8; //  u64
export const READ_IN_SIZE = 16; //   u32
export const WRITE_IN = 40;
export const WRITE_IN_FH = 0; //     u64
export const WRITE_IN_OFFSET = 8; // u64
export const WRITE_IN_SIZE = 16; //  u32
export const WRITE_IN_FLAGS = 20; // u32  FUSE_WRITE_*
/** From Linux's page cache, by some open file that may write: not necessarily the writer's. */
export const FUSE_WRITE_CACHE = 1 << 0;
export const FUSE_WRITE_KILL_SUIDGID = 1 << 2;
export const WRITE_OUT = 8;
export const WRITE_OUT_SIZE = 0; // u32

export const FALLOCATE_IN = 32;
export const FALLOCATE_IN_FH = 0; //      u64
export const FALLOCATE_IN_OFFSET = 8; //  u64
export const FALLOCATE_IN_LENGTH = 16; // u64
export const FALLOCATE_IN_MODE = 24; //   u32
export const LSEEK_IN = 24;
export const LSEEK_IN_FH = 0; //      u64
export const LSEEK_IN_OFFSET = 8; //  u64
export const LSEEK_IN_WHENCE = 16; // u32
export const LSEEK_OUT = 8;
export const COPY_IN = 56;
export const COPY_IN_FH = 0; //         u64
export const COPY_IN_OFFSET = 8; //     u64
export const COPY_IN_NODEID_OUT = 16; // u64
export const COPY_IN_FH_OUT = 24; //    u64
export const COPY_IN_OFFSET_OUT = 32; // u64
export const COPY_IN_LENGTH = 40; //    u64
export const COPY_IN_FLAGS = 48; //     u64
export const POLL_IN = 24;
export const POLL_IN_FH = 0; //      u64
export const POLL_IN_EVENTS = 20; // u32
export const POLL_OUT = 8;

// ── directories ──────────────────────────────────────────────────────────────────────────────
export const DIRENT = 24;
export const DIRENT_INO = 0; //      u64
export const DIRENT_OFF = 8; //      u64  where a listing goes on after this entry
export const DIRENT_NAMELEN = 16; // u32
export const DIRENT_TYPE = 20; //    u32  DT_*; the name follows, padded to 8 bytes

// ── file systems, attributes by name, locks ──────────────────────────────────────────────────
export const STATFS_OUT = 80;
export const STATFS_BLOCKS = 0; //   u64
export const STATFS_BFREE = 8; //    u64
export const STATFS_BAVAIL = 16; //  u64
export const STATFS_FILES = 24; //   u64
export const STATFS_FFREE = 32; //   u64
export const STATFS_BSIZE = 40; //   u32
export const STATFS_NAMELEN = 44; // u32
export const STATFS_FRSIZE = 48; //  u32

/** Without FUSE_SETXATTR_EXT, which is not asked for. */
export const SETXATTR_IN = 8;
export const SETXATTR_IN_SIZE = 0; //  u32
export const SETXATTR_IN_FLAGS = 4; // u32
export const GETXATTR_IN = 8;
export const GETXATTR_IN_SIZE = 0; // u32  0: only the size is asked for
export const GETXATTR_OUT = 8;

export const LK_IN = 48;
export const LK_IN_FH = 0; //     u64
export const LK_IN_OWNER = 8; //  u64
export const LK_IN_START = 16; // u64
export const LK_IN_END = 24; //   u64  the last byte
export const LK_IN_TYPE = 32; //  u32  F_RDLCK, F_WRLCK, F_UNLCK
export const LK_IN_PID = 36; //   u32
export const LK_IN_FLAGS = 40; // u32
export const FUSE_LK_FLOCK = 1;
export const LK_OUT = 24;
export const LK_OUT_START = 0; // u64
export const LK_OUT_END = 8; //   u64
export const LK_OUT_TYPE = 16; // u32
export const LK_OUT_PID = 20; //  u32
/** LK_*_END of a range without an end: OFFSET_MAX, 2^63 - 1. */
export const LK_TO_THE_END_HIGH = 0x7fffffff;
export const LK_TO_THE_END_LOW = 0xffffffff;

export const INTERRUPT_IN = 8;
export const INTERRUPT_IN_UNIQUE = 0; // u64

// ── notifications: an answer's header whose OUT_ERROR is the code ─────────────────────────────
export const FUSE_NOTIFY_INVAL_INODE = 2;
export const INVAL_INODE = 24;
export const INVAL_INODE_ID = 0; //     u64
export const INVAL_INODE_OFFSET = 8; // i64  below 0: its attributes only
export const INVAL_INODE_LENGTH = 16; // i64  0: to the end
export const FUSE_NOTIFY_INVAL_ENTRY = 3;
export const INVAL_ENTRY = 16; //          the name follows, with a NUL
export const INVAL_ENTRY_PARENT = 0; //  u64
export const INVAL_ENTRY_NAMELEN = 8; // u32
/** All names at once: Linux 6.16. It has no body. */
export const FUSE_NOTIFY_INC_EPOCH = 8;
/** The version since which there is that. */
export const FUSE_MINOR_EPOCH = 44;

// ── STATX ────────────────────────────────────────────────────────────────────────────────────
export const FUSE_STATX = 52;
export const STATX_IN = 24;
export const STATX_IN_FLAGS = 0; // u32  FUSE_GETATTR_FH
export const STATX_IN_FH = 8; //    u64
export const STATX_OUT = 32 + 256;
export const STATX_OUT_VALID = 0; //    u64
export const STATX_OUT_VALID_NS = 8; // u32
export const STATX_OUT_STAT = 32;
/** Offsets in the struct statx that stands there. */
export const SX_MASK = 0; //     u32
export const SX_BLKSIZE = 4; //  u32
export const SX_NLINK = 16; //   u32
export const SX_UID = 20; //     u32
export const SX_GID = 24; //     u32
export const SX_MODE = 28; //    u16
export const SX_INO = 32; //     u64
export const SX_SIZE = 40; //    u64
export const SX_BLOCKS = 48; //  u64
export const SX_ATIME = 64; //   i64 seconds, u32 nanoseconds, as the three others
export const SX_BTIME = 80;
export const SX_CTIME = 96;
export const SX_MTIME = 112;
export const SX_RDEV_MAJOR = 128; // u32
export const SX_RDEV_MINOR = 132; // u32
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
