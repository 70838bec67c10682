/** WASI: reading, writing, positions, syncing. */
import { EBADF, EINVAL, ESPIPE } from '../../abi/errno';
import { IOV_MAX, O_ACCMODE, O_RDONLY, O_WRONLY, S_IFDIR, SEEK_CUR, SEEK_END, SEEK_SET } from '../../abi/flags';
import { IOV_SIZE, SA_DATA, SA_IOV } from '../../abi/layout';
import {
  RIGHT_FD_ADVISE,
  RIGHT_FD_ALLOCATE,
  RIGHT_FD_DATASYNC,
  RIGHT_FD_READ,
  RIGHT_FD_SEEK,
  RIGHT_FD_SYNC,
  RIGHT_FD_TELL,
  RIGHT_FD_WRITE,
  WASI_ADVICE_MAX,
  WASI_IOVEC_SIZE,
  WASI_WHENCE_CUR,
  WASI_WHENCE_END,
  WASI_WHENCE_SET,
} from '../../abi/wasi';
import { curcpu } from '../../kern/cpu';
import { File } from '../../proc/file';
import { CALL_READ, CALL_WRITE } from '../../proc/sleep';
import { scratchUio, scratchWord } from '../../vfs/scratch';
import { fileVnode } from '../../vfs/vfile';
import { Uio, uioSingle } from '../../vm/uio';
import { FSYNC_DATA, fallocate, fsync, lseek, readAt, readUio, resumedFile, seekable, transferLen, writeAt, writeUio } from '../io';
import { guestIn, guestOut32, guestOut64, wasiEnter, wasiFd, wasiFdError, wasiLeave } from './enter';

/** Where the guest's iovecs are put until they are the kernel's, which are longer: read before written over. */
const RAW: u32 = SA_DATA;
if (SA_DATA + IOV_MAX * WASI_IOVEC_SIZE > 16384) ERROR('RAW');

/** A uio over `n` iovecs of the guest: 0, -EINVAL (their number, or their sum past INT_MAX) or -EFAULT. */
// @ts-ignore: decorator
@inline
function guestUio(u: Uio, iovs: u32, n: u32, off: i64, write: u32): i32 {
  if (n != 1) return guestUioList(u, iovs, n, off, write);
  const iov = scratchWord(8);
  const e = guestIn(iovs, iov, WASI_IOVEC_SIZE);
  if (e != 0) return e;
  uioSingle(u, curcpu.c_guest, load<u32>(iov), transferLen(load<u32>(iov, 4)), off, write);
  return load<u32>(iov, 4) > <u32>i32.MAX_VALUE ? -EINVAL : 0;
}

function guestUioList(u: Uio, iovs: u32, n: u32, off: i64, write: u32): i32 {
  if (n > IOV_MAX) return -EINVAL;
  const area = <usize>curcpu.c_area;
  const space = curcpu.c_guest;
  const e = guestIn(iovs, area + RAW, n * WASI_IOVEC_SIZE);
  if (e != 0) return e;
  let total: u64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const from = area + RAW + i * WASI_IOVEC_SIZE;
    const to = area + SA_IOV + i * IOV_SIZE;
    const addr = load<u32>(from);
    const len = load<u32>(from, 4);
    store<u32>(to, space);
    store<u32>(to, addr, 4);
    store<u32>(to, len, 8);
    total += len;
  }
  if (total > <u64>i32.MAX_VALUE) return -EINVAL;
  uioSingle(u, 0, 0, 0, off, write);
  u.uio_resid = transferLen(<u32>total);
  u.uio_iov = <u32>area + SA_IOV;
  u.uio_iovcnt = n;
  return 0;
}

/** What a transfer returned is told to the guest: 0 or an errno. */
// @ts-ignore: decorator
@inline
function told(r: i32, at: u32): i32 {
  return r < 0 ? r : guestOut32(at, <u32>r);
}

function fdRead(fd: u32, iovs: u32, n: u32, nread: u32): i32 {
  const fp = resumedFile(wasiFd(fd, RIGHT_FD_READ), CALL_READ);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  if ((fp.f_flag & O_ACCMODE) == O_WRONLY) return -EBADF;
  const u = scratchUio(0);
  const e = guestUio(u, iovs, n, fp.f_offset, 0);
  return e != 0 ? e : told(readAt(fp, u), nread);
}

export function wasi_fd_read(wg: u32, fd: u32, iovs: u32, n: u32, nread: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdRead(fd, iovs, n, nread));
}

function fdWrite(fd: u32, iovs: u32, n: u32, nwritten: u32): i32 {
  const fp = resumedFile(wasiFd(fd, RIGHT_FD_WRITE), CALL_WRITE);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  if ((fp.f_flag & O_ACCMODE) == O_RDONLY) return -EBADF;
  const u = scratchUio(0);
  const e = guestUio(u, iovs, n, fp.f_offset, 1);
  return e != 0 ? e : told(writeAt(fp, u), nwritten);
}

export function wasi_fd_write(wg: u32, fd: u32, iovs: u32, n: u32, nwritten: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdWrite(fd, iovs, n, nwritten));
}

/** May this file be read or written at an offset? 0, -EINVAL or -ESPIPE. */
// @ts-ignore: decorator
@inline
function checkOffset(fp: File, off: i64): i32 {
  if (!seekable(fileVnode(fp))) return -ESPIPE;
  return off < 0 ? -EINVAL : 0;
}

function fdPread(fd: u32, iovs: u32, n: u32, off: i64, nread: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_READ | RIGHT_FD_SEEK);
  if (changetype<usize>(fp) == 0) return streamError(fd, RIGHT_FD_READ);
  if ((fp.f_flag & O_ACCMODE) == O_WRONLY) return -EBADF;
  let e = checkOffset(fp, off);
  if (e != 0) return e;
  const u = scratchUio(0);
  e = guestUio(u, iovs, n, off, 0);
  return e != 0 ? e : told(readUio(fp, u), nread);
}

/** A stream has no right to seek: what it lacks is a position. */
function streamError(fd: u32, right: u32): i32 {
  const fp = wasiFd(fd, right);
  return changetype<usize>(fp) != 0 && !seekable(fileVnode(fp)) ? -ESPIPE : wasiFdError(fd);
}

export function wasi_fd_pread(wg: u32, fd: u32, iovs: u32, n: u32, off: i64, nread: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdPread(fd, iovs, n, off, nread));
}

function fdPwrite(fd: u32, iovs: u32, n: u32, off: i64, nwritten: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_WRITE | RIGHT_FD_SEEK);
  if (changetype<usize>(fp) == 0) return streamError(fd, RIGHT_FD_WRITE);
  if ((fp.f_flag & O_ACCMODE) == O_RDONLY) return -EBADF;
  let e = checkOffset(fp, off);
  if (e != 0) return e;
  const u = scratchUio(0);
  e = guestUio(u, iovs, n, off, 1);
  return e != 0 ? e : told(writeUio(fp, u), nwritten);
}

export function wasi_fd_pwrite(wg: u32, fd: u32, iovs: u32, n: u32, off: i64, nwritten: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdPwrite(fd, iovs, n, off, nwritten));
}

// ── positions ────────────────────────────────────────────────────────────────────────────────

function fdSeek(fd: u32, offset: i64, whence: u32, newoffset: u32): i32 {
  // the right to seek is the right to tell as well; to tell is to seek nowhere
  let fp = wasiFd(fd, RIGHT_FD_SEEK);
  if (changetype<usize>(fp) == 0 && whence == WASI_WHENCE_CUR && offset == 0) fp = wasiFd(fd, RIGHT_FD_TELL);
  if (changetype<usize>(fp) == 0) return streamError(fd, 0);
  let how = SEEK_SET;
  if (whence == WASI_WHENCE_CUR) how = SEEK_CUR;
  else if (whence == WASI_WHENCE_END) how = SEEK_END;
  else if (whence != WASI_WHENCE_SET) return -EINVAL;
  const e = lseek(<i32>fd, <f64>offset, how);
  return e != 0 ? e : guestOut64(newoffset, <u64>fp.f_offset);
}

export function wasi_fd_seek(wg: u32, fd: u32, offset: i64, whence: u32, newoffset: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdSeek(fd, offset, whence & 0xff, newoffset));
}

export function wasi_fd_tell(wg: u32, fd: u32, offset: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdSeek(fd, 0, WASI_WHENCE_CUR, offset));
}

// ── space, syncing ───────────────────────────────────────────────────────────────────────────

/** Lengths and offsets of a file are at most this. */
const OFF_MAX: u64 = <u64>i64.MAX_VALUE;

/** Advice is checked and not needed: every page of a file that is in RAM stays where it is. */
function fdAdvise(fd: u32, off: u64, len: u64, advice: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_ADVISE);
  if (changetype<usize>(fp) == 0) return streamError(fd, 0);
  const vp = fileVnode(fp);
  if (vp.v_type == S_IFDIR) return -EBADF;
  return advice > WASI_ADVICE_MAX || off > OFF_MAX || len > OFF_MAX ? -EINVAL : 0;
}

export function wasi_fd_advise(wg: u32, fd: u32, off: u64, len: u64, advice: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdAdvise(fd, off, len, advice));
}

function fdAllocate(fd: u32, off: u64, len: u64): i32 {
  if (changetype<usize>(wasiFd(fd, RIGHT_FD_ALLOCATE)) == 0) return wasiFdError(fd);
  return off > OFF_MAX || len > OFF_MAX ? -EINVAL : fallocate(<i32>fd, 0, <f64>off, <f64>len);
}

export function wasi_fd_allocate(wg: u32, fd: u32, off: u64, len: u64): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdAllocate(fd, off, len));
}

function fdSync(fd: u32, right: u32, flags: u32): i32 {
  return changetype<usize>(wasiFd(fd, right)) == 0 ? wasiFdError(fd) : fsync(<i32>fd, flags);
}

export function wasi_fd_sync(wg: u32, fd: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdSync(fd, RIGHT_FD_SYNC, 0));
}

export function wasi_fd_datasync(wg: u32, fd: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdSync(fd, RIGHT_FD_DATASYNC, FSYNC_DATA));
}
