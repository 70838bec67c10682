/** The kernel's exports, and nothing else: each is described in host/machine/exports.ts. */
export { console_input } from './sys/console';
export { cpu_kill, cpu_lost, lwp_alive, lwp_wait, proc_hear } from './sys/cpus';
export { disk_attach, disk_detach } from './sys/disks';
export {
  clock_advance,
  clock_ms,
  clock_tick,
  cpu_adopt,
  cpu_area,
  cpu_attach,
  cpu_detach,
  fault_arm,
  lwp_current,
  lwp_next,
  machine_boot,
  machine_reclaim,
  machine_resume,
  machine_shutdown,
  machine_start,
  machine_stop,
  machine_tick,
  sys_cancel,
  sys_giveup,
  sys_resume,
} from './sys/machine';
export {
  sys_faccessat,
  sys_fchmod,
  sys_fchmodat,
  sys_fchown,
  sys_fchownat,
  sys_fstat,
  sys_fstatat,
  sys_ftruncate,
  sys_futimens,
  sys_lstat,
  sys_stat,
  sys_truncate,
  sys_utimensat,
} from './sys/attr';
export { bench_loop, counter_get, counter_set } from './sys/bench';
export { sys_close, sys_openat, sys_reopen } from './sys/open';
export { sys_fcntl_lock, sys_flock } from './sys/locks';
export { proc_inotify_all, sys_inotify_add_watch, sys_inotify_init, sys_inotify_rm_watch } from './sys/inotify';
export { sys_pipe2 } from './sys/pipe';
export {
  proc_create,
  proc_exit,
  proc_setcred,
  proc_switch,
  sys_execve,
  sys_exechead,
  sys_exit,
  sys_fork,
  sys_wait4,
} from './sys/process';
export { proc_event, sys_kill, sys_sigaction, sys_sigtake } from './sys/signals';
export {
  sys_getids,
  sys_getpgid,
  sys_getsid,
  sys_setgroups,
  sys_setpgid,
  sys_setresgid,
  sys_setresuid,
  sys_setsid,
} from './sys/ids';
export { sys_ioctl, sys_poll } from './sys/poll';
export {
  sys_linkat,
  sys_mkdirat,
  sys_mknodat,
  sys_readlinkat,
  sys_renameat2,
  sys_symlinkat,
  sys_unlinkat,
} from './sys/names';
export {
  sys_copy_file_range,
  sys_fallocate,
  sys_fdatasync,
  sys_fsync,
  sys_getdents,
  sys_lseek,
  sys_pread,
  sys_preadv,
  sys_pwrite,
  sys_pwritev,
  sys_read,
  sys_readv,
  sys_sync,
  sys_syncfs,
  sys_write,
  sys_writev,
} from './sys/io';
export {
  proc_fdcopy,
  sys_chdir,
  sys_chroot,
  sys_dup,
  sys_dup2,
  sys_dup3,
  sys_fchdir,
  sys_fcntl,
  sys_getcwd,
  sys_getrlimit,
  sys_realpath,
  sys_setrlimit,
  sys_umask,
} from './sys/fds';
export {
  proc_fhopen,
  sys_fgetxattr,
  sys_flistxattr,
  sys_fremovexattr,
  sys_fsetxattr,
  sys_fstatfs,
  sys_getxattr,
  sys_listxattr,
  sys_mount,
  sys_name_to_handle_at,
  sys_open_by_handle_at,
  sys_removexattr,
  sys_revoke,
  sys_setxattr,
  sys_statfs,
  sys_umount2,
} from './sys/mounts';
export {
  wasi_clock_res_get,
  wasi_clock_time_get,
  wasi_proc_raise,
  wasi_random_get,
  wasi_sched_yield,
} from './sys/wasi/clock';
export {
  wasi_fd_advise,
  wasi_fd_allocate,
  wasi_fd_datasync,
  wasi_fd_pread,
  wasi_fd_pwrite,
  wasi_fd_read,
  wasi_fd_seek,
  wasi_fd_sync,
  wasi_fd_tell,
  wasi_fd_write,
} from './sys/wasi/data';
export {
  wasi_fd_close,
  wasi_fd_fdstat_get,
  wasi_fd_fdstat_set_flags,
  wasi_fd_fdstat_set_rights,
  wasi_fd_filestat_get,
  wasi_fd_filestat_set_size,
  wasi_fd_filestat_set_times,
  wasi_fd_prestat_dir_name,
  wasi_fd_prestat_get,
  wasi_fd_renumber,
} from './sys/wasi/fds';
export {
  wasi_path_create_directory,
  wasi_path_filestat_get,
  wasi_path_filestat_set_times,
  wasi_path_link,
  wasi_path_open,
  wasi_path_readlink,
  wasi_path_remove_directory,
  wasi_path_rename,
  wasi_path_symlink,
  wasi_path_unlink_file,
} from './sys/wasi/paths';
export { wasi_poll_oneoff } from './sys/wasi/poll';
export { wasi_fd_readdir } from './sys/wasi/readdir';
export {
  wasi_resume,
  wasi_args_get,
  wasi_args_sizes_get,
  guest_create,
  wasi_environ_get,
  wasi_environ_sizes_get,
  guest_free,
  guest_preopen,
  wasi_sock_accept,
  wasi_sock_recv,
  wasi_sock_send,
  wasi_sock_shutdown,
  guest_strings,
} from './sys/wasi/start';
