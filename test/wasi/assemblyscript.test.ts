/**
 * A program in AssemblyScript that walks a tree, makes, reads, renames and removes files, and says on its standard
 * output what it found: the same text on a machine, by each gate that this engine has, and under node:wasi.
 */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import asc from 'assemblyscript/asc';
import { beforeAll, expect, it } from 'vitest';
import { testMachine } from '../../host/testing/index.ts';
import { WasiGuest } from '../../host/wasi/guest.ts';
import { gateKind } from '../../host/wasi/modules.ts';

const declare = (name: string, parameters: string) =>
  `@external("wasi_snapshot_preview1", "${name}") declare function ${name}(${parameters}): i32;`;

const SOURCE = `
${declare('args_sizes_get', 'n: usize, size: usize')}
${declare('args_get', 'argv: usize, buf: usize')}
${declare('fd_write', 'fd: i32, iovs: usize, n: i32, written: usize')}
${declare('fd_read', 'fd: i32, iovs: usize, n: i32, read: usize')}
${declare('fd_seek', 'fd: i32, offset: i64, whence: i32, at: usize')}
${declare('fd_close', 'fd: i32')}
${declare('fd_readdir', 'fd: i32, buf: usize, len: i32, cookie: i64, used: usize')}
${declare('fd_filestat_get', 'fd: i32, buf: usize')}
${declare('path_open', 'fd: i32, lookup: i32, path: usize, len: usize, o: i32, base: i64, inh: i64, f: i32, out: usize')}
${declare('path_create_directory', 'fd: i32, path: usize, len: usize')}
${declare('path_rename', 'fd: i32, a: usize, alen: usize, to: i32, b: usize, blen: usize')}
${declare('path_unlink_file', 'fd: i32, path: usize, len: usize')}
${declare('path_remove_directory', 'fd: i32, path: usize, len: usize')}
@external("wasi_snapshot_preview1", "proc_exit") declare function proc_exit(code: i32): void;

const iov = memory.data(16);
const word = memory.data(64);
const RIGHTS: i64 = 0x8e001ff;
const DIRECTORY: i64 = 0x4000 | 0x2000;

function say(text: string): void {
  const bytes = String.UTF8.encode(text + "\\n");
  store<u32>(iov, changetype<usize>(bytes));
  store<u32>(iov, bytes.byteLength, 4);
  if (fd_write(1, iov, 1, word) != 0) proc_exit(101);
}
function must(what: string, errno: i32): void {
  if (errno == 0) return;
  say(what + ": errno " + errno.toString());
  proc_exit(errno);
}
function open(dir: i32, path: string, oflags: i32, rights: i64): i32 {
  const p = String.UTF8.encode(path);
  must("open " + path, path_open(dir, 1, changetype<usize>(p), p.byteLength, oflags, rights, 0, 0, word));
  return load<i32>(word);
}
function sizeOf(fd: i32): u64 {
  must("stat", fd_filestat_get(fd, word));
  return load<u64>(word, 32);
}
function names(dir: i32): string {
  const buf = new ArrayBuffer(64);
  const found: string[] = [];
  let cookie: i64 = 0;
  let big = buf;
  for (;;) {
    must("readdir", fd_readdir(dir, changetype<usize>(big), big.byteLength, cookie, word));
    const used = load<u32>(word);
    let at: u32 = 0;
    while (at + 24 <= used) {
      const entry = changetype<usize>(big) + at;
      const len = load<u32>(entry, 16);
      if (at + 24 + len > used) break;
      cookie = load<i64>(entry);
      const name = String.UTF8.decodeUnsafe(entry + 24, len);
      if (name != "." && name != "..") found.push(name);
      at += 24 + len;
    }
    if (used < <u32>big.byteLength) break;
    if (at == 0) big = new ArrayBuffer(big.byteLength * 2);
  }
  found.sort();
  return found.join(",");
}
export function _start(): void {
  must("sizes", args_sizes_get(word, word + 4));
  const argv = new ArrayBuffer(load<i32>(word) * 4);
  const text = new ArrayBuffer(load<i32>(word, 4));
  must("args", args_get(changetype<usize>(argv), changetype<usize>(text)));
  say(String.UTF8.decode(text).split("\\0").join("|"));
  const made = String.UTF8.encode("made");
  must("mkdir", path_create_directory(3, changetype<usize>(made), made.byteLength));
  for (let i = 0; i < 40; i++) {
    const fd = open(3, "made/file-" + i.toString(), 1, RIGHTS);
    const line = String.UTF8.encode("line " + i.toString());
    store<u32>(iov, changetype<usize>(line));
    store<u32>(iov, line.byteLength, 4);
    for (let n = 0; n <= i; n++) must("write", fd_write(fd, iov, 1, word));
    must("close", fd_close(fd));
  }
  const dir = open(3, "made", 2, DIRECTORY);
  say(names(dir));
  let sum: u64 = 0;
  for (let i = 0; i < 40; i++) {
    const fd = open(3, "made/file-" + i.toString(), 0, RIGHTS);
    sum += sizeOf(fd);
    must("seek", fd_seek(fd, -3, 2, word));
    const tail = new ArrayBuffer(8);
    store<u32>(iov, changetype<usize>(tail));
    store<u32>(iov, 8, 4);
    must("read", fd_read(fd, iov, 1, word));
    if (i % 13 == 0) say(String.UTF8.decodeUnsafe(changetype<usize>(tail), load<u32>(word)));
    must("close", fd_close(fd));
    const from = String.UTF8.encode("made/file-" + i.toString());
    const to = String.UTF8.encode("made/x");
    must("rename", path_rename(3, changetype<usize>(from), from.byteLength, 3, changetype<usize>(to), to.byteLength));
  }
  say(sum.toString());
  say(names(dir));
  must("close", fd_close(dir));
  const full = path_remove_directory(3, changetype<usize>(made), made.byteLength);
  const x = String.UTF8.encode("made/x");
  must("unlink", path_unlink_file(3, changetype<usize>(x), x.byteLength));
  must("rmdir", path_remove_directory(3, changetype<usize>(made), made.byteLength));
  proc_exit(full);
}
`;

let module: WebAssembly.Module;

beforeAll(async () => {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ['guest.ts', '--outFile', 'guest.wasm', '--runtime', 'stub', '-O', '--use', 'abort='],
    {
      readFile: (name: string) => (name === 'guest.ts' ? SOURCE : null),
      writeFile: (name: string, contents: string | Uint8Array) => {
        if (name === 'guest.wasm') binary = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  module = new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
}, 60_000);

const ARGS = ['guest', 'an argument', 'ü'];

function onMachine(gate: 'js' | 'multi-memory', flavour: 'up-debug' | 'smp-debug'): [number, string] {
  const machine = testMachine({ flavour });
  machine.fs.mkdirSync('/d');
  const process = machine.process();
  for (const name of ['/in', '/out', '/err']) process.fs.openSync(name, 'w+');
  const guest = new WasiGuest(process, module, { args: ARGS, preopens: { '/': '/d' }, gate });
  const code = guest.start();
  guest.close();
  process.exit();
  const text = machine.fs.readFileSync('/out', 'utf8');
  expect(machine.fs.readdirSync('/d')).toEqual([]);
  machine.close();
  return [code, text];
}

function onHost(): [number, string] {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'damselfly-wasi-'));
  const stdout = fs.openSync(join(directory, 'out'), 'w');
  fs.mkdirSync(join(directory, 'd'));
  const wasi = new WASI({
    version: 'preview1',
    args: ARGS,
    preopens: { '/': join(directory, 'd') },
    stdout,
    returnOnExit: true,
  });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
  const code = wasi.start(instance);
  fs.closeSync(stdout);
  const text = fs.readFileSync(join(directory, 'out'), 'utf8');
  fs.rmSync(directory, { recursive: true });
  return [code as number, text];
}

it('says the same on a machine as under node:wasi', () => {
  const host = onHost();
  expect(host[0]).toBe(55);
  expect(host[1].split('\n')[0]).toBe('guest|an argument|ü|');
  for (const gate of new Set(['js', gateKind] as const)) {
    for (const flavour of ['up-debug', 'smp-debug'] as const) expect(onMachine(gate, flavour)).toEqual(host);
  }
});
