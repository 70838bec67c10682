/** What the steps of the tour share. */
import { codeOf } from '../../hostfiles/entry.ts';
import type { Tree } from '../../hostfiles/scan.ts';
import type { Machine } from '../../index.ts';
import type { Costs } from './costs.ts';

/** A tree in the machine and where it came from. */
export interface Imported {
  tree: Tree;
  /** Directory on the host, as it was given. */
  host: string;
  /** Its path in the machine. */
  target: string;
  /** Most of it was there before. */
  update: boolean;
}

/** What the steps work on. */
export interface Scene {
  readonly machine: Machine;
  readonly imported: readonly Imported[];
  /** Is told of mounts that come and go. */
  readonly costs: Costs;
  /** Print what was found out. */
  say(line: string): void;
}

/** Something was not as it should be. */
export class CheckError extends Error {}

/** @throws CheckError when `condition` does not hold; `what` says what was found instead */
export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new CheckError(what);
}

/** The errno's name of what `action` throws; 'nothing' if it does not. */
export function codeThrown(action: () => unknown): string {
  try {
    action();
    return 'nothing';
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code;
  }
}
