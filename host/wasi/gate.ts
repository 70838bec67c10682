/**
 * A gate: one guest's instance of one of the modules that assembly/gate.mjs makes, connected to the
 * guest's memory on one side and to a CPU's kernel on the other.
 *
 * The kernel reaches the guest's memory by the gate's copyin and copyout, which are put into the
 * kernel's function table where the kernel has told (WC_SLOT). A gate that is closed leaves there
 * what refuses every copy.
 */
import { EFAULT } from '../../assembly/abi/errno.ts';
import { GUEST_SLOTS } from '../../assembly/abi/wasi.ts';
import type { Cpu } from '../machine/cpu.ts';
import { type GateKind, gateKind, gateModule, gateName } from './modules.ts';

/** What a gate asks of its host. */
export interface GateHost {
  /** A call waits: the Lwp that may go on, or 0 when the call is to be issued again as it is. */
  readonly wait: WebAssembly.ImportValue;
  /** The process is gone, or the machine: throws. */
  gone(result: number): void;
  /** The guest is done: throws. */
  exit(code: number): void;
  /** sched_yield. */
  yield(): void;
}

export interface GateOptions {
  cpu: Cpu;
  /** The guest's address in RAM (WC_GUEST) and its place in the kernel's table (WC_SLOT). */
  guest: number;
  slot: number;
  memory: WebAssembly.Memory;
  kind: GateKind;
  host: GateHost;
}

/** The functions that a guest imports, which work as soon as a gate is behind them. */
export class Trampoline {
  readonly functions: WebAssembly.ModuleImports;
  readonly #table: WebAssembly.Table;

  constructor() {
    const { exports } = new WebAssembly.Instance(gateModule('guest'));
    const { table, ...functions } = exports;
    this.functions = functions as WebAssembly.ModuleImports;
    this.#table = table as WebAssembly.Table;
  }

  /** Its names in the order of its table. */
  connect(gate: WebAssembly.Exports): void {
    const names = WebAssembly.Module.exports(gateModule('guest')).filter(({ kind }) => kind === 'function');
    for (const [i, { name }] of names.entries()) this.#table.set(i, gate[name] as unknown as () => void);
  }
}

/** @throws RangeError for a gate that this engine cannot have */
export function kindOf(wanted: GateKind | undefined): GateKind {
  if (wanted === 'multi-memory' && gateKind !== wanted) {
    throw new RangeError('this engine has no several memories in one module');
  }
  return wanted ?? gateKind;
}

/** Make a gate and put it behind the kernel's table. Its exports are WASI's functions. */
export function openGate(options: GateOptions): WebAssembly.Exports {
  const { cpu, guest, slot, memory, kind, host } = options;
  const instance = new WebAssembly.Instance(gateModule(gateName(kind, memory, cpu.memory)), {
    memory: { guest: memory, kernel: cpu.memory },
    kernel: cpu.raw as WebAssembly.ModuleImports,
    host: {
      guest: new WebAssembly.Global({ value: 'i32' }, guest),
      ...host,
      gone: (result: number) => host.gone(result),
      exit: (code: number) => host.exit(code),
      yield: () => host.yield(),
      ...(kind === 'js' ? jsCopies(cpu.u8, memory) : {}),
    } as WebAssembly.ModuleImports,
  });
  const { copyin, copyout, ...functions } = instance.exports;
  install(cpu, slot, copyin, copyout);
  return functions;
}

/** The guest is gone: its place in the table refuses, and keeps nothing alive. */
export function closeGate(cpu: Cpu, slot: number): void {
  const { copyin, copyout } = refusal();
  install(cpu, slot, copyin, copyout);
}

function install(cpu: Cpu, slot: number, copyin: unknown, copyout: unknown): void {
  const table = cpu.raw.table as WebAssembly.Table | undefined;
  // the machine was shut down
  if (table === undefined) return;
  if (table.length < slot + GUEST_SLOTS) table.grow(slot + GUEST_SLOTS - table.length);
  table.set(slot, copyin as () => void);
  table.set(slot + 1, copyout as () => void);
}

let refusing: WebAssembly.Exports | undefined;

/** A gate to an empty memory. */
function refusal(): WebAssembly.Exports {
  if (refusing !== undefined) return refusing;
  const nothing = () => 0;
  const names = WebAssembly.Module.imports(gateModule('uj')).filter(({ module }) => module === 'kernel');
  const instance = new WebAssembly.Instance(gateModule('uj'), {
    memory: { guest: new WebAssembly.Memory({ initial: 0 }) },
    kernel: Object.fromEntries(names.map(({ name }) => [name, nothing])),
    host: {
      guest: new WebAssembly.Global({ value: 'i32' }, 0),
      wait: nothing,
      gone: nothing,
      exit: nothing,
      yield: nothing,
      copyin: () => EFAULT,
      copyout: () => EFAULT,
    },
  });
  refusing = instance.exports;
  return refusing;
}

/** Shorter copies are cheaper byte by byte than through a view. */
const BYTEWISE = 32;

/**
 * The copies of a gate without multi-memory. That the bytes lie in the guest's memory the gate has
 * checked; a memory that grew has a new buffer, and this one is looked for when the old is too small.
 */
function jsCopies(ram: Uint8Array, memory: WebAssembly.Memory): WebAssembly.ModuleImports {
  let bytes = new Uint8Array(memory.buffer);
  const reach = (end: number): Uint8Array => {
    if (end > bytes.length) bytes = new Uint8Array(memory.buffer);
    return bytes;
  };
  const copies = {
    copyin(u: number, k: number, len: number): number {
      const at = u >>> 0;
      const to = k >>> 0;
      const size = len >>> 0;
      const from = at + size > bytes.length ? reach(at + size) : bytes;
      if (size <= BYTEWISE) for (let i = 0; i < size; i++) ram[to + i] = from[at + i];
      else ram.set(from.subarray(at, at + size), to);
      return 0;
    },
    copyout(u: number, k: number, len: number): number {
      const at = u >>> 0;
      const from = k >>> 0;
      const size = len >>> 0;
      const to = at + size > bytes.length ? reach(at + size) : bytes;
      if (size <= BYTEWISE) for (let i = 0; i < size; i++) to[at + i] = ram[from + i];
      else to.set(ram.subarray(from, from + size), at);
      return 0;
    },
  };
  warmUp(copies.copyin, copies.copyout);
  return copies as unknown as WebAssembly.ModuleImports;
}

/** An engine compiles a function when it is first called, for which the kernel's probe leaves too little stack. */
function warmUp(...copies: ((u: number, k: number, len: number) => number)[]): void {
  for (const copy of copies) copy(0, 0, 0);
}
