import { existsSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Kernel } from '../crash/volume.ts';
import { repositoryRoot } from '../oracle/root.ts';
import { makeSources } from './sources.ts';
import { Tally } from './tally.ts';
import { visitImage } from './visit.ts';

/** The campaign of damaged images as a command: `make fuzz-images`. Exit code 0: nothing is wrong; 1; 2: bad arguments. */

const HELP = `usage: run [options]
  --images N      images (20000)
  --first N       the first seed (1)
  --flavour F     up-debug (default) or up
  --replay N      one seed again
`;
const REPORT_MS = 10_000;
const LEAST_MOUNTED = 0.5;

function main(): number {
  const { values } = parseArgs({
    options: {
      images: { type: 'string', default: '20000' },
      first: { type: 'string', default: '1' },
      flavour: { type: 'string', default: 'up-debug' },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const file = join(repositoryRoot, 'build', 'kernel', `${values.flavour}.wasm`);
  const [images, start] = [values.replay ? '1' : values.images, values.replay ?? values.first].map(Number);
  if (values.help || !Number.isInteger(images) || !Number.isInteger(start) || !existsSync(file)) {
    process.stderr.write(HELP);
    return values.help ? 0 : 2;
  }
  const flavour = values.flavour as Kernel['flavour'];
  return campaign({ module: new WebAssembly.Module(readFileSync(file)), flavour }, start, images);
}

function campaign(kernel: Kernel, first: number, images: number): number {
  const seedNow = new Int32Array(new SharedArrayBuffer(4));
  new Worker(new URL('./watchdog.js', import.meta.url), { workerData: seedNow.buffer }).unref();
  const sources = makeSources(kernel);
  const tally = new Tally();
  const started = Date.now();
  let reported = started;
  let bad = 0;
  for (let seed = first; seed < first + images; seed++) {
    Atomics.store(seedNow, 0, seed);
    const visited = visitImage(kernel, sources, seed);
    tally.add(visited);
    if (visited.wrong !== '') {
      bad++;
      const name = sources[seed % sources.length].name;
      writeSync(1, `FAILED: seed ${seed} (${name}; ${visited.what}): ${visited.wrong}\n`);
      writeSync(1, `again: make fuzz-images REPLAY=${seed}\n`);
    }
    if (Date.now() - reported > REPORT_MS) {
      reported = Date.now();
      const seconds = ((reported - started) / 1000).toFixed(0);
      process.stderr.write(
        `${tally.all.images} images, ${tally.all.mounted} mounted, ${bad} failed, ${seconds} s\n`,
      );
    }
  }
  process.stdout.write(`${tally.describe()}\n${((Date.now() - started) / 1000).toFixed(0)} s; `);
  const few = images > 100 && tally.mountedShare < LEAST_MOUNTED;
  process.stdout.write(bad > 0 ? `${bad} failed\n` : few ? 'too few mounted\n' : 'nothing found\n');
  return bad > 0 || few ? 1 : 0;
}

process.exitCode = main();
