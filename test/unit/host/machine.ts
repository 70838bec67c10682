/** Small machines for tests of the host's own parts. */
import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import { type BootOptions, bootSync } from '../../../host/machine/boot.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';

const RAM_BYTES = 32 << 20;
// DAMSELFLY_FLAVOUR=smp-debug npx vitest run test/unit/host: the same tests on another flavour.
const flavour = (process.env.DAMSELFLY_FLAVOUR ?? 'up') as Flavour;
// Given as bytes, so that machines boot on platforms that cannot read files too.
const module = readFileSync(new URL(`../../../build/kernel/${flavour}.wasm`, import.meta.url));

/** A machine that is shut down, and in debug flavours checked for leaks, after the file's tests. */
export function testMachine(options: BootOptions = {}): Machine {
  const machine = bootSync({ ram: RAM_BYTES, flavour, module, ...options });
  afterAll(() => machine.shutdown());
  return machine;
}
