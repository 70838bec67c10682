/**
 * Where the kernel's artefacts are. The URLs are literal, so that a bundler finds the files; they
 * hold for the built module (build/dist/host/machine), which is what "#kernels" names everywhere.
 */
export const FLAVOURS = ['up', 'smp', 'up-debug', 'smp-debug'] as const;
export type Flavour = (typeof FLAVOURS)[number];

/** @throws RangeError for a flavour that there is not */
export function kernelUrl(flavour: Flavour): URL {
  switch (flavour) {
    case 'up':
      return new URL('../../../kernel/up.wasm', import.meta.url);
    case 'smp':
      return new URL('../../../kernel/smp.wasm', import.meta.url);
    case 'up-debug':
      return new URL('../../../kernel/up-debug.wasm', import.meta.url);
    case 'smp-debug':
      return new URL('../../../kernel/smp-debug.wasm', import.meta.url);
    default:
      throw new RangeError(`flavour must be up, smp, up-debug or smp-debug, and is ${flavour}`);
  }
}
