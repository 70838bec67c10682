/// <reference types="node" preserve="true" />
/**
 * What a page has of a machine in a worker. It is what the machine itself offers, all of it in
 * promises; bytes that come from the machine are a Uint8Array where Node gives a Buffer.
 */
import type * as nodeFs from 'node:fs';
import type { BootOptions } from '../machine/boot.ts';
import type { Flavour } from '../machine/kernels.ts';
import type { Snapshot } from '../machine/snapshot.ts';
import type { Credentials, Process, ProcessOptions } from '../syscalls/process.ts';
import type { GlobEntryOptions, GlobOptions, NodeFsPromises } from '../syscalls/fs/types.ts';
import type { PROCESS_CALLS } from './names.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Path = nodeFs.PathLike;
type File = Path | RemoteFile;
type TextOptions =
  | { encoding: BufferEncoding; flag?: string | number; signal?: AbortSignal }
  | BufferEncoding;
type BytesOptions = { encoding?: null; flag?: string | number; signal?: AbortSignal } | null;
type BytesEncoding = { encoding: 'buffer' } | 'buffer';
type WriteOptions =
  | {
      encoding?: BufferEncoding | null;
      mode?: number | string;
      flag?: string | number;
      flush?: boolean;
      signal?: AbortSignal;
    }
  | BufferEncoding
  | null;
type Data =
  | string
  | ArrayBufferView
  | Iterable<string | ArrayBufferView>
  | AsyncIterable<string | ArrayBufferView>;
type Entry = nodeFs.Dirent;
type Views = readonly ArrayBufferView[];

/** A file opened by {@link RemoteFs.open}. If it is lost without being closed, it is closed some time. */
export interface RemoteFile extends AsyncDisposable {
  /** The descriptor in the machine; -1 when closed. */
  readonly fd: number;
  read<T extends ArrayBufferView>(
    buffer: T,
    offset?: number | null,
    length?: number | null,
    position?: number | bigint | null,
  ): Promise<{ bytesRead: number; buffer: T }>;
  read<T extends ArrayBufferView = Bytes>(options?: {
    buffer?: T;
    offset?: number | null;
    length?: number | null;
    position?: number | bigint | null;
  }): Promise<{ bytesRead: number; buffer: T }>;
  readv<T extends Views>(buffers: T, position?: number): Promise<{ bytesRead: number; buffers: T }>;
  readFile(options: TextOptions): Promise<string>;
  readFile(options?: BytesOptions): Promise<Bytes>;
  /** The lines from here on. */
  readLines(): AsyncIterableIterator<string>;
  /** The bytes from here on; `autoClose` closes the file at the end. */
  readableWebStream(options?: { autoClose?: boolean }): ReadableStream<Bytes>;
  write(
    data: ArrayBufferView,
    offset?: number | null,
    length?: number | null,
    position?: number | null,
  ): Promise<{ bytesWritten: number }>;
  write(
    data: string,
    position?: number | null,
    encoding?: BufferEncoding | null,
  ): Promise<{ bytesWritten: number }>;
  writev(buffers: Views, position?: number): Promise<{ bytesWritten: number }>;
  writeFile(data: Data, options?: WriteOptions): Promise<void>;
  appendFile(data: Data, options?: WriteOptions): Promise<void>;
  stat(options?: { bigint?: false }): Promise<nodeFs.Stats>;
  stat(options: { bigint: true }): Promise<nodeFs.BigIntStats>;
  truncate(length?: number): Promise<void>;
  utimes(atime: nodeFs.TimeLike, mtime: nodeFs.TimeLike): Promise<void>;
  chmod(mode: nodeFs.Mode): Promise<void>;
  chown(uid: number, gid: number): Promise<void>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** A directory opened by {@link RemoteFs.opendir}. */
export interface RemoteDir extends AsyncDisposable, AsyncIterable<Entry> {
  readonly path: string;
  read(): Promise<Entry | null>;
  close(): Promise<void>;
}

type Alike =
  | 'access'
  | 'chmod'
  | 'chown'
  | 'copyFile'
  | 'cp'
  | 'lchown'
  | 'link'
  | 'lstat'
  | 'lutimes'
  | 'mkdir'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'statfs'
  | 'symlink'
  | 'truncate'
  | 'unlink'
  | 'utimes'
  | 'constants';

/** `fs.promises` of a machine in a worker. */
export interface RemoteFs extends Pick<NodeFsPromises, Alike> {
  open(path: Path, flags?: string | number, mode?: nodeFs.Mode): Promise<RemoteFile>;
  opendir(path: Path, options?: nodeFs.OpenDirOptions): Promise<RemoteDir>;
  readFile(path: File, options: TextOptions): Promise<string>;
  readFile(path: File, options?: BytesOptions): Promise<Bytes>;
  writeFile(path: File, data: Data, options?: WriteOptions): Promise<void>;
  appendFile(path: File, data: Data, options?: WriteOptions): Promise<void>;
  readdir(path: Path, options: { withFileTypes: true; recursive?: boolean }): Promise<Entry[]>;
  readdir(path: Path, options: BytesEncoding): Promise<Bytes[]>;
  readdir(
    path: Path,
    options?:
      | { encoding?: BufferEncoding | null; withFileTypes?: false; recursive?: boolean }
      | BufferEncoding,
  ): Promise<string[]>;
  readlink(path: Path, options: BytesEncoding): Promise<Bytes>;
  readlink(path: Path, options?: { encoding?: BufferEncoding | null } | BufferEncoding): Promise<string>;
  realpath(path: Path, options: BytesEncoding): Promise<Bytes>;
  realpath(path: Path, options?: { encoding?: BufferEncoding | null } | BufferEncoding): Promise<string>;
  mkdtemp(prefix: string, options?: { encoding?: BufferEncoding | null } | BufferEncoding): Promise<string>;
  /** `exclude` can only be patterns: a function of the page's cannot be asked at once. */
  glob(
    pattern: string | readonly string[],
    options: RemoteGlobOptions<GlobEntryOptions>,
  ): AsyncIterableIterator<Entry>;
  glob(
    pattern: string | readonly string[],
    options?: RemoteGlobOptions<GlobOptions>,
  ): AsyncIterableIterator<string>;
  watch(
    path: Path,
    options?: { recursive?: boolean; persistent?: boolean; encoding?: BufferEncoding; signal?: AbortSignal },
  ): AsyncIterableIterator<{ eventType: string; filename: string | null }>;
}

type RemoteGlobOptions<T> = Omit<T, 'exclude'> & { exclude?: readonly string[] };

type Later<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
type ProcessCall = (typeof PROCESS_CALLS)[number];
type ProcessCalls = { [Name in ProcessCall]: Later<Process[Name]> } & {
  flock: Process['flockLater'];
  setLock: Process['setLockLater'];
  poll: Process['pollLater'];
};

/** A process of a machine in a worker: its `fs`, and system calls that node:fs does not have. */
export interface RemoteProcess extends ProcessCalls {
  readonly pid: number;
  readonly fs: RemoteFs;
}

export interface RemoteProcessOptions extends Omit<ProcessOptions, 'parent'> {
  /** Whose working directory, root and mask it inherits: a pid; process 1's if absent. */
  parent?: number;
}

export interface RemoteStatus {
  /** Bytes of RAM that nothing uses; caches count as used. */
  ramFreeBytes: number;
  /** Frames of 4 KiB in use. */
  framesInUse: number;
  /** What the kernel has logged, its last 4 KiB. */
  log: string;
}

/** A machine that runs in a worker. */
export interface RemoteMachine extends AsyncDisposable {
  readonly flavour: Flavour;
  /** RAM in bytes. */
  readonly ramBytes: number;
  /** The promises of node:fs, as the credentials given at boot (root unless told). */
  readonly fs: RemoteFs;
  /** A new process, a child of process 1 unless `parent` is given. */
  process(options?: RemoteProcessOptions): Promise<RemoteProcess>;
  /** A process that exists already. */
  attach(pid: number): Promise<RemoteProcess>;
  /** Everything the machine is, copied: boot({ from }) makes it again, in any worker or here. */
  snapshot(): Promise<Snapshot>;
  /** Free what only caches hold. */
  reclaim(): Promise<void>;
  /** Move a virtual clock forward. */
  advanceClock(ms: number): Promise<void>;
  status(): Promise<RemoteStatus>;
  /**
   * End the machine; its worker goes on, and is its owner's to terminate. What waits is rejected with
   * ESRCH, as is every later call. Rejects with a LeakError in debug flavours when kernel objects
   * are left over.
   */
  shutdown(): Promise<void>;
}

/** As boot()'s; `console` is called in the page. Disks cannot cross to the worker, but a snapshot's can. */
export type RemoteBootOptions = Omit<BootOptions, 'disks'>;

export type { Credentials, Flavour, Snapshot };
