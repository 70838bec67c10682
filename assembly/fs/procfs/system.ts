/** procfs: the texts about the machine, in Linux's formats where Linux has such a file. */
import { DISK_MAJOR, DISK_MINORS } from '../../abi/disk';
import { EIO } from '../../abi/errno';
import { PAGE_SHIFT } from '../../abi/layout';
import { NVOPS } from '../../abi/vops';
import { Disk, diskName } from '../../dev/disk';
import { bb, KLOG_ADDR, KLOG_SIZE, roots } from '../../kern/boot';
import { clockMs } from '../../kern/clock';
import { CPU_VOPS, cpuAt } from '../../kern/cpu';
import { litLen, Text, textByte, textLit, textPad, textU64 } from '../../kern/text';
import { OSRELEASE, OSTYPE } from '../../kern/version';
import { Lwp, LWP_WAITING } from '../../proc/sleep';
import { sysctlAt, sysctl_show } from '../../proc/sysctl';
import { LOCK_LINE_MAX, lockCount, locksText } from '../../vfs/advlock';
import { Mount, VFCF_NODEV, Vfsconf } from '../../vfs/mount';
import { traceStatsText, traceText } from '../../vfs/trace';
import { Vnode } from '../../vfs/vnode';
import { vopName } from '../../vfs/vop';
import { Zone, zoneLive } from '../../vm/zone';
import { bufReserve } from './buf';
import {
  argOf,
  PK_CPUINFO,
  PK_DISKSTATS,
  PK_FILESYSTEMS,
  PK_KMSG,
  PK_LOCKS,
  PK_MEMINFO,
  PK_NAMECACHE,
  PK_PARTITIONS,
  PK_STAT,
  PK_SYSCTL,
  PK_TRACE,
  PK_TRACESTATS,
  PK_UPTIME,
  PK_VERSION,
  PK_VMSTAT,
  PK_VNODES,
  PK_VOPS,
  PK_ZONES,
} from './node';

function line(t: Text, name: string, v: u64): void {
  textLit(t, name);
  textByte(t, 32);
  textU64(t, v);
  textByte(t, 10);
}

function kbLine(t: Text, name: string, frames: u64): void {
  textLit(t, name);
  textByte(t, 58);
  for (let n = litLen(name); n < 14; n++) textByte(t, 32);
  textPad(t, frames << (PAGE_SHIFT - 10), 9);
  textLit(t, ' kB\n');
}

function zoneFrames(): u32 {
  let n: u32 = 0;
  for (let p = roots().r_zones; p != 0; p = changetype<Zone>(<usize>p).z_next) n += changetype<Zone>(<usize>p).z_nframes;
  return n;
}

/** Frames that a program could still get: the free ones, and clean pages of disks. Nothing in a tmpfs can
 *  be given up. */
function available(): u32 {
  const free = bb().bb_frames_free;
  return (free > roots().r_reserve ? free - roots().r_reserve : 0) + roots().r_nclean;
}

function meminfoText(t: Text): void {
  kbLine(t, 'MemTotal', bb().bb_frames_total);
  kbLine(t, 'MemFree', bb().bb_frames_free);
  kbLine(t, 'MemAvailable', available());
  const buffers = diskPages();
  kbLine(t, 'Buffers', buffers);
  kbLine(t, 'Cached', roots().r_filepages - buffers);
  kbLine(t, 'Dirty', roots().r_ndirty);
  kbLine(t, 'Writeback', 0); // no write outlives the call that makes it
  kbLine(t, 'Slab', zoneFrames());
}

function vmstatText(t: Text): void {
  const r = roots();
  line(t, 'frames_total', bb().bb_frames_total);
  line(t, 'frames_free', bb().bb_frames_free);
  line(t, 'frames_file', r.r_filepages);
  line(t, 'frames_zone', zoneFrames());
  line(t, 'reserve', r.r_reserve);
  line(t, 'lowwater', r.r_lowwater);
  line(t, 'nr_clean', r.r_nclean);
  line(t, 'nr_dirty', r.r_ndirty);
  line(t, 'nr_dirty_threshold', r.r_dirtymax);
  line(t, 'nr_dirty_background_threshold', r.r_dirtybg);
  line(t, 'pages_reclaimed', r.r_reclaimed);
}

/** Seconds with two digits behind the point. */
function seconds(t: Text, centis: u64): void {
  textU64(t, centis / 100);
  textByte(t, 46);
  textByte(t, 48 + <u32>((centis / 10) % 10));
  textByte(t, 48 + <u32>(centis % 10));
}

/** Time since boot, and no idle time: nobody here runs when there is nothing to do. */
function uptimeText(t: Text): void {
  const ms = clockMs() - roots().r_bootsec * 1000;
  seconds(t, ms > 0 ? <u64>(ms / 10) : 0);
  textLit(t, ' 0.00\n');
}

export function versionText(t: Text): void {
  textLit(t, OSTYPE);
  textLit(t, ' version ');
  textLit(t, OSRELEASE);
  textLit(t, SMP ? ' smp' : ' up');
  if (DEBUG) textLit(t, ' debug');
  textByte(t, 10);
}

function cpuinfoText(t: Text): void {
  for (let i: u32 = 0; i < roots().r_ncpu; i++) {
    if (changetype<usize>(cpuAt(i)) == 0) continue;
    textLit(t, 'processor\t: ');
    textU64(t, i);
    textLit(t, '\nmodel name\t: WebAssembly instance\n\n');
  }
}

function statText(t: Text): void {
  let blocked: u32 = 0;
  for (let p = roots().r_lwps; p != 0; p = changetype<Lwp>(<usize>p).lwp_next) {
    if (changetype<Lwp>(<usize>p).lwp_state == LWP_WAITING) blocked++;
  }
  line(t, 'btime', <u64>roots().r_bootsec);
  line(t, 'processes', roots().r_nextpid);
  line(t, 'procs_blocked', blocked);
}

function filesystemsText(t: Text): void {
  for (let p = roots().r_vfsconf; p != 0; p = changetype<Vfsconf>(<usize>p).vfc_next) {
    const v = changetype<Vfsconf>(<usize>p);
    if (v.vfc_flags & VFCF_NODEV) textLit(t, 'nodev');
    textByte(t, 9);
    textLit(t, changetype<string>(<usize>v.vfc_name));
    textByte(t, 10);
  }
}

/** The last KLOG_SIZE bytes of the log, from the beginning of a line on. */
function kmsgText(t: Text): void {
  const head = roots().r_klog_head;
  let i: u32 = head > KLOG_SIZE ? head - KLOG_SIZE : 0;
  if (i != 0) while (i < head && load<u8>(KLOG_ADDR + ((i - 1) & (KLOG_SIZE - 1))) != 10) i++;
  for (; i < head; i++) textByte(t, load<u8>(KLOG_ADDR + (i & (KLOG_SIZE - 1))));
}

function vnodesText(t: Text): void {
  const r = roots();
  let unused: u32 = 0;
  for (let p = r.r_vnlruhead; p != 0; p = changetype<Vnode>(<usize>p).v_lrunext) unused++;
  line(t, 'vnodes', r.r_vncount);
  line(t, 'max', r.r_maxvnodes);
  line(t, 'unused', unused);
  for (let p = r.r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    const mp = changetype<Mount>(<usize>p);
    textLit(t, 'mount ');
    textU64(t, mp.mnt_id);
    textByte(t, 32);
    textU64(t, mp.mnt_nvnodes);
    textByte(t, 10);
  }
}

function namecacheText(t: Text): void {
  const r = roots();
  let lookups: u64 = 0;
  let probes: u64 = 0;
  for (let i: u32 = 0; i < r.r_ncpu; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) == 0) continue;
    lookups += c.c_lookups;
    probes += c.c_probes;
  }
  line(t, 'names', r.r_ncount);
  line(t, 'max', r.r_maxnames);
  line(t, 'buckets', r.r_ncmask + 1);
  line(t, 'lookups', lookups);
  line(t, 'probes', probes);
  for (let p = r.r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    const mp = changetype<Mount>(<usize>p);
    textLit(t, 'mount ');
    textU64(t, mp.mnt_id);
    textByte(t, 32);
    textU64(t, mp.mnt_ncount);
    textByte(t, 10);
  }
}

/** A line for each zone: name, bytes per object, live objects, frames. */
function zonesText(t: Text): void {
  for (let p = roots().r_zones; p != 0; p = changetype<Zone>(<usize>p).z_next) {
    const z = changetype<Zone>(<usize>p);
    const name = changetype<string>(<usize>z.z_name);
    textLit(t, name);
    for (let n = litLen(name); n < 12; n++) textByte(t, 32);
    textPad(t, z.z_size, 5);
    const live = zoneLive(z);
    textPad(t, live > 0 ? <u64>live : 0, 9);
    textPad(t, z.z_nframes, 8);
    textByte(t, 10);
  }
}

function locksFile(t: Text): i32 {
  const n = lockCount();
  const e = bufReserve(n * LOCK_LINE_MAX);
  if (e == 0) locksText(t, n);
  return e;
}

/** How often each operation was called since boot, over all CPUs. */
function vopsText(t: Text): void {
  for (let op: u32 = 0; op < NVOPS; op++) {
    let n: u64 = 0;
    for (let i: u32 = 0; i < roots().r_ncpu; i++) {
      const c = cpuAt(i);
      if (changetype<usize>(c) != 0) n += load<u32>(changetype<usize>(c) + CPU_VOPS + (op << 2));
    }
    line(t, vopName(op), n);
  }
}

/** Linux's diskstats: reads, merged, sectors, ms; the same of writes; in flight, ms, weighted ms; the same of
 *  discards; flushes, ms. Nothing is merged or measured. */
function diskstatsText(t: Text): void {
  for (let p = roots().r_disks; p != 0; p = changetype<Disk>(<usize>p).dk_next) {
    const dk = changetype<Disk>(<usize>p);
    diskNumbers(t, dk);
    diskName(dk, t);
    statColumns(t, dk.dk_nread, dk.dk_sread);
    statColumns(t, dk.dk_nwrite, dk.dk_swrite);
    textLit(t, ' 0 0 0');
    statColumns(t, dk.dk_ndiscard, dk.dk_sdiscard);
    textByte(t, 32);
    textU64(t, dk.dk_nflush);
    textLit(t, ' 0\n');
  }
}

function statColumns(t: Text, requests: u64, sectors: u64): void {
  textByte(t, 32);
  textU64(t, requests);
  textLit(t, ' 0 ');
  textU64(t, sectors);
  textLit(t, ' 0');
}

function diskNumbers(t: Text, dk: Disk): void {
  textPad(t, DISK_MAJOR, 4);
  textPad(t, dk.dk_slot * DISK_MINORS + dk.dk_part, 8);
  textByte(t, 32);
}

/** Sizes in KiB, as Linux's partitions. */
function partitionsText(t: Text): void {
  textLit(t, 'major minor  #blocks  name\n\n');
  for (let p = roots().r_disks; p != 0; p = changetype<Disk>(<usize>p).dk_next) {
    const dk = changetype<Disk>(<usize>p);
    diskNumbers(t, dk);
    textPad(t, dk.dk_size >> 10, 10);
    textByte(t, 32);
    diskName(dk, t);
    textByte(t, 10);
  }
}

/** Pages in the caches of disks themselves. */
function diskPages(): u32 {
  let n: u32 = 0;
  for (let p = roots().r_disks; p != 0; p = changetype<Disk>(<usize>p).dk_next) n += changetype<Disk>(<usize>p).dk_fc.fc_npages;
  return n;
}

/** The text of a file about the machine: 0 or an errno. */
export function systemText(vp: Vnode, kind: u32, t: Text): i32 {
  if (kind == PK_SYSCTL) sysctl_show(sysctlAt(argOf(vp)), t);
  else if (kind == PK_MEMINFO) meminfoText(t);
  else if (kind == PK_VMSTAT) vmstatText(t);
  else if (kind == PK_UPTIME) uptimeText(t);
  else if (kind == PK_VERSION) versionText(t);
  else if (kind == PK_CPUINFO) cpuinfoText(t);
  else if (kind == PK_STAT) statText(t);
  else if (kind == PK_FILESYSTEMS) filesystemsText(t);
  else if (kind == PK_KMSG) kmsgText(t);
  else if (kind == PK_VNODES) vnodesText(t);
  else if (kind == PK_NAMECACHE) namecacheText(t);
  else if (kind == PK_ZONES) zonesText(t);
  else if (kind == PK_VOPS) vopsText(t);
  else if (kind == PK_TRACE) traceText(t);
  else if (kind == PK_TRACESTATS) traceStatsText(t);
  else if (kind == PK_DISKSTATS) diskstatsText(t);
  else if (kind == PK_PARTITIONS) partitionsText(t);
  else if (kind == PK_LOCKS) return locksFile(t);
  else return -EIO;
  return 0;
}
