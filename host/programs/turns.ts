/**
 * Turns of the host's event loop. A program that never has to wait goes on without one, or from
 * microtask to microtask, and timers, signals and what is typed would never get through: so
 * streams, and loops of the shell, ask whether a turn is due, and wait for it.
 */
import { defer } from '#platform';

/** How long programs may run without one. */
const TURN_MS = 10;
/** When the present turn began, as far as anybody asked; undefined until somebody does. */
let began: number | undefined;

/** Has this turn taken so long that others should have one? */
export function turnDue(): boolean {
  const now = performance.now();
  if (began === undefined) {
    began = now;
    defer(() => {
      began = undefined;
    });
  }
  return now - began > TURN_MS;
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => defer(resolve));
}
