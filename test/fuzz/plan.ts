import type { MachineOptions } from './machine.ts';
import { Random } from './random.ts';

/** Which machine a seed means, and how it is treated. */
export interface Plan extends MachineOptions {
  /** Calls from boot to shutdown. */
  calls: number;
  /** Share of the values drawn with care that are hostile all the same. */
  hostility: number;
  /** RAM is checked after so many calls. */
  checkEvery: number;
}

export const SESSION_CALLS = 25_000;
export const FLAVOURS = ['up-debug', 'smp-debug'] as const;
const RAM_MIB = [4, 4, 5, 8, 16, 64];

/** Odd seeds are machines of the one flavour, even ones of the other. */
export function planOf(seed: number): Plan {
  // a stream of its own: the calls draw from the seed's
  const random = new Random(seed ^ 0x5eed);
  const ramMiB = random.pick(RAM_MIB);
  return {
    seed,
    flavour: FLAVOURS[(seed + 1) % 2],
    ramBytes: ramMiB << 20,
    calls: SESSION_CALLS,
    hostility: random.pick([0.01, 0.03, 0.05, 0.1]),
    checkEvery: ramMiB <= 8 ? 1000 : 5000,
  };
}
