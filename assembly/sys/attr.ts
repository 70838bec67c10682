/** Attributes: stat and its kin, access, chmod, chown, utimens, truncate. */
import { EACCES, EBADF, EFBIG, EINVAL, EISDIR, ENOMEM, EOPNOTSUPP, EPERM, EROFS } from '../abi/errno';
import {
  AT_EACCESS,
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  MS_NOEXEC,
  O_ACCMODE,
  O_RDONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
  S_ISGID,
  S_ISUID,
  UTIME_NOW,
  UTIME_OMIT,
  W_OK,
  X_OK,
} from '../abi/flags';
import {
  SA_DATA,
  SA_PATH1,
  ST_ATIME,
  ST_ATIME_NS,
  ST_BLKSIZE,
  ST_BLOCKS,
  ST_BTIME,
  ST_BTIME_NS,
  ST_CTIME,
  ST_CTIME_NS,
  ST_DEV,
  ST_GEN,
  ST_GID,
  ST_INO,
  ST_MODE,
  ST_MTIME,
  ST_MTIME_NS,
  ST_NLINK,
  ST_RDEV,
  ST_SIZE,
  ST_UID,
} from '../abi/layout';
import { IN_ACCESS, IN_ATTRIB, IN_MODIFY } from '../abi/flags';
import { clockNow } from '../kern/clock';
import { cpuSetProc, curcpu, curprocp } from '../kern/cpu';
import { credCreate, credDrop, credInGroup, credIsRoot, curcred } from '../proc/cred';
import { fdFile } from '../proc/file';
import { curproc } from '../proc/proc';
import { attrAccess, isOwner, vnodeAccess } from '../vfs/access';
import { FC_ATTRVALID, FC_BACKED, FSCACHE_MAX_BYTES } from '../vfs/fscache';
import { inotifyChange } from '../vfs/inotify';
import { fsizeExceeded } from '../vfs/limits';
import { Mount, mountReadOnly } from '../vfs/mount';
import { NL_FOLLOW, nlookupFast, nlookupFastValid } from '../vfs/nlookup';
import { scratchNl, scratchVattr } from '../vfs/scratch';
import { VA_ATIME, VA_CTIME, VA_GID, VA_MODE, VA_MTIME, VA_SIZE, VA_UID, Vattr } from '../vfs/vattr';
import { fileMount, fileVnode } from '../vfs/vfile';
import { Vnode, vnodeLock, vnodeUnlock } from '../vfs/vnode';
import { vop_getattr, vop_setattr } from '../vfs/vop';
import { sysEnter, sysLeave } from './enter';
import { fdGet, pathDone, pathToVnode, pathVnode } from './path';

/** Write struct stat at SA_DATA. */
function statFill(vp: Vnode): i32 {
  const fc = vp.v_fc;
  let va = fc.fc_attr;
  if ((fc.fc_flags & FC_ATTRVALID) == 0) {
    va = scratchVattr(2);
    const e = vop_getattr(vp.v_fm, vp, va);
    if (e != 0) return e;
  }
  const s = <usize>curcpu.c_area + SA_DATA;
  store<f64>(s, <f64>va.va_dev, ST_DEV);
  store<f64>(s, <f64>va.va_ino, ST_INO);
  store<f64>(s, <f64>va.va_nlink, ST_NLINK);
  store<f64>(s, <f64>va.va_rdev, ST_RDEV);
  store<f64>(s, <f64>va.va_size, ST_SIZE);
  // pages are counted, not stored twice: blocks of what has no disk follow from them
  const counted = va.va_blocks != 0 || (fc.fc_flags & FC_BACKED) != 0;
  store<f64>(s, counted ? <f64>va.va_blocks : <f64>(fc.fc_npages << 3), ST_BLOCKS);
  store<f64>(s, <f64>va.va_atime, ST_ATIME);
  store<f64>(s, <f64>va.va_mtime, ST_MTIME);
  store<f64>(s, <f64>va.va_ctime, ST_CTIME);
  store<f64>(s, <f64>va.va_btime, ST_BTIME);
  store<u32>(s, va.va_atimens, ST_ATIME_NS);
  store<u32>(s, va.va_mtimens, ST_MTIME_NS);
  store<u32>(s, va.va_ctimens, ST_CTIME_NS);
  store<u32>(s, va.va_btimens, ST_BTIME_NS);
  store<u32>(s, va.va_mode, ST_MODE);
  store<u32>(s, va.va_uid, ST_UID);
  store<u32>(s, va.va_gid, ST_GID);
  store<u32>(s, 4096, ST_BLKSIZE);
  store<u32>(s, va.va_gen, ST_GEN);
  return 0;
}

function statPath(dirfd: i32, plen: u32, nofollow: bool, atflags: u32): i32 {
  const e = pathToVnode(dirfd, SA_PATH1, plen, nofollow ? 0 : NL_FOLLOW, atflags);
  if (e != 0) return e;
  const r = statFill(pathVnode());
  pathDone();
  return r;
}

/** stat(2) and lstat(2) of the path at SA_PATH1, from the cwd; struct stat at SA_DATA. */
export function statFast(plen: u32, nofollow: bool): i32 {
  if (plen < 4096) {
    const p = curproc();
    const vp = nlookupFast(
      <usize>curcpu.c_area + SA_PATH1,
      plen,
      p.p_cwdmount,
      p.p_cwdncp,
      nofollow,
      curcred(),
    );
    if (changetype<usize>(vp) != 0) {
      const seq = SMP ? vp.v_fc.fc_attrseq : 0;
      const e = statFill(vp);
      if (!SMP) return e;
      if (nlookupFastValid() && (seq & 1) == 0 && vp.v_fc.fc_attrseq == seq) return e;
    }
  }
  return statPath(AT_FDCWD, plen, nofollow, 0);
}

export function sys_stat(plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(statFast(plen, false));
}

export function sys_lstat(plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(statFast(plen, true));
}

export function sys_fstatat(dirfd: i32, plen: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return sysLeave(-EINVAL);
  return sysLeave(statPath(dirfd, plen, (flags & AT_SYMLINK_NOFOLLOW) != 0, flags));
}

export function sys_fstat(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdFile(fd);
  return sysLeave(changetype<usize>(fp) == 0 ? -EBADF : statFill(fileVnode(fp)));
}

export function sys_faccessat(dirfd: i32, plen: u32, mode: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(faccessat(dirfd, plen, mode, flags));
}

/** access(2) asks as the real user: for the time of the call, those are the credentials. */
function faccessat(dirfd: i32, plen: u32, mode: u32, flags: u32): i32 {
  if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) || mode & ~7) return -EINVAL;
  const cr = curcred();
  if (flags & AT_EACCESS || (cr.cr_ruid == cr.cr_uid && cr.cr_rgid == cr.cr_gid)) {
    return faccessatAs(dirfd, plen, mode, flags);
  }
  const real = credCreate(cr.cr_ruid, cr.cr_rgid, cr.cr_groups, cr.cr_ngroups);
  if (changetype<usize>(real) == 0) return -ENOMEM;
  cpuSetProc(curprocp, changetype<usize>(real));
  const e = faccessatAs(dirfd, plen, mode, flags);
  cpuSetProc(curprocp, changetype<usize>(cr));
  credDrop(real);
  return e;
}

function faccessatAs(dirfd: i32, plen: u32, mode: u32, flags: u32): i32 {
  let e = pathToVnode(dirfd, SA_PATH1, plen, flags & AT_SYMLINK_NOFOLLOW ? 0 : NL_FOLLOW, flags);
  if (e != 0) return e;
  const vp = pathVnode();
  const mp = scratchNl(0).nl_mount;
  if (mode & X_OK && vp.v_type == S_IFREG && mp.mnt_flag & MS_NOEXEC) e = -EACCES;
  else e = mode == 0 ? 0 : accessOf(vp, mp, mode);
  pathDone();
  return e;
}

/** Permission bits first, then the read-only mount: access(2) on Linux reports EACCES over EROFS. */
function accessOf(vp: Vnode, mp: Mount, mode: u32): i32 {
  const e = attrAccess(vp.v_fc.fc_attr, mode, curcred());
  return e != 0 ? e : vnodeAccess(vp, mp, mode, curcred());
}

// ── chmod, chown ─────────────────────────────────────────────────────────────────────────────

/** VOP_SETATTR under the vnode's lock, and the notification. */
function setattr(vp: Vnode, va: Vattr, ncp: usize): i32 {
  vnodeLock(vp);
  const e = vop_setattr(vp.v_fm, vp, va, curcred());
  vnodeUnlock(vp);
  const event = changeEvent(va.va_mask);
  if (e == 0 && event != 0) inotifyChange(vp, ncp, event);
  return e;
}

/**
 * What a change of attributes means to a watcher: one time alone is an access or a modification,
 * and the change time alone is nothing.
 */
function changeEvent(mask: u32): u32 {
  const owned: u32 = mask & (VA_MODE | VA_UID | VA_GID) ? IN_ATTRIB : 0;
  if (mask & VA_SIZE) return owned | IN_MODIFY;
  if (owned != 0) return owned;
  const times = mask & (VA_ATIME | VA_MTIME);
  return times == 0 ? 0 : times == VA_ATIME ? IN_ACCESS : times == VA_MTIME ? IN_MODIFY : IN_ATTRIB;
}

function chmod(vp: Vnode, mp: Mount, ncp: usize, mode: u32): i32 {
  const cr = curcred();
  if (mountReadOnly(mp)) return -EROFS;
  if (vp.v_type == S_IFLNK) return -EOPNOTSUPP;
  const have = vp.v_fc.fc_attr;
  if (!isOwner(have, cr)) return -EPERM;
  mode &= 0o7777;
  // setgid is not for those outside the group
  if (mode & S_ISGID && !credIsRoot(cr) && !credInGroup(cr, have.va_gid)) mode &= ~S_ISGID;
  const va = scratchVattr(0);
  va.va_mode = mode;
  va.va_mask = VA_MODE | VA_CTIME;
  return setattr(vp, va, ncp);
}

export function sys_fchmodat(dirfd: i32, plen: u32, mode: u32, flags: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return sysLeave(-EINVAL);
  e = pathToVnode(dirfd, SA_PATH1, plen, flags & AT_SYMLINK_NOFOLLOW ? 0 : NL_FOLLOW, flags);
  if (e != 0) return sysLeave(e);
  const nl = scratchNl(0);
  e = chmod(pathVnode(), nl.nl_mount, changetype<usize>(nl.nl_ncp), mode);
  pathDone();
  return sysLeave(e);
}

export function sys_fchmod(fd: i32, mode: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  return sysLeave(chmod(fileVnode(fp), fileMount(fp), fp.f_ncp, mode));
}

const KEEP: u32 = 0xffffffff;

function chown(vp: Vnode, mp: Mount, ncp: usize, uid: u32, gid: u32): i32 {
  const cr = curcred();
  if (mountReadOnly(mp)) return -EROFS;
  const have = vp.v_fc.fc_attr;
  const va = scratchVattr(0);
  va.va_mask = VA_CTIME;
  if (uid != KEEP) {
    if (!credIsRoot(cr) && (cr.cr_uid != have.va_uid || uid != have.va_uid)) return -EPERM;
    va.va_uid = uid;
    va.va_mask |= VA_UID;
  }
  if (gid != KEEP) {
    const ours = cr.cr_uid == have.va_uid && (credInGroup(cr, gid) || gid == have.va_gid);
    if (!credIsRoot(cr) && !ours) return -EPERM;
    va.va_gid = gid;
    va.va_mask |= VA_GID;
  }
  if (vp.v_type != S_IFDIR) stripIds(have, va);
  // nothing was asked for, but the mode would change: that is the owner's to do
  if (va.va_mask & VA_MODE && !isOwner(have, cr)) return -EPERM;
  return setattr(vp, va, ncp);
}

/** Add to a setattr the loss of setuid, and of setgid where it means execution by group. */
function stripIds(have: Vattr, va: Vattr): void {
  let mode = have.va_mode & 0o7777;
  const was = mode;
  mode &= ~S_ISUID;
  if ((mode & (S_ISGID | 0o010)) == (S_ISGID | 0o010)) mode &= ~S_ISGID;
  if (mode == was) return;
  va.va_mode = mode;
  va.va_mask |= VA_MODE;
}

/** Does a change of its contents by this process take setuid and setgid away? */
// @ts-ignore: decorator
@inline
function losesIds(vp: Vnode): bool {
  return (vp.v_fc.fc_attr.va_mode & (S_ISUID | S_ISGID)) != 0 && vp.v_type == S_IFREG && !credIsRoot(curcred());
}

/** A write by other than root takes setuid and setgid away. */
export function clearSetIds(vp: Vnode, ncp: usize): void {
  if (!losesIds(vp)) return;
  const va = scratchVattr(0);
  va.va_mask = 0;
  stripIds(vp.v_fc.fc_attr, va);
  if (va.va_mask == 0) return;
  va.va_mask |= VA_CTIME;
  setattr(vp, va, ncp);
}

export function sys_fchownat(dirfd: i32, plen: u32, uid: u32, gid: u32, flags: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return sysLeave(-EINVAL);
  e = pathToVnode(dirfd, SA_PATH1, plen, flags & AT_SYMLINK_NOFOLLOW ? 0 : NL_FOLLOW, flags);
  if (e != 0) return sysLeave(e);
  const nl = scratchNl(0);
  e = chown(pathVnode(), nl.nl_mount, changetype<usize>(nl.nl_ncp), uid, gid);
  pathDone();
  return sysLeave(e);
}

export function sys_fchown(fd: i32, uid: u32, gid: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  return sysLeave(chown(fileVnode(fp), fileMount(fp), fp.f_ncp, uid, gid));
}

// ── times ────────────────────────────────────────────────────────────────────────────────────

function badNs(ns: u32): bool {
  return ns > 999999999 && ns != UTIME_NOW && ns != UTIME_OMIT;
}

export function utimens(vp: Vnode, mp: Mount, ncp: usize, as_: f64, ans: u32, ms: f64, mns: u32): i32 {
  if (ans == UTIME_OMIT && mns == UTIME_OMIT) return 0;
  if (mountReadOnly(mp)) return -EROFS;
  const cr = curcred();
  const have = vp.v_fc.fc_attr;
  if (!isOwner(have, cr)) {
    if (ans != UTIME_NOW || mns != UTIME_NOW) return -EPERM;
    const e = attrAccess(have, W_OK, cr);
    if (e != 0) return e;
  }
  clockNow();
  const va = scratchVattr(0);
  va.va_mask = VA_CTIME;
  if (ans != UTIME_OMIT) {
    va.va_mask |= VA_ATIME;
    va.va_atime = ans == UTIME_NOW ? curcpu.c_nowsec : <i64>as_;
    va.va_atimens = ans == UTIME_NOW ? curcpu.c_nownsec : ans;
  }
  if (mns != UTIME_OMIT) {
    va.va_mask |= VA_MTIME;
    va.va_mtime = mns == UTIME_NOW ? curcpu.c_nowsec : <i64>ms;
    va.va_mtimens = mns == UTIME_NOW ? curcpu.c_nownsec : mns;
  }
  return setattr(vp, va, ncp);
}

/** Seconds that a time stamp can hold: what an f64 carries exactly. */
function badSec(s: f64): bool {
  return !(s >= -9007199254740992.0 && s <= 9007199254740992.0);
}

export function sys_utimensat(dirfd: i32, plen: u32, flags: u32, as_: f64, ans: u32, ms: f64, mns: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  if (
    flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) ||
    badNs(ans) ||
    badNs(mns) ||
    badSec(as_) ||
    badSec(ms)
  ) {
    return sysLeave(-EINVAL);
  }
  e = pathToVnode(dirfd, SA_PATH1, plen, flags & AT_SYMLINK_NOFOLLOW ? 0 : NL_FOLLOW, flags);
  if (e != 0) return sysLeave(e);
  const nl = scratchNl(0);
  e = utimens(pathVnode(), nl.nl_mount, changetype<usize>(nl.nl_ncp), as_, ans, ms, mns);
  pathDone();
  return sysLeave(e);
}

export function sys_futimens(fd: i32, as_: f64, ans: u32, ms: f64, mns: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  if (badNs(ans) || badNs(mns) || badSec(as_) || badSec(ms)) return sysLeave(-EINVAL);
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  return sysLeave(utimens(fileVnode(fp), fileMount(fp), fp.f_ncp, as_, ans, ms, mns));
}

// ── truncate ─────────────────────────────────────────────────────────────────────────────────

/** Set a regular file's size, and take set-ID bits away with it; permission has been checked. */
export function truncateVnode(vp: Vnode, ncp: usize, length: f64): i32 {
  if (length > <f64>FSCACHE_MAX_BYTES) return -EFBIG;
  if (<u64>length > curproc().p_fsize) return fsizeExceeded();
  const va = scratchVattr(0);
  va.va_size = <u64>length;
  va.va_mask = VA_SIZE;
  if (losesIds(vp)) stripIds(vp.v_fc.fc_attr, va);
  return setattr(vp, va, ncp);
}

export function sys_truncate(plen: u32, length: f64): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  if (!(length >= 0)) return sysLeave(-EINVAL);
  e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return sysLeave(e);
  const vp = pathVnode();
  const nl = scratchNl(0);
  if (vp.v_type == S_IFDIR) e = -EISDIR;
  else if (vp.v_type != S_IFREG) e = -EINVAL;
  else {
    e = attrAccess(vp.v_fc.fc_attr, W_OK, curcred());
    if (e == 0 && mountReadOnly(nl.nl_mount)) e = -EROFS;
  }
  if (e == 0) e = truncateVnode(vp, changetype<usize>(nl.nl_ncp), length);
  pathDone();
  return sysLeave(e);
}

export function sys_ftruncate(fd: i32, length: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  if (!(length >= 0)) return sysLeave(-EINVAL);
  const vp = fileVnode(fp);
  if (vp.v_type != S_IFREG || (fp.f_flag & O_ACCMODE) == O_RDONLY) return sysLeave(-EINVAL);
  return sysLeave(truncateVnode(vp, fp.f_ncp, length));
}
