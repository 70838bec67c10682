/**
 * Promises that programs rely on without asking (auto_da_alloc): a file that was renamed over another, or that
 * was cut to nothing and written anew, has its data on the disk when the next transaction commits, so that a
 * crash leaves the old content or the new one, and no empty file.
 *
 * What is renamed is written at once, before the rename's handle. What was cut is put on a list of the mount at its
 * close (EI_DADIRTY), which is worked off before a commit: one that is asked for, and one for want of room in the log
 * (ext4Begin). Locks: em_lock.
 */
import { Vnode } from '../../vfs/vnode';
import { vnodePut, vnodeRef } from '../../vfs/vnode';
import { writebackPages } from '../../vfs/writeback';
import { baOf } from './balloc';
import { EI_DADIRTY, eiUnmark, eiOf, eiMark, emUnlock, Ext4Inode, ext4LockInside, Ext4Mount, MO_NOAUTODA } from './types';

/** Write the file's dirty pages. The caller is in no handle. An error is the file's: fsync tells it. */
export function ext4FlushNow(em: Ext4Mount, vp: Vnode): void {
  if ((em.em_opts & MO_NOAUTODA) == 0) writebackPages(vp.v_fc);
}

/** The file's dirty pages are to be written before the next commit. */
export function ext4FlushSoon(em: Ext4Mount, vp: Vnode): void {
  const ei = eiOf(vp);
  // without a journal no commit asks for them
  if (em.em_opts & MO_NOAUTODA || vp.v_fc.fc_ndirty == 0 || em.em_jn == 0 || em.em_balloc == 0) return;
  ext4LockInside(em);
  if ((ei.ei_state & EI_DADIRTY) == 0) {
    const ba = baOf(em);
    eiMark(ei, EI_DADIRTY);
    ei.ei_daprev = 0;
    ei.ei_danext = ba.ba_da;
    if (ba.ba_da != 0) changetype<Ext4Inode>(<usize>ba.ba_da).ei_daprev = <u32>changetype<usize>(ei);
    ba.ba_da = <u32>changetype<usize>(ei);
  }
  emUnlock(em);
}

/** em_lock held. */
function remove(em: Ext4Mount, ei: Ext4Inode): void {
  eiUnmark(ei, EI_DADIRTY);
  if (ei.ei_daprev != 0) changetype<Ext4Inode>(<usize>ei.ei_daprev).ei_danext = ei.ei_danext;
  else baOf(em).ba_da = ei.ei_danext;
  if (ei.ei_danext != 0) changetype<Ext4Inode>(<usize>ei.ei_danext).ei_daprev = ei.ei_daprev;
}

/** The inode goes (VOP_RECLAIM), or has no data left. */
export function ext4FlushForget(em: Ext4Mount, ei: Ext4Inode): void {
  if ((ei.ei_state & EI_DADIRTY) == 0) return;
  ext4LockInside(em);
  // a commit on another CPU may have been as quick
  if (ei.ei_state & EI_DADIRTY) remove(em, ei);
  emUnlock(em);
}

/** Nothing is flushed any more: the file system is done with writing. */
export function ext4FlushNone(em: Ext4Mount): void {
  const ba = baOf(em);
  while (ba.ba_da != 0) remove(em, changetype<Ext4Inode>(<usize>ba.ba_da));
}

/** Before a commit takes its lock: write them. Nothing of RANK_JOURNAL or above is held. */
export function ext4Precommit(em: Ext4Mount): void {
  const ba = baOf(em);
  if (ba.ba_da == 0 || ba.ba_incommit != 0) return;
  ba.ba_incommit = 1;
  while (true) {
    ext4LockInside(em);
    const ei = changetype<Ext4Inode>(<usize>ba.ba_da);
    if (changetype<usize>(ei) != 0) {
      remove(em, ei);
      vnodeRef(ei.ei_vnode);
    }
    emUnlock(em);
    if (changetype<usize>(ei) == 0) break;
    const vp = ei.ei_vnode;
    // an error is the file's: fsync tells it
    writebackPages(vp.v_fc);
    vnodePut(vp);
  }
  ba.ba_incommit = 0;
}
