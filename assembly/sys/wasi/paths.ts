/**
 * WASI: names. Every lookup is confined to the directory whose descriptor it begins at, by the
 * kernel's walk itself (pathInit; NL_BENEATH): what leads out of it is ENOTCAPABLE.
 */
import { EINVAL, ENAMETOOLONG, ENOENT, ENOTCAPABLE } from '../../abi/errno';
import {
  AT_REMOVEDIR,
  AT_SYMLINK_FOLLOW,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  PATH_MAX,
  S_IFDIR,
} from '../../abi/flags';
import { SA_DATA, SA_PATH1, SA_PATH2 } from '../../abi/layout';
import {
  RIGHT_FD_ALLOCATE,
  RIGHT_FD_FILESTAT_SET_SIZE,
  RIGHT_FD_READ,
  RIGHT_FD_READDIR,
  RIGHT_FD_WRITE,
  RIGHT_PATH_CREATE_DIRECTORY,
  RIGHT_PATH_CREATE_FILE,
  RIGHT_PATH_FILESTAT_GET,
  RIGHT_PATH_FILESTAT_SET_SIZE,
  RIGHT_PATH_FILESTAT_SET_TIMES,
  RIGHT_PATH_LINK_SOURCE,
  RIGHT_PATH_LINK_TARGET,
  RIGHT_PATH_OPEN,
  RIGHT_PATH_READLINK,
  RIGHT_PATH_REMOVE_DIRECTORY,
  RIGHT_PATH_RENAME_SOURCE,
  RIGHT_PATH_RENAME_TARGET,
  RIGHT_PATH_SYMLINK,
  RIGHT_PATH_UNLINK_FILE,
  RIGHTS_ALL,
  WASI_FDFLAG_ALL,
  WASI_FILESTAT_SIZE,
  WASI_LOOKUP_FOLLOW,
  WASI_OFLAG_ALL,
  WASI_OFLAG_CREAT,
  WASI_OFLAG_DIRECTORY,
  WASI_OFLAG_EXCL,
  WASI_OFLAG_TRUNC,
} from '../../abi/wasi';
import { curcpu } from '../../kern/cpu';
import { curcred } from '../../proc/cred';
import { fdFile, fdFree, File } from '../../proc/file';
import { lwpResume } from '../../proc/sleep';
import { NL_FOLLOW, nlookupFast, nlookupFastValid } from '../../vfs/nlookup';
import { scratchNl, scratchPath } from '../../vfs/scratch';
import { fileVnode } from '../../vfs/vfile';
import { link, mkdir, readlink, rename, symlink, unlink } from '../names';
import { openBeneath, openResume } from '../open';
import { pathDone, pathToVnode, pathVnode } from '../path';
import { curguest, guestIn, guestOut, guestOut32, wasiEnter, wasiFd, wasiFdError, wasiLeave, wasiMay } from './enter';
import { filestat, filestatFill, fstCheck, setTimes, wasiNoteFlags, wasiOpenFlags } from './fds';
import { GF_OPEN, guestEntry, guestRoom, RIGHTS_INHERITABLE, rightsOf } from './guest';

/** Modes of what is made, less the umask. */
const MODE_FILE: u32 = 0o666;
const MODE_DIRECTORY: u32 = 0o777;

/** A path of the guest into the syscall area: 0, -ENAMETOOLONG or -EFAULT. */
// @ts-ignore: decorator
@inline
function pathIn(area: u32, path: u32, len: u32): i32 {
  return len >= PATH_MAX ? -ENAMETOOLONG : guestIn(path, <usize>curcpu.c_area + area, len);
}

/** The first thing wrong with a call of one path: a right, a lookup flag, the path. */
function pathBegin(fd: u32, rights: u32, flags: u32, path: u32, len: u32): i32 {
  const e = wasiMay(fd, rights);
  if (e != 0) return e;
  return flags & ~WASI_LOOKUP_FOLLOW ? -EINVAL : pathIn(SA_PATH1, path, len);
}

// ── opening ──────────────────────────────────────────────────────────────────────────────────

/** O_* of a path_open. How a file is opened follows from what may be done with it. */
function openFlags(dirflags: u32, oflags: u32, base: u32, fdflags: u32): u32 {
  let flags = wasiOpenFlags(fdflags);
  const reads = (base & (RIGHT_FD_READ | RIGHT_FD_READDIR)) != 0;
  const writes = (base & (RIGHT_FD_WRITE | RIGHT_FD_ALLOCATE | RIGHT_FD_FILESTAT_SET_SIZE)) != 0;
  // nobody writes to a directory by its descriptor
  if (oflags & WASI_OFLAG_DIRECTORY) flags |= O_DIRECTORY;
  else if (writes) flags |= reads ? O_RDWR : O_WRONLY;
  else flags |= O_RDONLY;
  if ((dirflags & WASI_LOOKUP_FOLLOW) == 0) flags |= O_NOFOLLOW;
  if (oflags & WASI_OFLAG_CREAT) flags |= O_CREAT;
  if (oflags & WASI_OFLAG_EXCL) flags |= O_EXCL;
  if (oflags & WASI_OFLAG_TRUNC) flags |= O_TRUNC;
  return flags;
}

/** What the directory's rights say to a path_open: 0, -EBADF, -ENOTCAPABLE or -EINVAL. */
function openMay(fd: u32, dirflags: u32, oflags: u32, base: u64, inheriting: u64, fdflags: u32): i32 {
  let need = RIGHT_PATH_OPEN;
  if (oflags & WASI_OFLAG_CREAT) need |= RIGHT_PATH_CREATE_FILE;
  if (oflags & WASI_OFLAG_TRUNC) need |= RIGHT_PATH_FILESTAT_SET_SIZE;
  const e = wasiMay(fd, need);
  if (e != 0) return e;
  if (dirflags & ~WASI_LOOKUP_FOLLOW || oflags & ~WASI_OFLAG_ALL || fdflags & ~WASI_FDFLAG_ALL) return -EINVAL;
  const hands = <u64>(load<u32>(guestEntry(curguest(), fd), 4) & RIGHTS_ALL);
  return (base | inheriting) & ~hands ? -ENOTCAPABLE : 0;
}

/** The opened file is the guest's, with what it may of what was asked for. */
function openGranted(fd: i32, base: u32, inheriting: u32, fdflags: u32): void {
  const fp = fdFile(fd);
  const at = guestEntry(curguest(), fd);
  store<u32>(at, GF_OPEN | (base & rightsOf(fp)));
  store<u32>(at, fileVnode(fp).v_type == S_IFDIR ? inheriting & RIGHTS_INHERITABLE : 0, 4);
  wasiNoteFlags(at, fdflags);
}

function pathOpen(
  fd: u32,
  dirflags: u32,
  path: u32,
  len: u32,
  oflags: u32,
  base: u64,
  inheriting: u64,
  fdflags: u32,
  opened: u32,
): i32 {
  let e = openMay(fd, dirflags, oflags, base, inheriting, fdflags);
  if (e != 0) return e;
  e = pathIn(SA_PATH1, path, len);
  if (e != 0) return e;
  // the number that the open will give has an entry before anything is made
  let r = fdFree(0);
  if (r < 0) return r;
  e = guestRoom(curguest(), <u32>r);
  if (e != 0) return e;
  const flags = openFlags(dirflags, oflags, <u32>base, fdflags);
  const l = lwpResume();
  if (changetype<usize>(l) != 0) r = openResume(l, flags);
  else r = openBeneath(fdFile(<i32>fd), <i32>fd, len, flags, MODE_FILE);
  if (r < 0) return r;
  openGranted(r, <u32>base, <u32>inheriting, fdflags);
  return guestOut32(opened, <u32>r);
}

export function wasi_path_open(
  wg: u32,
  fd: u32,
  dirflags: u32,
  path: u32,
  len: u32,
  oflags: u32,
  base: u64,
  inheriting: u64,
  fdflags: u32,
  opened: u32,
): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathOpen(fd, dirflags, path, len, oflags & 0xffff, base, inheriting, fdflags & 0xffff, opened));
}

// ── attributes ───────────────────────────────────────────────────────────────────────────────

/** The attributes of a path that is cached, without a lock: false, ask the long way. */
function filestatFast(dir: File, len: u32, nofollow: bool): bool {
  const path = <usize>curcpu.c_area + SA_PATH1;
  if (len == 0 || load<u8>(path) == 47 || dir.f_ncp == 0) return false;
  const vp = nlookupFast(path, len, dir.f_mount, dir.f_ncp, nofollow, curcred());
  if (changetype<usize>(vp) == 0) return false;
  const seq = SMP ? vp.v_fc.fc_attrseq : 0;
  if (filestatFill(vp) != 0) return false;
  return !SMP || (nlookupFastValid() && (seq & 1) == 0 && vp.v_fc.fc_attrseq == seq);
}

function pathFilestatGet(fd: u32, flags: u32, path: u32, len: u32, buf: u32): i32 {
  const fp = wasiFd(fd, RIGHT_PATH_FILESTAT_GET);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  if (flags & ~WASI_LOOKUP_FOLLOW) return -EINVAL;
  let e = pathIn(SA_PATH1, path, len);
  if (e != 0) return e;
  const nofollow = (flags & WASI_LOOKUP_FOLLOW) == 0;
  if (filestatFast(fp, len, nofollow)) return guestOut(buf, scratchPath(0), WASI_FILESTAT_SIZE);
  e = pathToVnode(<i32>fd, SA_PATH1, len, nofollow ? 0 : NL_FOLLOW, 0);
  if (e != 0) return e;
  e = filestat(pathVnode(), buf);
  pathDone();
  return e;
}

export function wasi_path_filestat_get(wg: u32, fd: u32, flags: u32, path: u32, len: u32, buf: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathFilestatGet(fd, flags, path, len, buf));
}

function pathSetTimes(fd: u32, flags: u32, path: u32, len: u32, atim: u64, mtim: u64, fst: u32): i32 {
  let e = pathBegin(fd, RIGHT_PATH_FILESTAT_SET_TIMES, flags, path, len);
  if (e == 0) e = fstCheck(fst);
  if (e != 0) return e;
  e = pathToVnode(<i32>fd, SA_PATH1, len, flags & WASI_LOOKUP_FOLLOW ? NL_FOLLOW : 0, 0);
  if (e != 0) return e;
  const nl = scratchNl(0);
  e = setTimes(pathVnode(), nl.nl_mount, changetype<usize>(nl.nl_ncp), atim, mtim, fst);
  pathDone();
  return e;
}

export function wasi_path_filestat_set_times(
  wg: u32,
  fd: u32,
  flags: u32,
  path: u32,
  len: u32,
  atim: u64,
  mtim: u64,
  fst: u32,
): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathSetTimes(fd, flags, path, len, atim, mtim, fst & 0xffff));
}

// ── making and removing names ────────────────────────────────────────────────────────────────

function pathMkdir(fd: u32, path: u32, len: u32): i32 {
  const e = pathBegin(fd, RIGHT_PATH_CREATE_DIRECTORY, 0, path, len);
  return e != 0 ? e : mkdir(<i32>fd, len, MODE_DIRECTORY);
}

export function wasi_path_create_directory(wg: u32, fd: u32, path: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathMkdir(fd, path, len));
}

function pathUnlink(fd: u32, right: u32, path: u32, len: u32, flags: u32): i32 {
  const e = pathBegin(fd, right, 0, path, len);
  return e != 0 ? e : unlink(<i32>fd, len, flags);
}

export function wasi_path_unlink_file(wg: u32, fd: u32, path: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathUnlink(fd, RIGHT_PATH_UNLINK_FILE, path, len, 0));
}

export function wasi_path_remove_directory(wg: u32, fd: u32, path: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathUnlink(fd, RIGHT_PATH_REMOVE_DIRECTORY, path, len, AT_REMOVEDIR));
}

function pathLink(oldfd: u32, flags: u32, old: u32, oldlen: u32, newfd: u32, to: u32, tolen: u32): i32 {
  let e = pathBegin(oldfd, RIGHT_PATH_LINK_SOURCE, flags, old, oldlen);
  if (e == 0) e = wasiMay(newfd, RIGHT_PATH_LINK_TARGET);
  if (e == 0) e = pathIn(SA_PATH2, to, tolen);
  if (e != 0) return e;
  return link(<i32>oldfd, oldlen, <i32>newfd, tolen, flags & WASI_LOOKUP_FOLLOW ? AT_SYMLINK_FOLLOW : 0);
}

export function wasi_path_link(
  wg: u32,
  oldfd: u32,
  flags: u32,
  old: u32,
  oldlen: u32,
  newfd: u32,
  to: u32,
  tolen: u32,
): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathLink(oldfd, flags, old, oldlen, newfd, to, tolen));
}

function pathRename(oldfd: u32, old: u32, oldlen: u32, newfd: u32, to: u32, tolen: u32): i32 {
  let e = pathBegin(oldfd, RIGHT_PATH_RENAME_SOURCE, 0, old, oldlen);
  if (e == 0) e = wasiMay(newfd, RIGHT_PATH_RENAME_TARGET);
  if (e == 0) e = pathIn(SA_PATH2, to, tolen);
  return e != 0 ? e : rename(<i32>oldfd, oldlen, <i32>newfd, tolen, 0);
}

export function wasi_path_rename(wg: u32, oldfd: u32, old: u32, oldlen: u32, newfd: u32, to: u32, tolen: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathRename(oldfd, old, oldlen, newfd, to, tolen));
}

// ── symbolic links ───────────────────────────────────────────────────────────────────────────

/** A guest may not make links that begin at a root which is none of its own. */
function targetCheck(len: u32): i32 {
  const target = <usize>curcpu.c_area + SA_PATH1;
  for (let i: u32 = 0; i < len; i++) if (load<u8>(target + i) == 0) return -EINVAL;
  return len != 0 && load<u8>(target) == 47 ? -ENOTCAPABLE : 0;
}

function pathSymlink(target: u32, targetlen: u32, fd: u32, path: u32, len: u32): i32 {
  let e = pathBegin(fd, RIGHT_PATH_SYMLINK, 0, target, targetlen);
  if (e == 0) e = targetCheck(targetlen);
  if (e == 0) e = pathIn(SA_PATH2, path, len);
  return e != 0 ? e : symlink(targetlen, <i32>fd, len);
}

export function wasi_path_symlink(wg: u32, target: u32, targetlen: u32, fd: u32, path: u32, len: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathSymlink(target, targetlen, fd, path, len));
}

function pathReadlink(fd: u32, path: u32, len: u32, buf: u32, buflen: u32, used: u32): i32 {
  const e = pathBegin(fd, RIGHT_PATH_READLINK, 0, path, len);
  if (e != 0) return e;
  // the kernel takes the empty path for the descriptor itself
  let n = len == 0 ? -ENOENT : readlink(<i32>fd, len);
  if (n < 0) return n;
  if (<u32>n > buflen) n = <i32>buflen;
  const f = guestOut(buf, <usize>curcpu.c_area + SA_DATA, <u32>n);
  return f != 0 ? f : guestOut32(used, <u32>n);
}

export function wasi_path_readlink(wg: u32, fd: u32, path: u32, len: u32, buf: u32, buflen: u32, used: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(pathReadlink(fd, path, len, buf, buflen, used));
}
