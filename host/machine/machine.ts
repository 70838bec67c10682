/** A booted machine. */
import {
  BB_FLAVOUR,
  BB_FRAMES_FREE,
  BB_FRAMES_TOTAL,
  BOOTBLOCK,
  FLAVOUR_DEBUG,
  PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import { ESRCH } from '../../assembly/abi/errno.ts';
import { syscallError } from '../syscalls/errors.ts';
import type { NodeFs } from '../syscalls/fs/types.ts';
import { type Credentials, Process, type ProcessOptions } from '../syscalls/process.ts';
import type { RemoteDisk } from '../devices/remote.ts';
import type { BlockDevice } from '../devices/types.ts';
import type { Child, ChildOptions, ProgramSource } from '../programs/spawn.ts';
import { startInterval, stopTimer, type Timer } from '#platform';
import type { Cpu } from './cpu.ts';
import { type AttachedDisk, type DiskOptions, Disks, type DiskSpec, split } from './disks.ts';
import { type Joined, type Ticket, Tickets } from './join.ts';
import type { Flavour } from './kernels.ts';
import type { MemoryPool } from './memory.ts';
import { LeakError } from './panic.ts';
import { copyFrames, type Snapshot } from './snapshot.ts';

export interface MachineIdentity {
  flavour: Flavour;
  kernel: string;
  module: WebAssembly.Module;
  initPid: number;
  fsPid?: number;
  virtualClock: boolean;
  /** Where the memory goes when the machine has been shut down. Default: to the garbage collector. */
  pool?: MemoryPool;
}

/** How often the kernel may write back what has grown old. */
const TICK_MS = 1000;

export class Machine {
  readonly cpu: Cpu;
  readonly flavour: Flavour;
  /** Process 1. Its parentless children are everybody else. */
  readonly init: Process;
  #fsProcess: Process;
  readonly #identity: MachineIdentity;
  readonly #disks: Disks;
  #tickets: Tickets | undefined;
  /** While there are disks, and the clock is real. */
  #ticker: Timer | undefined;
  #down = false;
  /** What the log was when the machine went. */
  #lastLog: string | undefined;

  /** Machines are made by boot() and bootSync(). */
  constructor(cpu: Cpu, identity: MachineIdentity) {
    this.cpu = cpu;
    this.flavour = identity.flavour;
    this.#identity = identity;
    this.#disks = new Disks(cpu);
    this.init = new Process(cpu, identity.initPid);
    const { fsPid = identity.initPid } = identity;
    this.#fsProcess = fsPid === identity.initPid ? this.init : new Process(cpu, fsPid);
    this.#tick();
  }

  /** node:fs on this machine, as the credentials given at boot (root unless told). */
  get fs(): NodeFs {
    return this.#fsProcess.fs;
  }

  /** RAM in bytes. */
  get ramBytes(): number {
    return this.cpu.u8.length;
  }

  /** Bytes of RAM that nothing uses. Caches count as used: see {@link reclaim}. */
  get ramFreeBytes(): number {
    return this.cpu.u32[(BOOTBLOCK + BB_FRAMES_FREE) >>> 2] * PAGE_SIZE;
  }

  /** A new process, a child of process 1 unless `parent` is given. */
  process(options: ProcessOptions = {}): Process {
    return Process.create(this.cpu, options);
  }

  /**
   * Run a program as a process of its own: a file of the machine's tree that may be executed (a WASI program, a
   * script, a program of `damselfly/programs`; without a slash it is looked up in PATH), or the bytes of a WASI program, or
   * its module.
   * @throws SyscallError ENOENT, EACCES, ENOEXEC: it cannot be run, and the error says why; ENOMEM; EINVAL
   * @example
   * const child = await machine.spawn('/bin/x.wasm', ['a', 'b'], { cwd: '/home', stdin: 'text' });
   * const { code } = await child.wait();
   * const text = await child.stdout.text();
   */
  async spawn(
    program: ProgramSource,
    args: readonly string[] = [],
    options: ChildOptions = {},
  ): Promise<Child> {
    if (this.#down) throw syscallError(ESRCH, 'spawn');
    const { spawn } = await import('../programs/spawn.ts');
    return spawn(this, program, args, options);
  }

  /** The shim for a process that exists already (as after booting a snapshot). */
  attach(pid: number): Process {
    const process = new Process(this.cpu, pid);
    process.cwd();
    return process;
  }

  /** Let `fs` act as somebody, in a process of its own. */
  setFsCredentials(credentials: Credentials): void {
    if (this.#fsProcess === this.init) this.#fsProcess = this.process({ ...credentials });
    else this.#fsProcess.setCredentials(credentials);
  }

  /** The disks, in the order of their slots. */
  get disks(): readonly AttachedDisk[] {
    return this.#disks.list();
  }

  /**
   * Put a disk into the machine: /dev/vbd0 and so on, with its partitions. The device stays the caller's,
   * but nobody else may write to it till it is detached; it is flushed then, and at shutdown, and
   * closed only with `close: true`. A disk that completes later is a {@link RemoteDisk}.
   * @returns the slot
   * @throws EBUSY when the slot is taken, or all are; EINVAL
   * @example
   * const slot = machine.attachDisk(new MemoryDisk({ sizeBytes: 64 << 20 }));
   * machine.fs.statSync(`/dev/vbd${slot}`).isBlockDevice(); // true
   */
  attachDisk(device: BlockDevice | RemoteDisk, options: DiskOptions = {}): number {
    if (this.#down) throw syscallError(ESRCH, 'attachDisk');
    const slot = this.#disks.attach(device, options);
    this.#tick();
    return slot;
  }

  /**
   * Write back what is cached of a disk, flush it, and take it out.
   * @throws ENXIO: there is none; EBUSY: it is mounted or open. What the device throws, and the error
   *   of a write that failed: then it is out all the same.
   */
  detachDisk(slot: number): void {
    try {
      this.#disks.detach(slot);
    } finally {
      this.#tick();
    }
  }

  /** Have the timer that is needed now, or none. A virtual clock writes back when it is moved on. */
  #tick(): void {
    const wanted = !this.#down && !this.#identity.virtualClock && this.#disks.any;
    if (!wanted && this.#ticker !== undefined) {
      stopTimer(this.#ticker);
      this.#ticker = undefined;
    } else if (wanted && this.#ticker === undefined) {
      this.#ticker = startInterval(() => {
        if (this.cpu.panic !== undefined) return;
        this.cpu.exports.machine_tick();
        this.cpu.scheduler.kick();
      }, TICK_MS);
      this.#ticker.unref();
    }
  }

  /** Attach what boot() was given. */
  attachDisks(specs: readonly DiskSpec[]): void {
    for (const [slot, spec] of specs.entries()) {
      const { device, options } = split(spec);
      if (device !== undefined) this.attachDisk(device, { ...options, slot });
    }
  }

  /**
   * For a device's model of time: the request that the kernel waits for takes this much longer. On a
   * machine with a virtual clock its time moves on by that when the request is done.
   */
  elapse(ms: number): void {
    if (this.#identity.virtualClock) this.cpu.elapsedUs += Math.round(ms * 1000);
  }

  /** How many CPUs the machine has now: this thread, and those that have joined. */
  get cpus(): number {
    return this.#down ? 0 : this.cpu.attached.length;
  }

  /**
   * What one thread needs to join the machine as a CPU of its own ({@link joinMachine}): it can be posted
   * to a worker, or given as its workerData. One ticket is for one thread.
   * @throws Error for a machine of flavour 'up'; ESRCH after shutdown
   * @example
   * const ticket = machine.ticket();
   * machine.attend(new Worker(url, { workerData: ticket }), ticket);
   */
  ticket(): Ticket {
    if (this.#down) throw syscallError(ESRCH, 'ticket');
    const { flavour, module, virtualClock } = this.#identity;
    this.#tickets ??= new Tickets(this.cpu, { flavour, module, virtualClock });
    return this.#tickets.issue();
  }

  /** Notice when a thread ends that has joined, or is to, by this ticket, whatever way it ends. */
  attend(thread: Joined, ticket: Ticket): void {
    thread.once('exit', () => {
      if (!this.#down) this.cpuEnded(ticket);
    });
  }

  /**
   * The thread with this ticket is to enter the kernel no more: true, and it may be terminated, in the
   * middle of whatever it does; or it has ended. False: it is in the middle of a call; try again.
   */
  killCpu(ticket: Ticket): boolean {
    return this.#tickets?.kill(ticket) ?? true;
  }

  /**
   * The thread with this ticket has ended: its CPU, if it still had one, is given up. If it ended in the
   * middle of a call, the machine panics: what it held there nobody can release.
   */
  cpuEnded(ticket: Ticket): void {
    this.#tickets?.ended(ticket);
  }

  /**
   * Everything the machine is, copied. Quick: it costs by the frames in use. A disk that can be written is
   * in it, as it is at that moment; one that is only read is named, and must be given again at
   * boot, `boot({ from, disks })`.
   * @throws Error EBUSY while a call is in progress on another CPU, or for a disk that can be written
   *   and not be put aside; KernelPanic; ESRCH after shutdown.
   */
  snapshot(): Snapshot {
    const { cpu } = this;
    if (this.#down) throw syscallError(ESRCH, 'snapshot');
    this.#disks.checkSnapshot();
    const stopped = cpu.exports.machine_stop();
    if (stopped < 0) {
      throw cpu.panic ?? Object.assign(new Error('snapshot: a CPU is inside the kernel'), { code: 'EBUSY' });
    }
    try {
      return {
        format: 1,
        flavour: this.flavour,
        kernel: this.#identity.kernel,
        ramBytes: this.ramBytes,
        fsPid: this.#fsProcess.pid,
        virtualClock: this.#identity.virtualClock,
        ...copyFrames(cpu),
        ...(this.#disks.any && { disks: this.#disks.snapshot() }),
      };
    } finally {
      cpu.exports.machine_resume(0);
    }
  }

  /** Free what only caches hold: unused names, vnodes, zone frames. */
  reclaim(): void {
    this.cpu.exports.machine_reclaim();
  }

  /** Frames of 4 KiB in use, kernel's own included. */
  get framesInUse(): number {
    const { u32 } = this.cpu;
    return u32[(BOOTBLOCK + BB_FRAMES_TOTAL) >>> 2] - u32[(BOOTBLOCK + BB_FRAMES_FREE) >>> 2];
  }

  /** Move a virtual clock forward, waking what is due. @throws Error on a machine with a real clock. */
  advanceClock(ms: number): void {
    const result = this.cpu.exports.clock_advance(ms);
    if (result < 0) throw this.cpu.panic ?? new Error('advanceClock: this machine follows the real clock');
    this.cpu.scheduler.kick();
  }

  /** What the kernel has logged, its last 4 KiB. */
  get log(): string {
    return this.#lastLog ?? this.cpu.log();
  }

  /**
   * End every process, unmount everything, flush the disks, free all. The machine cannot be used
   * afterwards; what waited on it is rejected with ESRCH. Calling it again does nothing.
   * @throws LeakError in debug flavours when kernel objects are left over; what a disk throws that
   *   cannot be flushed.
   */
  shutdown(): void {
    if (this.#down) return;
    this.#down = true;
    this.#tick();
    const { cpu } = this;
    this.#tickets?.close();
    cpu.scheduler.shutdown();
    const leaks = cpu.exports.machine_shutdown();
    if (cpu.panic !== undefined) {
      this.#disks.end(false);
      throw cpu.panic;
    }
    try {
      if (leaks >= 0) this.#disks.end(true);
    } finally {
      this.#gone(leaks);
    }
  }

  #gone(leaks: number): void {
    const { cpu } = this;
    const debug = cpu.u32[(BOOTBLOCK + BB_FLAVOUR) >>> 2] & FLAVOUR_DEBUG;
    if (leaks > 0 && debug) throw new LeakError(leaks, this.log);
    // Shut down in the middle of a call, a machine refuses, and is still in use.
    if (leaks < 0) return;
    this.#lastLog = this.log;
    this.#identity.pool?.give(cpu.memory, cpu.retire());
  }

  [Symbol.dispose](): void {
    this.shutdown();
  }
}
