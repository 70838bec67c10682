/**
 * The namecache's tree as it changes: names removed, renamed and exchanged, and entries given back
 * when memory is short or a mount goes. What an entry is, and who guards it: namecache.ts.
 */
import { Roots, roots } from '../kern/boot';
import { add32, and32, or32, spinLock, spinUnlock, st32 } from '../kern/lock';
import { Vnode } from './vnode';
import {
  cacheClaimLocked,
  cacheClearVp,
  cacheDrop,
  cacheFree,
  cacheLast,
  cacheRef,
  cacheSetVp,
  flagsAddr,
  link,
  lruRemove,
  Namecache,
  nameStore,
  NC_INLINE,
  NC_NAME,
  NCF_DESTROYED,
  NCF_ISDIR,
  NCF_ISSYMLINK,
  NCF_UNRESOLVED,
  NCF_WHITEOUT,
  ncLock,
  seqBegin,
  seqEnd,
  unhash,
  unlinkChild,
} from './namecache';

/**
 * The name was removed. Entry locked. If others hold the entry (open files, working directories)
 * it goes on as DESTROYED for them; else it becomes negative.
 */
export function cacheUnlink(ncp: Namecache): void {
  // names that were looked for in it do not hold it
  if (ncp.nc_child != 0) cachePurgeChildren(ncp);
  if (ncp.nc_refs > 1 || ncp.nc_child != 0) {
    cacheDestroy(ncp);
    return;
  }
  cacheSetVp(ncp, changetype<Vnode>(<usize>0));
}

/** Take the entry out of the tree for good: no walk finds it any more. Entry locked. */
export function cacheDestroy(ncp: Namecache): void {
  seqBegin(ncp);
  spinLock(ncLock());
  unhash(ncp);
  or32(flagsAddr(ncp), NCF_DESTROYED);
  spinUnlock(ncLock());
  seqEnd(ncp);
  // children are names in a directory that is gone: unresolved and negative ones only
  cachePurgeChildren(ncp);
}

/** Free those children of an entry that nobody holds. The caller holds the entry. */
export function cachePurgeChildren(ncp: Namecache): void {
  while (true) {
    spinLock(ncLock());
    let p = ncp.nc_child;
    while (p != 0 && !cacheClaimLocked(changetype<Namecache>(<usize>p))) p = changetype<Namecache>(<usize>p).nc_sibnext;
    spinUnlock(ncLock());
    if (p == 0) return;
    cacheFree(changetype<Namecache>(<usize>p));
  }
}

/**
 * fncp was renamed to where tncp is: fncp takes tncp's place in the tree, name and all, so that
 * whoever holds fncp (and its children) moves with it. tncp becomes DESTROYED for its other holders;
 * if it has none it is spare, and becomes what the old name needs now: a negative entry. Both
 * locked; the file system has done its part. Cannot fail: memory for a long name comes from tncp.
 */
export function cacheRename(fncp: Namecache, tncp: Namecache): void {
  const parent = tncp.parent;
  const oldparent = fncp.parent;
  seqBegin(tncp);
  seqBegin(fncp);
  spinLock(ncLock());
  const spare = tncp.nc_refs == 1 && tncp.nc_child == 0 && (fncp.nc_flags & NCF_DESTROYED) == 0;
  unhash(tncp);
  unhash(fncp);
  unlinkChild(fncp);
  swapNames(fncp, tncp);
  const fm = fncp.nc_fm;
  fncp.nc_fm = tncp.nc_fm;
  link(fncp, parent);
  if (spare) {
    // each takes over the other's reference on a parent
    unlinkChild(tncp);
    tncp.nc_fm = fm;
    link(tncp, oldparent);
  } else {
    or32(flagsAddr(tncp), NCF_DESTROYED);
    cacheRef(parent);
  }
  spinUnlock(ncLock());
  seqEnd(fncp);
  if (spare) {
    cacheClearVp(tncp);
    and32(flagsAddr(tncp), ~(NCF_UNRESOLVED | NCF_ISDIR | NCF_ISSYMLINK | NCF_WHITEOUT));
  } else {
    // who holds it wants to see the name it had; without memory for that it shows the other's
    nameStore(tncp, <usize>fncp.nc_namep, fncp.nc_namelen, fncp.nc_hash);
  }
  seqEnd(tncp);
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_renameseq'), 1);
  if (spare) return;
  // children of a directory that is gone: unresolved and negative ones only
  cachePurgeChildren(tncp);
  cacheDrop(oldparent);
}

/** Two names changed their files: swap what they resolve to by swapping places in the tree. */
export function cacheExchange(a: Namecache, b: Namecache): void {
  const pa = a.parent;
  const pb = b.parent;
  seqBegin(a);
  seqBegin(b);
  spinLock(ncLock());
  unhash(a);
  unlinkChild(a);
  unhash(b);
  unlinkChild(b);
  swapNames(a, b);
  link(a, pb);
  link(b, pa);
  spinUnlock(ncLock());
  seqEnd(b);
  seqEnd(a);
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_renameseq'), 1);
}

/** Swap the names of two entries (inline bytes, or the name objects). */
function swapNames(a: Namecache, b: Namecache): void {
  const ia = <u32>(changetype<usize>(a) + NC_NAME);
  const ib = <u32>(changetype<usize>(b) + NC_NAME);
  for (let i: u32 = 0; i < NC_INLINE; i += 4) {
    const w = load<u32>(ia + i);
    st32(ia + i, load<u32>(ib + i));
    st32(ib + i, w);
  }
  const pa = a.nc_namep;
  const pb = b.nc_namep;
  st32(changetype<usize>(a) + offsetof<Namecache>('nc_namep'), pb == ib ? ia : pb);
  st32(changetype<usize>(b) + offsetof<Namecache>('nc_namep'), pa == ia ? ib : pa);
  const la = a.nc_namelen;
  st32(changetype<usize>(a) + offsetof<Namecache>('nc_namelen'), b.nc_namelen);
  st32(changetype<usize>(b) + offsetof<Namecache>('nc_namelen'), la);
  const ha = a.nc_hash;
  st32(changetype<usize>(a) + offsetof<Namecache>('nc_hash'), b.nc_hash);
  st32(changetype<usize>(b) + offsetof<Namecache>('nc_hash'), ha);
}

/** Is `dir` at or above `ncp`? */
export function cacheIsAncestor(dir: Namecache, ncp: Namecache): bool {
  let p = <u32>changetype<usize>(ncp);
  while (p != 0) {
    if (p == <u32>changetype<usize>(dir)) return true;
    p = changetype<Namecache>(<usize>p).nc_parent;
  }
  return false;
}

// ── giving back ──────────────────────────────────────────────────────────────────────────────

/** Free up to `n` entries from the LRU's old end; those used since get a second chance. */
export function cacheReclaimSome(n: u32): u32 {
  const r = roots();
  let done: u32 = 0;
  let looked: u32 = 0;
  while (done < n && looked < n * 4 + 64) {
    looked++;
    spinLock(ncLock());
    const ncp = changetype<Namecache>(<usize>r.r_nclruhead);
    if (changetype<usize>(ncp) == 0) {
      spinUnlock(ncLock());
      break;
    }
    // in use again: its last drop puts it back. Used since: to the end of the queue, if nobody holds it now
    lruRemove(ncp);
    const mine = ncp.nc_refs == 0 && ncp.nc_used == 0 && cacheClaimLocked(ncp);
    ncp.nc_used = 0;
    spinUnlock(ncLock());
    if (!mine) {
      cacheLast(ncp);
      continue;
    }
    cacheFree(ncp);
    done++;
  }
  return done;
}

/** Free every entry under `root` that nobody holds (unmount). Returns how many are left. */
export function cachePurgeTree(root: Namecache): u32 {
  let ncp = root;
  // post-order without recursion: go down to a leaf, free it, go on from its parent
  let left: u32 = 0;
  while (true) {
    let child: u32 = ncp.nc_child;
    // skip leaves that could not be freed (they are behind those that could: newest first)
    while (child != 0 && changetype<Namecache>(<usize>child).nc_mark != 0) {
      child = changetype<Namecache>(<usize>child).nc_sibnext;
    }
    if (child != 0) {
      ncp = changetype<Namecache>(<usize>child);
      continue;
    }
    if (changetype<usize>(ncp) == changetype<usize>(root)) break;
    const parent = ncp.parent;
    spinLock(ncLock());
    const mine = cacheClaimLocked(ncp);
    spinUnlock(ncLock());
    if (mine) {
      cacheRef(parent);
      cacheFree(ncp);
      add32(changetype<usize>(parent) + offsetof<Namecache>('nc_refs'), -1);
    } else {
      ncp.nc_mark = 1;
      left++;
    }
    ncp = parent;
  }
  if (left != 0) clearMarks(root);
  return left;
}

function clearMarks(root: Namecache): void {
  let ncp = root;
  while (true) {
    let child: u32 = ncp.nc_child;
    while (child != 0 && changetype<Namecache>(<usize>child).nc_mark == 0) child = changetype<Namecache>(<usize>child).nc_sibnext;
    if (child != 0) {
      ncp = changetype<Namecache>(<usize>child);
      ncp.nc_mark = 0;
      continue;
    }
    if (changetype<usize>(ncp) == changetype<usize>(root)) return;
    ncp = ncp.parent;
  }
}
