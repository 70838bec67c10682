/**
 * ext4: a full leaf of an indexed directory shared out over itself and a new block, by the hash of its
 * names; and their order, which readdir wants too.
 */
import { ENOMEM } from '../../abi/errno';
import { DE_INODE, DE_NAME, DE_NAME_LEN, DE_REC_LEN } from '../../abi/ext4';
import { PAGE_SIZE } from '../../abi/layout';
import { ALLOC_NOIO, PG_KERNEL, pageAddr, pageAlloc, pageFree, pageOf } from '../../vm/page';
import { Vnode } from '../../vfs/vnode';
import { dirBad, dirGrow, dirLeaf } from './dir';
import { Dirop } from './dirop';
import { dirHash } from './hash';
import { DE_MIN, entryBytes, entryEnd, leafEnd, leafInit, leafPack, leafSum } from './leaf';
import { dxInsert, htreeLeaf } from './htree';
import { ext4Brelse, ext4Dirty } from './txn';
import { Ext4Mount, eiOf } from './types';

/**
 * A record for each name of a leaf, in a frame of its own:
 *
 *     63            32 31       10 9     0
 *     ├ major hash 31 ┼ minor 21 ┼ offset / 4 ┤    (the major's lowest bit is never set)
 *
 * so that sorting them as numbers is sorting by hash, and what is left of it is readdir's cookie.
 */
const OFFSET_BITS: u32 = 10;
const MINOR_BITS: u32 = 21;
export const KEY_BITS: u32 = 52;
if (PAGE_SIZE / DE_MIN > PAGE_SIZE / 8) ERROR('leafKeys: a frame holds a record for each name');

/** major and minor hash as a key of KEY_BITS bits. */
// @ts-ignore: decorator
@inline
export function hashKey(major: u32, minor: u32): u64 {
  return (<u64>(major >> 1) << MINOR_BITS) | <u64>(minor >> (32 - MINOR_BITS));
}

// @ts-ignore: decorator
@inline
export function recordKey(r: u64): u64 {
  return r >> OFFSET_BITS;
}

// @ts-ignore: decorator
@inline
export function keyMajor(key: u64): u32 {
  return <u32>(key >> MINOR_BITS) << 1;
}

// @ts-ignore: decorator
@inline
export function recordOffset(r: u64): u32 {
  return (<u32>r & ((1 << OFFSET_BITS) - 1)) << 2;
}

/** A frame for records, or 0. */
export function keysAlloc(): usize {
  const pg = pageAlloc(ALLOC_NOIO, PG_KERNEL);
  return changetype<usize>(pg) == 0 ? 0 : pageAddr(pg);
}

export function keysFree(keys: usize): void {
  pageFree(pageOf(keys));
}

/** The records of the names in [b, end) whose key is at least `least`, sorted; -1: malformed. */
export function leafKeys(em: Ext4Mount, b: usize, end: usize, least: u64, keys: usize, dp: Dirop): i32 {
  let n: u32 = 0;
  for (let at = b; at < end; ) {
    const next = entryEnd(at, end);
    if (next == 0) return -1;
    const len = <u32>load<u8>(at + DE_NAME_LEN);
    if (load<u32>(at + DE_INODE) != 0 && len != 0) {
      dirHash(em, dp.dp_hash, dp.dp_version, at + DE_NAME, len);
      const key = hashKey(dp.dp_hash.dh_major, dp.dp_hash.dh_minor);
      if (key >= least) {
        store<u64>(keys + ((<usize>n) << 3), (key << OFFSET_BITS) | <u64>((<u32>(at - b)) >> 2));
        n++;
      }
    }
    at = next;
  }
  sort(keys, n);
  return <i32>n;
}

/** Heap sort: no recursion, and no input makes it slow. */
function sort(a: usize, n: u32): void {
  if (n < 2) return;
  for (let i = n >> 1; i > 0; ) sift(a, --i, n);
  for (let end = n - 1; end > 0; end--) {
    const top = load<u64>(a);
    store<u64>(a, load<u64>(a + ((<usize>end) << 3)));
    store<u64>(a + ((<usize>end) << 3), top);
    sift(a, 0, end);
  }
}

function sift(a: usize, i: u32, n: u32): void {
  const v = load<u64>(a + ((<usize>i) << 3));
  while (true) {
    let child: u32 = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && load<u64>(a + ((<usize>child) << 3), 8) > load<u64>(a + ((<usize>child) << 3))) child++;
    const c = load<u64>(a + ((<usize>child) << 3));
    if (c <= v) break;
    store<u64>(a + ((<usize>i) << 3), c);
    i = child;
  }
  store<u64>(a + ((<usize>i) << 3), v);
}

/**
 * Split the full leaf at b (its block `block`), whose entry in the lowest frame is the one taken; that
 * frame has room. The half where the name dp_hash belongs is in dp_buf then. 0 or an errno.
 */
export function leafSplit(em: Ext4Mount, dvp: Vnode, b: usize, block: u64, dp: Dirop): i32 {
  const keys = keysAlloc();
  if (keys == 0) return -ENOMEM;
  const major = dp.dp_hash.dh_major;
  const minor = dp.dp_hash.dh_minor;
  const n = leafKeys(em, b, leafEnd(em, b), 0, keys, dp);
  dp.dp_hash.dh_major = major;
  dp.dp_hash.dh_minor = minor;
  let e: i32 = n < 2 ? dirBad(em, dvp, 'directory: leaf to split', block) : 0;
  if (e == 0) e = splitBy(em, dvp, b, block, keys, <u32>n, dp);
  keysFree(keys);
  return e;
}

/** How many of the records stay, so that the bytes are shared out evenly, to half a name: at least one, not all. Then
 *  either half has room for the longest name. */
function splitPoint(em: Ext4Mount, b: usize, keys: usize, n: u32): u32 {
  const half = em.em_bsize >> 1;
  let bytes: u32 = 0;
  let i: u32 = 0;
  for (; i < n - 1; i++) {
    const at = b + recordOffset(load<u64>(keys + ((<usize>i) << 3)));
    const n = entryBytes(load<u8>(at + DE_NAME_LEN));
    if (i > 0 && bytes + (n >> 1) > half) break;
    bytes += n;
  }
  return i == 0 ? 1 : i;
}

function splitBy(em: Ext4Mount, dvp: Vnode, b: usize, block: u64, keys: usize, n: u32, dp: Dirop): i32 {
  const f = dp.frame(dp.dp_depth - 1);
  const from = htreeLeaf(dp);
  let e = ext4Dirty(em, b, block);
  if (e == 0) e = ext4Dirty(em, <usize>f.dx_buf, f.dx_block);
  if (e == 0) e = dirGrow(em, dvp, dp);
  if (e != 0) return e;
  const fresh = <usize>dp.dp_buf;
  leafInit(em, fresh);
  const keep = splitPoint(em, b, keys, n);
  let to = fresh;
  let last = fresh;
  for (let i = keep; i < n; i++) {
    const at = b + recordOffset(load<u64>(keys + ((<usize>i) << 3)));
    const bytes = entryBytes(load<u8>(at + DE_NAME_LEN));
    memory.copy(to, at, bytes);
    store<u16>(to + DE_REC_LEN, <u16>bytes);
    store<u32>(at + DE_INODE, 0);
    last = to;
    to += bytes;
  }
  store<u16>(last + DE_REC_LEN, <u16>(leafEnd(em, fresh) - last));
  leafPack(em, b);
  leafSum(em, eiOf(dvp), b);
  leafSum(em, eiOf(dvp), fresh);
  const hash = keyMajor(recordKey(load<u64>(keys + ((<usize>keep) << 3))));
  const before = keyMajor(recordKey(load<u64>(keys + ((<usize>(keep - 1)) << 3))));
  dxInsert(em, dvp, f, hash | (hash == before ? 1 : 0), dp.dp_lblk);
  if (dp.dp_hash.dh_major >= hash) return 0;
  // the name belongs to the half that stayed
  ext4Brelse(fresh);
  dp.dp_buf = 0;
  return dirLeaf(em, dvp, from, dp);
}
