import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repositoryRoot } from './root.ts';

const source = (name: string): string => join(repositoryRoot, 'test', 'oracle', name);
const SOURCES = ['driver.c', 'calls.c', 'tree.c'].map(source);
const HEADER = source('driver.h');
const OUTPUT = join(repositoryRoot, 'build', 'oracle', 'driver');

/**
 * Compile the driver unless it is newer than its sources. $CC names the compiler, else cc.
 * @returns the program's path @throws Error when it does not compile
 */
export function buildDriver(): string {
  const newest = Math.max(...[...SOURCES, HEADER].map((file) => statSync(file).mtimeMs));
  if (existsSync(OUTPUT) && statSync(OUTPUT).mtimeMs >= newest) return OUTPUT;
  mkdirSync(dirname(OUTPUT), { recursive: true });
  const fresh = `${OUTPUT}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-std=gnu11', '-o', fresh];
  execFileSync(process.env.CC ?? 'cc', [...flags, ...SOURCES], { stdio: ['ignore', 'ignore', 'inherit'] });
  // By rename: several test files may build at once.
  renameSync(fresh, OUTPUT);
  return OUTPUT;
}
