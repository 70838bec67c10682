/** What e2fsck says about a disk, and what it makes of one. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OverlayDisk } from '../../host/devices/overlay.ts';
import type { BlockDevice } from '../../host/devices/types.ts';

/** The whole disk, until this is called again: memory that is touched for the first time costs more than a copy. */
function bytesOf(disk: BlockDevice): Uint8Array {
  if (whole.length < disk.sizeBytes) whole = new Uint8Array(disk.sizeBytes);
  disk.read(0, whole, 0, disk.sizeBytes);
  return whole.subarray(0, disk.sizeBytes);
}
let whole = new Uint8Array(0);

function withImage<T>(bytes: Uint8Array, run: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'crash-'));
  try {
    const path = join(directory, 'image');
    writeFileSync(path, bytes);
    return run(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** '' when it ends with `most` or less. */
function run(flags: string, path: string, most: number): string {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { status, stdout, error } = spawnSync('e2fsck', [flags, path], { encoding: 'utf8', env });
  if (error) throw error;
  return status !== null && status <= most ? '' : `e2fsck ${flags}: ${status}\n${stdout}`;
}

/** What it finds; '' when that is nothing. */
export function e2fsck(disk: BlockDevice): string {
  return withImage(bytesOf(disk), (path) => run('-fn', path, 0));
}

/** The disk, mended by it; or what it says. */
export function mended(disk: BlockDevice): BlockDevice | string {
  const before = bytesOf(disk);
  return withImage(before, (path) => run('-fy', path, 1) || changed(disk, before, path));
}

/** The disk as the image has it. */
function changed(disk: BlockDevice, before: Uint8Array, path: string): BlockDevice {
  const over = new OverlayDisk(disk);
  const piece = Buffer.alloc(4096);
  const image = openSync(path, 'r');
  try {
    for (let at = 0; at < before.length; at += piece.length) {
      const lenBytes = readSync(image, piece, 0, piece.length, at);
      if (piece.compare(before, at, at + lenBytes, 0, lenBytes) !== 0) over.write(at, piece, 0, lenBytes);
    }
  } finally {
    closeSync(image);
  }
  return over;
}
