/**
 * Promises that programs rely on without asking (auto_da_alloc): a file that was renamed over another, or that
 * was cut to nothing and written anew, has its data on the disk when the next transaction commits, so that a
 * crash leaves the old content or the new one, and no empty file.
 *
 * What is renamed is written at once, before the rename's handle. What was cut is put on a list of the mount at its
 * close (EI_DADIRTY), which is worked off before a commit: one that is asked for, and one for want of room in the log
 * (ext4Begin). Locks: em_lock.
 */
import { MACHINE_DEAD } from '../../abi/layout';
import { bb } from '../../kern/boot';
import { curcpu } from '../../kern/cpu';
import { waitWord } from '../../kern/words';
import { Vnode, vnodePut, vnodeTryRef } from '../../vfs/vnode';
import { writebackPages } from '../../vfs/writeback';
import { Balloc, baOf } from './balloc';
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

/** A wait is sliced, so that a dead machine is noticed. */
const SLICE_NS: i64 = 100_000_000;

/**
 * This CPU writes them, for a commit. False: it is doing that already, and commits in between. What another CPU is
 * writing is waited for: a commit must not come before it.
 */
function flushBegin(em: Ext4Mount): bool {
  const at = changetype<usize>(baOf(em)) + offsetof<Balloc>('ba_incommit');
  const mine = curcpu.c_id + 1;
  if (!SMP) {
    if (load<u32>(at) != 0) return false;
    store<u32>(at, mine);
    return true;
  }
  while (true) {
    const was = atomic.cmpxchg<u32>(at, 0, mine);
    if (was == 0) return true;
    if (was == mine) return false;
    waitWord(at, was, SLICE_NS);
    if (bb().bb_state == MACHINE_DEAD) unreachable();
  }
}

function flushEnd(em: Ext4Mount): void {
  const at = changetype<usize>(baOf(em)) + offsetof<Balloc>('ba_incommit');
  if (!SMP) {
    store<u32>(at, 0);
    return;
  }
  atomic.store<u32>(at, 0);
  atomic.notify(at, -1);
}

/** Before a commit takes its lock: write them. Nothing of RANK_JOURNAL or above is held. */
export function ext4Precommit(em: Ext4Mount): void {
  const ba = baOf(em);
  if (ba.ba_da == 0) return;
  if (!flushBegin(em)) return;
  while (true) {
    ext4LockInside(em);
    const ei = changetype<Ext4Inode>(<usize>ba.ba_da);
    let vp = changetype<Vnode>(<usize>0);
    if (changetype<usize>(ei) != 0) {
      remove(em, ei);
      // one that goes, without links, has nothing that a commit must wait for
      if (vnodeTryRef(ei.ei_vnode)) vp = ei.ei_vnode;
    }
    emUnlock(em);
    if (changetype<usize>(ei) == 0) break;
    if (changetype<usize>(vp) == 0) continue;
    // an error is the file's: fsync tells it
    writebackPages(vp.v_fc);
    vnodePut(vp);
  }
  flushEnd(em);
}
