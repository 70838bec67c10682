/** Permission: who may do what to a file, by its cached attributes (POSIX.1-2017, 4.5). */
import { EACCES, EPERM, EROFS } from '../abi/errno';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISVTX, W_OK, X_OK } from '../abi/flags';
import { litBegins } from '../kern/text';
import { Ucred, credInGroup, credIsRoot } from '../proc/cred';
import { Mount, mountReadOnly } from './mount';
import { Vattr } from './vattr';
import { Vnode } from './vnode';

/** 0 or -EACCES: do mode bits allow `want` (R_OK | W_OK | X_OK)? */
export function attrAccess(va: Vattr, want: u32, cred: Ucred): i32 {
  const mode = va.va_mode;
  if (credIsRoot(cred)) {
    // root may execute only what somebody may
    if (want & X_OK && (mode & S_IFMT) != S_IFDIR && (mode & 0o111) == 0) return -EACCES;
    return 0;
  }
  let bits = mode & 7;
  if (va.va_uid == cred.cr_uid) bits = (mode >> 6) & 7;
  else if (credInGroup(cred, va.va_gid)) bits = (mode >> 3) & 7;
  return (want & ~bits) == 0 ? 0 : -EACCES;
}

/** attrAccess, and a read-only mount refuses writing to what is stored on it. */
export function vnodeAccess(vp: Vnode, mp: Mount, want: u32, cred: Ucred): i32 {
  if (want & W_OK && mountReadOnly(mp)) {
    const t = vp.v_type;
    if (t == S_IFREG || t == S_IFDIR || t == S_IFLNK) return -EROFS;
  }
  return attrAccess(vp.v_fc.fc_attr, want, cred);
}

/** May cred search this directory? The common case is inlined in the walk. */
// @ts-ignore: decorator
@inline
export function mayLookup(va: Vattr, cred: Ucred): bool {
  if (credIsRoot(cred)) return true;
  if ((va.va_mode & 0o111) == 0o111) return true;
  return attrAccess(va, X_OK, cred) == 0;
}

/** May names in directory dvp be added? 0, -EROFS or -EACCES. */
export function mayCreate(dvp: Vnode, mp: Mount, cred: Ucred): i32 {
  if (mountReadOnly(mp)) return -EROFS;
  return attrAccess(dvp.v_fc.fc_attr, W_OK | X_OK, cred);
}

/** May the name of vp in dvp be removed? Sticky directories ask for ownership. */
export function mayDelete(dvp: Vnode, vp: Vnode, mp: Mount, cred: Ucred): i32 {
  if (mountReadOnly(mp)) return -EROFS;
  const e = attrAccess(dvp.v_fc.fc_attr, W_OK | X_OK, cred);
  if (e != 0) return e;
  if (
    dvp.v_fc.fc_attr.va_mode & S_ISVTX &&
    !credIsRoot(cred) &&
    cred.cr_uid != vp.v_fc.fc_attr.va_uid &&
    cred.cr_uid != dvp.v_fc.fc_attr.va_uid
  ) {
    return -EPERM;
  }
  return 0;
}

/** Owner or root. */
export function isOwner(va: Vattr, cred: Ucred): bool {
  return credIsRoot(cred) || cred.cr_uid == va.va_uid;
}

/** Is this attribute left out of the lists cred gets? The names of trusted. ones are root's to know. */
export function xattrHidden(name: usize, len: u32, cred: Ucred): bool {
  return !credIsRoot(cred) && litBegins('trusted.', name, len);
}
