/**
 * Fsmanage: what a mount passes to every operation as its first argument.
 *
 * It points to its mount and embeds the operations vector, so that a dispatch is one load and one
 * call_indirect. A mount has three: for files and directories, for fifos, for device nodes. A slot
 * holds a raw function-table index. Slots are set only by the typed setters of vfs/vop.ts, where a
 * wrong signature does not compile, and called only by the typed vop_* wrappers there.
 *
 * F1. A slot is never 0 once fsmanageInit has run: it has the file system's operation or a default.
 * F2. fm_base keeps the vector as the file system set it; layers (vfs/layer.ts) interpose by
 *     replacing slots, and taking one away rebuilds the vector from fm_base.
 */
import { NVOPS } from '../abi/vops';
import { Layer } from './layer';
import { Mount } from './mount';

@unmanaged
export class Fsmanage {
  fm_mount: Mount;
  fm_kind: u32; //   FM_NORM, FM_FIFO, FM_SPEC
  fm_flags: u32; //  FMF_*
  fm_layers: Layer; // topmost first; null: none
  fm_base: u32; //   saved vector while there are layers; 0 = none
  fm_pad: u32;
  // the vector
  fm_nresolve: u32;
  fm_nlookupdotdot: u32;
  fm_ncreate: u32;
  fm_nmkdir: u32;
  fm_nmknod: u32;
  fm_nlink: u32;
  fm_nsymlink: u32;
  fm_nwhiteout: u32;
  fm_nremove: u32;
  fm_nrmdir: u32;
  fm_nrename: u32;
  fm_ntmpfile: u32;
  fm_open: u32;
  fm_close: u32;
  fm_access: u32;
  fm_getattr: u32;
  fm_setattr: u32;
  fm_read: u32;
  fm_write: u32;
  fm_readdir: u32;
  fm_readlink: u32;
  fm_ioctl: u32;
  fm_poll: u32;
  fm_lseek: u32;
  fm_fsync: u32;
  fm_allocate: u32;
  fm_advlock: u32;
  fm_getpages: u32;
  fm_putpages: u32;
  fm_inactive: u32;
  fm_reclaim: u32;
  fm_getxattr: u32;
  fm_setxattr: u32;
  fm_listxattr: u32;
  fm_removexattr: u32;
  fm_strategy: u32;
  fm_copyrange: u32;
  fm_jump: u32;
  fm_writeattr: u32;
}

export const FM_NORM: u32 = 0;
export const FM_FIFO: u32 = 1;
export const FM_SPEC: u32 = 2;

/** Names come and go unannounced: nothing the namecache holds for them is believed twice. */
export const FMF_VOLATILE: u32 = 1;

/** Where the vector begins in an Fsmanage. */
export const FM_VECTOR: usize = offsetof<Fsmanage>('fm_nresolve');
if (offsetof<Fsmanage>() != FM_VECTOR + 4 * NVOPS) ERROR('Fsmanage: NVOPS');

// @ts-ignore: decorator
@inline
export function fsmanageSlot(fm: Fsmanage, op: u32): u32 {
  return load<u32>(changetype<usize>(fm) + FM_VECTOR + ((<usize>op) << 2));
}

// @ts-ignore: decorator
@inline
export function fsmanageSetSlot(fm: Fsmanage, op: u32, index: u32): void {
  store<u32>(changetype<usize>(fm) + FM_VECTOR + ((<usize>op) << 2), index);
}

/** Take over the vector of `from` (fifo and device vectors start from the file system's own). */
export function fsmanageCopyVector(fm: Fsmanage, from: Fsmanage): void {
  memory.copy(changetype<usize>(fm) + FM_VECTOR, changetype<usize>(from) + FM_VECTOR, 4 * NVOPS);
}
