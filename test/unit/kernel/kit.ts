/** A debug machine for tests of the kernel's parts, and how its calls' errors are looked at. */
import { SA_DATA } from '../../../assembly/abi/layout.ts';
import { bootSync } from '../../../host/machine/boot.ts';
import type { BootOptions } from '../../../host/machine/boot.ts';
import type { Flavour } from '../../../host/machine/kernels.ts';
import type { Machine } from '../../../host/machine/machine.ts';
import type { Process } from '../../../host/syscalls/process.ts';

/** A kernel of this checkout, as a file URL. */
export function kernelFile(name: string): URL {
  return new URL(`../../../build/kernel/${name}.wasm`, import.meta.url);
}

export function debugMachine(options: BootOptions = {}): Machine {
  const flavour: Flavour = options.flavour ?? 'up-debug';
  return bootSync({ ram: 16 << 20, module: kernelFile(flavour), ...options, flavour });
}

/** Run a test on a machine of its own; shutting it down throws if a kernel object is left over. */
export function onMachine(
  run: (machine: Machine) => void | Promise<void>,
  options: BootOptions = {},
): () => Promise<void> {
  return async () => {
    const machine = debugMachine(options);
    await run(machine);
    machine.shutdown();
  };
}

/** The code of the error that `call` throws; 'none' if it throws nothing. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'none';
}

/** Everything from a descriptor's offset on. */
export function readAll(process: Process, fd: number, pieceBytes = 512): string {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.alloc(pieceBytes);
    const n = process.fs.readSync(fd, piece, 0, pieceBytes, null);
    if (n === 0) return Buffer.concat(pieces).toString();
    pieces.push(piece.subarray(0, n));
  }
}

export function cat(process: Process, path: string): string {
  return process.fs.readFileSync(path, 'utf8');
}

/** Hand input to the machine's console; returns how many bytes it took. */
export function type(machine: Machine, text: string, flags = 0): number {
  const bytes = Buffer.from(text);
  machine.cpu.u8.set(bytes, machine.cpu.area);
  const taken = machine.cpu.exports.console_input(bytes.length, flags);
  machine.cpu.scheduler.kick();
  return taken;
}

/** The target of a link as the kernel gives it. */
export function readlink(process: Process, path: string): string {
  const n = process.exports.sys_readlinkat(-100, process.path1(path));
  if (n < 0) throw process.failure(n, 'readlink', path);
  return process.text(SA_DATA, SA_DATA + n);
}
