/** Mounting and unmounting: attaching a file system to the tree and taking it away. */
import { EBUSY, EINVAL, ENOMEM } from '../abi/errno';
import { MNT_DETACH, MNT_FORCE } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
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
  Vfsconf,
  vfs_mount,
  vfs_sync,
  vfs_unmount,
} from './mount';
import {
  cacheDrop,
  cacheFree,
  cachePurgeTree,
  cacheRef,
  cacheRoot,
  Namecache,
  NCF_MOUNTPT,
} from './namecache';
import { layerFree, layerRemove, LAYER_FAULT, LAYER_TRACE } from './layer';
import { Vnode, vnodeKill, vnodePut, vnodeRef } from './vnode';

function textCopy(from: usize, len: u32): u32 {
  if (len == 0) return 0;
  const p = kmalloc(len, ALLOC_NOIO);
  if (p != 0) memory.copy(p, from, len);
  return <u32>p;
}

/** A mounted file system that is on no list and covers nothing: at `out`. 0 or an errno. */
export function mountMake(
  conf: Vfsconf,
  flags: u32,
  src: usize,
  srclen: u32,
  opts: usize,
  optslen: u32,
  cred: Ucred,
  out: usize,
): i32 {
  const mp = mountAlloc(conf, flags);
  if (changetype<usize>(mp) == 0) return -ENOMEM;
  mp.mnt_source = textCopy(src, srclen);
  mp.mnt_sourcelen = mp.mnt_source != 0 ? srclen : 0;
  mp.mnt_opts = textCopy(opts, optslen);
  mp.mnt_optslen = mp.mnt_opts != 0 ? optslen : 0;
  let e = vfs_mount(mp, opts, optslen, cred);
  if (e == 0 && changetype<usize>(mp.mnt_root) == 0) {
    mp.mnt_root = cacheRoot(mp.mnt_norm, mp.mnt_rootvp);
    if (changetype<usize>(mp.mnt_root) == 0) {
      mountEmpty(mp);
      e = -ENOMEM;
    }
  }
  if (e != 0) {
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
  ncp.nc_flags |= NCF_MOUNTPT;
  mountListAdd(mp);
  mountsUnlock();
}

/** Out of the tree: no walk comes to it any more. */
function detach(mp: Mount): void {
  mountsLock();
  mountListRemove(mp);
  const ncp = mp.mnt_covered;
  const parent = mp.mnt_parent;
  mp.mnt_covered = changetype<Namecache>(<usize>0);
  mp.mnt_parent = changetype<Mount>(<usize>0);
  if (changetype<usize>(ncp) != 0) {
    if (!coveredByAny(ncp)) ncp.nc_flags &= ~NCF_MOUNTPT;
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

function dropLayers(mp: Mount): void {
  for (let i: u32 = 0; i < 3; i++) {
    const fm = i == 0 ? mp.mnt_norm : i == 1 ? mp.mnt_fifo : mp.mnt_spec;
    for (let kind = LAYER_TRACE; kind <= LAYER_FAULT; kind++) {
      const ly = layerRemove(fm, kind);
      if (changetype<usize>(ly) != 0) layerFree(ly);
    }
  }
}

/** Free a mount that is out of the tree and that nobody holds. */
export function mountDestroy(mp: Mount): void {
  dropLayers(mp);
  if (mp.mnt_flag & MNTF_BIND) {
    vnodePut(mp.mnt_rootvp);
    cacheDrop(mp.mnt_root);
    mountDrop(mp.mnt_lower);
  } else {
    vfs_sync(mp);
    cachePurgeTree(mp.mnt_root);
    mountEmpty(mp);
    cacheDrop(mp.mnt_root);
    cacheFree(mp.mnt_root);
  }
  freeTexts(mp);
  mountFree(mp);
}

/** Names and vnodes that files or processes hold beyond the mount's own. */
function inUse(mp: Mount): bool {
  return mp.mnt_refs != 0;
}

/**
 * Unmount. Without flags: -EBUSY while anything holds it. MNT_DETACH: out of the tree now, freed
 * when the last holder lets go (mountSweep). MNT_FORCE: its vnodes die under their holders. The
 * caller's walk has released its reference.
 */
export function mountRemove(mp: Mount, flags: u32): i32 {
  if (changetype<usize>(mp.mnt_covered) == 0) return -EINVAL;
  if (flags & MNT_DETACH) {
    detachTree(mp);
    mountSweep();
    return 0;
  }
  if (hasMountsOn(mp) || (inUse(mp) && (flags & MNT_FORCE) == 0)) return -EBUSY;
  vfs_sync(mp);
  detach(mp);
  if (!inUse(mp)) {
    mountDestroy(mp);
    return 0;
  }
  killVnodes(mp);
  linger(mp);
  return 0;
}

function hasMountsOn(mp: Mount): bool {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    if (changetype<usize>(changetype<Mount>(<usize>p).mnt_parent) == changetype<usize>(mp)) return true;
  }
  return false;
}

/** Every referenced vnode but the root becomes deadfs's; unreferenced ones are freed. */
function killVnodes(mp: Mount): void {
  const dead = changetype<Mount>(<usize>roots().r_deadmount).mnt_norm;
  if (mp.mnt_flag & MNTF_BIND) return;
  let p = mp.mnt_vnodes;
  while (p != 0) {
    const vp = changetype<Vnode>(<usize>p);
    p = vp.v_mnext;
    if (changetype<usize>(vp) != changetype<usize>(mp.mnt_rootvp)) vnodeKill(vp, dead);
  }
}

/** Out of the tree but still held: on the list of lingering mounts. */
function linger(mp: Mount): void {
  mp.mnt_next = roots().r_lingering;
  roots().r_lingering = <u32>changetype<usize>(mp);
}

/** Detach a mount and all mounts below it, the deepest first. */
function detachTree(mp: Mount): void {
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

/** Free lingering mounts that nobody holds any more. Run where nothing is held. */
export function mountSweep(): void {
  let at = changetype<usize>(roots()) + offsetof<Roots>('r_lingering');
  while (load<u32>(at) != 0) {
    const mp = changetype<Mount>(<usize>load<u32>(at));
    if (inUse(mp)) {
      at = changetype<usize>(mp) + offsetof<Mount>('mnt_next');
      continue;
    }
    store<u32>(at, mp.mnt_next);
    mountDestroy(mp);
    // a bind mount that went may have freed another's last hold: look again
    at = changetype<usize>(roots()) + offsetof<Roots>('r_lingering');
  }
}

/** A bind mount: shows (lower, ncp) with flags of its own. At `out`. */
export function bindMake(
  conf: Vfsconf,
  lower: Mount,
  ncp: Namecache,
  vp: Vnode,
  flags: u32,
  src: usize,
  srclen: u32,
  out: usize,
): i32 {
  const mp = mountAlloc(conf, flags | MNTF_BIND);
  if (changetype<usize>(mp) == 0) return -ENOMEM;
  mp.mnt_source = textCopy(src, srclen);
  mp.mnt_sourcelen = mp.mnt_source != 0 ? srclen : 0;
  // the names' own mount, however many binds lie between
  const real = lower.mnt_flag & MNTF_BIND ? lower.mnt_lower : lower;
  mp.mnt_lower = real;
  mp.mnt_dev = real.mnt_dev;
  mp.mnt_op_statfs = real.mnt_op_statfs;
  mp.mnt_op_sync = real.mnt_op_sync;
  mp.mnt_op_vget = real.mnt_op_vget;
  mp.mnt_data = real.mnt_data;
  mountRef(real);
  cacheRef(ncp);
  vnodeRef(vp);
  mp.mnt_root = ncp;
  mp.mnt_rootvp = vp;
  store<u32>(out, <u32>changetype<usize>(mp));
  return 0;
}
