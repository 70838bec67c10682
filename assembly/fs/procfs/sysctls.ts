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
  // below the reserve it would never be reached
  sysctlNumber('vm.lowwater', ROOTS + offsetof<Roots>('r_lowwater'), r.r_reserve, r.r_nframes / 2);
  sysctlShown('vm.reserve', showReserve);
}
