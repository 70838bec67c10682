/**
 * ext4: extended attributes (attributes.rst): in the inode as far as there is room, else in a block
 * that several inodes may share (h_refcount). A shared block is never changed: who changes an
 * attribute gets a block of its own.
 *
 * An attribute that is set goes to the inode if it fits beside those there, else to the block; where
 * it was before, it goes. Both changes are in one handle.
 *
 * Locks: em_names, shared to read and exclusive to change.
 */
import { EEXIST, ENODATA, ENOMEM, ENOSPC, EOPNOTSUPP, ERANGE } from '../../abi/errno';
import { XATTR_CREATE, XATTR_REPLACE } from '../../abi/flags';
import {
  COMPAT_EXT_ATTR,
  EXT4_GOOD_OLD_INODE_SIZE,
  SB_FEATURE_COMPAT,
  XATTR_INDEX_SECURITY,
  XATTR_INDEX_SYSTEM,
  XATTR_INDEX_TRUSTED,
  XATTR_INDEX_USER,
  XATTR_MAGIC,
  XE_NAME,
  XE_NAME_INDEX,
  XE_NAME_LEN,
  XE_VALUE_SIZE,
  XH_BLOCKS,
  XH_CHECKSUM,
  XH_HASH,
  XH_MAGIC,
  XH_REFCOUNT,
  XH_SIZE,
  XI_ENTRIES,
  XI_MAGIC,
} from '../../abi/ext4';
import { PAGE_SIZE } from '../../abi/layout';
import { litBegins, litCopy, litLen } from '../../kern/text';
import { curcred } from '../../proc/cred';
import { Uio, uiomove } from '../../vm/uio';
import { xattrHidden } from '../../vfs/access';
import { fscacheTouchCtime } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { scratchPath, scratchWord } from '../../vfs/scratch';
import { Vnode } from '../../vfs/vnode';
import { crc32c, crc32cU32 } from './crc';
import { ballocReady } from './balloc';
import { ext4Error } from './error';
import { ext4InodeBlock, ext4InodeStore, inodeIn } from './inode';
import { ext4Retry } from './journal';
import { blocksAdd } from './mapmeta';
import { metaAlloc, metaFree } from './meta';
import { keysAlloc, keysFree } from './split';
import { superDirty } from './super';
import {
  bufChecked,
  bufSetChecked,
  CREDITS_INODE,
  CREDITS_XATTR,
  ext4Begin,
  ext4Bget,
  ext4Bread,
  ext4Brelse,
  ext4BufError,
  ext4Dirty,
  ext4End,
} from './txn';
import {
  EI_XATTR,
  eiUnmark,
  eiOf,
  eiMark,
  emOf,
  Ext4Inode,
  Ext4Mount,
  hasCompat,
  hasCsum,
  namesExclusive,
  namesRelease,
  namesShared,
} from './types';
import { regionBuild, regionFind, regionFits, regionHash, regionOk, xeLast, xeNext, xeValue, Xname, xname, Xregion, xregion } from './xregion';

/** "data", as four bytes. */
const INLINE_NAME: u32 = 0x61746164;
/** What h_refcount may say; Linux's limit. */
const REFCOUNT_MAX: u32 = 1024;

// ── names ────────────────────────────────────────────────────────────────────────────────────

function prefixed(xn: Xname, prefix: string, index: u32, name: usize, len: u32): bool {
  if (!litBegins(prefix, name, len)) return false;
  const n = litLen(prefix);
  xn.xn_index = index;
  xn.xn_name = <u32>(name + n);
  xn.xn_len = len - n;
  return true;
}

/** A full name into index and rest: 0 or -EOPNOTSUPP. */
function parseName(xn: Xname, name: usize, len: u32): i32 {
  if (prefixed(xn, 'user.', XATTR_INDEX_USER, name, len)) return 0;
  if (prefixed(xn, 'trusted.', XATTR_INDEX_TRUSTED, name, len)) return 0;
  if (prefixed(xn, 'security.', XATTR_INDEX_SECURITY, name, len)) return 0;
  return -EOPNOTSUPP;
}

/** An index's prefix; '': the attribute is not shown (ACLs, inline data). */
function prefixOf(index: u32): string {
  switch (index) {
    case XATTR_INDEX_USER:
      return 'user.';
    case XATTR_INDEX_TRUSTED:
      return 'trusted.';
    case XATTR_INDEX_SECURITY:
      return 'security.';
    default:
      return '';
  }
}

// ── regions ──────────────────────────────────────────────────────────────────────────────────

/** Where an inode's own region begins in its buffer (the magic), 0: there can be none. */
function bodyAt(em: Ext4Mount, ei: Ext4Inode, b: usize): usize {
  if (ei.ei_extra == 0 || EXT4_GOOD_OLD_INODE_SIZE + ei.ei_extra + XI_ENTRIES + 4 > em.em_isize) return 0;
  return inodeIn(em, ei.ei_ino, b) + EXT4_GOOD_OLD_INODE_SIZE + ei.ei_extra;
}

/** The inode's region, its buffer held whether it has one (xr_first) or not: 0 or an errno. */
function bodyGet(em: Ext4Mount, ei: Ext4Inode, xr: Xregion): i32 {
  const b = ext4Bread(em, ext4InodeBlock(em, ei.ei_ino));
  if (b == 0) return ext4BufError();
  xr.xr_buf = <u32>b;
  xr.xr_first = 0;
  const at = bodyAt(em, ei, b);
  if (at == 0 || (ei.ei_state & EI_XATTR) == 0 || load<u32>(at + XI_MAGIC) != XATTR_MAGIC) return 0;
  xr.xr_base = <u32>at + XI_ENTRIES;
  xr.xr_end = <u32>inodeIn(em, ei.ei_ino, b) + em.em_isize;
  if (!regionOk(<usize>xr.xr_base, <usize>xr.xr_base, <usize>xr.xr_end)) return ext4Error(em, 'attributes in the inode', ei.ei_ino, 0);
  xr.xr_first = xr.xr_base;
  return 0;
}

/** checksums.rst: the block's number as 64 bits, then the block with its checksum as 0. */
function blockSum(em: Ext4Mount, b: usize, block: u64): u32 {
  const stored = load<u32>(b + XH_CHECKSUM);
  store<u32>(b + XH_CHECKSUM, 0);
  const c = crc32c(crc32cU32(crc32cU32(em.em_csumseed, <u32>block), <u32>(block >> 32)), b, em.em_bsize);
  store<u32>(b + XH_CHECKSUM, stored);
  return c;
}

/** The block's region, if there is a block (xr_buf): 0 or an errno. */
function blockGet(em: Ext4Mount, ei: Ext4Inode, xr: Xregion): i32 {
  xr.xr_buf = 0;
  xr.xr_first = 0;
  if (ei.ei_acl == 0) return 0;
  const b = ext4Bread(em, ei.ei_acl);
  if (b == 0) return ext4BufError();
  xr.xr_buf = <u32>b;
  xr.xr_base = <u32>b;
  xr.xr_first = <u32>b + XH_SIZE;
  xr.xr_end = <u32>b + em.em_bsize;
  const refs = load<u32>(b + XH_REFCOUNT);
  let ok = load<u32>(b + XH_MAGIC) == XATTR_MAGIC && load<u32>(b + XH_BLOCKS) == 1 && refs != 0 && refs <= REFCOUNT_MAX;
  if (ok && hasCsum(em) && !bufChecked(b)) ok = blockSum(em, b, ei.ei_acl) == load<u32>(b + XH_CHECKSUM);
  if (ok) ok = regionOk(b, <usize>xr.xr_first, <usize>xr.xr_end);
  if (!ok) return ext4Error(em, 'block of attributes', ei.ei_ino, ei.ei_acl);
  bufSetChecked(b);
  return 0;
}

/** Both regions; ended by regionsDone, whatever it returns. */
function regionsGet(em: Ext4Mount, ei: Ext4Inode): i32 {
  xregion(0).xr_buf = 0;
  xregion(1).xr_buf = 0;
  const e = bodyGet(em, ei, xregion(0));
  return e != 0 ? e : blockGet(em, ei, xregion(1));
}

function regionsDone(): void {
  for (let i: u32 = 0; i < 2; i++) if (xregion(i).xr_buf != 0) ext4Brelse(<usize>xregion(i).xr_buf);
}

/** The entry of xname() and its region's number at `which`; 0: it has none. */
function find(which: usize): usize {
  for (let i: u32 = 0; i < 2; i++) {
    const xr = xregion(i);
    if (xr.xr_buf == 0 || xr.xr_first == 0) continue;
    const at = regionFind(<usize>xr.xr_first, xname());
    store<u32>(which, i);
    if (at != 0) return at;
  }
  return 0;
}

// ── reading ──────────────────────────────────────────────────────────────────────────────────

function get(em: Ext4Mount, vp: Vnode, uio: Uio): i32 {
  const e = regionsGet(em, eiOf(vp));
  if (e != 0) return e;
  const at = find(scratchWord(6));
  if (at == 0) return -ENODATA;
  const size = load<u32>(at + XE_VALUE_SIZE);
  if (uio.uio_resid == 0) return <i32>size;
  if (uio.uio_resid < size) return -ERANGE;
  const base = <usize>xregion(load<u32>(scratchWord(6))).xr_base;
  const moved = size == 0 ? 0 : uiomove(xeValue(base, at), size, uio);
  return moved != 0 ? moved : <i32>size;
}

export function ext4Getxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio): i32 {
  const em = emOf(fm.fm_mount);
  let e = parseName(xname(), name, namelen);
  if (e != 0) return e;
  namesShared(em);
  e = get(em, vp, uio);
  regionsDone();
  namesRelease(em);
  return e;
}

/** The full name of an entry at scratchPath(1), and its length; 0: not for this caller. */
function fullName(at: usize): u32 {
  const prefix = prefixOf(load<u8>(at + XE_NAME_INDEX));
  if (litLen(prefix) == 0) return 0;
  const buf = scratchPath(1);
  const n = litCopy(prefix, buf);
  const len = <u32>load<u8>(at + XE_NAME_LEN);
  memory.copy(buf + n, at + XE_NAME, len);
  store<u8>(buf + n + len, 0);
  return xattrHidden(buf, n + len, curcred()) ? 0 : n + len;
}

/** Their names, counted, and with `uio` moved: bytes or an errno. */
function names(xr: Xregion, uio: Uio, move: bool): i32 {
  if (xr.xr_buf == 0 || xr.xr_first == 0) return 0;
  let total: u32 = 0;
  for (let at = <usize>xr.xr_first; !xeLast(at); at = xeNext(at)) {
    const n = fullName(at);
    if (n == 0) continue;
    total += n + 1;
    if (!move) continue;
    const e = uiomove(scratchPath(1), n + 1, uio);
    if (e != 0) return e;
  }
  return <i32>total;
}

function list(em: Ext4Mount, vp: Vnode, uio: Uio): i32 {
  let e = regionsGet(em, eiOf(vp));
  if (e != 0) return e;
  const total = names(xregion(0), uio, false) + names(xregion(1), uio, false);
  if (uio.uio_resid == 0) return total;
  if (uio.uio_resid < <u32>total) return -ERANGE;
  e = names(xregion(0), uio, true);
  if (e >= 0) e = names(xregion(1), uio, true);
  return e < 0 ? e : total;
}

export function ext4Listxattr(fm: Fsmanage, vp: Vnode, uio: Uio): i32 {
  const em = emOf(fm.fm_mount);
  namesShared(em);
  const e = list(em, vp, uio);
  regionsDone();
  namesRelease(em);
  return e;
}

// ── changing ─────────────────────────────────────────────────────────────────────────────────

/** Bytes for entries and values in the inode; 0: it has no room for a region. */
function bodyRoom(em: Ext4Mount, ei: Ext4Inode): u32 {
  const from = EXT4_GOOD_OLD_INODE_SIZE + ei.ei_extra + XI_ENTRIES;
  return ei.ei_extra == 0 || from + 4 > em.em_isize ? 0 : em.em_isize - from;
}

/** The inode's region anew, without `skip` and perhaps with xname(): 0 or an errno. */
function bodyWrite(em: Ext4Mount, vp: Vnode, skip: usize, add: bool, tmp: usize): i32 {
  const ei = eiOf(vp);
  const xr = xregion(0);
  const b = <usize>xr.xr_buf;
  const e = ext4Dirty(em, b, ext4InodeBlock(em, ei.ei_ino));
  if (e != 0) return e;
  const room = bodyRoom(em, ei);
  memory.fill(tmp, 0, room);
  regionBuild(tmp, 0, room, <usize>xr.xr_base, <usize>xr.xr_first, skip, add, xname());
  const at = bodyAt(em, ei, b);
  memory.copy(at + XI_ENTRIES, tmp, room);
  const any = !xeLast(tmp);
  store<u32>(at + XI_MAGIC, any ? XATTR_MAGIC : 0);
  if (any) eiMark(ei, EI_XATTR);
  else eiUnmark(ei, EI_XATTR);
  return 0;
}

/** The block anew: in place if it is this inode's alone, else one of its own; none if it is empty. */
function blockWrite(em: Ext4Mount, vp: Vnode, skip: usize, add: bool, tmp: usize): i32 {
  const xr = xregion(1);
  const room = em.em_bsize - XH_SIZE;
  memory.fill(tmp, 0, em.em_bsize);
  regionBuild(tmp + XH_SIZE, XH_SIZE, room, <usize>xr.xr_base, <usize>xr.xr_first, skip, add, xname());
  if (xeLast(tmp + XH_SIZE)) {
    // its buffer is let go first: the block is freed
    ext4Brelse(<usize>xr.xr_buf);
    xr.xr_buf = 0;
    return xattrBlockDrop(em, vp);
  }
  store<u32>(tmp + XH_MAGIC, XATTR_MAGIC);
  store<u32>(tmp + XH_REFCOUNT, 1);
  store<u32>(tmp + XH_BLOCKS, 1);
  store<u32>(tmp + XH_HASH, regionHash(tmp + XH_SIZE));
  const ei = eiOf(vp);
  const old = <usize>xr.xr_buf;
  if (old != 0 && load<u32>(old + XH_REFCOUNT) == 1) {
    const e = ext4Dirty(em, old, ei.ei_acl);
    if (e == 0) blockFill(em, old, ei.ei_acl, tmp);
    return e;
  }
  let e = metaAlloc(em, vp, scratchWord(6));
  if (e != 0) return e;
  const block = load<u64>(scratchWord(6));
  const b = ext4Bget(em, block);
  e = b == 0 ? ext4BufError() : ext4Dirty(em, b, block);
  if (e == 0) blockFill(em, b, block, tmp);
  if (b != 0) ext4Brelse(b);
  if (e == 0 && old != 0) e = xattrBlockDrop(em, vp);
  if (e != 0) {
    metaFree(em, vp, block);
    return e;
  }
  ei.ei_acl = block;
  return 0;
}

function blockFill(em: Ext4Mount, b: usize, block: u64, from: usize): void {
  memory.copy(b, from, em.em_bsize);
  if (hasCsum(em)) store<u32>(b + XH_CHECKSUM, blockSum(em, b, block));
  bufSetChecked(b);
}

/** The inode lets go of its block of attributes, which goes with its last holder. Inside a handle. */
export function xattrBlockDrop(em: Ext4Mount, vp: Vnode): i32 {
  const block = eiOf(vp).ei_acl;
  if (block == 0) return 0;
  const b = ext4Bread(em, block);
  if (b == 0) return ext4BufError();
  const refs = load<u32>(b + XH_REFCOUNT);
  let e: i32 = 0;
  if (load<u32>(b + XH_MAGIC) != XATTR_MAGIC || refs == 0) {
    // whose it is nobody knows: it is left alone
    ext4Brelse(b);
    ext4Error(em, 'attributes: block', eiOf(vp).ei_ino, block);
    blocksAdd(em, eiOf(vp), -1);
  } else if (refs > 1) {
    e = ext4Dirty(em, b, block);
    if (e == 0) {
      store<u32>(b + XH_REFCOUNT, refs - 1);
      if (hasCsum(em)) store<u32>(b + XH_CHECKSUM, blockSum(em, b, block));
      blocksAdd(em, eiOf(vp), -1);
    }
    ext4Brelse(b);
  } else {
    ext4Brelse(b);
    e = ballocReady(em, block, 1);
    if (e == 0) metaFree(em, vp, block);
  }
  if (e == 0) eiOf(vp).ei_acl = 0;
  return e;
}

/** The first attribute of a file system made without them: a check takes a block of attributes for damage where the
 *  superblock does not announce any. Inside a handle with CREDITS_INODE, which has room for the superblock: 0 or an
 *  errno. */
function featureSet(em: Ext4Mount): i32 {
  if (hasCompat(em, COMPAT_EXT_ATTR)) return 0;
  em.em_compat |= COMPAT_EXT_ATTR;
  store<u32>(<usize>em.em_sb + SB_FEATURE_COMPAT, em.em_compat);
  return superDirty(em);
}

/** Set xname(), or remove it: 0 or an errno. Regions are got; inside a handle. */
function change(em: Ext4Mount, vp: Vnode, set: bool, xflags: u32, tmp: usize): i32 {
  const at = find(scratchWord(6));
  const where: u32 = at == 0 ? 2 : load<u32>(scratchWord(6));
  if (at == 0 && (!set || xflags & XATTR_REPLACE)) return -ENODATA;
  if (at != 0 && set && xflags & XATTR_CREATE) return -EEXIST;
  const ei = eiOf(vp);
  const first = <usize>xregion(0).xr_first;
  const inBody = set && regionFits(first, where == 0 ? at : 0, bodyRoom(em, ei), xname());
  if (set && !inBody) {
    const xr = xregion(1);
    const blockFirst = xr.xr_buf != 0 ? <usize>xr.xr_first : 0;
    if (!regionFits(blockFirst, where == 1 ? at : 0, em.em_bsize - XH_SIZE, xname())) return -ENOSPC;
  }
  let e = set ? featureSet(em) : 0;
  if (e == 0 && (where == 1 || (set && !inBody))) e = blockWrite(em, vp, where == 1 ? at : 0, set && !inBody, tmp);
  if (e == 0 && (where == 0 || inBody)) e = bodyWrite(em, vp, where == 0 ? at : 0, inBody, tmp);
  if (e != 0) return e;
  fscacheTouchCtime(vp.v_fc);
  return ext4InodeStore(em, vp);
}

/** The outer half of setting and removing: locks, handle, regions. */
function changeLocked(em: Ext4Mount, vp: Vnode, set: bool, xflags: u32, tmp: usize): i32 {
  namesExclusive(em);
  let e = ext4Begin(em, CREDITS_XATTR + CREDITS_INODE);
  if (e == 0) {
    e = regionsGet(em, eiOf(vp));
    if (e == 0) e = change(em, vp, set, xflags, tmp);
    regionsDone();
    ext4End(em);
  }
  namesRelease(em);
  return e;
}

export function ext4Setxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32): i32 {
  const em = emOf(fm.fm_mount);
  const xn = xname();
  let e = parseName(xn, name, namelen);
  if (e != 0) return e;
  const size = uio.uio_resid;
  const value = keysAlloc();
  const tmp = value == 0 ? <usize>0 : keysAlloc();
  e = tmp == 0 ? -ENOMEM : 0;
  if (e == 0) {
    // hashes read whole words
    memory.fill(value, 0, PAGE_SIZE);
    // what fits nowhere is refused when its name was looked for: which of two errors it is depends on that
    e = size == 0 || size > em.em_bsize ? 0 : uiomove(value, size, uio);
  }
  if (e == 0) {
    xn.xn_value = <u32>value;
    xn.xn_size = size;
    e = changeLocked(em, vp, true, xflags, tmp);
    if (ext4Retry(em, e)) e = changeLocked(em, vp, true, xflags, tmp);
  }
  if (tmp != 0) keysFree(tmp);
  if (value != 0) keysFree(value);
  return e;
}

export function ext4Removexattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32): i32 {
  let e = parseName(xname(), name, namelen);
  if (e != 0) return e;
  const tmp = keysAlloc();
  if (tmp == 0) return -ENOMEM;
  e = changeLocked(emOf(fm.fm_mount), vp, false, 0, tmp);
  keysFree(tmp);
  return e;
}

// ── inline data ──────────────────────────────────────────────────────────────────────────────

/** The entry of system.data in a region, or 0. */
function inlineEntry(first: usize): usize {
  for (let at = first; !xeLast(at); at = xeNext(at)) {
    if (<u32>load<u8>(at + XE_NAME_INDEX) == XATTR_INDEX_SYSTEM && <u32>load<u8>(at + XE_NAME_LEN) == 4 && load<u32>(at + XE_NAME) == INLINE_NAME) {
      return at;
    }
  }
  return 0;
}

/** What of an inode's inline data is behind i_block, in its buffer b: the address, its length at lenp;
 *  0: none, or malformed. */
export function inlineValue(em: Ext4Mount, ei: Ext4Inode, b: usize, lenp: usize): usize {
  const at = bodyAt(em, ei, b);
  if (at == 0 || load<u32>(at + XI_MAGIC) != XATTR_MAGIC) return 0;
  const first = at + XI_ENTRIES;
  if (!regionOk(first, first, inodeIn(em, ei.ei_ino, b) + em.em_isize)) return 0;
  const x = inlineEntry(first);
  if (x == 0 || load<u32>(x + XE_VALUE_SIZE) == 0) return 0;
  store<u32>(lenp, load<u32>(x + XE_VALUE_SIZE));
  return xeValue(first, x);
}
