/** Zones: objects of one size, beside a naive model of which are alive and what is in them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../../assembly/abi/layout.ts';
import { KernelPanic } from '../../../host/machine/panic.ts';
import { checkRam } from '../../helpers/ram.ts';
import { Parts } from './parts.ts';

const STABLE = 1;
const ZEROED = 16;
const NOWAIT = 2;
const FLAVOURS = ['up-debug', 'smp'] as const;

const step = fc.tuple(fc.constantFrom('alloc', 'alloc', 'alloc', 'free', 'free', 'trim'), fc.nat());

/** Fill an object with a byte of its own, so that two that overlap, or one that is written, show. */
function mark({ cpu }: Parts, at: number, size: number, value: number): void {
  cpu.u8.fill(value & 0xff, at, at + size);
}

function marked({ cpu }: Parts, at: number, size: number, value: number): boolean {
  return cpu.u8.subarray(at, at + size).every((byte) => byte === (value & 0xff));
}

describe.each(FLAVOURS)('%s', (flavour) => {
  test.each([8, 24, 64, 136, 264, 1000, 2032, 4064])('objects of %i bytes', (size) => {
    const parts = new Parts(flavour);
    const { call } = parts;
    const zone = call.zone_create(size, 0);
    call.zone_trim();
    const frames = parts.machine.framesInUse;
    const rounded = Math.max(16, Math.ceil(size / 8) * 8);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const alive: { at: number; value: number }[] = [];
        for (const [i, [what, luck]] of steps.entries()) {
          if (what === 'alloc') {
            const zeroed = luck % 2 === 0;
            const at = call.zone_alloc(zone, zeroed ? ZEROED : 0) >>> 0;
            if (at % 8 !== 0 || at === 0) throw new Error(`an object at ${at}`);
            expect(at >>> 12).toBe((at + rounded - 1) >>> 12);
            if (zeroed) expect(marked(parts, at, rounded, 0)).toBe(true);
            mark(parts, at, rounded, i);
            alive.push({ at, value: i });
          } else if (what === 'free' && alive.length > 0) {
            const [{ at, value }] = alive.splice(luck % alive.length, 1);
            expect([at, marked(parts, at, rounded, value)]).toEqual([at, true]);
            call.zone_free(zone, at);
          } else call.zone_trim();
          expect(call.zone_live(zone)).toBe(alive.length);
        }
        for (const { at, value } of alive) {
          expect([at, marked(parts, at, rounded, value)]).toEqual([at, true]);
          call.zone_free(zone, at);
        }
        call.zone_trim();
        expect([call.zone_live(zone), call.zone_frames(zone), parts.machine.framesInUse]).toEqual([
          0,
          0,
          frames,
        ]);
      }),
      { seed: 2004, numRuns: 40 },
    );
    if (flavour === 'up-debug') checkRam(parts.cpu);
    parts.close();
  });

  test('a large zone grows by runs of frames, and gives them all back', () => {
    const parts = new Parts(flavour, 32 << 20);
    const { call } = parts;
    const zone = call.zone_create(512, 0);
    call.zone_trim();
    const frames = parts.machine.framesInUse;
    const objects = Array.from({ length: 3000 }, () => call.zone_alloc(zone, 0) >>> 0);
    expect(new Set(objects).size).toBe(objects.length);
    expect(call.zone_frames(zone)).toBeGreaterThanOrEqual(3000 / 7);
    for (const at of objects) call.zone_free(zone, at);
    call.zone_trim();
    expect(parts.machine.framesInUse).toBe(frames);
    parts.close();
  });

  test('what a type-stable object holds beyond its first word survives it', () => {
    const parts = new Parts(flavour);
    const { call } = parts;
    const zone = call.zone_create(64, STABLE);
    const keeper = call.zone_alloc(zone, 0) >>> 0;
    const at = call.zone_alloc(zone, 0) >>> 0;
    mark(parts, at, 64, 0x5a);
    call.zone_free(zone, at);
    expect(marked(parts, at + 4, 60, 0x5a)).toBe(true);
    call.zone_free(zone, keeper);
    parts.close();
  });

  test('without memory it gives nothing, and goes on when there is some', () => {
    const parts = new Parts(flavour, 4 << 20);
    const { call } = parts;
    const zone = call.zone_create(4064, 0);
    const objects: number[] = [];
    for (let at = call.zone_alloc(zone, NOWAIT) >>> 0; at !== 0; at = call.zone_alloc(zone, NOWAIT) >>> 0)
      objects.push(at);
    expect(objects.length).toBeGreaterThan(100);
    expect(objects.length * PAGE_SIZE).toBeLessThan(4 << 20);
    expect(call.zone_live(zone)).toBe(objects.length);
    call.zone_free(zone, objects.pop() ?? 0);
    const again = call.zone_alloc(zone, NOWAIT) >>> 0;
    expect(again).not.toBe(0);
    for (const at of [...objects, again]) call.zone_free(zone, at);
    call.zone_trim();
    parts.close();
  });

  test('kmalloc gives at least what was asked for, up to its largest class', () => {
    const parts = new Parts(flavour);
    const { call } = parts;
    const pieces = [1, 16, 17, 96, 97, 504, 505, 1016, 2032, 2033, 4064].map((size) => {
      const at = call.part_kmalloc(size, ZEROED) >>> 0;
      expect([size, at !== 0 && marked(parts, at, size, 0)]).toEqual([size, true]);
      mark(parts, at, size, size);
      return { at, size };
    });
    for (const { at, size } of pieces) expect([size, marked(parts, at, size, size)]).toEqual([size, true]);
    expect(call.part_kmalloc(4065, 0)).toBe(0);
    for (const { at } of pieces) call.part_free(at);
    parts.close();
  });
});

describe('what a debug kernel notices', () => {
  const dies = (act: (parts: Parts, zone: number, at: number) => void) => {
    const parts = new Parts('up-debug');
    const zone = parts.call.zone_create(64, 0);
    parts.call.zone_alloc(zone, 0);
    const at = parts.call.zone_alloc(zone, 0) >>> 0;
    let panic: unknown;
    try {
      act(parts, zone, at);
    } catch (error) {
      panic = error;
    }
    expect(panic).toBeInstanceOf(KernelPanic);
    return (panic as Error).message;
  };

  test('an object freed twice', () => {
    const message = dies(({ call }, zone, at) => {
      call.zone_free(zone, at);
      call.zone_free(zone, at);
    });
    expect(message).toContain('object freed twice');
  });

  test('an object freed to another zone', () => {
    expect(dies(({ call }, _zone, at) => call.zone_free(call.zone_create(64, 0), at))).toContain(
      'another zone',
    );
  });

  test('an object that is left when the machine shuts down', () => {
    const parts = new Parts('up-debug');
    const zone = parts.call.zone_create(64, 0);
    parts.call.zone_alloc(zone, 0);
    expect(() => parts.close()).toThrow(/1 kernel object left over/);
  });

  test('what is freed is poisoned', () => {
    const parts = new Parts('up-debug');
    const zone = parts.call.zone_create(64, 0);
    const keeper = parts.call.zone_alloc(zone, 0) >>> 0;
    const at = parts.call.zone_alloc(zone, 0) >>> 0;
    parts.call.zone_free(zone, at);
    expect(marked(parts, at + 4, 60, 0xdf)).toBe(true);
    parts.call.zone_free(zone, keeper);
    parts.close();
  });
});
