/** tmpfs: mount options, mounting, unmounting, statfs, file handles. */
import { EINVAL, ENOMEM, ESTALE } from '../../abi/errno';
import { S_IFDIR, S_IFMT } from '../../abi/flags';
import { PAGE_SHIFT, PAGE_SIZE } from '../../abi/layout';
import { bb, roots } from '../../kern/boot';
import { Ucred } from '../../proc/cred';
import { frameArrayFree } from '../../vm/array';
import { ALLOC_NOIO, ALLOC_ZERO } from '../../vm/page';
import { kfree, kmalloc } from '../../vm/zone';
import { fscacheSetup } from '../../vfs/fscache';
import {
  Mount,
  mountCopyVectors,
  Statfs,
  vfsRegister,
  vfsSetRemount,
  vfsSetStatfs,
  vfsSetUnmount,
  vfsSetVget,
  VFCF_NODEV,
} from '../../vfs/mount';
import { optNext, optNumber, optSize, Opt } from '../../vfs/opts';
import { fifofsVector } from '../fifofs/vnops';
import { specfsVector } from '../specfs/vnops';
import {
  direntDropAll,
  tmOf,
  TmpMount,
  TMPMOUNT_SIZE,
  TmpNode,
  tmpNodeAlloc,
  tmpNodeByIno,
  tmpNodeDropPages,
  tmpNodeFree,
  tmpNodeInit,
  tmpNodeNext,
  tmUsed,
} from './node';
import { tmpVget, tmpfsVector } from './vnops';
import { tmpXattrDropAll } from './xattr';
import { litEquals } from '../../kern/text';
import { vattrStamp } from '../../vfs/vattr';

const TMPFS_MAGIC: u32 = 0x01021994;
const UNLIMITED: u32 = 0xffffffff;

/** What options said, in the CPU's stack-like words: fields of a kmalloc'ed record. */
@unmanaged
class TmpArgs {
  ta_maxpages: u32;
  ta_maxnodes: u32;
  ta_mode: u32;
  ta_uid: u32;
  ta_gid: u32;
  ta_set: u32; // 1: size, 2: nr_inodes
}

export function tmpfsInit(): void {
  tmpNodeInit();
  vfsRegister('tmpfs', tmpfsMount, VFCF_NODEV, TMPFS_MAGIC);
}

/** size= (bytes, k, m, g, or % of RAM), nr_inodes=, mode= (octal), uid=, gid=: 0 or -EINVAL. */
function parse(a: TmpArgs, opts: usize, len: u32): i32 {
  const o = changetype<Opt>(kmalloc(offsetof<Opt>(), ALLOC_NOIO));
  if (changetype<usize>(o) == 0) return -ENOMEM;
  o.o_rest = <u32>opts;
  o.o_restlen = len;
  let e: i32 = 0;
  while (e == 0 && optNext(o)) e = parseOne(a, o);
  kfree(changetype<usize>(o));
  return e;
}

function parseOne(a: TmpArgs, o: Opt): i32 {
  if (litEquals('size', o.o_name, o.o_namelen)) {
    const bytes = optSize(o, (<u64>bb().bb_frames_total) << PAGE_SHIFT);
    if (bytes < 0) return -EINVAL;
    const pages = (<u64>bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
    a.ta_maxpages = bytes == 0 || pages > UNLIMITED ? UNLIMITED : <u32>pages;
    a.ta_set |= 1;
    return 0;
  }
  if (litEquals('nr_inodes', o.o_name, o.o_namelen)) {
    const n = optSize(o, 0);
    if (n < 0) return -EINVAL;
    a.ta_maxnodes = n == 0 || n > <i64>UNLIMITED ? UNLIMITED : <u32>n;
    a.ta_set |= 2;
    return 0;
  }
  const octal = litEquals('mode', o.o_name, o.o_namelen);
  const v = optNumber(o, octal ? 8 : 10);
  if (v < 0 || v > <i64>UNLIMITED) return -EINVAL;
  if (octal) a.ta_mode = <u32>v & 0o7777;
  else if (litEquals('uid', o.o_name, o.o_namelen)) a.ta_uid = <u32>v;
  else if (litEquals('gid', o.o_name, o.o_namelen)) a.ta_gid = <u32>v;
  else return -EINVAL;
  return 0;
}

function tmpfsMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  return tmpfsMountMode(mp, opts, optslen, 0o1777, cred);
}

/** Set mp up as a tmpfs whose root has this mode unless the options give another. */
export function tmpfsMountMode(mp: Mount, opts: usize, optslen: u32, mode: u32, cred: Ucred): i32 {
  const a = changetype<TmpArgs>(kmalloc(offsetof<TmpArgs>(), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(a) == 0) return -ENOMEM;
  a.ta_maxpages = UNLIMITED;
  a.ta_maxnodes = UNLIMITED;
  a.ta_mode = mode;
  a.ta_uid = cred.cr_uid;
  a.ta_gid = cred.cr_gid;
  let e = parse(a, opts, optslen);
  if (e == 0) e = setup(mp, a);
  kfree(changetype<usize>(a));
  return e;
}

function setup(mp: Mount, a: TmpArgs): i32 {
  const tm = changetype<TmpMount>(kmalloc(TMPMOUNT_SIZE, ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(tm) == 0) return -ENOMEM;
  tm.tm_mount = mp;
  tm.tm_maxpages = a.ta_maxpages;
  tm.tm_maxnodes = a.ta_maxnodes;
  mp.mnt_data = <u32>changetype<usize>(tm);
  tmpfsVector(mp.mnt_norm);
  mountCopyVectors(mp);
  fifofsVector(mp.mnt_fifo);
  specfsVector(mp.mnt_spec);
  vfsSetUnmount(mp, tmpfsUnmount);
  vfsSetStatfs(mp, tmpfsStatfs);
  vfsSetVget(mp, tmpfsVgetByIno);
  vfsSetRemount(mp, tmpfsRemount);
  const root = tmpNodeAlloc(tm);
  if (changetype<usize>(root) == 0) {
    kfree(changetype<usize>(tm));
    return -ENOMEM;
  }
  const va = root.tn_attr;
  va.va_mode = S_IFDIR | a.ta_mode;
  va.va_uid = a.ta_uid;
  va.va_gid = a.ta_gid;
  va.va_nlink = 2;
  va.va_dev = mp.mnt_dev;
  vattrStamp(va);
  root.tn_parent = <u32>changetype<usize>(root);
  tm.tm_root = root;
  const vp = tmpVget(tm, root);
  if (changetype<usize>(vp) == 0) {
    tmpfsUnmount(mp);
    return -ENOMEM;
  }
  mp.mnt_rootvp = vp;
  return 0;
}

/** Free everything: no vnode is left. */
export function tmpfsUnmount(mp: Mount): void {
  const tm = tmOf(mp);
  const fc = tm.tm_passing;
  fscacheSetup(fc, mp.mnt_norm, 0);
  while (tm.tm_nodes != 0) {
    const node = tmpNodeNext(tm, 0);
    if ((node.tn_attr.va_mode & S_IFMT) == S_IFDIR) direntDropAll(node);
    tmpXattrDropAll(tm, node);
    tmpNodeDropPages(tm, node, fc);
    tmpNodeFree(tm, node);
  }
  frameArrayFree(tm.tm_hash);
  kfree(changetype<usize>(tm));
  mp.mnt_data = 0;
}

/** Free blocks are what RAM still gives, if that is less than the limit leaves. */
function tmpfsStatfs(mp: Mount, sf: Statfs): i32 {
  const tm = tmOf(mp);
  const ram = bb().bb_frames_free > roots().r_reserve ? bb().bb_frames_free - roots().r_reserve : 0;
  sf.sf_bsize = PAGE_SIZE;
  sf.sf_namelen = 255;
  if (tm.tm_maxpages == UNLIMITED) {
    sf.sf_blocks = <u64>tmUsed(tm) + ram;
    sf.sf_bfree = ram;
  } else {
    sf.sf_blocks = tm.tm_maxpages;
    const used = tmUsed(tm);
    const left: u32 = tm.tm_maxpages > used ? tm.tm_maxpages - used : 0;
    sf.sf_bfree = left < ram ? left : ram;
  }
  sf.sf_bavail = sf.sf_bfree;
  // an inode and its name take about a twelfth of a frame
  const room = <u64>ram * 12;
  if (tm.tm_maxnodes == UNLIMITED) {
    sf.sf_files = <u64>tm.tm_nodes + room;
    sf.sf_ffree = room;
  } else {
    sf.sf_files = tm.tm_maxnodes;
    sf.sf_ffree = tm.tm_maxnodes - tm.tm_nodes;
  }
  return 0;
}

function tmpfsRemount(mp: Mount, opts: usize, optslen: u32): i32 {
  const tm = tmOf(mp);
  const a = changetype<TmpArgs>(kmalloc(offsetof<TmpArgs>(), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(a) == 0) return -ENOMEM;
  let e = parse(a, opts, optslen);
  // a limit below what is in use is refused, as on Linux
  if (e == 0 && a.ta_set & 1 && a.ta_maxpages < tmUsed(tm)) e = -EINVAL;
  if (e == 0 && a.ta_set & 2 && a.ta_maxnodes < tm.tm_nodes) e = -EINVAL;
  if (e == 0) {
    if (a.ta_set & 1) tm.tm_maxpages = a.ta_maxpages;
    if (a.ta_set & 2) tm.tm_maxnodes = a.ta_maxnodes;
  }
  kfree(changetype<usize>(a));
  return e;
}

function tmpfsVgetByIno(mp: Mount, ino: u64, gen: u32, vpp: usize): i32 {
  const tm = tmOf(mp);
  const node: TmpNode = tmpNodeByIno(tm, ino);
  if (changetype<usize>(node) == 0 || (gen != 0 && node.va.va_gen != gen) || node.va.va_nlink == 0)
    return -ESTALE;
  const vp = tmpVget(tm, node);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  store<u32>(vpp, <u32>changetype<usize>(vp));
  return 0;
}
