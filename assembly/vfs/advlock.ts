/**
 * Advisory locks: flock(2), fcntl(2) record locks, and open-file-description (OFD) locks.
 *
 *     kind       owner   what                      conflicts with
 *     LK_POSIX   Proc    byte ranges               other processes' LK_POSIX, every LK_OFD
 *     LK_OFD     File    byte ranges               other Files' LK_OFD, every LK_POSIX
 *     LK_FLOCK   File    the whole file            other Files' LK_FLOCK
 *
 * A vnode with locks has a LockHead (v_flocks): its list of records, and the channel of those
 * who wait. An owner's ranges are kept apart and in order, those of one type that touch merged.
 *
 * A1. A record's owner keeps the vnode: a File holds it, and a process loses its records with the
 *     first descriptor of the file it closes. So no record outlives its vnode.
 * A2. A LockHead exists while it has a record. Whoever waits, waits for a record there.
 * A3. Every LK_POSIX request that waits is also a record on r_flockq, so that a process about to
 *     wait for one that (over others) waits for it is told EDEADLK. Its Lwp owns that record.
 *
 * Guard: r_flocklock (spin) for all of it; memory is taken before, by the outer functions.
 */
import { EAGAIN, EDEADLK, ENOLCK, ERETRY } from '../abi/errno';
import { F_UNLCK, F_WRLCK } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { add32, spinLock, spinUnlock } from '../kern/lock';
import { Text, textByte, textHex, textI64, textLit, textU64 } from '../kern/text';
import { File } from '../proc/file';
import { Proc } from '../proc/proc';
import { Chan, Lwp, lwpBlock, lwpGet, lwpResume, wakeup } from '../proc/sleep';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { Vnode } from './vnode';

@unmanaged
export class Flock {
  fl_start: i64;
  fl_end: i64; //   inclusive; FL_EOF: wherever the end comes to be
  fl_next: u32; //  its LockHead's list, or r_flockq
  fl_owner: u32; // Proc or File
  fl_kind: u32; //  LK_*
  fl_type: u32; //  F_RDLCK, F_WRLCK
  fl_pid: i32; //   who asked; -1 for LK_OFD
  fl_vp: u32; //    on r_flockq: the Vnode waited on (held by the Lwp's File)
  fl_mark: u32; //  on r_flockq: r_flockgen when the search for a cycle came by
  fl_pad: u32;
}

/** The locks of one vnode. In a zone of records: no larger than a Flock. */
@unmanaged
export class LockHead {
  lh_list: u32; //  Flocks; an owner's stand together, in order of fl_start
  lh_vp: u32;
  lh_next: u32; //  r_flockheads
  lh_prev: u32;
  lh_chan0: u32; // Chan of who waits for any of them
  lh_chan1: u32;

  // @ts-ignore: decorator
  @inline
  get lh_chan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<LockHead>('lh_chan0'));
  }
}

/** What VOP_ADVLOCK is asked, and for LR_TEST answers: the record in the way, or type F_UNLCK. */
@unmanaged
export class LockReq {
  lr_start: i64;
  lr_end: i64;
  lr_op: u32; //    LR_*
  lr_kind: u32;
  lr_type: u32; //  F_*LCK
  lr_owner: u32;
  lr_pid: i32;
  lr_file: u32; //  File the call was made by
  lr_call: u32; //  CALL_* for the Lwp; 0: do not wait
  lr_pad: u32;
}

export const LK_POSIX: u32 = 0;
export const LK_OFD: u32 = 1;
export const LK_FLOCK: u32 = 2;
export const LR_SET: u32 = 0;
export const LR_TEST: u32 = 1;
export const FL_EOF: i64 = i64.MAX_VALUE;

/** Records on one machine; more are ENOLCK. */
const LOCKS_MAX: u32 = 65536;

if (offsetof<Flock>() % 8 != 0) ERROR('Flock');
if (offsetof<LockHead>() > offsetof<Flock>()) ERROR('LockHead');
if (offsetof<LockReq>() > 64) ERROR('LockReq: it has eight words of scratch');

/** The longest line that locksText writes for a record. */
export const LOCK_LINE_MAX: u32 = 128;

/** How many records there are now. */
export function lockCount(): u32 {
  return roots().r_nflocks;
}

/**
 * /proc/locks: a line for each record, as proc(5) gives it; at most `max` of them. The text has room
 * for those, because a spin lock is held while it is written.
 */
export function locksText(t: Text, max: u32): void {
  let n: u32 = 0;
  spinLock(lk());
  for (let q = roots().r_flockheads; q != 0; q = changetype<LockHead>(<usize>q).lh_next) {
    const h = changetype<LockHead>(<usize>q);
    for (let p = h.lh_list; p != 0 && n < max; p = flockAt(p).fl_next) {
      n++;
      lockLine(t, n, flockAt(p), changetype<Vnode>(<usize>h.lh_vp));
    }
  }
  spinUnlock(lk());
}

function lockLine(t: Text, n: u32, fl: Flock, vp: Vnode): void {
  const va = vp.v_fc.fc_attr;
  textU64(t, n);
  textLit(t, fl.fl_kind == LK_POSIX ? ': POSIX  ADVISORY  ' : fl.fl_kind == LK_OFD ? ': OFDLCK ADVISORY  ' : ': FLOCK  ADVISORY  ');
  textLit(t, fl.fl_type == F_WRLCK ? 'WRITE ' : 'READ ');
  textI64(t, fl.fl_pid);
  textLit(t, ' 00:');
  textHex(t, va.va_dev);
  textByte(t, 58);
  textU64(t, va.va_ino);
  textByte(t, 32);
  textI64(t, fl.fl_start);
  textByte(t, 32);
  if (fl.fl_end == FL_EOF) textLit(t, 'EOF');
  else textI64(t, fl.fl_end);
  textByte(t, 10);
}

export function lockInit(): void {
  roots().r_zflock = <u32>changetype<usize>(zoneCreate('flock', offsetof<Flock>(), 0));
}

function lk(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_flocklock');
}

// @ts-ignore: decorator
@inline
function zone(): Zone {
  return changetype<Zone>(<usize>roots().r_zflock);
}

// @ts-ignore: decorator
@inline
function headOf(vp: Vnode): LockHead {
  return changetype<LockHead>(<usize>vp.v_flocks);
}

// @ts-ignore: decorator
@inline
function flockAt(p: u32): Flock {
  return changetype<Flock>(<usize>p);
}

function recordAlloc(): u32 {
  if (roots().r_nflocks >= LOCKS_MAX) return 0;
  const p = <u32>zoneAlloc(zone(), ALLOC_NOIO | ALLOC_ZERO);
  if (p != 0) count(1);
  return p;
}

function recordFree(p: u32): void {
  if (p == 0) return;
  count(-1);
  zoneFree(zone(), p);
}

function count(n: i32): void {
  add32(changetype<usize>(roots()) + offsetof<Roots>('r_nflocks'), n);
}

/** The vnode's LockHead, made if need be, with the lock taken; null: no memory, nothing taken. */
function headLock(vp: Vnode): LockHead {
  while (true) {
    const fresh: u32 = vp.v_flocks == 0 ? recordAlloc() : 0;
    spinLock(lk());
    if (vp.v_flocks != 0) {
      recordFree(fresh);
      return headOf(vp);
    }
    if (fresh != 0) {
      headLink(changetype<LockHead>(<usize>fresh), vp);
      return headOf(vp);
    }
    spinUnlock(lk());
    // another CPU may have freed the head between our look and the lock: then try again
    if (!SMP || roots().r_nflocks >= LOCKS_MAX) return changetype<LockHead>(<usize>0);
    const probe = recordAlloc();
    if (probe == 0) return changetype<LockHead>(<usize>0);
    recordFree(probe);
  }
}

function headLink(h: LockHead, vp: Vnode): void {
  const r = roots();
  h.lh_vp = <u32>changetype<usize>(vp);
  h.lh_next = r.r_flockheads;
  if (r.r_flockheads != 0) changetype<LockHead>(<usize>r.r_flockheads).lh_prev = <u32>changetype<usize>(h);
  r.r_flockheads = <u32>changetype<usize>(h);
  vp.v_flocks = <u32>changetype<usize>(h);
}

/** Records changed: whoever waits looks again, and a list that is empty goes. Lock held. */
function headSettle(vp: Vnode): void {
  const h = headOf(vp);
  wakeup(h.lh_chan);
  if (h.lh_list != 0) return;
  if (h.lh_prev != 0) changetype<LockHead>(<usize>h.lh_prev).lh_next = h.lh_next;
  else roots().r_flockheads = h.lh_next;
  if (h.lh_next != 0) changetype<LockHead>(<usize>h.lh_next).lh_prev = h.lh_prev;
  vp.v_flocks = 0;
  recordFree(<u32>changetype<usize>(h));
}

// ── conflicts ────────────────────────────────────────────────────────────────────────────────

/** Does a record stand in the way of a request? */
function conflicts(fl: Flock, kind: u32, owner: u32, type: u32, start: i64, end: i64): bool {
  if (fl.fl_type != F_WRLCK && type != F_WRLCK) return false;
  if ((fl.fl_kind == LK_FLOCK) != (kind == LK_FLOCK)) return false;
  if (fl.fl_kind == kind && fl.fl_owner == owner) return false;
  return fl.fl_start <= end && start <= fl.fl_end;
}

/** The first record in the way, from `from` on in its list, or null. */
function firstConflict(from: u32, kind: u32, owner: u32, type: u32, start: i64, end: i64): Flock {
  let p = from;
  while (p != 0 && !conflicts(flockAt(p), kind, owner, type, start, end)) p = flockAt(p).fl_next;
  return flockAt(p);
}

function reqConflict(vp: Vnode, q: LockReq): Flock {
  if (vp.v_flocks == 0) return flockAt(0);
  return firstConflict(headOf(vp).lh_list, q.lr_kind, q.lr_owner, q.lr_type, q.lr_start, q.lr_end);
}

// ── ranges ───────────────────────────────────────────────────────────────────────────────────

/** Where the records of an owner begin in a list: the link that points there (or to the end). */
function groupLink(h: LockHead, kind: u32, owner: u32): usize {
  let link = changetype<usize>(h) + offsetof<LockHead>('lh_list');
  while (load<u32>(link) != 0) {
    const fl = flockAt(load<u32>(link));
    if (fl.fl_kind == kind && fl.fl_owner == owner) break;
    link = changetype<usize>(fl) + offsetof<Flock>('fl_next');
  }
  return link;
}

/** Would clearing [start, end] of an owner's ranges cut one in two? */
function splits(vp: Vnode, q: LockReq): bool {
  if (vp.v_flocks == 0) return false;
  let p = load<u32>(groupLink(headOf(vp), q.lr_kind, q.lr_owner));
  while (p != 0 && flockAt(p).fl_kind == q.lr_kind && flockAt(p).fl_owner == q.lr_owner) {
    if (flockAt(p).fl_start < q.lr_start && flockAt(p).fl_end > q.lr_end) return true;
    p = flockAt(p).fl_next;
  }
  return false;
}

/**
 * Give [lr_start, lr_end] the type asked for. `spare` is a list of two records (fewer if they are
 * not needed); returns the list of those left over, to be freed. Lock held.
 */
function rangeSet(h: LockHead, q: LockReq, spare: u32): u32 {
  let start = q.lr_start;
  let end = q.lr_end;
  const type = q.lr_type;
  let link = groupLink(h, q.lr_kind, q.lr_owner);
  while (load<u32>(link) != 0) {
    const p = load<u32>(link);
    const fl = flockAt(p);
    if (fl.fl_kind != q.lr_kind || fl.fl_owner != q.lr_owner) break;
    // one that touches merges too, if it is of the type
    const touch: i64 = fl.fl_type == type ? 1 : 0;
    if (fl.fl_start > end && fl.fl_start - touch > end) break;
    if (fl.fl_end < start && fl.fl_end + touch < start) {
      link = changetype<usize>(fl) + offsetof<Flock>('fl_next');
      continue;
    }
    if (touch != 0) {
      if (fl.fl_start < start) start = fl.fl_start;
      if (fl.fl_end > end) end = fl.fl_end;
    } else if (fl.fl_start < start) {
      if (fl.fl_end > end) {
        // the new range lies inside: the old one goes on behind it
        const rest = flockAt(spare);
        spare = rest.fl_next;
        memory.copy(changetype<usize>(rest), p, offsetof<Flock>());
        rest.fl_start = end + 1;
        fl.fl_next = <u32>changetype<usize>(rest);
      }
      fl.fl_end = start - 1;
      link = changetype<usize>(fl) + offsetof<Flock>('fl_next');
      continue;
    } else if (fl.fl_end > end) {
      fl.fl_start = end + 1;
      break;
    }
    store<u32>(link, fl.fl_next);
    fl.fl_next = spare;
    spare = p;
  }
  if (type == F_UNLCK) return spare;
  const fl = flockAt(spare);
  spare = fl.fl_next;
  fl.fl_start = start;
  fl.fl_end = end;
  fl.fl_owner = q.lr_owner;
  fl.fl_kind = q.lr_kind;
  fl.fl_type = type;
  fl.fl_pid = q.lr_pid;
  fl.fl_next = load<u32>(link);
  store<u32>(link, <u32>changetype<usize>(fl));
  return spare;
}

/** Two records in a list, or as many as there are. */
function spares(): u32 {
  const a = recordAlloc();
  const b = a != 0 ? recordAlloc() : 0;
  if (b == 0) return a;
  flockAt(b).fl_next = a;
  return b;
}

function sparesFree(list: u32): void {
  while (list != 0) {
    const next = flockAt(list).fl_next;
    recordFree(list);
    list = next;
  }
}

/** LR_SET of a range: 0, -EAGAIN, -EDEADLK, -ENOLCK, -ERESTART. */
function setRange(vp: Vnode, q: LockReq): i32 {
  if (q.lr_type == F_UNLCK && vp.v_flocks == 0) return 0;
  let spare = spares();
  const enough = spare != 0 && flockAt(spare).fl_next != 0;
  if (!enough && (q.lr_type != F_UNLCK || SMP || splits(vp, q))) {
    sparesFree(spare);
    return -ENOLCK;
  }
  const h = headLock(vp);
  if (changetype<usize>(h) == 0) {
    sparesFree(spare);
    return -ENOLCK;
  }
  if (q.lr_type != F_UNLCK && changetype<usize>(reqConflict(vp, q)) != 0) {
    spinUnlock(lk());
    sparesFree(spare);
    return wait(vp, q);
  }
  spare = rangeSet(h, q, spare);
  note(q);
  headSettle(vp);
  spinUnlock(lk());
  sparesFree(spare);
  return 0;
}

/** Its owner may hold a lock now: closing has to look. */
function note(q: LockReq): void {
  if (q.lr_kind == LK_POSIX) changetype<Proc>(<usize>q.lr_owner).p_locks = 1;
  else changetype<File>(<usize>q.lr_owner).f_lockinfo = 1;
}

// ── waiting, and not for ever ────────────────────────────────────────────────────────────────

/** Something is in the way: wait for it if the call may. -ERETRY: it is gone by now. */
function wait(vp: Vnode, q: LockReq): i32 {
  if (q.lr_call == 0) return -EAGAIN;
  const l = lwpGet(q.lr_call, changetype<File>(<usize>q.lr_file));
  const record: u32 = q.lr_kind == LK_POSIX ? recordAlloc() : 0;
  if (changetype<usize>(l) == 0 || (q.lr_kind == LK_POSIX && record == 0)) {
    recordFree(record);
    return -ENOLCK;
  }
  spinLock(lk());
  if (SMP && changetype<usize>(reqConflict(vp, q)) == 0) {
    // let go in the meantime
    spinUnlock(lk());
    recordFree(record);
    return -ERETRY;
  }
  let e: i32 = 0;
  if (record != 0) {
    if (wouldDeadlock(vp, q)) e = -EDEADLK;
    else waiterAdd(vp, q, l, record);
  }
  if (e == 0) e = lwpBlock(headOf(vp).lh_chan, q.lr_call, changetype<File>(<usize>q.lr_file), 0);
  spinUnlock(lk());
  if (e == -EDEADLK) recordFree(record);
  return e;
}

/** On r_flockq, as the Lwp's. Lock held. */
function waiterAdd(vp: Vnode, q: LockReq, l: Lwp, record: u32): void {
  const fl = flockAt(record);
  fl.fl_start = q.lr_start;
  fl.fl_end = q.lr_end;
  fl.fl_owner = q.lr_owner;
  fl.fl_kind = q.lr_kind;
  fl.fl_type = q.lr_type;
  fl.fl_pid = q.lr_pid;
  fl.fl_vp = <u32>changetype<usize>(vp);
  fl.fl_next = roots().r_flockq;
  roots().r_flockq = record;
  l.lwp_arg = record;
}

/** A wait for a lock is over, however it ended: its record goes. */
export function lockWaitEnd(l: Lwp): void {
  const record = l.lwp_arg;
  if (record == 0) return;
  l.lwp_arg = 0;
  spinLock(lk());
  let link = changetype<usize>(roots()) + offsetof<Roots>('r_flockq');
  while (load<u32>(link) != record) link = <usize>load<u32>(link) + offsetof<Flock>('fl_next');
  store<u32>(link, flockAt(record).fl_next);
  spinUnlock(lk());
  recordFree(record);
}

/**
 * Is one of those in the way waiting, over however many others, for the owner of q? Every process
 * that is waited for is marked; a marked one that waits itself marks those it waits for. Lock held.
 */
function wouldDeadlock(vp: Vnode, q: LockReq): bool {
  const r = roots();
  const gen = ++r.r_flockgen;
  if (markBlockers(headOf(vp).lh_list, q.lr_owner, q.lr_type, q.lr_start, q.lr_end, gen, q.lr_owner)) return true;
  let more = true;
  while (more) {
    more = false;
    for (let p = r.r_flockq; p != 0; p = flockAt(p).fl_next) {
      const fl = flockAt(p);
      if (fl.fl_mark == gen || changetype<Proc>(<usize>fl.fl_owner).p_lockmark != gen) continue;
      fl.fl_mark = gen;
      more = true;
      const h = headOf(changetype<Vnode>(<usize>fl.fl_vp));
      if (changetype<usize>(h) == 0) continue;
      if (markBlockers(h.lh_list, fl.fl_owner, fl.fl_type, fl.fl_start, fl.fl_end, gen, q.lr_owner)) return true;
    }
  }
  return false;
}

/** Mark the processes that hold what is in the way of a request; true if `self` is one. */
function markBlockers(list: u32, owner: u32, type: u32, start: i64, end: i64, gen: u32, self: u32): bool {
  let fl = firstConflict(list, LK_POSIX, owner, type, start, end);
  while (changetype<usize>(fl) != 0) {
    if (fl.fl_kind == LK_POSIX) {
      if (fl.fl_owner == self) return true;
      changetype<Proc>(<usize>fl.fl_owner).p_lockmark = gen;
    }
    fl = firstConflict(fl.fl_next, LK_POSIX, owner, type, start, end);
  }
  return false;
}

// ── flock(2) ─────────────────────────────────────────────────────────────────────────────────

/** LR_SET of LK_FLOCK. A change of type lets the old lock go first, as flock(2) says. */
function setWhole(vp: Vnode, q: LockReq): i32 {
  if (q.lr_type == F_UNLCK && vp.v_flocks == 0) return 0;
  const fresh: u32 = q.lr_type == F_UNLCK ? 0 : recordAlloc();
  if (fresh == 0 && q.lr_type != F_UNLCK) return -ENOLCK;
  const h = headLock(vp);
  if (changetype<usize>(h) == 0) {
    recordFree(fresh);
    return -ENOLCK;
  }
  const link = groupLink(h, LK_FLOCK, q.lr_owner);
  const old = load<u32>(link);
  const same = old != 0 && flockAt(old).fl_type == q.lr_type;
  if (old != 0 && !same) {
    store<u32>(link, flockAt(old).fl_next);
    wakeup(h.lh_chan);
  }
  const blocked = !same && q.lr_type != F_UNLCK && changetype<usize>(reqConflict(vp, q)) != 0;
  let left = fresh;
  if (!same && !blocked && fresh != 0) {
    rangeSet(h, q, fresh);
    left = 0;
  }
  note(q);
  // Who only waits changes nothing and wakes nobody: two that wait would wake each other for ever.
  if (!blocked) headSettle(vp);
  spinUnlock(lk());
  recordFree(left);
  if (old != 0 && !same) recordFree(old);
  return blocked ? wait(vp, q) : 0;
}

// ── the operation, and the ends of owners ────────────────────────────────────────────────────

/** VOP_ADVLOCK on this machine alone: the default. */
export function advlockLocal(vp: Vnode, q: LockReq): i32 {
  const l = lwpResume();
  if (changetype<usize>(l) != 0) lockWaitEnd(l);
  if (q.lr_op == LR_SET) {
    let e: i32;
    do e = q.lr_kind == LK_FLOCK ? setWhole(vp, q) : setRange(vp, q);
    while (e == -ERETRY);
    return e;
  }
  spinLock(lk());
  const fl = reqConflict(vp, q);
  if (changetype<usize>(fl) == 0) q.lr_type = F_UNLCK;
  else {
    q.lr_type = fl.fl_type;
    q.lr_start = fl.fl_start;
    q.lr_end = fl.fl_end;
    q.lr_pid = fl.fl_pid;
  }
  spinUnlock(lk());
  return 0;
}

/** Drop the records of an owner: a Proc's (LK_POSIX) or a File's (the two others). */
function dropOwned(vp: Vnode, owner: u32, posix: bool): void {
  if (vp.v_flocks == 0) return;
  let gone: u32 = 0;
  spinLock(lk());
  if (SMP && vp.v_flocks == 0) {
    spinUnlock(lk());
    return;
  }
  let link = changetype<usize>(headOf(vp)) + offsetof<LockHead>('lh_list');
  while (load<u32>(link) != 0) {
    const p = load<u32>(link);
    const fl = flockAt(p);
    if (fl.fl_owner != owner || (fl.fl_kind == LK_POSIX) != posix) {
      link = changetype<usize>(fl) + offsetof<Flock>('fl_next');
      continue;
    }
    store<u32>(link, fl.fl_next);
    fl.fl_next = gone;
    gone = p;
  }
  if (gone != 0) headSettle(vp);
  spinUnlock(lk());
  sparesFree(gone);
}

/** The last reference of a File that may hold flock or OFD locks went. */
export function lockFileClosed(fp: File): void {
  dropOwned(changetype<Vnode>(<usize>fp.f_vp), <u32>changetype<usize>(fp), false);
}

/** A process closed a descriptor of vp: its record locks there go. */
export function lockProcClosed(vp: Vnode, p: Proc): void {
  dropOwned(vp, <u32>changetype<usize>(p), true);
}
