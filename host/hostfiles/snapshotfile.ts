/**
 * Snapshots in files on the host.
 *
 * The file starts with a line of JSON (all of a {@link Snapshot} but its frames and chunks of disks, how many there are,
 * and the SHA-256 of the rest of the file), padded with spaces so that the line, newline included, takes a multiple of 4096 bytes;
 * then come the frame numbers as little-endian u32, then the frames, then the disks (snapshotdisks.ts).
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { PAGE_SIZE } from '../../assembly/abi/layout.ts';
import type { Snapshot, SnapshotDisk } from '../index.ts';
import { diskPieces, headersOf, lengthOf, readDisks, type SnapshotDiskHeader } from './snapshotdisks.ts';

const MAGIC = 'damselfly-snapshot';
const HEADER_MAX = 64 * 1024;
/** A single read or write on Linux moves at most 2 GiB less a page. */
const CHUNK_BYTES = 64 << 20;

interface Header extends Omit<Snapshot, 'frames' | 'bytes' | 'disks'> {
  type: typeof MAGIC;
  disks?: SnapshotDiskHeader[];
  frameCount: number;
  sha256: string;
}

/** Write a snapshot. @throws the file system's errors */
export async function saveSnapshot(file: string, snapshot: Snapshot): Promise<void> {
  const { frames, bytes, disks, ...rest } = snapshot;
  const header: Header = {
    type: MAGIC,
    ...rest,
    ...(disks && { disks: headersOf(disks) }),
    frameCount: frames.length,
    sha256: digest(snapshot),
  };
  const text = JSON.stringify(header);
  const line = `${text.padEnd(Math.ceil((text.length + 1) / PAGE_SIZE) * PAGE_SIZE - 1)}\n`;
  const handle = await open(file, 'w', 0o600);
  try {
    await writeAll(handle, Buffer.from(line));
    await writeAll(handle, bytesOf(frames));
    await writeAll(handle, bytes);
    for (const piece of gathered(diskPieces(disks ?? []))) await writeAll(handle, piece);
  } finally {
    await handle.close();
  }
}

const bytesOf = (words: Uint32Array) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

function digest({ frames, bytes, disks = [] }: Pick<Snapshot, 'frames' | 'bytes' | 'disks'>): string {
  const hash = createHash('sha256').update(bytesOf(frames)).update(bytes);
  for (const piece of diskPieces(disks)) hash.update(piece);
  return hash.digest('hex');
}

const GATHER_BYTES = 4 << 20;

/** Small pieces put together, so that each is worth a write. */
function* gathered(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const buffer = new Uint8Array(GATHER_BYTES);
  let filled = 0;
  for (const piece of pieces) {
    if (filled + piece.length > GATHER_BYTES) {
      yield buffer.subarray(0, filled);
      filled = 0;
    }
    if (piece.length > GATHER_BYTES) yield piece;
    else {
      buffer.set(piece, filled);
      filled += piece.length;
    }
  }
  yield buffer.subarray(0, filled);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(CHUNK_BYTES, bytes.length - at));
    at += bytesWritten;
  }
}

/** Read one back. @throws Error when the file is not a snapshot, cut short, or not as it was written */
export async function loadSnapshot(file: string): Promise<Snapshot> {
  const handle = await open(file, 'r');
  try {
    const { header, length } = await readHeader(handle, file);
    const { type: _, frameCount, sha256, disks: diskHeaders, ...rest } = header;
    const { size } = await handle.stat();
    const frameBytes = frameCount * (4 + PAGE_SIZE);
    if (size !== length + frameBytes + lengthOf(diskHeaders ?? []))
      throw new Error(`${file} is cut short, or not a snapshot`);
    const frames = new Uint32Array(frameCount);
    await readAll(handle, bytesOf(frames), length, file);
    const bytes = new Uint8Array(frameCount * PAGE_SIZE);
    await readAll(handle, bytes, length + frameCount * 4, file);
    let at = length + frameBytes;
    const next = async (lenBytes: number) => {
      const piece = new Uint8Array(lenBytes);
      await readAll(handle, piece, at, file);
      at += lenBytes;
      return piece;
    };
    const disks: SnapshotDisk[] | undefined = diskHeaders && (await readDisks(diskHeaders, next));
    const snapshot = { ...rest, frames, bytes, ...(disks && { disks }) };
    if (digest(snapshot) !== sha256) throw new Error(`${file} is damaged: its checksum is wrong`);
    return snapshot;
  } finally {
    await handle.close();
  }
}

async function readHeader(handle: FileHandle, file: string): Promise<{ header: Header; length: number }> {
  const buffer = Buffer.alloc(HEADER_MAX);
  const { bytesRead } = await handle.read(buffer, 0, HEADER_MAX, 0);
  const end = buffer.subarray(0, bytesRead).indexOf(10);
  let header: Partial<Header> | null = null;
  try {
    if (end > 0) header = JSON.parse(buffer.toString('utf8', 0, end)) as Partial<Header>;
  } catch {
    // Not JSON: not a snapshot, which is said below.
  }
  if (header?.type !== MAGIC || !Number.isSafeInteger(header.frameCount) || (header.frameCount as number) < 0)
    throw new Error(`${file} is not a snapshot of a machine`);
  if (header.disks !== undefined && !Array.isArray(header.disks))
    throw new Error(`${file} is not a snapshot of a machine`);
  return { header: header as Header, length: end + 1 };
}

async function readAll(handle: FileHandle, into: Uint8Array, position: number, file: string): Promise<void> {
  for (let at = 0; at < into.length; ) {
    const length = Math.min(CHUNK_BYTES, into.length - at);
    const { bytesRead } = await handle.read(into, at, length, position + at);
    if (bytesRead === 0) throw new Error(`${file} is cut short`);
    at += bytesRead;
  }
}
