/**
 * A file's blocks on the disk: one face for extent trees and block maps.
 *
 * ext4Map looks a place up, and with MAP_CREATE makes what is missing. The pieces it is made of (…Locked) are
 * for the file's own code, which holds ei_lock over several of them.
 *
 * M1. What has been mapped is in the inode in RAM at once, and stored with it before the handle ends (mapStore).
 * M2. The extent found last is kept in the inode (mapmeta.ts), holes too; every change forgets it.
 */
import { EINVAL, ENOSPC } from '../../abi/errno';
import { EXT4_EXTENTS_FL, EXT4_INLINE_DATA_FL, I_BLOCK_SIZE, INCOMPAT_EXTENTS } from '../../abi/ext4';
import { S_IFREG } from '../../abi/flags';
import { Vnode } from '../../vfs/vnode';
import { ballocFree, ballocTake, ext4MayTake } from './balloc';
import { bmapInsert, bmapLookup, bmapRemoveLast, bmapRemoveReady } from './blockmap';
import { ehInit, extLookup, ROOT_ROOM, UNWRITTEN_MAX } from './extents';
import { extConvert, extInsert, extRemoveLast, extRemoveReady } from './extmod';
import { ext4InodeStore } from './inode';
import { metaOverlaps } from './layout';
import { blocksAdd, dataWord, foundForget, foundGet, foundSet, goalResult, homeGroup, mapBad } from './mapmeta';
import { ext4Tid } from './txn';
import {
  EI_MAPDIRTY,
  EI_ROOTOK,
  eiUnmark,
  eiLock,
  eiOf,
  eiMark,
  eiUnlock,
  Ext4Inode,
  Ext4Mount,
  hasIncompat,
  MAP_CONVERT,
  MAP_CREATE,
  MAP_META,
  MAP_RESERVED,
  MAP_UNWRITTEN,
  MapResult,
  MR_HOLE,
  MR_NEW,
  MR_UNWRITTEN,
} from './types';
import { windowOpen, windowTake } from './window';

// @ts-ignore: decorator
@inline
export function hasExtents(ei: Ext4Inode): bool {
  return (ei.ei_flags & EXT4_EXTENTS_FL) != 0;
}

/** The inode has no blocks: an empty tree of extents, or an empty map where the file system has none. */
export function ext4MapInit(em: Ext4Mount, ei: Ext4Inode): void {
  memory.fill(ei.ei_block, 0, I_BLOCK_SIZE);
  foundForget(ei);
  if (!hasIncompat(em, INCOMPAT_EXTENTS)) return;
  ei.ei_flags |= EXT4_EXTENTS_FL;
  eiMark(ei, EI_ROOTOK);
  ehInit(ei.ei_block, ROOT_ROOM, 0);
}

/**
 * Where [lblk, lblk + len) of a file is: `out` says for the first blocks of it, in a row. With MAP_CREATE within a
 * handle (CREDITS_MAP): a hole gets blocks; if not all of it can be had in one piece, out.m_len is less than len.
 * The caller stores the inode (mapStore). 0; -ENOSPC, -EFBIG, -EUCLEAN, or what the disk said.
 */
export function ext4Map(em: Ext4Mount, vp: Vnode, lblk: u32, len: u32, flags: u32, out: MapResult): i32 {
  const ei = eiOf(vp);
  if (ei.ei_flags & EXT4_INLINE_DATA_FL || len == 0) return -EINVAL;
  eiLock(ei);
  let e = mapLocked(em, ei, lblk, len, out);
  if (e == 0 && flags & MAP_CREATE) {
    if (out.m_flags & MR_HOLE) e = createLocked(em, ei, lblk, out.m_len, flags, out);
    else if (out.m_flags & MR_UNWRITTEN && flags & MAP_CONVERT) {
      e = extConvert(em, ei, lblk, out.m_len);
      if (e == 0) out.m_flags = 0;
    }
  }
  eiUnlock(ei);
  return e;
}

/** Look lblk up. ei_lock held. */
export function mapLocked(em: Ext4Mount, ei: Ext4Inode, lblk: u32, len: u32, out: MapResult): i32 {
  if (!foundGet(ei, lblk, out)) {
    const e = hasExtents(ei) ? extLookup(em, ei, lblk, out) : bmapLookup(em, ei, lblk, out);
    if (e != 0) return e;
    if ((out.m_flags & MR_HOLE) == 0 && metaOverlaps(em, out.m_pblk, out.m_len)) return mapBad(em, ei, out.m_pblk);
    foundSet(ei, lblk, out);
  }
  if (out.m_len > len) out.m_len = len;
  return 0;
}

/** Blocks for the hole [lblk, lblk + len). ei_lock held, in a handle. */
function createLocked(em: Ext4Mount, ei: Ext4Inode, lblk: u32, len: u32, flags: u32, out: MapResult): i32 {
  const got = takeLocked(em, ei, lblk, len, flags);
  if (got < 0) return got;
  const pblk = load<u64>(dataWord());
  const unwritten = (flags & MAP_UNWRITTEN) != 0 && hasExtents(ei);
  const n = insertLocked(em, ei, lblk, <u32>got, pblk, unwritten);
  if (n < got) giveBack(em, pblk + (n < 0 ? 0 : n), <u32>(n < 0 ? got : got - n));
  if (n < 0) return n;
  if ((flags & MAP_RESERVED) == 0) blocksAdd(em, ei, n);
  out.m_pblk = pblk;
  out.m_len = <u32>n;
  out.m_flags = unwritten ? MR_NEW | MR_UNWRITTEN : MR_NEW;
  return 0;
}

/** Blocks that were taken and came to no use. */
export function giveBack(em: Ext4Mount, pblk: u64, n: u32): void {
  ballocFree(em, pblk, n);
}

/**
 * Take up to `want` blocks for lblk, which is a hole: how many, in a row, the first at dataWord(); or an errno. Near
 * the file's block before, else in the inode's group. ei_lock held, in a handle.
 */
export function takeLocked(em: Ext4Mount, ei: Ext4Inode, lblk: u32, want: u32, flags: u32): i32 {
  if (want > UNWRITTEN_MAX) want = UNWRITTEN_MAX;
  if ((flags & MAP_RESERVED) == 0) while (!ext4MayTake(em, want)) if ((want >>= 1) == 0) return -ENOSPC;
  let n = windowTake(em, ei, lblk, want, dataWord());
  if (n == 0) n = ballocTake(em, goalFor(em, ei, lblk), homeGroup(em, ei), want, dataWord());
  if (n <= 0) return n;
  const pblk = load<u64>(dataWord());
  ei.ei_goal = pblk + n;
  ei.ei_goallblk = lblk + n;
  // Open: more may follow. A window of a file that nobody has open would be given up when memory is short, where
  // em_lock may be held.
  if ((flags & MAP_META) == 0 && ei.ei_vnode.v_type == S_IFREG && ei.ei_opens != 0) {
    windowOpen(em, ei, lblk, pblk, n);
  }
  return n;
}

/** The block behind that of the file's block before; 0: there is none. */
function goalFor(em: Ext4Mount, ei: Ext4Inode, lblk: u32): u64 {
  if (ei.ei_goal != 0 && ei.ei_goallblk == lblk) return ei.ei_goal;
  if (lblk == 0) return 0;
  const m = goalResult();
  const e = hasExtents(ei) ? extLookup(em, ei, lblk - 1, m) : bmapLookup(em, ei, lblk - 1, m);
  return e == 0 && (m.m_flags & MR_HOLE) == 0 ? m.m_pblk + 1 : 0;
}

/** Enter blocks into the hole at lblk: how many were, or an errno. ei_lock held, in a handle. */
export function insertLocked(em: Ext4Mount, ei: Ext4Inode, lblk: u32, n: u32, pblk: u64, unwritten: bool): i32 {
  if (hasExtents(ei)) {
    const e = extInsert(em, ei, lblk, n, pblk, unwritten);
    return e != 0 ? e : <i32>n;
  }
  let done: u32 = 0;
  while (done < n) {
    const r = bmapInsert(em, ei, lblk + done, n - done, pblk + done);
    if (r < 0) return done != 0 ? <i32>done : r;
    done += r;
  }
  return <i32>done;
}

/** The unwritten blocks of a range hold data now. ei_lock held, in a handle. */
export function convertLocked(em: Ext4Mount, ei: Ext4Inode, lblk: u32, n: u32): i32 {
  return extConvert(em, ei, lblk, n);
}

/** Take the last piece of [from, to) out of the map: see extRemoveLast. ei_lock held, in a handle. */
export function removeLastLocked(em: Ext4Mount, ei: Ext4Inode, from: u32, to: u64, top: usize): i32 {
  foundForget(ei);
  ei.ei_goal = 0;
  return hasExtents(ei) ? extRemoveLast(em, ei, from, to, top) : bmapRemoveLast(em, ei, from, to, top);
}

/** Is what removeLastLocked reads first there? 0 or an errno, and nothing has changed. */
export function removeReadyLocked(em: Ext4Mount, ei: Ext4Inode, from: u32, to: u64): i32 {
  return hasExtents(ei) ? extRemoveReady(em, ei, from, to) : bmapRemoveReady(em, ei);
}

/** Store the inode if its map changed in this handle, or `always`. fdatasync waits for it. */
export function mapStore(em: Ext4Mount, vp: Vnode, always: bool): i32 {
  const ei = eiOf(vp);
  if (!always && (ei.ei_state & EI_MAPDIRTY) == 0) return 0;
  eiUnmark(ei, EI_MAPDIRTY);
  const e = ext4InodeStore(em, vp);
  if (e == 0) ext4Tid(em, ei, true);
  return e;
}
