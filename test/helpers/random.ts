/** Numbers in [0, n), the same for the same seed (Marsaglia's xorshift, 13-17-5). */
export function seeded(seed: number): (n: number) => number {
  let x = seed | 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}
