/** A machine booted straight from the kernel module, for tests of the host's own parts. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RAM_MIN_BYTES, WASM_PAGE_SIZE } from '../../../assembly/abi/layout.ts';
import { Cpu, type CpuOptions } from '../../../host/machine/cpu.ts';
import type { KernelExports } from '../../../host/machine/exports.ts';
import type { NodeFs } from '../../../host/syscalls/fs/types.ts';
import { Process } from '../../../host/syscalls/process.ts';

export interface TestMachine {
  cpu: Cpu;
  /** A process of root's. */
  process: Process;
  fs: NodeFs;
  close(): void;
}

export async function testMachine(
  options: CpuOptions = {},
  ramBytes = RAM_MIN_BYTES * 8,
): Promise<TestMachine> {
  const path = fileURLToPath(new URL('../../../build/kernel/up.wasm', import.meta.url));
  const memory = new WebAssembly.Memory({
    initial: ramBytes / WASM_PAGE_SIZE,
    maximum: ramBytes / WASM_PAGE_SIZE,
  });
  const cpu = new Cpu(memory, options);
  const { instance } = await WebAssembly.instantiate(readFileSync(path), {
    env: { memory },
    host: { ...cpu.imports },
  });
  cpu.connect(instance.exports as unknown as KernelExports);
  const check = (result: number, what: string) => {
    if (result < 0) throw new Error(`${what}: ${result}`);
  };
  check(cpu.exports.machine_boot(0, 0, options.virtualClock ? 1 : 0, 0), 'machine_boot');
  check(cpu.attach(), 'cpu_attach');
  check(cpu.exports.machine_start(), 'machine_start');
  const process = Process.create(cpu);
  process.umask(0o022);
  if (!process.fs.existsSync('/tmp')) process.fs.mkdirSync('/tmp', 0o1777);
  return {
    cpu,
    process,
    fs: process.fs,
    close() {
      process.exit();
      cpu.scheduler.stop();
      check(cpu.exports.machine_shutdown(), 'machine_shutdown');
    },
  };
}
