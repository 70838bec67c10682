/**
 * ext4: orphans (orphan.rst): inodes that a crash must not leave behind: without a name while they are
 * open, or with blocks past their size while a truncate is under way.
 *
 * They are a list on disk: s_last_orphan is its head, i_dtime of each the next. In RAM the list has both
 * directions, so that one is taken out without reading. Where mkfs made an orphan file, the list is
 * used all the same, which every reader of such a file system looks at first; the file is only
 * emptied, when it was left with something in it.
 *
 * O1. While an inode is on the list, the transaction that put it there is the one that took its last name.
 * O2. With a journal an inode joins the list when that transaction is committed (EI_LATE till then). Most are
 *     gone by then: a file that nobody has open is removed and freed between two commits, and is on no list.
 */
import { ENOMEM, ESTALE } from '../../abi/errno';
import {
  COMPAT_ORPHAN_FILE,
  EXT4_INLINE_DATA_FL,
  I_DTIME,
  OB_MAGIC,
  OB_TAIL_SIZE,
  RO_COMPAT_ORPHAN_PRESENT,
  SB_FEATURE_RO_COMPAT,
  SB_LAST_ORPHAN,
  SB_ORPHAN_FILE_INUM,
} from '../../abi/ext4';
import { scratchWord } from '../../vfs/scratch';
import { Vnode, vnodePut } from '../../vfs/vnode';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../abi/flags';
import { attrBegin, attrEnd } from '../../vfs/fscache';
import { crc32c, crc32cU32 } from './crc';
import { dirBlocks } from './dir';
import { ext4Error, ext4Half, ext4Log } from './error';
import { ext4InodeFree, ext4InodeFreeReady, ext4InodeUsed } from './ialloc';
import {
  ext4InodeBuf,
  ext4InodeGet,
  ext4InodeLink,
  ext4InodeReady,
  ext4InodeSeal,
  ext4InodeStore,
  inodeIn,
  IGET_ORPHAN,
  IGET_SPECIAL,
} from './inode';
import { ext4Map, mapStore } from './map';
import { mapDirty } from './mapmeta';
import { superDirty } from './super';
import { symlinkIsFast } from './symlink';
import { BLOCKS_END, CREDITS_TRUNCATE, ext4RemoveStep, ext4Truncate } from './truncate';
import {
  CREDITS_GROUP,
  CREDITS_INODE,
  CREDITS_ORPHAN,
  CREDITS_XATTR,
  ext4Begin,
  ext4Bread,
  ext4Brelse,
  ext4BufError,
  ext4Dirty,
  ext4End,
  nowSec32,
} from './txn';
import {
  EI_DELETED,
  EI_LATE,
  EI_ORPHAN,
  eiUnmark,
  eiOf,
  eiMark,
  emLock,
  emUnlock,
  Ext4Inode,
  Ext4Mount,
  hasCompat,
  hasRoCompat,
  inoInRange,
  MapResult,
  MR_HOLE,
  MR_UNWRITTEN,
} from './types';
import { xattrBlockDrop } from './xattr';
import { clockNow } from '../../kern/clock';
import { kfree, kmalloc } from '../../vm/zone';
import { ALLOC_NOIO } from '../../vm/page';

/** Put an inode on the list, if it is not there (O2: at the next commit). Inside a handle with CREDITS_ORPHAN, which
 *  has the inode's block or will: its store follows, or it is EI_LATE and a commit stores it. 0 or an errno. */
export function ext4OrphanAdd(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  emLock(em);
  let e: i32 = 0;
  if ((ei.ei_state & EI_ORPHAN) == 0) {
    e = superDirty(em);
    if (em.em_jn == 0) listed(em, ei);
    else if (e == 0) late(em, ei);
  }
  emUnlock(em);
  return e;
}

/** The inode is the head of the list on the disk; the stores are the caller's. em_lock held. */
function listed(em: Ext4Mount, ei: Ext4Inode): void {
  const head = <usize>em.em_sb + SB_LAST_ORPHAN;
  ei.ei_dtime = load<u32>(head);
  store<u32>(head, ei.ei_ino);
  link(em, ei);
}

/** The inode waits for a commit. em_lock held. */
function late(em: Ext4Mount, ei: Ext4Inode): void {
  eiMark(ei, EI_ORPHAN | EI_LATE);
  ei.ei_oprev = 0;
  ei.ei_onext = em.em_late;
  if (em.em_late != 0) changetype<Ext4Inode>(<usize>em.em_late).ei_oprev = <u32>changetype<usize>(ei);
  em.em_late = <u32>changetype<usize>(ei);
}

/** O2. A commit is about to be: what waited for it is put on the list. No handle is open. */
export function ext4OrphansLate(em: Ext4Mount): void {
  emLock(em);
  while (em.em_late != 0) {
    const ei = changetype<Ext4Inode>(<usize>em.em_late);
    unlink(em, ei);
    listed(em, ei);
    ext4InodeSeal(em, ei.ei_vnode);
  }
  emUnlock(em);
}

function link(em: Ext4Mount, ei: Ext4Inode): void {
  eiMark(ei, EI_ORPHAN);
  ei.ei_oprev = 0;
  ei.ei_onext = em.em_orphans;
  if (em.em_orphans != 0) changetype<Ext4Inode>(<usize>em.em_orphans).ei_oprev = <u32>changetype<usize>(ei);
  em.em_orphans = <u32>changetype<usize>(ei);
}

/** Off the list in RAM that it is on. */
function unlink(em: Ext4Mount, ei: Ext4Inode): void {
  const isLate = (ei.ei_state & EI_LATE) != 0;
  eiUnmark(ei, EI_ORPHAN | EI_LATE);
  if (ei.ei_onext != 0) changetype<Ext4Inode>(<usize>ei.ei_onext).ei_oprev = ei.ei_oprev;
  if (ei.ei_oprev != 0) changetype<Ext4Inode>(<usize>ei.ei_oprev).ei_onext = ei.ei_onext;
  else if (isLate) em.em_late = ei.ei_onext;
  else em.em_orphans = ei.ei_onext;
  ei.ei_onext = 0;
  ei.ei_oprev = 0;
}

/** The inode's link on the disk: in the superblock, in that of an inode in use (ei_oprev), or in one that RAM has
 *  forgotten (ext4OrphanForget): its number at out then, else 0. 0 or an errno. */
function forgottenBefore(em: Ext4Mount, ei: Ext4Inode, out: usize): i32 {
  const prev = changetype<Ext4Inode>(<usize>ei.ei_oprev);
  let at = changetype<usize>(prev) == 0 ? load<u32>(<usize>em.em_sb + SB_LAST_ORPHAN) : prev.ei_dtime;
  let left = em.em_inodes;
  store<u32>(out, 0);
  while (at != ei.ei_ino) {
    if (!inoInRange(em, at) || left-- == 0) return ext4Error(em, 'orphan list', at, 0);
    const b = ext4InodeBuf(em, at);
    if (b == 0) return ext4BufError();
    store<u32>(out, at);
    at = load<u32>(inodeIn(em, at, b) + I_DTIME);
    ext4Brelse(b);
  }
  return 0;
}

/** An inode will be taken off the list in this handle: 0, or an errno and nothing has changed. */
export function ext4OrphanReady(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  if ((ei.ei_state & (EI_ORPHAN | EI_LATE)) != EI_ORPHAN) return 0;
  emLock(em);
  let e = forgottenBefore(em, ei, scratchWord(5));
  const prev = changetype<Ext4Inode>(<usize>ei.ei_oprev);
  if (e == 0 && changetype<usize>(prev) != 0) e = ext4InodeReady(em, prev.ei_vnode);
  emUnlock(em);
  return e;
}

/** Take an inode off the list, if it is there. Inside a handle with CREDITS_ORPHAN; the inode's store
 *  follows. 0 or an errno. */
export function ext4OrphanDel(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  if ((ei.ei_state & EI_ORPHAN) == 0) return 0;
  emLock(em);
  const prev = changetype<Ext4Inode>(<usize>ei.ei_oprev);
  let e = ei.ei_state & EI_LATE ? 0 : forgottenBefore(em, ei, scratchWord(5));
  if (e != 0) {
    emUnlock(em);
    return e;
  }
  if (ei.ei_state & EI_LATE) {
    // the disk knows nothing of it
  } else if (load<u32>(scratchWord(5)) != 0) e = ext4InodeLink(em, load<u32>(scratchWord(5)), ei.ei_dtime);
  else if (changetype<usize>(prev) == 0) {
    store<u32>(<usize>em.em_sb + SB_LAST_ORPHAN, ei.ei_dtime);
    e = superDirty(em);
  } else {
    prev.ei_dtime = ei.ei_dtime;
    e = ext4InodeStore(em, prev.ei_vnode);
  }
  unlink(em, ei);
  ei.ei_dtime = 0;
  emUnlock(em);
  return e;
}

/** An inode that waits for a commit joins the list now: it may leave RAM before. In a handle; the store is the
 *  caller's. False: it is on the list, or has no business there. */
export function ext4OrphanNow(em: Ext4Mount, ei: Ext4Inode): bool {
  emLock(em);
  const waits = (ei.ei_state & EI_LATE) != 0;
  if (waits) {
    unlink(em, ei);
    listed(em, ei);
  }
  emUnlock(em);
  return waits;
}

/** The inode could not be freed and leaves RAM: the disk's list is to have it. Nothing is held. */
export function ext4OrphanKeep(em: Ext4Mount, vp: Vnode): void {
  const ei = eiOf(vp);
  // what stopped the journal keeps the removal of its name off the disk too
  if ((ei.ei_state & EI_LATE) == 0 || ext4Begin(em, CREDITS_ORPHAN + CREDITS_INODE) != 0) return;
  if (ext4OrphanNow(em, ei)) ext4InodeStore(em, vp);
  ext4End(em);
}

/** The inode leaves RAM: what the disk's list says of it stays, and is for the next mount. */
export function ext4OrphanForget(em: Ext4Mount, ei: Ext4Inode): void {
  if ((ei.ei_state & EI_ORPHAN) == 0) return;
  emLock(em);
  if (ei.ei_state & EI_ORPHAN) unlink(em, ei);
  emUnlock(em);
}

/** Is there a file without a name that is in use? Its end has to be written some time. */
export function ext4OrphansUsed(em: Ext4Mount): bool {
  emLock(em);
  let used = em.em_late != 0;
  for (let p = em.em_orphans; p != 0 && !used; p = changetype<Ext4Inode>(<usize>p).ei_onext) {
    used = changetype<Ext4Inode>(<usize>p).ei_vnode.v_fc.fc_attr.va_nlink == 0;
  }
  emUnlock(em);
  return used;
}

// ── the end of an inode ──────────────────────────────────────────────────────────────────────

/** Has it blocks in its map? */
function hasMap(vp: Vnode): bool {
  if (eiOf(vp).ei_flags & EXT4_INLINE_DATA_FL) return false;
  if (vp.v_type == S_IFREG || vp.v_type == S_IFDIR) return true;
  return vp.v_type == S_IFLNK && !symlinkIsFast(vp);
}

/** What freeing an inode takes once its blocks are free. */
const CREDITS_END: u32 = CREDITS_XATTR + CREDITS_ORPHAN + 2 * CREDITS_INODE + CREDITS_GROUP;

/** Free an inode without links, its blocks first, in as few handles as there is room for: 0 or an errno; then it
 *  stays an orphan. No handle is held, and nobody has the file. */
export function ext4Delete(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  if (ei.ei_state & EI_DELETED) return 0;
  const mapped = hasMap(vp);
  if (mapped && vp.v_type != S_IFREG) {
    attrBegin(vp.v_fc);
    vp.v_fc.fc_attr.va_size = 0;
    attrEnd(vp.v_fc);
  }
  let to = BLOCKS_END;
  while (true) {
    let e = ext4Begin(em, CREDITS_TRUNCATE + CREDITS_END);
    if (e != 0) return e;
    e = ext4InodeReady(em, vp);
    if (e != 0) {
      ext4End(em);
      return e;
    }
    let r: i32 = 0;
    if (mapped) {
      ei.ei_disksize = 0;
      mapDirty(ei);
      r = ext4RemoveStep(em, vp, 0, to, CREDITS_END, scratchWord(6));
      to = load<u64>(scratchWord(6));
    }
    e = r == 0 ? inodeEnd(em, vp) : mapStore(em, vp, true);
    ext4End(em);
    if (r < 0) return r;
    if (e != 0 || r == 0) return e;
  }
}

/** The inode itself, in a handle with CREDITS_END. */
function inodeEnd(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  let e = ext4OrphanReady(em, vp);
  if (e == 0) e = ext4InodeFreeReady(em, ei.ei_ino, scratchWord(5));
  if (e == 0) e = xattrBlockDrop(em, vp);
  if (e != 0) {
    // its blocks are free, and the rest is for the next mount
    mapStore(em, vp, true);
    return e;
  }
  e = ext4OrphanDel(em, vp);
  if (e == 0) {
    clockNow();
    // a clock may begin at 0: a time that could be an inode's number is taken for the list's next by who checks it
    const now = nowSec32();
    ei.ei_dtime = now > em.em_inodes ? now : em.em_inodes + 1;
    e = ext4InodeStore(em, vp);
  }
  if (e == 0) e = ext4InodeFree(em, ei.ei_ino, vp.v_type == S_IFDIR, scratchWord(5));
  if (e != 0) ext4Half(em, e);
  if (e == 0) eiMark(ei, EI_DELETED);
  return e;
}

// ── after a crash ────────────────────────────────────────────────────────────────────────────

/** Finish what a crash left: 0 or an errno. The file system is writable, and nobody uses it yet. */
export function ext4OrphansEnd(em: Ext4Mount): i32 {
  const head = <usize>em.em_sb + SB_LAST_ORPHAN;
  let n: u32 = 0;
  while (load<u32>(head) != 0) {
    const e = endOne(em, load<u32>(head), true);
    if (e != 0) return e;
    n++;
  }
  if (hasCompat(em, COMPAT_ORPHAN_FILE) && hasRoCompat(em, RO_COMPAT_ORPHAN_PRESENT)) {
    const e = fileEnd(em, scratchWord(7));
    if (e != 0) return e;
    n += load<u32>(scratchWord(7));
  }
  if (n != 0) ext4Log(em, 'orphans ended:', n);
  return 0;
}

/** One inode: deleted, or truncated to its size. `listed`: it is the list's head. */
function endOne(em: Ext4Mount, ino: u32, listed: bool): i32 {
  let e: i32 = 0;
  if (inoInRange(em, ino)) {
    const used = ext4InodeUsed(em, ino, scratchWord(5));
    if (used < 0) return used;
    if (used == 0) e = -ESTALE;
  } else e = -ESTALE;
  if (e == 0) e = ext4InodeGet(em, ino, IGET_ORPHAN, scratchWord(5));
  if (e != 0) {
    if (!listed) return 0;
    // the rest of the list cannot be found
    ext4Error(em, 'orphan list', ino, 0);
    return listClear(em);
  }
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(5)));
  const ei = eiOf(vp);
  // a truncation that failed before a remount is in RAM's list
  if (listed && (ei.ei_state & EI_ORPHAN) == 0) {
    emLock(em);
    link(em, ei);
    emUnlock(em);
  }
  if (vp.v_fc.fc_attr.va_nlink == 0) e = ext4Delete(em, vp);
  else {
    e = vp.v_type == S_IFREG ? ext4Truncate(em, vp, ei.ei_disksize) : 0;
    if (e == 0) e = endTruncated(em, vp);
  }
  if (e != 0) ext4OrphanForget(em, ei);
  vnodePut(vp);
  return e;
}

function endTruncated(em: Ext4Mount, vp: Vnode): i32 {
  let e = ext4Begin(em, CREDITS_ORPHAN + CREDITS_INODE);
  if (e != 0) return e;
  e = ext4OrphanDel(em, vp);
  if (e == 0) e = ext4InodeStore(em, vp);
  ext4End(em);
  return e;
}

function listClear(em: Ext4Mount): i32 {
  let e = ext4Begin(em, 1);
  if (e != 0) return e;
  store<u32>(<usize>em.em_sb + SB_LAST_ORPHAN, 0);
  e = superDirty(em);
  ext4End(em);
  return e;
}

/** The orphan file: every inode in it ended, every slot emptied; how many there were at out. */
function fileEnd(em: Ext4Mount, out: usize): i32 {
  store<u32>(out, 0);
  const map = changetype<MapResult>(kmalloc(offsetof<MapResult>(), ALLOC_NOIO));
  if (changetype<usize>(map) == 0) return -ENOMEM;
  let e = ext4InodeGet(em, load<u32>(<usize>em.em_sb + SB_ORPHAN_FILE_INUM), IGET_SPECIAL, scratchWord(4));
  if (e == 0) {
    const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(4)));
    const n = dirBlocks(em, vp);
    if (<u64>n > em.em_blocks) e = ext4Error(em, 'orphan file: size', eiOf(vp).ei_ino, n);
    for (let lblk: u32 = 0; lblk < n && e == 0; lblk++) {
      e = ext4Map(em, vp, lblk, 1, 0, map);
      if (e == 0 && map.m_flags & (MR_HOLE | MR_UNWRITTEN)) e = ext4Error(em, 'orphan file: hole', eiOf(vp).ei_ino, lblk);
      if (e == 0) e = fileBlockEnd(em, eiOf(vp), map.m_pblk, out);
    }
    vnodePut(vp);
  }
  kfree(changetype<usize>(map));
  // with the transactions that ended them, and no sooner
  if (e == 0) e = ext4Begin(em, 1);
  if (e != 0) return e;
  em.em_rocompat &= ~RO_COMPAT_ORPHAN_PRESENT;
  store<u32>(<usize>em.em_sb + SB_FEATURE_RO_COMPAT, em.em_rocompat);
  e = superDirty(em);
  ext4End(em);
  return e;
}

/** checksums.rst: the inode's seed, the block's number, the slots. */
function slotsSum(em: Ext4Mount, ei: Ext4Inode, b: usize, block: u64): u32 {
  return crc32c(crc32cU32(crc32cU32(ei.ei_csumseed, <u32>block), <u32>(block >> 32)), b, em.em_bsize - OB_TAIL_SIZE);
}

function fileBlockEnd(em: Ext4Mount, ei: Ext4Inode, block: u64, out: usize): i32 {
  const b = ext4Bread(em, block);
  if (b == 0) return ext4BufError();
  const tail = b + em.em_bsize - OB_TAIL_SIZE;
  let e: i32 = load<u32>(tail) == OB_MAGIC ? 0 : ext4Error(em, 'orphan file: block', ei.ei_ino, block);
  for (let at = b; at < tail && e == 0; at += 4) {
    const ino = load<u32>(at);
    if (ino == 0) continue;
    e = endOne(em, ino, false);
    store<u32>(out, load<u32>(out) + 1);
    if (e == 0) e = ext4Begin(em, 1);
    if (e != 0) break;
    e = ext4Dirty(em, b, block);
    if (e == 0) {
      store<u32>(at, 0);
      store<u32>(tail, slotsSum(em, ei, b, block), 4);
    }
    ext4End(em);
  }
  ext4Brelse(b);
  return e;
}
