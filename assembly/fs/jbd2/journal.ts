/**
 * jbd2: handles and the running transaction.
 *
 *     journalBegin ─→ journalDirty … ─→ journalEnd        a step of a file system, whole or not at all
 *          └─ running transaction ─ commit (commit.ts) ─→ in the log ─ checkpoint ─→ home, log empty
 *
 * A handle holds jn_lock shared, a commit exclusive: a commit never meets a block that is being
 * changed, so it writes the blocks themselves, and needs no frozen copies of them.
 *
 * J1. A block that the running transaction changed (a JBuf on jn_first) is pinned: its page is held and
 *     PG_WIRED, so it is neither dropped nor written home. When its commit block is on the disk it is
 *     an ordinary dirty buffer: write-back brings it home some time.
 * J2. The log is emptied at once: commit, write every dirty buffer home, FLUSH, then say so in the
 *     journal's superblock (journalCheckpoint). So what replay would write is either home already or
 *     still in the log.
 * J3. jn_running + jn_reserved blocks, their descriptors, the revoke records and a commit block fit what
 *     is free of the log, always: who begins makes room first, holding nothing (journalRoom). Nobody has
 *     credits for revoke records: one part in REVOKE_SHARE of the log is kept for those that open
 *     handles come to, and a log that is full all the same takes no block more (logPut).
 * J4. A handle changes no more blocks than it has credits for.
 * J5. After journalAbort nothing is written any more: not the log, and what the running transaction
 *     changed stays pinned until the journal is closed.
 * J6. The mount's vfs_seal is called with no handle open before a transaction is written: what changed many
 *     times in it (a checksum, the head of a list) is then put once into blocks that the transaction has already.
 *
 * Locks: jn_lock (RANK_JOURNAL); jn_spin guards the lists, counts and the pages' pg_private.
 *
 * Source of the format: Linux's Documentation/filesystems/ext4/journal.rst.
 */
import { EAGAIN, ENOMEM, ENOSPC, EROFS } from '../../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { clockNow } from '../../kern/clock';
import { curcpu } from '../../kern/cpu';
import { add32, lockExclusive, lockRelease, lockShared, RANK_JOURNAL, spinLock, spinUnlock } from '../../kern/lock';
import { kassert, klog } from '../../kern/panic';
import { FrameArray } from '../../vm/array';
import { ALLOC_RESERVE, PG_WIRED, pageAddr, pageFlag, pageOf, pageUnflag, VmPage } from '../../vm/page';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../../vm/zone';
import { bufForget } from '../../vfs/buf';
import { Fscache, fscachePage } from '../../vfs/fscache';
import { Mount } from '../../vfs/mount';
import { Disk, diskFlush } from '../../dev/disk';
import { checkpointLocked, commitLocked } from './commit';
import { revokeAdd, revokeCancel } from './revoke';

@unmanaged
export class Journal {
  jn_fsblocks: u64; //   blocks of the file system: what a tag may name
  jn_bioend: u64; //     log.ts: the disk's block behind the request being filled
  jn_fc: Fscache; //     the device's buffer cache
  jn_disk: Disk;
  jn_shift: u32; //      block size is 1 << this
  jn_bsize: u32;
  jn_flags: u32; //      JN_*
  jn_errno: i32; //      what it was aborted with
  jn_maxlen: u32; //     blocks of the journal
  jn_first: u32; //      the log is [jn_first, jn_last)
  jn_last: u32;
  jn_head: u32; //       the next block of the log to be written
  jn_used: u32; //       blocks behind jn_head that are not checkpointed
  jn_seq: u32; //        number of the running transaction
  jn_done: u32; //       number of the last one that was committed
  jn_csumseed: u32;
  jn_sb: u32; //         the journal's superblock, a buffer held
  jn_buf: u32; //        a frame for blocks that the journal makes
  jn_copy: u32; //       a frame for copies (escaped blocks), and for reading the log
  jn_bio: u32; //        log.ts: the request being filled; 0: none
  jn_lastrun: u32; //    log.ts: the run found last
  jn_bufs: u32; //       jn_spin; first JBuf of the running transaction, oldest first
  jn_bufstail: u32;
  jn_running: u32; //    jn_spin; how many
  jn_reserved: u32; //   jn_spin; credits of open handles not used yet
  jn_max: u32; //        most blocks of a transaction
  jn_nrevoke: u32; //    jn_spin; revoke records of the running transaction
  jn_revoke: u32; //     a frame: hash table of JRevoke (revoke.ts)
  jn_spin: u32; //       spin
  jn_lock: u32; //       Lock
  jn_lockwait: u32;
  jn_time: u32; //       seconds: when the running transaction got its first block or revoke record
  jn_scratch: u32; //    csum.ts: a number in the journal's byte order
  // jn_runs: where the journal's blocks are: { log block, length, disk block low, high }, four elements each
  jn_r0: u32;
  jn_r1: u32;
  jn_r2: u32;
  jn_r3: u32;
  jn_mount: Mount; //    whose file system this is (J6), or null: the test kit's

  // @ts-ignore: decorator
  @inline
  get jn_runs(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<Journal>('jn_r0'));
  }
}
if (offsetof<Journal>() % 8 != 0) ERROR('Journal');

export const JN_BARRIER: u32 = 1; //  FLUSH around commits
export const JN_CSUM2: u32 = 2; //    checksums as of version 2
export const JN_CSUM3: u32 = 4; //    and 3
export const JN_64BIT: u32 = 8;
export const JN_REVOKE: u32 = 16;
export const JN_EMPTY: u32 = 32; //   the superblock says that there is nothing in the log
export const JN_ABORTED: u32 = 64;
export const JN_CSUM1: u32 = 128; //  a checksum over whole transactions (read only)
export const JN_FASTCOMMIT: u32 = 256;
export const JN_ASYNC: u32 = 512; //  commit blocks did not wait for what they vouch for (read only)
export const JN_FRESH: u32 = 1024; // nothing has been committed since journalStart

/** A block that the running transaction changed. */
@unmanaged
export class JBuf {
  jb_block: u64;
  jb_addr: u32; //  its buffer
  jb_next: u32; //  jn_bufs
  jb_prev: u32;
  jb_pgnext: u32; // the other blocks of its page (pg_private)
}
if (offsetof<JBuf>() != 24) ERROR('JBuf');

export function jbd2Init(): void {
  roots().r_zjbuf = <u32>changetype<usize>(zoneCreate('jbuf', offsetof<JBuf>(), 0));
}

// @ts-ignore: decorator
@inline
export function jnSpin(jn: Journal): usize {
  return changetype<usize>(jn) + offsetof<Journal>('jn_spin');
}

// @ts-ignore: decorator
@inline
function jnLock(jn: Journal): usize {
  return changetype<usize>(jn) + offsetof<Journal>('jn_lock');
}

/** The part of the log that revoke records of open handles have to themselves. */
const REVOKE_SHARE: u32 = 8;

// ── room ─────────────────────────────────────────────────────────────────────────────────────

/** Blocks of the log that `n` blocks and the revoke records take: descriptors, a commit, and two to spare. */
export function logBlocksFor(jn: Journal, n: u32): u32 {
  const tags = (jn.jn_bsize - 32) / 16;
  const revokes = (jn.jn_bsize - 32) / 8;
  return n + n / tags + jn.jn_nrevoke / revokes + 5;
}

// @ts-ignore: decorator
@inline
function hasRoom(jn: Journal, credits: u32): bool {
  const n = jn.jn_running + jn.jn_reserved + credits;
  const log = jn.jn_last - jn.jn_first;
  return n <= jn.jn_max && logBlocksFor(jn, n) + log / REVOKE_SHARE <= log - jn.jn_used;
}

/** Room for a handle of so many credits: commit, and empty the log if that is not enough. 0, -ENOSPC (no log holds
 *  so many), or what the commit failed with. As journalCommit, the caller holds nothing. */
export function journalRoom(jn: Journal, credits: u32): i32 {
  lockExclusive(jnLock(jn), RANK_JOURNAL);
  let e: i32 = 0;
  if (!hasRoom(jn, credits)) e = commitLocked(jn);
  if (e == 0 && !hasRoom(jn, credits)) e = checkpointLocked(jn);
  if (e == 0 && !hasRoom(jn, credits) && jn.jn_reserved == 0) e = -ENOSPC;
  lockRelease(jnLock(jn));
  return e;
}

function reserve(jn: Journal, credits: u32): bool {
  spinLock(jnSpin(jn));
  const fits = hasRoom(jn, credits);
  if (fits) jn.jn_reserved += credits;
  spinUnlock(jnSpin(jn));
  return fits;
}

// ── handles ──────────────────────────────────────────────────────────────────────────────────

/** Begin a handle that changes at most `credits` blocks: 0, -EROFS (aborted), or -EAGAIN: a commit is needed first
 *  (journalRoom). In a handle already, it becomes part of that one; -ENOSPC: that has no room for so many more. */
export function journalBegin(jn: Journal, credits: u32): i32 {
  const c = curcpu;
  if (jn.jn_flags & JN_ABORTED) return -EROFS;
  if (c.c_jdepth != 0) {
    if (DEBUG) kassert(c.c_journal == <u32>changetype<usize>(jn), 'a handle inside one of another journal');
    if (c.c_jcredits < credits && !reserveMore(jn, credits - c.c_jcredits)) return -ENOSPC;
    c.c_jdepth++;
    return 0;
  }
  lockShared(jnLock(jn), RANK_JOURNAL);
  if (!reserve(jn, credits)) {
    lockRelease(jnLock(jn));
    return -EAGAIN;
  }
  // the transaction's age counts from here
  if (jn.jn_running == 0) clockNow();
  c.c_journal = <u32>changetype<usize>(jn);
  c.c_jdepth = 1;
  c.c_jcredits = credits;
  return 0;
}

function reserveMore(jn: Journal, more: u32): bool {
  if (!reserve(jn, more)) return false;
  curcpu.c_jcredits += more;
  return true;
}

/** Let the handle change `credits` blocks from now on: 0, or -EAGAIN: end it and begin another. */
export function journalExtend(jn: Journal, credits: u32): i32 {
  const left = curcpu.c_jcredits;
  if (jn.jn_flags & JN_ABORTED) return -EROFS;
  if (left >= credits) return 0;
  return reserveMore(jn, credits - left) ? 0 : -EAGAIN;
}

export function journalEnd(jn: Journal): void {
  const c = curcpu;
  if (DEBUG) kassert(c.c_jdepth != 0, 'a handle ended twice');
  if (--c.c_jdepth != 0) return;
  spinLock(jnSpin(jn));
  jn.jn_reserved -= c.c_jcredits;
  spinUnlock(jnSpin(jn));
  c.c_jcredits = 0;
  c.c_journal = 0;
  lockRelease(jnLock(jn));
}

// ── blocks ───────────────────────────────────────────────────────────────────────────────────

/** The record of the block whose buffer is at b, or null. jn_spin held. */
function bufRecord(b: usize): JBuf {
  let p = pageOf(b).pg_private;
  while (p != 0 && changetype<JBuf>(<usize>p).jb_addr != <u32>b) p = changetype<JBuf>(<usize>p).jb_pgnext;
  return changetype<JBuf>(<usize>p);
}

/** The block at b (from bread or bget) is changed in this handle, now or later in it. 0 or an errno. */
export function journalDirty(jn: Journal, b: usize, block: u64): i32 {
  const c = curcpu;
  if (DEBUG) kassert(c.c_jdepth != 0, 'a block changed outside of a handle');
  if (jn.jn_flags & JN_ABORTED) return -EROFS;
  spinLock(jnSpin(jn));
  let jb = bufRecord(b);
  spinUnlock(jnSpin(jn));
  if (changetype<usize>(jb) != 0) return 0;
  const zone = changetype<Zone>(<usize>roots().r_zjbuf);
  jb = changetype<JBuf>(zoneAlloc(zone, ALLOC_RESERVE));
  if (changetype<usize>(jb) == 0) return -ENOMEM;
  jb.jb_block = block;
  jb.jb_addr = <u32>b;
  spinLock(jnSpin(jn));
  if (SMP) {
    // another CPU may have been as quick
    if (changetype<usize>(bufRecord(b)) != 0) {
      spinUnlock(jnSpin(jn));
      zoneFree(zone, changetype<usize>(jb));
      return 0;
    }
  }
  link(jn, jb);
  if (DEBUG) kassert(c.c_jcredits != 0, 'a handle changed more blocks than it asked for');
  if (c.c_jcredits != 0) {
    c.c_jcredits--;
    jn.jn_reserved--;
  }
  spinUnlock(jnSpin(jn));
  revokeCancel(jn, block);
  return 0;
}

function link(jn: Journal, jb: JBuf): void {
  const pg = pageOf(jb.jb_addr);
  jb.jb_pgnext = pg.pg_private;
  pg.pg_private = <u32>changetype<usize>(jb);
  add32(changetype<usize>(pg) + offsetof<VmPage>('pg_hold'), 1);
  pageFlag(pg, PG_WIRED);
  jb.jb_next = 0;
  jb.jb_prev = jn.jn_bufstail;
  if (jn.jn_bufstail != 0) changetype<JBuf>(<usize>jn.jn_bufstail).jb_next = <u32>changetype<usize>(jb);
  else {
    jn.jn_bufs = <u32>changetype<usize>(jb);
    if (jn.jn_nrevoke == 0) jn.jn_time = <u32>curcpu.c_nowsec;
  }
  jn.jn_bufstail = <u32>changetype<usize>(jb);
  jn.jn_running++;
}

/** Out of the running transaction, its page let go. jn_spin held. */
export function bufUnlink(jn: Journal, jb: JBuf): void {
  const pg = pageOf(jb.jb_addr);
  let at = changetype<usize>(pg) + offsetof<VmPage>('pg_private');
  while (load<u32>(at) != <u32>changetype<usize>(jb)) at = <usize>load<u32>(at) + offsetof<JBuf>('jb_pgnext');
  store<u32>(at, jb.jb_pgnext);
  if (pg.pg_private == 0) pageUnflag(pg, PG_WIRED);
  add32(changetype<usize>(pg) + offsetof<VmPage>('pg_hold'), -1);
  if (jb.jb_prev != 0) changetype<JBuf>(<usize>jb.jb_prev).jb_next = jb.jb_next;
  else jn.jn_bufs = jb.jb_next;
  if (jb.jb_next != 0) changetype<JBuf>(<usize>jb.jb_next).jb_prev = jb.jb_prev;
  else jn.jn_bufstail = jb.jb_prev;
  jn.jn_running--;
}

export function bufFree(jb: JBuf): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zjbuf), changetype<usize>(jb));
}

/** The record of a block in the running transaction, or null: what is in it is in the cache. jn_spin held. */
function findBlock(jn: Journal, block: u64): JBuf {
  const pg = fscachePage(jn.jn_fc, <u32>(block >> (PAGE_SHIFT - jn.jn_shift)));
  if (changetype<usize>(pg) == 0) return changetype<JBuf>(<usize>0);
  return bufRecord(pageAddr(pg) + ((<usize>(block << jn.jn_shift)) & (PAGE_SIZE - 1)));
}

/**
 * A block of metadata was freed in this handle. What the running transaction has of it is forgotten, and
 * an older copy in the log is revoked: replay must not write it over what the block becomes.
 */
export function journalForget(jn: Journal, block: u64): void {
  spinLock(jnSpin(jn));
  const jb = findBlock(jn, block);
  if (changetype<usize>(jb) != 0) {
    bufUnlink(jn, jb);
    // its credit is the handle's again: it may dirty the block once more
    if (curcpu.c_jdepth != 0) {
      curcpu.c_jcredits++;
      jn.jn_reserved++;
    }
  }
  spinUnlock(jnSpin(jn));
  if (changetype<usize>(jb) != 0) bufFree(jb);
  bufForget(jn.jn_fc, block, jn.jn_shift);
  if (jn.jn_running == 0 && jn.jn_nrevoke == 0) jn.jn_time = <u32>curcpu.c_nowsec;
  // an empty log has no copy to be revoked
  const e = jn.jn_used == 0 ? 0 : revokeAdd(jn, block, jn.jn_seq, ALLOC_RESERVE);
  if (e != 0) journalAbort(jn, e);
}

/** The same for `count` blocks in a row. */
export function journalRevoke(jn: Journal, block: u64, count: u32): void {
  for (let i: u32 = 0; i < count; i++) journalForget(jn, block + i);
}

// ── commits ──────────────────────────────────────────────────────────────────────────────────

/** The running transaction's number. */
// @ts-ignore: decorator
@inline
export function journalTid(jn: Journal): u32 {
  return jn.jn_seq;
}

/** Is that transaction on the disk? Numbers wrap. */
// @ts-ignore: decorator
@inline
export function journalCommitted(jn: Journal, tid: u32): bool {
  return <i32>(jn.jn_done - tid) >= 0;
}

/** Commit the running transaction, or FLUSH if there is none: 0 or an errno. The caller has no handle,
 *  and nothing locked of rank JOURNAL or above. */
export function journalCommit(jn: Journal): i32 {
  if (DEBUG) kassert(curcpu.c_jdepth == 0, 'a commit inside a handle');
  if (jn.jn_flags & JN_ABORTED) return -EROFS;
  lockExclusive(jnLock(jn), RANK_JOURNAL);
  // with nothing to commit there may be data in the disk's cache all the same
  const empty = jn.jn_running == 0 && jn.jn_nrevoke == 0;
  const e = empty && jn.jn_flags & JN_BARRIER ? diskFlush(jn.jn_disk) : commitLocked(jn);
  lockRelease(jnLock(jn));
  return e;
}

/** Commit, bring everything home, empty the log: 0 or an errno. */
export function journalCheckpoint(jn: Journal): i32 {
  if (jn.jn_flags & JN_ABORTED) return -EROFS;
  lockExclusive(jnLock(jn), RANK_JOURNAL);
  const e = checkpointLocked(jn);
  lockRelease(jnLock(jn));
  return e;
}

/** Is it time to commit? The transaction is large for the log or for RAM, or older than `seconds`. */
export function journalPressure(jn: Journal, now: u32, seconds: u32): bool {
  if (jn.jn_running == 0 && jn.jn_nrevoke == 0) return false;
  const pinned = jn.jn_running >> (12 - jn.jn_shift);
  return jn.jn_running > jn.jn_max / 2 || pinned > roots().r_nframes / 16 || now - jn.jn_time >= seconds;
}

/** FLUSH around commits from now on, or not: the mount was told otherwise. */
export function journalBarrier(jn: Journal, on: bool): void {
  jn.jn_flags = on ? jn.jn_flags | JN_BARRIER : jn.jn_flags & ~JN_BARRIER;
}

/** Nothing more is written through it. */
export function journalAbort(jn: Journal, error: i32): void {
  if (jn.jn_flags & JN_ABORTED) return;
  jn.jn_flags |= JN_ABORTED;
  jn.jn_errno = error;
  klog('jbd2: the journal is given up, errno', <u64>(error < 0 ? -error : error));
}
