/** Pass 5: bitmaps and counts, against what the inodes and directories showed to be in use. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { countBits, putBit, testBit } from '../bits.ts';
import type { Bytes } from '../bytes.ts';
import { bitmapChecksum } from '../checksums.ts';
import type { Group } from '../volume.ts';
import { type Context, KIND_FREE } from './context.ts';

interface Totals {
  freeBlocks: number;
  freeInodes: number;
}

class GroupCheck {
  readonly #context: Context;
  readonly #number: number;
  readonly #group: Group;

  constructor(context: Context, number: number) {
    this.#context = context;
    this.#number = number;
    this.#group = context.groups.at(number);
  }

  #find(rule: string, message: string, block?: number): void {
    const group = this.#number;
    this.#context.find(rule, `Group ${group}: ${message}`, { group, block, fixable: true });
  }

  /** A bitmap from the disk, or what stands for it in a group that has none. */
  #bitmap(at: number, flag: number, bits: number, checksum: number, rule: string): Bytes | undefined {
    const { sb, seed, geometry } = this.#context;
    if (sb.hasGroupCsum && this.#group.flags & flag) return undefined;
    const bytes = this.#context.read(at, { group: this.#number });
    if (bytes === undefined) return new Uint8Array(geometry.blockSize);
    if (sb.hasMetadataCsum) {
      const right = bitmapChecksum(seed, bytes, bits / 8) & this.#group.bitmapChecksumMask;
      if (checksum >>> 0 !== right >>> 0)
        this.#find(`${rule}.checksum`, 'the bitmap has a wrong checksum', at);
    }
    return bytes;
  }

  #compare(right: Uint8Array, bits: number, found: Uint8Array, rule: string, first: number): void {
    let missing = 0;
    let extra = 0;
    let example = -1;
    for (let byte = 0; byte * 8 < bits; byte++) {
      if (right[byte] === found[byte] && byte * 8 + 8 <= bits) continue;
      for (let bit = byte * 8; bit < Math.min(byte * 8 + 8, bits); bit++) {
        const should = testBit(right, bit);
        if (should === testBit(found, bit)) continue;
        if (should) missing++;
        else extra++;
        if (example < 0) example = first + bit;
      }
    }
    if (missing + extra > 0)
      this.#find(
        rule,
        `${missing} are in use and marked free, ${extra} are free and marked in use; the first is ${example}`,
      );
  }

  #padding(found: Uint8Array | undefined, from: number, rule: string): void {
    if (found === undefined) return;
    const end = found.length * 8;
    if (countBits(found, from, end) !== end - from)
      this.#find(rule, 'the padding at the end of the bitmap is not set');
  }

  blocks(): number {
    const { geometry, used } = this.#context;
    const first = geometry.groupFirst(this.#number);
    const count = geometry.groupBlocks(this.#number);
    const right = new Uint8Array(Math.ceil(count / 8));
    for (let i = 0; i < count; i++) if (testBit(used, first + i)) putBit(right, i);
    const group = this.#group;
    const found = this.#bitmap(
      group.blockBitmap,
      abi.BG_BLOCK_UNINIT,
      geometry.blocksPerGroup,
      group.blockBitmapChecksum,
      'bitmap.blocks',
    );
    this.#compare(right, count, found ?? this.#uninitialized(first, count), 'bitmap.blocks', first);
    this.#padding(found, count, 'bitmap.blocks.padding');
    const free = count - countBits(right, 0, count);
    if (group.freeBlocks !== free)
      this.#find('group.freeBlocks', `free blocks count wrong (${group.freeBlocks}, counted ${free})`);
    return free;
  }

  /** What a group without a bitmap on the disk has: its head, and tables that lie in it. */
  #uninitialized(first: number, count: number): Uint8Array {
    const { geometry } = this.#context;
    const bitmap = new Uint8Array(Math.ceil(count / 8));
    const put = (at: number, length: number) => {
      for (let block = at; block < at + length; block++)
        if (block >= first && block < first + count) putBit(bitmap, block - first);
    };
    put(first, geometry.headBlocks(this.#number));
    put(this.#group.blockBitmap, 1);
    put(this.#group.inodeBitmap, 1);
    put(this.#group.inodeTable, geometry.inodeTableBlocks);
    return bitmap;
  }

  inodes(): number {
    const { geometry, kind } = this.#context;
    const count = geometry.inodesPerGroup;
    const first = this.#number * count + 1;
    const right = new Uint8Array(count / 8);
    let directories = 0;
    for (let i = 0; i < count; i++) {
      if (kind[first + i] === KIND_FREE) continue;
      putBit(right, i);
      if (kind[first + i] === abi.FT_DIR) directories++;
    }
    const group = this.#group;
    const found = this.#bitmap(
      group.inodeBitmap,
      abi.BG_INODE_UNINIT,
      count,
      group.inodeBitmapChecksum,
      'bitmap.inodes',
    );
    this.#compare(right, count, found ?? new Uint8Array(count / 8), 'bitmap.inodes', first);
    this.#padding(found, count, 'bitmap.inodes.padding');
    const free = count - countBits(right, 0, count);
    if (group.freeInodes !== free)
      this.#find('group.freeInodes', `free inodes count wrong (${group.freeInodes}, counted ${free})`);
    if (group.directories !== directories)
      this.#find(
        'group.directories',
        `directories count wrong (${group.directories}, counted ${directories})`,
      );
    return free;
  }
}

export function checkBitmaps(context: Context): void {
  const { geometry, sb } = context;
  const totals: Totals = { freeBlocks: 0, freeInodes: 0 };
  for (let number = 0; number < geometry.groups; number++) {
    const check = new GroupCheck(context, number);
    totals.freeBlocks += check.blocks();
    totals.freeInodes += check.inodes();
  }
  const place = { fixable: true };
  if (sb.freeBlocks !== totals.freeBlocks)
    context.find(
      'super.freeBlocks',
      `Free blocks count wrong (${sb.freeBlocks}, counted ${totals.freeBlocks})`,
      place,
    );
  const freeInodes = sb.u32(abi.SB_FREE_INODES_COUNT);
  if (freeInodes !== totals.freeInodes)
    context.find(
      'super.freeInodes',
      `Free inodes count wrong (${freeInodes}, counted ${totals.freeInodes})`,
      place,
    );
}
