/** The built kernel modules, read with wabt. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';
import { repositoryRoot } from '../oracle/root.ts';

export const FLAVOURS = ['up', 'smp', 'up-debug', 'smp-debug'] as const;
export type Target = (typeof FLAVOURS)[number] | 'plain';

const FEATURES = { threads: true, bulk_memory: true, mutable_globals: true, sign_extension: true };
const file = (target: Target, extension: string) =>
  join(repositoryRoot, 'build', 'kernel', `${target}.${extension}`);

/** Compile the build that is only for looking at: not optimised, not debug. */
export function buildPlain(): void {
  execFileSync(process.execPath, [join(repositoryRoot, 'assembly', 'build.mjs'), 'plain'], { stdio: 'pipe' });
}

export function moduleBytes(target: Target): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(file(target, 'wasm')));
}

/** asc's own text of the plain build: it has every name, also those of blocks and locals. */
export function namedText(): string {
  return readFileSync(file('plain', 'wat'), 'utf8');
}

const toolkit = wabt();

/** A module's text as wabt writes it, flat, from the binary; with the names that it carries. */
export async function moduleText(target: Target): Promise<string> {
  return disassemble(moduleBytes(target), true);
}

async function disassemble(bytes: Uint8Array, names: boolean): Promise<string> {
  const module = (await toolkit).readWasm(bytes, { ...FEATURES, readDebugNames: names });
  try {
    return module.toText({ foldExprs: false, inlineExport: false });
  } finally {
    module.destroy();
  }
}

/** Assemble a text with wabt and disassemble it without names: what two modules are compared by. */
export async function withoutNames(text: string): Promise<string> {
  const module = (await toolkit).parseWat('plain.wat', text, FEATURES);
  try {
    return await disassemble(module.toBinary({ write_debug_names: false }).buffer, false);
  } finally {
    module.destroy();
  }
}

export async function plainWithoutNames(): Promise<string> {
  return disassemble(moduleBytes('plain'), false);
}
