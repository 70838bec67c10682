/**
 * Mounts: a file system in the tree, and its three Fsmanage.
 *
 * A place in the tree is a pair (mount, namecache entry): a bind mount shows a part of another
 * mount's names, sharing entries and vnodes, with flags (ro, noexec, nosuid, nodev) of its own.
 * mnt_root is the entry at the mount's root; mnt_covered (with mnt_parent) the entry it hides.
 *
 * M1. The mount list is in order of mounting; the root mount is first.
 * M2. A mount is busy while a file, directory of a process, or mount on it holds mnt_refs. Bind
 *     mounts do not make what they show busy: unmounted, it lingers, out of the tree, until they
 *     and its holders are gone.
 * M3. Read-only are a mount (MS_RDONLY) and its file system (MNTF_FSRDONLY, which its bind mounts
 *     repeat); either is enough.
 * M4. An entry that is covered has NCF_MOUNTPT, and is held.
 *
 * Locks: r_mountlock (RANK_MOUNTS) guards the list and the tree of mounts.
 */
import { EOPNOTSUPP } from '../abi/errno';
import { MS_RDONLY, MS_STRICTATIME } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { add32, lockExclusive, lockRelease, RANK_MOUNTS } from '../kern/lock';
import { litEquals } from '../kern/text';
import { Ucred } from '../proc/cred';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { kmalloc, Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { fsmanageSetDefaults } from './defaults';
import { FM_FIFO, FM_NORM, FM_SPEC, Fsmanage, fsmanageCopyVector } from './fsmanage';
import { Namecache, NCF_MOUNTPT } from './namecache';
import { Vattr } from './vattr';
import { Vnode } from './vnode';
import { writebackMount } from './writeback';

@unmanaged
export class Mount {
  mnt_next: u32; //    r_mounts; immutable order
  mnt_prev: u32;
  mnt_refs: u32; //    Files, process directories, mounts on it
  mnt_flag: u32; //    MS_* that last (MNT_FLAGS) and MNTF_*
  mnt_id: u32;
  mnt_dev: u32; //     st_dev of its files
  mnt_conf: u32; //    Vfsconf
  mnt_data: u32; //    the file system's own
  mnt_root: Namecache; //   referenced
  mnt_rootvp: Vnode; //     referenced
  mnt_covered: Namecache; // referenced; null: the root mount, internal and detached ones
  mnt_parent: Mount; //     the mount that mnt_covered is on; referenced
  mnt_lower: Mount; //      bind mounts: whose names it shows, referenced
  mnt_source: u32; //  text as given to mount(2), kmalloc'ed
  mnt_sourcelen: u32;
  mnt_opts: u32; //    the options as given, kmalloc'ed
  mnt_optslen: u32;
  mnt_vnodes: u32; //  r_vnlock; by v_mnext
  mnt_nvnodes: u32;
  mnt_ncount: u32; //  namecache entries
  mnt_trace: u32; //   what the tracer counts (vfs/trace.ts); 0: it never traced this mount
  mnt_binds: u32; //   bind mounts that show its names
  mnt_writers: u32; // regular files open for writing through this mount
  mnt_clone: u32; //   during a recursive bind: the copy made of it
  mnt_devvp: u32; //   the block device it is on: a Vnode, referenced; 0: none
  // file-system operations: function indices, set by vfsSetOps
  mnt_op_unmount: u32;
  mnt_op_statfs: u32;
  mnt_op_sync: u32;
  mnt_op_vget: u32;
  mnt_op_remount: u32;
  mnt_op_setro: u32;
  mnt_op_tick: u32;
  mnt_op_seal: u32;
  mnt_pad: u32;
  // then three Fsmanage

  // @ts-ignore: decorator
  @inline
  get mnt_norm(): Fsmanage {
    return changetype<Fsmanage>(changetype<usize>(this) + MOUNT_FM);
  }
  // @ts-ignore: decorator
  @inline
  get mnt_fifo(): Fsmanage {
    return changetype<Fsmanage>(changetype<usize>(this) + MOUNT_FM + offsetof<Fsmanage>());
  }
  // @ts-ignore: decorator
  @inline
  get mnt_spec(): Fsmanage {
    return changetype<Fsmanage>(changetype<usize>(this) + MOUNT_FM + 2 * offsetof<Fsmanage>());
  }
}

const MOUNT_FM: usize = offsetof<Mount>();
if (MOUNT_FM % 8 != 0) ERROR('Mount: pad it to 8');

export const MNTF_INTERNAL: u32 = 0x10000000; // not in the tree (anonymous pipes)
export const MNTF_FSRDONLY: u32 = 0x20000000; // the file system is, whatever the mount says
export const MNTF_BIND: u32 = 0x40000000;
/** The MS_* flags that stay with a mount. */
export const MNT_FLAGS: u32 = 1 | 2 | 4 | 8 | 16 | 1024 | (1 << 21) | MS_STRICTATIME;

/** A registered file-system type. */
@unmanaged
export class Vfsconf {
  vfc_name: u32; // string literal
  vfc_next: u32;
  vfc_mount: u32; // function: (mp, opts, optslen, cred) → errno; sets up vectors, mnt_data, mnt_rootvp
  vfc_flags: u32; // VFCF_*
  vfc_magic: u32; // statfs f_type
  vfc_pad: u32;
}
/** Mounts of this type are bind mounts (nullfs). */
export const VFCF_BIND: u32 = 2;
/** The type has no device behind it (nodev in /proc/filesystems). */
export const VFCF_NODEV: u32 = 1;

/** struct statfs, as a file system fills it; blocks are in sf_bsize units. */
@unmanaged
export class Statfs {
  sf_blocks: u64;
  sf_bfree: u64;
  sf_bavail: u64;
  sf_files: u64;
  sf_ffree: u64;
  sf_bsize: u32;
  sf_namelen: u32;
}

export function mountInit(): void {
  roots().r_zmount = <u32>changetype<usize>(
    zoneCreate('mount', <u32>MOUNT_FM + 3 * <u32>offsetof<Fsmanage>(), 0),
  );
}

/** Register a type. Boot only. */
export function vfsRegister(
  name: string,
  mount: (mp: Mount, opts: usize, optslen: u32, cred: Ucred) => i32,
  flags: u32,
  magic: u32,
): Vfsconf {
  const v = changetype<Vfsconf>(kmalloc(offsetof<Vfsconf>(), ALLOC_NOIO));
  v.vfc_name = <u32>changetype<usize>(name);
  v.vfc_mount = mount.index;
  v.vfc_flags = flags;
  v.vfc_magic = magic;
  v.vfc_next = roots().r_vfsconf;
  roots().r_vfsconf = <u32>changetype<usize>(v);
  return v;
}

/** The type of that name, or null. */
export function vfsFind(name: usize, len: u32): Vfsconf {
  let p = roots().r_vfsconf;
  while (p != 0) {
    const v = changetype<Vfsconf>(<usize>p);
    if (litEquals(changetype<string>(<usize>v.vfc_name), name, len)) return v;
    p = v.vfc_next;
  }
  return changetype<Vfsconf>(<usize>0);
}

/** A mount with default vectors, on no list; null: no memory. */
export function mountAlloc(conf: Vfsconf, flags: u32): Mount {
  const r = roots();
  const mp = changetype<Mount>(zoneAlloc(changetype<Zone>(<usize>r.r_zmount), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(mp) == 0) return mp;
  mp.mnt_id = add32(changetype<usize>(r) + offsetof<Roots>('r_nextmount'), 1) + 1;
  mp.mnt_dev = mp.mnt_id + 16;
  mp.mnt_flag = flags;
  mp.mnt_conf = <u32>changetype<usize>(conf);
  mountFm(mp, mp.mnt_norm, FM_NORM);
  mountFm(mp, mp.mnt_fifo, FM_FIFO);
  mountFm(mp, mp.mnt_spec, FM_SPEC);
  return mp;
}

function mountFm(mp: Mount, fm: Fsmanage, kind: u32): void {
  fm.fm_mount = mp;
  fm.fm_kind = kind;
  fsmanageSetDefaults(fm);
}

/** The fifo and device vectors start as copies of the files': attribute and name operations are
 *  the file system's own. Call it once mnt_norm is set up, then override. */
export function mountCopyVectors(mp: Mount): void {
  fsmanageCopyVector(mp.mnt_fifo, mp.mnt_norm);
  fsmanageCopyVector(mp.mnt_spec, mp.mnt_norm);
}

// @ts-ignore: decorator
@inline
export function mountRef(mp: Mount): void {
  add32(changetype<usize>(mp) + offsetof<Mount>('mnt_refs'), 1);
}

// @ts-ignore: decorator
@inline
export function mountDrop(mp: Mount): void {
  add32(changetype<usize>(mp) + offsetof<Mount>('mnt_refs'), -1);
}

// @ts-ignore: decorator
@inline
export function mountReadOnly(mp: Mount): bool {
  return (mp.mnt_flag & (MS_RDONLY | MNTF_FSRDONLY)) != 0;
}

export function mountsLock(): void {
  lockExclusive(changetype<usize>(roots()) + offsetof<Roots>('r_mountlock'), RANK_MOUNTS);
}

export function mountsUnlock(): void {
  lockRelease(changetype<usize>(roots()) + offsetof<Roots>('r_mountlock'));
}

/** The mount whose vnodes and names these are: itself, or what a bind mount shows. */
// @ts-ignore: decorator
@inline
export function mountReal(mp: Mount): Mount {
  return mp.mnt_flag & MNTF_BIND ? mp.mnt_lower : mp;
}

/** Append to the list. r_mountlock held. */
export function mountListAdd(mp: Mount): void {
  const r = roots();
  mp.mnt_next = 0;
  if (r.r_mounts == 0) {
    r.r_mounts = <u32>changetype<usize>(mp);
    mp.mnt_prev = 0;
    return;
  }
  let last = changetype<Mount>(<usize>r.r_mounts);
  while (last.mnt_next != 0) last = changetype<Mount>(<usize>last.mnt_next);
  last.mnt_next = <u32>changetype<usize>(mp);
  mp.mnt_prev = <u32>changetype<usize>(last);
}

export function mountListRemove(mp: Mount): void {
  if (mp.mnt_prev != 0) changetype<Mount>(<usize>mp.mnt_prev).mnt_next = mp.mnt_next;
  else roots().r_mounts = mp.mnt_next;
  if (mp.mnt_next != 0) changetype<Mount>(<usize>mp.mnt_next).mnt_prev = mp.mnt_prev;
}

/** The topmost mount that covers (mp, ncp), or null. */
export function mountOn(mp: Mount, ncp: Namecache): Mount {
  if ((ncp.nc_flags & NCF_MOUNTPT) == 0) return changetype<Mount>(<usize>0);
  let found: usize = 0;
  for (let p = roots().r_mounts; p != 0; ) {
    const m = changetype<Mount>(<usize>p);
    if (changetype<usize>(m.mnt_covered) == changetype<usize>(ncp) && changetype<usize>(m.mnt_parent) == changetype<usize>(mp)) {
      found = p;
    }
    p = m.mnt_next;
  }
  return changetype<Mount>(found);
}

export function mountById(id: u32): Mount {
  let p = roots().r_mounts;
  while (p != 0 && changetype<Mount>(<usize>p).mnt_id != id) p = changetype<Mount>(<usize>p).mnt_next;
  return changetype<Mount>(<usize>p);
}

export function mountFree(mp: Mount): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zmount), changetype<usize>(mp));
}

// ── file-system operations ───────────────────────────────────────────────────────────────────

export function vfsSetUnmount(mp: Mount, fn: (mp: Mount) => void): void {
  mp.mnt_op_unmount = fn.index;
}
export function vfsSetStatfs(mp: Mount, fn: (mp: Mount, sf: Statfs) => i32): void {
  mp.mnt_op_statfs = fn.index;
}
export function vfsSetSync(mp: Mount, fn: (mp: Mount) => i32): void {
  mp.mnt_op_sync = fn.index;
}
/** vget: the vnode, referenced, of an inode number (and generation, unless 0) at vpp; -ESTALE. */
export function vfsSetVget(mp: Mount, fn: (mp: Mount, ino: u64, gen: u32, vpp: usize) => i32): void {
  mp.mnt_op_vget = fn.index;
}
export function vfsSetRemount(mp: Mount, fn: (mp: Mount, opts: usize, optslen: u32) => i32): void {
  mp.mnt_op_remount = fn.index;
}

/** setro: be read-only from now on, or writable: 0, or an errno and nothing has changed. Nothing is open for writing. */
export function vfsSetSetro(mp: Mount, fn: (mp: Mount, readOnly: bool) => i32): void {
  mp.mnt_op_setro = fn.index;
}
/** seal: a transaction of its journal is about to be written, and none of its steps is under way. The journal's lock
 *  is held exclusively. */
export function vfsSetSeal(mp: Mount, fn: (mp: Mount) => void): void {
  mp.mnt_op_seal = fn.index;
}
/** tick: time has passed; commit what is old enough. Nothing is locked. */
export function vfsSetTick(mp: Mount, fn: (mp: Mount) => void): void {
  mp.mnt_op_tick = fn.index;
}

/** Run the type's mount function: 0 with mnt_rootvp set and referenced, or an errno. */
export function vfs_mount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  const conf = changetype<Vfsconf>(<usize>mp.mnt_conf);
  return call_indirect<i32>(conf.vfc_mount, mp, opts, optslen, cred);
}
/** Give the file system's memory back; no vnode of it is left. */
export function vfs_unmount(mp: Mount): void {
  if (mp.mnt_op_unmount != 0) call_indirect<void>(mp.mnt_op_unmount, mp);
}
export function vfs_statfs(mp: Mount, sf: Statfs): i32 {
  if (mp.mnt_op_statfs == 0) {
    memory.fill(changetype<usize>(sf), 0, offsetof<Statfs>());
    sf.sf_bsize = 4096;
    sf.sf_namelen = 255;
    return 0;
  }
  return call_indirect<i32>(mp.mnt_op_statfs, mp, sf);
}
/** Write everything back, then let the file system make it durable: 0 or the first errno. Nothing is locked. */
export function vfs_sync(mp: Mount): i32 {
  const e = roots().r_dirtyhead != 0 ? writebackMount(mp) : 0;
  const f = mp.mnt_op_sync != 0 ? call_indirect<i32>(mp.mnt_op_sync, mp) : 0;
  return e != 0 ? e : f;
}
export function vfs_seal(mp: Mount): void {
  if (mp.mnt_op_seal != 0) call_indirect<void>(mp.mnt_op_seal, mp);
}
export function vfs_tick(mp: Mount): void {
  if (mp.mnt_op_tick != 0) call_indirect<void>(mp.mnt_op_tick, mp);
}
export function vfs_remount(mp: Mount, opts: usize, optslen: u32): i32 {
  return mp.mnt_op_remount != 0 ? call_indirect<i32>(mp.mnt_op_remount, mp, opts, optslen) : 0;
}

export function vfs_setro(mp: Mount, readOnly: bool): i32 {
  return mp.mnt_op_setro != 0 ? call_indirect<i32>(mp.mnt_op_setro, mp, readOnly) : 0;
}

/** VFS_VPTOFH: what names a file for good within its mount. */
export function vfs_vptofh(vp: Vnode, ino: usize, gen: usize): i32 {
  if (vp.v_fm.fm_mount.mnt_op_vget == 0) return -EOPNOTSUPP;
  const va: Vattr = vp.v_fc.fc_attr;
  store<u64>(ino, va.va_ino);
  store<u32>(gen, va.va_gen);
  return 0;
}
/** VFS_FHTOVP: the vnode so named; -ESTALE if that inode is gone or another by now. */
export function vfs_fhtovp(mp: Mount, ino: u64, gen: u32, vpp: usize): i32 {
  return mp.mnt_op_vget != 0 ? call_indirect<i32>(mp.mnt_op_vget, mp, ino, gen, vpp) : -EOPNOTSUPP;
}
/** VFS_VGET: the same by inode number alone. */
export function vfs_vget(mp: Mount, ino: u64, vpp: usize): i32 {
  return vfs_fhtovp(mp, ino, 0, vpp);
}
