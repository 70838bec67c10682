/** A guest on a machine: begins, is found in order, ends. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type TestMachine, testMachine } from '../../host/testing/index.ts';
import { WasiGuest } from '../../host/wasi/guest.ts';
import { assemble, probeText } from './probe.ts';

let probe: WebAssembly.Module;
beforeAll(async () => {
  probe = await assemble(probeText());
});

let machine: TestMachine;
beforeEach(() => {
  machine = testMachine({ flavour: 'up-debug' });
  machine.fs.mkdirSync('/d');
  machine.fs.writeFileSync('/d/a', 'hello');
});
afterEach(() => machine.close());

it('reads a file beneath its directory, and nothing beside it', () => {
  const process = machine.process();
  for (let fd = 0; fd < 3; fd++) process.fs.openSync('/dev/null', 'r+');
  const guest = new WasiGuest(process, probe, { args: ['x', 'yy'], preopens: { '/': '/d' } });
  const u32 = new Uint32Array(guest.memory.buffer);
  const u8 = new Uint8Array(guest.memory.buffer);
  const put = (at: number, text: string) => u8.set(new TextEncoder().encode(text), at);
  expect(guest.call('args_sizes_get', 0, 4)).toBe(0);
  expect([...u32.slice(0, 2)]).toEqual([2, 5]);
  put(100, '../a');
  expect(guest.call('path_open', 3, 1, 103, 1, 0, 2n, 0n, 0, 16)).toBe(0);
  u32.set([1000, 100], 8);
  expect(guest.call('fd_read', u32[4], 32, 1, 40)).toBe(0);
  expect(u32[10]).toBe(5);
  expect(new TextDecoder().decode(u8.slice(1000, 1005))).toBe('hello');
  expect(guest.call('path_filestat_get', 3, 1, 103, 1, 256)).toBe(0);
  expect(guest.call('path_filestat_get', 3, 1, 100, 4, 256)).toBe(76);
  guest.close();
  process.exit();
});
