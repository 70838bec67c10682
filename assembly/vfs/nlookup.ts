/**
 * nlookup: from a path to a place in the tree, a pair (mount, namecache entry).
 *
 * Two walks. nlookupFast takes no lock and no reference: it answers when every component is
 * cached, positive and no symbolic link, which is nearly always. nlookup does everything else:
 * it asks file systems (VOP_NRESOLVE), follows links and mounts, and can return the last name
 * locked, for the calls that change it.
 *
 * Results of nlookup are referenced: nl_mount, nl_ncp, and nl_dvp (the directory's vnode) when the
 * last name was asked for locked. nlookupDone releases all of it. An Nlookup that failed needs no
 * release.
 *
 * Locks: at most one entry is locked at a time, while it is resolved; with NL_LOCK the last one
 * stays locked. Rank: RANK_NAME.
 */
import {
  EACCES,
  ELOOP,
  ENAMETOOLONG,
  EISDIR,
  ENOENT,
  ENOMEM,
  ENOTCAPABLE,
  ENOTDIR,
  EXDEV,
} from '../abi/errno';
import { NAME_MAX, PATH_MAX, S_IFDIR, SYMLOOP_MAX } from '../abi/flags';
import { curcpu } from '../kern/cpu';
import { ld32 } from '../kern/lock';
import { Ucred } from '../proc/cred';
import { curproc, Proc } from '../proc/proc';
import { mayLookup } from './access';
import { Mount, mountDrop, mountOn, mountRef } from './mount';
import {
  cacheDrop,
  cacheFind,
  cacheFoundSeq,
  cacheGet,
  cacheLock,
  cacheRef,
  cacheRefValid,
  cacheResolve,
  cacheUnlock,
  Namecache,
  NAME_HASH0,
  nameHash,
  nameHashStep,
  NCF_DESTROYED,
  NCF_ISDIR,
  NCF_ISSYMLINK,
  NCF_MOUNTPT,
  NCF_UNRESOLVED,
  NCF_VOLATILE,
} from './namecache';
import { cacheHold, cacheIsNamed, cacheNameOf, cacheParent, cacheTopUnresolved, cacheVnode } from './namefind';
import { cacheIsAncestor } from './nametree';
import { placeConnected } from './place';
import { scratchPath, scratchPlace, scratchWord } from './scratch';
import { VN_MAGIC, Vnode, vnodePut, vnodeRef } from './vnode';
import { vop_jump, vop_nlookupdotdot, vop_readlink } from './vop';

@unmanaged
export class Nlookup {
  nl_path: u32; //    bytes left to walk
  nl_end: u32;
  nl_flags: u32; //   NL_*
  nl_cred: Ucred;
  nl_mount: Mount; // result (and, while walking, where we are)
  nl_ncp: Namecache;
  nl_dvp: Vnode; //   NL_LOCK: the directory's vnode; null if the path names no entry in one
  nl_startmount: Mount; // BENEATH: the directory that confines the walk
  nl_startncp: Namecache;
  nl_links: u32; //   symbolic links followed
  nl_buf: u32; //     which path buffer holds nl_path; 2 = the caller's
  nl_last: u32; //    LAST_*: what the last component was
  nl_trail: u32; //   1: a slash followed the last component
  nl_locked: u32; //  1: nl_ncp is locked by this walk
  nl_vp: Vnode; //    a magic link led to this vnode, referenced; null: nl_ncp says it all
  nl_anon: u32; //    1: the vnode has no name, and nl_ncp, its mount's root, stands in for one
  nl_held: Vnode; //  smp: with NL_LOCK what nl_ncp resolves to, referenced, so that it stays that
  nl_pad: u32;
}

export const NL_FOLLOW: u32 = 1; //   a symbolic link at the end is followed
export const NL_LOCK: u32 = 2; //     return the last entry locked, resolved, perhaps negative
export const NL_BENEATH: u32 = 4; //  nothing resolves outside the starting directory
export const NL_NOCROSS: u32 = 8; //  the last entry is the covered one, not the mount on it
export const NL_CREATE: u32 = 16; //  with NL_LOCK: the caller makes a file: EISDIR if a slash stands behind the name

export const LAST_NORM: u32 = 0;
export const LAST_ROOT: u32 = 1; //   the path was "/" (or empty behind slashes)
export const LAST_DOT: u32 = 2;
export const LAST_DOTDOT: u32 = 3;
export const LAST_MAGIC: u32 = 4; //  a magic link, which led to nl_vp

if (offsetof<Nlookup>() % 8 != 0) ERROR('Nlookup: pad it to 8');

/** Begin a walk at (mp, ncp). The caller keeps its own references on those over the walk. */
export function nlookupInit(nl: Nlookup, path: usize, len: u32, flags: u32, cred: Ucred, mp: Mount, ncp: Namecache): void {
  nl.nl_path = <u32>path;
  nl.nl_end = <u32>path + len;
  nl.nl_flags = flags;
  nl.nl_cred = cred;
  nl.nl_startmount = mp;
  nl.nl_startncp = ncp;
  nl.nl_mount = mp;
  nl.nl_ncp = ncp;
  nl.nl_dvp = changetype<Vnode>(<usize>0);
  nl.nl_links = 0;
  nl.nl_buf = 2;
  nl.nl_last = LAST_ROOT;
  nl.nl_trail = 0;
  nl.nl_locked = 0;
  nl.nl_vp = changetype<Vnode>(<usize>0);
  nl.nl_anon = 0;
  nl.nl_held = changetype<Vnode>(<usize>0);
}

/** Unlock the last entry but keep the references (rename locks two in an order of its own). */
export function nlookupUnlock(nl: Nlookup): void {
  if (nl.nl_locked == 0) return;
  nl.nl_locked = 0;
  cacheUnlock(nl.nl_ncp);
}

/** Release what a successful nlookup returned. */
export function nlookupDone(nl: Nlookup): void {
  nlookupUnlock(nl);
  if (changetype<usize>(nl.nl_dvp) != 0) {
    vnodePut(nl.nl_dvp);
    nl.nl_dvp = changetype<Vnode>(<usize>0);
  }
  if (SMP) leaveHeld(nl);
  leaveJump(nl);
  cacheDrop(nl.nl_ncp);
  mountDrop(nl.nl_mount);
}

function leaveHeld(nl: Nlookup): void {
  const vp = nl.nl_held;
  nl.nl_held = changetype<Vnode>(<usize>0);
  if (changetype<usize>(vp) != 0) vnodePut(vp);
}

/** Where a magic link led is left. */
function leaveJump(nl: Nlookup): void {
  if (changetype<usize>(nl.nl_vp) == 0) return;
  vnodePut(nl.nl_vp);
  nl.nl_vp = changetype<Vnode>(<usize>0);
  nl.nl_anon = 0;
}

function isRoot(p: Proc, mp: Mount, ncp: Namecache): bool {
  return p.p_rootncp == <u32>changetype<usize>(ncp) && p.p_rootmount == <u32>changetype<usize>(mp);
}

/** Move to another place, exchanging references. */
function moveTo(nl: Nlookup, mp: Mount, ncp: Namecache): void {
  mountRef(mp);
  cacheRef(ncp);
  const oldmp = nl.nl_mount;
  const old = nl.nl_ncp;
  nl.nl_mount = mp;
  nl.nl_ncp = ncp;
  cacheDrop(old);
  mountDrop(oldmp);
}

/** Down into whatever is mounted here. */
function crossMounts(nl: Nlookup): void {
  while (nl.nl_ncp.nc_flags & NCF_MOUNTPT) {
    const m = mountOn(nl.nl_mount, nl.nl_ncp);
    if (changetype<usize>(m) == 0) return;
    moveTo(nl, m, m.mnt_root);
  }
}

/** The vnode where we are, referenced; asks the file system again if it was reclaimed. */
export function nlookupVnode(nl: Nlookup, vpp: usize): i32 {
  const ncp = nl.nl_ncp;
  if (changetype<usize>(nl.nl_vp) != 0) {
    vnodeRef(nl.nl_vp);
    store<u32>(vpp, <u32>changetype<usize>(nl.nl_vp));
    return 0;
  }
  let vp = cacheVnode(ncp);
  if (changetype<usize>(vp) == 0) {
    const e = resolveEntry(ncp, nl.nl_cred);
    if (e != 0) return e;
    vp = cacheVnode(ncp);
    if (changetype<usize>(vp) == 0) return -ENOENT;
  }
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

/**
 * Resolve an entry, its ancestors first where reclaim has unresolved them. Each turn of the loop
 * resolves the highest unresolved ancestor, so it ends after as many turns as the tree is deep.
 */
function resolveEntry(ncp: Namecache, cred: Ucred): i32 {
  while (ncp.nc_flags & NCF_UNRESOLVED) {
    const top = cacheTopUnresolved(ncp);
    const e = resolveTop(top, cred);
    cacheDrop(top);
    if (e != 0) return e;
  }
  return 0;
}

/** What a confined walk says that would leave the directory it is confined to. */
function outside(): i32 {
  return curcpu.c_guest != 0 ? -ENOTCAPABLE : -EXDEV;
}

/** Resolve an entry whose parent is resolved, or was a moment ago. */
function resolveTop(top: Namecache, cred: Ucred): i32 {
  if (top.nc_parent == 0 || top.nc_flags & NCF_DESTROYED) return -ENOENT;
  const parent = cacheParent(top);
  if (changetype<usize>(parent) == 0) return -ENOENT;
  const dvp = cacheVnode(parent);
  let e: i32 = 0;
  if (changetype<usize>(dvp) != 0) {
    cacheLock(top);
    // a rename meanwhile: the next turn looks from the beginning
    if (!SMP || changetype<usize>(top.parent) == changetype<usize>(parent)) e = cacheResolve(top, cred);
    cacheUnlock(top);
    vnodePut(dvp);
  } else if ((parent.nc_flags & NCF_UNRESOLVED) == 0) e = -ENOENT;
  cacheDrop(parent);
  return e;
}

/** Go to the parent directory; stays where it is at the process's root. */
function goUp(nl: Nlookup): i32 {
  const p = curproc();
  if (nl.nl_flags & NL_BENEATH) {
    const atStart =
      changetype<usize>(nl.nl_ncp) == changetype<usize>(nl.nl_startncp) &&
      changetype<usize>(nl.nl_mount) == changetype<usize>(nl.nl_startmount);
    if (atStart) return outside();
  }
  if (isRoot(p, nl.nl_mount, nl.nl_ncp)) return 0;
  while (changetype<usize>(nl.nl_ncp) == changetype<usize>(nl.nl_mount.mnt_root)) {
    if (changetype<usize>(nl.nl_mount.mnt_covered) == 0) return 0;
    moveTo(nl, nl.nl_mount.mnt_parent, nl.nl_mount.mnt_covered);
    if (isRoot(p, nl.nl_mount, nl.nl_ncp)) return 0;
  }
  if (!placeConnected(nl.nl_mount, nl.nl_ncp)) return -ENOENT;
  if (nl.nl_ncp.nc_flags & NCF_DESTROYED) return goUpUnlinked(nl);
  if (nl.nl_ncp.nc_parent == 0) return -ENOENT;
  const parent = cacheParent(nl.nl_ncp);
  moveTo(nl, nl.nl_mount, parent);
  cacheDrop(parent);
  if (nl.nl_flags & NL_BENEATH && !placeBeneath(nl)) return outside();
  crossMounts(nl);
  return 0;
}

/** ".." of a directory whose name is gone: ask the file system, which says ENOENT if it is too. */
function goUpUnlinked(nl: Nlookup): i32 {
  const vp = cacheVnode(nl.nl_ncp);
  if (changetype<usize>(vp) == 0) return -ENOENT;
  const e = vop_nlookupdotdot(vp.v_fm, vp, scratchWord(0), nl.nl_cred);
  vnodePut(vp);
  if (e != 0) return e;
  const dvp = changetype<Vnode>(<usize>load<u32>(scratchWord(0)));
  const name = nl.nl_flags & NL_BENEATH ? changetype<Namecache>(<usize>0) : cacheNameOf(dvp);
  vnodePut(dvp);
  if (changetype<usize>(name) == 0) return -ENOENT;
  moveTo(nl, nl.nl_mount, name);
  cacheDrop(name);
  return 0;
}

/** Is where we are still at or below the start? A rename may have moved it meanwhile. */
function placeBeneath(nl: Nlookup): bool {
  let mp = nl.nl_mount;
  let ncp = nl.nl_ncp;
  while (true) {
    if (changetype<usize>(mp) == changetype<usize>(nl.nl_startmount) && cacheIsAncestor(nl.nl_startncp, ncp)) return true;
    if (changetype<usize>(mp.mnt_covered) == 0) return false;
    ncp = mp.mnt_covered;
    mp = mp.mnt_parent;
  }
}

/**
 * Walk. 0 with nl_mount and nl_ncp referenced (with NL_LOCK: nl_ncp locked and resolved, maybe
 * negative, and nl_dvp referenced, unless nl_last is not LAST_NORM); or an errno: ENOENT, ENOTDIR,
 * EACCES, ELOOP, ENAMETOOLONG, EXDEV (BENEATH), ENOMEM, or the file system's.
 */
export function nlookup(nl: Nlookup): i32 {
  if (!skipPrefix(nl)) {
    mountRef(nl.nl_mount);
    cacheRef(nl.nl_ncp);
  }
  if (nl.nl_path == nl.nl_end) return fail(nl, -ENOENT);
  const e = walk(nl);
  return e == 0 ? 0 : fail(nl, e);
}

/**
 * Go to the last component's directory by the walk without locks, if all of that is cached. True:
 * we are there, referenced, with the last component left to walk.
 */
function skipPrefix(nl: Nlookup): bool {
  const path = <usize>nl.nl_path;
  let end = <usize>nl.nl_end;
  // confined, only "/" could lead out: "..", and links, the fast walk does not follow
  if (nl.nl_flags & NL_BENEATH && end != path && load<u8>(path) == 47) return false;
  while (end > path && load<u8>(end - 1) == 47) end--;
  while (end > path && load<u8>(end - 1) != 47) end--;
  if (end - path < 2) return false;
  const mp = <u32>changetype<usize>(nl.nl_mount);
  const start = <u32>changetype<usize>(nl.nl_ncp);
  if (changetype<usize>(nlookupFast(path, <u32>(end - path), mp, start, false, nl.nl_cred)) == 0) return false;
  const c = curcpu;
  const ncp = changetype<Namecache>(<usize>c.c_fastncp);
  if (!cacheRefValid(ncp, c.c_fastseq)) return false;
  nl.nl_mount = changetype<Mount>(<usize>c.c_fastmount);
  nl.nl_ncp = ncp;
  mountRef(nl.nl_mount);
  nl.nl_path = <u32>end;
  nl.nl_last = LAST_DOT;
  return true;
}

function fail(nl: Nlookup, e: i32): i32 {
  if (changetype<usize>(nl.nl_dvp) != 0) {
    vnodePut(nl.nl_dvp);
    nl.nl_dvp = changetype<Vnode>(<usize>0);
  }
  leaveJump(nl);
  cacheDrop(nl.nl_ncp);
  mountDrop(nl.nl_mount);
  return e;
}

function walk(nl: Nlookup): i32 {
  while (true) {
    let p = nl.nl_path;
    const end = nl.nl_end;
    if (p < end && load<u8>(p) == 47) {
      if (p == nl.nl_path && nl.nl_last == LAST_ROOT) {
        const e = toRoot(nl);
        if (e != 0) return e;
      }
      while (p < end && load<u8>(p) == 47) p++;
    }
    if (p == end) return 0;
    const name = p;
    while (p < end && load<u8>(p) != 47) p++;
    const len = p - name;
    let rest = p;
    while (rest < end && load<u8>(rest) == 47) rest++;
    const last = rest == end;
    nl.nl_trail = last && rest != p ? 1 : 0;
    nl.nl_path = last ? end : p;
    const e = step(nl, name, len, last);
    if (e < 0) return e;
    if (e == STEP_DONE) return 0;
  }
}

const STEP_DONE: i32 = 1;

function toRoot(nl: Nlookup): i32 {
  if (nl.nl_flags & NL_BENEATH) return outside();
  const p = curproc();
  moveTo(nl, changetype<Mount>(<usize>p.p_rootmount), changetype<Namecache>(<usize>p.p_rootncp));
  return 0;
}

/** One component. 0: go on; STEP_DONE: the walk has ended; < 0: errno. */
function step(nl: Nlookup, name: usize, len: u32, last: bool): i32 {
  let e = nlookupVnode(nl, scratchWord(0));
  if (e != 0) return e;
  const dvp = changetype<Vnode>(<usize>load<u32>(scratchWord(0)));
  if (dvp.v_type != S_IFDIR) e = -ENOTDIR;
  else if (!mayLookup(dvp.v_fc.fc_attr, nl.nl_cred)) e = -EACCES;
  else if (len > NAME_MAX) e = -ENAMETOOLONG;
  else if (nl.nl_anon != 0) e = -ENOENT;
  leaveJump(nl);
  if (e != 0) {
    vnodePut(dvp);
    return e;
  }
  if (load<u8>(name) == 46 && (len == 1 || (len == 2 && load<u8>(name, 1) == 46))) {
    nl.nl_last = len == 1 ? LAST_DOT : LAST_DOTDOT;
    vnodePut(dvp);
    return len == 1 ? 0 : goUp(nl);
  }
  nl.nl_last = LAST_NORM;
  if (last && nl.nl_trail != 0 && nl.nl_flags & NL_CREATE) {
    // no file is made under a name that can only be a directory's, whatever there is
    vnodePut(dvp);
    return -EISDIR;
  }
  const ncp = nl.nl_ncp.nc_flags & NCF_DESTROYED
    ? changetype<Namecache>(<usize>0)
    : cacheGet(nl.nl_ncp, name, len, nameHash(name, len));
  if (changetype<usize>(ncp) == 0) {
    const gone = nl.nl_ncp.nc_flags & NCF_DESTROYED;
    vnodePut(dvp);
    return gone ? -ENOENT : -ENOMEM;
  }
  if (last && nl.nl_flags & NL_LOCK) return lastLocked(nl, ncp, dvp, name, len);
  if (ncp.nc_flags & (NCF_UNRESOLVED | NCF_VOLATILE)) {
    cacheLock(ncp);
    e = cacheResolve(ncp, nl.nl_cred);
    cacheUnlock(ncp);
  }
  vnodePut(dvp);
  if (e == 0 && ncp.nc_vp == 0) e = -ENOENT;
  if (e != 0) {
    cacheDrop(ncp);
    return e;
  }
  if (ncp.nc_flags & NCF_ISSYMLINK && (!last || nl.nl_flags & NL_FOLLOW || nl.nl_trail != 0)) {
    e = follow(nl, ncp, last);
    cacheDrop(ncp);
    return e;
  }
  // the reference that cacheGet made becomes the walk's
  cacheDrop(nl.nl_ncp);
  nl.nl_ncp = ncp;
  if (!(last && nl.nl_flags & NL_NOCROSS)) crossMounts(nl);
  if (last && nl.nl_trail != 0 && (nl.nl_ncp.nc_flags & NCF_ISDIR) == 0 && nl.nl_ncp.nc_parent != 0) return -ENOTDIR;
  return 0;
}

/** The last name, for a call that will change it. `ncp` referenced, `dvp` referenced. */
function lastLocked(nl: Nlookup, ncp: Namecache, dvp: Vnode, name: usize, len: u32): i32 {
  cacheLock(ncp);
  if (SMP) {
    // another CPU may have given it another name, or taken it away, before it was locked
    while (!cacheIsNamed(ncp, nl.nl_ncp, name, len)) {
      cacheUnlock(ncp);
      cacheDrop(ncp);
      const gone = (nl.nl_ncp.nc_flags & NCF_DESTROYED) != 0;
      if (!gone) ncp = cacheGet(nl.nl_ncp, name, len, nameHash(name, len));
      if (gone || changetype<usize>(ncp) == 0) {
        vnodePut(dvp);
        return gone ? -ENOENT : -ENOMEM;
      }
      cacheLock(ncp);
    }
  }
  const e = SMP ? cacheHold(ncp, nl.nl_cred, changetype<usize>(nl) + offsetof<Nlookup>('nl_held')) : cacheResolve(ncp, nl.nl_cred);
  const again =
    e == 0 &&
    ((ncp.nc_flags & NCF_ISSYMLINK && nl.nl_flags & NL_FOLLOW) ||
      (ncp.nc_flags & NCF_MOUNTPT && (nl.nl_flags & NL_NOCROSS) == 0 && changetype<usize>(mountOn(nl.nl_mount, ncp)) != 0));
  if (e != 0 || again) {
    cacheUnlock(ncp);
    if (SMP) leaveHeld(nl);
    let r = e;
    vnodePut(dvp);
    if (again) {
      if (ncp.nc_flags & NCF_ISSYMLINK) r = follow(nl, ncp, true);
      else {
        moveTo(nl, nl.nl_mount, ncp);
        crossMounts(nl);
        r = STEP_DONE; // on a mount's root: nl_dvp stays null
      }
    }
    cacheDrop(ncp);
    return r;
  }
  cacheDrop(nl.nl_ncp);
  nl.nl_ncp = ncp;
  nl.nl_dvp = dvp;
  nl.nl_locked = 1;
  return STEP_DONE;
}

/** Put a symbolic link's target in front of what is left of the path. */
function follow(nl: Nlookup, ncp: Namecache, last: bool): i32 {
  if (++nl.nl_links > SYMLOOP_MAX) return -ELOOP;
  const vp = cacheVnode(ncp);
  if (changetype<usize>(vp) == 0) return -ENOENT;
  if (vp.v_flag & VN_MAGIC) {
    const e = jump(nl, vp, last);
    vnodePut(vp);
    return e;
  }
  const to = nl.nl_buf == 0 ? scratchPath(1) : scratchPath(0);
  const n = vop_readlink(vp.v_fm, vp, to, PATH_MAX - 1);
  vnodePut(vp);
  if (n <= 0) return n == 0 ? -ENOENT : n;
  let rest: u32 = last ? nl.nl_trail : nl.nl_end - nl.nl_path;
  if (<u32>n + rest >= PATH_MAX) return -ENAMETOOLONG;
  if (last) {
    if (rest != 0) store<u8>(to + n, 47);
  } else memory.copy(to + n, nl.nl_path, rest);
  nl.nl_buf = nl.nl_buf == 0 ? 1 : 0;
  nl.nl_path = <u32>to;
  nl.nl_end = <u32>to + <u32>n + rest;
  nl.nl_last = LAST_ROOT;
  if (load<u8>(to) != 47) nl.nl_last = LAST_DOT;
  return 0;
}

/** Follow a magic link: the walk goes on where it leads, whatever path that has or has not. */
function jump(nl: Nlookup, vp: Vnode, last: bool): i32 {
  if (nl.nl_flags & NL_BENEATH) return outside();
  const to = scratchPlace();
  const e = vop_jump(vp.v_fm, vp, to, nl.nl_cred);
  if (e != 0) return e;
  const anon = changetype<usize>(to.pl_ncp) == 0;
  moveTo(nl, to.pl_mount, anon ? to.pl_mount.mnt_root : to.pl_ncp);
  mountDrop(to.pl_mount);
  if (!anon) cacheDrop(to.pl_ncp);
  nl.nl_vp = to.pl_vp;
  if (anon) nl.nl_anon = 1;
  nl.nl_last = LAST_MAGIC;
  return last && nl.nl_trail != 0 && nl.nl_vp.v_type != S_IFDIR ? -ENOTDIR : 0;
}

// ── the walk without locks ───────────────────────────────────────────────────────────────────

/**
 * The vnode of a path when all of it is cached and no component is a symbolic link (the last may
 * be one if `nofollow`), or null: then ask nlookup. Takes no lock and no reference and writes no
 * shared word. The vnode is good until the CPU leaves the kernel or allocates; in `smp` the caller
 * reads what it needs and then checks nlookupFastValid.
 */
export function nlookupFast(path: usize, len: u32, mount: u32, start: u32, nofollow: bool, cred: Ucred): Vnode {
  const none = changetype<Vnode>(<usize>0);
  let p = path;
  const end = path + len;
  if (p == end) return none;
  let mp = mount;
  let cur = start;
  const proc = curproc();
  if (load<u8>(p) == 47) {
    cur = proc.p_rootncp;
    mp = proc.p_rootmount;
  }
  let seq: u32 = SMP ? ld32(<usize>cur + offsetof<Namecache>('nc_seq')) : 0;
  let vp = ld32(<usize>cur + offsetof<Namecache>('nc_vp'));
  while (true) {
    while (p < end && load<u8>(p) == 47) p++;
    if (p == end) {
      // a trailing slash asks for a directory; "/" alone is one
      if (load<u8>(p - 1) == 47 && vp != 0 && changetype<Vnode>(<usize>vp).v_type != S_IFDIR) return none;
      break;
    }
    if (vp == 0) return none;
    const dvp = changetype<Vnode>(<usize>vp);
    if (dvp.v_type != S_IFDIR || !mayLookup(dvp.v_fc.fc_attr, cred)) return none;
    const name = p;
    let h = NAME_HASH0;
    let c: u32 = load<u8>(p);
    if (c == 46) {
      // "." and "..", and names that begin like them, are left to the slow walk only if they are
      // exactly those
      const n1: u32 = p + 1 < end ? load<u8>(p, 1) : 47;
      if (n1 == 47) {
        p++;
        continue;
      }
      if (n1 == 46 && (p + 2 == end || load<u8>(p, 2) == 47)) return none;
    }
    do {
      h = nameHashStep(h, c);
      p++;
      if (p == end) break;
      c = load<u8>(p);
    } while (c != 47);
    const ncp = cacheFind(cur, name, <u32>(p - name), h);
    if (changetype<usize>(ncp) == 0) return none;
    if (SMP) {
      const s = cacheFoundSeq();
      if (s & 1 || ld32(<usize>cur + offsetof<Namecache>('nc_seq')) != seq) return none;
      seq = s;
    }
    const flags = ld32(changetype<usize>(ncp) + offsetof<Namecache>('nc_flags'));
    cur = <u32>changetype<usize>(ncp);
    vp = ld32(<usize>cur + offsetof<Namecache>('nc_vp'));
    if (flags & (NCF_UNRESOLVED | NCF_ISSYMLINK | NCF_MOUNTPT | NCF_DESTROYED | NCF_VOLATILE)) {
      if (flags & NCF_VOLATILE) return none;
      if (flags & NCF_ISSYMLINK) {
        if (!(nofollow && p == end)) return none;
      } else if (flags & NCF_MOUNTPT) {
        let m = mountOn(changetype<Mount>(<usize>mp), ncp);
        // a mount may cover the root of another
        while (changetype<usize>(m) != 0) {
          mp = <u32>changetype<usize>(m);
          cur = <u32>changetype<usize>(m.mnt_root);
          if (SMP) seq = ld32(<usize>cur + offsetof<Namecache>('nc_seq'));
          vp = ld32(<usize>cur + offsetof<Namecache>('nc_vp'));
          m = mountOn(m, m.mnt_root);
        }
      } else return none;
    }
    if (ncp.nc_used == 0) ncp.nc_used = 1;
  }
  if (vp == 0) return none;
  const cpu = curcpu;
  cpu.c_fastncp = cur;
  cpu.c_fastseq = seq;
  cpu.c_fastmount = mp;
  return changetype<Vnode>(<usize>vp);
}

/** Was what nlookupFast returned still so when the caller had read what it wanted? */
// @ts-ignore: decorator
@inline
export function nlookupFastValid(): bool {
  if (!SMP) return true;
  return ld32(<usize>curcpu.c_fastncp + offsetof<Namecache>('nc_seq')) == curcpu.c_fastseq;
}
