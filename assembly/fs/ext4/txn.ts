/**
 * ext4: handles on the journal, and its buffers of metadata. Without a journal (ext2, noload) a
 * changed buffer is left to write-back.
 *
 * A handle is begun with room for every block that may change before it ends, each counted once:
 * CREDITS_* say how many a step may change at the most.
 */
import { EAGAIN, EROFS } from '../../abi/errno';
import { curcpu } from '../../kern/cpu';
import { pageOf, VmPage } from '../../vm/page';
import { bget, bread, brelse, bufDirty, bufError, bufForget } from '../../vfs/buf';
import {
  Journal,
  journalBegin,
  journalDirty,
  journalEnd,
  journalExtend,
  journalForget,
  journalRoom,
  journalTid,
} from '../jbd2/journal';
import { ext4Precommit } from './da';
import { EM_RDONLY, Ext4Inode, Ext4Mount } from './types';

/** An inode's block, and the superblock: a file's size or its attributes may need a feature (inode.ts, largeFile;
 *  xattr.ts, featureSet). */
export const CREDITS_INODE: u32 = 2;
/** Taking or freeing blocks or an inode in one group: a bitmap, a descriptor. */
export const CREDITS_GROUP: u32 = 2;
/** Groups that one step of a truncation frees data in, at the most. */
export const STEP_GROUPS: u32 = 6;
/** A new inode: bitmap, descriptor, its table, the orphan list's head or file, the superblock. */
export const CREDITS_NEWINODE: u32 = 5;
/** Mapping one piece of a file: an extent tree split to the root, and a group for each new block. */
export const CREDITS_MAP: u32 = 16;
/** A name added: the leaf and its half, three levels of index split, their new blocks. */
export const CREDITS_DIRADD: u32 = 9 + CREDITS_MAP;
/** A name taken out, or changed in place. */
export const CREDITS_DIRDEL: u32 = 2;
/** Attributes: the inode, the old block and the new one, their groups. */
export const CREDITS_XATTR: u32 = 8;
/** On or off the orphan list: superblock, and the inode before it or the orphan file's block. */
export const CREDITS_ORPHAN: u32 = 2;

// @ts-ignore: decorator
@inline
export function jnOf(em: Ext4Mount): Journal {
  return changetype<Journal>(<usize>em.em_jn);
}

/** Begin a handle: 0, -EROFS, or what the journal says. Nothing of RANK_PAGE or above is held. A log without room for
 *  it is committed first, with what a commit promises. */
export function ext4Begin(em: Ext4Mount, credits: u32): i32 {
  if (em.em_flags & EM_RDONLY) return -EROFS;
  if (em.em_jn == 0) return 0;
  let e = journalBegin(jnOf(em), credits);
  while (e == -EAGAIN) {
    ext4Precommit(em);
    e = journalRoom(jnOf(em), credits);
    if (e == 0) e = journalBegin(jnOf(em), credits);
  }
  return e;
}

/** Room for more blocks in this handle: 0, or -EAGAIN: end it and begin another. */
export function ext4Extend(em: Ext4Mount, credits: u32): i32 {
  return em.em_jn != 0 ? journalExtend(jnOf(em), credits) : 0;
}

export function ext4End(em: Ext4Mount): void {
  if (em.em_jn != 0) journalEnd(jnOf(em));
}

/** The buffer at b, of that block, was or will be changed in this handle: 0 or an errno. */
export function ext4Dirty(em: Ext4Mount, b: usize, block: u64): i32 {
  if (em.em_jn != 0) return journalDirty(jnOf(em), b, block);
  bufDirty(em.em_fc, b, em.em_bshift);
  return 0;
}

/** A block of metadata was freed: what is in RAM of it must not be written any more. */
export function ext4Forget(em: Ext4Mount, block: u64): void {
  if (em.em_jn != 0) journalForget(jnOf(em), block);
  else bufForget(em.em_fc, block, em.em_bshift);
}

/** What fsync of this inode has to wait for, data or any change: this handle's transaction. */
export function ext4Tid(em: Ext4Mount, ei: Ext4Inode, data: bool): void {
  if (em.em_jn == 0) return;
  const tid = journalTid(jnOf(em));
  ei.ei_metatid = tid;
  if (data) ei.ei_datatid = tid;
}

/** A block's buffer, held; 0: ext4BufError has the errno. */
// @ts-ignore: decorator
@inline
export function ext4Bread(em: Ext4Mount, block: u64): usize {
  return bread(em.em_fc, block, em.em_bshift);
}

/** A buffer of zeros for a block that is new; 0: ext4BufError has the errno. */
// @ts-ignore: decorator
@inline
export function ext4Bget(em: Ext4Mount, block: u64): usize {
  return bget(em.em_fc, block, em.em_bshift);
}

// @ts-ignore: decorator
@inline
export function ext4Brelse(b: usize): void {
  brelse(b);
}

/** The negated errno of the bread or bget that failed just now. */
// @ts-ignore: decorator
@inline
export function ext4BufError(): i32 {
  return bufError();
}

/** Seconds of this call's time, as the superblock keeps them. */
export function nowSec32(): u32 {
  return <u32>curcpu.c_nowsec;
}

// ── what has been checked ────────────────────────────────────────────────────────────────────

/** Four bits of pg_flags, one for each KiB of a page: the block that begins there has been checked
 *  since it was read, or made here. */
const PG_CHECKED0: u32 = 0x01000000;

// @ts-ignore: decorator
@inline
function checkedBit(b: usize): u32 {
  return PG_CHECKED0 << ((<u32>b >> 10) & 3);
}

/** Has the checksum of this buffer's block been compared? */
// @ts-ignore: decorator
@inline
export function bufChecked(b: usize): bool {
  return (pageOf(b).pg_flags & checkedBit(b)) != 0;
}

export function bufSetChecked(b: usize): void {
  const at = changetype<usize>(pageOf(b)) + offsetof<VmPage>('pg_flags');
  if (SMP) atomic.or<u32>(at, checkedBit(b));
  else store<u32>(at, load<u32>(at) | checkedBit(b));
}
