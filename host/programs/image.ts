/**
 * What a file is when it is executed: a program of the host's, a WASI program, or a script and its interpreter.
 *
 * A host program is in the machine's tree as a file that says `#!host NAME`: it has an owner, a
 * mode and maybe a set-id bit like any other, and what it runs is looked up in the table of
 * programs. Any other `#!` names an interpreter, itself a file. A file that is a WebAssembly module is a
 * WASI program.
 */
import { EACCES, ELOOP, ENOENT, ENOEXEC, ENOTDIR } from '../../assembly/abi/errno.ts';
import { type SyscallError, syscallError } from '../syscalls/errors.ts';
import type { Process } from '../syscalls/process.ts';
import type { GuestOptions } from './guest.ts';
import { isModule, type ModuleCache } from './modules.ts';
import type { Environment, Program } from './program.ts';

/** Where a program's function comes from. */
export interface ProgramEntry {
  load(): Promise<Program>;
  /** One line that says what it does. */
  summary: string;
  /** Mode of its file; 0755 if absent. */
  mode?: number;
}

export type ProgramTable = ReadonlyMap<string, ProgramEntry>;

/** Where a machine's programs come from. */
export interface Sources {
  readonly programs: ProgramTable;
  readonly modules: ModuleCache;
  /** For a WASI program. */
  readonly guest?: GuestOptions;
}

/** Found and allowed; nothing has changed yet. */
export interface Image {
  /** The file whose program runs: the interpreter of a script. */
  path: string;
  argv: readonly string[];
  program: Program;
}

/** A file names a program that this host does not have. */
class NoProgramError extends Error implements SyscallError {
  readonly code = 'ENOENT';
  readonly errno = -ENOENT;
  readonly syscall = 'execve';
  readonly path: string;

  constructor(name: string, path: string) {
    super(`ENOENT: this host has no program '${name}', execve '${path}'`);
    this.path = path;
  }
}

/** Interpreters of interpreters, as Linux has it. */
const SCRIPTS_MAX = 4;
const HOST_MARK = 'host';
export const DEFAULT_PATH = '/bin';

/** The content of a host program's file. */
export function stubOf(name: string): string {
  return `#!${HOST_MARK} ${name}\n`;
}

/**
 * The image for a file or, without a slash, for the first of that name in PATH that may be executed.
 * @throws SyscallError ENOENT, EACCES, ENOEXEC (no program of the host's, no WASI program, no script), ELOOP
 */
export async function findImage(
  process: Process,
  sources: Sources,
  file: string,
  argv: readonly string[],
  env: Environment,
): Promise<Image> {
  if (file.includes('/')) return imageOf(process, sources, file, argv);
  let denied: unknown;
  for (const directory of (env.PATH ?? DEFAULT_PATH).split(':')) {
    const path = directory === '' ? `./${file}` : `${directory}/${file}`;
    try {
      return await imageOf(process, sources, path, argv);
    } catch (error) {
      const errno = -((error as { errno?: number }).errno ?? 0);
      if (errno !== ENOENT && errno !== ENOTDIR && errno !== EACCES) throw error;
      // A file that is there and cannot be run says more than that there is no other.
      if (errno === EACCES || error instanceof NoProgramError) denied ??= error;
    }
  }
  throw denied ?? syscallError(ENOENT, 'execve', file);
}

async function imageOf(
  process: Process,
  sources: Sources,
  path: string,
  argv: readonly string[],
): Promise<Image> {
  let file = path;
  let args = argv;
  for (let depth = 0; depth <= SCRIPTS_MAX; depth++) {
    const head = process.exechead(file);
    if (isModule(head)) {
      const module = await sources.modules.load(process, file);
      const { guestProgram } = await import('./guest.ts');
      return { path: file, argv: args, program: guestProgram(module, sources.guest) };
    }
    const line = firstLine(head);
    if (line === undefined) throw syscallError(ENOEXEC, 'execve', path);
    const [interpreter, argument] = line;
    if (interpreter === HOST_MARK) {
      const entry = sources.programs.get(argument);
      if (entry === undefined) {
        throw new NoProgramError(argument, path);
      }
      return { path: file, argv: args, program: await entry.load() };
    }
    args = [interpreter, ...(argument === '' ? [] : [argument]), file, ...args.slice(1)];
    file = interpreter;
  }
  throw syscallError(ELOOP, 'execve', path);
}

/** The interpreter of a `#!` line and the rest of the line; undefined if there is no such line. */
function firstLine(head: Uint8Array): [string, string] | undefined {
  const match = /^#![ \t]*([^ \t\n\0]+)[ \t]*([^\n\0]*)/.exec(new TextDecoder().decode(head));
  return match === null ? undefined : [match[1], match[2].trimEnd()];
}
