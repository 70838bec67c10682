/** What the campaign must find: bugs to plant in the kernel, and a mount option that promises less. */
import { JOURNAL_BUGS } from '../ext4/journal-bugs.ts';
import type { Bug } from '../model/bugs.ts';

export interface Plant {
  readonly name: string;
  readonly effect: string;
  readonly bug?: Bug;
  /** Mount options. */
  readonly options?: string;
}

export const PLANTS: readonly Plant[] = [
  {
    name: 'nobarrier',
    effect: 'the disk has a write cache and is not flushed',
    options: 'nobarrier',
  },
  ...JOURNAL_BUGS.map((bug): Plant => ({ name: bug.name, effect: bug.effect, bug })),
];
