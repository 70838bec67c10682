/**
 * specfs: device nodes, wherever their names are. The mount's third vector: attribute operations
 * stay the file system's own, data operations go to the device by its number.
 */
import { EINVAL, ENXIO } from '../../abi/errno';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, SEEK_END } from '../../abi/flags';
import {
  D_NOSEEK,
  devFind,
  Devsw,
  dev_ioctl,
  dev_fsync,
  dev_open,
  dev_close,
  dev_poll,
  dev_read,
  dev_revoke,
  dev_size,
  dev_write,
} from '../../dev/dev';
import { Ucred } from '../../proc/cred';
import { File } from '../../proc/file';
import { Fsmanage } from '../../vfs/fsmanage';
import { VN_NOSEEK, Vnode } from '../../vfs/vnode';
import {
  setVopClose,
  setVopFsync,
  setVopIoctl,
  setVopLseek,
  setVopOpen,
  setVopPoll,
  setVopRead,
  setVopReclaim,
  setVopWrite,
  vop_reclaim,
} from '../../vfs/vop';
import { Uio } from '../../vm/uio';

/** The device behind a node, found at open and kept in v_un. */
// @ts-ignore: decorator
@inline
function devOf(vp: Vnode): Devsw {
  return changetype<Devsw>(<usize>vp.v_un);
}

function specOpen(fm: Fsmanage, vp: Vnode, fp: File, flags: u32, cred: Ucred): i32 {
  const d = devFind(vp.v_type, vp.v_fc.fc_attr.va_rdev);
  if (changetype<usize>(d) == 0) return -ENXIO;
  vp.v_un = <u32>changetype<usize>(d);
  if (d.d_flags & D_NOSEEK) vp.v_flag |= VN_NOSEEK;
  return dev_open(d, vp, fp, flags);
}

function specClose(fm: Fsmanage, vp: Vnode, fp: File): i32 {
  return vp.v_un != 0 ? dev_close(devOf(vp), vp, fp) : 0;
}

/** The vnode goes. The vector began as a copy of the file system's own. */
function specReclaim(fm: Fsmanage, vp: Vnode): i32 {
  if (vp.v_un != 0) dev_revoke(devOf(vp), vp);
  return vop_reclaim(fm.fm_mount.mnt_norm, vp);
}

function specRead(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  return vp.v_un != 0 ? dev_read(devOf(vp), vp, uio, ioflag) : -ENXIO;
}

function specWrite(fm: Fsmanage, vp: Vnode, uio: Uio, ioflag: u32, cred: Ucred): i32 {
  return vp.v_un != 0 ? dev_write(devOf(vp), vp, uio, ioflag) : -ENXIO;
}

function specIoctl(fm: Fsmanage, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  return vp.v_un != 0 ? dev_ioctl(devOf(vp), vp, fp, cmd, space, addr) : -ENXIO;
}

function specPoll(fm: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  if (vp.v_un == 0) return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
  return dev_poll(devOf(vp), vp, fp, events);
}

function specFsync(fm: Fsmanage, vp: Vnode, flags: u32): i32 {
  return vp.v_un != 0 ? dev_fsync(devOf(vp), vp, flags) : 0;
}

/** The end of a block device, which no attribute tells. */
function specLseek(fm: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  return whence == SEEK_END && vp.v_un != 0 ? dev_size(devOf(vp), vp, offp) : -EINVAL;
}

/** Lay the device operations over a vector that is a copy of the file system's. */
export function specfsVector(fm: Fsmanage): void {
  setVopOpen(fm, specOpen);
  setVopClose(fm, specClose);
  setVopRead(fm, specRead);
  setVopWrite(fm, specWrite);
  setVopIoctl(fm, specIoctl);
  setVopPoll(fm, specPoll);
  setVopFsync(fm, specFsync);
  setVopLseek(fm, specLseek);
  setVopReclaim(fm, specReclaim);
}
