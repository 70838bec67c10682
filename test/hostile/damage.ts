/** Damage to metadata, by a seed; in half of the images what has a checksum gets it anew. */
import * as abi from '../../assembly/abi/ext4.ts';
import * as jbd2 from '../../assembly/abi/jbd2.ts';
import { get16, get32, getBe32, put16, put32, putBe32 } from '../../host/ext4/bytes.ts';
import {
  bitmapChecksum,
  extentTailAt,
  indexChecksum,
  inodeSeed,
  leafChecksum,
  orphanChecksum,
  sealExtents,
  sealGroup,
  sealInode,
  sealJournal,
  xattrChecksum,
} from '../../host/ext4/checksums.ts';
import { CRC_START, crc32c } from '../../host/ext4/crc.ts';
import { Superblock } from '../../host/ext4/superblock.ts';
import { Group } from '../../host/ext4/volume.ts';
import { contextOf, Random, type Target } from '../ext4/corrupt.ts';
import type { Source } from './sources.ts';

type Image = Uint8Array<ArrayBuffer>;

export interface Damaged {
  readonly image: Image;
  readonly kinds: readonly string[];
  readonly sealed: boolean;
  readonly what: string;
}

const CHANGES: readonly [name: string, change: (bytes: Uint8Array, at: number, random: Random) => void][] = [
  ['bit', (bytes, at, random) => (bytes[at] ^= 1 << random.below(8))],
  ['byte', (bytes, at, random) => (bytes[at] = random.below(256))],
  ['zero16', (bytes, at) => put16(bytes, at & ~1, 0)],
  ['ones16', (bytes, at) => put16(bytes, at & ~1, 0xffff)],
  ['zero32', (bytes, at) => put32(bytes, at & ~3, 0)],
  ['ones32', (bytes, at) => put32(bytes, at & ~3, 0xffffffff)],
  ['high32', (bytes, at) => put32(bytes, at & ~3, 0x7fffffff)],
  ['more32', (bytes, at) => put32(bytes, at & ~3, get32(bytes, at & ~3) + 1)],
  ['small32', (bytes, at, random) => put32(bytes, at & ~3, random.below(5000))],
  ['small16', (bytes, at, random) => put16(bytes, at & ~1, random.below(64))],
];

/** Where most of a structure's meaning is: two of three hits go there. */
const HEADS: Readonly<Record<string, number>> = {
  super: 0x180,
  inode: 0xa0,
  dir: 96,
  dirFirst: 96,
  map: 64,
  xattr: 96,
  journal: 0x60,
  log: 64,
  inodeBitmap: 16,
  blockBitmap: 128,
};

export function damageImage(source: Source, seed: number): Damaged {
  const random = new Random(Math.imul(seed, 0x9e3779b1));
  const sealed = seed % 2 === 0;
  const image = source.image.slice();
  const kinds = [...new Set(source.targets.map(({ kind }) => kind))];
  const hit: string[] = [];
  const what: string[] = [];
  const kind = random.pick(kinds);
  for (let n = 1 + random.below(4); n > 0; n--) {
    // a superblock that is hit twice is seldom one; and most hits are of one kind
    const now = n === 1 || kind === 'super' ? kind : random.below(3) === 0 ? random.pick(kinds) : kind;
    const candidates = source.targets.filter((one) => one.kind === now && one.length > 0);
    const target = random.pick(candidates);
    what.push(`${now} ${target.number ?? ''}@${target.at}: ${hurt(image, target, candidates, random)}`);
    if (sealed) seal(source, image, target);
    if (!hit.includes(now)) hit.push(now);
    if (kind === 'super') break;
  }
  return { image, kinds: hit, sealed, what: what.join('; ') };
}

function hurt(image: Image, target: Target, others: readonly Target[], random: Random): string {
  const bytes = image.subarray(target.at, target.at + target.length);
  if (random.below(16) === 0 && target.kind !== 'super') {
    const other = random.pick(others);
    const there = image.subarray(other.at, other.at + other.length);
    const kept = there.slice();
    there.set(bytes.subarray(0, there.length));
    bytes.set(kept.subarray(0, bytes.length));
    return `changed places with ${other.at}`;
  }
  if (random.below(40) === 0 && target.kind !== 'super') {
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
    return 'noise';
  }
  const head = Math.min(HEADS[target.kind] ?? target.length, target.length);
  const offset = Math.min(random.below(random.below(3) > 0 ? head : target.length), bytes.length - 4);
  const [how, change] = random.pick(CHANGES);
  change(bytes, offset, random);
  return `${how} at ${offset}`;
}

/** Give what was damaged its checksum, so that what reads it is reached. */
function seal(source: Source, image: Image, target: Target): void {
  const sb = new Superblock(image.subarray(abi.SB_OFFSET, abi.SB_OFFSET + abi.SB_SIZE));
  const bytes = image.subarray(target.at, target.at + target.length);
  if (target.kind === 'super') sb.seal();
  if (target.kind === 'group') sealGroup(sb, sb.checksumSeed, target.number ?? 0, new Group(bytes));
  if (target.kind === 'journal') sealLogSuper(image, target);
  if (target.kind === 'log') sealLog(source, image, bytes);
  if (!sb.hasMetadataCsum) return;
  const number = target.number ?? 0;
  if (target.kind === 'inode') sealInode(sb.checksumSeed, number, bytes);
  if (target.kind === 'blockBitmap' || target.kind === 'inodeBitmap') sealBitmap(source, image, target);
  const block = target.at / sb.blockSize;
  if (target.kind === 'xattr') put32(bytes, abi.XH_CHECKSUM, xattrChecksum(sb.checksumSeed, block, bytes));
  const own = ownSeed(source, sb, number);
  if (target.kind === 'map' && extentTailAt(bytes) + 4 <= bytes.length) sealExtents(own, bytes);
  if (target.kind === 'orphan') put32(bytes, bytes.length - 4, orphanChecksum(own, block, bytes));
  if (target.kind === 'dir' || target.kind === 'dirFirst') sealDirectory(own, bytes);
}

function ownSeed(source: Source, sb: Superblock, ino: number): number {
  const inode = source.targets.find((one) => one.kind === 'inode' && one.number === ino);
  if (inode === undefined) return 0;
  return inodeSeed(sb.checksumSeed, ino, source.image.subarray(inode.at, inode.at + inode.length));
}

function sealBitmap(source: Source, image: Image, { kind, at, length, number = 0 }: Target): void {
  const context = contextOf(source.image);
  const { geometry } = context;
  const place = source.targets.find((one) => one.kind === 'group' && one.number === number);
  if (place === undefined) return;
  const group = new Group(image.subarray(place.at, place.at + place.length));
  const bits = kind === 'blockBitmap' ? geometry.blocksPerGroup : geometry.inodesPerGroup;
  const sum = bitmapChecksum(context.seed, image.subarray(at, at + length), bits / 8);
  if (kind === 'blockBitmap') group.blockBitmapChecksum = sum;
  else group.inodeBitmapChecksum = sum;
  sealGroup(context.sb, context.seed, number, group);
}

function sealDirectory(own: number, block: Uint8Array): void {
  const tail = block.length - abi.DE_TAIL_SIZE;
  if (block[tail + abi.DE_FILE_TYPE] === abi.DE_TAIL_FT) {
    put32(block, tail + abi.DE_TAIL_CSUM, leafChecksum(own, block));
    return;
  }
  const isNode = get32(block, 0) === 0 && get16(block, abi.DE_REC_LEN) === block.length;
  const entries = isNode ? abi.DX_NODE_ENTRIES : abi.DX_ROOT_ENTRIES;
  const limit = get16(block, entries + abi.DX_LIMIT);
  const count = get16(block, entries + abi.DX_COUNT);
  const at = entries + limit * abi.DX_ENTRY_SIZE;
  if (at + abi.DX_TAIL_SIZE > block.length || count > limit) return;
  put32(block, at + abi.DX_TAIL_CSUM, indexChecksum(own, block, entries, limit, count));
}

function sealLogSuper(image: Image, { at }: Target): void {
  sealJournal(image.subarray(at, at + jbd2.JSB_SIZE));
}

/** A block of the log: descriptors and revokes have a tail, a commit block its sum within. */
function sealLog(source: Source, image: Image, bytes: Uint8Array): void {
  const first = source.targets.find((one) => one.kind === 'journal');
  if (first === undefined || getBe32(bytes, jbd2.JH_MAGIC) !== jbd2.JBD2_MAGIC) return;
  const uuid = image.subarray(first.at + jbd2.JSB_UUID, first.at + jbd2.JSB_UUID + jbd2.JT_UUID_SIZE);
  const isCommit = getBe32(bytes, jbd2.JH_BLOCKTYPE) === jbd2.JBD2_COMMIT_BLOCK;
  const at = isCommit ? jbd2.JC_CHKSUM : bytes.length - 4;
  putBe32(bytes, at, 0);
  putBe32(bytes, at, crc32c(crc32c(CRC_START, uuid), bytes));
}
