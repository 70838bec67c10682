/**
 * jbd2: numbers in the journal's byte order, and its checksums (journal.rst: versions 2 and 3 are crc32c
 * seeded with the UUID, a block's own field taken as 0; version 1 is a crc32 of a transaction's blocks).
 */
import { JC_CHKSUM, JSB_CHECKSUM, JSB_SIZE, JSB_UUID } from '../../abi/jbd2';
import { crc32c } from '../ext4/crc';
import { JN_CSUM2, JN_CSUM3, Journal } from './journal';

// @ts-ignore: decorator
@inline
export function be32(p: usize): u32 {
  return bswap<u32>(load<u32>(p));
}

// @ts-ignore: decorator
@inline
export function be16(p: usize): u32 {
  return <u32>bswap<u16>(load<u16>(p));
}

// @ts-ignore: decorator
@inline
export function putBe32(p: usize, v: u32): void {
  store<u32>(p, bswap<u32>(v));
}

// @ts-ignore: decorator
@inline
export function putBe16(p: usize, v: u32): void {
  store<u16>(p, bswap<u16>(<u16>v));
}

// @ts-ignore: decorator
@inline
export function hasBlockCsum(jn: Journal): bool {
  return (jn.jn_flags & (JN_CSUM2 | JN_CSUM3)) != 0;
}

/** What all checksums of the journal begin with. */
export function csumSeed(sb: usize): u32 {
  return crc32c(~0, sb + JSB_UUID, 16);
}

/** crc32c of `len` bytes of which the four at `field` count as 0. */
function csumWithout(crc: u32, p: usize, field: u32, len: u32): u32 {
  const was = load<u32>(p + field);
  store<u32>(p + field, 0);
  const sum = crc32c(crc, p, len);
  store<u32>(p + field, was);
  return sum;
}

/** A block of the journal's own: the checksum that stands at `field` in it. */
export function blockCsum(jn: Journal, p: usize, field: u32): u32 {
  return csumWithout(jn.jn_csumseed, p, field, jn.jn_bsize);
}

export function commitCsum(jn: Journal, p: usize): u32 {
  return blockCsum(jn, p, JC_CHKSUM);
}

/** Of a block's copy in the log, as it lies there, in the transaction `seq`. */
export function dataCsum(jn: Journal, p: usize, seq: u32): u32 {
  const be = changetype<usize>(jn) + offsetof<Journal>('jn_scratch');
  putBe32(be, seq);
  return crc32c(crc32c(jn.jn_csumseed, be, 4), p, jn.jn_bsize);
}

export function superCsum(sb: usize): u32 {
  return csumWithout(~0, sb, JSB_CHECKSUM, JSB_SIZE);
}

/** crc32, most significant bit first, as version 1 has it: going on from `crc`, ~0 at first. */
export function crc32be(crc: u32, p: usize, len: u32): u32 {
  for (let i: u32 = 0; i < len; i++) {
    crc ^= (<u32>load<u8>(p + i)) << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc;
}
