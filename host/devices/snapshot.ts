/**
 * A disk put aside: data that nothing changes any more, from which disks are made.
 *
 * It shares its chunks with the disk it is of, and with the disks made from it, until they change
 * them. It can be posted to another thread.
 */
import { Chunks, type ChunkTree } from './chunks.ts';
import { checkShape, type SectorBytes } from './types.ts';

export interface DiskSnapshot {
  readonly format: 1;
  /** 'memory': all there is. 'overlay': the changes to a base. */
  readonly kind: 'memory' | 'overlay';
  readonly sizeBytes: number;
  readonly sectorBytes: SectorBytes;
  readonly writeCache: boolean;
  readonly discards: boolean;
  readonly tree: ChunkTree;
  /** What the changes are to, if that can be put aside too. Else the base is to be given again. */
  readonly base?: DiskSnapshot;
}

/** Check what may have come from anywhere. @throws Error that says what is wrong */
export function checkDiskSnapshot(snapshot: DiskSnapshot): void {
  const { format, kind, tree, base } = snapshot;
  if (format !== 1) throw new Error(`snapshot of a disk of format ${format}: this version reads format 1`);
  try {
    checkShape(snapshot);
    if (kind !== 'memory' && kind !== 'overlay') throw new RangeError(`no disk is of kind ${kind}`);
    if (!isChunkSize(tree.chunkBytes, snapshot.sectorBytes)) {
      throw new RangeError(`no disk has chunks of ${tree.chunkBytes} bytes`);
    }
    Chunks.of(snapshot.sizeBytes, tree);
  } catch (error) {
    throw new Error(`snapshot of a disk is damaged: ${(error as Error).message}`, { cause: error });
  }
  if (base === undefined) return;
  if (
    kind === 'memory' ||
    base.sizeBytes !== snapshot.sizeBytes ||
    base.sectorBytes !== snapshot.sectorBytes
  ) {
    throw new Error('snapshot of a disk is damaged: its base is of another shape');
  }
  checkDiskSnapshot(base);
}

/** Chunks are a power of two of bytes, and at least a sector. */
export function isChunkSize(chunkBytes: number, sectorBytes: number): boolean {
  return chunkBytes >= sectorBytes && chunkBytes <= 1 << 24 && (chunkBytes & (chunkBytes - 1)) === 0;
}
