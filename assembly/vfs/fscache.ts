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
import { roots } from '../kern/boot';
import { clockNow } from '../kern/clock';
import { curcpu } from '../kern/cpu';
import { add32, or32, spinLock, spinUnlock } from '../kern/lock';
import { kassert } from '../kern/panic';
import { wordsZero } from '../kern/words';
import { PG_FILE, PG_VALID, pageAddr, pageHold, pageReferenced, pageRelease } from '../vm/page';
import { Uio, uiomove } from '../vm/uio';
import { Radix } from '../vm/radix';
import { fscacheDirty, fscacheList, SECTORS_ALL, sectorsOf } from './dirty';
import { Fsmanage } from './fsmanage';
import { Vattr } from './vattr';
import { fscachePage, fscacheNextPage, fscacheDropPage, fscacheDropRange } from './pageindex';
import { vop_getpages, vop_putpages } from './vop';
import { writebackMore, writebackThrottle } from './writeback';

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
  fc_dirty: u32; //    dirty pages, linked by pg_next / pg_prev, oldest first (vfs/dirty.ts)
  fc_dirtytail: u32;
  fc_ndirty: u32;
  fc_dnext: u32; //    r_dirtylock; list of Fscaches with something to write
  fc_dprev: u32;
  fc_dirtied: u32; //  second of CLOCK_REALTIME it was put on that list
  fc_raindex: u32; //  pager: the page a sequential reader asks for next
  fc_rawindow: u32; // pager: pages to read ahead for it
  fc_rl: u32; //       held range locks
  fc_rllock: u32; //   spin: fc_rl
  fc_attrseq: u32; //  odd while fc_attr is being changed (smp readers without locks)
  fc_gattr: u32; //    grants: what this machine may cache. A local mount holds the highest
  fc_gdata: u32; //    for ever.
  fc_gname: u32;
  fc_gepoch: u32;
  fc_error: u32; //    sequence of write-back errors
  fc_errno: i32; //    the last of them, negated
  fc_attrlock: u32; //  spin, smp: changes of fc_attr
  fc_pglock: u32; //   spin, smp: the page index, while it is changed
  fc_pad: u32;

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
export const FC_DEVICE: u32 = 4; //    a block device's own: the size is fixed
export const FC_BACKED: u32 = 8; //    a disk has its data: pages are dirty or clean (vfs/dirty.ts)
export const FC_VNODE: u32 = 16; //    embedded in a vnode
export const FC_LISTED: u32 = 32; //   on the list of those with something to write
export const GRANT_ALL: u32 = 3;

if (offsetof<Vattr>() != 13 * 8) ERROR('Fscache: Vattr');
if (offsetof<Fscache>() % 8 != 0) ERROR('Fscache');

/** The largest file: pg_index has 32 bits. */
export const FSCACHE_MAX_BYTES: u64 = (<u64>1 << 44) - 1;

// getpages and putpages flags
export const GP_WRITE: u32 = 1; // the page will be written: make one where there is none
export const GP_WHOLE: u32 = 2; // every byte of it will be: it need not be read or zeroed
export const GP_FREE: u32 = 4;
/** putpages: these sectors are to be durable when it returns. */
export const GP_FUA: u32 = 8;
/** getpages: the sectors that will be written; putpages: write these of one page, dirty or not. */
export const GP_SECTORS: u32 = 16;

/** GP_SECTORS and the sectors of one page, as bits of vfs/dirty.ts. */
// @ts-ignore: decorator
@inline
export function gpSectors(mask: u32): u32 {
  return GP_SECTORS | (mask << 8);
}

/** The sectors that GP_SECTORS came with. */
// @ts-ignore: decorator
@inline
export function gpMask(flags: u32): u32 {
  return (flags >> 8) & 255;
}
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

/** Around every change of fc_attr, so that a reader without locks can tell, and two CPUs do not change it at once: nothing that
 *  waits or locks comes in between. */
// @ts-ignore: decorator
@inline
export function attrBegin(fc: Fscache): void {
  if (!SMP) return;
  spinLock(changetype<usize>(fc) + offsetof<Fscache>('fc_attrlock'));
  add32(changetype<usize>(fc) + offsetof<Fscache>('fc_attrseq'), 1);
}

// @ts-ignore: decorator
@inline
export function attrEnd(fc: Fscache): void {
  if (SMP) add32(changetype<usize>(fc) + offsetof<Fscache>('fc_attrseq'), 1);
  const flags = or32(changetype<usize>(fc) + offsetof<Fscache>('fc_flags'), FC_ATTRDIRTY);
  if (SMP) spinUnlock(changetype<usize>(fc) + offsetof<Fscache>('fc_attrlock'));
  if ((flags & (FC_BACKED | FC_LISTED)) == FC_BACKED) fscacheList(fc);
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

export { fscachePage, fscacheInsert, fscacheRemove, fscacheTryRemove, fscacheNextPage, fscacheAddPage, fscacheAddFrame, fscacheDropPage, fscacheDropRange } from './pageindex';

// ── reading and writing ──────────────────────────────────────────────────────────────────────

/**
 * Read at uio_off up to the size. Caller holds the range shared. 0, or an error with what was
 * moved taken off uio_resid.
 */
export function fscacheRead(fc: Fscache, u: Uio): i32 {
  const size = fc.fc_size;
  const backed = (fc.fc_flags & FC_BACKED) != 0;
  while (u.uio_resid != 0 && <u64>u.uio_off < size) {
    const index = <u32>(u.uio_off >> PAGE_SHIFT);
    const at = <u32>u.uio_off & (PAGE_SIZE - 1);
    const left = size - <u64>u.uio_off;
    let n: u32 = PAGE_SIZE - at;
    if (<u64>n > left) n = <u32>left;
    let pg = fscachePage(fc, index);
    let from: usize;
    if (changetype<usize>(pg) == 0) {
      const e = pagerRead(fc, index);
      if (e < 0) return e;
      pg = fscachePage(fc, index);
    } else if (backed) pageReferenced(pg);
    from = changetype<usize>(pg) == 0 ? <usize>roots().r_zeropage : pageAddr(pg);
    if (<u64>n < left && n < u.uio_resid && changetype<usize>(pg) != 0) n = runInRam(fc, index, from, at, u.uio_resid, left);
    const e = uiomove(from + at, n, u);
    if (e != 0) return e;
  }
  return 0;
}

/** How many bytes from `at` in page `index`, which is at `from`, are in a row in RAM: at most `want` and `left`. */
function runInRam(fc: Fscache, index: u32, from: usize, at: u32, want: u32, left: u64): u32 {
  let n: u32 = PAGE_SIZE - at;
  const most = <u64>want < left ? want : <u32>left;
  for (let next = from + PAGE_SIZE; n < most; next += PAGE_SIZE) {
    const pg = fscachePage(fc, ++index);
    if (changetype<usize>(pg) == 0 || pageAddr(pg) != next) break;
    if (fc.fc_flags & FC_BACKED) pageReferenced(pg);
    n = most - n < PAGE_SIZE ? most : n + PAGE_SIZE;
  }
  return n;
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
    if (fc.fc_flags & FC_BACKED) {
      const whole = n == PAGE_SIZE ? segmentPages(u) : 0;
      const many = whole > 1 && index < u32.MAX_VALUE && changetype<usize>(fscachePage(fc, index)) == 0;
      error = many ? writeFresh(fc, u, index, whole) : writeBacked(fc, u, index, at, n);
      if (error != 0) break;
      continue;
    }
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
    if (u.uio_off != off0) grow(fc, <u64>u.uio_off);
    if (error != 0) break;
  }
  return error;
}

/** Bytes were stored up to here. */
// @ts-ignore: decorator
@inline
function grow(fc: Fscache, end: u64): void {
  if (end <= fc.fc_size) return;
  attrBegin(fc);
  fc.fc_attr.va_size = end;
  attrEnd(fc);
}

/**
 * Write within one page of a file that a disk has. The pager is asked first unless all that is to be
 * written is dirty already: it reads what stays of the page, and sees to room on the disk.
 */
function writeBacked(fc: Fscache, u: Uio, index: u32, at: u32, n: u32): i32 {
  const mask = sectorsOf(at, n);
  let pg = fscachePage(fc, index);
  const fresh = changetype<usize>(pg) == 0;
  // a copy of several pieces may fail half way, and then what was there must still be
  const whole = n == PAGE_SIZE && u.uio_len >= n;
  const dirty = fresh ? 0 : fc.fc_flags & FC_DEVICE ? pg.pg_epoch : pg.pg_private;
  if ((dirty & mask) != mask) {
    const e = pagerRoom(fc, index, whole ? GP_WRITE | GP_WHOLE | gpSectors(mask) : GP_WRITE | gpSectors(mask));
    if (e != 0) return e;
    pg = fscachePage(fc, index);
    if (DEBUG) kassert(changetype<usize>(pg) != 0, 'getpages made no page');
  }
  const off0 = u.uio_off;
  pageHold(pg);
  const e = uiomove(pageAddr(pg) + at, n, u);
  pageRelease(pg);
  if (e != 0 && fresh && whole) {
    // nothing was copied, and the page was not read: let the pager take back what it set aside
    vop_putpages(fc.fc_fm, fc, index, 1, GP_FREE);
    pg = fscachePage(fc, index);
    if (changetype<usize>(pg) != 0) fscacheDropPage(fc, pg);
    return e;
  }
  // the size first, as in freshCopy
  if (u.uio_off != off0) grow(fc, <u64>u.uio_off);
  fscacheDirty(fc, pg, mask);
  return e;
}

/** Whole pages that come from one segment: of its bytes those that are wanted, for a limit may have cut the transfer. */
// @ts-ignore: decorator
@inline
function segmentPages(u: Uio): u32 {
  return (u.uio_len < u.uio_resid ? u.uio_len : u.uio_resid) >> PAGE_SHIFT;
}

/** The most pages that are copied to at once. */
const FRESH_PAGES: u32 = 16;

/**
 * Write whole pages that are not there, `most` at the most, from one segment: the pager makes them, and those that are
 * neighbours in RAM are copied to at once. As writeBacked.
 */
function writeFresh(fc: Fscache, u: Uio, index: u32, most: u32): i32 {
  if (most > FRESH_PAGES) most = FRESH_PAGES;
  if (most > u32.MAX_VALUE - index) most = u32.MAX_VALUE - index;
  const flags = GP_WRITE | GP_WHOLE | gpSectors(SECTORS_ALL);
  let error: i32 = 0;
  let first = index;
  let addr: usize = 0;
  const end = index + most;
  for (; index < end; index++) {
    if (changetype<usize>(fscachePage(fc, index)) != 0) break;
    const e = pagerRoom(fc, index, flags);
    if (e != 0) {
      error = e;
      break;
    }
    const pg = fscachePage(fc, index);
    pageHold(pg);
    const n = index - first;
    if (n != 0 && pageAddr(pg) != addr + ((<usize>n) << PAGE_SHIFT)) {
      const e = freshCopy(fc, u, first, n, addr);
      first = index;
      if (e != 0) {
        freshDrop(fc, index, 1);
        return e;
      }
    }
    if (index == first) addr = pageAddr(pg);
  }
  const e = first != index ? freshCopy(fc, u, first, index - first, addr) : 0;
  return e != 0 ? e : error;
}

/** Fill `n` pages from `first` on, which are held and in a row at addr. What is not filled is taken back. */
function freshCopy(fc: Fscache, u: Uio, first: u32, n: u32, addr: usize): i32 {
  const off0 = u.uio_off;
  const e = uiomove(addr, n << PAGE_SHIFT, u);
  const done = <u32>((u.uio_off - off0) >> PAGE_SHIFT);
  // the size first: another CPU may write a dirty page, and with it as much of the size as there is
  if (done != 0) grow(fc, <u64>u.uio_off);
  for (let i: u32 = 0; i < done; i++) {
    const pg = fscachePage(fc, first + i);
    pageRelease(pg);
    fscacheDirty(fc, pg, SECTORS_ALL);
  }
  if (done < n) freshDrop(fc, first + done, n - done);
  return e;
}

/** Pages that nothing was copied to, held: the pager takes back what it set aside for them. */
function freshDrop(fc: Fscache, first: u32, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const pg = fscachePage(fc, first + i);
    pageRelease(pg);
    vop_putpages(fc.fc_fm, fc, first + i, 1, GP_FREE);
    const left = fscachePage(fc, first + i);
    if (changetype<usize>(left) != 0) fscacheDropPage(fc, left);
  }
}

/** getpages for a write. With too much of RAM dirty, some of it is written back first. */
function pagerRoom(fc: Fscache, index: u32, flags: u32): i32 {
  if (roots().r_ndirty >= roots().r_dirtymax) {
    const e = writebackThrottle(fc);
    if (e != 0) return e;
  }
  const e = vop_getpages(fc.fc_fm, fc, index, 1, flags);
  if (e != -ENOMEM || roots().r_ndirty == 0) return e;
  writebackMore();
  return vop_getpages(fc.fc_fm, fc, index, 1, flags);
}

/** getpages for a read: pages may have to become clean first. */
function pagerRead(fc: Fscache, index: u32): i32 {
  const e = vop_getpages(fc.fc_fm, fc, index, 1, 0);
  if (e != -ENOMEM || roots().r_ndirty == 0) return e;
  writebackMore();
  return vop_getpages(fc.fc_fm, fc, index, 1, 0);
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
