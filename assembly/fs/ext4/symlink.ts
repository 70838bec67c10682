/**
 * ext4: symbolic links (inodes.rst, "Symbolic Links"): a text shorter than i_block is in it, a longer one
 * in a block, which goes through the journal like a directory's; inline data is read.
 */
import { EINVAL, ENAMETOOLONG, EUCLEAN } from '../../abi/errno';
import { S_IFLNK } from '../../abi/flags';
import { EXT4_INLINE_DATA_FL, I_BLOCK_SIZE } from '../../abi/ext4';
import { Fsmanage } from '../../vfs/fsmanage';
import { Vnode } from '../../vfs/vnode';
import { dirBad } from './dir';
import { dirop, Dirop } from './dirop';
import { inlineRead } from './inline';
import { ext4Map, ext4MapInit, mapStore } from './map';
import { ext4Bget, ext4Bread, ext4Brelse, ext4BufError, ext4Dirty } from './txn';
import { emOf, Ext4Mount, eiOf, MAP_CREATE, MAP_META, MR_HOLE, MR_UNWRITTEN, namesRelease, namesShared } from './types';

/** Is the text in i_block? Then the inode has no blocks, but for one of attributes. */
export function symlinkIsFast(vp: Vnode): bool {
  const ei = eiOf(vp);
  if (ei.ei_flags & EXT4_INLINE_DATA_FL || vp.v_fc.fc_size >= I_BLOCK_SIZE) return false;
  const em = emOf(vp.v_mount);
  const acl: u64 = ei.ei_acl != 0 ? <u64>(em.em_bsize >> 9) : 0;
  return vp.v_fc.fc_attr.va_blocks <= acl;
}

/** Give a new link its text. Inside a handle with CREDITS_MAP; the inode's store follows. 0 or an errno. */
export function symlinkSet(em: Ext4Mount, vp: Vnode, text: usize, len: u32, dp: Dirop): i32 {
  const ei = eiOf(vp);
  vp.v_fc.fc_attr.va_size = len;
  if (len < I_BLOCK_SIZE) {
    memory.fill(ei.ei_block, 0, I_BLOCK_SIZE);
    memory.copy(ei.ei_block, text, len);
    return 0;
  }
  if (len >= em.em_bsize) return -ENAMETOOLONG;
  ext4MapInit(em, ei);
  let e = ext4Map(em, vp, 0, 1, MAP_CREATE | MAP_META, dp.dp_map);
  if (e != 0) return e;
  const block = dp.dp_map.m_pblk;
  const b = ext4Bget(em, block);
  if (b == 0) return ext4BufError();
  e = ext4Dirty(em, b, block);
  if (e == 0) memory.copy(b, text, len);
  ext4Brelse(b);
  return e == 0 ? mapStore(em, vp, false) : e;
}

function readBlock(em: Ext4Mount, vp: Vnode, buf: usize, n: u32, dp: Dirop): i32 {
  const e = ext4Map(em, vp, 0, 1, 0, dp.dp_map);
  if (e != 0) return e;
  if (dp.dp_map.m_flags & (MR_HOLE | MR_UNWRITTEN)) return dirBad(em, vp, 'symbolic link: hole', 0);
  const b = ext4Bread(em, dp.dp_map.m_pblk);
  if (b == 0) return ext4BufError();
  memory.copy(buf, b, n);
  ext4Brelse(b);
  return <i32>n;
}

export function ext4Readlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  if (vp.v_type != S_IFLNK) return -EINVAL;
  const em = emOf(fm.fm_mount);
  const ei = eiOf(vp);
  const size = vp.v_fc.fc_size;
  const n: u32 = size < <u64>cap ? <u32>size : cap;
  if (symlinkIsFast(vp)) {
    memory.copy(buf, ei.ei_block, n);
    return n == 0 ? -EUCLEAN : <i32>n;
  }
  namesShared(em);
  const e = ei.ei_flags & EXT4_INLINE_DATA_FL ? inlineRead(em, ei, buf, n) : readBlock(em, vp, buf, n, dirop(0));
  namesRelease(em);
  return e;
}
