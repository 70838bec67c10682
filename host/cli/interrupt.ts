/**
 * ^C and kill, to a command that has something open which must be put in order: the first asks it to stop
 * where that is possible, the second ends it at once.
 */
import { constants } from 'node:os';
import { CommandError } from './errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interruption {
  readonly #controller = new AbortController();
  readonly #hear = (name: NodeJS.Signals) => this.#heard(name);
  #name: NodeJS.Signals | undefined;

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#hear);
  }

  /** Aborted by the first of them. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  #heard(name: NodeJS.Signals): void {
    if (this.#name === undefined) {
      this.#name = name;
      this.#controller.abort();
      return;
    }
    // Locks are let go on the way out; what was being written is as after a loss of power.
    process.exit(128 + constants.signals[name]);
  }

  /** What to end with, and to say, when the work was given up. */
  error(what: string): CommandError {
    const name = this.#name ?? 'SIGINT';
    return new CommandError(
      `${name === 'SIGINT' ? 'interrupted' : `ended by ${name}`}: ${what}`,
      128 + constants.signals[name],
    );
  }

  release(): void {
    for (const name of SIGNALS) process.off(name, this.#hear);
  }
}

/** Do something that can be asked to stop. */
export async function interruptible<T>(work: (interruption: Interruption) => Promise<T>): Promise<T> {
  const interruption = new Interruption();
  try {
    return await work(interruption);
  } finally {
    interruption.release();
  }
}
