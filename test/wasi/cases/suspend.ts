/** Cases for engines with JavaScript promise integration: programs that wait leave their thread. */
import assert from 'node:assert/strict';
import { ProcessGone, WasiGuest } from '../../../host/wasi/guest.ts';
import { assemble } from '../probe.ts';
import type { Case } from './case.ts';

/** Copies 0 to 1 to the end, and exits with how many pieces that were. */
const COPY = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $pieces i32)
    (loop $again
      (i32.store (i32.const 16) (i32.const 256))
      (i32.store (i32.const 20) (i32.const 4096))
      (if (call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 32)) (then unreachable))
      (if (i32.eqz (i32.load (i32.const 32))) (then (call $proc_exit (local.get $pieces))))
      (i32.store (i32.const 20) (i32.load (i32.const 32)))
      (if (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 32)) (then unreachable))
      (local.set $pieces (i32.add (local.get $pieces) (i32.const 1)))
      (br $again))))`;

export const suspend: readonly Case[] = [
  {
    name: 'two programs in one thread, joined by a pipe, switch whenever one waits',
    async act({ machine, process, guest: { gate } }) {
      const module = await assemble(COPY);
      // in → first → middle → second → out; 0 and 1 of each are what it reads and writes
      const make = (read: number, write: number) => {
        const child = machine.process({ parent: process, inheritFds: true });
        child.dup2(read, 0);
        child.dup2(write, 1);
        for (const fd of [input.read, input.write, middle.read, middle.write, output.read, output.write]) {
          child.fs.closeSync(fd);
        }
        return { child, guest: new WasiGuest(child, module, { preopens: {}, gate, suspend: true }) };
      };
      const [input, middle, output] = [process.pipe(0), process.pipe(0), process.pipe(0)];
      const [first, second] = [make(input.read, middle.write), make(middle.read, output.write)];
      for (const fd of [input.read, middle.read, middle.write, output.write]) process.fs.closeSync(fd);
      const ends = [first, second].map(async ({ child, guest }) => {
        const code = await guest.startLater();
        guest.close();
        child.exit();
        return code;
      });
      const data = new Uint8Array(300_000).map((_, i) => (i * 13) & 0xff);
      const got: number[] = [];
      const reading = (async () => {
        for (;;) {
          const buffer = new Uint8Array(50_000);
          const n = await new Promise<number>((resolve, reject) =>
            process.fs.read(output.read, buffer, 0, buffer.length, null, (error, n) =>
              error ? reject(error) : resolve(n),
            ),
          );
          if (n === 0) return;
          got.push(...buffer.subarray(0, n));
        }
      })();
      for (let at = 0; at < data.length; ) {
        at += await new Promise<number>((resolve, reject) =>
          process.fs.write(input.write, data, at, data.length - at, null, (error, n) =>
            error ? reject(error) : resolve(n),
          ),
        );
      }
      process.fs.closeSync(input.write);
      await reading;
      assert.deepEqual(Uint8Array.from(got), data);
      const codes = await Promise.all(ends);
      assert.ok(codes.every((code) => code >= data.length / 4096));
      process.fs.closeSync(output.read);
    },
  },
  {
    name: 'a program that waits and is killed is told so',
    async act({ machine, process, guest: { gate } }) {
      const child = machine.process({ parent: process, inheritFds: true });
      const guest = new WasiGuest(child, await assemble(COPY), { preopens: {}, gate, suspend: true });
      const end = guest.startLater();
      await new Promise((resolve) => setImmediate(resolve));
      machine.init.kill(child.pid, 9);
      await assert.rejects(end, ProcessGone);
      guest.close();
    },
  },
];
