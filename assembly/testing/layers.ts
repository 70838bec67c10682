/**
 * The kernel with a few exports more, for the test of layers: three kinds of layer on the root
 * mount's first Fsmanage, whose functions tell by their result what they went through.
 *
 * VOP_POLL of the base gives 1; the function of layer kind k turns what is below it into ten times
 * that plus k, so that 132 reads: kind 2 on top of kind 3 on top of the base. Kind 3 leaves VOP_LSEEK
 * alone.
 */
import { EINVAL } from '../abi/errno';
import { POLLIN } from '../abi/flags';
import { VOP_LSEEK, VOP_POLL } from '../abi/vops';
import { roots } from '../kern/boot';
import { cpuEnter, cpuLeave } from '../kern/cpu';
import { File } from '../proc/file';
import { Fsmanage, fsmanageSlot } from '../vfs/fsmanage';
import { Layer, layerAdd, layerAlloc, layerFind, layerFree, layerNext, layerRemove, layerSetOp } from '../vfs/layer';
import { Mount } from '../vfs/mount';
import { Vnode } from '../vfs/vnode';
import { vop_lseek, vop_poll } from '../vfs/vop';

export * from '../index';

function fm(): Fsmanage {
  return changetype<Mount>(<usize>roots().r_rootmount).mnt_norm;
}

function below(kind: u32, op: u32): u32 {
  return layerNext(layerFind(fm(), kind), op);
}

function poll1(f: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  return call_indirect<i32>(below(1, VOP_POLL), f, vp, fp, events) * 10 + 1;
}
function poll2(f: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  return call_indirect<i32>(below(2, VOP_POLL), f, vp, fp, events) * 10 + 2;
}
function poll3(f: Fsmanage, vp: Vnode, fp: File, events: u32): i32 {
  return call_indirect<i32>(below(3, VOP_POLL), f, vp, fp, events) * 10 + 3;
}
function lseek1(f: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  return call_indirect<i32>(below(1, VOP_LSEEK), f, vp, whence, offp) * 10 - 1;
}
function lseek2(f: Fsmanage, vp: Vnode, whence: u32, offp: usize): i32 {
  return call_indirect<i32>(below(2, VOP_LSEEK), f, vp, whence, offp) * 10 - 2;
}

/** Lay a layer of kind 1, 2 or 3 on top: what layerAdd says. */
export function layer_put(kind: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const ly: Layer = layerAlloc(kind);
  const p1: (f: Fsmanage, vp: Vnode, fp: File, events: u32) => i32 = kind == 1 ? poll1 : kind == 2 ? poll2 : poll3;
  layerSetOp(ly, VOP_POLL, p1.index);
  if (kind < 3) {
    const s1: (f: Fsmanage, vp: Vnode, whence: u32, offp: usize) => i32 = kind == 1 ? lseek1 : lseek2;
    layerSetOp(ly, VOP_LSEEK, s1.index);
  }
  const r = layerAdd(fm(), ly);
  if (r != 0) layerFree(ly);
  return cpuLeave(r);
}

/** Take the layer of that kind away: 0, or -EINVAL if there is none. */
export function layer_take(kind: u32): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const ly = layerRemove(fm(), kind);
  if (changetype<usize>(ly) == 0) return cpuLeave(-EINVAL);
  layerFree(ly);
  return cpuLeave(0);
}

/** What VOP_POLL and VOP_LSEEK (of a directory: -EINVAL at the base) give now. */
export function layer_poll(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const vp = changetype<Mount>(<usize>roots().r_rootmount).mnt_rootvp;
  return cpuLeave(vop_poll(fm(), vp, changetype<File>(<usize>0), POLLIN));
}
export function layer_lseek(): i32 {
  const e = cpuEnter();
  if (e != 0) return e;
  const mp = changetype<Mount>(<usize>roots().r_rootmount);
  return cpuLeave(vop_lseek(fm(), mp.mnt_rootvp, 3, changetype<usize>(mp)));
}

/** The function in a slot. */
export function layer_slot(op: u32): u32 {
  return fsmanageSlot(fm(), op);
}
