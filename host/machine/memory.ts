/**
 * Memories to be used again: machine after machine, as tests boot them, in the same few.
 *
 * A new WebAssembly.Memory is quick to make, but the engine counts all of it as garbage to come, and
 * collects again and again on the way to a thousand: with a large heap that takes 20 to 60 ms for
 * each. It also reserves some GiB of addresses, of which there are not endlessly many.
 *
 * M1. A memory in the pool is as the engine makes them, all zeros. What is above the frames that
 *     were ever in use (BB_FRAMES_FRESH) has never been anything else.
 * M2. Nobody reaches it any more: its CPU is retired.
 */
import { WASM_PAGE_SIZE } from '../../assembly/abi/layout.ts';

export class MemoryPool {
  readonly #limit: number;
  readonly #usedBytes: number;
  readonly #idle: WebAssembly.Memory[] = [];

  /** Keeps at most `limit` memories that nobody uses, and none of which more than `usedBytes` were
   *  in use: what was touched once stays the process's. */
  constructor(limit: number, usedBytes = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.#usedBytes = usedBytes;
  }

  /** An unshared memory of this size, all zeros. */
  take(ramBytes: number): WebAssembly.Memory {
    const at = this.#idle.findLastIndex(({ buffer }) => buffer.byteLength === ramBytes);
    if (at >= 0) return this.#idle.splice(at, 1)[0];
    const pages = ramBytes / WASM_PAGE_SIZE;
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  }

  /** Take back an unshared memory whose machine is gone, and of which `usedBytes` were in use. */
  give(memory: WebAssembly.Memory, usedBytes: number): void {
    if (usedBytes > this.#usedBytes) return;
    new Uint8Array(memory.buffer, 0, usedBytes).fill(0);
    if (this.#idle.push(memory) > this.#limit) this.#idle.shift();
  }
}
