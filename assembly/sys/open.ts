/** open(2) and close(2). */
import { EACCES, EBADF, EEXIST, EINVAL, EISDIR, ELOOP, ENFILE, ENOTDIR, ENXIO, EPERM, ERETRY } from '../abi/errno';
import {
  AT_FDCWD,
  FD_CLOEXEC,
  IN_CREATE,
  IN_OPEN,
  MS_NODEV,
  O_ACCMODE,
  O_APPEND,
  O_BENEATH,
  O_CLOEXEC,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_LARGEFILE,
  O_NOATIME,
  O_NOCTTY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  PATH_MAX,
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  W_OK,
} from '../abi/flags';
import { SA_PATH1 } from '../abi/layout';
import { curcpu } from '../kern/cpu';
import { curcred, credInGroup, credIsRoot, Ucred } from '../proc/cred';
import { FF_BENEATH, fdFile, fdFree, fdInstall, fdTake, File, fileAlloc, fileFree, fileRef } from '../proc/file';
import { curproc } from '../proc/proc';
import { CALL_OPEN, Lwp, lwpResume } from '../proc/sleep';
import { isOwner, mayCreate, vnodeAccess } from '../vfs/access';
import { inotifyFile, inotifyName } from '../vfs/inotify';
import { Mount } from '../vfs/mount';
import { cacheDrop, cacheRefValid, Namecache } from '../vfs/namecache';
import {
  LAST_MAGIC,
  LAST_NORM,
  NL_BENEATH,
  NL_CREATE,
  NL_FOLLOW,
  NL_LOCK,
  Nlookup,
  nlookup,
  nlookupDone,
  nlookupFast,
  nlookupFastValid,
  nlookupVnode,
} from '../vfs/nlookup';
import { scratchNl, scratchVattr, scratchWord } from '../vfs/scratch';
import { Vattr } from '../vfs/vattr';
import { fileClosedBy, fileDrop, fileMount, fileVnode, vnodeOpen, vnodeOpenFile, vnodeOpenResume } from '../vfs/vfile';
import { mountLetGo } from '../vfs/vfsmount';
import { VN_LINKABLE, Vnode, vnodePut, vnodeTryRef } from '../vfs/vnode';
import { vop_ncreate, vop_ntmpfile } from '../vfs/vop';
import { truncateVnode } from './attr';
import { sysEnter, sysLeave } from './enter';
import { pathInit } from './path';

/** The flags that stay with the File. */
export const STATUS_FLAGS: u32 =
  O_ACCMODE |
  O_APPEND |
  O_NONBLOCK |
  O_SYNC |
  O_DSYNC |
  O_DIRECT |
  O_NOATIME |
  O_PATH |
  O_DIRECTORY |
  O_NOFOLLOW |
  O_TMPFILE |
  O_LARGEFILE |
  FF_BENEATH;

/** What R_OK / W_OK an open with these flags needs. */
function wantOf(flags: u32): u32 {
  const acc = flags & O_ACCMODE;
  let want: u32 = acc == O_RDONLY ? R_OK : acc == O_WRONLY ? W_OK : R_OK | W_OK;
  if (flags & O_TRUNC) want |= W_OK;
  return want;
}

/** May this vnode be opened so? 0 or an errno. */
function openCheck(vp: Vnode, mp: Mount, flags: u32): i32 {
  const type = vp.v_type;
  if (flags & O_DIRECTORY && type != S_IFDIR) return -ENOTDIR;
  if (flags & O_PATH) return 0;
  if (type == S_IFLNK) return -ELOOP;
  const want = wantOf(flags);
  if (type == S_IFDIR && (want & W_OK || flags & O_CREAT)) return -EISDIR;
  if ((type == S_IFCHR || type == S_IFBLK) && mp.mnt_flag & MS_NODEV) return -EACCES;
  const e = vnodeAccess(vp, mp, want, curcred());
  if (e != 0) return e;
  if (flags & O_NOATIME && !isOwner(vp.v_fc.fc_attr, curcred())) return -EPERM;
  return type == S_IFSOCK ? -ENXIO : 0;
}

/** A File on an existing vnode, in a descriptor. The caller keeps its own references. */
function openVnode(vp: Vnode, mp: Mount, ncp: Namecache, flags: u32): i32 {
  const fd = fdFree(0);
  if (fd < 0) return fd;
  const fp = vnodeOpen(vp, mp, ncp, flags & (STATUS_FLAGS | O_NOCTTY), curcred(), scratchWord(2));
  if (changetype<usize>(fp) == 0) return load<i32>(scratchWord(2));
  return installOpened(fd, fp, flags);
}

/** Truncate if asked, then the descriptor. Consumes the File. */
function installOpened(fd: i32, fp: File, flags: u32): i32 {
  const vp = fileVnode(fp);
  if ((flags & O_PATH) == 0) inotifyFile(vp, fp.f_ncp, IN_OPEN);
  if (flags & O_TRUNC && vp.v_type == S_IFREG && (flags & O_PATH) == 0) {
    const e = truncateVnode(vp, fp.f_ncp, 0);
    if (e != 0) {
      fileDrop(fp);
      return e;
    }
  }
  fdInstall(fd, fp, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
  return fd;
}

/** Attributes for something new in directory dvp: mode after umask, owner, group, setgid. */
export function newAttr(dvp: Vnode, type: u32, mode: u32): Vattr {
  const cr: Ucred = curcred();
  const dva = dvp.v_fc.fc_attr;
  const va = scratchVattr(0);
  const asked = mode;
  mode = mode & 0o7777 & ~curproc().p_umask;
  va.va_uid = cr.cr_uid;
  va.va_gid = cr.cr_gid;
  va.va_rdev = 0;
  if (dva.va_mode & S_ISGID) {
    va.va_gid = dva.va_gid;
    if (type == S_IFDIR) mode |= S_ISGID;
    else if (
      // as it was asked for: the umask must not save a set-group-ID bit
      (asked & (S_ISGID | 0o010)) == (S_ISGID | 0o010) &&
      !credIsRoot(cr) &&
      !credInGroup(cr, va.va_gid)
    ) {
      mode &= ~S_ISGID;
    }
  }
  va.va_mode = type | mode;
  return va;
}

/** O_CREAT: the last name is looked up locked, and made if it is not there. */
function openCreate(nl: Nlookup, flags: u32, mode: u32): i32 {
  if (flags & O_EXCL) nl.nl_flags &= ~NL_FOLLOW;
  nl.nl_flags |= NL_LOCK | NL_CREATE;
  let e = nlookup(nl);
  if (e != 0) return e;
  if (changetype<usize>(nl.nl_dvp) == 0) e = openCrossed(nl, flags);
  else if (nl.nl_ncp.nc_vp != 0) e = openFound(nl, flags);
  else e = createHere(nl, flags, mode);
  nlookupDone(nl);
  return e;
}

/** O_CREAT of what is no name in a directory: a mount's root, where a magic link led, "/", "..". */
function openCrossed(nl: Nlookup, flags: u32): i32 {
  if (flags & O_EXCL) return -EEXIST;
  const named = nl.nl_last == LAST_NORM || nl.nl_last == LAST_MAGIC;
  return named ? openPlace(nl, flags) : -EISDIR;
}

/** Open where a walk ended. */
function openPlace(nl: Nlookup, flags: u32): i32 {
  let e = nlookupVnode(nl, scratchWord(1));
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(1)));
  e = openCheck(vp, nl.nl_mount, flags);
  if (e == 0) e = openVnode(vp, nl.nl_mount, nl.nl_anon != 0 ? changetype<Namecache>(<usize>0) : nl.nl_ncp, flags);
  vnodePut(vp);
  return e;
}

function openFound(nl: Nlookup, flags: u32): i32 {
  if (flags & O_EXCL) return -EEXIST;
  const vp = nl.nl_ncp.vp;
  const e = openCheck(vp, nl.nl_mount, flags);
  return e != 0 ? e : openVnode(vp, nl.nl_mount, nl.nl_ncp, flags);
}

function createHere(nl: Nlookup, flags: u32, mode: u32): i32 {
  const dvp = nl.nl_dvp;
  let e = mayCreate(dvp, nl.nl_mount, curcred());
  if (e != 0) return e;
  const fd = fdFree(0);
  if (fd < 0) return fd;
  const fp = fileAlloc();
  if (changetype<usize>(fp) == 0) return -ENFILE;
  const va = newAttr(dvp, S_IFREG, mode);
  e = vop_ncreate(nl.nl_ncp.nc_fm, nl.nl_ncp, va, curcred(), scratchWord(1));
  if (e != 0) {
    fileFree(fp);
    return e;
  }
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(1)));
  inotifyName(dvp, nl.nl_ncp, IN_CREATE, 0, false);
  // its mode does not bind the open that made it
  e = vnodeOpenFile(fp, vp, nl.nl_mount, nl.nl_ncp, flags & STATUS_FLAGS, curcred());
  vnodePut(vp);
  if (e != 0) return e;
  return installOpened(fd, fp, flags & ~O_TRUNC);
}

/** O_TMPFILE: the path is a directory, the file gets no name. */
function openTmpfile(nl: Nlookup, flags: u32, mode: u32): i32 {
  let e = nlookup(nl);
  if (e != 0) return e;
  e = nlookupVnode(nl, scratchWord(1));
  if (e == 0) {
    const dvp = changetype<Vnode>(<usize>load<u32>(scratchWord(1)));
    e = tmpfileIn(nl, dvp, flags, mode);
    vnodePut(dvp);
  }
  nlookupDone(nl);
  return e;
}

function tmpfileIn(nl: Nlookup, dvp: Vnode, flags: u32, mode: u32): i32 {
  if (dvp.v_type != S_IFDIR) return -ENOTDIR;
  let e = mayCreate(dvp, nl.nl_mount, curcred());
  if (e != 0) return e;
  const fd = fdFree(0);
  if (fd < 0) return fd;
  e = vop_ntmpfile(dvp.v_fm, dvp, newAttr(dvp, S_IFREG, mode), curcred(), scratchWord(2));
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(2)));
  const none = changetype<Namecache>(<usize>0);
  const fp = vnodeOpen(vp, nl.nl_mount, none, flags & STATUS_FLAGS, curcred(), scratchWord(2));
  // O_EXCL here means: may never be linked into the tree
  if (changetype<usize>(fp) != 0 && (flags & O_EXCL) == 0) vp.v_flag |= VN_LINKABLE;
  vnodePut(vp);
  if (changetype<usize>(fp) == 0) return load<i32>(scratchWord(2));
  fdInstall(fd, fp, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
  return fd;
}

/** The walk without locks and then the open; -ERETRY: do it the long way. */
function openFast(plen: u32, flags: u32, mount: u32, start: u32): i32 {
  const nofollow = (flags & O_NOFOLLOW) != 0;
  const vp = nlookupFast(<usize>curcpu.c_area + SA_PATH1, plen, mount, start, nofollow, curcred());
  if (changetype<usize>(vp) == 0) return -ERETRY;
  const ncp = changetype<Namecache>(<usize>curcpu.c_fastncp);
  const mp = changetype<Mount>(<usize>curcpu.c_fastmount);
  if (!cacheRefValid(ncp, curcpu.c_fastseq)) return -ERETRY;
  if (!vnodeTryRef(vp)) {
    cacheDrop(ncp);
    return -ERETRY;
  }
  let e: i32 = -ERETRY;
  if (nlookupFastValid()) {
    e = openCheck(vp, mp, flags);
    if (e == 0) e = openVnode(vp, mp, ncp, flags);
  }
  vnodePut(vp);
  cacheDrop(ncp);
  return e;
}

function open(dirfd: i32, plen: u32, flags: u32, mode: u32): i32 {
  if ((flags & O_ACCMODE) == O_ACCMODE && (flags & O_PATH) == 0) return -EINVAL;
  const tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
  if (flags & O_PATH) flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_BENEATH;
  else if (tmpfile) {
    if ((flags & O_ACCMODE) == O_RDONLY || flags & O_CREAT) return -EINVAL;
  } else if (flags & O_DIRECTORY && flags & O_CREAT) return -EINVAL;
  if (dirfd == AT_FDCWD && plen < PATH_MAX && (flags & (O_CREAT | O_BENEATH)) == 0 && !tmpfile) {
    const p = curproc();
    const r = openFast(plen, flags, p.p_cwdmount, p.p_cwdncp);
    if (r != -ERETRY) return r;
  }
  return openSlow(dirfd, plen, flags, mode);
}

/** A WASI guest's open in a directory of its own, confined to it. */
export function openBeneath(dir: File, dirfd: i32, plen: u32, flags: u32, mode: u32): i32 {
  if (flags & O_DIRECTORY && flags & O_CREAT) return -EINVAL;
  const absolute = plen != 0 && load<u8>(<usize>curcpu.c_area + SA_PATH1) == 47;
  if ((flags & O_CREAT) == 0 && !absolute && dir.f_ncp != 0) {
    const r = openFast(plen, flags | FF_BENEATH, dir.f_mount, dir.f_ncp);
    if (r != -ERETRY) return r;
  }
  return openSlow(dirfd, plen, flags, mode);
}

/** Open by the walk that takes locks. */
function openSlow(dirfd: i32, plen: u32, flags: u32, mode: u32): i32 {
  const nl = scratchNl(0);
  let nlflags: u32 = flags & O_NOFOLLOW ? 0 : NL_FOLLOW;
  if (flags & O_BENEATH) nlflags |= NL_BENEATH;
  let e = pathInit(nl, dirfd, SA_PATH1, plen, nlflags);
  if (e != 0) return e;
  if (nl.nl_flags & NL_BENEATH) flags |= FF_BENEATH;
  if ((flags & O_TMPFILE) == O_TMPFILE) return openTmpfile(nl, flags, mode);
  if (flags & O_CREAT) return openCreate(nl, flags, mode);
  e = nlookup(nl);
  if (e != 0) return e;
  e = openPlace(nl, flags);
  nlookupDone(nl);
  return e;
}

/** A blocked open goes on with the File it made (S4 of proc/sleep.ts); the path is not walked again. */
export function openResume(l: Lwp, flags: u32): i32 {
  if (l.lwp_call != CALL_OPEN) return -EINVAL;
  const fp = changetype<File>(<usize>l.lwp_file);
  const fd = fdFree(0);
  if (fd < 0) return fd;
  const e = vnodeOpenResume(fp);
  if (e != 0) return e;
  fileRef(fp);
  fdInstall(fd, fp, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
  inotifyFile(fileVnode(fp), fp.f_ncp, IN_OPEN);
  return fd;
}

export function sys_openat(dirfd: i32, plen: u32, flags: u32, mode: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const l = lwpResume();
  if (changetype<usize>(l) != 0) return sysLeave(openResume(l, flags));
  return sysLeave(open(dirfd, plen, flags, mode));
}

/** What a descriptor names, O_PATH or not, is opened anew, as the magic link of it in /proc is. */
function reopen(fd: i32, flags: u32): i32 {
  if ((flags & O_ACCMODE) == O_ACCMODE || flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) return -EINVAL;
  const fp = fdFile(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  flags = (flags & ~FF_BENEATH) | (fp.f_flag & FF_BENEATH);
  const vp = fileVnode(fp);
  const e = openCheck(vp, fileMount(fp), flags);
  return e != 0 ? e : openVnode(vp, fileMount(fp), changetype<Namecache>(<usize>fp.f_ncp), flags);
}

export function sys_reopen(fd: i32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const l = lwpResume();
  if (changetype<usize>(l) != 0) return sysLeave(openResume(l, flags));
  return sysLeave(reopen(fd, flags));
}

export function sys_close(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = curproc();
  const fp = fdTake(p, <u32>fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  const r = fileClosedBy(fp, p);
  mountLetGo();
  return sysLeave(r);
}
