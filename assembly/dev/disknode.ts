/** The nodes of disks, /dev/vbd0 and its kin: raw reads and writes through the Disk's cache. */
import { DISK_MAJOR, DISK_MAX, DISK_MINORS } from '../abi/disk';
import { ENOSPC, ENXIO } from '../abi/errno';
import { O_ACCMODE, O_RDONLY, S_IFBLK } from '../abi/flags';
import { File } from '../proc/file';
import { IO_SYNC } from '../vfs/defaults';
import { fscacheRead, fscacheWrite } from '../vfs/fscache';
import { rangeExclusive, rangeRelease, rangeShared } from '../vfs/rangelock';
import { Vnode } from '../vfs/vnode';
import { Uio } from '../vm/uio';
import { D_HIDDEN, devRegister, setDevClose, setDevFsync, setDevOpen, setDevRead, setDevSize, setDevWrite } from './dev';
import { Disk, diskByRdev, diskCloseRaw, diskOpenRaw, diskSync } from './disk';

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
  return changetype<usize>(dk) == 0 ? -ENXIO : diskOpenRaw(dk, writes(fp));
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

export function diskNodeInit(): void {
  const d = devRegister('vbd', S_IFBLK, DISK_MAJOR, 0, DISK_MAX * DISK_MINORS, 0o660, D_HIDDEN);
  setDevOpen(d, nodeOpen);
  setDevClose(d, nodeClose);
  setDevRead(d, nodeRead);
  setDevWrite(d, nodeWrite);
  setDevFsync(d, nodeFsync);
  setDevSize(d, nodeSize);
}
