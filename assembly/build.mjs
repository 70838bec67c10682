// Builds the kernel: writes the generated stack probe and the gates (gate.mjs), then runs asc once per target.
// usage: node assembly/build.mjs [target…]   (default: the four artefacts; also: plain)
//        node assembly/build.mjs --check     (compiles and writes nothing)
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decode, encode } from '@jridgewell/sourcemap-codec';
import { buildGates } from './gate.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const asc = join(dirname(require.resolve('assemblyscript/package.json')), 'bin', 'asc.js');

/** Locals kept alive over one call give the probe a frame of this many 8-byte slots (12 KiB). */
const PROBE_SLOTS = 1536;

function stackProbe() {
  const ids = Array.from({ length: PROBE_SLOTS }, (_, i) => i);
  return `// Made by assembly/build.mjs: do not edit.
// A function whose frame is larger than any path through the kernel needs. Entering it makes the
// engine compare the stack pointer, less that frame, with its limit: an overflow is met here,
// before any lock. The frame is real only if its locals are alive over a call, which the branch
// (never taken) sees to.
export function stackProbe(go: i32): void {
  if (go != 0) {
${ids.map((i) => `    let a${i} = load<i64>(${8 * i});`).join('\n')}
    stackProbe(go - 1);
${ids.map((i) => `    store<i64>(${8 * (PROBE_SLOTS - 1 - i)}, a${i});`).join('\n')}
  }
}
`;
}

function writeIfChanged(file, text) {
  try {
    if (readFileSync(file, 'utf8') === text) return;
  } catch {}
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const check = process.argv[2] === '--check';

/**
 * Make a source map small: without the sources, and with one segment for each run of code that comes from one
 * line, for a line is what a panic is looked up for.
 */
function slimSourceMap(file) {
  if (!existsSync(file)) return;
  const { sourcesContent: _, names: __, mappings, ...map } = JSON.parse(readFileSync(file, 'utf8'));
  const lines = decode(mappings).map((segments) =>
    segments
      .filter(
        ([, source, line], i) => i === 0 || source !== segments[i - 1][1] || line !== segments[i - 1][2],
      )
      .map((segment) => segment.slice(0, 4)),
  );
  writeFileSync(file, JSON.stringify({ ...map, names: [], mappings: encode(lines) }));
}

/** Name the build in its module: snapshots are compared by it, and the host sees a module's bytes only sometimes. */
function stamp(file) {
  const bytes = readFileSync(file);
  const hash = createHash('sha256').update(bytes).digest('hex');
  const name = Buffer.from('damselfly');
  const content = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(hash)]);
  // section 0; its size takes one byte while it is below 128
  writeFileSync(file, Buffer.concat([bytes, Buffer.from([0, content.length]), content]));
  return hash;
}

function compile(target) {
  const started = performance.now();
  if (!check) console.log(`kernel ${target.padEnd(9)} compiling`);
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        asc,
        'assembly/index.ts',
        '--target',
        target,
        ...(check ? ['--noEmit'] : []),
        ...(process.env.ASCFLAGS?.split(' ').filter((flag) => flag !== '') ?? []),
      ],
      {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    child.on('exit', (code) => {
      if (code !== 0) return reject(new Error(`asc failed for target ${target}`));
      if (check) return resolve();
      const out = join(root, 'build/kernel', `${target}.wasm`);
      slimSourceMap(`${out}.map`);
      const hash = stamp(out).slice(0, 12);
      const bytes = readFileSync(out);
      const secs = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`kernel ${target.padEnd(9)} ${String(bytes.length).padStart(7)} bytes  ${hash}  ${secs} s`);
      resolve();
    });
  });
}

writeIfChanged(join(root, 'assembly/kern/stackprobe.ts'), stackProbe());
mkdirSync(join(root, 'build/kernel'), { recursive: true });
const targets = check ? ['plain'] : process.argv.slice(2);
const queue = targets.length > 0 ? targets : ['up', 'smp', 'up-debug', 'smp-debug'];
const worker = async () => {
  for (let t = queue.shift(); t !== undefined; t = queue.shift()) await compile(t);
};
try {
  if (!check) await buildGates(root, join(root, 'build/kernel'));
  await Promise.all([worker(), worker()]);
} catch (e) {
  console.error(e.message);
  process.exit(1);
}
