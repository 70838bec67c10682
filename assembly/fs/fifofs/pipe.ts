/**
 * Pipes: the bytes between a fifo's writers and its readers.
 *
 * A Pipe hangs on its vnode (v_un) from the first open to the last close; bytes that nobody read
 * by then are gone. Its buffer is an Fscache: bytes [pi_head, pi_tail) of it, positions counted
 * modulo 2^32, so the capacity is only a number and changing it moves nothing.
 *
 * I1. pi_tail - pi_head <= pi_size <= PIPE_SIZE_MAX, and pages exist only for bytes in use (and
 *     page 0, which an empty pipe keeps: small messages then never allocate).
 * I2. Every open File but one opened with O_PATH is counted, blocked opens included.
 * I3. Waiters hold such a File, so a Pipe that is freed for want of Files has none.
 *
 * Guard: the vnode's lock.
 */
import { EBUSY, EINVAL, ENOMEM, EPERM } from '../../abi/errno';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { kassert } from '../../kern/panic';
import { Ucred, credIsRoot } from '../../proc/cred';
import { Chan, selWakeup, wakeup } from '../../proc/sleep';
import { Fscache, fscacheDropPage, fscacheDropRange, fscachePage, fscacheRead, fscacheSetup, fscacheWrite } from '../../vfs/fscache';
import { Vnode } from '../../vfs/vnode';
import { ALLOC_NOIO, ALLOC_ZERO } from '../../vm/page';
import { Uio } from '../../vm/uio';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../../vm/zone';

@unmanaged
export class Pipe {
  pi_head: u32; //    position of the next byte to read
  pi_tail: u32; //    position of the next byte to write
  pi_size: u32; //    capacity, bytes: a power of two of at least a page
  pi_readers: u32; // Files open for reading
  pi_writers: u32; // Files open for writing
  pi_rcount: u32; //  opens for reading so far: what a blocked open for writing waits to change
  pi_wcount: u32; //  opens for writing so far
  pi_marked: u32; //  pages whose data are marked (packet.ts); 0: [pi_head, pi_tail) is all data
  pi_rchan0: u32; //  Chan of readers, and of opens that wait for a writer
  pi_rchan1: u32;
  pi_wchan0: u32; //  Chan of writers, and of opens that wait for a reader
  pi_wchan1: u32;
  pi_gap: u32; //     bytes of [pi_head, pi_tail) that are no data (packet.ts)
  pi_pad: u32;
  // the Fscache follows

  // @ts-ignore: decorator
  @inline
  get pi_fc(): Fscache {
    return changetype<Fscache>(changetype<usize>(this) + PIPE_FC);
  }
  // @ts-ignore: decorator
  @inline
  get pi_rchan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Pipe>('pi_rchan0'));
  }
  // @ts-ignore: decorator
  @inline
  get pi_wchan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Pipe>('pi_wchan0'));
  }
  /** Bytes of the capacity that are taken. */
  // @ts-ignore: decorator
  @inline
  get pi_used(): u32 {
    return this.pi_tail - this.pi_head;
  }
}

const PIPE_FC: usize = offsetof<Pipe>();
if (PIPE_FC % 8 != 0) ERROR('Pipe: Fscache must be aligned');

const PIPE_SIZE: u32 = 65536;
/** What anybody may ask for, and what root may. */
const PIPE_SIZE_USER: u32 = 1048576;
const PIPE_SIZE_MAX: u32 = 0x80000000;
/** Where positions wrap. */
const WRAP: u64 = 0x100000000;

export function pipeInit(): void {
  roots().r_zpipe = <u32>changetype<usize>(zoneCreate('pipe', <u32>PIPE_FC + <u32>offsetof<Fscache>(), 0));
}

/** The vnode's Pipe, or null while nobody has it open. */
// @ts-ignore: decorator
@inline
export function pipeOf(vp: Vnode): Pipe {
  return changetype<Pipe>(<usize>vp.v_un);
}

/** Give the vnode a Pipe; null: no memory. */
export function pipeMake(vp: Vnode): Pipe {
  const pi = changetype<Pipe>(zoneAlloc(changetype<Zone>(<usize>roots().r_zpipe), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(pi) == 0) return pi;
  pi.pi_size = PIPE_SIZE;
  const fc = pi.pi_fc;
  fscacheSetup(fc, vp.v_fm, <u32>changetype<usize>(pi));
  fc.fc_attr.va_size = WRAP;
  vp.v_un = <u32>changetype<usize>(pi);
  return pi;
}

/** Free the vnode's Pipe and what is in it. Whoever waits (a killed vnode's) wakes to find out. */
export function pipeFree(vp: Vnode): void {
  const pi = pipeOf(vp);
  vp.v_un = 0;
  wakeup(pi.pi_rchan);
  wakeup(pi.pi_wchan);
  selWakeup();
  fscacheDropRange(pi.pi_fc, 0, u32.MAX_VALUE);
  zoneFree(changetype<Zone>(<usize>roots().r_zpipe), changetype<usize>(pi));
}

/** Bytes were read, or are given up: free the pages behind them. */
export function pipeConsume(pi: Pipe, n: u32): void {
  const fc = pi.pi_fc;
  const last = (pi.pi_head + n) >> PAGE_SHIFT;
  for (let i = pi.pi_head >> PAGE_SHIFT; i != last; i = (i + 1) & (u32.MAX_VALUE >>> PAGE_SHIFT)) {
    const pg = fscachePage(fc, i);
    if (DEBUG) kassert(changetype<usize>(pg) != 0, 'pipe has no page where it has bytes');
    fscacheDropPage(fc, pg);
  }
  pi.pi_head += n;
  if (pi.pi_head != pi.pi_tail) return;
  pi.pi_head = 0;
  pi.pi_tail = 0;
  if (fc.fc_npages != 0) fscacheDropRange(fc, 1, u32.MAX_VALUE);
}

/** Bytes up to the place where positions wrap. */
// @ts-ignore: decorator
@inline
function unwrapped(at: u32, n: u32): u32 {
  const left = WRAP - at;
  return <u64>n < left ? n : <u32>left;
}

/** Move up to `n` bytes (there are that many) to the uio: 0 or an errno; uio_resid tells how far. */
export function pipeTake(pi: Pipe, u: Uio, n: u32): i32 {
  const off = u.uio_off;
  let e: i32 = 0;
  while (n != 0 && e == 0) {
    const run = unwrapped(pi.pi_head, n);
    const rest = u.uio_resid - run;
    u.uio_resid = run;
    u.uio_off = pi.pi_head;
    e = fscacheRead(pi.pi_fc, u);
    const moved = run - u.uio_resid;
    u.uio_resid += rest;
    pipeConsume(pi, moved);
    n -= moved;
  }
  u.uio_off = off;
  return e;
}

/** Move `n` bytes (there is room) from the uio: 0 or an errno; uio_resid tells how far. */
export function pipePut(pi: Pipe, u: Uio, n: u32): i32 {
  const off = u.uio_off;
  let e: i32 = 0;
  while (n != 0 && e == 0) {
    const run = unwrapped(pi.pi_tail, n);
    const rest = u.uio_resid - run;
    u.uio_resid = run;
    u.uio_off = pi.pi_tail;
    e = fscacheWrite(pi.pi_fc, u);
    const moved = run - u.uio_resid;
    u.uio_resid += rest;
    pi.pi_tail += moved;
    n -= moved;
  }
  u.uio_off = off;
  return e;
}

/** As pipePut, but all or nothing. */
export function pipePutAtomic(pi: Pipe, u: Uio, n: u32): i32 {
  const tail = pi.pi_tail;
  const resid = u.uio_resid;
  const e = pipePut(pi, u, n);
  if (e != 0) {
    pi.pi_tail = tail;
    u.uio_resid = resid;
  }
  return e;
}

/** F_SETPIPE_SZ: the new capacity, -EINVAL, -EPERM, or -EBUSY if it holds more than that. */
export function pipeResize(pi: Pipe, bytes: f64, cred: Ucred): i32 {
  if (!(bytes >= 0 && bytes <= <f64>PIPE_SIZE_MAX)) return -EINVAL;
  let size: u32 = PAGE_SIZE;
  while (<f64>size < bytes) size <<= 1;
  if (size > pi.pi_size && size > PIPE_SIZE_USER && !credIsRoot(cred)) return -EPERM;
  // the answer is an i32: the last power of two has no place in it
  if (size == PIPE_SIZE_MAX) return -ENOMEM;
  if (pi.pi_used > size) return -EBUSY;
  const grown = size > pi.pi_size;
  pi.pi_size = size;
  if (grown) {
    wakeup(pi.pi_wchan);
    selWakeup();
  }
  return <i32>size;
}
