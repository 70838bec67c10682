/**
 * Copying a tree of the host into the machine.
 *
 * Directories come first, then files, several at a time so that a slow disk is kept busy while the
 * machine, which takes one call at a time, is written; then further names of files made already;
 * last the attributes of directories, deepest first, for making things in them changes their times.
 */
import { constants, promises as host } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '../../assembly/abi/flags.ts';
import type { NodeFs, Process } from '../index.ts';
import {
  type CopyProgress,
  type CopyResult,
  codeOf,
  type Entry,
  emptyResult,
  isDirectory,
  joinBytes,
  nanosecondsOf,
  Parents,
  reasonOf,
  shown,
  typeOf,
} from './entry.ts';
import { dataRanges } from './dataranges.ts';
import { isSparse, type Tree } from './scan.ts';
import { readHostXattrs, type Xattr, type XattrsByPath } from './xattrs.ts';

/** Files read at a time; libuv has four threads for it unless told otherwise. */
const LANES = 8;
const CHUNK_BYTES = 1 << 20;
/** Holes are looked for in units of the machine's pages. */
const BLOCK_BYTES = 4096;

/** Holes of at least so much are worth asking where they are. */
const ASK_BYTES = 32 << 20;

/** Work this long at a stretch, so that signals are heard. */
const SLICE_MS = 30;

/** The machine is full: going on would only fail for every file that is left. */
export class MachineFullError extends Error {
  /** ENOSPC: the file system is full; ENOMEM: RAM is. */
  readonly code: string;
  /** What did not fit, relative to the tree. */
  readonly path: Buffer;
  /** What was copied until then. */
  readonly result: CopyResult;

  constructor(error: unknown, path: Buffer, result: CopyResult) {
    super(reasonOf(error), { cause: error });
    this.code = codeOf(error) ?? '';
    this.path = path;
    this.result = result;
  }
}

/**
 * Copy `tree` so that its root becomes `target`, with owners, modes, times to the nanosecond, extended
 * attributes (where the host has getfattr), holes, hard links, symlinks, fifos, sockets and device nodes. Directories that exist are kept
 * and get the tree's attributes; other files in the way are replaced. What fails is listed in the result; of a
 * file that was begun then nothing stays.
 * @param process  acts as root in the machine
 * @throws MachineFullError when the machine runs out of memory
 */
export async function copyIn(
  process: Process,
  tree: Tree,
  target: string,
  progress: CopyProgress,
  { lanes = LANES, ...options }: CopyInOptions = {},
): Promise<CopyResult> {
  return new CopyIn(process, tree, Buffer.from(target), progress, options).run(lanes);
}

export interface CopyInOptions {
  /** Files read at a time; with one, files are made in the tree's order. */
  lanes?: number;
  /** Files that are there with the same size and time of change keep their data. */
  update?: boolean;
  /** Stop when it is aborted: what was copied stays, directories with their attributes. */
  signal?: AbortSignal;
}

/** Remove what is below `target` and not in the tree, or is no directory where that has one. */
export function removeOthers(fs: NodeFs, tree: Tree, target: string): void {
  const wanted = new Map(tree.entries.map((entry) => [entry.path.toString('latin1'), isDirectory(entry)]));
  const root = Buffer.from(target);
  const pending: Buffer[] = [Buffer.alloc(0)];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    const at = joinBytes(root, dir);
    if (!fs.lstatSync(at, { throwIfNoEntry: false })?.isDirectory()) continue;
    for (const name of fs.readdirSync(at, { encoding: 'buffer' })) {
      const path = joinBytes(dir, name);
      const full = joinBytes(root, path);
      const there = fs.lstatSync(full).isDirectory();
      if (wanted.get(path.toString('latin1')) !== there) fs.rmSync(full, { recursive: true, force: true });
      else if (there) pending.push(path);
    }
  }
}

class CopyIn {
  readonly #process: Process;
  readonly #tree: Tree;
  readonly #target: Buffer;
  readonly #progress: CopyProgress;
  readonly #result = emptyResult();
  readonly #parents = new Parents();
  /** First name in the machine of each file that has several. */
  readonly #first = new Map<string, Buffer>();
  #xattrs: XattrsByPath | undefined;
  readonly #update: boolean;
  readonly #signal: AbortSignal | undefined;
  #sliceEnd = 0;
  /** Nothing more fits. */
  #full: MachineFullError | undefined;

  constructor(
    process: Process,
    tree: Tree,
    target: Buffer,
    progress: CopyProgress,
    { update = false, signal }: CopyInOptions,
  ) {
    this.#update = update;
    this.#signal = signal;
    this.#process = process;
    this.#tree = tree;
    this.#target = target;
    this.#progress = progress;
  }

  async run(lanes: number): Promise<CopyResult> {
    const directories: Entry[] = [];
    const files: Entry[] = [];
    const links: Entry[] = [];
    this.#result.problems.push(...this.#tree.problems);
    this.#makeParents();
    this.#xattrs = await readHostXattrs(this.#tree.root);
    for (const entry of this.#tree.entries) {
      await this.#breathe();
      if (this.#stops()) break;
      if (this.#parents.lacks(entry)) continue;
      if (isDirectory(entry)) {
        if (this.#try(entry, () => this.#directory(entry))) directories.push(entry);
      } else if (entry.nlink > 1 && this.#first.has(entry.identity)) links.push(entry);
      else {
        if (entry.nlink > 1) this.#first.set(entry.identity, this.#to(entry));
        if (typeOf(entry.mode) === S_IFREG) files.push(entry);
        else if (typeOf(entry.mode) === S_IFLNK) await this.#tryLater(entry, () => this.#symlink(entry));
        else this.#try(entry, () => this.#special(entry));
      }
    }
    const queue = files.values();
    await Promise.all(Array.from({ length: lanes }, () => this.#lane(queue)));
    for (const entry of links) if (!this.#stops()) this.#try(entry, () => this.#link(entry));
    for (const entry of directories.reverse()) this.#try(entry, () => this.#attributes(entry));
    if (this.#full !== undefined) throw this.#full;
    return this.#result;
  }

  async #breathe(): Promise<void> {
    if (performance.now() < this.#sliceEnd) return;
    await new Promise(setImmediate);
    this.#sliceEnd = performance.now() + SLICE_MS;
  }

  /** Is nothing more to be copied? */
  #stops(): boolean {
    if (this.#signal?.aborted) this.#result.stopped = true;
    return this.#result.stopped || this.#full !== undefined;
  }

  #to({ path }: Entry): Buffer {
    return joinBytes(this.#target, path);
  }

  #from({ path }: Entry): Buffer {
    return joinBytes(this.#tree.root, path);
  }

  /** The way to the target. */
  #makeParents(): void {
    const target = this.#target.toString('utf8');
    const parent = target.replace(/\/+[^/]*\/*$/, '');
    if (parent !== '') this.#process.fs.mkdirSync(parent, { recursive: true });
  }

  #try(entry: Entry, action: () => void): boolean {
    try {
      action();
      if (!isDirectory(entry)) this.#progress.file();
      return true;
    } catch (error) {
      this.#failed(entry, error);
      return false;
    }
  }

  async #tryLater(entry: Entry, action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.#progress.file();
    } catch (error) {
      this.#failed(entry, error);
    }
  }

  #failed(entry: Entry, error: unknown): void {
    const code = codeOf(error);
    if (code === 'ENOSPC' || code === 'ENOMEM') {
      // All lanes come to their end before it is thrown.
      this.#full ??= new MachineFullError(error, entry.path, this.#result);
      return;
    }
    // A panic, or a mistake of ours, is nothing to go on after.
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
    this.#result.problems.push({ path: shown(entry.path), reason: reasonOf(error) });
  }

  #directory(entry: Entry): void {
    const { fs } = this.#process;
    const path = this.#to(entry);
    try {
      fs.mkdirSync(path, 0o700);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || !fs.lstatSync(path).isDirectory()) throw error;
    }
    this.#parents.add(entry);
    this.#result.entries++;
  }

  async #lane(queue: Iterator<Entry>): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    while (!this.#stops()) {
      const next = queue.next();
      if (next.done) return;
      const entry = next.value;
      await this.#tryLater(entry, () => this.#file(entry, buffer));
    }
  }

  /** Is the file there as it was copied before? */
  #isCurrent(entry: Entry): boolean {
    const there = this.#process.fs.lstatSync(this.#to(entry), { bigint: true, throwIfNoEntry: false });
    if (there === undefined || !there.isFile()) return false;
    return Number(there.size) === entry.size && there.mtimeNs === nanosecondsOf(entry.mtime);
  }

  async #file(entry: Entry, buffer: Buffer): Promise<void> {
    if (this.#update && this.#isCurrent(entry)) {
      this.#progress.bytes(entry.size);
      this.#made(entry);
      return;
    }
    const source = await host.open(this.#from(entry), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const path = this.#to(entry);
      const fd = this.#replacing(path, () =>
        this.#process.openat(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0o600),
      );
      let whole = false;
      try {
        const written = await this.#data(entry, source, fd, buffer);
        if (written === undefined) return;
        this.#made(entry);
        this.#result.bytes += written;
        whole = true;
      } finally {
        if (!whole) this.#forget(path);
      }
    } finally {
      await source.close();
    }
  }

  /** Take away a file that was begun. */
  #forget(path: Buffer): void {
    try {
      this.#process.fs.unlinkSync(path);
    } catch (error) {
      // Where nothing can be removed, what stopped the copy is what is told.
      if (codeOf(error) === undefined) throw error;
    }
  }

  /** What of a file is to be read: all of it, or, where large holes make that worth asking for, what is no hole. */
  async #ranges(entry: Entry): Promise<[number, number][]> {
    const all: [number, number][] = [[0, Number.POSITIVE_INFINITY]];
    if (entry.size - entry.allocated < ASK_BYTES) return all;
    return (await dataRanges(this.#from(entry))) ?? all;
  }

  /** Copy a file's data, and close it. @returns bytes written; undefined: asked to stop in the middle */
  async #data(entry: Entry, source: FileHandle, fd: number, buffer: Buffer): Promise<number | undefined> {
    const { fs } = this.#process;
    let written = 0;
    let end = 0;
    try {
      const ranges = await this.#ranges(entry);
      for (const [from, to] of ranges) {
        this.#progress.bytes(from - end);
        for (end = from; end < to; ) {
          const wanted = Math.min(buffer.length, to - end);
          const { bytesRead } = await source.read(buffer, 0, wanted, end);
          // When another file finds it full, this one may still fit.
          if (this.#signal?.aborted) return undefined;
          const bytes = buffer.subarray(0, bytesRead);
          written += isSparse(entry) ? this.#writeData(fd, bytes, end) : this.#write(fd, bytes, end);
          end += bytesRead;
          this.#progress.bytes(bytesRead);
          if (bytesRead === 0 || (bytesRead < wanted && end >= entry.size)) break;
        }
      }
      const isWhole = ranges.at(-1)?.[1] === Number.POSITIVE_INFINITY;
      if (isSparse(entry)) fs.ftruncateSync(fd, isWhole ? end : Math.max(end, entry.size));
      return written;
    } finally {
      fs.closeSync(fd);
    }
  }

  /** @returns bytes written, all of them */
  #write(fd: number, bytes: Buffer, position: number): number {
    const { fs } = this.#process;
    for (let done = 0; done < bytes.length; )
      done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done);
    return bytes.length;
  }

  /** Write the blocks that are not all zeros. @returns bytes written */
  #writeData(fd: number, bytes: Buffer, position: number): number {
    let written = 0;
    if (isZero(bytes)) return 0;
    let start = -1;
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const zero = isZero(bytes.subarray(at, at + BLOCK_BYTES));
      if (!zero && start < 0) start = at;
      if (zero && start >= 0) {
        written += this.#write(fd, bytes.subarray(start, at), position + start);
        start = -1;
      }
    }
    if (start >= 0) written += this.#write(fd, bytes.subarray(start), position + start);
    return written;
  }

  async #symlink(entry: Entry): Promise<void> {
    const target = await host.readlink(this.#from(entry), { encoding: 'buffer' });
    const path = this.#to(entry);
    this.#replacing(path, () => this.#process.fs.symlinkSync(target, path));
    this.#made(entry);
  }

  #special(entry: Entry): void {
    const path = this.#to(entry);
    const rdev = typeOf(entry.mode) === S_IFIFO ? 0 : entry.rdev;
    this.#replacing(path, () => this.#process.mknod(path, (entry.mode & S_IFMT) | 0o600, rdev));
    this.#made(entry);
  }

  #link(entry: Entry): void {
    const path = this.#to(entry);
    const first = this.#first.get(entry.identity) as Buffer;
    this.#replacing(path, () => this.#process.fs.linkSync(first, path));
    this.#result.entries++;
  }

  /** Make a name; a file (no directory) that has it already is removed first. */
  #replacing<T>(path: Buffer, make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      this.#process.fs.unlinkSync(path);
      return make();
    }
  }

  #made(entry: Entry): void {
    this.#attributes(entry);
    this.#result.entries++;
  }

  /** Owner before mode: a change of owner clears setuid and setgid. Times last. */
  #attributes(entry: Entry): void {
    const path = this.#to(entry);
    const { fs } = this.#process;
    fs.lchownSync(path, entry.uid, entry.gid);
    for (const attribute of this.#xattrs?.get(entry.path.toString('latin1')) ?? [])
      this.#attribute(entry, path, attribute);
    if (typeOf(entry.mode) !== S_IFLNK) fs.chmodSync(path, entry.mode & 0o7777);
    this.#process.utimensat(AT_FDCWD, path, entry.atime, entry.mtime, AT_SYMLINK_NOFOLLOW);
  }

  /** One that cannot be set is told, and the file is kept without it: what a file's attributes may take is little,
   *  however much room there is. */
  #attribute(entry: Entry, path: Buffer, { name, value }: Xattr): void {
    const bytes = Buffer.from(name, 'latin1');
    try {
      this.#process.setxattr(path, bytes, value, 0, false);
    } catch (error) {
      const code = codeOf(error) ?? '';
      const isFull =
        code === 'ENOMEM' || (code === 'ENOSPC' && this.#process.fs.statfsSync(path).bfree < FULL_BLOCKS);
      if (isFull || !/^E[A-Z0-9]+$/.test(code)) throw error;
      const reason = code === 'ENOSPC' ? 'the attributes of a file have no room for it' : reasonOf(error);
      this.#result.problems.push({ path: shown(entry.path), attribute: shown(bytes), reason });
    }
  }
}

/** With fewer free blocks than that, what does not fit is for want of them. */
const FULL_BLOCKS = 16;

const ZEROS = Buffer.alloc(CHUNK_BYTES);

/** Are all bytes of at most a chunk 0? */
function isZero(bytes: Buffer): boolean {
  return bytes.equals(bytes.length === CHUNK_BYTES ? ZEROS : ZEROS.subarray(0, bytes.length));
}
