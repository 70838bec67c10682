/**
 * Processes: credentials, descriptors, working and root directory, umask, limits; their place
 * among others (parent, process group, session); what they do about signals.
 *
 * A CPU acts for the process chosen by proc_switch until told otherwise. What p_cwd and p_root
 * point to is the business of vfs/procdirs.ts: pairs of mount and namecache entry, each with a
 * reference on the vnode so that an unlinked directory stays usable.
 *
 *     proc_create, sys_fork ─→ PS_LIVE ─ sys_exit, a signal ─→ PS_ZOMBIE ─ sys_wait4 ─→ freed
 *                                 │                              │ nobody waits (SIGCHLD ignored)
 *                                 └───────── proc_exit ──────────┴────────────────────→ freed
 *
 * P1. A zombie holds its number, its credentials and its status, and nothing else.
 * P2. Every process but those made without one has a parent that is alive, or is process 1's.
 * P3. A process that is gone but of which the host was not told yet (p_event) is PS_DEAD: off the
 *     list, known to the event queue alone.
 *
 * P4. In `smp` a process is ended only by a CPU that is in the kernel while no CPU has it as its current one
 *     (p_ncpu 0; c_proc says which). Who dooms it tells those that have; each lets go (procLetGo) when it
 *     leaves the kernel, and the last of them ends it. No CPU takes up a process that is doomed.
 * P5. A zombie that is PF_ENDING still gives back what it held, and nobody collects it yet.
 *
 * Process 1 ignores SIGCHLD unless told otherwise, so what falls to it leaves no zombie.
 * Guard: r_proclock for the lists, ids and states. Processes are type-stable: a walk that only looks goes
 * without it.
 */
import { ESRCH } from '../abi/errno';
import { Roots, roots } from '../kern/boot';
import { clockMs } from '../kern/clock';
import { CD_CURRENT, Cpu, cpuNotRunnable, cpuRunnable, curcpu, cpuSetProc, curprocp } from '../kern/cpu';
import { spinLock, spinUnlock } from '../kern/lock';
import { litCopy } from '../kern/text';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { kfree, Zone, ZONE_STABLE, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { Ucred } from './cred';
import { FD_LIMIT } from './file';
import { Chan } from './sleep';

@unmanaged
export class Proc {
  p_fsize: u64; //     RLIMIT_FSIZE, soft and hard
  p_fsizehard: u64;
  p_sigpend: u64; //   signals that it catches and has not taken; bit n - 1 is signal n
  p_sigignore: u64;
  p_sigcatch: u64;
  p_startms: f64; //   clockMs when it was made
  p_comm0: u64; //     its program's name: COMM_LEN bytes, then a NUL
  p_comm1: u64;
  p_pid: i32;
  p_ppid: i32; //      0: none
  p_pgid: i32; //      process group
  p_sid: i32; //       session
  p_next: u32; //      r_procs
  p_prev: u32;
  p_cred: Ucred; //    referenced
  p_umask: u32;
  p_fddir: u32; //     descriptor table
  p_fdhint: u32;
  p_nofile: u32; //    RLIMIT_NOFILE, soft and hard
  p_nofilehard: u32;
  p_cwdmount: u32; //  0: it has ended
  p_cwdncp: u32;
  p_cwdvp: u32;
  p_rootmount: u32;
  p_rootncp: u32;
  p_rootvp: u32;
  p_locks: u32; //     1: it may hold fcntl locks
  p_lockmark: u32; //  r_flockgen when a search for a deadlock came by
  p_tty: u32; //       controlling terminal; 0 = none
  p_state: u32; //     PS_*
  p_flag: u32; //      PF_*
  p_xstat: u32; //     wait status: code << 8 | signal
  p_doomnext: u32; //  c_doomed of the CPU that ends it
  p_event: u32; //     PE_* that the host has not been told; it is on the event queue if not 0
  p_evnext: u32;
  p_args: u32; //      kmalloc'ed arguments, a NUL after each; 0 = none
  p_argslen: u32;
  p_chan0: u32; //     Chan: it waits for a child
  p_chan1: u32;
  p_ncpu: u32; //      smp: CPUs whose current process it is
  p_evcpu: u32; //     Cpu that hears of it: whose that made it
  p_wasi: u32; //      r_proclock; the WASI guest that runs as it (sys/wasi/guest.ts); 0 = none

  // @ts-ignore: decorator
  @inline
  get p_chan(): Chan {
    return changetype<Chan>(changetype<usize>(this) + offsetof<Proc>('p_chan0'));
  }
  // @ts-ignore: decorator
  @inline
  get p_comm(): usize {
    return changetype<usize>(this) + offsetof<Proc>('p_comm0');
  }
}

export const PS_LIVE: u32 = 0;
export const PS_ZOMBIE: u32 = 1;
export const PS_DEAD: u32 = 2;

export const PF_PROGRAM: u32 = 1; // a function of the host's runs as it: made by fork, or exec'ed
export const PF_EXECED: u32 = 2; //  it has exec'ed since it was forked
export const PF_DOOMED: u32 = 4; //  to end: on a CPU's c_doomed, or as soon as no CPU has it
export const PF_ENDING: u32 = 8; //  giving back what it held

/** Bytes of a program's name that are kept, as on Linux. */
export const COMM_LEN: u32 = 15;
export const NOFILE_SOFT: u32 = 4096;
const PID_MAX: u32 = 4194304;

if (offsetof<Proc>() % 8 != 0) ERROR('Proc');

export function procInit(): void {
  roots().r_zproc = <u32>changetype<usize>(zoneCreate('proc', offsetof<Proc>(), ZONE_STABLE));
}

/** The process this CPU acts for. */
// @ts-ignore: decorator
@inline
export function curproc(): Proc {
  return changetype<Proc>(curprocp);
}

/** Guards the list of processes, their ids, the doomed and the event queue: a spin lock. */
// @ts-ignore: decorator
@inline
export function procLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_proclock');
}

/** The process of this number, zombies included, or null. */
export function procFind(pid: i32): Proc {
  spinLock(procLock());
  const p = procFindLocked(pid);
  spinUnlock(procLock());
  return p;
}

/** The same; r_proclock held. */
export function procFindLocked(pid: i32): Proc {
  let p = roots().r_procs;
  while (p != 0 && changetype<Proc>(<usize>p).p_pid != pid) p = changetype<Proc>(<usize>p).p_next;
  return changetype<Proc>(<usize>p);
}

// ── who acts for it ──────────────────────────────────────────────────────────────────────────

/** It ends when this CPU leaves the kernel. r_proclock held. */
export function procDoomHere(p: Proc): void {
  const c = curcpu;
  p.p_doomnext = c.c_doomed & ~CD_CURRENT;
  c.c_doomed = <u32>changetype<usize>(p) | (c.c_doomed & CD_CURRENT);
}

/** `c` has no current process any more, nor is it told to let go of one. r_proclock held. */
function procUncurrent(c: Cpu): void {
  if (c.c_proc != 0) changetype<Proc>(<usize>c.c_proc).p_ncpu--;
  c.c_proc = 0;
  if ((c.c_doomed & CD_CURRENT) == 0) return;
  c.c_doomed &= ~CD_CURRENT;
  cpuNotRunnable(c);
}

/** `c` must let go of its current process. r_proclock held. */
export function procTellCpu(c: Cpu): void {
  if (c.c_doomed & CD_CURRENT) return;
  c.c_doomed |= CD_CURRENT;
  cpuRunnable(c);
}

/**
 * The caller alone is to end it: no other CPU acts for it, nor will; and this one does not any more. False: another CPU
 * does, or is ending it.
 */
export function procSeize(p: Proc): bool {
  if (!SMP) return true;
  const c = curcpu;
  spinLock(procLock());
  const mine = c.c_proc == <u32>changetype<usize>(p);
  let free = p.p_ncpu == (mine ? <u32>1 : <u32>0);
  if (!mine && p.p_state == PS_LIVE && p.p_flag & PF_DOOMED) free = false;
  if (p.p_flag & PF_ENDING) free = false;
  if (free) {
    if (mine) procUncurrent(c);
    p.p_flag |= PF_DOOMED;
  }
  spinUnlock(procLock());
  return free;
}

/** `c` has no current process any more; a doomed one that was it, and no other's, ends here. r_proclock held. */
export function procLetGo(c: Cpu): void {
  const p = changetype<Proc>(<usize>c.c_proc);
  procUncurrent(c);
  if (changetype<usize>(p) == 0) return;
  if (p.p_ncpu == 0 && p.p_flag & PF_DOOMED && p.p_state == PS_LIVE) procDoomHere(p);
}

/** Act for a process from now on: 0, or -ESRCH if it has ended or is to. */
export function procBecome(p: Proc): i32 {
  if (SMP) {
    const c = curcpu;
    if (c.c_proc != <u32>changetype<usize>(p)) {
      spinLock(procLock());
      if (p.p_state != PS_LIVE || p.p_flag & PF_DOOMED) {
        spinUnlock(procLock());
        return -ESRCH;
      }
      procLetGo(c);
      c.c_proc = <u32>changetype<usize>(p);
      p.p_ncpu++;
      spinUnlock(procLock());
    }
  } else if (p.p_state != PS_LIVE) return -ESRCH;
  cpuSetProc(changetype<usize>(p), changetype<usize>(p.p_cred));
  return 0;
}

/** Act for nobody. */
export function procLeave(): void {
  if (SMP) {
    spinLock(procLock());
    procLetGo(curcpu);
    spinUnlock(procLock());
  }
  cpuSetProc(0, 0);
}

/** A number is taken while a process, a group or a session has it. */
function pidTaken(pid: i32): bool {
  for (let q = roots().r_procs; q != 0; q = changetype<Proc>(<usize>q).p_next) {
    const p = changetype<Proc>(<usize>q);
    if (p.p_pid == pid || p.p_pgid == pid || p.p_sid == pid) return true;
  }
  return false;
}

/** A process with a fresh pid and nothing else, on the list; or null (out of memory). It leads a
 *  group and a session of its own. */
export function procAlloc(): Proc {
  const r = roots();
  const p = changetype<Proc>(zoneAlloc(changetype<Zone>(<usize>r.r_zproc), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(p) == 0) return p;
  p.p_umask = 0o022;
  p.p_nofile = NOFILE_SOFT;
  p.p_nofilehard = FD_LIMIT;
  p.p_fsize = u64.MAX_VALUE;
  p.p_fsizehard = u64.MAX_VALUE;
  p.p_startms = clockMs();
  p.p_evcpu = <u32>changetype<usize>(curcpu);
  spinLock(procLock());
  do {
    r.r_nextpid = r.r_nextpid >= PID_MAX ? 2 : r.r_nextpid + 1;
  } while (pidTaken(<i32>r.r_nextpid));
  p.p_pid = <i32>r.r_nextpid;
  p.p_pgid = p.p_pid;
  p.p_sid = p.p_pid;
  p.p_next = r.r_procs;
  if (r.r_procs != 0) changetype<Proc>(<usize>r.r_procs).p_prev = <u32>changetype<usize>(p);
  r.r_procs = <u32>changetype<usize>(p);
  spinUnlock(procLock());
  return p;
}

/** Its program's name, from a literal. */
export function procSetName(p: Proc, name: string): void {
  litCopy(name, p.p_comm);
}

/** Its arguments are gone. */
export function procDropArgs(p: Proc): void {
  if (p.p_args != 0) kfree(p.p_args);
  p.p_args = 0;
  p.p_argslen = 0;
}

/** Off the list: nobody finds it any more. r_proclock held. */
export function procUnlink(p: Proc): void {
  if (p.p_prev != 0) changetype<Proc>(<usize>p.p_prev).p_next = p.p_next;
  else roots().r_procs = p.p_next;
  if (p.p_next != 0) changetype<Proc>(<usize>p.p_next).p_prev = p.p_prev;
}

/** Freed, or left to the event queue; it is off the list, and the caller has released all it held. */
export function procFree(p: Proc): void {
  spinLock(procLock());
  p.p_state = PS_DEAD;
  const told = p.p_event == 0;
  spinUnlock(procLock());
  if (told) zoneFree(changetype<Zone>(<usize>roots().r_zproc), changetype<usize>(p));
}

/** The host has been told all there is to tell of a process that is gone. */
export function procForget(p: Proc): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zproc), changetype<usize>(p));
}
