/**
 * devfs: the registered devices as nodes. It is a tmpfs that comes populated: nodes can be renamed,
 * removed, chmod'ed, and others made beside them; what the numbers mean is the device table's
 * business (dev/dev.ts), reached by the mount's third vector as from any file system.
 *
 * A mount shows a node for every device registered so far, and gets one for each that is
 * registered later; besides, the links that programs expect (fd, stdin, stdout, stderr), shm, a
 * directory for shared memory, which is a tmpfs's like the rest, and pts, for devpts.
 */
import { ENOSPC } from '../../abi/errno';
import { S_IFDIR, S_IFLNK } from '../../abi/flags';
import { roots } from '../../kern/boot';
import { litCopy, litLen, Text, textInit, textLit, textU64 } from '../../kern/text';
import { D_HIDDEN, Devnode, devSetHook, devSetNodeHook, Devsw } from '../../dev/dev';
import { curcred, Ucred } from '../../proc/cred';
import { Mount, MNTF_BIND, vfsRegister, VFCF_NODEV } from '../../vfs/mount';
import { cacheDrop, cacheForgetName, cacheGet, cacheLock, cacheUnlock, nameHash } from '../../vfs/namecache';
import { cacheHold } from '../../vfs/namefind';
import { cacheUnlink } from '../../vfs/nametree';
import { scratchPath, scratchText, scratchWord } from '../../vfs/scratch';
import { vattrStamp } from '../../vfs/vattr';
import { Vnode, vnodeClaim, vnodePut, vnodeReclaim } from '../../vfs/vnode';
import { vop_nremove } from '../../vfs/vop';
import { ALLOC_NOIO } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { direntAdd, direntFind, TmpMount, TmpNode, tmpNodeAlloc, tmpNodeFree, tmOf } from '../tmpfs/node';
import { tmpfsMountMode, tmpfsUnmount } from '../tmpfs/vfsops';

const DEVFS_MAGIC: u32 = 0x1373; // Linux's number for devfs
const NAME_CAP: u32 = 64;

/** A node under a name in the root; null: no room. It has `nlink` links and no vnode yet. */
function add(tm: TmpMount, name: usize, len: u32, mode: u32, nlink: u32): TmpNode {
  const node = tmpNodeAlloc(tm);
  if (changetype<usize>(node) == 0) return node;
  const va = node.tn_attr;
  va.va_mode = mode;
  va.va_nlink = nlink;
  va.va_dev = tm.tm_mount.mnt_dev;
  vattrStamp(va);
  if (direntAdd(tm, tm.tm_root, name, len, node) == 0) return node;
  va.va_nlink = 0;
  tmpNodeFree(tm, node);
  return changetype<TmpNode>(<usize>0);
}

/** The nodes of a device, one for each of its minors: 0 or -ENOSPC. Names in use are left alone. */
function addDevice(mp: Mount, d: Devsw): i32 {
  const tm = tmOf(mp);
  const t: Text = scratchText();
  if (d.d_flags & D_HIDDEN) return 0;
  for (let i: u32 = 0; i < d.d_nminor; i++) {
    textInit(t, scratchPath(0), NAME_CAP);
    textLit(t, changetype<string>(<usize>d.d_name));
    if (d.d_nminor > 1) textU64(t, i);
    if (changetype<usize>(direntFind(tm, tm.tm_root, t.t_buf, t.t_len)) != 0) continue;
    const node = add(tm, t.t_buf, t.t_len, d.d_type | d.d_mode, 1);
    if (changetype<usize>(node) == 0) return -ENOSPC;
    node.tn_attr.va_rdev = (d.d_major << 8) | (d.d_minor + i);
    // a walk may have asked for the name before there was one
    if (changetype<usize>(mp.mnt_root) != 0) cacheForgetName(mp.mnt_root, t.t_buf, t.t_len);
  }
  return 0;
}

/** A node of a device that is there: 0 or -ENOSPC. A name in use is left alone. */
function addNode(tm: TmpMount, dn: Devnode): i32 {
  if (changetype<usize>(direntFind(tm, tm.tm_root, dn.name, dn.dn_len)) != 0) return 0;
  const node = add(tm, dn.name, dn.dn_len, dn.dn_type | dn.dn_mode, 1);
  if (changetype<usize>(node) == 0) return -ENOSPC;
  node.tn_attr.va_rdev = dn.dn_rdev;
  return 0;
}

function addLink(tm: TmpMount, name: string, target: string): i32 {
  const buf = scratchPath(0);
  const text = kmalloc(litLen(target), ALLOC_NOIO);
  if (text == 0) return -ENOSPC;
  const len = litCopy(target, text);
  const node = add(tm, buf, litCopy(name, buf), S_IFLNK | 0o777, 1);
  if (changetype<usize>(node) == 0) {
    kfree(text);
    return -ENOSPC;
  }
  node.tn_u0 = <u32>text;
  node.tn_u1 = len;
  node.tn_attr.va_size = len;
  return 0;
}

function addDirectory(tm: TmpMount, name: string, mode: u32): i32 {
  const buf = scratchPath(0);
  const node = add(tm, buf, litCopy(name, buf), S_IFDIR | mode, 2);
  if (changetype<usize>(node) == 0) return -ENOSPC;
  node.tn_parent = <u32>changetype<usize>(tm.tm_root);
  tm.tm_root.va.va_nlink++;
  return 0;
}

function populate(mp: Mount): i32 {
  const tm = tmOf(mp);
  let e: i32 = 0;
  for (let p = roots().r_devsw; p != 0 && e == 0; p = changetype<Devsw>(<usize>p).d_next) {
    e = addDevice(mp, changetype<Devsw>(<usize>p));
  }
  for (let p = roots().r_devnodes; p != 0 && e == 0; p = changetype<Devnode>(<usize>p).dn_next) {
    e = addNode(tm, changetype<Devnode>(<usize>p));
  }
  if (e == 0) e = addLink(tm, 'fd', '/proc/self/fd');
  if (e == 0) e = addLink(tm, 'stdin', '/proc/self/fd/0');
  if (e == 0) e = addLink(tm, 'stdout', '/proc/self/fd/1');
  if (e == 0) e = addLink(tm, 'stderr', '/proc/self/fd/2');
  if (e == 0) e = addDirectory(tm, 'shm', 0o1777);
  if (e == 0) e = addDirectory(tm, 'pts', 0o755);
  return e;
}

function devfsMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  let e = tmpfsMountMode(mp, opts, optslen, 0o755, cred);
  if (e != 0) return e;
  e = populate(mp);
  if (e == 0) return 0;
  vnodePut(mp.mnt_rootvp);
  if (vnodeClaim(mp.mnt_rootvp)) vnodeReclaim(mp.mnt_rootvp);
  tmpfsUnmount(mp);
  return e;
}

/** A device appeared: its node goes into every devfs there is, as far as there is room. */
function registered(d: Devsw): void {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    const mp = changetype<Mount>(<usize>p);
    if (mp.mnt_conf == roots().r_devfsconf) addDevice(mp, d);
  }
}

/** The node comes, unless something has its name, or goes, if it is still the device's. */
function nodeChanged(mp: Mount, dn: Devnode, present: u32): void {
  const tm = tmOf(mp);
  if (present) {
    if (addNode(tm, dn) == 0) cacheForgetName(mp.mnt_root, dn.name, dn.dn_len);
    return;
  }
  const ncp = cacheGet(mp.mnt_root, dn.name, dn.dn_len, nameHash(dn.name, dn.dn_len));
  if (changetype<usize>(ncp) == 0) return;
  cacheLock(ncp);
  if (cacheHold(ncp, curcred(), scratchWord(9)) == 0) {
    const vp = changetype<Vnode>(<usize>load<u32>(scratchWord(9)));
    const same = changetype<usize>(vp) != 0 && vp.v_type == dn.dn_type && vp.v_fc.fc_attr.va_rdev == dn.dn_rdev;
    if (same && vop_nremove(ncp.nc_fm, ncp, curcred()) == 0) cacheUnlink(ncp);
    if (changetype<usize>(vp) != 0) vnodePut(vp);
  }
  cacheUnlock(ncp);
  cacheDrop(ncp);
}

function nodeHook(dn: Devnode, present: u32): void {
  for (let p = roots().r_mounts; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    const mp = changetype<Mount>(<usize>p);
    if (mp.mnt_conf == roots().r_devfsconf && (mp.mnt_flag & MNTF_BIND) == 0) nodeChanged(mp, dn, present);
  }
}

export function devfsInit(): void {
  roots().r_devfsconf = <u32>changetype<usize>(vfsRegister('devfs', devfsMount, VFCF_NODEV, DEVFS_MAGIC));
  devSetHook(registered);
  devSetNodeHook(nodeHook);
}
