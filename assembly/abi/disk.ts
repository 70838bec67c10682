/**
 * Disks between the kernel and the host: a Bio, as the kernel lays it out in RAM and the host's
 * block-device emulator reads it. Compiled by asc and by tsc alike.
 *
 * The kernel hands a Bio to the import disk_strategy(bio). The host does what BIO_OP says and
 * returns 0 with the result in BIO_ERROR, or returns 1: it will complete later, by storing BIO_ERROR,
 * then 1 to BIO_DONE, and notifying that word (only in shared memory).
 */
export const BIO_OFF: u32 = 0; //    f64  byte on the disk, a multiple of its sector
export const BIO_LEN: u32 = 8; //    u32  bytes, a multiple of its sector; 0 for flush
export const BIO_OP: u32 = 12; //    u32  BIO_OP_*
export const BIO_FLAGS: u32 = 16; // u32  BIO_FL_*
export const BIO_DISK: u32 = 20; //  u32  the disk's slot
export const BIO_ERROR: u32 = 24; // i32  0 or a negated errno
export const BIO_DONE: u32 = 28; //  u32  wait word
export const BIO_NSEG: u32 = 32; //  u32
export const BIO_ELAPSED_US: u32 = 36; // u32  by the host: what the request took on a virtual clock
export const BIO_SEGS: u32 = 40; //  { addr u32, len u32 } × BIO_NSEG: RAM, whole sectors each
export const BIO_SEG_SIZE: u32 = 8;
export const BIO_SEG_MAX: u32 = 64;
export const BIO_SIZE: u32 = 552; // BIO_SEGS + BIO_SEG_SIZE × BIO_SEG_MAX

export const BIO_OP_READ: u32 = 0;
export const BIO_OP_WRITE: u32 = 1;
export const BIO_OP_FLUSH: u32 = 2;
export const BIO_OP_DISCARD: u32 = 3;
export const BIO_OP_WRITE_ZEROES: u32 = 4;
/** A write is durable when it is done, whatever the cache. */
export const BIO_FL_FUA: u32 = 1;

// disk_attach's flags
export const DISK_RDONLY: u32 = 1;
/** It has a volatile write cache: what FLUSH did not follow may be lost. */
export const DISK_WCACHE: u32 = 2;
export const DISK_DISCARD: u32 = 4;
/** It completes later: only for machines with shared memory. */
export const DISK_ASYNC: u32 = 8;

export const DISK_MAX: u32 = 8; //        slots: vbd0 … vbd7
export const DISK_MINORS: u32 = 16; //    minors of a disk: itself, then its partitions 1 … 15
export const DISK_MAJOR: u32 = 254;

// ioctls of a block device's node, Linux's numbers
/** Read the partition table again: -EBUSY while a partition is in use. */
export const BLKRRPART: u32 = 0x125f;
/** Is it read-only? An int. */
export const BLKROGET: u32 = 0x125e;
/** Write the cache back and forget it. */
export const BLKFLSBUF: u32 = 0x1261;
/** Bytes of a logical sector: an int. */
export const BLKSSZGET: u32 = 0x1268;
/** Nobody needs { offset u64, length u64 } any more. */
export const BLKDISCARD: u32 = 0x1277;
/** { offset u64, length u64 } become zeros. */
export const BLKZEROOUT: u32 = 0x127f;
/** Size in bytes: a u64. */
export const BLKGETSIZE64: u32 = 0x80081272;
