/** A probe (probe.ts) from outside: its calls, and the records in its memory. */
import {
  RIGHTS_DIRECTORY,
  RIGHTS_FILE,
  WASI_DIRENT_SIZE,
  WASI_EVENT_SIZE,
  WASI_LOOKUP_FOLLOW,
  WASI_SUB_SIZE,
} from '../../assembly/abi/wasi.ts';

export interface OpenOptions {
  dirflags?: number;
  oflags?: number;
  base?: bigint;
  inheriting?: bigint;
  fdflags?: number;
}

export interface Dirent {
  next: bigint;
  ino: bigint;
  type: number;
  name: string;
}

export interface Filestat {
  dev: bigint;
  ino: bigint;
  type: number;
  nlink: bigint;
  size: bigint;
  atim: bigint;
  mtim: bigint;
  ctim: bigint;
}

export interface Fdstat {
  type: number;
  flags: number;
  base: bigint;
  inheriting: bigint;
}

export interface Event {
  userdata: bigint;
  error: number;
  type: number;
  nbytes: bigint;
  flags: number;
}

export type Subscription =
  | { userdata?: bigint; clock: number; timeout: bigint; flags?: number }
  | { userdata?: bigint; fd: number; write?: boolean };

export const FILE: bigint = BigInt(RIGHTS_FILE);
export const DIRECTORY: bigint = BigInt(RIGHTS_DIRECTORY);

/** Where results go, paths, iovecs with their data, and big buffers, in the probe's memory. */
const RESULT = 0x100;
const PATH1 = 0x1000;
const PATH2 = 0x4000;
const IOVECS = 0x8000;
const DATA = 0x10000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Handle {
  readonly exports: WebAssembly.Exports;
  readonly memory: WebAssembly.Memory;

  constructor(exports: WebAssembly.Exports) {
    this.exports = exports;
    this.memory = exports.memory as WebAssembly.Memory;
  }

  get u8(): Uint8Array {
    return new Uint8Array(this.memory.buffer);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** What a function returns: WASI's errno. */
  call(name: string, ...args: (number | bigint)[]): number {
    return (this.exports[name] as (...args: (number | bigint)[]) => number)(...args);
  }

  put(at: number, data: string | Uint8Array): number {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    this.u8.set(bytes, at);
    return bytes.length;
  }

  text(at: number, length: number): string {
    return decoder.decode(this.u8.slice(at, at + length));
  }

  /** Pointer and length of a path. */
  path(path: string, at = PATH1): [number, number] {
    return [at, this.put(at, path)];
  }

  /** The descriptor, or the negated errno. */
  open(dir: number, path: string, options: OpenOptions = {}): number {
    const { dirflags = WASI_LOOKUP_FOLLOW, oflags = 0, base = FILE, inheriting = 0n, fdflags = 0 } = options;
    const errno = this.call(
      'path_open',
      dir,
      dirflags,
      ...this.path(path),
      oflags,
      base,
      inheriting,
      fdflags,
      RESULT,
    );
    return errno === 0 ? this.view.getUint32(RESULT, true) : -errno;
  }

  /** iovecs over pieces of the data area: their address and number. */
  iovecs(lengths: readonly number[]): [number, number] {
    let at = DATA;
    for (const [i, length] of lengths.entries()) {
      this.view.setUint32(IOVECS + 8 * i, at, true);
      this.view.setUint32(IOVECS + 8 * i + 4, length, true);
      at += length;
    }
    return [IOVECS, lengths.length];
  }

  /** What was read, or the negated errno. */
  read(fd: number, ...lengths: number[]): string | number {
    const errno = this.call('fd_read', fd, ...this.iovecs(lengths), RESULT);
    return errno === 0 ? this.text(DATA, this.view.getUint32(RESULT, true)) : -errno;
  }

  pread(fd: number, offset: bigint, ...lengths: number[]): string | number {
    const errno = this.call('fd_pread', fd, ...this.iovecs(lengths), offset, RESULT);
    return errno === 0 ? this.text(DATA, this.view.getUint32(RESULT, true)) : -errno;
  }

  /** Bytes written, or the negated errno. */
  write(fd: number, ...pieces: string[]): number {
    this.put(DATA, pieces.join(''));
    const errno = this.call(
      'fd_write',
      fd,
      ...this.iovecs(pieces.map((piece) => encoder.encode(piece).length)),
      RESULT,
    );
    return errno === 0 ? this.view.getUint32(RESULT, true) : -errno;
  }

  pwrite(fd: number, offset: bigint, ...pieces: string[]): number {
    this.put(DATA, pieces.join(''));
    const errno = this.call(
      'fd_pwrite',
      fd,
      ...this.iovecs(pieces.map((piece) => encoder.encode(piece).length)),
      offset,
      RESULT,
    );
    return errno === 0 ? this.view.getUint32(RESULT, true) : -errno;
  }

  seek(fd: number, offset: bigint, whence: number): bigint | number {
    const errno = this.call('fd_seek', fd, offset, whence, RESULT);
    return errno === 0 ? this.view.getBigUint64(RESULT, true) : -errno;
  }

  tell(fd: number): bigint | number {
    const errno = this.call('fd_tell', fd, RESULT);
    return errno === 0 ? this.view.getBigUint64(RESULT, true) : -errno;
  }

  fdstat(fd: number): Fdstat | number {
    const errno = this.call('fd_fdstat_get', fd, RESULT);
    const { view } = this;
    if (errno !== 0) return -errno;
    return {
      type: view.getUint8(RESULT),
      flags: view.getUint16(RESULT + 2, true),
      base: view.getBigUint64(RESULT + 8, true),
      inheriting: view.getBigUint64(RESULT + 16, true),
    };
  }

  #filestat(errno: number): Filestat | number {
    const { view } = this;
    const u64 = (offset: number) => view.getBigUint64(RESULT + offset, true);
    if (errno !== 0) return -errno;
    return {
      dev: u64(0),
      ino: u64(8),
      type: view.getUint8(RESULT + 16),
      nlink: u64(24),
      size: u64(32),
      atim: u64(40),
      mtim: u64(48),
      ctim: u64(56),
    };
  }

  fstat(fd: number): Filestat | number {
    return this.#filestat(this.call('fd_filestat_get', fd, RESULT));
  }

  stat(dir: number, path: string, flags: number = WASI_LOOKUP_FOLLOW): Filestat | number {
    return this.#filestat(this.call('path_filestat_get', dir, flags, ...this.path(path), RESULT));
  }

  readlink(dir: number, path: string, length = 4096): string | number {
    const errno = this.call('path_readlink', dir, ...this.path(path), DATA, length, RESULT);
    return errno === 0 ? this.text(DATA, this.view.getUint32(RESULT, true)) : -errno;
  }

  rename(dir: number, from: string, toDir: number, to: string): number {
    return this.call('path_rename', dir, ...this.path(from), toDir, ...this.path(to, PATH2));
  }

  link(dir: number, flags: number, from: string, toDir: number, to: string): number {
    return this.call('path_link', dir, flags, ...this.path(from), toDir, ...this.path(to, PATH2));
  }

  symlink(target: string, dir: number, path: string): number {
    return this.call('path_symlink', ...this.path(target), dir, ...this.path(path, PATH2));
  }

  /** A listing's bytes: what was used of the buffer, and the whole entries in it. */
  readdir(fd: number, length = 4096, cookie = 0n): { used: number; entries: Dirent[] } | number {
    const errno = this.call('fd_readdir', fd, DATA, length, cookie, RESULT);
    if (errno !== 0) return -errno;
    const { view } = this;
    const used = view.getUint32(RESULT, true);
    const entries: Dirent[] = [];
    for (let at = 0; at + WASI_DIRENT_SIZE <= used; ) {
      const namlen = view.getUint32(DATA + at + 16, true);
      if (at + WASI_DIRENT_SIZE + namlen > used) break;
      entries.push({
        next: view.getBigUint64(DATA + at, true),
        ino: view.getBigUint64(DATA + at + 8, true),
        type: view.getUint8(DATA + at + 20),
        name: this.text(DATA + at + WASI_DIRENT_SIZE, namlen),
      });
      at += WASI_DIRENT_SIZE + namlen;
    }
    return { used, entries };
  }

  /** The events of a poll, or the negated errno. */
  poll(subscriptions: readonly Subscription[]): Event[] | number {
    const events = DATA + subscriptions.length * WASI_SUB_SIZE;
    this.u8.fill(0xff, DATA, events + subscriptions.length * WASI_EVENT_SIZE);
    const { view } = this;
    for (const [i, sub] of subscriptions.entries()) {
      const at = DATA + i * WASI_SUB_SIZE;
      view.setBigUint64(at, sub.userdata ?? BigInt(i), true);
      view.setUint8(at + 8, 'clock' in sub ? 0 : sub.write ? 2 : 1);
      view.setUint32(at + 16, 'clock' in sub ? sub.clock : sub.fd, true);
      if (!('clock' in sub)) continue;
      view.setBigUint64(at + 24, sub.timeout, true);
      view.setBigUint64(at + 32, 0n, true);
      view.setUint16(at + 40, sub.flags ?? 0, true);
    }
    const errno = this.call('poll_oneoff', DATA, events, subscriptions.length, RESULT);
    if (errno !== 0) return -errno;
    const count = this.view.getUint32(RESULT, true);
    return Array.from({ length: count }, (_, i) => {
      const at = events + i * WASI_EVENT_SIZE;
      return {
        userdata: view.getBigUint64(at, true),
        error: view.getUint16(at + 8, true),
        type: view.getUint8(at + 10),
        nbytes: view.getBigUint64(at + 16, true),
        flags: view.getUint16(at + 24, true),
      };
    });
  }
}
