/** The machine's shell for `damselfly boot`: a login at the terminal, a line, or a script. */
import type { Machine } from '../machine/machine.ts';
import { standardPrograms } from '../programs/standard.ts';
import { Userland } from '../programs/userland.ts';
import { TerminalSession } from '../terminal/session.ts';
import { type ControlSocket, listen } from './control.ts';
import { LOGIN, LOGIN_AS_ROOT, loginEnvironment } from './login.ts';
import { detail, heading } from './output.ts';
import { runBetween } from './script.ts';
import { isInteractive, show, takeKeyboard } from './terminal.ts';

export interface ShellOptions {
  /** A line to run instead of reading commands. */
  command?: string;
  /** Where to listen for `damselfly attach`. */
  control?: string;
}

const HOME = '/root';

/** @returns the shell's exit code */
export async function runShell(machine: Machine, options: ShellOptions): Promise<number> {
  const userland = new Userland(machine, standardPrograms);
  let control: ControlSocket | undefined;
  if (options.control !== undefined) {
    control = await listen(options.control, userland, LOGIN);
    detail(`damselfly attach ${options.control} logs in from another terminal`);
  }
  try {
    if (options.command !== undefined) return await runBetween(userland, ['sh', '-c', options.command], HOME);
    if (isInteractive()) return await atTerminal(userland);
    return await runBetween(userland, ['sh'], HOME);
  } finally {
    control?.close();
  }
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
