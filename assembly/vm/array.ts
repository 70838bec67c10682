/**
 * FrameArray: a growable array of u32 elements without contiguous memory.
 *
 * Small ones are one kmalloc'ed block that doubles; past KMALLOC_MAX bytes they are a tree of
 * frames, 1024 children or elements each. Elements never move once it is a tree; element i is found
 * in as many loads as the tree is high. An owner that used its end less lets frames go by
 * frameArrayTrim.
 */
import { ENOMEM } from '../abi/errno';
import { PAGE_SIZE } from '../abi/layout';
import { ALLOC_NOIO, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, pageFree, pageOf } from './page';
import { kfree, kmalloc } from './zone';

@unmanaged
export class FrameArray {
  fa_root: u32; //   block or top frame
  fa_height: u32; // 0: a block; else levels of frames
  fa_cap: u32; //    elements there is room for
  fa_len: u32; //    elements in use, kept by the owner
}

const WAYS: u32 = 1024;
const BLOCK_MAX: u32 = 504;

/** Address of element i < fa_cap. */
// @ts-ignore: decorator
@inline
export function frameArrayAt(fa: FrameArray, i: u32): usize {
  let n = <usize>fa.fa_root;
  let h = fa.fa_height;
  if (h <= 1) return n + (i << 2);
  do {
    h--;
    n = <usize>load<u32>(n + (((i >> (10 * h)) & (WAYS - 1)) << 2));
  } while (h > 1);
  return n + ((i & (WAYS - 1)) << 2);
}

function frame(): u32 {
  const pg = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
  return changetype<usize>(pg) == 0 ? 0 : <u32>pageAddr(pg);
}

/** Make room for at least one more element (all new ones zero): 0 or -ENOMEM. */
export function frameArrayGrow(fa: FrameArray): i32 {
  if (fa.fa_height == 0 && fa.fa_cap < BLOCK_MAX) return growBlock(fa);
  if (fa.fa_height == 0) {
    const f = frame();
    if (f == 0) return -ENOMEM;
    memory.copy(f, fa.fa_root, fa.fa_cap * 4);
    kfree(fa.fa_root);
    fa.fa_root = f;
    fa.fa_height = 1;
    fa.fa_cap = WAYS;
    return 0;
  }
  if (fa.fa_cap == <u32>1 << (10 * fa.fa_height)) {
    const top = frame();
    if (top == 0) return -ENOMEM;
    store<u32>(top, fa.fa_root);
    fa.fa_root = top;
    fa.fa_height++;
  }
  // one more leaf, and the frames above it that are missing
  let n = <usize>fa.fa_root;
  for (let h = fa.fa_height - 1; h > 0; h--) {
    const at = n + (((fa.fa_cap >> (10 * h)) & (WAYS - 1)) << 2);
    if (load<u32>(at) == 0) {
      const f = frame();
      if (f == 0) {
        dropPath(fa, fa.fa_cap);
        return -ENOMEM;
      }
      store<u32>(at, f);
    }
    n = <usize>load<u32>(at);
  }
  fa.fa_cap += WAYS;
  return 0;
}

/** Free the leaf that begins with element i, if it is there, and the frames above it that begin there
 *  too: what growing made for a leaf that could not be had, or what the last leaf leaves empty. */
function dropPath(fa: FrameArray, i: u32): void {
  let n = fa.fa_root;
  for (let h = fa.fa_height - 1; h > 0; h--) {
    const at = <usize>n + (((i >> (10 * h)) & (WAYS - 1)) << 2);
    n = load<u32>(at);
    if (n == 0) return;
    if ((i & ((<u32>1 << (10 * h)) - 1)) != 0) continue;
    store<u32>(at, 0);
    // it, and its first children down to the leaf
    for (; n != 0; h--) {
      const below = h > 1 ? load<u32>(<usize>n) : 0;
      freeFrame(n);
      n = below;
    }
    return;
  }
}

function growBlock(fa: FrameArray): i32 {
  const cap = fa.fa_cap == 0 ? 4 : fa.fa_cap * 2 > BLOCK_MAX ? BLOCK_MAX : fa.fa_cap * 2;
  const block = kmalloc(cap * 4, ALLOC_NOIO | ALLOC_ZERO);
  if (block == 0) return -ENOMEM;
  if (fa.fa_cap != 0) {
    memory.copy(block, fa.fa_root, fa.fa_cap * 4);
    kfree(fa.fa_root);
  }
  fa.fa_root = <u32>block;
  fa.fa_cap = cap;
  return 0;
}

/** Free leaves past fa_len, but for one to grow into again. */
export function frameArrayTrim(fa: FrameArray): void {
  while (fa.fa_height > 1 && fa.fa_cap - fa.fa_len >= 2 * WAYS) {
    fa.fa_cap -= WAYS;
    dropPath(fa, fa.fa_cap);
    // a top frame with one child is one level too many
    if (fa.fa_cap == <u32>1 << (10 * (fa.fa_height - 1))) {
      const top = fa.fa_root;
      fa.fa_root = load<u32>(top);
      fa.fa_height--;
      freeFrame(top);
    }
  }
}

/** Free it all; it is empty again. */
export function frameArrayFree(fa: FrameArray): void {
  if (fa.fa_height == 0) {
    if (fa.fa_root != 0) kfree(fa.fa_root);
  } else {
    // leaves first: walk by leaf number, freeing a frame when its last child is gone
    const leaves = fa.fa_cap >> 10;
    for (let leaf: u32 = 0; leaf < leaves; leaf++) {
      if (fa.fa_height == 1) break;
      freePath(fa, leaf << 10, leaf + 1 == leaves);
    }
    freeFrame(fa.fa_root);
  }
  fa.fa_root = 0;
  fa.fa_height = 0;
  fa.fa_cap = 0;
  fa.fa_len = 0;
}

/** Free the leaf that holds element i, and each frame above it of which it was the last child. */
function freePath(fa: FrameArray, i: u32, last: bool): void {
  for (let level: u32 = 1; level < fa.fa_height; level++) {
    let n = <usize>fa.fa_root;
    for (let h = fa.fa_height - 1; h > level; h--) n = <usize>load<u32>(n + (((i >> (10 * h)) & (WAYS - 1)) << 2));
    const slot = (i >> (10 * level)) & (WAYS - 1);
    freeFrame(load<u32>(n + (slot << 2)));
    if (slot != WAYS - 1 && !last) return;
  }
}

function freeFrame(addr: u32): void {
  pageFree(pageOf(addr));
}

if (PAGE_SIZE != 4 * WAYS) ERROR('FrameArray');
