/**
 * ext4: inodes (inodes.rst) between the disk and their vnodes.
 *
 *     on disk ─ ext4InodeGet: read, checked ─→ in use: v_data of a vnode, in em_hash
 *        ↑                                        │ ext4InodeStore under a handle, by whoever changed it;
 *        └────────────────────────────────────────┤ VOP_WRITEATTR for times that only reading moved
 *                                                 │ VOP_RECLAIM: out of em_hash, freed
 *
 * I1. An inode in use is in em_hash exactly once; its vnode may have no reference (then it is kept
 *     for later, or about to be reclaimed: VREF_DOOMED).
 * I2. What is stored is what getattr shows: an inode without room for nanoseconds shows none.
 */
import { EIO, ENOMEM, ESTALE } from '../../abi/errno';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../../abi/flags';
import {
  EXT4_EXTENTS_FL,
  EXT4_GOOD_OLD_INODE_SIZE,
  EXT4_HUGE_FILE_FL,
  EXT4_INLINE_DATA_FL,
  EXT4_ROOT_INO,
  I_ATIME,
  I_ATIME_EXTRA,
  I_BLOCK,
  I_BLOCK_SIZE,
  I_BLOCKS_HIGH,
  I_BLOCKS_LO,
  I_CHECKSUM_HI,
  I_CHECKSUM_LO,
  I_CRTIME,
  I_CRTIME_EXTRA,
  I_CTIME,
  I_CTIME_EXTRA,
  I_DTIME,
  I_EXTRA_ISIZE,
  I_FILE_ACL_HIGH,
  I_FILE_ACL_LO,
  I_FLAGS,
  I_GENERATION,
  I_GID,
  I_GID_HIGH,
  I_LINKS_COUNT,
  I_MODE,
  I_MTIME,
  I_MTIME_EXTRA,
  I_PROJID,
  I_SIZE_HIGH,
  I_SIZE_LO,
  I_UID,
  I_UID_HIGH,
  I_VERSION,
  I_VERSION_HI,
  INCOMPAT_64BIT,
  INCOMPAT_EXTENTS,
  INCOMPAT_INLINE_DATA,
  RO_COMPAT_HUGE_FILE,
  RO_COMPAT_LARGE_FILE,
  SB_FEATURE_RO_COMPAT,
  XATTR_MAGIC,
} from '../../abi/ext4';
import { roots } from '../../kern/boot';
import { spinLock, spinUnlock } from '../../kern/lock';
import { kassert } from '../../kern/panic';
import { litLen } from '../../kern/text';
import { ALLOC_NOIO, ALLOC_ZERO } from '../../vm/page';
import { Zone, zoneAlloc, zoneFree } from '../../vm/zone';
import { fscacheAttrClean } from '../../vfs/dirty';
import { FC_ATTRVALID } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { Vattr } from '../../vfs/vattr';
import { Vnode, vnodeAlloc, vnodeBacked, vnodePut, vnodeTryRef } from '../../vfs/vnode';
import { crc32c, crc32cU32 } from './crc';
import { ext4Error, ext4Shut } from './error';
import { gdInodeTable, groupDesc } from './group';
import { superDirty } from './super';
import { ext4Bread, ext4Brelse, ext4BufError, ext4Dirty, ext4Tid } from './txn';
import {
  blockInRange,
  EI_MAPDIRTY,
  EI_XATTR,
  eiUnmark,
  eiOf,
  eiMark,
  Ext4Inode,
  Ext4Mount,
  hasCsum,
  hasIncompat,
  hasRoCompat,
  inoInRange,
} from './types';

/** Which inodes ext4InodeGet is asked for. */
export const IGET_NAMED: u32 = 0; //   by a directory's entry: no special one but the root, linked
export const IGET_SPECIAL: u32 = 1; // the journal, the orphan file
export const IGET_ORPHAN: u32 = 2; //  on the orphan list: may have no links
export const IGET_HANDLE: u32 = 3; //  by a handle: whatever is wrong, it is stale

const EPOCH_MASK: u32 = 3;
const SECTOR_SHIFT: u32 = 9;

// ── inodes in use ────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function bucket(em: Ext4Mount, ino: u32): usize {
  return <usize>em.em_hash + ((<usize>(ino & em.em_hashmask)) << 2);
}

// @ts-ignore: decorator
@inline
function hashLock(em: Ext4Mount): usize {
  return changetype<usize>(em) + offsetof<Ext4Mount>('em_hashlock');
}

/** The inode's vnode, referenced, if it is in use; else null. */
function inodeFind(em: Ext4Mount, ino: u32): Vnode {
  spinLock(hashLock(em));
  let p = load<u32>(bucket(em, ino));
  while (p != 0 && changetype<Ext4Inode>(<usize>p).ei_ino != ino) p = changetype<Ext4Inode>(<usize>p).ei_hnext;
  let vp = changetype<Vnode>(<usize>0);
  if (p != 0) {
    vp = changetype<Ext4Inode>(<usize>p).ei_vnode;
    if (!vnodeTryRef(vp)) vp = changetype<Vnode>(<usize>0);
  }
  spinUnlock(hashLock(em));
  return vp;
}

function inodeHash(em: Ext4Mount, ei: Ext4Inode): void {
  spinLock(hashLock(em));
  const b = bucket(em, ei.ei_ino);
  ei.ei_hnext = load<u32>(b);
  store<u32>(b, <u32>changetype<usize>(ei));
  spinUnlock(hashLock(em));
}

function inodeUnhash(em: Ext4Mount, ei: Ext4Inode): void {
  spinLock(hashLock(em));
  let at = bucket(em, ei.ei_ino);
  while (load<u32>(at) != <u32>changetype<usize>(ei)) at = <usize>load<u32>(at) + offsetof<Ext4Inode>('ei_hnext');
  store<u32>(at, ei.ei_hnext);
  spinUnlock(hashLock(em));
}

function fmFor(em: Ext4Mount, type: u32): Fsmanage {
  if (type == S_IFIFO) return em.em_mount.mnt_fifo;
  if (type == S_IFCHR || type == S_IFBLK) return em.em_mount.mnt_spec;
  return em.em_mount.mnt_norm;
}

/** A vnode and its Ext4Inode for a number, in em_hash, all else zero; null: no memory. */
export function ext4InodeMake(em: Ext4Mount, ino: u32, type: u32): Vnode {
  const ei = changetype<Ext4Inode>(zoneAlloc(changetype<Zone>(<usize>roots().r_zext4inode), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(ei) == 0) return changetype<Vnode>(<usize>0);
  const vp = vnodeAlloc(fmFor(em, type), type, <u32>changetype<usize>(ei));
  if (changetype<usize>(vp) == 0) {
    zoneFree(changetype<Zone>(<usize>roots().r_zext4inode), changetype<usize>(ei));
    return vp;
  }
  vnodeBacked(vp);
  ei.ei_vnode = vp;
  ei.ei_ino = ino;
  vp.v_fc.fc_attr.va_ino = ino;
  vp.v_fc.fc_attr.va_dev = em.em_mount.mnt_dev;
  inodeHash(em, ei);
  return vp;
}

/** VOP_RECLAIM's end: the inode is in use no more. */
export function ext4InodeDrop(em: Ext4Mount, vp: Vnode): void {
  const ei = eiOf(vp);
  inodeUnhash(em, ei);
  zoneFree(changetype<Zone>(<usize>roots().r_zext4inode), changetype<usize>(ei));
  vp.v_data = 0;
}

/** The vnode of an inode number, referenced, at vpp: 0, -ESTALE, -EUCLEAN, -ENOMEM, an I/O error. */
export function ext4InodeGet(em: Ext4Mount, ino: u32, how: u32, vpp: usize): i32 {
  if (!inoInRange(em, ino) || (ino < em.em_firstino && ino != EXT4_ROOT_INO && how != IGET_SPECIAL)) {
    return how == IGET_HANDLE ? -ESTALE : ext4Error(em, 'inode number', ino, 0);
  }
  let vp = inodeFind(em, ino);
  if (changetype<usize>(vp) == 0) {
    const b = ext4InodeBuf(em, ino);
    if (b == 0) return ext4BufError();
    const e = inodeLoad(em, ino, b, how, vpp);
    ext4Brelse(b);
    return e;
  }
  if (vp.v_fc.fc_attr.va_nlink == 0 && how != IGET_ORPHAN) {
    vnodePut(vp);
    return how == IGET_HANDLE ? -ESTALE : ext4Error(em, 'a name of a removed inode', ino, 0);
  }
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

function inodeLoad(em: Ext4Mount, ino: u32, b: usize, how: u32, vpp: usize): i32 {
  const raw = inodeIn(em, ino, b);
  const why = rawWrong(em, ino, raw, how);
  if (litLen(why) != 0) return how == IGET_HANDLE ? -ESTALE : ext4Error(em, why, ino, 0);
  const vp = ext4InodeMake(em, ino, <u32>load<u16>(raw + I_MODE) & S_IFMT);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  rawLoad(em, vp, raw);
  vp.v_fc.fc_flags |= FC_ATTRVALID;
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

// ── the inode on disk ────────────────────────────────────────────────────────────────────────

/** The block of the inode tables that an inode is in. */
export function ext4InodeBlock(em: Ext4Mount, ino: u32): u64 {
  const at = (ino - 1) % em.em_ipg;
  return gdInodeTable(em, groupDesc(em, (ino - 1) / em.em_ipg)) + ((at * em.em_isize) >> em.em_bshift);
}

/** Its buffer, held; 0: ext4BufError. */
export function ext4InodeBuf(em: Ext4Mount, ino: u32): usize {
  return ext4Bread(em, ext4InodeBlock(em, ino));
}

/** Where it is in that buffer. */
// @ts-ignore: decorator
@inline
export function inodeIn(em: Ext4Mount, ino: u32, b: usize): usize {
  return b + ((((ino - 1) % em.em_ipg) * em.em_isize) & (em.em_bsize - 1));
}

/** Bytes of fields behind the first 128: i_extra_isize. */
// @ts-ignore: decorator
@inline
function extraOf(em: Ext4Mount, raw: usize): u32 {
  return em.em_isize > EXT4_GOOD_OLD_INODE_SIZE ? <u32>load<u16>(raw + I_EXTRA_ISIZE) : 0;
}

/** Does i_extra_isize reach over a field of 4 bytes (2 for the checksum's half)? */
// @ts-ignore: decorator
@inline
function covers(extra: u32, field: u32, size: u32): bool {
  return EXT4_GOOD_OLD_INODE_SIZE + extra >= field + size;
}

function seedOf(em: Ext4Mount, ino: u32, gen: u32): u32 {
  return crc32cU32(crc32cU32(em.em_csumseed, ino), gen);
}

/** checksums.rst: over the whole inode, its checksum taken as 0. */
function rawSum(em: Ext4Mount, seed: u32, raw: usize, extra: u32): u32 {
  const high = covers(extra, I_CHECKSUM_HI, 2);
  const lo = load<u16>(raw + I_CHECKSUM_LO);
  store<u16>(raw + I_CHECKSUM_LO, 0);
  let hi: u16 = 0;
  if (high) {
    hi = load<u16>(raw + I_CHECKSUM_HI);
    store<u16>(raw + I_CHECKSUM_HI, 0);
  }
  const c = crc32c(seed, raw, em.em_isize);
  store<u16>(raw + I_CHECKSUM_LO, lo);
  if (high) store<u16>(raw + I_CHECKSUM_HI, hi);
  return high ? c : c & 0xffff;
}

function rawSumStored(raw: usize, extra: u32): u32 {
  const lo: u32 = load<u16>(raw + I_CHECKSUM_LO);
  return covers(extra, I_CHECKSUM_HI, 2) ? lo | (<u32>load<u16>(raw + I_CHECKSUM_HI) << 16) : lo;
}

/** What is wrong with an inode; '': nothing. */
function rawWrong(em: Ext4Mount, ino: u32, raw: usize, how: u32): string {
  const extra = extraOf(em, raw);
  if (em.em_isize > EXT4_GOOD_OLD_INODE_SIZE && (extra > em.em_isize - EXT4_GOOD_OLD_INODE_SIZE || (extra & 3) != 0)) {
    return 'inode: extra size';
  }
  if (hasCsum(em) && rawSum(em, seedOf(em, ino, load<u32>(raw + I_GENERATION)), raw, extra) != rawSumStored(raw, extra)) {
    return 'inode: checksum';
  }
  const type = <u32>load<u16>(raw + I_MODE) & S_IFMT;
  if (load<u16>(raw + I_LINKS_COUNT) == 0 && how != IGET_ORPHAN) return 'a name of a removed inode';
  if (
    type != S_IFREG && type != S_IFDIR && type != S_IFLNK && type != S_IFIFO &&
    type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK
  ) {
    return 'inode: type';
  }
  const flags = load<u32>(raw + I_FLAGS);
  if (flags & EXT4_EXTENTS_FL && !hasIncompat(em, INCOMPAT_EXTENTS)) return 'inode: extents without the feature';
  if (flags & EXT4_INLINE_DATA_FL && !hasIncompat(em, INCOMPAT_INLINE_DATA)) return 'inode: inline data without the feature';
  const acl = aclOf(em, raw);
  if (acl != 0 && !blockInRange(em, acl, 1)) return 'inode: block of attributes';
  const size = sizeOf(raw, type);
  if (size > (flags & EXT4_EXTENTS_FL ? em.em_maxext : em.em_maxmap) + 1) return 'inode: size';
  // one that was being removed when the machine stopped
  if (load<u16>(raw + I_LINKS_COUNT) == 0 && size == 0) return '';
  // a directory has no holes: what it says of its blocks bounds every search in it
  if (type == S_IFDIR && (flags & EXT4_INLINE_DATA_FL) == 0) {
    if (size == 0 || (size & (em.em_bsize - 1)) != 0 || size >> em.em_bshift > em.em_blocks) return 'directory: size';
  }
  if (type == S_IFLNK && (size == 0 || size > <u64>em.em_bsize)) return 'symbolic link: size';
  return '';
}

function sizeOf(raw: usize, type: u32): u64 {
  const lo: u64 = load<u32>(raw + I_SIZE_LO);
  // the word is i_dir_acl in other types of old file systems
  return type == S_IFREG || type == S_IFDIR ? lo | (<u64>load<u32>(raw + I_SIZE_HIGH) << 32) : lo;
}

function aclOf(em: Ext4Mount, raw: usize): u64 {
  const lo: u64 = load<u32>(raw + I_FILE_ACL_LO);
  return hasIncompat(em, INCOMPAT_64BIT) ? lo | (<u64>load<u16>(raw + I_FILE_ACL_HIGH) << 32) : lo;
}

function rawLoad(em: Ext4Mount, vp: Vnode, raw: usize): void {
  const ei = eiOf(vp);
  const va = vp.v_fc.fc_attr;
  const extra = extraOf(em, raw);
  va.va_mode = load<u16>(raw + I_MODE);
  va.va_uid = <u32>load<u16>(raw + I_UID) | (<u32>load<u16>(raw + I_UID_HIGH) << 16);
  va.va_gid = <u32>load<u16>(raw + I_GID) | (<u32>load<u16>(raw + I_GID_HIGH) << 16);
  va.va_nlink = load<u16>(raw + I_LINKS_COUNT);
  va.va_gen = load<u32>(raw + I_GENERATION);
  va.va_size = sizeOf(raw, vp.v_type);
  ei.ei_disksize = va.va_size;
  ei.ei_flags = load<u32>(raw + I_FLAGS);
  ei.ei_extra = extra;
  ei.ei_acl = aclOf(em, raw);
  ei.ei_dtime = load<u32>(raw + I_DTIME);
  ei.ei_version = load<u32>(raw + I_VERSION);
  if (covers(extra, I_VERSION_HI, 4)) ei.ei_version |= <u64>load<u32>(raw + I_VERSION_HI) << 32;
  if (covers(extra, I_PROJID, 4)) ei.ei_projid = load<u32>(raw + I_PROJID);
  ei.ei_csumseed = seedOf(em, ei.ei_ino, va.va_gen);
  memory.copy(ei.ei_block, raw + I_BLOCK, I_BLOCK_SIZE);
  blocksLoad(em, ei, va, raw);
  timesLoad(va, raw, extra);
  const behind = EXT4_GOOD_OLD_INODE_SIZE + extra;
  if (extra != 0 && behind + 4 <= em.em_isize && load<u32>(raw + behind) == XATTR_MAGIC) eiMark(ei, EI_XATTR);
  if (vp.v_type == S_IFCHR || vp.v_type == S_IFBLK) {
    // special_inodes: the old encoding in the first word, or the new one in the second
    const old = load<u32>(ei.ei_block);
    va.va_rdev = old != 0 ? old & 0xffff : load<u32>(ei.ei_block, 4);
  }
}

function blocksLoad(em: Ext4Mount, ei: Ext4Inode, va: Vattr, raw: usize): void {
  let n: u64 = load<u32>(raw + I_BLOCKS_LO);
  if (hasRoCompat(em, RO_COMPAT_HUGE_FILE)) {
    n |= <u64>load<u16>(raw + I_BLOCKS_HIGH) << 32;
    if (ei.ei_flags & EXT4_HUGE_FILE_FL) n <<= em.em_bshift - SECTOR_SHIFT;
  }
  va.va_blocks = n + inlineSectors(ei, va.va_size);
}

/**
 * What a regular file's inline data counts as for stat(2): it is in no block, and a file of none would be taken for one
 * that is all hole.
 */
export function inlineSectors(ei: Ext4Inode, size: u64): u64 {
  if ((ei.ei_flags & EXT4_INLINE_DATA_FL) == 0 || ei.ei_vnode.v_type != S_IFREG) return 0;
  return (size + (1 << SECTOR_SHIFT) - 1) >> SECTOR_SHIFT;
}

/** Seconds: signed 32 bits, then two bits of epoch. */
function secOf(raw: usize, lo: u32, hi: u32, extra: u32): i64 {
  const sec = <i64>load<i32>(raw + lo);
  return covers(extra, hi, 4) ? sec + ((<i64>(load<u32>(raw + hi) & EPOCH_MASK)) << 32) : sec;
}

function nsOf(raw: usize, hi: u32, extra: u32): u32 {
  if (!covers(extra, hi, 4)) return 0;
  const ns = load<u32>(raw + hi) >> 2;
  return ns < 1_000_000_000 ? ns : 0;
}

function timesLoad(va: Vattr, raw: usize, extra: u32): void {
  va.va_atime = secOf(raw, I_ATIME, I_ATIME_EXTRA, extra);
  va.va_mtime = secOf(raw, I_MTIME, I_MTIME_EXTRA, extra);
  va.va_ctime = secOf(raw, I_CTIME, I_CTIME_EXTRA, extra);
  va.va_atimens = nsOf(raw, I_ATIME_EXTRA, extra);
  va.va_mtimens = nsOf(raw, I_MTIME_EXTRA, extra);
  va.va_ctimens = nsOf(raw, I_CTIME_EXTRA, extra);
  if (covers(extra, I_CRTIME, 4)) {
    va.va_btime = secOf(raw, I_CRTIME, I_CRTIME_EXTRA, extra);
    va.va_btimens = nsOf(raw, I_CRTIME_EXTRA, extra);
  } else {
    va.va_btime = va.va_ctime;
    va.va_btimens = va.va_ctimens;
  }
}

// ── storing ──────────────────────────────────────────────────────────────────────────────────

function storeLock(em: Ext4Mount): usize {
  return changetype<usize>(em) + offsetof<Ext4Mount>('em_storelock');
}

/** Store an inode, inside a handle with CREDITS_INODE for it: 0 or an errno. */
export function ext4InodeStore(em: Ext4Mount, vp: Vnode): i32 {
  const ei = eiOf(vp);
  const block = ext4InodeBlock(em, ei.ei_ino);
  const b = ext4Bread(em, block);
  if (b == 0) {
    // It changed in RAM already, and so did what else the handle changes: half of a call must not be
    // committed, whatever errors= says.
    const error = ext4BufError();
    if (error == -EIO) {
      ext4Error(em, 'inode cannot be stored', ei.ei_ino, block);
      ext4Shut(em, error);
    }
    return error;
  }
  const e = ext4Dirty(em, b, block);
  if (e == 0) {
    const raw = inodeIn(em, ei.ei_ino, b);
    fscacheAttrClean(vp.v_fc);
    // two that store it at once may not leave what the earlier of them read
    if (SMP) spinLock(storeLock(em));
    eiUnmark(ei, EI_MAPDIRTY);
    rawStore(em, vp, raw);
    ext4InodeSum(em, ei, raw);
    if (SMP) spinUnlock(storeLock(em));
    ext4Tid(em, ei, false);
  }
  ext4Brelse(b);
  if (e == 0 && ei.ei_disksize > <u64>i32.MAX_VALUE && !hasRoCompat(em, RO_COMPAT_LARGE_FILE)) return largeFile(em);
  return e;
}

/** A handle will store this inode: have its block in RAM and in the handle before anything changes, so that the store
 *  cannot fail for want of memory or of a disk that reads. 0 or an errno. */
export function ext4InodeReady(em: Ext4Mount, vp: Vnode): i32 {
  const block = ext4InodeBlock(em, eiOf(vp).ei_ino);
  const b = ext4Bread(em, block);
  if (b == 0) return ext4BufError();
  const e = ext4Dirty(em, b, block);
  ext4Brelse(b);
  return e;
}

/** Store an inode whose block is in the transaction that is about to be committed. */
export function ext4InodeSeal(em: Ext4Mount, vp: Vnode): void {
  const ei = eiOf(vp);
  const b = ext4Bread(em, ext4InodeBlock(em, ei.ei_ino));
  if (DEBUG) kassert(b != 0, 'a block of the transaction is not in RAM');
  if (b == 0) return ext4Shut(em, ext4BufError());
  const raw = inodeIn(em, ei.ei_ino, b);
  rawStore(em, vp, raw);
  ext4InodeSum(em, ei, raw);
  ext4Brelse(b);
}

/** Make `next` the one behind an inode on the list of orphans that is not in use: 0 or an errno. In a handle. */
export function ext4InodeLink(em: Ext4Mount, ino: u32, next: u32): i32 {
  const block = ext4InodeBlock(em, ino);
  const b = ext4Bread(em, block);
  if (b == 0) return ext4BufError();
  const e = ext4Dirty(em, b, block);
  if (e == 0) {
    const raw = inodeIn(em, ino, b);
    store<u32>(raw + I_DTIME, next);
    if (hasCsum(em)) rawSumStore(raw, extraOf(em, raw), rawSum(em, seedOf(em, ino, load<u32>(raw + I_GENERATION)), raw, extraOf(em, raw)));
  }
  ext4Brelse(b);
  return e;
}

function rawSumStore(raw: usize, extra: u32, c: u32): void {
  store<u16>(raw + I_CHECKSUM_LO, <u16>c);
  if (covers(extra, I_CHECKSUM_HI, 2)) store<u16>(raw + I_CHECKSUM_HI, <u16>(c >> 16));
}

/** The checksum of an inode in its buffer. */
export function ext4InodeSum(em: Ext4Mount, ei: Ext4Inode, raw: usize): void {
  if (!hasCsum(em)) return;
  rawSumStore(raw, ei.ei_extra, rawSum(em, ei.ei_csumseed, raw, ei.ei_extra));
}

/** The first file above 2 GiB: old kernels are to know. The handle has room for the superblock. */
function largeFile(em: Ext4Mount): i32 {
  em.em_rocompat |= RO_COMPAT_LARGE_FILE;
  store<u32>(<usize>em.em_sb + SB_FEATURE_RO_COMPAT, em.em_rocompat);
  return superDirty(em);
}

function rawStore(em: Ext4Mount, vp: Vnode, raw: usize): void {
  const ei = eiOf(vp);
  const va = vp.v_fc.fc_attr;
  const extra = ei.ei_extra;
  if (vp.v_type != S_IFREG) ei.ei_disksize = va.va_size;
  store<u16>(raw + I_MODE, <u16>va.va_mode);
  store<u16>(raw + I_UID, <u16>va.va_uid);
  store<u16>(raw + I_UID_HIGH, <u16>(va.va_uid >> 16));
  store<u16>(raw + I_GID, <u16>va.va_gid);
  store<u16>(raw + I_GID_HIGH, <u16>(va.va_gid >> 16));
  store<u16>(raw + I_LINKS_COUNT, <u16>va.va_nlink);
  store<u32>(raw + I_SIZE_LO, <u32>ei.ei_disksize);
  store<u32>(raw + I_SIZE_HIGH, <u32>(ei.ei_disksize >> 32));
  store<u32>(raw + I_DTIME, ei.ei_dtime);
  store<u32>(raw + I_FLAGS, ei.ei_flags);
  store<u32>(raw + I_GENERATION, va.va_gen);
  store<u32>(raw + I_VERSION, <u32>ei.ei_version);
  store<u32>(raw + I_FILE_ACL_LO, <u32>ei.ei_acl);
  if (hasIncompat(em, INCOMPAT_64BIT)) store<u16>(raw + I_FILE_ACL_HIGH, <u16>(ei.ei_acl >> 32));
  memory.copy(raw + I_BLOCK, ei.ei_block, I_BLOCK_SIZE);
  blocksStore(em, ei, va, raw);
  va.va_atime = timeStore(raw, I_ATIME, I_ATIME_EXTRA, extra, va.va_atime, va.va_atimens);
  va.va_mtime = timeStore(raw, I_MTIME, I_MTIME_EXTRA, extra, va.va_mtime, va.va_mtimens);
  va.va_ctime = timeStore(raw, I_CTIME, I_CTIME_EXTRA, extra, va.va_ctime, va.va_ctimens);
  if (em.em_isize > EXT4_GOOD_OLD_INODE_SIZE) store<u16>(raw + I_EXTRA_ISIZE, <u16>extra);
  if (covers(extra, I_CRTIME, 4)) timeStore(raw, I_CRTIME, I_CRTIME_EXTRA, extra, va.va_btime, va.va_btimens);
  if (covers(extra, I_VERSION_HI, 4)) store<u32>(raw + I_VERSION_HI, <u32>(ei.ei_version >> 32));
  if (covers(extra, I_PROJID, 4)) store<u32>(raw + I_PROJID, ei.ei_projid);
  if (!covers(extra, I_CTIME_EXTRA, 4)) {
    va.va_atimens = 0;
    va.va_mtimens = 0;
    va.va_ctimens = 0;
  }
}

/** Returns the seconds as there is room for them. */
function timeStore(raw: usize, lo: u32, hi: u32, extra: u32, sec: i64, ns: u32): i64 {
  const max = covers(extra, hi, 4) ? <i64>i32.MAX_VALUE + (<i64>EPOCH_MASK << 32) : <i64>i32.MAX_VALUE;
  if (sec > max) sec = max;
  if (sec < <i64>i32.MIN_VALUE) sec = <i64>i32.MIN_VALUE;
  store<i32>(raw + lo, <i32>sec);
  if (covers(extra, hi, 4)) store<u32>(raw + hi, (<u32>((sec - <i64>(<i32>sec)) >> 32) & EPOCH_MASK) | (ns << 2));
  return sec;
}

function blocksStore(em: Ext4Mount, ei: Ext4Inode, va: Vattr, raw: usize): void {
  // blocks that delayed data has been promised are counted for getattr, and are none yet; nor is inline data
  const none = (<u64>ei.ei_reserved << (em.em_bshift - SECTOR_SHIFT)) + inlineSectors(ei, va.va_size);
  let n = va.va_blocks > none ? va.va_blocks - none : 0;
  ei.ei_flags &= ~EXT4_HUGE_FILE_FL;
  if (hasRoCompat(em, RO_COMPAT_HUGE_FILE)) {
    if (n >> 48 != 0) {
      ei.ei_flags |= EXT4_HUGE_FILE_FL;
      n >>= em.em_bshift - SECTOR_SHIFT;
    }
    store<u16>(raw + I_BLOCKS_HIGH, <u16>(n >> 32));
  }
  store<u32>(raw + I_BLOCKS_LO, <u32>n);
  store<u32>(raw + I_FLAGS, ei.ei_flags);
}
