/**
 * jbd2: a journal from its superblock to its end.
 *
 *     journalAlloc ─→ journalAddRun for each piece of it ─→ journalLoad ─→ journalRecover ─→ journalStart
 *                                                                                     journalClose
 *
 * Source: journal.rst, "Super Block".
 */
import { EINVAL, ENOMEM, EUCLEAN } from '../../abi/errno';
import {
  JBD2_COMPAT_CHECKSUM,
  JBD2_CRC32C_CHKSUM,
  JBD2_DEFAULT_FC_BLKS,
  JBD2_INCOMPAT_64BIT,
  JBD2_INCOMPAT_ASYNC_COMMIT,
  JBD2_INCOMPAT_CSUM_V2,
  JBD2_INCOMPAT_CSUM_V3,
  JBD2_INCOMPAT_FAST_COMMIT,
  JBD2_INCOMPAT_REVOKE,
  JBD2_MAGIC,
  JBD2_SUPERBLOCK_V1,
  JBD2_SUPERBLOCK_V2,
  JH_BLOCKTYPE,
  JH_MAGIC,
  JSB_BLOCKSIZE,
  JSB_CHECKSUM,
  JSB_CHECKSUM_TYPE,
  JSB_ERRNO,
  JSB_FEATURE_COMPAT,
  JSB_FEATURE_INCOMPAT,
  JSB_FIRST,
  JSB_MAXLEN,
  JSB_NR_USERS,
  JSB_NUM_FC_BLKS,
  JSB_SEQUENCE,
  JSB_SIZE,
  JSB_START,
} from '../../abi/jbd2';
import { PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { klog } from '../../kern/panic';
import { frameArrayFree } from '../../vm/array';
import { ALLOC_NOIO, ALLOC_ZERO, PG_DIRTY, PG_KERNEL, PG_WIRED, pageAddr, pageAlloc, pageFree, pageOf } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { brelse, bread, bufError, bufForget } from '../../vfs/buf';
import { Fscache, fscacheDropPage } from '../../vfs/fscache';
import { Disk, diskOf } from '../../dev/disk';
import { be32, csumSeed, hasBlockCsum, putBe32, superCsum } from './csum';
import {
  bufFree,
  bufUnlink,
  JBuf,
  JN_64BIT,
  JN_ABORTED,
  JN_ASYNC,
  JN_BARRIER,
  JN_CSUM1,
  JN_CSUM2,
  JN_CSUM3,
  JN_EMPTY,
  JN_FASTCOMMIT,
  JN_FRESH,
  JN_REVOKE,
  Journal,
  journalCheckpoint,
} from './journal';
import { logBlock, logMapped, logWriteError, logWriteSuper } from './log';
import { revokeClear } from './revoke';

const KNOWN_INCOMPAT: u32 =
  JBD2_INCOMPAT_REVOKE |
  JBD2_INCOMPAT_64BIT |
  JBD2_INCOMPAT_ASYNC_COMMIT |
  JBD2_INCOMPAT_CSUM_V2 |
  JBD2_INCOMPAT_CSUM_V3 |
  JBD2_INCOMPAT_FAST_COMMIT;

/** The fewest blocks that a log is of use with. */
const LOG_MIN: u32 = 64;
/** A transaction takes this part of the log at the most. */
const LOG_SHARE: u32 = 4;
/** And of RAM. */
const RAM_SHARE: u32 = 8;
/** No file system asks for more credits at once, so a transaction always may have so many blocks. */
const HANDLE_MAX: u32 = 256;

function frame(): u32 {
  const pg = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
  return changetype<usize>(pg) == 0 ? 0 : <u32>pageAddr(pg);
}

/** A journal that nothing is known of yet; null: no memory. */
export function journalAlloc(fc: Fscache, shift: u32, fsblocks: u64): Journal {
  const jn = changetype<Journal>(kmalloc(<u32>offsetof<Journal>(), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(jn) == 0) return jn;
  jn.jn_fc = fc;
  jn.jn_disk = diskOf(fc);
  jn.jn_shift = shift;
  jn.jn_bsize = 1 << shift;
  jn.jn_fsblocks = fsblocks;
  jn.jn_buf = frame();
  jn.jn_copy = frame();
  jn.jn_revoke = frame();
  if (jn.jn_buf != 0 && jn.jn_copy != 0 && jn.jn_revoke != 0) return jn;
  journalFree(jn);
  return changetype<Journal>(<usize>0);
}

function frameDrop(addr: u32): void {
  if (addr != 0) pageFree(pageOf(addr));
}

/**
 * Let go of all that is in RAM. What was not committed is lost, and must not get home: not even where
 * an older, committed content of the same block waits for write-back. That one is in the log.
 */
export function journalFree(jn: Journal): void {
  while (jn.jn_bufs != 0) {
    const jb = changetype<JBuf>(<usize>jn.jn_bufs);
    const pg = pageOf(jb.jb_addr);
    bufForget(jn.jn_fc, jb.jb_block, jn.jn_shift);
    bufUnlink(jn, jb);
    bufFree(jb);
    // read anew by whoever wants it next
    if (pg.pg_hold == 0 && (pg.pg_flags & (PG_WIRED | PG_DIRTY)) == 0) fscacheDropPage(jn.jn_fc, pg);
  }
  if (jn.jn_revoke != 0) revokeClear(jn);
  if (jn.jn_sb != 0) brelse(jn.jn_sb);
  frameDrop(jn.jn_buf);
  frameDrop(jn.jn_copy);
  frameDrop(jn.jn_revoke);
  if (jn.jn_runs.fa_cap != 0) frameArrayFree(jn.jn_runs);
  kfree(changetype<usize>(jn));
}

function refuse(what: string, value: u64, error: i32): i32 {
  klog(what, value);
  return error;
}

/** Read the superblock and check it: 0, -EUCLEAN, -EINVAL (a feature that is not known), -EIO. */
export function journalLoad(jn: Journal): i32 {
  const first = logBlock(jn, 0);
  if (first == 0) return -EUCLEAN;
  const sb = bread(jn.jn_fc, first, jn.jn_shift);
  if (sb == 0) return bufError();
  jn.jn_sb = <u32>sb;
  const type = be32(sb + JH_BLOCKTYPE);
  if (be32(sb + JH_MAGIC) != JBD2_MAGIC || (type != JBD2_SUPERBLOCK_V1 && type != JBD2_SUPERBLOCK_V2))
    return refuse('jbd2: no journal superblock at block', first, -EUCLEAN);
  const e = type == JBD2_SUPERBLOCK_V2 ? loadFeatures(jn, sb) : 0;
  return e != 0 ? e : loadSizes(jn, sb);
}

function loadFeatures(jn: Journal, sb: usize): i32 {
  const compat = be32(sb + JSB_FEATURE_COMPAT);
  const incompat = be32(sb + JSB_FEATURE_INCOMPAT);
  if (incompat & ~KNOWN_INCOMPAT) return refuse('jbd2: unknown features', incompat & ~KNOWN_INCOMPAT, -EINVAL);
  if (incompat & JBD2_INCOMPAT_64BIT) jn.jn_flags |= JN_64BIT;
  if (incompat & JBD2_INCOMPAT_REVOKE) jn.jn_flags |= JN_REVOKE;
  if (incompat & JBD2_INCOMPAT_ASYNC_COMMIT) jn.jn_flags |= JN_ASYNC;
  if (incompat & JBD2_INCOMPAT_FAST_COMMIT) jn.jn_flags |= JN_FASTCOMMIT;
  if (incompat & JBD2_INCOMPAT_CSUM_V2) jn.jn_flags |= JN_CSUM2;
  if (incompat & JBD2_INCOMPAT_CSUM_V3) jn.jn_flags |= JN_CSUM3;
  if (!hasBlockCsum(jn)) {
    if (compat & JBD2_COMPAT_CHECKSUM) jn.jn_flags |= JN_CSUM1;
    return 0;
  }
  if ((jn.jn_flags & (JN_CSUM2 | JN_CSUM3)) == (JN_CSUM2 | JN_CSUM3) || compat & JBD2_COMPAT_CHECKSUM)
    return refuse('jbd2: several kinds of checksums', incompat, -EUCLEAN);
  if (load<u8>(sb + JSB_CHECKSUM_TYPE) != JBD2_CRC32C_CHKSUM)
    return refuse('jbd2: unknown checksums', load<u8>(sb + JSB_CHECKSUM_TYPE), -EINVAL);
  if (be32(sb + JSB_CHECKSUM) != superCsum(sb)) return refuse('jbd2: bad superblock checksum', 0, -EUCLEAN);
  jn.jn_csumseed = csumSeed(sb);
  return 0;
}

function loadSizes(jn: Journal, sb: usize): i32 {
  const maxlen = be32(sb + JSB_MAXLEN);
  const first = be32(sb + JSB_FIRST);
  const start = be32(sb + JSB_START);
  if (be32(sb + JSB_BLOCKSIZE) != jn.jn_bsize) return refuse('jbd2: bad block size', be32(sb + JSB_BLOCKSIZE), -EUCLEAN);
  if (maxlen < LOG_MIN || maxlen > logMapped(jn)) return refuse('jbd2: bad length', maxlen, -EUCLEAN);
  let last = maxlen;
  if (jn.jn_flags & JN_FASTCOMMIT) {
    const fc = be32(sb + JSB_NUM_FC_BLKS);
    const blocks = fc == 0 ? JBD2_DEFAULT_FC_BLKS : fc;
    if (blocks >= maxlen) return refuse('jbd2: bad number of fast commit blocks', blocks, -EUCLEAN);
    last = maxlen - blocks;
  }
  if (first == 0 || first >= last || last - first < LOG_MIN / 2) return refuse('jbd2: bad first block', first, -EUCLEAN);
  if (start != 0 && (start < first || start >= last)) return refuse('jbd2: bad start', start, -EUCLEAN);
  jn.jn_maxlen = maxlen;
  jn.jn_first = first;
  jn.jn_last = last;
  jn.jn_max = (last - first) / LOG_SHARE;
  // what it has pinned, each block a page of its own at worst, leaves room for everybody else
  let most = roots().r_nframes / RAM_SHARE;
  if (most < HANDLE_MAX) most = HANDLE_MAX;
  if (jn.jn_max > most) jn.jn_max = most;
  jn.jn_seq = be32(sb + JSB_SEQUENCE);
  jn.jn_done = jn.jn_seq - 1;
  if (start == 0) jn.jn_flags |= JN_EMPTY;
  return 0;
}

/** The error that the journal's last user noted in it (positive); 0: none. */
export function journalNotedError(jn: Journal): u32 {
  return be32(<usize>jn.jn_sb + JSB_ERRNO);
}

/**
 * Begin to write: the log is empty (journalRecover). `want`: JN_BARRIER, and JN_CSUM3 and JN_64BIT if the file
 * system has such. Its superblock is written with the first commit, or now if it tells of an error of long ago. 0 or
 * what that failed with.
 */
export function journalStart(jn: Journal, want: u32): i32 {
  const sb = <usize>jn.jn_sb;
  if (be32(sb + JH_BLOCKTYPE) == JBD2_SUPERBLOCK_V1) {
    memory.fill(sb + JSB_FEATURE_COMPAT, 0, JSB_SIZE - JSB_FEATURE_COMPAT);
    putBe32(sb + JH_BLOCKTYPE, JBD2_SUPERBLOCK_V2);
    putBe32(sb + JSB_NR_USERS, 1);
  }
  let incompat = be32(sb + JSB_FEATURE_INCOMPAT) & ~JBD2_INCOMPAT_ASYNC_COMMIT;
  incompat |= JBD2_INCOMPAT_REVOKE;
  if (want & JN_64BIT) incompat |= JBD2_INCOMPAT_64BIT;
  if (want & JN_CSUM3) {
    incompat = (incompat & ~JBD2_INCOMPAT_CSUM_V2) | JBD2_INCOMPAT_CSUM_V3;
    store<u8>(sb + JSB_CHECKSUM_TYPE, <u8>JBD2_CRC32C_CHKSUM);
  }
  putBe32(sb + JSB_FEATURE_INCOMPAT, incompat);
  putBe32(sb + JSB_FEATURE_COMPAT, be32(sb + JSB_FEATURE_COMPAT) & ~JBD2_COMPAT_CHECKSUM);
  jn.jn_flags = JN_EMPTY | JN_FRESH | JN_REVOKE | (want & JN_BARRIER) | (jn.jn_flags & JN_FASTCOMMIT);
  if (incompat & JBD2_INCOMPAT_64BIT) jn.jn_flags |= JN_64BIT;
  if (incompat & JBD2_INCOMPAT_CSUM_V2) jn.jn_flags |= JN_CSUM2;
  if (incompat & JBD2_INCOMPAT_CSUM_V3) jn.jn_flags |= JN_CSUM3;
  jn.jn_csumseed = csumSeed(sb);
  jn.jn_head = jn.jn_first;
  jn.jn_used = 0;
  jn.jn_done = jn.jn_seq - 1;
  return journalNotedError(jn) != 0 ? logWriteSuper(jn, 0, jn.jn_seq) : 0;
}

/**
 * Commit, bring everything home, and free it: 0 or an errno. Of one that was given up the log stays as it is,
 * and its superblock tells why to who replays it, if the disk still takes that.
 */
export function journalClose(jn: Journal): i32 {
  let e = jn.jn_errno;
  if ((jn.jn_flags & JN_ABORTED) == 0) e = journalCheckpoint(jn);
  else logWriteError(jn);
  journalFree(jn);
  return e;
}
