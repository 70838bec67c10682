/**
 * watch: change notification through the kernel's inotify. A watcher owns one inotify descriptor;
 * a read of it waits in the kernel until something happens.
 */
import * as flag from '../../../assembly/abi/flags.ts';
import { INOTIFY_EVENT_SIZE } from '../../../assembly/abi/layout.ts';
import { Buffer, defer, EventEmitter, startInterval, stopTimer, type Timer } from '#platform';
import type { Trap } from '../trap.ts';
import type { DataCalls } from './data.ts';
import { AbortError, invalidArgType, invalidArgValue, plainError } from './errors.ts';
import { basename, join } from './paths.ts';
import type { DirectoryCalls } from './readdir.ts';
import { checkBoolean, checkFunction, checkSignal, encodeName, pathText, toOptions } from './validate.ts';

type Encoding = BufferEncoding | 'buffer';
type Name = string | Buffer;

export interface WatchOptions {
  persistent?: boolean;
  recursive?: boolean;
  encoding?: Encoding | null;
  signal?: AbortSignal;
  maxQueue?: number;
  overflow?: 'ignore' | 'throw';
}

const EVENTS =
  flag.IN_ATTRIB |
  flag.IN_CREATE |
  flag.IN_MODIFY |
  flag.IN_DELETE |
  flag.IN_DELETE_SELF |
  flag.IN_MOVE_SELF |
  flag.IN_MOVED_FROM |
  flag.IN_MOVED_TO;
const CHANGES = flag.IN_ATTRIB | flag.IN_MODIFY;
const BATCH_BYTES = 65536;
/** A timer that holds the process open needs some period; this one does nothing. */
const HOLD_MS = 0x7fffffff;

export interface WatchCalls {
  trap: Trap;
  data: DataCalls;
  directories: DirectoryCalls;
}

/** A name below the watched root, whose own place is ''. */
function under(below: string, name: string): string {
  return below === '' ? name : `${below}/${name}`;
}

/** Emits 'change' (event type, name), 'error', 'close'. */
export class FSWatcher extends EventEmitter {
  readonly #calls: WatchCalls;
  readonly #encoding: Encoding;
  readonly #recursive: boolean;
  /** The watched file's own name, which events without one are about. */
  readonly #self: string;
  /** Watched directories by watch descriptor: their paths, and where they are below the root. */
  readonly #watches = new Map<number, { path: string; below: string }>();
  readonly #stop = new AbortController();
  #fd: number;
  #hold: Timer | undefined;
  readonly #leave: () => void;

  constructor(calls: WatchCalls, path: string, options: WatchOptions) {
    super();
    this.#calls = calls;
    this.#encoding = options.encoding || 'utf8';
    this.#recursive = options.recursive === true && calls.directories.isDirectory(path);
    this.#self = basename(path);
    const { trap } = calls;
    trap.enter();
    this.#fd = trap.exports.sys_inotify_init(flag.IN_CLOEXEC);
    if (this.#fd < 0) throw watchFailure(trap, this.#fd, path);
    this.#leave = trap.cpu.scheduler.atExit(trap.pid, () => this.close());
    try {
      this.#add(path, '');
    } catch (error) {
      this.#release();
      throw error;
    }
    if (options.persistent !== false) this.#hold = startInterval(() => {}, HOLD_MS);
    void this.#listen();
  }

  /** Watch `path` and, if asked, the directories below it. */
  #add(path: string, below: string): void {
    const { trap, directories } = this.#calls;
    const stack = [{ path, below }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const wd = trap.exports.sys_inotify_add_watch(this.#fd, trap.path1(next.path), EVENTS);
      if (wd < 0) {
        if (next.path === path && below === '') throw watchFailure(trap, wd, path);
        continue; // Gone again, and its parent's events say so.
      }
      this.#watches.set(wd, next);
      if (!this.#recursive) continue;
      for (const { name, type } of this.#list(next.path, directories)) {
        if (type !== flag.DT_DIR) continue;
        stack.push({ path: join(next.path, name as string), below: under(next.below, name as string) });
      }
    }
  }

  #list(path: string, directories: DirectoryCalls) {
    try {
      return directories.listEntries(path);
    } catch {
      return [];
    }
  }

  async #listen(): Promise<void> {
    const batch = Buffer.alloc(BATCH_BYTES);
    try {
      while (this.#fd >= 0) {
        const count = await this.#calls.data.readLater(
          this.#fd,
          batch,
          0,
          batch.length,
          -1,
          this.#stop.signal,
        );
        // Listeners run on a turn of their own, as they do in Node.
        await new Promise<void>((resolve) => defer(resolve));
        this.#deliver(Buffer.from(batch.subarray(0, count)));
      }
    } catch (error) {
      if (this.#fd < 0) return;
      this.#release();
      this.emit('error', error);
    }
  }

  #deliver(batch: Buffer): void {
    for (let at = 0; at < batch.length && this.#fd >= 0; ) {
      const wd = batch.readInt32LE(at);
      const mask = batch.readUInt32LE(at + 4);
      const length = batch.readUInt32LE(at + 12);
      const start = at + INOTIFY_EVENT_SIZE;
      at = start + length;
      const end = batch.indexOf(0, start);
      const name = batch.subarray(start, end < 0 || end > at ? at : end);
      this.#happened(wd, mask, name);
    }
  }

  #happened(wd: number, mask: number, name: Buffer): void {
    const watch = this.#watches.get(wd);
    if (mask & flag.IN_Q_OVERFLOW) {
      // Something happened that nobody can name.
      this.emit('change', 'rename', null);
      return;
    }
    if (mask & flag.IN_IGNORED) this.#watches.delete(wd);
    if (watch === undefined || (mask & EVENTS) === 0) return;
    if (name.length === 0 && watch.below !== '') return; // Its parent reports it by its name.
    if (
      this.#recursive &&
      mask & flag.IN_ISDIR &&
      mask & (flag.IN_CREATE | flag.IN_MOVED_TO) &&
      name.length > 0
    ) {
      const text = name.toString();
      this.#add(join(watch.path, text), under(watch.below, text));
    }
    const type = mask & CHANGES ? 'change' : 'rename';
    this.emit('change', type, this.#name(watch.below, name));
  }

  #name(below: string, name: Buffer): Name {
    if (name.length === 0) return encodeName(Buffer.from(this.#self), this.#encoding);
    const path = below === '' ? name : Buffer.concat([Buffer.from(`${below}/`), name]);
    return encodeName(path, this.#encoding);
  }

  #release(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (this.#hold !== undefined) stopTimer(this.#hold);
    this.#hold = undefined;
    this.#stop.abort();
    this.#leave();
    if (fd >= 0) this.#calls.data.close(fd);
  }

  /** Stop watching. 'close' is emitted on a later turn. */
  close(): void {
    if (this.#fd < 0) return;
    this.#release();
    defer(() => this.emit('close'));
  }

  ref(): this {
    this.#hold?.ref();
    return this;
  }

  unref(): this {
    this.#hold?.unref();
    return this;
  }
}

function watchFailure(trap: Trap, result: number, path: string): Error {
  return Object.assign(trap.failure(result, 'watch', path), { filename: path });
}

function toWatchOptions(options: unknown): WatchOptions {
  const checked = toOptions<WatchOptions>(options, {});
  if (checked.persistent !== undefined) checkBoolean(checked.persistent, 'options.persistent');
  if (checked.recursive !== undefined) checkBoolean(checked.recursive, 'options.recursive');
  checkSignal(checked.signal);
  return checked;
}

export function watchCalls(calls: WatchCalls) {
  function watch(path: unknown, options?: unknown, listener?: unknown): FSWatcher {
    const heard = typeof options === 'function' ? options : listener;
    const checked = toWatchOptions(options);
    if (heard !== undefined) checkFunction(heard, 'listener');
    const watcher = new FSWatcher(calls, pathText(path, 'filename'), checked);
    if (heard !== undefined) watcher.on('change', heard as (...args: unknown[]) => void);
    const { signal } = checked;
    if (signal?.aborted) defer(() => watcher.close());
    else if (signal !== undefined) {
      const abort = () => watcher.close();
      signal.addEventListener('abort', abort, { once: true });
      watcher.once('close', () => signal.removeEventListener('abort', abort));
    }
    return watcher;
  }

  /** Events as they come, until the loop is left or the signal aborts. */
  async function* events(path: unknown, options?: unknown): AsyncGenerator<WatchEvent> {
    const checked = toWatchOptions(options);
    const { signal, maxQueue = 2048, overflow = 'ignore' } = checked;
    if (overflow !== 'ignore' && overflow !== 'throw') throw invalidArgValue('options.overflow', overflow);
    if (typeof maxQueue !== 'number') throw invalidArgType('options.maxQueue', 'of type number', maxQueue);
    if (signal?.aborted) throw new AbortError(signal.reason);
    const queue: WatchEvent[] = [];
    let failure: unknown;
    let wake = () => {};
    const watcher = new FSWatcher(calls, pathText(path, 'filename'), checked);
    const fail = (error: unknown) => {
      failure = error;
      wake();
    };
    const abort = () => fail(new AbortError(signal?.reason));
    signal?.addEventListener('abort', abort, { once: true });
    watcher.on('error', fail);
    watcher.on('change', (eventType: 'rename' | 'change', filename: Name | null) => {
      if (queue.length < maxQueue) queue.push({ eventType, filename });
      else if (overflow === 'throw') {
        fail(plainError('ERR_FS_WATCH_QUEUE_OVERFLOW', `fs.watch() queued more than ${maxQueue} events`));
      }
      wake();
    });
    try {
      for (;;) {
        if (failure !== undefined) throw failure;
        const event = queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      watcher.close();
    }
  }

  return { watch, events };
}

export interface WatchEvent {
  eventType: 'rename' | 'change';
  filename: Name | null;
}
