/** Machines and directories for programs that nobody here wrote. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { type BootOptions, bootSync } from '../../host/machine/boot.ts';
import type { Machine } from '../../host/machine/machine.ts';
import { testMachine } from '../../host/testing/index.ts';

/** A machine that checks everything. Whoever boots it shuts it down, which throws a LeakError on leaks. */
export function bootChecked(options: BootOptions = {}): Machine {
  return bootSync({ flavour: 'up-debug', ram: 64 << 20, ...options });
}

/** A checked machine for all tests of a file, after which it is shut down; files are closed by then. */
export function userMachine(): Machine {
  const machine = testMachine({ flavour: 'up-debug', ram: 64 << 20 });
  afterAll(() => machine.close());
  return machine;
}

/** A directory of the host that is removed after the file's tests. */
export function hostDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'damselfly-users-'));
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Frames in use, and live objects by zone, with all that is merely cached given back. */
export function usage(machine: Machine): { frames: number; zones: Record<string, number> } {
  machine.reclaim();
  const text = machine.fs.readFileSync('/proc/zones', 'utf8');
  machine.reclaim();
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  return {
    frames: machine.framesInUse,
    zones: Object.fromEntries(rows.map(([name, size, live]) => [`${name} of ${size}`, Number(live)])),
  };
}
