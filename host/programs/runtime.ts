/**
 * Runs programs as processes: starts a function for a process, ends the process with what it
 * returns, and brings the kernel's news (a signal caught, a process ended) to the function.
 */
import { ESRCH } from '../../assembly/abi/errno.ts';
import { PE_EXIT, PE_SIGNAL } from '../../assembly/abi/layout.ts';
import { SIG_DFL, SIGPIPE, SIGXFSZ } from '../../assembly/abi/signals.ts';
import type { Machine } from '../machine/machine.ts';
import { isSyscallError } from '../syscalls/errors.ts';
import type { Process } from '../syscalls/process.ts';
import { Context, ExitRequest } from './context.ts';
import type { Image, ProgramTable, Sources } from './image.ts';
import { ModuleCache } from './modules.ts';
import type { Environment, Program } from './program.ts';

/** What programs that throw exit with. */
const FAILED = 1;
const CODE_MASK = 0xff;

export class Runtime implements Sources {
  readonly machine: Machine;
  readonly programs: ProgramTable;
  readonly modules = new ModuleCache();
  readonly #running = new Map<number, Context>();

  constructor(machine: Machine, programs: ProgramTable) {
    this.machine = machine;
    this.programs = programs;
    machine.cpu.scheduler.onEvent((pid, event) => this.#event(pid, event));
  }

  /** Run `program` as this process, from the next turn on; it ends with what the program returns. */
  start(process: Process, program: Program, argv: readonly string[], env: Environment): Context {
    const context = new Context(this, process, argv, env);
    this.#running.set(process.pid, context);
    // What is the default for programs a library's process ignores.
    for (const signal of [SIGPIPE, SIGXFSZ]) process.sigaction(signal, SIG_DFL);
    queueMicrotask(() => void this.#run(context, program));
    return context;
  }

  fork(parent: Context, body: Program): Context {
    const process = parent.process.fork();
    const context = new Context(this, process, parent.argv, parent.env);
    this.#running.set(process.pid, context);
    queueMicrotask(() => void this.#run(context, body));
    return context;
  }

  /** Run an image in the place of what a process ran, and finish its outputs. Its exit code. */
  async replace(old: Context, image: Image, env: Environment): Promise<number> {
    const context = new Context(this, old.process, image.argv, env, old);
    this.#running.set(old.pid, context);
    return this.#call(context, image.program);
  }

  async #run(context: Context, program: Program): Promise<void> {
    const code = await this.#call(context, program);
    if (context.ended.aborted || !this.#running.has(context.pid)) return;
    try {
      context.process.exitWith((code & CODE_MASK) << 8);
    } catch (error) {
      // A signal may have ended it of which nothing was heard yet.
      const gone = isSyscallError(error) && error.errno === -ESRCH;
      if (!gone && this.machine.cpu.panic === undefined) throw error;
    }
    this.#gone(context.pid);
  }

  /** End a process whose program is not the one to return its exit code: a signal's handler has it. */
  exit(context: Context, code: number): void {
    void this.#run(context, () => code);
  }

  /** The program's exit code, whatever it did. */
  async #call(context: Context, program: Program): Promise<number> {
    let code: number;
    try {
      code = await program(context);
    } catch (error) {
      code = error instanceof ExitRequest ? error.code : this.failed(context, error);
    }
    try {
      await context.flushAll();
    } catch (error) {
      return code === 0 ? this.failed(context, error) : code;
    }
    return code;
  }

  /** A program threw: say so on its standard error. */
  failed(context: Context, error: unknown): number {
    if (context.ended.aborted || isGone(error) || this.machine.cpu.panic !== undefined) return FAILED;
    const name = context.argv[0] ?? 'program';
    const text = isSyscallError(error) ? error.message : error instanceof Error ? error.stack : String(error);
    try {
      // The reader of standard error may be gone too; nobody is left to be told then.
      Promise.resolve(context.stderr.write(`${name}: ${text}\n`)).catch(() => {});
    } catch {}
    return FAILED;
  }

  #event(pid: number, kind: number): void {
    if (kind === PE_EXIT) this.#gone(pid);
    else if (kind === PE_SIGNAL) this.#running.get(pid)?.deliver();
  }

  #gone(pid: number): void {
    const context = this.#running.get(pid);
    if (context === undefined) return;
    this.#running.delete(pid);
    context.finish();
  }
}

/** The error that every call of an ended process fails with. */
export function isGone(error: unknown): boolean {
  return (
    isSyscallError(error) &&
    error.errno === -ESRCH &&
    (error.syscall === 'proc_switch' || error.syscall === 'wait')
  );
}
