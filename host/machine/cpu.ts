/**
 * A CPU: one instance of the kernel module, the views of the RAM it runs on, and what the kernel
 * imports from its host: copies between RAM and the callers' buffers, the clock, entropy, console.
 *
 * RAM never grows, so the views are made once and stay good. `spaces` names the buffers that
 * copyin and copyout reach: the first CALL_SPACES belong to the call being made, slot 0 to its
 * only buffer; a guest that stays (a WASI program's memory) takes one above.
 */
import { BIO_SIZE, DISK_MAX } from '../../assembly/abi/disk.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME, IOV_MAX } from '../../assembly/abi/flags.ts';
import { EFAULT, EIO, ESRCH } from '../../assembly/abi/errno.ts';
import {
  BB_FRAMES_FRESH,
  BB_PANIC_LEN,
  BB_STATE,
  BOOTBLOCK,
  CPU_AREA_OFFSET,
  CPU_KERNEL,
  CPU_RUNNABLE,
  CPU_TABLE,
  MACHINE_DEAD,
  NCPU_MAX,
  PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import type { KernelExports, KernelImports } from './exports.ts';
import { type KernelPanic, mapStack, readPanic, recordPanic, type SourceLookup } from './panic.ts';
import { Scheduler } from './sched.ts';
import { type DiskPort, makeStrategy, warmUpStrategy } from './strategy.ts';

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
  /** Calls that must wait for another CPU block this thread until they may go on. Default false: they are EDEADLK. */
  mayWait?: boolean;
}

const STATE = (BOOTBLOCK + BB_STATE) >>> 2;
const PANIC_LEN = (BOOTBLOCK + BB_PANIC_LEN) >>> 2;

export class Cpu {
  readonly memory: WebAssembly.Memory;
  u8: Uint8Array;
  i32: Int32Array;
  u32: Uint32Array;
  f64: Float64Array;
  /** Pass these as the instance's imports, beside the memory. */
  readonly imports: KernelImports;
  /** The buffers that copyin and copyout may reach, by space number. */
  readonly spaces: Uint8Array[] = [];
  /** The disks, by slot. */
  readonly disks: (DiskPort | undefined)[] = new Array(DISK_MAX).fill(undefined);
  /** Virtual time that the request in progress took, by what `Machine.elapse` was told. */
  elapsedUs = 0;
  readonly scheduler: Scheduler;
  readonly options: CpuOptions;
  /** CLOCK_REALTIME in ms, which is also what deadlines are counted on. */
  readonly realtimeMs: () => number;
  /** The process last chosen with proc_switch; 0 when that is not known. */
  pid = 0;
  /** Byte address of the syscall area. */
  area = 0;
  /** Index in {@link u32} of this CPU's c_state; before it is attached, of a word that is always 0. */
  state = 0;
  /** Index in {@link u32} of the count of what it should look at (CPU_RUNNABLE); before that, as {@link state}. */
  news = 0;
  /** Its number among the machine's CPUs; -1 before it is attached. */
  number = -1;
  #exports: KernelExports | undefined;
  #raw: WebAssembly.Exports = {};
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
    warmUp();
    this.imports = makeImports(this);
    this.scheduler = new Scheduler(this);
  }

  /** The kernel's exports. */
  get exports(): KernelExports {
    if (this.#exports === undefined) throw new Error('this CPU has no kernel yet');
    return this.#exports;
  }

  /** The first index of the kernel's function table that is not the kernel's own. */
  tableBase = 0;

  /** What the instance itself exports: for a gate, whose calls are WebAssembly's own. See {@link guest}. */
  get raw(): WebAssembly.Exports {
    return this.#raw;
  }

  /**
   * Let a WASI guest run. What it throws passes; what unwinds through the kernel, which the guest has
   * called without a guard, is a panic.
   */
  guest<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw this.unwinding(error);
    }
  }

  /** The error to throw for one that came out of a guest. */
  unwinding(error: unknown): unknown {
    if (this.u32[this.state] === CPU_KERNEL) this.u32[STATE] = MACHINE_DEAD;
    return this.#unwound(error);
  }

  /** The exports of an instance made with {@link imports}, before the machine is booted. */
  connect(exports: KernelExports): void {
    this.#raw = exports as unknown as WebAssembly.Exports;
    this.tableBase = (this.#raw.table as WebAssembly.Table | undefined)?.length ?? 0;
    this.#exports = guarded(this, exports, (error) => this.#unwound(error));
  }

  /** What a call threw: a stack overflow met by the kernel's probe passes; all else is a panic. */
  #unwound(error: unknown): unknown {
    const { u8, u32 } = this;
    if (u32[STATE] !== MACHINE_DEAD) return error;
    if (u32[PANIC_LEN] === 0)
      recordPanic(u8, u32, `unwound through the kernel: ${error instanceof Error ? error.message : error}`);
    this.wakeOthers();
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
    if (number >= 0) this.#attached(number);
    return number;
  }

  /** Take over a CPU whose area is in RAM already (a snapshot's). Its number or a negated errno. */
  adopt(number: number): number {
    const result = this.exports.cpu_adopt(number);
    if (result >= 0) this.#attached(result);
    return result;
  }

  #attached(number: number): void {
    this.number = number;
    this.area = this.exports.cpu_area() >>> 0;
    this.state = (this.area - CPU_AREA_OFFSET) >>> 2;
    this.news = (this.area - CPU_AREA_OFFSET + CPU_RUNNABLE) >>> 2;
    this.pid = 0;
  }

  /**
   * Let go of the machine for good, so that its RAM can be another's. Functions kept from before get
   * ESRCH, as if their process were gone; and this instance, no CPU any more, refuses what they
   * would still call in it.
   * @returns how many bytes of RAM were ever in use; those above are zeros still
   */
  retire(): number {
    const usedBytes = this.u32[(BOOTBLOCK + BB_FRAMES_FRESH) >>> 2] * PAGE_SIZE;
    this.exports.cpu_detach();
    this.#raw = {};
    const calls = this.exports as unknown as Record<string, Call>;
    for (const name of Object.keys(calls)) calls[name] = refuse;
    this.pid = 0;
    this.state = 0;
    this.news = 0;
    this.spaces.length = 0;
    this.u8 = NOTHING;
    this.i32 = new Int32Array(0);
    this.u32 = new Uint32Array(0);
    this.f64 = new Float64Array(0);
    return usedBytes;
  }

  /** The kernel log: the last KLOG_SIZE bytes written to it. */
  log(): string {
    const start = BOOTBLOCK + PAGE_SIZE;
    let text = '';
    const end = Math.min(start + PAGE_SIZE, this.u8.length);
    for (let i = start; i < end && this.u8[i] !== 0; i++) text += String.fromCharCode(this.u8[i]);
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
    return this.u32[this.news] !== 0;
  }

  /** Is its RAM shared, so that other threads may be CPUs of the machine too? */
  get shared(): boolean {
    return !(this.memory.buffer instanceof ArrayBuffer);
  }

  /** The numbers of the machine's CPUs, in order. */
  get attached(): number[] {
    const first = CPU_TABLE >>> 2;
    return [...this.u32.subarray(first, first + NCPU_MAX)].flatMap((area, i) => (area === 0 ? [] : [i]));
  }

  /** The machine died here, where no kernel code could tell the others: those that wait are woken to see it. */
  wakeOthers(): void {
    if (!this.shared) return;
    const first = CPU_TABLE >>> 2;
    for (const cpu of this.u32.slice(first, first + NCPU_MAX)) {
      if (cpu !== 0) Atomics.notify(this.i32, (cpu + CPU_RUNNABLE) >>> 2);
    }
  }

  /** The panic that killed the machine, if one did. */
  get panic(): KernelPanic | undefined {
    return this.u32[STATE] === MACHINE_DEAD ? readPanic(this.u8, this.u32) : undefined;
  }
}

type Call = (...args: number[]) => number;

/** What is left of a call when the machine is gone. */
const refuse: Call = () => -ESRCH;

/**
 * The exports, each behind a catch: whatever unwinds through the kernel is told to `unwound`. The machine is
 * marked dead before that: there may be too little of the stack left for a function to be called.
 */
function guarded(cpu: Cpu, exports: KernelExports, unwound: (error: unknown) => unknown): KernelExports {
  const calls: Record<string, Call> = {};
  for (const [name, call] of Object.entries(exports)) {
    // a gate's alone, which takes them as they are
    if (name.startsWith('wasi_')) continue;
    if (typeof call === 'function') calls[name] = guard(cpu, call as Call, unwound);
  }
  return calls as unknown as KernelExports;
}

/** By number of parameters, so that the engine sees plain calls and inlines them. */
function guard(cpu: Cpu, call: Call, unwound: (error: unknown) => unknown): Call {
  const { u32 } = cpu;
  // An import's value may be had by a call, as where modules are transformed.
  const [inside, dead] = [CPU_KERNEL, MACHINE_DEAD];
  switch (call.length) {
    case 0:
    case 1:
    case 2:
      return (a, b) => {
        try {
          return call(a, b);
        } catch (error) {
          if (u32[cpu.state] === inside) u32[STATE] = dead;
          throw unwound(error);
        }
      };
    case 3:
    case 4:
      return (a, b, c, d) => {
        try {
          return call(a, b, c, d);
        } catch (error) {
          if (u32[cpu.state] === inside) u32[STATE] = dead;
          throw unwound(error);
        }
      };
    case 5:
      return (a, b, c, d, e) => {
        try {
          return call(a, b, c, d, e);
        } catch (error) {
          if (u32[cpu.state] === inside) u32[STATE] = dead;
          throw unwound(error);
        }
      };
    default:
      return (...args) => {
        try {
          return call(...args);
        } catch (error) {
          if (u32[cpu.state] === inside) u32[STATE] = dead;
          throw unwound(error);
        }
      };
  }
}

const NOTHING = new Uint8Array(0);

/** Shorter copies are cheaper byte by byte than through a view. */
const BYTEWISE = 32;

/** What the imports work on: a Cpu, or what {@link warmUp} lends them. */
type Hardware = Pick<Cpu, 'u8' | 'u32' | 'f64' | 'options' | 'spaces' | 'disks' | 'elapsedUs' | 'realtimeMs'>;

let warm = false;

/** Room for what the imports copy there. */
const WARM_RAM = 1024;

/**
 * Call each import once, on memory of its own. An engine compiles a function when it is first called,
 * which takes far more stack than the kernel's probe leaves for calling it.
 */
function warmUp(): void {
  if (warm) return;
  warm = true;
  const u8 = new Uint8Array(WARM_RAM + BIO_SIZE);
  const hardware: Hardware = {
    u8,
    u32: new Uint32Array(u8.buffer),
    f64: new Float64Array(u8.buffer),
    options: { console: () => undefined },
    spaces: [],
    disks: [],
    elapsedUs: 0,
    realtimeMs: hostRealtime(),
  };
  const imports = makeImports(hardware);
  hardware.spaces[0] = new Uint8Array(64);
  for (const length of [1, 64, 1000]) {
    imports.copyin(0, 0, 0, length);
    imports.copyout(0, 0, 0, length);
  }
  imports.clock_read(CLOCK_MONOTONIC, 0);
  imports.clock_read(CLOCK_REALTIME, 0);
  imports.entropy(0, 16);
  imports.console_write(0, 16);
  warmUpStrategy(imports.disk_strategy, hardware, WARM_RAM);
}

// These run inside every read and write: straight lines over captured constants. None of them
// lets an exception into the kernel, except `panicked`, after which nothing runs there again.
function makeImports(cpu: Hardware): KernelImports {
  const { u8: ram, u32, f64, options, spaces } = cpu;
  for (let space = 0; space < CALL_SPACES; space++) spaces.push(NOTHING);
  const { realtimeMs } = cpu;
  const monotonicMs = options.monotonicMs ?? now;
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
    disk_strategy: makeStrategy(cpu, cpu.disks),
    // The kernel is dead and holds whatever locks it held; leaving it by an exception that says
    // why is kinder than the trap that would follow.
    panicked() {
      throw readPanic(ram, u32);
    },
  };
}

// The host's clock, also where tests have replaced the globals by fake ones.
const now = performance.now.bind(performance);
const today = Date.now;

/** The time of day to a microsecond, which follows the host's clock when that is set. */
function hostRealtime(): () => number {
  let origin = performance.timeOrigin;
  let readings = 0;
  return () => {
    const ms = origin + now();
    if ((++readings & 1023) !== 0) return ms;
    const date = today();
    if (Math.abs(date - ms) < 50) return ms;
    origin += date - ms;
    return date;
  };
}
