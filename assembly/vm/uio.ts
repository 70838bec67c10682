/**
 * Uio: where a transfer's bytes go to or come from, and how many are left.
 *
 * A uio has a current segment { space, addr, len } and, for vectored calls, the list behind it in
 * the syscall area. Which space a segment is in says the caller of the call, and so cannot be RAM
 * itself: that the bytes are the kernel's own only uioKernel can say. A Uio lives in the CPU's
 * scratch.
 */
import { EFAULT } from '../abi/errno';
import { IOV_SIZE } from '../abi/layout';
import { copyin, copyout } from '../kern/copy';

@unmanaged
export class Uio {
  uio_off: i64; //   file offset of the next byte
  uio_resid: u32; // bytes left over all segments
  uio_space: u32; // current segment
  uio_addr: u32;
  uio_len: u32;
  uio_iov: u32; //   next segment's address in the syscall area
  uio_iovcnt: u32; // segments behind the current one
  uio_write: u32; // 1: from the user into the kernel
  uio_file: u32; //  File the transfer is for; 0 = none. What blocks references it
  uio_segflg: u32; // 1: uio_addr is an address in RAM (BSD's UIO_SYSSPACE)
  uio_pad: u32;
}

if (offsetof<Uio>() % 8 != 0) ERROR('Uio');

export function uioSingle(u: Uio, space: u32, addr: u32, len: u32, off: i64, write: u32): void {
  u.uio_off = off;
  u.uio_resid = len;
  u.uio_space = space;
  u.uio_addr = addr;
  u.uio_len = len;
  u.uio_iovcnt = 0;
  u.uio_write = write;
  u.uio_file = 0;
  u.uio_segflg = 0;
}

/** A transfer from (write 1) or to (0) `len` bytes of RAM at `addr`. */
export function uioKernel(u: Uio, addr: usize, len: u32, off: i64, write: u32): void {
  uioSingle(u, 0, <u32>addr, len, off, write);
  u.uio_segflg = 1;
}

function uioNextSegment(u: Uio): void {
  while (u.uio_len == 0 && u.uio_iovcnt != 0) {
    const p = <usize>u.uio_iov;
    u.uio_space = load<u32>(p);
    u.uio_addr = load<u32>(p, 4);
    u.uio_len = load<u32>(p, 8);
    u.uio_iov += IOV_SIZE;
    u.uio_iovcnt--;
  }
}

/** Move up to `n` bytes between RAM at `kaddr` and the uio: 0 or -EFAULT; uio_resid tells how far. */
export function uiomove(kaddr: usize, n: u32, u: Uio): i32 {
  let left = n < u.uio_resid ? n : u.uio_resid;
  while (left != 0) {
    if (u.uio_len == 0) uioNextSegment(u);
    const now = left < u.uio_len ? left : u.uio_len;
    if (now == 0) return -EFAULT;
    if (u.uio_segflg != 0) {
      if (u.uio_write != 0) memory.copy(kaddr, u.uio_addr, now);
      else memory.copy(u.uio_addr, kaddr, now);
    } else {
      const e =
        u.uio_write != 0
          ? copyin(u.uio_space, u.uio_addr, kaddr, now)
          : copyout(u.uio_space, u.uio_addr, kaddr, now);
      if (e != 0) return -e;
    }
    u.uio_addr += now;
    u.uio_len -= now;
    u.uio_resid -= now;
    u.uio_off += now;
    kaddr += now;
    left -= now;
  }
  return 0;
}

/** Pass over `n` bytes: a resumed call has moved them already. */
export function uioSkip(u: Uio, n: u32): void {
  let left = n < u.uio_resid ? n : u.uio_resid;
  u.uio_resid -= left;
  u.uio_off += left;
  while (left != 0) {
    if (u.uio_len == 0) uioNextSegment(u);
    const now = left < u.uio_len ? left : u.uio_len;
    if (now == 0) return;
    u.uio_addr += now;
    u.uio_len -= now;
    left -= now;
  }
}
