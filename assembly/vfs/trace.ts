/**
 * The tracer: a layer that records every operation of the mounts it is on, and times it.
 *
 * It is switched by what is written to /proc/trace: "on PATH" and "off PATH" (the mount that PATH
 * is on; of a bind mount the one whose names it shows), "on all", "off all" (those mounted now),
 * "clear". Reading /proc/trace gives the ring's records, oldest first, a line each:
 *
 *     seconds.microseconds mount operation subject result nanoseconds
 *
 * where the subject is "#inode", or "#directory/name" with odd bytes as \ooo. /proc/trace_stats has
 * a line "mount operation count total max" (times in ns) for all that was recorded since "on" or
 * "clear". Records and sums stay when the tracer is off; "clear" gives their memory back then.
 *
 * A virtual clock is looked at and not moved: an operation's duration is what its own readings moved
 * the clock by, and tracing changes nothing of what a seeded machine does.
 *
 * Guards: the ring's head is atomic; a record that is being overwritten while it is read shows as it
 * is. Sums are words of one writer in `up`, and may lose an update in `smp`.
 */
import { EINVAL, ENAMETOOLONG, ENOMEM } from '../abi/errno';
import { CLOCK_MONOTONIC, PATH_MAX } from '../abi/flags';
import { PAGE_SIZE } from '../abi/layout';
import { NVOPS } from '../abi/vops';
import { roots } from '../kern/boot';
import { Cpu, curcpu } from '../kern/cpu';
import { hostClockRead } from '../kern/imports';
import { add32 } from '../kern/lock';
import { litEquals, Text, textByte, textI64, textLit, textU64 } from '../kern/text';
import { curcred } from '../proc/cred';
import { curproc } from '../proc/proc';
import { ALLOC_NOIO, ALLOC_ZERO, PG_KERNEL, pageAddr, pageAlloc, pageFree, pageOf } from '../vm/page';
import { kfree, kmalloc } from '../vm/zone';
import { Fsmanage } from './fsmanage';
import { Layer, LAYER_TRACE, layerAdd, layerAlloc, layerFind, layerFree, layerNext, layerRemove, layerSetVector } from './layer';
import { Mount, mountReal, MNTF_BIND } from './mount';
import { Namecache } from './namecache';
import { NL_FOLLOW, nlookup, nlookupDone, nlookupInit } from './nlookup';
import { scratchNl } from './scratch';
import { traceVector } from './tracevops';
import { Vnode } from './vnode';
import { vopName } from './vop';

const NAME_BYTES: u32 = 24;

@unmanaged
class TraceRecord {
  tr_time: i64; //    ns, of the clock that durations are measured by
  tr_ino: u64; //     the subject's inode, or its directory's
  tr_dur: u32; //     ns
  tr_result: i32;
  tr_mount: u32; //   id
  tr_op: u8;
  tr_namelen: u8; //  0: the subject is the inode itself
  tr_cut: u8; //      1: the name is longer than this shows
  tr_pad: u8;
  // NAME_BYTES of name follow
}
const RECORD: u32 = <u32>offsetof<TraceRecord>() + NAME_BYTES;
const PER_FRAME: u32 = PAGE_SIZE / RECORD;
if (RECORD % 8 != 0) ERROR('TraceRecord');

const FRAMES_MIN: u32 = 4;
const FRAMES_MAX: u32 = 64;

@unmanaged
class TraceRing {
  rg_head: u32; //    records ever written
  rg_nframes: u32;
  // addresses of FRAMES_MAX frames follow
}

/** Sums for one operation of one mount. */
@unmanaged
class TraceSum {
  ts_count: u64;
  ts_total: u64; // ns
  ts_max: u64; //   ns
}

// @ts-ignore: decorator
@inline
function ring(): TraceRing {
  return changetype<TraceRing>(<usize>roots().r_trace);
}

// @ts-ignore: decorator
@inline
function frameSlot(rg: TraceRing, i: u32): usize {
  return changetype<usize>(rg) + offsetof<TraceRing>() + (i << 2);
}

// @ts-ignore: decorator
@inline
function recordAt(rg: TraceRing, n: u32): TraceRecord {
  const i = n % (rg.rg_nframes * PER_FRAME);
  return changetype<TraceRecord>(<usize>load<u32>(frameSlot(rg, i / PER_FRAME)) + (i % PER_FRAME) * RECORD);
}

// ── recording ────────────────────────────────────────────────────────────────────────────────

/** Now, in ns. A virtual clock is looked at and not moved. */
export function traceStart(): i64 {
  const r = roots();
  if (r.r_vclock != 0) return r.r_vclock_ns;
  const at = changetype<usize>(curcpu) + offsetof<Cpu>('c_clock0');
  hostClockRead(CLOCK_MONOTONIC, at);
  return <i64>load<f64>(at) * 1_000_000_000 + load<u32>(at, 8);
}

/** What the tracer's function for an operation goes on to. */
export function traceNext(fm: Fsmanage, op: u32): u32 {
  return layerNext(layerFind(fm, LAYER_TRACE), op);
}

export function inoOf(vp: Vnode): u64 {
  return vp.v_fc.fc_attr.va_ino;
}

/** Inode number of the directory a name is in. */
export function dirOf(ncp: Namecache): u64 {
  if (ncp.nc_parent == 0 || ncp.parent.nc_vp == 0) return 0;
  return inoOf(ncp.parent.vp);
}

/** An operation returned: record it, and pass its result on. */
export function traceEnd(fm: Fsmanage, op: u32, ino: u64, ncp: usize, start: i64, result: i32): i32 {
  // it may have been the write to /proc/trace that switched the tracer off
  if (changetype<usize>(layerFind(fm, LAYER_TRACE)) == 0) return result;
  const ns = traceStart() - start;
  const dur: u64 = ns > 0 ? <u64>ns : 0;
  const mp = fm.fm_mount;
  const sum = sumAt(mp, op);
  sum.ts_count++;
  sum.ts_total += dur;
  if (dur > sum.ts_max) sum.ts_max = dur;
  const rg = ring();
  const tr = recordAt(rg, add32(changetype<usize>(rg), 1));
  tr.tr_time = start;
  tr.tr_ino = ino;
  tr.tr_dur = dur > u32.MAX_VALUE ? u32.MAX_VALUE : <u32>dur;
  tr.tr_result = result;
  tr.tr_mount = mp.mnt_id;
  tr.tr_op = <u8>op;
  tr.tr_namelen = 0;
  tr.tr_cut = 0;
  if (ncp == 0) return result;
  const len = changetype<Namecache>(ncp).nc_namelen;
  const n = len < NAME_BYTES ? len : NAME_BYTES;
  memory.copy(changetype<usize>(tr) + offsetof<TraceRecord>(), changetype<Namecache>(ncp).nc_namep, n);
  tr.tr_namelen = <u8>n;
  tr.tr_cut = n < len ? 1 : 0;
  return result;
}

// @ts-ignore: decorator
@inline
function sumAt(mp: Mount, op: u32): TraceSum {
  return changetype<TraceSum>(<usize>mp.mnt_trace + op * offsetof<TraceSum>());
}

// ── on and off ───────────────────────────────────────────────────────────────────────────────

// @ts-ignore: decorator
@inline
function fmAt(mp: Mount, i: u32): Fsmanage {
  return i == 0 ? mp.mnt_norm : i == 1 ? mp.mnt_fifo : mp.mnt_spec;
}

/** The ring, made at the first "on": 0 or -ENOMEM. */
function ringMake(): i32 {
  const r = roots();
  if (r.r_trace != 0) return 0;
  let n = r.r_nframes / 256;
  n = n < FRAMES_MIN ? FRAMES_MIN : n > FRAMES_MAX ? FRAMES_MAX : n;
  const rg = changetype<TraceRing>(kmalloc(<u32>offsetof<TraceRing>() + 4 * FRAMES_MAX, ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(rg) == 0) return -ENOMEM;
  for (; rg.rg_nframes < n; rg.rg_nframes++) {
    const pg = pageAlloc(ALLOC_NOIO | ALLOC_ZERO, PG_KERNEL);
    if (changetype<usize>(pg) == 0) {
      ringFree(rg);
      return -ENOMEM;
    }
    store<u32>(frameSlot(rg, rg.rg_nframes), <u32>pageAddr(pg));
  }
  r.r_trace = <u32>changetype<usize>(rg);
  return 0;
}

function ringFree(rg: TraceRing): void {
  for (let i: u32 = 0; i < rg.rg_nframes; i++) pageFree(pageOf(load<u32>(frameSlot(rg, i))));
  kfree(changetype<usize>(rg));
}

/** The tracer's layer on one Fsmanage: 0 (also if it is there) or -ENOMEM. */
function layerOn(fm: Fsmanage): i32 {
  if (changetype<usize>(layerFind(fm, LAYER_TRACE)) != 0) return 0;
  // a vector set by the typed setters, taken over by the layer
  const vec = changetype<Fsmanage>(kmalloc(offsetof<Fsmanage>(), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(vec) == 0) return -ENOMEM;
  let e: i32 = -ENOMEM;
  const ly: Layer = layerAlloc(LAYER_TRACE);
  if (changetype<usize>(ly) != 0) {
    traceVector(vec);
    layerSetVector(ly, vec);
    e = layerAdd(fm, ly);
    if (e != 0) layerFree(ly);
  }
  kfree(changetype<usize>(vec));
  return e;
}

function traceOn(mp: Mount): i32 {
  let e = ringMake();
  if (e == 0 && mp.mnt_trace == 0) {
    mp.mnt_trace = <u32>kmalloc(NVOPS * <u32>offsetof<TraceSum>(), ALLOC_NOIO | ALLOC_ZERO);
    if (mp.mnt_trace == 0) e = -ENOMEM;
  }
  for (let i: u32 = 0; i < 3 && e == 0; i++) e = layerOn(fmAt(mp, i));
  if (e != 0) traceOff(mp);
  return e;
}

function traceOff(mp: Mount): void {
  for (let i: u32 = 0; i < 3; i++) {
    const ly = layerRemove(fmAt(mp, i), LAYER_TRACE);
    if (changetype<usize>(ly) != 0) layerFree(ly);
  }
}

function isTraced(mp: Mount): bool {
  return changetype<usize>(layerFind(mp.mnt_norm, LAYER_TRACE)) != 0;
}

/** The mount behind `mp` among all that may be traced: those in the tree, those that linger, and the
 *  one of anonymous pipes. Null: that was the last; from null: the first. */
function mountAfter(mp: Mount): Mount {
  const r = roots();
  const pipes = r.r_pipemount;
  let next: u32;
  if (changetype<usize>(mp) == 0) next = r.r_mounts != 0 ? r.r_mounts : r.r_lingering;
  else if (<u32>changetype<usize>(mp) == pipes) return changetype<Mount>(<usize>0);
  else next = mp.mnt_next != 0 ? mp.mnt_next : inTree(mp) ? r.r_lingering : 0;
  return changetype<Mount>(<usize>(next != 0 ? next : pipes));
}

function inTree(mp: Mount): bool {
  for (let p = roots().r_lingering; p != 0; p = changetype<Mount>(<usize>p).mnt_next) {
    if (p == <u32>changetype<usize>(mp)) return false;
  }
  return true;
}

function switchAll(on: bool): i32 {
  let e: i32 = 0;
  for (let mp = mountAfter(changetype<Mount>(<usize>0)); changetype<usize>(mp) != 0; mp = mountAfter(mp)) {
    if (mp.mnt_flag & MNTF_BIND) continue;
    if (!on) traceOff(mp);
    else if (e == 0) e = traceOn(mp);
  }
  return e;
}

function switchPath(on: bool, path: usize, len: u32): i32 {
  if (len == 0) return -EINVAL;
  if (len >= PATH_MAX) return -ENAMETOOLONG;
  const p = curproc();
  const nl = scratchNl(1);
  nlookupInit(nl, path, len, NL_FOLLOW, curcred(), changetype<Mount>(<usize>p.p_cwdmount), changetype<Namecache>(<usize>p.p_cwdncp));
  let e = nlookup(nl);
  if (e != 0) return e;
  const mp = mountReal(nl.nl_mount);
  if (on) e = traceOn(mp);
  else traceOff(mp);
  nlookupDone(nl);
  return e;
}

function clear(): void {
  let traced = false;
  for (let mp = mountAfter(changetype<Mount>(<usize>0)); changetype<usize>(mp) != 0; mp = mountAfter(mp)) {
    if (mp.mnt_trace == 0) continue;
    if (isTraced(mp)) {
      traced = true;
      memory.fill(mp.mnt_trace, 0, NVOPS * offsetof<TraceSum>());
    } else {
      kfree(mp.mnt_trace);
      mp.mnt_trace = 0;
    }
  }
  if (traced) ring().rg_head = 0;
  else traceShutdown();
}

/** Give the ring back; nothing is traced any more. */
export function traceShutdown(): void {
  if (roots().r_trace == 0) return;
  ringFree(ring());
  roots().r_trace = 0;
}

/** A command, as written to /proc/trace: 0, -EINVAL, or the errno of the path or of memory. */
export function traceCommand(text: usize, len: u32): i32 {
  while (len != 0 && load<u8>(text + len - 1) <= 32) len--;
  while (len != 0 && load<u8>(text) <= 32) {
    text++;
    len--;
  }
  if (litEquals('clear', text, len)) {
    clear();
    return 0;
  }
  let word: u32 = 0;
  while (word < len && load<u8>(text + word) > 32) word++;
  const on = litEquals('on', text, word);
  if (!on && !litEquals('off', text, word)) return -EINVAL;
  let arg = word;
  while (arg < len && load<u8>(text + arg) <= 32) arg++;
  if (litEquals('all', text + arg, len - arg)) return switchAll(on);
  return switchPath(on, text + arg, len - arg);
}

// ── showing ──────────────────────────────────────────────────────────────────────────────────

function digits(t: Text, v: u32, n: u32): void {
  let div: u32 = 1;
  for (let i: u32 = 1; i < n; i++) div *= 10;
  for (; div != 0; div /= 10) textByte(t, 48 + ((v / div) % 10));
}

function nameText(t: Text, tr: TraceRecord): void {
  textByte(t, 47);
  for (let i: u32 = 0; i < tr.tr_namelen; i++) {
    const c: u32 = load<u8>(changetype<usize>(tr) + offsetof<TraceRecord>() + i);
    if (c <= 32 || c == 92 || c >= 127) {
      textByte(t, 92);
      textByte(t, 48 + (c >> 6));
      textByte(t, 48 + ((c >> 3) & 7));
      textByte(t, 48 + (c & 7));
    } else textByte(t, c);
  }
  if (tr.tr_cut != 0) textLit(t, '...');
}

export function traceText(t: Text): void {
  if (roots().r_trace == 0) return;
  const rg = ring();
  const head = rg.rg_head;
  const room = rg.rg_nframes * PER_FRAME;
  for (let n: u32 = head > room ? head - room : 0; n < head; n++) {
    const tr = recordAt(rg, n);
    textI64(t, tr.tr_time / 1_000_000_000);
    textByte(t, 46);
    digits(t, <u32>((tr.tr_time % 1_000_000_000) / 1000), 6);
    textByte(t, 32);
    textU64(t, tr.tr_mount);
    textByte(t, 32);
    textLit(t, vopName(tr.tr_op));
    textLit(t, ' #');
    textU64(t, tr.tr_ino);
    if (tr.tr_namelen != 0) nameText(t, tr);
    textByte(t, 32);
    textI64(t, tr.tr_result);
    textByte(t, 32);
    textU64(t, tr.tr_dur);
    textByte(t, 10);
  }
}

export function traceStatsText(t: Text): void {
  for (let mp = mountAfter(changetype<Mount>(<usize>0)); changetype<usize>(mp) != 0; mp = mountAfter(mp)) {
    if (mp.mnt_trace == 0) continue;
    for (let op: u32 = 0; op < NVOPS; op++) {
      const sum = sumAt(mp, op);
      if (sum.ts_count == 0) continue;
      textU64(t, mp.mnt_id);
      textByte(t, 32);
      textLit(t, vopName(op));
      textByte(t, 32);
      textU64(t, sum.ts_count);
      textByte(t, 32);
      textU64(t, sum.ts_total);
      textByte(t, 32);
      textU64(t, sum.ts_max);
      textByte(t, 10);
    }
  }
}
