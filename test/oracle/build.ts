import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './root.ts';

const source = (name: string): string => join(repositoryRoot, 'test', 'oracle', name);

/**
 * Compile a C program of this directory unless it is newer than its sources. $CC names the compiler,
 * else cc.
 * @returns the program's path @throws Error when it does not compile
 */
function build(name: string, sources: readonly string[], headers: readonly string[]): string {
  const output = join(repositoryRoot, 'build', 'oracle', name);
  const newest = Math.max(...[...sources, ...headers].map((file) => statSync(source(file)).mtimeMs));
  if (existsSync(output) && statSync(output).mtimeMs >= newest) return output;
  mkdirSync(dirname(output), { recursive: true });
  const fresh = `${output}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11', '-o', fresh];
  const files = sources.map(source);
  execFileSync(process.env.CC ?? 'cc', [...flags, ...files], { stdio: ['ignore', 'ignore', 'inherit'] });
  // By rename: several test files may build at once.
  renameSync(fresh, output);
  return output;
}

/** The driver of system calls. */
export const buildDriver = (): string => build('driver', ['driver.c', 'calls.c', 'tree.c'], ['driver.h']);

/** The driver of a pseudo-terminal. */
export const buildPty = (): string => build('pty', ['pty.c'], []);
