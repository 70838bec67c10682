/**
 * Processes: credentials, descriptors, working and root directory, umask, limits.
 *
 * A CPU acts for the process chosen by proc_switch until told otherwise. What p_cwd and p_root
 * point to is the business of vfs/procdirs.ts: pairs of mount and namecache entry, each with a
 * reference on the vnode so that an unlinked directory stays usable.
 */
import { Roots, roots } from '../kern/boot';
import { curprocp } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { Ucred } from './cred';
import { FD_LIMIT } from './file';

@unmanaged
export class Proc {
  p_fsize: u64; //     RLIMIT_FSIZE
  p_pid: i32;
  p_ppid: i32;
  p_next: u32; //      r_procs
  p_prev: u32;
  p_cred: Ucred; //    referenced
  p_umask: u32;
  p_fddir: u32; //     descriptor table
  p_fdhint: u32;
  p_nofile: u32; //    RLIMIT_NOFILE, soft and hard
  p_nofilehard: u32;
  p_cwdmount: u32;
  p_cwdncp: u32;
  p_cwdvp: u32;
  p_rootmount: u32;
  p_rootncp: u32;
  p_rootvp: u32;
  p_locks: u32; //     1: it may hold fcntl locks
  p_status: i32;
  p_state: u32;
  p_lockmark: u32; //  r_flockgen when a search for a deadlock came by
  p_fsizehard: u64;
}

export const NOFILE_SOFT: u32 = 4096;
const PID_MAX: u32 = 4194304;

if (offsetof<Proc>() % 8 != 0) ERROR('Proc');

export function procInit(): void {
  roots().r_zproc = <u32>changetype<usize>(zoneCreate('proc', offsetof<Proc>(), 0));
}

/** The process this CPU acts for. */
// @ts-ignore: decorator
@inline
export function curproc(): Proc {
  return changetype<Proc>(curprocp);
}

function procLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_proclock');
}

export function procFind(pid: i32): Proc {
  let p = roots().r_procs;
  while (p != 0 && changetype<Proc>(<usize>p).p_pid != pid) p = changetype<Proc>(<usize>p).p_next;
  return changetype<Proc>(<usize>p);
}

/** A process with a fresh pid and nothing else, on the list; or null (out of memory or pids). */
export function procAlloc(): Proc {
  const r = roots();
  const p = changetype<Proc>(zoneAlloc(changetype<Zone>(<usize>r.r_zproc), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(p) == 0) return p;
  p.p_umask = 0o022;
  p.p_nofile = NOFILE_SOFT;
  p.p_nofilehard = FD_LIMIT;
  p.p_fsize = u64.MAX_VALUE;
  p.p_fsizehard = u64.MAX_VALUE;
  spinLock(procLock());
  do {
    r.r_nextpid = r.r_nextpid >= PID_MAX ? 2 : r.r_nextpid + 1;
  } while (changetype<usize>(procFind(<i32>r.r_nextpid)) != 0);
  p.p_pid = <i32>r.r_nextpid;
  p.p_next = r.r_procs;
  if (r.r_procs != 0) changetype<Proc>(<usize>r.r_procs).p_prev = <u32>changetype<usize>(p);
  r.r_procs = <u32>changetype<usize>(p);
  spinUnlock(procLock());
  return p;
}

/** Off the list and freed; the caller has released all it held. */
export function procFree(p: Proc): void {
  const r = roots();
  spinLock(procLock());
  if (p.p_prev != 0) changetype<Proc>(<usize>p.p_prev).p_next = p.p_next;
  else r.r_procs = p.p_next;
  if (p.p_next != 0) changetype<Proc>(<usize>p.p_next).p_prev = p.p_prev;
  spinUnlock(procLock());
  zoneFree(changetype<Zone>(<usize>r.r_zproc), changetype<usize>(p));
}
