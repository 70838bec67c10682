/** procfs: the texts about a process, in Linux's formats. Lines that would not be true are left out. */
import { EACCES, ENOENT, EIO, ESRCH } from '../../abi/errno';
import { roots } from '../../kern/boot';
import { curprocp } from '../../kern/cpu';
import { litLen, Text, textByte, textBytes, textI64, textLit, textOct, textU64 } from '../../kern/text';
import { Tty } from '../../dev/tty';
import { curcred, Ucred } from '../../proc/cred';
import { FD_CHUNK, FD_DIR, FF_BENEATH, FF_WRITER } from '../../proc/file';
import { Proc, PS_ZOMBIE } from '../../proc/proc';
import { Mount } from '../../vfs/mount';
import { Vnode } from '../../vfs/vnode';
import { mountinfoText, mountsText } from './mounts';
import {
  mayInspect,
  openFileOf,
  PK_CMDLINE,
  PK_COMM,
  PK_FDINFOFILE,
  PK_LIMITS,
  PK_MOUNTINFO,
  PK_MOUNTS,
  PK_PIDSTAT,
  PK_STATUS,
  procOf,
} from './node';

function line(t: Text, name: string, v: u64): void {
  textLit(t, name);
  textLit(t, ':\t');
  textU64(t, v);
  textByte(t, 10);
}

/** Real, effective, saved and file-system id: the last is the effective one. */
function idLine(t: Text, name: string, real: u32, effective: u32, saved: u32): void {
  textLit(t, name);
  textLit(t, ':\t');
  textU64(t, real);
  textByte(t, 9);
  textU64(t, effective);
  textByte(t, 9);
  textU64(t, saved);
  textByte(t, 9);
  textU64(t, effective);
  textByte(t, 10);
}

/** A set of signals, as 16 hexadecimal digits. */
function sigLine(t: Text, name: string, set: u64): void {
  textLit(t, name);
  textLit(t, ':\t');
  for (let shift: i32 = 60; shift >= 0; shift -= 4) {
    const d = <u32>(set >> shift) & 15;
    textByte(t, d < 10 ? 48 + d : 87 + d);
  }
  textByte(t, 10);
}

function nameText(p: Proc, t: Text): void {
  for (let at = p.p_comm; load<u8>(at) != 0; at++) textByte(t, load<u8>(at));
}

/** R: the one that asks; Z; S: it waits, for the kernel or for its host. */
function stateOf(p: Proc): u32 {
  return p.p_state == PS_ZOMBIE ? 90 : curprocp == changetype<usize>(p) ? 82 : 83;
}

/** Descriptors there is room for without growing the table. */
function fdSlots(p: Proc): u32 {
  let n: u32 = 0;
  if (p.p_fddir == 0) return 0;
  for (let i: u32 = 0; i < FD_DIR; i++) {
    if (load<u32>(<usize>p.p_fddir + (i << 2)) != 0) n = (i + 1) * FD_CHUNK;
  }
  return n;
}

function statusText(p: Proc, t: Text): void {
  const cr: Ucred = p.p_cred;
  textLit(t, 'Name:\t');
  nameText(p, t);
  textLit(t, '\nUmask:\t');
  for (let shift: i32 = 9; shift >= 0; shift -= 3) textByte(t, 48 + ((p.p_umask >> shift) & 7));
  textByte(t, 10);
  textLit(t, 'State:\t');
  const state = stateOf(p);
  textByte(t, state);
  textLit(t, state == 90 ? ' (zombie)\n' : state == 82 ? ' (running)\n' : ' (sleeping)\n');
  line(t, 'Tgid', p.p_pid);
  line(t, 'Pid', p.p_pid);
  line(t, 'PPid', p.p_ppid);
  idLine(t, 'Uid', cr.cr_ruid, cr.cr_uid, cr.cr_suid);
  idLine(t, 'Gid', cr.cr_rgid, cr.cr_gid, cr.cr_sgid);
  line(t, 'FDSize', fdSlots(p));
  textLit(t, 'Groups:\t');
  for (let i: u32 = 0; i < cr.cr_ngroups; i++) {
    textU64(t, load<u32>(<usize>cr.cr_groups + (i << 2)));
    textByte(t, 32);
  }
  textByte(t, 10);
  sigLine(t, 'SigPnd', p.p_sigpend);
  sigLine(t, 'SigIgn', p.p_sigignore);
  sigLine(t, 'SigCgt', p.p_sigcatch);
}

/** The clock ticks of a second, in which /proc/PID/stat tells times. */
const TICKS_PER_SECOND: f64 = 100;
// Fields of /proc/PID/stat by their number in proc(5); those that would say nothing here are 0.
const STAT_THREADS: u32 = 20;
const STAT_STARTTIME: u32 = 22;
const STAT_EXIT_CODE: u32 = 52;

/** proc(5)'s line of 52 fields. */
function statText(p: Proc, t: Text): void {
  textI64(t, p.p_pid);
  textLit(t, ' (');
  nameText(p, t);
  textLit(t, ') ');
  textByte(t, stateOf(p));
  statNumber(t, p.p_ppid);
  statNumber(t, p.p_pgid);
  statNumber(t, p.p_sid);
  const tty = changetype<Tty>(<usize>p.p_tty);
  statNumber(t, changetype<usize>(tty) == 0 ? 0 : <i64>tty.t_rdev);
  statNumber(t, changetype<usize>(tty) == 0 ? -1 : tty.t_pgrp);
  for (let field: u32 = 9; field < STAT_EXIT_CODE; field++) {
    if (field == STAT_THREADS) statNumber(t, 1);
    else if (field == STAT_STARTTIME) {
      const sinceBoot = p.p_startms / 1000.0 - roots().r_bootsec;
      statNumber(t, sinceBoot > 0 ? <i64>(sinceBoot * TICKS_PER_SECOND) : 0);
    } else statNumber(t, 0);
  }
  statNumber(t, p.p_xstat);
  textByte(t, 10);
}

function statNumber(t: Text, v: i64): void {
  textByte(t, 32);
  textI64(t, v);
}

/** A text in a column of `width` characters and one space. */
function column(t: Text, s: string, width: u32): void {
  textLit(t, s);
  for (let n = litLen(s); n <= width; n++) textByte(t, 32);
}

function limitColumn(t: Text, v: u64, none: bool): void {
  if (none) {
    column(t, 'unlimited', 20);
    return;
  }
  let n: u32 = 1;
  for (let w = v; w >= 10; w /= 10) n++;
  textU64(t, v);
  for (; n <= 20; n++) textByte(t, 32);
}

function limitsText(p: Proc, t: Text): void {
  column(t, 'Limit', 25);
  column(t, 'Soft Limit', 20);
  column(t, 'Hard Limit', 20);
  column(t, 'Units', 9);
  textByte(t, 10);
  column(t, 'Max file size', 25);
  limitColumn(t, p.p_fsize, p.p_fsize == u64.MAX_VALUE);
  limitColumn(t, p.p_fsizehard, p.p_fsizehard == u64.MAX_VALUE);
  column(t, 'bytes', 9);
  textByte(t, 10);
  column(t, 'Max open files', 25);
  limitColumn(t, p.p_nofile, false);
  limitColumn(t, p.p_nofilehard, false);
  column(t, 'files', 9);
  textByte(t, 10);
}

function fdinfoText(vp: Vnode, p: Proc, t: Text): i32 {
  if (!mayInspect(p, curcred())) return -EACCES;
  const fp = openFileOf(vp);
  if (changetype<usize>(fp) == 0) return -ENOENT;
  textLit(t, 'pos:\t');
  textI64(t, fp.f_offset);
  textLit(t, '\nflags:\t0');
  textOct(t, fp.f_flag & ~(FF_BENEATH | FF_WRITER));
  textByte(t, 10);
  line(t, 'mnt_id', changetype<Mount>(<usize>fp.f_mount).mnt_id);
  line(t, 'ino', changetype<Vnode>(<usize>fp.f_vp).v_fc.fc_attr.va_ino);
  return 0;
}

/** The text of a file about a process: 0, -ESRCH when it has ended, or another errno. */
export function processText(vp: Vnode, kind: u32, t: Text): i32 {
  const p = procOf(vp);
  if (changetype<usize>(p) == 0) return -ESRCH;
  if (kind == PK_STATUS) statusText(p, t);
  else if (kind == PK_PIDSTAT) statText(p, t);
  else if (kind == PK_COMM) {
    nameText(p, t);
    textByte(t, 10);
  } else if (kind == PK_CMDLINE) textBytes(t, p.p_args, p.p_argslen);
  else if (kind == PK_LIMITS) limitsText(p, t);
  else if (kind == PK_MOUNTS) mountsText(p, t);
  else if (kind == PK_MOUNTINFO) mountinfoText(p, t);
  else if (kind == PK_FDINFOFILE) return fdinfoText(vp, p, t);
  else return -EIO;
  return 0;
}
