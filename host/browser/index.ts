/**
 * `damselfly/browser`: a machine in a worker, for the page. The page itself stays small: it is the
 * worker that loads the kernel and all that goes with it.
 */
import { wrap } from 'comlink';
import { Link, type Services } from './link.ts';
import { machineOf } from './remote.ts';
import type { RemoteBootOptions, RemoteMachine } from './types.ts';
import type { Reference } from './wire.ts';

export { KernelPanic, LeakError } from '../machine/panic.ts';
export { give } from './wire.ts';
export type {
  Credentials,
  Flavour,
  RemoteBootOptions,
  RemoteDir,
  RemoteFile,
  RemoteFs,
  RemoteMachine,
  RemoteProcess,
  RemoteProcessOptions,
  RemoteStatus,
  Snapshot,
} from './types.ts';

// A worker's proxy must live as long as the worker: comlink releases the worker with it, and no
// machine could be booted there again.
const served = new WeakMap<Worker, Services>();

function servicesOf(worker: Worker): Services {
  let services = served.get(worker);
  if (services === undefined) {
    services = wrap(worker) as unknown as Services;
    served.set(worker, services);
  }
  return services;
}

/**
 * Boot a machine in a worker whose script calls `serve()` of `damselfly/worker`. A worker may have
 * several machines; it goes on when they are down.
 * @throws as boot() does, and Error when the worker cannot be started
 * @example
 * const worker = new Worker(new URL('./machine.worker.js', import.meta.url), { type: 'module' });
 * const machine = await bootInWorker(worker, { files: { '/etc/motd': 'hello\n' } });
 * await machine.fs.readFile('/etc/motd', 'utf8'); // 'hello\n'
 */
export async function bootInWorker(worker: Worker, options: RemoteBootOptions = {}): Promise<RemoteMachine> {
  const link = new Link();
  const failed = ({ message }: ErrorEvent) =>
    link.end(() => new Error(`the worker could not be started${message ? `: ${message}` : ''}`));
  worker.addEventListener('error', failed);
  try {
    const { calls } = servicesOf(worker);
    return machineOf(link, (await link.call(calls, 'boot', [options])) as Reference);
  } finally {
    worker.removeEventListener('error', failed);
  }
}
