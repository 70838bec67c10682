/**
 * Readdir: the cursor that VOP_READDIR fills for getdents.
 *
 * Names go to the first half of the syscall area, each followed by '/', records to SA_DATA
 * (abi/layout.ts, GD_*). A cookie is where a listing goes on: cookies 0 and 1 are "." and "..",
 * which readdirDots adds; a file system's own begin at READDIR_FIRST and stay valid while entries
 * come and go.
 */
import { DT_DIR } from '../abi/flags';
import {
  GD_COUNT,
  GD_HEADER,
  GD_MAX,
  GD_NAMES_BYTES,
  GD_NEXT,
  GD_REC_COOKIE,
  GD_REC_INO,
  GD_REC_NAMELEN,
  GD_REC_SIZE,
  GD_REC_TYPE,
  SA_DATA,
} from '../abi/layout';
import { Cpu, curcpu } from '../kern/cpu';
import { nameCopy } from '../kern/words';

@unmanaged
export class Readdir {
  rd_cookie: u64; // where to go on
  rd_names: u32; //  next name's address
  rd_namesend: u32;
  rd_rec: u32; //    next record's address
  rd_count: u32;
  rd_max: u32;
  rd_full: u32; //   1: an entry did not fit
}

export const READDIR_FIRST: u64 = 2;
if (GD_HEADER + GD_MAX * GD_REC_SIZE > 8192) ERROR('GD_MAX');

export function readdirInit(rd: Readdir, cookie: u64, max: u32): void {
  const area = curcpu.c_area;
  rd.rd_cookie = cookie;
  rd.rd_names = area;
  rd.rd_namesend = area + SA_DATA;
  rd.rd_rec = area + SA_DATA + GD_HEADER;
  rd.rd_count = 0;
  rd.rd_max = max == 0 || max > GD_MAX ? GD_MAX : max;
  rd.rd_full = 0;
}

/** Add an entry; `next` is the cookie behind it. False: full, and nothing was added. */
export function readdirAdd(rd: Readdir, ino: u64, dtype: u32, name: usize, len: u32, next: u64): bool {
  if (rd.rd_count >= rd.rd_max || rd.rd_names + len + 1 > rd.rd_namesend) {
    rd.rd_full = 1;
    return false;
  }
  nameCopy(rd.rd_names, name, len);
  store<u8>(<usize>rd.rd_names + len, 47);
  rd.rd_names += len + 1;
  const r = <usize>rd.rd_rec;
  store<f64>(r + GD_REC_INO, <f64>ino);
  store<f64>(r + GD_REC_COOKIE, <f64>next);
  store<u32>(r + GD_REC_TYPE, dtype);
  store<u32>(r + GD_REC_NAMELEN, len);
  rd.rd_rec += GD_REC_SIZE;
  rd.rd_count++;
  rd.rd_cookie = next;
  return true;
}

/** Add "." and ".." if the cursor is there. False: full. */
export function readdirDots(rd: Readdir, ino: u64, parentIno: u64): bool {
  const c = changetype<usize>(curcpu) + offsetof<Cpu>('c_clock0');
  store<u16>(c, 0x2e2e);
  if (rd.rd_cookie == 0) if (!readdirAdd(rd, ino, DT_DIR, c, 1, 1)) return false;
  if (rd.rd_cookie == 1) if (!readdirAdd(rd, parentIno, DT_DIR, c, 2, READDIR_FIRST)) return false;
  return true;
}

/** Write the header. */
export function readdirFinish(rd: Readdir): i32 {
  const h = <usize>curcpu.c_area + SA_DATA;
  store<u32>(h + GD_COUNT, rd.rd_count);
  store<u32>(h + GD_NAMES_BYTES, rd.rd_names - curcpu.c_area);
  store<f64>(h + GD_NEXT, <f64>rd.rd_cookie);
  return <i32>rd.rd_count;
}
