/**
 * Time and entropy. Both come from the host, or, on a seeded machine, from state in RAM, so that
 * a run replays bit for bit. One reading serves a whole call: every time stamp a call makes is
 * the same.
 */
import { CLOCK_REALTIME } from '../abi/flags';
import { roots } from './boot';
import { Cpu, curcpu } from './cpu';
import { hostClockRead, hostEntropy } from './imports';

/** A virtual clock moves by this much at each reading, so that later calls have later times. */
const VCLOCK_STEP_NS: i64 = 1000;
const NS_PER_S: i64 = 1_000_000_000;

/** Make c_nowsec and c_nownsec this call's time. */
export function clockNow(): void {
  const c = curcpu;
  if (c.c_nowvalid != 0) return;
  const r = roots();
  if (r.r_vclock != 0) {
    r.r_vclock_ns += VCLOCK_STEP_NS;
    if (r.r_wbnext != 0 && r.r_vclock_ns >= r.r_wbnext) r.r_entermark = u32.MAX_VALUE;
    let sec = r.r_vclock_ns / NS_PER_S;
    let ns = r.r_vclock_ns - sec * NS_PER_S;
    if (ns < 0) {
      ns += NS_PER_S;
      sec--;
    }
    c.c_nowsec = sec;
    c.c_nownsec = <u32>ns;
  } else {
    const at = changetype<usize>(c) + offsetof<Cpu>('c_clock0');
    hostClockRead(CLOCK_REALTIME, at);
    c.c_nowsec = <i64>load<f64>(at);
    c.c_nownsec = load<u32>(at, 8);
  }
  c.c_nowvalid = 1;
}

/** Milliseconds since some fixed moment, for deadlines. */
export function clockMs(): f64 {
  clockNow();
  return <f64>curcpu.c_nowsec * 1000.0 + <f64>curcpu.c_nownsec / 1e6;
}

/** 64 random bits: xorshift128+ on a seeded machine, the host's entropy otherwise. */
export function random64(): u64 {
  const r = roots();
  if ((r.r_seed0 | r.r_seed1) == 0) {
    const at = changetype<usize>(curcpu) + offsetof<Cpu>('c_clock0');
    hostEntropy(at, 8);
    return load<u64>(at);
  }
  let a = r.r_seed0;
  const b = r.r_seed1;
  r.r_seed0 = b;
  a ^= a << 23;
  a ^= (a >> 17) ^ b ^ (b >> 26);
  r.r_seed1 = a;
  return a + b;
}

/** Seed the generator (splitmix64 spreads small seeds over both words). */
export function randomSeed(seed: u64): void {
  const r = roots();
  r.r_seed0 = splitmix(seed + 0x9e3779b97f4a7c15);
  r.r_seed1 = splitmix(seed + 0x3c6ef372fe94f82a) | 1;
}

function splitmix(x: u64): u64 {
  let z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

/** Fill memory with random bytes. */
export function randomFill(p: usize, len: u32): void {
  const r = roots();
  if ((r.r_seed0 | r.r_seed1) == 0) {
    hostEntropy(p, len);
    return;
  }
  let i: u32 = 0;
  for (; i + 8 <= len; i += 8) store<u64>(p + i, random64());
  if (i < len) {
    let v = random64();
    for (; i < len; i++) {
      store<u8>(p + i, <u8>v);
      v >>= 8;
    }
  }
}
