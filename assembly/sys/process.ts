/** Making, becoming, ending and waiting for processes: fork, execve, exit, wait4, and the host's own. */
import { EACCES, ECHILD, EINVAL, ENOMEM, ERESTART, ESRCH } from '../abi/errno';
import { AT_FDCWD, MS_NOEXEC, MS_NOSUID, S_IFREG, S_ISGID, S_ISUID, X_OK } from '../abi/flags';
import { EXECHEAD_MAX, SA_DATA, SA_PATH1, SA_PATH2, SA_SIZE } from '../abi/layout';
import { SIGCHLD, WNOHANG } from '../abi/signals';
import { roots } from '../kern/boot';
import { cpuEnter, cpuLeave, cpuSetProc, curcpu } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { Ucred, credCopy, credCreate, credDrop, credRef, curcred, NGROUPS_MAX } from '../proc/cred';
import { FD_CHUNK, FD_LIMIT, fdCloexec, fdInherit, fdTake, File } from '../proc/file';
import {
  COMM_LEN,
  curproc,
  PF_ENDING,
  PF_EXECED,
  PF_PROGRAM,
  Proc,
  procAlloc,
  procBecome,
  procDropArgs,
  procFind,
  procLock,
  procSetName,
  procUnlink,
  PS_LIVE,
  PS_ZOMBIE,
} from '../proc/proc';
import { LIBRARY_IGNORES, sigBit, signalUncatch } from '../proc/signal';
import { CALL_WAIT, lwpBlock, lwpPutBack, lwpResume } from '../proc/sleep';
import { attrAccess } from '../vfs/access';
import { Mount } from '../vfs/mount';
import { Namecache } from '../vfs/namecache';
import { NL_FOLLOW } from '../vfs/nlookup';
import { procSetCwd, procSetRoot } from '../vfs/procdirs';
import { scratchNl, scratchUio } from '../vfs/scratch';
import { Vattr } from '../vfs/vattr';
import { fileClosedBy } from '../vfs/vfile';
import { mountLetGo } from '../vfs/vfsmount';
import { Vnode } from '../vfs/vnode';
import { vop_read } from '../vfs/vop';
import { ALLOC_NOIO } from '../vm/page';
import { uioKernel } from '../vm/uio';
import { kmalloc, KMALLOC_MAX } from '../vm/zone';
import { sysEnter, sysLeave } from './enter';
import { leaveDooming, procDestroy, procExit, procReap } from './exit';
import { touchAtimeOn } from './io';
import { pathDone, pathToVnode, pathVnode } from './path';

// ── making ───────────────────────────────────────────────────────────────────────────────────

/** What a child has of its parent, descriptors and signals apart. */
function inherit(p: Proc, parent: Proc): void {
  p.p_ppid = parent.p_pid;
  p.p_umask = parent.p_umask;
  p.p_nofile = parent.p_nofile;
  p.p_nofilehard = parent.p_nofilehard;
  p.p_fsize = parent.p_fsize;
  p.p_fsizehard = parent.p_fsizehard;
  procSetCwd(
    p,
    changetype<Mount>(<usize>parent.p_cwdmount),
    changetype<Namecache>(<usize>parent.p_cwdncp),
    changetype<Vnode>(<usize>parent.p_cwdvp),
  );
  procSetRoot(
    p,
    changetype<Mount>(<usize>parent.p_rootmount),
    changetype<Namecache>(<usize>parent.p_rootncp),
    changetype<Vnode>(<usize>parent.p_rootvp),
  );
}

/** A process with these credentials (their reference is consumed), in the machine's root or where
 *  its parent is; null: no memory. */
function procMake(parent: Proc, cred: Ucred): Proc {
  const p = procAlloc();
  if (changetype<usize>(p) == 0) {
    credDrop(cred);
    return p;
  }
  p.p_cred = cred;
  if (changetype<usize>(parent) != 0) inherit(p, parent);
  else {
    const mp = changetype<Mount>(<usize>roots().r_rootmount);
    procSetCwd(p, mp, mp.mnt_root, mp.mnt_rootvp);
    procSetRoot(p, mp, mp.mnt_root, mp.mnt_rootvp);
  }
  return p;
}

/** A process for the host to drive: its pid or an errno. */
export function procCreate(ppid: i32, uid: u32, gid: u32, ngroups: u32, inheritFds: i32): i32 {
  if (ngroups > NGROUPS_MAX) return -EINVAL;
  const parent = procFind(ppid);
  if (ppid != 0 && (changetype<usize>(parent) == 0 || parent.p_state != PS_LIVE)) return -ESRCH;
  const cred = credCreate(uid, gid, <usize>curcpu.c_area + SA_DATA, ngroups);
  if (changetype<usize>(cred) == 0) return -ENOMEM;
  const p = procMake(parent, cred);
  if (changetype<usize>(p) == 0) return -ENOMEM;
  procSetName(p, p.p_pid == 1 ? 'init' : 'host');
  p.p_sigignore = LIBRARY_IGNORES;
  if (p.p_pid == 1) p.p_sigignore |= sigBit(SIGCHLD);
  if (changetype<usize>(parent) == 0 || inheritFds == 0) return p.p_pid;
  const e = fdInherit(parent, p);
  if (e == 0) return p.p_pid;
  procDestroy(p);
  return e;
}

export function proc_create(ppid: i32, uid: u32, gid: u32, ngroups: u32, inheritFds: i32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return leaveDooming(procCreate(ppid, uid, gid, ngroups, inheritFds));
}

export function proc_exit(pid: i32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const p = procFind(pid);
  if (changetype<usize>(p) == 0) return cpuLeave(-ESRCH);
  const result = procDestroy(p);
  mountLetGo();
  return leaveDooming(result);
}

export function proc_switch(pid: i32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const p = procFind(pid);
  if (changetype<usize>(p) == 0) return cpuLeave(-ESRCH);
  // a blocked call goes on in its own process or not at all
  lwpPutBack();
  return leaveDooming(procBecome(p));
}

/** Give the current process other credentials; their reference is consumed. */
export function procSetCred(cred: Ucred): void {
  const p = curproc();
  const old = p.p_cred;
  p.p_cred = cred;
  cpuSetProc(changetype<usize>(p), changetype<usize>(cred));
  credDrop(old);
}

function setcred(uid: u32, gid: u32, ngroups: u32): i32 {
  if (changetype<usize>(curproc()) == 0 || ngroups > NGROUPS_MAX) return -EINVAL;
  const cred = credCreate(uid, gid, <usize>curcpu.c_area + SA_DATA, ngroups);
  if (changetype<usize>(cred) == 0) return -ENOMEM;
  procSetCred(cred);
  return 0;
}

export function proc_setcred(uid: u32, gid: u32, ngroups: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  return cpuLeave(setcred(uid, gid, ngroups));
}

/** The child's arguments are the parent's: 0 or -ENOMEM. */
function copyArgs(p: Proc, parent: Proc): i32 {
  memory.copy(p.p_comm, parent.p_comm, COMM_LEN + 1);
  if (parent.p_args == 0) return 0;
  const args = kmalloc(parent.p_argslen, ALLOC_NOIO);
  if (args == 0) return -ENOMEM;
  memory.copy(args, parent.p_args, parent.p_argslen);
  p.p_args = <u32>args;
  p.p_argslen = parent.p_argslen;
  return 0;
}

function fork(): i32 {
  const parent = curproc();
  const p = procMake(parent, credRef(parent.p_cred));
  if (changetype<usize>(p) == 0) return -ENOMEM;
  p.p_pgid = parent.p_pgid;
  p.p_sid = parent.p_sid;
  p.p_tty = parent.p_tty;
  // what catches a signal is a function of the parent's, which the child does not run
  p.p_sigignore = parent.p_sigignore;
  p.p_flag = PF_PROGRAM;
  let e = copyArgs(p, parent);
  if (e == 0) e = fdInherit(parent, p);
  if (e == 0) return p.p_pid;
  procDestroy(p);
  return e;
}

export function sys_fork(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(fork());
}

// ── becoming ─────────────────────────────────────────────────────────────────────────────────

/** May the current process execute this file? */
function execCheck(vp: Vnode, mp: Mount): i32 {
  if (vp.v_type != S_IFREG || mp.mnt_flag & MS_NOEXEC) return -EACCES;
  return attrAccess(vp.v_fc.fc_attr, X_OK, curcred());
}

function exechead(plen: u32): i32 {
  let e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return e;
  const vp = pathVnode();
  const mp = scratchNl(0).nl_mount;
  e = execCheck(vp, mp);
  if (e == 0) {
    const u = scratchUio(0);
    uioKernel(u, <usize>curcpu.c_area + SA_DATA, EXECHEAD_MAX, 0, 0);
    e = vop_read(vp.v_fm, vp, u, 0, curcred());
    if (e == 0) {
      e = EXECHEAD_MAX - u.uio_resid;
      touchAtimeOn(mp, vp);
    }
  }
  pathDone();
  return e;
}

export function sys_exechead(plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(exechead(plen));
}

/** The credentials after the file's set-id bits, referenced; null: no memory. */
function execCred(va: Vattr, mp: Mount): Ucred {
  const cr = curcred();
  let uid = cr.cr_uid;
  let gid = cr.cr_gid;
  if ((mp.mnt_flag & MS_NOSUID) == 0) {
    if (va.va_mode & S_ISUID) uid = va.va_uid;
    // without the group's execute bit, set-group-ID once meant something else
    if ((va.va_mode & (S_ISGID | 0o010)) == (S_ISGID | 0o010)) gid = va.va_gid;
  }
  if (uid == cr.cr_uid && gid == cr.cr_gid && cr.cr_suid == uid && cr.cr_sgid == gid) return credRef(cr);
  const to = credCopy(cr);
  if (changetype<usize>(to) == 0) return to;
  to.cr_uid = uid;
  to.cr_suid = uid;
  to.cr_gid = gid;
  to.cr_sgid = gid;
  return to;
}

/** The last component of the path at SA_PATH1 is the program's name. */
function nameFromPath(p: Proc, plen: u32): void {
  const path = <usize>curcpu.c_area + SA_PATH1;
  let from = plen;
  while (from > 0 && load<u8>(path + from - 1) != 47) from--;
  const len = plen - from;
  memory.fill(p.p_comm, 0, COMM_LEN + 1);
  memory.copy(p.p_comm, path + from, len < COMM_LEN ? len : COMM_LEN);
}

/** Descriptors marked close-on-exec are closed. */
function closeOnExec(p: Proc): void {
  for (let fd: u32 = 0; fd < FD_LIMIT && p.p_fddir != 0; fd++) {
    if (load<u32>(<usize>p.p_fddir + ((fd / FD_CHUNK) << 2)) == 0) {
      fd += FD_CHUNK - 1;
      continue;
    }
    if (!fdCloexec(p, fd)) continue;
    const fp: File = fdTake(p, fd);
    fileClosedBy(fp, p);
  }
  mountLetGo();
}

function execve(plen: u32, argvlen: u32): i32 {
  if (argvlen > SA_SIZE - SA_PATH2) return -EINVAL;
  let e = pathToVnode(AT_FDCWD, SA_PATH1, plen, NL_FOLLOW, 0);
  if (e != 0) return e;
  const vp = pathVnode();
  const mp = scratchNl(0).nl_mount;
  e = execCheck(vp, mp);
  let cred = changetype<Ucred>(<usize>0);
  if (e == 0) {
    cred = execCred(vp.v_fc.fc_attr, mp);
    if (changetype<usize>(cred) == 0) e = -ENOMEM;
  }
  pathDone();
  if (e != 0) return e;
  const len = argvlen < KMALLOC_MAX ? argvlen : KMALLOC_MAX;
  const args: usize = len == 0 ? 0 : kmalloc(len, ALLOC_NOIO);
  if (args == 0 && len != 0) {
    credDrop(cred);
    return -ENOMEM;
  }
  const p = curproc();
  memory.copy(args, <usize>curcpu.c_area + SA_PATH2, len);
  procDropArgs(p);
  p.p_args = <u32>args;
  p.p_argslen = len;
  nameFromPath(p, plen);
  p.p_flag |= PF_PROGRAM | PF_EXECED;
  procSetCred(cred);
  closeOnExec(p);
  signalUncatch(p);
  return 0;
}

export function sys_execve(plen: u32, argvlen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(execve(plen, argvlen));
}

// ── ending, and waiting for it ───────────────────────────────────────────────────────────────

export function sys_exit(status: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  if (status & ~0xff7f) return sysLeave(-EINVAL);
  procExit(curproc(), status);
  mountLetGo();
  return sysLeave(0);
}

/** A child that `pid` names, as wait4(2) does: 0 no such, 1 there are some, else a zombie, which is off the list. */
function findChild(pid: i32): usize {
  spinLock(procLock());
  const q = findChildLocked(pid);
  if (q > 1) procUnlink(changetype<Proc>(q));
  spinUnlock(procLock());
  return q;
}

function findChildLocked(pid: i32): usize {
  const me = curproc();
  let any: usize = 0;
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_ppid != me.p_pid) continue;
    if (pid > 0 && p.p_pid != pid) continue;
    if (pid == 0 && p.p_pgid != me.p_pgid) continue;
    if (pid < -1 && p.p_pgid != -pid) continue;
    if (p.p_state == PS_ZOMBIE && (p.p_flag & PF_ENDING) == 0) return q;
    any = 1;
  }
  return any;
}

function collect(p: Proc): i32 {
  store<u32>(<usize>curcpu.c_area + SA_DATA, p.p_xstat);
  const pid = p.p_pid;
  procReap(p);
  return pid;
}

function wait4(pid: i32, options: u32): i32 {
  if (options & ~WNOHANG) return -EINVAL;
  // its negation is no number
  if (pid == i32.MIN_VALUE) return -ESRCH;
  const l = lwpResume();
  if (changetype<usize>(l) != 0 && l.lwp_call != CALL_WAIT) return -EINVAL;
  const q = findChild(pid);
  if (q == 0) return -ECHILD;
  if (q != 1) return collect(changetype<Proc>(q));
  if (options & WNOHANG) return 0;
  const e = lwpBlock(curproc().p_chan, CALL_WAIT, changetype<File>(<usize>0), 0);
  if (!SMP || e != -ERESTART) return e;
  // one that ended between the look and the wait woke nobody
  const late = findChild(pid);
  return late == 0 ? -ECHILD : late == 1 ? e : collect(changetype<Proc>(late));
}

export function sys_wait4(pid: i32, options: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(wait4(pid, options));
}
