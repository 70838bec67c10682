/** The superblock of a device, if it has one. */
import * as abi from '../../assembly/abi/ext4.ts';
import type { BlockDevice } from '../devices/types.ts';
import { Superblock } from './superblock.ts';
import { readBytes } from './volume.ts';

/** The device has no ext2, ext3 or ext4. */
export class NoFileSystemError extends Error {
  constructor(message = 'no ext2, ext3 or ext4 superblock') {
    super(message);
    this.name = 'NoFileSystemError';
  }
}

/** The superblock of a device. @throws NoFileSystemError, DiskError */
export function readSuper(device: BlockDevice): Superblock {
  if (device.sizeBytes < abi.SB_OFFSET + abi.SB_SIZE) throw new NoFileSystemError();
  const sb = new Superblock();
  readBytes(device, abi.SB_OFFSET, sb.bytes);
  if (sb.u16(abi.SB_MAGIC) !== abi.EXT4_MAGIC) throw new NoFileSystemError();
  return sb;
}
