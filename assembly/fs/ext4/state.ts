/**
 * ext4: from read-only to writable and back, which is what mount, remount and unmount are made of.
 *
 *     read (super.ts) ─→ read-only ─ ext4Start: journal, orphans, marked in use ─→ writable
 *                            ↑                                                        │
 *                            └──── ext4Stop: all written, log empty, marked clean ────┘
 *
 * A file system that ext4Error stopped is read-only, and marked as having errors; it does not start again.
 */
import { EINVAL, EROFS, EUCLEAN } from '../../abi/errno';
import {
  COMPAT_HAS_JOURNAL,
  EXT4_STATE_ERROR,
  EXT4_STATE_VALID,
  INCOMPAT_RECOVER,
  SB_LAST_MOUNTED,
  SB_MAX_MNT_COUNT,
  SB_MNT_COUNT,
  SB_MTIME,
  SB_STATE,
} from '../../abi/ext4';
import { PATH_MAX } from '../../abi/flags';
import { clockNow, random64 } from '../../kern/clock';
import { Disk, diskFlush, diskSync, diskUpgrade } from '../../dev/disk';
import { curproc } from '../../proc/proc';
import { BUF_FUA } from '../../vfs/buf';
import { placePath } from '../../vfs/place';
import { scratchPath } from '../../vfs/scratch';
import { Mount } from '../../vfs/mount';
import { ballocDone, ballocInit } from './balloc';
import { ext4ErrorStore, ext4Log } from './error';
import { ext4Commit, ext4JournalClose, ext4JournalOpen, recoverSet } from './journal';
import { ext4OrphansEnd } from './orphan';
import { superDirty, superFill, superWrite } from './super';
import { ext4Begin, ext4End, nowSec32 } from './txn';
import { EM_ERROR, EM_NOREPLAY, EM_RDONLY, EM_ROFEATURE, EM_SBDIRTY, Ext4Mount, hasCompat, hasIncompat, MO_NOLOAD } from './types';

const LAST_MOUNTED_BYTES: u32 = 64;

// @ts-ignore: decorator
@inline
export function emDisk(em: Ext4Mount): Disk {
  return changetype<Disk>(<usize>em.em_disk);
}

function stateSet(em: Ext4Mount, set: u32, clear: u32): void {
  const at = <usize>em.em_sb + SB_STATE;
  store<u16>(at, <u16>((<u32>load<u16>(at) & ~clear) | set));
}

/** Mark it in use: what a crash leaves says so. */
function markUsed(em: Ext4Mount): i32 {
  const sb = <usize>em.em_sb;
  clockNow();
  store<u32>(sb + SB_MTIME, nowSec32());
  const n = <u32>load<u16>(sb + SB_MNT_COUNT);
  store<u16>(sb + SB_MNT_COUNT, <u16>(n < 0xffff ? n + 1 : n));
  if (load<u16>(sb + SB_MAX_MNT_COUNT) == 0) store<u16>(sb + SB_MAX_MNT_COUNT, 0xffff);
  // with a journal it is valid at any time, after a replay; its first commit makes this durable before there is one
  if (em.em_jn == 0) stateSet(em, 0, EXT4_STATE_VALID);
  else recoverSet(em, true);
  return superWrite(em, em.em_jn == 0 ? BUF_FUA : 0);
}

/** Become writable: 0, -EROFS, -EUCLEAN, an I/O error; then it is read-only. */
export function ext4Start(em: Ext4Mount): i32 {
  if (em.em_flags & (EM_ROFEATURE | EM_NOREPLAY)) return -EROFS;
  if (em.em_flags & EM_ERROR) return -EUCLEAN;
  let e = diskUpgrade(emDisk(em));
  if (e != 0) return e;
  em.em_nextgen = <u32>random64();
  if ((<u32>load<u16>(<usize>em.em_sb + SB_STATE) & EXT4_STATE_ERROR) != 0) ext4Log(em, 'it has errors: check it', 0);
  e = ballocInit(em);
  if (e != 0) return e;
  em.em_flags &= ~EM_RDONLY;
  if (hasCompat(em, COMPAT_HAS_JOURNAL)) {
    // what is in a log that is not replayed must not be written over
    if (em.em_opts & MO_NOLOAD) e = hasIncompat(em, INCOMPAT_RECOVER) ? -EROFS : 0;
    else e = ext4JournalOpen(em);
  }
  if (e == 0) e = markUsed(em);
  if (e == 0) e = ext4OrphansEnd(em);
  if (e != 0) {
    ballocDone(em);
    ext4JournalClose(em);
    em.em_flags |= EM_RDONLY;
  }
  return e;
}

/** Where it is mounted, for s_last_mounted. */
function pathStore(em: Ext4Mount, mp: Mount): void {
  if (changetype<usize>(mp.mnt_covered) == 0) return;
  const end = scratchPath(1) + PATH_MAX;
  const n = placePath(curproc(), <u32>changetype<usize>(mp), <u32>changetype<usize>(mp.mnt_root), end, PATH_MAX, true, 0);
  if (n <= 0) return;
  const at = <usize>em.em_sb + SB_LAST_MOUNTED;
  memory.fill(at, 0, LAST_MOUNTED_BYTES);
  memory.copy(at, end - n, <u32>n < LAST_MOUNTED_BYTES ? n : LAST_MOUNTED_BYTES - 1);
}

/** Make all that is in RAM of the metadata durable: 0 or an errno. Files' pages are written already. */
export function ext4Sync(em: Ext4Mount): i32 {
  if (em.em_flags & EM_RDONLY) return 0;
  if (em.em_flags & EM_SBDIRTY) {
    let e = ext4Begin(em, 1);
    if (e != 0) return e;
    pathStore(em, em.em_mount);
    superFill(em);
    e = superDirty(em);
    ext4End(em);
    if (e != 0) return e;
  }
  return em.em_jn != 0 ? ext4Commit(em) : diskSync(emDisk(em));
}

/** Become read-only, all written and marked clean: 0 or an errno. Nobody writes. */
export function ext4Stop(em: Ext4Mount): i32 {
  if (em.em_flags & EM_ERROR && em.em_flags & EM_RDONLY) return stopShut(em);
  if (em.em_flags & EM_RDONLY) return 0;
  let e = ext4Sync(em);
  const had = em.em_jn != 0;
  ballocDone(em);
  const f = ext4JournalClose(em);
  if (e == 0) e = f;
  em.em_flags |= EM_RDONLY;
  if (e != 0) return e;
  if (had) recoverSet(em, false);
  if (em.em_flags & EM_ERROR) stateSet(em, EXT4_STATE_ERROR, 0);
  else stateSet(em, EXT4_STATE_VALID, 0);
  e = diskSync(emDisk(em));
  if (e == 0) e = superWrite(em, BUF_FUA);
  return e != 0 ? e : diskFlush(emDisk(em));
}

/** An error stopped it: the log stays as it is for a replay; that there was an error is written. */
function stopShut(em: Ext4Mount): i32 {
  const had = em.em_jn != 0;
  ballocDone(em);
  ext4JournalClose(em);
  if ((em.em_flags & EM_SBDIRTY) == 0) return 0;
  return had ? ext4ErrorStore(em) : superWrite(em, BUF_FUA);
}
