/** Open files and directories of a machine in a worker, as the page has them. */
import { releaseProxy } from 'comlink';
import { EBADF } from '../../assembly/abi/errno.ts';
import type { Dirent } from '../syscalls/fs/dirent.ts';
import { type Link, type Services, servicesAt } from './link.ts';
import { FileReference, type Reference } from './wire.ts';

/** A buffer to be filled over there; its present bytes need not travel. */
function blank(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.byteLength);
}

/** Bytes `offset` to `offset + count` of what came back, at the same place of the caller's own. */
function fill(view: ArrayBufferView, bytes: Uint8Array, offset: number, count: number): void {
  const target = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  target.set(bytes.subarray(offset, offset + count), offset);
}

interface ReadOptions {
  buffer?: ArrayBufferView;
  offset?: number | null;
}

const STREAM_BYTES = 65536;

type Call = (...args: unknown[]) => Promise<unknown>;

export class OpenFile extends FileReference {
  readonly #link: Link;
  readonly #services: Services;
  #fd: number;

  constructor(link: Link, reference: Reference) {
    const { number, fd } = reference.facts as { number: number; fd: number };
    super(number);
    this.#link = link;
    this.#services = servicesAt(reference);
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd;
  }

  readonly readFile: Call = (...args) => this.#call('readFile', ...args);
  readonly writeFile: Call = (...args) => this.#call('writeFile', ...args);
  readonly appendFile: Call = (...args) => this.#call('appendFile', ...args);
  readonly stat: Call = (...args) => this.#call('stat', ...args);
  readonly truncate: Call = (...args) => this.#call('truncate', ...args);
  readonly utimes: Call = (...args) => this.#call('utimes', ...args);
  readonly chmod: Call = (...args) => this.#call('chmod', ...args);
  readonly chown: Call = (...args) => this.#call('chown', ...args);
  readonly sync: Call = () => this.#call('sync');
  readonly datasync: Call = () => this.#call('datasync');

  async #call(name: string, ...args: unknown[]): Promise<unknown> {
    if (this.#fd < 0)
      throw Object.assign(new Error('file closed'), { code: 'EBADF', errno: -EBADF, syscall: name });
    return this.#link.call(this.#services.calls, name, args);
  }

  /** As FileHandle.read: (buffer, offset, length, position), (buffer, options) or (options). */
  async read(...args: unknown[]): Promise<unknown> {
    const [first, second] = args;
    const apart = !ArrayBuffer.isView(first);
    const options = (apart ? first : typeof second === 'object' ? second : undefined) as
      | ReadOptions
      | null
      | undefined;
    const buffer = apart ? options?.buffer : first;
    if (!ArrayBuffer.isView(buffer)) return this.#call('read', ...args);
    const sent = blank(buffer);
    const answer = await this.#call('read', apart ? { ...options, buffer: sent } : sent, ...args.slice(1));
    const { bytesRead, buffer: bytes } = answer as { bytesRead: number; buffer: Uint8Array };
    const offset = options === undefined ? second : options?.offset;
    fill(buffer, bytes, Number(offset ?? 0), bytesRead);
    return { bytesRead, buffer };
  }

  async readv(buffers: readonly ArrayBufferView[], ...args: unknown[]): Promise<unknown> {
    const views = Array.isArray(buffers) && buffers.every((view) => ArrayBuffer.isView(view));
    const answer = await this.#call('readv', views ? buffers.map(blank) : buffers, ...args);
    const { bytesRead, buffers: filled } = answer as { bytesRead: number; buffers: Uint8Array[] };
    let left = bytesRead;
    for (const [i, view] of buffers.entries()) {
      const count = Math.min(left, view.byteLength);
      fill(view, filled[i], 0, count);
      left -= count;
    }
    return { bytesRead, buffers };
  }

  async write(buffer: unknown, ...args: unknown[]): Promise<unknown> {
    const { bytesWritten } = (await this.#call('write', buffer, ...args)) as { bytesWritten: number };
    return { bytesWritten, buffer };
  }

  async writev(buffers: unknown, ...args: unknown[]): Promise<unknown> {
    const { bytesWritten } = (await this.#call('writev', buffers, ...args)) as { bytesWritten: number };
    return { bytesWritten, buffers };
  }

  readLines(): AsyncGenerator<unknown, void, undefined> {
    return this.#link.iterate(this.#services.calls, 'readLines', []);
  }

  readableWebStream({ autoClose = false }: { autoClose?: boolean } = {}): ReadableStream {
    const finish = async () => {
      if (autoClose) await this.close();
    };
    const pull = async (controller: ReadableStreamDefaultController) => {
      const answer = await this.#call('read', new Uint8Array(STREAM_BYTES));
      const { bytesRead, buffer } = answer as { bytesRead: number; buffer: Uint8Array };
      if (bytesRead > 0) {
        controller.enqueue(buffer.subarray(0, bytesRead));
        return;
      }
      controller.close();
      await finish();
    };
    return new ReadableStream({ pull, cancel: finish }, { highWaterMark: 0 });
  }

  /** Closing twice is closing once. */
  async close(): Promise<void> {
    if (this.#fd < 0) return;
    const closing = this.#call('close');
    this.#fd = -1;
    await closing;
    this.#services[releaseProxy]();
  }
}

export class OpenDirectory {
  readonly path: string;
  readonly #link: Link;
  readonly #services: Services;
  #entries: Dirent[] = [];
  #open = true;

  constructor(link: Link, reference: Reference) {
    this.#link = link;
    this.#services = servicesAt(reference);
    this.path = reference.facts.path as string;
  }

  async read(): Promise<Dirent | null> {
    if (this.#entries.length === 0) {
      this.#entries = (await this.#link.call(this.#services.calls, 'entries', [])) as Dirent[];
    }
    return this.#entries.shift() ?? null;
  }

  async close(): Promise<void> {
    await this.#link.call(this.#services.calls, 'close', []);
    if (!this.#open) return;
    this.#open = false;
    this.#entries = [];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Dirent, void, undefined> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      if (this.#open) await this.close();
    }
  }
}

// TypeScript's name for the symbol may be newer than the engine's.
const asyncDispose: symbol = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
for (const { prototype } of [OpenFile, OpenDirectory]) {
  Object.defineProperty(prototype, asyncDispose, {
    configurable: true,
    writable: true,
    value(this: { close(): Promise<void> }) {
      return this.close();
    },
  });
}
