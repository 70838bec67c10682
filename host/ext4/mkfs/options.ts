/** What mkfs is told, and what it makes of what it is not told: mke2fs 1.47's rules. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { type Bytes, uuidBytes } from '../bytes.ts';
import { applyFeatures, emptyFeatures, type FeatureBits, featureNames } from '../features.ts';

export type Ext4Type = 'ext2' | 'ext3' | 'ext4';
export type Usage = 'default' | 'floppy' | 'small' | 'big' | 'huge' | 'news' | 'largefile' | 'largefile4';

export interface MkfsOptions {
  /** 'ext4' unless told. */
  type?: Ext4Type;
  /** At most 16 bytes of UTF-8. */
  label?: string;
  /** As people write it. A random one unless told, from the seed if there is one. */
  uuid?: string;
  /** 1024, 2048 or 4096. */
  blockSize?: number;
  /** A power of two from 128 to the block's size. */
  inodeSize?: number;
  /** How many inodes at least; or one for so many bytes. */
  inodes?: number;
  bytesPerInode?: number;
  /** Percent of the blocks that are root's; 5 unless told. */
  reservedPercent?: number;
  /** Changes to the type's features, as for mke2fs -O: 'metadata_csum_seed,^has_journal'. */
  features?: string;
  /** MiB; with no `has_journal` it says nothing. */
  journalMiB?: number;
  /** What it will be used for, as mke2fs -T; by size unless told. */
  usage?: Usage;
  /** The same seed makes the same bytes: UUID, hash seed and times follow from it. */
  seed?: number;
  /** Seconds since 1970. Now unless told; with a seed, always the same. */
  time?: number;
  rootOwner?: { uid: number; gid: number };
  /** Blocks of the file system, if it is not to fill the device. */
  blocks?: number;
  /** Let the file system be grown to so many blocks (resize_inode); 1024 times its size unless told. */
  resizeBlocks?: number;
  /** Where it was last mounted, for programs that show it. */
  lastMounted?: string;
  /** DISCARD the device first; on unless told. */
  discard?: boolean;
  /** The device reads as zeros all over: nothing needs to be zeroed. */
  isZeroed?: boolean;
}

/** Options and size that cannot be. */
export class MkfsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MkfsError';
  }
}

interface UsageRule {
  readonly blockSize?: number;
  readonly bytesPerInode: number;
}

const MIB = 2 ** 20;

const USAGES: Readonly<Record<Usage, UsageRule>> = {
  default: { bytesPerInode: 16384 },
  floppy: { blockSize: 1024, bytesPerInode: 8192 },
  small: { blockSize: 1024, bytesPerInode: 4096 },
  big: { bytesPerInode: 32768 },
  huge: { bytesPerInode: 65536 },
  news: { bytesPerInode: 4096 },
  largefile: { bytesPerInode: MIB },
  largefile4: { bytesPerInode: 4 * MIB },
};

const BASE = 'sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr';
const TYPE_FEATURES: Readonly<Record<Ext4Type, string>> = {
  ext2: '',
  ext3: 'has_journal',
  ext4: 'has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize',
};

/** What can be made. Others need structures of their own, or say what only a kernel may say. */
const MAKEABLE: ReadonlySet<string> = new Set(
  `dir_prealloc has_journal ext_attr resize_inode dir_index sparse_super2 fast_commit stable_inodes
   orphan_file filetype meta_bg extent 64bit flex_bg ea_inode metadata_csum_seed large_dir inline_data
   sparse_super large_file huge_file uninit_bg dir_nlink extra_isize metadata_csum project verity`.split(
    /\s+/,
  ),
);

const usageBySize = (sizeBytes: number): Usage =>
  sizeBytes < 3 * MIB
    ? 'floppy'
    : sizeBytes < 512 * MIB
      ? 'small'
      : sizeBytes < 4 * MIB * MIB
        ? 'default'
        : sizeBytes < 16 * MIB * MIB
          ? 'big'
          : 'huge';

/** Random bytes: from the seed where there is one (a generator of its own for each purpose). */
export function randomBytes(seed: number | undefined, purpose: number, count: number): Bytes {
  const bytes = new Uint8Array(count);
  if (seed === undefined) return crypto.getRandomValues(bytes);
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b)) >>> 0;
  for (let i = 0; i < count; i++) {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    bytes[i] = (mixed ^ (mixed >>> 14)) >>> 8;
  }
  return bytes;
}

/** A random UUID, version 4. */
export function randomUuid(seed: number | undefined, purpose: number): Bytes {
  const bytes = randomBytes(seed, purpose, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes;
}

/** When images made with a seed were made: 2001-09-09 01:46:40. */
const SEED_TIME = 1e9;

/** All that mkfs decides before it looks at groups. */
export interface Plan {
  readonly options: MkfsOptions;
  readonly features: FeatureBits;
  readonly blockSize: number;
  readonly inodeSize: number;
  readonly bytesPerInode: number;
  readonly blocks: number;
  readonly reservedPercent: number;
  readonly uuid: Bytes;
  readonly hashSeed: Bytes;
  readonly label: Bytes;
  readonly time: number;
}

function featuresOf(options: MkfsOptions): FeatureBits {
  const bits = emptyFeatures();
  applyFeatures(bits, `${BASE},${TYPE_FEATURES[options.type ?? 'ext4']}`);
  try {
    applyFeatures(bits, options.features ?? '');
  } catch (error) {
    throw new MkfsError((error as Error).message);
  }
  // metadata_csum does all that uninit_bg does; of both together the first is meant
  if (bits.roCompat & abi.RO_COMPAT_METADATA_CSUM) bits.roCompat &= ~abi.RO_COMPAT_GDT_CSUM;
  checkFeatures(bits);
  return bits;
}

function checkFeatures(bits: FeatureBits): void {
  const foreign = featureNames(bits).filter((name) => !MAKEABLE.has(name));
  if (foreign.length > 0) throw new MkfsError(`Cannot make a file system with ${foreign.join(', ')}`);
  const has = (name: string) => featureNames(bits).includes(name);
  if (has('resize_inode') && has('meta_bg'))
    throw new MkfsError('The resize_inode and meta_bg features are not compatible.');
  if (has('resize_inode') && !has('sparse_super') && !has('sparse_super2'))
    throw new MkfsError('reserved online resize blocks not supported on non-sparse filesystem');
  if (has('metadata_csum_seed') && !has('metadata_csum'))
    throw new MkfsError('The metadata_csum_seed feature requires the metadata_csum feature.');
  if (has('fast_commit') && !has('has_journal')) throw new MkfsError('fast_commit needs has_journal');
  if (has('orphan_file') && !has('has_journal')) throw new MkfsError('orphan_file needs has_journal');
}

function labelOf(text: string): Bytes {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 16) throw new MkfsError(`Label too long: ${text} (at most 16 bytes)`);
  return Uint8Array.from(bytes);
}

function powerOfTwo(value: number, low: number, high: number, what: string): number {
  if (value < low || value > high || (value & (value - 1)) !== 0)
    throw new MkfsError(`invalid ${what} - ${value}`);
  return value;
}

/** @throws MkfsError */
export function planOf(options: MkfsOptions, sizeBytes: number, sectorBytes: number): Plan {
  const usage = USAGES[options.usage ?? usageBySize(sizeBytes)];
  if (usage === undefined) throw new MkfsError(`unknown usage type ${options.usage}`);
  const features = featuresOf(options);
  const blockSize = powerOfTwo(
    options.blockSize ?? Math.max(usage.blockSize ?? 4096, sectorBytes),
    1024,
    4096,
    'block size',
  );
  if (blockSize < sectorBytes) throw new MkfsError(`a block must be a sector at least: ${sectorBytes} bytes`);
  const inodeSize = powerOfTwo(options.inodeSize ?? 256, 128, blockSize, 'inode size');
  if (inodeSize < 256 && features.incompat & abi.INCOMPAT_INLINE_DATA)
    throw new MkfsError(`${inodeSize} byte inodes are too small for inline data; specify larger size`);
  if (inodeSize < 256 && features.roCompat & abi.RO_COMPAT_PROJECT)
    throw new MkfsError(`${inodeSize} byte inodes are too small for project quota`);
  const blocks = options.blocks ?? Math.floor(sizeBytes / blockSize);
  if (blocks * blockSize > sizeBytes) throw new MkfsError('the device is smaller than that');
  if (blocks >= 2 ** 32 && !(features.incompat & abi.INCOMPAT_64BIT))
    throw new MkfsError('so many blocks need the 64bit feature');
  const bytesPerInode = options.bytesPerInode ?? usage.bytesPerInode;
  if (!(bytesPerInode >= 1024 && bytesPerInode <= 64 * MIB))
    throw new MkfsError(`invalid inode ratio ${bytesPerInode} (min 1024/max 67108864)`);
  const reservedPercent = options.reservedPercent ?? 5;
  if (!(reservedPercent >= 0 && reservedPercent <= 50))
    throw new MkfsError(`invalid reserved blocks percent - ${reservedPercent}`);
  return {
    options,
    features,
    blockSize,
    inodeSize,
    bytesPerInode,
    blocks,
    reservedPercent,
    uuid: options.uuid === undefined ? randomUuid(options.seed, 0) : uuidOf(options.uuid),
    hashSeed: randomUuid(options.seed, 1),
    label: labelOf(options.label ?? ''),
    time: options.time ?? (options.seed === undefined ? Math.floor(Date.now() / 1000) : SEED_TIME),
  };
}

function uuidOf(text: string): Bytes {
  try {
    return uuidBytes(text);
  } catch (error) {
    throw new MkfsError((error as Error).message);
  }
}
