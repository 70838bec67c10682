/**
 * FileHandle: an open file as `fs.promises.open` gives it.
 */
import { EBADF } from '../../../assembly/abi/errno.ts';
import { EventEmitter, Buffer, type Interface, type Readable, readLines } from '#platform';
import { plainError } from './errors.ts';
import type { DataCalls } from './data.ts';
import { type FileCalls, writeOptions, type ReadFileOptions } from './files.ts';
import { type IoCalls, readArguments, writeArguments } from './io.ts';
import type { NameCalls, StatOptions } from './names.ts';
import type { StreamClasses } from './streams.ts';
import { checkObject, isView, toOptions } from './validate.ts';

export interface HandleCalls {
  data: DataCalls;
  io: IoCalls;
  files: FileCalls;
  names: NameCalls;
  /** The stream classes, which use handles themselves. */
  streams(): StreamClasses;
}

const READ_BYTES = 16384;
const WEB_STREAM_BYTES = 65536;

export class FileHandle extends EventEmitter {
  readonly #calls: HandleCalls;
  #fd: number;
  /** Operations under way: the descriptor is closed after the last. */
  #busy = 0;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #locked = false;

  constructor(calls: HandleCalls, fd: number) {
    super();
    this.#calls = calls;
    this.#fd = fd;
  }

  /** The descriptor; -1 when closed. */
  get fd(): number {
    return this.#fd;
  }

  async #use<T>(syscall: string, work: (fd: number) => T | Promise<T>): Promise<T> {
    if (this.#fd < 0 || this.#closing !== undefined) {
      throw Object.assign(new Error('file closed'), { code: 'EBADF', errno: -EBADF, syscall });
    }
    this.#busy++;
    try {
      return await work(this.#fd);
    } finally {
      if (--this.#busy === 0) this.#idle?.();
    }
  }

  read(...args: unknown[]) {
    return this.#use('read', async (fd) => {
      const [first] = args;
      let [buffer, offset, length, position] = args;
      let count = args.length;
      if (!isView(first)) {
        if (first !== undefined && first !== null) checkObject(first, 'options');
        const options = (first ?? {}) as Record<string, unknown>;
        buffer = options.buffer ?? Buffer.alloc(READ_BYTES);
        ({ offset, length, position } = options);
        length ??= (buffer as Buffer).byteLength - ((offset as number) ?? 0);
        count = 4;
      } else if (count > 1 && (typeof offset !== 'object' || offset === null)) {
        length ??= first.byteLength - ((offset as number) ?? 0);
        count = 4;
      }
      const t = readArguments(buffer, offset, length, position, count);
      return { bytesRead: await this.#calls.io.readLater(fd, t), buffer };
    });
  }

  write(buffer: unknown, offset?: unknown, length?: unknown, position?: unknown) {
    return this.#use('write', async (fd) => {
      if (isView(buffer) && buffer.byteLength === 0) return { bytesWritten: 0, buffer };
      const t = writeArguments(buffer, offset, length, position);
      return { bytesWritten: await this.#calls.io.writeLater(fd, t), buffer };
    });
  }

  readv(buffers: NodeJS.ArrayBufferView[], position?: number | null) {
    return this.#use('read', async (fd) => ({
      bytesRead: await this.#calls.io.readv(fd, buffers, position),
      buffers,
    }));
  }

  writev(buffers: NodeJS.ArrayBufferView[], position?: number | null) {
    return this.#use('write', async (fd) => ({
      bytesWritten: await this.#calls.io.writev(fd, buffers, position),
      buffers,
    }));
  }

  readFile(options?: unknown): Promise<string | Buffer> {
    return this.#use('fstat', async (fd) => {
      const { encoding, signal } = toOptions<ReadFileOptions>(options, {});
      const buffer = await this.#calls.files.readAllLater(fd, signal);
      return encoding && (encoding as string) !== 'buffer' ? buffer.toString(encoding) : buffer;
    });
  }

  writeFile(data: unknown, options?: unknown): Promise<void> {
    return this.#use('write', (fd) => this.#calls.files.writeAllLater(fd, data, writeOptions(options, 'w')));
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return this.writeFile(data, options);
  }

  readLines(options?: object): Interface {
    return readLines(this.createReadStream(options));
  }

  stat(options?: StatOptions) {
    return this.#use('fstat', (fd) => this.#calls.names.fstatSync(fd, options));
  }

  truncate(len = 0): Promise<void> {
    return this.#use('ftruncate', (fd) => this.#calls.data.ftruncateSync(fd, len));
  }

  utimes(atime: string | number | Date, mtime: string | number | Date): Promise<void> {
    return this.#use('futimes', (fd) => this.#calls.names.futimesSync(fd, atime, mtime));
  }

  chmod(mode: string | number): Promise<void> {
    return this.#use('fchmod', (fd) => this.#calls.names.fchmodSync(fd, mode));
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.#use('fchown', (fd) => this.#calls.names.fchownSync(fd, uid, gid));
  }

  sync(): Promise<void> {
    return this.#use('fsync', (fd) => this.#calls.data.fsyncSync(fd));
  }

  datasync(): Promise<void> {
    return this.#use('fdatasync', (fd) => this.#calls.data.fdatasyncSync(fd));
  }

  createReadStream(options?: object): Readable {
    return new this.#streams.ReadStream('', { ...options, fd: this });
  }

  createWriteStream(options?: object) {
    return new this.#streams.WriteStream('', { ...options, fd: this });
  }

  get #streams(): StreamClasses {
    return this.#calls.streams();
  }

  /** The file's bytes from its position on, as a web stream, which closes the file at its end if asked. */
  readableWebStream(options: { type?: 'bytes'; autoClose?: boolean } = {}): ReadableStream {
    if (this.#fd < 0) throw plainError('ERR_INVALID_STATE', 'Invalid state: The FileHandle is closed');
    if (this.#closing) throw plainError('ERR_INVALID_STATE', 'Invalid state: The FileHandle is closing');
    if (this.#locked) throw plainError('ERR_INVALID_STATE', 'Invalid state: The FileHandle is locked');
    this.#locked = true;
    const finish = async () => {
      if (options.autoClose) await this.close();
    };
    const source = {
      pull: async (controller: { enqueue(chunk: Uint8Array<ArrayBuffer>): void; close(): void }) => {
        const chunk = new Uint8Array(WEB_STREAM_BYTES);
        const count = await this.#use('read', (fd) =>
          this.#calls.data.readLater(fd, chunk, 0, chunk.length, -1),
        );
        if (count > 0) controller.enqueue(chunk.subarray(0, count));
        else {
          controller.close();
          await finish();
        }
      },
      cancel: finish,
    };
    if (options.type === 'bytes') return new ReadableStream({ ...source, type: 'bytes' });
    return new ReadableStream(source, { highWaterMark: 0 });
  }

  /** Close the file once what is under way is done. Closing twice is closing once. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  async #finish(): Promise<void> {
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    this.#calls.data.close(fd);
    this.emit('close');
  }
}

// TypeScript's name for the symbol may be newer than the engine's.
const asyncDispose: symbol = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
Object.defineProperty(FileHandle.prototype, asyncDispose, {
  configurable: true,
  writable: true,
  value(this: FileHandle) {
    return this.close();
  },
});
