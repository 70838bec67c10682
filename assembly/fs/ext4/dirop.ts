/**
 * ext4: what one operation on a directory needs while it lasts: where it found a name, and the way
 * there through the index. Two of them are in the CPU's scratch, one for each directory of a rename.
 */
import { DirHash } from './hash';
import { MapResult } from './types';
import { scratchFs, SCRATCH_FS_SIZE } from '../../vfs/scratch';
import { ext4Brelse } from './txn';

/** Levels of index: a root, and with large_dir two below it. */
export const DX_LEVELS_MAX: u32 = 3;

/** One level of the way through an index. */
@unmanaged
export class DxFrame {
  dx_block: u64; //  the block on disk
  dx_buf: u32; //    its buffer, held
  dx_entries: u32; // address of its entries; the first one's hash is the countlimit
  dx_at: u32; //     address of the entry taken
  dx_pad: u32;
}

@unmanaged
export class Dirop {
  dp_block: u64; // the block with the entry
  dp_buf: u32; //   its buffer, held; 0: none. Inline data: the inode's
  dp_at: u32; //    the entry
  dp_prev: u32; //  the one before it in the block; 0: it is the first
  dp_ino: u32; //   its inode
  dp_lblk: u32; //  which block of the directory
  dp_depth: u32; // frames in use
  dp_version: u32; // hash version of the index
  dp_pad: u32;
  // then a MapResult, a DirHash, DX_LEVELS_MAX frames
  // @ts-ignore: decorator
  @inline
  get dp_map(): MapResult {
    return changetype<MapResult>(changetype<usize>(this) + DP_MAP);
  }
  // @ts-ignore: decorator
  @inline
  get dp_hash(): DirHash {
    return changetype<DirHash>(changetype<usize>(this) + DP_HASH);
  }
  // @ts-ignore: decorator
  @inline
  frame(i: u32): DxFrame {
    return changetype<DxFrame>(changetype<usize>(this) + DP_FRAMES + <usize>i * offsetof<DxFrame>());
  }
}
const DP_MAP: usize = offsetof<Dirop>();
const DP_HASH: usize = DP_MAP + offsetof<MapResult>();
const DP_FRAMES: usize = DP_HASH + offsetof<DirHash>();
const DIROP_SIZE: usize = DP_FRAMES + DX_LEVELS_MAX * offsetof<DxFrame>();
if (DP_HASH % 8 != 0 || DP_FRAMES % 8 != 0) ERROR('Dirop');
if (<usize>2 * DIROP_SIZE > SCRATCH_FS_SIZE) ERROR('Dirop: scratch');

/** 0: the call's only or first directory; 1: a rename's second. Nothing is held in it. */
export function dirop(i: u32): Dirop {
  const dp = changetype<Dirop>(scratchFs() + <usize>i * DIROP_SIZE);
  dp.dp_buf = 0;
  dp.dp_depth = 0;
  return dp;
}

/** Let go of what it holds. */
export function diropDone(dp: Dirop): void {
  if (dp.dp_buf != 0) ext4Brelse(<usize>dp.dp_buf);
  dp.dp_buf = 0;
  while (dp.dp_depth != 0) ext4Brelse(<usize>dp.frame(--dp.dp_depth).dx_buf);
}
