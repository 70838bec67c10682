/**
 * open, read, write, readv and writev as node:fs gives them: their many forms of arguments, for
 * the synchronous functions and for those that answer later.
 */
import { Buffer, hostConstants } from '#platform';
import type { DataCalls } from './data.ts';
import { invalidArgType, invalidArgValue } from './errors.ts';
import { flagReader } from './flags.ts';
import {
  bytesOf,
  checkBuffers,
  checkInteger,
  checkObject,
  checkRange,
  isView,
  toFd,
  toMode,
  toPath,
  toPosition,
} from './validate.ts';

export const readFlags = flagReader(hostConstants);

/** A checked read or write: part of a buffer, and where in the file (< 0: the file's own position). */
export interface Transfer {
  bytes: Uint8Array;
  offset: number;
  length: number;
  position: number;
}

interface TransferOptions {
  offset?: number | null;
  length?: number | null;
  position?: number | bigint | null;
}

const NO_TRANSFER: Transfer = { bytes: new Uint8Array(0), offset: 0, length: 0, position: -1 };

/** Arguments (buffer, offset, length, position) or (buffer, options) of a read. */
export function readArguments(
  buffer: unknown,
  offsetOrOptions: unknown,
  length: unknown,
  position: unknown,
  count: number,
): Transfer {
  if (!isView(buffer))
    throw invalidArgType('buffer', 'an instance of Buffer, TypedArray, or DataView', buffer);
  let offset = offsetOrOptions;
  let size = length;
  let at = position;
  // Like Node, tell the two forms apart by how many arguments were given.
  if (count <= 2 || (offset !== null && typeof offset === 'object')) {
    if (offset !== undefined && offset !== null) checkObject(offset, 'options');
    const options = (offset ?? {}) as TransferOptions;
    offset = options.offset ?? 0;
    size = options.length ?? buffer.byteLength - (offset as number);
    at = options.position;
  }
  const start = offset ?? 0;
  checkInteger(start, 'offset', 0);
  const wanted = (size as number) | 0;
  if (wanted === 0) return NO_TRANSFER;
  if (buffer.byteLength === 0) throw invalidArgValue('buffer', buffer, 'is empty and cannot be written');
  checkRange(start, wanted, buffer.byteLength, false);
  return { bytes: bytesOf(buffer), offset: start, length: wanted, position: toPosition(at) };
}

/** Arguments of a write: (view, offset, length, position), (view, options) or (text, position, encoding). */
export function writeArguments(
  data: unknown,
  offsetOrOptions: unknown,
  length: unknown,
  position: unknown,
): Transfer {
  if (typeof data === 'string') {
    const encoding = length === undefined || length === null ? 'utf8' : length;
    if (typeof encoding !== 'string' || !Buffer.isEncoding(encoding)) {
      throw invalidArgValue('encoding', encoding, 'is invalid encoding');
    }
    if (encoding === 'hex' && data.length % 2 !== 0) {
      throw invalidArgValue('encoding', encoding, `is invalid for data of length ${data.length}`);
    }
    const bytes = Buffer.from(data, encoding);
    const at = typeof offsetOrOptions === 'number' ? toPosition(offsetOrOptions) : -1;
    return { bytes, offset: 0, length: bytes.length, position: at };
  }
  if (!isView(data)) {
    throw invalidArgType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
  }
  let offset = offsetOrOptions;
  let size = length;
  let at = position;
  if (typeof offset === 'object' && offset !== null) {
    const options = offset as TransferOptions;
    offset = options.offset;
    size = options.length;
    at = options.position;
  }
  const start = offset ?? 0;
  checkInteger(start, 'offset', 0);
  const wanted = typeof size === 'number' ? size : data.byteLength - start;
  checkRange(start, wanted, data.byteLength, true);
  checkInteger(wanted, 'length', 0);
  return {
    bytes: bytesOf(data),
    offset: start,
    length: wanted,
    position: typeof at === 'number' ? toPosition(at) : -1,
  };
}

export function ioCalls(data: DataCalls) {
  function openSync(path: string, flags?: unknown, mode?: unknown): number {
    const name = typeof path === 'string' ? path : toPath(path);
    const bits = readFlags(flags);
    return data.open(name, bits, mode === undefined ? 0o666 : toMode(mode, 'mode', 0o666));
  }

  function open(path: unknown, flags?: unknown, mode?: unknown): number | Promise<number> {
    const name = toPath(path);
    const bits = readFlags(flags);
    return data.openLater(name, bits, toMode(mode, 'mode', 0o666));
  }

  function readSync(
    fd: number,
    buffer: NodeJS.ArrayBufferView,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): number {
    // The usual call, without the general form's object.
    if (
      buffer instanceof Uint8Array &&
      typeof offset === 'number' &&
      typeof length === 'number' &&
      (length | 0) === length &&
      offset >= 0 &&
      length > 0 &&
      offset + length <= buffer.length &&
      Number.isInteger(offset)
    ) {
      const at =
        position === null || position === undefined
          ? -1
          : typeof position === 'number' && position >= 0 && Number.isSafeInteger(position)
            ? position
            : toPosition(position);
      return data.read(toFd(fd), buffer, offset, length, at);
    }
    const file = toFd(fd);
    // biome-ignore lint/complexity/noArguments: the number of arguments given decides the form
    const t = readArguments(buffer, offset, length, position, arguments.length - 1);
    return t.length === 0 ? 0 : data.read(file, t.bytes, t.offset, t.length, t.position);
  }

  function writeSync(
    fd: number,
    buffer: NodeJS.ArrayBufferView | string,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): number {
    if (
      buffer instanceof Uint8Array &&
      typeof offset === 'number' &&
      typeof length === 'number' &&
      (length | 0) === length &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= buffer.length &&
      Number.isInteger(offset)
    ) {
      const at =
        typeof position !== 'number'
          ? -1
          : position >= 0 && Number.isSafeInteger(position)
            ? position
            : toPosition(position);
      return data.write(toFd(fd), buffer, offset, length, at);
    }
    const file = toFd(fd);
    const t = writeArguments(buffer, offset, length, position);
    return data.write(file, t.bytes, t.offset, t.length, t.position);
  }

  function readvSync(fd: number, buffers: NodeJS.ArrayBufferView[], position?: unknown): number {
    const file = toFd(fd);
    checkBuffers(buffers);
    return data.vectorSync('read', file, buffers, typeof position === 'number' ? position : -1);
  }

  function writevSync(fd: number, buffers: NodeJS.ArrayBufferView[], position?: unknown): number {
    const file = toFd(fd);
    checkBuffers(buffers);
    if (buffers.length === 0) return 0;
    return data.vectorSync('write', file, buffers, typeof position === 'number' ? position : -1);
  }

  /** Bytes read, later, given checked arguments. */
  function readLater(fd: number, t: Transfer, signal?: AbortSignal): number | Promise<number> {
    return t.length === 0 ? 0 : data.readLater(fd, t.bytes, t.offset, t.length, t.position, signal);
  }

  function writeLater(fd: number, t: Transfer, signal?: AbortSignal): number | Promise<number> {
    return data.writeLater(fd, t.bytes, t.offset, t.length, t.position, signal);
  }

  /** Write all of `bytes`, in as many calls as it takes. */
  async function writeAllLater(
    fd: number,
    bytes: Uint8Array,
    position: number,
    signal?: AbortSignal,
  ): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const at = position < 0 ? -1 : position + done;
      done += await data.writeLater(fd, bytes, done, bytes.length - done, at, signal);
    }
  }

  function readv(fd: number, buffers: unknown, position: unknown): number | Promise<number> {
    checkBuffers(buffers);
    return data.vectorLater('read', fd, buffers, typeof position === 'number' ? position : -1);
  }

  function writev(fd: number, buffers: unknown, position: unknown): number | Promise<number> {
    checkBuffers(buffers);
    if (buffers.length === 0) return 0;
    return data.vectorLater('write', fd, buffers, typeof position === 'number' ? position : -1);
  }

  return {
    openSync,
    open,
    readSync,
    writeSync,
    readvSync,
    writevSync,
    readLater,
    writeLater,
    writeAllLater,
    readv,
    writev,
  };
}

export type IoCalls = ReturnType<typeof ioCalls>;
