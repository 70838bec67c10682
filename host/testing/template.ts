/**
 * What test machines are copies of: for each options object one machine is booted, put aside as a
 * snapshot, and shut down.
 */
import { type BootOptions, bootSync } from '../machine/boot.ts';
import type { Machine } from '../machine/machine.ts';
import type { Snapshot } from '../machine/snapshot.ts';
import type { Credentials } from '../syscalls/process.ts';

type Booting = Pick<
  BootOptions,
  'ram' | 'files' | 'hostname' | 'flavour' | 'seed' | 'clock' | 'console' | 'module'
>;

export interface TestMachineOptions extends Booting, Partial<Credentials> {
  /** RAM in bytes, from 4 MiB. Default 16 MiB. */
  ram?: number;
  /** Permissions that new files do not get, as `umask` has it. Default 0o022. */
  umask?: number;
  /** Where relative paths start; made if need be, for the user that `uid` and `gid` name. Default '/'. */
  cwd?: string;
  /** 'error' (default): a file that is open at shutdown is an OpenFilesError. 'allow': it is not. */
  openFiles?: 'error' | 'allow';
}

interface Template {
  readonly snapshot: Snapshot;
  readonly module: BootOptions['module'];
}

const RAM_BYTES = 16 << 20;

const templates = new WeakMap<TestMachineOptions, Template>();

/** The template for these options: the same for the same object, as long as that is not changed. */
export function templateFor(options: TestMachineOptions): Template {
  let template = templates.get(options);
  if (template === undefined) {
    template = { snapshot: prepare(options), module: options.module };
    templates.set(options, template);
  }
  return template;
}

function prepare(options: TestMachineOptions): Snapshot {
  const { uid, gid, groups, umask, cwd, openFiles: _, ...booting } = options;
  const machine = bootSync({ ram: RAM_BYTES, ...booting });
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

function enter(machine: Machine, cwd: string, { uid = 0, gid = 0 }: TestMachineOptions): void {
  const { fs } = machine.init;
  if (!fs.existsSync(cwd)) {
    fs.mkdirSync(cwd, { recursive: true });
    fs.chownSync(cwd, uid, gid);
  }
  machine.init.chdir(cwd);
}
