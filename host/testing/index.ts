/** A machine per test, whatever runs the tests. `damselfly/vitest` has the same as a fixture. */
export { OpenFilesError, type OpenFile, TestMachine, testMachine } from './machine.ts';
export { mockFs, mockFsPromises } from './mock.ts';
export { fromJSON, toJSON } from './json.ts';
export type { TestMachineOptions } from './template.ts';
