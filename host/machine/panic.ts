import { BB_PANIC_LEN, BB_PANIC_MAX, BB_PANIC_MSG, BOOTBLOCK } from '../../assembly/abi/layout.ts';

/** The kernel found one of its invariants broken. The machine is dead: every later call throws this too. */
export class KernelPanic extends Error {
  readonly code = 'ERR_KERNEL_PANIC';

  constructor(message: string) {
    super(`kernel panic: ${message}`);
    this.name = 'KernelPanic';
  }
}

/** The panic that the boot block of this RAM records. */
export function readPanic(u8: Uint8Array, u32: Uint32Array): KernelPanic {
  const length = Math.min(u32[(BOOTBLOCK + BB_PANIC_LEN) >>> 2], BB_PANIC_MAX);
  const start = BOOTBLOCK + BB_PANIC_MSG;
  let text = '';
  for (let i = start; i < start + length; i++) text += String.fromCharCode(u8[i]);
  return new KernelPanic(text === '' ? 'no message' : text);
}
