/**
 * A shell in one process: its state, what it does system calls with, and how it tells of things.
 *
 * Commands give their status at once or a promise of it; only what waits is a promise, so that a
 * loop of builtins runs without turns of the event loop, save those that `breathe` takes.
 */
import type { ProgramContext } from '../programs/program.ts';
import { nextTurn, turnDue } from '../programs/turns.ts';
import { type DataCalls, dataCalls } from '../syscalls/fs/data.ts';
import type { Process } from '../syscalls/process.ts';
import { concatenate, decodeBytes, encodeBytes } from '../syscalls/bytes.ts';
import { ExitShell, Interrupted, isEnded, Replaced, ShellError } from './errors.ts';
import { ArithmeticError, evaluateArithmetic, IllegalNumber } from './expand/arithmetic.ts';
import { Expander, type ExpansionHost } from './expand/expand.ts';
import { globPaths } from './expand/glob.ts';
import { type Job, Jobs } from './jobs.ts';
import { run } from './run.ts';
import type { ShellState } from './state.ts';
import type { List } from './syntax/ast.ts';
import { ShellSyntaxError } from './syntax/errors.ts';
import { Traps } from './traps.ts';
import { ReadonlyError } from './variables.ts';

export type Status = number | Promise<number>;

/** How a node is run: bits. */
export const NORMAL = 0;
/** The process ends with it. */
export const EXIT = 1;
/** Its failure is looked at: `set -e` does not apply. */
export const TESTED = 2;

/** A jump out of commands: to a loop, or out of a function or `.` file. */
export type Jump = { readonly kind: 'break' | 'continue'; levels: number } | { readonly kind: 'return' };

const CHUNK_BYTES = 65536;
const DEFAULT_IFS = ' \t\n';

export class Shell implements ExpansionHost {
  readonly context: ProgramContext;
  readonly process: Process;
  readonly data: DataCalls;
  readonly state: ShellState;
  readonly expander: Expander;
  readonly jobs: Jobs;
  readonly traps: Traps;
  /** Where the commands of a prompt are read: a terminal's descriptor, in an interactive shell. */
  terminal: number | undefined;
  /** `LINENO` */
  line = 1;
  /** The builtin that runs, for messages. */
  builtin: string | undefined;
  /** Where to go on instead of at the next command. */
  jump: Jump | undefined;
  /** Loops that this function, or the shell outside of functions, is in. */
  loops = 0;
  /** Functions that are running. */
  calls = 0;
  /** `.` files that this function, or the shell outside of functions, is in. */
  sourcing = 0;
  /** Status of the last command substitution, or undefined since it was reset. */
  substituted: number | undefined;
  /** Descriptors in which redirected ones are kept. */
  readonly saved = new Set<number>();
  /** Where `set -x` traces to while standard error is redirected. */
  traceFd = 2;
  #output: (string | Uint8Array)[] = [];
  #ifs: string = DEFAULT_IFS;

  constructor(context: ProgramContext, state: ShellState) {
    this.context = context;
    this.process = context.process;
    this.data = dataCalls(context.process);
    this.state = state;
    this.expander = new Expander(this);
    this.jobs = new Jobs(this);
    this.traps = new Traps(this);
    this.#ifs = state.variables.get('IFS') ?? DEFAULT_IFS;
    state.variables.changed = (name) => this.#changed(name);
  }

  #changed(name: string): void {
    if (name === 'IFS') this.#ifs = this.state.variables.get('IFS') ?? DEFAULT_IFS;
    else if (name === 'PATH') this.state.hash.clear();
    else if (name === 'OPTIND') {
      const index = Number.parseInt(this.state.variables.get('OPTIND') ?? '1', 10);
      this.state.getopts = { index: index > 0 ? index : 1, offset: 0 };
    }
  }

  get interactive(): boolean {
    return this.state.options.has('interactive');
  }

  // ── what expansion asks for ──────────────────────────────────────────────────────────────

  get positional(): readonly string[] {
    return this.state.positional;
  }

  get ifs(): string {
    return this.#ifs;
  }

  get nounset(): boolean {
    return this.state.options.nounset;
  }

  get noglob(): boolean {
    return this.state.options.has('noglob');
  }

  parameter(name: string): string | undefined {
    const { state } = this;
    const code = name.charCodeAt(0);
    if (code >= 0x30 && code <= 0x39) {
      const index = Number(name);
      return index === 0 ? state.name : state.positional[index - 1];
    }
    switch (name) {
      case '?':
        return String(state.status);
      case '#':
        return String(state.positional.length);
      case '$':
        return String(state.shellPid);
      case '!':
        return state.lastBackground === undefined ? undefined : String(state.lastBackground);
      case '-':
        return state.options.letters();
      case 'LINENO':
        return String(this.line);
      default:
        return state.variables.get(name);
    }
  }

  assign(name: string, value: string): void {
    try {
      this.state.variables.set(name, value);
    } catch (error) {
      if (error instanceof ReadonlyError) throw this.error(error.message);
      throw error;
    }
    if (this.state.options.has('allexport')) this.state.variables.export(name);
  }

  arithmetic(text: string): string {
    try {
      return evaluateArithmetic(text, {
        get: (name) => this.parameter(name),
        set: (name, value) => this.assign(name, value),
        unset: (name) => (this.nounset ? this.fail(`${name}: parameter not set`) : ''),
      });
    } catch (error) {
      if (error instanceof ArithmeticError || error instanceof IllegalNumber) throw this.error(error.message);
      throw error;
    }
  }

  home(user: string): string | undefined {
    if (user === '') return this.state.variables.get('HOME');
    try {
      const line = this.context.fs
        .readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((each) => each.startsWith(`${user}:`));
      return line?.split(':')[5];
    } catch (error) {
      if (isEnded(error)) throw error;
      return undefined;
    }
  }

  glob(pattern: string): string[] {
    return globPaths(this.context.fs, pattern);
  }

  fail(message: string): never {
    throw this.error(message);
  }

  async substitute(body: List): Promise<string> {
    if (body.items.length === 0) {
      this.substituted = 0;
      return '';
    }
    const { process } = this;
    const pipe = process.pipe();
    const pid = this.fork((child) => {
      child.process.dup2(pipe.write, 1);
      return run(child, body, EXIT);
    });
    process.close(pipe.write);
    const text = decodeBytes(await this.readAll(pipe.read));
    process.close(pipe.read);
    this.substituted = await this.jobs.waitPid(pid);
    return text.replaceAll('\0', '').replace(/\n+$/, '');
  }

  async readAll(fd: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = await this.retry(() => this.data.readLater(fd, chunk, 0, CHUNK_BYTES, -1));
      if (count === 0) return concatenate(chunks.length === 0 ? [new Uint8Array(0)] : chunks);
      chunks.push(chunk.subarray(0, count));
    }
  }

  /** A call that waits, again when a caught signal ended the wait. */
  async retry<T>(call: () => T | Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        this.traps.afterWait(error);
      }
    }
  }

  // ── processes ────────────────────────────────────────────────────────────────────────────

  /**
   * A process with a copy of this shell that runs `body` and ends with its status.
   * @param job  whose process group it joins, if there is job control
   * @returns its pid
   */
  fork(body: (child: Shell) => Status, job?: Job): number {
    const state = this.state.fork();
    const { saved, line, builtin, loops } = this;
    const handled = this.traps.handled;
    const monitor = job !== undefined && state.options.has('monitor');
    const background = job?.background ?? false;
    const group = job?.group ?? 0;
    const inherited = [...saved];
    const pid = this.context.fork((context) => {
      state.options.set('interactive', false);
      state.options.set('monitor', false);
      const child = new Shell(context, state);
      child.line = line;
      child.builtin = builtin;
      child.loops = loops;
      return child.asProcess(async () => {
        for (const fd of inherited) child.process.close(fd);
        if (monitor) child.jobs.joinGroup(group, background, this.terminal);
        child.traps.reset(handled, background && !monitor);
        return body(child);
      });
    });
    if (monitor) this.jobs.putInGroup(pid, job);
    return pid;
  }

  /** Run what is this process's whole work: its exit code. */
  async asProcess(body: () => Status): Promise<number> {
    let status = await this.#ended(body);
    if (status.replaced) return status.code;
    this.state.status = status.code;
    const action = this.traps.takeExit();
    if (action !== undefined) {
      status = await this.#ended(() => this.traps.runAction(action));
    }
    return status.code;
  }

  async #ended(body: () => Status): Promise<{ code: number; replaced: boolean }> {
    try {
      return { code: await body(), replaced: false };
    } catch (error) {
      if (error instanceof Replaced) return { code: error.status, replaced: true };
      if (error instanceof ExitShell) return { code: error.status, replaced: false };
      if (error instanceof Interrupted) return { code: error.status, replaced: false };
      return { code: this.failed(error), replaced: false };
    }
  }

  /** A command ended by throwing: say why, once. Its status. Rethrows what is not a command's failure. */
  failed(error: unknown): number {
    if (error instanceof ShellError) {
      if (!error.reported) this.complain(error.message);
      error.reported = true;
      return error.status;
    }
    if (error instanceof ShellSyntaxError) return this.failed(this.syntaxError(error));
    if (error instanceof RangeError && /call stack/i.test(error.message)) {
      this.complain(`${this.#prefix(this.line)}Too many nested commands`);
      return 2;
    }
    throw error;
  }

  // ── telling ──────────────────────────────────────────────────────────────────────────────

  #prefix(line: number): string {
    return `${this.state.name}: ${this.interactive ? '' : `${line}: `}`;
  }

  /** An error of the command that runs. */
  error(message: string, status = 2): ShellError {
    const builtin = this.builtin === undefined ? '' : `${this.builtin}: `;
    return new ShellError(`${this.#prefix(this.line)}${builtin}${message}`, status);
  }

  syntaxError({ line, message }: ShellSyntaxError): ShellError {
    const builtin = this.builtin === undefined ? '' : `${this.builtin}: `;
    return new ShellError(`${this.#prefix(line)}${builtin}Syntax error: ${message}`);
  }

  /** Say what is wrong, as a command does that goes on. */
  warn(message: string): void {
    this.complain(this.error(message).message);
  }

  /** A line to standard error. */
  complain(line: string): void {
    this.writeNow(2, `${line}\n`);
  }

  /** Write at once. There is nobody to tell when that fails. */
  writeNow(fd: number, text: string): void {
    const bytes = encodeBytes(text);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += this.data.write(fd, bytes, done, bytes.length - done, -1);
      }
    } catch (error) {
      if (isEnded(error)) throw error;
    }
  }

  /** Standard output of a builtin: written when it ends. */
  write(text: string | Uint8Array): void {
    this.#output.push(text);
  }

  /** Write what builtins have put out. @throws SyscallError */
  flush(): void | Promise<void> {
    if (this.#output.length === 0) return undefined;
    const parts = this.#output;
    this.#output = [];
    const bytes =
      parts.length === 1 && typeof parts[0] === 'string'
        ? encodeBytes(parts[0])
        : concatenate(parts.map((each) => (typeof each === 'string' ? encodeBytes(each) : each)));
    return this.#writeAll(bytes, 0);
  }

  #writeAll(bytes: Uint8Array, from: number): void | Promise<void> {
    for (let done = from; done < bytes.length; ) {
      const count = this.data.writeLater(1, bytes, done, bytes.length - done, -1);
      if (typeof count !== 'number') return this.#writeRest(bytes, done, count);
      done += count;
    }
    return undefined;
  }

  async #writeRest(bytes: Uint8Array, from: number, first: Promise<number>): Promise<void> {
    let done = from;
    let pending: number | Promise<number> = first;
    while (done < bytes.length) {
      try {
        done += await pending;
      } catch (error) {
        this.traps.afterWait(error);
      }
      if (done < bytes.length) pending = this.data.writeLater(1, bytes, done, bytes.length - done, -1);
    }
  }

  /** Forget what a builtin put out. */
  discardOutput(): void {
    this.#output = [];
  }

  // ── turns ────────────────────────────────────────────────────────────────────────────────

  /** Have commands run for so long that others should have a turn? */
  get tired(): boolean {
    return turnDue();
  }

  /** Give the event loop a turn. @throws Interrupted, or SyscallError ESRCH if this process was ended */
  async breathe(): Promise<void> {
    await nextTurn();
    // Any call will do: it fails if a signal has ended this process.
    this.process.getpgid();
    this.traps.checkInterrupt();
  }
}
