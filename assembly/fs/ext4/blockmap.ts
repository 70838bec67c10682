/**
 * Block maps (blockmap.rst): the map of files that ext2 and ext3 made. Twelve blocks are named in the inode, the
 * others in a block of numbers, a block of such blocks, and a third level of them.
 *
 * A number 0 is a hole, of everything below it. Nodes that hold nothing but zeros are freed.
 *
 * The way down is a BmapPath in the CPU's scratch (in the place of an ExtPath: a file has one kind of map); all
 * under the inode's lock, changes within a handle.
 */
import { EFBIG } from '../../abi/errno';
import { EXT4_NDIR_BLOCKS } from '../../abi/ext4';
import { ballocReady } from './balloc';
import { dataFree, foundForget, mapBad, mapDirty, nodeFree, nodeInRange, nodeTake, nodeWord, PATH_BYTES } from './mapmeta';
import { scratchMap } from '../../vfs/scratch';
import { ext4Bget, ext4Bread, ext4Brelse, ext4BufError, ext4Dirty, STEP_GROUPS } from './txn';
import { blockInRange, Ext4Inode, Ext4Mount, groupOf, MapResult, MR_HOLE } from './types';

@unmanaged
export class BmapPath {
  bp_span: u64; //   blocks below one entry of the node reached: 1 in the last
  bp_depth: u32; //  levels of nodes: 0 for the inode's own
  bp_slot: u32; //   entry of i_block
  bp_rel: u32; //    the block sought, counted from what that entry begins with
  bp_level: u32; //  nodes held
  // then { block u64, node u32, index u32 } for each level
}
const LEVELS: usize = offsetof<BmapPath>();
if (LEVELS + 16 * 3 > PATH_BYTES) ERROR('BmapPath');

// @ts-ignore: decorator
@inline
function path(): BmapPath {
  return changetype<BmapPath>(scratchMap());
}
// @ts-ignore: decorator
@inline
function levelAt(i: u32): usize {
  return scratchMap() + LEVELS + (<usize>i << 4);
}
// @ts-ignore: decorator
@inline
function nodeOf(i: u32): usize {
  return <usize>load<u32>(levelAt(i), 8);
}
// @ts-ignore: decorator
@inline
function indexOf(i: u32): u32 {
  return load<u32>(levelAt(i), 12);
}

/** log2 of the numbers in a block. */
// @ts-ignore: decorator
@inline
function waysShift(em: Ext4Mount): u32 {
  return em.em_bshift - 2;
}

/** Blocks that a map can name. */
export function bmapLimit(em: Ext4Mount): u64 {
  const w = waysShift(em);
  const all = <u64>EXT4_NDIR_BLOCKS + (<u64>1 << w) + (<u64>1 << (2 * w)) + (<u64>1 << (3 * w));
  return all < <u64>1 << 32 ? all : (<u64>1 << 32) - 1;
}

/** Which slot of i_block, how deep, how far into it. */
function locate(em: Ext4Mount, lblk: u32): void {
  const p = path();
  const w = waysShift(em);
  p.bp_level = 0;
  p.bp_span = 1;
  if (lblk < EXT4_NDIR_BLOCKS) {
    p.bp_depth = 0;
    p.bp_slot = lblk;
    p.bp_rel = 0;
    return;
  }
  let rel = <u64>(lblk - EXT4_NDIR_BLOCKS);
  let depth: u32 = 1;
  while (depth < 3 && rel >> (depth * w) != 0) {
    rel -= <u64>1 << (depth * w);
    depth++;
  }
  p.bp_depth = depth;
  p.bp_slot = EXT4_NDIR_BLOCKS + depth - 1;
  p.bp_rel = <u32>rel;
  p.bp_span = <u64>1 << (depth * w);
}

function release(): void {
  const p = path();
  while (p.bp_level > 0) ext4Brelse(nodeOf(--p.bp_level));
}

/** The address of the entry that the path has reached. */
function entryAt(ei: Ext4Inode): usize {
  const p = path();
  if (p.bp_level == 0) return ei.ei_block + ((<usize>p.bp_slot) << 2);
  return nodeOf(p.bp_level - 1) + ((<usize>indexOf(p.bp_level - 1)) << 2);
}

/** One level down, into the node that the entry names: 0 or an errno. */
function descend(em: Ext4Mount, block: u64, b: usize): void {
  const p = path();
  const at = levelAt(p.bp_level);
  p.bp_span >>= waysShift(em);
  store<u64>(at, block);
  store<u32>(at, <u32>b, 8);
  store<u32>(at, <u32>(p.bp_rel / p.bp_span) & ((1 << waysShift(em)) - 1), 12);
  p.bp_level++;
}

/**
 * Go down to lblk as far as there are nodes: 0, or an errno with nothing held. bp_level is bp_depth if the last
 * one was reached; else the entry reached is 0 and its hole is bp_span blocks wide.
 */
function walk(em: Ext4Mount, ei: Ext4Inode, lblk: u32): i32 {
  locate(em, lblk);
  const p = path();
  while (p.bp_level < p.bp_depth) {
    const block = <u64>load<u32>(entryAt(ei));
    if (block == 0) return 0;
    let e = 0;
    if (!nodeInRange(em, block)) e = mapBad(em, ei, block);
    else {
      const b = ext4Bread(em, block);
      if (b == 0) e = ext4BufError();
      else descend(em, block, b);
    }
    if (e != 0) {
      release();
      return e;
    }
  }
  return 0;
}

/** Map lblk; a run ends at the end of its node at the latest. */
export function bmapLookup(em: Ext4Mount, ei: Ext4Inode, lblk: u32, out: MapResult): i32 {
  if (<u64>lblk >= bmapLimit(em)) return -EFBIG;
  const e = walk(em, ei, lblk);
  if (e != 0) return e;
  const p = path();
  const at = entryAt(ei);
  const first = <u64>load<u32>(at);
  let n: u32 = 1;
  if (p.bp_level < p.bp_depth) {
    const left = p.bp_span - (<u64>p.bp_rel & (p.bp_span - 1));
    n = left > u32.MAX_VALUE ? u32.MAX_VALUE : <u32>left;
  } else {
    const room = p.bp_depth == 0 ? EXT4_NDIR_BLOCKS - p.bp_slot : (1 << waysShift(em)) - indexOf(p.bp_level - 1);
    while (n < room && <u64>load<u32>(at + (<usize>n << 2)) == (first == 0 ? 0 : first + n)) n++;
  }
  release();
  if (first != 0 && !blockInRange(em, first, n)) return mapBad(em, ei, first);
  out.m_pblk = first;
  out.m_len = n;
  out.m_flags = first == 0 ? MR_HOLE : 0;
  return 0;
}

/** Make the nodes that are missing on the way: 0 or an errno with nothing held. */
function fillIn(em: Ext4Mount, ei: Ext4Inode, goal: u64): i32 {
  const p = path();
  while (p.bp_level < p.bp_depth) {
    let e = will(em, ei);
    if (e == 0) e = nodeTake(em, ei, goal, nodeWord());
    if (e == 0) {
      const block = load<u64>(nodeWord());
      const b = block >> 32 == 0 ? ext4Bget(em, block) : 0;
      if (b == 0) e = block >> 32 == 0 ? ext4BufError() : -EFBIG;
      else e = ext4Dirty(em, b, block);
      if (e == 0) {
        store<u32>(entryAt(ei), <u32>block);
        descend(em, block, b);
        continue;
      }
      if (b != 0) ext4Brelse(b);
      nodeFree(em, ei, block);
    }
    release();
    return e;
  }
  return 0;
}

/** The entry reached is about to change. */
function will(em: Ext4Mount, ei: Ext4Inode): i32 {
  const p = path();
  mapDirty(ei);
  if (p.bp_level == 0) return 0;
  return ext4Dirty(em, nodeOf(p.bp_level - 1), load<u64>(levelAt(p.bp_level - 1)));
}

/** Enter `len` blocks from pblk on at what is a hole: how many were (at least 1), or an errno. One node's at the most. */
export function bmapInsert(em: Ext4Mount, ei: Ext4Inode, lblk: u32, len: u32, pblk: u64): i32 {
  if (<u64>lblk >= bmapLimit(em) || (pblk + len) >> 32 != 0) return -EFBIG;
  foundForget(ei);
  let e = walk(em, ei, lblk);
  if (e == 0) e = fillIn(em, ei, pblk);
  if (e != 0) return e;
  e = will(em, ei);
  if (e != 0) {
    release();
    return e;
  }
  const p = path();
  const room = p.bp_depth == 0 ? EXT4_NDIR_BLOCKS - p.bp_slot : (1 << waysShift(em)) - indexOf(p.bp_level - 1);
  const n = len < room ? len : room;
  const at = entryAt(ei);
  for (let i: u32 = 0; i < n; i++) store<u32>(at + (<usize>i << 2), <u32>pblk + i);
  release();
  return <i32>n;
}

/**
 * Take the last piece of [from, to) out of the map and free its blocks; as extRemoveLast. One node's entries at
 * the most, and as many runs of them as lie in STEP_GROUPS groups.
 */
export function bmapRemoveLast(em: Ext4Mount, ei: Ext4Inode, from: u32, to: u64, top: usize): i32 {
  foundForget(ei);
  if (to > bmapLimit(em)) to = bmapLimit(em);
  if (to <= <u64>from) {
    store<u64>(top, from);
    return 0;
  }
  const last = <u32>(to - 1);
  let e = walk(em, ei, last);
  if (e != 0) return e;
  const p = path();
  if (p.bp_level < p.bp_depth) {
    const into = <u64>p.bp_rel & (p.bp_span - 1);
    release();
    const rest = <u64>last - into;
    store<u64>(top, into <= <u64>last && rest > <u64>from ? rest : <u64>from);
    return 0;
  }
  e = will(em, ei);
  const index = p.bp_depth == 0 ? p.bp_slot : indexOf(p.bp_level - 1);
  const least = last - index > from ? 0 : from - (last - index);
  if (e == 0) {
    const done = freeEntries(em, ei, entryAt(ei) - (<usize>index << 2), least, index + 1);
    if (done < 0) e = done;
    else {
      store<u64>(top, <u64>last + 1 - (index + 1 - done));
      e = dropZeros(em, ei);
    }
  }
  release();
  return e;
}

/** The way to the file's last block, and its bitmap, are in RAM: 0, or the errno of what cannot be read. In a handle. */
export function bmapRemoveReady(em: Ext4Mount, ei: Ext4Inode): i32 {
  let slot: u32 = EXT4_NDIR_BLOCKS + 2;
  while (slot != 0 && load<u32>(ei.ei_block + ((<usize>slot) << 2)) == 0) slot--;
  let block = load<u32>(ei.ei_block + ((<usize>slot) << 2));
  for (let left: i32 = <i32>slot + 1 - EXT4_NDIR_BLOCKS; left > 0 && block != 0; left--) {
    const e = nodeInRange(em, block) ? ballocReady(em, block, 1) : mapBad(em, ei, block);
    if (e != 0) return e;
    const b = ext4Bread(em, block);
    if (b == 0) return ext4BufError();
    let i = em.em_bsize - 4;
    while (i != 0 && load<u32>(b + i) == 0) i -= 4;
    block = load<u32>(b + i);
    ext4Brelse(b);
  }
  return block == 0 ? 0 : ballocReady(em, block, 1);
}

/** Free what entries [least, end) of a node name, from the end: the first entry that is done; or an errno, and nothing
 *  was freed. */
function freeEntries(em: Ext4Mount, ei: Ext4Inode, base: usize, least: u32, end: u32): i32 {
  let i = end;
  let groups: u32 = 0;
  let before: u32 = 0;
  while (i > least) {
    const pblk = load<u32>(base + (<usize>(i - 1) << 2));
    if (pblk == 0) {
      i--;
      continue;
    }
    let n: u32 = 1;
    while (i - n > least && load<u32>(base + (<usize>(i - n - 1) << 2)) == pblk - n) n++;
    const low = groupOf(em, <u64>(pblk - (n - 1)));
    const high = groupOf(em, <u64>pblk);
    const more = high - low + (groups != 0 && high == before ? 0 : 1);
    if (groups != 0 && groups + more > STEP_GROUPS) return i;
    const e = ballocReady(em, <u64>(pblk - (n - 1)), n);
    if (e != 0) return groups == 0 ? e : i;
    groups += more;
    before = low;
    memory.fill(base + (<usize>(i - n) << 2), 0, <usize>n << 2);
    dataFree(em, ei, <u64>(pblk - (n - 1)), n);
    i -= n;
  }
  return i;
}

/** Nodes on the path that hold nothing any more go, from the last one up: 0, or an errno, and one of zeros stays. */
function dropZeros(em: Ext4Mount, ei: Ext4Inode): i32 {
  const p = path();
  while (p.bp_level > 0) {
    const n = nodeOf(p.bp_level - 1);
    for (let i: u32 = 0; i < em.em_bsize; i += 8) if (load<u64>(n + i) != 0) return 0;
    const block = load<u64>(levelAt(p.bp_level - 1));
    let e = ballocReady(em, block, 1);
    if (e != 0) return e;
    ext4Brelse(n);
    p.bp_level--;
    e = will(em, ei);
    if (e != 0) return e;
    store<u32>(entryAt(ei), 0);
    nodeFree(em, ei, block);
  }
  return 0;
}
