/**
 * Change notification: inotify(7)'s watches, queues and hooks.
 *
 * An Inotify (behind a descriptor of pipefs) has watches and a queue of events. A watch is of a
 * vnode, whatever its names: what happens to the vnode is told to its own watches, and to those
 * of the directory of the name it was reached by, with that name.
 *
 *     inotifyAdd ─→ watch ─ rm_watch, IN_ONESHOT, last link and last use gone, unmount ─→ IN_IGNORED
 *                     └──── the descriptor's last close: no more is told ────────────→ freed
 *
 * W1. A watch holds no reference on its vnode: a watched vnode is not in use for that. But it is
 *     not reclaimed for memory either (V2 of vnode.ts), so that it is told when it really goes.
 * W2. r_inotify counts watches and queues of everything: a hook costs one load while there are none.
 * W3. An event equal to the last one in the queue is not queued. Past QUEUE_MAX, or when all
 *     queues take a sixteenth of RAM (nobody may be reading them), one IN_Q_OVERFLOW is, which
 *     each queue has set aside.
 * W4. A queue of everything has no watches. It is told of every change of a name, a file's data, size or
 *     attributes, and of what is mounted and unmounted, unless its maker did it: who keeps copies
 *     elsewhere (Linux, of a tree that is served to it) learns which are out of date. Its events
 *     name the inode (IA_* of abi/layout.ts), and the name in it if it is a directory that has changed.
 *
 * Guard: r_inolock (spin) for watches and queues; events are allocated under it without waiting.
 */
import { EEXIST, EINVAL, EIO, ENOMEM, ENOSPC } from '../abi/errno';
import {
  IN_ACCESS,
  IN_ALL_EVENTS,
  IN_ATTRIB,
  IN_CLOSE_NOWRITE,
  IN_CLOSE_WRITE,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_ONESHOT,
  IN_Q_OVERFLOW,
  IN_UNMOUNT,
  NAME_MAX,
  O_ACCMODE,
  O_RDONLY,
  S_IFDIR,
  S_IFREG,
} from '../abi/flags';
import { IA_DEV, IA_INO, IA_NAME, INOTIFY_EVENT_SIZE, PAGE_SHIFT } from '../abi/layout';
import { Roots, roots } from '../kern/boot';
import { add32, spinLock, spinUnlock } from '../kern/lock';
import { File } from '../proc/file';
import { curproc } from '../proc/proc';
import { Chan, selWakeup, wakeup } from '../proc/sleep';
import { ALLOC_NOIO, ALLOC_NOWAIT, ALLOC_ZERO } from '../vm/page';
import { kfree, kmalloc, Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { Mount } from './mount';
import { cacheNameCopy, Namecache, NCF_DESTROYED } from './namecache';
import { VN_DEAD, Vnode, vnodePut, vnodeRef } from './vnode';

/** One descriptor's watches and events. */
@unmanaged
export class Inotify {
  in_watches: u32; //  by iw_inext, newest first
  in_head: u32; //     events, oldest first
  in_tail: u32;
  in_count: u32;
  in_bytes: u32; //    what reading them all would give
  in_lastwd: i32; //   last watch descriptor given out; none is given twice
  in_overflow: u32; // the event set aside for IN_Q_OVERFLOW; 0 while it is in the queue
  in_opened: u32; //   1: its descriptor has been made
  in_chan0: u32; //    Chan of readers
  in_chan1: u32;
  in_next: u32; //     r_inoall
  in_maker: u32; //    of a queue of everything: the pid whose changes it is not told; 0: it is an ordinary one

  // @ts-ignore: decorator
  @inline
  get in_chan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Inotify>('in_chan0'));
  }
}

@unmanaged
class Watch {
  iw_wd: i32;
  iw_mask: u32; //  events wanted, IN_EXCL_UNLINK, IN_ONESHOT
  iw_in: u32; //    Inotify
  iw_vp: u32; //    Vnode; not referenced
  iw_vnext: u32; // v_watches
  iw_vprev: u32;
  iw_inext: u32; // in_watches
  iw_iprev: u32;
}

/** An event in a queue; the name's bytes follow. */
@unmanaged
export class InoEvent {
  ie_next: u32;
  ie_wd: i32;
  ie_mask: u32;
  ie_cookie: u32;
  ie_namelen: u32; // bytes; 0: no name
  ie_size: u32; //    bytes charged to r_inobytes; 0: the event set aside
}
const IE_NAME: usize = offsetof<InoEvent>();

const QUEUE_MAX: u32 = 16384;
const WATCHES_MAX: u32 = 65536;
const KEPT_FLAGS: u32 = IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT;

export function inotifyInit(): void {
  const r = roots();
  r.r_zinotify = <u32>changetype<usize>(zoneCreate('inotify', offsetof<Inotify>(), 0));
  r.r_zinowatch = <u32>changetype<usize>(zoneCreate('inowatch', offsetof<Watch>(), 0));
}

function lk(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_inolock');
}

// @ts-ignore: decorator
@inline
function watchAt(p: u32): Watch {
  return changetype<Watch>(<usize>p);
}

// @ts-ignore: decorator
@inline
function eventAt(p: u32): InoEvent {
  return changetype<InoEvent>(<usize>p);
}

// ── the hooks ────────────────────────────────────────────────────────────────────────────────

/** Something happened to a name in directory dvp (IN_CREATE, IN_DELETE, IN_MOVED_*). */
// @ts-ignore: decorator
@inline
export function inotifyName(dvp: Vnode, ncp: Namecache, mask: u32, cookie: u32, isdir: bool): void {
  if (roots().r_inotify != 0) tellName(dvp, ncp, mask, cookie, isdir);
}

/** Something happened to a file: its own watchers, and its directory's if it is known by a name. */
// @ts-ignore: decorator
@inline
export function inotifyFile(vp: Vnode, ncp: usize, mask: u32): void {
  if (roots().r_inotify != 0) tellFile(vp, changetype<Namecache>(ncp), mask, true);
}

/** Attributes or the size were set. Unlike what goes through an open file, this is told of a file
 *  whose name is gone even to those who asked for IN_EXCL_UNLINK. */
// @ts-ignore: decorator
@inline
export function inotifyChange(vp: Vnode, ncp: usize, mask: u32): void {
  if (roots().r_inotify != 0) tellFile(vp, changetype<Namecache>(ncp), mask, false);
}

/** A File was closed for good. */
// @ts-ignore: decorator
@inline
export function inotifyClose(fp: File): void {
  if (roots().r_inotify != 0) tellClose(fp);
}

function tellName(dvp: Vnode, ncp: Namecache, mask: u32, cookie: u32, isdir: bool): void {
  if (roots().r_inoall != 0) tellAll(dvp, mask, ncp);
  tell(dvp, isdir ? mask | IN_ISDIR : mask, cookie, ncp, false);
}

/** `data`: it went through an open file, as against a change of its attributes. */
function tellFile(vp: Vnode, ncp: Namecache, mask: u32, data: bool): void {
  const type = vp.v_type;
  if (roots().r_inoall != 0 && mask & (IN_MODIFY | IN_ATTRIB)) tellAll(vp, mask, changetype<Namecache>(<usize>0));
  const event = type == S_IFDIR && (mask & IN_MOVE_SELF) == 0 ? mask | IN_ISDIR : mask;
  let unlinked = false;
  if (changetype<usize>(ncp) != 0) {
    unlinked = data && (ncp.nc_flags & NCF_DESTROYED) != 0;
    const parent = ncp.parent;
    // what goes through a terminal or a fifo is nobody's business who may only list its directory
    const quiet = data && (mask & (IN_ACCESS | IN_MODIFY)) != 0 && type != S_IFREG && type != S_IFDIR;
    if (changetype<usize>(parent) != 0 && parent.nc_vp != 0 && !quiet) tell(parent.vp, event, 0, ncp, unlinked);
  }
  tell(vp, event, 0, changetype<Namecache>(<usize>0), unlinked);
}

function tellClose(fp: File): void {
  const mask = (fp.f_flag & O_ACCMODE) == O_RDONLY ? IN_CLOSE_NOWRITE : IN_CLOSE_WRITE;
  tellFile(changetype<Vnode>(<usize>fp.f_vp), changetype<Namecache>(<usize>fp.f_ncp), mask, true);
}

/** To the queues of everything: this inode has changed, or (ncp not null) this name in it. */
function tellAll(vp: Vnode, mask: u32, ncp: Namecache): void {
  const p = curproc();
  const by = changetype<usize>(p) == 0 ? 0 : p.p_pid;
  spinLock(lk());
  for (let q = roots().r_inoall; q != 0; q = changetype<Inotify>(<usize>q).in_next) {
    const inp = changetype<Inotify>(<usize>q);
    if (inp.in_maker != by) queueChange(inp, vp, mask, ncp);
  }
  spinUnlock(lk());
}

/** Something else is at this place in the tree of `mp`'s names: a mount came or went. */
export function inotifyMounted(mp: Mount, at: Namecache): void {
  if (roots().r_inoall == 0) return;
  let place = at;
  let on = mp;
  // on a mount's root: what is seen from outside is the name that this mount covers
  while (changetype<usize>(place) == changetype<usize>(on.mnt_root)) {
    place = on.mnt_covered;
    on = on.mnt_parent;
    if (changetype<usize>(place) == 0) return;
  }
  const parent = place.parent;
  if (changetype<usize>(parent) != 0 && parent.nc_vp != 0) tellAll(parent.vp, IN_UNMOUNT, place);
}

/** One event to every watch of a vnode that wants it. */
function tell(vp: Vnode, mask: u32, cookie: u32, ncp: Namecache, unlinked: bool): void {
  if (vp.v_watches == 0) return;
  let ended = false;
  spinLock(lk());
  let p = vp.v_watches;
  while (p != 0) {
    const w = watchAt(p);
    p = w.iw_vnext;
    if ((w.iw_mask & mask & IN_ALL_EVENTS) == 0 || (unlinked && w.iw_mask & IN_EXCL_UNLINK)) continue;
    queueEvent(changetype<Inotify>(<usize>w.iw_in), w.iw_wd, mask, cookie, ncp);
    if ((w.iw_mask & IN_ONESHOT) == 0) continue;
    if (!ended) vnodeRef(vp);
    ended = true;
    watchEnd(w);
  }
  spinUnlock(lk());
  // its last watch may have been all that kept it from being reclaimed
  if (ended) vnodePut(vp);
}

/** The vnode is reclaimed or killed, or without links and done with by a name; or its mount went. */
export function inotifyVnodeGone(vp: Vnode): void {
  const deleted = vp.v_fc.fc_attr.va_nlink == 0;
  let mask = deleted ? IN_DELETE_SELF : IN_UNMOUNT;
  if (!deleted && vp.v_type == S_IFDIR) mask |= IN_ISDIR;
  spinLock(lk());
  while (vp.v_watches != 0) {
    const w = watchAt(vp.v_watches);
    const wants = !deleted || (w.iw_mask & IN_DELETE_SELF) != 0;
    if (wants) queueEvent(changetype<Inotify>(<usize>w.iw_in), w.iw_wd, mask, 0, changetype<Namecache>(<usize>0));
    watchEnd(w);
  }
  spinUnlock(lk());
}

// ── the queue (r_inolock held) ───────────────────────────────────────────────────────────────

/** Bytes that an event takes in a reader's buffer: the name has a NUL and is padded to 16. */
export function eventBytes(ie: InoEvent): u32 {
  return ie.ie_namelen == 0 ? INOTIFY_EVENT_SIZE : INOTIFY_EVENT_SIZE + ((ie.ie_namelen + 16) & ~15);
}

export function eventName(ie: InoEvent): usize {
  return changetype<usize>(ie) + IE_NAME;
}

function sameAsLast(inp: Inotify, wd: i32, mask: u32, ncp: Namecache): bool {
  if (inp.in_tail == 0 || mask & IN_IGNORED) return false;
  const ie = eventAt(inp.in_tail);
  if (ie.ie_wd != wd || ie.ie_mask != mask) return false;
  if (changetype<usize>(ncp) == 0) return ie.ie_namelen == 0;
  return ie.ie_namelen == ncp.nc_namelen && memory.compare(eventName(ie), ncp.nc_namep, ie.ie_namelen) == 0;
}

function sameChange(inp: Inotify, vp: Vnode, mask: u32, ncp: Namecache): bool {
  if (inp.in_tail == 0) return false;
  const ie = eventAt(inp.in_tail);
  if (ie.ie_mask != mask || ie.ie_size == 0) return false;
  const va = vp.v_fc.fc_attr;
  const at = eventName(ie);
  if (load<u32>(at, IA_DEV) != va.va_dev || load<f64>(at, IA_INO) != <f64>va.va_ino) return false;
  const len = ie.ie_namelen - IA_NAME;
  if (changetype<usize>(ncp) == 0) return len == 0;
  return len == ncp.nc_namelen && memory.compare(at + IA_NAME, ncp.nc_namep, len) == 0;
}

/** An event with room for its name, zeroed; null: no memory, or the queues have had their share. */
function eventAlloc(size: u32): InoEvent {
  const r = roots();
  if (r.r_inobytes + size > r.r_nframes << (PAGE_SHIFT - 4)) return eventAt(0);
  const ie = changetype<InoEvent>(kmalloc(size, ALLOC_NOWAIT | ALLOC_ZERO));
  if (changetype<usize>(ie) == 0) return ie;
  ie.ie_size = size;
  r.r_inobytes += size;
  return ie;
}

function eventFree(ie: InoEvent): void {
  roots().r_inobytes -= ie.ie_size;
  kfree(changetype<usize>(ie));
}

/** An event for the end of the queue, with room for a name after `before` bytes; null: the queue is full. */
function eventFor(inp: Inotify, mask: u32, ncp: Namecache, before: u32): InoEvent {
  let ie = eventAt(0);
  if (inp.in_count < QUEUE_MAX) {
    // another CPU may be renaming it: room for whatever name it has then
    const len = changetype<usize>(ncp) == 0 ? 0 : SMP ? NAME_MAX : ncp.nc_namelen;
    ie = eventAlloc(<u32>IE_NAME + before + len);
  }
  if (changetype<usize>(ie) == 0) return ie;
  ie.ie_mask = mask;
  ie.ie_namelen = before;
  if (changetype<usize>(ncp) != 0) ie.ie_namelen += cacheNameCopy(ncp, eventName(ie) + before);
  return ie;
}

function queueEvent(inp: Inotify, wd: i32, mask: u32, cookie: u32, ncp: Namecache): void {
  if (sameAsLast(inp, wd, mask, ncp)) return;
  const ie = eventFor(inp, mask, ncp, 0);
  if (changetype<usize>(ie) != 0) {
    ie.ie_wd = wd;
    ie.ie_cookie = cookie;
  }
  append(inp, ie);
}

function queueChange(inp: Inotify, vp: Vnode, mask: u32, ncp: Namecache): void {
  if (sameChange(inp, vp, mask, ncp)) return;
  const ie = eventFor(inp, mask, ncp, IA_NAME);
  if (changetype<usize>(ie) != 0) {
    const va = vp.v_fc.fc_attr;
    store<u32>(eventName(ie), va.va_dev, IA_DEV);
    store<f64>(eventName(ie), <f64>va.va_ino, IA_INO);
  }
  append(inp, ie);
}

/** The newest event from now on; null: there was no room for it. */
function append(inp: Inotify, given: InoEvent): void {
  let ie = given;
  if (changetype<usize>(ie) == 0) {
    if (inp.in_overflow == 0) return;
    ie = eventAt(inp.in_overflow);
    inp.in_overflow = 0;
    ie.ie_wd = -1;
    ie.ie_mask = IN_Q_OVERFLOW;
  }
  ie.ie_next = 0;
  if (inp.in_tail != 0) eventAt(inp.in_tail).ie_next = <u32>changetype<usize>(ie);
  else inp.in_head = <u32>changetype<usize>(ie);
  inp.in_tail = <u32>changetype<usize>(ie);
  inp.in_count++;
  inp.in_bytes += eventBytes(ie);
  wakeup(inp.in_chan);
  selWakeup();
}

/**
 * Take the oldest event if it fits in `cap` bytes: it is the caller's then, to give to eventDone
 * or eventBack. null: there is none, or (errno at `errp`, else 0) it does not fit.
 */
export function eventTake(inp: Inotify, cap: u32, errp: usize): InoEvent {
  spinLock(lk());
  let ie = eventAt(inp.in_head);
  store<i32>(errp, 0);
  if (changetype<usize>(ie) != 0) {
    const n = eventBytes(ie);
    if (n > cap) {
      store<i32>(errp, -EINVAL);
      ie = eventAt(0);
    } else {
      inp.in_head = ie.ie_next;
      if (inp.in_head == 0) inp.in_tail = 0;
      inp.in_count--;
      inp.in_bytes -= n;
    }
  }
  spinUnlock(lk());
  return ie;
}

/** An event was read: free it, or set it aside again. */
export function eventDone(inp: Inotify, ie: InoEvent): void {
  spinLock(lk());
  if (ie.ie_size == 0) inp.in_overflow = <u32>changetype<usize>(ie);
  else eventFree(ie);
  spinUnlock(lk());
}

/** An event could not be read: it is the oldest again. */
export function eventBack(inp: Inotify, ie: InoEvent): void {
  spinLock(lk());
  ie.ie_next = inp.in_head;
  inp.in_head = <u32>changetype<usize>(ie);
  if (inp.in_tail == 0) inp.in_tail = inp.in_head;
  inp.in_count++;
  inp.in_bytes += eventBytes(ie);
  spinUnlock(lk());
}

// ── watches ──────────────────────────────────────────────────────────────────────────────────

/** Off both lists and freed, with IN_IGNORED told. Lock held. */
function watchEnd(w: Watch): void {
  queueEvent(changetype<Inotify>(<usize>w.iw_in), w.iw_wd, IN_IGNORED, 0, changetype<Namecache>(<usize>0));
  watchUnlink(w);
}

/** Off both lists and freed. Lock held. */
function watchUnlink(w: Watch): void {
  const inp = changetype<Inotify>(<usize>w.iw_in);
  const vp = changetype<Vnode>(<usize>w.iw_vp);
  if (w.iw_vprev != 0) watchAt(w.iw_vprev).iw_vnext = w.iw_vnext;
  else vp.v_watches = w.iw_vnext;
  if (w.iw_vnext != 0) watchAt(w.iw_vnext).iw_vprev = w.iw_vprev;
  if (w.iw_iprev != 0) watchAt(w.iw_iprev).iw_inext = w.iw_inext;
  else inp.in_watches = w.iw_inext;
  if (w.iw_inext != 0) watchAt(w.iw_inext).iw_iprev = w.iw_iprev;
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_inotify'), -1);
  zoneFree(changetype<Zone>(<usize>roots().r_zinowatch), changetype<usize>(w));
}

/** On both lists. Lock held. */
function watchLink(w: Watch, inp: Inotify, vp: Vnode): void {
  const p = <u32>changetype<usize>(w);
  w.iw_in = <u32>changetype<usize>(inp);
  w.iw_vp = <u32>changetype<usize>(vp);
  w.iw_vnext = vp.v_watches;
  if (vp.v_watches != 0) watchAt(vp.v_watches).iw_vprev = p;
  vp.v_watches = p;
  w.iw_inext = inp.in_watches;
  if (inp.in_watches != 0) watchAt(inp.in_watches).iw_iprev = p;
  inp.in_watches = p;
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_inotify'), 1);
}

/**
 * Watch a vnode the caller holds, or change its watch: the watch descriptor or an errno. -EIO of one
 * that was revoked: it told its watchers that it went, and is freed without a word.
 */
export function inotifyAdd(inp: Inotify, vp: Vnode, mask: u32): i32 {
  const zone = changetype<Zone>(<usize>roots().r_zinowatch);
  const fresh = zoneAlloc(zone, ALLOC_NOIO | ALLOC_ZERO);
  spinLock(lk());
  let p = vp.v_watches;
  while (p != 0 && watchAt(p).iw_in != <u32>changetype<usize>(inp)) p = watchAt(p).iw_vnext;
  let r: i32;
  let used = false;
  if (p != 0) {
    const w = watchAt(p);
    r = mask & IN_MASK_CREATE ? -EEXIST : w.iw_wd;
    if (r > 0) w.iw_mask = (mask & IN_MASK_ADD ? w.iw_mask : 0) | (mask & KEPT_FLAGS);
  } else if (vp.v_flag & VN_DEAD) r = -EIO;
  else if (fresh == 0) r = -ENOMEM;
  else if (roots().r_inotify >= WATCHES_MAX || inp.in_lastwd == i32.MAX_VALUE) r = -ENOSPC;
  else {
    const w = changetype<Watch>(fresh);
    r = ++inp.in_lastwd;
    w.iw_wd = r;
    w.iw_mask = mask & KEPT_FLAGS;
    watchLink(w, inp, vp);
    used = true;
  }
  spinUnlock(lk());
  if (!used && fresh != 0) zoneFree(zone, fresh);
  return r;
}

/** End a watch: 0, or -EINVAL if there is none of that number. */
export function inotifyRemove(inp: Inotify, wd: i32): i32 {
  spinLock(lk());
  let p = inp.in_watches;
  while (p != 0 && watchAt(p).iw_wd != wd) p = watchAt(p).iw_inext;
  if (p == 0) {
    spinUnlock(lk());
    return -EINVAL;
  }
  const vp = changetype<Vnode>(<usize>watchAt(p).iw_vp);
  vnodeRef(vp);
  watchEnd(watchAt(p));
  spinUnlock(lk());
  vnodePut(vp);
  return 0;
}

// ── the object behind a descriptor ───────────────────────────────────────────────────────────

/** A queue with no watches; null: no memory. */
export function inotifyMake(): Inotify {
  const zone = changetype<Zone>(<usize>roots().r_zinotify);
  const inp = changetype<Inotify>(zoneAlloc(zone, ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(inp) == 0) return inp;
  inp.in_overflow = <u32>kmalloc(<u32>IE_NAME, ALLOC_NOIO | ALLOC_ZERO);
  if (inp.in_overflow == 0) {
    zoneFree(zone, changetype<usize>(inp));
    return changetype<Inotify>(<usize>0);
  }
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_ninotify'), 1);
  return inp;
}

/** Let it be a queue of everything that others than the current process do. */
export function inotifyEverything(inp: Inotify): void {
  spinLock(lk());
  inp.in_maker = curproc().p_pid;
  inp.in_next = roots().r_inoall;
  roots().r_inoall = <u32>changetype<usize>(inp);
  spinUnlock(lk());
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_inotify'), 1);
}

/** It is told nothing more. */
function everythingEnd(inp: Inotify): void {
  spinLock(lk());
  const r = roots();
  const p = <u32>changetype<usize>(inp);
  if (r.r_inoall == p) r.r_inoall = inp.in_next;
  else {
    let q = changetype<Inotify>(<usize>r.r_inoall);
    while (q.in_next != p) q = changetype<Inotify>(<usize>q.in_next);
    q.in_next = inp.in_next;
  }
  spinUnlock(lk());
  add32(changetype<usize>(r) + offsetof<Roots>('r_inotify'), -1);
}

/** Free it with its watches and events. */
export function inotifyFree(inp: Inotify): void {
  if (inp.in_maker != 0) everythingEnd(inp);
  while (inp.in_watches != 0) {
    spinLock(lk());
    const w = watchAt(inp.in_watches);
    if (SMP && changetype<usize>(w) == 0) {
      spinUnlock(lk());
      break;
    }
    const vp = changetype<Vnode>(<usize>w.iw_vp);
    vnodeRef(vp);
    watchUnlink(w);
    spinUnlock(lk());
    vnodePut(vp);
  }
  spinLock(lk());
  while (inp.in_head != 0) {
    const ie = eventAt(inp.in_head);
    inp.in_head = ie.ie_next;
    eventFree(ie);
  }
  spinUnlock(lk());
  if (inp.in_overflow != 0) kfree(inp.in_overflow);
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_ninotify'), -1);
  zoneFree(changetype<Zone>(<usize>roots().r_zinotify), changetype<usize>(inp));
}

/** For a reader that is about to wait: the lock, so that no event comes between look and wait. */
export function inotifyLock(): void {
  spinLock(lk());
}

export function inotifyUnlock(): void {
  spinUnlock(lk());
}
