/** WASI: descriptors: closing, renumbering, what they are and may, their files' attributes. */
import { EBADF, EFBIG, EINVAL, ENAMETOOLONG, ENOTCAPABLE } from '../../abi/errno';
import {
  O_ACCMODE,
  O_APPEND,
  O_DSYNC,
  O_NONBLOCK,
  O_RDONLY,
  O_SYNC,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
  UTIME_NOW,
  UTIME_OMIT,
} from '../../abi/flags';
import {
  RIGHT_FD_FDSTAT_SET_FLAGS,
  RIGHT_FD_FILESTAT_GET,
  RIGHT_FD_FILESTAT_SET_SIZE,
  RIGHT_FD_FILESTAT_SET_TIMES,
  RIGHTS_ALL,
  WASI_FDFLAG_ALL,
  WASI_FDFLAG_APPEND,
  WASI_FDFLAG_DSYNC,
  WASI_FDFLAG_NONBLOCK,
  WASI_FDFLAG_RSYNC,
  WASI_FDFLAG_SYNC,
  WASI_FDSTAT_BASE,
  WASI_FDSTAT_FILETYPE,
  WASI_FDSTAT_FLAGS,
  WASI_FDSTAT_INHERITING,
  WASI_FDSTAT_SIZE,
  WASI_FILESTAT_ATIM,
  WASI_FILESTAT_CTIM,
  WASI_FILESTAT_DEV,
  WASI_FILESTAT_FILETYPE,
  WASI_FILESTAT_INO,
  WASI_FILESTAT_LENGTH,
  WASI_FILESTAT_MTIM,
  WASI_FILESTAT_NLINK,
  WASI_FILESTAT_SIZE,
  WASI_FILETYPE_BLOCK_DEVICE,
  WASI_FILETYPE_CHARACTER_DEVICE,
  WASI_FILETYPE_DIRECTORY,
  WASI_FILETYPE_REGULAR_FILE,
  WASI_FILETYPE_SOCKET_STREAM,
  WASI_FILETYPE_SYMBOLIC_LINK,
  WASI_FILETYPE_UNKNOWN,
  WASI_FST_ALL,
  WASI_FST_ATIM,
  WASI_FST_ATIM_NOW,
  WASI_FST_MTIM,
  WASI_FST_MTIM_NOW,
  WASI_PRESTAT_NAMELEN,
  WASI_PRESTAT_SIZE,
} from '../../abi/wasi';
import { fdFlags, fdInstall, fdTake, File } from '../../proc/file';
import { curproc } from '../../proc/proc';
import { FC_ATTRVALID } from '../../vfs/fscache';
import { Mount } from '../../vfs/mount';
import { scratchPath, scratchVattr } from '../../vfs/scratch';
import { fileClosedBy, fileMount, fileVnode } from '../../vfs/vfile';
import { mountLetGo } from '../../vfs/vfsmount';
import { Vnode } from '../../vfs/vnode';
import { vop_getattr } from '../../vfs/vop';
import { truncateVnode, utimens } from '../attr';
import { curguest, guestOut, wasiEnter, wasiFd, wasiFdError, wasiLeave } from './enter';
import { GF_DSYNC, GF_RSYNC, GF_SYNC, guestEntry, Preopen, preopenFind, preopenForget } from './guest';

// ── closing, renumbering ─────────────────────────────────────────────────────────────────────

function fdClose(fd: u32): i32 {
  if (changetype<usize>(wasiFd(fd, 0)) == 0) return -EBADF;
  const p = curproc();
  const g = curguest();
  store<u64>(guestEntry(g, fd), 0);
  if (g.wg_names != 0) preopenForget(g, fd);
  const r = fileClosedBy(fdTake(p, fd), p);
  mountLetGo();
  return r;
}

export function wasi_fd_close(wg: u32, fd: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdClose(fd));
}

/** `to` becomes what `fd` is, its rights with it; `fd` is gone. */
function fdRenumber(fd: u32, to: u32): i32 {
  if (changetype<usize>(wasiFd(fd, 0)) == 0 || changetype<usize>(wasiFd(to, 0)) == 0) return -EBADF;
  if (fd == to) return 0;
  const p = curproc();
  const g = curguest();
  const flags = fdFlags(<i32>fd);
  preopenForget(g, to);
  const po = preopenFind(g, fd);
  if (changetype<usize>(po) != 0) po.po_fd = to;
  store<u64>(guestEntry(g, to), load<u64>(guestEntry(g, fd)));
  store<u64>(guestEntry(g, fd), 0);
  const was = fdTake(p, to);
  fdInstall(<i32>to, fdTake(p, fd), <u32>flags);
  const r = fileClosedBy(was, p);
  mountLetGo();
  return r;
}

export function wasi_fd_renumber(wg: u32, fd: u32, to: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdRenumber(fd, to));
}

// ── fdstat ───────────────────────────────────────────────────────────────────────────────────

/** WASI has no name for a fifo. */
export function wasiType(type: u32): u32 {
  if (type == S_IFREG) return WASI_FILETYPE_REGULAR_FILE;
  if (type == S_IFDIR) return WASI_FILETYPE_DIRECTORY;
  if (type == S_IFLNK) return WASI_FILETYPE_SYMBOLIC_LINK;
  if (type == S_IFCHR) return WASI_FILETYPE_CHARACTER_DEVICE;
  if (type == S_IFBLK) return WASI_FILETYPE_BLOCK_DEVICE;
  return type == S_IFSOCK ? WASI_FILETYPE_SOCKET_STREAM : WASI_FILETYPE_UNKNOWN;
}

/** The open flags that fdflags ask for. WASI's rsync is Linux's O_RSYNC, which is O_SYNC. */
export function wasiOpenFlags(fdflags: u32): u32 {
  let flags: u32 = 0;
  if (fdflags & WASI_FDFLAG_APPEND) flags |= O_APPEND;
  if (fdflags & WASI_FDFLAG_NONBLOCK) flags |= O_NONBLOCK;
  if (fdflags & WASI_FDFLAG_DSYNC) flags |= O_DSYNC;
  if (fdflags & (WASI_FDFLAG_SYNC | WASI_FDFLAG_RSYNC)) flags |= O_SYNC;
  return flags;
}

/** Note in an entry which of the flags that mean O_SYNC were asked for by name. */
export function wasiNoteFlags(at: usize, fdflags: u32): void {
  let base = load<u32>(at) & ~GF_DSYNC;
  let inheriting = load<u32>(at, 4) & ~(GF_RSYNC | GF_SYNC);
  if (fdflags & WASI_FDFLAG_DSYNC) base |= GF_DSYNC;
  if (fdflags & WASI_FDFLAG_RSYNC) inheriting |= GF_RSYNC;
  if (fdflags & WASI_FDFLAG_SYNC) inheriting |= GF_SYNC;
  store<u32>(at, base);
  store<u32>(at, inheriting, 4);
}

function flagsOf(fp: File, at: usize): u32 {
  const f = fp.f_flag;
  let flags: u32 = 0;
  if (f & O_APPEND) flags |= WASI_FDFLAG_APPEND;
  if (f & O_NONBLOCK) flags |= WASI_FDFLAG_NONBLOCK;
  if ((f & O_DSYNC) == 0) return flags;
  let sync: u32 = 0;
  if (load<u32>(at) & GF_DSYNC) sync |= WASI_FDFLAG_DSYNC;
  if (load<u32>(at, 4) & GF_RSYNC) sync |= WASI_FDFLAG_RSYNC;
  if (load<u32>(at, 4) & GF_SYNC) sync |= WASI_FDFLAG_SYNC;
  // opened by others, who name it otherwise
  if (sync == 0) sync = (f & O_SYNC) == O_SYNC ? WASI_FDFLAG_SYNC : WASI_FDFLAG_DSYNC;
  return flags | sync;
}

function fdstatGet(fd: u32, buf: u32): i32 {
  const fp = wasiFd(fd, 0);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const at = guestEntry(curguest(), fd);
  const s = scratchPath(0);
  store<u64>(s, 0);
  store<u8>(s, <u8>wasiType(fileVnode(fp).v_type), WASI_FDSTAT_FILETYPE);
  store<u16>(s, <u16>flagsOf(fp, at), WASI_FDSTAT_FLAGS);
  store<u64>(s, load<u32>(at) & RIGHTS_ALL, WASI_FDSTAT_BASE);
  store<u64>(s, load<u32>(at, 4) & RIGHTS_ALL, WASI_FDSTAT_INHERITING);
  return guestOut(buf, s, WASI_FDSTAT_SIZE);
}

export function wasi_fd_fdstat_get(wg: u32, fd: u32, buf: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdstatGet(fd, buf));
}

function fdstatSetFlags(fd: u32, fdflags: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_FDSTAT_SET_FLAGS);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  if (fdflags & ~WASI_FDFLAG_ALL) return -EINVAL;
  fp.f_flag = (fp.f_flag & ~(O_APPEND | O_NONBLOCK | O_SYNC)) | wasiOpenFlags(fdflags);
  wasiNoteFlags(guestEntry(curguest(), fd), fdflags);
  return 0;
}

export function wasi_fd_fdstat_set_flags(wg: u32, fd: u32, fdflags: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdstatSetFlags(fd, fdflags & 0xffff));
}

function fdstatSetRights(fd: u32, base: u64, inheriting: u64): i32 {
  if (changetype<usize>(wasiFd(fd, 0)) == 0) return -EBADF;
  const at = guestEntry(curguest(), fd);
  const has = load<u32>(at);
  const hands = load<u32>(at, 4);
  if (base & ~(<u64>(has & RIGHTS_ALL)) || inheriting & ~(<u64>(hands & RIGHTS_ALL))) return -ENOTCAPABLE;
  store<u32>(at, (has & ~RIGHTS_ALL) | <u32>base);
  store<u32>(at, (hands & ~RIGHTS_ALL) | <u32>inheriting, 4);
  return 0;
}

export function wasi_fd_fdstat_set_rights(wg: u32, fd: u32, base: u64, inheriting: u64): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdstatSetRights(fd, base, inheriting));
}

// ── preopened directories ────────────────────────────────────────────────────────────────────

function prestatGet(fd: u32, buf: u32): i32 {
  const po = preopenFind(curguest(), fd);
  if (changetype<usize>(po) == 0) return -EBADF;
  const s = scratchPath(0);
  store<u64>(s, 0);
  store<u32>(s, po.po_len, WASI_PRESTAT_NAMELEN);
  return guestOut(buf, s, WASI_PRESTAT_SIZE);
}

export function wasi_fd_prestat_get(wg: u32, fd: u32, buf: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(prestatGet(fd, buf));
}

function prestatName(fd: u32, path: u32, len: u32): i32 {
  const po = preopenFind(curguest(), fd);
  if (changetype<usize>(po) == 0) return -EBADF;
  if (len < po.po_len) return -ENAMETOOLONG;
  return guestOut(path, changetype<usize>(po) + offsetof<Preopen>(), po.po_len);
}

export function wasi_fd_prestat_dir_name(wg: u32, fd: u32, path: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(prestatName(fd, path, len));
}

// ── filestat ─────────────────────────────────────────────────────────────────────────────────

const NS_PER_S: i64 = 1_000_000_000;

/** A time as WASI has it, which begins in 1970 and ends in 2554. */
// @ts-ignore: decorator
@inline
function timestamp(sec: i64, ns: u32): u64 {
  if (sec < 0) return 0;
  return sec >= 18446744073 ? u64.MAX_VALUE : <u64>(sec * NS_PER_S + ns);
}

/** A vnode's attributes as the guest gets them, in scratchPath(0): 0 or an errno. */
export function filestatFill(vp: Vnode): i32 {
  let va = vp.v_fc.fc_attr;
  if ((vp.v_fc.fc_flags & FC_ATTRVALID) == 0) {
    va = scratchVattr(2);
    const e = vop_getattr(vp.v_fm, vp, va);
    if (e != 0) return e;
  }
  const s = scratchPath(0);
  store<u64>(s, va.va_dev, WASI_FILESTAT_DEV);
  store<u64>(s, va.va_ino, WASI_FILESTAT_INO);
  store<u64>(s, wasiType(vp.v_type), WASI_FILESTAT_FILETYPE);
  store<u64>(s, va.va_nlink, WASI_FILESTAT_NLINK);
  store<u64>(s, va.va_size, WASI_FILESTAT_LENGTH);
  store<u64>(s, timestamp(va.va_atime, va.va_atimens), WASI_FILESTAT_ATIM);
  store<u64>(s, timestamp(va.va_mtime, va.va_mtimens), WASI_FILESTAT_MTIM);
  store<u64>(s, timestamp(va.va_ctime, va.va_ctimens), WASI_FILESTAT_CTIM);
  return 0;
}

/** A vnode's attributes to the guest. */
export function filestat(vp: Vnode, buf: u32): i32 {
  const e = filestatFill(vp);
  return e != 0 ? e : guestOut(buf, scratchPath(0), WASI_FILESTAT_SIZE);
}

function fdFilestatGet(fd: u32, buf: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_FILESTAT_GET);
  return changetype<usize>(fp) == 0 ? wasiFdError(fd) : filestat(fileVnode(fp), buf);
}

export function wasi_fd_filestat_get(wg: u32, fd: u32, buf: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdFilestatGet(fd, buf));
}

function fdSetSize(fd: u32, size: u64): i32 {
  const fp = wasiFd(fd, RIGHT_FD_FILESTAT_SET_SIZE);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  const vp = fileVnode(fp);
  if (vp.v_type != S_IFREG || (fp.f_flag & O_ACCMODE) == O_RDONLY) return -EINVAL;
  return size > <u64>i64.MAX_VALUE ? -EFBIG : truncateVnode(vp, fp.f_ncp, <f64>size);
}

export function wasi_fd_filestat_set_size(wg: u32, fd: u32, size: u64): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdSetSize(fd, size));
}

/** The nanoseconds argument of utimens for one of the two times. */
function nsOf(t: u64, flags: u32, given: u32, now: u32): u32 {
  if (flags & now) return UTIME_NOW;
  return flags & given ? <u32>(t % <u64>NS_PER_S) : UTIME_OMIT;
}

/** 0 or -EINVAL: an unknown flag, or a time that is both given and now. */
export function fstCheck(flags: u32): i32 {
  if (flags & ~WASI_FST_ALL) return -EINVAL;
  if ((flags & (WASI_FST_ATIM | WASI_FST_ATIM_NOW)) == (WASI_FST_ATIM | WASI_FST_ATIM_NOW)) return -EINVAL;
  return (flags & (WASI_FST_MTIM | WASI_FST_MTIM_NOW)) == (WASI_FST_MTIM | WASI_FST_MTIM_NOW) ? -EINVAL : 0;
}

export function setTimes(vp: Vnode, mp: Mount, ncp: usize, atim: u64, mtim: u64, flags: u32): i32 {
  const ans = nsOf(atim, flags, WASI_FST_ATIM, WASI_FST_ATIM_NOW);
  const mns = nsOf(mtim, flags, WASI_FST_MTIM, WASI_FST_MTIM_NOW);
  return utimens(vp, mp, ncp, <f64>(atim / <u64>NS_PER_S), ans, <f64>(mtim / <u64>NS_PER_S), mns);
}

function fdSetTimes(fd: u32, atim: u64, mtim: u64, flags: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_FILESTAT_SET_TIMES);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  const e = fstCheck(flags);
  return e != 0 ? e : setTimes(fileVnode(fp), fileMount(fp), fp.f_ncp, atim, mtim, flags);
}

export function wasi_fd_filestat_set_times(wg: u32, fd: u32, atim: u64, mtim: u64, flags: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdSetTimes(fd, atim, mtim, flags & 0xffff));
}
