/** flock(2), and fcntl(2)'s record and open-file-description locks. */
import { EBADF, EINVAL, EOVERFLOW } from '../abi/errno';
import {
  F_GETLK,
  F_OFD_GETLK,
  F_OFD_SETLK,
  F_OFD_SETLKW,
  F_RDLCK,
  F_SETLK,
  F_SETLKW,
  F_UNLCK,
  F_WRLCK,
  LOCK_EX,
  LOCK_NB,
  LOCK_SH,
  LOCK_UN,
  O_ACCMODE,
  O_RDONLY,
  O_WRONLY,
  SEEK_CUR,
  SEEK_END,
  SEEK_SET,
} from '../abi/flags';
import { FL_LEN, FL_PID, FL_START, FL_TYPE, SA_DATA } from '../abi/layout';
import { curcpu } from '../kern/cpu';
import { fdFile, File } from '../proc/file';
import { curproc } from '../proc/proc';
import { CALL_FCNTL, CALL_FLOCK, Lwp, lwpResume } from '../proc/sleep';
import { FL_EOF, LK_FLOCK, LK_OFD, LK_POSIX, LockReq, lockProcClosed, LR_SET, LR_TEST } from '../vfs/advlock';
import { scratchWord } from '../vfs/scratch';
import { fileVnode } from '../vfs/vfile';
import { vop_advlock } from '../vfs/vop';
import { sysEnter, sysLeave } from './enter';
import { fdGet } from './path';

/** The call's request: words 8 to 15 of the scratch. */
function request(fp: File): LockReq {
  const q = changetype<LockReq>(scratchWord(8));
  q.lr_op = LR_SET;
  q.lr_owner = <u32>changetype<usize>(fp);
  q.lr_file = <u32>changetype<usize>(fp);
  q.lr_pid = curproc().p_pid;
  q.lr_call = 0;
  return q;
}

function advlock(fp: File, q: LockReq): i32 {
  const vp = fileVnode(fp);
  return vop_advlock(vp.v_fm, vp, changetype<usize>(q));
}

/** The File of a call that may be going on with a blocked one, or null. */
function fileFor(fd: i32, call: u32): File {
  const l: Lwp = lwpResume();
  if (changetype<usize>(l) == 0) return fdGet(fd);
  return l.lwp_call == call ? changetype<File>(<usize>l.lwp_file) : changetype<File>(<usize>0);
}

// ── flock ────────────────────────────────────────────────────────────────────────────────────

function flock(fd: i32, op: u32): i32 {
  const what = op & ~LOCK_NB;
  if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN) return -EINVAL;
  const fp = fileFor(fd, CALL_FLOCK);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const q = request(fp);
  q.lr_kind = LK_FLOCK;
  q.lr_type = what == LOCK_SH ? F_RDLCK : what == LOCK_EX ? F_WRLCK : F_UNLCK;
  q.lr_start = 0;
  q.lr_end = FL_EOF;
  if ((op & LOCK_NB) == 0) q.lr_call = CALL_FLOCK;
  return advlock(fp, q);
}

export function sys_flock(fd: i32, op: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(flock(fd, op));
}

// ── fcntl ────────────────────────────────────────────────────────────────────────────────────

/** What an i64 holds, as far as a double says it. */
const LIMIT: f64 = 9223372036854775807.0;

/** lr_start and lr_end from fcntl's three numbers: 0, -EINVAL or -EOVERFLOW. */
function lockRange(q: LockReq, fp: File, whence: u32, start: f64, len: f64): i32 {
  let base: i64 = 0;
  if (whence == SEEK_CUR) base = fp.f_offset;
  else if (whence == SEEK_END) base = <i64>fileVnode(fp).v_fc.fc_size;
  else if (whence != SEEK_SET) return -EINVAL;
  if (start != start || len != len || start <= -LIMIT || len <= -LIMIT) return -EINVAL;
  if (start >= LIMIT || len >= LIMIT) return -EOVERFLOW;
  let from = <i64>start;
  if (from > FL_EOF - base) return -EOVERFLOW;
  from += base;
  if (from < 0) return -EINVAL;
  const n = <i64>len;
  if (n > 0) {
    if (n - 1 > FL_EOF - from) return -EOVERFLOW;
    q.lr_start = from;
    q.lr_end = from + n - 1;
  } else if (n < 0) {
    if (from + n < 0) return -EINVAL;
    q.lr_start = from + n;
    q.lr_end = from - 1;
  } else {
    q.lr_start = from;
    q.lr_end = FL_EOF;
  }
  return 0;
}

/** F_GETLK's answer at SA_DATA. */
function answer(q: LockReq): void {
  const out = <usize>curcpu.c_area + SA_DATA;
  store<u32>(out, q.lr_type, FL_TYPE);
  store<f64>(out, <f64>q.lr_start, FL_START);
  store<f64>(out, q.lr_end == FL_EOF ? 0 : <f64>(q.lr_end - q.lr_start + 1), FL_LEN);
  store<i32>(out, q.lr_type == F_UNLCK ? 0 : q.lr_pid, FL_PID);
}

function getLock(fp: File, q: LockReq): i32 {
  if (q.lr_type == F_UNLCK) return -EINVAL;
  q.lr_op = LR_TEST;
  const e = advlock(fp, q);
  if (e == 0) answer(q);
  return e;
}

function setLock(fd: i32, fp: File, q: LockReq): i32 {
  const acc = fp.f_flag & O_ACCMODE;
  if (q.lr_type == F_RDLCK && acc == O_WRONLY) return -EBADF;
  if (q.lr_type == F_WRLCK && acc == O_RDONLY) return -EBADF;
  if (q.lr_kind != LK_POSIX) return advlock(fp, q);
  // a process that closed the file while it waited would never let the lock go
  if (changetype<usize>(fdFile(fd)) != changetype<usize>(fp)) return -EBADF;
  const e = advlock(fp, q);
  if (SMP && e == 0 && changetype<usize>(fdFile(fd)) != changetype<usize>(fp)) {
    lockProcClosed(fileVnode(fp), curproc());
    return -EBADF;
  }
  return e;
}

function fcntlLock(fd: i32, cmd: u32, type: u32, whence: u32, start: f64, len: f64): i32 {
  const ofd = cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
  const get = cmd == F_GETLK || cmd == F_OFD_GETLK;
  const wait = cmd == F_SETLKW || cmd == F_OFD_SETLKW;
  if (!ofd && !get && !wait && cmd != F_SETLK) return -EINVAL;
  const fp = fileFor(fd, CALL_FCNTL);
  if (changetype<usize>(fp) == 0) return -EBADF;
  const q = request(fp);
  const e = lockRange(q, fp, whence, start, len);
  if (e != 0) return e;
  if (type != F_RDLCK && type != F_WRLCK && type != F_UNLCK) return -EINVAL;
  q.lr_type = type;
  q.lr_kind = ofd ? LK_OFD : LK_POSIX;
  if (ofd) q.lr_pid = -1;
  else q.lr_owner = <u32>changetype<usize>(curproc());
  if (wait) q.lr_call = CALL_FCNTL;
  return get ? getLock(fp, q) : setLock(fd, fp, q);
}

export function sys_fcntl_lock(fd: i32, cmd: u32, type: u32, whence: u32, start: f64, len: f64): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fcntlLock(fd, cmd, type, whence, start, len));
}
