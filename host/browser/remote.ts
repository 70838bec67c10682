/** A machine in a worker and its processes, as the page has them. */
import { ESRCH } from '../../assembly/abi/errno.ts';
import { linuxConstants } from '../platform/constants.ts';
import { syscallError } from '../syscalls/errors.ts';
import { type Link, type Services, servicesAt } from './link.ts';
import { PROCESS_CALLS, WAITING_CALLS } from './names.ts';
import { OpenDirectory, OpenFile } from './open.ts';
import type {
  RemoteFs,
  RemoteMachine,
  RemoteProcess,
  RemoteProcessOptions,
  RemoteStatus,
  Snapshot,
} from './types.ts';
import type { Reference } from './wire.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

/** Plain functions, which can be handed to whatever takes an `fs`. */
function fsOf(link: Link, services: Services, names: readonly string[]): RemoteFs {
  const call = (name: string, args: unknown[]) => link.call(services.fs, name, args);
  const api: Record<string, unknown> = {};
  for (const name of names) api[name] = (...args: unknown[]) => call(name, args);
  Object.assign(api, {
    constants: linuxConstants,
    open: async (...args: unknown[]) => new OpenFile(link, (await call('open', args)) as Reference),
    opendir: async (...args: unknown[]) =>
      new OpenDirectory(link, (await call('opendir', args)) as Reference),
    watch: (...args: unknown[]) => link.iterate(services.fs, 'watch', args),
    glob: (pattern: unknown, options?: { exclude?: unknown }) => {
      if (typeof options?.exclude === 'function')
        throw new TypeError('glob: exclude must be patterns here: the worker cannot wait for a function');
      return link.iterate(services.fs, 'glob', [pattern, options]);
    },
  });
  return api as unknown as RemoteFs;
}

function processOf(link: Link, reference: Reference, names: readonly string[]): RemoteProcess {
  const services = servicesAt(reference);
  const calls = [...PROCESS_CALLS, ...Object.keys(WAITING_CALLS)].map((name): [string, Call] => [
    name,
    (...args) => link.call(services.calls, name, args),
  ]);
  const { pid } = reference.facts;
  return { ...Object.fromEntries(calls), pid, fs: fsOf(link, services, names) } as unknown as RemoteProcess;
}

/** The error of a call to a machine that is down. */
const gone = (name: string): Error => syscallError(ESRCH, name);

export function machineOf(link: Link, reference: Reference): RemoteMachine {
  const services = servicesAt(reference);
  const facts = reference.facts as Pick<RemoteMachine, 'flavour' | 'ramBytes'> & { names: string[] };
  const { flavour, ramBytes, names } = facts;
  const call = (name: string, ...args: unknown[]) => link.call(services.calls, name, args);
  const process = async (name: string, argument: unknown) =>
    processOf(link, (await call(name, argument)) as Reference, names);
  let down: Promise<void> | undefined;
  const shutdown = async () => {
    try {
      await call('shutdown');
    } finally {
      link.end(gone);
    }
  };
  const machine = {
    flavour,
    ramBytes,
    fs: fsOf(link, services, names),
    process: (options: RemoteProcessOptions = {}) => process('process', options),
    attach: (pid: number) => process('attach', pid),
    snapshot: () => call('snapshot') as Promise<Snapshot>,
    reclaim: () => call('reclaim') as Promise<void>,
    advanceClock: (ms: number) => call('advanceClock', ms) as Promise<void>,
    status: () => call('status') as Promise<RemoteStatus>,
    shutdown: () => {
      down ??= shutdown();
      return down;
    },
  };
  const asyncDispose: symbol = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
  return Object.assign(machine, { [asyncDispose]: machine.shutdown }) as unknown as RemoteMachine;
}
