/**
 * ext4: small directories inside their inode (inlinedata.rst, "Inline Directories"): in i_block the
 * parent's number, then entries; more entries in the value of the attribute system.data. Names are found
 * and removed there; the first one that is added moves them all to a block.
 */
import { ENOENT, ENOMEM } from '../../abi/errno';
import {
  DE_FILE_TYPE,
  DE_INODE,
  DE_NAME,
  DE_NAME_LEN,
  EXT4_INLINE_DATA_FL,
  FT_DIR,
  I_BLOCK_SIZE,
} from '../../abi/ext4';
import { PAGE_SIZE } from '../../abi/layout';
import { attrBegin, attrEnd } from '../../vfs/fscache';
import { Vnode } from '../../vfs/vnode';
import { dirBad, dirGrow, entriesEmpty } from './dir';
import { Dirop } from './dirop';
import { ext4InodeBlock } from './inode';
import { entriesFind, entryEnd, leafInitDots, leafInsert, leafSum } from './leaf';
import { inlineClear } from './inline';
import { ext4MapInit } from './map';
import { keysAlloc, keysFree } from './split';
import { ext4Bread, ext4Brelse, ext4BufError } from './txn';
import { Ext4Inode, Ext4Mount, eiLock, eiOf, eiUnlock } from './types';
import { inlineValue } from './xattr';

/** Entries in i_block begin behind the parent's number. */
const PARENT_BYTES: u32 = 4;

/** The inode's buffer into dp_buf, and where the value of system.data is: its address and length. */
function second(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  dp.dp_at = 0;
  if (dvp.v_fc.fc_size <= I_BLOCK_SIZE) return 0;
  dp.dp_block = ext4InodeBlock(em, eiOf(dvp).ei_ino);
  const b = ext4Bread(em, dp.dp_block);
  if (b == 0) return ext4BufError();
  dp.dp_buf = <u32>b;
  const lenp = changetype<usize>(dp) + offsetof<Dirop>('dp_prev');
  dp.dp_at = <u32>inlineValue(em, eiOf(dvp), b, lenp);
  return 0;
}

export function inlineDirFind(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, dp: Dirop): i32 {
  const at = eiOf(dvp).ei_block;
  dp.dp_lblk = 0;
  let r = entriesFind(at + PARENT_BYTES, at + I_BLOCK_SIZE, name, len, dp);
  if (r == 0) {
    const e = second(em, dvp, dp);
    if (e != 0) return e;
    if (dp.dp_at != 0) r = entriesFind(<usize>dp.dp_at, <usize>dp.dp_at + dp.dp_prev, name, len, dp);
  }
  if (r > 0) return 0;
  return r == 0 ? -ENOENT : dirBad(em, dvp, 'directory: inline entry', 0);
}

export function inlineDirEmpty(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const at = eiOf(dvp).ei_block;
  let r = entriesEmpty(at + PARENT_BYTES, at + I_BLOCK_SIZE);
  if (r > 0) {
    const e = second(em, dvp, dp);
    if (e != 0) return e;
    if (dp.dp_at != 0) r = entriesEmpty(<usize>dp.dp_at, <usize>dp.dp_at + dp.dp_prev);
  }
  return r < 0 ? dirBad(em, dvp, 'directory: inline entry', 0) : r;
}

/** All entries' bytes to `to`, I_BLOCK_SIZE less the parent's, then those of system.data: their number or
 *  an errno. For readdir, and for moving them out. */
export function inlineDirCopy(em: Ext4Mount, dvp: Vnode, to: usize, dp: Dirop): i32 {
  const n = I_BLOCK_SIZE - PARENT_BYTES;
  memory.copy(to, eiOf(dvp).ei_block + PARENT_BYTES, n);
  const e = second(em, dvp, dp);
  if (e != 0) return e;
  let more: u32 = 0;
  if (dp.dp_at != 0) {
    more = dp.dp_prev;
    memory.copy(to + n, <usize>dp.dp_at, more);
  }
  if (dp.dp_buf != 0) ext4Brelse(<usize>dp.dp_buf);
  dp.dp_buf = 0;
  return <i32>(n + more);
}

/** The directory gets a block, and its entries go there: 0, or an errno and nothing changed. */
export function inlineToBlock(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const old = keysAlloc();
  if (old == 0) return -ENOMEM;
  const n = inlineDirCopy(em, dvp, old + I_BLOCK_SIZE, dp);
  const e = n < 0 ? n : moveOut(em, dvp, old, <u32>n, dp);
  keysFree(old);
  return e;
}

function setSize(dvp: Vnode, size: u64): void {
  attrBegin(dvp.v_fc);
  dvp.v_fc.fc_attr.va_size = size;
  attrEnd(dvp.v_fc);
}

function moveOut(em: Ext4Mount, dvp: Vnode, old: usize, n: u32, dp: Dirop): i32 {
  const ei = eiOf(dvp);
  const flags = ei.ei_flags;
  const size = dvp.v_fc.fc_size;
  const parent = load<u32>(ei.ei_block);
  memory.copy(old, ei.ei_block, I_BLOCK_SIZE);
  ei.ei_flags &= ~EXT4_INLINE_DATA_FL;
  ext4MapInit(em, ei);
  setSize(dvp, 0);
  let e = dirGrow(em, dvp, dp);
  if (e == 0) e = attributeDrop(em, ei, old + PAGE_SIZE - I_BLOCK_SIZE);
  if (e != 0) {
    memory.copy(ei.ei_block, old, I_BLOCK_SIZE);
    ei.ei_flags = flags;
    setSize(dvp, size);
    return e;
  }
  const b = <usize>dp.dp_buf;
  leafInitDots(em, b, ei.ei_ino, parent, FT_DIR);
  e = entriesMove(em, dvp, b, old + I_BLOCK_SIZE, old + I_BLOCK_SIZE + n);
  leafSum(em, ei, b);
  ext4Brelse(b);
  dp.dp_buf = 0;
  return e;
}

/** system.data goes; the map that is in i_block by now stays (`keep`: room for it). */
function attributeDrop(em: Ext4Mount, ei: Ext4Inode, keep: usize): i32 {
  memory.copy(keep, ei.ei_block, I_BLOCK_SIZE);
  eiLock(ei);
  const e = inlineClear(em, ei);
  memory.copy(ei.ei_block, keep, I_BLOCK_SIZE);
  eiUnlock(ei);
  return e;
}

function entriesMove(em: Ext4Mount, dvp: Vnode, b: usize, at: usize, end: usize): i32 {
  while (at < end) {
    const next = entryEnd(at, end);
    if (next == 0) return dirBad(em, dvp, 'directory: inline entry', 0);
    const ino = load<u32>(at + DE_INODE);
    if (ino != 0) leafInsert(em, b, ino, load<u8>(at + DE_FILE_TYPE), at + DE_NAME, load<u8>(at + DE_NAME_LEN));
    at = next;
  }
  return 0;
}
