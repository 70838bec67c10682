/**
 * The generator of the in-kernel loops (assembly/abi/bench.ts), so that every contestant draws
 * names in one order from one seed.
 */

/** Marsaglia's xorshift, 13-17-5: 32 bits of state, never zero. */
export class Xorshift32 {
  state: number;

  /** @param seed 1 … 2^32 - 1 */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 1 || seed > 0xffffffff)
      throw new RangeError(`seed ${seed} is not in 1 … 2^32 - 1`);
    this.state = seed;
  }

  /** Uniform in 1 … 2^32 - 1. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  /** Uniform in 0 … n - 1, for n up to 2^21: the product stays an exact integer. */
  below(n: number): number {
    return Math.floor((this.next() * n) / 0x100000000);
  }

  /** Fisher-Yates, in place. */
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = list[i];
      list[i] = list[j];
      list[j] = held;
    }
    return list;
  }
}

/** The name of entry `index` of a benchmark's directory. */
export function benchName(index: number): string {
  return `f${index.toString(16).padStart(8, '0')}`;
}
