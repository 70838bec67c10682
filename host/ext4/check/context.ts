/**
 * What all passes of a check share: the findings, the file system, and what is known by now of its
 * blocks and inodes.
 *
 * K1. Nothing throws: what cannot be read is a finding, and reads as undefined.
 * K2. Memory is bounded by the device's size: bitmaps of blocks, some bytes for each inode.
 * K3. Work is bounded: a block that maps others is looked into once, whoever claims it again, and
 *     after `DUPLICATES_MOST` claims too many the check says so and ends.
 */
import * as abi from '../../../assembly/abi/ext4.ts';
import { putBits } from '../bits.ts';
import type { Bytes } from '../bytes.ts';
import { inodeSeed } from '../checksums.ts';
import type { Superblock } from '../superblock.ts';
import { type Blocks, type Geometry, GroupTable } from '../volume.ts';

/** Something that is not as it should be. */
export interface Finding {
  /** A stable name: the structure, and what of it is wrong ('inode.blocks', 'dir.entry'). */
  readonly rule: string;
  readonly message: string;
  readonly inode?: number;
  readonly block?: number;
  readonly group?: number;
  /** A repair loses nothing: a count or a checksum to write again. */
  readonly fixable?: boolean;
  /** To be known, and no damage: a journal to replay, a backup that is older. */
  readonly note?: boolean;
}

export type Place = Omit<Finding, 'rule' | 'message'>;

/** Findings kept; of the rest only the number is. */
const FINDINGS_MOST = 5000;
const DUPLICATES_MOST = 16;

export class Findings {
  readonly list: Finding[] = [];
  damaged = 0;

  add(rule: string, message: string, place: Place = {}): void {
    if (!place.note) this.damaged++;
    if (this.list.length < FINDINGS_MOST) this.list.push({ rule, message, ...place });
  }
}

/** Thrown by `Context.claim` and `Context.onBlock`, caught by `check`: the work became too much. */
export class Abandoned extends Error {}

/** What an inode is, as directories say it, and a few things more. */
export const KIND_FREE = 0;
/** Kinds from 1 on are directory.rst's file types; this one is in use and none of them. */
export const KIND_BAD = 15;

export class Context {
  readonly findings: Findings;
  readonly blocks: Blocks;
  readonly geometry: Geometry;
  readonly sb: Superblock;
  readonly groups: GroupTable;
  readonly seed: number;
  /** A bit for each block from 0 on that something claims. */
  readonly used: Bytes;
  /** By inode: what it is (KIND_*), what its link count says, how many links were found. */
  readonly kind: Uint8Array;
  readonly links: Uint16Array;
  readonly counted: Uint32Array;
  /** By directory: who has an entry for it, and what its ".." says. */
  readonly parent: Uint32Array;
  readonly dotdot: Uint32Array;
  /** Extended attribute blocks: what they say of their users, and how many there are. */
  readonly xattrBlocks = new Map<number, { refcount: number; users: number; cost: number }>();
  /** Inodes that hold values of extended attributes. */
  readonly valueInodes = new Map<number, number>();
  duplicates = 0;
  #directoryBlocks = 0;
  /** Regular files of 2 GiB and more. */
  hasLargeFiles = false;
  /** Inodes on the orphan list or in the orphan file. */
  readonly orphans = new Set<number>();
  onStep: (done: number) => void = () => {};

  constructor(findings: Findings, blocks: Blocks, geometry: Geometry) {
    this.findings = findings;
    this.blocks = blocks;
    this.geometry = geometry;
    this.sb = geometry.sb;
    this.groups = new GroupTable(geometry);
    this.seed = this.sb.checksumSeed;
    this.used = new Uint8Array(Math.ceil(geometry.blocksCount / 8));
    const inodes = this.inodesCount + 1;
    this.kind = new Uint8Array(inodes);
    this.links = new Uint16Array(inodes);
    this.counted = new Uint32Array(inodes);
    this.parent = new Uint32Array(inodes);
    this.dotdot = new Uint32Array(inodes);
  }

  get inodesCount(): number {
    return this.geometry.groups * this.geometry.inodesPerGroup;
  }

  find(rule: string, message: string, place: Place = {}): void {
    this.findings.add(rule, message, place);
  }

  /** A block, or undefined where it cannot be read. */
  read(block: number, place: Place = {}): Bytes | undefined {
    return this.readMany(block, 1, place);
  }

  readMany(block: number, count: number, place: Place = {}): Bytes | undefined {
    try {
      return this.blocks.read(block, count);
    } catch (error) {
      this.find('device.read', `Block ${block} cannot be read: ${(error as Error).message}`, {
        ...place,
        block,
      });
      return undefined;
    }
  }

  /** May a file have this block at all? */
  isBlock(block: number): boolean {
    return block >= Math.max(this.geometry.firstDataBlock, 1) && block < this.geometry.blocksCount;
  }

  /** These blocks are somebody's; how many of them were somebody else's. All are on the device. */
  claim(first: number, count: number, place: Place, what: string): number {
    const before = putBits(this.used, first, first + count);
    if (before > 0) {
      this.duplicates += before;
      this.find(
        'block.multiple',
        `${before} of blocks ${first}-${first + count - 1} (${what}) are claimed more than once`,
        {
          block: first,
          ...place,
        },
      );
      if (this.duplicates > DUPLICATES_MOST * this.geometry.blocksCount)
        throw new Abandoned('blocks are claimed too many times');
    }
    return before;
  }

  /** A directory's block is looked at: with blocks claimed many times there could be too many. */
  onBlock(): void {
    if (++this.#directoryBlocks > DUPLICATES_MOST * this.geometry.blocksCount)
      throw new Abandoned('directories have too many blocks');
  }

  /** An inode's bytes from its table. */
  readInode(ino: number): Bytes | undefined {
    const { block, at } = this.geometry.inodePlace(this.groups, ino);
    if (!this.isBlock(block)) return undefined;
    return this.read(block, { inode: ino })?.slice(at, at + this.geometry.inodeSize);
  }

  ownSeed(ino: number, inode: Uint8Array): number {
    return inodeSeed(this.seed, ino, inode);
  }

  /** May a directory have an entry for it? */
  isNameable(ino: number): boolean {
    return ino === abi.EXT4_ROOT_INO || (ino >= this.sb.firstInode && ino <= this.inodesCount);
  }
}
