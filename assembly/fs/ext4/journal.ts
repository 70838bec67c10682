/**
 * ext4: its journal: found through its inode, replayed when the file system was not unmounted, written
 * while it is writable, closed with nothing in it.
 */
import { EINVAL, ENOMEM, ENOSPC, EOPNOTSUPP, EROFS } from '../../abi/errno';
import { S_IFREG } from '../../abi/flags';
import {
  EXT4_STATE_ERROR,
  INCOMPAT_64BIT,
  INCOMPAT_RECOVER,
  SB_FEATURE_INCOMPAT,
  SB_JOURNAL_INUM,
  SB_STATE,
} from '../../abi/ext4';
import { diskUpgrade } from '../../dev/disk';
import { BUF_FUA } from '../../vfs/buf';
import { scratchWord } from '../../vfs/scratch';
import { Vnode, vnodePut } from '../../vfs/vnode';
import { ALLOC_NOIO } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { JN_64BIT, JN_BARRIER, JN_CSUM3, Journal, journalCommit } from '../jbd2/journal';
import { journalAddRun } from '../jbd2/log';
import { journalAlloc, journalClose, journalFree, journalLoad, journalNotedError, journalStart } from '../jbd2/open';
import { journalNeedsRecovery, journalRecover } from '../jbd2/recover';
import { ballocWaits } from './balloc';
import { ext4Precommit } from './da';
import { ext4Error, ext4Log } from './error';
import { ext4InodeGet, IGET_SPECIAL } from './inode';
import { ext4Map } from './map';
import { emDisk } from './state';
import { superWriteAsIs } from './super';
import { jnOf } from './txn';
import { blockInRange, EM_NOREPLAY, Ext4Mount, eiOf, hasCsum, hasIncompat, MapResult, MO_BARRIER, MR_HOLE, MR_UNWRITTEN } from './types';

/** Tell the journal where its blocks are: 0 or an errno. */
function addRuns(em: Ext4Mount, vp: Vnode, jn: Journal, map: MapResult): i32 {
  const blocks = vp.v_fc.fc_size >> em.em_bshift;
  const end: u32 = blocks > <u64>u32.MAX_VALUE ? u32.MAX_VALUE : <u32>blocks;
  // it has no holes, and recovery goes through all of it
  if (blocks > em.em_blocks) return ext4Error(em, 'journal: size', eiOf(vp).ei_ino, blocks);
  for (let lblk: u32 = 0; lblk < end; ) {
    let e = ext4Map(em, vp, lblk, end - lblk, 0, map);
    if (e != 0) return e;
    if (map.m_flags & (MR_HOLE | MR_UNWRITTEN) || map.m_len == 0 || !blockInRange(em, map.m_pblk, map.m_len)) {
      return ext4Error(em, 'journal: hole', eiOf(vp).ei_ino, lblk);
    }
    e = journalAddRun(jn, map.m_pblk, map.m_len);
    if (e != 0) return e;
    lblk += map.m_len;
  }
  return 0;
}

/** The journal, its superblock checked, at out: 0 or an errno. */
function make(em: Ext4Mount, out: usize): i32 {
  const ino = load<u32>(<usize>em.em_sb + SB_JOURNAL_INUM);
  if (ino == 0) {
    ext4Log(em, 'its journal is on another device', 0);
    return -EINVAL;
  }
  let e = ext4InodeGet(em, ino, IGET_SPECIAL, scratchWord(4));
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(4)));
  const map = changetype<MapResult>(kmalloc(offsetof<MapResult>(), ALLOC_NOIO));
  const jn = journalAlloc(em.em_fc, em.em_bshift, em.em_blocks);
  if (changetype<usize>(map) == 0 || changetype<usize>(jn) == 0) e = -ENOMEM;
  else if (vp.v_type != S_IFREG) e = ext4Error(em, 'journal: no file', ino, 0);
  else e = addRuns(em, vp, jn, map);
  if (e == 0) e = journalLoad(jn);
  if (changetype<usize>(map) != 0) kfree(changetype<usize>(map));
  vnodePut(vp);
  if (e != 0 && changetype<usize>(jn) != 0) journalFree(jn);
  if (e == 0) store<u32>(out, <u32>changetype<usize>(jn));
  return e;
}

/** Mark that there may be something in the log, or nothing. */
export function recoverSet(em: Ext4Mount, on: bool): void {
  em.em_incompat = on ? em.em_incompat | INCOMPAT_RECOVER : em.em_incompat & ~INCOMPAT_RECOVER;
  store<u32>(<usize>em.em_sb + SB_FEATURE_INCOMPAT, em.em_incompat);
}

/**
 * Replay what a crash left in the log. 0: there was nothing; 1: what was read of the disk is to be read
 * again; -EROFS: the device does not let it; -EOPNOTSUPP: it has what cannot be replayed here, and is as it was;
 * another errno.
 */
export function ext4JournalReplay(em: Ext4Mount): i32 {
  let e = make(em, scratchWord(5));
  if (e != 0) return e;
  const jn = changetype<Journal>(<usize>load<u32>(scratchWord(5)));
  const noted = journalNotedError(jn) != 0;
  const needed = journalNeedsRecovery(jn) || hasIncompat(em, INCOMPAT_RECOVER);
  if (needed) {
    e = diskUpgrade(emDisk(em));
    if (e == -EROFS) ext4Log(em, 'needs its journal replayed, and cannot be written', 0);
    if (e == 0) e = journalRecover(jn);
    if (e == -EOPNOTSUPP) {
      ext4Log(em, 'it has fast commits that are not replayed here: mount it on Linux once, or run e2fsck -fy', 0);
      em.em_flags |= EM_NOREPLAY;
    }
  }
  journalFree(jn);
  if (e != 0 || !needed) return e;
  recoverSet(em, false);
  if (noted) {
    const at = <usize>em.em_sb + SB_STATE;
    store<u16>(at, <u16>(<u32>load<u16>(at) | EXT4_STATE_ERROR));
  }
  e = superWriteAsIs(em, BUF_FUA);
  return e != 0 ? e : 1;
}

/** Open the journal for writing: 0 or an errno. It has been replayed. */
export function ext4JournalOpen(em: Ext4Mount): i32 {
  let e = make(em, scratchWord(5));
  if (e != 0) return e;
  const jn = changetype<Journal>(<usize>load<u32>(scratchWord(5)));
  let want: u32 = em.em_opts & MO_BARRIER ? JN_BARRIER : 0;
  if (hasCsum(em)) want |= JN_CSUM3;
  if (hasIncompat(em, INCOMPAT_64BIT)) want |= JN_64BIT;
  e = journalNeedsRecovery(jn) ? -EINVAL : journalStart(jn, want);
  if (e != 0) journalFree(jn);
  else {
    em.em_jn = <u32>changetype<usize>(jn);
    jn.jn_mount = em.em_mount;
  }
  return e;
}

/** Commit: 0 or an errno. Nothing of RANK_JOURNAL or above is held. */
export function ext4Commit(em: Ext4Mount): i32 {
  ext4Precommit(em);
  return journalCommit(jnOf(em));
}

/**
 * An operation failed with `e` and holds nothing any more. Is it worth another try? If there was no room, and
 * blocks that were freed wait for a commit: that is done here.
 */
export function ext4Retry(em: Ext4Mount, e: i32): bool {
  return e == -ENOSPC && em.em_jn != 0 && ballocWaits(em) && ext4Commit(em) == 0;
}

/** Write everything home and leave an empty log: 0 or an errno. */
export function ext4JournalClose(em: Ext4Mount): i32 {
  if (em.em_jn == 0) return 0;
  const e = journalClose(jnOf(em));
  em.em_jn = 0;
  return e;
}
