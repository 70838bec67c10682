/** What `time` and `times` say. Processes of the machine have no times of their own: nothing counts them. */
import type { Shell } from './shell.ts';

const MS_PER_SECOND = 1000;

/** POSIX's form of `time -p`. */
export function reportTimes(shell: Shell, ms: number): void {
  shell.complain(`real ${(ms / MS_PER_SECOND).toFixed(2)}\nuser 0.00\nsys 0.00`);
}
