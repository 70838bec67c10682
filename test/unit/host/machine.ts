/** Small machines for tests of the host's own parts. */
import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import type { Flavour } from '../../../host/machine/kernels.ts';
import * as testing from '../../../host/testing/vitest.ts';

// DAMSELFLY_FLAVOUR=smp-debug npx vitest run test/unit/host: the same tests on another flavour.
const flavour = (process.env.DAMSELFLY_FLAVOUR ?? 'up') as Flavour;

const machineOptions: testing.TestMachineOptions = {
  ram: 32 << 20,
  flavour,
  // Given as bytes, so that machines boot on platforms that cannot read files too.
  module: readFileSync(new URL(`../../../build/kernel/${flavour}.wasm`, import.meta.url)),
};

/** A machine for all tests of a file, after which it is shut down and checked. */
export function testMachine(options: testing.TestMachineOptions = {}): testing.TestMachine {
  const machine = testing.testMachine({ ...machineOptions, ...options });
  afterAll(() => machine.close());
  return machine;
}

/** A machine for each test. */
export const test = testing.test.extend({ machineOptions });
