/**
 * devpts: the names of pseudo-terminals, /dev/pts/N. Nothing is stored: a name is there while a
 * master is open (dev/pty.ts), and owner and mode are kept with the terminal. As in procfs, names are
 * volatile (FMF_VOLATILE) and vnodes last as long as somebody holds them.
 */
import { EINVAL, ENOENT, ENOMEM } from '../../abi/errno';
import { DT_SHIFT, S_IFCHR, S_IFDIR, S_IFMT } from '../../abi/flags';
import { PTS_MAJOR, PTYS_MAX } from '../../abi/termios';
import { textInit, textU64 } from '../../kern/text';
import { ptyFind } from '../../dev/pty';
import { Tty } from '../../dev/tty';
import { Ucred } from '../../proc/cred';
import { FC_ATTRVALID } from '../../vfs/fscache';
import { FMF_VOLATILE, Fsmanage } from '../../vfs/fsmanage';
import { Mount, mountCopyVectors, VFCF_NODEV, vfsRegister } from '../../vfs/mount';
import { cacheSetVp, Namecache } from '../../vfs/namecache';
import { Readdir, readdirAdd, readdirDots, READDIR_FIRST } from '../../vfs/readdir';
import { scratchPath, scratchText } from '../../vfs/scratch';
import {
  VA_ATIME,
  VA_GID,
  VA_MODE,
  VA_MTIME,
  VA_UID,
  Vattr,
  vattrStamp,
} from '../../vfs/vattr';
import { VN_NOCACHE, Vnode, vnodeAlloc, vnodePut } from '../../vfs/vnode';
import { setVopNresolve, setVopReaddir, setVopSetattr } from '../../vfs/vop';
import { specfsVector } from '../specfs/vnops';

const DEVPTS_MAGIC: u32 = 0x1cd1;
const ROOT_INO: u64 = 1;
/** Terminal n is inode n plus this, as on Linux. */
const FIRST_INO: u64 = 3;

/** v_data of the root; a terminal's is its number. */
const ROOT: u32 = PTYS_MAX;

/** Owner and mode are the terminal's. */
function refresh(vp: Vnode, t: Tty): void {
  const va = vp.v_fc.fc_attr;
  va.va_mode = S_IFCHR | t.t_mode;
  va.va_uid = t.t_uid;
  va.va_gid = t.t_gid;
}

/** A vnode, referenced; null: no memory. */
function ptsVnode(fm: Fsmanage, type: u32, data: u32): Vnode {
  const vp = vnodeAlloc(fm, type, data);
  if (changetype<usize>(vp) == 0) return vp;
  vp.v_flag |= VN_NOCACHE;
  const va = vp.v_fc.fc_attr;
  va.va_nlink = data == ROOT ? 2 : 1;
  va.va_ino = data == ROOT ? ROOT_INO : FIRST_INO + data;
  va.va_mode = S_IFDIR | 0o755;
  va.va_rdev = data == ROOT ? 0 : (PTS_MAJOR << 8) | data;
  va.va_dev = fm.fm_mount.mnt_dev;
  vattrStamp(va);
  vp.v_fc.fc_flags |= FC_ATTRVALID;
  return vp;
}

/** The terminal that a name stands for, or null: a decimal number without leading zeros. */
function named(name: usize, len: u32): Tty {
  const none = changetype<Tty>(<usize>0);
  if (len == 0 || len > 3 || (len > 1 && load<u8>(name) == 48)) return none;
  let n: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const d = <u32>load<u8>(name + i) - 48;
    if (d > 9) return none;
    n = n * 10 + d;
  }
  return n < PTYS_MAX ? ptyFind(n) : none;
}

function ptsNresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  const t = named(<usize>ncp.nc_namep, ncp.nc_namelen);
  if (changetype<usize>(t) == 0) {
    cacheSetVp(ncp, changetype<Vnode>(<usize>0));
    return -ENOENT;
  }
  const have = ncp.vp;
  if (changetype<usize>(have) != 0) {
    refresh(have, t);
    return 0;
  }
  const vp = ptsVnode(fm.fm_mount.mnt_spec, S_IFCHR, t.t_rdev & 255);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  refresh(vp, t);
  cacheSetVp(ncp, vp);
  vnodePut(vp);
  return 0;
}

function ptsReaddir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  if (!readdirDots(rd, ROOT_INO, ROOT_INO)) return 0;
  for (let n = <u32>(rd.rd_cookie - READDIR_FIRST); n < PTYS_MAX; n++) {
    if (changetype<usize>(ptyFind(n)) == 0) continue;
    const text = scratchText();
    textInit(text, scratchPath(0), 16);
    textU64(text, n);
    if (!readdirAdd(rd, FIRST_INO + n, S_IFCHR >> DT_SHIFT, text.t_buf, text.t_len, n + 1 + READDIR_FIRST)) return 0;
  }
  return 0;
}

function ptsSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  const va = vp.v_fc.fc_attr;
  const mask = vap.va_mask;
  if (mask & VA_MODE) va.va_mode = (va.va_mode & S_IFMT) | (vap.va_mode & 0o7777);
  if (mask & VA_UID) va.va_uid = vap.va_uid;
  if (mask & VA_GID) va.va_gid = vap.va_gid;
  if (mask & VA_ATIME) {
    va.va_atime = vap.va_atime;
    va.va_atimens = vap.va_atimens;
  }
  if (mask & VA_MTIME) {
    va.va_mtime = vap.va_mtime;
    va.va_mtimens = vap.va_mtimens;
  }
  const t = ptyFind(vp.v_data);
  if (vp.v_data == ROOT || changetype<usize>(t) == 0) return 0;
  t.t_mode = va.va_mode & 0o7777;
  t.t_uid = va.va_uid;
  t.t_gid = va.va_gid;
  return 0;
}

function devptsMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  if (optslen != 0) return -EINVAL;
  const fm = mp.mnt_norm;
  setVopNresolve(fm, ptsNresolve);
  setVopReaddir(fm, ptsReaddir);
  setVopSetattr(fm, ptsSetattr);
  fm.fm_flags |= FMF_VOLATILE;
  mountCopyVectors(mp);
  specfsVector(mp.mnt_spec);
  const vp = ptsVnode(fm, S_IFDIR, ROOT);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  mp.mnt_rootvp = vp;
  return 0;
}

export function devptsInit(): void {
  vfsRegister('devpts', devptsMount, VFCF_NODEV, DEVPTS_MAGIC);
}
