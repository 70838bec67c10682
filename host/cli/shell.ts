/** The machine's shell for `damselfly boot`: a login at the terminal, a line, or a script. */
import path from 'node:path';
import { W_OK } from '../../assembly/abi/flags.ts';
import { OverlayDisk } from '../devices/overlay.ts';
import { codeOf } from '../hostfiles/entry.ts';
import type { NodeFs } from '../index.ts';
import type { Machine } from '../machine/machine.ts';
import { standardPrograms } from '../programs/standard.ts';
import { Userland } from '../programs/userland.ts';
import { TerminalSession } from '../terminal/session.ts';
import { type ControlSocket, listen } from './control.ts';
import { CommandError, EXIT_FAILED, EXIT_NO_ROOM } from './errors.ts';
import { LOGIN, LOGIN_AS_ROOT, loginEnvironment } from './login.ts';
import { detail, heading, warn } from './output.ts';
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
  // What there was room for has been made when it was booted.
  const isFull = isWritable(fs, '/');
  if (missing.length > 0)
    throw new CommandError(
      `the root ${isFull ? 'is full' : 'cannot be written'}, and has no ${missing.join(' and no ')}, without which no program runs: ` +
        "open its image with :scratch, or boot without --root and mount it, as in -c 'mount -o ro /dev/vbd0 /mnt && ls /mnt'",
      isFull ? EXIT_NO_ROOM : EXIT_FAILED,
    );
  const userland = new Userland(machine, standardPrograms);
  const inRam = mountsOf(fs).filter(
    ([type, place]) => type === 'tmpfs' && (place === '/bin' || place === '/tmp'),
  );
  if (isFull && inRam.length > 0)
    warn(
      `the root is full: ${inRam.map(([, place]) => place).join(' and ')} ${inRam.length === 1 ? 'is' : 'are'} in RAM, and what could not be made is missing`,
    );
  return userland;
}

/** What is mounted, and where. */
function mountsOf(fs: NodeFs): string[][] {
  if (!fs.existsSync('/proc/mounts')) return [];
  return fs
    .readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
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

/** Where the machine lives, and how long. */
function lifeOf(machine: Machine): string {
  const root = mountsOf(machine.init.fs).findLast(([, place]) => place === '/')?.[0] ?? '';
  const disk = machine.disks.find(({ name }) => root.replace(/p\d+$/, '') === `/dev/${name}`);
  if (disk === undefined) return `${GREETING} in memory, gone when you leave it unless it is saved.`;
  const end =
    disk.device instanceof OverlayDisk
      ? 'what you do is thrown away when you leave it.'
      : 'what you do there is kept.';
  return `${GREETING} on the disk ${root}: ${end}`;
}

const GREETING = 'Damselfly: a machine';

/** What `login` prints: what this is, and where the imported files are. A snapshot, or an import, may bring its own;
 *  on a disk ours is from another time. */
function greet(machine: Machine, imported: readonly ImportSpec[]): void {
  const { fs } = machine.init;
  if (!isWritable(fs, path.posix.dirname(MOTD))) return;
  const before = fs.existsSync(MOTD) ? fs.readFileSync(MOTD, 'utf8') : undefined;
  if (before !== undefined && !before.startsWith(GREETING)) return;
  const lines = [
    lifeOf(machine),
    ...imported.map(
      ({ host, machine: target }) => `${path.resolve(host)} of the host has been copied to ${target}.`,
    ),
    'ls /bin lists the commands; each tells of itself with --help.',
  ];
  const text = `${lines.join('\n')}\n`;
  if (text === before) return;
  try {
    fs.writeFileSync(MOTD, text);
  } catch (error) {
    // A root that is full greets nobody.
    if (codeOf(error) !== 'ENOSPC') throw error;
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
