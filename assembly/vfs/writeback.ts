/**
 * Write-back: dirty pages and attributes of backed Fscaches go to their disks.
 */
import { EIO } from '../abi/errno';
import { Roots, roots } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { fscacheList } from './dirty';
import { FC_LISTED, Fscache } from './fscache';
import { vop_putpages } from './vop';

export function writebackInit(): void {
  roots().r_dirtymax = roots().r_nframes / 4;
}

/** Write all dirty pages of an Fscache: 0, or the errno of a write that failed. */
export function writebackPages(fc: Fscache): i32 {
  if (fc.fc_ndirty == 0) return 0;
  curcpu.c_writing++;
  const e = vop_putpages(fc.fc_fm, fc, 0, u32.MAX_VALUE, 0);
  curcpu.c_writing--;
  return e;
}

export function writebackThrottle(fc: Fscache): i32 {
  const e = writebackPages(fc);
  return roots().r_ndirty < roots().r_dirtymax ? 0 : e != 0 ? e : -EIO;
}

export function writebackMore(): void {
  const r = roots();
  for (let n = r.r_ndirtyfc; n != 0 && r.r_dirtyhead != 0; n--) {
    const fc = changetype<Fscache>(<usize>r.r_dirtyhead);
    writebackPages(fc);
  }
}
