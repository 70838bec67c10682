/**
 * Who goes on when: the host's half of sleeping in the kernel.
 *
 * A call that must wait leaves an Lwp in RAM and returns -ERESTART. The host keeps what to do
 * about it here, under the Lwp's number. When a later call wakes the channel, the kernel counts
 * the Lwp in CPU_RUNNABLE of this CPU; `kick` then drains all such Lwps in a microtask, and each waiter
 * resumes its Lwp and issues its call again. In shared memory it may be another thread that wakes it:
 * so while anybody waits here the word is watched (Atomics.waitAsync; a poll where there is none), and
 * a thread that may block does so on it (lwp_wait). BB_DEADLINE is the earliest time at which an Lwp
 * wakes by itself; a timer moves the kernel's clock on then. The timer keeps the process open:
 * it will certainly do something. A wait without a deadline does not.
 *
 * CPU_RUNNABLE also counts processes of which the kernel has news: a signal ended one (its Lwps are
 * gone, so whoever waits for them is told here), or it caught one. Listeners hear of both, before
 * the calls that the signal interrupted go on.
 */
import { BB_DEADLINE, BOOTBLOCK, PE_EXIT, SA_DATA } from '../../assembly/abi/layout.ts';
import { startTimeout, stopTimer, type Timer } from '#platform';
import type { Cpu } from './cpu.ts';

const DEADLINE = (BOOTBLOCK + BB_DEADLINE) >>> 3;
/** setTimeout takes no longer delay. */
const MAX_DELAY_MS = 0x7fffffff;
/** How often what other threads wake is looked for, where the engine does not tell. */
const POLL_MS = 5;
/** So long nothing happens before a virtual clock is moved to the next deadline, on a machine with several CPUs. */
const VIRTUAL_PATIENCE_MS = 5;

/** Of ES2024: a promise of a notification. */
type WaitAsync = (
  array: Int32Array,
  index: number,
  value: number,
) => { async: true; value: Promise<string> } | { async: false; value: string };
const { waitAsync } = Atomics as unknown as { waitAsync?: WaitAsync };

export interface Waiter {
  readonly pid: number;
  /** The Lwp may go on: resume it and issue the call again. Must not throw. */
  go(): void;
  /** The process ends: the Lwp is gone. Must not throw. */
  killed(): void;
}

/** Something of the host's, such as a timer, that ends with a process. */
interface Closer {
  readonly pid: number;
  /** Must not throw. */
  close(): void;
}

/** Hears of a process: `kind` is PE_SIGNAL or PE_EXIT. Must not throw. */
export type EventListener = (pid: number, kind: number) => void;

export class Scheduler {
  readonly #cpu: Cpu;
  readonly #waiters = new Map<number, Waiter>();
  readonly #closers = new Set<Closer>();
  readonly #listeners = new Set<EventListener>();
  #queued = false;
  #timer: Timer | undefined;
  #timerDeadline = 0;
  #down = false;
  /** Another thread's notification is awaited. */
  #watching = false;
  #poll: Timer | undefined;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** Lwps that wait for something. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Keep `waiter` until the kernel hands `lwp` back. */
  wait(lwp: number, waiter: Waiter): void {
    this.#waiters.set(lwp, waiter);
    this.#arm();
    // the call that blocks may have woken others first
    this.kick();
  }

  /** The Lwp is cancelled. */
  forget(lwp: number): void {
    this.#waiters.delete(lwp);
    this.#arm();
  }

  /** Drain soon if there is something to drain. Call after anything that may have woken someone. */
  kick(): void {
    if (this.#queued || this.#down || !this.#cpu.runnable) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      if (!this.#down && this.#cpu.panic === undefined) this.drain();
    });
  }

  /** Let every Lwp that may go on go on. */
  drain(): void {
    const { exports } = this.#cpu;
    let more = true;
    while (more) {
      more = this.#hear();
      for (let lwp = exports.lwp_next(); lwp > 0; lwp = exports.lwp_next()) {
        this.#run(lwp);
        more = true;
      }
    }
    this.#arm();
  }

  /** While somebody here waits for what other threads do, hear of it. */
  #watch(): void {
    const cpu = this.#cpu;
    if (this.#watching || this.#down || !cpu.shared) return;
    if (this.#waiters.size === 0 && this.#listeners.size === 0) return;
    const wait = cpu.runnable ? undefined : waitAsync?.(cpu.i32, cpu.news, 0);
    this.#watching = true;
    if (wait?.async) void wait.value.then(() => this.#noticed());
    else {
      this.#poll = startTimeout(() => this.#noticed(), POLL_MS);
      if (this.#waiters.size === 0) this.#poll.unref();
    }
  }

  #noticed(): void {
    this.#watching = false;
    this.#poll = undefined;
    if (this.#down) return;
    if (this.#cpu.panic === undefined) this.drain();
    else this.#died();
  }

  /** The machine panicked on another CPU: what waits here never goes on. */
  #died(): void {
    this.stop();
    const waiters = [...this.#waiters.values()];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.killed();
  }

  /** Call `listener` with what the kernel tells of processes, until the function returned is called. */
  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener);
    this.#watch();
    return () => void this.#listeners.delete(listener);
  }

  /** Take the kernel's news of processes. Was there any? */
  #hear(): boolean {
    const cpu = this.#cpu;
    const { exports, u32 } = cpu;
    let any = false;
    for (let pid = exports.proc_event(); pid > 0; pid = exports.proc_event()) {
      const kind = u32[(cpu.area + SA_DATA) >>> 2];
      if (kind === PE_EXIT) this.ended(pid);
      for (const listener of this.#listeners) listener(pid, kind);
      any = true;
    }
    return any;
  }

  /** Let others go on until `lwp` may: true, or false when nothing could ever wake it. */
  runUntil(lwp: number): boolean {
    const { exports } = this.#cpu;
    for (;;) {
      const next = exports.lwp_next();
      if (next === lwp) return true;
      if (next > 0) this.#run(next);
      else if (this.#hear()) continue;
      // another CPU may have ended the process meanwhile
      else if (this.#cpu.shared && exports.lwp_alive(lwp) !== 1) return false;
      else if (!this.#sleep()) return false;
    }
  }

  /** Call `close` when the process ends, unless the function that is returned is called before. */
  atExit(pid: number, close: () => void): () => void {
    const closer = { pid, close };
    this.#closers.add(closer);
    return () => void this.#closers.delete(closer);
  }

  #close(pid?: number): void {
    for (const closer of this.#closers) {
      if (pid !== undefined && closer.pid !== pid) continue;
      this.#closers.delete(closer);
      closer.close();
    }
  }

  /** A process is about to end: close what it has open on the host's side, and forget its waits. */
  kill(pid: number): void {
    this.#close(pid);
    for (const [lwp, waiter] of this.#waiters) {
      if (waiter.pid === pid) this.#cpu.exports.sys_cancel(lwp);
    }
    this.ended(pid);
  }

  /** A process has ended, its Lwps with it: the same, for what is left of it here. */
  ended(pid: number): void {
    if (this.#cpu.pid === pid) this.#cpu.pid = 0;
    this.#close(pid);
    for (const [lwp, waiter] of this.#waiters) {
      if (waiter.pid !== pid) continue;
      this.#waiters.delete(lwp);
      waiter.killed();
    }
    this.#arm();
  }

  /** The machine goes down: nothing that waits will go on. */
  shutdown(): void {
    this.#down = true;
    this.#close();
    for (const waiter of this.#waiters.values()) waiter.killed();
    this.#waiters.clear();
    this.stop();
  }

  /** Stop the timers. */
  stop(): void {
    this.#disarm();
    if (this.#poll === undefined) return;
    stopTimer(this.#poll);
    this.#poll = undefined;
    this.#watching = false;
  }

  #disarm(): void {
    if (this.#timer !== undefined) stopTimer(this.#timer);
    this.#timer = undefined;
    this.#timerDeadline = 0;
  }

  #run(lwp: number): void {
    const waiter = this.#waiters.get(lwp);
    if (waiter === undefined) {
      // Nobody here issued it: it came with a snapshot, and its caller did not.
      this.#cpu.exports.sys_cancel(lwp);
      return;
    }
    this.#waiters.delete(lwp);
    waiter.go();
  }

  /** Block this thread up to the next deadline. False when there is none, or no way to block. */
  #sleep(): boolean {
    // One that was let go on may have shut the machine down.
    if (this.#down) return false;
    const deadline = this.#cpu.f64[DEADLINE];
    if (this.#cpu.shared && this.#cpu.options.mayWait) return this.#block(deadline);
    if (deadline === 0) return false;
    if (!this.#cpu.options.virtualClock) {
      const ms = deadline - this.#cpu.realtimeMs();
      try {
        if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      } catch {
        return false; // A browser's main thread may not block.
      }
    }
    this.#passTime();
    return true;
  }

  /** Block until there is something to look at. A virtual clock stands still while every CPU waits, so it is moved on then. */
  #block(deadline: number): boolean {
    const { exports, options } = this.#cpu;
    const result = exports.lwp_wait(options.virtualClock && deadline !== 0 ? VIRTUAL_PATIENCE_MS : -1);
    if (result === 0) this.#passTime();
    return result >= 0;
  }

  /** The next deadline is over. A virtual clock is moved to it: nothing else is there to move it. */
  #passTime(): void {
    const { exports, options, f64, area } = this.#cpu;
    const deadline = f64[DEADLINE];
    if (options.virtualClock && deadline !== 0 && exports.clock_ms() === 0) {
      // A reading moves the clock too, so the deadline may be over by now.
      exports.clock_advance(Math.max(deadline - f64[(area + SA_DATA) >>> 3], 0));
    } else exports.clock_tick();
  }

  #arm(): void {
    this.#watch();
    const deadline = this.#waiters.size === 0 ? 0 : this.#cpu.f64[DEADLINE];
    if (deadline === this.#timerDeadline) return;
    this.#disarm();
    if (deadline === 0) return;
    this.#timerDeadline = deadline;
    const ms = this.#cpu.options.virtualClock ? 0 : Math.ceil(deadline - this.#cpu.realtimeMs());
    this.#timer = startTimeout(() => this.#expired(), Math.min(Math.max(ms, 0), MAX_DELAY_MS));
  }

  #expired(): void {
    this.#timer = undefined;
    this.#timerDeadline = 0;
    if (this.#cpu.panic !== undefined) return;
    this.#passTime();
    this.drain();
  }
}
