import { writeSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

/** Watches, on a thread of its own, that the seed moves on: a call that does not end cannot be ended by its thread. */

const LOOK_MS = 1000;
const PATIENCE_MS = 60_000;

function watch(seedNow: Int32Array): void {
  let last = -1;
  let still = 0;
  setInterval(() => {
    const seed = Atomics.load(seedNow, 0);
    still = seed === last ? still + LOOK_MS : 0;
    last = seed;
    if (still < PATIENCE_MS) return;
    writeSync(1, `HANGS: seed ${seed}\nagain: make fuzz-images REPLAY=${seed}\n`);
    process.kill(process.pid, 'SIGKILL');
  }, LOOK_MS);
}

if (!isMainThread && workerData instanceof SharedArrayBuffer) watch(new Int32Array(workerData));
