/**
 * ext4: rename. The order inside the handle is: the new name first (over an old one: in its place), then
 * the old name goes. One transaction has both. What can fail is tried before the first change; what fails
 * between the changes all the same ends the journal, so that no half of a rename is committed.
 *
 * Caller holds em_names exclusive. Callers have checked that no directory moves into itself.
 */
import { EMLINK, ENOENT, ENOTEMPTY, EXDEV } from '../../abi/errno';
import { S_IFDIR, S_IFREG } from '../../abi/flags';
import { EXT4_PROJINHERIT_FL, FT_DIR } from '../../abi/ext4';
import { fscacheTouch, fscacheTouchCtime } from '../../vfs/fscache';
import { Namecache } from '../../vfs/namecache';
import { Vnode } from '../../vfs/vnode';
import { ext4FlushNow } from './da';
import { dirAdd, dirDotDot, dirIsEmpty, dirRemove, dirSet } from './dir';
import { dirop, diropDone } from './dirop';
import { ext4Half } from './error';
import { ext4InodeReady, ext4InodeStore } from './inode';
import { dirVnode, entryFor, fileType, linkAdd, linkDrop, linkRoom, mayAdd, mayTake } from './names';
import { CREDITS_DIRADD, CREDITS_DIRDEL, CREDITS_INODE, CREDITS_ORPHAN, ext4Begin, ext4End } from './txn';
import { Ext4Mount, eiOf } from './types';

const CREDITS_RENAME: u32 = CREDITS_DIRADD + 3 * CREDITS_DIRDEL + 4 * CREDITS_INODE + CREDITS_ORPHAN;

// @ts-ignore: decorator
@inline
function same(a: Vnode, b: Vnode): bool {
  return changetype<usize>(a) == changetype<usize>(b);
}

/** What can be refused before anything changes: 0 or an errno. */
function check(em: Ext4Mount, fncp: Namecache, tncp: Namecache, exchange: bool): i32 {
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  const vp = fncp.vp;
  const tvp = tncp.vp;
  let e = mayTake(fdvp, vp);
  if (e == 0) e = changetype<usize>(tvp) == 0 ? mayAdd(tdvp) : mayTake(tdvp, tvp);
  if (e != 0) return e;
  if (tdvp.v_fc.fc_attr.va_nlink == 0) return -ENOENT;
  // a tree whose files all belong to one project takes no others
  if (eiOf(tdvp).ei_flags & EXT4_PROJINHERIT_FL && eiOf(tdvp).ei_projid != eiOf(vp).ei_projid) return -EXDEV;
  if (same(fdvp, tdvp)) return 0;
  const in_ = vp.v_type == S_IFDIR ? 1 : 0;
  const out = changetype<usize>(tvp) != 0 && tvp.v_type == S_IFDIR ? 1 : 0;
  if (in_ > out && !linkRoom(em, tdvp)) return -EMLINK;
  if (exchange && out > in_ && !linkRoom(em, fdvp)) return -EMLINK;
  return 0;
}

/** "moved" is below another directory now: its "..", and both link counts. Inside the handle. */
function reparent(em: Ext4Mount, moved: Vnode, from: Vnode, to: Vnode): i32 {
  if (moved.v_type != S_IFDIR || same(from, to)) return 0;
  const dp = dirop(1);
  let e = dirDotDot(em, moved, dp);
  if (e == 0) e = dirSet(em, moved, dp, eiOf(to).ei_ino, FT_DIR);
  diropDone(dp);
  if (e != 0) return e;
  linkAdd(em, from, -1);
  linkAdd(em, to, 1);
  return 0;
}

/** Store the inodes that a rename changed, each once. */
function storeAll(em: Ext4Mount, a: Vnode, b: Vnode, fdvp: Vnode, tdvp: Vnode): i32 {
  let e = ext4InodeStore(em, a);
  if (e == 0 && changetype<usize>(b) != 0) e = ext4InodeStore(em, b);
  if (e == 0) e = ext4InodeStore(em, fdvp);
  return e == 0 && !same(fdvp, tdvp) ? ext4InodeStore(em, tdvp) : e;
}

/** All that a rename will read and store is there: 0 or an errno, nothing changed. Inside the handle. */
function ready(em: Ext4Mount, fncp: Namecache, tncp: Namecache, exchange: bool): i32 {
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  let e = ext4InodeReady(em, fdvp);
  if (e == 0) e = ext4InodeReady(em, tdvp);
  for (let i = 0; i < 2 && e == 0; i++) {
    const vp = i == 0 ? fncp.vp : tncp.vp;
    if (changetype<usize>(vp) == 0) continue;
    e = ext4InodeReady(em, vp);
    // its ".." will change; that of one that is replaced will not
    const moves = i == 0 || exchange;
    if (e != 0 || !moves || vp.v_type != S_IFDIR || same(fdvp, tdvp)) continue;
    const dp = dirop(1);
    e = dirDotDot(em, vp, dp);
    diropDone(dp);
  }
  return e;
}

/** The name at tncp names fncp's file: in place of another, or anew. */
function putName(em: Ext4Mount, fncp: Namecache, tncp: Namecache): i32 {
  const dp = dirop(0);
  const vp = fncp.vp;
  const ft = fileType(vp.v_type);
  let e: i32 = 0;
  if (tncp.nc_vp == 0) e = dirAdd(em, dirVnode(tncp), <usize>tncp.nc_namep, tncp.nc_namelen, eiOf(vp).ei_ino, ft, dp);
  else {
    e = entryFor(em, tncp, dp);
    if (e == 0) e = dirSet(em, dirVnode(tncp), dp, eiOf(vp).ei_ino, ft);
  }
  diropDone(dp);
  return e;
}

/** Inside the handle. */
function move(em: Ext4Mount, fncp: Namecache, tncp: Namecache): i32 {
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  const vp = fncp.vp;
  const tvp = tncp.vp;
  const dp = dirop(0);
  // the old name is there, before the new one is made; where it is may change with that
  let e = entryFor(em, fncp, dp);
  diropDone(dp);
  if (e == 0) e = putName(em, fncp, tncp);
  if (e != 0) return e;
  e = entryFor(em, fncp, dp);
  if (e == 0) e = dirRemove(em, fdvp, dp);
  diropDone(dp);
  if (e == 0) e = reparent(em, vp, fdvp, tdvp);
  if (e != 0) return ext4Half(em, e);
  if (changetype<usize>(tvp) != 0) {
    if (tvp.v_type == S_IFDIR) linkAdd(em, tdvp, -1);
    e = linkDrop(em, tvp);
  }
  fscacheTouchCtime(vp.v_fc);
  fscacheTouch(fdvp.v_fc);
  fscacheTouch(tdvp.v_fc);
  const f = storeAll(em, vp, tvp, fdvp, tdvp);
  return e != 0 ? e : f;
}

function swap(em: Ext4Mount, fncp: Namecache, tncp: Namecache): i32 {
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  const a = fncp.vp;
  const b = tncp.vp;
  const fdp = dirop(0);
  const tdp = dirop(1);
  let e = entryFor(em, fncp, fdp);
  if (e == 0) e = entryFor(em, tncp, tdp);
  if (e == 0) e = dirSet(em, fdvp, fdp, eiOf(b).ei_ino, fileType(b.v_type));
  const begun = e == 0;
  if (begun) e = dirSet(em, tdvp, tdp, eiOf(a).ei_ino, fileType(a.v_type));
  diropDone(fdp);
  diropDone(tdp);
  if (e == 0) e = reparent(em, a, fdvp, tdvp);
  if (e == 0) e = reparent(em, b, tdvp, fdvp);
  if (e != 0) return begun ? ext4Half(em, e) : e;
  fscacheTouchCtime(a.v_fc);
  fscacheTouchCtime(b.v_fc);
  fscacheTouch(fdvp.v_fc);
  fscacheTouch(tdvp.v_fc);
  return storeAll(em, a, b, fdvp, tdvp);
}

export function ext4Rename(em: Ext4Mount, fncp: Namecache, tncp: Namecache, exchange: bool): i32 {
  let e = check(em, fncp, tncp, exchange);
  if (e != 0) return e;
  const tvp = tncp.vp;
  const over = changetype<usize>(tvp) != 0 && !exchange;
  if (over && tvp.v_type == S_IFDIR) {
    const dp = dirop(0);
    const empty = dirIsEmpty(em, tvp, dp);
    diropDone(dp);
    if (empty <= 0) return empty == 0 ? -ENOTEMPTY : empty;
  }
  // a file renamed over another: its data is on the disk when the rename is
  if (over && fncp.vp.v_type == S_IFREG) ext4FlushNow(em, fncp.vp);
  e = ext4Begin(em, CREDITS_RENAME);
  if (e != 0) return e;
  e = ready(em, fncp, tncp, exchange);
  if (e == 0) e = exchange ? swap(em, fncp, tncp) : move(em, fncp, tncp);
  ext4End(em);
  return e;
}
