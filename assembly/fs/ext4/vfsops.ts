/** ext4: mounting, unmounting, remounting, sync, statfs, file handles, and its vectors. */
import { EBUSY, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, ESTALE, EUCLEAN } from '../../abi/errno';
import { MS_RDONLY, S_IFDIR } from '../../abi/flags';
import { COMPAT_HAS_JOURNAL, EXT4_NAME_LEN, EXT4_ROOT_INO, INCOMPAT_RECOVER } from '../../abi/ext4';
import { PAGE_SHIFT } from '../../abi/layout';
import { clockNow } from '../../kern/clock';
import { bb, roots } from '../../kern/boot';
import { diskClose, diskOpen, diskSize } from '../../dev/disk';
import { Ucred } from '../../proc/cred';
import { ALLOC_NOIO, ALLOC_ZERO, pageAllocRun, pageFreeRun } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { Fsmanage } from '../../vfs/fsmanage';
import {
  Mount,
  mountCopyVectors,
  MNTF_FSRDONLY,
  Statfs,
  vfsRegister,
  vfsSetRemount,
  vfsSetSetro,
  vfsSetStatfs,
  vfsSetSync,
  vfsSetSeal,
  vfsSetTick,
  vfsSetUnmount,
  vfsSetVget,
} from '../../vfs/mount';
import { scratchWord } from '../../vfs/scratch';
import { Vnode, vnodeKill, vnodePut } from '../../vfs/vnode';
import {
  setVopAllocate,
  setVopClose,
  setVopFsync,
  setVopGetpages,
  setVopGetxattr,
  setVopInactive,
  setVopListxattr,
  setVopLseek,
  setVopNcreate,
  setVopNlink,
  setVopNlookupdotdot,
  setVopNmkdir,
  setVopNmknod,
  setVopNremove,
  setVopNrename,
  setVopNresolve,
  setVopNrmdir,
  setVopNsymlink,
  setVopNtmpfile,
  setVopOpen,
  setVopPutpages,
  setVopReaddir,
  setVopReadlink,
  setVopReclaim,
  setVopRemovexattr,
  setVopSetattr,
  setVopSetxattr,
  setVopWrite,
  setVopWriteattr,
} from '../../vfs/vop';
import { journalBarrier, journalPressure } from '../jbd2/journal';
import { fifofsVector } from '../fifofs/vnops';
import { specfsVector } from '../specfs/vnops';
import { ext4Close, ext4Inactive, ext4Open, ext4Reclaim, ext4Setattr, ext4Writeattr } from './attr';
import { crcInit } from './crc';
import { ext4Error, ext4Log } from './error';
import { ext4Allocate } from './falloc';
import { ext4Write } from './file';
import { ext4Getpages } from './getpages';
import { ext4InodeGet, IGET_HANDLE, IGET_NAMED } from './inode';
import { ext4Ncreate, ext4Nlink, ext4Nlookupdotdot, ext4Nmknod, ext4Nremove, ext4Nrename, ext4Nresolve, ext4Nrmdir, ext4Nsymlink, ext4Ntmpfile } from './names';
import { ext4Options, ext4OptionsDefault } from './options';
import { ext4OrphansUsed } from './orphan';
import { ext4Putpages } from './putpages';
import { ext4Readdir } from './readdir';
import { ext4Seal } from './seal';
import { emDisk, ext4Start, ext4Stop, ext4Sync } from './state';
import { ext4Commit, ext4JournalReplay } from './journal';
import { groupsDrop, groupsLoad, superDrop, superOverhead, superParse, superRead } from './super';
import { ext4Readlink } from './symlink';
import { ext4Fsync, ext4Lseek } from './sync';
import { jnOf, nowSec32 } from './txn';
import { emOf, Ext4Mount, EM_RDONLY, EM_ROFEATURE, ext4ZonesInit, hasCompat, hasIncompat, MO_BARRIER, MO_JOURNAL, MO_NOLOAD, MO_WRITEBACK } from './types';
import { ext4Getxattr, ext4Listxattr, ext4Removexattr, ext4Setxattr } from './xattr';

const EXT4_STATFS_MAGIC: u32 = 0xef53;
/** Frames of hash buckets: one for each this many frames of RAM. */
const HASH_SHARE: u32 = 2048;

export function ext4Init(): void {
  crcInit();
  ext4ZonesInit();
  vfsRegister('ext4', ext4MountFs, 0, EXT4_STATFS_MAGIC);
  vfsRegister('ext3', ext4MountFs, 0, EXT4_STATFS_MAGIC);
  vfsRegister('ext2', ext4MountFs, 0, EXT4_STATFS_MAGIC);
}

function vectors(mp: Mount): void {
  const fm: Fsmanage = mp.mnt_norm;
  setVopNresolve(fm, ext4Nresolve);
  setVopNlookupdotdot(fm, ext4Nlookupdotdot);
  setVopNcreate(fm, ext4Ncreate);
  setVopNmkdir(fm, ext4Ncreate);
  setVopNmknod(fm, ext4Nmknod);
  setVopNlink(fm, ext4Nlink);
  setVopNsymlink(fm, ext4Nsymlink);
  setVopNremove(fm, ext4Nremove);
  setVopNrmdir(fm, ext4Nrmdir);
  setVopNrename(fm, ext4Nrename);
  setVopNtmpfile(fm, ext4Ntmpfile);
  setVopSetattr(fm, ext4Setattr);
  setVopReaddir(fm, ext4Readdir);
  setVopReadlink(fm, ext4Readlink);
  setVopInactive(fm, ext4Inactive);
  setVopReclaim(fm, ext4Reclaim);
  setVopOpen(fm, ext4Open);
  setVopClose(fm, ext4Close);
  setVopGetxattr(fm, ext4Getxattr);
  setVopSetxattr(fm, ext4Setxattr);
  setVopListxattr(fm, ext4Listxattr);
  setVopRemovexattr(fm, ext4Removexattr);
  setVopWrite(fm, ext4Write);
  setVopWriteattr(fm, ext4Writeattr);
  setVopGetpages(fm, ext4Getpages);
  setVopPutpages(fm, ext4Putpages);
  setVopFsync(fm, ext4Fsync);
  setVopLseek(fm, ext4Lseek);
  setVopAllocate(fm, ext4Allocate);
  mountCopyVectors(mp);
  fifofsVector(mp.mnt_fifo);
  specfsVector(mp.mnt_spec);
  vfsSetUnmount(mp, ext4Unmount);
  vfsSetStatfs(mp, ext4Statfs);
  vfsSetVget(mp, ext4Vget);
  vfsSetRemount(mp, ext4Remount);
  vfsSetSync(mp, ext4SyncFs);
  vfsSetTick(mp, ext4Tick);
  vfsSetSetro(mp, ext4Setro);
  vfsSetSeal(mp, ext4Seal);
}

function hashMake(em: Ext4Mount): i32 {
  let n = bb().bb_frames_total / HASH_SHARE;
  // a power of two
  n = n == 0 ? 1 : <u32>1 << (31 - clz(n));
  for (; n != 0; n >>= 1) {
    const at = pageAllocRun(n);
    if (at == 0) continue;
    em.em_hash = <u32>at;
    em.em_hashframes = n;
    em.em_hashmask = ((n << PAGE_SHIFT) >> 2) - 1;
    return 0;
  }
  return -ENOMEM;
}

/** Give back what a mount has, as far as it came. */
function drop(em: Ext4Mount): void {
  groupsDrop(em);
  superDrop(em);
  if (em.em_hash != 0) pageFreeRun(<usize>em.em_hash, em.em_hashframes);
  if (em.em_disk != 0) diskClose(emDisk(em));
  em.em_mount.mnt_data = 0;
  kfree(changetype<usize>(em));
}

/** Superblock and descriptors: 0 or an errno. */
function readAll(em: Ext4Mount): i32 {
  let e = superRead(em);
  if (e == -EINVAL) ext4Log(em, 'no ext4 here', 0);
  if (e == 0) e = superParse(em, diskSize(emDisk(em)));
  if (e == 0 && em.em_bsize < emDisk(em).dk_sector) {
    ext4Log(em, 'its blocks are smaller than the sectors of the disk', 0);
    e = -EINVAL;
  }
  if (e == 0) e = groupsLoad(em);
  if (e == 0) superOverhead(em);
  return e;
}

/** The root directory: 0 or an errno. */
function rootGet(em: Ext4Mount, mp: Mount): i32 {
  const e = ext4InodeGet(em, EXT4_ROOT_INO, IGET_NAMED, scratchWord(4));
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(4)));
  if (vp.v_type != S_IFDIR) {
    vnodePut(vp);
    return ext4Error(em, 'root is no directory', EXT4_ROOT_INO, 0);
  }
  mp.mnt_rootvp = vp;
  return 0;
}

function mountInner(em: Ext4Mount, mp: Mount, opts: usize, optslen: u32): i32 {
  const readOnly = (mp.mnt_flag & MS_RDONLY) != 0;
  ext4OptionsDefault(em);
  let e = diskOpen(changetype<Vnode>(<usize>mp.mnt_devvp), !readOnly, scratchWord(4));
  if (e != 0) return e;
  em.em_disk = load<u32>(scratchWord(4));
  em.em_fc = emDisk(em).dk_fc;
  e = hashMake(em);
  if (e == 0) e = readAll(em);
  if (e == 0) e = ext4Options(em, opts, optslen);
  vectors(mp);
  if (e == 0 && hasCompat(em, COMPAT_HAS_JOURNAL) && (em.em_opts & MO_NOLOAD) == 0) e = replay(em, readOnly);
  // options are over what the superblock says, which may be another by now
  if (e == 0) e = ext4Options(em, opts, optslen);
  if (e != 0) return e;
  if (!readOnly && em.em_flags & EM_ROFEATURE) mp.mnt_flag |= MNTF_FSRDONLY;
  else if (!readOnly) e = ext4Start(em);
  return e == 0 ? rootGet(em, mp) : e;
}

/** Replay the journal if there may be something in it, and read everything again then. */
function replay(em: Ext4Mount, readOnly: bool): i32 {
  if (readOnly && !hasIncompat(em, INCOMPAT_RECOVER)) return 0;
  const r = ext4JournalReplay(em);
  // read without what is in the log, as by noload
  if (r == -EOPNOTSUPP) return readOnly ? 0 : -EUCLEAN;
  if (r <= 0) return r;
  groupsDrop(em);
  superDrop(em);
  const e = readAll(em);
  if (e != 0 || !readOnly || em.em_flags & EM_ROFEATURE) return e;
  // orphans end too, as after any crash
  const f = ext4Start(em);
  return f != 0 ? f : ext4Stop(em);
}

// @ts-ignore: decorator
@inline
function deadFm(): Fsmanage {
  return changetype<Mount>(<usize>roots().r_deadmount).mnt_norm;
}

function ext4MountFs(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  if (mp.mnt_devvp == 0) return -ENODEV;
  const em = changetype<Ext4Mount>(kmalloc(offsetof<Ext4Mount>(), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(em) == 0) return -ENOMEM;
  em.em_mount = mp;
  em.em_devvp = mp.mnt_devvp;
  em.em_flags = EM_RDONLY;
  mp.mnt_data = <u32>changetype<usize>(em);
  const e = mountInner(em, mp, opts, optslen);
  if (e != 0) {
    ext4Stop(em);
    while (mp.mnt_vnodes != 0) vnodeKill(changetype<Vnode>(<usize>mp.mnt_vnodes), deadFm());
    drop(em);
  }
  return e;
}

/** No vnode is left. */
function ext4Unmount(mp: Mount): void {
  const em = emOf(mp);
  const e = ext4Stop(em);
  if (e != 0) ext4Log(em, 'not all could be written before it was unmounted, errno', <u64>-e);
  drop(em);
}

function ext4SyncFs(mp: Mount): i32 {
  return ext4Sync(emOf(mp));
}

/** Time has passed: commit what is old enough, or too much. */
function ext4Tick(mp: Mount): void {
  const em = emOf(mp);
  if (em.em_jn == 0) return;
  clockNow();
  if (journalPressure(jnOf(em), nowSec32(), em.em_commit)) ext4Commit(em);
}

function ext4Setro(mp: Mount, readOnly: bool): i32 {
  const em = emOf(mp);
  if (!readOnly) return ext4Start(em);
  return ext4OrphansUsed(em) ? -EBUSY : ext4Stop(em);
}

/** What is fixed while it is mounted. */
const FIXED_OPTS: u32 = MO_NOLOAD | MO_WRITEBACK | MO_JOURNAL;

/** Options that may change while it is mounted; data= and noload are not among them. */
function ext4Remount(mp: Mount, opts: usize, optslen: u32): i32 {
  const em = emOf(mp);
  const had = em.em_opts;
  const errors = em.em_errors;
  const commit = em.em_commit;
  let e = ext4Options(em, opts, optslen);
  if (e == 0 && ((had ^ em.em_opts) & FIXED_OPTS) != 0) e = -EINVAL;
  if (e != 0) {
    em.em_opts = had;
    em.em_errors = errors;
    em.em_commit = commit;
  } else if (em.em_jn != 0) journalBarrier(jnOf(em), (em.em_opts & MO_BARRIER) != 0);
  return e;
}

/** Free blocks less those promised; a caller who is not root has what is reserved for root taken off. */
function ext4Statfs(mp: Mount, sf: Statfs): i32 {
  const em = emOf(mp);
  sf.sf_bsize = em.em_bsize;
  sf.sf_blocks = em.em_blocks - em.em_overhead;
  sf.sf_bfree = em.em_freeblocks > em.em_reserved ? em.em_freeblocks - em.em_reserved : 0;
  sf.sf_bavail = sf.sf_bfree > em.em_rblocks ? sf.sf_bfree - em.em_rblocks : 0;
  sf.sf_files = em.em_inodes;
  sf.sf_ffree = em.em_freeinodes;
  sf.sf_namelen = EXT4_NAME_LEN;
  return 0;
}

function ext4Vget(mp: Mount, ino: u64, gen: u32, vpp: usize): i32 {
  const em = emOf(mp);
  if (ino == 0 || ino > <u64>em.em_inodes) return -ESTALE;
  const e = ext4InodeGet(em, <u32>ino, IGET_HANDLE, vpp);
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(vpp));
  if (gen == 0 || vp.v_fc.fc_attr.va_gen == gen) return 0;
  vnodePut(vp);
  return -ESTALE;
}
