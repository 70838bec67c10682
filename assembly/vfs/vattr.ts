/**
 * Vattr: a file's attributes, in the fscache (the cached, authoritative copy while the vnode
 * lives), in a tmpfs node (while it does not), and as the argument of create and setattr.
 */
import { S_IFMT } from '../abi/flags';
import { clockNow } from '../kern/clock';
import { curcpu } from '../kern/cpu';
import { wordsCopy } from '../kern/words';

@unmanaged
export class Vattr {
  va_ino: u64;
  va_size: u64; //   bytes
  va_blocks: u64; // 512-byte units
  va_atime: i64; //  seconds since 1970
  va_mtime: i64;
  va_ctime: i64;
  va_btime: i64;
  va_atimens: u32; // nanoseconds
  va_mtimens: u32;
  va_ctimens: u32;
  va_btimens: u32;
  va_mode: u32; //   S_IF* | permission bits
  va_uid: u32;
  va_gid: u32;
  va_nlink: u32;
  va_rdev: u32; //   major << 8 | minor
  va_gen: u32; //    inode generation
  va_mask: u32; //   setattr: VA_* that are to change
  va_dev: u32; //    the mount's device number
}

export const VA_MODE: u32 = 1;
export const VA_UID: u32 = 2;
export const VA_GID: u32 = 4;
export const VA_SIZE: u32 = 8;
export const VA_ATIME: u32 = 16;
export const VA_MTIME: u32 = 32;
export const VA_CTIME: u32 = 64;

if (offsetof<Vattr>() != 104) ERROR('Vattr');

// @ts-ignore: decorator
@inline
export function vattrCopy(to: Vattr, from: Vattr): void {
  wordsCopy(changetype<usize>(to), changetype<usize>(from), offsetof<Vattr>());
}

// @ts-ignore: decorator
@inline
export function vattrType(va: Vattr): u32 {
  return va.va_mode & S_IFMT;
}

/** Take over those of mode, ids and times that `from` asks for; the type stays. */
export function vattrChange(va: Vattr, from: Vattr): void {
  const mask = from.va_mask;
  if (mask & VA_MODE) va.va_mode = (va.va_mode & S_IFMT) | (from.va_mode & 0o7777);
  if (mask & VA_UID) va.va_uid = from.va_uid;
  if (mask & VA_GID) va.va_gid = from.va_gid;
  if (mask & VA_ATIME) {
    va.va_atime = from.va_atime;
    va.va_atimens = from.va_atimens;
  }
  if (mask & VA_MTIME) {
    va.va_mtime = from.va_mtime;
    va.va_mtimens = from.va_mtimens;
  }
}

/** All four times become this call's. */
export function vattrStamp(va: Vattr): void {
  clockNow();
  const c = curcpu;
  va.va_atime = c.c_nowsec;
  va.va_mtime = c.c_nowsec;
  va.va_ctime = c.c_nowsec;
  va.va_btime = c.c_nowsec;
  va.va_atimens = c.c_nownsec;
  va.va_mtimens = c.c_nownsec;
  va.va_ctimens = c.c_nownsec;
  va.va_btimens = c.c_nownsec;
}
