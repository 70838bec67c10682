/** mount, umount, statfs, file handles, extended attributes. */
import {
  E2BIG,
  EACCES,
  EBADF,
  EINVAL,
  EISDIR,
  ELOOP,
  ENODATA,
  ENODEV,
  ENOENT,
  ENOTBLK,
  ENOTDIR,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EROFS,
  ESTALE,
} from '../abi/errno';
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  AT_SYMLINK_NOFOLLOW,
  FD_CLOEXEC,
  IN_ATTRIB,
  IN_OPEN,
  MNT_DETACH,
  MNT_FORCE,
  MS_BIND,
  MS_NODEV,
  MS_RDONLY,
  MS_REC,
  MS_REMOUNT,
  MS_SILENT,
  O_ACCMODE,
  O_CLOEXEC,
  O_PATH,
  PATH_MAX,
  R_OK,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
  S_ISVTX,
  UMOUNT_NOFOLLOW,
  W_OK,
  XATTR_CREATE,
  XATTR_NAME_MAX,
  XATTR_REPLACE,
  XATTR_SIZE_MAX,
} from '../abi/flags';
import {
  FH_GEN,
  FH_INO,
  FH_MOUNT,
  SA_DATA,
  SA_DATA_SIZE,
  SA_PATH1,
  SA_PATH2,
  SF_BAVAIL,
  SF_BFREE,
  SF_BLOCKS,
  SF_BSIZE,
  SF_FFREE,
  SF_FILES,
  SF_FLAGS,
  SF_FSID,
  SF_NAMELEN,
  SF_TYPE,
} from '../abi/layout';
import { roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { litBegins } from '../kern/text';
import { curcred, credIsRoot } from '../proc/cred';
import { fdFile, fdFree, fdInstall, File } from '../proc/file';
import { lwpResume } from '../proc/sleep';
import { attrAccess, isOwner } from '../vfs/access';
import { inotifyChange, inotifyFile } from '../vfs/inotify';
import {
  MNT_FLAGS,
  Mount,
  mountById,
  mountReadOnly,
  vfs_fhtovp,
  vfs_statfs,
  vfs_vptofh,
  Vfsconf,
  vfsFind,
  VFCF_BIND,
  VFCF_NODEV,
} from '../vfs/mount';
import { dirConnect } from '../vfs/connect';
import { bindMount, remountAll, remountPlace } from '../vfs/bind';
import { cacheDrop, Namecache, NCF_DESTROYED } from '../vfs/namecache';
import { NL_FOLLOW, Nlookup, nlookupDone, nlookupVnode } from '../vfs/nlookup';
import { scratchNl, scratchStatfs, scratchUio, scratchWord } from '../vfs/scratch';
import { mountAttach, mountMake, mountRemove } from '../vfs/vfsmount';
import { fileMount, fileVnode, vnodeOpen } from '../vfs/vfile';
import { VN_DEAD, VN_NOCACHE, Vnode, vnodeKill, vnodePut } from '../vfs/vnode';
import { vop_getxattr, vop_listxattr, vop_removexattr, vop_setxattr } from '../vfs/vop';
import { uioSingle } from '../vm/uio';
import { sysEnter, sysLeave } from './enter';
import { openResume, STATUS_FLAGS } from './open';
import { fdGet, pathDone, pathLookup, pathToVnode, pathVnode } from './path';

// ── statfs ───────────────────────────────────────────────────────────────────────────────────

function statfsFill(mp: Mount): i32 {
  const sf = scratchStatfs();
  const e = vfs_statfs(mp, sf);
  if (e != 0) return e;
  const s = <usize>curcpu.c_area + SA_DATA;
  store<f64>(s, <f64>changetype<Vfsconf>(<usize>mp.mnt_conf).vfc_magic, SF_TYPE);
  store<f64>(s, <f64>sf.sf_bsize, SF_BSIZE);
  store<f64>(s, <f64>sf.sf_blocks, SF_BLOCKS);
  store<f64>(s, <f64>sf.sf_bfree, SF_BFREE);
  store<f64>(s, <f64>sf.sf_bavail, SF_BAVAIL);
  store<f64>(s, <f64>sf.sf_files, SF_FILES);
  store<f64>(s, <f64>sf.sf_ffree, SF_FFREE);
  store<f64>(s, <f64>mp.mnt_dev, SF_FSID);
  store<f64>(s, <f64>sf.sf_namelen, SF_NAMELEN);
  const flags = (mp.mnt_flag & MNT_FLAGS) | (mountReadOnly(mp) ? MS_RDONLY : 0);
  store<f64>(s, <f64>flags, SF_FLAGS);
  return 0;
}

export function sys_statfs(plen: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return sysLeave(e);
  e = statfsFill(scratchNl(0).nl_mount);
  pathDone();
  return sysLeave(e);
}

export function sys_fstatfs(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdFile(fd);
  return sysLeave(changetype<usize>(fp) == 0 ? -EBADF : statfsFill(fileMount(fp)));
}

// ── mount ────────────────────────────────────────────────────────────────────────────────────

function remount(nl: Nlookup, flags: u32, opts: usize, optlen: u32): i32 {
  const mp = nl.nl_mount;
  if (changetype<usize>(nl.nl_ncp) != changetype<usize>(mp.mnt_root)) return -EINVAL;
  return flags & MS_BIND ? remountPlace(mp, flags) : remountAll(mp, flags, opts, optlen);
}

function bind(srclen: u32, target: Nlookup, tvp: Vnode, flags: u32): i32 {
  const nl = scratchNl(1);
  let e = pathLookup(nl, AT_FDCWD, SA_PATH1, srclen, NL_FOLLOW);
  if (e != 0) return e;
  e = nl.nl_anon != 0 ? -EINVAL : nlookupVnode(nl, scratchWord(8));
  if (e == 0) {
    const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(8)));
    e = bindMount(nl.nl_mount, nl.nl_ncp, vp, target.nl_mount, target.nl_ncp, tvp, flags);
    vnodePut(vp);
  }
  nlookupDone(nl);
  return e;
}

/** The block device that the source names, referenced, at `out`: 0, -ENOTBLK, -EACCES (its mount is nodev), or
 *  a lookup's errno. */
function sourceDevice(srclen: u32, out: usize): i32 {
  const nl = scratchNl(1);
  let e = pathLookup(nl, AT_FDCWD, SA_PATH1, srclen, NL_FOLLOW);
  if (e != 0) return e;
  e = nl.nl_anon != 0 ? -ENOTBLK : nlookupVnode(nl, out);
  if (e == 0) {
    const vp = changetype<Vnode>(<usize>load<u32>(out));
    if (vp.v_type != S_IFBLK) e = -ENOTBLK;
    else if (nl.nl_mount.mnt_flag & MS_NODEV) e = -EACCES;
    if (e != 0) vnodePut(vp);
  }
  nlookupDone(nl);
  return e;
}

/** A file system of its own on a directory. */
function mountNew(conf: Vfsconf, srclen: u32, opts: usize, optlen: u32, nl: Nlookup, vp: Vnode, flags: u32): i32 {
  if (vp.v_type != S_IFDIR) return -ENOTDIR;
  if (nl.nl_ncp.nc_flags & NCF_DESTROYED) return -ENOENT;
  let dev = changetype<Vnode>(<usize>0);
  let e: i32 = 0;
  if ((conf.vfc_flags & VFCF_NODEV) == 0) {
    e = sourceDevice(srclen, scratchWord(8));
    if (e != 0) return e;
    dev = changetype<Vnode>(<usize>load<u32>(scratchWord(8)));
  }
  const src = <usize>curcpu.c_area + SA_PATH1;
  e = mountMake(conf, flags & MNT_FLAGS, src, srclen, opts, optlen, curcred(), dev, scratchWord(8));
  if (changetype<usize>(dev) != 0) vnodePut(dev);
  if (e == 0) mountAttach(changetype<Mount>(<usize>load<u32>(scratchWord(8))), nl.nl_mount, nl.nl_ncp);
  return e;
}

/** The flags that mount(2) knows here; others would promise what is not done. */
const MOUNT_CALL_FLAGS: u32 = MNT_FLAGS | MS_REMOUNT | MS_BIND | MS_REC | MS_SILENT;

function mountAt(nl: Nlookup, vp: Vnode, srclen: u32, typelen: u32, optlen: u32, flags: u32): i32 {
  if (nl.nl_anon != 0) return -EINVAL;
  const type = <usize>curcpu.c_area + SA_DATA;
  const opts = type + typelen;
  if (flags & MS_REMOUNT) return remount(nl, flags, opts, optlen);
  if (flags & MS_BIND) return bind(srclen, nl, vp, flags);
  const conf = vfsFind(type, typelen);
  if (changetype<usize>(conf) == 0) return -ENODEV;
  if (conf.vfc_flags & VFCF_BIND) return optlen != 0 ? -EINVAL : bind(srclen, nl, vp, flags);
  return mountNew(conf, srclen, opts, optlen, nl, vp, flags);
}

function mount(srclen: u32, targetlen: u32, typelen: u32, optlen: u32, flags: u32): i32 {
  if (!credIsRoot(curcred())) return -EPERM;
  if (typelen > SA_DATA_SIZE || optlen > SA_DATA_SIZE - typelen || srclen >= PATH_MAX) return -EINVAL;
  if (flags & ~MOUNT_CALL_FLAGS) return -EINVAL;
  let e = pathToVnode(AT_FDCWD, SA_PATH2, targetlen, NL_FOLLOW, 0);
  if (e != 0) return e;
  e = mountAt(scratchNl(0), pathVnode(), srclen, typelen, optlen, flags);
  pathDone();
  return e;
}

export function sys_mount(srclen: u32, targetlen: u32, typelen: u32, optlen: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(mount(srclen, targetlen, typelen, optlen, flags));
}

function umount(plen: u32, flags: u32): i32 {
  if (!credIsRoot(curcred())) return -EPERM;
  if (flags & ~(MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW)) return -EINVAL;
  const e = pathToVnode(AT_FDCWD, SA_PATH1, plen, flags & UMOUNT_NOFOLLOW ? 0 : NL_FOLLOW, 0);
  if (e != 0) return e;
  const nl = scratchNl(0);
  const mp = nl.nl_mount;
  const isRoot = nl.nl_anon == 0 && changetype<usize>(nl.nl_ncp) == changetype<usize>(mp.mnt_root);
  pathDone();
  return isRoot ? mountRemove(mp, flags) : -EINVAL;
}

export function sys_umount2(plen: u32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(umount(plen, flags));
}

/** revoke(2) of BSD: whoever has the file open finds it dead; a device's or file's owner may. */
function revoke(plen: u32): i32 {
  let e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return e;
  const vp = pathVnode();
  if (vp.v_type == S_IFDIR || vp.v_type == S_IFLNK || vp.v_flag & VN_DEAD) e = -EINVAL;
  else if (vp.v_flag & VN_NOCACHE && vp.v_type != S_IFCHR) e = -EINVAL;
  else if (!isOwner(vp.v_fc.fc_attr, curcred())) e = -EPERM;
  else vnodeKill(vp, changetype<Mount>(<usize>roots().r_deadmount).mnt_norm);
  pathDone();
  return e;
}

export function sys_revoke(plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(revoke(plen));
}

// ── file handles ─────────────────────────────────────────────────────────────────────────────

export function sys_name_to_handle_at(dirfd: i32, plen: u32, flags: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return sysLeave(-EINVAL);
  e = pathToVnode(dirfd, SA_PATH1, plen, flags & AT_SYMLINK_FOLLOW ? NL_FOLLOW : 0, flags);
  if (e != 0) return sysLeave(e);
  e = vfs_vptofh(pathVnode(), scratchWord(8), scratchWord(9));
  if (e == 0) {
    const s = <usize>curcpu.c_area + SA_DATA;
    store<u32>(s, scratchNl(0).nl_mount.mnt_id, FH_MOUNT);
    store<u32>(s, load<u32>(scratchWord(9)), FH_GEN);
    store<f64>(s, <f64>load<u64>(scratchWord(8)), FH_INO);
  }
  pathDone();
  return sysLeave(e);
}

/** By what name a handle's vnode is open: a directory needs one, or nothing could be looked up in it. */
function handleEntry(vp: Vnode, out: usize): i32 {
  store<u32>(out, 0);
  if (vp.v_type != S_IFDIR) return 0;
  const e = dirConnect(vp, curcred(), out);
  // removed, it is in no directory; what is open of it can still be asked for its attributes
  return e == -ENOENT ? 0 : e;
}

/** A File on a handle's vnode, in a descriptor. */
function openHandleVnode(vp: Vnode, mp: Mount, flags: u32): i32 {
  if (vp.v_type == S_IFLNK && (flags & O_PATH) == 0) return -ELOOP;
  if (flags & O_ACCMODE && vp.v_type == S_IFDIR) return -EISDIR;
  if (flags & O_ACCMODE && mountReadOnly(mp)) return -EROFS;
  const fd = fdFree(0);
  if (fd < 0) return fd;
  let e = handleEntry(vp, scratchWord(9));
  if (e != 0) return e;
  const ncp = changetype<Namecache>(<usize>load<u32>(scratchWord(9)));
  const fp = vnodeOpen(vp, mp, ncp, flags & STATUS_FLAGS, curcred(), scratchWord(8));
  if (changetype<usize>(fp) == 0) e = load<i32>(scratchWord(8));
  else {
    fdInstall(fd, fp, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
    if ((flags & O_PATH) == 0) inotifyFile(vp, fp.f_ncp, IN_OPEN);
    e = fd;
  }
  if (changetype<usize>(ncp) != 0) cacheDrop(ncp);
  return e;
}

function openByHandle(mountfd: i32, flags: u32): i32 {
  const s = <usize>curcpu.c_area + SA_DATA;
  const ino = load<f64>(s, FH_INO);
  const gen = load<u32>(s, FH_GEN);
  let mp = mountById(load<u32>(s, FH_MOUNT));
  if (mountfd != AT_FDCWD) {
    const fp = fdFile(mountfd);
    if (changetype<usize>(fp) == 0) return -EBADF;
    mp = fileMount(fp);
  }
  if (changetype<usize>(mp) == 0 || !(ino >= 0 && ino <= 9007199254740992.0)) return -ESTALE;
  let e = vfs_fhtovp(mp, <u64>ino, gen, scratchWord(8));
  // no handle was ever given for a file of a file system without them
  if (e != 0) return e == -EOPNOTSUPP ? -ESTALE : e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(8)));
  e = openHandleVnode(vp, mp, flags);
  vnodePut(vp);
  return e;
}

export function sys_open_by_handle_at(mountfd: i32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const l = lwpResume();
  if (changetype<usize>(l) != 0) return sysLeave(openResume(l, flags));
  return sysLeave(credIsRoot(curcred()) ? openByHandle(mountfd, flags) : -EPERM);
}

/** For a host that serves handles: it may, whoever the process is. */
export function proc_fhopen(mountfd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(openByHandle(mountfd, O_PATH));
}

// ── extended attributes ──────────────────────────────────────────────────────────────────────

/** May this name be used (by a reader or a writer) on this vnode? 0 or an errno. */
function xattrAllowed(vp: Vnode, mp: Mount, name: usize, len: u32, write: bool): i32 {
  if (len == 0 || len > XATTR_NAME_MAX) return -ERANGE;
  if (write && mountReadOnly(mp)) return -EROFS;
  const cr = curcred();
  const want = write ? W_OK : R_OK;
  if (litBegins('user.', name, len)) {
    if (len == 5) return -EINVAL;
    if (vp.v_type != S_IFREG && vp.v_type != S_IFDIR) return write ? -EPERM : -ENODATA;
    const va = vp.v_fc.fc_attr;
    if (write && vp.v_type == S_IFDIR && va.va_mode & S_ISVTX && !isOwner(va, cr)) return -EPERM;
    return attrAccess(va, want, cr);
  }
  if (litBegins('trusted.', name, len)) {
    if (len == 8) return -EINVAL;
    return credIsRoot(cr) ? 0 : write ? -EPERM : -ENODATA;
  }
  if (litBegins('security.', name, len)) {
    if (len == 9) return -EINVAL;
    return !write || credIsRoot(cr) ? 0 : -EPERM;
  }
  // permission is asked first: whoever may not even look is not told which namespaces there are
  const e = attrAccess(vp.v_fc.fc_attr, want, cr);
  return e != 0 ? e : -EOPNOTSUPP;
}

const XA_GET: u32 = 0;
const XA_SET: u32 = 1;
const XA_LIST: u32 = 2;
const XA_REMOVE: u32 = 3;

function xattrDo(
  vp: Vnode,
  mp: Mount,
  ncp: usize,
  op: u32,
  namelen: u32,
  space: u32,
  addr: u32,
  size: u32,
  xflags: u32,
): i32 {
  const name = <usize>curcpu.c_area + SA_PATH2;
  const write = op == XA_SET || op == XA_REMOVE;
  if (op == XA_SET && (xflags & ~(XATTR_CREATE | XATTR_REPLACE) || xflags == (XATTR_CREATE | XATTR_REPLACE)))
    return -EINVAL;
  if (op == XA_SET && size > XATTR_SIZE_MAX) return -E2BIG;
  if (op != XA_LIST) {
    const e = xattrAllowed(vp, mp, name, namelen, write);
    if (e != 0) return e;
  }
  const u = scratchUio(0);
  uioSingle(u, space, addr, size > XATTR_SIZE_MAX ? XATTR_SIZE_MAX : size, 0, op == XA_SET ? 1 : 0);
  if (op == XA_GET) return vop_getxattr(vp.v_fm, vp, name, namelen, u);
  if (op == XA_LIST) return vop_listxattr(vp.v_fm, vp, u);
  const e =
    op == XA_SET
      ? vop_setxattr(vp.v_fm, vp, name, namelen, u, xflags)
      : vop_removexattr(vp.v_fm, vp, name, namelen);
  if (e >= 0) inotifyChange(vp, ncp, IN_ATTRIB);
  return e;
}

function xattrPath(
  op: u32,
  dirfd: i32,
  plen: u32,
  flags: u32,
  namelen: u32,
  space: u32,
  addr: u32,
  size: u32,
  xflags: u32,
): i32 {
  if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
  let e = pathToVnode(dirfd, SA_PATH1, plen, flags & AT_SYMLINK_NOFOLLOW ? 0 : NL_FOLLOW, flags);
  if (e != 0) return e;
  const nl = scratchNl(0);
  e = xattrDo(pathVnode(), nl.nl_mount, changetype<usize>(nl.nl_ncp), op, namelen, space, addr, size, xflags);
  pathDone();
  return e;
}

function xattrFd(op: u32, fd: i32, namelen: u32, space: u32, addr: u32, size: u32, xflags: u32): i32 {
  const fp: File = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  return xattrDo(fileVnode(fp), fileMount(fp), fp.f_ncp, op, namelen, space, addr, size, xflags);
}

export function sys_getxattr(
  dirfd: i32,
  plen: u32,
  flags: u32,
  namelen: u32,
  space: u32,
  addr: u32,
  size: u32,
): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrPath(XA_GET, dirfd, plen, flags, namelen, space, addr, size, 0));
}
export function sys_setxattr(
  dirfd: i32,
  plen: u32,
  flags: u32,
  namelen: u32,
  space: u32,
  addr: u32,
  size: u32,
  xflags: u32,
): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrPath(XA_SET, dirfd, plen, flags, namelen, space, addr, size, xflags));
}
export function sys_listxattr(dirfd: i32, plen: u32, flags: u32, space: u32, addr: u32, size: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrPath(XA_LIST, dirfd, plen, flags, 0, space, addr, size, 0));
}
export function sys_removexattr(dirfd: i32, plen: u32, flags: u32, namelen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrPath(XA_REMOVE, dirfd, plen, flags, namelen, 0, 0, 0, 0));
}
export function sys_fgetxattr(fd: i32, namelen: u32, space: u32, addr: u32, size: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrFd(XA_GET, fd, namelen, space, addr, size, 0));
}
export function sys_fsetxattr(fd: i32, namelen: u32, space: u32, addr: u32, size: u32, xflags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrFd(XA_SET, fd, namelen, space, addr, size, xflags));
}
export function sys_flistxattr(fd: i32, space: u32, addr: u32, size: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrFd(XA_LIST, fd, 0, space, addr, size, 0));
}
export function sys_fremovexattr(fd: i32, namelen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(xattrFd(XA_REMOVE, fd, namelen, 0, 0, 0, 0));
}
