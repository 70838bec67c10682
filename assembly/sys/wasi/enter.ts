/**
 * Entering and leaving for WASI: what every wasi_* export does first and last.
 *
 *     const e = wasiEnter(wg);
 *     if (e != 0) return e;
 *     return wasiLeave(inner(…));
 *
 * An inner function returns 0 or a negated errno of the kernel's; the export returns WASI's, or,
 * negative, what the gate must see to: -ERESTART (the call waits), -ESRCH (the process is gone),
 * -EPANIC, -ESTOPPED.
 */
import {
  E2BIG, EACCES, EAGAIN, EBADF, EBUSY, ECANCELED, ECHILD, EDEADLK, EDOM, EDQUOT, EEXIST, EFAULT, EFBIG, EINTR, EINVAL,
  EISDIR, ELOOP, EMFILE, EMLINK, ENAMETOOLONG, ENFILE, ENODEV, ENOENT, ENOEXEC, ENOLCK, ENOMEM, ENOSPC, ENOSYS,
  ENOTCAPABLE, ENOTDIR, ENOTEMPTY, ENOTSOCK, ENOTTY, ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM, EPIPE, ERANGE, ERESTART,
  EROFS, ESPIPE, ESRCH, ESTALE, ETIMEDOUT, ETXTBSY, EXDEV,
} from '../../abi/errno';
import {
  WASI_E2BIG, WASI_EACCES, WASI_EAGAIN, WASI_EBADF, WASI_EBUSY, WASI_ECANCELED, WASI_ECHILD, WASI_EDEADLK, WASI_EDOM,
  WASI_EDQUOT, WASI_EEXIST, WASI_EFAULT, WASI_EFBIG, WASI_EINTR, WASI_EINVAL, WASI_EIO, WASI_EISDIR, WASI_ELOOP,
  WASI_EMFILE, WASI_EMLINK, WASI_ENAMETOOLONG, WASI_ENFILE, WASI_ENODEV, WASI_ENOENT, WASI_ENOEXEC, WASI_ENOLCK,
  WASI_ENOMEM, WASI_ENOSPC, WASI_ENOSYS, WASI_ENOTCAPABLE, WASI_ENOTDIR, WASI_ENOTEMPTY, WASI_ENOTSOCK, WASI_ENOTSUP,
  WASI_ENOTTY, WASI_ENXIO, WASI_EOVERFLOW, WASI_EPERM, WASI_EPIPE, WASI_ERANGE, WASI_EROFS, WASI_ESPIPE,
  WASI_ESTALE, WASI_ETIMEDOUT, WASI_ETXTBSY, WASI_EXDEV,
} from '../../abi/wasi';
import { bb, roots } from '../../kern/boot';
import { copyin, copyout } from '../../kern/copy';
import { anythingLeft, cpuEnter, cpuLeave, cpuSetProc, curcpu, curprocp } from '../../kern/cpu';
import { fdFile, File } from '../../proc/file';
import { curproc, procBecome, procFind, procLeave } from '../../proc/proc';
import { lwpPutBack, lwpResume } from '../../proc/sleep';
import { scratchWord } from '../../vfs/scratch';
import { enterSlow, leaveLwp } from '../enter';
import { leaveDooming, leaveSlow } from '../exit';
import { GF_OPEN, guestEntry, guestFind, WASI_MAGIC, WasiGuest } from './guest';

/** The guest of the call in progress. */
// @ts-ignore: decorator
@inline
export function curguest(): WasiGuest {
  return changetype<WasiGuest>(<usize>curcpu.c_wasi);
}

/** Another guest than the last, or none: 0 or -ESRCH. */
function enterOther(wg: u32): i32 {
  const g = guestFind(wg);
  if (changetype<usize>(g) == 0) return -ESRCH;
  curcpu.c_wasi = wg;
  return 0;
}

/** The CPU acts for another process, for the call only: who chose that one relies on it. 0 or -ESRCH. */
function enterProc(g: WasiGuest): i32 {
  const c = curcpu;
  const p = g.wg_proc;
  if (changetype<usize>(p) == 0) return -ESRCH;
  // a blocked call goes on in its own process or not at all
  if (c.c_lwp != 0 && lwpResume().lwp_proc != <u32>changetype<usize>(p)) lwpPutBack();
  c.c_hostpid = curprocp == 0 ? 0 : curproc().p_pid;
  c.c_restore = 1;
  let e = procBecome(p);
  // it may have ended, and the Proc be another's, before this CPU was one that acts for it
  if (e == 0 && changetype<usize>(g.wg_proc) != changetype<usize>(p)) e = -ESRCH;
  if (e != 0) leaveProc();
  return e;
}

/** The CPU acts for whom it did before the call; if that one is gone, for nobody. */
function leaveProc(): void {
  const c = curcpu;
  c.c_restore = 0;
  const p = procFind(c.c_hostpid);
  if (changetype<usize>(p) == 0 || procBecome(p) != 0) procLeave();
}

/** 0, or the negative result to return at once. */
export function wasiEnter(wg: u32): i32 {
  let e = cpuEnter();
  if (e != 0) return e;
  const c = curcpu;
  if (wg != c.c_wasi || changetype<WasiGuest>(<usize>wg).wg_magic != WASI_MAGIC) e = enterOther(wg);
  if (e != 0) return cpuLeave(e);
  const g = changetype<WasiGuest>(<usize>wg);
  if (changetype<usize>(g.wg_proc) == 0) return cpuLeave(-ESRCH);
  if (curprocp != changetype<usize>(g.wg_proc)) {
    e = enterProc(g);
    if (e != 0) return leaveDooming(e);
  }
  cpuSetProc(curprocp, changetype<usize>(curproc().p_cred));
  c.c_guest = g.wg_space;
  return bb().bb_frames_free < roots().r_entermark ? enterSlow() : 0;
}

/** The call ends with this result. */
// @ts-ignore: decorator
@inline
export function wasiLeave(result: i32): i32 {
  const c = curcpu;
  c.c_guest = 0;
  if (c.c_lwp != 0) leaveLwp(result);
  if (anythingLeft()) result = leaveEnding(result);
  if (c.c_restore != 0) leaveRestoring();
  return cpuLeave(result == 0 ? 0 : wasiErrno(-result));
}

/** leaveProc, and the end of whom only this CPU kept. */
function leaveRestoring(): void {
  leaveProc();
  if (anythingLeft()) leaveSlow();
}

/** What the call ended ends now; the guest's own process may be among it. */
function leaveEnding(result: i32): i32 {
  leaveSlow();
  return curprocp == 0 ? -ESRCH : result;
}

/** WASI's number for one of the kernel's; of what its gate must see to, the negated one. */
export function wasiErrno(e: i32): i32 {
  switch (e) {
    case ERESTART: return -ERESTART;
    case ESRCH: return -ESRCH;
    case ENOTCAPABLE: return WASI_ENOTCAPABLE;
    case E2BIG: return WASI_E2BIG;
    case EACCES: return WASI_EACCES;
    case EAGAIN: return WASI_EAGAIN;
    case EBADF: return WASI_EBADF;
    case EBUSY: return WASI_EBUSY;
    case ECANCELED: return WASI_ECANCELED;
    case ECHILD: return WASI_ECHILD;
    case EDEADLK: return WASI_EDEADLK;
    case EDOM: return WASI_EDOM;
    case EDQUOT: return WASI_EDQUOT;
    case EEXIST: return WASI_EEXIST;
    case EFAULT: return WASI_EFAULT;
    case EFBIG: return WASI_EFBIG;
    case EINTR: return WASI_EINTR;
    case EINVAL: return WASI_EINVAL;
    case EISDIR: return WASI_EISDIR;
    case ELOOP: return WASI_ELOOP;
    case EMFILE: return WASI_EMFILE;
    case EMLINK: return WASI_EMLINK;
    case ENAMETOOLONG: return WASI_ENAMETOOLONG;
    case ENFILE: return WASI_ENFILE;
    case ENODEV: return WASI_ENODEV;
    case ENOENT: return WASI_ENOENT;
    case ENOEXEC: return WASI_ENOEXEC;
    case ENOLCK: return WASI_ENOLCK;
    case ENOMEM: return WASI_ENOMEM;
    case ENOSPC: return WASI_ENOSPC;
    case ENOSYS: return WASI_ENOSYS;
    case ENOTDIR: return WASI_ENOTDIR;
    case ENOTEMPTY: return WASI_ENOTEMPTY;
    case ENOTSOCK: return WASI_ENOTSOCK;
    case EOPNOTSUPP: return WASI_ENOTSUP;
    case ENOTTY: return WASI_ENOTTY;
    case ENXIO: return WASI_ENXIO;
    case EOVERFLOW: return WASI_EOVERFLOW;
    case EPERM: return WASI_EPERM;
    case EPIPE: return WASI_EPIPE;
    case ERANGE: return WASI_ERANGE;
    case EROFS: return WASI_EROFS;
    case ESPIPE: return WASI_ESPIPE;
    case ESTALE: return WASI_ESTALE;
    case ETIMEDOUT: return WASI_ETIMEDOUT;
    case ETXTBSY: return WASI_ETXTBSY;
    case EXDEV: return WASI_EXDEV;
    default: return WASI_EIO;
  }
}

// ── descriptors ──────────────────────────────────────────────────────────────────────────────

/** The File of a descriptor for which the guest has all these rights; null: see wasiFdError. */
// @ts-ignore: decorator
@inline
export function wasiFd(fd: u32, rights: u32): File {
  const at = guestEntry(curguest(), fd);
  if (at == 0 || (load<u32>(at) & (GF_OPEN | rights)) != (GF_OPEN | rights)) return changetype<File>(<usize>0);
  return fdFile(<i32>fd);
}

/** Why wasiFd gave none: -EBADF or -ENOTCAPABLE. */
export function wasiFdError(fd: u32): i32 {
  const at = guestEntry(curguest(), fd);
  const open = at != 0 && (load<u32>(at) & GF_OPEN) != 0 && changetype<usize>(fdFile(<i32>fd)) != 0;
  return open ? -ENOTCAPABLE : -EBADF;
}

/** The same as one errno: 0, -EBADF or -ENOTCAPABLE. */
export function wasiMay(fd: u32, rights: u32): i32 {
  return changetype<usize>(wasiFd(fd, rights)) == 0 ? wasiFdError(fd) : 0;
}

// ── the guest's memory ───────────────────────────────────────────────────────────────────────

/** From the guest: 0 or -EFAULT. */
// @ts-ignore: decorator
@inline
export function guestIn(uaddr: u32, kaddr: usize, len: u32): i32 {
  return -copyin(curcpu.c_guest, uaddr, kaddr, len);
}

/** To the guest: 0 or -EFAULT. */
// @ts-ignore: decorator
@inline
export function guestOut(uaddr: u32, kaddr: usize, len: u32): i32 {
  return -copyout(curcpu.c_guest, uaddr, kaddr, len);
}

export function guestOut32(uaddr: u32, value: u32): i32 {
  store<u32>(scratchWord(9), value);
  return guestOut(uaddr, scratchWord(9), 4);
}

export function guestOut64(uaddr: u32, value: u64): i32 {
  store<u64>(scratchWord(9), value);
  return guestOut(uaddr, scratchWord(9), 8);
}
