/**
 * Dir: an open directory, read entry by entry.
 */
import { DT_DIR } from '../../../assembly/abi/flags.ts';
import { defer } from '#platform';
import type { Trap } from '../trap.ts';
import { Dirent } from './dirent.ts';
import { checkFunction, checkInteger, checkFlag, type KernelPath, pathText, toOptions } from './validate.ts';
import { plainError } from './errors.ts';
import { type DirectoryCalls, type Entry, joinPath } from './readdir.ts';

type Name = string | Buffer;
type Encoding = BufferEncoding | 'buffer';
type ReadCallback = (error: Error | null, entry?: Dirent<Name> | null) => void;

export interface OpenDirOptions {
  encoding?: Encoding | null;
  bufferSize?: number;
  recursive?: boolean;
}

const closed = () => plainError('ERR_DIR_CLOSED', 'Directory handle was closed');

export class Dir {
  readonly path: string;
  readonly #calls: DirectoryCalls;
  readonly #encoding: Encoding;
  readonly #most: number;
  readonly #recursive: boolean;
  #fd: number;
  #entries: Entry[] = [];
  #next = 0;
  /** Directory that is being read, and those to be read after it. */
  #current: string;
  readonly #queue: string[] = [];

  constructor(calls: DirectoryCalls, path: string, fd: number, options: OpenDirOptions) {
    this.#calls = calls;
    this.path = path;
    this.#current = path;
    this.#fd = fd;
    this.#encoding = options.encoding || 'utf8';
    this.#most = options.bufferSize ?? 32;
    this.#recursive = options.recursive === true;
  }

  readSync(): Dirent<Name> | null {
    if (this.#fd < 0) throw closed();
    while (this.#next >= this.#entries.length) if (!this.#fill()) return null;
    const entry = this.#entries[this.#next++];
    if (this.#recursive && entry.type === DT_DIR)
      this.#queue.push(joinPath(this.#current, entry.name) as string);
    return new Dirent(entry.name, this.#current, entry.type);
  }

  /** Read on, in the next directory if this one ends. False at the end of all. */
  #fill(): boolean {
    this.#entries = [];
    this.#next = 0;
    if (this.#calls.nextEntries(this.#fd, this.#current, this.#encoding, this.#entries, this.#most))
      return true;
    const next = this.#queue.shift();
    if (next === undefined) return false;
    this.#calls.closeDirectory(this.#fd);
    this.#fd = -1;
    this.#fd = this.#calls.openDirectory(next, 'opendir');
    this.#current = next;
    return true;
  }

  read(): Promise<Dirent<Name> | null>;
  read(callback: ReadCallback): void;
  read(callback?: ReadCallback): Promise<Dirent<Name> | null> | undefined {
    return answer(() => this.readSync(), callback);
  }

  closeSync(): void {
    if (this.#fd < 0) throw closed();
    this.#calls.closeDirectory(this.#fd);
    this.#fd = -1;
  }

  close(): Promise<void>;
  close(callback: (error: Error | null) => void): void;
  close(callback?: (error: Error | null) => void): Promise<void> | undefined {
    return answer(() => this.closeSync(), callback);
  }

  async *entries(): AsyncGenerator<Dirent<Name>, void, undefined> {
    try {
      for (;;) {
        const entry = await this.read();
        if (entry === null) return;
        yield entry;
      }
    } finally {
      if (this.#fd >= 0) this.closeSync();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Dirent<Name>, void, undefined> {
    return this.entries();
  }
}

// TypeScript's name for the symbol may be newer than the engine's.
const disposal = Dir.prototype as unknown as Record<symbol, unknown>;
const asyncDispose: symbol = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
const dispose: symbol = Symbol.dispose ?? Symbol.for('nodejs.dispose');
disposal[asyncDispose] = async function (this: Dir) {
  await this.close().catch(() => {});
};
disposal[dispose] = function (this: Dir) {
  try {
    this.closeSync();
  } catch {
    // Closed already, which is all that was wanted.
  }
};

function answer<T>(
  work: () => T,
  callback?: (error: Error | null, value?: T) => void,
): Promise<T> | undefined {
  if (callback === undefined) return new Promise((resolve) => resolve(work()));
  checkFunction(callback, 'cb');
  let outcome: () => void;
  try {
    const value = work();
    outcome = () => callback(null, value);
  } catch (error) {
    outcome = () => callback(error as Error);
  }
  defer(outcome);
  return undefined;
}

export function opendirCall(trap: Trap, calls: DirectoryCalls) {
  return function opendirSync(path: KernelPath, options?: unknown): Dir {
    const name = pathText(path);
    const checked = toOptions<OpenDirOptions>(options, {});
    if (checked.bufferSize !== undefined)
      checkInteger(checked.bufferSize, 'options.bufferSize', 1, 2 ** 32 - 1);
    checkFlag(checked, 'recursive');
    trap.enter();
    return new Dir(calls, name, calls.openDirectory(name, 'opendir'), checked);
  };
}
