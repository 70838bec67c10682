/**
 * Sysctls: named values, read and set as text (/proc/sys). A name is a path with dots,
 * "vfs.maxvnodes"; the tree that procfs shows follows from the names.
 *
 * A node shows and sets itself by two functions; for a plain u32 in RAM the generic pair here, with
 * bounds. Nodes are registered at boot, never removed, and known by their place in the list, which
 * begins with the first registered.
 */
import { EINVAL } from '../abi/errno';
import { ALLOC_NOIO, ALLOC_ZERO } from '../vm/page';
import { kmalloc } from '../vm/zone';
import { Roots, roots } from '../kern/boot';
import { litLen, litChar, Text, textByte, textU64 } from '../kern/text';

@unmanaged
export class Sysctl {
  sc_next: u32;
  sc_name: u32; // string literal
  sc_mode: u32; // permission bits of its file
  sc_addr: u32; // generic: the value
  sc_min: u32;
  sc_max: u32;
  sc_show: u32; // function indices; sc_set 0: it cannot be set
  sc_set: u32;
}

/** Register a node. Boot only. */
export function sysctlRegister(
  name: string,
  mode: u32,
  show: (sc: Sysctl, t: Text) => void,
  set: (sc: Sysctl, text: usize, len: u32) => i32,
): Sysctl {
  const sc = sysctlShown(name, show);
  sc.sc_mode = mode;
  sc.sc_set = set.index;
  return sc;
}

/** Register a node that cannot be set. Boot only. */
export function sysctlShown(name: string, show: (sc: Sysctl, t: Text) => void): Sysctl {
  const sc = changetype<Sysctl>(kmalloc(offsetof<Sysctl>(), ALLOC_NOIO | ALLOC_ZERO));
  sc.sc_name = <u32>changetype<usize>(name);
  sc.sc_mode = 0o444;
  sc.sc_show = show.index;
  let link = changetype<usize>(roots()) + offsetof<Roots>('r_sysctl');
  while (load<u32>(link) != 0) link = <usize>load<u32>(link);
  store<u32>(link, <u32>changetype<usize>(sc));
  return sc;
}

/** A u32 at `addr` that may be set to min … max. Boot only. */
export function sysctlNumber(name: string, addr: usize, min: u32, max: u32): Sysctl {
  const sc = sysctlRegister(name, 0o644, numberShow, numberSet);
  sc.sc_addr = <u32>addr;
  sc.sc_min = min;
  sc.sc_max = max;
  return sc;
}

function numberShow(sc: Sysctl, t: Text): void {
  textU64(t, load<u32>(sc.sc_addr));
  textByte(t, 10);
}

function numberSet(sc: Sysctl, text: usize, len: u32): i32 {
  const v = sysctlParse(text, len);
  if (v < <i64>sc.sc_min || v > <i64>sc.sc_max) return -EINVAL;
  store<u32>(sc.sc_addr, <u32>v);
  return 0;
}

/** A decimal number with white space around it; -1 if it is anything else. */
export function sysctlParse(text: usize, len: u32): i64 {
  let i: u32 = 0;
  while (i < len && load<u8>(text + i) <= 32) i++;
  while (len > i && load<u8>(text + len - 1) <= 32) len--;
  if (i == len || len - i > 15) return -1;
  let v: i64 = 0;
  for (; i < len; i++) {
    const d = <u32>load<u8>(text + i) - 48;
    if (d > 9) return -1;
    v = v * 10 + d;
  }
  return v;
}

/** The node at a place in the list, or null. */
export function sysctlAt(index: u32): Sysctl {
  let p = roots().r_sysctl;
  for (; index != 0 && p != 0; index--) p = load<u32>(p);
  return changetype<Sysctl>(<usize>p);
}

// @ts-ignore: decorator
@inline
export function sysctlName(sc: Sysctl): string {
  return changetype<string>(<usize>sc.sc_name);
}

/** Do the first `n` characters of two nodes' names agree? */
export function sysctlSamePrefix(a: Sysctl, b: Sysctl, n: u32): bool {
  const s = sysctlName(a);
  const u = sysctlName(b);
  if (litLen(s) < n || litLen(u) < n) return false;
  for (let i: u32 = 0; i < n; i++) if (litChar(s, i) != litChar(u, i)) return false;
  return true;
}

/** Where the part of the name that begins at `from` ends: at a dot, or at the name's end. */
export function sysctlPartEnd(sc: Sysctl, from: u32): u32 {
  const s = sysctlName(sc);
  let i = from;
  while (i < litLen(s) && litChar(s, i) != 46) i++;
  return i;
}

export function sysctl_show(sc: Sysctl, t: Text): void {
  call_indirect<void>(sc.sc_show, sc, t);
}

/** Set from text: 0 or an errno. */
export function sysctl_set(sc: Sysctl, text: usize, len: u32): i32 {
  return sc.sc_set == 0 ? -EINVAL : call_indirect<i32>(sc.sc_set, sc, text, len);
}
