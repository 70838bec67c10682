/** WASI: fd_readdir. */
import { EINVAL, ENOENT, ENOTDIR } from '../../abi/errno';
import { DT_SHIFT, IN_ACCESS, S_IFDIR } from '../../abi/flags';
import { GD_HEADER, GD_REC_COOKIE, GD_REC_INO, GD_REC_NAMELEN, GD_REC_SIZE, GD_REC_TYPE, SA_DATA } from '../../abi/layout';
import {
  RIGHT_FD_READDIR,
  WASI_DIRENT_INO,
  WASI_DIRENT_NAMLEN,
  WASI_DIRENT_NEXT,
  WASI_DIRENT_SIZE,
  WASI_DIRENT_TYPE,
} from '../../abi/wasi';
import { curcpu } from '../../kern/cpu';
import { nameCopy } from '../../kern/words';
import { inotifyFile } from '../../vfs/inotify';
import { Readdir, readdirInit } from '../../vfs/readdir';
import { scratchPath, scratchReaddir } from '../../vfs/scratch';
import { fileVnode } from '../../vfs/vfile';
import { vop_readdir } from '../../vfs/vop';
import { touchAtime } from '../io';
import { guestOut, guestOut32, wasiEnter, wasiFd, wasiFdError, wasiLeave } from './enter';
import { wasiType } from './fds';

/**
 * Copy what the cursor holds as dirents to the guest's buffer, the last cut off where the buffer
 * ends: bytes written, or -EFAULT. Entries are put together in a path buffer, so that few copies
 * cross to the guest.
 */
function direntsOut(rd: Readdir, buf: u32, len: u32): i32 {
  const staged = scratchPath(0);
  const room: u32 = 4096;
  let used: u32 = 0;
  let done: u32 = 0;
  let rec = <usize>curcpu.c_area + SA_DATA + GD_HEADER;
  let name = <usize>curcpu.c_area;
  for (let i: u32 = 0; i < rd.rd_count && done + used < len; i++) {
    const namelen = load<u32>(rec, GD_REC_NAMELEN);
    if (used + WASI_DIRENT_SIZE + namelen > room) {
      const e = guestOut(buf + done, staged, used);
      if (e != 0) return e;
      done += used;
      used = 0;
    }
    const to = staged + used;
    store<u64>(to, <u64>load<f64>(rec, GD_REC_COOKIE), WASI_DIRENT_NEXT);
    store<u64>(to, <u64>load<f64>(rec, GD_REC_INO), WASI_DIRENT_INO);
    store<u32>(to, namelen, WASI_DIRENT_NAMLEN);
    store<u32>(to, wasiType(<u32>load<u8>(rec, GD_REC_TYPE) << DT_SHIFT), WASI_DIRENT_TYPE);
    nameCopy(to + WASI_DIRENT_SIZE, name, namelen);
    used += WASI_DIRENT_SIZE + namelen;
    rec += GD_REC_SIZE;
    name += namelen + 1;
  }
  if (used > len - done) used = len - done;
  const e = guestOut(buf + done, staged, used);
  return e != 0 ? e : <i32>(done + used);
}

function fdReaddir(fd: u32, buf: u32, len: u32, cookie: u64, bufused: u32): i32 {
  const fp = wasiFd(fd, RIGHT_FD_READDIR);
  if (changetype<usize>(fp) == 0) return wasiFdError(fd);
  const vp = fileVnode(fp);
  if (vp.v_type != S_IFDIR) return -ENOTDIR;
  // cookies are what earlier entries gave: none is larger
  if (cookie > 9007199254740992) return -EINVAL;
  if (vp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  if (len > <u32>i32.MAX_VALUE) len = i32.MAX_VALUE;
  let done: u32 = 0;
  while (done < len) {
    const rd = scratchReaddir();
    readdirInit(rd, cookie, 0);
    const e = vop_readdir(vp.v_fm, vp, rd);
    if (e != 0) return e;
    if (rd.rd_count == 0) break;
    const n = direntsOut(rd, buf + done, len - done);
    if (n < 0) return n;
    cookie = rd.rd_cookie;
    done += <u32>n;
  }
  touchAtime(fp, vp);
  inotifyFile(vp, fp.f_ncp, IN_ACCESS);
  return guestOut32(bufused, done);
}

export function wasi_fd_readdir(wg: u32, fd: u32, buf: u32, len: u32, cookie: u64, bufused: u32): i32 {
  const e = wasiEnter(wg);
  if (e != 0) return e;
  return wasiLeave(fdReaddir(fd, buf, len, cookie, bufused));
}
