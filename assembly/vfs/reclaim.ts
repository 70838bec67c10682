/**
 * Reclaim: give memory back that only caches hold.
 *
 * Runs at entry to the kernel when free frames are below r_lowwater (nothing is held then), and
 * from pageAlloc when the reserve is reached (ALLOC_NOIO; the caller may hold locks and
 * references, so victims are unreferenced and their locks are only tried).
 */
import { bb, roots } from '../kern/boot';
import { cleanReclaim } from './dirty';
import { cacheReclaimSome } from './nametree';
import { vnodeReclaimSome } from './vnode';
import { zoneTrim } from '../vm/zone';

/** Free caches until `target` frames are free or nothing more can be had: clean pages first, which cost
 *  nothing but the reading of them again. */
export function reclaim(target: u32): void {
  if (roots().r_nclean != 0 && bb().bb_frames_free < target) {
    cleanReclaim(target - bb().bb_frames_free);
    if (bb().bb_frames_free >= target) return;
  }
  zoneTrim();
  while (bb().bb_frames_free < target) {
    const n = cacheReclaimSome(64) + vnodeReclaimSome(64);
    if (n == 0) break;
    zoneTrim();
  }
}

/** Free every cache that nothing uses. */
export function reclaimAll(): void {
  while (cacheReclaimSome(1024) + vnodeReclaimSome(1024) != 0) {}
  // entries that were in use a moment ago got a second chance above
  while (cacheReclaimSome(1024) + vnodeReclaimSome(1024) != 0) {}
  cleanReclaim(u32.MAX_VALUE);
  zoneTrim();
}

export function reclaimInit(): void {
  const fn: (target: u32) => void = reclaim;
  roots().r_shrink = fn.index;
}
