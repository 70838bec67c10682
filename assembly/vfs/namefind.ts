/**
 * Entries found by way of others, while other CPUs change the tree: each look and the reference it leads to are one
 * step under r_nclock. What an entry is, and who guards it: namecache.ts.
 */
import { ld32, spinLock, spinUnlock } from '../kern/lock';
import { Ucred } from '../proc/cred';
import {
  cacheRef,
  cacheResolve,
  Namecache,
  nameSame,
  NCF_DYING,
  NCF_HASHED,
  NCF_UNRESOLVED,
  ncLock,
} from './namecache';
import { Vnode, vnodePut, vnodeRef, vnodeTryRef } from './vnode';

/** Is a locked entry still the one of this name in that directory? It may have been renamed or removed before it was locked. */
export function cacheIsNamed(ncp: Namecache, parent: Namecache, name: usize, len: u32): bool {
  spinLock(ncLock());
  let same = ncp.nc_parent == <u32>changetype<usize>(parent) && (ncp.nc_flags & NCF_HASHED) != 0 && ncp.nc_namelen == len;
  if (same) same = nameSame(name, <usize>ncp.nc_namep, len);
  spinUnlock(ncLock());
  return same;
}

/** The entry of its directory, referenced; null: it is a mount's root. The caller holds the entry. */
export function cacheParent(ncp: Namecache): Namecache {
  spinLock(ncLock());
  const parent = ncp.parent;
  if (changetype<usize>(parent) != 0) cacheRef(parent);
  spinUnlock(ncLock());
  return parent;
}

/** One of a vnode's names, referenced; null: it has none. */
export function cacheNameOf(vp: Vnode): Namecache {
  spinLock(ncLock());
  let p = vp.v_names;
  while (p != 0 && changetype<Namecache>(<usize>p).nc_flags & NCF_DYING) p = changetype<Namecache>(<usize>p).nc_vnext;
  if (p != 0) cacheRef(changetype<Namecache>(<usize>p));
  spinUnlock(ncLock());
  return changetype<Namecache>(<usize>p);
}

/** The highest of an unresolved entry and its ancestors that is unresolved while its parent is not, referenced. */
export function cacheTopUnresolved(ncp: Namecache): Namecache {
  spinLock(ncLock());
  let top = ncp;
  while (top.nc_parent != 0 && top.parent.nc_flags & NCF_UNRESOLVED) top = top.parent;
  cacheRef(top);
  spinUnlock(ncLock());
  return top;
}

/** The entry's vnode with a reference, or null: negative, or reclaimed since (UNRESOLVED). */
export function cacheVnode(ncp: Namecache): Vnode {
  if (!SMP) {
    if (ncp.nc_vp != 0) vnodeRef(ncp.vp);
    return ncp.vp;
  }
  while (true) {
    const vp = changetype<Vnode>(<usize>ld32(changetype<usize>(ncp) + offsetof<Namecache>('nc_vp')));
    if (changetype<usize>(vp) == 0) return vp;
    // one that is being reclaimed forgets its names before long
    if (!vnodeTryRef(vp)) continue;
    if (ld32(changetype<usize>(ncp) + offsetof<Namecache>('nc_vp')) == <u32>changetype<usize>(vp)) return vp;
    vnodePut(vp);
  }
}

/** Resolve a locked entry, and reference what it resolves to, at out (0: negative): 0 or an errno. */
export function cacheHold(ncp: Namecache, cred: Ucred, out: usize): i32 {
  while (true) {
    const e = cacheResolve(ncp, cred);
    if (e != 0) return e;
    const vp = cacheVnode(ncp);
    store<u32>(out, <u32>changetype<usize>(vp));
    if (changetype<usize>(vp) != 0 || (ncp.nc_flags & NCF_UNRESOLVED) == 0) return 0;
  }
}
