/** procfs: the operations. See node.ts for what the files are. */
import { EACCES, EIO, EINVAL, EISDIR, ENOENT, ENOMEM, EPERM } from '../../abi/errno';
import { DT_SHIFT, O_TRUNC, S_IFDIR } from '../../abi/flags';
import { litCopy, litEquals, litLen, textInit, textLit, textU64 } from '../../kern/text';
import { roots } from '../../kern/boot';
import { curcred, Ucred } from '../../proc/cred';
import { FD_LIMIT, fdOf, File, fileSetFree } from '../../proc/file';
import { curproc, Proc, procFind } from '../../proc/proc';
import { Sysctl, sysctlAt, sysctl_set } from '../../proc/sysctl';
import { Fsmanage } from '../../vfs/fsmanage';
import { cacheSetVp, Namecache } from '../../vfs/namecache';
import { Readdir, readdirAdd, readdirDots, READDIR_FIRST } from '../../vfs/readdir';
import { scratchPath, scratchText, scratchWord } from '../../vfs/scratch';
import { traceCommand } from '../../vfs/trace';
import { VA_ATIME, VA_CTIME, VA_MTIME, VA_SIZE, Vattr } from '../../vfs/vattr';
import { VN_MAGIC, Vnode, vnodePut } from '../../vfs/vnode';
import {
  setVopJump,
  setVopNresolve,
  setVopRead,
  setVopReaddir,
  setVopReadlink,
  setVopSetattr,
  setVopWrite,
} from '../../vfs/vop';
import { ALLOC_NOIO } from '../../vm/page';
import { Uio, uiomove } from '../../vm/uio';
import { kfree, kmalloc, KMALLOC_MAX } from '../../vm/zone';
import { bufBegin, bufEnd, bufFree, bufRead, ProcBuf } from './buf';
import { placeLink, procJump } from './links';
import {
  argOf,
  kindOf,
  kindType,
  mayInspect,
  PK_FD,
  PK_FDINFO,
  PK_FDINFOFILE,
  PK_FDLINK,
  PK_MOUNTSLINK,
  PK_NONE,
  PK_PID,
  PK_ROOT,
  PK_SELF,
  PK_SYS,
  PK_SYSCTL,
  PK_TRACE,
  pidKind,
  pidName,
  procIno,
  procOf,
  procRefresh,
  procVnode,
  rootKind,
  rootName,
} from './node';
import { processText } from './process';
import { sysChild, sysFind } from './sys';
import { systemText } from './system';

/** Cookies of processes in the root's listing begin here; a process's is this plus its pid. */
const PID_COOKIE: u64 = 256;

// what find() answers, in scratch words
// @ts-ignore: decorator
@inline
function found(kind: u32, arg: u32, sub: u32): u32 {
  store<u32>(scratchWord(4), arg);
  store<u32>(scratchWord(5), sub);
  return kind;
}

/** A decimal number without leading zeros below 2^22, or -1. */
function number(name: usize, len: u32): i32 {
  if (len == 0 || len > 7 || (len > 1 && load<u8>(name) == 48)) return -1;
  let v: i32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const d = <i32>load<u8>(name + i) - 48;
    if (d < 0 || d > 9) return -1;
    v = v * 10 + d;
  }
  return v < 1 << 22 ? v : -1;
}

/** What a name in a directory is: its kind, the rest in scratch words 4 and 5; PK_NONE. */
function find(dvp: Vnode, name: usize, len: u32): u32 {
  const arg = argOf(dvp);
  const kind = kindOf(dvp);
  if (kind == PK_ROOT) {
    for (let i: u32 = 0; litLen(rootName(i)) != 0; i++) {
      if (litEquals(rootName(i), name, len)) return found(rootKind(i), 0, 0);
    }
    const pid = number(name, len);
    return pid > 0 && changetype<usize>(procFind(pid)) != 0 ? found(PK_PID, <u32>pid, 0) : PK_NONE;
  }
  if (kind == PK_SYS) {
    if (!sysFind(arg, dvp.v_un, name, len)) return PK_NONE;
    return load<u32>(scratchWord(5)) == 0 ? PK_SYSCTL : PK_SYS;
  }
  const p = procFind(<i32>arg);
  if (changetype<usize>(p) == 0) return PK_NONE;
  if (kind == PK_PID) {
    for (let i: u32 = 0; litLen(pidName(i)) != 0; i++) {
      if (litEquals(pidName(i), name, len)) return found(pidKind(i), arg, 0);
    }
    return PK_NONE;
  }
  const fd = number(name, len);
  if (fd < 0 || changetype<usize>(fdOf(p, <u32>fd)) == 0) return PK_NONE;
  return found(kind == PK_FD ? PK_FDLINK : PK_FDINFOFILE, arg, <u32>fd);
}

function procNresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  const dvp = ncp.parent.vp;
  const none = changetype<Vnode>(<usize>0);
  if (kindOf(dvp) == PK_FDINFO) {
    const p = procOf(dvp);
    if (changetype<usize>(p) != 0 && !mayInspect(p, cred)) return -EACCES;
  }
  const kind = find(dvp, <usize>ncp.nc_namep, ncp.nc_namelen);
  if (kind == PK_NONE) {
    cacheSetVp(ncp, none);
    return -ENOENT;
  }
  const arg = load<u32>(scratchWord(4));
  const sub = load<u32>(scratchWord(5));
  const have = ncp.vp;
  if (changetype<usize>(have) != 0 && have.v_data == (kind | (arg << 8)) && have.v_un == sub) {
    procRefresh(have);
    return 0;
  }
  const vp = procVnode(fm, kind, arg, sub);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  cacheSetVp(ncp, vp);
  vnodePut(vp);
  return 0;
}

// ── listing ──────────────────────────────────────────────────────────────────────────────────

function addLit(rd: Readdir, s: string, kind: u32, data: u32, next: u64): bool {
  const buf = scratchPath(0);
  return readdirAdd(rd, procIno(data, 0), kindType(kind) >> DT_SHIFT, buf, litCopy(s, buf), next);
}

function addNumber(rd: Readdir, n: u32, type: u32, ino: u64, next: u64): bool {
  const t = scratchText();
  textInit(t, scratchPath(0), 16);
  textU64(t, n);
  return readdirAdd(rd, ino, type >> DT_SHIFT, t.t_buf, t.t_len, next);
}

/** The process with the smallest pid above `pid`, or null. */
function procAfter(pid: i32): Proc {
  let best = changetype<Proc>(<usize>0);
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_pid > pid && (changetype<usize>(best) == 0 || p.p_pid < best.p_pid)) best = p;
  }
  return best;
}

function listRoot(rd: Readdir): void {
  if (rd.rd_cookie < PID_COOKIE) {
    let i = <u32>(rd.rd_cookie - READDIR_FIRST);
    for (; litLen(rootName(i)) != 0; i++) {
      if (!addLit(rd, rootName(i), rootKind(i), rootKind(i), i + 1 + READDIR_FIRST)) return;
    }
    rd.rd_cookie = PID_COOKIE;
  }
  while (true) {
    const p = procAfter(<i32>(rd.rd_cookie - PID_COOKIE));
    if (changetype<usize>(p) == 0) return;
    const ino = procIno(PK_PID | (<u32>p.p_pid << 8), 0);
    if (!addNumber(rd, p.p_pid, S_IFDIR, ino, PID_COOKIE + <u64>p.p_pid)) return;
  }
}

function listPid(rd: Readdir, pid: u32): void {
  for (let i = <u32>(rd.rd_cookie - READDIR_FIRST); litLen(pidName(i)) != 0; i++) {
    const kind = pidKind(i);
    if (!addLit(rd, pidName(i), kind, kind | (pid << 8), i + 1 + READDIR_FIRST)) return;
  }
}

function listFds(rd: Readdir, p: Proc, kind: u32): void {
  for (let fd = <u32>(rd.rd_cookie - READDIR_FIRST); fd < FD_LIMIT; fd++) {
    if (changetype<usize>(fdOf(p, fd)) == 0) continue;
    const ino = procIno(kind | (<u32>p.p_pid << 8), fd);
    if (!addNumber(rd, fd, kindType(kind), ino, fd + 1 + READDIR_FIRST)) return;
  }
}

function listSys(rd: Readdir, vp: Vnode): void {
  for (let i = <u32>(rd.rd_cookie - READDIR_FIRST); changetype<usize>(sysctlAt(i)) != 0; i++) {
    rd.rd_cookie = i + 1 + READDIR_FIRST;
    const t = scratchText();
    textInit(t, scratchPath(0), 64);
    if (!sysChild(argOf(vp), vp.v_un, i, t)) continue;
    const sub = load<u32>(scratchWord(5));
    const kind = sub == 0 ? PK_SYSCTL : PK_SYS;
    if (!readdirAdd(rd, procIno(kind | (i << 8), sub), kindType(kind) >> DT_SHIFT, t.t_buf, t.t_len, i + 1 + READDIR_FIRST)) {
      rd.rd_cookie = i + READDIR_FIRST;
      return;
    }
  }
}

function procReaddir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  const kind = kindOf(vp);
  const ino = vp.v_fc.fc_attr.va_ino;
  const up = kind == PK_FD || kind == PK_FDINFO ? procIno(PK_PID | (argOf(vp) << 8), 0) : procIno(PK_ROOT, 0);
  if (!readdirDots(rd, ino, up)) return 0;
  if (kind == PK_ROOT) listRoot(rd);
  else if (kind == PK_SYS) listSys(rd, vp);
  else {
    const p = procOf(vp);
    if (changetype<usize>(p) == 0) return -ENOENT;
    if (kind == PK_PID) listPid(rd, argOf(vp));
    else if (!mayInspect(p, curcred())) return -EACCES;
    else listFds(rd, p, kind == PK_FD ? PK_FDLINK : PK_FDINFOFILE);
  }
  return 0;
}

// ── links ────────────────────────────────────────────────────────────────────────────────────

function procReadlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  const kind = kindOf(vp);
  const t = scratchText();
  textInit(t, buf, cap);
  if (kind == PK_SELF) textU64(t, <u64>curproc().p_pid);
  else if (kind == PK_MOUNTSLINK) textLit(t, 'self/mounts');
  else if (vp.v_flag & VN_MAGIC) return placeLink(vp, t, curcred());
  else return -EINVAL;
  return <i32>t.t_len;
}

// ── contents ─────────────────────────────────────────────────────────────────────────────────

/** The text of a file, new: at bufp. 0 or an errno. */
function generate(vp: Vnode, bufp: usize): i32 {
  const pb = bufBegin();
  if (changetype<usize>(pb) == 0) return -ENOMEM;
  const kind = kindOf(vp);
  let e = kind >= 32 || kind == PK_SYSCTL ? systemText(vp, kind, scratchText()) : processText(vp, kind, scratchText());
  if (e == 0) e = bufEnd(pb);
  if (e != 0) {
    bufFree(pb);
    return e;
  }
  store<u32>(bufp, <u32>changetype<usize>(pb));
  return 0;
}

function procRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  if (vp.v_type == S_IFDIR) return -EISDIR;
  const fp = changetype<File>(<usize>uio.uio_file);
  if (changetype<usize>(fp) == 0) return -EIO;
  if (uio.uio_off == 0 || fp.f_data == 0) {
    const e = generate(vp, scratchWord(7));
    if (e != 0) return e;
    if (fp.f_data != 0) bufFree(changetype<ProcBuf>(<usize>fp.f_data));
    fp.f_data = load<u32>(scratchWord(7));
    fileSetFree(fp, freeText);
  }
  return bufRead(changetype<ProcBuf>(<usize>fp.f_data), uio);
}

function freeText(fp: File): void {
  bufFree(changetype<ProcBuf>(<usize>fp.f_data));
}

/** A write sets a value, whole: where in the file it was does not matter. */
function procWrite(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  const kind = kindOf(vp);
  if (kind != PK_SYSCTL && kind != PK_TRACE) return -EIO;
  const sc: Sysctl = sysctlAt(argOf(vp));
  if (kind == PK_SYSCTL && sc.sc_set == 0) return -EPERM;
  const len = uio.uio_resid;
  if (len > KMALLOC_MAX) return -EINVAL;
  const text = kmalloc(len, ALLOC_NOIO);
  if (text == 0) return -ENOMEM;
  let e = uiomove(text, len, uio);
  if (e == 0) {
    e = kind == PK_SYSCTL ? sysctl_set(sc, text, len) : traceCommand(text, len);
    if (e != 0) uio.uio_resid = len;
  }
  kfree(text);
  return e;
}

/** open(2) with O_TRUNC and utimes change nothing here, and do not fail; mode and owner stay. */
function procSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  return vap.va_mask & ~(VA_SIZE | VA_ATIME | VA_MTIME | VA_CTIME) ? -EPERM : 0;
}

export function procfsVector(fm: Fsmanage): void {
  setVopNresolve(fm, procNresolve);
  setVopReaddir(fm, procReaddir);
  setVopReadlink(fm, procReadlink);
  setVopJump(fm, procJump);
  setVopRead(fm, procRead);
  setVopWrite(fm, procWrite);
  setVopSetattr(fm, procSetattr);
}
