/** How often each operation of the kernel was called on each mount, and how long it took. */
import type { Machine } from '../../index.ts';
import type { Scene } from './scene.ts';

export interface Statistics {
  readonly machine: Machine;
}

export function startStatistics(machine: Machine): Statistics {
  return { machine };
}

export function operationCosts({ say }: Scene): void {
  say('(tracer is not there yet)');
}
