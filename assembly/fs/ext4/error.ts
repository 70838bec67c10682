/**
 * ext4: what to do when the disk holds what cannot be. The superblock remembers the first and the last
 * such error (super.rst), the kernel log gets a line, and `errors=` says how to go on: continue,
 * or read-only. A panic of the machine that a disk could order is none here: read-only instead.
 */
import { BIO_OP_READ } from '../../abi/disk';
import { ENOMEM, EUCLEAN } from '../../abi/errno';
import {
  EXT4_ERRORS_CONTINUE,
  EXT4_STATE_ERROR,
  SB_ERROR_COUNT,
  SB_FIRST_ERROR_BLOCK,
  SB_FIRST_ERROR_FUNC,
  SB_FIRST_ERROR_INO,
  SB_FIRST_ERROR_TIME,
  SB_LAST_ERROR_BLOCK,
  SB_LAST_ERROR_FUNC,
  SB_LAST_ERROR_INO,
  SB_LAST_ERROR_TIME,
  SB_STATE,
} from '../../abi/ext4';
import { Disk, diskIo } from '../../dev/disk';
import { clockNow } from '../../kern/clock';
import { klogText } from '../../kern/panic';
import { litChar, litLen, Text, textByte, textBytes, textInit, textLit, textU64 } from '../../kern/text';
import { MNTF_FSRDONLY } from '../../vfs/mount';
import { BUF_FUA } from '../../vfs/buf';
import { SCRATCH_LOG_SIZE, scratchLog, scratchText } from '../../vfs/scratch';
import { ALLOC_RESERVE, PG_KERNEL, pageAddr, pageAlloc, pageFree } from '../../vm/page';
import { superSum, superWriteAsIs } from './super';
import { jnOf, nowSec32 } from './txn';
import { journalAbort } from '../jbd2/journal';
import { EM_ERROR, EM_RDONLY, EM_SBDIRTY, Ext4Mount } from './types';

const FUNC_BYTES: u32 = 32;
const SB_BYTES: u32 = 1024;

/** Begin a line of the kernel log: "ext4: vbd0: ". Ended by ext4LogEnd; the text goes between. */
export function ext4LogBegin(em: Ext4Mount): Text {
  const t = scratchText();
  // the last byte is the line's end
  textInit(t, scratchLog(), <u32>SCRATCH_LOG_SIZE - 1);
  textLit(t, 'ext4: ');
  const mp = em.em_mount;
  let from = mp.mnt_sourcelen;
  while (from > 0 && load<u8>(<usize>mp.mnt_source + from - 1) != 47) from--;
  textBytes(t, <usize>mp.mnt_source + from, mp.mnt_sourcelen - from);
  textLit(t, ': ');
  return t;
}

export function ext4LogEnd(t: Text): void {
  store<u8>(t.t_buf + t.t_len, 10);
  klogText(t.t_buf, t.t_len + 1);
}

/** One line of the kernel log: what, then a number unless it is 0. */
export function ext4Log(em: Ext4Mount, what: string, value: u64): void {
  const t = ext4LogBegin(em);
  textLit(t, what);
  if (value != 0) {
    textByte(t, 32);
    textU64(t, value);
  }
  ext4LogEnd(t);
}

function funcStore(at: usize, where: string): void {
  memory.fill(at, 0, FUNC_BYTES);
  const n = litLen(where);
  for (let i: u32 = 0; i < n && i < FUNC_BYTES - 1; i++) store<u8>(at + i, <u8>litChar(where, i));
}

/** What the superblock is to say of an error; it is written when next it can be. */
function record(em: Ext4Mount, where: string, ino: u32, block: u64): void {
  const sb = <usize>em.em_sb;
  clockNow();
  const now = nowSec32();
  if (load<u32>(sb + SB_ERROR_COUNT) == 0) {
    store<u32>(sb + SB_FIRST_ERROR_TIME, now);
    store<u32>(sb + SB_FIRST_ERROR_INO, ino);
    store<u64>(sb + SB_FIRST_ERROR_BLOCK, block);
    funcStore(sb + SB_FIRST_ERROR_FUNC, where);
  }
  store<u32>(sb + SB_LAST_ERROR_TIME, now);
  store<u32>(sb + SB_LAST_ERROR_INO, ino);
  store<u64>(sb + SB_LAST_ERROR_BLOCK, block);
  funcStore(sb + SB_LAST_ERROR_FUNC, where);
  store<u32>(sb + SB_ERROR_COUNT, load<u32>(sb + SB_ERROR_COUNT) + 1);
  const state: u32 = load<u16>(sb + SB_STATE);
  store<u16>(sb + SB_STATE, <u16>(state | EXT4_STATE_ERROR));
  // its block may be on its way to the disk for another reason
  superSum(em);
}

/**
 * The disk is wrong at an inode (0: none in particular) and block (0: the same). Returns -EUCLEAN.
 * Unless errors=continue, nothing is written from here on.
 */
export function ext4Error(em: Ext4Mount, where: string, ino: u32, block: u64): i32 {
  const t = ext4LogBegin(em);
  textLit(t, 'error: ');
  textLit(t, where);
  if (ino != 0) {
    textLit(t, ' inode ');
    textU64(t, ino);
  }
  if (block != 0) {
    textLit(t, ' block ');
    textU64(t, block);
  }
  ext4LogEnd(t);
  if ((em.em_flags & EM_RDONLY) == 0) {
    record(em, where, ino, block);
    em.em_flags |= EM_ERROR | EM_SBDIRTY;
    if (em.em_errors != EXT4_ERRORS_CONTINUE) ext4Shut(em, -EUCLEAN);
  }
  return -EUCLEAN;
}

/**
 * What was recorded is written, now that the journal was given up. The superblock in RAM may have what was not
 * committed, as the head of the orphan list: what is on the disk gets the errors, and nothing else. 0 or an errno.
 */
export function ext4ErrorStore(em: Ext4Mount): i32 {
  em.em_flags &= ~EM_SBDIRTY;
  const pg = pageAlloc(ALLOC_RESERVE, PG_KERNEL);
  if (changetype<usize>(pg) == 0) return -ENOMEM;
  const sb = <usize>em.em_sb;
  const at = pageAddr(pg) + (sb - <usize>em.em_sbbuf);
  let e = diskIo(changetype<Disk>(<usize>em.em_disk), BIO_OP_READ, em.em_sbblock << em.em_bshift, pageAddr(pg), em.em_bsize, 0);
  if (e == 0) {
    const state = <u32>load<u16>(at + SB_STATE) | (<u32>load<u16>(sb + SB_STATE) & EXT4_STATE_ERROR);
    store<u16>(at + SB_STATE, <u16>state);
    memory.copy(at + SB_ERROR_COUNT, sb + SB_ERROR_COUNT, SB_LAST_ERROR_FUNC + FUNC_BYTES - SB_ERROR_COUNT);
    memory.copy(sb, at, SB_BYTES);
    e = superWriteAsIs(em, BUF_FUA);
  }
  pageFree(pg);
  return e;
}

/** Read-only from now on, whatever was under way. */
export function ext4Shut(em: Ext4Mount, error: i32): void {
  if (em.em_flags & EM_RDONLY) return;
  em.em_flags |= EM_RDONLY | EM_ERROR;
  em.em_mount.mnt_flag |= MNTF_FSRDONLY;
  if (em.em_jn != 0) journalAbort(jnOf(em), error);
  ext4Log(em, 'now read-only', 0);
}

/** A call failed when part of what it changes was changed: that must not be committed. Returns the error. */
export function ext4Half(em: Ext4Mount, error: i32): i32 {
  ext4Shut(em, error);
  return error;
}
