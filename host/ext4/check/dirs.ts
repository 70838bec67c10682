/** Pass 2: what directories say: entries, names, types, checksums. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { get16, get32 } from '../bytes.ts';
import { leafChecksum } from '../checksums.ts';
import { blockArea, flagsOf, sizeOf } from '../inode.ts';
import { type Context, KIND_BAD, KIND_FREE } from './context.ts';
import { type HashRange, type Tree, readTree } from './htree.ts';
import { runsOf } from './map.ts';
import { inlineRest } from './xattr.ts';
import { nameHash } from '../hash.ts';

const DOT = '.'.charCodeAt(0);
const SLASH = '/'.charCodeAt(0);

interface Entry {
  readonly ino: number;
  readonly length: number;
  readonly nameLength: number;
  readonly type: number;
  /** Where in its block. */
  readonly at: number;
}

function isDots(bytes: Uint8Array, { at, nameLength }: Entry, count: number): boolean {
  if (nameLength !== count) return false;
  for (let i = 0; i < count; i++) if (bytes[at + abi.DE_NAME + i] !== DOT) return false;
  return true;
}

class DirectoryCheck {
  readonly #context: Context;
  readonly #ino: number;
  readonly #inode: Uint8Array;
  readonly #own: number;
  #tree: Tree | undefined;

  constructor(context: Context, ino: number, inode: Uint8Array) {
    this.#context = context;
    this.#ino = ino;
    this.#inode = inode;
    this.#own = context.ownSeed(ino, inode);
  }

  #find(rule: string, message: string, block?: number, fixable = false): void {
    this.#context.find(rule, `Directory inode ${this.#ino}${message}`, { inode: this.#ino, block, fixable });
  }

  run(): void {
    if (flagsOf(this.#inode) & abi.EXT4_INLINE_DATA_FL) {
      this.#inline();
      return;
    }
    const { geometry } = this.#context;
    const count = Math.ceil(sizeOf(this.#inode) / geometry.blockSize);
    const runs = runsOf(this.#context, this.#ino, this.#inode);
    if (flagsOf(this.#inode) & abi.EXT4_INDEX_FL && this.#context.sb.compat(abi.COMPAT_DIR_INDEX))
      this.#tree = readTree(this.#context, this.#ino, this.#own, runs, count);
    let next = 0;
    for (const run of runs) {
      if (run.file > next && run.file <= count) this.#find('dir.hole', ` has a hole at block ${next}`);
      for (let i = 0; i < run.count; i++) {
        this.#context.onBlock();
        this.#block(run.file + i, run.block + i);
      }
      next = run.file + run.count;
    }
    if (next < count) this.#find('dir.hole', ` has a hole at block ${next}`);
    this.#tree?.unreferenced((file) =>
      this.#find('htree.unreferenced', `: block ${file} is not in the tree`),
    );
  }

  #block(file: number, block: number): void {
    const bytes = this.#context.read(block, { inode: this.#ino });
    if (bytes === undefined) return;
    const isNode = this.#tree?.nodes.has(file) ?? false;
    let end = bytes.length;
    if (this.#context.sb.hasMetadataCsum && !isNode) {
      if (this.#hasTail(bytes)) {
        end -= abi.DE_TAIL_SIZE;
        if (get32(bytes, end + abi.DE_TAIL_CSUM) !== leafChecksum(this.#own, bytes))
          this.#find('dir.checksum', `: block ${file} has a wrong checksum`, block);
      } else this.#find('dir.tail', `: block ${file} has no room for its checksum`, block);
    }
    this.#entries(bytes, 0, end, file, block, this.#tree?.leaves.get(file));
  }

  #hasTail(bytes: Uint8Array): boolean {
    const at = bytes.length - abi.DE_TAIL_SIZE;
    return (
      get32(bytes, at) === 0 &&
      get16(bytes, at + abi.DE_REC_LEN) === abi.DE_TAIL_SIZE &&
      bytes[at + abi.DE_NAME_LEN] === 0 &&
      bytes[at + abi.DE_FILE_TYPE] === abi.DE_TAIL_FT
    );
  }

  #inline(): void {
    const area = blockArea(this.#inode);
    this.#link(this.#ino);
    this.#dotdot(get32(area, 0));
    this.#entries(area, 4, area.length, -1, undefined, undefined);
    const rest = inlineRest(this.#inode);
    if (rest !== undefined && rest.length > 0) this.#entries(rest, 0, rest.length, -1, undefined, undefined);
  }

  #entryAt(bytes: Uint8Array, at: number, end: number): Entry | undefined {
    if (at + abi.DE_NAME > end) return undefined;
    const raw = get16(bytes, at + abi.DE_REC_LEN);
    const isWhole = bytes.length === 0x10000 && (raw === 0xffff || raw === 0);
    const length = isWhole ? 0x10000 : raw;
    const nameLength = bytes[at + abi.DE_NAME_LEN];
    if (length < 12 || length % 4 !== 0 || at + length > end || nameLength + abi.DE_NAME > length)
      return undefined;
    return { ino: get32(bytes, at), length, nameLength, type: bytes[at + abi.DE_FILE_TYPE], at };
  }

  #entries(
    bytes: Uint8Array,
    start: number,
    end: number,
    file: number,
    block: number | undefined,
    range: HashRange | undefined,
  ): void {
    const names = new Set<string>();
    let nth = 0;
    for (let at = start; at < end; nth++) {
      const entry = this.#entryAt(bytes, at, end);
      if (entry === undefined) {
        this.#find('dir.entry', `: block ${file}, offset ${at}: directory corrupted`, block);
        return;
      }
      at += entry.length;
      if (file === 0 && nth < 2) this.#dots(bytes, entry, nth, block);
      else if (entry.ino !== 0) this.#entry(bytes, entry, block, names, range);
    }
    if (file === 0 && nth < 2) this.#find('dir.dots', ' has no ".." entry', block);
  }

  /** "." and "..", the first two entries. */
  #dots(bytes: Uint8Array, entry: Entry, nth: number, block: number | undefined): void {
    const name = '.'.repeat(nth + 1);
    if (entry.ino === 0 || !isDots(bytes, entry, nth + 1)) {
      this.#find('dir.dots', `: the entry that should be "${name}" is another`, block);
      return;
    }
    if (bytes[entry.at + abi.DE_NAME + nth + 1] !== 0)
      this.#find('dir.dots', `: "${name}" does not end with a NUL`, block, true);
    if (nth === 0) {
      if (entry.ino !== this.#ino) this.#find('dir.dot', `: "." is inode ${entry.ino}`, block);
      if (entry.length > 12) this.#find('dir.dots', ': "." is too long an entry', block, true);
      this.#link(this.#ino);
    } else this.#dotdot(entry.ino);
    this.#type(entry, abi.FT_DIR, block);
  }

  #dotdot(ino: number): void {
    if (!this.#context.isNameable(ino)) {
      this.#find('dir.dotdot', `: ".." is inode ${ino}`);
      return;
    }
    this.#context.dotdot[this.#ino] = ino;
    this.#link(ino);
  }

  #link(ino: number): void {
    this.#context.counted[ino]++;
  }

  #type(entry: Entry, kind: number, block: number | undefined): void {
    const wanted = this.#context.sb.incompat(abi.INCOMPAT_FILETYPE) ? kind : 0;
    if (entry.type !== wanted)
      this.#find(
        'dir.filetype',
        `: an entry for inode ${entry.ino} has file type ${entry.type}, should be ${wanted}`,
        block,
        true,
      );
  }

  #entry(
    bytes: Uint8Array,
    entry: Entry,
    block: number | undefined,
    names: Set<string>,
    range: HashRange | undefined,
  ): void {
    const context = this.#context;
    const { ino } = entry;
    const bad = (rule: string, what: string, fixable = false) =>
      this.#find(rule, `: an entry for inode ${ino} ${what}`, block, fixable);
    const name = bytes.subarray(entry.at + abi.DE_NAME, entry.at + abi.DE_NAME + entry.nameLength);
    if (!context.isNameable(ino)) {
      bad('dir.inode', 'cannot be');
      return;
    }
    const kind = context.kind[ino];
    if (kind === KIND_FREE) {
      bad('dir.unused', 'is for one that is not in use');
      return;
    }
    if (isDots(bytes, entry, 1) || isDots(bytes, entry, 2)) {
      bad('dir.dots', 'is "." or ".." again');
      return;
    }
    if (name.length === 0) {
      bad('dir.name', 'has no name');
      return;
    }
    if (name.some((byte) => byte === 0 || byte === SLASH)) bad('dir.name', 'has a name with a slash or NUL');
    if (ino === abi.EXT4_ROOT_INO) {
      bad('dir.root', 'is for the root');
      return;
    }
    this.#type(entry, kind === KIND_BAD ? 0 : kind, block);
    const key = String.fromCharCode(...name);
    if (names.has(key)) bad('dir.duplicate', 'has a name that is there already');
    names.add(key);
    this.#link(ino);
    if (kind === abi.FT_DIR) {
      if (context.parent[ino] !== 0) bad('dir.links', 'is for a directory that has a name already');
      else context.parent[ino] = this.#ino;
    }
    if (range !== undefined && this.#tree !== undefined) {
      const hash = nameHash(this.#tree.version, this.#tree.seed, name);
      if (hash !== undefined && (hash < range.min || hash > range.max))
        bad('htree.hash', 'is in the wrong block of the tree');
    }
  }
}

export function checkDirectories(context: Context): void {
  context.parent[abi.EXT4_ROOT_INO] = abi.EXT4_ROOT_INO;
  for (let ino = abi.EXT4_ROOT_INO; ino <= context.inodesCount; ino++) {
    if (context.kind[ino] !== abi.FT_DIR) continue;
    const inode = context.readInode(ino);
    if (inode !== undefined) new DirectoryCheck(context, ino, inode).run();
  }
}
