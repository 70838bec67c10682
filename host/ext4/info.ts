/** What a file system says of itself: what `dumpe2fs -h` shows, as an object and as its text. */
import * as abi from '../../assembly/abi/ext4.ts';
import * as jbd2 from '../../assembly/abi/jbd2.ts';
import type { BlockDevice } from '../devices/types.ts';
import { get64, getBe32, isZero, textOf, uuidText } from './bytes.ts';
import { Context, Findings } from './check/context.ts';
import { runsOf } from './check/map.ts';
import { geometryFault, readGroups } from './check/super.ts';
import { featureNames } from './features.ts';
import { NoFileSystemError, readSuper } from './readsuper.ts';
import type { Superblock } from './superblock.ts';
import { Blocks, Geometry } from './volume.ts';

export interface JournalInfo {
  readonly features: readonly string[];
  readonly blocks: number;
  readonly blockSize: number;
  readonly maxTransaction: number;
  readonly fastCommitBlocks: number;
  readonly sequence: number;
  /** 0: there is nothing to replay. */
  readonly start: number;
  readonly error: number;
  readonly checksum: number | undefined;
}

export interface Ext4Info {
  /** What its features make of it. */
  readonly type: 'ext2' | 'ext3' | 'ext4';
  readonly label: string;
  readonly uuid: string;
  readonly features: readonly string[];
  readonly state: string;
  readonly needsRecovery: boolean;
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  readonly reservedBlocks: number;
  readonly inodes: number;
  readonly freeInodes: number;
  readonly inodeSize: number;
  readonly groups: number;
  /** Seconds since 1970; 0: never. */
  readonly created: number;
  readonly mounted: number;
  readonly written: number;
  readonly mounts: number;
  readonly lastMounted: string;
  readonly journal: JournalInfo | undefined;
  /** As `dumpe2fs -h` prints it, times in UTC. */
  readonly text: string;
}

const EXT4_ONLY =
  abi.INCOMPAT_EXTENTS |
  abi.INCOMPAT_64BIT |
  abi.INCOMPAT_FLEX_BG |
  abi.INCOMPAT_INLINE_DATA |
  abi.INCOMPAT_CSUM_SEED;
const EXT4_ONLY_RO =
  abi.RO_COMPAT_HUGE_FILE |
  abi.RO_COMPAT_GDT_CSUM |
  abi.RO_COMPAT_DIR_NLINK |
  abi.RO_COMPAT_EXTRA_ISIZE |
  abi.RO_COMPAT_METADATA_CSUM;

export function typeOf(sb: Superblock): 'ext2' | 'ext3' | 'ext4' {
  if (sb.incompat(EXT4_ONLY) || sb.roCompat(EXT4_ONLY_RO)) return 'ext4';
  return sb.compat(abi.COMPAT_HAS_JOURNAL) ? 'ext3' : 'ext2';
}

const JOURNAL_FEATURES: readonly (readonly [at: number, bit: number, name: string])[] = [
  [jbd2.JSB_FEATURE_COMPAT, jbd2.JBD2_COMPAT_CHECKSUM, 'journal_checksum'],
  [jbd2.JSB_FEATURE_INCOMPAT, jbd2.JBD2_INCOMPAT_REVOKE, 'journal_incompat_revoke'],
  [jbd2.JSB_FEATURE_INCOMPAT, jbd2.JBD2_INCOMPAT_64BIT, 'journal_64bit'],
  [jbd2.JSB_FEATURE_INCOMPAT, jbd2.JBD2_INCOMPAT_ASYNC_COMMIT, 'journal_async_commit'],
  [jbd2.JSB_FEATURE_INCOMPAT, jbd2.JBD2_INCOMPAT_CSUM_V2, 'journal_checksum_v2'],
  [jbd2.JSB_FEATURE_INCOMPAT, jbd2.JBD2_INCOMPAT_CSUM_V3, 'journal_checksum_v3'],
  [jbd2.JSB_FEATURE_INCOMPAT, jbd2.JBD2_INCOMPAT_FAST_COMMIT, 'fast_commit'],
];

function journalOf(device: BlockDevice, geometry: Geometry): JournalInfo | undefined {
  const { sb } = geometry;
  const ino = sb.u32(abi.SB_JOURNAL_INUM);
  if (!sb.compat(abi.COMPAT_HAS_JOURNAL) || ino === 0 || ino > sb.inodesCount) return undefined;
  const context = new Context(new Findings(), new Blocks(device, geometry.blockSize), geometry);
  const inode = readGroups(context) ? context.readInode(ino) : undefined;
  const run = inode && runsOf(context, ino, inode)[0];
  const block = run && context.read(run.block);
  if (block === undefined || getBe32(block, jbd2.JH_MAGIC) !== jbd2.JBD2_MAGIC) return undefined;
  const incompat = getBe32(block, jbd2.JSB_FEATURE_INCOMPAT);
  const hasChecksum = (incompat & (jbd2.JBD2_INCOMPAT_CSUM_V2 | jbd2.JBD2_INCOMPAT_CSUM_V3)) !== 0;
  const blocks = getBe32(block, jbd2.JSB_MAXLEN);
  const isFast = sb.compat(abi.COMPAT_FAST_COMMIT) || (incompat & jbd2.JBD2_INCOMPAT_FAST_COMMIT) !== 0;
  return {
    features: JOURNAL_FEATURES.filter(([at, bit]) => getBe32(block, at) & bit).map(([, , name]) => name),
    blocks,
    blockSize: getBe32(block, jbd2.JSB_BLOCKSIZE),
    maxTransaction: blocks,
    fastCommitBlocks: isFast ? getBe32(block, jbd2.JSB_NUM_FC_BLKS) || jbd2.JBD2_DEFAULT_FC_BLKS : 0,
    sequence: getBe32(block, jbd2.JSB_SEQUENCE),
    start: getBe32(block, jbd2.JSB_START),
    error: getBe32(block, jbd2.JSB_ERRNO),
    checksum: hasChecksum ? getBe32(block, jbd2.JSB_CHECKSUM) : undefined,
  };
}

/** @throws NoFileSystemError when there is none, or its superblock makes no sense; DiskError */
export function info(device: BlockDevice): Ext4Info {
  const sb = readSuper(device);
  const fault = geometryFault(sb, Number.POSITIVE_INFINITY);
  if (fault !== undefined) throw new NoFileSystemError(`the superblock is damaged: ${fault}`);
  const geometry = new Geometry(sb);
  const isWhole = geometryFault(sb, device.sizeBytes) === undefined;
  const journal = isWhole ? journalOf(device, geometry) : undefined;
  return {
    type: typeOf(sb),
    label: sb.label,
    uuid: sb.uuidText,
    features: featureNames(sb.features),
    state: stateOf(sb),
    needsRecovery: sb.incompat(abi.INCOMPAT_RECOVER),
    blockSize: geometry.blockSize,
    blocks: geometry.blocksCount,
    freeBlocks: sb.freeBlocks,
    reservedBlocks: sb.reservedBlocks,
    inodes: sb.inodesCount,
    freeInodes: sb.u32(abi.SB_FREE_INODES_COUNT),
    inodeSize: geometry.inodeSize,
    groups: geometry.groups,
    created: sb.u32(abi.SB_MKFS_TIME),
    mounted: sb.u32(abi.SB_MTIME),
    written: sb.u32(abi.SB_WTIME),
    mounts: sb.u16(abi.SB_MNT_COUNT),
    lastMounted: lastMounted(sb),
    journal,
    text: textOfInfo(geometry, journal),
  };
}

function lastMounted(sb: Superblock): string {
  return textOf(sb.bytes.slice(abi.SB_LAST_MOUNTED, abi.SB_LAST_MOUNTED + 64));
}

function stateOf(sb: Superblock): string {
  const state = sb.u16(abi.SB_STATE);
  return (
    (state & abi.EXT4_STATE_VALID ? 'clean' : 'not clean') +
    (state & abi.EXT4_STATE_ERROR ? ' with errors' : '')
  );
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  const day = `${time.getUTCDate()}`.padStart(2);
  return `${DAYS[time.getUTCDay()]} ${MONTHS[time.getUTCMonth()]} ${day} ${time.toISOString().slice(11, 19)} ${time.getUTCFullYear()}`;
}

const hex = (value: number, digits = 8) => `0x${value.toString(16).padStart(digits, '0')}`;

const HASHES = ['legacy', 'half_md4', 'tea'];
const ERRORS: Readonly<Record<number, string>> = { 1: 'Continue', 2: 'Remount read-only', 3: 'Panic' };
const MOUNT_OPTIONS: readonly (readonly [bit: number, name: string])[] = [
  [0x1, 'debug'],
  [0x2, 'bsdgroups'],
  [0x4, 'user_xattr'],
  [0x8, 'acl'],
  [0x10, 'uid16'],
  [0x100, 'nobarrier'],
  [0x200, 'block_validity'],
  [0x400, 'discard'],
  [0x800, 'nodelalloc'],
];
const MOUNT_DATA = ['', 'journal_data', 'journal_data_ordered', 'journal_data_writeback'];
const MOUNT_DATA_SHIFT = 5;

function mountOptions(sb: Superblock): string {
  const bits = sb.u32(abi.SB_DEFAULT_MOUNT_OPTS);
  const data = MOUNT_DATA[(bits >> MOUNT_DATA_SHIFT) & 3];
  const names = MOUNT_OPTIONS.filter(([bit]) => bits & bit).map(([, name]) => name);
  return (data === '' ? names : [data, ...names]).join(' ') || '(none)';
}

/** Lines of "name: value"; those that a file system has no use for are left out. */
function textOfInfo(geometry: Geometry, journal: JournalInfo | undefined): string {
  const lines = [
    ...whoLines(geometry),
    ...sizeLines(geometry),
    ...timeLines(geometry.sb),
    ...tailLines(geometry),
    ...journalLines(journal),
  ];
  // this one line dumpe2fs aligns with a tab
  const head = (name: string) => (name === 'Inode size' ? 'Inode size:\t         ' : `${name}:`.padEnd(25));
  return lines.map(([name, value]) => `${head(name)} ${value}\n`).join('');
}

type Line = readonly [name: string, value: string | number];

function whoLines({ sb }: Geometry): Line[] {
  const flags = sb.u32(abi.SB_FLAGS);
  const names = [
    ...(flags & abi.EXT4_FLAGS_SIGNED_HASH ? ['signed_directory_hash '] : []),
    ...(flags & abi.EXT4_FLAGS_UNSIGNED_HASH ? ['unsigned_directory_hash '] : []),
  ];
  const own = textOf(sb.bytes.slice(abi.SB_MOUNT_OPTS, abi.SB_MOUNT_OPTS + 64));
  return [
    ['Filesystem volume name', sb.label || '<none>'],
    ['Last mounted on', lastMounted(sb) || '<not available>'],
    ['Filesystem UUID', sb.uuidText],
    ['Filesystem magic number', `0x${abi.EXT4_MAGIC.toString(16).toUpperCase()}`],
    [
      'Filesystem revision #',
      sb.u32(abi.SB_REV_LEVEL) === 0 ? '0 (original)' : `${sb.u32(abi.SB_REV_LEVEL)} (dynamic)`,
    ],
    ['Filesystem features', featureNames(sb.features).join(' ') || '(none)'],
    ...(flags !== 0 ? [['Filesystem flags', names.join('')] as const] : []),
    ['Default mount options', mountOptions(sb)],
    ...(own !== '' ? [['Mount options', own] as const] : []),
    ['Filesystem state', stateOf(sb)],
    ['Errors behavior', ERRORS[sb.u16(abi.SB_ERRORS)] ?? 'Unknown (continue)'],
    ['Filesystem OS type', sb.u32(abi.SB_CREATOR_OS) === 0 ? 'Linux' : 'unknown'],
  ];
}

function sizeLines(geometry: Geometry): Line[] {
  const { sb } = geometry;
  const line = (name: string, value: number): Line[] => (value !== 0 ? [[name, value]] : []);
  return [
    ['Inode count', sb.inodesCount],
    ['Block count', sb.blocksCount],
    ['Reserved block count', sb.reservedBlocks],
    ...line('Overhead clusters', sb.u32(abi.SB_OVERHEAD_BLOCKS)),
    ['Free blocks', sb.freeBlocks],
    ['Free inodes', sb.u32(abi.SB_FREE_INODES_COUNT)],
    ['First block', sb.firstDataBlock],
    ['Block size', geometry.blockSize],
    ['Fragment size', geometry.blockSize],
    ...(sb.is64bit ? line('Group descriptor size', geometry.descriptorSize) : []),
    ...line('Reserved GDT blocks', sb.u16(abi.SB_RESERVED_GDT_BLOCKS)),
    ['Blocks per group', sb.blocksPerGroup],
    ['Fragments per group', sb.u32(abi.SB_CLUSTERS_PER_GROUP)],
    ['Inodes per group', sb.inodesPerGroup],
    ['Inode blocks per group', geometry.inodeTableBlocks],
    ...line('First meta block group', sb.u32(abi.SB_FIRST_META_BG)),
    ...line('RAID stride', sb.u16(abi.SB_RAID_STRIDE)),
    ...line('RAID stripe width', sb.u32(abi.SB_RAID_STRIPE_WIDTH)),
    ...(sb.u8(abi.SB_LOG_GROUPS_PER_FLEX)
      ? line('Flex block group size', 2 ** sb.u8(abi.SB_LOG_GROUPS_PER_FLEX))
      : []),
  ];
}

function timeLines(sb: Superblock): Line[] {
  const time = (at: number) => (sb.u32(at) === 0 ? 'n/a' : timeText(sb.u32(at)));
  const interval = sb.u32(abi.SB_CHECKINTERVAL);
  const most = sb.u16(abi.SB_MAX_MNT_COUNT);
  const kilobytes = get64(sb.bytes, abi.SB_KBYTES_WRITTEN);
  const amount = unitText(kilobytes);
  return [
    ...(sb.u32(abi.SB_MKFS_TIME) !== 0
      ? [['Filesystem created', timeText(sb.u32(abi.SB_MKFS_TIME))] as const]
      : []),
    ['Last mount time', time(abi.SB_MTIME)],
    ['Last write time', timeText(sb.u32(abi.SB_WTIME))],
    ['Mount count', sb.u16(abi.SB_MNT_COUNT)],
    ['Maximum mount count', most >= 0x8000 ? most - 0x10000 : most],
    ['Last checked', timeText(sb.u32(abi.SB_LASTCHECK))],
    ['Check interval', `${interval} (${interval === 0 ? '<none>' : `${interval} seconds`})`],
    ...(kilobytes !== 0 ? [['Lifetime writes', amount] as const] : []),
    [
      'Reserved blocks uid',
      `${sb.u16(abi.SB_DEF_RESUID)} (user ${sb.u16(abi.SB_DEF_RESUID) === 0 ? 'root' : 'unknown'})`,
    ],
    [
      'Reserved blocks gid',
      `${sb.u16(abi.SB_DEF_RESGID)} (group ${sb.u16(abi.SB_DEF_RESGID) === 0 ? 'root' : 'unknown'})`,
    ],
  ];
}

/** So many KiB, in the largest unit that leaves four digits or fewer. */
function unitText(kilobytes: number): string {
  let value = kilobytes;
  for (const unit of ['kB', 'MB', 'GB']) {
    if (value < 8192) return `${value} ${unit}`;
    value = Math.floor((value + 512) / 1024);
  }
  return `${value} TB`;
}

function tailLines({ sb, inodeSize }: Geometry): Line[] {
  const line = (name: string, at: number): Line[] => (sb.u32(at) !== 0 ? [[name, sb.u32(at)]] : []);
  const isLarge = inodeSize > abi.EXT4_GOOD_OLD_INODE_SIZE;
  const backups = [sb.u32(abi.SB_BACKUP_BGS), sb.u32(abi.SB_BACKUP_BGS + 4)].filter((group) => group !== 0);
  const journalUuid = sb.bytes.slice(abi.SB_JOURNAL_UUID, abi.SB_JOURNAL_UUID + 16);
  const hash = sb.u8(abi.SB_DEF_HASH_VERSION);
  return [
    ['First inode', sb.firstInode],
    ['Inode size', inodeSize],
    ...(isLarge && sb.u16(abi.SB_MIN_EXTRA_ISIZE)
      ? [['Required extra isize', sb.u16(abi.SB_MIN_EXTRA_ISIZE)] as const]
      : []),
    ...(isLarge && sb.u16(abi.SB_WANT_EXTRA_ISIZE)
      ? [['Desired extra isize', sb.u16(abi.SB_WANT_EXTRA_ISIZE)] as const]
      : []),
    ...(isZero(journalUuid) ? [] : [['Journal UUID', uuidText(journalUuid)] as const]),
    ...line('Journal inode', abi.SB_JOURNAL_INUM),
    ...(sb.u32(abi.SB_JOURNAL_DEV) ? [['Journal device', hex(sb.u32(abi.SB_JOURNAL_DEV), 4)] as const] : []),
    ...line('First orphan inode', abi.SB_LAST_ORPHAN),
    ...(sb.compat(abi.COMPAT_DIR_INDEX)
      ? [['Default directory hash', HASHES[hash] ?? `hash_${hash}`] as const]
      : []),
    ...(isZero(sb.bytes, abi.SB_HASH_SEED, abi.SB_HASH_SEED + 16)
      ? []
      : [['Directory Hash Seed', uuidText(sb.bytes.slice(abi.SB_HASH_SEED))] as const]),
    ...(sb.u8(abi.SB_JNL_BACKUP_TYPE) ? [['Journal backup', 'inode blocks'] as const] : []),
    ...(sb.compat(abi.COMPAT_SPARSE_SUPER2)
      ? [['Backup block groups', backups.map((group) => `${group} `).join('') || 'none'] as const]
      : []),
    ...line('FS Error count', abi.SB_ERROR_COUNT),
    ...(sb.incompat(abi.INCOMPAT_MMP) ? line('MMP block number', abi.SB_MMP_BLOCK) : []),
    ...(sb.incompat(abi.INCOMPAT_MMP) ? [['MMP update interval', sb.u16(abi.SB_MMP_INTERVAL)] as const] : []),
    ...line('User quota inode', abi.SB_USR_QUOTA_INUM),
    ...line('Group quota inode', abi.SB_GRP_QUOTA_INUM),
    ...line('Project quota inode', abi.SB_PRJ_QUOTA_INUM),
    ...(sb.hasMetadataCsum
      ? ([
          ['Checksum type', sb.u8(abi.SB_CHECKSUM_TYPE) === 1 ? 'crc32c' : 'unknown'],
          ['Checksum', hex(sb.u32(abi.SB_CHECKSUM))],
        ] as const)
      : []),
    ...(sb.incompat(abi.INCOMPAT_CSUM_SEED)
      ? [['Checksum seed', hex(sb.u32(abi.SB_CHECKSUM_SEED))] as const]
      : []),
    ...(sb.compat(abi.COMPAT_ORPHAN_FILE) ? line('Orphan file inode', abi.SB_ORPHAN_FILE_INUM) : []),
  ];
}

function journalLines(journal: JournalInfo | undefined): Line[] {
  if (journal === undefined) return [];
  const kilobytes = (journal.blocks * journal.blockSize) / 1024;
  return [
    ['Journal features', journal.features.join(' ') || '(none)'],
    ['Total journal size', kilobytes < 8192 ? `${kilobytes}k` : `${Math.floor(kilobytes / 1024)}M`],
    ['Total journal blocks', journal.blocks],
    ['Max transaction length', journal.maxTransaction - journal.fastCommitBlocks],
    ['Fast commit length', journal.fastCommitBlocks],
    ['Journal sequence', hex(journal.sequence)],
    ['Journal start', journal.start],
    ...(journal.checksum === undefined
      ? []
      : ([
          ['Journal checksum type', 'crc32c'],
          ['Journal checksum', hex(journal.checksum)],
        ] as const)),
    ...(journal.error === 0 ? [] : [['Journal errno', journal.error - 2 ** 32] as const]),
  ];
}
