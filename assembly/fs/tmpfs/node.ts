/**
 * tmpfs: its inodes and directory entries.
 *
 * An inode (TmpNode) is found by its number in the mount's Radix; numbers are used again, but
 * never with the same generation, so a handle to a file that is gone stays stale. While the file has a vnode its
 * attributes are in the vnode's fscache and its pages hang there; when the vnode is reclaimed both
 * come back to the node (T1).
 *
 * A directory's entries (TmpDirent) are found by name through one hash table for the whole mount
 * (linear hashing: it grows by one bucket at a time), and listed through the directory's array of
 * slots: a slot's number, plus READDIR_FIRST, is the cookie, so it stays valid while others come
 * and go. Both are O(1) at a million names.
 *
 * T1. tn_vnode ≠ 0: va is the vnode's fc_attr and tn_pages is empty. tn_vnode = 0: va is tn_attr.
 * T2. A node with va_nlink 0 lives until its vnode is reclaimed.
 * T3. tm_pages counts the pages of all nodes, attached or not.
 *
 * Locks: names are locked by the caller's namespace lock; the inodes' Radix, the hash and a directory's
 * slots by tm_lock (RANK_FS), which is never held over an allocation that may reclaim.
 */
import { ENOSPC } from '../../abi/errno';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../../abi/flags';
import { PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { curcpu } from '../../kern/cpu';
import { lockExclusiveSame, lockRelease, RANK_FS, st32 } from '../../kern/lock';
import { kassert } from '../../kern/panic';
import { nameCopy, wordsCopy } from '../../kern/words';
import { FrameArray, frameArrayAt, frameArrayFree, frameArrayGrow, frameArrayTrim } from '../../vm/array';
import { ALLOC_NOIO, ALLOC_NOWAIT, ALLOC_ZERO, pageFree, pageOf, pageReserve } from '../../vm/page';
import { Radix, radixGet, radixInsert, radixNext, radixRemove } from '../../vm/radix';
import { kfree, kmalloc, Zone, zoneAlloc, zoneCreate, zoneFree } from '../../vm/zone';
import { Fscache, fscacheAttach, fscacheDetach, fscacheDropRange } from '../../vfs/fscache';
import { Mount } from '../../vfs/mount';
import { nameHash } from '../../vfs/namecache';
import { Vattr } from '../../vfs/vattr';
import { Vnode } from '../../vfs/vnode';

@unmanaged
export class TmpMount {
  tm_mount: Mount;
  tm_root: TmpNode;
  tm_lock: u32; //     Lock
  tm_lockwait: u32;
  tm_pages: u32; //    data pages in use
  tm_maxpages: u32; // limit (size=); 0xffffffff: only RAM
  tm_nodes: u32; //    inodes in use
  tm_maxnodes: u32; // limit (nr_inodes=)
  tm_lastino: u32; //  last inode number given out for the first time
  tm_lastfree: u32; // an inode number freed lately, to be used first; 0 = none
  tm_gen: u32; //      last generation given out: no two inodes of a mount share one
  tm_entries: u32; //  directory entries in the hash
  tm_mask: u32; //     linear hashing: buckets below this were all split once
  tm_split: u32; //    next bucket to split
  tm_xattr: u32; //    extended attributes in use, in XATTR_UNITs
  tm_pad: u32;
  // then a Radix, a FrameArray and an Fscache: what unmount hangs pages of vnode-less files on to free them
  // @ts-ignore: decorator
  @inline
  get tm_inodes(): Radix {
    return changetype<Radix>(changetype<usize>(this) + offsetof<TmpMount>());
  }
  // @ts-ignore: decorator
  @inline
  get tm_hash(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<TmpMount>() + offsetof<Radix>());
  }
  // @ts-ignore: decorator
  @inline
  get tm_passing(): Fscache {
    return changetype<Fscache>(changetype<usize>(this) + TM_PASSING);
  }
}
const TM_PASSING: usize = (offsetof<TmpMount>() + offsetof<Radix>() + offsetof<FrameArray>() + 7) & ~7;
/** What extended attributes are counted in, bytes. */
/** Frames that a table takes to grow by, at the most: a leaf and what is above it. */
const GROW_FRAMES: u32 = 3;

export const XATTR_UNIT: u32 = 64;
const XATTR_UNITS_PER_PAGE: u32 = PAGE_SIZE / XATTR_UNIT;

/** Pages that count against the size limit: data, and what extended attributes amount to. */
export function tmUsed(tm: TmpMount): u32 {
  return tm.tm_pages + (tm.tm_xattr + XATTR_UNITS_PER_PAGE - 1) / XATTR_UNITS_PER_PAGE;
}

/** Is there room for these XATTR_UNITs more? */
export function tmXattrFits(tm: TmpMount, units: u32): bool {
  const pages = (<u64>tm.tm_xattr + units + XATTR_UNITS_PER_PAGE - 1) / XATTR_UNITS_PER_PAGE;
  return <u64>tm.tm_pages + pages <= <u64>tm.tm_maxpages;
}

export const TMPMOUNT_SIZE: u32 = <u32>(TM_PASSING + offsetof<Fscache>());

@unmanaged
export class TmpNode {
  // tn_attr: a Vattr
  tn_a0: u64;
  tn_a1: u64;
  tn_a2: u64;
  tn_a3: u64;
  tn_a4: u64;
  tn_a5: u64;
  tn_a6: u64;
  tn_a7: u64;
  tn_a8: u64;
  tn_a9: u64;
  tn_a10: u64;
  tn_a11: u64;
  tn_a12: u64;
  tn_vnode: u32; //  its Vnode while it has one; not referenced
  tn_xattr: u32; //  first extended attribute
  tn_u0: u32; //     file: pages' root      directory: slots (FrameArray)   symlink: text
  tn_u1: u32; //     file: pages' height                                    symlink: length
  tn_u2: u32; //     file: pages' number
  tn_u3: u32;
  tn_parent: u32; // directory: the node of its parent (itself for the root; 0 once removed)
  tn_dfree: u32; //  directory: first free slot + 1

  // @ts-ignore: decorator
  @inline
  get tn_attr(): Vattr {
    return changetype<Vattr>(changetype<usize>(this));
  }
  /** The attributes that count now (T1). */
  // @ts-ignore: decorator
  @inline
  get va(): Vattr {
    return this.tn_vnode != 0
      ? changetype<Vnode>(<usize>this.tn_vnode).v_fc.fc_attr
      : changetype<Vattr>(changetype<usize>(this));
  }
  // @ts-ignore: decorator
  @inline
  get tn_slots(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<TmpNode>('tn_u0'));
  }
  // @ts-ignore: decorator
  @inline
  get tn_pages(): usize {
    return changetype<usize>(this) + offsetof<TmpNode>('tn_u0');
  }
}
if (offsetof<TmpNode>('tn_vnode') != offsetof<Vattr>()) ERROR('TmpNode: Vattr');
if (offsetof<FrameArray>() != 16) ERROR('TmpNode: tn_slots');

@unmanaged
export class TmpDirent {
  de_hnext: u32; //   hash chain
  de_hash: u32;
  de_dir: u32; //     TmpNode
  de_node: u32; //    TmpNode
  de_slot: u32; //    place in the directory's array
  de_namelen: u32;
  // the name follows
}
const DE_NAME: usize = offsetof<TmpDirent>();

/** Low bit of a word that links free slots: pointers are even. */
const FREE_TAG: u32 = 1;
/** What Linux's tmpfs says a directory grows by with each entry. */
export const DIRENT_BYTES: u64 = 20;
/** The hash does not shrink below this. */
const MIN_BUCKETS: u32 = 256;

export function tmpNodeInit(): void {
  roots().r_ztmpnode = <u32>changetype<usize>(zoneCreate('tmpnode', offsetof<TmpNode>(), 0));
}

// @ts-ignore: decorator
@inline
export function tmLock(tm: TmpMount): void {
  // under another file system's lock, when a vnode of this one is given back for memory; nothing is taken under it
  lockExclusiveSame(changetype<usize>(tm) + offsetof<TmpMount>('tm_lock'), RANK_FS);
}

// @ts-ignore: decorator
@inline
export function tmUnlock(tm: TmpMount): void {
  lockRelease(changetype<usize>(tm) + offsetof<TmpMount>('tm_lock'));
}

// @ts-ignore: decorator
@inline
export function tmOf(mp: Mount): TmpMount {
  return changetype<TmpMount>(<usize>mp.mnt_data);
}

// @ts-ignore: decorator
@inline
export function nodeOf(vp: Vnode): TmpNode {
  return changetype<TmpNode>(<usize>vp.v_data);
}

// ── inodes ───────────────────────────────────────────────────────────────────────────────────

/** A free inode number: the one freed last, else the next that is not in use. tm_lock held. */
function freeIno(tm: TmpMount): u32 {
  const last = tm.tm_lastfree;
  tm.tm_lastfree = 0;
  if (last != 0 && radixGet(tm.tm_inodes, last) == 0) return last;
  do {
    tm.tm_lastino++;
  } while (tm.tm_lastino == 0 || radixGet(tm.tm_inodes, tm.tm_lastino) != 0);
  return tm.tm_lastino;
}

/** A new inode with zeroed attributes but va_ino and va_gen; null: no memory or nr_inodes. */
export function tmpNodeAlloc(tm: TmpMount): TmpNode {
  const none = changetype<TmpNode>(<usize>0);
  if (tm.tm_nodes >= tm.tm_maxnodes) return none;
  const zone = changetype<Zone>(<usize>roots().r_ztmpnode);
  const node = changetype<TmpNode>(zoneAlloc(zone, ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(node) == 0) return none;
  tmLock(tm);
  const ino = freeIno(tm);
  if (radixInsert(tm.tm_inodes, ino, <u32>changetype<usize>(node), ALLOC_NOWAIT) != 0) {
    tmUnlock(tm);
    zoneFree(zone, changetype<usize>(node));
    return none;
  }
  node.tn_attr.va_ino = ino;
  node.tn_attr.va_gen = ++tm.tm_gen;
  tm.tm_nodes++;
  tmUnlock(tm);
  return node;
}

/** Free an inode and all it holds. It has no vnode and no name. */
export function tmpNodeFree(tm: TmpMount, node: TmpNode): void {
  if (DEBUG) kassert(node.tn_vnode == 0, 'tmpfs node freed with a vnode');
  const ino = <u32>node.tn_attr.va_ino;
  const type = node.tn_attr.va_mode & S_IFMT;
  if (type == S_IFDIR) frameArrayFree(node.tn_slots);
  else if (type == S_IFLNK) tmpLinkFree(node.tn_u0);
  tmLock(tm);
  radixRemove(tm.tm_inodes, ino);
  tm.tm_lastfree = ino;
  tm.tm_nodes--;
  tmUnlock(tm);
  zoneFree(changetype<Zone>(<usize>roots().r_ztmpnode), changetype<usize>(node));
}

/** Free a symbolic link's text: long ones have a frame of their own. */
export function tmpLinkFree(text: usize): void {
  if (text == 0) return;
  if ((text & (PAGE_SIZE - 1)) == 0) pageFree(pageOf(text));
  else kfree(text);
}

/** The node of an inode number, or null. */
export function tmpNodeByIno(tm: TmpMount, ino: u64): TmpNode {
  if (ino == 0 || ino > <u64>u32.MAX_VALUE) return changetype<TmpNode>(<usize>0);
  return changetype<TmpNode>(<usize>radixGet(tm.tm_inodes, <u32>ino));
}

/** The node with the lowest number >= ino, or null (to walk all of them). */
export function tmpNodeNext(tm: TmpMount, ino: u32): TmpNode {
  return changetype<TmpNode>(<usize>radixNext(tm.tm_inodes, ino));
}

// ── pages ────────────────────────────────────────────────────────────────────────────────────

/** The vnode takes the node's attributes and pages over. False: the node has another. */
export function tmpNodeAttach(tm: TmpMount, node: TmpNode, vp: Vnode): bool {
  const fc = vp.v_fc;
  if (SMP) tmLock(tm);
  if (SMP) {
    if (node.tn_vnode != 0) {
      tmUnlock(tm);
      return false;
    }
  }
  vp.v_data = <u32>changetype<usize>(node);
  fc.fc_data = vp.v_data;
  wordsCopy(changetype<usize>(fc), changetype<usize>(node), offsetof<Vattr>());
  if ((node.tn_attr.va_mode & S_IFMT) == S_IFREG && node.tn_u2 != 0) fscacheAttach(fc, node.tn_pages);
  st32(changetype<usize>(node) + offsetof<TmpNode>('tn_vnode'), <u32>changetype<usize>(vp));
  if (SMP) tmUnlock(tm);
  return true;
}

/** The node takes them back. */
export function tmpNodeDetach(tm: TmpMount, node: TmpNode, vp: Vnode): void {
  const fc: Fscache = vp.v_fc;
  if (SMP) tmLock(tm);
  wordsCopy(changetype<usize>(node), changetype<usize>(fc), offsetof<Vattr>());
  if (vp.v_type == S_IFREG && fc.fc_npages != 0) fscacheDetach(fc, node.tn_pages);
  st32(changetype<usize>(node) + offsetof<TmpNode>('tn_vnode'), 0);
  if (SMP) tmUnlock(tm);
}

/** Free the pages of a node that has no vnode (unmount): through a passing Fscache. */
export function tmpNodeDropPages(tm: TmpMount, node: TmpNode, fc: Fscache): void {
  if ((node.tn_attr.va_mode & S_IFMT) != S_IFREG || node.tn_u2 == 0) return;
  fscacheAttach(fc, node.tn_pages);
  tm.tm_pages -= fscacheDropRange(fc, 0, u32.MAX_VALUE);
}

// ── directory entries ────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function hashOf(dir: TmpNode, name: usize, len: u32): u32 {
  let h = nameHash(name, len) ^ ((<u32>changetype<usize>(dir) >> 4) * 0x9e3779b1);
  h ^= h >>> 15;
  return h * 0x85ebca6b;
}

// @ts-ignore: decorator
@inline
function bucketOf(tm: TmpMount, h: u32): usize {
  let b = h & tm.tm_mask;
  if (b < tm.tm_split) b = h & ((tm.tm_mask << 1) | 1);
  return frameArrayAt(tm.tm_hash, b);
}

/** The entry of a name, or null. */
export function direntFind(tm: TmpMount, dir: TmpNode, name: usize, len: u32): TmpDirent {
  const none = changetype<TmpDirent>(<usize>0);
  if (tm.tm_hash.fa_cap == 0) return none;
  const h = hashOf(dir, name, len);
  tmLock(tm);
  let p = load<u32>(bucketOf(tm, h));
  while (p != 0) {
    const de = changetype<TmpDirent>(<usize>p);
    if (
      de.de_hash == h &&
      de.de_dir == <u32>changetype<usize>(dir) &&
      de.de_namelen == len &&
      memory.compare(<usize>p + DE_NAME, name, len) == 0
    ) {
      break;
    }
    p = de.de_hnext;
  }
  tmUnlock(tm);
  return changetype<TmpDirent>(<usize>p);
}

/** Room for one more entry in the hash and in the directory's slots: 0 or -ENOSPC. */
function direntRoom(tm: TmpMount, dir: TmpNode): i32 {
  const hash = tm.tm_hash;
  if (hash.fa_cap == 0 || tm.tm_entries >= hash.fa_len) {
    // what growing needs is asked for before the lock, which giving memory back would take too
    if (SMP) pageReserve(GROW_FRAMES);
    const was = curcpu.c_reclaiming;
    tmLock(tm);
    if (SMP) curcpu.c_reclaiming = 1;
    const e = hashRoom(tm);
    curcpu.c_reclaiming = was;
    tmUnlock(tm);
    if (e != 0) return e;
  }
  const slots = dir.tn_slots;
  if (dir.tn_dfree == 0 && slots.fa_len == slots.fa_cap && frameArrayGrow(slots) != 0) return -ENOSPC;
  return 0;
}

/** A first bucket, or one more if there are fewer than names: 0 or -ENOSPC. tm_lock held. */
function hashRoom(tm: TmpMount): i32 {
  const hash = tm.tm_hash;
  if (hash.fa_cap == 0) {
    if (frameArrayGrow(hash) != 0) return -ENOSPC;
    hash.fa_len = 1;
    tm.tm_mask = 0;
    tm.tm_split = 0;
  }
  // a table that cannot grow only gets slower
  if (tm.tm_entries >= hash.fa_len && (hash.fa_len < hash.fa_cap || frameArrayGrow(hash) == 0)) splitBucket(tm);
  return 0;
}

/** Linear hashing's step: share out one old bucket over itself and a new one. tm_lock held. */
function splitBucket(tm: TmpMount): void {
  const hash = tm.tm_hash;
  const from = frameArrayAt(hash, tm.tm_split);
  const to = frameArrayAt(hash, hash.fa_len);
  hash.fa_len++;
  const bit = tm.tm_mask + 1;
  let p = load<u32>(from);
  store<u32>(from, 0);
  store<u32>(to, 0);
  while (p != 0) {
    const de = changetype<TmpDirent>(<usize>p);
    const next = de.de_hnext;
    const b = de.de_hash & bit ? to : from;
    de.de_hnext = load<u32>(b);
    store<u32>(b, p);
    p = next;
  }
  tm.tm_split++;
  if (tm.tm_split == bit) {
    tm.tm_mask = (tm.tm_mask << 1) | 1;
    tm.tm_split = 0;
  }
}

/** The step back: fold the newest bucket into the one it was split from. tm_lock held. */
function mergeBucket(tm: TmpMount): void {
  if (tm.tm_split == 0) {
    tm.tm_mask >>= 1;
    tm.tm_split = tm.tm_mask + 1;
  }
  tm.tm_split--;
  const hash = tm.tm_hash;
  const from = frameArrayAt(hash, --hash.fa_len);
  const to = frameArrayAt(hash, tm.tm_split);
  let p = load<u32>(from);
  store<u32>(from, 0);
  while (p != 0) {
    const de = changetype<TmpDirent>(<usize>p);
    const next = de.de_hnext;
    de.de_hnext = load<u32>(to);
    store<u32>(to, p);
    p = next;
  }
}

/** After a removal: a table four times too large shrinks, faster than it empties. tm_lock held. */
function hashShrink(tm: TmpMount): void {
  const hash = tm.tm_hash;
  for (let i = 0; i < 6 && hash.fa_len > MIN_BUCKETS && tm.tm_entries < hash.fa_len / 4; i++) mergeBucket(tm);
  frameArrayTrim(hash);
}

/** Add a name; the directory's size grows. 0 or -ENOSPC. The caller knows it is not there. */
export function direntAdd(tm: TmpMount, dir: TmpNode, name: usize, len: u32, node: TmpNode): i32 {
  const e = direntRoom(tm, dir);
  if (e != 0) return e;
  const de = changetype<TmpDirent>(kmalloc(<u32>DE_NAME + len, ALLOC_NOIO));
  if (changetype<usize>(de) == 0) return -ENOSPC;
  const h = hashOf(dir, name, len);
  de.de_hash = h;
  de.de_dir = <u32>changetype<usize>(dir);
  de.de_node = <u32>changetype<usize>(node);
  de.de_namelen = len;
  nameCopy(changetype<usize>(de) + DE_NAME, name, len);
  tmLock(tm);
  const b = bucketOf(tm, h);
  de.de_hnext = load<u32>(b);
  store<u32>(b, <u32>changetype<usize>(de));
  tm.tm_entries++;
  const slots = dir.tn_slots;
  let slot: u32;
  if (dir.tn_dfree != 0) {
    slot = dir.tn_dfree - 1;
    dir.tn_dfree = load<u32>(frameArrayAt(slots, slot)) >> 1;
  } else slot = slots.fa_len++;
  store<u32>(frameArrayAt(slots, slot), <u32>changetype<usize>(de));
  de.de_slot = slot;
  tmUnlock(tm);
  dir.va.va_size += DIRENT_BYTES;
  return 0;
}

/** Remove a name; the directory's size shrinks. */
export function direntRemove(tm: TmpMount, de: TmpDirent): void {
  const dir = changetype<TmpNode>(<usize>de.de_dir);
  tmLock(tm);
  let link = bucketOf(tm, de.de_hash);
  while (load<u32>(link) != <u32>changetype<usize>(de)) link = <usize>load<u32>(link);
  store<u32>(link, de.de_hnext);
  tm.tm_entries--;
  store<u32>(frameArrayAt(dir.tn_slots, de.de_slot), (dir.tn_dfree << 1) | FREE_TAG);
  dir.tn_dfree = de.de_slot + 1;
  hashShrink(tm);
  tmUnlock(tm);
  dir.va.va_size -= DIRENT_BYTES;
  kfree(changetype<usize>(de));
  if (dir.va.va_size == 0 && dir.tn_slots.fa_height != 0) {
    // empty again: its slots were frames
    frameArrayFree(dir.tn_slots);
    dir.tn_dfree = 0;
  }
}

/** The entry in slot i of a directory, or null if the slot is free. */
// @ts-ignore: decorator
@inline
export function direntAt(dir: TmpNode, i: u32): TmpDirent {
  const w = load<u32>(frameArrayAt(dir.tn_slots, i));
  return changetype<TmpDirent>(w & FREE_TAG ? <usize>0 : <usize>w);
}

// @ts-ignore: decorator
@inline
export function direntName(de: TmpDirent): usize {
  return changetype<usize>(de) + DE_NAME;
}

/** Free every entry of a directory that is going with its mount. */
export function direntDropAll(dir: TmpNode): void {
  const n = dir.tn_slots.fa_len;
  for (let i: u32 = 0; i < n; i++) {
    const de = direntAt(dir, i);
    if (changetype<usize>(de) != 0) kfree(changetype<usize>(de));
  }
}
