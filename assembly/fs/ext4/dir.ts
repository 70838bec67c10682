/**
 * ext4: directories as names.ts uses them: find a name, add one, take one out, whatever the form
 * (linear, indexed, inline).
 *
 * Caller holds em_names, exclusive to change; a change is inside a handle with CREDITS_DIRADD or
 * CREDITS_DIRDEL for it, and the directory's inode is the caller's to store.
 */
import { EFBIG, ENOENT } from '../../abi/errno';
import {
  COMPAT_DIR_INDEX,
  DE_FILE_TYPE,
  DE_INODE,
  DE_NAME_LEN,
  DE_REC_LEN,
  DX_ROOT_ENTRIES,
  EXT4_INDEX_FL,
  EXT4_INLINE_DATA_FL,
  INCOMPAT_FILETYPE,
  INCOMPAT_LARGEDIR,
} from '../../abi/ext4';
import { attrBegin, attrEnd, FC_ATTRDIRTY } from '../../vfs/fscache';
import { Vnode } from '../../vfs/vnode';
import { Dirop, diropDone } from './dirop';
import { ext4Error } from './error';
import { dxSum, htreeAdd, htreeFind, htreeMake } from './htree';
import { inlineDirEmpty, inlineDirFind, inlineToBlock } from './inlinedir';
import { DE_MIN, entriesFind, entryEnd, entryIsDots, entryRemove, leafEnd, leafInit, leafInsert, leafRemove, leafSum, leafSumNew, leafSumOk } from './leaf';
import { ext4InodeStore } from './inode';
import { ext4Map } from './map';
import { bufChecked, bufSetChecked, ext4Bget, ext4Bread, ext4BufError, ext4Dirty } from './txn';
import { EI_MAPDIRTY, Ext4Mount, eiOf, hasCompat, hasIncompat, inoInRange, MAP_CREATE, MAP_META, MapResult, MR_HOLE, MR_UNWRITTEN } from './types';

/** The largest directory without large_dir, bytes. */
const DIR_MAX: u64 = 0x7fffffff;

// @ts-ignore: decorator
@inline
export function dirBlocks(em: Ext4Mount, dvp: Vnode): u32 {
  return <u32>(dvp.v_fc.fc_size >> em.em_bshift);
}

// @ts-ignore: decorator
@inline
export function dirIsInline(dvp: Vnode): bool {
  return (eiOf(dvp).ei_flags & EXT4_INLINE_DATA_FL) != 0;
}

// @ts-ignore: decorator
@inline
export function dirIsIndexed(em: Ext4Mount, dvp: Vnode): bool {
  return hasCompat(em, COMPAT_DIR_INDEX) && (eiOf(dvp).ei_flags & EXT4_INDEX_FL) != 0;
}

/** A directory's block, held, its number at map.m_pblk, not yet checked; 0: errno at the call's errp. */
export function dirBread(em: Ext4Mount, dvp: Vnode, lblk: u32, map: MapResult, errp: usize): usize {
  let e: i32 = 0;
  if (lblk >= dirBlocks(em, dvp)) e = dirBad(em, dvp, 'directory: block behind its end', lblk);
  else e = ext4Map(em, dvp, lblk, 1, 0, map);
  if (e == 0 && map.m_flags & (MR_HOLE | MR_UNWRITTEN)) e = dirBad(em, dvp, 'directory: hole', lblk);
  if (e != 0) {
    store<i32>(errp, e);
    return 0;
  }
  const b = ext4Bread(em, map.m_pblk);
  if (b == 0) store<i32>(errp, ext4BufError());
  return b;
}

export function dirBad(em: Ext4Mount, dvp: Vnode, what: string, block: u64): i32 {
  return ext4Error(em, what, eiOf(dvp).ei_ino, block);
}

/** A block of entries into dp_buf, its checksum compared once: 0 or an errno. */
export function dirLeaf(em: Ext4Mount, dvp: Vnode, lblk: u32, dp: Dirop): i32 {
  const errp = changetype<usize>(dp) + offsetof<Dirop>('dp_ino');
  const b = dirBread(em, dvp, lblk, dp.dp_map, errp);
  if (b == 0) return load<i32>(errp);
  dp.dp_buf = <u32>b;
  dp.dp_block = dp.dp_map.m_pblk;
  dp.dp_lblk = lblk;
  if (bufChecked(b) || dirSkips(em, dvp, lblk, b)) return 0;
  if (!leafSumOk(em, eiOf(dvp), b)) return dirBad(em, dvp, 'directory: checksum', lblk);
  bufSetChecked(b);
  return 0;
}

/** Is the block part of the index, and not a leaf? A node looks like one entry without a name. */
export function dirSkips(em: Ext4Mount, dvp: Vnode, lblk: u32, b: usize): bool {
  if (!dirIsIndexed(em, dvp)) return false;
  return lblk == 0 || (load<u32>(b + DE_INODE) == 0 && <u32>load<u16>(b + DE_REC_LEN) == em.em_bsize);
}

/** Find a name: 0 with dp_ino, dp_at and dp_buf set; -ENOENT; -EUCLEAN, an I/O error. The caller ends
 *  with diropDone. */
export function dirFind(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, dp: Dirop): i32 {
  let e: i32 = 0;
  if (dirIsInline(dvp)) e = inlineDirFind(em, dvp, name, len, dp);
  else if (dirIsIndexed(em, dvp)) e = htreeFind(em, dvp, name, len, dp);
  else e = linearFind(em, dvp, name, len, dp);
  if (e != 0) return e;
  dp.dp_ino = load<u32>(<usize>dp.dp_at + DE_INODE);
  return inoInRange(em, dp.dp_ino) ? 0 : dirBad(em, dvp, 'directory: inode number', dp.dp_lblk);
}

function linearFind(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, dp: Dirop): i32 {
  const n = dirBlocks(em, dvp);
  const hint = eiOf(dvp).ei_dirhint < n ? eiOf(dvp).ei_dirhint : 0;
  for (let i: u32 = 0; i < n; i++) {
    const lblk = hint + i < n ? hint + i : hint + i - n;
    const e = dirLeaf(em, dvp, lblk, dp);
    if (e != 0) return e;
    const b = <usize>dp.dp_buf;
    const r = entriesFind(b, leafEnd(em, b), name, len, dp);
    if (r < 0) return dirBad(em, dvp, 'directory: entry', lblk);
    if (r > 0) return 0;
    diropDone(dp);
  }
  return -ENOENT;
}

/** The file type in the entry at `at`; 0 without the feature. */
export function entryType(em: Ext4Mount, at: usize): u32 {
  return hasIncompat(em, INCOMPAT_FILETYPE) ? <u32>load<u8>(at + DE_FILE_TYPE) & 15 : 0;
}

/** Add a name that is not there: 0, -ENOSPC, -EUCLEAN, an I/O error; then the directory is as it was, or
 *  has more room, and that is stored: its blocks may be others already, an index where names were. */
export function dirAdd(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, ino: u32, ft: u32, dp: Dirop): i32 {
  const e = add(em, dvp, name, len, ino, ft, dp);
  if (e != 0 && ((dvp.v_fc.fc_flags & FC_ATTRDIRTY) != 0 || (eiOf(dvp).ei_state & EI_MAPDIRTY) != 0)) ext4InodeStore(em, dvp);
  return e;
}

function add(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, ino: u32, ft: u32, dp: Dirop): i32 {
  if (dirIsInline(dvp)) {
    const e = inlineToBlock(em, dvp, dp);
    if (e != 0) return e;
  }
  if (dirIsIndexed(em, dvp)) return htreeAdd(em, dvp, name, len, ino, ft, dp);
  const ei = eiOf(dvp);
  ei.ei_flags &= ~EXT4_INDEX_FL;
  const n = dirBlocks(em, dvp);
  const hint = ei.ei_dirhint < n ? ei.ei_dirhint : 0;
  for (let i: u32 = 0; i < n; i++) {
    const lblk = hint + i < n ? hint + i : hint + i - n;
    let e = dirLeaf(em, dvp, lblk, dp);
    if (e != 0) return e;
    e = dirLeafAdd(em, dvp, name, len, ino, ft, dp);
    diropDone(dp);
    if (e <= 0) return e;
  }
  if (n == 1 && hasCompat(em, COMPAT_DIR_INDEX)) {
    const e = htreeMake(em, dvp, dp);
    return e != 0 ? e : htreeAdd(em, dvp, name, len, ino, ft, dp);
  }
  const e = dirGrow(em, dvp, dp);
  if (e != 0) return e;
  leafInit(em, <usize>dp.dp_buf);
  leafSumNew(em, eiOf(dvp), <usize>dp.dp_buf, DE_MIN);
  return dirLeafAdd(em, dvp, name, len, ino, ft, dp);
}

/** Into the block in dp_buf: 0, 1 (no room), or an errno. */
export function dirLeafAdd(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, ino: u32, ft: u32, dp: Dirop): i32 {
  const b = <usize>dp.dp_buf;
  const e = ext4Dirty(em, b, dp.dp_block);
  if (e != 0) return e;
  const r = leafInsert(em, b, ino, ft, name, len);
  if (r < 0) return dirBad(em, dvp, 'directory: entry', dp.dp_lblk);
  if (r == 0) return 1;
  eiOf(dvp).ei_dirhint = dp.dp_lblk;
  return 0;
}

/** A new block at the end, its buffer of zeros in dp_buf and dirty: 0 or an errno. */
export function dirGrow(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const fc = dvp.v_fc;
  const lblk = dirBlocks(em, dvp);
  if (!hasIncompat(em, INCOMPAT_LARGEDIR) && fc.fc_size + em.em_bsize > DIR_MAX) return -EFBIG;
  let e = ext4Map(em, dvp, lblk, 1, MAP_CREATE | MAP_META, dp.dp_map);
  if (e != 0) return e;
  const block = dp.dp_map.m_pblk;
  const b = ext4Bget(em, block);
  if (b == 0) return ext4BufError();
  dp.dp_buf = <u32>b;
  dp.dp_block = block;
  dp.dp_lblk = lblk;
  e = ext4Dirty(em, b, block);
  if (e != 0) return e;
  bufSetChecked(b);
  attrBegin(fc);
  fc.fc_attr.va_size += em.em_bsize;
  attrEnd(fc);
  return 0;
}

/** Take out the entry that dirFind found: 0 or an errno, nothing changed. */
export function dirRemove(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const e = dirTouch(em, dp);
  if (e != 0) return e;
  if (dirIsInline(dvp)) entryRemove(<usize>dp.dp_at, <usize>dp.dp_prev);
  else leafRemove(em, <usize>dp.dp_buf, <usize>dp.dp_at, <usize>dp.dp_prev);
  eiOf(dvp).ei_dirhint = dp.dp_lblk;
  return 0;
}

/** The entry that dirFind or dirDotDot found shall name another inode: 0 or an errno, nothing changed. */
export function dirSet(em: Ext4Mount, dvp: Vnode, dp: Dirop, ino: u32, ft: u32): i32 {
  const e = dirTouch(em, dp);
  if (e != 0) return e;
  store<u32>(<usize>dp.dp_at + DE_INODE, ino);
  // the ".." of inline data is a number alone
  const bare = dp.dp_buf == 0 && dp.dp_at == <u32>eiOf(dvp).ei_block;
  if (!bare && hasIncompat(em, INCOMPAT_FILETYPE)) store<u8>(<usize>dp.dp_at + DE_FILE_TYPE, <u8>ft);
  dirSum(em, dvp, dp);
  return 0;
}

/** Inline data in i_block has no buffer: it goes with the inode. */
function dirTouch(em: Ext4Mount, dp: Dirop): i32 {
  return dp.dp_buf == 0 ? 0 : ext4Dirty(em, <usize>dp.dp_buf, dp.dp_block);
}

function dirSum(em: Ext4Mount, dvp: Vnode, dp: Dirop): void {
  if (dirIsInline(dvp)) return;
  const b = <usize>dp.dp_buf;
  if (dp.dp_lblk == 0 && dirIsIndexed(em, dvp)) dxSum(em, eiOf(dvp), b, b + DX_ROOT_ENTRIES);
  else leafSum(em, eiOf(dvp), b);
}

/** Find "..": as dirFind; -EUCLEAN if the block does not begin with "." and "..". */
export function dirDotDot(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  if (dirIsInline(dvp)) dp.dp_at = <u32>eiOf(dvp).ei_block;
  else {
    const e = dirLeaf(em, dvp, 0, dp);
    if (e != 0) return e;
    const b = <usize>dp.dp_buf;
    const second = entryEnd(b, b + em.em_bsize);
    const end = second == 0 ? <usize>0 : entryEnd(second, b + em.em_bsize);
    if (end == 0 || !entryIsDots(b) || !entryIsDots(second) || <u32>load<u8>(second + DE_NAME_LEN) != 2) {
      return dirBad(em, dvp, 'directory: no ".."', 0);
    }
    dp.dp_at = <u32>second;
  }
  dp.dp_ino = load<u32>(<usize>dp.dp_at + DE_INODE);
  return inoInRange(em, dp.dp_ino) ? 0 : dirBad(em, dvp, 'directory: ".."', 0);
}

/** Is there no name but "." and ".." in [at, end)? 1, 0, or -1: malformed. */
export function entriesEmpty(at: usize, end: usize): i32 {
  while (at < end) {
    const next = entryEnd(at, end);
    if (next == 0) return -1;
    if (load<u32>(at + DE_INODE) != 0 && !entryIsDots(at)) return 0;
    at = next;
  }
  return 1;
}

/** Has it no name but "." and ".."? 1: none, 0: some, or an errno. */
export function dirIsEmpty(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  if (dirIsInline(dvp)) return inlineDirEmpty(em, dvp, dp);
  const n = dirBlocks(em, dvp);
  for (let lblk: u32 = 0; lblk < n; lblk++) {
    const e = dirLeaf(em, dvp, lblk, dp);
    if (e != 0) return e;
    const b = <usize>dp.dp_buf;
    const r = dirSkips(em, dvp, lblk, b) ? 1 : entriesEmpty(b, leafEnd(em, b));
    diropDone(dp);
    if (r == 0) return 0;
    if (r < 0) return dirBad(em, dvp, 'directory: entry', lblk);
  }
  return 1;
}
