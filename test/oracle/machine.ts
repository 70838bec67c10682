import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EFAULT, ERESTART } from '../../assembly/abi/errno.ts';
import {
  BB_DEADLINE,
  BB_PANIC_LEN,
  BB_PANIC_MAX,
  BB_PANIC_MSG,
  BOOTBLOCK,
  PAGE_SIZE,
  SA_DATA,
  WASM_PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import type { KernelExports, KernelImports } from '../../host/machine/exports.ts';
import { errnoName } from './errno.ts';
import { repositoryRoot } from './root.ts';

/** What the machine's own exports have beside the documented ones. */
interface Exports extends KernelExports {
  /** This machine's time in ms since 1970 at SA_DATA. */
  clock_ms(): number;
}

export interface MachineOptions {
  /** Which artefact of build/kernel: 'up-debug', 'smp-debug', … */
  flavour: string;
  ramBytes?: number;
  seed?: number;
}

const EPOCH_SECONDS = 1_700_000_000;
const modules = new Map<string, WebAssembly.Module>();

function kernelModule(flavour: string): WebAssembly.Module {
  let module = modules.get(flavour);
  if (!module) {
    const file = join(repositoryRoot, 'build', 'kernel', `${flavour}.wasm`);
    if (!existsSync(file)) throw new Error(`no kernel at ${file}: node assembly/build.mjs ${flavour}`);
    module = new WebAssembly.Module(readFileSync(file));
    modules.set(flavour, module);
  }
  return module;
}

/** The kernel panicked in the middle of a test. */
export class Panic extends Error {
  override name = 'Panic';
}

/**
 * The kernel on the barest hardware: fixed RAM, a seeded generator, a virtual clock, no console.
 * Deliberately not the product's own host, so that the kernel is judged by itself.
 */
export class Machine {
  readonly kernel: Exports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Byte address of the syscall area. */
  readonly area: number;
  /** The buffers of the call being made, by space number. */
  spaces: Uint8Array[] = [];
  #current = 0;
  #dead = false;
  /** Lwps that the kernel handed back and whose calls were not issued again yet. */
  #runnable = new Set<number>();

  constructor(options: MachineOptions) {
    const pages = (options.ramBytes ?? 64 << 20) / WASM_PAGE_SIZE;
    const shared = options.flavour.startsWith('smp');
    const memory = new WebAssembly.Memory({ initial: pages, maximum: shared ? 65535 : pages, shared });
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.f64 = new Float64Array(memory.buffer);
    const imports = { env: { memory }, host: { ...this.#imports() } };
    const instance = new WebAssembly.Instance(kernelModule(options.flavour), imports);
    this.kernel = instance.exports as unknown as Exports;
    this.#must(this.kernel.machine_boot(options.seed ?? 1, 1, 1, EPOCH_SECONDS), 'machine_boot');
    this.#must(this.kernel.cpu_attach(), 'cpu_attach');
    this.area = this.kernel.cpu_area() >>> 0;
    this.#must(this.kernel.machine_start(), 'machine_start');
  }

  #must(result: number, what: string): void {
    if (result < 0) throw new Error(`${what}: ${errnoName(result)}`);
  }

  #imports(): KernelImports {
    const copy = (space: number, uaddr: number, len: number): Uint8Array | undefined => {
      const buffer = this.spaces[space >>> 0];
      const end = (uaddr >>> 0) + (len >>> 0);
      return buffer && end <= buffer.length ? buffer.subarray(uaddr >>> 0, end) : undefined;
    };
    return {
      copyin: (space, uaddr, kaddr, len) => {
        const from = copy(space, uaddr, len);
        if (from) this.u8.set(from, kaddr >>> 0);
        return from ? 0 : EFAULT;
      },
      copyout: (space, uaddr, kaddr, len) => {
        const to = copy(space, uaddr, len);
        to?.set(this.u8.subarray(kaddr >>> 0, (kaddr >>> 0) + (len >>> 0)));
        return to ? 0 : EFAULT;
      },
      clock_read: (_clock, kaddr) => {
        this.f64[(kaddr >>> 0) / 8] = EPOCH_SECONDS;
        this.u32[((kaddr >>> 0) + 8) / 4] = 0;
      },
      entropy: (kaddr, len) => void this.u8.fill(0x5a, kaddr >>> 0, (kaddr >>> 0) + (len >>> 0)),
      console_write: (_kaddr, len) => len,
      panicked: () => {
        this.#dead = true;
        throw new Panic(this.panicMessage());
      },
    };
  }

  panicMessage(): string {
    const length = Math.min(this.u32[(BOOTBLOCK + BB_PANIC_LEN) / 4], BB_PANIC_MAX);
    const start = BOOTBLOCK + BB_PANIC_MSG;
    return Buffer.from(this.u8.slice(start, start + length)).toString('latin1');
  }

  /** The kernel's log: the page behind the boot block, without the ring's unused rest. */
  log(): string {
    const bytes = this.u8.slice(BOOTBLOCK + PAGE_SIZE, BOOTBLOCK + 2 * PAGE_SIZE);
    return Buffer.from(bytes).toString('latin1').replaceAll('\0', '').trim();
  }

  /** Make a process the CPU's current one. */
  enter(pid: number): void {
    if (this.#current === pid) return;
    this.#must(this.kernel.proc_switch(pid), `proc_switch to ${pid}`);
    this.#current = pid;
  }

  ended(pid: number): void {
    if (this.#current === pid) this.#current = 0;
  }

  now(): number {
    this.kernel.clock_ms();
    return this.f64[(this.area + SA_DATA) / 8];
  }

  /** Issue a call; one that blocks for ever gives -EINTR or what it had done. */
  callNow(pid: number, issue: () => number): number {
    const result = this.attempt(pid, issue);
    if (result !== -ERESTART) return result;
    let lwp = this.kernel.lwp_current();
    for (;;) {
      if (this.takes(lwp)) {
        const again = this.resume(pid, lwp, issue);
        if (again !== -ERESTART) return again;
        lwp = this.kernel.lwp_current();
      } else if (!this.#passTime()) {
        return this.kernel.sys_cancel(lwp);
      }
    }
  }

  attempt(pid: number, issue: () => number): number {
    this.enter(pid);
    return issue();
  }

  /** May this blocked call go on? If so it must be resumed. */
  takes(lwp: number): boolean {
    for (let next = this.kernel.lwp_next(); next > 0; next = this.kernel.lwp_next()) this.#runnable.add(next);
    return this.#runnable.delete(lwp);
  }

  resume(pid: number, lwp: number, issue: () => number): number {
    this.enter(pid);
    this.#must(this.kernel.sys_resume(lwp), 'sys_resume');
    return issue();
  }

  /** On to the next deadline; false when nobody waits for one. */
  #passTime(): boolean {
    const deadline = this.f64[(BOOTBLOCK + BB_DEADLINE) / 8];
    if (deadline === 0) return false;
    this.kernel.clock_advance(Math.max(1, Math.ceil(deadline - this.now())));
    this.kernel.clock_tick();
    return true;
  }

  /** Does nothing on a machine that panicked. @throws Error when objects leaked, or Panic */
  shutdown(): void {
    if (this.#dead) return;
    this.#current = 0;
    const leaks = this.kernel.machine_shutdown();
    if (leaks !== 0) throw new Error(`shutdown left ${leaks} objects:\n${this.log()}`);
  }
}
