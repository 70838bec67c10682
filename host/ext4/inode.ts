/** An inode's numbers (inodes.rst), from its bytes. */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../assembly/abi/flags.ts';
import * as abi from '../../assembly/abi/ext4.ts';
import { get16, get32, joined } from './bytes.ts';

export function modeOf(inode: Uint8Array): number {
  return get16(inode, abi.I_MODE);
}

export function flagsOf(inode: Uint8Array): number {
  return get32(inode, abi.I_FLAGS);
}

export function linksOf(inode: Uint8Array): number {
  return get16(inode, abi.I_LINKS_COUNT);
}

/** i_size; above 2^53 it is no longer exact, and far too large. */
export function sizeOf(inode: Uint8Array): number {
  return joined(get32(inode, abi.I_SIZE_LO), get32(inode, abi.I_SIZE_HIGH));
}

export function xattrBlockOf(inode: Uint8Array): number {
  return joined(get32(inode, abi.I_FILE_ACL_LO), get16(inode, abi.I_FILE_ACL_HIGH));
}

/** directory.rst's file type of a mode; 0: it is none. */
export function fileType(mode: number): number {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return abi.FT_REG_FILE;
    case S_IFDIR:
      return abi.FT_DIR;
    case S_IFCHR:
      return abi.FT_CHRDEV;
    case S_IFBLK:
      return abi.FT_BLKDEV;
    case S_IFIFO:
      return abi.FT_FIFO;
    case S_IFSOCK:
      return abi.FT_SOCK;
    case S_IFLNK:
      return abi.FT_SYMLINK;
    default:
      return 0;
  }
}

/** What i_block holds: the map, an inline file, a short symlink, a device's numbers. */
export function blockArea(inode: Uint8Array): Uint8Array {
  return inode.subarray(abi.I_BLOCK, abi.I_BLOCK + abi.I_BLOCK_SIZE);
}
