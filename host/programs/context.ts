/** What a running program works with: its process's descriptors, children, signals. */
import { ECHILD, EINTR, ESRCH } from '../../assembly/abi/errno.ts';
import { SIG_CATCH, SIG_DFL, SIG_IGN } from '../../assembly/abi/signals.ts';
import { isSyscallError, type SyscallError, syscallError } from '../syscalls/errors.ts';
import { type DataCalls, dataCalls } from '../syscalls/fs/data.ts';
import type { NodeFs } from '../syscalls/fs/types.ts';
import type { Process } from '../syscalls/process.ts';
import type { WaitResult } from '../syscalls/processcalls.ts';
import type { GuestOptions } from './guest.ts';
import { findImage, type Image } from './image.ts';
import type {
  Environment,
  ExitStatus,
  Input,
  Output,
  Program,
  ProgramContext,
  SpawnOptions,
} from './program.ts';
import type { Runtime } from './runtime.ts';
import { FdInput, FdOutput } from './streams.ts';

/** What `exit` throws, to leave the program's function. */
export class ExitRequest {
  readonly code: number;

  constructor(code: number) {
    this.code = code;
  }
}

const SPAWN_FAILED = 127;

const TAKEN_OUT = [
  'input',
  'output',
  'fork',
  'exec',
  'spawn',
  'wait',
  'waitNow',
  'exit',
  'onSignal',
  'sleep',
] as const;

type Handler = (signal: number) => void;

export class Context implements ProgramContext {
  readonly process: Process;
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly #runtime: Runtime;
  readonly #inputs = new Map<number, Input>();
  readonly #outputs = new Map<number, FdOutput>();
  readonly #handlers = new Map<number, Handler>();
  readonly #end = new AbortController();
  /** What the process ran before exec. */
  readonly #before: Context | undefined;
  #data: DataCalls | undefined;

  constructor(
    runtime: Runtime,
    process: Process,
    argv: readonly string[],
    env: Environment,
    before?: Context,
  ) {
    this.#runtime = runtime;
    this.#before = before;
    this.process = process;
    process.escapeText();
    this.argv = argv;
    this.env = env;
    // Programs take what they use out of their context.
    for (const name of TAKEN_OUT) Object.defineProperty(this, name, { value: this[name].bind(this) });
  }

  get pid(): number {
    return this.process.pid;
  }

  get fs(): NodeFs {
    return this.process.fs;
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get stdin(): Input {
    return this.input(0);
  }

  get stdout(): Output {
    return this.output(1);
  }

  get stderr(): Output {
    return this.output(2);
  }

  input(fd: number): Input {
    let input = this.#inputs.get(fd);
    if (input === undefined) {
      input = new FdInput(this.#calls, fd);
      this.#inputs.set(fd, input);
    }
    return input;
  }

  output(fd: number): Output {
    let output = this.#outputs.get(fd);
    if (output === undefined) {
      const tty = this.process.isatty(fd);
      output = new FdOutput(this.#calls, fd, tty, fd === 2 ? 'none' : tty ? 'line' : 'full');
      this.#outputs.set(fd, output);
    }
    return output;
  }

  get #calls(): DataCalls {
    this.#data ??= dataCalls(this.process);
    return this.#data;
  }

  fork(body: Program): number {
    return this.#runtime.fork(this, body).pid;
  }

  async exec(file: string, argv: readonly string[], env: Environment = this.env): Promise<number> {
    return this.#become(await findImage(this.process, this.#runtime, file, argv, env), env);
  }

  async spawn(file: string, argv: readonly string[], options: SpawnOptions = {}): Promise<number> {
    const { env = this.env, setup } = options;
    await this.flushAll();
    let failure: unknown;
    let settled = () => {};
    const found = new Promise<void>((resolve) => {
      settled = resolve;
    });
    const child = this.#runtime.fork(this, async (context) => {
      const own = context as Context;
      try {
        await setup?.(own.process);
        const image = await findImage(own.process, this.#runtime, file, argv, env);
        return await own.#become(image, env, settled);
      } catch (error) {
        if (!hasEnded(own.process)) failure = error;
        return SPAWN_FAILED;
      }
    });
    // A child that a signal ends first was spawned all the same; its status says so.
    child.ended.addEventListener('abort', settled, { once: true });
    await found;
    if (failure === undefined) return child.pid;
    try {
      this.process.wait(child.pid);
    } catch (error) {
      // Nobody waits for the children of one that ignores SIGCHLD.
      if (!isSyscallError(error) || error.errno !== -ECHILD) throw error;
    }
    throw failure;
  }

  /** As exec, for the host: with what it says of a WASI program. */
  async execGuest(
    file: string,
    argv: readonly string[],
    env: Environment,
    guest: GuestOptions,
    committed: () => void,
  ): Promise<number> {
    const { programs, modules } = this.#runtime;
    const image = await findImage(this.process, { programs, modules, guest }, file, argv, env);
    return this.#become(image, env, committed);
  }

  /** Become a program that is in no file of the machine. `path`: an executable file, for its name, till `committed`. */
  become(
    path: string,
    argv: readonly string[],
    env: Environment,
    program: Program,
    committed: () => void,
  ): Promise<number> {
    return this.#become({ path, argv, program }, env, committed);
  }

  /** Run an image as this process, which it replaces. */
  async #become(image: Image, env: Environment, committed?: () => void): Promise<number> {
    await this.flushAll();
    this.process.execve(image.path, image.argv);
    committed?.();
    return this.#runtime.replace(this, image, env);
  }

  async wait(pid = -1): Promise<ExitStatus> {
    const ended = await this.process.waitLater(pid);
    if (ended === undefined) throw syscallError(ECHILD, 'wait4');
    return exitStatus(ended);
  }

  waitNow(pid = -1): ExitStatus | undefined {
    const ended = this.process.wait(pid);
    return ended === undefined ? undefined : exitStatus(ended);
  }

  exit(code: number): never {
    throw new ExitRequest(code);
  }

  onSignal(signal: number, action: 'default' | 'ignore' | Handler): void {
    const how = action === 'default' ? SIG_DFL : action === 'ignore' ? SIG_IGN : SIG_CATCH;
    this.process.sigaction(signal, how);
    if (typeof action === 'function') this.#handlers.set(signal, action);
    else this.#handlers.delete(signal);
  }

  async sleep(ms: number): Promise<void> {
    await this.process.pollLater([], ms);
  }

  /** Signals have come: call their handlers. Must not throw. */
  deliver(): void {
    for (let signal = this.#nextSignal(); signal > 0; signal = this.#nextSignal()) {
      try {
        this.#handlers.get(signal)?.(signal);
      } catch (error) {
        if (error instanceof ExitRequest) this.#runtime.exit(this, error.code);
        else this.#runtime.failed(this, error);
      }
    }
  }

  /** The next signal that was caught; 0 also when a handler has ended the process, or the machine. */
  #nextSignal(): number {
    try {
      return this.process.sigtake();
    } catch (error) {
      if (isSyscallError(error) && error.errno === -ESRCH) return 0;
      throw error;
    }
  }

  /** Write what all outputs hold back. */
  async flushAll(): Promise<void> {
    for (const output of this.#outputs.values()) await output.flush();
  }

  /** The process has ended. */
  finish(): void {
    this.#end.abort(syscallError(ESRCH, 'wait'));
    this.#before?.finish();
  }
}

/** Has a signal ended it, of which the host may not have been told yet? */
function hasEnded(process: Process): boolean {
  try {
    process.getpgid();
    return false;
  } catch {
    return true;
  }
}

/** A wait status as shells say it. */
export function exitStatus({ pid, status }: WaitResult): ExitStatus {
  const signal = status & 0x7f;
  return { pid, code: signal === 0 ? (status >>> 8) & 0xff : 128 + signal, signal };
}

/** Did a wait end because a caught signal came? */
export function interrupted(error: unknown): boolean {
  return (error as SyscallError | undefined)?.errno === -EINTR;
}
