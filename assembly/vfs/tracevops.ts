/**
 * The tracer's functions, one for each operation: note the time, go on to what is below, record.
 * The arguments of traceEnd are evaluated in order, so the clock is read just before the call, and
 * the inode number while there still is an inode.
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
import { Ucred } from '../proc/cred';
import { File } from '../proc/file';
import { Uio } from '../vm/uio';
import { Fscache } from './fscache';
import { Fsmanage } from './fsmanage';
import { Namecache } from './namecache';
import { Place } from './place';
import { Readdir } from './readdir';
import { dirOf, inoOf, traceEnd, traceNext, traceStart } from './trace';
import { Vattr } from './vattr';
import { Vnode } from './vnode';
import {
  setVopAccess,
  setVopAdvlock,
  setVopAllocate,
  setVopClose,
  setVopCopyrange,
  setVopFsync,
  setVopGetattr,
  setVopGetpages,
  setVopGetxattr,
  setVopInactive,
  setVopIoctl,
  setVopJump,
  setVopListxattr,
  setVopLseek,
  setVopNcreate,
  setVopNlink,
  setVopNlookupdotdot,
  setVopNmkdir,
  setVopNmknod,
  setVopNremove,
  setVopNrename,
  setVopNresolve,
  setVopNrmdir,
  setVopNsymlink,
  setVopNtmpfile,
  setVopNwhiteout,
  setVopOpen,
  setVopPoll,
  setVopPutpages,
  setVopRead,
  setVopReaddir,
  setVopReadlink,
  setVopReclaim,
  setVopRemovexattr,
  setVopSetattr,
  setVopSetxattr,
  setVopStrategy,
  setVopWrite,
  setVopWriteattr,
} from './vop';

function traceNresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NRESOLVE, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NRESOLVE), fm, ncp, cred));
}

function traceNlookupdotdot(fm: Fsmanage, dvp: Vnode, vpp: usize, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NLOOKUPDOTDOT, inoOf(dvp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_NLOOKUPDOTDOT), fm, dvp, vpp, cred));
}

function traceNcreate(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return traceEnd(fm, VOP_NCREATE, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NCREATE), fm, ncp, vap, cred, vpp));
}

function traceNmkdir(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return traceEnd(fm, VOP_NMKDIR, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NMKDIR), fm, ncp, vap, cred, vpp));
}

function traceNmknod(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return traceEnd(fm, VOP_NMKNOD, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NMKNOD), fm, ncp, vap, cred, vpp));
}

function traceNlink(fm: Fsmanage, ncp: Namecache, vp: Vnode, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NLINK, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NLINK), fm, ncp, vp, cred));
}

function traceNsymlink(fm: Fsmanage, ncp: Namecache, target: usize, len: u32, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return traceEnd(fm, VOP_NSYMLINK, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NSYMLINK), fm, ncp, target, len, vap, cred, vpp));
}

function traceNwhiteout(fm: Fsmanage, ncp: Namecache, flags: u32, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NWHITEOUT, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NWHITEOUT), fm, ncp, flags, cred));
}

function traceNremove(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NREMOVE, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NREMOVE), fm, ncp, cred));
}

function traceNrmdir(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NRMDIR, dirOf(ncp), changetype<usize>(ncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NRMDIR), fm, ncp, cred));
}

function traceNrename(fm: Fsmanage, fncp: Namecache, tncp: Namecache, flags: u32, cred: Ucred): i32 {
  return traceEnd(fm, VOP_NRENAME, dirOf(fncp), changetype<usize>(fncp), traceStart(), call_indirect<i32>(traceNext(fm, VOP_NRENAME), fm, fncp, tncp, flags, cred));
}

function traceNtmpfile(fm: Fsmanage, dvp: Vnode, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return traceEnd(fm, VOP_NTMPFILE, inoOf(dvp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_NTMPFILE), fm, dvp, vap, cred, vpp));
}

function traceOpen(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  return traceEnd(fm, VOP_OPEN, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_OPEN), fm, vp, fp, flags, cred));
}

function traceClose(fm: Fsmanage, vp: Vnode, fp: File): i32 {
  return traceEnd(fm, VOP_CLOSE, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_CLOSE), fm, vp, fp));
}

function traceAccess(fm: Fsmanage, vp: Vnode, mode: u32, cred: Ucred): i32 {
  return traceEnd(fm, VOP_ACCESS, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_ACCESS), fm, vp, mode, cred));
}

function traceGetattr(fm: Fsmanage, vp: Vnode, vap: Vattr): i32 {
  return traceEnd(fm, VOP_GETATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_GETATTR), fm, vp, vap));
}

function traceSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  return traceEnd(fm, VOP_SETATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_SETATTR), fm, vp, vap, cred));
}

function traceRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  return traceEnd(fm, VOP_READ, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_READ), fm, vp, uio, ioflag, cred));
}

function traceWrite(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  return traceEnd(fm, VOP_WRITE, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_WRITE), fm, vp, uio, ioflag, cred));
}

function traceReaddir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  return traceEnd(fm, VOP_READDIR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_READDIR), fm, vp, rd));
}

function traceReadlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  return traceEnd(fm, VOP_READLINK, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_READLINK), fm, vp, buf, cap));
}

function traceIoctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  return traceEnd(fm, VOP_IOCTL, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_IOCTL), fm, vp, fp, cmd, space, addr));
}

function tracePoll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  return traceEnd(fm, VOP_POLL, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_POLL), fm, vp, fp, events));
}

function traceLseek(fm: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  return traceEnd(fm, VOP_LSEEK, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_LSEEK), fm, vp, whence, offp));
}

function traceFsync(fm: Fsmanage, vp: Vnode, flags: u32): i32 {
  return traceEnd(fm, VOP_FSYNC, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_FSYNC), fm, vp, flags));
}

function traceAllocate(fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64): i32 {
  return traceEnd(fm, VOP_ALLOCATE, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_ALLOCATE), fm, vp, mode, off, len));
}

function traceAdvlock(fm: Fsmanage, vp: Vnode, req: usize): i32 {
  return traceEnd(fm, VOP_ADVLOCK, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_ADVLOCK), fm, vp, req));
}

function traceGetpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  return traceEnd(fm, VOP_GETPAGES, fc.fc_attr.va_ino, 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_GETPAGES), fm, fc, index, count, flags));
}

function tracePutpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  return traceEnd(fm, VOP_PUTPAGES, fc.fc_attr.va_ino, 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_PUTPAGES), fm, fc, index, count, flags));
}

function traceInactive(fm: Fsmanage, vp: Vnode): i32 {
  return traceEnd(fm, VOP_INACTIVE, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_INACTIVE), fm, vp));
}

function traceReclaim(fm: Fsmanage, vp: Vnode): i32 {
  return traceEnd(fm, VOP_RECLAIM, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_RECLAIM), fm, vp));
}

function traceGetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio): i32 {
  return traceEnd(fm, VOP_GETXATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_GETXATTR), fm, vp, name, namelen, uio));
}

function traceSetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32): i32 {
  return traceEnd(fm, VOP_SETXATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_SETXATTR), fm, vp, name, namelen, uio, xflags));
}

function traceListxattr(fm: Fsmanage, vp: Vnode, uio: Uio): i32 {
  return traceEnd(fm, VOP_LISTXATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_LISTXATTR), fm, vp, uio));
}

function traceRemovexattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32): i32 {
  return traceEnd(fm, VOP_REMOVEXATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_REMOVEXATTR), fm, vp, name, namelen));
}

function traceStrategy(fm: Fsmanage, vp: Vnode, bio: usize): i32 {
  return traceEnd(fm, VOP_STRATEGY, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_STRATEGY), fm, vp, bio));
}

function traceCopyrange(fm: Fsmanage, svp: Vnode, soff: i64, dvp: Vnode, doff: i64, len: u32): i32 {
  return traceEnd(fm, VOP_COPYRANGE, inoOf(svp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_COPYRANGE), fm, svp, soff, dvp, doff, len));
}

function traceJump(fm: Fsmanage, vp: Vnode, to: Place, cred: Ucred): i32 {
  return traceEnd(fm, VOP_JUMP, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_JUMP), fm, vp, to, cred));
}

function traceWriteattr(fm: Fsmanage, vp: Vnode): i32 {
  return traceEnd(fm, VOP_WRITEATTR, inoOf(vp), 0, traceStart(), call_indirect<i32>(traceNext(fm, VOP_WRITEATTR), fm, vp));
}

/** Put all of them in a vector. */
export function traceVector(fm: Fsmanage): void {
  setVopNresolve(fm, traceNresolve);
  setVopNlookupdotdot(fm, traceNlookupdotdot);
  setVopNcreate(fm, traceNcreate);
  setVopNmkdir(fm, traceNmkdir);
  setVopNmknod(fm, traceNmknod);
  setVopNlink(fm, traceNlink);
  setVopNsymlink(fm, traceNsymlink);
  setVopNwhiteout(fm, traceNwhiteout);
  setVopNremove(fm, traceNremove);
  setVopNrmdir(fm, traceNrmdir);
  setVopNrename(fm, traceNrename);
  setVopNtmpfile(fm, traceNtmpfile);
  setVopOpen(fm, traceOpen);
  setVopClose(fm, traceClose);
  setVopAccess(fm, traceAccess);
  setVopGetattr(fm, traceGetattr);
  setVopSetattr(fm, traceSetattr);
  setVopRead(fm, traceRead);
  setVopWrite(fm, traceWrite);
  setVopReaddir(fm, traceReaddir);
  setVopReadlink(fm, traceReadlink);
  setVopIoctl(fm, traceIoctl);
  setVopPoll(fm, tracePoll);
  setVopLseek(fm, traceLseek);
  setVopFsync(fm, traceFsync);
  setVopAllocate(fm, traceAllocate);
  setVopAdvlock(fm, traceAdvlock);
  setVopGetpages(fm, traceGetpages);
  setVopPutpages(fm, tracePutpages);
  setVopInactive(fm, traceInactive);
  setVopReclaim(fm, traceReclaim);
  setVopGetxattr(fm, traceGetxattr);
  setVopSetxattr(fm, traceSetxattr);
  setVopListxattr(fm, traceListxattr);
  setVopRemovexattr(fm, traceRemovexattr);
  setVopStrategy(fm, traceStrategy);
  setVopCopyrange(fm, traceCopyrange);
  setVopJump(fm, traceJump);
  setVopWriteattr(fm, traceWriteattr);
}
