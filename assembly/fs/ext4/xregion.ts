/**
 * ext4: a region of extended attributes (attributes.rst): the rest of an inode, or a block behind its
 * header.
 *
 *     ├ entry ┼ entry ┼ 4 zeros ┤      room      ├ value ┼ value ┤
 *     first                                                     end
 *
 * A value's offset counts from `base`: the first entry in an inode, the block's start in a block.
 * regionOk is called on every region before any other function here sees it.
 */
import { XATTR_SIZE_MAX } from '../../abi/flags';
import { XE_HASH, XE_NAME, XE_NAME_INDEX, XE_NAME_LEN, XE_VALUE_INUM, XE_VALUE_OFFS, XE_VALUE_SIZE } from '../../abi/ext4';
import { scratchFs, SCRATCH_FS_SIZE } from '../../vfs/scratch';

/** An attribute as an operation names it. */
@unmanaged
export class Xname {
  xn_index: u32; // XATTR_INDEX_*
  xn_name: u32; //  the name behind the prefix
  xn_len: u32;
  xn_value: u32; // address of the value; setting only
  xn_size: u32;
  xn_pad: u32;
}

/** Where a region is. */
@unmanaged
export class Xregion {
  xr_base: u32;
  xr_first: u32;
  xr_end: u32;
  xr_buf: u32; // the buffer it is in, held; 0: there is no such region
}

const AT_REGIONS: usize = offsetof<Xname>();
if (AT_REGIONS + 2 * offsetof<Xregion>() > SCRATCH_FS_SIZE) ERROR('Xregion: scratch');

/** The operation's attribute. */
// @ts-ignore: decorator
@inline
export function xname(): Xname {
  return changetype<Xname>(scratchFs());
}

/** Region 0: the inode's; 1: the block's. */
// @ts-ignore: decorator
@inline
export function xregion(i: u32): Xregion {
  return changetype<Xregion>(scratchFs() + AT_REGIONS + <usize>i * offsetof<Xregion>());
}

// @ts-ignore: decorator
@inline
export function xeNext(at: usize): usize {
  return at + ((XE_NAME + <u32>load<u8>(at + XE_NAME_LEN) + 3) & ~3);
}

/** Is there no entry at `at` any more? */
// @ts-ignore: decorator
@inline
export function xeLast(at: usize): bool {
  return load<u32>(at) == 0;
}

// @ts-ignore: decorator
@inline
export function xeValue(base: usize, at: usize): usize {
  return base + load<u16>(at + XE_VALUE_OFFS);
}

/** Are all entries and values inside the region, and the values behind the entries? */
export function regionOk(base: usize, first: usize, end: usize): bool {
  let at = first;
  while (true) {
    if (at + 4 > end) return false;
    if (xeLast(at)) break;
    if (at + XE_NAME > end || xeNext(at) + 4 > end) return false;
    at = xeNext(at);
  }
  const values = at + 4;
  for (at = first; !xeLast(at); at = xeNext(at)) {
    const size = load<u32>(at + XE_VALUE_SIZE);
    if (load<u32>(at + XE_VALUE_INUM) != 0 || size > XATTR_SIZE_MAX) return false;
    if (size == 0) continue;
    const v = xeValue(base, at);
    if (v < values || v + size > end) return false;
  }
  return true;
}

/** The entry of that index and name, or 0. */
export function regionFind(first: usize, xn: Xname): usize {
  for (let at = first; !xeLast(at); at = xeNext(at)) if (xeIs(at, xn)) return at;
  return 0;
}

function xeIs(at: usize, xn: Xname): bool {
  return (
    <u32>load<u8>(at + XE_NAME_INDEX) == xn.xn_index &&
    <u32>load<u8>(at + XE_NAME_LEN) == xn.xn_len &&
    memory.compare(at + XE_NAME, <usize>xn.xn_name, xn.xn_len) == 0
  );
}

/** Does the entry at `at` come before this name? By index, length, bytes: a block's order. */
function xeBefore(at: usize, xn: Xname): bool {
  const index = <u32>load<u8>(at + XE_NAME_INDEX);
  if (index != xn.xn_index) return index < xn.xn_index;
  const len = <u32>load<u8>(at + XE_NAME_LEN);
  if (len != xn.xn_len) return len < xn.xn_len;
  return memory.compare(at + XE_NAME, <usize>xn.xn_name, len) < 0;
}

// @ts-ignore: decorator
@inline
function entrySize(namelen: u32): u32 {
  return (XE_NAME + namelen + 3) & ~3;
}

/** Bytes that the region's entries but `skip` take, with the zeros behind them. */
function regionBytes(first: usize, skip: usize): u32 {
  let n: u32 = 4;
  for (let at = first; !xeLast(at); at = xeNext(at)) {
    if (at != skip) n += <u32>(xeNext(at) - at) + ((load<u32>(at + XE_VALUE_SIZE) + 3) & ~3);
  }
  return n;
}

/** Does the attribute fit, with all others of the region? `first` 0: the region is empty. */
export function regionFits(first: usize, skip: usize, room: u32, xn: Xname): bool {
  const others: u32 = first == 0 ? 4 : regionBytes(first, skip);
  return others + entrySize(xn.xn_len) + ((xn.xn_size + 3) & ~3) <= room;
}

/** Entries are written to xb_at, values below xb_value. */
@unmanaged
class Builder {
  xb_base: u32;
  xb_at: u32;
  xb_value: u32;
  xb_pad: u32;
}
const AT_BUILDER: usize = AT_REGIONS + 2 * offsetof<Xregion>();
if (AT_BUILDER + offsetof<Builder>() > SCRATCH_FS_SIZE) ERROR('Builder: scratch');

function put(xb: Builder, index: u32, name: usize, len: u32, value: usize, size: u32): void {
  const at = <usize>xb.xb_at;
  store<u8>(at + XE_NAME_LEN, <u8>len);
  store<u8>(at + XE_NAME_INDEX, <u8>index);
  store<u32>(at + XE_VALUE_INUM, 0);
  store<u32>(at + XE_VALUE_SIZE, size);
  memory.copy(at + XE_NAME, name, len);
  let v = <usize>xb.xb_value;
  if (size != 0) {
    v -= (size + 3) & ~3;
    memory.copy(v, value, size);
    xb.xb_value = <u32>v;
  }
  store<u16>(at + XE_VALUE_OFFS, size == 0 ? 0 : <u16>(v - <usize>xb.xb_base));
  store<u32>(at + XE_HASH, xeHash(at, v, size));
  xb.xb_at = <u32>xeNext(at);
}

/** Names and values hashed as the disk has them: value bytes behind `size` in the last word are zeros. */
function xeHash(at: usize, value: usize, size: u32): u32 {
  const len = <u32>load<u8>(at + XE_NAME_LEN);
  let h: u32 = 0;
  for (let i: u32 = 0; i < len; i++) h = rotl<u32>(h, 5) ^ <u32>load<u8>(at + XE_NAME + i);
  for (let i: u32 = 0; i < size; i += 4) h = rotl<u32>(h, 16) ^ load<u32>(value + i);
  return h;
}

/**
 * A region built anew in [to, to + room), zeroed by the caller: the entries of `first` (0: none) but
 * `skip`, and the attribute if `add`. `shift` is from its base to `to`.
 */
export function regionBuild(to: usize, shift: u32, room: u32, base: usize, first: usize, skip: usize, add: bool, xn: Xname): void {
  const xb = changetype<Builder>(scratchFs() + AT_BUILDER);
  xb.xb_base = <u32>(to - shift);
  xb.xb_at = <u32>to;
  xb.xb_value = <u32>(to + room);
  let left = add;
  if (first != 0) {
    for (let at = first; !xeLast(at); at = xeNext(at)) {
      if (at == skip) continue;
      if (left && !xeBefore(at, xn)) {
        put(xb, xn.xn_index, <usize>xn.xn_name, xn.xn_len, <usize>xn.xn_value, xn.xn_size);
        left = false;
      }
      put(xb, load<u8>(at + XE_NAME_INDEX), at + XE_NAME, load<u8>(at + XE_NAME_LEN), xeValue(base, at), load<u32>(at + XE_VALUE_SIZE));
    }
  }
  if (left) put(xb, xn.xn_index, <usize>xn.xn_name, xn.xn_len, <usize>xn.xn_value, xn.xn_size);
}

/** h_hash: over the entries' hashes; 0 if one has none. */
export function regionHash(first: usize): u32 {
  let h: u32 = 0;
  for (let at = first; !xeLast(at); at = xeNext(at)) {
    const e = load<u32>(at + XE_HASH);
    if (e == 0) return 0;
    h = rotl<u32>(h, 16) ^ e;
  }
  return h;
}
