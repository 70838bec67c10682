/** ext4: single blocks of metadata that an inode owns outside its map: those of extended attributes. */
import { ENOSPC } from '../../abi/errno';
import { ext4MayTake } from './balloc';
import { nodeFree, nodeTake } from './mapmeta';
import { Vnode } from '../../vfs/vnode';
import { Ext4Mount, eiLock, eiOf, eiUnlock } from './types';
import { ext4InodeBlock } from './inode';

/** A block near the inode, counted as its own: 0 and its number at out; -ENOSPC, what is free is promised or root's;
 *  or an errno. Inside a handle. */
export function metaAlloc(em: Ext4Mount, vp: Vnode, out: usize): i32 {
  const ei = eiOf(vp);
  if (!ext4MayTake(em, 1)) return -ENOSPC;
  eiLock(ei);
  const e = nodeTake(em, ei, ext4InodeBlock(em, ei.ei_ino), out);
  eiUnlock(ei);
  return e;
}

/** Give one back; nobody holds its buffer. */
export function metaFree(em: Ext4Mount, vp: Vnode, block: u64): void {
  const ei = eiOf(vp);
  eiLock(ei);
  nodeFree(em, ei, block);
  eiUnlock(ei);
}
