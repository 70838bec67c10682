/**
 * Where things lie in the machine's RAM, as far as the host must know: the boot block, a CPU's
 * syscall area and the records in it. The kernel asserts its own structs against these numbers.
 * Compiled by asc and by tsc alike.
 */
export const PAGE_SIZE: u32 = 4096;
export const PAGE_SHIFT: u32 = 12;
export const WASM_PAGE_SIZE: u32 = 65536;
/** The least RAM a machine boots with, and the most: 4 GiB less one wasm page. */
export const RAM_MIN_BYTES: u32 = 4194304;
export const RAM_MAX_BYTES: u32 = 4294901760;
export const RAM_DEFAULT_BYTES: u32 = 134217728;
export const NCPU_MAX: u32 = 64;

// ── the boot block: one frame at a fixed address ────────────────────────────────────────────
export const BOOTBLOCK: u32 = 0x10000;
export const BOOT_MAGIC: u32 = 0x796c6644; // "Dfly", little-endian
export const ABI_VERSION: u32 = 1;
export const BB_MAGIC: u32 = 0; //         u32
export const BB_VERSION: u32 = 4; //       u32
export const BB_FLAVOUR: u32 = 8; //       u32  FLAVOUR_* bits
export const BB_STATE: u32 = 12; //        u32  MACHINE_*
export const BB_PANIC_CPU: u32 = 20; //    u32
export const BB_PANIC_LEN: u32 = 24; //    u32  bytes of the message at BB_PANIC_MSG
export const BB_DEADLINE: u32 = 32; //     f64  earliest deadline of a sleeping Lwp, ms; 0 = none
export const BB_FRAMES_FREE: u32 = 40; //  u32
export const BB_FRAMES_TOTAL: u32 = 44; // u32
export const BB_PAGES: u32 = 48; //     u32  address of the VmPage array
export const BB_FRAMES_FRESH: u32 = 52; // u32  this frame and those above have never been in use: zeros
export const BB_PANIC_MSG: u32 = 64; //    up to BB_PANIC_MAX bytes of ASCII
export const BB_PANIC_MAX: u32 = 448;

export const FLAVOUR_SMP: u32 = 1;
export const FLAVOUR_DEBUG: u32 = 2;

export const MACHINE_DOWN: u32 = 0;
export const MACHINE_UP: u32 = 1;
export const MACHINE_STOPPED: u32 = 2; // a snapshot is being taken
export const MACHINE_DEAD: u32 = 3; // panicked

// a CPU's struct begins this far before its area, with c_state
export const CPU_AREA_OFFSET: u32 = 12288;
/** u32 in that struct: the CPU's Lwps that may go on (lwp_next) and processes with news for it (proc_event). Who may
 *  not enter the kernel for it waits on this word. */
export const CPU_RUNNABLE: u32 = 100;
/** Behind the boot block's roots: NCPU_MAX addresses of those structs, 0 where there is no CPU. */
export const CPU_TABLE: u32 = 0x10f00;
// c_state
export const CPU_USER: u32 = 0;
export const CPU_KERNEL: u32 = 1;
export const CPU_STOPPED: u32 = 2;
export const CPU_KILLED: u32 = 3;

// ── a frame's VmPage, as far as snapshots look at it ────────────────────────────────────────
export const VMPAGE_SIZE: u32 = 32;
export const PG_FLAGS: u32 = 8;
export const PG_FREE: u32 = 0;

// ── a CPU's syscall area: 16 KiB, address from cpu_attach ───────────────────────────────────
export const SA_SIZE: u32 = 16384;
export const SA_PATH1: u32 = 0; //    first path, up to 4095 bytes, not terminated
export const SA_PATH2: u32 = 4096; // second path, or an xattr's name
export const SA_DATA: u32 = 8192; //  results, 8 KiB
export const SA_DATA_SIZE: u32 = 8192;
/** An iovec list or a pollfd list starts at 0 and may take IOV_SIZE × IOV_MAX bytes. */
export const SA_IOV: u32 = 0;

// iovec: { space u32, addr u32, len u32 }
export const IOV_SIZE: u32 = 12;
// pollfd: { fd i32, events u16, revents u16 }
export const POLLFD_SIZE: u32 = 8;
export const POLLFD_MAX: u32 = 2048;

// ── console_input's flags ───────────────────────────────────────────────────────────────────
/** One read finds the end of file behind these bytes (a terminal's Ctrl-D). */
export const CONSOLE_EOF: u32 = 1;
/** No input will come behind these bytes: every later read finds the end of file. */
export const CONSOLE_HANGUP: u32 = 2;

// ── struct stat at SA_DATA ──────────────────────────────────────────────────────────────────
export const ST_DEV: u32 = 0; //        f64
export const ST_INO: u32 = 8; //        f64
export const ST_NLINK: u32 = 16; //     f64
export const ST_RDEV: u32 = 24; //      f64  (major << 8 | minor) as Linux's makedev for small numbers
export const ST_SIZE: u32 = 32; //      f64
export const ST_BLOCKS: u32 = 40; //    f64  512-byte units
export const ST_ATIME: u32 = 48; //     f64  seconds, whole
export const ST_MTIME: u32 = 56; //     f64
export const ST_CTIME: u32 = 64; //     f64
export const ST_BTIME: u32 = 72; //     f64
export const ST_ATIME_NS: u32 = 80; //  u32
export const ST_MTIME_NS: u32 = 84; //  u32
export const ST_CTIME_NS: u32 = 88; //  u32
export const ST_BTIME_NS: u32 = 92; //  u32
export const ST_MODE: u32 = 96; //      u32  type and permission bits
export const ST_UID: u32 = 100; //      u32
export const ST_GID: u32 = 104; //      u32
export const ST_BLKSIZE: u32 = 108; //  u32
export const ST_GEN: u32 = 112; //      u32  inode generation
export const ST_LEN: u32 = 120;

// ── struct statfs at SA_DATA ────────────────────────────────────────────────────────────────
export const SF_TYPE: u32 = 0; //    f64
export const SF_BSIZE: u32 = 8; //   f64
export const SF_BLOCKS: u32 = 16; // f64
export const SF_BFREE: u32 = 24; //  f64
export const SF_BAVAIL: u32 = 32; // f64
export const SF_FILES: u32 = 40; //  f64
export const SF_FFREE: u32 = 48; //  f64
export const SF_FSID: u32 = 56; //   f64
export const SF_NAMELEN: u32 = 64; // f64
export const SF_FLAGS: u32 = 72; //  f64  ST_* mount flags as statfs(2)
export const SF_LEN: u32 = 80;

// ── getdents: the area starts with names, each followed by '/' (a byte no name can hold),
//    at SA_PATH1 (up to 8 KiB); records stand at SA_DATA ─────────────────────────────────────
export const GD_HEADER: u32 = 16; //   at SA_DATA: count u32, namesBytes u32, next cookie f64
export const GD_COUNT: u32 = 0;
export const GD_NAMES_BYTES: u32 = 4;
export const GD_NEXT: u32 = 8;
export const GD_REC_SIZE: u32 = 24; // then `count` records
export const GD_REC_INO: u32 = 0; //     f64
export const GD_REC_COOKIE: u32 = 8; //  f64  where a listing goes on after this entry
export const GD_REC_TYPE: u32 = 16; //   u8   DT_*
export const GD_REC_NAMELEN: u32 = 20; // u32  bytes
export const GD_MAX: u32 = 340;

// ── fcntl locks at SA_DATA: F_GETLK's answer ────────────────────────────────────────────────
export const FL_START: u32 = 0; // f64
export const FL_LEN: u32 = 8; //   f64  0 = to the end
export const FL_TYPE: u32 = 16; // u32
export const FL_PID: u32 = 20; //  i32

// ── file handle at SA_DATA (name_to_handle_at) ──────────────────────────────────────────────
export const FH_MOUNT: u32 = 0; // u32  mount id
export const FH_GEN: u32 = 4; //   u32
export const FH_INO: u32 = 8; //   f64
export const FH_LEN: u32 = 16;

// ── inotify events as read(2) returns them: inotify(7)'s struct ─────────────────────────────
export const INOTIFY_EVENT_SIZE: u32 = 16;
/** A queue of everything: in place of the name, whose st_dev and st_ino it is, and the name in it, if one changed. */
export const IA_DEV: u32 = 0; //   u32
export const IA_INO: u32 = 8; //   f64
export const IA_NAME: u32 = 16;

// ── sys_getids at SA_DATA ───────────────────────────────────────────────────────────────────
export const PI_PID: u32 = 0; //     i32
export const PI_PPID: u32 = 4; //    i32
export const PI_PGID: u32 = 8; //    i32  process group
export const PI_SID: u32 = 12; //    i32  session
export const PI_UID: u32 = 16; //    u32  real, effective, saved
export const PI_EUID: u32 = 20;
export const PI_SUID: u32 = 24;
export const PI_GID: u32 = 28; //    u32  real, effective, saved
export const PI_EGID: u32 = 32;
export const PI_SGID: u32 = 36;
export const PI_NGROUPS: u32 = 40; // u32
export const PI_GROUPS: u32 = 44; // u32 × PI_NGROUPS, supplementary

// ── proc_event's kinds ──────────────────────────────────────────────────────────────────────
/** Signals that it catches are pending: sys_sigtake. */
export const PE_SIGNAL: u32 = 1;
/** A signal is to end it, and CPUs that it is the current process of have not let go of it yet: each does when it
 *  next enters or leaves the kernel, or is killed (cpu_kill). PE_EXIT follows. */
export const PE_DOOMED: u32 = 2;
/** A signal ended it. Its blocked calls are gone, and its pid may be too. */
export const PE_EXIT: u32 = 3;

/** sys_exechead's answer at SA_DATA is no longer than this. */
export const EXECHEAD_MAX: u32 = 256;
