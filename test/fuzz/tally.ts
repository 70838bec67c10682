import { EINTR, ERESTART } from '../../assembly/abi/errno.ts';
import { errnoName } from '../oracle/errno.ts';
import type { ExportName } from './call.ts';

/** The refusal of every call while the machine is stopped (assembly/kern/cpu.ts). */
export const ESTOPPED = 515;

/** How often a call was made, and how it ended. */
export interface CallTally {
  made: number;
  succeeded: number;
  blocked: number;
  /** Number of an errno: how often it was given. */
  errors: Record<number, number>;
}

/** Counts over sessions; plain data, so that a worker can hand it over. */
export class Tally {
  readonly calls: Partial<Record<ExportName, CallTally>> = {};
  made = 0;
  succeeded = 0;

  /** A call ended with this result, or waits (-ERESTART). */
  count(name: ExportName, result: number): void {
    const entry = this.#entry(name);
    this.made++;
    entry.made++;
    // a call given up has been interrupted: that is what it was to be
    if (result >= 0 || (name === 'sys_cancel' && result === -EINTR)) {
      this.succeeded++;
      entry.succeeded++;
    } else if (result === -ERESTART) entry.blocked++;
    else entry.errors[-result] = (entry.errors[-result] ?? 0) + 1;
  }

  #entry(name: ExportName): CallTally {
    let entry = this.calls[name];
    if (!entry) {
      entry = { made: 0, succeeded: 0, blocked: 0, errors: {} };
      this.calls[name] = entry;
    }
    return entry;
  }
}

function errnoLabel(number: number): string {
  return number === ESTOPPED ? 'stopped' : errnoName(number);
}

export function describeTally(tally: Pick<Tally, 'calls' | 'made' | 'succeeded'>): string {
  const share = ((100 * tally.succeeded) / Math.max(1, tally.made)).toFixed(1);
  const lines = Object.entries(tally.calls)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { made, succeeded, blocked, errors }]) => {
      const list = Object.entries(errors)
        .sort(([, a], [, b]) => b - a)
        .map(([number, n]) => `${errnoLabel(Number(number))} ${n}`);
      return `${name.padEnd(22)}${String(made).padStart(9)}${String(succeeded).padStart(9)}${String(blocked).padStart(8)}  ${list.join(', ')}`;
    });
  const head = `${'call'.padEnd(22)}${'made'.padStart(9)}${'ok'.padStart(9)}${'waited'.padStart(8)}  errors`;
  return [head, ...lines, `${tally.made} calls, ${tally.succeeded} succeeded (${share} %)`].join('\n');
}
