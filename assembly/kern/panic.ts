/**
 * Panics: only a broken kernel invariant gets here. The message and the CPU go to the boot
 * block, the machine is marked dead, and the trap unwinds to the host, which turns this and
 * every later call into a KernelPanic.
 */
import { BB_PANIC_MAX, BB_PANIC_MSG, BOOTBLOCK, MACHINE_DEAD } from '../abi/layout';
import { bb, KLOG_ADDR, KLOG_SIZE, ROOTS, Roots, roots } from './boot';
import { hostPanicked } from './imports';
import { litChar, litLen, Text, textHex, textInit, textLit } from './text';

/** Die, with a message and the address or number that shows what was wrong. */
export function panicAt(msg: string, value: usize): void {
  const b = bb();
  if (b.bb_state != MACHINE_DEAD) {
    const t = changetype<Text>(ROOTS + offsetof<Roots>('r_text0'));
    textInit(t, <usize>BOOTBLOCK + BB_PANIC_MSG, BB_PANIC_MAX);
    textLit(t, msg);
    if (value != 0) {
      textLit(t, ' (0x');
      textHex(t, <u32>value);
      textLit(t, ')');
    }
    b.bb_panic_len = t.t_len;
    b.bb_state = MACHINE_DEAD;
    hostPanicked();
  }
  unreachable();
}

export function panic(msg: string): void {
  panicAt(msg, 0);
}

/** For `if (DEBUG) kassert(…)`, and for the few invariants worth checking always. */
// @ts-ignore: decorator
@inline
export function kassert(cond: bool, msg: string): void {
  if (!cond) panicAt(msg, 0);
}

/** One line into the kernel log (/proc/kmsg): a literal and a number. */
export function klog(msg: string, value: u64): void {
  const n = litLen(msg);
  for (let i: u32 = 0; i < n; i++) klogByte(litChar(msg, i));
  klogByte(32);
  let div: u64 = 1;
  while (value / div >= 10) div *= 10;
  for (; div != 0; div /= 10) klogByte(48 + <u32>((value / div) % 10));
  klogByte(10);
}

/** Text into the kernel log, its line's end included. */
export function klogText(p: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) klogByte(load<u8>(p + i));
}

function klogByte(c: u32): void {
  const r = roots();
  store<u8>(KLOG_ADDR + (r.r_klog_head & (KLOG_SIZE - 1)), <u8>c);
  r.r_klog_head++;
}
