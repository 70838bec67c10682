/** From the arguments of a call (dirfd, path in the syscall area) to a place or a vnode. */
import { EBADF, EINVAL, ENOENT, ENAMETOOLONG, ENOTDIR } from '../abi/errno';
import { AT_EMPTY_PATH, AT_FDCWD, O_PATH, PATH_MAX, S_IFDIR } from '../abi/flags';
import { curcpu } from '../kern/cpu';
import { curcred } from '../proc/cred';
import { FF_BENEATH, fdFile, File } from '../proc/file';
import { curproc } from '../proc/proc';
import { Mount, mountRef } from '../vfs/mount';
import { cacheRef, Namecache } from '../vfs/namecache';
import { NL_BENEATH, Nlookup, nlookup, nlookupDone, nlookupInit, nlookupVnode } from '../vfs/nlookup';
import { scratchNl, scratchWord } from '../vfs/scratch';
import { fileVnode } from '../vfs/vfile';
import { Vnode, vnodePut, vnodeRef } from '../vfs/vnode';

/** Check that a path has a length it may have and holds no NUL: 0, -ENAMETOOLONG, -ENOENT (a NUL of a WASI guest's: -EINVAL). */
function pathCheck(path: usize, len: u32): i32 {
  if (len == 0) return -ENOENT;
  if (len >= PATH_MAX) return -ENAMETOOLONG;
  for (let i: u32 = 0; i < len; i++) if (load<u8>(path + i) == 0) return curcpu.c_guest != 0 ? -EINVAL : -ENOENT;
  return 0;
}

/** Set a walk up from a directory descriptor: 0, -EBADF, -ENOTDIR, -ENAMETOOLONG. */
export function pathInit(nl: Nlookup, dirfd: i32, areaOffset: u32, len: u32, flags: u32): i32 {
  const path = <usize>curcpu.c_area + areaOffset;
  const e = pathCheck(path, len);
  if (e != 0) return e;
  const p = curproc();
  let mp = p.p_cwdmount;
  let ncp = p.p_cwdncp;
  // whatever a WASI guest looks up stays beneath the directory that it names
  const confined = curcpu.c_guest != 0;
  const absolute = len != 0 && load<u8>(path) == 47;
  if (dirfd != AT_FDCWD) {
    const fp = fdFile(dirfd);
    if (changetype<usize>(fp) == 0) {
      if (!absolute) return -EBADF;
    } else if (fp.f_flag & FF_BENEATH || confined || !absolute) {
      if (fileVnode(fp).v_type != S_IFDIR || fp.f_ncp == 0) return -ENOTDIR;
      mp = fp.f_mount;
      ncp = fp.f_ncp;
      if (fp.f_flag & FF_BENEATH || confined) flags |= NL_BENEATH;
    }
  }
  nlookupInit(nl, path, len, flags, curcred(), changetype<Mount>(<usize>mp), changetype<Namecache>(<usize>ncp));
  return 0;
}

/** Set up and walk: 0, or an errno with nothing to release. */
export function pathLookup(nl: Nlookup, dirfd: i32, areaOffset: u32, len: u32, flags: u32): i32 {
  const e = pathInit(nl, dirfd, areaOffset, len, flags);
  return e != 0 ? e : nlookup(nl);
}

/**
 * The vnode a path (or, with AT_EMPTY_PATH and no path, a descriptor) names. On 0 the walk's
 * result is in scratchNl(0) and the vnode, referenced, is what pathVnode() returns; pathDone ends.
 */
export function pathToVnode(dirfd: i32, areaOffset: u32, len: u32, nlflags: u32, atflags: u32): i32 {
  const nl = scratchNl(0);
  if (len == 0 && atflags & AT_EMPTY_PATH) return fdToVnode(nl, dirfd);
  let e = pathLookup(nl, dirfd, areaOffset, len, nlflags);
  if (e != 0) return e;
  e = nlookupVnode(nl, scratchWord(1));
  if (e != 0) nlookupDone(nl);
  return e;
}

/** The same result for an open file (or the cwd). */
function fdToVnode(nl: Nlookup, dirfd: i32): i32 {
  const p = curproc();
  let mp = p.p_cwdmount;
  let ncp = p.p_cwdncp;
  let vp = p.p_cwdvp;
  if (dirfd != AT_FDCWD) {
    const fp = fdFile(dirfd);
    if (changetype<usize>(fp) == 0) return -EBADF;
    mp = fp.f_mount;
    ncp = fp.f_ncp;
    vp = fp.f_vp;
  }
  nlookupInit(nl, 0, 0, 0, curcred(), changetype<Mount>(<usize>mp), changetype<Namecache>(<usize>ncp));
  // an anonymous file has no entry: the mount's root stands in, nothing looks at it
  if (ncp == 0) {
    nl.nl_ncp = changetype<Mount>(<usize>mp).mnt_root;
    nl.nl_anon = 1;
  }
  mountRef(nl.nl_mount);
  cacheRef(nl.nl_ncp);
  vnodeRef(changetype<Vnode>(<usize>vp));
  store<u32>(scratchWord(1), vp);
  return 0;
}

// @ts-ignore: decorator
@inline
export function pathVnode(): Vnode {
  return changetype<Vnode>(<usize>load<u32>(scratchWord(1)));
}

export function pathDone(): void {
  vnodePut(pathVnode());
  nlookupDone(scratchNl(0));
}

/** The File of a descriptor that may be read from, written to or asked; null: -EBADF (O_PATH too). */
export function fdGet(fd: i32): File {
  const fp = fdFile(fd);
  if (changetype<usize>(fp) != 0 && fp.f_flag & O_PATH) return changetype<File>(<usize>0);
  return fp;
}
