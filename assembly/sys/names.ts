/** Calls that change names: link, symlink, unlink, rmdir, rename, mkdir, mknod; and readlink. */
import {
  EBUSY,
  EEXIST,
  EINVAL,
  EIO,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EROFS,
  EXDEV,
} from '../abi/errno';
import {
  AT_EMPTY_PATH,
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  IN_ATTRIB,
  IN_CREATE,
  IN_DELETE,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  PATH_MAX,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  W_OK,
} from '../abi/flags';
import { SA_DATA, SA_PATH1, SA_PATH2 } from '../abi/layout';
import { Roots, roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { lockExclusive, lockRelease, RANK_RENAME } from '../kern/lock';
import { curcred, credIsRoot } from '../proc/cred';

import { attrAccess, mayCreate, mayDelete } from '../vfs/access';
import { inotifyFile, inotifyName } from '../vfs/inotify';
import { mountReadOnly } from '../vfs/mount';
import {
  cacheLockTwo,
  cacheResolve,
  cacheUnlock,
  Namecache,
  NCF_DESTROYED,
  NCF_MOUNTPT,
} from '../vfs/namecache';
import { cacheExchange, cacheIsAncestor, cacheRename, cacheUnlink } from '../vfs/nametree';
import {
  LAST_DOT,
  LAST_DOTDOT,
  NL_FOLLOW,
  NL_LOCK,
  NL_NOCROSS,
  Nlookup,
  nlookupDone,
  nlookupUnlock,
} from '../vfs/nlookup';
import { scratchNl, scratchWord } from '../vfs/scratch';
import { VN_DEAD, VN_LINKABLE, Vnode, vnodePut, vnodeRef } from '../vfs/vnode';
import {
  vop_nlink,
  vop_nmkdir,
  vop_nmknod,
  vop_ncreate,
  vop_nremove,
  vop_nrename,
  vop_nrmdir,
  vop_nsymlink,
  vop_readlink,
} from '../vfs/vop';
import { newAttr } from './open';
import { sysEnter, sysLeave } from './enter';
import { touchAtimeOn } from './io';
import { pathDone, pathLookup, pathToVnode, pathVnode } from './path';

// ── making names ─────────────────────────────────────────────────────────────────────────────

/** Look a name up for making: 0 with it locked and negative; -EEXIST and so on released. */
function lookupNew(nl: Nlookup, dirfd: i32, area: u32, plen: u32, isdir: bool): i32 {
  let e = pathLookup(nl, dirfd, area, plen, NL_LOCK);
  if (e != 0) return e;
  if (changetype<usize>(nl.nl_dvp) == 0 || nl.nl_ncp.nc_vp != 0) e = -EEXIST;
  else if (nl.nl_trail != 0 && !isdir) e = -ENOENT;
  else e = mayCreate(nl.nl_dvp, nl.nl_mount, curcred());
  if (e != 0) nlookupDone(nl);
  return e;
}

/** The new vnode's reference goes; watchers hear of the name; the walk is released. */
function madeName(nl: Nlookup, e: i32, isdir: bool): i32 {
  if (e == 0) {
    vnodePut(changetype<Vnode>(<usize>load<u32>(scratchWord(1))));
    inotifyName(nl.nl_dvp, nl.nl_ncp, IN_CREATE, 0, isdir);
  }
  nlookupDone(nl);
  return e;
}

export function mkdir(dirfd: i32, plen: u32, mode: u32): i32 {
  const nl = scratchNl(0);
  const e = lookupNew(nl, dirfd, SA_PATH1, plen, true);
  if (e != 0) return e;
  const va = newAttr(nl.nl_dvp, S_IFDIR, mode & 0o1777);
  return madeName(nl, vop_nmkdir(nl.nl_ncp.nc_fm, nl.nl_ncp, va, curcred(), scratchWord(1)), true);
}

export function sys_mkdirat(dirfd: i32, plen: u32, mode: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(mkdir(dirfd, plen, mode));
}

function mknod(dirfd: i32, plen: u32, mode: u32, rdev: u32): i32 {
  let type = mode & S_IFMT;
  if (type == 0) type = S_IFREG;
  if (type == S_IFDIR) return -EPERM;
  if (type != S_IFREG && type != S_IFIFO && type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK)
    return -EINVAL;
  const nl = scratchNl(0);
  const e = lookupNew(nl, dirfd, SA_PATH1, plen, false);
  if (e != 0) return e;
  if ((type == S_IFCHR || type == S_IFBLK) && !credIsRoot(curcred())) {
    nlookupDone(nl);
    return -EPERM;
  }
  const va = newAttr(nl.nl_dvp, type, mode);
  if (type == S_IFCHR || type == S_IFBLK) va.va_rdev = rdev;
  const fm = nl.nl_ncp.nc_fm;
  const out = scratchWord(1);
  if (type == S_IFREG) return madeName(nl, vop_ncreate(fm, nl.nl_ncp, va, curcred(), out), false);
  return madeName(nl, vop_nmknod(fm, nl.nl_ncp, va, curcred(), out), false);
}

export function sys_mknodat(dirfd: i32, plen: u32, mode: u32, rdev: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(mknod(dirfd, plen, mode, rdev));
}

export function symlink(targetlen: u32, dirfd: i32, plen: u32): i32 {
  if (targetlen == 0) return -ENOENT;
  if (targetlen >= PATH_MAX) return -ENAMETOOLONG;
  const nl = scratchNl(0);
  const e = lookupNew(nl, dirfd, SA_PATH2, plen, false);
  if (e != 0) return e;
  const va = newAttr(nl.nl_dvp, S_IFLNK, 0o777);
  va.va_mode = S_IFLNK | 0o777;
  const target = <usize>curcpu.c_area + SA_PATH1;
  const r = vop_nsymlink(nl.nl_ncp.nc_fm, nl.nl_ncp, target, targetlen, va, curcred(), scratchWord(1));
  return madeName(nl, r, false);
}

export function sys_symlinkat(targetlen: u32, dirfd: i32, plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(symlink(targetlen, dirfd, plen));
}

export function link(olddirfd: i32, oldlen: u32, newdirfd: i32, newlen: u32, flags: u32): i32 {
  if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -EINVAL;
  let e = pathToVnode(olddirfd, SA_PATH1, oldlen, flags & AT_SYMLINK_FOLLOW ? NL_FOLLOW : 0, flags);
  if (e != 0) return e;
  const vp = pathVnode();
  const old = scratchNl(0);
  // O_TMPFILE's file gets its first name by its descriptor or by the link of it in /proc
  const linkable = (vp.v_flag & VN_LINKABLE) != 0;
  const nl = scratchNl(1);
  e = lookupNew(nl, newdirfd, SA_PATH2, newlen, false);
  if (e == 0) {
    if (changetype<usize>(old.nl_mount) != changetype<usize>(nl.nl_mount)) e = -EXDEV;
    // revoked, and known by a descriptor only: no file system's any more
    else if (vp.v_flag & VN_DEAD) e = -EIO;
    else if (vp.v_type == S_IFDIR) e = -EPERM;
    else if (vp.v_fc.fc_attr.va_nlink == 0 && !linkable) e = -ENOENT;
    else e = vop_nlink(nl.nl_ncp.nc_fm, nl.nl_ncp, vp, curcred());
    if (e == 0) {
      // once it had a name it is like any other: when the last one goes there is no way back
      if (linkable) vp.v_flag &= ~VN_LINKABLE;
      inotifyFile(vp, 0, IN_ATTRIB);
      inotifyName(nl.nl_dvp, nl.nl_ncp, IN_CREATE, 0, false);
    }
    nlookupDone(nl);
  }
  // pathVnode's word was not used by the second walk: words 0 and 2 are
  vnodePut(vp);
  nlookupDone(old);
  return e;
}

export function sys_linkat(olddirfd: i32, oldlen: u32, newdirfd: i32, newlen: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(link(olddirfd, oldlen, newdirfd, newlen, flags));
}

/** A link's target at SA_DATA: its length, or an errno. */
export function readlink(dirfd: i32, plen: u32): i32 {
  let e = pathToVnode(dirfd, SA_PATH1, plen, 0, AT_EMPTY_PATH);
  if (e != 0) return e;
  const vp = pathVnode();
  if (vp.v_type != S_IFLNK) e = plen == 0 ? -ENOENT : -EINVAL;
  else {
    e = vop_readlink(vp.v_fm, vp, <usize>curcpu.c_area + SA_DATA, PATH_MAX);
    if (e >= 0) touchAtimeOn(scratchNl(0).nl_mount, vp);
  }
  pathDone();
  return e;
}

export function sys_readlinkat(dirfd: i32, plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(readlink(dirfd, plen));
}

// ── removing names ───────────────────────────────────────────────────────────────────────────

/** Is something mounted on this entry, seen from whichever mount? */
function isMountPoint(ncp: Namecache): bool {
  return (ncp.nc_flags & NCF_MOUNTPT) != 0;
}

/** What the last component must be for unlink or rmdir; 0 or an errno. */
function lastError(nl: Nlookup, isdir: bool): i32 {
  if (!isdir) return -EISDIR;
  if (nl.nl_last == LAST_DOT) return -EINVAL;
  return nl.nl_last == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

function unlinkHere(nl: Nlookup, isdir: bool): i32 {
  if (changetype<usize>(nl.nl_dvp) == 0) return lastError(nl, isdir);
  const ncp = nl.nl_ncp;
  const vp = ncp.vp;
  if (mountReadOnly(nl.nl_mount)) return -EROFS;
  if (changetype<usize>(vp) == 0) return -ENOENT;
  if (!isdir && nl.nl_trail != 0) return vp.v_type == S_IFDIR ? -EISDIR : -ENOTDIR;
  const dvp = nl.nl_dvp;
  let e = mayDelete(dvp, vp, nl.nl_mount, curcred());
  if (e != 0) return e;
  if (isdir ? vp.v_type != S_IFDIR : vp.v_type == S_IFDIR) return isdir ? -ENOTDIR : -EISDIR;
  if (isMountPoint(ncp)) return -EBUSY;
  // held so that the file system may drop the last link while we still look at it
  vnodeRef(vp);
  e = isdir ? vop_nrmdir(ncp.nc_fm, ncp, curcred()) : vop_nremove(ncp.nc_fm, ncp, curcred());
  if (e == 0) {
    if (!isdir) inotifyFile(vp, 0, IN_ATTRIB);
    cacheUnlink(ncp);
  }
  // without a link left it may go here, and tells its own watchers before its directory's
  vnodePut(vp);
  if (e == 0) inotifyName(dvp, ncp, IN_DELETE, 0, isdir);
  return e;
}

/** What removes may take the reserve of frames. */
export function unlink(dirfd: i32, plen: u32, flags: u32): i32 {
  if (flags & ~AT_REMOVEDIR) return -EINVAL;
  curcpu.c_removing = 1;
  const nl = scratchNl(0);
  let e = pathLookup(nl, dirfd, SA_PATH1, plen, NL_LOCK | NL_NOCROSS);
  if (e == 0) {
    e = unlinkHere(nl, (flags & AT_REMOVEDIR) != 0);
    nlookupDone(nl);
  }
  curcpu.c_removing = 0;
  return e;
}

export function sys_unlinkat(dirfd: i32, plen: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(unlink(dirfd, plen, flags));
}

// ── rename ───────────────────────────────────────────────────────────────────────────────────

function renameLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_renamelock');
}

/** Both names found, nothing locked: check what POSIX and Linux ask, and do it. RENAME_AGAIN: one is another's by now. */
function renameHere(from: Nlookup, to: Nlookup, flags: u32, fseq: u32, tseq: u32): i32 {
  if (changetype<usize>(from.nl_mount) != changetype<usize>(to.nl_mount)) return -EXDEV;
  if (changetype<usize>(from.nl_dvp) == 0) return -EBUSY;
  if (changetype<usize>(to.nl_dvp) == 0) return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
  if (mountReadOnly(from.nl_mount)) return -EROFS;
  const fncp = from.nl_ncp;
  const tncp = to.nl_ncp;
  if (changetype<usize>(fncp) == changetype<usize>(tncp)) return renameSame(from, to, flags);
  // directories of both sides stand still while the tree's shape is judged
  lockExclusive(renameLock(), RANK_RENAME);
  cacheLockTwo(fncp, tncp);
  let e: i32 = SMP && (fncp.nc_seq != fseq || tncp.nc_seq != tseq) ? RENAME_AGAIN : 0;
  if (e == 0) e = cacheResolve(fncp, curcred());
  if (e == 0) e = cacheResolve(tncp, curcred());
  if (e == 0 && (fncp.nc_flags | tncp.nc_flags) & NCF_DESTROYED) e = -ENOENT;
  if (e == 0) e = renameCheck(from, to, flags);
  if (e == 0) e = renameDo(from, to, flags);
  cacheUnlock(fncp);
  cacheUnlock(tncp);
  lockRelease(renameLock());
  return e == RENAME_NOTHING ? 0 : e;
}

const RENAME_NOTHING: i32 = 1;
const RENAME_AGAIN: i32 = 2;

/** Old and new are one entry. */
function renameSame(from: Nlookup, to: Nlookup, flags: u32): i32 {
  const vp = from.nl_ncp.vp;
  if (changetype<usize>(vp) == 0) return -ENOENT;
  if (flags & RENAME_NOREPLACE) return -EEXIST;
  if (vp.v_type != S_IFDIR && (from.nl_trail | to.nl_trail) != 0) return -ENOTDIR;
  return 0;
}

function renameCheck(from: Nlookup, to: Nlookup, flags: u32): i32 {
  const vp = from.nl_ncp.vp;
  const tvp = to.nl_ncp.vp;
  const exchange = (flags & RENAME_EXCHANGE) != 0;
  if (changetype<usize>(vp) == 0) return -ENOENT;
  if (flags & RENAME_NOREPLACE && changetype<usize>(tvp) != 0) return -EEXIST;
  const isdir = vp.v_type == S_IFDIR;
  if (exchange) {
    if (changetype<usize>(tvp) == 0) return -ENOENT;
    if (tvp.v_type != S_IFDIR && to.nl_trail != 0) return -ENOTDIR;
  }
  if (!isdir && (from.nl_trail != 0 || (!exchange && to.nl_trail != 0))) return -ENOTDIR;
  if (cacheIsAncestor(from.nl_ncp, to.nl_ncp.parent)) return -EINVAL;
  if (cacheIsAncestor(to.nl_ncp, from.nl_ncp.parent)) return exchange ? -EINVAL : -ENOTEMPTY;
  if (changetype<usize>(vp) == changetype<usize>(tvp)) return RENAME_NOTHING;
  const cr = curcred();
  let e = mayDelete(from.nl_dvp, vp, from.nl_mount, cr);
  if (e != 0) return e;
  if (changetype<usize>(tvp) == 0) e = mayCreate(to.nl_dvp, to.nl_mount, cr);
  else {
    e = mayDelete(to.nl_dvp, tvp, to.nl_mount, cr);
    if (e == 0 && !exchange) {
      if (isdir && tvp.v_type != S_IFDIR) e = -ENOTDIR;
      if (!isdir && tvp.v_type == S_IFDIR) e = -EISDIR;
    }
  }
  // a directory that changes its parent is written to: its ".." changes
  if (e == 0 && changetype<usize>(from.nl_dvp) != changetype<usize>(to.nl_dvp)) {
    if (isdir) e = attrAccess(vp.v_fc.fc_attr, W_OK, cr);
    if (e == 0 && exchange && tvp.v_type == S_IFDIR) e = attrAccess(tvp.v_fc.fc_attr, W_OK, cr);
  }
  if (e != 0) return e;
  return isMountPoint(from.nl_ncp) || isMountPoint(to.nl_ncp) ? -EBUSY : 0;
}

function renameDo(from: Nlookup, to: Nlookup, flags: u32): i32 {
  const fncp = from.nl_ncp;
  const tncp = to.nl_ncp;
  const vp = fncp.vp;
  const tvp = tncp.vp;
  if (changetype<usize>(tvp) != 0) vnodeRef(tvp);
  const e = vop_nrename(fncp.nc_fm, fncp, tncp, flags & RENAME_EXCHANGE, curcred());
  if (e == 0) {
    const exchange = (flags & RENAME_EXCHANGE) != 0;
    if (roots().r_inotify != 0) {
      tellMove(vp, from.nl_dvp, fncp, to.nl_dvp, tncp, exchange ? changetype<Vnode>(<usize>0) : tvp);
      if (exchange) tellMove(tvp, to.nl_dvp, tncp, from.nl_dvp, fncp, changetype<Vnode>(<usize>0));
    }
    if (exchange) cacheExchange(fncp, tncp);
    else cacheRename(fncp, tncp);
  }
  if (changetype<usize>(tvp) != 0) vnodePut(tvp);
  return e;
}

/** Tell of a move while the entries still have their old names; `lost` lost its name to it, if any. */
function tellMove(vp: Vnode, fdvp: Vnode, fncp: Namecache, tdvp: Vnode, tncp: Namecache, lost: Vnode): void {
  const cookie = ++roots().r_inocookie;
  const isdir = vp.v_type == S_IFDIR;
  inotifyName(fdvp, fncp, IN_MOVED_FROM, cookie, isdir);
  inotifyName(tdvp, tncp, IN_MOVED_TO, cookie, isdir);
  if (changetype<usize>(lost) != 0) inotifyFile(lost, 0, IN_ATTRIB);
  inotifyFile(vp, 0, IN_MOVE_SELF);
}

export function rename(olddirfd: i32, oldlen: u32, newdirfd: i32, newlen: u32, flags: u32): i32 {
  if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  if ((flags & (RENAME_NOREPLACE | RENAME_EXCHANGE)) == (RENAME_NOREPLACE | RENAME_EXCHANGE)) return -EINVAL;
  let e: i32 = 0;
  do {
    e = renameOnce(olddirfd, oldlen, newdirfd, newlen, flags);
  } while (SMP && e == RENAME_AGAIN);
  return e;
}

/** RENAME_AGAIN: another CPU changed one of the names after it was looked up. */
function renameOnce(olddirfd: i32, oldlen: u32, newdirfd: i32, newlen: u32, flags: u32): i32 {
  const from = scratchNl(0);
  const to = scratchNl(1);
  let e = pathLookup(from, olddirfd, SA_PATH1, oldlen, NL_LOCK | NL_NOCROSS);
  if (e != 0) return e;
  const fseq = from.nl_ncp.nc_seq;
  nlookupUnlock(from);
  e = pathLookup(to, newdirfd, SA_PATH2, newlen, NL_LOCK | NL_NOCROSS);
  if (e == 0) {
    const tseq = to.nl_ncp.nc_seq;
    nlookupUnlock(to);
    e = renameHere(from, to, flags, fseq, tseq);
    nlookupDone(to);
  }
  nlookupDone(from);
  return e;
}

export function sys_renameat2(olddirfd: i32, oldlen: u32, newdirfd: i32, newlen: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(rename(olddirfd, oldlen, newdirfd, newlen, flags));
}
