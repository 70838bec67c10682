/** The machine's shell for `damselfly boot`: a login at the terminal, a line, or a script. */
import path from 'node:path';
import { W_OK } from '../../assembly/abi/flags.ts';
import type { NodeFs } from '../index.ts';
import type { Machine } from '../machine/machine.ts';
import { standardPrograms } from '../programs/standard.ts';
import { Userland } from '../programs/userland.ts';
import { TerminalSession } from '../terminal/session.ts';
import { type ControlSocket, listen } from './control.ts';
import { CommandError } from './errors.ts';
import { LOGIN, LOGIN_AS_ROOT, loginEnvironment } from './login.ts';
import { detail, heading } from './output.ts';
import { runBetween } from './script.ts';
import { isInteractive, show, takeKeyboard } from './terminal.ts';
import type { ImportSpec } from './values.ts';

export interface ShellOptions {
  /** A line to run instead of reading commands. */
  command?: string;
  /** Where to listen for `damselfly attach`. */
  control?: string;
  /** What was imported from the host, for who logs in. */
  imported?: readonly ImportSpec[];
}

const HOME = '/root';

/** @returns the shell's exit code */
export async function runShell(machine: Machine, options: ShellOptions): Promise<number> {
  const userland = programsOf(machine);
  if (options.control !== undefined || isInteractive()) greet(machine, options.imported ?? []);
  let control: ControlSocket | undefined;
  if (options.control !== undefined) {
    control = await listen(options.control, userland, LOGIN);
    detail(`damselfly attach ${options.control} logs in from another terminal`);
  }
  try {
    // A root that cannot be written may have no home either.
    const home = machine.init.fs.existsSync(HOME) ? HOME : '/';
    if (options.command !== undefined) return await runBetween(userland, ['sh', '-c', options.command], home);
    if (isInteractive()) return await atTerminal(userland);
    return await runBetween(userland, ['sh'], home);
  } finally {
    control?.close();
  }
}

/** @throws CommandError when the root lacks what programs need, and it cannot be made */
function programsOf(machine: Machine): Userland {
  const { fs } = machine.init;
  const missing = ['/bin', '/dev'].filter(
    (name) => !fs.statSync(name, { throwIfNoEntry: false })?.isDirectory(),
  );
  if (missing.length > 0 && !isWritable(fs, '/'))
    throw new CommandError(
      `the root cannot be written, and has no ${missing.join(' and no ')}, without which no program runs: ` +
        "open its image with :scratch, or boot without --root and mount it, as in -c 'mount -o ro /dev/vbd0 /mnt && ls /mnt'",
    );
  return new Userland(machine, standardPrograms);
}

const MOTD = '/etc/motd';

function isWritable(fs: NodeFs, directory: string): boolean {
  try {
    fs.accessSync(directory, W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What `login` prints: what this is, and where the imported files are. A snapshot, or an import, may bring its own. */
function greet({ init: { fs } }: Machine, imported: readonly ImportSpec[]): void {
  if (fs.existsSync(MOTD) || !isWritable(fs, path.posix.dirname(MOTD))) return;
  const lines = [
    'Damselfly: a machine in memory, gone when you leave it unless it is saved.',
    ...imported.map(
      ({ host, machine }) => `${path.resolve(host)} of the host has been copied to ${machine}.`,
    ),
    'ls /bin lists the commands; each tells of itself with --help.',
  ];
  fs.writeFileSync(MOTD, `${lines.join('\n')}\n`);
}

async function atTerminal(userland: Userland): Promise<number> {
  heading('Log in');
  detail('^D or exit leaves the machine');
  let session: TerminalSession | undefined;
  const keyboard = takeKeyboard(
    (bytes) => session?.write(bytes),
    (size) => session?.resize(size),
  );
  try {
    session = new TerminalSession(userland, LOGIN_AS_ROOT, loginEnvironment(), {
      size: keyboard.size(),
      output: show,
    });
    return (await session.done).code;
  } finally {
    keyboard.release();
  }
}
