/** RLIMIT_FSIZE: a write stops at the limit, and one that begins there fails, with SIGXFSZ. */
import { EFBIG } from '../abi/errno';
import { SIGXFSZ } from '../abi/signals';
import { curproc, Proc } from '../proc/proc';
import { signalPost } from '../proc/signal';
import { Uio } from '../vm/uio';

/** What the current process wants is over its limit: -EFBIG. */
export function fsizeExceeded(): i32 {
  signalPost(curproc(), SIGXFSZ);
  return -EFBIG;
}

/** Cut the uio at the process's file-size limit. Returns the bytes cut off (the caller adds them
 *  back to uio_resid after the write), or -EFBIG if none may be written. */
export function uioLimitFsize(u: Uio, p: Proc): i32 {
  const limit = p.p_fsize;
  if (limit == u64.MAX_VALUE || <u64>u.uio_off + u.uio_resid <= limit) return 0;
  if (<u64>u.uio_off >= limit) return fsizeExceeded();
  const allowed = <u32>(limit - <u64>u.uio_off);
  const cut = u.uio_resid - allowed;
  u.uio_resid = allowed;
  return <i32>cut;
}
