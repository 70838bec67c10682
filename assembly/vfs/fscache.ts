/**
 * Fscache: the cached and system-managed part of a file, apart from any vnode: pages, attributes,
 * range locks, grants. Reading, writing, truncating, write-back and the attribute cache work on
 * an Fscache and know no vnode; a vnode embeds one, and so may a fifo or a block device.
 *
 * Pages hang in a Radix (vm/radix.ts), fc_pages: a file of one page has it in fc_root itself.
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
import { wordsZero } from '../kern/words';
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
import { Radix, radixGet, radixInsert, radixNext, radixRemove } from '../vm/radix';
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
  fc_root: u32; //     page index: a Radix, see fc_pages
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
  get fc_pages(): Radix {
    return changetype<Radix>(changetype<usize>(this) + offsetof<Fscache>('fc_root'));
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

if (offsetof<Fscache>('fc_npages') - offsetof<Fscache>('fc_root') != offsetof<Radix>('ra_count')) ERROR('Fscache: Radix');

export function fscacheSetup(fc: Fscache, fm: Fsmanage, data: u32): void {
  wordsZero(changetype<usize>(fc), offsetof<Fscache>());
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

/** The page at an index, or null. */
// @ts-ignore: decorator
@inline
export function fscachePage(fc: Fscache, index: u32): VmPage {
  return changetype<VmPage>(<usize>radixGet(fc.fc_pages, index));
}

/** Put a page in the index: 0 or -ENOMEM (the page stays the caller's). */
export function fscacheInsert(fc: Fscache, index: u32, pg: VmPage): i32 {
  const e = radixInsert(fc.fc_pages, index, <u32>changetype<usize>(pg), ALLOC_NOIO);
  if (e != 0) return e;
  pg.pg_owner = <u32>changetype<usize>(fc);
  pg.pg_index = index;
  return 0;
}

/** Take a page out of the index; it is the caller's then. */
export function fscacheRemove(fc: Fscache, pg: VmPage): void {
  if (DEBUG) kassert(changetype<usize>(fscachePage(fc, pg.pg_index)) == changetype<usize>(pg), 'page is not where its index says');
  radixRemove(fc.fc_pages, pg.pg_index);
  pg.pg_owner = 0;
}

/** The first page with an index >= `from`, or null. */
// @ts-ignore: decorator
@inline
export function fscacheNextPage(fc: Fscache, from: u32): VmPage {
  return changetype<VmPage>(<usize>radixNext(fc.fc_pages, from));
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
  // at the same size too: there may be room kept behind the end
  if (size <= fc.fc_size && fc.fc_npages != 0) {
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
