/**
 * Where things lie in the machine's RAM, as far as the host must know: the boot block, a CPU's
 * syscall area and the records in it. The kernel asserts its own structs against these numbers.
 * Compiled by asc and by tsc alike.
 */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;
export const WASM_PAGE_SIZE = 65536;
/** The least RAM a machine boots with, and the most: 4 GiB less one wasm page. */
export const RAM_MIN_BYTES = 4194304;
export const RAM_MAX_BYTES = 4294901760;
export const RAM_DEFAULT_BYTES = 134217728;
export const NCPU_MAX = 64;

// ── the boot block: one frame at a fixed address ────────────────────────────────────────────
export const BOOTBLOCK = 0x10000;
export const BOOT_MAGIC = 0x796c6644; // "Dfly", little-endian
export const ABI_VERSION = 1;
export const BB_MAGIC = 0; //         u32
export const BB_VERSION = 4; //       u32
export const BB_FLAVOUR = 8; //       u32  FLAVOUR_* bits
export const BB_STATE = 12; //        u32  MACHINE_*
export const BB_RUNNABLE = 16; //     u32  Lwps that may go on: the host drains them by lwp_next
export const BB_PANIC_CPU = 20; //    u32
export const BB_PANIC_LEN = 24; //    u32  bytes of the message at BB_PANIC_MSG
export const BB_DEADLINE = 32; //     f64  earliest deadline of a sleeping Lwp, ms; 0 = none
export const BB_FRAMES_FREE = 40; //  u32
export const BB_FRAMES_TOTAL = 44; // u32
export const BB_PANIC_MSG = 64; //    up to BB_PANIC_MAX bytes of ASCII
export const BB_PANIC_MAX = 448;

export const FLAVOUR_SMP = 1;
export const FLAVOUR_DEBUG = 2;

export const MACHINE_DOWN = 0;
export const MACHINE_UP = 1;
export const MACHINE_STOPPED = 2; // a snapshot is being taken
export const MACHINE_DEAD = 3; // panicked

// ── a CPU's syscall area: 16 KiB, address from cpu_attach ───────────────────────────────────
export const SA_SIZE = 16384;
export const SA_PATH1 = 0; //    first path, up to 4095 bytes, not terminated
export const SA_PATH2 = 4096; // second path, or an xattr's name
export const SA_DATA = 8192; //  results, 8 KiB
export const SA_DATA_SIZE = 8192;
/** An iovec list or a pollfd list starts at 0 and may take IOV_SIZE × IOV_MAX bytes. */
export const SA_IOV = 0;

// iovec: { space u32, addr u32, len u32 }
export const IOV_SIZE = 12;
// pollfd: { fd i32, events u16, revents u16 }
export const POLLFD_SIZE = 8;
export const POLLFD_MAX = 2048;

// ── struct stat at SA_DATA ──────────────────────────────────────────────────────────────────
export const ST_DEV = 0; //        f64
export const ST_INO = 8; //        f64
export const ST_NLINK = 16; //     f64
export const ST_RDEV = 24; //      f64  (major << 8 | minor) as Linux's makedev for small numbers
export const ST_SIZE = 32; //      f64
export const ST_BLOCKS = 40; //    f64  512-byte units
export const ST_ATIME = 48; //     f64  seconds, whole
export const ST_MTIME = 56; //     f64
export const ST_CTIME = 64; //     f64
export const ST_BTIME = 72; //     f64
export const ST_ATIME_NS = 80; //  u32
export const ST_MTIME_NS = 84; //  u32
export const ST_CTIME_NS = 88; //  u32
export const ST_BTIME_NS = 92; //  u32
export const ST_MODE = 96; //      u32  type and permission bits
export const ST_UID = 100; //      u32
export const ST_GID = 104; //      u32
export const ST_BLKSIZE = 108; //  u32
export const ST_GEN = 112; //      u32  inode generation
export const ST_LEN = 120;

// ── struct statfs at SA_DATA ────────────────────────────────────────────────────────────────
export const SF_TYPE = 0; //    f64
export const SF_BSIZE = 8; //   f64
export const SF_BLOCKS = 16; // f64
export const SF_BFREE = 24; //  f64
export const SF_BAVAIL = 32; // f64
export const SF_FILES = 40; //  f64
export const SF_FFREE = 48; //  f64
export const SF_FSID = 56; //   f64
export const SF_NAMELEN = 64; // f64
export const SF_FLAGS = 72; //  f64  ST_* mount flags as statfs(2)
export const SF_LEN = 80;

// ── getdents: the area starts with names, each followed by '/' (a byte no name can hold),
//    at SA_PATH1 (up to 8 KiB); records stand at SA_DATA ─────────────────────────────────────
export const GD_HEADER = 16; //   at SA_DATA: count u32, namesBytes u32, next cookie f64
export const GD_COUNT = 0;
export const GD_NAMES_BYTES = 4;
export const GD_NEXT = 8;
export const GD_REC_SIZE = 24; // then `count` records
export const GD_REC_INO = 0; //     f64
export const GD_REC_COOKIE = 8; //  f64  where a listing goes on after this entry
export const GD_REC_TYPE = 16; //   u8   DT_*
export const GD_REC_NAMELEN = 20; // u32  bytes
export const GD_MAX = 340;

// ── fcntl locks at SA_DATA: F_GETLK's answer ────────────────────────────────────────────────
export const FL_START = 0; // f64
export const FL_LEN = 8; //   f64  0 = to the end
export const FL_TYPE = 16; // u32
export const FL_PID = 20; //  i32

// ── file handle at SA_DATA (name_to_handle_at) ──────────────────────────────────────────────
export const FH_MOUNT = 0; // u32  mount id
export const FH_GEN = 4; //   u32
export const FH_INO = 8; //   f64
export const FH_LEN = 16;

// ── inotify events as read(2) returns them: inotify(7)'s struct ─────────────────────────────
export const INOTIFY_EVENT_SIZE = 16;

// ── proc_info, machine_info at SA_DATA: see host/machine/exports.ts ─────────────────────────

/** `space` numbers of copyin/copyout: below this the host's table, this one is RAM itself. */
export const SPACE_KERNEL = 0xffffffff;
