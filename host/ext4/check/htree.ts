/** The hash tree of a directory (directory.rst): its nodes, and what each leaf may hold. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { type Bytes, get16, get32 } from '../bytes.ts';
import { indexChecksum } from '../checksums.ts';
import type { Context } from './context.ts';

/** Hashes that a leaf's names may have, both ends included. */
export interface HashRange {
  readonly min: number;
  readonly max: number;
}

type Runs = readonly { file: number; block: number; count: number }[];

const LARGEST = 0xfffffffe;
const BLOCK_MASK = 0x0fffffff;
const INFO_LENGTH = 8;
const FLAG_INCOMPAT = 1;

export class Tree {
  /** Blocks of the directory that are nodes of the tree. */
  readonly nodes = new Set<number>([0]);
  readonly leaves = new Map<number, HashRange>();
  /** DX_HASH_*, of the unsigned kind where the superblock says so. */
  version = 0;
  readonly seed: Bytes;
  readonly #context: Context;
  readonly #ino: number;
  readonly #own: number;
  readonly #runs: Runs;
  readonly #count: number;

  constructor(context: Context, ino: number, own: number, runs: Runs, count: number) {
    this.#context = context;
    this.#ino = ino;
    this.#own = own;
    this.#runs = runs;
    this.#count = count;
    this.seed = context.sb.bytes.slice(abi.SB_HASH_SEED, abi.SB_HASH_SEED + 16);
  }

  #bad(rule: string, message: string, block?: number): false {
    this.#context.find(rule, `HTREE directory inode ${this.#ino} ${message}`, {
      inode: this.#ino,
      block,
      fixable: true,
    });
    return false;
  }

  #read(file: number): Bytes | undefined {
    const run = this.#runs.find((one) => one.file <= file && file < one.file + one.count);
    return run && this.#context.read(run.block + file - run.file, { inode: this.#ino });
  }

  readRoot(): boolean {
    const bytes = this.#read(0);
    if (bytes === undefined) return this.#bad('htree.root', 'has no root');
    const version = bytes[abi.DX_ROOT_HASH_VERSION];
    const levels = bytes[abi.DX_ROOT_INDIRECT_LEVELS];
    const most = this.#context.sb.incompat(abi.INCOMPAT_LARGEDIR) ? 2 : 1;
    if (get32(bytes, abi.DX_ROOT_INFO) !== 0 || bytes[abi.DX_ROOT_INFO_LENGTH] !== INFO_LENGTH)
      return this.#bad('htree.root', 'has an invalid root');
    if (version > abi.DX_HASH_TEA)
      return this.#bad('htree.version', `has an unknown hash version ${version}`);
    if (bytes[abi.DX_ROOT_UNUSED_FLAGS] & FLAG_INCOMPAT) return this.#bad('htree.flags', 'has unknown flags');
    if (levels > most) return this.#bad('htree.depth', `is ${levels + 1} levels deep`);
    const isUnsigned = (this.#context.sb.u32(abi.SB_FLAGS) & abi.EXT4_FLAGS_UNSIGNED_HASH) !== 0;
    this.version = version + (isUnsigned ? abi.DX_HASH_LEGACY_UNSIGNED : 0);
    return this.#node(bytes, 0, abi.DX_ROOT_ENTRIES, levels, { min: 0, max: LARGEST });
  }

  #node(bytes: Bytes, file: number, entries: number, levels: number, range: HashRange): boolean {
    const limit = get16(bytes, entries + abi.DX_LIMIT);
    const count = get16(bytes, entries + abi.DX_COUNT);
    const hasTail = this.#context.sb.hasMetadataCsum;
    const room = Math.floor((bytes.length - entries - (hasTail ? abi.DX_TAIL_SIZE : 0)) / abi.DX_ENTRY_SIZE);
    if (limit !== room)
      return this.#bad('htree.limit', `has room for ${limit} entries in block ${file}, should be ${room}`);
    if (count === 0 || count > limit)
      return this.#bad('htree.count', `has ${count} entries in block ${file}`);
    if (hasTail) {
      const tail = entries + limit * abi.DX_ENTRY_SIZE;
      if (get32(bytes, tail + abi.DX_TAIL_CSUM) !== indexChecksum(this.#own, bytes, entries, limit, count))
        this.#bad('htree.checksum', `has a wrong checksum in block ${file}`);
    }
    let before = range.min;
    let isSound = true;
    for (let i = 0; i < count; i++) {
      const at = entries + i * abi.DX_ENTRY_SIZE;
      const hash = i === 0 ? range.min : get32(bytes, at + abi.DX_HASH);
      const next =
        i + 1 < count ? (get32(bytes, at + abi.DX_ENTRY_SIZE + abi.DX_HASH) & ~1) >>> 0 : range.max;
      const child = get32(bytes, at + abi.DX_BLOCK) & BLOCK_MASK;
      if (hash < before) isSound = this.#bad('htree.order', `has hashes out of order in block ${file}`);
      before = hash;
      if (child === 0 || child >= this.#count) {
        isSound = this.#bad('htree.block', `leads to block ${child} of ${this.#count}`);
        continue;
      }
      if (!this.#child(child, levels, { min: (hash & ~1) >>> 0, max: next })) isSound = false;
    }
    return isSound;
  }

  #child(file: number, levels: number, range: HashRange): boolean {
    if (this.nodes.has(file) || this.leaves.has(file))
      return this.#bad('htree.twice', `leads to block ${file} twice`);
    if (levels === 0) {
      this.leaves.set(file, range);
      return true;
    }
    const bytes = this.#read(file);
    if (bytes === undefined) return this.#bad('htree.block', `leads to block ${file}, a hole`);
    // a node looks like a block with one empty entry to who knows no trees
    if (get32(bytes, 0) !== 0 || get16(bytes, abi.DE_REC_LEN) !== (bytes.length & 0xffff))
      return this.#bad('htree.node', `has no node in block ${file}`);
    this.nodes.add(file);
    return this.#node(bytes, file, abi.DX_NODE_ENTRIES, levels - 1, range);
  }

  unreferenced(tell: (file: number) => void): void {
    for (const run of this.#runs) {
      for (let file = run.file; file < run.file + run.count && file < this.#count; file++)
        if (!this.nodes.has(file) && !this.leaves.has(file)) tell(file);
    }
  }
}

/** The tree of an indexed directory; undefined if it is none, which was reported. */
export function readTree(
  context: Context,
  ino: number,
  own: number,
  runs: Runs,
  count: number,
): Tree | undefined {
  const tree = new Tree(context, ino, own, runs, count);
  return tree.readRoot() ? tree : undefined;
}
