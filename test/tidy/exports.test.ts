/** host/machine/exports.ts says what the modules are: names, and how many parameters each takes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../oracle/root.ts';
import { FLAVOURS, moduleBytes } from './modules.ts';

/** The methods of an interface in exports.ts: 'name/parameters'. */
function methods(name: string): string[] {
  const text = readFileSync(join(repositoryRoot, 'host/machine/exports.ts'), 'utf8').replace(
    /\/\*[\s\S]*?\*\//g,
    '',
  );
  const body = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(text);
  if (!body) throw new Error(`exports.ts has no interface ${name}`);
  return [...body[1].matchAll(/^ {2}(\w+)\(([^)]*)\)/gm)].map(
    (match) => `${match[1]}/${match[2].split(',').filter((parameter) => parameter.trim() !== '').length}`,
  );
}

const memory = (shared: boolean) => new WebAssembly.Memory({ initial: 64, maximum: 65535, shared });

describe.each(FLAVOURS)('%s', (flavour) => {
  const module = new WebAssembly.Module(moduleBytes(flavour));

  it('exports what KernelExports says, each with as many parameters', () => {
    const host = Object.fromEntries(
      methods('KernelImports').map((method) => [method.split('/')[0], () => 0]),
    );
    const { exports } = new WebAssembly.Instance(module, {
      env: { memory: memory(flavour.startsWith('smp')) },
      host,
    });
    const found = Object.entries(exports)
      .filter(([, value]) => typeof value === 'function')
      .map(([name, value]) => `${name}/${(value as { length: number }).length}`);
    const declared = [...methods('KernelExports'), ...methods('GateExports')];
    expect(new Set(declared).size).toBe(declared.length);
    expect(found.sort()).toEqual(declared.sort());
  });

  it('imports from the host only what KernelImports offers', () => {
    const offered = methods('KernelImports').map((method) => method.split('/')[0]);
    const wanted = WebAssembly.Module.imports(module)
      .filter((entry) => entry.module === 'host')
      .map(({ name }) => name);
    expect(wanted.sort()).toEqual(offered.sort());
  });
});
