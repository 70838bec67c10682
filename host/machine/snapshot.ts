/**
 * Snapshots: the frames of RAM in use, and what it takes to make the same machine of them again.
 *
 * Everything a machine is lies in its RAM, so a snapshot is a copy of it less the free frames
 * (PG_FREE in the kernel's page table). It belongs to the build whose kernel wrote it: another
 * build may lay its structures out otherwise, so `kernel` is that module's hash and is compared.
 */
import {
  ABI_VERSION,
  BB_FLAVOUR,
  BB_FRAMES_FREE,
  BB_FRAMES_TOTAL,
  BB_MAGIC,
  BB_PAGES,
  BB_STATE,
  BB_VERSION,
  BOOT_MAGIC,
  BOOTBLOCK,
  FLAVOUR_DEBUG,
  FLAVOUR_SMP,
  MACHINE_STOPPED,
  PAGE_SIZE,
  PG_FREE,
  PG_FLAGS,
  RAM_MAX_BYTES,
  RAM_MIN_BYTES,
  VMPAGE_SIZE,
  WASM_PAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import { FLAVOURS } from '#kernels';
import type { Cpu } from './cpu.ts';
import { checkSnapshotDisks, type SnapshotDisk } from './disks.ts';
import type { Flavour } from './kernels.ts';

export interface Snapshot {
  readonly format: 1;
  readonly flavour: Flavour;
  /** Which build of the kernel it is: the SHA-256 that the build put into its module. */
  readonly kernel: string;
  readonly ramBytes: number;
  /** Process whose `fs` is the machine's. */
  readonly fsPid: number;
  readonly virtualClock: boolean;
  /** Number of each frame kept, ascending. */
  readonly frames: Uint32Array;
  /** Their bytes, one after the other. */
  readonly bytes: Uint8Array;
  /** Its disks, in the order of their slots. */
  readonly disks?: readonly SnapshotDisk[];
}

const word = (offset: number) => (BOOTBLOCK + offset) >>> 2;

/** The frames in use, in runs of [first, end). */
export function* framesInUse(cpu: Cpu): Generator<[number, number]> {
  const { u32 } = cpu;
  const total = u32[word(BB_FRAMES_TOTAL)];
  const flags = (u32[word(BB_PAGES)] + PG_FLAGS) >>> 2;
  const stride = VMPAGE_SIZE >>> 2;
  let first = -1;
  for (let frame = 0; frame < total; frame++) {
    const used = u32[flags + frame * stride] !== PG_FREE;
    if (used && first < 0) first = frame;
    if (!used && first >= 0) {
      yield [first, frame];
      first = -1;
    }
  }
  if (first >= 0) yield [first, total];
}

/** Copy the frames in use. The machine is stopped. */
export function copyFrames(cpu: Cpu): { frames: Uint32Array; bytes: Uint8Array } {
  const { u8, u32 } = cpu;
  const count = u32[word(BB_FRAMES_TOTAL)] - u32[word(BB_FRAMES_FREE)];
  const frames = new Uint32Array(count);
  const bytes = new Uint8Array(count * PAGE_SIZE);
  let n = 0;
  for (const [first, end] of framesInUse(cpu)) {
    bytes.set(u8.subarray(first * PAGE_SIZE, end * PAGE_SIZE), n * PAGE_SIZE);
    for (let frame = first; frame < end; frame++) frames[n++] = frame;
  }
  return { frames, bytes };
}

/** Check what may have come from anywhere. Throws an Error that says what is wrong. */
export function checkSnapshot(snapshot: Snapshot): void {
  const { format, flavour, ramBytes, frames, bytes, disks = [] } = snapshot;
  if (format !== 1) throw new Error(`snapshot of format ${format}: this version reads format 1`);
  if (!FLAVOURS.includes(flavour)) throw new Error(`snapshot is damaged: there is no flavour ${flavour}`);
  if (!(ramBytes >= RAM_MIN_BYTES && ramBytes <= RAM_MAX_BYTES && ramBytes % WASM_PAGE_SIZE === 0)) {
    throw new Error(`snapshot is damaged: no machine has ${ramBytes} bytes of RAM`);
  }
  if (
    !(frames instanceof Uint32Array) ||
    !(bytes instanceof Uint8Array) ||
    bytes.length !== frames.length * PAGE_SIZE
  ) {
    throw new Error('snapshot is damaged: frame list and bytes do not match');
  }
  let last = -1;
  for (const frame of frames) {
    if (frame <= last || frame >= ramBytes / PAGE_SIZE)
      throw new Error(`snapshot is damaged: bad frame ${frame}`);
    last = frame;
  }
  checkSnapshotDisks(disks);
}

/** Check that the RAM laid out is a stopped machine's, of the flavour and size told. */
export function checkBootBlock({ u32 }: Cpu, { flavour, ramBytes }: Snapshot): void {
  const bits =
    (flavour.startsWith('smp') ? FLAVOUR_SMP : 0) | (flavour.endsWith('-debug') ? FLAVOUR_DEBUG : 0);
  const holds = (field: number, value: number) => u32[word(field)] === value;
  const must = (condition: boolean, otherwise: string) => {
    if (!condition) throw new Error(`snapshot is damaged: ${otherwise}`);
  };
  must(holds(BB_MAGIC, BOOT_MAGIC), 'it has no boot block');
  must(holds(BB_VERSION, ABI_VERSION), 'its boot block is of another version');
  must(holds(BB_FLAVOUR, bits), `the machine is not of flavour ${flavour}`);
  must(holds(BB_FRAMES_TOTAL, ramBytes / PAGE_SIZE), `the machine has not ${ramBytes} bytes of RAM`);
  must(holds(BB_STATE, MACHINE_STOPPED), 'the machine was not stopped');
}

/** Lay the frames into fresh RAM. */
export function layFrames(memory: WebAssembly.Memory, { frames, bytes }: Snapshot): void {
  const ram = new Uint8Array(memory.buffer);
  for (let i = 0; i < frames.length; ) {
    let end = i + 1;
    while (end < frames.length && frames[end] === frames[end - 1] + 1) end++;
    ram.set(bytes.subarray(i * PAGE_SIZE, end * PAGE_SIZE), frames[i] * PAGE_SIZE);
    i = end;
  }
}
