/** Hashes of names in a directory's tree (directory.rst, "Hash Tree Directories"). */
import * as abi from '../../assembly/abi/ext4.ts';
import { get32, isZero } from './bytes.ts';

const MD4_START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const K2 = 0x5a827999;
const K3 = 0x6ed9eba1;
const TEA_DELTA = 0x9e3779b9;
/** The largest hash is kept for the end of a directory. */
const END_OF_DIRECTORY = 0x7fffffff;

const rotated = (value: number, by: number) => (value << by) | (value >>> (32 - by));

/** Order of words and shifts in the three rounds of half MD4. */
const ROUNDS: readonly (readonly [order: readonly number[], shifts: readonly number[], add: number])[] = [
  [[0, 1, 2, 3, 4, 5, 6, 7], [3, 7, 11, 19], 0],
  [[1, 3, 5, 7, 0, 2, 4, 6], [3, 5, 9, 13], K2],
  [[3, 7, 2, 6, 1, 5, 0, 4], [3, 9, 11, 15], K3],
];

function mix(round: number, x: number, y: number, z: number): number {
  if (round === 0) return z ^ (x & (y ^ z));
  return round === 1 ? (x & y) + ((x ^ y) & z) : x ^ y ^ z;
}

function halfMd4(state: Int32Array, words: Int32Array): void {
  let [a, b, c, d] = state;
  ROUNDS.forEach(([order, shifts, add], round) => {
    for (let i = 0; i < 8; i++) {
      const sum = (a + mix(round, b, c, d) + words[order[i]] + add) | 0;
      const turned = rotated(sum, shifts[i & 3]);
      a = d;
      d = c;
      c = b;
      b = turned;
    }
  });
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
}

function tea(state: Int32Array, words: Int32Array): void {
  let sum = 0;
  let x = state[0];
  let y = state[1];
  for (let i = 0; i < 16; i++) {
    sum = (sum + TEA_DELTA) | 0;
    x = (x + (((y << 4) + words[0]) ^ (y + sum) ^ ((y >>> 5) + words[1]))) | 0;
    y = (y + (((x << 4) + words[2]) ^ (x + sum) ^ ((x >>> 5) + words[3]))) | 0;
  }
  state[0] += x;
  state[1] += y;
}

/** Up to `count` words of a piece of a name; what the name does not fill is its length. */
function packed(name: Uint8Array, from: number, count: number, isSigned: boolean): Int32Array {
  const left = name.length - from;
  let pad = left | (left << 8);
  pad |= pad << 16;
  const words = new Int32Array(count).fill(pad);
  const length = Math.min(left, count * 4);
  let word = pad;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const byte = name[from + i];
    word = ((isSigned ? (byte << 24) >> 24 : byte) + (word << 8)) | 0;
    if (i % 4 === 3) {
      words[at++] = word;
      word = pad;
    }
  }
  if (length % 4 !== 0) words[at] = word;
  return words;
}

function legacy(name: Uint8Array, isSigned: boolean): number {
  let hash0 = 0x12a3fe2d;
  let hash1 = 0x37abe8f9;
  for (const byte of name) {
    const char = isSigned ? (byte << 24) >> 24 : byte;
    let hash = (hash1 + (hash0 ^ Math.imul(char, 7152373))) >>> 0;
    if (hash & 0x80000000) hash -= 0x7fffffff;
    hash1 = hash0;
    hash0 = hash >>> 0;
  }
  return (hash0 << 1) >>> 0;
}

/**
 * The hash by which a tree's entries are in order: its lowest bit is 0.
 * version: DX_HASH_*, of the unsigned kind where the superblock says so; undefined if unknown.
 */
export function nameHash(version: number, seed: Uint8Array, name: Uint8Array): number | undefined {
  const isSigned = version < abi.DX_HASH_LEGACY_UNSIGNED;
  const kind = isSigned ? version : version - abi.DX_HASH_LEGACY_UNSIGNED;
  if (kind < 0 || kind > abi.DX_HASH_TEA) return undefined;
  const state = Int32Array.from(MD4_START);
  if (!isZero(seed)) for (let i = 0; i < 4; i++) state[i] = get32(seed, i * 4);
  let hash: number;
  if (kind === abi.DX_HASH_LEGACY) hash = legacy(name, isSigned);
  else if (kind === abi.DX_HASH_HALF_MD4) {
    for (let at = 0; at < name.length; at += 32) halfMd4(state, packed(name, at, 8, isSigned));
    hash = state[1];
  } else {
    for (let at = 0; at < name.length; at += 16) tea(state, packed(name, at, 4, isSigned));
    hash = state[0];
  }
  hash = (hash & ~1) >>> 0;
  return hash === (END_OF_DIRECTORY << 1) >>> 0 ? ((END_OF_DIRECTORY - 1) << 1) >>> 0 : hash;
}
