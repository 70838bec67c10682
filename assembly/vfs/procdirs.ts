/** A process's working and root directories: pairs (mount, entry), with the vnode referenced. */
import { FD_CHUNK, FD_LIMIT, fdOf, fdTableFree, fdTake } from '../proc/file';
import { Proc } from '../proc/proc';
import { Mount, mountDrop, mountRef } from './mount';
import { cacheDrop, cacheRef, Namecache } from './namecache';
import { fileClosedBy } from './vfile';
import { Vnode, vnodePut, vnodeRef } from './vnode';

/** Set the working directory; references of its own are taken, the old ones dropped. */
export function procSetCwd(p: Proc, mp: Mount, ncp: Namecache, vp: Vnode): void {
  mountRef(mp);
  cacheRef(ncp);
  vnodeRef(vp);
  const m = p.p_cwdmount;
  const n = p.p_cwdncp;
  const v = p.p_cwdvp;
  p.p_cwdmount = <u32>changetype<usize>(mp);
  p.p_cwdncp = <u32>changetype<usize>(ncp);
  p.p_cwdvp = <u32>changetype<usize>(vp);
  dirDrop(m, n, v);
}

export function procSetRoot(p: Proc, mp: Mount, ncp: Namecache, vp: Vnode): void {
  mountRef(mp);
  cacheRef(ncp);
  vnodeRef(vp);
  const m = p.p_rootmount;
  const n = p.p_rootncp;
  const v = p.p_rootvp;
  p.p_rootmount = <u32>changetype<usize>(mp);
  p.p_rootncp = <u32>changetype<usize>(ncp);
  p.p_rootvp = <u32>changetype<usize>(vp);
  dirDrop(m, n, v);
}

function dirDrop(m: u32, n: u32, v: u32): void {
  if (v != 0) vnodePut(changetype<Vnode>(<usize>v));
  if (n != 0) cacheDrop(changetype<Namecache>(<usize>n));
  if (m != 0) mountDrop(changetype<Mount>(<usize>m));
}

/** Close and give back every file and directory that a process holds. */
export function procClose(p: Proc): void {
  for (let fd: u32 = 0; fd < FD_LIMIT && p.p_fddir != 0; fd++) {
    if (load<u32>(<usize>p.p_fddir + ((fd / FD_CHUNK) << 2)) == 0) {
      fd += FD_CHUNK - 1;
      continue;
    }
    if (changetype<usize>(fdOf(p, fd)) != 0) fileClosedBy(fdTake(p, fd), p);
  }
  fdTableFree(p);
  dirDrop(p.p_cwdmount, p.p_cwdncp, p.p_cwdvp);
  dirDrop(p.p_rootmount, p.p_rootncp, p.p_rootvp);
  p.p_cwdmount = 0;
  p.p_cwdncp = 0;
  p.p_cwdvp = 0;
  p.p_rootmount = 0;
  p.p_rootncp = 0;
  p.p_rootvp = 0;
}
