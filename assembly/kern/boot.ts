/**
 * The boot block: one frame at a fixed address that holds the root of every structure.
 *
 * There is no other static data. A wasm global would be per CPU and would not be in a snapshot;
 * a data segment would be written again by every CPU that instantiates the module. So whatever
 * must be found without a pointer is a field here.
 *
 *     0x00000  guard (never mapped to anything; a null pointer's fields fall here)
 *     0x00400  read-only text of the module's data segments
 *     0x10000  BootBlock, Roots, the CPU table: one frame
 *     0x11000  kernel log, a ring of KLOG_SIZE bytes
 *     then     VmPage[frames], the namecache's hash table, the frames
 *
 * Guards: fields below ROOTS are the host's to read at any time; the roots are written at boot
 * only, or under the lock named beside them.
 */
import {
  BB_DEADLINE,
  BB_FLAVOUR,
  BB_FRAMES_FREE,
  BB_FRAMES_FRESH,
  BB_FRAMES_TOTAL,
  BB_MAGIC,
  BB_PAGES,
  BB_PANIC_CPU,
  BB_PANIC_LEN,
  BB_STATE,
  BB_VERSION,
  BOOTBLOCK,
  CPU_TABLE,
  NCPU_MAX,
  PAGE_SIZE,
} from '../abi/layout';

/** The kernel log: a ring right behind the boot block. */
export const KLOG_ADDR: usize = <usize>BOOTBLOCK + PAGE_SIZE;
export const KLOG_SIZE: u32 = PAGE_SIZE;
/** First byte that the page allocator may lay out. */
export const RAM_START: usize = <usize>BOOTBLOCK + 2 * PAGE_SIZE;

@unmanaged
export class BootBlock {
  bb_magic: u32;
  bb_version: u32;
  bb_flavour: u32;
  bb_state: u32;
  bb_dying: u32; // smp: somebody is writing the panic message
  bb_panic_cpu: u32;
  bb_panic_len: u32;
  bb_pad0: u32;
  bb_deadline: f64;
  bb_frames_free: u32;
  bb_frames_total: u32;
  bb_pages: u32;
  bb_frames_fresh: u32; // r_pagelock; this frame and those above have never been in use
  // BB_PANIC_MSG .. 512: the panic message, BB_PANIC_MAX bytes
}

/** The kernel's own roots, behind the panic message. */
@unmanaged
export class Roots {
  // kern
  r_seed0: u64; //        seeded generator's state (both 0: entropy is the host's)
  r_seed1: u64;
  r_vclock_ns: i64; //    virtual clock, ns since 1970; meaningful if r_vclock
  r_wbnext: i64; //       virtual clock: when write-back looks next; 0: nothing is dirty
  r_bootsec: f64; //      realtime at boot, seconds
  r_nextino: u64; //      inode numbers of anonymous objects (pipes, watches)
  r_vclock: u32; //       1: the clock is RAM state
  r_ncpu: u32; //         CPU slots ever used
  r_attached: u32; //     smp: CPUs attached or about to be (kern/lock.ts: alone)
  r_cpuareas: u32; //     areas of CPUs ever made, those that wait for the next CPU included
  r_cpuspare: u32; //     those that wait, linked by c_area (kern/cpu.ts)
  r_epoch: u32; //        zone.ts: bumped when a frame goes to limbo
  r_klog_head: u32; //    bytes ever written to the log
  r_nextpid: u32; //      r_proclock
  r_procs: u32; //        r_proclock; list of Proc by p_next
  r_proclock: u32; //     spin
  r_nfiles: u32; //       open Files
  r_lwps: u32; //         r_sleeplock; all Lwps
  r_lwpseq: u32; //       r_sleeplock; last number given out
  r_selhead: u32; //      r_sleeplock; Lwps in poll(2): a Chan
  r_seltail: u32;
  r_sleeplock: u32; //    spin
  r_sysctl: u32; //       list of sysctl nodes
  r_devsw: u32; //        list of Devsw
  r_devhook: u32; //      function index: a device was registered (fs/devfs)
  r_devnodes: u32; //     list of Devnode: nodes that come and go (dev/dev.ts)
  r_nodehook: u32; //     function index: one came or goes (fs/devfs)
  r_disks: u32; //        list of Disk, whole disks and partitions (dev/disk.ts)
  r_diskmount: u32; //    internal mount that pages their caches; 0: no disk was ever attached
  r_devfsconf: u32; //    devfs's Vfsconf
  r_console: u32; //      dev/console.ts: a Tty
  r_ttys: u32; //         r_ttylock; pseudo-terminals whose master is open
  r_ttylock: u32; //      spin
  r_hostname: u32; //     text, a generic zone object
  r_hostnamelen: u32;
  r_trace: u32; //        trace ring
  r_failcount: i32; //    fault loops: the allocation that fails when this reaches 0
  r_allocs: u32; //       allocations tried since the fault loop was armed
  r_failarmed: u32;
  // vm
  r_pages: u32; //        VmPage[r_nframes], indexed by address >> PAGE_SHIFT
  r_nframes: u32;
  r_freehead: u32; //     r_pagelock; frames that were in use and are free again
  r_pagelock: u32; //     spin
  r_dirtylock: u32; //    spin: all lists of vfs/dirty.ts and their counts
  r_cleanhead: u32; //    r_dirtylock; clean pages that a disk has too, those to go first in front
  r_cleantail: u32;
  r_nclean: u32;
  r_oldepoch: u32; //     smp: r_epoch when the pages that are PG_OLD were chosen
  r_dirtyhead: u32; //    r_dirtylock; Fscaches with something to write, oldest first
  r_dirtytail: u32;
  r_ndirtyfc: u32; //     how many those are
  r_ndirty: u32; //       r_dirtylock; dirty pages
  r_dirtymax: u32; //     dirty pages at which writers write some of them first
  r_dirtybg: u32; //      dirty pages at which entry writes some
  r_dirtynext: u32; //    the same, higher while what is dirty cannot be written
  r_dirtyfcnext: u32; //  Fscaches with something to write at which entry writes some
  r_dirtyratio: u32; //   per cent of RAM: r_dirtymax
  r_bgratio: u32; //      per cent of RAM: r_dirtybg
  r_expirecs: u32; //     age at which dirty data is written, 1/100 s
  r_intervalcs: u32; //   a virtual clock: how often that is looked at, 1/100 s
  r_entermark: u32; //    entry with fewer frames free stops to look: r_lowwater, or all ones
  r_reclaimed: u32; //    clean pages given back so far
  r_zeropage: u32; //     address of the frame of zeros that holes are read from
  r_reserve: u32; //      frames kept for reclaim and for removing things
  r_lowwater: u32; //     below this, entry to the kernel reclaims first
  r_filepages: u32; //    frames that hold file pages
  r_bootframes: u32; //   the kernel's own frames that boot took for good, CPUs' areas not counted
  r_zones: u32; //        list of Zone
  r_nzones: u32;
  r_limbo: u32; //        r_pagelock; empty zone frames waiting for their epoch
  r_shrink: u32; //       function index: free what caches hold (set by vfs/reclaim.ts)
  r_zgeneric: u32; //     array of Zone pointers, the generic size classes
  // vfs
  r_vfsconf: u32; //      registered file-system types
  r_mounts: u32; //       r_mountlock; the mounts, oldest first
  r_mountlock: u32; //    Lock
  r_mountlockwait: u32;
  r_lingering: u32; //    mounts out of the tree that somebody still holds
  r_nextmount: u32; //    r_mountlock; last mount id
  r_rootmount: u32;
  r_pipemount: u32; //    internal mount of anonymous pipes and watches
  r_deadmount: u32; //    deadfs's: where killed vnodes go
  r_ncbuckets: u32; //    namecache hash table
  r_ncmask: u32;
  r_nclock: u32; //       spin: hash chains, child lists, LRU
  r_nclruhead: u32;
  r_nclrutail: u32;
  r_ncount: u32; //       namecache entries in existence
  r_ncnegative: u32;
  r_maxnames: u32;
  r_vnlock: u32; //       spin: vnode LRU, v_namecache lists
  r_vnlruhead: u32;
  r_vnlrutail: u32;
  r_vncount: u32; //      vnodes in existence
  r_maxvnodes: u32;
  r_renamelock: u32; //   Lock: directory renames
  r_renamelockwait: u32;
  r_renameseq: u32;
  r_inotify: u32; //      watches, and queues of everything, in existence: 0 makes every hook one load
  r_inoall: u32; //       r_inolock; the queues of everything, by in_next
  r_ninotify: u32; //     queues in existence
  r_inobytes: u32; //     r_inolock; RAM that their events take
  r_inocookie: u32; //    last rename cookie
  r_inolock: u32; //      spin: watches and their queues
  r_flocklock: u32; //    spin: all advisory locks
  r_flockq: u32; //       r_flocklock; blocked lock requests, for deadlock detection
  r_flockheads: u32; //   r_flocklock; vnodes with locks
  r_flockgen: u32; //     searches for deadlocks so far: what their marks are compared with
  r_nflocks: u32; //      lock records in existence
  // zones used by name, each set by the layer that owns it
  r_zvnode: u32;
  r_zncp: u32;
  r_zncname: u32;
  r_zfile: u32;
  r_zproc: u32;
  r_zcred: u32;
  r_zlwp: u32;
  r_zradix: u32;
  r_zmount: u32;
  r_zflock: u32;
  r_zfdchunk: u32;
  r_zfddir: u32;
  r_zlayer: u32;
  r_zpipe: u32;
  r_zinotify: u32;
  r_zinowatch: u32;
  r_zxattr: u32;
  r_ztmpnode: u32;
  r_zext4inode: u32;
  r_crctab: u32; //       tables of crc32c (fs/ext4/crc.ts), two frames
  r_zbio: u32;
  r_zjbuf: u32;
  r_zjrevoke: u32;
  r_zwasi: u32;
  r_wasi: u32; //         r_proclock; all WASI guests (sys/wasi/guest.ts)
  // a text cursor for the panic message
  r_text0: u32;
  r_text1: u32;
  r_text2: u32;
  r_text3: u32;
  r_text4: u32;
}

export const ROOTS: usize = <usize>BOOTBLOCK + 512;
/** Cpu pointers, NCPU_MAX of them, at the end of the boot block's frame. */
export const CPUTABLE: usize = <usize>BOOTBLOCK + PAGE_SIZE - 4 * NCPU_MAX;

if (offsetof<BootBlock>('bb_magic') != BB_MAGIC) ERROR('BB_MAGIC');
if (offsetof<BootBlock>('bb_version') != BB_VERSION) ERROR('BB_VERSION');
if (offsetof<BootBlock>('bb_flavour') != BB_FLAVOUR) ERROR('BB_FLAVOUR');
if (offsetof<BootBlock>('bb_state') != BB_STATE) ERROR('BB_STATE');
if (offsetof<BootBlock>('bb_panic_cpu') != BB_PANIC_CPU) ERROR('BB_PANIC_CPU');
if (offsetof<BootBlock>('bb_panic_len') != BB_PANIC_LEN) ERROR('BB_PANIC_LEN');
if (offsetof<BootBlock>('bb_deadline') != BB_DEADLINE) ERROR('BB_DEADLINE');
if (offsetof<BootBlock>('bb_frames_free') != BB_FRAMES_FREE) ERROR('BB_FRAMES_FREE');
if (offsetof<BootBlock>('bb_frames_total') != BB_FRAMES_TOTAL) ERROR('BB_FRAMES_TOTAL');
if (offsetof<BootBlock>('bb_frames_fresh') != BB_FRAMES_FRESH) ERROR('BB_FRAMES_FRESH');
if (offsetof<BootBlock>('bb_pages') != BB_PAGES) ERROR('BB_PAGES');
if (CPUTABLE != CPU_TABLE) ERROR('CPU_TABLE');
if (offsetof<Roots>() > PAGE_SIZE - 512 - 4 * NCPU_MAX) ERROR('Roots do not fit the boot block');

// @ts-ignore: decorator
@inline
export function bb(): BootBlock {
  return changetype<BootBlock>(<usize>BOOTBLOCK);
}

// @ts-ignore: decorator
@inline
export function roots(): Roots {
  return changetype<Roots>(ROOTS);
}
