/**
 * Radix: a sparse table from a u32 index to a pointer, in nodes of 64 ways.
 *
 * ra_root is the pointer of index 0 itself while ra_height is 0, else the top node; a tree of
 * height h covers 64^h indexes. Nodes count their children and go when they have none, so it costs
 * by what is in it and not by the largest index: an Fscache's pages hang in one, and a tmpfs's
 * inodes. Whoever owns it guards it.
 */
import { ENOMEM } from '../abi/errno';
import { PAGE_SHIFT } from '../abi/layout';
import { roots } from '../kern/boot';
import { ld32 } from '../kern/lock';
import { kassert } from '../kern/panic';
import { ALLOC_ZERO } from './page';
import { Zone, ZONE_STABLE, zoneAlloc, zoneCreate, zoneFree } from './zone';

@unmanaged
export class Radix {
  ra_root: u32;
  ra_height: u32;
  ra_count: u32; // pointers in it
}

@unmanaged
class RadixNode {
  rn_count: u32; // children that are not null
  rn_pad: u32;
  // u32[WAYS] follows
}
const RN_SLOTS: usize = offsetof<RadixNode>();
const BITS: u32 = 6;
const WAYS: u32 = 64;
/** The height that covers every u32. */
const HEIGHT_MAX: u32 = 6;

export function radixInit(): void {
  roots().r_zradix = <u32>changetype<usize>(zoneCreate('radix', <u32>RN_SLOTS + 4 * WAYS, ZONE_STABLE));
}

// @ts-ignore: decorator
@inline
function slotAt(node: u32, i: u32): usize {
  return <usize>node + RN_SLOTS + ((<usize>i) << 2);
}

// @ts-ignore: decorator
@inline
function way(index: u32, h: u32): u32 {
  return (index >> (BITS * h)) & (WAYS - 1);
}

// @ts-ignore: decorator
@inline
function covers(height: u32, index: u32): bool {
  if (height == 0) return index == 0;
  if (height >= HEIGHT_MAX) return true;
  return index >> (BITS * height) == 0;
}

/** The pointer at an index, or 0. */
// @ts-ignore: decorator
@inline
export function radixGet(ra: Radix, index: u32): u32 {
  let h = ra.ra_height;
  let n = ra.ra_root;
  if (!covers(h, index)) return 0;
  while (h > 0 && n != 0) {
    h--;
    n = load<u32>(slotAt(n, way(index, h)));
  }
  return n;
}

/**
 * The same while another CPU may be changing the tree: what is returned may be anything, and is to be checked, but
 * nothing outside RAM is read. Nodes are type-stable.
 */
export function radixPeek(ra: Radix, index: u32): u32 {
  let h = ld32(changetype<usize>(ra) + offsetof<Radix>('ra_height'));
  let n = ld32(changetype<usize>(ra));
  if (h > HEIGHT_MAX || !covers(h, index)) return 0;
  const frames = roots().r_nframes;
  while (h > 0 && n != 0) {
    // a node lies in one frame
    if (n >> PAGE_SHIFT >= frames - 1) return 0;
    h--;
    n = ld32(slotAt(n & ~7, way(index, h)));
  }
  return n;
}

function nodeAlloc(mode: u32): u32 {
  return <u32>zoneAlloc(changetype<Zone>(<usize>roots().r_zradix), mode | ALLOC_ZERO);
}

function nodeFree(n: u32): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zradix), n);
}

/** Put a pointer at an index that has none: 0, or -ENOMEM and nothing changed. mode: ALLOC_*. */
export function radixInsert(ra: Radix, index: u32, value: u32, mode: u32): i32 {
  while (!covers(ra.ra_height, index)) {
    if (ra.ra_root != 0) {
      const top = nodeAlloc(mode);
      if (top == 0) return -ENOMEM;
      store<u32>(slotAt(top, 0), ra.ra_root);
      changetype<RadixNode>(<usize>top).rn_count = 1;
      ra.ra_root = top;
    }
    ra.ra_height++;
  }
  let link = changetype<usize>(ra) + offsetof<Radix>('ra_root');
  let parent: u32 = 0;
  for (let h = ra.ra_height; h > 0; ) {
    h--;
    let n = load<u32>(link);
    if (n == 0) {
      n = nodeAlloc(mode);
      if (n == 0) {
        prune(ra, index);
        return -ENOMEM;
      }
      store<u32>(link, n);
      if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count++;
    }
    parent = n;
    link = slotAt(n, way(index, h));
  }
  if (DEBUG) kassert(load<u32>(link) == 0, 'radix tree has something there');
  store<u32>(link, value);
  if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count++;
  ra.ra_count++;
  return 0;
}

/** Take the pointer at an index out. It is there. */
export function radixRemove(ra: Radix, index: u32): void {
  let link = changetype<usize>(ra) + offsetof<Radix>('ra_root');
  let parent: u32 = 0;
  for (let h = ra.ra_height; h > 0; ) {
    h--;
    parent = load<u32>(link);
    link = slotAt(parent, way(index, h));
  }
  if (DEBUG) kassert(load<u32>(link) != 0, 'radix tree has nothing there');
  store<u32>(link, 0);
  if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count--;
  ra.ra_count--;
  prune(ra, index);
}

/** Free the empty nodes on the way to an index, from below. */
function prune(ra: Radix, index: u32): void {
  for (let level: u32 = 1; level <= ra.ra_height; level++) {
    let link = changetype<usize>(ra) + offsetof<Radix>('ra_root');
    let parent: u32 = 0;
    let h = ra.ra_height;
    while (h > level) {
      const up = load<u32>(link);
      if (up == 0) break;
      h--;
      parent = up;
      link = slotAt(up, way(index, h));
    }
    const n = load<u32>(link);
    if (h != level || n == 0) continue;
    if (changetype<RadixNode>(<usize>n).rn_count != 0) return;
    nodeFree(n);
    store<u32>(link, 0);
    if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count--;
  }
  if (ra.ra_root == 0) ra.ra_height = 0;
}

/**
 * The first pointer at an index >= `from`, or 0. Skips a missing subtree in one step, so a sparse
 * table costs by what is in it.
 */
export function radixNext(ra: Radix, from: u32): u32 {
  let index = from;
  while (covers(ra.ra_height, index)) {
    let n = ra.ra_root;
    let h = ra.ra_height;
    if (n == 0 || h == 0) return n;
    while (h > 0) {
      h--;
      const child = load<u32>(slotAt(n, way(index, h)));
      if (child == 0) break;
      n = child;
      if (h == 0) return n;
    }
    const step: u32 = 1 << (BITS * h);
    const next = (index & ~(step - 1)) + step;
    if (next <= index) break;
    index = next;
  }
  return 0;
}
