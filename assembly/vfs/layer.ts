/**
 * Layers: what interposes on an Fsmanage's operations (tracing, faults, later journalling and
 * coherency) by replacing slots.
 *
 * A layer is a record with its own vector: ly_op[i] is the function it puts in slot i, or 0; and
 * ly_next[i] is what was in the slot below it, for its functions to go on to (layerNext). Layers
 * are a list, topmost first. Adding or removing one, in any order, rebuilds: the base vector is
 * put back, then the layers that remain are laid on it from the bottom up. No layer: the vector is
 * the file system's own, and a dispatch costs what it always did.
 */
import { EEXIST, ENOMEM } from '../abi/errno';
import { NVOPS } from '../abi/vops';
import { roots } from '../kern/boot';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { Zone, zoneAlloc, zoneCreate, zoneFree } from '../vm/zone';
import { Fsmanage, fsmanageSetSlot, fsmanageSlot } from './fsmanage';

@unmanaged
export class Layer {
  ly_below: u32; // next layer down
  ly_kind: u32; //  LAYER_*: one of a kind on an Fsmanage
  ly_data: u32; //  the layer's own
  ly_pad: u32;
  // u32 ly_op[NVOPS], u32 ly_next[NVOPS]
}

export const LAYER_TRACE: u32 = 1;
export const LAYER_FAULT: u32 = 2;
export const LAYER_BASE: u32 = 0x80000000; // the saved vector, at the bottom

const LY_OP: usize = offsetof<Layer>();
const LY_NEXT: usize = LY_OP + 4 * NVOPS;

export function layerInit(): void {
  roots().r_zlayer = <u32>changetype<usize>(zoneCreate('layer', <u32>LY_NEXT + 4 * NVOPS, 0));
}

/** The function (its table index) that a layer puts in a slot; 0: it leaves that slot alone. */
// @ts-ignore: decorator
@inline
export function layerSetOp(ly: Layer, op: u32, index: u32): void {
  store<u32>(changetype<usize>(ly) + LY_OP + ((<usize>op) << 2), index);
}

/** Take over what the typed setters put in a vector; a slot of 0 stays 0. */
export function layerSetVector(ly: Layer, vec: Fsmanage): void {
  for (let i: u32 = 0; i < NVOPS; i++) layerSetOp(ly, i, fsmanageSlot(vec, i));
}

/** What a layer's function calls to go on. */
// @ts-ignore: decorator
@inline
export function layerNext(ly: Layer, op: u32): u32 {
  return load<u32>(changetype<usize>(ly) + LY_NEXT + ((<usize>op) << 2));
}

/** The layer of that kind on fm, or null. */
export function layerFind(fm: Fsmanage, kind: u32): Layer {
  let ly = fm.fm_layers;
  while (changetype<usize>(ly) != 0 && ly.ly_kind != kind) ly = changetype<Layer>(<usize>ly.ly_below);
  return ly;
}

/** A layer record, on no Fsmanage; null: no memory. */
export function layerAlloc(kind: u32): Layer {
  const ly = changetype<Layer>(zoneAlloc(changetype<Zone>(<usize>roots().r_zlayer), ALLOC_NOIO | ALLOC_ZERO));
  if (changetype<usize>(ly) != 0) ly.ly_kind = kind;
  return ly;
}

export function layerFree(ly: Layer): void {
  zoneFree(changetype<Zone>(<usize>roots().r_zlayer), changetype<usize>(ly));
}

/** Lay a layer on top: 0, -EEXIST (one of its kind is there), -ENOMEM. */
export function layerAdd(fm: Fsmanage, ly: Layer): i32 {
  if (changetype<usize>(layerFind(fm, ly.ly_kind)) != 0) return -EEXIST;
  if (fm.fm_base == 0) {
    const base = layerAlloc(LAYER_BASE);
    if (changetype<usize>(base) == 0) return -ENOMEM;
    for (let i: u32 = 0; i < NVOPS; i++) layerSetOp(base, i, fsmanageSlot(fm, i));
    fm.fm_base = <u32>changetype<usize>(base);
  }
  ly.ly_below = <u32>changetype<usize>(fm.fm_layers);
  fm.fm_layers = ly;
  rebuild(fm);
  return 0;
}

/** Take the layer of that kind away, wherever it is, and hand it to the caller; null: none. */
export function layerRemove(fm: Fsmanage, kind: u32): Layer {
  const ly = layerFind(fm, kind);
  if (changetype<usize>(ly) == 0) return ly;
  if (changetype<usize>(fm.fm_layers) == changetype<usize>(ly)) {
    fm.fm_layers = changetype<Layer>(<usize>ly.ly_below);
  } else {
    let above = fm.fm_layers;
    while (above.ly_below != <u32>changetype<usize>(ly)) above = changetype<Layer>(<usize>above.ly_below);
    above.ly_below = ly.ly_below;
  }
  rebuild(fm);
  return ly;
}

/** Base vector, then each layer from the bottom up. */
function rebuild(fm: Fsmanage): void {
  const base = changetype<Layer>(<usize>fm.fm_base);
  for (let i: u32 = 0; i < NVOPS; i++) {
    fsmanageSetSlot(fm, i, load<u32>(changetype<usize>(base) + LY_OP + ((<usize>i) << 2)));
  }
  let done: u32 = 0;
  while (done != <u32>changetype<usize>(fm.fm_layers)) {
    let ly = fm.fm_layers;
    while (ly.ly_below != done) ly = changetype<Layer>(<usize>ly.ly_below);
    for (let i: u32 = 0; i < NVOPS; i++) {
      store<u32>(changetype<usize>(ly) + LY_NEXT + ((<usize>i) << 2), fsmanageSlot(fm, i));
      const op = load<u32>(changetype<usize>(ly) + LY_OP + ((<usize>i) << 2));
      if (op != 0) fsmanageSetSlot(fm, i, op);
    }
    done = <u32>changetype<usize>(ly);
  }
  if (changetype<usize>(fm.fm_layers) == 0) {
    layerFree(base);
    fm.fm_base = 0;
  }
}
