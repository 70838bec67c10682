/**
 * jbd2: recovery. Three passes over the log, from where its superblock says it begins:
 *
 *     SCAN    find the last transaction whose commit block is there and good
 *     REVOKE  collect what those transactions revoke
 *     REPLAY  bring their blocks home, revoked ones left out, through the buffer cache
 *
 * All of it is hostile: tags are within their block, blocks within the file system, the walk is no
 * longer than the log. What does not check ends the log if the power could have done that; a
 * transaction that was committed and does not check is damage (-EUCLEAN), and nothing is replayed.
 */
import { ENOMEM, EOPNOTSUPP, EUCLEAN } from '../../abi/errno';
import {
  FC_HEAD_TID,
  FC_TAG,
  FC_TAG_HEAD,
  JBD2_COMMIT_BLOCK,
  JBD2_CRC32_CHKSUM,
  JBD2_CRC32_CHKSUM_SIZE,
  JBD2_DESCRIPTOR_BLOCK,
  JBD2_FLAG_ESCAPE,
  JBD2_FLAG_LAST_TAG,
  JBD2_FLAG_SAME_UUID,
  JBD2_MAGIC,
  JBD2_REVOKE_BLOCK,
  JBT_SIZE,
  JC_CHKSUM,
  JC_CHKSUM_SIZE,
  JC_CHKSUM_TYPE,
  JH_BLOCKTYPE,
  JH_MAGIC,
  JH_SEQUENCE,
  JH_SIZE,
  JR_BLOCKS,
  JR_COUNT,
  JSB_SEQUENCE,
  JSB_START,
  JT3_BLOCKNR,
  JT3_BLOCKNR_HIGH,
  JT3_CHECKSUM,
  JT3_FLAGS,
  JT_BLOCKNR,
  JT_BLOCKNR_HIGH,
  JT_CHECKSUM,
  JT_FLAGS,
  JT_UUID_SIZE,
} from '../../abi/jbd2';
import { klog } from '../../kern/panic';
import { bget, brelse, bufDirty, bufError } from '../../vfs/buf';
import { vop_putpages } from '../../vfs/vop';
import { ALLOC_NOIO, ALLOC_RESERVE, ALLOC_ZERO } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { diskFlush } from '../../dev/disk';
import { tagBytes, tailBytes } from './commit';
import { be16, be32, blockCsum, commitCsum, crc32be, dataCsum, hasBlockCsum } from './csum';
import { JN_64BIT, JN_ASYNC, JN_CSUM1, JN_CSUM3, JN_FASTCOMMIT, Journal } from './journal';
import { logNext, logRead, logWriteSuper } from './log';
import { isRevoked, revokeAdd, revokeClear } from './revoke';

const PASS_SCAN: u32 = 0;
const PASS_REVOKE: u32 = 1;
const PASS_REPLAY: u32 = 2;

/** Blocks brought home between two write-backs. */
const BATCH: u32 = 256;

/** One pass's place in the log. */
@unmanaged
class Walk {
  w_pass: u32;
  w_seq: u32; //    transaction expected next
  w_end: u32; //    the first that is not to be replayed
  w_at: u32; //     block of the log
  w_seen: u32; //   blocks gone by: never more than the log has
  w_bad: u32; //    SCAN: something of the transaction at hand does not check
  w_crc: u32; //    SCAN, version 1: crc32 of the transaction's blocks so far
  w_home: u32; //   REPLAY: blocks brought home since the last write-back
}

/** -EUCLEAN when a commit block for transaction `seq` stands further on: it was whole once. */
function wasCommitted(jn: Journal, w: Walk): i32 {
  let at = w.w_at;
  const log = jn.jn_last - jn.jn_first;
  for (let n = w.w_seen; n < log; n++) {
    at = logNext(jn, at, 1);
    const e = logRead(jn, at, jn.jn_copy);
    if (e != 0) return e;
    const p = <usize>jn.jn_copy;
    if (be32(p + JH_MAGIC) != JBD2_MAGIC || be32(p + JH_BLOCKTYPE) != JBD2_COMMIT_BLOCK) continue;
    if (be32(p + JH_SEQUENCE) == w.w_seq && be32(p + JC_CHKSUM) == commitCsum(jn, p)) {
      klog('jbd2: a committed transaction is damaged:', w.w_seq);
      return -EUCLEAN;
    }
  }
  return 0;
}

function tailGood(jn: Journal, p: usize): bool {
  const at = jn.jn_bsize - JBT_SIZE;
  return !hasBlockCsum(jn) || be32(p + at) == blockCsum(jn, p, at);
}

function tagBlock(jn: Journal, tag: usize): u64 {
  const v3 = (jn.jn_flags & JN_CSUM3) != 0;
  const low: u64 = be32(tag + (v3 ? JT3_BLOCKNR : JT_BLOCKNR));
  if ((jn.jn_flags & JN_64BIT) == 0) return low;
  return low | (<u64>be32(tag + (v3 ? JT3_BLOCKNR_HIGH : JT_BLOCKNR_HIGH)) << 32);
}

// @ts-ignore: decorator
@inline
function tagFlags(jn: Journal, tag: usize): u32 {
  return jn.jn_flags & JN_CSUM3 ? be32(tag + JT3_FLAGS) : be16(tag + JT_FLAGS);
}

/** Does the copy in jn_copy have the checksum of its tag? */
function tagGood(jn: Journal, tag: usize, seq: u32): bool {
  if (!hasBlockCsum(jn)) return true;
  const sum = dataCsum(jn, jn.jn_copy, seq);
  return jn.jn_flags & JN_CSUM3 ? be32(tag + JT3_CHECKSUM) == sum : be16(tag + JT_CHECKSUM) == (sum & 0xffff);
}

/** SCAN of one tag: its block is the file system's, its copy is whole. 0 or what reading failed with. */
function scanTag(jn: Journal, w: Walk, tag: usize, at: u32): i32 {
  if (tagBlock(jn, tag) >= jn.jn_fsblocks) w.w_bad = 1;
  if (!hasBlockCsum(jn) && (jn.jn_flags & JN_CSUM1) == 0) return 0;
  const e = logRead(jn, at, jn.jn_copy);
  if (e != 0) return e;
  if (!tagGood(jn, tag, w.w_seq)) w.w_bad = 1;
  if (jn.jn_flags & JN_CSUM1) w.w_crc = crc32be(w.w_crc, jn.jn_copy, jn.jn_bsize);
  return 0;
}

/** REPLAY of one tag. */
function replayTag(jn: Journal, w: Walk, tag: usize, at: u32): i32 {
  const block = tagBlock(jn, tag);
  // SCAN found it good, but it was read again since
  if (block >= jn.jn_fsblocks) return -EUCLEAN;
  if (isRevoked(jn, block, w.w_seq)) return 0;
  let e = logRead(jn, at, jn.jn_copy);
  if (e != 0) return e;
  const b = bget(jn.jn_fc, block, jn.jn_shift);
  if (b == 0) return bufError();
  memory.copy(b, jn.jn_copy, jn.jn_bsize);
  if (tagFlags(jn, tag) & JBD2_FLAG_ESCAPE) store<u32>(b, bswap<u32>(JBD2_MAGIC));
  bufDirty(jn.jn_fc, b, jn.jn_shift);
  brelse(b);
  if (++w.w_home < BATCH) return 0;
  w.w_home = 0;
  return vop_putpages(jn.jn_fc.fc_fm, jn.jn_fc, 0, u32.MAX_VALUE, 0);
}

/** A descriptor block, in jn_buf, and what it names. */
function walkDescriptor(jn: Journal, w: Walk): i32 {
  const p = <usize>jn.jn_buf;
  const bytes = tagBytes(jn);
  const end = jn.jn_bsize - tailBytes(jn);
  let at = w.w_at;
  for (let off: u32 = JH_SIZE; off + bytes <= end; ) {
    const tag = p + off;
    const flags = tagFlags(jn, tag);
    at = logNext(jn, at, 1);
    w.w_seen++;
    let e: i32 = 0;
    if (w.w_pass == PASS_SCAN) e = scanTag(jn, w, tag, at);
    else if (w.w_pass == PASS_REPLAY) e = replayTag(jn, w, tag, at);
    if (e != 0) return e;
    off += bytes;
    if ((flags & JBD2_FLAG_SAME_UUID) == 0) off += JT_UUID_SIZE;
    if (flags & JBD2_FLAG_LAST_TAG) break;
  }
  w.w_at = at;
  return 0;
}

function walkRevokes(jn: Journal, w: Walk): i32 {
  const p = <usize>jn.jn_buf;
  const bytes: u32 = jn.jn_flags & JN_64BIT ? 8 : 4;
  const end = be32(p + JR_COUNT);
  if (end < JR_BLOCKS || end > jn.jn_bsize - tailBytes(jn)) {
    w.w_bad = 1;
    return 0;
  }
  if (w.w_pass != PASS_REVOKE) return 0;
  for (let off: u32 = JR_BLOCKS; off + bytes <= end; off += bytes) {
    const high: u64 = bytes == 8 ? be32(p + off) : 0;
    const block = (high << 32) | be32(p + off + bytes - 4);
    const e = revokeAdd(jn, block, w.w_seq, ALLOC_NOIO);
    if (e != 0) return e;
  }
  return 0;
}

/** Is the commit block in jn_buf good? */
function commitGood(jn: Journal, w: Walk): bool {
  const p = <usize>jn.jn_buf;
  if (hasBlockCsum(jn)) return be32(p + JC_CHKSUM) == commitCsum(jn, p);
  if ((jn.jn_flags & JN_CSUM1) == 0) return true;
  const type: u32 = load<u8>(p + JC_CHKSUM_TYPE);
  const size: u32 = load<u8>(p + JC_CHKSUM_SIZE);
  // written without one
  if (type == 0 && size == 0 && be32(p + JC_CHKSUM) == 0) return true;
  return type == JBD2_CRC32_CHKSUM && size == JBD2_CRC32_CHKSUM_SIZE && be32(p + JC_CHKSUM) == w.w_crc;
}

/** One pass. 0, or what reading and writing failed with; -EUCLEAN. SCAN leaves the end in w_end. */
function walk(jn: Journal, w: Walk, pass: u32): i32 {
  const sb = <usize>jn.jn_sb;
  w.w_pass = pass;
  w.w_seq = be32(sb + JSB_SEQUENCE);
  w.w_at = be32(sb + JSB_START);
  w.w_seen = 0;
  w.w_bad = 0;
  w.w_crc = ~0;
  w.w_home = 0;
  const p = <usize>jn.jn_buf;
  while (pass == PASS_SCAN || w.w_seq != w.w_end) {
    if (w.w_seen >= jn.jn_last - jn.jn_first) break;
    let e = logRead(jn, w.w_at, p);
    if (e != 0) return e;
    if (be32(p + JH_MAGIC) != JBD2_MAGIC || be32(p + JH_SEQUENCE) != w.w_seq) break;
    const type = be32(p + JH_BLOCKTYPE);
    if (type != JBD2_COMMIT_BLOCK && !tailGood(jn, p)) {
      e = jn.jn_flags & JN_ASYNC ? 0 : wasCommitted(jn, w);
      if (e != 0) return e;
      break;
    }
    if (type == JBD2_DESCRIPTOR_BLOCK) {
      if (jn.jn_flags & JN_CSUM1 && pass == PASS_SCAN) w.w_crc = crc32be(w.w_crc, p, jn.jn_bsize);
      e = walkDescriptor(jn, w);
    } else if (type == JBD2_REVOKE_BLOCK) e = walkRevokes(jn, w);
    else if (type == JBD2_COMMIT_BLOCK) {
      if (!commitGood(jn, w)) break;
      if (w.w_bad != 0) {
        if (jn.jn_flags & JN_ASYNC) break;
        klog('jbd2: a committed transaction is damaged:', w.w_seq);
        return -EUCLEAN;
      }
      w.w_seq++;
      w.w_crc = ~0;
    } else break;
    if (e != 0) return e;
    w.w_at = logNext(jn, w.w_at, 1);
    w.w_seen++;
  }
  if (pass == PASS_SCAN) w.w_end = w.w_seq;
  return 0;
}

/**
 * Are there fast commits behind the last full one? They are not replayed here. Linux begins their area one
 * block behind the log's end; both blocks are looked at.
 */
function fastCommits(jn: Journal, end: u32, out: usize): i32 {
  store<u32>(out, 0);
  if ((jn.jn_flags & JN_FASTCOMMIT) == 0) return 0;
  const p = <usize>jn.jn_buf;
  for (let at = jn.jn_last; at <= jn.jn_last + 1 && at < jn.jn_maxlen; at++) {
    const e = logRead(jn, at, p);
    if (e != 0) return e;
    if (load<u16>(p + FC_TAG) == FC_TAG_HEAD && load<u32>(p + FC_HEAD_TID) == end) store<u32>(out, 1);
  }
  return 0;
}

/** Must the log be replayed before the file system can be believed? */
export function journalNeedsRecovery(jn: Journal): bool {
  return be32(<usize>jn.jn_sb + JSB_START) != 0;
}

/**
 * Replay the log, and leave it empty: 0; -EUCLEAN when what was committed is damaged; -EOPNOTSUPP: there are fast
 * commits, and nothing was replayed; or what the disk failed with. Whatever was read from the disk before may be old now.
 */
export function journalRecover(jn: Journal): i32 {
  const w = changetype<Walk>(kmalloc(offsetof<Walk>(), ALLOC_RESERVE | ALLOC_ZERO));
  if (changetype<usize>(w) == 0) return -ENOMEM;
  const e = recover(jn, w);
  kfree(changetype<usize>(w));
  return e;
}

function recover(jn: Journal, w: Walk): i32 {
  w.w_end = be32(<usize>jn.jn_sb + JSB_SEQUENCE);
  let e = journalNeedsRecovery(jn) ? walk(jn, w, PASS_SCAN) : 0;
  if (e == 0) e = fastCommits(jn, w.w_end, changetype<usize>(jn) + offsetof<Journal>('jn_scratch'));
  if (e != 0) return e;
  if (jn.jn_scratch != 0) {
    klog('jbd2: there are fast commits to be replayed, which this kernel cannot, of transaction', w.w_end);
    return -EOPNOTSUPP;
  }
  if (!journalNeedsRecovery(jn)) return 0;
  const first = be32(<usize>jn.jn_sb + JSB_SEQUENCE);
  e = walk(jn, w, PASS_REVOKE);
  if (e == 0) e = walk(jn, w, PASS_REPLAY);
  revokeClear(jn);
  if (e == 0) e = vop_putpages(jn.jn_fc.fc_fm, jn.jn_fc, 0, u32.MAX_VALUE, 0);
  if (e == 0) e = diskFlush(jn.jn_disk);
  if (e != 0) return e;
  if (w.w_end != first) klog('jbd2: transactions replayed:', w.w_end - first);
  // one number is left out: what stands in the log from before must not be taken for the next
  jn.jn_seq = w.w_end + 1;
  return logWriteSuper(jn, 0, jn.jn_seq);
}
