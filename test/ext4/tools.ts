/** e2fsprogs and loop mounts, which say whether an image is right. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type BlockDevice, Device } from '../../host/devices/types.ts';

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
/** mke2fs's UUIDs, hash seeds and times are then the same each time. */
const ENV = { ...process.env, PATH, LC_ALL: 'C', TZ: 'UTC', MKE2FS_SKIP_PROGRESS: '1' };

const isThere = (tool: string) => spawnSync('which', [tool], { env: ENV }).status === 0;

export const missing = ['mke2fs', 'e2fsck', 'dumpe2fs', 'debugfs', 'resize2fs', 'tune2fs'].filter(
  (tool) => !isThere(tool),
);
/** Why tests that need e2fsprogs are passed over; never where CI says that all must run. */
export const skipTools = missing.length > 0 && process.env.CI === undefined;
/** Loop mounts need root. */
export const canMount = process.getuid?.() === 0 && spawnSync('losetup', ['-f'], { env: ENV }).status === 0;

const directory = mkdtempSync(join(tmpdir(), 'damselfly-ext4-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

export function newPath(): string {
  return join(directory, `${files++}`);
}

export interface Ran {
  readonly status: number;
  readonly output: string;
}

export function run(tool: string, ...args: string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(tool, args, {
    env: ENV,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (error) throw error;
  return { status: status ?? -1, output: stdout + stderr };
}

/** The same, and it must succeed. */
export function must(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, { env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** An image made by mke2fs. */
export function mke2fs(sizeBytes: number, ...args: string[]): string {
  const path = newPath();
  const fd = openSync(path, 'w');
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
  must('mke2fs', '-q', '-F', ...args, path);
  return path;
}

/** A new file of zeros as a disk. What is zeroed was never written: nothing is done. */
export class NewFileDisk extends Device {
  readonly path = newPath();
  readonly #fd: number;

  constructor(sizeBytes: number) {
    super({ sizeBytes, sectorBytes: 512, readOnly: false, writeCache: false, discards: false });
    this.#fd = openSync(this.path, 'w+');
    ftruncateSync(this.#fd, sizeBytes);
  }

  protected readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    readSync(this.#fd, into, at, lenBytes, offBytes);
  }

  protected writeSectors(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    writeSync(this.#fd, from, at, lenBytes, offBytes);
  }

  protected flushSectors(): void {}
  protected discardSectors(): void {}
  protected zeroSectors(): void {}

  protected override release(): void {
    closeSync(this.#fd);
  }
}

/** Bytes as a disk that shares them. */
export class BytesDisk extends Device {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super({
      sizeBytes: bytes.length,
      sectorBytes: 512,
      readOnly: false,
      writeCache: false,
      discards: false,
    });
    this.#bytes = bytes;
  }

  protected readSectors(offBytes: number, into: Uint8Array, at: number, lenBytes: number): void {
    into.set(this.#bytes.subarray(offBytes, offBytes + lenBytes), at);
  }

  protected writeSectors(offBytes: number, from: Uint8Array, at: number, lenBytes: number): void {
    this.#bytes.set(from.subarray(at, at + lenBytes), offBytes);
  }

  protected flushSectors(): void {}
  protected discardSectors(): void {}

  protected zeroSectors(offBytes: number, lenBytes: number): void {
    this.#bytes.fill(0, offBytes, offBytes + lenBytes);
  }
}

/** What a disk holds, as a sparse file. */
export function save(disk: BlockDevice, path = newPath()): string {
  const fd = openSync(path, 'w');
  ftruncateSync(fd, disk.sizeBytes);
  const piece = new Uint8Array(2 ** 16);
  for (let at = 0; at < disk.sizeBytes; at += piece.length) {
    const length = Math.min(piece.length, disk.sizeBytes - at);
    disk.read(at, piece, 0, length);
    if (piece.some((byte) => byte !== 0)) writeSync(fd, piece, 0, length, at);
  }
  closeSync(fd);
  return path;
}

export function load(path: string): BytesDisk {
  return new BytesDisk(readFileSync(path));
}

/** e2fsck -fn: 0 means clean. */
export function e2fsck(path: string): Ran {
  return run('e2fsck', '-fn', path);
}
