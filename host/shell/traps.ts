/**
 * Signals that the shell catches: `trap`s, and ^C at a prompt. A signal that comes is remembered;
 * its action runs between two commands.
 */
import { SIG_IGN, SIGINT, SIGKILL, SIGQUIT, SIGSTOP } from '../../assembly/abi/signals.ts';
import { Interrupted, isInterrupted } from './errors.ts';
import { runText } from './run.ts';
import type { Shell } from './shell.ts';

const EXIT_TRAP = 0;

export class Traps {
  readonly #shell: Shell;
  #pending: number[] = [];
  /** ^C has come since it was last asked. */
  #interrupt = false;
  /** A line is being typed: a ^C drops it, also if there is a trap, whose action runs then. */
  prompting = false;
  /** Signals whose action is this shell's doing. */
  readonly #ours: Set<number>;
  /** Signals that an interactive shell catches or ignores for itself. */
  readonly #own = new Map<number, 'ignore' | 'interrupt'>();

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#ours = new Set(shell.state.traps.keys());
  }

  /** Signals that a child must have as they were before this shell. */
  get handled(): number[] {
    return [...this.#own.keys()];
  }

  get pending(): boolean {
    return this.#pending.length > 0;
  }

  /** What an interactive shell does about a signal as long as there is no trap. */
  own(signal: number, action: 'ignore' | 'interrupt'): void {
    this.#own.set(signal, action);
    this.#ours.add(signal);
    this.#apply(signal);
  }

  /** @param action  commands; '' to ignore; undefined for what it was by default */
  set(signal: number, action: string | undefined): void {
    const { traps } = this.#shell.state;
    if (signal === SIGKILL || signal === SIGSTOP) return;
    if (signal !== EXIT_TRAP && !this.#ours.has(signal)) {
      // A signal that was ignored before the shell started stays so.
      const before = this.#shell.process.sigaction(signal, SIG_IGN);
      if (before === SIG_IGN && !this.#shell.interactive) return;
      this.#ours.add(signal);
    }
    if (action === undefined) traps.delete(signal);
    else traps.set(signal, action);
    if (signal !== EXIT_TRAP) this.#apply(signal);
  }

  #apply(signal: number): void {
    const action = this.#shell.state.traps.get(signal);
    const { context } = this.#shell;
    const own = this.#own.get(signal);
    if (action === '') context.onSignal(signal, 'ignore');
    else if (action !== undefined || own === 'interrupt')
      context.onSignal(signal, () => this.#caught(signal));
    else context.onSignal(signal, own === 'ignore' ? 'ignore' : 'default');
  }

  #caught(signal: number): void {
    const trapped = this.#shell.state.traps.has(signal);
    if (trapped) this.#pending.push(signal);
    if (!trapped || (this.prompting && signal === SIGINT)) this.#interrupt = true;
  }

  /** ^C was typed where it sends no signal. @returns whether it counts: it may be ignored */
  typedInterrupt(): boolean {
    const action = this.#shell.state.traps.get(SIGINT);
    if (action !== undefined && action !== '') this.#pending.push(SIGINT);
    return action !== '';
  }

  /** See which signals have come. They are told on a later turn, which a builtin does not wait for. */
  collect(): void {
    const { process } = this.#shell;
    for (let signal = process.sigtake(); signal > 0; signal = process.sigtake()) this.#caught(signal);
  }

  /** In a new process: signals as they are for programs. */
  reset(handled: readonly number[], detached: boolean): void {
    const { traps } = this.#shell.state;
    const { context } = this.#shell;
    for (const signal of handled) if (traps.get(signal) !== '') context.onSignal(signal, 'default');
    if (!detached) return;
    for (const signal of [SIGINT, SIGQUIT]) {
      context.onSignal(signal, 'ignore');
      this.#ours.add(signal);
    }
  }

  /** The EXIT trap's commands, once. */
  takeExit(): string | undefined {
    const { traps } = this.#shell.state;
    const action = traps.get(EXIT_TRAP);
    traps.delete(EXIT_TRAP);
    return action === '' ? undefined : action;
  }

  /** Run an action; `$?` is as before afterwards. */
  async runAction(action: string): Promise<number> {
    const shell = this.#shell;
    const { status } = shell.state;
    const { jump, line } = shell;
    shell.jump = undefined;
    await runText(shell, action);
    shell.state.status = status;
    shell.line = line;
    shell.jump ??= jump;
    return status;
  }

  /** Run the actions of signals that have come. */
  async runPending(): Promise<void> {
    while (this.#pending.length > 0) {
      const signal = this.#pending.shift() as number;
      const action = this.#shell.state.traps.get(signal);
      if (action !== undefined && action !== '') await this.runAction(action);
    }
  }

  /** The first signal that has come and is trapped, not taken. */
  get first(): number | undefined {
    return this.#pending[0];
  }

  /** @throws Interrupted if ^C has come */
  checkInterrupt(): void {
    if (!this.#interrupt) return;
    this.#interrupt = false;
    throw new Interrupted();
  }

  forgetInterrupt(): void {
    this.#interrupt = false;
  }

  /** A wait failed: go on if a signal ended it that is no ^C; otherwise throws. */
  afterWait(error: unknown): void {
    if (!isInterrupted(error)) throw error;
    this.checkInterrupt();
  }
}
