/**
 * Vnodes: a file as the kernel knows it while anything does.
 *
 * Life: vnodeAlloc (one reference, no names) → references by Files, working directories and calls
 * in progress; namecache entries point to it without holding it → the last vnodePut either keeps
 * it for later (on the LRU, attributes and pages cached) or, if it has no links left, lets the
 * file system free it (VOP_INACTIVE) → vnodeReclaim: names unresolved, VOP_RECLAIM, freed.
 * A forced unmount or a revoke reclaims a vnode that is still referenced: it becomes a deadfs
 * vnode (vnodeKill) until its last reference goes.
 *
 * V1. v_fm is never null, and v_fm.fm_mount never changes except to the dead mount's.
 * V2. v_refcnt 0 ⇔ reclaimable: at once without links, else for memory if nobody
 *     watches it (v_watches; a watcher is told when the file goes, so it must not go unseen). One
 *     that is watched also waits for its removed names to be let go.
 * V3. A vnode is on its mount's list from vnodeAlloc to vnodeReclaim or vnodeKill.
 *
 * V5. Who reclaims a vnode makes its count VREF_DOOMED, from 0, in one step (vnodeClaim); it stays so until the
 *     memory is a vnode again. Who finds a vnode where nobody holds it for him (a name, an inode, a list)
 *     takes a reference by vnodeTryRef, which fails then, and looks whether it is still the one he wanted.
 * V4. A file without links whose data a disk has ends later: its last put queues it on its CPU
 *     (VN_DEFERRED), and deferredRun, when the call ends and nothing is locked, has VOP_INACTIVE free it.
 *
 * Locks: v_lock (RANK_VNODE) guards attribute changes; r_vnlock (spin) the LRU, mount lists and
 * v_names.
 */
import { Roots, roots } from '../kern/boot';
import { curalone, curcpu } from '../kern/cpu';
import { add32, and32, ld32, lockExclusive, lockRelease, or32, RANK_VNODE, spinLock, spinUnlock, st32 } from '../kern/lock';
import { kassert } from '../kern/panic';
import { wordsZero } from '../kern/words';
import { ALLOC_NOIO } from '../vm/page';
import { Zone, ZONE_STABLE, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { fscacheUnlist } from './dirty';
import { FC_ATTRVALID, FC_BACKED, FC_LISTED, FC_VNODE, Fscache, fscacheDropRange, fscacheSetup } from './fscache';
import { Fsmanage } from './fsmanage';
import { inotifyVnodeGone } from './inotify';
import { Mount } from './mount';
import { cacheForgetVnode } from './namecache';
import { vop_inactive, vop_reclaim } from './vop';

@unmanaged
export class Vnode {
  v_fm: Fsmanage; //   management structure of its mount and kind
  v_refcnt: u32; //    references
  v_type: u32; //      S_IF* type bits, immutable
  v_flag: u32; //      VN_*
  v_lock: u32; //      Lock
  v_lockwait: u32;
  v_data: u32; //      the file system's own; 0 after reclaim
  v_names: u32; //     namecache entries that resolve to it (nc_vnext)
  v_mnext: u32; //     mount's list
  v_mprev: u32;
  v_lrunext: u32; //   LRU, only while VN_ONLRU
  v_lruprev: u32;
  v_un: u32; //        fifo: its Pipe; device: its Devsw
  v_flocks: u32; //    advisory locks (vfs/advlock.ts)
  v_watches: u32; //   change notification (vfs/inotify.ts)
  v_defer: u32; //     c_deferred of the CPU that ends it, while VN_DEFERRED

  // @ts-ignore: decorator
  @inline
  get v_fc(): Fscache {
    return changetype<Fscache>(changetype<usize>(this) + VNODE_FC);
  }
  // @ts-ignore: decorator
  @inline
  get lk(): usize {
    return changetype<usize>(this) + offsetof<Vnode>('v_lock');
  }
  // @ts-ignore: decorator
  @inline
  get v_mount(): Mount {
    return this.v_fm.fm_mount;
  }
}

/** The embedded Fscache begins here. */
export const VNODE_FC: usize = offsetof<Vnode>();
if (VNODE_FC % 8 != 0) ERROR('Vnode: Fscache must be aligned');
/** From here on a fresh vnode is zeros; v_fm and v_refcnt come before. */
const VNODE_ZERO: usize = 8;
if (offsetof<Vnode>('v_refcnt') != 4) ERROR('v_refcnt');

/** In v_refcnt: being reclaimed, or free memory (V5). */
export const VREF_DOOMED: u32 = 0x80000000;

export const VN_ONLRU: u32 = 1;
export const VN_ROOT: u32 = 2; //    a mount's root
export const VN_DOOMED: u32 = 4; //  being detached
export const VN_DEAD: u32 = 8; //    reclaimed while referenced: a deadfs vnode
export const VN_NOCACHE: u32 = 16; // not kept when unreferenced (procfs, anonymous objects)
export const VN_MAGIC: u32 = 32; //  a symlink that names an open file (procfs, devfs fd)
export const VN_SYSTEM: u32 = 64;
export const VN_LINKABLE: u32 = 256; // made by O_TMPFILE, had no name yet and may get one
export const VN_DEFERRED: u32 = 512; // on a CPU's c_deferred, which holds a reference
export const VN_NOSEEK: u32 = 128; // positions mean nothing: lseek, pread and pwrite are -ESPIPE

export function vnodeInit(maxvnodes: u32): void {
  const r = roots();
  r.r_zvnode = <u32>changetype<usize>(
    zoneCreate('vnode', <u32>VNODE_FC + <u32>offsetof<Fscache>(), ZONE_STABLE),
  );
  r.r_maxvnodes = maxvnodes;
}

function vnLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_vnlock');
}

/** A vnode with one reference and empty attributes, on fm's mount; null: no memory. */
export function vnodeAlloc(fm: Fsmanage, type: u32, data: u32): Vnode {
  const r = roots();
  if (r.r_vncount >= r.r_maxvnodes) vnodeReclaimSome(8);
  const vp = changetype<Vnode>(zoneAlloc(changetype<Zone>(<usize>r.r_zvnode), ALLOC_NOIO));
  if (changetype<usize>(vp) == 0) return vp;
  // doomed until it is whole (V5): who came here by what the memory was before gets no reference
  st32(refAddr(vp), VREF_DOOMED);
  wordsZero(changetype<usize>(vp) + VNODE_ZERO, VNODE_FC - VNODE_ZERO);
  vp.v_fm = fm;
  vp.v_type = type;
  vp.v_data = data;
  fscacheSetup(vp.v_fc, fm, data);
  add32(changetype<usize>(r) + offsetof<Roots>('r_vncount'), 1);
  const mp = fm.fm_mount;
  spinLock(vnLock());
  vp.v_mnext = mp.mnt_vnodes;
  if (mp.mnt_vnodes != 0) changetype<Vnode>(<usize>mp.mnt_vnodes).v_mprev = <u32>changetype<usize>(vp);
  mp.mnt_vnodes = <u32>changetype<usize>(vp);
  mp.mnt_nvnodes++;
  spinUnlock(vnLock());
  st32(refAddr(vp), 1);
  return vp;
}

// @ts-ignore: decorator
@inline
function refAddr(vp: Vnode): usize {
  return changetype<usize>(vp) + offsetof<Vnode>('v_refcnt');
}

/** The caller has a reference, or another way to know that somebody has. */
// @ts-ignore: decorator
@inline
export function vnodeRef(vp: Vnode): void {
  add32(changetype<usize>(vp) + offsetof<Vnode>('v_refcnt'), 1);
}

/** A reference on a vnode that nobody may hold; false: it is being reclaimed (V5). */
export function vnodeTryRef(vp: Vnode): bool {
  const at = refAddr(vp);
  if (!SMP || curalone != 0) {
    const n = load<u32>(at);
    if (n & VREF_DOOMED) return false;
    store<u32>(at, n + 1);
    return true;
  }
  let n = atomic.load<u32>(at);
  while ((n & VREF_DOOMED) == 0) {
    const was = atomic.cmpxchg<u32>(at, n, n + 1);
    if (was == n) return true;
    n = was;
  }
  return false;
}

/** Nobody has it, and nobody will: it is the caller's to reclaim (V5). */
export function vnodeClaim(vp: Vnode): bool {
  const at = refAddr(vp);
  if (SMP && curalone == 0) return atomic.cmpxchg<u32>(at, 0, VREF_DOOMED) == 0;
  if (load<u32>(at) != 0) return false;
  store<u32>(at, VREF_DOOMED);
  return true;
}

/** Drop a reference; the last one may free the file. Caller holds no spin or fs-private lock. */
// @ts-ignore: decorator
@inline
export function vnodePut(vp: Vnode): void {
  if (DEBUG) kassert((vp.v_refcnt & ~VREF_DOOMED) != 0, 'vnode reference dropped twice');
  if (add32(changetype<usize>(vp) + offsetof<Vnode>('v_refcnt'), -1) == 1) vnodeLast(vp);
}

/** Drop a reference that is not the last: the caller holds one more. */
export function vnodeUnref(vp: Vnode): void {
  if (DEBUG) kassert(vp.v_refcnt > 1, 'last vnode reference dropped as if it were not');
  add32(changetype<usize>(vp) + offsetof<Vnode>('v_refcnt'), -1);
}

/**
 * The count was 0 a moment ago. In `smp` another CPU may have had it since, reclaimed it, or made another vnode of its
 * memory: whatever is done here begins with a claim, a reference, or a look at the count under r_vnlock.
 */
function vnodeLast(vp: Vnode): void {
  if (vp.v_flag & VN_DEAD) {
    if (vnodeClaim(vp)) vnodeFree(vp);
    return;
  }
  if (vp.v_flag & VN_DOOMED) return;
  const watched = vp.v_watches != 0;
  const unlinked = vp.v_fc.fc_attr.va_nlink == 0;
  // a removed name is still held: its watchers hear of the end with that (cacheClearVp)
  if (watched && vp.v_names != 0 && unlinked) return;
  if (unlinked && vp.v_fc.fc_flags & FC_BACKED) {
    if (vnodeTryRef(vp)) vnodeDefer(vp);
    return;
  }
  if (unlinked || (vp.v_flag & VN_NOCACHE && !watched)) {
    if (!vnodeClaim(vp)) return;
    vop_inactive(vp.v_fm, vp);
    vnodeReclaim(vp);
    return;
  }
  if (vp.v_flag & VN_ONLRU || watched) return;
  lruAppend(vp);
}

/** On the LRU's young end, if nobody holds it. */
function lruAppend(vp: Vnode): void {
  const r = roots();
  spinLock(vnLock());
  if (SMP) {
    // another CPU has it, or has put it there, or reclaims it
    if (vp.v_flag & VN_ONLRU || ld32(refAddr(vp)) != 0) {
      spinUnlock(vnLock());
      return;
    }
  }
  or32(flagAddr(vp), VN_ONLRU);
  vp.v_lrunext = 0;
  vp.v_lruprev = r.r_vnlrutail;
  if (r.r_vnlrutail != 0) changetype<Vnode>(<usize>r.r_vnlrutail).v_lrunext = <u32>changetype<usize>(vp);
  else r.r_vnlruhead = <u32>changetype<usize>(vp);
  r.r_vnlrutail = <u32>changetype<usize>(vp);
  spinUnlock(vnLock());
}

// @ts-ignore: decorator
@inline
function flagAddr(vp: Vnode): usize {
  return changetype<usize>(vp) + offsetof<Vnode>('v_flag');
}

/**
 * Nobody has a file any more whose blocks must be freed: that takes journal handles and I/O, and who let
 * go of it may hold locks. It waits, referenced (by what the caller took), for deferredRun.
 */
function vnodeDefer(vp: Vnode): void {
  const c = curcpu;
  spinLock(vnLock());
  // who only looked at it on another CPU (write-back) may have been the last as well
  const queued = (vp.v_flag & VN_DEFERRED) != 0;
  if (!queued) {
    or32(flagAddr(vp), VN_DEFERRED);
    vp.v_defer = c.c_deferred;
    c.c_deferred = <u32>changetype<usize>(vp);
  }
  spinUnlock(vnLock());
  if (queued) vnodeUnref(vp);
}

/** End what was deferred: VOP_INACTIVE, then the vnode goes. Nothing is locked. */
export function deferredRun(): void {
  const c = curcpu;
  while (c.c_deferred != 0) {
    const vp = changetype<Vnode>(<usize>c.c_deferred);
    spinLock(vnLock());
    c.c_deferred = vp.v_defer;
    vp.v_defer = 0;
    and32(flagAddr(vp), ~VN_DEFERRED);
    spinUnlock(vnLock());
    // write-back may have it too, and its put is the last then: it is queued again there
    if (SMP && (vp.v_flag & VN_DEAD) == 0 && atomic.cmpxchg<u32>(refAddr(vp), 1, VREF_DOOMED | 1) != 1) {
      vnodePut(vp);
      continue;
    }
    if ((vp.v_flag & VN_DEAD) == 0) vop_inactive(vp.v_fm, vp);
    if ((add32(refAddr(vp), -1) & ~VREF_DOOMED) != 1) continue;
    if (!SMP || vp.v_flag & VN_DEAD) if (!vnodeClaim(vp)) continue;
    if (vp.v_flag & VN_DEAD) vnodeFree(vp);
    else vnodeReclaim(vp);
  }
}

/** A file whose data a disk has (vfs/dirty.ts). Right after vnodeAlloc, before it has any page. */
export function vnodeBacked(vp: Vnode): void {
  vp.v_fc.fc_flags |= FC_BACKED | FC_VNODE;
}

/** Off the LRU. r_vnlock held. */
function lruRemove(vp: Vnode): void {
  const r = roots();
  if (vp.v_lruprev != 0) changetype<Vnode>(<usize>vp.v_lruprev).v_lrunext = vp.v_lrunext;
  else r.r_vnlruhead = vp.v_lrunext;
  if (vp.v_lrunext != 0) changetype<Vnode>(<usize>vp.v_lrunext).v_lruprev = vp.v_lruprev;
  else r.r_vnlrutail = vp.v_lruprev;
  vp.v_lrunext = 0;
  vp.v_lruprev = 0;
  and32(flagAddr(vp), ~VN_ONLRU);
}

/** Off its mount's list. */
function unlinkFromMount(vp: Vnode): void {
  const mp = vp.v_fm.fm_mount;
  spinLock(vnLock());
  if (vp.v_mprev != 0) changetype<Vnode>(<usize>vp.v_mprev).v_mnext = vp.v_mnext;
  else mp.mnt_vnodes = vp.v_mnext;
  if (vp.v_mnext != 0) changetype<Vnode>(<usize>vp.v_mnext).v_mprev = vp.v_mprev;
  vp.v_mnext = 0;
  vp.v_mprev = 0;
  mp.mnt_nvnodes--;
  if (vp.v_flag & VN_ONLRU) lruRemove(vp);
  spinUnlock(vnLock());
}

/** Detach from names and file system. */
function vnodeDetach(vp: Vnode): void {
  if (vp.v_watches != 0) inotifyVnodeGone(vp);
  or32(flagAddr(vp), VN_DOOMED);
  cacheForgetVnode(vp);
  vop_reclaim(vp.v_fm, vp);
  fscacheDropRange(vp.v_fc, 0, u32.MAX_VALUE);
  if (vp.v_fc.fc_flags & FC_LISTED) fscacheUnlist(vp.v_fc);
  vp.v_data = 0;
  unlinkFromMount(vp);
}

function vnodeFree(vp: Vnode): void {
  if (DEBUG) kassert(vp.v_flocks == 0, 'vnode freed with locks on it');
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_vncount'), -1);
  zoneFree(changetype<Zone>(<usize>roots().r_zvnode), changetype<usize>(vp));
}

/** Free a vnode that is the caller's (vnodeClaim). */
export function vnodeReclaim(vp: Vnode): void {
  if (DEBUG) kassert(vp.v_refcnt == VREF_DOOMED, 'reclaiming a vnode in use');
  vnodeDetach(vp);
  vnodeFree(vp);
}

/** Turn a vnode, referenced or not, into one of `dead`'s (forced unmount, revoke). */
export function vnodeKill(vp: Vnode, dead: Fsmanage): void {
  if (vnodeClaim(vp)) {
    vnodeReclaim(vp);
    return;
  }
  // a volatile name may hold the only reference, and lets go of it now; another CPU may be reclaiming it
  if (!vnodeTryRef(vp)) return;
  vnodeDetach(vp);
  vp.v_fm = dead;
  vp.v_fc.fc_fm = dead;
  vp.v_fc.fc_flags &= ~(FC_ATTRVALID | FC_BACKED);
  or32(flagAddr(vp), VN_DEAD);
  and32(flagAddr(vp), ~VN_DOOMED);
  vnodePut(vp);
}

/** Reclaim up to `n` vnodes from the LRU's old end. Returns how many. */
export function vnodeReclaimSome(n: u32): u32 {
  const r = roots();
  const c = curcpu;
  let done: u32 = 0;
  const was = c.c_reclaiming;
  c.c_reclaiming = 1;
  while (done < n) {
    spinLock(vnLock());
    const vp = changetype<Vnode>(<usize>r.r_vnlruhead);
    if (changetype<usize>(vp) == 0) {
      spinUnlock(vnLock());
      break;
    }
    lruRemove(vp);
    spinUnlock(vnLock());
    // in use again or watched: its last put, or the last watch's end, puts it back
    if (vp.v_refcnt != 0 || vp.v_watches != 0) continue;
    // something of it is to be written: write-back refers to it, and its put puts it back
    if (vp.v_fc.fc_flags & FC_LISTED || !vnodeClaim(vp)) continue;
    if (SMP) {
      // who had it between the look and the claim may have changed that
      if (vp.v_watches != 0 || vp.v_fc.fc_flags & FC_LISTED) {
        atomic.store<u32>(refAddr(vp), 0);
        lruAppend(vp);
        done++;
        continue;
      }
      // whose last put it was finds it claimed, and leaves it to this CPU to end the file
      if (vp.v_fc.fc_attr.va_nlink == 0) {
        atomic.store<u32>(refAddr(vp), 1);
        vnodeDefer(vp);
        done++;
        continue;
      }
    }
    vnodeReclaim(vp);
    done++;
  }
  c.c_reclaiming = was;
  return done;
}

// @ts-ignore: decorator
@inline
export function vnodeLock(vp: Vnode): void {
  lockExclusive(vp.lk, RANK_VNODE);
}

// @ts-ignore: decorator
@inline
export function vnodeUnlock(vp: Vnode): void {
  lockRelease(vp.lk);
}
