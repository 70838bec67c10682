/**
 * The disks that the workloads start from: small file systems on a disk that was full of STALE bytes before, so
 * that a block that shows what it held shows it.
 */
import { MemoryDisk } from '../../host/devices/memory.ts';
import type { MkfsOptions } from '../../host/ext4/mkfs.ts';
import { mkfs } from '../../host/ext4/mkfs.ts';
import { bootSync } from '../../host/machine/boot.ts';
import type { Machine } from '../../host/machine/machine.ts';

export interface Format {
  readonly name: string;
  readonly sizeBytes: number;
  readonly mkfs: MkfsOptions;
  readonly options?: string;
  /** Copies of the superblock, one in each odd group? */
  readonly copies?: boolean;
}

const MIB = 2 ** 20;
const small = (more: MkfsOptions): MkfsOptions => ({
  inodes: 64,
  seed: 4,
  reservedPercent: 0,
  discard: false,
  ...more,
  features: [more.features ?? '', '^resize_inode'].filter(Boolean).join(),
});

export const FORMATS: readonly Format[] = [
  // two groups
  { name: '1k', sizeBytes: 9 * MIB, mkfs: small({ blockSize: 1024 }), copies: true },
  {
    name: '1k-nocsum',
    sizeBytes: 3 * MIB,
    mkfs: small({ blockSize: 1024, features: '^metadata_csum' }),
  },
  { name: '4k', sizeBytes: 9 * MIB, mkfs: small({ blockSize: 4096, features: 'orphan_file' }) },
  { name: 'ext3', sizeBytes: 3 * MIB, mkfs: small({ type: 'ext3', blockSize: 1024 }) },
  {
    name: '1k-commit1',
    sizeBytes: 3 * MIB,
    mkfs: small({ blockSize: 1024 }),
    options: 'commit=1',
  },
];

export const M = '/mnt';
/** In no content that a workload writes. */
export const STALE = 0xe5;

/** A kernel, compiled once, and what machines of it are like. */
export interface Kernel {
  readonly module: WebAssembly.Module;
  readonly flavour: 'up' | 'up-debug';
}

export function newMachine({ module, flavour }: Kernel): Machine {
  const machine = bootSync({
    module,
    flavour,
    ram: 8 << 20,
    seed: 1,
    clock: { type: 'virtual', epochSeconds: 1_700_000_000 },
  });
  machine.fs.mkdirSync(M, { recursive: true });
  return machine;
}

/** Text that is a function of a number: printable, without zeros and STALE. */
export function text(tag: number, lenBytes: number): Uint8Array {
  const bytes = new Uint8Array(lenBytes);
  for (let i = 0; i < lenBytes; i++) bytes[i] = 0x21 + ((tag * 41 + (i >>> 6) * 17 + i) % 89);
  return bytes;
}

/** The disk that a format's workloads start from, with a few old files on it, cleanly unmounted. */
export function makeBase(kernel: Kernel, format: Format): MemoryDisk {
  const disk = new MemoryDisk({ sizeBytes: format.sizeBytes });
  const piece = new Uint8Array(65536).fill(STALE);
  for (let off = 0; off < disk.sizeBytes; off += piece.length)
    disk.write(off, piece, 0, Math.min(piece.length, disk.sizeBytes - off));
  mkfs(disk, format.mkfs);
  const machine = newMachine(kernel);
  machine.attachDisk(disk);
  const { fs } = machine;
  const root = machine.process();
  root.mount('/dev/vbd0', M, 'ext4', 0, '');
  fs.writeFileSync(`${M}/a`, text(1, 3000));
  fs.writeFileSync(`${M}/b`, text(2, 9000));
  fs.mkdirSync(`${M}/d`);
  fs.writeFileSync(`${M}/d/c`, text(3, 1500));
  fs.mkdirSync(`${M}/empty`);
  fs.symlinkSync('a', `${M}/s`);
  root.umount(M);
  machine.shutdown();
  return disk;
}
