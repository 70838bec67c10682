/** The parts of assembly/testing/parts.ts on a machine of its own. */
import { SA_SIZE } from '../../../assembly/abi/layout.ts';
import type { Cpu } from '../../../host/machine/cpu.ts';
import type { KernelExports } from '../../../host/machine/exports.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { debugMachine } from './kit.ts';
import { testKernel } from './testkernel.ts';

type Fn = (...args: number[]) => number;

const NAMES = [
  ...['part_enter', 'part_leave', 'part_alone', 'part_alloc', 'part_kmalloc', 'part_free'],
  ...['zone_create', 'zone_alloc', 'zone_free', 'zone_live', 'zone_frames', 'zone_trim'],
  ...['page_alloc', 'page_free', 'page_run', 'page_run_free'],
  ...['radix_insert', 'radix_get', 'radix_remove', 'radix_next'],
  ...['array_grow', 'array_at', 'array_trim', 'array_free'],
  ...['lock_exclusive', 'lock_same', 'lock_shared', 'lock_try', 'lock_release', 'spin_lock', 'spin_unlock'],
  ...['fscache_size', 'range_shared', 'range_exclusive', 'range_second', 'range_release', 'range_held'],
  ...['word_add', 'uio_begin', 'uio_move', 'uio_skip', 'uio_resid', 'uio_off'],
  ...['cred_create', 'cred_copy', 'cred_ref', 'cred_drop', 'cred_in_group', 'cred_is_root', 'cred_uids'],
  ...[
    'cred_field',
    'file_alloc',
    'file_ref',
    'file_free',
    'files_open',
    'fd_free',
    'fd_prepare',
    'fd_install',
  ],
  ...['fd_file', 'fd_flags', 'fd_set_flags', 'fd_cloexec', 'fd_take'],
  ...['sysctl_number', 'sysctl_forget', 'sysctl_at', 'sysctl_text', 'sysctl_from', 'sysctl_parse'],
  ...['sysctl_part_end', 'sysctl_same_prefix', 'opt_next', 'opt_number', 'opt_size'],
  ...['reclaim_to', 'reclaim_all'],
  ...['text_number', 'random_next', 'random_fill'],
] as const;

/** By name; addresses come as the kernel's i32s: see {@link Parts.address}. */
export type PartCalls = Record<(typeof NAMES)[number], Fn>;

export class Parts {
  readonly machine: Machine;
  readonly cpu: Cpu;
  readonly kernel: KernelExports;
  readonly call: PartCalls;

  /** The CPU is inside the kernel until {@link close}. */
  constructor(flavour: Flavour, ram = 8 << 20, seed = 7) {
    this.machine = debugMachine({ flavour, ram, seed, module: testKernel('parts', flavour) });
    this.cpu = this.machine.cpu;
    this.kernel = this.cpu.exports;
    this.call = this.kernel as unknown as PartCalls;
    this.call.part_enter();
  }

  /** Memory for a struct, zeroed. */
  struct(bytes: number): number {
    const at = this.call.part_alloc(bytes) >>> 0;
    if (at === 0) throw new Error('no memory for a struct');
    return at;
  }

  word(at: number): number {
    return this.cpu.u32[at >>> 2];
  }

  /** Put a text into the syscall area; its address. */
  text(text: string): number {
    this.cpu.u8.set(Buffer.from(text), this.scratch);
    return this.scratch;
  }

  /** Everything that was made has been freed: leave, shut down, which counts what is left. */
  close(): void {
    this.call.part_leave();
    this.machine.shutdown();
  }

  /** Room in the syscall area, which nothing uses meanwhile. */
  get scratch(): number {
    return this.cpu.area;
  }

  static readonly SCRATCH_BYTES = SA_SIZE;
}
