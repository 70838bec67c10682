/**
 * procfs: what its files are.
 *
 * Nothing is stored: a vnode's v_data says what it shows, a kind (PK_*) in the low byte and above
 * it the kind's argument (a pid, or the place of a sysctl), and v_un a second one (a descriptor, or
 * how much of a sysctl's name its directory covers). Inode numbers follow from these, so they are
 * the same each time a name is looked up. Names are volatile (FMF_VOLATILE) and vnodes are not kept
 * (VN_NOCACHE): each lasts as long as somebody holds it.
 */
import { O_ACCMODE, O_PATH, O_RDONLY, O_WRONLY, S_IFDIR, S_IFLNK, S_IFREG } from '../../abi/flags';
import { credIsRoot, Ucred } from '../../proc/cred';
import { fdOf, File } from '../../proc/file';
import { Proc, procFind } from '../../proc/proc';
import { sysctlAt } from '../../proc/sysctl';
import { FC_ATTRVALID } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { vattrStamp } from '../../vfs/vattr';
import { VN_MAGIC, VN_NOCACHE, Vnode, vnodeAlloc } from '../../vfs/vnode';

export const PK_ROOT: u32 = 1;
export const PK_SELF: u32 = 2; //       → the reader's pid
export const PK_MOUNTSLINK: u32 = 3; // → self/mounts
export const PK_SYS: u32 = 4; //        a directory of sysctls; arg: its first one, sub: prefix length
export const PK_SYSCTL: u32 = 5; //     arg: which
export const PK_PID: u32 = 6; //        arg of all that follow: pid
export const PK_CWD: u32 = 7;
export const PK_ROOTDIR: u32 = 8;
export const PK_FD: u32 = 9;
export const PK_FDLINK: u32 = 10; //    sub: the descriptor
export const PK_FDINFO: u32 = 11;
export const PK_FDINFOFILE: u32 = 12; // sub: the descriptor
export const PK_STATUS: u32 = 13;
export const PK_LIMITS: u32 = 14;
export const PK_MOUNTS: u32 = 15;
export const PK_MOUNTINFO: u32 = 16;
export const PK_CMDLINE: u32 = 17;
export const PK_COMM: u32 = 18;
export const PK_PIDSTAT: u32 = 19;
// files about the machine
export const PK_CPUINFO: u32 = 32;
export const PK_FILESYSTEMS: u32 = 33;
export const PK_KMSG: u32 = 34;
export const PK_LOCKS: u32 = 35;
export const PK_MEMINFO: u32 = 36;
export const PK_NAMECACHE: u32 = 37;
export const PK_STAT: u32 = 38;
export const PK_UPTIME: u32 = 39;
export const PK_VERSION: u32 = 40;
export const PK_VMSTAT: u32 = 41;
export const PK_VNODES: u32 = 42;
export const PK_VOPS: u32 = 43;
export const PK_ZONES: u32 = 44;
export const PK_TRACE: u32 = 45;
export const PK_TRACESTATS: u32 = 46;
export const PK_DISKSTATS: u32 = 47;
export const PK_PARTITIONS: u32 = 48;
export const PK_NONE: u32 = 0;

/** The i-th entry of the root besides the processes; past the last: an empty name. */
export function rootName(i: u32): string {
  switch (i) {
    case 0:
      return 'cpuinfo';
    case 1:
      return 'diskstats';
    case 2:
      return 'filesystems';
    case 3:
      return 'kmsg';
    case 4:
      return 'locks';
    case 5:
      return 'meminfo';
    case 6:
      return 'mounts';
    case 7:
      return 'namecache';
    case 8:
      return 'partitions';
    case 9:
      return 'self';
    case 10:
      return 'stat';
    case 11:
      return 'sys';
    case 12:
      return 'trace';
    case 13:
      return 'trace_stats';
    case 14:
      return 'uptime';
    case 15:
      return 'version';
    case 16:
      return 'vmstat';
    case 17:
      return 'vnodes';
    case 18:
      return 'vops';
    case 19:
      return 'zones';
    default:
      return '';
  }
}

export function rootKind(i: u32): u32 {
  switch (i) {
    case 0:
      return PK_CPUINFO;
    case 1:
      return PK_DISKSTATS;
    case 2:
      return PK_FILESYSTEMS;
    case 3:
      return PK_KMSG;
    case 4:
      return PK_LOCKS;
    case 5:
      return PK_MEMINFO;
    case 6:
      return PK_MOUNTSLINK;
    case 7:
      return PK_NAMECACHE;
    case 8:
      return PK_PARTITIONS;
    case 9:
      return PK_SELF;
    case 10:
      return PK_STAT;
    case 11:
      return PK_SYS;
    case 12:
      return PK_TRACE;
    case 13:
      return PK_TRACESTATS;
    case 14:
      return PK_UPTIME;
    case 15:
      return PK_VERSION;
    case 16:
      return PK_VMSTAT;
    case 17:
      return PK_VNODES;
    case 18:
      return PK_VOPS;
    default:
      return PK_ZONES;
  }
}

/** The i-th entry of a process's directory; past the last: an empty name. */
export function pidName(i: u32): string {
  switch (i) {
    case 0:
      return 'cmdline';
    case 1:
      return 'comm';
    case 2:
      return 'cwd';
    case 3:
      return 'fd';
    case 4:
      return 'fdinfo';
    case 5:
      return 'limits';
    case 6:
      return 'mountinfo';
    case 7:
      return 'mounts';
    case 8:
      return 'root';
    case 9:
      return 'stat';
    case 10:
      return 'status';
    default:
      return '';
  }
}

export function pidKind(i: u32): u32 {
  switch (i) {
    case 0:
      return PK_CMDLINE;
    case 1:
      return PK_COMM;
    case 2:
      return PK_CWD;
    case 3:
      return PK_FD;
    case 4:
      return PK_FDINFO;
    case 5:
      return PK_LIMITS;
    case 6:
      return PK_MOUNTINFO;
    case 7:
      return PK_MOUNTS;
    case 8:
      return PK_ROOTDIR;
    case 9:
      return PK_PIDSTAT;
    default:
      return PK_STATUS;
  }
}

// @ts-ignore: decorator
@inline
export function kindOf(vp: Vnode): u32 {
  return vp.v_data & 255;
}

// @ts-ignore: decorator
@inline
export function argOf(vp: Vnode): u32 {
  return vp.v_data >>> 8;
}

/** The process that a vnode is about; null: it has ended. */
export function procOf(vp: Vnode): Proc {
  return procFind(<i32>argOf(vp));
}

/** The open file that a vnode is about, or null. */
export function openFileOf(vp: Vnode): File {
  const p = procOf(vp);
  return changetype<usize>(p) == 0 ? changetype<File>(<usize>0) : fdOf(p, vp.v_un);
}

/** May cred look behind a process's descriptors and directories? Not those of one that runs with
 *  more than its user's rights. */
export function mayInspect(p: Proc, cred: Ucred): bool {
  if (credIsRoot(cred)) return true;
  const owner: Ucred = p.p_cred;
  return cred.cr_uid == owner.cr_uid && cred.cr_uid == owner.cr_ruid && cred.cr_uid == owner.cr_suid;
}

// @ts-ignore: decorator
@inline
function aboutProcess(kind: u32): bool {
  return kind >= PK_PID && kind <= PK_PIDSTAT;
}

/** File type of a kind. */
export function kindType(kind: u32): u32 {
  switch (kind) {
    case PK_ROOT:
    case PK_SYS:
    case PK_PID:
    case PK_FD:
    case PK_FDINFO:
      return S_IFDIR;
    case PK_SELF:
    case PK_MOUNTSLINK:
    case PK_CWD:
    case PK_ROOTDIR:
    case PK_FDLINK:
      return S_IFLNK;
    default:
      return S_IFREG;
  }
}

/** A descriptor's link has the permissions its file was opened with. */
function linkMode(fp: File): u32 {
  if (changetype<usize>(fp) == 0 || fp.f_flag & O_PATH) return 0;
  const acc = fp.f_flag & O_ACCMODE;
  let mode: u32 = 0o100;
  if (acc != O_WRONLY) mode |= 0o400;
  if (acc != O_RDONLY) mode |= 0o200;
  return mode;
}

function modeOf(vp: Vnode, kind: u32): u32 {
  switch (kind) {
    case PK_FD:
      return 0o500;
    case PK_KMSG:
      return 0o400;
    case PK_TRACE:
      return 0o600;
    case PK_SYSCTL:
      return sysctlAt(argOf(vp)).sc_mode;
    case PK_FDLINK:
      return linkMode(openFileOf(vp));
  }
  const type = kindType(kind);
  return type == S_IFDIR ? 0o555 : type == S_IFLNK ? 0o777 : 0o444;
}

/** Inode number of what (kind | arg << 8, sub) names. */
// @ts-ignore: decorator
@inline
export function procIno(data: u32, sub: u32): u64 {
  return ((<u64>sub) << 32) | data;
}

/** Make the attributes say what is so now: owner and mode may have changed since. */
export function procRefresh(vp: Vnode): void {
  const kind = kindOf(vp);
  const va = vp.v_fc.fc_attr;
  va.va_mode = kindType(kind) | modeOf(vp, kind);
  const p = aboutProcess(kind) ? procOf(vp) : changetype<Proc>(<usize>0);
  if (changetype<usize>(p) != 0) {
    va.va_uid = p.p_cred.cr_uid;
    va.va_gid = p.p_cred.cr_gid;
  }
}

/** A vnode, referenced; null: no memory. */
export function procVnode(fm: Fsmanage, kind: u32, arg: u32, sub: u32): Vnode {
  const type = kindType(kind);
  const vp = vnodeAlloc(fm, type, kind | (arg << 8));
  if (changetype<usize>(vp) == 0) return vp;
  vp.v_un = sub;
  vp.v_flag |= VN_NOCACHE;
  if (kind == PK_CWD || kind == PK_ROOTDIR || kind == PK_FDLINK) vp.v_flag |= VN_MAGIC;
  const va = vp.v_fc.fc_attr;
  va.va_ino = procIno(vp.v_data, sub);
  va.va_nlink = type == S_IFDIR ? 2 : 1;
  va.va_dev = fm.fm_mount.mnt_dev;
  // what Linux says of its links there
  if (kind == PK_FDLINK) va.va_size = 64;
  vattrStamp(va);
  procRefresh(vp);
  vp.v_fc.fc_flags |= FC_ATTRVALID;
  return vp;
}
