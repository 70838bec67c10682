/**
 * Copies between RAM and whoever made the call. What a space is, its number says: a buffer of the
 * host, which the host copies; or the memory of a WASI guest, which the guest's gate copies, a
 * WebAssembly function that the host has put into this instance's function table (abi/wasi.ts,
 * GUEST_SPACE). Between the kernel and a gate there is no JavaScript.
 *
 * A guest's space is good during a WASI call of that very guest only, so no number that a caller
 * makes up leads to a table entry.
 */
import { EFAULT } from '../abi/errno';
import { GUEST_SPACE } from '../abi/wasi';
import { curcpu } from './cpu';
import { hostCopyin, hostCopyout } from './imports';

/** `len` bytes at `uaddr` of a space into RAM: 0, EFAULT or EIO. */
// @ts-ignore: decorator
@inline
export function copyin(space: u32, uaddr: u32, kaddr: usize, len: u32): i32 {
  if ((space & GUEST_SPACE) == 0) return hostCopyin(space, uaddr, kaddr, len);
  return guestCopy(space, 0, uaddr, kaddr, len);
}

/** `len` bytes of RAM to `uaddr` of a space: 0, EFAULT or EIO. */
// @ts-ignore: decorator
@inline
export function copyout(space: u32, uaddr: u32, kaddr: usize, len: u32): i32 {
  if ((space & GUEST_SPACE) == 0) return hostCopyout(space, uaddr, kaddr, len);
  return guestCopy(space, 1, uaddr, kaddr, len);
}

function guestCopy(space: u32, out: u32, uaddr: u32, kaddr: usize, len: u32): i32 {
  if (space != curcpu.c_guest) return EFAULT;
  return call_indirect<i32>((space & ~GUEST_SPACE) + out, uaddr, <u32>kaddr, len);
}
