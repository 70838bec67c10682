/**
 * Which blocks are taken while a file system is made. A group's bitmap is made when the group has
 * anything besides its superblock and descriptors: of the others there may be very many.
 */
import type { Bytes } from '../bytes.ts';
import { putBit, testBit } from '../bits.ts';
import type { Geometry } from '../volume.ts';
import { MkfsError } from './options.ts';

export class Space {
  readonly #geometry: Geometry;
  readonly #bitmaps = new Map<number, Bytes>();
  readonly #taken: Uint32Array;
  /** Blocks taken in a group when it had its own head and tables alone. */
  readonly #settled = new Map<number, number>();

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    this.#taken = Uint32Array.from({ length: geometry.groups }, (_, group) =>
      Math.min(geometry.headBlocks(group), geometry.groupBlocks(group)),
    );
  }

  /** What a group holds by now is its own tables, which anybody can tell without a bitmap. */
  settle(group: number): void {
    this.#settled.set(group, this.#taken[group]);
  }

  /** Something is there that a group without a bitmap on the disk cannot have. */
  isTouched(group: number): boolean {
    const settled = this.#settled.get(group);
    return settled === undefined ? this.#bitmaps.has(group) : settled !== this.#taken[group];
  }

  free(group: number): number {
    return this.#geometry.groupBlocks(group) - this.#taken[group];
  }

  /** The group's bitmap as it is to be on the disk: bits beyond its blocks are set. */
  bitmap(group: number): Bytes {
    return this.#bitmaps.get(group) ?? this.#fresh(group);
  }

  #fresh(group: number): Bytes {
    const geometry = this.#geometry;
    const bitmap = new Uint8Array(geometry.blockSize);
    for (let i = 0; i < geometry.headBlocks(group); i++) putBit(bitmap, i);
    for (let i = geometry.groupBlocks(group); i < geometry.blockSize * 8; i++) putBit(bitmap, i);
    return bitmap;
  }

  isFree(block: number): boolean {
    const group = this.#geometry.groupOf(block);
    const at = block - this.#geometry.groupFirst(group);
    const bitmap = this.#bitmaps.get(group);
    return bitmap ? !testBit(bitmap, at) : at >= this.#geometry.headBlocks(group);
  }

  take(first: number, count = 1): void {
    for (let block = first; block < first + count; block++) {
      const group = this.#geometry.groupOf(block);
      let bitmap = this.#bitmaps.get(group);
      if (bitmap === undefined) {
        bitmap = this.#fresh(group);
        this.#bitmaps.set(group, bitmap);
      }
      putBit(bitmap, block - this.#geometry.groupFirst(group));
      this.#taken[group]++;
    }
  }

  /** The first of `count` free blocks in a row in [from, to), or -1. */
  find(count: number, from: number, to: number): number {
    let start = from;
    let length = 0;
    for (let block = from; block < to; block++) {
      if (!this.isFree(block)) {
        length = 0;
        start = block + 1;
      } else if (++length === count) return start;
    }
    return -1;
  }

  /** Take a run: from a goal on, else from the start on. @throws MkfsError when there is none */
  takeRun(count: number, goal: number, end = this.#geometry.blocksCount): number {
    const { firstDataBlock, blocksCount } = this.#geometry;
    let first = this.find(count, goal, end);
    if (first < 0) first = this.find(count, firstDataBlock, blocksCount);
    if (first < 0) throw new MkfsError('the device is too small');
    this.take(first, count);
    return first;
  }

  /** Take blocks wherever they are free, from a goal on and then from the start. @throws MkfsError */
  takeMany(count: number, goal: number): { first: number; count: number }[] {
    const { firstDataBlock, blocksCount } = this.#geometry;
    const runs: { first: number; count: number }[] = [];
    let left = count;
    for (const [from, to] of [
      [goal, blocksCount],
      [firstDataBlock, goal],
    ]) {
      for (let block = from; block < to && left > 0; block++) {
        if (!this.isFree(block)) continue;
        const last = runs.at(-1);
        if (last !== undefined && last.first + last.count === block) last.count++;
        else runs.push({ first: block, count: 1 });
        left--;
      }
    }
    if (left > 0) throw new MkfsError('the device is too small');
    for (const run of runs) this.take(run.first, run.count);
    return runs;
  }
}
