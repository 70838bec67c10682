/** A guest on a machine: begins, is found in order, ends. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type TestMachine, testMachine } from '../../host/testing/index.ts';
import { boot } from '../../host/machine/boot.ts';
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

it('whatever allocation fails, a guest is made whole or not at all, and its calls say ENOMEM', () => {
  const process = machine.process();
  const { exports } = machine.cpu;
  let refused = 0;
  for (let n = 1; ; n++) {
    exports.fault_arm(n);
    let guest: WasiGuest | undefined;
    let errno = 0;
    try {
      guest = new WasiGuest(process, probe, {
        args: ['x'.repeat(9000)],
        env: { A: 'b' },
        preopens: { '/': '/d' },
      });
      new Uint8Array(guest.memory.buffer).set([0x6e], 100);
      const dir = [3, 2, 1, 0].find((fd) => guest?.call('fd_prestat_get', fd, 0) === 0) as number;
      errno = guest.call('path_open', dir, 1, 100, 1, 1, 0x42n, 0n, 0, 16) as number;
      if (errno === 0) {
        const fd = new Uint32Array(guest.memory.buffer)[4];
        expect(guest.call('fd_close', fd)).toBe(0);
        expect(guest.call('path_unlink_file', dir, 100, 1)).toBe(0);
      } else expect([48, 51, 41]).toContain(errno);
    } catch (error) {
      expect(['ENOMEM', 'ENFILE', 'ENOSPC']).toContain((error as { code?: string }).code);
      refused++;
    }
    exports.fault_arm(0);
    guest?.close();
    for (let fd = 0; fd < 4; fd++) {
      try {
        process.fs.closeSync(fd);
      } catch {}
    }
    machine.fs.rmSync('/d/n', { force: true });
    if (guest !== undefined && errno === 0 && n > 40) break;
  }
  expect(refused).toBeGreaterThan(3);
  process.exit();
});

it('a copy of the machine has the process, and no guest in it', async () => {
  const process = machine.process();
  const guest = new WasiGuest(process, probe, { preopens: { '/': '/d' } });
  const copy = await boot({ from: machine.snapshot() });
  const again = new WasiGuest(copy.attach(process.pid), probe, { preopens: { '/': '/d' } });
  expect(again.call('fd_prestat_get', 1, 0)).toBe(0);
  expect(guest.call('fd_prestat_get', 0, 0)).toBe(0);
  again.close();
  copy.shutdown();
  guest.close();
  process.exit();
});

it('a guest may be given its memory, as programs with threads are', async () => {
  const module = await assemble(`(module
    (import "env" "memory" (memory 1 4 shared))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (func (export "fill") (result i32) (call $random_get (i32.const 0) (i32.const 64))))`);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
  const process = machine.process();
  const guest = new WasiGuest(process, module, { preopens: {}, imports: { env: { memory } } });
  expect(guest.memory).toBe(memory);
  expect(guest.call('fill')).toBe(0);
  expect(new Set(new Uint8Array(memory.buffer).slice(0, 64)).size).toBeGreaterThan(16);
  guest.close();
  process.exit();
});
