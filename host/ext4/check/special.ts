/** Inodes that are the file system's own: journal, resize inode, orphan file; and the orphan list. */
import * as abi from '../../../assembly/abi/ext4.ts';
import * as jbd2 from '../../../assembly/abi/jbd2.ts';
import { get32, getBe32 } from '../bytes.ts';
import { journalChecksum, orphanChecksum } from '../checksums.ts';
import { blockArea, fileType, flagsOf, linksOf, modeOf } from '../inode.ts';
import { hasSuper } from '../volume.ts';
import { type Context, KIND_BAD } from './context.ts';
import { runsOf } from './map.ts';

const JOURNAL_INCOMPAT_KNOWN =
  jbd2.JBD2_INCOMPAT_REVOKE |
  jbd2.JBD2_INCOMPAT_64BIT |
  jbd2.JBD2_INCOMPAT_ASYNC_COMMIT |
  jbd2.JBD2_INCOMPAT_CSUM_V2 |
  jbd2.JBD2_INCOMPAT_CSUM_V3 |
  jbd2.JBD2_INCOMPAT_FAST_COMMIT;
const JOURNAL_LEAST = 1024;
/** File systems that a journal's superblock has room for. */
const USERS_MOST = (jbd2.JSB_SIZE - jbd2.JSB_USERS) / 16;

/** The journal's superblock. True: there is something to replay. */
export function checkJournal(context: Context): boolean {
  const { sb } = context;
  const isWanted = sb.incompat(abi.INCOMPAT_RECOVER);
  const ino = sb.u32(abi.SB_JOURNAL_INUM);
  const bad = (what: string) => {
    context.find('journal.super', `The journal is invalid: ${what}`, { inode: ino });
    return isWanted;
  };
  if (!sb.compat(abi.COMPAT_HAS_JOURNAL)) {
    if (isWanted || ino !== 0)
      context.find('journal.feature', 'The superblock tells of a journal, without has_journal', {
        fixable: true,
      });
    return false;
  }
  if (ino === 0) return bad('it is on another device');
  if (ino > context.inodesCount) return bad(`inode ${ino}`);
  const inode = context.readInode(ino);
  if (inode === undefined || fileType(modeOf(inode)) !== abi.FT_REG_FILE || linksOf(inode) === 0)
    return bad('its inode is no file');
  const runs = runsOf(context, ino, inode);
  if (runs.length === 0 || runs[0].file !== 0) return bad('it has no first block');
  const block = context.read(runs[0].block, { inode: ino });
  if (block === undefined) return isWanted;
  const type = getBe32(block, jbd2.JH_BLOCKTYPE);
  if (getBe32(block, jbd2.JH_MAGIC) !== jbd2.JBD2_MAGIC) return bad('no magic number');
  if (type !== jbd2.JBD2_SUPERBLOCK_V1 && type !== jbd2.JBD2_SUPERBLOCK_V2)
    return bad(`a superblock of type ${type}`);
  const length = getBe32(block, jbd2.JSB_MAXLEN);
  const blocks = runs.reduce((sum, run) => sum + run.count, 0);
  if (getBe32(block, jbd2.JSB_BLOCKSIZE) !== context.geometry.blockSize)
    return bad('its blocks are of another size');
  if (length > blocks || length < JOURNAL_LEAST) return bad(`${length} blocks of ${blocks}`);
  const first = getBe32(block, jbd2.JSB_FIRST);
  const start = getBe32(block, jbd2.JSB_START);
  if (first === 0 || first >= length || start >= length) return bad('its log lies outside');
  const incompat = type === jbd2.JBD2_SUPERBLOCK_V2 ? getBe32(block, jbd2.JSB_FEATURE_INCOMPAT) : 0;
  const roCompat = type === jbd2.JBD2_SUPERBLOCK_V2 ? getBe32(block, jbd2.JSB_FEATURE_RO_COMPAT) : 0;
  if (incompat & ~JOURNAL_INCOMPAT_KNOWN || roCompat !== 0) return bad('it has unknown features');
  if (incompat & (jbd2.JBD2_INCOMPAT_CSUM_V2 | jbd2.JBD2_INCOMPAT_CSUM_V3)) {
    if (getBe32(block, jbd2.JSB_CHECKSUM) !== journalChecksum(block)) return bad('a wrong checksum');
  }
  if (type === jbd2.JBD2_SUPERBLOCK_V2 && getBe32(block, jbd2.JSB_NR_USERS) > USERS_MOST)
    return bad('it has too many users');
  if (getBe32(block, jbd2.JSB_ERRNO) !== 0)
    context.find('journal.error', 'The journal was aborted by an error', { inode: ino, fixable: true });
  if (start !== 0 && !isWanted)
    context.find('journal.recovery', 'The journal has data, and the superblock does not say so', {
      fixable: true,
    });
  return isWanted;
}

/** The orphan list and the orphan file: inodes to be removed or truncated at the next mount. */
export function readOrphans(context: Context): void {
  const { sb } = context;
  let next = sb.u32(abi.SB_LAST_ORPHAN);
  while (next !== 0) {
    if (next < sb.firstInode || next > context.inodesCount || context.orphans.has(next)) {
      context.find('orphan.list', `The orphan list leads to inode ${next}`, { inode: next });
      break;
    }
    context.orphans.add(next);
    const inode = context.readInode(next);
    next = inode ? get32(inode, abi.I_DTIME) : 0;
  }
  if (sb.compat(abi.COMPAT_ORPHAN_FILE)) readOrphanFile(context);
  if (context.orphans.size > 0)
    context.find(
      'orphan.pending',
      `${context.orphans.size} inodes are to be removed or truncated at the next mount`,
      { note: true },
    );
}

function readOrphanFile(context: Context): void {
  const ino = context.sb.u32(abi.SB_ORPHAN_FILE_INUM);
  const bad = (what: string, block?: number) =>
    context.find('orphan.file', `The orphan file is invalid: ${what}`, { inode: ino, block });
  if (ino < context.sb.firstInode || ino > context.inodesCount) {
    bad(`inode ${ino}`);
    return;
  }
  const inode = context.readInode(ino);
  if (inode === undefined) return;
  if (fileType(modeOf(inode)) !== abi.FT_REG_FILE) {
    bad('its inode is no file');
    return;
  }
  const own = context.ownSeed(ino, inode);
  for (const run of runsOf(context, ino, inode)) {
    for (let block = run.block; block < run.block + run.count; block++) {
      const bytes = context.read(block, { inode: ino });
      if (bytes === undefined) continue;
      const tail = bytes.length - abi.OB_TAIL_SIZE;
      if (get32(bytes, tail) !== abi.OB_MAGIC) bad('no magic number', block);
      else if (context.sb.hasMetadataCsum && get32(bytes, tail + 4) !== orphanChecksum(own, block, bytes))
        bad('wrong checksum', block);
      for (let at = 0; at < tail; at += 4) {
        const orphan = get32(bytes, at);
        if (orphan === 0) continue;
        if (!context.sb.roCompat(abi.RO_COMPAT_ORPHAN_PRESENT)) {
          bad('it is not empty', block);
          return;
        }
        if (orphan < context.sb.firstInode || orphan > context.inodesCount)
          bad(`it has inode ${orphan}`, block);
        else context.orphans.add(orphan);
      }
    }
  }
}

/** Files that are the file system's own have no names, and are in use all the same. */
export function keepUnnamed(context: Context): void {
  const { sb } = context;
  const unnamed: number[] = [];
  if (sb.compat(abi.COMPAT_ORPHAN_FILE)) unnamed.push(sb.u32(abi.SB_ORPHAN_FILE_INUM));
  if (sb.roCompat(abi.RO_COMPAT_QUOTA))
    for (const at of [abi.SB_USR_QUOTA_INUM, abi.SB_GRP_QUOTA_INUM, abi.SB_PRJ_QUOTA_INUM])
      unnamed.push(sb.u32(at));
  for (const ino of unnamed) {
    if (ino < sb.firstInode || ino > context.inodesCount) continue;
    context.kind[ino] = KIND_BAD;
    context.counted[ino] = context.links[ino];
  }
}

/** The resize inode: group 0's reserved descriptor blocks, each listing its copies. */
export function checkResizeInode(context: Context): void {
  const { sb, geometry } = context;
  const ino = abi.EXT4_RESIZE_INO;
  const inode = context.readInode(ino);
  if (inode === undefined) return;
  const bad = (what: string, block?: number) =>
    context.find('resize.inode', `The resize inode is not valid: ${what}`, {
      inode: ino,
      block,
      fixable: true,
    });
  const area = blockArea(inode);
  if (!sb.compat(abi.COMPAT_RESIZE_INODE)) {
    if (area.some((byte) => byte !== 0)) bad('it has blocks, without resize_inode');
    return;
  }
  if (linksOf(inode) === 0 || fileType(modeOf(inode)) !== abi.FT_REG_FILE) {
    bad('it is no file');
    return;
  }
  if (flagsOf(inode) & abi.EXT4_EXTENTS_FL) {
    bad('it has extents');
    return;
  }
  for (let i = 0; i < 15; i++)
    if (i !== abi.EXT4_DIND_BLOCK && get32(area, i * 4) !== 0) {
      bad('it has other blocks');
      return;
    }
  const double = get32(area, abi.EXT4_DIND_BLOCK * 4);
  if (!context.isBlock(double)) {
    bad(`its block is ${double}`);
    return;
  }
  const top = context.read(double, { inode: ino });
  if (top === undefined) return;
  context.claim(double, 1, { inode: ino }, 'resize inode');
  const perBlock = geometry.blockSize / 4;
  const copies = Array.from({ length: geometry.groups - 1 }, (_, i) => i + 1).filter((group) =>
    hasSuper(sb, group),
  );
  const reserved = geometry.reservedDescriptorBlocks;
  for (let i = 0; i < reserved; i++) {
    const offset = geometry.descriptorBlocks + i;
    const own = geometry.firstDataBlock + 1 + offset;
    if (get32(top, (offset % perBlock) * 4) !== own) {
      bad(`entry ${offset} of its block`, double);
      return;
    }
    const list = context.read(own, { inode: ino });
    if (list === undefined) return;
    for (let at = 0; at < perBlock; at++) {
      const wanted = at < copies.length ? geometry.groupFirst(copies[at]) + 1 + offset : 0;
      if (get32(list, at * 4) !== wanted) {
        bad(`entry ${at} of block ${own}`, own);
        return;
      }
    }
  }
  for (let at = 0; at < perBlock; at++) {
    const isReserved = (at - geometry.descriptorBlocks + perBlock) % perBlock < reserved;
    if (!isReserved && get32(top, at * 4) !== 0) {
      bad(`entry ${at} of its block`, double);
      return;
    }
  }
  const sectors = (1 + reserved * (1 + copies.length)) * (geometry.blockSize / 512);
  if (get32(inode, abi.I_BLOCKS_LO) !== sectors)
    bad(`i_blocks is ${get32(inode, abi.I_BLOCKS_LO)}, should be ${sectors}`);
}
