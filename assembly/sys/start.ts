/** The mounts a machine starts with: a tmpfs as root, devfs on /dev, devpts in it, procfs on /proc. */
import { ENODEV, ENOMEM } from '../abi/errno';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, S_IFDIR } from '../abi/flags';
import { roots } from '../kern/boot';
import { litCopy } from '../kern/text';
import { Ucred } from '../proc/cred';
import { Mount, mountListAdd, mountsLock, mountsUnlock, vfsFind } from '../vfs/mount';
import {
  cacheDrop,
  cacheGet,
  cacheLock,
  cacheResolve,
  cacheUnlock,
  Namecache,
  nameHash,
} from '../vfs/namecache';
import { scratchPath, scratchVattr, scratchWord } from '../vfs/scratch';
import { mountAttach, mountMake } from '../vfs/vfsmount';
import { Vnode, vnodePut } from '../vfs/vnode';
import { vop_nmkdir } from '../vfs/vop';

/** Make a mount of the named type, its name as its source: at scratchWord(8). 0 or an errno. */
function make(type: string, flags: u32, opts: string, cred: Ucred): i32 {
  const name = scratchPath(1);
  const len = litCopy(type, name);
  const conf = vfsFind(name, len);
  if (changetype<usize>(conf) == 0) return -ENODEV;
  const at = name + len;
  return mountMake(conf, flags, name, len, at, litCopy(opts, at), cred, changetype<Vnode>(<usize>0), scratchWord(8));
}

// @ts-ignore: decorator
@inline
function made(): Mount {
  return changetype<Mount>(<usize>load<u32>(scratchWord(8)));
}

/** The directory of that name in the root, locked and referenced, made if need be; null: no memory. */
function rootDir(root: Mount, name: string, mode: u32, cred: Ucred): Namecache {
  const buf = scratchPath(1);
  const len = litCopy(name, buf);
  const ncp = cacheGet(root.mnt_root, buf, len, nameHash(buf, len));
  if (changetype<usize>(ncp) == 0) return ncp;
  cacheLock(ncp);
  const va = scratchVattr(0);
  va.va_mode = S_IFDIR | mode;
  va.va_uid = 0;
  va.va_gid = 0;
  va.va_rdev = 0;
  let e = cacheResolve(ncp, cred);
  if (e == 0 && ncp.nc_vp == 0) {
    e = vop_nmkdir(ncp.nc_fm, ncp, va, cred, scratchWord(9));
    if (e == 0) vnodePut(changetype<Vnode>(<usize>load<u32>(scratchWord(9))));
  }
  if (e == 0) return ncp;
  cacheUnlock(ncp);
  cacheDrop(ncp);
  return changetype<Namecache>(<usize>0);
}

/** Mount on a directory of that name in the root of a mount. */
function mountOn(root: Mount, name: string, mode: u32, type: string, flags: u32, cred: Ucred): i32 {
  const ncp = rootDir(root, name, mode, cred);
  if (changetype<usize>(ncp) == 0) return -ENOMEM;
  cacheUnlock(ncp);
  const e = make(type, flags, '', cred);
  if (e == 0) mountAttach(made(), root, ncp);
  cacheDrop(ncp);
  return e;
}

/** Mount what a machine starts with. 0 or an errno. */
export function startMounts(cred: Ucred): i32 {
  let e = make('tmpfs', 0, 'mode=755', cred);
  if (e != 0) return e;
  mountsLock();
  mountListAdd(made());
  mountsUnlock();
  roots().r_rootmount = <u32>changetype<usize>(made());
  const root = made();
  e = mountOn(root, 'dev', 0o755, 'devfs', MS_NOSUID | MS_NOEXEC, cred);
  if (e == 0) e = mountOn(made(), 'pts', 0o755, 'devpts', MS_NOSUID | MS_NOEXEC, cred);
  return e != 0 ? e : mountOn(root, 'proc', 0o555, 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC, cred);
}
