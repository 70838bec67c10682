/**
 * Zones: fixed-size objects cut from frames.
 *
 * A zone frame begins with a bitmap of its live objects (32 bytes), then the objects. Its VmPage
 * holds the zone, the first free object and the number of free ones; a free object's first word
 * links to the next.
 *
 *     0        32 (64)                                           4096
 *     ├ bitmap ┼ object 0 ┼ object 1 ┼ …                    ┼ rest ┤
 *
 * Z1. Objects are type-stable: a freed object stays an object of its zone until its whole frame
 *     is free *and* every CPU has left the kernel since (r_epoch). So a walk without locks may
 *     follow a stale pointer, read a consistent object of the right type, and find by its sequence
 *     count that it is not the one it wanted.
 * Z2. In a type-stable zone the words past the first survive freeing (a sequence count must);
 *     elsewhere debug builds poison them.
 * Z3. c_zlive summed over CPUs, with z_gone of those that have left, is the number of live objects: 0 after shutdown, or it is a leak.
 * Z4. One frame that becomes empty stays, so that a loop of create and remove does not cut it anew;
 *     zoneTrim gives it back, and those of a run that were never used.
 */
import { CPU_KERNEL, PAGE_SHIFT, PAGE_SIZE } from '../abi/layout';
import { Cpu, CPU_ZCACHE, CPU_ZLIVE, cpuAt, curcpu, NZONES_MAX } from '../kern/cpu';
import { Roots, roots } from '../kern/boot';
import { ld32, spinLock, spinUnlock } from '../kern/lock';
import { kassert, panicAt } from '../kern/panic';
import { wordsZero } from '../kern/words';
import {
  ALLOC_NOIO,
  ALLOC_NOWAIT,
  ALLOC_RESERVE,
  ALLOC_ZERO,
  failNow,
  PG_ZONE,
  pageAddr,
  pageAlloc,
  pageAllocFresh,
  pageFree,
  pageOf,
  VmPage,
} from './page';

@unmanaged
export class Zone {
  z_name: u32; //    string literal
  z_size: u32; //    bytes per object, a multiple of 8
  z_perframe: u32;
  z_flags: u32; //   ZONE_*
  z_lock: u32; //    spin: the frame lists and the frames' free lists
  z_partial: u32; // frames with a free object
  z_nframes: u32;
  z_nempty: u32; //  frames among them that are wholly free
  z_id: u32;
  z_next: u32;
  z_recip: u32; //   2^32 / z_size rounded up: index of an object by multiplication
  z_boot: u32; //   objects made at boot for good: the leak count's baseline
  z_gone: i32; //   z_lock; what c_zlive of CPUs that have detached added up to
}

export const ZONE_STABLE: u32 = 1;
const BITMAP: u32 = 32;
const CACHE_LINE: u32 = 64;
/** Above this size memory.fill is the faster one. */
const WORDS_MAX: u32 = 512;
/** Frames that a large zone grows by. */
const RUN_FRAMES: u32 = 16;
const CACHE_MAX: u32 = 16;

/** Where a frame's first object is: objects that are whole cache lines begin on one. */
// @ts-ignore: decorator
@inline
function firstOf(z: Zone): u32 {
  return z.z_size % CACHE_LINE == 0 ? CACHE_LINE : BITMAP;
}

/** Zones live in the first frame after the table: a plain array. */
export function zoneInit(frame: usize): void {
  const r = roots();
  r.r_zones = 0;
  r.r_nzones = 0;
  r.r_zgeneric = <u32>(frame + NZONES_MAX * offsetof<Zone>());
  memory.fill(frame, 0, PAGE_SIZE);
}

/** Make a zone. `frame` is where zoneInit put the array. Boot only. */
export function zoneCreate(name: string, size: u32, flags: u32): Zone {
  const r = roots();
  const base = <usize>r.r_zgeneric - NZONES_MAX * offsetof<Zone>();
  kassert(r.r_nzones < NZONES_MAX, 'too many zones');
  const z = changetype<Zone>(base + r.r_nzones * offsetof<Zone>());
  z.z_name = <u32>changetype<usize>(name);
  z.z_size = (size + 7) & ~7;
  if (z.z_size < 16) z.z_size = 16;
  z.z_perframe = (PAGE_SIZE - firstOf(z)) / z.z_size;
  z.z_flags = flags;
  z.z_id = r.r_nzones++;
  z.z_next = r.r_zones;
  r.r_zones = <u32>changetype<usize>(z);
  return z;
}

// @ts-ignore: decorator
@inline
function lockOf(z: Zone): usize {
  return changetype<usize>(z) + offsetof<Zone>('z_lock');
}

// @ts-ignore: decorator
@inline
function liveSlot(z: Zone): usize {
  return changetype<usize>(curcpu) + CPU_ZLIVE + ((<usize>z.z_id) << 2);
}

function frameToPartial(z: Zone, pg: VmPage): void {
  pg.pg_prev = 0;
  pg.pg_next = z.z_partial;
  if (z.z_partial != 0) changetype<VmPage>(<usize>z.z_partial).pg_prev = <u32>changetype<usize>(pg);
  z.z_partial = <u32>changetype<usize>(pg);
}

function frameFromPartial(z: Zone, pg: VmPage): void {
  if (pg.pg_prev != 0) changetype<VmPage>(<usize>pg.pg_prev).pg_next = pg.pg_next;
  else z.z_partial = pg.pg_next;
  if (pg.pg_next != 0) changetype<VmPage>(<usize>pg.pg_next).pg_prev = pg.pg_prev;
  pg.pg_next = 0;
  pg.pg_prev = 0;
}

/**
 * More frames: one, or a run of them for a zone that has many, since neighbours in RAM share
 * what the processor needs to find them (page-table lines). False when there is no frame.
 */
function zoneGrow(z: Zone, mode: u32): bool {
  // frames that were in use before come first: RAM that was never touched is dearer than neighbours are worth
  if (z.z_nframes >= RUN_FRAMES * 4 && roots().r_freehead == 0) {
    const at = pageAllocFresh(RUN_FRAMES, PG_ZONE);
    if (at != 0) {
      // the first one on top of the list
      for (let i = RUN_FRAMES; i > 0; i--) zoneCut(z, at + ((<usize>(i - 1)) << PAGE_SHIFT));
      return true;
    }
  }
  const pg = pageAlloc(mode & ~ALLOC_ZERO, PG_ZONE);
  if (changetype<usize>(pg) == 0) return false;
  zoneCut(z, pageAddr(pg));
  return true;
}

/** Cut a frame into objects and add it to the zone. */
function zoneCut(z: Zone, at: usize): void {
  const pg = pageOf(at);
  memory.fill(at, 0, PAGE_SIZE);
  pg.pg_owner = <u32>changetype<usize>(z);
  pg.pg_index = z.z_perframe;
  let next: usize = 0;
  for (let i = z.z_perframe; i > 0; i--) {
    const o = at + firstOf(z) + (i - 1) * z.z_size;
    store<u32>(o, <u32>next);
    next = o;
  }
  pg.pg_private = <u32>next;
  spinLock(lockOf(z));
  z.z_nframes++;
  z.z_nempty++;
  frameToPartial(z, pg);
  spinUnlock(lockOf(z));
}

function bitOf(z: Zone, o: usize): u32 {
  return ((<u32>o & (PAGE_SIZE - 1)) - firstOf(z)) / z.z_size;
}

/** An object, or 0. It is zeroed with ALLOC_ZERO, except the first word's link in no case. */
export function zoneAlloc(z: Zone, mode: u32): usize {
  if (DEBUG) if (roots().r_failarmed != 0) if (failNow()) return 0;
  let o: usize = 0;
  if (SMP) {
    const slot = changetype<usize>(curcpu) + CPU_ZCACHE + ((<usize>z.z_id) << 3);
    o = load<u32>(slot);
    if (o != 0) {
      store<u32>(slot, load<u32>(o));
      store<u32>(slot, load<u32>(slot, 4) - 1, 4);
    }
  }
  if (o == 0) {
    spinLock(lockOf(z));
    if (z.z_partial == 0) {
      spinUnlock(lockOf(z));
      if (!zoneGrow(z, mode)) return 0;
      spinLock(lockOf(z));
    }
    o = zoneTake(z);
    spinUnlock(lockOf(z));
    // another CPU may have emptied what we grew: rare, and a failure here is only ENOMEM
    if (SMP) if (o == 0) return 0;
  }
  store<i32>(liveSlot(z), load<i32>(liveSlot(z)) + 1);
  if (mode & ALLOC_ZERO) {
    if (z.z_size <= WORDS_MAX) wordsZero(o, z.z_size);
    else memory.fill(o, 0, z.z_size);
  }
  return o;
}

/** Pop an object off the first partial frame. z_lock held. */
function zoneTake(z: Zone): usize {
  const pg = changetype<VmPage>(<usize>z.z_partial);
  if (SMP) if (changetype<usize>(pg) == 0) return 0;
  const o = <usize>pg.pg_private;
  if (DEBUG) kassert(o != 0 && pg.pg_index != 0, 'partial zone frame is full');
  pg.pg_private = load<u32>(o);
  if (pg.pg_index == z.z_perframe) z.z_nempty--;
  pg.pg_index--;
  if (pg.pg_index == 0) frameFromPartial(z, pg);
  if (DEBUG) {
    const bit = bitOf(z, o);
    const w = (o & ~(<usize>PAGE_SIZE - 1)) + ((<usize>bit >> 5) << 2);
    if (load<u32>(w) & (1 << (bit & 31))) panicAt('zone gave a live object', o);
    store<u32>(w, load<u32>(w) | (1 << (bit & 31)));
  }
  return o;
}

export function zoneFree(z: Zone, o: usize): void {
  store<i32>(liveSlot(z), load<i32>(liveSlot(z)) - 1);
  if (DEBUG) {
    if (pageOf(o).pg_owner != <u32>changetype<usize>(z)) panicAt('object freed to another zone', o);
    if ((z.z_flags & ZONE_STABLE) == 0) memory.fill(o + 4, 0xdf, z.z_size - 4);
  }
  if (SMP && !DEBUG) {
    const slot = changetype<usize>(curcpu) + CPU_ZCACHE + ((<usize>z.z_id) << 3);
    const n = load<u32>(slot, 4);
    if (n < CACHE_MAX) {
      store<u32>(o, load<u32>(slot));
      store<u32>(slot, <u32>o);
      store<u32>(slot, n + 1, 4);
      return;
    }
  }
  zoneGive(z, o);
}

/** Put an object back on its frame; a frame that becomes empty may leave the zone. */
function zoneGive(z: Zone, o: usize): void {
  const pg = pageOf(o);
  spinLock(lockOf(z));
  if (DEBUG) {
    const bit = bitOf(z, o);
    const w = (o & ~(<usize>PAGE_SIZE - 1)) + ((<usize>bit >> 5) << 2);
    if ((load<u32>(w) & (1 << (bit & 31))) == 0) panicAt('object freed twice', o);
    store<u32>(w, load<u32>(w) & ~(1 << (bit & 31)));
  }
  store<u32>(o, pg.pg_private);
  pg.pg_private = <u32>o;
  if (pg.pg_index == 0) frameToPartial(z, pg);
  pg.pg_index++;
  if (pg.pg_index == z.z_perframe) {
    if (z.z_nempty >= 1) {
      frameFromPartial(z, pg);
      z.z_nframes--;
      spinUnlock(lockOf(z));
      frameToLimbo(pg);
      return;
    }
    z.z_nempty++;
  }
  spinUnlock(lockOf(z));
}

// ── epochs ───────────────────────────────────────────────────────────────────────────────────

function limboLock(): usize {
  return changetype<usize>(roots()) + offsetof<Roots>('r_pagelock');
}

/** An empty frame leaves its zone: in `up` nobody else can be looking at it. */
function frameToLimbo(pg: VmPage): void {
  if (!SMP) {
    pageFree(pg);
    return;
  }
  const r = roots();
  spinLock(limboLock());
  pg.pg_epoch = atomic.add<u32>(changetype<usize>(r) + offsetof<Roots>('r_epoch'), 1) + 1;
  pg.pg_next = r.r_limbo;
  r.r_limbo = <u32>changetype<usize>(pg);
  spinUnlock(limboLock());
  limboDrain();
}

/** A new epoch: what every CPU enters with from now on. */
export function epochNext(): u32 {
  return atomic.add<u32>(changetype<usize>(roots()) + offsetof<Roots>('r_epoch'), 1) + 1;
}

/** Has every CPU entered the kernel in this epoch or later, or is outside? This one is asked as well. */
export function epochPassed(epoch: u32): bool {
  return <i32>(curcpu.c_epoch - epoch) >= 0 && <i32>(epochOldest() - epoch) >= 0;
}

/** The oldest epoch that another CPU in the kernel entered in; the present one, if there is none. */
function epochOldest(): u32 {
  const r = roots();
  let oldest: u32 = atomic.load<u32>(changetype<usize>(r) + offsetof<Roots>('r_epoch'));
  for (let i: u32 = 0; i < r.r_ncpu; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) == 0 || changetype<usize>(c) == changetype<usize>(curcpu)) continue;
    if (ld32(changetype<usize>(c)) != CPU_KERNEL) continue;
    if (<i32>(c.c_epoch - oldest) < 0) oldest = c.c_epoch;
  }
  return oldest;
}

/** Return the limbo frames that every CPU in the kernel entered after. */
export function limboDrain(): void {
  if (!SMP) return;
  const r = roots();
  if (ld32(changetype<usize>(r) + offsetof<Roots>('r_limbo')) == 0) return;
  const oldest = epochOldest();
  let done: u32 = 0;
  spinLock(limboLock());
  let link = changetype<usize>(r) + offsetof<Roots>('r_limbo');
  while (load<u32>(link) != 0) {
    const pg = changetype<VmPage>(<usize>load<u32>(link));
    if (<i32>(oldest - pg.pg_epoch) >= 0) {
      store<u32>(link, pg.pg_next);
      pg.pg_next = done;
      done = <u32>changetype<usize>(pg);
    } else link = changetype<usize>(pg) + offsetof<VmPage>('pg_next');
  }
  spinUnlock(limboLock());
  while (done != 0) {
    const pg = changetype<VmPage>(<usize>done);
    done = pg.pg_next;
    pageFree(pg);
  }
}

/** Give one empty frame back; false if there was none after all. */
function zoneTrimFrame(z: Zone): bool {
  spinLock(lockOf(z));
  let q = z.z_partial;
  while (q != 0 && changetype<VmPage>(<usize>q).pg_index != z.z_perframe) q = changetype<VmPage>(<usize>q).pg_next;
  if (q != 0) {
    frameFromPartial(z, changetype<VmPage>(<usize>q));
    z.z_nframes--;
    z.z_nempty--;
  }
  spinUnlock(lockOf(z));
  if (q == 0) return false;
  frameToLimbo(changetype<VmPage>(<usize>q));
  return true;
}

/** The objects of a zone that a CPU keeps, this one or one that has ended, go back on their frames. */
function cacheGive(z: Zone, c: Cpu): void {
  const slot = changetype<usize>(c) + CPU_ZCACHE + ((<usize>z.z_id) << 3);
  let o = <usize>load<u32>(slot);
  store<u64>(slot, 0);
  while (o != 0) {
    const next = <usize>load<u32>(o);
    zoneGive(z, o);
    o = next;
  }
}

/** Give back every zone's empty frames and this CPU's cached objects. */
export function zoneTrim(): void {
  const r = roots();
  for (let p = r.r_zones; p != 0; ) {
    const z = changetype<Zone>(<usize>p);
    if (SMP) cacheGive(z, curcpu);
    while (z.z_nempty > 0 && zoneTrimFrame(z)) {}
    p = z.z_next;
  }
  limboDrain();
}

/** A CPU is about to go: the objects that it keeps are free for all, and its counts are the zones'. */
export function zoneLeave(c: Cpu): void {
  for (let p = roots().r_zones; p != 0; p = changetype<Zone>(<usize>p).z_next) {
    const z = changetype<Zone>(<usize>p);
    if (SMP) cacheGive(z, c);
    const live = changetype<usize>(c) + CPU_ZLIVE + ((<usize>z.z_id) << 2);
    spinLock(lockOf(z));
    z.z_gone += load<i32>(live);
    spinUnlock(lockOf(z));
    store<i32>(live, 0);
  }
  zoneTrim();
}

/** Live objects of a zone, over all CPUs. */
export function zoneLive(z: Zone): i32 {
  let n = z.z_gone;
  for (let i: u32 = 0; i < roots().r_ncpu; i++) {
    const c = cpuAt(i);
    if (changetype<usize>(c) != 0) n += load<i32>(changetype<usize>(c) + CPU_ZLIVE + ((<usize>z.z_id) << 2));
  }
  return n;
}

// ── generic sizes: text, xattrs, small tables ────────────────────────────────────────────────

const GENERIC_CLASSES: u32 = 10;

function genericSize(i: u32): u32 {
  // 16 32 64 96 128 256 512 1000 2024 4064
  switch (i) {
    case 0:
      return 16;
    case 1:
      return 32;
    case 2:
      return 64;
    case 3:
      return 96;
    case 4:
      return 128;
    case 5:
      return 256;
    case 6:
      return 504;
    case 7:
      return 1016;
    case 8:
      return 2032;
    default:
      return 4064;
  }
}

export function genericInit(): void {
  for (let i: u32 = 0; i < GENERIC_CLASSES; i++) {
    const z = zoneCreate('generic', genericSize(i), 0);
    store<u32>(<usize>roots().r_zgeneric + (i << 2), <u32>changetype<usize>(z));
  }
}

/** The largest piece kmalloc gives. */
export const KMALLOC_MAX: u32 = 4064;

/** A piece of at least `size` bytes, or 0. Freed by kfree. */
export function kmalloc(size: u32, mode: u32): usize {
  for (let i: u32 = 0; i < GENERIC_CLASSES; i++) {
    if (size <= genericSize(i)) {
      return zoneAlloc(changetype<Zone>(<usize>load<u32>(<usize>roots().r_zgeneric + (i << 2))), mode);
    }
  }
  return 0;
}

/** Free what kmalloc gave: its frame knows the zone. */
export function kfree(o: usize): void {
  zoneFree(changetype<Zone>(<usize>pageOf(o).pg_owner), o);
}
