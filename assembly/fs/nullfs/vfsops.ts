/**
 * nullfs: bind mounts under a type's name. "mount -t nullfs SOURCE TARGET" is MS_BIND; the work is
 * in vfs/bind.ts, because a bind mount is a place of another mount's names and has no files of its
 * own for a file system to serve.
 */
import { EINVAL } from '../../abi/errno';
import { Ucred } from '../../proc/cred';
import { Mount, VFCF_BIND, VFCF_NODEV, vfsRegister } from '../../vfs/mount';

/** Never asked: mount(2) sees VFCF_BIND first. */
function nullfsMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  return -EINVAL;
}

export function nullfsInit(): void {
  vfsRegister('nullfs', nullfsMount, VFCF_NODEV | VFCF_BIND, 0);
}
