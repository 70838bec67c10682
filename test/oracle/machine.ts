import { ERESTART } from '../../assembly/abi/errno.ts';
import {
  BB_DEADLINE,
  BB_PANIC_LEN,
  BB_PANIC_MAX,
  BB_PANIC_MSG,
  BOOTBLOCK,
  PAGE_SIZE,
  SA_DATA,
} from '../../assembly/abi/layout.ts';
import type { KernelExports } from '../../host/machine/exports.ts';
import { errnoName } from './errno.ts';

/** What the machine's own exports have beside the documented ones. */
export interface Exports extends KernelExports {
  /** This machine's time in ms since 1970 at SA_DATA. */
  clock_ms(): number;
}

/** What a kernel runs on, booted: a seeded generator and a virtual clock. */
export interface Hardware {
  readonly kernel: Exports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Byte address of the syscall area. */
  readonly area: number;
  /** The buffers of the call being made, by space number. */
  spaces: Uint8Array[];
  /** The kernel panicked. */
  readonly dead: boolean;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

export function panicMessage({ u8, u32 }: Pick<Hardware, 'u8' | 'u32'>): string {
  const length = Math.min(u32[(BOOTBLOCK + BB_PANIC_LEN) / 4], BB_PANIC_MAX);
  const start = BOOTBLOCK + BB_PANIC_MSG;
  return latin1(u8.subarray(start, start + length));
}

/** The kernel driven call by call, its blocking included. */
export class Machine {
  readonly kernel: Exports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Byte address of the syscall area. */
  readonly area: number;
  readonly #hardware: Hardware;
  #current = 0;
  /** Lwps that the kernel handed back and whose calls were not issued again yet. */
  #runnable = new Set<number>();

  constructor(hardware: Hardware) {
    this.#hardware = hardware;
    this.kernel = hardware.kernel;
    this.u8 = hardware.u8;
    this.u32 = hardware.u32;
    this.f64 = hardware.f64;
    this.area = hardware.area;
  }

  /** The buffers of the call being made, by space number. */
  get spaces(): Uint8Array[] {
    return this.#hardware.spaces;
  }
  set spaces(buffers: Uint8Array[]) {
    this.#hardware.spaces = buffers;
  }

  #must(result: number, what: string): void {
    if (result < 0) throw new Error(`${what}: ${errnoName(result)}`);
  }

  panicMessage(): string {
    return panicMessage(this);
  }

  /** The kernel's log: the page behind the boot block, without the ring's unused rest. */
  log(): string {
    const bytes = this.u8.subarray(BOOTBLOCK + PAGE_SIZE, BOOTBLOCK + 2 * PAGE_SIZE);
    return latin1(bytes).replaceAll('\0', '').trim();
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
    if (this.#hardware.dead) return;
    this.#current = 0;
    const leaks = this.kernel.machine_shutdown();
    if (leaks !== 0) throw new Error(`shutdown left ${leaks} objects:\n${this.log()}`);
  }
}
