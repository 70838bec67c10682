/** A project of somebody else's, in a temporary directory, that installs the packed package. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** A temporary directory. Whoever makes it removes it. */
export function makeBase(): string {
  return fs.mkdtempSync(join(tmpdir(), 'damselfly-package-'));
}

/** Pack the package into `directory`; returns the tarball's path. */
export function pack(directory: string): string {
  // It is built: `make test` builds before it tests, and these tests read the build.
  const output = execFileSync(
    'npm',
    ['pack', '--ignore-scripts', '--pack-destination', directory, '--loglevel=error'],
    { cwd: root, encoding: 'utf8' },
  );
  return join(directory, output.trim().split('\n').at(-1) as string);
}

/** A new project in `directory` with these packages (names, or tarballs). */
export function makeProject(directory: string, ...packages: string[]): void {
  fs.mkdirSync(directory);
  fs.writeFileSync(join(directory, 'package.json'), '{ "private": true, "type": "module" }');
  execFileSync('npm', ['install', '--prefer-offline', ...QUIET, ...packages], {
    cwd: directory,
    stdio: 'pipe',
  });
}

/** Run a program of the project's with Node, to its end. */
export function run(directory: string, ...args: string[]) {
  // The tests that run this are vitest's; those that it may run are not to notice.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
    env: { ...env, NODE_ENV: '', NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

/** Type-check the project's `files` under nodenext, declarations of libraries included. */
export function typeCheck(directory: string, files: readonly string[]) {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  };
  fs.writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', directory], { encoding: 'utf8' });
  return { status: tsc.status, stdout: tsc.stdout };
}
