/**
 * Mounting and unmounting: attaching a file system to the tree and taking it away.
 *
 *     mountMake, bindMake ─→ mountAttach ─→ in the tree
 *                                              │ umount: nobody holds it, MNT_DETACH, MNT_FORCE
 *                                           detach
 *                               held, or shown by bind mounts → r_lingering ─ mountSweep ─┐
 *                               else ────────────────────────────────────→ mountDestroy ←─┘
 *
 * A bind mount holds its source's mount by mnt_binds, the entry and the vnode at its root by
 * references. What lingers is no place any more: no path leads there, and its root has no "..".
 */
import { EBUSY, EINVAL, ENOMEM } from '../abi/errno';
import { MNT_DETACH, MNT_FORCE, MS_RDONLY } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { add32, and32, or32 } from '../kern/lock';
import { klog } from '../kern/panic';
import { Ucred } from '../proc/cred';
import { ALLOC_NOIO } from '../vm/page';
import { kfree, kmalloc } from '../vm/zone';
import {
  Mount,
  mountAlloc,
  mountDrop,
  mountFree,
  mountListAdd,
  mountListRemove,
  mountRef,
  mountsLock,
  mountsUnlock,
  MNTF_BIND,
  MNTF_FSRDONLY,
  Vfsconf,
  vfs_mount,
  vfs_sync,
  vfs_unmount,
} from './mount';
import { inotifyMounted } from './inotify';
import { cacheDrop, cacheFree, cacheRef, cacheRoot, flagsAddr, Namecache, NCF_MOUNTPT } from './namecache';
import { cachePurgeTree } from './nametree';
import { layerFree, layerRemove } from './layer';
import { deferredRun, Vnode, vnodeKill, vnodePut, vnodeRef } from './vnode';

function textCopy(from: usize, len: u32): u32 {
  if (len == 0) return 0;
  const p = kmalloc(len, ALLOC_NOIO);
  if (p != 0) memory.copy(p, from, len);
  return <u32>p;
}

/** A mounted file system that is on no list and covers nothing: at `out`. 0 or an errno. `devvp`: the
 *  block device it is on, of which it takes a reference of its own; null: it needs none. */
export function mountMake(
  conf: Vfsconf,
  flags: u32,
  src: usize,
  srclen: u32,
  opts: usize,
  optslen: u32,
  cred: Ucred,
  devvp: Vnode,
  out: usize,
): i32 {
  const mp = mountAlloc(conf, flags);
  if (changetype<usize>(mp) == 0) return -ENOMEM;
  if (flags & MS_RDONLY) mp.mnt_flag |= MNTF_FSRDONLY;
  mp.mnt_source = textCopy(src, srclen);
  mp.mnt_sourcelen = mp.mnt_source != 0 ? srclen : 0;
  mp.mnt_opts = textCopy(opts, optslen);
  mp.mnt_optslen = mp.mnt_opts != 0 ? optslen : 0;
  let e: i32 = mp.mnt_sourcelen != srclen || mp.mnt_optslen != optslen ? -ENOMEM : 0;
  if (changetype<usize>(devvp) != 0) {
    vnodeRef(devvp);
    mp.mnt_devvp = <u32>changetype<usize>(devvp);
  }
  if (e == 0) e = vfs_mount(mp, opts, optslen, cred);
  if (e == 0 && changetype<usize>(mp.mnt_root) == 0) {
    mp.mnt_root = cacheRoot(mp.mnt_norm, mp.mnt_rootvp);
    if (changetype<usize>(mp.mnt_root) == 0) {
      mountEmpty(mp);
      e = -ENOMEM;
    }
  }
  if (e != 0) {
    dropDevice(mp);
    freeTexts(mp);
    mountFree(mp);
    return e;
  }
  store<u32>(out, <u32>changetype<usize>(mp));
  return 0;
}

/** Hide (parent, ncp) behind mp. References on both are taken. */
export function mountAttach(mp: Mount, parent: Mount, ncp: Namecache): void {
  mountsLock();
  mountRef(parent);
  cacheRef(ncp);
  mp.mnt_parent = parent;
  mp.mnt_covered = ncp;
  or32(flagsAddr(ncp), NCF_MOUNTPT);
  mountListAdd(mp);
  inotifyMounted(parent, ncp);
  mountsUnlock();
}

/** Out of the tree: no walk comes to it any more. */
function detach(mp: Mount): void {
  mountsLock();
  mountListRemove(mp);
  const ncp = mp.mnt_covered;
  const parent = mp.mnt_parent;
  if (changetype<usize>(ncp) != 0) inotifyMounted(parent, ncp);
  mp.mnt_covered = changetype<Namecache>(<usize>0);
  mp.mnt_parent = changetype<Mount>(<usize>0);
  if (changetype<usize>(ncp) != 0) {
    if (!coveredByAny(ncp)) and32(flagsAddr(ncp), ~NCF_MOUNTPT);
    cacheDrop(ncp);
    mountDrop(parent);
  }
  mountsUnlock();
}

function coveredByAny(ncp: Namecache): bool {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    if (changetype<usize>(changetype<Mount>(<usize>p).mnt_covered) == changetype<usize>(ncp)) return true;
  }
  return false;
}

function dropDevice(mp: Mount): void {
  if (mp.mnt_devvp != 0) vnodePut(changetype<Vnode>(<usize>mp.mnt_devvp));
}

function freeTexts(mp: Mount): void {
  if (mp.mnt_source != 0) kfree(mp.mnt_source);
  if (mp.mnt_opts != 0) kfree(mp.mnt_opts);
}

/** Reclaim every vnode and free the file system. Those still referenced become deadfs's. */
function mountEmpty(mp: Mount): void {
  const dead = changetype<Mount>(<usize>roots().r_deadmount).mnt_norm;
  vnodePut(mp.mnt_rootvp);
  while (mp.mnt_vnodes != 0) vnodeKill(changetype<Vnode>(<usize>mp.mnt_vnodes), dead);
  vfs_unmount(mp);
}

/** Other options were given: they are what is shown from now on, if there is memory for them. */
export function mountSetOpts(mp: Mount, opts: usize, optslen: u32): void {
  const text = textCopy(opts, optslen);
  if (optslen != 0 && text == 0) return;
  if (mp.mnt_opts != 0) kfree(mp.mnt_opts);
  mp.mnt_opts = text;
  mp.mnt_optslen = optslen;
}

function dropLayers(mp: Mount): void {
  for (let i: u32 = 0; i < 3; i++) {
    const fm = i == 0 ? mp.mnt_norm : i == 1 ? mp.mnt_fifo : mp.mnt_spec;
    while (changetype<usize>(fm.fm_layers) != 0) layerFree(layerRemove(fm, fm.fm_layers.ly_kind));
  }
}

/** Free a mount that is out of the tree, and that nobody holds and no bind mount shows. */
export function mountDestroy(mp: Mount): void {
  dropLayers(mp);
  if (mp.mnt_flag & MNTF_BIND) {
    vnodePut(mp.mnt_rootvp);
    cacheDrop(mp.mnt_root);
    add32(changetype<usize>(mp.mnt_lower) + offsetof<Mount>('mnt_binds'), -1);
  } else {
    if (curcpu.c_deferred != 0) deferredRun();
    // umount(2) succeeds, as on Linux, and nobody is left to be told
    const e = vfs_sync(mp);
    if (e < 0) klog('umount: what could not be written is lost, errno', <u64>-e);
    cachePurgeTree(mp.mnt_root);
    if (curcpu.c_deferred != 0) deferredRun();
    mountEmpty(mp);
    cacheDrop(mp.mnt_root);
    cacheFree(mp.mnt_root);
  }
  dropDevice(mp);
  freeTexts(mp);
  if (mp.mnt_trace != 0) kfree(mp.mnt_trace);
  mountFree(mp);
}

/** May nobody come across it any more, once it is out of the tree? */
// @ts-ignore: decorator
@inline
function isFree(mp: Mount): bool {
  return mp.mnt_refs == 0 && mp.mnt_binds == 0;
}

/**
 * Unmount. Without flags: -EBUSY while files, directories of processes or mounts hold it; bind
 * mounts of it stay. MNT_DETACH: out of the tree now with all that is mounted below, each freed when
 * its last holder lets go (mountSweep). MNT_FORCE: a file system that is held dies under its
 * holders, its bind mounts and theirs; a bind mount that is held is only detached, since what it
 * shows is not its own. The caller's walk has released its references.
 */
export function mountRemove(mp: Mount, flags: u32): i32 {
  if (changetype<usize>(mp.mnt_covered) == 0) return -EINVAL;
  if (flags & MNT_DETACH) {
    detachTree(mp);
    mountSweep();
    return 0;
  }
  if (hasMountsOn(mp) || (mp.mnt_refs != 0 && (flags & MNT_FORCE) == 0)) return -EBUSY;
  if (mp.mnt_refs != 0 && (mp.mnt_flag & MNTF_BIND) == 0) return removeDead(mp);
  vfs_sync(mp);
  detach(mp);
  linger(mp);
  mountSweep();
  return 0;
}

/** A file system that is in use goes, and what shows parts of it goes with it. */
function removeDead(mp: Mount): i32 {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    const m = changetype<Mount>(<usize>p);
    if (isBindOf(m, mp) && hasMountsOn(m)) return -EBUSY;
  }
  vfs_sync(mp);
  let p = roots().r_mounts;
  while (p != 0) {
    const m = changetype<Mount>(<usize>p);
    p = m.mnt_next;
    if (!isBindOf(m, mp)) continue;
    detach(m);
    linger(m);
  }
  detach(mp);
  linger(mp);
  killVnodes(mp);
  mountSweep();
  return 0;
}

// @ts-ignore: decorator
@inline
function isBindOf(m: Mount, real: Mount): bool {
  return (m.mnt_flag & MNTF_BIND) != 0 && changetype<usize>(m.mnt_lower) == changetype<usize>(real);
}

function hasMountsOn(mp: Mount): bool {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    if (changetype<usize>(changetype<Mount>(<usize>p).mnt_parent) == changetype<usize>(mp)) return true;
  }
  return false;
}

/** Every vnode becomes deadfs's, those that nobody references are freed. Killing one frees no other. */
function killVnodes(mp: Mount): void {
  const dead = changetype<Mount>(<usize>roots().r_deadmount).mnt_norm;
  let p = mp.mnt_vnodes;
  while (p != 0) {
    const vp = changetype<Vnode>(<usize>p);
    p = vp.v_mnext;
    vnodeKill(vp, dead);
  }
}

/** Out of the tree: on the list of lingering mounts, until mountSweep finds it free. */
function linger(mp: Mount): void {
  mountsLock();
  mp.mnt_next = roots().r_lingering;
  roots().r_lingering = <u32>changetype<usize>(mp);
  mountsUnlock();
}

/** Detach a mount and all mounts below it, the deepest first. */
export function detachTree(mp: Mount): void {
  while (hasMountsOn(mp)) {
    let deepest = mp;
    for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
      const m = changetype<Mount>(<usize>p);
      if (changetype<usize>(m.mnt_parent) == changetype<usize>(deepest)) {
        deepest = m;
        p = roots().r_mounts;
      }
    }
    detach(deepest);
    linger(deepest);
  }
  detach(mp);
  linger(mp);
}

/** Free the lingering mounts that are free now. Run where no lock is held. */
export function mountSweep(): void {
  let at = changetype<usize>(roots()) + offsetof<Roots>('r_lingering');
  while (load<u32>(at) != 0) {
    const mp = changetype<Mount>(<usize>load<u32>(at));
    if (!isFree(mp)) {
      at = changetype<usize>(mp) + offsetof<Mount>('mnt_next');
      continue;
    }
    mountsLock();
    store<u32>(at, mp.mnt_next);
    mountsUnlock();
    mountDestroy(mp);
    // a bind mount that went may have been the last hold on another: look again
    at = changetype<usize>(roots()) + offsetof<Roots>('r_lingering');
  }
}

/** Something was let go of: if mounts linger, one may be free now. */
// @ts-ignore: decorator
@inline
export function mountLetGo(): void {
  if (roots().r_lingering != 0) mountSweep();
}

/** Write out every file system, those that only bind mounts show included. */
export function syncAll(): void {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) syncOne(p);
  for (let p = roots().r_lingering; p != 0; p = changetype<Mount>(<usize>p).mnt_next) syncOne(p);
}

function syncOne(p: u32): void {
  const mp = changetype<Mount>(<usize>p);
  if ((mp.mnt_flag & MNTF_BIND) == 0) vfs_sync(mp);
}
