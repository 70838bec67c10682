/** fifofs: named pipes. The mount's second vector. */
import { Fsmanage } from '../../vfs/fsmanage';

/** Lay the fifo operations over a vector that is a copy of the file system's. */
export function fifofsVector(fm: Fsmanage): void {}
