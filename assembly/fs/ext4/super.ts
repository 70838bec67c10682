/**
 * ext4: the superblock (super.rst) and the table of group descriptors: read, every bound checked,
 * parsed into an Ext4Mount; and stored again.
 *
 * Free counts are kept in RAM from mount on, summed over the descriptors, which are right after a
 * replay when the superblock's own counts need not be. They go back when the file system is synced
 * or unmounted.
 */
import { EFBIG, EINVAL, ENOMEM, EUCLEAN } from '../../abi/errno';
import {
  BG_SIZE_32,
  BG_SIZE_64,
  COMPAT_HAS_JOURNAL,
  DX_HASH_LEGACY_UNSIGNED,
  DX_HASH_TEA,
  EXT4_FLAGS_UNSIGNED_HASH,
  EXT4_GOOD_OLD_FIRST_INO,
  EXT4_GOOD_OLD_INODE_SIZE,
  EXT4_MAGIC,
  EXT4_NDIR_BLOCKS,
  I_END,
  INCOMPAT_64BIT,
  INCOMPAT_CSUM_SEED,
  INCOMPAT_META_BG,
  RO_COMPAT_BIGALLOC,
  RO_COMPAT_HUGE_FILE,
  SB_BLOCKS_COUNT_HI,
  SB_BLOCKS_COUNT_LO,
  SB_BLOCKS_PER_GROUP,
  SB_CHECKSUM,
  SB_CHECKSUM_SEED,
  SB_CHECKSUM_TYPE,
  SB_DEF_HASH_VERSION,
  SB_DEF_RESGID,
  SB_DEF_RESUID,
  SB_DESC_SIZE,
  SB_ERRORS,
  SB_FEATURE_COMPAT,
  SB_FEATURE_INCOMPAT,
  SB_FEATURE_RO_COMPAT,
  SB_FIRST_DATA_BLOCK,
  SB_FIRST_INO,
  SB_FIRST_META_BG,
  SB_FLAGS,
  SB_FREE_BLOCKS_COUNT_HI,
  SB_FREE_BLOCKS_COUNT_LO,
  SB_FREE_INODES_COUNT,
  SB_INODE_SIZE,
  SB_INODES_COUNT,
  SB_INODES_PER_GROUP,
  SB_JNL_BACKUP_TYPE,
  SB_JNL_BLOCKS,
  SB_LOG_BLOCK_SIZE,
  SB_LOG_CLUSTER_SIZE,
  SB_LOG_GROUPS_PER_FLEX,
  SB_MAGIC,
  SB_MIN_EXTRA_ISIZE,
  SB_OFFSET,
  SB_R_BLOCKS_COUNT_HI,
  SB_R_BLOCKS_COUNT_LO,
  SB_RESERVED_GDT_BLOCKS,
  SB_REV_LEVEL,
  SB_UUID,
  SB_WANT_EXTRA_ISIZE,
  SB_WTIME,
} from '../../abi/ext4';
import { clockNow } from '../../kern/clock';
import { frameArrayAt, frameArrayFree, frameArrayGrow } from '../../vm/array';
import { bread, brelse, bufWrite } from '../../vfs/buf';
import { FSCACHE_MAX_BYTES } from '../../vfs/fscache';
import { crc32c } from './crc';
import { ext4Error, ext4Log } from './error';
import { featuresCheck } from './features';
import {
  gdBlockBitmap,
  gdFreeBlocks,
  gdFreeInodes,
  gdInodeBitmap,
  gdInodeTable,
  gdItableUnused,
  gdUsedDirs,
  groupCsumOk,
  groupDesc,
  groupDescBlock,
  groupHasSuper,
  groupInfo,
} from './group';
import { ext4BufError, ext4Dirty, nowSec32 } from './txn';
import {
  blockInRange,
  EM_SBDIRTY,
  Ext4Mount,
  GI_BBITMAP_BAD,
  GI_IBITMAP_BAD,
  groupBlocks,
  hasCompat,
  hasCsum,
  hasIncompat,
  hasRoCompat,
} from './types';

const SB_SHIFT: u32 = 10;
const UUID_BYTES: u32 = 16;
/** In s_jnl_blocks: the inode's i_size behind its i_block and i_size_high. */
const JNL_SIZE_LO: u32 = 64;
const CSUM_CRC32C: u32 = 1;
/** Blocks of 1, 2 and 4 KiB: those that a page holds. */
const LOG_BLOCK_MAX: u32 = 2;

/** The superblock's buffer, held in em_sb: 0, -EINVAL (none there) or an I/O error. */
export function superRead(em: Ext4Mount): i32 {
  const sb = bread(em.em_fc, SB_OFFSET >> SB_SHIFT, SB_SHIFT);
  if (sb == 0) return ext4BufError();
  em.em_sb = <u32>sb;
  if (<u32>load<u16>(sb + SB_MAGIC) == EXT4_MAGIC) return 0;
  superDrop(em);
  return -EINVAL;
}

export function superDrop(em: Ext4Mount): void {
  if (em.em_sb != 0) brelse(<usize>em.em_sb);
  em.em_sb = 0;
}

/** -EINVAL, with the reason in the log. */
function refuse(em: Ext4Mount, why: string, value: u64): i32 {
  ext4Log(em, why, value);
  return -EINVAL;
}

function sbSum(sb: usize): u32 {
  return crc32c(~0, sb, SB_CHECKSUM);
}

/** Parse the superblock at em_sb: 0, or -EINVAL, -EUCLEAN, -EFBIG with the reason in the log. */
export function superParse(em: Ext4Mount, deviceBytes: u64): i32 {
  const sb = <usize>em.em_sb;
  const dynamic = load<u32>(sb + SB_REV_LEVEL) != 0;
  em.em_compat = dynamic ? load<u32>(sb + SB_FEATURE_COMPAT) : 0;
  em.em_incompat = dynamic ? load<u32>(sb + SB_FEATURE_INCOMPAT) : 0;
  em.em_rocompat = dynamic ? load<u32>(sb + SB_FEATURE_RO_COMPAT) : 0;
  if (hasCsum(em)) {
    if (<u32>load<u8>(sb + SB_CHECKSUM_TYPE) != CSUM_CRC32C) return refuse(em, 'checksum type not known', load<u8>(sb + SB_CHECKSUM_TYPE));
    if (sbSum(sb) != load<u32>(sb + SB_CHECKSUM)) {
      ext4Log(em, 'superblock: checksum wrong', 0);
      return -EUCLEAN;
    }
  }
  let e = featuresCheck(em);
  if (e == 0) e = parseSizes(em, sb, dynamic);
  if (e == 0) e = parseGroups(em, sb, deviceBytes);
  if (e == 0) parseRest(em, sb);
  return e;
}

function parseSizes(em: Ext4Mount, sb: usize, dynamic: bool): i32 {
  const log = load<u32>(sb + SB_LOG_BLOCK_SIZE);
  if (log > LOG_BLOCK_MAX) return refuse(em, 'block size not supported: 1024 <<', log);
  em.em_bshift = SB_SHIFT + log;
  em.em_bsize = 1 << em.em_bshift;
  em.em_sbblock = SB_OFFSET >> em.em_bshift;
  em.em_sbbuf = em.em_sb - (SB_OFFSET & (em.em_bsize - 1));
  const isize: u32 = dynamic ? <u32>load<u16>(sb + SB_INODE_SIZE) : EXT4_GOOD_OLD_INODE_SIZE;
  if (isize < EXT4_GOOD_OLD_INODE_SIZE || isize > em.em_bsize || (isize & (isize - 1)) != 0) {
    return refuse(em, 'superblock: inode size', isize);
  }
  em.em_isize = isize;
  em.em_firstino = dynamic ? load<u32>(sb + SB_FIRST_INO) : EXT4_GOOD_OLD_FIRST_INO;
  let desc: u32 = BG_SIZE_32;
  if (hasIncompat(em, INCOMPAT_64BIT)) desc = <u32>load<u16>(sb + SB_DESC_SIZE);
  const least = hasIncompat(em, INCOMPAT_64BIT) ? BG_SIZE_64 : BG_SIZE_32;
  if (desc < least || desc > <u32>1 << SB_SHIFT || (desc & (desc - 1)) != 0) return refuse(em, 'superblock: descriptor size', desc);
  em.em_descsize = desc;
  em.em_dpb = em.em_bsize / desc;
  em.em_dpbshift = ctz(em.em_dpb);
  const extra = <u32>load<u16>(sb + SB_WANT_EXTRA_ISIZE);
  const min = <u32>load<u16>(sb + SB_MIN_EXTRA_ISIZE);
  let want = I_END - EXT4_GOOD_OLD_INODE_SIZE;
  if (extra > want) want = extra;
  if (min > want) want = min;
  const room = isize - EXT4_GOOD_OLD_INODE_SIZE;
  em.em_wantextra = (want & 3) != 0 || want > room ? (room < 32 ? 0 : I_END - EXT4_GOOD_OLD_INODE_SIZE) : want;
  return 0;
}

function parseGroups(em: Ext4Mount, sb: usize, deviceBytes: u64): i32 {
  em.em_first = load<u32>(sb + SB_FIRST_DATA_BLOCK);
  em.em_bpg = load<u32>(sb + SB_BLOCKS_PER_GROUP);
  em.em_ipg = load<u32>(sb + SB_INODES_PER_GROUP);
  em.em_inodes = load<u32>(sb + SB_INODES_COUNT);
  em.em_blocks = load<u32>(sb + SB_BLOCKS_COUNT_LO);
  const wide = hasIncompat(em, INCOMPAT_64BIT);
  if (wide) em.em_blocks |= <u64>load<u32>(sb + SB_BLOCKS_COUNT_HI) << 32;
  let bits = em.em_bsize << 3;
  if (hasRoCompat(em, RO_COMPAT_BIGALLOC)) {
    const ratio = load<u32>(sb + SB_LOG_CLUSTER_SIZE) - load<u32>(sb + SB_LOG_BLOCK_SIZE);
    if (ratio > 15) return refuse(em, 'superblock: cluster size', load<u32>(sb + SB_LOG_CLUSTER_SIZE));
    bits <<= ratio;
  } else if (em.em_first != (em.em_bshift == SB_SHIFT ? 1 : 0)) return refuse(em, 'superblock: first data block', em.em_first);
  if (em.em_first > 1) return refuse(em, 'superblock: first data block', em.em_first);
  if (em.em_bpg < 256 || em.em_bpg > bits || (em.em_bpg & 7) != 0) return refuse(em, 'superblock: blocks per group', em.em_bpg);
  const perBlock = em.em_bsize / em.em_isize;
  if (em.em_ipg < perBlock || em.em_ipg > em.em_bsize << 3 || em.em_ipg % perBlock != 0 || (em.em_ipg & 7) != 0) {
    return refuse(em, 'superblock: inodes per group', em.em_ipg);
  }
  em.em_itblocks = em.em_ipg / perBlock;
  if (em.em_blocks <= <u64>em.em_first + 4 || em.em_blocks > deviceBytes >> em.em_bshift) {
    return refuse(em, 'superblock: blocks of a device that has not as many', em.em_blocks);
  }
  const groups = (em.em_blocks - em.em_first + em.em_bpg - 1) / em.em_bpg;
  if (groups > <u64>u32.MAX_VALUE / em.em_ipg) return -EFBIG;
  em.em_groups = <u32>groups;
  if (em.em_groups * em.em_ipg != em.em_inodes) return refuse(em, 'superblock: inodes', em.em_inodes);
  if (em.em_firstino < EXT4_GOOD_OLD_FIRST_INO || em.em_firstino > em.em_inodes) return refuse(em, 'superblock: first inode', em.em_firstino);
  if (hasIncompat(em, INCOMPAT_META_BG) && load<u32>(sb + SB_FIRST_META_BG) > descBlocks(em)) {
    return refuse(em, 'superblock: first meta group', load<u32>(sb + SB_FIRST_META_BG));
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function descBlocks(em: Ext4Mount): u32 {
  return (em.em_groups + em.em_dpb - 1) >> em.em_dpbshift;
}

function parseRest(em: Ext4Mount, sb: usize): void {
  em.em_rblocks = load<u32>(sb + SB_R_BLOCKS_COUNT_LO);
  if (hasIncompat(em, INCOMPAT_64BIT)) em.em_rblocks |= <u64>load<u32>(sb + SB_R_BLOCKS_COUNT_HI) << 32;
  if (em.em_rblocks > em.em_blocks) em.em_rblocks = 0;
  em.em_resuid = <u32>load<u16>(sb + SB_DEF_RESUID);
  em.em_resgid = <u32>load<u16>(sb + SB_DEF_RESGID);
  const flex = <u32>load<u8>(sb + SB_LOG_GROUPS_PER_FLEX);
  em.em_flexshift = flex < 32 ? flex : 0;
  em.em_errors = <u32>load<u16>(sb + SB_ERRORS);
  em.em_csumseed = hasIncompat(em, INCOMPAT_CSUM_SEED)
    ? load<u32>(sb + SB_CHECKSUM_SEED)
    : crc32c(~0, sb + SB_UUID, UUID_BYTES);
  const hash = <u32>load<u8>(sb + SB_DEF_HASH_VERSION);
  em.em_hashver = hash > DX_HASH_TEA ? 1 : hash;
  if (load<u32>(sb + SB_FLAGS) & EXT4_FLAGS_UNSIGNED_HASH) em.em_hashver += DX_HASH_LEGACY_UNSIGNED;
  em.em_maxext = (<u64>u32.MAX_VALUE << em.em_bshift) - 1;
  const p = <u64>(em.em_bsize >> 2);
  em.em_maxmap = ((EXT4_NDIR_BLOCKS + p + p * p + p * p * p) << em.em_bshift) - 1;
  // i_blocks counts 512-byte units in 32 bits, the map's own blocks included
  const counted = ((<u64>1 << 41) - (<u64>1 << 33)) - 1;
  if (!hasRoCompat(em, RO_COMPAT_HUGE_FILE)) {
    if (em.em_maxext > counted) em.em_maxext = counted;
    if (em.em_maxmap > counted) em.em_maxmap = counted;
  }
  if (em.em_maxext > FSCACHE_MAX_BYTES) em.em_maxext = FSCACHE_MAX_BYTES;
  if (em.em_maxmap > FSCACHE_MAX_BYTES) em.em_maxmap = FSCACHE_MAX_BYTES;
}

// ── group descriptors ────────────────────────────────────────────────────────────────────────

/** Hold every descriptor block and check every descriptor: 0, -ENOMEM, -EUCLEAN, an I/O error. */
export function groupsLoad(em: Ext4Mount): i32 {
  const n = descBlocks(em);
  const gdt = em.em_gdt;
  while (gdt.fa_len < n) {
    if (gdt.fa_len == gdt.fa_cap && frameArrayGrow(gdt) != 0) return -ENOMEM;
    const block = groupDescBlock(em, gdt.fa_len);
    const b = block < em.em_blocks ? bread(em.em_fc, block, em.em_bshift) : 0;
    if (b == 0) return block < em.em_blocks ? ext4BufError() : ext4Error(em, 'descriptor table', 0, block);
    store<u32>(frameArrayAt(gdt, gdt.fa_len), <u32>b);
    gdt.fa_len++;
  }
  const info = em.em_ginfo;
  while (info.fa_cap < em.em_groups) if (frameArrayGrow(info) != 0) return -ENOMEM;
  info.fa_len = em.em_groups;
  return groupsCheck(em);
}

export function groupsDrop(em: Ext4Mount): void {
  const gdt = em.em_gdt;
  for (let i: u32 = 0; i < gdt.fa_len; i++) brelse(<usize>load<u32>(frameArrayAt(gdt, i)));
  frameArrayFree(gdt);
  frameArrayFree(em.em_ginfo);
}

/** G2 of group.ts, and the sums. */
function groupsCheck(em: Ext4Mount): i32 {
  em.em_freeblocks = 0;
  em.em_freeinodes = 0;
  em.em_dirs = 0;
  for (let g: u32 = 0; g < em.em_groups; g++) {
    const gd = groupDesc(em, g);
    if (!groupCsumOk(em, g, gd)) return ext4Error(em, 'group descriptor: checksum', 0, g);
    if (
      !blockInRange(em, gdBlockBitmap(em, gd), 1) ||
      !blockInRange(em, gdInodeBitmap(em, gd), 1) ||
      !blockInRange(em, gdInodeTable(em, gd), em.em_itblocks)
    ) {
      return ext4Error(em, 'group descriptor: blocks', 0, g);
    }
    countGroup(em, g, gd);
  }
  return 0;
}

/** A group whose counts cannot be is left alone by the allocators. */
function countGroup(em: Ext4Mount, g: u32, gd: usize): void {
  const gi = groupInfo(em, g);
  store<u32>(gi, 0);
  const blocks = gdFreeBlocks(em, gd);
  if (blocks <= groupBlocks(em, g)) em.em_freeblocks += blocks;
  else store<u32>(gi, GI_BBITMAP_BAD);
  const inodes = gdFreeInodes(em, gd);
  const dirs = gdUsedDirs(em, gd);
  if (inodes <= em.em_ipg && dirs <= em.em_ipg - inodes && gdItableUnused(em, gd) <= em.em_ipg) {
    em.em_freeinodes += inodes;
    em.em_dirs += dirs;
  } else store<u32>(gi, load<u32>(gi) | GI_IBITMAP_BAD);
}

/** Blocks of the journal, by the copy that the superblock keeps of its inode's size. */
function journalBlocks(em: Ext4Mount): u64 {
  const sb = <usize>em.em_sb;
  if (!hasCompat(em, COMPAT_HAS_JOURNAL) || load<u8>(sb + SB_JNL_BACKUP_TYPE) == 0) return 0;
  return <u64>load<u32>(sb + SB_JNL_BLOCKS, JNL_SIZE_LO) >> em.em_bshift;
}

/** Blocks that mkfs laid out and that no file can have. */
export function superOverhead(em: Ext4Mount): void {
  const sb = <usize>em.em_sb;
  let n: u64 = <u64>em.em_first + journalBlocks(em) + <u64>em.em_groups * (2 + em.em_itblocks);
  const meta = hasIncompat(em, INCOMPAT_META_BG);
  const table = meta ? load<u32>(sb + SB_FIRST_META_BG) : descBlocks(em);
  const kept: u64 = <u64>table + (meta ? 0 : <u32>load<u16>(sb + SB_RESERVED_GDT_BLOCKS));
  for (let g: u32 = 0; g < em.em_groups; g++) {
    if (groupHasSuper(em, g)) n += 1 + kept;
    if (!meta || g >> em.em_dpbshift < table) continue;
    // a meta group's descriptors are in its first, second and last group
    const at = g & (em.em_dpb - 1);
    if (at == 0 || at == 1 || at == em.em_dpb - 1) n++;
  }
  em.em_overhead = n < em.em_blocks ? n : 0;
}

// ── storing ──────────────────────────────────────────────────────────────────────────────────

/** Counts, time and checksum into the superblock's buffer. */
export function superFill(em: Ext4Mount): void {
  const sb = <usize>em.em_sb;
  clockNow();
  store<u32>(sb + SB_WTIME, nowSec32());
  store<u32>(sb + SB_FREE_BLOCKS_COUNT_LO, <u32>em.em_freeblocks);
  if (hasIncompat(em, INCOMPAT_64BIT)) store<u32>(sb + SB_FREE_BLOCKS_COUNT_HI, <u32>(em.em_freeblocks >> 32));
  store<u32>(sb + SB_FREE_INODES_COUNT, em.em_freeinodes);
  superSum(em);
  em.em_flags &= ~EM_SBDIRTY;
}

/** The checksum alone. */
export function superSum(em: Ext4Mount): void {
  const sb = <usize>em.em_sb;
  if (hasCsum(em)) store<u32>(sb + SB_CHECKSUM, sbSum(sb));
}

/** The superblock changed, inside a handle. A commit makes its checksum (seal.ts). */
export function superDirty(em: Ext4Mount): i32 {
  if (em.em_jn != 0) em.em_sbstale = 1;
  else superSum(em);
  return ext4Dirty(em, <usize>em.em_sbbuf, em.em_sbblock);
}

/** Write it now, past the journal, with the counts as they are there: 0 or an I/O error. */
export function superWriteAsIs(em: Ext4Mount, flags: u32): i32 {
  superSum(em);
  return bufWrite(em.em_fc, <usize>em.em_sbbuf, em.em_bshift, flags);
}

/** Write it now, past the journal: 0 or an I/O error. */
export function superWrite(em: Ext4Mount, flags: u32): i32 {
  superFill(em);
  return bufWrite(em.em_fc, <usize>em.em_sbbuf, em.em_bshift, flags);
}
