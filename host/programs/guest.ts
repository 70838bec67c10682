/**
 * A WASI program as a program of the machine: its descriptors, its directories, and how it ends.
 *
 * Where the engine can suspend it (`canSuspend`), it waits as any program does. Elsewhere it has the thread
 * until it ends, so that nobody could fill or empty its pipes meanwhile: see spool.ts.
 */
import { EBADF } from '../../assembly/abi/errno.ts';
import { AT_FDCWD, F_DUPFD, F_GETFD, O_RDONLY, O_WRONLY } from '../../assembly/abi/flags.ts';
import { SIGABRT } from '../../assembly/abi/signals.ts';
import { isSyscallError } from '../syscalls/errors.ts';
import type { Process } from '../syscalls/process.ts';
import { canSuspend, ProcessGone, WasiGuest, type WasiOptions } from '../wasi/guest.ts';
import { loadGates } from '../wasi/modules.ts';
import type { Program, ProgramContext } from './program.ts';
import { Spool } from './spool.ts';

/** Name of the program → directory. */
export type Preopens = Readonly<Record<string, string>>;

const STDERR = 2;
/** More directories at the top than this are found in the working directory only. */
const TOP_MAX = 64;
const FAILED = 1;

export interface GuestOptions extends Pick<WasiOptions, 'gate'> {
  /** Its directories. Default: the machine's root, and the working directory for relative names. */
  preopens?: Preopens;
  /** Let it wait without stopping the thread. Default: where the engine can. */
  suspend?: boolean;
  /** Where it does not suspend: called when it waits for what nobody in the machine will do. True: go on,
   *  something has been done. Its descriptors are then as they are, without a spool. */
  idle?: () => boolean;
}

/** A module as a program: `exec` gives it its process. */
export function guestProgram(module: WebAssembly.Module, options: GuestOptions = {}): Program {
  return async (context) => {
    await loadGates();
    const { process } = context;
    const { suspend = canSuspend, idle } = options;
    const preopens = options.preopens ?? directoriesOf(process);
    keepPlaces(process, Object.keys(preopens).length);
    const spool = suspend || idle !== undefined ? undefined : await Spool.open(process);
    const guest = new WasiGuest(process, module, {
      args: context.argv,
      env: { ...context.env, PWD: process.cwd() },
      preopens,
      suspend,
      gate: options.gate,
      idle,
    });
    let signal = 0;
    let code = FAILED;
    try {
      code = suspend ? await guest.startLater() : guest.start();
    } catch (error) {
      if (error instanceof ProcessGone) return FAILED;
      if (!isTrap(error)) throw error;
      signal = SIGABRT;
      await tell(context, error);
    } finally {
      guest.close();
    }
    await spool?.finish();
    if (signal !== 0) process.exitWith(signal);
    return code;
  };
}

/** What a program does that cannot go on: the engine's own errors. */
function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

/** Whoever reads its standard error may be gone; nobody is left to be told then. */
async function tell(context: ProgramContext, { message }: Error): Promise<void> {
  try {
    await context.output(STDERR).write(`${context.argv[0]}: trap: ${message}\n`);
  } catch (error) {
    if (!isSyscallError(error)) throw error;
  }
}

/**
 * WASI has no working directory: a libc looks a relative name up among the names of the directories that the
 * program was given, as it does an absolute one, and knows no difference between `/` and `.`. So away from the root the
 * program is given each of the root's directories by its own name, and the working directory for what is in none of them.
 */
export function directoriesOf(process: Process): Preopens {
  const root = { '/': '/' };
  if (process.cwd() === '/') return root;
  const top: Record<string, string> = {};
  for (const { name } of entriesOf(process).slice(0, TOP_MAX)) {
    if (canOpen(process, `/${name}`)) top[`/${name}`] = `/${name}`;
  }
  return { ...(canOpen(process, '/') ? root : {}), ...top, ...(canOpen(process, '.') ? { '.': '.' } : {}) };
}

function entriesOf(process: Process): { name: string }[] {
  try {
    const entries = process.fs.readdirSync('/', { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  } catch (error) {
    if (!isSyscallError(error)) throw error;
    return [];
  }
}

function canOpen(process: Process, path: string): boolean {
  try {
    if (process.fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
    process.close(process.openat(AT_FDCWD, path, O_RDONLY));
    return true;
  } catch (error) {
    if (!isSyscallError(error)) throw error;
    return false;
  }
}

/** A libc looks for its directories from 3 on, without a gap: what is there moves behind them, and what is closed below is kept
 *  from being one of them by what can only be used the other way. */
function keepPlaces(process: Process, directories: number): void {
  for (let fd = 0; fd <= STDERR; fd++) {
    if (!isOpen(process, fd)) process.openat(AT_FDCWD, '/dev/null', fd === 0 ? O_WRONLY : O_RDONLY);
  }
  const end = STDERR + 1 + directories;
  for (let fd = STDERR + 1; fd < end; fd++) {
    if (!isOpen(process, fd)) continue;
    process.fcntl(fd, F_DUPFD, end);
    process.close(fd);
  }
}

function isOpen(process: Process, fd: number): boolean {
  try {
    process.fcntl(fd, F_GETFD);
    return true;
  } catch (error) {
    if (!isSyscallError(error) || error.errno !== -EBADF) throw error;
    return false;
  }
}
