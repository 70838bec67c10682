/**
 * Panics: only a broken kernel invariant gets here. The message and the CPU go to the boot
 * block, the machine is marked dead, and the trap unwinds to the host, which turns this and
 * every later call into a KernelPanic.
 */
import { BB_PANIC_MAX, BB_PANIC_MSG, BOOTBLOCK, CPU_RUNNABLE, MACHINE_DEAD, NCPU_MAX } from '../abi/layout';
import { bb, BootBlock, CPUTABLE, KLOG_ADDR, KLOG_SIZE, ROOTS, Roots, roots } from './boot';
import { Cpu, curcpu } from './cpu';
import { hostPanicked } from './imports';
import { HELD_MAX } from './lock';
import { litChar, litLen, Text, textHex, textInit, textLit, textU64 } from './text';

/** Die, with a message and the address or number that shows what was wrong. */
export function panicAt(msg: string, value: usize): void {
  die(msg, value, curcpu);
}

/** Die because of another CPU: what that one holds is told. */
export function panicFor(msg: string, c: Cpu): void {
  die(msg, 0, c);
}

function die(msg: string, value: usize, c: Cpu): void {
  const b = bb();
  // of several that find something wrong at once the first one speaks
  if (SMP ? atomic.xchg<u32>(changetype<usize>(b) + offsetof<BootBlock>('bb_dying'), 1) == 0 : b.bb_state != MACHINE_DEAD) {
    const t = changetype<Text>(ROOTS + offsetof<Roots>('r_text0'));
    textInit(t, <usize>BOOTBLOCK + BB_PANIC_MSG, BB_PANIC_MAX);
    textLit(t, msg);
    if (value != 0) {
      textLit(t, ' (0x');
      textHex(t, <u32>value);
      textLit(t, ')');
    }
    if (SMP && changetype<usize>(c) != 0) tellCpu(t, c);
    b.bb_panic_len = t.t_len;
    b.bb_state = MACHINE_DEAD;
    if (SMP) wakeEverybody();
    hostPanicked();
  }
  unreachable();
}

/** Which CPU, and in debug kernels what it holds: rank and address of each lock. */
function tellCpu(t: Text, c: Cpu): void {
  bb().bb_panic_cpu = c.c_id;
  textLit(t, ', CPU ');
  textU64(t, c.c_id);
  const n = c.c_nheld;
  if (n == 0 || n > HELD_MAX) return;
  textLit(t, ', which holds');
  for (let i: u32 = 0; i < n; i++) {
    textLit(t, i == 0 ? ' rank ' : ', rank ');
    textU64(t, load<u32>(c.heldAt(i) + 4));
    textLit(t, ' at 0x');
    textHex(t, load<u32>(c.heldAt(i)));
  }
}

/** Every CPU that waits for something to do finds the machine dead. Those that wait for locks look by themselves. */
function wakeEverybody(): void {
  for (let i: usize = 0; i < NCPU_MAX; i++) {
    const c = <usize>load<u32>(CPUTABLE + (i << 2));
    if (c != 0) atomic.notify(c + CPU_RUNNABLE, -1);
  }
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
