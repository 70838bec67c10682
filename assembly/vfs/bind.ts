/**
 * Bind mounts: another place for a part of a mount's tree, with flags of its own. They share the
 * names and vnodes of what they show; whichever bind mounts lie between, mnt_lower is the mount
 * whose names they are.
 */
import { EBUSY, EINVAL, ENOENT, ENOMEM, ENOTDIR } from '../abi/errno';
import { MS_RDONLY, MS_REC, S_IFDIR } from '../abi/flags';
import { roots } from '../kern/boot';
import { add32 } from '../kern/lock';
import {
  MNT_FLAGS,
  Mount,
  mountAlloc,
  mountReal,
  MNTF_BIND,
  MNTF_FSRDONLY,
  Vfsconf,
  vfs_remount,
  vfs_setro,
  vfs_sync,
} from './mount';
import { cacheRef, Namecache, NCF_DESTROYED } from './namecache';
import { cacheIsAncestor } from './nametree';
import { detachTree, mountAttach, mountSetOpts, mountSweep } from './vfsmount';
import { Vnode, vnodeRef } from './vnode';

/** A mount that shows (source, ncp), whose vnode is vp, on no list; null: no memory. */
function bindMake(source: Mount, ncp: Namecache, vp: Vnode, flags: u32): Mount {
  const real = mountReal(source);
  const mp = mountAlloc(changetype<Vfsconf>(<usize>real.mnt_conf), flags | MNTF_BIND | (real.mnt_flag & MNTF_FSRDONLY));
  if (changetype<usize>(mp) == 0) return mp;
  mp.mnt_lower = real;
  mp.mnt_dev = real.mnt_dev;
  mp.mnt_op_statfs = real.mnt_op_statfs;
  mp.mnt_op_sync = real.mnt_op_sync;
  mp.mnt_op_vget = real.mnt_op_vget;
  mp.mnt_data = real.mnt_data;
  add32(changetype<usize>(real) + offsetof<Mount>('mnt_binds'), 1);
  cacheRef(ncp);
  vnodeRef(vp);
  mp.mnt_root = ncp;
  mp.mnt_rootvp = vp;
  return mp;
}

/**
 * Show (source, ncp) at (target, tncp); with MS_REC also what is mounted below ncp. Flags of the
 * source mount hold for the new one too. 0, -ENOTDIR (a directory over a file or the other way
 * round), -ENOENT (a name that was removed), -ENOMEM.
 */
export function bindMount(source: Mount, ncp: Namecache, vp: Vnode, target: Mount, tncp: Namecache, tvp: Vnode, flags: u32): i32 {
  if ((vp.v_type == S_IFDIR) != (tvp.v_type == S_IFDIR)) return -ENOTDIR;
  if ((ncp.nc_flags | tncp.nc_flags) & NCF_DESTROYED) return -ENOENT;
  let last = changetype<Mount>(<usize>roots().r_mounts);
  while (last.mnt_next != 0) last = changetype<Mount>(<usize>last.mnt_next);
  const top = bindMake(source, ncp, vp, (source.mnt_flag | flags) & MNT_FLAGS);
  if (changetype<usize>(top) == 0) return -ENOMEM;
  mountAttach(top, target, tncp);
  if ((flags & MS_REC) == 0) return 0;
  const e = bindBelow(source, ncp, top, last);
  if (e != 0) {
    detachTree(top);
    mountSweep();
  }
  return e;
}

/** Copy the mounts below (source, ncp), of those that were there up to `last`, below `top`. */
function bindBelow(source: Mount, ncp: Namecache, top: Mount, last: Mount): i32 {
  let e: i32 = 0;
  source.mnt_clone = <u32>changetype<usize>(top);
  for (let p = roots().r_mounts; p != 0 && e == 0; p = changetype<Mount>(<usize>p).mnt_next) {
    const m = changetype<Mount>(<usize>p);
    const parent = m.mnt_parent;
    if (changetype<usize>(parent) != 0 && parent.mnt_clone != 0 && isBelow(source, ncp, m)) {
      const copy = bindMake(m, m.mnt_root, m.mnt_rootvp, m.mnt_flag & MNT_FLAGS);
      if (changetype<usize>(copy) == 0) e = -ENOMEM;
      else {
        mountAttach(copy, changetype<Mount>(<usize>parent.mnt_clone), m.mnt_covered);
        m.mnt_clone = <u32>changetype<usize>(copy);
      }
    }
    if (changetype<usize>(m) == changetype<usize>(last)) break;
  }
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    changetype<Mount>(<usize>p).mnt_clone = 0;
  }
  return e;
}

/** Does m, on a mount that is being copied, lie in the part that is? */
function isBelow(source: Mount, ncp: Namecache, m: Mount): bool {
  return changetype<usize>(m.mnt_parent) != changetype<usize>(source) || cacheIsAncestor(ncp, m.mnt_covered);
}

// ── remounting ───────────────────────────────────────────────────────────────────────────────

/** Other flags for this mount alone (MS_REMOUNT | MS_BIND): 0, or -EBUSY with files open for writing. */
export function remountPlace(mp: Mount, flags: u32): i32 {
  if (flags & MS_RDONLY && (mp.mnt_flag & MS_RDONLY) == 0 && mp.mnt_writers != 0) return -EBUSY;
  mp.mnt_flag = (mp.mnt_flag & ~MNT_FLAGS) | (flags & MNT_FLAGS);
  return 0;
}

/**
 * Other flags and options for a file system (MS_REMOUNT), wherever it is shown, and for this mount
 * of it. 0, -EBUSY, or the file system's errno; then nothing has changed.
 */
export function remountAll(mp: Mount, flags: u32, opts: usize, optslen: u32): i32 {
  const real = mountReal(mp);
  const readOnly = (flags & MS_RDONLY) != 0;
  if (readOnly && (real.mnt_flag & MNTF_FSRDONLY) == 0 && hasWriters(real)) return -EBUSY;
  if (optslen != 0) {
    if (real.mnt_op_remount == 0) return -EINVAL;
    const e = vfs_remount(real, opts, optslen);
    if (e != 0) return e;
  }
  if (readOnly != ((real.mnt_flag & MNTF_FSRDONLY) != 0)) {
    // files that were written and closed: nothing of them can be written afterwards
    const s = readOnly ? vfs_sync(real) : 0;
    if (s != 0) return s;
    const e = vfs_setro(real, readOnly);
    if (e != 0) return e;
  }
  if (optslen != 0) mountSetOpts(real, opts, optslen);
  setReadOnly(real, readOnly);
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) setIfBindOf(p, real, readOnly);
  for (let p = roots().r_lingering; p != 0; p = changetype<Mount>(<usize>p).mnt_next) setIfBindOf(p, real, readOnly);
  mp.mnt_flag = (mp.mnt_flag & ~MNT_FLAGS) | (flags & MNT_FLAGS);
  return 0;
}

function setReadOnly(mp: Mount, readOnly: bool): void {
  mp.mnt_flag = (mp.mnt_flag & ~MNTF_FSRDONLY) | (readOnly ? MNTF_FSRDONLY : 0);
}

function setIfBindOf(p: u32, real: Mount, readOnly: bool): void {
  const m = changetype<Mount>(<usize>p);
  if (changetype<usize>(mountReal(m)) == changetype<usize>(real)) setReadOnly(m, readOnly);
}

/** Is a regular file of this file system open for writing, through whichever mount? */
function hasWriters(real: Mount): bool {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) if (writesTo(p, real)) return true;
  for (let p = roots().r_lingering; p != 0; p = changetype<Mount>(<usize>p).mnt_next) if (writesTo(p, real)) return true;
  return false;
}

function writesTo(p: u32, real: Mount): bool {
  const m = changetype<Mount>(<usize>p);
  return m.mnt_writers != 0 && changetype<usize>(mountReal(m)) == changetype<usize>(real);
}
