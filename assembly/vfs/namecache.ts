/**
 * The namecache: names, the tree they form, and what they resolve to.
 *
 * An entry is a name in a directory: UNRESOLVED (nobody has asked the file system yet), positive
 * (nc_vp) or negative (resolved, nc_vp null). Its lock is the namespace lock: who holds it
 * exclusively may create, remove, link or rename that name, and nobody else can meanwhile.
 *
 *     cacheGet ─→ UNRESOLVED ─ VOP_NRESOLVE ─→ positive ←─ create, link, rename ─ negative
 *                    ↑  vnode reclaimed            │ remove, rename away
 *                    └─────────────────────────────┤ (if others hold the entry: DESTROYED and
 *                                                  │  unhashed, else negative)
 *
 * N1. An entry holds a reference on its parent; a parent outlives its children.
 * N2. A negative entry is a promise: while it stays locked nobody can create the name.
 * N3. nc_vp is not a reference: a vnode that is reclaimed unresolves its entries (N8).
 * N4. A DESTROYED entry is on no chain; it keeps its vnode while that lives, and its name for
 *     messages, and nothing can be created under it.
 * N5. Memory of an entry stays an entry (ZONE_STABLE). Whatever a walk without locks reads is read
 *     by ld32 and believed only if nc_seq was even and is unchanged.
 * N6. A VOLATILE entry is believed only during the walk that resolved it: every walk asks the file
 *     system again. It holds a reference on its vnode, and goes with its own last reference.
 *
 * N7. References go from 0 to 1 under r_nclock only, and only of entries that are hashed. So who finds nc_refs 0
 *     there and takes the entry out of the hash (cacheClaim: DYING) has it for himself, and frees it.
 *     Whoever dropped a last reference looks again there: the entry may have been freed since, or be another.
 * N8. nc_vp is cleared under r_nclock by whoever reclaims the vnode, whoever has the entry locked. Who needs the
 *     vnode takes a reference by cacheVnode, which finds out; an entry locked for a call keeps one (nl_held).
 *
 * Guards: nc_hnext, child lists, LRU, name, parent: r_nclock (spin), and nc_seq odd while they change; the entry's
 * lock exclusive too for name and parent. nc_vp, UNRESOLVED: the entry's lock exclusive, but for N8. nc_flags has
 * bits of both, and is changed atomically. Counts: atomic.
 */
import { ENOENT } from '../abi/errno';
import { S_IFDIR, S_IFLNK } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import {
  add32,
  and32,
  ld32,
  lockExclusive,
  lockExclusiveSame,
  lockRelease,
  or32,
  RANK_NAME,
  spinLock,
  spinUnlock,
  st32,
} from '../kern/lock';
import { kassert } from '../kern/panic';
import { wordsZero } from '../kern/words';
import { Ucred } from '../proc/cred';
import { ALLOC_NOIO } from '../vm/page';
import { Zone, ZONE_STABLE, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { FMF_VOLATILE, Fsmanage } from './fsmanage';
import { inotifyVnodeGone } from './inotify';
import { Mount } from './mount';
import { cacheReclaimSome } from './nametree';
import { Vnode, vnodePut, vnodeRef, vnodeUnref } from './vnode';
import { vop_nresolve } from './vop';

/**
 *     0                          32                              64             128
 *     ├ what a lookup compares ──┼ the name, if it fits in 48 ───┼──────────┼────┤
 *
 * One entry is two cache lines, and a lookup of a name of up to 32 bytes reads only the first.
 */
@unmanaged
export class Namecache {
  nc_hnext: u32; //    hash chain
  nc_parent: u32; //   directory's entry, referenced; 0: a mount's root
  nc_hash: u32;
  nc_seq: u32; //      odd while the entry changes
  nc_vp: u32; //       Vnode; 0: negative once resolved
  nc_flags: u32; //    NCF_*
  nc_namelen: u32; //  bytes
  nc_namep: u32; //    the name, padded with zeros to a word: nc_name0… or a name object
  nc_name0: u64; //    NC_INLINE bytes of name
  nc_name1: u64;
  nc_name2: u64;
  nc_name3: u64;
  nc_name4: u64;
  nc_name5: u64;
  nc_refs: u32; //     holders, children included
  nc_lock: u32; //     Lock
  nc_lockwait: u32;
  nc_fm: Fsmanage; //  of its directory's mount: namespace operations go there
  nc_child: u32; //    first child
  nc_sibnext: u32;
  nc_sibprev: u32;
  nc_vnext: u32; //    v_names
  nc_vprev: u32;
  nc_lrunext: u32; //  LRU of entries nobody holds, while NCF_ONLRU
  nc_lruprev: u32;
  nc_mark: u16; //     cachePurgeTree's
  nc_used: u16; //     1: looked up since reclaim last came by

  // @ts-ignore: decorator
  @inline
  get lk(): usize {
    return changetype<usize>(this) + offsetof<Namecache>('nc_lock');
  }
  // @ts-ignore: decorator
  @inline
  get vp(): Vnode {
    return changetype<Vnode>(<usize>this.nc_vp);
  }
  // @ts-ignore: decorator
  @inline
  get parent(): Namecache {
    return changetype<Namecache>(<usize>this.nc_parent);
  }
}

export const NC_INLINE: u32 = 48;
export const NC_NAME: usize = offsetof<Namecache>('nc_name0');
if (NC_NAME != 32) ERROR('Namecache: the name belongs in the first cache line');
if (offsetof<Namecache>() != 128) ERROR('Namecache: two cache lines');

export const NCF_UNRESOLVED: u32 = 1;
export const NCF_MOUNTPT: u32 = 2;
export const NCF_WHITEOUT: u32 = 4;
export const NCF_DESTROYED: u32 = 8;
export const NCF_ISDIR: u32 = 16;
export const NCF_ISSYMLINK: u32 = 32;
export const NCF_ONLRU: u32 = 64;
/** Being freed, or free. */
export const NCF_DYING: u32 = 128;
export const NCF_HASHED: u32 = 256;
/** Its file system makes names up as it is asked (FMF_VOLATILE): N6. */
export const NCF_VOLATILE: u32 = 512;

/** Bytes of hash table for a machine with this many frames (a power of two). */
export function cacheTableBytes(nframes: u32): u32 {
  let n: u32 = 1024;
  while (n < nframes * 2 && n < 1 << 23) n <<= 1;
  return n * 4;
}

/** `table`: never used before, so all zeros. Boot only. */
export function cacheInit(table: usize, bytes: u32): void {
  const r = roots();
  r.r_ncbuckets = <u32>table;
  r.r_ncmask = bytes / 4 - 1;
  r.r_zncp = <u32>changetype<usize>(zoneCreate('namecache', offsetof<Namecache>(), ZONE_STABLE));
  r.r_zncname = <u32>changetype<usize>(zoneCreate('longname', 256, ZONE_STABLE));
}

export function ncLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_nclock');
}

// ── hashing ──────────────────────────────────────────────────────────────────────────────────

export const NAME_HASH0: u32 = 0x811c9dc5;

/** One byte into a name's hash. The walk hashes while it looks for the next slash. */
// @ts-ignore: decorator
@inline
export function nameHashStep(h: u32, c: u32): u32 {
  return (h ^ c) * 0x01000193;
}

export function nameHash(p: usize, len: u32): u32 {
  let h = NAME_HASH0;
  for (let i: u32 = 0; i < len; i++) h = nameHashStep(h, load<u8>(p + i));
  return h;
}

/** Bucket address of a name hash in a directory. */
// @ts-ignore: decorator
@inline
function bucketOf(parent: u32, hash: u32): usize {
  const r = roots();
  let h = hash ^ ((parent >> 3) * 0x9e3779b1);
  h ^= h >>> 15;
  return <usize>r.r_ncbuckets + ((<usize>(h & r.r_ncmask)) << 2);
}

/** Are the `len` bytes at p the name stored (zero-padded, word-aligned) at q? */
// @ts-ignore: decorator
@inline
export function nameSame(p: usize, q: usize, len: u32): bool {
  let i: u32 = 0;
  while (i + 4 <= len) {
    if (load<u32>(p + i) != ld32(q + i)) return false;
    i += 4;
  }
  const rest = len & 3;
  if (rest == 0) return true;
  return ((load<u32>(p + i) ^ ld32(q + i)) & (0xffffffff >>> (32 - (rest << 3)))) == 0;
}

/**
 * The entry of a name in a directory, or null. Takes no lock: the caller holds r_nclock, or
 * validates nc_seq. A chain that changes under a walk without locks may end early (the caller
 * then takes the lock) but, being type-stable and bounded here, never runs wild.
 */
// @ts-ignore: decorator
@inline
export function cacheFind(parent: u32, name: usize, len: u32, hash: u32): Namecache {
  let p = ld32(bucketOf(parent, hash));
  let probes: u32 = 0;
  while (p != 0) {
    const ncp = changetype<Namecache>(<usize>p);
    probes++;
    // read before what it vouches for: cacheFoundSeq
    if (SMP) curcpu.c_findseq = ld32(p + offsetof<Namecache>('nc_seq'));
    if (
      ld32(p + offsetof<Namecache>('nc_hash')) == hash &&
      ld32(p + offsetof<Namecache>('nc_parent')) == parent &&
      ld32(p + offsetof<Namecache>('nc_namelen')) == len &&
      nameSame(name, len <= NC_INLINE ? <usize>p + NC_NAME : <usize>ld32(p + offsetof<Namecache>('nc_namep')), len)
    ) {
      break;
    }
    p = ld32(p);
    if (SMP) if (probes > 4096) p = 0;
  }
  const c = curcpu;
  c.c_lookups++;
  c.c_probes += probes;
  return changetype<Namecache>(<usize>p);
}

/** The sequence count of the entry that cacheFind returned, as it was before its name was read. */
// @ts-ignore: decorator
@inline
export function cacheFoundSeq(): u32 {
  return SMP ? curcpu.c_findseq : 0;
}

// ── references and locks ─────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function cacheRef(ncp: Namecache): void {
  add32(changetype<usize>(ncp) + offsetof<Namecache>('nc_refs'), 1);
}

/**
 * Reference an entry that a walk without locks found, if it is still what it was when its
 * sequence count was read: a freed entry must not be referenced, so the chains' lock is held.
 */
export function cacheRefValid(ncp: Namecache, seq: u32): bool {
  if (SMP) {
    spinLock(ncLock());
    const same = ncp.nc_seq == seq && (ncp.nc_flags & NCF_HASHED || (ncp.nc_parent == 0 && ncp.nc_refs != 0));
    if (same) cacheRef(ncp);
    spinUnlock(ncLock());
    return same;
  }
  cacheRef(ncp);
  return true;
}

/** Drop a reference. The last one leaves the entry on the LRU, or frees it if it is DESTROYED. */
// @ts-ignore: decorator
@inline
export function cacheDrop(ncp: Namecache): void {
  if (DEBUG) kassert(ncp.nc_refs != 0, 'namecache reference dropped twice');
  if (add32(changetype<usize>(ncp) + offsetof<Namecache>('nc_refs'), -1) == 1) cacheLast(ncp);
}

// @ts-ignore: decorator
@inline
export function flagsAddr(ncp: Namecache): usize {
  return changetype<usize>(ncp) + offsetof<Namecache>('nc_flags');
}

/** Nobody holds it, and nobody will: it is the caller's to free (N7). r_nclock held. */
export function cacheClaimLocked(ncp: Namecache): bool {
  if (ncp.nc_refs != 0 || ncp.nc_child != 0 || ncp.nc_flags & NCF_DYING) return false;
  unhash(ncp);
  if (ncp.nc_flags & NCF_ONLRU) lruRemove(ncp);
  or32(flagsAddr(ncp), NCF_DYING);
  return true;
}

/** The last reference went: is the entry the caller's to free now, or does it go on the LRU? */
function lastClaims(ncp: Namecache): bool {
  spinLock(ncLock());
  const flags = ncp.nc_flags;
  if (ncp.nc_refs != 0 || flags & NCF_DYING) {
    spinUnlock(ncLock());
    return false;
  }
  if (flags & (NCF_DESTROYED | NCF_VOLATILE)) {
    const mine = cacheClaimLocked(ncp);
    spinUnlock(ncLock());
    return mine;
  }
  // a mount's root is freed by unmount
  if (ncp.nc_parent != 0 && (flags & NCF_ONLRU) == 0) {
    const r = roots();
    or32(flagsAddr(ncp), NCF_ONLRU);
    ncp.nc_lrunext = 0;
    ncp.nc_lruprev = r.r_nclrutail;
    if (r.r_nclrutail != 0) changetype<Namecache>(<usize>r.r_nclrutail).nc_lrunext = <u32>changetype<usize>(ncp);
    else r.r_nclruhead = <u32>changetype<usize>(ncp);
    r.r_nclrutail = <u32>changetype<usize>(ncp);
  }
  spinUnlock(ncLock());
  return false;
}

export function cacheLast(ncp: Namecache): void {
  if (lastClaims(ncp)) cacheFree(ncp);
}

/** Off the LRU. r_nclock held. */
export function lruRemove(ncp: Namecache): void {
  const r = roots();
  if (ncp.nc_lruprev != 0) changetype<Namecache>(<usize>ncp.nc_lruprev).nc_lrunext = ncp.nc_lrunext;
  else r.r_nclruhead = ncp.nc_lrunext;
  if (ncp.nc_lrunext != 0) changetype<Namecache>(<usize>ncp.nc_lrunext).nc_lruprev = ncp.nc_lruprev;
  else r.r_nclrutail = ncp.nc_lruprev;
  and32(flagsAddr(ncp), ~NCF_ONLRU);
}

// @ts-ignore: decorator
@inline
export function cacheLock(ncp: Namecache): void {
  lockExclusive(ncp.lk, RANK_NAME);
}

// @ts-ignore: decorator
@inline
export function cacheUnlock(ncp: Namecache): void {
  lockRelease(ncp.lk);
}

/** Lock a second entry while one is held: a child of it, or in the order of cacheLockTwo. */
// @ts-ignore: decorator
@inline
export function cacheLockSecond(ncp: Namecache): void {
  lockExclusiveSame(ncp.lk, RANK_NAME);
}

/** Lock two entries, lower address first. */
export function cacheLockTwo(a: Namecache, b: Namecache): void {
  const first = changetype<usize>(a) < changetype<usize>(b) ? a : b;
  const second = changetype<usize>(a) < changetype<usize>(b) ? b : a;
  cacheLock(first);
  cacheLockSecond(second);
}

// @ts-ignore: decorator
@inline
export function seqBegin(ncp: Namecache): void {
  if (SMP) add32(changetype<usize>(ncp) + offsetof<Namecache>('nc_seq'), 1);
}

// @ts-ignore: decorator
@inline
export function seqEnd(ncp: Namecache): void {
  if (SMP) add32(changetype<usize>(ncp) + offsetof<Namecache>('nc_seq'), 1);
}

/** Copy an entry's name out (at most 255 bytes), whole even while it is renamed; its length. */
export function cacheNameCopy(ncp: Namecache, to: usize): u32 {
  spinLock(ncLock());
  const n = ncp.nc_namelen;
  memory.copy(to, ncp.nc_namep, n);
  spinUnlock(ncLock());
  return n;
}

// ── making and freeing ───────────────────────────────────────────────────────────────────────

/** Store a name in an entry whose seq is odd (or that nobody sees yet): false if out of memory. */
export function nameStore(ncp: Namecache, name: usize, len: u32, hash: u32): bool {
  const inline = <u32>(changetype<usize>(ncp) + NC_NAME);
  let to = inline;
  if (len > NC_INLINE) {
    if (ncp.nc_namep != 0 && ncp.nc_namep != inline) to = ncp.nc_namep;
    else {
      to = <u32>zoneAlloc(changetype<Zone>(<usize>roots().r_zncname), ALLOC_NOIO);
      if (to == 0) return false;
    }
  } else if (ncp.nc_namep != 0 && ncp.nc_namep != inline) {
    zoneFree(changetype<Zone>(<usize>roots().r_zncname), ncp.nc_namep);
  }
  let w: u32 = 0;
  let i: u32 = 0;
  for (; i < len; i++) {
    w |= (<u32>load<u8>(name + i)) << ((i & 3) << 3);
    if ((i & 3) == 3) {
      st32(<usize>to + (i & ~3), w);
      w = 0;
    }
  }
  if (i & 3) st32(<usize>to + (i & ~3), w);
  st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_namep'), to);
  st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_namelen'), len);
  st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_hash'), hash);
  return true;
}

function entryAlloc(fm: Fsmanage, name: usize, len: u32, hash: u32): Namecache {
  const r = roots();
  if (r.r_ncount >= r.r_maxnames) cacheReclaimSome(8);
  const ncp = changetype<Namecache>(zoneAlloc(changetype<Zone>(<usize>r.r_zncp), ALLOC_NOIO));
  if (changetype<usize>(ncp) == 0) return ncp;
  seqBegin(ncp);
  const seq = ncp.nc_seq;
  wordsZero(changetype<usize>(ncp), offsetof<Namecache>());
  if (SMP) st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_seq'), seq);
  st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_refs'), 1);
  ncp.nc_fm = fm;
  st32(flagsAddr(ncp), fm.fm_flags & FMF_VOLATILE ? NCF_UNRESOLVED | NCF_VOLATILE : NCF_UNRESOLVED);
  if (!nameStore(ncp, name, len, hash)) {
    seqEnd(ncp);
    zoneFree(changetype<Zone>(<usize>r.r_zncp), changetype<usize>(ncp));
    return changetype<Namecache>(<usize>0);
  }
  seqEnd(ncp);
  add32(changetype<usize>(r) + offsetof<Roots>('r_ncount'), 1);
  add32(changetype<usize>(fm.fm_mount) + offsetof<Mount>('mnt_ncount'), 1);
  return ncp;
}

/** The root entry of a mount, resolved to vp, with one reference. */
export function cacheRoot(fm: Fsmanage, vp: Vnode): Namecache {
  const ncp = entryAlloc(fm, 0, 0, NAME_HASH0);
  if (changetype<usize>(ncp) == 0) return ncp;
  // a root is what its mount says it is
  and32(flagsAddr(ncp), ~NCF_VOLATILE);
  cacheSetVp(ncp, vp);
  return ncp;
}

/** Into the hash and under its parent. r_nclock held. */
export function link(ncp: Namecache, parent: Namecache): void {
  const b = bucketOf(<u32>changetype<usize>(parent), ncp.nc_hash);
  ncp.nc_parent = <u32>changetype<usize>(parent);
  ncp.nc_sibprev = 0;
  ncp.nc_sibnext = parent.nc_child;
  if (parent.nc_child != 0) changetype<Namecache>(<usize>parent.nc_child).nc_sibprev = <u32>changetype<usize>(ncp);
  parent.nc_child = <u32>changetype<usize>(ncp);
  st32(changetype<usize>(ncp), load<u32>(b));
  st32(b, <u32>changetype<usize>(ncp));
  or32(flagsAddr(ncp), NCF_HASHED);
}

/** Out of the hash; still its parent's child. r_nclock held. */
export function unhash(ncp: Namecache): void {
  if ((ncp.nc_flags & NCF_HASHED) == 0) return;
  let at = bucketOf(ncp.nc_parent, ncp.nc_hash);
  while (load<u32>(at) != <u32>changetype<usize>(ncp)) at = <usize>load<u32>(at);
  st32(at, ncp.nc_hnext);
  and32(flagsAddr(ncp), ~NCF_HASHED);
}

/** Off its parent's child list. r_nclock held. */
export function unlinkChild(ncp: Namecache): void {
  const parent = ncp.parent;
  if (ncp.nc_sibprev != 0) changetype<Namecache>(<usize>ncp.nc_sibprev).nc_sibnext = ncp.nc_sibnext;
  else parent.nc_child = ncp.nc_sibnext;
  if (ncp.nc_sibnext != 0) changetype<Namecache>(<usize>ncp.nc_sibnext).nc_sibprev = ncp.nc_sibprev;
}

/** Free an entry that is the caller's (cacheClaimLocked), and the ancestors that only it held if they are DESTROYED. */
export function cacheFree(ncp: Namecache): void {
  while (true) {
    if (DEBUG) kassert(ncp.nc_refs == 0 && ncp.nc_child == 0, 'freeing a namecache entry in use');
    const parent = ncp.parent;
    const r = roots();
    cacheClearVp(ncp);
    spinLock(ncLock());
    if (changetype<usize>(parent) != 0) {
      unhash(ncp);
      unlinkChild(ncp);
    }
    if (ncp.nc_flags & NCF_ONLRU) lruRemove(ncp);
    spinUnlock(ncLock());
    seqBegin(ncp);
    if (ncp.nc_namep != <u32>(changetype<usize>(ncp) + NC_NAME)) {
      zoneFree(changetype<Zone>(<usize>r.r_zncname), ncp.nc_namep);
      ncp.nc_namep = 0;
    }
    ncp.nc_parent = 0;
    or32(flagsAddr(ncp), NCF_DYING);
    ncp.nc_namelen = 0xffffffff;
    add32(changetype<usize>(ncp.nc_fm.fm_mount) + offsetof<Mount>('mnt_ncount'), -1);
    seqEnd(ncp);
    add32(changetype<usize>(r) + offsetof<Roots>('r_ncount'), -1);
    zoneFree(changetype<Zone>(<usize>r.r_zncp), changetype<usize>(ncp));
    if (changetype<usize>(parent) == 0) return;
    // drop the reference on the parent without recursion
    if (add32(changetype<usize>(parent) + offsetof<Namecache>('nc_refs'), -1) != 1) return;
    if (!lastClaims(parent)) return;
    ncp = parent;
  }
}

/** The entry of a name, made (UNRESOLVED) if there is none; referenced. null: out of memory. */
export function cacheGet(parent: Namecache, name: usize, len: u32, hash: u32): Namecache {
  const pp = <u32>changetype<usize>(parent);
  spinLock(ncLock());
  let ncp = cacheFind(pp, name, len, hash);
  if (changetype<usize>(ncp) != 0) {
    cacheRef(ncp);
    spinUnlock(ncLock());
    return ncp;
  }
  spinUnlock(ncLock());
  ncp = entryAlloc(parent.nc_fm, name, len, hash);
  if (changetype<usize>(ncp) == 0) return ncp;
  cacheRef(parent);
  spinLock(ncLock());
  if (SMP) {
    const other = cacheFind(pp, name, len, hash);
    if (changetype<usize>(other) != 0) {
      cacheRef(other);
      spinUnlock(ncLock());
      ncp.nc_refs = 0;
      cacheFree(ncp);
      cacheDrop(parent);
      return other;
    }
  }
  link(ncp, parent);
  spinUnlock(ncLock());
  return ncp;
}

// ── resolution ───────────────────────────────────────────────────────────────────────────────

/** Off its vnode's list of names. False: it does not resolve to that any more (N8). */
function unlinkVp(ncp: Namecache, vp: Vnode): bool {
  spinLock(ncLock());
  const mine = ncp.nc_vp == <u32>changetype<usize>(vp);
  if (mine) unlinkVpLocked(ncp, vp);
  spinUnlock(ncLock());
  return mine;
}

function unlinkVpLocked(ncp: Namecache, vp: Vnode): void {
  if (ncp.nc_vprev != 0) changetype<Namecache>(<usize>ncp.nc_vprev).nc_vnext = ncp.nc_vnext;
  else vp.v_names = ncp.nc_vnext;
  if (ncp.nc_vnext != 0) changetype<Namecache>(<usize>ncp.nc_vnext).nc_vprev = ncp.nc_vprev;
  ncp.nc_vnext = 0;
  ncp.nc_vprev = 0;
  st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_vp'), 0);
}

/** Detach from its vnode, leaving flags alone. */
export function cacheClearVp(ncp: Namecache): void {
  const vp = ncp.vp;
  if (changetype<usize>(vp) == 0 || !unlinkVp(ncp, vp)) return;
  if (vp.v_watches != 0 && vp.v_fc.fc_attr.va_nlink == 0) watchedNameGone(vp);
  if (ncp.nc_flags & NCF_VOLATILE) vnodePut(vp);
}

/**
 * A watched file without links lost a name that nobody holds any more. As on Linux that is its end
 * for its watchers, although it may still be open by another name; and only here, if a file that
 * was opened in a removed directory held that directory's name (vnodeLast waited for this).
 */
function watchedNameGone(vp: Vnode): void {
  vnodeRef(vp);
  inotifyVnodeGone(vp);
  vnodePut(vp);
}

/** Resolve an entry: to vp, or to nothing (null: negative). Entry locked or not yet shared. */
export function cacheSetVp(ncp: Namecache, vp: Vnode): void {
  if (changetype<usize>(vp) != 0 && ncp.nc_flags & NCF_VOLATILE) vnodeRef(vp);
  seqBegin(ncp);
  cacheClearVp(ncp);
  let kind: u32 = 0;
  if (changetype<usize>(vp) != 0) {
    kind = vp.v_type == S_IFDIR ? NCF_ISDIR : vp.v_type == S_IFLNK ? NCF_ISSYMLINK : 0;
    spinLock(ncLock());
    ncp.nc_vprev = 0;
    ncp.nc_vnext = vp.v_names;
    if (vp.v_names != 0) changetype<Namecache>(<usize>vp.v_names).nc_vprev = <u32>changetype<usize>(ncp);
    vp.v_names = <u32>changetype<usize>(ncp);
    st32(changetype<usize>(ncp) + offsetof<Namecache>('nc_vp'), <u32>changetype<usize>(vp));
    spinUnlock(ncLock());
  }
  and32(flagsAddr(ncp), ~(NCF_UNRESOLVED | NCF_ISDIR | NCF_ISSYMLINK | NCF_WHITEOUT));
  if (kind != 0) or32(flagsAddr(ncp), kind);
  seqEnd(ncp);
}

/** Forget what an entry resolves to: the next walk asks the file system. */
export function cacheSetUnresolved(ncp: Namecache): void {
  seqBegin(ncp);
  cacheClearVp(ncp);
  flagUnresolved(ncp);
  seqEnd(ncp);
}

function flagUnresolved(ncp: Namecache): void {
  or32(flagsAddr(ncp), NCF_UNRESOLVED);
  and32(flagsAddr(ncp), ~(NCF_ISDIR | NCF_ISSYMLINK | NCF_WHITEOUT));
}

/** The file system has another answer for this name now: the next walk asks it. */
export function cacheForgetName(parent: Namecache, name: usize, len: u32): void {
  const ncp = cacheGet(parent, name, len, nameHash(name, len));
  if (changetype<usize>(ncp) == 0) return; // out of memory: then it is not cached either
  cacheLock(ncp);
  cacheSetUnresolved(ncp);
  cacheUnlock(ncp);
  cacheDrop(ncp);
}

/**
 * Unresolve every entry of a vnode that is being reclaimed, which nobody watches any more. What
 * VOLATILE ones held goes without an end to it: this *is* the vnode's end, and must not begin another.
 */
export function cacheForgetVnode(vp: Vnode): void {
  while (true) {
    spinLock(ncLock());
    const ncp = changetype<Namecache>(<usize>vp.v_names);
    if (changetype<usize>(ncp) == 0) {
      spinUnlock(ncLock());
      return;
    }
    seqBegin(ncp);
    // before nc_vp is gone: who finds that gone asks the file system again
    flagUnresolved(ncp);
    unlinkVpLocked(ncp, vp);
    seqEnd(ncp);
    const held = (ncp.nc_flags & NCF_VOLATILE) != 0;
    spinUnlock(ncLock());
    if (held) vnodeUnref(vp);
  }
}

/**
 * Ask the file system if need be. Entry locked (exclusive); its directory's vnode referenced by
 * the caller. 0 (positive or negative), or an errno of the file system.
 */
export function cacheResolve(ncp: Namecache, cred: Ucred): i32 {
  if ((ncp.nc_flags & (NCF_UNRESOLVED | NCF_VOLATILE)) == 0) return 0;
  if (ncp.nc_flags & NCF_DESTROYED || ncp.nc_parent == 0) return -ENOENT;
  const e = vop_nresolve(ncp.nc_fm, ncp, cred);
  return e == -ENOENT ? 0 : e;
}
