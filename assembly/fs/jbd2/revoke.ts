/**
 * jbd2: revoke records: "do not replay this block from transactions up to this one". Of the running
 * transaction, until its commit writes them; in recovery, of all the log.
 *
 * A hash table in one frame, chained by JRevoke. In recovery a block keeps the newest of its records.
 */
import { ENOMEM } from '../../abi/errno';
import { PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { spinLock, spinUnlock } from '../../kern/lock';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../../vm/zone';
import { jnSpin, Journal } from './journal';

@unmanaged
export class JRevoke {
  rv_block: u64;
  rv_seq: u32;
  rv_next: u32;
}
if (offsetof<JRevoke>() != 16) ERROR('JRevoke');

export const REVOKE_BUCKETS: u32 = PAGE_SIZE / 4;

export function revokeInit(): void {
  roots().r_zjrevoke = <u32>changetype<usize>(zoneCreate('jrevoke', offsetof<JRevoke>(), 0));
}

// @ts-ignore: decorator
@inline
function bucket(jn: Journal, block: u64): usize {
  const h = (<u32>block ^ <u32>(block >> 32)) * 0x9e3779b1;
  return <usize>jn.jn_revoke + (<usize>(h >> 22) << 2);
}
if (REVOKE_BUCKETS != 1 << 10) ERROR('revoke: bucket');

/** The link that leads to a block's record, or to 0. jn_spin held. */
function linkOf(jn: Journal, block: u64): usize {
  let at = bucket(jn, block);
  while (load<u32>(at) != 0 && changetype<JRevoke>(<usize>load<u32>(at)).rv_block != block)
    at = <usize>load<u32>(at) + offsetof<JRevoke>('rv_next');
  return at;
}

/** Revoke a block up to transaction `seq`: 0 or -ENOMEM. mode: ALLOC_RESERVE for a call that removes things. */
export function revokeAdd(jn: Journal, block: u64, seq: u32, mode: u32): i32 {
  const zone = changetype<Zone>(<usize>roots().r_zjrevoke);
  const rv = changetype<JRevoke>(zoneAlloc(zone, mode));
  if (changetype<usize>(rv) == 0) return -ENOMEM;
  spinLock(jnSpin(jn));
  const at = linkOf(jn, block);
  const there = changetype<JRevoke>(<usize>load<u32>(at));
  if (changetype<usize>(there) != 0) {
    if (<i32>(seq - there.rv_seq) > 0) there.rv_seq = seq;
    spinUnlock(jnSpin(jn));
    zoneFree(zone, changetype<usize>(rv));
    return 0;
  }
  rv.rv_block = block;
  rv.rv_seq = seq;
  rv.rv_next = 0;
  store<u32>(at, <u32>changetype<usize>(rv));
  jn.jn_nrevoke++;
  spinUnlock(jnSpin(jn));
  return 0;
}

/** A block that the running transaction freed is metadata again: what it holds now is to be replayed. */
export function revokeCancel(jn: Journal, block: u64): void {
  if (jn.jn_nrevoke == 0) return;
  spinLock(jnSpin(jn));
  const at = linkOf(jn, block);
  const rv = load<u32>(at);
  if (rv != 0) {
    store<u32>(at, changetype<JRevoke>(<usize>rv).rv_next);
    jn.jn_nrevoke--;
  }
  spinUnlock(jnSpin(jn));
  if (rv != 0) zoneFree(changetype<Zone>(<usize>roots().r_zjrevoke), rv);
}

/** Recovery: must a copy of this block in transaction `seq` be passed over? */
export function isRevoked(jn: Journal, block: u64, seq: u32): bool {
  const rv = changetype<JRevoke>(<usize>load<u32>(linkOf(jn, block)));
  return changetype<usize>(rv) != 0 && <i32>(rv.rv_seq - seq) >= 0;
}

/** The next record from a bucket on that is not there any more; 0: there is none. Takes it out. */
export function revokeTake(jn: Journal, from: u32): u32 {
  for (let i = from; i < REVOKE_BUCKETS; i++) {
    const at = <usize>jn.jn_revoke + (<usize>i << 2);
    const rv = load<u32>(at);
    if (rv == 0) continue;
    store<u32>(at, changetype<JRevoke>(<usize>rv).rv_next);
    jn.jn_nrevoke--;
    return rv;
  }
  return 0;
}

/** Which bucket a block's record is in: where revokeTake may go on. */
export function revokeBucket(jn: Journal, block: u64): u32 {
  return <u32>((bucket(jn, block) - <usize>jn.jn_revoke) >> 2);
}

export function revokeFree(rv: u32): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zjrevoke), rv);
}

/** Forget all records. */
export function revokeClear(jn: Journal): void {
  let rv = revokeTake(jn, 0);
  while (rv != 0) {
    revokeFree(rv);
    rv = revokeTake(jn, 0);
  }
}
