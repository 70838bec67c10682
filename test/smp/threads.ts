/**
 * Threads that join a machine of a test, with the built host: a thread runs no TypeScript. What they run is a function's
 * text, so it uses nothing but its arguments.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach } from 'vitest';
import type { Member, Ticket } from '../../host/machine/join.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { repositoryRoot } from '../oracle/root.ts';

const HOST = join(repositoryRoot, 'build', 'dist', 'host', 'index.js');

const isBuilt = existsSync(HOST);
/** Why tests with threads are skipped; empty: they are not. In CI the build must be there. */
export const notBuilt =
  !isBuilt && process.env.CI === undefined ? ': not run without what `make build` makes' : '';

const TEXT = `
const { parentPort, workerData } = require('node:worker_threads');
const { url, ticket, body, data } = workerData;
import(url).then(async (host) => {
  const run = eval('(' + body + ')');
  const member = host.joinMachine(ticket);
  const result = await run(member, data, host);
  member.leave();
  parentPort.postMessage({ result });
}).catch((error) => setImmediate(() => { throw error; }));
`;

export interface Thread<R> {
  readonly worker: Worker;
  readonly ticket: Ticket;
  /** What it returned; rejected with what it threw. */
  readonly done: Promise<R>;
  /** Its thread is no more, and the machine knows. */
  readonly ended: Promise<void>;
}

const workers: Worker[] = [];
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
});

/** A thread that joins, runs `body` and leaves. `body` sees its arguments and nothing else of this file. */
export function thread<D, R>(
  machine: Machine,
  body: (member: Member, data: D, host: typeof import('../../host/index.ts')) => R | Promise<R>,
  data: D,
): Thread<R> {
  const ticket = machine.ticket();
  const workerData = { url: pathToFileURL(HOST).href, ticket, body: body.toString(), data };
  const worker = new Worker(TEXT, { eval: true, workerData });
  workers.push(worker);
  machine.attend(worker, ticket);
  const ended = new Promise<void>((resolve) => void worker.once('exit', () => resolve()));
  const done = new Promise<R>((resolve, reject) => {
    worker.once('message', ({ result }: { result: R }) => resolve(result));
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread ended without a word')));
  });
  // who is not interested in the result looks at `ended`
  done.catch(() => {});
  return { worker, ticket, done, ended };
}
