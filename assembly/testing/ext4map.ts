/**
 * The kernel with ext4's files exported: a file system opened by hand, without a journal, and one of its files changed
 * step by step: its map (test/ext4/extents.test.ts), its data (test/ext4/data.test.ts).
 */
import { kfree, kmalloc } from '../vm/zone';
import { ALLOC_NOIO, ALLOC_ZERO, pageAllocRun, pageFreeRun } from '../vm/page';
import { cpuEnter, cpuLeave, cpuSetProc } from '../kern/cpu';
import { litCopy } from '../kern/text';
import { diskDropCache, diskFind, Disk, diskSync } from '../dev/disk';
import { Mount, mountAlloc, mountFree, vfsFind } from '../vfs/mount';
import { scratchUio, scratchWord } from '../vfs/scratch';
import { FC_BACKED, fscacheDropRange, fscacheRead } from '../vfs/fscache';
import { cleanReclaim, fscacheUnlist } from '../vfs/dirty';
import { setVopGetpages, setVopPutpages, setVopWrite, vop_write } from '../vfs/vop';
import { writebackPages } from '../vfs/writeback';
import { Vnode, vnodePut } from '../vfs/vnode';
import { curcred } from '../proc/cred';
import { Proc } from '../proc/proc';
import { uioKernel } from '../vm/uio';
import { ext4Allocate } from '../fs/ext4/falloc';
import { ext4FileGone, ext4SetSize, ext4Write } from '../fs/ext4/file';
import { ext4Getpages } from '../fs/ext4/getpages';
import { ext4Putpages } from '../fs/ext4/putpages';
import { ext4Lseek } from '../fs/ext4/sync';
import { EXT4_ERRORS_CONTINUE } from '../abi/ext4';
import { roots } from '../kern/boot';
import { ballocDone, ballocInit } from '../fs/ext4/balloc';
import { ehDepth } from '../fs/ext4/extents';
import { ext4InodeDrop, ext4InodeGet, IGET_NAMED } from '../fs/ext4/inode';
import { ext4Map, mapStore } from '../fs/ext4/map';
import { ext4PunchRange } from '../fs/ext4/truncate';
import { groupsDrop, groupsLoad, superDirty, superDrop, superFill, superParse, superRead } from '../fs/ext4/super';
import { eiOf, Ext4Mount, MapResult } from '../fs/ext4/types';

export * from '../index';

const HASH_FRAMES: u32 = 1;

/** Be in the kernel, as the parts expect of their caller. */
export function part_enter(): i32 {
  return cpuEnter();
}
/** Debug: a panic if a lock is held. */
export function part_leave(): i32 {
  return cpuLeave(0);
}

/** The file system on a disk: the Ext4Mount, or a negated errno. */
export function ext4_open(slot: u32): i32 {
  const dk: Disk = diskFind(slot, 0);
  dk.dk_users++;
  const name = scratchWord(9);
  const mp: Mount = mountAlloc(vfsFind(name, litCopy('tmpfs', name)), 0);
  const em = changetype<Ext4Mount>(kmalloc(offsetof<Ext4Mount>(), ALLOC_NOIO | ALLOC_ZERO));
  mp.mnt_data = <u32>changetype<usize>(em);
  em.em_mount = mp;
  em.em_disk = <u32>changetype<usize>(dk);
  em.em_fc = dk.dk_fc;
  em.em_errors = EXT4_ERRORS_CONTINUE;
  setVopGetpages(mp.mnt_norm, ext4Getpages);
  setVopPutpages(mp.mnt_norm, ext4Putpages);
  setVopWrite(mp.mnt_norm, ext4Write);
  // whoever is first may do anything
  const p = changetype<Proc>(<usize>roots().r_procs);
  cpuSetProc(changetype<usize>(p), changetype<usize>(p.p_cred));
  em.em_hash = <u32>pageAllocRun(HASH_FRAMES);
  em.em_hashmask = HASH_FRAMES * 1024 - 1;
  let e = superRead(em);
  if (e == 0) e = superParse(em, dk.dk_size);
  if (e == 0) e = groupsLoad(em);
  if (e == 0) e = ballocInit(em);
  return e != 0 ? e : <i32>changetype<usize>(em);
}

/** Everything is written. */
export function ext4_close(at: usize): i32 {
  const em = changetype<Ext4Mount>(at);
  const dk = changetype<Disk>(<usize>em.em_disk);
  ballocDone(em);
  superFill(em);
  let e = superDirty(em);
  groupsDrop(em);
  superDrop(em);
  if (e == 0) e = diskSync(dk);
  dk.dk_users--;
  diskDropCache(dk);
  mountFree(em.em_mount);
  cpuSetProc(0, 0);
  pageFreeRun(em.em_hash, HASH_FRAMES);
  kfree(at);
  return e;
}

/** The vnode of an inode, of a size to come; or a negated errno. */
export function ext4_get(at: usize, ino: u32, size: f64): i32 {
  const em = changetype<Ext4Mount>(at);
  const e = ext4InodeGet(em, ino, IGET_NAMED, scratchWord(8));
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(8)));
  vp.v_fc.fc_attr.va_size = <u64>size;
  eiOf(vp).ei_disksize = <u64>size;
  return <i32>changetype<usize>(vp);
}

/** Store the inode and let it go. */
export function ext4_put(at: usize, v: usize): i32 {
  const em = changetype<Ext4Mount>(at);
  const vp = changetype<Vnode>(v);
  const e = mapStore(em, vp, true);
  ext4FileGone(em, vp);
  fscacheDropRange(vp.v_fc, 0, u32.MAX_VALUE);
  fscacheUnlist(vp.v_fc);
  // no backed file any more: its end need not wait until nothing is locked
  vp.v_fc.fc_flags &= ~FC_BACKED;
  ext4InodeDrop(em, vp);
  vp.v_fc.fc_attr.va_nlink = 0;
  vnodePut(vp);
  return e;
}

// @ts-ignore: decorator
@inline
function result(): MapResult {
  return changetype<MapResult>(scratchWord(10));
}

/** ext4Map: 0 or a negated errno; what it found is told by ext4_pblk, ext4_len and ext4_flags. */
export function ext4_map(at: usize, v: usize, lblk: u32, len: u32, flags: u32): i32 {
  return ext4Map(changetype<Ext4Mount>(at), changetype<Vnode>(v), lblk, len, flags, result());
}
export function ext4_pblk(): f64 {
  return <f64>result().m_pblk;
}
export function ext4_len(): u32 {
  return result().m_len;
}
export function ext4_flags(): u32 {
  return result().m_flags;
}

/** Free [from, to). */
export function ext4_remove(at: usize, v: usize, from: u32, to: u32): i32 {
  return ext4PunchRange(changetype<Ext4Mount>(at), changetype<Vnode>(v), from, to);
}
export function ext4_depth(v: usize): u32 {
  return ehDepth(eiOf(changetype<Vnode>(v)).ei_block);
}
export function ext4_free(at: usize): f64 {
  return <f64>changetype<Ext4Mount>(at).em_freeblocks;
}
export function ext4_blocks(v: usize): f64 {
  return <f64>changetype<Vnode>(v).v_fc.fc_attr.va_blocks;
}

// ── data ─────────────────────────────────────────────────────────────────────────────────────

/** RAM that a file's bytes come from and go to. */
export function ext4_buffer(frames: u32): usize {
  return pageAllocRun(frames);
}
export function ext4_unbuffer(at: usize, frames: u32): void {
  pageFreeRun(at, frames);
}
/** Bytes moved, or a negated errno. */
export function ext4_pwrite(v: usize, from: usize, len: u32, off: f64): i32 {
  const vp = changetype<Vnode>(v);
  const u = scratchUio(0);
  uioKernel(u, from, len, <i64>off, 1);
  const e = vop_write(vp.v_fm, vp, u, 0, curcred());
  return u.uio_resid != len ? <i32>(len - u.uio_resid) : e;
}
export function ext4_pread(v: usize, to: usize, len: u32, off: f64): i32 {
  const vp = changetype<Vnode>(v);
  const u = scratchUio(0);
  uioKernel(u, to, len, <i64>off, 0);
  const e = fscacheRead(vp.v_fc, u);
  return u.uio_resid != len ? <i32>(len - u.uio_resid) : e;
}
export function ext4_size(v: usize): f64 {
  return <f64>changetype<Vnode>(v).v_fc.fc_size;
}
export function ext4_truncate(at: usize, v: usize, size: f64): i32 {
  return ext4SetSize(changetype<Ext4Mount>(at), changetype<Vnode>(v), <u64>size);
}
export function ext4_fallocate(v: usize, mode: u32, off: f64, len: f64): i32 {
  const vp = changetype<Vnode>(v);
  return ext4Allocate(vp.v_fm, vp, mode, <i64>off, <i64>len);
}
/** The place found, or a negated errno. */
export function ext4_lseek(v: usize, whence: u32, off: f64): f64 {
  const vp = changetype<Vnode>(v);
  store<i64>(scratchWord(8), <i64>off);
  const e = ext4Lseek(vp.v_fm, vp, whence, scratchWord(8));
  return e != 0 ? <f64>e : <f64>load<i64>(scratchWord(8));
}
export function ext4_writeback(v: usize): i32 {
  return writebackPages(changetype<Vnode>(v).v_fc);
}
/** All clean pages go. */
export function ext4_dropclean(): u32 {
  return cleanReclaim(u32.MAX_VALUE);
}
export function ext4_dirty(v: usize): u32 {
  return changetype<Vnode>(v).v_fc.fc_ndirty;
}
/** Blocks promised in all, those of maps too: 0 once everything is written. */
export function ext4_reserved(at: usize): f64 {
  return <f64>changetype<Ext4Mount>(at).em_reserved;
}
