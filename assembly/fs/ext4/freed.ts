/**
 * Blocks freed by a transaction that may not have committed yet. Until it has, a crash gives them back to
 * the old file: they are hidden from the allocator (balloc.ts), and not discarded. Without a journal a block
 * is free at once.
 *
 * Whoever looks for blocks, or frees some, first releases those whose transaction is done by now.
 */
import { ENOMEM } from '../../abi/errno';
import { diskDiscard, Disk } from '../../dev/disk';
import { kfree, kmalloc } from '../../vm/zone';
import { journalCommitted, journalTid } from '../jbd2/journal';
import { baOf, FREED_ALLOC, GI_FROZEN, maskClear, maskSet } from './balloc';
import { groupInfo } from './group';
import { jnOf } from './txn';
import { Ext4Mount, groupFirst, MO_DISCARD } from './types';

@unmanaged
export class Freed {
  fr_next: u32;
  fr_tid: u32;
  fr_group: u32;
  fr_bit: u32;
  fr_len: u32;
  fr_pad: u32;
}

/** A run was freed in this handle: 0, or -ENOMEM: the caller freezes the group. em_lock held. */
export function freedAdd(em: Ext4Mount, g: u32, bit: u32, n: u32): i32 {
  if (em.em_jn == 0) {
    discard(em, g, bit, n);
    return 0;
  }
  const ba = baOf(em);
  const tid = journalTid(jnOf(em));
  const last = changetype<Freed>(<usize>ba.ba_freedtail);
  let joins = false;
  if (changetype<usize>(last) != 0 && last.fr_tid == tid && last.fr_group == g) {
    joins = last.fr_bit + last.fr_len == bit || bit + n == last.fr_bit;
  }
  const fr = joins ? last : changetype<Freed>(kmalloc(offsetof<Freed>(), FREED_ALLOC));
  if (changetype<usize>(fr) == 0 || maskSet(em, g, bit, n, FREED_ALLOC) != 0) {
    if (changetype<usize>(fr) != 0 && !joins) kfree(changetype<usize>(fr));
    ba.ba_frozen++;
    ba.ba_frozentid = tid;
    return -ENOMEM;
  }
  ba.ba_pending += n;
  if (joins) {
    if (bit < fr.fr_bit) fr.fr_bit = bit;
    fr.fr_len += n;
    return 0;
  }
  fr.fr_next = 0;
  fr.fr_tid = tid;
  fr.fr_group = g;
  fr.fr_bit = bit;
  fr.fr_len = n;
  if (ba.ba_freedtail != 0) last.fr_next = <u32>changetype<usize>(fr);
  else ba.ba_freed = <u32>changetype<usize>(fr);
  ba.ba_freedtail = <u32>changetype<usize>(fr);
  return 0;
}

/** Let go of what has committed; all: the file system is being unmounted, its journal is still there. em_lock held,
 *  or nobody else there. */
export function freedRelease(em: Ext4Mount, all: bool): void {
  const ba = baOf(em);
  while (ba.ba_freed != 0) {
    const fr = changetype<Freed>(<usize>ba.ba_freed);
    if (!all && !journalCommitted(jnOf(em), fr.fr_tid)) break;
    ba.ba_freed = fr.fr_next;
    if (fr.fr_next == 0) ba.ba_freedtail = 0;
    ba.ba_pending -= fr.fr_len;
    maskClear(em, fr.fr_group, fr.fr_bit, fr.fr_len);
    // what a journal that was aborted did not commit is still the old file's
    if (journalCommitted(jnOf(em), fr.fr_tid)) discard(em, fr.fr_group, fr.fr_bit, fr.fr_len);
    kfree(changetype<usize>(fr));
  }
  if (ba.ba_frozen != 0 && (all || journalCommitted(jnOf(em), ba.ba_frozentid))) thaw(em);
}

function thaw(em: Ext4Mount): void {
  for (let g: u32 = 0; g < em.em_groups; g++) {
    const at = groupInfo(em, g);
    store<u32>(at, load<u32>(at) & ~GI_FROZEN);
  }
  baOf(em).ba_frozen = 0;
}

/** The device may forget what is in them. It is a hint: errors do not matter. */
function discard(em: Ext4Mount, g: u32, bit: u32, n: u32): void {
  if ((em.em_opts & MO_DISCARD) == 0) return;
  const at = (groupFirst(em, g) + bit) << em.em_bshift;
  diskDiscard(changetype<Disk>(<usize>em.em_disk), at, <u64>n << em.em_bshift);
}
