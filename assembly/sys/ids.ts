/** Who a process is: its numbers, groups and sessions (setpgid, setsid), its credentials. */
import { EACCES, EINVAL, ENOMEM, EPERM, ESRCH } from '../abi/errno';
import {
  PI_EGID,
  PI_EUID,
  PI_GID,
  PI_GROUPS,
  PI_NGROUPS,
  PI_PGID,
  PI_PID,
  PI_PPID,
  PI_SGID,
  PI_SID,
  PI_SUID,
  PI_UID,
  SA_DATA,
} from '../abi/layout';
import { roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { credCopy, credCreate, credIsRoot, curcred, NGROUPS_MAX, Ucred } from '../proc/cred';
import { curproc, PF_EXECED, Proc, procFind } from '../proc/proc';
import { sysEnter, sysLeave } from './enter';
import { procSetCred } from './process';

export function sys_getids(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = curproc();
  const cr: Ucred = p.p_cred;
  const out = <usize>curcpu.c_area + SA_DATA;
  store<i32>(out, p.p_pid, PI_PID);
  store<i32>(out, p.p_ppid, PI_PPID);
  store<i32>(out, p.p_pgid, PI_PGID);
  store<i32>(out, p.p_sid, PI_SID);
  store<u32>(out, cr.cr_ruid, PI_UID);
  store<u32>(out, cr.cr_uid, PI_EUID);
  store<u32>(out, cr.cr_suid, PI_SUID);
  store<u32>(out, cr.cr_rgid, PI_GID);
  store<u32>(out, cr.cr_gid, PI_EGID);
  store<u32>(out, cr.cr_sgid, PI_SGID);
  store<u32>(out, cr.cr_ngroups, PI_NGROUPS);
  if (cr.cr_ngroups != 0) memory.copy(out + PI_GROUPS, cr.cr_groups, cr.cr_ngroups * 4);
  return sysLeave(0);
}

// ── groups and sessions ──────────────────────────────────────────────────────────────────────

/** The process of that number, or with 0 the current one; null: there is none. */
function named(pid: i32): Proc {
  return pid == 0 ? curproc() : procFind(pid);
}

/** Is there such a group in this session? */
export function groupIn(pgid: i32, sid: i32): bool {
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_pgid == pgid && p.p_sid == sid) return true;
  }
  return false;
}

function setpgid(pid: i32, pgid: i32): i32 {
  if (pgid < 0) return -EINVAL;
  const me = curproc();
  const p = named(pid);
  if (changetype<usize>(p) == 0) return -ESRCH;
  if (changetype<usize>(p) != changetype<usize>(me)) {
    if (p.p_ppid != me.p_pid) return -ESRCH;
    if (p.p_sid != me.p_sid) return -EPERM;
    if (p.p_flag & PF_EXECED) return -EACCES;
  }
  if (p.p_sid == p.p_pid) return -EPERM;
  const to = pgid == 0 ? p.p_pid : pgid;
  if (to != p.p_pid && !groupIn(to, me.p_sid)) return -EPERM;
  p.p_pgid = to;
  return 0;
}

export function sys_setpgid(pid: i32, pgid: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(setpgid(pid, pgid));
}

export function sys_getpgid(pid: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = named(pid);
  return sysLeave(changetype<usize>(p) == 0 ? -ESRCH : p.p_pgid);
}

function setsid(): i32 {
  const me = curproc();
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    if (changetype<Proc>(<usize>q).p_pgid == me.p_pid) return -EPERM;
  }
  me.p_sid = me.p_pid;
  me.p_pgid = me.p_pid;
  me.p_tty = 0;
  return me.p_sid;
}

export function sys_setsid(): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(setsid());
}

export function sys_getsid(pid: i32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  const p = named(pid);
  return sysLeave(changetype<usize>(p) == 0 ? -ESRCH : p.p_sid);
}

// ── credentials ──────────────────────────────────────────────────────────────────────────────

/** An id that is to stay as it is. */
const KEEP: u32 = 0xffffffff;

/** May somebody who has the ids a, b, c take this one? */
function mayTake(id: u32, a: u32, b: u32, c: u32): bool {
  return id == KEEP || id == a || id == b || id == c;
}

function setresuid(ruid: u32, euid: u32, suid: u32): i32 {
  const cr = curcred();
  if (!credIsRoot(cr)) {
    if (!mayTake(ruid, cr.cr_ruid, cr.cr_uid, cr.cr_suid)) return -EPERM;
    if (!mayTake(euid, cr.cr_ruid, cr.cr_uid, cr.cr_suid)) return -EPERM;
    if (!mayTake(suid, cr.cr_ruid, cr.cr_uid, cr.cr_suid)) return -EPERM;
  }
  const to = credCopy(cr);
  if (changetype<usize>(to) == 0) return -ENOMEM;
  if (ruid != KEEP) to.cr_ruid = ruid;
  if (euid != KEEP) to.cr_uid = euid;
  if (suid != KEEP) to.cr_suid = suid;
  procSetCred(to);
  return 0;
}

export function sys_setresuid(ruid: u32, euid: u32, suid: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(setresuid(ruid, euid, suid));
}

function setresgid(rgid: u32, egid: u32, sgid: u32): i32 {
  const cr = curcred();
  if (!credIsRoot(cr)) {
    if (!mayTake(rgid, cr.cr_rgid, cr.cr_gid, cr.cr_sgid)) return -EPERM;
    if (!mayTake(egid, cr.cr_rgid, cr.cr_gid, cr.cr_sgid)) return -EPERM;
    if (!mayTake(sgid, cr.cr_rgid, cr.cr_gid, cr.cr_sgid)) return -EPERM;
  }
  const to = credCopy(cr);
  if (changetype<usize>(to) == 0) return -ENOMEM;
  if (rgid != KEEP) to.cr_rgid = rgid;
  if (egid != KEEP) to.cr_gid = egid;
  if (sgid != KEEP) to.cr_sgid = sgid;
  procSetCred(to);
  return 0;
}

export function sys_setresgid(rgid: u32, egid: u32, sgid: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(setresgid(rgid, egid, sgid));
}

function setgroups(ngroups: u32): i32 {
  const cr = curcred();
  if (!credIsRoot(cr)) return -EPERM;
  if (ngroups > NGROUPS_MAX) return -EINVAL;
  const to = credCreate(cr.cr_uid, cr.cr_gid, <usize>curcpu.c_area + SA_DATA, ngroups);
  if (changetype<usize>(to) == 0) return -ENOMEM;
  to.cr_ruid = cr.cr_ruid;
  to.cr_suid = cr.cr_suid;
  to.cr_rgid = cr.cr_rgid;
  to.cr_sgid = cr.cr_sgid;
  procSetCred(to);
  return 0;
}

export function sys_setgroups(ngroups: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(setgroups(ngroups));
}
