/**
 * What test machines are copies of: for each options object one machine is booted, put aside as a
 * snapshot, and shut down.
 */
import { type BootOptions, bootSync } from '../machine/boot.ts';
import type { BlockDevice } from '../devices/types.ts';
import { restoreDisk } from '../devices/restore.ts';
import { givenAgain } from '../machine/disks.ts';
import type { Machine } from '../machine/machine.ts';
import type { Snapshot } from '../machine/snapshot.ts';
import type { Credentials } from '../syscalls/process.ts';

type Booting = Pick<
  BootOptions,
  'ram' | 'files' | 'hostname' | 'flavour' | 'seed' | 'clock' | 'console' | 'module'
>;

/** A disk for test machines: each has one of its own, which starts as this one is at the first call. */
export type TestDisk = BlockDevice | undefined;

export interface TestMachineOptions extends Booting, Partial<Credentials> {
  /** RAM in bytes, from 4 MiB. Default 16 MiB. */
  ram?: number;
  /** Permissions that new files do not get, as `umask` has it. Default 0o022. */
  umask?: number;
  /** Where relative paths start; made if need be, for the user that `uid` and `gid` name. Default '/'. */
  cwd?: string;
  /** The disks, /dev/vbd0 first. They are not changed: each machine starts with their content of the first
   *  call, and those that are read-only are shared. One that can be written must be one that can be
   *  put aside (a memory disk, an overlay, a layer over one). */
  disks?: readonly TestDisk[];
  /** 'error' (default): a file that is open at shutdown is an OpenFilesError. 'allow': it is not. */
  openFiles?: 'error' | 'allow';
}

interface Template {
  readonly snapshot: Snapshot;
  readonly module: BootOptions['module'];
  /** What the snapshot does not hold of the disks. */
  readonly disks: readonly TestDisk[];
}

const RAM_BYTES = 16 << 20;

const templates = new WeakMap<TestMachineOptions, Template>();

/** The template for these options: the same for the same object, as long as that is not changed. */
export function templateFor(options: TestMachineOptions): Template {
  let template = templates.get(options);
  if (template === undefined) {
    const disks = (options.disks ?? []).map((disk) => disk && givenAgain(disk, disk.readOnly));
    template = { snapshot: prepare(options), module: options.module, disks };
    templates.set(options, template);
  }
  return template;
}

function prepare(options: TestMachineOptions): Snapshot {
  const { uid, gid, groups, umask, cwd, openFiles: _, disks = [], ...booting } = options;
  const machine = bootSync({ ram: RAM_BYTES, ...booting, disks: disks.map(copyOf) });
  try {
    if (cwd !== undefined) enter(machine, cwd, options);
    if (umask !== undefined) machine.init.umask(umask);
    if (uid !== undefined || gid !== undefined || groups !== undefined)
      machine.setFsCredentials({ uid: uid ?? 0, gid: gid ?? 0, groups });
    return machine.snapshot();
  } finally {
    machine.shutdown();
  }
}

/** The same content on a disk of one's own. @throws Error for one that cannot be put aside */
function copyOf(disk: TestDisk): TestDisk {
  if (disk === undefined || disk.readOnly) return disk;
  if (disk.snapshot === undefined) {
    throw new Error('a test machine needs disks that can be put aside, or read-only ones');
  }
  return restoreDisk(disk.snapshot(), givenAgain(disk, false));
}

function enter(machine: Machine, cwd: string, { uid = 0, gid = 0 }: TestMachineOptions): void {
  const { fs } = machine.init;
  if (!fs.existsSync(cwd)) {
    fs.mkdirSync(cwd, { recursive: true });
    fs.chownSync(cwd, uid, gid);
  }
  machine.init.chdir(cwd);
}
