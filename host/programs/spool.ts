/**
 * Pipes and terminals of a program that cannot be suspended. Nobody else runs while it does, so its input is
 * there before it starts, and its output is handed on when it has ended.
 *
 * S1. An input whose writers have all ended stays what it is: what the program does not read of it, the next reader
 *     finds. Only one that fills its pipe is read to its end beforehand, into a file without a name.
 * S2. What is one file to the program stays one: 1 and 2 on the same pipe keep their order.
 */
import {
  AT_FDCWD,
  F_DUPFD_CLOEXEC,
  F_GETFL,
  F_GETPIPE_SZ,
  FIONREAD,
  O_ACCMODE,
  O_CLOEXEC,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  PIPE_BUF,
  POLLHUP,
  S_IFIFO,
  S_IFMT,
} from '../../assembly/abi/flags.ts';
import { isSyscallError } from '../syscalls/errors.ts';
import { type DataCalls, dataCalls } from '../syscalls/fs/data.ts';
import type { Process } from '../syscalls/process.ts';
import { FdInput, FdOutput } from './streams.ts';

const DIRECTORY = '/tmp';
const MODE = 0o600;
/** Above what programs use. */
const ASIDE_MIN = 64;
const CHUNK_BYTES = 65536;
/** How often an input is looked at that is neither at its end nor full: in ms, from the first to the last. */
const LOOK_MS = [1, 50] as const;

interface Held {
  /** The file that stands in for it. */
  file: number;
  /** What it was. */
  aside: number;
}

export class Spool {
  readonly #process: Process;
  readonly #data: DataCalls;
  readonly #held: Held[] = [];

  private constructor(process: Process) {
    this.#process = process;
    this.#data = dataCalls(process);
  }

  /** Have the input ready, and files in the place of outputs. @throws SyscallError ENOSPC: no room for the input */
  static async open(process: Process): Promise<Spool> {
    const spool = new Spool(process);
    await spool.#input();
    spool.#outputs();
    return spool;
  }

  /** The program has ended: hand on what it wrote. @throws SyscallError EPIPE and the like */
  async finish(): Promise<void> {
    for (const { file, aside } of this.#held) {
      const output = new FdOutput(this.#data, aside, false, 'none');
      const { fs } = this.#process;
      for (let at = 0; ; ) {
        const chunk = new Uint8Array(CHUNK_BYTES);
        const count = fs.readSync(file, chunk, 0, CHUNK_BYTES, at);
        if (count === 0) break;
        await output.write(chunk.subarray(0, count));
        at += count;
      }
    }
  }

  async #input(): Promise<void> {
    const process = this.#process;
    if (!process.fs.fstatSync(0).isFIFO()) return;
    // a writer itself, it would wait for itself
    if ((process.fcntl(0, F_GETFL) & O_ACCMODE) !== O_RDONLY) return;
    if (!(await this.#filled())) return;
    const file = openFile(process);
    if (file === undefined) return;
    let at = 0;
    for await (const chunk of new FdInput(this.#data, 0)) {
      for (let done = 0; done < chunk.length; ) {
        done += process.fs.writeSync(file, chunk, done, chunk.length - done, at + done);
      }
      at += chunk.length;
    }
    process.dup2(file, 0);
    process.close(file);
  }

  /** Wait until a pipe's writers have ended, or it is full and they wait: true then. */
  async #filled(): Promise<boolean> {
    const process = this.#process;
    const room = process.fcntl(0, F_GETPIPE_SZ) - PIPE_BUF;
    const used = new Uint8Array(4);
    for (let ms: number = LOOK_MS[0]; ; ms = Math.min(ms * 2, LOOK_MS[1])) {
      const [ready] = await process.pollLater([{ fd: 0, events: 0 }], ms);
      if (ready & POLLHUP) return false;
      process.ioctl(0, FIONREAD, used);
      if (new DataView(used.buffer).getUint32(0, true) > room) return true;
    }
  }

  #outputs(): void {
    const process = this.#process;
    const known = new Map<string, number>();
    for (const fd of [1, 2]) {
      const { dev, ino, ...stat } = process.fs.fstatSync(fd, { bigint: true });
      if ((Number(stat.mode) & S_IFMT) !== S_IFIFO && !process.isatty(fd)) continue;
      const which = `${dev} ${ino}`;
      const file = known.get(which) ?? this.#hold(fd);
      // It writes then as far as there is room.
      if (file === undefined) return;
      known.set(which, file);
      process.dup2(file, fd);
    }
  }

  /** A file for what goes to a descriptor. */
  #hold(fd: number): number | undefined {
    const process = this.#process;
    const opened = openFile(process);
    if (opened === undefined) return undefined;
    let file: number | undefined;
    try {
      file = process.fcntl(opened, F_DUPFD_CLOEXEC, ASIDE_MIN);
      this.#held.push({ file, aside: process.fcntl(fd, F_DUPFD_CLOEXEC, ASIDE_MIN) });
      return file;
    } catch (error) {
      // It may have no such descriptors.
      if (!isSyscallError(error)) throw error;
      if (file !== undefined) process.close(file);
      return undefined;
    } finally {
      process.close(opened);
    }
  }
}

/** A file without a name; undefined where there is no place for one. */
function openFile(process: Process): number | undefined {
  try {
    return process.openat(AT_FDCWD, DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
  } catch (error) {
    if (!isSyscallError(error)) throw error;
    return undefined;
  }
}
