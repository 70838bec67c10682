/**
 * ext4: indexed directories (directory.rst, "Hash Tree Directories"): the way to a name's leaf, names
 * added and leaves and nodes split, one level for a small directory up to three with large_dir.
 *
 *     block 0: "." ".." root info │ countlimit, block │ hash, block │ …    DX_ROOT_ENTRIES
 *     node:    empty entry        │ countlimit, block │ hash, block │ …    DX_NODE_ENTRIES
 *     leaf:    entries, in no order, all with hashes from its own up to the next one's
 *
 * An entry whose hash has its lowest bit set goes on with the hash of the leaf before: names that
 * hash alike may lie in both. Every step of a split leaves a tree that is whole.
 *
 * Locks as in dir.ts.
 */
import { ENOENT, ENOSPC } from '../../abi/errno';
import {
  DE_INODE,
  DE_NAME,
  DE_NAME_LEN,
  DE_REC_LEN,
  DX_BLOCK,
  DX_COUNT,
  DX_ENTRY_SIZE,
  DX_HASH,
  DX_LIMIT,
  DX_NODE_ENTRIES,
  DX_ROOT_ENTRIES,
  DX_ROOT_HASH_VERSION,
  DX_ROOT_INDIRECT_LEVELS,
  DX_ROOT_INFO,
  DX_ROOT_INFO_LENGTH,
  DX_ROOT_UNUSED_FLAGS,
  DX_TAIL_CSUM,
  DX_TAIL_SIZE,
  EXT4_INDEX_FL,
  INCOMPAT_LARGEDIR,
} from '../../abi/ext4';
import { Vnode } from '../../vfs/vnode';
import { crc32c, crc32cU32 } from './crc';
import { dirBad, dirBlocks, dirBread, dirGrow, dirLeaf, dirLeafAdd } from './dir';
import { Dirop, diropDone, DxFrame, DX_LEVELS_MAX } from './dirop';
import { dirHash } from './hash';
import { entriesFind, entryEnd, entryIsDots, leafEnd, leafInit, leafSum } from './leaf';
import { leafSplit } from './split';
import { bufChecked, bufSetChecked, ext4Brelse, ext4Dirty } from './txn';
import { Ext4Inode, Ext4Mount, eiOf, hasCsum, hasIncompat } from './types';

const INFO_LENGTH: u32 = 8;
/** The top of a block number is reserved. */
const BLOCK_MASK: u32 = 0x0fffffff;

// @ts-ignore: decorator
@inline
export function dxCount(entries: usize): u32 {
  return load<u16>(entries + DX_COUNT);
}

// @ts-ignore: decorator
@inline
export function dxHash(at: usize): u32 {
  return load<u32>(at + DX_HASH);
}

// @ts-ignore: decorator
@inline
export function dxBlock(at: usize): u32 {
  return load<u32>(at + DX_BLOCK) & BLOCK_MASK;
}

// @ts-ignore: decorator
@inline
function entryOf(entries: usize, i: u32): usize {
  return entries + i * DX_ENTRY_SIZE;
}

/** Entries there is room for, from this offset in a block on. */
function dxLimit(em: Ext4Mount, from: u32): u32 {
  return (em.em_bsize - from - (hasCsum(em) ? DX_TAIL_SIZE : 0)) / DX_ENTRY_SIZE;
}

/** checksums.rst: the block up to the last entry in use, then the tail with its checksum as 0. */
function dxCsum(ei: Ext4Inode, b: usize, entries: usize): u32 {
  const tail = entryOf(entries, load<u16>(entries + DX_LIMIT));
  const c = crc32c(ei.ei_csumseed, b, <u32>(entryOf(entries, dxCount(entries)) - b));
  return crc32cU32(crc32c(c, tail, DX_TAIL_CSUM), 0);
}

/** An index block changed: its checksum. */
export function dxSum(em: Ext4Mount, ei: Ext4Inode, b: usize, entries: usize): void {
  if (hasCsum(em)) store<u32>(entryOf(entries, load<u16>(entries + DX_LIMIT)) + DX_TAIL_CSUM, dxCsum(ei, b, entries));
}

function dxWrong(em: Ext4Mount, ei: Ext4Inode, b: usize, entries: usize): bool {
  const count = dxCount(entries);
  const limit: u32 = load<u16>(entries + DX_LIMIT);
  if (limit != dxLimit(em, <u32>(entries - b)) || count == 0 || count > limit) return true;
  if (!hasCsum(em) || bufChecked(b)) return false;
  if (load<u32>(entryOf(entries, limit) + DX_TAIL_CSUM) != dxCsum(ei, b, entries)) return true;
  bufSetChecked(b);
  return false;
}

/** How many levels below the root the feature allows. */
function levelsMax(em: Ext4Mount): u32 {
  return hasIncompat(em, INCOMPAT_LARGEDIR) ? DX_LEVELS_MAX - 1 : DX_LEVELS_MAX - 2;
}

/** The last entry whose hash is at most `hash`. */
function dxSearch(entries: usize, hash: u32): usize {
  let lo: u32 = 1;
  let hi = dxCount(entries);
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (dxHash(entryOf(entries, mid)) > hash) hi = mid;
    else lo = mid + 1;
  }
  return entryOf(entries, lo - 1);
}

/** An index block becomes the next frame: 0 or an errno. */
function push(em: Ext4Mount, dvp: Vnode, lblk: u32, from: u32, dp: Dirop): i32 {
  const errp = changetype<usize>(dp) + offsetof<Dirop>('dp_ino');
  const b = dirBread(em, dvp, lblk, dp.dp_map, errp);
  if (b == 0) return load<i32>(errp);
  const f = dp.frame(dp.dp_depth++);
  f.dx_block = dp.dp_map.m_pblk;
  f.dx_buf = <u32>b;
  f.dx_entries = <u32>(b + from);
  f.dx_at = f.dx_entries;
  return dxWrong(em, eiOf(dvp), b, b + from) ? dirBad(em, dvp, 'directory index: node', lblk) : 0;
}

/** The root as frame 0, and what the tree hashes by: 0 or an errno. Levels below it at dp_at. */
function pushRoot(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  let e = push(em, dvp, 0, DX_ROOT_ENTRIES, dp);
  if (e != 0) return e;
  const b = <usize>dp.frame(0).dx_buf;
  const levels: u32 = load<u8>(b + DX_ROOT_INDIRECT_LEVELS);
  if (
    load<u32>(b + DX_ROOT_INFO) != 0 ||
    <u32>load<u8>(b + DX_ROOT_INFO_LENGTH) != INFO_LENGTH ||
    (load<u8>(b + DX_ROOT_UNUSED_FLAGS) & 1) != 0 ||
    levels > levelsMax(em)
  ) {
    e = dirBad(em, dvp, 'directory index: root', 0);
  }
  // the superblock says whether characters are signed, the root which function
  dp.dp_version = <u32>load<u8>(b + DX_ROOT_HASH_VERSION);
  if (dp.dp_version < 3 && em.em_hashver >= 3) dp.dp_version += 3;
  dp.dp_at = levels;
  return e;
}

/** The frames on the way to the leaf of `hash`: 0 or an errno. */
export function htreeProbe(em: Ext4Mount, dvp: Vnode, hash: u32, dp: Dirop): i32 {
  const levels = dp.dp_at;
  let e: i32 = 0;
  for (let i: u32 = 0; i <= levels && e == 0; i++) {
    const f = dp.frame(i);
    f.dx_at = <u32>dxSearch(<usize>f.dx_entries, hash);
    if (i < levels) e = push(em, dvp, dxBlock(<usize>f.dx_at), DX_NODE_ENTRIES, dp);
  }
  return e;
}

/** Root, then hash the name: 0 or an errno. */
function probeName(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, dp: Dirop): i32 {
  const e = htreeRoot(em, dvp, dp);
  if (e != 0) return e;
  dirHash(em, dp.dp_hash, dp.dp_version, name, len);
  return htreeProbe(em, dvp, dp.dp_hash.dh_major, dp);
}

/** The root alone, its hash version known to be one: 0 or an errno. */
export function htreeRoot(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const e = pushRoot(em, dvp, dp);
  if (e != 0) return e;
  return dirHash(em, dp.dp_hash, dp.dp_version, <usize>dp.frame(0).dx_buf, 0) ? 0 : dirBad(em, dvp, 'directory index: hash', 0);
}

/** The leaf that the last frame's entry names. */
// @ts-ignore: decorator
@inline
export function htreeLeaf(dp: Dirop): u32 {
  return dxBlock(<usize>dp.frame(dp.dp_depth - 1).dx_at);
}

/** On to the next leaf: 1 with its hash at dp_at, 0: there is none, or an errno. */
export function htreeNext(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const depth = dp.dp_depth;
  let i = depth;
  while (i > 0) {
    const f = dp.frame(i - 1);
    if (<usize>f.dx_at + DX_ENTRY_SIZE < entryOf(<usize>f.dx_entries, dxCount(<usize>f.dx_entries))) break;
    i--;
  }
  if (i == 0) return 0;
  const turn = dp.frame(i - 1);
  turn.dx_at += DX_ENTRY_SIZE;
  const hash = dxHash(<usize>turn.dx_at);
  while (dp.dp_depth > i) ext4Brelse(<usize>dp.frame(--dp.dp_depth).dx_buf);
  while (dp.dp_depth < depth) {
    const e = push(em, dvp, dxBlock(<usize>dp.frame(dp.dp_depth - 1).dx_at), DX_NODE_ENTRIES, dp);
    if (e != 0) return e;
  }
  dp.dp_at = hash;
  return 1;
}

export function htreeFind(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, dp: Dirop): i32 {
  let e = probeName(em, dvp, name, len, dp);
  if (e != 0) return e;
  const hash = dp.dp_hash.dh_major;
  for (let left = dirBlocks(em, dvp); left != 0; left--) {
    const lblk = htreeLeaf(dp);
    if (lblk == 0) return dirBad(em, dvp, 'directory index: leaf', 0);
    e = dirLeaf(em, dvp, lblk, dp);
    if (e != 0) return e;
    const b = <usize>dp.dp_buf;
    const r = entriesFind(b, leafEnd(em, b), name, len, dp);
    if (r > 0) return 0;
    if (r < 0) return dirBad(em, dvp, 'directory: entry', lblk);
    ext4Brelse(b);
    dp.dp_buf = 0;
    e = htreeNext(em, dvp, dp);
    if (e < 0) return e;
    if (e == 0 || (dp.dp_at & 1) == 0 || (dp.dp_at & ~1) != hash) return -ENOENT;
  }
  // more leaves than blocks: some are named twice
  return dirBad(em, dvp, 'directory index: leaf', 0);
}

// ── adding ───────────────────────────────────────────────────────────────────────────────────

/** Add a name: 0, -ENOSPC, another errno. The tree is whole whatever happens. */
export function htreeAdd(em: Ext4Mount, dvp: Vnode, name: usize, len: u32, ino: u32, ft: u32, dp: Dirop): i32 {
  let e = probeName(em, dvp, name, len, dp);
  if (e == 0 && htreeLeaf(dp) == 0) e = dirBad(em, dvp, 'directory index: leaf', 0);
  if (e == 0) e = dirLeaf(em, dvp, htreeLeaf(dp), dp);
  if (e == 0) e = dirLeafAdd(em, dvp, name, len, ino, ft, dp);
  if (e <= 0) return e;
  const b = <usize>dp.dp_buf;
  const block = dp.dp_block;
  dp.dp_buf = 0;
  e = makeRoom(em, dvp, dp);
  if (e == 0) e = leafSplit(em, dvp, b, block, dp);
  ext4Brelse(b);
  if (e != 0) return e;
  e = dirLeafAdd(em, dvp, name, len, ino, ft, dp);
  return e > 0 ? dirBad(em, dvp, 'directory: split leaf is full', dp.dp_lblk) : e;
}

// @ts-ignore: decorator
@inline
function isFull(f: DxFrame): bool {
  return dxCount(<usize>f.dx_entries) == <u32>load<u16>(<usize>f.dx_entries + DX_LIMIT);
}

/** Room for an entry in the lowest frame: full nodes are split from above, a full root gets a level. */
function makeRoom(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  while (isFull(dp.frame(dp.dp_depth - 1))) {
    let i = dp.dp_depth - 1;
    while (i > 0 && isFull(dp.frame(i - 1))) i--;
    const e = i == 0 ? rootGrow(em, dvp, dp) : nodeSplit(em, dvp, dp, i);
    if (e != 0) return e;
  }
  return 0;
}

/** An index node in a new block: its buffer, held, in dp_buf, with no entries. 0 or an errno. */
function nodeNew(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const e = dirGrow(em, dvp, dp);
  if (e != 0) return e;
  const b = <usize>dp.dp_buf;
  store<u16>(b + DE_REC_LEN, <u16>em.em_bsize);
  return 0;
}

/** Copy entries i … count-1 of a frame into the new node in dp_buf; the first one's hash becomes its countlimit. */
function nodeFill(em: Ext4Mount, dvp: Vnode, dp: Dirop, from: DxFrame, i: u32): void {
  const b = <usize>dp.dp_buf;
  const entries = b + DX_NODE_ENTRIES;
  const n = dxCount(<usize>from.dx_entries) - i;
  memory.copy(entries, entryOf(<usize>from.dx_entries, i), n * DX_ENTRY_SIZE);
  store<u16>(entries + DX_LIMIT, <u16>dxLimit(em, DX_NODE_ENTRIES));
  store<u16>(entries + DX_COUNT, <u16>n);
  dxSum(em, eiOf(dvp), b, entries);
}

/** The root's entries go to a node of their own, which becomes its only one. */
function rootGrow(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  const root = dp.frame(0);
  const rb = <usize>root.dx_buf;
  const levels = <u32>load<u8>(rb + DX_ROOT_INDIRECT_LEVELS);
  if (levels >= levelsMax(em)) return -ENOSPC;
  let e = ext4Dirty(em, rb, root.dx_block);
  if (e == 0) e = nodeNew(em, dvp, dp);
  if (e != 0) return e;
  const lblk = dp.dp_lblk;
  nodeFill(em, dvp, dp, root, 0);
  // the frames below move down by one
  for (let i = dp.dp_depth; i > 1; i--) {
    memory.copy(changetype<usize>(dp.frame(i)), changetype<usize>(dp.frame(i - 1)), offsetof<DxFrame>());
  }
  dp.dp_depth++;
  const node = dp.frame(1);
  node.dx_block = dp.dp_block;
  node.dx_buf = dp.dp_buf;
  node.dx_entries = dp.dp_buf + DX_NODE_ENTRIES;
  node.dx_at = node.dx_entries + (root.dx_at - root.dx_entries);
  dp.dp_buf = 0;
  store<u16>(<usize>root.dx_entries + DX_COUNT, 1);
  store<u32>(<usize>root.dx_entries + DX_BLOCK, lblk);
  root.dx_at = root.dx_entries;
  store<u8>(rb + DX_ROOT_INDIRECT_LEVELS, <u8>(levels + 1));
  dxSum(em, eiOf(dvp), rb, <usize>root.dx_entries);
  return 0;
}

/** Split the node of frame i; the frame above has room for one more entry. */
function nodeSplit(em: Ext4Mount, dvp: Vnode, dp: Dirop, i: u32): i32 {
  const f = dp.frame(i);
  const up = dp.frame(i - 1);
  let e = ext4Dirty(em, <usize>f.dx_buf, f.dx_block);
  if (e == 0) e = ext4Dirty(em, <usize>up.dx_buf, up.dx_block);
  if (e == 0) e = nodeNew(em, dvp, dp);
  if (e != 0) return e;
  const entries = <usize>f.dx_entries;
  const half = dxCount(entries) >> 1;
  const hash = dxHash(entryOf(entries, half));
  nodeFill(em, dvp, dp, f, half);
  store<u16>(entries + DX_COUNT, <u16>half);
  dxSum(em, eiOf(dvp), <usize>f.dx_buf, entries);
  dxInsert(em, dvp, up, hash, dp.dp_lblk);
  const b = <usize>dp.dp_buf;
  dp.dp_buf = 0;
  if (<usize>f.dx_at < entryOf(entries, half)) {
    ext4Brelse(b);
    return 0;
  }
  ext4Brelse(<usize>f.dx_buf);
  f.dx_at = <u32>(b + DX_NODE_ENTRIES + (<usize>f.dx_at - entryOf(entries, half)));
  f.dx_buf = <u32>b;
  f.dx_block = dp.dp_block;
  f.dx_entries = <u32>(b + DX_NODE_ENTRIES);
  up.dx_at += DX_ENTRY_SIZE;
  return 0;
}

/** Put (hash, block) behind the entry taken in a frame, which has room and is dirty. */
export function dxInsert(em: Ext4Mount, dvp: Vnode, f: DxFrame, hash: u32, lblk: u32): void {
  const entries = <usize>f.dx_entries;
  const count = dxCount(entries);
  const at = <usize>f.dx_at + DX_ENTRY_SIZE;
  memory.copy(at + DX_ENTRY_SIZE, at, entryOf(entries, count) - at);
  store<u32>(at + DX_HASH, hash);
  store<u32>(at + DX_BLOCK, lblk);
  store<u16>(entries + DX_COUNT, <u16>(count + 1));
  dxSum(em, eiOf(dvp), <usize>f.dx_buf, entries);
}

/** A directory of one full block becomes an indexed one: its names move to block 1. 0 or an errno. */
export function htreeMake(em: Ext4Mount, dvp: Vnode, dp: Dirop): i32 {
  let e = dirLeaf(em, dvp, 0, dp);
  if (e != 0) return e;
  const b = <usize>dp.dp_buf;
  const block = dp.dp_block;
  dp.dp_buf = 0;
  const second = entryEnd(b, leafEnd(em, b));
  const third = second == 0 ? <usize>0 : entryEnd(second, leafEnd(em, b));
  if (third == 0 || second != b + 12 || !entryIsDots(b) || !entryIsDots(second) || <u32>load<u8>(second + DE_NAME_LEN) != 2) {
    e = dirBad(em, dvp, 'directory: no ".."', 0);
  }
  if (e == 0) e = ext4Dirty(em, b, block);
  if (e == 0) e = dirGrow(em, dvp, dp);
  if (e == 0) {
    const leaf = <usize>dp.dp_buf;
    leafInit(em, leaf);
    const end = leafEnd(em, b);
    let last: usize = 0;
    let to = leaf;
    for (let at = third; at < end; ) {
      const next = entryEnd(at, end);
      if (next == 0) break;
      if (load<u32>(at + DE_INODE) != 0) {
        const n = (DE_NAME + <u32>load<u8>(at + DE_NAME_LEN) + 3) & ~3;
        memory.copy(to, at, n);
        store<u16>(to + DE_REC_LEN, <u16>n);
        last = to;
        to += n;
      }
      at = next;
    }
    if (last != 0) store<u16>(last + DE_REC_LEN, <u16>(leafEnd(em, leaf) - last));
    leafSum(em, eiOf(dvp), leaf);
    rootInit(em, dvp, b, second);
  }
  ext4Brelse(b);
  diropDone(dp);
  return e;
}

function rootInit(em: Ext4Mount, dvp: Vnode, b: usize, second: usize): void {
  const ei = eiOf(dvp);
  store<u16>(second + DE_REC_LEN, <u16>(b + em.em_bsize - second));
  memory.fill(b + DX_ROOT_INFO, 0, em.em_bsize - DX_ROOT_INFO);
  const version = em.em_hashver >= 3 ? em.em_hashver - 3 : em.em_hashver;
  store<u8>(b + DX_ROOT_HASH_VERSION, <u8>version);
  store<u8>(b + DX_ROOT_INFO_LENGTH, <u8>INFO_LENGTH);
  const entries = b + DX_ROOT_ENTRIES;
  store<u16>(entries + DX_LIMIT, <u16>dxLimit(em, DX_ROOT_ENTRIES));
  store<u16>(entries + DX_COUNT, 1);
  store<u32>(entries + DX_BLOCK, 1);
  ei.ei_flags |= EXT4_INDEX_FL;
  dxSum(em, ei, b, entries);
}
