/** Features by the names that mke2fs and dumpe2fs have for them. */
import * as abi from '../../assembly/abi/ext4.ts';

export interface FeatureBits {
  compat: number;
  incompat: number;
  roCompat: number;
}

type Word = keyof FeatureBits;

/** In dumpe2fs's order: by word, then by bit. */
const NAMES: readonly (readonly [name: string, word: Word, bit: number])[] = [
  ['dir_prealloc', 'compat', abi.COMPAT_DIR_PREALLOC],
  ['imagic_inodes', 'compat', abi.COMPAT_IMAGIC_INODES],
  ['has_journal', 'compat', abi.COMPAT_HAS_JOURNAL],
  ['ext_attr', 'compat', abi.COMPAT_EXT_ATTR],
  ['resize_inode', 'compat', abi.COMPAT_RESIZE_INODE],
  ['dir_index', 'compat', abi.COMPAT_DIR_INDEX],
  ['lazy_bg', 'compat', abi.COMPAT_LAZY_BG],
  ['sparse_super2', 'compat', abi.COMPAT_SPARSE_SUPER2],
  ['fast_commit', 'compat', abi.COMPAT_FAST_COMMIT],
  ['stable_inodes', 'compat', abi.COMPAT_STABLE_INODES],
  ['orphan_file', 'compat', abi.COMPAT_ORPHAN_FILE],
  ['compression', 'incompat', abi.INCOMPAT_COMPRESSION],
  ['filetype', 'incompat', abi.INCOMPAT_FILETYPE],
  ['needs_recovery', 'incompat', abi.INCOMPAT_RECOVER],
  ['journal_dev', 'incompat', abi.INCOMPAT_JOURNAL_DEV],
  ['meta_bg', 'incompat', abi.INCOMPAT_META_BG],
  ['extent', 'incompat', abi.INCOMPAT_EXTENTS],
  ['64bit', 'incompat', abi.INCOMPAT_64BIT],
  ['mmp', 'incompat', abi.INCOMPAT_MMP],
  ['flex_bg', 'incompat', abi.INCOMPAT_FLEX_BG],
  ['ea_inode', 'incompat', abi.INCOMPAT_EA_INODE],
  ['dirdata', 'incompat', abi.INCOMPAT_DIRDATA],
  ['metadata_csum_seed', 'incompat', abi.INCOMPAT_CSUM_SEED],
  ['large_dir', 'incompat', abi.INCOMPAT_LARGEDIR],
  ['inline_data', 'incompat', abi.INCOMPAT_INLINE_DATA],
  ['encrypt', 'incompat', abi.INCOMPAT_ENCRYPT],
  ['casefold', 'incompat', abi.INCOMPAT_CASEFOLD],
  ['sparse_super', 'roCompat', abi.RO_COMPAT_SPARSE_SUPER],
  ['large_file', 'roCompat', abi.RO_COMPAT_LARGE_FILE],
  ['huge_file', 'roCompat', abi.RO_COMPAT_HUGE_FILE],
  ['uninit_bg', 'roCompat', abi.RO_COMPAT_GDT_CSUM],
  ['dir_nlink', 'roCompat', abi.RO_COMPAT_DIR_NLINK],
  ['extra_isize', 'roCompat', abi.RO_COMPAT_EXTRA_ISIZE],
  ['snapshot_bitmap', 'roCompat', abi.RO_COMPAT_HAS_SNAPSHOT],
  ['quota', 'roCompat', abi.RO_COMPAT_QUOTA],
  ['bigalloc', 'roCompat', abi.RO_COMPAT_BIGALLOC],
  ['metadata_csum', 'roCompat', abi.RO_COMPAT_METADATA_CSUM],
  ['replica', 'roCompat', abi.RO_COMPAT_REPLICA],
  ['read-only', 'roCompat', abi.RO_COMPAT_READONLY],
  ['project', 'roCompat', abi.RO_COMPAT_PROJECT],
  ['shared_blocks', 'roCompat', abi.RO_COMPAT_SHARED_BLOCKS],
  ['verity', 'roCompat', abi.RO_COMPAT_VERITY],
  ['orphan_present', 'roCompat', abi.RO_COMPAT_ORPHAN_PRESENT],
];

/** Other words for the same. */
const ALIASES: Readonly<Record<string, string>> = {
  extents: 'extent',
  gdt_csum: 'uninit_bg',
  hash_inode: 'dir_index',
};

const LETTER: Readonly<Record<Word, string>> = { compat: 'C', incompat: 'I', roCompat: 'R' };

/** The features that bits say, by name; unknown ones as dumpe2fs writes them (FEATURE_C13). */
export function featureNames(bits: FeatureBits): string[] {
  const names: string[] = [];
  for (const word of ['compat', 'incompat', 'roCompat'] as const) {
    for (let i = 0; i < 32; i++) {
      const bit = 2 ** i;
      if ((bits[word] & bit) === 0) continue;
      const known = NAMES.find(([, of, value]) => of === word && value === bit);
      names.push(known ? known[0] : `FEATURE_${LETTER[word]}${i}`);
    }
  }
  return names;
}

export function emptyFeatures(): FeatureBits {
  return { compat: 0, incompat: 0, roCompat: 0 };
}

/**
 * Change features by a list like mke2fs's -O: names to set, with ^ those to clear, none to clear
 * all. @throws RangeError about a name that is none
 */
export function applyFeatures(bits: FeatureBits, list: string): void {
  for (const item of list.split(/[\s,]+/).filter((text) => text !== '')) {
    if (item === 'none') {
      Object.assign(bits, emptyFeatures());
      continue;
    }
    const clears = item.startsWith('^');
    const given = clears ? item.slice(1) : item;
    const name = ALIASES[given] ?? given;
    const found = NAMES.find(([known]) => known === name);
    if (found === undefined) throw new RangeError(`Invalid filesystem option set: ${list}`);
    const [, word, bit] = found;
    bits[word] = (clears ? bits[word] & ~bit : bits[word] | bit) >>> 0;
  }
}
