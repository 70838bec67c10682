/**
 * What each case of the WASI suite is given: a machine with a small tree, and a probe that runs on it.
 *
 *     /d             preopened as descriptor 3 under the name "/"
 *     /d/a           "hello"        /d/sub, /d/sub/b "b"
 *     /d/link → a    /d/up → ../secret    /d/abs → /secret    /d/dangling → nowhere    /d/loop → loop
 *     /secret        beside it
 *
 * Descriptors 0 and 1 are the two ends of a pipe, 2 is /dev/null.
 */
import { O_RDWR } from '../../assembly/abi/flags.ts';
import type { TestMachineOptions } from '../../host/testing/index.ts';
import { type TestMachine, testMachine } from '../../host/testing/index.ts';
import type { Process } from '../../host/syscalls/process.ts';
import { WasiGuest, type WasiOptions } from '../../host/wasi/guest.ts';
import type { GateKind } from '../../host/wasi/modules.ts';
import { Handle } from './handle.ts';
import { assemble, probeText } from './probe.ts';

export interface Variant {
  gate: GateKind;
  flavour: NonNullable<TestMachineOptions['flavour']>;
  /** Is the guest's memory shared? */
  shared: boolean;
}

export interface Scene {
  readonly machine: TestMachine;
  readonly process: Process;
  readonly guest: WasiGuest;
  readonly wasi: Handle;
  /** The preopened directory. */
  readonly dir: number;
  /** Another guest, in a process of its own that has the descriptors of this one's, on the same machine. */
  another(options?: WasiOptions): { process: Process; guest: WasiGuest; wasi: Handle };
}

const probes = new Map<boolean, Promise<WebAssembly.Module>>();

export function probeModule(shared: boolean): Promise<WebAssembly.Module> {
  const known = probes.get(shared) ?? assemble(probeText({ shared }));
  probes.set(shared, known);
  return known;
}

function plant(machine: TestMachine): void {
  const { fs } = machine;
  fs.mkdirSync('/d/sub', { recursive: true });
  fs.writeFileSync('/d/a', 'hello');
  fs.writeFileSync('/d/sub/b', 'b');
  fs.writeFileSync('/secret', 'secret');
  for (const [path, target] of [
    ['link', 'a'],
    ['up', '../secret'],
    ['abs', '/secret'],
    ['dangling', 'nowhere'],
    ['loop', 'loop'],
    ['dir', 'sub'],
  ]) {
    fs.symlinkSync(target, `/d/${path}`);
  }
}

/** Run one case in a scene of its own; what it leaves open or leaks is an error. */
export async function play(variant: Variant, act: (scene: Scene) => void | Promise<void>): Promise<void> {
  const module = await probeModule(variant.shared);
  const machine = testMachine({ flavour: variant.flavour, ram: 8 << 20 });
  const made: { process: Process; guest: WasiGuest }[] = [];
  const make = (process: Process, options: WasiOptions) => {
    const guest = new WasiGuest(process, module, { gate: variant.gate, ...options });
    made.push({ process, guest });
    return { process, guest, wasi: new Handle(guest.instance.exports) };
  };
  plant(machine);
  const process = machine.process();
  process.pipe(0);
  process.fs.openSync('/dev/null', O_RDWR);
  const scene: Scene = {
    machine,
    ...make(process, { args: ['probe', 'one', ''], env: { A: '1', B: '' }, preopens: { '/': '/d' } }),
    dir: 3,
    another: (options = {}) =>
      make(machine.process({ parent: process, inheritFds: true }), { preopens: {}, ...options }),
  };
  let error: unknown;
  try {
    await act(scene);
  } catch (thrown) {
    error = thrown ?? new Error('the case threw nothing');
  }
  for (const { process: each, guest } of made) {
    guest.close();
    try {
      each.exit();
    } catch {}
  }
  try {
    machine.close();
  } catch (thrown) {
    // what a case that failed leaves behind is no second failure
    error ??= thrown;
  }
  if (error !== undefined) throw error;
}
