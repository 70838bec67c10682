/**
 * A WASI program (wasi_snapshot_preview1) as a process of a machine.
 *
 *     new WasiGuest(process, module, …) ─→ start() ─ returns, proc_exit ─→ exit code
 *                                                  ─ a trap ─→ what the engine throws
 *                                                  ─ the process was ended ─→ ProcessGone
 *     close() gives back what the kernel keeps of it.
 *
 * The program runs on the caller's thread, and its calls are WebAssembly calling WebAssembly: guest,
 * gate, kernel. A call that must wait lets others who can go on go on, and is EDEADLK when nobody
 * could ever wake it (`start`); or it suspends the program alone (`startLater`), where the engine has
 * JavaScript promise integration.
 *
 * The process is the caller's: its descriptors are the program's, and it is not ended here.
 */
import { ESRCH } from '../../assembly/abi/errno.ts';
import { F_SETBENEATH, O_DIRECTORY } from '../../assembly/abi/flags.ts';
import { WASI_ARGS, WASI_ENVIRON, WC_GUEST, WC_SLOT } from '../../assembly/abi/wasi.ts';
import { encodeBytes } from '../syscalls/bytes.ts';
import type { Process } from '../syscalls/process.ts';
import { closeGate, type GateHost, kindOf, openGate, Trampoline } from './gate.ts';
import type { GateKind } from './modules.ts';

export interface WasiOptions {
  /** The program's name, then its arguments. Default: none. */
  args?: readonly string[];
  /** Its environment. Default: empty. */
  env?: Readonly<Record<string, string>>;
  /** The directories that it may use: the name that it knows one by → its path in the machine. Default: { '/': '/' }. */
  preopens?: Readonly<Record<string, string>>;
  /** Which gate. Default: the best that the engine has. */
  gate?: GateKind;
  /** Suspend the program when it waits, and not its thread: for `startLater`. */
  suspend?: boolean;
  /** Called when a call of `start` waits for what nobody in the machine will do. True: something has been done, look again. */
  idle?: () => boolean;
  /** What the program imports besides WASI. */
  imports?: WebAssembly.Imports;
}

/** The process of a guest was ended (by a signal, by another), or the machine was shut down. */
export class ProcessGone extends Error {
  constructor(pid: number) {
    super(`process ${pid} has ended`);
    this.name = 'ProcessGone';
  }
}

/** proc_exit, on its way out of the program; `call` throws it. */
export class GuestExit extends Error {
  /** 0 to 2^32 - 1. */
  readonly code: number;

  constructor(code: number) {
    super(`the program exits with ${code}`);
    this.name = 'GuestExit';
    this.code = code;
  }
}

const NAMESPACE = 'wasi_snapshot_preview1';

interface Suspending {
  new (call: (...args: number[]) => Promise<number>): WebAssembly.ImportValue;
}
type Promising = (call: WebAssembly.ExportValue) => () => Promise<unknown>;
const { Suspending, promising } = WebAssembly as unknown as {
  Suspending?: Suspending;
  promising?: Promising;
};

/** Can programs wait without stopping their thread? */
export const canSuspend = typeof Suspending === 'function' && typeof promising === 'function';

export class WasiGuest {
  readonly process: Process;
  readonly instance: WebAssembly.Instance;
  readonly gate: GateKind;
  readonly memory: WebAssembly.Memory;
  readonly #guest: number;
  readonly #slot: number;
  readonly #suspends: boolean;
  readonly #idle: () => boolean;
  #closed = false;

  /**
   * @param module  a program that imports nothing but WASI and what `imports` has, with an exported or
   *   imported memory
   * @throws SyscallError: EEXIST, the process is a guest already; what opening a directory gives; ENOMEM.
   *   WebAssembly.LinkError. RangeError for a gate that the engine cannot have
   */
  constructor(process: Process, module: WebAssembly.Module, options: WasiOptions = {}) {
    this.process = process;
    this.gate = kindOf(options.gate);
    this.#suspends = options.suspend === true;
    this.#idle = options.idle ?? (() => false);
    if (this.#suspends && !canSuspend) {
      throw new RangeError('this engine has no JavaScript promise integration');
    }
    const { cpu } = process;
    const table = cpu.tableBase;
    must(process, cpu.exports.guest_create(process.pid, table), 'guest');
    this.#guest = process.dataU32[WC_GUEST >>> 2] | 0;
    this.#slot = process.dataU32[WC_SLOT >>> 2];
    try {
      this.#equip(options);
      const trampoline = new Trampoline();
      const { imports } = options;
      this.instance = new WebAssembly.Instance(module, { ...imports, [NAMESPACE]: trampoline.functions });
      this.memory = memoryOf(this.instance, imports);
      trampoline.connect(this.#openGate());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Run the program's `_start` on this thread to its end. @returns its exit code, 0 to 2^32 - 1
   * @throws ProcessGone; WebAssembly.RuntimeError for a trap; KernelPanic
   */
  start(): number {
    if (this.#suspends) throw new TypeError('a program that suspends is run by startLater()');
    try {
      this.#run(this.#export('_start'));
      return 0;
    } catch (error) {
      if (error instanceof GuestExit) return error.code;
      throw error;
    }
  }

  /** The same for a program that was made with `suspend`. @throws as start */
  async startLater(): Promise<number> {
    const start = this.#export('_start');
    if (promising === undefined || !this.#suspends)
      throw new TypeError('the program was not made to suspend');
    const { cpu } = this.process;
    try {
      await promising(start as unknown as WebAssembly.ExportValue)();
      return 0;
    } catch (error) {
      if (error instanceof GuestExit) return error.code;
      throw cpu.unwinding(error);
    } finally {
      cpu.scheduler.kick();
    }
  }

  /**
   * Call a function that the program exports: of a library ("reactor"), `_initialize` first.
   * @throws GuestExit when the program calls proc_exit; as start
   */
  call(name: string, ...args: readonly (number | bigint)[]): unknown {
    const call = this.#export(name);
    return this.#run(() => call(...args));
  }

  /** Give back what the kernel keeps of the program. The process stays. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { cpu } = this.process;
    closeGate(cpu, this.#slot);
    cpu.exports.guest_free(this.#guest);
  }

  #export(name: string): (...args: readonly (number | bigint)[]) => unknown {
    const found = this.instance.exports[name];
    if (typeof found !== 'function') throw new TypeError(`the program exports no function ${name}`);
    return found as (...args: readonly (number | bigint)[]) => unknown;
  }

  #run<T>(work: () => T): T {
    const { cpu, pid } = this.process;
    if (!this.#enter()) throw cpu.panic ?? new ProcessGone(pid);
    try {
      return cpu.guest(work);
    } finally {
      cpu.scheduler.kick();
    }
  }

  #equip({ args = [], env = {}, preopens = { '/': '/' } }: WasiOptions): void {
    this.#strings(WASI_ARGS, args);
    this.#strings(
      WASI_ENVIRON,
      Object.entries(env).map(([name, value]) => `${name}=${value}`),
    );
    const { process } = this;
    for (const [name, path] of Object.entries(preopens)) {
      const fd = process.fs.openSync(path, O_DIRECTORY);
      process.fcntl(fd, F_SETBENEATH, 1);
      const length = process.path1(name);
      must(process, process.exports.guest_preopen(this.#guest, fd, length), 'preopen', path);
    }
  }

  #strings(which: number, list: readonly string[]): void {
    const { cpu } = this.process;
    const parts = list.map((text) => {
      if (text.includes('\0'))
        throw new TypeError(`an argument or variable holds a NUL: ${JSON.stringify(text)}`);
      return encodeBytes(`${text}\0`);
    });
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const space = cpu.addSpace(bytes);
    try {
      must(this.process, cpu.exports.guest_strings(this.#guest, which, space, bytes.length), 'guest');
    } finally {
      cpu.removeSpace(space);
    }
  }

  #openGate(): WebAssembly.Exports {
    const { cpu, pid } = this.process;
    const host: GateHost = {
      wait: this.#waiting(),
      gone: () => {
        throw cpu.panic ?? new ProcessGone(pid);
      },
      exit: (code) => {
        throw new GuestExit(code >>> 0);
      },
      yield: () => {
        if (this.#suspends || !cpu.runnable) return;
        cpu.scheduler.drain();
        this.#enter();
      },
    };
    return openGate({
      cpu,
      guest: this.#guest,
      slot: this.#slot,
      memory: this.memory,
      kind: this.gate,
      host,
    });
  }

  /** Its process is the CPU's again: false if that has ended. */
  #enter(): boolean {
    try {
      this.process.enter();
      return true;
    } catch (error) {
      if ((error as { errno?: number }).errno !== -ESRCH) throw error;
      return false;
    }
  }

  #waiting(): WebAssembly.ImportValue {
    if (!this.#suspends || Suspending === undefined) return () => this.#wait();
    return new Suspending(() => this.#waitLater());
  }

  /** Others go on until this call may. */
  #wait(): number {
    const { cpu } = this.process;
    const lwp = cpu.exports.lwp_current();
    let woken = cpu.scheduler.runUntil(lwp);
    while (!woken && this.#idle()) woken = cpu.scheduler.runUntil(lwp);
    this.#enter();
    if (woken) return lwp;
    cpu.exports.sys_giveup(lwp);
    return 0;
  }

  #waitLater(): Promise<number> {
    const { cpu, pid } = this.process;
    const lwp = cpu.exports.lwp_current();
    return new Promise((resolve) => {
      cpu.scheduler.wait(lwp, { pid, go: () => resolve(lwp), killed: () => resolve(0) });
    });
  }
}

function must(process: Process, result: number, what: string, path?: string): void {
  if (result < 0) throw process.failure(result, what, path);
}

/** The memory that a program exports, or was given. */
function memoryOf(instance: WebAssembly.Instance, imports: WebAssembly.Imports = {}): WebAssembly.Memory {
  const { memory } = instance.exports;
  if (memory instanceof WebAssembly.Memory) return memory;
  for (const group of Object.values(imports)) {
    for (const value of Object.values(group)) if (value instanceof WebAssembly.Memory) return value;
  }
  throw new TypeError('the program has no memory');
}
