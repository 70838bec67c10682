/**
 * ReadStream and WriteStream.
 */
import { Buffer, defer, Readable, Writable } from '#platform';
import { after } from './data.ts';
import { AbortError, invalidArgType, outOfRange } from './errors.ts';
import { FileHandle, type HandleCalls } from './handle.ts';
import { readFlags } from './io.ts';
import {
  checkFlag,
  checkFunction,
  checkInteger,
  type KernelPath,
  pathText,
  toFd,
  toMode,
  toOptions,
} from './validate.ts';

const DEFAULT_READ_BYTES = 65536;

type Callback = (error?: Error | null) => void;
type Opened = (error: Error | null, fd?: number) => void;
type Moved = (error: Error | null, count?: number) => void;

/** What the `fs` option may put in place of the machine's own functions. */
interface FsOption {
  open?: (path: KernelPath, flags: unknown, mode: number, callback: Opened) => void;
  close?: (fd: number, callback: Callback) => void;
  read?: (
    fd: number,
    buffer: Buffer,
    offset: number,
    length: number,
    position: number | null,
    callback: Moved,
  ) => void;
  write?: (
    fd: number,
    buffer: Buffer,
    offset: number,
    length: number,
    position: number | null,
    callback: Moved,
  ) => void;
  fsync?: (fd: number, callback: Callback) => void;
}

interface StreamOptions {
  flags?: string | number;
  encoding?: BufferEncoding;
  fd?: number | FileHandle | null;
  mode?: number | string;
  autoClose?: boolean;
  emitClose?: boolean;
  start?: number;
  end?: number;
  highWaterMark?: number;
  signal?: AbortSignal;
  flush?: boolean;
  fs?: FsOption | null;
}

type Functions = Required<FsOption>;

/** The file behind a stream: opened when it has only a path, and closed once nothing is under way. */
class StreamFile {
  readonly fs: Functions;
  readonly handle: FileHandle | undefined;
  readonly path: string | Buffer | undefined;
  fd: number | null;
  #busy = false;
  #whenIdle: (() => void) | undefined;

  constructor(calls: HandleCalls, path: unknown, options: StreamOptions) {
    this.fs = { ...functionsOf(calls), ...checkedFs(options.fs) };
    this.handle = options.fd instanceof FileHandle ? options.fd : undefined;
    if (this.handle !== undefined) this.fd = this.handle.fd;
    else if (options.fd === undefined || options.fd === null) this.fd = null;
    else this.fd = toFd(options.fd);
    // With a descriptor the path only tells where it came from.
    this.path = this.fd === null || (path !== '' && path != null) ? streamPath(path) : undefined;
  }

  open(flags: unknown, mode: number, callback: Opened): void {
    this.fs.open(this.path as string, flags, mode, (error, fd) => {
      if (!error) this.fd = fd as number;
      callback(error, fd);
    });
  }

  /** One transfer at a time, as streams make them. */
  move(start: (done: Moved) => void, callback: Moved): void {
    this.#busy = true;
    start((error, count) => {
      this.#busy = false;
      callback(error, count);
      this.#whenIdle?.();
    });
  }

  close(error: Error | null, callback: Callback): void {
    if (this.#busy) {
      this.#whenIdle = () => this.close(error, callback);
      return;
    }
    this.#whenIdle = undefined;
    const { fd, handle } = this;
    this.fd = null;
    if (handle !== undefined) handle.close().then(() => callback(error), callback);
    else if (fd !== null) this.fs.close(fd, (closing) => callback(closing ?? error));
    else callback(error);
  }
}

function streamPath(path: unknown): string | Buffer {
  return path instanceof Uint8Array ? Buffer.from(path) : pathText(path);
}

export function streamClasses(calls: HandleCalls): StreamClasses {
  class ReadStream extends Readable {
    readonly #file: StreamFile;
    readonly #end: number;
    #position: number | undefined;
    readonly flags: string | number;
    readonly mode: number;
    start: number | undefined;
    end: number;
    bytesRead = 0;

    constructor(path: unknown, options?: unknown) {
      // All that may throw comes before the stream is made: once made, it opens the file.
      const checked = toOptions<StreamOptions>(options, {});
      const { highWaterMark = DEFAULT_READ_BYTES, encoding, autoClose = true, emitClose = true } = checked;
      const { flags = 'r', start, end } = readRange(checked);
      const mode = toMode(checked.mode, 'mode', 0o666);
      const file = new StreamFile(calls, path, checked);
      if (file.fd === null) readFlags(flags);
      super({ highWaterMark, encoding, autoDestroy: autoClose, emitClose });
      this.#file = file;
      this.flags = flags;
      this.mode = mode;
      this.start = start;
      this.end = end;
      this.#end = end;
      this.#position = start;
      if (file.handle !== undefined) file.handle.on('close', () => this.destroy());
      abortOn(this, checked.signal);
    }

    get path(): string | Buffer | undefined {
      return this.#file.path;
    }
    get fd(): number | null {
      return this.#file.fd;
    }
    get pending(): boolean {
      return this.#file.fd === null;
    }

    override _construct(callback: Callback): void {
      construct(this, this.#file, this.flags, this.mode, callback);
    }

    override _read(size: number): void {
      const left =
        this.#position === undefined ? this.#end + 1 - this.bytesRead : this.#end - this.#position + 1;
      const length = Math.min(size, left);
      if (length <= 0) {
        this.push(null);
        return;
      }
      const file = this.#file;
      const chunk = Buffer.allocUnsafe(length);
      const from = this.#position ?? null;
      file.move(
        (done) => file.fs.read(file.fd as number, chunk, 0, length, from, done),
        (error, count = 0) => {
          if (error) {
            this.destroy(error);
            return;
          }
          if (this.#position !== undefined) this.#position += count;
          this.bytesRead += count;
          this.push(count === 0 ? null : chunk.subarray(0, count));
        },
      );
    }

    override _destroy(error: Error | null, callback: Callback): void {
      this.#file.close(error, callback);
    }

    close(callback?: Callback): void {
      if (callback !== undefined) whenClosed(this, callback);
      this.destroy();
    }
  }

  class WriteStream extends Writable {
    readonly #file: StreamFile;
    readonly #flush: boolean;
    #position: number | undefined;
    readonly #autoClose: boolean;
    readonly flags: string | number;
    readonly mode: number;
    start: number | undefined;
    bytesWritten = 0;

    constructor(path: unknown, options?: unknown) {
      const checked = toOptions<StreamOptions>(options, {});
      const { highWaterMark, encoding, autoClose = true, emitClose = true } = checked;
      const flush = checkFlag(checked, 'flush');
      const start = checkedOffset(checked.start, 'start');
      const flags = checked.flags ?? (start === undefined ? 'w' : 'r+');
      const mode = toMode(checked.mode, 'mode', 0o666);
      const file = new StreamFile(calls, path, checked);
      if (file.fd === null) readFlags(flags);
      super({ highWaterMark, autoDestroy: autoClose, emitClose, decodeStrings: true });
      this.#file = file;
      this.#flush = flush;
      this.#autoClose = autoClose;
      this.start = start;
      this.#position = start;
      this.flags = flags;
      this.mode = mode;
      if (encoding) this.setDefaultEncoding(encoding);
      if (file.handle !== undefined) file.handle.on('close', () => this.destroy());
      abortOn(this, checked.signal);
    }

    get path(): string | Buffer | undefined {
      return this.#file.path;
    }
    get fd(): number | null {
      return this.#file.fd;
    }
    get pending(): boolean {
      return this.#file.fd === null;
    }

    override _construct(callback: Callback): void {
      construct(this, this.#file, this.flags, this.mode, callback);
    }

    override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
      this.#writeFrom(chunk, 0, callback);
    }

    override _writev(chunks: Array<{ chunk: Buffer }>, callback: Callback): void {
      this.#writeFrom(Buffer.concat(chunks.map(({ chunk }) => chunk)), 0, callback);
    }

    /** A short write is followed by another. */
    #writeFrom(chunk: Buffer, offset: number, callback: Callback): void {
      const file = this.#file;
      const length = chunk.length - offset;
      file.move(
        (done) => file.fs.write(file.fd as number, chunk, offset, length, this.#position ?? null, done),
        (error, count = 0) => {
          if (error) {
            callback(error);
            return;
          }
          this.bytesWritten += count;
          if (this.#position !== undefined) this.#position += count;
          if (count < length) this.#writeFrom(chunk, offset + count, callback);
          else callback();
        },
      );
    }

    override _final(callback: Callback): void {
      const file = this.#file;
      if (this.#flush && file.fd !== null) file.fs.fsync(file.fd, callback);
      else callback();
    }

    override _destroy(error: Error | null, callback: Callback): void {
      this.#file.close(error, callback);
    }

    close(callback?: Callback): void {
      if (callback !== undefined) whenClosed(this, callback);
      // Without autoClose, 'finish' does not destroy the stream.
      if (!this.#autoClose) this.on('finish', () => this.destroy());
      this.end();
    }

    destroySoon(): void {
      this.end();
    }
  }

  return { ReadStream, WriteStream };
}

export interface StreamClasses {
  ReadStream: new (path: unknown, options?: unknown) => Readable;
  WriteStream: new (path: unknown, options?: unknown) => Writable;
}

function construct(
  stream: Readable | Writable,
  file: StreamFile,
  flags: unknown,
  mode: number,
  callback: Callback,
): void {
  if (file.fd !== null) {
    callback();
    return;
  }
  file.open(flags, mode, (error, fd) => {
    if (error) {
      callback(error);
      return;
    }
    callback();
    stream.emit('open', fd);
    stream.emit('ready');
  });
}

function readRange(options: StreamOptions): {
  flags?: string | number;
  start: number | undefined;
  end: number;
} {
  const start = checkedOffset(options.start, 'start');
  const { end } = options;
  const last =
    end === Number.POSITIVE_INFINITY ? end : (checkedOffset(end, 'end') ?? Number.POSITIVE_INFINITY);
  if (start !== undefined && start > last) throw outOfRange('start', `<= "end" (here: ${last})`, start);
  return { flags: options.flags ?? undefined, start, end: last };
}

/** The base class would destroy an aborted stream before it knows its file. */
function abortOn(stream: Readable | Writable, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const abort = () => stream.destroy(new AbortError(signal.reason));
  if (signal.aborted) {
    abort();
    return;
  }
  signal.addEventListener('abort', abort, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', abort));
}

function whenClosed(stream: Readable | Writable, callback: Callback): void {
  if (stream.closed) queueMicrotask(callback);
  else stream.once('close', callback);
}

function checkedOffset(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  checkInteger(value, name, 0);
  return value;
}

/** The machine's own functions in the shape that streams call. */
function functionsOf({ data }: HandleCalls): Functions {
  const answer = <T>(work: () => T | Promise<T>, callback: (error: Error | null, value?: T) => void) => {
    let result: T | Promise<T>;
    try {
      result = work();
    } catch (error) {
      defer(() => callback(error as Error));
      return;
    }
    if (result instanceof Promise) result.then((value) => callback(null, value), callback);
    else defer(() => callback(null, result as T));
  };
  return {
    open: (path, flags, mode, callback) =>
      answer(() => data.openLater(path, readFlags(flags), mode), callback),
    close: (fd, callback) => answer(() => data.close(fd), callback),
    read: (fd, buffer, offset, length, position, callback) =>
      answer(
        () => after(data.readLater(fd, buffer, offset, length, position ?? -1), (count) => count),
        callback,
      ),
    write: (fd, buffer, offset, length, position, callback) =>
      answer(() => data.writeLater(fd, buffer, offset, length, position ?? -1), callback),
    fsync: (fd, callback) => answer(() => data.fsyncSync(fd), callback),
  };
}

function checkedFs(fs: FsOption | null | undefined): FsOption {
  if (fs === undefined || fs === null) return {};
  if (typeof fs !== 'object') throw invalidArgType('options.fs', 'of type object', fs);
  const given: FsOption = {};
  for (const name of ['open', 'close', 'read', 'write', 'fsync'] as const) {
    if (fs[name] === undefined) continue;
    checkFunction(fs[name], `options.fs.${name}`);
    Object.assign(given, { [name]: fs[name].bind(fs) });
  }
  return given;
}
