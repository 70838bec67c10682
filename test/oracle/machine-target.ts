import * as F from '../../assembly/abi/flags.ts';
import { SA_DATA } from '../../assembly/abi/layout.ts';
import { DamselflyProcess } from './damselfly-process.ts';
import { errnoName } from './errno.ts';
import type { Machine } from './machine.ts';
import type { Credentials, Feature, FreshOptions, PosixTarget, TreeEntry } from './target.ts';
import { walkTree } from './tree.ts';

/** Where the file system under test is mounted; its processes are chrooted there. */
export const MOUNT_POINT = '/under-test';

export const ATIME_FLAGS = {
  strict: F.MS_STRICTATIME,
  relative: F.MS_RELATIME,
  never: F.MS_NOATIME,
} as const;

export interface TargetOptions {
  /** Which build of the kernel. */
  flavour: string;
  /** Mounts the file system under test; a tmpfs when left out. Returns mount's result. */
  mount?: (init: DamselflyProcess, path: string, options: FreshOptions) => number;
}

function mountTmpfs(init: DamselflyProcess, path: string, options: FreshOptions): number {
  const { atime = 'relative', sizeBytes = 32 << 20 } = options;
  return init.mount('none', path, 'tmpfs', ATIME_FLAGS[atime], `mode=755,size=${sizeBytes}`);
}

/** A machine of its own for each reset, whatever it runs on. */
export class MachineTarget implements PosixTarget {
  readonly name: string;
  readonly missing = new Map<Feature, string>();
  readonly #options: TargetOptions;
  readonly #boot: () => Machine;
  #machine: Machine | undefined;
  /** Parent of all others: chrooted, umask 022, never used by a test. */
  #init: DamselflyProcess | undefined;
  #root: DamselflyProcess | undefined;
  #walker: DamselflyProcess | undefined;
  #outside: DamselflyProcess | undefined;

  constructor(options: TargetOptions, boot: () => Machine) {
    this.#options = options;
    this.#boot = boot;
    this.name = `damselfly-${options.flavour}`;
    if (options.flavour.startsWith('smp'))
      this.missing.set('pending', 'a call that blocks keeps its thread in smp: the smp suite uses workers');
    this.reset();
  }

  get machine(): Machine {
    if (!this.#machine) throw new Error('the target was disposed of');
    return this.#machine;
  }

  get root(): DamselflyProcess {
    if (!this.#root) throw new Error('the target was disposed of');
    return this.#root;
  }

  as(credentials: Credentials): DamselflyProcess {
    if (!this.#init) throw new Error('the target was disposed of');
    return this.#spawn(this.#init.pid, credentials);
  }

  /** Root, in no chroot. */
  protected get outside(): DamselflyProcess {
    this.#outside ??= this.#spawn(0, { uid: 0, gid: 0 });
    return this.#outside;
  }

  #spawn(parent: number, credentials: Credentials): DamselflyProcess {
    const { machine } = this;
    const { uid, gid, groups = [] } = credentials;
    machine.u32.set(groups, (machine.area + SA_DATA) / 4);
    const pid = machine.kernel.proc_create(parent, uid, gid, groups.length, 0);
    if (pid < 0) throw new Error(`proc_create: ${errnoName(pid)}`);
    return new DamselflyProcess(machine, pid, credentials);
  }

  reset(options: FreshOptions = {}): void {
    this.dispose();
    this.#machine = this.#boot();
    const init = this.#spawn(0, { uid: 0, gid: 0 });
    this.#init = init;
    const mount = this.#options.mount ?? mountTmpfs;
    const must = (result: number, what: string): void => {
      if (result < 0) throw new Error(`${what}: ${errnoName(result)}`);
    };
    must(init.mkdir(MOUNT_POINT, 0o755), 'mkdir');
    must(mount(init, MOUNT_POINT, options), 'mount');
    must(init.chroot(MOUNT_POINT), 'chroot');
    must(init.chdir('/'), 'chdir');
    init.umask(0o022);
    this.#walker = this.as({ uid: 0, gid: 0 });
    this.#root = this.as({ uid: 0, gid: 0 });
  }

  tick(): void {
    this.machine.kernel.clock_advance(10);
  }

  tree(path: string): TreeEntry[] {
    if (!this.#walker) throw new Error('the target was disposed of');
    return walkTree(this.#walker, path);
  }

  /** Let go of the machine as it is, whatever state it is in. */
  abandon(): void {
    this.#machine = this.#init = this.#root = this.#walker = this.#outside = undefined;
  }

  dispose(): void {
    const machine = this.#machine;
    this.#machine = this.#init = this.#root = this.#walker = this.#outside = undefined;
    machine?.shutdown();
  }
}
