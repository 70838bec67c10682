import { describe, expect, test } from 'vitest';
import { EFAULT } from '../../../assembly/abi/errno.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../../../assembly/abi/flags.ts';
import { CALL_SPACES, Cpu } from '../../../host/machine/cpu.ts';

function makeCpu(options = {}) {
  return new Cpu(new WebAssembly.Memory({ initial: 2, maximum: 2 }), options);
}

describe('copyin and copyout', () => {
  test.each([0, 1, 31, 32, 33, 4096])('%i bytes there and back', (length) => {
    const cpu = makeCpu();
    const from = Uint8Array.from({ length: length + 7 }, (_, i) => i * 7);
    const into = new Uint8Array(length + 9);
    cpu.spaces[0] = from;
    cpu.spaces[1] = into;
    expect(cpu.imports.copyin(0, 7, 8192, length)).toBe(0);
    expect(cpu.imports.copyout(1, 9, 8192, length)).toBe(0);
    expect([...into.subarray(9)]).toEqual([...from.subarray(7)]);
    expect([...into.subarray(0, 9)]).toEqual(Array(9).fill(0));
  });

  test('outside of the buffer, of RAM, and in no space', () => {
    const cpu = makeCpu();
    cpu.spaces[0] = new Uint8Array(10);
    for (const copy of [cpu.imports.copyin, cpu.imports.copyout]) {
      expect(copy(0, 5, 0, 6)).toBe(EFAULT);
      expect(copy(0, -1, 0, 1)).toBe(EFAULT);
      expect(copy(0, 0, 131072 - 5, 10)).toBe(EFAULT);
      expect(copy(0, 0, -4, 1)).toBe(EFAULT);
      expect(copy(0, 0, 0, -1)).toBe(EFAULT);
      expect(copy(CALL_SPACES + 5, 0, 0, 1)).toBe(EFAULT);
      expect(copy(3, 0, 0, 1)).toBe(EFAULT);
    }
  });

  test('a buffer that was transferred away', () => {
    const cpu = makeCpu();
    const bytes = new Uint8Array(10);
    cpu.spaces[0] = bytes;
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(cpu.imports.copyout(0, 0, 0, 10)).toBe(EFAULT);
  });

  test('spaces that stay', () => {
    const cpu = makeCpu();
    const space = cpu.addSpace(new Uint8Array(4));
    expect(space).toBeGreaterThanOrEqual(CALL_SPACES);
    cpu.moveSpace(space, new Uint8Array(8));
    expect(cpu.imports.copyin(space, 4, 0, 4)).toBe(0);
    cpu.removeSpace(space);
    expect(cpu.imports.copyin(space, 0, 0, 1)).toBe(EFAULT);
    expect(cpu.addSpace(new Uint8Array(1))).toBe(space);
  });
});

describe('clock and entropy', () => {
  test('seconds and nanoseconds', () => {
    const cpu = makeCpu({ realtimeMs: () => 1234567.25, monotonicMs: () => -1500.5 });
    cpu.imports.clock_read(CLOCK_REALTIME, 4096);
    expect([cpu.f64[512], cpu.u32[1026]]).toEqual([1234, 567250000]);
    cpu.imports.clock_read(CLOCK_MONOTONIC, 4096);
    expect([cpu.f64[512], cpu.u32[1026]]).toEqual([-2, 499500000]);
  });

  test('the host’s own clock', () => {
    const cpu = makeCpu();
    cpu.imports.clock_read(CLOCK_REALTIME, 4096);
    const ms = cpu.f64[512] * 1000 + cpu.u32[1026] / 1e6;
    expect(Math.abs(ms - Date.now())).toBeLessThan(1000);
  });

  test('entropy fills exactly what is asked for', () => {
    const cpu = makeCpu({ entropy: (bytes: Uint8Array) => bytes.fill(0xee) });
    cpu.imports.entropy(1000, 66000);
    expect(cpu.u8.subarray(1000, 67000).every((byte) => byte === 0xee)).toBe(true);
    expect([cpu.u8[999], cpu.u8[67000]]).toEqual([0, 0]);
  });
});
