/**
 * Disks: what the host has attached, whole disks and their partitions.
 *
 * A Disk is made by disk_attach (a partition by the reading of its table) and stays until
 * disk_detach or shutdown. It embeds an Fscache, dk_fc: the buffer cache of its bytes, in which raw
 * reads and writes of its node and the metadata of a file system on it live. That is paged by an
 * internal mount's Fsmanage, made when the first disk comes (dev/diskpager.ts).
 *
 *     disk_attach ─→ idle ─ open, mount ─→ in use ─ last close: written back, cache dropped ─→ idle
 *                     └─ disk_detach ─→ freed
 *
 * K1. dk_users counts opens of its node and mounts; what is in use is not detached. A partition that
 *     is in use keeps its disk from going, and its table from being read again.
 * K2. Mounted for writing, a Disk is nobody else's to write: not raw, not mounted again; nor is the
 *     whole disk then, or for the whole disk any partition. Each has a cache of its own.
 * K3. A cache is empty while nobody uses the Disk, so that what is written to a partition is seen on
 *     the whole disk later, and the other way round.
 * K4. Requests are whole sectors within the Disk; a partition's lie within its disk (checked here, once).
 */
import { BIO_FL_FUA, BIO_OP_DISCARD, BIO_OP_FLUSH, BIO_OP_READ, BIO_OP_WRITE, BIO_OP_WRITE_ZEROES } from '../abi/disk';
import { DISK_ASYNC, DISK_DISCARD, DISK_MAJOR, DISK_MAX, DISK_MINORS, DISK_RDONLY, DISK_WCACHE } from '../abi/disk';
import { EBUSY, EINVAL, EIO, ENOMEM, ENXIO, EOPNOTSUPP, EROFS } from '../abi/errno';
import { S_IFBLK } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { Text, textByte, textInit, textLit, textU64 } from '../kern/text';
import { Bio, bioAdd, bioAlloc, bioFree, bioStart, bioWait } from '../vfs/bio';
import { FC_ATTRVALID, FC_BACKED, FC_DEVICE, Fscache, fscacheDropRange, fscacheSetup } from '../vfs/fscache';
import { fscacheUnlist } from '../vfs/dirty';
import { scratchPath, scratchText } from '../vfs/scratch';
import { Vnode } from '../vfs/vnode';
import { writebackPages } from '../vfs/writeback';
import { ALLOC_NOIO, ALLOC_RESERVE, ALLOC_ZERO } from '../vm/page';
import { kfree, kmalloc } from '../vm/zone';
import { Devnode, devNodeAdd, devNodeRemove } from './dev';
import { diskPager } from './diskpager';
import { partitionsRead } from './partition';

@unmanaged
export class Disk {
  dk_start: u64; //   bytes from the beginning of its whole disk; immutable
  dk_size: u64; //    bytes, whole sectors; immutable
  dk_nread: u64; //   requests done, and their sectors of 512 bytes
  dk_sread: u64;
  dk_nwrite: u64;
  dk_swrite: u64;
  dk_ndiscard: u64;
  dk_sdiscard: u64;
  dk_nflush: u64;
  dk_next: u32; //    r_disks, in order of minors
  dk_slot: u32; //    the host's number for the whole disk
  dk_part: u32; //    0: the whole disk; else the partition's number
  dk_flags: u32; //   DISK_*
  dk_sector: u32; //  bytes: 512 or 4096
  dk_users: u32; //   opens and mounts
  dk_writers: u32; // raw opens for writing
  dk_mounted: u32; // DM_*
  dk_node: Devnode; //its node in devfs
  dk_pad: u32;
  // then its Fscache

  // @ts-ignore: decorator
  @inline
  get dk_fc(): Fscache {
    return changetype<Fscache>(changetype<usize>(this) + DISK_FC);
  }
}

const DISK_FC: usize = offsetof<Disk>();
if (DISK_FC % 8 != 0) ERROR('Disk: Fscache must be aligned');

export const DM_READ: u32 = 1; //  mounted, by somebody who only reads
export const DM_WRITE: u32 = 2; // mounted for writing

const NAME_CAP: u32 = 16;
const SECTOR_SHIFT: u32 = 9;

/** The Disk whose Fscache this is. */
// @ts-ignore: decorator
@inline
export function diskOf(fc: Fscache): Disk {
  return changetype<Disk>(changetype<usize>(fc) - DISK_FC);
}

/** The Disk of a slot, or of one of its partitions; null: there is none. */
export function diskFind(slot: u32, part: u32): Disk {
  let p = roots().r_disks;
  while (p != 0) {
    const dk = changetype<Disk>(<usize>p);
    if (dk.dk_slot == slot && dk.dk_part == part) break;
    p = dk.dk_next;
  }
  return changetype<Disk>(<usize>p);
}

/** The Disk of a block device's number, or null. */
export function diskByRdev(rdev: u32): Disk {
  if (rdev >> 8 != DISK_MAJOR) return changetype<Disk>(<usize>0);
  const minor = rdev & 255;
  return diskFind(minor / DISK_MINORS, minor % DISK_MINORS);
}

// @ts-ignore: decorator
@inline
export function diskRdonly(dk: Disk): bool {
  return (dk.dk_flags & DISK_RDONLY) != 0;
}

// @ts-ignore: decorator
@inline
export function diskSize(dk: Disk): u64 {
  return dk.dk_size;
}

/** vbd0, vbd0p1: for nodes and texts about disks. */
export function diskName(dk: Disk, t: Text): void {
  textLit(t, 'vbd');
  textU64(t, dk.dk_slot);
  if (dk.dk_part == 0) return;
  textByte(t, 112);
  textU64(t, dk.dk_part);
}

// ── coming and going ─────────────────────────────────────────────────────────────────────────

/** A Disk with its node; null: no memory. For the whole disk (part 0) and for partitions. */
export function diskMake(slot: u32, part: u32, start: u64, size: u64, sector: u32, flags: u32): Disk {
  const none = changetype<Disk>(<usize>0);
  const pager = diskPager();
  if (changetype<usize>(pager) == 0) return none;
  const dk = changetype<Disk>(kmalloc(<u32>DISK_FC + <u32>offsetof<Fscache>(), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(dk) == 0) return none;
  dk.dk_start = start;
  dk.dk_size = size;
  dk.dk_slot = slot;
  dk.dk_part = part;
  dk.dk_sector = sector;
  dk.dk_flags = flags;
  const fc = dk.dk_fc;
  fscacheSetup(fc, pager.mnt_norm, 0);
  fc.fc_flags = FC_BACKED | FC_DEVICE | FC_ATTRVALID;
  fc.fc_attr.va_size = size;
  const t = scratchText();
  textInit(t, scratchPath(0), NAME_CAP);
  diskName(dk, t);
  dk.dk_node = devNodeAdd(t.t_buf, t.t_len, S_IFBLK, (DISK_MAJOR << 8) | (slot * DISK_MINORS + part), 0o660);
  if (changetype<usize>(dk.dk_node) == 0) {
    kfree(changetype<usize>(dk));
    return none;
  }
  let link = changetype<usize>(roots()) + offsetof<Roots>('r_disks');
  while (load<u32>(link) != 0 && before(changetype<Disk>(<usize>load<u32>(link)), dk)) {
    link = <usize>load<u32>(link) + offsetof<Disk>('dk_next');
  }
  dk.dk_next = load<u32>(link);
  store<u32>(link, <u32>changetype<usize>(dk));
  return dk;
}

function before(a: Disk, b: Disk): bool {
  return a.dk_slot != b.dk_slot ? a.dk_slot < b.dk_slot : a.dk_part < b.dk_part;
}

/** Take away one that nobody uses. */
export function diskFree(dk: Disk): void {
  diskDropCache(dk);
  fscacheUnlist(dk.dk_fc);
  devNodeRemove(dk.dk_node);
  let link = changetype<usize>(roots()) + offsetof<Roots>('r_disks');
  while (load<u32>(link) != <u32>changetype<usize>(dk)) link = <usize>load<u32>(link) + offsetof<Disk>('dk_next');
  store<u32>(link, dk.dk_next);
  kfree(changetype<usize>(dk));
}

/** disk_attach: see host/machine/exports.ts. */
export function diskAttach(slot: u32, sizeBytes: f64, sector: u32, flags: u32): i32 {
  if (slot >= DISK_MAX || (sector != 512 && sector != 4096)) return -EINVAL;
  if (flags & ~(DISK_RDONLY | DISK_WCACHE | DISK_DISCARD | DISK_ASYNC)) return -EINVAL;
  if (!SMP && flags & DISK_ASYNC) return -EINVAL;
  // pages of a cache are numbered by 32 bits
  if (!(sizeBytes >= 0 && sizeBytes <= 8796093022208.0) || <f64>(<u64>sizeBytes) != sizeBytes) return -EINVAL;
  const size = <u64>sizeBytes;
  if (size % sector != 0) return -EINVAL;
  if (changetype<usize>(diskFind(slot, 0)) != 0) return -EBUSY;
  const dk = diskMake(slot, 0, 0, size, sector, flags);
  if (changetype<usize>(dk) == 0) return -ENOMEM;
  partitionsRead(dk);
  return 0;
}

/** disk_detach: 0, -ENXIO, -EBUSY, or the errno of a write that failed (it is gone all the same). */
export function diskDetach(slot: u32): i32 {
  const whole = diskFind(slot, 0);
  if (changetype<usize>(whole) == 0) return -ENXIO;
  if (diskInUse(slot)) return -EBUSY;
  const e = diskSync(whole);
  diskGone(slot);
  return e;
}

/** Is a disk or one of its partitions in use? */
export function diskInUse(slot: u32): bool {
  return diskFind(slot, 0).dk_users != 0 || diskInUseParts(slot);
}

/** Is one of a disk's partitions in use? */
export function diskInUseParts(slot: u32): bool {
  for (let p = roots().r_disks; p != 0; p = changetype<Disk>(<usize>p).dk_next) {
    const dk = changetype<Disk>(<usize>p);
    if (dk.dk_slot == slot && dk.dk_part != 0 && dk.dk_users != 0) return true;
  }
  return false;
}

/** Partitions and then the disk itself are freed. */
function diskGone(slot: u32): void {
  for (let part = DISK_MINORS; part > 0; part--) {
    const dk = diskFind(slot, part - 1);
    if (changetype<usize>(dk) != 0) diskFree(dk);
  }
}

/** Shutdown, when nothing is open or mounted any more. */
export function diskShutdown(): void {
  while (roots().r_disks != 0) {
    const dk = changetype<Disk>(<usize>roots().r_disks);
    diskSync(dk);
    diskFree(dk);
  }
}

// ── use ──────────────────────────────────────────────────────────────────────────────────────

/** Would writing to dk, mounted or raw, meet somebody who relies on what is there? (K2) */
function claimed(dk: Disk, mounting: bool): bool {
  for (let p = roots().r_disks; p != 0; p = changetype<Disk>(<usize>p).dk_next) {
    const other = changetype<Disk>(<usize>p);
    const same = changetype<usize>(other) == changetype<usize>(dk);
    if (other.dk_slot != dk.dk_slot || !(same || other.dk_part == 0 || dk.dk_part == 0)) continue;
    if (other.dk_mounted & DM_WRITE) return true;
    if (mounting && (other.dk_mounted != 0 || other.dk_writers != 0)) return true;
  }
  return false;
}

/**
 * A file system opens the disk it is on. The Disk at `out`, in use until diskClose. 0, -ENXIO (no such
 * device), -EROFS, -EBUSY: mounted, or open for writing.
 */
export function diskOpen(vp: Vnode, write: bool, out: usize): i32 {
  if (vp.v_type != S_IFBLK) return -ENXIO;
  const dk = diskByRdev(vp.v_fc.fc_attr.va_rdev);
  if (changetype<usize>(dk) == 0) return -ENXIO;
  if (write && diskRdonly(dk)) return -EROFS;
  if (claimed(dk, write)) return -EBUSY;
  const e = diskClaim(dk, write);
  if (e != 0) return e;
  dk.dk_users++;
  store<u32>(out, <u32>changetype<usize>(dk));
  return 0;
}

function diskClaim(dk: Disk, write: bool): i32 {
  // one mount at a time: the cache's journal is that mount's
  if (dk.dk_mounted != 0) return -EBUSY;
  dk.dk_mounted = write ? DM_WRITE : DM_READ;
  return 0;
}

/** A mounted file system that only read begins to write: 0, -EROFS or -EBUSY. */
export function diskUpgrade(dk: Disk): i32 {
  if (diskRdonly(dk)) return -EROFS;
  if (dk.dk_mounted == DM_WRITE) return 0;
  const was = dk.dk_mounted;
  dk.dk_mounted = 0;
  if (claimed(dk, true)) {
    dk.dk_mounted = was;
    return -EBUSY;
  }
  dk.dk_mounted = DM_WRITE;
  return 0;
}

/** The file system is done with it. What is dirty in the cache is written; 0 or the errno of that. */
export function diskClose(dk: Disk): i32 {
  dk.dk_mounted = 0;
  return diskRelease(dk);
}

/** Opened by its node. */
export function diskOpenRaw(dk: Disk, write: bool): i32 {
  if (write && diskRdonly(dk)) return -EROFS;
  if (write && claimed(dk, false)) return -EBUSY;
  dk.dk_users++;
  if (write) dk.dk_writers++;
  return 0;
}

export function diskCloseRaw(dk: Disk, write: bool): i32 {
  if (write) dk.dk_writers--;
  return diskRelease(dk);
}

/** One user fewer. The last one leaves an empty cache (K3). */
function diskRelease(dk: Disk): i32 {
  const e = writebackPages(dk.dk_fc);
  if (--dk.dk_users == 0) diskDropCache(dk);
  return e;
}

/** Forget what is cached, dirty or not. */
export function diskDropCache(dk: Disk): void {
  fscacheDropRange(dk.dk_fc, 0, u32.MAX_VALUE);
}

// ── requests ─────────────────────────────────────────────────────────────────────────────────

/** Is [off, off + len) whole sectors within the Disk? (K4) */
// @ts-ignore: decorator
@inline
function inRange(dk: Disk, off: u64, len: u64): bool {
  return off <= dk.dk_size && len <= dk.dk_size - off && ((off | len) & (dk.dk_sector - 1)) == 0;
}

/** A request for [off, …) of a Disk; null: no memory. */
export function diskBio(dk: Disk, op: u32, off: u64): Bio {
  return bioAlloc(dk.dk_slot, op, dk.dk_start + off, op == BIO_OP_READ ? ALLOC_NOIO : ALLOC_RESERVE);
}

/** Do a request and free it: 0 or an errno. */
export function diskDo(dk: Disk, bio: Bio): i32 {
  const op = bio.bio_op;
  const len = bio.bio_len;
  const off = <u64>bio.bio_off - dk.dk_start;
  let e: i32 = inRange(dk, off, len) ? 0 : -EIO;
  if (e == 0 && op != BIO_OP_READ && op != BIO_OP_FLUSH && diskRdonly(dk)) e = -EROFS;
  if (e == 0) {
    bioStart(bio);
    e = bioWait(bio);
    account(dk, op, len);
  }
  bioFree(bio);
  return e;
}

function account(dk: Disk, op: u32, len: u32): void {
  const sectors = <u64>(len >> SECTOR_SHIFT);
  if (op == BIO_OP_READ) {
    dk.dk_nread++;
    dk.dk_sread += sectors;
  } else if (op == BIO_OP_FLUSH) dk.dk_nflush++;
  else if (op == BIO_OP_DISCARD) {
    dk.dk_ndiscard++;
    dk.dk_sdiscard += sectors;
  } else {
    dk.dk_nwrite++;
    dk.dk_swrite += sectors;
  }
}

/** One piece of RAM, synchronously: 0 or an errno. op: BIO_OP_READ or _WRITE; flags: 0 or BIO_FL_FUA. */
export function diskIo(dk: Disk, op: u32, off: u64, addr: usize, len: u32, flags: u32): i32 {
  if (op != BIO_OP_READ && op != BIO_OP_WRITE) return -EINVAL;
  const bio = diskBio(dk, op, off);
  if (changetype<usize>(bio) == 0) return -ENOMEM;
  bio.bio_flags = flags & BIO_FL_FUA;
  bioAdd(bio, addr, len);
  return diskDo(dk, bio);
}

/** What was written is on the medium: 0 or an errno. A disk without a cache has nothing to do. */
export function diskFlush(dk: Disk): i32 {
  if ((dk.dk_flags & DISK_WCACHE) == 0 || diskRdonly(dk)) return 0;
  const bio = bioAlloc(dk.dk_slot, BIO_OP_FLUSH, dk.dk_start, ALLOC_RESERVE);
  return changetype<usize>(bio) == 0 ? -ENOMEM : diskDo(dk, bio);
}

/** The longest discard or write-zeroes of one request. */
const RANGE_BYTES: u64 = 1 << 30;

function rangeOp(dk: Disk, op: u32, off: u64, len: u64): i32 {
  if (!inRange(dk, off, len)) return -EINVAL;
  while (len != 0) {
    const n = len < RANGE_BYTES ? <u32>len : <u32>RANGE_BYTES;
    const bio = diskBio(dk, op, off);
    if (changetype<usize>(bio) == 0) return -ENOMEM;
    bio.bio_len = n;
    const e = diskDo(dk, bio);
    if (e != 0) return e;
    off += n;
    len -= n;
  }
  return 0;
}

/** Its content is not needed any more: 0, -EOPNOTSUPP, or an errno. The cache is the caller's business. */
export function diskDiscard(dk: Disk, off: u64, len: u64): i32 {
  if ((dk.dk_flags & DISK_DISCARD) == 0) return -EOPNOTSUPP;
  return rangeOp(dk, BIO_OP_DISCARD, off, len);
}

/** Zeros, without sending them. The cache is the caller's business. */
export function diskWriteZeroes(dk: Disk, off: u64, len: u64): i32 {
  return rangeOp(dk, BIO_OP_WRITE_ZEROES, off, len);
}

/** Whatever is cached of any disk. */
export function diskSyncAll(): void {
  for (let p = roots().r_disks; p != 0; p = changetype<Disk>(<usize>p).dk_next) {
    const dk = changetype<Disk>(<usize>p);
    if (dk.dk_users != 0) diskSync(dk);
  }
}

/** The cache is written and on the medium: 0 or the first errno. */
export function diskSync(dk: Disk): i32 {
  const e = writebackPages(dk.dk_fc);
  const f = diskFlush(dk);
  return e != 0 ? e : f;
}
