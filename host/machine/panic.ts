import {
  BB_PANIC_LEN,
  BB_PANIC_MAX,
  BB_PANIC_MSG,
  BB_STATE,
  BOOTBLOCK,
  MACHINE_DEAD,
} from '../../assembly/abi/layout.ts';

/**
 * The kernel found one of its invariants broken. The machine is dead: every later call throws
 * this too. In debug flavours the stack names the kernel's source lines.
 */
export class KernelPanic extends Error {
  readonly code = 'ERR_KERNEL_PANIC';

  constructor(message: string, options?: ErrorOptions) {
    super(`kernel panic: ${message}`, options);
    this.name = 'KernelPanic';
  }
}

/** Objects were left over when a debug machine shut down: somebody forgot a reference. */
export class LeakError extends Error {
  readonly code = 'ERR_KERNEL_LEAK';
  /** How many kernel objects are left. */
  readonly count: number;

  constructor(count: number, log: string) {
    super(`${count} kernel object${count === 1 ? '' : 's'} left over at shutdown\n${log}`);
    this.name = 'LeakError';
    this.count = count;
  }
}

/** The panic that the boot block of this RAM records. */
export function readPanic(u8: Uint8Array, u32: Uint32Array, options?: ErrorOptions): KernelPanic {
  const length = Math.min(u32[(BOOTBLOCK + BB_PANIC_LEN) >>> 2], BB_PANIC_MAX);
  const start = BOOTBLOCK + BB_PANIC_MSG;
  let text = '';
  for (let i = start; i < start + length; i++) text += String.fromCharCode(u8[i]);
  return new KernelPanic(text === '' ? 'unwound through the kernel' : text, options);
}

/** Record a panic that the kernel could not: something unwound through it. */
export function recordPanic(u8: Uint8Array, u32: Uint32Array, message: string): void {
  const length = Math.min(message.length, BB_PANIC_MAX);
  for (let i = 0; i < length; i++) u8[BOOTBLOCK + BB_PANIC_MSG + i] = message.charCodeAt(i) & 0x7f;
  u32[(BOOTBLOCK + BB_PANIC_LEN) >>> 2] = length;
  u32[(BOOTBLOCK + BB_STATE) >>> 2] = MACHINE_DEAD;
}

/** Turns a module's byte offset into a place in its source; undefined where there is none. */
export type SourceLookup = (offset: number) => string | undefined;

/** Rewrite the frames of a stack that lie in WebAssembly to source places. */
export function mapStack(stack: string, lookup: SourceLookup): string {
  return stack.replace(/wasm:\/\/\S*?:(?:wasm-function\[\d+\]:)?0x([0-9a-f]+)/g, (frame, offset: string) => {
    return lookup(Number.parseInt(offset, 16)) ?? frame;
  });
}
