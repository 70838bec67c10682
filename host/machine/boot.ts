/**
 * Booting: from options, or from a snapshot, to a {@link Machine}.
 */
import {
  RAM_DEFAULT_BYTES,
  RAM_MAX_BYTES,
  RAM_MIN_BYTES,
  WASM_PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import type { Credentials } from '../syscalls/process.ts';
import { Cpu } from './cpu.ts';
import { type DiskSpec, restoreDisks } from './disks.ts';
import { type Kernel, type KernelSource, kernelSync, loadKernel, UNKNOWN } from './kernel.ts';
import type { Flavour } from './kernels.ts';
import { instantiate, sourceOf } from './instance.ts';
import { Machine, type MachineIdentity } from './machine.ts';
import { MemoryPool } from './memory.ts';
import { checkBootBlock, checkSnapshot, layFrames, type Snapshot } from './snapshot.ts';
import { type RootOptions, switchRoot } from './switchroot.ts';
import { type InitialFile, makeTree } from './tree.ts';

export interface ClockOptions {
  /** Seconds since 1970 at boot. Default 0. */
  epochSeconds?: number;
}

export interface BootOptions {
  /** RAM in bytes, rounded up to 64 KiB: 4 MiB to 4 GiB less 64 KiB. Default 128 MiB. Fixed for good. */
  ram?: number;
  /** 'up' (default): one CPU, unshared memory. 'smp': shared memory. '-debug': checks everything. */
  flavour?: Flavour;
  /** The kernel: a compiled module, its bytes, or where to get it. Default: the package's own. */
  module?: KernelSource;
  /** Make entropy a function of this number (0 to 2^53), and, unless told otherwise, the clock virtual. */
  seed?: number;
  /** 'real' follows the host; 'virtual' is state in RAM. Default: virtual with a seed, else real. */
  clock?: 'real' | 'virtual' | ({ type: 'virtual' } & ClockOptions);
  /** The machine's name, /proc/sys/kernel/hostname. Default 'damselfly'. */
  hostname?: string;
  /** Gets what the machine writes to its console. Default: dropped. */
  console?: (bytes: Uint8Array) => void;
  /** Files to make: text, bytes, or { data, mode, uid, gid }; null makes a directory. */
  files?: Readonly<Record<string, InitialFile>>;
  /** Who `machine.fs` acts as. Default: root. */
  credentials?: Credentials;
  /** The disks, /dev/vbd0 first. Each is flushed at shutdown, and closed only if it says `close: true`. With
   *  `from`: those that the snapshot names and does not hold, in the same places; and others in free ones. */
  disks?: readonly DiskSpec[];
  /** A file system on one of the disks as the root, and not a tmpfs: `{ type: 'ext4', source: '/dev/vbd0' }`.
   *  What a system expects to find (/etc/passwd, /tmp, …) is made where it is missing. */
  root?: RootOptions;
  /** Go on from a snapshot, without the programs that ran then; only `module`, `console`, `disks` and the real clock can be given beside it. */
  from?: Snapshot;
}

/**
 * Boot a machine.
 * @throws RangeError for a RAM size out of bounds, Error for a snapshot of another build,
 *   SyscallError when the initial files do not fit.
 * @example
 * const machine = await boot({ files: { '/etc/motd': 'hello\n' } });
 * machine.fs.readFileSync('/etc/motd', 'utf8'); // 'hello\n'
 */
export async function boot(options: BootOptions = {}): Promise<Machine> {
  const flavour = flavourOf(options);
  const kernel = await loadKernel(flavour, options.module);
  return start(kernel, flavour, options);
}

/**
 * Boot at once. Needs a compiled `module` where the engine does not compile synchronously (a
 * browser's main thread) or files cannot be read so.
 * @throws as {@link boot}; Error when the module cannot be had synchronously.
 */
export function bootSync(options: BootOptions = {}): Machine {
  const flavour = flavourOf(options);
  return start(kernelSync(flavour, options.module), flavour, options);
}

function flavourOf({ flavour, from }: BootOptions): Flavour {
  if (from !== undefined && flavour !== undefined && flavour !== from.flavour) {
    throw new Error(`snapshot is of a machine of flavour ${from.flavour}, not ${flavour}`);
  }
  return from?.flavour ?? flavour ?? 'up';
}

function start(kernel: Kernel, flavour: Flavour, options: BootOptions): Machine {
  return options.from === undefined
    ? fresh(kernel, flavour, options)
    : again(Machine, kernel, { ...options, from: options.from });
}

const isShared = (flavour: Flavour) => flavour.startsWith('smp');

/** The memory of the machine that was shut down last, if it was small, for the next of its size. */
const idle = new MemoryPool(1, 32 << 20);

function makeMemory(ramBytes: number, flavour: Flavour): WebAssembly.Memory {
  const pages = ramBytes / WASM_PAGE_SIZE;
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: isShared(flavour) });
}

function ramOf({ ram = RAM_DEFAULT_BYTES }: BootOptions): number {
  const rounded = Math.ceil(ram / WASM_PAGE_SIZE) * WASM_PAGE_SIZE;
  if (!(rounded >= RAM_MIN_BYTES && rounded <= RAM_MAX_BYTES)) {
    throw new RangeError(`ram must be ${RAM_MIN_BYTES} to ${RAM_MAX_BYTES} bytes, and is ${ram}`);
  }
  return rounded;
}

function clockOf({ clock, seed }: BootOptions): { virtual: boolean; epochSeconds: number } {
  if (typeof clock === 'object') return { virtual: true, epochSeconds: clock.epochSeconds ?? 0 };
  return { virtual: clock === undefined ? seed !== undefined : clock === 'virtual', epochSeconds: 0 };
}

function must(result: number, what: string, cpu: Cpu): number {
  if (result < 0) throw cpu.panic ?? new Error(`boot: ${what} failed with error ${-result}`);
  return result;
}

function fresh(kernel: Kernel, flavour: Flavour, options: BootOptions): Machine {
  const { seed, hostname, files = {}, credentials, disks = [], root } = options;
  const clock = clockOf(options);
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new RangeError(`seed must be a whole number from 0 to 2^53, and is ${seed}`);
  }
  const pool = isShared(flavour) ? undefined : idle;
  const ram = ramOf(options);
  const cpu = new Cpu(pool?.take(ram) ?? makeMemory(ram, flavour), {
    console: options.console,
    virtualClock: clock.virtual,
    source: sourceOf(flavour),
  });
  const exports = instantiate(kernel, cpu);
  const { virtual, epochSeconds } = clock;
  must(
    exports.machine_boot(seed ?? 0, seed === undefined ? 0 : 1, virtual ? 1 : 0, epochSeconds),
    'machine_boot',
    cpu,
  );
  must(cpu.attach(), 'cpu_attach', cpu);
  const init = must(exports.machine_start(), 'machine_start', cpu);
  const { module } = kernel;
  const identity = { flavour, kernel: kernel.hash, module, initPid: init, virtualClock: virtual, pool };
  const machine = new Machine(cpu, identity);
  fitOut(machine, () => {
    machine.attachDisks(disks);
    if (root === undefined) makeTree(machine.init.fs, files, hostname);
    else switchRoot(machine, root, files, hostname);
    if (credentials !== undefined) machine.setFsCredentials(credentials);
  });
  return machine;
}

/** The last of booting. A machine that cannot have what was asked for is shut down again. */
function fitOut(machine: Machine, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (machine.cpu.panic === undefined) machine.shutdown();
    throw error;
  }
}

export interface ForkOptions extends Pick<BootOptions, 'module' | 'console' | 'disks'> {
  from: Snapshot;
  /** Where RAM comes from, and goes to after shutdown. Not for shared memory. */
  pool?: MemoryPool;
}

/** {@link bootSync} from a snapshot, to a machine of a class derived from Machine. */
export function forkSync<M extends Machine>(Class: MachineClass<M>, options: ForkOptions): M {
  return again(Class, kernelSync(options.from.flavour, options.module), options);
}

type MachineClass<M extends Machine> = new (cpu: Cpu, identity: MachineIdentity) => M;

function again<M extends Machine>(Class: MachineClass<M>, kernel: Kernel, options: ForkOptions): M {
  const { from: snapshot } = options;
  const { flavour } = snapshot;
  const { disks = [] } = options;
  const pool = isShared(flavour) ? undefined : (options.pool ?? idle);
  checkSnapshot(snapshot);
  if (kernel.hash === UNKNOWN) {
    throw new Error('the kernel given does not say which build it is: pass its bytes, or where they are');
  }
  if (snapshot.kernel !== kernel.hash) {
    throw new Error(
      `snapshot was made by another kernel build (${snapshot.kernel}, this one is ${kernel.hash})`,
    );
  }
  const memory = pool?.take(snapshot.ramBytes) ?? makeMemory(snapshot.ramBytes, flavour);
  layFrames(memory, snapshot);
  const cpu = new Cpu(memory, {
    console: options.console,
    virtualClock: snapshot.virtualClock,
    source: sourceOf(flavour),
  });
  if (cpu.panic !== undefined) throw cpu.panic;
  checkBootBlock(cpu, snapshot);
  const kept = snapshot.disks ?? [];
  restoreDisks(cpu, kept, disks);
  instantiate(kernel, cpu);
  must(cpu.adopt(0), 'cpu_adopt', cpu);
  must(cpu.exports.machine_resume(1), 'machine_resume', cpu);
  const { fsPid, virtualClock } = snapshot;
  const { module } = kernel;
  const machine = new Class(cpu, {
    flavour,
    kernel: kernel.hash,
    module,
    initPid: 1,
    fsPid,
    virtualClock,
    pool,
  });
  const others = disks.map((spec, slot) => (kept.some((disk) => disk.slot === slot) ? undefined : spec));
  fitOut(machine, () => machine.attachDisks(others));
  return machine;
}
