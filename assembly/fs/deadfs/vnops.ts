/**
 * deadfs: what a vnode becomes when its file system was forcibly unmounted or its device revoked.
 * Every operation fails with EIO, save close, which succeeds.
 */
import { EIO } from '../../abi/errno';
import { roots } from '../../kern/boot';
import { Ucred } from '../../proc/cred';
import { File } from '../../proc/file';
import { Fsmanage } from '../../vfs/fsmanage';
import { Mount, mountAlloc, Vfsconf, vfsRegister, VFCF_NODEV } from '../../vfs/mount';
import { Readdir } from '../../vfs/readdir';
import { Vattr } from '../../vfs/vattr';
import { Vnode } from '../../vfs/vnode';
import {
  setVopAllocate,
  setVopFsync,
  setVopLseek,
  setVopOpen,
  setVopRead,
  setVopReaddir,
  setVopReadlink,
  setVopSetattr,
  setVopWrite,
} from '../../vfs/vop';
import { Uio } from '../../vm/uio';

function deadOpen(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  return -EIO;
}
function deadSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  return -EIO;
}
function deadRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  return -EIO;
}
function deadReaddir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  return -EIO;
}
function deadReadlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  return -EIO;
}
function deadLseek(fm: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  return -EIO;
}
function deadFsync(fm: Fsmanage, vp: Vnode, flags: u32): i32 {
  return -EIO;
}
function deadAllocate(fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64): i32 {
  return -EIO;
}

function deadMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  return -EIO;
}

/** The machine's one dead mount: on no list, never freed. */
export function deadfsInit(): void {
  const conf: Vfsconf = vfsRegister('deadfs', deadMount, VFCF_NODEV, 0);
  const mp = mountAlloc(conf, 0);
  roots().r_deadmount = <u32>changetype<usize>(mp);
  const fm = mp.mnt_norm;
  setVopOpen(fm, deadOpen);
  setVopSetattr(fm, deadSetattr);
  setVopRead(fm, deadRead);
  setVopWrite(fm, deadRead);
  setVopReaddir(fm, deadReaddir);
  setVopReadlink(fm, deadReadlink);
  setVopLseek(fm, deadLseek);
  setVopFsync(fm, deadFsync);
  setVopAllocate(fm, deadAllocate);
}
