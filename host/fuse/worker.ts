/**
 * The thread that serves: it has the machine, and blocks in reads of /dev/fuse. What it is told comes before it
 * begins; later it hears of nothing but requests, and is stopped by an unmount.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { deviceTransport } from './device.ts';
import type { ServeOptions } from './options.ts';
import { Server } from './server.ts';
import { openVolume, SERVED, type VolumeOptions } from './volume.ts';

export interface WorkerConfig {
  readonly volume: VolumeOptions;
  readonly serve: Partial<ServeOptions>;
  /** Words that both threads see: SHARED_*. */
  readonly shared: SharedArrayBuffer;
}

/** Requests so far that may have changed something. */
export const SHARED_CHANGES = 0;
export const SHARED_WORDS = 1;

export type FromWorker =
  | { readonly type: 'ready'; readonly readOnly: boolean }
  /** Nothing is mounted any more and all is written; `problem`: or not all. */
  | { readonly type: 'done'; readonly problem?: string }
  | { readonly type: 'failed'; readonly message: string; readonly panic?: boolean };

export interface ToWorker {
  /** A descriptor of /dev/fuse that is mounted; -1: there will be none. */
  readonly fd: number;
}

async function main({ volume: options, serve, shared }: WorkerConfig): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this is a worker');
  const say = (message: FromWorker) => port.postMessage(message);
  const volume = await openVolume(options);
  const { machine } = volume;
  const words = new Int32Array(shared);
  say({ type: 'ready', readOnly: volume.readOnly });
  const { fd } = await new Promise<ToWorker>((resolve) => port.once('message', resolve));
  try {
    if (fd >= 0) {
      const device = deviceTransport(fd);
      const server = new Server(
        machine,
        SERVED,
        {
          read(into) {
            Atomics.store(words, SHARED_CHANGES, server.changes);
            return device.read(into);
          },
          write: device.write,
        },
        serve,
      );
      server.run();
      server.close();
    }
  } catch (error) {
    const panic = machine.cpu.panic;
    volume.close();
    say({ type: 'failed', message: (error as Error).stack ?? String(error), panic: panic !== undefined });
    return;
  }
  const problem = volume.close();
  say({ type: 'done', problem });
}

main(workerData as WorkerConfig).catch((error: Error) => {
  parentPort?.postMessage({ type: 'failed', message: error.message } satisfies FromWorker);
});
