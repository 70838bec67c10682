/** Kernels with more exports, from assembly/testing, built when a test first wants them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Flavour } from '../../../host/machine/kernels.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

function newestSource(): number {
  const sources = readdirSync(join(root, 'assembly'), { recursive: true, encoding: 'utf8' });
  return Math.max(...sources.map((file) => statSync(join(root, 'assembly', file)).mtimeMs));
}

/** Longer than a build takes: whoever held the lock is gone. */
const STALE_MS = 180_000;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Test files run side by side, and several may want the same kernel: one of them builds it. */
function locked(lock: string, build: () => void): void {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > STALE_MS) rmSync(lock, { recursive: true, force: true });
    else Atomics.wait(pause, 0, 0, 100);
  }
  try {
    build();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

/** assembly/testing/NAME.ts as a kernel of this flavour, built from this checkout. Returns its file URL. */
export function testKernel(name: string, flavour: Flavour): URL {
  const file = join(root, 'build/kernel', `test-${name}-${flavour}.wasm`);
  mkdirSync(dirname(file), { recursive: true });
  locked(`${file}.lock`, () => {
    if (existsSync(file) && statSync(file).mtimeMs >= newestSource()) return;
    const asc = join(
      dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')),
      'bin/asc.js',
    );
    const options = ['--target', flavour, '--optimizeLevel', '0', '--outFile', file, '--disableWarning'];
    execFileSync(process.execPath, [asc, `assembly/testing/${name}.ts`, ...options], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  });
  return new URL(`file://${file}`);
}
