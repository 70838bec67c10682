/** Extended attributes (attributes.rst): in an inode, and in a block that inodes may share. */
import * as abi from '../../../assembly/abi/ext4.ts';
import { get16, get32 } from '../bytes.ts';
import { xattrChecksum } from '../checksums.ts';
import { xattrBlockOf } from '../inode.ts';
import type { Context } from './context.ts';

const rounded = (length: number) => (length + 3) & ~3;

/** e_hash of an entry: of its name, then of its value's words. */
function entryHash(bytes: Uint8Array, entry: number, value: number, size: number, isSigned: boolean): number {
  let hash = 0;
  for (let i = 0; i < bytes[entry + abi.XE_NAME_LEN]; i++) {
    const byte = bytes[entry + abi.XE_NAME + i];
    hash = ((hash << 5) ^ (hash >>> 27) ^ (isSigned ? (byte << 24) >> 24 : byte)) | 0;
  }
  for (let at = value; at < value + rounded(size); at += 4)
    hash = (hash << 16) ^ (hash >>> 16) ^ get32(bytes, at);
  return hash >>> 0;
}

/**
 * Check a list of entries. Values are counted from `base`; entries and values are within `end`.
 * Says what is wrong, or undefined.
 */
function entriesFault(
  context: Context,
  bytes: Uint8Array,
  first: number,
  base: number,
  end: number,
): string | undefined {
  const taken: [from: number, to: number][] = [];
  let at = first;
  for (;;) {
    if (at + 4 > end) return 'the list of entries has no end';
    if (get32(bytes, at) === 0) break;
    if (at + abi.XE_NAME > end) return 'an entry goes beyond the end';
    const length = bytes[at + abi.XE_NAME_LEN];
    const next = at + abi.XE_NAME + rounded(length);
    if (length === 0 || next > end) return 'an entry has a name of a wrong length';
    const size = get32(bytes, at + abi.XE_VALUE_SIZE);
    const inode = get32(bytes, at + abi.XE_VALUE_INUM);
    const hash = get32(bytes, at + abi.XE_HASH);
    if (inode === 0) {
      const value = base + get16(bytes, at + abi.XE_VALUE_OFFS);
      if (size > end || value + rounded(size) > end) return 'a value goes beyond the end';
      if (size > 0) taken.push([value, value + rounded(size)]);
      const isRight =
        hash === entryHash(bytes, at, value, size, false) || hash === entryHash(bytes, at, value, size, true);
      if (!isRight && (hash !== 0 || base === 0)) return 'an entry has a wrong hash';
    } else {
      if (!context.sb.incompat(abi.INCOMPAT_EA_INODE)) return 'a value is in an inode, without ea_inode';
      if (inode < context.sb.firstInode || inode > context.inodesCount)
        return 'a value is in an inode that cannot be';
      context.valueInodes.set(inode, (context.valueInodes.get(inode) ?? 0) + 1);
    }
    at = next;
  }
  taken.push([first, at + 4]);
  taken.sort((a, b) => a[0] - b[0]);
  for (let i = 1; i < taken.length; i++) if (taken[i][0] < taken[i - 1][1]) return 'values overlap';
  return undefined;
}

/** Where the attributes in an inode begin, behind their magic number; 0: there are none. */
export function inlineAttributes(inode: Uint8Array): number {
  if (inode.length <= abi.EXT4_GOOD_OLD_INODE_SIZE) return 0;
  const at = abi.EXT4_GOOD_OLD_INODE_SIZE + get16(inode, abi.I_EXTRA_ISIZE);
  return at + 4 <= inode.length && at % 4 === 0 && get32(inode, at) === abi.XATTR_MAGIC
    ? at + abi.XI_ENTRIES
    : 0;
}

export function checkInlineAttributes(context: Context, ino: number, inode: Uint8Array): void {
  const at = inlineAttributes(inode);
  if (at === 0) return;
  const fault = entriesFault(context, inode, at, at, inode.length);
  if (fault !== undefined)
    context.find('xattr.inode', `Extended attributes in inode ${ino}: ${fault}`, { inode: ino });
}

/** The value of system.data, where a file's bytes beyond i_block are inline; empty if there is none. */
export function inlineRest(inode: Uint8Array): Uint8Array | undefined {
  const first = inlineAttributes(inode);
  if (first === 0) return undefined;
  for (let at = first; at + abi.XE_NAME <= inode.length && get32(inode, at) !== 0; ) {
    const length = inode[at + abi.XE_NAME_LEN];
    const name = String.fromCharCode(...inode.subarray(at + abi.XE_NAME, at + abi.XE_NAME + length));
    if (inode[at + abi.XE_NAME_INDEX] === abi.XATTR_INDEX_SYSTEM && name === 'data') {
      const value = first + get16(inode, at + abi.XE_VALUE_OFFS);
      const size = get32(inode, at + abi.XE_VALUE_SIZE);
      return value + size <= inode.length ? inode.subarray(value, value + size) : undefined;
    }
    at += abi.XE_NAME + rounded(length);
  }
  return undefined;
}

/** Claim and check an inode's attribute block. Says how many blocks it adds to i_blocks. */
export function checkAttributeBlock(context: Context, ino: number, inode: Uint8Array): number {
  const block = xattrBlockOf(inode);
  if (block === 0) return 0;
  const place = { inode: ino, block };
  if (!context.sb.compat(abi.COMPAT_EXT_ATTR) || !context.isBlock(block)) {
    context.find('xattr.place', `Inode ${ino} has a bad extended attribute block ${block}`, place);
    return 0;
  }
  const known = context.xattrBlocks.get(block);
  if (known !== undefined) {
    known.users++;
    return known.cost;
  }
  const bytes = context.read(block, place);
  context.xattrBlocks.set(block, { refcount: bytes ? get32(bytes, abi.XH_REFCOUNT) : 0, users: 1, cost: 1 });
  context.claim(block, 1, place, 'extended attributes');
  if (bytes === undefined) return 1;
  const bad = (rule: string, what: string, fixable = false) =>
    context.find(rule, `Extended attribute block ${block} of inode ${ino}: ${what}`, { ...place, fixable });
  if (get32(bytes, abi.XH_MAGIC) !== abi.XATTR_MAGIC) bad('xattr.magic', 'no magic number');
  else if (get32(bytes, abi.XH_BLOCKS) !== 1)
    bad('xattr.blocks', `h_blocks is ${get32(bytes, abi.XH_BLOCKS)}`);
  else {
    const fault = entriesFault(context, bytes, abi.XH_SIZE, 0, bytes.length);
    if (fault !== undefined) bad('xattr.block', fault);
  }
  if (
    context.sb.hasMetadataCsum &&
    get32(bytes, abi.XH_CHECKSUM) !== xattrChecksum(context.seed, block, bytes)
  )
    bad('xattr.checksum', 'wrong checksum', true);
  return 1;
}

/** Reference counts, once all inodes were seen. */
export function checkAttributeCounts(context: Context): void {
  for (const [block, { refcount, users }] of context.xattrBlocks) {
    if (refcount === users) continue;
    context.find(
      'xattr.refcount',
      `Extended attribute block ${block} has reference count ${refcount}, should be ${users}`,
      {
        block,
        fixable: true,
      },
    );
  }
}
