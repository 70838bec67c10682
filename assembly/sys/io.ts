/** Data: read, write and their kin, lseek, fallocate, fsync, copy_file_range, getdents. */
import {
  EBADF,
  EFBIG,
  EINVAL,
  EISDIR,
  ENODEV,
  ENOENT,
  ENOTDIR,
  EOPNOTSUPP,
  ERESTART,
  ESPIPE,
} from '../abi/errno';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  IN_ACCESS,
  IN_MODIFY,
  IOV_MAX,
  MS_NOATIME,
  MS_STRICTATIME,
  O_ACCMODE,
  O_APPEND,
  O_DSYNC,
  O_NOATIME,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  RW_MAX,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from '../abi/flags';
import { IOV_SIZE, PAGE_SIZE, SA_DATA, SA_IOV } from '../abi/layout';
import { clockNow } from '../kern/clock';
import { curcpu } from '../kern/cpu';
import { curcred } from '../proc/cred';
import { diskByRdev, diskSyncAll } from '../dev/disk';
import { File } from '../proc/file';
import { curproc } from '../proc/proc';
import { CALL_READ, CALL_WRITE, lwpResume } from '../proc/sleep';
import { IO_APPEND, IO_NONBLOCK, IO_SYNC } from '../vfs/defaults';
import { attrBegin, attrEnd, FSCACHE_MAX_BYTES } from '../vfs/fscache';
import { inotifyFile } from '../vfs/inotify';
import { fsizeExceeded } from '../vfs/limits';
import { Mount, mountReadOnly, vfs_sync } from '../vfs/mount';
import { readdirFinish, readdirInit } from '../vfs/readdir';
import { scratchPath, scratchReaddir, scratchUio, scratchWord } from '../vfs/scratch';
import { Vattr } from '../vfs/vattr';
import { fileMount, fileVnode } from '../vfs/vfile';
import { syncAll } from '../vfs/vfsmount';
import { VN_NOSEEK, Vnode } from '../vfs/vnode';
import { vop_allocate, vop_copyrange, vop_fsync, vop_lseek, vop_read, vop_readdir, vop_write } from '../vfs/vop';
import { Uio, uioKernel, uioSingle, uioSkip } from '../vm/uio';
import { clearSetIds } from './attr';
import { sysEnter, sysLeave } from './enter';
import { fdGet } from './path';

/** The File of fd if it may be read, or null. */
// @ts-ignore: decorator
@inline
function readable(fd: i32): File {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) != 0 && (fp.f_flag & O_ACCMODE) == O_WRONLY) return changetype<File>(<usize>0);
  return fp;
}

// @ts-ignore: decorator
@inline
function writable(fd: i32): File {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) != 0 && (fp.f_flag & O_ACCMODE) == O_RDONLY) return changetype<File>(<usize>0);
  return fp;
}

/** Can this kind of file be positioned? (Type 0: the anonymous files of calls like inotify_init.) */
// @ts-ignore: decorator
@inline
export function seekable(vp: Vnode): bool {
  return vp.v_type != S_IFIFO && vp.v_type != S_IFSOCK && vp.v_type != 0 && (vp.v_flag & VN_NOSEEK) == 0;
}

/** A day: how old an atime must be before relatime renews it anyway. */
const RELATIME_S: i64 = 86400;

/** After a read through an open file: atime, unless it was opened with O_NOATIME. */
export function touchAtime(fp: File, vp: Vnode): void {
  if ((fp.f_flag & O_NOATIME) == 0) touchAtimeOn(fileMount(fp), vp);
}

/** After a read: atime, as the mount's noatime / relatime / strictatime says. */
export function touchAtimeOn(mp: Mount, vp: Vnode): void {
  const flag = mp.mnt_flag;
  if (flag & MS_NOATIME || mountReadOnly(mp)) return;
  const va: Vattr = vp.v_fc.fc_attr;
  if ((flag & MS_STRICTATIME) == 0) {
    const older =
      va.va_atime < va.va_mtime ||
      (va.va_atime == va.va_mtime && va.va_atimens <= va.va_mtimens) ||
      va.va_atime < va.va_ctime ||
      (va.va_atime == va.va_ctime && va.va_atimens <= va.va_ctimens);
    if (!older) {
      clockNow();
      if (curcpu.c_nowsec - va.va_atime < RELATIME_S) return;
    }
  }
  clockNow();
  attrBegin(vp.v_fc);
  va.va_atime = curcpu.c_nowsec;
  va.va_atimens = curcpu.c_nownsec;
  attrEnd(vp.v_fc);
}

/** What a resumed transfer moved before it blocked, passed over in the uio. */
// @ts-ignore: decorator
@inline
function resumeUio(fp: File, u: Uio): u32 {
  u.uio_file = <u32>changetype<usize>(fp);
  const l = lwpResume();
  if (changetype<usize>(l) == 0) return 0;
  uioSkip(u, l.lwp_done);
  return l.lwp_done;
}

/** The result of a transfer: what all its parts moved, or the errno if none did anything. */
// @ts-ignore: decorator
@inline
function transferred(e: i32, done: u32): i32 {
  if (e == -ERESTART) lwpResume().lwp_done = done;
  return e != 0 && (done == 0 || e == -ERESTART) ? e : <i32>done;
}

/** VOP_READ and what follows it. The count, or an errno if nothing was moved. */
export function readUio(fp: File, u: Uio): i32 {
  const vp = fileVnode(fp);
  const before = resumeUio(fp, u);
  const want = u.uio_resid;
  const e = vop_read(vp.v_fm, vp, u, fp.f_flag & O_NONBLOCK ? IO_NONBLOCK : 0, curcred());
  const moved = want - u.uio_resid;
  if (moved != 0 || (want != 0 && e == 0 && seekable(vp))) touchAtime(fp, vp);
  if (moved != 0) inotifyFile(vp, fp.f_ncp, IN_ACCESS);
  return transferred(e, before + moved);
}

export function writeUio(fp: File, u: Uio): i32 {
  const vp = fileVnode(fp);
  const before = resumeUio(fp, u);
  const want = u.uio_resid;
  let flag: u32 = 0;
  if (fp.f_flag & O_APPEND) flag |= IO_APPEND;
  if (fp.f_flag & O_NONBLOCK) flag |= IO_NONBLOCK;
  if (fp.f_flag & O_DSYNC) flag |= IO_SYNC;
  if (want != 0) clearSetIds(vp, fp.f_ncp);
  const e = vop_write(vp.v_fm, vp, u, flag, curcred());
  const moved = want - u.uio_resid;
  if (moved != 0) inotifyFile(vp, fp.f_ncp, IN_MODIFY);
  if (flag & IO_SYNC && moved != 0 && vp.v_type == S_IFREG) {
    const s = vop_fsync(vp.v_fm, vp, 0);
    if (s != 0) return s;
  }
  return transferred(e, before + moved);
}

/** A resumed call: its File is the Lwp's, whatever the descriptor is by now. */
export function resumedFile(fp: File, call: u32): File {
  const l = lwpResume();
  if (changetype<usize>(l) == 0) return fp;
  return l.lwp_call == call ? changetype<File>(<usize>l.lwp_file) : changetype<File>(<usize>0);
}

export function transferLen(len: u32): u32 {
  return len > RW_MAX ? RW_MAX : len;
}

/** read and write at the File's own offset. */
export function readAt(fp: File, u: Uio): i32 {
  const r = readUio(fp, u);
  if (r > 0) fp.f_offset += r;
  return r;
}

export function writeAt(fp: File, u: Uio): i32 {
  const r = writeUio(fp, u);
  // with O_APPEND the uio was moved to the end first
  if (r > 0) fp.f_offset = u.uio_off;
  return r;
}

export function sys_read(fd: i32, space: u32, addr: u32, len: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = resumedFile(readable(fd), CALL_READ);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  const u = scratchUio(0);
  uioSingle(u, space, addr, transferLen(len), fp.f_offset, 0);
  return sysLeave(readAt(fp, u));
}

export function sys_write(fd: i32, space: u32, addr: u32, len: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = resumedFile(writable(fd), CALL_WRITE);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  const u = scratchUio(0);
  uioSingle(u, space, addr, transferLen(len), fp.f_offset, 1);
  return sysLeave(writeAt(fp, u));
}

/** Is a position argument an offset at all? */
// @ts-ignore: decorator
@inline
function badOffset(off: f64): bool {
  return !(off >= 0 && off <= 9007199254740992.0);
}

export function sys_pread(fd: i32, space: u32, addr: u32, len: u32, off: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = readable(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  if (badOffset(off)) return sysLeave(-EINVAL);
  if (!seekable(fileVnode(fp))) return sysLeave(-ESPIPE);
  const u = scratchUio(0);
  uioSingle(u, space, addr, transferLen(len), <i64>off, 0);
  return sysLeave(readUio(fp, u));
}

export function sys_pwrite(fd: i32, space: u32, addr: u32, len: u32, off: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = writable(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  if (badOffset(off)) return sysLeave(-EINVAL);
  if (!seekable(fileVnode(fp))) return sysLeave(-ESPIPE);
  const u = scratchUio(0);
  uioSingle(u, space, addr, transferLen(len), <i64>off, 1);
  return sysLeave(writeUio(fp, u));
}

// ── vectored ─────────────────────────────────────────────────────────────────────────────────

/** A uio over the iovec list in the syscall area: 0 or -EINVAL (count, or sum past INT_MAX). */
function uioVector(u: Uio, iovcnt: u32, off: i64, write: u32): i32 {
  if (iovcnt > IOV_MAX) return -EINVAL;
  const list = <usize>curcpu.c_area + SA_IOV;
  let total: u64 = 0;
  for (let i: u32 = 0; i < iovcnt; i++) total += load<u32>(list + i * IOV_SIZE, 8);
  if (total > 0x7fffffff) return -EINVAL;
  uioSingle(u, 0, 0, 0, off, write);
  u.uio_resid = transferLen(<u32>total);
  u.uio_iov = <u32>list;
  u.uio_iovcnt = iovcnt;
  return 0;
}

export function sys_readv(fd: i32, iovcnt: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  const fp = resumedFile(readable(fd), CALL_READ);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  const u = scratchUio(0);
  e = uioVector(u, iovcnt, fp.f_offset, 0);
  return sysLeave(e != 0 ? e : readAt(fp, u));
}

export function sys_writev(fd: i32, iovcnt: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  const fp = resumedFile(writable(fd), CALL_WRITE);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  const u = scratchUio(0);
  e = uioVector(u, iovcnt, fp.f_offset, 1);
  return sysLeave(e != 0 ? e : writeAt(fp, u));
}

export function sys_preadv(fd: i32, iovcnt: u32, off: f64): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  const fp = readable(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  if (badOffset(off)) return sysLeave(-EINVAL);
  if (!seekable(fileVnode(fp))) return sysLeave(-ESPIPE);
  const u = scratchUio(0);
  e = uioVector(u, iovcnt, <i64>off, 0);
  return sysLeave(e != 0 ? e : readUio(fp, u));
}

export function sys_pwritev(fd: i32, iovcnt: u32, off: f64): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  const fp = writable(fd);
  if (changetype<usize>(fp) == 0) return sysLeave(-EBADF);
  if (badOffset(off)) return sysLeave(-EINVAL);
  if (!seekable(fileVnode(fp))) return sysLeave(-ESPIPE);
  const u = scratchUio(0);
  e = uioVector(u, iovcnt, <i64>off, 1);
  return sysLeave(e != 0 ? e : writeUio(fp, u));
}

// ── lseek ────────────────────────────────────────────────────────────────────────────────────

export function lseek(fd: i32, offset: f64, whence: u32): i32 {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const vp = fileVnode(fp);
  if (!seekable(vp)) return -ESPIPE;
  if (!(offset >= -9007199254740992.0 && offset <= 9007199254740992.0)) return -EINVAL;
  let at = <i64>offset;
  // a device that is not ESPIPE has one position, as Linux's memory devices do
  if (vp.v_type == S_IFCHR && whence <= SEEK_END) at = 0;
  else if (whence == SEEK_CUR) at += fp.f_offset;
  else if (whence == SEEK_END) {
    // directories have no end to seek from: their offsets are cookies
    if (vp.v_type == S_IFDIR) return -EINVAL;
    if (vp.v_type == S_IFBLK) {
      const e = vop_lseek(vp.v_fm, vp, SEEK_END, scratchWord(8));
      if (e != 0) return e;
      at += load<i64>(scratchWord(8));
    } else at += <i64>vp.v_fc.fc_size;
  } else if (whence == SEEK_DATA || whence == SEEK_HOLE) {
    store<i64>(scratchWord(8), at);
    const e = vop_lseek(vp.v_fm, vp, whence, scratchWord(8));
    if (e != 0) return e;
    at = load<i64>(scratchWord(8));
  } else if (whence != SEEK_SET) return -EINVAL;
  if (at < 0 || (vp.v_type == S_IFREG && <u64>at > FSCACHE_MAX_BYTES)) return -EINVAL;
  fp.f_offset = at;
  store<f64>(<usize>curcpu.c_area + SA_DATA, <f64>at);
  return 0;
}

export function sys_lseek(fd: i32, offset: f64, whence: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(lseek(fd, offset, whence));
}

// ── fallocate, fsync ─────────────────────────────────────────────────────────────────────────

export function fallocate(fd: i32, mode: u32, off: f64, len: f64): i32 {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  if (!(off >= 0) || !(len > 0)) return -EINVAL;
  if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) return -EOPNOTSUPP;
  if (mode & FALLOC_FL_PUNCH_HOLE && ((mode & FALLOC_FL_KEEP_SIZE) == 0 || mode & FALLOC_FL_ZERO_RANGE)) return -EOPNOTSUPP;
  if ((fp.f_flag & O_ACCMODE) == O_RDONLY) return -EBADF;
  const vp = fileVnode(fp);
  if (vp.v_type == S_IFIFO) return -ESPIPE;
  if (vp.v_type == S_IFDIR) return -EISDIR;
  if (vp.v_type != S_IFREG) return -ENODEV;
  if (off + len > <f64>FSCACHE_MAX_BYTES) return -EFBIG;
  const end = <u64>off + <u64>len;
  if ((mode & FALLOC_FL_KEEP_SIZE) == 0 && end > vp.v_fc.fc_size && end > curproc().p_fsize) return fsizeExceeded();
  clearSetIds(vp, fp.f_ncp);
  const e = vop_allocate(vp.v_fm, vp, mode, <i64>off, <i64>len);
  if (e == 0) inotifyFile(vp, fp.f_ncp, IN_MODIFY);
  return e;
}

export function sys_fallocate(fd: i32, mode: u32, off: f64, len: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fallocate(fd, mode, off, len));
}

/** VOP_FSYNC: data only, without the attributes that reading it back does not need. */
export const FSYNC_DATA: u32 = 1;

export function fsync(fd: i32, flags: u32): i32 {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const vp = fileVnode(fp);
  if (!seekable(vp) || vp.v_type == S_IFCHR) return -EINVAL;
  const e = vop_fsync(vp.v_fm, vp, flags);
  const f = writeError(fp, vp);
  return e != 0 ? e : f;
}

/** A write-back that failed since this open file was last told: told now, and not again. 0 or its errno. */
function writeError(fp: File, vp: Vnode): i32 {
  let fc = vp.v_fc;
  if (vp.v_type == S_IFBLK) {
    const dk = diskByRdev(fc.fc_attr.va_rdev);
    if (changetype<usize>(dk) == 0) return 0;
    fc = dk.dk_fc;
  }
  if (fp.f_errseq == fc.fc_error) return 0;
  fp.f_errseq = fc.fc_error;
  return fc.fc_errno;
}

export function sys_fsync(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fsync(fd, 0));
}

export function sys_fdatasync(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fsync(fd, FSYNC_DATA));
}

export function sys_sync(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  syncAll();
  diskSyncAll();
  return sysLeave(0);
}

export function sys_syncfs(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdGet(fd);
  return sysLeave(changetype<usize>(fp) == 0 ? -EBADF : vfs_sync(fileMount(fp)));
}

// ── copy_file_range ──────────────────────────────────────────────────────────────────────────

/** Copy through a path buffer of the CPU, a piece at a time. The count, or an errno if none. */
function copyPieces(inp: File, inoff: i64, outp: File, outoff: i64, len: u32): i32 {
  const buf = scratchPath(0);
  const u = scratchUio(1);
  let done: u32 = 0;
  while (done < len) {
    const n = len - done < PAGE_SIZE ? len - done : PAGE_SIZE;
    uioKernel(u, buf, n, inoff + done, 0);
    const got = readUio(inp, u);
    if (got <= 0) return done != 0 ? <i32>done : got;
    uioKernel(u, buf, <u32>got, outoff + done, 1);
    const put = writeUio(outp, u);
    if (put < 0) return done != 0 ? <i32>done : put;
    done += <u32>put;
    if (put < got) break;
  }
  return <i32>done;
}

function copyRange(fdin: i32, offin: f64, fdout: i32, offout: f64, len: f64, flags: u32): i32 {
  const inp = fdGet(fdin);
  const outp = fdGet(fdout);
  if (changetype<usize>(inp) == 0 || changetype<usize>(outp) == 0) return -EBADF;
  if (flags != 0) return -EINVAL;
  const svp = fileVnode(inp);
  const dvp = fileVnode(outp);
  if (svp.v_type == S_IFDIR || dvp.v_type == S_IFDIR) return -EISDIR;
  if (svp.v_type != S_IFREG || dvp.v_type != S_IFREG) return -EINVAL;
  if ((inp.f_flag & O_ACCMODE) == O_WRONLY || (outp.f_flag & O_ACCMODE) == O_RDONLY || outp.f_flag & O_APPEND) return -EBADF;
  const from = offin < 0 ? inp.f_offset : <i64>offin;
  const to = offout < 0 ? outp.f_offset : <i64>offout;
  if (!(len >= 0) || <u64>from > FSCACHE_MAX_BYTES || <u64>to > FSCACHE_MAX_BYTES) return -EINVAL;
  const size = svp.v_fc.fc_size;
  let n: u64 = len > <f64>RW_MAX ? RW_MAX : <u64>len;
  if (<u64>from >= size) n = 0;
  else if (n > size - <u64>from) n = size - <u64>from;
  if (changetype<usize>(svp) == changetype<usize>(dvp) && from < to + <i64>n && to < from + <i64>n) return -EINVAL;
  let r: i32 = n == 0 ? 0 : -EOPNOTSUPP;
  if (n != 0 && changetype<usize>(svp.v_fm) == changetype<usize>(dvp.v_fm)) {
    r = vop_copyrange(svp.v_fm, svp, from, dvp, to, <u32>n);
    if (r > 0) {
      inotifyFile(svp, inp.f_ncp, IN_ACCESS);
      inotifyFile(dvp, outp.f_ncp, IN_MODIFY);
    }
  }
  if (r == -EOPNOTSUPP) r = copyPieces(inp, from, outp, to, <u32>n);
  if (r > 0 && offin < 0) inp.f_offset = from + r;
  if (r > 0 && offout < 0) outp.f_offset = to + r;
  return r;
}

export function sys_copy_file_range(fdin: i32, offin: f64, fdout: i32, offout: f64, len: f64, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(copyRange(fdin, offin, fdout, offout, len, flags));
}

// ── getdents ─────────────────────────────────────────────────────────────────────────────────

function getdents(fd: i32, max: u32): i32 {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const vp = fileVnode(fp);
  if (vp.v_type != S_IFDIR) return -ENOTDIR;
  if (vp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  const rd = scratchReaddir();
  readdirInit(rd, <u64>fp.f_offset, max);
  const e = vop_readdir(vp.v_fm, vp, rd);
  if (e != 0) return e;
  fp.f_offset = <i64>rd.rd_cookie;
  touchAtime(fp, vp);
  inotifyFile(vp, fp.f_ncp, IN_ACCESS);
  return readdirFinish(rd);
}

export function sys_getdents(fd: i32, max: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(getdents(fd, max));
}
