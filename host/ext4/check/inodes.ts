/** Pass 1: every inode by itself, and the blocks that it claims. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { get16, get32, isZero, joined } from '../bytes.ts';
import { inodeChecksum, storedInodeChecksum } from '../checksums.ts';
import { blockArea, fileType, flagsOf, linksOf, modeOf, sizeOf } from '../inode.ts';
import { type Context, KIND_BAD } from './context.ts';
import { walkMap } from './map.ts';
import { checkAttributeBlock, checkAttributeCounts, checkInlineAttributes, inlineRest } from './xattr.ts';

const READ_BLOCKS = 32;
const TWO_GIB = 2 ** 31;
const EPOCH_MASK = 3;
/** What of i_block may hold a device's numbers. */
const DEVICE_BYTES = 16;

/** What each group has at fixed places is claimed before any inode. */
export function claimMetadata(context: Context): void {
  const { geometry, groups } = context;
  for (let number = 0; number < geometry.groups; number++) {
    const head = Math.min(geometry.headBlocks(number), geometry.groupBlocks(number));
    const place = { group: number };
    if (head > 0) context.claim(geometry.groupFirst(number), head, place, 'descriptors');
    const group = groups.at(number);
    context.claim(group.blockBitmap, 1, place, 'block bitmap');
    context.claim(group.inodeBitmap, 1, place, 'inode bitmap');
    context.claim(group.inodeTable, geometry.inodeTableBlocks, place, 'inode table');
  }
}

/** What a walk over an inode's map found. */
interface Mapped {
  blocks: number;
  /** The file's last block that has data, or -1; unwritten ones do not count. */
  last: number;
  /** The last of all, unwritten ones too. */
  end: number;
  hasHole: boolean;
  hasUnwritten: boolean;
}

function mapped(context: Context, ino: number, inode: Uint8Array): Mapped {
  const found: Mapped = { blocks: 0, last: -1, end: -1, hasHole: false, hasUnwritten: false };
  const place = { inode: ino };
  walkMap(context, ino, inode, {
    data(file, block, count, isUnwritten) {
      if (file !== found.end + 1) found.hasHole = true;
      found.blocks += count;
      found.end = Math.max(found.end, file + count - 1);
      if (isUnwritten) found.hasUnwritten = true;
      else found.last = Math.max(found.last, file + count - 1);
      context.claim(block, count, place, `inode ${ino}`);
    },
    node(block) {
      found.blocks++;
      return context.claim(block, 1, place, `map of inode ${ino}`) === 0;
    },
    fault: (rule, message, block) => context.find(rule, `Inode ${ino} ${message}`, { ...place, block }),
  });
  return found;
}

class InodeCheck {
  readonly #context: Context;
  readonly #ino: number;
  readonly #inode: Uint8Array;

  constructor(context: Context, ino: number, inode: Uint8Array) {
    this.#context = context;
    this.#ino = ino;
    this.#inode = inode;
  }

  #find(rule: string, message: string, fixable = false): void {
    this.#context.find(rule, `Inode ${this.#ino} ${message}`, { inode: this.#ino, fixable });
  }

  checksum(): void {
    if (!this.#context.sb.hasMetadataCsum) return;
    const right = inodeChecksum(this.#context.seed, this.#ino, this.#inode);
    if (storedInodeChecksum(this.#inode) === right || isZero(this.#inode)) return;
    this.#find('inode.checksum', 'has a wrong checksum');
  }

  run(): void {
    const context = this.#context;
    const { sb } = context;
    const ino = this.#ino;
    const inode = this.#inode;
    this.checksum();
    const links = linksOf(inode);
    const isReserved = ino < sb.firstInode && ino !== abi.EXT4_ROOT_INO;
    if (isReserved) {
      this.#reserved();
      return;
    }
    if (links === 0 && !context.orphans.has(ino)) {
      if (get32(inode, abi.I_DTIME) === 0 && modeOf(inode) !== 0)
        this.#find('inode.deletedTime', 'is deleted, and has no time of it', true);
      return;
    }
    if (get32(inode, abi.I_DTIME) !== 0 && links > 0 && !context.orphans.has(ino))
      this.#find('inode.deletionTime', 'is in use, and has a deletion time');
    const type = fileType(modeOf(inode));
    context.kind[ino] = type === 0 ? KIND_BAD : type;
    context.links[ino] = links;
    this.#ofAnyKind();
    if (ino === abi.EXT4_ROOT_INO && type !== abi.FT_DIR)
      this.#find('root.type', 'is the root, and no directory');
    if (type === 0) this.#find('inode.mode', `has an invalid mode (0${modeOf(inode).toString(8)})`);
    this.#content(type);
  }

  /** Inodes below the first: journal, resize inode, quotas. They have no names. */
  #reserved(): void {
    const context = this.#context;
    const ino = this.#ino;
    const inode = this.#inode;
    context.kind[ino] = KIND_BAD;
    if (ino === abi.EXT4_BAD_INO) {
      if (!isZero(blockArea(inode))) this.#content(abi.FT_REG_FILE, false);
      return;
    }
    const isUsed = linksOf(inode) > 0 || !isZero(blockArea(inode));
    const isJournal =
      ino === context.sb.u32(abi.SB_JOURNAL_INUM) && context.sb.compat(abi.COMPAT_HAS_JOURNAL);
    if (ino === abi.EXT4_JOURNAL_INO && !isJournal && isUsed)
      this.#find('journal.clear', 'was the journal and is not empty, without has_journal', true);
    const type = fileType(modeOf(inode));
    if (modeOf(inode) !== 0 && type !== abi.FT_REG_FILE)
      this.#find('inode.reservedMode', 'is reserved and has a bad mode');
    this.#ofAnyKind();
    if (ino === abi.EXT4_RESIZE_INO) return;
    if (isUsed) this.#content(abi.FT_REG_FILE, isJournal);
  }

  #ofAnyKind(): void {
    const inode = this.#inode;
    if (get32(inode, abi.I_OBSO_FADDR) !== 0) this.#find('inode.fragment', 'has a fragment address', true);
    if (inode.length <= abi.EXT4_GOOD_OLD_INODE_SIZE) return;
    const extra = get16(inode, abi.I_EXTRA_ISIZE);
    const most = inode.length - abi.EXT4_GOOD_OLD_INODE_SIZE;
    if (extra !== 0 && (extra < 4 || extra > most || extra % 4 !== 0)) {
      this.#find('inode.extraIsize', `has an extra size of ${extra}, which is invalid`);
      return;
    }
    for (const [at, more] of [
      [abi.I_CTIME, abi.I_CTIME_EXTRA],
      [abi.I_MTIME, abi.I_MTIME_EXTRA],
      [abi.I_ATIME, abi.I_ATIME_EXTRA],
      [abi.I_CRTIME, abi.I_CRTIME_EXTRA],
    ]) {
      const isThere = more + 4 <= abi.EXT4_GOOD_OLD_INODE_SIZE + extra;
      if (isThere && get32(inode, at) >= TWO_GIB && (get32(inode, more) & EPOCH_MASK) === EPOCH_MASK)
        this.#find('inode.time', 'has a time that is out of range', true);
    }
    checkInlineAttributes(this.#context, this.#ino, inode);
  }

  /** Map, size, i_blocks, by what it is. */
  #content(type: number, hasSize = true): void {
    const context = this.#context;
    const { sb } = context;
    const inode = this.#inode;
    const flags = flagsOf(inode);
    const size = sizeOf(inode);
    const own = checkAttributeBlock(context, this.#ino, inode);
    if (type === abi.FT_REG_FILE && size >= TWO_GIB) context.hasLargeFiles = true;
    if (flags & abi.EXT4_INLINE_DATA_FL) {
      this.#inline(type, size, own);
      return;
    }
    const isFast =
      type === abi.FT_SYMLINK &&
      this.#countedBlocks() === own * this.#sectors &&
      !(flags & abi.EXT4_EXTENTS_FL);
    if (type !== abi.FT_REG_FILE && type !== abi.FT_DIR && (type !== abi.FT_SYMLINK || isFast)) {
      this.#special(type, size);
      this.#blocks(own);
      return;
    }
    if (flags & abi.EXT4_EXTENTS_FL && !sb.incompat(abi.INCOMPAT_EXTENTS))
      this.#find('inode.extents', 'has extents, without the feature');
    const found = mapped(context, this.#ino, inode);
    if (hasSize) this.#size(type, size, found);
    this.#blocks(found.blocks + own);
    if (type === abi.FT_DIR) this.#directory(flags, found);
    else if (flags & abi.EXT4_INDEX_FL)
      this.#find('inode.index', 'has a directory index and is no directory', true);
    if (type === abi.FT_SYMLINK) this.#slowSymlink(size, found);
  }

  get #sectors(): number {
    return this.#context.geometry.blockSize / 512;
  }

  #countedBlocks(): number {
    const inode = this.#inode;
    const isHuge = this.#context.sb.roCompat(abi.RO_COMPAT_HUGE_FILE);
    const sectors = joined(get32(inode, abi.I_BLOCKS_LO), isHuge ? get16(inode, abi.I_BLOCKS_HIGH) : 0);
    return isHuge && flagsOf(inode) & abi.EXT4_HUGE_FILE_FL ? sectors * this.#sectors : sectors;
  }

  #blocks(count: number): void {
    if (!this.#context.sb.roCompat(abi.RO_COMPAT_HUGE_FILE) && get16(this.#inode, abi.I_BLOCKS_HIGH) !== 0)
      this.#find('inode.blocksHigh', 'has i_blocks_hi, without huge_file', true);
    const says = this.#countedBlocks();
    if (says !== count * this.#sectors)
      this.#find('inode.blocks', `has i_blocks ${says}, should be ${count * this.#sectors}`, true);
  }

  #inline(type: number, size: number, own: number): void {
    if (!this.#context.sb.incompat(abi.INCOMPAT_INLINE_DATA))
      this.#find('inode.inline', 'has inline data, without the feature');
    if (flagsOf(this.#inode) & abi.EXT4_EXTENTS_FL) this.#find('inode.inline', 'has inline data and extents');
    const rest = inlineRest(this.#inode);
    if (rest === undefined) {
      this.#find('inode.inline', 'has inline data without system.data');
      return;
    }
    const room = abi.I_BLOCK_SIZE + rest.length;
    if (type === abi.FT_DIR ? size !== room : size > room)
      this.#find('inode.size', `has i_size ${size}, and inline data of ${room} bytes`);
    this.#blocks(own);
  }

  /** Devices, fifos, sockets, short symlinks. */
  #special(type: number, size: number): void {
    const inode = this.#inode;
    const flags = flagsOf(inode);
    if (type === 0) return;
    if (flags & (abi.EXT4_IMMUTABLE_FL | abi.EXT4_APPEND_FL))
      this.#find('inode.flags', 'is special, and immutable or append-only', true);
    if (flags & (abi.EXT4_EXTENTS_FL | abi.EXT4_INDEX_FL))
      this.#find('inode.flags', 'is special, and has flags of one with blocks');
    const area = blockArea(inode);
    if (type === abi.FT_SYMLINK) {
      const end = area.indexOf(0);
      if (size === 0 || (end < 0 ? area.length : end) !== size)
        this.#find('symlink.length', 'is an invalid symlink');
      return;
    }
    if (size !== 0) this.#find('inode.size', 'is special and has a size', true);
    if (!isZero(area, DEVICE_BYTES)) this.#find('inode.device', 'is special and has blocks');
  }

  #slowSymlink(size: number, found: Mapped): void {
    const { blockSize } = this.#context.geometry;
    if (found.end !== 0 || found.hasUnwritten || size === 0 || size >= blockSize) {
      this.#find('symlink.length', 'is an invalid symlink');
      return;
    }
    let first = 0;
    walkMap(this.#context, this.#ino, this.#inode, {
      data: (file, block) => {
        if (file === 0) first = block;
      },
      node: () => true,
    });
    const bytes = this.#context.read(first, { inode: this.#ino });
    if (bytes && bytes.subarray(0, size + 1).indexOf(0) !== size)
      this.#find('symlink.length', 'is a symlink whose length is not its size');
  }

  #size(type: number, size: number, found: Mapped): void {
    const { geometry, sb } = this.#context;
    const bytes = geometry.blockSize;
    const bad = () => this.#find('inode.size', `has i_size ${size}, and ${found.last + 1} blocks`, true);
    if (type === abi.FT_DIR) {
      const blocks = size / bytes;
      const more = found.last + 1 - blocks;
      if (size % bytes !== 0 || more < 0 || more > sb.u8(abi.SB_PREALLOC_DIR_BLOCKS)) bad();
      return;
    }
    if (type !== abi.FT_REG_FILE) return;
    const most = flagsOf(this.#inode) & abi.EXT4_EXTENTS_FL ? 2 ** 32 * bytes - 1 : this.#mostMapped();
    if (size > most || (found.last >= 0 && size < found.last * bytes)) bad();
  }

  /** The largest size that a block map can have. */
  #mostMapped(): number {
    const bytes = this.#context.geometry.blockSize;
    const per = bytes / 4;
    return Math.min((abi.EXT4_NDIR_BLOCKS + per + per * per + per ** 3) * bytes, (2 ** 32 - 1) * bytes);
  }

  #directory(flags: number, found: Mapped): void {
    if (found.blocks === 0) this.#find('dir.empty', 'is a directory without blocks');
    if (found.hasUnwritten) this.#find('dir.unwritten', 'is a directory with unwritten extents');
    if (flags & abi.EXT4_INDEX_FL && !this.#context.sb.compat(abi.COMPAT_DIR_INDEX))
      this.#find('inode.index', 'has a directory index, without the feature', true);
  }
}

/** Inodes of a group that its descriptor lets one look at. */
function inodesOf(context: Context, number: number): number {
  const group = context.groups.at(number);
  const { inodesPerGroup } = context.geometry;
  if (!context.sb.hasGroupCsum) return inodesPerGroup;
  if (group.flags & abi.BG_INODE_UNINIT) return 0;
  return Math.max(inodesPerGroup - group.unusedInodes, 0);
}

export function checkInodes(context: Context): void {
  const { geometry, groups } = context;
  const perBlock = geometry.blockSize / geometry.inodeSize;
  for (let number = 0; number < geometry.groups; number++) {
    const count = inodesOf(context, number);
    const first = number * geometry.inodesPerGroup + 1;
    for (let at = 0; at < count; at += perBlock * READ_BLOCKS) {
      const length = Math.min(READ_BLOCKS, geometry.inodeTableBlocks - at / perBlock);
      const bytes = context.readMany(groups.at(number).inodeTable + at / perBlock, length, { group: number });
      if (bytes === undefined) continue;
      const end = Math.min(count - at, length * perBlock);
      for (let i = 0; i < end; i++) {
        const inode = bytes.subarray(i * geometry.inodeSize, (i + 1) * geometry.inodeSize);
        if (get32(inode, 0) === 0 && first + at + i >= context.sb.firstInode && isZero(inode)) continue;
        new InodeCheck(context, first + at + i, inode).run();
      }
    }
    context.onStep(number + 1);
  }
  // the first inodes are taken whether or not their table says anything
  for (let ino = 1; ino < context.sb.firstInode && ino <= context.inodesCount; ino++) {
    if (ino !== abi.EXT4_ROOT_INO && context.kind[ino] === 0) context.kind[ino] = KIND_BAD;
  }
  if (context.kind[abi.EXT4_ROOT_INO] === 0)
    context.find('root.missing', 'There is no root directory', { inode: abi.EXT4_ROOT_INO });
  checkAttributeCounts(context);
  if (context.hasLargeFiles && !context.sb.roCompat(abi.RO_COMPAT_LARGE_FILE))
    context.find('super.features', 'There are files of 2 GiB and more, without large_file', {
      fixable: true,
    });
}
