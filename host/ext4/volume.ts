/**
 * A file system on a device: its geometry, its group descriptors, its blocks. The geometry is
 * what the superblock says once `geometryFault` found nothing wrong with it; then every number
 * in it is bounded by the device's size.
 */
import * as abi from '../../assembly/abi/ext4.ts';
import type { BlockDevice } from '../devices/types.ts';
import { type Bytes, get16, get32, highPart, joined, put16, put32 } from './bytes.ts';
import type { Superblock } from './superblock.ts';

/** A group's descriptor (group_descr.rst): a view of its bytes. */
export class Group {
  readonly bytes: Uint8Array;
  readonly #isWide: boolean;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#isWide = bytes.length >= abi.BG_SIZE_64;
  }

  #get32(low: number, high: number): number {
    return joined(get32(this.bytes, low), this.#isWide ? get32(this.bytes, high) : 0);
  }

  #set32(low: number, high: number, value: number): void {
    put32(this.bytes, low, value);
    if (this.#isWide) put32(this.bytes, high, highPart(value));
  }

  #get16(low: number, high: number): number {
    return get16(this.bytes, low) + (this.#isWide ? get16(this.bytes, high) * 0x10000 : 0);
  }

  #set16(low: number, high: number, value: number): void {
    put16(this.bytes, low, value);
    if (this.#isWide) put16(this.bytes, high, value >>> 16);
  }

  get blockBitmap(): number {
    return this.#get32(abi.BG_BLOCK_BITMAP_LO, abi.BG_BLOCK_BITMAP_HI);
  }

  set blockBitmap(block: number) {
    this.#set32(abi.BG_BLOCK_BITMAP_LO, abi.BG_BLOCK_BITMAP_HI, block);
  }

  get inodeBitmap(): number {
    return this.#get32(abi.BG_INODE_BITMAP_LO, abi.BG_INODE_BITMAP_HI);
  }

  set inodeBitmap(block: number) {
    this.#set32(abi.BG_INODE_BITMAP_LO, abi.BG_INODE_BITMAP_HI, block);
  }

  get inodeTable(): number {
    return this.#get32(abi.BG_INODE_TABLE_LO, abi.BG_INODE_TABLE_HI);
  }

  set inodeTable(block: number) {
    this.#set32(abi.BG_INODE_TABLE_LO, abi.BG_INODE_TABLE_HI, block);
  }

  get freeBlocks(): number {
    return this.#get16(abi.BG_FREE_BLOCKS_COUNT_LO, abi.BG_FREE_BLOCKS_COUNT_HI);
  }

  set freeBlocks(count: number) {
    this.#set16(abi.BG_FREE_BLOCKS_COUNT_LO, abi.BG_FREE_BLOCKS_COUNT_HI, count);
  }

  get freeInodes(): number {
    return this.#get16(abi.BG_FREE_INODES_COUNT_LO, abi.BG_FREE_INODES_COUNT_HI);
  }

  set freeInodes(count: number) {
    this.#set16(abi.BG_FREE_INODES_COUNT_LO, abi.BG_FREE_INODES_COUNT_HI, count);
  }

  get directories(): number {
    return this.#get16(abi.BG_USED_DIRS_COUNT_LO, abi.BG_USED_DIRS_COUNT_HI);
  }

  set directories(count: number) {
    this.#set16(abi.BG_USED_DIRS_COUNT_LO, abi.BG_USED_DIRS_COUNT_HI, count);
  }

  get unusedInodes(): number {
    return this.#get16(abi.BG_ITABLE_UNUSED_LO, abi.BG_ITABLE_UNUSED_HI);
  }

  set unusedInodes(count: number) {
    this.#set16(abi.BG_ITABLE_UNUSED_LO, abi.BG_ITABLE_UNUSED_HI, count);
  }

  get flags(): number {
    return get16(this.bytes, abi.BG_FLAGS);
  }

  set flags(flags: number) {
    put16(this.bytes, abi.BG_FLAGS, flags);
  }

  /** With descriptors of 32 bytes only the low half is kept. */
  get blockBitmapChecksum(): number {
    return this.#get16(abi.BG_BLOCK_BITMAP_CSUM_LO, abi.BG_BLOCK_BITMAP_CSUM_HI);
  }

  set blockBitmapChecksum(checksum: number) {
    this.#set16(abi.BG_BLOCK_BITMAP_CSUM_LO, abi.BG_BLOCK_BITMAP_CSUM_HI, checksum);
  }

  get inodeBitmapChecksum(): number {
    return this.#get16(abi.BG_INODE_BITMAP_CSUM_LO, abi.BG_INODE_BITMAP_CSUM_HI);
  }

  set inodeBitmapChecksum(checksum: number) {
    this.#set16(abi.BG_INODE_BITMAP_CSUM_LO, abi.BG_INODE_BITMAP_CSUM_HI, checksum);
  }

  /** What of a 32-bit checksum of a bitmap a descriptor keeps. */
  get bitmapChecksumMask(): number {
    return this.#isWide ? 0xffffffff : 0xffff;
  }
}

function isPowerOf(n: number, base: number): boolean {
  let power = base;
  while (power < n) power *= base;
  return power === n;
}

/** blockgroup.rst, "sparse super": groups with a copy of the superblock. */
export function hasSuper(sb: Superblock, group: number): boolean {
  if (group === 0) return true;
  if (sb.compat(abi.COMPAT_SPARSE_SUPER2))
    return group === sb.u32(abi.SB_BACKUP_BGS) || group === sb.u32(abi.SB_BACKUP_BGS + 4);
  if (group === 1 || !sb.roCompat(abi.RO_COMPAT_SPARSE_SUPER)) return true;
  return group % 2 !== 0 && (isPowerOf(group, 3) || isPowerOf(group, 5) || isPowerOf(group, 7));
}

/** What a superblock says about where things are. */
export class Geometry {
  readonly sb: Superblock;
  readonly blockSize: number;
  readonly blocksCount: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  readonly groups: number;
  readonly descriptorSize: number;
  readonly descriptorsPerBlock: number;
  readonly descriptorBlocks: number;
  /** Descriptor blocks that lie behind each superblock; the others are in their meta groups. */
  readonly oldDescriptorBlocks: number;
  readonly reservedDescriptorBlocks: number;
  readonly inodeTableBlocks: number;
  readonly hasMetaBg: boolean;

  constructor(sb: Superblock) {
    this.sb = sb;
    this.blockSize = sb.blockSize;
    this.blocksCount = sb.blocksCount;
    this.firstDataBlock = sb.firstDataBlock;
    this.blocksPerGroup = sb.blocksPerGroup;
    this.inodesPerGroup = sb.inodesPerGroup;
    this.inodeSize = sb.inodeSize;
    this.groups = Math.ceil((this.blocksCount - this.firstDataBlock) / this.blocksPerGroup);
    this.descriptorSize = sb.descriptorSize;
    this.descriptorsPerBlock = Math.floor(this.blockSize / this.descriptorSize);
    this.descriptorBlocks = Math.ceil(this.groups / this.descriptorsPerBlock);
    this.hasMetaBg = sb.incompat(abi.INCOMPAT_META_BG);
    this.oldDescriptorBlocks = this.hasMetaBg
      ? Math.min(sb.u32(abi.SB_FIRST_META_BG), this.descriptorBlocks)
      : this.descriptorBlocks;
    this.reservedDescriptorBlocks = this.hasMetaBg ? 0 : sb.u16(abi.SB_RESERVED_GDT_BLOCKS);
    this.inodeTableBlocks = Math.ceil((this.inodesPerGroup * this.inodeSize) / this.blockSize);
  }

  groupFirst(group: number): number {
    return this.firstDataBlock + group * this.blocksPerGroup;
  }

  groupBlocks(group: number): number {
    return Math.min(this.blocksPerGroup, this.blocksCount - this.groupFirst(group));
  }

  groupOf(block: number): number {
    return Math.floor((block - this.firstDataBlock) / this.blocksPerGroup);
  }

  hasSuper(group: number): boolean {
    return hasSuper(this.sb, group);
  }

  /** The descriptor block that a meta group's group keeps a copy of, or -1. */
  metaDescriptorOf(group: number): number {
    const meta = Math.floor(group / this.descriptorsPerBlock);
    if (!this.hasMetaBg || meta < this.oldDescriptorBlocks) return -1;
    const within = group % this.descriptorsPerBlock;
    return within === 0 || within === 1 || within === this.descriptorsPerBlock - 1 ? meta : -1;
  }

  /** Where block n of the descriptors lies; `copy`: in a group that has a superblock. */
  descriptorBlock(n: number, copy = 0): number {
    if (n < this.oldDescriptorBlocks) return this.groupFirst(copy) + 1 + n;
    const group = n * this.descriptorsPerBlock;
    return this.groupFirst(group) + (this.hasSuper(group) ? 1 : 0);
  }

  /** Blocks at a group's start that its superblock and descriptors take, reserved ones included. */
  groupHead(group: number): { superblock: number; descriptors: number; reserved: number } {
    const isSuper = this.hasSuper(group);
    const meta = this.metaDescriptorOf(group);
    const descriptors = (isSuper ? this.oldDescriptorBlocks : 0) + (meta >= 0 ? 1 : 0);
    const inOld = Math.floor(group / this.descriptorsPerBlock) < this.oldDescriptorBlocks || !this.hasMetaBg;
    return {
      superblock: isSuper ? 1 : 0,
      descriptors,
      reserved: isSuper && inOld ? this.reservedDescriptorBlocks : 0,
    };
  }

  headBlocks(group: number): number {
    const head = this.groupHead(group);
    return head.superblock + head.descriptors + head.reserved;
  }

  /** Where an inode lies in the tables of `groups`. */
  inodePlace(groups: GroupTable, ino: number): { block: number; at: number } {
    const group = Math.floor((ino - 1) / this.inodesPerGroup);
    const offBytes = ((ino - 1) % this.inodesPerGroup) * this.inodeSize;
    const blocks = Math.floor(offBytes / this.blockSize);
    return { block: groups.at(group).inodeTable + blocks, at: offBytes - blocks * this.blockSize };
  }
}

/** All descriptors, as they lie on the disk. */
export class GroupTable {
  readonly bytes: Bytes;
  readonly #size: number;

  constructor(geometry: Geometry) {
    this.bytes = new Uint8Array(geometry.descriptorBlocks * geometry.blockSize);
    this.#size = geometry.descriptorSize;
  }

  at(group: number): Group {
    return new Group(this.bytes.subarray(group * this.#size, (group + 1) * this.#size));
  }
}

/**
 * Reads and writes blocks of a file system, also ones smaller than the device's sectors. Errors
 * of the device pass through.
 */
export class Blocks {
  readonly device: BlockDevice;
  readonly blockSize: number;
  /** Bytes written so far. */
  written = 0;

  constructor(device: BlockDevice, blockSize: number) {
    this.device = device;
    this.blockSize = blockSize;
  }

  read(block: number, count = 1): Bytes {
    const bytes = new Uint8Array(count * this.blockSize);
    readBytes(this.device, block * this.blockSize, bytes);
    return bytes;
  }

  write(block: number, bytes: Uint8Array): void {
    writeBytes(this.device, block * this.blockSize, bytes);
    this.written += bytes.length;
  }

  zero(block: number, count: number): void {
    if (count > 0) zeroBytes(this.device, block * this.blockSize, count * this.blockSize);
  }
}

function sectorsAround(
  device: BlockDevice,
  offBytes: number,
  lenBytes: number,
): { start: number; len: number } {
  const start = offBytes - (offBytes % device.sectorBytes);
  const end = Math.ceil((offBytes + lenBytes) / device.sectorBytes) * device.sectorBytes;
  return { start, len: end - start };
}

export function readBytes(device: BlockDevice, offBytes: number, into: Uint8Array): void {
  const { start, len } = sectorsAround(device, offBytes, into.length);
  if (len === into.length) {
    device.read(start, into, 0, len);
    return;
  }
  const whole = new Uint8Array(len);
  device.read(start, whole, 0, len);
  into.set(whole.subarray(offBytes - start, offBytes - start + into.length));
}

export function writeBytes(device: BlockDevice, offBytes: number, bytes: Uint8Array): void {
  const { start, len } = sectorsAround(device, offBytes, bytes.length);
  if (len === bytes.length) {
    device.write(start, bytes, 0, len);
    return;
  }
  const whole = new Uint8Array(len);
  device.read(start, whole, 0, len);
  whole.set(bytes, offBytes - start);
  device.write(start, whole, 0, len);
}

function zeroBytes(device: BlockDevice, offBytes: number, lenBytes: number): void {
  const sector = device.sectorBytes;
  const start = Math.ceil(offBytes / sector) * sector;
  const end = Math.floor((offBytes + lenBytes) / sector) * sector;
  if (start >= end) {
    writeBytes(device, offBytes, new Uint8Array(lenBytes));
    return;
  }
  if (start > offBytes) writeBytes(device, offBytes, new Uint8Array(start - offBytes));
  device.writeZeroes(start, end - start);
  if (end < offBytes + lenBytes) writeBytes(device, end, new Uint8Array(offBytes + lenBytes - end));
}
