/** The nodes of disks, /dev/vbd0 and its kin: raw reads and writes through the Disk's cache. */
import {
  BLKDISCARD,
  BLKFLSBUF,
  BLKGETSIZE64,
  BLKROGET,
  BLKRRPART,
  BLKSSZGET,
  BLKZEROOUT,
  DISK_MAJOR,
  DISK_MAX,
  DISK_MINORS,
} from '../abi/disk';
import { EACCES, EBADF, EINVAL, ENOSPC, ENOTTY, ENXIO } from '../abi/errno';
import { O_ACCMODE, O_RDONLY, S_IFBLK } from '../abi/flags';
import { copyin, copyout } from '../kern/copy';
import { credIsRoot, curcred } from '../proc/cred';
import { File } from '../proc/file';
import { IO_SYNC } from '../vfs/defaults';
import { fscacheRead, fscacheWrite } from '../vfs/fscache';
import { rangeExclusive, rangeRelease, rangeShared } from '../vfs/rangelock';
import { scratchWord } from '../vfs/scratch';
import { Vnode } from '../vfs/vnode';
import { writebackPages } from '../vfs/writeback';
import { Uio } from '../vm/uio';
import { D_HIDDEN, devRegister, setDevClose, setDevFsync, setDevIoctl, setDevOpen, setDevRead, setDevSize, setDevWrite } from './dev';
import {
  Disk,
  diskByRdev,
  diskCloseRaw,
  diskDiscard,
  diskDropCache,
  diskOpenRaw,
  diskRdonly,
  diskSync,
  diskWriteZeroes,
} from './disk';
import { partitionsReread } from './partition';

/** The Disk of a node. While the node is open there is one. */
// @ts-ignore: decorator
@inline
function diskOfNode(vp: Vnode): Disk {
  return diskByRdev(vp.v_fc.fc_attr.va_rdev);
}

// @ts-ignore: decorator
@inline
function writes(fp: File): bool {
  return (fp.f_flag & O_ACCMODE) != O_RDONLY;
}

function nodeOpen(vp: Vnode, fp: File, flags: u32): i32 {
  const dk = diskOfNode(vp);
  if (changetype<usize>(dk) == 0) return -ENXIO;
  fp.f_errseq = dk.dk_fc.fc_error;
  return diskOpenRaw(dk, writes(fp));
}

function nodeClose(vp: Vnode, fp: File): i32 {
  const dk = diskOfNode(vp);
  return changetype<usize>(dk) == 0 ? 0 : diskCloseRaw(dk, writes(fp));
}

function nodeRead(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const dk = diskOfNode(vp);
  if (changetype<usize>(dk) == 0) return -ENXIO;
  const fc = dk.dk_fc;
  rangeShared(fc, <u64>uio.uio_off, <u64>uio.uio_off + uio.uio_resid);
  const e = fscacheRead(fc, uio);
  rangeRelease(fc);
  return e;
}

/** As far as the device goes; -ENOSPC when nothing fits. */
function nodeWrite(vp: Vnode, uio: Uio, ioflag: u32): i32 {
  const dk = diskOfNode(vp);
  if (changetype<usize>(dk) == 0) return -ENXIO;
  const start = <u64>uio.uio_off;
  if (uio.uio_resid == 0) return 0;
  if (start >= dk.dk_size) return -ENOSPC;
  const room = dk.dk_size - start;
  const cut: u32 = <u64>uio.uio_resid > room ? uio.uio_resid - <u32>room : 0;
  uio.uio_resid -= cut;
  const fc = dk.dk_fc;
  rangeExclusive(fc, start, start + uio.uio_resid);
  const e = fscacheWrite(fc, uio);
  rangeRelease(fc);
  uio.uio_resid += cut;
  return e == 0 && ioflag & IO_SYNC ? diskSync(dk) : e;
}

function nodeFsync(vp: Vnode, flags: u32): i32 {
  const dk = diskOfNode(vp);
  return changetype<usize>(dk) == 0 ? -ENXIO : diskSync(dk);
}

function nodeSize(vp: Vnode, out: usize): i32 {
  const dk = diskOfNode(vp);
  if (changetype<usize>(dk) == 0) return -ENXIO;
  store<u64>(out, dk.dk_size);
  return 0;
}

// ── ioctl ────────────────────────────────────────────────────────────────────────────────────

function tell32(space: u32, addr: u32, v: u32): i32 {
  store<u32>(scratchWord(8), v);
  return -copyout(space, addr, scratchWord(8), 4);
}

/** BLKDISCARD and BLKZEROOUT: what is cached of the range goes first, so that it does not come back. */
function rangeIoctl(dk: Disk, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  if (!writes(fp)) return -EBADF;
  const arg = scratchWord(8);
  const e = -copyin(space, addr, arg, 16);
  if (e != 0) return e;
  const off = load<u64>(arg);
  const len = load<u64>(arg, 8);
  if (len == 0 || off > dk.dk_size || len > dk.dk_size - off || ((off | len) & (dk.dk_sector - 1)) != 0) return -EINVAL;
  const fc = dk.dk_fc;
  rangeExclusive(fc, off, off + len);
  // pages that the range only touches are written, so that dropping them loses nothing
  let f = writebackPages(fc);
  if (f == 0) f = cmd == BLKDISCARD ? diskDiscard(dk, off, len) : diskWriteZeroes(dk, off, len);
  if (f == 0 && dk.dk_mounted == 0) diskDropCache(dk);
  rangeRelease(fc);
  return f;
}

function nodeIoctl(vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  const dk = diskOfNode(vp);
  if (changetype<usize>(dk) == 0) return -ENXIO;
  if (cmd == BLKGETSIZE64) {
    store<u64>(scratchWord(8), dk.dk_size);
    return -copyout(space, addr, scratchWord(8), 8);
  }
  if (cmd == BLKSSZGET) return tell32(space, addr, dk.dk_sector);
  if (cmd == BLKROGET) return tell32(space, addr, diskRdonly(dk) ? 1 : 0);
  if (cmd == BLKDISCARD || cmd == BLKZEROOUT) return rangeIoctl(dk, fp, cmd, space, addr);
  if (cmd != BLKFLSBUF && cmd != BLKRRPART) return -ENOTTY;
  if (!credIsRoot(curcred())) return -EACCES;
  if (cmd == BLKRRPART) return partitionsReread(dk);
  const e = diskSync(dk);
  if (e == 0 && dk.dk_mounted == 0) diskDropCache(dk);
  return e;
}

export function diskNodeInit(): void {
  const d = devRegister('vbd', S_IFBLK, DISK_MAJOR, 0, DISK_MAX * DISK_MINORS, 0o660, D_HIDDEN);
  setDevOpen(d, nodeOpen);
  setDevClose(d, nodeClose);
  setDevRead(d, nodeRead);
  setDevWrite(d, nodeWrite);
  setDevFsync(d, nodeFsync);
  setDevSize(d, nodeSize);
  setDevIoctl(d, nodeIoctl);
}
