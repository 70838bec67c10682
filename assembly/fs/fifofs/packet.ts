/**
 * Packets: a write through a File with O_DIRECT puts packets of up to PIPE_BUF bytes, and a read gets at
 * most one of them and discards what it had no room for (pipe(7)). Plain bytes may be in the
 * same pipe, since F_SETFL turns the flag on and off; they are never merged with a packet. (Linux adds
 * a packet to plain bytes that wait, if it fits into their page, and it is one no more.)
 *
 *     page      0          1          2          3
 *               ├ plain ┤··├ packet ┤·├ packet ┤·├ plain …
 *                        └─ gap       └─ gap
 *
 * A packet begins on a page of the pipe's buffer and has it alone, so it takes a page of its
 * capacity however short it is, as on Linux. Where data ends before their page does, pg_private says so.
 *
 * K1. pg_private of a page of a pipe: 0, or PK_MARK and where its data end; PK_PACKET: they are one packet.
 *     pi_marked counts the pages marked: at 0 the pipe is a plain one, and nothing here is called.
 * K2. pi_gap: bytes of [pi_head, pi_tail) that are no data. The last page is unmarked or pi_tail is on a
 *     page's boundary, and pi_head is in a gap never: so a pipe that is not empty has data at its head.
 * K3. A marked page is read to its end and dropped as a whole, with its mark.
 *
 * Guard: the vnode's lock.
 */
import { PIPE_BUF } from '../../abi/flags';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { fscachePage, fscacheRead } from '../../vfs/fscache';
import { VmPage } from '../../vm/page';
import { Uio } from '../../vm/uio';
import { Pipe, pipeConsume, pipePutAtomic, pipeTake } from './pipe';

if (PIPE_BUF != PAGE_SIZE) ERROR('a packet fills a page at most');

const PK_MARK: u32 = 0x10000;
const PK_PACKET: u32 = 0x20000;
const PK_END: u32 = 0xffff;
const IN_PAGE: u32 = PAGE_SIZE - 1;

function pageAt(pi: Pipe, position: u32): VmPage {
  return fscachePage(pi.pi_fc, position >> PAGE_SHIFT);
}

/** The data of the page at `position` end after `end` bytes of it. */
function mark(pi: Pipe, position: u32, end: u32, kind: u32): void {
  pageAt(pi, position).pg_private = PK_MARK | kind | end;
  pi.pi_marked++;
  pi.pi_gap += PAGE_SIZE - end;
}

/** Go from pi_head, in a marked page, to the next page. */
function leavePage(pi: Pipe, end: u32): void {
  pi.pi_marked--;
  pi.pi_gap -= PAGE_SIZE - end;
  pipeConsume(pi, PAGE_SIZE - (pi.pi_head & IN_PAGE));
}

/** As much of the uio as there is room for, in packets: 0 or an errno; uio_resid tells how far. */
export function packetsPut(pi: Pipe, u: Uio): i32 {
  while (u.uio_resid != 0) {
    const tail = pi.pi_tail;
    const at = (tail + IN_PAGE) & ~IN_PAGE;
    const taken = at - pi.pi_head;
    if (taken > pi.pi_size || pi.pi_size - taken < PAGE_SIZE) return 0;
    const n = u.uio_resid < PIPE_BUF ? u.uio_resid : PIPE_BUF;
    pi.pi_tail = at;
    const e = pipePutAtomic(pi, u, n);
    if (e != 0) {
      pi.pi_tail = tail;
      return e;
    }
    // bytes that were written plainly before, and end there now
    if (at != tail) mark(pi, tail, tail & IN_PAGE, 0);
    mark(pi, at, n, PK_PACKET);
    pi.pi_tail = at + PAGE_SIZE;
  }
  return 0;
}

/** One packet, at pi_head: all of it goes, read or not, unless the copy fails. */
function packetTake(pi: Pipe, u: Uio, end: u32): i32 {
  const off = u.uio_off;
  const n = u.uio_resid < end ? u.uio_resid : end;
  const rest = u.uio_resid - n;
  u.uio_resid = n;
  u.uio_off = pi.pi_head;
  const e = fscacheRead(pi.pi_fc, u);
  u.uio_off = off;
  // of a packet that stays nothing has been read
  u.uio_resid = e != 0 ? n + rest : rest;
  if (e == 0) leavePage(pi, end);
  return e;
}

/**
 * Move what one read gets: plain bytes, up to the uio's end or the end of the first packet behind
 * them. 0 or an errno; uio_resid tells how far.
 */
export function packetsTake(pi: Pipe, u: Uio): i32 {
  while (u.uio_resid != 0 && pi.pi_head != pi.pi_tail) {
    const priv = pageAt(pi, pi.pi_head).pg_private;
    if (priv & PK_PACKET) return packetTake(pi, u, priv & PK_END);
    const end = priv & PK_MARK ? priv & PK_END : PAGE_SIZE;
    const left = end - (pi.pi_head & IN_PAGE);
    const used = pi.pi_tail - pi.pi_head;
    const n = left < used ? left : used;
    const part = n < u.uio_resid ? n : u.uio_resid;
    const e = pipeTake(pi, u, part);
    if (e != 0) return e;
    if (part == n && priv & PK_MARK) leavePage(pi, end);
  }
  return 0;
}
