/** The kernel's sysctls. A layer that has one of its own registers it in its init; these are the rest. */
import { EINVAL } from '../../abi/errno';
import { Roots, roots, ROOTS } from '../../kern/boot';
import { litCopy, Text, textByte, textBytes, textLit, textU64 } from '../../kern/text';
import { OSRELEASE, OSTYPE } from '../../kern/version';
import { NGROUPS_MAX } from '../../proc/cred';
import { FD_LIMIT } from '../../proc/file';
import { Sysctl, sysctlNumber, sysctlParse, sysctlRegister, sysctlShown } from '../../proc/sysctl';
import { cacheReclaimSome } from '../../vfs/nametree';
import { vnodeReclaimSome } from '../../vfs/vnode';
import { writebackLimits } from '../../vfs/writeback';
import { ALLOC_NOIO } from '../../vm/page';
import { kmalloc } from '../../vm/zone';
import { versionText } from './system';

/** Linux's __NEW_UTS_LEN. */
const HOSTNAME_MAX: u32 = 64;

function showHostname(sc: Sysctl, t: Text): void {
  textBytes(t, roots().r_hostname, roots().r_hostnamelen);
  textByte(t, 10);
}

/** What stands before the first end of line. */
function setHostname(sc: Sysctl, text: usize, len: u32): i32 {
  let n: u32 = 0;
  while (n < len && load<u8>(text + n) != 10) {
    if (load<u8>(text + n) == 0) return -EINVAL;
    n++;
  }
  if (n > HOSTNAME_MAX) return -EINVAL;
  memory.copy(roots().r_hostname, text, n);
  roots().r_hostnamelen = n;
  return 0;
}

function showOstype(sc: Sysctl, t: Text): void {
  textLit(t, OSTYPE);
  textByte(t, 10);
}

function showOsrelease(sc: Sysctl, t: Text): void {
  textLit(t, OSRELEASE);
  textByte(t, 10);
}

function showVersion(sc: Sysctl, t: Text): void {
  versionText(t);
}

function showNgroups(sc: Sysctl, t: Text): void {
  textU64(t, NGROUPS_MAX);
  textByte(t, 10);
}

/** Open files, none that are allocated and free, and no limit but RAM's (as many as descriptors). */
function showFileNr(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_nfiles);
  textLit(t, '\t0\t');
  textU64(t, i64.MAX_VALUE);
  textByte(t, 10);
}

function showNrOpen(sc: Sysctl, t: Text): void {
  textU64(t, FD_LIMIT);
  textByte(t, 10);
}

/** A bound on a cache: what is over it goes at once, as far as nobody holds it. */
const CACHE_MIN: u32 = 64;

function showMaxvnodes(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_maxvnodes);
  textByte(t, 10);
}

function setMaxvnodes(sc: Sysctl, text: usize, len: u32): i32 {
  const v = sysctlParse(text, len);
  if (v < <i64>CACHE_MIN || v > <i64>u32.MAX_VALUE) return -EINVAL;
  const r = roots();
  r.r_maxvnodes = <u32>v;
  if (r.r_vncount > r.r_maxvnodes) vnodeReclaimSome(r.r_vncount - r.r_maxvnodes);
  return 0;
}

function showMaxnames(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_maxnames);
  textByte(t, 10);
}

function setMaxnames(sc: Sysctl, text: usize, len: u32): i32 {
  const v = sysctlParse(text, len);
  if (v < <i64>CACHE_MIN || v > <i64>u32.MAX_VALUE) return -EINVAL;
  const r = roots();
  r.r_maxnames = <u32>v;
  while (r.r_ncount > r.r_maxnames && cacheReclaimSome(r.r_ncount - r.r_maxnames) != 0) {}
  return 0;
}

function showReserve(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_reserve);
  textByte(t, 10);
}

function showLowwater(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_lowwater);
  textByte(t, 10);
}

/** Below the reserve it would never be reached. */
function setLowwater(sc: Sysctl, text: usize, len: u32): i32 {
  const r = roots();
  const v = sysctlParse(text, len);
  if (v < <i64>r.r_reserve || v > <i64>(r.r_nframes / 2)) return -EINVAL;
  r.r_lowwater = <u32>v;
  r.r_entermark = r.r_lowwater;
  return 0;
}

const CENTISECS_MAX: u32 = 360_000;
/** More of RAM than this in dirty pages would leave nothing to work with. */
const RATIO_MAX: i64 = 50;

function showRatio(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_dirtyratio);
  textByte(t, 10);
}

function setRatio(sc: Sysctl, text: usize, len: u32): i32 {
  const v = sysctlParse(text, len);
  if (v < 1 || v > RATIO_MAX) return -EINVAL;
  roots().r_dirtyratio = <u32>v;
  writebackLimits();
  return 0;
}

function showBackground(sc: Sysctl, t: Text): void {
  textU64(t, roots().r_bgratio);
  textByte(t, 10);
}

function setBackground(sc: Sysctl, text: usize, len: u32): i32 {
  const v = sysctlParse(text, len);
  if (v < 0 || v > RATIO_MAX) return -EINVAL;
  roots().r_bgratio = <u32>v;
  writebackLimits();
  return 0;
}

export function sysctlsInit(): void {
  const r = roots();
  r.r_hostname = <u32>kmalloc(HOSTNAME_MAX, ALLOC_NOIO);
  r.r_hostnamelen = litCopy('damselfly', r.r_hostname);
  sysctlShown('fs.file-nr', showFileNr);
  sysctlShown('fs.nr_open', showNrOpen);
  sysctlRegister('kernel.hostname', 0o644, showHostname, setHostname);
  sysctlShown('kernel.ngroups_max', showNgroups);
  sysctlShown('kernel.osrelease', showOsrelease);
  sysctlShown('kernel.ostype', showOstype);
  sysctlShown('kernel.version', showVersion);
  sysctlRegister('vfs.maxnames', 0o644, showMaxnames, setMaxnames);
  sysctlRegister('vfs.maxvnodes', 0o644, showMaxvnodes, setMaxvnodes);
  sysctlRegister('vm.lowwater', 0o644, showLowwater, setLowwater);
  sysctlShown('vm.reserve', showReserve);
  sysctlRegister('vm.dirty_background_ratio', 0o644, showBackground, setBackground);
  sysctlNumber('vm.dirty_expire_centisecs', ROOTS + offsetof<Roots>('r_expirecs'), 0, CENTISECS_MAX);
  sysctlRegister('vm.dirty_ratio', 0o644, showRatio, setRatio);
  sysctlNumber('vm.dirty_writeback_centisecs', ROOTS + offsetof<Roots>('r_intervalcs'), 1, CENTISECS_MAX);
}
