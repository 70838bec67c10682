/** Small machines for tests of the host's own parts. */
import { readFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import { type BootOptions, bootSync } from '../../../host/machine/boot.ts';
import type { Machine } from '../../../host/machine/machine.ts';

const RAM_BYTES = 32 << 20;
// Given as bytes, so that machines boot on platforms that cannot read files too.
const module = readFileSync(new URL('../../../build/kernel/up.wasm', import.meta.url));

/** A machine that is shut down, and in debug flavours checked for leaks, after the file's tests. */
export function testMachine(options: BootOptions = {}): Machine {
  const machine = bootSync({ ram: RAM_BYTES, module, ...options });
  afterAll(() => machine.shutdown());
  return machine;
}
