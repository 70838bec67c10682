/**
 * Arguments of node:fs functions: checked and brought to one form, with Node's own errors.
 */
import { Buffer } from '#platform';
import { invalidArgType, invalidArgValue, outOfRange, typeError } from './errors.ts';

/** A path as the kernel gets it: text to be encoded as UTF-8, or bytes. */
export type KernelPath = string | Uint8Array;

const MAX_UINT32 = 2 ** 32 - 1;
const MAX_INT32 = 2 ** 31 - 1;

/** Any argument that names a file. Checks bytes and URLs for NUL; `Trap.path1` checks text. */
export function toPath(path: unknown, name = 'path'): KernelPath {
  if (typeof path === 'string') return path;
  if (path instanceof Uint8Array) {
    if (path.includes(0)) throw nullBytes(name, path);
    return path;
  }
  if (isURL(path)) return fileURLToPath(path);
  throw invalidArgType(name, 'of type string or an instance of Buffer or URL', path);
}

/** As {@link toPath}, and text is checked for NUL too. For paths that are kept for later. */
export function checkedPath(path: unknown, name = 'path'): KernelPath {
  const result = toPath(path, name);
  if (typeof result === 'string' && result.includes('\0')) throw nullBytes(name, result);
  return result;
}

/** As {@link checkedPath}, as text. */
export function pathText(path: unknown, name = 'path'): string {
  const result = checkedPath(path, name);
  return typeof result === 'string' ? result : Buffer.from(result).toString();
}

export function nullBytes(name: string, path: KernelPath): Error {
  const shown = typeof path === 'string' ? path : Buffer.from(path);
  return invalidArgValue(name, shown, 'must be a string, Uint8Array, or URL without null bytes');
}

function isURL(value: unknown): value is URL {
  const url = value as
    | { href?: unknown; protocol?: unknown; auth?: unknown; path?: unknown }
    | null
    | undefined;
  return Boolean(url?.href && url.protocol && url.auth === undefined && url.path === undefined);
}

/** Node's fileURLToPath for POSIX, on every host. */
function fileURLToPath(url: URL): string {
  if (url.protocol !== 'file:') throw typeError('ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  if (url.hostname !== '') {
    throw typeError('ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
  }
  if (/%2f/i.test(url.pathname)) {
    throw typeError('ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
  }
  const path = decodeURIComponent(url.pathname);
  if (path.includes('\0')) throw nullBytes('path', path);
  return path;
}

export function isView(value: unknown): value is NodeJS.ArrayBufferView {
  return ArrayBuffer.isView(value);
}

/** The bytes of a view, not copied. */
export function bytesOf(view: NodeJS.ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export function checkFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
}

export function checkBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidArgType(name, 'of type boolean', value);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}

export function checkObject(value: unknown, name: string): asserts value is object {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalidArgType(name, 'of type object', value);
  }
}

export function checkInteger(
  value: unknown,
  name: string,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}

/** A file descriptor. */
export function toFd(fd: unknown, name = 'fd'): number {
  if (typeof fd === 'number' && (fd | 0) === fd && fd >= 0) return fd | 0;
  checkInteger(fd, name, 0, MAX_INT32);
  return fd | 0;
}

/** Permission bits: a number, or text in octal. */
export function toMode(value: unknown, name: string, otherwise?: number): number {
  const mode = value ?? otherwise;
  if (typeof mode === 'string') {
    if (!/^[0-7]+$/.test(mode)) {
      throw invalidArgValue(name, value, 'must be a 32-bit unsigned integer or an octal string');
    }
    const number = Number.parseInt(mode, 8);
    checkInteger(number, name, 0, MAX_UINT32);
    return number;
  }
  checkInteger(mode, name, 0, MAX_UINT32);
  return mode;
}

/** access's and copyFile's mode, whose bits are 0 to 7. */
export function toBits(value: unknown, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  checkInteger(value, 'mode', 0, 7);
  return value;
}

/** A user or group number as the kernel takes it: -1 becomes 0xffffffff, "leave it". */
export function toId(value: unknown, name: string): number {
  checkInteger(value, name, -1, MAX_UINT32);
  return value >>> 0;
}

/** A time as seconds and nanoseconds. */
export interface KernelTime {
  seconds: number;
  nanoseconds: number;
}

/** A Date, seconds as a number or as text in decimal; a negative number means now, as in Node. */
export function toTime(value: unknown): KernelTime {
  let seconds: number;
  if (value instanceof Date) seconds = value.getTime() / 1000;
  else if (typeof value === 'string' && String(+value) === value) seconds = +value;
  else if (typeof value === 'number' && Number.isFinite(value))
    seconds = value < 0 ? Date.now() / 1000 : value;
  else throw invalidArgType('time', 'an instance of Date or an Time in seconds', value);
  const whole = Math.floor(seconds);
  // Beyond a microsecond a double of today's date is noise; Node cuts it off there too.
  return { seconds: whole, nanoseconds: Math.floor((seconds - whole) * 1e6) * 1000 };
}

/** A position in a file: -1 for the file's own. */
export function toPosition(position: unknown): number {
  if (position === undefined || position === null) return -1;
  if (typeof position === 'number') {
    checkInteger(position, 'position', -1);
    return position;
  }
  if (typeof position === 'bigint') {
    if (position < -1n || position > 2n ** 63n - 1n) {
      throw outOfRange('position', `>= -1 && <= ${2n ** 63n - 1n}`, position);
    }
    return Number(position);
  }
  throw invalidArgType('position', 'of type bigint or integer', position);
}

export function toLength(len: unknown): number {
  checkInteger(len ?? 0, 'len');
  return Math.max(0, (len ?? 0) as number);
}

export function checkEncoding(encoding: unknown): void {
  if (encoding && encoding !== 'buffer' && !(typeof encoding === 'string' && Buffer.isEncoding(encoding))) {
    throw invalidArgValue('encoding', encoding, 'is invalid encoding');
  }
}

export function checkSignal(signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal !== undefined && (signal === null || typeof signal !== 'object' || !('aborted' in signal))) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
  }
}

/** Options of the most usual form: an encoding, or an object that may hold one. */
export function toOptions<T extends object>(options: unknown, defaults: T): T {
  if (options === undefined || options === null || typeof options === 'function') return defaults;
  if (typeof options === 'string') {
    checkEncoding(options);
    return { ...defaults, encoding: options };
  }
  if (typeof options !== 'object') throw invalidArgType('options', 'one of type string or object', options);
  const given = options as { encoding?: unknown; signal?: unknown };
  checkEncoding(given.encoding);
  checkSignal(given.signal);
  return { ...defaults, ...options };
}

export interface NameOptions {
  encoding?: BufferEncoding | 'buffer' | null;
}

/** Options of functions that return a name: only the encoding counts. */
export function toNameEncoding(options: unknown): BufferEncoding | 'buffer' {
  return toOptions<NameOptions>(options, {}).encoding || 'utf8';
}

/** Bytes of a name in the encoding asked for. */
export function encodeName(bytes: Uint8Array, encoding: BufferEncoding | 'buffer'): string | Buffer {
  const buffer = Buffer.from(bytes);
  return encoding === 'buffer' ? buffer : buffer.toString(encoding);
}

/** What writeFile and its kin write: text, or the bytes of a view. */
export function toData(
  data: unknown,
  encoding: BufferEncoding | null | undefined,
  name = 'data',
): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, encoding || 'utf8');
  if (isView(data)) return bytesOf(data);
  throw invalidArgType(name, 'of type string or an instance of Buffer, TypedArray, or DataView', data);
}

export function checkBuffers(buffers: unknown): asserts buffers is NodeJS.ArrayBufferView[] {
  if (!Array.isArray(buffers) || !buffers.every(isView)) {
    throw invalidArgType('buffers', 'an ArrayBufferView[]', buffers);
  }
}

/** A half-open range in a buffer. */
export function checkRange(offset: number, length: number, byteLength: number, write: boolean): void {
  if (write && offset > byteLength) throw outOfRange('offset', `<= ${byteLength}`, offset);
  if (write && length > byteLength - offset) throw outOfRange('length', `<= ${byteLength - offset}`, length);
  if (length < 0) throw outOfRange('length', '>= 0', length);
  if (offset + length > byteLength) throw outOfRange('length', `<= ${byteLength - offset}`, length);
}

/** Reject an option that is present and not a boolean. */
export function checkFlag(options: object, key: string): boolean {
  const value = (options as Record<string, unknown>)[key];
  if (value === undefined) return false;
  checkBoolean(value, `options.${key}`);
  return value;
}
