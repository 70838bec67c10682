/** The checksums of metadata (checksums.rst): one function for each structure that has one. */
import * as abi from '../../assembly/abi/ext4.ts';
import * as jbd2 from '../../assembly/abi/jbd2.ts';
import { get16, get32, put16, put32, putBe32 } from './bytes.ts';
import { CRC_START, crc16, crc32c, crc32cLong, crc32cWord } from './crc.ts';
import type { Superblock } from './superblock.ts';
import type { Group } from './volume.ts';

const ZEROES = new Uint8Array(4);

/** A descriptor's checksum, of either kind. */
export function groupChecksum(sb: Superblock, seed: number, number: number, group: Group): number {
  const { bytes } = group;
  const after = abi.BG_CHECKSUM + 2;
  if (sb.hasMetadataCsum) {
    let crc = crc32cWord(seed, number);
    crc = crc32c(crc, bytes, 0, abi.BG_CHECKSUM);
    crc = crc32c(crc, ZEROES, 0, 2);
    return crc32c(crc, bytes, after) & 0xffff;
  }
  let crc = crc16(0xffff, sb.uuid);
  const word = new Uint8Array(4);
  put32(word, 0, number);
  crc = crc16(crc, word);
  crc = crc16(crc, bytes, 0, abi.BG_CHECKSUM);
  return crc16(crc, bytes, after);
}

export function sealGroup(sb: Superblock, seed: number, number: number, group: Group): void {
  if (sb.hasGroupCsum) put16(group.bytes, abi.BG_CHECKSUM, groupChecksum(sb, seed, number, group));
}

/** lenBytes: of the bits that mean something, a group's blocks or inodes. */
export function bitmapChecksum(seed: number, bitmap: Uint8Array, lenBytes: number): number {
  return crc32c(seed, bitmap, 0, lenBytes);
}

/** Where the checksums of what belongs to an inode begin. */
export function inodeSeed(seed: number, ino: number, inode: Uint8Array): number {
  return crc32cWord(crc32cWord(seed, ino), get32(inode, abi.I_GENERATION));
}

function hasHighChecksum(inode: Uint8Array): boolean {
  return (
    inode.length > abi.EXT4_GOOD_OLD_INODE_SIZE &&
    get16(inode, abi.I_EXTRA_ISIZE) >= abi.I_CHECKSUM_HI + 2 - abi.EXT4_GOOD_OLD_INODE_SIZE
  );
}

export function inodeChecksum(seed: number, ino: number, inode: Uint8Array): number {
  const low = abi.I_CHECKSUM_LO;
  let crc = crc32c(inodeSeed(seed, ino, inode), inode, 0, low);
  crc = crc32c(crc, ZEROES, 0, 2);
  crc = crc32c(crc, inode, low + 2, abi.EXT4_GOOD_OLD_INODE_SIZE);
  if (inode.length <= abi.EXT4_GOOD_OLD_INODE_SIZE) return crc & 0xffff;
  if (!hasHighChecksum(inode)) return crc32c(crc, inode, abi.EXT4_GOOD_OLD_INODE_SIZE) & 0xffff;
  crc = crc32c(crc, inode, abi.EXT4_GOOD_OLD_INODE_SIZE, abi.I_CHECKSUM_HI);
  crc = crc32c(crc, ZEROES, 0, 2);
  return crc32c(crc, inode, abi.I_CHECKSUM_HI + 2);
}

export function storedInodeChecksum(inode: Uint8Array): number {
  const low = get16(inode, abi.I_CHECKSUM_LO);
  return hasHighChecksum(inode) ? (low | (get16(inode, abi.I_CHECKSUM_HI) << 16)) >>> 0 : low;
}

export function sealInode(seed: number, ino: number, inode: Uint8Array): void {
  const crc = inodeChecksum(seed, ino, inode);
  put16(inode, abi.I_CHECKSUM_LO, crc);
  if (hasHighChecksum(inode)) put16(inode, abi.I_CHECKSUM_HI, crc >>> 16);
}

/** Where in an extent block its checksum is; beyond the block if its header is nonsense. */
export function extentTailAt(block: Uint8Array): number {
  return abi.EH_SIZE + get16(block, abi.EH_MAX) * abi.EE_SIZE;
}

export function extentChecksum(own: number, block: Uint8Array): number {
  return crc32c(own, block, 0, extentTailAt(block));
}

export function sealExtents(own: number, block: Uint8Array): void {
  put32(block, extentTailAt(block), extentChecksum(own, block));
}

export function leafChecksum(own: number, block: Uint8Array): number {
  return crc32c(own, block, 0, block.length - abi.DE_TAIL_SIZE);
}

/** Write the tail that a directory's leaf has, checksum included. */
export function sealLeaf(own: number, block: Uint8Array): void {
  const tail = block.length - abi.DE_TAIL_SIZE;
  block.fill(0, tail);
  put16(block, tail + abi.DE_REC_LEN, abi.DE_TAIL_SIZE);
  block[tail + abi.DE_FILE_TYPE] = abi.DE_TAIL_FT;
  put32(block, tail + abi.DE_TAIL_CSUM, leafChecksum(own, block));
}

/** entries: where the countlimit is; limit, count: as it says, checked by the caller. */
export function indexChecksum(
  own: number,
  block: Uint8Array,
  entries: number,
  limit: number,
  count: number,
): number {
  const tail = entries + limit * abi.DX_ENTRY_SIZE;
  let crc = crc32c(own, block, 0, entries + count * abi.DX_ENTRY_SIZE);
  crc = crc32c(crc, block, tail, tail + abi.DX_TAIL_CSUM);
  return crc32c(crc, ZEROES);
}

export function xattrChecksum(seed: number, number: number, block: Uint8Array): number {
  let crc = crc32cLong(seed, number);
  crc = crc32c(crc, block, 0, abi.XH_CHECKSUM);
  crc = crc32c(crc, ZEROES);
  return crc32c(crc, block, abi.XH_CHECKSUM + 4);
}

export function orphanChecksum(own: number, number: number, block: Uint8Array): number {
  return crc32c(crc32cLong(own, number), block, 0, block.length - abi.OB_TAIL_SIZE);
}

/** The journal's superblock with its checksum as 0. */
export function journalChecksum(block: Uint8Array): number {
  const end = jbd2.JSB_CHECKSUM;
  let crc = crc32c(CRC_START, block, 0, end);
  crc = crc32c(crc, ZEROES);
  return crc32c(crc, block, end + 4, jbd2.JSB_SIZE);
}

export function sealJournal(block: Uint8Array): void {
  putBe32(block, jbd2.JSB_CHECKSUM, journalChecksum(block));
}
