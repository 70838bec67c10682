/** Frames: taken one by one and in runs until there is none, and given back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BB_FRAMES_FREE,
  BOOTBLOCK,
  PAGE_SIZE,
  PG_FLAGS,
  VMPAGE_SIZE,
  BB_PAGES,
} from '../../../assembly/abi/layout.ts';
import { KernelPanic } from '../../../host/machine/panic.ts';
import { checkRam } from '../../helpers/ram.ts';
import { Parts } from './parts.ts';

const KERNEL = 2;
const NOIO = 0;
const RESERVE = 1;
const ZEROED = 16;

const free = ({ cpu }: Parts) => cpu.u32[(BOOTBLOCK + BB_FRAMES_FREE) >>> 2];

function flagsOf({ cpu }: Parts, at: number): number {
  const table = cpu.u32[(BOOTBLOCK + BB_PAGES) >>> 2];
  return cpu.u32[(table + (at / PAGE_SIZE) * VMPAGE_SIZE + PG_FLAGS) >>> 2];
}

describe.each(['up-debug', 'smp'] as const)('%s', (flavour) => {
  test('the reserve is for those who remove things; then there is nothing', () => {
    const parts = new Parts(flavour, 4 << 20);
    const { call } = parts;
    call.zone_trim();
    const before = free(parts);
    const frames: number[] = [];
    for (let at = call.page_alloc(NOIO, KERNEL) >>> 0; at !== 0; at = call.page_alloc(NOIO, KERNEL) >>> 0)
      frames.push(at);
    const reserve = free(parts);
    expect(reserve).toBe(16);
    for (
      let at = call.page_alloc(RESERVE, KERNEL) >>> 0;
      at !== 0;
      at = call.page_alloc(RESERVE, KERNEL) >>> 0
    )
      frames.push(at);
    expect(free(parts)).toBe(0);
    expect(call.page_run(1)).toBe(0);
    expect(new Set(frames).size).toBe(frames.length);
    // caches gave theirs too
    expect(frames.length).toBeGreaterThanOrEqual(before);
    for (const at of frames) call.page_free(at);
    expect(free(parts)).toBe(frames.length);
    checkRam(parts.cpu);
    parts.close();
  });

  test('frames and runs of frames, at random, beside a list of those in use', () => {
    const parts = new Parts(flavour, 4 << 20);
    const { call, cpu } = parts;
    call.zone_trim();
    const before = free(parts);
    const step = fc.tuple(
      fc.constantFrom('one', 'one', 'run', 'free', 'free'),
      fc.integer({ min: 1, max: 60 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const held: { at: number; n: number }[] = [];
        const inUse = new Set<number>();
        for (const [what, luck] of steps) {
          if (what === 'free') {
            if (held.length === 0) continue;
            const [{ at, n }] = held.splice(luck % held.length, 1);
            for (let i = 0; i < n; i++) inUse.delete(at + i * PAGE_SIZE);
            call.page_run_free(at, n);
            continue;
          }
          const n = what === 'one' ? 1 : luck;
          const at = (what === 'one' ? call.page_alloc(NOIO | ZEROED, KERNEL) : call.page_run(n)) >>> 0;
          if (at === 0) continue;
          expect(at % PAGE_SIZE).toBe(0);
          for (let i = 0; i < n; i++) {
            if (inUse.has(at + i * PAGE_SIZE)) throw new Error(`frame ${at} is given twice`);
            inUse.add(at + i * PAGE_SIZE);
            expect(flagsOf(parts, at + i * PAGE_SIZE) & KERNEL).toBe(KERNEL);
          }
          expect(cpu.u32.subarray(at >>> 2, (at + n * PAGE_SIZE) >>> 2).every((word) => word === 0)).toBe(
            true,
          );
          cpu.u8.fill(0xee, at, at + n * PAGE_SIZE);
          held.push({ at, n });
        }
        expect(before - free(parts)).toBe(inUse.size);
        for (const { at, n } of held) call.page_run_free(at, n);
        expect(free(parts)).toBe(before);
      }),
      { seed: 2004, numRuns: 60 },
    );
    checkRam(cpu);
    parts.close();
  });
});

test('a debug kernel notices a frame that is freed twice', () => {
  const parts = new Parts('up-debug');
  const at = parts.call.page_alloc(NOIO, KERNEL) >>> 0;
  parts.call.page_free(at);
  expect(() => parts.call.page_free(at)).toThrow(KernelPanic);
  expect(parts.cpu.panic?.message).toContain('frame freed twice');
});

test.each(['up-debug', 'smp-debug'] as const)(
  '%s: frames that nobody gives back are reported at shutdown',
  (flavour) => {
    const FILE = 8;
    for (const [kind, said] of [
      [KERNEL, 'frames of the kernel 3'],
      [FILE, 'frames of files 3'],
    ] as const) {
      const parts = new Parts(flavour);
      for (let i = 0; i < 3; i++) parts.call.page_alloc(NOIO, kind);
      expect(() => parts.close()).toThrow(new RegExp(`3 kernel objects left over[^]*${said}`));
    }
  },
);
