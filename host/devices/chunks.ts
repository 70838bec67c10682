/**
 * What a sparse disk keeps: chunks of bytes by number, in a tree that copies share.
 *
 * A node or chunk names its owner. Only the table that owns it may change it; any other copies it
 * first, and the nodes above it with it. `share` makes a copy by giving both sides a new owner, so
 * that neither owns anything that was there: it costs nothing then, and later by what is changed.
 *
 * C1. A tree that was shared never changes again. It is plain data, so that it can cross to another
 *     thread; there its owners are others, which is right.
 * C2. A chunk that is not there reads as zeros (a memory disk), or as what lies below (an overlay).
 * C3. Chunks that a table owns alone when it is cleared serve the next: memory that was touched before is
 *     many times as quick, and disks come and go by the thousand where crash states are checked.
 */

/** Children for a node, bytes for a chunk; the other is empty. */
interface TreeNode {
  owner: object;
  readonly slots: (TreeNode | undefined)[];
  readonly bytes: Uint8Array;
}

/** A tree as data. Read it through {@link Chunks}. */
export interface ChunkTree {
  readonly chunkBytes: number;
  /** Levels of nodes above the chunks. */
  readonly levels: number;
  /** Chunks there are. */
  readonly count: number;
  readonly root: TreeNode | undefined;
}

const BITS = 8;
const FAN_OUT = 1 << BITS;
const MAX_CHUNKS = 2 ** 32;
const NO_SLOTS: TreeNode[] = [];
const NO_BYTES = new Uint8Array(0);

/** All chunks of zeros that are written down are this one, for each length. */
const zeros = new Map<number, Uint8Array>();

export function zeroChunk(lenBytes: number): Uint8Array {
  let bytes = zeros.get(lenBytes);
  if (bytes === undefined) {
    bytes = new Uint8Array(lenBytes);
    zeros.set(lenBytes, bytes);
  }
  return bytes;
}

/** Bytes of chunks of one size that are kept for the next table. */
const SPARE_BYTES = 4 << 20;
/** Chunks that nobody has, by length. What they hold is anything. */
const spares = new Map<number, Uint8Array[]>();

/** Copy a part of `from`. Whole arrays are given as they are: a view of them costs more. */
export function copyBytes(from: Uint8Array, start: number, into: Uint8Array, at: number, len: number): void {
  into.set(start === 0 && len === from.length ? from : from.subarray(start, start + len), at);
}

/** Are these bytes all zeros? Quick when they are not. */
export function allZeros(bytes: Uint8Array, at: number, len: number): boolean {
  for (let i = at; i < at + len; i++) if (bytes[i] !== 0) return false;
  return true;
}

export class Chunks {
  readonly chunkBytes: number;
  readonly #levels: number;
  #root: TreeNode | undefined;
  #count = 0;
  #owner = {};

  /** A table for this many bytes, empty. @throws RangeError when that is too many chunks */
  constructor(sizeBytes: number, chunkBytes: number) {
    const chunks = Math.ceil(sizeBytes / chunkBytes);
    if (chunks > MAX_CHUNKS) throw new RangeError(`a sparse disk has at most 2^32 chunks, not ${chunks}`);
    this.chunkBytes = chunkBytes;
    let levels = 1;
    while (FAN_OUT ** levels < chunks) levels++;
    this.#levels = levels;
  }

  /** A table that starts as a tree that was shared. */
  static of(sizeBytes: number, tree: ChunkTree): Chunks {
    const chunks = new Chunks(sizeBytes, tree.chunkBytes);
    if (chunks.#levels !== tree.levels) throw new RangeError('a tree of chunks for a disk of another size');
    chunks.#root = tree.root;
    chunks.#count = tree.count;
    return chunks;
  }

  /** How many chunks there are. */
  get count(): number {
    return this.#count;
  }

  /** The chunk's bytes, not to be changed; undefined where there is none. */
  get(index: number): Uint8Array | undefined {
    let node = this.#root;
    for (let shift = (this.#levels - 1) * BITS; node !== undefined && shift >= 0; shift -= BITS) {
      node = node.slots[(index >>> shift) & (FAN_OUT - 1)];
    }
    return node?.bytes;
  }

  /** The chunk's bytes, to be changed: those there are, or else a copy of `otherwise`, or else zeros. */
  own(index: number, otherwise?: Uint8Array): Uint8Array {
    const parent = this.#parent(index);
    const slot = index & (FAN_OUT - 1);
    const chunk = parent.slots[slot];
    if (chunk !== undefined && chunk.owner === this.#owner) return chunk.bytes;
    const source = chunk?.bytes ?? otherwise;
    const bytes = source === undefined ? this.#zeros() : this.#take();
    if (source !== undefined) bytes.set(source);
    if (chunk === undefined) this.#count++;
    parent.slots[slot] = { owner: this.#owner, slots: NO_SLOTS, bytes };
    return bytes;
  }

  /** The chunk's bytes, all of them to be written now: what they are till then is anything. */
  fresh(index: number): Uint8Array {
    const parent = this.#parent(index);
    const slot = index & (FAN_OUT - 1);
    const chunk = parent.slots[slot];
    if (chunk !== undefined && chunk.owner === this.#owner) return chunk.bytes;
    if (chunk === undefined) this.#count++;
    const bytes = this.#take();
    parent.slots[slot] = { owner: this.#owner, slots: NO_SLOTS, bytes };
    return bytes;
  }

  /** Put bytes in a chunk's place, that nobody changes any more. */
  put(index: number, bytes: Uint8Array): void {
    const parent = this.#parent(index);
    const slot = index & (FAN_OUT - 1);
    if (parent.slots[slot] === undefined) this.#count++;
    parent.slots[slot] = { owner: bytes, slots: NO_SLOTS, bytes };
  }

  drop(index: number): void {
    if (this.get(index) === undefined) return;
    this.#parent(index).slots[index & (FAN_OUT - 1)] = undefined;
    this.#count--;
  }

  /** Drop all chunks from `first` to before `end`: costs by those there are. */
  dropRange(first: number, end: number): void {
    let index = this.#next(first);
    while (index < end) {
      this.drop(index);
      index = this.#next(index + 1);
    }
  }

  /** The first chunk there is from `index` on; Infinity where there is none. */
  #next(index: number): number {
    let at = index;
    for (;;) {
      let node = this.#root;
      let shift = (this.#levels - 1) * BITS;
      for (; node !== undefined && shift >= 0; shift -= BITS) {
        node = node.slots[Math.floor(at / 2 ** shift) % FAN_OUT];
      }
      if (node !== undefined) return at;
      // On to what stands beside the subtree that is not there.
      const span = 2 ** (shift + BITS);
      at = (Math.floor(at / span) + 1) * span;
      if (this.#root === undefined || at >= FAN_OUT ** this.#levels) return Number.POSITIVE_INFINITY;
    }
  }

  /** Drop all. */
  clear(): void {
    const spare = spares.get(this.chunkBytes) ?? [];
    spares.set(this.chunkBytes, spare);
    this.#giveBack(this.#root, spare);
    this.#root = undefined;
    this.#count = 0;
  }

  /** Keep the chunks that are this table's alone. What it does not own leads to none that it owns. */
  #giveBack(root: TreeNode | undefined, spare: Uint8Array[]): void {
    const most = SPARE_BYTES / this.chunkBytes;
    const nodes = [root];
    for (let node = nodes.pop(); node !== undefined && spare.length < most; node = nodes.pop()) {
      if (node.owner !== this.#owner) continue;
      if (node.slots === NO_SLOTS) spare.push(node.bytes);
      else for (const child of node.slots) if (child !== undefined) nodes.push(child);
    }
  }

  /** Bytes for a chunk; what they hold is anything. */
  #take(): Uint8Array {
    return spares.get(this.chunkBytes)?.pop() ?? new Uint8Array(this.chunkBytes);
  }

  #zeros(): Uint8Array {
    return spares.get(this.chunkBytes)?.pop()?.fill(0) ?? new Uint8Array(this.chunkBytes);
  }

  /** The tree as it is now. Nothing that is done to this table later reaches it. */
  share(): ChunkTree {
    this.#owner = {};
    return { chunkBytes: this.chunkBytes, levels: this.#levels, count: this.#count, root: this.#root };
  }

  /** [number, bytes] of each chunk, in order. */
  *entries(): Generator<[number, Uint8Array]> {
    if (this.#root === undefined) return;
    const path: { node: TreeNode; slot: number }[] = [{ node: this.#root, slot: 0 }];
    while (path.length > 0) {
      const top = path[path.length - 1];
      if (top.slot === FAN_OUT) {
        path.pop();
        continue;
      }
      const child = top.node.slots[top.slot++];
      if (child === undefined) continue;
      if (path.length < this.#levels) path.push({ node: child, slot: 0 });
      else yield [path.reduce((index, { slot }) => index * FAN_OUT + slot - 1, 0), child.bytes];
    }
  }

  /** The node right above a chunk, this table's own. */
  #parent(index: number): TreeNode {
    const root = this.#owned(this.#root);
    this.#root = root;
    let node = root;
    for (let shift = (this.#levels - 1) * BITS; shift > 0; shift -= BITS) {
      const slot = (index >>> shift) & (FAN_OUT - 1);
      const child = this.#owned(node.slots[slot]);
      node.slots[slot] = child;
      node = child;
    }
    return node;
  }

  #owned(node: TreeNode | undefined): TreeNode {
    if (node?.owner === this.#owner) return node;
    const slots = node === undefined ? new Array<TreeNode | undefined>(FAN_OUT) : node.slots.slice();
    return { owner: this.#owner, slots, bytes: NO_BYTES };
  }
}
