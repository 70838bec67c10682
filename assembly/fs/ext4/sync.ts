/**
 * fsync, and where files have holes.
 *
 * Y1. fsync returns when the data is on the disk, and the transaction that says where it is; fdatasync does not
 *     wait for what only times are in. If nothing changed there is no commit, but a FLUSH all the same: the data
 *     may still be in the disk's cache.
 */
import { EINVAL, ENXIO, EROFS } from '../../abi/errno';
import { S_IFREG, SEEK_DATA } from '../../abi/flags';
import { PAGE_SHIFT } from '../../abi/layout';
import { Disk, diskFlush } from '../../dev/disk';
import { FC_ATTRDIRTY, Fscache, fscacheNextPage, fscachePage } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { Vnode } from '../../vfs/vnode';
import { writebackPages } from '../../vfs/writeback';
import { VmPage } from '../../vm/page';
import { journalCommitted } from '../jbd2/journal';
import { PP_DELAY_SHIFT, PP_DIRTY, PP_WRITE_SHIFT } from './delay';
import { isInline } from './inline';
import { ext4Commit } from './journal';
import { mapLocked, mapStore } from './map';
import { fileResult } from './mapmeta';
import { blocksOf } from './truncate';
import { CREDITS_INODE, ext4Begin, ext4End, jnOf } from './txn';
import {
  eiLock,
  EI_MAPDIRTY,
  EM_RDONLY,
  Ext4Inode,
  Ext4Mount,
  eiOf,
  eiUnlock,
  emOf,
  MO_BARRIER,
  MR_HOLE,
  MR_UNWRITTEN,
} from './types';

/** Flag of vop_fsync: what only times say need not be durable. */
const FSYNC_DATA: u32 = 1;

export function ext4Fsync(fm: Fsmanage, vp: Vnode, flags: u32): i32 {
  const em = emOf(fm.fm_mount);
  const fc = vp.v_fc;
  const ei = eiOf(vp);
  let e = vp.v_type == S_IFREG ? writebackPages(fc) : 0;
  if (SMP) {
    // pages that another CPU took to write are clean already: it has the lock until they are written
    eiLock(ei);
    eiUnlock(ei);
  }
  const data = (flags & FSYNC_DATA) != 0;
  if (em.em_flags & EM_RDONLY) return e != 0 ? e : isLost(em, data ? ei.ei_datatid : ei.ei_metatid) ? -EROFS : 0;
  if (ei.ei_state & EI_MAPDIRTY || (!data && fc.fc_flags & FC_ATTRDIRTY)) {
    let s = ext4Begin(em, CREDITS_INODE);
    if (s == 0) {
      s = mapStore(em, vp, true);
      ext4End(em);
    }
    if (e == 0) e = s;
  }
  const f = flush(em, data ? ei.ei_datatid : ei.ei_metatid);
  return e != 0 ? e : f;
}

/** An error stopped the file system before this transaction was committed: it never will be. */
function isLost(em: Ext4Mount, tid: u32): bool {
  return em.em_jn != 0 && tid != 0 && !journalCommitted(jnOf(em), tid);
}

/** The transaction is committed, or the disk's cache flushed. Without a journal all metadata is written. */
function flush(em: Ext4Mount, tid: u32): i32 {
  if (em.em_jn != 0 && tid != 0 && !journalCommitted(jnOf(em), tid)) return ext4Commit(em);
  let e: i32 = 0;
  if (em.em_jn == 0) e = writebackPages(em.em_fc);
  if ((em.em_opts & MO_BARRIER) == 0) return e;
  const f = diskFlush(changetype<Disk>(<usize>em.em_disk));
  return e != 0 ? e : f;
}

// ── lseek ────────────────────────────────────────────────────────────────────────────────────

/** SEEK_DATA and SEEK_HOLE on the i64 at offp: 0, -ENXIO. Delayed data counts as data, unwritten blocks as a hole. */
export function ext4Lseek(fm: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  if (vp.v_type != S_IFREG) return -EINVAL;
  const em = emOf(fm.fm_mount);
  const fc = vp.v_fc;
  const off = load<i64>(offp);
  if (off < 0 || <u64>off >= fc.fc_size) return -ENXIO;
  const ei = eiOf(vp);
  eiLock(ei);
  const r = isInline(ei) ? (whence == SEEK_DATA ? off : <i64>fc.fc_size) : seek(em, ei, fc, <u64>off, whence == SEEK_DATA);
  eiUnlock(ei);
  if (r < 0) return <i32>r;
  store<i64>(offp, r);
  return 0;
}

/** The first byte at or after `off` that is data, or that is not. ei_lock held. */
function seek(em: Ext4Mount, ei: Ext4Inode, fc: Fscache, off: u64, data: bool): i64 {
  const end = blocksOf(em, fc.fc_size);
  const m = fileResult();
  let lblk = <u32>(off >> em.em_bshift);
  while (lblk < end) {
    const e = mapLocked(em, ei, lblk, end - lblk, m);
    if (e != 0) return e;
    const written = (m.m_flags & (MR_HOLE | MR_UNWRITTEN)) == 0;
    if (written && data) return at(em, lblk, off);
    if (!written) {
      const found = inCache(em, fc, lblk, lblk + m.m_len, data);
      if (found < lblk + m.m_len) return at(em, found, off);
    }
    lblk += m.m_len;
  }
  return data ? -ENXIO : <i64>fc.fc_size;
}

// @ts-ignore: decorator
@inline
function at(em: Ext4Mount, lblk: u32, off: u64): i64 {
  const byte = <u64>lblk << em.em_bshift;
  return <i64>(byte > off ? byte : off);
}

/** Among blocks [from, to) without data on the disk, the first whose page has some (or has none); `to`: none. */
function inCache(em: Ext4Mount, fc: Fscache, from: u32, to: u32, data: bool): u32 {
  const shift = PAGE_SHIFT - em.em_bshift;
  if (!data) {
    while (from < to && pageHasData(fscachePage(fc, from >> shift))) from = ((from >> shift) + 1) << shift;
    return from < to ? from : to;
  }
  let index = from >> shift;
  while (true) {
    const pg = fscacheNextPage(fc, index);
    if (changetype<usize>(pg) == 0 || <u64>pg.pg_index << shift >= <u64>to) return to;
    if (pageHasData(pg)) {
      const first = pg.pg_index << shift;
      return first > from ? first : from;
    }
    index = pg.pg_index + 1;
  }
}

const HAS_DATA: u32 = PP_DIRTY | (PP_DIRTY << PP_DELAY_SHIFT) | (PP_DIRTY << PP_WRITE_SHIFT);

// @ts-ignore: decorator
@inline
function pageHasData(pg: VmPage): bool {
  return changetype<usize>(pg) != 0 && (pg.pg_private & HAS_DATA) != 0;
}
