/**
 * ext4: which features this file system knows (super.rst, s_feature_*). An incompat one it does not know
 * refuses the mount, a ro_compat one makes it read-only; either way the kernel log has its name.
 */
import { EINVAL } from '../../abi/errno';
import {
  INCOMPAT_64BIT,
  INCOMPAT_CASEFOLD,
  INCOMPAT_COMPRESSION,
  INCOMPAT_CSUM_SEED,
  INCOMPAT_DIRDATA,
  INCOMPAT_EA_INODE,
  INCOMPAT_ENCRYPT,
  INCOMPAT_EXTENTS,
  INCOMPAT_FILETYPE,
  INCOMPAT_FLEX_BG,
  INCOMPAT_INLINE_DATA,
  INCOMPAT_JOURNAL_DEV,
  INCOMPAT_LARGEDIR,
  INCOMPAT_META_BG,
  INCOMPAT_MMP,
  INCOMPAT_RECOVER,
  RO_COMPAT_BIGALLOC,
  RO_COMPAT_DIR_NLINK,
  RO_COMPAT_EXTRA_ISIZE,
  RO_COMPAT_GDT_CSUM,
  RO_COMPAT_HAS_SNAPSHOT,
  RO_COMPAT_HUGE_FILE,
  RO_COMPAT_LARGE_FILE,
  RO_COMPAT_METADATA_CSUM,
  RO_COMPAT_ORPHAN_PRESENT,
  RO_COMPAT_PROJECT,
  RO_COMPAT_QUOTA,
  RO_COMPAT_READONLY,
  RO_COMPAT_REPLICA,
  RO_COMPAT_SHARED_BLOCKS,
  RO_COMPAT_SPARSE_SUPER,
  RO_COMPAT_VERITY,
} from '../../abi/ext4';
import { litLen, textHex, textLit } from '../../kern/text';
import { ext4LogBegin, ext4LogEnd } from './error';
import { EM_ROFEATURE, Ext4Mount } from './types';

const INCOMPAT_KNOWN: u32 =
  INCOMPAT_FILETYPE |
  INCOMPAT_RECOVER |
  INCOMPAT_META_BG |
  INCOMPAT_EXTENTS |
  INCOMPAT_64BIT |
  INCOMPAT_FLEX_BG |
  INCOMPAT_CSUM_SEED |
  INCOMPAT_LARGEDIR |
  INCOMPAT_INLINE_DATA;

const RO_COMPAT_KNOWN: u32 =
  RO_COMPAT_SPARSE_SUPER |
  RO_COMPAT_LARGE_FILE |
  RO_COMPAT_HUGE_FILE |
  RO_COMPAT_GDT_CSUM |
  RO_COMPAT_DIR_NLINK |
  RO_COMPAT_EXTRA_ISIZE |
  RO_COMPAT_METADATA_CSUM |
  RO_COMPAT_PROJECT |
  RO_COMPAT_ORPHAN_PRESENT;

function incompatName(bit: u32): string {
  switch (bit) {
    case INCOMPAT_COMPRESSION:
      return 'compression';
    case INCOMPAT_JOURNAL_DEV:
      return 'journal_dev';
    case INCOMPAT_MMP:
      return 'mmp';
    case INCOMPAT_EA_INODE:
      return 'ea_inode';
    case INCOMPAT_DIRDATA:
      return 'dirdata';
    case INCOMPAT_ENCRYPT:
      return 'encrypt';
    case INCOMPAT_CASEFOLD:
      return 'casefold';
    default:
      return '';
  }
}

function roCompatName(bit: u32): string {
  switch (bit) {
    case RO_COMPAT_HAS_SNAPSHOT:
      return 'snapshot';
    case RO_COMPAT_QUOTA:
      return 'quota';
    case RO_COMPAT_BIGALLOC:
      return 'bigalloc';
    case RO_COMPAT_REPLICA:
      return 'replica';
    case RO_COMPAT_READONLY:
      return 'read-only';
    case RO_COMPAT_SHARED_BLOCKS:
      return 'shared_blocks';
    case RO_COMPAT_VERITY:
      return 'verity';
    default:
      return '';
  }
}

/** "what: name name 0x…": the features of a word, those without a name as one number. */
function list(em: Ext4Mount, what: string, features: u32, incompat: bool): void {
  const t = ext4LogBegin(em);
  textLit(t, what);
  let nameless: u32 = 0;
  for (let left = features; left != 0; left &= left - 1) {
    const bit: u32 = 1 << ctz(left);
    const name = incompat ? incompatName(bit) : roCompatName(bit);
    if (litLen(name) == 0) {
      nameless |= bit;
      continue;
    }
    textLit(t, ' ');
    textLit(t, name);
  }
  if (nameless != 0) {
    textLit(t, ' 0x');
    textHex(t, nameless);
  }
  ext4LogEnd(t);
}

/** 0 or -EINVAL; EM_ROFEATURE is set if it can be read only. */
export function featuresCheck(em: Ext4Mount): i32 {
  const no = em.em_incompat & ~INCOMPAT_KNOWN;
  if (no != 0) {
    list(em, 'cannot mount:', no, true);
    return -EINVAL;
  }
  const ro = em.em_rocompat & ~RO_COMPAT_KNOWN;
  if (ro != 0) {
    list(em, 'read-only, for it has', ro, false);
    em.em_flags |= EM_ROFEATURE;
  }
  return 0;
}
