/**
 * Inline data (ifork.rst, "Inline Data"): a small file or directory within its inode: the first 60 bytes in
 * i_block, the rest as the value of the attribute system.data behind i_extra_isize. It is read; whatever
 * changes it moves it to a block first.
 */
import { ENOMEM } from '../../abi/errno';
import {
  EXT4_GOOD_OLD_INODE_SIZE,
  EXT4_INLINE_DATA_FL,
  I_BLOCK_SIZE,
  XATTR_INDEX_SYSTEM,
  XATTR_MAGIC,
  XE_NAME,
  XE_NAME_INDEX,
  XE_NAME_LEN,
  XE_VALUE_INUM,
  XE_VALUE_OFFS,
  XE_VALUE_SIZE,
  XI_ENTRIES,
} from '../../abi/ext4';
import { ALLOC_NOIO, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, pageFree } from '../../vm/page';
import { Vnode } from '../../vfs/vnode';
import { ioWriteNow } from './fileio';
import { ext4InodeBlock, ext4InodeBuf, inlineSectors, inodeIn } from './inode';
import { ext4MapInit, giveBack, insertLocked, mapStore, takeLocked } from './map';
import { blocksAdd, dataWord, mapBad, mapDirty, sectorsAdd } from './mapmeta';
import { CREDITS_INODE, CREDITS_MAP, ext4Begin, ext4BufError, ext4Brelse, ext4Dirty, ext4End } from './txn';
import { EI_XATTR, eiUnmark, eiLock, eiOf, eiUnlock, Ext4Inode, Ext4Mount } from './types';

// the attribute's name is "data"
const DATA_NAME: u32 = 0x61746164;
const DATA_NAME_LEN: u32 = 4;

// @ts-ignore: decorator
@inline
export function isInline(ei: Ext4Inode): bool {
  return (ei.ei_flags & EXT4_INLINE_DATA_FL) != 0;
}

/** The entry of system.data in an inode's bytes; 0: there is none, or the attributes make no sense. */
function entryOf(em: Ext4Mount, ei: Ext4Inode, raw: usize): usize {
  const begin = EXT4_GOOD_OLD_INODE_SIZE + ei.ei_extra;
  if (ei.ei_extra == 0 || begin + XI_ENTRIES + 4 > em.em_isize || load<u32>(raw + begin) != XATTR_MAGIC) return 0;
  let at = begin + XI_ENTRIES;
  while (at + XE_NAME <= em.em_isize && load<u32>(raw + at) != 0) {
    const e = raw + at;
    const namelen = <u32>load<u8>(e + XE_NAME_LEN);
    const next = at + ((XE_NAME + namelen + 3) & ~3);
    if (next + 4 > em.em_isize) return 0;
    if (
      <u32>load<u8>(e + XE_NAME_INDEX) == XATTR_INDEX_SYSTEM &&
      namelen == DATA_NAME_LEN &&
      load<u32>(e + XE_NAME) == DATA_NAME
    ) {
      const offs = begin + XI_ENTRIES + <u32>load<u16>(e + XE_VALUE_OFFS);
      const size = load<u32>(e + XE_VALUE_SIZE);
      if (load<u32>(e + XE_VALUE_INUM) != 0 || size > em.em_isize || offs + size > em.em_isize) return 0;
      return e;
    }
    at = next;
  }
  return 0;
}

/** The first `cap` bytes of what is inline into RAM at `to`: how many there were, or an errno. The rest of `to` is left. */
export function inlineRead(em: Ext4Mount, ei: Ext4Inode, to: usize, cap: u32): i32 {
  const head = cap < I_BLOCK_SIZE ? cap : I_BLOCK_SIZE;
  memory.copy(to, ei.ei_block, head);
  if (cap <= I_BLOCK_SIZE) return head;
  const b = ext4InodeBuf(em, ei.ei_ino);
  if (b == 0) return ext4BufError();
  const raw = inodeIn(em, ei.ei_ino, b);
  const e = entryOf(em, ei, raw);
  let n: u32 = 0;
  if (e != 0) {
    n = load<u32>(e + XE_VALUE_SIZE);
    if (n > cap - I_BLOCK_SIZE) n = cap - I_BLOCK_SIZE;
    memory.copy(to + I_BLOCK_SIZE, valueOf(ei, raw, e), n);
  }
  ext4Brelse(b);
  // an inode without the attribute has only what is in i_block
  return e == 0 && cap > I_BLOCK_SIZE ? mapBad(em, ei, 0) : <i32>(I_BLOCK_SIZE + n);
}

// @ts-ignore: decorator
@inline
function valueOf(ei: Ext4Inode, raw: usize, e: usize): usize {
  return raw + EXT4_GOOD_OLD_INODE_SIZE + ei.ei_extra + XI_ENTRIES + <u32>load<u16>(e + XE_VALUE_OFFS);
}

/**
 * The inode is inline no more, and has no blocks: i_block is an empty map, system.data is gone. In a handle, ei_lock
 * held; the caller stores the inode. For files, and for directories (dir.ts) once their entries are in a block.
 */
export function inlineClear(em: Ext4Mount, ei: Ext4Inode): i32 {
  const block = ext4InodeBlock(em, ei.ei_ino);
  const b = ext4InodeBuf(em, ei.ei_ino);
  if (b == 0) return ext4BufError();
  const error = ext4Dirty(em, b, block);
  if (error == 0) {
    const raw = inodeIn(em, ei.ei_ino, b);
    const e = entryOf(em, ei, raw);
    if (e != 0) entryRemove(em, ei, raw, e);
    sectorsAdd(ei, -(<i64>inlineSectors(ei, ei.ei_vnode.v_fc.fc_size)));
    ei.ei_flags &= ~EXT4_INLINE_DATA_FL;
    ext4MapInit(em, ei);
    mapDirty(ei);
  }
  ext4Brelse(b);
  return error;
}

/** Take an attribute's entry out; what is behind moves up. Values stay where they are. */
function entryRemove(em: Ext4Mount, ei: Ext4Inode, raw: usize, e: usize): void {
  const size = (XE_NAME + DATA_NAME_LEN + 3) & ~3;
  memory.fill(valueOf(ei, raw, e), 0, load<u32>(e + XE_VALUE_SIZE));
  const limit = raw + em.em_isize;
  let end = e + size;
  // entryOf went over those before; the ones behind are looked at here
  while (end + 4 <= limit && load<u32>(end) != 0) {
    const next = end + ((XE_NAME + <u32>load<u8>(end + XE_NAME_LEN) + 3) & ~3);
    if (next + 4 > limit) break;
    end = next;
  }
  memory.copy(e, e + size, end - (e + size));
  memory.fill(end - size, 0, size);
  const begin = raw + EXT4_GOOD_OLD_INODE_SIZE + ei.ei_extra;
  if (load<u32>(begin + XI_ENTRIES) != 0) return;
  store<u32>(begin, 0);
  eiUnmark(ei, EI_XATTR);
}

/** A regular file's inline data moves to a block: 0 or an errno. No handle; the range is the caller's. */
export function inlineToBlocks(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  if (!isInline(ei)) return 0;
  const size = vp.v_fc.fc_size;
  if (size > <u64>em.em_isize) return mapBad(em, ei, 0);
  const pg = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
  if (changetype<usize>(pg) == 0) return -ENOMEM;
  let e = inlineRead(em, ei, pageAddr(pg), <u32>size);
  if (e >= 0) e = ext4Begin(em, CREDITS_MAP + 2 * CREDITS_INODE);
  if (e == 0) {
    eiLock(ei);
    e = size == 0 ? inlineClear(em, ei) : moveOut(em, ei, pageAddr(pg));
    eiUnlock(ei);
    const s = mapStore(em, vp, false);
    if (e == 0) e = s;
    ext4End(em);
  }
  pageFree(pg);
  return e;
}

/** The data at `from` gets a block, which is written before the inode says so. */
function moveOut(em: Ext4Mount, ei: Ext4Inode, from: usize): i32 {
  const got = takeLocked(em, ei, 0, 1, 0);
  if (got < 0) return got;
  const pblk = load<u64>(dataWord());
  let e = ioWriteNow(em, ei, pblk, from, 1);
  if (e == 0) e = inlineClear(em, ei);
  if (e == 0) {
    const r = insertLocked(em, ei, 0, 1, pblk, false);
    e = r < 0 ? r : 0;
  }
  if (e != 0) giveBack(em, pblk, 1);
  else blocksAdd(em, ei, 1);
  return e;
}

