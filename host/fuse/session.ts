/**
 * The main thread of a mount: mounts, while another thread serves (worker.ts), and unmounts.
 *
 * It touches the mounted tree only by calls that run elsewhere, in Node's pool of threads or in a child: it
 * must be there when a signal comes, whatever the server is about.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Control, listen } from './control.ts';
import { linuxList, type MountOptions } from './mountoptions.ts';
import type { VolumeOptions } from './volume.ts';
import { type FromWorker, SHARED_CHANGES, SHARED_WORDS, type ToWorker, type WorkerConfig } from './worker.ts';

export interface SessionConfig {
  readonly directory: string;
  /** What mount and df show. */
  readonly source: string;
  readonly volume: VolumeOptions;
  readonly options: MountOptions;
  /** A descriptor of /dev/fuse that is mounted already. */
  readonly device?: number;
}

export interface Session {
  /** Whatever went wrong: all was written if it is undefined. */
  readonly ended: Promise<string | undefined>;
  /** Unmount, as a signal asks for it. Again: although it is in use. */
  stop(): void;
}

export class MountError extends Error {}

/** After a change, how long the kernel may have something to write back: it does so by itself in half that time. */
const RESTLESS_MS = 60_000;
const TICK_MS = 1000;

/** Boot, mount and serve. Returns when the tree is there. @throws MountError */
export async function startSession(config: SessionConfig): Promise<Session> {
  const shared = new SharedArrayBuffer(4 * SHARED_WORDS);
  const workerData: WorkerConfig = { volume: config.volume, serve: config.options.serve, shared };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const messages = inbox(worker);
  const first = await messages();
  if (first.type !== 'ready')
    throw new MountError(first.type === 'failed' ? first.message : 'the server ended');
  const send = (message: ToWorker) => worker.postMessage(message);
  let fd = config.device;
  if (fd === undefined) {
    try {
      const { directory, source, options } = config;
      fd = await mountDevice(directory, source, linuxList(options, first.readOnly, source));
    } catch (error) {
      send({ fd: -1 });
      await messages();
      throw error;
    }
  }
  send({ fd });
  return serving(config, shared, messages);
}

/** Messages one by one; the thread's end is the last. */
function inbox(worker: Worker): () => Promise<FromWorker> {
  const arrived: FromWorker[] = [];
  let wanted: ((message: FromWorker) => void) | undefined;
  const put = (message: FromWorker) => {
    if (wanted === undefined) arrived.push(message);
    else wanted(message);
    wanted = undefined;
  };
  worker.on('message', put);
  worker.on('error', (error) => put({ type: 'failed', message: error.stack ?? error.message }));
  worker.on('exit', () => put({ type: 'failed', message: 'the thread that served has ended' }));
  return async () => {
    const next = arrived.shift();
    if (next !== undefined) return next;
    return new Promise((resolve) => {
      wanted = resolve;
    });
  };
}

/** As root: /dev/fuse, and mount(8) with it as its descriptor 3. */
export async function mountDevice(directory: string, source: string, options: string): Promise<number> {
  let fd: number;
  try {
    fs.accessSync(directory);
    fd = fs.openSync('/dev/fuse', 'r+');
  } catch (error) {
    throw new MountError(`cannot mount: ${(error as Error).message}`);
  }
  const own = `fd=3,rootmode=40000,user_id=${process.getuid?.()},group_id=${process.getgid?.()}`;
  // fsname is fusermount3's word for the source
  const list = options.replace(/,fsname=.*$/, '');
  const args = ['-i', '-t', 'fuse.damselfly', '-o', `${list},${own}`, source, directory];
  const { code, stderr } = await run('mount', args, [fd]);
  if (code === 0) return fd;
  fs.closeSync(fd);
  throw new MountError(stderr.trim() === '' ? `mount(8) failed with ${code}` : stderr.trim());
}

export function run(
  command: string,
  args: string[],
  fds: number[] = [],
): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', ...fds] });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) => resolve({ code: 127, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, stderr }));
  });
}

/** umount(8), or what does it for users. @param lazy  also while it is in use */
export async function unmount(directory: string, lazy: boolean): Promise<string | undefined> {
  const root = process.getuid?.() === 0;
  const { code, stderr } = root
    ? await run('umount', ['-i', ...(lazy ? ['-l'] : []), directory])
    : await run('fusermount3', ['-u', ...(lazy ? ['-z'] : []), '--', directory]);
  return code === 0 ? undefined : stderr.trim() || `umount failed with ${code}`;
}

async function serving(
  config: SessionConfig,
  shared: SharedArrayBuffer,
  messages: () => Promise<FromWorker>,
): Promise<Session> {
  const { directory } = config;
  const end = messages();
  // the first request of all; if the server ends before, it is not answered
  const dev = await Promise.race([
    fs.promises.stat(directory).then((stat) => stat.dev),
    end.then(() => undefined),
  ]);
  const control: Control | undefined = dev === undefined ? undefined : listen(dev);
  const ticker = tick(directory, new Int32Array(shared));
  let asked = 0;
  const ended = end.then(async (last) => {
    clearInterval(ticker);
    let problem = last.type === 'done' ? last.problem : last.type === 'failed' ? last.message : undefined;
    // nobody answers any more: let the directory be what it was
    if (last.type === 'failed')
      problem = [problem, await unmount(directory, true)].filter(Boolean).join('\n');
    control?.end(problem);
    return problem;
  });
  return {
    ended,
    stop() {
      void unmount(directory, asked++ > 0).then((problem) => {
        if (problem !== undefined) process.stderr.write(`damselfly: ${problem}\n`);
      });
    },
  };
}

/**
 * The thread that serves does so when it is asked; a machine that nobody asks anything writes nothing back. So
 * while something may be dirty it is asked for its size each second.
 */
function tick(directory: string, words: Int32Array): NodeJS.Timeout {
  let [seen, restlessUntil, asking] = [0, 0, false];
  const ticker = setInterval(() => {
    const changes = Atomics.load(words, SHARED_CHANGES);
    const nowMs = performance.now();
    if (changes !== seen) restlessUntil = nowMs + RESTLESS_MS;
    seen = changes;
    if (asking || nowMs >= restlessUntil) return;
    asking = true;
    fs.promises
      .statfs(directory)
      .catch(() => undefined)
      .finally(() => {
        asking = false;
      });
  }, TICK_MS);
  ticker.unref();
  return ticker;
}
