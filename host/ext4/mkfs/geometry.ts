/** From a plan to a superblock: how many groups, how many inodes, room to grow. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { crc32c, CRC_START } from '../crc.ts';
import { Superblock } from '../superblock.ts';
import { Geometry, hasSuper } from '../volume.ts';
import { MkfsError, type Plan } from './options.ts';

/** Blocks that a last group must have beyond its own tables to be worth it. */
const LEAST_LAST_GROUP = 50;
const MOUNT_ACL = 0x8;
const MOUNT_XATTR = 0x4;
/** Size of what of an inode is behind the first 128 bytes. */
const EXTRA_ISIZE = abi.I_END - abi.EXT4_GOOD_OLD_INODE_SIZE;
const LOG_GROUPS_PER_FLEX = 4;

/** The superblock's numbers that do not depend on how many groups there are. */
function fixedFields(sb: Superblock, plan: Plan): void {
  const { blockSize, options } = plan;
  sb.features = plan.features;
  sb.set16(abi.SB_MAGIC, abi.EXT4_MAGIC);
  sb.set32(abi.SB_REV_LEVEL, 1);
  sb.set32(abi.SB_FIRST_INO, abi.EXT4_GOOD_OLD_FIRST_INO);
  sb.set16(abi.SB_INODE_SIZE, plan.inodeSize);
  sb.set32(abi.SB_FIRST_DATA_BLOCK, blockSize === 1024 ? 1 : 0);
  const log = Math.log2(blockSize) - 10;
  sb.set32(abi.SB_LOG_BLOCK_SIZE, log);
  sb.set32(abi.SB_LOG_CLUSTER_SIZE, log);
  sb.set16(abi.SB_STATE, abi.EXT4_STATE_VALID);
  sb.set16(abi.SB_ERRORS, abi.EXT4_ERRORS_CONTINUE);
  sb.set16(abi.SB_MAX_MNT_COUNT, 0xffff);
  sb.set32(abi.SB_WTIME, plan.time);
  sb.set32(abi.SB_LASTCHECK, plan.time);
  sb.set32(abi.SB_MKFS_TIME, plan.time);
  sb.bytes.set(plan.uuid, abi.SB_UUID);
  sb.bytes.set(plan.label, abi.SB_VOLUME_NAME);
  sb.bytes.set(new TextEncoder().encode(options.lastMounted ?? '').slice(0, 64), abi.SB_LAST_MOUNTED);
  sb.bytes.set(plan.hashSeed, abi.SB_HASH_SEED);
  sb.set8(abi.SB_DEF_HASH_VERSION, abi.DX_HASH_HALF_MD4);
  sb.set32(abi.SB_DEFAULT_MOUNT_OPTS, MOUNT_ACL | MOUNT_XATTR);
  sb.set32(abi.SB_FLAGS, abi.EXT4_FLAGS_SIGNED_HASH);
  if (plan.inodeSize >= abi.I_END) {
    sb.set16(abi.SB_MIN_EXTRA_ISIZE, EXTRA_ISIZE);
    sb.set16(abi.SB_WANT_EXTRA_ISIZE, EXTRA_ISIZE);
  }
  if (sb.is64bit) sb.set16(abi.SB_DESC_SIZE, abi.BG_SIZE_64);
  if (sb.incompat(abi.INCOMPAT_FLEX_BG)) sb.set8(abi.SB_LOG_GROUPS_PER_FLEX, LOG_GROUPS_PER_FLEX);
  if (sb.hasMetadataCsum) sb.set8(abi.SB_CHECKSUM_TYPE, 1);
  if (sb.incompat(abi.INCOMPAT_CSUM_SEED)) sb.set32(abi.SB_CHECKSUM_SEED, crc32c(CRC_START, plan.uuid));
}

/** blockgroup.rst: blocks kept behind the descriptors, so that more can be added. */
function reservedDescriptors(sb: Superblock, plan: Plan, blocks: number, blocksPerGroup: number): number {
  if (!sb.compat(abi.COMPAT_RESIZE_INODE)) return 0;
  const perBlock = plan.blockSize / sb.descriptorSize;
  const most = plan.options.resizeBlocks ?? (blocks < 0xffffffff / 1024 ? blocks * 1024 : 0xffffffff);
  const groups = Math.ceil((most - sb.firstDataBlock) / blocksPerGroup);
  const now = Math.ceil(Math.ceil((blocks - sb.firstDataBlock) / blocksPerGroup) / perBlock);
  return Math.min(Math.max(Math.ceil(groups / perBlock) - now, 0), plan.blockSize / 4);
}

/** Inodes of each group, filling their tables' blocks; 0: too many for a block's bits. */
function inodesPerGroupOf(plan: Plan, groups: number, inodes: number): number {
  const perGroup = Math.ceil(inodes / groups);
  if (perGroup > plan.blockSize * 8) return 0;
  const most = Math.min(perGroup, 0x10000 - plan.blockSize / plan.inodeSize);
  const tableBlocks = Math.ceil((most * plan.inodeSize) / plan.blockSize);
  const filled = Math.max(Math.floor((tableBlocks * plan.blockSize) / plan.inodeSize), 8);
  return filled - (filled % 8);
}

function backupGroups(sb: Superblock, groups: number): void {
  if (!sb.compat(abi.COMPAT_SPARSE_SUPER2)) return;
  sb.set32(abi.SB_BACKUP_BGS, groups > 1 ? 1 : 0);
  sb.set32(abi.SB_BACKUP_BGS + 4, groups > 2 ? groups - 1 : 0);
}

/**
 * As many blocks to a group as a block's bits count, fewer if its inodes would be too many; a last
 * group too small for its own tables is left out. @throws MkfsError
 */
export function makeSuperblock(plan: Plan): Geometry {
  const sb = new Superblock();
  fixedFields(sb, plan);
  const wanted = plan.options.inodes ?? Math.floor((plan.blocks * plan.blockSize) / plan.bytesPerInode);
  if (wanted >= 2 ** 32) throw new MkfsError('too many inodes, specify fewer, or a higher inode ratio');
  const inodes = Math.max(wanted, abi.EXT4_GOOD_OLD_FIRST_INO + 1);
  let blocks = plan.blocks;
  let blocksPerGroup = Math.min(plan.blockSize * 8, 65528);
  for (;;) {
    const groups = Math.ceil((blocks - sb.firstDataBlock) / blocksPerGroup);
    const inodesPerGroup = inodesPerGroupOf(plan, groups, inodes);
    if (inodesPerGroup === 0) {
      if (blocksPerGroup < 256) throw new MkfsError('too many inodes: raise the inode ratio');
      blocksPerGroup -= 8;
      blocks = plan.blocks;
      continue;
    }
    setGroups(sb, plan, blocks, blocksPerGroup, inodesPerGroup);
    const last = groups - 1;
    const rest = (blocks - sb.firstDataBlock) % blocksPerGroup;
    const overhead = overheadOf(new Geometry(sb), last);
    if (last === 0 && blocks < sb.firstDataBlock + overhead) throw new MkfsError('the device is too small');
    if (last > 0 && rest > 0 && rest < overhead + LEAST_LAST_GROUP) {
      blocks -= rest;
      continue;
    }
    sb.set32(abi.SB_INODES_COUNT, inodesPerGroup * groups);
    if (sb.inodesCount !== inodesPerGroup * groups) throw new MkfsError('too many inodes');
    sb.reservedBlocks = Math.floor((plan.reservedPercent * blocks) / 100);
    return new Geometry(sb);
  }
}

function setGroups(
  sb: Superblock,
  plan: Plan,
  blocks: number,
  blocksPerGroup: number,
  inodesPerGroup: number,
): void {
  sb.blocksCount = blocks;
  sb.set32(abi.SB_BLOCKS_PER_GROUP, blocksPerGroup);
  sb.set32(abi.SB_CLUSTERS_PER_GROUP, blocksPerGroup);
  sb.set32(abi.SB_INODES_PER_GROUP, inodesPerGroup);
  sb.set16(abi.SB_RESERVED_GDT_BLOCKS, reservedDescriptors(sb, plan, blocks, blocksPerGroup));
  backupGroups(sb, Math.ceil((blocks - sb.firstDataBlock) / blocksPerGroup));
}

/** Blocks of a group that its own bitmaps and table would take, and copies if it has any. */
function overheadOf(geometry: Geometry, group: number): number {
  const head = hasSuper(geometry.sb, group) ? geometry.headBlocks(group) : 0;
  return 2 + geometry.inodeTableBlocks + head;
}
