/**
 * watchFile: looking at a file again and again. One StatWatcher serves all listeners of a path.
 */
import { defer, EventEmitter, startInterval, stopTimer, type Timer } from '#platform';
import type { Trap } from '../trap.ts';
import type { NameCalls } from './names.ts';
import { type BigIntStats, noBigIntStats, noStats, type Stats } from './stats.ts';
import { checkFunction, checkInteger, pathText } from './validate.ts';

type Listener = (current: Stats | BigIntStats, previous: Stats | BigIntStats) => void;

interface WatchFileOptions {
  persistent?: boolean;
  interval?: number;
  bigint?: boolean;
}

const DEFAULT_INTERVAL_MS = 5007;
const COMPARED = [
  'dev',
  'ino',
  'mode',
  'nlink',
  'uid',
  'gid',
  'rdev',
  'size',
  'mtimeMs',
  'ctimeMs',
  'birthtimeMs',
] as const;

export class StatWatcher extends EventEmitter {
  readonly #names: NameCalls;
  readonly #path: string;
  readonly #bigint: boolean;
  readonly #timer: Timer;
  #last: Stats | BigIntStats;

  constructor(names: NameCalls, path: string, options: WatchFileOptions, interval: number) {
    super();
    this.#names = names;
    this.#path = path;
    this.#bigint = options.bigint === true;
    this.#last = this.#look();
    this.#timer = startInterval(() => this.#check(), interval);
    if (options.persistent === false) this.#timer.unref();
    // The first look finds nothing: that is reported, once.
    if (Number(this.#last.nlink) === 0) defer(() => this.emit('change', this.#last, this.#last));
  }

  #look(): Stats | BigIntStats {
    const options = { bigint: this.#bigint, throwIfNoEntry: false };
    try {
      const stats = this.#names.statSync(this.#path, options);
      if (stats !== undefined) return stats;
    } catch {
      // A file that cannot be reached is, to its watcher, one that is not there.
    }
    return this.#bigint ? noBigIntStats() : noStats();
  }

  #check(): void {
    const current = this.#look();
    const previous = this.#last;
    if (COMPARED.every((field) => current[field] === previous[field])) return;
    this.#last = current;
    this.emit('change', current, previous);
  }

  stop(): void {
    stopTimer(this.#timer);
    defer(() => this.emit('stop'));
  }

  ref(): this {
    this.#timer.ref();
    return this;
  }

  unref(): this {
    this.#timer.unref();
    return this;
  }
}

export function watchFileCalls(trap: Trap, names: NameCalls) {
  const watchers = new Map<string, StatWatcher>();
  let leave: (() => void) | undefined;

  /** The process is gone, and with it what it looks at. */
  function stopAll(): void {
    for (const watcher of watchers.values()) watcher.stop();
    watchers.clear();
    leave = undefined;
  }

  function watchFile(filename: unknown, options: unknown, listener?: unknown): StatWatcher {
    const path = pathText(filename, 'filename');
    const given = (typeof options === 'object' && options !== null ? options : {}) as WatchFileOptions;
    const heard = typeof options === 'function' ? options : listener;
    checkFunction(heard, 'listener');
    const interval = given.interval ?? DEFAULT_INTERVAL_MS;
    checkInteger(interval, 'interval', 0, 2 ** 32 - 1);
    let watcher = watchers.get(path);
    if (watcher === undefined) {
      watcher = new StatWatcher(names, path, given, interval);
      watchers.set(path, watcher);
      leave ??= trap.cpu.scheduler.atExit(trap.pid, stopAll);
    }
    watcher.on('change', heard as Listener);
    return watcher;
  }

  function unwatchFile(filename: unknown, listener?: unknown): void {
    const path = pathText(filename, 'filename');
    const watcher = watchers.get(path);
    if (watcher === undefined) return;
    if (typeof listener === 'function') watcher.removeListener('change', listener as Listener);
    else watcher.removeAllListeners('change');
    if (watcher.listenerCount('change') > 0) return;
    watcher.stop();
    watchers.delete(path);
    if (watchers.size > 0) return;
    leave?.();
    leave = undefined;
  }

  return { watchFile, unwatchFile };
}
