/**
 * Snapshots: the frames of RAM in use, and what it takes to make the same machine of them again.
 *
 * Everything a machine is lies in its RAM, so a snapshot is a copy of it less the free frames
 * (PG_FREE in the kernel's page table). It belongs to the build whose kernel wrote it: another
 * build may lay its structures out otherwise, so `kernel` is that module's hash and is compared.
 */
import {
  BB_FRAMES_FREE,
  BB_FRAMES_TOTAL,
  BB_PAGES,
  BOOTBLOCK,
  PAGE_SIZE,
  PG_FREE,
  PG_FLAGS,
  VMPAGE_SIZE,
} from '../../assembly/abi/layout.ts';
import type { Cpu } from './cpu.ts';
import type { Flavour } from './kernels.ts';

export interface Snapshot {
  readonly format: 1;
  readonly flavour: Flavour;
  /** SHA-256 of the kernel module, hexadecimal. */
  readonly kernel: string;
  readonly ramBytes: number;
  /** Process whose `fs` is the machine's. */
  readonly fsPid: number;
  readonly virtualClock: boolean;
  /** Number of each frame kept, ascending. */
  readonly frames: Uint32Array;
  /** Their bytes, one after the other. */
  readonly bytes: Uint8Array;
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
  const { format, ramBytes, frames, bytes } = snapshot;
  if (format !== 1) throw new Error(`snapshot of format ${format}: this version reads format 1`);
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
