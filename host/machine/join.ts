/**
 * Threads that join a machine: each gets an instance of the kernel on the machine's RAM, and is a CPU. Its system
 * calls are made on that thread, at once with those of the others.
 *
 * A *ticket* is what such a thread needs, as plain data and shared memory: it can be posted. The thread that booted
 * the machine has it, and follows by it what becomes of the thread.
 *
 * J1. A ticket's seat is one word: 0 not joined yet, or left; else the CPU's number, plus one. The thread
 *     writes it when it joins, and when it leaves.
 * J2. What the machine writes to its console from a joined thread goes to the thread that booted it, by a
 *     BroadcastChannel named in the ticket.
 */
import { EBUSY } from '../../assembly/abi/errno.ts';
import { restoreShared, type SharedDiskSpec } from '../devices/shared.ts';
import { syscallError } from '../syscalls/errors.ts';
import type { NodeFs } from '../syscalls/fs/types.ts';
import { Process, type ProcessOptions } from '../syscalls/process.ts';
import { Cpu } from './cpu.ts';
import { Disks, type DiskSpec, split } from './disks.ts';
import { instantiate, sourceOf } from './instance.ts';
import type { Flavour } from './kernels.ts';

/** What a thread needs to join a machine. Structured-cloneable between threads. */
export interface Ticket {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly flavour: Flavour;
  readonly virtualClock: boolean;
  /** By slot. undefined: there is none; null: there is one that only the booting thread has. */
  readonly disks: readonly (SharedDiskSpec | null | undefined)[];
  /** The name of the channel that console output is told on; undefined: it is dropped. */
  readonly console: string | undefined;
  readonly seat: SharedArrayBuffer;
}

/** A thread, as far as its end is concerned: a Worker of node:worker_threads. */
export interface Joined {
  once(event: 'exit', listener: () => void): unknown;
}

interface MachineParts {
  flavour: Flavour;
  module: WebAssembly.Module;
  virtualClock: boolean;
}

/** Node's has what browsers' have not: it does not hold the process open if told not to. */
interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
  unref?(): void;
}

function channel(name: string): Channel {
  const made = new BroadcastChannel(name) as unknown as Channel;
  made.unref?.();
  return made;
}

const seatOf = ({ seat }: Ticket) => new Int32Array(seat);

/** The tickets of a machine, on the thread that booted it. */
export class Tickets {
  readonly #cpu: Cpu;
  readonly #parts: MachineParts;
  #channel: Channel | undefined;
  #channelName: string | undefined;

  constructor(cpu: Cpu, parts: MachineParts) {
    this.#cpu = cpu;
    this.#parts = parts;
  }

  issue(): Ticket {
    if (!this.#cpu.shared) {
      throw new Error("a machine of flavour 'up' has one CPU: boot it with flavour 'smp'");
    }
    const disks = this.#cpu.disks.map((port) => {
      if (port === undefined) return undefined;
      const spec = port.device?.share?.();
      return spec === undefined ? null : { ...spec, readOnly: port.readOnly };
    });
    return {
      ...this.#parts,
      memory: this.#cpu.memory,
      disks,
      console: this.#console(),
      seat: new SharedArrayBuffer(4),
    };
  }

  #console(): string | undefined {
    const { console: write } = this.#cpu.options;
    if (write === undefined) return undefined;
    if (this.#channelName === undefined) {
      const random = crypto.getRandomValues(new Uint32Array(4));
      this.#channelName = `damselfly-${[...random].map((word) => word.toString(16)).join('')}`;
      this.#channel = channel(this.#channelName);
      this.#channel.onmessage = ({ data }) => {
        if (data instanceof Uint8Array) write(data);
      };
    }
    return this.#channelName;
  }

  kill(ticket: Ticket): boolean {
    const number = Atomics.load(seatOf(ticket), 0) - 1;
    if (number < 0 || this.#cpu.panic !== undefined) return true;
    return this.#cpu.exports.cpu_kill(number) !== -EBUSY;
  }

  ended(ticket: Ticket): void {
    const number = Atomics.exchange(seatOf(ticket), 0, 0) - 1;
    if (number < 0 || this.#cpu.panic !== undefined) return;
    try {
      this.#cpu.exports.cpu_lost(number);
    } catch (error) {
      // the panic is every later call's to throw; who hears of a thread's end cannot do anything about it
      if (this.#cpu.panic === undefined) throw error;
    }
    this.#cpu.scheduler.kick();
  }

  close(): void {
    this.#channel?.close();
  }
}

export interface JoinOptions extends Omit<ProcessOptions, 'parent' | 'inheritFds'> {
  /** Devices for slots whose disk a ticket cannot carry, opened on this thread. */
  disks?: readonly DiskSpec[];
  /** Gets what the machine writes to its console by calls of this thread. Default: the booting thread's. */
  console?: (bytes: Uint8Array) => void;
  /** Calls that must wait block this thread till they may go on. Default true; a thread with an event loop to
   *  run may prefer EDEADLK, and promises. */
  mayWait?: boolean;
}

/** A machine as a thread sees it that has joined. */
export class Member {
  readonly cpu: Cpu;
  /** A process of this thread's own, a child of process 1. */
  readonly init: Process;
  readonly #seat: Int32Array;
  readonly #close: () => void;
  #left = false;

  /** Members are made by {@link joinMachine}. */
  constructor(cpu: Cpu, init: Process, seat: Int32Array, close: () => void) {
    this.cpu = cpu;
    this.init = init;
    this.#seat = seat;
    this.#close = close;
  }

  /** This thread's number among the machine's CPUs. */
  get number(): number {
    return this.cpu.number;
  }

  /** node:fs as this thread's process. */
  get fs(): NodeFs {
    return this.init.fs;
  }

  /** Another process for this thread to drive, a child of process 1 unless `parent` is given. */
  process(options: ProcessOptions = {}): Process {
    return Process.create(this.cpu, options);
  }

  /** The shim for a process that exists already. @throws ESRCH; or it is to end */
  attach(pid: number): Process {
    const process = new Process(this.cpu, pid);
    process.cwd();
    return process;
  }

  /** End this thread's process, and be no CPU any more. Calling it again does nothing. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    const { cpu } = this;
    this.#close();
    if (cpu.panic === undefined) {
      cpu.scheduler.kill(this.init.pid);
      // a signal may have ended it, and a CPU that was killed can do nothing any more
      cpu.exports.proc_exit(this.init.pid);
    }
    cpu.scheduler.shutdown();
    // killed, it is for who killed it to give the number on
    if (cpu.exports.cpu_detach() === 0) Atomics.store(this.#seat, 0, 0);
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}

/**
 * Be a CPU of the machine that issued the ticket.
 * @throws Error EUSERS when it has 64 CPUs; EBUSY when the ticket is in use; KernelPanic
 * @example
 * // in the worker
 * const machine = joinMachine(workerData);
 * machine.fs.writeFileSync('/tmp/x', 'from another thread');
 * machine.leave();
 */
export function joinMachine(ticket: Ticket, options: JoinOptions = {}): Member {
  const { memory, module, flavour, virtualClock } = ticket;
  const seat = seatOf(ticket);
  if (Atomics.load(seat, 0) !== 0) throw syscallError(EBUSY, 'joinMachine');
  const tell =
    options.console === undefined && ticket.console !== undefined ? channel(ticket.console) : undefined;
  const cpu = new Cpu(memory, {
    console: tell === undefined ? options.console : (bytes) => tell.postMessage(bytes),
    virtualClock,
    source: sourceOf(flavour),
    mayWait: options.mayWait ?? true,
  });
  if (cpu.panic !== undefined) throw cpu.panic;
  fillSlots(cpu, ticket, options.disks ?? []);
  instantiate({ module }, cpu);
  const number = cpu.attach();
  if (number < 0) {
    tell?.close();
    throw cpu.panic ?? syscallError(-number, 'joinMachine');
  }
  Atomics.store(seat, 0, number + 1);
  const init = Process.create(cpu, options);
  return new Member(cpu, init, seat, () => tell?.close());
}

/** The disks of the ticket, or those given in their place. */
function fillSlots(cpu: Cpu, { disks }: Ticket, given: readonly DiskSpec[]): void {
  const slots = new Disks(cpu);
  for (const [slot, spec] of disks.entries()) {
    if (spec === undefined) continue;
    const { device, options } = split(given[slot]);
    if (device !== undefined) slots.join(slot, device, options);
    else if (spec !== null) slots.join(slot, restoreShared(spec), { close: true });
    else {
      const why = "is the booting thread's own: give a device for it, or boot with one that can be shared";
      throw new Error(`joinMachine: the disk /dev/vbd${slot} ${why}`);
    }
  }
}
