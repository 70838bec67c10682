/**
 * deadfs: what a vnode becomes when its file system was forcibly unmounted or its device revoked.
 * Every operation fails with EIO, save close, which succeeds.
 */
import { EIO } from '../../abi/errno';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/flags';
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
  setVopGetattr,
  setVopGetxattr,
  setVopIoctl,
  setVopListxattr,
  setVopLseek,
  setVopOpen,
  setVopPoll,
  setVopRead,
  setVopReaddir,
  setVopReadlink,
  setVopRemovexattr,
  setVopSetattr,
  setVopSetxattr,
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

function deadGetattr(fm: Fsmanage, vp: Vnode, vap: Vattr): i32 {
  return -EIO;
}
function deadIoctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  return -EIO;
}
/** Whoever polls must not wait for what will not come. */
function deadPoll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  return (events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)) | POLLERR | POLLHUP;
}
function deadGetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio): i32 {
  return -EIO;
}
function deadSetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32): i32 {
  return -EIO;
}
function deadListxattr(fm: Fsmanage, vp: Vnode, uio: Uio): i32 {
  return -EIO;
}
function deadRemovexattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32): i32 {
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
  setVopGetattr(fm, deadGetattr);
  setVopIoctl(fm, deadIoctl);
  setVopPoll(fm, deadPoll);
  setVopGetxattr(fm, deadGetxattr);
  setVopSetxattr(fm, deadSetxattr);
  setVopListxattr(fm, deadListxattr);
  setVopRemovexattr(fm, deadRemovexattr);
}
