/**
 * Makes ext2, ext3 and ext4 as `mke2fs` 1.47 does: the same defaults by type and size, the same
 * layout where a rule decides it.
 *
 * Little is written: uninitialized groups have no bitmaps on the disk, and inode tables are zeroed
 * by WRITE_ZEROES, or not at all where the device is known to be zero.
 */
import * as abi from '../../assembly/abi/ext4.ts';
import type { BlockDevice } from '../devices/types.ts';
import { putBits } from './bits.ts';
import { bitmapChecksum, sealGroup } from './checksums.ts';
import { makeSuperblock } from './mkfs/geometry.ts';
import { Build, makeBadBlocks, makeDirectories, makeOrphanFile, makeResizeInode } from './mkfs/inodes.ts';
import { journalLength, makeJournal } from './mkfs/journal.ts';
import { type MkfsOptions, planOf } from './mkfs/options.ts';
import { Space } from './mkfs/space.ts';
import { placeTables } from './mkfs/tables.ts';
import { Superblock } from './superblock.ts';
import { Blocks, type Geometry, type GroupTable, writeBytes } from './volume.ts';

export { type Ext4Type, MkfsError, type MkfsOptions, type Usage } from './mkfs/options.ts';

/** What was made. */
export interface MkfsResult {
  readonly uuid: string;
  readonly label: string;
  readonly blockSize: number;
  readonly blocks: number;
  readonly inodes: number;
  readonly groups: number;
  readonly journalBlocks: number;
  readonly reservedBlocks: number;
  /** Groups, but the first, that have a backup of the superblock. */
  readonly backups: readonly number[];
  /** What does not keep the file system from being used. */
  readonly warnings: readonly string[];
}

/**
 * Make a file system on a device.
 *
 *     mkfs(new MemoryDisk({ sizeBytes: 64 * 2 ** 20 }), { label: 'data', seed: 1 });
 *
 * @throws MkfsError about options and sizes that cannot be, DiskError about the device
 */
export function mkfs(device: BlockDevice, options: MkfsOptions = {}): MkfsResult {
  const warnings: string[] = [];
  const plan = planOf(options, device.sizeBytes, device.sectorBytes);
  const length = journalLength(plan, plan.blocks);
  if (length === 0 && plan.features.compat & abi.COMPAT_HAS_JOURNAL) {
    warnings.push('Filesystem too small for a journal');
    plan.features.compat &= ~(abi.COMPAT_HAS_JOURNAL | abi.COMPAT_FAST_COMMIT | abi.COMPAT_ORPHAN_FILE);
  }
  const geometry = makeSuperblock(plan);
  const space = new Space(geometry);
  const blocks = new Blocks(device, geometry.blockSize);
  const groups = placeTables(geometry, space);
  if (options.discard !== false && device.discards) device.discard(0, device.sizeBytes);
  const build = new Build(plan, geometry, space, blocks);
  if (!options.isZeroed) zeroTables(geometry, groups, blocks);
  makeDirectories(build);
  makeBadBlocks(build);
  if (geometry.sb.compat(abi.COMPAT_RESIZE_INODE)) makeResizeInode(build);
  if (length > 0) makeJournal(build, length);
  if (geometry.sb.compat(abi.COMPAT_ORPHAN_FILE)) makeOrphanFile(build);
  build.writeInodes((ino) => geometry.inodePlace(groups, ino));
  finishGroups(build, groups);
  writeSupers(build, groups);
  device.flush();
  return resultOf(geometry, build, warnings);
}

function resultOf(geometry: Geometry, build: Build, warnings: readonly string[]): MkfsResult {
  const { sb } = geometry;
  const backups: number[] = [];
  for (let group = 1; group < geometry.groups; group++) if (geometry.hasSuper(group)) backups.push(group);
  return {
    uuid: sb.uuidText,
    label: sb.label,
    blockSize: geometry.blockSize,
    blocks: geometry.blocksCount,
    inodes: sb.inodesCount,
    groups: geometry.groups,
    journalBlocks: build.journalBlocks,
    reservedBlocks: sb.reservedBlocks,
    backups,
    warnings,
  };
}

/** Tables that lie one behind the other are zeroed at once. */
function zeroTables(geometry: Geometry, groups: GroupTable, blocks: Blocks): void {
  const size = geometry.inodeTableBlocks;
  let first = 0;
  let count = 0;
  for (let group = 0; group < geometry.groups; group++) {
    const table = groups.at(group).inodeTable;
    if (table !== first + count) {
      blocks.zero(first, count);
      first = table;
      count = 0;
    }
    count += size;
  }
  blocks.zero(first, count);
}

/** Inodes of a group that are taken: all that there are have the lowest numbers. */
function inodesTaken(geometry: Geometry, last: number, group: number): number {
  return Math.min(Math.max(last - group * geometry.inodesPerGroup, 0), geometry.inodesPerGroup);
}

/** Counts, flags, bitmaps and checksums of the groups. */
function finishGroups(build: Build, groups: GroupTable): void {
  const { geometry, space, blocks, seed } = build;
  const { sb } = geometry;
  const lastInode = Math.max(...build.inodes.keys());
  let freeBlocks = 0;
  let overhead = geometry.firstDataBlock + build.journalBlocks;
  for (let number = 0; number < geometry.groups; number++) {
    const group = groups.at(number);
    const taken = inodesTaken(geometry, lastInode, number);
    const isLast = number === geometry.groups - 1;
    group.freeBlocks = space.free(number);
    group.freeInodes = geometry.inodesPerGroup - taken;
    group.directories = directoriesIn(geometry, number);
    let flags = 0;
    if (sb.hasGroupCsum) {
      group.unusedInodes = geometry.inodesPerGroup - taken;
      flags = abi.BG_INODE_ZEROED;
      if (taken === 0) flags |= abi.BG_INODE_UNINIT;
      if (number > 0 && !isLast && !space.isTouched(number)) flags |= abi.BG_BLOCK_UNINIT;
      group.flags = flags;
    }
    if (!(flags & abi.BG_BLOCK_UNINIT)) {
      const bitmap = space.bitmap(number);
      blocks.write(group.blockBitmap, bitmap);
      if (sb.hasMetadataCsum)
        group.blockBitmapChecksum = bitmapChecksum(seed, bitmap, geometry.blocksPerGroup / 8);
    }
    if (!(flags & abi.BG_INODE_UNINIT)) {
      const bitmap = build.newBlock();
      putBits(bitmap, 0, taken);
      putBits(bitmap, geometry.inodesPerGroup, bitmap.length * 8);
      blocks.write(group.inodeBitmap, bitmap);
      if (sb.hasMetadataCsum)
        group.inodeBitmapChecksum = bitmapChecksum(seed, bitmap, geometry.inodesPerGroup / 8);
    }
    freeBlocks += group.freeBlocks;
    overhead += geometry.headBlocks(number) + 2 + geometry.inodeTableBlocks;
    sealGroup(sb, seed, number, group);
  }
  sb.freeBlocks = freeBlocks;
  sb.set32(abi.SB_FREE_INODES_COUNT, sb.inodesCount - lastInode);
  sb.set32(abi.SB_OVERHEAD_BLOCKS, overhead);
}

function directoriesIn(geometry: Geometry, group: number): number {
  const inodes = [abi.EXT4_ROOT_INO, abi.EXT4_GOOD_OLD_FIRST_INO];
  return inodes.filter((ino) => Math.floor((ino - 1) / geometry.inodesPerGroup) === group).length;
}

/** Descriptors and superblocks: the backups first, so that the superblock vouches for all else. */
function writeSupers(build: Build, groups: GroupTable): void {
  const { geometry, blocks } = build;
  const { sb, blockSize } = geometry;
  const old = geometry.oldDescriptorBlocks * blockSize;
  sb.set32(abi.SB_KBYTES_WRITTEN, Math.ceil((blocks.written + old) / 1024) + 1);
  for (let group = geometry.groups - 1; group >= 0; group--) {
    const first = geometry.groupFirst(group);
    const meta = geometry.metaDescriptorOf(group);
    const isSuper = geometry.hasSuper(group);
    if (meta >= 0)
      blocks.write(
        first + (isSuper ? 1 : 0),
        groups.bytes.subarray(meta * blockSize, (meta + 1) * blockSize),
      );
    if (!isSuper) continue;
    if (old > 0) blocks.write(first + 1, groups.bytes.subarray(0, old));
    const copy = new Superblock(sb.bytes.slice());
    copy.set16(abi.SB_BLOCK_GROUP_NR, group);
    copy.seal();
    if (group > 0) {
      const block = build.newBlock();
      block.set(copy.bytes);
      blocks.write(first, block);
    }
  }
  sb.seal();
  const head = new Uint8Array(Math.max(abi.SB_OFFSET + abi.SB_SIZE, blockSize));
  head.set(sb.bytes, abi.SB_OFFSET);
  writeBytes(blocks.device, 0, head);
}
