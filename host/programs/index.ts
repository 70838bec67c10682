/** `damselfly/programs`: a shell and commands in a machine, and programs of one's own beside them. */
import type { Machine } from '../machine/machine.ts';
import type { ProgramEntry } from './image.ts';
import { standardPrograms } from './standard.ts';
import { Userland } from './userland.ts';

export type { ProgramEntry, ProgramTable } from './image.ts';
export type {
  ChildSetup,
  Environment,
  ExitStatus,
  Input,
  Output,
  Program,
  ProgramContext,
  SpawnOptions,
} from './program.ts';
export type { GuestOptions, Preopens } from './guest.ts';
export { Channel, type Child, type ChildOptions, type Limits, type ProgramSource } from './spawn.ts';
export { TerminalSession, type SessionOptions, type WindowSize } from '../terminal/session.ts';
export { type RunOptions, type RunResult, type Running, type StartOptions, Userland } from './userland.ts';

/**
 * Put the shell and the commands into a machine, and `more` programs, which win over those of the
 * same name.
 * @example
 * const machine = await boot();
 * const { stdout } = await userland(machine).run('ls -l /etc | wc -l');
 */
export function userland(machine: Machine, more: Readonly<Record<string, ProgramEntry>> = {}): Userland {
  return new Userland(machine, new Map([...standardPrograms, ...Object.entries(more)]));
}
