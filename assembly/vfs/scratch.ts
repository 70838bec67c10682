/**
 * The CPU's scratch: records a call needs for its duration. Each has one owner at a time; a
 * function that uses one says so. Two CPUs never share them, and a call that blocks keeps nothing
 * here.
 */
import { CPU_PATHBUF, CPU_SCRATCH, CPU_SCRATCH_SIZE, curcpu } from '../kern/cpu';
import { Text } from '../kern/text';
import { Uio } from '../vm/uio';
import { Statfs } from './mount';
import { Nlookup } from './nlookup';
import { Place } from './place';
import { RangeLock, RANGE_MAX } from './rangelock';
import { Readdir } from './readdir';
import { Vattr } from './vattr';

const AT_RANGES: usize = CPU_SCRATCH;
const AT_NL: usize = AT_RANGES + RANGE_MAX * offsetof<RangeLock>();
const AT_UIO: usize = AT_NL + 2 * offsetof<Nlookup>();
const AT_VATTR: usize = AT_UIO + 2 * offsetof<Uio>();
const AT_STATFS: usize = AT_VATTR + 3 * offsetof<Vattr>();
const AT_READDIR: usize = AT_STATFS + offsetof<Statfs>();
const AT_TEXT: usize = AT_READDIR + offsetof<Readdir>();
const AT_PLACE: usize = AT_TEXT + ((offsetof<Text>() + 7) & ~7);
const AT_WORDS: usize = AT_PLACE + offsetof<Place>();
const AT_MAP: usize = AT_WORDS + 8 * 16;
const MAP_BYTES: usize = 224;
const AT_FS: usize = AT_MAP + MAP_BYTES;
/** What a file system may keep while one of its operations lasts, bytes. */
export const SCRATCH_FS_SIZE: usize = 416;
const AT_LOG: usize = AT_FS + SCRATCH_FS_SIZE;
/** The longest line that a file system logs, bytes. */
export const SCRATCH_LOG_SIZE: usize = 160;
const AT_END: usize = AT_LOG + SCRATCH_LOG_SIZE;

if (AT_END > CPU_SCRATCH + CPU_SCRATCH_SIZE) ERROR('CPU scratch is too small');

/** Path walks: 0 for the only or first path, 1 for the second one of link and rename. */
// @ts-ignore: decorator
@inline
export function scratchNl(i: u32): Nlookup {
  return changetype<Nlookup>(changetype<usize>(curcpu) + AT_NL + i * offsetof<Nlookup>());
}

/** Transfers: 0 for the call's own, 1 for a kernel-internal one inside it. */
// @ts-ignore: decorator
@inline
export function scratchUio(i: u32): Uio {
  return changetype<Uio>(changetype<usize>(curcpu) + AT_UIO + i * offsetof<Uio>());
}

/** Attributes: 0 for the call's argument, 1 for a file system's own use, 2 for getattr. */
// @ts-ignore: decorator
@inline
export function scratchVattr(i: u32): Vattr {
  return changetype<Vattr>(changetype<usize>(curcpu) + AT_VATTR + i * offsetof<Vattr>());
}

// @ts-ignore: decorator
@inline
export function scratchStatfs(): Statfs {
  return changetype<Statfs>(changetype<usize>(curcpu) + AT_STATFS);
}

// @ts-ignore: decorator
@inline
export function scratchReaddir(): Readdir {
  return changetype<Readdir>(changetype<usize>(curcpu) + AT_READDIR);
}

// @ts-ignore: decorator
@inline
export function scratchText(): Text {
  return changetype<Text>(changetype<usize>(curcpu) + AT_TEXT);
}

/** Where a magic link leads: the walk's that follows it. */
// @ts-ignore: decorator
@inline
export function scratchPlace(): Place {
  return changetype<Place>(changetype<usize>(curcpu) + AT_PLACE);
}

/** Sixteen 8-byte words for out-parameters; 0..3 belong to vfs/, 4..7 to file systems, 8.. to calls. */
// @ts-ignore: decorator
@inline
export function scratchWord(i: u32): usize {
  return changetype<usize>(curcpu) + AT_WORDS + ((<usize>i) << 3);
}

/** MAP_BYTES for a file system's way through the map of a file's blocks (fs/ext4: the path, results, a request). */
// @ts-ignore: decorator
@inline
export function scratchMap(): usize {
  return changetype<usize>(curcpu) + AT_MAP;
}

/** One of two buffers of PATH_MAX bytes. */
// @ts-ignore: decorator
@inline
export function scratchPath(i: u32): usize {
  return changetype<usize>(curcpu) + CPU_PATHBUF + ((<usize>i) << 12);
}

/** SCRATCH_FS_SIZE bytes for the file system whose operation runs. */
// @ts-ignore: decorator
@inline
export function scratchFs(): usize {
  return changetype<usize>(curcpu) + AT_FS;
}

/** SCRATCH_LOG_SIZE bytes for a line of the kernel log: an error is met anywhere, in the middle of a walk too. */
// @ts-ignore: decorator
@inline
export function scratchLog(): usize {
  return changetype<usize>(curcpu) + AT_LOG;
}
