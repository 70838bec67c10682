import { dataBehaviours } from './behaviour/data.ts';
import { descriptorBehaviours } from './behaviour/descriptors.ts';
import { lockBehaviours } from './behaviour/locks.ts';
import { modeBehaviours } from './behaviour/modes.ts';
import { nameBehaviours } from './behaviour/names.ts';
import { timeBehaviours } from './behaviour/times.ts';
import type { Behaviour } from './types.ts';

/** Every behaviour of the contract. */
export const behaviours: readonly Behaviour[] = [
  ...dataBehaviours,
  ...timeBehaviours,
  ...modeBehaviours,
  ...nameBehaviours,
  ...descriptorBehaviours,
  ...lockBehaviours,
];
