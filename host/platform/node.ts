/**
 * What the host's core needs of the JavaScript platform, on Node: Buffer, streams, events, timers.
 * `#platform` resolves here under the "node" condition and to `./web.ts` everywhere else; both
 * modules export the same names with the same types.
 */
import { Buffer } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { constants, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import { Readable, Writable } from 'node:stream';

export type { Interface };
export { Buffer, EventEmitter, Readable, Writable };

/** The host's own `fs.constants`: programs pass these numbers as flags. */
export const hostConstants: Readonly<Record<string, number>> = constants as unknown as Record<string, number>;

// The machine's time is the host's also in programs that put fake timers in place of the globals, as
// tests do: Node's own fs does not wait for those either.
const { setImmediate, setInterval, setTimeout, clearTimeout } = globalThis;

/** A function called on a later turn of the event loop, which stays alive for it. */
export function defer(callback: () => void): void {
  setImmediate(callback);
}

export interface Timer {
  ref(): unknown;
  unref(): unknown;
}

/** A timer that calls back every `ms`; it holds the process open until `unref` or `stopTimer`. */
export function startInterval(callback: () => void, ms: number): Timer {
  return setInterval(callback, ms);
}

/** A timer that calls back once, after `ms`; it holds the process open. */
export function startTimeout(callback: () => void, ms: number): Timer {
  return setTimeout(callback, ms);
}

export function stopTimer(timer: Timer): void {
  clearTimeout(timer as NodeJS.Timeout);
}

/** A decoder of the UTF-8 text in `bytes`, which may be shared memory: (start, end) → string. */
export function textReader(bytes: Uint8Array): (start: number, end: number) => string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (start, end) => view.toString('utf8', start, end);
}

/** The lines of a stream, as `FileHandle.readLines` gives them. */
export function readLines(input: Readable): Interface {
  return createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

/** The bytes behind a URL of this package's own files. */
export async function loadBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return url.protocol === 'file:' ? readFile(url) : new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** The same at once, or undefined where that cannot be. */
export function loadBytesSync(url: URL): Uint8Array<ArrayBuffer> | undefined {
  return url.protocol === 'file:' ? readFileSync(url) : undefined;
}

/** The line editor of Node, where there is one. */
export async function loadReadline(): Promise<typeof import('node:readline') | undefined> {
  return import('node:readline');
}
