/** The superblock, its backups, and the group descriptors. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { get16, get32, isZero, sameBytes } from '../bytes.ts';
import { groupChecksum } from '../checksums.ts';
import { featureNames } from '../features.ts';
import { Superblock } from '../superblock.ts';
import { Geometry } from '../volume.ts';
import type { Context, Findings } from './context.ts';

const INCOMPAT_KNOWN =
  abi.INCOMPAT_FILETYPE |
  abi.INCOMPAT_RECOVER |
  abi.INCOMPAT_META_BG |
  abi.INCOMPAT_EXTENTS |
  abi.INCOMPAT_64BIT |
  abi.INCOMPAT_MMP |
  abi.INCOMPAT_FLEX_BG |
  abi.INCOMPAT_EA_INODE |
  abi.INCOMPAT_CSUM_SEED |
  abi.INCOMPAT_LARGEDIR |
  abi.INCOMPAT_INLINE_DATA;
const RO_COMPAT_KNOWN =
  abi.RO_COMPAT_SPARSE_SUPER |
  abi.RO_COMPAT_LARGE_FILE |
  abi.RO_COMPAT_HUGE_FILE |
  abi.RO_COMPAT_GDT_CSUM |
  abi.RO_COMPAT_DIR_NLINK |
  abi.RO_COMPAT_EXTRA_ISIZE |
  abi.RO_COMPAT_QUOTA |
  abi.RO_COMPAT_METADATA_CSUM |
  abi.RO_COMPAT_PROJECT |
  abi.RO_COMPAT_VERITY |
  abi.RO_COMPAT_ORPHAN_PRESENT;
/** How far times may be ahead: clocks of machines that boot without one. */
const FUDGE_SECONDS = 86400;

/** Why nothing more can be said of a file system with this superblock, or undefined. */
export function geometryFault(sb: Superblock, sizeBytes: number): string | undefined {
  const log = sb.logBlockSize;
  if (log > 6) return `the block size is 1024 << ${log}`;
  const size = sb.blockSize;
  const perGroup = sb.blocksPerGroup;
  const inodeSize = sb.inodeSize;
  if (sb.firstDataBlock !== (log === 0 ? 1 : 0)) return `the first data block is ${sb.firstDataBlock}`;
  if (perGroup < 8 || perGroup > size * 8 || perGroup % 8 !== 0)
    return `there are ${perGroup} blocks to a group`;
  if (inodeSize < 128 || inodeSize > size || (inodeSize & (inodeSize - 1)) !== 0)
    return `an inode has ${inodeSize} bytes`;
  const inodes = sb.inodesPerGroup;
  if (inodes < size / inodeSize || inodes > size * 8 || inodes % 8 !== 0)
    return `there are ${inodes} inodes to a group`;
  const desc = sb.descriptorSize;
  if (sb.is64bit && (desc < 64 || desc > size || (desc & (desc - 1)) !== 0))
    return `a descriptor has ${desc} bytes`;
  if (sb.blocksCount <= sb.firstDataBlock) return `there are ${sb.blocksCount} blocks`;
  if (sb.blocksCount * size > sizeBytes)
    return `the file system has ${sb.blocksCount} blocks, and the device ${Math.floor(sizeBytes / size)}`;
  const geometry = new Geometry(sb);
  if (sb.inodesCount !== geometry.groups * inodes)
    return `there are ${sb.inodesCount} inodes in ${geometry.groups} groups of ${inodes}`;
  if (sb.u16(abi.SB_RESERVED_GDT_BLOCKS) > size / 4) return 'there are too many reserved descriptor blocks';
  if (geometry.headBlocks(0) >= geometry.groupBlocks(0)) return 'the descriptors do not fit into a group';
  return undefined;
}

/** Features that a check does not know, by name. */
export function unknownFeatures(sb: Superblock): string[] {
  const { incompat, roCompat } = sb.features;
  return featureNames({
    compat: 0,
    incompat: (incompat & ~INCOMPAT_KNOWN) >>> 0,
    roCompat: (roCompat & ~RO_COMPAT_KNOWN) >>> 0,
  });
}

/** What a sound geometry can still have wrong in its superblock. */
export function checkSuper(context: Context, nowSeconds: number): void {
  const { sb, geometry } = context;
  const find = (rule: string, message: string, fixable = false) => context.find(rule, message, { fixable });
  if (sb.reservedBlocks > Math.floor(geometry.blocksCount / 2))
    find('super.reserved', `${sb.reservedBlocks} blocks are reserved`);
  if (sb.u32(abi.SB_LOG_CLUSTER_SIZE) !== sb.logBlockSize)
    find('super.cluster', 'clusters are not blocks, without bigalloc');
  if (sb.u32(abi.SB_CLUSTERS_PER_GROUP) !== sb.blocksPerGroup)
    find('super.cluster', 'a group has not as many clusters as blocks');
  if (sb.u32(abi.SB_REV_LEVEL) > 1) find('super.revision', `revision ${sb.u32(abi.SB_REV_LEVEL)}`);
  if (sb.firstInode < abi.EXT4_GOOD_OLD_FIRST_INO || sb.firstInode > sb.inodesCount)
    find('super.firstInode', `the first inode is ${sb.firstInode}`);
  if (isZero(sb.uuid)) find('super.uuid', 'there is no UUID', true);
  for (const [at, what] of [
    [abi.SB_MTIME, 'mount'],
    [abi.SB_WTIME, 'write'],
  ] as const) {
    if (sb.u32(at) > nowSeconds + FUDGE_SECONDS)
      find('super.time', `the last ${what} time is in the future`, true);
  }
  if (sb.hasMetadataCsum && sb.u8(abi.SB_CHECKSUM_TYPE) !== 1)
    find('super.checksumType', 'checksums are of an unknown type');
  if (geometry.inodeSize > abi.EXT4_GOOD_OLD_INODE_SIZE) {
    const most = geometry.inodeSize - abi.EXT4_GOOD_OLD_INODE_SIZE;
    for (const at of [abi.SB_MIN_EXTRA_ISIZE, abi.SB_WANT_EXTRA_ISIZE]) {
      const extra = sb.u16(at);
      if (extra > most || extra % 4 !== 0)
        find('super.extraIsize', `inodes are to have ${extra} more bytes`, true);
    }
  }
  checkFeatureCombinations(context);
}

function checkFeatureCombinations(context: Context): void {
  const { sb } = context;
  const find = (message: string) => context.find('super.features', message, { fixable: true });
  if (sb.hasMetadataCsum && sb.roCompat(abi.RO_COMPAT_GDT_CSUM))
    find('metadata_csum and uninit_bg are both set');
  if (sb.incompat(abi.INCOMPAT_CSUM_SEED) && !sb.hasMetadataCsum)
    find('metadata_csum_seed without metadata_csum');
  if (sb.incompat(abi.INCOMPAT_META_BG) && sb.compat(abi.COMPAT_RESIZE_INODE))
    find('resize_inode and meta_bg are both set');
  if (
    !sb.compat(abi.COMPAT_RESIZE_INODE) &&
    !sb.incompat(abi.INCOMPAT_META_BG) &&
    sb.u16(abi.SB_RESERVED_GDT_BLOCKS) !== 0
  )
    context.find('super.reservedDescriptors', 'descriptor blocks are reserved without resize_inode', {
      fixable: true,
    });
  if (sb.is64bit && !sb.incompat(abi.INCOMPAT_EXTENTS)) find('64bit without extents');
}

/** Read the descriptors. False: there is no going on. */
export function readGroups(context: Context): boolean {
  const { geometry, groups } = context;
  for (let n = 0; n < geometry.descriptorBlocks; n++) {
    const block = geometry.descriptorBlock(n);
    if (block >= geometry.blocksCount) return false;
    const bytes = context.read(block);
    if (bytes === undefined) return false;
    groups.bytes.set(bytes, n * geometry.blockSize);
  }
  return true;
}

/** Where descriptors say that things are, and their checksums. False: some place cannot be. */
export function checkGroups(context: Context): boolean {
  const { geometry, groups, sb, seed } = context;
  let isSound = true;
  const isFlex = sb.incompat(abi.INCOMPAT_FLEX_BG);
  for (let number = 0; number < geometry.groups; number++) {
    const group = groups.at(number);
    const first = isFlex ? geometry.firstDataBlock : geometry.groupFirst(number);
    const end = isFlex ? geometry.blocksCount : first + geometry.groupBlocks(number);
    for (const [what, at, count, low, high] of [
      ['block bitmap', group.blockBitmap, 1, abi.BG_BLOCK_BITMAP_LO, abi.BG_BLOCK_BITMAP_HI],
      ['inode bitmap', group.inodeBitmap, 1, abi.BG_INODE_BITMAP_LO, abi.BG_INODE_BITMAP_HI],
      [
        'inode table',
        group.inodeTable,
        geometry.inodeTableBlocks,
        abi.BG_INODE_TABLE_LO,
        abi.BG_INODE_TABLE_HI,
      ],
    ] as const) {
      if (at >= Math.max(first, 1) && at + count <= end) continue;
      isSound = false;
      // A number of 64 bits, which a double may not hold.
      const isExact = Number.isSafeInteger(at);
      const shown = isExact
        ? at
        : (BigInt(get32(group.bytes, high)) << 32n) | BigInt(get32(group.bytes, low));
      context.find('group.place', `The ${what} of group ${number} is at block ${shown}`, {
        group: number,
        ...(isExact && { block: at }),
      });
    }
    const uninit = group.flags & (abi.BG_INODE_UNINIT | abi.BG_BLOCK_UNINIT);
    if (!sb.hasGroupCsum && (uninit !== 0 || group.unusedInodes !== 0))
      context.find('group.flags', `Group ${number} is marked uninitialized, without the feature`, {
        group: number,
        fixable: true,
      });
    if (sb.hasGroupCsum && get16(group.bytes, abi.BG_CHECKSUM) !== groupChecksum(sb, seed, number, group))
      context.find('group.checksum', `The descriptor of group ${number} has a wrong checksum`, {
        group: number,
      });
  }
  return isSound;
}

/** Superblock copies: what never changes after mkfs, or only by growing, which writes them all. */
export function checkBackups(context: Context): void {
  const { geometry, sb } = context;
  for (let number = 1; number < geometry.groups; number++) {
    if (!geometry.hasSuper(number)) continue;
    const block = geometry.groupFirst(number);
    const bytes = context.read(block);
    if (bytes === undefined) continue;
    const copy = new Superblock(bytes.slice(0, abi.SB_SIZE));
    const isSame =
      copy.u16(abi.SB_MAGIC) === abi.EXT4_MAGIC &&
      copy.blocksCount === sb.blocksCount &&
      copy.inodesCount === sb.inodesCount &&
      copy.blocksPerGroup === sb.blocksPerGroup &&
      copy.u16(abi.SB_BLOCK_GROUP_NR) === number &&
      sameBytes(copy.uuid, sb.uuid) &&
      copy.isChecksumRight;
    if (!isSame)
      context.find('super.backup', `The superblock's copy in group ${number} is damaged or out of date`, {
        group: number,
        block,
        fixable: true,
        note: true,
      });
  }
}

/** The superblock at its place, sound enough to go on; findings say why not. */
export function soundSuper(
  findings: Findings,
  bytes: Uint8Array<ArrayBuffer>,
  sizeBytes: number,
): Geometry | undefined {
  const sb = new Superblock(bytes);
  const find = (rule: string, message: string) => findings.add(rule, message);
  if (sb.u16(abi.SB_MAGIC) !== abi.EXT4_MAGIC) {
    find('super.magic', 'There is no ext2, ext3 or ext4 superblock');
    return undefined;
  }
  if (!sb.isChecksumRight) find('super.checksum', "The superblock's checksum is wrong");
  if (sb.incompat(abi.INCOMPAT_JOURNAL_DEV)) {
    find('super.features', 'This is the external journal of some file system');
    return undefined;
  }
  const unknown = unknownFeatures(sb);
  if (unknown.length > 0) {
    find('super.features', `Not known to this check: ${unknown.join(', ')}`);
    return undefined;
  }
  const fault = geometryFault(sb, sizeBytes);
  if (fault !== undefined) {
    find('super.geometry', `The superblock is damaged: ${fault}`);
    return undefined;
  }
  return new Geometry(sb);
}
