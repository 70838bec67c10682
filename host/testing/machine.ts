/**
 * A machine for one test, and what it is checked for when the test is over.
 */
import { forkSync } from '../machine/boot.ts';
import { Machine } from '../machine/machine.ts';
import { MemoryPool } from '../machine/memory.ts';
import { turn } from '../syscalls/fs/steps.ts';
import { offer } from './offered.ts';
import { type TestMachineOptions, templateFor } from './template.ts';

/** A descriptor that is open, in one of the machine's processes. */
export interface OpenFile {
  pid: number;
  fd: number;
  /** Where it leads, as /proc/PID/fd shows it: a path, with ' (deleted)' behind it, or a kind of object. */
  path: string;
}

/** A test left descriptors open. */
export class OpenFilesError extends Error {
  readonly code = 'ERR_OPEN_FILES';
  readonly files: readonly OpenFile[];

  constructor(files: readonly OpenFile[]) {
    const lines = files.map(({ pid, fd, path }) => `  descriptor ${fd} of process ${pid}: ${path}`);
    super(`${files.length} ${files.length === 1 ? 'file' : 'files'} left open\n${lines.join('\n')}`);
    this.name = 'OpenFilesError';
    this.files = files;
  }
}

/** More machines than this at a time are rare; their memories need not be kept for later. */
const IDLE_MEMORIES = 4;
const pool = new MemoryPool(IDLE_MEMORIES);

/** How long `close` waits for streams that are just about to close: turns of the event loop. */
const CLOSING_TURNS = 16;

/** Why a machine cannot be looked into: it is full, has no /proc, or process 1 is not root any more. */
const NO_LOOK = new Set(['ENOMEM', 'ENOSPC', 'EMFILE', 'ENFILE', 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);

/** A machine that wants its files closed by the end. */
export class TestMachine extends Machine {
  /** Is it an error when descriptors are open at shutdown? From the option `openFiles`. */
  checksOpenFiles = true;
  #over = false;
  #withdraw: (() => void) | undefined;

  /** Descriptors that are open now, in all processes. */
  openFiles(): OpenFile[] {
    return lookAround(this.init.fs);
  }

  /**
   * From now to its shutdown, this machine's `fs` is what `mockFs` and `mockFsPromises` lead to.
   * While two machines offer theirs, the mocks lead to neither and throw.
   */
  offerFs(): void {
    this.#withdraw ??= offer(this.fs);
  }

  /**
   * {@link Machine.shutdown}, and a check that every file was closed.
   * @throws OpenFilesError unless {@link checksOpenFiles} is false; LeakError; KernelPanic.
   */
  override shutdown(): void {
    if (!this.#over) this.#end(this.#stillOpen());
  }

  /** Give streams that are just about to close the turns of the event loop they need; then shut down. */
  async close(): Promise<void> {
    for (let turns = 0; !this.#over; turns++) {
      const open = this.#stillOpen();
      if (open.length === 0 || turns === CLOSING_TURNS) this.#end(open);
      else await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(open: OpenFile[]): void {
    this.#over = true;
    this.#withdraw?.();
    super.shutdown();
    if (open.length > 0) throw new OpenFilesError(open);
  }

  #stillOpen(): OpenFile[] {
    if (!this.checksOpenFiles || this.cpu.panic !== undefined) return [];
    try {
      return this.openFiles();
    } catch (error) {
      // A test may leave its machine like that, which is no error of the test's.
      if (NO_LOOK.has((error as NodeJS.ErrnoException).code ?? '')) return [];
      throw error;
    }
  }
}

function lookAround(fs: Machine['fs']): OpenFile[] {
  const files: OpenFile[] = [];
  for (const process of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(process)) continue;
    for (const fd of fs.readdirSync(`/proc/${process}/fd`)) {
      let path: string;
      try {
        path = fs.readlinkSync(`/proc/${process}/fd/${fd}`);
      } catch (error) {
        // the descriptor that the listing itself was read by
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        throw error;
      }
      files.push({ pid: Number(process), fd: Number(fd), path });
    }
  }
  return files;
}

/**
 * A machine of one's own, for one test: a copy of the one that was booted for these options. The
 * first call with an options object boots; give the same object again to share what it booted.
 *
 * Shut it down by `shutdown()`, or better by `await close()`, or let `using` or `await using` do it.
 * @throws as `bootSync`
 * @example
 * const options = { files: { '/etc/motd': 'hello\n' } };
 * test('reads', async () => {
 *   await using machine = testMachine(options);
 *   assert.equal(machine.fs.readFileSync('/etc/motd', 'utf8'), 'hello\n');
 * });
 */
export function testMachine(options: TestMachineOptions = DEFAULTS): TestMachine {
  const { snapshot, module, disks } = templateFor(options);
  const machine = forkSync(TestMachine, { from: snapshot, module, console: options.console, disks, pool });
  machine.checksOpenFiles = options.openFiles !== 'allow';
  return machine;
}

const DEFAULTS: TestMachineOptions = {};
