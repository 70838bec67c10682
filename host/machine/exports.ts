/**
 * The kernel module's exports and imports as the host sees them: the machine's ABI.
 *
 * Every `sys_*` call acts for the process last chosen with `proc_switch` on this CPU and returns
 * an i32: a result >= 0 or a negated errno (assembly/abi/errno.ts). Paths are written, as bytes
 * without a terminator, into the CPU's syscall area at SA_PATH1 (and SA_PATH2 for a second one)
 * and passed by their length in bytes; at most 4095. Wider results are read from SA_DATA.
 * `space` names a host buffer (see {@link KernelImports.copyin}); `addr` is an offset in it.
 * Offsets, sizes and times in seconds are f64. A call that must wait returns -ERESTART: the Lwp
 * that waits is `lwp_current()`; see `lwp_next`.
 *
 * @see assembly/abi/layout.ts for the records, assembly/abi/flags.ts for the flags
 */
export interface KernelExports {
  // ── hardware: booting, CPUs, clock ─────────────────────────────────────────────────────────
  /** Lay out RAM (the imported memory, whole). seed 0..2^53: the generator of a seeded machine;
   *  `virtualClock` 1: time is RAM state starting at `epochSeconds`, moved on by each reading.
   *  Returns 0 or -EINVAL (bad RAM size, booted already). Attach a CPU next. */
  machine_boot(seed: number, seeded: number, virtualClock: number, epochSeconds: number): number;
  /** Attach this instance as a CPU. Returns its number, or -EUSERS. */
  cpu_attach(): number;
  /** Become CPU `id` of a machine whose RAM came from a snapshot. */
  cpu_adopt(id: number): number;
  cpu_detach(): number;
  /** Byte address of this CPU's syscall area (unsigned). */
  cpu_area(): number;
  /** Mount the root tmpfs, devfs and procfs and make process 1. flags: 0. */
  machine_start(): number;
  /** Sync and unmount everything, end all processes. In debug builds returns the number of
   *  leaked objects and frames (0 is right), details in the kernel log. */
  machine_shutdown(): number;
  /** Free every cached vnode, namecache entry and empty zone frame that nothing uses. */
  machine_reclaim(): number;
  /** Stop for a snapshot: 0, or -EBUSY while a CPU is in the kernel. machine_resume undoes it. */
  machine_stop(): number;
  /** Go on. `copy` 1: this machine is a copy of the one that stopped; processes that were programs
   *  (made by sys_fork or sys_execve) end here, since what ran as them is not in RAM, and WASI guests are processes
   *  like others again. */
  machine_resume(copy: number): number;
  /** Move a virtual clock forward, ms. -EINVAL on a machine with a real clock. */
  clock_advance(ms: number): number;
  /** Time has passed: wake Lwps whose deadline is over. */
  clock_tick(): number;
  /** This machine's time as f64 at SA_DATA, ms since 1970: what deadlines are counted on. */
  clock_ms(): number;

  /** Time has passed: write back what has been dirty for long, let journals commit. To be called once a second
   *  while there are disks; a virtual clock does it itself. */
  machine_tick(): number;
  /** A disk of `sizeBytes` (whole sectors of 512 or 4096 bytes) in this slot; flags DISK_*. It appears as
   *  /dev/vbdSLOT, and its partitions as /dev/vbdSLOTpN: it must answer already. 0, -EINVAL (bad arguments; DISK_ASYNC without shared memory), -EBUSY (the slot is
   *  taken), -ENOMEM. */
  disk_attach(slot: number, sizeBytes: number, sectorBytes: number, flags: number): number;
  /** Write its cache back and take it away: 0, -ENXIO (no such disk), -EBUSY (open or mounted), or
   *  the errno of a write that failed: it is gone all the same, its cache lost. */
  disk_detach(slot: number): number;

  /** Input for the machine's console: `len` bytes (at most SA_SIZE) at the start of the syscall
   *  area, then what the flags say: CONSOLE_EOF, CONSOLE_HANGUP. Returns how many bytes there was
   *  room for; the flags count only when that was all of them. -EINVAL (bad arguments, or hung up
   *  already), -EAGAIN (an earlier end of file is still unread). */
  console_input(len: number, flags: number): number;

  // ── processes ──────────────────────────────────────────────────────────────────────────────
  /** New process, child of `ppid` (0: of none), with this uid and gid and `ngroups` u32 groups
   *  at SA_DATA; inherits cwd, root, umask of the parent, and its descriptors if `inheritFds`. It
   *  leads a group and a session of its own, and ignores SIGPIPE and SIGXFSZ. Returns the pid. */
  proc_create(ppid: number, uid: number, gid: number, ngroups: number, inheritFds: number): number;
  /** Close everything and free the process, or the zombie that is left of it. */
  proc_exit(pid: number): number;
  /** Make it this CPU's current process. -ESRCH. */
  proc_switch(pid: number): number;
  /** Replace the current process's credentials (host privilege; no check). Groups at SA_DATA. */
  proc_setcred(uid: number, gid: number, ngroups: number): number;
  /** A descriptor of process `pid` copied into the current one, as dup does: the lowest free (host privilege; no
   *  check). -ESRCH, -EBADF. */
  proc_fdcopy(pid: number, fd: number): number;
  sys_umask(mask: number): number;
  /** Soft limit as f64 at SA_DATA, hard limit behind it; resource RLIMIT_*. Returns 0. */
  sys_getrlimit(resource: number): number;
  sys_setrlimit(resource: number, soft: number, hard: number): number;

  /** A child of the current process, with its credentials, directories, mask, limits, descriptors,
   *  group, session, terminal and ignored signals. Returns the pid; -ENOMEM. */
  sys_fork(): number;
  /** The first bytes (at most 256) of a file that the process may execute, at SA_DATA; returns how
   *  many. -EACCES (no permission, not a regular file, mounted noexec) and what a lookup gives. */
  sys_exechead(plen: number): number;
  /** Become the program in that file: descriptors marked close-on-exec are closed, caught signals
   *  default again, set-id bits take effect (unless mounted nosuid). Arguments at SA_PATH2, a NUL
   *  after each, `argvlen` bytes (cut to what /proc shows). Returns 0; errors as sys_exechead's, and
   *  -ENOMEM: then nothing has changed. */
  sys_execve(plen: number, argvlen: number): number;
  /** The current process ends with a wait status (code << 8 | signal): everything is closed, its
   *  children go to process 1, and it stays a zombie until its parent waits; if that ignores
   *  SIGCHLD (as process 1 does unless told otherwise) it is gone at once. Returns 0. */
  sys_exit(status: number): number;
  /** Wait for a child: pid > 0, -1 any, 0 any of this group, < -1 any of that group. options:
   *  WNOHANG. Returns the pid, its wait status as u32 at SA_DATA; 0; -ECHILD; may be -ERESTART. */
  sys_wait4(pid: number, options: number): number;
  /** pid > 0, 0 this group, -1 all programs but the caller, < -1 that group; signal 0 only asks. A
   *  signal that ends a process does so before this returns. */
  sys_kill(pid: number, signal: number): number;
  /** action: SIG_DFL, SIG_IGN, SIG_CATCH. Returns what it was. -EINVAL: SIGKILL, SIGSTOP. */
  sys_sigaction(signal: number, action: number): number;
  /** The next caught signal that is pending for the current process, taken; 0 if none. */
  sys_sigtake(): number;
  /** PI_*: pid, ppid, pgid, sid, real, effective and saved ids, groups, at SA_DATA. Returns 0. */
  sys_getids(): number;
  sys_setpgid(pid: number, pgid: number): number;
  sys_getpgid(pid: number): number;
  /** Returns the new session's id. -EPERM for a group's leader. */
  sys_setsid(): number;
  sys_getsid(pid: number): number;
  /** Ids of 0xffffffff: leave. -EPERM. */
  sys_setresuid(ruid: number, euid: number, suid: number): number;
  sys_setresgid(rgid: number, egid: number, sgid: number): number;
  /** Groups at SA_DATA, u32 each. Root. */
  sys_setgroups(ngroups: number): number;
  /** The next process to which something happened that its host should know: it caught a signal
   *  (PE_SIGNAL: sys_sigtake tells which), or a signal ended it (PE_EXIT: its blocked calls are gone,
   *  and its pid may be too). Its pid, PE_* as u32 at SA_DATA; 0 if there is none. Such processes are
   *  counted in CPU_RUNNABLE, each once. In `smp` it tells what this CPU hears of: processes that it made
   *  (proc_hear); PE_DOOMED comes first of one that other CPUs act for. */
  proc_event(): number;

  /** The waiting call with this Lwp becomes current, as by sys_resume: nobody can wake it. Issued again it ends
   *  with what it has done, or -EDEADLK. -ESRCH; -EINVAL: it does not wait. */
  sys_giveup(lwp: number): number;

  // ── WASI guests ────────────────────────────────────────────────────────────────────────────
  /** A process is a WASI guest from now on; what it has open is the guest's, with all rights. Its gate's copyin and
   *  copyout belong into this module's table, from index `table` on where the host says. WC_* at SA_DATA. Returns 0;
   *  -ESRCH, -EEXIST (it is one), -ENOMEM. */
  guest_create(pid: number, table: number): number;
  /** The guest is no more; nothing calls by its address again. -ESRCH. */
  guest_free(guest: number): number;
  /** Its WASI_ARGS or WASI_ENVIRON: the first `len` bytes of a space, a NUL behind each string. -EINVAL, -ENOMEM,
   *  -EFAULT: it has none then. */
  guest_strings(guest: number, which: number, space: number, len: number): number;
  /** An open directory of its process is preopened under the name at SA_PATH1. -EINVAL, -ENOMEM, -ESRCH. */
  guest_preopen(guest: number, fd: number, len: number): number;

  // ── names ──────────────────────────────────────────────────────────────────────────────────
  /** dirfd may be AT_FDCWD; flags O_*. Returns the lowest free fd. A fifo may give -ERESTART. */
  sys_openat(dirfd: number, plen: number, flags: number, mode: number): number;
  /** Open anew what a descriptor names (an O_PATH one too), permissions checked; flags O_*, nothing is
   *  made. A fifo may give -ERESTART. */
  sys_reopen(fd: number, flags: number): number;
  sys_close(fd: number): number;
  /** struct stat at SA_DATA. sys_stat and sys_lstat start at the cwd. */
  sys_stat(plen: number): number;
  sys_lstat(plen: number): number;
  /** flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  sys_fstatat(dirfd: number, plen: number, flags: number): number;
  sys_fstat(fd: number): number;
  /** flags: AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  sys_faccessat(dirfd: number, plen: number, mode: number, flags: number): number;
  /** flags: AT_SYMLINK_NOFOLLOW (-EOPNOTSUPP on a symlink, as Linux), AT_EMPTY_PATH. */
  sys_fchmodat(dirfd: number, plen: number, mode: number, flags: number): number;
  sys_fchmod(fd: number, mode: number): number;
  /** uid or gid 0xffffffff: leave. flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
  sys_fchownat(dirfd: number, plen: number, uid: number, gid: number, flags: number): number;
  sys_fchown(fd: number, uid: number, gid: number): number;
  /** Seconds f64 (whole, may be negative) and ns, or UTIME_NOW / UTIME_OMIT in the ns. */
  sys_utimensat(
    dirfd: number,
    plen: number,
    flags: number,
    atime: number,
    atimeNs: number,
    mtime: number,
    mtimeNs: number,
  ): number;
  sys_futimens(fd: number, atime: number, atimeNs: number, mtime: number, mtimeNs: number): number;
  sys_truncate(plen: number, length: number): number;
  sys_ftruncate(fd: number, length: number): number;
  /** Old path at SA_PATH1, new one at SA_PATH2. flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
  sys_linkat(olddirfd: number, oldlen: number, newdirfd: number, newlen: number, flags: number): number;
  /** Target text at SA_PATH1, new path at SA_PATH2. */
  sys_symlinkat(targetlen: number, newdirfd: number, newlen: number): number;
  /** Target's bytes at SA_DATA; returns their number. */
  sys_readlinkat(dirfd: number, plen: number): number;
  /** flags: AT_REMOVEDIR. */
  sys_unlinkat(dirfd: number, plen: number, flags: number): number;
  /** Old at SA_PATH1, new at SA_PATH2; flags RENAME_*. */
  sys_renameat2(olddirfd: number, oldlen: number, newdirfd: number, newlen: number, flags: number): number;
  sys_mkdirat(dirfd: number, plen: number, mode: number): number;
  /** mode with S_IF*; rdev = major << 8 | minor. */
  sys_mknodat(dirfd: number, plen: number, mode: number, rdev: number): number;
  /** Next entries of an open directory, in the layout GD_*; at most `maxEntries` (0: as many as
   *  fit). Returns their number; 0 at the end. "." and ".." are included. */
  sys_getdents(fd: number, maxEntries: number): number;
  sys_chdir(plen: number): number;
  sys_fchdir(fd: number): number;
  sys_chroot(plen: number): number;
  /** Path at SA_DATA; returns its length. -ENOENT when the directory is gone. */
  sys_getcwd(): number;
  /** Resolve a path to its canonical form at SA_DATA; returns its length. */
  sys_realpath(plen: number): number;

  // ── data ───────────────────────────────────────────────────────────────────────────────────
  sys_read(fd: number, space: number, addr: number, len: number): number;
  sys_write(fd: number, space: number, addr: number, len: number): number;
  sys_pread(fd: number, space: number, addr: number, len: number, offset: number): number;
  sys_pwrite(fd: number, space: number, addr: number, len: number, offset: number): number;
  /** iovecs { space, addr, len } at SA_IOV, at most IOV_MAX. */
  sys_readv(fd: number, iovcnt: number): number;
  sys_writev(fd: number, iovcnt: number): number;
  sys_preadv(fd: number, iovcnt: number, offset: number): number;
  sys_pwritev(fd: number, iovcnt: number, offset: number): number;
  /** New offset as f64 at SA_DATA. */
  sys_lseek(fd: number, offset: number, whence: number): number;
  sys_fallocate(fd: number, mode: number, offset: number, len: number): number;
  /** Offsets < 0: the file's own. Returns bytes copied. */
  sys_copy_file_range(
    fdin: number,
    offin: number,
    fdout: number,
    offout: number,
    len: number,
    flags: number,
  ): number;
  sys_fsync(fd: number): number;
  sys_fdatasync(fd: number): number;
  sys_sync(): number;
  sys_syncfs(fd: number): number;

  // ── descriptors ────────────────────────────────────────────────────────────────────────────
  sys_dup(fd: number): number;
  /** flags: O_CLOEXEC. newfd == oldfd is -EINVAL here and a no-op in dup2. */
  sys_dup3(oldfd: number, newfd: number, flags: number): number;
  sys_dup2(oldfd: number, newfd: number): number;
  /** Two u32 fds at SA_DATA. flags: O_NONBLOCK, O_CLOEXEC. */
  sys_pipe2(flags: number): number;
  /** F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_SETPIPE_SZ, F_GETPIPE_SZ,
   *  F_SETBENEATH. */
  sys_fcntl(fd: number, cmd: number, arg: number): number;
  /** F_GETLK … F_OFD_SETLKW; F_GETLK's answer at SA_DATA (FL_*). SETLKW may give -ERESTART. */
  sys_fcntl_lock(fd: number, cmd: number, type: number, whence: number, start: number, len: number): number;
  sys_flock(fd: number, op: number): number;
  /** pollfds at SA_IOV; timeout ms, < 0 for ever. Returns how many are ready. */
  sys_poll(nfds: number, timeoutMs: number): number;
  /** Commands that take a number (TIOCSCTTY, TCFLSH, TCXONC) take it in `addr`. */
  sys_ioctl(fd: number, cmd: number, space: number, addr: number): number;

  // ── file systems ───────────────────────────────────────────────────────────────────────────
  /** struct statfs at SA_DATA. */
  sys_statfs(plen: number): number;
  sys_fstatfs(fd: number): number;
  /** Source at SA_PATH1, target at SA_PATH2, at SA_DATA the type's name and right behind it the
   *  options ("size=1m,mode=755"); flags MS_*. */
  sys_mount(srclen: number, targetlen: number, typelen: number, optlen: number, flags: number): number;
  /** flags: MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW. */
  sys_umount2(plen: number, flags: number): number;
  /** Every open file of this device or file dies (EIO); the file itself stays. Its owner or root. */
  sys_revoke(plen: number): number;
  /** Attribute's name at SA_PATH2; value in a host buffer. size 0: returns the value's size.
   *  flags: AT_SYMLINK_NOFOLLOW, XATTR_CREATE and XATTR_REPLACE in `xflags`. */
  sys_getxattr(
    dirfd: number,
    plen: number,
    flags: number,
    namelen: number,
    space: number,
    addr: number,
    size: number,
  ): number;
  sys_setxattr(
    dirfd: number,
    plen: number,
    flags: number,
    namelen: number,
    space: number,
    addr: number,
    size: number,
    xflags: number,
  ): number;
  /** Names, each followed by NUL. */
  sys_listxattr(
    dirfd: number,
    plen: number,
    flags: number,
    space: number,
    addr: number,
    size: number,
  ): number;
  sys_removexattr(dirfd: number, plen: number, flags: number, namelen: number): number;
  sys_fgetxattr(fd: number, namelen: number, space: number, addr: number, size: number): number;
  sys_fsetxattr(
    fd: number,
    namelen: number,
    space: number,
    addr: number,
    size: number,
    xflags: number,
  ): number;
  sys_flistxattr(fd: number, space: number, addr: number, size: number): number;
  sys_fremovexattr(fd: number, namelen: number): number;
  /** Handle at SA_DATA (FH_*). flags: AT_SYMLINK_FOLLOW, AT_EMPTY_PATH. */
  sys_name_to_handle_at(dirfd: number, plen: number, flags: number): number;
  /** Handle at SA_DATA; -ESTALE when the inode is gone. Root only. */
  sys_open_by_handle_at(mountfd: number, flags: number): number;
  /** The same with O_PATH, whoever the process is (host privilege; no check). */
  proc_fhopen(mountfd: number): number;

  // ── change notification ────────────────────────────────────────────────────────────────────

  /** A queue of every change that others than the current process make: events with IA_* for names. */
  proc_inotify_all(): number;
  /** flags: IN_NONBLOCK, IN_CLOEXEC. */
  sys_inotify_init(flags: number): number;
  /** Returns the watch descriptor. */
  sys_inotify_add_watch(fd: number, plen: number, mask: number): number;
  sys_inotify_rm_watch(fd: number, wd: number): number;

  // ── blocked calls ──────────────────────────────────────────────────────────────────────────
  /** The Lwp that the last call left waiting (valid right after a -ERESTART). */
  lwp_current(): number;
  /** Take the next Lwp that may go on, or 0. Also wakes those past their deadline. */
  lwp_next(): number;
  /** Go on with a blocked call: makes `lwp` current; the host then issues the same call again
   *  with the same arguments, which continues where it stopped (bytes done, deadline, file). */
  sys_resume(lwp: number): number;
  /** Give up a blocked call: returns what it had done (bytes > 0) or -EINTR, and frees the Lwp. */
  sys_cancel(lwp: number): number;

  // ── several CPUs (smp) ─────────────────────────────────────────────────────────────────────
  /** Wait, outside the kernel, until CPU_RUNNABLE is not 0 or a deadline is over: 1; 0 after `timeoutMs`
   *  (negative: never); -EPANIC; -ESRCH: this CPU was killed; -ENOSYS in `up`. */
  lwp_wait(timeoutMs: number): number;
  /** 1 if this CPU's Lwp is still there: a process that ends takes its own with it. */
  lwp_alive(lwp: number): number;
  /** A CPU enters the kernel no more, and its thread may be terminated: 0. -EBUSY: it is inside; -ESRCH:
   *  there is none; -EINVAL: the caller's own. */
  cpu_kill(number: number): number;
  /** The thread of a CPU has ended: its number is free. In the middle of a call that is a panic. 0, -ESRCH. */
  cpu_lost(number: number): number;
  /** This CPU hears (proc_event) of that process from now on: 0 or -ESRCH. */
  proc_hear(pid: number): number;

  // ── looking inside (tests, benchmarks) ─────────────────────────────────────────────────────
  /** Runs an operation `count` times inside the kernel; op: BENCH_*. Returns 0. */
  bench_loop(op: number, count: number, plen: number): number;
  /** Debug builds: let the n-th allocation of memory from now on fail, once (0: none). Returns how
   *  many there were since the last call of this. Release builds: -ENOSYS. */
  fault_arm(n: number): number;
  /** A counter by number (CTR_*), f64. */
  counter_get(which: number): number;
  counter_set(which: number, value: number): number;
}

export interface KernelImports {
  /** Bytes from a host buffer into RAM. Never throws: 0 or EFAULT/EIO (positive). */
  copyin(space: number, uaddr: number, kaddr: number, len: number): number;
  /** Bytes from RAM into a host buffer. */
  copyout(space: number, uaddr: number, kaddr: number, len: number): number;
  /** Write seconds (f64) and nanoseconds (u32 at +8) of the clock at `kaddr`. */
  clock_read(clock: number, kaddr: number): void;
  /** Fill RAM with entropy. */
  entropy(kaddr: number, len: number): void;
  /** Bytes for the console (stdout of the machine). Returns how many were taken, or a negated errno. */
  console_write(kaddr: number, len: number): number;
  /** Do what the Bio at `bio` says (assembly/abi/disk.ts). Never throws: 0 with the result in BIO_ERROR, or 1:
   *  it completes later, which only shared memory allows. */
  disk_strategy(bio: number): number;
  /** The machine panicked; the message is in the boot block. Called once, must not throw. */
  panicked(): void;
}

/**
 * WASI's functions, for gates alone (assembly/gate.mjs): each with the guest's address in front of what
 * wasi_snapshot_preview1 gives it. They return WASI's errno, or, negative, what the gate must see to:
 * -ERESTART, -ESRCH, -EPANIC.
 */
export interface GateExports {
  /** A call that waited goes on: its Lwp is current. */
  wasi_resume(guest: number, lwp: number): number;
  wasi_args_get(guest: number, a: number, b: number): number;
  wasi_args_sizes_get(guest: number, a: number, b: number): number;
  wasi_environ_get(guest: number, a: number, b: number): number;
  wasi_environ_sizes_get(guest: number, a: number, b: number): number;
  wasi_clock_res_get(guest: number, a: number, b: number): number;
  wasi_clock_time_get(guest: number, a: number, b: bigint, c: number): number;
  wasi_fd_advise(guest: number, a: number, b: bigint, c: bigint, d: number): number;
  wasi_fd_allocate(guest: number, a: number, b: bigint, c: bigint): number;
  wasi_fd_close(guest: number, a: number): number;
  wasi_fd_datasync(guest: number, a: number): number;
  wasi_fd_fdstat_get(guest: number, a: number, b: number): number;
  wasi_fd_fdstat_set_flags(guest: number, a: number, b: number): number;
  wasi_fd_fdstat_set_rights(guest: number, a: number, b: bigint, c: bigint): number;
  wasi_fd_filestat_get(guest: number, a: number, b: number): number;
  wasi_fd_filestat_set_size(guest: number, a: number, b: bigint): number;
  wasi_fd_filestat_set_times(guest: number, a: number, b: bigint, c: bigint, d: number): number;
  wasi_fd_pread(guest: number, a: number, b: number, c: number, d: bigint, e: number): number;
  wasi_fd_prestat_get(guest: number, a: number, b: number): number;
  wasi_fd_prestat_dir_name(guest: number, a: number, b: number, c: number): number;
  wasi_fd_pwrite(guest: number, a: number, b: number, c: number, d: bigint, e: number): number;
  wasi_fd_read(guest: number, a: number, b: number, c: number, d: number): number;
  wasi_fd_readdir(guest: number, a: number, b: number, c: number, d: bigint, e: number): number;
  wasi_fd_renumber(guest: number, a: number, b: number): number;
  wasi_fd_seek(guest: number, a: number, b: bigint, c: number, d: number): number;
  wasi_fd_sync(guest: number, a: number): number;
  wasi_fd_tell(guest: number, a: number, b: number): number;
  wasi_fd_write(guest: number, a: number, b: number, c: number, d: number): number;
  wasi_path_create_directory(guest: number, a: number, b: number, c: number): number;
  wasi_path_filestat_get(guest: number, a: number, b: number, c: number, d: number, e: number): number;
  wasi_path_filestat_set_times(
    guest: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: bigint,
    f: bigint,
    g: number,
  ): number;
  wasi_path_link(
    guest: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
  ): number;
  wasi_path_open(
    guest: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: bigint,
    g: bigint,
    h: number,
    i: number,
  ): number;
  wasi_path_readlink(guest: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  wasi_path_remove_directory(guest: number, a: number, b: number, c: number): number;
  wasi_path_rename(guest: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  wasi_path_symlink(guest: number, a: number, b: number, c: number, d: number, e: number): number;
  wasi_path_unlink_file(guest: number, a: number, b: number, c: number): number;
  wasi_poll_oneoff(guest: number, a: number, b: number, c: number, d: number): number;
  wasi_proc_raise(guest: number, a: number): number;
  wasi_random_get(guest: number, a: number, b: number): number;
  wasi_sched_yield(guest: number): number;
  wasi_sock_accept(guest: number, a: number, b: number, c: number): number;
  wasi_sock_recv(guest: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  wasi_sock_send(guest: number, a: number, b: number, c: number, d: number, e: number): number;
  wasi_sock_shutdown(guest: number, a: number, b: number): number;
}
