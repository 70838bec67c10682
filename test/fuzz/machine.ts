import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EDEADLK, EFAULT, EIO } from '../../assembly/abi/errno.ts';
import {
  BB_FRAMES_FREE,
  BB_PANIC_LEN,
  BB_PANIC_MAX,
  BB_PANIC_MSG,
  BOOTBLOCK,
  CPU_AREA_OFFSET,
  CPU_RUNNABLE,
  IOV_SIZE,
  PAGE_SIZE,
  SA_DATA,
  SA_IOV,
  WASM_PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import { IOV_MAX } from '../../assembly/abi/flags.ts';
import type { KernelExports, KernelImports } from '../../host/machine/exports.ts';
import { repositoryRoot } from '../oracle/root.ts';
import { type Call, type ExportName, type Trouble, writePatches } from './call.ts';

/**
 * The hardware of a machine under fuzzing: it watches what the kernel does to it. The kernel must
 * ask only for host memory that the call in progress was given, must not leave RAM, and must
 * refuse to be entered again from within.
 */

export interface MachineOptions {
  /** Which artefact of build/kernel. */
  flavour: string;
  ramBytes: number;
  seed: number;
}

/** Something that must never happen did. */
export class Violation extends Error {
  override name = 'Violation';
}

/** Sizes of the host buffers by their space number; any other number is no buffer. */
export const SPACE_BYTES = [65536, 4096, 16, 1 << 20] as const;
/** Commands and numbers that the files of /proc understand, each at the start of a slot of this space. */
export const TEXT_SPACE = 4;
export const TEXT_SLOT = 64;
export const TEXTS = [
  'on /',
  'on /f',
  'on all',
  'off /',
  'off all',
  'clear',
  'on /f/m0',
  'fuzz\n',
  '64',
  '100\n',
  '5000',
  'nonsense',
] as const;

const EPOCH_SECONDS = 1_700_000_000;
const modules = new Map<string, WebAssembly.Module>();

function kernelModule(flavour: string): WebAssembly.Module {
  let module = modules.get(flavour);
  if (!module) {
    module = new WebAssembly.Module(readFileSync(join(repositoryRoot, 'build/kernel', `${flavour}.wasm`)));
    modules.set(flavour, module);
  }
  return module;
}

interface Range {
  space: number;
  addr: number;
  len: number;
}

/** Where a call's arguments say which buffer it may use: indices of space, address and length. */
const BUFFER_ARGS: Partial<Record<ExportName, readonly [number, number, number]>> = {
  sys_read: [1, 2, 3],
  sys_write: [1, 2, 3],
  sys_pread: [1, 2, 3],
  sys_pwrite: [1, 2, 3],
  sys_getxattr: [4, 5, 6],
  sys_setxattr: [4, 5, 6],
  sys_listxattr: [3, 4, 5],
  sys_fgetxattr: [2, 3, 4],
  sys_fsetxattr: [2, 3, 4],
  sys_flistxattr: [1, 2, 3],
};
const VECTORED: ReadonlySet<ExportName> = new Set(['sys_readv', 'sys_writev', 'sys_preadv', 'sys_pwritev']);
/** What an ioctl here reads or writes at its address: an int. */
const IOCTL_BYTES = 4;

/** What the host buffers hold at first: bytes that differ from their neighbours, and the texts. */
const CONTENTS: readonly Uint8Array[] = (() => {
  const buffers: Uint8Array[] = SPACE_BYTES.map((size) => new Uint8Array(size).map((_, i) => i * 7));
  const texts = new Uint8Array(TEXT_SLOT * TEXTS.length);
  for (const [i, text] of TEXTS.entries()) texts.set(new TextEncoder().encode(text), TEXT_SLOT * i);
  buffers[TEXT_SPACE] = texts;
  return buffers;
})();

export class FuzzMachine {
  readonly kernel: KernelExports;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
  area = 0;
  readonly #spaces = CONTENTS.map((bytes) => bytes.slice());
  #allowed: Range[] = [];
  #trouble: Trouble | undefined;
  #copies = 0;
  #violation: string | undefined;

  constructor(options: MachineOptions) {
    const pages = options.ramBytes / WASM_PAGE_SIZE;
    const shared = options.flavour.startsWith('smp');
    const memory = new WebAssembly.Memory({ initial: pages, maximum: shared ? 65535 : pages, shared });
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    const imports = { env: { memory }, host: { ...this.#imports() } };
    const instance = new WebAssembly.Instance(kernelModule(options.flavour), imports);
    this.kernel = instance.exports as unknown as KernelExports;
    this.#must(this.kernel.machine_boot(options.seed, 1, 1, EPOCH_SECONDS), 'machine_boot');
    this.#must(this.kernel.cpu_attach(), 'cpu_attach');
    this.area = this.kernel.cpu_area() >>> 0;
    this.#must(this.kernel.machine_start(), 'machine_start');
  }

  #must(result: number, what: string): void {
    if (result < 0) throw new Violation(`${what}: ${result}`);
  }

  #imports(): KernelImports {
    return {
      copyin: (space, uaddr, kaddr, len) =>
        this.#copy(false, space >>> 0, uaddr >>> 0, kaddr >>> 0, len >>> 0),
      copyout: (space, uaddr, kaddr, len) =>
        this.#copy(true, space >>> 0, uaddr >>> 0, kaddr >>> 0, len >>> 0),
      clock_read: () => this.#wrong('a machine with a virtual clock read the host’s'),
      entropy: () => this.#wrong('a seeded machine asked for entropy'),
      console_write: (kaddr, len) => {
        this.#inRam(kaddr >>> 0, len >>> 0);
        return this.#trouble?.kind === 'console' ? Math.min(this.#trouble.result, len) : len;
      },
      disk_strategy: () => {
        this.#wrong('a machine without disks asked for one');
        return 0;
      },
      panicked: () => {},
    };
  }

  /** Nothing may unwind through the kernel: what is wrong is thrown when the call has ended. */
  #wrong(what: string): void {
    this.#violation ??= what;
  }

  #inRam(kaddr: number, len: number): void {
    if (kaddr + len > this.u8.length) this.#wrong(`${len} bytes at ${kaddr} are not in RAM`);
  }

  #copy(out: boolean, space: number, uaddr: number, kaddr: number, len: number): number {
    this.#copies++;
    this.#inRam(kaddr, len);
    const inside = this.#allowed.some(
      (range) => range.space === space && uaddr >= range.addr && uaddr + len <= range.addr + range.len,
    );
    if (!inside)
      this.#wrong(`${out ? 'copyout' : 'copyin'} of ${len} bytes at ${space}:${uaddr} was not asked for`);
    if (this.#trouble?.kind === 'copy' && this.#trouble.nth === this.#copies) return EIO;
    if (this.#trouble?.kind === 'reenter' && this.#copies === 1) this.#enterAgain(this.#trouble.name);
    const buffer = this.#spaces[space];
    if (!buffer || uaddr + len > buffer.length) return EFAULT;
    if (out) buffer.set(this.u8.subarray(kaddr, kaddr + len), uaddr);
    else this.u8.set(buffer.subarray(uaddr, uaddr + len), kaddr);
    return 0;
  }

  #enterAgain(name: ExportName): void {
    const result = (this.kernel[name] as () => number)();
    if (result !== -EDEADLK) this.#wrong(`${name} within a call gave ${result}, not EDEADLK`);
  }

  #ranges({ name, args }: Call): Range[] {
    const at = BUFFER_ARGS[name];
    if (at) return [{ space: args[at[0]] >>> 0, addr: args[at[1]] >>> 0, len: args[at[2]] >>> 0 }];
    if (name === 'sys_ioctl') return [{ space: args[2] >>> 0, addr: args[3] >>> 0, len: IOCTL_BYTES }];
    if (!VECTORED.has(name)) return [];
    const count = Math.min(args[1] >>> 0, IOV_MAX);
    return Array.from({ length: count }, (_, i) => {
      const iov = (this.area + SA_IOV + IOV_SIZE * i) / 4;
      return { space: this.u32[iov], addr: this.u32[iov + 1], len: this.u32[iov + 2] };
    });
  }

  /**
   * Make the call.
   * @throws Violation when the kernel trapped, panicked, left what it was given, or gave no integer
   */
  perform(call: Call): number {
    writePatches(this, this.area, call);
    this.#allowed = this.#ranges(call);
    this.#trouble = call.trouble;
    this.#copies = 0;
    let result: number;
    try {
      result = (this.kernel[call.name] as (...args: number[]) => number)(...call.args);
    } catch (error) {
      const panic = this.panicMessage();
      throw new Violation(panic === '' ? String(error) : `panic: ${panic}`, { cause: error });
    }
    this.#trouble = undefined;
    if (this.#violation !== undefined) throw new Violation(this.#violation);
    if (!Number.isInteger(result)) throw new Violation(`${call.name} gave ${result}`);
    return result;
  }

  #word(offset: number): number {
    return this.u32[(BOOTBLOCK + offset) >>> 2];
  }

  get framesFree(): number {
    return this.#word(BB_FRAMES_FREE);
  }

  get runnable(): number {
    return this.u32[(this.area - CPU_AREA_OFFSET + CPU_RUNNABLE) >>> 2];
  }

  dataWord(index: number): number {
    return this.u32[((this.area + SA_DATA) >>> 2) + index];
  }

  dataDouble(): number {
    return this.view.getFloat64(this.area + SA_DATA, true);
  }

  panicMessage(): string {
    const length = Math.min(this.#word(BB_PANIC_LEN), BB_PANIC_MAX);
    const start = BOOTBLOCK + BB_PANIC_MSG;
    return Buffer.from(this.u8.slice(start, start + length)).toString('latin1');
  }

  /** The kernel's log: the page behind the boot block, without the ring's unused rest. */
  log(): string {
    const bytes = this.u8.slice(BOOTBLOCK + PAGE_SIZE, BOOTBLOCK + 2 * PAGE_SIZE);
    return Buffer.from(bytes).toString('latin1').replaceAll('\0', '').trim();
  }
}
