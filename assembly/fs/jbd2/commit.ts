/**
 * jbd2: commits and checkpoints. jn_lock is held exclusive, so no handle is open.
 *
 *     revoke blocks, descriptors each with its blocks → FLUSH → commit block (FUA)
 *
 * The first FLUSH makes the transaction's body durable before the block that vouches for it can be, and
 * with it the files' data that was written before; the FUA makes fsync's promise true. When the log
 * was empty, its superblock says where it begins before anything depends on that.
 */
import {
  JBD2_COMMIT_BLOCK,
  JBD2_DESCRIPTOR_BLOCK,
  JBD2_FLAG_ESCAPE,
  JBD2_FLAG_LAST_TAG,
  JBD2_FLAG_SAME_UUID,
  JBD2_MAGIC,
  JBD2_REVOKE_BLOCK,
  JBT_SIZE,
  JC_CHKSUM,
  JC_COMMIT_NSEC,
  JC_COMMIT_SEC,
  JH_BLOCKTYPE,
  JH_MAGIC,
  JH_SEQUENCE,
  JH_SIZE,
  JR_BLOCKS,
  JR_COUNT,
  JSB_UUID,
  JT3_BLOCKNR,
  JT3_BLOCKNR_HIGH,
  JT3_CHECKSUM,
  JT3_FLAGS,
  JT3_SIZE,
  JT_BLOCKNR,
  JT_BLOCKNR_HIGH,
  JT_CHECKSUM,
  JT_CSUM2_EXTRA,
  JT_FLAGS,
  JT_SIZE_32,
  JT_SIZE_64,
  JT_UUID_SIZE,
} from '../../abi/jbd2';
import { clockNow } from '../../kern/clock';
import { curcpu } from '../../kern/cpu';
import { spinLock, spinUnlock } from '../../kern/lock';
import { bufDirty } from '../../vfs/buf';
import { vfs_seal } from '../../vfs/mount';
import { vop_putpages } from '../../vfs/vop';
import { diskFlush } from '../../dev/disk';
import { blockCsum, commitCsum, dataCsum, hasBlockCsum, putBe16, putBe32 } from './csum';
import {
  bufFree,
  bufUnlink,
  JBuf,
  JN_64BIT,
  JN_ABORTED,
  JN_BARRIER,
  JN_CSUM2,
  JN_CSUM3,
  JN_EMPTY,
  JN_FRESH,
  jnSpin,
  Journal,
  journalAbort,
} from './journal';
import { logDrop, logPut, logPutDurable, logSubmit, logWriteSuper } from './log';
import { JRevoke, revokeBucket, revokeFree, revokeTake } from './revoke';

/** Bytes of a tag; the first of a descriptor has JT_UUID_SIZE more behind it. */
export function tagBytes(jn: Journal): u32 {
  if (jn.jn_flags & JN_CSUM3) return JT3_SIZE;
  const bytes = jn.jn_flags & JN_64BIT ? JT_SIZE_64 : JT_SIZE_32;
  return jn.jn_flags & JN_CSUM2 ? bytes + JT_CSUM2_EXTRA : bytes;
}

/** Bytes at a block's end that tags and records leave to the checksum. */
// @ts-ignore: decorator
@inline
export function tailBytes(jn: Journal): u32 {
  return hasBlockCsum(jn) ? JBT_SIZE : 0;
}

/** A block of the journal's own in jn_buf, zeros behind the header. */
function blockBegin(jn: Journal, type: u32): usize {
  const p = <usize>jn.jn_buf;
  memory.fill(p, 0, jn.jn_bsize);
  putBe32(p + JH_MAGIC, JBD2_MAGIC);
  putBe32(p + JH_BLOCKTYPE, type);
  putBe32(p + JH_SEQUENCE, jn.jn_seq);
  return p;
}

/** Its checksum, then into the log. */
function blockPut(jn: Journal, p: usize): i32 {
  const tail = jn.jn_bsize - JBT_SIZE;
  if (hasBlockCsum(jn)) putBe32(p + tail, blockCsum(jn, p, tail));
  return logPut(jn, p);
}

// ── the transaction's parts ──────────────────────────────────────────────────────────────────

function writeRevokes(jn: Journal): i32 {
  const recordBytes: u32 = jn.jn_flags & JN_64BIT ? 8 : 4;
  const end = jn.jn_bsize - tailBytes(jn);
  let from: u32 = 0;
  while (jn.jn_nrevoke != 0) {
    const p = blockBegin(jn, JBD2_REVOKE_BLOCK);
    let at: u32 = JR_BLOCKS;
    while (at + recordBytes <= end) {
      const rv = revokeTake(jn, from);
      if (rv == 0) break;
      const block = changetype<JRevoke>(<usize>rv).rv_block;
      from = revokeBucket(jn, block);
      revokeFree(rv);
      if (recordBytes == 8) {
        putBe32(p + at, <u32>(block >> 32));
        putBe32(p + at + 4, <u32>block);
      } else putBe32(p + at, <u32>block);
      at += recordBytes;
    }
    putBe32(p + JR_COUNT, at);
    let e = blockPut(jn, p);
    if (e == 0) e = logSubmit(jn);
    if (e != 0) return e;
  }
  return 0;
}

/** A block that begins with the magic number would be taken for one of the journal's. */
// @ts-ignore: decorator
@inline
function mustEscape(addr: usize): bool {
  return load<u32>(addr) == bswap<u32>(JBD2_MAGIC);
}

/** The block as it goes into the log: itself, or a copy without its first word. */
function logForm(jn: Journal, jb: JBuf): usize {
  if (!mustEscape(jb.jb_addr)) return jb.jb_addr;
  memory.copy(jn.jn_copy, jb.jb_addr, jn.jn_bsize);
  store<u32>(jn.jn_copy, 0);
  return jn.jn_copy;
}

function putTag(jn: Journal, tag: usize, jb: JBuf, flags: u32): void {
  const sum = hasBlockCsum(jn) ? dataCsum(jn, logForm(jn, jb), jn.jn_seq) : 0;
  const high = <u32>(jb.jb_block >> 32);
  if (jn.jn_flags & JN_CSUM3) {
    putBe32(tag + JT3_BLOCKNR, <u32>jb.jb_block);
    putBe32(tag + JT3_FLAGS, flags);
    putBe32(tag + JT3_BLOCKNR_HIGH, jn.jn_flags & JN_64BIT ? high : 0);
    putBe32(tag + JT3_CHECKSUM, sum);
    return;
  }
  putBe32(tag + JT_BLOCKNR, <u32>jb.jb_block);
  putBe16(tag + JT_CHECKSUM, sum & 0xffff);
  putBe16(tag + JT_FLAGS, flags);
  if (jn.jn_flags & JN_64BIT) putBe32(tag + JT_BLOCKNR_HIGH, high);
}

/** One descriptor, from `first` on, and the blocks it names. The first block that it does not name. */
function writeDescriptor(jn: Journal, first: JBuf): JBuf {
  const p = blockBegin(jn, JBD2_DESCRIPTOR_BLOCK);
  const bytes = tagBytes(jn);
  const end = jn.jn_bsize - tailBytes(jn);
  let at: u32 = JH_SIZE;
  let jb = first;
  while (true) {
    const behind = at + bytes + (at == JH_SIZE ? JT_UUID_SIZE : 0);
    const next = changetype<JBuf>(<usize>jb.jb_next);
    let flags: u32 = at == JH_SIZE ? 0 : JBD2_FLAG_SAME_UUID;
    const last = changetype<usize>(next) == 0 || behind + bytes > end;
    if (last) flags |= JBD2_FLAG_LAST_TAG;
    if (mustEscape(jb.jb_addr)) flags |= JBD2_FLAG_ESCAPE;
    putTag(jn, p + at, jb, flags);
    if (at == JH_SIZE) memory.copy(p + at + bytes, <usize>jn.jn_sb + JSB_UUID, JT_UUID_SIZE);
    at = behind;
    jb = next;
    if (last) break;
  }
  return jb;
}

function writeBlocks(jn: Journal): i32 {
  let jb = changetype<JBuf>(<usize>jn.jn_bufs);
  while (changetype<usize>(jb) != 0) {
    const stop = writeDescriptor(jn, jb);
    let e = blockPut(jn, jn.jn_buf);
    while (e == 0 && changetype<usize>(jb) != changetype<usize>(stop)) {
      const addr = logForm(jn, jb);
      e = logPut(jn, addr);
      // there is one frame for copies
      if (e == 0 && addr == <usize>jn.jn_copy) e = logSubmit(jn);
      jb = changetype<JBuf>(<usize>jb.jb_next);
    }
    if (e == 0) e = logSubmit(jn);
    if (e != 0) return e;
  }
  return 0;
}

function writeCommit(jn: Journal): i32 {
  clockNow();
  const p = blockBegin(jn, JBD2_COMMIT_BLOCK);
  const sec = curcpu.c_nowsec;
  putBe32(p + JC_COMMIT_SEC, <u32>(sec >> 32));
  putBe32(p + JC_COMMIT_SEC + 4, <u32>sec);
  putBe32(p + JC_COMMIT_NSEC, curcpu.c_nownsec);
  if (hasBlockCsum(jn)) putBe32(p + JC_CHKSUM, commitCsum(jn, p));
  return logPutDurable(jn, p);
}

// ── whole ────────────────────────────────────────────────────────────────────────────────────

/** The transaction is in the log: its blocks may go home. */
function release(jn: Journal): void {
  while (jn.jn_bufs != 0) {
    const jb = changetype<JBuf>(<usize>jn.jn_bufs);
    const b = <usize>jb.jb_addr;
    // dirty before it is let go of: a clean page that nobody holds can go (vfs/dirty.ts, D2)
    bufDirty(jn.jn_fc, b, jn.jn_shift);
    spinLock(jnSpin(jn));
    bufUnlink(jn, jb);
    spinUnlock(jnSpin(jn));
    bufFree(jb);
  }
}

function writeTransaction(jn: Journal): i32 {
  let e: i32 = 0;
  // that the log may have something in it is in the file system's superblock before it has
  if (jn.jn_flags & JN_FRESH && jn.jn_flags & JN_BARRIER) e = diskFlush(jn.jn_disk);
  jn.jn_flags &= ~JN_FRESH;
  if (e == 0 && jn.jn_flags & JN_EMPTY) e = logWriteSuper(jn, jn.jn_head, jn.jn_seq);
  if (e == 0) e = writeRevokes(jn);
  if (e == 0) e = writeBlocks(jn);
  if (e == 0 && jn.jn_flags & JN_BARRIER) e = diskFlush(jn.jn_disk);
  return e == 0 ? writeCommit(jn) : e;
}

/** Commit the running transaction, if there is anything in it. 0, or what aborted the journal. */
export function commitLocked(jn: Journal): i32 {
  if (jn.jn_flags & JN_ABORTED) return jn.jn_errno;
  if (jn.jn_running == 0 && jn.jn_nrevoke == 0) return 0;
  if (changetype<usize>(jn.jn_mount) != 0) vfs_seal(jn.jn_mount);
  if (jn.jn_flags & JN_ABORTED) return jn.jn_errno;
  const e = writeTransaction(jn);
  if (e != 0) {
    logDrop(jn);
    journalAbort(jn, e);
    return e;
  }
  release(jn);
  jn.jn_done = jn.jn_seq;
  jn.jn_seq++;
  return 0;
}

/** J2. The log is empty afterwards. */
export function checkpointLocked(jn: Journal): i32 {
  let e = commitLocked(jn);
  if (e != 0) return e;
  if (jn.jn_flags & JN_EMPTY) return 0;
  e = vop_putpages(jn.jn_fc.fc_fm, jn.jn_fc, 0, u32.MAX_VALUE, 0);
  if (e == 0 && jn.jn_flags & JN_BARRIER) e = diskFlush(jn.jn_disk);
  if (e == 0) e = logWriteSuper(jn, 0, jn.jn_seq);
  if (e != 0) {
    journalAbort(jn, e);
    return e;
  }
  jn.jn_used = 0;
  return 0;
}
