/** `machine.spawn`: a program as a process, its streams the host's. */
import { RLIMIT_FSIZE, RLIMIT_NOFILE } from '../../assembly/abi/flags.ts';
import { SIGTERM } from '../../assembly/abi/signals.ts';
import type { Machine } from '../machine/machine.ts';
import { concatenate } from '../syscalls/bytes.ts';
import type { Credentials, Process } from '../syscalls/process.ts';
import type { Context } from './context.ts';
import { type GuestOptions, guestProgram } from './guest.ts';
import { checkCommand, compileCommand } from './modules.ts';
import type { Environment, ExitStatus, Program } from './program.ts';
import { type Become, type Chunks, environment, type Take, userlandOf } from './userland.ts';

/** A path in the machine, a WASI program's bytes, or its module. */
export type ProgramSource = string | Uint8Array | WebAssembly.Module;

export interface Limits {
  /** Open descriptors, RLIMIT_NOFILE. */
  files?: number;
  /** The size of a file that it may make, in bytes, RLIMIT_FSIZE. */
  fileBytes?: number;
}

export interface ChildOptions extends Partial<Credentials>, Pick<GuestOptions, 'gate' | 'preopens'> {
  /** Its name, argv[0]. Default: the path, or `program`. */
  name?: string;
  /** Variables beside PATH, HOME and the like; undefined takes one away. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Working directory. Default: `/`. */
  cwd?: string;
  /** What it reads; 'pipe': what is written to `child.stdin`. Default: nothing. */
  stdin?: string | Uint8Array | Chunks | 'pipe';
  /** Takes what it writes; the next comes when its promise is done. Default: it is kept for `child.stdout`. */
  stdout?: Take;
  /** The same for `child.stderr`. */
  stderr?: Take;
  limits?: Limits;
  /** Ends it, and what else runs in its process group, when aborted (SIGKILL). */
  signal?: AbortSignal;
}

export interface Child {
  readonly pid: number;
  /** With `stdin: 'pipe'`; otherwise at its end already. */
  readonly stdin: Channel;
  /** What it wrote, without what `stdout` took. */
  readonly stdout: Channel;
  readonly stderr: Channel;
  /** How it ended, when all that it wrote is there. */
  wait(): Promise<ExitStatus>;
  /** Send a signal to it and what else runs in its process group; SIGTERM. Nothing happens when all have ended.
   *  @throws SyscallError EINVAL: no such signal */
  kill(signal?: number): void;
}

/** Bytes on their way: kept until they are read, however many. */
export class Channel {
  #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => {};

  write(data: string | Uint8Array): void {
    if (this.#ended) throw new TypeError('write after end');
    this.#chunks.push(typeof data === 'string' ? new TextEncoder().encode(data) : data);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  /** All to the end. */
  async bytes(): Promise<Uint8Array> {
    const all: Uint8Array[] = [];
    for await (const chunk of this) all.push(chunk);
    return concatenate(all);
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }
}

const NAME = 'program';
/** In UTF-16, so that the bytes are fewer than a name may have. */
const NAME_UNITS = 60;

/** @throws as Machine.spawn */
export async function spawn(
  machine: Machine,
  program: ProgramSource,
  args: readonly string[],
  options: ChildOptions,
): Promise<Child> {
  const { name = typeof program === 'string' ? program : NAME, gate, preopens, stdin = [], limits } = options;
  const env = environment(options);
  const argv = [name, ...args];
  const become = await becoming(program, argv, env, { gate, preopens });
  const channels = [new Channel(), new Channel(), new Channel()] as const;
  const [input, out, err] = channels;
  const {
    stdout = (bytes: Uint8Array) => out.write(bytes),
    stderr = (bytes: Uint8Array) => err.write(bytes),
  } = options;
  const isText = typeof stdin === 'string' || stdin instanceof Uint8Array;
  if (stdin !== 'pipe') input.end();
  const running = userlandOf(machine).start(argv, {
    ...options,
    cwd: options.cwd ?? '/',
    stdin: stdin === 'pipe' ? input : isText ? [stdin] : stdin,
    stdout,
    stderr,
    become: (context, committed) =>
      become(context, () => {
        limit(context.process, limits);
        committed();
      }),
  });
  const done = running.done.finally(() => {
    for (const channel of channels) channel.end();
  });
  // Who never waits is not told of what went wrong after the start.
  done.catch(() => {});
  try {
    await running.started;
  } catch (error) {
    await done.catch(() => {});
    throw error;
  }
  return {
    pid: running.pid,
    stdin: input,
    stdout: out,
    stderr: err,
    wait: () => done,
    kill: (signal = SIGTERM) => running.kill(signal),
  };
}

/** What makes a process the program. @throws NoCommandError */
async function becoming(
  program: ProgramSource,
  argv: readonly string[],
  env: Environment,
  guest: GuestOptions,
): Promise<Become> {
  if (typeof program === 'string')
    return (context, committed) => context.execGuest(program, argv, env, guest, committed);
  let module: WebAssembly.Module;
  if (program instanceof Uint8Array) module = await compileCommand(Uint8Array.from(program), argv[0]);
  else {
    module = program;
    checkCommand(module, argv[0]);
  }
  return (context, committed) => becomeModule(context, argv, env, guestProgram(module, guest), committed);
}

/** The kernel begins with a file, whose name is the process's: one is there for that moment. */
export async function becomeModule(
  context: Context,
  argv: readonly string[],
  env: Environment,
  program: Program,
  committed: () => void,
): Promise<number> {
  const { fs } = context;
  const directory = fs.mkdtempSync('/tmp/.spawn-');
  const path = `${directory}/${argv[0].split('/').at(-1)?.slice(0, NAME_UNITS) || NAME}`;
  let there = true;
  const tidy = () => {
    there = false;
    if (fs.existsSync(path)) fs.unlinkSync(path);
    fs.rmdirSync(directory);
  };
  try {
    fs.writeFileSync(path, '', { mode: 0o700 });
    return await context.become(path, argv, env, program, () => {
      tidy();
      committed();
    });
  } finally {
    if (there) tidy();
  }
}

function limit(process: Process, { files, fileBytes }: Limits = {}): void {
  if (files !== undefined) process.setrlimit(RLIMIT_NOFILE, files, files);
  if (fileBytes !== undefined) process.setrlimit(RLIMIT_FSIZE, fileBytes, fileBytes);
}
