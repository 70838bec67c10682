/**
 * Changes what a file system is called: its label and its UUID.
 *
 * With metadata_csum all checksums begin with the UUID, unless metadata_csum_seed keeps what they
 * begin with in the superblock. So a new UUID means writing all checksums anew, which is not one
 * step: a file system is changed only when a check finds it clean and its journal is empty.
 */
import * as abi from '../../assembly/abi/ext4.ts';
import type { BlockDevice } from '../devices/types.ts';
import { type Bytes, get16, put32, uuidBytes } from './bytes.ts';
import { check } from './check.ts';
import { Context, Findings } from './check/context.ts';
import { readTree } from './check/htree.ts';
import { runsOf, walkMap } from './check/map.ts';
import { readGroups } from './check/super.ts';
import {
  bitmapChecksum,
  indexChecksum,
  inodeSeed,
  orphanChecksum,
  sealExtents,
  sealGroup,
  sealInode,
  sealLeaf,
  xattrChecksum,
} from './checksums.ts';
import { CRC_START, crc32c } from './crc.ts';
import { fileType, flagsOf, modeOf, sizeOf, xattrBlockOf } from './inode.ts';
import { readSuper } from './readsuper.ts';
import { randomUuid } from './mkfs/options.ts';
import { Superblock } from './superblock.ts';
import { Blocks, Geometry, writeBytes } from './volume.ts';

export interface TuneOptions {
  /** At most 16 bytes of UTF-8. */
  label?: string;
  /** As people write it, or 'random', or 'clear'. */
  uuid?: string;
  /** Makes 'random' the same each time. */
  seed?: number;
}

/** What cannot be changed, and why. */
export class TuneError extends Error {
  /** It is what was asked for that cannot be meant, whatever the file system. */
  readonly isOption: boolean;

  constructor(message: string, isOption = false) {
    super(message);
    this.name = 'TuneError';
    this.isOption = isOption;
  }
}

function uuidOf(text: string, seed: number | undefined): Bytes {
  if (text === 'clear') return new Uint8Array(16);
  if (text === 'random') return randomUuid(seed, 0);
  try {
    return uuidBytes(text);
  } catch {
    throw new TuneError('Invalid UUID format', true);
  }
}

/**
 * @throws TuneError when it may not be, NoFileSystemError, DiskError (a device that fails in the
 *     middle of new checksums leaves some old)
 */
export function tune(device: BlockDevice, options: TuneOptions): void {
  const sb = readSuper(device);
  if (!sb.isChecksumRight)
    throw new TuneError("the superblock's checksum is wrong: check the file system first");
  if (options.label !== undefined) {
    const label = new TextEncoder().encode(options.label);
    if (label.length > 16) throw new TuneError('a label has at most 16 bytes', true);
    sb.bytes.fill(0, abi.SB_VOLUME_NAME, abi.SB_VOLUME_NAME + 16);
    sb.bytes.set(label, abi.SB_VOLUME_NAME);
  }
  if (options.uuid !== undefined) changeUuid(device, sb, uuidOf(options.uuid, options.seed));
  sb.seal();
  writeBytes(device, abi.SB_OFFSET, sb.bytes);
  device.flush();
}

function changeUuid(device: BlockDevice, sb: Superblock, uuid: Bytes): void {
  const { clean, needsRecovery } = check(device);
  if (needsRecovery) throw new TuneError('the journal has to be replayed first: mount the file system');
  if (!clean) throw new TuneError('the file system is damaged: check it first');
  if (sb.incompat(abi.INCOMPAT_MMP)) throw new TuneError('a file system with mmp keeps its UUID');
  const context = new Context(new Findings(), new Blocks(device, sb.blockSize), new Geometry(sb));
  if (!readGroups(context)) throw new TuneError('the descriptors cannot be read');
  sb.bytes.set(uuid, abi.SB_UUID);
  if (sb.hasMetadataCsum && !sb.incompat(abi.INCOMPAT_CSUM_SEED))
    new Reseal(context, crc32c(CRC_START, uuid)).all();
  else if (sb.hasGroupCsum) new Reseal(context, context.seed).groups();
  writeBackups(context);
}

/** All checksums but the superblock's, with another seed. */
class Reseal {
  readonly #context: Context;
  readonly #seed: number;

  constructor(context: Context, seed: number) {
    this.#context = context;
    this.#seed = seed;
  }

  all(): void {
    const { geometry } = this.#context;
    for (let number = 0; number < geometry.groups; number++) this.#inodesOf(number);
    for (let number = 0; number < geometry.groups; number++) this.#bitmapsOf(number);
    this.groups();
  }

  groups(): void {
    const { geometry, groups, sb, blocks } = this.#context;
    for (let number = 0; number < geometry.groups; number++)
      sealGroup(sb, this.#seed, number, groups.at(number));
    const size = geometry.blockSize;
    for (let n = 0; n < geometry.descriptorBlocks; n++)
      blocks.write(geometry.descriptorBlock(n), groups.bytes.subarray(n * size, (n + 1) * size));
  }

  #change(block: number, change: (bytes: Bytes) => void): void {
    const { blocks } = this.#context;
    const bytes = blocks.read(block);
    change(bytes);
    blocks.write(block, bytes);
  }

  #bitmapsOf(number: number): void {
    const { geometry, groups, blocks } = this.#context;
    const group = groups.at(number);
    if (!(group.flags & abi.BG_BLOCK_UNINIT))
      group.blockBitmapChecksum = bitmapChecksum(
        this.#seed,
        blocks.read(group.blockBitmap),
        geometry.blocksPerGroup / 8,
      );
    if (!(group.flags & abi.BG_INODE_UNINIT))
      group.inodeBitmapChecksum = bitmapChecksum(
        this.#seed,
        blocks.read(group.inodeBitmap),
        geometry.inodesPerGroup / 8,
      );
  }

  #inodesOf(number: number): void {
    const { geometry, groups, blocks } = this.#context;
    const group = groups.at(number);
    if (group.flags & abi.BG_INODE_UNINIT) return;
    const size = geometry.inodeSize;
    const perBlock = geometry.blockSize / size;
    const count = geometry.inodesPerGroup - group.unusedInodes;
    for (let at = 0; at < count; at += perBlock) {
      const table = blocks.read(group.inodeTable + at / perBlock);
      if (table.every((byte) => byte === 0)) continue;
      for (let i = 0; i < Math.min(perBlock, count - at); i++) {
        const inode = table.subarray(i * size, (i + 1) * size);
        const ino = number * geometry.inodesPerGroup + at + i + 1;
        if (ino >= this.#context.sb.firstInode && inode.every((byte) => byte === 0)) continue;
        this.#blocksOf(ino, inode);
        sealInode(this.#seed, ino, inode);
      }
      blocks.write(group.inodeTable + at / perBlock, table);
    }
  }

  /** Blocks whose checksums begin with their inode's. */
  #blocksOf(ino: number, inode: Uint8Array): void {
    const context = this.#context;
    const block = xattrBlockOf(inode);
    if (block !== 0)
      this.#change(block, (bytes) => put32(bytes, abi.XH_CHECKSUM, xattrChecksum(this.#seed, block, bytes)));
    const type = fileType(modeOf(inode));
    const flags = flagsOf(inode);
    const isMapped = type === abi.FT_REG_FILE || type === abi.FT_DIR || (flags & abi.EXT4_EXTENTS_FL) !== 0;
    if (!isMapped || flags & abi.EXT4_INLINE_DATA_FL) return;
    const own = inodeSeed(this.#seed, ino, inode);
    if (type === abi.FT_DIR) this.#directory(ino, inode, own);
    if (ino === context.sb.u32(abi.SB_ORPHAN_FILE_INUM) && context.sb.compat(abi.COMPAT_ORPHAN_FILE)) {
      for (const run of runsOf(context, ino, inode))
        for (let at = run.block; at < run.block + run.count; at++)
          this.#change(at, (bytes) => put32(bytes, bytes.length - 4, orphanChecksum(own, at, bytes)));
    }
    if (!(flags & abi.EXT4_EXTENTS_FL)) return;
    const nodes: number[] = [];
    walkMap(context, ino, inode, { data() {}, node: (at) => nodes.push(at) > 0 });
    for (const node of nodes) this.#change(node, (bytes) => sealExtents(own, bytes));
  }

  #directory(ino: number, inode: Uint8Array, own: number): void {
    const context = this.#context;
    const runs = runsOf(context, ino, inode);
    const count = sizeOf(inode) / context.geometry.blockSize;
    const isIndexed = flagsOf(inode) & abi.EXT4_INDEX_FL && context.sb.compat(abi.COMPAT_DIR_INDEX);
    const tree = isIndexed ? readTree(context, ino, context.ownSeed(ino, inode), runs, count) : undefined;
    for (const run of runs) {
      for (let i = 0; i < run.count; i++) {
        this.#change(run.block + i, (bytes) => {
          if (tree?.nodes.has(run.file + i)) sealIndex(own, bytes, run.file + i === 0);
          else sealLeaf(own, bytes);
        });
      }
    }
  }
}

function sealIndex(own: number, bytes: Bytes, isRoot: boolean): void {
  const entries = isRoot ? abi.DX_ROOT_ENTRIES : abi.DX_NODE_ENTRIES;
  const limit = get16(bytes, entries + abi.DX_LIMIT);
  const count = get16(bytes, entries + abi.DX_COUNT);
  const tail = entries + limit * abi.DX_ENTRY_SIZE;
  put32(bytes, tail + abi.DX_TAIL_CSUM, indexChecksum(own, bytes, entries, limit, count));
}

/** Copies of the superblock and the descriptors, so that the file system can be found by them. */
function writeBackups({ geometry, blocks, groups, sb }: Context): void {
  const size = geometry.blockSize;
  for (let number = 0; number < geometry.groups; number++) {
    const first = geometry.groupFirst(number);
    const meta = geometry.metaDescriptorOf(number);
    const isSuper = geometry.hasSuper(number);
    if (meta >= 0)
      blocks.write(first + (isSuper ? 1 : 0), groups.bytes.subarray(meta * size, (meta + 1) * size));
    if (!isSuper || number === 0) continue;
    if (geometry.oldDescriptorBlocks > 0)
      blocks.write(first + 1, groups.bytes.subarray(0, geometry.oldDescriptorBlocks * size));
    const copy = new Superblock(sb.bytes.slice());
    copy.set16(abi.SB_BLOCK_GROUP_NR, number);
    copy.seal();
    const block = new Uint8Array(size);
    block.set(copy.bytes);
    blocks.write(first, block);
  }
}
