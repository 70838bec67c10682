import type { ErrnoName } from '../oracle/errno.ts';
import type { Feature } from '../oracle/target.ts';
import type { CallName } from './documented.ts';
import type { Scene } from './scene.ts';

/** Who makes the call: uid 0 with every privilege, or an ordinary user. */
export type Who = 'root' | 'user';

/** One scenario in which a call must give one error. */
export interface Cell {
  call: CallName;
  errno: ErrnoName;
  /** What is special about it, in a few words. */
  title: string;
  who: readonly Who[];
  /** Root makes the same call in the same scene and must succeed: the error's counterpart. */
  rootPasses?: boolean;
  needs?: readonly Feature[];
  /** Sets the scene and makes the call; its result is what is judged. */
  run(scene: Scene): unknown;
}

/** A slot of the table that no scenario can fill. */
export interface Inapplicable {
  calls: readonly CallName[];
  errno: ErrnoName;
  who: readonly Who[];
  reason: string;
}

/** A rule about results, not errors: throws (expect) when it is broken. */
export interface Behaviour {
  group: string;
  title: string;
  who: readonly Who[];
  needs?: readonly Feature[];
  run(scene: Scene): void;
}

export const BOTH: readonly Who[] = ['root', 'user'];

interface CellOptions {
  who?: readonly Who[];
  needs?: readonly Feature[];
  rootPasses?: boolean;
}

/** A cell for root and user alike, unless the options say otherwise. */
export function cell(
  call: CallName,
  errno: ErrnoName,
  title: string,
  run: (scene: Scene) => unknown,
  options: CellOptions = {},
): Cell {
  return { call, errno, title, run, who: BOTH, ...options };
}

/** A cell in which a user is refused and root is not. */
export function refused(
  call: CallName,
  errno: ErrnoName,
  title: string,
  run: (scene: Scene) => unknown,
  needs: readonly Feature[] = [],
): Cell {
  return { call, errno, title, run, who: ['user'], rootPasses: true, needs: ['credentials', ...needs] };
}

/** A behaviour for root and user alike, unless the options say otherwise. */
export function behaviour(
  group: string,
  title: string,
  run: (scene: Scene) => void,
  options: { who?: readonly Who[]; needs?: readonly Feature[] } = {},
): Behaviour {
  return { group, title, run, who: BOTH, ...options };
}
