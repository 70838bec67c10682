/** Damages images in metadata, by a seed: what is hit, and how. */
import * as abi from '../../assembly/abi/ext4.ts';
import { MemoryDisk } from '../../host/devices/memory.ts';
import { get16, get32, put16, put32 } from '../../host/ext4/bytes.ts';
import { sealGroup, sealInode } from '../../host/ext4/checksums.ts';
import { Context, Findings } from '../../host/ext4/check/context.ts';
import { walkMap } from '../../host/ext4/check/map.ts';
import { readGroups } from '../../host/ext4/check/super.ts';
import { fileType, flagsOf, linksOf, modeOf, xattrBlockOf } from '../../host/ext4/inode.ts';
import { Superblock } from '../../host/ext4/superblock.ts';
import { Blocks, Geometry, Group } from '../../host/ext4/volume.ts';

/** A piece of metadata of an image. */
export interface Target {
  readonly kind: string;
  readonly at: number;
  readonly length: number;
  /** Which group or inode it is, or whose inode's. */
  readonly number?: number;
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

export function contextOf(image: Uint8Array<ArrayBuffer>): Context {
  const sb = new Superblock(image.slice(abi.SB_OFFSET, abi.SB_OFFSET + abi.SB_SIZE));
  const geometry = new Geometry(sb);
  const disk = MemoryDisk.of(image);
  const context = new Context(new Findings(), new Blocks(disk, geometry.blockSize), geometry);
  readGroups(context);
  return context;
}

/** All metadata of a sound image. */
export function targetsOf(image: Uint8Array<ArrayBuffer>): Target[] {
  const context = contextOf(image);
  const { geometry, groups, sb } = context;
  const size = geometry.blockSize;
  const targets: Target[] = [{ kind: 'super', at: abi.SB_OFFSET, length: 0x280 }];
  for (let number = 0; number < geometry.groups; number++) {
    const block = geometry.descriptorBlock(Math.floor(number / geometry.descriptorsPerBlock));
    const within = number % geometry.descriptorsPerBlock;
    const at = block * size + within * geometry.descriptorSize;
    targets.push({ kind: 'group', at, length: geometry.descriptorSize, number });
    const group = groups.at(number);
    if (!(group.flags & abi.BG_BLOCK_UNINIT))
      targets.push({ kind: 'blockBitmap', at: group.blockBitmap * size, length: size, number });
    if (!(group.flags & abi.BG_INODE_UNINIT))
      targets.push({ kind: 'inodeBitmap', at: group.inodeBitmap * size, length: size, number });
  }
  for (let ino = 1; ino <= sb.inodesCount; ino++) {
    const place = geometry.inodePlace(groups, ino);
    const at = place.block * size + place.at;
    const inode = image.subarray(at, at + geometry.inodeSize);
    if (linksOf(inode) === 0) continue;
    targets.push({ kind: 'inode', at, length: geometry.inodeSize, number: ino });
    targets.push(...blocksOf(context, ino, inode, size));
  }
  return targets;
}

function blocksOf(context: Context, ino: number, inode: Uint8Array, size: number): Target[] {
  return mapped(context, ino, inode, size).map((target) => ({ ...target, number: ino }));
}

function mapped(context: Context, ino: number, inode: Uint8Array, size: number): Target[] {
  const targets: Target[] = [];
  const type = fileType(modeOf(inode));
  const own = xattrBlockOf(inode);
  if (own !== 0) targets.push({ kind: 'xattr', at: own * size, length: size });
  if (flagsOf(inode) & abi.EXT4_INLINE_DATA_FL || ![abi.FT_REG_FILE, abi.FT_DIR].includes(type))
    return targets;
  const isOrphanFile = ino === context.sb.u32(abi.SB_ORPHAN_FILE_INUM);
  walkMap(context, ino, inode, {
    data(file, block, count) {
      if (type === abi.FT_DIR)
        for (let i = 0; i < count; i++)
          targets.push({ kind: file + i === 0 ? 'dirFirst' : 'dir', at: (block + i) * size, length: size });
      else if (isOrphanFile && file === 0) targets.push({ kind: 'orphan', at: block * size, length: size });
      else if (ino === abi.EXT4_JOURNAL_INO && file === 0)
        targets.push({ kind: 'journal', at: block * size, length: 0x60 });
    },
    node(block) {
      if (ino !== abi.EXT4_RESIZE_INO || targets.length < 4)
        targets.push({ kind: 'map', at: block * size, length: size });
      return true;
    },
  });
  return targets;
}

/** What was done to an image. */
export interface Damage {
  readonly target: Target;
  readonly how: string;
  readonly offset: number;
}

const HOWS: readonly [name: string, change: (bytes: Uint8Array, at: number, random: Random) => void][] = [
  ['bit', (bytes, at, random) => (bytes[at] ^= 1 << random.below(8))],
  ['byte', (bytes, at, random) => (bytes[at] = random.below(256))],
  ['zero16', (bytes, at) => put16(bytes, at & ~1, 0)],
  ['zero32', (bytes, at) => put32(bytes, at & ~3, 0)],
  ['ones32', (bytes, at) => put32(bytes, at & ~3, 0xffffffff)],
  ['more16', (bytes, at) => put16(bytes, at & ~1, get16(bytes, at & ~1) + 1)],
  ['less32', (bytes, at) => put32(bytes, at & ~3, get32(bytes, at & ~3) - 1)],
  [
    'swap',
    (bytes, at, random) => {
      const other = random.below(bytes.length / 4) * 4;
      const value = get32(bytes, at & ~3);
      put32(bytes, at & ~3, get32(bytes, other));
      put32(bytes, other, value);
    },
  ],
];

/** Where most of a structure's meaning is: half of the hits go there. */
const HEADS: Readonly<Record<string, number>> = {
  inode: 0x80,
  dir: 64,
  dirFirst: 64,
  map: 64,
  xattr: 96,
  inodeBitmap: 8,
  blockBitmap: 128,
};

/**
 * Damage an image in place. `seal`: what has a checksum of the superblock's, a descriptor's or an
 * inode's gets it anew, so that what reads the structures is reached.
 */
export function damage(
  image: Uint8Array<ArrayBuffer>,
  targets: readonly Target[],
  seed: number,
  seal: boolean,
): Damage[] {
  const random = new Random(seed);
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const done: Damage[] = [];
  for (let n = 1 + random.below(2); n > 0; n--) {
    const kind = random.pick(kinds);
    const target = random.pick(targets.filter((one) => one.kind === kind));
    const bytes = image.subarray(target.at, target.at + target.length);
    const offset = random.below(random.below(2) === 0 ? (HEADS[kind] ?? target.length) : target.length);
    const [how, change] = random.pick(HOWS);
    change(bytes, offset, random);
    if (seal) sealTarget(image, target);
    done.push({ target, how, offset });
  }
  return done;
}

function sealTarget(image: Uint8Array<ArrayBuffer>, target: Target): void {
  const sb = new Superblock(image.subarray(abi.SB_OFFSET, abi.SB_OFFSET + abi.SB_SIZE));
  if (target.kind === 'super') sb.seal();
  const bytes = image.subarray(target.at, target.at + target.length);
  if (target.kind === 'inode' && sb.hasMetadataCsum) sealInode(sb.checksumSeed, target.number ?? 0, bytes);
  if (target.kind === 'group') sealGroup(sb, sb.checksumSeed, target.number ?? 0, new Group(bytes));
}
