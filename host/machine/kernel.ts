/** The kernel's modules: read, compiled once for each flavour, and told apart. Needs little, so that it can be begun first. */
import { kernelUrl } from '#kernels';
import { loadBytes, loadBytesSync } from '#platform';
import type { Flavour } from './kernels.ts';

/** What can be given for a kernel: a compiled module, its bytes, or where to get it. */
export type KernelSource = WebAssembly.Module | BufferSource | URL;

export interface Kernel {
  module: WebAssembly.Module;
  /** What tells its build from others; see {@link identify}. */
  hash: string;
}

const cache = new Map<Flavour, Promise<Kernel>>();
const cacheSync = new Map<Flavour, Kernel>();

/** A kernel, as given, or the package's own, of which one is compiled for all who ask. */
export async function loadKernel(flavour: Flavour, module?: KernelSource): Promise<Kernel> {
  if (module instanceof WebAssembly.Module) return { module, hash: identify(module) };
  if (module !== undefined && !(module instanceof URL)) return compile(bytesOf(module));
  const known = module === undefined ? cache.get(flavour) : undefined;
  const loading = known ?? loadBytes(module ?? kernelUrl(flavour)).then(compile);
  if (module === undefined) {
    cache.set(flavour, loading);
    loading.catch(() => cache.delete(flavour));
  }
  return loading;
}

/** The same at once. @throws Error when it cannot be read so */
export function kernelSync(flavour: Flavour, module?: KernelSource): Kernel {
  if (module !== undefined && !(module instanceof URL)) {
    if (module instanceof WebAssembly.Module) return { module, hash: identify(module) };
    return compileSync(bytesOf(module as BufferSource));
  }
  const known = module === undefined ? cacheSync.get(flavour) : undefined;
  if (known !== undefined) return known;
  const bytes = loadBytesSync(module ?? kernelUrl(flavour));
  if (bytes === undefined) {
    throw new Error('bootSync: the kernel cannot be read synchronously here; pass `module`, or use boot()');
  }
  const kernel = compileSync(bytes);
  if (module === undefined) cacheSync.set(flavour, kernel);
  return kernel;
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Kernel> {
  const module = await WebAssembly.compile(bytes);
  return { module, hash: identify(module, bytes) };
}

function compileSync(bytes: Uint8Array<ArrayBuffer>): Kernel {
  const module = new WebAssembly.Module(bytes);
  return { module, hash: identify(module, bytes) };
}

function bytesOf(source: BufferSource): Uint8Array<ArrayBuffer> {
  if (ArrayBuffer.isView(source))
    return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
  return new Uint8Array(source);
}

/** 64 bits of FNV-1a over the module, twice with different seeds: tells builds apart, no more. */
function fingerprint(bytes: Uint8Array): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i], 0x01000193);
    b = Math.imul(b ^ bytes[i], 0x85ebca6b) + i;
  }
  return (
    (a >>> 0).toString(16).padStart(8, '0') +
    (b >>> 0).toString(16).padStart(8, '0') +
    bytes.length.toString(16)
  );
}

/** A module that carries no name, and whose bytes are gone: no snapshot can be told to be its. */
export const UNKNOWN = 'unknown';

/** The SHA-256 that assembly/build.mjs puts into a module; of one built otherwise, a fingerprint. */
function identify(module: WebAssembly.Module, bytes?: Uint8Array): string {
  const [section] = WebAssembly.Module.customSections(module, 'damselfly');
  if (section !== undefined) return new TextDecoder().decode(section);
  return bytes === undefined ? UNKNOWN : fingerprint(bytes);
}
