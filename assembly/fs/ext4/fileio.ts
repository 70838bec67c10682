/**
 * Data between pages and the disk: pieces that follow each other there become one request.
 *
 * With data=journal (and for files that ask for it) data goes through the buffers of metadata and the journal
 * instead, both ways, since what was written last is there.
 *
 * The request being made is in the CPU's scratch: begun by ioBegin, ended by ioEnd, in one call of getpages or
 * putpages under ei_lock.
 */
import { BIO_OP_READ, BIO_OP_WRITE } from '../../abi/disk';
import { ENOMEM } from '../../abi/errno';
import { Disk, diskBio, diskDo } from '../../dev/disk';
import { Bio, bioAdd } from '../../vfs/bio';
import { scratchMap } from '../../vfs/scratch';
import { dataIsMeta, SCRATCH_IO } from './mapmeta';
import { ext4Bget, ext4Bread, ext4Brelse, ext4BufError, ext4Dirty } from './txn';
import { Ext4Inode, Ext4Mount } from './types';

@unmanaged
export class FileIo {
  io_next: u64; //  the block behind the request
  io_bio: u32; //   the request; 0: none yet
  io_op: u32; //    BIO_OP_*
  io_error: i32; // the first error
  io_meta: u32; //  1: through buffers
}

// @ts-ignore: decorator
@inline
function request(): FileIo {
  return changetype<FileIo>(scratchMap() + SCRATCH_IO);
}

export function ioBegin(em: Ext4Mount, ei: Ext4Inode, op: u32): void {
  const io = request();
  io.io_bio = 0;
  io.io_op = op;
  io.io_error = 0;
  io.io_meta = dataIsMeta(em, ei) ? 1 : 0;
}

/** Move `n` whole blocks between pblk… and RAM at addr. Errors are told by ioEnd. */
export function ioAdd(em: Ext4Mount, pblk: u64, addr: usize, n: u32): void {
  const io = request();
  if (io.io_error != 0) return;
  if (io.io_meta != 0) {
    for (let i: u32 = 0; i < n && io.io_error == 0; i++) {
      io.io_error = throughBuffer(em, pblk + i, addr + (<usize>i << em.em_bshift), io.io_op);
    }
    return;
  }
  const len = n << em.em_bshift;
  if (io.io_bio != 0) {
    if (io.io_next == pblk && bioAdd(changetype<Bio>(<usize>io.io_bio), addr, len)) {
      io.io_next += n;
      return;
    }
    ioFlush(em);
    if (io.io_error != 0) return;
  }
  const bio = diskBio(changetype<Disk>(<usize>em.em_disk), io.io_op, pblk << em.em_bshift);
  if (changetype<usize>(bio) == 0) {
    io.io_error = -ENOMEM;
    return;
  }
  bioAdd(bio, addr, len);
  io.io_bio = <u32>changetype<usize>(bio);
  io.io_next = pblk + n;
}

function throughBuffer(em: Ext4Mount, pblk: u64, addr: usize, op: u32): i32 {
  const b = op == BIO_OP_READ ? ext4Bread(em, pblk) : ext4Bget(em, pblk);
  if (b == 0) return ext4BufError();
  let e: i32 = 0;
  if (op == BIO_OP_READ) memory.copy(addr, b, em.em_bsize);
  else {
    memory.copy(b, addr, em.em_bsize);
    e = ext4Dirty(em, b, pblk);
  }
  ext4Brelse(b);
  return e;
}

function ioFlush(em: Ext4Mount): void {
  const io = request();
  if (io.io_bio == 0) return;
  const e = diskDo(changetype<Disk>(<usize>em.em_disk), changetype<Bio>(<usize>io.io_bio));
  io.io_bio = 0;
  if (io.io_error == 0) io.io_error = e;
}

/** Everything is done: 0, or the first error. */
export function ioEnd(em: Ext4Mount): i32 {
  ioFlush(em);
  return request().io_error;
}

/** Write `n` blocks of RAM in a row, now: 0 or an errno. */
export function ioWriteNow(em: Ext4Mount, ei: Ext4Inode, pblk: u64, addr: usize, n: u32): i32 {
  ioBegin(em, ei, BIO_OP_WRITE);
  ioAdd(em, pblk, addr, n);
  return ioEnd(em);
}
