/**
 * A CPU: one instance of the kernel module, the views of the RAM it runs on, and what the kernel
 * imports from its host: copies between RAM and the callers' buffers, the clock, entropy, console.
 *
 * RAM never grows, so the views are made once and stay good. `spaces` names the buffers that
 * copyin and copyout reach: the first CALL_SPACES belong to the call being made, slot 0 to its
 * only buffer; a guest that stays (a WASI program's memory) takes one above.
 */
import { CLOCK_MONOTONIC, IOV_MAX } from '../../assembly/abi/flags.ts';
import { EFAULT, EIO } from '../../assembly/abi/errno.ts';
import {
  BB_RUNNABLE,
  BB_STATE,
  BOOTBLOCK,
  CPU_AREA_OFFSET,
  CPU_KERNEL,
  CPU_USER,
  MACHINE_DEAD,
  PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import type { KernelExports, KernelImports } from './exports.ts';
import { type KernelPanic, mapStack, readPanic, recordPanic, type SourceLookup } from './panic.ts';
import { Scheduler } from './sched.ts';

/** Space numbers below this are the current call's own; a call has at most IOV_MAX buffers. */
export const CALL_SPACES = IOV_MAX;

export interface CpuOptions {
  /** CLOCK_REALTIME in ms since 1970. Default: the host's clock, in microseconds or better. */
  realtimeMs?: () => number;
  /** CLOCK_MONOTONIC in ms. Default: performance.now. */
  monotonicMs?: () => number;
  /** Fills its argument (at most 65,536 bytes) with entropy. Default: crypto.getRandomValues. */
  entropy?: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Bytes written to the machine's console; the array is the callee's to keep. */
  console?: (bytes: Uint8Array) => void;
  /** How panics find the kernel's source lines; called at most once per panic. */
  source?: () => SourceLookup;
  /** Time is RAM state: the scheduler moves it on to the next deadline instead of waiting. */
  virtualClock?: boolean;
}

const RUNNABLE = (BOOTBLOCK + BB_RUNNABLE) >>> 2;
const STATE = (BOOTBLOCK + BB_STATE) >>> 2;

export class Cpu {
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** Pass these as the instance's imports, beside the memory. */
  readonly imports: KernelImports;
  /** The buffers that copyin and copyout may reach, by space number. */
  readonly spaces: Uint8Array[] = [];
  readonly scheduler: Scheduler;
  readonly options: CpuOptions;
  /** CLOCK_REALTIME in ms, which is also what deadlines are counted on. */
  readonly realtimeMs: () => number;
  /** The process last chosen with proc_switch; 0 when that is not known. */
  pid = 0;
  /** Byte address of the syscall area. */
  area = 0;
  #exports: KernelExports | undefined;
  #freeSpaces: number[] = [];
  #nextSpace = CALL_SPACES;

  constructor(memory: WebAssembly.Memory, options: CpuOptions = {}) {
    this.memory = memory;
    this.options = options;
    this.realtimeMs = options.realtimeMs ?? hostRealtime();
    const { buffer } = memory;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.imports = makeImports(this);
    this.scheduler = new Scheduler(this);
  }

  /** The kernel's exports. */
  get exports(): KernelExports {
    if (this.#exports === undefined) throw new Error('this CPU has no kernel yet');
    return this.#exports;
  }

  /** The exports of an instance made with {@link imports}, before the machine is booted. */
  connect(exports: KernelExports): void {
    this.#exports = guarded(exports, (error) => this.#unwound(error));
  }

  /** What a call threw: a stack overflow met by the kernel's probe passes; all else is a panic. */
  #unwound(error: unknown): unknown {
    const { u8, u32 } = this;
    const state = this.area === 0 ? CPU_USER : u32[(this.area - CPU_AREA_OFFSET) >>> 2];
    if (u32[STATE] !== MACHINE_DEAD) {
      if (state !== CPU_KERNEL) return error;
      recordPanic(u8, u32, `unwound through the kernel: ${error instanceof Error ? error.message : error}`);
    }
    const panic = readPanic(u8, u32, { cause: error });
    if (error instanceof Error && error.stack !== undefined) {
      const frames = error.stack.slice(error.stack.indexOf('\n') + 1);
      const stack = `${panic.name}: ${panic.message}\n${frames}`;
      panic.stack = this.options.source === undefined ? stack : mapStack(stack, this.options.source());
    }
    return panic;
  }

  /** Attach to the booted machine. Returns the CPU's number or a negated errno. */
  attach(): number {
    const number = this.exports.cpu_attach();
    if (number >= 0) {
      this.area = this.exports.cpu_area() >>> 0;
      this.pid = 0;
    }
    return number;
  }

  /** Take over a CPU whose area is in RAM already (a snapshot's). Its number or a negated errno. */
  adopt(number: number): number {
    const result = this.exports.cpu_adopt(number);
    if (result >= 0) {
      this.area = this.exports.cpu_area() >>> 0;
      this.pid = 0;
    }
    return result;
  }

  /** The kernel log: the last KLOG_SIZE bytes written to it. */
  log(): string {
    const start = BOOTBLOCK + PAGE_SIZE;
    let text = '';
    for (let i = start; i < start + PAGE_SIZE && this.u8[i] !== 0; i++)
      text += String.fromCharCode(this.u8[i]);
    return text;
  }

  /** Register a buffer that outlives a call, and get its space number. */
  addSpace(bytes: Uint8Array): number {
    const space = this.#freeSpaces.pop() ?? this.#nextSpace++;
    this.spaces[space] = bytes;
    return space;
  }

  /** A registered buffer moved (a guest's memory grew). */
  moveSpace(space: number, bytes: Uint8Array): void {
    this.spaces[space] = bytes;
  }

  removeSpace(space: number): void {
    this.spaces[space] = NOTHING;
    this.#freeSpaces.push(space);
  }

  /** Are there blocked calls that may go on? */
  get runnable(): boolean {
    return this.u32[RUNNABLE] !== 0;
  }

  /** The panic that killed the machine, if one did. */
  get panic(): KernelPanic | undefined {
    return this.u32[STATE] === MACHINE_DEAD ? readPanic(this.u8, this.u32) : undefined;
  }
}

type Call = (...args: number[]) => number;

/** The exports, each behind a catch: whatever unwinds through the kernel is told to `unwound`. */
function guarded(exports: KernelExports, unwound: (error: unknown) => unknown): KernelExports {
  const calls: Record<string, Call> = {};
  for (const [name, call] of Object.entries(exports)) {
    if (typeof call === 'function') calls[name] = guard(call as Call, unwound);
  }
  return calls as unknown as KernelExports;
}

/** By number of parameters, so that the engine sees plain calls and inlines them. */
function guard(call: Call, unwound: (error: unknown) => unknown): Call {
  switch (call.length) {
    case 0:
    case 1:
    case 2:
      return (a, b) => {
        try {
          return call(a, b);
        } catch (error) {
          throw unwound(error);
        }
      };
    case 3:
    case 4:
      return (a, b, c, d) => {
        try {
          return call(a, b, c, d);
        } catch (error) {
          throw unwound(error);
        }
      };
    case 5:
      return (a, b, c, d, e) => {
        try {
          return call(a, b, c, d, e);
        } catch (error) {
          throw unwound(error);
        }
      };
    default:
      return (...args) => {
        try {
          return call(...args);
        } catch (error) {
          throw unwound(error);
        }
      };
  }
}

const NOTHING = new Uint8Array(0);

/** Shorter copies are cheaper byte by byte than through a view. */
const BYTEWISE = 32;

// These run inside every read and write: straight lines over captured constants. None of them
// lets an exception into the kernel, except `panicked`, after which nothing runs there again.
function makeImports(cpu: Cpu): KernelImports {
  const { u8: ram, u32, f64, options, spaces } = cpu;
  for (let space = 0; space < CALL_SPACES; space++) spaces.push(NOTHING);
  const { realtimeMs } = cpu;
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const fill = options.entropy ?? ((bytes) => void crypto.getRandomValues(bytes));
  return {
    copyin(space, uaddr, kaddr, len) {
      const from = spaces[space >>> 0];
      const at = uaddr >>> 0;
      const to = kaddr >>> 0;
      const size = len >>> 0;
      if (from === undefined || at + size > from.length || to + size > ram.length) return EFAULT;
      if (size <= BYTEWISE) {
        for (let i = 0; i < size; i++) ram[to + i] = from[at + i];
        return 0;
      }
      try {
        ram.set(at === 0 && size === from.length ? from : from.subarray(at, at + size), to);
      } catch {
        return EIO;
      }
      return 0;
    },
    copyout(space, uaddr, kaddr, len) {
      const into = spaces[space >>> 0];
      const at = uaddr >>> 0;
      const from = kaddr >>> 0;
      const size = len >>> 0;
      if (into === undefined || at + size > into.length || from + size > ram.length) return EFAULT;
      if (size <= BYTEWISE) {
        for (let i = 0; i < size; i++) into[at + i] = ram[from + i];
        return 0;
      }
      try {
        into.set(ram.subarray(from, from + size), at);
      } catch {
        return EIO;
      }
      return 0;
    },
    clock_read(clock, kaddr) {
      const ms = clock === CLOCK_MONOTONIC ? monotonicMs() : realtimeMs();
      const seconds = Math.floor(ms / 1000);
      const at = kaddr >>> 0;
      f64[at >>> 3] = seconds;
      // Below a second a double keeps the nanoseconds that the sum with the seconds cannot.
      u32[(at + 8) >>> 2] = Math.min(999999999, Math.floor((ms - seconds * 1000) * 1e6));
    },
    entropy(kaddr, len) {
      const bytes = new Uint8Array(Math.min(len >>> 0, 65536));
      for (let done = 0; done < len >>> 0; done += bytes.length) {
        fill(bytes);
        ram.set(bytes.subarray(0, Math.min(bytes.length, (len >>> 0) - done)), (kaddr >>> 0) + done);
      }
    },
    console_write(kaddr, len) {
      try {
        options.console?.(ram.slice(kaddr >>> 0, (kaddr >>> 0) + (len >>> 0)));
        return len;
      } catch {
        return -EIO;
      }
    },
    // The kernel is dead and holds whatever locks it held; leaving it by an exception that says
    // why is kinder than the trap that would follow.
    panicked() {
      throw readPanic(ram, u32);
    },
  };
}

/** The time of day to a microsecond, which follows the host's clock when that is set. */
function hostRealtime(): () => number {
  let origin = performance.timeOrigin;
  let readings = 0;
  return () => {
    const ms = origin + performance.now();
    if ((++readings & 1023) !== 0) return ms;
    const now = Date.now();
    if (Math.abs(now - ms) < 50) return ms;
    origin += now - ms;
    return now;
  };
}
