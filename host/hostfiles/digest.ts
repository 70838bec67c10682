/**
 * What a tree holds, as one line of text for each name, so that trees can be compared wherever
 * they are: on the host, in a machine, in a fork of it.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import {
  type Entry,
  isDirectory,
  isRegular,
  isSymlink,
  joinBytes,
  nanosecondsOf,
  reasonOf,
} from './entry.ts';
import type { Tree, WalkFs } from './scan.ts';

/** The part of node:fs that reading a tree needs. */
export interface ReadFs extends WalkFs {
  readlinkSync(path: Buffer, options: { encoding: 'buffer' }): Buffer;
  openSync(path: Buffer, flags: number): number;
  readSync(fd: number, buffer: Buffer, offset: number, length: number, position: number): number;
  closeSync(fd: number): void;
}

/** By path, as bytes in a latin1 string: what was found there. */
export type Digest = Map<string, string>;

const CHUNK_BYTES = 1 << 20;
const SLICE_MS = 30;
/** Never wait for a fifo's writer, never follow a link that took a file's place. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * Type, mode, owner, modification time, size, link target, device and SHA-256 of every name, and
 * which names are one file. A file that cannot be read has the reason for its line.
 * @param done  called with the bytes read since it was last called
 */
export async function digestTree(
  fs: ReadFs,
  tree: Tree,
  done: (bytes: number) => void = () => {},
): Promise<Digest> {
  const digest: Digest = new Map();
  const first = new Map<string, string>();
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let sliceEnd = performance.now() + SLICE_MS;
  for (const entry of tree.entries) {
    const name = entry.path.toString('latin1');
    const same = entry.nlink > 1 && !isDirectory(entry) ? first.get(entry.identity) : undefined;
    if (same !== undefined) digest.set(name, `is ${same}`);
    else {
      first.set(entry.identity, name);
      digest.set(name, `${head(entry)} ${content(fs, joinBytes(tree.root, entry.path), entry, buffer)}`);
      if (isRegular(entry)) done(entry.size);
    }
    if (performance.now() > sliceEnd) {
      await new Promise(setImmediate);
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  return digest;
}

function head({ mode, uid, gid, mtime }: Entry): string {
  return `mode ${mode.toString(8)} owner ${uid}:${gid} mtime ${nanosecondsOf(mtime)}`;
}

function content(fs: ReadFs, path: Buffer, entry: Entry, buffer: Buffer): string {
  // A directory's size is its file system's own affair.
  if (isDirectory(entry)) return 'directory';
  try {
    if (isSymlink(entry))
      return `symlink to ${fs.readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`;
    if (!isRegular(entry)) return `device ${entry.rdev}`;
    return `size ${entry.size} sha256 ${sha256(fs, path, buffer)}`;
  } catch (error) {
    return `unreadable: ${reasonOf(error)}`;
  }
}

function sha256(fs: ReadFs, path: Buffer, buffer: Buffer): string {
  const hash = createHash('sha256');
  const fd = fs.openSync(path, OPEN_FLAGS);
  try {
    for (let at = 0; ; ) {
      const count = fs.readSync(fd, buffer, 0, buffer.length, at);
      if (count === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, count));
      at += count;
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** What differs, as lines to read; `left` and `right` name the two trees. */
export function differences(a: Digest, b: Digest, left: string, right: string): string[] {
  const lines: string[] = [];
  for (const [name, line] of a) {
    const other = b.get(name);
    if (other === line) continue;
    lines.push(`${printable(name)}: ${left} ${line}; ${right} ${other ?? 'nothing'}`);
  }
  for (const [name, line] of b)
    if (!a.has(name)) lines.push(`${printable(name)}: ${left} nothing; ${right} ${line}`);
  return lines;
}

function printable(name: string): string {
  return name === '' ? '.' : Buffer.from(name, 'latin1').toString('utf8');
}
