import { writeSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

/**
 * Watches, on a thread of its own, that calls go on being made: one that does not end cannot be
 * ended by the thread that made it.
 */

/** Steps of progress, the seed, and the calls its session has made. */
export const PROGRESS_WORDS = 3;

const LOOK_MS = 1000;
const PATIENCE_MS = 60_000;
/** Progress is told every so many calls (test/fuzz/campaign.ts): the call is one of those after. */
const TOLD_EVERY = 250;

function watch(words: Int32Array): void {
  let steps = -1;
  let still = 0;
  setInterval(() => {
    const now = Atomics.load(words, 0);
    still = now === steps ? still + LOOK_MS : 0;
    steps = now;
    if (still < PATIENCE_MS) return;
    const call = words[2] + TOLD_EVERY;
    writeSync(
      1,
      `HANGS: seed ${words[1]}, a call soon after ${words[2]}\nmake fuzz REPLAY=${words[1]}:${call}\n`,
    );
    process.kill(process.pid, 'SIGKILL');
  }, LOOK_MS);
}

if (!isMainThread && workerData instanceof SharedArrayBuffer) watch(new Int32Array(workerData));
