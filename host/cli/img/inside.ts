/** The machine's own commands, working on a mounted image as if it were all there is. */
import type { Machine } from '../../machine/machine.ts';
import type { Program } from '../../programs/program.ts';
import type { ProgramTable } from '../../programs/image.ts';
import { standardPrograms } from '../../programs/standard.ts';
import { Userland } from '../../programs/userland.ts';
import { runBetween } from '../script.ts';
import { MOUNT_POINT } from './open.ts';

const INSIDE = 'inside-image';

/** inside-image COMMAND [ARG]…: chroot, but the command is found outside, as an image need not have any. */
const inside: Program = async (context) => {
  const [, name, ...args] = context.argv;
  const entry = standardPrograms.get(name);
  if (entry === undefined) throw new Error(`there is no command ${name}`);
  const program = await entry.load();
  context.process.chroot(MOUNT_POINT);
  context.process.chdir('/');
  const argv = [name, ...args];
  return program(Object.create(context, { argv: { value: argv } }) as typeof context);
};

const table: ProgramTable = new Map([
  [INSIDE, { summary: 'run a command on a mounted image', load: async () => inside }],
]);

/** Run one with this command's own standard streams. @returns its exit code */
export function runInside(machine: Machine, argv: readonly string[]): Promise<number> {
  return runBetween(new Userland(machine, table), [INSIDE, ...argv], '/');
}
