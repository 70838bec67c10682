/**
 * procfs: mounts and mountinfo, as proc(5) describes them: what is mounted below a process's root.
 * A bind mount shows type and source of the file system whose names it shows.
 */
import {
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  PATH_MAX,
} from '../../abi/flags';
import { roots } from '../../kern/boot';
import { Text, textByte, textLit, textU64 } from '../../kern/text';
import { Proc } from '../../proc/proc';
import { Mount, mountReadOnly, mountReal, Vfsconf } from '../../vfs/mount';
import { Namecache } from '../../vfs/namecache';
import { placePath } from '../../vfs/place';
import { scratchPath } from '../../vfs/scratch';

/** A field: white space, backslash and # as three octal digits, "none" if there is nothing. */
function field(t: Text, p: usize, len: u32): void {
  if (len == 0) textLit(t, 'none');
  for (let i: u32 = 0; i < len; i++) {
    const c: u32 = load<u8>(p + i);
    if (c == 32 || c == 9 || c == 10 || c == 92 || c == 35) {
      textByte(t, 92);
      textByte(t, 48 + (c >> 6));
      textByte(t, 48 + ((c >> 3) & 7));
      textByte(t, 48 + (c & 7));
    } else textByte(t, c);
  }
}

/** Where the mount is, seen from p's root; false: nowhere. */
function mountPoint(p: Proc, mp: Mount, t: Text): bool {
  const end = scratchPath(0) + PATH_MAX;
  const n = placePath(p, <u32>changetype<usize>(mp), <u32>changetype<usize>(mp.mnt_root), end, PATH_MAX, true, 0);
  if (n < 0) return false;
  field(t, end - n, n);
  return true;
}

function access(t: Text, readOnly: bool): void {
  textLit(t, readOnly ? 'ro' : 'rw');
}

/** The flags that are the mount's own. */
function flags(t: Text, flag: u32): void {
  if (flag & MS_NOSUID) textLit(t, ',nosuid');
  if (flag & MS_NODEV) textLit(t, ',nodev');
  if (flag & MS_NOEXEC) textLit(t, ',noexec');
  if (flag & MS_NOATIME) textLit(t, ',noatime');
  else if ((flag & MS_STRICTATIME) == 0) textLit(t, ',relatime');
}

/** The file system's own: its flags and the options it was given. */
function options(t: Text, real: Mount): void {
  if (real.mnt_flag & MS_SYNCHRONOUS) textLit(t, ',sync');
  if (real.mnt_optslen == 0) return;
  textByte(t, 44);
  field(t, real.mnt_opts, real.mnt_optslen);
}

// @ts-ignore: decorator
@inline
function typeOf(real: Mount): string {
  return changetype<string>(<usize>changetype<Vfsconf>(<usize>real.mnt_conf).vfc_name);
}

export function mountsText(p: Proc, t: Text): void {
  for (let q = roots().r_mounts; q != 0; q = changetype<Mount>(<usize>q).mnt_next) {
    const mp = changetype<Mount>(<usize>q);
    const real = mountReal(mp);
    if (!visible(p, mp)) continue;
    field(t, real.mnt_source, real.mnt_sourcelen);
    textByte(t, 32);
    mountPoint(p, mp, t);
    textByte(t, 32);
    textLit(t, typeOf(real));
    textByte(t, 32);
    access(t, mountReadOnly(mp));
    flags(t, mp.mnt_flag);
    options(t, real);
    textLit(t, ' 0 0\n');
  }
}

function visible(p: Proc, mp: Mount): bool {
  const end = scratchPath(0) + PATH_MAX;
  return placePath(p, <u32>changetype<usize>(mp), <u32>changetype<usize>(mp.mnt_root), end, PATH_MAX, true, 0) > 0;
}

/** Which part of its file system a mount shows: "/" unless it is a bind mount of less. */
function rootOf(mp: Mount, t: Text): void {
  let n: u32 = 0;
  const end = scratchPath(0) + PATH_MAX;
  for (let ncp: Namecache = mp.mnt_root; ncp.nc_parent != 0; ncp = ncp.parent) {
    if (n + ncp.nc_namelen + 1 > PATH_MAX) break;
    n += ncp.nc_namelen + 1;
    memory.copy(end - n + 1, ncp.nc_namep, ncp.nc_namelen);
    store<u8>(end - n, 47);
  }
  if (n == 0) textByte(t, 47);
  else field(t, end - n, n);
}

export function mountinfoText(p: Proc, t: Text): void {
  for (let q = roots().r_mounts; q != 0; q = changetype<Mount>(<usize>q).mnt_next) {
    const mp = changetype<Mount>(<usize>q);
    const real = mountReal(mp);
    if (!visible(p, mp)) continue;
    textU64(t, mp.mnt_id);
    textByte(t, 32);
    textU64(t, changetype<usize>(mp.mnt_parent) == 0 ? mp.mnt_id : mp.mnt_parent.mnt_id);
    // st_dev as the kernel gives it out: minors of major 0
    textLit(t, ' 0:');
    textU64(t, mp.mnt_dev);
    textByte(t, 32);
    rootOf(mp, t);
    textByte(t, 32);
    mountPoint(p, mp, t);
    textByte(t, 32);
    access(t, (mp.mnt_flag & MS_RDONLY) != 0);
    flags(t, mp.mnt_flag);
    textLit(t, ' - ');
    textLit(t, typeOf(real));
    textByte(t, 32);
    field(t, real.mnt_source, real.mnt_sourcelen);
    textByte(t, 32);
    access(t, mountReadOnly(real));
    options(t, real);
    textByte(t, 10);
  }
}
