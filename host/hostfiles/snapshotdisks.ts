/**
 * The disks of a snapshot in its file: what is told of them in the header, and their chunks behind the
 * frames. For each tree of chunks, an overlay's before its base's: the chunks' numbers as little-endian
 * u32, ascending, then their bytes.
 */
import { Chunks } from '../devices/chunks.ts';
import { checkDiskSnapshot, type DiskSnapshot } from '../devices/snapshot.ts';
import type { SnapshotDisk } from '../index.ts';

/** A tree of chunks without its chunks. */
interface DiskHeader extends Omit<DiskSnapshot, 'tree' | 'base'> {
  chunkBytes: number;
  chunkCount: number;
  base?: DiskHeader;
}

export interface SnapshotDiskHeader extends Omit<SnapshotDisk, 'disk'> {
  disk?: DiskHeader;
}

/** Reads the next bytes of the file. */
export type ReadNext = (lenBytes: number) => Promise<Uint8Array>;

const MAX_OVERLAYS = 64;

export function headersOf(disks: readonly SnapshotDisk[]): SnapshotDiskHeader[] {
  return disks.map(({ disk, ...rest }) => ({ ...rest, ...(disk && { disk: headerOf(disk) }) }));
}

function headerOf({ tree, base, ...rest }: DiskSnapshot): DiskHeader {
  const { chunkBytes, count } = tree;
  return { ...rest, chunkBytes, chunkCount: count, ...(base && { base: headerOf(base) }) };
}

/** Bytes that the chunks of these disks take in the file. NaN for headers that make no sense. */
export function lengthOf(disks: readonly SnapshotDiskHeader[]): number {
  let length = 0;
  for (const { disk } of disks) {
    for (const { chunkBytes, chunkCount } of treesOf(disk)) length += chunkCount * (4 + chunkBytes);
  }
  return length;
}

function treesOf(disk: DiskHeader | undefined): DiskHeader[] {
  const trees: DiskHeader[] = [];
  for (let at = disk; at !== undefined && trees.length < MAX_OVERLAYS; at = at.base) trees.push(at);
  return trees;
}

/** All that {@link readDisks} reads. The pieces are used up before the next is asked for. */
export function* diskPieces(disks: readonly SnapshotDisk[]): Generator<Uint8Array> {
  for (const { disk } of disks) {
    for (let at = disk; at !== undefined; at = at.base) {
      const chunks = Chunks.of(at.sizeBytes, at.tree);
      const numbers = new Uint32Array(at.tree.count);
      let n = 0;
      for (const [index] of chunks.entries()) numbers[n++] = index;
      yield new Uint8Array(numbers.buffer);
      for (const [, bytes] of chunks.entries()) yield bytes;
    }
  }
}

export async function readDisks(
  headers: readonly SnapshotDiskHeader[],
  next: ReadNext,
): Promise<SnapshotDisk[]> {
  const disks: SnapshotDisk[] = [];
  for (const { disk, ...rest } of headers) {
    const trees: DiskSnapshot[] = [];
    for (const header of treesOf(disk)) trees.push(await readTree(header, next));
    let whole: DiskSnapshot | undefined;
    for (const tree of trees.reverse()) whole = whole === undefined ? tree : { ...tree, base: whole };
    disks.push({ ...rest, ...(whole && { disk: whole }) });
  }
  return disks;
}

/** A million chunks of 4 KiB would be read one by one: take some MiB at a time. */
const READ_BYTES = 4 << 20;

async function readTree(header: DiskHeader, next: ReadNext): Promise<DiskSnapshot> {
  const { chunkBytes, chunkCount, base: _, ...rest } = header;
  const chunks = new Chunks(rest.sizeBytes, chunkBytes);
  checkDiskSnapshot({ ...rest, kind: 'memory', tree: chunks.share() });
  const numberBytes = await next(chunkCount * 4);
  const numbers = new Uint32Array(numberBytes.buffer, numberBytes.byteOffset, chunkCount);
  const perRead = Math.max(1, Math.floor(READ_BYTES / chunkBytes));
  for (let n = 0; n < chunkCount; n += perRead) {
    const count = Math.min(perRead, chunkCount - n);
    const bytes = await next(count * chunkBytes);
    for (let i = 0; i < count; i++) {
      const index = numbers[n + i];
      if (index * chunkBytes >= rest.sizeBytes)
        throw new Error(`snapshot is damaged: a disk has chunk ${index}`);
      chunks.put(index, bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes));
    }
  }
  return { ...rest, tree: chunks.share() };
}
