/**
 * Partitions: the tables of whole disks, MBR and GPT, read into Disks of their own.
 *
 * The table is read when a disk is attached and by BLKRRPART. Formats: the PC's master boot record
 * (four entries at byte 446, signature 55 aa; extended partitions are a chain of records, each with
 * one logical partition and a link), and the GUID partition table of the UEFI specification, chapter
 * 5.3 (header in sector 1, its copy in the last sector, CRC32 over header and entries).
 *
 * T1. Nothing on a disk is believed: an entry that does not lie within its disk is left out, a chain is
 *     followed for as many links as a disk has minors, a table is no longer than GPT_TABLE_MAX. A disk without a table that holds has no partitions; that is no error.
 * T2. Partitions 1 to 4 are the MBR's own, 5 and above logical ones, as on Linux. A GPT's have the number
 *     of their entry; those above DISK_MINORS - 1 are not shown.
 * T3. Partitions may overlap in a bad table; whoever mounts one is on its own, as everywhere.
 */
import { DISK_MINORS } from '../abi/disk';
import { EBUSY, EINVAL } from '../abi/errno';
import { PAGE_SIZE } from '../abi/layout';
import { roots } from '../kern/boot';
import { bufError, bread, brelse } from '../vfs/buf';
import { scratchWord } from '../vfs/scratch';
import { Disk, diskDropCache, diskFind, diskFree, diskInUseParts, diskMake, diskSync } from './disk';

const MBR_ENTRIES: u32 = 446;
const MBR_ENTRY_SIZE: u32 = 16;
const MBR_SIGNATURE: u32 = 510;
const TYPE_EMPTY: u32 = 0;
const TYPE_GPT: u32 = 0xee;
/** EFI PART, little-endian. */
const GPT_SIGNATURE: u64 = 0x5452415020494645;
const GPT_HEADER_MIN: u32 = 92;
const GPT_ENTRY_MIN: u32 = 128;
/** A table of this many bytes is checked; the usual one has 128 entries of 128 bytes. */
const GPT_TABLE_MAX: u64 = 1 << 20;
const CRC32_POLY: u32 = 0xedb88320;

// ── bytes of a disk ──────────────────────────────────────────────────────────────────────────

/** The sector at byte `off` (a multiple of its size), its page held; 0: it cannot be read. */
function sectorGet(dk: Disk, off: u64): usize {
  if (off >= dk.dk_size || dk.dk_size - off < dk.dk_sector) return 0;
  // the last page of a disk may be short, so that no block of 4 KiB is there: ask by 512 bytes
  return bread(dk.dk_fc, off >> 9, 9);
}

/** CRC-32 as in zip, over `n` bytes, going on from `crc` (0 to begin with). */
function crc32(crc: u32, p: usize, n: u32): u32 {
  crc = ~crc;
  for (let i: u32 = 0; i < n; i++) {
    crc ^= load<u8>(p + i);
    for (let k = 0; k < 8; k++) crc = (crc >> 1) ^ (CRC32_POLY & (0 - (crc & 1)));
  }
  return ~crc;
}

/** CRC-32 over [off, off + len) of a disk into the word at `out`: 0 or an errno. */
function crcOfDisk(dk: Disk, off: u64, len: u32, out: usize): i32 {
  let crc: u32 = 0;
  while (len != 0) {
    const at = <u32>off & (PAGE_SIZE - 1);
    const n = PAGE_SIZE - at < len ? PAGE_SIZE - at : len;
    const b = bread(dk.dk_fc, off >> 9, 9);
    if (b == 0) return bufError();
    crc = crc32(crc, b, n);
    brelse(b);
    off += n;
    len -= n;
  }
  store<u32>(out, crc);
  return 0;
}

/** A partition of [start, start + size) bytes, if it lies within its disk and has a number (T1, T2). */
function add(dk: Disk, part: u32, start: u64, size: u64): void {
  if (part >= DISK_MINORS || size == 0 || start == 0) return;
  if (start >= dk.dk_size || size > dk.dk_size - start) return;
  if (((start | size) & (dk.dk_sector - 1)) != 0) return;
  if (changetype<usize>(diskFind(dk.dk_slot, part)) != 0) return;
  // without memory for it, it is not shown
  diskMake(dk.dk_slot, part, start, size, dk.dk_sector, dk.dk_flags);
}

// ── MBR ──────────────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function isExtended(type: u32): bool {
  return type == 0x05 || type == 0x0f || type == 0x85;
}

// @ts-ignore: decorator
@inline
function entryAt(b: usize, i: u32): usize {
  return b + MBR_ENTRIES + i * MBR_ENTRY_SIZE;
}
// @ts-ignore: decorator
@inline
function typeOf(e: usize): u32 {
  return load<u8>(e, 4);
}
/** Start and length are in sectors, at addresses that are not aligned. */
// @ts-ignore: decorator
@inline
function startOf(dk: Disk, e: usize): u64 {
  return <u64>load<u32>(e, 8) * dk.dk_sector;
}
// @ts-ignore: decorator
@inline
function sizeOf(dk: Disk, e: usize): u64 {
  return <u64>load<u32>(e, 12) * dk.dk_sector;
}

// @ts-ignore: decorator
@inline
function isRecord(b: usize): bool {
  return load<u16>(b, MBR_SIGNATURE) == 0xaa55;
}

/** The four entries of the record in sector 0: an extended one's start at the word `ext`. True: it says GPT. */
function primaries(dk: Disk, b: usize, ext: usize): bool {
  store<u64>(ext, 0);
  for (let i: u32 = 0; i < 4; i++) {
    const e = entryAt(b, i);
    if (typeOf(e) == TYPE_GPT) return true;
  }
  for (let i: u32 = 0; i < 4; i++) {
    const e = entryAt(b, i);
    // the first byte of an entry is 0 or 0x80; anything else is a boot sector of some file system
    if (typeOf(e) == TYPE_EMPTY || (load<u8>(e) & 0x7f) != 0) continue;
    if (isExtended(typeOf(e))) {
      if (load<u64>(ext) == 0) store<u64>(ext, startOf(dk, e));
    } else add(dk, i + 1, startOf(dk, e), sizeOf(dk, e));
  }
  return false;
}

/** The chain in an extended partition: a link is counted from its beginning, a logical partition from the link. */
function logicals(dk: Disk, ext: u64): void {
  let at = ext;
  let part: u32 = 5;
  for (let link: u32 = 0; link < DISK_MINORS; link++) {
    const b = sectorGet(dk, at);
    if (b == 0) return;
    let next: u64 = 0;
    if (isRecord(b)) {
      for (let i: u32 = 0; i < 4; i++) {
        const e = entryAt(b, i);
        if (typeOf(e) == TYPE_EMPTY || sizeOf(dk, e) == 0) continue;
        if (isExtended(typeOf(e))) {
          if (next == 0) next = ext + startOf(dk, e);
        } else add(dk, part++, at + startOf(dk, e), sizeOf(dk, e));
      }
    }
    brelse(b);
    // a chain goes on, and not back to where it was
    if (next <= at) return;
    at = next;
  }
}

// ── GPT ──────────────────────────────────────────────────────────────────────────────────────

/** The header in this sector holds, and its entries too: they are shown. */
function gptAt(dk: Disk, lba: u64, crcs: usize): bool {
  const off = lba * dk.dk_sector;
  const b = sectorGet(dk, off);
  if (b == 0) return false;
  const good = headerHolds(dk, b, lba);
  const table = load<u64>(b, 72) * dk.dk_sector;
  const count = load<u32>(b, 80);
  const size = load<u32>(b, 84);
  const crc = load<u32>(b, 88);
  const first = load<u64>(b, 40);
  const last = load<u64>(b, 48);
  brelse(b);
  if (!good) return false;
  if (crcOfDisk(dk, table, count * size, crcs) != 0 || load<u32>(crcs) != crc) return false;
  for (let i: u32 = 0; i < count && i < DISK_MINORS - 1; i++) gptEntry(dk, table + <u64>i * size, i + 1, first, last);
  return true;
}

function headerHolds(dk: Disk, b: usize, lba: u64): bool {
  const size = load<u32>(b, 12);
  if (load<u64>(b) != GPT_SIGNATURE || size < GPT_HEADER_MIN || size > dk.dk_sector) return false;
  // its own checksum was zero while it was made
  let crc = crc32(0, b, 16);
  crc = crc32(crc, roots().r_zeropage, 4);
  crc = crc32(crc, b + 20, size - 20);
  if (crc != load<u32>(b, 16) || load<u64>(b, 24) != lba) return false;
  const sectors = dk.dk_size / dk.dk_sector;
  const entry = load<u32>(b, 84);
  const bytes = <u64>load<u32>(b, 80) * entry;
  // 128 × 2^n bytes, so that none lies across two sectors
  if (entry < GPT_ENTRY_MIN || entry > PAGE_SIZE || (entry & (entry - 1)) != 0 || bytes > GPT_TABLE_MAX) return false;
  const table = load<u64>(b, 72);
  return table < sectors && bytes <= (sectors - table) * dk.dk_sector;
}

function gptEntry(dk: Disk, off: u64, part: u32, first: u64, last: u64): void {
  const b = bread(dk.dk_fc, off >> 9, 9);
  if (b == 0) return;
  const e = b + (<usize>off & 511);
  const used = (load<u64>(e) | load<u64>(e, 8)) != 0;
  const from = load<u64>(e, 32);
  const to = load<u64>(e, 40);
  brelse(b);
  const sectors = dk.dk_size / dk.dk_sector;
  if (!used || from < first || to > last || to < from || to >= sectors) return;
  add(dk, part, from * dk.dk_sector, (to - from + 1) * dk.dk_sector);
}

// ── what disks call ──────────────────────────────────────────────────────────────────────────

/** Show the partitions of a disk that has none shown. Its cache is left empty if nobody uses it. */
export function partitionsRead(dk: Disk): void {
  const words = scratchWord(12);
  dk.dk_users++;
  const b = sectorGet(dk, 0);
  let gpt = false;
  if (b != 0) {
    const record = isRecord(b);
    if (record) gpt = primaries(dk, b, words);
    brelse(b);
    if (record && !gpt && load<u64>(words) != 0) logicals(dk, load<u64>(words));
    // the copy is for a header that is damaged
    if (gpt && !gptAt(dk, 1, words)) gptAt(dk, dk.dk_size / dk.dk_sector - 1, words);
  }
  dk.dk_users--;
  if (dk.dk_users == 0) diskDropCache(dk);
}

/** BLKRRPART: 0, -EINVAL (a partition itself), -EBUSY (one is in use), or the errno of writing the cache. */
export function partitionsReread(dk: Disk): i32 {
  if (dk.dk_part != 0) return -EINVAL;
  if (diskInUseParts(dk.dk_slot) || dk.dk_mounted != 0) return -EBUSY;
  const e = diskSync(dk);
  if (e != 0) return e;
  for (let part = DISK_MINORS - 1; part > 0; part--) {
    const old = diskFind(dk.dk_slot, part);
    if (changetype<usize>(old) != 0) diskFree(old);
  }
  partitionsRead(dk);
  return 0;
}
