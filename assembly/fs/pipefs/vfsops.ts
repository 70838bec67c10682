/**
 * pipefs: the internal mount of files without names. Its fifo vector serves anonymous pipes, its
 * first one the descriptors of change notification. It is made at boot, is in no list of mounts
 * and cannot be mounted by anybody else.
 */
import { EINVAL, ENOMEM, EOPNOTSUPP } from '../../abi/errno';
import { MS_STRICTATIME, S_IFDIR, S_IFIFO } from '../../abi/flags';
import { Roots, roots } from '../../kern/boot';
import { litCopy } from '../../kern/text';
import { curcred, Ucred } from '../../proc/cred';
import { attrBegin, attrEnd, FC_ATTRVALID, fscacheTouchCtime } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { Mount, mountCopyVectors, MNTF_INTERNAL, VFCF_NODEV, vfsFind, vfsRegister } from '../../vfs/mount';
import { scratchWord } from '../../vfs/scratch';
import { VA_CTIME, Vattr, vattrChange, vattrStamp } from '../../vfs/vattr';
import { mountMake } from '../../vfs/vfsmount';
import { VN_NOCACHE, Vnode, vnodeAlloc } from '../../vfs/vnode';
import { setVopSetattr } from '../../vfs/vop';
import { fifofsVector } from '../fifofs/vnops';
import { watchVector } from './watch';

const PIPEFS_MAGIC: u32 = 0x50495045;

/** A vnode without a name: its type (0 for what is no file), permission bits; null: no memory. */
export function anonVnode(fm: Fsmanage, type: u32, mode: u32): Vnode {
  const vp = vnodeAlloc(fm, type, 0);
  if (changetype<usize>(vp) == 0) return vp;
  const va = vp.v_fc.fc_attr;
  va.va_ino = ++roots().r_nextino;
  va.va_mode = type | mode;
  va.va_nlink = 1;
  va.va_dev = fm.fm_mount.mnt_dev;
  vattrStamp(va);
  vp.v_fc.fc_flags |= FC_ATTRVALID;
  vp.v_flag |= VN_NOCACHE;
  return vp;
}

/** The vnode of an anonymous pipe, owned by the caller's user; null: no memory. */
export function pipeVnode(): Vnode {
  const vp = anonVnode(changetype<Mount>(<usize>roots().r_pipemount).mnt_fifo, S_IFIFO, 0o600);
  if (changetype<usize>(vp) == 0) return vp;
  vp.v_fc.fc_attr.va_uid = curcred().cr_uid;
  vp.v_fc.fc_attr.va_gid = curcred().cr_gid;
  return vp;
}

function pipefsSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  if (vp.v_type != S_IFIFO) return -EOPNOTSUPP;
  const fc = vp.v_fc;
  attrBegin(fc);
  vattrChange(fc.fc_attr, vap);
  attrEnd(fc);
  if (vap.va_mask & VA_CTIME) fscacheTouchCtime(fc);
  return 0;
}

function pipefsMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  if ((mp.mnt_flag & MNTF_INTERNAL) == 0) return -EINVAL;
  setVopSetattr(mp.mnt_norm, pipefsSetattr);
  watchVector(mp.mnt_norm);
  mountCopyVectors(mp);
  fifofsVector(mp.mnt_fifo);
  const vp = anonVnode(mp.mnt_norm, S_IFDIR, 0o500);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  mp.mnt_rootvp = vp;
  return 0;
}

export function pipefsInit(): void {
  vfsRegister('pipefs', pipefsMount, VFCF_NODEV, PIPEFS_MAGIC);
}

/** Make the machine's one pipefs: 0 or an errno. Freed by machine_shutdown. */
export function pipefsStart(cred: Ucred): i32 {
  const name = scratchWord(9);
  const len = litCopy('pipefs', name);
  const out = changetype<usize>(roots()) + offsetof<Roots>('r_pipemount');
  return mountMake(vfsFind(name, len), MNTF_INTERNAL | MS_STRICTATIME, name, len, 0, 0, cred, changetype<Vnode>(<usize>0), out);
}
