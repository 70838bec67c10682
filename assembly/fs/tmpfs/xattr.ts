/**
 * tmpfs: extended attributes, a list per inode. Values up to XATTR_SIZE_MAX are kept in chunks,
 * since no piece of RAM is larger than a frame. Not every file has any: the list's head is all an
 * inode pays.
 */
import { EEXIST, ENODATA, ENOSPC, ERANGE } from '../../abi/errno';
import { XATTR_CREATE, XATTR_REPLACE } from '../../abi/flags';
import { roots } from '../../kern/boot';
import { add32 } from '../../kern/lock';
import { curcred } from '../../proc/cred';
import { xattrHidden } from '../../vfs/access';
import { fscacheTouchCtime } from '../../vfs/fscache';
import { Fsmanage } from '../../vfs/fsmanage';
import { Vnode } from '../../vfs/vnode';
import { ALLOC_NOIO } from '../../vm/page';
import { Uio, uiomove } from '../../vm/uio';
import { kfree, kmalloc, KMALLOC_MAX } from '../../vm/zone';
import { nodeOf, tmOf, TmpMount, TmpNode, tmXattrFits, XATTR_UNIT } from './node';

@unmanaged
class TmpXattr {
  xa_next: u32;
  xa_chunks: u32; // first XaChunk, 0: empty value
  xa_size: u32; //   of the value
  xa_namelen: u32;
  // the name follows
}
const XA_NAME: usize = offsetof<TmpXattr>();

@unmanaged
class XaChunk {
  xc_next: u32;
  xc_len: u32;
  // bytes follow
}
const XC_DATA: usize = offsetof<XaChunk>();
const CHUNK_MAX: u32 = KMALLOC_MAX - <u32>XC_DATA;

/** What an attribute counts for, in XATTR_UNITs. */
function unitsOf(namelen: u32, size: u32): i32 {
  return <i32>((<u32>XA_NAME + namelen + size + XATTR_UNIT - 1) / XATTR_UNIT);
}

function charge(tm: TmpMount, units: i32): void {
  add32(changetype<usize>(tm) + offsetof<TmpMount>('tm_xattr'), units);
}

function find(node: TmpNode, name: usize, len: u32): TmpXattr {
  let p = node.tn_xattr;
  while (p != 0) {
    const xa = changetype<TmpXattr>(<usize>p);
    if (xa.xa_namelen == len && memory.compare(<usize>p + XA_NAME, name, len) == 0) return xa;
    p = xa.xa_next;
  }
  return changetype<TmpXattr>(<usize>0);
}

function freeChunks(first: u32): void {
  while (first != 0) {
    const next = changetype<XaChunk>(<usize>first).xc_next;
    kfree(first);
    first = next;
  }
}

/** The value of the uio as a chain of chunks at `out`: 0, -ENOSPC or -EFAULT (nothing kept). */
function readValue(uio: Uio, out: usize): i32 {
  let tail = out;
  store<u32>(out, 0);
  while (uio.uio_resid != 0) {
    const n = uio.uio_resid < CHUNK_MAX ? uio.uio_resid : CHUNK_MAX;
    const c = kmalloc(<u32>XC_DATA + n, ALLOC_NOIO);
    let e: i32 = -ENOSPC;
    if (c != 0) {
      const xc = changetype<XaChunk>(c);
      xc.xc_next = 0;
      xc.xc_len = n;
      store<u32>(tail, <u32>c);
      tail = c;
      e = uiomove(c + XC_DATA, n, uio);
    }
    if (e != 0) {
      freeChunks(load<u32>(out));
      store<u32>(out, 0);
      return e;
    }
  }
  return 0;
}

export function tmpGetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio): i32 {
  const xa = find(nodeOf(vp), name, namelen);
  if (changetype<usize>(xa) == 0) return -ENODATA;
  if (uio.uio_resid == 0) return <i32>xa.xa_size;
  if (uio.uio_resid < xa.xa_size) return -ERANGE;
  for (let c = xa.xa_chunks; c != 0; ) {
    const xc = changetype<XaChunk>(<usize>c);
    const e = uiomove(<usize>c + XC_DATA, xc.xc_len, uio);
    if (e != 0) return e;
    c = xc.xc_next;
  }
  return <i32>xa.xa_size;
}

export function tmpSetxattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32, uio: Uio, xflags: u32): i32 {
  const node = nodeOf(vp);
  let xa = find(node, name, namelen);
  if (changetype<usize>(xa) != 0 && xflags & XATTR_CREATE) return -EEXIST;
  if (changetype<usize>(xa) == 0 && xflags & XATTR_REPLACE) return -ENODATA;
  const size = uio.uio_resid;
  const fresh = changetype<usize>(xa) == 0;
  const tm = tmOf(fm.fm_mount);
  const more = unitsOf(namelen, size) - (fresh ? 0 : unitsOf(namelen, xa.xa_size));
  if (more > 0 && !tmXattrFits(tm, more)) return -ENOSPC;
  if (fresh) {
    xa = changetype<TmpXattr>(kmalloc(<u32>XA_NAME + namelen, ALLOC_NOIO));
    if (changetype<usize>(xa) == 0) return -ENOSPC;
    xa.xa_chunks = 0;
    xa.xa_namelen = namelen;
    memory.copy(changetype<usize>(xa) + XA_NAME, name, namelen);
  }
  const old = xa.xa_chunks;
  const e = readValue(uio, changetype<usize>(xa) + offsetof<TmpXattr>('xa_chunks'));
  if (e != 0) {
    if (fresh) kfree(changetype<usize>(xa));
    else xa.xa_chunks = old;
    return e;
  }
  freeChunks(old);
  charge(tm, more);
  xa.xa_size = size;
  if (fresh) {
    xa.xa_next = node.tn_xattr;
    node.tn_xattr = <u32>changetype<usize>(xa);
  }
  fscacheTouchCtime(vp.v_fc);
  return 0;
}

/** From an attribute on, the first that is in the current process's lists; 0: none. */
function firstShown(p: u32): u32 {
  while (p != 0 && xattrHidden(<usize>p + XA_NAME, changetype<TmpXattr>(<usize>p).xa_namelen, curcred()))
    p = changetype<TmpXattr>(<usize>p).xa_next;
  return p;
}

function nextShown(p: u32): u32 {
  return firstShown(changetype<TmpXattr>(<usize>p).xa_next);
}

export function tmpListxattr(fm: Fsmanage, vp: Vnode, uio: Uio): i32 {
  let total: u32 = 0;
  const first = firstShown(nodeOf(vp).tn_xattr);
  for (let p = first; p != 0; p = nextShown(p)) total += changetype<TmpXattr>(<usize>p).xa_namelen + 1;
  if (uio.uio_resid == 0) return <i32>total;
  if (uio.uio_resid < total) return -ERANGE;
  for (let p = first; p != 0; p = nextShown(p)) {
    let e = uiomove(<usize>p + XA_NAME, changetype<TmpXattr>(<usize>p).xa_namelen, uio);
    // the terminator, from the frame of zeros
    if (e == 0) e = uiomove(<usize>roots().r_zeropage, 1, uio);
    if (e != 0) return e;
  }
  return <i32>total;
}

export function tmpRemovexattr(fm: Fsmanage, vp: Vnode, name: usize, namelen: u32): i32 {
  const node = nodeOf(vp);
  const xa = find(node, name, namelen);
  if (changetype<usize>(xa) == 0) return -ENODATA;
  let link = changetype<usize>(node) + offsetof<TmpNode>('tn_xattr');
  while (load<u32>(link) != <u32>changetype<usize>(xa)) link = <usize>load<u32>(link);
  store<u32>(link, xa.xa_next);
  charge(tmOf(fm.fm_mount), -unitsOf(xa.xa_namelen, xa.xa_size));
  freeChunks(xa.xa_chunks);
  kfree(changetype<usize>(xa));
  fscacheTouchCtime(vp.v_fc);
  return 0;
}

/** Free all of a node's attributes. */
export function tmpXattrDropAll(tm: TmpMount, node: TmpNode): void {
  let p = node.tn_xattr;
  node.tn_xattr = 0;
  while (p != 0) {
    const next = changetype<TmpXattr>(<usize>p).xa_next;
    const xa = changetype<TmpXattr>(<usize>p);
    charge(tm, -unitsOf(xa.xa_namelen, xa.xa_size));
    freeChunks(xa.xa_chunks);
    kfree(p);
    p = next;
  }
}
