/** An Fscache's pages by their number: found, put in, taken out. What a page is to its Fscache: fscache.ts, dirty.ts. */
import { EEXIST, ENOMEM } from '../abi/errno';
import { Roots, roots } from '../kern/boot';
import { curalone, curcpu } from '../kern/cpu';
import { add32, ld32, spinLock, spinTry, spinUnlock, st32 } from '../kern/lock';
import { kassert } from '../kern/panic';
import {
  ALLOC_NOIO,
  ALLOC_NOWAIT,
  ALLOC_RESERVE,
  ALLOC_ZERO,
  PG_BUSY,
  PG_CLEAN,
  PG_DIRTY,
  PG_FILE,
  PG_REFERENCED,
  PG_VALID,
  PG_WIRED,
  pageAlloc,
  pageFlag,
  pageFree,
  pageFreeChain,
  pageReferenced,
  pageShortage,
  VmPage,
} from '../vm/page';
import { radixGet, radixInsert, radixNext, radixPeek, radixRemove } from '../vm/radix';
import { pageQueue, pageUnqueue } from './dirty';
import { FC_BACKED, Fscache, GP_WHOLE } from './fscache';

// In `smp` the index is changed under fc_pglock, and read without it. A page of a backed Fscache that was looked
// up stays until the CPU leaves the kernel: PG_REFERENCED is set, and reclaim (vfs/dirty.ts) takes only pages
// that have not been looked up since before every CPU last left the kernel.

// @ts-ignore: decorator
@inline
function indexLock(fc: Fscache): usize {
  return changetype<usize>(fc) + offsetof<Fscache>('fc_pglock');
}

/** The page at an index, or null. */
// @ts-ignore: decorator
@inline
export function fscachePage(fc: Fscache, index: u32): VmPage {
  if (SMP) if (curalone == 0) return sharedPage(fc, index);
  return changetype<VmPage>(<usize>radixGet(fc.fc_pages, index));
}

/** Is what a look into a changing tree gave the page wanted? */
// @ts-ignore: decorator
@inline
function isPageOf(p: u32, fc: Fscache, index: u32): bool {
  const r = roots();
  if (p < r.r_pages || (p - r.r_pages) >> 5 >= r.r_nframes || (p & 31) != (r.r_pages & 31)) return false;
  return (
    ld32(<usize>p + offsetof<VmPage>('pg_owner')) == <u32>changetype<usize>(fc) &&
    ld32(<usize>p + offsetof<VmPage>('pg_index')) == index
  );
}

function sharedPage(fc: Fscache, index: u32): VmPage {
  let p = radixPeek(fc.fc_pages, index);
  if (p != 0 && isPageOf(p, fc, index)) {
    const pg = changetype<VmPage>(<usize>p);
    if (pg.pg_flags & PG_REFERENCED || (fc.fc_flags & FC_BACKED) == 0) return pg;
    pageFlag(pg, PG_REFERENCED);
    // who takes a page away clears its owner, and looks at the flag then
    if (isPageOf(p, fc, index)) return pg;
  }
  spinLock(indexLock(fc));
  p = radixGet(fc.fc_pages, index);
  if (p != 0) pageReferenced(changetype<VmPage>(<usize>p));
  spinUnlock(indexLock(fc));
  return changetype<VmPage>(<usize>p);
}

/** Put a page in the index: 0 or -ENOMEM (the page stays the caller's); in `smp` -EEXIST: another was quicker. */
export function fscacheInsert(fc: Fscache, index: u32, pg: VmPage): i32 {
  const e = SMP || fc.fc_flags & FC_BACKED ? insertBacked(fc, index, pg) : radixInsert(fc.fc_pages, index, <u32>changetype<usize>(pg), ALLOC_NOIO);
  if (e != 0) return e;
  if (!SMP) pageJoin(fc, index, pg);
  return 0;
}

// @ts-ignore: decorator
@inline
function pageJoin(fc: Fscache, index: u32, pg: VmPage): void {
  pg.pg_owner = <u32>changetype<usize>(fc);
  pg.pg_index = index;
  if (SMP) pageReferenced(pg);
  if (fc.fc_flags & FC_BACKED) pageQueue(pg);
}

/** Insert without giving memory back. */
function insertNow(fc: Fscache, index: u32, pg: VmPage, how: u32): i32 {
  if (!SMP) return radixInsert(fc.fc_pages, index, <u32>changetype<usize>(pg), how);
  spinLock(indexLock(fc));
  let e: i32 = -EEXIST;
  if (radixGet(fc.fc_pages, index) == 0) {
    pg.pg_index = index;
    e = radixInsert(fc.fc_pages, index, <u32>changetype<usize>(pg), how);
    if (e == 0) pageJoin(fc, index, pg);
  }
  spinUnlock(indexLock(fc));
  return e;
}

/** Pages of this very index may be what memory is made of: never while it is being changed. */
function insertBacked(fc: Fscache, index: u32, pg: VmPage): i32 {
  const e = insertNow(fc, index, pg, ALLOC_NOWAIT);
  if (e != -ENOMEM) return e;
  pageShortage();
  const how = (curcpu.c_writing | curcpu.c_removing) != 0 ? ALLOC_RESERVE : ALLOC_NOWAIT;
  return insertNow(fc, index, pg, how);
}

/** Take a page out of the index; it is the caller's then. */
export function fscacheRemove(fc: Fscache, pg: VmPage): void {
  if (DEBUG && !SMP) kassert(changetype<usize>(fscachePage(fc, pg.pg_index)) == changetype<usize>(pg), 'page is not where its index says');
  if (SMP) spinLock(indexLock(fc));
  if (pg.pg_flags & (PG_DIRTY | PG_CLEAN)) pageUnqueue(fc, pg);
  radixRemove(fc.fc_pages, pg.pg_index);
  st32(changetype<usize>(pg), 0);
  if (SMP) spinUnlock(indexLock(fc));
}

/** For reclaim: take a clean page out of its index, if nobody is changing that and nobody uses the page. r_dirtylock held. */
export function fscacheTryRemove(fc: Fscache, pg: VmPage): bool {
  if (!spinTry(indexLock(fc))) return false;
  let mine = pg.pg_hold == 0 && (pg.pg_flags & (PG_REFERENCED | PG_WIRED | PG_BUSY)) == 0;
  if (mine) {
    st32(changetype<usize>(pg), 0);
    // who looked it up since says so before he looks whether it is still there
    mine = (ld32(changetype<usize>(pg) + offsetof<VmPage>('pg_flags')) & PG_REFERENCED) == 0;
    if (mine) radixRemove(fc.fc_pages, pg.pg_index);
    else st32(changetype<usize>(pg), <u32>changetype<usize>(fc));
  }
  spinUnlock(indexLock(fc));
  return mine;
}

/** The first page with an index >= `from`, or null. */
export function fscacheNextPage(fc: Fscache, from: u32): VmPage {
  if (SMP) spinLock(indexLock(fc));
  const pg = changetype<VmPage>(<usize>radixNext(fc.fc_pages, from));
  if (SMP) {
    if (changetype<usize>(pg) != 0) pageReferenced(pg);
    spinUnlock(indexLock(fc));
  }
  return pg;
}

/** A fresh page in the index, zeroed unless GP_WHOLE: 0, -ENOMEM. For pagers. */
export function fscacheAddPage(fc: Fscache, index: u32, flags: u32): i32 {
  const pg = pageAlloc(flags & GP_WHOLE ? ALLOC_NOIO : ALLOC_NOIO | ALLOC_ZERO, PG_FILE | PG_VALID);
  if (changetype<usize>(pg) == 0) return -ENOMEM;
  const e = fscacheAddFrame(fc, index, pg);
  if (e != 0) pageFree(pg);
  // another CPU's page is as good
  return e == -EEXIST ? 0 : e;
}

/** A page that its pager has filled joins the index: 0, or -ENOMEM and it stays the pager's. */
export function fscacheAddFrame(fc: Fscache, index: u32, pg: VmPage): i32 {
  const e = fscacheInsert(fc, index, pg);
  if (e == 0) add32(changetype<usize>(roots()) + offsetof<Roots>('r_filepages'), 1);
  return e;
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
  let first = changetype<VmPage>(<usize>0);
  let last = first;
  while (true) {
    const pg = fscacheNextPage(fc, from);
    if (changetype<usize>(pg) == 0 || pg.pg_index >= to) break;
    fscacheRemove(fc, pg);
    pg.pg_next = 0;
    if (n++ == 0) first = pg;
    else last.pg_next = <u32>changetype<usize>(pg);
    last = pg;
  }
  if (n == 0) return 0;
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_filepages'), -(<i32>n));
  pageFreeChain(first);
  return n;
}
