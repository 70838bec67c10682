/**
 * Checksums: crc32c (metadata_csum, the journal) eight bytes at a step through tables in two frames
 * that boot fills, and crc16 (gdt_csum) bit by bit, since it sees 32 bytes now and then.
 *
 * Both are plain updates: nothing is inverted before or after. ext4 begins with ~0 and stores what
 * comes out.
 */
import { PAGE_SIZE } from '../../abi/layout';
import { roots } from '../../kern/boot';
import { pageAllocRun } from '../../vm/page';

/** Castagnoli's polynomial, bits reversed. */
const CRC32C_POLY: u32 = 0x82f63b78;
/** x^16 + x^15 + x^2 + 1, bits reversed. */
const CRC16_POLY: u32 = 0xa001;
const TABLE_BYTES: u32 = 1024;
const TABLES: u32 = 8;
if (TABLES * TABLE_BYTES != 2 * PAGE_SIZE) ERROR('crc32c: tables');

/** Fill the tables. Boot only. */
export function crcInit(): void {
  const t = pageAllocRun((TABLES * TABLE_BYTES) / PAGE_SIZE);
  roots().r_crctab = <u32>t;
  if (t == 0) return;
  for (let i: u32 = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >> 1) ^ CRC32C_POLY : c >> 1;
    store<u32>(t + (i << 2), c);
  }
  // table k: what a byte does that k more bytes follow
  for (let i: u32 = 256; i < 256 * TABLES; i++) {
    const c = load<u32>(t + ((i - 256) << 2));
    store<u32>(t + (i << 2), (c >> 8) ^ load<u32>(t + ((c & 255) << 2)));
  }
}

// @ts-ignore: decorator
@inline
function at(t: usize, table: u32, byte: u32): u32 {
  return load<u32>(t + table * TABLE_BYTES + ((<usize>byte) << 2));
}

/** Eight bytes at p. */
// @ts-ignore: decorator
@inline
function eight(t: usize, crc: u32, p: usize): u32 {
  const lo = load<u32>(p) ^ crc;
  const hi = load<u32>(p, 4);
  return (
    at(t, 7, lo & 255) ^
    at(t, 6, (lo >> 8) & 255) ^
    at(t, 5, (lo >> 16) & 255) ^
    at(t, 4, lo >> 24) ^
    at(t, 3, hi & 255) ^
    at(t, 2, (hi >> 8) & 255) ^
    at(t, 1, (hi >> 16) & 255) ^
    at(t, 0, hi >> 24)
  );
}

/** From this length on a checksum is made in two halves at a time. */
const HALVES: u32 = 512;

/** crc32c over `len` bytes at p, going on from `crc`. */
export function crc32c(crc: u32, p: usize, len: u32): u32 {
  const t = <usize>roots().r_crctab;
  const end = p + len;
  if (len >= HALVES) {
    // each step waits for the one before: two at a time take 0.6 of the time. The second half's length is a
    // power of two, so that the first is moved over it in one multiplication.
    const half: u32 = (1 << (31 - clz(len))) >> 1;
    let second: u32 = 0;
    for (const stop = p + half; p < stop; p += 8) {
      crc = eight(t, crc, p);
      second = eight(t, second, p + half);
    }
    crc = crc32cZeros(crc, half) ^ second;
    p += half;
  }
  for (; p + 8 <= end; p += 8) crc = eight(t, crc, p);
  for (; p < end; p++) crc = (crc >> 8) ^ at(t, 0, (crc ^ <u32>load<u8>(p)) & 255);
  return crc;
}

/** crc32c over a number, little-endian. */
export function crc32cU32(crc: u32, v: u32): u32 {
  const t = <usize>roots().r_crctab;
  const x = crc ^ v;
  return at(t, 3, x & 255) ^ at(t, 2, (x >> 8) & 255) ^ at(t, 1, (x >> 16) & 255) ^ at(t, 0, x >> 24);
}

/** crc16 over `len` bytes at p, going on from `crc`. */
export function crc16(crc: u32, p: usize, len: u32): u32 {
  for (let i: u32 = 0; i < len; i++) {
    crc ^= load<u8>(p + i);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ CRC16_POLY : crc >> 1;
  }
  return crc;
}

// ── a checksum of bytes of which a few bits change ───────────────────────────────────────────
// It is linear: the change is the checksum of the change, moved over what follows. Polynomials over
// two elements, modulo crc32c's, bits reversed: 1 is the highest bit.

const ONE: u32 = 0x80000000;

/** a × b. */
function times(a: u32, b: u32): u32 {
  let product: u32 = 0;
  while (a != 0) {
    if (a & ONE) product ^= b;
    a <<= 1;
    b = b & 1 ? (b >> 1) ^ CRC32C_POLY : b >> 1;
  }
  return product;
}

/** x^8 to the power of 2^k: each is the square of the one before. */
function power(k: u32): u32 {
  switch (k) {
    case 0:
      return 0x800000;
    case 1:
      return 0x8000;
    case 2:
      return 0x82f63b78;
    case 3:
      return 0x6ea2d55c;
    case 4:
      return 0x18b8ea18;
    case 5:
      return 0x510ac59a;
    case 6:
      return 0xb82be955;
    case 7:
      return 0xb8fdb1e7;
    case 8:
      return 0x88e56f72;
    case 9:
      return 0x74c360a4;
    case 10:
      return 0xe4172b16;
    default:
      return 0x0d65762a;
  }
}
/** Squares that power() knows: as many zeros as a block has bytes. */
const POWERS: u32 = 12;

/** What crc becomes when `bytes` zeros follow, all else zero too. */
export function crc32cZeros(crc: u32, bytes: u32): u32 {
  for (; bytes >= 1 << POWERS; bytes -= 1 << (POWERS - 1)) crc = times(power(POWERS - 1), crc);
  for (; bytes != 0; bytes &= bytes - 1) crc = times(power(ctz(bytes)), crc);
  return crc;
}

/** By what the crc32c of a bitmap of `bytes` bytes changes (exclusive or) when its bits [bit, bit + n) all flip. */
export function crc32cFlip(bit: u32, n: u32, bytes: u32): u32 {
  const t = <usize>roots().r_crctab;
  const end = bit + n;
  let c: u32 = 0;
  let i = bit;
  while (i < end) {
    const stop = (i | 7) + 1 < end ? (i | 7) + 1 : end;
    const flipped = ((1 << (stop - i)) - 1) << (i & 7);
    c = (c >> 8) ^ at(t, 0, (c ^ flipped) & 255);
    i = stop;
  }
  return crc32cZeros(c, bytes - ((end + 7) >> 3));
}
