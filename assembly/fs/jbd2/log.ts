/**
 * jbd2: the log as a ring of blocks, where they are on the disk, and the journal's superblock.
 *
 * Blocks of the log do not go through the buffer cache: they are written from where they are, many in
 * a request, and read into the journal's own frames.
 */
import { BIO_FL_FUA, BIO_OP_READ, BIO_OP_WRITE } from '../../abi/disk';
import { ENOMEM, ENOSPC, EUCLEAN } from '../../abi/errno';
import { JSB_CHECKSUM, JSB_ERRNO, JSB_SEQUENCE, JSB_START } from '../../abi/jbd2';
import { Bio, bioAdd, bioFree } from '../../vfs/bio';
import { BUF_FUA, bufWrite } from '../../vfs/buf';
import { frameArrayAt, frameArrayGrow } from '../../vm/array';
import { diskBio, diskDo, diskIo } from '../../dev/disk';
import { hasBlockCsum, putBe32, superCsum } from './csum';
import { JN_BARRIER, JN_EMPTY, Journal } from './journal';

const RUN_WORDS: u32 = 4;

/** The journal's next `len` blocks are at `pblk` on the disk: 0 or -ENOMEM. */
export function journalAddRun(jn: Journal, pblk: u64, len: u32): i32 {
  const fa = jn.jn_runs;
  const n = fa.fa_len;
  const lblk = n == 0 ? 0 : load<u32>(runAt(jn, n / RUN_WORDS - 1)) + load<u32>(runAt(jn, n / RUN_WORDS - 1), 4);
  while (fa.fa_cap < n + RUN_WORDS) if (frameArrayGrow(fa) != 0) return -ENOMEM;
  fa.fa_len = n + RUN_WORDS;
  const run = runAt(jn, n / RUN_WORDS);
  store<u32>(run, lblk);
  store<u32>(run, len, 4);
  store<u32>(run, <u32>pblk, 8);
  store<u32>(run, <u32>(pblk >> 32), 12);
  return 0;
}

// @ts-ignore: decorator
@inline
function runAt(jn: Journal, i: u32): usize {
  return frameArrayAt(jn.jn_runs, i * RUN_WORDS);
}

/** Blocks that the runs cover. */
export function logMapped(jn: Journal): u32 {
  const n = jn.jn_runs.fa_len / RUN_WORDS;
  if (n == 0) return 0;
  const last = runAt(jn, n - 1);
  return load<u32>(last) + load<u32>(last, 4);
}

/** The disk's block of a block of the journal; 0: it has none. */
export function logBlock(jn: Journal, lblk: u32): u64 {
  const n = jn.jn_runs.fa_len / RUN_WORDS;
  let i = jn.jn_lastrun;
  for (let tried: u32 = 0; tried < n; tried++) {
    if (i >= n) i = 0;
    const run = runAt(jn, i);
    const first = load<u32>(run);
    if (lblk >= first && lblk - first < load<u32>(run, 4)) {
      jn.jn_lastrun = i;
      return (<u64>load<u32>(run, 8) | (<u64>load<u32>(run, 12) << 32)) + (lblk - first);
    }
    i++;
  }
  return 0;
}

/** `n` blocks on from a block of the log. */
// @ts-ignore: decorator
@inline
export function logNext(jn: Journal, lblk: u32, n: u32): u32 {
  const at = lblk + n;
  return at >= jn.jn_last ? at - (jn.jn_last - jn.jn_first) : at;
}

/** Read a block of the journal into a frame. */
export function logRead(jn: Journal, lblk: u32, addr: usize): i32 {
  const p = logBlock(jn, lblk);
  if (p == 0) return -EUCLEAN;
  return diskIo(jn.jn_disk, BIO_OP_READ, p << jn.jn_shift, addr, jn.jn_bsize, 0);
}

/** Where the next block of the log goes; 0: what is not checkpointed fills the log. */
// @ts-ignore: decorator
@inline
function headBlock(jn: Journal): u64 {
  return jn.jn_used < jn.jn_last - jn.jn_first ? logBlock(jn, jn.jn_head) : 0;
}

/** Append the block at addr; it must stay as it is until logSubmit. 0 or an errno. */
export function logPut(jn: Journal, addr: usize): i32 {
  const p = headBlock(jn);
  if (p == 0) return -ENOSPC;
  let bio = changetype<Bio>(<usize>jn.jn_bio);
  if (changetype<usize>(bio) == 0 || jn.jn_bioend != p || !bioAdd(bio, addr, jn.jn_bsize)) {
    const e = logSubmit(jn);
    if (e != 0) return e;
    bio = diskBio(jn.jn_disk, BIO_OP_WRITE, p << jn.jn_shift);
    if (changetype<usize>(bio) == 0) return -ENOMEM;
    bioAdd(bio, addr, jn.jn_bsize);
    jn.jn_bio = <u32>changetype<usize>(bio);
  }
  jn.jn_bioend = p + 1;
  jn.jn_head = logNext(jn, jn.jn_head, 1);
  jn.jn_used++;
  return 0;
}

/** What was put is on the disk, or in its cache. */
export function logSubmit(jn: Journal): i32 {
  const bio = jn.jn_bio;
  if (bio == 0) return 0;
  jn.jn_bio = 0;
  return diskDo(jn.jn_disk, changetype<Bio>(<usize>bio));
}

/** A request that is not full will not be made. */
export function logDrop(jn: Journal): void {
  if (jn.jn_bio != 0) bioFree(changetype<Bio>(<usize>jn.jn_bio));
  jn.jn_bio = 0;
}

/** Append one block by a request of its own, durable when it is done if barriers are on. */
export function logPutDurable(jn: Journal, addr: usize): i32 {
  const p = headBlock(jn);
  if (p == 0) return -ENOSPC;
  const flags = jn.jn_flags & JN_BARRIER ? BIO_FL_FUA : 0;
  const e = diskIo(jn.jn_disk, BIO_OP_WRITE, p << jn.jn_shift, addr, jn.jn_bsize, flags);
  if (e != 0) return e;
  jn.jn_head = logNext(jn, jn.jn_head, 1);
  jn.jn_used++;
  return 0;
}

function writeSuper(jn: Journal, flags: u32): i32 {
  const sb = <usize>jn.jn_sb;
  putBe32(sb + JSB_ERRNO, jn.jn_errno < 0 ? -jn.jn_errno : 0);
  if (hasBlockCsum(jn)) putBe32(sb + JSB_CHECKSUM, superCsum(sb));
  return bufWrite(jn.jn_fc, sb, jn.jn_shift, jn.jn_flags & JN_BARRIER ? flags : 0);
}

/** Write the journal's superblock as it is in its buffer, and the error that the journal was given up for. 0 or an errno. */
export function logWriteError(jn: Journal): i32 {
  return writeSuper(jn, BUF_FUA);
}

/**
 * Say in the journal's superblock where the log begins (0: it is empty) and which transaction is the
 * first in it. That it is empty is durable when this returns, if barriers are on; that it begins is what
 * the transaction's commit block depends on, and the FLUSH before that makes durable. 0 or an errno.
 */
export function logWriteSuper(jn: Journal, start: u32, seq: u32): i32 {
  const sb = <usize>jn.jn_sb;
  putBe32(sb + JSB_SEQUENCE, seq);
  putBe32(sb + JSB_START, start);
  const e = writeSuper(jn, start == 0 ? BUF_FUA : 0);
  if (e != 0) return e;
  if (start == 0) jn.jn_flags |= JN_EMPTY;
  else jn.jn_flags &= ~JN_EMPTY;
  return 0;
}
