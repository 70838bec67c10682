/** tmpfs: the operations. Data lives in the fscache (the default read, write, seek); see node.ts. */
import { EINVAL, EISDIR, EMLINK, ENODEV, ENOENT, ENOMEM, ENOSPC, ENOTDIR, ENOTEMPTY } from '../../abi/errno';
import {
  DT_SHIFT,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  LINK_MAX,
  RENAME_EXCHANGE,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../abi/flags';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { add32, ld32, lockExclusiveSame, RANK_VNODE } from '../../kern/lock';
import { wordsCopy } from '../../kern/words';
import { Ucred } from '../../proc/cred';
import { ALLOC_NOIO, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, VmPage } from '../../vm/page';
import { KMALLOC_MAX, kmalloc } from '../../vm/zone';
import {
  attrBegin,
  attrEnd,
  FC_ATTRVALID,
  Fscache,
  fscacheAddPage,
  fscacheDropRange,
  fscachePage,
  fscachePunch,
  fscacheSetSize,
  fscacheTouch,
  fscacheTouchCtime,
  fscacheZero,
  GP_HOLE,
  GP_WRITE,
} from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { cacheSetVp, Namecache } from '../../vfs/namecache';
import { Readdir, readdirAdd, readdirDots, READDIR_FIRST } from '../../vfs/readdir';
import { RANGE_END, rangeExclusive, rangeRelease } from '../../vfs/rangelock';
import { VA_CTIME, VA_SIZE, Vattr, vattrChange, vattrStamp } from '../../vfs/vattr';
import {
  VN_LINKABLE,
  VN_NOCACHE,
  Vnode,
  vnodeAlloc,
  vnodeLock,
  vnodePut,
  vnodeRef,
  vnodeTryRef,
  vnodeUnlock,
} from '../../vfs/vnode';
import {
  setVopAllocate,
  setVopGetpages,
  setVopGetxattr,
  setVopListxattr,
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
  setVopReaddir,
  setVopReadlink,
  setVopReclaim,
  setVopRemovexattr,
  setVopSetattr,
  setVopSetxattr,
} from '../../vfs/vop';
import {
  direntAdd,
  direntAt,
  direntFind,
  direntName,
  direntRemove,
  nodeOf,
  TmpDirent,
  TmpMount,
  TmpNode,
  tmOf,
  tmpLinkFree,
  tmpNodeAlloc,
  tmpNodeAttach,
  tmpNodeDetach,
  tmpNodeFree,
  tmUsed,
} from './node';
import { tmpGetxattr, tmpListxattr, tmpRemovexattr, tmpSetxattr, tmpXattrDropAll } from './xattr';

/** Which of a mount's three vectors serves a type. */
function fmFor(tm: TmpMount, type: u32): Fsmanage {
  if (type == S_IFIFO) return tm.tm_mount.mnt_fifo;
  if (type == S_IFCHR || type == S_IFBLK) return tm.tm_mount.mnt_spec;
  return tm.tm_mount.mnt_norm;
}

/** The node's vnode, referenced, made if need be; null: no memory. */
export function tmpVget(tm: TmpMount, node: TmpNode): Vnode {
  let have = tmpVnodeOf(tm, node);
  if (changetype<usize>(have) != 0) return have;
  const type = node.tn_attr.va_mode & S_IFMT;
  const vp = vnodeAlloc(fmFor(tm, type), type, 0);
  if (changetype<usize>(vp) == 0) return vp;
  vp.v_fc.fc_flags |= FC_ATTRVALID;
  while (!tmpNodeAttach(tm, node, vp)) {
    // another CPU made one first
    have = tmpVnodeOf(tm, node);
    if (changetype<usize>(have) == 0) continue;
    vp.v_flag |= VN_NOCACHE;
    vnodePut(vp);
    return have;
  }
  return vp;
}

/** The vnode that a node has, referenced; null: it has none, or none any more. */
function tmpVnodeOf(tm: TmpMount, node: TmpNode): Vnode {
  const none = changetype<Vnode>(<usize>0);
  if (!SMP) {
    if (node.tn_vnode != 0) vnodeRef(changetype<Vnode>(<usize>node.tn_vnode));
    return changetype<Vnode>(<usize>node.tn_vnode);
  }
  while (true) {
    const vp = changetype<Vnode>(<usize>ld32(changetype<usize>(node) + offsetof<TmpNode>('tn_vnode')));
    if (changetype<usize>(vp) == 0) return none;
    // one that is being reclaimed leaves its node before long
    if (!vnodeTryRef(vp)) continue;
    if (ld32(changetype<usize>(node) + offsetof<TmpNode>('tn_vnode')) == <u32>changetype<usize>(vp)) return vp;
    vnodePut(vp);
  }
}

// @ts-ignore: decorator
@inline
function dirVnode(ncp: Namecache): Vnode {
  return ncp.parent.vp;
}

function tmpNresolve(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  const tm = tmOf(fm.fm_mount);
  const de = direntFind(tm, nodeOf(dirVnode(ncp)), <usize>ncp.nc_namep, ncp.nc_namelen);
  if (changetype<usize>(de) == 0) {
    cacheSetVp(ncp, changetype<Vnode>(<usize>0));
    return -ENOENT;
  }
  const vp = tmpVget(tm, changetype<TmpNode>(<usize>de.de_node));
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  cacheSetVp(ncp, vp);
  vnodePut(vp);
  return 0;
}

function tmpNlookupdotdot(fm: Fsmanage, dvp: Vnode, vpp: usize, cred: Ucred): i32 {
  const parent = changetype<TmpNode>(<usize>nodeOf(dvp).tn_parent);
  if (changetype<usize>(parent) == 0) return -ENOENT;
  const vp = tmpVget(tmOf(fm.fm_mount), parent);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

/** A node and its vnode with the attributes of vap and `nlink` links; null: errno at errp. */
function makeNode(tm: TmpMount, vap: Vattr, nlink: u32, errp: usize): Vnode {
  const none = changetype<Vnode>(<usize>0);
  const node = tmpNodeAlloc(tm);
  if (changetype<usize>(node) == 0) {
    store<i32>(errp, -ENOSPC);
    return none;
  }
  const va = node.tn_attr;
  va.va_mode = vap.va_mode;
  va.va_uid = vap.va_uid;
  va.va_gid = vap.va_gid;
  va.va_rdev = vap.va_rdev;
  va.va_nlink = nlink;
  va.va_dev = tm.tm_mount.mnt_dev;
  vattrStamp(va);
  const vp = tmpVget(tm, node);
  if (changetype<usize>(vp) == 0) {
    va.va_nlink = 0;
    tmpNodeFree(tm, node);
    store<i32>(errp, -ENOMEM);
  }
  return vp;
}

/** Undo makeNode: the vnode's last put frees node and all. */
function unmakeNode(vp: Vnode): void {
  vp.v_fc.fc_attr.va_nlink = 0;
  vnodePut(vp);
}

/** The number of a vnode's links changes. */
function linksAdd(vp: Vnode, n: i32): void {
  attrBegin(vp.v_fc);
  vp.v_fc.fc_attr.va_nlink += n;
  attrEnd(vp.v_fc);
}

// ── names ────────────────────────────────────────────────────────────────────────────────────
//
// A directory's vnode is locked while a name in it comes or goes, and one that is removed or replaced, too: so its
// count of links, its size and its being empty hold. The directory before what it has; two directories of a rename by
// address. In `up` nothing can come between.

// @ts-ignore: decorator
@inline
function dirLock(dvp: Vnode): void {
  if (SMP) vnodeLock(dvp);
}

// @ts-ignore: decorator
@inline
function dirUnlock(dvp: Vnode): void {
  if (SMP) vnodeUnlock(dvp);
}

/** Lock the directory of a name to be made: 0, or -ENOENT: it has been removed. */
function dirBegin(dvp: Vnode): i32 {
  dirLock(dvp);
  if (!SMP || dvp.v_fc.fc_attr.va_nlink != 0) return 0;
  dirUnlock(dvp);
  return -ENOENT;
}

/** Make a node of any type under a locked negative name. */
function create(fm: Fsmanage, ncp: Namecache, vap: Vattr, vpp: usize, nlink: u32): i32 {
  const vp = makeNode(tmOf(fm.fm_mount), vap, nlink, vpp);
  return changetype<usize>(vp) == 0 ? load<i32>(vpp) : enter(fm, ncp, vp, vpp);
}

function createIn(fm: Fsmanage, ncp: Namecache, vap: Vattr, vpp: usize): i32 {
  const dvp = dirVnode(ncp);
  let e = dirBegin(dvp);
  if (e != 0) return e;
  e = create(fm, ncp, vap, vpp, 1);
  dirUnlock(dvp);
  return e;
}

/** Give a new node its name, or unmake it. */
function enter(fm: Fsmanage, ncp: Namecache, vp: Vnode, vpp: usize): i32 {
  const dvp = dirVnode(ncp);
  const e = direntAdd(tmOf(fm.fm_mount), nodeOf(dvp), <usize>ncp.nc_namep, ncp.nc_namelen, nodeOf(vp));
  if (e != 0) {
    unmakeNode(vp);
    return e;
  }
  fscacheTouch(dvp.v_fc);
  cacheSetVp(ncp, vp);
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

function tmpNcreate(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  return createIn(fm, ncp, vap, vpp);
}

function tmpNmknod(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  const type = vap.va_mode & S_IFMT;
  if (type != S_IFIFO && type != S_IFCHR && type != S_IFBLK && type != S_IFSOCK) return -EINVAL;
  return createIn(fm, ncp, vap, vpp);
}

function tmpNmkdir(fm: Fsmanage, ncp: Namecache, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  const dvp = dirVnode(ncp);
  if (dvp.v_fc.fc_attr.va_nlink >= LINK_MAX) return -EMLINK;
  let e = dirBegin(dvp);
  if (e != 0) return e;
  e = create(fm, ncp, vap, vpp, 2);
  if (e == 0) {
    const vp = changetype<Vnode>(<usize>load<u32>(vpp));
    nodeOf(vp).tn_parent = <u32>changetype<usize>(nodeOf(dvp));
    linksAdd(dvp, 1);
  }
  dirUnlock(dvp);
  return e;
}

function tmpNsymlink(fm: Fsmanage, ncp: Namecache, target: usize, len: u32, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  let text: usize = 0;
  if (len <= KMALLOC_MAX) text = kmalloc(len, ALLOC_NOIO);
  else {
    const pg: VmPage = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
    if (changetype<usize>(pg) != 0) text = pageAddr(pg);
  }
  if (text == 0) return -ENOSPC;
  memory.copy(text, target, len);
  const vp = makeNode(tmOf(fm.fm_mount), vap, 1, vpp);
  if (changetype<usize>(vp) == 0) {
    tmpLinkFree(text);
    return load<i32>(vpp);
  }
  const node = nodeOf(vp);
  node.tn_u0 = <u32>text;
  node.tn_u1 = len;
  vp.v_fc.fc_attr.va_size = len;
  const dvp = dirVnode(ncp);
  let e = dirBegin(dvp);
  if (e != 0) {
    unmakeNode(vp);
    return e;
  }
  e = enter(fm, ncp, vp, vpp);
  dirUnlock(dvp);
  return e;
}

function tmpNtmpfile(fm: Fsmanage, dvp: Vnode, vap: Vattr, cred: Ucred, vpp: usize): i32 {
  const vp = makeNode(tmOf(fm.fm_mount), vap, 0, vpp);
  if (changetype<usize>(vp) == 0) return load<i32>(vpp);
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}

function tmpNlink(fm: Fsmanage, ncp: Namecache, vp: Vnode, cred: Ucred): i32 {
  const va = vp.v_fc.fc_attr;
  if (va.va_nlink >= LINK_MAX) return -EMLINK;
  const dvp = dirVnode(ncp);
  let e = dirBegin(dvp);
  if (e != 0) return e;
  // counted before the name is there: another CPU may be removing the last
  if (SMP) {
    attrBegin(vp.v_fc);
    if (va.va_nlink == 0 && (vp.v_flag & VN_LINKABLE) == 0) e = -ENOENT;
    else va.va_nlink++;
    attrEnd(vp.v_fc);
  } else va.va_nlink++;
  if (e == 0) {
    e = direntAdd(tmOf(fm.fm_mount), nodeOf(dvp), <usize>ncp.nc_namep, ncp.nc_namelen, nodeOf(vp));
    if (e != 0) linksAdd(vp, -1);
  }
  if (e == 0) {
    fscacheTouchCtime(vp.v_fc);
    fscacheTouch(dvp.v_fc);
    cacheSetVp(ncp, vp);
  }
  dirUnlock(dvp);
  return e;
}

/** The directory entry of a locked positive name. It is there: names change only under the lock. */
function entryOf(tm: TmpMount, ncp: Namecache): TmpDirent {
  return direntFind(tm, nodeOf(dirVnode(ncp)), <usize>ncp.nc_namep, ncp.nc_namelen);
}

function tmpNremove(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  const tm = tmOf(fm.fm_mount);
  const vp = ncp.vp;
  if (vp.v_type == S_IFDIR) return -EISDIR;
  const dvp = dirVnode(ncp);
  dirLock(dvp);
  const de = entryOf(tm, ncp);
  if (changetype<usize>(de) != 0) {
    direntRemove(tm, de);
    linksAdd(vp, -1);
    fscacheTouchCtime(vp.v_fc);
    fscacheTouch(dvp.v_fc);
  }
  dirUnlock(dvp);
  return changetype<usize>(de) == 0 ? -ENOENT : 0;
}

function isEmpty(dir: TmpNode): bool {
  return dir.va.va_size == 0;
}

function tmpNrmdir(fm: Fsmanage, ncp: Namecache, cred: Ucred): i32 {
  const tm = tmOf(fm.fm_mount);
  const vp = ncp.vp;
  if (vp.v_type != S_IFDIR) return -ENOTDIR;
  const dvp = dirVnode(ncp);
  dirLock(dvp);
  if (SMP) lockExclusiveSame(vp.lk, RANK_VNODE);
  const e = rmdirLocked(tm, ncp, dvp, vp);
  dirUnlock(vp);
  dirUnlock(dvp);
  return e;
}

function rmdirLocked(tm: TmpMount, ncp: Namecache, dvp: Vnode, vp: Vnode): i32 {
  if (!isEmpty(nodeOf(vp))) return -ENOTEMPTY;
  const de = entryOf(tm, ncp);
  if (changetype<usize>(de) == 0) return -ENOENT;
  direntRemove(tm, de);
  dirGone(vp);
  linksAdd(dvp, -1);
  fscacheTouch(dvp.v_fc);
  return 0;
}

/** A directory lost its name. */
function dirGone(vp: Vnode): void {
  nodeOf(vp).tn_parent = 0;
  linksAdd(vp, -(<i32>vp.v_fc.fc_attr.va_nlink));
  fscacheTouchCtime(vp.v_fc);
}

function tmpNrename(fm: Fsmanage, fncp: Namecache, tncp: Namecache, flags: u32, cred: Ucred): i32 {
  if (flags & ~RENAME_EXCHANGE) return -EINVAL;
  const tm = tmOf(fm.fm_mount);
  if (!SMP) return renameLocked(tm, fncp, tncp, flags);
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  const tvp = tncp.vp;
  const first = changetype<usize>(fdvp) < changetype<usize>(tdvp) ? fdvp : tdvp;
  const second = changetype<usize>(fdvp) < changetype<usize>(tdvp) ? tdvp : fdvp;
  const two = changetype<usize>(first) != changetype<usize>(second);
  const third = changetype<usize>(tvp) != 0 && tvp.v_type == S_IFDIR && (flags & RENAME_EXCHANGE) == 0;
  vnodeLock(first);
  if (two) lockExclusiveSame(second.lk, RANK_VNODE);
  if (third) lockExclusiveSame(tvp.lk, RANK_VNODE);
  const e = tdvp.v_fc.fc_attr.va_nlink == 0 ? -ENOENT : renameLocked(tm, fncp, tncp, flags);
  if (third) vnodeUnlock(tvp);
  if (two) vnodeUnlock(second);
  vnodeUnlock(first);
  return e;
}

function renameLocked(tm: TmpMount, fncp: Namecache, tncp: Namecache, flags: u32): i32 {
  const fde = entryOf(tm, fncp);
  if (changetype<usize>(fde) == 0) return -ENOENT;
  if (flags & RENAME_EXCHANGE) return exchange(tm, fncp, tncp, fde);
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  const vp = fncp.vp;
  const tvp = tncp.vp;
  const node = nodeOf(vp);
  if (changetype<usize>(tvp) != 0) {
    if (tvp.v_type == S_IFDIR && !isEmpty(nodeOf(tvp))) return -ENOTEMPTY;
    const tde = entryOf(tm, tncp);
    if (changetype<usize>(tde) == 0) return -ENOENT;
    tde.de_node = <u32>changetype<usize>(node);
    if (tvp.v_type == S_IFDIR) {
      dirGone(tvp);
      linksAdd(tdvp, -1);
    } else {
      linksAdd(tvp, -1);
      fscacheTouchCtime(tvp.v_fc);
    }
  } else {
    const e = direntAdd(tm, nodeOf(tdvp), <usize>tncp.nc_namep, tncp.nc_namelen, node);
    if (e != 0) return e;
  }
  direntRemove(tm, fde);
  if (vp.v_type == S_IFDIR && changetype<usize>(fdvp) != changetype<usize>(tdvp)) moveDir(node, fdvp, tdvp);
  else if (vp.v_type == S_IFDIR) node.tn_parent = <u32>changetype<usize>(nodeOf(tdvp));
  fscacheTouchCtime(vp.v_fc);
  fscacheTouch(fdvp.v_fc);
  if (changetype<usize>(fdvp) != changetype<usize>(tdvp)) fscacheTouch(tdvp.v_fc);
  return 0;
}

/** A directory's ".." now names another parent. */
function moveDir(node: TmpNode, from: Vnode, to: Vnode): void {
  node.tn_parent = <u32>changetype<usize>(nodeOf(to));
  linksAdd(from, -1);
  linksAdd(to, 1);
}

function exchange(tm: TmpMount, fncp: Namecache, tncp: Namecache, fde: TmpDirent): i32 {
  const tde = entryOf(tm, tncp);
  if (changetype<usize>(tde) == 0) return -ENOENT;
  const fdvp = dirVnode(fncp);
  const tdvp = dirVnode(tncp);
  const swap = fde.de_node;
  fde.de_node = tde.de_node;
  tde.de_node = swap;
  if (changetype<usize>(fdvp) != changetype<usize>(tdvp)) {
    if (fncp.vp.v_type == S_IFDIR) moveDir(nodeOf(fncp.vp), fdvp, tdvp);
    if (tncp.vp.v_type == S_IFDIR) moveDir(nodeOf(tncp.vp), tdvp, fdvp);
    fscacheTouch(tdvp.v_fc);
  }
  fscacheTouch(fdvp.v_fc);
  fscacheTouchCtime(fncp.vp.v_fc);
  fscacheTouchCtime(tncp.vp.v_fc);
  return 0;
}

/** Attributes other than the size; then the size, under its lock. */
function tmpSetattr(fm: Fsmanage, vp: Vnode, vap: Vattr, cred: Ucred): i32 {
  const fc = vp.v_fc;
  const mask = vap.va_mask;
  if (mask & VA_SIZE) {
    if (vp.v_type == S_IFDIR) return -EISDIR;
    if (vp.v_type != S_IFREG) return -EINVAL;
    rangeExclusive(fc, 0, RANGE_END);
    countPages(fm, -(<i32>fscacheSetSize(fc, vap.va_size)));
    fscacheTouch(fc);
    rangeRelease(fc);
  }
  attrBegin(fc);
  vattrChange(fc.fc_attr, vap);
  attrEnd(fc);
  if (mask & VA_CTIME) fscacheTouchCtime(fc);
  return 0;
}

// @ts-ignore: decorator
@inline
function countPages(fm: Fsmanage, n: i32): void {
  add32(changetype<usize>(tmOf(fm.fm_mount)) + offsetof<TmpMount>('tm_pages'), n);
}

/** A miss: a hole, or a fresh page if it is to be written and the limit allows. */
function tmpGetpages(fm: Fsmanage, fc: Fscache, index: u32, count: u32, flags: u32): i32 {
  if ((flags & GP_WRITE) == 0) return GP_HOLE;
  const tm = tmOf(fm.fm_mount);
  if (tmUsed(tm) >= tm.tm_maxpages) return -ENOSPC;
  const e = fscacheAddPage(fc, index, flags);
  if (e != 0) return e == -ENOMEM ? -ENOSPC : e;
  countPages(fm, 1);
  return 0;
}

function tmpAllocate(fm: Fsmanage, vp: Vnode, mode: u32, off: i64, len: i64): i32 {
  if (vp.v_type != S_IFREG) return vp.v_type == S_IFDIR ? -EISDIR : -ENODEV;
  const fc = vp.v_fc;
  const end = <u64>off + <u64>len;
  rangeExclusive(fc, 0, RANGE_END);
  let e: i32 = 0;
  if (mode & FALLOC_FL_PUNCH_HOLE) countPages(fm, -(<i32>fscachePunch(fc, <u64>off, <u64>len)));
  else {
    if (mode & FALLOC_FL_ZERO_RANGE) fscacheZero(fc, <u64>off, <u64>len);
    e = preallocate(fm, fc, <u64>off, end);
    if (e == 0 && (mode & FALLOC_FL_KEEP_SIZE) == 0 && end > fc.fc_size) fscacheSetSize(fc, end);
  }
  if (e == 0) fscacheTouch(fc);
  rangeRelease(fc);
  return e;
}

/** Pages for the whole range, or none that were not there before. */
function preallocate(fm: Fsmanage, fc: Fscache, off: u64, end: u64): i32 {
  const first = <u32>(off >> PAGE_SHIFT);
  const last = (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
  const tm = tmOf(fm.fm_mount);
  if (last - first > tm.tm_maxpages) return -ENOSPC;
  for (let i = first; <u64>i < last; i++) {
    if (changetype<usize>(fscachePage(fc, i)) != 0) continue;
    const e = tmpGetpages(fm, fc, i, 1, GP_WRITE);
    if (e == 0) {
      fscachePage(fc, i).pg_private = 1;
      continue;
    }
    for (let j = first; j < i; j++) {
      const pg = fscachePage(fc, j);
      if (pg.pg_private == 1) countPages(fm, -(<i32>fscacheDropRange(fc, j, j + 1)));
    }
    return e;
  }
  for (let i = first; <u64>i < last; i++) fscachePage(fc, i).pg_private = 0;
  return 0;
}

function tmpReaddir(fm: Fsmanage, vp: Vnode, rd: Readdir): i32 {
  dirLock(vp);
  const e = readdirLocked(vp, rd);
  dirUnlock(vp);
  return e;
}

function readdirLocked(vp: Vnode, rd: Readdir): i32 {
  const dir = nodeOf(vp);
  const parent = changetype<TmpNode>(<usize>dir.tn_parent);
  const up = changetype<usize>(parent) == 0 ? dir.va.va_ino : parent.tn_attr.va_ino;
  if (!readdirDots(rd, dir.va.va_ino, up)) return 0;
  const n = dir.tn_slots.fa_len;
  for (let i = rd.rd_cookie - READDIR_FIRST; i < <u64>n; i++) {
    const de = direntAt(dir, <u32>i);
    if (changetype<usize>(de) == 0) {
      rd.rd_cookie = i + 1 + READDIR_FIRST;
      continue;
    }
    // number and type never change: the node's own attributes tell them, also while a vnode has the others
    const va = changetype<TmpNode>(<usize>de.de_node).tn_attr;
    if (!readdirAdd(rd, va.va_ino, va.va_mode >> DT_SHIFT, direntName(de), de.de_namelen, i + 1 + READDIR_FIRST)) return 0;
  }
  return 0;
}

function tmpReadlink(fm: Fsmanage, vp: Vnode, buf: usize, cap: u32): i32 {
  if (vp.v_type != S_IFLNK) return -EINVAL;
  const node = nodeOf(vp);
  const n = node.tn_u1 < cap ? node.tn_u1 : cap;
  memory.copy(buf, node.tn_u0, n);
  return <i32>n;
}

/** The vnode goes: the node keeps attributes and pages, or goes too if it has no links. */
function tmpReclaim(fm: Fsmanage, vp: Vnode): i32 {
  const node = nodeOf(vp);
  const tm = tmOf(fm.fm_mount);
  // one that came too late (tmpVget)
  if (changetype<usize>(node) == 0) return 0;
  if (vp.v_fc.fc_attr.va_nlink != 0) {
    tmpNodeDetach(tm, node, vp);
    return 0;
  }
  if (vp.v_type == S_IFREG) countPages(fm, -(<i32>fscacheDropRange(vp.v_fc, 0, u32.MAX_VALUE)));
  wordsCopy(changetype<usize>(node), changetype<usize>(vp.v_fc), offsetof<Vattr>());
  node.tn_vnode = 0;
  tmpXattrDropAll(tm, node);
  tmpNodeFree(tm, node);
  return 0;
}

export function tmpfsVector(fm: Fsmanage): void {
  setVopNresolve(fm, tmpNresolve);
  setVopNlookupdotdot(fm, tmpNlookupdotdot);
  setVopNcreate(fm, tmpNcreate);
  setVopNmkdir(fm, tmpNmkdir);
  setVopNmknod(fm, tmpNmknod);
  setVopNlink(fm, tmpNlink);
  setVopNsymlink(fm, tmpNsymlink);
  setVopNremove(fm, tmpNremove);
  setVopNrmdir(fm, tmpNrmdir);
  setVopNrename(fm, tmpNrename);
  setVopNtmpfile(fm, tmpNtmpfile);
  setVopSetattr(fm, tmpSetattr);
  setVopGetpages(fm, tmpGetpages);
  setVopAllocate(fm, tmpAllocate);
  setVopReaddir(fm, tmpReaddir);
  setVopReadlink(fm, tmpReadlink);
  setVopReclaim(fm, tmpReclaim);
  setVopGetxattr(fm, tmpGetxattr);
  setVopSetxattr(fm, tmpSetxattr);
  setVopListxattr(fm, tmpListxattr);
  setVopRemovexattr(fm, tmpRemovexattr);
}
