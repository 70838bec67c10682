/**
 * Programs of the host's: functions that run as processes of the machine.
 *
 * A program has a pid, credentials, a working directory and descriptors of its own in the kernel,
 * and does all it does by system calls on them. It reads and writes by promises, so that others
 * run while it waits; a synchronous read of a pipe or terminal would stop them all.
 *
 *     fork ─→ running its function ─ returns, throws, exit, a signal ─→ zombie ─ wait ─→ gone
 *                     │  ↑
 *                     └──┘ exec: another function, the same process
 *
 * P1. A process ends once. What its function does after that fails with ESRCH at its next call.
 * P2. The exit status is the kernel's: the parent learns it by `wait` alone.
 * P3. Text stands for any bytes (syscalls/bytes.ts): arguments, variables, names that calls give, lines
 *     read. So a name that is not UTF-8 comes through programs unchanged.
 * P4. Nothing of a process but its function, arguments, environment and signal handlers is outside
 *     RAM. A snapshot does not hold those, so a machine booted from one has no programs running.
 */
import type { NodeFs } from '../syscalls/fs/types.ts';
import type { Process } from '../syscalls/process.ts';

/** A program: its exit code, 0 to 255. Whatever it throws is printed, and it exits with 1. */
export type Program = (context: ProgramContext) => number | Promise<number>;

/** A program's bytes in. */
export interface Input {
  readonly fd: number;
  /** Next bytes, at most `max` (64 KiB unless told) and as soon as there are any; empty at the end.
   *  The array is the caller's to keep. @throws SyscallError; EINTR when a caught signal came. */
  read(max?: number): Uint8Array | Promise<Uint8Array>;
  /** Next bytes into `buffer`: their number, 0 at the end. */
  readInto(buffer: Uint8Array): number | Promise<number>;
  /** Chunks to the end. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
  /** Lines without their ends. Bytes that are not UTF-8 are lone surrogates, U+DC00 + byte, in all text
   *  that a program gets, and become those bytes again in what it writes and where it names files. */
  lines(): AsyncIterable<string>;
  /** All to the end. */
  bytes(): Promise<Uint8Array>;
  text(): Promise<string>;
}

/**
 * A program's bytes out. Held back until 64 KiB are there or the program ends; on a terminal until
 * the end of a line, and standard error not at all.
 */
export interface Output {
  readonly fd: number;
  /** Is it a terminal? */
  readonly isTTY: boolean;
  /**
   * Write text or bytes. Await what is returned, if anything is: the reader is behind.
   * @throws SyscallError: EPIPE only if SIGPIPE is ignored or caught, otherwise the process ends.
   */
  write(data: string | Uint8Array): void | Promise<void>;
  /** Hand over what is held back. */
  flush(): void | Promise<void>;
}

/** How a process ended. */
export interface ExitStatus {
  readonly pid: number;
  /** Exit code; 128 + signal, as shells say, when a signal ended it. */
  readonly code: number;
  /** The signal's number that ended it, or 0. */
  readonly signal: number;
}

/** What is done in a child between fork and exec, in order. Throwing ends the child with 127. */
export type ChildSetup = (child: Process) => void | Promise<void>;

export interface SpawnOptions {
  /** Environment; the parent's if absent. */
  env?: Environment;
  /** Redirections, process group, credentials and the like. */
  setup?: ChildSetup;
}

/** Exported variables. */
export type Environment = Readonly<Record<string, string>>;

/** What a program is given, and does its work with. Its functions may be taken out of it. */
export interface ProgramContext {
  /** Its system calls: descriptors, processes, signals, terminals. */
  readonly process: Process;
  readonly pid: number;
  /** node:fs as this process sees it. For what may wait (fifos, terminals) use its promises. */
  readonly fs: NodeFs;
  /** Name it was called by, then its arguments. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Descriptors 0, 1 and 2. */
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Any other descriptor. */
  input(fd: number): Input;
  output(fd: number): Output;

  /**
   * A child that runs `body`, with this process's descriptors, group, terminal and ignored signals.
   * It starts on a later turn. What outputs hold back stays the parent's: flush before if the order
   * of what both write matters.
   * @returns its pid, at once; @throws SyscallError EAGAIN, ENOMEM
   */
  fork(body: Program): number;
  /**
   * Become another program: its exit code, which this program should return as its own.
   * `file` is a path; names without a slash are looked up in PATH of `env`.
   * @throws SyscallError ENOENT, EACCES, ENOEXEC: then nothing has changed
   */
  exec(file: string, argv: readonly string[], env?: Environment): Promise<number>;
  /** fork, setup, exec. @returns the child's pid; @throws SyscallError what exec or setup failed with */
  spawn(file: string, argv: readonly string[], options?: SpawnOptions): Promise<number>;
  /** Wait for one child, or with -1 for any, 0 for any of this group. @throws SyscallError ECHILD, EINTR */
  wait(pid?: number): Promise<ExitStatus>;
  /** The same without waiting: undefined if none has ended. */
  waitNow(pid?: number): ExitStatus | undefined;
  /** End now, what is held back written: never returns. */
  exit(code: number): never;
  /** Aborted when the process has ended, however: for what waits for something of the host's. */
  readonly ended: AbortSignal;

  /**
   * What a signal does: 'default', 'ignore', or a function that is called between two steps of the
   * program. A caught signal ends waits with EINTR. @throws SyscallError EINVAL (SIGKILL)
   */
  onSignal(signal: number, action: 'default' | 'ignore' | ((signal: number) => void)): void;
  /** Milliseconds by the machine's clock. @throws SyscallError EINTR */
  sleep(ms: number): Promise<void>;
}
