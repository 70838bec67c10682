/** The journal of a new file system: how long, where, and its superblock (journal.rst). */
import { S_IFREG } from '../../../assembly/abi/flags.ts';
import * as abi from '../../../assembly/abi/ext4.ts';
import * as jbd2 from '../../../assembly/abi/jbd2.ts';
import { putBe32 } from '../bytes.ts';
import type { Geometry } from '../volume.ts';
import type { Build } from './inodes.ts';
import { MkfsError, type Plan } from './options.ts';
import type { Space } from './space.ts';

const K = 1024;
/** Blocks of a journal by blocks of the file system: below how many, how many. */
const BY_SIZE: readonly (readonly [below: number, blocks: number])[] = [
  [32 * K, K],
  [256 * K, 4 * K],
  [512 * K, 8 * K],
  [4096 * K, 16 * K],
  [8192 * K, 32 * K],
  [16384 * K, 64 * K],
  [32768 * K, 128 * K],
];
const LARGEST_DEFAULT = 256 * K;
const LEAST = 1024;
const MOST = 10_240_000;
/** File systems of fewer blocks have none. */
const LEAST_FILE_SYSTEM = 2048;
/** One block in so many more is for fast commits. */
const FAST_COMMIT_SHARE = 64;

/** 0: the file system is too small to have one. @throws MkfsError */
export function journalLength(plan: Plan, blocksCount: number): number {
  if (!(plan.features.compat & abi.COMPAT_HAS_JOURNAL)) return 0;
  const { journalMiB } = plan.options;
  if (blocksCount < LEAST_FILE_SYSTEM) return 0;
  if (journalMiB === undefined) return BY_SIZE.find(([below]) => blocksCount < below)?.[1] ?? LARGEST_DEFAULT;
  const blocks = Math.floor((journalMiB * K * K) / plan.blockSize);
  if (blocks < LEAST || blocks > MOST || blocks > blocksCount / 2)
    throw new MkfsError(
      `a journal has ${LEAST} to ${Math.min(MOST, Math.floor(blocksCount / 2))} blocks, not ${blocks}`,
    );
  return blocks;
}

/** The first block of the emptiest group around the middle. */
function middle(geometry: Geometry, space: Space): number {
  const { sb } = geometry;
  let start = geometry.groupOf(Math.floor((geometry.blocksCount - geometry.firstDataBlock) / 2));
  const flex = 1 << sb.u8(abi.SB_LOG_GROUPS_PER_FLEX);
  let end = Math.min(start + 1, geometry.groups - 1);
  if (flex > 1 && start > flex) {
    start -= start % flex;
    end = Math.min(start + 1, geometry.groups - 1);
  } else start = Math.max(start - 1, 0);
  let best = start;
  for (let group = start + 1; group <= end; group++) if (space.free(group) > space.free(best)) best = group;
  return geometry.groupFirst(best);
}

export function makeJournal(build: Build, length: number): void {
  const { geometry, space, blocks, plan } = build;
  const { sb } = geometry;
  const fast = sb.compat(abi.COMPAT_FAST_COMMIT) ? Math.floor(length / FAST_COMMIT_SHARE) : 0;
  const count = length + fast;
  const ino = abi.EXT4_JOURNAL_INO;
  const inode = build.newInode(ino, S_IFREG | 0o600, 1, count * geometry.blockSize);
  const goal = build.usesExtents ? middle(geometry, space) : geometry.firstDataBlock;
  const runs = space.takeMany(count, goal);
  build.map(ino, inode, runs, goal);
  for (const run of runs) if (!plan.options.isZeroed) blocks.zero(run.first, run.count);
  const block = build.newBlock();
  putBe32(block, jbd2.JH_MAGIC, jbd2.JBD2_MAGIC);
  putBe32(block, jbd2.JH_BLOCKTYPE, jbd2.JBD2_SUPERBLOCK_V2);
  putBe32(block, jbd2.JSB_BLOCKSIZE, geometry.blockSize);
  putBe32(block, jbd2.JSB_MAXLEN, count);
  putBe32(block, jbd2.JSB_FIRST, 1);
  putBe32(block, jbd2.JSB_SEQUENCE, 1);
  putBe32(block, jbd2.JSB_NR_USERS, 1);
  putBe32(block, jbd2.JSB_NUM_FC_BLKS, fast);
  block.set(plan.uuid, jbd2.JSB_UUID);
  blocks.write(runs[0].first, block);
  build.journalBlocks = count;
  sb.set32(abi.SB_JOURNAL_INUM, ino);
  sb.set8(abi.SB_JNL_BACKUP_TYPE, 1);
  sb.bytes.set(inode.subarray(abi.I_BLOCK, abi.I_BLOCK + abi.I_BLOCK_SIZE), abi.SB_JNL_BLOCKS);
  sb.bytes.set(inode.subarray(abi.I_SIZE_HIGH, abi.I_SIZE_HIGH + 4), abi.SB_JNL_BLOCKS + abi.I_BLOCK_SIZE);
  sb.bytes.set(inode.subarray(abi.I_SIZE_LO, abi.I_SIZE_LO + 4), abi.SB_JNL_BLOCKS + abi.I_BLOCK_SIZE + 4);
}
