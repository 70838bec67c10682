/**
 * Walks what maps a file's blocks: an extent tree (ifork.rst) or a block map (blockmap.rst).
 * A first walk reports and claims; later ones only list.
 */
import * as abi from '../../../assembly/abi/ext4.ts';
import { get16, get32, joined } from '../bytes.ts';
import { extentChecksum, extentTailAt } from '../checksums.ts';
import { blockArea, flagsOf } from '../inode.ts';
import type { Context } from './context.ts';

/** What a walk tells. Blocks are on the device. */
export interface Visitor {
  data(file: number, block: number, count: number, isUnwritten: boolean): void;
  /** A block of the map; false: it was seen before, do not look into it. */
  node(block: number): boolean;
  /** What is wrong; a walk that only lists has none. */
  fault?(rule: string, message: string, block?: number): void;
}

const UNBOUNDED = 2 ** 32;

class ExtentWalk {
  readonly #context: Context;
  readonly #own: number;
  readonly #visitor: Visitor;
  /** The first file block that the next extent may have. */
  #next = 0;

  constructor(context: Context, own: number, visitor: Visitor) {
    this.#context = context;
    this.#own = own;
    this.#visitor = visitor;
  }

  /** The header says what can be; `room`: entries that fit. */
  header(node: Uint8Array, depth: number, room: number, at?: number): boolean {
    const entries = get16(node, abi.EH_ENTRIES);
    const max = get16(node, abi.EH_MAX);
    const fault = (what: string) => {
      this.#visitor.fault?.('extent.header', `has an extent header with ${what}`, at);
      return false;
    };
    if (get16(node, abi.EH_MAGIC) !== abi.EXT4_EXT_MAGIC) return fault('a wrong magic number');
    const found = get16(node, abi.EH_DEPTH);
    if (depth < 0 ? found > abi.EXT4_EXT_MAX_DEPTH : found !== depth) return fault('a wrong depth');
    if (max > room || max === 0) return fault(`room for ${max} entries`);
    // a tail of a checksum, and what does not fill an entry, may be left
    if (max < room - 2) return fault(`room for only ${max} entries`);
    if (entries > max) return fault(`${entries} entries of ${max}`);
    if (found > 0 && entries === 0) return fault('no entries');
    return true;
  }

  walk(node: Uint8Array, end: number): void {
    const depth = get16(node, abi.EH_DEPTH);
    const entries = get16(node, abi.EH_ENTRIES);
    for (let i = 0; i < entries; i++) {
      const at = abi.EH_SIZE + i * abi.EE_SIZE;
      const limit = i + 1 < entries ? get32(node, at + abi.EE_SIZE) : end;
      if (depth === 0) this.#leaf(node, at, end);
      else this.#index(node, at, depth, limit);
    }
  }

  #leaf(node: Uint8Array, at: number, end: number): void {
    const { geometry } = this.#context;
    const file = get32(node, at + abi.EE_BLOCK);
    const raw = get16(node, at + abi.EE_LEN);
    const isUnwritten = raw > abi.EXT_INIT_MAX_LEN;
    const count = isUnwritten ? raw - abi.EXT_INIT_MAX_LEN : raw;
    const block = joined(get32(node, at + abi.EE_START_LO), get16(node, at + abi.EE_START_HI));
    const fault = (rule: string, what: string) =>
      this.#visitor.fault?.(
        rule,
        `has an invalid extent (logical block ${file}, physical block ${block}, len ${count}): ${what}`,
      );
    if (count === 0) {
      fault('extent.length', 'no blocks');
      return;
    }
    if (!this.#context.isBlock(block) || block + count > geometry.blocksCount) {
      fault('extent.range', 'outside the file system');
      return;
    }
    if (file < this.#next) {
      fault('extent.order', 'out of order');
      return;
    }
    if (file + count > end) {
      fault('extent.order', 'beyond what its index covers');
      return;
    }
    this.#next = file + count;
    this.#visitor.data(file, block, count, isUnwritten);
  }

  #index(node: Uint8Array, at: number, depth: number, end: number): void {
    const context = this.#context;
    const file = get32(node, at + abi.EI_BLOCK);
    const block = joined(get32(node, at + abi.EI_LEAF_LO), get16(node, at + abi.EI_LEAF_HI));
    const fault = (rule: string, message: string) => this.#visitor.fault?.(rule, message, block);
    if (!context.isBlock(block)) {
      fault('extent.range', `has an extent block outside the file system: ${block}`);
      return;
    }
    if (file < this.#next || end <= file)
      fault('extent.order', `has an extent index out of order (logical block ${file})`);
    if (!this.#visitor.node(block)) return;
    const child = context.read(block);
    if (child === undefined) return;
    const room = Math.floor((child.length - abi.EH_SIZE) / abi.EE_SIZE);
    if (!this.header(child, depth - 1, room, block)) return;
    if (context.sb.hasMetadataCsum) {
      const tail = extentTailAt(child);
      if (tail + abi.ET_SIZE > child.length || get32(child, tail) !== extentChecksum(this.#own, child))
        fault('extent.checksum', `has an extent block with a wrong checksum: ${block}`);
    }
    // Its first entry starts where the index says; an empty leaf may be left by a removal.
    if (get16(child, abi.EH_ENTRIES) > 0 && get32(child, abi.EH_SIZE) !== file)
      fault(
        'extent.index',
        `has an extent index that says ${file} where its block begins with ${get32(child, abi.EH_SIZE)}`,
      );
    this.walk(child, Math.max(end, this.#next));
  }
}

class IndirectWalk {
  readonly #context: Context;
  readonly #visitor: Visitor;
  #file = 0;

  constructor(context: Context, visitor: Visitor) {
    this.#context = context;
    this.#visitor = visitor;
  }

  /** One pointer, `depth` levels above the data. */
  pointer(block: number, depth: number): void {
    const perBlock = this.#context.geometry.blockSize / 4;
    const file = this.#file;
    const covers = perBlock ** depth;
    this.#file = file + covers;
    if (block === 0) return;
    if (!this.#context.isBlock(block)) {
      this.#visitor.fault?.('map.range', `has an illegal block ${block} (logical block ${file})`, block);
      return;
    }
    if (depth === 0) {
      this.#visitor.data(file, block, 1, false);
      return;
    }
    if (!this.#visitor.node(block)) return;
    const bytes = this.#context.read(block);
    if (bytes === undefined) return;
    this.#file = file;
    for (let i = 0; i < perBlock; i++) this.pointer(get32(bytes, i * 4), depth - 1);
    this.#file = file + covers;
  }
}

/** Walk the map of an inode that has one. */
export function walkMap(context: Context, ino: number, inode: Uint8Array, visitor: Visitor): void {
  const area = blockArea(inode);
  if (flagsOf(inode) & abi.EXT4_EXTENTS_FL) {
    const walk = new ExtentWalk(context, context.ownSeed(ino, inode), visitor);
    if (walk.header(area, -1, 4)) walk.walk(area, UNBOUNDED);
    return;
  }
  const walk = new IndirectWalk(context, visitor);
  for (let i = 0; i < abi.I_BLOCK_SIZE / 4; i++)
    walk.pointer(get32(area, i * 4), Math.max(i - abi.EXT4_NDIR_BLOCKS + 1, 0));
}

/** A file's blocks by a walk that reports nothing: runs in order, at most so many blocks. */
export function runsOf(
  context: Context,
  ino: number,
  inode: Uint8Array,
): { file: number; block: number; count: number; isUnwritten: boolean }[] {
  const runs: { file: number; block: number; count: number; isUnwritten: boolean }[] = [];
  const seen = new Set<number>();
  walkMap(context, ino, inode, {
    data: (file, block, count, isUnwritten) => {
      const last = runs.at(-1);
      if (
        last !== undefined &&
        last.isUnwritten === isUnwritten &&
        last.file + last.count === file &&
        last.block + last.count === block
      )
        last.count += count;
      else runs.push({ file, block, count, isUnwritten });
    },
    node: (block) => !seen.has(block) && seen.add(block) !== undefined,
  });
  return runs;
}
