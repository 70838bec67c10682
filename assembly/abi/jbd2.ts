/**
 * jbd2's on-disk format: the journal of ext3 and ext4. All fields big-endian. Shared by the
 * kernel's journal and the host's image tools. Compiled by asc and by tsc alike.
 *
 * Source: Linux's Documentation/filesystems/ext4/journal.rst.
 */
export const JBD2_MAGIC: u32 = 0xc03b3998;

// ── struct journal_header_s: the first bytes of each block that is the journal's own ────────
export const JH_MAGIC: u32 = 0; //     be32
export const JH_BLOCKTYPE: u32 = 4; // be32  JBD2_*_BLOCK, JBD2_SUPERBLOCK_*
export const JH_SEQUENCE: u32 = 8; //  be32  the transaction's number
export const JH_SIZE: u32 = 12;
export const JBD2_DESCRIPTOR_BLOCK: u32 = 1;
export const JBD2_COMMIT_BLOCK: u32 = 2;
export const JBD2_SUPERBLOCK_V1: u32 = 3;
export const JBD2_SUPERBLOCK_V2: u32 = 4;
export const JBD2_REVOKE_BLOCK: u32 = 5;

// ── struct journal_superblock_s, 1024 bytes ─────────────────────────────────────────────────
export const JSB_BLOCKSIZE: u32 = 0xc; //         be32
export const JSB_MAXLEN: u32 = 0x10; //           be32  blocks in the journal
export const JSB_FIRST: u32 = 0x14; //            be32  first block of log information
export const JSB_SEQUENCE: u32 = 0x18; //         be32  first transaction expected in the log
export const JSB_START: u32 = 0x1c; //            be32  its block; 0: the log is empty
export const JSB_ERRNO: u32 = 0x20; //            be32
export const JSB_FEATURE_COMPAT: u32 = 0x24; //   be32
export const JSB_FEATURE_INCOMPAT: u32 = 0x28; // be32
export const JSB_FEATURE_RO_COMPAT: u32 = 0x2c; // be32
export const JSB_UUID: u32 = 0x30; //             u8[16]
export const JSB_NR_USERS: u32 = 0x40; //         be32
export const JSB_DYNSUPER: u32 = 0x44; //         be32
export const JSB_MAX_TRANSACTION: u32 = 0x48; //  be32
export const JSB_MAX_TRANS_DATA: u32 = 0x4c; //   be32
export const JSB_CHECKSUM_TYPE: u32 = 0x50; //    u8    4: crc32c
export const JSB_NUM_FC_BLKS: u32 = 0x54; //      be32
export const JSB_HEAD: u32 = 0x58; //             be32
export const JSB_CHECKSUM: u32 = 0xfc; //         be32  crc32c of the superblock with this as 0
export const JSB_USERS: u32 = 0x100; //           u8[16 × 48]
export const JSB_SIZE: u32 = 1024;

export const JBD2_COMPAT_CHECKSUM: u32 = 0x1;
export const JBD2_INCOMPAT_REVOKE: u32 = 0x1;
export const JBD2_INCOMPAT_64BIT: u32 = 0x2;
export const JBD2_INCOMPAT_ASYNC_COMMIT: u32 = 0x4;
export const JBD2_INCOMPAT_CSUM_V2: u32 = 0x8;
export const JBD2_INCOMPAT_CSUM_V3: u32 = 0x10;
export const JBD2_INCOMPAT_FAST_COMMIT: u32 = 0x20;
/** Blocks at the journal's end that fast commits have when s_num_fc_blks says 0. */
export const JBD2_DEFAULT_FC_BLKS: u32 = 256;

// ── descriptor blocks: the header, then tags ────────────────────────────────────────────────
// struct journal_block_tag3_s, with CSUM_V3
export const JT3_BLOCKNR: u32 = 0; //      be32
export const JT3_FLAGS: u32 = 4; //        be32
export const JT3_BLOCKNR_HIGH: u32 = 8; // be32
export const JT3_CHECKSUM: u32 = 12; //    be32
export const JT3_SIZE: u32 = 16;
// struct journal_block_tag_s, otherwise; the high word only with 64BIT
export const JT_BLOCKNR: u32 = 0; //       be32
export const JT_CHECKSUM: u32 = 4; //      be16
export const JT_FLAGS: u32 = 6; //         be16
export const JT_BLOCKNR_HIGH: u32 = 8; //  be32
export const JT_SIZE_32: u32 = 8;
export const JT_SIZE_64: u32 = 12;
/** With CSUM_V2 a tag is two bytes longer. */
export const JT_CSUM2_EXTRA: u32 = 2;
/** The journal's UUID behind a tag that does not say SAME_UUID. */
export const JT_UUID_SIZE: u32 = 16;
export const JBD2_FLAG_ESCAPE: u32 = 1;
export const JBD2_FLAG_SAME_UUID: u32 = 2;
export const JBD2_FLAG_DELETED: u32 = 4;
export const JBD2_FLAG_LAST_TAG: u32 = 8;
/** struct jbd2_journal_block_tail: a be32 checksum at the end of descriptor and revoke blocks (v2, v3). */
export const JBT_SIZE: u32 = 4;

// ── revoke blocks ───────────────────────────────────────────────────────────────────────────
export const JR_COUNT: u32 = 12; //  be32  bytes of this block that are used
export const JR_BLOCKS: u32 = 16; // be32, or be64 with 64BIT

// ── commit blocks ───────────────────────────────────────────────────────────────────────────
export const JC_CHKSUM_TYPE: u32 = 12; // u8
export const JC_CHKSUM_SIZE: u32 = 13; // u8
export const JC_CHKSUM: u32 = 16; //      be32[8]
export const JBD2_CRC32_CHKSUM: u32 = 1;
export const JBD2_CRC32_CHKSUM_SIZE: u32 = 4;
export const JBD2_CRC32C_CHKSUM: u32 = 4;
export const JC_COMMIT_SEC: u32 = 48; //  be64
export const JC_COMMIT_NSEC: u32 = 56; // be32

// ── fast commits (journal.rst, "Fast Commits"): little-endian tags behind the log ────────────
export const FC_TAG: u32 = 0; //     le16
export const FC_LEN: u32 = 2; //     le16
export const FC_HEAD_TID: u32 = 8; // le32  behind the tag and le32 features
export const FC_TAG_HEAD: u32 = 9;
