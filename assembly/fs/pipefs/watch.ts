/** The descriptors of inotify_init(2): files of pipefs whose v_un is an Inotify. */
import { EAGAIN, EINVAL, ENOMEM, ENOTTY, ENXIO } from '../../abi/errno';
import { FIONREAD, POLLIN, POLLRDNORM } from '../../abi/flags';
import { INOTIFY_EVENT_SIZE } from '../../abi/layout';
import { copyout } from '../../kern/copy';
import { Ucred } from '../../proc/cred';
import { File } from '../../proc/file';
import { CALL_READ, lwpBlock, lwpGet } from '../../proc/sleep';
import { IO_NONBLOCK } from '../../vfs/defaults';
import { Fsmanage } from '../../vfs/fsmanage';
import {
  eventBack,
  eventBytes,
  eventDone,
  eventName,
  eventTake,
  InoEvent,
  Inotify,
  inotifyFree,
  inotifyLock,
  inotifyUnlock,
} from '../../vfs/inotify';
import { scratchPath, scratchWord } from '../../vfs/scratch';
import { Vnode } from '../../vfs/vnode';
import { setVopIoctl, setVopOpen, setVopPoll, setVopRead, setVopReclaim, setVopWrite } from '../../vfs/vop';
import { Uio, uiomove } from '../../vm/uio';

/** What a watch's vnode has for a type: none, as Linux's anonymous inodes. */
export const WATCH_TYPE: u32 = 0;

/** The vnode's Inotify, or null if it is some other file of pipefs. */
export function inotifyOf(vp: Vnode): Inotify {
  return changetype<Inotify>(vp.v_type == WATCH_TYPE ? <usize>vp.v_un : 0);
}

function watchOpen(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  const inp = inotifyOf(vp);
  // not by its name under /proc: there is only the one descriptor, and what shares its File
  if (changetype<usize>(inp) == 0 || inp.in_opened != 0) return -ENXIO;
  inp.in_opened = 1;
  return 0;
}

/** inotify(7)'s struct at scratchPath(0): its length. */
function layOut(ie: InoEvent): u32 {
  const to = scratchPath(0);
  const n = eventBytes(ie);
  memory.fill(to, 0, n);
  store<i32>(to, ie.ie_wd);
  store<u32>(to, ie.ie_mask, 4);
  store<u32>(to, ie.ie_cookie, 8);
  store<u32>(to, n - INOTIFY_EVENT_SIZE, 12);
  memory.copy(to + INOTIFY_EVENT_SIZE, eventName(ie), ie.ie_namelen);
  return n;
}

/** As many whole events as fit; waits for the first. */
function watchRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  const inp = inotifyOf(vp);
  if (changetype<usize>(inp) == 0) return -EINVAL;
  const want = uio.uio_resid;
  let e: i32;
  do e = readEvents(inp, uio);
  while (e == 0 && uio.uio_resid == want && (e = waitEvent(inp, uio, ioflag)) == 0);
  return e;
}

/** 0, or the errno that ended it: -EINVAL if not even the first fits. */
function readEvents(inp: Inotify, uio: Uio): i32 {
  const want = uio.uio_resid;
  while (true) {
    const ie = eventTake(inp, uio.uio_resid, scratchWord(4));
    if (changetype<usize>(ie) == 0) return uio.uio_resid != want ? 0 : load<i32>(scratchWord(4));
    const resid = uio.uio_resid;
    const e = uiomove(scratchPath(0), layOut(ie), uio);
    if (e != 0) {
      uio.uio_resid = resid;
      eventBack(inp, ie);
      return e;
    }
    eventDone(inp, ie);
  }
}

/** -ERESTART, -EAGAIN, -ENOMEM, or 0 if an event has come by now. */
function waitEvent(inp: Inotify, uio: Uio, ioflag: u32): i32 {
  if (ioflag & IO_NONBLOCK) return -EAGAIN;
  const fp = changetype<File>(<usize>uio.uio_file);
  // made first: no memory is asked for under the lock
  if (changetype<usize>(lwpGet(CALL_READ, fp)) == 0) return -ENOMEM;
  inotifyLock();
  const e = inp.in_head != 0 ? 0 : lwpBlock(inp.in_chan, CALL_READ, fp, 0);
  inotifyUnlock();
  return e;
}

function watchWrite(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  return -EINVAL;
}

function watchPoll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  const inp = inotifyOf(vp);
  if (changetype<usize>(inp) == 0 || inp.in_head == 0) return 0;
  return events & (POLLIN | POLLRDNORM);
}

function watchIoctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  const inp = inotifyOf(vp);
  if (cmd != FIONREAD || changetype<usize>(inp) == 0) return -ENOTTY;
  store<u32>(scratchWord(4), inp.in_bytes);
  return -copyout(space, addr, scratchWord(4), 4);
}

function watchReclaim(fm: Fsmanage, vp: Vnode): i32 {
  const inp = inotifyOf(vp);
  if (changetype<usize>(inp) == 0) return 0;
  vp.v_un = 0;
  inotifyFree(inp);
  return 0;
}

/** pipefs's first vector. */
export function watchVector(fm: Fsmanage): void {
  setVopOpen(fm, watchOpen);
  setVopRead(fm, watchRead);
  setVopWrite(fm, watchWrite);
  setVopPoll(fm, watchPoll);
  setVopIoctl(fm, watchIoctl);
  setVopReclaim(fm, watchReclaim);
}
