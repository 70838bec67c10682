/**
 * vitest's `test` with a machine of its own for each test. It runs under vitest 4 and 5.
 */
import { test as base, type TestAPI } from 'vitest';
import type { NodeFs } from '../syscalls/fs/types.ts';
import { type TestMachine, testMachine } from './machine.ts';
import type { TestMachineOptions } from './template.ts';

export * from './index.ts';

export interface MachineFixtures {
  /**
   * What the machine is like. Set it for a file or a `describe` by
   * `test.override({ machineOptions: {…} })` (in vitest 4.0: `test.scoped`), for a project by
   * `provide: { machineOptions: {…} }` in vitest's configuration.
   */
  machineOptions: TestMachineOptions;
  /** This test's machine: a copy of the one booted for the options. Every test gets one, asked for or not. */
  machine: TestMachine;
  /** Its `fs`, which is also what mocks of node:fs lead to. */
  fs: NodeFs;
}

declare module 'vitest' {
  interface ProvidedContext {
    machineOptions?: TestMachineOptions;
  }
}

/**
 * @example
 * test('is written', ({ fs }) => {
 *   fs.writeFileSync('/tmp/file', 'text');
 *   expect(fs.statSync('/tmp/file').size).toBe(4);
 * });
 */
export const test: TestAPI<MachineFixtures> = base.extend<MachineFixtures>({
  machineOptions: [{}, { injected: true }],
  machine: [
    async ({ machineOptions, task }, use) => {
      const machine = testMachine(machineOptions);
      machine.offerFs();
      await use(machine);
      // A test that failed half way has not come to closing its files.
      if (task.result?.state === 'fail') machine.checksOpenFiles = false;
      await machine.close();
    },
    { auto: true },
  ],
  fs: async ({ machine }, use) => {
    await use(machine.fs);
  },
});

export const it: typeof test = test;
