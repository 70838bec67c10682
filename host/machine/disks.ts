/**
 * What the kernel's import disk_strategy does: read a Bio from RAM (assembly/abi/disk.ts) and have
 * the device in its slot do it. Nothing is thrown into the kernel: what a device throws is the Bio's
 * errno, EIO for whatever is no DiskError.
 */
import {
  BIO_DISK,
  BIO_ERROR,
  BIO_FL_FUA,
  BIO_FLAGS,
  BIO_LEN,
  BIO_NSEG,
  BIO_OFF,
  BIO_OP,
  BIO_OP_DISCARD,
  BIO_OP_FLUSH,
  BIO_OP_READ,
  BIO_OP_WRITE,
  BIO_OP_WRITE_ZEROES,
  BIO_SEG_MAX,
  BIO_SEG_SIZE,
  BIO_SEGS,
} from '../../assembly/abi/disk.ts';
import { EINVAL, EIO } from '../../assembly/abi/errno.ts';
import { type BlockDevice, diskErrno } from '../devices/types.ts';

/** RAM as the import sees it. */
export interface DiskRam {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
}

/**
 * The import, for these disks by slot. The array may change; a slot that is empty is an EIO. 0 always:
 * these devices are done when they return.
 */
export function diskStrategy(
  ram: DiskRam,
  disks: readonly (BlockDevice | undefined)[],
): (bio: number) => number {
  const { i32, u32 } = ram;
  const segments = new Uint32Array(BIO_SEG_MAX * 2);
  return (bio) => {
    const at = bio >>> 0;
    let error = 0;
    try {
      error = perform(ram, at, disks[u32[(at + BIO_DISK) >>> 2]], segments);
    } catch (thrown) {
      error = diskErrno(thrown);
    }
    i32[(at + BIO_ERROR) >>> 2] = -error;
    return 0;
  };
}

function perform(ram: DiskRam, at: number, disk: BlockDevice | undefined, segments: Uint32Array): number {
  const { u32, f64 } = ram;
  if (disk === undefined) return EIO;
  const off = f64[(at + BIO_OFF) >>> 3];
  const len = u32[(at + BIO_LEN) >>> 2];
  const fua = (u32[(at + BIO_FLAGS) >>> 2] & BIO_FL_FUA) !== 0;
  switch (u32[(at + BIO_OP) >>> 2]) {
    case BIO_OP_READ:
    case BIO_OP_WRITE:
      return transfer(ram, at, disk, off, fua, segments);
    case BIO_OP_FLUSH:
      disk.flush();
      return 0;
    case BIO_OP_DISCARD:
      disk.discard(off, len);
      return 0;
    case BIO_OP_WRITE_ZEROES:
      disk.writeZeroes(off, len);
      return 0;
    default:
      return EINVAL;
  }
}

function transfer(
  { u8, u32 }: DiskRam,
  at: number,
  disk: BlockDevice,
  off: number,
  fua: boolean,
  segments: Uint32Array,
): number {
  const count = u32[(at + BIO_NSEG) >>> 2];
  const write = u32[(at + BIO_OP) >>> 2] === BIO_OP_WRITE;
  const first = (at + BIO_SEGS) >>> 2;
  if (count > BIO_SEG_MAX) return EINVAL;
  if (count > 1 && disk.readv !== undefined && disk.writev !== undefined) {
    for (let i = 0; i < count * 2; i++) segments[i] = u32[first + i];
    if (write) disk.writev(off, u8, segments, count, fua);
    else disk.readv(off, u8, segments, count);
    return 0;
  }
  let place = off;
  for (let i = 0; i < count; i++) {
    const seg = first + (i * BIO_SEG_SIZE) / 4;
    const len = u32[seg + 1];
    if (write) disk.write(place, u8, u32[seg], len, fua);
    else disk.read(place, u8, u32[seg], len);
    place += len;
  }
  return 0;
}
