/** procfs: mounting. It takes no options and keeps nothing of its own. */
import { EINVAL, ENOMEM } from '../../abi/errno';
import { Ucred } from '../../proc/cred';
import { FMF_VOLATILE } from '../../vfs/fsmanage';
import { Mount, VFCF_NODEV, vfsRegister } from '../../vfs/mount';
import { PK_ROOT, procVnode } from './node';
import { sysctlsInit } from './sysctls';
import { procfsVector } from './vnops';

const PROCFS_MAGIC: u32 = 0x9fa0;

function procfsMount(mp: Mount, opts: usize, optslen: u32, cred: Ucred): i32 {
  if (optslen != 0) return -EINVAL;
  const fm = mp.mnt_norm;
  procfsVector(fm);
  fm.fm_flags |= FMF_VOLATILE;
  const vp = procVnode(fm, PK_ROOT, 0, 0);
  if (changetype<usize>(vp) == 0) return -ENOMEM;
  mp.mnt_rootvp = vp;
  return 0;
}

export function procfsInit(): void {
  vfsRegister('procfs', procfsMount, VFCF_NODEV, PROCFS_MAGIC);
  // the name that programs and fstabs know it by
  vfsRegister('proc', procfsMount, VFCF_NODEV, PROCFS_MAGIC);
  sysctlsInit();
}
