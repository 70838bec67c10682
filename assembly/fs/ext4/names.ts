/**
 * ext4: the namespace operations.
 *
 * Each takes em_names, then a handle, then changes directory blocks and inodes, and stores the inodes it
 * changed before the handle ends: an operation is in one transaction, or not at all. What can be
 * foreseen is refused before anything changes. What a failure leaves of a new inode is made an orphan
 * in the same handle, and freed when its vnode is let go of, after both.
 */
import { EINVAL, EISDIR, EMLINK, ENOENT, ENOTDIR, ENOTEMPTY, EPERM } from '../../abi/errno';
import { RENAME_EXCHANGE, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../../abi/flags';
import {
  EXT4_APPEND_FL,
  EXT4_IMMUTABLE_FL,
  EXT4_LINK_MAX,
  FT_BLKDEV,
  FT_CHRDEV,
  FT_DIR,
  FT_FIFO,
  FT_REG_FILE,
  FT_SOCK,
  FT_SYMLINK,
  FT_UNKNOWN,
  RO_COMPAT_DIR_NLINK,
} from '../../abi/ext4';
import { Ucred } from '../../proc/cred';
import { attrBegin, attrEnd, fscacheTouch, fscacheTouchCtime } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { cacheSetVp, Namecache } from '../../vfs/namecache';
import { scratchWord } from '../../vfs/scratch';
import { Vattr } from '../../vfs/vattr';
import { VN_LINKABLE, Vnode, vnodePut } from '../../vfs/vnode';
import { dirAdd, dirBad, dirDotDot, dirFind, dirGrow, dirIsEmpty, dirRemove } from './dir';
import { Dirop, dirop, diropDone } from './dirop';
import { ext4InodeNew } from './ialloc';
import { ext4InodeGet, ext4InodeReady, ext4InodeStore, IGET_NAMED } from './inode';
import { ext4Retry } from './journal';
import { DE_MIN, leafInitDots, leafSumNew } from './leaf';
import { ext4OrphanAdd, ext4OrphanDel } from './orphan';
import { ext4Rename } from './rename';
import { symlinkSet } from './symlink';
import { CREDITS_DIRADD, CREDITS_DIRDEL, CREDITS_INODE, CREDITS_MAP, CREDITS_NEWINODE, CREDITS_ORPHAN, ext4Begin, ext4End } from './txn';
import { EI_LATE, emOf, Ext4Mount, eiOf, hasRoCompat, namesExclusive, namesRelease, namesShared } from './types';

/** The type in a directory's entry, from a mode. */
export function fileType(mode: u32): u32 {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FT_REG_FILE;
    case S_IFDIR:
      return FT_DIR;
    case S_IFCHR:
      return FT_CHRDEV;
    case S_IFBLK:
      return FT_BLKDEV;
    case S_IFIFO:
      return FT_FIFO;
    case S_IFSOCK:
      return FT_SOCK;
    case S_IFLNK:
      return FT_SYMLINK;
    default:
      return FT_UNKNOWN;
  }
}

// @ts-ignore: decorator
@inline
export function dirVnode(ncp: Namecache): Vnode {
  return ncp.parent.vp;
}

function isFrozen(vp: Vnode, flags: u32): bool {
  return (eiOf(vp).ei_flags & flags) != 0;
}

/** May names come into this directory? 0, -EPERM. */
export function mayAdd(dvp: Vnode): i32 {
  return isFrozen(dvp, EXT4_IMMUTABLE_FL) ? -EPERM : 0;
}

/** May this name of vp go from its directory? 0, -EPERM. */
export function mayTake(dvp: Vnode, vp: Vnode): i32 {
  const flags = EXT4_IMMUTABLE_FL | EXT4_APPEND_FL;
  return isFrozen(dvp, flags) || isFrozen(vp, flags) ? -EPERM : 0;
}

// ── links ────────────────────────────────────────────────────────────────────────────────────

/** Add to a link count; a directory's stops counting at 1 when it has too many (dir_nlink). */
export function linkAdd(em: Ext4Mount, vp: Vnode, n: i32): void {
  const fc = vp.v_fc;
  const had = fc.fc_attr.va_nlink;
  let now = had + n;
  if (vp.v_type == S_IFDIR && hasRoCompat(em, RO_COMPAT_DIR_NLINK)) {
    if (had == 1 || now > EXT4_LINK_MAX) now = 1;
  }
  attrBegin(fc);
  fc.fc_attr.va_nlink = now;
  attrEnd(fc);
}

/** Has it room for one more link? */
export function linkRoom(em: Ext4Mount, vp: Vnode): bool {
  if (vp.v_type == S_IFDIR && hasRoCompat(em, RO_COMPAT_DIR_NLINK)) return true;
  return vp.v_fc.fc_attr.va_nlink < EXT4_LINK_MAX;
}

export function linkSet(vp: Vnode, n: u32): void {
  attrBegin(vp.v_fc);
  vp.v_fc.fc_attr.va_nlink = n;
  attrEnd(vp.v_fc);
}

/** A link of a file went, or a directory's only one: an orphan if none is left. The store is the caller's. */
export function linkDrop(em: Ext4Mount, vp: Vnode): i32 {
  if (vp.v_type == S_IFDIR) linkSet(vp, 0);
  else if (vp.v_fc.fc_attr.va_nlink != 0) linkAdd(em, vp, -1);
  fscacheTouchCtime(vp.v_fc);
  return vp.v_fc.fc_attr.va_nlink == 0 ? ext4OrphanAdd(em, vp) : 0;
}

// ── looking ──────────────────────────────────────────────────────────────────────────────────

export function ext4Nresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  const em = emOf(fm.fm_mount);
  const dp = dirop(0);
  namesShared(em);
  let e = dirFind(em, dirVnode(ncp), <usize>ncp.nc_namep, ncp.nc_namelen, dp);
  const ino = dp.dp_ino;
  diropDone(dp);
  if (e == 0) e = ext4InodeGet(em, ino, IGET_NAMED, scratchWord(4));
  namesRelease(em);
  if (e != 0) {
    if (e == -ENOENT) cacheSetVp(ncp, changetype<Vnode>(<usize>0));
    return e;
  }
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(4)));
  cacheSetVp(ncp, vp);
  vnodePut(vp);
  return 0;
}

export function ext4Nlookupdotdot(fm: Fsmanage, dvp: Vnode, vpp: usize, cred: Ucred): i32 {
  if (dvp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  const em = emOf(fm.fm_mount);
  const dp = dirop(0);
  namesShared(em);
  let e = dirDotDot(em, dvp, dp);
  const ino = dp.dp_ino;
  diropDone(dp);
  if (e == 0) e = ext4InodeGet(em, ino, IGET_NAMED, scratchWord(4));
  namesRelease(em);
  if (e != 0) return e;
  const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(4)));
  if (vp.v_type != S_IFDIR) {
    vnodePut(vp);
    return dirBad(em, dvp, 'directory: ".." is none', 0);
  }
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

// ── making ───────────────────────────────────────────────────────────────────────────────────

const CREDITS_CREATE: u32 = CREDITS_NEWINODE + CREDITS_ORPHAN + 2 * CREDITS_INODE + CREDITS_DIRADD + CREDITS_MAP;

/** What a device node has in i_block: the old encoding where it is enough, else the new one. */
function deviceSet(vp: Vnode, rdev: u32): void {
  const at = eiOf(vp).ei_block;
  if (rdev >> 16 == 0) store<u32>(at, rdev);
  else store<u32>(at, rdev, 4);
}

/** A new directory's first block. */
function dirInit(em: Ext4Mount, dvp: Vnode, vp: Vnode, dp: Dirop): i32 {
  const e = dirGrow(em, vp, dp);
  if (e == 0) {
    leafInitDots(em, <usize>dp.dp_buf, eiOf(vp).ei_ino, eiOf(dvp).ei_ino, FT_DIR);
    leafSumNew(em, eiOf(vp), <usize>dp.dp_buf, 2 * DE_MIN);
  }
  diropDone(dp);
  return e;
}

/** The new inode's content, then its name: 0 or an errno. Inside the handle. */
function fillAndName(em: Ext4Mount, ncp: Namecache, vp: Vnode, text: usize, len: u32): i32 {
  const dvp = dirVnode(ncp);
  const dp = dirop(0);
  const type = vp.v_type;
  let e: i32 = 0;
  if (type == S_IFDIR) e = dirInit(em, dvp, vp, dp);
  else if (type == S_IFLNK) e = symlinkSet(em, vp, text, len, dp);
  else if (type == S_IFCHR || type == S_IFBLK) deviceSet(vp, vp.v_fc.fc_attr.va_rdev);
  if (e == 0) e = dirAdd(em, dvp, <usize>ncp.nc_namep, ncp.nc_namelen, eiOf(vp).ei_ino, fileType(type), dp);
  diropDone(dp);
  if (e != 0) return e;
  e = ext4InodeStore(em, vp);
  if (type == S_IFDIR) linkAdd(em, dvp, 1);
  fscacheTouch(dvp.v_fc);
  const f = ext4InodeStore(em, dvp);
  return e != 0 ? e : f;
}

/** A new inode that came to nothing: an orphan, for its last put to free. */
function unmake(em: Ext4Mount, vp: Vnode): void {
  linkSet(vp, 0);
  if (ext4OrphanAdd(em, vp) == 0) ext4InodeStore(em, vp);
}

/** Make a file of any type under a locked negative name. */
function create(fm: Fsmanage, ncp: Namecache, vap: Vattr, text: usize, len: u32, vpp: usize): i32 {
  const e = createOnce(fm, ncp, vap, text, len, vpp);
  return ext4Retry(emOf(fm.fm_mount), e) ? createOnce(fm, ncp, vap, text, len, vpp) : e;
}

function createOnce(fm: Fsmanage, ncp: Namecache, vap: Vattr, text: usize, len: u32, vpp: usize): i32 {
  const em = emOf(fm.fm_mount);
  const dvp = dirVnode(ncp);
  const isDir = (vap.va_mode & S_IFMT) == S_IFDIR;
  if (dvp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  let e = mayAdd(dvp);
  if (e != 0) return e;
  if (isDir && !linkRoom(em, dvp)) return -EMLINK;
  namesExclusive(em);
  e = ext4Begin(em, CREDITS_CREATE);
  let vp = changetype<Vnode>(<usize>0);
  if (e == 0) {
    // another CPU may have removed the directory meanwhile
    e = dvp.v_fc.fc_attr.va_nlink == 0 ? -ENOENT : ext4InodeReady(em, dvp);
    if (e == 0) e = ext4InodeNew(em, dvp, vap, isDir ? 2 : 1, scratchWord(4));
    if (e == 0) {
      vp = changetype<Vnode>(<usize>load<u32>(scratchWord(4)));
      e = fillAndName(em, ncp, vp, text, len);
      if (e != 0) unmake(em, vp);
    }
    ext4End(em);
  }
  namesRelease(em);
  if (e != 0) {
    if (changetype<usize>(vp) != 0) vnodePut(vp);
    return e;
  }
  cacheSetVp(ncp, vp);
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

export function ext4Ncreate(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return create(fm, ncp, vap, 0, 0, vpp);
}

export function ext4Nmknod(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  const type = vap.va_mode & S_IFMT;
  if (type != S_IFIFO && type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK) return -EINVAL;
  return create(fm, ncp, vap, 0, 0, vpp);
}

export function ext4Nsymlink(fm: Fsmanage, ncp: Namecache, target: usize, len: u32, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return create(fm, ncp, vap, target, len, vpp);
}

export function ext4Ntmpfile(fm: Fsmanage, dvp: Vnode, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  const em = emOf(fm.fm_mount);
  if (dvp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  let e = ext4Begin(em, CREDITS_NEWINODE + CREDITS_ORPHAN + CREDITS_INODE);
  if (e != 0) return e;
  e = ext4InodeNew(em, dvp, vap, 0, vpp);
  const vp = changetype<Vnode>(e == 0 ? <usize>load<u32>(vpp) : 0);
  if (e == 0) e = ext4OrphanAdd(em, vp);
  if (e == 0) e = ext4InodeStore(em, vp);
  ext4End(em);
  if (e != 0 && changetype<usize>(vp) != 0) vnodePut(vp);
  return e;
}

/** Another name; O_TMPFILE's first one takes the file off the orphan list. */
export function ext4Nlink(fm: Fsmanage, ncp: Namecache, vp: Vnode, cred: Ucred): i32 {
  const em = emOf(fm.fm_mount);
  const dvp = dirVnode(ncp);
  if (!linkRoom(em, vp)) return -EMLINK;
  if (dvp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  let e = mayAdd(dvp);
  if (e == 0 && isFrozen(vp, EXT4_IMMUTABLE_FL | EXT4_APPEND_FL)) e = -EPERM;
  if (e != 0) return e;
  e = linkLocked(em, ncp, dvp, vp);
  if (ext4Retry(em, e)) e = linkLocked(em, ncp, dvp, vp);
  if (e == 0) cacheSetVp(ncp, vp);
  return e;
}

function linkLocked(em: Ext4Mount, ncp: Namecache, dvp: Vnode, vp: Vnode): i32 {
  namesExclusive(em);
  let e = ext4Begin(em, CREDITS_DIRADD + 3 * CREDITS_INODE + CREDITS_ORPHAN);
  if (e == 0) {
    const dp = dirop(0);
    // its last name, or the directory, may have been removed by another CPU meanwhile
    const gone = vp.v_fc.fc_attr.va_nlink == 0 && (vp.v_flag & VN_LINKABLE) == 0;
    e = gone || dvp.v_fc.fc_attr.va_nlink == 0 ? -ENOENT : ext4InodeReady(em, vp);
    if (e == 0) e = ext4InodeReady(em, dvp);
    if (e == 0) e = dirAdd(em, dvp, <usize>ncp.nc_namep, ncp.nc_namelen, eiOf(vp).ei_ino, fileType(vp.v_type), dp);
    diropDone(dp);
    if (e == 0) {
      linkAdd(em, vp, 1);
      fscacheTouchCtime(vp.v_fc);
      fscacheTouch(dvp.v_fc);
      e = ext4OrphanDel(em, vp);
      if (e == 0) e = ext4InodeStore(em, vp);
      const f = ext4InodeStore(em, dvp);
      if (e == 0) e = f;
    }
    ext4End(em);
  }
  namesRelease(em);
  return e;
}

// ── removing ─────────────────────────────────────────────────────────────────────────────────

/** The entry of a locked positive name in dp: 0, or -ENOENT, -EUCLEAN if the disk says otherwise. */
export function entryFor(em: Ext4Mount, ncp: Namecache, dp: Dirop): i32 {
  const e = dirFind(em, dirVnode(ncp), <usize>ncp.nc_namep, ncp.nc_namelen, dp);
  if (e != 0) return e;
  return dp.dp_ino == eiOf(ncp.vp).ei_ino ? 0 : dirBad(em, dirVnode(ncp), 'directory: a name changed', dp.dp_lblk);
}

/** Inside the handle. */
function remove(em: Ext4Mount, ncp: Namecache, dp: Dirop): i32 {
  const dvp = dirVnode(ncp);
  const vp = ncp.vp;
  let e = ext4InodeReady(em, vp);
  if (e == 0) e = ext4InodeReady(em, dvp);
  if (e == 0) e = entryFor(em, ncp, dp);
  if (e == 0) e = dirRemove(em, dvp, dp);
  if (e != 0) return e;
  e = linkDrop(em, vp);
  if (vp.v_type == S_IFDIR) linkAdd(em, dvp, -1);
  fscacheTouch(dvp.v_fc);
  // its block is in the handle: a commit stores it, if it is there still
  const f = eiOf(vp).ei_state & EI_LATE ? 0 : ext4InodeStore(em, vp);
  if (e == 0) e = f;
  const g = ext4InodeStore(em, dvp);
  return e != 0 ? e : g;
}

function removeLocked(em: Ext4Mount, ncp: Namecache): i32 {
  const dp = dirop(0);
  if (ncp.vp.v_type == S_IFDIR) {
    const empty = dirIsEmpty(em, ncp.vp, dp);
    diropDone(dp);
    if (empty <= 0) return empty == 0 ? -ENOTEMPTY : empty;
  }
  let e = ext4Begin(em, CREDITS_DIRDEL + CREDITS_ORPHAN + 2 * CREDITS_INODE);
  if (e != 0) return e;
  e = remove(em, ncp, dp);
  diropDone(dp);
  ext4End(em);
  return e;
}

export function ext4Nremove(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  if (ncp.vp.v_type == S_IFDIR) return -EISDIR;
  return removeName(fm, ncp);
}

export function ext4Nrmdir(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  if (ncp.vp.v_type != S_IFDIR) return -ENOTDIR;
  return removeName(fm, ncp);
}

function removeName(fm: Fsmanage, ncp: Namecache): i32 {
  const em = emOf(fm.fm_mount);
  const e = mayTake(dirVnode(ncp), ncp.vp);
  if (e != 0) return e;
  namesExclusive(em);
  const r = removeLocked(em, ncp);
  namesRelease(em);
  return r;
}

export function ext4Nrename(fm: Fsmanage, fncp: Namecache, tncp: Namecache, flags: u32, cred: Ucred): i32 {
  if (flags & ~RENAME_EXCHANGE) return -EINVAL;
  const em = emOf(fm.fm_mount);
  const exchange = (flags & RENAME_EXCHANGE) != 0;
  const e = renameLocked(em, fncp, tncp, exchange);
  return ext4Retry(em, e) ? renameLocked(em, fncp, tncp, exchange) : e;
}

function renameLocked(em: Ext4Mount, fncp: Namecache, tncp: Namecache, exchange: bool): i32 {
  namesExclusive(em);
  const e = ext4Rename(em, fncp, tncp, exchange);
  namesRelease(em);
  return e;
}
