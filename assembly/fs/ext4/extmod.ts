/**
 * Changing extent trees: see extents.ts for their form and the path.
 *
 * Every change is made of steps that leave a good tree: a node is split, or the tree grows by a level, before the
 * entry that needs the room is made; what cannot fail comes last. So an error on the way loses nothing.
 *
 * All within a handle and under the inode's lock. The root is in the inode: mapDirty says that it changed, and the
 * caller stores the inode before the handle ends.
 */
import { EFBIG, EUCLEAN } from '../../abi/errno';
import { EE_SIZE, EH_DEPTH, EH_MAX, EH_SIZE, EXT4_EXT_MAX_DEPTH, EXT_INIT_MAX_LEN } from '../../abi/ext4';
import {
  eeBlock,
  eeEnd,
  eeLen,
  eeSet,
  eeSetLen,
  eeSetStart,
  eeStart,
  eeUnwritten,
  ehAt,
  ehEntries,
  ehInit,
  ehMax,
  ehSetEntries,
  eiLeaf,
  eiSet,
  extFind,
  ExtLevel,
  extLevel,
  ExtPath,
  extPath,
  extRelease,
  nodeChecksum,
  nodeChecksumAt,
  nodeForget,
  nodeMarkGood,
  nodeRoom,
  ROOT_ROOM,
  UNWRITTEN_MAX,
} from './extents';
import { ballocReady } from './balloc';
import { ext4Half } from './error';
import { dataFree, foundForget, mapDirty, nodeFree, nodeTake, nodeWord } from './mapmeta';
import { ext4Bget, ext4Brelse, ext4BufError, ext4Dirty, STEP_GROUPS } from './txn';
import { Ext4Inode, Ext4Mount, hasCsum } from './types';

/** Each try makes room on one level, or the tree a level higher. */
const TRIES: u32 = 4 * (EXT4_EXT_MAX_DEPTH + 1);

// ── nodes ────────────────────────────────────────────────────────────────────────────────────

/** The node is about to change. So is the inode, whichever node it is: i_blocks, and what fdatasync waits for. */
function nodeWill(em: Ext4Mount, ei: Ext4Inode, lv: ExtLevel): i32 {
  mapDirty(ei);
  return lv.lv_block != 0 ? ext4Dirty(em, lv.lv_node, lv.lv_block) : 0;
}

/** It has changed. */
function nodeDone(em: Ext4Mount, ei: Ext4Inode, lv: ExtLevel): void {
  if (lv.lv_block != 0 && hasCsum(em)) store<u32>(nodeChecksumAt(lv.lv_node), nodeChecksum(ei, lv.lv_node));
}

/** Make a gap for an entry at i. There is room. */
function openGap(n: usize, i: u32): void {
  const count = ehEntries(n);
  memory.copy(ehAt(n, i + 1), ehAt(n, i), (count - i) * EE_SIZE);
  ehSetEntries(n, count + 1);
}

function closeGap(n: usize, i: u32): void {
  const count = ehEntries(n);
  memory.copy(ehAt(n, i), ehAt(n, i + 1), (count - i - 1) * EE_SIZE);
  ehSetEntries(n, count - 1);
}

/** The first key of the node at level i changed: the indices above it follow. */
function keysFix(em: Ext4Mount, ei: Ext4Inode, p: ExtPath, i: u32): i32 {
  const key = eeBlock(ehAt(extLevel(p, i).lv_node, 0));
  while (i > 0) {
    i--;
    const up = extLevel(p, i);
    const e = ehAt(up.lv_node, up.lv_pos);
    if (eeBlock(e) == key) return 0;
    const error = nodeWill(em, ei, up);
    if (error != 0) return error;
    store<u32>(e, key);
    nodeDone(em, ei, up);
    if (up.lv_pos != 0) return 0;
  }
  return 0;
}

// ── making room ──────────────────────────────────────────────────────────────────────────────

/** The path's leaf lacks room: split the uppermost full node that can be, or grow. The path is let go. */
function makeRoom(em: Ext4Mount, ei: Ext4Inode, p: ExtPath, room: u32): i32 {
  let i = p.ep_depth;
  while (i > 0 && isFull(p, i - 1, 1)) i--;
  const e = i == 0 ? grow(em, ei, p) : split(em, ei, p, i);
  extRelease(p);
  return e;
}

// @ts-ignore: decorator
@inline
function isFull(p: ExtPath, i: u32, room: u32): bool {
  const n = <usize>extLevel(p, i).lv_node;
  return ehEntries(n) + room > ehMax(n);
}

/** A new node block, dirty and held, its number at nodeWord(); 0: errno at errp. */
function nodeNew(em: Ext4Mount, ei: Ext4Inode, goal: u64, depth: u32, errp: usize): usize {
  let e = nodeTake(em, ei, goal, nodeWord());
  if (e == 0) {
    const block = load<u64>(nodeWord());
    const b = ext4Bget(em, block);
    if (b != 0) {
      e = ext4Dirty(em, b, block);
      if (e == 0) {
        ehInit(b, nodeRoom(em), depth);
        nodeMarkGood(b);
        return b;
      }
      ext4Brelse(b);
    } else e = ext4BufError();
    nodeFree(em, ei, block);
  }
  store<i32>(errp, e);
  return 0;
}

/** The root's entries go to a node of their own: the tree is one level deeper. */
function grow(em: Ext4Mount, ei: Ext4Inode, p: ExtPath): i32 {
  const root = extLevel(p, 0);
  const n = <usize>root.lv_node;
  if (p.ep_depth == EXT4_EXT_MAX_DEPTH) return -EFBIG;
  const b = nodeNew(em, ei, 0, p.ep_depth, nodeWord() + 16);
  if (b == 0) return load<i32>(nodeWord() + 16);
  const count = ehEntries(n);
  memory.copy(ehAt(b, 0), ehAt(n, 0), count * EE_SIZE);
  ehSetEntries(b, count);
  if (hasCsum(em)) store<u32>(nodeChecksumAt(b), nodeChecksum(ei, b));
  ext4Brelse(b);
  mapDirty(ei);
  store<u16>(n + EH_DEPTH, <u16>(p.ep_depth + 1));
  store<u16>(n + EH_MAX, <u16>ROOT_ROOM);
  ehSetEntries(n, 1);
  eiSet(ehAt(n, 0), count == 0 ? 0 : eeBlock(ehAt(b, 0)), load<u64>(nodeWord()));
  return 0;
}

/**
 * Split the node at level i, whose parent has room. At the end of a file that grows only the last entry moves, so
 * that the nodes left behind are full.
 */
function split(em: Ext4Mount, ei: Ext4Inode, p: ExtPath, i: u32): i32 {
  const lv = extLevel(p, i);
  const up = extLevel(p, i - 1);
  const n = <usize>lv.lv_node;
  const count = ehEntries(n);
  if (count < 2) return -EUCLEAN;
  let e = nodeWill(em, ei, up);
  if (e == 0) e = nodeWill(em, ei, lv);
  if (e != 0) return e;
  const from = <u32>(lv.lv_pos + 1) >= count ? count - 1 : count >> 1;
  const b = nodeNew(em, ei, lv.lv_block, p.ep_depth - i, nodeWord() + 16);
  if (b == 0) return load<i32>(nodeWord() + 16);
  memory.copy(ehAt(b, 0), ehAt(n, from), (count - from) * EE_SIZE);
  ehSetEntries(b, count - from);
  ehSetEntries(n, from);
  nodeDone(em, ei, lv);
  openGap(up.lv_node, up.lv_pos + 1);
  eiSet(ehAt(up.lv_node, up.lv_pos + 1), eeBlock(ehAt(b, 0)), load<u64>(nodeWord()));
  nodeDone(em, ei, up);
  if (hasCsum(em)) store<u32>(nodeChecksumAt(b), nodeChecksum(ei, b));
  ext4Brelse(b);
  return 0;
}

// ── inserting ────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function maxLen(unwritten: bool): u32 {
  return unwritten ? UNWRITTEN_MAX : EXT_INIT_MAX_LEN;
}

/** Does extent b go on where a ends, so that one entry can say both? */
function joins(a: usize, b: usize): bool {
  return (
    eeEnd(a) == <u64>eeBlock(b) &&
    eeStart(a) + eeLen(a) == eeStart(b) &&
    eeUnwritten(a) == eeUnwritten(b) &&
    eeLen(a) + eeLen(b) <= maxLen(eeUnwritten(a))
  );
}

/** Join the entry at i with its neighbours in the leaf. Returns where it is then. */
function joinAround(n: usize, i: u32): u32 {
  if (i + 1 < ehEntries(n) && joins(ehAt(n, i), ehAt(n, i + 1))) {
    eeSetLen(ehAt(n, i), eeLen(ehAt(n, i)) + eeLen(ehAt(n, i + 1)), eeUnwritten(ehAt(n, i)));
    closeGap(n, i + 1);
  }
  if (i == 0 || !joins(ehAt(n, i - 1), ehAt(n, i))) return i;
  eeSetLen(ehAt(n, i - 1), eeLen(ehAt(n, i - 1)) + eeLen(ehAt(n, i)), eeUnwritten(ehAt(n, i)));
  closeGap(n, i);
  return i - 1;
}

/** Would the extent join the entry at the path's place, or the one behind it? */
function joinInto(n: usize, pos: i32, lblk: u32, len: u32, pblk: u64, unwritten: bool): bool {
  if (pos >= 0) {
    const l = ehAt(n, pos);
    if (eeEnd(l) == <u64>lblk && eeStart(l) + eeLen(l) == pblk && eeUnwritten(l) == unwritten && eeLen(l) + len <= maxLen(unwritten)) {
      eeSetLen(l, eeLen(l) + len, unwritten);
      joinAround(n, pos);
      return true;
    }
  }
  if (<u32>(pos + 1) >= ehEntries(n)) return false;
  const r = ehAt(n, pos + 1);
  if (<u64>lblk + len != <u64>eeBlock(r) || pblk + len != eeStart(r) || eeUnwritten(r) != unwritten) return false;
  if (eeLen(r) + len > maxLen(unwritten)) return false;
  eeSet(r, lblk, eeLen(r) + len, pblk, unwritten);
  return true;
}

/** Enter an extent of at most maxLen blocks into what is a hole: 0 or an errno. */
export function extInsert(em: Ext4Mount, ei: Ext4Inode, lblk: u32, len: u32, pblk: u64, unwritten: bool): i32 {
  foundForget(ei);
  for (let tries: u32 = 0; tries < TRIES; tries++) {
    let e = extFind(em, ei, lblk);
    if (e != 0) return e;
    const p = extPath();
    const lv = extLevel(p, p.ep_depth);
    const n = <usize>lv.lv_node;
    const at = <u32>(lv.lv_pos + 1);
    if (!isHole(n, at, lblk, len)) {
      extRelease(p);
      return -EUCLEAN;
    }
    e = nodeWill(em, ei, lv);
    let done = e == 0 && joinInto(n, lv.lv_pos, lblk, len, pblk, unwritten);
    if (e == 0 && !done && !isFull(p, p.ep_depth, 1)) {
      openGap(n, at);
      eeSet(ehAt(n, at), lblk, len, pblk, unwritten);
      done = true;
    }
    if (e == 0 && !done) {
      e = makeRoom(em, ei, p, 1);
      if (e == 0) continue;
      return e;
    }
    if (e == 0) {
      nodeDone(em, ei, lv);
      if (at == 0) e = keysFix(em, ei, p, p.ep_depth);
      if (e != 0) ext4Half(em, e);
    }
    extRelease(p);
    return e;
  }
  return -EUCLEAN;
}

/** Is [lblk, lblk + len) free of the entries around place `at` of the leaf? */
function isHole(n: usize, at: u32, lblk: u32, len: u32): bool {
  if (at != 0 && eeEnd(ehAt(n, at - 1)) > <u64>lblk) return false;
  return at >= ehEntries(n) || <u64>lblk + len <= <u64>eeBlock(ehAt(n, at));
}

// ── converting ───────────────────────────────────────────────────────────────────────────────

/** The unwritten blocks of [lblk, lblk + len) become written ones: 0 or an errno (some may be done then). */
export function extConvert(em: Ext4Mount, ei: Ext4Inode, lblk: u32, len: u32): i32 {
  foundForget(ei);
  const end = <u64>lblk + len;
  let tries: u32 = 0;
  while (<u64>lblk < end) {
    let e = extFind(em, ei, lblk);
    if (e != 0) return e;
    const p = extPath();
    const lv = extLevel(p, p.ep_depth);
    const x: usize = lv.lv_pos < 0 ? <usize>0 : ehAt(lv.lv_node, lv.lv_pos);
    if (x == 0 || eeEnd(x) <= <u64>lblk) {
      extRelease(p);
      return -EUCLEAN;
    }
    const to = eeEnd(x) < end ? eeEnd(x) : end;
    if (eeUnwritten(x)) {
      const need = <u32>(lblk > eeBlock(x)) + <u32>(to < eeEnd(x));
      if (isFull(p, p.ep_depth, need)) {
        if (tries++ > TRIES) e = -EUCLEAN;
        else e = makeRoom(em, ei, p, need);
        if (e == 0) continue;
        extRelease(p);
        return e;
      }
      e = nodeWill(em, ei, lv);
      if (e == 0) {
        convertHere(lv, x, lblk, to);
        nodeDone(em, ei, lv);
      }
    }
    extRelease(p);
    if (e != 0) return e;
    lblk = <u32>to;
    tries = 0;
    if (to > u32.MAX_VALUE) break;
  }
  return 0;
}

/** [from, to) of the unwritten extent x becomes written; the leaf has room for what is left at either end. */
function convertHere(lv: ExtLevel, x: usize, from: u32, to: u64): void {
  const n = <usize>lv.lv_node;
  let i = <u32>lv.lv_pos;
  const begin = eeBlock(x);
  const end = eeEnd(x);
  const start = eeStart(x);
  if (to < end) {
    openGap(n, i + 1);
    eeSet(ehAt(n, i + 1), <u32>to, <u32>(end - to), start + (to - begin), true);
  }
  if (from > begin) {
    eeSetLen(x, from - begin, true);
    i++;
    openGap(n, i);
  }
  eeSet(ehAt(n, i), from, <u32>(to - from), start + (from - begin), false);
  joinAround(n, i);
}

// ── removing ─────────────────────────────────────────────────────────────────────────────────

/** Where what one step takes of an extent begins, the extent's part of [from, end): so many groups at the most. */
function stepBegin(em: Ext4Mount, x: usize, from: u32, end: u64): u32 {
  const begin = eeBlock(x) > from ? eeBlock(x) : from;
  const most = <u64>em.em_bpg * (STEP_GROUPS - 1);
  return end > begin + most ? <u32>(end - most) : begin;
}

/**
 * Take the last piece of [from, to) out of the map and free its blocks: 0 or an errno; at `top` is then where the
 * rest of the range ends (`from`: nothing is left). One extent at the most is touched.
 */
export function extRemoveLast(em: Ext4Mount, ei: Ext4Inode, from: u32, to: u64, top: usize): i32 {
  foundForget(ei);
  for (let tries: u32 = 0; tries < TRIES; tries++) {
    let e = extFind(em, ei, <u32>(to - 1));
    if (e != 0) return e;
    const p = extPath();
    const lv = extLevel(p, p.ep_depth);
    if (lv.lv_pos < 0) {
      // the leaf begins behind: what comes before is left of its index
      const rest = leafBegin(p);
      extRelease(p);
      store<u64>(top, rest > <u64>from && rest < to ? rest : <u64>from);
      return 0;
    }
    const x = ehAt(lv.lv_node, lv.lv_pos);
    const end = eeEnd(x) < to ? eeEnd(x) : to;
    const begin = stepBegin(em, x, from, end);
    if (end <= <u64>from) {
      extRelease(p);
      store<u64>(top, from);
      return 0;
    }
    if (begin > eeBlock(x) && end < eeEnd(x) && isFull(p, p.ep_depth, 1)) {
      e = makeRoom(em, ei, p, 1);
      if (e != 0) return e;
      continue;
    }
    const pblk = eeStart(x) + (begin - eeBlock(x));
    const whole = begin == eeBlock(x) && end == eeEnd(x);
    e = ballocReady(em, pblk, <u32>(end - begin));
    if (e == 0) e = pathReady(em, ei, p, whole);
    if (e != 0) {
      extRelease(p);
      return e;
    }
    e = cut(em, ei, p, lv, x, begin, end);
    extRelease(p);
    if (e != 0) return ext4Half(em, e);
    store<u64>(top, begin);
    dataFree(em, ei, pblk, <u32>(end - begin));
    shrink(em, ei);
    return 0;
  }
  return -EUCLEAN;
}

/**
 * An entry of the path's leaf will change, or go (`whole`): 0, or an errno and nothing has changed. The nodes above
 * change with their first entry, and go with their only one: their blocks and bitmaps are in RAM then, and dirty.
 */
function pathReady(em: Ext4Mount, ei: Ext4Inode, p: ExtPath, whole: bool): i32 {
  let goes = whole;
  let e: i32 = 0;
  for (let i = <i32>p.ep_depth; i >= 0 && e == 0; i--) {
    const lv = extLevel(p, i);
    e = nodeWill(em, ei, lv);
    goes = goes && i != 0 && ehEntries(lv.lv_node) == 1;
    if (e == 0 && goes) e = ballocReady(em, lv.lv_block, 1);
    if (lv.lv_pos != 0 && !goes) break;
  }
  return e;
}

/** What extRemoveLast would read first is in RAM: 0 or an errno. */
export function extRemoveReady(em: Ext4Mount, ei: Ext4Inode, from: u32, to: u64): i32 {
  let e = extFind(em, ei, <u32>(to - 1));
  if (e != 0) return e;
  const p = extPath();
  const lv = extLevel(p, p.ep_depth);
  if (lv.lv_pos >= 0 && eeEnd(ehAt(lv.lv_node, lv.lv_pos)) > <u64>from) {
    const x = ehAt(lv.lv_node, lv.lv_pos);
    const end = eeEnd(x) < to ? eeEnd(x) : to;
    const begin = stepBegin(em, x, from, end);
    e = ballocReady(em, eeStart(x) + (begin - eeBlock(x)), <u32>(end - begin));
    if (e == 0) e = pathReady(em, ei, p, begin == eeBlock(x) && end == eeEnd(x));
  }
  extRelease(p);
  return e;
}

/** Where the path's leaf begins by its index; 0 for the root. */
function leafBegin(p: ExtPath): u64 {
  if (p.ep_depth == 0) return 0;
  const up = extLevel(p, p.ep_depth - 1);
  return eeBlock(ehAt(up.lv_node, up.lv_pos));
}

/** Cut [begin, end) out of the extent x. The leaf has room if it is the middle of it. */
function cut(em: Ext4Mount, ei: Ext4Inode, p: ExtPath, lv: ExtLevel, x: usize, begin: u32, end: u64): i32 {
  const e = nodeWill(em, ei, lv);
  if (e != 0) return e;
  const n = <usize>lv.lv_node;
  const xbegin = eeBlock(x);
  const xend = eeEnd(x);
  const start = eeStart(x);
  const unwritten = eeUnwritten(x);
  if (begin == xbegin && end == xend) closeGap(n, lv.lv_pos);
  else if (begin == xbegin) {
    eeSet(x, <u32>end, <u32>(xend - end), start + (end - begin), unwritten);
  } else {
    eeSetLen(x, begin - xbegin, unwritten);
    if (end < xend) {
      openGap(n, lv.lv_pos + 1);
      eeSet(ehAt(n, lv.lv_pos + 1), <u32>end, <u32>(xend - end), start + (end - xbegin), unwritten);
    }
  }
  nodeDone(em, ei, lv);
  if (ehEntries(n) == 0) return dropEmpty(em, ei, p);
  return lv.lv_pos == 0 ? keysFix(em, ei, p, p.ep_depth) : 0;
}

/** The leaf has no entries left: it goes, and every node above that has none then (T2). */
function dropEmpty(em: Ext4Mount, ei: Ext4Inode, p: ExtPath): i32 {
  let i = p.ep_depth;
  while (i > 0 && ehEntries(extLevel(p, i).lv_node) == 0) {
    const lv = extLevel(p, i);
    const up = extLevel(p, i - 1);
    const e = nodeWill(em, ei, up);
    if (e != 0) return e;
    closeGap(up.lv_node, up.lv_pos);
    nodeDone(em, ei, up);
    nodeForget(lv.lv_node);
    ext4Brelse(lv.lv_node);
    p.ep_held = i;
    nodeFree(em, ei, lv.lv_block);
    i--;
  }
  const left = extLevel(p, i);
  if (ehEntries(left.lv_node) == 0) {
    ehInit(left.lv_node, ROOT_ROOM, 0);
    return 0;
  }
  return left.lv_pos == 0 ? keysFix(em, ei, p, i) : 0;
}

/** A root of one index whose node fits into it takes its entries over: the tree is one level lower. If that cannot
 *  be, it is as good as it was. */
function shrink(em: Ext4Mount, ei: Ext4Inode): void {
  const root = ei.ei_block;
  for (let tries: u32 = 0; tries < EXT4_EXT_MAX_DEPTH; tries++) {
    if (load<u16>(root + EH_DEPTH) == 0 || ehEntries(root) != 1) return;
    if (extFind(em, ei, eeBlock(ehAt(root, 0))) != 0) return;
    const p = extPath();
    const lv = extLevel(p, 1);
    const n = <usize>lv.lv_node;
    const count = ehEntries(n);
    if (count > ROOT_ROOM || ballocReady(em, lv.lv_block, 1) != 0) {
      extRelease(p);
      return;
    }
    const block = lv.lv_block;
    memory.copy(ehAt(root, 0), ehAt(n, 0), count * EE_SIZE);
    ehSetEntries(root, count);
    store<u16>(root + EH_DEPTH, <u16>(p.ep_depth - 1));
    nodeForget(n);
    extRelease(p);
    nodeFree(em, ei, block);
  }
}
