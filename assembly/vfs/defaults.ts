/**
 * Default operations: what a slot does that a file system left unset. Namespace operations say
 * -EROFS or -EOPNOTSUPP; data operations are the generic ones over the fscache, which is all that
 * a memory file system needs.
 */
import { EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTTY, ENXIO, EOPNOTSUPP, EPERM } from '../abi/errno';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, S_IFDIR, S_IFREG, SEEK_DATA } from '../abi/flags';
import { Ucred } from '../proc/cred';
import { File } from '../proc/file';
import { curproc } from '../proc/proc';
import { Uio } from '../vm/uio';
import { attrAccess } from './access';
import { advlockLocal, LockReq } from './advlock';
import { fscacheAttrClean } from './dirty';
import {
  Fscache,
  fscacheAddPage,
  fscacheRead,
  fscacheSeekData,
  fscacheSeekHole,
  fscacheTouch,
  fscacheWrite,
  GP_HOLE,
  GP_WRITE,
} from './fscache';
import { Fsmanage } from './fsmanage';
import { Namecache } from './namecache';
import { Place } from './place';
import { Readdir } from './readdir';
import { RANGE_END, rangeExclusive, rangeRelease, rangeShared } from './rangelock';
import { Vattr, vattrCopy } from './vattr';
import { Vnode } from './vnode';
import {
  setVopAccess,
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
  setVopAdvlock,
} from './vop';
import { uioLimitFsize } from './limits';

/** ioflag of VOP_READ and VOP_WRITE. */
export const IO_APPEND: u32 = 1;
export const IO_NONBLOCK: u32 = 2;
export const IO_SYNC: u32 = 4;

function defNresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  return -ENOTDIR;
}
function defNlookupdotdot(fm: Fsmanage, dvp: Vnode, vpp: usize, cred: Ucred): i32 {
  return -ENOENT;
}
function defNcreate(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return -EPERM;
}
function defNlink(fm: Fsmanage, ncp: Namecache, vp: Vnode, cred: Ucred): i32 {
  return -EPERM;
}
function defNsymlink(
  fm: Fsmanage,
  ncp: Namecache,
  target: usize,
  len: u32,
  vap: Vattr,
  cred: Ucred,
  vpp: usize,
): i32 {
  return -EPERM;
}
function defNwhiteout(fm: Fsmanage, ncp: Namecache, flags: u32, cred: Ucred): i32 {
  return -EOPNOTSUPP;
}
function defNremove(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  return -EPERM;
}
function defNrename(fm: Fsmanage, fncp: Namecache, tncp: Namecache, flags: u32, cred: Ucred): i32 {
  return -EPERM;
}
function defNtmpfile(fm: Fsmanage, dvp: Vnode, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return -EOPNOTSUPP;
}
function defOpen(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  return 0;
}
function defClose(fm: Fsmanage, vp: Vnode, fp: File): i32 {
  return 0;
}
function defAccess(fm: Fsmanage, vp: Vnode, mode: u32, cred: Ucred): i32 {
  return attrAccess(vp.v_fc.fc_attr, mode, cred);
}
function defGetattr(fm: Fsmanage, vp: Vnode, vap: Vattr): i32 {
  vattrCopy(vap, vp.v_fc.fc_attr);
  return 0;
}
function defSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  return -EPERM;
}

/** Read through the page cache, whole reads atomic to writes. */
export function vopDefaultRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  if (vp.v_type == S_IFDIR) return -EISDIR;
  const fc = vp.v_fc;
  rangeShared(fc, <u64>uio.uio_off, <u64>uio.uio_off + uio.uio_resid);
  const e = fscacheRead(fc, uio);
  rangeRelease(fc);
  return e;
}

/** Write through the page cache; mtime and ctime follow what was stored. */
export function vopDefaultWrite(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  if (vp.v_type == S_IFDIR) return -EISDIR;
  const fc = vp.v_fc;
  // a write that may grow the file excludes everybody behind its start
  const grows = (ioflag & IO_APPEND) != 0 || <u64>uio.uio_off + uio.uio_resid > fc.fc_size;
  const start = ioflag & IO_APPEND ? 0 : <u64>uio.uio_off;
  rangeExclusive(fc, start, grows ? RANGE_END : start + uio.uio_resid);
  if (ioflag & IO_APPEND) uio.uio_off = <i64>fc.fc_size;
  const want = uio.uio_resid;
  let e: i32 = 0;
  if (want != 0) {
    const cut = uioLimitFsize(uio, curproc());
    e = cut < 0 ? cut : fscacheWrite(fc, uio);
    if (cut > 0) uio.uio_resid += <u32>cut;
  }
  if (uio.uio_resid != want) fscacheTouch(fc);
  rangeRelease(fc);
  return e;
}

function defReaddir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  return -ENOTDIR;
}
function defReadlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  return -EINVAL;
}
function defIoctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  return -ENOTTY;
}
function defPoll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

/** SEEK_DATA and SEEK_HOLE over the page index. */
export function vopDefaultLseek(fm: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  const fc = vp.v_fc;
  const off = load<i64>(offp);
  if (vp.v_type != S_IFREG) return -EINVAL;
  if (off < 0 || <u64>off >= fc.fc_size) return -ENXIO;
  const r = whence == SEEK_DATA ? fscacheSeekData(fc, <u64>off) : fscacheSeekHole(fc, <u64>off);
  if (r < 0) return -ENXIO;
  store<i64>(offp, r);
  return 0;
}

function defFsync(fm: Fsmanage, vp: Vnode, flags: u32): i32 {
  return 0;
}
function defAllocate(fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64): i32 {
  return -EOPNOTSUPP;
}
function defAdvlock(fm: Fsmanage, vp: Vnode, req: usize): i32 {
  return advlockLocal(vp, changetype<LockReq>(req));
}

/** No backing store: a miss is a hole; a write makes a page. */
export function vopDefaultGetpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  if ((flags & GP_WRITE) == 0) return GP_HOLE;
  return fscacheAddPage(fc, index, flags);
}
function defPutpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  return 0;
}
function defInactive(fm: Fsmanage, vp: Vnode): i32 {
  return 0;
}
function defReclaim(fm: Fsmanage, vp: Vnode): i32 {
  return 0;
}
function defGetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio): i32 {
  return -EOPNOTSUPP;
}
function defSetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32): i32 {
  return -EOPNOTSUPP;
}
function defListxattr(fm: Fsmanage, vp: Vnode, uio: Uio): i32 {
  return 0;
}
function defRemovexattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32): i32 {
  return -EOPNOTSUPP;
}
function defStrategy(fm: Fsmanage, vp: Vnode, bio: usize): i32 {
  return -EOPNOTSUPP;
}
function defCopyrange(fm: Fsmanage, svp: Vnode, soff: i64, dvp: Vnode, doff: i64, len: u32): i32 {
  return -EOPNOTSUPP;
}

function defJump(fm: Fsmanage, vp: Vnode, to: Place, cred: Ucred): i32 {
  return -EINVAL;
}

/** There is no place to store them. */
function defWriteattr(fm: Fsmanage, vp: Vnode): i32 {
  fscacheAttrClean(vp.v_fc);
  return 0;
}

/** Fill every slot with its default. */
export function fsmanageSetDefaults(fm: Fsmanage): void {
  setVopNresolve(fm, defNresolve);
  setVopNlookupdotdot(fm, defNlookupdotdot);
  setVopNcreate(fm, defNcreate);
  setVopNmkdir(fm, defNcreate);
  setVopNmknod(fm, defNcreate);
  setVopNlink(fm, defNlink);
  setVopNsymlink(fm, defNsymlink);
  setVopNwhiteout(fm, defNwhiteout);
  setVopNremove(fm, defNremove);
  setVopNrmdir(fm, defNremove);
  setVopNrename(fm, defNrename);
  setVopNtmpfile(fm, defNtmpfile);
  setVopOpen(fm, defOpen);
  setVopClose(fm, defClose);
  setVopAccess(fm, defAccess);
  setVopGetattr(fm, defGetattr);
  setVopSetattr(fm, defSetattr);
  setVopRead(fm, vopDefaultRead);
  setVopWrite(fm, vopDefaultWrite);
  setVopReaddir(fm, defReaddir);
  setVopReadlink(fm, defReadlink);
  setVopIoctl(fm, defIoctl);
  setVopPoll(fm, defPoll);
  setVopLseek(fm, vopDefaultLseek);
  setVopFsync(fm, defFsync);
  setVopAllocate(fm, defAllocate);
  setVopAdvlock(fm, defAdvlock);
  setVopGetpages(fm, vopDefaultGetpages);
  setVopPutpages(fm, defPutpages);
  setVopInactive(fm, defInactive);
  setVopReclaim(fm, defReclaim);
  setVopGetxattr(fm, defGetxattr);
  setVopSetxattr(fm, defSetxattr);
  setVopListxattr(fm, defListxattr);
  setVopRemovexattr(fm, defRemovexattr);
  setVopStrategy(fm, defStrategy);
  setVopCopyrange(fm, defCopyrange);
  setVopJump(fm, defJump);
  setVopWriteattr(fm, defWriteattr);
}
