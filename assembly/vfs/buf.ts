/**
 * Buffers: blocks of metadata in the pages of a device's Fscache.
 *
 * A block is 1 KiB to 4 KiB (shift 10 to 12) and lies in one page. Who has its address from bread or
 * bget holds the page, so that it stays, until brelse. What is stored into a block becomes the disk's
 * by bufDirty (some time later), bufWrite (now) or a journal (fs/jbd2), and by nothing else: a block
 * changed without any of them may be lost.
 *
 * U1. Every bread and bget that gave an address has one brelse.
 * U2. Only sectors that were made dirty are written: the neighbours of a block in its page may be a
 *     file's by now, cached elsewhere.
 * U3. A page that is PG_WIRED is not written by write-back; bufWrite writes what it is told to.
 */
import { EIO } from '../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE } from '../abi/layout';
import { curcpu } from '../kern/cpu';
import { add32 } from '../kern/lock';
import { kassert } from '../kern/panic';
import { PG_DIRTY, pageAddr, pageOf, pageReferenced, VmPage } from '../vm/page';
import { fscacheClean, fscacheDirty, sectorsOf } from './dirty';
import { Fscache, fscachePage, GP_FUA, GP_WHOLE, GP_WRITE, gpSectors } from './fscache';
import { vop_getpages, vop_putpages } from './vop';

/** bufWrite: durable when it returns, whatever the disk's cache. */
export const BUF_FUA: u32 = GP_FUA;

/** Why the last bread or bget of this CPU gave nothing: a negated errno. */
export function bufError(): i32 {
  return curcpu.c_buferror;
}

// @ts-ignore: decorator
@inline
function holdAt(pg: VmPage, block: u64, shift: u32): usize {
  add32(changetype<usize>(pg) + offsetof<VmPage>('pg_hold'), 1);
  pageReferenced(pg);
  return pageAddr(pg) + ((<usize>(block << shift)) & (PAGE_SIZE - 1));
}

/** Is there such a block, whole, on the device? */
// @ts-ignore: decorator
@inline
function exists(fc: Fscache, block: u64, shift: u32): bool {
  return block < fc.fc_size >> shift;
}

/** Not in the cache: let the pager bring it. The page, or null with the errno noted. */
function bring(fc: Fscache, block: u64, shift: u32, flags: u32): VmPage {
  const none = changetype<VmPage>(<usize>0);
  const index = <u32>(block >> (PAGE_SHIFT - shift));
  const e = exists(fc, block, shift) ? vop_getpages(fc.fc_fm, fc, index, 1, flags) : -EIO;
  const pg = e < 0 ? none : fscachePage(fc, index);
  if (changetype<usize>(pg) == 0) curcpu.c_buferror = e < 0 ? e : -EIO;
  return pg;
}

/** The block's bytes in RAM, their page held; 0: it cannot be had, and bufError says why. */
export function bread(fc: Fscache, block: u64, shift: u32): usize {
  let pg = changetype<VmPage>(<usize>0);
  if (exists(fc, block, shift)) pg = fscachePage(fc, <u32>(block >> (PAGE_SHIFT - shift)));
  if (changetype<usize>(pg) == 0) {
    pg = bring(fc, block, shift, 0);
    if (changetype<usize>(pg) == 0) return 0;
  }
  return holdAt(pg, block, shift);
}

/** The same for a block that will be filled anew: zeros, and not read if it is a page of its own. */
export function bget(fc: Fscache, block: u64, shift: u32): usize {
  let pg = changetype<VmPage>(<usize>0);
  if (exists(fc, block, shift)) pg = fscachePage(fc, <u32>(block >> (PAGE_SHIFT - shift)));
  if (changetype<usize>(pg) == 0) {
    pg = bring(fc, block, shift, shift == PAGE_SHIFT ? GP_WRITE | GP_WHOLE : 0);
    if (changetype<usize>(pg) == 0) return 0;
  }
  const b = holdAt(pg, block, shift);
  memory.fill(b, 0, (<usize>1) << shift);
  return b;
}

/** Let go of what bread or bget gave. */
export function brelse(b: usize): void {
  const pg = pageOf(b);
  if (DEBUG) kassert(pg.pg_hold != 0, 'a buffer was let go of twice');
  add32(changetype<usize>(pg) + offsetof<VmPage>('pg_hold'), -1);
}

/** The block at b was changed, and no journal knows: write-back writes it some time. */
export function bufDirty(fc: Fscache, b: usize, shift: u32 = PAGE_SHIFT): void {
  fscacheDirty(fc, pageOf(b), sectorsOf(<u32>(b & (PAGE_SIZE - 1)), 1 << shift));
}

/** Write the block at b now: 0 or an errno. flags: 0 or BUF_FUA. Dirty or not, it is as it was then. */
export function bufWrite(fc: Fscache, b: usize, shift: u32, flags: u32): i32 {
  const mask = sectorsOf(<u32>(b & (PAGE_SIZE - 1)), 1 << shift);
  return vop_putpages(fc.fc_fm, fc, pageOf(b).pg_index, 1, gpSectors(mask) | flags);
}

/** Its content means nothing any more: it was freed, and somebody else may write there by other ways. */
export function bufForget(fc: Fscache, block: u64, shift: u32): void {
  if (!exists(fc, block, shift)) return;
  const pg = fscachePage(fc, <u32>(block >> (PAGE_SHIFT - shift)));
  if (changetype<usize>(pg) == 0 || (pg.pg_flags & PG_DIRTY) == 0) return;
  const at = (<u32>(block << shift)) & (PAGE_SIZE - 1);
  pg.pg_epoch &= ~sectorsOf(at, 1 << shift);
  if (pg.pg_epoch == 0) fscacheClean(fc, pg);
}
