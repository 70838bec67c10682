/**
 * The kernel with its lower parts exported, for tests that drive each part by itself: zones, frames,
 * radix trees, arrays, locks, transfers, texts, the generator, credentials, descriptors, sysctls,
 * mount options, reclaim.
 *
 * Structs are made of zeroed memory that part_alloc gives; what a part does with them, and which
 * arguments it takes, is said where it is defined. 64-bit values cross as f64, exact to 2^53.
 */
import { CPU_SCRATCH, cpuEnter, cpuLeave, curalone, curcpu } from '../kern/cpu';
import { random64, randomFill } from '../kern/clock';
import { add32, lockExclusive, lockExclusiveSame, lockRelease, lockShared, lockTryExclusive, spinLock, spinUnlock } from '../kern/lock';
import { Text, textHex, textI64, textInit, textOct, textPad, textU64 } from '../kern/text';
import { roots } from '../kern/boot';
import { credCopy, credCreate, credDrop, credInGroup, credIsRoot, credRef, Ucred } from '../proc/cred';
import { fdCloexec, fdFile, fdFlags, fdFree, fdInstall, fdPrepare, fdSetFlags, fdTake, File, fileAlloc, fileFree, fileRef } from '../proc/file';
import { curproc } from '../proc/proc';
import { Sysctl, sysctl_set, sysctl_show, sysctlAt, sysctlNumber, sysctlParse, sysctlPartEnd, sysctlSamePrefix } from '../proc/sysctl';
import { Fscache } from '../vfs/fscache';
import { Opt, optNext, optNumber, optSize } from '../vfs/opts';
import { reclaim, reclaimAll } from '../vfs/reclaim';
import { rangeExclusive, rangeExclusiveSecond, rangeRelease, rangeShared } from '../vfs/rangelock';
import { FrameArray, frameArrayAt, frameArrayFree, frameArrayGrow, frameArrayTrim } from '../vm/array';
import { ALLOC_NOIO, ALLOC_ZERO, pageAddr, pageAlloc, pageAllocRun, pageFree, pageFreeRun, pageOf } from '../vm/page';
import { Radix, radixGet, radixInsert, radixNext, radixRemove } from '../vm/radix';
import { Uio, uiomove, uioSingle, uioSkip } from '../vm/uio';
import { kfree, kmalloc, Zone, zoneAlloc, zoneCreate, zoneFree, zoneLive, zoneTrim } from '../vm/zone';

export * from '../index';

/** Be in the kernel, as the parts expect of their caller. -EDEADLK if this CPU is. */
export function part_enter(): i32 {
  return cpuEnter();
}
/** Debug: a panic if a lock is held. */
export function part_leave(): i32 {
  return cpuLeave(0);
}
/** Is this call the only CPU's? */
export function part_alone(): i32 {
  return <i32>curalone;
}

// ── memory ───────────────────────────────────────────────────────────────────────────────────
export function part_alloc(bytes: u32): usize {
  return kmalloc(bytes, ALLOC_NOIO | ALLOC_ZERO);
}
export function part_kmalloc(bytes: u32, mode: u32): usize {
  return kmalloc(bytes, mode);
}
export function part_free(p: usize): void {
  kfree(p);
}
export function zone_create(size: u32, flags: u32): usize {
  return changetype<usize>(zoneCreate('test', size, flags));
}
export function zone_alloc(z: usize, mode: u32): usize {
  return zoneAlloc(changetype<Zone>(z), mode);
}
export function zone_free(z: usize, o: usize): void {
  zoneFree(changetype<Zone>(z), o);
}
export function zone_live(z: usize): i32 {
  return zoneLive(changetype<Zone>(z));
}
export function zone_frames(z: usize): u32 {
  return changetype<Zone>(z).z_nframes;
}
export function zone_trim(): void {
  zoneTrim();
}
export function page_alloc(mode: u32, kind: u32): usize {
  const pg = pageAlloc(mode, kind);
  return changetype<usize>(pg) == 0 ? 0 : pageAddr(pg);
}
export function page_free(at: usize): void {
  pageFree(pageOf(at));
}
export function page_run(n: u32): usize {
  return pageAllocRun(n);
}
export function page_run_free(at: usize, n: u32): void {
  pageFreeRun(at, n);
}

// ── radix trees and arrays ───────────────────────────────────────────────────────────────────
export function radix_insert(ra: usize, index: u32, value: u32, mode: u32): i32 {
  return radixInsert(changetype<Radix>(ra), index, value, mode);
}
export function radix_get(ra: usize, index: u32): u32 {
  return radixGet(changetype<Radix>(ra), index);
}
export function radix_remove(ra: usize, index: u32): void {
  radixRemove(changetype<Radix>(ra), index);
}
export function radix_next(ra: usize, from: u32): u32 {
  return radixNext(changetype<Radix>(ra), from);
}
export function array_grow(fa: usize): i32 {
  return frameArrayGrow(changetype<FrameArray>(fa));
}
export function array_at(fa: usize, i: u32): usize {
  return frameArrayAt(changetype<FrameArray>(fa), i);
}
export function array_trim(fa: usize): void {
  frameArrayTrim(changetype<FrameArray>(fa));
}
export function array_free(fa: usize): void {
  frameArrayFree(changetype<FrameArray>(fa));
}

// ── locks ────────────────────────────────────────────────────────────────────────────────────
export function lock_exclusive(lk: usize, rank: u32): void {
  lockExclusive(lk, rank);
}
export function lock_same(lk: usize, rank: u32): void {
  lockExclusiveSame(lk, rank);
}
export function lock_shared(lk: usize, rank: u32): void {
  lockShared(lk, rank);
}
export function lock_try(lk: usize, rank: u32): i32 {
  return lockTryExclusive(lk, rank) ? 1 : 0;
}
export function lock_release(lk: usize): void {
  lockRelease(lk);
}
export function word_add(p: usize, n: u32): u32 {
  return add32(p, n);
}
export function spin_lock(lk: usize): void {
  spinLock(lk);
}
export function spin_unlock(lk: usize): void {
  spinUnlock(lk);
}
export function fscache_size(): u32 {
  return <u32>offsetof<Fscache>();
}
export function range_shared(fc: usize, start: f64, end: f64): void {
  rangeShared(changetype<Fscache>(fc), <u64>start, <u64>end);
}
export function range_exclusive(fc: usize, start: f64, end: f64): void {
  rangeExclusive(changetype<Fscache>(fc), <u64>start, <u64>end);
}
export function range_second(fc: usize, start: f64, end: f64): void {
  rangeExclusiveSecond(changetype<Fscache>(fc), <u64>start, <u64>end);
}
export function range_release(fc: usize): void {
  rangeRelease(changetype<Fscache>(fc));
}
/** Range locks on this fscache. */
export function range_held(fc: usize): u32 {
  return changetype<Fscache>(fc).fc_rl == 0 ? 0 : 1;
}

// ── transfers ────────────────────────────────────────────────────────────────────────────────
/** A transfer over `n` iovecs at `iov`, the first of them current, of `resid` bytes in all. */
export function uio_begin(u: usize, iov: usize, n: u32, resid: u32, write: u32): void {
  const uio = changetype<Uio>(u);
  uioSingle(uio, load<u32>(iov), load<u32>(iov, 4), load<u32>(iov, 8), 0, write);
  uio.uio_resid = resid;
  uio.uio_iov = <u32>iov + 12;
  uio.uio_iovcnt = n - 1;
}
export function uio_move(u: usize, kaddr: usize, n: u32): i32 {
  return uiomove(kaddr, n, changetype<Uio>(u));
}
export function uio_skip(u: usize, n: u32): void {
  uioSkip(changetype<Uio>(u), n);
}
export function uio_resid(u: usize): u32 {
  return changetype<Uio>(u).uio_resid;
}
export function uio_off(u: usize): f64 {
  return <f64>changetype<Uio>(u).uio_off;
}

// ── texts and the generator ──────────────────────────────────────────────────────────────────
/** Write a number into `cap` bytes at `buf`: how many it took, and in the upper half how many did not fit.
 *  The number is hi * 2^32 + lo; kind 0: unsigned, 1: signed, 2: hexadecimal, 3: octal, 4 + w: in w columns. */
export function text_number(kind: u32, hi: u32, lo: u32, buf: usize, cap: u32): u32 {
  const t = changetype<Text>(changetype<usize>(curcpu) + CPU_SCRATCH);
  textInit(t, buf, cap);
  const v = ((<u64>hi) << 32) | lo;
  if (kind == 0) textU64(t, v);
  else if (kind == 1) textI64(t, <i64>v);
  else if (kind == 2) textHex(t, lo);
  else if (kind == 3) textOct(t, lo);
  else textPad(t, v, kind - 4);
  return t.t_len | (t.t_over << 16);
}
export function random_next(to: usize): void {
  store<u64>(to, random64());
}
export function random_fill(to: usize, len: u32): void {
  randomFill(to, len);
}

// ── credentials ──────────────────────────────────────────────────────────────────────────────
export function cred_create(uid: u32, gid: u32, groups: usize, n: u32): usize {
  return changetype<usize>(credCreate(uid, gid, groups, n));
}
export function cred_copy(cr: usize): usize {
  return changetype<usize>(credCopy(changetype<Ucred>(cr)));
}
export function cred_ref(cr: usize): void {
  credRef(changetype<Ucred>(cr));
}
export function cred_drop(cr: usize): void {
  credDrop(changetype<Ucred>(cr));
}
export function cred_in_group(cr: usize, gid: u32): i32 {
  return credInGroup(changetype<Ucred>(cr), gid) ? 1 : 0;
}
export function cred_is_root(cr: usize): i32 {
  return credIsRoot(changetype<Ucred>(cr)) ? 1 : 0;
}
/** Set the three uids. */
export function cred_uids(cr: usize, real: u32, effective: u32, saved: u32): void {
  const c = changetype<Ucred>(cr);
  c.cr_ruid = real;
  c.cr_uid = effective;
  c.cr_suid = saved;
}
/** Field 0: references, 1: uid, 2: gid, 3: number of groups, 4: real uid, 5: saved uid. */
export function cred_field(cr: usize, field: u32): u32 {
  const c = changetype<Ucred>(cr);
  switch (field) {
    case 0:
      return c.cr_refcnt;
    case 1:
      return c.cr_uid;
    case 2:
      return c.cr_gid;
    case 3:
      return c.cr_ngroups;
    case 4:
      return c.cr_ruid;
    default:
      return c.cr_suid;
  }
}

// ── files and descriptors of the process that the CPU acts for ───────────────────────────────
export function file_alloc(): usize {
  return changetype<usize>(fileAlloc());
}
export function file_ref(fp: usize): u32 {
  fileRef(changetype<File>(fp));
  return changetype<File>(fp).f_refcnt;
}
export function file_free(fp: usize): void {
  fileFree(changetype<File>(fp));
}
export function files_open(): u32 {
  return roots().r_nfiles;
}
export function fd_free(min: u32): i32 {
  return fdFree(min);
}
export function fd_prepare(fd: i32): i32 {
  return fdPrepare(fd);
}
export function fd_install(fd: i32, fp: usize, flags: u32): void {
  fdInstall(fd, changetype<File>(fp), flags);
}
export function fd_file(fd: i32): usize {
  return changetype<usize>(fdFile(fd));
}
export function fd_flags(fd: i32): i32 {
  return fdFlags(fd);
}
export function fd_set_flags(fd: i32, flags: u32): i32 {
  return fdSetFlags(fd, flags);
}
export function fd_cloexec(fd: u32): i32 {
  return fdCloexec(curproc(), fd) ? 1 : 0;
}
export function fd_take(fd: u32): usize {
  return changetype<usize>(fdTake(curproc(), fd));
}

// ── sysctls ──────────────────────────────────────────────────────────────────────────────────
/** Register "test.part", a number at `addr`. */
export function sysctl_number(addr: usize, min: u32, max: u32): usize {
  return changetype<usize>(sysctlNumber('test.part', addr, min, max));
}
/** Take the node registered last off the list again, which nothing but a test wants. */
export function sysctl_forget(): void {
  let n: u32 = 0;
  while (changetype<usize>(sysctlAt(n + 1)) != 0) n++;
  kfree(changetype<usize>(sysctlAt(n)));
  sysctlAt(n - 1).sc_next = 0;
}
export function sysctl_at(index: u32): usize {
  return changetype<usize>(sysctlAt(index));
}
/** Its text into `cap` bytes at `buf`: the length. */
export function sysctl_text(sc: usize, buf: usize, cap: u32): u32 {
  const t = changetype<Text>(changetype<usize>(curcpu) + CPU_SCRATCH);
  textInit(t, buf, cap);
  sysctl_show(changetype<Sysctl>(sc), t);
  return t.t_len;
}
export function sysctl_from(sc: usize, text: usize, len: u32): i32 {
  return sysctl_set(changetype<Sysctl>(sc), text, len);
}
export function sysctl_parse(text: usize, len: u32): f64 {
  return <f64>sysctlParse(text, len);
}
export function sysctl_part_end(sc: usize, from: u32): u32 {
  return sysctlPartEnd(changetype<Sysctl>(sc), from);
}
export function sysctl_same_prefix(a: usize, b: usize, n: u32): i32 {
  return sysctlSamePrefix(changetype<Sysctl>(a), changetype<Sysctl>(b), n) ? 1 : 0;
}

// ── mount options, reclaim ───────────────────────────────────────────────────────────────────
export function opt_next(o: usize): i32 {
  return optNext(changetype<Opt>(o)) ? 1 : 0;
}
export function opt_number(o: usize, base: u32): f64 {
  return <f64>optNumber(changetype<Opt>(o), base);
}
export function opt_size(o: usize, whole: f64): f64 {
  return <f64>optSize(changetype<Opt>(o), <u64>whole);
}
export function reclaim_to(target: u32): void {
  reclaim(target);
}
export function reclaim_all(): void {
  reclaimAll();
}
