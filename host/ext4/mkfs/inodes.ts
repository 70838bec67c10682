/** The inodes that a new file system has, with what they point to. */
import { S_IFDIR, S_IFREG } from '../../../assembly/abi/flags.ts';
import * as abi from '../../../assembly/abi/ext4.ts';
import { type Bytes, highPart, put16, put32 } from '../bytes.ts';
import { inodeSeed, sealExtents, sealInode, sealLeaf, orphanChecksum } from '../checksums.ts';
import { type Blocks, type Geometry, hasSuper } from '../volume.ts';
import { MkfsError, type Plan } from './options.ts';
import type { Space } from './space.ts';

/** Bytes that lost+found is made with, so that a repair need not allocate. */
const LOST_FOUND_BYTES = 16384;
const LOST_FOUND_INO = abi.EXT4_GOOD_OLD_FIRST_INO;

type Runs = readonly { first: number; count: number }[];

/** What is being made: its parts, and its inodes by number. */
export class Build {
  readonly plan: Plan;
  readonly geometry: Geometry;
  readonly space: Space;
  readonly blocks: Blocks;
  readonly seed: number;
  readonly inodes = new Map<number, Bytes>();
  /** Blocks for indirect and extent blocks, in the order they are needed. */
  journalBlocks = 0;

  constructor(plan: Plan, geometry: Geometry, space: Space, blocks: Blocks) {
    this.plan = plan;
    this.geometry = geometry;
    this.space = space;
    this.blocks = blocks;
    this.seed = geometry.sb.checksumSeed;
    for (let ino = 1; ino < LOST_FOUND_INO; ino++) this.inodes.set(ino, new Uint8Array(plan.inodeSize));
  }

  get usesExtents(): boolean {
    return this.geometry.sb.incompat(abi.INCOMPAT_EXTENTS);
  }

  /** A block's bytes, zeros. */
  newBlock(): Bytes {
    return new Uint8Array(this.geometry.blockSize);
  }

  newInode(ino: number, mode: number, links: number, sizeBytes: number): Bytes {
    const inode = new Uint8Array(this.plan.inodeSize);
    const { time } = this.plan;
    put16(inode, abi.I_MODE, mode);
    put16(inode, abi.I_LINKS_COUNT, links);
    put32(inode, abi.I_SIZE_LO, sizeBytes % 2 ** 32);
    put32(inode, abi.I_SIZE_HIGH, highPart(sizeBytes));
    for (const at of [abi.I_ATIME, abi.I_CTIME, abi.I_MTIME]) put32(inode, at, time);
    if (inode.length >= abi.I_END) {
      put16(inode, abi.I_EXTRA_ISIZE, abi.I_END - abi.EXT4_GOOD_OLD_INODE_SIZE);
      put32(inode, abi.I_CRTIME, time);
    }
    this.inodes.set(ino, inode);
    return inode;
  }

  /** What of the space a file takes, in i_blocks. */
  setBlocks(inode: Bytes, count: number): void {
    put32(inode, abi.I_BLOCKS_LO, (count * this.geometry.blockSize) / 512);
  }

  /** Map a file's blocks, one run after the other; `extra` gives blocks for the map itself. */
  map(ino: number, inode: Bytes, runs: Runs, goal: number): void {
    const count = runs.reduce((sum, run) => sum + run.count, 0);
    const added = this.usesExtents
      ? this.#mapExtents(ino, inode, runs, goal)
      : mapIndirect(this, inode, runs, goal);
    this.setBlocks(inode, count + added);
  }

  #mapExtents(ino: number, inode: Bytes, runs: Runs, goal: number): number {
    put32(inode, abi.I_FLAGS, abi.EXT4_EXTENTS_FL);
    const extents: { file: number; first: number; count: number }[] = [];
    let file = 0;
    for (const run of runs) {
      for (let done = 0; done < run.count; done += abi.EXT_INIT_MAX_LEN) {
        const count = Math.min(run.count - done, abi.EXT_INIT_MAX_LEN);
        extents.push({ file: file + done, first: run.first + done, count });
      }
      file += run.count;
    }
    const root = inode.subarray(abi.I_BLOCK, abi.I_BLOCK + abi.I_BLOCK_SIZE);
    if (extents.length <= 4) {
      putExtents(root, 4, extents);
      return 0;
    }
    const perBlock = Math.floor((this.geometry.blockSize - abi.EH_SIZE) / abi.EE_SIZE);
    const leaves = Math.ceil(extents.length / perBlock);
    if (leaves > 4) throw new MkfsError('the journal would be in too many pieces');
    putHeader(root, leaves, 4, 1);
    for (let i = 0; i < leaves; i++) {
      const leaf = this.newBlock();
      const part = extents.slice(i * perBlock, (i + 1) * perBlock);
      putExtents(leaf, perBlock, part);
      if (this.geometry.sb.hasMetadataCsum) sealExtents(inodeSeed(this.seed, ino, inode), leaf);
      const block = this.space.takeRun(1, goal);
      this.blocks.write(block, leaf);
      const at = abi.EH_SIZE + i * abi.EE_SIZE;
      put32(root, at + abi.EI_BLOCK, part[0].file);
      put32(root, at + abi.EI_LEAF_LO, block % 2 ** 32);
      put16(root, at + abi.EI_LEAF_HI, highPart(block));
    }
    return leaves;
  }

  /** Write all inodes to their tables. */
  writeInodes(place: (ino: number) => { block: number; at: number }): void {
    const tables = new Map<number, Bytes>();
    for (const [ino, inode] of this.inodes) {
      if (this.geometry.sb.hasMetadataCsum) sealInode(this.seed, ino, inode);
      const { block, at } = place(ino);
      const table = tables.get(block) ?? this.newBlock();
      table.set(inode, at);
      tables.set(block, table);
    }
    for (const [block, bytes] of tables) this.blocks.write(block, bytes);
  }
}

function putHeader(node: Uint8Array, entries: number, max: number, depth: number): void {
  put16(node, abi.EH_MAGIC, abi.EXT4_EXT_MAGIC);
  put16(node, abi.EH_ENTRIES, entries);
  put16(node, abi.EH_MAX, max);
  put16(node, abi.EH_DEPTH, depth);
}

function putExtents(
  node: Uint8Array,
  max: number,
  extents: readonly { file: number; first: number; count: number }[],
): void {
  putHeader(node, extents.length, max, 0);
  extents.forEach(({ file, first, count }, i) => {
    const at = abi.EH_SIZE + i * abi.EE_SIZE;
    put32(node, at + abi.EE_BLOCK, file);
    put16(node, at + abi.EE_LEN, count);
    put16(node, at + abi.EE_START_HI, highPart(first));
    put32(node, at + abi.EE_START_LO, first % 2 ** 32);
  });
}

/** blockmap.rst. Says how many blocks the map itself took. */
function mapIndirect(build: Build, inode: Bytes, runs: Runs, goal: number): number {
  const data = runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));
  const perBlock = build.geometry.blockSize / 4;
  let next = 0;
  let added = 0;
  /** A block of pointers, `depth` levels above the data. */
  const node = (depth: number): number => {
    if (depth === 0) return data[next++];
    const bytes = build.newBlock();
    const block = build.space.takeRun(1, goal);
    added++;
    for (let i = 0; i < perBlock && next < data.length; i++) put32(bytes, i * 4, node(depth - 1));
    build.blocks.write(block, bytes);
    return block;
  };
  for (let i = 0; i < abi.EXT4_NDIR_BLOCKS && next < data.length; i++)
    put32(inode, abi.I_BLOCK + i * 4, data[next++]);
  for (let depth = 1; depth <= 3 && next < data.length; depth++)
    put32(inode, abi.I_BLOCK + (abi.EXT4_NDIR_BLOCKS + depth - 1) * 4, node(depth));
  return added;
}

interface Entry {
  readonly ino: number;
  readonly name: string;
  readonly type: number;
}

/** directory.rst: a block of entries; the last one reaches to the end. */
function directoryBlock(build: Build, ino: number, inode: Bytes, entries: readonly Entry[]): Bytes {
  const block = build.newBlock();
  const { sb } = build.geometry;
  const end = sb.hasMetadataCsum ? block.length - abi.DE_TAIL_SIZE : block.length;
  const hasTypes = sb.incompat(abi.INCOMPAT_FILETYPE);
  let at = 0;
  entries.forEach((entry, i) => {
    const name = new TextEncoder().encode(entry.name);
    const own = (abi.DE_NAME + name.length + 3) & ~3;
    const length = i === entries.length - 1 ? end - at : own;
    put32(block, at + abi.DE_INODE, entry.ino);
    put16(block, at + abi.DE_REC_LEN, length);
    block[at + abi.DE_NAME_LEN] = name.length;
    if (hasTypes) block[at + abi.DE_FILE_TYPE] = entry.type;
    block.set(name, at + abi.DE_NAME);
    at += length;
  });
  if (sb.hasMetadataCsum) sealLeaf(inodeSeed(build.seed, ino, inode), block);
  return block;
}

/** The root and lost+found. */
export function makeDirectories(build: Build): void {
  const { geometry, plan, space, blocks } = build;
  const dir = (ino: number, name: string): Entry => ({ ino, name, type: ino === 0 ? 0 : abi.FT_DIR });
  const start = geometry.firstDataBlock;
  const root = build.newInode(abi.EXT4_ROOT_INO, S_IFDIR | 0o755, 3, geometry.blockSize);
  const { uid, gid } = plan.options.rootOwner ?? { uid: 0, gid: 0 };
  put16(root, abi.I_UID, uid);
  put16(root, abi.I_UID_HIGH, uid >>> 16);
  put16(root, abi.I_GID, gid);
  put16(root, abi.I_GID_HIGH, gid >>> 16);
  const rootBlock = space.takeRun(1, start);
  build.map(abi.EXT4_ROOT_INO, root, [{ first: rootBlock, count: 1 }], start);
  blocks.write(
    rootBlock,
    directoryBlock(build, abi.EXT4_ROOT_INO, root, [
      dir(abi.EXT4_ROOT_INO, '.'),
      dir(abi.EXT4_ROOT_INO, '..'),
      dir(LOST_FOUND_INO, 'lost+found'),
    ]),
  );
  // not beyond the direct blocks
  const count = Math.min(Math.ceil(LOST_FOUND_BYTES / geometry.blockSize), abi.EXT4_NDIR_BLOCKS);
  const lost = build.newInode(LOST_FOUND_INO, S_IFDIR | 0o700, 2, count * geometry.blockSize);
  const runs = space.takeMany(count, start);
  build.map(LOST_FOUND_INO, lost, runs, start);
  let isFirst = true;
  for (const run of runs) {
    for (let block = run.first; block < run.first + run.count; block++) {
      const entries = isFirst ? [dir(LOST_FOUND_INO, '.'), dir(abi.EXT4_ROOT_INO, '..')] : [dir(0, '')];
      blocks.write(block, directoryBlock(build, LOST_FOUND_INO, lost, entries));
      isFirst = false;
    }
  }
}

/** The bad blocks' inode: there are none. */
export function makeBadBlocks(build: Build): void {
  const inode = build.inodes.get(abi.EXT4_BAD_INO) as Bytes;
  for (const at of [abi.I_ATIME, abi.I_CTIME, abi.I_MTIME]) put32(inode, at, build.plan.time);
}

/**
 * The resize inode owns the reserved descriptor blocks: group 0's are indirect blocks below one
 * double indirect block, each listing its copies in the groups with a backup.
 */
export function makeResizeInode(build: Build): void {
  const { geometry, space, blocks } = build;
  const perBlock = geometry.blockSize / 4;
  const size = (abi.EXT4_NDIR_BLOCKS + perBlock + perBlock * perBlock) * geometry.blockSize;
  const inode = build.newInode(abi.EXT4_RESIZE_INO, S_IFREG | 0o600, 1, size);
  const double = space.takeRun(1, geometry.firstDataBlock);
  const top = build.newBlock();
  const copies = Array.from({ length: geometry.groups - 1 }, (_, i) => i + 1).filter((group) =>
    hasSuper(geometry.sb, group),
  );
  const reserved = geometry.reservedDescriptorBlocks;
  for (let i = 0; i < reserved; i++) {
    const offset = geometry.descriptorBlocks + i;
    const own = geometry.firstDataBlock + 1 + offset;
    const list = build.newBlock();
    copies.forEach((group, at) => {
      put32(list, at * 4, geometry.groupFirst(group) + 1 + offset);
    });
    blocks.write(own, list);
    put32(top, (offset % perBlock) * 4, own);
  }
  blocks.write(double, top);
  put32(inode, abi.I_BLOCK + abi.EXT4_DIND_BLOCK * 4, double);
  build.setBlocks(inode, 1 + reserved * (1 + copies.length));
}

/** orphan.rst: room for the inodes that are to be removed or truncated. */
export function makeOrphanFile(build: Build): void {
  const { geometry, space, blocks } = build;
  const ino = LOST_FOUND_INO + 1;
  const count = Math.min(Math.max(Math.floor(geometry.blocksCount / 4096), 32), 512);
  const inode = build.newInode(ino, S_IFREG | 0o600, 1, count * geometry.blockSize);
  const runs = space.takeMany(count, geometry.firstDataBlock);
  build.map(ino, inode, runs, geometry.firstDataBlock);
  const own = inodeSeed(build.seed, ino, inode);
  for (const run of runs) {
    for (let block = run.first; block < run.first + run.count; block++) {
      const bytes = build.newBlock();
      const tail = bytes.length - abi.OB_TAIL_SIZE;
      put32(bytes, tail, abi.OB_MAGIC);
      if (geometry.sb.hasMetadataCsum) put32(bytes, tail + 4, orphanChecksum(own, block, bytes));
      blocks.write(block, bytes);
    }
  }
  geometry.sb.set32(abi.SB_ORPHAN_FILE_INUM, ino);
}
