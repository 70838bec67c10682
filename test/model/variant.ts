import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../oracle/root.ts';
import type { Bug } from './bugs.ts';

/** A source with a bug in it. @throws Error when its place is not there exactly once */
export function plant(source: string, { name, file, from, to }: Bug): string {
  const parts = source.split(from);
  if (parts.length !== 2)
    throw new Error(
      `bug ${name}: its lines stand ${parts.length - 1} times in ${file}: see test/model/bugs.ts`,
    );
  return parts.join(to);
}

export function sourceOf(bug: Bug): string {
  return readFileSync(join(repositoryRoot, bug.file), 'utf8');
}

/**
 * A kernel with a bug: the sources are copied to build/planted, and the copy changed and built.
 * @returns the module's path
 */
export function buildVariant(bug: Bug, flavour: string): string {
  const directory = join(repositoryRoot, 'build', 'planted', bug.name);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const name of ['assembly', 'asconfig.json'])
    cpSync(join(repositoryRoot, name), join(directory, name), { recursive: true });
  writeFileSync(join(directory, bug.file), plant(sourceOf(bug), bug));
  const build = join(directory, 'assembly', 'build.mjs');
  try {
    execFileSync(process.execPath, [build, flavour], { stdio: 'pipe', encoding: 'utf8' });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    throw new Error(`bug ${bug.name}: the kernel does not compile with it:\n${output}`);
  }
  return join(directory, 'build', 'kernel', `${flavour}.wasm`);
}
