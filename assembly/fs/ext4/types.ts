/**
 * ext4: what a mounted file system and an inode in use are in RAM.
 *
 * Ext4Mount is one kmalloc'ed record from mount to unmount. What the superblock says is parsed into it
 * once and checked there (super.ts); code elsewhere reads em_* and never the superblock. The group
 * descriptors' blocks are held for as long as the file system is mounted (em_gd).
 *
 * Ext4Inode is v_data of a vnode and lives as long: found by number through em_hash, made by
 * ext4InodeGet (inode.ts), freed by VOP_RECLAIM. Mode, ids, times, links, generation, blocks and size
 * are the vnode's Fscache's (X4 of vfs/fscache.ts); here is the rest of what the disk keeps.
 *
 * E1. em_jn ≠ 0: every change of metadata is inside ext4Begin … ext4End (txn.ts).
 * E2. ei_disksize is what i_size says on the disk: at most fc_size for a regular file, since a size
 *     gets there only with the blocks that hold the data; fc_size itself for anything else.
 * E3. An inode is on the orphan list while it has no links and blocks or its number are still to
 *     be freed, or while a truncation is under way.
 *
 * Locks: em_names (RANK_VNODE) is held shared to look at directories, exclusive to change them.
 * em_lock (RANK_FS) guards bitmaps, descriptors, free counts and the orphan list; ei_lock (RANK_FS)
 * an inode's block map, reserved and preallocated blocks. em_lock may be taken inside one ei_lock
 * (ext4LockInside). em_hashlock (spin) guards em_hash.
 */
import {
  I_BLOCK_SIZE,
  RO_COMPAT_GDT_CSUM,
  RO_COMPAT_METADATA_CSUM,
} from '../../abi/ext4';
import { lockExclusive, lockExclusiveSame, lockRelease, lockShared, RANK_FS, RANK_VNODE } from '../../kern/lock';
import { roots } from '../../kern/boot';
import { FrameArray } from '../../vm/array';
import { zoneCreate } from '../../vm/zone';
import { Fscache } from '../../vfs/fscache';
import { Mount } from '../../vfs/mount';
import { Vnode } from '../../vfs/vnode';

@unmanaged
export class Ext4Mount {
  em_blocks: u64; //     blocks of the file system
  em_rblocks: u64; //    blocks kept for root
  em_freeblocks: u64; // em_lock; blocks free by the descriptors
  em_reserved: u64; //   em_lock; of them, those that delayed allocation has promised
  em_sbblock: u64; //    the superblock's block
  em_overhead: u64; //   blocks of metadata that mkfs laid out, for statfs
  em_maxmap: u64; //     largest file through a block map, bytes
  em_maxext: u64; //     largest file through extents, bytes
  em_mount: Mount;
  em_fc: Fscache; //     the device's buffer cache: what bread takes
  em_disk: u32; //       Disk (dev/disk.ts), opened
  em_jn: u32; //         Journal; 0: none (ext2, noload)
  em_sb: u32; //         address of the superblock in its buffer, held
  em_sbbuf: u32; //      that buffer
  em_incompat: u32; //   feature words
  em_rocompat: u32;
  em_compat: u32;
  em_bshift: u32; //     block size is 1 << this, 10 … 12
  em_bsize: u32;
  em_first: u32; //      first data block: 1 with blocks of 1 KiB
  em_bpg: u32; //        blocks per group
  em_ipg: u32; //        inodes per group
  em_groups: u32;
  em_inodes: u32; //     inodes in all
  em_isize: u32; //      bytes of an inode on disk
  em_itblocks: u32; //   blocks of a group's inode table
  em_descsize: u32; //   bytes of a group descriptor
  em_dpb: u32; //        descriptors per block, a power of two
  em_dpbshift: u32;
  em_flexshift: u32; //  log2 of groups per flexible group; 0: none
  em_csumseed: u32; //   what metadata checksums begin with
  em_firstino: u32; //   first inode that is no special one
  em_wantextra: u32; //  i_extra_isize of new inodes
  em_resuid: u32; //     who may use the reserved blocks, besides root
  em_resgid: u32;
  em_hashver: u32; //    DX_HASH_* of new directories, its signedness in it
  em_freeinodes: u32; // em_lock
  em_dirs: u32; //       em_lock; directories, for spreading them
  em_opts: u32; //       MO_*
  em_errors: u32; //     EXT4_ERRORS_*
  em_commit: u32; //     seconds between commits
  em_flags: u32; //      EM_*
  em_orphans: u32; //    em_lock; first Ext4Inode on the orphan list
  em_late: u32; //       em_lock; first Ext4Inode that joins it at the next commit
  em_sbstale: u32; //    the superblock's checksum is made at the next commit
  em_storelock: u32; //  spin: inodes on their way into buffers
  em_hash: u32; //       inodes in use: buckets, contiguous frames
  em_hashmask: u32;
  em_hashframes: u32;
  em_hashlock: u32; //   spin
  em_lock: u32; //       Lock
  em_lockwait: u32;
  em_names: u32; //      Lock
  em_nameswait: u32;
  em_dirgroup: u32; //   em_lock; where the search for a directory's group goes on
  em_balloc: u32; //     the block allocator's own
  em_nextgen: u32; //    next inode generation
  em_devvp: u32; //      the block device's vnode, referenced by the mount
  // em_gdt: blocks of group descriptors, their buffers held
  em_gd0: u32;
  em_gd1: u32;
  em_gd2: u32;
  em_gd3: u32;
  // em_ginfo: a word of GI_* for each group
  em_gi0: u32;
  em_gi1: u32;
  em_gi2: u32;
  em_gi3: u32;

  // @ts-ignore: decorator
  @inline
  get em_gdt(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<Ext4Mount>('em_gd0'));
  }
  // @ts-ignore: decorator
  @inline
  get em_ginfo(): FrameArray {
    return changetype<FrameArray>(changetype<usize>(this) + offsetof<Ext4Mount>('em_gi0'));
  }
}
if (offsetof<Ext4Mount>() % 8 != 0) ERROR('Ext4Mount');
if (offsetof<FrameArray>() != 16) ERROR('Ext4Mount: FrameArray');

// em_opts
export const MO_NOLOAD: u32 = 1;
export const MO_BARRIER: u32 = 2;
export const MO_DISCARD: u32 = 4;
export const MO_WRITEBACK: u32 = 8; // data=writeback; neither: data=ordered
export const MO_JOURNAL: u32 = 16; //  data=journal
export const MO_NODELALLOC: u32 = 32;
export const MO_NOAUTODA: u32 = 64; // noauto_da_alloc
export const MO_GRPID: u32 = 128; //   files take their directory's group

// em_flags
export const EM_RDONLY: u32 = 1; //   nothing is written
export const EM_ERROR: u32 = 2; //    ext4Error was called
export const EM_ROFEATURE: u32 = 4; // an ro_compat feature unknown: never writable
export const EM_SBDIRTY: u32 = 8; //   the superblock's counts are to be stored
export const EM_NOREPLAY: u32 = 16; // the log has what cannot be replayed here: never writable

// em_ginfo
export const GI_BBITMAP_OK: u32 = 1; // the block bitmap has been checked
export const GI_IBITMAP_OK: u32 = 2;
export const GI_BBITMAP_BAD: u32 = 4; // it was found bad: nothing is allocated there
export const GI_IBITMAP_BAD: u32 = 8;
/** The bits above are the block allocator's. */
export const GI_BALLOC_SHIFT: u32 = 8;

@unmanaged
export class Ext4Inode {
  // ei_block: i_block, I_BLOCK_SIZE bytes: a block map, an extent tree's root, a short symlink's
  // text, or the first of inline data
  ei_b0: u64;
  ei_b1: u64;
  ei_b2: u64;
  ei_b3: u64;
  ei_b4: u64;
  ei_b5: u64;
  ei_b6: u64;
  ei_b7: u64;
  ei_disksize: u64; //  E2
  ei_version: u64; //   i_version
  ei_acl: u64; //       block of extended attributes; 0: none
  ei_goal: u64; //      ei_lock; block behind the one allocated last; 0: none
  ei_papblk: u64; //    ei_lock; preallocated blocks: the first of them
  ei_vnode: Vnode;
  ei_ino: u32;
  ei_flags: u32; //     EXT4_*_FL
  ei_state: u32; //     EI_*
  ei_extra: u32; //     i_extra_isize; 0 in inodes of 128 bytes
  ei_csumseed: u32; //  em_csumseed with number and generation
  ei_projid: u32;
  ei_dtime: u32;
  ei_goallblk: u32; //  ei_lock; the file's block that ei_goal is for
  ei_reserved: u32; //  ei_lock; delayed blocks
  ei_palblk: u32; //    ei_lock; preallocated blocks: the file's block they begin at
  ei_palen: u32; //     ei_lock; 0: none
  ei_datatid: u32; //   transaction of the last change that fdatasync needs
  ei_metatid: u32; //   transaction of the last change of all
  ei_onext: u32; //     em_lock; orphan list
  ei_oprev: u32;
  ei_opens: u32; //     Files that have it open
  ei_dirhint: u32; //   em_names; directory: the block that had room last
  ei_hnext: u32; //     em_hashlock; em_hash's chain
  ei_parent: u32; //    directory: inode number of ".."; 0: not read yet
  ei_lock: u32; //      Lock
  ei_lockwait: u32;
  ei_un0: u32; //       free for the file's own code (map.ts: the extent found last)
  ei_un1: u32;
  ei_un2: u32;
  ei_un3: u32;
  ei_metares: u32; //   ei_lock; blocks reserved for the map of the delayed ones
  ei_fresh: u32; //     ei_lock; delayed blocks of the leaf of a block map that were counted last, + 1
  ei_panext: u32; //    em_lock; list of inodes with preallocated blocks
  ei_paprev: u32;
  ei_danext: u32; //    em_lock; list of EI_DADIRTY inodes
  ei_daprev: u32;

  // @ts-ignore: decorator
  @inline
  get ei_block(): usize {
    return changetype<usize>(this);
  }
}
if (I_BLOCK_SIZE > 64) ERROR('Ext4Inode: ei_block');
if (offsetof<Ext4Inode>() % 8 != 0) ERROR('Ext4Inode');

// ei_state
export const EI_ORPHAN: u32 = 1; //  on the orphan list (E3)
export const EI_LATE: u32 = 256; //   with EI_ORPHAN: on the disk's list from the next commit on (orphan.ts)
export const EI_XATTR: u32 = 2; //   has attributes in the inode
export const EI_BAD: u32 = 4; //     what the disk said made no sense
export const EI_DADIRTY: u32 = 8; // renamed over another, or truncated to 0: written before a commit
export const EI_ROOTOK: u32 = 16; // the extent root's entries were checked
export const EI_DELETED: u32 = 128; // freed on the disk
export const EI_CUT: u32 = 64; //     cut to nothing while open: flushed when it is closed
export const EI_MAPDIRTY: u32 = 32; // i_block or i_blocks changed in this handle: to be stored

/** Where a file's blocks are: the result of ext4Map. */
@unmanaged
export class MapResult {
  m_pblk: u64; //  first block, or meaningless for a hole
  m_len: u32; //   blocks in a row with the same state, at least 1
  m_flags: u32; // MR_*
}
export const MR_HOLE: u32 = 1;
export const MR_UNWRITTEN: u32 = 2; // allocated, reads as zeros
export const MR_NEW: u32 = 4; //       allocated by this call

// ext4Map's flags
export const MAP_CREATE: u32 = 1; //    allocate what is missing
export const MAP_UNWRITTEN: u32 = 2; // as unwritten
export const MAP_META: u32 = 4; //      the blocks will be metadata (a directory's)
export const MAP_RESERVED: u32 = 8; //  their room has been reserved (delayed allocation)
export const MAP_CONVERT: u32 = 16; //  unwritten ones become written

export function ext4ZonesInit(): void {
  roots().r_zext4inode = <u32>changetype<usize>(zoneCreate('ext4inode', offsetof<Ext4Inode>(), 0));
}

// @ts-ignore: decorator
@inline
export function emOf(mp: Mount): Ext4Mount {
  return changetype<Ext4Mount>(<usize>mp.mnt_data);
}

// @ts-ignore: decorator
@inline
export function eiOf(vp: Vnode): Ext4Inode {
  return changetype<Ext4Inode>(<usize>vp.v_data);
}

// @ts-ignore: decorator
@inline
export function hasIncompat(em: Ext4Mount, feature: u32): bool {
  return (em.em_incompat & feature) != 0;
}

// @ts-ignore: decorator
@inline
export function hasRoCompat(em: Ext4Mount, feature: u32): bool {
  return (em.em_rocompat & feature) != 0;
}

// @ts-ignore: decorator
@inline
export function hasCompat(em: Ext4Mount, feature: u32): bool {
  return (em.em_compat & feature) != 0;
}

/** Do metadata blocks and inodes have checksums? */
// @ts-ignore: decorator
@inline
export function hasCsum(em: Ext4Mount): bool {
  return (em.em_rocompat & RO_COMPAT_METADATA_CSUM) != 0;
}

/** Do group descriptors have checksums, and so uninitialised groups? */
// @ts-ignore: decorator
@inline
export function hasGroupCsum(em: Ext4Mount): bool {
  return (em.em_rocompat & (RO_COMPAT_METADATA_CSUM | RO_COMPAT_GDT_CSUM)) != 0;
}

/** Is [block, block + count) inside the file system, behind the superblock's first block? */
export function blockInRange(em: Ext4Mount, block: u64, count: u64): bool {
  return block > <u64>em.em_first && block < em.em_blocks && count <= em.em_blocks - block;
}

/** Is it a number that an inode may have? */
// @ts-ignore: decorator
@inline
export function inoInRange(em: Ext4Mount, ino: u32): bool {
  return ino != 0 && ino <= em.em_inodes;
}

/** First block of a group. */
// @ts-ignore: decorator
@inline
export function groupFirst(em: Ext4Mount, g: u32): u64 {
  return <u64>g * em.em_bpg + em.em_first;
}

/** Blocks of a group: the last one may be short. */
export function groupBlocks(em: Ext4Mount, g: u32): u32 {
  const left = em.em_blocks - groupFirst(em, g);
  return left < <u64>em.em_bpg ? <u32>left : em.em_bpg;
}

/** The group of a block. */
// @ts-ignore: decorator
@inline
export function groupOf(em: Ext4Mount, block: u64): u32 {
  return <u32>((block - em.em_first) / em.em_bpg);
}

// ── locks ────────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
export function emLock(em: Ext4Mount): void {
  lockExclusive(changetype<usize>(em) + offsetof<Ext4Mount>('em_lock'), RANK_FS);
}

/** em_lock while an ei_lock is held: always in this order. */
// @ts-ignore: decorator
@inline
export function ext4LockInside(em: Ext4Mount): void {
  lockExclusiveSame(changetype<usize>(em) + offsetof<Ext4Mount>('em_lock'), RANK_FS);
}

// @ts-ignore: decorator
@inline
export function emUnlock(em: Ext4Mount): void {
  lockRelease(changetype<usize>(em) + offsetof<Ext4Mount>('em_lock'));
}

/** EI_*: calls on several CPUs change them under different locks. */
// @ts-ignore: decorator
@inline
export function eiMark(ei: Ext4Inode, bits: u32): void {
  if (SMP) atomic.or<u32>(changetype<usize>(ei) + offsetof<Ext4Inode>('ei_state'), bits);
  else ei.ei_state |= bits;
}
// @ts-ignore: decorator
@inline
export function eiUnmark(ei: Ext4Inode, bits: u32): void {
  if (SMP) atomic.and<u32>(changetype<usize>(ei) + offsetof<Ext4Inode>('ei_state'), ~bits);
  else ei.ei_state &= ~bits;
}

// @ts-ignore: decorator
@inline
export function eiLock(ei: Ext4Inode): void {
  lockExclusive(changetype<usize>(ei) + offsetof<Ext4Inode>('ei_lock'), RANK_FS);
}

// @ts-ignore: decorator
@inline
export function eiUnlock(ei: Ext4Inode): void {
  lockRelease(changetype<usize>(ei) + offsetof<Ext4Inode>('ei_lock'));
}

/** To look at directories. */
// @ts-ignore: decorator
@inline
export function namesShared(em: Ext4Mount): void {
  lockShared(changetype<usize>(em) + offsetof<Ext4Mount>('em_names'), RANK_VNODE);
}

/** To change them. */
// @ts-ignore: decorator
@inline
export function namesExclusive(em: Ext4Mount): void {
  lockExclusive(changetype<usize>(em) + offsetof<Ext4Mount>('em_names'), RANK_VNODE);
}

// @ts-ignore: decorator
@inline
export function namesRelease(em: Ext4Mount): void {
  lockRelease(changetype<usize>(em) + offsetof<Ext4Mount>('em_names'));
}
