/**
 * What the host's core needs of the JavaScript platform, where there is no Node: the same names as
 * `./node.ts`, on packages that follow Node's own sources. The packages' types differ from
 * @types/node in details that do not matter here, so each is given Node's type at its import.
 */
import type { Buffer as NodeBuffer } from 'node:buffer';
import type { EventEmitter as NodeEventEmitter } from 'node:events';
import type { Interface as NodeInterface } from 'node:readline';
import type { Readable as NodeReadable, Writable as NodeWritable } from 'node:stream';
import {
  Buffer as BufferPackage,
  EventEmitter as EventEmitterPackage,
  Readable as ReadablePackage,
  Writable as WritablePackage,
} from '../vendor/web.ts';
import { linuxConstants } from './constants.ts';

export type Buffer = NodeBuffer;
export const Buffer = BufferPackage as unknown as typeof NodeBuffer;
export type EventEmitter = NodeEventEmitter;
export const EventEmitter = EventEmitterPackage as unknown as typeof NodeEventEmitter;
export type Readable = NodeReadable;
export const Readable = ReadablePackage as unknown as typeof NodeReadable;
export type Writable = NodeWritable;
export const Writable = WritablePackage as unknown as typeof NodeWritable;
export type Interface = NodeInterface;

/** Without a host system the machine's own numbers are the programs' numbers. */
export const hostConstants: Readonly<Record<string, number>> = linuxConstants;

export interface Timer {
  ref(): unknown;
  unref(): unknown;
}

const queue: Array<() => void> = [];
let channel: MessageChannel | undefined;

/** A function called on a later turn of the event loop. */
export function defer(callback: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => queue.shift()?.();
  }
  queue.push(callback);
  channel.port2.postMessage(0);
}

class WebTimer implements Timer {
  readonly stop: () => void;
  constructor(stop: () => void) {
    this.stop = stop;
  }
  // A page or worker does not end when its timers do.
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

export function startInterval(callback: () => void, ms: number): Timer {
  const id = setInterval(callback, ms);
  return new WebTimer(() => clearInterval(id));
}

export function startTimeout(callback: () => void, ms: number): Timer {
  const id = setTimeout(callback, ms);
  return new WebTimer(() => clearTimeout(id));
}

export function stopTimer(timer: Timer): void {
  (timer as WebTimer).stop();
}

/** TextDecoder refuses shared memory in browsers, so the bytes are copied out first. */
export function textReader(bytes: Uint8Array): (start: number, end: number) => string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return (start, end) => decoder.decode(bytes.slice(start, end));
}

/** The part of node:readline's Interface that serves `FileHandle.readLines`. */
class LineReader extends EventEmitter {
  readonly #input: Readable;
  #closed = false;

  constructor(input: Readable) {
    super();
    this.#input = input;
    queueMicrotask(() => {
      if (this.listenerCount('line') > 0) this.#pump();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#input.destroy();
    this.emit('close');
  }

  async #pump(): Promise<void> {
    try {
      for await (const line of this) this.emit('line', line);
    } catch (error) {
      this.emit('error', error);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of this.#input) {
      rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      // A CR at the end may be the first half of a CRLF.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() as string;
      yield* lines;
    }
    rest += decoder.decode();
    if (rest.endsWith('\r')) rest = rest.slice(0, -1);
    if (rest !== '') yield rest;
    this.close();
  }
}

export function readLines(input: Readable): Interface {
  return new LineReader(input) as unknown as Interface;
}

/** The bytes behind a URL of this package's own files. */
export async function loadBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`cannot load ${url}: HTTP status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The same at once, or undefined where that cannot be: only a worker may wait for a request. */
export function loadBytesSync(url: URL): Uint8Array<ArrayBuffer> | undefined {
  if (!('WorkerGlobalScope' in globalThis) || typeof XMLHttpRequest !== 'function') return undefined;
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) throw new Error(`cannot load ${url}: HTTP status ${request.status}`);
  return new Uint8Array(request.response as ArrayBuffer);
}

/** Node's line editor, where there is one. */
export async function loadReadline(): Promise<typeof import('node:readline') | undefined> {
  return undefined;
}
