/** One instance of the kernel on a machine's RAM: what a CPU is made of. */
import { kernelUrl } from '#kernels';
import type { Cpu, CpuOptions } from './cpu.ts';
import type { KernelExports } from './exports.ts';
import type { Kernel } from './kernel.ts';
import type { Flavour } from './kernels.ts';
import { sourceLookup } from './source.ts';

export function instantiate(kernel: Pick<Kernel, 'module'>, cpu: Cpu): KernelExports {
  const imports = { env: { memory: cpu.memory }, host: cpu.imports as unknown as WebAssembly.ModuleImports };
  const exports = new WebAssembly.Instance(kernel.module, imports).exports as unknown as KernelExports;
  cpu.connect(exports);
  return exports;
}

/** Where panics of debug kernels find their lines. */
export function sourceOf(flavour: Flavour): CpuOptions['source'] {
  return flavour.endsWith('-debug') ? () => sourceLookup(kernelUrl(flavour)) : undefined;
}
