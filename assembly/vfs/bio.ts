/**
 * Bio: one request to a disk. Its layout is the host's as well (abi/disk.ts).
 *
 * Life: bioAlloc → bioAdd for each piece of RAM → bioStart, which hands it to the host → the host
 * has done it when that returns, or, where memory is shared, does it later → bioWait → bioFree.
 *
 * B1. Between bioStart and the end of bioWait the request and the RAM it names are the host's: their
 *     pages are held or busy.
 * B2. The pieces are whole sectors, so one that fails leaves no sector half done by us.
 * B3. In `up` nobody else runs while a call waits, so what completes later is refused when the disk
 *     is attached (dev/disk.ts), and a host that says so nevertheless gets its request failed.
 */
import {
  BIO_DISK,
  BIO_DONE,
  BIO_ELAPSED_US,
  BIO_ERROR,
  BIO_FLAGS,
  BIO_LEN,
  BIO_NSEG,
  BIO_OFF,
  BIO_OP,
  BIO_SEG_MAX,
  BIO_SEG_SIZE,
  BIO_SEGS,
  BIO_SIZE,
} from '../abi/disk';
import { EIO } from '../abi/errno';
import { MACHINE_DEAD } from '../abi/layout';
import { bb, BootBlock, roots } from '../kern/boot';
import { diskStrategy } from '../kern/imports';
import { waitWord } from '../kern/words';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';

@unmanaged
export class Bio {
  bio_off: f64; //   byte on the disk, a multiple of its sector
  bio_len: u32; //   bytes of all segments; of discard and write-zeroes: the range
  bio_op: u32; //    BIO_OP_*
  bio_flags: u32; // BIO_FL_*
  bio_disk: u32; //  the disk's slot
  bio_error: i32; // 0 or a negated errno, by the host
  bio_done: u32; //  wait word: the host stores 1 when it completes later
  bio_nseg: u32;
  bio_elapsed_us: u32; // by the host: what it took on a virtual clock
  // then { addr u32, len u32 } × BIO_SEG_MAX
}

if (offsetof<Bio>('bio_off') != BIO_OFF) ERROR('BIO_OFF');
if (offsetof<Bio>('bio_len') != BIO_LEN) ERROR('BIO_LEN');
if (offsetof<Bio>('bio_op') != BIO_OP) ERROR('BIO_OP');
if (offsetof<Bio>('bio_flags') != BIO_FLAGS) ERROR('BIO_FLAGS');
if (offsetof<Bio>('bio_disk') != BIO_DISK) ERROR('BIO_DISK');
if (offsetof<Bio>('bio_error') != BIO_ERROR) ERROR('BIO_ERROR');
if (offsetof<Bio>('bio_done') != BIO_DONE) ERROR('BIO_DONE');
if (offsetof<Bio>('bio_nseg') != BIO_NSEG) ERROR('BIO_NSEG');
if (offsetof<Bio>('bio_elapsed_us') != BIO_ELAPSED_US) ERROR('BIO_ELAPSED_US');
if (offsetof<Bio>() != BIO_SEGS || BIO_SIZE != BIO_SEGS + BIO_SEG_SIZE * BIO_SEG_MAX) ERROR('BIO_SEGS');

/** A wait is sliced so that a dead machine is noticed. */
const SLICE_NS: i64 = 100_000_000;

export function bioInit(): void {
  roots().r_zbio = <u32>changetype<usize>(zoneCreate('bio', BIO_SIZE, 0));
}

/** A request without segments; null: no memory. mode: ALLOC_*. */
export function bioAlloc(slot: u32, op: u32, off: u64, mode: u32): Bio {
  const bio = changetype<Bio>(zoneAlloc(changetype<Zone>(<usize>roots().r_zbio), mode));
  if (changetype<usize>(bio) == 0) return bio;
  bio.bio_off = <f64>off;
  bio.bio_len = 0;
  bio.bio_op = op;
  bio.bio_flags = 0;
  bio.bio_disk = slot;
  bio.bio_error = 0;
  bio.bio_done = 0;
  bio.bio_nseg = 0;
  bio.bio_elapsed_us = 0;
  return bio;
}

/** Add RAM behind what is there already; a neighbour in RAM lengthens the last segment. False: it is full. */
export function bioAdd(bio: Bio, addr: usize, len: u32): bool {
  const n = bio.bio_nseg;
  if (n != 0) {
    const last = segAt(bio, n - 1);
    if (<usize>load<u32>(last) + load<u32>(last, 4) == addr) {
      store<u32>(last, load<u32>(last, 4) + len, 4);
      bio.bio_len += len;
      return true;
    }
  }
  if (n == BIO_SEG_MAX) return false;
  const seg = segAt(bio, n);
  store<u32>(seg, <u32>addr);
  store<u32>(seg, len, 4);
  bio.bio_nseg = n + 1;
  bio.bio_len += len;
  return true;
}

// @ts-ignore: decorator
@inline
function segAt(bio: Bio, i: u32): usize {
  return changetype<usize>(bio) + BIO_SEGS + i * BIO_SEG_SIZE;
}

/** Hand it to the host. It may be done when this returns; bioWait says how it went. */
export function bioStart(bio: Bio): void {
  const later = diskStrategy(changetype<usize>(bio));
  if (later == 0) bio.bio_done = 1;
  else if (!SMP) {
    bio.bio_error = -EIO;
    bio.bio_done = 1;
  }
}

/** Wait until it is done: 0 or the negated errno. */
export function bioWait(bio: Bio): i32 {
  const word = changetype<usize>(bio) + offsetof<Bio>('bio_done');
  if (SMP) {
    while (atomic.load<u32>(word) == 0) {
      waitWord(word, 0, SLICE_NS);
      if (atomic.load<u32>(changetype<usize>(bb()) + offsetof<BootBlock>('bb_state')) == MACHINE_DEAD) unreachable();
    }
  }
  if (bio.bio_elapsed_us != 0 && roots().r_vclock != 0) roots().r_vclock_ns += <i64>bio.bio_elapsed_us * 1000;
  // a host that says anything but an errno is a broken device
  const e = bio.bio_error;
  return e > 0 || e < -4095 ? -EIO : e;
}

export function bioFree(bio: Bio): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zbio), changetype<usize>(bio));
}
