/**
 * A terminal of the machine with a program on it: the host's side of a pseudo-terminal.
 *
 * What the person types is written to the master, what the program and the line discipline say
 * is read from it. The program's process leads a session of its own whose terminal the slave is.
 */
import { AT_FDCWD, O_RDWR, POLLIN } from '../../assembly/abi/flags.ts';
import { defer } from '#platform';
import type { Environment, ExitStatus } from '../programs/program.ts';
import { FdOutput } from '../programs/streams.ts';
import { letGo, type Userland } from '../programs/userland.ts';
import { type DataCalls, dataCalls } from '../syscalls/fs/data.ts';
import type { Process } from '../syscalls/process.ts';

export interface WindowSize {
  rows: number;
  columns: number;
}

export interface SessionOptions {
  size?: WindowSize;
  /** Takes what the terminal shows. The next bytes come when its promise is done. */
  output(bytes: Uint8Array): void | Promise<void>;
}

const READ_BYTES = 16384;

export class TerminalSession {
  /** The slave's name, `/dev/pts/0` and so on. */
  readonly path: string;
  /** How the program ended; everything it wrote has been taken by then. */
  readonly done: Promise<ExitStatus>;
  readonly #sponsor: Process;
  readonly #master: number;
  readonly #data: DataCalls;
  readonly #input: FdOutput;
  readonly #gone = new AbortController();
  #open = true;

  /** Start `argv` on a new terminal. @throws SyscallError when there is none to be had */
  constructor(userland: Userland, argv: readonly string[], env: Environment, options: SessionOptions) {
    const sponsor = userland.sponsor();
    this.#sponsor = sponsor;
    this.#data = dataCalls(sponsor);
    try {
      const { master, path } = sponsor.openpty();
      this.#master = master;
      this.path = path;
      if (options.size !== undefined) this.resize(options.size);
      const { child, started } = userland.launch(sponsor, argv, env, (process) => this.#takeOver(process));
      const shown = this.#show(options.output);
      this.done = this.#finish(started, userland.wait(sponsor, child.pid), shown);
    } catch (error) {
      sponsor.exit();
      throw error;
    }
    this.#input = new FdOutput(this.#data, this.#master, false, 'none', this.#gone.signal);
  }

  /** What was typed. Await what is returned, if anything is. @throws SyscallError, AbortError when it is
   *  hung up meanwhile */
  write(bytes: string | Uint8Array): void | Promise<void> {
    return this.#open ? this.#input.write(bytes) : undefined;
  }

  /** The window has another size now: the foreground group gets SIGWINCH. */
  resize({ rows, columns }: WindowSize): void {
    if (!this.#open) return;
    this.#sponsor.setWindowSize(this.#master, { rows, columns });
  }

  /** The person has gone: the session is hung up. */
  hangup(): void {
    if (!this.#open) return;
    this.#open = false;
    // A read or write that waits would keep the master open.
    this.#gone.abort();
    try {
      this.#sponsor.close(this.#master);
    } catch (error) {
      // The machine has gone down, and hung up by that.
      if ((error as { code?: string }).code !== 'ESRCH') throw error;
    }
  }

  /** In the child: a session of its own, with the slave as its terminal and descriptors. */
  #takeOver(process: Process): void {
    process.setsid();
    const slave = process.openat(AT_FDCWD, this.path, O_RDWR);
    for (const fd of [0, 1, 2]) process.dup2(slave, fd);
    if (slave > 2) process.close(slave);
  }

  async #show(output: SessionOptions['output']): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const gone = this.#gone.signal;
    for (;;) {
      let count: number;
      try {
        count = await this.#data.readLater(this.#master, buffer, 0, buffer.length, -1, gone);
      } catch (error) {
        // The last one who had the slave open has closed it (or this side has).
        const { code } = error as { code?: string };
        if (gone.aborted) return;
        if (code === 'EIO' || code === 'EBADF' || code === 'ESRCH') return;
        throw error;
      }
      if (count === 0) return;
      await output(buffer.slice(0, count));
    }
  }

  /** All that is there to be shown has been read. */
  async #drained(): Promise<void> {
    while (this.#sponsor.poll([{ fd: this.#master, events: POLLIN }], 0)[0] & POLLIN) {
      await new Promise<void>((resolve) => defer(resolve));
    }
  }

  async #finish(
    started: Promise<void>,
    ended: Promise<ExitStatus>,
    shown: Promise<void>,
  ): Promise<ExitStatus> {
    try {
      // Both at once: either may fail while nobody looks at the other.
      const [status] = await Promise.all([ended, started]);
      // Those in the background may keep the terminal open; the session's leader is what counts.
      await Promise.race([shown, this.#drained()]);
      return status;
    } finally {
      this.hangup();
      letGo(this.#sponsor);
    }
  }
}
