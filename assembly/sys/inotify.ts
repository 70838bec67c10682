/** inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2). */
import { EBADF, EINVAL, EMFILE, ENOMEM, ENOTDIR } from '../abi/errno';
import {
  AT_FDCWD,
  IN_ALL_EVENTS,
  IN_CLOEXEC,
  IN_DONT_FOLLOW,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_NONBLOCK,
  IN_ONESHOT,
  IN_ONLYDIR,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  O_RDONLY,
  R_OK,
  S_IFDIR,
} from '../abi/flags';
import { SA_PATH1 } from '../abi/layout';
import { roots } from '../kern/boot';
import { curcred } from '../proc/cred';
import { File } from '../proc/file';
import { anonVnode } from '../fs/pipefs/vfsops';
import { inotifyOf, WATCH_TYPE } from '../fs/pipefs/watch';
import { attrAccess } from '../vfs/access';
import { Inotify, inotifyAdd, inotifyEverything, inotifyFree, inotifyMake, inotifyRemove } from '../vfs/inotify';
import { Mount } from '../vfs/mount';
import { NL_FOLLOW } from '../vfs/nlookup';
import { fileVnode } from '../vfs/vfile';
import { Vnode, vnodePut } from '../vfs/vnode';
import { sysEnter, sysLeave } from './enter';
import { fdGet, pathDone, pathToVnode, pathVnode } from './path';
import { anonOpen } from './pipe';

/** Queues on one machine; more are EMFILE. */
const INSTANCES_MAX: u32 = 1024;
/** Every bit that a watch's mask may have. */
const MASK_BITS: u32 =
  IN_ALL_EVENTS |
  IN_UNMOUNT |
  IN_Q_OVERFLOW |
  IN_IGNORED |
  IN_ONLYDIR |
  IN_DONT_FOLLOW |
  IN_EXCL_UNLINK |
  IN_MASK_ADD |
  IN_MASK_CREATE |
  IN_ISDIR |
  IN_ONESHOT;

function init(flags: u32): i32 {
  if (flags & ~(IN_NONBLOCK | IN_CLOEXEC)) return -EINVAL;
  if (roots().r_ninotify >= INSTANCES_MAX) return -EMFILE;
  const inp = inotifyMake();
  return changetype<usize>(inp) == 0 ? -ENOMEM : openQueue(inp, flags);
}

/** A descriptor for a new queue, which is freed if there is none to be had. */
function openQueue(inp: Inotify, flags: u32): i32 {
  const vp = anonVnode(changetype<Mount>(<usize>roots().r_pipemount).mnt_norm, WATCH_TYPE, 0o600);
  if (changetype<usize>(vp) == 0) {
    inotifyFree(inp);
    return -ENOMEM;
  }
  vp.v_un = <u32>changetype<usize>(inp);
  const fd = anonOpen(vp, O_RDONLY | (flags & IN_NONBLOCK), (flags & IN_CLOEXEC) != 0);
  // the File's reference keeps it; without one it goes, and the queue with it
  vnodePut(vp);
  return fd;
}

export function sys_inotify_init(flags: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(init(flags));
}

/** For a host that keeps copies elsewhere: a queue of everything that others than this process change (W4). */
export function proc_inotify_all(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const inp = inotifyMake();
  if (changetype<usize>(inp) == 0) return sysLeave(-ENOMEM);
  const fd = openQueue(inp, IN_CLOEXEC);
  if (fd >= 0) inotifyEverything(inp);
  return sysLeave(fd);
}

/** The Inotify behind a File, or null if it is another kind of file. */
function queueOf(fp: File): Inotify {
  const vp = fileVnode(fp);
  return isQueue(vp) ? inotifyOf(vp) : changetype<Inotify>(<usize>0);
}

function isQueue(vp: Vnode): bool {
  if (changetype<usize>(vp.v_mount) != <usize>roots().r_pipemount) return false;
  return changetype<usize>(inotifyOf(vp)) != 0;
}

function addWatch(fd: i32, plen: u32, mask: u32): i32 {
  if (mask & ~MASK_BITS || mask == 0) return -EINVAL;
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  if ((mask & (IN_MASK_ADD | IN_MASK_CREATE)) == (IN_MASK_ADD | IN_MASK_CREATE)) return -EINVAL;
  const inp = queueOf(fp);
  if (changetype<usize>(inp) == 0) return -EINVAL;
  let e = pathToVnode(AT_FDCWD, SA_PATH1, plen, mask & IN_DONT_FOLLOW ? 0 : NL_FOLLOW, 0);
  if (e != 0) return e;
  const vp = pathVnode();
  if (mask & IN_ONLYDIR && vp.v_type != S_IFDIR) e = -ENOTDIR;
  // a queue that could be watched (by its link in /proc) could hold itself
  else if (isQueue(vp)) e = -EINVAL;
  else e = attrAccess(vp.v_fc.fc_attr, R_OK, curcred());
  if (e == 0) e = inotifyAdd(inp, vp, mask);
  pathDone();
  return e;
}

export function sys_inotify_add_watch(fd: i32, plen: u32, mask: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(addWatch(fd, plen, mask));
}

function rmWatch(fd: i32, wd: i32): i32 {
  const fp = fdGet(fd);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const inp = queueOf(fp);
  return changetype<usize>(inp) == 0 ? -EINVAL : inotifyRemove(inp, wd);
}

export function sys_inotify_rm_watch(fd: i32, wd: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(rmWatch(fd, wd));
}
