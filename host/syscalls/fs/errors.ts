/**
 * The errors that node:fs makes itself, without a system call: bad arguments (`ERR_INVALID_…`,
 * `ERR_OUT_OF_RANGE`), aborts, and cp's `ERR_FS_CP_…`.
 */
import { Buffer } from '#platform';
import { describeErrno } from '../errors.ts';

type Base = new (message: string) => Error;

function coded(base: Base, name: string, code: string, message: string): Error & { code: string } {
  const error = new base(message) as Error & { code: string };
  // The stack's first line is written once, from the name at that moment.
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true, writable: true });
  void error.stack;
  Reflect.deleteProperty(error, 'name');
  error.code = code;
  Object.defineProperty(error, 'toString', {
    value: () => `${name} [${code}]: ${error.message}`,
    configurable: true,
    writable: true,
  });
  return error;
}

export const typeError = (code: string, message: string) => coded(TypeError, 'TypeError', code, message);
export const rangeError = (code: string, message: string) => coded(RangeError, 'RangeError', code, message);
export const plainError = (code: string, message: string) => coded(Error, 'Error', code, message);

/** `fs.promises` and streams: an operation ended by its AbortSignal. */
export class AbortError extends Error {
  readonly code = 'ABORT_ERR';

  constructor(cause?: unknown) {
    super('The operation was aborted', cause === undefined ? undefined : { cause });
    this.name = 'AbortError';
  }
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal.reason);
}

const ESCAPES: Record<string, string> = {
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  "'": "\\'",
  '\\': '\\\\',
};

function quote(text: string): string {
  const shown = (c: string) => {
    const code = c.charCodeAt(0);
    if (code >= 32 && code !== 127) return ESCAPES[c] ?? c;
    return ESCAPES[c] ?? `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  };
  return `'${text.split('').map(shown).join('')}'`;
}

/** A value as the end of an argument error shows it. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(showValue).join(', ')} ]`;
  if (typeof value === 'function')
    return `[Function${value.name === '' ? ' (anonymous)' : `: ${value.name}`}]`;
  if (typeof value === 'object' && value !== null) return showObject(value);
  return String(value);
}

/** Longer buffers are cut, as Node's inspect cuts them. */
const SHOWN_BYTES = 50;

function showObject(value: object): string {
  if (Buffer.isBuffer(value)) {
    const bytes = [...value.subarray(0, SHOWN_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
    const more = value.length - bytes.length;
    return `<Buffer ${bytes.join(' ')}${more > 0 ? ` ... ${more} more byte${more > 1 ? 's' : ''}` : ''}>`;
  }
  if (value instanceof Uint8Array) {
    const items = [...value.subarray(0, SHOWN_BYTES)].join(', ');
    return `Uint8Array(${value.length}) ${items === '' ? '[]' : `[ ${items} ]`}`;
  }
  if (value instanceof Date) return value.toISOString();
  const entries = Object.entries(value).map(([key, item]) => `${key}: ${showValue(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function received(value: unknown): string {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === 'function')
    return value.name === '' ? ' Received function ' : ` Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value as { constructor?: { name?: string } }).constructor?.name;
    return name ? ` Received an instance of ${name}` : ' Received [Object: null prototype] {}';
  }
  if (typeof value === 'string') {
    const text = value.length > 28 ? `${value.slice(0, 25)}...` : value;
    return ` Received type string (${text.includes("'") ? JSON.stringify(text) : `'${text}'`})`;
  }
  return ` Received type ${typeof value} (${showValue(value)})`;
}

/** `expected` is the part after "must be", such as "of type string or an instance of URL". */
export function invalidArgType(name: string, expected: string, value: unknown): Error {
  const subject = name.endsWith(' argument')
    ? `The ${name}`
    : `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`;
  return typeError('ERR_INVALID_ARG_TYPE', `${subject} must be ${expected}.${received(value)}`);
}

export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): Error {
  let shown = showValue(value);
  if (shown.length > 128) shown = `${shown.slice(0, 128)}...`;
  const kind = name.includes('.') ? 'property' : 'argument';
  return typeError('ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${shown}`);
}

/** Digits in groups of three, as Node shows numbers beyond 2^32. */
function grouped(value: unknown): string {
  if (typeof value !== 'bigint' && !(Number.isInteger(value) && Math.abs(value as number) > 2 ** 32))
    return showValue(value);
  const text = String(value).replace(/\B(?=(\d{3})+$)/g, '_');
  return typeof value === 'bigint' ? `${text}n` : text;
}

export function outOfRange(name: string, range: string, value: unknown): Error {
  return rangeError(
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${grouped(value)}`,
  );
}

/** Bad arguments: a function with a callback throws these, and calls back with all others. */
const ARGUMENT_CODES = new Set([
  'ERR_INVALID_ARG_TYPE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_OUT_OF_RANGE',
  'ERR_INVALID_URL_SCHEME',
  'ERR_INVALID_FILE_URL_HOST',
  'ERR_INVALID_FILE_URL_PATH',
  'ERR_UNKNOWN_ENCODING',
  'ERR_BUFFER_OUT_OF_BOUNDS',
  'ERR_INCOMPATIBLE_OPTION_PAIR',
]);

export function isArgumentError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return error instanceof Error && typeof code === 'string' && ARGUMENT_CODES.has(code);
}

export interface FsErrorContext {
  message: string;
  path?: string;
  dest?: string;
  syscall: string;
  errno: number;
}

const CP_PREFIX: Record<string, string> = {
  ERR_FS_CP_DIR_TO_NON_DIR: 'Cannot overwrite non-directory with directory',
  ERR_FS_CP_EEXIST: 'Target already exists',
  ERR_FS_CP_EINVAL: 'Invalid src or dest',
  ERR_FS_CP_FIFO_PIPE: 'Cannot copy a FIFO pipe',
  ERR_FS_CP_NON_DIR_TO_DIR: 'Cannot overwrite directory with non-directory',
  ERR_FS_CP_SOCKET: 'Cannot copy a socket file',
  ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY: 'Cannot overwrite symlink in subdirectory of self',
  ERR_FS_CP_UNKNOWN: 'Cannot copy an unknown file type',
  ERR_FS_EISDIR: 'Path is a directory',
};

/**
 * One of cp's and rm's own errors, which carry a system error's facts in `info`.
 *
 * @param context  `errno` positive
 */
export function fsError(code: string, context: FsErrorContext): Error {
  const { message, path, dest, syscall, errno } = context;
  const name = describeErrno(errno).code;
  let text = `${CP_PREFIX[code]}: ${syscall} returned ${name} (${message})`;
  if (path !== undefined) text += ` ${path}`;
  if (dest !== undefined) text += ` => ${dest}`;
  const error = coded(Error, 'SystemError', code, text);
  Object.defineProperty(error, 'name', { value: 'SystemError', configurable: true, writable: true });
  const info = { ...context, code: name };
  return Object.assign(error, {
    info,
    errno,
    syscall,
    ...(path !== undefined && { path }),
    ...(dest !== undefined && { dest }),
  });
}
