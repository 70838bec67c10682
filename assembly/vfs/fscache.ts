/**
 * Fscache: the cached and system-managed part of a file, apart from any vnode: pages, attributes,
 * range locks, grants. Reading, writing, truncating, write-back and the attribute cache work on
 * an Fscache and know no vnode; a vnode embeds one, and so may a fifo or a block device.
 *
 * Pages hang in a radix tree of 64-way nodes. fc_root is a VmPage when fc_height is 0 (only page
 * 0 can exist then), else the top node; a tree of height h covers 64^h pages.
 *
 * X1. va_size in fc_attr is the size. It changes only under an exclusive range lock to infinity.
 * X2. Bytes of the last page behind the size are zero.
 * X3. A page in the tree is PG_FILE | PG_VALID with pg_owner this Fscache. No page: a hole, or
 *     data that VOP_GETPAGES brings (fc_fm is asked on every miss).
 * X4. While FC_ATTRVALID is set, fc_attr is the truth and getattr enters no file system.
 */
import { EFBIG, ENOMEM } from '../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/layout';
import { Roots, roots } from '../kern/boot';
import { clockNow } from '../kern/clock';
import { curcpu } from '../kern/cpu';
import { add32 } from '../kern/lock';
import { kassert } from '../kern/panic';
import {
  ALLOC_NOIO,
  ALLOC_ZERO,
  PG_FILE,
  PG_VALID,
  pageAddr,
  pageAlloc,
  pageFree,
  VmPage,
} from '../vm/page';
import { Uio, uiomove } from '../vm/uio';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { Fsmanage } from './fsmanage';
import { Vattr } from './vattr';
import { vop_getpages } from './vop';

@unmanaged
export class Fscache {
  // the Vattr is the first FC_ATTR_SIZE bytes: see fc_attr
  fc_a0: u64;
  fc_a1: u64;
  fc_a2: u64;
  fc_a3: u64;
  fc_a4: u64;
  fc_a5: u64;
  fc_a6: u64;
  fc_a7: u64;
  fc_a8: u64;
  fc_a9: u64;
  fc_a10: u64;
  fc_a11: u64;
  fc_a12: u64;
  fc_fm: Fsmanage; //  who pages in and out
  fc_data: u32; //     that pager's private pointer
  fc_root: u32; //     page index
  fc_height: u32;
  fc_npages: u32;
  fc_flags: u32; //    FC_*
  fc_dirty: u32; //    dirty pages, linked by pg_next / pg_prev
  fc_ndirty: u32;
  fc_rl: u32; //       held range locks
  fc_rllock: u32; //   spin: fc_rl
  fc_attrseq: u32; //  odd while fc_attr is being changed (smp readers without locks)
  fc_gattr: u32; //    grants: what this machine may cache. A local mount holds the highest
  fc_gdata: u32; //    for ever.
  fc_gname: u32;
  fc_gepoch: u32;
  fc_error: u32; //    sequence of write-back errors

  // @ts-ignore: decorator
  @inline
  get fc_attr(): Vattr {
    return changetype<Vattr>(changetype<usize>(this));
  }
  // @ts-ignore: decorator
  @inline
  get fc_size(): u64 {
    return changetype<Vattr>(changetype<usize>(this)).va_size;
  }
}

export const FC_ATTRVALID: u32 = 1;
export const FC_ATTRDIRTY: u32 = 2; // changed since the file system last stored it
export const FC_NOGROW: u32 = 4; //    writes do not move the size (devices)
export const GRANT_ALL: u32 = 3;

if (offsetof<Vattr>() != 13 * 8) ERROR('Fscache: Vattr');
if (offsetof<Fscache>() % 8 != 0) ERROR('Fscache');

/** The largest file: pg_index has 32 bits. */
export const FSCACHE_MAX_BYTES: u64 = (<u64>1 << 44) - 1;

// getpages and putpages flags
export const GP_WRITE: u32 = 1; // the page will be written: make one where there is none
export const GP_WHOLE: u32 = 2; // every byte of it will be: it need not be read or zeroed
export const GP_FREE: u32 = 4;
/** Returned by getpages for a place that has no data: read it as zeros. */
export const GP_HOLE: i32 = 1;

const RADIX_BITS: u32 = 6;
const RADIX_WAYS: u32 = 64;

/** A radix node: 64 children and the count of those that are not null. */
@unmanaged
class RadixNode {
  rn_count: u32;
  rn_pad: u32;
  // u32[64] follows
}
const RN_SLOTS: usize = offsetof<RadixNode>();

export function fscacheInit(): void {
  roots().r_zradix = <u32>changetype<usize>(zoneCreate('radix', <u32>RN_SLOTS + 4 * RADIX_WAYS, 0));
}

export function fscacheSetup(fc: Fscache, fm: Fsmanage, data: u32): void {
  memory.fill(changetype<usize>(fc), 0, offsetof<Fscache>());
  fc.fc_fm = fm;
  fc.fc_data = data;
  fc.fc_gattr = GRANT_ALL;
  fc.fc_gdata = GRANT_ALL;
  fc.fc_gname = GRANT_ALL;
}

// ── attributes ───────────────────────────────────────────────────────────────────────────────

/** Around every change of fc_attr, so that a reader without locks can tell. */
// @ts-ignore: decorator
@inline
export function attrBegin(fc: Fscache): void {
  if (SMP) add32(changetype<usize>(fc) + offsetof<Fscache>('fc_attrseq'), 1);
}

// @ts-ignore: decorator
@inline
export function attrEnd(fc: Fscache): void {
  if (SMP) add32(changetype<usize>(fc) + offsetof<Fscache>('fc_attrseq'), 1);
  fc.fc_flags |= FC_ATTRDIRTY;
}

/** mtime and ctime become this call's time. */
export function fscacheTouch(fc: Fscache): void {
  clockNow();
  const c = curcpu;
  const va = fc.fc_attr;
  attrBegin(fc);
  va.va_mtime = c.c_nowsec;
  va.va_mtimens = c.c_nownsec;
  va.va_ctime = c.c_nowsec;
  va.va_ctimens = c.c_nownsec;
  attrEnd(fc);
}

/** ctime becomes this call's time. */
export function fscacheTouchCtime(fc: Fscache): void {
  clockNow();
  const c = curcpu;
  attrBegin(fc);
  fc.fc_attr.va_ctime = c.c_nowsec;
  fc.fc_attr.va_ctimens = c.c_nownsec;
  attrEnd(fc);
}

// ── the page index ───────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function slotAt(node: u32, i: u32): usize {
  return <usize>node + RN_SLOTS + ((<usize>i) << 2);
}

/** Pages that a tree of this height can hold. */
// @ts-ignore: decorator
@inline
function covers(height: u32, index: u32): bool {
  if (height == 0) return index == 0;
  if (height >= 6) return true;
  return index >> (RADIX_BITS * height) == 0;
}

/** The page at an index, or null. */
// @ts-ignore: decorator
@inline
export function fscachePage(fc: Fscache, index: u32): VmPage {
  let h = fc.fc_height;
  let n = fc.fc_root;
  if (!covers(h, index)) return changetype<VmPage>(<usize>0);
  while (h > 0 && n != 0) {
    h--;
    n = load<u32>(slotAt(n, (index >> (RADIX_BITS * h)) & (RADIX_WAYS - 1)));
  }
  return changetype<VmPage>(<usize>n);
}

function radixNode(mode: u32): u32 {
  return <u32>zoneAlloc(changetype<Zone>(<usize>roots().r_zradix), mode | ALLOC_ZERO);
}

function radixFree(n: u32): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zradix), n);
}

/** Put a page in the index: 0 or -ENOMEM (the page stays the caller's). */
export function fscacheInsert(fc: Fscache, index: u32, pg: VmPage): i32 {
  while (!covers(fc.fc_height, index)) {
    if (fc.fc_root != 0) {
      const top = radixNode(ALLOC_NOIO);
      if (top == 0) return -ENOMEM;
      store<u32>(slotAt(top, 0), fc.fc_root);
      changetype<RadixNode>(<usize>top).rn_count = 1;
      fc.fc_root = top;
    }
    fc.fc_height++;
  }
  let link = changetype<usize>(fc) + offsetof<Fscache>('fc_root');
  let parent: u32 = 0;
  for (let h = fc.fc_height; h > 0; ) {
    h--;
    let n = load<u32>(link);
    if (n == 0) {
      n = radixNode(ALLOC_NOIO);
      if (n == 0) {
        if (parent != 0) radixPrune(fc, index);
        return -ENOMEM;
      }
      store<u32>(link, n);
      if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count++;
    }
    parent = n;
    link = slotAt(n, (index >> (RADIX_BITS * h)) & (RADIX_WAYS - 1));
  }
  if (DEBUG) kassert(load<u32>(link) == 0, 'page index has a page there');
  store<u32>(link, <u32>changetype<usize>(pg));
  if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count++;
  pg.pg_owner = <u32>changetype<usize>(fc);
  pg.pg_index = index;
  fc.fc_npages++;
  return 0;
}

/** Free the empty nodes on the way to an index, from below. */
function radixPrune(fc: Fscache, index: u32): void {
  for (let level: u32 = 1; level <= fc.fc_height; level++) {
    let link = changetype<usize>(fc) + offsetof<Fscache>('fc_root');
    let parent: u32 = 0;
    let h = fc.fc_height;
    while (h > level) {
      h--;
      const n = load<u32>(link);
      if (n == 0) break;
      parent = n;
      link = slotAt(n, (index >> (RADIX_BITS * h)) & (RADIX_WAYS - 1));
    }
    const n = load<u32>(link);
    if (h != level || n == 0) continue;
    if (changetype<RadixNode>(<usize>n).rn_count != 0) return;
    radixFree(n);
    store<u32>(link, 0);
    if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count--;
  }
  if (fc.fc_root == 0) fc.fc_height = 0;
}

/** Take a page out of the index; it is the caller's then. */
export function fscacheRemove(fc: Fscache, pg: VmPage): void {
  const index = pg.pg_index;
  let link = changetype<usize>(fc) + offsetof<Fscache>('fc_root');
  let parent: u32 = 0;
  for (let h = fc.fc_height; h > 0; ) {
    h--;
    parent = load<u32>(link);
    link = slotAt(parent, (index >> (RADIX_BITS * h)) & (RADIX_WAYS - 1));
  }
  if (DEBUG) kassert(load<u32>(link) == <u32>changetype<usize>(pg), 'page is not where its index says');
  store<u32>(link, 0);
  if (parent != 0) changetype<RadixNode>(<usize>parent).rn_count--;
  fc.fc_npages--;
  pg.pg_owner = 0;
  radixPrune(fc, index);
}

/**
 * The first page with an index >= `from`, or null. Descends once per empty subtree skipped, so a
 * sparse file costs by its pages and not by its size.
 */
export function fscacheNextPage(fc: Fscache, from: u32): VmPage {
  let index = from;
  while (covers(fc.fc_height, index)) {
    let n = fc.fc_root;
    let h = fc.fc_height;
    if (n == 0) break;
    while (h > 0) {
      h--;
      const i = (index >> (RADIX_BITS * h)) & (RADIX_WAYS - 1);
      const child = load<u32>(slotAt(n, i));
      if (child == 0) break;
      n = child;
      if (h == 0) return changetype<VmPage>(<usize>n);
    }
    if (fc.fc_height == 0) return changetype<VmPage>(<usize>n);
    // skip the subtree that is missing at level h
    const step: u32 = 1 << (RADIX_BITS * h);
    const next = (index & ~(step - 1)) + step;
    if (next <= index) break;
    index = next;
  }
  return changetype<VmPage>(<usize>0);
}

/** A fresh page in the index, zeroed unless GP_WHOLE: 0, -ENOMEM. For pagers. */
export function fscacheAddPage(fc: Fscache, index: u32, flags: u32): i32 {
  const pg = pageAlloc(flags & GP_WHOLE ? ALLOC_NOIO : ALLOC_NOIO | ALLOC_ZERO, PG_FILE | PG_VALID);
  if (changetype<usize>(pg) == 0) return -ENOMEM;
  const e = fscacheInsert(fc, index, pg);
  if (e != 0) {
    pageFree(pg);
    return e;
  }
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_filepages'), 1);
  return 0;
}

/** Take a page out and free it. */
export function fscacheDropPage(fc: Fscache, pg: VmPage): void {
  fscacheRemove(fc, pg);
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_filepages'), -1);
  pageFree(pg);
}

/** Drop every page with index in [from, to). Returns how many there were. */
export function fscacheDropRange(fc: Fscache, from: u32, to: u32): u32 {
  let n: u32 = 0;
  while (true) {
    const pg = fscacheNextPage(fc, from);
    if (changetype<usize>(pg) == 0 || pg.pg_index >= to) return n;
    fscacheDropPage(fc, pg);
    n++;
  }
}

// ── reading and writing ──────────────────────────────────────────────────────────────────────

/**
 * Read at uio_off up to the size. Caller holds the range shared. 0, or an error with what was
 * moved taken off uio_resid.
 */
export function fscacheRead(fc: Fscache, u: Uio): i32 {
  const size = fc.fc_size;
  while (u.uio_resid != 0 && <u64>u.uio_off < size) {
    const index = <u32>(u.uio_off >> PAGE_SHIFT);
    const at = <u32>u.uio_off & (PAGE_SIZE - 1);
    const left = size - <u64>u.uio_off;
    let n: u32 = PAGE_SIZE - at;
    if (<u64>n > left) n = <u32>left;
    let pg = fscachePage(fc, index);
    let from: usize;
    if (changetype<usize>(pg) == 0) {
      const e = vop_getpages(fc.fc_fm, fc, index, 1, 0);
      if (e < 0) return e;
      pg = fscachePage(fc, index);
    }
    from = changetype<usize>(pg) == 0 ? <usize>roots().r_zeropage : pageAddr(pg);
    const e = uiomove(from + at, n, u);
    if (e != 0) return e;
  }
  return 0;
}

/**
 * Write at uio_off. Caller holds the range exclusive (to infinity if the size will grow). Grows
 * the size as far as bytes were stored. 0, or an error with what was moved off uio_resid: a
 * caller reports a short write if anything was.
 */
export function fscacheWrite(fc: Fscache, u: Uio): i32 {
  if (<u64>u.uio_off > FSCACHE_MAX_BYTES) return -EFBIG;
  if (<u64>u.uio_off + u.uio_resid > FSCACHE_MAX_BYTES + 1) {
    if (<u64>u.uio_off == FSCACHE_MAX_BYTES + 1) return -EFBIG;
  }
  let error: i32 = 0;
  while (u.uio_resid != 0) {
    if (<u64>u.uio_off > FSCACHE_MAX_BYTES) {
      error = -EFBIG;
      break;
    }
    const index = <u32>(u.uio_off >> PAGE_SHIFT);
    const at = <u32>u.uio_off & (PAGE_SIZE - 1);
    let n: u32 = PAGE_SIZE - at;
    if (n > u.uio_resid) n = u.uio_resid;
    let pg = fscachePage(fc, index);
    const fresh = changetype<usize>(pg) == 0;
    if (fresh) {
      error = vop_getpages(fc.fc_fm, fc, index, 1, n == PAGE_SIZE ? GP_WRITE | GP_WHOLE : GP_WRITE);
      if (error != 0) break;
      pg = fscachePage(fc, index);
      if (DEBUG) kassert(changetype<usize>(pg) != 0, 'getpages made no page');
    }
    const off0 = u.uio_off;
    error = uiomove(pageAddr(pg) + at, n, u);
    if (error != 0 && fresh && n == PAGE_SIZE) {
      // the page was never zeroed: what the copy did not reach must not show
      const got = <u32>(u.uio_off - off0);
      memory.fill(pageAddr(pg) + at + got, 0, n - got);
    }
    if (<u64>u.uio_off > fc.fc_size && u.uio_off != off0) {
      attrBegin(fc);
      fc.fc_attr.va_size = <u64>u.uio_off;
      attrEnd(fc);
    }
    if (error != 0) break;
  }
  return error;
}

/**
 * Set the size. Caller holds the range exclusive to infinity. Drops whole pages behind it and
 * zeroes the rest of the last one. Returns the number of pages dropped.
 */
export function fscacheSetSize(fc: Fscache, size: u64): u32 {
  let dropped: u32 = 0;
  if (size < fc.fc_size) {
    const keep = <u32>((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
    dropped = fscacheDropRange(fc, keep, u32.MAX_VALUE);
    fscacheZero(fc, size, ((size + PAGE_SIZE - 1) & ~(<u64>PAGE_SIZE - 1)) - size);
  }
  attrBegin(fc);
  fc.fc_attr.va_size = size;
  attrEnd(fc);
  return dropped;
}

/** Zero [off, off + len) where there are pages, within one page or over many. */
export function fscacheZero(fc: Fscache, off: u64, len: u64): void {
  const end = off + len;
  while (off < end) {
    const pg = fscacheNextPage(fc, <u32>(off >> PAGE_SHIFT));
    if (changetype<usize>(pg) == 0) return;
    const start = <u64>pg.pg_index << PAGE_SHIFT;
    if (start >= end) return;
    const from = off > start ? <u32>(off - start) : 0;
    const to = end - start < PAGE_SIZE ? <u32>(end - start) : PAGE_SIZE;
    memory.fill(pageAddr(pg) + from, 0, to - from);
    off = start + PAGE_SIZE;
  }
}

/** Zero [off, off + len), dropping whole pages: returns how many. */
export function fscachePunch(fc: Fscache, off: u64, len: u64): u32 {
  const end = off + len;
  const first = (off + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const last = end >> PAGE_SHIFT;
  if (first >= last) {
    fscacheZero(fc, off, len);
    return 0;
  }
  fscacheZero(fc, off, (first << PAGE_SHIFT) - off);
  fscacheZero(fc, last << PAGE_SHIFT, end - (last << PAGE_SHIFT));
  return fscacheDropRange(fc, <u32>first, last > u32.MAX_VALUE ? u32.MAX_VALUE : <u32>last);
}

/** The next byte with data at or after `off` (a page that exists), or -1. */
export function fscacheSeekData(fc: Fscache, off: u64): i64 {
  const pg = fscacheNextPage(fc, <u32>(off >> PAGE_SHIFT));
  if (changetype<usize>(pg) == 0) return -1;
  const start = <u64>pg.pg_index << PAGE_SHIFT;
  if (start >= fc.fc_size) return -1;
  return <i64>(start > off ? start : off);
}

/** The next byte in a hole at or after `off`; the size counts as one. */
export function fscacheSeekHole(fc: Fscache, off: u64): i64 {
  let index = <u32>(off >> PAGE_SHIFT);
  if (changetype<usize>(fscachePage(fc, index)) == 0) return <i64>off;
  while (changetype<usize>(fscachePage(fc, index)) != 0) index++;
  const at = <u64>index << PAGE_SHIFT;
  return <i64>(at < fc.fc_size ? at : fc.fc_size);
}

/** Give the page index away (to whoever keeps data when the vnode goes): the fscache is left empty.
 *  `out` receives root, height and count: three words. */
export function fscacheDetach(fc: Fscache, out: usize): void {
  setOwner(fc, 0);
  store<u32>(out, fc.fc_root);
  store<u32>(out, fc.fc_height, 4);
  store<u32>(out, fc.fc_npages, 8);
  fc.fc_root = 0;
  fc.fc_height = 0;
  fc.fc_npages = 0;
}

/** Take an index over that fscacheDetach gave away; the words at `from` become zero. */
export function fscacheAttach(fc: Fscache, from: usize): void {
  fc.fc_root = load<u32>(from);
  fc.fc_height = load<u32>(from, 4);
  fc.fc_npages = load<u32>(from, 8);
  store<u64>(from, 0);
  store<u32>(from, 0, 8);
  setOwner(fc, <u32>changetype<usize>(fc));
}

function setOwner(fc: Fscache, owner: u32): void {
  let i: u32 = 0;
  do {
    const pg = fscacheNextPage(fc, i);
    if (changetype<usize>(pg) == 0) return;
    pg.pg_owner = owner;
    i = pg.pg_index + 1;
  } while (i != 0);
}
