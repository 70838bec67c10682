/** The superblock (super.rst): its numbers, which features it has, its checksum. */
import * as abi from '../../assembly/abi/ext4.ts';
import { type Bytes, get16, get32, highPart, joined, put16, put32, textOf, uuidText } from './bytes.ts';
import { CRC_START, crc32c } from './crc.ts';
import type { FeatureBits } from './features.ts';

/** Highest shift of a block size: 64 KiB. */
const LOG_BLOCK_MAX = 6;

/** A view of the 1024 bytes: what it says is read when it is asked for, and may be nonsense. */
export class Superblock {
  readonly bytes: Bytes;

  constructor(bytes: Bytes = new Uint8Array(abi.SB_SIZE)) {
    this.bytes = bytes;
  }

  u8(at: number): number {
    return this.bytes[at];
  }

  u16(at: number): number {
    return get16(this.bytes, at);
  }

  u32(at: number): number {
    return get32(this.bytes, at);
  }

  set8(at: number, value: number): void {
    this.bytes[at] = value;
  }

  set16(at: number, value: number): void {
    put16(this.bytes, at, value);
  }

  set32(at: number, value: number): void {
    put32(this.bytes, at, value);
  }

  compat(bit: number): boolean {
    return (this.u32(abi.SB_FEATURE_COMPAT) & bit) !== 0;
  }

  incompat(bit: number): boolean {
    return (this.u32(abi.SB_FEATURE_INCOMPAT) & bit) !== 0;
  }

  roCompat(bit: number): boolean {
    return (this.u32(abi.SB_FEATURE_RO_COMPAT) & bit) !== 0;
  }

  get features(): FeatureBits {
    return {
      compat: this.u32(abi.SB_FEATURE_COMPAT),
      incompat: this.u32(abi.SB_FEATURE_INCOMPAT),
      roCompat: this.u32(abi.SB_FEATURE_RO_COMPAT),
    };
  }

  set features(bits: FeatureBits) {
    this.set32(abi.SB_FEATURE_COMPAT, bits.compat);
    this.set32(abi.SB_FEATURE_INCOMPAT, bits.incompat);
    this.set32(abi.SB_FEATURE_RO_COMPAT, bits.roCompat);
  }

  get hasMetadataCsum(): boolean {
    return this.roCompat(abi.RO_COMPAT_METADATA_CSUM);
  }

  /** Descriptors have a checksum of either kind, and groups may be uninitialized. */
  get hasGroupCsum(): boolean {
    return this.roCompat(abi.RO_COMPAT_METADATA_CSUM | abi.RO_COMPAT_GDT_CSUM);
  }

  get is64bit(): boolean {
    return this.incompat(abi.INCOMPAT_64BIT);
  }

  get inodesCount(): number {
    return this.u32(abi.SB_INODES_COUNT);
  }

  get inodesPerGroup(): number {
    return this.u32(abi.SB_INODES_PER_GROUP);
  }

  get blocksPerGroup(): number {
    return this.u32(abi.SB_BLOCKS_PER_GROUP);
  }

  get firstDataBlock(): number {
    return this.u32(abi.SB_FIRST_DATA_BLOCK);
  }

  get logBlockSize(): number {
    return this.u32(abi.SB_LOG_BLOCK_SIZE);
  }

  /** 1024 to 65536; nonsense reads as 1024. */
  get blockSize(): number {
    return this.logBlockSize <= LOG_BLOCK_MAX ? 1024 << this.logBlockSize : 1024;
  }

  get inodeSize(): number {
    return this.u32(abi.SB_REV_LEVEL) === 0 ? abi.EXT4_GOOD_OLD_INODE_SIZE : this.u16(abi.SB_INODE_SIZE);
  }

  get firstInode(): number {
    return this.u32(abi.SB_REV_LEVEL) === 0 ? abi.EXT4_GOOD_OLD_FIRST_INO : this.u32(abi.SB_FIRST_INO);
  }

  get descriptorSize(): number {
    return this.is64bit ? this.u16(abi.SB_DESC_SIZE) : abi.BG_SIZE_32;
  }

  #wide(low: number, high: number): number {
    return joined(this.u32(low), this.is64bit ? this.u32(high) : 0);
  }

  #setWide(low: number, high: number, value: number): void {
    this.set32(low, value);
    if (this.is64bit) this.set32(high, highPart(value));
  }

  get blocksCount(): number {
    return this.#wide(abi.SB_BLOCKS_COUNT_LO, abi.SB_BLOCKS_COUNT_HI);
  }

  set blocksCount(value: number) {
    this.#setWide(abi.SB_BLOCKS_COUNT_LO, abi.SB_BLOCKS_COUNT_HI, value);
  }

  get reservedBlocks(): number {
    return this.#wide(abi.SB_R_BLOCKS_COUNT_LO, abi.SB_R_BLOCKS_COUNT_HI);
  }

  set reservedBlocks(value: number) {
    this.#setWide(abi.SB_R_BLOCKS_COUNT_LO, abi.SB_R_BLOCKS_COUNT_HI, value);
  }

  get freeBlocks(): number {
    return this.#wide(abi.SB_FREE_BLOCKS_COUNT_LO, abi.SB_FREE_BLOCKS_COUNT_HI);
  }

  set freeBlocks(value: number) {
    this.#setWide(abi.SB_FREE_BLOCKS_COUNT_LO, abi.SB_FREE_BLOCKS_COUNT_HI, value);
  }

  get uuid(): Bytes {
    return this.bytes.slice(abi.SB_UUID, abi.SB_UUID + 16);
  }

  get uuidText(): string {
    return uuidText(this.uuid);
  }

  get label(): string {
    return textOf(this.bytes.slice(abi.SB_VOLUME_NAME, abi.SB_VOLUME_NAME + 16));
  }

  /** Where all checksums but the superblock's own begin. */
  get checksumSeed(): number {
    if (this.incompat(abi.INCOMPAT_CSUM_SEED)) return this.u32(abi.SB_CHECKSUM_SEED);
    return crc32c(CRC_START, this.uuid);
  }

  get computedChecksum(): number {
    return crc32c(CRC_START, this.bytes, 0, abi.SB_CHECKSUM);
  }

  /** True also where there is none. */
  get isChecksumRight(): boolean {
    return !this.hasMetadataCsum || this.u32(abi.SB_CHECKSUM) === this.computedChecksum;
  }

  seal(): void {
    if (this.hasMetadataCsum) this.set32(abi.SB_CHECKSUM, this.computedChecksum);
  }
}
