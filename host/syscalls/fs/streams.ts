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

/** What a stream keeps; under a symbol, so that a stream can be set up in an object made elsewhere. */
const STATE = Symbol('state');

interface ReadState {
  readonly file: StreamFile;
  readonly end: number;
  position: number | undefined;
}

interface WriteState {
  readonly file: StreamFile;
  readonly flush: boolean;
  position: number | undefined;
}

/** The prototype of the ReadStream that programs see; see {@link constructorOf}. */
class ReadStreamMethods extends Readable {
  declare [STATE]: ReadState;
  declare flags: string | number;
  declare mode: number;
  declare start: number | undefined;
  declare end: number;
  declare bytesRead: number;

  get path(): string | Buffer | undefined {
    return this[STATE].file.path;
  }
  get fd(): number | null {
    return this[STATE].file.fd;
  }
  /** Set by those who bring an `open` of their own. */
  set fd(fd: number | null) {
    this[STATE].file.fd = fd;
  }
  get pending(): boolean {
    return this.fd === null;
  }

  override _construct(callback: Callback): void {
    construct(this, this[STATE].file, callback);
  }

  override _read(size: number): void {
    const state = this[STATE];
    const { file, position, end } = state;
    const left = position === undefined ? end + 1 - this.bytesRead : end - position + 1;
    const length = Math.min(size, left);
    if (length <= 0) {
      this.push(null);
      return;
    }
    const chunk = Buffer.allocUnsafe(length);
    file.move(
      (done) => file.fs.read(file.fd as number, chunk, 0, length, position ?? null, done),
      (error, count = 0) => {
        if (error) {
          this.destroy(error);
          return;
        }
        if (position !== undefined) state.position = position + count;
        this.bytesRead += count;
        this.push(count === 0 ? null : chunk.subarray(0, count));
      },
    );
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this[STATE].file.close(error, callback);
  }

  close(callback?: Callback): void {
    if (callback !== undefined) whenClosed(this, callback);
    this.destroy();
  }
}

class WriteStreamMethods extends Writable {
  declare [STATE]: WriteState;
  declare autoClose: boolean;
  declare flags: string | number;
  declare mode: number;
  declare start: number | undefined;
  declare bytesWritten: number;

  get path(): string | Buffer | undefined {
    return this[STATE].file.path;
  }
  get fd(): number | null {
    return this[STATE].file.fd;
  }
  set fd(fd: number | null) {
    this[STATE].file.fd = fd;
  }
  get pending(): boolean {
    return this.fd === null;
  }

  override _construct(callback: Callback): void {
    construct(this, this[STATE].file, callback);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    writeFrom(this, chunk, 0, callback);
  }

  override _writev(chunks: Array<{ chunk: Buffer }>, callback: Callback): void {
    writeFrom(this, Buffer.concat(chunks.map(({ chunk }) => chunk)), 0, callback);
  }

  override _final(callback: Callback): void {
    const { file, flush } = this[STATE];
    if (flush && file.fd !== null) file.fs.fsync(file.fd, callback);
    else callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this[STATE].file.close(error, callback);
  }

  close(callback?: Callback): void {
    if (callback !== undefined) whenClosed(this, callback);
    // Without autoClose, 'finish' does not destroy the stream.
    if (!this.autoClose) this.on('finish', () => this.destroy());
    this.end();
  }

  destroySoon(): void {
    this.end();
  }
}

/** A short write is followed by another. */
function writeFrom(stream: WriteStreamMethods, chunk: Buffer, offset: number, callback: Callback): void {
  const state = stream[STATE];
  const { file, position } = state;
  const length = chunk.length - offset;
  file.move(
    (done) => file.fs.write(file.fd as number, chunk, offset, length, position ?? null, done),
    (error, count = 0) => {
      if (error) {
        callback(error);
        return;
      }
      stream.bytesWritten += count;
      if (position !== undefined) state.position = position + count;
      if (count < length) writeFrom(stream, chunk, offset + count, callback);
      else callback();
    },
  );
}

export interface StreamClasses {
  ReadStream: new (path: unknown, options?: unknown) => Readable;
  WriteStream: new (path: unknown, options?: unknown) => Writable;
}

export function streamClasses(calls: HandleCalls): StreamClasses {
  return {
    ReadStream: constructorOf('ReadStream', ReadStreamMethods, (stream, path, options) =>
      setUpReader(calls, stream, path, options),
    ),
    WriteStream: constructorOf('WriteStream', WriteStreamMethods, (stream, path, options) =>
      setUpWriter(calls, stream, path, options),
    ),
  };
}

type SetUp<T> = (stream: T, path: unknown, options: unknown) => void;

/**
 * A constructor as Node's own are, functions and no classes: programs call them without `new`, and
 * on objects of their own that inherit from their prototypes.
 */
function constructorOf<T extends Readable | Writable>(
  name: string,
  methods: { readonly prototype: T },
  setUp: SetUp<T>,
): new (
  path: unknown,
  options?: unknown,
) => T {
  const parent = Object.getPrototypeOf(methods) as object;
  const prototype = Object.create(
    Object.getPrototypeOf(methods.prototype) as object,
    Object.getOwnPropertyDescriptors(methods.prototype),
  ) as T;
  function Stream(this: unknown, path: unknown, options?: unknown): unknown {
    if (!(this instanceof (Stream as unknown as new () => T)))
      return Reflect.construct(Stream, [path, options]);
    setUp(this, path, options);
    return this;
  }
  Object.setPrototypeOf(Stream, parent);
  Object.defineProperty(prototype, 'constructor', { value: Stream, writable: true, configurable: true });
  Object.defineProperty(Stream, 'prototype', { value: prototype });
  Object.defineProperty(Stream, 'name', { value: name, configurable: true });
  return Stream as unknown as new (
    path: unknown,
    options?: unknown,
  ) => T;
}

function setUpReader(calls: HandleCalls, stream: ReadStreamMethods, path: unknown, options: unknown): void {
  // All that may throw comes before the stream is made: once made, it opens the file.
  const checked = toOptions<StreamOptions>(options, {});
  const { highWaterMark = DEFAULT_READ_BYTES, encoding, autoClose = true, emitClose = true } = checked;
  const { flags = 'r', start, end } = readRange(checked);
  const mode = toMode(checked.mode, 'mode', 0o666);
  const file = new StreamFile(calls, path, checked);
  if (file.fd === null) readFlags(flags);
  stream[STATE] = { file, end, position: start };
  Object.assign(stream, { flags, mode, start, end, bytesRead: 0 });
  Reflect.apply(Readable, stream, [{ highWaterMark, encoding, autoDestroy: autoClose, emitClose }]);
  if (file.handle !== undefined) file.handle.on('close', () => stream.destroy());
  abortOn(stream, checked.signal);
}

function setUpWriter(calls: HandleCalls, stream: WriteStreamMethods, path: unknown, options: unknown): void {
  const checked = toOptions<StreamOptions>(options, {});
  const { highWaterMark, encoding, autoClose = true, emitClose = true } = checked;
  const flush = checkFlag(checked, 'flush');
  const start = checkedOffset(checked.start, 'start');
  const flags = checked.flags ?? (start === undefined ? 'w' : 'r+');
  const mode = toMode(checked.mode, 'mode', 0o666);
  const file = new StreamFile(calls, path, checked);
  if (file.fd === null) readFlags(flags);
  stream[STATE] = { file, flush, position: start };
  Object.assign(stream, { autoClose, flags, mode, start, bytesWritten: 0 });
  Reflect.apply(Writable, stream, [
    { highWaterMark, autoDestroy: autoClose, emitClose, decodeStrings: true },
  ]);
  if (encoding) stream.setDefaultEncoding(encoding);
  if (file.handle !== undefined) file.handle.on('close', () => stream.destroy());
  abortOn(stream, checked.signal);
}

function construct(
  stream: ReadStreamMethods | WriteStreamMethods,
  file: StreamFile,
  callback: Callback,
): void {
  if (file.fd !== null) {
    callback();
    return;
  }
  const { open } = stream as { open?: unknown };
  if (typeof open === 'function') {
    openByTheirs(stream, open as () => void, callback);
    return;
  }
  file.open(stream.flags, stream.mode, (error, fd) => {
    if (error) {
      callback(error);
      return;
    }
    callback();
    stream.emit('open', fd);
    stream.emit('ready');
  });
}

/**
 * A program that has given its streams an `open` method opens files itself (graceful-fs does, to
 * wait for descriptors): it sets `fd` and emits 'open', or emits 'error'.
 */
function openByTheirs(stream: Readable | Writable, open: () => void, callback: Callback): void {
  const { emit } = stream;
  stream.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event !== 'open' && event !== 'error') return Reflect.apply(emit, stream, [event, ...values]);
    stream.emit = emit;
    if (event === 'error') {
      callback(values[0] as Error);
      return true;
    }
    callback();
    const heard: boolean = Reflect.apply(emit, stream, [event, ...values]);
    stream.emit('ready');
    return heard;
  };
  Reflect.apply(open, stream, []);
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
