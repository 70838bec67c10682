/** Advisory locks: flock(2), fcntl(2) record locks and open-file-description locks. */
import { File } from '../proc/file';
import { Proc } from '../proc/proc';
import { Vnode } from './vnode';

/** The last reference of a File that may hold flock or OFD locks went. */
export function lockFileClosed(fp: File): void {}

/** A process closed a descriptor of vp: its record locks there go. */
export function lockProcClosed(vp: Vnode, p: Proc): void {}
