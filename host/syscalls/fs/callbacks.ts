/**
 * The functions of node:fs that call back.
 */
import { Buffer, defer } from '#platform';
import { after } from './data.ts';
import { invalidArgType } from './errors.ts';
import { readArguments, writeArguments } from './io.ts';
import { calledBack, named, type Operation } from './later.ts';
import { operations } from './promises.ts';
import type { Calls } from './index.ts';
import { checkFunction, isView, toFd } from './validate.ts';

type Arguments = unknown[];
const custom = Symbol.for('nodejs.util.promisify.custom');

export function callbackApi(calls: Calls): Record<string, unknown> {
  const { names, data, io, glob } = calls;
  const api: Record<string, unknown> = {};
  // Programs see from its presence whether lchmod works on links, which it does on macOS only.
  const { lchmod: _, ...shared } = operations(calls);
  const plain: Record<string, Operation> = {
    ...shared,
    close: data.closeSync,
    fchmod: names.fchmodSync,
    fchown: names.fchownSync,
    fdatasync: data.fdatasyncSync,
    fstat: names.fstatSync,
    fsync: data.fsyncSync,
    ftruncate: data.ftruncateSync,
    futimes: names.futimesSync,
    glob: glob.globSync,
    open: io.open,
    realpath: names.realpathSync,
  };
  for (const [name, operation] of Object.entries(plain)) api[name] = calledBack(name, operation);
  Object.assign(api.realpath as object, { native: calledBack('realpath', names.realpathSync.native) });
  Object.assign(api, transfers(calls));

  const exists = named('exists', (path: never, callback: (exists: boolean) => void) => {
    checkFunction(callback, 'cb');
    const answer = names.existsSync(path);
    defer(() => callback(answer));
  });
  Object.defineProperty(exists, custom, { value: async (path: never) => names.existsSync(path) });
  api.exists = exists;
  return api;
}

/** read, write, readv, writev: their callbacks get the count and the buffer. */
function transfers({ io }: Calls): Record<string, unknown> {
  const read = (fd: unknown, ...args: Arguments) => {
    const file = toFd(fd);
    const [buffer, offset, length, position] = readForm(args);
    const t = readArguments(buffer, offset, length, position, READ_ARGUMENTS);
    return after(io.readLater(file, t), (bytesRead) => ({ bytesRead, buffer }));
  };
  const write = (fd: unknown, buffer: unknown, offset?: unknown, length?: unknown, position?: unknown) => {
    const file = toFd(fd);
    const t = writeArguments(buffer, offset, length, position);
    return after(io.writeLater(file, t), (bytesWritten) => ({ bytesWritten, buffer }));
  };
  const readv = (fd: unknown, buffers: unknown, position?: unknown) =>
    after(io.readv(toFd(fd), buffers, position), (bytesRead) => ({ bytesRead, buffers }));
  const writev = (fd: unknown, buffers: unknown, position?: unknown) =>
    after(io.writev(toFd(fd), buffers, position), (bytesWritten) => ({ bytesWritten, buffers }));
  return {
    read: withBuffer('read', read),
    write: withBuffer('write', write),
    readv: withBuffer('readv', readv),
    writev: withBuffer('writev', writev),
  };
}

/** How many arguments the full form of `read` has after the descriptor. */
const READ_ARGUMENTS = 4;
/** What `read` makes for a caller who brings no buffer. */
const READ_BYTES = 16384;

interface ReadOptions {
  buffer?: unknown;
  offset?: number | null;
  length?: number | null;
  position?: number | bigint | null;
}

/** The arguments of `read` after the descriptor as (buffer, offset, length, position). */
function readForm(args: Arguments): Arguments {
  const [first, second] = args;
  if (isView(first)) {
    if (args.length === 1) return fromOptions(first, {});
    return typeof second === 'object' && second !== null ? fromOptions(first, second) : args;
  }
  if (first !== undefined && (typeof first !== 'object' || first === null)) {
    throw invalidArgType('buffer', 'an instance of Buffer, TypedArray, or DataView', first);
  }
  const options: ReadOptions = first ?? {};
  return fromOptions(options.buffer ?? Buffer.alloc(READ_BYTES), options);
}

function fromOptions(buffer: unknown, options: ReadOptions): Arguments {
  const offset = options.offset ?? 0;
  const length = options.length ?? (isView(buffer) ? buffer.byteLength - offset : 0);
  return [buffer, offset, length, options.position ?? null];
}

/** The operation's result holds the count and the buffer; promisify gives it as it is. */
function withBuffer(name: string, operation: (...args: never[]) => object | Promise<object>) {
  const fn = calledBack(name, operation, (result) => Object.values(result as object));
  const run = operation as (...args: Arguments) => object | Promise<object>;
  Object.defineProperty(fn, custom, { value: async (...args: Arguments) => run(...args) });
  return fn;
}
