/** FrameArrays: from a few bytes to a tree of frames and back; elements stay where they are. */
import { describe, expect, test } from 'vitest';
import { ENOMEM } from '../../../assembly/abi/errno.ts';
import { Parts } from './parts.ts';

const BYTES = 16;
const HEIGHT = 4;
const CAP = 8;
const LEN = 12;
/** Elements in a frame. */
const WAYS = 1024;

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  const setup = (ram: number) => {
    const parts = new Parts(flavour, ram);
    const fa = parts.struct(BYTES);
    const { call, cpu } = parts;
    const at = (i: number) => (call.array_at(fa, i) >>> 0) >>> 2;
    return { parts, fa, call, cpu, at };
  };

  test.each([3, 4, 5, 503, 504, 505, WAYS, WAYS + 1, 5 * WAYS, WAYS * WAYS + 3])('%i elements', (length) => {
    const { parts, fa, call, cpu, at } = setup(16 << 20);
    call.zone_trim();
    const frames = parts.machine.framesInUse;
    for (let i = 0; i < length; i++) {
      while (parts.word(fa + CAP) <= i) {
        if (call.array_grow(fa) !== 0) throw new Error(`no room at ${i}`);
      }
      const word = at(i);
      if (cpu.u32[word] !== 0) throw new Error(`element ${i} is not zero`);
      cpu.u32[word] = i * 3 + 1;
      cpu.u32[(fa + LEN) >>> 2] = i + 1;
    }
    for (let i = 0; i < length; i++)
      if (cpu.u32[at(i)] !== i * 3 + 1) throw new Error(`element ${i} is lost`);
    expect(parts.word(fa + HEIGHT)).toBe(
      length <= 504 ? 0 : length <= WAYS ? 1 : length <= WAYS * WAYS ? 2 : 3,
    );
    // less and less is used: what is still there stays, and the tree gets lower
    for (let left = length; left > 0; left = Math.floor(left / 3)) {
      cpu.u32[(fa + LEN) >>> 2] = left;
      call.array_trim(fa);
      if (length > 504) expect(parts.word(fa + CAP)).toBeLessThan(left + 3 * WAYS);
      expect(parts.word(fa + CAP)).toBeGreaterThanOrEqual(left);
      for (let i = 0; i < left; i++)
        if (cpu.u32[at(i)] !== i * 3 + 1) throw new Error(`element ${i} is lost`);
    }
    call.array_free(fa);
    call.zone_trim();
    expect(parts.machine.framesInUse).toBe(frames);
    expect([HEIGHT, CAP, LEN].map((field) => parts.word(fa + field))).toEqual([0, 0, 0]);
    call.part_free(fa);
    parts.close();
  });

  test('growing without memory changes nothing, and loses none', () => {
    const { parts, fa, call, cpu, at } = setup(8 << 20);
    const { kernel } = parts;
    if (flavour !== 'up-debug') {
      call.part_free(fa);
      return parts.close();
    }
    call.zone_trim();
    const frames = parts.machine.framesInUse;
    let failures = 0;
    // through each change of shape: block, frame, two levels
    for (let i = 0; i < 2 * WAYS + 10; i++) {
      if (parts.word(fa + CAP) <= i) {
        for (let failing = 1; ; failing++) {
          kernel.fault_arm(failing);
          const result = call.array_grow(fa);
          kernel.fault_arm(0);
          if (result === 0) break;
          failures++;
          expect(result).toBe(-ENOMEM);
          expect(parts.word(fa + CAP)).toBe(i);
          for (let j = 0; j < i; j += 37) expect(cpu.u32[at(j)]).toBe(j + 1);
          expect(failing).toBeLessThan(10);
        }
      }
      cpu.u32[at(i)] = i + 1;
      cpu.u32[(fa + LEN) >>> 2] = i + 1;
    }
    expect(failures).toBeGreaterThan(10);
    call.array_free(fa);
    call.zone_trim();
    expect(parts.machine.framesInUse).toBe(frames);
    call.part_free(fa);
    parts.close();
  });
});
