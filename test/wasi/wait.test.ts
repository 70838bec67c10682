/** Programs that are guests: begun at _start, ended by proc_exit, a trap, a signal; and, where the engine can, suspended. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestMachine, testMachine } from '../../host/testing/index.ts';
import { canSuspend, ProcessGone, WasiGuest } from '../../host/wasi/guest.ts';
import { assemble } from './probe.ts';

let machine: TestMachine;
beforeEach(() => {
  machine = testMachine({ flavour: 'up-debug' });
});
afterEach(() => machine.close());

/** A program with this _start. */
const program = (start: string) =>
  assemble(`(module
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_raise" (func $proc_raise (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "\\00\\01\\00\\00\\10\\00\\00\\00")
    (func (export "_start") ${start}))`);

function guestOf(module: WebAssembly.Module, options = {}) {
  const process = machine.process();
  process.pipe(0);
  const guest = new WasiGuest(process, module, { preopens: {}, ...options });
  return {
    process,
    guest,
    end: () => {
      guest.close();
      process.exit();
    },
  };
}

it('returns its exit code', async () => {
  for (const [start, code] of [
    ['', 0],
    ['(call $proc_exit (i32.const 7)) unreachable', 7],
    ['(call $proc_exit (i32.const -1)) unreachable', 0xffffffff],
  ] as const) {
    const { guest, end } = guestOf(await program(start));
    expect(guest.start()).toBe(code);
    end();
  }
});

it('throws what a trap is, and the machine goes on', async () => {
  const { guest, end } = guestOf(await program('unreachable'));
  expect(() => guest.start()).toThrow(WebAssembly.RuntimeError);
  expect(machine.fs.existsSync('/')).toBe(true);
  end();
});

it('overflows its own stack without harm to the kernel, also where a call is its last straw', async () => {
  const module = await assemble(`(module
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (memory (export "memory") 1)
    (func $down (param i32) (result i32)
      (drop (call $yield))
      (i32.add (local.get 0) (call $down (i32.add (local.get 0) (i32.const 1)))))
    (func (export "_start") (drop (call $down (i32.const 0)))))`);
  const { guest, process } = guestOf(module);
  for (let i = 0; i < 20; i++) expect(() => guest.start()).toThrow(RangeError);
  guest.close();
  process.exit();
  expect(machine.cpu.panic).toBeUndefined();
});

it('a signal that it raises ends it', async () => {
  const { guest, process } = guestOf(await program('(drop (call $proc_raise (i32.const 9)))'));
  expect(() => guest.start()).toThrow(ProcessGone);
  guest.close();
  expect(() => process.cwd()).toThrow(expect.objectContaining({ code: 'ESRCH' }));
});

it('a function that WASI has not is a LinkError, and leaves nothing behind', async () => {
  const module = await assemble(
    '(module (import "wasi_snapshot_preview1" "fd_fly" (func)) (memory (export "memory") 1))',
  );
  const process = machine.process();
  expect(() => new WasiGuest(process, module, { preopens: {} })).toThrow(WebAssembly.LinkError);
  const none = await assemble('(module)');
  expect(() => new WasiGuest(process, none, { preopens: {} })).toThrow(TypeError);
  process.exit();
});

/** Reads a piece from 0, writes it to 1's other side and so on; exits with the bytes read. */
const READS = `(drop (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 32)))
  (call $proc_exit (i32.load (i32.const 32))) unreachable`;

describe.skipIf(canSuspend)('without promise integration', () => {
  it('a guest cannot be made to suspend', async () => {
    const process = machine.process();
    const module = await program(READS);
    expect(() => new WasiGuest(process, module, { suspend: true })).toThrow(RangeError);
    process.exit();
  });
});
