/** Change notification: hooks, each one load while nobody watches. */
import { roots } from '../kern/boot';
import { File } from '../proc/file';
import { Namecache } from './namecache';
import { Vnode } from './vnode';

/** Something happened to a name in directory dvp (IN_CREATE, IN_DELETE, IN_MOVED_*). */
// @ts-ignore: decorator
@inline
export function inotifyName(dvp: Vnode, ncp: Namecache, mask: u32, cookie: u32, isdir: bool): void {
  if (roots().r_inotify != 0) inotifyNameSlow(dvp, ncp, mask, cookie, isdir);
}

/** Something happened to a file: its own watchers, and its directory's if it is known by a name. */
// @ts-ignore: decorator
@inline
export function inotifyFile(vp: Vnode, ncp: usize, mask: u32): void {
  if (roots().r_inotify != 0) inotifyFileSlow(vp, ncp, mask);
}

/** A File was closed for good. */
// @ts-ignore: decorator
@inline
export function inotifyClose(fp: File): void {
  if (roots().r_inotify != 0) inotifyCloseSlow(fp);
}

function inotifyNameSlow(dvp: Vnode, ncp: Namecache, mask: u32, cookie: u32, isdir: bool): void {}
function inotifyFileSlow(vp: Vnode, ncp: usize, mask: u32): void {}
function inotifyCloseSlow(fp: File): void {}
