/**
 * What crosses between a page and the worker that its machine runs in.
 *
 * comlink carries the calls; structured clone carries their values, and loses what makes them
 * what they are: the `code` of an error, the methods of Stats, functions, signals. So the
 * arguments and results of a call travel as one {@link Packed}, which a transfer handler turns
 * into plain data on one side and back into the same kinds of things on the other.
 */
import { expose, transferHandlers, wrap } from 'comlink';
import { KernelPanic, LeakError } from '../machine/panic.ts';
import { Dirent, direntType } from '../syscalls/fs/dirent.ts';
import { BigIntStats, StatFs, Stats } from '../syscalls/fs/stats.ts';

/** Something that stays where it is: the other side gets a port to call it by. */
export class Reference {
  readonly kind: string;
  readonly port: MessagePort;
  /** What is told about it once and does not change. */
  readonly facts: Record<string, unknown>;

  constructor(kind: string, port: MessagePort, facts: Record<string, unknown>) {
    this.kind = kind;
    this.port = port;
    this.facts = facts;
  }
}

/** An open file of the worker's as an argument, by the number it was given there. */
export class FileReference {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/** A port by which `target` can be called from the other side. */
export function portTo(target: object): MessagePort {
  const { port1, port2 } = new MessageChannel();
  expose(target, port1);
  return port2;
}

/** Plain data, or what kind of thing it is and the plain data that make it. */
type Wire = undefined | null | boolean | number | bigint | string | readonly [kind: Kind, payload: unknown];

type Kind =
  | 'data'
  | 'list'
  | 'record'
  | 'error'
  | 'instance'
  | 'dirent'
  | 'url'
  | 'function'
  | 'signal'
  | 'file'
  | 'reference';

/** A value on its way: any data, errors, bytes, functions, signals, and what fs gives out. */
export class Packed {
  readonly value: unknown;
  /** Its bytes are nobody else's here, so they are moved and not copied. */
  readonly gives: boolean;
  readonly #undo: (() => void)[] = [];

  constructor(value: unknown, gives = false) {
    this.value = value;
    this.gives = gives;
  }

  serialize(): [Wire, Transferable[]] {
    const transfers = new Set<Transferable>();
    const encoder = new Encoder(transfers, this.gives, this.#undo);
    return [encoder.encode(this.value), [...transfers]];
  }

  /** The call is over: stop following the signals that went with it. */
  finish(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}

transferHandlers.set('damselfly', {
  canHandle: (value: unknown): value is Packed => value instanceof Packed,
  serialize: (packed: Packed) => packed.serialize(),
  deserialize: (wire: Wire) => new Packed(decode(wire)),
});

const given = new WeakSet<object>();

/**
 * Let the next call that these bytes are passed to move them to the worker instead of copying:
 * afterwards they are gone here (their length is 0).
 */
export function give<T extends ArrayBufferView<ArrayBuffer> | ArrayBuffer>(bytes: T): T {
  given.add(bytes);
  return bytes;
}

// Classes whose instances are their own fields and their class's methods.
const CLASSES: Readonly<Record<string, new (...args: never[]) => object>> = { Stats, BigIntStats, StatFs };
const CLASS_NAMES = Object.keys(CLASSES);

const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  TypeError,
  RangeError,
  SyntaxError,
};

interface WireError {
  base: string;
  name: string;
  message: string;
  stack: string | undefined;
  cause: Wire;
  /** `code`, `errno`, `syscall`, `path`, `dest` and whatever else it has of its own. */
  fields: Record<string, Wire>;
}

interface WireSignal {
  aborted: boolean;
  reason: Wire;
  port: MessagePort;
}

class Encoder {
  readonly #transfers: Set<Transferable>;
  readonly #gives: boolean;
  readonly #undo: (() => void)[];

  constructor(transfers: Set<Transferable>, gives: boolean, undo: (() => void)[]) {
    this.#transfers = transfers;
    this.#gives = gives;
    this.#undo = undo;
  }

  encode(value: unknown): Wire {
    if (typeof value === 'function') return ['function', this.#moved(portTo(value))];
    if (typeof value !== 'object' || value === null) return value as Wire;
    if (Array.isArray(value)) return ['list', value.map((item) => this.encode(item))];
    if (ArrayBuffer.isView(value)) return ['data', this.#bytes(value)];
    if (value instanceof Error && !isDomException(value)) return ['error', this.#error(value)];
    if (value instanceof AbortSignal) return ['signal', this.#signal(value)];
    if (value instanceof URL) return ['url', value.href];
    if (value instanceof Dirent) {
      return ['dirent', [this.encode(value.name), value.parentPath, direntType(value)]];
    }
    if (value instanceof FileReference) return ['file', value.number];
    if (value instanceof Reference) {
      this.#moved(value.port);
      return ['reference', { ...value }];
    }
    return this.#object(value);
  }

  #object(value: object): Wire {
    const name = CLASS_NAMES.find((known) => value instanceof CLASSES[known]);
    if (name !== undefined) return ['instance', [name, { ...value }]];
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
      if (value instanceof ArrayBuffer && given.delete(value)) this.#transfers.add(value);
      return ['data', value];
    }
    return ['record', this.#record(value, Object.keys(value))];
  }

  #record(value: object, keys: string[]): Record<string, Wire> {
    return Object.fromEntries(keys.map((key) => [key, this.encode((value as Record<string, unknown>)[key])]));
  }

  #moved<T extends Transferable>(value: T): T {
    this.#transfers.add(value);
    return value;
  }

  #bytes(view: ArrayBufferView): ArrayBufferView {
    const { buffer, byteOffset, byteLength } = view;
    const shared = !(buffer instanceof ArrayBuffer);
    const whole = !shared && byteLength === buffer.byteLength;
    if (!shared && (given.delete(view) || (this.#gives && whole))) {
      this.#transfers.add(buffer);
      return view;
    }
    if (whole) return view;
    // Cloning a view takes all that is behind it along, and shared memory would stay shared.
    const copy = new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
    this.#transfers.add(copy.buffer);
    return copy;
  }

  #error(error: Error): WireError {
    const { name, message, stack, cause } = error;
    const base = Object.keys(ERRORS).find((known) => error instanceof ERRORS[known]) ?? 'Error';
    const skipped = new Set(['name', 'message', 'stack', 'cause', 'toString']);
    const own = Object.getOwnPropertyNames(error).filter((key) => !skipped.has(key));
    return { base, name, message, stack, cause: this.encode(cause), fields: this.#record(error, own) };
  }

  #signal(signal: AbortSignal): WireSignal {
    const { port1, port2 } = new MessageChannel();
    const abort = () => port1.postMessage(new Encoder(new Set(), false, []).encode(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    this.#undo.push(() => {
      signal.removeEventListener('abort', abort);
      port1.close();
    });
    const { aborted } = signal;
    return { aborted, reason: aborted ? this.encode(signal.reason) : undefined, port: this.#moved(port2) };
  }
}

/** Those are cloned as they are. */
function isDomException(value: unknown): boolean {
  return typeof DOMException === 'function' && value instanceof DOMException;
}

const DECODERS: Readonly<Record<Kind, (payload: never) => unknown>> = {
  data: (value: unknown) => value,
  list: (items: Wire[]) => items.map(decode),
  record: decodeRecord,
  error: decodeError,
  instance: ([name, fields]: [string, object]) =>
    Object.assign(Object.create(CLASSES[name].prototype as object) as object, fields),
  dirent: ([name, parentPath, type]: [Wire, string, number]) =>
    new Dirent(decode(name) as string, parentPath, type),
  url: (href: string) => new URL(href),
  function: (port: MessagePort) => wrap(port),
  signal: decodeSignal,
  file: (number: number) => new FileReference(number),
  reference: ({ kind, port, facts }: Reference) => new Reference(kind, port, facts),
};

function decode(wire: Wire): unknown {
  if (typeof wire !== 'object' || wire === null) return wire;
  const [kind, payload] = wire;
  return DECODERS[kind](payload as never);
}

function decodeRecord(fields: Record<string, Wire>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, decode(value)]));
}

function decodeError({ base, name, message, stack, cause, fields }: WireError): Error {
  const error = new (ERRORS[base] ?? Error)(message);
  if (name === 'KernelPanic') Object.setPrototypeOf(error, KernelPanic.prototype);
  if (name === 'LeakError') Object.setPrototypeOf(error, LeakError.prototype);
  if (error.name !== name) hide(error, 'name', name);
  // Where it happened is on the other side.
  if (stack !== undefined) hide(error, 'stack', stack);
  if (cause !== undefined) hide(error, 'cause', decode(cause));
  return Object.assign(error, decodeRecord(fields));
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true });
}

function decodeSignal({ aborted, reason, port }: WireSignal): AbortSignal {
  if (aborted) return AbortSignal.abort(decode(reason));
  const controller = new AbortController();
  port.onmessage = ({ data }: MessageEvent<Wire>) => controller.abort(decode(data));
  return controller.signal;
}
