/**
 * Another file system as the root: mounted, given what a system expects to find in it, and made the
 * root of process 1, from which every other process has it. The tmpfs that the machine began with
 * lies below it, out of reach.
 */
import { ENOSPC, EROFS } from '../../assembly/abi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '../../assembly/abi/flags.ts';
import { isSyscallError } from '../syscalls/errors.ts';
import type { Process } from '../syscalls/process.ts';
import type { Machine } from './machine.ts';
import { type InitialFile, makeTree } from './tree.ts';

export interface RootOptions {
  /** Type of the file system: 'ext4'. */
  type: string;
  /** What it is on: '/dev/vbd0', '/dev/vbd0p1'. */
  source: string;
  /** Mount options: 'data=journal,commit=30'. */
  options?: string;
  readOnly?: boolean;
}

const SYSROOT = '/sysroot';
const HOSTNAME_MAX = 64;

/**
 * Mount it and make it everybody's root. Directories, /etc/passwd and the like are made where they
 * are missing; what is there stays as it is.
 * On one that is full they stay missing, and what is temporary is in RAM.
 * @throws SyscallError what mounting failed with: ENODEV, ENOENT, ENOTBLK, EINVAL, EUCLEAN, EROFS …
 */
export function switchRoot(
  machine: Machine,
  root: RootOptions,
  files: Readonly<Record<string, InitialFile>> = {},
  hostname?: string,
): void {
  const { init } = machine;
  init.fs.mkdirSync(SYSROOT, { recursive: true });
  const readOnly = mountRoot(machine, root);
  init.chroot(SYSROOT);
  init.chdir('/');
  const full = !readOnly && !made(() => makeTree(init.fs, files, hostname, true));
  mountWhereThereIs(init, 'devfs', '/dev', MS_NOSUID | MS_NOEXEC);
  mountWhereThereIs(init, 'devpts', '/dev/pts', MS_NOSUID | MS_NOEXEC);
  mountWhereThereIs(init, 'proc', '/proc', MS_NOSUID | MS_NODEV | MS_NOEXEC);
  // What is read only, or full, cannot take temporary files either.
  if (readOnly || full) mountWhereThereIs(init, 'tmpfs', '/tmp', MS_NOSUID | MS_NODEV, 'mode=1777');
  nameMachine(init);
}

/** Is there room for it all? What is missing then, a full root goes without. @throws SyscallError of any other kind */
function made(make: () => void): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (isSyscallError(error) && error.errno === -ENOSPC) return false;
    throw error;
  }
}

/** The name that the file system says it has. */
function nameMachine({ fs }: Process): void {
  if (!fs.existsSync('/etc/hostname') || !fs.existsSync('/proc/sys/kernel/hostname')) return;
  const name = fs.readFileSync('/etc/hostname', 'utf8').trim();
  if (name !== '') fs.writeFileSync('/proc/sys/kernel/hostname', name.slice(0, HOSTNAME_MAX));
}

/** Mount it at SYSROOT; one that cannot be written is only read, as mount(8) has it. @returns whether it is */
function mountRoot(machine: Machine, { type, source, options = '', readOnly = false }: RootOptions): boolean {
  try {
    machine.init.mount(source, SYSROOT, type, readOnly ? MS_RDONLY : 0, options);
    return readOnly;
  } catch (error) {
    if (readOnly || !isSyscallError(error) || error.errno !== -EROFS) throw withLog(error, machine.log);
    return mountRoot(machine, { type, source, options, readOnly: true });
  }
}

/** What the kernel's log says of it last tells more than an errno. */
function withLog(error: unknown, log: string): unknown {
  const line = log.trimEnd().split('\n').at(-1) ?? '';
  if (error instanceof Error && line !== '') error.message += ` (${line})`;
  return error;
}

function mountWhereThereIs(init: Process, type: string, target: string, flags: number, options = ''): void {
  if (init.fs.statSync(target, { throwIfNoEntry: false })?.isDirectory())
    init.mount(type, target, type, flags, options);
}
