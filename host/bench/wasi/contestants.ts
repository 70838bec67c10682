/** The guest of the WASI rows, brought up by each contestant. Runs in the current Node. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { bootSync } from '../../machine/boot.ts';
import { WasiGuest } from '../../wasi/guest.ts';
import { FILE_BYTES, FILE_PATH } from './guest.ts';
import type { WasiContestant, WasiPlan } from './types.ts';

export interface Subject {
  version: string;
  exports: WebAssembly.Exports;
  close(): void;
}

const content = (): Uint8Array => Uint8Array.from({ length: FILE_BYTES }, (_, i) => i & 0xff);

export async function openSubject(name: WasiContestant, plan: WasiPlan): Promise<Subject> {
  const module = new WebAssembly.Module(fs.readFileSync(plan.guest));
  switch (name) {
    case 'damselflyGate':
      return openDamselfly(module, 'multi-memory');
    case 'damselflyJs':
      return openDamselfly(module, 'js');
    case 'nodewasi':
      return openNode(module, plan);
    case 'bjorn':
      return openBjorn(module, plan);
  }
}

function openDamselfly(module: WebAssembly.Module, gate: 'multi-memory' | 'js'): Subject {
  const machine = bootSync();
  const process = machine.process();
  for (let fd = 0; fd < 3; fd++) process.fs.openSync('/dev/null', 'r+');
  machine.fs.mkdirSync(path.posix.dirname(`/root/${FILE_PATH}`), { recursive: true });
  machine.fs.writeFileSync(`/root/${FILE_PATH}`, content());
  const guest = new WasiGuest(process, module, { preopens: { '/': '/root' }, gate });
  process.enter();
  guest.call('_initialize');
  return { version: gate, exports: guest.instance.exports, close: () => machine.shutdown() };
}

async function openNode(module: WebAssembly.Module, { tmpfs }: WasiPlan): Promise<Subject> {
  const { WASI } = await import('node:wasi');
  const directory = fs.mkdtempSync(path.join(tmpfs, 'damselfly-bench-wasi-'));
  fs.mkdirSync(path.join(directory, path.dirname(FILE_PATH)), { recursive: true });
  fs.writeFileSync(path.join(directory, FILE_PATH), content());
  const wasi = new WASI({ version: 'preview1', preopens: { '/': directory } });
  const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
  wasi.initialize(instance);
  return {
    version: process.version,
    exports: instance.exports,
    close: () => fs.rmSync(directory, { recursive: true }),
  };
}

/** Only what is called here, so that building does not need the peer's types. */
interface Shim {
  WASI: new (
    args: string[],
    env: string[],
    fds: object[],
  ) => { wasiImport: WebAssembly.ModuleImports; initialize(instance: WebAssembly.Instance): void };
  File: new (data: Uint8Array | number[]) => object;
  Directory: new (entries: Map<string, object>) => object;
  PreopenDirectory: new (name: string, entries: Map<string, object>) => object;
  OpenFile: new (file: object) => object;
}

const SHIM: string = '@bjorn3/browser_wasi_shim';

async function openBjorn(module: WebAssembly.Module, { node }: WasiPlan): Promise<Subject> {
  // beside the Node that runs this
  const require = createRequire(node);
  const shim = (await import(require.resolve(SHIM))) as Shim;
  const nothing = () => new shim.OpenFile(new shim.File([]));
  let entry: object = new shim.File(content());
  for (const name of FILE_PATH.split('/').reverse().slice(0, -1))
    entry = new shim.Directory(new Map([[name, entry]]));
  const root = new Map([[FILE_PATH.split('/')[0], entry]]);
  const wasi = new shim.WASI([], [], [nothing(), nothing(), nothing(), new shim.PreopenDirectory('/', root)]);
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
  wasi.initialize(instance);
  return { version: SHIM, exports: instance.exports, close: () => {} };
}
