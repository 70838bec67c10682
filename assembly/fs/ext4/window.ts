/**
 * Windows: blocks behind a file's last ones, kept in RAM for what will be appended to it, so that files which
 * grow at the same time do not take turns on the disk. Nothing of it is on the disk: a crash frees them.
 *
 * A window goes when its blocks are used, when the file is closed, truncated or written elsewhere, and all of
 * them when there is no other free block.
 *
 * Locks: em_lock (ei_papblk, ei_palen and the list); the inode's own code holds ei_lock as well.
 */
import { ALLOC_NOIO } from '../../vm/page';
import { ballocFreeAt, ballocTakeKept, baOf, maskClear, maskSet } from './balloc';
import { Ext4Inode, ext4LockInside, Ext4Mount, emUnlock, groupFirst, groupOf } from './types';

/** A file of fewer blocks gets none. */
const WINDOW_FROM: u32 = 8;
const WINDOW_MAX: u32 = 512;

/** Keep blocks behind a run that was taken for the inode, if nothing is kept yet: as many as the file has. */
export function windowOpen(em: Ext4Mount, ei: Ext4Inode, lblk: u32, pblk: u64, n: u32): void {
  const next = <u64>lblk + n;
  if (ei.ei_palen != 0 || next < WINDOW_FROM || next > u32.MAX_VALUE - WINDOW_MAX) return;
  ext4LockInside(em);
  let len: u32 = next > WINDOW_MAX ? WINDOW_MAX : <u32>next;
  // on a disk that fills up nothing is kept
  if (em.em_freeblocks > em.em_reserved + <u64>WINDOW_MAX * 16) len = ballocFreeAt(em, pblk + n, len);
  else len = 0;
  const g = len != 0 ? groupOf(em, pblk + n) : 0;
  if (len != 0 && maskSet(em, g, <u32>(pblk + n - groupFirst(em, g)), len, ALLOC_NOIO) == 0) {
    ei.ei_papblk = pblk + n;
    ei.ei_palblk = <u32>next;
    ei.ei_palen = len;
    const ba = baOf(em);
    ei.ei_paprev = 0;
    ei.ei_panext = ba.ba_windows;
    if (ba.ba_windows != 0) changetype<Ext4Inode>(<usize>ba.ba_windows).ei_paprev = <u32>changetype<usize>(ei);
    ba.ba_windows = <u32>changetype<usize>(ei);
  }
  emUnlock(em);
}

/** Take up to `want` blocks for lblk from the inode's window: how many, the first at `out`; 0: it has none for that. */
export function windowTake(em: Ext4Mount, ei: Ext4Inode, lblk: u32, want: u32, out: usize): i32 {
  if (ei.ei_palen == 0) return 0;
  ext4LockInside(em);
  const pblk = ei.ei_papblk;
  const n = ei.ei_palen < want ? ei.ei_palen : want;
  const fits = ei.ei_palen != 0 && ei.ei_palblk == lblk;
  if (!fits || n == ei.ei_palen) drop(em, ei);
  else {
    // the rest is kept on
    const g = groupOf(em, pblk);
    maskClear(em, g, <u32>(pblk - groupFirst(em, g)), n);
    ei.ei_papblk = pblk + n;
    ei.ei_palblk = lblk + n;
    ei.ei_palen -= n;
  }
  const r = fits ? ballocTakeKept(em, pblk, n, out) : 0;
  emUnlock(em);
  return r;
}

/** The inode needs its window no more. */
export function windowClose(em: Ext4Mount, ei: Ext4Inode): void {
  if (ei.ei_palen == 0) return;
  ext4LockInside(em);
  drop(em, ei);
  emUnlock(em);
}

/** em_lock held. */
function drop(em: Ext4Mount, ei: Ext4Inode): void {
  if (ei.ei_palen == 0) return;
  const g = groupOf(em, ei.ei_papblk);
  maskClear(em, g, <u32>(ei.ei_papblk - groupFirst(em, g)), ei.ei_palen);
  ei.ei_palen = 0;
  if (ei.ei_paprev != 0) changetype<Ext4Inode>(<usize>ei.ei_paprev).ei_panext = ei.ei_panext;
  else baOf(em).ba_windows = ei.ei_panext;
  if (ei.ei_panext != 0) changetype<Ext4Inode>(<usize>ei.ei_panext).ei_paprev = ei.ei_paprev;
}

/** There is no other free block: all of them go. False: there were none. em_lock held. */
export function windowsDrop(em: Ext4Mount): bool {
  const ba = baOf(em);
  if (ba.ba_windows == 0) return false;
  while (ba.ba_windows != 0) drop(em, changetype<Ext4Inode>(<usize>ba.ba_windows));
  return true;
}
