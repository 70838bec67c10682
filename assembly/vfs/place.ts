/**
 * Places: where a name is, a pair (mount, namecache entry), as magic links lead to them and as
 * texts show them.
 */
import { ENAMETOOLONG, ENOENT, EXDEV } from '../abi/errno';
import { Proc } from '../proc/proc';
import { Mount } from './mount';
import { Namecache, NCF_DESTROYED } from './namecache';
import { cacheIsAncestor } from './nametree';
import { Vnode } from './vnode';

/** Where a jump goes (VOP_JUMP): each part referenced, for the walk to keep. */
@unmanaged
export class Place {
  pl_mount: Mount;
  pl_ncp: Namecache; // null: the vnode has no name
  pl_vp: Vnode;
  pl_pad: u32;
}
if (offsetof<Place>() % 8 != 0) ERROR('Place: pad it to 8');

/**
 * The path of a place, built backwards into a buffer of `cap` bytes that ends at `end`, as seen
 * from p's root: its length; -ENOENT if a name on the way was removed (unless `gone` says that such
 * names are wanted all the same); -EXDEV if p's root is not above it (then the path from the root
 * of its outermost mount is there, and its length at `lenp` if that is not 0); -ENAMETOOLONG.
 */
export function placePath(p: Proc, mount: u32, entry: u32, end: usize, cap: u32, gone: bool, lenp: usize): i32 {
  let mp = changetype<Mount>(<usize>mount);
  let ncp = changetype<Namecache>(<usize>entry);
  let len: u32 = 0;
  let e: i32 = 0;
  while (true) {
    if (p.p_rootncp == <u32>changetype<usize>(ncp) && p.p_rootmount == <u32>changetype<usize>(mp)) {
      // a root directory can be removed like any other
      if (ncp.nc_flags & NCF_DESTROYED && !gone) return -ENOENT;
      break;
    }
    if (changetype<usize>(ncp) == changetype<usize>(mp.mnt_root)) {
      if (changetype<usize>(mp.mnt_covered) == 0) {
        e = -EXDEV;
        break;
      }
      ncp = mp.mnt_covered;
      mp = mp.mnt_parent;
      continue;
    }
    if (ncp.nc_parent == 0 || (ncp.nc_flags & NCF_DESTROYED && !gone)) return -ENOENT;
    const n = ncp.nc_namelen;
    if (len + n + 1 > cap) return -ENAMETOOLONG;
    len += n + 1;
    memory.copy(end - len + 1, ncp.nc_namep, n);
    store<u8>(end - len, 47);
    ncp = ncp.parent;
  }
  if (len == 0) {
    store<u8>(end - 1, 47);
    len = 1;
  }
  if (e == 0) return <i32>len;
  if (lenp != 0) store<u32>(lenp, len);
  return e;
}

/**
 * Is an entry where its mount shows it? A bind mount shows a part of a tree, and a rename may have
 * carried the entry out of that part.
 */
export function placeConnected(mp: Mount, ncp: Namecache): bool {
  return mp.mnt_root.nc_parent == 0 || cacheIsAncestor(mp.mnt_root, ncp);
}
