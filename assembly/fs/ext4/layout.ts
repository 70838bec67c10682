/**
 * Where mkfs put the metadata that every group has: copies of superblock and descriptors, bitmaps, inode tables
 * (blockgroup.rst). By this rule the bitmap of a group that is not initialised is made, and no file may hold
 * such a block, whatever its map says.
 */
import { INCOMPAT_META_BG, SB_FIRST_META_BG, SB_RESERVED_GDT_BLOCKS } from '../../abi/ext4';
import { bitsSet } from './bits';
import { gdBlockBitmap, gdInodeBitmap, gdInodeTable, groupDesc, groupHasSuper } from './group';
import { Ext4Mount, groupBlocks, groupFirst, groupOf, hasIncompat } from './types';

/** Blocks at a group's beginning: the superblock's copy, descriptors, those reserved for more of them. */
function headBlocks(em: Ext4Mount, g: u32): u32 {
  const copy = groupHasSuper(em, g);
  const firstMeta = hasIncompat(em, INCOMPAT_META_BG) ? load<u32>(<usize>em.em_sb + SB_FIRST_META_BG) : u32.MAX_VALUE;
  if (g >> em.em_dpbshift < firstMeta) {
    if (!copy) return 0;
    const all = (em.em_groups + em.em_dpb - 1) >> em.em_dpbshift;
    return 1 + (all < firstMeta ? all : firstMeta) + <u32>load<u16>(<usize>em.em_sb + SB_RESERVED_GDT_BLOCKS);
  }
  // meta_bg: one block of descriptors in the first, second and last group of those it describes
  const at = g & (em.em_dpb - 1);
  return (copy ? 1 : 0) + (at == 0 || at == 1 || at == em.em_dpb - 1 ? 1 : 0);
}

/** The groups whose bitmaps and tables may lie in group g: [first, end). */
function flexFirst(em: Ext4Mount, g: u32): u32 {
  return em.em_flexshift == 0 ? g : (g >> em.em_flexshift) << em.em_flexshift;
}
function flexEnd(em: Ext4Mount, g: u32): u32 {
  const end = flexFirst(em, g) + (<u32>1 << em.em_flexshift);
  return end < em.em_groups ? end : em.em_groups;
}

/** Set the bits of all such blocks that lie in group g. */
export function metaMark(em: Ext4Mount, g: u32, b: usize): void {
  const n = groupBlocks(em, g);
  const head = headBlocks(em, g);
  bitsSet(b, 0, head < n ? head : n);
  const end = flexEnd(em, g);
  for (let i = flexFirst(em, g); i < end; i++) {
    const gd = groupDesc(em, i);
    mark(em, g, b, n, gdBlockBitmap(em, gd), 1);
    mark(em, g, b, n, gdInodeBitmap(em, gd), 1);
    mark(em, g, b, n, gdInodeTable(em, gd), em.em_itblocks);
  }
}

function mark(em: Ext4Mount, g: u32, b: usize, n: u32, block: u64, count: u32): void {
  const first = groupFirst(em, g);
  const from = block > first ? block : first;
  const end = block + count < first + n ? block + count : first + n;
  if (from < end) bitsSet(b, <u32>(from - first), <u32>(end - from));
}

// @ts-ignore: decorator
@inline
function meets(a: u64, an: u64, b: u64, bn: u64): bool {
  return a < b + bn && b < a + an;
}

/** Does [pblk, pblk + n), inside the file system, hold any block that is no file's? */
export function metaOverlaps(em: Ext4Mount, pblk: u64, n: u32): bool {
  const last = groupOf(em, pblk + n - 1);
  for (let g = groupOf(em, pblk); g <= last; g++) {
    const head = headBlocks(em, g);
    if (head != 0 && meets(pblk, n, groupFirst(em, g), head)) return true;
    const end = flexEnd(em, g);
    for (let i = flexFirst(em, g); i < end; i++) {
      const gd = groupDesc(em, i);
      if (meets(pblk, n, gdBlockBitmap(em, gd), 1) || meets(pblk, n, gdInodeBitmap(em, gd), 1)) return true;
      if (meets(pblk, n, gdInodeTable(em, gd), em.em_itblocks)) return true;
    }
  }
  return false;
}
