/**
 * Taking blocks from a file: truncation, holes. In steps, each in a handle of its own if the journal has no more
 * room for the last one, from the file's end backwards.
 *
 * A truncation that takes more than one handle is on the orphan list in between, with the new size on the disk:
 * after a crash the mount goes on with it.
 */
import { EXT4_INLINE_DATA_FL } from '../../abi/ext4';
import { scratchWord } from '../../vfs/scratch';
import { Vnode } from '../../vfs/vnode';
import { ext4InodeReady } from './inode';
import { mapStore, removeLastLocked, removeReadyLocked } from './map';
import { mapDirty } from './mapmeta';
import { ext4OrphanAdd, ext4OrphanDel, ext4OrphanNow, ext4OrphanReady } from './orphan';
import { CREDITS_GROUP, CREDITS_INODE, CREDITS_ORPHAN, ext4Begin, ext4End, ext4Extend, STEP_GROUPS } from './txn';
import { EI_ORPHAN, eiLock, eiOf, eiUnlock, Ext4Inode, Ext4Mount } from './types';
import { windowClose } from './window';

/** The end of every file's blocks. */
export const BLOCKS_END: u64 = 1 << 32;

/** One step: nodes on the way and their groups, the groups that its data lies in; and for the inode and the orphan
 *  list afterwards. */
export const CREDITS_TRUNCATE: u32 = 14 + STEP_GROUPS * CREDITS_GROUP + CREDITS_INODE + 2 * CREDITS_ORPHAN;

/**
 * Within a handle of the caller (CREDITS_TRUNCATE + `keep`): take blocks from [from, to) as far as it has room for. 0:
 * all are gone. 1: there are more, and at `top` is where they end. The caller stores the inode (mapStore), and may
 * change `keep` blocks more.
 */
export function ext4RemoveStep(em: Ext4Mount, vp: Vnode, from: u32, to: u64, keep: u32, top: usize): i32 {
  const ei = eiOf(vp);
  if (ei.ei_flags & EXT4_INLINE_DATA_FL) return 0;
  windowClose(em, ei);
  let first = true;
  while (to > <u64>from) {
    if (!first && ext4Extend(em, CREDITS_TRUNCATE + keep) != 0) {
      store<u64>(top, to);
      return 1;
    }
    first = false;
    eiLock(ei);
    const e = removeLastLocked(em, ei, from, to, topWord());
    eiUnlock(ei);
    if (e != 0) return e;
    to = load<u64>(topWord());
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function topWord(): usize {
  return scratchWord(7);
}

/** The first block that lies wholly behind `size`. */
// @ts-ignore: decorator
@inline
export function blocksOf(em: Ext4Mount, size: u64): u32 {
  const n = (size + em.em_bsize - 1) >> em.em_bshift;
  return n >= BLOCKS_END ? u32.MAX_VALUE : <u32>n;
}

/**
 * Before pages behind `size` are dropped: can what a truncation begins with be read? 0 or an errno, and nothing has
 * changed. Most truncations read nothing more.
 */
export function ext4TruncateReady(em: Ext4Mount, vp: Vnode, size: u64): i32 {
  const ei = eiOf(vp);
  if (ei.ei_flags & EXT4_INLINE_DATA_FL || vp.v_fc.fc_attr.va_blocks == 0) return 0;
  let e = ext4Begin(em, CREDITS_TRUNCATE);
  if (e != 0) return e;
  e = ext4InodeReady(em, vp);
  eiLock(ei);
  if (e == 0) e = removeReadyLocked(em, ei, blocksOf(em, size), BLOCKS_END);
  eiUnlock(ei);
  ext4End(em);
  return e;
}

/**
 * Make `size` the size on the disk and free what is behind. The caller holds the range exclusively to infinity (or
 * nobody else has the file), no handle, and has dropped the pages. 0 or an errno: then the size is what it is to be,
 * and the inode an orphan, whose blocks the next mount frees, or the next truncation.
 */
export function ext4Truncate(em: Ext4Mount, vp: Vnode, size: u64): i32 {
  const ei = eiOf(vp);
  let to = BLOCKS_END;
  while (true) {
    let e = ext4Begin(em, CREDITS_TRUNCATE);
    if (e != 0) return e;
    e = ext4InodeReady(em, vp);
    if (e == 0 && ei.ei_state & EI_ORPHAN) e = ext4OrphanReady(em, vp);
    if (e != 0) {
      ext4End(em);
      return e;
    }
    ei.ei_disksize = size;
    mapDirty(ei);
    const r = ext4RemoveStep(em, vp, blocksOf(em, size), to, 0, scratchWord(6));
    to = load<u64>(scratchWord(6));
    if (r != 0) {
      e = ext4OrphanAdd(em, vp);
      if (r < 0) ext4OrphanNow(em, ei);
      // one without a name goes on to its end
    } else if (vp.v_fc.fc_attr.va_nlink != 0) e = ext4OrphanDel(em, vp);
    if (e == 0) e = mapStore(em, vp, true);
    ext4End(em);
    if (r < 0) return r;
    if (e != 0 || r == 0) return e;
  }
}

/** Free the blocks [from, to) in the middle of a file: 0 or an errno. As ext4Truncate, but the size stays. */
export function ext4PunchRange(em: Ext4Mount, vp: Vnode, from: u32, to: u64): i32 {
  while (true) {
    let e = ext4Begin(em, CREDITS_TRUNCATE);
    if (e != 0) return e;
    const r = ext4RemoveStep(em, vp, from, to, 0, scratchWord(6));
    to = load<u64>(scratchWord(6));
    e = mapStore(em, vp, false);
    ext4End(em);
    if (r < 0) return r;
    if (e != 0 || r == 0) return e;
  }
}
