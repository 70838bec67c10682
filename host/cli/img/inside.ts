/** The machine's own commands, working on a mounted image as if it were all there is. */
import { commands } from '../../commands/index.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Program } from '../../programs/program.ts';
import type { ProgramTable } from '../../programs/image.ts';
import { Userland } from '../../programs/userland.ts';
import { runBetween } from '../script.ts';
import { MOUNT_POINT } from './open.ts';

const INSIDE = 'inside-image';

/** inside-image COMMAND [ARG]…: chroot, but the command is found outside, as an image need not have any. */
function insideProgram(load: () => Promise<Program>): Program {
  return async (context) => {
    const program = await load();
    context.process.chroot(MOUNT_POINT);
    context.process.chdir('/');
    const argv = context.argv.slice(1);
    return program(Object.create(context, { argv: { value: argv } }) as typeof context);
  };
}

async function commandNamed(name: string): Promise<Program> {
  const entry = commands[name];
  if (entry === undefined) throw new Error(`there is no command ${name}`);
  return entry.load();
}

export interface InsideOptions {
  /** In place of the machine's own command of that name. */
  program?: Program;
  /** Ends the command's input when it is aborted, and not the command, which has to see to itself. */
  until?: AbortSignal;
}

/** Run one with this command's own standard streams. @returns its exit code */
export function runInside(
  machine: Machine,
  argv: readonly string[],
  { program, until }: InsideOptions = {},
): Promise<number> {
  const inside = insideProgram(async () => program ?? commandNamed(argv[0]));
  const table: ProgramTable = new Map([
    [INSIDE, { summary: 'run a command on a mounted image', load: async () => inside }],
  ]);
  return runBetween(new Userland(machine, table), [INSIDE, ...argv], '/', until);
}
