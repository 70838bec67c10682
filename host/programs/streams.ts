/** A program's descriptors as inputs and outputs: buffering, lines, and waiting. */
import { concatenate, decodeBytes, encodeBytes, escapedBytes } from '../syscalls/bytes.ts';
import type { DataCalls } from '../syscalls/fs/data.ts';
import type { Input, Output } from './program.ts';
import { nextTurn, turnDue } from './turns.ts';

const CHUNK_BYTES = 65536;
/** A character of UTF-16 is at most three bytes of UTF-8. */
const UTF8_MAX = 3;
const NEWLINE = 10;
const encoder = new TextEncoder();

/** Chunks put together. */
export class Gathered {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  readonly take = (chunk: Uint8Array): void => {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  };

  get length(): number {
    return this.#length;
  }

  bytes(): Uint8Array {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }
}

export class FdInput implements Input {
  readonly fd: number;
  readonly #data: DataCalls;

  constructor(data: DataCalls, fd: number) {
    this.#data = data;
    this.fd = fd;
  }

  readInto(buffer: Uint8Array): number | Promise<number> {
    const count = this.#data.readLater(this.fd, buffer, 0, buffer.length, -1);
    // Who never has to wait would never let anybody else go on.
    return typeof count === 'number' && turnDue() ? nextTurn().then(() => count) : count;
  }

  read(max = CHUNK_BYTES): Uint8Array | Promise<Uint8Array> {
    const buffer = new Uint8Array(max);
    const count = this.readInto(buffer);
    if (typeof count === 'number') return count === max ? buffer : buffer.subarray(0, count);
    return count.then((n) => buffer.subarray(0, n));
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await this.read();
      if (chunk.length === 0) return;
      yield chunk;
    }
  }

  async *lines(): AsyncGenerator<string> {
    const rest: Uint8Array[] = [];
    for await (const chunk of this) {
      const end = chunk.lastIndexOf(NEWLINE);
      if (end < 0) {
        rest.push(chunk);
        continue;
      }
      const whole = concatenate([...rest, chunk.subarray(0, end)]);
      rest.length = 0;
      if (end + 1 < chunk.length) rest.push(chunk.subarray(end + 1));
      yield* decodeBytes(whole).split('\n');
    }
    if (rest.length > 0) yield decodeBytes(concatenate(rest));
  }

  async bytes(): Promise<Uint8Array> {
    const all = new Gathered();
    for await (const chunk of this) all.take(chunk);
    return all.bytes();
  }

  async text(): Promise<string> {
    return decodeBytes(await this.bytes());
  }
}

/** When an output hands over what it holds. */
export type Buffering = 'full' | 'line' | 'none';

export class FdOutput implements Output {
  readonly fd: number;
  readonly isTTY: boolean;
  readonly #data: DataCalls;
  readonly #buffering: Buffering;
  readonly #signal: AbortSignal | undefined;
  #held = new Uint8Array(0);
  #used = 0;
  /** A write that the reader keeps waiting; what comes meanwhile queues behind it. */
  #busy: Promise<void> | undefined;

  /** @param signal  gives up a write that waits, when it is aborted */
  constructor(data: DataCalls, fd: number, isTTY: boolean, buffering: Buffering, signal?: AbortSignal) {
    this.#data = data;
    this.fd = fd;
    this.isTTY = isTTY;
    this.#buffering = buffering;
    this.#signal = signal;
  }

  write(data: string | Uint8Array): void | Promise<void> {
    if (this.#busy !== undefined) return this.#busy.then(() => this.write(data));
    const bytes = typeof data === 'string' ? this.#encode(data) : data;
    if (bytes === undefined) return this.#settle();
    if (bytes.length < CHUNK_BYTES - this.#used) {
      this.#room();
      this.#held.set(bytes, this.#used);
      this.#used += bytes.length;
      return this.#settle();
    }
    const flushed = this.flush();
    return flushed === undefined ? this.#put(bytes) : flushed.then(() => this.#put(bytes));
  }

  flush(): void | Promise<void> {
    if (this.#busy !== undefined) return this.#busy.then(() => this.flush());
    if (this.#used === 0) return undefined;
    const held = this.#held.subarray(0, this.#used);
    this.#used = 0;
    return this.#put(held);
  }

  /** Text straight into the buffer if it certainly fits; else its bytes. */
  #encode(text: string): Uint8Array | undefined {
    if (escapedBytes(text)) return encodeBytes(text);
    if (text.length * UTF8_MAX > CHUNK_BYTES - this.#used) return encoder.encode(text);
    this.#room();
    this.#used += encoder.encodeInto(text, this.#held.subarray(this.#used)).written;
    return undefined;
  }

  #room(): void {
    if (this.#held.length === 0) this.#held = new Uint8Array(CHUNK_BYTES);
  }

  /** Hand over as the buffering asks. */
  #settle(): void | Promise<void> {
    if (this.#buffering === 'full') return undefined;
    if (this.#buffering === 'line' && this.#held.lastIndexOf(NEWLINE, this.#used - 1) < 0) return undefined;
    return this.flush();
  }

  #put(bytes: Uint8Array): void | Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const count = this.#data.writeLater(this.fd, bytes, done, bytes.length - done, -1, this.#signal);
      if (typeof count === 'number') {
        done += count;
        continue;
      }
      return this.#wait(this.#putRest(bytes, done, count));
    }
    return turnDue() ? this.#wait(nextTurn()) : undefined;
  }

  /** Nothing more is written until then. */
  #wait(until: Promise<void>): Promise<void> {
    this.#busy = until.finally(() => {
      this.#busy = undefined;
    });
    return this.#busy;
  }

  async #putRest(bytes: Uint8Array, from: number, pending: Promise<number>): Promise<void> {
    let done = from + (await pending);
    while (done < bytes.length) {
      done += await this.#data.writeLater(this.fd, bytes, done, bytes.length - done, -1, this.#signal);
    }
  }
}
