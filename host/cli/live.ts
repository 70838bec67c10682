/** `damselfly boot --mount`: the machine's tree as directories of the host, while it runs. */
import { constants } from 'node:os';
import path from 'node:path';
import { reasonOf } from '../hostfiles/entry.ts';
import type { Machine } from '../index.ts';
import { type MachineMount, mountMachine } from '../mount/index.ts';
import { CommandError } from './errors.ts';
import { detail, heading } from './output.ts';
import type { MountSpec } from './values.ts';

export interface LiveMounts {
  /** Unmount all. What is in use is said to be, and taken away all the same. @returns whether all went well */
  end(): Promise<boolean>;
}

/** @throws CommandError  with none of them mounted */
export async function mountAll(
  machine: Machine,
  specs: readonly MountSpec[],
  options: readonly string[],
): Promise<LiveMounts> {
  const mounted: MachineMount[] = [];
  const deaf = endBySignals(machine, mounted);
  const mounts = {
    async end() {
      const well = await endAll(mounted);
      deaf();
      return well;
    },
  };
  if (specs.length > 0) heading('Mount');
  for (const { host, machine: source } of specs) {
    try {
      // signals are the command's own: it ends, and unmounts on its way out
      const each = await mountMachine(machine, host, {
        path: source,
        options: options.length === 0 ? undefined : options.join(','),
        signals: false,
      });
      mounted.push(each);
      // what keeps the command running is what it was asked to do
      each.unref();
    } catch (error) {
      await mounts.end();
      throw new CommandError(`cannot mount ${source} of the machine on ${host}: ${reasonOf(error)}`);
    }
    detail(`${source} of the machine is on ${path.resolve(host)}`);
  }
  return mounts;
}

const SIGNALS = ['SIGTERM', 'SIGHUP'] as const;

/** Where nothing else hears them, as when somebody is logged in: unmount, put the machine in order, end. */
function endBySignals(machine: Machine, mounted: readonly MachineMount[]): () => void {
  const heard = (signal: NodeJS.Signals) => {
    if (process.listenerCount(signal) > 1) return;
    void endAll(mounted).then(() => {
      if (machine.cpu.panic === undefined) machine.shutdown();
      process.exit(128 + constants.signals[signal]);
    });
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
}

async function endAll(mounted: readonly MachineMount[]): Promise<boolean> {
  let well = true;
  for (const each of mounted) {
    let problem: string | undefined;
    try {
      await each.unmount();
    } catch (error) {
      problem = `${(error as Error).message}; it is taken away all the same`;
      await each.unmount({ force: true }).catch(() => undefined);
    }
    problem ??= await each.ended;
    if (problem === undefined) continue;
    process.stderr.write(`damselfly: ${problem}\n`);
    well = false;
  }
  return well;
}
