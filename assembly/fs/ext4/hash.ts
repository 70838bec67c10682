/**
 * ext4: what a name hashes to in an indexed directory (directory.rst, "Hash Tree Directories"): the
 * legacy hash, half of MD4, or TEA, each over signed or unsigned characters, seeded by the superblock.
 *
 * A hash is two words: the major one orders the index, its lowest bit kept for "goes on in the next
 * leaf"; the minor one only orders what readdir lists.
 */
import {
  DX_HASH_HALF_MD4,
  DX_HASH_HALF_MD4_UNSIGNED,
  DX_HASH_LEGACY,
  DX_HASH_LEGACY_UNSIGNED,
  DX_HASH_TEA,
  DX_HASH_TEA_UNSIGNED,
  SB_HASH_SEED,
} from '../../abi/ext4';
import { Ext4Mount } from './types';

/** The major hash that means "behind everything" to Linux; a name never has it. */
const HASH_EOF: u32 = 0x7fffffff << 1;
const TEA_DELTA: u32 = 0x9e3779b9;
const MD4_K2: u32 = 0x5a827999;
const MD4_K3: u32 = 0x6ed9eba1;
const SEED0: u32 = 0x67452301;
const SEED1: u32 = 0xefcdab89;
const SEED2: u32 = 0x98badcfe;
const SEED3: u32 = 0x10325476;

/** A hash in the making: four words of state, then eight of input. */
@unmanaged
export class DirHash {
  dh_a: u32;
  dh_b: u32;
  dh_c: u32;
  dh_d: u32;
  dh_in0: u64; // eight words
  dh_in1: u64;
  dh_in2: u64;
  dh_in3: u64;
  dh_major: u32;
  dh_minor: u32;
  // @ts-ignore: decorator
  @inline
  word(i: u32): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<DirHash>('dh_in0') + ((<usize>i) << 2));
  }
}

// @ts-ignore: decorator
@inline
function charAt(p: usize, isSigned: bool): u32 {
  return isSigned ? <u32>(<i32>load<i8>(p)) : <u32>load<u8>(p);
}

function legacy(p: usize, len: u32, isSigned: bool): u32 {
  let h0: u32 = 0x12a3fe2d;
  let h1: u32 = 0x37abe8f9;
  for (let i: u32 = 0; i < len; i++) {
    let h = h1 + (h0 ^ (charAt(p + i, isSigned) * 7152373));
    if (h & 0x80000000) h -= 0x7fffffff;
    h1 = h0;
    h0 = h;
  }
  return h0 << 1;
}

/** The next `words` words of input: the name four characters to a word, then its length over and over. */
function fill(dh: DirHash, p: usize, len: u32, words: u32, isSigned: bool): void {
  const at = changetype<usize>(dh) + offsetof<DirHash>('dh_in0');
  let pad = len | (len << 8);
  pad |= pad << 16;
  let v = pad;
  let n: u32 = 0;
  const take = len > words * 4 ? words * 4 : len;
  for (let i: u32 = 0; i < take; i++) {
    v = charAt(p + i, isSigned) + (v << 8);
    if ((i & 3) != 3) continue;
    store<u32>(at + ((<usize>n) << 2), v);
    n++;
    v = pad;
  }
  if (n < words) {
    store<u32>(at + ((<usize>n) << 2), v);
    n++;
  }
  for (; n < words; n++) store<u32>(at + ((<usize>n) << 2), pad);
}

function tea(dh: DirHash): void {
  let a = dh.dh_a;
  let b = dh.dh_b;
  const k0 = dh.word(0);
  const k1 = dh.word(1);
  const k2 = dh.word(2);
  const k3 = dh.word(3);
  let sum: u32 = 0;
  for (let i = 0; i < 16; i++) {
    sum += TEA_DELTA;
    a += ((b << 4) + k0) ^ (b + sum) ^ ((b >> 5) + k1);
    b += ((a << 4) + k2) ^ (a + sum) ^ ((a >> 5) + k3);
  }
  dh.dh_a += a;
  dh.dh_b += b;
}

/** A round of half MD4 over eight words in the order given, a nibble each, the first lowest. */
function md4Round(dh: DirHash, round: u32, order: u32, s0: u32, s1: u32, s2: u32, s3: u32): void {
  let a = dh.dh_a;
  let b = dh.dh_b;
  let c = dh.dh_c;
  let d = dh.dh_d;
  for (let i = 0; i < 8; i++) {
    let f: u32 = 0;
    if (round == 0) f = d ^ (b & (c ^ d));
    else if (round == 1) f = (b & c) + ((b ^ c) & d) + MD4_K2;
    else f = (b ^ c ^ d) + MD4_K3;
    const step = i & 3;
    const s = step == 0 ? s0 : step == 1 ? s1 : step == 2 ? s2 : s3;
    const t = rotl<u32>(a + f + dh.word((order >> (4 * i)) & 15), s);
    a = d;
    d = c;
    c = b;
    b = t;
  }
  dh.dh_a = a;
  dh.dh_b = b;
  dh.dh_c = c;
  dh.dh_d = d;
}

function halfMd4(dh: DirHash): void {
  const a = dh.dh_a;
  const b = dh.dh_b;
  const c = dh.dh_c;
  const d = dh.dh_d;
  md4Round(dh, 0, 0x76543210, 3, 7, 11, 19);
  md4Round(dh, 1, 0x64207531, 3, 5, 9, 13);
  md4Round(dh, 2, 0x40516273, 3, 9, 11, 15);
  dh.dh_a += a;
  dh.dh_b += b;
  dh.dh_c += c;
  dh.dh_d += d;
}

/** Hash a name by a version (DX_HASH_*) into dh_major and dh_minor; false: no such version. */
export function dirHash(em: Ext4Mount, dh: DirHash, version: u32, name: usize, len: u32): bool {
  const seed = <usize>em.em_sb + SB_HASH_SEED;
  dh.dh_a = load<u32>(seed);
  dh.dh_b = load<u32>(seed, 4);
  dh.dh_c = load<u32>(seed, 8);
  dh.dh_d = load<u32>(seed, 12);
  if ((dh.dh_a | dh.dh_b | dh.dh_c | dh.dh_d) == 0) {
    dh.dh_a = SEED0;
    dh.dh_b = SEED1;
    dh.dh_c = SEED2;
    dh.dh_d = SEED3;
  }
  let major: u32 = 0;
  let minor: u32 = 0;
  if (version == DX_HASH_LEGACY || version == DX_HASH_LEGACY_UNSIGNED) major = legacy(name, len, version == DX_HASH_LEGACY);
  else if (version == DX_HASH_HALF_MD4 || version == DX_HASH_HALF_MD4_UNSIGNED) {
    for (let i: u32 = 0; i < len; i += 32) {
      fill(dh, name + i, len - i, 8, version == DX_HASH_HALF_MD4);
      halfMd4(dh);
    }
    major = dh.dh_b;
    minor = dh.dh_c;
  } else if (version == DX_HASH_TEA || version == DX_HASH_TEA_UNSIGNED) {
    for (let i: u32 = 0; i < len; i += 16) {
      fill(dh, name + i, len - i, 4, version == DX_HASH_TEA);
      tea(dh);
    }
    major = dh.dh_a;
    minor = dh.dh_b;
  } else return false;
  major &= ~1;
  dh.dh_major = major == HASH_EOF ? HASH_EOF - 2 : major;
  dh.dh_minor = minor;
  return true;
}
