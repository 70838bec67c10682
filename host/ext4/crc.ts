/** The two checksums that ext4 uses: crc32c (checksums.rst) and, for gdt_csum, crc16. */

/** Reflected polynomial of Castagnoli's CRC-32. */
const POLYNOMIAL_32C = 0x82f63b78;
/** Reflected polynomial of CRC-16 (ANSI). */
const POLYNOMIAL_16 = 0xa001;

/** Eight tables, so that eight bytes go at once: table k is a byte's effect k bytes later. */
function tables32c(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL_32C : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256];
    tables[at] = tables[before & 0xff] ^ (before >>> 8);
  }
  return tables;
}

function table16(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL_16 : crc >>> 1;
    return crc;
  });
}

const T = tables32c();
const T16 = table16();

/** Start of a crc32c that follows nothing. */
export const CRC_START = 0xffffffff;

/** crc32c as ext4 uses it: neither start nor end is inverted. Goes on from `crc`. */
export function crc32c(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let c = crc | 0;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c =
      T[1792 + (c & 0xff)] ^
      T[1536 + ((c >>> 8) & 0xff)] ^
      T[1280 + ((c >>> 16) & 0xff)] ^
      T[1024 + (c >>> 24)] ^
      T[768 + bytes[i + 4]] ^
      T[512 + bytes[i + 5]] ^
      T[256 + bytes[i + 6]] ^
      T[bytes[i + 7]];
  }
  for (; i < to; i++) c = T[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return c >>> 0;
}

const WORD = new Uint8Array(8);

/** Go on with a 32-bit number as it lies on the disk. */
export function crc32cWord(crc: number, value: number): number {
  WORD[0] = value;
  WORD[1] = value >>> 8;
  WORD[2] = value >>> 16;
  WORD[3] = value >>> 24;
  return crc32c(crc, WORD, 0, 4);
}

/** Go on with a 64-bit number as it lies on the disk. */
export function crc32cLong(crc: number, value: number): number {
  return crc32cWord(crc32cWord(crc, value >>> 0), Math.floor(value / 2 ** 32));
}

export function crc16(crc: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  let c = crc;
  for (let i = from; i < to; i++) c = T16[(c ^ bytes[i]) & 0xff] ^ (c >>> 8);
  return c;
}
