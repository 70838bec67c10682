/**
 * Programs in a machine: their files in /bin, and a way to run them from outside.
 *
 * What is run from outside is the child of a process that the host drives, its sponsor: that one
 * holds the other ends of the pipes, and waits.
 */
import { ECHILD } from '../../assembly/abi/errno.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDWR } from '../../assembly/abi/flags.ts';
import { SIGKILL } from '../../assembly/abi/signals.ts';
import type { Machine } from '../machine/machine.ts';
import { writeWhole } from '../machine/tree.ts';
import { syscallError } from '../syscalls/errors.ts';
import type { Credentials, Process } from '../syscalls/process.ts';
import { dataCalls } from '../syscalls/fs/data.ts';
import { type Context, exitStatus } from './context.ts';
import { DEFAULT_PATH, type ProgramTable, stubOf } from './image.ts';
import type { Environment, ExitStatus } from './program.ts';
import { isGone, Runtime } from './runtime.ts';
import { FdInput, FdOutput, Gathered } from './streams.ts';

export interface RunOptions extends Partial<Credentials> {
  /** Standard input; nothing if absent. */
  input?: string | Uint8Array;
  /** Working directory; the home of root or `/`. */
  cwd?: string;
  /** Variables beside PATH, HOME and the like; undefined takes one away. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Ends the program, and what else runs in its process group, when aborted (SIGKILL). */
  signal?: AbortSignal;
}

export interface RunResult {
  /** Exit code; 128 + signal when a signal ended it. */
  code: number;
  /** The signal that ended it, or 0. */
  signal: number;
  stdout: string;
  stderr: string;
  /** The same as bytes. */
  stdoutBytes: Uint8Array;
  stderrBytes: Uint8Array;
}

/** Takes bytes; the next come when its promise is done. */
export type Take = (bytes: Uint8Array) => void | Promise<void>;

/** What a program is to read. */
export type Chunks = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

export interface StartOptions extends Omit<RunOptions, 'input'> {
  stdin: Chunks;
  stdout: Take;
  stderr: Take;
  /** What the new process becomes, and its exit code. Default: what `argv` names. */
  become?: Become;
}

/** Calls `committed` when nothing is in the way any more. */
export type Become = (context: Context, committed: () => void) => Promise<number>;

/** A program that was started. */
export interface Running {
  readonly pid: number;
  /** It runs. @throws SyscallError when it could not be run */
  readonly started: Promise<void>;
  /** How it ended; all it wrote has been taken. @throws SyscallError when it could not be run */
  readonly done: Promise<ExitStatus>;
  /** Send a signal to it and what else runs in its process group, whoever they run as. Nothing happens
   *  when all have ended. @throws SyscallError EINVAL: no such signal */
  kill(signal: number): void;
}

const PROGRAM_MODE = 0o755;
const BIN = '/bin';
/** What nobody sees: the failure itself is told. */
const NOT_STARTED = 127;
const decoder = new TextDecoder();
const userlands = new WeakMap<Machine, Userland>();

/** The programs that a machine was given last; none if it never was. */
export function userlandOf(machine: Machine): Userland {
  return userlands.get(machine) ?? new Userland(machine, new Map());
}

/** The programs of one machine. */
export class Userland {
  readonly machine: Machine;
  readonly runtime: Runtime;

  /**
   * Puts a file for each program into /bin, where there is none of that name; in a root that cannot be written,
   * or is full, into a tmpfs in its place.
   * @throws Error EROFS, ENOSPC: there is no /bin in such a root
   */
  constructor(machine: Machine, programs: ProgramTable) {
    this.machine = machine;
    this.runtime = new Runtime(machine, programs);
    userlands.set(machine, this);
    const { init } = machine;
    const isThere = init.fs.statSync(BIN, { throwIfNoEntry: false })?.isDirectory() === true;
    try {
      if (!isThere) init.fs.mkdirSync(BIN);
      this.#fill(programs);
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (code !== 'EROFS' && code !== 'ENOSPC') throw error;
      if (init.fs.statSync(BIN, { throwIfNoEntry: false })?.isDirectory() !== true) {
        const why = `the root ${code === 'EROFS' ? 'cannot be written' : 'is full'}, and has no /bin for the programs to be in`;
        throw Object.assign(new Error(`${code}: ${why}`), { code });
      }
      init.mount('tmpfs', BIN, 'tmpfs', 0, 'mode=755');
      this.#fill(programs);
    }
  }

  /** All or none, should it become full: what little room there is, is its files'. */
  #fill(programs: ProgramTable): void {
    const { fs } = this.machine.init;
    const made: string[] = [];
    try {
      for (const [name, { mode = PROGRAM_MODE }] of programs) {
        const path = `${BIN}/${name}`;
        if (fs.existsSync(path)) continue;
        writeWhole(fs, path, stubOf(name));
        made.push(path);
        fs.chmodSync(path, mode);
      }
    } catch (error) {
      for (const path of made) fs.unlinkSync(path);
      throw error;
    }
  }

  /**
   * Run a command line by the shell, or a program with its arguments, to its end.
   * @throws SyscallError ENOENT, EACCES, ENOEXEC for a program that cannot be run, ENOMEM
   * @example
   * const { code, stdout } = await userland.run('ls -l /etc | wc -l');
   */
  async run(command: string | readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const argv = typeof command === 'string' ? ['sh', '-c', command] : command;
    const { input = '' } = options;
    const out = new Gathered();
    const err = new Gathered();
    const running = this.start(argv, {
      ...options,
      stdin: input.length === 0 ? [] : [input],
      stdout: out.take,
      stderr: err.take,
    });
    const { code, signal } = await running.done;
    const stdoutBytes = out.bytes();
    const stderrBytes = err.bytes();
    return {
      code,
      signal,
      stdout: decoder.decode(stdoutBytes),
      stderr: decoder.decode(stderrBytes),
      stdoutBytes,
      stderrBytes,
    };
  }

  /** Start a program between pipes of the host's. Throws when there is no room for the process. */
  start(argv: readonly string[], options: StartOptions): Running {
    const { uid, gid, groups, cwd, stdin, stdout, stderr, signal, become } = options;
    const sponsor = this.sponsor({ uid, gid, groups });
    try {
      if (cwd !== undefined) sponsor.chdir(cwd);
      const ends = [sponsor.pipe(), sponsor.pipe(), sponsor.pipe()] as const;
      const inner = [ends[0].read, ends[1].write, ends[2].write];
      const equip = (process: Process) => {
        process.setsid();
        for (const [fd, from] of inner.entries()) process.dup2(from, fd);
      };
      const { child, started } = this.launch(sponsor, argv, environment(options), equip, become);
      for (const fd of inner) sponsor.close(fd);
      const kill = (number: number) => this.#signal(child, number);
      const abort = () => kill(SIGKILL);
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort, { once: true });
      const data = dataCalls(sponsor);
      const done = this.#finish(sponsor, started, this.wait(sponsor, child.pid), [
        drain(new FdInput(data, ends[1].read), stdout),
        drain(new FdInput(data, ends[2].read), stderr),
        feed(new FdOutput(data, ends[0].write, false, 'none'), stdin, child.ended, sponsor),
      ]).finally(() => signal?.removeEventListener('abort', abort));
      return { pid: child.pid, started, done, kill };
    } catch (error) {
      sponsor.exit();
      throw error;
    }
  }

  /** Send a signal to a process group, or to what will lead one. */
  #signal({ pid, ended }: Context, signal: number): void {
    // It leads its group from its first turn on, and those it started may outlive it.
    for (const target of ended.aborted ? [-pid] : [-pid, pid]) {
      try {
        this.machine.init.kill(target, signal);
        return;
      } catch (error) {
        if ((error as { code?: string }).code !== 'ESRCH') throw error;
      }
    }
  }

  async #finish(
    sponsor: Process,
    started: Promise<void>,
    ended: Promise<ExitStatus>,
    pumps: readonly Promise<void>[],
  ): Promise<ExitStatus> {
    try {
      const [status] = await Promise.all([ended, started, ...pumps]);
      return status;
    } finally {
      letGo(sponsor);
    }
  }

  /** A process for the host to act by: 0, 1 and 2 are taken, so that a child's can be put there. */
  sponsor(credentials: Partial<Credentials> = {}): Process {
    const process = this.machine.process(credentials);
    try {
      for (let fd = -1; fd < 2; ) fd = process.openat(AT_FDCWD, '/dev/null', O_RDWR | O_CLOEXEC);
    } catch (error) {
      process.exit();
      throw error;
    }
    return process;
  }

  /** A child of `sponsor` that sets itself up and becomes a program. `started` fails if it cannot. */
  launch(
    sponsor: Process,
    argv: readonly string[],
    env: Environment,
    setup: (child: Process) => void,
    become: Become = (context, committed) => context.execGuest(argv[0], argv, env, {}, committed),
  ): { child: Context; started: Promise<void> } {
    const process = sponsor.fork();
    let settle: { resolve: () => void; reject: (error: unknown) => void };
    const started = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const child = this.runtime.start(
      process,
      async (context) => {
        try {
          setup(process);
          const running = become(context as Context, settle.resolve);
          running.then(settle.resolve, settle.reject);
          return await running;
        } catch (error) {
          // One that a signal ended before it began was started all the same.
          if (isGone(error)) settle.resolve();
          else settle.reject(error);
          return NOT_STARTED;
        }
      },
      argv,
      env,
    );
    child.ended.addEventListener('abort', () => settle.resolve(), { once: true });
    return { child, started };
  }

  /** Wait for a sponsor's child. */
  async wait(sponsor: Process, pid: number): Promise<ExitStatus> {
    const ended = await sponsor.waitLater(pid);
    if (ended === undefined) throw syscallError(ECHILD, 'wait4');
    return exitStatus(ended);
  }
}

/** A sponsor has done its work, if the machine has not gone down meanwhile. */
export function letGo(sponsor: Process): void {
  try {
    sponsor.exit();
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error;
  }
}

/** Everything an input gives, handed on chunk by chunk. */
async function drain(input: FdInput, take: Take): Promise<void> {
  for await (const chunk of input) await take(chunk);
}

/** Everything there is to read, written; then the end. */
async function feed(output: FdOutput, chunks: Chunks, ended: AbortSignal, sponsor: Process): Promise<void> {
  const source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let more = true;
  try {
    const end = new Promise<undefined>((resolve) => {
      ended.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    for (;;) {
      // What the host has to say may never come; the program's end must not wait for it.
      const next = await Promise.race([source.next(), end]);
      if (next?.done) more = false;
      if (next === undefined || next.done) break;
      await output.write(next.value);
    }
  } catch (error) {
    // It ended, or closed its input, before it had read all.
    const { code } = error as { code?: string };
    if (code !== 'EPIPE' && code !== 'ESRCH') throw error;
  } finally {
    // As `for await` does it, except that a source that is busy is not waited for.
    if (more) Promise.resolve(source.return?.()).catch(() => {});
  }
  sponsor.close(output.fd);
}

/** The variables a program starts with. */
export function environment({ env = {}, uid = 0 }: Pick<RunOptions, 'env' | 'uid'>): Environment {
  const all = {
    PATH: DEFAULT_PATH,
    HOME: uid === 0 ? '/root' : '/',
    SHELL: '/bin/sh',
    TERM: 'dumb',
    TZ: 'UTC',
    ...env,
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
