import type { Behaviour } from './types.ts';

/** Every behaviour of the contract. */
export const behaviours: readonly Behaviour[] = [];
