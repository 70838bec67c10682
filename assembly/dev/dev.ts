/**
 * The device switch: which driver serves a device number. A driver registers a major number, the
 * range of minors it serves, and its operations; nodes anywhere with that number reach it.
 *
 * A driver whose devices come and go (disks) registers its numbers once, hidden, and adds a Devnode
 * for each device that is there.
 */
import { EINVAL, ENOTTY } from '../abi/errno';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/flags';
import { Roots, roots } from '../kern/boot';
import { File } from '../proc/file';
import { Vnode } from '../vfs/vnode';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Uio } from '../vm/uio';
import { kfree, kmalloc } from '../vm/zone';

@unmanaged
export class Devsw {
  d_next: u32;
  d_type: u32; //   S_IFCHR or S_IFBLK
  d_major: u32;
  d_minor: u32; //  first minor
  d_nminor: u32;
  d_name: u32; //   string literal
  d_mode: u32; //   permission bits of its node in devfs
  d_flags: u32; //  D_*
  d_data: u32; //   the driver's own
  d_open: u32; //   function indices; 0: nothing to do
  d_close: u32;
  d_read: u32;
  d_write: u32;
  d_ioctl: u32; //  0: -ENOTTY
  d_poll: u32; //   0: always ready
  d_revoke: u32; // 0: nothing to do
  d_fsync: u32; //  0: nothing to do
  d_size: u32; //   where lseek's end is; 0: the device has none
}

/**
 * A node that is there while its device is: what a driver with nodes that come and go has in every
 * devfs, under a name of its own. The name follows the struct.
 */
@unmanaged
export class Devnode {
  dn_next: u32; // r_devnodes
  dn_type: u32; // S_IFCHR or S_IFBLK
  dn_rdev: u32;
  dn_mode: u32; // permission bits
  dn_len: u32; //  bytes of the name

  // @ts-ignore: decorator
  @inline
  get name(): usize {
    return changetype<usize>(this) + offsetof<Devnode>();
  }
}

/** The device has no positions: lseek, pread and pwrite are -ESPIPE. */
export const D_NOSEEK: u32 = 1;
/** No node of it appears in devfs. */
export const D_HIDDEN: u32 = 2;

/** Register a driver for [minor, minor + n). Its node appears in every devfs. */
export function devRegister(name: string, type: u32, major: u32, minor: u32, n: u32, mode: u32, flags: u32): Devsw {
  const d = changetype<Devsw>(kmalloc(offsetof<Devsw>(), ALLOC_NOIO | ALLOC_ZERO));
  d.d_name = <u32>changetype<usize>(name);
  d.d_type = type;
  d.d_major = major;
  d.d_minor = minor;
  d.d_nminor = n;
  d.d_mode = mode;
  d.d_flags = flags;
  d.d_next = roots().r_devsw;
  roots().r_devsw = <u32>changetype<usize>(d);
  if (roots().r_devhook != 0) call_indirect<void>(roots().r_devhook, d);
  return d;
}

/** Let devfs hear of devices that are registered from now on. */
export function devSetHook(fn: (d: Devsw) => void): void {
  roots().r_devhook = fn.index;
}

/** Let devfs hear of nodes that come (1) and go (0). */
export function devSetNodeHook(fn: (dn: Devnode, present: u32) => void): void {
  roots().r_nodehook = fn.index;
}

/** A node appears in every devfs, those mounted later too. Null: no memory. */
export function devNodeAdd(name: usize, len: u32, type: u32, rdev: u32, mode: u32): Devnode {
  const dn = changetype<Devnode>(kmalloc(<u32>offsetof<Devnode>() + len, ALLOC_NOIO));
  if (changetype<usize>(dn) == 0) return dn;
  dn.dn_type = type;
  dn.dn_rdev = rdev;
  dn.dn_mode = mode;
  dn.dn_len = len;
  memory.copy(dn.name, name, len);
  dn.dn_next = roots().r_devnodes;
  roots().r_devnodes = <u32>changetype<usize>(dn);
  if (roots().r_nodehook != 0) call_indirect<void>(roots().r_nodehook, dn, <u32>1);
  return dn;
}

/** It goes from every devfs; what has it open keeps it open. */
export function devNodeRemove(dn: Devnode): void {
  let link = changetype<usize>(roots()) + offsetof<Roots>('r_devnodes');
  while (load<u32>(link) != <u32>changetype<usize>(dn)) link = <usize>load<u32>(link);
  store<u32>(link, dn.dn_next);
  if (roots().r_nodehook != 0) call_indirect<void>(roots().r_nodehook, dn, <u32>0);
  kfree(changetype<usize>(dn));
}

/** The driver of a device number, or null. */
export function devFind(type: u32, rdev: u32): Devsw {
  const major = rdev >> 8;
  const minor = rdev & 255;
  let p = roots().r_devsw;
  while (p != 0) {
    const d = changetype<Devsw>(<usize>p);
    if (d.d_type == type && d.d_major == major && minor >= d.d_minor && minor < d.d_minor + d.d_nminor)
      return d;
    p = d.d_next;
  }
  return changetype<Devsw>(<usize>0);
}

export function setDevOpen(d: Devsw, fn: (vp: Vnode, fp: File, flags: u32) => i32): void {
  d.d_open = fn.index;
}
export function setDevClose(d: Devsw, fn: (vp: Vnode, fp: File) => i32): void {
  d.d_close = fn.index;
}
export function setDevRead(d: Devsw, fn: (vp: Vnode, uio: Uio, ioflag: u32) => i32): void {
  d.d_read = fn.index;
}
export function setDevWrite(d: Devsw, fn: (vp: Vnode, uio: Uio, ioflag: u32) => i32): void {
  d.d_write = fn.index;
}
export function setDevIoctl(
  d: Devsw,
  fn: (vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32) => i32,
): void {
  d.d_ioctl = fn.index;
}
export function setDevPoll(d: Devsw, fn: (vp: Vnode, fp: File, events: u32) => i32): void {
  d.d_poll = fn.index;
}

/** A node is going, for good or by revoke(2): whoever waits for the device should look again. */
export function setDevRevoke(d: Devsw, fn: (vp: Vnode) => void): void {
  d.d_revoke = fn.index;
}

/** fsync(2): what was written is on the medium. */
export function setDevFsync(d: Devsw, fn: (vp: Vnode, flags: u32) => i32): void {
  d.d_fsync = fn.index;
}
/** Put the device's size, a u64, at `out`: 0 or an errno. */
export function setDevSize(d: Devsw, fn: (vp: Vnode, out: usize) => i32): void {
  d.d_size = fn.index;
}

export function dev_fsync(d: Devsw, vp: Vnode, flags: u32): i32 {
  return d.d_fsync != 0 ? call_indirect<i32>(d.d_fsync, vp, flags) : 0;
}
export function dev_size(d: Devsw, vp: Vnode, out: usize): i32 {
  return d.d_size != 0 ? call_indirect<i32>(d.d_size, vp, out) : -EINVAL;
}
export function dev_revoke(d: Devsw, vp: Vnode): void {
  if (d.d_revoke != 0) call_indirect<void>(d.d_revoke, vp);
}
export function dev_open(d: Devsw, vp: Vnode, fp: File, flags: u32): i32 {
  return d.d_open != 0 ? call_indirect<i32>(d.d_open, vp, fp, flags) : 0;
}
export function dev_close(d: Devsw, vp: Vnode, fp: File): i32 {
  return d.d_close != 0 ? call_indirect<i32>(d.d_close, vp, fp) : 0;
}
export function dev_read(d: Devsw, vp: Vnode, uio: Uio, ioflag: u32): i32 {
  return d.d_read != 0 ? call_indirect<i32>(d.d_read, vp, uio, ioflag) : 0;
}
export function dev_write(d: Devsw, vp: Vnode, uio: Uio, ioflag: u32): i32 {
  return d.d_write != 0 ? call_indirect<i32>(d.d_write, vp, uio, ioflag) : 0;
}
export function dev_ioctl(d: Devsw, vp: Vnode, fp: File, cmd: u32, space: u32, addr: u32): i32 {
  return d.d_ioctl != 0 ? call_indirect<i32>(d.d_ioctl, vp, fp, cmd, space, addr) : -ENOTTY;
}
export function dev_poll(d: Devsw, vp: Vnode, fp: File, events: u32): i32 {
  if (d.d_poll == 0) return events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
  return call_indirect<i32>(d.d_poll, vp, fp, events);
}
