/**
 * A workload on a recorder: each step with what is to be seen after it, how many requests the disk had by
 * then, and what the step promised.
 */
import { MS_NOATIME } from '../../assembly/abi/flags.ts';
import type { MemoryDisk } from '../../host/devices/memory.ts';
import { Recorder, type Recording } from '../../host/devices/recorder.ts';
import type { Machine } from '../../host/machine/machine.ts';
import type { NodeFs } from '../../host/syscalls/fs/types.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { OPERATIONS, type Operation, type Sync } from './operations.ts';
import { observe, type State } from './state.ts';
import { type Format, type Kernel, M, newMachine, text } from './volume.ts';

/** One of the campaign's cases: enough to record it again. */
export interface Workload {
  readonly format: string;
  readonly operations: readonly string[];
  readonly sync: Sync;
  /** Mount options more. */
  readonly options?: string;
}

export interface Step {
  readonly what: string;
  readonly state: State;
  /** Requests of the recording when it was done. */
  readonly requests: number;
  /** From now on all that is there stays, or this inode's content does. */
  readonly durable?: 'all' | number;
  /** This inode's content is to be had by everybody who finds the names as they are now. */
  readonly replaced?: number;
}

export interface Recorded {
  readonly workload: Workload;
  readonly recording: Recording;
  readonly steps: readonly Step[];
}

/** What an operation may meet when another came before. */
const HARMLESS = new Set(['ENOENT', 'EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR']);

const codeOf = (error: unknown) => (error as { code?: string }).code ?? '';

/** Makes the calls of a workload, and notes what each did. */
export class Actor {
  readonly steps: Step[] = [];
  readonly #root: Process;
  readonly #recorder: Recorder;
  readonly #sync: Sync;
  readonly #fds = new Set<number>();
  /** What the operation in progress changed. */
  #touched = new Set<number | string>();
  #tag = 10;

  constructor(root: Process, recorder: Recorder, sync: Sync) {
    this.#root = root;
    this.#recorder = recorder;
    this.#sync = sync;
    this.#note('mount');
  }

  #note(what: string, more: Partial<Step> = {}): void {
    const requests = this.#recorder.length;
    this.steps.push({ what, state: observe(this.#root, this.#fds), requests, ...more });
  }

  /** A descriptor, or -1 when the file is gone. */
  open(path: string, flags: number): number {
    try {
      const fd = this.#root.fs.openSync(M + path, flags, 0o644);
      this.#fds.add(fd);
      this.#touched.add(fd);
      this.#note(`open ${path}`);
      return fd;
    } catch (error) {
      if (!HARMLESS.has(codeOf(error))) throw error;
      return -1;
    }
  }

  /** Write text of its own; at the end with null. */
  write(fd: number, off: number | null, lenBytes: number): void {
    if (fd < 0) return;
    this.#root.fs.writeSync(fd, text(this.#tag++, lenBytes), 0, lenBytes, off);
    this.#note(`write ${off ?? 'end'}+${lenBytes}`);
  }

  allocate(fd: number, mode: number, off: number, lenBytes: number): void {
    if (fd < 0) return;
    try {
      this.#root.fallocate(fd, mode, off, lenBytes);
    } catch (error) {
      // a file of indirect blocks cannot have blocks that are not written
      if (codeOf(error) !== 'ENOTSUP') throw error;
    }
    this.#note(`fallocate ${mode} ${off}+${lenBytes}`);
  }

  /** Any other call; `path` is what was touched by it, for fsync. */
  call(
    touched: string,
    run: (fs: NodeFs, path: (name: string) => string, root: Process) => void,
    promise?: 'replaced',
  ): void {
    try {
      run(this.#root.fs, (name) => M + name, this.#root);
    } catch (error) {
      if (!HARMLESS.has(codeOf(error))) throw error;
      return;
    }
    this.#touched.add(touched);
    const replaced = promise === 'replaced' ? this.#root.fs.statSync(M + touched).ino : undefined;
    this.#note(String(run).replace(/\s+/g, ' '), { replaced });
  }

  /** fsync, in the middle of an operation that has it whatever the variant. */
  sync(fd: number): void {
    if (fd < 0) return;
    this.#root.fs.fsyncSync(fd);
    this.#note('fsync', { durable: this.#root.fs.fstatSync(fd).ino });
  }

  /** fsync of what has this name: all that was done before is in the journal, and not written home. */
  commit(path: string): void {
    const fd = this.#openAgain(path);
    if (fd < 0) return;
    this.#root.fs.fsyncSync(fd);
    this.#note(`fsync ${path}`, { durable: this.#root.fs.fstatSync(fd).ino });
    this.#root.close(fd);
  }

  flush(): void {
    this.#root.sync();
    this.#note('sync', { durable: 'all' });
  }

  /** What the variant says, on all that the operation touched. */
  settle(machine: Machine): void {
    const touched = this.#touched;
    this.#touched = new Set();
    if (this.#sync === 'sync') this.flush();
    else if (this.#sync === 'later') this.#wait(machine);
    else if (this.#sync !== 'none') for (const one of touched) this.#settleOne(one);
  }

  #settleOne(one: number | string): void {
    const fd = typeof one === 'string' ? this.#openAgain(one) : one;
    if (fd < 0) return;
    this.#settleFd(fd);
    if (fd !== one) this.#root.close(fd);
  }

  /** A descriptor that is not one of the workload's, or -1 when the name is gone. */
  #openAgain(path: string): number {
    try {
      return this.#root.fs.openSync(M + path, 'r');
    } catch (error) {
      if (!HARMLESS.has(codeOf(error))) throw error;
      return -1;
    }
  }

  #settleFd(fd: number): void {
    const { fs } = this.#root;
    const data = this.#sync === 'fdatasync';
    if (data) fs.fdatasyncSync(fd);
    else fs.fsyncSync(fd);
    this.#note(data ? 'fdatasync' : 'fsync', { durable: fs.fstatSync(fd).ino });
  }

  /** Write-back by age: metadata first, data a while later. */
  #wait(machine: Machine): void {
    for (const ms of [6000, 31_000]) {
      machine.advanceClock(ms);
      this.#note(`${ms / 1000} s pass`);
    }
  }

  end(): void {
    for (const fd of this.#fds) this.#root.close(fd);
    this.#fds.clear();
    this.#note('close');
    const { state } = this.steps[this.steps.length - 1];
    this.#root.umount(M);
    this.steps.push({ what: 'umount', state, requests: this.#recorder.length, durable: 'all' });
  }
}

function operation(name: string): Operation {
  const found = OPERATIONS.find((one) => one.name === name);
  if (!found) throw new Error(`there is no operation ${name}`);
  return found;
}

/** Run a workload from mount to unmount. */
export function record(kernel: Kernel, format: Format, base: MemoryDisk, workload: Workload): Recorded {
  const machine = newMachine(kernel);
  const recorder = new Recorder(base.fork());
  machine.attachDisk(recorder);
  const root = machine.process();
  root.mount('/dev/vbd0', M, 'ext4', MS_NOATIME, [format.options, workload.options].filter(Boolean).join());
  const actor = new Actor(root, recorder, workload.sync);
  for (const name of workload.operations) {
    operation(name).run(actor);
    actor.settle(machine);
  }
  actor.end();
  const { recording } = recorder;
  machine.shutdown();
  return { workload, recording, steps: actor.steps };
}
