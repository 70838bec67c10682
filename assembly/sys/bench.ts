/**
 * bench_loop: operations looped inside the kernel, so that what is measured is the kernel and not
 * the way into it. abi/bench.ts says what each loop does and where its parameters stand.
 */
import { EINVAL, ENAMETOOLONG } from '../abi/errno';
import {
  BENCH_CALL_INDIRECT,
  BENCH_LOAD,
  BENCH_LOOKUP,
  BENCH_NAME_LEN,
  BENCH_NAME_PREFIX,
  BENCH_NAMES,
  BENCH_STAT,
  BENCH_VOP_DISPATCH,
  BL_HOT,
  BL_NAMES,
  BL_STATE,
  CTR_LOOKUPS,
  CTR_PROBES,
} from '../abi/bench';
import { PATH_MAX } from '../abi/flags';
import { PAGE_SHIFT, SA_DATA, SA_PATH2 } from '../abi/layout';
import { bb } from '../kern/boot';
import { curcpu } from '../kern/cpu';
import { Ucred } from '../proc/cred';
import { curproc } from '../proc/proc';
import { Fsmanage } from '../vfs/fsmanage';
import { Mount } from '../vfs/mount';
import { Namecache } from '../vfs/namecache';
import { NL_FOLLOW, nlookup, nlookupDone, nlookupFast, nlookupInit } from '../vfs/nlookup';
import { scratchNl, scratchPath } from '../vfs/scratch';
import { Vnode } from '../vfs/vnode';
import { setVopAccess, vop_access } from '../vfs/vop';
import { statFast } from './attr';
import { sysEnter, sysLeave } from './enter';

export function bench_loop(op: u32, count: u32, plen: u32): i32 {
  const e = sysEnter();
  if (e != 0) return e;
  return sysLeave(plen >= PATH_MAX ? -ENAMETOOLONG : benchLoop(op, count, plen));
}

function benchLoop(op: u32, count: u32, plen: u32): i32 {
  switch (op) {
    case BENCH_CALL_INDIRECT:
      return loopCallIndirect(count);
    case BENCH_VOP_DISPATCH:
      return loopVopDispatch(count);
    case BENCH_STAT:
      return loopStat(count, plen);
    case BENCH_NAMES:
      return loopNames(count);
    case BENCH_LOOKUP:
      return loopLookup(count, plen);
    case BENCH_LOAD:
      return loopLoad(count);
  }
  return -EINVAL;
}

// ── dispatch ─────────────────────────────────────────────────────────────────────────────────

function benchAccess(fm: Fsmanage, vp: Vnode, mode: u32, cred: Ucred): i32 {
  return 0;
}

/** An fsmanage of no mount, in the syscall area, with one slot set. */
function benchFsmanage(): Fsmanage {
  const fm = changetype<Fsmanage>(<usize>curcpu.c_area + SA_PATH2);
  memory.fill(changetype<usize>(fm), 0, offsetof<Fsmanage>());
  setVopAccess(fm, benchAccess);
  return fm;
}

function loopCallIndirect(count: u32): i32 {
  const fm = benchFsmanage();
  // Read back from RAM: an index known to the compiler would become a direct call.
  const index = fm.fm_access;
  const vp = changetype<Vnode>(<usize>0);
  const cred = curproc().p_cred;
  let e: i32 = 0;
  for (let i: u32 = 0; i < count; i++) e |= call_indirect<i32>(index, fm, vp, i, cred);
  return e;
}

function loopVopDispatch(count: u32): i32 {
  const fm = benchFsmanage();
  const vp = changetype<Vnode>(<usize>0);
  const cred = curproc().p_cred;
  let e: i32 = 0;
  for (let i: u32 = 0; i < count; i++) e |= vop_access(fm, vp, i, cred);
  return e;
}

// ── memory ───────────────────────────────────────────────────────────────────────────────────

function loopLoad(count: u32): i32 {
  const d = draw();
  if (d.bl_state == 0) return -EINVAL;
  const words = <u64>bb().bb_frames_fresh << (PAGE_SHIFT - 2);
  let word: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    // The sum's low bit makes the next address wait for this word, whatever it is.
    const x = xorshift(d.bl_state) + (word & 1);
    d.bl_state = x == 0 ? 1 : x;
    word = load<u32>(<usize>(((<u64>x) * words) >> 32) << 2);
  }
  return 0;
}

// ── stat ─────────────────────────────────────────────────────────────────────────────────────

function loopStat(count: u32, plen: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const e = statFast(plen, false);
    if (e != 0) return e;
  }
  return 0;
}

// ── lookups ──────────────────────────────────────────────────────────────────────────────────

/** Draws names: see the head of abi/bench.ts. */
@unmanaged
class Draw {
  bl_names: u32;
  bl_hot: u32;
  bl_state: u32;
}
if (offsetof<Draw>('bl_names') != BL_NAMES || offsetof<Draw>('bl_hot') != BL_HOT) ERROR('Draw');
if (offsetof<Draw>('bl_state') != BL_STATE) ERROR('Draw.bl_state');

function draw(): Draw {
  return changetype<Draw>(<usize>curcpu.c_area + SA_DATA);
}

function drawValid(): bool {
  const d = draw();
  return d.bl_names != 0 && d.bl_hot <= d.bl_names && d.bl_state != 0;
}

// @ts-ignore: decorator
@inline
function xorshift(state: u32): u32 {
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x;
}

/** Write the next name at `to`. */
// @ts-ignore: decorator
@inline
function drawName(d: Draw, to: usize, stride: u32): void {
  const x = xorshift(d.bl_state);
  d.bl_state = x;
  const among = d.bl_hot == 0 ? d.bl_names : d.bl_hot;
  let index = <u32>(((<u64>x) * (<u64>among)) >> 32) * stride;
  store<u8>(to, BENCH_NAME_PREFIX);
  for (let i: usize = BENCH_NAME_LEN - 1; i > 0; i--) {
    const digit = index & 15;
    store<u8>(to + i, digit + (digit < 10 ? 0x30 : 0x57));
    index >>>= 4;
  }
}

// @ts-ignore: decorator
@inline
function drawStride(d: Draw): u32 {
  return d.bl_hot == 0 ? 1 : d.bl_names / d.bl_hot;
}

function loopNames(count: u32): i32 {
  if (!drawValid()) return -EINVAL;
  const d = draw();
  const stride = drawStride(d);
  const name = scratchPath(0);
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    drawName(d, name, stride);
    seen |= load<u8>(name + BENCH_NAME_LEN - 1);
  }
  return seen != 0 || count == 0 ? 0 : -EINVAL;
}

function loopLookup(count: u32, plen: u32): i32 {
  if (!drawValid()) return -EINVAL;
  const p = curproc();
  const dir = scratchNl(1);
  const cwdmount = changetype<Mount>(<usize>p.p_cwdmount);
  nlookupInit(dir, curcpu.c_area, plen, NL_FOLLOW, p.p_cred, cwdmount, changetype<Namecache>(<usize>p.p_cwdncp));
  let e = nlookup(dir);
  if (e != 0) return e;
  e = lookups(count, dir.nl_mount, dir.nl_ncp, p.p_cred);
  nlookupDone(dir);
  return e;
}

/** Each the way a call looks a name up: without locks first, and else with. */
function lookups(count: u32, mp: Mount, dir: Namecache, cred: Ucred): i32 {
  const d = draw();
  const stride = drawStride(d);
  const name = scratchPath(0);
  const nl = scratchNl(0);
  for (let i: u32 = 0; i < count; i++) {
    drawName(d, name, stride);
    const mount = <u32>changetype<usize>(mp);
    const start = <u32>changetype<usize>(dir);
    if (changetype<usize>(nlookupFast(name, BENCH_NAME_LEN, mount, start, false, cred)) != 0) continue;
    nlookupInit(nl, name, BENCH_NAME_LEN, NL_FOLLOW, cred, mp, dir);
    const e = nlookup(nl);
    if (e != 0) return e;
    nlookupDone(nl);
  }
  return 0;
}

// ── counters ─────────────────────────────────────────────────────────────────────────────────

/** A CTR_* counter of this CPU, or -EINVAL. */
export function counter_get(which: u32): f64 {
  const c = curcpu;
  if (changetype<usize>(c) == 0) return -EINVAL;
  if (which == CTR_LOOKUPS) return <f64>c.c_lookups;
  if (which == CTR_PROBES) return <f64>c.c_probes;
  return -EINVAL;
}

/** Set it. 0 or -EINVAL. */
export function counter_set(which: u32, value: f64): i32 {
  const c = curcpu;
  if (changetype<usize>(c) == 0 || !(value >= 0 && value <= 9007199254740992)) return -EINVAL;
  if (which == CTR_LOOKUPS) c.c_lookups = <u64>value;
  else if (which == CTR_PROBES) c.c_probes = <u64>value;
  else return -EINVAL;
  return 0;
}
