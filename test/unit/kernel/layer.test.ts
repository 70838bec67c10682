/** Layers: added and removed in every order, each goes on to what is below it, and none is left. */
import { beforeAll, describe, expect, test } from 'vitest';
import { EEXIST, EINVAL } from '../../../assembly/abi/errno.ts';
import { NVOPS } from '../../../assembly/abi/vops.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import { debugMachine } from './kit.ts';
import { testKernel } from './testkernel.ts';

interface LayerExports {
  layer_put(kind: number): number;
  layer_take(kind: number): number;
  layer_poll(): number;
  layer_lseek(): number;
  layer_slot(op: number): number;
}

function permutations(items: number[]): number[][] {
  if (items.length < 2) return [items];
  return items.flatMap((first) =>
    permutations(items.filter((other) => other !== first)).map((rest) => [first, ...rest]),
  );
}

/** What the stack of layers, bottom first, must give. */
const polled = (stack: number[]) => stack.reduce((value, kind) => value * 10 + kind, 1);
const sought = (stack: number[]) =>
  stack.filter((kind) => kind < 3).reduce((value, kind) => value * 10 - kind, -EINVAL);

describe('layers', () => {
  let machine: Machine;
  let layers: LayerExports;
  const slots = () => Array.from({ length: NVOPS }, (_, op) => layers.layer_slot(op));

  beforeAll(() => {
    machine = debugMachine({ module: testKernel('layers', 'up-debug') });
    layers = machine.cpu.exports as unknown as LayerExports;
    return () => machine.shutdown();
  }, 120_000);

  test.each([[[1, 2]], [[1, 2, 3]]])('kinds %j, in all orders of adding and removing', (kinds) => {
    const before = slots();
    let orders = 0;
    for (const adding of permutations(kinds)) {
      for (const removing of permutations(kinds)) {
        const stack: number[] = [];
        for (const kind of adding) {
          expect(layers.layer_put(kind)).toBe(0);
          stack.push(kind);
          expect([adding, stack, layers.layer_poll()]).toEqual([adding, stack, polled(stack)]);
          expect(layers.layer_lseek()).toBe(sought(stack));
        }
        for (const kind of removing) {
          expect(layers.layer_take(kind)).toBe(0);
          stack.splice(stack.indexOf(kind), 1);
          expect([removing, stack, layers.layer_poll()]).toEqual([removing, stack, polled(stack)]);
          expect(layers.layer_lseek()).toBe(sought(stack));
        }
        expect(slots()).toEqual(before);
        orders++;
      }
    }
    expect(orders).toBe(kinds.length === 2 ? 4 : 36);
  });

  test('mixed in between: a layer comes back on top', () => {
    layers.layer_put(1);
    layers.layer_put(2);
    layers.layer_take(1);
    layers.layer_put(3);
    layers.layer_put(1);
    expect(layers.layer_poll()).toBe(polled([2, 3, 1]));
    for (const kind of [3, 1, 2]) layers.layer_take(kind);
    expect(layers.layer_poll()).toBe(1);
  });

  test('one of a kind, and none that is not there', () => {
    const before = slots();
    expect(layers.layer_put(1)).toBe(0);
    expect(layers.layer_put(1)).toBe(-EEXIST);
    expect(layers.layer_take(2)).toBe(-EINVAL);
    expect(layers.layer_take(1)).toBe(0);
    expect(layers.layer_take(1)).toBe(-EINVAL);
    expect(slots()).toEqual(before);
  });

  test('the tracer is a layer among others', () => {
    const { fs } = machine;
    const before = slots();
    layers.layer_put(2);
    fs.writeFileSync('/proc/trace', 'on /');
    layers.layer_put(3);
    layers.layer_take(2);
    expect(layers.layer_poll()).toBe(polled([3]));
    expect(fs.readFileSync('/proc/trace', 'utf8')).toMatch(/ poll #1 1 \d+\n$/);
    fs.writeFileSync('/proc/trace', 'off /');
    expect(layers.layer_poll()).toBe(polled([3]));
    layers.layer_take(3);
    expect(slots()).toEqual(before);
  });

  test('a mount that goes takes its layers along', () => {
    const { fs, init } = machine;
    fs.mkdirSync('/m');
    init.mount('x', '/m', 'tmpfs');
    fs.writeFileSync('/proc/trace', 'on /m');
    init.umount('/m');
  });
});
