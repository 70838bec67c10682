import type { CallName } from '../contract/documented.ts';
import { documentedErrors } from '../contract/documented.ts';
import { inapplicable } from '../contract/inapplicable.ts';
import { BOTH } from '../contract/types.ts';
import { type ErrnoName, errno, errnoName } from '../oracle/errno.ts';
import type { ExportName } from './call.ts';
import { type CallTally, ESTOPPED, type Tally } from './tally.ts';

/** Which errors each export documents: all of them must be seen, and no other one. */

/** The calls of the POSIX contract that an export serves. */
const SERVES: Partial<Record<ExportName, readonly CallName[]>> = {
  sys_openat: ['open', 'openat', 'creat'],
  sys_close: ['close'],
  sys_stat: ['stat'],
  sys_lstat: ['lstat'],
  sys_fstatat: ['fstatat'],
  sys_fstat: ['fstat'],
  sys_faccessat: ['access', 'faccessat'],
  sys_fchmodat: ['chmod', 'fchmodat'],
  sys_fchmod: ['fchmod'],
  sys_fchownat: ['chown', 'lchown', 'fchownat'],
  sys_fchown: ['fchown'],
  sys_utimensat: ['utimensat'],
  sys_futimens: ['futimens'],
  sys_truncate: ['truncate'],
  sys_ftruncate: ['ftruncate'],
  sys_linkat: ['link', 'linkat'],
  sys_symlinkat: ['symlink', 'symlinkat'],
  sys_readlinkat: ['readlink', 'readlinkat'],
  sys_unlinkat: ['unlink', 'unlinkat', 'rmdir'],
  sys_renameat2: ['rename', 'renameat2'],
  sys_mkdirat: ['mkdir', 'mkdirat'],
  sys_mknodat: ['mknod', 'mknodat', 'mkfifo'],
  sys_getdents: ['getdents'],
  sys_chdir: ['chdir'],
  sys_fchdir: ['fchdir'],
  sys_chroot: ['chroot'],
  sys_getcwd: ['getcwd'],
  sys_read: ['read'],
  sys_write: ['write'],
  sys_pread: ['pread'],
  sys_pwrite: ['pwrite'],
  sys_readv: ['readv'],
  sys_writev: ['writev'],
  sys_preadv: ['preadv'],
  sys_pwritev: ['pwritev'],
  sys_lseek: ['lseek'],
  sys_fallocate: ['fallocate'],
  sys_copy_file_range: ['copyFileRange'],
  sys_fsync: ['fsync'],
  sys_fdatasync: ['fdatasync'],
  sys_syncfs: ['syncfs'],
  sys_dup: ['dup'],
  sys_dup2: ['dup2'],
  sys_dup3: ['dup3'],
  sys_pipe2: ['pipe2'],
  sys_fcntl: ['fcntl'],
  sys_fcntl_lock: ['fcntlLock'],
  sys_flock: ['flock'],
  sys_poll: ['poll'],
  sys_ioctl: ['ioctl'],
  sys_statfs: ['statfs'],
  sys_fstatfs: ['fstatfs'],
  sys_mount: ['mount'],
  sys_umount2: ['umount2'],
  sys_getxattr: ['getxattr', 'lgetxattr'],
  sys_setxattr: ['setxattr', 'lsetxattr'],
  sys_listxattr: ['listxattr', 'llistxattr'],
  sys_removexattr: ['removexattr', 'lremovexattr'],
  sys_fgetxattr: ['fgetxattr'],
  sys_fsetxattr: ['fsetxattr'],
  sys_flistxattr: ['flistxattr'],
  sys_fremovexattr: ['fremovexattr'],
  sys_name_to_handle_at: ['nameToHandleAt'],
  sys_open_by_handle_at: ['openByHandleAt'],
  sys_inotify_init: ['inotifyInit'],
  sys_inotify_add_watch: ['inotifyAddWatch'],
  sys_inotify_rm_watch: ['inotifyRmWatch'],
  sys_setrlimit: ['setrlimit'],
};

const PATH = 'EACCES ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR';

/** The errors of exports that are no calls of POSIX's: host/machine/exports.ts. */
const OWN: Partial<Record<ExportName, string>> = {
  sys_umask: '',
  sys_sync: '',
  sys_getrlimit: 'EINVAL',
  sys_realpath: PATH,
  sys_revoke: `${PATH} EINVAL EPERM`,
  proc_create: 'EINVAL ENOMEM ESRCH',
  proc_exit: 'ESRCH',
  proc_switch: 'ESRCH',
  proc_setcred: 'EINVAL ENOMEM',
  proc_fdcopy: 'EBADF EMFILE ENFILE ENOMEM ESRCH',
  proc_inotify_all: 'EMFILE ENFILE ENOMEM',
  proc_fhopen: 'EBADF EINVAL EMFILE ENFILE ENOMEM ENOTSUP EOPNOTSUPP EOVERFLOW ESTALE',
  sys_reopen:
    'EACCES EBADF EINTR EINVAL EISDIR ELOOP EMFILE ENFILE ENODEV ENOMEM ENOTDIR ENXIO EPERM EROFS ETXTBSY',
  lwp_current: '',
  lwp_next: '',
  sys_resume: 'EINVAL ESRCH',
  sys_cancel: 'ESRCH',
  clock_advance: 'EINVAL',
  clock_tick: '',
  clock_ms: '',
  console_input: 'EAGAIN EINVAL',
  sys_fork: 'ENOMEM',
  sys_exechead: PATH,
  sys_execve: `${PATH} EINVAL`,
  sys_exit: 'EINVAL',
  sys_wait4: 'ECHILD EINTR EINVAL ENOMEM ESRCH',
  sys_kill: 'EINVAL EPERM ESRCH',
  sys_sigaction: 'EINVAL',
  sys_sigtake: '',
  sys_getids: '',
  sys_getpgid: 'ESRCH',
  sys_getsid: 'ESRCH',
  sys_setpgid: 'EACCES EINVAL EPERM ESRCH',
  sys_setsid: 'EPERM',
  sys_setresuid: 'ENOMEM EPERM',
  sys_setresgid: 'ENOMEM EPERM',
  sys_setgroups: 'EINVAL ENOMEM EPERM',
  proc_event: '',
  machine_boot: 'EEXIST EINVAL',
  machine_start: 'EEXIST',
  machine_stop: 'EINVAL',
  machine_resume: 'EINVAL',
  machine_reclaim: '',
  machine_tick: '',
  cpu_attach: 'EBUSY',
  cpu_adopt: 'EINVAL',
  cpu_area: '',
  fault_arm: '',
  bench_loop: `${PATH} EINVAL`,
  counter_get: 'EINVAL',
  counter_set: 'EINVAL',
};

/** Exports that are refused as long as the machine runs: they never succeed here. */
export const REFUSED: ReadonlySet<ExportName> = new Set([
  'machine_boot',
  'machine_start',
  'cpu_attach',
  'cpu_adopt',
]);

/** Exports that are not drawn, each with its reason. */
export const LEFT_OUT: Partial<Record<ExportName, string>> = {
  disk_attach: 'a disk that the host does not have; test/fault fails its requests',
  disk_detach: 'there is never a disk to take away here',
  cpu_detach: 'an instance without a CPU can make no call any more',
  cpu_kill: 'there is never another CPU here; test/smp kills them',
  cpu_lost: 'there is never another CPU here; test/smp loses them',
  lwp_wait: 'would wait for another CPU, and there is none; see test/smp',
  guest_create: 'a guest needs a gate behind it; see test/wasi',
  guest_free: 'a guest needs a gate behind it; see test/wasi',
  guest_preopen: 'a guest needs a gate behind it; see test/wasi',
  guest_strings: 'a guest needs a gate behind it; see test/wasi',
  sys_giveup: 'a gate’s, for calls that nobody can wake; see test/wasi',
  lwp_alive: 'asked by threads that wait for other CPUs; see test/smp',
  proc_hear: 'moves news between CPUs, of which there is one; see test/smp',
  machine_shutdown: 'ends every session; within a call it is tried for EDEADLK',
};

interface Note {
  calls: readonly ExportName[];
  errno: ErrnoName;
  reason: string;
}

const ALL = Object.keys({ ...SERVES, ...OWN }) as ExportName[];

function note(calls: string, name: ErrnoName, reason: string): Note {
  return { calls: calls === '*' ? ALL : (calls.split(' ') as ExportName[]), errno: name, reason };
}

/** Errors that the contract cannot cause, and a fuzzer that fails memory and revokes files can. */
const CAUSED_HERE: readonly ErrnoName[] = ['ENOMEM', 'EIO', 'ENFILE', 'ENOLCK'];

/** Documented, and not to be seen here. What is seen all the same must leave this list. */
export const NOT_SEEN: readonly Note[] = [
  note(
    'sys_mkdirat sys_mknodat sys_symlinkat sys_faccessat sys_unlinkat sys_renameat2 sys_lstat sys_statfs sys_fstatfs sys_syncfs sys_readlinkat sys_chdir sys_fchdir sys_chroot sys_close sys_dup2 sys_dup3',
    'EIO',
    'needs a failing device; a revoked file has no name any more',
  ),
  note(
    'sys_fgetxattr sys_flistxattr sys_fremovexattr sys_fstat sys_fstatfs sys_getcwd sys_copy_file_range',
    'ENOMEM',
    'takes no memory',
  ),
  note('sys_fsetxattr', 'ENOMEM', 'memory that runs out is ENOSPC, as for every other data of a tmpfs'),
  note('sys_copy_file_range', 'EXDEV', 'copies between file systems as well'),
];

/** Documented and possible, and too rare to be asked of every pass. */
export const RARE: readonly Note[] = [
  note('sys_mount', 'EIO', 'only at the link in /proc of a revoked file'),
  note('sys_umount2', 'EIO', 'the same'),
];

/** Not documented by POSIX or Linux, and right all the same. */
export const ALSO: readonly Note[] = [
  note('*', 'ESRCH', 'the CPU acts for no process'),
  note('*', 'EIO', 'the file was revoked, or its file system unmounted by force'),
  note(
    'sys_openat sys_fstatat sys_faccessat sys_fchmodat sys_fchownat sys_utimensat sys_linkat sys_symlinkat sys_readlinkat sys_unlinkat sys_renameat2 sys_mkdirat sys_mknodat sys_name_to_handle_at sys_getxattr sys_setxattr sys_listxattr sys_removexattr',
    'EXDEV',
    'the path leads out of a directory that was opened with O_BENEATH',
  ),
  note(
    'sys_getxattr sys_setxattr sys_listxattr sys_removexattr',
    'EBADF',
    'they start at a descriptor, as getxattrat does',
  ),
  note(
    'sys_getxattr sys_listxattr sys_removexattr',
    'EINVAL',
    'flags that nobody knows, and a prefix without a name',
  ),
  note('sys_fgetxattr sys_fremovexattr', 'EINVAL', 'a prefix without a name'),
  note('sys_open_by_handle_at', 'EINTR', 'as open: a fifo waits'),
  note('sys_open_by_handle_at', 'ENXIO', 'as open'),
  note('sys_open_by_handle_at', 'ENOMEM', 'as open'),
  note('sys_open_by_handle_at', 'ENFILE', 'as open'),
  note('sys_open_by_handle_at', 'EISDIR', 'as open'),
  note('sys_open_by_handle_at', 'EROFS', 'as open'),
  note(
    'sys_dup sys_dup2 sys_dup3 sys_fcntl sys_pipe2',
    'ENOMEM',
    'the table of descriptors, or a pipe, cannot grow',
  ),
  note(
    'sys_read sys_readv sys_pread sys_preadv sys_write sys_writev sys_pwrite sys_pwritev',
    'ENOMEM',
    'no memory to wait by, or for the text of a file of /proc',
  ),
  note('sys_write sys_writev sys_pwrite sys_pwritev', 'ENOENT', 'a path written to /proc/trace'),
  note('sys_fcntl', 'ENOTDIR', 'F_SETBENEATH of what is no directory'),
  note('sys_mount', 'ENOSPC', 'a devfs finds no memory for its nodes'),
  note(
    'sys_fchmod sys_fchown sys_fchownat sys_futimens sys_utimensat',
    'EOPNOTSUPP',
    'an object without attributes of its own, as Linux says of one',
  ),
  note('sys_getdents', 'EACCES', 'the descriptors of another user’s process'),
  note('sys_flock sys_fcntl_lock sys_poll', 'ENOMEM', 'no memory to wait by'),
];

/** Can none of the export's calls give the error, as the contract says with a reason? */
function ruledOut(calls: readonly CallName[], name: ErrnoName): boolean {
  if (CAUSED_HERE.includes(name)) return false;
  return calls.every(
    (call) =>
      !documentedErrors(call).includes(name) ||
      BOTH.every((who) =>
        inapplicable.some(
          (entry) => entry.errno === name && entry.calls.includes(call) && entry.who.includes(who),
        ),
      ),
  );
}

function noted(list: readonly Note[], name: ExportName, error: ErrnoName): boolean {
  return list.some((entry) => entry.errno === error && entry.calls.includes(name));
}

/** All errors that an export documents. */
export function documentedOf(name: ExportName): ErrnoName[] {
  const calls = SERVES[name];
  if (!calls) return (OWN[name] ?? '').split(' ').filter((text) => text !== '') as ErrnoName[];
  return [...new Set(calls.flatMap((call) => documentedErrors(call)))];
}

/** Those of them that a full pass must see. */
export function wantedOf(name: ExportName): ErrnoName[] {
  const calls = SERVES[name];
  return documentedOf(name).filter(
    (error) => !(calls && ruledOut(calls, error)) && !noted([...NOT_SEEN, ...RARE], name, error),
  );
}

/** Errors that were seen and are nowhere documented, as 'call: errno'. */
export function undocumented(calls: Tally['calls']): string[] {
  return entries(calls).flatMap(([name, { errors }]) =>
    Object.keys(errors)
      .map(Number)
      .filter((number) => number !== ESTOPPED)
      .map((number) => errnoName(number) as ErrnoName)
      .filter((error) => !documentedOf(name).includes(error) && !noted(ALSO, name, error))
      .map((error) => `${name}: ${error}`),
  );
}

function entries(calls: Tally['calls']): [ExportName, CallTally][] {
  return Object.entries(calls) as [ExportName, CallTally][];
}

/** What a full pass has not shown, in words. */
export function shortcomings(
  tally: Pick<Tally, 'calls' | 'made' | 'succeeded'>,
  leastSuccesses: number,
): string[] {
  const { calls } = tally;
  const problems = undocumented(calls).map((what) => `${what} is not documented`);
  if (tally.succeeded < 0.3 * tally.made) problems.push('fewer than 30 % of the calls succeeded');
  for (const [name, { succeeded, errors }] of entries(calls)) {
    if (!REFUSED.has(name) && succeeded < leastSuccesses)
      problems.push(`${name} succeeded ${succeeded} times only`);
    if (REFUSED.has(name) && succeeded > 0) problems.push(`${name} succeeded on a machine that runs`);
    const missing = wantedOf(name).filter((error) => !errors[errno(error)]);
    if (missing.length > 0) problems.push(`${name} never gave ${missing.join(', ')}`);
    const stale = NOT_SEEN.filter((entry) => entry.calls.includes(name) && errors[errno(entry.errno)]);
    for (const entry of stale)
      problems.push(`${name} gave ${entry.errno}, which was thought impossible: ${entry.reason}`);
  }
  return problems;
}
