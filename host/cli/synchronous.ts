/**
 * A WASI program between this command's standard input, output and error, where the engine cannot suspend it: nothing else runs
 * until it ends, so when it waits, what it wrote is handed on, and what it wants is read, at once and waiting.
 */
import fs from 'node:fs';
import { F_SETFL, FIONREAD, O_NONBLOCK, O_CLOEXEC } from '../../assembly/abi/flags.ts';
import type { GuestOptions } from '../programs/guest.ts';
import type { Environment } from '../programs/program.ts';
import { type Become, letGo, type Userland } from '../programs/userland.ts';
import type { Process } from '../syscalls/process.ts';
import { EXIT_SIGPIPE, outputError } from './stdout.ts';

const CHUNK_BYTES = 65536;
/** How long a stream of the host's that does not wait is left alone. */
const RETRY_MS = 5;

export async function runSynchronously(
  userland: Userland,
  argv: readonly string[],
  cwd: string,
  env: Environment,
  become: (guest: GuestOptions) => Become,
): Promise<number> {
  const sponsor = userland.sponsor();
  try {
    sponsor.chdir(cwd);
    const pump = new Pump(sponsor);
    const { child, started } = userland.launch(
      sponsor,
      argv,
      env,
      (process) => pump.equip(process),
      become({ suspend: false, idle: () => pump.turn() }),
    );
    pump.begin();
    const [{ code }] = await Promise.all([userland.wait(sponsor, child.pid), started]);
    pump.drain();
    return pump.broken === undefined ? code : pump.failure();
  } finally {
    letGo(sponsor);
  }
}

class Pump {
  readonly #sponsor: Process;
  readonly #ends: readonly { read: number; write: number }[];
  #ended = false;
  broken: NodeJS.ErrnoException | undefined;

  constructor(sponsor: Process) {
    this.#sponsor = sponsor;
    this.#ends = [0, 1, 2].map(() => sponsor.pipe(O_CLOEXEC));
  }

  /** In the child. */
  equip(process: Process): void {
    process.setsid();
    for (const [fd, { read, write }] of this.#ends.entries()) process.dup2(fd === 0 ? read : write, fd);
  }

  /** In the parent, when the child has the other ends. */
  begin(): void {
    const [, out, err] = this.#ends;
    for (const { read } of [out, err]) this.#sponsor.fcntl(read, F_SETFL, O_NONBLOCK);
  }

  /** The program waits: hand on what it wrote, or give it something to read. False: that is not what it waits for. */
  turn(): boolean {
    if (this.drain()) return true;
    if (this.#ended || this.#unread() > 0) return false;
    const bytes = readInput();
    const { read, write } = this.#ends[0];
    if (bytes.length === 0) {
      this.#ended = true;
      this.#sponsor.close(write);
      this.#sponsor.close(read);
    } else this.#sponsor.fs.writeSync(write, bytes);
    return true;
  }

  #unread(): number {
    const count = new Uint8Array(4);
    this.#sponsor.ioctl(this.#ends[0].read, FIONREAD, count);
    return new DataView(count.buffer).getUint32(0, true);
  }

  /** Was there anything? */
  drain(): boolean {
    let any = false;
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (const fd of [1, 2]) {
      for (;;) {
        const count = this.#take(this.#ends[fd].read, chunk);
        if (count === 0) break;
        any = true;
        this.#put(fd, chunk.subarray(0, count));
      }
    }
    return any;
  }

  #take(fd: number, chunk: Uint8Array): number {
    try {
      return this.#sponsor.fs.readSync(fd, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return 0;
    }
  }

  /** What nobody reads any more is dropped. */
  #put(fd: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length && this.broken === undefined; ) {
      try {
        done += fs.writeSync(fd, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') pause();
        else this.broken = error as NodeJS.ErrnoException;
      }
    }
  }

  failure(): number {
    if (this.broken?.code === 'EPIPE') return EXIT_SIGPIPE;
    throw outputError(this.broken as Error);
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
}

/** Some of standard input; nothing at its end. */
function readInput(): Uint8Array {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    try {
      return chunk.subarray(0, fs.readSync(0, chunk));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') pause();
      else if (code === 'EOF') return new Uint8Array(0);
      else throw error;
    }
  }
}
