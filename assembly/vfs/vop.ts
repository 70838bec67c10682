/**
 * The vnode and namespace operations: for each its number, its typed setter and its wrapper.
 *
 * A wrapper is one load of the slot, one call_indirect and one per-CPU count. All return 0 or a
 * negated errno, or a count >= 0 where the comment says so. Namespace operations (vop_n*) take a
 * locked Namecache entry and need no vnode; its directory is nc_parent's vnode, which the caller
 * has referenced. References: `vpp` receives a referenced vnode.
 */
import {
  VOP_ACCESS,
  VOP_ADVLOCK,
  VOP_ALLOCATE,
  VOP_CLOSE,
  VOP_COPYRANGE,
  VOP_FSYNC,
  VOP_GETATTR,
  VOP_GETPAGES,
  VOP_GETXATTR,
  VOP_INACTIVE,
  VOP_IOCTL,
  VOP_JUMP,
  VOP_LISTXATTR,
  VOP_LSEEK,
  VOP_NCREATE,
  VOP_NLINK,
  VOP_NLOOKUPDOTDOT,
  VOP_NMKDIR,
  VOP_NMKNOD,
  VOP_NREMOVE,
  VOP_NRENAME,
  VOP_NRESOLVE,
  VOP_NRMDIR,
  VOP_NSYMLINK,
  VOP_NTMPFILE,
  VOP_NWHITEOUT,
  VOP_OPEN,
  VOP_POLL,
  VOP_PUTPAGES,
  VOP_READ,
  VOP_READDIR,
  VOP_READLINK,
  VOP_RECLAIM,
  VOP_REMOVEXATTR,
  VOP_SETATTR,
  VOP_SETXATTR,
  VOP_STRATEGY,
  VOP_WRITE,
  VOP_WRITEATTR,
} from '../abi/vops';
import { CPU_VOPS, curcpu } from '../kern/cpu';
import { Ucred } from '../proc/cred';
import { File } from '../proc/file';
import { Uio } from '../vm/uio';
import { Fscache } from './fscache';
import { Fsmanage } from './fsmanage';
import { Namecache } from './namecache';
import { Place } from './place';
import { Readdir } from './readdir';
import { Vattr } from './vattr';
import { Vnode } from './vnode';

// @ts-ignore: decorator
@inline
function tally(op: u32): void {
  const p = changetype<usize>(curcpu) + CPU_VOPS + ((<usize>op) << 2);
  store<u32>(p, load<u32>(p) + 1);
}


export function setVopNresolve(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, cred: Ucred) => i32): void {
  fm.fm_nresolve = fn.index;
}
/** Find the name: set nc_vp (or leave it null: negative) by cacheSetVp. */
// @ts-ignore: decorator
@inline
export function vop_nresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  tally(VOP_NRESOLVE);
  return call_indirect<i32>(fm.fm_nresolve, fm, ncp, cred);
}

export function setVopNlookupdotdot(fm: Fsmanage, fn: (fm: Fsmanage, dvp: Vnode, vpp: usize, cred: Ucred) => i32): void {
  fm.fm_nlookupdotdot = fn.index;
}
/** The parent directory of dvp, referenced. */
// @ts-ignore: decorator
@inline
export function vop_nlookupdotdot(fm: Fsmanage, dvp: Vnode, vpp: usize, cred: Ucred): i32 {
  tally(VOP_NLOOKUPDOTDOT);
  return call_indirect<i32>(fm.fm_nlookupdotdot, fm, dvp, vpp, cred);
}

export function setVopNcreate(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize) => i32): void {
  fm.fm_ncreate = fn.index;
}
/** Make a regular file under a locked negative name. */
// @ts-ignore: decorator
@inline
export function vop_ncreate(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  tally(VOP_NCREATE);
  return call_indirect<i32>(fm.fm_ncreate, fm, ncp, vap, cred, vpp);
}

export function setVopNmkdir(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize) => i32): void {
  fm.fm_nmkdir = fn.index;
}
/** Make a directory. */
// @ts-ignore: decorator
@inline
export function vop_nmkdir(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  tally(VOP_NMKDIR);
  return call_indirect<i32>(fm.fm_nmkdir, fm, ncp, vap, cred, vpp);
}

export function setVopNmknod(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize) => i32): void {
  fm.fm_nmknod = fn.index;
}
/** Make a fifo, socket or device node (va_mode, va_rdev). */
// @ts-ignore: decorator
@inline
export function vop_nmknod(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  tally(VOP_NMKNOD);
  return call_indirect<i32>(fm.fm_nmknod, fm, ncp, vap, cred, vpp);
}

export function setVopNlink(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, vp: Vnode, cred: Ucred) => i32): void {
  fm.fm_nlink = fn.index;
}
/** Another name for vp. */
// @ts-ignore: decorator
@inline
export function vop_nlink(fm: Fsmanage, ncp: Namecache, vp: Vnode, cred: Ucred): i32 {
  tally(VOP_NLINK);
  return call_indirect<i32>(fm.fm_nlink, fm, ncp, vp, cred);
}

export function setVopNsymlink(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, target: usize, len: u32, vap: Vattr, cred: Ucred, vpp: usize) => i32): void {
  fm.fm_nsymlink = fn.index;
}
/** Make a symbolic link. */
// @ts-ignore: decorator
@inline
export function vop_nsymlink(fm: Fsmanage, ncp: Namecache, target: usize, len: u32, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  tally(VOP_NSYMLINK);
  return call_indirect<i32>(fm.fm_nsymlink, fm, ncp, target, len, vap, cred, vpp);
}

export function setVopNwhiteout(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, flags: u32, cred: Ucred) => i32): void {
  fm.fm_nwhiteout = fn.index;
}
/** Make (1) or remove (0) a whiteout. */
// @ts-ignore: decorator
@inline
export function vop_nwhiteout(fm: Fsmanage, ncp: Namecache, flags: u32, cred: Ucred): i32 {
  tally(VOP_NWHITEOUT);
  return call_indirect<i32>(fm.fm_nwhiteout, fm, ncp, flags, cred);
}

export function setVopNremove(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, cred: Ucred) => i32): void {
  fm.fm_nremove = fn.index;
}
/** Remove a locked positive name that is no directory. */
// @ts-ignore: decorator
@inline
export function vop_nremove(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  tally(VOP_NREMOVE);
  return call_indirect<i32>(fm.fm_nremove, fm, ncp, cred);
}

export function setVopNrmdir(fm: Fsmanage, fn: (fm: Fsmanage, ncp: Namecache, cred: Ucred) => i32): void {
  fm.fm_nrmdir = fn.index;
}
/** Remove an empty directory. */
// @ts-ignore: decorator
@inline
export function vop_nrmdir(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  tally(VOP_NRMDIR);
  return call_indirect<i32>(fm.fm_nrmdir, fm, ncp, cred);
}

export function setVopNrename(fm: Fsmanage, fn: (fm: Fsmanage, fncp: Namecache, tncp: Namecache, flags: u32, cred: Ucred) => i32): void {
  fm.fm_nrename = fn.index;
}
/** Move fncp over tncp (which may be negative); RENAME_EXCHANGE swaps them. */
// @ts-ignore: decorator
@inline
export function vop_nrename(fm: Fsmanage, fncp: Namecache, tncp: Namecache, flags: u32, cred: Ucred): i32 {
  tally(VOP_NRENAME);
  return call_indirect<i32>(fm.fm_nrename, fm, fncp, tncp, flags, cred);
}

export function setVopNtmpfile(fm: Fsmanage, fn: (fm: Fsmanage, dvp: Vnode, vap: Vattr, cred: Ucred, vpp: usize) => i32): void {
  fm.fm_ntmpfile = fn.index;
}
/** A file without a name (O_TMPFILE). */
// @ts-ignore: decorator
@inline
export function vop_ntmpfile(fm: Fsmanage, dvp: Vnode, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  tally(VOP_NTMPFILE);
  return call_indirect<i32>(fm.fm_ntmpfile, fm, dvp, vap, cred, vpp);
}

export function setVopOpen(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred) => i32): void {
  fm.fm_open = fn.index;
}
/** A File is being opened on vp. */
// @ts-ignore: decorator
@inline
export function vop_open(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  tally(VOP_OPEN);
  return call_indirect<i32>(fm.fm_open, fm, vp, fp, flags, cred);
}

export function setVopClose(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, fp: File) => i32): void {
  fm.fm_close = fn.index;
}
/** The last reference of a File went. */
// @ts-ignore: decorator
@inline
export function vop_close(fm: Fsmanage, vp: Vnode, fp: File): i32 {
  tally(VOP_CLOSE);
  return call_indirect<i32>(fm.fm_close, fm, vp, fp);
}

export function setVopAccess(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, mode: u32, cred: Ucred) => i32): void {
  fm.fm_access = fn.index;
}
/** May cred do R_OK|W_OK|X_OK? */
// @ts-ignore: decorator
@inline
export function vop_access(fm: Fsmanage, vp: Vnode, mode: u32, cred: Ucred): i32 {
  tally(VOP_ACCESS);
  return call_indirect<i32>(fm.fm_access, fm, vp, mode, cred);
}

export function setVopGetattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, vap: Vattr) => i32): void {
  fm.fm_getattr = fn.index;
}
/** Fill vap; only called when the fscache has no valid attributes. */
// @ts-ignore: decorator
@inline
export function vop_getattr(fm: Fsmanage, vp: Vnode, vap: Vattr): i32 {
  tally(VOP_GETATTR);
  return call_indirect<i32>(fm.fm_getattr, fm, vp, vap);
}

export function setVopSetattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred) => i32): void {
  fm.fm_setattr = fn.index;
}
/** Change what va_mask says. The caller has checked permission. */
// @ts-ignore: decorator
@inline
export function vop_setattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  tally(VOP_SETATTR);
  return call_indirect<i32>(fm.fm_setattr, fm, vp, vap, cred);
}

export function setVopRead(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred) => i32): void {
  fm.fm_read = fn.index;
}
/** Read at uio_off. */
// @ts-ignore: decorator
@inline
export function vop_read(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  tally(VOP_READ);
  return call_indirect<i32>(fm.fm_read, fm, vp, uio, ioflag, cred);
}

export function setVopWrite(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred) => i32): void {
  fm.fm_write = fn.index;
}
/** Write at uio_off, or at the end with IO_APPEND. */
// @ts-ignore: decorator
@inline
export function vop_write(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  tally(VOP_WRITE);
  return call_indirect<i32>(fm.fm_write, fm, vp, uio, ioflag, cred);
}

export function setVopReaddir(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, rd: Readdir) => i32): void {
  fm.fm_readdir = fn.index;
}
/** Add entries from rd_cookie on with readdirAdd until it says full. */
// @ts-ignore: decorator
@inline
export function vop_readdir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  tally(VOP_READDIR);
  return call_indirect<i32>(fm.fm_readdir, fm, vp, rd);
}

export function setVopReadlink(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, buf: usize, cap: u32) => i32): void {
  fm.fm_readlink = fn.index;
}
/** The target into buf; returns its length. */
// @ts-ignore: decorator
@inline
export function vop_readlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  tally(VOP_READLINK);
  return call_indirect<i32>(fm.fm_readlink, fm, vp, buf, cap);
}

export function setVopIoctl(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32) => i32): void {
  fm.fm_ioctl = fn.index;
}
/** Device control. */
// @ts-ignore: decorator
@inline
export function vop_ioctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  tally(VOP_IOCTL);
  return call_indirect<i32>(fm.fm_ioctl, fm, vp, fp, cmd, space, addr);
}

export function setVopPoll(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, fp: File, events: u32) => i32): void {
  fm.fm_poll = fn.index;
}
/** Which of the events (POLL*) are ready now. */
// @ts-ignore: decorator
@inline
export function vop_poll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  tally(VOP_POLL);
  return call_indirect<i32>(fm.fm_poll, fm, vp, fp, events);
}

export function setVopLseek(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, whence: u32, offp: usize) => i32): void {
  fm.fm_lseek = fn.index;
}
/** SEEK_DATA and SEEK_HOLE on the i64 at offp. */
// @ts-ignore: decorator
@inline
export function vop_lseek(fm: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  tally(VOP_LSEEK);
  return call_indirect<i32>(fm.fm_lseek, fm, vp, whence, offp);
}

export function setVopFsync(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, flags: u32) => i32): void {
  fm.fm_fsync = fn.index;
}
/** Make data (and, without FSYNC_DATA, all attributes) durable. */
// @ts-ignore: decorator
@inline
export function vop_fsync(fm: Fsmanage, vp: Vnode, flags: u32): i32 {
  tally(VOP_FSYNC);
  return call_indirect<i32>(fm.fm_fsync, fm, vp, flags);
}

export function setVopAllocate(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64) => i32): void {
  fm.fm_allocate = fn.index;
}
/** fallocate(2). */
// @ts-ignore: decorator
@inline
export function vop_allocate(fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64): i32 {
  tally(VOP_ALLOCATE);
  return call_indirect<i32>(fm.fm_allocate, fm, vp, mode, off, len);
}

export function setVopAdvlock(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, req: usize) => i32): void {
  fm.fm_advlock = fn.index;
}
/** Advisory lock request, for file systems that keep locks elsewhere. */
// @ts-ignore: decorator
@inline
export function vop_advlock(fm: Fsmanage, vp: Vnode, req: usize): i32 {
  tally(VOP_ADVLOCK);
  return call_indirect<i32>(fm.fm_advlock, fm, vp, req);
}

export function setVopGetpages(fm: Fsmanage, fn: (fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32) => i32): void {
  fm.fm_getpages = fn.index;
}
/** Bring pages in; GP_WRITE: make them where there are none. */
// @ts-ignore: decorator
@inline
export function vop_getpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  tally(VOP_GETPAGES);
  return call_indirect<i32>(fm.fm_getpages, fm, fc, index, count, flags);
}

export function setVopPutpages(fm: Fsmanage, fn: (fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32) => i32): void {
  fm.fm_putpages = fn.index;
}
/** Write dirty pages of the range back; GP_FREE: they are being dropped. */
// @ts-ignore: decorator
@inline
export function vop_putpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  tally(VOP_PUTPAGES);
  return call_indirect<i32>(fm.fm_putpages, fm, fc, index, count, flags);
}

export function setVopInactive(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode) => i32): void {
  fm.fm_inactive = fn.index;
}
/** The last reference went; an unlinked file may be freed. */
// @ts-ignore: decorator
@inline
export function vop_inactive(fm: Fsmanage, vp: Vnode): i32 {
  tally(VOP_INACTIVE);
  return call_indirect<i32>(fm.fm_inactive, fm, vp);
}

export function setVopReclaim(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode) => i32): void {
  fm.fm_reclaim = fn.index;
}
/** Let go of v_data: the vnode is about to be another. */
// @ts-ignore: decorator
@inline
export function vop_reclaim(fm: Fsmanage, vp: Vnode): i32 {
  tally(VOP_RECLAIM);
  return call_indirect<i32>(fm.fm_reclaim, fm, vp);
}

export function setVopGetxattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio) => i32): void {
  fm.fm_getxattr = fn.index;
}
/** Value into uio (uio_resid 0: nothing moves); returns its size. */
// @ts-ignore: decorator
@inline
export function vop_getxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio): i32 {
  tally(VOP_GETXATTR);
  return call_indirect<i32>(fm.fm_getxattr, fm, vp, name, namelen, uio);
}

export function setVopSetxattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32) => i32): void {
  fm.fm_setxattr = fn.index;
}
/** Set from uio. */
// @ts-ignore: decorator
@inline
export function vop_setxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32): i32 {
  tally(VOP_SETXATTR);
  return call_indirect<i32>(fm.fm_setxattr, fm, vp, name, namelen, uio, xflags);
}

export function setVopListxattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, uio: Uio) => i32): void {
  fm.fm_listxattr = fn.index;
}
/** Names, each with its NUL; returns the size of all. */
// @ts-ignore: decorator
@inline
export function vop_listxattr(fm: Fsmanage, vp: Vnode, uio: Uio): i32 {
  tally(VOP_LISTXATTR);
  return call_indirect<i32>(fm.fm_listxattr, fm, vp, uio);
}

export function setVopRemovexattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, name: usize, namelen: u32) => i32): void {
  fm.fm_removexattr = fn.index;
}
/** Remove one. */
// @ts-ignore: decorator
@inline
export function vop_removexattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32): i32 {
  tally(VOP_REMOVEXATTR);
  return call_indirect<i32>(fm.fm_removexattr, fm, vp, name, namelen);
}

export function setVopStrategy(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, bio: usize) => i32): void {
  fm.fm_strategy = fn.index;
}
/** Start a Bio on a device. */
// @ts-ignore: decorator
@inline
export function vop_strategy(fm: Fsmanage, vp: Vnode, bio: usize): i32 {
  tally(VOP_STRATEGY);
  return call_indirect<i32>(fm.fm_strategy, fm, vp, bio);
}

export function setVopCopyrange(fm: Fsmanage, fn: (fm: Fsmanage, svp: Vnode, soff: i64, dvp: Vnode, doff: i64, len: u32) => i32): void {
  fm.fm_copyrange = fn.index;
}
/** Copy within the file system, sharing where it can; -EOPNOTSUPP: the caller copies. */
// @ts-ignore: decorator
@inline
export function vop_copyrange(fm: Fsmanage, svp: Vnode, soff: i64, dvp: Vnode, doff: i64, len: u32): i32 {
  tally(VOP_COPYRANGE);
  return call_indirect<i32>(fm.fm_copyrange, fm, svp, soff, dvp, doff, len);
}

export function setVopJump(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode, to: Place, cred: Ucred) => i32): void {
  fm.fm_jump = fn.index;
}
/** Where a magic link leads: the place it names, its parts referenced. */
// @ts-ignore: decorator
@inline
export function vop_jump(fm: Fsmanage, vp: Vnode, to: Place, cred: Ucred): i32 {
  tally(VOP_JUMP);
  return call_indirect<i32>(fm.fm_jump, fm, vp, to, cred);
}

export function setVopWriteattr(fm: Fsmanage, fn: (fm: Fsmanage, vp: Vnode) => i32): void {
  fm.fm_writeattr = fn.index;
}
/** Write-back: store the attributes (FC_ATTRDIRTY) and say so with fscacheAttrClean. Nothing is locked. */
// @ts-ignore: decorator
@inline
export function vop_writeattr(fm: Fsmanage, vp: Vnode): i32 {
  tally(VOP_WRITEATTR);
  return call_indirect<i32>(fm.fm_writeattr, fm, vp);
}

/** The operation's name, for /proc/trace and counts. */
export function vopName(op: u32): string {
  if (op <= VOP_NTMPFILE) return nameOpName(op);
  switch (op) {
    case VOP_OPEN:
      return 'open';
    case VOP_CLOSE:
      return 'close';
    case VOP_ACCESS:
      return 'access';
    case VOP_GETATTR:
      return 'getattr';
    case VOP_SETATTR:
      return 'setattr';
    case VOP_READ:
      return 'read';
    case VOP_WRITE:
      return 'write';
    case VOP_READDIR:
      return 'readdir';
    case VOP_READLINK:
      return 'readlink';
    case VOP_IOCTL:
      return 'ioctl';
    case VOP_POLL:
      return 'poll';
    case VOP_LSEEK:
      return 'lseek';
    case VOP_FSYNC:
      return 'fsync';
    case VOP_ALLOCATE:
      return 'allocate';
    case VOP_ADVLOCK:
      return 'advlock';
    case VOP_GETPAGES:
      return 'getpages';
    case VOP_PUTPAGES:
      return 'putpages';
    case VOP_INACTIVE:
      return 'inactive';
    case VOP_RECLAIM:
      return 'reclaim';
    case VOP_GETXATTR:
      return 'getxattr';
    case VOP_SETXATTR:
      return 'setxattr';
    case VOP_LISTXATTR:
      return 'listxattr';
    case VOP_REMOVEXATTR:
      return 'removexattr';
    case VOP_STRATEGY:
      return 'strategy';
    case VOP_JUMP:
      return 'jump';
    case VOP_WRITEATTR:
      return 'writeattr';
    default:
      return 'copyrange';
  }
}

function nameOpName(op: u32): string {
  switch (op) {
    case VOP_NRESOLVE:
      return 'nresolve';
    case VOP_NLOOKUPDOTDOT:
      return 'nlookupdotdot';
    case VOP_NCREATE:
      return 'ncreate';
    case VOP_NMKDIR:
      return 'nmkdir';
    case VOP_NMKNOD:
      return 'nmknod';
    case VOP_NLINK:
      return 'nlink';
    case VOP_NSYMLINK:
      return 'nsymlink';
    case VOP_NWHITEOUT:
      return 'nwhiteout';
    case VOP_NREMOVE:
      return 'nremove';
    case VOP_NRMDIR:
      return 'nrmdir';
    case VOP_NRENAME:
      return 'nrename';
    default:
      return 'ntmpfile';
  }
}
