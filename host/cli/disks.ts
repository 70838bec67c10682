/** The disk images of `damselfly boot --disk`: opened before the machine is booted, closed after it is gone. */
import { FileDisk } from '../devices/node/file.ts';
import { DISK_MAX } from '../../assembly/abi/disk.ts';
import { OverlayDisk } from '../devices/overlay.ts';
import { needsBase } from '../devices/restore.ts';
import type { AttachedDisk, DiskSpec, SnapshotDisk } from '../index.ts';
import { reasonOf } from '../hostfiles/entry.ts';
import { CommandError, EXIT_USAGE } from './errors.ts';
import { detail, warn } from './output.ts';
import { type DiskImage, formatBytes } from './values.ts';

/** An image, or what hides one that must not change. */
export type OpenDisk = FileDisk | OverlayDisk;

/** @throws CommandError that names the image; none is left open then */
export function openDisks(images: readonly DiskImage[]): OpenDisk[] {
  const disks: OpenDisk[] = [];
  for (const { file, readOnly, scratch } of images) {
    try {
      const disk = FileDisk.open(file, { readOnly: readOnly || scratch });
      disks.push(scratch ? new OverlayDisk(disk) : disk);
    } catch (error) {
      closeDisks(disks);
      throw new CommandError(`cannot open the disk ${file}: ${reasonOf(error)}`);
    }
  }
  return disks;
}

/**
 * Which image is which disk: in their order, those that a snapshot wants given again first, then the
 * slots that it leaves free.
 */
export function placeDisks(images: readonly OpenDisk[], kept: readonly SnapshotDisk[] = []): DiskSpec[] {
  const wanted = kept.filter(({ disk }) => disk === undefined || needsBase(disk)).map(({ slot }) => slot);
  const free = Array.from({ length: DISK_MAX }, (_, slot) => slot).filter(
    (slot) => !kept.some((disk) => disk.slot === slot),
  );
  const slots = [...wanted, ...free];
  if (images.length > slots.length) {
    throw new CommandError(`a machine has at most ${DISK_MAX} disks`, EXIT_USAGE);
  }
  const specs: DiskSpec[] = new Array(DISK_MAX).fill(undefined);
  for (const [i, image] of images.entries()) specs[slots[i]] = image;
  return specs;
}

export function showDisks(disks: readonly AttachedDisk[]): void {
  for (const { name, device, readOnly } of disks) {
    const what = nameOf(device);
    detail(`/dev/${name}: ${what}, ${formatBytes(device.sizeBytes)}${readOnly ? ', read-only' : ''}`);
  }
}

/** Say which disks failed. The machine's programs were told no more than an errno. */
export function reportDisks(disks: readonly AttachedDisk[]): boolean {
  let good = true;
  for (const { name, stats, lastError } of disks) {
    if (stats.errors === 0) continue;
    good = false;
    warn(`/dev/${name}: ${stats.errors} of its requests failed; the last: ${reasonOf(lastError)}`);
  }
  return good;
}

export function closeDisks(disks: readonly OpenDisk[]): void {
  for (const disk of disks) {
    disk.close();
    if (disk instanceof OverlayDisk) disk.base.close();
  }
}

function nameOf(device: AttachedDisk['device']): string {
  if (device instanceof FileDisk) return device.path;
  if (device instanceof OverlayDisk && device.base instanceof FileDisk)
    return `${device.base.path}, changes thrown away`;
  return 'out of the snapshot';
}
