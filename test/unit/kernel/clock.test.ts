/** Time and entropy of a seeded machine: functions of the seed, the readings and nothing else. */
import { describe, expect, test } from 'vitest';
import { bootSync } from '../../../host/machine/boot.ts';
import { debugMachine, kernelFile } from './kit.ts';
import { Parts } from './parts.ts';

const MASK = 2n ** 64n - 1n;

/** Vigna's splitmix64 finaliser and xorshift128+, by BigInt. */
function generator(seed: bigint): () => bigint {
  const spread = (x: bigint) => {
    let z = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  };
  let s0 = spread((seed + 0x9e3779b97f4a7c15n) & MASK);
  let s1 = spread((seed + 0x3c6ef372fe94f82an) & MASK) | 1n;
  return () => {
    let a = s0;
    const b = s1;
    s0 = b;
    a = (a ^ (a << 23n)) & MASK;
    a ^= (a >> 17n) ^ b ^ (b >> 26n);
    s1 = a;
    return (a + b) & MASK;
  };
}

describe.each([0, 1, 7, 2 ** 53 - 1])('seed %s', (seed) => {
  test('the generator is the one it is said to be', () => {
    const parts = new Parts('up-debug', 8 << 20, seed);
    const { call, cpu } = parts;
    const at = parts.struct(64);
    const view = new DataView(cpu.memory.buffer);
    const reference = generator(BigInt(seed));
    // the boot may have drawn some; the stream is found within the first few
    call.random_next(at);
    const first = view.getBigUint64(at, true);
    let skipped = 0;
    while (reference() !== first) if (++skipped > 100) throw new Error('not a number of this generator');
    for (let i = 0; i < 1000; i++) {
      call.random_next(at);
      expect(view.getBigUint64(at, true)).toBe(reference());
    }
    call.random_fill(at, 13);
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(reference(), 0);
    bytes.writeBigUInt64LE(reference(), 8);
    expect(Buffer.from(cpu.u8.slice(at, at + 13))).toEqual(bytes.subarray(0, 13));
    expect(cpu.u8[at + 13]).toBe(0);
    call.part_free(at);
    parts.close();
  });
});

describe('a virtual clock', () => {
  test('moves a little at each call that looks at it, and as far as it is told', () => {
    const machine = debugMachine({ seed: 1, clock: { type: 'virtual', epochSeconds: 1000 } });
    const { fs } = machine;
    const made = (path: string) => {
      fs.writeFileSync(path, '');
      return fs.statSync(path, { bigint: true }).mtimeNs;
    };
    const [a, b] = [made('/a'), made('/b')];
    expect(b).toBeGreaterThan(a);
    expect(b - a).toBeLessThan(1_000_000n);
    expect(a / 1_000_000_000n).toBe(1000n);
    machine.advanceClock(5_500);
    const c = made('/c');
    expect(c - b).toBeGreaterThanOrEqual(5_500_000_000n);
    expect(c - b).toBeLessThan(5_501_000_000n);
    machine.shutdown();
  });

  test('starts before 1970 as well', () => {
    const machine = debugMachine({ seed: 1, clock: { type: 'virtual', epochSeconds: -10 } });
    machine.fs.writeFileSync('/a', '');
    const { mtimeNs } = machine.fs.statSync('/a', { bigint: true });
    expect(mtimeNs).toBeGreaterThan(-10_000_000_000n);
    expect(mtimeNs).toBeLessThan(-9_990_000_000n);
    machine.shutdown();
  });

  test('cannot be moved back, nor can the host’s be moved', () => {
    const machine = debugMachine({ seed: 1 });
    for (const ms of [-1, Number.NaN, 1e16]) expect(() => machine.advanceClock(ms)).toThrow();
    machine.shutdown();
    const real = debugMachine();
    expect(() => real.advanceClock(1)).toThrow(/real clock/);
    const before = Date.now();
    real.fs.writeFileSync('/a', '');
    expect(Math.abs(real.fs.statSync('/a').mtimeMs - before)).toBeLessThan(10_000);
    real.shutdown();
  });

  test('machines of one seed read the same bytes from /dev/urandom, of another seed others', () => {
    const bytes = (seed: number) => {
      const machine = bootSync({ ram: 4 << 20, seed, module: kernelFile('up') });
      const read = Buffer.alloc(100);
      machine.fs.readSync(machine.fs.openSync('/dev/urandom', 'r'), read, 0, 100, null);
      return read.toString('hex');
    };
    expect(bytes(5)).toBe(bytes(5));
    expect(bytes(5)).not.toBe(bytes(6));
  });
});
