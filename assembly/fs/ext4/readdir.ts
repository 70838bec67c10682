/**
 * ext4: VOP_READDIR.
 *
 * A directory that is indexed, or would be when it grows, is listed by hash, and a cookie is the hash
 * to go on with (split.ts: KEY_BITS of it): names that come, go, or move to another leaf change
 * nothing for the others. Any other directory is listed by place, its cookies bytes from its
 * start; removing merges entries, so a block is read from its beginning up to the cookie.
 */
import { ENOMEM } from '../../abi/errno';
import { DT_BLK, DT_CHR, DT_DIR, DT_FIFO, DT_LNK, DT_REG, DT_SOCK, DT_UNKNOWN } from '../../abi/flags';
import {
  COMPAT_DIR_INDEX,
  DE_INODE,
  DE_NAME,
  DE_NAME_LEN,
  FT_BLKDEV,
  FT_CHRDEV,
  FT_DIR,
  FT_FIFO,
  FT_REG_FILE,
  FT_SOCK,
  FT_SYMLINK,
} from '../../abi/ext4';
import { Fsmanage } from '../../vfs/fsmanage';
import { Readdir, readdirAdd, readdirDots, READDIR_FIRST } from '../../vfs/readdir';
import { Vnode } from '../../vfs/vnode';
import { dirBad, dirBlocks, dirDotDot, dirIsIndexed, dirIsInline, dirLeaf, dirSkips, entryType } from './dir';
import { Dirop, dirop, diropDone } from './dirop';
import { htreeLeaf, htreeNext, htreeProbe, htreeRoot } from './htree';
import { inlineDirCopy } from './inlinedir';
import { entryEnd, entryIsDots, leafEnd } from './leaf';
import { hashKey, keyMajor, keysAlloc, keysFree, KEY_BITS, leafKeys, recordKey, recordOffset } from './split';
import { ext4Brelse } from './txn';
import { emOf, Ext4Mount, eiOf, hasCompat, inoInRange, namesRelease, namesShared } from './types';

/** The cookie at the end of a listing by hash. */
const KEY_END: u64 = <u64>1 << KEY_BITS;
/** No hash: theirs are even. */
const NO_MAJOR: u32 = 1;

function dtype(em: Ext4Mount, at: usize): u32 {
  switch (entryType(em, at)) {
    case FT_REG_FILE:
      return DT_REG;
    case FT_DIR:
      return DT_DIR;
    case FT_CHRDEV:
      return DT_CHR;
    case FT_BLKDEV:
      return DT_BLK;
    case FT_FIFO:
      return DT_FIFO;
    case FT_SOCK:
      return DT_SOCK;
    case FT_SYMLINK:
      return DT_LNK;
    default:
      return DT_UNKNOWN;
  }
}

// @ts-ignore: decorator
@inline
function add(em: Ext4Mount, rd: Readdir, at: usize, next: u64): bool {
  return readdirAdd(rd, load<u32>(at + DE_INODE), dtype(em, at), at + DE_NAME, load<u8>(at + DE_NAME_LEN), next + READDIR_FIRST);
}

/** Is the entry one to list: in use, of a possible inode, no dots? */
// @ts-ignore: decorator
@inline
function shown(em: Ext4Mount, at: usize): bool {
  return inoInRange(em, load<u32>(at + DE_INODE)) && load<u8>(at + DE_NAME_LEN) != 0 && !entryIsDots(at);
}

export function ext4Readdir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  const em = emOf(fm.fm_mount);
  const dp = dirop(0);
  namesShared(em);
  let e = dots(em, vp, rd, dp);
  if (e == 0) {
    if (dirIsInline(vp)) e = listInline(em, vp, rd, dp);
    else if (dirIsIndexed(em, vp) || (hasCompat(em, COMPAT_DIR_INDEX) && dirBlocks(em, vp) == 1)) e = listByHash(em, vp, rd, dp);
    else e = listByPlace(em, vp, rd, dp);
  }
  diropDone(dp);
  namesRelease(em);
  return e < 0 ? e : 0;
}

/** "." and "..": 0, 1 (full), or an errno. */
function dots(em: Ext4Mount, vp: Vnode, rd: Readdir, dp: Dirop): i32 {
  if (rd.rd_cookie >= READDIR_FIRST) return 0;
  const e = dirDotDot(em, vp, dp);
  if (e != 0) return e;
  const up = dp.dp_ino;
  diropDone(dp);
  return readdirDots(rd, eiOf(vp).ei_ino, up) ? 0 : 1;
}

function listByPlace(em: Ext4Mount, vp: Vnode, rd: Readdir, dp: Dirop): i32 {
  const n = dirBlocks(em, vp);
  let off = rd.rd_cookie - READDIR_FIRST;
  while (off >> em.em_bshift < <u64>n) {
    const lblk = <u32>(off >> em.em_bshift);
    const start = <u64>lblk << em.em_bshift;
    const e = dirLeaf(em, vp, lblk, dp);
    if (e != 0) return e;
    const b = <usize>dp.dp_buf;
    const r = dirSkips(em, vp, lblk, b) ? 0 : listEntries(em, vp, rd, b, leafEnd(em, b), start, off);
    diropDone(dp);
    if (r != 0) return r;
    off = start + em.em_bsize;
    rd.rd_cookie = off + READDIR_FIRST;
  }
  return 0;
}

/** Those of [b, end) that begin at `off` or behind, `start` being b's place: 0, 1 (full), or an errno. */
function listEntries(em: Ext4Mount, vp: Vnode, rd: Readdir, b: usize, end: usize, start: u64, off: u64): i32 {
  for (let at = b; at < end; ) {
    const next = entryEnd(at, end);
    if (next == 0) return dirBad(em, vp, 'directory: entry', start >> em.em_bshift);
    if (start + (at - b) >= off && shown(em, at) && !add(em, rd, at, start + (next - b))) return 1;
    at = next;
  }
  return 0;
}

function listInline(em: Ext4Mount, vp: Vnode, rd: Readdir, dp: Dirop): i32 {
  const copy = keysAlloc();
  if (copy == 0) return -ENOMEM;
  const n = inlineDirCopy(em, vp, copy, dp);
  const e = n < 0 ? n : listEntries(em, vp, rd, copy, copy + n, 0, rd.rd_cookie - READDIR_FIRST);
  keysFree(copy);
  return e;
}

function listByHash(em: Ext4Mount, vp: Vnode, rd: Readdir, dp: Dirop): i32 {
  if (rd.rd_cookie - READDIR_FIRST >= KEY_END) return 0;
  const keys = keysAlloc();
  if (keys == 0) return -ENOMEM;
  const e = dirIsIndexed(em, vp) ? listTree(em, vp, rd, keys, dp) : listSingle(em, vp, rd, keys, dp);
  keysFree(keys);
  if (e == 0) rd.rd_cookie = KEY_END + READDIR_FIRST;
  return e;
}

/** A directory of one block, in the order it will have once it is indexed. */
function listSingle(em: Ext4Mount, vp: Vnode, rd: Readdir, keys: usize, dp: Dirop): i32 {
  dp.dp_version = em.em_hashver;
  const e = dirLeaf(em, vp, 0, dp);
  if (e != 0) return e;
  return listLeaf(em, vp, rd, keys, rd.rd_cookie - READDIR_FIRST, NO_MAJOR, NO_MAJOR, dp);
}

/** The names of the leaf in dp_buf from a key on, by hash; `before` and `behind` are hashes that its
 *  neighbours share. 0, 1 (full), or an errno. */
function listLeaf(em: Ext4Mount, vp: Vnode, rd: Readdir, keys: usize, least: u64, before: u32, behind: u32, dp: Dirop): i32 {
  const b = <usize>dp.dp_buf;
  const n = leafKeys(em, b, leafEnd(em, b), least, keys, dp);
  if (n < 0) return dirBad(em, vp, 'directory: entry', dp.dp_lblk);
  for (let i: i32 = 0; i < n; i++) {
    const r = load<u64>(keys + ((<usize>i) << 3));
    const at = b + recordOffset(r);
    if (!shown(em, at)) continue;
    // names with one key are listed together, or the first of them again
    const key = recordKey(r);
    const same = i + 1 < n && recordKey(load<u64>(keys + ((<usize>i) << 3), 8)) == key;
    const major = keyMajor(key);
    const next = major == before || major == behind ? hashKey(major, 0) : same ? key : key + 1;
    if (!add(em, rd, at, next)) return 1;
  }
  return 0;
}

/**
 * Leaf by leaf. Names of one hash may lie in two leaves, in no order between them: behind each of
 * those a listing goes on with the first of that hash, so that none is lost.
 */
function listTree(em: Ext4Mount, vp: Vnode, rd: Readdir, keys: usize, dp: Dirop): i32 {
  const least = rd.rd_cookie - READDIR_FIRST;
  let e = htreeRoot(em, vp, dp);
  if (e == 0) e = htreeProbe(em, vp, keyMajor(least), dp);
  let before = NO_MAJOR;
  for (let left = dirBlocks(em, vp); e == 0; left--) {
    // more leaves than blocks: some are named twice
    if (left == 0) return dirBad(em, vp, 'directory index: leaf', 0);
    e = dirLeaf(em, vp, htreeLeaf(dp), dp);
    if (e != 0) return e;
    const more = htreeNext(em, vp, dp);
    if (more < 0) return more;
    const behind = more != 0 && dp.dp_at & 1 ? dp.dp_at & ~1 : NO_MAJOR;
    e = listLeaf(em, vp, rd, keys, least, before, behind, dp);
    ext4Brelse(<usize>dp.dp_buf);
    dp.dp_buf = 0;
    if (more == 0) return e;
    before = behind;
  }
  return e;
}
