/**
 * ext4: what a commit finishes: the running transaction is whole, no handle is open, and it is about to be written.
 *
 * Files whose last name went in it, and that are there still, join the orphan list (orphan.ts, O2); then the
 * superblock, which has the list's head, gets its checksum. All blocks of that are in the transaction already.
 */
import { Mount } from '../../vfs/mount';
import { ext4OrphansLate } from './orphan';
import { superSum } from './super';
import { emOf } from './types';

export function ext4Seal(mp: Mount): void {
  const em = emOf(mp);
  if (em.em_late != 0) ext4OrphansLate(em);
  if (em.em_sbstale == 0) return;
  em.em_sbstale = 0;
  superSum(em);
}
