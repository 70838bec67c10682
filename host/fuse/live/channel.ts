/**
 * The way between Linux and the thread that has the machine: requests come as events of its loop, answers are
 * written at once, which never waits. Two ways there are: the device itself (DeviceChannel), for whoever may
 * mount, and a process that has the device (RelayChannel), for those who mount by fusermount3.
 */
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { deviceTransport } from '../device.ts';
import { Request } from '../request.ts';
import type { Transport } from '../server.ts';
import { ownTid } from './procs.ts';
import { AWAKE, ENDED, HEAD, LENGTHS, makeRing, type Ring, slotOf, TAIL } from './ring.ts';
import type { FromReader, ThreadConfig } from './threads.ts';

export interface Receiver {
  /** A request of `length` bytes is in there. */
  request(request: Request, length: number): void;
  /** Nothing more is there to be done for now. */
  idle(): void;
  /** Nothing is mounted any more. @param problem  or the way is broken */
  ended(problem?: string): void;
}

export interface Channel extends Pick<Transport, 'write'> {
  start(receiver: Receiver): void;
  /** Notifications, one behind the other. Resolved when Linux has taken them. */
  notify(batch: Uint8Array): Promise<void>;
  /** Nothing is mounted any more, and nobody is answered. */
  close(): void;
  ref(): void;
  unref(): void;
}

/** Requests that are worked on before others of this thread have their turn. */
const BURST = 64;

/** Two threads beside this one (threads.ts) have the device too. */
export class DeviceChannel implements Channel {
  readonly #fd: number;
  readonly #ring: Ring = makeRing();
  readonly #requests: readonly Request[];
  readonly #write: Transport['write'];
  readonly #reader: Worker;
  readonly #notifier: Worker;
  readonly #waiting: (() => void)[] = [];
  #receiver: Receiver | undefined;
  #open = true;
  #warned = false;
  readonly #directory: string;

  /** @param fd  of /dev/fuse, mounted; this closes it */
  constructor(fd: number, directory: string) {
    this.#fd = fd;
    this.#directory = directory;
    this.#requests = this.#ring.slots.map((slot) => new Request(slot));
    this.#write = deviceTransport(fd).write;
    const servingTid = ownTid();
    const thread = (role: ThreadConfig['role']) => {
      const workerData: ThreadConfig = { role, ring: this.#ring, fd, directory, servingTid };
      // what Node was told about the program that mounts is not for these
      return new Worker(new URL('./threads.js', import.meta.url), { workerData, execArgv: [] });
    };
    this.#reader = thread('reader');
    this.#notifier = thread('notifier');
    this.#notifier.unref();
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
    this.#reader.on('message', (what: FromReader) => {
      if (what === 'requests') this.#pump();
      else if (what === 'refused') this.#warn();
      else this.#end(what === 'ended' ? undefined : what.failed);
    });
    this.#reader.on('error', (error) => this.#end(error.message));
    this.#notifier.on('message', () => this.#waiting.shift()?.());
    // without it nothing is known to be out of date: that is an end too
    this.#notifier.on('error', (error) => this.#end(error.message));
    this.#pump();
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `a synchronous call on ${this.#directory}, by the thread that serves it, was refused (EBUSY): use fs.promises`,
    );
  }

  #pump(): void {
    const { words } = this.#ring;
    for (let count = 0; this.#open; count++) {
      if (count === BURST) {
        setImmediate(() => this.#pump());
        return;
      }
      const tail = Atomics.load(words, TAIL);
      if (Atomics.load(words, HEAD) === tail) {
        Atomics.store(words, AWAKE, 0);
        if (Atomics.load(words, HEAD) === tail || Atomics.exchange(words, AWAKE, 1) === 1) break;
        continue;
      }
      const slot = slotOf(tail);
      const length = Atomics.exchange(words, LENGTHS + slot, 0);
      if (length !== 0) this.#receiver?.request(this.#requests[slot], length);
      Atomics.store(words, TAIL, (tail + 1) | 0);
      Atomics.notify(words, TAIL);
    }
    if (this.#open) this.#receiver?.idle();
  }

  write(bytes: Uint8Array, length: number): void {
    if (this.#open) this.#write(bytes, length);
  }

  notify(batch: Uint8Array): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#notifier.postMessage(batch);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #end(problem?: string): void {
    if (!this.#open) return;
    // what came before is worked on first: answers that nobody hears, files that are closed
    this.#pump();
    this.#open = false;
    this.#receiver?.ended(problem);
  }

  close(): void {
    this.#open = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
    void Promise.all([this.#reader.terminate(), this.#notifier.terminate()]).then(() =>
      fs.closeSync(this.#fd),
    );
  }

  /** Has the reader found that nothing is mounted? Waits for that, this thread with it. */
  endedWithin(ms: number): boolean {
    const { words } = this.#ring;
    Atomics.wait(words, ENDED, 0, ms);
    return Atomics.load(words, ENDED) !== 0;
  }

  ref(): void {
    this.#reader.ref();
  }

  unref(): void {
    this.#reader.unref();
  }
}
