/** Descriptors: dup, fcntl, directories of the process, umask, limits. */
import { EBADF, EINVAL, ENOENT, ENOTDIR, EPERM, ESRCH, EXDEV } from '../abi/errno';
import {
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETBENEATH,
  F_SETFD,
  F_SETFL,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
  PATH_MAX,
  RLIMIT_FSIZE,
  RLIMIT_NOFILE,
  S_IFDIR,
  X_OK,
  AT_FDCWD,
} from '../abi/flags';
import { SA_DATA, SA_PATH1 } from '../abi/layout';
import { curcpu } from '../kern/cpu';
import { curcred, credIsRoot } from '../proc/cred';
import {
  FD_LIMIT,
  fdFile,
  fdFlags,
  fdFree,
  fdInstall,
  fdOf,
  fdPrepare,
  fdSetFlags,
  fdTake,
  FF_BENEATH,
  FF_WRITER,
  File,
  fileRef,
} from '../proc/file';
import { curproc, procFind } from '../proc/proc';
import { attrAccess, isOwner } from '../vfs/access';
import { Namecache } from '../vfs/namecache';
import { NL_FOLLOW } from '../vfs/nlookup';
import { placePath } from '../vfs/place';
import { procSetCwd, procSetRoot } from '../vfs/procdirs';
import { scratchNl, scratchPath } from '../vfs/scratch';
import { fileClosedBy, fileMount, fileVnode } from '../vfs/vfile';
import { mountLetGo } from '../vfs/vfsmount';
import { sysEnter, sysLeave } from './enter';
import { pathDone, pathToVnode, pathVnode } from './path';
import { pipeFcntl } from './pipe';

function dupTo(fp: File, min: u32, flags: u32): i32 {
  const fd = fdFree(min);
  if (fd < 0) return fd;
  fileRef(fp);
  fdInstall(fd, fp, flags);
  return fd;
}

export function sys_dup(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const fp = fdFile(fd);
  return sysLeave(changetype<usize>(fp) == 0 ? -EBADF : dupTo(fp, 0, 0));
}

/** For a host that hands open files on: a descriptor of another process, copied into the current one. */
export function proc_fdcopy(pid: i32, fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = procFind(pid);
  if (changetype<usize>(p) == 0) return sysLeave(-ESRCH);
  const fp = fdOf(p, <u32>fd);
  return sysLeave(changetype<usize>(fp) == 0 ? -EBADF : dupTo(fp, 0, 0));
}

function dupOnto(oldfd: i32, newfd: i32, flags: u32): i32 {
  const fp = fdFile(oldfd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const e = fdPrepare(newfd);
  if (e != 0) return e;
  fileRef(fp);
  const p = curproc();
  const was = fdTake(p, <u32>newfd);
  fdInstall(newfd, fp, flags);
  if (changetype<usize>(was) != 0) fileClosedBy(was, p);
  mountLetGo();
  return newfd;
}

export function sys_dup2(oldfd: i32, newfd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  if (oldfd == newfd) return sysLeave(changetype<usize>(fdFile(oldfd)) == 0 ? -EBADF : newfd);
  return sysLeave(dupOnto(oldfd, newfd, 0));
}

export function sys_dup3(oldfd: i32, newfd: i32, flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  if (flags & ~O_CLOEXEC || oldfd == newfd) return sysLeave(-EINVAL);
  return sysLeave(dupOnto(oldfd, newfd, flags & O_CLOEXEC ? FD_CLOEXEC : 0));
}

/** What F_SETFL may change. */
const SETFL: u32 = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT;

function fcntl(fd: i32, cmd: u32, arg: f64): i32 {
  const fp = fdFile(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  if (cmd == F_GETFD) return fdFlags(fd);
  if (cmd == F_SETFD) return fdSetFlags(fd, <u32>arg & FD_CLOEXEC);
  if (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC) {
    if (!(arg >= 0) || arg >= <f64>curproc().p_nofile) return -EINVAL;
    return dupTo(fp, <u32>arg, cmd == F_DUPFD_CLOEXEC ? FD_CLOEXEC : 0);
  }
  if (cmd == F_GETFL) return <i32>(fp.f_flag & ~(FF_BENEATH | FF_WRITER));
  if (cmd == F_SETBENEATH) {
    if (fileVnode(fp).v_type != S_IFDIR) return -ENOTDIR;
    // confinement is for good: a confined program must not lift it
    if (arg == 0 && fp.f_flag & FF_BENEATH) return -EPERM;
    if (arg != 0) fp.f_flag |= FF_BENEATH;
    return 0;
  }
  if (fp.f_flag & O_PATH) return -EBADF;
  if (cmd == F_SETPIPE_SZ || cmd == F_GETPIPE_SZ) return pipeFcntl(fp, cmd, arg);
  if (cmd == F_SETFL) {
    const want = <u32>arg & SETFL;
    if (want & ~fp.f_flag & O_NOATIME && !isOwner(fileVnode(fp).v_fc.fc_attr, curcred())) return -EPERM;
    fp.f_flag = (fp.f_flag & ~SETFL) | want;
    return 0;
  }
  return -EINVAL;
}

export function sys_fcntl(fd: i32, cmd: u32, arg: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fcntl(fd, cmd, arg));
}

// ── working and root directory ───────────────────────────────────────────────────────────────

/** The directory at a path, as pathVnode: 0, or an errno with nothing to release. */
function dirLookup(plen: u32): i32 {
  let e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return e;
  const vp = pathVnode();
  e = vp.v_type != S_IFDIR ? -ENOTDIR : attrAccess(vp.v_fc.fc_attr, X_OK, curcred());
  if (e != 0) pathDone();
  return e;
}

export function sys_chdir(plen: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  e = dirLookup(plen);
  if (e != 0) return sysLeave(e);
  const nl = scratchNl(0);
  procSetCwd(curproc(), nl.nl_mount, nl.nl_ncp, pathVnode());
  pathDone();
  mountLetGo();
  return sysLeave(0);
}

function fchdir(fd: i32): i32 {
  const fp = fdFile(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const vp = fileVnode(fp);
  if (vp.v_type != S_IFDIR || fp.f_ncp == 0) return -ENOTDIR;
  const e = attrAccess(vp.v_fc.fc_attr, X_OK, curcred());
  if (e != 0) return e;
  procSetCwd(curproc(), fileMount(fp), changetype<Namecache>(<usize>fp.f_ncp), vp);
  mountLetGo();
  return 0;
}

export function sys_fchdir(fd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fchdir(fd));
}

export function sys_chroot(plen: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  e = dirLookup(plen);
  if (e != 0) return sysLeave(e);
  if (credIsRoot(curcred())) {
    const nl = scratchNl(0);
    procSetRoot(curproc(), nl.nl_mount, nl.nl_ncp, pathVnode());
  } else e = -EPERM;
  pathDone();
  mountLetGo();
  return sysLeave(e);
}

/** The path at SA_DATA, or an errno. */
function pathOut(mount: u32, entry: u32): i32 {
  const end = scratchPath(0) + PATH_MAX;
  const n = placePath(curproc(), mount, entry, end, PATH_MAX - 1, false, 0);
  // what the process cannot walk to has no path
  if (n == -EXDEV) return -ENOENT;
  if (n > 0) memory.copy(<usize>curcpu.c_area + SA_DATA, end - n, n);
  return n;
}

export function sys_getcwd(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = curproc();
  return sysLeave(pathOut(p.p_cwdmount, p.p_cwdncp));
}

export function sys_realpath(plen: u32): i32 {
  let e = sysEnter();
  if (e != 0) return e;
  e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return sysLeave(e);
  const nl = scratchNl(0);
  e = nl.nl_anon != 0 ? -ENOENT : pathOut(<u32>changetype<usize>(nl.nl_mount), <u32>changetype<usize>(nl.nl_ncp));
  pathDone();
  return sysLeave(e);
}

// ── umask and limits ─────────────────────────────────────────────────────────────────────────

export function sys_umask(mask: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = curproc();
  const was = p.p_umask;
  p.p_umask = mask & 0o777;
  return sysLeave(<i32>was);
}

const RLIM_INFINITY: f64 = 18446744073709552000.0;

function limitOut(v: u64): f64 {
  return v == u64.MAX_VALUE ? RLIM_INFINITY : <f64>v;
}

/** Soft limit as f64 at SA_DATA, hard limit behind it. */
export function sys_getrlimit(resource: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = curproc();
  const out = <usize>curcpu.c_area + SA_DATA;
  if (resource == RLIMIT_NOFILE) {
    store<f64>(out, <f64>p.p_nofile);
    store<f64>(out, <f64>p.p_nofilehard, 8);
  } else if (resource == RLIMIT_FSIZE) {
    store<f64>(out, limitOut(p.p_fsize));
    store<f64>(out, limitOut(p.p_fsizehard), 8);
  } else return sysLeave(-EINVAL);
  return sysLeave(0);
}

function setrlimit(resource: u32, soft: f64, hard: f64): i32 {
  if (!(soft >= 0) || !(hard >= soft)) return -EINVAL;
  const p = curproc();
  if (resource == RLIMIT_NOFILE) {
    if (hard > <f64>FD_LIMIT || (hard > <f64>p.p_nofilehard && !credIsRoot(curcred()))) return -EPERM;
    p.p_nofile = <u32>soft;
    p.p_nofilehard = <u32>hard;
    return 0;
  }
  if (resource != RLIMIT_FSIZE) return -EINVAL;
  const h = hard >= RLIM_INFINITY ? u64.MAX_VALUE : <u64>hard;
  if (h > p.p_fsizehard && !credIsRoot(curcred())) return -EPERM;
  p.p_fsize = soft >= RLIM_INFINITY ? u64.MAX_VALUE : <u64>soft;
  p.p_fsizehard = h;
  return 0;
}

export function sys_setrlimit(resource: u32, soft: f64, hard: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(setrlimit(resource, soft, hard));
}
