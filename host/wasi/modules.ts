/** The gates' modules: which one an engine and two memories need, loaded and compiled once each. */
import { gateUrl } from '#kernels';
import { loadBytes, loadBytesSync } from '#platform';
import { GATES, type GateName } from '../machine/kernels.ts';

/** 'multi-memory': bytes go from one memory to the other. 'js': JavaScript copies them. */
export type GateKind = 'multi-memory' | 'js';

/** (module (memory 0) (memory 0)) */
const TWO_MEMORIES = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 5, 2, 0, 0, 0, 0]);

/** What this engine can: the best that there is. */
export const gateKind: GateKind = WebAssembly.validate(TWO_MEMORIES) ? 'multi-memory' : 'js';

type ModuleName = GateName | 'guest';

const compiled = new Map<ModuleName, WebAssembly.Module>();

export function gateName(kind: GateKind, guest: WebAssembly.Memory, kernel: WebAssembly.Memory): GateName {
  const letter = (memory: WebAssembly.Memory) => (isShared(memory) ? 's' : 'u');
  return `${letter(guest)}${kind === 'js' ? 'j' : letter(kernel)}`;
}

export function isShared(memory: WebAssembly.Memory): boolean {
  return typeof SharedArrayBuffer === 'function' && memory.buffer instanceof SharedArrayBuffer;
}

/** Load every gate that this engine can use, where {@link gateModule} cannot read files at once (a page). */
export async function loadGates(): Promise<void> {
  const names: ModuleName[] = ['guest', ...GATES];
  const usable = names.filter((name) => gateKind === 'multi-memory' || name === 'guest' || name[1] === 'j');
  await Promise.all(
    usable.map(async (name) => {
      if (!compiled.has(name)) compiled.set(name, await WebAssembly.compile(await loadBytes(gateUrl(name))));
    }),
  );
}

/** @throws Error when it can be had only by {@link loadGates} */
export function gateModule(name: ModuleName): WebAssembly.Module {
  let module = compiled.get(name);
  if (module === undefined) {
    const bytes = loadBytesSync(gateUrl(name));
    if (bytes === undefined)
      throw new Error('the gates cannot be read synchronously here: await loadGates()');
    module = new WebAssembly.Module(bytes);
    compiled.set(name, module);
  }
  return module;
}
