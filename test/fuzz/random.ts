import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

const WARM_UP = 20;

/** Draws of a seeded generator: the same for the same seed. */
export class Random {
  readonly #generator: RandomGenerator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
    // neighbouring seeds begin alike
    for (let i = 0; i < WARM_UP; i++) this.#generator.next();
  }

  /** 32 random bits, as a signed number. */
  bits(): number {
    return this.#generator.next();
  }

  /** A number in [0, n); n at most 2^32. The bias of so small an n is of no matter here. */
  below(n: number): number {
    return Math.floor(((this.#generator.next() >>> 0) / 2 ** 32) * n);
  }

  /** A number in [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return (this.#generator.next() >>> 0) / 2 ** 32 < probability;
  }

  /** @throws RangeError when the list is empty */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from');
    return list[this.below(list.length)];
  }

  /** The bits of some of the flags. */
  some(flags: readonly number[], probability: number): number {
    let sum = 0;
    for (const flag of flags) if (this.chance(probability)) sum |= flag;
    return sum;
  }
}
