/** procfs: links that lead to a place whatever its name: cwd, root, fd/N. */
import { EACCES, ENOENT, EXDEV } from '../../abi/errno';
import { PATH_MAX, S_IFIFO } from '../../abi/flags';
import { Text, textByte, textBytes, textLit, textU64 } from '../../kern/text';
import { Ucred } from '../../proc/cred';
import { curproc, Proc } from '../../proc/proc';
import { Fsmanage } from '../../vfs/fsmanage';
import { Mount, mountRef, MNTF_INTERNAL } from '../../vfs/mount';
import { cacheRef, Namecache, NCF_DESTROYED } from '../../vfs/namecache';
import { Place, placePath } from '../../vfs/place';
import { scratchPath, scratchPlace, scratchWord } from '../../vfs/scratch';
import { Vnode, vnodeRef } from '../../vfs/vnode';
import { kindOf, mayInspect, openFileOf, PK_CWD, PK_FDLINK, procOf } from './node';

/** Where a link leads now, nothing referenced: 0, -ENOENT, -EACCES. */
function target(vp: Vnode, to: Place, cred: Ucred): i32 {
  const p: Proc = procOf(vp);
  if (changetype<usize>(p) == 0) return -ENOENT;
  if (!mayInspect(p, cred)) return -EACCES;
  const kind = kindOf(vp);
  if (kind == PK_FDLINK) {
    const fp = openFileOf(vp);
    if (changetype<usize>(fp) == 0) return -ENOENT;
    to.pl_mount = changetype<Mount>(<usize>fp.f_mount);
    to.pl_ncp = changetype<Namecache>(<usize>fp.f_ncp);
    to.pl_vp = changetype<Vnode>(<usize>fp.f_vp);
    return 0;
  }
  if (p.p_cwdmount == 0) return -ENOENT;
  const cwd = kind == PK_CWD;
  to.pl_mount = changetype<Mount>(<usize>(cwd ? p.p_cwdmount : p.p_rootmount));
  to.pl_ncp = changetype<Namecache>(<usize>(cwd ? p.p_cwdncp : p.p_rootncp));
  to.pl_vp = changetype<Vnode>(<usize>(cwd ? p.p_cwdvp : p.p_rootvp));
  return 0;
}

export function procJump(fm: Fsmanage, vp: Vnode, to: Place, cred: Ucred): i32 {
  const e = target(vp, to, cred);
  if (e != 0) return e;
  mountRef(to.pl_mount);
  if (changetype<usize>(to.pl_ncp) != 0) cacheRef(to.pl_ncp);
  vnodeRef(to.pl_vp);
  return 0;
}

/** A file that never had a name, as Linux shows such. */
function anonymous(vp: Vnode, mp: Mount, t: Text): void {
  if (mp.mnt_flag & MNTF_INTERNAL) {
    textLit(t, vp.v_type == S_IFIFO ? 'pipe:[' : 'anon_inode:[');
    textU64(t, vp.v_fc.fc_attr.va_ino);
    textByte(t, 93);
    return;
  }
  path(mp, mp.mnt_root, t);
  if (load<u8>(t.t_buf + t.t_len - 1) != 47) textByte(t, 47);
  textByte(t, 35);
  textU64(t, vp.v_fc.fc_attr.va_ino);
}

/** A place's path from the reader's root. */
function path(mp: Mount, ncp: Namecache, t: Text): void {
  const end = scratchPath(1) + PATH_MAX;
  let n = placePath(
    curproc(),
    <u32>changetype<usize>(mp),
    <u32>changetype<usize>(ncp),
    end,
    PATH_MAX,
    true,
    scratchWord(4),
  );
  if (n == -EXDEV) {
    textLit(t, '(unreachable)');
    n = load<i32>(scratchWord(4));
  }
  // a path that cannot be told is longer than any that can be used
  if (n > 0) textBytes(t, end - n, n);
  else textByte(t, 63);
}

/** The text of a link: its length or an errno. */
export function placeLink(vp: Vnode, t: Text, cred: Ucred): i32 {
  const to = scratchPlace();
  const e = target(vp, to, cred);
  if (e != 0) return e;
  const named = changetype<usize>(to.pl_ncp) != 0;
  if (named) path(to.pl_mount, to.pl_ncp, t);
  else anonymous(to.pl_vp, to.pl_mount, t);
  const internal = !named && to.pl_mount.mnt_flag & MNTF_INTERNAL;
  const gone = named ? (to.pl_ncp.nc_flags & NCF_DESTROYED) != 0 : to.pl_vp.v_fc.fc_attr.va_nlink == 0;
  if (gone && !internal) textLit(t, ' (deleted)');
  return <i32>t.t_len;
}
