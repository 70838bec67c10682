/** The disk images of `damselfly boot --disk`: opened before the machine is booted, closed after it is gone. */
import fs from 'node:fs';
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
  for (const [slot, { file }] of images.entries()) checkName(file, slot);
  checkTwice(images);
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

/** What looks like a part of an image, or a way to open it, and is none. @throws CommandError */
function checkName(file: string, slot: number): void {
  if (fs.existsSync(file)) return;
  const [, image, mark, word] = /^(.+)([:#])([^:#/]*)$/s.exec(file) ?? [];
  if (image === undefined || !fs.existsSync(image)) return;
  if (mark === ':')
    throw new CommandError(
      `--disk ${file}: there is no :${word}, only :ro to read the image and :scratch to throw changes away`,
      EXIT_USAGE,
    );
  const node = `/dev/vbd${slot}p${word}`;
  throw new CommandError(
    `--disk ${file}: a machine has the whole disk, and partition ${word} of it as ${node}: ` +
      `give --disk ${image}, and --root ext4:${node} to live there`,
    EXIT_USAGE,
  );
}

/** One image as two disks would be written through two caches; only readers may share it. @throws CommandError */
function checkTwice(images: readonly DiskImage[]): void {
  const seen = new Map<string, number>();
  for (const [slot, { file }] of images.entries()) {
    const stat = fs.statSync(file, { throwIfNoEntry: false, bigint: true });
    if (stat === undefined) continue;
    const identity = `${stat.dev}:${stat.ino}`;
    const first = seen.get(identity);
    const writes = (at: number) => !images[at].readOnly && !images[at].scratch;
    if (first !== undefined && (writes(first) || writes(slot)))
      throw new CommandError(
        `--disk ${file} is given twice, and one that is written can be one disk only: ` +
          'give it once, or each time with :ro or :scratch',
        EXIT_USAGE,
      );
    if (first === undefined || writes(slot)) seen.set(identity, slot);
  }
}

/** What a snapshot does not hold must be given again. @throws CommandError that says what */
export function checkGiven(from: string, kept: readonly SnapshotDisk[], given: number): void {
  const missing = kept.filter(({ disk }) => disk === undefined || needsBase(disk)).slice(given);
  if (missing.length === 0) return;
  const which = missing.map(
    ({ slot, disk, sizeBytes }) =>
      `${disk === undefined ? '' : 'what lies below '}/dev/vbd${slot} (${formatBytes(sizeBytes)})`,
  );
  throw new CommandError(
    `cannot go on from ${from} without ${which.join(' and ')}, which is not in the snapshot: ` +
      `give the image again:${missing.map(() => ' --disk IMG:ro').join('')}`,
  );
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
