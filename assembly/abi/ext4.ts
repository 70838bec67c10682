/**
 * ext4's on-disk format: where the fields of its structures lie, in bytes, all little-endian.
 * Shared by the kernel's ext4 and the host's image tools. Compiled by asc and by tsc alike.
 *
 * Source: Linux's Documentation/filesystems/ext4; the chapter is named above each structure.
 */

// ── super.rst: the superblock, 1024 bytes at byte 1024 of the volume ────────────────────────
export const SB_OFFSET: u32 = 1024;
export const SB_SIZE: u32 = 1024;
export const EXT4_MAGIC: u32 = 0xef53;
export const SB_INODES_COUNT: u32 = 0x0; //          le32
export const SB_BLOCKS_COUNT_LO: u32 = 0x4; //       le32
export const SB_R_BLOCKS_COUNT_LO: u32 = 0x8; //     le32
export const SB_FREE_BLOCKS_COUNT_LO: u32 = 0xc; //  le32
export const SB_FREE_INODES_COUNT: u32 = 0x10; //    le32
export const SB_FIRST_DATA_BLOCK: u32 = 0x14; //     le32
export const SB_LOG_BLOCK_SIZE: u32 = 0x18; //       le32  block size is 1024 << this
export const SB_LOG_CLUSTER_SIZE: u32 = 0x1c; //     le32
export const SB_BLOCKS_PER_GROUP: u32 = 0x20; //     le32
export const SB_CLUSTERS_PER_GROUP: u32 = 0x24; //   le32
export const SB_INODES_PER_GROUP: u32 = 0x28; //     le32
export const SB_MTIME: u32 = 0x2c; //                le32
export const SB_WTIME: u32 = 0x30; //                le32
export const SB_MNT_COUNT: u32 = 0x34; //            le16
export const SB_MAX_MNT_COUNT: u32 = 0x36; //        le16
export const SB_MAGIC: u32 = 0x38; //                le16
export const SB_STATE: u32 = 0x3a; //                le16  EXT4_STATE_*
export const SB_ERRORS: u32 = 0x3c; //               le16  EXT4_ERRORS_*
export const SB_MINOR_REV_LEVEL: u32 = 0x3e; //      le16
export const SB_LASTCHECK: u32 = 0x40; //            le32
export const SB_CHECKINTERVAL: u32 = 0x44; //        le32
export const SB_CREATOR_OS: u32 = 0x48; //           le32
export const SB_REV_LEVEL: u32 = 0x4c; //            le32  0: sizes of inodes etc. are fixed; 1: dynamic
export const SB_DEF_RESUID: u32 = 0x50; //           le16
export const SB_DEF_RESGID: u32 = 0x52; //           le16
export const SB_FIRST_INO: u32 = 0x54; //            le32
export const SB_INODE_SIZE: u32 = 0x58; //           le16
export const SB_BLOCK_GROUP_NR: u32 = 0x5a; //       le16
export const SB_FEATURE_COMPAT: u32 = 0x5c; //       le32
export const SB_FEATURE_INCOMPAT: u32 = 0x60; //     le32
export const SB_FEATURE_RO_COMPAT: u32 = 0x64; //    le32
export const SB_UUID: u32 = 0x68; //                 u8[16]
export const SB_VOLUME_NAME: u32 = 0x78; //          char[16]
export const SB_LAST_MOUNTED: u32 = 0x88; //         char[64]
export const SB_ALGORITHM_USAGE_BITMAP: u32 = 0xc8; // le32
export const SB_PREALLOC_BLOCKS: u32 = 0xcc; //      u8
export const SB_PREALLOC_DIR_BLOCKS: u32 = 0xcd; //  u8
export const SB_RESERVED_GDT_BLOCKS: u32 = 0xce; //  le16
export const SB_JOURNAL_UUID: u32 = 0xd0; //         u8[16]
export const SB_JOURNAL_INUM: u32 = 0xe0; //         le32
export const SB_JOURNAL_DEV: u32 = 0xe4; //          le32
export const SB_LAST_ORPHAN: u32 = 0xe8; //          le32
export const SB_HASH_SEED: u32 = 0xec; //            le32[4]
export const SB_DEF_HASH_VERSION: u32 = 0xfc; //     u8    DX_HASH_*
export const SB_JNL_BACKUP_TYPE: u32 = 0xfd; //      u8
export const SB_DESC_SIZE: u32 = 0xfe; //            le16
export const SB_DEFAULT_MOUNT_OPTS: u32 = 0x100; //  le32
export const SB_FIRST_META_BG: u32 = 0x104; //       le32
export const SB_MKFS_TIME: u32 = 0x108; //           le32
export const SB_JNL_BLOCKS: u32 = 0x10c; //          le32[17]  i_block[15], i_size_high, i_size of the journal
export const SB_BLOCKS_COUNT_HI: u32 = 0x150; //     le32
export const SB_R_BLOCKS_COUNT_HI: u32 = 0x154; //   le32
export const SB_FREE_BLOCKS_COUNT_HI: u32 = 0x158; // le32
export const SB_MIN_EXTRA_ISIZE: u32 = 0x15c; //     le16
export const SB_WANT_EXTRA_ISIZE: u32 = 0x15e; //    le16
export const SB_FLAGS: u32 = 0x160; //               le32  EXT4_FLAGS_*
export const SB_RAID_STRIDE: u32 = 0x164; //         le16
export const SB_MMP_INTERVAL: u32 = 0x166; //        le16
export const SB_MMP_BLOCK: u32 = 0x168; //           le64
export const SB_RAID_STRIPE_WIDTH: u32 = 0x170; //   le32
export const SB_LOG_GROUPS_PER_FLEX: u32 = 0x174; // u8
export const SB_CHECKSUM_TYPE: u32 = 0x175; //       u8    1: crc32c
export const SB_ENCRYPTION_LEVEL: u32 = 0x176; //    u8
export const SB_KBYTES_WRITTEN: u32 = 0x178; //      le64
export const SB_ERROR_COUNT: u32 = 0x194; //         le32
export const SB_FIRST_ERROR_TIME: u32 = 0x198; //    le32
export const SB_FIRST_ERROR_INO: u32 = 0x19c; //     le32
export const SB_FIRST_ERROR_BLOCK: u32 = 0x1a0; //   le64
export const SB_FIRST_ERROR_FUNC: u32 = 0x1a8; //    char[32]
export const SB_FIRST_ERROR_LINE: u32 = 0x1c8; //    le32
export const SB_LAST_ERROR_TIME: u32 = 0x1cc; //     le32
export const SB_LAST_ERROR_INO: u32 = 0x1d0; //      le32
export const SB_LAST_ERROR_LINE: u32 = 0x1d4; //     le32
export const SB_LAST_ERROR_BLOCK: u32 = 0x1d8; //    le64
export const SB_LAST_ERROR_FUNC: u32 = 0x1e0; //     char[32]
export const SB_MOUNT_OPTS: u32 = 0x200; //          char[64]
export const SB_USR_QUOTA_INUM: u32 = 0x240; //      le32
export const SB_GRP_QUOTA_INUM: u32 = 0x244; //      le32
export const SB_OVERHEAD_BLOCKS: u32 = 0x248; //     le32
export const SB_BACKUP_BGS: u32 = 0x24c; //          le32[2]  with sparse_super2
export const SB_LPF_INO: u32 = 0x268; //             le32  lost+found
export const SB_PRJ_QUOTA_INUM: u32 = 0x26c; //      le32
export const SB_CHECKSUM_SEED: u32 = 0x270; //       le32  with metadata_csum_seed
export const SB_ENCODING: u32 = 0x27c; //            le16
export const SB_ORPHAN_FILE_INUM: u32 = 0x280; //    le32  with orphan_file
export const SB_CHECKSUM: u32 = 0x3fc; //            le32  crc32c of what is before it

export const EXT4_STATE_VALID: u32 = 1;
export const EXT4_STATE_ERROR: u32 = 2;
export const EXT4_STATE_ORPHAN: u32 = 4;
export const EXT4_ERRORS_CONTINUE: u32 = 1;
export const EXT4_ERRORS_RO: u32 = 2;
export const EXT4_ERRORS_PANIC: u32 = 3;
export const EXT4_FLAGS_SIGNED_HASH: u32 = 1;
export const EXT4_FLAGS_UNSIGNED_HASH: u32 = 2;

export const COMPAT_DIR_PREALLOC: u32 = 0x1;
export const COMPAT_IMAGIC_INODES: u32 = 0x2;
export const COMPAT_HAS_JOURNAL: u32 = 0x4;
export const COMPAT_EXT_ATTR: u32 = 0x8;
export const COMPAT_RESIZE_INODE: u32 = 0x10;
export const COMPAT_DIR_INDEX: u32 = 0x20;
export const COMPAT_LAZY_BG: u32 = 0x40;
export const COMPAT_SPARSE_SUPER2: u32 = 0x200;
export const COMPAT_FAST_COMMIT: u32 = 0x400;
export const COMPAT_STABLE_INODES: u32 = 0x800;
export const COMPAT_ORPHAN_FILE: u32 = 0x1000;

export const INCOMPAT_COMPRESSION: u32 = 0x1;
export const INCOMPAT_FILETYPE: u32 = 0x2;
export const INCOMPAT_RECOVER: u32 = 0x4;
export const INCOMPAT_JOURNAL_DEV: u32 = 0x8;
export const INCOMPAT_META_BG: u32 = 0x10;
export const INCOMPAT_EXTENTS: u32 = 0x40;
export const INCOMPAT_64BIT: u32 = 0x80;
export const INCOMPAT_MMP: u32 = 0x100;
export const INCOMPAT_FLEX_BG: u32 = 0x200;
export const INCOMPAT_EA_INODE: u32 = 0x400;
export const INCOMPAT_DIRDATA: u32 = 0x1000;
export const INCOMPAT_CSUM_SEED: u32 = 0x2000;
export const INCOMPAT_LARGEDIR: u32 = 0x4000;
export const INCOMPAT_INLINE_DATA: u32 = 0x8000;
export const INCOMPAT_ENCRYPT: u32 = 0x10000;
export const INCOMPAT_CASEFOLD: u32 = 0x20000;

export const RO_COMPAT_SPARSE_SUPER: u32 = 0x1;
export const RO_COMPAT_LARGE_FILE: u32 = 0x2;
export const RO_COMPAT_BTREE_DIR: u32 = 0x4;
export const RO_COMPAT_HUGE_FILE: u32 = 0x8;
export const RO_COMPAT_GDT_CSUM: u32 = 0x10;
export const RO_COMPAT_DIR_NLINK: u32 = 0x20;
export const RO_COMPAT_EXTRA_ISIZE: u32 = 0x40;
export const RO_COMPAT_HAS_SNAPSHOT: u32 = 0x80;
export const RO_COMPAT_QUOTA: u32 = 0x100;
export const RO_COMPAT_BIGALLOC: u32 = 0x200;
export const RO_COMPAT_METADATA_CSUM: u32 = 0x400;
export const RO_COMPAT_REPLICA: u32 = 0x800;
export const RO_COMPAT_READONLY: u32 = 0x1000;
export const RO_COMPAT_PROJECT: u32 = 0x2000;
export const RO_COMPAT_SHARED_BLOCKS: u32 = 0x4000;
export const RO_COMPAT_VERITY: u32 = 0x8000;
export const RO_COMPAT_ORPHAN_PRESENT: u32 = 0x10000;

// ── group_descr.rst: a block group's descriptor, 32 bytes, or s_desc_size with 64bit ────────
export const BG_BLOCK_BITMAP_LO: u32 = 0x0; //      le32
export const BG_INODE_BITMAP_LO: u32 = 0x4; //      le32
export const BG_INODE_TABLE_LO: u32 = 0x8; //       le32
export const BG_FREE_BLOCKS_COUNT_LO: u32 = 0xc; // le16
export const BG_FREE_INODES_COUNT_LO: u32 = 0xe; // le16
export const BG_USED_DIRS_COUNT_LO: u32 = 0x10; //  le16
export const BG_FLAGS: u32 = 0x12; //               le16  BG_*_UNINIT, BG_INODE_ZEROED
export const BG_EXCLUDE_BITMAP_LO: u32 = 0x14; //   le32
export const BG_BLOCK_BITMAP_CSUM_LO: u32 = 0x18; // le16
export const BG_INODE_BITMAP_CSUM_LO: u32 = 0x1a; // le16
export const BG_ITABLE_UNUSED_LO: u32 = 0x1c; //    le16
export const BG_CHECKSUM: u32 = 0x1e; //            le16
export const BG_SIZE_32: u32 = 32;
export const BG_BLOCK_BITMAP_HI: u32 = 0x20; //     le32
export const BG_INODE_BITMAP_HI: u32 = 0x24; //     le32
export const BG_INODE_TABLE_HI: u32 = 0x28; //      le32
export const BG_FREE_BLOCKS_COUNT_HI: u32 = 0x2c; // le16
export const BG_FREE_INODES_COUNT_HI: u32 = 0x2e; // le16
export const BG_USED_DIRS_COUNT_HI: u32 = 0x30; //  le16
export const BG_ITABLE_UNUSED_HI: u32 = 0x32; //    le16
export const BG_EXCLUDE_BITMAP_HI: u32 = 0x34; //   le32
export const BG_BLOCK_BITMAP_CSUM_HI: u32 = 0x38; // le16
export const BG_INODE_BITMAP_CSUM_HI: u32 = 0x3a; // le16
export const BG_SIZE_64: u32 = 64;
export const BG_INODE_UNINIT: u32 = 1;
export const BG_BLOCK_UNINIT: u32 = 2;
export const BG_INODE_ZEROED: u32 = 4;

// ── special_inodes.rst ──────────────────────────────────────────────────────────────────────
export const EXT4_BAD_INO: u32 = 1;
export const EXT4_ROOT_INO: u32 = 2;
export const EXT4_RESIZE_INO: u32 = 7;
export const EXT4_JOURNAL_INO: u32 = 8;
export const EXT4_GOOD_OLD_FIRST_INO: u32 = 11;

// ── inodes.rst: an inode, s_inode_size bytes ────────────────────────────────────────────────
export const EXT4_GOOD_OLD_INODE_SIZE: u32 = 128;
export const I_MODE: u32 = 0x0; //          le16
export const I_UID: u32 = 0x2; //           le16
export const I_SIZE_LO: u32 = 0x4; //       le32
export const I_ATIME: u32 = 0x8; //         le32
export const I_CTIME: u32 = 0xc; //         le32
export const I_MTIME: u32 = 0x10; //        le32
export const I_DTIME: u32 = 0x14; //        le32  on the orphan list: the next inode of it
export const I_GID: u32 = 0x18; //          le16
export const I_LINKS_COUNT: u32 = 0x1a; //  le16
export const I_BLOCKS_LO: u32 = 0x1c; //    le32
export const I_FLAGS: u32 = 0x20; //        le32  EXT4_*_FL
export const I_VERSION: u32 = 0x24; //      le32
export const I_BLOCK: u32 = 0x28; //        60 bytes
export const I_BLOCK_SIZE: u32 = 60;
export const I_GENERATION: u32 = 0x64; //   le32
export const I_FILE_ACL_LO: u32 = 0x68; //  le32
export const I_SIZE_HIGH: u32 = 0x6c; //    le32
export const I_OBSO_FADDR: u32 = 0x70; //   le32
export const I_BLOCKS_HIGH: u32 = 0x74; //  le16
export const I_FILE_ACL_HIGH: u32 = 0x76; // le16
export const I_UID_HIGH: u32 = 0x78; //     le16
export const I_GID_HIGH: u32 = 0x7a; //     le16
export const I_CHECKSUM_LO: u32 = 0x7c; //  le16
export const I_EXTRA_ISIZE: u32 = 0x80; //  le16
export const I_CHECKSUM_HI: u32 = 0x82; //  le16
export const I_CTIME_EXTRA: u32 = 0x84; //  le32  low 2 bits: epoch, above: nanoseconds
export const I_MTIME_EXTRA: u32 = 0x88; //  le32
export const I_ATIME_EXTRA: u32 = 0x8c; //  le32
export const I_CRTIME: u32 = 0x90; //       le32
export const I_CRTIME_EXTRA: u32 = 0x94; // le32
export const I_VERSION_HI: u32 = 0x98; //   le32
export const I_PROJID: u32 = 0x9c; //       le32
/** The end of the fields there are by now, from the inode's start. */
export const I_END: u32 = 0xa0;

export const EXT4_SECRM_FL: u32 = 0x1;
export const EXT4_UNRM_FL: u32 = 0x2;
export const EXT4_COMPR_FL: u32 = 0x4;
export const EXT4_SYNC_FL: u32 = 0x8;
export const EXT4_IMMUTABLE_FL: u32 = 0x10;
export const EXT4_APPEND_FL: u32 = 0x20;
export const EXT4_NODUMP_FL: u32 = 0x40;
export const EXT4_NOATIME_FL: u32 = 0x80;
export const EXT4_ENCRYPT_FL: u32 = 0x800;
export const EXT4_INDEX_FL: u32 = 0x1000;
export const EXT4_IMAGIC_FL: u32 = 0x2000;
export const EXT4_JOURNAL_DATA_FL: u32 = 0x4000;
export const EXT4_NOTAIL_FL: u32 = 0x8000;
export const EXT4_DIRSYNC_FL: u32 = 0x10000;
export const EXT4_TOPDIR_FL: u32 = 0x20000;
export const EXT4_HUGE_FILE_FL: u32 = 0x40000;
export const EXT4_EXTENTS_FL: u32 = 0x80000;
export const EXT4_VERITY_FL: u32 = 0x100000;
export const EXT4_EA_INODE_FL: u32 = 0x200000;
export const EXT4_INLINE_DATA_FL: u32 = 0x10000000;
export const EXT4_PROJINHERIT_FL: u32 = 0x20000000;
export const EXT4_CASEFOLD_FL: u32 = 0x40000000;

/** The most links an inode counts; a directory beyond it says 1 (dir_nlink). */
export const EXT4_LINK_MAX: u32 = 65000;

// ── blockmap.rst: i_block without EXT4_EXTENTS_FL ───────────────────────────────────────────
export const EXT4_NDIR_BLOCKS: u32 = 12;
export const EXT4_IND_BLOCK: u32 = 12;
export const EXT4_DIND_BLOCK: u32 = 13;
export const EXT4_TIND_BLOCK: u32 = 14;

// ── ifork.rst: extent trees ─────────────────────────────────────────────────────────────────
export const EXT4_EXT_MAGIC: u32 = 0xf30a;
export const EXT4_EXT_MAX_DEPTH: u32 = 5;
export const EH_MAGIC: u32 = 0; //       le16
export const EH_ENTRIES: u32 = 2; //     le16
export const EH_MAX: u32 = 4; //         le16
export const EH_DEPTH: u32 = 6; //       le16
export const EH_GENERATION: u32 = 8; //  le32
export const EH_SIZE: u32 = 12;
export const EI_BLOCK: u32 = 0; //       le32
export const EI_LEAF_LO: u32 = 4; //     le32
export const EI_LEAF_HI: u32 = 8; //     le16
export const EE_BLOCK: u32 = 0; //       le32
export const EE_LEN: u32 = 4; //         le16  above EXT_INIT_MAX_LEN: unwritten, of this less EXT_INIT_MAX_LEN
export const EE_START_HI: u32 = 6; //    le16
export const EE_START_LO: u32 = 8; //    le32
export const EE_SIZE: u32 = 12; //       an ext4_extent or ext4_extent_idx
export const EXT_INIT_MAX_LEN: u32 = 32768;
/** struct ext4_extent_tail: the checksum, behind the last entry there is room for. */
export const ET_SIZE: u32 = 4;

// ── directory.rst ───────────────────────────────────────────────────────────────────────────
export const DE_INODE: u32 = 0; //      le32
export const DE_REC_LEN: u32 = 4; //    le16
export const DE_NAME_LEN: u32 = 6; //   u8 (le16 without filetype)
export const DE_FILE_TYPE: u32 = 7; //  u8
export const DE_NAME: u32 = 8;
export const EXT4_NAME_LEN: u32 = 255;
/** struct ext4_dir_entry_tail at a leaf's end, with metadata_csum. */
export const DE_TAIL_SIZE: u32 = 12;
export const DE_TAIL_FT: u32 = 0xde; //  its file type
export const DE_TAIL_CSUM: u32 = 8; //   le32
export const FT_UNKNOWN: u32 = 0;
export const FT_REG_FILE: u32 = 1;
export const FT_DIR: u32 = 2;
export const FT_CHRDEV: u32 = 3;
export const FT_BLKDEV: u32 = 4;
export const FT_FIFO: u32 = 5;
export const FT_SOCK: u32 = 6;
export const FT_SYMLINK: u32 = 7;

// hash trees: dx_root, in a directory's first block behind "." and ".."
export const DX_ROOT_INFO: u32 = 24; //         struct dx_root_info
export const DX_ROOT_HASH_VERSION: u32 = 28; // u8
export const DX_ROOT_INFO_LENGTH: u32 = 29; //  u8   8
export const DX_ROOT_INDIRECT_LEVELS: u32 = 30; // u8
export const DX_ROOT_UNUSED_FLAGS: u32 = 31; // u8
export const DX_ROOT_ENTRIES: u32 = 32;
export const DX_NODE_ENTRIES: u32 = 8;
// the first entry's hash is a dx_countlimit
export const DX_LIMIT: u32 = 0; //     le16
export const DX_COUNT: u32 = 2; //     le16
export const DX_HASH: u32 = 0; //      le32
export const DX_BLOCK: u32 = 4; //     le32
export const DX_ENTRY_SIZE: u32 = 8;
/** struct dx_tail behind the last entry there is room for, with metadata_csum: reserved le32, checksum le32. */
export const DX_TAIL_SIZE: u32 = 8;
export const DX_TAIL_CSUM: u32 = 4;
export const DX_HASH_LEGACY: u32 = 0;
export const DX_HASH_HALF_MD4: u32 = 1;
export const DX_HASH_TEA: u32 = 2;
export const DX_HASH_LEGACY_UNSIGNED: u32 = 3;
export const DX_HASH_HALF_MD4_UNSIGNED: u32 = 4;
export const DX_HASH_TEA_UNSIGNED: u32 = 5;
export const DX_HASH_SIPHASH: u32 = 6;

// ── attributes.rst ──────────────────────────────────────────────────────────────────────────
export const XATTR_MAGIC: u32 = 0xea020000;
// in the inode, behind i_extra_isize: the magic, then entries
export const XI_MAGIC: u32 = 0; //      le32
export const XI_ENTRIES: u32 = 4;
// in a block: struct ext4_xattr_header
export const XH_MAGIC: u32 = 0; //      le32
export const XH_REFCOUNT: u32 = 4; //   le32
export const XH_BLOCKS: u32 = 8; //     le32
export const XH_HASH: u32 = 12; //      le32
export const XH_CHECKSUM: u32 = 16; //  le32
export const XH_SIZE: u32 = 32;
export const XE_NAME_LEN: u32 = 0; //   u8
export const XE_NAME_INDEX: u32 = 1; // u8
export const XE_VALUE_OFFS: u32 = 2; // le16
export const XE_VALUE_INUM: u32 = 4; // le32
export const XE_VALUE_SIZE: u32 = 8; // le32
export const XE_HASH: u32 = 12; //      le32
export const XE_NAME: u32 = 16;
export const XATTR_INDEX_USER: u32 = 1;
export const XATTR_INDEX_POSIX_ACL_ACCESS: u32 = 2;
export const XATTR_INDEX_POSIX_ACL_DEFAULT: u32 = 3;
export const XATTR_INDEX_TRUSTED: u32 = 4;
export const XATTR_INDEX_SECURITY: u32 = 6;
export const XATTR_INDEX_SYSTEM: u32 = 7;

// ── orphan.rst: the orphan file's blocks: le32 inodes, then struct ext4_orphan_block_tail ───
export const OB_MAGIC: u32 = 0x0b10ca04;
/** At the block's end: magic le32, checksum le32. */
export const OB_TAIL_SIZE: u32 = 8;

// ── mmp.rst ─────────────────────────────────────────────────────────────────────────────────
export const MMP_MAGIC: u32 = 0x004d4d50;
