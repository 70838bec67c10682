/** The sound images that are damaged, and what is in them. */
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { mkfs, type MkfsOptions } from '../../host/ext4/mkfs.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { type Kernel, M, newMachine, text } from '../crash/volume.ts';
import { contextOf, type Target, targetsOf } from '../ext4/corrupt.ts';
import { runsOf } from '../../host/ext4/check/map.ts';
import { EXT4_JOURNAL_INO } from '../../assembly/abi/ext4.ts';

export interface Source {
  readonly name: string;
  readonly image: Uint8Array<ArrayBuffer>;
  readonly targets: readonly Target[];
  /** Path → content, a list of names or a link's target: what must be read, or an error, while checksums guard
   *  it; undefined where none do. */
  readonly content?: ReadonlyMap<string, string>;
}

const MIB = 2 ** 20;
const LATIN = new TextDecoder('latin1');
/** Blocks of the log that are damaged, the first ones behind its superblock: what was written of it. */
const LOG_BLOCKS = 40;

interface Recipe {
  readonly name: string;
  readonly mkfs: MkfsOptions;
  readonly sizeBytes: number;
  /** Left as a loss of power leaves it, with transactions in the log. */
  readonly dirty?: boolean;
  readonly guarded?: boolean;
}

const RECIPES: readonly Recipe[] = [
  { name: 'ext4', mkfs: { blockSize: 1024, features: 'orphan_file' }, sizeBytes: 4 * MIB, guarded: true },
  { name: 'ext4, dirty', mkfs: { blockSize: 1024 }, sizeBytes: 4 * MIB, dirty: true },
  { name: 'ext4, 4 KiB', mkfs: { blockSize: 4096, features: '^metadata_csum' }, sizeBytes: 9 * MIB },
  { name: 'ext3, dirty', mkfs: { type: 'ext3', blockSize: 1024 }, sizeBytes: 4 * MIB, dirty: true },
  { name: 'ext2', mkfs: { type: 'ext2', blockSize: 1024 }, sizeBytes: 2 * MIB },
];

/** Files of all shapes, directories with an index, attributes in inodes and in blocks. */
function fill({ fs, ...root }: { fs: Process['fs'] } & Pick<Process, 'setxattr'>): void {
  fs.mkdirSync(`${M}/many`);
  for (let i = 0; i < 70; i++) fs.writeFileSync(`${M}/many/a name that is long, number ${i}`, text(i, i * 9));
  fs.mkdirSync(`${M}/deep/er`, { recursive: true });
  fs.writeFileSync(`${M}/deep/er/plain`, text(3, 30_000));
  const fd = fs.openSync(`${M}/holes`, 'w');
  for (let i = 0; i < 12; i++) fs.writeSync(fd, text(i, 900), 0, 900, i * 20_000);
  fs.closeSync(fd);
  fs.symlinkSync('deep/er/plain', `${M}/short`);
  fs.symlinkSync('l'.repeat(200), `${M}/long`);
  root.setxattr(`${M}/holes`, 'user.small', Buffer.from('s'));
  root.setxattr(`${M}/deep`, 'user.large', Buffer.alloc(600, 'x'));
}

function make(kernel: Kernel, { name, mkfs: options, sizeBytes, dirty, guarded }: Recipe): Source {
  const disk = new MemoryDisk({ sizeBytes });
  const features = [options.features ?? '', '^resize_inode'].filter(Boolean).join();
  mkfs(disk, { inodes: 128, seed: 5, ...options, features });
  const machine = newMachine(kernel);
  machine.attachDisk(disk);
  const root = machine.process();
  root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME);
  fill({ fs: root.fs, setxattr: root.setxattr.bind(root) });
  root.sync();
  const image = new Uint8Array(sizeBytes);
  if (dirty) {
    root.fs.unlinkSync(`${M}/many/a name that is long, number 7`);
    root.fs.rmSync(`${M}/deep/er`, { recursive: true });
    root.fs.writeFileSync(`${M}/late`, text(9, 5000));
    root.fs.fsyncSync(root.fs.openSync(`${M}/late`, 'r'));
    disk.read(0, image, 0, sizeBytes);
  } else {
    root.umount(M);
    disk.read(0, image, 0, sizeBytes);
    root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME);
  }
  const content = guarded ? contentOf(root) : undefined;
  root.exit();
  machine.shutdown();
  return { name, image, targets: [...targetsOf(image), ...logOf(image)], content };
}

/** Blocks of the log, where there is one. */
function logOf(image: Uint8Array<ArrayBuffer>): Target[] {
  const context = contextOf(image);
  const { geometry, groups, sb } = context;
  if (!sb.compat(4)) return [];
  const { block, at } = geometry.inodePlace(groups, EXT4_JOURNAL_INO);
  const start = block * geometry.blockSize + at;
  const inode = image.subarray(start, start + geometry.inodeSize);
  const blocks = runsOf(context, EXT4_JOURNAL_INO, inode).flatMap((run) =>
    Array.from({ length: run.count }, (_, i) => run.block + i),
  );
  return blocks.slice(1, 1 + LOG_BLOCKS).map((one) => ({
    kind: 'log',
    at: one * geometry.blockSize,
    length: geometry.blockSize,
  }));
}

/** What is read of a path, as text. */
export function readOne({ fs }: Pick<Process, 'fs'>, path: string): { is: string; below: string[] } {
  const stat = fs.lstatSync(path);
  if (stat.isDirectory()) {
    const names = fs.readdirSync(path).sort();
    return { is: names.join('/'), below: names.map((name) => `${path}/${name}`) };
  }
  if (stat.isSymbolicLink()) return { is: fs.readlinkSync(path), below: [] };
  if (!stat.isFile()) return { is: 'special', below: [] };
  const fd = fs.openSync(path, 'r');
  try {
    const bytes = new Uint8Array(Math.min(stat.size, MIB));
    const length = fs.readSync(fd, bytes, 0, bytes.length, 0);
    return { is: `${stat.size} ${LATIN.decode(bytes.subarray(0, length))}`, below: [] };
  } finally {
    fs.closeSync(fd);
  }
}

function contentOf(process: Process): Map<string, string> {
  const content = new Map<string, string>();
  const todo = [M];
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    const { is, below } = readOne(process, path);
    content.set(path, is);
    todo.push(...below);
  }
  return content;
}

export function makeSources(kernel: Kernel): Source[] {
  return RECIPES.map((recipe) => make(kernel, recipe));
}
