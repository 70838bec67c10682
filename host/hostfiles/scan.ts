/** Walking a tree, on the host or in the machine, and measuring it. */
import type { BigIntStats } from 'node:fs';
import { PAGE_SIZE, RAM_MAX_BYTES, WASM_PAGE_SIZE } from '../../assembly/abi/layout.ts';
import {
  type Entry,
  entryOf,
  isDirectory,
  isRegular,
  isSymlink,
  joinBytes,
  type Problem,
  reasonOf,
  shown,
} from './entry.ts';

/** The part of node:fs that a walk needs: the host's own, or a machine's. */
export interface WalkFs {
  lstatSync(path: Buffer, options: { bigint: true }): BigIntStats;
  readdirSync(path: Buffer, options: { encoding: 'buffer' }): Buffer[];
  statfsSync(path: Buffer): { type: number };
}

/** btrfs, ZFS, bcachefs, squashfs, erofs: few blocks may mean packed data there, and not holes. */
const COMPRESSING = new Set([0x9123683e, 0x2fc12fc1, 0xca451a4e, 0x73717368, 0xe0f5e1e2]);

export interface Totals {
  files: number;
  directories: number;
  symlinks: number;
  /** Fifos, sockets and device nodes. */
  specials: number;
  /** Names beyond the first of files with several; they are counted as files too. */
  links: number;
  /** Sizes of the files, each file once. */
  bytes: number;
  /** Bytes of memory that their data takes in pages, holes left out, each file once. */
  pageBytes: number;
}

export interface Tree {
  readonly root: Buffer;
  /** Every directory before what is in it, names in byte order. */
  readonly entries: Entry[];
  readonly totals: Totals;
  readonly problems: Problem[];
  /** What was left out. */
  readonly without: readonly string[];
}

export interface ScanOptions {
  /** Absolute paths of files to leave out, and of those beside them that have more behind the name: the images
   *  of disks in use, and their locks. */
  without?: readonly string[];
}

/** Work this long at a stretch, so that progress can be drawn and signals are heard. */
const SLICE_MS = 30;

/**
 * All of a tree, or the one file that `root` names.
 * @throws the error of lstat on the root; what cannot be read further down becomes a problem.
 */
export async function scanTree(fs: WalkFs, root: Buffer, { without = [] }: ScanOptions = {}): Promise<Tree> {
  const tree: Tree = { root, entries: [], totals: emptyTotals(), problems: [], without };
  const seen = new Set<string>();
  const realBlocks = !COMPRESSING.has(fs.statfsSync(root).type);
  const pending: Buffer[] = [];
  const add = (path: Buffer, stat: BigIntStats): void => {
    const entry = entryOf(path, stat);
    tree.entries.push(entry);
    count(tree.totals, entry, seen, realBlocks);
    if (isDirectory(entry)) pending.push(path);
  };
  const NONE = Buffer.alloc(0);
  add(NONE, fs.lstatSync(root, { bigint: true }));
  let sliceEnd = performance.now() + SLICE_MS;
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    if (performance.now() > sliceEnd) {
      await new Promise(setImmediate);
      sliceEnd = performance.now() + SLICE_MS;
    }
    const before = pending.length;
    scanDirectory(fs, tree, dir, add);
    // The stack gives the last first.
    const children = pending.splice(before).reverse();
    for (const child of children) pending.push(child);
  }
  return tree;
}

function scanDirectory(
  fs: WalkFs,
  tree: Tree,
  dir: Buffer,
  add: (path: Buffer, stat: BigIntStats) => void,
): void {
  let names: Buffer[];
  try {
    names = fs.readdirSync(joinBytes(tree.root, dir), { encoding: 'buffer' });
  } catch (error) {
    tree.problems.push({ path: shown(dir), reason: reasonOf(error) });
    return;
  }
  for (const name of names.sort(Buffer.compare)) {
    const path = joinBytes(dir, name);
    if (tree.without.length > 0 && isLeftOut(tree, path)) continue;
    try {
      add(path, fs.lstatSync(joinBytes(tree.root, path), { bigint: true }));
    } catch (error) {
      tree.problems.push({ path: shown(path), reason: reasonOf(error) });
    }
  }
}

function isLeftOut({ root, without }: Tree, path: Buffer): boolean {
  const at = joinBytes(root, path).toString('utf8');
  return without.some((file) => at.startsWith(file));
}

function emptyTotals(): Totals {
  return { files: 0, directories: 0, symlinks: 0, specials: 0, links: 0, bytes: 0, pageBytes: 0 };
}

function count(totals: Totals, entry: Entry, seen: Set<string>, realBlocks: boolean): void {
  if (isDirectory(entry)) {
    totals.directories++;
    return;
  }
  if (entry.nlink > 1) {
    if (seen.has(entry.identity)) {
      totals.links++;
      if (isRegular(entry)) totals.files++;
      return;
    }
    seen.add(entry.identity);
  }
  if (isRegular(entry)) {
    totals.files++;
    totals.bytes += entry.size;
    totals.pageBytes += pagesOf(
      realBlocks ? Math.min(entry.size, Math.max(entry.allocated, PAGE_SIZE)) : entry.size,
    );
  } else if (isSymlink(entry)) {
    totals.symlinks++;
    totals.pageBytes += pagesOf(entry.size);
  } else totals.specials++;
}

/** Has the file fewer blocks than its size takes, so that holes are worth looking for? */
export function isSparse({ size, allocated }: Entry): boolean {
  return allocated < size;
}

function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
}

/** Kernel memory for one name: inode, directory entry, page index, and its cached vnode and name. */
const ENTRY_BYTES = 3072;
/** The kernel itself, caches, and room to work in. */
const BASE_BYTES = 24 * 2 ** 20;
/** A VmPage for each frame, and the frames kept back for removing things. */
const FRAME_OVERHEAD = 1 / 64;
const ROUND_BYTES = 16 * 2 ** 20;

/** RAM, in bytes, of a machine that holds these trees and has `spare` bytes left to work with. */
export function ramFor(trees: readonly Pick<Tree, 'entries' | 'totals'>[], spare = 0): number {
  let bytes = BASE_BYTES + spare;
  for (const { entries, totals } of trees)
    bytes += totals.pageBytes * (1 + 1 / 512) + entries.length * ENTRY_BYTES;
  const rounded = Math.ceil((bytes * (1 + FRAME_OVERHEAD)) / ROUND_BYTES) * ROUND_BYTES;
  // The largest machine is a wasm page short of a round number.
  return rounded === RAM_MAX_BYTES + WASM_PAGE_SIZE ? RAM_MAX_BYTES : rounded;
}
