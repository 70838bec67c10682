/**
 * ext4: inode numbers: the inode bitmaps (bitmaps.rst), and where new inodes go.
 *
 * A file goes to its directory's group, or one near. A directory goes near its parent if there is
 * room for what it will hold; those in the root, and in directories that chattr +T marks, are spread:
 * to the group with the fewest directories among those that are not fuller than the average. So
 * what belongs together lies together, and no group fills up while others are empty.
 */
import { ENOMEM, ENOSPC, EUCLEAN } from '../../abi/errno';
import { S_IFDIR, S_IFMT, S_IFREG } from '../../abi/flags';
import {
  BG_INODE_UNINIT,
  EXT4_DIRSYNC_FL,
  EXT4_JOURNAL_DATA_FL,
  EXT4_NOATIME_FL,
  EXT4_NODUMP_FL,
  EXT4_NOTAIL_FL,
  EXT4_PROJINHERIT_FL,
  EXT4_ROOT_INO,
  EXT4_SYNC_FL,
  EXT4_TOPDIR_FL,
} from '../../abi/ext4';
import { bitClear, bitSet, bitTest } from '../../kern/words';
import { Vattr, vattrStamp } from '../../vfs/vattr';
import { Vnode } from '../../vfs/vnode';
import { FC_ATTRVALID } from '../../vfs/fscache';
import { crc32cU32 } from './crc';
import { ext4Error } from './error';
import {
  gdFlags,
  gdFreeBlocks,
  gdFreeInodes,
  gdInodeBitmap,
  gdItableUnused,
  gdSetFlags,
  gdSetFreeInodes,
  gdSetItableUnused,
  gdSetUsedDirs,
  gdUsedDirs,
  groupDesc,
  groupInfo,
  groupSum,
  groupWill,
  inodeBitmapOk,
  inodeBitmapFlip,
  inodeBitmapSum,
} from './group';
import { ext4InodeBlock, ext4InodeMake, inodeIn } from './inode';
import { ext4MapInit } from './map';
import { ext4Bget, ext4Bread, ext4Brelse, ext4BufError, ext4Dirty, ext4Tid } from './txn';
import {
  EM_SBDIRTY,
  emLock,
  emUnlock,
  Ext4Mount,
  eiOf,
  GI_IBITMAP_BAD,
  GI_IBITMAP_OK,
  hasGroupCsum,
} from './types';

/** What a new inode takes over of its directory's flags. */
const INHERITED: u32 =
  EXT4_SYNC_FL | EXT4_NODUMP_FL | EXT4_NOATIME_FL | EXT4_JOURNAL_DATA_FL | EXT4_NOTAIL_FL | EXT4_DIRSYNC_FL | EXT4_PROJINHERIT_FL;

// ── bitmaps ──────────────────────────────────────────────────────────────────────────────────

/** A group's inode bitmap, held, checked once; 0: errno at errp. em_lock held. */
function bitmapGet(em: Ext4Mount, g: u32, errp: usize): usize {
  const gd = groupDesc(em, g);
  const gi = groupInfo(em, g);
  const uninit = (gdFlags(em, gd) & BG_INODE_UNINIT) != 0;
  const block = gdInodeBitmap(em, gd);
  if (load<u32>(gi) & GI_IBITMAP_BAD) {
    store<i32>(errp, -EUCLEAN);
    return 0;
  }
  const b = uninit ? ext4Bget(em, block) : ext4Bread(em, block);
  if (b == 0) {
    store<i32>(errp, ext4BufError());
    return 0;
  }
  if (uninit) bitmapInit(em, b);
  if (load<u32>(gi) & GI_IBITMAP_OK) return b;
  if (!uninit && !inodeBitmapOk(em, gd, b)) {
    store<u32>(gi, load<u32>(gi) | GI_IBITMAP_BAD);
    ext4Brelse(b);
    store<i32>(errp, ext4Error(em, 'inode bitmap: checksum', 0, block));
    return 0;
  }
  store<u32>(gi, load<u32>(gi) | GI_IBITMAP_OK);
  return b;
}

/** No inode in use; what is behind the group's inodes never is. */
function bitmapInit(em: Ext4Mount, b: usize): void {
  memory.fill(b, 0, em.em_bsize);
  memory.fill(b + (em.em_ipg >> 3), 0xff, em.em_bsize - (em.em_ipg >> 3));
}

/** Is the inode in use by its bitmap? 1, 0, or an errno. */
export function ext4InodeUsed(em: Ext4Mount, ino: u32, errp: usize): i32 {
  const g = (ino - 1) / em.em_ipg;
  emLock(em);
  let r: i32 = 0;
  if ((gdFlags(em, groupDesc(em, g)) & BG_INODE_UNINIT) == 0) {
    const b = bitmapGet(em, g, errp);
    if (b == 0) r = load<i32>(errp);
    else {
      r = bitTest(b, (ino - 1) % em.em_ipg) ? 1 : 0;
      ext4Brelse(b);
    }
  }
  emUnlock(em);
  return r;
}

/** The first clear bit of [from, n), or n. */
function firstClear(b: usize, from: u32, n: u32): u32 {
  let i = from;
  while (i < n) {
    if ((i & 7) == 0 && load<u8>(b + (i >> 3)) == 0xff) i += 8;
    else if (bitTest(b, i)) i++;
    else return i;
  }
  return n;
}

/** Take an inode of a group: its number at out, 0 if there is none; 0, or why the bitmap cannot be used. em_lock held. */
function takeIn(em: Ext4Mount, g: u32, isDir: bool, out: usize): i32 {
  store<u32>(out, 0);
  const gd = groupDesc(em, g);
  if (gdFreeInodes(em, gd) == 0) return 0;
  const b = bitmapGet(em, g, out);
  if (b == 0) {
    const e = load<i32>(out);
    store<u32>(out, 0);
    return e;
  }
  const e = takeBit(em, g, gd, b, isDir, out);
  ext4Brelse(b);
  return e;
}

function takeBit(em: Ext4Mount, g: u32, gd: usize, b: usize, isDir: bool, out: usize): i32 {
  const bit = firstClear(b, g == 0 ? em.em_firstino - 1 : 0, em.em_ipg);
  if (bit >= em.em_ipg) {
    // the descriptor promised one
    store<u32>(groupInfo(em, g), load<u32>(groupInfo(em, g)) | GI_IBITMAP_BAD);
    return ext4Error(em, 'inode bitmap: full', 0, gdInodeBitmap(em, gd));
  }
  let e = ext4Dirty(em, b, gdInodeBitmap(em, gd));
  if (e == 0) e = groupWill(em, g);
  if (e != 0) return e;
  bitSet(b, bit);
  gdSetFreeInodes(em, gd, gdFreeInodes(em, gd) - 1);
  if (isDir) {
    gdSetUsedDirs(em, gd, gdUsedDirs(em, gd) + 1);
    em.em_dirs++;
  }
  const uninit = (gdFlags(em, gd) & BG_INODE_UNINIT) != 0;
  if (hasGroupCsum(em)) {
    gdSetFlags(gd, gdFlags(em, gd) & ~BG_INODE_UNINIT);
    if (em.em_ipg - gdItableUnused(em, gd) < bit + 1) gdSetItableUnused(em, gd, em.em_ipg - bit - 1);
  }
  if (uninit) inodeBitmapSum(em, gd, b);
  else inodeBitmapFlip(em, gd, bit);
  groupSum(em, g);
  em.em_freeinodes--;
  em.em_flags |= EM_SBDIRTY;
  store<u32>(out, g * em.em_ipg + bit + 1);
  return 0;
}

/** An inode number will be freed in this handle: its bitmap and descriptor are in RAM then, and dirty. 0 or an errno. */
export function ext4InodeFreeReady(em: Ext4Mount, ino: u32, errp: usize): i32 {
  const g = (ino - 1) / em.em_ipg;
  emLock(em);
  const b = bitmapGet(em, g, errp);
  let e = b == 0 ? load<i32>(errp) : ext4Dirty(em, b, gdInodeBitmap(em, groupDesc(em, g)));
  if (e == 0) e = groupWill(em, g);
  if (b != 0) ext4Brelse(b);
  emUnlock(em);
  return e;
}

/** An inode number is free again. Inside a handle. 0 or an errno. */
export function ext4InodeFree(em: Ext4Mount, ino: u32, isDir: bool, errp: usize): i32 {
  const g = (ino - 1) / em.em_ipg;
  emLock(em);
  const b = bitmapGet(em, g, errp);
  const e = b == 0 ? load<i32>(errp) : freeBit(em, g, b, ino, isDir);
  if (b != 0) ext4Brelse(b);
  emUnlock(em);
  return e;
}

function freeBit(em: Ext4Mount, g: u32, b: usize, ino: u32, isDir: bool): i32 {
  const gd = groupDesc(em, g);
  const bit = (ino - 1) % em.em_ipg;
  if (!bitTest(b, bit) || gdFreeInodes(em, gd) >= em.em_ipg) return ext4Error(em, 'inode freed twice', ino, 0);
  let e = ext4Dirty(em, b, gdInodeBitmap(em, gd));
  if (e == 0) e = groupWill(em, g);
  if (e != 0) return e;
  bitClear(b, bit);
  gdSetFreeInodes(em, gd, gdFreeInodes(em, gd) + 1);
  if (isDir && gdUsedDirs(em, gd) != 0) {
    gdSetUsedDirs(em, gd, gdUsedDirs(em, gd) - 1);
    em.em_dirs--;
  }
  inodeBitmapFlip(em, gd, bit);
  em.em_freeinodes++;
  em.em_flags |= EM_SBDIRTY;
  groupSum(em, g);
  return 0;
}

// ── which group ──────────────────────────────────────────────────────────────────────────────

/** Has the group, compared with the average, room for a directory and its files? em_lock held. */
function roomy(em: Ext4Mount, g: u32, slack: u32): bool {
  const gd = groupDesc(em, g);
  const inodes = gdFreeInodes(em, gd);
  if (inodes == 0 || load<u32>(groupInfo(em, g)) & GI_IBITMAP_BAD) return false;
  const avgInodes = em.em_freeinodes / em.em_groups;
  const avgBlocks = <u32>(em.em_freeblocks / em.em_groups);
  return inodes >= avgInodes - min(avgInodes, slack * (em.em_ipg >> 3)) && gdFreeBlocks(em, gd) >= avgBlocks - min(avgBlocks, slack * (em.em_bpg >> 3));
}

/** A group for a directory that has little to do with its parent: of those with room, the one with the
 *  fewest directories, searched from where the last search ended. */
function groupSpread(em: Ext4Mount, home: u32): u32 {
  let best = home;
  let least: u32 = u32.MAX_VALUE;
  for (let i: u32 = 0; i < em.em_groups; i++) {
    const g = (em.em_dirgroup + i) % em.em_groups;
    if (!roomy(em, g, 0)) continue;
    const dirs = gdUsedDirs(em, groupDesc(em, g));
    if (dirs >= least) continue;
    least = dirs;
    best = g;
    if (dirs == 0) break;
  }
  em.em_dirgroup = (best + 1) % em.em_groups;
  return best;
}

/** A group for a directory below others: the parent's if it has room, else the next that has. */
function groupNear(em: Ext4Mount, home: u32): u32 {
  const most = em.em_dirs / em.em_groups + (em.em_ipg >> 4);
  for (let i: u32 = 0; i < em.em_groups; i++) {
    const g = (home + i) % em.em_groups;
    if (roomy(em, g, 2) && gdUsedDirs(em, groupDesc(em, g)) < most) return g;
  }
  return home;
}

/** A new inode number near its directory: at out. 0; -ENOSPC: no group has one; or why one that might have could not
 *  be looked at. Inside a handle. */
function inodeTake(em: Ext4Mount, dvp: Vnode, isDir: bool, out: usize): i32 {
  const dir = eiOf(dvp);
  const home = (dir.ei_ino - 1) / em.em_ipg;
  const spread = dir.ei_ino == EXT4_ROOT_INO || (dir.ei_flags & EXT4_TOPDIR_FL) != 0;
  emLock(em);
  const start = !isDir ? home : spread ? groupSpread(em, home) : groupNear(em, home);
  let why: i32 = -ENOSPC;
  store<u32>(out, 0);
  for (let i: u32 = 0; i < em.em_groups && load<u32>(out) == 0; i++) {
    // one that cannot be used is no reason not to use the others
    const e = takeIn(em, (start + i) % em.em_groups, isDir, out);
    if (e != 0 && why == -ENOSPC) why = e;
  }
  emUnlock(em);
  return load<u32>(out) == 0 ? why : 0;
}

// ── new inodes ───────────────────────────────────────────────────────────────────────────────

function flagsFor(dir: u32, type: u32): u32 {
  const flags = dir & INHERITED;
  if (type == S_IFDIR) return flags;
  return type == S_IFREG ? flags & ~(EXT4_DIRSYNC_FL | EXT4_PROJINHERIT_FL) : flags & (EXT4_NODUMP_FL | EXT4_NOATIME_FL);
}

/**
 * A new inode below dvp with the attributes of vap and `nlink` links: its vnode, referenced, at vpp. It is
 * not stored yet, but its place on the disk is zeros and dirty. Inside a handle with CREDITS_NEWINODE.
 * 0 or an errno.
 */
export function ext4InodeNew(em: Ext4Mount, dvp: Vnode, vap: Vattr, nlink: u32, vpp: usize): i32 {
  const type = vap.va_mode & S_IFMT;
  let e = inodeTake(em, dvp, type == S_IFDIR, vpp);
  if (e != 0) return e;
  const ino = load<u32>(vpp);
  const block = ext4InodeBlock(em, ino);
  const b = ext4Bread(em, block);
  e = b == 0 ? ext4BufError() : ext4Dirty(em, b, block);
  if (e == 0) memory.fill(inodeIn(em, ino, b), 0, em.em_isize);
  if (b != 0) ext4Brelse(b);
  const vp = e == 0 ? ext4InodeMake(em, ino, type) : changetype<Vnode>(<usize>0);
  if (e == 0 && changetype<usize>(vp) == 0) e = -ENOMEM;
  if (e != 0) {
    ext4InodeFree(em, ino, type == S_IFDIR, vpp);
    return e;
  }
  const va = vp.v_fc.fc_attr;
  va.va_mode = vap.va_mode;
  va.va_uid = vap.va_uid;
  va.va_gid = vap.va_gid;
  va.va_rdev = vap.va_rdev;
  va.va_nlink = nlink;
  va.va_gen = em.em_nextgen++;
  vattrStamp(va);
  const ei = eiOf(vp);
  ei.ei_extra = em.em_wantextra;
  ei.ei_flags = flagsFor(eiOf(dvp).ei_flags, type);
  if (eiOf(dvp).ei_flags & EXT4_PROJINHERIT_FL) ei.ei_projid = eiOf(dvp).ei_projid;
  ei.ei_csumseed = crc32cU32(crc32cU32(em.em_csumseed, ino), va.va_gen);
  if (type == S_IFDIR || type == S_IFREG) ext4MapInit(em, ei);
  vp.v_fc.fc_flags |= FC_ATTRVALID;
  // fdatasync of a new file waits for the file itself, though it be empty
  ext4Tid(em, ei, true);
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}
