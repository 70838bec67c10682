/**
 * `damselfly/worker`: machines of this worker, for the page that started it.
 */
import { type Endpoint, expose, finalizer, transfer } from 'comlink';
import { boot, type BootOptions } from '../machine/boot.ts';
import type { Machine } from '../machine/machine.ts';
import type { Process, ProcessOptions } from '../syscalls/process.ts';
import { Dir } from '../syscalls/fs/dir.ts';
import { FileHandle } from '../syscalls/fs/handle.ts';
import { Packed, FileReference, portTo, Reference } from './wire.ts';
import { DIR_CALLS, FILE_CALLS, PROCESS_CALLS, WAITING_CALLS } from './names.ts';

type Call = (...args: unknown[]) => unknown;
type Calls = Readonly<Record<string, Call>>;

const ENTRIES_PER_MESSAGE = 64;

/** Functions to be called by name from the other side. */
class Service {
  readonly #calls: (name: string) => Call | undefined;

  constructor(calls: (name: string) => Call | undefined) {
    this.#calls = calls;
  }

  /** Takes the arguments; gives [true, the result] or [false, the error]. */
  async invoke(name: string, { value }: Packed): Promise<Packed> {
    try {
      const call = this.#calls(name);
      if (call === undefined) throw new TypeError(`there is no function ${name} to be called`);
      const args = (value as unknown[]).map((arg) => (arg instanceof FileReference ? fileOf(arg) : arg));
      return new Packed([true, referred(await call(...args))], true);
    } catch (error) {
      return new Packed([false, error], true);
    }
  }
}

function table(calls: Calls): Service {
  return new Service((name) => (Object.hasOwn(calls, name) ? calls[name] : undefined));
}

/** Those methods of an object that are named, as its own functions. */
function methods(target: object, names: readonly string[]): Calls {
  const all = target as Record<string, Call>;
  return Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => all[name](...args)]));
}

/** What can only be used where it is becomes a reference. */
function referred(result: unknown): unknown {
  if (result instanceof FileHandle) return fileReference(result);
  if (result instanceof Dir) return directoryReference(result);
  if (typeof result === 'object' && result !== null && Symbol.asyncIterator in result) {
    return iteratorReference(result as AsyncIterable<unknown>);
  }
  return result;
}

// ── open files ──────────────────────────────────────────────────────────────────────────────────

const files = new Map<number, FileHandle>();
let lastFile = 0;

function fileReference(file: FileHandle): Reference {
  const number = ++lastFile;
  files.set(number, file);
  file.on('close', () => files.delete(number));
  const port = portTo({
    calls: table(methods(file, FILE_CALLS)),
    // The page has lost it.
    [finalizer]: () => void file.close().catch(() => {}),
  });
  return new Reference('file', port, { number, fd: file.fd });
}

function fileOf({ number }: FileReference): FileHandle {
  const file = files.get(number);
  if (file === undefined) throw Object.assign(new Error('file closed'), { code: 'EBADF' });
  return file;
}

function directoryReference(directory: Dir): Reference {
  const close = () => directory.close();
  const calls = {
    ...methods(directory, DIR_CALLS),
    /** The next entries, none at the end. */
    entries: async () => {
      const entries = [];
      while (entries.length < ENTRIES_PER_MESSAGE) {
        const entry = await directory.read();
        if (entry === null) break;
        entries.push(entry);
      }
      return entries;
    },
  };
  const port = portTo({ calls: table(calls), [finalizer]: () => void close().catch(() => {}) });
  return new Reference('directory', port, { path: directory.path });
}

function iteratorReference(iterable: AsyncIterable<unknown>): Reference {
  const iterator = iterable[Symbol.asyncIterator]();
  const end = async () => iterator.return?.();
  const calls = { next: () => iterator.next(), return: end };
  const port = portTo({ calls: table(calls), [finalizer]: () => void end().catch(() => {}) });
  return new Reference('iterator', port, {});
}

// ── processes and machines ──────────────────────────────────────────────────────────────────────

/** `fs.promises`, without what is only of use on this side. */
function fsService(promises: () => object): Service {
  return new Service((name) => {
    const api = promises() as Record<string, unknown>;
    const call = Object.hasOwn(api, name) ? api[name] : undefined;
    return typeof call === 'function' && name !== 'mkdtempDisposable' ? (call as Call) : undefined;
  });
}

function processReference(process: Process): Reference {
  const calls = {
    ...methods(process, PROCESS_CALLS),
    ...Object.fromEntries(
      Object.entries(WAITING_CALLS).map(([name, later]) => [name, methods(process, [later])[later]]),
    ),
  };
  const port = portTo({ fs: fsService(() => process.fs.promises), calls: table(calls) });
  return new Reference('process', port, { pid: process.pid });
}

function machineReference(machine: Machine): Reference {
  const calls: Calls = {
    process: (options) => processReference(machine.process(options as ProcessOptions)),
    attach: (pid) => processReference(machine.attach(pid as number)),
    snapshot: () => {
      const snapshot = machine.snapshot();
      // Results are moved, and the disks go on with what they share with their snapshots.
      return snapshot.disks === undefined
        ? snapshot
        : { ...snapshot, disks: structuredClone(snapshot.disks) };
    },
    reclaim: () => machine.reclaim(),
    advanceClock: (ms) => machine.advanceClock(ms as number),
    status: () => {
      const { ramFreeBytes, framesInUse, log } = machine;
      return { ramFreeBytes, framesInUse, log };
    },
    shutdown: async () => {
      machine.shutdown();
      // The calls that it ended answer before it does.
      await new Promise((resolve) => setTimeout(resolve));
    },
  };
  const { flavour, ramBytes } = machine;
  const names = Object.keys(machine.fs.promises);
  const port = portTo({ fs: fsService(() => machine.fs.promises), calls: table(calls) });
  return new Reference('machine', port, { flavour, ramBytes, names });
}

async function bootHere(given: unknown): Promise<Reference> {
  const options = given as BootOptions;
  const { console } = options;
  const show = console as ((bytes: Uint8Array<ArrayBuffer>) => Promise<void>) | undefined;
  const machine = await boot({
    ...options,
    console: show && ((bytes) => void show(bytesToGive(bytes)).catch(() => {})),
  });
  return machineReference(machine);
}

function bytesToGive(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const own = bytes as Uint8Array<ArrayBuffer>;
  return transfer(own, [own.buffer]);
}

/**
 * Boot machines for the page at the other end: call it in the worker's script, once. The page
 * calls `bootInWorker(worker, options)` of `damselfly/browser`.
 * @param endpoint  where the page is; default: the worker's own messages
 * @example
 * // machine.worker.js
 * import { serve } from 'damselfly/worker';
 * serve();
 */
export function serve(endpoint: Endpoint = globalThis as unknown as Endpoint): void {
  expose({ calls: table({ boot: bootHere }) }, endpoint);
}
