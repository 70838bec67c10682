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

/** The memories of a gate: the guest's, then the kernel's, shared or not; j: JavaScript copies. */
export const GATES = ['uu', 'us', 'su', 'ss', 'uj', 'sj'] as const;
export type GateName = (typeof GATES)[number];

/** A gate (assembly/gate.mjs), or what a guest is linked with. */
export function gateUrl(name: GateName | 'guest'): URL {
  switch (name) {
    case 'uu':
      return new URL('../../../kernel/gate-uu.wasm', import.meta.url);
    case 'us':
      return new URL('../../../kernel/gate-us.wasm', import.meta.url);
    case 'su':
      return new URL('../../../kernel/gate-su.wasm', import.meta.url);
    case 'ss':
      return new URL('../../../kernel/gate-ss.wasm', import.meta.url);
    case 'uj':
      return new URL('../../../kernel/gate-uj.wasm', import.meta.url);
    case 'sj':
      return new URL('../../../kernel/gate-sj.wasm', import.meta.url);
    case 'guest':
      return new URL('../../../kernel/gate-guest.wasm', import.meta.url);
  }
}
