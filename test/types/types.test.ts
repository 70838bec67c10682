/**
 * The built package's types against three of Node's: a small program in a directory of its own
 * gives `machine.fs` where node:fs and isomorphic-git's clients are asked for, without a cast.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { bootSync } from '../../host/machine/boot.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'damselfly-types-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function offeredNames(): string[] {
  const machine = bootSync({ ram: 4 << 20 });
  const names = Object.keys(machine.fs).sort();
  machine.shutdown();
  return names;
}

/** A project that depends on the package, with the types of one version of Node. */
function project(types: string): string {
  const at = join(base, types);
  const modules = join(at, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  mkdirSync(join(modules, 'damselfly'));
  symlinkSync(join(root, 'node_modules/@types', types), join(modules, '@types/node'));
  symlinkSync(join(root, 'node_modules/isomorphic-git'), join(modules, 'isomorphic-git'));
  cpSync(join(root, 'package.json'), join(modules, 'damselfly/package.json'));
  cpSync(join(root, 'build/dist'), join(modules, 'damselfly/build/dist'), { recursive: true });
  writeFileSync(join(at, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  return at;
}

function compile(types: string, program: string): string {
  const at = project(types);
  writeFileSync(join(at, 'program.ts'), program);
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', at], {
      encoding: 'utf8',
    });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const names = offeredNames()
  .map((name) => `'${name}'`)
  .join(' | ');

const program = `
import { boot, type NodeFs } from 'damselfly';
import type { CallbackFsClient, FsClient, PromiseFsClient } from 'isomorphic-git';

type Module = typeof import('node:fs');
type Offered = (${names}) & keyof Module;

const machine = await boot();
export const node: Pick<Module, Offered> = machine.fs;
export const promises: Module['promises'] = machine.fs.promises;
export const byPromise: PromiseFsClient = machine.fs;
export const byCallback: CallbackFsClient = machine.fs;
export const either: FsClient = machine.fs;

const text: string = machine.fs.readFileSync('/etc/passwd', 'utf8');
const names: string[] = machine.fs.globSync('/etc/*');
const entries: import('node:fs').Dirent[] = machine.fs.globSync('/etc/*', { withFileTypes: true });
for await (const path of machine.fs.promises.glob('*')) console.log(path.length, text, names, entries);

// The type is not 'any', and what is not offered is not there.
// @ts-expect-error
machine.fs.readFileSync(5n);
// @ts-expect-error
machine.fs._toUnixTimestamp(5);
const fs: NodeFs = machine.fs;
// @ts-expect-error
const wrong: number = fs.statSync('/').isFile();
export { wrong };
`;

test.each(['node', 'node-22', 'node-24'])(
  'machine.fs is node:fs by @types/%s',
  { timeout: 60_000 },
  (types) => {
    expect(compile(types, program)).toBe('');
  },
);

test('the check can fail', { timeout: 60_000 }, () => {
  rmSync(join(base, 'node'), { recursive: true, force: true });
  expect(compile('node', `${program}\nexport const bad: number = machine.fs;`)).toMatch(/TS2322/);
});
