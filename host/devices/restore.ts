/** Disks from snapshots, whatever their kind. */
import { MemoryDisk } from './memory.ts';
import { OverlayDisk } from './overlay.ts';
import type { DiskSnapshot } from './snapshot.ts';
import type { BlockDevice } from './types.ts';

/** Must something be given that this snapshot's changes are to? */
export function needsBase({ kind, base }: DiskSnapshot): boolean {
  return kind === 'overlay' && (base === undefined || needsBase(base));
}

/**
 * The disk that was put aside.
 * @param base  what the lowest overlay lies over, where {@link needsBase}; it stays the caller's
 * @throws Error for a snapshot that is damaged, or a base that is missing or of another shape
 */
export function restoreDisk(snapshot: DiskSnapshot, base?: BlockDevice): MemoryDisk | OverlayDisk {
  const overlays: DiskSnapshot[] = [];
  let lowest: DiskSnapshot | undefined = snapshot;
  while (lowest?.kind === 'overlay') {
    overlays.unshift(lowest);
    lowest = lowest.base;
  }
  let disk: BlockDevice | undefined = base;
  if (lowest !== undefined) {
    const memory = MemoryDisk.from(lowest);
    if (overlays.length === 0) return memory;
    disk = memory;
  }
  if (disk === undefined) throw new Error('this snapshot holds the changes to a disk, and needs that disk');
  for (const overlay of overlays) disk = OverlayDisk.from(overlay, disk);
  return disk as OverlayDisk;
}
