/** machine.spawn: programs from the tree and from bytes, their streams, ends and limits. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SIGKILL } from '../../assembly/abi/signals.ts';
import { boot, type Machine } from '../../host/index.ts';
import { userland } from '../../host/programs/index.ts';
import { assembleBytes } from '../wasi/probe.ts';
import { CAT, CODE, TOUCH } from './guestcases.ts';

let machine: Machine;
beforeEach(async () => {
  machine = await boot({ flavour: 'up-debug' });
});
afterEach(() => machine.shutdown());

const write = async (path: string, text: string) =>
  machine.fs.writeFileSync(path, await assembleBytes(text), { mode: 0o755 });

it('runs bytes, a module and a file, and tells how they end', async () => {
  const bytes = await assembleBytes(CODE);
  await write('/bin/code.wasm', CODE);
  for (const program of [bytes, new WebAssembly.Module(bytes), '/bin/code.wasm', 'code.wasm']) {
    const child = await machine.spawn(program, ['a', 'b']);
    expect(await child.wait()).toEqual({ pid: child.pid, code: 44, signal: 0 });
  }
  expect(machine.fs.readdirSync('/tmp')).toEqual([]);
});

it('streams: text in, a pipe in, kept output, taken output', async () => {
  await write('/bin/cat.wasm', CAT);
  const first = await machine.spawn('cat.wasm', [], { stdin: 'some text' });
  expect((await first.wait()).code).toBe(0);
  expect(await first.stdout.text()).toBe('some text');
  expect(() => first.stdin.write('x')).toThrow('write after end');
  const taken: Uint8Array[] = [];
  const second = await machine.spawn(await assembleBytes(CAT), [], {
    stdin: 'pipe',
    stdout: (chunk) => void taken.push(chunk),
  });
  second.stdin.write('one');
  await new Promise((resolve) => setImmediate(resolve));
  second.stdin.write(Uint8Array.of(50));
  second.stdin.end();
  expect((await second.wait()).code).toBe(0);
  expect(Buffer.concat(taken).toString()).toBe('one2');
});

it('runs as somebody, somewhere, with directories and limits', async () => {
  machine.fs.mkdirSync('/home/u');
  machine.fs.chownSync('/home/u', 7, 8);
  const touch = await assembleBytes(TOUCH);
  expect((await (await machine.spawn(touch, [], { cwd: '/home/u', uid: 7, gid: 8 })).wait()).code).toBe(0);
  expect(machine.fs.statSync('/home/u/made')).toMatchObject({ uid: 7, gid: 8 });
  // EACCES, of WASI
  expect(
    (await (await machine.spawn(touch, [], { preopens: { '/': '/etc' }, uid: 7, gid: 8 })).wait()).code,
  ).toBe(2);
  expect((await (await machine.spawn(touch, [], { preopens: { '/': '/etc' } })).wait()).code).toBe(0);
  expect(machine.fs.existsSync('/etc/made')).toBe(true);
  // EMFILE: 0, 1, 2 and the directory are all that it may have
  const few = await machine.spawn(touch, [], { preopens: { '/': '/home' }, limits: { files: 4 } });
  expect((await few.wait()).code).toBe(33);
  await write('/bin/cat.wasm', CAT);
  userland(machine);
  const small = await machine.spawn('/bin/sh', ['-c', 'cat.wasm > /tmp/o'], {
    stdin: 'x'.repeat(9000),
    limits: { fileBytes: 5000 },
  });
  // the shell's 128 + SIGXFSZ
  expect((await small.wait()).code).toBe(153);
  expect(machine.fs.statSync('/tmp/o').size).toBe(5000);
});

it('ends by signals, and by an abort', async () => {
  userland(machine);
  const child = await machine.spawn('sh', ['-c', 'sleep 1000']);
  child.kill();
  expect(await child.wait()).toMatchObject({ code: 143, signal: 15 });
  child.kill();
  expect(() => child.kill(1000)).toThrow();
  const abort = new AbortController();
  const other = await machine.spawn('sleep', ['1000'], { signal: abort.signal });
  abort.abort();
  expect(await other.wait()).toMatchObject({ signal: SIGKILL });
});

it('refuses what it cannot run, and leaves nothing', async () => {
  await expect(machine.spawn('/nowhere')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(machine.spawn(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({
    code: 'ENOEXEC',
    reason: 'not a WebAssembly module',
  });
  machine.fs.writeFileSync('/tmp/plain', 'x', { mode: 0o644 });
  await expect(machine.spawn('/tmp/plain')).rejects.toMatchObject({ code: 'EACCES' });
  await expect(machine.spawn('/tmp/plain', [], { cwd: '/nowhere' })).rejects.toMatchObject({
    code: 'ENOENT',
  });
  const code = await assembleBytes(CODE);
  await expect(machine.spawn(code, [], { limits: { files: -1 } })).rejects.toMatchObject({ code: 'EINVAL' });
  const pids = machine.fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  expect(pids).toEqual(['1']);
});
