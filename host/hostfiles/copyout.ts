/**
 * Copying a tree of the machine onto the host.
 *
 * As root everything is kept; somebody else gets files of their own, as from `cp -a`: without the
 * owners, hence without setuid and setgid. What Node cannot make itself, fifos and device nodes,
 * the host's `mkfifo` and `mknod` make.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import {
  AT_FDCWD,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_ISGID,
  S_ISUID,
  SEEK_DATA,
  SEEK_HOLE,
} from '../../assembly/abi/flags.ts';
import type { Process } from '../index.ts';
import { major, minor } from '../syscalls/devices.ts';
import {
  type CopyProgress,
  type CopyResult,
  codeOf,
  type Entry,
  emptyResult,
  isDirectory,
  joinBytes,
  lose,
  Parents,
  reasonOf,
  shown,
  typeOf,
} from './entry.ts';
import type { Tree } from './scan.ts';
import { HostTimes } from './times.ts';
import { HostXattrs, NO_SETFATTR } from './xattrs.ts';

const CHUNK_BYTES = 1 << 20;
/** Work this long at a stretch, so that progress can be drawn and signals are heard. */
const SLICE_MS = 30;

/**
 * Copy a tree of the machine so that its root becomes `target` on the host. Directories that exist
 * are kept and get the tree's attributes; other files in the way are replaced; a symlink in the
 * way of a directory is an error and never followed.
 * @param signal  stop between two files when it is aborted
 */
export async function copyOut(
  process: Process,
  tree: Tree,
  target: string,
  progress: CopyProgress,
  signal?: AbortSignal,
): Promise<CopyResult> {
  return new CopyOut(process, tree, Buffer.from(target), progress, signal).run();
}

class CopyOut {
  readonly #process: Process;
  readonly #tree: Tree;
  readonly #target: Buffer;
  readonly #progress: CopyProgress;
  readonly #result = emptyResult();
  readonly #parents = new Parents();
  readonly #first = new Map<string, Buffer>();
  readonly #times = new HostTimes();
  readonly #xattrs: HostXattrs;
  readonly #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  readonly #root = process.getuid?.() === 0;
  #sliceEnd = 0;

  readonly #signal: AbortSignal | undefined;

  constructor(
    machine: Process,
    tree: Tree,
    target: Buffer,
    progress: CopyProgress,
    signal: AbortSignal | undefined,
  ) {
    this.#signal = signal;
    this.#process = machine;
    this.#tree = tree;
    this.#target = target;
    this.#progress = progress;
    this.#xattrs = new HostXattrs(this.#target);
  }

  async run(): Promise<CopyResult> {
    const directories: Entry[] = [];
    this.#result.problems.push(...this.#tree.problems);
    for (const entry of this.#tree.entries) {
      await this.#breathe();
      if (this.#signal?.aborted) {
        this.#result.stopped = true;
        break;
      }
      if (this.#parents.lacks(entry)) continue;
      if (isDirectory(entry)) {
        if (this.#try(entry, () => this.#directory(entry))) directories.push(entry);
      } else if (await this.#tryLater(entry)) this.#progress.file();
    }
    const inexactFiles = await this.#times.settle();
    const lacking = await this.#xattrs.settle();
    if (lacking > 0) this.#result.losses.set(NO_SETFATTR, lacking);
    directories.reverse();
    // Modes last: without the right to search it, nothing in a directory could be reached.
    for (const entry of directories) {
      this.#try(entry, () => {
        this.#owner(entry);
        this.#times.set(this.#to(entry), entry.atime, entry.mtime);
      });
    }
    const inexact = inexactFiles + (await this.#times.settle());
    for (const entry of directories)
      this.#try(entry, () => fs.chmodSync(this.#to(entry), this.#modeOf(entry)));
    if (inexact > 0) this.#result.losses.set('times to the nanosecond (there is no GNU touch here)', inexact);
    return this.#result;
  }

  async #breathe(): Promise<void> {
    if (performance.now() < this.#sliceEnd) return;
    await new Promise(setImmediate);
    this.#sliceEnd = performance.now() + SLICE_MS;
  }

  #to({ path }: Entry): Buffer {
    return joinBytes(this.#target, path);
  }

  #from({ path }: Entry): Buffer {
    return joinBytes(this.#tree.root, path);
  }

  #try(entry: Entry, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#failed(entry, error);
      return false;
    }
  }

  async #tryLater(entry: Entry): Promise<boolean> {
    try {
      await this.#make(entry);
      return true;
    } catch (error) {
      this.#failed(entry, error);
      return false;
    }
  }

  #failed(entry: Entry, error: unknown): void {
    const code = codeOf(error);
    if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) throw error;
    this.#result.problems.push({ path: shown(entry.path), reason: reasonOf(error) });
  }

  #directory(entry: Entry): void {
    const path = this.#to(entry);
    try {
      fs.mkdirSync(path, { mode: 0o700, recursive: entry.path.length === 0 });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    // The root may be given by way of a symlink; further down none is followed.
    const stat = entry.path.length === 0 ? fs.statSync(path) : fs.lstatSync(path);
    if (!stat.isDirectory()) {
      throw Object.assign(
        new Error(`ENOTDIR: something else has the name of a directory, '${shown(path)}'`),
        {
          code: 'ENOTDIR',
        },
      );
    }
    this.#parents.add(entry);
    this.#keepXattrs(entry);
    this.#result.entries++;
  }

  #keepXattrs(entry: Entry): void {
    const path = this.#from(entry);
    const names = this.#process.listxattrBytes(path, false);
    this.#xattrs.set(
      entry.path,
      names.map((name) => ({
        name: Buffer.from(name).toString('latin1'),
        value: Buffer.from(this.#process.getxattr(path, name, false)),
      })),
    );
  }

  async #make(entry: Entry): Promise<void> {
    const path = this.#to(entry);
    const first = entry.nlink > 1 ? this.#first.get(entry.identity) : undefined;
    if (first !== undefined) {
      replacing(path, () => fs.linkSync(first, path));
      this.#result.entries++;
      return;
    }
    switch (typeOf(entry.mode)) {
      case S_IFREG:
        await this.#file(entry, path);
        break;
      case S_IFLNK: {
        const text = this.#process.fs.readlinkSync(this.#from(entry), { encoding: 'buffer' });
        replacing(path, () => fs.symlinkSync(text, path));
        break;
      }
      case S_IFIFO:
      case S_IFCHR:
      case S_IFBLK:
        replacing(path, () => makeSpecial(path, entry));
        break;
      default:
        lose(this.#result, 'sockets (only the server that listens on one can make it)');
        return;
    }
    this.#owner(entry);
    this.#keepXattrs(entry);
    if (typeOf(entry.mode) !== S_IFLNK) fs.chmodSync(path, this.#modeOf(entry));
    this.#times.set(path, entry.atime, entry.mtime);
    if (entry.nlink > 1) this.#first.set(entry.identity, path);
    this.#result.entries++;
  }

  async #file(entry: Entry, path: Buffer): Promise<void> {
    const flags = fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_EXCL;
    const machine = this.#process;
    const source = machine.openat(AT_FDCWD, this.#from(entry), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const fd = replacing(path, () => fs.openSync(path, flags, 0o600));
      let whole = false;
      try {
        let end = 0;
        for (const [from, to] of dataOf(machine, source)) {
          end = await this.#copyRange(source, fd, from, to);
          if (end < to) break;
        }
        if (end < entry.size) fs.ftruncateSync(fd, entry.size);
        whole = true;
      } finally {
        fs.closeSync(fd);
        if (!whole) fs.unlinkSync(path);
      }
    } finally {
      machine.close(source);
    }
  }

  /** Copy up to `to` or the end of the file. Returns where it stopped. */
  async #copyRange(source: number, fd: number, from: number, to: number): Promise<number> {
    let at = from;
    while (at < to) {
      const length = Math.min(CHUNK_BYTES, to - at);
      const count = this.#process.fs.readSync(source, this.#buffer, 0, length, at);
      if (count === 0) break;
      for (let done = 0; done < count; )
        done += fs.writeSync(fd, this.#buffer, done, count - done, at + done);
      at += count;
      this.#result.bytes += count;
      this.#progress.bytes(count);
      await this.#breathe();
    }
    return at;
  }

  #owner(entry: Entry): void {
    if (this.#root) fs.lchownSync(this.#to(entry), entry.uid, entry.gid);
    else if (entry.uid !== process.getuid?.() || entry.gid !== process.getgid?.())
      lose(this.#result, 'owners (only root can give files away)');
  }

  #modeOf({ mode }: Entry): number {
    return mode & (this.#root ? 0o7777 : 0o7777 & ~(S_ISUID | S_ISGID));
  }
}

/** The ranges of an open file that hold data. A file system that cannot tell has one range. */
function* dataOf(machine: Process, fd: number): Generator<[number, number]> {
  let end = 0;
  for (;;) {
    let start: number;
    try {
      start = machine.lseek(fd, end, SEEK_DATA);
      end = machine.lseek(fd, start, SEEK_HOLE);
    } catch (error) {
      if (codeOf(error) === 'ENXIO') return;
      yield [end, Number.MAX_SAFE_INTEGER];
      return;
    }
    yield [start, end];
  }
}

/** Make a name; a file (no directory) that has it already is removed first. */
function replacing<T>(path: Buffer, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    fs.unlinkSync(path);
    return make();
  }
}

/** A command's arguments are text, and a path may be any bytes: it gets its name by renaming. */
function makeSpecial(path: Buffer, { mode, rdev }: Entry): void {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw Object.assign(new Error('EEXIST: file already exists'), { code: 'EEXIST' });
  }
  const slash = path.lastIndexOf('/');
  const directory = slash < 0 ? Buffer.from('.') : path.subarray(0, Math.max(slash, 1));
  const name = `.damselfly-${process.pid}`;
  const cwd = directory.toString('utf8');
  const [command, ...rest] =
    typeOf(mode) === S_IFIFO
      ? ['mkfifo', name]
      : ['mknod', name, typeOf(mode) === S_IFBLK ? 'b' : 'c', String(major(rdev)), String(minor(rdev))];
  try {
    execFileSync(command, rest, { cwd, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const detail = (error as { stderr?: string }).stderr?.trim() || reasonOf(error);
    throw Object.assign(new Error(`EPERM: ${detail}`), { code: 'EPERM' });
  }
  fs.renameSync(joinBytes(directory, Buffer.from(name)), path);
}
