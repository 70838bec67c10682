/** RLIMIT_FSIZE: a write stops at the limit, and one that begins there fails. */
import { EFBIG } from '../abi/errno';
import { Proc } from '../proc/proc';
import { Uio } from '../vm/uio';

/** Cut the uio at the process's file-size limit. Returns the bytes cut off (the caller adds them
 *  back to uio_resid after the write), or -EFBIG if none may be written. */
export function uioLimitFsize(u: Uio, p: Proc): i32 {
  const limit = p.p_fsize;
  if (limit == u64.MAX_VALUE || <u64>u.uio_off + u.uio_resid <= limit) return 0;
  if (<u64>u.uio_off >= limit) return -EFBIG;
  const allowed = <u32>(limit - <u64>u.uio_off);
  const cut = u.uio_resid - allowed;
  u.uio_resid = allowed;
  return <i32>cut;
}
